/* Convolution and GroupConvolution. */
#include "ops/conv.h"
#include "ops/support_work.h"

/* Output positions o of a row for which o * stride + shift lies in [0, n). */
static void valid_range(int64_t shift, int64_t stride, int64_t n, int64_t count, int64_t *from, int64_t *to)
{
	*from = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
	*to = shift >= n ? 0 : (n - shift + stride - 1) / stride;
	*to = *to < count ? *to : count;
}

/* One output plane (n, output channel): sums over the input channels of its group. */
#define PLANE(TYPE, T)                                                                                                                  \
	static void plane_##TYPE(const ovl_conv_geometry *g, const T *x, const T *f, int64_t channels, T *y)                            \
	{                                                                                                                               \
		int64_t in_size = g->in[0] * g->in[1] * g->in[2], row = g->out[2];                                                      \
		memset(y, 0, (size_t)(g->out[0] * g->out[1] * row) * sizeof *y);                                                        \
		for (int64_t c = 0; c < channels; c++, x += in_size)                                                                    \
			for (int64_t kz = 0; kz < g->kernel[0]; kz++)                                                                   \
				for (int64_t ky = 0; ky < g->kernel[1]; ky++)                                                           \
					for (int64_t kx = 0; kx < g->kernel[2]; kx++) {                                                 \
						T weight = *f++;                                                                        \
						int64_t s = g->stride[2], shift = kx * g->dilation[2] - g->pad_begin[2], from, to;      \
						valid_range(shift, s, g->in[2], row, &from, &to);                                       \
						for (int64_t oz = 0; oz < g->out[0]; oz++) {                                            \
							int64_t iz = oz * g->stride[0] + kz * g->dilation[0] - g->pad_begin[0];         \
							if (iz < 0 || iz >= g->in[0])                                                   \
								continue;                                                               \
							for (int64_t oy = 0; oy < g->out[1]; oy++) {                                    \
								int64_t iy = oy * g->stride[1] + ky * g->dilation[1] - g->pad_begin[1]; \
								const T *xr = x + (iz * g->in[1] + iy) * g->in[2];                      \
								T *yr = y + (oz * g->out[1] + oy) * row;                                \
								if (iy < 0 || iy >= g->in[1])                                           \
									continue;                                                       \
								if (s == 1)                                                             \
									for (int64_t o = from; o < to; o++)                             \
										yr[o] += weight * xr[o + shift];                        \
								else                                                                    \
									for (int64_t o = from; o < to; o++)                             \
										yr[o] += weight * xr[o * s + shift];                    \
							}                                                                               \
						}                                                                                       \
					}                                                                                               \
	}
OVL_EACH_WORK(PLANE)

static ovl_status convolution(ovl_work *w)
{
	ovl_type as = ovl_work_type(w->run->in[0]->type);
	ovl_conv_geometry g;
	const void *x, *f;
	void *y;
	int64_t channels, outs, in_size, out_size, window;
	OVL_TRY(ovl_conv_resolve(w->run->op->name, w->params, ovl_work_shape(w, 0), ovl_work_shape(w, 1), NULL, &g, w->err));
	g = ovl_conv_as_3d(&g);
	OVL_TRY(ovl_work_read(w, w->run->in[0], as, &x));
	OVL_TRY(ovl_work_read(w, w->run->in[1], as, &f));
	OVL_TRY(ovl_work_out(w, 0, as, &y));
	if (ovl_tensor_count(w->run->out[0]) == 0)
		return OVL_OK;
	channels = g.in_channels / g.groups;
	outs = g.out_channels / g.groups;
	in_size = g.in[0] * g.in[1] * g.in[2];
	out_size = g.out[0] * g.out[1] * g.out[2];
	window = g.kernel[0] * g.kernel[1] * g.kernel[2];
	for (int64_t n = 0; n < g.batch; n++)
		for (int64_t o = 0; o < g.out_channels; o++) {
			int64_t x_at = (n * g.in_channels + o / outs * channels) * in_size, f_at = o * channels * window,
				y_at = (n * g.out_channels + o) * out_size;
			OVL_RUN_CHECK_CANCEL(w->run);
			switch (as) {
#define CASE(TYPE, T)                                                                                \
	case TYPE:                                                                                   \
		plane_##TYPE(&g, (const T *)x + x_at, (const T *)f + f_at, channels, (T *)y + y_at); \
		break;
				OVL_EACH_WORK(CASE)
#undef CASE
			default:
				break;
			}
		}
	return OVL_OK;
}

static ovl_status convolution_run(ovl_run *run) { return ovl_work_run(run, convolution); }

static const ovl_attr convolution_attrs[] = {
	OVL_ATTR_INTS(ovl_conv_params, strides, NULL),
	OVL_ATTR_INTS(ovl_conv_params, pads_begin, OVL_OPTIONAL),
	OVL_ATTR_INTS(ovl_conv_params, pads_end, OVL_OPTIONAL),
	OVL_ATTR_INTS(ovl_conv_params, dilations, NULL),
	OVL_ATTR_ENUM(ovl_conv_params, auto_pad, "explicit", OVL_AUTO_PAD_CHOICES),
	OVL_ATTR_END,
};

static const ovl_op convolution_v1 = {
	.name = "Convolution",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "data filters",
	.params_size = sizeof(ovl_conv_params),
	.attrs = convolution_attrs,
	.infer = ovl_conv_infer,
	.run = convolution_run,
};

static const ovl_op group_convolution_v1 = {
	.name = "GroupConvolution",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "data filters",
	.params_size = sizeof(ovl_conv_params),
	.attrs = convolution_attrs,
	.infer = ovl_conv_infer,
	.run = convolution_run,
};

const ovl_op *const ovl_ops_convolution[] = {&convolution_v1, &group_convolution_v1, NULL};
