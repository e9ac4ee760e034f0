/* wrap_core.c - Core: reads and compiles models. */
#include "lovl.h"
#include <stdio.h>

static void core_release(lua_State *L, lovl_object *o)
{
	(void)L;
	ovl_core_release(o->c);
}

static ovl_core *self(lua_State *L) { return lovl_self(L, &lovl_core); }

static int core(lua_State *L)
{
	ovl_error err;
	lovl_object *o = lovl_new(L, &lovl_core);
	lovl_try(L, ovl_core_new((ovl_core **)&o->c, &err), &err);
	return 1;
}

/* ---- configuration ---- */

typedef struct config {
	const char **keys, **values;
	size_t n;
} config;

/* Properties travel as text; a list is blank-separated. The text stays on the Lua stack. */
static const char *value_text(lua_State *L, int at, const char *key)
{
	switch (lua_type(L, at)) {
	case LUA_TSTRING: return lua_tostring(L, at);
	case LUA_TBOOLEAN: return lua_toboolean(L, at) ? "YES" : "NO";
	case LUA_TNUMBER: {
		int64_t whole;
		char text[40];
		if (lovl_whole(L, at, &whole))
			snprintf(text, sizeof text, "%lld", (long long)whole);
		else
			snprintf(text, sizeof text, "%.14g", (double)lua_tonumber(L, at));
		return lua_pushstring(L, text), lua_tostring(L, -1);
	}
	case LUA_TTABLE:
		lua_pushliteral(L, "");
		for (int i = 1; i <= (int)lua_rawlen(L, at); i++) {
			lua_rawgeti(L, at, i);
			if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
				break;
			lua_pushfstring(L, "%s%s%s", lua_tostring(L, -2), i > 1 ? " " : "", lua_tostring(L, -1));
			lua_replace(L, -3);
			lua_pop(L, 1);
		}
		if (lua_type(L, -1) == LUA_TSTRING)
			return lua_tostring(L, -1);
		/* fall through */
	default: lovl_type_error(L, at, key, "a string, a number or a boolean");
	}
}

static void read_config(lua_State *L, int at, config *out)
{
	size_t n = 0;
	memset(out, 0, sizeof *out);
	if (lua_isnoneornil(L, at))
		return;
	if (lua_type(L, at) != LUA_TTABLE)
		lovl_type_error(L, at, "config", "a table like {PERFORMANCE_HINT = \"LATENCY\"}");
	for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1))
		n++;
	luaL_checkstack(L, 4 * (int)n + 16, "too many properties");
	out->keys = lua_newuserdata(L, (n + 1) * sizeof *out->keys);
	out->values = lua_newuserdata(L, (n + 1) * sizeof *out->values);
	lua_pushnil(L);
	while (lua_next(L, at)) {
		int key = lua_gettop(L) - 1;
		if (lua_type(L, key) != LUA_TSTRING)
			lovl_type_error(L, key, "config", "names of properties as keys");
		out->keys[out->n] = lua_tostring(L, key);
		out->values[out->n++] = value_text(L, key + 1, lua_tostring(L, key));
		lua_pushvalue(L, key); /* what the texts need stays below */
	}
}

/* ---- models ---- */

/* core:read_model(path [, weights_path]) or core:read_model{model = bytes, weights = bytes} */
static int read_model(lua_State *L)
{
	ovl_core *c = self(L);
	ovl_error err;
	lovl_object *o;
	size_t size = 0, weights_size = 0;
	const char *model, *weights = NULL;
	if (lua_type(L, 2) == LUA_TTABLE) {
		lua_settop(L, 2);
		lua_getfield(L, 2, "model");
		lua_getfield(L, 2, "weights");
		model = lovl_check_string(L, 3, "model", &size);
		if (!lua_isnil(L, 4))
			weights = lovl_check_string(L, 4, "weights", &weights_size);
		o = lovl_new(L, &lovl_model);
		lovl_try(L, ovl_core_read_model_memory(c, model, size, weights, weights_size, (ovl_model **)&o->c, &err), &err);
		return 1;
	}
	model = lovl_check_string(L, 2, "path", NULL);
	weights = lovl_opt_string(L, 3, "weights_path", NULL);
	o = lovl_new(L, &lovl_model);
	lovl_try(L, ovl_core_read_model(c, model, weights, (ovl_model **)&o->c, &err), &err);
	return 1;
}

