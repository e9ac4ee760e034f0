/* BatchNormInference: opset 1 has its data in the third place. */
#include "ops/norm.h"
#include "ops/support_work.h"

static bool data_first(const ovl_op *op) { return op->since >= 5; }

static ovl_status infer(ovl_infer *in)
{
	const ovl_batch_norm_params *p = in->params;
	int at = data_first(in->op) ? 0 : 2;
	ovl_pshape out = in->in_shape[at];
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_type_in(in, at, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, at, 2, OVL_MAX_RANK));
	if (!(p->epsilon >= 0))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "epsilon is %g, it must not be negative", p->epsilon);
	for (int i = 0; i < 5; i++) {
		ovl_type type;
		if (i == at)
			continue;
		OVL_TRY(ovl_infer_merge_types(in, at, i, &type));
		OVL_TRY(ovl_infer_rank(in, i, 1, 1));
		if (out.ranked && in->in_shape[i].ranked && !ovl_dim_merge(out.dims[1], in->in_shape[i].dims[0], &out.dims[1]))
			return ovl_infer_fail(in, OVL_E_SHAPE, "input %d has not as many entries as data has channels", i);
	}
	ovl_infer_out(in, 0, in->in_type[at], &out);
	return OVL_OK;
}

static ovl_status batch_norm(ovl_work *w)
{
	const ovl_batch_norm_params *p = w->params;
	bool first = data_first(w->run->op);
	const ovl_shape *s = ovl_work_shape(w, first ? 0 : 2);
	int64_t inner = ovl_span(s, 2, s->rank);
	const double *x, *gamma, *beta, *mean, *variance;
	double *y;
	OVL_TRY(ovl_work_f64(w, first ? 0 : 2, &x));
	OVL_TRY(ovl_work_f64(w, first ? 1 : 0, &gamma));
	OVL_TRY(ovl_work_f64(w, first ? 2 : 1, &beta));
	OVL_TRY(ovl_work_f64(w, 3, &mean));
	OVL_TRY(ovl_work_f64(w, 4, &variance));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	for (int64_t plane = 0; plane < s->dims[0] * s->dims[1]; plane++) {
		int64_t c = plane % s->dims[1];
		double scale = gamma[c] / sqrt(variance[c] + p->epsilon);
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int64_t i = 0; i < inner; i++)
			*y++ = (*x++ - mean[c]) * scale + beta[c];
	}
	return OVL_OK;
}

static ovl_status batch_norm_run(ovl_run *run) { return ovl_work_run(run, batch_norm); }

static const ovl_attr attrs[] = {OVL_ATTR_DOUBLE(ovl_batch_norm_params, epsilon, NULL), OVL_ATTR_END};

static const ovl_op batch_norm_v1 = {
	.name = "BatchNormInference",
	.since = 1,
	.until = 4,
	.min_inputs = 5,
	.max_inputs = 5,
	.outputs = 1,
	.inputs = "gamma beta data mean variance",
	.params_size = sizeof(ovl_batch_norm_params),
	.attrs = attrs,
	.infer = infer,
	.run = batch_norm_run,
};

static const ovl_op batch_norm_v5 = {
	.name = "BatchNormInference",
	.since = 5,
	.min_inputs = 5,
	.max_inputs = 5,
	.outputs = 1,
	.inputs = "data gamma beta mean variance",
	.params_size = sizeof(ovl_batch_norm_params),
	.attrs = attrs,
	.infer = infer,
	.run = batch_norm_run,
};

const ovl_op *const ovl_ops_batch_norm_inference[] = {&batch_norm_v1, &batch_norm_v5, NULL};
