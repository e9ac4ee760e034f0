/* tensor_math.c - Tensor's operations on all elements at once. Those that give a tensor take {out = tensor} as their last argument, to fill that one.
 */
#include "lovl.h"
#include <inttypes.h>

static ovl_tensor *self(lua_State *L) { return lovl_self(L, &lovl_tensor); }

/* The only option of most: returns the place of the tensor that takes the result, 0: none. */
static int take_out(lua_State *L, int first)
{
	int out = 0;
	const lovl_option options[] = {{"out", LOVL_OPT_TENSOR, &out}, {NULL, 0, NULL}};
	lovl_take_options(L, first, options);
	return out;
}

/* For two results: {out = {values, positions}}. */
static void take_two(lua_State *L, int at, int *first, int *second)
{
	*first = *second = 0;
	if (!at)
		return;
	if (lua_type(L, at) != LUA_TTABLE)
		lovl_type_error(L, at, "out", "a list of two tensors, for values and positions");
	lua_rawgeti(L, at, 1);
	lovl_check_tensor(L, -1, "out[1]");
	*first = lua_gettop(L);
	lua_rawgeti(L, at, 2);
	lovl_check_tensor(L, -1, "out[2]");
	*second = lua_gettop(L);
}

static int64_t check_dim(lua_State *L, int at, const ovl_tensor *t)
{
	ovl_shape s;
	ovl_tensor_shape(t, &s);
	return lovl_check_position(L, at, s.rank, "dimension");
}

/* The dimension at `at`, or the last one. */
static int64_t last_dim(lua_State *L, int at, const ovl_tensor *t)
{
	ovl_shape s;
	if (!lua_isnoneornil(L, at))
		return check_dim(L, at, t);
	ovl_tensor_shape(t, &s);
	if (s.rank == 0)
		lovl_error(L, OVL_E_ARGUMENT, "a scalar has no dimensions");
	return s.rank - 1;
}

/* ---- parts ---- */

static int slice(lua_State *L)
{
	const ovl_tensor *t = self(L);
	int64_t dim = check_dim(L, 2, t), first, last;
	int out = take_out(L, 4);
	ovl_shape s;
	ovl_error err;
	ovl_tensor_shape(t, &s);
	first = lovl_check_whole(L, 3, "first");
	last = lua_isnoneornil(L, 4) ? s.dims[dim] : lovl_check_whole(L, 4, "last");
	if (first < 1 || last > s.dims[dim] || first > last + 1)
		lovl_error(L, OVL_E_NOT_FOUND, "dimension %d: there is no slice from %" PRId64 " to %" PRId64 ": its positions are 1 to %" PRId64,
			(int)dim + 1, first, last, s.dims[dim]);
	return lovl_made(L, out, ovl_math_slice(t, dim, first - 1, last, lovl_out(L, out), &err), &err);
}

static int select_(lua_State *L)
{
	const ovl_tensor *t = self(L);
	int64_t dim = check_dim(L, 2, t), i;
	int out = take_out(L, 4);
	ovl_shape s;
	ovl_error err;
	ovl_tensor_shape(t, &s);
	i = lovl_check_position(L, 3, s.dims[dim], "position");
	return lovl_made(L, out, ovl_math_select(t, dim, i, lovl_out(L, out), &err), &err);
}

static void read_order(lua_State *L, int at, int rank, int64_t *order)
{
	bool used[OVL_MAX_RANK] = {false};
	if (lua_isnoneornil(L, at)) { /* backwards */
		for (int i = 0; i < rank; i++)
			order[i] = rank - 1 - i;
		return;
	}
	lovl_read_positions(L, at, "order", rank, order);
	for (int i = 0; i < rank; i++) {
		if (order[i] < 1 || order[i] > rank)
			lovl_error(L, OVL_E_NOT_FOUND, "order: there is no dimension %" PRId64 ", they are 1 to %d", order[i], rank);
		if (used[--order[i]])
			lovl_error(L, OVL_E_ARGUMENT, "order: dimension %" PRId64 " occurs twice", order[i] + 1);
		used[order[i]] = true;
	}
}

static int transpose(lua_State *L)
{
	const ovl_tensor *t = self(L);
	int64_t order[OVL_MAX_RANK];
	int out = take_out(L, 3);
	ovl_shape s;
	ovl_error err;
	ovl_tensor_shape(t, &s);
	read_order(L, 2, s.rank, order);
	return lovl_made(L, out, ovl_math_transpose(t, order, s.rank, lovl_out(L, out), &err), &err);
}

