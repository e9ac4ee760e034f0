/* options.c - keyword arguments: a last table with named values of several kinds. */
#include "lovl.h"

static void unknown_option(lua_State *L, const char *key, const lovl_option *list)
{
	luaL_Buffer b;
	luaL_buffinit(L, &b);
	for (int i = 0; list[i].name; i++) {
		luaL_addstring(&b, i ? ", " : "");
		luaL_addstring(&b, list[i].name);
	}
	luaL_pushresult(&b);
	lovl_error(L, OVL_E_ARGUMENT, "unknown option '%s'; there are %s", key, lua_tostring(L, -1));
}

static void check_names(lua_State *L, int at, const lovl_option *list)
{
	for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
		int i = 0;
		while (key && list[i].name && strcmp(list[i].name, key) != 0)
			i++;
		if (!key || !list[i].name)
			unknown_option(L, key ? key : luaL_typename(L, -2), list);
	}
}

/* The value on top. */
static void read_option(lua_State *L, const lovl_option *o)
{
	switch (o->kind) {
	case LOVL_OPT_NUMBER:
		*(double *)o->to = lovl_check_number(L, -1, o->name);
		break;
	case LOVL_OPT_WHOLE:
		*(int64_t *)o->to = lovl_check_whole(L, -1, o->name);
		break;
	case LOVL_OPT_BOOLEAN:
		*(bool *)o->to = lovl_check_boolean(L, -1, o->name);
		break;
	case LOVL_OPT_STRING:
		*(const char **)o->to = lovl_check_string(L, -1, o->name, NULL);
		break;
	case LOVL_OPT_TYPE:
		*(ovl_type *)o->to = lovl_check_type(L, -1, o->name);
		break;
	case LOVL_OPT_TENSOR:
		lovl_check_tensor(L, -1, o->name); /* fall through */
	case LOVL_OPT_VALUE:
		*(int *)o->to = lua_gettop(L);
		break;
	}
}

void lovl_take_options(lua_State *L, int first, const lovl_option *list)
{
	int at = lua_gettop(L);
	if (at < first || lua_type(L, at) != LUA_TTABLE)
		return;
	check_names(L, at, list);
	luaL_checkstack(L, 16, NULL);
	for (; list->name; list++) {
		lua_getfield(L, at, list->name);
		if (lua_isnil(L, -1))
			lua_pop(L, 1);
		else
			read_option(L, list);
	}
	lua_pushnil(L);
	lua_replace(L, at);
}

int lovl_choose(lua_State *L, const char *given, const char *what, const char *const *names)
{
	luaL_Buffer b;
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], given) == 0)
			return i;
	luaL_buffinit(L, &b);
	for (int i = 0; names[i]; i++) {
		luaL_addstring(&b, i ? ", " : "");
		luaL_addstring(&b, names[i]);
	}
	luaL_pushresult(&b);
	lovl_error(L, OVL_E_ARGUMENT, "%s: there is no '%s'; there are %s", what, given, lua_tostring(L, -1));
}
