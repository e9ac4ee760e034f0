/* Shapes, and moving elements about: reshape, slice, gather, scatter, pad. */
#include "read/onnx/rule.h"

#include <limits.h>
#include <string.h>

/* ---- asking ---- */

static void shape(ovl_onnx *x)
{
	ovl_end s = ovl_x_shape(x, ovl_x_in(x, 0));
	bool part = ovl_x_attr(x, "start") || ovl_x_attr(x, "end");
	if (part)
		s = ovl_x_slice(x, s, 0, ovl_x_attr_int(x, "start", 0), ovl_x_attr_int(x, "end", INT64_MAX));
	ovl_x_out(x, 0, s);
}

static void size(ovl_onnx *x) { ovl_x_out(x, 0, ovl_x_reduce(x, "ReduceProd", ovl_x_shape(x, ovl_x_in(x, 0)), ovl_x_vec(x, 0), false)); }

/* ---- other shapes, the same elements ---- */

static void reshape(ovl_onnx *x)
{
	int n;
	const int64_t *dims = ovl_x_attr_ints(x, "shape", &n);
	ovl_end a = ovl_x_in(x, 0), to = x->opset < 5 && dims ? ovl_x_i64s(x, dims, n) : ovl_x_in(x, 1);
	ovl_x_out(x, 0, ovl_x_opa(x, "Reshape", ovl_x_attr_int(x, "allowzero", 0) ? "special_zero=false" : "special_zero=true", a, to));
}

static void flatten(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), rows;
	int64_t axis = ovl_x_attr_int(x, "axis", 1);
	int rank;
	if (axis == 0) {
		ovl_x_out(x, 0, ovl_x_reshape_to(x, a, (int64_t[]){1, -1}, 2));
		return;
	}
	if (axis == 1 && ovl_x_rank(x, a) >= 1) { /* the first size is kept, also when it is open */
		ovl_x_out(x, 0, ovl_x_opa(x, "Reshape", "special_zero=true", a, ovl_x_dim(x, a, 0) == 0 ? ovl_x_vec(x, 0, 1) : ovl_x_vec(x, 0, -1)));
		return;
	}
	rank = ovl_x_need_rank(x, a);
	if (axis < -rank || axis > rank) {
		ovl_x_fail(x, OVL_E_PARSE, "axis %lld is outside of %d dimensions", (long long)axis, rank);
		return;
	}
	axis += axis < 0 ? rank : 0;
	rows = ovl_x_reduce(x, "ReduceProd", ovl_x_dims(x, a, 0, (int)axis), ovl_x_vec(x, 0), true);
	ovl_x_out(x, 0, ovl_x_reshape(x, a, ovl_x_cat(x, 0, rows, ovl_x_vec(x, -1))));
}

static void transpose(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	int n, rank = ovl_x_rank(x, a);
	int64_t reversed[OVL_MAX_RANK];
	const int64_t *order = ovl_x_attr_ints(x, "perm", &n);
	if (!order && rank < 0) { /* OpenVINO reverses on an empty order */
		ovl_x_out(x, 0, ovl_x_op(x, "Transpose", a, ovl_x_i64s(x, NULL, 0)));
		return;
	}
	for (int i = 0; !order && i < rank; i++)
		reversed[i] = rank - 1 - i;
	ovl_x_out(x, 0, ovl_x_transpose(x, a, order ? order : reversed, order ? n : rank));
}

/* Axes: an attribute before opset 13, an input since. {NULL, 0}: none. */
static ovl_end axes_of(ovl_onnx *x)
{
	int n;
	const int64_t *axes = ovl_x_attr_ints(x, "axes", &n);
	if (x->opset >= 13)
		return ovl_x_maybe(x, 1);
	return axes ? ovl_x_i64s(x, axes, n) : (ovl_end){NULL, 0};
}

static void squeeze(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), axes = axes_of(x);
	ovl_x_out(x, 0, ovl_x_op(x, "Squeeze", a, axes));
}

static void unsqueeze(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), axes = axes_of(x);
	if (!axes.node)
		ovl_x_fail(x, OVL_E_PARSE, "it has no axes");
	ovl_x_out(x, 0, ovl_x_op(x, "Unsqueeze", a, axes));
}

