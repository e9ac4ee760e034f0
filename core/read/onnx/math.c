/* Arithmetic and functions of single elements. */
#include "read/onnx/rule.h"

#include <math.h>
#include <string.h>

/* ---- one to one ---- */

typedef struct pair {
	const char *onnx, *ours;
} pair;

static const char *ours(const ovl_onnx *x, const pair *table)
{
	for (; table->onnx; table++)
		if (strcmp(table->onnx, x->op) == 0)
			return table->ours;
	return x->op;
}

static void unary(ovl_onnx *x)
{
	static const pair names[] = {
		{"Ceil", "Ceiling"}, {"Neg", "Negative"}, {"HardSwish", "HSwish"}, {"Softplus", "SoftPlus"}, {"Softsign", "SoftSign"}, {NULL, NULL}};
	ovl_x_out(x, 0, ovl_x_op(x, ours(x, names), ovl_x_in(x, 0)));
}

static void round_half_even(ovl_onnx *x) { ovl_x_out(x, 0, ovl_x_opa(x, "Round", "mode=half_to_even", ovl_x_in(x, 0))); }

static void reciprocal(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	ovl_x_out(x, 0, ovl_x_op(x, "Divide", ovl_x_like(x, a, 1), a));
}

static void binary(ovl_onnx *x)
{
	static const pair names[] = {{"Sub", "Subtract"}, {"Mul", "Multiply"}, {NULL, NULL}};
	ovl_end a = ovl_x_in(x, 0), b = ovl_x_second(x, a);
	ovl_x_out(x, 0, ovl_x_op(x, ours(x, names), a, b));
}

/* Integers are divided toward zero. */
static void divide(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), b = ovl_x_second(x, a);
	ovl_x_out(x, 0, ovl_x_opa(x, "Divide", "m_pythondiv=false", a, b));
}

static void mod(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), b = ovl_x_in(x, 1);
	ovl_x_out(x, 0, ovl_x_op(x, ovl_x_attr_int(x, "fmod", 0) ? "Mod" : "FloorMod", a, b));
}

/* The exponent may be of another type; the result is of the base's. */
static void power(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), b = ovl_x_second(x, a);
	ovl_type ta = ovl_x_type(x, a), tb = ovl_x_type(x, b);
	if (ta == tb || ta == OVL_DYNAMIC)
		ovl_x_out(x, 0, ovl_x_op(x, "Power", a, b));
	else if (ovl_type_is_float(tb) && !ovl_type_is_float(ta))
		ovl_x_out(x, 0, ovl_x_convert(x, ovl_x_op(x, "Power", ovl_x_convert(x, a, OVL_F64), ovl_x_convert(x, b, OVL_F64)), ta));
	else
		ovl_x_out(x, 0, ovl_x_op(x, "Power", a, ovl_x_convert(x, b, ta)));
}

/* Max, Min, Sum, Mean of any number of inputs. */
static ovl_end fold(ovl_onnx *x, const char *type)
{
	ovl_end e = ovl_x_in(x, 0);
	for (int i = 1; i < x->n_in; i++)
		e = ovl_x_op(x, type, e, ovl_x_in(x, i));
	return e;
}

static void variadic(ovl_onnx *x)
{
	static const pair names[] = {{"Max", "Maximum"}, {"Min", "Minimum"}, {"Sum", "Add"}, {NULL, NULL}};
	ovl_x_out(x, 0, fold(x, ours(x, names)));
}

static void mean(ovl_onnx *x)
{
	ovl_end sum = fold(x, "Add");
	ovl_x_out(x, 0, x->n_in == 1 ? sum : ovl_x_op(x, "Divide", sum, ovl_x_like(x, sum, x->n_in)));
}

/* ---- activations ---- */

static ovl_end clamped(ovl_onnx *x, ovl_end a, double lo, double hi)
{
	return ovl_x_opa(x, "Clamp", ovl_x_text(x, "min=%s;max=%s", ovl_x_num(x, lo), ovl_x_num(x, hi)), a);
}

