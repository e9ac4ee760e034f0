/* wrap_request.c - InferRequest: one user's tensors and runs of a compiled model.
 *
 * Two handles of one request share a Lua table (the userdata's environment) that holds the callback, its userdata and the cached OVDict, so that what the
 * collector sees is what there is: a callback that refers to its request makes a cycle that can be collected. */
#include "lovl.h"
#include <stdio.h>

void lovl_push_states(lua_State *L, ovl_request *r);

static void request_release(lua_State *L, lovl_object *o)
{
	if (ovl_request_running(o->c))
		lovl_orphan(L, o->c);
	else
		ovl_request_release(o->c);
}

static ovl_request *self(lua_State *L) { return lovl_self(L, &lovl_request); }

/* Without a callback a run that has ended leaves its request idle, also when an event loop wanted to hear of it. */
static bool settle_quiet(lua_State *L, int at, ovl_request *r)
{
	bool quiet;
	if (ovl_request_running(r))
		return false;
	lovl_getenv(L, at);
	lua_rawgeti(L, -1, LOVL_QUIET);
	quiet = lua_toboolean(L, -1);
	lua_pop(L, 2);
	if (quiet)
		ovl_request_settle(r);
	return quiet;
}

void lovl_check_idle(lua_State *L, int at, ovl_request *r)
{
	if (__builtin_expect(ovl_request_busy(r), 0) && !settle_quiet(L, at, r))
		lovl_error(L, OVL_E_BUSY, "the request is busy: %s; call wait() first, or use another request",
			   ovl_request_running(r) ? "its run has not ended" : "the callback of its last run has not been called yet");
}

static ovl_request *idle_self(lua_State *L)
{
	ovl_request *r = self(L);
	lovl_check_idle(L, 1, r);
	return r;
}

static lovl_object compiled_view(ovl_request *r) { return (lovl_object){&lovl_compiled, ovl_request_compiled(r)}; }

int lovl_new_request(lua_State *L, int compiled)
{
	ovl_compiled *c = lovl_check(L, compiled, &lovl_compiled, "compiled");
	ovl_error err;
	lovl_object *o;
	compiled = lovl_absindex(L, compiled);
	o = lovl_new(L, &lovl_request);
	lua_createtable(L, LOVL_QUIET, 0); /* room for all of it, so that nothing is allocated later */
	lua_pushinteger(L, 0);
	lua_rawseti(L, -2, LOVL_RUNS);
	lua_pushboolean(L, 0);
	lua_rawseti(L, -2, LOVL_QUIET);
	lua_pushvalue(L, compiled);
	lua_rawseti(L, -2, LOVL_COMPILED);
	lovl_setenv(L, -2);
	lovl_try(L, ovl_request_new(c, (ovl_request **)&o->c, &err), &err);
	return 1;
}

/* ov.InferRequest(other): a second handle. */
static int request(lua_State *L)
{
	ovl_request *r = lovl_check(L, 1, &lovl_request, "InferRequest");
	lovl_object *o = lovl_new(L, &lovl_request);
	o->c = ovl_request_retain(r);
	lovl_getenv(L, 1);
	lovl_setenv(L, -2);
	return 1;
}

/* Pushes the CompiledModel: the one that made the request, or another handle when that is closed. */
static void push_compiled_of(lua_State *L, int at, ovl_request *r)
{
	lovl_getenv(L, at);
	lua_rawgeti(L, -1, LOVL_COMPILED);
	if (!((lovl_object *)lua_touserdata(L, -1))->c) {
		lua_pop(L, 1);
		lovl_push_compiled(L, ovl_compiled_retain(ovl_request_compiled(r)));
		lua_pushvalue(L, -1);
		lua_rawseti(L, -3, LOVL_COMPILED);
	}
	lua_remove(L, -2);
}

/* ---- results ---- */

/* Pushes the metatable of the model's OVDicts, made by lua/ovlite/ovdict.lua; nil without it. */
static void push_dict_meta(lua_State *L, int env, ovl_request *r)
{
	lovl_object view = compiled_view(r);
	lovl_ports p = lovl_ports_of_compiled(&view);
	lua_rawgeti(L, env, LOVL_DICT);
	if (lua_toboolean(L, -1))
		return;
	lua_pop(L, 1);
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.dict");
	if (lua_isnil(L, -1))
		return;
	lovl_push_ports(L, &p, OVL_OUTPUT);
	lua_call(L, 1, 1);
	lua_pushvalue(L, -1);
	lua_rawseti(L, env, LOVL_DICT);
}

