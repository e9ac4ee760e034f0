/* MVN (mean and variance normalisation), and LayerNorm that passes make of it. */
#include "ops/norm.h"
#include "ops/support_walk.h"
#include "ops/support_work.h"

/* Sums of f(x) by group. */
static ovl_status gather(ovl_work *w, const ovl_shape *s, const int64_t *strides, const double *x, const double *mean, double *sums)
{
	int64_t dense[OVL_MAX_RANK];
	ovl_walk k;
	ovl_dense_strides(s, dense);
	for (ovl_walk_start(&k, s, 2, (const int64_t *const[]){dense, strides}); !k.done; ovl_walk_next(&k)) {
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int64_t i = 0; i < k.inner; i++) {
			int64_t to = k.pos[1] + i * k.step[1];
			double v = x[k.pos[0] + i * k.step[0]];
			sums[to] += mean ? (v - mean[to]) * (v - mean[to]) : v;
		}
	}
	return OVL_OK;
}

/* y = (x - mean) / deviation over groups of elements. */
static ovl_status normalise(ovl_work *w, const ovl_shape *s, const bool *reduced, bool variance, double eps, bool outside, const double *x, double *y)
{
	int64_t dense[OVL_MAX_RANK], strides[OVL_MAX_RANK], groups = ovl_group_strides(s, reduced, strides);
	double *mean, *scale, size = (double)ovl_shape_elements(s) / (double)(groups ? groups : 1);
	ovl_walk k;
	OVL_TRY(ovl_work_take(w, groups, sizeof *mean, &mean));
	OVL_TRY(ovl_work_take(w, groups, sizeof *scale, &scale));
	OVL_TRY(gather(w, s, strides, x, NULL, mean));
	for (int64_t i = 0; i < groups; i++)
		mean[i] /= size;
	if (variance)
		OVL_TRY(gather(w, s, strides, x, mean, scale));
	for (int64_t i = 0; i < groups; i++)
		scale[i] = !variance ? 1 : outside ? 1 / (sqrt(scale[i] / size) + eps) : 1 / sqrt(scale[i] / size + eps);
	ovl_dense_strides(s, dense);
	for (ovl_walk_start(&k, s, 2, (const int64_t *const[]){dense, strides}); !k.done; ovl_walk_next(&k)) {
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int64_t i = 0; i < k.inner; i++) {
			int64_t at = k.pos[0] + i * k.step[0], of = k.pos[1] + i * k.step[1];
			y[at] = (x[at] - mean[of]) * scale[of];
		}
	}
	return OVL_OK;
}

/* ---- MVN ---- */

static ovl_status infer_v1(ovl_infer *in)
{
	const ovl_mvn_params *p = in->params;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	for (size_t i = 0; in->in_shape[0].ranked && i < p->reduction_axes.n; i++) {
		int axis;
		OVL_TRY(ovl_axis(p->reduction_axes.at[i], in->in_shape[0].rank, "MVN", &axis, in->err));
	}
	return ovl_infer_same(in);
}

static ovl_status infer_v6(ovl_infer *in)
{
	int axes[OVL_MAX_RANK * 2], n;
	bool known;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_INT));
	OVL_TRY(ovl_infer_rank(in, 1, 0, 1));
	if (in->in_shape[0].ranked)
		OVL_TRY(ovl_infer_axes(in, 1, in->in_shape[0].rank, &known, axes, &n));
	return ovl_infer_same(in);
}

static ovl_status mvn(ovl_work *w)
{
	const ovl_mvn_params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	bool reduced[OVL_MAX_RANK] = {false};
	const double *x;
	double *y;
	int n;
	if (w->run->op->since >= 6)
		OVL_TRY(ovl_work_axes(w, 1, s->rank, reduced, &n));
	else if (p->reduction_axes.n)
		for (size_t i = 0; i < p->reduction_axes.n; i++) {
			OVL_TRY(ovl_axis(p->reduction_axes.at[i], s->rank, "MVN", &n, w->err));
			reduced[n] = true;
		}
	else
		for (int i = 1; i < s->rank; i++)
			reduced[i] = i > 1 || p->across_channels;
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	return normalise(w, s, reduced, p->normalize_variance, p->eps, p->eps_mode == 1, x, y);
}

static ovl_status mvn_run(ovl_run *run) { return ovl_work_run(run, mvn); }

