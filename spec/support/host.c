/* host.c - a little luajit for the sanitizers: an instrumented program that runs a script (or -e text) with its arguments. The sanitizer's runtime is then
 * there from the start without being forced upon the shells and tools that specs start. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int traceback(lua_State *L)
{
	if (lua_isstring(L, 1))
		luaL_traceback(L, L, lua_tostring(L, 1), 1);
	return 1;
}

int main(int argc, char **argv)
{
	lua_State *L = luaL_newstate();
	int script = argc > 2 && !strcmp(argv[1], "-e") ? 2 : 1, status;
	if (!L || argc <= script)
		return 2;
	luaL_openlibs(L);
	lua_newtable(L);
	for (int i = 0; i < argc; i++) {
		lua_pushstring(L, argv[i]);
		lua_rawseti(L, -2, i - script);
	}
	lua_setglobal(L, "arg");
	lua_pushcfunction(L, traceback);
	status = script == 2 ? luaL_loadbuffer(L, argv[2], strlen(argv[2]), "=(command line)") : luaL_loadfile(L, argv[1]);
	for (int i = script + 1; status == 0 && i < argc; i++)
		lua_pushstring(L, argv[i]);
	if (status == 0)
		status = lua_pcall(L, argc - script - 1, 0, 1);
	if (status != 0)
		fprintf(stderr, "luajit: %s\n", lua_tostring(L, -1) ? lua_tostring(L, -1) : "an error that is no text");
	lua_close(L);
	usleep(300000); /* workers of released models end by themselves: the leak check, which stops all threads, stumbles over one that is just going */
	return status != 0;
}
