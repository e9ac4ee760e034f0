/* Convolutions, pooling, regions of interest, sampling. */
#include "read/onnx/rule.h"

#include <string.h>

enum { MAX_SPATIAL = OVL_MAX_RANK - 2 };

/* Strides, dilations and pads as the attributes of OpenVINO's operators. */
typedef struct window {
	int n; /* spatial dimensions */
	int64_t kernel[MAX_SPATIAL], strides[MAX_SPATIAL], dilations[MAX_SPATIAL], begin[MAX_SPATIAL], end[MAX_SPATIAL];
	const char *auto_pad;
} window;

static void list_of(ovl_onnx *x, const char *name, int n, int64_t fill, int64_t *out)
{
	int have;
	const int64_t *given = ovl_x_attr_ints(x, name, &have);
	if (given && have && have != n) {
		ovl_x_fail(x, OVL_E_PARSE, "attribute '%s' has %d entries, expected %d", name, have, n);
		return;
	}
	for (int i = 0; i < n; i++)
		out[i] = given && have ? given[i] : fill;
}

static const char *auto_pad_of(ovl_onnx *x)
{
	const char *mode = ovl_x_attr_text(x, "auto_pad", "NOTSET");
	if (strcmp(mode, "SAME_UPPER") == 0)
		return "same_upper";
	if (strcmp(mode, "SAME_LOWER") == 0)
		return "same_lower";
	if (strcmp(mode, "VALID") == 0)
		return "valid";
	if (strcmp(mode, "NOTSET") != 0 && *mode)
		ovl_x_fail(x, OVL_E_PARSE, "auto_pad '%.40s' is not known", mode);
	return "explicit";
}

static window read_window(ovl_onnx *x, int n)
{
	window w = {.n = n, .auto_pad = "explicit"};
	int64_t pads[2 * MAX_SPATIAL];
	if (n < 1 || n > MAX_SPATIAL) {
		ovl_x_fail(x, OVL_E_UNSUPPORTED, "%d spatial dimensions are not supported", n);
		w.n = 0;
		return w;
	}
	list_of(x, "kernel_shape", n, 1, w.kernel);
	list_of(x, "strides", n, 1, w.strides);
	list_of(x, "dilations", n, 1, w.dilations);
	list_of(x, "pads", 2 * n, 0, pads);
	w.auto_pad = auto_pad_of(x);
	for (int i = 0; i < n && x->status == OVL_OK; i++) {
		w.begin[i] = pads[i];
		w.end[i] = pads[n + i];
	}
	return w;
}

static const char *window_text(ovl_onnx *x, const window *w, bool dilations)
{
	const char *strides = ovl_x_list(x, w->strides, w->n), *begin = ovl_x_list(x, w->begin, w->n), *end = ovl_x_list(x, w->end, w->n);
	const char *dilated = dilations ? ovl_x_text(x, ";dilations=%s", ovl_x_list(x, w->dilations, w->n)) : "";
	return ovl_x_text(x, "strides=%s%s;pads_begin=%s;pads_end=%s;auto_pad=%s", strides, dilated, begin, end, w->auto_pad);
}

/* ---- convolution ---- */

