/* array.c - array-likes: what may stand where a tensor's data is wanted, and single elements.
 *
 * A value is read in two passes: lovl_array_read looks at all of it (kind, shape, every leaf of a table), lovl_array_write converts. Between them nothing of
 * Lua runs, so a call with several inputs can check them all before it changes anything. */
#include "lovl.h"
#include <inttypes.h>
#include <stdio.h>

enum { CHUNK = 512 }; /* numbers on their way from a table to the tensor's type */

/* ---- LuaJIT's cdata, by the help of lua/ovlite/ffi.lua ---- */

typedef struct cdata {
	char kind; /* 'a' array, 'p' pointer, 'r' reference to an array, 's' scalar; 0: something else */
	ovl_type type; /* OVL_DYNAMIC: void */
	size_t bytes;
	bool read_only;
	void *data;
} cdata;

/* Asks the helper, which answers kind, element type, bytes, const. */
static bool look_at_cdata(lua_State *L, int at, cdata *out)
{
	const char *kind, *type;
	memset(out, 0, sizeof *out);
	at = lovl_absindex(L, at);
	luaL_checkstack(L, 6, NULL);
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.cdata");
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		return false;
	}
	lua_pushvalue(L, at);
	lua_call(L, 1, 4);
	kind = lua_tostring(L, -4);
	type = lua_tostring(L, -3);
	if (kind) {
		out->kind = *kind;
		if (type)
			ovl_type_parse(type, &out->type);
		out->bytes = (size_t)lua_tonumber(L, -2);
		out->read_only = lua_toboolean(L, -1);
		out->data = (void *)(uintptr_t)lua_topointer(L, at);
		if (out->data && (*kind == 'p' || *kind == 'r'))
			out->data = *(void **)out->data;
		if (*kind == 'p')
			out->bytes = SIZE_MAX;
	}
	lua_pop(L, 4);
	return out->kind != 0;
}

bool lovl_cdata_int(lua_State *L, int at, bool *is_unsigned, int64_t *out)
{
	cdata c;
	if (lua_type(L, at) != LOVL_TCDATA || !look_at_cdata(L, at, &c) || c.kind != 's' || (c.type != OVL_I64 && c.type != OVL_U64))
		return false;
	memcpy(out, c.data, sizeof *out);
	*is_unsigned = c.type == OVL_U64;
	return true;
}

static void push_64(lua_State *L, bool is_unsigned, int64_t v)
{
#if LOVL_INTEGERS
	(void)is_unsigned;
	lua_pushinteger(L, (lua_Integer)v);
#else
	void *buffer;
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.buffer64");
	buffer = (void *)(uintptr_t)lua_topointer(L, -1);
	lua_pop(L, 1);
	lua_getfield(L, LUA_REGISTRYINDEX, "ovlite.make64");
	if (!buffer || lua_isnil(L, -1)) { /* a Lua without 64-bit integers: the nearest number */
		lua_pop(L, 1);
		lua_pushnumber(L, is_unsigned ? (lua_Number)(uint64_t)v : (lua_Number)v);
		return;
	}
	memcpy(buffer, &v, sizeof v);
	lua_pushboolean(L, is_unsigned);
	lua_call(L, 1, 1);
#endif
}

/* core.set_cdata(describe, buffer64, make64) */
static int set_cdata(lua_State *L)
{
	static const char *const KEYS[] = {"ovlite.cdata", "ovlite.buffer64", "ovlite.make64"};
	lua_settop(L, 3);
	for (int i = 3; i > 0; i--)
		lua_setfield(L, LUA_REGISTRYINDEX, KEYS[i - 1]);
	return 0;
}

void lovl_array_functions(lua_State *L)
{
	lua_pushcfunction(L, set_cdata);
	lua_setfield(L, -2, "set_cdata");
}

/* ---- what kind of value it is ---- */

static int get_method(lua_State *L)
{
	lua_getfield(L, 1, lua_tostring(L, 2)); /* may run __index */
	return 1;
}

