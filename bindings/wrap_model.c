/* wrap_model.c - Model: the graph before it is compiled. */
#include "lovl.h"
#include <stdio.h>

static void model_release(lua_State *L, lovl_object *o)
{
	(void)L;
	ovl_model_release(o->c);
}

static ovl_model *self(lua_State *L) { return lovl_self(L, &lovl_model); }

static lovl_ports ports(lua_State *L)
{
	self(L);
	return lovl_ports_of_model(lua_touserdata(L, 1));
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

static int push_nodes(lua_State *L, ovl_side side)
{
	lovl_ports p = ports(L);
	size_t n = lovl_ports_count(&p, side);
	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		lovl_push_node(L, ovl_port_node(lovl_ports_at(&p, side, i)));
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

static int parameters(lua_State *L) { return push_nodes(L, OVL_INPUT); }
static int results(lua_State *L) { return push_nodes(L, OVL_OUTPUT); }

static int get_ops(lua_State *L)
{
	const ovl_model *m = self(L);
	size_t n = ovl_model_nodes(m);
	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		lovl_push_node(L, ovl_model_node(m, i));
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

static int get_friendly_name(lua_State *L)
{
	lua_pushstring(L, ovl_model_name(self(L)));
	return 1;
}

static int set_friendly_name(lua_State *L)
{
	ovl_error err;
	ovl_model *m = self(L);
	const char *name = lovl_check_string(L, 2, "friendly_name", NULL);
	lovl_try(L, ovl_model_rename(m, name, &err), &err);
	lua_settop(L, 1);
	return 1;
}

static int is_dynamic(lua_State *L)
{
	lua_pushboolean(L, ovl_model_is_dynamic(self(L)));
	return 1;
}

static int metadata(lua_State *L)
{
	const ovl_model *m = self(L);
	const char *key, *value;
	lua_newtable(L);
	for (size_t i = 0; ovl_model_meta(m, i, &key, &value); i++) {
		lua_pushstring(L, value);
		lua_setfield(L, -2, key);
	}
	return 1;
}

/* ---- reshape ---- */

static bool has_named_keys(lua_State *L, int at)
{
	bool named = false;
	for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1))
		named |= lua_type(L, -2) == LUA_TSTRING || lua_type(L, -2) == LUA_TUSERDATA;
	return named;
}

static void reshape_each(lua_State *L, ovl_model *m, const lovl_ports *p)
{
	size_t count = lovl_ports_count(p, OVL_INPUT), n = 0;
	size_t *which = lua_newuserdata(L, (count + 1) * sizeof *which);
	ovl_pshape *shapes = lua_newuserdata(L, (count + 1) * sizeof *shapes);
	ovl_error err;
	for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
		ovl_side side;
		size_t i;
		char what[300], text[200];
		lovl_try(L, lovl_ports_key(L, p, LOVL_INPUTS, OVL_INPUT, -2, &side, &i, &err), &err);
		for (size_t k = 0; k < n; k++)
			if (which[k] == i)
				lovl_error(L, OVL_E_ARGUMENT, "two keys name input %s", lovl_port_text(lovl_ports_at(p, side, i), text, sizeof text));
		snprintf(what, sizeof what, "shape of input %s", lovl_port_text(lovl_ports_at(p, side, i), text, sizeof text));
		lovl_try(L, lovl_read_pshape(L, -1, what, &shapes[n], &err), &err);
		which[n++] = i;
	}
	lovl_try(L, ovl_model_reshape(m, which, shapes, n, &err), &err);
}

static int reshape(lua_State *L)
{
	ovl_model *m = self(L);
	lovl_ports p = ports(L);
	ovl_error err;
	char list[600];
	if (lua_type(L, 2) != LUA_TTABLE && lua_type(L, 2) != LUA_TSTRING)
		lovl_type_error(L, 2, "reshape", "a shape, or a table of shapes by position, name or port");
	if (lua_type(L, 2) == LUA_TTABLE && (lovl_ports_count(&p, OVL_INPUT) != 1 || has_named_keys(L, 2))) {
		lua_settop(L, 2);
		reshape_each(L, m, &p);
	} else {
		size_t first = 0;
		ovl_pshape shape;
		if (lovl_ports_count(&p, OVL_INPUT) != 1)
			lovl_error(L, OVL_E_ARGUMENT, "one shape is for a model of one input; the inputs are: %s", lovl_ports_list(&p, OVL_INPUT, list, sizeof list));
		lovl_check_pshape(L, 2, "shape", &shape);
		lovl_try(L, ovl_model_reshape(m, &first, &shape, 1, &err), &err);
	}
	lua_settop(L, 1);
	return 1;
}

