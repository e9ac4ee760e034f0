/* Normalisations. */
#include "read/onnx/rule.h"

#include <string.h>

/* (a - mean) / sqrt(variance + eps) * gamma + beta over known axes, with everything along the way */
typedef struct moments {
	ovl_end mean, inverse, normal;
} moments;

static moments normalized(ovl_onnx *x, ovl_end a, ovl_end axes, double eps)
{
	moments m;
	ovl_end centred, variance;
	m.mean = ovl_x_reduce(x, "ReduceMean", a, axes, true);
	centred = ovl_x_op(x, "Subtract", a, m.mean);
	variance = ovl_x_reduce(x, "ReduceMean", ovl_x_op(x, "Multiply", centred, centred), axes, true);
	m.inverse = ovl_x_op(x, "Divide", ovl_x_like(x, a, 1), ovl_x_op(x, "Sqrt", ovl_x_op(x, "Add", variance, ovl_x_like(x, a, eps))));
	m.normal = ovl_x_op(x, "Multiply", centred, m.inverse);
	return m;
}

static ovl_end mvn(ovl_onnx *x, ovl_end a, ovl_end axes, double eps, const char *eps_mode)
{
	return ovl_x_opa(x, "MVN", ovl_x_text(x, "normalize_variance=true;eps=%s;eps_mode=%s", ovl_x_num(x, eps), eps_mode), a, axes);
}

/* ---- batch ---- */

static ovl_end batch_norm_of(ovl_onnx *x, ovl_end a, ovl_end mean, ovl_end variance, double eps)
{
	const char *how = ovl_x_text(x, "epsilon=%s", ovl_x_num(x, eps));
	ovl_end gamma = ovl_x_in(x, 1), beta = ovl_x_in(x, 2);
	ovl_type t = ovl_x_type(x, a); /* since opset 14 statistics may be of another type */
	if (t != OVL_DYNAMIC) {
		gamma = ovl_x_convert(x, gamma, t);
		beta = ovl_x_convert(x, beta, t);
		mean = ovl_x_convert(x, mean, t);
		variance = ovl_x_convert(x, variance, t);
	}
	return ovl_x_opa(x, "BatchNormInference", how, a, gamma, beta, mean, variance);
}

/* Training: the batch's own statistics, and the running ones moved towards them. */
static void batch_norm_training(ovl_onnx *x, double eps)
{
	ovl_end a = ovl_x_in(x, 0), old[2] = {ovl_x_in(x, 3), ovl_x_in(x, 4)}, now[2], axes, centred;
	float momentum = ovl_x_attr_float(x, "momentum", 0.9f);
	int64_t list[OVL_MAX_RANK];
	int n = 0, rank = ovl_x_need_rank(x, a);
	for (int i = 0; i < rank; i++)
		if (i != 1)
			list[n++] = i;
	axes = ovl_x_i64s(x, list, n);
	now[0] = ovl_x_reduce(x, "ReduceMean", a, axes, false);
	centred = ovl_x_op(x, "Subtract", a, ovl_x_channels(x, now[0], rank, 1));
	now[1] = ovl_x_reduce(x, "ReduceMean", ovl_x_op(x, "Multiply", centred, centred), axes, false);
	ovl_x_out(x, 0, batch_norm_of(x, a, now[0], now[1], eps));
	for (int i = 0; i < 2; i++) {
		ovl_end kept = ovl_x_op(x, "Multiply", old[i], ovl_x_like(x, old[i], momentum));
		ovl_end added = ovl_x_op(x, "Multiply", ovl_x_convert_like(x, now[i], old[i]), ovl_x_like(x, old[i], 1 - (double)momentum));
		ovl_x_out(x, i + 1, ovl_x_op(x, "Add", kept, added));
	}
}