/* Pushes a method of a foreign object, or nothing and false. Its __index may raise: then it has no such method. */
static bool push_method(lua_State *L, int at, const char *name)
{
	at = lovl_absindex(L, at);
	luaL_checkstack(L, 6, NULL);
	lua_pushcfunction(L, get_method);
	lua_pushvalue(L, at);
	lua_pushstring(L, name);
	if (lua_pcall(L, 2, 1, 0) == 0 && lua_isfunction(L, -1))
		return true;
	lua_pop(L, 1);
	return false;
}

bool lovl_is_data(lua_State *L, int at)
{
	int type = lua_type(L, at);
	if ((type != LUA_TUSERDATA && type != LUA_TTABLE) || lovl_to(L, at, NULL))
		return false;
	if (type == LUA_TTABLE && !lua_getmetatable(L, at)) { /* a plain table: by far the usual case */
		bool has;
		at = lovl_absindex(L, at);
		lua_pushliteral(L, "getFFIPointer");
		lua_rawget(L, at);
		has = lua_isfunction(L, -1);
		lua_pop(L, 1);
		if (!has)
			return false;
	} else if (type == LUA_TTABLE)
		lua_pop(L, 1);
	if (!push_method(L, at, "getFFIPointer"))
		return false;
	lua_pop(L, 1);
	if (!push_method(L, at, "getSize"))
		return false;
	lua_pop(L, 1);
	return true;
}

bool lovl_is_scalar(lua_State *L, int at)
{
	int type = lua_type(L, at);
	cdata c;
	return type == LUA_TNUMBER || type == LUA_TBOOLEAN || (type == LOVL_TCDATA && look_at_cdata(L, at, &c) && c.kind == 's');
}

/* ---- reading: LÖVE's Data and others like it ---- */

static ovl_status read_data(lua_State *L, lovl_array *a, ovl_error *err)
{
	int64_t size = -1;
	void *pointer = NULL;
	cdata c;
	push_method(L, a->at, "getSize");
	lua_pushvalue(L, a->at);
	lua_call(L, 1, 1);
	if (!lovl_whole(L, -1, &size) || size < 0)
		return ovl_fail(err, OVL_E_TYPE, "getSize() of the data object must return a number of bytes, got %s", lovl_typename(L, -1));
	push_method(L, a->at, "getFFIPointer");
	lua_pushvalue(L, a->at);
	lua_call(L, 1, 1);
	if (lua_type(L, -1) == LUA_TLIGHTUSERDATA)
		pointer = lua_touserdata(L, -1);
	else if (lua_type(L, -1) == LOVL_TCDATA && look_at_cdata(L, -1, &c) && c.kind != 's')
		pointer = c.data;
	if (!pointer && size > 0)
		return ovl_fail(err, OVL_E_TYPE, "getFFIPointer() of the data object must return a pointer, got %s", lovl_typename(L, -1));
	lua_pop(L, 2);
	a->kind = LOVL_MEMORY;
	a->data = pointer;
	a->bytes = (size_t)size;
	a->writable = true;
	return OVL_OK;
}

static ovl_status read_cdata(lua_State *L, lovl_array *a, ovl_error *err)
{
	cdata c;
	if (!look_at_cdata(L, a->at, &c))
		return ovl_fail(err, OVL_E_TYPE, "this cdata is no array of numbers or pointer to numbers");
	if (c.kind == 's') {
		a->kind = LOVL_SCALAR;
		a->leaf = LUA_TNUMBER;
		return OVL_OK;
	}
	if (!c.data)
		return ovl_fail(err, OVL_E_ARGUMENT, "the pointer is NULL");
	a->kind = LOVL_MEMORY;
	a->type = c.type;
	a->data = c.data;
	a->bytes = c.bytes;
	a->writable = !c.read_only;
	return OVL_OK;
}

/* ---- reading: tables ---- */

typedef struct scan {
	lovl_array *a;
	bool strings;
	int64_t path[OVL_MAX_RANK + 1];
	ovl_error *err;
} scan;

