/* RMS: root mean square normalisation over the last dimension (internal). */
#include "ops/norm.h"
#include "ops/support_work.h"

static ovl_status infer(ovl_infer *in)
{
	const ovl_rms_params *p = in->params;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, 0, 1, OVL_MAX_RANK));
	ovl_infer_out(in, 0, p->output_type == OVL_DYNAMIC ? in->in_type[0] : p->output_type, &in->in_shape[0]);
	return OVL_OK;
}

static ovl_status rms(ovl_work *w)
{
	const ovl_rms_params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	int64_t n = s->dims[s->rank - 1], rows = ovl_span(s, 0, s->rank - 1), gammas = 1;
	const double *x, *gamma, one = 1;
	double *y;
	OVL_TRY(ovl_work_f64(w, 0, &x));
	gamma = &one;
	if (ovl_work_has(w, 1)) {
		OVL_TRY(ovl_work_f64(w, 1, &gamma));
		gammas = ovl_tensor_count(w->run->in[1]);
	}
	if (gammas != 1 && gammas != n)
		return ovl_work_fail(w, OVL_E_SHAPE, "gamma has %lld entries, expected %lld", (long long)gammas, (long long)n);
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	for (int64_t r = 0; r < rows; r++, x += n, y += n) {
		double sum = 0, scale;
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int64_t i = 0; i < n; i++)
			sum += x[i] * x[i];
		scale = 1 / sqrt(sum / (double)n + p->epsilon);
		for (int64_t i = 0; i < n; i++)
			y[i] = x[i] * scale * gamma[gammas == 1 ? 0 : i];
	}
	return OVL_OK;
}

static ovl_status rms_run(ovl_run *run) { return ovl_work_run(run, rms); }

static const ovl_attr attrs[] = {
	OVL_ATTR_DOUBLE(ovl_rms_params, epsilon, "1e-06"),
	OVL_ATTR_TYPE(ovl_rms_params, output_type, OVL_OPTIONAL),
	OVL_ATTR_END,
};

static const ovl_op rms_op = {
	.name = "RMS",
	.factory = "rms",
	.since = 1,
	.min_inputs = 1,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "data gamma",
	.params_size = sizeof(ovl_rms_params),
	.attrs = attrs,
	.flags = OVL_OP_INTERNAL,
	.infer = infer,
	.run = rms_run,
};

const ovl_op *const ovl_ops_rms[] = {&rms_op, NULL};