/* core.set_dict(function(ports) -> metatable) */
static int set_dict(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, "ovlite.dict");
	return 0;
}

static void new_dict(lua_State *L, int env, ovl_request *r, size_t n)
{
	lua_createtable(L, (int)n, 0);
	push_dict_meta(L, env, r);
	if (lua_isnil(L, -1))
		lua_pop(L, 1);
	else
		lua_setmetatable(L, -2);
}

/* The same OVDict each time, its entries exchanged only where an output tensor was. */
static void push_shared_dict(lua_State *L, int env, ovl_request *r, size_t n)
{
	ovl_error err;
	lua_rawgeti(L, env, LOVL_RESULTS);
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		new_dict(L, env, r, n);
		lua_pushvalue(L, -1);
		lua_rawseti(L, env, LOVL_RESULTS);
	}
	for (size_t i = 0; i < n; i++) {
		ovl_tensor *t = NULL;
		const lovl_object *old;
		lovl_try(L, ovl_request_get_tensor(r, OVL_OUTPUT, i, &t, &err), &err);
		lua_rawgeti(L, -1, (int)i + 1);
		old = lovl_to(L, -1, &lovl_tensor);
		lua_pop(L, 1);
		if (old && old->c == t)
			ovl_tensor_release(t);
		else {
			lovl_push_result(L, t);
			lua_rawseti(L, -2, (int)i + 1);
		}
	}
}

static void push_copied_dict(lua_State *L, int env, ovl_request *r, size_t n)
{
	ovl_error err;
	new_dict(L, env, r, n);
	for (size_t i = 0; i < n; i++) {
		lovl_object *o = lovl_new(L, &lovl_tensor);
		ovl_status st = ovl_request_copy_output(r, i, (ovl_tensor **)&o->c, &err);
		if (lovl_collect_for(L, st))
			st = ovl_request_copy_output(r, i, (ovl_tensor **)&o->c, &err);
		lovl_try(L, st, &err);
		lovl_pressure(L, ovl_tensor_bytes(o->c));
		if (ovl_tensor_type(o->c) == OVL_SEQUENCE) {
			lovl_push_result(L, ovl_tensor_retain(o->c));
			lua_remove(L, -2);
		}
		lua_rawseti(L, -2, (int)i + 1);
	}
}

void lovl_push_dict(lua_State *L, int at, bool share)
{
	ovl_request *r = ((lovl_object *)lua_touserdata(L, at))->c;
	size_t n = ovl_compiled_ports(ovl_request_compiled(r), OVL_OUTPUT);
	luaL_checkstack(L, 12, NULL);
	lovl_getenv(L, at);
	if (share)
		push_shared_dict(L, lua_gettop(L), r, n);
	else
		push_copied_dict(L, lua_gettop(L), r, n);
	lua_remove(L, -2);
}

static int results(lua_State *L)
{
	idle_self(L);
	lovl_push_dict(L, 1, true);
	return 1;
}

/* ---- infer ---- */

static void warn_deprecated(void)
{
	static bool warned;
	if (!__atomic_exchange_n(&warned, true, __ATOMIC_RELAXED))
		fputs("ovlite: warning: shared_memory is the deprecated name of share_inputs\n", stderr);
}

/* share_inputs and share_outputs at `at`, at + 1, or a table of them at `at`. */
static void read_sharing(lua_State *L, int at, bool *inputs, bool *outputs)
{
	if (lua_type(L, at) == LUA_TTABLE) {
		bool old = false;
		const char *const names[] = {"share_inputs", "shared_memory", outputs ? "share_outputs" : NULL, NULL};
		bool *const values[] = {inputs, &old, outputs, NULL};
		lua_getfield(L, at, "shared_memory");
		if (!lua_isnil(L, -1))
			warn_deprecated();
		lua_pop(L, 1);
		lovl_check_options(L, at, names, values);
		*inputs |= old;
		return;
	}
	if (!lua_isnoneornil(L, at))
		*inputs = lovl_check_boolean(L, at, "share_inputs");
	if (outputs && !lua_isnoneornil(L, at + 1))
		*outputs = lovl_check_boolean(L, at + 1, "share_outputs");
}

