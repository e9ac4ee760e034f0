/* Fourier transforms, windows, mel weights. */
#include "read/onnx/rule.h"

#define PI 3.14159265358979323846

/* Complex numbers are a last dimension of 2; a last dimension of 1 is real. Gives one of 2. */
static ovl_end complex_of(ovl_onnx *x, ovl_end a, int rank)
{
	int64_t last = ovl_x_dim(x, a, rank - 1);
	if (last < 0)
		ovl_x_unsupported(x, "a last dimension that is not known");
	return last == 2 ? a : ovl_x_cat(x, rank - 1, a, ovl_x_op(x, "Multiply", a, ovl_x_like(x, a, 0)));
}

static ovl_end transform(ovl_onnx *x, ovl_end a, ovl_end axes, ovl_end length, bool inverse, bool one_sided)
{
	int rank = ovl_x_need_rank(x, a);
	if (length.node)
		length = ovl_x_vector_of(x, ovl_x_convert(x, length, OVL_I64));
	if (one_sided && inverse)
		return ovl_x_unsqueeze(x, ovl_x_op(x, "IRDFT", complex_of(x, a, rank), axes, length), rank - 1);
	if (one_sided && ovl_x_dim(x, a, rank - 1) == 1)
		return ovl_x_op(x, "RDFT", ovl_x_squeeze(x, a, rank - 1), axes, length);
	a = ovl_x_op(x, inverse ? "IDFT" : "DFT", complex_of(x, a, rank), axes, length);
	if (one_sided) {
		ovl_end half = ovl_x_op(x, "Add", ovl_x_opa(x, "Divide", "m_pythondiv=false", ovl_x_gather(x, ovl_x_shape(x, a), axes, 0), ovl_x_i64(x, 2)), ovl_x_i64(x, 1));
		a = ovl_x_op(x, "Slice", a, ovl_x_vec(x, 0), half, ovl_x_vec(x, 1), axes);
	}
	return a;
}

static void dft(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), axes;
	int64_t axis = x->opset >= 20 ? -2 : ovl_x_attr_int(x, "axis", 1);
	int n, rank = ovl_x_need_rank(x, a);
	if (x->opset >= 20 && ovl_x_has(x, 2) && (!ovl_x_values(x, ovl_x_in(x, 2), &axis, 1, &n) || n != 1)) {
		axes = ovl_x_vector_of(x, ovl_x_convert(x, ovl_x_in(x, 2), OVL_I64)); /* below zero: counted with the last dimension */
		axes = ovl_x_op(x, "Select", ovl_x_op(x, "Less", axes, ovl_x_i64(x, 0)), ovl_x_op(x, "Add", axes, ovl_x_i64(x, rank)), axes);
	} else
		axes = ovl_x_vec(x, ovl_x_axis(x, axis, rank));
	ovl_x_out(x, 0, transform(x, a, axes, ovl_x_maybe(x, 1), ovl_x_attr_int(x, "inverse", 0), ovl_x_attr_int(x, "onesided", 0)));
}

/* Frames of the signal, [batch, frames, length, 1 or 2], times the window. */
static void stft(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), step = ovl_x_convert(x, ovl_x_scalar_of(x, ovl_x_in(x, 1)), OVL_I64), window = ovl_x_maybe(x, 2),
		length = ovl_x_maybe(x, 3), frames, at;
	ovl_end none = {NULL, 0}, zero = ovl_x_i64(x, 0), one = ovl_x_i64(x, 1);
	if (length.node)
		length = ovl_x_convert(x, ovl_x_scalar_of(x, length), OVL_I64);
	else if (window.node)
		length = ovl_x_scalar_of(x, ovl_x_shape(x, window));
	else
		ovl_x_fail(x, OVL_E_PARSE, "it has neither a window nor a frame_length");
	frames = ovl_x_op(x, "Subtract", ovl_x_scalar_of(x, ovl_x_dims(x, a, 1, 2)), length);
	frames = ovl_x_op(x, "Add", ovl_x_opa(x, "Divide", "m_pythondiv=false", frames, step), one);
	at = ovl_x_unsqueeze(x, ovl_x_op(x, "Multiply", ovl_x_range(x, zero, frames, OVL_I64), step), 1);
	at = ovl_x_op(x, "Add", at, ovl_x_range(x, zero, length, OVL_I64));
	a = ovl_x_gather(x, a, at, 1);
	if (window.node)
		a = ovl_x_op(x, "Multiply", a, ovl_x_unsqueeze(x, window, 1));
	ovl_x_out(x, 0, transform(x, a, ovl_x_vec(x, 2), none, false, ovl_x_attr_int(x, "onesided", 1)));
}

/* a - b cos(2 pi n / N) + c cos(4 pi n / N) */
static void window(ovl_onnx *x, double a, double b, double c)
{
	ovl_end size = ovl_x_convert(x, ovl_x_scalar_of(x, ovl_x_in(x, 0)), OVL_I64), n, turn, y;
	ovl_type type = ovl_x_pb_type(x, ovl_x_attr_int(x, "output_datatype", 1)), inner = type == OVL_F64 ? OVL_F64 : OVL_F32;
	n = ovl_x_convert(x, ovl_x_range(x, ovl_x_i64(x, 0), size, OVL_I64), inner);
	if (!ovl_x_attr_int(x, "periodic", 1))
		size = ovl_x_op(x, "Maximum", ovl_x_op(x, "Subtract", size, ovl_x_i64(x, 1)), ovl_x_i64(x, 1));
	turn = ovl_x_op(x, "Divide", ovl_x_op(x, "Multiply", n, ovl_x_scalar(x, inner, 2 * PI)), ovl_x_convert(x, size, inner));
	y = ovl_x_op(x, "Subtract", ovl_x_scalar(x, inner, a), ovl_x_op(x, "Multiply", ovl_x_scalar(x, inner, b), ovl_x_op(x, "Cos", turn)));
	if (c != 0) {
		turn = ovl_x_op(x, "Cos", ovl_x_op(x, "Multiply", turn, ovl_x_scalar(x, inner, 2)));
		y = ovl_x_op(x, "Add", y, ovl_x_op(x, "Multiply", ovl_x_scalar(x, inner, c), turn));
	}
	ovl_x_out(x, 0, ovl_x_convert(x, y, type));
}

