/* support_unary.h - element-wise operators of one input: each gives its function for f32 and f64, and for whole numbers where it is exact there.
 *
 *     OVL_UNARY_FLOAT(square, x * x)                      // makes square_f32 and square_f64; x is the element, arg[] the operator's numbers
 *     OVL_UNARY_WHOLE(square, x * x, x * x)               // makes square_i64 (signed) and square_u64
 *     static const ovl_unary square_rows = OVL_UNARY_EXACT(square);
 *
 * Expressions may use <tgmath.h>, and K(c) for a constant of the element's type. Half types are computed in f32 and rounded; whole numbers without exact functions go
 * through f64, are rounded to the nearest (halves to even) or cut, and saturate. */
#ifndef OVL_OPS_SUPPORT_UNARY_H
#define OVL_OPS_SUPPORT_UNARY_H

#include "graph/infer.h"
#include <tgmath.h>

typedef struct ovl_unary {
	void (*f32)(const float *x, float *y, int64_t n, const double *arg);
	void (*f64)(const double *x, double *y, int64_t n, const double *arg);
	void (*i64)(const int64_t *x, int64_t *y, int64_t n, const double *arg); /* NULL: through f64 */
	void (*u64)(const uint64_t *x, uint64_t *y, int64_t n, const double *arg);
	bool cut; /* whole numbers that go through f64 are cut, not rounded */
} ovl_unary;

#define K(c) ((__typeof__(x))(c))
#define OVL_UNARY_ROW(name, T, expression)                                           \
	static void name(const T *from, T *to, int64_t n, const double *arg)         \
	{                                                                            \
		(void)arg;                                                           \
		for (int64_t i = 0; i < n; i++) {                                    \
			T x = from[i];                                               \
			to[i] = (T)(expression);                                     \
		}                                                                    \
	}
#define OVL_UNARY_FLOAT(id, expression) OVL_UNARY_ROW(id##_f32, float, expression) OVL_UNARY_ROW(id##_f64, double, expression)
#define OVL_UNARY_WHOLE(id, of_signed, of_unsigned) OVL_UNARY_ROW(id##_i64, int64_t, of_signed) OVL_UNARY_ROW(id##_u64, uint64_t, of_unsigned)
#define OVL_UNARY_ROUNDED(id) {id##_f32, id##_f64, NULL, NULL, false}
#define OVL_UNARY_CUT(id) {id##_f32, id##_f64, NULL, NULL, true}
#define OVL_UNARY_EXACT(id) {id##_f32, id##_f64, id##_i64, id##_u64, false}

/* Output 0 = fn(input 0), any numeric type. arg is handed through. */
ovl_status ovl_unary_run(ovl_run *run, const ovl_unary *fn, const double *arg);
ovl_status ovl_unary_infer(ovl_infer *in); /* any number */
ovl_status ovl_unary_infer_real(ovl_infer *in); /* floats only */

/* An operator of one input without attributes, NAME_op, from NAME_rows. */
#define OVL_UNARY_OP(id, type_name, opset, infer_fn, ...)                                                              \
	static ovl_status id##_run(ovl_run *run) { return ovl_unary_run(run, &id##_rows, NULL); }                      \
	static const ovl_op id##_op = {.name = type_name, .since = opset, .min_inputs = 1, .max_inputs = 1, .outputs = 1, \
		.inputs = "data", .infer = infer_fn, .run = id##_run, ##__VA_ARGS__};

#endif
