/* wrap_compiled.c - CompiledModel: a plan that requests run. */
#include "lovl.h"

/* What a CompiledModel's table holds. */
enum { OWN_REQUEST = 1 };

static void compiled_release(lua_State *L, lovl_object *o)
{
	(void)L;
	ovl_compiled_release(o->c);
}

void lovl_push_compiled(lua_State *L, ovl_compiled *c)
{
	lovl_new(L, &lovl_compiled)->c = c;
	lua_createtable(L, 4, 0);
	lovl_setenv(L, -2);
}

static ovl_compiled *self(lua_State *L) { return lovl_self(L, &lovl_compiled); }

static lovl_ports ports(lua_State *L)
{
	self(L);
	return lovl_ports_of_compiled(lua_touserdata(L, 1));
}

static int inputs(lua_State *L)
{
	lovl_ports p = ports(L);
	return lovl_push_ports(L, &p, OVL_INPUT);
}

static int outputs(lua_State *L)
{
	lovl_ports p = ports(L);
	return lovl_push_ports(L, &p, OVL_OUTPUT);
}

static int input(lua_State *L)
{
	lovl_ports p = ports(L);
	return lovl_push_one_port(L, &p, OVL_INPUT, 2);
}

static int output(lua_State *L)
{
	lovl_ports p = ports(L);
	return lovl_push_one_port(L, &p, OVL_OUTPUT, 2);
}

static int create_infer_request(lua_State *L)
{
	self(L);
	return lovl_new_request(L, 1);
}

/* compiled:infer_new_request(inputs, ...): as infer of a fresh request. */
static int infer_new_request(lua_State *L)
{
	self(L);
	lovl_new_request(L, 1);
	lua_replace(L, 1);
	return lovl_request_infer(L);
}

/* compiled(inputs [, share_inputs [, share_outputs]]): one request is kept for it; as in OpenVINO, inputs are shared unless told otherwise. */
static int call(lua_State *L)
{
	self(L);
	if (lua_gettop(L) < 2)
		lua_settop(L, 2);
	if (lua_isnoneornil(L, 3)) {
		int top = lua_gettop(L);
		lua_pushboolean(L, 1);
		if (top >= 3)
			lua_replace(L, 3);
	} else if (lua_type(L, 3) == LUA_TTABLE) {
		lua_getfield(L, 3, "share_inputs");
		lua_getfield(L, 3, "shared_memory");
		if (lua_isnil(L, -1) && lua_isnil(L, -2)) { /* a copy with the default filled in */
			lua_newtable(L);
			for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
				lua_pushvalue(L, -2);
				lua_pushvalue(L, -2);
				lua_rawset(L, -5);
			}
			lua_pushboolean(L, 1);
			lua_setfield(L, -2, "share_inputs");
			lua_replace(L, 3);
		}
		lua_settop(L, 3);
	}
	lovl_getenv(L, 1);
	lua_rawgeti(L, -1, OWN_REQUEST);
	if (!lovl_to(L, -1, &lovl_request) || !((lovl_object *)lua_touserdata(L, -1))->c) {
		lua_pop(L, 1);
		lovl_new_request(L, 1);
		lua_pushvalue(L, -1);
		lua_rawseti(L, -3, OWN_REQUEST);
	}
	lua_replace(L, 1);
	lua_pop(L, 1);
	return lovl_request_infer(L);
}

static int get_property(lua_State *L)
{
	ovl_compiled *c = self(L);
	const char *key = lovl_check_string(L, 2, "name", NULL);
	ovl_value value;
	ovl_error err;
	lovl_try(L, ovl_compiled_get_property(c, key, &value, &err), &err);
	lovl_push_value(L, &value);
	ovl_value_free(&value);
	return 1;
}

static int set_property(lua_State *L)
{
	self(L);
	if (lua_type(L, 2) != LUA_TTABLE)
		lovl_type_error(L, 2, "config", "a table");
	lovl_error(L, OVL_E_UNSUPPORTED, "the properties of a compiled model are fixed: give them to compile_model");
}