/* "element [2][3]" */
static const char *path_text(const scan *s, int depth, char *buf, size_t size)
{
	size_t used = 0;
	buf[0] = 0;
	for (int i = 0; i <= depth && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "[%" PRId64 "]", s->path[i]);
	return buf;
}

static ovl_status check_odd_leaf(lua_State *L, scan *s, int depth)
{
	int type = lua_type(L, -1);
	char path[160];
	bool is_unsigned;
	int64_t v;
	cdata c;
	s->a->plain = false;
	if (s->strings ? type == LUA_TSTRING : (type == LUA_TBOOLEAN || lovl_cdata_int(L, -1, &is_unsigned, &v)))
		return OVL_OK;
	if (!s->strings && type == LOVL_TCDATA && look_at_cdata(L, -1, &c) && c.kind == 's')
		return OVL_OK;
	path_text(s, depth, path, sizeof path);
	if (type == LUA_TTABLE)
		return ovl_fail(s->err, OVL_E_SHAPE, "element %s is a table where its neighbours are not: all rows must have one length and depth", path);
	if (type == LUA_TNIL)
		return ovl_fail(s->err, OVL_E_TYPE, "element %s is nil: the data has a hole", path);
	return ovl_fail(s->err, OVL_E_TYPE, "element %s is %s, expected %s", path, lovl_typename(L, -1), s->strings ? "a string" : "a number or a boolean");
}

static ovl_status check_leaves(lua_State *L, scan *s, int t, int depth, int64_t n)
{
	for (int64_t i = 1; i <= n; i++) {
		lua_rawgeti(L, t, (int)i);
		if (__builtin_expect(lua_type(L, -1) != LUA_TNUMBER || s->strings, 0)) {
			s->path[depth] = i;
			OVL_TRY(check_odd_leaf(L, s, depth));
		}
#if LOVL_INTEGERS
		else if (lua_isinteger(L, -1) && (lua_tointeger(L, -1) > (1LL << 53) || lua_tointeger(L, -1) < -(1LL << 53)))
			s->a->plain = false;
#endif
		lua_pop(L, 1);
	}
	return OVL_OK;
}

static ovl_status check_rows(lua_State *L, scan *s, int depth)
{
	int t = lua_gettop(L);
	int64_t n = (int64_t)lua_rawlen(L, t), want = s->a->shape.dims[depth];
	char path[160];
	if (n != want) {
		return ovl_fail(s->err, OVL_E_SHAPE, "row %s has %" PRId64 " elements, the first row has %" PRId64 ": all rows must have one length",
				path_text(s, depth - 1, path, sizeof path), n, want);
	}
	if (depth == s->a->shape.rank - 1)
		return check_leaves(L, s, t, depth, n);
	for (int64_t i = 1; i <= n; i++) {
		lua_rawgeti(L, t, (int)i);
		s->path[depth] = i;
		if (lua_type(L, -1) != LUA_TTABLE) {
			return ovl_fail(s->err, lua_type(L, -1) == LUA_TNUMBER || lua_type(L, -1) == LUA_TSTRING ? OVL_E_SHAPE : OVL_E_TYPE,
					"row %s is %s, the rows before it are tables", path_text(s, depth, path, sizeof path), lovl_typename(L, -1));
		}
		OVL_TRY(check_rows(L, s, depth + 1));
		lua_pop(L, 1);
	}
	return OVL_OK;
}

