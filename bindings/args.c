/* args.c - arguments in and plain values out: numbers, positions, types, shapes, attribute values. */
#include "lovl.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* ---- numbers ---- */

bool lovl_whole(lua_State *L, int at, int64_t *out)
{
	double d;
	bool is_unsigned;
	if (lua_type(L, at) == LOVL_TCDATA)
		return lovl_cdata_int(L, at, &is_unsigned, out) && (!is_unsigned || *out >= 0);
	if (lua_type(L, at) != LUA_TNUMBER)
		return false;
#if LOVL_INTEGERS
	if (lua_isinteger(L, at)) {
		*out = (int64_t)lua_tointeger(L, at);
		return true;
	}
#endif
	d = (double)lua_tonumber(L, at);
	if (!(d >= -0x1p63 && d < 0x1p63) || d != floor(d))
		return false;
	*out = (int64_t)d;
	return true;
}

int64_t lovl_check_whole(lua_State *L, int at, const char *what)
{
	int64_t v;
	if (lovl_whole(L, at, &v))
		return v;
	if (lua_type(L, at) == LUA_TNUMBER)
		lovl_error(L, OVL_E_TYPE, "%s: expected a whole number, got %.14g", what, (double)lua_tonumber(L, at));
	lovl_type_error(L, at, what, "a whole number");
}

double lovl_check_number(lua_State *L, int at, const char *what)
{
	if (lua_type(L, at) != LUA_TNUMBER)
		lovl_type_error(L, at, what, "a number");
	return (double)lua_tonumber(L, at);
}

bool lovl_check_boolean(lua_State *L, int at, const char *what)
{
	if (lua_type(L, at) != LUA_TBOOLEAN)
		lovl_type_error(L, at, what, "a boolean");
	return lua_toboolean(L, at);
}

const char *lovl_check_string(lua_State *L, int at, const char *what, size_t *size)
{
	if (lua_type(L, at) != LUA_TSTRING)
		lovl_type_error(L, at, what, "a string");
	return lua_tolstring(L, at, size);
}

const char *lovl_opt_string(lua_State *L, int at, const char *what, const char *otherwise)
{
	return lua_isnoneornil(L, at) ? otherwise : lovl_check_string(L, at, what, NULL);
}

int64_t lovl_check_ms(lua_State *L, int at, int64_t otherwise)
{
	double ms;
	if (lua_isnoneornil(L, at))
		return otherwise;
	ms = lovl_check_number(L, at, "milliseconds");
	if (!(ms >= 0))
		lovl_error(L, OVL_E_ARGUMENT, "milliseconds must be 0 or more, got %.14g", ms);
	return ms > 1e15 ? (int64_t)1e15 : (int64_t)ceil(ms);
}

ovl_status lovl_position(lua_State *L, int at, int64_t n, const char *what, int64_t *out, ovl_error *err)
{
	int64_t v;
	if (!lovl_whole(L, at, &v)) {
		if (lua_type(L, at) == LUA_TNUMBER)
			return ovl_fail(err, OVL_E_TYPE, "%s: a position must be a whole number, got %.14g", what, (double)lua_tonumber(L, at));
		return ovl_fail(err, OVL_E_TYPE, "%s: expected a position, got %s", what, lovl_typename(L, at));
	}
	if (v < 1 || v > n) {
		if (v < 1)
			return ovl_fail(err, OVL_E_NOT_FOUND, "%s: there is no position %" PRId64 ": positions count from 1", what, v);
		if (n == 0)
			return ovl_fail(err, OVL_E_NOT_FOUND, "%s: there is no position %" PRId64 ", and none at all", what, v);
		return ovl_fail(err, OVL_E_NOT_FOUND, "%s: there is no position %" PRId64 ", the last one is %" PRId64, what, v, n);
	}
	*out = v - 1;
	return OVL_OK;
}

int64_t lovl_check_position(lua_State *L, int at, int64_t n, const char *what)
{
	ovl_error err;
	int64_t i = 0;
	lovl_try(L, lovl_position(L, at, n, what, &i, &err), &err);
	return i;
}