static void feed_inputs(lua_State *L, ovl_request *r, int at, bool share)
{
	lovl_object view = compiled_view(r);
	lovl_ports p = lovl_ports_of_compiled(&view);
	lovl_feed(L, r, &p, at, share);
}

/* Before a new run: news of the last one that nobody took off the quiet list. */
static void forget_quiet(lua_State *L, int at, const ovl_request *r)
{
	lovl_home *h = lovl_home_of(L);
	bool quiet;
	lovl_getenv(L, at);
	lua_rawgeti(L, -1, LOVL_QUIET);
	quiet = lua_toboolean(L, -1);
	lua_pop(L, 1);
	if (quiet) {
		lovl_drain_quiet(h, r);
		lua_pushboolean(L, 0);
		lua_rawseti(L, -2, LOVL_QUIET);
	}
	lua_pop(L, 1);
}

/* request:infer([inputs [, share_inputs [, share_outputs]]]) or (inputs, {share_inputs =, share_outputs =}) */
int lovl_request_infer(lua_State *L)
{
	ovl_request *r = idle_self(L);
	bool share_inputs = false, share_outputs = false;
	ovl_error err;
	if (lua_gettop(L) > 1) {
		read_sharing(L, 3, &share_inputs, &share_outputs);
		if (!lua_isnil(L, 2))
			feed_inputs(L, r, 2, share_inputs);
	}
	lovl_try(L, ovl_request_infer(r, &err), &err);
	lovl_push_dict(L, 1, share_outputs);
	return 1;
}

/* ---- start_async, wait, cancel ---- */

static ovl_status start(lua_State *L, ovl_request *r, int env, ovl_error *err)
{
	lovl_home *h = lovl_home_of(L);
	ovl_completions *notify = NULL;
	bool callback, quiet = false;
	ovl_status st;
	lua_rawgeti(L, env, LOVL_CALLBACK);
	callback = !lua_isnil(L, -1);
	lua_rawgeti(L, env, LOVL_RUNS);
	lua_pushinteger(L, lua_tointeger(L, -1) + 1);
	lua_rawseti(L, env, LOVL_RUNS);
	lua_pop(L, 2);
	if (callback) {
		notify = lovl_completions(L, h);
		lovl_expect(L, h, r, env);
	} else if ((notify = lovl_quiet_completions(h))) {
		quiet = true;
		lua_pushboolean(L, 1);
		lua_rawseti(L, env, LOVL_QUIET);
	}
	st = ovl_request_start(r, notify, err);
	if (st == OVL_OK)
		return st;
	if (callback)
		lovl_expect_no_more(L, h, r);
	if (quiet) {
		lua_pushboolean(L, 0);
		lua_rawseti(L, env, LOVL_QUIET);
	}
	return st;
}

/* request:start_async([inputs [, userdata [, share_inputs]]]) or (inputs, userdata, {share_inputs =}) */
static int start_async(lua_State *L)
{
	ovl_request *r = idle_self(L);
	bool share = false;
	ovl_error err;
	lua_settop(L, 4);
	read_sharing(L, 4, &share, NULL);
	forget_quiet(L, 1, r);
	if (!lua_isnil(L, 2))
		feed_inputs(L, r, 2, share);
	lovl_getenv(L, 1);
	lua_rawgeti(L, 5, LOVL_USERDATA); /* 6: given back when the start is refused */
	if (!lua_isnil(L, 3)) {
		lua_pushvalue(L, 3);
		lua_rawseti(L, 5, LOVL_USERDATA);
	}
	if (start(L, r, 5, &err) != OVL_OK) {
		lua_rawseti(L, 5, LOVL_USERDATA);
		lovl_raise(L, &err);
	}
	return 0;
}

static lua_Integer runs_of(lua_State *L, int env)
{
	lua_Integer n;
	lua_rawgeti(L, env, LOVL_RUNS);
	n = lua_tointeger(L, -1);
	lua_pop(L, 1);
	return n;
}

