/* Quantisation, as arithmetic: scales and zero points are applied where they stand. */
#include "read/onnx/rule.h"

#include <string.h>

/* A scale or zero point of one dimension belongs to `axis`; blocks of block_size elements along it may share one. */
static ovl_end placed(ovl_onnx *x, ovl_end v, ovl_end a, int64_t axis, int64_t block)
{
	int rank, v_rank = ovl_x_rank(x, v), at;
	ovl_end wide;
	if (!v.node || v_rank == 0 || (v_rank == 1 && ovl_x_dim(x, v, 0) == 1 && !block))
		return v.node && v_rank == 1 ? ovl_x_scalar_of(x, v) : v;
	rank = ovl_x_need_rank(x, a);
	if (v_rank == 1 && ovl_x_dim(x, v, 0) < 0 && (axis >= rank || axis < -rank)) /* such an axis means one for all */
		return ovl_x_scalar_of(x, v);
	at = ovl_x_axis(x, axis, rank);
	if (v_rank == 1)
		return ovl_x_channels(x, v, rank, at);
	if (!block)
		return v;
	/* [.., k, ..] -> [.., k, 1, ..] -> [.., k, block, ..] -> [.., k * block, ..], cut to the size of `a` */
	if (rank + 1 > OVL_MAX_RANK) {
		ovl_x_unsupported(x, "so many dimensions with blocks");
		return v;
	}
	wide = ovl_x_unsqueeze(x, v, at + 1);
	int64_t times[OVL_MAX_RANK];
	for (int i = 0; i <= rank; i++)
		times[i] = i == at + 1 ? block : 1;
	wide = ovl_x_op(x, "Tile", wide, ovl_x_i64s(x, times, rank + 1));
	ovl_end size[3];
	int n = 0;
	if (at > 0)
		size[n++] = ovl_x_dims(x, v, 0, at);
	size[n++] = ovl_x_vec(x, -1);
	if (at + 1 < rank)
		size[n++] = ovl_x_dims(x, v, at + 1, rank);
	wide = ovl_x_reshape(x, wide, ovl_x_concat(x, 0, size, n));
	return ovl_x_op(x, "Slice", wide, ovl_x_vec(x, 0), ovl_x_dims(x, a, at, at + 1), ovl_x_vec(x, 1), ovl_x_vec(x, at));
}

/* (a - zero) * scale, in the type of scale */
static ovl_end dequantized(ovl_onnx *x, ovl_end a, ovl_end scale, ovl_end zero, int64_t axis, int64_t block)
{
	ovl_type t = ovl_x_type(x, scale);
	ovl_end y = ovl_x_convert(x, a, t);
	if (zero.node)
		y = ovl_x_op(x, "Subtract", y, placed(x, ovl_x_convert(x, zero, t), a, axis, block));
	return ovl_x_op(x, "Multiply", y, placed(x, scale, a, axis, block));
}

static bool range_of(ovl_onnx *x, ovl_type t, double *lo, double *hi)
{
	switch (t) {
	case OVL_U8: *lo = 0, *hi = 255; return true;
	case OVL_I8: *lo = -128, *hi = 127; return true;
	case OVL_U16: *lo = 0, *hi = 65535; return true;
	case OVL_I16: *lo = -32768, *hi = 32767; return true;
	case OVL_U4: *lo = 0, *hi = 15; return true;
	case OVL_I4: *lo = -8, *hi = 7; return true;
	case OVL_F8E4M3: *lo = -448, *hi = 448; return true;
	case OVL_U2: *lo = 0, *hi = 3; return true;
	case OVL_I2: *lo = -2, *hi = 1; return true;
	case OVL_F8E5M2:
	case OVL_F8E5M2FNUZ: *lo = -57344, *hi = 57344; return true;
	case OVL_F8E4M3FNUZ: *lo = -240, *hi = 240; return true;
	case OVL_F4E2M1: *lo = -6, *hi = 6; return true;
	case OVL_I32: *lo = -2147483648.0, *hi = 2147483647; return true;
	default: ovl_x_fail(x, OVL_E_UNSUPPORTED, "quantisation to %s is not supported", ovl_type_name(t)); return false;
	}
}