/* [O, I/g, ...] -> [g, O/g, I/g, ...]; without touching the elements of known weights. */
static ovl_end grouped(ovl_onnx *x, ovl_end w, int64_t groups)
{
	int rank = ovl_x_need_rank(x, w);
	int64_t dims[OVL_MAX_RANK + 1], strides[OVL_MAX_RANK];
	ovl_tensor *t = x->status == OVL_OK ? ovl_node_value(w) : NULL, *view = NULL;
	ovl_end e;
	dims[0] = groups;
	dims[1] = -1;
	if (rank + 1 > OVL_MAX_RANK || rank < 2)
		ovl_x_fail(x, OVL_E_PARSE, "weights of %d dimensions", rank);
	for (int i = 1; i < rank && x->status == OVL_OK; i++)
		dims[i + 1] = ovl_x_dim(x, w, i);
	if (x->status != OVL_OK)
		return w;
	if (t && ovl_tensor_dense(t) && groups > 0 && t->shape.dims[0] % groups == 0 && ovl_tensor_count(t) > 0) {
		dims[1] = t->shape.dims[0] / groups;
		ovl_shape s = ovl_shape_of(rank + 1, dims);
		ovl_dense_strides(&s, strides);
		x->status = ovl_tensor_view(t, t->type, &s, strides, t->data, &view, x->err);
		e = x->status == OVL_OK ? ovl_x_const(x, view) : w;
		ovl_tensor_release(view);
		return e;
	}
	for (int i = 1; i < rank; i++)
		if (dims[i + 1] < 0)
			return ovl_x_reshape(x, w, ovl_x_cat(x, 0, ovl_x_vec(x, groups, -1), ovl_x_dims(x, w, 1, rank)));
	return ovl_x_reshape_to(x, w, dims, rank + 1);
}

static ovl_end with_bias(ovl_onnx *x, ovl_end y, ovl_end bias, int rank)
{
	return bias.node ? ovl_x_op(x, "Add", y, ovl_x_channels(x, bias, rank, 1)) : y;
}

static void conv(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), w = ovl_x_in(x, 1), bias = ovl_x_maybe(x, 2), y;
	int rank = ovl_x_need_rank(x, w);
	window win = read_window(x, rank - 2);
	int64_t groups = ovl_x_attr_int(x, "group", 1);
	const char *how = x->status == OVL_OK ? window_text(x, &win, true) : NULL;
	if (groups == 1)
		y = ovl_x_opa(x, "Convolution", how, a, w);
	else
		y = ovl_x_opa(x, "GroupConvolution", how, a, grouped(x, w, groups));
	ovl_x_out(x, 0, with_bias(x, y, bias, rank));
}

/* The pads that give a wanted size: the odd one goes to the end for SAME_UPPER and to the beginning otherwise. */
static bool pads_for_size(ovl_onnx *x, window *w, ovl_end a, ovl_end weights, const int64_t *output, int64_t *padding)
{
	bool same = strncmp(w->auto_pad, "same", 4) == 0, upper = strcmp(w->auto_pad, "same_upper") == 0;
	if (!output && !same)
		return true;
	for (int i = 0; i < w->n; i++) {
		int64_t in = ovl_x_dim(x, a, i + 2), kernel = ovl_x_dim(x, weights, i + 2), total;
		if (kernel < 0 || (output && in < 0)) {
			ovl_x_unsupported(x, "a wanted size together with sizes that are not known");
			return false;
		}
		total = (kernel - 1) * w->dilations[i] + 1 + padding[i] - w->strides[i]; /* with as many outputs as strides cover */
		if (output)
			total += w->strides[i] * in - output[i];
		if (total < 0) { /* larger than everything covers: by rows that nothing reaches */
			padding[i] -= total;
			total = 0;
		}
		w->begin[i] = upper ? total / 2 : total - total / 2;
		w->end[i] = total - w->begin[i];
	}
	w->auto_pad = "explicit";
	return true;
}

static void conv_transpose(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), w = ovl_x_in(x, 1), bias = ovl_x_maybe(x, 2), y;
	int rank = ovl_x_need_rank(x, w), n;
	window win = read_window(x, rank - 2);
	int64_t groups = ovl_x_attr_int(x, "group", 1), padding[MAX_SPATIAL] = {0};
	const int64_t *output = ovl_x_attr_ints(x, "output_shape", &n);
	const char *how;
	if (output && n > win.n)
		output += n - win.n; /* some files give all dimensions */
	list_of(x, "output_padding", win.n, 0, padding);
	if (x->status != OVL_OK || !pads_for_size(x, &win, a, w, output && n >= win.n ? output : NULL, padding))
		return;
	how = ovl_x_text(x, "%s;output_padding=%s", window_text(x, &win, true), ovl_x_list(x, padding, win.n));
	if (groups == 1)
		y = ovl_x_opa(x, "ConvolutionBackpropData", how, a, w);
	else
		y = ovl_x_opa(x, "GroupConvolutionBackpropData", how, a, grouped(x, w, groups));
	ovl_x_out(x, 0, with_bias(x, y, bias, rank));
}

