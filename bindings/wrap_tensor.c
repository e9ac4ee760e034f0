/* wrap_tensor.c - Tensor: elements in memory. The operations on all of them at once are in tensor_math.c. */
#include "lovl.h"
#include <inttypes.h>
#include <stdio.h>

static void tensor_release(lua_State *L, lovl_object *o)
{
	(void)L;
	ovl_tensor_release(o->c);
}

/* ---- the collector's share ----
 * It sees a few dozen bytes where megabytes hang on. A small heap is collected as soon as the memory that may come back is worth more than that takes (some
 * 0.25 us for each KB of the heap): fresh pages cost about 2 us for each 4 KB in a virtual machine, and memory of results that are gone serves the next ones
 * (ovl_block_take). A large heap would stand still for milliseconds; there the collector is pushed forward by the bytes that were made, and a full
 * collection is due only when all live tensors together have grown much since the last. */

enum { SMALL_HEAP = 4096 /* KB */, WORTH_A_KB = 2 << 10, LEAST_PRESSURE = 2 << 20 };
enum { PUSH_BYTES = 8 << 20, STEP_A_MEGABYTE = 16, LARGEST_STEP = 1000 }; /* steps in the collector's KB */
static size_t pressure; /* bytes since the last push; of all Lua states, which is near enough */
static uint64_t soft_limit = 256u << 20;

static bool collector_runs(lua_State *L)
{
#ifdef LUA_GCISRUNNING
	return lua_gc(L, LUA_GCISRUNNING, 0) != 0;
#else
	(void)L;
	return true;
#endif
}

static void push_collector(lua_State *L, size_t bytes)
{
	uint64_t live = ovl_tensor_live_bytes();
	if (live < __atomic_load_n(&soft_limit, __ATOMIC_RELAXED)) {
		size_t step = (bytes >> 20) * STEP_A_MEGABYTE;
		lua_gc(L, LUA_GCSTEP, step > LARGEST_STEP ? LARGEST_STEP : (int)step);
		return;
	}
	lua_gc(L, LUA_GCCOLLECT, 0);
	live = ovl_tensor_live_bytes();
	__atomic_store_n(&soft_limit, live + live / 2 > 256u << 20 ? live + live / 2 : 256u << 20, __ATOMIC_RELAXED);
}

void lovl_pressure(lua_State *L, size_t bytes)
{
	size_t now = __atomic_add_fetch(&pressure, bytes + 256, __ATOMIC_RELAXED), heap;
	if (__builtin_expect(now < LEAST_PRESSURE, 1) || !collector_runs(L))
		return;
	heap = (size_t)lua_gc(L, LUA_GCCOUNT, 0);
	if (now < (heap <= SMALL_HEAP ? heap * WORTH_A_KB : PUSH_BYTES))
		return;
	__atomic_store_n(&pressure, 0, __ATOMIC_RELAXED);
	if (heap <= SMALL_HEAP)
		lua_gc(L, LUA_GCCOLLECT, 0);
	else
		push_collector(L, now);
}

bool lovl_collect_for(lua_State *L, ovl_status status)
{
	if (status != OVL_E_MEMORY)
		return false;
	lua_gc(L, LUA_GCCOLLECT, 0);
	lua_gc(L, LUA_GCCOLLECT, 0);
	return true;
}

void lovl_push_tensor(lua_State *L, ovl_tensor *t)
{
	lovl_new(L, &lovl_tensor)->c = t;
}

void lovl_push_result(lua_State *L, ovl_tensor *t)
{
	lovl_push_tensor(L, t); /* the collector's from here on */
	if (ovl_tensor_type(t) != OVL_SEQUENCE)
		return;
	int64_t n = ovl_tensor_count(t);
	luaL_checkstack(L, 8, "too deep a sequence");
	lua_createtable(L, (int)(n < 1024 ? n : 1024), 0);
	for (int64_t i = 0; i < n; i++) {
		lovl_push_result(L, ovl_tensor_retain(((ovl_tensor **)ovl_tensor_data(t))[i]));
		lua_rawseti(L, -2, (int)i + 1);
	}
	lua_remove(L, -2);
}