/* Waits for the end of the run that is under way now, at most ms, and for its callback. Gives whether that was reached, and the run's outcome. */
static bool wait_for_run(lua_State *L, ovl_request *r, int env, int64_t ms, ovl_error *outcome)
{
	lovl_home *h = lovl_home_of(L);
	lua_Integer run = runs_of(L, env);
	bool done = true;
	ovl_error other;
	ovl_request_wait(r, ms, &done, outcome);
	if (!done)
		return false;
	if (!ovl_request_busy(r) || settle_quiet(L, 1, r))
		return true;
	/* Ended, and its callback is due: so it is on the list. Inside of nested waits another level may take it off. */
	while (runs_of(L, env) == run && lovl_expected(L, r) && lovl_deliver(L, h, -1, &other) != r)
		;
	return true;
}

static bool wait_and_call(lua_State *L, int64_t ms)
{
	ovl_request *r = self(L);
	lovl_home *h = lovl_home_of(L);
	ovl_error outcome = {.code = OVL_OK};
	bool done;
	lua_settop(L, 1);
	lovl_getenv(L, 1);
	lovl_sweep(L, h);
	done = wait_for_run(L, r, 2, ms, &outcome);
	lovl_deliver_due(L, h);
	lovl_raise_callback_error(L, h);
	if (done)
		lovl_try(L, outcome.code, &outcome);
	return done;
}

static int wait(lua_State *L)
{
	wait_and_call(L, -1);
	return 0;
}

static int wait_for(lua_State *L)
{
	int64_t ms;
	ovl_request *r = self(L);
	if (lua_isnoneornil(L, 2))
		lovl_type_error(L, 2, "wait_for", "milliseconds");
	ms = lovl_check_ms(L, 2, 0);
	(void)r;
	lua_pushboolean(L, wait_and_call(L, ms));
	return 1;
}

static int cancel(lua_State *L)
{
	ovl_request_cancel(self(L));
	return 0;
}

/* ---- callback and userdata ---- */

static bool is_callable(lua_State *L, int at)
{
	if (lua_isfunction(L, at))
		return true;
	if (luaL_getmetafield(L, at, "__call")) {
		lua_pop(L, 1);
		return true;
	}
	return false;
}

/* request:set_callback(fn [, userdata]) */
static int set_callback(lua_State *L)
{
	ovl_request *r = idle_self(L);
	lua_settop(L, 3);
	if (!lua_isnil(L, 2) && !is_callable(L, 2))
		lovl_type_error(L, 2, "set_callback", "a function, or nil to remove it");
	forget_quiet(L, 1, r);
	lovl_getenv(L, 1);
	lua_pushvalue(L, 2);
	lua_rawseti(L, -2, LOVL_CALLBACK);
	lua_pushvalue(L, 3);
	lua_rawseti(L, -2, LOVL_USERDATA);
	return 0;
}

static int get_userdata(lua_State *L)
{
	self(L);
	lovl_getenv(L, 1);
	lua_rawgeti(L, -1, LOVL_USERDATA);
	return 1;
}

/* core.set_userdata(request, value): for the queue, which gives each start its own, nil too. */
static int set_userdata(lua_State *L)
{
	self(L);
	lua_settop(L, 2);
	lovl_getenv(L, 1);
	lua_pushvalue(L, 2);
	lua_rawseti(L, -2, LOVL_USERDATA);
	return 0;
}

/* core.is_busy(request), core.is_running(request): never raise */
static int is_busy(lua_State *L)
{
	const lovl_object *o = lovl_to(L, 1, &lovl_request);
	lua_pushboolean(L, o && o->c && ovl_request_busy(o->c) && !settle_quiet(L, 1, o->c));
	return 1;
}

static int is_running(lua_State *L)
{
	const lovl_object *o = lovl_to(L, 1, &lovl_request);
	lua_pushboolean(L, o && o->c && ovl_request_running(o->c));
	return 1;
}

/* ---- tensors ---- */

static void push_tensor(lua_State *L, ovl_request *r, ovl_side side, size_t i)
{
	ovl_error err;
	ovl_tensor *t;
	lovl_try(L, ovl_request_get_tensor(r, side, i, &t, &err), &err);
	lovl_push_result(L, t);
}

static int get_tensor(lua_State *L)
{
	ovl_request *r = idle_self(L);
	lovl_object view = compiled_view(r);
	lovl_ports p = lovl_ports_of_compiled(&view);
	ovl_side side;
	size_t i;
	ovl_error err;
	lovl_try(L, lovl_ports_find(L, &p, LOVL_INPUTS | LOVL_OUTPUTS, 2, &side, &i, &err), &err);
	push_tensor(L, r, side, i);
	return 1;
}