static void deform_conv(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), w = ovl_x_in(x, 1), offset = ovl_x_in(x, 2), bias = ovl_x_maybe(x, 3), mask = ovl_x_maybe(x, 4);
	int rank = ovl_x_need_rank(x, w);
	window win = read_window(x, rank - 2);
	const char *how = ovl_x_text(x, "%s;group=%lld;deformable_group=%lld;bilinear_interpolation_pad=true",
		x->status == OVL_OK ? window_text(x, &win, true) : "", (long long)ovl_x_attr_int(x, "group", 1),
		(long long)ovl_x_attr_int(x, "offset_group", 1));
	ovl_x_out(x, 0, with_bias(x, ovl_x_opa(x, "DeformableConvolution", how, a, offset, w, mask), bias, rank));
}

/* ---- pooling ---- */

/* A window that would start behind the data and its first padding is not made: ceil_torch. */
static const char *pool_text(ovl_onnx *x, const window *w, bool dilations)
{
	const char *rounding = ovl_x_attr_int(x, "ceil_mode", 0) ? "ceil_torch" : "floor";
	return ovl_x_text(x, "%s;kernel=%s;rounding_type=%s", window_text(x, w, dilations), ovl_x_list(x, w->kernel, w->n), rounding);
}

static int kernel_rank(ovl_onnx *x)
{
	int n;
	if (!ovl_x_attr_ints(x, "kernel_shape", &n) || !n)
		ovl_x_fail(x, OVL_E_PARSE, "attribute 'kernel_shape' is missing");
	return n;
}

/* Positions count within the whole tensor; storage_order 1: with the last two dimensions swapped. */
static ovl_end column_major(ovl_onnx *x, ovl_end index, ovl_end a)
{
	int rank = ovl_x_need_rank(x, a);
	ovl_end h, w, plane, rest, row, column;
	if (rank != 4) {
		ovl_x_unsupported(x, "storage_order 1 with other than 2 spatial dimensions");
		return index;
	}
	h = ovl_x_dims(x, a, 2, 3);
	w = ovl_x_dims(x, a, 3, 4);
	plane = ovl_x_op(x, "Multiply", h, w);
	rest = ovl_x_op(x, "FloorMod", index, plane);
	row = ovl_x_opa(x, "Divide", "m_pythondiv=false", rest, w);
	column = ovl_x_op(x, "FloorMod", rest, w);
	return ovl_x_op(x, "Add", ovl_x_op(x, "Subtract", index, rest), ovl_x_op(x, "Add", ovl_x_op(x, "Multiply", column, h), row));
}

static void max_pool(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), y;
	window w = read_window(x, kernel_rank(x));
	if (x->status != OVL_OK)
		return;
	y = ovl_x_opa(x, "MaxPool", ovl_x_text(x, "%s;index_element_type=i64;axis=0", pool_text(x, &w, true)), a);
	ovl_x_out(x, 0, y);
	if (ovl_x_wants(x, 1))
		ovl_x_out(x, 1, ovl_x_attr_int(x, "storage_order", 0) ? column_major(x, ovl_x_port(y, 1), a) : ovl_x_port(y, 1));
}