static ovl_status sequence_of(lua_State *L, int at, int depth, ovl_error *err)
{
	bool list = lua_type(L, at) == LUA_TTABLE;
	ovl_shape shape = {.rank = 1, .dims = {lua_isnoneornil(L, at) ? 0 : list ? (int64_t)lua_rawlen(L, at) : 1}};
	if (depth > 8)
		return ovl_fail(err, OVL_E_ARGUMENT, "lists are nested too deep for a sequence");
	luaL_checkstack(L, 8, "too deep a sequence");
	lovl_object *o = lovl_new(L, &lovl_tensor);
	int mine = lua_gettop(L);
	OVL_TRY(ovl_tensor_new(OVL_SEQUENCE, &shape, (ovl_tensor **)&o->c, err));
	for (int64_t i = 0; i < shape.dims[0]; i++) {
		if (list)
			lua_rawgeti(L, at, (int)i + 1);
		else
			lua_pushvalue(L, at);
		if (lua_type(L, -1) == LUA_TTABLE)
			OVL_TRY(sequence_of(L, lua_gettop(L), depth + 1, err));
		lovl_object *from = lovl_to(L, -1, &lovl_tensor), *copy;
		if (!from || !from->c)
			return ovl_fail(err, OVL_E_TYPE, "element %lld of a sequence is %s, expected an ov.Tensor or a list of them", (long long)i + 1, lovl_typename(L, -1));
		copy = lovl_new(L, &lovl_tensor); /* a tensor of its own: the script may write into its one at any time */
		OVL_TRY(ovl_tensor_clone(from->c, (ovl_tensor **)&copy->c, err));
		OVL_TRY(ovl_tensor_set_item(o->c, i, copy->c, err));
		lua_settop(L, mine);
	}
	return OVL_OK;
}

ovl_status lovl_to_sequence(lua_State *L, int at, ovl_error *err) { return sequence_of(L, at, 0, err); }

ovl_tensor *lovl_check_tensor(lua_State *L, int at, const char *what) { return lovl_check(L, at, &lovl_tensor, what); }
static ovl_tensor *self(lua_State *L) { return lovl_self(L, &lovl_tensor); }

ovl_tensor **lovl_out(lua_State *L, int out)
{
	if (!out)
		return (ovl_tensor **)&lovl_new(L, &lovl_tensor)->c;
	lua_pushvalue(L, out);
	return (ovl_tensor **)&((lovl_object *)lua_touserdata(L, -1))->c;
}

int lovl_made(lua_State *L, int out, ovl_status status, const ovl_error *err)
{
	const lovl_object *o = lua_touserdata(L, -1);
	lovl_try(L, status, err);
	if (!out)
		lovl_pressure(L, ovl_tensor_bytes(o->c));
	return 1;
}

/* The same for methods that always make a new Tensor: ovl_xxx(..., slot(L), &err). */
static ovl_tensor **slot(lua_State *L) { return lovl_out(L, 0); }
static int made(lua_State *L, ovl_status status, const ovl_error *err) { return lovl_made(L, 0, status, err); }

/* Pushes zeros. */
static ovl_tensor *new_tensor(lua_State *L, ovl_type type, const ovl_shape *shape)
{
	ovl_error err;
	ovl_tensor **t = slot(L);
	ovl_status status = ovl_tensor_new(type, shape, t, &err);
	if (lovl_collect_for(L, status))
		status = ovl_tensor_new(type, shape, t, &err);
	lovl_try(L, status, &err);
	lovl_pressure(L, ovl_tensor_bytes(*t));
	return *t;
}

/* ---- construction ---- */