/* saturate(round(a / scale) + zero) */
static ovl_end quantized(ovl_onnx *x, ovl_end a, ovl_end scale, ovl_end zero, ovl_type to, int64_t axis, int64_t block)
{
	double lo, hi;
	ovl_end y, f = ovl_x_is_float(x, a) ? a : ovl_x_convert(x, a, ovl_x_type(x, scale));
	if (x->status != OVL_OK || !range_of(x, to, &lo, &hi))
		return a;
	scale = ovl_x_convert_like(x, scale, f);
	y = ovl_x_op(x, "Divide", f, placed(x, scale, a, axis, block));
	if (!ovl_type_is_float(to))
		y = ovl_x_opa(x, "Round", "mode=half_to_even", y);
	if (zero.node)
		y = ovl_x_op(x, "Add", y, placed(x, ovl_x_convert_like(x, zero, f), a, axis, block));
	y = ovl_x_opa(x, "Clamp", ovl_x_text(x, "min=%s;max=%s", ovl_x_num(x, lo), ovl_x_num(x, hi)), y);
	return ovl_x_convert(x, y, to);
}

static void dequantize_linear(ovl_onnx *x)
{
	ovl_end y = dequantized(x, ovl_x_in(x, 0), ovl_x_in(x, 1), ovl_x_maybe(x, 2), ovl_x_attr_int(x, "axis", 1), ovl_x_attr_int(x, "block_size", 0));
	int64_t to = ovl_x_attr_int(x, "output_dtype", 0);
	ovl_x_out(x, 0, to ? ovl_x_convert(x, y, ovl_x_pb_type(x, to)) : y);
}

static void quantize_linear(ovl_onnx *x)
{
	ovl_end zero = ovl_x_maybe(x, 2);
	int64_t wanted = ovl_x_attr_int(x, "output_dtype", 0);
	ovl_type to = wanted ? ovl_x_pb_type(x, wanted) : zero.node ? ovl_x_type(x, zero) : OVL_U8;
	ovl_x_out(x, 0, quantized(x, ovl_x_in(x, 0), ovl_x_in(x, 1), zero, to, ovl_x_attr_int(x, "axis", 1), ovl_x_attr_int(x, "block_size", 0)));
}

/* u8 over the range of the data, which is made to contain zero: scale and zero point. */
static void dynamic_range(ovl_onnx *x, ovl_end a, ovl_end *scale_out, ovl_end *point_out)
{
	ovl_end zero = ovl_x_like(x, a, 0), span = ovl_x_like(x, a, 255), all = ovl_x_all_axes(x, a);
	ovl_end hi = ovl_x_op(x, "Maximum", ovl_x_reduce(x, "ReduceMax", a, all, false), zero);
	ovl_end lo = ovl_x_op(x, "Minimum", ovl_x_reduce(x, "ReduceMin", a, all, false), zero);
	ovl_end scale = ovl_x_op(x, "Divide", ovl_x_op(x, "Subtract", hi, lo), span);
	ovl_end point = ovl_x_op(x, "Divide", ovl_x_op(x, "Subtract", zero, lo), scale);
	point = ovl_x_opa(x, "Round", "mode=half_to_even", ovl_x_opa(x, "Clamp", "min=0;max=255", point));
	*scale_out = scale;
	*point_out = ovl_x_convert(x, point, OVL_U8);
}

static void dynamic_quantize_linear(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), scale, point;
	dynamic_range(x, a, &scale, &point);
	ovl_x_out(x, 0, quantized(x, a, scale, point, OVL_U8, 0, 0));
	ovl_x_out(x, 1, scale);
	ovl_x_out(x, 2, point);
}

/* ---- products of integers ---- */

/* In f32: exact as long as sums stay below 2^24. */
static ovl_end shifted(ovl_onnx *x, ovl_end a, ovl_end zero, bool rows)
{
	ovl_end f = ovl_x_convert(x, a, OVL_F32), z;
	if (!zero.node)
		return f;
	z = ovl_x_convert(x, zero, OVL_F32);
	if (rows && ovl_x_rank(x, zero) == 1 && ovl_x_dim(x, zero, 0) != 1) /* one per row of a matrix */
		z = ovl_x_unsqueeze(x, z, 1);
	return ovl_x_op(x, "Subtract", f, z);
}

