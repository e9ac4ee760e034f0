/* wrap_node.c - Node: an operator in a model or in the op builder, and what lua/ovlite/builder.lua builds with. */
#include "lovl.h"
#include <stdio.h>


static void node_release(lua_State *L, lovl_object *o)
{
	(void)L;
	ovl_node_release(o->c);
}

/* Gives a new Node its table: [0] itself, [i] its outputs. */
static void adopt(lua_State *L, ovl_node *n)
{
	((lovl_object *)lua_touserdata(L, -1))->c = n;
	lua_createtable(L, 1, 1);
	lua_pushvalue(L, -2);
	lua_rawseti(L, -2, 0);
	lovl_setenv(L, -2);
}

void lovl_push_node(lua_State *L, ovl_node *n)
{
	if (lovl_unique(L, &lovl_node, n))
		adopt(L, ovl_node_retain(n));
}

/* Pushes a node that was just made, taking its reference over. */
static void push_made(lua_State *L, ovl_node *n)
{
	lovl_push_node(L, n);
	ovl_node_release(n);
}

static ovl_node *self(lua_State *L) { return lovl_self(L, &lovl_node); }

static int get_friendly_name(lua_State *L)
{
	lua_pushstring(L, ovl_node_name(self(L)));
	return 1;
}

static int set_friendly_name(lua_State *L)
{
	ovl_error err;
	ovl_node *n = self(L);
	const char *name = lovl_check_string(L, 2, "friendly_name", NULL);
	lovl_try(L, ovl_node_rename(n, name, &err), &err);
	lua_settop(L, 1);
	return 1;
}

static int get_type_name(lua_State *L)
{
	lua_pushstring(L, ovl_node_type(self(L)));
	return 1;
}

static int get_attributes(lua_State *L)
{
	const ovl_node *n = self(L);
	const char *name;
	ovl_value value;
	lua_newtable(L);
	for (size_t i = 0; ovl_node_attr(n, i, &name, &value); i++) {
		if (value.kind == OVL_VALUE_TENSOR && !value.tensor)
			continue;
		lovl_push_value(L, &value);
		lua_setfield(L, -2, name);
	}
	return 1;
}

static int output(lua_State *L)
{
	const ovl_node *n = self(L);
	size_t count = ovl_node_outputs(n), i = 0;
	if (!lua_isnoneornil(L, 2))
		i = (size_t)lovl_check_position(L, 2, (int64_t)count, "output");
	else if (count != 1)
		lovl_error(L, OVL_E_ARGUMENT, "node '%s' has %zu outputs, so say which", ovl_node_name(n), count);
	lovl_push_output(L, 1, i);
	return 1;
}

static int outputs(lua_State *L)
{
	size_t n = ovl_node_outputs(self(L));
	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		lovl_push_output(L, 1, i);
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

static void push_input(lua_State *L, const ovl_node *n, size_t i)
{
	ovl_source_ref s = ovl_node_input(n, i);
	if (!s.node) {
		lua_pushboolean(L, 0);
		return;
	}
	lovl_push_node(L, s.node);
	lovl_push_output(L, -1, (size_t)s.port);
	lua_remove(L, -2);
}

/* node:input(i): the Output that input i reads; false for an absent optional one. */
static int input(lua_State *L)
{
	const ovl_node *n = self(L);
	size_t count = ovl_node_inputs(n), i = 0;
	if (!lua_isnoneornil(L, 2))
		i = (size_t)lovl_check_position(L, 2, (int64_t)count, "input");
	else if (count != 1)
		lovl_error(L, OVL_E_ARGUMENT, "node '%s' has %zu inputs, so say which", ovl_node_name(n), count);
	push_input(L, n, i);
	return 1;
}

static int inputs(lua_State *L)
{
	const ovl_node *n = self(L);
	size_t count = ovl_node_inputs(n);
	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		push_input(L, n, i);
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

static size_t which_output(lua_State *L, const ovl_node *n)
{
	return lua_isnoneornil(L, 2) ? 0 : (size_t)lovl_check_position(L, 2, (int64_t)ovl_node_outputs(n), "output");
}

static void look_at_output(lua_State *L, ovl_type *type, ovl_pshape *shape)
{
	const ovl_node *n = self(L);
	size_t i = lua_gettop(L) > 1 ? which_output(L, n) : 0;
	if (!ovl_node_outputs(n))
		lovl_error(L, OVL_E_NOT_FOUND, "node '%s' has no outputs", ovl_node_name(n));
	ovl_node_output(n, i, type, shape);
}

static int get_element_type(lua_State *L)
{
	ovl_type type;
	ovl_pshape shape;
	look_at_output(L, &type, &shape);
	lua_pushstring(L, ovl_type_name(type));
	return 1;
}

static int get_partial_shape(lua_State *L)
{
	ovl_type type;
	ovl_pshape shape;
	look_at_output(L, &type, &shape);
	lovl_push_pshape(L, &shape);
	return 1;
}

static int get_shape(lua_State *L)
{
	ovl_type type;
	ovl_pshape partial;
	ovl_shape shape;
	char text[256];
	look_at_output(L, &type, &partial);
	if (!ovl_pshape_to_shape(&partial, &shape))
		lovl_error(L, OVL_E_SHAPE, "node '%s' has the dynamic shape %s: use partial_shape", ovl_node_name(self(L)), ovl_pshape_text(&partial, text, sizeof text));
	lovl_push_shape(L, &shape);
	return 1;
}

static int get_output_size(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)ovl_node_outputs(self(L)));
	return 1;
}

