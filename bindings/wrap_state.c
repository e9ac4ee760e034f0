/* wrap_state.c - VariableState: a variable that a request keeps between its runs. */
#include "lovl.h"

typedef struct state_object {
	lovl_object o; /* o.c: the request */
	size_t i;
} state_object;

void lovl_push_states(lua_State *L, ovl_request *r);

static void state_release(lua_State *L, lovl_object *o)
{
	if (ovl_request_running(o->c))
		lovl_orphan(L, o->c);
	else
		ovl_request_release(o->c);
}

void lovl_push_states(lua_State *L, ovl_request *r)
{
	size_t n = ovl_request_states(r);
	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		state_object *s = (state_object *)lovl_new(L, &lovl_state);
		s->i = i;
		s->o.c = ovl_request_retain(r);
		lua_rawseti(L, -2, (int)i + 1);
	}
}

static ovl_request *self(lua_State *L, size_t *i)
{
	ovl_request *r = lovl_self(L, &lovl_state);
	*i = ((state_object *)lua_touserdata(L, 1))->i;
	return r;
}

static int get_name(lua_State *L)
{
	size_t i;
	ovl_request *r = self(L, &i);
	lua_pushstring(L, ovl_request_state_name(r, i));
	return 1;
}

static int get_state(lua_State *L)
{
	size_t i;
	ovl_request *r = self(L, &i);
	ovl_error err;
	lovl_object *o = lovl_new(L, &lovl_tensor);
	lovl_try(L, ovl_request_state_get(r, i, (ovl_tensor **)&o->c, &err), &err);
	return 1;
}

static int set_state(lua_State *L)
{
	size_t i;
	ovl_request *r = self(L, &i);
	ovl_error err;
	if (!lovl_to(L, 2, &lovl_tensor))
		lovl_type_error(L, 2, "state", "an ov.Tensor (ov.Tensor(type, shape, data) makes one)");
	lovl_try(L, ovl_request_state_set(r, i, lovl_check_tensor(L, 2, "state"), &err), &err);
	return 0;
}

static int reset(lua_State *L)
{
	size_t i;
	ovl_request *r = self(L, &i);
	ovl_error err;
	lovl_try(L, ovl_request_state_reset(r, i, &err), &err);
	return 0;
}

static int to_string(lua_State *L)
{
	size_t i;
	ovl_request *r = self(L, &i);
	lua_pushfstring(L, "ov.VariableState('%s')", ovl_request_state_name(r, i));
	return 1;
}

static int equal(lua_State *L)
{
	const state_object *a = (const state_object *)lovl_to(L, 1, &lovl_state), *b = (const state_object *)lovl_to(L, 2, &lovl_state);
	lua_pushboolean(L, a && b && a->o.c && a->o.c == b->o.c && a->i == b->i);
	return 1;
}

static const luaL_Reg GETTERS[] = {{"name", get_name}, {"state", get_state}, {NULL, NULL}};
static const luaL_Reg SETTERS[] = {{"state", set_state}, {NULL, NULL}};
static const luaL_Reg METHODS[] = {{"get_name", get_name}, {"get_state", get_state}, {"set_state", set_state}, {"reset", reset}, {NULL, NULL}};
static const luaL_Reg META[] = {{"__tostring", to_string}, {"__eq", equal}, {NULL, NULL}};
const lovl_class lovl_state = {.name = "VariableState", .key = "ovlite.VariableState", .size = sizeof(state_object), .release = state_release, .methods = METHODS,
			       .getters = GETTERS, .setters = SETTERS, .meta = META};

void lovl_open_state(lua_State *L);
void lovl_open_state(lua_State *L) { lovl_class_open(L, &lovl_state); }
