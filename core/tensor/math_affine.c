/* math_affine.c - a scale and a shift for each position of a dimension: normalising pictures and sounds. */
#include "tensor/convert.h"
#include "tensor/math.h"
#include "tensor/rows.h"
#include "tensor/target.h"
#include <inttypes.h>

enum { BLOCK = 512 };

typedef struct affine {
	const double *scale, *shift;
	int64_t scale_step, shift_step; /* 0: one value for all */
	int64_t n, inner;               /* the dimension's size, and elements between its positions */
} affine;

/* Elements [at, at + m) of the dense order. */
static void apply(const affine *a, double *v, int64_t at, int64_t m)
{
	int64_t inside = at % a->inner, c = at / a->inner % a->n;
	for (int64_t i = 0; i < m;) {
		int64_t run = a->inner - inside < m - i ? a->inner - inside : m - i;
		double scale = a->scale[c * a->scale_step], shift = a->shift[c * a->shift_step];
		for (int64_t end = i + run; i < end; i++)
			v[i] = v[i] * scale + shift;
		inside = 0;
		c = c + 1 == a->n ? 0 : c + 1;
	}
}

static ovl_status check_values(const char *what, int64_t have, int64_t n, int d, ovl_error *err)
{
	if (have == 1 || have == n)
		return OVL_OK;
	return ovl_fail(err, OVL_E_ARGUMENT, "affine: %" PRId64 " values of %s, expected one, or %" PRId64 " as dimension %d has positions", have,
		what, n, d);
}

ovl_status ovl_math_affine(const ovl_tensor *t, int64_t dim, const double *scale, int64_t n_scale, const double *shift, int64_t n_shift,
	ovl_type type, ovl_tensor **out, ovl_error *err)
{
	affine a = {.scale = scale, .shift = shift, .scale_step = n_scale > 1, .shift_step = n_shift > 1, .n = 1, .inner = 1};
	ovl_tensor *dense;
	ovl_target target;
	double block[BLOCK];
	int64_t count = ovl_tensor_count(t);
	ovl_status s;
	int d = 0;
	OVL_TRY(ovl_rows_numbers(t, "affine", err));
	if (ovl_type_owns(type) || type == OVL_DYNAMIC)
		return ovl_fail(err, OVL_E_TYPE, "affine: the result cannot be of type %s", ovl_type_name(type));
	if (t->shape.rank) {
		OVL_TRY(ovl_axis(dim, t->shape.rank, "affine", &d, err));
		a.n = t->shape.dims[d];
	}
	OVL_TRY(check_values("scale", n_scale, a.n, d, err));
	OVL_TRY(check_values("shift", n_shift, a.n, d, err));
	for (int i = d + 1; i < t->shape.rank; i++)
		a.inner *= t->shape.dims[i];
	OVL_TRY(ovl_tensor_densify(t, &dense, err));
	s = ovl_target_open(&target, *out, type, &t->shape, *out == t ? NULL : t, true, "affine", err);
	if (!s) {
		for (int64_t at = 0; at < count; at += BLOCK) {
			int64_t m = count - at < BLOCK ? count - at : BLOCK;
			ovl_convert(dense->type, dense->data, at, OVL_F64, block, 0, m, false);
			apply(&a, block, at, m);
			ovl_convert(OVL_F64, block, 0, type, target.t->data, at, m, false);
		}
		s = ovl_target_close(&target, s, out, err);
	}
	ovl_tensor_release(dense);
	return s;
}