static int get_input_size(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)ovl_node_inputs(self(L)));
	return 1;
}

/* The value of a Constant as a copy (the model's own may lie in a mapped file), else nil. */
static int get_value(lua_State *L)
{
	ovl_tensor *t = ovl_node_constant(self(L)), *copy;
	ovl_error err;
	if (t) {
		lovl_try(L, ovl_tensor_clone(t, &copy, &err), &err);
		lovl_push_tensor(L, copy);
	} else
		lua_pushnil(L);
	return 1;
}

static int to_string(lua_State *L)
{
	const ovl_node *n = self(L);
	char text[256];
	ovl_type type;
	ovl_pshape shape;
	lua_pushfstring(L, "ov.Node(%s '%s'", ovl_node_type(n), ovl_node_name(n));
	for (size_t i = 0; i < ovl_node_outputs(n) && i < 8; i++) {
		ovl_node_output(n, i, &type, &shape);
		lua_pushfstring(L, "%s %s", ovl_type_name(type), ovl_pshape_text(&shape, text, sizeof text));
		lua_pushfstring(L, "%s%s%s", lua_tostring(L, -2), i ? ", " : " ", lua_tostring(L, -1));
		lua_replace(L, -3);
		lua_pop(L, 1);
	}
	lua_pushliteral(L, ")");
	lua_concat(L, 2);
	return 1;
}

/* ---- the builder's base ---- */

static const char *kind_name(ovl_value_kind kind)
{
	static const char *const NAMES[] = {[OVL_VALUE_NONE] = "none", [OVL_VALUE_INT] = "int", [OVL_VALUE_DOUBLE] = "number", [OVL_VALUE_BOOL] = "boolean",
					    [OVL_VALUE_STRING] = "string", [OVL_VALUE_INTS] = "ints", [OVL_VALUE_FLOATS] = "numbers",
					    [OVL_VALUE_STRINGS] = "strings", [OVL_VALUE_SHAPE] = "shape", [OVL_VALUE_TENSOR] = "tensor"};
	return NAMES[kind];
}

static void push_attributes(lua_State *L, const ovl_op *op)
{
	const char *name, *initial;
	ovl_value_kind kind;
	bool required;
	lua_newtable(L);
	for (size_t i = 0; ovl_op_attr(op, i, &name, &kind, &required, &initial); i++) {
		lua_createtable(L, 0, 3);
		lua_pushstring(L, name);
		lua_setfield(L, -2, "name");
		lua_pushstring(L, kind_name(kind));
		lua_setfield(L, -2, "kind");
		lua_pushboolean(L, required);
		lua_setfield(L, -2, "required");
		lua_pushstring(L, initial);
		lua_setfield(L, -2, "initial");
		lua_rawseti(L, -2, (int)i + 1);
	}
}