static int from_type(lua_State *L)
{
	ovl_type type = lovl_check_type(L, 1, "element_type");
	ovl_shape shape, fit;
	ovl_pshape place;
	lovl_array a;
	ovl_error err;
	ovl_tensor *t;
	lovl_check_shape(L, 2, "shape", &shape);
	if (lua_isnoneornil(L, 3)) {
		new_tensor(L, type, &shape);
		return 1;
	}
	place = ovl_pshape_static(&shape);
	lovl_try(L, lovl_array_read(L, 3, type == OVL_STRING, &a, &err), &err);
	lovl_try(L, lovl_array_fit(&a, type, &place, &fit, &err), &err);
	t = new_tensor(L, type, &shape);
	lovl_try(L, lovl_array_write(L, &a, t, &err), &err);
	lua_pushvalue(L, -1);
	return 1;
}

void lovl_read_positions(lua_State *L, int at, const char *what, int rank, int64_t *out)
{
	if (lua_type(L, at) != LUA_TTABLE)
		lovl_type_error(L, at, what, "a list of positions");
	if ((int)lua_rawlen(L, at) != rank)
		lovl_error(L, OVL_E_ARGUMENT, "%s: expected %d positions, one for each dimension, got %d", what, rank, (int)lua_rawlen(L, at));
	for (int i = 0; i < rank; i++) {
		lua_rawgeti(L, at, i + 1);
		out[i] = lovl_check_whole(L, -1, what);
		lua_pop(L, 1);
	}
}

static int from_region(lua_State *L)
{
	ovl_tensor *base = lovl_check_tensor(L, 1, "tensor");
	ovl_shape s;
	int64_t first[OVL_MAX_RANK], last[OVL_MAX_RANK];
	ovl_error err;
	ovl_tensor_shape(base, &s);
	lovl_read_positions(L, 2, "first", s.rank, first);
	lovl_read_positions(L, 3, "last", s.rank, last);
	for (int i = 0; i < s.rank; i++) {
		if (first[i] < 1 || last[i] > s.dims[i] || first[i] > last[i] + 1)
			lovl_error(L, OVL_E_NOT_FOUND, "dimension %d: there is no region from %" PRId64 " to %" PRId64 ": its positions are 1 to %" PRId64, i + 1, first[i],
				   last[i], s.dims[i]);
		first[i]--;
	}
	return made(L, ovl_tensor_roi(base, first, last, slot(L), &err), &err);
}

static int from_port(lua_State *L)
{
	const ovl_port *p = lovl_check(L, 1, &lovl_port, "port");
	ovl_pshape partial;
	ovl_shape shape;
	ovl_port_shape(p, &partial);
	shape.rank = partial.ranked ? partial.rank : 0;
	for (int i = 0; i < shape.rank; i++)
		shape.dims[i] = ovl_dim_static(partial.dims[i]) ? partial.dims[i].min : 0;
	new_tensor(L, ovl_port_type(p), &shape);
	return 1;
}

/* Data that brings its own shape: tables, numbers, cdata arrays. */
static int from_data(lua_State *L)
{
	ovl_type type = OVL_F32;
	ovl_pshape place = ovl_pshape_any();
	ovl_shape shape;
	lovl_array a;
	ovl_error err;
	ovl_tensor *t;
	bool given = !lua_isnoneornil(L, 2);
	if (given)
		type = lovl_check_type(L, 2, "element_type");
	if (!given && lua_type(L, 1) == LUA_TTABLE) { /* strings say so themselves */
		lua_pushvalue(L, 1);
		for (int i = 0; i <= OVL_MAX_RANK && lua_type(L, -1) == LUA_TTABLE && !lovl_is_data(L, -1); i++)
			lua_rawgeti(L, -1, 1);
		if (lua_type(L, -1) == LUA_TSTRING)
			type = OVL_STRING;
		else if (lua_type(L, -1) == LUA_TBOOLEAN)
			type = OVL_BOOLEAN;
		lua_settop(L, 1);
	}
	if (!given && lua_type(L, 1) == LUA_TBOOLEAN)
		type = OVL_BOOLEAN;
	lovl_try(L, lovl_array_read(L, 1, type == OVL_STRING, &a, &err), &err);
	if (a.kind == LOVL_BYTES && type != OVL_STRING)
		lovl_error(L, OVL_E_ARGUMENT, "a string of bytes needs a type and a shape: ov.Tensor(type, shape, bytes)");
	if (a.kind == LOVL_MEMORY && !given)
		type = a.type == OVL_DYNAMIC ? OVL_U8 : a.type;
	lovl_try(L, lovl_array_fit(&a, type, &place, &shape, &err), &err);
	t = new_tensor(L, type, &shape);
	lovl_try(L, lovl_array_write(L, &a, t, &err), &err);
	lua_pushvalue(L, -1);
	return 1;
}