/* t:gather(dim, positions [, {out =}]): positions are a Tensor of integers, a list or a number. */
static int gather(lua_State *L)
{
	const ovl_tensor *t = self(L), *at;
	int64_t dim = check_dim(L, 2, t);
	int out = take_out(L, 4);
	ovl_error err;
	if (!lovl_to(L, 3, &lovl_tensor)) {
		lovl_array a;
		ovl_pshape place = ovl_pshape_any();
		ovl_shape shape;
		ovl_tensor **made;
		lovl_try(L, lovl_array_read(L, 3, false, &a, &err), &err);
		lovl_try(L, lovl_array_fit(&a, OVL_I64, &place, &shape, &err), &err);
		made = lovl_out(L, 0);
		lovl_try(L, ovl_tensor_new(OVL_I64, &shape, made, &err), &err);
		lovl_try(L, lovl_array_write(L, &a, *made, &err), &err);
		at = *made;
	} else
		at = lovl_check_tensor(L, 3, "positions");
	return lovl_made(L, out, ovl_math_gather(t, dim, at, 1, lovl_out(L, out), &err), &err);
}

/* ---- the largest ---- */

/* Positions that count from 0 become positions that count from 1. They may lie in a region. */
static void count_from_one(lua_State *L, ovl_tensor *positions)
{
	const double one = 1;
	ovl_error err;
	ovl_shape s;
	ovl_tensor *same = positions;
	ovl_tensor_shape(positions, &s);
	lovl_try(L, ovl_math_affine(positions, 0, &one, 1, &one, 1, OVL_I64, &same, &err), &err);
}

static int argmax(lua_State *L)
{
	const ovl_tensor *t = self(L);
	int64_t position = 0;
	int at;
	ovl_error err;
	ovl_tensor **out;
	if (lua_isnoneornil(L, 2)) {
		lovl_try(L, ovl_math_argmax(t, &position, &err), &err);
		lua_pushinteger(L, (lua_Integer)position + 1);
		return 1;
	}
	at = take_out(L, 3);
	position = check_dim(L, 2, t);
	out = lovl_out(L, at);
	lovl_try(L, ovl_math_argmax_along(t, position, out, &err), &err);
	count_from_one(L, *out);
	return 1;
}

static int topk(lua_State *L)
{
	const ovl_tensor *t = self(L);
	int64_t k = lovl_check_whole(L, 2, "k"), dim;
	int out = 0, first, second;
	const lovl_option options[] = {{"out", LOVL_OPT_VALUE, &out}, {NULL, 0, NULL}};
	ovl_error err;
	ovl_tensor **values, **positions;
	lovl_take_options(L, 3, options);
	dim = last_dim(L, 3, t);
	take_two(L, out, &first, &second);
	values = lovl_out(L, first);
	positions = lovl_out(L, second);
	lovl_try(L, ovl_math_topk(t, k, dim, values, positions, &err), &err);
	count_from_one(L, *positions);
	return 2;
}

/* t:sort([dim [, {descending =, out = {values, positions}}]]) */
static int sort(lua_State *L)
{
	const ovl_tensor *t = self(L);
	int64_t dim;
	int out = 0, first, second;
	bool descending = false;
	const lovl_option options[] = {{"descending", LOVL_OPT_BOOLEAN, &descending}, {"out", LOVL_OPT_VALUE, &out}, {NULL, 0, NULL}};
	ovl_error err;
	ovl_tensor **values, **positions;
	lovl_take_options(L, 2, options);
	dim = last_dim(L, 2, t);
	take_two(L, out, &first, &second);
	values = lovl_out(L, first);
	positions = lovl_out(L, second);
	lovl_try(L, ovl_math_sort(t, dim, descending, values, positions, &err), &err);
	count_from_one(L, *positions);
	return 2;
}

/* boxes:nms(scores [, {iou =, score =, max =, classes =, centred =, out =}]) */
static int nms(lua_State *L)
{
	const ovl_tensor *boxes = self(L), *scores = lovl_check_tensor(L, 2, "scores");
	ovl_nms how = {.iou = 0.5, .score = -HUGE_VAL};
	int classes = 0, out = 0;
	const lovl_option options[] = {{"iou", LOVL_OPT_NUMBER, &how.iou}, {"score", LOVL_OPT_NUMBER, &how.score}, {"max", LOVL_OPT_WHOLE, &how.most},
		{"classes", LOVL_OPT_TENSOR, &classes}, {"centred", LOVL_OPT_BOOLEAN, &how.centred}, {"out", LOVL_OPT_TENSOR, &out}, {NULL, 0, NULL}};
	ovl_error err;
	ovl_tensor **kept;
	lovl_take_options(L, 3, options);
	if (how.most < 0)
		lovl_error(L, OVL_E_ARGUMENT, "max must be 0 (any number) or more, got %" PRId64, how.most);
	kept = lovl_out(L, out);
	lovl_try(L, ovl_math_nms(boxes, scores, classes ? lovl_check_tensor(L, classes, "classes") : NULL, &how, kept, &err), &err);
	count_from_one(L, *kept);
	return 1;
}

