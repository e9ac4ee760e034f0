/* compat.h - one C API for LuaJIT and Lua 5.1 to 5.4. Nothing else of bindings/ looks at the version. */
#ifndef LOVL_COMPAT_H
#define LOVL_COMPAT_H

#include <lua.h>

#include <lauxlib.h>
#include <lualib.h>

/* lua_type of a LuaJIT cdata; no other Lua has a type of this number. */
enum { LOVL_TCDATA = 10 };

#if LUA_VERSION_NUM < 502
#define lua_rawlen lua_objlen
#define lovl_absindex(L, i) ((i) > 0 || (i) <= LUA_REGISTRYINDEX ? (i) : lua_gettop(L) + (i) + 1)
/* One Lua table for each userdata. */
#define lovl_getenv(L, i) lua_getfenv(L, i)
#define lovl_setenv(L, i) lua_setfenv(L, i)
#else
#define lovl_absindex lua_absindex
#if LUA_VERSION_NUM < 504
#define lovl_getenv(L, i) lua_getuservalue(L, i)
#define lovl_setenv(L, i) lua_setuservalue(L, i)
#else
#define lovl_getenv(L, i) lua_getiuservalue(L, i, 1)
#define lovl_setenv(L, i) lua_setiuservalue(L, i, 1)
#endif
#endif

#if LUA_VERSION_NUM >= 503
#define LOVL_INTEGERS 1 /* numbers have an integer subtype of 64 bits */
#define lovl_isinteger(L, i) lua_isinteger(L, i)
#else
#define LOVL_INTEGERS 0
#define lovl_isinteger(L, i) ((void)(L), (void)(i), 0)
#endif

#endif
