/* stage.h - element-wise steps over rows of floats that lie in the nearest cache: o[i] = f(x[i], y[i]). The posts and the element-wise operators are chains of them.
 *
 * X(NAME, binary, expression of V x, y, a, b). The first OVL_POST_COUNT rows are the posts, in their order (tensor/post.h says what each means); the others are
 * steps that only operators need. Where it matters, expressions are written so that a NaN in x stays, as in ovl_post_apply. */
#ifndef OVL_KERNELS_STAGE_H
#define OVL_KERNELS_STAGE_H

#include "tensor/post.h"
#include <stdint.h>

#define OVL_STAGE_MAP(X)                                                                                                                          \
	X(RELU, false, v_max(v_zero(), x))                                                                                                        \
	X(CLAMP, false, v_min(b, v_max(a, x)))                                                                                                    \
	X(SIGMOID, false, v_sigmoid(x))                                                                                                           \
	X(TANH, false, v_tanh(x))                                                                                                                 \
	X(SWISH, false, v_swish(x, a))                                                                                                           \
	X(HSWISH, false, v_mul(v_mul(x, v_min(v_set(6.0f), v_max(v_zero(), v_add(x, v_set(3.0f))))), v_set(1.0f / 6.0f)))                         \
	X(HSIGMOID, false, v_min(v_set(1.0f), v_max(v_zero(), v_fma(a, x, b))))                                                                   \
	X(GELU_ERF, false, v_gelu_erf(x))                                                                                                         \
	X(GELU_TANH, false, v_gelu_tanh(x))                                                                                                       \
	X(ELU, false, v_select(v_lt(x, v_zero()), v_mul(a, v_expm1(x)), x))                                                                       \
	X(LEAKY, false, v_select(v_lt(x, v_zero()), v_mul(a, x), x))                                                                              \
	X(LINEAR, false, v_fma(a, x, b))                                                                                                          \
	X(ABS, false, v_abs(x))                                                                                                                   \
	X(SQRT, false, v_sqrt(x))                                                                                                                 \
	X(EXP, false, v_exp(x))                                                                                                                   \
	X(SQUARE, false, v_mul(x, x))                                                                                                             \
	X(ROUND, false, v_round(x))                                                                                                               \
	X(ADD, true, v_add(x, y))                                                                                                                 \
	X(SUB, true, v_sub(x, y))                                                                                                                 \
	X(RSUB, true, v_sub(y, x))                                                                                                                \
	X(MUL, true, v_mul(x, y))                                                                                                                 \
	X(DIV, true, v_div(x, y))                                                                                                                 \
	X(MAX, true, v_max(y, x))                                                                                                                 \
	X(MIN, true, v_min(y, x))                                                                                                                 \
	X(COPY, false, x)                                                                                                                         \
	X(LOG, false, v_log(x))                                                                                                                   \
	X(NEGATE, false, v_xor(x, v_set(-0.0f)))                                                                                                  \
	X(FLOOR, false, v_floor(x))                                                                                                               \
	X(CEIL, false, v_ceil(x))                                                                                                                 \
	X(ROUND_AWAY, false, v_trunc(v_add(x, v_or(v_set(0.49999997f), v_and(x, v_set(-0.0f))))))                                                 \
	X(ERF, false, v_erf(x))                                                                                                                   \
	X(SIN, false, v_sin(x))                                                                                                                   \
	X(COS, false, v_cos(x))                                                                                                                   \
	X(MISH, false, v_mish(x))                                                                                                                 \
	X(SOFTPLUS, false, v_softplus(x))                                                                                                         \
	X(SOFTSIGN, false, v_div(x, v_add(v_set(1.0f), v_abs(x))))                                                                                \
	X(SIGN, false, v_select(v_eq(x, v_zero()), v_zero(), v_select(v_eq(x, x), v_or(v_set(1.0f), v_and(x, v_set(-0.0f))), x)))                 \
	X(RECIPROCAL, false, v_div(v_set(1.0f), x))                                                                                               \
	X(RSQRT, false, v_div(v_set(1.0f), v_sqrt(x)))                                                                                            \
	X(CUBE, false, v_mul(v_mul(x, x), x))                                                                                                     \
	X(SELU, false, v_mul(b, v_select(v_gt(x, v_zero()), x, v_mul(a, v_expm1(x)))))                                                            \
	X(RDIV, true, v_div(y, x))                                                                                                                \
	X(SQDIFF, true, v_mul(v_sub(x, y), v_sub(x, y)))                                                                                          \
	X(PRELU, true, v_select(v_lt(x, v_zero()), v_mul(x, y), x))                                                                               \
	X(MAXIMUM, true, v_select(v_eq(y, y), v_max(y, x), y)) /* of operators: a NaN of either side stays */                                     \
	X(MINIMUM, true, v_select(v_eq(y, y), v_min(y, x), y))                                                                                    \
	X(POW, true, v_pow(x, y))                                                                                                                 \
	X(RPOW, true, v_pow(y, x))

#define OVL_STAGE_ENUM(name, binary, expression) OVL_STAGE_##name,
typedef enum ovl_stage_kind { OVL_STAGE_MAP(OVL_STAGE_ENUM) OVL_STAGE_COUNT } ovl_stage_kind;
#undef OVL_STAGE_ENUM

/* `rows` rows of n; o may be x (with the same ld). Unary steps ignore y; `step` is 1, or 0 where one value of y serves the whole row. Nothing beyond n is touched. */
typedef struct ovl_stage_job {
	float *o;
	const float *x, *y;
	int64_t rows, n, o_ld, x_ld, y_ld; /* ld: from row to row */
	int step;
	float a, b;
} ovl_stage_job;
typedef void (*ovl_stage_fn)(const ovl_stage_job *j);

extern const ovl_stage_fn ovl_stages_avx2[OVL_STAGE_COUNT], ovl_stages_avx512[OVL_STAGE_COUNT];

#endif