static void depth_to_space(ovl_onnx *x)
{
	const char *mode = strcmp(ovl_x_attr_text(x, "mode", "DCR"), "CRD") == 0 ? "depth_first" : "blocks_first";
	const char *how = ovl_x_text(x, "block_size=%lld;mode=%s", (long long)ovl_x_need_int(x, "blocksize"), mode);
	ovl_x_out(x, 0, ovl_x_opa(x, "DepthToSpace", how, ovl_x_in(x, 0)));
}

static void space_to_depth(ovl_onnx *x)
{
	const char *mode = strcmp(ovl_x_attr_text(x, "mode", "DCR"), "CRD") == 0 ? "depth_first" : "blocks_first";
	const char *how = ovl_x_text(x, "block_size=%lld;mode=%s", (long long)ovl_x_need_int(x, "blocksize"), mode);
	ovl_x_out(x, 0, ovl_x_opa(x, "SpaceToDepth", how, ovl_x_in(x, 0)));
}

/* ---- repeating ---- */

static void expand(ovl_onnx *x) { ovl_x_out(x, 0, ovl_x_opa(x, "Broadcast", "mode=bidirectional", ovl_x_in(x, 0), ovl_x_in(x, 1))); }

/* In opset 1: a number and an axis. */
static void tile_1(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), repeats;
	int rank = ovl_x_need_rank(x, a);
	ovl_end ones = ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_i64(x, 1), ovl_x_vec(x, rank));
	ovl_end index = ovl_x_vector_of(x, ovl_x_convert(x, ovl_x_in(x, 2), OVL_I64)), count = ovl_x_vector_of(x, ovl_x_convert(x, ovl_x_in(x, 1), OVL_I64));
	repeats = ovl_x_op(x, "ScatterElementsUpdate", ones, index, count, ovl_x_i64(x, 0));
	ovl_x_out(x, 0, ovl_x_op(x, "Tile", a, repeats));
}

static void tile(ovl_onnx *x) { ovl_x_out(x, 0, ovl_x_op(x, "Tile", ovl_x_in(x, 0), ovl_x_in(x, 1))); }

static void constant_of_shape(ovl_onnx *x)
{
	const Onnx__AttributeProto *a = ovl_x_attr(x, "value");
	ovl_end value = a && a->t ? ovl_x_const(x, ovl_x_tensor(x, a->t)) : ovl_x_scalar(x, OVL_F32, 0), shape_in = ovl_x_in(x, 0);
	ovl_x_out(x, 0, ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_scalar_of(x, value), shape_in));
}

static void range(ovl_onnx *x)
{
	ovl_end from = ovl_x_scalar_of(x, ovl_x_in(x, 0)), to = ovl_x_scalar_of(x, ovl_x_in(x, 1)), step = ovl_x_scalar_of(x, ovl_x_in(x, 2));
	ovl_type type = ovl_x_type(x, from);
	if (x->status == OVL_OK && type == OVL_DYNAMIC)
		ovl_x_unsupported(x, "a type that is not known");
	ovl_x_out(x, 0, ovl_x_opa(x, "Range", ovl_x_text(x, "output_type=%s", ovl_type_name(type)), from, to, step));
}

static void eye_like(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), s = ovl_x_shape(x, a);
	ovl_type type = ovl_x_attr(x, "dtype") ? ovl_x_pb_type(x, ovl_x_attr_int(x, "dtype", 1)) : ovl_x_type(x, a);
	ovl_end rows = ovl_x_scalar_of(x, ovl_x_slice(x, s, 0, 0, 1)), columns = ovl_x_scalar_of(x, ovl_x_slice(x, s, 0, 1, 2));
	ovl_x_out(x, 0, ovl_x_opa(x, "Eye", ovl_x_text(x, "output_type=%s", ovl_type_name(type)), rows, columns, ovl_x_i64(x, ovl_x_attr_int(x, "k", 0))));
}

/* ---- joining and cutting ---- */

static void concat(ovl_onnx *x)
{
	ovl_end *in = ovl_calloc((size_t)x->n_in + 1, sizeof *in);
	int64_t axis = x->opset < 4 ? ovl_x_attr_int(x, "axis", 1) : ovl_x_need_int(x, "axis");
	if (!in)
		ovl_x_fail(x, OVL_E_MEMORY, "not enough memory");
	for (int i = 0; in && i < x->n_in; i++)
		in[i] = ovl_x_in(x, i);
	if (x->status == OVL_OK)
		ovl_x_out(x, 0, ovl_x_make(x, "Concat", ovl_x_text(x, "axis=%lld", (long long)axis), in, x->n_in));
	ovl_free(in);
}

