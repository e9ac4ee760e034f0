/* Resize and Upsample. What Interpolate can do goes to Interpolate; the rest of ONNX's many modes becomes a product with a matrix of weights for each
 * resized dimension, made here from known sizes. */
#include "read/onnx/rule.h"

#include <math.h>
#include <string.h>

enum { MAX_SIDE = 1 << 14, MAX_WEIGHTS = 1 << 24 };

typedef struct resize {
	ovl_end data, roi, scales, sizes; /* {NULL, 0} where not given */
	ovl_end ratio; /* the one scale that a policy makes of sizes */
	const char *mode, *coordinates, *nearest, *policy;
	bool antialias, exclude_outside;
	float cubic, extrapolation;
	int64_t axes[OVL_MAX_RANK];
	int n_axes; /* of scales and sizes; 0: all dimensions in order */
} resize;

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* ---- by Interpolate ---- */

/* Antialiasing is another one in OpenVINO: its window has other borders. */
static bool interpolate_can(const resize *r)
{
	static const char *const known[] = {"half_pixel", "pytorch_half_pixel", "asymmetric", "tf_half_pixel_for_nn", "align_corners", NULL};
	bool cubic = is(r->mode, "cubic");
	if (r->ratio.node)
		return false;
	for (int i = 0; known[i]; i++)
		if (is(known[i], r->coordinates))
			return !r->antialias && !(cubic && r->exclude_outside);
	return false;
}

static const char *interpolate_attributes(ovl_onnx *x, const resize *r, bool by_scales)
{
	return ovl_x_text(x, "mode=%s;shape_calculation_mode=%s;coordinate_transformation_mode=%s;nearest_mode=%s;cube_coeff=%s",
		is(r->mode, "linear") ? "linear_onnx" : r->mode, by_scales ? "scales" : "sizes", r->coordinates, r->nearest, ovl_x_num(x, r->cubic));
}

/* Leaves out dimensions that stay as they are, where that is known. Gives false when nothing at all changes. */
static bool fewer_axes(ovl_onnx *x, const resize *r, ovl_end *amounts, int64_t *axes, int *n)
{
	const ovl_tensor *t = x->status == OVL_OK ? ovl_node_value(*amounts) : NULL;
	int rank = ovl_x_rank(x, r->data), k = 0;
	double kept[OVL_MAX_RANK];
	*n = r->n_axes ? r->n_axes : rank;
	for (int i = 0; i < *n; i++)
		axes[i] = r->n_axes ? r->axes[i] : i;
	if (!t || *n != ovl_tensor_count(t) || rank < 0)
		return true;
	for (int i = 0; i < *n; i++) {
		double v = ovl_tensor_f64_at(t, i);
		int axis = ovl_x_axis(x, axes[i], rank);
		bool same = r->scales.node ? v == 1 : (int64_t)v == ovl_x_dim(x, r->data, axis);
		if (same)
			continue;
		kept[k] = v;
		axes[k++] = axis;
	}
	if (k == 0)
		return false;
	if (k < *n) {
		ovl_shape s = {.rank = 1, .dims = {k}};
		*amounts = ovl_x_f64s(x, t->type, &s, kept);
	}
	*n = k;
	return true;
}

static void by_interpolate(ovl_onnx *x, const resize *r)
{
	ovl_end amounts = r->scales.node ? r->scales : r->sizes;
	int64_t axes[OVL_MAX_RANK];
	int n;
	if (!fewer_axes(x, r, &amounts, axes, &n)) {
		ovl_x_out(x, 0, r->data);
		return;
	}
	ovl_x_out(x, 0, ovl_x_opa(x, "Interpolate", interpolate_attributes(x, r, r->scales.node != NULL), r->data, amounts,
		n > 0 ? ovl_x_i64s(x, axes, n) : (ovl_end){NULL, 0}));
}

/* ---- by matrices ---- */

typedef struct line { /* one dimension */
	int64_t in, out;
	double scale, exact; /* exact: in * scale, before it was cut to a whole number */
	double roi_begin, roi_end;
} line;

