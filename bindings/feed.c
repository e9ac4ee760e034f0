/* feed.c - the inputs of a call: what a Lua value means to infer and start_async, and applying all of it or nothing.
 *
 * First every value is looked at, given a shape and checked (collect), with the values kept on the Lua stack; then they are applied, which can only fail for
 * want of memory. */
#include "lovl.h"
#include <stdio.h>

typedef struct item {
	ovl_side side;
	size_t i;
	lovl_array a;
	ovl_tensor *tensor; /* to be set as it is: borrowed from the Lua stack; NULL: the data is copied */
	ovl_shape shape;
} item;

enum { FEW = 4 }; /* ports of most models; for these a call makes no garbage */

typedef struct feed {
	lua_State *L;
	ovl_request *r;
	const lovl_ports *ports;
	bool share;
	item *items; /* `few`, or memory from Lua */
	size_t n, cap;
	item few[FEW];
} feed;

static const ovl_port *port_of(const feed *f, ovl_side side, size_t i) { return lovl_ports_at(f->ports, side, i); }

static ovl_status name_port(const feed *f, ovl_side side, size_t i, ovl_error *err)
{
	const ovl_port *p = port_of(f, side, i);
	return ovl_error_prefix(err, "%s %zu '%s'", side == OVL_INPUT ? "input" : "output", i + 1, ovl_port_names(p) ? ovl_port_name(p, 0) : "");
}

/* Decides how the value at `at`, which stays there, gets into the port, and checks that it can. May push. */
static ovl_status look(feed *f, item *it, int at, ovl_error *err)
{
	const ovl_port *p = port_of(f, it->side, it->i);
	ovl_type type = ovl_port_type(p);
	ovl_pshape place;
	ovl_status st;
	if (type == OVL_SEQUENCE) {
		OVL_TRY(lovl_to_sequence(f->L, at, err));
		it->tensor = ((lovl_object *)lua_touserdata(f->L, -1))->c;
		return ovl_request_check_tensor(f->r, it->side, it->i, it->tensor, err);
	}
	st = lovl_array_read(f->L, at, type == OVL_STRING, &it->a, err);
	if (st != OVL_OK)
		return st;
	if (it->a.kind == LOVL_TENSOR) {
		it->tensor = it->a.tensor;
		return ovl_request_check_tensor(f->r, it->side, it->i, it->tensor, err);
	}
	if (type == OVL_DYNAMIC)
		type = OVL_F32;
	ovl_port_shape(p, &place);
	OVL_TRY(lovl_array_fit(&it->a, type, &place, &it->shape, err));
	if (f->share && it->side == OVL_INPUT && lovl_array_shareable(&it->a, type)) {
		OVL_TRY(lovl_array_share(f->L, &it->a, type, &it->shape, err));
		it->tensor = ((lovl_object *)lua_touserdata(f->L, -1))->c;
	}
	return OVL_OK;
}

static ovl_status collect(feed *f, ovl_side side, size_t i, int at, ovl_error *err)
{
	item *it = &f->items[f->n];
	for (size_t k = 0; k < f->n; k++) {
		if (f->items[k].side == side && f->items[k].i == i) {
			ovl_fail(err, OVL_E_ARGUMENT, "is named by two keys");
			return name_port(f, side, i, err);
		}
	}
	if (f->n == f->cap)
		return ovl_fail(err, OVL_E_INTERNAL, "more values than inputs and outputs");
	luaL_checkstack(f->L, 16, NULL);
	memset(it, 0, sizeof *it);
	it->side = side;
	it->i = i;
	f->n++;
	if (look(f, it, at, err) != OVL_OK)
		return it->tensor ? err->code : name_port(f, side, i, err); /* what the core says of a tensor names the port */
	return OVL_OK;
}

/* Pushes a Tensor that holds a reference while Lua might raise; the same one each time. */
static lovl_object *push_holder(lua_State *L)
{
	lovl_object *o;
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.holder");
	o = lovl_to(L, -1, &lovl_tensor);
	if (!o) {
		lua_pop(L, 1);
		o = lovl_new(L, &lovl_tensor);
		lua_pushvalue(L, -1);
		lua_setfield(L, LUA_REGISTRYINDEX, "ovlite.holder");
	}
	ovl_tensor_release(o->c);
	o->c = NULL;
	return o;
}

