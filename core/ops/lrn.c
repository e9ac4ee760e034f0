/* LRN: division by a power of the mean square of neighbours along axes. */
#include "ops/support_work.h"

typedef struct params {
	double alpha, beta, bias;
	int64_t size;
} params;

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	int axes[OVL_MAX_RANK * 2], n;
	bool known;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_INT));
	OVL_TRY(ovl_infer_rank(in, 1, 0, 1));
	if (p->size <= 0)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "size is %lld, it must be positive", (long long)p->size);
	if (in->in_shape[0].ranked)
		OVL_TRY(ovl_infer_axes(in, 1, in->in_shape[0].rank, &known, axes, &n));
	return ovl_infer_same(in);
}

/* to = sums of from over a window along dimension d; an even size reaches no further than the odd one below it. */
static void slide(const ovl_shape *s, int d, int64_t size, const double *from, double *to)
{
	int64_t outer = ovl_span(s, 0, d), n = s->dims[d], inner = ovl_span(s, d + 1, s->rank), before = (size - 1) / 2;
	for (int64_t o = 0; o < outer; o++)
		for (int64_t k = 0; k < n; k++)
			for (int64_t i = 0; i < inner; i++) {
				int64_t first = k > before ? k - before : 0, last = n - k > before ? k + before + 1 : n;
				double sum = 0;
				for (int64_t j = first; j < last; j++)
					sum += from[(o * n + j) * inner + i];
				to[(o * n + k) * inner + i] = sum;
			}
}

static ovl_status lrn(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	int64_t count = ovl_shape_elements(s);
	bool flags[OVL_MAX_RANK];
	const double *x;
	double *y, *sums, *other, scale;
	int n;
	OVL_TRY(ovl_work_axes(w, 1, s->rank, flags, &n));
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(ovl_work_take(w, count, sizeof *sums, &sums));
	OVL_TRY(ovl_work_take(w, count, sizeof *other, &other));
	for (int64_t i = 0; i < count; i++)
		sums[i] = x[i] * x[i];
	for (int d = 0; d < s->rank; d++) {
		double *swap = other;
		if (!flags[d])
			continue;
		OVL_RUN_CHECK_CANCEL(w->run);
		slide(s, d, p->size, sums, other);
		other = sums;
		sums = swap;
	}
	scale = p->alpha / pow((double)p->size, n);
	for (int64_t i = 0; i < count; i++)
		y[i] = x[i] / pow(p->bias + scale * sums[i], p->beta);
	return OVL_OK;
}

static ovl_status lrn_run(ovl_run *run) { return ovl_work_run(run, lrn); }

static const ovl_attr attrs[] = {
	OVL_ATTR_DOUBLE(params, alpha, "1"),
	OVL_ATTR_DOUBLE(params, beta, "0.5"),
	OVL_ATTR_DOUBLE(params, bias, "1"),
	OVL_ATTR_INT(params, size, "5"),
	OVL_ATTR_END,
};

static const ovl_op lrn_v1 = {
	.name = "LRN",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "data axes",
	.params_size = sizeof(params),
	.attrs = attrs,
	.infer = infer,
	.run = lrn_run,
};

const ovl_op *const ovl_ops_lrn[] = {&lrn_v1, NULL};