/* model:add_outputs(name | {names}): the new ports. */
static int add_outputs(lua_State *L)
{
	ovl_model *m = self(L);
	lovl_ports p = ports(L);
	size_t before = lovl_ports_count(&p, OVL_OUTPUT), after;
	ovl_error err;
	if (lua_type(L, 2) == LUA_TSTRING) {
		lovl_try(L, ovl_model_add_output(m, lua_tostring(L, 2), &err), &err);
	} else if (lua_type(L, 2) == LUA_TTABLE) {
		for (size_t i = 1; i <= lua_rawlen(L, 2); i++) { /* all are looked at first */
			lua_rawgeti(L, 2, (int)i);
			lovl_check_string(L, -1, "tensor name", NULL);
			lua_pop(L, 1);
		}
		for (size_t i = 1; i <= lua_rawlen(L, 2); i++) {
			lua_rawgeti(L, 2, (int)i);
			lovl_try(L, ovl_model_add_output(m, lua_tostring(L, -1), &err), &err);
			lua_pop(L, 1);
		}
	} else
		lovl_type_error(L, 2, "add_outputs", "a tensor name or a list of them");
	after = lovl_ports_count(&p, OVL_OUTPUT);
	lua_createtable(L, (int)(after - before), 0);
	for (size_t i = before; i < after; i++) {
		lovl_push_port(L, lovl_ports_at(&p, OVL_OUTPUT, i), p.owner);
		lua_rawseti(L, -2, (int)(i - before) + 1);
	}
	return 1;
}

static int clone(lua_State *L)
{
	const ovl_model *m = self(L);
	ovl_error err;
	lovl_object *o = lovl_new(L, &lovl_model);
	lovl_try(L, ovl_model_clone(m, (ovl_model **)&o->c, &err), &err);
	return 1;
}

/* core.save_model(model, path, compress_to_fp16) */
static int save_model(lua_State *L)
{
	const ovl_model *m = lovl_check(L, 1, &lovl_model, "model");
	const char *path = lovl_check_string(L, 2, "path", NULL);
	bool compress = lua_isnoneornil(L, 3) ? true : lovl_check_boolean(L, 3, "compress_to_fp16");
	ovl_error err;
	lovl_try(L, ovl_model_save(m, path, compress, &err), &err);
	return 0;
}

static int origin(lua_State *L)
{
	lua_pushstring(L, ovl_model_origin(self(L)));
	return 1;
}

static int to_string(lua_State *L)
{
	char in[500], out[500];
	lovl_ports p = ports(L);
	lua_pushfstring(L, "ov.Model('%s'; inputs: %s; outputs: %s)", ovl_model_name(self(L)), lovl_ports_list(&p, OVL_INPUT, in, sizeof in),
			lovl_ports_list(&p, OVL_OUTPUT, out, sizeof out));
	return 1;
}

/* ---- from the builder ---- */

/* The nodes of a list (or one node) at `at`; memory from Lua. An output of a node that is not its first gets a Result, kept on the stack. */
static ovl_node **read_nodes(lua_State *L, int at, const char *what, bool results_wanted, size_t *n)
{
	ovl_node **nodes;
	ovl_source_ref s;
	ovl_error err;
	if (lovl_source_at(L, at, &s)) {
		lua_createtable(L, 1, 0);
		lua_pushvalue(L, at);
		lua_rawseti(L, -2, 1);
		lua_replace(L, at);
	}
	if (lua_type(L, at) != LUA_TTABLE)
		lovl_type_error(L, at, what, "a list of nodes");
	*n = lua_rawlen(L, at);
	luaL_checkstack(L, (int)*n + 16, "too many nodes");
	nodes = lua_newuserdata(L, (*n + 1) * sizeof *nodes);
	for (size_t i = 0; i < *n; i++) {
		lua_rawgeti(L, at, (int)i + 1);
		if (!lovl_source_at(L, -1, &s))
			lovl_type_error(L, -1, what, "nodes");
		nodes[i] = s.node;
		if (results_wanted && s.port > 0) {
			const ovl_op *op = ovl_op_of_factory("result", 1);
			ovl_node *result;
			if (!op)
				lovl_error(L, OVL_E_INTERNAL, "there is no operator Result");
			lovl_try(L, ovl_node_make(op, 1, NULL, &s, 1, NULL, NULL, 0, &result, &err), &err);
			lovl_push_node(L, result);
			ovl_node_release(result);
			nodes[i] = result;
		} else
			lua_pop(L, 1);
	}
	return nodes;
}