/* How much further than its end padding a dilated window reaches when sizes are rounded up. */
static bool ceil_extra(ovl_onnx *x, ovl_end a, window *w, int64_t *extra)
{
	bool same = strncmp(w->auto_pad, "same", 4) == 0, upper = strcmp(w->auto_pad, "same_upper") == 0;
	for (int i = 0; i < w->n; i++) {
		int64_t in = ovl_x_dim(x, a, i + 2), reach = (w->kernel[i] - 1) * w->dilations[i] + 1, room, out;
		extra[i] = 0;
		if (in < 0 && (same || ovl_x_attr_int(x, "ceil_mode", 0))) {
			ovl_x_unsupported(x, "pooling with dilations and such padding of a size that is not known");
			return false;
		}
		if (same) {
			int64_t total = ((in + w->strides[i] - 1) / w->strides[i] - 1) * w->strides[i] + reach - in;
			total = total < 0 ? 0 : total;
			w->begin[i] = upper ? total / 2 : total - total / 2;
			w->end[i] = total - w->begin[i];
		}
		if (!ovl_x_attr_int(x, "ceil_mode", 0))
			continue;
		room = in + w->begin[i] + w->end[i] - reach;
		out = room < 0 ? 0 : (room + w->strides[i] - 1) / w->strides[i] + 1;
		if ((out - 1) * w->strides[i] >= in + w->begin[i])
			out--;
		extra[i] = (out - 1) * w->strides[i] - room;
		extra[i] = extra[i] < 0 ? 0 : extra[i];
	}
	if (same)
		w->auto_pad = "explicit";
	return true;
}

/* Sums over dilated windows of every channel by itself: a convolution with ones. */
static ovl_end dilated_sum(ovl_onnx *x, ovl_end a, const window *w)
{
	int64_t ones[OVL_MAX_RANK] = {1, 1};
	ovl_end kernel;
	for (int i = 0; i < w->n; i++)
		ones[i + 2] = w->kernel[i];
	kernel = ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_like(x, a, 1), ovl_x_i64s(x, ones, w->n + 2));
	return ovl_x_opa(x, "Convolution", window_text(x, w, true), a, kernel);
}

static ovl_end dilated_average(ovl_onnx *x, ovl_end a, window w, bool exclude_pad, bool sum_only)
{
	int64_t extra[MAX_SPATIAL] = {0}, zeros[OVL_MAX_RANK] = {0}, begin[OVL_MAX_RANK] = {0}, end[OVL_MAX_RANK] = {0};
	int rank = w.n + 2;
	ovl_end shape = ovl_x_shape(x, a), one = ovl_x_vec(x, 1), flat, count, sum;
	if (!ceil_extra(x, a, &w, extra))
		return a;
	/* [N, C, ...] -> [N * C, 1, ...] */
	flat = ovl_x_reshape(x, a, ovl_x_cat(x, 0, ovl_x_vec(x, -1), one, ovl_x_slice(x, shape, 0, 2, rank)));
	count = ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_like(x, a, 1), ovl_x_cat(x, 0, one, one, ovl_x_slice(x, shape, 0, 2, rank)));
	for (int i = 0; i < w.n; i++) {
		begin[i + 2] = w.begin[i];
		end[i + 2] = w.end[i];
		w.end[i] += extra[i];
	}
	sum = dilated_sum(x, flat, &w);
	if (!exclude_pad) { /* padding counts, what rounding added does not */
		count = ovl_x_opa(x, "Pad", "pad_mode=constant", count, ovl_x_i64s(x, begin, rank), ovl_x_i64s(x, end, rank), ovl_x_like(x, a, 1));
		memcpy(w.begin, zeros, sizeof w.begin);
		memcpy(w.end, extra, sizeof w.end);
	}
	if (!sum_only)
		sum = ovl_x_op(x, "Divide", sum, dilated_sum(x, count, &w));
	return ovl_x_reshape(x, sum, ovl_x_cat(x, 0, ovl_x_slice(x, shape, 0, 0, 2), ovl_x_slice(x, ovl_x_shape(x, sum), 0, 2, rank)));
}

static bool dilated(const window *w)
{
	for (int i = 0; i < w->n; i++)
		if (w->dilations[i] != 1)
			return true;
	return false;
}

static ovl_end average(ovl_onnx *x, ovl_end a, const window *w, bool exclude_pad)
{
	if (x->status == OVL_OK && dilated(w))
		return dilated_average(x, a, *w, exclude_pad, false);
	return x->status == OVL_OK
		       ? ovl_x_opa(x, "AvgPool", ovl_x_text(x, "%s;exclude-pad=%s", pool_text(x, w, false), exclude_pad ? "true" : "false"), a)
		       : a;
}