static ovl_status apply_item(feed *f, item *it, ovl_error *err)
{
	ovl_status st;
	if (it->tensor)
		return ovl_request_set_tensor(f->r, it->side, it->i, it->tensor, err);
	if (it->side == OVL_OUTPUT) /* would be overwritten by the run */
		return OVL_OK;
	lovl_object *held = push_holder(f->L);
	st = ovl_request_input_for_copy(f->r, it->i, &it->shape, (ovl_tensor **)&held->c, err);
	if (st == OVL_OK)
		st = lovl_array_write(f->L, &it->a, held->c, err);
	ovl_tensor_release(held->c);
	held->c = NULL;
	lua_pop(f->L, 1);
	return st;
}

static void apply(feed *f)
{
	ovl_error err;
	for (size_t k = 0; k < f->n; k++)
		if (apply_item(f, &f->items[k], &err) != OVL_OK) {
			name_port(f, f->items[k].side, f->items[k].i, &err);
			lovl_raise(f->L, &err);
		}
}

static void begin(feed *f, lua_State *L, ovl_request *r, const lovl_ports *ports, bool share)
{
	f->L = L;
	f->r = r;
	f->ports = ports;
	f->share = share;
	f->n = 0;
	f->cap = lovl_ports_count(ports, OVL_INPUT) + lovl_ports_count(ports, OVL_OUTPUT);
	f->items = f->cap < FEW ? f->few : lua_newuserdata(L, (f->cap + 1) * sizeof *f->items);
}

/* ---- what a table means ---- */

typedef enum meaning { NOTHING, KEYED, LIST, DATA } meaning;

/* Number of a rows' dimensions down the first elements, and the Lua type of the first leaf. */
static int depth_of(lua_State *L, int at, int *leaf)
{
	int depth = 0, top = lua_gettop(L);
	luaL_checkstack(L, OVL_MAX_RANK + 8, NULL);
	lua_pushvalue(L, at);
	while (depth <= OVL_MAX_RANK && lua_type(L, -1) == LUA_TTABLE && !lovl_is_data(L, -1)) {
		depth++;
		lua_rawgeti(L, -1, 1);
	}
	*leaf = lovl_is_scalar(L, -1) ? LUA_TNUMBER : lua_type(L, -1);
	lua_settop(L, top);
	return depth;
}

/* Rows of a one-input model's data have its rank, or are flat. */
static bool is_data_of(lua_State *L, const ovl_port *p, int at)
{
	ovl_pshape s;
	int leaf, depth;
	if (ovl_port_type(p) == OVL_SEQUENCE) /* inputs are in a list of their own */
		return false;
	depth = depth_of(L, at, &leaf);
	ovl_port_shape(p, &s);
	if (leaf == LUA_TNIL) /* rows without elements */
		leaf = depth > 1 ? (ovl_port_type(p) == OVL_STRING ? LUA_TSTRING : LUA_TNUMBER) : leaf;
	if (leaf != LUA_TNUMBER && (leaf != LUA_TSTRING || ovl_port_type(p) != OVL_STRING))
		return false;
	return depth == 1 || !s.ranked || depth == s.rank;
}

static meaning meaning_of(lua_State *L, const feed *f, int at, ovl_error *err, ovl_status *st)
{
	int64_t n = 0, largest = 0;
	*st = OVL_OK;
	for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
		int64_t k;
		int type = lua_type(L, -2);
		if (type == LUA_TNUMBER && lovl_whole(L, -2, &k)) {
			n++;
			if (k > largest)
				largest = k;
			if (k < 1)
				largest = INT64_MAX; /* a keyed table, with an error in it */
		} else if (type == LUA_TSTRING || type == LUA_TUSERDATA) {
			lua_pop(L, 2);
			return KEYED;
		} else {
			*st = ovl_fail(err, OVL_E_TYPE, "the keys of inputs are positions, names or ports, got %s", lovl_typename(L, -2));
			return NOTHING;
		}
	}
	if (n == 0)
		return NOTHING;
	if (largest != n)
		return KEYED;
	if (lovl_ports_count(f->ports, OVL_INPUT) == 1 && is_data_of(L, port_of(f, OVL_INPUT, 0), at))
		return DATA;
	return LIST;
}

