/* Softmax and LogSoftmax. */
#include "ops/norm.h"
#include "ops/support_work.h"

static ovl_status infer(ovl_infer *in)
{
	const ovl_softmax_params *p = in->params;
	int axis;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	if (in->op->since == 1 && p->axis < 0)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "axis %lld is negative, which opset 1 does not allow", (long long)p->axis);
	if (in->in_shape[0].ranked)
		OVL_TRY(ovl_axis(p->axis, in->in_shape[0].rank, in->op->name, &axis, in->err));
	return ovl_infer_same(in);
}

static ovl_status softmax(ovl_work *w)
{
	const ovl_softmax_params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	bool logarithm = w->run->op->name[0] == 'L';
	int64_t outer, n, inner;
	const double *x;
	double *y;
	int axis;
	OVL_TRY(ovl_axis(p->axis, s->rank, w->run->op->name, &axis, w->err));
	outer = ovl_span(s, 0, axis);
	n = s->dims[axis];
	inner = ovl_span(s, axis + 1, s->rank);
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	for (int64_t o = 0; o < outer; o++, x += n * inner, y += n * inner) {
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int64_t i = 0; n > 0 && i < inner; i++) {
			double top = x[i], sum = 0;
			for (int64_t k = 1; k < n; k++)
				top = x[k * inner + i] > top ? x[k * inner + i] : top;
			for (int64_t k = 0; k < n; k++)
				sum += y[k * inner + i] = exp(x[k * inner + i] - top);
			for (int64_t k = 0; k < n; k++)
				y[k * inner + i] = logarithm ? x[k * inner + i] - top - log(sum) : y[k * inner + i] / sum;
		}
	}
	return OVL_OK;
}

static ovl_status softmax_run(ovl_run *run) { return ovl_work_run(run, softmax); }

static const ovl_attr softmax_attrs[] = {OVL_ATTR_INT(ovl_softmax_params, axis, "1"), OVL_ATTR_END};
static const ovl_attr log_softmax_attrs[] = {OVL_ATTR_INT(ovl_softmax_params, axis, "-1"), OVL_ATTR_END};

static const ovl_op softmax_v1 = {
	.name = "Softmax",
	.ir_name = "SoftMax",
	.since = 1,
	.until = 7,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "data",
	.params_size = sizeof(ovl_softmax_params),
	.attrs = softmax_attrs,
	.infer = infer,
	.run = softmax_run,
};

static const ovl_op softmax_v8 = {
	.name = "Softmax",
	.ir_name = "SoftMax",
	.since = 8,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "data",
	.params_size = sizeof(ovl_softmax_params),
	.attrs = softmax_attrs,
	.infer = infer,
	.run = softmax_run,
};

static const ovl_op log_softmax_v5 = {
	.name = "LogSoftmax",
	.since = 5,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "data",
	.params_size = sizeof(ovl_softmax_params),
	.attrs = log_softmax_attrs,
	.infer = infer,
	.run = softmax_run,
};

const ovl_op *const ovl_ops_softmax[] = {&softmax_v1, &softmax_v8, &log_softmax_v5, NULL};
