#include "ops/support_unary.h"
#include "ops/support_axes.h"
#include "tensor/convert.h"

enum { BLOCK = 512 };

typedef union block {
	float f32[BLOCK];
	double f64[BLOCK];
	int64_t i64[BLOCK];
	uint64_t u64[BLOCK];
} block;

/* The type in which elements of type t are computed. */
static ovl_type working_type(ovl_type t, const ovl_unary *fn)
{
	if (t == OVL_F64)
		return OVL_F64;
	if (ovl_type_is_float(t))
		return OVL_F32;
	if (t == OVL_U64)
		return fn->u64 ? OVL_U64 : OVL_F64;
	return fn->i64 ? OVL_I64 : OVL_F64;
}

static void apply(const ovl_unary *fn, ovl_type t, const void *x, void *y, int64_t n, const double *arg)
{
	switch (t) {
	case OVL_F32: fn->f32((const float *)x, (float *)y, n, arg); break;
	case OVL_F64: fn->f64((const double *)x, (double *)y, n, arg); break;
	case OVL_I64: fn->i64((const int64_t *)x, (int64_t *)y, n, arg); break;
	default: fn->u64((const uint64_t *)x, (uint64_t *)y, n, arg); break;
	}
}

static double to_whole(double v) { return fabs(v - trunc(v)) == 0.5 ? 2 * round(v / 2) : round(v); }

ovl_status ovl_unary_run(ovl_run *run, const ovl_unary *fn, const double *arg)
{
	const ovl_tensor *x = run->in[0];
	ovl_tensor *y = run->out[0];
	ovl_type type = x->type, work = working_type(type, fn);
	int64_t count = ovl_tensor_count(x), chunk = work == type ? 1 << 16 : BLOCK;
	size_t size = ovl_type_size(type);
	block b;
	for (int64_t i = 0; i < count; i += chunk) {
		int64_t n = count - i < chunk ? count - i : chunk;
		OVL_RUN_CHECK_CANCEL(run);
		if (work == type) {
			apply(fn, type, (const char *)x->data + (size_t)i * size, (char *)y->data + (size_t)i * size, n, arg);
			continue;
		}
		ovl_convert(type, x->data, i, work, &b, 0, n, true);
		apply(fn, work, &b, &b, n, arg);
		if (work == OVL_F64 && !fn->cut)
			for (int64_t k = 0; k < n; k++)
				b.f64[k] = to_whole(b.f64[k]);
		ovl_convert(work, &b, 0, type, y->data, i, n, true);
	}
	return OVL_OK;
}

ovl_status ovl_unary_infer(ovl_infer *in)
{
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_ARITHMETIC));
	return ovl_infer_same(in);
}

ovl_status ovl_unary_infer_real(ovl_infer *in)
{
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_REAL));
	return ovl_infer_same(in);
}