static ovl_status read_table(lua_State *L, lovl_array *a, bool strings, ovl_error *err)
{
	scan s = {.a = a, .strings = strings, .err = err};
	int top = lua_gettop(L);
	ovl_status status;
	a->kind = LOVL_TABLE;
	a->plain = !strings;
	a->leaf = LUA_TNUMBER;
	luaL_checkstack(L, OVL_MAX_RANK + 8, NULL);
	lua_pushvalue(L, a->at);
	while (lua_type(L, -1) == LUA_TTABLE) { /* down the first rows */
		if (a->shape.rank == OVL_MAX_RANK) {
			lua_settop(L, top);
			return ovl_fail(err, OVL_E_SHAPE, "the table is nested deeper than %d, the largest number of dimensions", OVL_MAX_RANK);
		}
		a->shape.dims[a->shape.rank++] = (int64_t)lua_rawlen(L, -1);
		if (!lua_rawlen(L, -1))
			break;
		lua_rawgeti(L, -1, 1);
		a->leaf = lua_type(L, -1);
	}
	lua_settop(L, top);
	lua_pushvalue(L, a->at);
	status = check_rows(L, &s, 0);
	lua_settop(L, top);
	return status;
}

ovl_status lovl_array_read(lua_State *L, int at, bool strings, lovl_array *a, ovl_error *err)
{
	const lovl_object *o;
	size_t n;
	memset(a, 0, sizeof *a);
	a->at = at = lovl_absindex(L, at);
	switch (lua_type(L, at)) {
	case LUA_TNUMBER:
	case LUA_TBOOLEAN:
		a->kind = LOVL_SCALAR;
		a->leaf = lua_type(L, at);
		if (strings)
			return ovl_fail(err, OVL_E_TYPE, "expected strings, got %s", luaL_typename(L, at));
		return OVL_OK;
	case LUA_TSTRING:
		a->kind = LOVL_BYTES;
		a->data = (void *)(uintptr_t)lua_tolstring(L, at, &n);
		a->bytes = n;
		return OVL_OK;
	case LOVL_TCDATA:
		OVL_TRY(read_cdata(L, a, err));
		if (strings)
			return ovl_fail(err, OVL_E_TYPE, "expected strings, got numbers in a cdata");
		return OVL_OK;
	case LUA_TUSERDATA:
	case LUA_TTABLE:
		o = lovl_to(L, at, &lovl_tensor);
		if (o && !o->c)
			return ovl_fail(err, OVL_E_ARGUMENT, "this Tensor is closed");
		if (o) {
			a->kind = LOVL_TENSOR;
			a->tensor = o->c;
			ovl_tensor_shape(a->tensor, &a->shape);
			return OVL_OK;
		}
		if (lovl_is_data(L, at))
			return strings ? ovl_fail(err, OVL_E_TYPE, "expected strings, got a data object") : read_data(L, a, err);
		if (lua_type(L, at) == LUA_TTABLE)
			return read_table(L, a, strings, err);
		break;
	default: break;
	}
	return ovl_fail(err, OVL_E_TYPE, "expected an ov.Tensor, a table, a number, a boolean, a string of bytes or a cdata array, got %s", lovl_typename(L, at));
}

/* ---- the shape that a value takes ---- */

static ovl_status no_fit(const ovl_pshape *place, int64_t got, const char *of, ovl_error *err)
{
	char text[256];
	return ovl_fail(err, OVL_E_SHAPE, "expected shape %s, got %" PRId64 " %s", ovl_pshape_text(place, text, sizeof text), got, of);
}

/* Flat data of n elements: the place's own shape when that is static, else a list. */
static ovl_status fit_flat(int64_t n, const ovl_pshape *place, ovl_shape *out, ovl_error *err)
{
	int64_t count;
	if (ovl_pshape_to_shape(place, out))
		return ovl_shape_count(out, &count) && count == n ? OVL_OK : no_fit(place, n, "elements", err);
	*out = ovl_shape_of(1, &n);
	return ovl_pshape_fits(place, out) ? OVL_OK : no_fit(place, n, "elements of flat data; give nested rows or an ov.Tensor", err);
}

