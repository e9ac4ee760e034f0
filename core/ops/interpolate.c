/* Interpolate: opset 1 (sizes, axes as attribute), 4 (sizes and scales), 11 (one of them, and Pillow's filters). */
#include "ops/interpolate.h"
#include "ops/support_work.h"

static int axes_input(const ovl_op *op) { return op->since >= 11 ? 2 : 3; }
static int sizes_input(const ovl_op *op, const ovl_interpolate_params *p) { return op->since == 4 && p->shape_calculation_mode ? 2 : 1; }

/* Axes in the order of the sizes; *n -1 when not known. */
static ovl_status infer_axes(ovl_infer *in, int rank, int64_t *axes, int *n)
{
	const ovl_interpolate_params *p = in->params;
	int i = axes_input(in->op);
	bool known;
	if (in->op->since == 1) {
		*n = (int)(p->axes.n < OVL_MAX_RANK ? p->axes.n : OVL_MAX_RANK);
		memcpy(axes, p->axes.at, (size_t)*n * sizeof *axes);
		return OVL_OK;
	}
	if (in->n_in > i) {
		OVL_TRY(ovl_infer_ints(in, i, &known, axes, OVL_MAX_RANK, n));
		*n = known ? *n : -1;
		return OVL_OK;
	}
	*n = rank;
	for (int d = 0; d < rank; d++)
		axes[d] = d;
	return OVL_OK;
}

static ovl_dim scaled(ovl_dim d, double scale)
{
	double low = floor((double)(float)d.min * scale + 1e-6), high = floor((double)(float)d.max * scale + 1e-6);
	return (ovl_dim){low > 0 && low < 0x1p62 ? (int64_t)low : 0, d.max == OVL_DIM_MAX || !(high < 0x1p62) ? OVL_DIM_MAX
								     : high > 0                               ? (int64_t)high
													      : 0};
}

static ovl_status infer(ovl_infer *in)
{
	const ovl_interpolate_params *p = in->params;
	ovl_pshape out = in->in_shape[0];
	int64_t axes[OVL_MAX_RANK], count;
	int n, at = sizes_input(in->op, p);
	const ovl_tensor *sizes = in->in_value[at];
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC | OVL_MASK(OVL_BOOLEAN)));
	ovl_infer_out(in, 0, in->in_type[0], &out);
	if (!out.ranked)
		return OVL_OK;
	if (p->pads_begin.n > (size_t)out.rank || p->pads_end.n > (size_t)out.rank)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "more pads than the rank %d of data", out.rank);
	OVL_TRY(infer_axes(in, out.rank, axes, &n));
	for (int d = 0; d < out.rank; d++) {
		int64_t begin = ovl_ints_get(&p->pads_begin, (size_t)d, 0), pads = ovl_ints_get(&p->pads_end, (size_t)d, 0);
		if (begin < -INT32_MAX || begin > INT32_MAX || pads < -INT32_MAX || pads > INT32_MAX || out.dims[d].min > (int64_t)1 << 60)
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "the padding of dimension %d is out of range", d);
		pads += begin;
		if (out.dims[d].max < (int64_t)1 << 60)
			out.dims[d].max = out.dims[d].max + pads > 0 ? out.dims[d].max + pads : 0;
		out.dims[d].min = out.dims[d].min + pads > 0 ? out.dims[d].min + pads : 0;
	}
	if (n < 0) { /* any dimension may be the resized one */
		out = ovl_pshape_rank(out.rank);
		ovl_infer_out(in, 0, in->in_type[0], &out);
		return OVL_OK;
	}
	count = sizes ? ovl_tensor_count(sizes) : n;
	if (count != n)
		return ovl_infer_fail(in, OVL_E_SHAPE, "%d axes and %lld sizes or scales", n, (long long)count);
	for (int i = 0; i < n; i++) {
		int d;
		OVL_TRY(ovl_axis(axes[i], out.rank, "Interpolate", &d, in->err));
		if (!sizes)
			out.dims[d] = OVL_DIM_ANY;
		else if (in->op->since == 1 || !p->shape_calculation_mode) {
			int64_t size = ovl_tensor_i64_at(sizes, i);
			if (size < 0)
				return ovl_infer_fail(in, OVL_E_ARGUMENT, "a size of %lld is asked for", (long long)size);
			out.dims[d] = ovl_dim_of(size);
		} else
			out.dims[d] = scaled(out.dims[d], ovl_tensor_f64_at(sizes, i));
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* ---- run ---- */

static ovl_status resolve(ovl_work *w, ovl_interpolate_axis *at)
{
	const ovl_interpolate_params *p = w->params;
	const ovl_op *op = w->run->op;
	const ovl_shape *data = ovl_work_shape(w, 0);
	int64_t axes[OVL_MAX_RANK], n = data->rank;
	float scales[OVL_MAX_RANK];
	bool named = true, by_scale = op->since > 1 && p->shape_calculation_mode;
	if (op->since == 1) {
		n = (int64_t)(p->axes.n < OVL_MAX_RANK ? p->axes.n : OVL_MAX_RANK);
		memcpy(axes, p->axes.at, (size_t)n * sizeof *axes);
	} else if (ovl_work_has(w, axes_input(op)))
		OVL_TRY(ovl_tensor_to_i64(w->run->in[axes_input(op)], axes, OVL_MAX_RANK, &n, w->err));
	else
		named = false;
	if (by_scale) {
		const ovl_tensor *t = w->run->in[sizes_input(op, p)];
		if (ovl_tensor_count(t) != n)
			return ovl_work_fail(w, OVL_E_SHAPE, "%lld axes and %lld scales", (long long)n, (long long)ovl_tensor_count(t));
		for (int64_t i = 0; i < n; i++)
			scales[i] = (float)ovl_tensor_f64_at(t, i);
	}
	return ovl_interpolate_resolve(p, data, &w->run->out[0]->shape, named ? axes : NULL, (int)n, by_scale ? scales : NULL, at, w->err);
}

/* Copies elements of any type: taps tell which. */
static ovl_status copy_nearest(ovl_work *w, const ovl_taps *taps)
{
	ovl_tensor *from = w->run->in[0], *to = w->run->out[0];
	size_t item = ovl_type_size(from->type);
	int64_t count = ovl_tensor_count(to), at[OVL_MAX_RANK] = {0}, strides[OVL_MAX_RANK];
	const ovl_shape *s = &to->shape;
	int last = s->rank - 1;
	char *y = to->data;
	ovl_dense_strides(&from->shape, strides);
	if (s->rank == 0) {
		memcpy(y, from->data, item);
		return OVL_OK;
	}
	for (int64_t done = 0; done < count; done += s->dims[last]) {
		int64_t base = 0;
		bool inside = true;
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int d = 0; d < last; d++) {
			const ovl_taps *t = &taps[d];
			if (t->start[at[d]] == t->start[at[d] + 1])
				inside = false;
			else
				base += t->index[t->start[at[d]]] * strides[d];
		}
		for (int64_t i = 0; i < s->dims[last]; i++, y += item) {
			const ovl_taps *t = &taps[last];
			if (inside && t->start[i] != t->start[i + 1])
				memcpy(y, (const char *)from->data + (size_t)(base + t->index[t->start[i]]) * item, item);
			else
				memset(y, 0, item);
		}
		for (int d = last - 1; d >= 0 && ++at[d] == s->dims[d]; d--)
			at[d] = 0;
	}
	return OVL_OK;
}

