/* Inverse of square matrices, by elimination with row exchanges. With `adjoint` the inverse of the adjoint, for real matrices the transposed inverse:
 * what OpenVINO computes, though its specification also speaks of the adjugate. */
#include "ops/support_work.h"

typedef struct params {
	bool adjoint;
} params;

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *s = &in->in_shape[0];
	ovl_dim side;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, 0, 2, OVL_MAX_RANK));
	if (s->ranked && !ovl_dim_merge(s->dims[s->rank - 2], s->dims[s->rank - 1], &side))
		return ovl_infer_fail(in, OVL_E_SHAPE, "the matrices are not square");
	return ovl_infer_same(in);
}

/* y becomes the inverse of a (destroyed). */
static void invert(double *a, double *y, int64_t n)
{
	for (int64_t i = 0; i < n * n; i++)
		y[i] = i / n == i % n;
	for (int64_t c = 0; c < n; c++) {
		int64_t top = c;
		double pivot;
		for (int64_t r = c + 1; r < n; r++)
			top = fabs(a[r * n + c]) > fabs(a[top * n + c]) ? r : top;
		for (int64_t k = 0; top != c && k < n; k++) {
			double x = a[c * n + k], z = y[c * n + k];
			a[c * n + k] = a[top * n + k];
			a[top * n + k] = x;
			y[c * n + k] = y[top * n + k];
			y[top * n + k] = z;
		}
		pivot = a[c * n + c];
		for (int64_t k = 0; k < n; k++) {
			a[c * n + k] /= pivot;
			y[c * n + k] /= pivot;
		}
		for (int64_t r = 0; r < n; r++) {
			double by = a[r * n + c];
			if (r == c || by == 0)
				continue;
			for (int64_t k = 0; k < n; k++) {
				a[r * n + k] -= by * a[c * n + k];
				y[r * n + k] -= by * y[c * n + k];
			}
		}
	}
}

static ovl_status inverse(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	int64_t n = s->dims[s->rank - 1], count = ovl_span(s, 0, s->rank - 2);
	const double *x;
	double *y, *a;
	if (s->dims[s->rank - 2] != n)
		return ovl_work_fail(w, OVL_E_SHAPE, "the matrices are not square");
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(ovl_work_take(w, n * n, sizeof *a, &a));
	for (int64_t i = 0; n > 0 && i < count; i++, x += n * n, y += n * n) {
		OVL_RUN_CHECK_CANCEL(w->run);
		memcpy(a, x, (size_t)(n * n) * sizeof *a);
		invert(a, y, n);
		for (int64_t r = 0; p->adjoint && r < n; r++)
			for (int64_t c = 0; c < r; c++) {
				double swap = y[r * n + c];
				y[r * n + c] = y[c * n + r];
				y[c * n + r] = swap;
			}
	}
	return OVL_OK;
}

static ovl_status inverse_run(ovl_run *run) { return ovl_work_run(run, inverse); }

static const ovl_attr attrs[] = {OVL_ATTR_BOOL(params, adjoint, "false"), OVL_ATTR_END};

static const ovl_op inverse_v14 = {
	.name = "Inverse",
	.since = 14,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "data",
	.params_size = sizeof(params),
	.attrs = attrs,
	.infer = infer,
	.run = inverse_run,
};

const ovl_op *const ovl_ops_inverse[] = {&inverse_v14, NULL};
