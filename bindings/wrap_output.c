/* wrap_output.c - Output: one output of a node, in the op builder and in models. */
#include "lovl.h"

typedef struct output_object {
	lovl_object o; /* o.c: the node */
	size_t port;
} output_object;

static void output_release(lua_State *L, lovl_object *o)
{
	(void)L;
	ovl_node_release(o->c);
}

/* Pushes output `port` (from 0) of the Node at `node`: one userdata for each, kept in the table that they share. */
void lovl_push_output(lua_State *L, int node, size_t port)
{
	const lovl_object *n = lovl_to(L, node, &lovl_node);
	output_object *o;
	node = lovl_absindex(L, node);
	luaL_checkstack(L, 8, NULL);
	lovl_getenv(L, node);
	lua_rawgeti(L, -1, (int)port + 1);
	if (lovl_to(L, -1, &lovl_output) && ((lovl_object *)lua_touserdata(L, -1))->c) {
		lua_remove(L, -2);
		return;
	}
	lua_pop(L, 1);
	o = (output_object *)lovl_new(L, &lovl_output);
	o->port = port;
	o->o.c = ovl_node_retain(n->c);
	lua_pushvalue(L, -2);
	lovl_setenv(L, -2);
	lua_pushvalue(L, -1);
	lua_rawseti(L, -3, (int)port + 1);
	lua_remove(L, -2);
}

bool lovl_source_at(lua_State *L, int at, ovl_source_ref *out)
{
	if (lovl_to(L, at, &lovl_node))
		*out = (ovl_source_ref){lovl_check(L, at, &lovl_node, "input"), 0};
	else if (lovl_to(L, at, &lovl_output))
		*out = (ovl_source_ref){lovl_check(L, at, &lovl_output, "input"), (int)((output_object *)lua_touserdata(L, at))->port};
	else
		return false;
	return true;
}

static ovl_source_ref self(lua_State *L)
{
	ovl_source_ref s = {lovl_self(L, &lovl_output), 0};
	s.port = (int)((output_object *)lua_touserdata(L, 1))->port;
	return s;
}

static int get_names(lua_State *L)
{
	ovl_source_ref s = self(L);
	size_t n = ovl_node_output_names(s.node, (size_t)s.port);
	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		lua_pushstring(L, ovl_node_output_name(s.node, (size_t)s.port, i));
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

static int get_any_name(lua_State *L)
{
	ovl_source_ref s = self(L);
	if (!ovl_node_output_names(s.node, (size_t)s.port))
		lovl_error(L, OVL_E_NOT_FOUND, "this output of node '%s' has no name; set_names gives it some", ovl_node_name(s.node));
	lua_pushstring(L, ovl_node_output_name(s.node, (size_t)s.port, 0));
	return 1;
}

/* The strings of the list at 2 (or one string); `keep`: after the names that are there. */
static int change_names(lua_State *L, bool keep)
{
	ovl_source_ref s = self(L);
	size_t old = keep ? ovl_node_output_names(s.node, (size_t)s.port) : 0, n;
	const char **names;
	ovl_error err;
	if (lua_type(L, 2) == LUA_TSTRING) {
		lua_createtable(L, 1, 0);
		lua_pushvalue(L, 2);
		lua_rawseti(L, -2, 1);
		lua_replace(L, 2);
	}
	if (lua_type(L, 2) != LUA_TTABLE)
		lovl_type_error(L, 2, "names", "a list of strings");
	n = lua_rawlen(L, 2);
	names = lua_newuserdata(L, (old + n + 1) * sizeof *names);
	for (size_t i = 0; i < old; i++)
		names[i] = ovl_node_output_name(s.node, (size_t)s.port, i);
	for (size_t i = 0; i < n; i++) {
		lua_rawgeti(L, 2, (int)i + 1);
		names[old + i] = lovl_check_string(L, -1, "names", NULL);
		lua_pop(L, 1);
	}
	lovl_try(L, ovl_node_set_output_names(s.node, (size_t)s.port, names, old + n, &err), &err);
	lua_settop(L, 1);
	return 1;
}

static int set_names(lua_State *L) { return change_names(L, false); }
static int add_names(lua_State *L) { return change_names(L, true); }

static int get_index(lua_State *L)
{
	lua_pushinteger(L, self(L).port + 1);
	return 1;
}

static int get_node(lua_State *L)
{
	lovl_push_node(L, self(L).node);
	return 1;
}

static int get_element_type(lua_State *L)
{
	ovl_source_ref s = self(L);
	ovl_type type;
	ovl_pshape shape;
	ovl_node_output(s.node, (size_t)s.port, &type, &shape);
	lua_pushstring(L, ovl_type_name(type));
	return 1;
}

static int get_partial_shape(lua_State *L)
{
	ovl_source_ref s = self(L);
	ovl_type type;
	ovl_pshape shape;
	ovl_node_output(s.node, (size_t)s.port, &type, &shape);
	lovl_push_pshape(L, &shape);
	return 1;
}

static int get_shape(lua_State *L)
{
	ovl_source_ref s = self(L);
	ovl_type type;
	ovl_pshape partial;
	ovl_shape shape;
	char text[256];
	ovl_node_output(s.node, (size_t)s.port, &type, &partial);
	if (!ovl_pshape_to_shape(&partial, &shape))
		lovl_error(L, OVL_E_SHAPE, "output %d of node '%s' has the dynamic shape %s: use partial_shape", s.port + 1, ovl_node_name(s.node),
			   ovl_pshape_text(&partial, text, sizeof text));
	lovl_push_shape(L, &shape);
	return 1;
}

static int to_string(lua_State *L)
{
	ovl_source_ref s = self(L);
	ovl_type type;
	ovl_pshape shape;
	char text[256];
	ovl_node_output(s.node, (size_t)s.port, &type, &shape);
	lua_pushfstring(L, "ov.Output(%d of '%s' %s %s)", s.port + 1, ovl_node_name(s.node), ovl_type_name(type), ovl_pshape_text(&shape, text, sizeof text));
	return 1;
}

static int equal(lua_State *L)
{
	const output_object *a = (const output_object *)lovl_to(L, 1, &lovl_output), *b = (const output_object *)lovl_to(L, 2, &lovl_output);
	lua_pushboolean(L, a && b && a->o.c && a->o.c == b->o.c && a->port == b->port);
	return 1;
}

static const luaL_Reg GETTERS[] = {{"names", get_names}, {"any_name", get_any_name}, {"index", get_index}, {"node", get_node}, {"element_type", get_element_type},
				   {"shape", get_shape}, {"partial_shape", get_partial_shape}, {NULL, NULL}};
static const luaL_Reg METHODS[] = {{"get_names", get_names}, {"get_any_name", get_any_name}, {"set_names", set_names}, {"add_names", add_names},
				   {"get_index", get_index}, {"get_node", get_node}, {"get_element_type", get_element_type}, {"get_shape", get_shape},
				   {"get_partial_shape", get_partial_shape}, {NULL, NULL}};
static const luaL_Reg META[] = {{"__tostring", to_string}, {"__eq", equal}, {NULL, NULL}};
const lovl_class lovl_output = {
	.name = "Output", .key = "ovlite.Output", .size = sizeof(output_object), .release = output_release, .methods = METHODS, .getters = GETTERS, .meta = META};

void lovl_open_output(lua_State *L);
void lovl_open_output(lua_State *L) { lovl_class_open(L, &lovl_output); }