/* core.op_list(): {name, factory, since, until, min, max, inputs = "data axes", attributes = {...}} for every operator of the builder. */
static int op_list(lua_State *L)
{
	const ovl_op *op;
	int n = 0;
	lua_newtable(L);
	for (size_t i = 0; (op = ovl_op_at(i)); i++) {
		int since, until, min, max;
		const char *names;
		char factory[64];
		if (!ovl_op_in_builder(op))
			continue;
		ovl_op_opsets(op, &since, &until);
		ovl_op_inputs(op, &min, &max, &names);
		lua_createtable(L, 0, 8);
		lua_pushstring(L, ovl_op_name(op));
		lua_setfield(L, -2, "name");
		lua_pushstring(L, ovl_op_factory(op, factory, sizeof factory));
		lua_setfield(L, -2, "factory");
		lua_pushinteger(L, since);
		lua_setfield(L, -2, "since");
		lua_pushinteger(L, until);
		lua_setfield(L, -2, "until");
		lua_pushinteger(L, min);
		lua_setfield(L, -2, "min");
		lua_pushinteger(L, max);
		lua_setfield(L, -2, "max");
		lua_pushstring(L, names ? names : "");
		lua_setfield(L, -2, "inputs");
		push_attributes(L, op);
		lua_setfield(L, -2, "attributes");
		lua_rawseti(L, -2, ++n);
	}
	return 1;
}

static void push_types(lua_State *L, const ovl_op *op)
{
	int n = 0;
	lua_newtable(L);
	for (int t = OVL_DYNAMIC + 1; t < OVL_SEQUENCE; t++)
		if (ovl_op_takes(op, (ovl_type)t)) {
			lua_pushstring(L, ovl_type_name((ovl_type)t));
			lua_rawseti(L, -2, ++n);
		}
}

static void push_kernels(lua_State *L, const ovl_op *op)
{
	const char *name;
	lua_newtable(L);
	for (size_t i = 0; (name = ovl_op_kernel(op, i)); i++) {
		lua_pushstring(L, name);
		lua_rawseti(L, -2, (int)i + 1);
	}
}

/* core.op_table(): {name, since, until, types = {...}, kernels = {...}} for every operator that a file may hold; for documentation, not fast. */
static int op_table(lua_State *L)
{
	const ovl_op *op;
	int n = 0;
	lua_newtable(L);
	for (size_t i = 0; (op = ovl_op_at(i)); i++) {
		int since, until;
		if (!ovl_op_in_files(op))
			continue;
		ovl_op_opsets(op, &since, &until);
		lua_createtable(L, 0, 5);
		lua_pushstring(L, ovl_op_name(op));
		lua_setfield(L, -2, "name");
		lua_pushinteger(L, since);
		lua_setfield(L, -2, "since");
		lua_pushinteger(L, until);
		lua_setfield(L, -2, "until");
		push_types(L, op);
		lua_setfield(L, -2, "types");
		push_kernels(L, op);
		lua_setfield(L, -2, "kernels");
		lua_rawseti(L, -2, ++n);
	}
	return 1;
}

typedef struct attributes {
	const char **names;
	ovl_value *values;
	size_t n;
} attributes;

/* From the table {name = value} at `at`. Memory and everything pointed at stays on the Lua stack. */
static void read_attributes(lua_State *L, int at, const ovl_op *op, attributes *out)
{
	size_t n = 0;
	ovl_error err;
	out->n = 0;
	for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1))
		n++;
	luaL_checkstack(L, (int)n + 16, "too many attributes");
	out->names = lua_newuserdata(L, (n + 1) * sizeof *out->names);
	out->values = lua_newuserdata(L, (n + 1) * sizeof *out->values);
	const char *name, *initial;
	ovl_value_kind kind;
	bool required;
	for (size_t i = 0; ovl_op_attr(op, i, &name, &kind, &required, &initial) && out->n < n; i++) {
		char what[160];
		int top = lua_gettop(L);
		lua_getfield(L, at, name);
		if (lua_isnil(L, -1)) {
			lua_settop(L, top);
			continue;
		}
		snprintf(what, sizeof what, "%s: %s", ovl_op_name(op), name);
		lovl_try(L, lovl_read_value(L, -1, what, kind, &out->values[out->n], &err), &err);
		out->names[out->n++] = name;
	}
	if (out->n < n) {
		for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
			bool known = false;
			for (size_t i = 0; lua_type(L, -2) == LUA_TSTRING && i < out->n; i++)
				known |= strcmp(out->names[i], lua_tostring(L, -2)) == 0;
			if (!known)
				lovl_error(L, OVL_E_ARGUMENT, "%s has no attribute '%s'", ovl_op_name(op),
					   lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : luaL_typename(L, -2));
		}
	}
}