static void average_pool(ovl_onnx *x)
{
	window w = read_window(x, kernel_rank(x));
	ovl_x_out(x, 0, average(x, ovl_x_in(x, 0), &w, !ovl_x_attr_int(x, "count_include_pad", 0)));
}

/* (sum |x|^p)^(1/p), the sum as an average times the size of the window */
static void lp_pool(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), p, sum;
	window w = read_window(x, kernel_rank(x));
	double count = 1, power = x->opset < 2 ? (double)ovl_x_attr_float(x, "p", 2) : (double)ovl_x_attr_int(x, "p", 2);
	for (int i = 0; i < w.n; i++)
		count *= (double)w.kernel[i];
	p = ovl_x_like(x, a, power);
	sum = ovl_x_op(x, "Power", ovl_x_op(x, "Abs", a), p);
	if (x->status == OVL_OK && dilated(&w))
		sum = dilated_average(x, sum, w, false, true);
	else
		sum = ovl_x_op(x, "Multiply", average(x, sum, &w, false), ovl_x_like(x, a, count));
	ovl_x_out(x, 0, ovl_x_op(x, "Power", sum, ovl_x_like(x, a, 1 / power)));
}

static ovl_end spatial_axes(ovl_onnx *x, ovl_end a)
{
	int64_t axes[OVL_MAX_RANK];
	int rank = ovl_x_need_rank(x, a);
	for (int i = 2; i < rank; i++)
		axes[i - 2] = i;
	return ovl_x_i64s(x, axes, rank > 2 ? rank - 2 : 0);
}

static void global_pool(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	ovl_x_out(x, 0, ovl_x_reduce(x, strcmp(x->op, "GlobalMaxPool") == 0 ? "ReduceMax" : "ReduceMean", a, spatial_axes(x, a), true));
}

static void global_lp_pool(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), sum;
	double power = x->opset < 2 ? (double)ovl_x_attr_float(x, "p", 2) : (double)ovl_x_attr_int(x, "p", 2);
	sum = ovl_x_reduce(x, "ReduceSum", ovl_x_op(x, "Power", ovl_x_op(x, "Abs", a), ovl_x_like(x, a, power)), spatial_axes(x, a), true);
	ovl_x_out(x, 0, ovl_x_op(x, "Power", sum, ovl_x_like(x, a, 1 / power)));
}

/* Puts each value at its position in a tensor of zeros. Positions count in the tensor of the plain size, which output_shape may enlarge. */
static void max_unpool(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), index = ovl_x_in(x, 1), wanted = ovl_x_maybe(x, 2), plain, flat;
	window w = read_window(x, kernel_rank(x));
	int64_t dims[MAX_SPATIAL], zeros[OVL_MAX_RANK] = {0}, all[] = {-1};
	int rank = ovl_x_need_rank(x, a);
	for (int i = 0; i < w.n && x->status == OVL_OK; i++) {
		int64_t in = ovl_x_dim(x, a, i + 2);
		if (in < 0)
			ovl_x_unsupported(x, "an input whose size is not known");
		dims[i] = (in - 1) * w.strides[i] + w.kernel[i] - w.begin[i] - w.end[i];
	}
	if (x->status != OVL_OK)
		return;
	plain = ovl_x_cat(x, 0, ovl_x_dims(x, a, 0, 2), ovl_x_i64s(x, dims, w.n));
	flat = ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_like(x, a, 0), ovl_x_reduce(x, "ReduceProd", plain, ovl_x_vec(x, 0), true));
	flat = ovl_x_op(x, "ScatterElementsUpdate", flat, ovl_x_reshape_to(x, index, all, 1), ovl_x_reshape_to(x, a, all, 1), ovl_x_i64(x, 0));
	flat = ovl_x_reshape(x, flat, plain);
	if (wanted.node)
		flat = ovl_x_opa(x, "Pad", "pad_mode=constant", flat, ovl_x_i64s(x, zeros, rank), ovl_x_op(x, "Subtract", wanted, plain), ovl_x_like(x, a, 0));
	ovl_x_out(x, 0, flat);
}