/* Where output i lies in the input; false: outside of the region, to be filled with the extrapolation value. */
static bool position(const resize *r, const line *l, int64_t i, double *at)
{
	double o = (double)i, in = (double)l->in, out = (double)l->out;
	if (is(r->coordinates, "asymmetric"))
		*at = o / l->scale;
	else if (is(r->coordinates, "align_corners"))
		*at = out == 1 ? 0 : o * (in - 1) / (out - 1);
	else if (is(r->coordinates, "pytorch_half_pixel"))
		*at = out == 1 ? -0.5 : (o + 0.5) / l->scale - 0.5;
	else if (is(r->coordinates, "tf_half_pixel_for_nn"))
		*at = (o + 0.5) / l->scale;
	else if (is(r->coordinates, "half_pixel_symmetric")) {
		double adjust = out / l->exact, centre = in / 2;
		*at = centre * (1 - adjust) + (o + 0.5) / l->scale - 0.5;
	} else if (is(r->coordinates, "tf_crop_and_resize")) {
		double span = l->roi_end - l->roi_begin;
		*at = l->roi_begin * (in - 1) + (out == 1 ? span * (in - 1) / 2 : o * span * (in - 1) / (out - 1));
		return *at >= 0 && *at <= in - 1;
	} else
		*at = (o + 0.5) / l->scale - 0.5;
	return true;
}