/* The position at `at`, or the only one there is. */
static size_t which(lua_State *L, ovl_request *r, ovl_side side, int at)
{
	lovl_object view = compiled_view(r);
	lovl_ports p = lovl_ports_of_compiled(&view);
	size_t n = lovl_ports_count(&p, side), i = 0;
	char list[600];
	ovl_error err;
	if (at && !lua_isnoneornil(L, at)) {
		if (lua_type(L, at) != LUA_TNUMBER)
			lovl_type_error(L, at, side == OVL_INPUT ? "input" : "output", "a position");
		lovl_try(L, lovl_ports_key(L, &p, LOVL_INPUTS | LOVL_OUTPUTS, side, at, &side, &i, &err), &err);
	} else if (n != 1)
		lovl_error(L, OVL_E_ARGUMENT, "there are %zu %s, so give a position: %s", n, side == OVL_INPUT ? "inputs" : "outputs",
			   lovl_ports_list(&p, side, list, sizeof list));
	return i;
}

static int get_side_tensor(lua_State *L, ovl_side side)
{
	ovl_request *r = idle_self(L);
	push_tensor(L, r, side, which(L, r, side, 2));
	return 1;
}

static int get_input_tensor(lua_State *L) { return get_side_tensor(L, OVL_INPUT); }
static int get_output_tensor(lua_State *L) { return get_side_tensor(L, OVL_OUTPUT); }

static ovl_tensor *tensor_argument(lua_State *L, int at)
{
	if (!lovl_to(L, at, &lovl_tensor))
		lovl_type_error(L, at, "tensor", "an ov.Tensor (ov.Tensor(type, shape, data) makes one)");
	return lovl_check_tensor(L, at, "tensor");
}

static int set_tensor(lua_State *L)
{
	ovl_request *r = idle_self(L);
	lovl_object view = compiled_view(r);
	lovl_ports p = lovl_ports_of_compiled(&view);
	ovl_side side;
	size_t i;
	ovl_error err;
	lovl_try(L, lovl_ports_find(L, &p, LOVL_INPUTS | LOVL_OUTPUTS, 2, &side, &i, &err), &err);
	lovl_try(L, ovl_request_set_tensor(r, side, i, tensor_argument(L, 3), &err), &err);
	return 0;
}

static int set_side_tensor(lua_State *L, ovl_side side)
{
	ovl_request *r = idle_self(L);
	bool alone = lua_gettop(L) < 3;
	size_t i = which(L, r, side, alone ? 0 : 2);
	ovl_error err;
	lovl_try(L, ovl_request_set_tensor(r, side, i, tensor_argument(L, alone ? 2 : 3), &err), &err);
	return 0;
}

static int set_input_tensor(lua_State *L) { return set_side_tensor(L, OVL_INPUT); }
static int set_output_tensor(lua_State *L) { return set_side_tensor(L, OVL_OUTPUT); }

/* A list of tensors at `at` as a batch of input i. */
static int set_batch(lua_State *L, ovl_request *r, size_t i, int at)
{
	size_t n, entries = 0;
	ovl_tensor **tensors;
	ovl_error err;
	if (lua_type(L, at) != LUA_TTABLE)
		lovl_type_error(L, at, "batch", "a list of ov.Tensors");
	n = lua_rawlen(L, at);
	for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1))
		entries++;
	if (entries != n)
		lovl_error(L, OVL_E_TYPE, "a batch is a list of tensors without holes or named entries");
	tensors = lua_newuserdata(L, (n + 1) * sizeof(void *));
	for (size_t k = 0; k < n; k++) {
		lua_rawgeti(L, at, (int)k + 1);
		tensors[k] = tensor_argument(L, -1);
		lua_pop(L, 1);
	}
	lovl_try(L, ovl_request_set_batch(r, i, tensors, n, &err), &err);
	return 0;
}

static void feed_tensors(lua_State *L, ovl_request *r, int sides, ovl_side main_side, bool names, int at)
{
	lovl_object view = compiled_view(r);
	lovl_ports p = lovl_ports_of_compiled(&view);
	if (lua_type(L, at) != LUA_TTABLE)
		lovl_type_error(L, at, "tensors", "a table of ov.Tensors");
	lovl_feed_tensors(L, r, &p, sides, main_side, names, at);
}