static ovl_status fit_bytes(const lovl_array *a, ovl_type type, const ovl_pshape *place, ovl_shape *out, ovl_error *err)
{
	size_t need = 0, size = ovl_type_size(a->type == OVL_DYNAMIC ? type : a->type);
	bool is_static = ovl_pshape_to_shape(place, out);
	int64_t n = is_static ? ovl_shape_elements(out) : 0;
	char text[256];
	if (is_static && (n < 0 || !ovl_type_bytes(a->type == OVL_DYNAMIC ? type : a->type, n, &need)))
		return ovl_fail(err, OVL_E_SHAPE, "shape %s is too large", ovl_shape_text(out, text, sizeof text));
	if (is_static) {
		if (a->bytes == SIZE_MAX || a->bytes == need)
			return OVL_OK;
		return ovl_fail(err, OVL_E_SHAPE, "expected %zu bytes for shape %s, got %zu", need, ovl_shape_text(out, text, sizeof text), a->bytes);
	}
	if (a->bytes == SIZE_MAX)
		return ovl_fail(err, OVL_E_SHAPE, "a pointer does not tell how much it points at, and shape %s is open: use ov.Tensor.wrap(pointer, type, shape)",
				ovl_pshape_text(place, text, sizeof text));
	if (a->kind == LOVL_BYTES || !size || a->bytes % size)
		return ovl_fail(err, OVL_E_SHAPE, "%zu raw bytes do not tell a shape, and the expected one, %s, is open: use ov.Tensor(type, shape, bytes)", a->bytes,
				ovl_pshape_text(place, text, sizeof text));
	return fit_flat((int64_t)(a->bytes / size), place, out, err);
}

ovl_status lovl_array_fit(const lovl_array *a, ovl_type type, const ovl_pshape *place, ovl_shape *out, ovl_error *err)
{
	char want[256], got[256];
	if (a->kind == LOVL_SCALAR || (a->kind == LOVL_BYTES && type == OVL_STRING)) {
		ovl_shape scalar = {0};
		if (ovl_pshape_to_shape(place, out) && ovl_shape_elements(out) == 1)
			return OVL_OK;
		*out = scalar;
		return ovl_pshape_fits(place, out) ? OVL_OK : no_fit(place, 1, "element", err);
	}
	if (a->kind == LOVL_BYTES || a->kind == LOVL_MEMORY)
		return fit_bytes(a, type, place, out, err);
	if (a->kind == LOVL_TABLE && a->shape.rank == 1)
		return fit_flat(a->shape.dims[0], place, out, err);
	*out = a->shape;
	if (ovl_pshape_fits(place, out))
		return OVL_OK;
	return ovl_fail(err, OVL_E_SHAPE, "expected shape %s, got %s", ovl_pshape_text(place, want, sizeof want), ovl_shape_text(out, got, sizeof got));
}

/* ---- writing ---- */

typedef struct sink {
	ovl_tensor *to; /* dense */
	ovl_type type;
	void *data;
	int64_t at;
	ovl_error *err;
} sink;

/* The value on top of the stack into element i. */
static ovl_status put_element(lua_State *L, ovl_tensor *to, ovl_type type, void *data, int64_t i, ovl_error *err)
{
	bool is_unsigned;
	int64_t v;
	double d;
	cdata c;
	size_t n;
	const char *s;
	if (type == OVL_STRING) {
		if (lua_type(L, -1) != LUA_TSTRING)
			return ovl_fail(err, OVL_E_TYPE, "expected a string, got %s", lovl_typename(L, -1));
		s = lua_tolstring(L, -1, &n);
		return ovl_tensor_set_string(to, i, s, n, err);
	}
	switch (lua_type(L, -1)) {
	case LUA_TBOOLEAN: d = lua_toboolean(L, -1); break;
	case LUA_TNUMBER:
#if LOVL_INTEGERS
		if (lua_isinteger(L, -1)) {
			v = (int64_t)lua_tointeger(L, -1);
			ovl_convert(OVL_I64, &v, 0, type, data, i, 1, false);
			return OVL_OK;
		}
#endif
		d = (double)lua_tonumber(L, -1);
		break;
	case LOVL_TCDATA:
		if (lovl_cdata_int(L, -1, &is_unsigned, &v)) {
			ovl_convert(is_unsigned ? OVL_U64 : OVL_I64, &v, 0, type, data, i, 1, false);
			return OVL_OK;
		}
		if (look_at_cdata(L, -1, &c) && c.kind == 's' && c.type != OVL_DYNAMIC) {
			ovl_convert(c.type, c.data, 0, type, data, i, 1, false);
			return OVL_OK;
		}
		/* fall through */
	default: return ovl_fail(err, OVL_E_TYPE, "expected a number or a boolean, got %s", lovl_typename(L, -1));
	}
	ovl_convert(OVL_F64, &d, 0, type, data, i, 1, false);
	return OVL_OK;
}