static void split_even(ovl_onnx *x, ovl_end a, int64_t axis, int n)
{
	ovl_end e = ovl_x_opa(x, "Split", ovl_x_text(x, "num_splits=%d", n), a, ovl_x_i64(x, axis));
	for (int i = 0; i < n; i++)
		ovl_x_out(x, i, ovl_x_port(e, i));
}

static void split_by(ovl_onnx *x, ovl_end a, int64_t axis, ovl_end lengths)
{
	ovl_end e;
	if (ovl_x_dim(x, lengths, 0) < 0)
		lengths = ovl_x_reshape_to(x, lengths, (int64_t[]){x->n_out}, 1);
	e = ovl_x_op(x, "VariadicSplit", a, ovl_x_i64(x, axis), lengths);
	for (int i = 0; i < x->n_out; i++)
		ovl_x_out(x, i, ovl_x_port(e, i));
}

/* Since opset 18 the parts may be uneven: all of ceil(size / n), the last with what is left. */
static void split_chunks(ovl_onnx *x, ovl_end a, int64_t axis, int n)
{
	int rank = ovl_x_rank(x, a);
	int64_t dim = rank > 0 ? ovl_x_dim(x, a, ovl_x_axis(x, axis, rank)) : -1;
	ovl_end length, whole, last;
	if (n < 1 || (dim >= 0 && dim % n == 0) || n == 1) {
		split_even(x, a, axis, n < 1 ? 1 : n);
		return;
	}
	whole = ovl_x_gather(x, ovl_x_shape(x, a), ovl_x_vec(x, axis), 0);
	length = ovl_x_opa(x, "Divide", "m_pythondiv=false", ovl_x_op(x, "Add", whole, ovl_x_i64(x, n - 1)), ovl_x_i64(x, n));
	last = ovl_x_op(x, "Subtract", whole, ovl_x_op(x, "Multiply", length, ovl_x_i64(x, n - 1)));
	split_by(x, a, axis, ovl_x_cat(x, 0, ovl_x_op(x, "Tile", length, ovl_x_vec(x, n - 1)), last));
}

static void split(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), lengths = {NULL, 0};
	int64_t axis = ovl_x_attr_int(x, "axis", 0);
	int n;
	const int64_t *list = ovl_x_attr_ints(x, "split", &n);
	if (x->opset >= 13 || x->opset == 1)
		lengths = ovl_x_maybe(x, 1);
	if (list && x->opset < 13)
		lengths = ovl_x_i64s(x, list, n);
	if (lengths.node)
		split_by(x, a, axis, lengths);
	else if (x->opset >= 18)
		split_chunks(x, a, axis, (int)ovl_x_attr_int(x, "num_outputs", x->n_out));
	else
		split_even(x, a, axis, x->n_out);
}

static void slice_1(ovl_onnx *x)
{
	int n, m, k;
	const int64_t *starts = ovl_x_attr_ints(x, "starts", &n), *ends = ovl_x_attr_ints(x, "ends", &m), *axes = ovl_x_attr_ints(x, "axes", &k);
	int64_t counted[OVL_MAX_RANK], ones[OVL_MAX_RANK];
	if (!starts || !ends || n != m || (axes && k != n) || n > OVL_MAX_RANK) {
		ovl_x_fail(x, OVL_E_PARSE, "starts, ends and axes do not match");
		return;
	}
	for (int i = 0; i < n; i++)
		counted[i] = i, ones[i] = 1;
	ovl_x_out(x, 0, ovl_x_op(x, "Slice", ovl_x_in(x, 0), ovl_x_i64s(x, starts, n), ovl_x_i64s(x, ends, n), ovl_x_i64s(x, ones, n),
		ovl_x_i64s(x, axes ? axes : counted, n)));
}

static void slice_10(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), start = ovl_x_in(x, 1), stop = ovl_x_in(x, 2), axes = ovl_x_maybe(x, 3), step = ovl_x_maybe(x, 4);
	if (!step.node) { /* as many ones as there are starts */
		ovl_end one = ovl_x_like(x, start, 1);
		step = ovl_x_opa(x, "Broadcast", "mode=numpy", one, ovl_x_shape(x, start));
	}
	ovl_x_out(x, 0, ovl_x_op(x, "Slice", a, start, stop, step, axes));
}

