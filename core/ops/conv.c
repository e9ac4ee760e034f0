#include "ops/conv.h"
#include "graph/infer.h"

#include <string.h>

static bool bad_list(const ovl_ints *v, int spatial) { return v->n != 0 && v->n != (size_t)spatial; }

ovl_status ovl_window_get(const char *op, const ovl_ints *strides, const ovl_ints *dilations, const ovl_ints *begin, const ovl_ints *end, int spatial,
	int i, ovl_window *out, ovl_error *err)
{
	static const ovl_ints none = {NULL, 0};
	dilations = dilations ? dilations : &none;
	if (bad_list(strides, spatial) || bad_list(dilations, spatial) || bad_list(begin, spatial) || bad_list(end, spatial))
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: strides, dilations and pads must have %d entries each, they have %zu, %zu, %zu and %zu", op,
			spatial, strides->n, dilations->n, begin->n, end->n);
	out->stride = ovl_ints_get(strides, (size_t)i, 1);
	out->dilation = ovl_ints_get(dilations, (size_t)i, 1);
	out->pad_begin = ovl_ints_get(begin, (size_t)i, 0);
	out->pad_end = ovl_ints_get(end, (size_t)i, 0);
	if (out->stride <= 0 || out->dilation <= 0)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: strides and dilations must be positive, got %lld and %lld", op, (long long)out->stride,
			(long long)out->dilation);
	/* far below overflow, far above sense */
	if (out->stride > INT32_MAX || out->dilation > INT32_MAX || out->pad_begin > INT32_MAX || out->pad_end > INT32_MAX ||
		out->pad_begin < -INT32_MAX || out->pad_end < -INT32_MAX)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: strides, dilations and pads must fit 31 bits", op);
	return OVL_OK;
}

static ovl_status reach(const ovl_window *w, int64_t *out, const char *op, ovl_error *err)
{
	if (w->kernel <= 0 || __builtin_mul_overflow(w->kernel - 1, w->dilation, out) || *out > (int64_t)1 << 60)
		return ovl_fail(
			err, OVL_E_SHAPE, "%s: a window of %lld entries at a distance of %lld", op, (long long)w->kernel, (long long)w->dilation);
	(*out)++;
	return OVL_OK;
}

static int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b > 0); }

ovl_status ovl_window_resolve(ovl_window *w, int auto_pad, int64_t in, int rounding, int64_t *out, const char *op, ovl_error *err)
{
	int64_t k = 0, padded, n;
	OVL_TRY(reach(w, &k, op, err));
	if (in > (int64_t)1 << 60)
		return ovl_fail(err, OVL_E_SHAPE, "%s: a size of %lld is too large", op, (long long)in);
	if (auto_pad == OVL_PAD_VALID)
		w->pad_begin = w->pad_end = 0;
	if (auto_pad == OVL_PAD_SAME_UPPER || auto_pad == OVL_PAD_SAME_LOWER) {
		int64_t total;
		n = ceil_div(in, w->stride);
		total = n > 0 ? (n - 1) * w->stride + k - in : 0;
		total = total > 0 ? total : 0;
		w->pad_begin = auto_pad == OVL_PAD_SAME_UPPER ? total / 2 : total - total / 2;
		w->pad_end = total - w->pad_begin;
		*out = n;
		return OVL_OK;
	}
	padded = in + w->pad_begin + w->pad_end;
	if (padded < k)
		return ovl_fail(
			err, OVL_E_SHAPE, "%s: the window reaches over %lld entries, the padded input has %lld", op, (long long)k, (long long)padded);
	n = (rounding == OVL_ROUND_FLOOR ? (padded - k) / w->stride : ceil_div(padded - k, w->stride)) + 1;
	if (rounding == OVL_ROUND_CEIL_TORCH && (n - 1) * w->stride >= in + w->pad_begin)
		n--;
	*out = n;
	return OVL_OK;
}

ovl_status ovl_window_dim(const ovl_window *w, int auto_pad, ovl_dim in, int rounding, ovl_dim *out, const char *op, ovl_error *err)
{
	int64_t k = 0;
	OVL_TRY(reach(w, &k, op, err));
	*out = (ovl_dim){auto_pad == OVL_PAD_EXPLICIT || auto_pad == OVL_PAD_VALID, OVL_DIM_MAX}; /* a window that does not fit is an error later */
	for (int end = 0; end < 2; end++) {
		ovl_window copy = *w;
		int64_t size = end ? in.max : in.min;
		bool open = end && in.max == OVL_DIM_MAX;
		bool tight = auto_pad == OVL_PAD_EXPLICIT ? !open && size + w->pad_begin + w->pad_end < k : auto_pad == OVL_PAD_VALID && size < k;
		if (open || (!end && tight && !ovl_dim_static(in)))
			continue;
		OVL_TRY(ovl_window_resolve(&copy, auto_pad, size, rounding, end ? &out->max : &out->min, op, err));
	}
	return OVL_OK;
}