static void clip_6(ovl_onnx *x)
{
	ovl_x_out(x, 0, clamped(x, ovl_x_in(x, 0), ovl_x_attr_float(x, "min", -3.402823466e+38f), ovl_x_attr_float(x, "max", 3.402823466e+38f)));
}

/* Clamp takes doubles and wants lo <= hi; where the standard allows more, two element-wise steps do it. */
static void clip_11(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), low = ovl_x_maybe(x, 1), high = ovl_x_maybe(x, 2);
	double lo = -INFINITY, hi = INFINITY;
	bool known = (!low.node || ovl_x_number(x, low, &lo)) && (!high.node || ovl_x_number(x, high, &hi));
	if (!low.node && !high.node)
		ovl_x_out(x, 0, a);
	else if (known && lo <= hi && ovl_x_is_float(x, a))
		ovl_x_out(x, 0, clamped(x, a, lo, hi));
	else {
		if (low.node)
			a = ovl_x_op(x, "Maximum", a, low);
		ovl_x_out(x, 0, high.node ? ovl_x_op(x, "Minimum", a, high) : a);
	}
}

static void elu(ovl_onnx *x)
{
	ovl_x_out(x, 0, ovl_x_opa(x, "Elu", ovl_x_text(x, "alpha=%s", ovl_x_num(x, ovl_x_attr_float(x, "alpha", 1))), ovl_x_in(x, 0)));
}

static void selu(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	float alpha = ovl_x_attr_float(x, "alpha", x->opset < 6 ? 1.6732f : 1.67326319217681884765625f);
	float gamma = ovl_x_attr_float(x, "gamma", x->opset < 6 ? 1.0507f : 1.05070102214813232421875f);
	ovl_x_out(x, 0, ovl_x_op(x, "Selu", a, ovl_x_like(x, a, alpha), ovl_x_like(x, a, gamma)));
}

/* max(0, x) + min(0, alpha (exp(x / alpha) - 1)) */
static void celu(ovl_onnx *x)
{
	ovl_end like = ovl_x_in(x, 0), a = ovl_x_wide(x, like), alpha = ovl_x_like(x, a, ovl_x_attr_float(x, "alpha", 1)), zero = ovl_x_like(x, a, 0);
	ovl_end down = ovl_x_op(x, "Multiply", alpha, ovl_x_op(x, "Subtract", ovl_x_op(x, "Exp", ovl_x_op(x, "Divide", a, alpha)), ovl_x_like(x, a, 1)));
	ovl_x_out(x, 0, ovl_x_convert_like(x, ovl_x_op(x, "Add", ovl_x_op(x, "Maximum", a, zero), ovl_x_op(x, "Minimum", down, zero)), like));
}

static void leaky_relu(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), slope = ovl_x_like(x, a, ovl_x_attr_float(x, "alpha", 0.01f));
	ovl_x_out(x, 0, ovl_x_op(x, "PRelu", a, ovl_x_vector_of(x, slope)));
}

/* OpenVINO's PRelu takes a slope of one dimension as one per channel; ONNX broadcasts it from the last dimension since opset 7. */
static void prelu(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), slope = ovl_x_in(x, 1);
	int rank = ovl_x_rank(x, a), slope_rank = ovl_x_rank(x, slope);
	if (slope_rank == 0)
		slope = ovl_x_vector_of(x, slope);
	if (x->opset >= 7 && slope_rank == 1 && ovl_x_dim(x, slope, 0) != 1 && rank > 1 && rank != 2)
		slope = ovl_x_channels(x, ovl_x_unsqueeze(x, slope, 0), rank, rank - 1);
	ovl_x_out(x, 0, ovl_x_op(x, "PRelu", a, slope));
}

static void hard_sigmoid(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	ovl_x_out(x, 0,
		ovl_x_op(x, "HardSigmoid", a, ovl_x_like(x, a, ovl_x_attr_float(x, "alpha", 0.2f)),
			ovl_x_like(x, a, ovl_x_attr_float(x, "beta", 0.5f))));
}