void lovl_check_options(lua_State *L, int at, const char *const *names, bool *const *values)
{
	at = lovl_absindex(L, at);
	lua_pushnil(L);
	while (lua_next(L, at)) {
		size_t i = 0;
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
		while (key && names[i] && strcmp(names[i], key) != 0)
			i++;
		if (!key || !names[i]) {
			lua_pushliteral(L, "");
			for (i = 0; names[i]; i++)
				lua_pushfstring(L, "%s%s%s", lua_tostring(L, -1), i ? ", " : "", names[i]);
			lovl_error(L, OVL_E_ARGUMENT, "unknown option '%s'; there are %s", key ? key : luaL_typename(L, -3 - (int)i), lua_tostring(L, -1));
		}
		*values[i] = lovl_check_boolean(L, -1, names[i]);
		lua_pop(L, 1);
	}
}

/* ---- types and shapes ---- */

ovl_type lovl_check_type(lua_State *L, int at, const char *what)
{
	ovl_type type;
	const char *name = lovl_check_string(L, at, what, NULL);
	if (!ovl_type_parse(name, &type))
		lovl_error(L, OVL_E_ARGUMENT,
			   "%s: unknown element type '%s'; there are f32 f16 bf16 f64 i8 i16 i32 i64 u8 u16 u32 u64 boolean i2 i4 u1 u2 u4 f8e4m3 f8e5m2 f8e4m3fnuz f8e5m2fnuz f8e8m0 f4e2m1 string", what, name);
	return type;
}

static ovl_status read_bound(lua_State *L, int at, const char *what, int dim, int64_t *out, ovl_error *err)
{
	if (!lovl_whole(L, at, out)) {
		if (lua_type(L, at) == LUA_TNUMBER)
			return ovl_fail(err, OVL_E_TYPE, "%s: dimension %d must be a whole number, got %.14g", what, dim, (double)lua_tonumber(L, at));
		return ovl_fail(err, OVL_E_TYPE, "%s: dimension %d must be a number or {min, max}, got %s", what, dim, lovl_typename(L, at));
	}
	if (*out < -1)
		return ovl_fail(err, OVL_E_SHAPE, "%s: dimension %d must be 0 or more, or -1 for any size, got %" PRId64, what, dim, *out);
	return OVL_OK;
}

static ovl_status read_dim(lua_State *L, int at, const char *what, int i, ovl_dim *out, ovl_error *err)
{
	int64_t min, max = -1;
	at = lovl_absindex(L, at);
	if (lua_type(L, at) == LUA_TTABLE) {
		size_t n = lua_rawlen(L, at);
		if (n != 1 && n != 2)
			return ovl_fail(err, OVL_E_SHAPE, "%s: dimension %d as a table must be {min, max}, got %zu numbers", what, i, n);
		lua_rawgeti(L, at, 1);
		OVL_TRY(read_bound(L, -1, what, i, &min, err));
		if (n == 2) {
			lua_rawgeti(L, at, 2);
			OVL_TRY(read_bound(L, -1, what, i, &max, err));
		}
		lua_settop(L, at);
		if (min < 0)
			min = 0;
		if (max >= 0 && max < min)
			return ovl_fail(err, OVL_E_SHAPE, "%s: dimension %d has the bounds %" PRId64 " and %" PRId64 ", the second must not be smaller", what, i, min, max);
		*out = (ovl_dim){min, max < 0 ? OVL_DIM_MAX : max};
		return OVL_OK;
	}
	if (lua_type(L, at) == LUA_TSTRING) {
		ovl_pshape p;
		if (!ovl_pshape_parse(lua_tostring(L, at), &p) || !p.ranked || p.rank != 1)
			return ovl_fail(err, OVL_E_SHAPE, "%s: dimension %d is '%s', expected a number, \"?\" or \"min..max\"", what, i, lua_tostring(L, at));
		*out = p.dims[0];
		return OVL_OK;
	}
	OVL_TRY(read_bound(L, at, what, i, &min, err));
	*out = min < 0 ? OVL_DIM_ANY : ovl_dim_of(min);
	return OVL_OK;
}