/* ---- gather and scatter ---- */

static void gather(ovl_onnx *x) { ovl_x_out(x, 0, ovl_x_gather(x, ovl_x_in(x, 0), ovl_x_in(x, 1), (int)ovl_x_attr_int(x, "axis", 0))); }

static void gather_elements(ovl_onnx *x)
{
	ovl_x_out(x, 0, ovl_x_opa(x, "GatherElements", ovl_x_text(x, "axis=%lld", (long long)ovl_x_attr_int(x, "axis", 0)), ovl_x_in(x, 0), ovl_x_in(x, 1)));
}

static void gather_nd(ovl_onnx *x)
{
	const char *how = ovl_x_text(x, "batch_dims=%lld", (long long)ovl_x_attr_int(x, "batch_dims", 0));
	ovl_x_out(x, 0, ovl_x_opa(x, "GatherND", how, ovl_x_in(x, 0), ovl_x_in(x, 1)));
}

static const char *reduction(ovl_onnx *x)
{
	static const char *const names[][2] = {{"none", "none"}, {"add", "sum"}, {"mul", "prod"}, {"max", "max"}, {"min", "min"}};
	const char *name = ovl_x_attr_text(x, "reduction", "none");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i][0], name) == 0)
			return names[i][1];
	ovl_x_fail(x, OVL_E_UNSUPPORTED, "reduction '%.40s' is not supported", name);
	return "none";
}

static void scatter_elements(ovl_onnx *x)
{
	ovl_end axis = ovl_x_i64(x, ovl_x_attr_int(x, "axis", 0));
	ovl_x_out(x, 0,
		ovl_x_opa(x, "ScatterElementsUpdate", ovl_x_text(x, "reduction=%s", reduction(x)), ovl_x_in(x, 0), ovl_x_in(x, 1), ovl_x_in(x, 2),
			axis));
}

static void scatter_nd(ovl_onnx *x)
{
	ovl_x_out(x, 0, ovl_x_opa(x, "ScatterNDUpdate", ovl_x_text(x, "reduction=%s", reduction(x)), ovl_x_in(x, 0), ovl_x_in(x, 1), ovl_x_in(x, 2)));
}

/* Negative indices count from the end; those outside give a row of `off`. */
static void one_hot(ovl_onnx *x)
{
	ovl_end index = ovl_x_convert(x, ovl_x_in(x, 0), OVL_I64), depth = ovl_x_convert(x, ovl_x_scalar_of(x, ovl_x_in(x, 1)), OVL_I64),
		values = ovl_x_in(x, 2);
	ovl_end off = ovl_x_scalar_of(x, ovl_x_slice(x, values, 0, 0, 1)), on = ovl_x_scalar_of(x, ovl_x_slice(x, values, 0, 1, 2));
	index = ovl_x_op(x, "Select", ovl_x_op(x, "Less", index, ovl_x_i64(x, 0)), ovl_x_op(x, "Add", index, depth), index);
	ovl_x_out(x, 0, ovl_x_opa(x, "OneHot", ovl_x_text(x, "axis=%lld", (long long)ovl_x_attr_int(x, "axis", -1)), index, depth, on, off));
}

static void non_zero(ovl_onnx *x) { ovl_x_out(x, 0, ovl_x_opa(x, "NonZero", "output_type=i64", ovl_x_in(x, 0))); }

static void compress(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), where = ovl_x_squeeze(x, ovl_x_opa(x, "NonZero", "output_type=i64", ovl_x_in(x, 1)), 0);
	if (!ovl_x_attr(x, "axis"))
		a = ovl_x_reshape_to(x, a, (int64_t[]){-1}, 1);
	ovl_x_out(x, 0, ovl_x_gather(x, a, where, (int)ovl_x_attr_int(x, "axis", 0)));
}

static void unique(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), axis = {NULL, 0}, e;
	if (ovl_x_attr(x, "axis"))
		axis = ovl_x_vec(x, ovl_x_attr_int(x, "axis", 0));
	e = ovl_x_opa(x, "Unique",
		ovl_x_text(x, "sorted=%s;index_element_type=i64;count_element_type=i64", ovl_x_attr_int(x, "sorted", 1) ? "true" : "false"), a, axis);
	for (int i = 0; i < 4; i++)
		ovl_x_out(x, i, ovl_x_port(e, i));
}