/* core.make_node(factory, opset, inputs, attributes): inputs is a list {n = count} of Nodes, Outputs and false for absent ones. */
static int make_node(lua_State *L)
{
	const char *factory = lovl_check_string(L, 1, "operator", NULL);
	int opset = (int)lovl_check_whole(L, 2, "opset");
	const ovl_op *op = ovl_op_of_factory(factory, opset);
	ovl_source_ref *sources;
	attributes attrs;
	ovl_node *node;
	ovl_error err;
	size_t n;
	if (!op)
		lovl_error(L, OVL_E_NOT_FOUND, "opset%d has no operator '%s'", opset, factory);
	luaL_checktype(L, 3, LUA_TTABLE);
	luaL_checktype(L, 4, LUA_TTABLE);
	lua_getfield(L, 3, "n");
	n = (size_t)lua_tointeger(L, -1);
	sources = lua_newuserdata(L, (n + 1) * sizeof *sources);
	for (size_t i = 0; i < n; i++) {
		char what[96];
		lua_rawgeti(L, 3, (int)i + 1);
		sources[i] = (ovl_source_ref){NULL, 0};
		snprintf(what, sizeof what, "%s: input %zu", ovl_op_name(op), i + 1);
		if (lua_toboolean(L, -1) && !lovl_source_at(L, -1, &sources[i]))
			lovl_type_error(L, -1, what, "a node");
		lua_pop(L, 1);
	}
	read_attributes(L, 4, op, &attrs);
	lovl_try(L, ovl_node_make(op, opset, NULL, sources, n, attrs.names, attrs.values, attrs.n, &node, &err), &err);
	push_made(L, node);
	return 1;
}

/* The list at `at`.field of {outer, inner [, axis, start, stop, stride, part_size]}, positions from 0; memory from Lua, which stays on the stack. */
static const ovl_body_map *read_maps(lua_State *L, int at, const char *field, size_t *n)
{
	ovl_body_map *maps;
	int list;
	lua_getfield(L, at, field);
	list = lua_gettop(L);
	*n = lua_istable(L, list) ? lua_rawlen(L, list) : 0;
	maps = lua_newuserdata(L, (*n + 1) * sizeof *maps);
	for (size_t i = 0; i < *n; i++) {
		int64_t v[7] = {0};
		lua_rawgeti(L, list, (int)i + 1);
		if (!lua_istable(L, -1))
			lovl_type_error(L, -1, field, "a table");
		for (int k = 0; k < 7; k++) {
			lua_rawgeti(L, -1, k + 1);
			if (!lua_isnil(L, -1))
				v[k] = lovl_check_whole(L, -1, field);
			lua_pop(L, 1);
		}
		maps[i] = (ovl_body_map){(int)v[0], (int)v[1], lua_rawlen(L, -1) > 2, v[2], v[3], v[4], v[5], v[6]};
		lua_pop(L, 1);
	}
	return maps;
}

static int read_port(lua_State *L, int at, const char *field)
{
	int64_t v = -1;
	lua_getfield(L, at, field);
	if (!lua_isnil(L, -1))
		v = lovl_check_whole(L, -1, field);
	lua_pop(L, 1);
	return (int)v;
}