static void matmul_integer(ovl_onnx *x)
{
	ovl_end a = shifted(x, ovl_x_in(x, 0), ovl_x_maybe(x, 2), true), b = shifted(x, ovl_x_in(x, 1), ovl_x_maybe(x, 3), false);
	ovl_x_out(x, 0, ovl_x_convert(x, ovl_x_op(x, "MatMul", a, b), OVL_I32));
}

static ovl_end per_output(ovl_onnx *x, ovl_end v, ovl_end w)
{
	if (!v.node || ovl_x_rank(x, v) != 1)
		return v;
	return ovl_x_dim(x, v, 0) == 1 ? ovl_x_scalar_of(x, v) : ovl_x_channels(x, v, ovl_x_need_rank(x, w), 0);
}

static void spatial_list(ovl_onnx *x, const char *name, int n, int64_t fill, int64_t *out)
{
	int have;
	const int64_t *given = ovl_x_attr_ints(x, name, &have);
	for (int i = 0; i < n; i++)
		out[i] = given && have == n ? given[i] : fill;
}

static const char *conv_attributes(ovl_onnx *x, int n)
{
	int64_t strides[OVL_MAX_RANK], dilations[OVL_MAX_RANK], pads[2 * OVL_MAX_RANK];
	const char *mode = ovl_x_attr_text(x, "auto_pad", "NOTSET");
	const char *ours = strcmp(mode, "SAME_UPPER") == 0   ? "same_upper"
			   : strcmp(mode, "SAME_LOWER") == 0 ? "same_lower"
			   : strcmp(mode, "VALID") == 0      ? "valid"
							     : "explicit";
	if (n < 1 || n > OVL_MAX_RANK - 2) {
		ovl_x_unsupported(x, "this number of dimensions");
		return "";
	}
	spatial_list(x, "strides", n, 1, strides);
	spatial_list(x, "dilations", n, 1, dilations);
	spatial_list(x, "pads", 2 * n, 0, pads);
	return ovl_x_text(x, "strides=%s;dilations=%s;pads_begin=%s;pads_end=%s;auto_pad=%s", ovl_x_list(x, strides, n), ovl_x_list(x, dilations, n),
		ovl_x_list(x, pads, n), ovl_x_list(x, pads + n, n), ours);
}

/* Padding happens after the zero point was taken away, so that it is a true zero. */
static ovl_end float_conv(ovl_onnx *x, ovl_end a, ovl_end w)
{
	int rank = ovl_x_need_rank(x, w);
	int64_t groups = ovl_x_attr_int(x, "group", 1);
	const char *how = conv_attributes(x, rank - 2);
	if (groups == 1)
		return ovl_x_opa(x, "Convolution", how, a, w);
	w = ovl_x_reshape(x, w, ovl_x_cat(x, 0, ovl_x_vec(x, groups, -1), ovl_x_dims(x, w, 1, rank)));
	return ovl_x_opa(x, "GroupConvolution", how, a, w);
}

static void conv_integer(ovl_onnx *x)
{
	ovl_end w = ovl_x_in(x, 1), a = shifted(x, ovl_x_in(x, 0), ovl_x_maybe(x, 2), false);
	ovl_x_out(x, 0, ovl_x_convert(x, float_conv(x, a, shifted(x, w, per_output(x, ovl_x_maybe(x, 3), w), false)), OVL_I32));
}