static void batch_norm(ovl_onnx *x)
{
	double eps = (double)ovl_x_attr_float(x, "epsilon", 1e-5f);
	if (x->opset < 9 && !ovl_x_attr_int(x, "spatial", 1)) {
		ovl_x_unsupported(x, "statistics for each element (spatial=0)");
		return;
	}
	if (x->opset >= 14 && ovl_x_attr_int(x, "training_mode", 0)) {
		batch_norm_training(x, eps);
		return;
	}
	ovl_x_out(x, 0, batch_norm_of(x, ovl_x_in(x, 0), ovl_x_in(x, 3), ovl_x_in(x, 4), eps));
	for (int i = 1; i < x->n_out && x->opset < 14; i++) /* outputs of training that inference does not change */
		if (ovl_x_wants(x, i))
			ovl_x_out(x, i, ovl_x_in(x, i % 2 ? 3 : 4));
}

/* ---- instance, group, layer ---- */

static ovl_end spatial_axes(ovl_onnx *x, int rank)
{
	int64_t axes[OVL_MAX_RANK];
	for (int i = 2; i < rank; i++)
		axes[i - 2] = i;
	return ovl_x_i64s(x, axes, rank > 2 ? rank - 2 : 0);
}

static void instance_norm(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), y;
	int rank = ovl_x_need_rank(x, a);
	y = mvn(x, a, spatial_axes(x, rank), ovl_x_attr_float(x, "epsilon", 1e-5f), "inside_sqrt");
	y = ovl_x_op(x, "Multiply", y, ovl_x_channels(x, ovl_x_in(x, 1), rank, 1));
	ovl_x_out(x, 0, ovl_x_op(x, "Add", y, ovl_x_channels(x, ovl_x_in(x, 2), rank, 1)));
}

/* Up to opset 20 there is a scale and a bias for each group, later for each channel. */
static ovl_end per_channel(ovl_onnx *x, ovl_end v, ovl_end a, int64_t groups)
{
	ovl_end each;
	if (x->opset >= 21)
		return v;
	each = ovl_x_opa(x, "Divide", "m_pythondiv=false", ovl_x_dims(x, a, 1, 2), ovl_x_vec(x, groups));
	v = ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_unsqueeze(x, v, 1), ovl_x_cat(x, 0, ovl_x_vec(x, groups), each));
	return ovl_x_reshape_to(x, v, (int64_t[]){-1}, 1);
}

static void group_norm(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	int64_t groups = ovl_x_need_int(x, "num_groups");
	const char *how = ovl_x_text(x, "num_groups=%lld;epsilon=%s", (long long)groups, ovl_x_num(x, ovl_x_attr_float(x, "epsilon", 1e-5f)));
	ovl_x_out(x, 0, ovl_x_opa(x, "GroupNormalization", how, a, per_channel(x, ovl_x_in(x, 1), a, groups), per_channel(x, ovl_x_in(x, 2), a, groups)));
}

static ovl_end axes_from(ovl_onnx *x, int axis, int rank)
{
	int64_t axes[OVL_MAX_RANK];
	for (int i = axis; i < rank; i++)
		axes[i - axis] = i;
	return ovl_x_i64s(x, axes, rank - axis);
}

static void layer_norm(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), gamma = ovl_x_in(x, 1), beta = ovl_x_maybe(x, 2), wide, y;
	int rank = ovl_x_need_rank(x, a), axis = ovl_x_axis(x, ovl_x_attr_int(x, "axis", -1), rank);
	double eps = (double)ovl_x_attr_float(x, "epsilon", 1e-5f);
	ovl_type inner = ovl_x_pb_type(x, ovl_x_attr_int(x, "stash_type", 1));
	moments m;
	if (x->status != OVL_OK)
		return;
	wide = ovl_type_is_float(inner) && ovl_type_size(ovl_x_type(x, a)) < ovl_type_size(inner) ? ovl_x_convert(x, a, inner) : a;
	if (ovl_x_wants(x, 1) || ovl_x_wants(x, 2)) {
		m = normalized(x, wide, axes_from(x, axis, rank), eps);
		ovl_x_out(x, 1, m.mean);
		ovl_x_out(x, 2, m.inverse);
	} else
		m.normal = mvn(x, wide, axes_from(x, axis, rank), eps, "inside_sqrt");
	y = ovl_x_op(x, "Multiply", ovl_x_convert_like(x, m.normal, a), gamma);
	ovl_x_out(x, 0, beta.node ? ovl_x_op(x, "Add", y, beta) : y);
}