/* ---- regions and sampling ---- */

static void roi_align(ovl_onnx *x)
{
	const char *mode = ovl_x_attr_text(x, "mode", "avg"),
		   *aligned = ovl_x_attr_text(x, "coordinate_transformation_mode", x->opset < 16 ? "output_half_pixel" : "half_pixel");
	const char *how = ovl_x_text(x, "pooled_h=%lld;pooled_w=%lld;sampling_ratio=%lld;spatial_scale=%s;mode=%s;aligned_mode=%s",
		(long long)ovl_x_attr_int(x, "output_height", 1), (long long)ovl_x_attr_int(x, "output_width", 1),
		(long long)ovl_x_attr_int(x, "sampling_ratio", 0), ovl_x_num(x, ovl_x_attr_float(x, "spatial_scale", 1)),
		strcmp(mode, "max") == 0 ? "max_weighted" : mode,
		strcmp(aligned, "half_pixel") == 0 ? "half_pixel_for_nn" : "asymmetric");
	ovl_x_out(x, 0, ovl_x_opa(x, "ROIAlign", how, ovl_x_in(x, 0), ovl_x_in(x, 1), ovl_x_in(x, 2)));
}

static void max_roi_pool(ovl_onnx *x)
{
	int n;
	const int64_t *size = ovl_x_attr_ints(x, "pooled_shape", &n);
	if (!size || n != 2) {
		ovl_x_fail(x, OVL_E_PARSE, "attribute 'pooled_shape' is missing or not 2 numbers");
		return;
	}
	ovl_x_out(x, 0,
		ovl_x_opa(x, "ROIPooling",
			ovl_x_text(x, "pooled_h=%lld;pooled_w=%lld;spatial_scale=%s;method=max", (long long)size[0], (long long)size[1],
				ovl_x_num(x, ovl_x_attr_float(x, "spatial_scale", 1))),
			ovl_x_in(x, 0), ovl_x_in(x, 1)));
}

static void grid_sample(ovl_onnx *x)
{
	const char *mode = ovl_x_attr_text(x, "mode", "bilinear"), *padding = ovl_x_attr_text(x, "padding_mode", "zeros");
	if (strcmp(mode, "linear") == 0)
		mode = "bilinear";
	else if (strcmp(mode, "cubic") == 0)
		mode = "bicubic";
	ovl_x_out(x, 0,
		ovl_x_opa(x, "GridSample",
			ovl_x_text(x, "align_corners=%s;mode=%s;padding_mode=%s", ovl_x_attr_int(x, "align_corners", 0) ? "true" : "false", mode,
				padding),
			ovl_x_in(x, 0), ovl_x_in(x, 1)));
}

/* Boxes are [y1, x1, y2, x2] or [x_center, y_center, w, h]; the result is rows of batch, class, box, in order of batch, class, score. */
static void non_max_suppression(ovl_onnx *x)
{
	ovl_end boxes = ovl_x_in(x, 0), scores = ovl_x_in(x, 1), most = ovl_x_maybe(x, 2), iou = ovl_x_maybe(x, 3), score = ovl_x_maybe(x, 4), e, rows;
	const char *coding = ovl_x_attr_int(x, "center_point_box", 0) ? "center" : "corner";
	most = most.node ? ovl_x_scalar_of(x, most) : ovl_x_i64(x, 0);
	iou = iou.node ? ovl_x_scalar_of(x, iou) : ovl_x_scalar(x, OVL_F32, 0);
	score = score.node ? ovl_x_scalar_of(x, score) : ovl_x_scalar(x, OVL_F32, (double)-__builtin_inff());
	e = ovl_x_opa(x, "NonMaxSuppression", ovl_x_text(x, "box_encoding=%s;sort_result_descending=false;output_type=i64", coding), boxes, scores,
		most, iou, score);
	/* Rows of -1 fill up what was not selected. */
	rows = ovl_x_op(x, "Slice", e, ovl_x_vec(x, 0), ovl_x_vector_of(x, ovl_x_port(e, 2)), ovl_x_vec(x, 1), ovl_x_vec(x, 0));
	ovl_x_out(x, 0, rows);
}