/* x, its scale and zero, w, its scale and zero, the result's scale and zero, bias in units of both scales */
static void qlinear_conv(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), w = ovl_x_in(x, 3), scale_a = ovl_x_in(x, 1), scale_w = ovl_x_in(x, 4), zero_y = ovl_x_in(x, 7),
		bias = ovl_x_maybe(x, 8), y;
	int rank = ovl_x_need_rank(x, w);
	y = float_conv(x, dequantized(x, a, scale_a, ovl_x_in(x, 2), 1, 0), dequantized(x, w, scale_w, ovl_x_in(x, 5), 0, 0));
	if (bias.node) {
		bias = ovl_x_op(x, "Multiply", ovl_x_convert_like(x, bias, scale_a),
			ovl_x_op(x, "Multiply", ovl_x_scalar_of(x, scale_a), ovl_x_vector_of(x, scale_w)));
		y = ovl_x_op(x, "Add", y, ovl_x_channels(x, bias, rank, 1));
	}
	ovl_x_out(x, 0, quantized(x, y, ovl_x_in(x, 6), zero_y, ovl_x_type(x, zero_y), 1, 0));
}

static void qlinear_matmul(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), b = ovl_x_in(x, 3), zero_y = ovl_x_in(x, 7), y;
	y = ovl_x_op(x, "MatMul", dequantized(x, a, ovl_x_in(x, 1), ovl_x_in(x, 2), -2, 0), dequantized(x, b, ovl_x_in(x, 4), ovl_x_in(x, 5), -1, 0));
	ovl_x_out(x, 0, quantized(x, y, ovl_x_in(x, 6), zero_y, ovl_x_type(x, zero_y), -2, 0));
}

/* ---- ONNX Runtime's own operators on quantised tensors: what they do to real numbers, between both conversions ---- */

static ovl_end real(ovl_onnx *x, int i) { return dequantized(x, ovl_x_in(x, i), ovl_x_in(x, i + 1), ovl_x_maybe(x, i + 2), 1, 0); }

/* Without a zero point the result is of the type of the first input. */
static void set_quantized(ovl_onnx *x, ovl_end y, int scale, int like)
{
	ovl_end zero = ovl_x_maybe(x, scale + 1);
	ovl_x_out(x, 0, quantized(x, y, ovl_x_in(x, scale), zero, ovl_x_type(x, zero.node ? zero : ovl_x_in(x, like)), 1, 0));
}

static void qlinear_binary(ovl_onnx *x)
{
	set_quantized(x, ovl_x_op(x, strcmp(x->op, "QLinearAdd") == 0 ? "Add" : "Multiply", real(x, 0), real(x, 3)), 6, 0);
}

static void qlinear_unary(ovl_onnx *x)
{
	ovl_end a = real(x, 0), y;
	int64_t axis = ovl_x_attr_int(x, "axis", -1);
	if (strcmp(x->op, "QLinearSigmoid") == 0)
		y = ovl_x_op(x, "Sigmoid", a);
	else if (strcmp(x->op, "QLinearSoftmax") == 0)
		y = ovl_x_opa(x, "Softmax", ovl_x_text(x, "axis=%lld", (long long)axis), a);
	else
		y = ovl_x_op(x, "PRelu", a, ovl_x_vector_of(x, ovl_x_like(x, a, ovl_x_attr_float(x, "alpha", 0.01f))));
	set_quantized(x, y, 3, 0);
}

static void qlinear_global_pool(ovl_onnx *x)
{
	ovl_end a = real(x, 0);
	int64_t axes[OVL_MAX_RANK];
	int rank = ovl_x_need_rank(x, a), first = ovl_x_attr_int(x, "channels_last", 0) ? 1 : 2, n = 0;
	for (int i = first; i < rank - (first == 1); i++)
		axes[n++] = i;
	set_quantized(x, ovl_x_reduce(x, "ReduceMean", a, ovl_x_i64s(x, axes, n), true), 3, 0);
}

static void qlinear_concat(ovl_onnx *x)
{
	ovl_end parts[64];
	int n = (x->n_in - 2) / 3;
	if (n < 1 || n > 64) {
		ovl_x_unsupported(x, "this number of inputs");
		return;
	}
	for (int i = 0; i < n; i++)
		parts[i] = real(x, 2 + 3 * i);
	set_quantized(x, ovl_x_concat(x, (int)ovl_x_need_int(x, "axis"), parts, n), 0, 2);
}

