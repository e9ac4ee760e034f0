/* BinaryConvolution: filters of one bit; every entry of data that equals its filter's bit counts +1, every other one -1. As OpenVINO's CPU has it, the first filter entry
 * of a byte is its lowest bit (in other uses of u1 it is the highest), a pad_value of 0 means that entries outside do not count, and -1 stands for the bit 0. */
#include "ops/conv.h"
#include "ops/support_work.h"

typedef struct params {
	ovl_conv_params conv;
	int mode;
	float pad_value;
} params;

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	ovl_pshape out;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK(OVL_U1)));
	OVL_TRY(ovl_infer_rank(in, 0, 4, 4));
	OVL_TRY(ovl_infer_rank(in, 1, 4, 4));
	OVL_TRY(ovl_conv_infer_plain(in, &p->conv, &in->in_shape[0], &in->in_shape[1], false, 1, &out));
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status binary(ovl_work *w)
{
	const params *p = w->params;
	ovl_conv_geometry g;
	const double *x;
	double *y;
	int64_t *bits, count = ovl_tensor_count(w->run->in[1]);
	OVL_TRY(ovl_conv_resolve("Convolution", &p->conv, ovl_work_shape(w, 0), ovl_work_shape(w, 1), NULL, &g, w->err));
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(ovl_work_take(w, count, sizeof *bits, &bits));
	for (int64_t i = 0; i < count; i++)
		bits[i] = ((const uint8_t *)w->run->in[1]->data)[i / 8] >> (i % 8) & 1;
	for (int64_t n = 0; n < g.batch; n++)
		for (int64_t o = 0; o < g.out_channels; o++) {
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t at = 0; at < g.out[0] * g.out[1]; at++) {
				const int64_t *bit = bits + o * g.in_channels * g.kernel[0] * g.kernel[1];
				int64_t sum = 0;
				for (int64_t c = 0; c < g.in_channels; c++)
					for (int64_t k = 0; k < g.kernel[0] * g.kernel[1]; k++) {
						int64_t iy = at / g.out[1] * g.stride[0] + k / g.kernel[1] * g.dilation[0] - g.pad_begin[0];
						int64_t ix = at % g.out[1] * g.stride[1] + k % g.kernel[1] * g.dilation[1] - g.pad_begin[1];
						bool inside = iy >= 0 && ix >= 0 && iy < g.in[0] && ix < g.in[1];
						double v = inside ? x[((n * g.in_channels + c) * g.in[0] + iy) * g.in[1] + ix] : p->pad_value > 0;
						int64_t b = *bit++;
						if (inside || p->pad_value != 0)
							sum += v == (double)b ? 1 : -1;
					}
				*y++ = (double)sum;
			}
		}
	return OVL_OK;
}

static ovl_status binary_run(ovl_run *run) { return ovl_work_run(run, binary); }

static const ovl_attr attrs[] = {
	OVL_ATTR_AS("strides", OVL_KIND_INTS, params, conv.strides, NULL, NULL),
	OVL_ATTR_AS("pads_begin", OVL_KIND_INTS, params, conv.pads_begin, OVL_OPTIONAL, NULL),
	OVL_ATTR_AS("pads_end", OVL_KIND_INTS, params, conv.pads_end, OVL_OPTIONAL, NULL),
	OVL_ATTR_AS("dilations", OVL_KIND_INTS, params, conv.dilations, NULL, NULL),
	OVL_ATTR_ENUM(params, mode, NULL, "xnor-popcount"),
	OVL_ATTR_FLOAT(params, pad_value, NULL),
	OVL_ATTR_AS("auto_pad", OVL_KIND_ENUM, params, conv.auto_pad, "explicit", OVL_AUTO_PAD_CHOICES),
	OVL_ATTR_END,
};

static const ovl_op binary_convolution_v1 = {
	.name = "BinaryConvolution",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "data filters",
	.params_size = sizeof(params),
	.attrs = attrs,
	.infer = infer,
	.run = binary_run,
};

const ovl_op *const ovl_ops_binary_convolution[] = {&binary_convolution_v1, NULL};
