/* ConvolutionBackpropData and GroupConvolutionBackpropData (transposed convolutions). */
#include "ops/conv.h"
#include "ops/support_work.h"

/* Adds one input channel, through its filter for one output channel, to that output plane. */
#define SPREAD(TYPE, T)                                                                                                         \
	static void spread_##TYPE(const ovl_conv_geometry *g, const T *x, const T *f, T *y)                                     \
	{                                                                                                                       \
		for (int64_t kz = 0; kz < g->kernel[0]; kz++)                                                                   \
			for (int64_t ky = 0; ky < g->kernel[1]; ky++)                                                           \
				for (int64_t kx = 0; kx < g->kernel[2]; kx++) {                                                 \
					T weight = *f++;                                                                        \
					int64_t s = g->stride[2], shift = kx * g->dilation[2] - g->pad_begin[2];                \
					int64_t from = shift >= 0 ? 0 : (-shift + s - 1) / s,                                   \
						to = shift >= g->out[2] ? 0 : (g->out[2] - shift + s - 1) / s;                  \
					to = to < g->in[2] ? to : g->in[2];                                                     \
					for (int64_t iz = 0; iz < g->in[0]; iz++) {                                             \
						int64_t oz = iz * g->stride[0] + kz * g->dilation[0] - g->pad_begin[0];         \
						if (oz < 0 || oz >= g->out[0])                                                  \
							continue;                                                               \
						for (int64_t iy = 0; iy < g->in[1]; iy++) {                                     \
							int64_t oy = iy * g->stride[1] + ky * g->dilation[1] - g->pad_begin[1]; \
							const T *xr = x + (iz * g->in[1] + iy) * g->in[2];                      \
							T *yr = y + (oz * g->out[1] + oy) * g->out[2];                          \
							if (oy < 0 || oy >= g->out[1])                                          \
								continue;                                                       \
							for (int64_t i = from; i < to; i++)                                     \
								yr[i * s + shift] += weight * xr[i];                            \
						}                                                                               \
					}                                                                                       \
				}                                                                                               \
	}
OVL_EACH_WORK(SPREAD)

static ovl_status backprop(ovl_work *w)
{
	ovl_type as = ovl_work_type(w->run->in[0]->type);
	const ovl_shape *out = &w->run->out[0]->shape;
	ovl_conv_geometry g;
	const void *x, *f;
	char *y;
	int64_t channels, outs, in_size, out_size, window;
	OVL_TRY(ovl_conv_resolve(
		w->run->op->name, w->params, ovl_work_shape(w, 0), ovl_work_shape(w, 1), ovl_work_has(w, 2) ? out->dims + 2 : NULL, &g, w->err));
	g = ovl_conv_as_3d(&g);
	OVL_TRY(ovl_work_read(w, w->run->in[0], as, &x));
	OVL_TRY(ovl_work_read(w, w->run->in[1], as, &f));
	OVL_TRY(ovl_work_out(w, 0, as, &y));
	memset(y, 0, (size_t)ovl_tensor_count(w->run->out[0]) * ovl_type_size(as));
	if (ovl_tensor_count(w->run->out[0]) == 0)
		return OVL_OK;
	channels = g.in_channels / g.groups;
	outs = g.out_channels / g.groups;
	in_size = g.in[0] * g.in[1] * g.in[2];
	out_size = g.out[0] * g.out[1] * g.out[2];
	window = g.kernel[0] * g.kernel[1] * g.kernel[2];
	for (int64_t n = 0; n < g.batch; n++)
		for (int64_t c = 0; c < g.in_channels; c++) {
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t o = 0; o < outs; o++) {
				int64_t x_at = (n * g.in_channels + c) * in_size, f_at = (c * outs + o) * window;
				int64_t y_at = (n * g.out_channels + c / channels * outs + o) * out_size;
				switch (as) {
#define CASE(TYPE, T)                                                                               \
	case TYPE:                                                                                  \
		spread_##TYPE(&g, (const T *)x + x_at, (const T *)f + f_at, (T *)(void *)y + y_at); \
		break;
					OVL_EACH_WORK(CASE)
#undef CASE
				default:
					break;
				}
			}
		}
	return OVL_OK;
}

static ovl_status backprop_run(ovl_run *run) { return ovl_work_run(run, backprop); }

static const ovl_attr backprop_attrs[] = {
	OVL_ATTR_INTS(ovl_conv_params, strides, NULL),
	OVL_ATTR_INTS(ovl_conv_params, pads_begin, OVL_OPTIONAL),
	OVL_ATTR_INTS(ovl_conv_params, pads_end, OVL_OPTIONAL),
	OVL_ATTR_INTS(ovl_conv_params, dilations, OVL_OPTIONAL),
	OVL_ATTR_ENUM(ovl_conv_params, auto_pad, "explicit", OVL_AUTO_PAD_CHOICES),
	OVL_ATTR_INTS(ovl_conv_params, output_padding, OVL_OPTIONAL),
	OVL_ATTR_END,
};

static const ovl_op convolution_backprop_data_v1 = {
	.name = "ConvolutionBackpropData",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "data filters output_shape",
	.params_size = sizeof(ovl_conv_params),
	.attrs = backprop_attrs,
	.infer = ovl_conv_infer,
	.run = backprop_run,
};

static const ovl_op group_convolution_backprop_data_v1 = {
	.name = "GroupConvolutionBackpropData",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "data filters output_shape",
	.params_size = sizeof(ovl_conv_params),
	.attrs = backprop_attrs,
	.infer = ovl_conv_infer,
	.run = backprop_run,
};

const ovl_op *const ovl_ops_convolution_backprop_data[] = {&convolution_backprop_data_v1, &group_convolution_backprop_data_v1, NULL};
