/* GroupNormalization. */
#include "ops/norm.h"
#include "ops/support_work.h"

static ovl_status infer(ovl_infer *in)
{
	const ovl_group_norm_params *p = in->params;
	ovl_pshape out = in->in_shape[0];
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, 0, 2, OVL_MAX_RANK));
	if (p->num_groups <= 0)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "num_groups is %lld, it must be positive", (long long)p->num_groups);
	for (int i = 1; i < 3; i++) {
		ovl_type type;
		OVL_TRY(ovl_infer_merge_types(in, 0, i, &type));
		OVL_TRY(ovl_infer_rank(in, i, 1, 1));
		if (out.ranked && in->in_shape[i].ranked && !ovl_dim_merge(out.dims[1], in->in_shape[i].dims[0], &out.dims[1]))
			return ovl_infer_fail(in, OVL_E_SHAPE, "input %d has not as many entries as data has channels", i);
	}
	if (out.ranked && ovl_dim_static(out.dims[1]) && out.dims[1].min % p->num_groups)
		return ovl_infer_fail(
			in, OVL_E_SHAPE, "%lld channels cannot be cut into %lld groups", (long long)out.dims[1].min, (long long)p->num_groups);
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status group_norm(ovl_work *w)
{
	const ovl_group_norm_params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	int64_t inner = ovl_span(s, 2, s->rank), per = s->dims[1] / p->num_groups, n = per * inner;
	const double *x, *scale, *bias;
	double *y;
	if (s->dims[1] % p->num_groups)
		return ovl_work_fail(w, OVL_E_SHAPE, "%lld channels cannot be cut into %lld groups", (long long)s->dims[1], (long long)p->num_groups);
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_f64(w, 1, &scale));
	OVL_TRY(ovl_work_f64(w, 2, &bias));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	for (int64_t g = 0; n > 0 && g < s->dims[0] * p->num_groups; g++, x += n, y += n) {
		double mean = 0, variance = 0;
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int64_t i = 0; i < n; i++)
			mean += x[i];
		mean /= (double)n;
		for (int64_t i = 0; i < n; i++)
			variance += (x[i] - mean) * (x[i] - mean);
		variance = 1 / sqrt(variance / (double)n + p->epsilon);
		for (int64_t i = 0; i < n; i++) {
			int64_t c = g % p->num_groups * per + i / inner;
			y[i] = (x[i] - mean) * variance * scale[c] + bias[c];
		}
	}
	return OVL_OK;
}

static ovl_status group_norm_run(ovl_run *run) { return ovl_work_run(run, group_norm); }

static const ovl_attr attrs[] = {
	OVL_ATTR_INT(ovl_group_norm_params, num_groups, NULL),
	OVL_ATTR_DOUBLE(ovl_group_norm_params, epsilon, NULL),
	OVL_ATTR_END,
};

static const ovl_op group_normalization_v12 = {
	.name = "GroupNormalization",
	.since = 12,
	.min_inputs = 3,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "data scale bias",
	.params_size = sizeof(ovl_group_norm_params),
	.attrs = attrs,
	.infer = infer,
	.run = group_norm_run,
};

const ovl_op *const ovl_ops_group_normalization[] = {&group_normalization_v12, NULL};