static void thresholded_relu(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), above = ovl_x_op(x, "Greater", a, ovl_x_like(x, a, ovl_x_attr_float(x, "alpha", 1)));
	ovl_x_out(x, 0, ovl_x_op(x, "Select", above, a, ovl_x_like(x, a, 0)));
}

/* x < -lambd: x + bias; x > lambd: x - bias; else 0 */
static void shrink(ovl_onnx *x)
{
	float lambd = ovl_x_attr_float(x, "lambd", 0.5f), bias = ovl_x_attr_float(x, "bias", 0);
	ovl_end a = ovl_x_in(x, 0), zero = ovl_x_like(x, a, 0);
	ovl_type type = ovl_x_type(x, a);
	ovl_end f = ovl_x_is_float(x, a) ? a : ovl_x_convert(x, a, OVL_F32); /* an unsigned x has no -lambd */
	ovl_end below = ovl_x_op(x, "Less", f, ovl_x_like(x, f, -lambd)), above = ovl_x_op(x, "Greater", f, ovl_x_like(x, f, lambd));
	ovl_end up = ovl_x_op(x, "Add", f, ovl_x_like(x, f, bias)), down = ovl_x_op(x, "Subtract", f, ovl_x_like(x, f, bias));
	if (type != OVL_DYNAMIC)
		up = ovl_x_convert(x, up, type), down = ovl_x_convert(x, down, type);
	ovl_x_out(x, 0, ovl_x_op(x, "Select", below, up, ovl_x_op(x, "Select", above, down, zero)));
}

static void gelu(ovl_onnx *x)
{
	bool tanh_form = strcmp(ovl_x_attr_text(x, "approximate", "none"), "tanh") == 0;
	ovl_x_out(x, 0, ovl_x_opa(x, "Gelu", tanh_form ? "approximation_mode=TANH" : "approximation_mode=ERF", ovl_x_in(x, 0)));
}

static void swish(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	ovl_x_out(x, 0, ovl_x_op(x, "Swish", a, ovl_x_like(x, a, ovl_x_attr_float(x, "alpha", 1))));
}

static void swiglu(ovl_onnx *x)
{
	swish(x);
	ovl_x_out(x, 0, ovl_x_op(x, "Multiply", x->out[0].end, ovl_x_in(x, 1)));
}

/* ---- along an axis ---- */

/* Before opset 13: over everything from `axis` on, as one. */
static void softmax_1(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), flat, shape;
	int rank = ovl_x_need_rank(x, a), axis = ovl_x_axis(x, ovl_x_attr_int(x, "axis", 1), rank ? rank : 1);
	if (x->status == OVL_OK && axis == rank - 1) {
		ovl_x_out(x, 0, ovl_x_opa(x, x->op, ovl_x_text(x, "axis=%d", axis), a));
		return;
	}
	shape = ovl_x_shape(x, a);
	if (axis == 0)
		flat = ovl_x_reshape_to(x, a, (int64_t[]){1, -1}, 2);
	else
		flat = ovl_x_reshape(x, a, ovl_x_cat(x, 0, ovl_x_reduce(x, "ReduceProd", ovl_x_dims(x, a, 0, axis), ovl_x_vec(x, 0), true), ovl_x_vec(x, -1)));
	ovl_x_out(x, 0, ovl_x_reshape(x, ovl_x_opa(x, x->op, "axis=1", flat), shape));
}

static void softmax_13(ovl_onnx *x)
{
	ovl_x_out(x, 0, ovl_x_opa(x, x->op, ovl_x_text(x, "axis=%lld", (long long)ovl_x_attr_int(x, "axis", -1)), ovl_x_in(x, 0)));
}