static void rms_norm(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), scale = ovl_x_in(x, 1), wide, square;
	int rank = ovl_x_need_rank(x, a), axis = ovl_x_axis(x, ovl_x_attr_int(x, "axis", -1), rank);
	ovl_type inner = ovl_x_pb_type(x, ovl_x_attr_int(x, "stash_type", 1));
	wide = ovl_type_is_float(inner) && ovl_type_size(ovl_x_type(x, a)) < ovl_type_size(inner) ? ovl_x_convert(x, a, inner) : a;
	square = ovl_x_reduce(x, "ReduceMean", ovl_x_op(x, "Multiply", wide, wide), axes_from(x, axis, rank), true);
	square = ovl_x_op(x, "Sqrt", ovl_x_op(x, "Add", square, ovl_x_like(x, wide, ovl_x_attr_float(x, "epsilon", 1e-5f))));
	ovl_x_out(x, 0, ovl_x_op(x, "Multiply", ovl_x_convert_like(x, ovl_x_op(x, "Divide", wide, square), a), scale));
}

static void mean_variance(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	int n;
	const int64_t *axes = ovl_x_attr_ints(x, "axes", &n);
	ovl_x_out(x, 0, mvn(x, a, axes ? ovl_x_i64s(x, axes, n) : ovl_x_vec(x, 0, 2, 3), 1e-9, "outside_sqrt"));
}

/* ---- by a norm, by neighbours ---- */

static void lp_norm(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), norm;
	int64_t axis = ovl_x_attr_int(x, "axis", -1), p = ovl_x_attr_int(x, "p", 2);
	if (p != 1 && p != 2)
		ovl_x_unsupported(x, "a norm other than 1 and 2");
	norm = ovl_x_reduce(x, p == 1 ? "ReduceL1" : "ReduceL2", a, ovl_x_vec(x, axis), true);
	if (x->opset >= 22) /* zeros stay zeros */
		norm = ovl_x_op(x, "Select", ovl_x_op(x, "Equal", norm, ovl_x_like(x, a, 0)), ovl_x_like(x, a, 1), norm);
	ovl_x_out(x, 0, ovl_x_op(x, "Divide", a, norm));
}

static void lrn(ovl_onnx *x)
{
	const char *how = ovl_x_text(x, "alpha=%s;beta=%s;bias=%s;size=%lld", ovl_x_num(x, ovl_x_attr_float(x, "alpha", 1e-4f)),
		ovl_x_num(x, ovl_x_attr_float(x, "beta", 0.75f)), ovl_x_num(x, ovl_x_attr_float(x, "bias", 1)), (long long)ovl_x_need_int(x, "size"));
	ovl_x_out(x, 0, ovl_x_opa(x, "LRN", how, ovl_x_in(x, 0), ovl_x_vec(x, 1)));
}

const ovl_onnx_rule ovl_onnx_norm[] = {
	{"BatchNormalization", NULL, 1, batch_norm}, {"InstanceNormalization", NULL, 1, instance_norm}, {"GroupNormalization", NULL, 18, group_norm},
	{"LayerNormalization", NULL, 1, layer_norm}, {"RMSNormalization", NULL, 23, rms_norm},
	{"MeanVarianceNormalization", NULL, 1, mean_variance}, {"LpNormalization", NULL, 1, lp_norm}, {"LRN", NULL, 1, lrn}, {NULL, NULL, 0, NULL},
};