ovl_status lovl_read_pshape(lua_State *L, int at, const char *what, ovl_pshape *out, ovl_error *err)
{
	size_t n, entries = 0;
	at = lovl_absindex(L, at);
	if (lua_type(L, at) == LUA_TSTRING) {
		if (!ovl_pshape_parse(lua_tostring(L, at), out))
			return ovl_fail(err, OVL_E_SHAPE, "%s: '%s' is no shape, expected one like \"1,3,?,2..5\"", what, lua_tostring(L, at));
		return OVL_OK;
	}
	if (lua_type(L, at) != LUA_TTABLE)
		return ovl_fail(err, OVL_E_TYPE, "%s: expected a shape like {1, 3, 224, 224}, got %s", what, lovl_typename(L, at));
	n = lua_rawlen(L, at);
	if (n > OVL_MAX_RANK)
		return ovl_fail(err, OVL_E_SHAPE, "%s: %zu dimensions are too many, %d are supported", what, n, OVL_MAX_RANK);
	luaL_checkstack(L, 8, NULL);
	for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1))
		entries++;
	if (entries != n)
		return ovl_fail(err, OVL_E_TYPE, "%s: a shape is a list of numbers without holes or named entries", what);
	memset(out, 0, sizeof *out);
	out->ranked = true;
	out->rank = (int)n;
	for (int i = 0; i < out->rank; i++) {
		lua_rawgeti(L, at, i + 1);
		OVL_TRY(read_dim(L, -1, what, i + 1, &out->dims[i], err));
		lua_pop(L, 1);
	}
	return OVL_OK;
}

void lovl_check_pshape(lua_State *L, int at, const char *what, ovl_pshape *out)
{
	ovl_error err;
	lovl_try(L, lovl_read_pshape(L, at, what, out, &err), &err);
}

void lovl_check_shape(lua_State *L, int at, const char *what, ovl_shape *out)
{
	ovl_pshape p;
	char text[256];
	lovl_check_pshape(L, at, what, &p);
	if (!ovl_pshape_to_shape(&p, out))
		lovl_error(L, OVL_E_SHAPE, "%s: every size must be known here, got %s", what, ovl_pshape_text(&p, text, sizeof text));
}

void lovl_push_shape(lua_State *L, const ovl_shape *s)
{
	lua_createtable(L, s->rank, 0);
	for (int i = 0; i < s->rank; i++) {
		lua_pushinteger(L, (lua_Integer)s->dims[i]);
		lua_rawseti(L, -2, i + 1);
	}
}

void lovl_push_pshape(lua_State *L, const ovl_pshape *s)
{
	if (!s->ranked) {
		lua_pushliteral(L, "...");
		return;
	}
	lua_createtable(L, s->rank, 0);
	for (int i = 0; i < s->rank; i++) {
		ovl_dim d = s->dims[i];
		if (ovl_dim_static(d) || (d.min == 0 && d.max == OVL_DIM_MAX))
			lua_pushinteger(L, ovl_dim_static(d) ? (lua_Integer)d.min : -1);
		else {
			lua_createtable(L, 2, 0);
			lua_pushinteger(L, (lua_Integer)d.min);
			lua_rawseti(L, -2, 1);
			lua_pushinteger(L, d.max == OVL_DIM_MAX ? -1 : (lua_Integer)d.max);
			lua_rawseti(L, -2, 2);
		}
		lua_rawseti(L, -2, i + 1);
	}
}

/* ---- attribute and property values ---- */

static void push_list(lua_State *L, const ovl_value *v)
{
	lua_createtable(L, (int)v->n, 0);
	for (size_t i = 0; i < v->n; i++) {
		if (v->kind == OVL_VALUE_INTS)
			lua_pushinteger(L, (lua_Integer)v->ints[i]);
		else if (v->kind == OVL_VALUE_FLOATS)
			lua_pushnumber(L, (lua_Number)v->floats[i]);
		else
			lua_pushstring(L, v->strings[i]);
		lua_rawseti(L, -2, (int)i + 1);
	}
}

void lovl_push_value(lua_State *L, const ovl_value *v)
{
	switch (v->kind) {
	case OVL_VALUE_INT: lua_pushinteger(L, (lua_Integer)v->i); return;
	case OVL_VALUE_DOUBLE: lua_pushnumber(L, (lua_Number)v->f); return;
	case OVL_VALUE_BOOL: lua_pushboolean(L, v->i != 0); return;
	case OVL_VALUE_STRING: lua_pushstring(L, v->s ? v->s : ""); return;
	case OVL_VALUE_INTS:
	case OVL_VALUE_FLOATS:
	case OVL_VALUE_STRINGS: push_list(L, v); return;
	case OVL_VALUE_SHAPE: lovl_push_pshape(L, &v->shape); return;
	case OVL_VALUE_TENSOR: lovl_push_tensor(L, ovl_tensor_retain(v->tensor)); return;
	case OVL_VALUE_NONE: break;
	}
	lua_pushnil(L);
}