/* core.make_control(type, opset, inputs, bodies): see lua/ovlite/control.lua. */
static int make_control(lua_State *L)
{
	const char *type = lovl_check_string(L, 1, "operator", NULL);
	int opset = (int)lovl_check_whole(L, 2, "opset");
	ovl_body_def bodies[2];
	ovl_source_ref *sources;
	ovl_node *node;
	ovl_error err;
	size_t n, n_bodies;
	luaL_checktype(L, 3, LUA_TTABLE);
	luaL_checktype(L, 4, LUA_TTABLE);
	luaL_checkstack(L, 40, NULL);
	n_bodies = lua_rawlen(L, 4) < 2 ? lua_rawlen(L, 4) : 2;
	n = lua_rawlen(L, 3);
	sources = lua_newuserdata(L, (n + 1) * sizeof *sources);
	for (size_t i = 0; i < n; i++) {
		lua_rawgeti(L, 3, (int)i + 1);
		if (!lovl_source_at(L, -1, &sources[i]))
			lovl_type_error(L, -1, type, "a node");
		lua_pop(L, 1);
	}
	for (size_t i = 0; i < n_bodies; i++) {
		ovl_body_def *b = &bodies[i];
		int at;
		lua_rawgeti(L, 4, (int)i + 1);
		at = lua_gettop(L);
		luaL_checktype(L, at, LUA_TTABLE);
		lua_getfield(L, at, "model");
		b->model = lovl_check(L, -1, &lovl_model, "body");
		b->ins = read_maps(L, at, "ins", &b->n_ins);
		b->outs = read_maps(L, at, "outs", &b->n_outs);
		b->back = read_maps(L, at, "back", &b->n_back);
		b->iteration_parameter = read_port(L, at, "iteration");
		b->condition_result = read_port(L, at, "condition");
	}
	lovl_try(L, ovl_node_make_control(type, opset, sources, n, bodies, n_bodies, &node, &err), &err);
	push_made(L, node);
	return 1;
}

/* core.make_constant(tensor): shares the tensor. */
static int make_constant(lua_State *L)
{
	ovl_tensor *t = lovl_check_tensor(L, 1, "value");
	ovl_node *node;
	ovl_error err;
	lovl_try(L, ovl_node_make_constant(t, &node, &err), &err);
	push_made(L, node);
	return 1;
}

static int get_opset(lua_State *L)
{
	lua_pushinteger(L, ovl_node_opset(self(L)));
	return 1;
}

static const luaL_Reg GETTERS[] = {{"friendly_name", get_friendly_name}, {"name", get_friendly_name}, {"type_name", get_type_name},
	{"attributes", get_attributes}, {"element_type", get_element_type}, {"shape", get_shape}, {"partial_shape", get_partial_shape},
	{"value", get_value}, {"opset", get_opset}, {NULL, NULL}};
static const luaL_Reg SETTERS[] = {{"friendly_name", set_friendly_name}, {NULL, NULL}};
static const luaL_Reg METHODS[] = {{"get_friendly_name", get_friendly_name}, {"set_friendly_name", set_friendly_name}, {"get_name", get_friendly_name},
				   {"get_type_name", get_type_name}, {"get_attributes", get_attributes}, {"output", output}, {"outputs", outputs},
				   {"input", input}, {"inputs", inputs}, {"get_output_size", get_output_size}, {"get_input_size", get_input_size},
				   {"get_element_type", get_element_type}, {"get_shape", get_shape}, {"get_partial_shape", get_partial_shape},
				   {"get_output_element_type", get_element_type}, {"get_output_shape", get_shape},
				   {"get_output_partial_shape", get_partial_shape}, {NULL, NULL}};
static const luaL_Reg META[] = {{"__tostring", to_string}, {NULL, NULL}};
const lovl_class lovl_node = {
	.name = "Node", .key = "ovlite.Node", .release = node_release, .methods = METHODS, .getters = GETTERS, .setters = SETTERS, .meta = META};

static const luaL_Reg FUNCTIONS[] = {{"op_list", op_list}, {"op_table", op_table}, {"make_node", make_node}, {"make_control", make_control}, {"make_constant", make_constant}, {NULL, NULL}};

void lovl_open_node(lua_State *L);
void lovl_open_node(lua_State *L)
{
	lovl_class_open(L, &lovl_node);
	lovl_functions(L, FUNCTIONS);
}