ovl_status lovl_set_element(lua_State *L, int at, ovl_tensor *t, int64_t i, ovl_error *err)
{
	ovl_status status;
	lua_pushvalue(L, at);
	status = put_element(L, t, ovl_tensor_type(t), ovl_tensor_data(t), i, err);
	lua_pop(L, 1);
	return status;
}

/* A row of nothing but numbers. */
static void write_numbers(lua_State *L, sink *s, int t, int64_t n)
{
	double chunk[CHUNK];
	for (int64_t done = 0; done < n; done += CHUNK) {
		int m = n - done < CHUNK ? (int)(n - done) : CHUNK;
		for (int i = 0; i < m; i++) {
			lua_rawgeti(L, t, (int)(done + i) + 1);
			chunk[i] = (double)lua_tonumber(L, -1);
			lua_pop(L, 1);
		}
		if (s->type == OVL_F32) {
			float *out = (float *)s->data + s->at;
			for (int i = 0; i < m; i++)
				out[i] = (float)chunk[i];
		} else
			ovl_convert(OVL_F64, chunk, 0, s->type, s->data, s->at, m, false);
		s->at += m;
	}
}

static ovl_status write_rows(lua_State *L, const lovl_array *a, sink *s, int depth)
{
	int t = lua_gettop(L);
	int64_t n = a->shape.dims[depth];
	bool leaves = depth == a->shape.rank - 1;
	if (leaves && a->plain) {
		write_numbers(L, s, t, n);
		return OVL_OK;
	}
	for (int64_t i = 1; i <= n; i++) {
		lua_rawgeti(L, t, (int)i);
		if (leaves)
			OVL_TRY(put_element(L, s->to, s->type, s->data, s->at++, s->err));
		else if (lua_type(L, -1) == LUA_TTABLE)
			OVL_TRY(write_rows(L, a, s, depth + 1));
		else /* a finaliser or a getSize has been at work since it was read */
			return ovl_fail(s->err, OVL_E_SHAPE, "the table changed while it was read");
		lua_pop(L, 1);
	}
	return OVL_OK;
}

/* Elements at any address: conversion wants them aligned. */
static void write_memory(const lovl_array *a, ovl_tensor *to, int64_t n)
{
	ovl_type type = ovl_tensor_type(to), from = a->type == OVL_DYNAMIC ? type : a->type;
	size_t size = ovl_type_size(from);
	char chunk[CHUNK * 8] __attribute__((aligned(16)));
	if (from == type) {
		memcpy(ovl_tensor_data(to), a->data, ovl_tensor_bytes(to));
		return;
	}
	if ((uintptr_t)a->data % size == 0) {
		ovl_convert(from, a->data, 0, type, ovl_tensor_data(to), 0, n, false);
		return;
	}
	for (int64_t done = 0; done < n; done += CHUNK) {
		int64_t m = n - done < CHUNK ? n - done : CHUNK;
		memcpy(chunk, (char *)a->data + (size_t)done * size, (size_t)m * size);
		ovl_convert(from, chunk, 0, type, ovl_tensor_data(to), done, m, false);
	}
}