/* core:compile_model(model or path [, device] [, config]) */
static int compile_model(lua_State *L)
{
	ovl_core *c = self(L);
	const char *device = NULL;
	config conf;
	ovl_error err;
	ovl_compiled *compiled;
	lua_settop(L, 4);
	if (lua_type(L, 3) == LUA_TTABLE && lua_isnil(L, 4)) { /* no device */
		lua_pushnil(L);
		lua_insert(L, 3);
		lua_settop(L, 4);
	}
	device = lovl_opt_string(L, 3, "device", NULL);
	if (lua_type(L, 2) != LUA_TSTRING && !lovl_to(L, 2, &lovl_model))
		lovl_type_error(L, 2, "model", "an ov.Model or a path");
	read_config(L, 4, &conf);
	if (lua_type(L, 2) == LUA_TSTRING)
		lovl_try(L, ovl_core_compile_file(c, lua_tostring(L, 2), device, conf.keys, conf.values, conf.n, &compiled, &err), &err);
	else {
		const ovl_model *m = lovl_check(L, 2, &lovl_model, "model");
		lovl_try(L, ovl_core_compile(c, m, device, conf.keys, conf.values, conf.n, &compiled, &err), &err);
	}
	lovl_push_compiled(L, compiled);
	return 1;
}

/* core:import_model(bytes or path [, device]) */
static int import_model(lua_State *L)
{
	ovl_core *c = self(L);
	size_t size;
	const char *bytes = lovl_check_string(L, 2, "model", &size);
	const char *device = lovl_opt_string(L, 3, "device", NULL);
	ovl_compiled *compiled;
	ovl_error err;
	bool path = size < 4096 && strlen(bytes) == size && strncmp(bytes, "OVLBUNDL", 8) != 0;
	lovl_try(L, path ? ovl_core_import_file(c, bytes, device, &compiled, &err) : ovl_core_import(c, bytes, size, device, &compiled, &err), &err);
	lovl_push_compiled(L, compiled);
	return 1;
}

/* ---- properties and devices ---- */

static int push_property(lua_State *L, ovl_core *c, const char *device, const char *key)
{
	ovl_value value;
	ovl_error err;
	lovl_try(L, ovl_core_get_property(c, device, key, &value, &err), &err);
	lovl_push_value(L, &value);
	ovl_value_free(&value);
	return 1;
}

/* core:get_property([device,] name) */
static int get_property(lua_State *L)
{
	ovl_core *c = self(L);
	const char *first = lovl_check_string(L, 2, lua_isnoneornil(L, 3) ? "name" : "device", NULL);
	return push_property(L, c, lua_isnoneornil(L, 3) ? NULL : first, lua_isnoneornil(L, 3) ? first : lovl_check_string(L, 3, "name", NULL));
}

/* core:set_property([device,] config) */
static int set_property(lua_State *L)
{
	ovl_core *c = self(L);
	const char *device = NULL;
	config conf;
	ovl_error err;
	lua_settop(L, 3);
	if (lua_type(L, 2) == LUA_TTABLE)
		lua_insert(L, 2);
	else
		device = lovl_opt_string(L, 2, "device", NULL);
	if (lua_type(L, 2) == LUA_TNIL && lua_type(L, 3) == LUA_TTABLE)
		device = NULL;
	if (lua_type(L, 3) != LUA_TTABLE)
		lovl_type_error(L, 3, "config", "a table like {PERFORMANCE_HINT = \"LATENCY\"}");
	read_config(L, 3, &conf);
	for (size_t i = 0; i < conf.n; i++)
		lovl_try(L, ovl_core_set_property(c, device, conf.keys[i], conf.values[i], &err), &err);
	return 0;
}

