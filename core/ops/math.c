/* math.c - element-wise functions of one number. */
#include "ops/eltwise.h"
#include "ops/support_unary.h"

OVL_UNARY_FLOAT(abs, fabs(x))
OVL_UNARY_WHOLE(abs, x < 0 ? -(uint64_t)x : (uint64_t)x, x)
static const ovl_unary abs_rows = OVL_UNARY_EXACT(abs);
OVL_UNARY_OP(abs, "Abs", 1, ovl_unary_infer)

OVL_UNARY_FLOAT(negative, -x)
OVL_UNARY_WHOLE(negative, -(uint64_t)x, -x)
static const ovl_unary negative_rows = OVL_UNARY_EXACT(negative);
OVL_UNARY_OP(negative, "Negative", 1, ovl_unary_infer)

OVL_UNARY_FLOAT(sign, x != x ? x : K((x > 0) - (x < 0)))
OVL_UNARY_WHOLE(sign, (x > 0) - (x < 0), x > 0)
static const ovl_unary sign_rows = OVL_UNARY_EXACT(sign);
OVL_UNARY_OP(sign, "Sign", 1, ovl_unary_infer)

/* What rounding does to whole numbers. */
OVL_UNARY_WHOLE(same, x, x)
#define ROUNDING(id) {id##_f32, id##_f64, same_i64, same_u64, false}

OVL_UNARY_FLOAT(ceiling, ceil(x))
static const ovl_unary ceiling_rows = ROUNDING(ceiling);
OVL_UNARY_OP(ceiling, "Ceiling", 1, ovl_unary_infer)

OVL_UNARY_FLOAT(floor, floor(x))
static const ovl_unary floor_rows = ROUNDING(floor);
OVL_UNARY_OP(floor, "Floor", 1, ovl_unary_infer)

/* Not rint: that would follow the rounding mode of whoever calls us. */
OVL_UNARY_FLOAT(round_even, fabs(x - trunc(x)) == K(0.5) ? K(2) * round(x / K(2)) : round(x))
OVL_UNARY_FLOAT(round_away, round(x))
static const ovl_unary round_rows[] = {[OVL_ROUND_EVEN] = ROUNDING(round_even), [OVL_ROUND_AWAY] = ROUNDING(round_away)};
static ovl_status round_run(ovl_run *run) { return ovl_unary_run(run, &round_rows[((const ovl_round_params *)run->params)->mode], NULL); }
static const ovl_attr round_attrs[] = {OVL_ATTR_ENUM(ovl_round_params, mode, "half_to_even", "half_to_even half_away_from_zero"), OVL_ATTR_END};
static const ovl_op round_op = {.name = "Round", .since = 5, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .params_size = sizeof(ovl_round_params),
	.attrs = round_attrs, .infer = ovl_unary_infer, .run = round_run};

/* Functions of the C library under its names. */
#define LIBRARY_(id, type_name, opset, rows)                                 \
	OVL_UNARY_FLOAT(id, id(x))                                           \
	static const ovl_unary id##_rows = rows(id);                         \
	OVL_UNARY_OP(id, type_name, opset, ovl_unary_infer)
#define LIBRARY(id, type_name, opset) LIBRARY_(id, type_name, opset, OVL_UNARY_ROUNDED)
#define LIBRARY_CUT(id, type_name, opset) LIBRARY_(id, type_name, opset, OVL_UNARY_CUT)
LIBRARY(cos, "Cos", 1)
LIBRARY(cosh, "Cosh", 1)
LIBRARY(acos, "Acos", 1)
LIBRARY(acosh, "Acosh", 4)
LIBRARY(sin, "Sin", 1)
LIBRARY(sinh, "Sinh", 1)
LIBRARY(asin, "Asin", 1)
LIBRARY(asinh, "Asinh", 4)
LIBRARY(tan, "Tan", 1)
LIBRARY(atan, "Atan", 1)
LIBRARY(atanh, "Atanh", 4)
LIBRARY(erf, "Erf", 1)
LIBRARY_CUT(exp, "Exp", 1)
LIBRARY_CUT(log, "Log", 1)
LIBRARY(sqrt, "Sqrt", 1)

const ovl_op *const ovl_ops_math[] = {&abs_op, &negative_op, &sign_op, &ceiling_op, &floor_op, &round_op, &cos_op, &cosh_op, &acos_op, &acosh_op, &sin_op, &sinh_op, &asin_op,
	&asinh_op, &tan_op, &atan_op, &atanh_op, &erf_op, &exp_op, &log_op, &sqrt_op, NULL};
