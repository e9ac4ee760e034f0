/* wrap_poll.c - what belongs to one Lua state: finished runs on their way to their callbacks, values anchored for foreign memory, runs without a handle.
 *
 * Workers put finished runs on a completion list of the core; they never see Lua. The Lua thread takes them off in wait, wait_for, poll and the queue's calls,
 * and calls the callbacks on the main Lua state. Until then registry["ovlite.pending"] keeps the request's table (callback, userdata) alive. */
#include "lovl.h"
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* A Lua value that foreign memory belongs to. Its tensor may end on any thread, so the end only puts it on a list. */
typedef struct anchor {
	struct anchor *next;
	lovl_home *home;
	int ref; /* in the registry */
	bool released;
} anchor;

struct lovl_home {
	int refs; /* atomic: the sentinel and the anchors */
	anchor *released; /* atomic: a stack */
	ovl_completions *due, *quiet;
	int bell; /* an eventfd, rung when news for a loop's adapter was taken off the quiet list by somebody else; -1: none */
	int expected; /* runs whose end has not been delivered */
	int errors; /* of callbacks, waiting in registry["ovlite.errors"] */
	lua_State *main; /* NULL: not known yet (LuaJIT and 5.1, when required inside a coroutine) */
	ovl_request **orphans;
	size_t n_orphans, cap_orphans;
};

