/* Reductions, and the positions of the largest and the smallest. */
#include "read/onnx/rule.h"

#include <string.h>

static ovl_end logarithm_of_sum_of_exponentials(ovl_onnx *x, ovl_end a, ovl_end axes, bool keep)
{
	/* Without their largest, the exponentials cannot overflow; an infinite largest one is not subtracted. */
	ovl_end top = ovl_x_reduce(x, "ReduceMax", a, axes, true), finite, sum;
	finite = ovl_x_op(
		x, "Select", ovl_x_op(x, "Less", ovl_x_op(x, "Abs", top), ovl_x_like(x, top, (double)__builtin_inff())), top, ovl_x_like(x, top, 0));
	sum = ovl_x_op(x, "Log", ovl_x_reduce(x, "ReduceSum", ovl_x_op(x, "Exp", ovl_x_op(x, "Subtract", a, finite)), axes, keep));
	return ovl_x_op(x, "Add", sum, keep ? finite : ovl_x_reduce(x, "ReduceSum", finite, axes, false));
}

static ovl_end reduced(ovl_onnx *x, ovl_end a, ovl_end axes, bool keep)
{
	if (strcmp(x->op, "ReduceSumSquare") == 0)
		return ovl_x_reduce(x, "ReduceSum", ovl_x_op(x, "Multiply", a, a), axes, keep);
	if (strcmp(x->op, "ReduceLogSum") == 0)
		return ovl_x_op(x, "Log", ovl_x_reduce(x, "ReduceSum", a, axes, keep));
	if (strcmp(x->op, "ReduceLogSumExp") == 0)
		return logarithm_of_sum_of_exponentials(x, a, axes, keep);
	if (ovl_x_type(x, a) == OVL_BOOLEAN)
		return ovl_x_reduce(x, strcmp(x->op, "ReduceMax") == 0 ? "ReduceLogicalOr" : "ReduceLogicalAnd", a, axes, keep);
	return ovl_x_reduce(x, x->op, a, axes, keep);
}

static void reduce_attr(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	int n;
	const int64_t *list = ovl_x_attr_ints(x, "axes", &n);
	ovl_end axes = list && n ? ovl_x_i64s(x, list, n) : ovl_x_all_axes(x, a);
	ovl_x_out(x, 0, reduced(x, a, axes, ovl_x_attr_int(x, "keepdims", 1)));
}

/* Where the number of axes is not known: the axes, or all where there are none and that is what it means. */
static ovl_end axes_or_all(ovl_onnx *x, ovl_end a, ovl_end axes)
{
	ovl_end all, some, first, zero = ovl_x_vec(x, 0);
	if (ovl_x_rank(x, axes) != 1 || ovl_x_dim(x, axes, 0) >= 0 || ovl_x_attr_int(x, "noop_with_empty_axes", 0))
		return axes;
	all = ovl_x_all_axes(x, a);
	some = ovl_x_op(x, "Greater", ovl_x_shape(x, axes), zero);
	first = ovl_x_op(x, "Select", some, ovl_x_shape(x, all), zero);
	return ovl_x_op(x, "Slice", ovl_x_cat(x, 0, all, ovl_x_convert(x, axes, OVL_I64)), first, ovl_x_vec(x, INT64_MAX), ovl_x_vec(x, 1), zero);
}

/* Axes as an input: none given, or an empty list, means all of them or (noop_with_empty_axes) none. */
static void reduce_input(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), axes = ovl_x_maybe(x, 1);
	bool keep = ovl_x_attr_int(x, "keepdims", 1);
	if (!axes.node || ovl_x_dim(x, axes, 0) == 0) {
		if (ovl_x_attr_int(x, "noop_with_empty_axes", 0)) { /* nothing is reduced, but what is done to each element remains */
			bool squares = strcmp(x->op, "ReduceSumSquare") == 0, magnitude = strcmp(x->op, "ReduceL1") == 0 || strcmp(x->op, "ReduceL2") == 0;
			ovl_end y = squares ? ovl_x_op(x, "Multiply", a, a) : magnitude ? ovl_x_op(x, "Abs", a) : a;
			ovl_x_out(x, 0, strcmp(x->op, "ReduceLogSum") == 0 ? ovl_x_op(x, "Log", a) : y);
			return;
		}
		axes = ovl_x_all_axes(x, a);
	}
	ovl_x_out(x, 0, reduced(x, a, axes_or_all(x, a, axes), keep));
}

/* ---- ArgMax, ArgMin, TopK ---- */

static ovl_end reversed(ovl_onnx *x, ovl_end a, int axis)
{
	return ovl_x_op(x, "Slice", a, ovl_x_vec(x, -1), ovl_x_vec(x, INT64_MIN + 1), ovl_x_vec(x, -1), ovl_x_vec(x, axis));
}

static void arg_extreme(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), index;
	int rank = ovl_x_need_rank(x, a), axis = ovl_x_axis(x, ovl_x_attr_int(x, "axis", 0), rank);
	bool last = ovl_x_attr_int(x, "select_last_index", 0);
	const char *how = ovl_x_text(x, "axis=%d;mode=%s;sort=value;stable=true;index_element_type=i64", axis, strcmp(x->op, "ArgMax") == 0 ? "max" : "min");
	index = ovl_x_port(ovl_x_opa(x, "TopK", how, last ? reversed(x, a, axis) : a, ovl_x_i64(x, 1)), 1);
	if (last)
		index = ovl_x_op(x, "Subtract", ovl_x_op(x, "Subtract", ovl_x_gather(x, ovl_x_shape(x, a), ovl_x_vec(x, axis), 0), ovl_x_i64(x, 1)), index);
	ovl_x_out(x, 0, ovl_x_attr_int(x, "keepdims", 1) ? index : ovl_x_squeeze(x, index, axis));
}

static void top_k(ovl_onnx *x)
{
	bool largest = ovl_x_attr_int(x, "largest", 1);
	ovl_end k = x->opset < 10 ? ovl_x_i64(x, ovl_x_need_int(x, "k")) : ovl_x_scalar_of(x, ovl_x_in(x, 1));
	/* Unsorted results may come in any order: sorted is one of them. */
	const char *how = ovl_x_text(x, "axis=%lld;mode=%s;sort=value;stable=true;index_element_type=i64", (long long)ovl_x_attr_int(x, "axis", -1),
		largest ? "max" : "min");
	ovl_end e = ovl_x_opa(x, "TopK", how, ovl_x_in(x, 0), k);
	ovl_x_out(x, 0, e);
	ovl_x_out(x, 1, ovl_x_port(e, 1));
}

#define REDUCE(name) {name, NULL, 1, reduce_attr}, {name, NULL, 18, reduce_input}
const ovl_onnx_rule ovl_onnx_reduce[] = {
	REDUCE("ReduceL1"), REDUCE("ReduceL2"), REDUCE("ReduceLogSum"), REDUCE("ReduceLogSumExp"), REDUCE("ReduceMax"), REDUCE("ReduceMean"),
	REDUCE("ReduceMin"), REDUCE("ReduceProd"), REDUCE("ReduceSumSquare"), {"ReduceSum", NULL, 1, reduce_attr}, {"ReduceSum", NULL, 13, reduce_input},
	{"ArgMax", NULL, 1, arg_extreme}, {"ArgMin", NULL, 1, arg_extreme}, {"TopK", NULL, 1, top_k}, {NULL, NULL, 0, NULL},
};