/* ov.Tensor(...) */
static int tensor(lua_State *L)
{
	if (lua_type(L, 1) == LUA_TSTRING) {
		ovl_type type;
		if (lua_isnoneornil(L, 2) && !ovl_type_parse(lua_tostring(L, 1), &type))
			lovl_error(L, OVL_E_ARGUMENT, "ov.Tensor takes (element_type, shape [, data]), (table [, element_type]) or (tensor, first, last)");
		return from_type(L);
	}
	if (lovl_to(L, 1, &lovl_tensor)) {
		if (!lua_isnoneornil(L, 2))
			return from_region(L);
		ovl_error err;
		return made(L, ovl_tensor_clone(self(L), slot(L), &err), &err);
	}
	if (lovl_to(L, 1, &lovl_port))
		return from_port(L);
	if (lua_gettop(L) < 1)
		lovl_error(L, OVL_E_ARGUMENT, "ov.Tensor takes (element_type, shape [, data]), (table [, element_type]) or (tensor, first, last)");
	return from_data(L);
}

/* ov.Tensor.wrap(cdata, element_type, shape) */
static int wrap(lua_State *L)
{
	lovl_array a;
	ovl_error err;
	ovl_type type;
	ovl_shape shape, fit;
	ovl_pshape place;
	int kind = lua_type(L, 1);
	if (kind != LOVL_TCDATA && !lovl_is_data(L, 1))
		lovl_type_error(L, 1, "wrap", "a cdata array or pointer, or an object with getFFIPointer and getSize");
	type = lovl_check_type(L, 2, "element_type");
	lovl_check_shape(L, 3, "shape", &shape);
	lovl_try(L, lovl_array_read(L, 1, false, &a, &err), &err);
	if (a.kind != LOVL_MEMORY)
		lovl_type_error(L, 1, "wrap", "a cdata array or pointer");
	a.type = OVL_DYNAMIC; /* the bytes count, not the C type */
	if (a.bytes != SIZE_MAX) { /* larger is fine */
		size_t need;
		if (ovl_shape_elements(&shape) >= 0 && ovl_type_bytes(type, ovl_shape_elements(&shape), &need) && a.bytes > need)
			a.bytes = need;
	}
	if (type == OVL_STRING)
		lovl_error(L, OVL_E_TYPE, "strings cannot lie in foreign memory");
	place = ovl_pshape_static(&shape);
	lovl_try(L, lovl_array_fit(&a, type, &place, &fit, &err), &err);
	if (!lovl_array_shareable(&a, type) && ovl_shape_elements(&shape) > 0)
		lovl_error(L, OVL_E_ARGUMENT, a.writable ? "the memory is not aligned for elements of type %s" : "the memory is constant (type %s)", ovl_type_name(type));
	lovl_try(L, lovl_array_share(L, &a, type, &shape, &err), &err);
	return 1;
}

/* core.region(tensor): a Tensor that holds the memory as it is now, whatever happens to the first (lua/ovlite/ffi.lua keeps pointers alive with it). */
static int region(lua_State *L)
{
	ovl_tensor *t = self(L);
	ovl_shape s;
	int64_t first[OVL_MAX_RANK] = {0};
	ovl_error err;
	ovl_tensor **out = slot(L);
	ovl_tensor_shape(t, &s);
	if (ovl_tensor_roi(t, first, s.dims, out, &err) != OVL_OK) /* packed types have no regions */
		*out = ovl_tensor_retain(t);
	return 1;
}

/* ---- properties ---- */

static int get_element_type(lua_State *L)
{
	lua_pushstring(L, ovl_type_name(ovl_tensor_type(self(L))));
	return 1;
}