/* t:ctc([{blank = 1}]): a list of positions for each row, and a list of scores. */
static int ctc(lua_State *L)
{
	const ovl_tensor *t = self(L);
	int64_t blank = 1, rows, steps;
	const lovl_option options[] = {{"blank", LOVL_OPT_WHOLE, &blank}, {NULL, 0, NULL}};
	ovl_tensor **positions, **counts, **scores;
	ovl_shape s;
	ovl_error err;
	lovl_take_options(L, 2, options);
	positions = lovl_out(L, 0), counts = lovl_out(L, 0), scores = lovl_out(L, 0);
	lovl_try(L, ovl_math_ctc(t, blank - 1, positions, counts, scores, &err), &err);
	ovl_tensor_shape(*positions, &s);
	rows = s.dims[0], steps = s.dims[1];
	if (rows > 0x7ffffff0)
		lovl_error(L, OVL_E_MEMORY, "%" PRId64 " rows are too many for a Lua table", rows);
	lua_createtable(L, (int)rows, 0);
	lua_createtable(L, (int)rows, 0);
	for (int r = 0; r < (int)rows; r++) {
		int n = (int)((int64_t *)ovl_tensor_data(*counts))[r];
		lua_createtable(L, n, 0);
		for (int i = 0; i < n; i++) {
			lua_pushinteger(L, (lua_Integer)((int64_t *)ovl_tensor_data(*positions))[r * steps + i] + 1);
			lua_rawseti(L, -2, i + 1);
		}
		lua_rawseti(L, -3, r + 1);
		lua_pushnumber(L, (lua_Number)((float *)ovl_tensor_data(*scores))[r]);
		lua_rawseti(L, -2, r + 1);
	}
	return 2;
}

/* ---- new values ---- */

static int softmax(lua_State *L)
{
	const ovl_tensor *t = self(L);
	int out = take_out(L, 2);
	int64_t dim = last_dim(L, 2, t);
	ovl_error err;
	return lovl_made(L, out, ovl_math_softmax(t, dim, lovl_out(L, out), &err), &err);
}

/* A number, or a list of numbers; returns how many. The values are the collector's. */
static int64_t read_numbers(lua_State *L, int at, const char *what, double otherwise, const double **values)
{
	double *v;
	int n = lua_type(L, at) == LUA_TTABLE ? (int)lua_rawlen(L, at) : 1;
	v = lua_newuserdata(L, sizeof(double) * (size_t)(n ? n : 1));
	*values = v;
	if (lua_isnoneornil(L, at))
		*v = otherwise;
	else if (lua_type(L, at) != LUA_TTABLE)
		*v = lovl_check_number(L, at, what);
	else
		for (int i = 0; i < n; i++) {
			lua_rawgeti(L, at, i + 1);
			v[i] = lovl_check_number(L, -1, what);
			lua_pop(L, 1);
		}
	return n;
}

/* t:affine(scale, shift [, {dim =, type =, out =}]) */
static int affine(lua_State *L)
{
	const ovl_tensor *t = self(L);
	const double *scale, *shift;
	int64_t n_scale, n_shift, dim = 1;
	int out = 0, dim_at = 0;
	ovl_type type = ovl_type_is_float(ovl_tensor_type(t)) ? ovl_tensor_type(t) : OVL_F32;
	const lovl_option options[] = {
		{"dim", LOVL_OPT_VALUE, &dim_at}, {"type", LOVL_OPT_TYPE, &type}, {"out", LOVL_OPT_TENSOR, &out}, {NULL, 0, NULL}};
	ovl_shape s;
	ovl_error err;
	lovl_take_options(L, 4, options);
	if (lua_gettop(L) < 3)
		lua_settop(L, 3);
	ovl_tensor_shape(t, &s);
	dim = dim_at ? check_dim(L, dim_at, t) : s.rank - 1;
	n_scale = read_numbers(L, 2, "scale", 1, &scale);
	n_shift = read_numbers(L, 3, "shift", 0, &shift);
	return lovl_made(L, out, ovl_math_affine(t, dim, scale, n_scale, shift, n_shift, type, lovl_out(L, out), &err), &err);
}

/* ---- one number ---- */

static int reduce(lua_State *L, ovl_status (*fn)(const ovl_tensor *, double *, ovl_error *))
{
	double v = 0;
	ovl_error err;
	lovl_try(L, fn(self(L), &v, &err), &err);
	lua_pushnumber(L, (lua_Number)v);
	return 1;
}

static int min(lua_State *L) { return reduce(L, ovl_math_min); }
static int max(lua_State *L) { return reduce(L, ovl_math_max); }
static int sum(lua_State *L) { return reduce(L, ovl_math_sum); }
static int mean(lua_State *L) { return reduce(L, ovl_math_mean); }

static const luaL_Reg METHODS[] = {{"slice", slice}, {"select", select_}, {"transpose", transpose}, {"gather", gather}, {"argmax", argmax},
	{"topk", topk}, {"sort", sort}, {"nms", nms}, {"ctc", ctc}, {"softmax", softmax}, {"affine", affine}, {"min", min}, {"max", max},
	{"sum", sum}, {"mean", mean}, {NULL, NULL}};

void lovl_tensor_math(lua_State *L)
{
	int top = lua_gettop(L);
	lua_getfield(L, top, "classes");
	lua_getfield(L, -1, "Tensor");
	lua_getfield(L, -1, "methods");
	lovl_functions(L, METHODS);
	lua_settop(L, top);
}