/* ---- geometry ---- */

static ovl_status resolve_backprop(
	const char *op, const ovl_conv_params *p, ovl_conv_geometry *g, const int64_t *out_spatial, int i, ovl_window *w, ovl_error *err)
{
	int64_t k = 0, full, extra = ovl_ints_get(&p->output_padding, (size_t)i, 0);
	OVL_TRY(reach(w, &k, op, err));
	if (bad_list(&p->output_padding, g->spatial) || extra < 0 || extra > INT32_MAX)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: output_padding must have %d entries, none of them negative", op, g->spatial);
	if (g->in[i] == 0 || __builtin_mul_overflow(w->stride, g->in[i] - 1, &full) || full > (int64_t)1 << 60)
		return ovl_fail(err, OVL_E_SHAPE, "%s: an input size of %lld at a stride of %lld", op, (long long)g->in[i], (long long)w->stride);
	full += k;
	if (p->auto_pad != OVL_PAD_EXPLICIT)
		w->pad_begin = w->pad_end = 0;
	g->out[i] = out_spatial ? out_spatial[i] : full + extra - w->pad_begin - w->pad_end;
	if (out_spatial && (p->auto_pad == OVL_PAD_SAME_UPPER || p->auto_pad == OVL_PAD_SAME_LOWER)) {
		int64_t total = full + extra - out_spatial[i];
		total = total > 0 ? total : 0;
		w->pad_begin = p->auto_pad == OVL_PAD_SAME_UPPER ? total - total / 2 : total / 2; /* the other way round than forward */
		w->pad_end = total - w->pad_begin;
	}
	if (g->out[i] < 0)
		return ovl_fail(err, OVL_E_SHAPE, "%s: the output would have a size of %lld", op, (long long)g->out[i]);
	return OVL_OK;
}

ovl_status ovl_conv_resolve(const char *op, const ovl_conv_params *p, const ovl_shape *data, const ovl_shape *filters, const int64_t *out_spatial,
	ovl_conv_geometry *out, ovl_error *err)
{
	ovl_conv_geometry g = {.grouped = !strncmp(op, "Group", 5), .backprop = strstr(op, "Backprop") != NULL};
	const int64_t *f = filters->dims + g.grouped;
	char a[200], b[200];
	g.spatial = data->rank - 2;
	if (g.spatial < 1 || g.spatial > OVL_MAX_SPATIAL || filters->rank != data->rank + g.grouped)
		return ovl_fail(err, OVL_E_SHAPE, "%s: data %s and filters %s do not fit", op, ovl_shape_text(data, a, sizeof a),
			ovl_shape_text(filters, b, sizeof b));
	g.batch = data->dims[0];
	g.groups = g.grouped ? filters->dims[0] : 1;
	if (__builtin_mul_overflow(g.groups, f[g.backprop ? 0 : 1], &g.in_channels) ||
		__builtin_mul_overflow(g.groups, f[g.backprop ? 1 : 0], &g.out_channels) || g.in_channels != data->dims[1])
		return ovl_fail(err, OVL_E_SHAPE, "%s: data has %lld channels, filters %s take %lld", op, (long long)data->dims[1],
			ovl_shape_text(filters, b, sizeof b), (long long)g.in_channels);
	for (int i = 0; i < g.spatial; i++) {
		ovl_window w = {.kernel = f[2 + i]};
		OVL_TRY(ovl_window_get(op, &p->strides, &p->dilations, &p->pads_begin, &p->pads_end, g.spatial, i, &w, err));
		w.kernel = f[2 + i];
		g.in[i] = data->dims[2 + i];
		if (g.backprop)
			OVL_TRY(resolve_backprop(op, p, &g, out_spatial, i, &w, err));
		else
			OVL_TRY(ovl_window_resolve(&w, p->auto_pad, g.in[i], OVL_ROUND_FLOOR, &g.out[i], op, err));
		g.kernel[i] = w.kernel;
		g.stride[i] = w.stride;
		g.dilation[i] = w.dilation;
		g.pad_begin[i] = w.pad_begin;
		g.pad_end[i] = w.pad_end;
	}
	*out = g;
	return OVL_OK;
}