/* ({[pos] = tensor}), ({t1, t2, ...}) as a batch of the only input, (pos, {t1, ...}) */
static int set_input_tensors(lua_State *L)
{
	ovl_request *r = idle_self(L);
	bool single = ovl_compiled_ports(ovl_request_compiled(r), OVL_INPUT) == 1;
	if (lua_gettop(L) > 2)
		return set_batch(L, r, which(L, r, OVL_INPUT, 2), 3);
	if (single && lua_type(L, 2) == LUA_TTABLE && lua_rawlen(L, 2) > 0)
		return set_batch(L, r, 0, 2);
	feed_tensors(L, r, LOVL_INPUTS, OVL_INPUT, false, 2);
	return 0;
}

static int set_output_tensors(lua_State *L)
{
	ovl_request *r = idle_self(L);
	feed_tensors(L, r, LOVL_OUTPUTS, OVL_OUTPUT, false, 2);
	return 0;
}

/* ({[pos | name | port] = tensor}), (name | port, {t1, ...}) */
static int set_tensors(lua_State *L)
{
	ovl_request *r = idle_self(L);
	lovl_object view = compiled_view(r);
	lovl_ports p = lovl_ports_of_compiled(&view);
	ovl_side side;
	size_t i;
	ovl_error err;
	if (lua_gettop(L) > 2) {
		lovl_try(L, lovl_ports_find(L, &p, LOVL_INPUTS, 2, &side, &i, &err), &err);
		return set_batch(L, r, i, 3);
	}
	feed_tensors(L, r, LOVL_INPUTS | LOVL_OUTPUTS, OVL_INPUT, true, 2);
	return 0;
}

