/* math_ctc.c - greedy CTC decoding: what a line recogniser says. */
#include "tensor/math.h"
#include "tensor/rows.h"
#include "tensor/target.h"

/* One row of the rows-by-classes matrix: steps [from, from + steps). Returns how many positions were told. */
static int64_t decode(const ovl_tensor *t, int64_t from, int64_t steps, int64_t classes, int64_t blank, int64_t *told, float *score)
{
	int64_t before = -1, n = 0;
	double sum = 0;
	for (int64_t i = 0; i < steps; i++) {
		int64_t row = (from + i) * classes, best = ovl_rows_best(t, row, classes);
		if (best != before && best != blank) {
			told[n++] = best;
			sum += ((const float *)t->data)[row + best];
		}
		before = best;
	}
	for (int64_t i = n; i < steps; i++)
		told[i] = -1;
	*score = n ? (float)(sum / (double)n) : 0;
	return n;
}

static ovl_status check(const ovl_tensor *t, int64_t blank, ovl_error *err)
{
	char text[256];
	OVL_TRY(ovl_rows_numbers(t, "ctc", err));
	if (t->shape.rank != 3 || t->shape.dims[2] < 1)
		return ovl_fail(err, OVL_E_SHAPE, "ctc: expected [rows,steps,classes], got %s", ovl_shape_text(&t->shape, text, sizeof text));
	if (blank < 0 || blank >= t->shape.dims[2])
		return ovl_fail(err, OVL_E_NOT_FOUND, "ctc: the blank is none of the %lld classes", (long long)t->shape.dims[2]);
	return OVL_OK;
}

ovl_status ovl_math_ctc(const ovl_tensor *t, int64_t blank, ovl_tensor **positions, ovl_tensor **counts, ovl_tensor **scores, ovl_error *err)
{
	ovl_tensor *numbers = NULL, *told = NULL, *n = NULL, *means = NULL;
	ovl_shape rows = {1, {t->shape.dims[0]}}, all = {2, {t->shape.dims[0], t->shape.dims[1]}};
	ovl_status s;
	OVL_TRY(check(t, blank, err));
	s = t->type == OVL_F32 ? ovl_tensor_densify(t, &numbers, err) : ovl_tensor_astype(t, OVL_F32, &numbers, err);
	if (!s)
		s = ovl_tensor_new(OVL_I64, &all, &told, err);
	if (!s)
		s = ovl_tensor_new(OVL_I64, &rows, &n, err);
	if (!s)
		s = ovl_tensor_new(OVL_F32, &rows, &means, err);
	for (int64_t r = 0; !s && r < rows.dims[0]; r++)
		((int64_t *)n->data)[r] = decode(numbers, r * all.dims[1], all.dims[1], t->shape.dims[2], blank,
			(int64_t *)told->data + r * all.dims[1], (float *)means->data + r);
	ovl_tensor_release(numbers);
	if (!s) {
		*positions = told;
		*counts = n;
		*scores = means;
		return OVL_OK;
	}
	ovl_tensor_release(told);
	ovl_tensor_release(n);
	ovl_tensor_release(means);
	return s;
}