/* A, B, their scales, their zero points, bias */
static void matmul_integer_to_float(ovl_onnx *x)
{
	ovl_end a = dequantized(x, ovl_x_in(x, 0), ovl_x_in(x, 2), ovl_x_maybe(x, 4), -2, 0),
		b = dequantized(x, ovl_x_in(x, 1), ovl_x_in(x, 3), ovl_x_maybe(x, 5), -1, 0);
	ovl_end y = ovl_x_op(x, "MatMul", a, b), bias = ovl_x_maybe(x, 6);
	ovl_x_out(x, 0, bias.node ? ovl_x_op(x, "Add", y, bias) : y);
}

/* A, which is quantised by its own range, B, its scale, its zero point, bias */
static void dynamic_quantize_matmul(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), bias = ovl_x_maybe(x, 4), scale, point, y;
	dynamic_range(x, a, &scale, &point);
	a = dequantized(x, quantized(x, a, scale, point, OVL_U8, 0, 0), scale, point, 0, 0);
	y = ovl_x_op(x, "MatMul", a, dequantized(x, ovl_x_in(x, 1), ovl_x_in(x, 2), ovl_x_maybe(x, 3), -1, 0));
	ovl_x_out(x, 0, bias.node ? ovl_x_op(x, "Add", y, bias) : y);
}

/* The bias is in steps of all scales' product. Without a scale of the result it stays real. */
static void qgemm(ovl_onnx *x)
{
	ovl_end a = real(x, 0), b = dequantized(x, ovl_x_in(x, 3), ovl_x_in(x, 4), ovl_x_in(x, 5), 1, 0), bias = ovl_x_maybe(x, 6), y;
	float alpha = ovl_x_attr_float(x, "alpha", 1);
	y = ovl_x_opa(x, "MatMul", ovl_x_text(x, "transpose_a=%d;transpose_b=%d", ovl_x_attr_int(x, "transA", 0) != 0, ovl_x_attr_int(x, "transB", 0) != 0), a, b);
	if (bias.node)
		y = ovl_x_op(x, "Add", y,
			ovl_x_op(x, "Multiply", ovl_x_convert_like(x, bias, y), ovl_x_op(x, "Multiply", ovl_x_in(x, 1), ovl_x_in(x, 4))));
	if (alpha != 1)
		y = ovl_x_op(x, "Multiply", y, ovl_x_like(x, y, alpha));
	if (ovl_x_has(x, 7))
		set_quantized(x, y, 7, 0);
	else
		ovl_x_out(x, 0, y);
}

const ovl_onnx_rule ovl_onnx_quant[] = {
	{"DequantizeLinear", NULL, 10, dequantize_linear},
	{"QuantizeLinear", NULL, 10, quantize_linear},
	{"DynamicQuantizeLinear", NULL, 11, dynamic_quantize_linear},
	{"MatMulInteger", NULL, 10, matmul_integer},
	{"ConvInteger", NULL, 10, conv_integer},
	{"QLinearConv", NULL, 10, qlinear_conv},
	{"QLinearMatMul", NULL, 10, qlinear_matmul},
	{"DequantizeLinear", "com.microsoft", 1, dequantize_linear},
	{"QuantizeLinear", "com.microsoft", 1, quantize_linear},
	{"QLinearAdd", "com.microsoft", 1, qlinear_binary},
	{"QLinearMul", "com.microsoft", 1, qlinear_binary},
	{"QLinearSigmoid", "com.microsoft", 1, qlinear_unary},
	{"QLinearLeakyRelu", "com.microsoft", 1, qlinear_unary},
	{"QLinearSoftmax", "com.microsoft", 1, qlinear_unary},
	{"QLinearGlobalAveragePool", "com.microsoft", 1, qlinear_global_pool},
	{"QLinearConcat", "com.microsoft", 1, qlinear_concat},
	{"DynamicQuantizeMatMul", "com.microsoft", 1, dynamic_quantize_matmul},
	{"QGemm", "com.microsoft", 1, qgemm},
	{"MatMulIntegerToFloat", "com.microsoft", 1, matmul_integer_to_float},
	{NULL, NULL, 0, NULL},
};