static int push_tensors(lua_State *L, ovl_side side)
{
	ovl_request *r = idle_self(L);
	size_t n = ovl_compiled_ports(ovl_request_compiled(r), side);
	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		push_tensor(L, r, side, i);
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

static int inputs(lua_State *L) { return push_tensors(L, OVL_INPUT); }
static int outputs(lua_State *L) { return push_tensors(L, OVL_OUTPUT); }

/* ---- the model behind ---- */

static int push_model_ports(lua_State *L, ovl_side side)
{
	lovl_object view = compiled_view(self(L));
	lovl_ports p = lovl_ports_of_compiled(&view);
	return lovl_push_ports(L, &p, side);
}

static int model_inputs(lua_State *L) { return push_model_ports(L, OVL_INPUT); }
static int model_outputs(lua_State *L) { return push_model_ports(L, OVL_OUTPUT); }

static int get_compiled_model(lua_State *L)
{
	push_compiled_of(L, 1, self(L));
	return 1;
}

static int is_single_input(lua_State *L)
{
	lua_pushboolean(L, ovl_compiled_ports(ovl_request_compiled(self(L)), OVL_INPUT) == 1);
	return 1;
}

static int to_string(lua_State *L)
{
	char in[500], out[500];
	lovl_object view = compiled_view(self(L));
	lovl_ports p = lovl_ports_of_compiled(&view);
	lua_pushfstring(L, "ov.InferRequest(inputs: %s; outputs: %s)", lovl_ports_list(&p, OVL_INPUT, in, sizeof in),
			lovl_ports_list(&p, OVL_OUTPUT, out, sizeof out));
	return 1;
}

/* ---- times and states ---- */

static int latency(lua_State *L)
{
	lua_pushnumber(L, (lua_Number)ovl_request_latency_ms(idle_self(L)));
	return 1;
}

static void set_text(lua_State *L, const char *key, const char *text)
{
	lua_pushstring(L, text ? text : "");
	lua_setfield(L, -2, key);
}

static int profiling_info(lua_State *L)
{
	static const char *const STATUS[] = {"NOT_RUN", "OPTIMIZED_OUT", "EXECUTED"};
	ovl_request *r = idle_self(L);
	const ovl_profile_entry *e;
	size_t n;
	ovl_error err;
	lovl_try(L, ovl_request_profile(r, &e, &n, &err), &err);
	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		lua_createtable(L, 0, 6);
		set_text(L, "node_name", e[i].node_name);
		set_text(L, "node_type", e[i].node_type);
		set_text(L, "exec_type", e[i].exec_type);
		set_text(L, "status", STATUS[e[i].status]);
		lua_pushnumber(L, (lua_Number)e[i].real_us);
		lua_setfield(L, -2, "real_time");
		lua_pushnumber(L, (lua_Number)e[i].cpu_us);
		lua_setfield(L, -2, "cpu_time");
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

static void set_number(lua_State *L, const char *key, lua_Number value)
{
	lua_pushnumber(L, value);
	lua_setfield(L, -2, key);
}

static void push_step(lua_State *L, const ovl_step_profile *s)
{
	lua_createtable(L, 0, 10);
	set_text(L, "node_name", s->node_name);
	set_text(L, "node_type", s->node_type);
	set_text(L, "exec_type", s->exec_type);
	set_number(L, "start", s->start_us);
	set_number(L, "real_time", s->real_us);
	set_number(L, "cpu_time", s->cpu_us);
	set_number(L, "flops", s->flops);
	set_number(L, "bytes", s->bytes);
	set_number(L, "limit", s->limit_us);
	set_text(L, "limited_by", s->by_bytes ? "bytes" : "flops");
}

static int run_profile(lua_State *L)
{
	ovl_run_profile p;
	ovl_error err;
	lovl_try(L, ovl_request_run_profile(idle_self(L), &p, &err), &err);
	lua_createtable(L, 0, 5);
	set_number(L, "start", p.start_us);
	set_number(L, "real_time", p.real_us);
	set_number(L, "stream", p.stream + 1);
	set_number(L, "threads", p.threads);
	lua_createtable(L, (int)p.n_steps, 0);
	for (size_t i = 0; i < p.n_steps; i++) {
		push_step(L, &p.steps[i]);
		lua_rawseti(L, -2, (int)i + 1);
	}
	lua_setfield(L, -2, "steps");
	return 1;
}

static int query_state(lua_State *L)
{
	lovl_push_states(L, idle_self(L));
	return 1;
}

static int reset_state(lua_State *L)
{
	ovl_request *r = idle_self(L);
	ovl_error err;
	for (size_t i = 0; i < ovl_request_states(r); i++)
		lovl_try(L, ovl_request_state_reset(r, i, &err), &err);
	return 0;
}

static const luaL_Reg GETTERS[] = {{"results", results}, {"latency", latency}, {"userdata", get_userdata}, {"profiling_info", profiling_info},
	{"run_profile", run_profile}, {"inputs", inputs}, {"input_tensors", inputs}, {"outputs", outputs}, {"output_tensors", outputs},
	{"model_inputs", model_inputs}, {"model_outputs", model_outputs}, {NULL, NULL}};
static const luaL_Reg METHODS[] = {{"infer", lovl_request_infer}, {"start_async", start_async}, {"wait", wait}, {"wait_for", wait_for},
	{"cancel", cancel}, {"set_callback", set_callback}, {"get_tensor", get_tensor}, {"set_tensor", set_tensor},
	{"get_input_tensor", get_input_tensor}, {"get_output_tensor", get_output_tensor}, {"set_input_tensor", set_input_tensor},
	{"set_output_tensor", set_output_tensor}, {"set_input_tensors", set_input_tensors}, {"set_output_tensors", set_output_tensors},
	{"set_tensors", set_tensors}, {"query_state", query_state}, {"reset_state", reset_state}, {"get_profiling_info", profiling_info},
	{"get_run_profile", run_profile}, {"get_compiled_model", get_compiled_model}, {"_is_single_input", is_single_input}, {NULL, NULL}};
static const luaL_Reg META[] = {{"__tostring", to_string}, {NULL, NULL}};
const lovl_class lovl_request = {.name = "InferRequest", .key = "ovlite.InferRequest", .release = request_release, .methods = METHODS, .getters = GETTERS, .meta = META};

static const luaL_Reg FUNCTIONS[] = {{"request", request}, {"set_dict", set_dict}, {"set_userdata", set_userdata}, {"is_busy", is_busy}, {"is_running", is_running}, {NULL, NULL}};

void lovl_open_request(lua_State *L);
void lovl_open_request(lua_State *L)
{
	lovl_class_open(L, &lovl_request);
	lovl_functions(L, FUNCTIONS);
}