/* One at the first of the largest, zero elsewhere. */
static ovl_end hardmax_along(ovl_onnx *x, ovl_end a, int64_t axis)
{
	ovl_end best = ovl_x_opa(
		x, "TopK", ovl_x_text(x, "axis=%lld;mode=max;sort=value;stable=true;index_element_type=i64", (long long)axis), a, ovl_x_i64(x, 1));
	ovl_end depth = ovl_x_scalar_of(x, ovl_x_gather(x, ovl_x_shape(x, a), ovl_x_vec(x, axis), 0));
	ovl_end index = ovl_x_squeeze(x, ovl_x_port(best, 1), (int)axis);
	return ovl_x_opa(x, "OneHot", ovl_x_text(x, "axis=%lld", (long long)axis), index, depth, ovl_x_like(x, a, 1), ovl_x_like(x, a, 0));
}

static void hardmax(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), flat;
	int rank = ovl_x_need_rank(x, a), axis = ovl_x_axis(x, ovl_x_attr_int(x, "axis", x->opset < 13 ? 1 : -1), rank ? rank : 1);
	if (x->opset >= 13 || axis == rank - 1) {
		ovl_x_out(x, 0, hardmax_along(x, a, axis));
		return;
	}
	flat = axis == 0 ? ovl_x_vec(x, 1, -1)
			 : ovl_x_cat(x, 0, ovl_x_reduce(x, "ReduceProd", ovl_x_dims(x, a, 0, axis), ovl_x_vec(x, 0), true), ovl_x_vec(x, -1));
	ovl_x_out(x, 0, ovl_x_reshape(x, hardmax_along(x, ovl_x_reshape(x, a, flat), 1), ovl_x_shape(x, a)));
}

static void cum_sum(ovl_onnx *x)
{
	const char *how = ovl_x_text(x, "exclusive=%s;reverse=%s", ovl_x_attr_int(x, "exclusive", 0) ? "true" : "false",
		ovl_x_attr_int(x, "reverse", 0) ? "true" : "false");
	ovl_x_out(x, 0, ovl_x_opa(x, "CumSum", how, ovl_x_in(x, 0), ovl_x_scalar_of(x, ovl_x_in(x, 1))));
}

/* ---- matrices ---- */

static void matmul(ovl_onnx *x) { ovl_x_out(x, 0, ovl_x_op(x, "MatMul", ovl_x_in(x, 0), ovl_x_in(x, 1))); }

static ovl_end scaled(ovl_onnx *x, ovl_end e, float by) { return by == 1 ? e : ovl_x_op(x, "Multiply", e, ovl_x_like(x, e, by)); }

static void gemm(ovl_onnx *x)
{
	bool ta = ovl_x_attr_int(x, "transA", 0), tb = ovl_x_attr_int(x, "transB", 0);
	ovl_end c = ovl_x_maybe(x, 2), y;
	y = ovl_x_opa(x, "MatMul", ovl_x_text(x, "transpose_a=%d;transpose_b=%d", ta, tb), ovl_x_in(x, 0), ovl_x_in(x, 1));
	y = scaled(x, y, ovl_x_attr_float(x, "alpha", 1));
	if (c.node)
		y = ovl_x_op(x, "Add", y, scaled(x, c, ovl_x_attr_float(x, "beta", 1)));
	ovl_x_out(x, 0, y);
}

static void einsum(ovl_onnx *x)
{
	const char *given = ovl_x_attr_text(x, "equation", "");
	char equation[256], *to = equation;
	ovl_end in[16];
	int n = x->n_in < 16 ? x->n_in : 16;
	for (int i = 0; i < n; i++)
		in[i] = ovl_x_in(x, i);
	for (; *given && to < equation + sizeof equation - 1; given++)
		if (*given != ' ')
			*to++ = *given;
	*to = 0;
	ovl_x_out(x, 0, ovl_x_make(x, "Einsum", ovl_x_text(x, "equation=%s", equation), in, n));
}

/* ---- determinants, of small matrices ---- */