static void reverse_sequence(ovl_onnx *x)
{
	const char *how = ovl_x_text(
		x, "batch_axis=%lld;seq_axis=%lld", (long long)ovl_x_attr_int(x, "batch_axis", 1), (long long)ovl_x_attr_int(x, "time_axis", 0));
	ovl_x_out(x, 0, ovl_x_opa(x, "ReverseSequence", how, ovl_x_in(x, 0), ovl_x_in(x, 1)));
}

/* ---- padding ---- */

/* Repeats the tensor around itself: positions from -before to the end + after, modulo its size, for the dimensions where there are pads. */
static ovl_end pad_wrap(ovl_onnx *x, ovl_end a, ovl_end begin, ovl_end end, const int64_t *known, int rank)
{
	for (int i = 0; i < rank && x->status == OVL_OK; i++) {
		ovl_end dim = ovl_x_scalar_of(x, ovl_x_dims(x, a, i, i + 1)), first, last;
		if (known && !known[i] && !known[rank + i])
			continue;
		first = ovl_x_op(x, "Negative", ovl_x_scalar_of(x, ovl_x_slice(x, begin, 0, i, i + 1)));
		last = ovl_x_op(x, "Add", dim, ovl_x_scalar_of(x, ovl_x_slice(x, end, 0, i, i + 1)));
		a = ovl_x_gather(x, a, ovl_x_op(x, "FloorMod", ovl_x_range(x, first, last, OVL_I64), dim), i);
	}
	return a;
}

static void pad_const(ovl_onnx *x, ovl_end a, const char *mode, const int64_t *pads, int n, ovl_end value)
{
	int rank = n / 2;
	if (strcmp(mode, "wrap") == 0)
		ovl_x_out(x, 0, pad_wrap(x, a, ovl_x_i64s(x, pads, rank), ovl_x_i64s(x, pads + rank, rank), pads, rank));
	else
		ovl_x_out(x, 0, ovl_x_opa(x, "Pad", ovl_x_text(x, "pad_mode=%s", mode), a, ovl_x_i64s(x, pads, rank), ovl_x_i64s(x, pads + rank, rank), value));
}

static void pad_1(ovl_onnx *x)
{
	int n;
	ovl_end a = ovl_x_in(x, 0);
	const int64_t *pads = ovl_x_attr_ints(x, x->opset < 2 ? "paddings" : "pads", &n);
	const char *mode = ovl_x_attr_text(x, "mode", "constant");
	if (!pads || n % 2 || n > 2 * OVL_MAX_RANK)
		ovl_x_fail(x, OVL_E_PARSE, "its pads are missing or odd in number");
	if (x->status == OVL_OK)
		pad_const(x, a, mode, pads, n, ovl_x_like(x, a, ovl_x_attr_float(x, "value", 0)));
}

/* Pads given for some axes only, spread over all of them. */
static bool spread(ovl_onnx *x, ovl_end axes, int rank, const int64_t *given, int n, int64_t *pads)
{
	int64_t list[OVL_MAX_RANK];
	int k;
	memset(pads, 0, 2 * OVL_MAX_RANK * sizeof *pads);
	if (!ovl_x_values(x, axes, list, OVL_MAX_RANK, &k) || k * 2 != n) {
		ovl_x_unsupported(x, "axes that are not constant, or do not match the pads,");
		return false;
	}
	for (int i = 0; i < k; i++) {
		int axis = ovl_x_axis(x, list[i], rank);
		pads[axis] = given[i];
		pads[rank + axis] = given[k + i];
	}
	return x->status == OVL_OK;
}

static void pad_unknown(ovl_onnx *x, ovl_end a, const char *mode, ovl_end pads, ovl_end value)
{
	int rank = ovl_x_need_rank(x, a);
	ovl_end begin = ovl_x_slice(x, pads, 0, 0, rank), end = ovl_x_slice(x, pads, 0, rank, 2 * rank);
	if (strcmp(mode, "wrap") == 0)
		ovl_x_out(x, 0, pad_wrap(x, a, begin, end, NULL, rank));
	else
		ovl_x_out(x, 0, ovl_x_opa(x, "Pad", ovl_x_text(x, "pad_mode=%s", mode), a, begin, end, value));
}