static void hann(ovl_onnx *x) { window(x, 0.5, 0.5, 0); }
static void hamming(ovl_onnx *x) { window(x, 25.0 / 46, 21.0 / 46, 0); }
static void blackman(ovl_onnx *x) { window(x, 0.42, 0.5, 0.08); }

/* ---- mel weights: triangles between neighbouring frequency bins ---- */

static ovl_end op2(ovl_onnx *x, const char *type, ovl_end a, ovl_end b) { return ovl_x_op(x, type, a, b); }
static ovl_end num(ovl_onnx *x, double v) { return ovl_x_scalar(x, OVL_F32, v); }
static ovl_end scalar_in(ovl_onnx *x, int i) { return ovl_x_convert(x, ovl_x_scalar_of(x, ovl_x_in(x, i)), OVL_F32); }

static ovl_end to_mel(ovl_onnx *x, ovl_end hertz) /* 2595 log10(1 + f / 700) */
{
	ovl_end l = ovl_x_op(x, "Log", op2(x, "Add", op2(x, "Divide", hertz, num(x, 700)), num(x, 1)));
	return op2(x, "Multiply", l, num(x, 2595 / 2.302585092994046));
}

/* The bins of num_mel + 2 frequencies that are evenly spread in mel. */
static ovl_end mel_bins(ovl_onnx *x, ovl_end count, ovl_end dft_length)
{
	ovl_end lo = to_mel(x, scalar_in(x, 3)), hi = to_mel(x, scalar_in(x, 4)), n = op2(x, "Add", count, ovl_x_i64(x, 2)), step, f;
	step = op2(x, "Divide", op2(x, "Subtract", hi, lo), ovl_x_convert(x, n, OVL_F32));
	f = op2(x, "Add", op2(x, "Multiply", ovl_x_convert(x, ovl_x_range(x, ovl_x_i64(x, 0), n, OVL_I64), OVL_F32), step), lo);
	f = op2(x, "Subtract", op2(x, "Power", num(x, 10), op2(x, "Divide", f, num(x, 2595))), num(x, 1));
	f = op2(x, "Multiply", op2(x, "Multiply", f, num(x, 700)), op2(x, "Add", ovl_x_convert(x, dft_length, OVL_F32), num(x, 1)));
	return ovl_x_op(x, "Floor", op2(x, "Divide", f, scalar_in(x, 2)));
}

static ovl_end slope(ovl_onnx *x, ovl_end above, ovl_end width) { return op2(x, "Divide", above, op2(x, "Maximum", width, num(x, 1))); }

static void mel_weights(ovl_onnx *x)
{
	ovl_end count = ovl_x_convert(x, ovl_x_scalar_of(x, ovl_x_in(x, 0)), OVL_I64),
		length = ovl_x_convert(x, ovl_x_scalar_of(x, ovl_x_in(x, 1)), OVL_I64);
	ovl_end bins = mel_bins(x, count, length), left, centre, right, j, rows, up, down, y, zero = num(x, 0);
	left = ovl_x_slice(x, bins, 0, 0, -2);
	centre = ovl_x_slice(x, bins, 0, 1, -1);
	right = ovl_x_slice(x, bins, 0, 2, INT64_MAX);
	rows = op2(x, "Add", ovl_x_opa(x, "Divide", "m_pythondiv=false", length, ovl_x_i64(x, 2)), ovl_x_i64(x, 1));
	j = ovl_x_unsqueeze(x, ovl_x_convert(x, ovl_x_range(x, ovl_x_i64(x, 0), rows, OVL_I64), OVL_F32), 1);
	up = slope(x, op2(x, "Subtract", j, left), op2(x, "Subtract", centre, left));
	down = slope(x, op2(x, "Subtract", right, j), op2(x, "Subtract", right, centre));
	y = op2(x, "LogicalAnd", op2(x, "GreaterEqual", j, left), op2(x, "LessEqual", j, centre));
	y = ovl_x_op(x, "Select", y, up, zero);
	y = ovl_x_op(x, "Select", op2(x, "LogicalAnd", op2(x, "Equal", left, centre), op2(x, "Equal", j, centre)), num(x, 1), y);
	y = ovl_x_op(x, "Select", op2(x, "LogicalAnd", op2(x, "GreaterEqual", j, centre), op2(x, "Less", j, right)), down, y);
	ovl_x_out(x, 0, ovl_x_convert(x, y, ovl_x_pb_type(x, ovl_x_attr_int(x, "output_datatype", 1))));
}

const ovl_onnx_rule ovl_onnx_signal[] = {
	{"DFT", NULL, 17, dft},
	{"STFT", NULL, 17, stft},
	{"HannWindow", NULL, 17, hann},
	{"HammingWindow", NULL, 17, hamming},
	{"BlackmanWindow", NULL, 17, blackman},
	{"MelWeightMatrix", NULL, 17, mel_weights},
	{NULL, NULL, 0, NULL},
};