static void home_release(lovl_home *h)
{
	if (__atomic_sub_fetch(&h->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (anchor *a = h->released, *next; a; a = next) {
		next = a->next;
		free(a);
	}
	free(h->orphans);
	free(h);
}

/* ---- anchors ---- */

static void anchor_release(void *user, void *data, size_t bytes)
{
	anchor *a = user;
	lovl_home *h = a->home;
	(void)data, (void)bytes;
	a->released = true;
	a->next = __atomic_load_n(&h->released, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&h->released, &a->next, a, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	home_release(h);
}

void lovl_anchor(lua_State *L, int at, void (**release)(void *, void *, size_t), void **user)
{
	lovl_home *h = lovl_home_of(L);
	int ref;
	anchor *a;
	lovl_sweep(L, h);
	lua_pushvalue(L, at);
	ref = luaL_ref(L, LUA_REGISTRYINDEX);
	a = malloc(sizeof *a);
	if (!a) {
		luaL_unref(L, LUA_REGISTRYINDEX, ref);
		lovl_error(L, OVL_E_MEMORY, "no memory to keep a value alive");
	}
	*a = (anchor){.home = h, .ref = ref};
	__atomic_add_fetch(&h->refs, 1, __ATOMIC_RELAXED);
	*release = anchor_release;
	*user = a;
}

void lovl_anchor_drop(void *user)
{
	if (!((anchor *)user)->released)
		anchor_release(user, NULL, 0);
}

void lovl_sweep(lua_State *L, lovl_home *h)
{
	anchor *a, *next;
	if (__builtin_expect(!__atomic_load_n(&h->released, __ATOMIC_RELAXED), 1))
		return;
	for (a = __atomic_exchange_n(&h->released, NULL, __ATOMIC_ACQUIRE); a; a = next) {
		next = a->next;
		luaL_unref(L, LUA_REGISTRYINDEX, a->ref);
		free(a);
	}
}

/* ---- runs whose handle is gone ---- */

static void drop_finished_orphans(lovl_home *h)
{
	size_t kept = 0;
	for (size_t i = 0; i < h->n_orphans; i++) {
		if (ovl_request_running(h->orphans[i]))
			h->orphans[kept++] = h->orphans[i];
		else
			ovl_request_release(h->orphans[i]);
	}
	h->n_orphans = kept;
}

void lovl_orphan(lua_State *L, ovl_request *r)
{
	lovl_home *h = lovl_home_of(L);
	if (!h) { /* the state is closed but for us */
		ovl_request_cancel(r);
		ovl_request_release(r);
		return;
	}
	drop_finished_orphans(h);
	if (h->n_orphans == h->cap_orphans) {
		size_t cap = h->cap_orphans ? 2 * h->cap_orphans : 8;
		ovl_request **grown = realloc(h->orphans, cap * sizeof *grown);
		if (!grown) { /* then closing the state will not wait for this one */
			ovl_request_release(r);
			return;
		}
		h->orphans = grown;
		h->cap_orphans = cap;
	}
	h->orphans[h->n_orphans++] = r;
}

/* ---- expected ends ---- */

static lua_Number key_of(const void *r) { return (lua_Number)(uintptr_t)r; }

static void set_pending(lua_State *L, const void *r, int env)
{
	luaL_checkstack(L, 4, NULL);
	if (env)
		env = lovl_absindex(L, env);
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.pending");
	lua_pushnumber(L, key_of(r));
	if (env)
		lua_pushvalue(L, env);
	else
		lua_pushnil(L);
	lua_rawset(L, -3);
	lua_pop(L, 1);
}

/* Pushes the table of a request that is expected, or nil. */
static void push_pending(lua_State *L, const void *r)
{
	luaL_checkstack(L, 4, NULL);
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.pending");
	lua_pushnumber(L, key_of(r));
	lua_rawget(L, -2);
	lua_remove(L, -2);
}

void lovl_expect(lua_State *L, lovl_home *h, ovl_request *r, int env)
{
	set_pending(L, r, env);
	h->expected++;
}

void lovl_expect_no_more(lua_State *L, lovl_home *h, ovl_request *r)
{
	set_pending(L, r, 0);
	h->expected--;
}

bool lovl_expected(lua_State *L, const ovl_request *r)
{
	bool is;
	push_pending(L, r);
	is = !lua_isnil(L, -1);
	lua_pop(L, 1);
	return is;
}

ovl_completions *lovl_completions(lua_State *L, lovl_home *h)
{
	ovl_error err;
	if (!h->due)
		lovl_try(L, ovl_completions_new(&h->due, &err), &err);
	return h->due;
}

ovl_completions *lovl_quiet_completions(lovl_home *h) { return h->quiet; }

/* Before `restarted` starts anew: its last news must be off the list. That of others is passed on by the bell. */
void lovl_drain_quiet(lovl_home *h, const ovl_request *restarted)
{
	ovl_request *r;
	bool others = false;
	while (h->quiet && (r = ovl_completions_pop(h->quiet, 0, NULL))) {
		others |= r != restarted;
		ovl_request_settle(r); /* the news is there a moment before the request says that it has ended; this waits for that */
		ovl_request_release(r);
	}
	if (others && restarted && h->bell >= 0)
		eventfd_write(h->bell, 1);
}

/* ---- callbacks ---- */

/* The main Lua state, where it can be known: LuaJIT and 5.1 do not tell, so it is noted when it calls us. */
static lua_State *callback_state(lua_State *L, lovl_home *h)
{
	if (lua_pushthread(L))
		h->main = L;
	lua_pop(L, 1);
	if (h->main)
		return h->main;
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.thread"); /* a state of our own, better than a coroutine that may be ended */
	if (!lua_isthread(L, -1)) {
		lua_pop(L, 1);
		lua_newthread(L);
		lua_pushvalue(L, -1);
		lua_setfield(L, LUA_REGISTRYINDEX, "ovlite.thread");
	}
	h->main = NULL;
	lua_State *own = lua_tothread(L, -1);
	lua_pop(L, 1);
	return own;
}

static void keep_callback_error(lua_State *L, lovl_home *h)
{
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.errors");
	lua_insert(L, -2);
	if (lua_isnil(L, -1)) { /* error(nil) */
		lua_pop(L, 1);
		lua_pushliteral(L, "nil");
	}
	lua_rawseti(L, -2, ++h->errors);
	lua_pop(L, 1);
}

/* Calls the callback in the request's table on top of the stack, and pops that. */
static void call_back(lua_State *L, lovl_home *h, const ovl_error *outcome)
{
	lua_State *C = callback_state(L, h);
	luaL_checkstack(L, 8, NULL);
	lua_rawgeti(L, -1, LOVL_CALLBACK);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 2);
		return;
	}
	lua_rawgeti(L, -2, LOVL_USERDATA);
	if (outcome->code != OVL_OK)
		lovl_push_error(L, outcome);
	else
		lua_pushnil(L);
	if (C != L) {
		luaL_checkstack(C, 8, NULL);
		lua_xmove(L, C, 3);
	}
	if (lua_pcall(C, 2, 0, 0) != 0) {
		if (C != L)
			lua_xmove(C, L, 1);
		keep_callback_error(L, h);
	}
	lua_pop(L, 1);
}

const void *lovl_deliver(lua_State *L, lovl_home *h, int64_t ms, ovl_error *outcome)
{
	ovl_request *r;
	outcome->code = OVL_OK;
	if (!h->due)
		return NULL;
	r = ovl_completions_pop(h->due, ms, outcome);
	if (!r)
		return NULL;
	push_pending(L, r);
	set_pending(L, r, 0);
	h->expected--;
	ovl_request_settle(r);
	const void *which = r;
	if (lua_istable(L, -1))
		call_back(L, h, outcome);
	else
		lua_pop(L, 1);
	ovl_request_release(r);
	return which;
}

int lovl_deliver_due(lua_State *L, lovl_home *h)
{
	ovl_error outcome;
	int n = 0;
	while (h->expected > 0 && lovl_deliver(L, h, 0, &outcome))
		n++;
	return n;
}

void lovl_raise_callback_error(lua_State *L, lovl_home *h)
{
	if (__builtin_expect(h->errors == 0, 1))
		return;
	luaL_checkstack(L, 4, NULL);
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.errors");
	lua_rawgeti(L, -1, 1);
	for (int i = 1; i <= h->errors; i++) {
		lua_rawgeti(L, -2, i + 1);
		lua_rawseti(L, -3, i);
	}
	h->errors--;
	lua_error(L);
}

int64_t lovl_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- functions ---- */

/* ov.poll([ms]): calls the callbacks that are due, waiting at most ms for the first; how many. With nothing in flight there is nothing to wait for. */
static int poll(lua_State *L)
{
	lovl_home *h = lovl_home_of(L);
	int64_t ms = lovl_check_ms(L, 1, 0);
	ovl_error outcome;
	int n = 0;
	lovl_sweep(L, h);
	if (h->expected > 0 && lovl_deliver(L, h, ms, &outcome))
		n = 1 + lovl_deliver_due(L, h);
	lovl_raise_callback_error(L, h);
	lua_pushinteger(L, n);
	return 1;
}

static int pollfd(lua_State *L)
{
	lua_pushinteger(L, ovl_completions_fd(lovl_completions(L, lovl_home_of(L))));
	return 1;
}

/* core.quietfds(): for adapters of event loops; from now on the end of every run makes one of the two readable, so that await need not look again and again. */
static int quietfds(lua_State *L)
{
	lovl_home *h = lovl_home_of(L);
	ovl_error err;
	if (h->bell < 0)
		h->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (h->bell < 0)
		lovl_error(L, OVL_E_IO, "no descriptor is free for the event loop");
	if (!h->quiet)
		lovl_try(L, ovl_completions_new(&h->quiet, &err), &err);
	lua_pushinteger(L, ovl_completions_fd(h->quiet));
	lua_pushinteger(L, h->bell);
	return 2;
}

/* core.drain(): takes the news off quietfds. */
static int drain(lua_State *L)
{
	lovl_home *h = lovl_home_of(L);
	eventfd_t n;
	lovl_drain_quiet(h, NULL);
	if (h->bell >= 0)
		eventfd_read(h->bell, &n);
	return 0;
}

/* core.now(): milliseconds of a clock that never goes back. */
static int now(lua_State *L)
{
	lua_pushnumber(L, (lua_Number)lovl_now_ms());
	return 1;
}

/* core.expected(): how many callbacks are still to come. */
static int expected(lua_State *L)
{
	lua_pushinteger(L, lovl_home_of(L)->expected);
	return 1;
}

/* ---- the sentinel: made first, so finalised last when the state is closed ---- */

lovl_home *lovl_home_of(lua_State *L)
{
	lovl_home *h;
	luaL_checkstack(L, 4, NULL);
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.home");
	h = *(lovl_home **)lua_touserdata(L, -1);
	lua_pop(L, 1);
	return h;
}

/* Memory of this Lua state may be in use by runs: they are ended and waited for. Workers never need Lua, so this cannot hang on us. */
static int home_gc(lua_State *L)
{
	lovl_home **box = lua_touserdata(L, 1), *h = *box;
	ovl_error err;
	bool done;
	if (!h)
		return 0;
	*box = NULL;
	for (size_t i = 0; i < h->n_orphans; i++)
		ovl_request_cancel(h->orphans[i]);
	for (size_t i = 0; i < h->n_orphans; i++) {
		ovl_request_wait(h->orphans[i], -1, &done, &err);
		ovl_request_release(h->orphans[i]);
	}
	h->n_orphans = 0;
	ovl_completions_release(h->due);
	ovl_completions_release(h->quiet);
	h->due = h->quiet = NULL;
	if (h->bell >= 0)
		close(h->bell);
	home_release(h);
	return 0;
}

static void make_home(lua_State *L)
{
	lovl_home **box = lua_newuserdata(L, sizeof *box);
	*box = NULL;
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, home_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	*box = calloc(1, sizeof **box);
	if (!*box)
		lovl_error(L, OVL_E_MEMORY, "no memory to load the module");
	(*box)->refs = 1;
	(*box)->bell = -1;
#ifdef LUA_RIDX_MAINTHREAD
	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
	(*box)->main = lua_tothread(L, -1);
	lua_pop(L, 1);
#else
	if (lua_pushthread(L))
		(*box)->main = L;
	lua_pop(L, 1);
#endif
	lua_setfield(L, LUA_REGISTRYINDEX, "ovlite.home");
}

static const luaL_Reg FUNCTIONS[] = {{"poll", poll}, {"pollfd", pollfd}, {"quietfds", quietfds}, {"drain", drain}, {"expected", expected}, {"now", now}, {NULL, NULL}};

void lovl_open_poll(lua_State *L);
void lovl_open_poll(lua_State *L)
{
	static const char *const TABLES[] = {"ovlite.pending", "ovlite.errors"};
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.home");
	if (lua_isnil(L, -1)) {
		make_home(L);
		for (int i = 0; i < 2; i++) {
			lua_newtable(L);
			lua_setfield(L, LUA_REGISTRYINDEX, TABLES[i]);
		}
	}
	lua_pop(L, 1);
	lovl_functions(L, FUNCTIONS);
}
