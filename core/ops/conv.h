/* conv.h - what all convolutions share: attributes, and their geometry once shapes are known.
 *
 *   Convolution               filters [O, I, k...]
 *   GroupConvolution          filters [G, O/G, I/G, k...]
 *   ConvolutionBackpropData   filters [I, O, k...]          inputs: data, filters, output_shape (optional)
 *   GroupConvolutionBackpropData      [G, I/G, O/G, k...]
 *
 * A plain convolution reads  in[o * stride + k * dilation - pad_begin] for output position o,
 * a backprop one adds to     out[i * stride + k * dilation - pad_begin] for input position i. */
#ifndef OVL_OPS_CONV_H
#define OVL_OPS_CONV_H

#include "graph/attr.h"

enum { OVL_MAX_SPATIAL = 3 };

/* In the order of the attribute's choices. */
typedef enum ovl_auto_pad { OVL_PAD_EXPLICIT, OVL_PAD_SAME_UPPER, OVL_PAD_SAME_LOWER, OVL_PAD_VALID } ovl_auto_pad;
#define OVL_AUTO_PAD_CHOICES "explicit same_upper same_lower valid"

typedef struct ovl_conv_params {
	ovl_ints strides, pads_begin, pads_end, dilations;
	int auto_pad;            /* ovl_auto_pad */
	ovl_ints output_padding; /* backprop only */
} ovl_conv_params;

typedef struct ovl_conv_geometry {
	bool grouped, backprop;
	int spatial; /* 1..3 */
	int64_t batch, groups;
	int64_t in_channels, out_channels; /* of all groups together */
	int64_t in[OVL_MAX_SPATIAL], kernel[OVL_MAX_SPATIAL], out[OVL_MAX_SPATIAL];
	int64_t stride[OVL_MAX_SPATIAL], dilation[OVL_MAX_SPATIAL];
	int64_t pad_begin[OVL_MAX_SPATIAL], pad_end[OVL_MAX_SPATIAL]; /* resolved; a backprop one's may be negative */
} ovl_conv_geometry;

/* `op` is the operator's type name. `out_spatial`: the spatial sizes asked for by the third input of a backprop convolution, else NULL. Errors:
 * shape, argument. */
ovl_status ovl_conv_resolve(const char *op, const ovl_conv_params *p, const ovl_shape *data, const ovl_shape *filters, const int64_t *out_spatial,
	ovl_conv_geometry *out, ovl_error *err);
/* The same geometry with three spatial dimensions: sizes 1 in front. */
ovl_conv_geometry ovl_conv_as_3d(const ovl_conv_geometry *g);

/* One dimension of a sliding window (convolution or pooling) over open sizes. */
typedef struct ovl_window {
	int64_t kernel, stride, dilation, pad_begin, pad_end;
} ovl_window;
enum { OVL_ROUND_FLOOR, OVL_ROUND_CEIL, OVL_ROUND_CEIL_TORCH };
/* Output size for an input of `in`. Pads are resolved first where auto_pad asks for it. Errors: shape when the window does not fit. */
ovl_status ovl_window_resolve(ovl_window *w, int auto_pad, int64_t in, int rounding, int64_t *out, const char *op, ovl_error *err);
ovl_status ovl_window_dim(const ovl_window *w, int auto_pad, ovl_dim in, int rounding, ovl_dim *out, const char *op, ovl_error *err);
/* Checks lists of strides, dilations, pads against `spatial` (empty lists stand for 1 or 0) and gives entry i. Errors: argument. */
ovl_status ovl_window_get(const char *op, const ovl_ints *strides, const ovl_ints *dilations, const ovl_ints *begin, const ovl_ints *end, int spatial,
	int i, ovl_window *out, ovl_error *err);

struct ovl_infer;
ovl_status ovl_conv_infer(struct ovl_infer *in); /* of all four */
/* Output of a plain convolution whose filters are [O, I, k...] (grouped: [G, O, I, k...]); `multiplier`: channels of data = I * multiplier, -1: not
 * checked. */
ovl_status ovl_conv_infer_plain(struct ovl_infer *in, const ovl_conv_params *p, const ovl_pshape *data, const ovl_pshape *filters, bool grouped,
	int64_t multiplier, ovl_pshape *out);

#endif