/* ov.Model(results, parameters, name) */
static int model(lua_State *L)
{
	size_t n_results, n_parameters;
	ovl_node **from, **to;
	const char *name = lovl_opt_string(L, 3, "name", "");
	ovl_error err;
	lovl_object *o;
	lua_settop(L, 3);
	if (lua_isnil(L, 2)) {
		lua_newtable(L);
		lua_replace(L, 2);
	}
	to = read_nodes(L, 1, "results", true, &n_results);
	if (n_results == 0)
		lovl_error(L, OVL_E_ARGUMENT, "a model needs at least one result");
	from = read_nodes(L, 2, "parameters", false, &n_parameters);
	o = lovl_new(L, &lovl_model);
	lovl_try(L, ovl_model_from_nodes(to, n_results, from, n_parameters, name, (ovl_model **)&o->c, &err), &err);
	return 1;
}

/* core.remake_model(model, results, parameters): a model of nodes of `model` and of new ones, with model's name, metadata and variables. */
static int remake_model(lua_State *L)
{
	const ovl_model *m = lovl_check(L, 1, &lovl_model, "model");
	size_t n_results, n_parameters;
	ovl_node **to, **from;
	ovl_error err;
	lovl_object *o;
	lua_settop(L, 3);
	to = read_nodes(L, 2, "results", true, &n_results);
	from = read_nodes(L, 3, "parameters", false, &n_parameters);
	o = lovl_new(L, &lovl_model);
	lovl_try(L, ovl_model_remake(m, to, n_results, from, n_parameters, (ovl_model **)&o->c, &err), &err);
	return 1;
}

/* core.replace_output(from, to): readers of `from` read `to` instead. */
static int replace_output(lua_State *L)
{
	ovl_source_ref from, to;
	ovl_error err;
	if (!lovl_source_at(L, 1, &from) || !lovl_source_at(L, 2, &to))
		lovl_type_error(L, lovl_source_at(L, 1, &from) ? 2 : 1, "replace_output", "a node");
	lovl_try(L, ovl_node_replace_output(from, to, &err), &err);
	return 0;
}

static const luaL_Reg GETTERS[] = {{"inputs", inputs}, {"outputs", outputs}, {"friendly_name", get_friendly_name}, {"name", get_friendly_name},
	{"parameters", parameters}, {"results", results}, {"metadata", metadata}, {"origin", origin}, {"dynamic", is_dynamic}, {NULL, NULL}};
static const luaL_Reg SETTERS[] = {{"friendly_name", set_friendly_name}, {NULL, NULL}};
static const luaL_Reg METHODS[] = {{"input", input}, {"output", output}, {"get_friendly_name", get_friendly_name}, {"set_friendly_name", set_friendly_name},
				   {"get_name", get_friendly_name}, {"is_dynamic", is_dynamic}, {"get_ops", get_ops}, {"get_ordered_ops", get_ops},
				   {"get_parameters", parameters}, {"get_results", results}, {"reshape", reshape}, {"add_outputs", add_outputs}, {"clone", clone},
				   {NULL, NULL}};
static const luaL_Reg META[] = {{"__tostring", to_string}, {NULL, NULL}};
const lovl_class lovl_model = {
	.name = "Model", .key = "ovlite.Model", .release = model_release, .methods = METHODS, .getters = GETTERS, .setters = SETTERS, .meta = META};

static const luaL_Reg FUNCTIONS[] = {{"model", model}, {"save_model", save_model}, {"remake_model", remake_model}, {"replace_output", replace_output}, {NULL, NULL}};

void lovl_open_model(lua_State *L);
void lovl_open_model(lua_State *L)
{
	lovl_class_open(L, &lovl_model);
	lovl_functions(L, FUNCTIONS);
}