/* What Pillow does with whole numbers: weights of 22 bits, and every pass rounds and clips. */
static double pillow_weight(double weight) { return round(weight * 0x1p22) * 0x1p-22; }

static double pillow_round(double v, ovl_type t)
{
	int bits = ovl_type_bits(t) - ovl_type_is_signed(t);
	double high = ldexp(1, bits) - 1, low = ovl_type_is_signed(t) ? -high - 1 : 0;
	v = floor(v + 0.5);
	return v < low ? low : v > high ? high : v;
}

/* One pass along dimension d of shape s (sizes before the pass). */
static ovl_status pass(ovl_work *w, const ovl_shape *s, int d, const ovl_taps *t, int64_t out, const double *x, double *y, bool whole)
{
	ovl_type type = w->run->in[0]->type;
	int64_t outer = ovl_span(s, 0, d), n = s->dims[d], inner = ovl_span(s, d + 1, s->rank);
	for (int64_t o = 0; o < outer; o++, x += n * inner) {
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int64_t k = 0; k < out; k++, y += inner) {
			memset(y, 0, (size_t)inner * sizeof *y);
			for (int64_t j = t->start[k]; j < t->start[k + 1]; j++) {
				const double *row = x + t->index[j] * inner;
				double weight = whole ? pillow_weight(t->weight[j]) : t->weight[j];
				for (int64_t i = 0; i < inner; i++)
					y[i] += weight * row[i];
			}
			for (int64_t i = 0; whole && i < inner; i++)
				y[i] = pillow_round(y[i], type);
		}
	}
	return OVL_OK;
}

static ovl_status resample(ovl_work *w, const ovl_interpolate_axis *at, const ovl_taps *taps)
{
	const ovl_interpolate_params *p = w->params;
	ovl_shape s = *ovl_work_shape(w, 0);
	bool pillow = p->mode == OVL_INTERP_BILINEAR_PILLOW || p->mode == OVL_INTERP_BICUBIC_PILLOW, whole = ovl_type_is_integer(w->run->in[0]->type);
	const double *x;
	double *y;
	OVL_TRY(ovl_work_f64(w, 0, &x));
	for (int d = s.rank - 1; d >= 0; d--) {
		double *to;
		if (!at[d].resized && at[d].source == at[d].out && at[d].pad_begin == 0)
			continue;
		if (at[d].in == at[d].out && at[d].source == at[d].out && at[d].pad_begin == 0)
			continue;
		OVL_TRY(ovl_work_take(w, ovl_span(&s, 0, d) * at[d].out * ovl_span(&s, d + 1, s.rank), sizeof *to, &to));
		OVL_TRY(pass(w, &s, d, &taps[d], at[d].out, x, to, pillow && whole));
		s.dims[d] = at[d].out;
		x = to;
	}
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	for (int64_t i = 0, n = ovl_shape_elements(&s); i < n; i++)
		y[i] = whole ? nearbyint(x[i]) : x[i];
	return OVL_OK;
}

