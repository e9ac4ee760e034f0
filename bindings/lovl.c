/* lovl.c - the class framework, errors, and the entry point of the module. */
#define _GNU_SOURCE
#include "lovl.h"
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>

extern void (*const lovl_openers[])(lua_State *);

/* ---- errors ---- */

/* True for files of lua/ovlite/: positions in them would not help a user. */
static bool is_own_file(lua_State *L, const char *source)
{
	size_t n;
	const char *folder;
	bool own;
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.folder");
	folder = lua_tolstring(L, -1, &n);
	own = folder && n && strncmp(source, folder, n) == 0;
	lua_pop(L, 1);
	return own;
}

/* Pushes "file:line: " of the innermost Lua function that is the user's. */
static void push_where(lua_State *L)
{
	lua_Debug ar;
	for (int level = 1; level < 250 && lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "Sl", &ar);
		if (ar.currentline > 0 && !is_own_file(L, ar.source)) {
			lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
			return;
		}
	}
	lua_pushliteral(L, "");
}

void lovl_push_error(lua_State *L, const ovl_error *err)
{
	lua_pushfstring(L, "ovlite: %s: %s", ovl_status_name(err->code), err->message);
}

void lovl_raise(lua_State *L, const ovl_error *err)
{
	luaL_checkstack(L, 8, NULL);
	push_where(L);
	lovl_push_error(L, err);
	lua_concat(L, 2);
	lua_error(L);
	__builtin_unreachable();
}

void lovl_error(lua_State *L, ovl_status code, const char *fmt, ...)
{
	ovl_error err = {.code = code};
	va_list args;
	va_start(args, fmt);
	vsnprintf(err.message, sizeof err.message, fmt, args);
	va_end(args);
	lovl_raise(L, &err);
}

const char *lovl_typename(lua_State *L, int at)
{
	const lovl_object *o = lovl_to(L, at, NULL);
	if (o) {
		const char *name;
		at = lovl_absindex(L, at);
		name = lua_pushfstring(L, "ov.%s", o->class->name); /* stays on the stack, as the caller raises */
		return name;
	}
	if (lua_type(L, at) == LUA_TNONE)
		return "nothing";
	return luaL_typename(L, at);
}

void lovl_type_error(lua_State *L, int at, const char *what, const char *expected)
{
	const char *got;
	luaL_checkstack(L, 4, NULL);
	got = lovl_typename(L, at);
	lovl_error(L, OVL_E_TYPE, "%s: expected %s, got %s", what, expected, got);
}

/* ---- objects ---- */

/* Any of our objects when class is NULL. */
lovl_object *lovl_to(lua_State *L, int at, const lovl_class *class)
{
	lovl_object *o;
	if (lua_type(L, at) != LUA_TUSERDATA || lua_rawlen(L, at) < sizeof(lovl_object))
		return NULL;
	o = lua_touserdata(L, at);
	if (class)
		return o->class == class ? o : NULL;
	/* Foreign userdata may hold anything: only a class that is registered under its own metatable counts. */
	if (!lua_getmetatable(L, at))
		return NULL;
	lua_pushliteral(L, "ovlite.class");
	lua_rawget(L, -2);
	const void *tag = lua_touserdata(L, -1) ? *(const void *const *)lua_touserdata(L, -1) : NULL;
	lua_pop(L, 2);
	return tag && tag == (const void *)o->class ? o : NULL;
}

void *lovl_check(lua_State *L, int at, const lovl_class *class, const char *what)
{
	const lovl_object *o = lovl_to(L, at, class);
	if (__builtin_expect(!o, 0)) {
		char expected[64];
		snprintf(expected, sizeof expected, "an ov.%s", class->name);
		lovl_type_error(L, at, what, expected);
	}
	if (__builtin_expect(!o->c, 0))
		lovl_error(L, OVL_E_ARGUMENT, "this %s is closed", class->name);
	return o->c;
}

lovl_object *lovl_new(lua_State *L, const lovl_class *class)
{
	size_t size = class->size ? class->size : sizeof(lovl_object);
	lovl_object *o;
	luaL_checkstack(L, 6, NULL);
	o = lua_newuserdata(L, size);
	memset(o, 0, size);
	o->class = class;
	lua_getfield(L, LUA_REGISTRYINDEX, class->key);
	lua_setmetatable(L, -2);
	return o;
}

bool lovl_unique(lua_State *L, const lovl_class *class, const void *key)
{
	luaL_checkstack(L, 8, NULL);
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.unique");
	lua_pushnumber(L, (lua_Number)(uintptr_t)key); /* user-space addresses fit a double */
	lua_rawget(L, -2);
	if (lovl_to(L, -1, class) && ((lovl_object *)lua_touserdata(L, -1))->c) {
		lua_remove(L, -2);
		return false;
	}
	lua_pop(L, 1);
	lovl_new(L, class);
	lua_pushnumber(L, (lua_Number)(uintptr_t)key);
	lua_pushvalue(L, -2);
	lua_rawset(L, -4);
	lua_remove(L, -2);
	return true;
}