ovl_conv_geometry ovl_conv_as_3d(const ovl_conv_geometry *g)
{
	ovl_conv_geometry r = *g;
	int shift = OVL_MAX_SPATIAL - g->spatial;
	r.spatial = OVL_MAX_SPATIAL;
	for (int i = OVL_MAX_SPATIAL - 1; i >= 0; i--) {
		bool there = i >= shift;
		r.in[i] = there ? g->in[i - shift] : 1;
		r.kernel[i] = there ? g->kernel[i - shift] : 1;
		r.out[i] = there ? g->out[i - shift] : 1;
		r.stride[i] = there ? g->stride[i - shift] : 1;
		r.dilation[i] = there ? g->dilation[i - shift] : 1;
		r.pad_begin[i] = there ? g->pad_begin[i - shift] : 0;
		r.pad_end[i] = there ? g->pad_end[i - shift] : 0;
	}
	return r;
}

/* ---- inference ---- */

ovl_status ovl_conv_infer_plain(
	ovl_infer *in, const ovl_conv_params *p, const ovl_pshape *data, const ovl_pshape *filters, bool grouped, int64_t multiplier, ovl_pshape *out)
{
	const ovl_dim *f = filters->dims + grouped;
	int rank = data->ranked ? data->rank : filters->ranked ? filters->rank - grouped : p->strides.n ? (int)p->strides.n + 2 : 0;
	*out = ovl_pshape_any();
	if (rank == 0)
		return OVL_OK;
	if (rank < 3 || rank > 2 + OVL_MAX_SPATIAL || (filters->ranked && filters->rank != rank + grouped))
		return ovl_infer_fail(
			in, OVL_E_SHAPE, "data of rank %d and filters of rank %d do not fit", rank, filters->ranked ? filters->rank : -1);
	*out = ovl_pshape_rank(rank);
	if (data->ranked)
		out->dims[0] = data->dims[0];
	if (filters->ranked) {
		ovl_dim groups = grouped ? filters->dims[0] : ovl_dim_of(1), channels;
		if (grouped && !ovl_dim_static(groups) && data->ranked && ovl_dim_static(data->dims[1]) && ovl_dim_static(f[1]) && f[1].min > 0)
			groups = ovl_dim_of(data->dims[1].min / f[1].min);
		out->dims[1] = ovl_dim_mul(groups, f[0]);
		channels = grouped ? ovl_dim_mul(groups, f[1]) : multiplier >= 0 ? ovl_dim_mul(ovl_dim_of(multiplier), f[1]) : OVL_DIM_ANY;
		if (data->ranked && !ovl_dim_merge(channels, data->dims[1], &channels)) {
			char a[200], b[200];
			return ovl_infer_fail(in, OVL_E_SHAPE, "the channels of data %s and of filters %s differ", ovl_pshape_text(data, a, sizeof a),
				ovl_pshape_text(filters, b, sizeof b));
		}
	}
	for (int i = 0; i < rank - 2; i++) {
		ovl_dim size = data->ranked ? data->dims[2 + i] : OVL_DIM_ANY, kernel = filters->ranked ? f[2 + i] : (ovl_dim){1, OVL_DIM_MAX};
		ovl_window w;
		OVL_TRY(ovl_window_get(in->op->name, &p->strides, &p->dilations, &p->pads_begin, &p->pads_end, rank - 2, i, &w, in->err));
		w.kernel = kernel.min > 0 || ovl_dim_static(kernel) ? kernel.min : 1;
		OVL_TRY(ovl_window_dim(&w, p->auto_pad, size, OVL_ROUND_FLOOR, &out->dims[2 + i], in->op->name, in->err));
		if (!ovl_dim_static(kernel) && (p->auto_pad == OVL_PAD_EXPLICIT || p->auto_pad == OVL_PAD_VALID))
			out->dims[2 + i].min = 1; /* the smallest kernel gives the largest output alone */
	}
	return OVL_OK;
}