static double cubic_weight(double a, double t)
{
	t = fabs(t);
	if (t <= 1)
		return ((a + 2) * t - (a + 3)) * t * t + 1;
	return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

static double nearest_of(const resize *r, double at)
{
	if (is(r->nearest, "floor"))
		return floor(at);
	if (is(r->nearest, "ceil"))
		return ceil(at);
	return is(r->nearest, "round_prefer_ceil") ? floor(at + 0.5) : ceil(at - 0.5);
}

/* Adds the weights of one output to its row. Shrinking with antialias stretches the window. */
static void weigh(const resize *r, const line *l, double at, double *row)
{
	double reach = is(r->mode, "cubic") ? 2 : 1, stretch = r->antialias && l->scale < 1 ? l->scale : 1, base = floor(at), t = at - base, sum = 0;
	int64_t first = (int64_t)floor(-reach / stretch) + 1, last = 1 - first;
	if (is(r->mode, "nearest")) {
		double k = nearest_of(r, at);
		row[k < 0 ? 0 : k > (double)(l->in - 1) ? l->in - 1 : (int64_t)k] += 1;
		return;
	}
	for (int pass = 0; pass < 2; pass++) /* first their sum, by which they are divided then */
		for (int64_t k = first; k <= last; k++) {
			double d = stretch * ((double)k - t), w = reach > 1 ? cubic_weight(r->cubic, d) : fmax(0, 1 - fabs(d)), place = base + (double)k;
			bool outside = place < 0 || place > (double)(l->in - 1);
			if (outside && r->exclude_outside)
				continue;
			if (pass)
				row[outside ? (place < 0 ? 0 : l->in - 1) : (int64_t)place] += w / sum;
			else
				sum += w;
		}
}

static void fill_outside(ovl_onnx *x, const resize *r, ovl_end *data, int rank, int axis, const double *inside, int64_t n)
{
	ovl_shape s = {.rank = 1, .dims = {n}};
	ovl_end mask = ovl_x_channels(x, ovl_x_f64s(x, OVL_BOOLEAN, &s, inside), rank, axis);
	*data = ovl_x_op(x, "Select", mask, *data, ovl_x_like(x, *data, r->extrapolation));
}

/* data times the weights along `axis` */
static ovl_end along(ovl_onnx *x, ovl_end data, int rank, int axis, ovl_end weights)
{
	int64_t order[OVL_MAX_RANK];
	if (rank == 1)
		return ovl_x_op(x, "MatMul", weights, data);
	for (int i = 0; i < rank; i++)
		order[i] = i;
	order[axis] = rank - 1;
	order[rank - 1] = axis;
	if (axis != rank - 1)
		data = ovl_x_transpose(x, data, order, rank);
	data = ovl_x_opa(x, "MatMul", "transpose_b=true", data, weights);
	return axis != rank - 1 ? ovl_x_transpose(x, data, order, rank) : data;
}

static ovl_end resize_line(ovl_onnx *x, const resize *r, ovl_end data, int axis, const line *l, double *inside)
{
	ovl_shape s = {.rank = 2, .dims = {l->out, l->in}};
	double *w = ovl_calloc((size_t)(l->out * l->in), sizeof *w);
	ovl_end weights;
	if (!w) {
		ovl_x_fail(x, OVL_E_MEMORY, "not enough memory");
		return data;
	}
	for (int64_t i = 0; i < l->out; i++) {
		double at;
		inside[i] = position(r, l, i, &at);
		if (inside[i])
			weigh(r, l, at, w + i * l->in);
	}
	weights = ovl_x_f64s(x, ovl_x_type(x, data), &s, w);
	ovl_free(w);
	return along(x, data, ovl_x_need_rank(x, data), axis, weights);
}

static bool line_of(ovl_onnx *x, const resize *r, int i, int axis, const double *amounts, const double *roi, int n, line *l)
{
	*l = (line){.in = ovl_x_dim(x, r->data, axis), .roi_begin = roi ? roi[i] : 0, .roi_end = roi ? roi[n + i] : 1};
	if (l->in < 1) {
		ovl_x_unsupported(x, "this way of resizing a size that is not known");
		return false;
	}
	if (r->scales.node) {
		double span = is(r->coordinates, "tf_crop_and_resize") ? l->roi_end - l->roi_begin : 1;
		l->scale = amounts[i];
		l->exact = (double)l->in * span * l->scale;
		l->out = (int64_t)floor(l->exact);
	} else {
		l->out = (int64_t)amounts[i];
		l->exact = (double)l->out;
		l->scale = (double)l->out / (double)l->in;
		if (ovl_x_number(x, r->ratio, &l->scale))
			l->exact = (double)l->in * l->scale;
	}
	if (l->out < 1 || l->out > MAX_SIDE || l->in > MAX_SIDE || l->out * l->in > MAX_WEIGHTS || !(l->scale > 0)) {
		ovl_x_unsupported(x, "this way of resizing to such a size");
		return false;
	}
	return true;
}

static void by_matrices(ovl_onnx *x, const resize *r, const double *amounts, const double *roi, int n)
{
	int rank = ovl_x_need_rank(x, r->data);
	ovl_type type = ovl_x_type(x, r->data);
	ovl_end data = ovl_type_is_float(type) ? r->data : ovl_x_convert(x, r->data, OVL_F32);
	for (int i = 0; i < n && x->status == OVL_OK; i++) {
		int axis = ovl_x_axis(x, r->n_axes ? r->axes[i] : i, rank);
		line l;
		double *inside;
		bool whole = true;
		if (!line_of(x, r, i, axis, amounts, roi, n, &l))
			return;
		if (l.in == l.out && l.scale == 1 && (!roi || (l.roi_begin == 0 && l.roi_end == 1)))
			continue;
		inside = ovl_calloc((size_t)l.out, sizeof *inside);
		if (!inside) {
			ovl_x_fail(x, OVL_E_MEMORY, "not enough memory");
			return;
		}
		data = resize_line(x, r, data, axis, &l, inside);
		for (int64_t k = 0; k < l.out; k++)
			whole = whole && inside[k] != 0;
		if (!whole)
			fill_outside(x, r, &data, rank, axis, inside, l.out);
		ovl_free(inside);
	}
	ovl_x_out(x, 0, ovl_type_is_float(type) ? data : ovl_x_convert(x, data, type));
}

/* ---- by matrices that are computed while running: sizes or regions that are not known yet ---- */

static ovl_end op2(ovl_onnx *x, const char *type, ovl_end a, ovl_end b) { return ovl_x_op(x, type, a, b); }
static ovl_end num(ovl_onnx *x, double v) { return ovl_x_scalar(x, OVL_F32, v); }

static ovl_end element(ovl_onnx *x, ovl_end list, int64_t i)
{
	return ovl_x_convert(x, ovl_x_scalar_of(x, ovl_x_slice(x, list, 0, i, i + 1)), OVL_F32);
}

/* The same as struct line, as scalars of the graph (f32). */
typedef struct open_line {
	ovl_end in, out, scale, exact, first, span;
} open_line;

static open_line open_line_of(ovl_onnx *x, const resize *r, int i, int n, int axis)
{
	bool crop = is(r->coordinates, "tf_crop_and_resize");
	ovl_end amount = element(x, r->scales.node ? r->scales : r->sizes, i);
	open_line l;
	l.in = ovl_x_convert(x, ovl_x_scalar_of(x, ovl_x_dims(x, r->data, axis, axis + 1)), OVL_F32);
	l.first = crop ? element(x, r->roi, i) : num(x, 0);
	l.span = crop ? op2(x, "Subtract", element(x, r->roi, n + i), l.first) : num(x, 1);
	l.exact = r->scales.node ? op2(x, "Multiply", op2(x, "Multiply", l.in, l.span), amount) : amount;
	l.out = r->scales.node ? ovl_x_op(x, "Floor", l.exact) : amount;
	l.scale = r->scales.node ? amount : op2(x, "Divide", amount, l.in);
	if (r->ratio.node) {
		l.scale = r->ratio;
		l.exact = op2(x, "Multiply", l.in, l.scale);
	}
	return l;
}

/* See `position`. *inside: {NULL, 0} when all outputs are. */
static ovl_end open_positions(ovl_onnx *x, const resize *r, const open_line *l, ovl_end *inside)
{
	ovl_end o = ovl_x_convert(x, ovl_x_range(x, ovl_x_i64(x, 0), ovl_x_convert(x, l->out, OVL_I64), OVL_I64), OVL_F32), one = num(x, 1),
		half = num(x, 0.5);
	ovl_end last = op2(x, "Subtract", l->in, one), single = op2(x, "Equal", l->out, one),
		steps = op2(x, "Maximum", op2(x, "Subtract", l->out, one), one), at;
	ovl_end centred = op2(x, "Divide", op2(x, "Add", o, half), l->scale);
	*inside = (ovl_end){NULL, 0};
	if (is(r->coordinates, "asymmetric"))
		return op2(x, "Divide", o, l->scale);
	if (is(r->coordinates, "align_corners"))
		return op2(x, "Divide", op2(x, "Multiply", o, last), steps);
	if (is(r->coordinates, "tf_half_pixel_for_nn"))
		return centred;
	centred = op2(x, "Subtract", centred, half);
	if (is(r->coordinates, "pytorch_half_pixel"))
		return ovl_x_op(x, "Select", single, num(x, -0.5), centred);
	if (is(r->coordinates, "half_pixel_symmetric")) {
		at = op2(x, "Subtract", one, op2(x, "Divide", l->out, l->exact));
		return op2(x, "Add", centred, op2(x, "Multiply", op2(x, "Multiply", l->in, half), at));
	}
	if (!is(r->coordinates, "tf_crop_and_resize"))
		return centred;
	at = op2(x, "Multiply", l->span, last);
	at = ovl_x_op(x, "Select", single, op2(x, "Multiply", at, half), op2(x, "Divide", op2(x, "Multiply", o, at), steps));
	at = op2(x, "Add", at, op2(x, "Multiply", l->first, last));
	*inside = op2(x, "LogicalAnd", op2(x, "GreaterEqual", at, num(x, 0)), op2(x, "LessEqual", at, last));
	return at;
}

static ovl_end open_nearest(ovl_onnx *x, const resize *r, ovl_end at)
{
	if (is(r->nearest, "floor"))
		return ovl_x_op(x, "Floor", at);
	if (is(r->nearest, "ceil"))
		return ovl_x_op(x, "Ceiling", at);
	if (is(r->nearest, "round_prefer_ceil"))
		return ovl_x_op(x, "Floor", op2(x, "Add", at, num(x, 0.5)));
	return ovl_x_op(x, "Ceiling", op2(x, "Subtract", at, num(x, 0.5)));
}

/* Weight of a distance, see cubic_weight. */
static ovl_end open_weight(ovl_onnx *x, const resize *r, ovl_end d)
{
	double a = r->cubic;
	ovl_end t = ovl_x_op(x, "Abs", d), near, far, zero = num(x, 0), one = num(x, 1);
	if (!is(r->mode, "cubic"))
		return op2(x, "Maximum", op2(x, "Subtract", one, t), zero);
	near = op2(x, "Subtract", op2(x, "Multiply", t, num(x, a + 2)), num(x, a + 3));
	near = op2(x, "Add", op2(x, "Multiply", near, op2(x, "Multiply", t, t)), one);
	far = op2(x, "Multiply", op2(x, "Subtract", op2(x, "Multiply", t, num(x, a)), num(x, 5 * a)), t);
	far = op2(x, "Subtract", op2(x, "Multiply", op2(x, "Add", far, num(x, 8 * a)), t), num(x, 4 * a));
	far = ovl_x_op(x, "Select", op2(x, "Less", t, num(x, 2)), far, zero);
	return ovl_x_op(x, "Select", op2(x, "LessEqual", t, one), near, far);
}

/* Weights of taps [first, last) for all outputs: [out, last - first]. */
static ovl_end taps(ovl_onnx *x, const resize *r, ovl_end at, ovl_end stretch, ovl_end first, ovl_end last)
{
	ovl_end k = ovl_x_convert(x, ovl_x_range(x, ovl_x_convert(x, first, OVL_I64), ovl_x_convert(x, last, OVL_I64), OVL_I64), OVL_F32);
	return open_weight(x, r, op2(x, "Multiply", op2(x, "Subtract", at, k), stretch));
}

/* Adds up what lies beyond an edge into the column of the edge. */
static ovl_end onto_edge(ovl_onnx *x, ovl_end w, ovl_end beyond, ovl_end columns, ovl_end edge)
{
	ovl_end sum = ovl_x_reduce(x, "ReduceSum", beyond, ovl_x_vec(x, 1), true);
	return op2(x, "Add", w, op2(x, "Multiply", sum, ovl_x_convert(x, op2(x, "Equal", columns, edge), OVL_F32)));
}

static ovl_end open_matrix(ovl_onnx *x, const resize *r, const open_line *l, ovl_end at)
{
	ovl_end zero = num(x, 0), one = num(x, 1), stretch = r->antialias ? op2(x, "Minimum", l->scale, one) : one, w, reach, columns;
	at = ovl_x_unsqueeze(x, at, 1);
	w = taps(x, r, at, stretch, zero, l->in);
	if (!r->exclude_outside) {
		reach = op2(x, "Add", ovl_x_op(x, "Ceiling", op2(x, "Divide", num(x, 2), stretch)), one);
		columns = ovl_x_convert(x, ovl_x_range(x, ovl_x_i64(x, 0), ovl_x_convert(x, l->in, OVL_I64), OVL_I64), OVL_F32);
		w = onto_edge(x, w, taps(x, r, at, stretch, ovl_x_op(x, "Negative", reach), zero), columns, zero);
		w = onto_edge(x, w, taps(x, r, at, stretch, l->in, op2(x, "Add", l->in, reach)), columns, op2(x, "Subtract", l->in, one));
	}
	return op2(x, "Divide", w, ovl_x_reduce(x, "ReduceSum", w, ovl_x_vec(x, 1), true));
}

static void by_computed_matrices(ovl_onnx *x, const resize *r, int n)
{
	int rank = ovl_x_need_rank(x, r->data);
	ovl_type type = ovl_x_type(x, r->data);
	bool nearest = is(r->mode, "nearest");
	ovl_end data = nearest ? r->data : ovl_x_convert(x, r->data, OVL_F32);
	if (is(r->coordinates, "tf_crop_and_resize") && !r->roi.node)
		ovl_x_fail(x, OVL_E_PARSE, "it has no region");
	for (int i = 0; i < n && x->status == OVL_OK; i++) {
		int axis = ovl_x_axis(x, r->n_axes ? r->axes[i] : i, rank);
		open_line l = open_line_of(x, r, i, n, axis);
		ovl_end inside, at = open_positions(x, r, &l, &inside);
		if (nearest) {
			at = op2(x, "Minimum", op2(x, "Maximum", open_nearest(x, r, at), num(x, 0)), op2(x, "Subtract", l.in, num(x, 1)));
			data = ovl_x_gather(x, data, ovl_x_convert(x, at, OVL_I64), axis);
		} else
			data = along(x, data, rank, axis, open_matrix(x, r, &l, at));
		if (inside.node)
			data = ovl_x_op(x, "Select", ovl_x_channels(x, inside, rank, axis), data, ovl_x_like(x, data, r->extrapolation));
	}
	ovl_x_out(x, 0, ovl_x_convert(x, data, type));
}

static void by_weights(ovl_onnx *x, const resize *r)
{
	const ovl_tensor *amounts = ovl_node_value(r->scales.node ? r->scales : r->sizes), *roi = r->roi.node ? ovl_node_value(r->roi) : NULL;
	int rank = ovl_x_need_rank(x, r->data), n = r->n_axes ? r->n_axes : rank;
	bool crop = is(r->coordinates, "tf_crop_and_resize"), fixed = amounts && (roi || !crop) && (!r->ratio.node || ovl_node_value(r->ratio));
	double list[OVL_MAX_RANK], region[2 * OVL_MAX_RANK];
	for (int i = 0; i < n && fixed; i++)
		fixed = ovl_x_dim(x, r->data, ovl_x_axis(x, r->n_axes ? r->axes[i] : i, rank)) > 0;
	if (x->status != OVL_OK)
		return;
	if (!fixed) {
		by_computed_matrices(x, r, n);
		return;
	}
	if (ovl_tensor_count(amounts) != n || (crop && ovl_tensor_count(roi) != 2 * n)) {
		ovl_x_fail(x, OVL_E_PARSE, "the numbers of its scales, sizes or regions do not fit its axes");
		return;
	}
	for (int i = 0; i < n; i++)
		list[i] = ovl_tensor_f64_at(amounts, i);
	for (int i = 0; crop && i < 2 * n; i++)
		region[i] = ovl_tensor_f64_at(roi, i);
	by_matrices(x, r, list, crop ? region : NULL, n);
}

/* ---- reading the node ---- */

/* not_larger, not_smaller: one scale for all the axes; sizes are rounded halves up. */
static void keep_aspect(ovl_onnx *x, resize *r)
{
	ovl_end dims, scale;
	if (is(r->policy, "stretch") || !r->sizes.node)
		return;
	dims = ovl_x_shape(x, r->data);
	if (r->n_axes)
		dims = ovl_x_gather(x, dims, ovl_x_i64s(x, r->axes, r->n_axes), 0);
	dims = ovl_x_convert(x, dims, OVL_F32);
	scale = ovl_x_op(x, "Divide", ovl_x_convert(x, r->sizes, OVL_F32), dims);
	scale = ovl_x_reduce(x, is(r->policy, "not_larger") ? "ReduceMin" : "ReduceMax", scale, ovl_x_vec(x, 0), false);
	r->ratio = scale;
	dims = ovl_x_op(x, "Floor", ovl_x_op(x, "Add", ovl_x_op(x, "Multiply", scale, dims), ovl_x_scalar(x, OVL_F32, 0.5)));
	r->sizes = ovl_x_convert(x, dims, OVL_I64);
}

static bool given(ovl_onnx *x, ovl_end e) { return e.node && ovl_x_dim(x, e, 0) != 0; }

static void emit(ovl_onnx *x, resize *r)
{
	if (!r->scales.node && !r->sizes.node)
		ovl_x_fail(x, OVL_E_PARSE, "it has neither scales nor sizes");
	keep_aspect(x, r);
	if (x->status != OVL_OK)
		return;
	if (interpolate_can(r))
		by_interpolate(x, r);
	else
		by_weights(x, r);
}

static resize plain(ovl_onnx *x)
{
	resize r = {.data = ovl_x_in(x, 0), .coordinates = "asymmetric", .nearest = "floor", .policy = "stretch", .cubic = -0.75f};
	r.mode = ovl_x_attr_text(x, "mode", "nearest");
	if (is(r.mode, "bilinear") || is(r.mode, "trilinear"))
		r.mode = "linear";
	return r;
}

static void upsample(ovl_onnx *x)
{
	resize r = plain(x);
	int n;
	const float *list = ovl_x_attr_floats(x, "scales", &n);
	double wide[OVL_MAX_RANK];
	ovl_shape s = {.rank = 1};
	if (x->opset >= 9)
		r.scales = ovl_x_in(x, 1);
	else if (ovl_x_attr(x, "height_scale")) {
		wide[0] = wide[1] = 1;
		wide[2] = ovl_x_attr_float(x, "height_scale", 1);
		wide[3] = ovl_x_attr_float(x, "width_scale", 1);
		s.dims[0] = 4;
	} else {
		for (s.dims[0] = 0; list && s.dims[0] < n && s.dims[0] < OVL_MAX_RANK; s.dims[0]++)
			wide[s.dims[0]] = list[s.dims[0]];
	}
	if (!r.scales.node && s.dims[0])
		r.scales = ovl_x_f64s(x, OVL_F32, &s, wide);
	emit(x, &r);
}

static void resize_10(ovl_onnx *x)
{
	resize r = plain(x);
	r.scales = ovl_x_in(x, 1);
	emit(x, &r);
}

static void resize_11(ovl_onnx *x)
{
	resize r = plain(x);
	int n;
	const int64_t *axes = ovl_x_attr_ints(x, "axes", &n);
	ovl_end scales = ovl_x_maybe(x, 2), sizes = ovl_x_maybe(x, 3);
	r.roi = ovl_x_maybe(x, 1);
	r.scales = given(x, scales) ? scales : (ovl_end){NULL, 0};
	r.sizes = !r.scales.node && given(x, sizes) ? sizes : (ovl_end){NULL, 0};
	if (r.scales.node && given(x, sizes) && ovl_x_dim(x, scales, 0) != ovl_x_rank(x, r.data) && ovl_x_dim(x, scales, 0) >= 0)
		r.sizes = sizes, r.scales.node = NULL; /* some exporters leave a rest of scales in */
	r.coordinates = ovl_x_attr_text(x, "coordinate_transformation_mode", "half_pixel");
	r.nearest = ovl_x_attr_text(x, "nearest_mode", "round_prefer_floor");
	r.policy = ovl_x_attr_text(x, "keep_aspect_ratio_policy", "stretch");
	r.cubic = ovl_x_attr_float(x, "cubic_coeff_a", -0.75f);
	r.extrapolation = ovl_x_attr_float(x, "extrapolation_value", 0);
	r.exclude_outside = ovl_x_attr_int(x, "exclude_outside", 0);
	r.antialias = ovl_x_attr_int(x, "antialias", 0);
	for (int i = 0; axes && i < n && i < OVL_MAX_RANK; i++)
		r.axes[r.n_axes++] = axes[i];
	emit(x, &r);
}

const ovl_onnx_rule ovl_onnx_resize[] = {
	{"Upsample", NULL, 1, upsample}, {"Resize", NULL, 10, resize_10}, {"Resize", NULL, 11, resize_11}, {NULL, NULL, 0, NULL},
};