static ovl_end entry(ovl_onnx *x, ovl_end a, int rank, int row, int column)
{
	return ovl_x_gather(x, ovl_x_gather(x, a, ovl_x_i64(x, row), rank - 2), ovl_x_i64(x, column), rank - 2);
}

/* By the first of the rows that are left; `columns` are those that are left. */
static ovl_end minor_of(ovl_onnx *x, ovl_end a, int rank, int row, const int *columns, int n)
{
	ovl_end sum = {NULL, 0};
	for (int i = 0; i < n && x->status == OVL_OK; i++) {
		ovl_end term = entry(x, a, rank, row, columns[i]);
		int rest[4], k = 0;
		for (int j = 0; j < n; j++)
			if (j != i)
				rest[k++] = columns[j];
		if (k)
			term = ovl_x_op(x, "Multiply", term, minor_of(x, a, rank, row + 1, rest, k));
		sum = !sum.node ? term : ovl_x_op(x, i % 2 ? "Subtract" : "Add", sum, term);
	}
	return sum;
}

static void det(ovl_onnx *x)
{
	static const int columns[] = {0, 1, 2, 3};
	ovl_end a = ovl_x_in(x, 0);
	int rank = ovl_x_need_rank(x, a);
	int64_t n = ovl_x_dim(x, a, rank - 1);
	if (rank < 2 || n < 1 || n > 4)
		ovl_x_unsupported(x, "the determinant of a matrix larger than 4 by 4, or of unknown size,");
	else
		ovl_x_out(x, 0, minor_of(x, a, rank, 0, columns, (int)n));
}

/* The lower part holds row >= column - k, the upper one row <= column - k. */
static void trilu(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), k = ovl_x_maybe(x, 1), zero = ovl_x_i64(x, 0), size, rows, columns, mask;
	bool upper = ovl_x_attr_int(x, "upper", 1);
	size = ovl_x_shape(x, a);
	rows = ovl_x_range(x, zero, ovl_x_scalar_of(x, ovl_x_gather(x, size, ovl_x_vec(x, -2), 0)), OVL_I64);
	columns = ovl_x_range(x, zero, ovl_x_scalar_of(x, ovl_x_gather(x, size, ovl_x_vec(x, -1), 0)), OVL_I64);
	if (k.node)
		columns = ovl_x_op(x, "Subtract", columns, ovl_x_scalar_of(x, ovl_x_convert(x, k, OVL_I64)));
	mask = ovl_x_op(x, upper ? "LessEqual" : "GreaterEqual", ovl_x_unsqueeze(x, rows, 1), columns);
	ovl_x_out(x, 0, ovl_x_op(x, "Select", mask, a, ovl_x_like(x, a, 0)));
}

/* ---- bits ---- */

static void bit_shift(ovl_onnx *x)
{
	bool left = strcmp(ovl_x_attr_text(x, "direction", ""), "LEFT") == 0;
	ovl_end a = ovl_x_in(x, 0), by = ovl_x_in(x, 1);
	if (ovl_type_is_signed(ovl_x_type(x, by))) /* a negative shift is a very large one */
		by = ovl_x_op(x, "Select", ovl_x_op(x, "Less", by, ovl_x_like(x, by, 0)), ovl_x_like(x, by, 64), by);
	ovl_x_out(x, 0, ovl_x_op(x, left ? "BitwiseLeftShift" : "BitwiseRightShift", a, by));
}

static void is_inf(ovl_onnx *x)
{
	const char *what = ovl_x_text(x, "detect_negative=%d;detect_positive=%d", ovl_x_attr_int(x, "detect_negative", 1) != 0,
		ovl_x_attr_int(x, "detect_positive", 1) != 0);
	ovl_x_out(x, 0, ovl_x_opa(x, "IsInf", what, ovl_x_in(x, 0)));
}

/* ---- products of inputs and their tests ---- */