/* ---- what every class has ---- */

/* close(), __gc and __close: ends the object once; never blocks. upvalue: the class, boxed. */
static int object_close(lua_State *L)
{
	const lovl_class *class = *(const lovl_class *const *)lua_touserdata(L, lua_upvalueindex(1));
	lovl_object *o = lovl_to(L, 1, class);
	if (!o) {
		char expected[64];
		snprintf(expected, sizeof expected, "an ov.%s", class->name);
		lovl_type_error(L, 1, "close", expected);
	}
	if (o->c) {
		class->release(L, o);
		o->c = NULL;
	}
	return 0;
}

static int object_eq(lua_State *L)
{
	const lovl_object *a = lovl_to(L, 1, NULL), *b = lovl_to(L, 2, NULL);
	lua_pushboolean(L, a && b && a->class == b->class && a->c && a->c == b->c);
	return 1;
}

static int object_tostring(lua_State *L)
{
	const lovl_object *o = lovl_to(L, 1, NULL);
	if (!o)
		lovl_type_error(L, 1, "tostring", "an object of ovlite");
	if (!o->c || lua_isnil(L, lua_upvalueindex(1))) {
		lua_pushfstring(L, o->c ? "ov.%s" : "ov.%s (closed)", o->class->name);
		return 1;
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_pushvalue(L, 1);
	lua_call(L, 1, 1);
	return 1;
}

/* upvalues: methods, getters. Unknown names are nil, as in any Lua table. */
static int object_index(lua_State *L)
{
	lua_settop(L, 2);
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(1));
	if (!lua_isnil(L, -1))
		return 1;
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(2));
	if (lua_isnil(L, -1))
		return 1;
	lua_pushvalue(L, 1);
	lua_call(L, 1, 1);
	return 1;
}

/* upvalues: setters, class name, getters */
static int object_newindex(lua_State *L)
{
	const char *name = lua_tostring(L, lua_upvalueindex(2));
	lua_settop(L, 3);
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(1));
	if (lua_isnil(L, -1)) {
		bool known;
		lua_pushvalue(L, 2);
		lua_rawget(L, lua_upvalueindex(3));
		known = !lua_isnil(L, -1);
		lovl_error(L, OVL_E_ARGUMENT, "%s of %s cannot be set%s", lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2), name,
			   known ? ": it is read-only" : ": there is no such property");
	}
	lua_pushvalue(L, 1);
	lua_pushvalue(L, 3);
	lua_call(L, 2, 0);
	return 0;
}

void lovl_functions(lua_State *L, const luaL_Reg *functions)
{
	for (; functions && functions->name; functions++) {
		lua_pushcfunction(L, functions->func);
		lua_setfield(L, -2, functions->name);
	}
}

static void push_functions(lua_State *L, const luaL_Reg *functions)
{
	lua_newtable(L);
	lovl_functions(L, functions);
}

/* Puts a class's tables where Lua files may add to them: module.classes.Tensor = {methods =, getters =, setters =, meta =}. */
static void publish(lua_State *L, const char *name, int module, int tables)
{
	static const char *const PARTS[] = {"methods", "getters", "setters", "meta"};
	lua_getfield(L, module, "classes");
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		lua_newtable(L);
		lua_pushvalue(L, -1);
		lua_setfield(L, module, "classes");
	}
	lua_newtable(L);
	for (int i = 0; i < 4; i++) {
		lua_pushvalue(L, tables + i);
		lua_setfield(L, -2, PARTS[i]);
	}
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
}

void lovl_class_open(lua_State *L, const lovl_class *class)
{
	int module = lua_gettop(L), methods = module + 1, getters = module + 2, setters = module + 3, meta = module + 4;
	push_functions(L, class->methods);
	push_functions(L, class->getters);
	push_functions(L, class->setters);
	push_functions(L, class->meta);
	*(const void **)lua_newuserdata(L, sizeof(void *)) = class; /* boxed: light userdata cannot hold every address on LuaJIT */
	lua_pushvalue(L, -1);
	lua_setfield(L, meta, "ovlite.class");
	lua_pushcclosure(L, object_close, 1);
	lua_pushvalue(L, -1);
	lua_setfield(L, meta, "__gc");
	lua_pushvalue(L, -1);
	lua_setfield(L, meta, "__close");
	lua_setfield(L, methods, "close");
	lua_pushvalue(L, methods);
	lua_pushvalue(L, getters);
	lua_pushcclosure(L, object_index, 2);
	lua_setfield(L, meta, "__index");
	lua_pushvalue(L, setters);
	lua_pushstring(L, class->name);
	lua_pushvalue(L, getters);
	lua_pushcclosure(L, object_newindex, 3);
	lua_setfield(L, meta, "__newindex");
	lua_getfield(L, meta, "__tostring");
	lua_pushcclosure(L, object_tostring, 1);
	lua_setfield(L, meta, "__tostring");
	lua_getfield(L, meta, "__eq");
	if (lua_isnil(L, -1)) {
		lua_pushcfunction(L, object_eq);
		lua_setfield(L, meta, "__eq");
	}
	lua_pop(L, lua_gettop(L) - meta);
	lua_pushstring(L, class->key);
	lua_pushvalue(L, -1);
	lua_setfield(L, meta, "__name");
	lua_setfield(L, meta, "__metatable");
	lua_pushvalue(L, meta);
	lua_setfield(L, LUA_REGISTRYINDEX, class->key);
	publish(L, class->name, module, methods);
	lua_settop(L, module);
}