static int get_runtime_model(lua_State *L)
{
	ovl_compiled *c = self(L);
	ovl_error err;
	lovl_object *o = lovl_new(L, &lovl_model);
	lovl_try(L, ovl_compiled_runtime_model(c, (ovl_model **)&o->c, &err), &err);
	return 1;
}

static int export_model(lua_State *L)
{
	ovl_compiled *c = self(L);
	void *bytes;
	size_t size;
	ovl_error err;
	lovl_try(L, ovl_compiled_export(c, &bytes, &size, &err), &err);
	lua_pushlstring(L, bytes, size);
	ovl_bytes_free(bytes);
	return 1;
}

static int release_memory(lua_State *L)
{
	ovl_compiled_release_memory(self(L));
	return 0;
}

static int memory(lua_State *L)
{
	ovl_compiled *c = self(L);
	const char *name;
	uint64_t value;
	lua_newtable(L);
	for (size_t i = 0; ovl_compiled_memory(c, i, &name, &value); i++) {
		lua_pushnumber(L, (lua_Number)value);
		lua_setfield(L, -2, name);
	}
	return 1;
}

static void set_number(lua_State *L, const char *key, lua_Number value)
{
	lua_pushnumber(L, value);
	lua_setfield(L, -2, key);
}

/* Slots with their steps counted from 1. */
static void push_memory_plan(lua_State *L, const ovl_memory_plan *m)
{
	lua_createtable(L, 0, 5);
	set_number(L, "arena", (lua_Number)m->arena_bytes);
	set_number(L, "scratch", (lua_Number)m->scratch_bytes);
	set_number(L, "side_by_side", (lua_Number)m->slot_bytes);
	set_number(L, "steps", (lua_Number)m->n_steps);
	lua_createtable(L, (int)m->n_slots, 0);
	for (size_t i = 0; i < m->n_slots; i++) {
		lua_createtable(L, 0, 5);
		lua_pushstring(L, m->slots[i].node_name);
		lua_setfield(L, -2, "node_name");
		set_number(L, "bytes", (lua_Number)m->slots[i].bytes);
		set_number(L, "offset", (lua_Number)m->slots[i].offset);
		set_number(L, "first", m->slots[i].first + 1);
		set_number(L, "last", m->slots[i].last + 1);
		lua_rawseti(L, -2, (int)i + 1);
	}
	lua_setfield(L, -2, "slots");
}

static int memory_plan(lua_State *L)
{
	ovl_compiled *c = self(L);
	ovl_memory_plan *m;
	ovl_error err;
	lovl_try(L, ovl_compiled_memory_plan(c, &m, &err), &err);
	push_memory_plan(L, m);
	ovl_bytes_free(m);
	return 1;
}

static int to_string(lua_State *L)
{
	char in[500], out[500];
	lovl_ports p = ports(L);
	lua_pushfstring(L, "ov.CompiledModel(inputs: %s; outputs: %s)", lovl_ports_list(&p, OVL_INPUT, in, sizeof in),
			lovl_ports_list(&p, OVL_OUTPUT, out, sizeof out));
	return 1;
}

static const luaL_Reg GETTERS[] = {{"inputs", inputs}, {"outputs", outputs}, {NULL, NULL}};
static const luaL_Reg METHODS[] = {{"input", input}, {"output", output}, {"create_infer_request", create_infer_request},
	{"infer_new_request", infer_new_request}, {"get_property", get_property}, {"set_property", set_property},
	{"get_runtime_model", get_runtime_model}, {"export_model", export_model}, {"release_memory", release_memory}, {"memory", memory},
	{"memory_plan", memory_plan}, {NULL, NULL}};
static const luaL_Reg META[] = {{"__tostring", to_string}, {"__call", call}, {NULL, NULL}};
const lovl_class lovl_compiled = {
	.name = "CompiledModel", .key = "ovlite.CompiledModel", .release = compiled_release, .methods = METHODS, .getters = GETTERS, .meta = META};

void lovl_open_compiled(lua_State *L);
void lovl_open_compiled(lua_State *L) { lovl_class_open(L, &lovl_compiled); }