static const ovl_attr attrs_v1[] = {
	OVL_ATTR_BOOL(ovl_mvn_params, across_channels, "false"),
	OVL_ATTR_BOOL(ovl_mvn_params, normalize_variance, "false"),
	OVL_ATTR_FLOAT(ovl_mvn_params, eps, "1e-09"),
	OVL_ATTR_INTS(ovl_mvn_params, reduction_axes, OVL_OPTIONAL),
	OVL_ATTR_END,
};

static const ovl_attr attrs_v6[] = {
	OVL_ATTR_BOOL(ovl_mvn_params, normalize_variance, NULL),
	OVL_ATTR_FLOAT(ovl_mvn_params, eps, NULL),
	OVL_ATTR_ENUM(ovl_mvn_params, eps_mode, NULL, "inside_sqrt outside_sqrt"),
	OVL_ATTR_END,
};

static const ovl_op mvn_v1 = {
	.name = "MVN",
	.since = 2,
	.until = 5,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "data",
	.params_size = sizeof(ovl_mvn_params),
	.attrs = attrs_v1,
	.infer = infer_v1,
	.run = mvn_run,
};

static const ovl_op mvn_v6 = {
	.name = "MVN",
	.since = 6,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "data axes",
	.params_size = sizeof(ovl_mvn_params),
	.attrs = attrs_v6,
	.infer = infer_v6,
	.run = mvn_run,
};

/* ---- LayerNorm ---- */

static ovl_status layer_norm_infer(ovl_infer *in)
{
	const ovl_layer_norm_params *p = in->params;
	int axis;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	if (in->in_shape[0].ranked)
		OVL_TRY(ovl_axis(p->axis, in->in_shape[0].rank, "LayerNorm", &axis, in->err));
	return ovl_infer_same(in);
}

/* Multiplies by (or adds) input i, which broadcasts to the normalised dimensions. */
static ovl_status layer_norm_affine(ovl_work *w, const ovl_shape *s, int i, double *y)
{
	int64_t dense[OVL_MAX_RANK], strides[OVL_MAX_RANK];
	const double *v;
	ovl_walk k;
	if (!ovl_work_has(w, i))
		return OVL_OK;
	OVL_TRY(ovl_work_f64(w, i, &v));
	if (!ovl_walk_broadcast(ovl_work_shape(w, i), s, strides))
		return ovl_work_fail(w, OVL_E_SHAPE, "input %d does not broadcast to data", i);
	ovl_dense_strides(s, dense);
	for (ovl_walk_start(&k, s, 2, (const int64_t *const[]){dense, strides}); !k.done; ovl_walk_next(&k))
		for (int64_t e = 0; e < k.inner; e++) {
			double *to = y + k.pos[0] + e * k.step[0], with = v[k.pos[1] + e * k.step[1]];
			*to = i == 1 ? *to * with : *to + with;
		}
	return OVL_OK;
}

static ovl_status layer_norm(ovl_work *w)
{
	const ovl_layer_norm_params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	bool reduced[OVL_MAX_RANK];
	const double *x;
	double *y;
	int axis;
	OVL_TRY(ovl_axis(p->axis, s->rank, "LayerNorm", &axis, w->err));
	for (int i = 0; i < OVL_MAX_RANK; i++)
		reduced[i] = i >= axis;
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(normalise(w, s, reduced, true, p->epsilon, false, x, y));
	OVL_TRY(layer_norm_affine(w, s, 1, y));
	return layer_norm_affine(w, s, 2, y);
}

static ovl_status layer_norm_run(ovl_run *run) { return ovl_work_run(run, layer_norm); }

static const ovl_attr layer_norm_attrs[] = {
	OVL_ATTR_INT(ovl_layer_norm_params, axis, "-1"),
	OVL_ATTR_FLOAT(ovl_layer_norm_params, epsilon, "1e-05"),
	OVL_ATTR_END,
};

static const ovl_op layer_norm_op = {
	.name = "LayerNorm",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "data gamma beta",
	.params_size = sizeof(ovl_layer_norm_params),
	.attrs = layer_norm_attrs,
	.flags = OVL_OP_INTERNAL,
	.infer = layer_norm_infer,
	.run = layer_norm_run,
};

const ovl_op *const ovl_ops_mvn[] = {&mvn_v1, &mvn_v6, &layer_norm_op, NULL};