static int get_shape(lua_State *L)
{
	ovl_shape s;
	ovl_tensor_shape(self(L), &s);
	lovl_push_shape(L, &s);
	return 1;
}

static int set_shape(lua_State *L)
{
	ovl_tensor *t = self(L);
	ovl_shape s;
	ovl_error err;
	lovl_check_shape(L, 2, "shape", &s);
	lovl_try(L, ovl_tensor_set_shape(t, &s, &err), &err);
	lua_settop(L, 1);
	return 1;
}

static int get_size(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)ovl_tensor_count(self(L)));
	return 1;
}

static int get_byte_size(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)ovl_tensor_bytes(self(L)));
	return 1;
}

static int get_strides(lua_State *L)
{
	const ovl_tensor *t = self(L);
	ovl_shape s;
	size_t size = ovl_type_size(ovl_tensor_type(t));
	ovl_tensor_shape(t, &s);
	if (!size)
		lovl_error(L, OVL_E_UNSUPPORTED, "elements of type %s have no strides in bytes", ovl_type_name(ovl_tensor_type(t)));
	lua_createtable(L, s.rank, 0);
	for (int i = 0; i < s.rank; i++) {
		lua_pushinteger(L, (lua_Integer)(ovl_tensor_strides(t)[i] * (int64_t)size));
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* Light userdata; lua/ovlite/ffi.lua makes a typed pointer of it. */
static int get_data(lua_State *L)
{
	ovl_tensor *t = self(L);
	if (ovl_tensor_type(t) == OVL_STRING)
		lovl_error(L, OVL_E_TYPE, "a string tensor has no plain data: use :flat(), :totable() or :get()");
	lua_pushlightuserdata(L, ovl_tensor_data(t));
	return 1;
}

static int is_continuous(lua_State *L)
{
	lua_pushboolean(L, ovl_tensor_dense(self(L)));
	return 1;
}

static int to_string(lua_State *L)
{
	enum { SHOWN = 8 };
	ovl_tensor *t = self(L), *dense;
	ovl_shape s;
	char text[256];
	ovl_error err;
	int64_t n = ovl_tensor_count(t);
	luaL_Buffer b;
	ovl_tensor_shape(t, &s);
	lovl_try(L, ovl_tensor_densify(t, slot(L), &err), &err);
	dense = ((lovl_object *)lua_touserdata(L, -1))->c;
	luaL_buffinit(L, &b);
	lua_pushfstring(L, "ov.Tensor(%s %s", ovl_type_name(ovl_tensor_type(t)), ovl_shape_text(&s, text, sizeof text));
	luaL_addvalue(&b);
	luaL_addstring(&b, n ? ":" : "");
	for (int64_t i = 0; i < n && i < SHOWN; i++) {
		luaL_addstring(&b, " ");
		if (ovl_tensor_type(t) == OVL_STRING) {
			lovl_push_element(L, OVL_STRING, ovl_tensor_data(dense), i);
			lua_pushfstring(L, "\"%s\"", lua_tostring(L, -1));
			lua_remove(L, -2);
		} else if (ovl_type_is_float(ovl_tensor_type(t))) {
			double d;
			ovl_convert(ovl_tensor_type(t), ovl_tensor_data(dense), i, OVL_F64, &d, 0, 1, false);
			snprintf(text, sizeof text, "%.6g", d);
			lua_pushstring(L, text);
		} else {
			int64_t v;
			ovl_convert(ovl_tensor_type(t), ovl_tensor_data(dense), i, ovl_tensor_type(t) == OVL_U64 ? OVL_U64 : OVL_I64, &v, 0, 1, false);
			if (ovl_tensor_type(t) == OVL_U64)
				snprintf(text, sizeof text, "%" PRIu64, (uint64_t)v);
			else if (ovl_tensor_type(t) == OVL_BOOLEAN)
				snprintf(text, sizeof text, "%s", v ? "true" : "false");
			else
				snprintf(text, sizeof text, "%" PRId64, v);
			lua_pushstring(L, text);
		}
		luaL_addvalue(&b);
	}
	luaL_addstring(&b, n > SHOWN ? " ...)" : ")");
	luaL_pushresult(&b);
	return 1;
}

/* ---- elements ---- */

/* The element that the positions from stack index `at` on name: its offset in elements of the tensor's memory. */
static int64_t element_offset(lua_State *L, const ovl_tensor *t, int at)
{
	ovl_shape s;
	int64_t offset = 0;
	int given = lua_gettop(L) - at + 1;
	ovl_tensor_shape(t, &s);
	if (given != s.rank) {
		char text[256];
		lovl_error(L, OVL_E_ARGUMENT, "expected %d position%s, one for each dimension of %s, got %d", s.rank, s.rank == 1 ? "" : "s",
			   ovl_shape_text(&s, text, sizeof text), given);
	}
	for (int i = 0; i < s.rank; i++) {
		char what[32];
		snprintf(what, sizeof what, "dimension %d", i + 1);
		offset += lovl_check_position(L, at + i, s.dims[i], what) * ovl_tensor_strides(t)[i];
	}
	return offset;
}

static int get(lua_State *L)
{
	const ovl_tensor *t = self(L);
	lovl_push_element(L, ovl_tensor_type(t), ovl_tensor_data(t), element_offset(L, t, 2));
	return 1;
}

static int set(lua_State *L)
{
	ovl_tensor *t = self(L);
	ovl_error err;
	int64_t i;
	if (lua_gettop(L) < 2)
		lovl_type_error(L, 2, "value", "a number, a boolean or a string");
	i = element_offset(L, t, 3);
	lovl_try(L, lovl_set_element(L, 2, t, i, &err), &err);
	lua_settop(L, 1);
	return 1;
}

/* Pushes the tensor itself when it is dense, else a dense copy. */
static ovl_tensor *push_dense(lua_State *L, int at)
{
	ovl_tensor *t = lovl_check_tensor(L, at, "tensor");
	ovl_error err;
	if (ovl_tensor_dense(t)) {
		lua_pushvalue(L, at);
		return t;
	}
	lovl_try(L, ovl_tensor_densify(t, slot(L), &err), &err);
	return ((lovl_object *)lua_touserdata(L, -1))->c;
}

/* Elements [at, at + n) as a list. */
static void push_list(lua_State *L, const ovl_tensor *t, int64_t at, int64_t n)
{
	ovl_type type = ovl_tensor_type(t);
	const void *data = ovl_tensor_data(t);
	if (n > 0x7ffffff0)
		lovl_error(L, OVL_E_MEMORY, "%" PRId64 " elements are too many for a Lua table", n);
	lua_createtable(L, (int)n, 0);
	if (type == OVL_F32) {
		const float *f = (const float *)data + at;
		for (int i = 0; i < (int)n; i++) {
			lua_pushnumber(L, (lua_Number)f[i]);
			lua_rawseti(L, -2, i + 1);
		}
		return;
	}
	for (int i = 0; i < (int)n; i++) {
		lovl_push_element(L, type, data, at + i);
		lua_rawseti(L, -2, i + 1);
	}
}

static int flat(lua_State *L)
{
	const ovl_tensor *t;
	lua_settop(L, 1);
	t = push_dense(L, 1);
	push_list(L, t, 0, ovl_tensor_count(t));
	return 1;
}

static void push_nested(lua_State *L, const ovl_tensor *t, const ovl_shape *s, int dim, int64_t *at)
{
	luaL_checkstack(L, 6, NULL);
	if (dim == s->rank - 1) {
		push_list(L, t, *at, s->dims[dim]);
		*at += s->dims[dim];
		return;
	}
	if (s->dims[dim] > 0x7ffffff0)
		lovl_error(L, OVL_E_MEMORY, "%" PRId64 " rows are too many for a Lua table", s->dims[dim]);
	lua_createtable(L, (int)s->dims[dim], 0);
	for (int i = 0; i < (int)s->dims[dim]; i++) {
		push_nested(L, t, s, dim + 1, at);
		lua_rawseti(L, -2, i + 1);
	}
}

/* A scalar gives its value. */
static int totable(lua_State *L)
{
	const ovl_tensor *t;
	ovl_shape s;
	int64_t at = 0;
	lua_settop(L, 1);
	t = push_dense(L, 1);
	ovl_tensor_shape(t, &s);
	if (s.rank == 0)
		lovl_push_element(L, ovl_tensor_type(t), ovl_tensor_data(t), 0);
	else
		push_nested(L, t, &s, 0, &at);
	return 1;
}

static int bytes(lua_State *L)
{
	const ovl_tensor *t;
	lua_settop(L, 1);
	t = push_dense(L, 1);
	if (ovl_tensor_type(t) == OVL_STRING)
		lovl_error(L, OVL_E_TYPE, "a string tensor has no plain bytes: use :flat(), :totable() or :get()");
	lua_pushlstring(L, ovl_tensor_data(t), ovl_tensor_bytes(t));
	return 1;
}

/* ---- copying and filling ---- */

/* A Tensor brings its shape along; other data must fit the shape that is there. */
static int copy_from(lua_State *L)
{
	ovl_tensor *t = self(L);
	lovl_array a;
	ovl_error err;
	ovl_shape mine, fit;
	ovl_pshape place;
	lovl_try(L, lovl_array_read(L, 2, ovl_tensor_type(t) == OVL_STRING, &a, &err), &err);
	ovl_tensor_shape(t, &mine);
	if (a.kind == LOVL_TENSOR && !ovl_shape_equal(&mine, &a.shape)) {
		if ((ovl_tensor_type(t) == OVL_STRING) != (ovl_tensor_type(a.tensor) == OVL_STRING))
			lovl_error(L, OVL_E_TYPE, "cannot copy from type %s to type %s", ovl_type_name(ovl_tensor_type(a.tensor)), ovl_type_name(ovl_tensor_type(t)));
		lovl_try(L, ovl_tensor_set_shape(t, &a.shape, &err), &err);
	} else {
		place = ovl_pshape_static(&mine);
		lovl_try(L, lovl_array_fit(&a, ovl_tensor_type(t), &place, &fit, &err), &err);
	}
	lovl_try(L, lovl_array_write(L, &a, t, &err), &err);
	lua_settop(L, 1);
	return 1;
}

static int copy_to(lua_State *L)
{
	self(L);
	lovl_check_tensor(L, 2, "tensor");
	lua_settop(L, 2);
	lua_insert(L, 1);
	return copy_from(L);
}

static int fill(lua_State *L)
{
	ovl_tensor *t = self(L);
	ovl_type type = ovl_tensor_type(t);
	ovl_shape scalar = {0};
	ovl_error err;
	ovl_tensor *value;
	lua_settop(L, 2);
	value = new_tensor(L, type, &scalar);
	lovl_try(L, lovl_set_element(L, 2, value, 0, &err), &err);
	if (type == OVL_STRING) {
		const ovl_string *s = ovl_tensor_data(value);
		for (int64_t i = 0; i < ovl_tensor_count(t); i++)
			lovl_try(L, ovl_tensor_set_string(t, i, s->data ? s->data : "", s->size, &err), &err);
	} else
		lovl_try(L, ovl_math_fill(t, type, ovl_tensor_data(value), &err), &err);
	lua_settop(L, 1);
	return 1;
}

/* ---- other tensors from this one ---- */

static int reshape(lua_State *L)
{
	const ovl_tensor *t = self(L);
	int64_t dims[OVL_MAX_RANK];
	int rank;
	ovl_error err;
	if (lua_type(L, 2) != LUA_TTABLE)
		lovl_type_error(L, 2, "shape", "a shape like {2, -1}");
	if (lua_rawlen(L, 2) > OVL_MAX_RANK)
		lovl_error(L, OVL_E_SHAPE, "%d dimensions are too many, %d are supported", (int)lua_rawlen(L, 2), OVL_MAX_RANK);
	rank = (int)lua_rawlen(L, 2);
	for (int i = 0; i < rank; i++) {
		lua_rawgeti(L, 2, i + 1);
		dims[i] = lovl_check_whole(L, -1, "shape");
		lua_pop(L, 1);
	}
	return made(L, ovl_math_reshape(t, dims, rank, slot(L), &err), &err);
}

static int astype(lua_State *L)
{
	const ovl_tensor *t = self(L);
	ovl_error err;
	ovl_type type = lovl_check_type(L, 2, "element_type");
	return made(L, ovl_tensor_astype(t, type, slot(L), &err), &err);
}

static int clone(lua_State *L)
{
	const ovl_tensor *t = self(L);
	ovl_error err;
	return made(L, ovl_tensor_clone(t, slot(L), &err), &err);
}

/* ---- files ---- */

static int save(lua_State *L)
{
	const ovl_tensor *t = self(L);
	ovl_error err;
	const char *path = lovl_check_string(L, 2, "path", NULL);
	lovl_try(L, ovl_npy_save(path, t, &err), &err);
	return 0;
}

static int load_npz(lua_State *L, const char *path)
{
	char **names;
	ovl_tensor **tensors;
	size_t n;
	ovl_error err;
	lovl_try(L, ovl_npz_load(path, &names, &tensors, &n, &err), &err);
	lua_createtable(L, 0, (int)n);
	for (size_t i = 0; i < n; i++) {
		lovl_push_tensor(L, ovl_tensor_retain(tensors[i]));
		lua_setfield(L, -2, names[i]);
	}
	ovl_npz_free(names, tensors, n);
	return 1;
}

/* ov.Tensor.load(path): .npy, .npz (a table of tensors) or an ONNX .pb, told apart by content. */
static int load(lua_State *L)
{
	const char *path = lovl_check_string(L, 1, "path", NULL);
	unsigned char head[6] = {0};
	ovl_error err;
	FILE *f = fopen(path, "rb");
	if (f) {
		if (fread(head, 1, sizeof head, f) != sizeof head)
			head[0] = 0;
		fclose(f);
	}
	if (memcmp(head, "PK", 2) == 0)
		return load_npz(L, path);
	if (f && memcmp(head, "\x93NUMPY", 6) != 0) {
		size_t n = strlen(path);
		if (n < 4 || strcmp(path + n - 4, ".npy") != 0)
			return made(L, ovl_tensor_load_pb(path, NULL, 0, slot(L), &err), &err);
	}
	return made(L, ovl_npy_load(path, slot(L), &err), &err);
}

static const luaL_Reg GETTERS[] = {{"element_type", get_element_type}, {"shape", get_shape}, {"size", get_size}, {"byte_size", get_byte_size},
				   {"strides", get_strides}, {"data", get_data}, {NULL, NULL}};
static const luaL_Reg SETTERS[] = {{"shape", set_shape}, {NULL, NULL}};
static const luaL_Reg METHODS[] = {
	{"get_element_type", get_element_type}, {"get_shape", get_shape}, {"get_size", get_size}, {"get_byte_size", get_byte_size}, {"get_strides", get_strides},
	{"is_continuous", is_continuous}, {"get", get}, {"set", set}, {"flat", flat}, {"totable", totable}, {"bytes", bytes}, {"copy_from", copy_from},
	{"copy_to", copy_to}, {"fill", fill}, {"set_shape", set_shape}, {"reshape", reshape}, {"astype", astype}, {"clone", clone}, {"save", save},
	{NULL, NULL}};
static const luaL_Reg META[] = {{"__tostring", to_string}, {NULL, NULL}};
const lovl_class lovl_tensor = {
	.name = "Tensor", .key = "ovlite.Tensor", .release = tensor_release, .methods = METHODS, .getters = GETTERS, .setters = SETTERS, .meta = META};

static const luaL_Reg FUNCTIONS[] = {{"tensor", tensor}, {"tensor_wrap", wrap}, {"tensor_load", load}, {"tensor_region", region}, {NULL, NULL}};

void lovl_open_tensor(lua_State *L);
void lovl_open_tensor(lua_State *L)
{
	lovl_class_open(L, &lovl_tensor);
	lovl_functions(L, FUNCTIONS);
	lovl_tensor_math(L);
}
