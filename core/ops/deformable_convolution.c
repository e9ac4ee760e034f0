/* DeformableConvolution: every entry of the window is read from a place of its own, moved by offsets; opset 8 also weighs it by a mask. */
#include "ops/conv.h"
#include "ops/support_work.h"

typedef struct params {
	ovl_conv_params conv;
	int64_t group, deformable_group;
	bool bilinear_interpolation_pad; /* neighbours outside of the image count as zeros, else places outside do */
} params;

static ovl_status check_dim(ovl_infer *in, int i, int d, ovl_dim expected)
{
	ovl_dim both;
	if (in->in_shape[i].ranked && !ovl_dim_merge(in->in_shape[i].dims[d], expected, &both)) {
		char buf[200];
		return ovl_infer_fail(in, OVL_E_SHAPE, "input %d has shape %s, which does not fit the others in dimension %d", i,
			ovl_pshape_text(&in->in_shape[i], buf, sizeof buf), d);
	}
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *f = &in->in_shape[2];
	ovl_pshape out;
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC));
	for (int i = 0; i < in->n_in; i++) {
		OVL_TRY(ovl_infer_merge_types(in, 0, i, &type));
		OVL_TRY(ovl_infer_rank(in, i, 4, 4));
	}
	if (p->group < 1 || p->deformable_group < 1 || p->group > 1 << 20 || p->deformable_group > 1 << 20)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "groups must be positive");
	OVL_TRY(ovl_conv_infer_plain(in, &p->conv, &in->in_shape[0], f, false, p->group, &out));
	for (int i = 1; i < in->n_in; i += 2) { /* offsets, mask */
		ovl_dim per = ovl_dim_of(p->deformable_group * (i == 1 ? 2 : 1));
		for (int d = 2; d < 4 && out.ranked; d++)
			OVL_TRY(check_dim(in, i, d, out.dims[d]));
		if (f->ranked)
			OVL_TRY(check_dim(in, i, 1, ovl_dim_mul(per, ovl_dim_mul(f->dims[2], f->dims[3]))));
		if (out.ranked)
			OVL_TRY(check_dim(in, i, 0, out.dims[0]));
	}
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

static double pixel(const double *x, int64_t h, int64_t w, int64_t i, int64_t j) { return i < 0 || j < 0 || i >= h || j >= w ? 0 : x[i * w + j]; }

static double sample(const double *x, int64_t h, int64_t w, double y, double z, bool padded)
{
	int64_t i, j, i2, j2;
	double dy, dz;
	if (padded ? !(y > -1 && z > -1 && y < (double)h && z < (double)w) : !(y >= 0 && z >= 0 && y < (double)h && z < (double)w))
		return 0;
	i = (int64_t)floor(y);
	j = (int64_t)floor(z);
	dy = y - (double)i;
	dz = z - (double)j;
	i2 = padded || i + 1 < h ? i + 1 : i;
	j2 = padded || j + 1 < w ? j + 1 : j;
	return (1 - dy) * ((1 - dz) * pixel(x, h, w, i, j) + dz * pixel(x, h, w, i, j2)) +
	       dy * ((1 - dz) * pixel(x, h, w, i2, j) + dz * pixel(x, h, w, i2, j2));
}

typedef struct job {
	const params *p;
	ovl_conv_geometry g;
	const double *x, *offsets, *f, *mask;
	double *patch; /* [channels, window] at one output position */
} job;

/* Reads the window around output position (oy, ox) of image n. */
static void gather(const job *j, int64_t n, int64_t oy, int64_t ox)
{
	const ovl_conv_geometry *g = &j->g;
	int64_t window = g->kernel[0] * g->kernel[1], plane = g->out[0] * g->out[1], at = oy * g->out[1] + ox, groups = j->p->deformable_group;
	int64_t per = g->in_channels / groups;
	for (int64_t c = 0; c < g->in_channels; c++) {
		const double *image = j->x + (n * g->in_channels + c) * g->in[0] * g->in[1];
		int64_t first = (n * groups + c / per) * window;
		for (int64_t k = 0; k < window; k++) {
			const double *moved = j->offsets + 2 * (first + k) * plane + at;
			double y = (double)(oy * g->stride[0] - g->pad_begin[0] + k / g->kernel[1] * g->dilation[0]) + moved[0];
			double x = (double)(ox * g->stride[1] - g->pad_begin[1] + k % g->kernel[1] * g->dilation[1]) + moved[plane];
			double v = sample(image, g->in[0], g->in[1], y, x, j->p->bilinear_interpolation_pad);
			j->patch[c * window + k] = j->mask ? v * j->mask[(first + k) * plane + at] : v;
		}
	}
}