/* Keys and values; the values stay on the stack. */
static ovl_status collect_keyed(lua_State *L, feed *f, int at, ovl_error *err)
{
	luaL_checkstack(L, 2 * (int)f->cap + 40, "too many inputs");
	lua_pushnil(L);
	while (lua_next(L, at)) {
		int key = lua_gettop(L) - 1;
		ovl_side side;
		size_t i;
		OVL_TRY(lovl_ports_key(L, f->ports, LOVL_INPUTS | LOVL_OUTPUTS, OVL_INPUT, key, &side, &i, err));
		OVL_TRY(collect(f, side, i, key + 1, err));
		lua_pushvalue(L, key);
	}
	return OVL_OK;
}

static ovl_status collect_list(lua_State *L, feed *f, int at, ovl_error *err)
{
	size_t n = lua_rawlen(L, at), inputs = lovl_ports_count(f->ports, OVL_INPUT);
	char list[600];
	if (n > inputs)
		return ovl_fail(err, OVL_E_NOT_FOUND, "%zu values are given, the inputs are: %s", n, lovl_ports_list(f->ports, OVL_INPUT, list, sizeof list));
	luaL_checkstack(L, (int)n + 40, "too many inputs");
	for (size_t i = 0; i < n; i++) {
		lua_rawgeti(L, at, (int)i + 1);
		OVL_TRY(collect(f, OVL_INPUT, i, lua_gettop(L), err));
	}
	return OVL_OK;
}

static ovl_status collect_one(feed *f, int at, ovl_error *err)
{
	char list[600];
	if (lovl_ports_count(f->ports, OVL_INPUT) != 1)
		return ovl_fail(err, OVL_E_ARGUMENT, "one value is for a model of one input; the inputs are: %s",
				lovl_ports_list(f->ports, OVL_INPUT, list, sizeof list));
	return collect(f, OVL_INPUT, 0, at, err);
}

static ovl_status collect_all(lua_State *L, feed *f, int at, ovl_error *err)
{
	ovl_status st;
	if (lua_type(L, at) != LUA_TTABLE || lovl_is_data(L, at))
		return collect_one(f, at, err);
	switch (meaning_of(L, f, at, err, &st)) {
	case NOTHING: return st;
	case KEYED: return collect_keyed(L, f, at, err);
	case LIST: return collect_list(L, f, at, err);
	default: return collect_one(f, at, err);
	}
}

void lovl_feed(lua_State *L, ovl_request *r, const lovl_ports *ports, int at, bool share)
{
	feed f;
	ovl_error err;
	int top = lua_gettop(L);
	begin(&f, L, r, ports, share);
	lovl_try(L, collect_all(L, &f, at, &err), &err);
	apply(&f);
	lua_settop(L, top);
}

/* ---- tables of Tensors only ---- */

static ovl_status collect_tensor(lua_State *L, feed *f, ovl_side side, size_t i, ovl_error *err)
{
	if (!lovl_to(L, -1, &lovl_tensor)) {
		ovl_fail(err, OVL_E_TYPE, "expected an ov.Tensor, got %s; ov.Tensor(type, shape, data) makes one", lovl_typename(L, -1));
		return name_port(f, side, i, err);
	}
	return collect(f, side, i, lua_gettop(L), err);
}

void lovl_feed_tensors(lua_State *L, ovl_request *r, const lovl_ports *ports, int sides, ovl_side main_side, bool names, int at)
{
	feed f;
	ovl_error err;
	int top = lua_gettop(L);
	begin(&f, L, r, ports, true);
	luaL_checkstack(L, 2 * (int)f.cap + 40, "too many tensors");
	lua_pushnil(L);
	while (lua_next(L, at)) {
		int key = lua_gettop(L) - 1;
		ovl_side side;
		size_t i;
		if (!names && lua_type(L, key) != LUA_TNUMBER)
			lovl_type_error(L, key, "key", "a position");
		lovl_try(L, lovl_ports_key(L, ports, sides, main_side, key, &side, &i, &err), &err);
		lovl_try(L, collect_tensor(L, &f, side, i, &err), &err);
		lua_pushvalue(L, key);
	}
	apply(&f);
	lua_settop(L, top);
}
