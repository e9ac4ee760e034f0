/* wrap_port.c - Port: an input or output of a Model or CompiledModel. One userdata for each, so that == and use as a table key work. */
#include "lovl.h"

typedef struct port_object {
	lovl_object o; /* o.c: the ovl_port, which lives as long as its owner */
	const lovl_class *owner_class;
	void *owner;
} port_object;

static void port_release(lua_State *L, lovl_object *o)
{
	port_object *p = (port_object *)o;
	(void)L;
	if (p->owner_class == &lovl_model)
		ovl_model_release(p->owner);
	else
		ovl_compiled_release(p->owner);
}

void lovl_push_port(lua_State *L, const ovl_port *port, const lovl_object *owner)
{
	if (lovl_unique(L, &lovl_port, port)) {
		port_object *p = lua_touserdata(L, -1);
		p->owner_class = owner->class;
		p->owner = owner->class == &lovl_model ? (void *)ovl_model_retain(owner->c) : (void *)ovl_compiled_retain(owner->c);
		p->o.c = (void *)(uintptr_t)port;
	}
}

const ovl_port *lovl_port_of(const lovl_object *o) { return o->c; }

static const ovl_port *self(lua_State *L) { return lovl_self(L, &lovl_port); }

static int get_any_name(lua_State *L)
{
	const ovl_port *p = self(L);
	if (!ovl_port_names(p))
		lovl_error(L, OVL_E_NOT_FOUND, "this port has no name");
	lua_pushstring(L, ovl_port_name(p, 0));
	return 1;
}

static int get_names(lua_State *L)
{
	const ovl_port *p = self(L);
	size_t n = ovl_port_names(p);
	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		lua_pushstring(L, ovl_port_name(p, i));
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

static int get_index(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)ovl_port_index(self(L)) + 1);
	return 1;
}

static int get_element_type(lua_State *L)
{
	lua_pushstring(L, ovl_type_name(ovl_port_type(self(L))));
	return 1;
}

static int get_partial_shape(lua_State *L)
{
	ovl_pshape s;
	ovl_port_shape(self(L), &s);
	lovl_push_pshape(L, &s);
	return 1;
}

static int get_shape(lua_State *L)
{
	ovl_pshape s;
	ovl_shape shape;
	char text[256];
	const ovl_port *p = self(L);
	ovl_port_shape(p, &s);
	if (!ovl_pshape_to_shape(&s, &shape))
		lovl_error(L, OVL_E_SHAPE, "port %s has the dynamic shape %s: use partial_shape", ovl_port_names(p) ? ovl_port_name(p, 0) : "?",
			   ovl_pshape_text(&s, text, sizeof text));
	lovl_push_shape(L, &shape);
	return 1;
}

static int get_node(lua_State *L)
{
	lovl_push_node(L, ovl_port_node(self(L)));
	return 1;
}

static int get_layout(lua_State *L)
{
	lua_pushstring(L, ovl_port_layout(self(L)));
	return 1;
}

static int to_string(lua_State *L)
{
	char text[700];
	lua_pushfstring(L, "ov.Port(%s)", lovl_port_text(self(L), text, sizeof text));
	return 1;
}

static const luaL_Reg GETTERS[] = {{"any_name", get_any_name}, {"names", get_names}, {"index", get_index}, {"element_type", get_element_type},
				   {"shape", get_shape}, {"partial_shape", get_partial_shape}, {"node", get_node}, {"layout", get_layout}, {NULL, NULL}};
static const luaL_Reg METHODS[] = {{"get_any_name", get_any_name}, {"get_names", get_names}, {"get_index", get_index}, {"get_element_type", get_element_type},
				   {"get_shape", get_shape}, {"get_partial_shape", get_partial_shape}, {"get_node", get_node}, {NULL, NULL}};
static const luaL_Reg META[] = {{"__tostring", to_string}, {NULL, NULL}};
const lovl_class lovl_port = {.name = "Port", .key = "ovlite.Port", .size = sizeof(port_object), .release = port_release, .methods = METHODS, .getters = GETTERS, .meta = META};

void lovl_open_port(lua_State *L);
void lovl_open_port(lua_State *L) { lovl_class_open(L, &lovl_port); }