/* n points from -1 to 1: its ends, or the centres of n equal parts */
static ovl_end grid_line(ovl_onnx *x, ovl_end n, bool corners)
{
	ovl_end i = ovl_x_convert(x, ovl_x_range(x, ovl_x_i64(x, 0), n, OVL_I64), OVL_F32), one = ovl_x_scalar(x, OVL_F32, 1),
		two = ovl_x_scalar(x, OVL_F32, 2);
	n = ovl_x_convert(x, n, OVL_F32);
	i = ovl_x_op(x, "Multiply", i, two);
	if (corners)
		n = ovl_x_op(x, "Maximum", ovl_x_op(x, "Subtract", n, one), one);
	else
		i = ovl_x_op(x, "Add", i, one);
	return ovl_x_op(x, "Subtract", ovl_x_op(x, "Divide", i, n), one);
}

/* theta [N, 2, 3] or [N, 3, 4] times the points of a regular grid in [-1, 1] */
static void affine_grid(ovl_onnx *x)
{
	ovl_end theta = ovl_x_in(x, 0), size = ovl_x_in(x, 1), parts[4], points, whole;
	int n = (int)ovl_x_dim(x, size, 0), spatial = n - 2;
	bool corners = ovl_x_attr_int(x, "align_corners", 0);
	if (n != 4 && n != 5) {
		ovl_x_unsupported(x, "a size of other than 4 or 5 numbers");
		return;
	}
	whole = ovl_x_slice(x, size, 0, 2, n);
	for (int i = 0; i < spatial; i++) { /* x comes first: the last dimension */
		ovl_end line = ovl_x_convert_like(x, grid_line(x, ovl_x_scalar_of(x, ovl_x_slice(x, size, 0, n - 1 - i, n - i)), corners), theta);
		line = ovl_x_opa(x, "Broadcast", "mode=bidirectional", ovl_x_channels(x, line, spatial, spatial - 1 - i), whole);
		parts[i] = ovl_x_reshape_to(x, line, (int64_t[]){-1, 1}, 2);
	}
	parts[spatial] = ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_like(x, theta, 1), ovl_x_shape(x, parts[0]));
	points = ovl_x_concat(x, 1, parts, spatial + 1);
	points = ovl_x_opa(x, "MatMul", "transpose_b=true", points, theta);
	ovl_x_out(x, 0, ovl_x_reshape(x, points, ovl_x_cat(x, 0, ovl_x_slice(x, size, 0, 0, 1), whole, ovl_x_vec(x, spatial))));
}

const ovl_onnx_rule ovl_onnx_nn[] = {
	{"Conv", NULL, 1, conv},
	{"ConvTranspose", NULL, 1, conv_transpose},
	{"DeformConv", NULL, 19, deform_conv},
	{"MaxPool", NULL, 1, max_pool},
	{"AveragePool", NULL, 1, average_pool},
	{"LpPool", NULL, 1, lp_pool},
	{"GlobalAveragePool", NULL, 1, global_pool},
	{"GlobalMaxPool", NULL, 1, global_pool},
	{"GlobalLpPool", NULL, 1, global_lp_pool},
	{"MaxUnpool", NULL, 9, max_unpool},
	{"RoiAlign", NULL, 10, roi_align},
	{"MaxRoiPool", NULL, 1, max_roi_pool},
	{"GridSample", NULL, 16, grid_sample},
	{"NonMaxSuppression", NULL, 10, non_max_suppression},
	{"AffineGrid", NULL, 20, affine_grid},
	{NULL, NULL, 0, NULL},
};