/* Lists: memory from Lua, so that the collector ends it. */
static ovl_status read_list(lua_State *L, int at, const char *what, ovl_value_kind kind, ovl_value *out, ovl_error *err)
{
	bool table = lua_type(L, at) == LUA_TTABLE;
	size_t n = table ? lua_rawlen(L, at) : 1;
	size_t item = kind == OVL_VALUE_INTS ? sizeof(int64_t) : kind == OVL_VALUE_FLOATS ? sizeof(float) : sizeof(char *);
	void *list;
	if (n > 1000000)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: a list of %zu entries is too long", what, n);
	luaL_checkstack(L, 4, NULL);
	list = lua_newuserdata(L, n * item + 1);
	for (size_t i = 0; i < n; i++) {
		if (table)
			lua_rawgeti(L, at, (int)i + 1);
		else
			lua_pushvalue(L, at);
		if (kind == OVL_VALUE_INTS) {
			if (lua_type(L, -1) == LUA_TBOOLEAN)
				((int64_t *)list)[i] = lua_toboolean(L, -1);
			else if (!lovl_whole(L, -1, &((int64_t *)list)[i]))
				return ovl_fail(err, OVL_E_TYPE, "%s: entry %zu: expected a whole number, got %s", what, i + 1, lovl_typename(L, -1));
		} else if (kind == OVL_VALUE_FLOATS) {
			if (lua_type(L, -1) != LUA_TNUMBER)
				return ovl_fail(err, OVL_E_TYPE, "%s: entry %zu: expected a number, got %s", what, i + 1, lovl_typename(L, -1));
			((float *)list)[i] = (float)lua_tonumber(L, -1);
		} else {
			if (lua_type(L, -1) != LUA_TSTRING)
				return ovl_fail(err, OVL_E_TYPE, "%s: entry %zu: expected a string, got %s", what, i + 1, lovl_typename(L, -1));
			((const char **)list)[i] = lua_tostring(L, -1); /* the table keeps it */
		}
		lua_pop(L, 1);
	}
	out->n = n;
	if (kind == OVL_VALUE_INTS)
		out->ints = list;
	else if (kind == OVL_VALUE_FLOATS)
		out->floats = list;
	else
		out->strings = list;
	return OVL_OK;
}

static ovl_status wrong_value(lua_State *L, int at, const char *what, const char *expected, ovl_error *err)
{
	return ovl_fail(err, OVL_E_TYPE, "%s: expected %s, got %s", what, expected, lovl_typename(L, at));
}

ovl_status lovl_read_value(lua_State *L, int at, const char *what, ovl_value_kind kind, ovl_value *out, ovl_error *err)
{
	int type = lua_type(L, at);
	const lovl_object *o;
	at = lovl_absindex(L, at);
	memset(out, 0, sizeof *out);
	out->kind = kind;
	switch (kind) {
	case OVL_VALUE_INT:
		if (type == LUA_TBOOLEAN)
			out->i = lua_toboolean(L, at);
		else if (!lovl_whole(L, at, &out->i))
			return wrong_value(L, at, what, "a whole number", err);
		return OVL_OK;
	case OVL_VALUE_DOUBLE:
		if (type != LUA_TNUMBER)
			return wrong_value(L, at, what, "a number", err);
		out->f = (double)lua_tonumber(L, at);
		return OVL_OK;
	case OVL_VALUE_BOOL:
		if (type != LUA_TBOOLEAN && !lovl_whole(L, at, &out->i))
			return wrong_value(L, at, what, "a boolean", err);
		out->i = type == LUA_TBOOLEAN ? lua_toboolean(L, at) : out->i != 0;
		return OVL_OK;
	case OVL_VALUE_STRING:
		if (type != LUA_TSTRING)
			return wrong_value(L, at, what, "a string", err);
		out->s = lua_tostring(L, at);
		return OVL_OK;
	case OVL_VALUE_INTS:
	case OVL_VALUE_FLOATS:
	case OVL_VALUE_STRINGS: return read_list(L, at, what, kind, out, err);
	case OVL_VALUE_SHAPE: return lovl_read_pshape(L, at, what, &out->shape, err);
	case OVL_VALUE_TENSOR:
		o = lovl_to(L, at, &lovl_tensor);
		if (!o || !o->c)
			return wrong_value(L, at, what, "an ov.Tensor", err);
		out->tensor = o->c;
		return OVL_OK;
	case OVL_VALUE_NONE: break;
	}
	return ovl_fail(err, OVL_E_TYPE, "%s: this attribute cannot be given", what);
}