/* The same for pads that are not known: zeros with them scattered in. */
static ovl_end spread_unknown(ovl_onnx *x, ovl_end axes, int rank, ovl_end pads)
{
	int64_t zeros[2 * OVL_MAX_RANK] = {0};
	ovl_end at = ovl_x_convert(x, axes, OVL_I64), all;
	at = ovl_x_op(x, "Select", ovl_x_op(x, "Less", at, ovl_x_i64(x, 0)), ovl_x_op(x, "Add", at, ovl_x_i64(x, rank)), at);
	all = ovl_x_cat(x, 0, at, ovl_x_op(x, "Add", at, ovl_x_i64(x, rank)));
	return ovl_x_op(x, "ScatterElementsUpdate", ovl_x_i64s(x, zeros, 2 * rank), all, pads, ovl_x_i64(x, 0));
}

static void pad_11(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), pads = ovl_x_in(x, 1), value = ovl_x_maybe(x, 2), axes = ovl_x_maybe(x, 3);
	const char *mode = ovl_x_attr_text(x, "mode", "constant");
	int64_t given[2 * OVL_MAX_RANK], all[2 * OVL_MAX_RANK];
	int n;
	value = value.node ? ovl_x_scalar_of(x, value) : ovl_x_like(x, a, 0);
	if (!ovl_x_values(x, pads, given, 2 * OVL_MAX_RANK, &n) || n % 2) {
		pad_unknown(x, a, mode, axes.node ? spread_unknown(x, axes, ovl_x_need_rank(x, a), pads) : pads, value);
		return;
	}
	if (!axes.node)
		pad_const(x, a, mode, given, n, value);
	else if (spread(x, axes, ovl_x_need_rank(x, a), given, n, all))
		pad_const(x, a, mode, all, 2 * ovl_x_need_rank(x, a), value);
}

/* Cut and padded around the centre. */
static void center_crop_pad(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), wanted = ovl_x_convert(x, ovl_x_in(x, 1), OVL_I64), dims = ovl_x_shape(x, a), zero = ovl_x_i64(x, 0),
		two = ovl_x_i64(x, 2), more, first, kept;
	int n, rank = ovl_x_need_rank(x, a);
	const int64_t *axes = ovl_x_attr_ints(x, "axes", &n);
	if (axes) { /* the other dimensions stay as they are */
		int64_t at[OVL_MAX_RANK];
		for (int i = 0; i < n && i < OVL_MAX_RANK; i++)
			at[i] = ovl_x_axis(x, axes[i], rank);
		wanted = ovl_x_op(x, "ScatterElementsUpdate", dims, ovl_x_i64s(x, at, n < OVL_MAX_RANK ? n : OVL_MAX_RANK), wanted, zero);
	}
	more = ovl_x_op(x, "Subtract", wanted, dims);
	first = ovl_x_opa(x, "Divide", "m_pythondiv=false", ovl_x_op(x, "Maximum", ovl_x_op(x, "Negative", more), zero), two);
	kept = ovl_x_op(x, "Minimum", dims, wanted);
	a = ovl_x_op(x, "Slice", a, first, ovl_x_op(x, "Add", first, kept), ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_i64(x, 1), ovl_x_shape(x, dims)));
	more = ovl_x_op(x, "Maximum", more, zero);
	first = ovl_x_opa(x, "Divide", "m_pythondiv=false", more, two);
	ovl_x_out(x, 0, ovl_x_opa(x, "Pad", "pad_mode=constant", a, first, ovl_x_op(x, "Subtract", more, first), ovl_x_like(x, a, 0)));
}