static ovl_status deformable(ovl_work *w)
{
	job j = {.p = w->params};
	const ovl_shape *x = ovl_work_shape(w, 0), *f = ovl_work_shape(w, 2);
	ovl_shape grouped = *f;
	int64_t group = j.p->group, window, plane, outs, per;
	double *y;
	if (f->dims[0] % group || x->dims[1] % group || x->dims[1] % j.p->deformable_group || f->dims[1] * group != x->dims[1])
		return ovl_work_fail(w, OVL_E_SHAPE, "channels cannot be cut into the groups");
	grouped.rank = 5;
	memmove(grouped.dims + 1, grouped.dims, 4 * sizeof *grouped.dims);
	grouped.dims[0] = group;
	grouped.dims[1] = f->dims[0] / group;
	OVL_TRY(ovl_conv_resolve("GroupConvolution", &j.p->conv, x, &grouped, NULL, &j.g, w->err));
	window = j.g.kernel[0] * j.g.kernel[1];
	plane = j.g.out[0] * j.g.out[1];
	for (int i = 1; i < w->run->n_in; i += 2)
		if (ovl_tensor_count(w->run->in[i]) != j.g.batch * j.p->deformable_group * window * plane * (i == 1 ? 2 : 1))
			return ovl_work_fail(w, OVL_E_SHAPE, "input %d has not as many elements as the windows need", i);
	OVL_TRY(ovl_work_f64(w, 0, &j.x));
	OVL_TRY(ovl_work_f64(w, 1, &j.offsets));
	OVL_TRY(ovl_work_f64(w, 2, &j.f));
	if (ovl_work_has(w, 3))
		OVL_TRY(ovl_work_f64(w, 3, &j.mask));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(ovl_work_take(w, j.g.in_channels * window, sizeof *j.patch, &j.patch));
	outs = j.g.out_channels / group;
	per = j.g.in_channels / group * window;
	for (int64_t n = 0; n < j.g.batch; n++)
		for (int64_t at = 0; at < plane; at++) {
			OVL_RUN_CHECK_CANCEL(w->run);
			gather(&j, n, at / j.g.out[1], at % j.g.out[1]);
			for (int64_t o = 0; o < j.g.out_channels; o++) {
				const double *patch = j.patch + o / outs * per, *weights = j.f + o * per;
				double sum = 0;
				for (int64_t k = 0; k < per; k++)
					sum += patch[k] * weights[k];
				y[(n * j.g.out_channels + o) * plane + at] = sum;
			}
		}
	return OVL_OK;
}

static ovl_status deformable_run(ovl_run *run) { return ovl_work_run(run, deformable); }

#define COMMON                                                                                                                                     \
	OVL_ATTR_AS("strides", OVL_KIND_INTS, params, conv.strides, NULL, NULL),                                                                   \
		OVL_ATTR_AS("pads_begin", OVL_KIND_INTS, params, conv.pads_begin, OVL_OPTIONAL, NULL),                                             \
		OVL_ATTR_AS("pads_end", OVL_KIND_INTS, params, conv.pads_end, OVL_OPTIONAL, NULL),                                                 \
		OVL_ATTR_AS("dilations", OVL_KIND_INTS, params, conv.dilations, NULL, NULL),                                                       \
		OVL_ATTR_AS("auto_pad", OVL_KIND_ENUM, params, conv.auto_pad, "explicit", OVL_AUTO_PAD_CHOICES), OVL_ATTR_INT(params, group, "1"), \
		OVL_ATTR_INT(params, deformable_group, "1")

static const ovl_attr attrs_v1[] = {COMMON, OVL_ATTR_END};
static const ovl_attr attrs_v8[] = {COMMON, OVL_ATTR_BOOL(params, bilinear_interpolation_pad, "false"), OVL_ATTR_END};

static const ovl_op deformable_convolution_v1 = {
	.name = "DeformableConvolution",
	.since = 1,
	.until = 7,
	.min_inputs = 3,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "data deformable_values filters",
	.params_size = sizeof(params),
	.attrs = attrs_v1,
	.infer = infer,
	.run = deformable_run,
};

static const ovl_op deformable_convolution_v8 = {
	.name = "DeformableConvolution",
	.since = 8,
	.min_inputs = 3,
	.max_inputs = 4,
	.outputs = 1,
	.inputs = "data offsets filters mask",
	.params_size = sizeof(params),
	.attrs = attrs_v8,
	.infer = infer,
	.run = deformable_run,
};

const ovl_op *const ovl_ops_deformable_convolution[] = {&deformable_convolution_v1, &deformable_convolution_v8, NULL};
