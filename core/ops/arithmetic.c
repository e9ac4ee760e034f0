/* arithmetic.c - element-wise arithmetic of two inputs. Whole numbers wrap at 64 bits and keep the low bits of their type; dividing them by zero is an error. */
#include "ops/support_axes.h"
#include "ops/support_binary.h"

static const ovl_attr attrs[] = {OVL_BINARY_ATTRS, OVL_ATTR_END};

static ovl_status infer(ovl_infer *in)
{
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_ARITHMETIC));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_ARITHMETIC));
	return ovl_binary_infer(in, OVL_DYNAMIC);
}

#define ROWS(id, OF_FLOAT, OF_SIGNED, OF_UNSIGNED)      \
	static void id##_rows(const ovl_binary_row *r)  \
	{                                               \
		switch (r->type) {                      \
			OVL_BINARY_FLOATS(OF_FLOAT)     \
			OVL_BINARY_SIGNED(OF_SIGNED)    \
			OVL_BINARY_UNSIGNED(OF_UNSIGNED)\
		default: break;                         \
		}                                       \
	}

/* Signed sums and products are made of unsigned ones, which may overflow. */
#define U(x) ((uint64_t)(x))
#define PLUS(x, y) ((x) + (y))
#define MINUS(x, y) ((x) - (y))
#define TIMES(x, y) ((x) * (y))
#define PLUS_S(x, y) ((int64_t)(U(x) + U(y)))
#define MINUS_S(x, y) ((int64_t)(U(x) - U(y)))
#define TIMES_S(x, y) ((int64_t)(U(x) * U(y)))
ROWS(add, PLUS, PLUS_S, PLUS)
ROWS(subtract, MINUS, MINUS_S, MINUS)
ROWS(multiply, TIMES, TIMES_S, TIMES)
OVL_BINARY_OP(add, "Add", 1, infer, attrs)
OVL_BINARY_OP(subtract, "Subtract", 1, infer, attrs)
OVL_BINARY_OP(multiply, "Multiply", 1, infer, attrs)

/* NaN of either side stays. */
#define LARGER(x, y) ((x) != (x) ? (x) : (x) > (y) ? (x) : (y))
#define SMALLER(x, y) ((x) != (x) ? (x) : (x) < (y) ? (x) : (y))
#define LARGER_I(x, y) ((x) > (y) ? (x) : (y))
#define SMALLER_I(x, y) ((x) < (y) ? (x) : (y))
ROWS(maximum, LARGER, LARGER_I, LARGER_I)
ROWS(minimum, SMALLER, SMALLER_I, SMALLER_I)
OVL_BINARY_OP(maximum, "Maximum", 1, infer, attrs)
OVL_BINARY_OP(minimum, "Minimum", 1, infer, attrs)

#define SQUARED(x, y) (((x) - (y)) * ((x) - (y)))
#define SQUARED_S(x, y) TIMES_S(MINUS_S(x, y), MINUS_S(x, y))
ROWS(squared_difference, SQUARED, SQUARED_S, SQUARED)
OVL_BINARY_OP(squared_difference, "SquaredDifference", 1, infer, attrs)

/* ---- division: whole divisors have been checked before the rows run ---- */

static ovl_status check_divisor(ovl_run *run)
{
	const ovl_tensor *b = run->in[1];
	if (ovl_type_is_float(b->type) || ovl_tensor_count(run->out[0]) == 0)
		return OVL_OK;
	int64_t at = ovl_find_between(b, 0, 0);
	if (at >= 0)
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: element %lld of the divisor is zero, and whole numbers cannot be divided by it", run->op->name, (long long)at);
	return OVL_OK;
}

static int64_t quotient(int64_t x, int64_t y) { return y == -1 ? (int64_t)(0 - U(x)) : x / y; }
static int64_t remainder_of(int64_t x, int64_t y) { return y == -1 ? 0 : x % y; }
static int64_t floor_quotient(int64_t x, int64_t y) { return quotient(x, y) - (remainder_of(x, y) != 0 && (x < 0) != (y < 0)); }
static int64_t floor_remainder(int64_t x, int64_t y)
{
	int64_t r = remainder_of(x, y);
	return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}
static double floor_fmod(double x, double y)
{
	double r = fmod(x, y);
	return r != 0 ? ((r < 0) != (y < 0) ? r + y : r) : copysign(0.0, y);
}

#define OVER(x, y) ((x) / (y))
#define MODULO(x, y) ((x) % (y))
ROWS(divide_floor, OVER, floor_quotient, OVER)
ROWS(divide_trunc, OVER, quotient, OVER)
ROWS(mod, fmod, remainder_of, MODULO)
ROWS(floor_mod, floor_fmod, floor_remainder, MODULO)

static ovl_status divide_run(ovl_run *run)
{
	const ovl_binary_params *p = (const ovl_binary_params *)run->params;
	OVL_TRY(check_divisor(run));
	return ovl_binary_run(run, p, p->m_pythondiv ? divide_floor_rows : divide_trunc_rows, divide_run);
}

static ovl_status mod_run(ovl_run *run)
{
	OVL_TRY(check_divisor(run));
	return ovl_binary_run(run, (const ovl_binary_params *)run->params, mod_rows, mod_run);
}

static ovl_status floor_mod_run(ovl_run *run)
{
	OVL_TRY(check_divisor(run));
	return ovl_binary_run(run, (const ovl_binary_params *)run->params, floor_mod_rows, floor_mod_run);
}

static const ovl_attr divide_attrs[] = {OVL_BINARY_ATTRS, OVL_ATTR_BOOL(ovl_binary_params, m_pythondiv, "true"), OVL_ATTR_END};
#define DIVISION(id, type_name, table)                                                                                                              \
	static const ovl_op id##_op = {.name = type_name, .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "left_node right_node", \
		.params_size = sizeof(ovl_binary_params), .attrs = table, .infer = infer, .run = id##_run};
DIVISION(divide, "Divide", divide_attrs)
DIVISION(mod, "Mod", attrs)
DIVISION(floor_mod, "FloorMod", attrs)

/* ---- Power ---- */

static uint64_t power_u64(uint64_t x, uint64_t n)
{
	uint64_t r = 1;
	for (; n; n >>= 1, x *= x)
		if (n & 1)
			r *= x;
	return r;
}

/* A negative exponent leaves whole numbers only for 1 and -1; the rest rounds to 0. */
static int64_t power_i64(int64_t x, int64_t n)
{
	if (n >= 0)
		return (int64_t)power_u64(U(x), U(n));
	return x == 1 ? 1 : x == -1 ? (n & 1 ? -1 : 1) : 0;
}

static float power_f32(float x, float y) { return y == 2.0f ? x * x : powf(x, y); }
static double power_f64(double x, double y) { return y == 2.0 ? x * x : pow(x, y); }
#define POWER(x, y) _Generic((x), float : power_f32, double : power_f64)(x, y)
ROWS(power, POWER, power_i64, power_u64)
OVL_BINARY_OP(power, "Power", 1, infer, attrs)

const ovl_op *const ovl_ops_arithmetic[] = {&add_op, &subtract_op, &multiply_op, &maximum_op, &minimum_op, &squared_difference_op, &divide_op, &mod_op, &floor_mod_op,
	&power_op, NULL};