static void col2im(ovl_onnx *x)
{
	int n, m, k;
	const int64_t *strides = ovl_x_attr_ints(x, "strides", &n), *dilations = ovl_x_attr_ints(x, "dilations", &m), *pads = ovl_x_attr_ints(x, "pads", &k);
	int64_t ones[OVL_MAX_RANK], zeros[2 * OVL_MAX_RANK] = {0}, spatial = ovl_x_dim(x, ovl_x_in(x, 1), 0);
	const char *how;
	if (spatial < 0 || spatial > OVL_MAX_RANK) /* not known: lists without entries stand for ones and zeros */
		spatial = 0;
	for (int i = 0; i < spatial; i++)
		ones[i] = 1;
	strides = strides ? strides : (n = (int)spatial, ones);
	dilations = dilations ? dilations : (m = (int)spatial, ones);
	pads = pads ? pads : (k = 2 * (int)spatial, zeros);
	how = ovl_x_text(x, "%s%s%s%s", n ? ovl_x_text(x, "strides=%s;", ovl_x_list(x, strides, n)) : "",
		m ? ovl_x_text(x, "dilations=%s;", ovl_x_list(x, dilations, m)) : "", k ? ovl_x_text(x, "pads_begin=%s;", ovl_x_list(x, pads, k / 2)) : "",
		k ? ovl_x_text(x, "pads_end=%s", ovl_x_list(x, pads + k / 2, k / 2)) : "");
	ovl_x_out(x, 0, ovl_x_opa(x, "Col2Im", how, ovl_x_in(x, 0), ovl_x_in(x, 1), ovl_x_in(x, 2)));
}

/* Writes `update` along `axis` from a position on; a position per batch row, and a mode that wraps around. */
static void tensor_scatter(ovl_onnx *x)
{
	ovl_end past = ovl_x_in(x, 0), update = ovl_x_in(x, 1), at = ovl_x_maybe(x, 2), index, shape_u;
	int rank = ovl_x_need_rank(x, past), axis = ovl_x_axis(x, ovl_x_attr_int(x, "axis", -2), rank);
	bool circular = strcmp(ovl_x_attr_text(x, "mode", "linear"), "circular") == 0;
	shape_u = ovl_x_shape(x, update);
	index = ovl_x_range(x, ovl_x_i64(x, 0), ovl_x_scalar_of(x, ovl_x_slice(x, shape_u, 0, axis, axis + 1)), OVL_I64);
	index = ovl_x_channels(x, index, rank, axis);
	if (at.node)
		index = ovl_x_op(x, "Add", index, ovl_x_channels(x, ovl_x_vector_of(x, at), rank, 0));
	if (circular)
		index = ovl_x_op(x, "FloorMod", index, ovl_x_slice(x, ovl_x_shape(x, past), 0, axis, axis + 1));
	index = ovl_x_opa(x, "Broadcast", "mode=bidirectional", index, shape_u);
	ovl_x_out(x, 0, ovl_x_op(x, "ScatterElementsUpdate", past, index, update, ovl_x_i64(x, axis)));
}

const ovl_onnx_rule ovl_onnx_shape[] = {
	{"Shape", NULL, 1, shape},
	{"Size", NULL, 1, size},
	{"Reshape", NULL, 1, reshape},
	{"Flatten", NULL, 1, flatten},
	{"Transpose", NULL, 1, transpose},
	{"Squeeze", NULL, 1, squeeze},
	{"Unsqueeze", NULL, 1, unsqueeze},
	{"DepthToSpace", NULL, 1, depth_to_space},
	{"SpaceToDepth", NULL, 1, space_to_depth},
	{"Expand", NULL, 8, expand},
	{"Tile", NULL, 1, tile_1},
	{"Tile", NULL, 6, tile},
	{"ConstantOfShape", NULL, 9, constant_of_shape},
	{"Range", NULL, 11, range},
	{"EyeLike", NULL, 9, eye_like},
	{"Concat", NULL, 1, concat},
	{"Split", NULL, 1, split},
	{"Slice", NULL, 1, slice_1},
	{"Slice", NULL, 10, slice_10},
	{"Gather", NULL, 1, gather},
	{"GatherElements", NULL, 11, gather_elements},
	{"GatherND", NULL, 11, gather_nd},
	{"Scatter", NULL, 9, scatter_elements},
	{"ScatterElements", NULL, 11, scatter_elements},
	{"ScatterND", NULL, 11, scatter_nd},
	{"OneHot", NULL, 9, one_hot},
	{"NonZero", NULL, 9, non_zero},
	{"Compress", NULL, 9, compress},
	{"Unique", NULL, 11, unique},
	{"ReverseSequence", NULL, 10, reverse_sequence},
	{"Pad", NULL, 1, pad_1},
	{"Pad", NULL, 11, pad_11},
	{"CenterCropPad", NULL, 18, center_crop_pad},
	{"Col2Im", NULL, 18, col2im},
	{"TensorScatter", NULL, 24, tensor_scatter},
	{NULL, NULL, 0, NULL},
};