/* ---- the module ---- */

/* Worker threads may still be in our code when a closing Lua state unloads its modules: this one stays. */
static void pin_library(void)
{
	Dl_info info;
	void *handle;
	if (!dladdr((void *)(uintptr_t)pin_library, &info) || !info.dli_fname)
		return;
	handle = dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE);
	if (handle)
		dlclose(handle);
}

/* core.set_folder("@/path/lua/ovlite/"): where the module's own Lua files are; errors name the line outside of it. */
static int set_folder(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TSTRING);
	lua_settop(L, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, "ovlite.folder");
	return 0;
}

static bool parse_code(const char *name, size_t n, ovl_status *out)
{
	for (int i = OVL_OK + 1; i < OVL_STATUS_COUNT; i++) {
		if (strlen(ovl_status_name((ovl_status)i)) == n && memcmp(ovl_status_name((ovl_status)i), name, n) == 0) {
			*out = (ovl_status)i;
			return true;
		}
	}
	return false;
}

/* core.fail(code, message): how the Lua files raise. */
static int fail(lua_State *L)
{
	size_t n;
	const char *name = luaL_checklstring(L, 1, &n);
	ovl_error err = {.code = OVL_E_INTERNAL};
	parse_code(name, n, &err.code);
	snprintf(err.message, sizeof err.message, "%s", luaL_checkstring(L, 2));
	lovl_raise(L, &err);
}

/* ov.error_code(err): the code in an error of ours, else nil. */
static int error_code(lua_State *L)
{
	const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL;
	ovl_status code;
	while (text && (text = strstr(text, "ovlite: "))) {
		text += strlen("ovlite: ");
		if (parse_code(text, strcspn(text, ":\n"), &code)) {
			lua_pushstring(L, ovl_status_name(code));
			return 1;
		}
	}
	lua_pushnil(L);
	return 1;
}

/* core.class_name(value): "Tensor", or nil for what is not ours. */
static int class_name(lua_State *L)
{
	const lovl_object *o = lovl_to(L, 1, NULL);
	if (o)
		lua_pushstring(L, o->class->name);
	else
		lua_pushnil(L);
	return 1;
}

/* core.is_open(object) */
static int is_open(lua_State *L)
{
	const lovl_object *o = lovl_to(L, 1, NULL);
	lua_pushboolean(L, o && o->c);
	return 1;
}

static int memory_count(lua_State *L)
{
	lua_pushnumber(L, (lua_Number)ovl_memory_count());
	return 1;
}

static int memory_fail_at(lua_State *L)
{
	ovl_memory_fail_at((int64_t)luaL_checkinteger(L, 1));
	return 0;
}

static int tune_handicap(lua_State *L)
{
	ovl_tune_handicap(luaL_checkstring(L, 1), luaL_checknumber(L, 2));
	return 0;
}

static const luaL_Reg FUNCTIONS[] = {{"set_folder", set_folder}, {"fail", fail}, {"error_code", error_code}, {"class_name", class_name}, {"is_open", is_open},
				     {"memory_count", memory_count}, {"memory_fail_at", memory_fail_at}, {"tune_handicap", tune_handicap}, {NULL, NULL}};

__attribute__((visibility("default"))) int luaopen_ovlite_core(lua_State *L);
int luaopen_ovlite_core(lua_State *L)
{
	pin_library();
	lua_settop(L, 0);
	luaL_checkstack(L, 40, NULL);
	lua_newtable(L); /* C object -> its userdata */
	lua_newtable(L);
	lua_pushliteral(L, "v");
	lua_setfield(L, -2, "__mode");
	lua_setmetatable(L, -2);
	lua_setfield(L, LUA_REGISTRYINDEX, "ovlite.unique");
	lua_newtable(L);
	lua_pushstring(L, ovl_version());
	lua_setfield(L, -2, "version");
	lovl_functions(L, FUNCTIONS);
	lovl_array_functions(L);
	for (size_t i = 0; lovl_openers[i]; i++)
		lovl_openers[i](L);
	lua_settop(L, 1);
	return 1;
}