static ovl_status write_dense(lua_State *L, const lovl_array *a, ovl_tensor *to, ovl_error *err)
{
	sink s = {.to = to, .type = ovl_tensor_type(to), .data = ovl_tensor_data(to), .err = err};
	int64_t n = ovl_tensor_count(to);
	int top = lua_gettop(L);
	ovl_status status = OVL_OK;
	if (n == 0 || a->kind == LOVL_TENSOR)
		return n ? ovl_tensor_copy(a->tensor, to, err) : OVL_OK;
	luaL_checkstack(L, OVL_MAX_RANK + 8, NULL);
	if (a->kind == LOVL_BYTES && s.type == OVL_STRING)
		return ovl_tensor_set_string(to, 0, a->data, a->bytes, err);
	if (a->kind == LOVL_BYTES || a->kind == LOVL_MEMORY) {
		write_memory(a, to, n);
		return OVL_OK;
	}
	lua_pushvalue(L, a->at);
	status = a->kind == LOVL_SCALAR ? put_element(L, to, s.type, s.data, 0, err) : write_rows(L, a, &s, 0);
	lua_settop(L, top);
	return status;
}

ovl_status lovl_array_write(lua_State *L, const lovl_array *a, ovl_tensor *to, ovl_error *err)
{
	ovl_shape shape;
	lovl_object *o;
	if (ovl_tensor_dense(to) || a->kind == LOVL_TENSOR)
		return write_dense(L, a, to, err);
	ovl_tensor_shape(to, &shape);
	o = lovl_new(L, &lovl_tensor); /* a region: through a dense copy */
	OVL_TRY(ovl_tensor_new(ovl_tensor_type(to), &shape, (ovl_tensor **)&o->c, err));
	OVL_TRY(write_dense(L, a, o->c, err));
	return ovl_tensor_copy(o->c, to, err);
}

/* ---- sharing ---- */

bool lovl_array_shareable(const lovl_array *a, ovl_type type)
{
	size_t size = ovl_type_size(type);
	return a->kind == LOVL_MEMORY && a->writable && type != OVL_STRING && (a->type == OVL_DYNAMIC || a->type == type) && a->data &&
	       (uintptr_t)a->data % (size ? size : 1) == 0;
}

ovl_status lovl_array_share(lua_State *L, const lovl_array *a, ovl_type type, const ovl_shape *shape, ovl_error *err)
{
	lovl_object *o = lovl_new(L, &lovl_tensor);
	void (*release)(void *, void *, size_t);
	void *user;
	ovl_status status;
	lovl_anchor(L, a->at, &release, &user);
	status = ovl_tensor_wrap(a->data, type, shape, release, user, (ovl_tensor **)&o->c, err);
	if (status != OVL_OK)
		lovl_anchor_drop(user);
	return status;
}

/* ---- single elements ---- */

void lovl_push_element(lua_State *L, ovl_type type, const void *data, int64_t i)
{
	double d;
	int64_t v;
	switch (type) {
	case OVL_F32: lua_pushnumber(L, (lua_Number)((const float *)data)[i]); return;
	case OVL_F64: lua_pushnumber(L, (lua_Number)((const double *)data)[i]); return;
	case OVL_BOOLEAN: lua_pushboolean(L, ((const uint8_t *)data)[i] != 0); return;
	case OVL_STRING: {
		const ovl_string *s = (const ovl_string *)data + i;
		lua_pushlstring(L, s->data ? s->data : "", s->size);
		return;
	}
	case OVL_I64:
	case OVL_U64:
		v = ((const int64_t *)data)[i];
		if (v <= (1LL << 53) && v >= (type == OVL_U64 ? 0 : -(1LL << 53)))
			lua_pushinteger(L, (lua_Integer)v);
		else
			push_64(L, type == OVL_U64, v);
		return;
	default: break;
	}
	if (ovl_type_is_float(type)) {
		ovl_convert(type, data, i, OVL_F64, &d, 0, 1, false);
		lua_pushnumber(L, (lua_Number)d);
		return;
	}
	ovl_convert(type, data, i, OVL_I64, &v, 0, 1, false);
	lua_pushinteger(L, (lua_Integer)v);
}