static ovl_status backprop_dim(ovl_infer *in, const ovl_conv_params *p, int spatial, int i, ovl_dim data, ovl_dim kernel, ovl_dim *out)
{
	ovl_window w;
	int64_t extra = ovl_ints_get(&p->output_padding, (size_t)i, 0), pads;
	*out = OVL_DIM_ANY;
	OVL_TRY(ovl_window_get(in->op->name, &p->strides, &p->dilations, &p->pads_begin, &p->pads_end, spatial, i, &w, in->err));
	if (extra < 0 || extra > INT32_MAX)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "output_padding must not be negative, nor beyond 31 bits");
	data.min = data.min > 0 ? data.min : 1;
	kernel.min = kernel.min > 0 ? kernel.min : 1;
	pads = p->auto_pad == OVL_PAD_EXPLICIT ? w.pad_begin + w.pad_end : 0;
	for (int end = 0; end < 2; end++) {
		int64_t k = 0, n, size = end ? data.max : data.min;
		w.kernel = end && kernel.max != OVL_DIM_MAX ? kernel.max : kernel.min;
		OVL_TRY(reach(&w, &k, in->op->name, in->err));
		if ((end && (size == OVL_DIM_MAX || kernel.max == OVL_DIM_MAX)) || __builtin_mul_overflow(w.stride, size - 1, &n) ||
			n > (int64_t)1 << 60)
			continue;
		n += k + extra - pads;
		if (end && n < 0)
			return ovl_infer_fail(in, OVL_E_SHAPE, "the output would have a size of %lld", (long long)n);
		*(end ? &out->max : &out->min) = n > 0 ? n : 0;
	}
	return OVL_OK;
}

static ovl_status infer_backprop(ovl_infer *in, const ovl_conv_params *p, bool grouped, ovl_pshape *out)
{
	const ovl_pshape *data = &in->in_shape[0], *filters = &in->in_shape[1];
	const ovl_dim *f = filters->dims + grouped;
	int64_t asked[OVL_MAX_RANK * 2];
	int n_asked = 0, rank = data->ranked ? data->rank : filters->ranked ? filters->rank - grouped : 0;
	bool given = in->n_in > 2 && (in->in_type[2] != OVL_DYNAMIC || in->in_shape[2].ranked || in->in_value[2]), known = false;
	ovl_dim channels;
	*out = ovl_pshape_any();
	if (given)
		OVL_TRY(ovl_infer_ints(in, 2, &known, asked, OVL_MAX_RANK * 2, &n_asked));
	if (!rank && known)
		rank = n_asked + 2;
	if (!rank)
		return OVL_OK;
	if (rank < 3 || rank > 2 + OVL_MAX_SPATIAL || (filters->ranked && filters->rank != rank + grouped) || (known && n_asked != rank - 2))
		return ovl_infer_fail(in, OVL_E_SHAPE, "data of rank %d, filters of rank %d and %d output sizes do not fit", rank,
			filters->ranked ? filters->rank : -1, n_asked);
	*out = ovl_pshape_rank(rank);
	if (data->ranked)
		out->dims[0] = data->dims[0];
	if (filters->ranked) {
		out->dims[1] = grouped ? ovl_dim_mul(filters->dims[0], f[1]) : f[1];
		channels = grouped ? ovl_dim_mul(filters->dims[0], f[0]) : f[0];
		if (data->ranked && !ovl_dim_merge(channels, data->dims[1], &channels))
			return ovl_infer_fail(in, OVL_E_SHAPE, "data and filters differ in channels");
	}
	for (int i = 0; i < rank - 2; i++) {
		if (known) {
			if (asked[i] < 0)
				return ovl_infer_fail(in, OVL_E_ARGUMENT, "an output size of %lld is asked for", (long long)asked[i]);
			out->dims[2 + i] = ovl_dim_of(asked[i]);
		} else if (!given)
			OVL_TRY(backprop_dim(in, p, rank - 2, i, data->ranked ? data->dims[2 + i] : OVL_DIM_ANY,
				filters->ranked ? f[2 + i] : OVL_DIM_ANY, &out->dims[2 + i]));
	}
	return OVL_OK;
}

ovl_status ovl_conv_infer(ovl_infer *in)
{
	const ovl_conv_params *p = in->params;
	bool grouped = !strncmp(in->op->name, "Group", 5);
	ovl_pshape out;
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC));
	OVL_TRY(ovl_infer_merge_types(in, 0, 1, &type));
	if (strstr(in->op->name, "Backprop"))
		OVL_TRY(infer_backprop(in, p, grouped, &out));
	else
		OVL_TRY(ovl_conv_infer_plain(in, p, &in->in_shape[0], &in->in_shape[1], grouped, 1, &out));
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}