static int available_devices(lua_State *L)
{
	self(L);
	lua_createtable(L, 1, 0);
	lua_pushliteral(L, "CPU");
	lua_rawseti(L, -2, 1);
	return 1;
}

static int get_versions(lua_State *L)
{
	const char *device;
	self(L);
	device = lovl_check_string(L, 2, "device", NULL);
	lua_newtable(L);
	if (strcmp(device, "CPU") != 0)
		return 1;
	int major = 0, minor = 0, patch = 0;
	sscanf(ovl_version(), "%d.%d.%d", &major, &minor, &patch);
	lua_createtable(L, 0, 5);
	lua_pushinteger(L, major);
	lua_setfield(L, -2, "major");
	lua_pushinteger(L, minor);
	lua_setfield(L, -2, "minor");
	lua_pushinteger(L, patch);
	lua_setfield(L, -2, "patch");
	lua_pushstring(L, ovl_version());
	lua_setfield(L, -2, "build_number");
	lua_pushliteral(L, "ovlite CPU");
	lua_setfield(L, -2, "description");
	lua_setfield(L, -2, "CPU");
	return 1;
}

/* core:query_model(model, device): {[friendly name of each node that runs there] = device} */
static int query_model(lua_State *L)
{
	self(L);
	const ovl_model *m = lovl_check(L, 2, &lovl_model, "model");
	const char *device = lovl_opt_string(L, 3, "device", "CPU");
	if (strcmp(device, "CPU") != 0 && strcmp(device, "AUTO") != 0)
		lovl_error(L, OVL_E_NOT_FOUND, "there is no device '%s'; there is CPU", device);
	lua_newtable(L);
	for (size_t i = 0; i < ovl_model_nodes(m); i++) {
		lua_pushliteral(L, "CPU");
		lua_setfield(L, -2, ovl_node_name(ovl_model_node(m, i)));
	}
	return 1;
}

static const luaL_Reg GETTERS[] = {{"available_devices", available_devices}, {NULL, NULL}};
static const luaL_Reg METHODS[] = {{"read_model", read_model}, {"compile_model", compile_model}, {"import_model", import_model},
				   {"get_property", get_property}, {"set_property", set_property}, {"get_available_devices", available_devices},
				   {"get_versions", get_versions}, {"query_model", query_model}, {NULL, NULL}};
const lovl_class lovl_core = {.name = "Core", .key = "ovlite.Core", .release = core_release, .methods = METHODS, .getters = GETTERS};

/* ov.machine_limits([threads]): what profiles are held against */
static int machine_limits(lua_State *L)
{
	int64_t threads = lua_isnoneornil(L, 1) ? 1 : lovl_check_whole(L, 1, "threads");
	ovl_machine_limits l;
	ovl_error err;
	if (threads < 1 || threads > 1024)
		lovl_error(L, OVL_E_ARGUMENT, "threads must be 1 to 1024, got %lld", (long long)threads);
	lovl_try(L, ovl_machine_limits_get((int)threads, &l, &err), &err);
	lua_createtable(L, 0, 4);
	lua_pushnumber(L, l.flops);
	lua_setfield(L, -2, "flops");
	lua_pushnumber(L, l.flops_bf16);
	lua_setfield(L, -2, "flops_bf16");
	lua_pushnumber(L, l.cache_bytes);
	lua_setfield(L, -2, "cache_bytes");
	lua_pushnumber(L, l.memory_bytes);
	lua_setfield(L, -2, "memory_bytes");
	return 1;
}

static const luaL_Reg FUNCTIONS[] = {{"core", core}, {"machine_limits", machine_limits}, {NULL, NULL}};

void lovl_open_core(lua_State *L);
void lovl_open_core(lua_State *L)
{
	lovl_class_open(L, &lovl_core);
	lovl_functions(L, FUNCTIONS);
}