static void cum_prod(ovl_onnx *x)
{
	const char *how = ovl_x_text(x, "exclusive=%d;reverse=%d", ovl_x_attr_int(x, "exclusive", 0) != 0, ovl_x_attr_int(x, "reverse", 0) != 0);
	ovl_x_out(x, 0, ovl_x_opa(x, "CumProd", how, ovl_x_in(x, 0), ovl_x_scalar_of(x, ovl_x_in(x, 1))));
}

const ovl_onnx_rule ovl_onnx_math[] = {
	{"Abs", NULL, 1, unary},
	{"Acos", NULL, 7, unary},
	{"Acosh", NULL, 9, unary},
	{"Asin", NULL, 7, unary},
	{"Asinh", NULL, 9, unary},
	{"Atan", NULL, 7, unary},
	{"Atanh", NULL, 9, unary},
	{"Ceil", NULL, 1, unary},
	{"Cos", NULL, 7, unary},
	{"Cosh", NULL, 9, unary},
	{"Erf", NULL, 9, unary},
	{"Exp", NULL, 1, unary},
	{"Floor", NULL, 1, unary},
	{"HardSwish", NULL, 14, unary},
	{"Log", NULL, 1, unary},
	{"Mish", NULL, 18, unary},
	{"Neg", NULL, 1, unary},
	{"Relu", NULL, 1, unary},
	{"Round", NULL, 11, round_half_even},
	{"Sigmoid", NULL, 1, unary},
	{"Sign", NULL, 9, unary},
	{"Sin", NULL, 7, unary},
	{"Sinh", NULL, 9, unary},
	{"Softplus", NULL, 1, unary},
	{"Softsign", NULL, 1, unary},
	{"Sqrt", NULL, 1, unary},
	{"Tan", NULL, 7, unary},
	{"Tanh", NULL, 1, unary},
	{"IsNaN", NULL, 9, unary},
	{"IsInf", NULL, 10, is_inf},
	{"BitwiseNot", NULL, 18, unary},
	{"Reciprocal", NULL, 1, reciprocal},
	{"Add", NULL, 1, binary},
	{"Sub", NULL, 1, binary},
	{"Mul", NULL, 1, binary},
	{"Div", NULL, 1, divide},
	{"Mod", NULL, 10, mod},
	{"Pow", NULL, 1, power},
	{"BitwiseAnd", NULL, 18, binary},
	{"BitwiseOr", NULL, 18, binary},
	{"BitwiseXor", NULL, 18, binary},
	{"BitShift", NULL, 11, bit_shift},
	{"Max", NULL, 1, variadic},
	{"Min", NULL, 1, variadic},
	{"Sum", NULL, 1, variadic},
	{"Mean", NULL, 1, mean},
	{"Clip", NULL, 1, clip_6},
	{"Clip", NULL, 11, clip_11},
	{"Elu", NULL, 1, elu},
	{"Selu", NULL, 1, selu},
	{"Celu", NULL, 12, celu},
	{"LeakyRelu", NULL, 1, leaky_relu},
	{"PRelu", NULL, 1, prelu},
	{"HardSigmoid", NULL, 1, hard_sigmoid},
	{"ThresholdedRelu", NULL, 1, thresholded_relu},
	{"Shrink", NULL, 9, shrink},
	{"Gelu", NULL, 20, gelu},
	{"Swish", NULL, 24, swish},
	{"SwiGLU", NULL, 28, swiglu},
	{"Softmax", NULL, 1, softmax_1},
	{"Softmax", NULL, 13, softmax_13},
	{"LogSoftmax", NULL, 1, softmax_1},
	{"LogSoftmax", NULL, 13, softmax_13},
	{"Hardmax", NULL, 1, hardmax},
	{"CumSum", NULL, 11, cum_sum},
	{"CumProd", NULL, 26, cum_prod},
	{"MatMul", NULL, 1, matmul},
	{"Gemm", NULL, 1, gemm},
	{"Einsum", NULL, 12, einsum},
	{"Det", NULL, 11, det},
	{"Trilu", NULL, 14, trilu},
	{NULL, NULL, 0, NULL},
};