static ovl_status interpolate(ovl_work *w)
{
	ovl_interpolate_params p = *(const ovl_interpolate_params *)w->params;
	int rank = ovl_work_shape(w, 0)->rank;
	ovl_interpolate_axis at[OVL_MAX_RANK];
	ovl_taps taps[OVL_MAX_RANK] = {{0}};
	ovl_status st = resolve(w, at);
	for (int d = 0; st == OVL_OK && d < rank; d++)
		st = ovl_interpolate_taps(&p, &at[d], &taps[d], w->err);
	if (st == OVL_OK)
		st = p.mode == OVL_INTERP_NEAREST ? copy_nearest(w, taps) : resample(w, at, taps);
	for (int d = 0; d < rank; d++)
		ovl_taps_free(&taps[d]);
	return st;
}

static ovl_status interpolate_run(ovl_run *run) { return ovl_work_run(run, interpolate); }

/* Opset 1 says the same in other words. */
static ovl_status interpolate_v1_run(ovl_run *run)
{
	ovl_interpolate_params p = *(const ovl_interpolate_params *)run->params;
	ovl_run copy = *run;
	p.coordinate_transformation_mode = p.align_corners ? OVL_COORD_ALIGN_CORNERS : OVL_COORD_ASYMMETRIC;
	p.nearest_mode = OVL_NEAREST_SIMPLE;
	p.cube_coeff = -0.75;
	if (p.mode == OVL_INTERP_LINEAR && !p.antialias)
		p.mode = OVL_INTERP_LINEAR_ONNX;
	copy.params = &p;
	return ovl_work_run(&copy, interpolate);
}

static const ovl_attr attrs_v1[] = {
	OVL_ATTR_INTS(ovl_interpolate_params, axes, NULL),
	OVL_ATTR_ENUM(ovl_interpolate_params, mode, NULL, "nearest linear linear_onnx cubic"),
	OVL_ATTR_BOOL(ovl_interpolate_params, align_corners, "true"),
	OVL_ATTR_BOOL(ovl_interpolate_params, antialias, "false"),
	OVL_ATTR_INTS(ovl_interpolate_params, pads_begin, OVL_OPTIONAL),
	OVL_ATTR_INTS(ovl_interpolate_params, pads_end, OVL_OPTIONAL),
	OVL_ATTR_END,
};

#define ATTRS(modes)                                                                                                                                 \
	OVL_ATTR_ENUM(ovl_interpolate_params, mode, NULL, modes),                                                                                    \
		OVL_ATTR_ENUM(ovl_interpolate_params, shape_calculation_mode, NULL, "sizes scales"),                                                 \
		OVL_ATTR_INTS(ovl_interpolate_params, pads_begin, OVL_OPTIONAL), OVL_ATTR_INTS(ovl_interpolate_params, pads_end, OVL_OPTIONAL),      \
		OVL_ATTR_ENUM(ovl_interpolate_params, coordinate_transformation_mode, "half_pixel",                                                  \
			"half_pixel pytorch_half_pixel asymmetric tf_half_pixel_for_nn align_corners"),                                              \
		OVL_ATTR_ENUM(ovl_interpolate_params, nearest_mode, "round_prefer_floor", "round_prefer_floor round_prefer_ceil floor ceil simple"), \
		OVL_ATTR_BOOL(ovl_interpolate_params, antialias, "false"), OVL_ATTR_DOUBLE(ovl_interpolate_params, cube_coeff, "-0.75"),             \
		OVL_ATTR_END

static const ovl_attr attrs_v4[] = {ATTRS("nearest linear linear_onnx cubic")};
static const ovl_attr attrs_v11[] = {ATTRS("nearest linear linear_onnx cubic bilinear_pillow bicubic_pillow")};

static const ovl_op interpolate_v1 = {
	.name = "Interpolate",
	.since = 1,
	.until = 3,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "image output_shape",
	.params_size = sizeof(ovl_interpolate_params),
	.attrs = attrs_v1,
	.infer = infer,
	.run = interpolate_v1_run,
};

static const ovl_op interpolate_v4 = {
	.name = "Interpolate",
	.since = 4,
	.until = 10,
	.min_inputs = 3,
	.max_inputs = 4,
	.outputs = 1,
	.inputs = "image output_shape scales axes",
	.params_size = sizeof(ovl_interpolate_params),
	.attrs = attrs_v4,
	.infer = infer,
	.run = interpolate_run,
};

static const ovl_op interpolate_v11 = {
	.name = "Interpolate",
	.since = 11,
	.min_inputs = 2,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "image scales_or_sizes axes",
	.params_size = sizeof(ovl_interpolate_params),
	.attrs = attrs_v11,
	.infer = infer,
	.run = interpolate_run,
};

const ovl_op *const ovl_ops_interpolate[] = {&interpolate_v1, &interpolate_v4, &interpolate_v11, NULL};
