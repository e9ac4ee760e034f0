/* interpolate.h - Interpolate: attributes, and what each output position along a dimension is made of. All modes are separable: a resize is one pass
 * per dimension whose outputs are weighted sums of a few inputs (taps). */
#ifndef OVL_OPS_INTERPOLATE_H
#define OVL_OPS_INTERPOLATE_H

#include "graph/attr.h"

/* In the order of the attributes' choices. */
typedef enum ovl_interpolate_mode {
	OVL_INTERP_NEAREST,
	OVL_INTERP_LINEAR,
	OVL_INTERP_LINEAR_ONNX,
	OVL_INTERP_CUBIC,
	OVL_INTERP_BILINEAR_PILLOW,
	OVL_INTERP_BICUBIC_PILLOW,
} ovl_interpolate_mode;
typedef enum ovl_coord_mode {
	OVL_COORD_HALF_PIXEL,
	OVL_COORD_PYTORCH_HALF_PIXEL,
	OVL_COORD_ASYMMETRIC,
	OVL_COORD_TF_HALF_PIXEL_FOR_NN,
	OVL_COORD_ALIGN_CORNERS
} ovl_coord_mode;
typedef enum ovl_nearest_mode {
	OVL_NEAREST_ROUND_PREFER_FLOOR,
	OVL_NEAREST_ROUND_PREFER_CEIL,
	OVL_NEAREST_FLOOR,
	OVL_NEAREST_CEIL,
	OVL_NEAREST_SIMPLE
} ovl_nearest_mode;

typedef struct ovl_interpolate_params {
	int mode;                           /* ovl_interpolate_mode */
	int shape_calculation_mode;         /* 0: sizes, 1: scales */
	int coordinate_transformation_mode; /* ovl_coord_mode */
	int nearest_mode;                   /* ovl_nearest_mode */
	bool antialias;
	ovl_ints pads_begin, pads_end; /* zeros around data, before it is resized */
	double cube_coeff;
	ovl_ints axes;      /* opset 1 alone, and never empty there */
	bool align_corners; /* opset 1 */
} ovl_interpolate_params;

/* One dimension of the resize. */
typedef struct ovl_interpolate_axis {
	int64_t source, in, out; /* data's size, the padded one, the output's */
	int64_t pad_begin;
	float scale;
	bool resized; /* among the axes; others have in == out */
	bool stretch; /* antialias, and some dimension shrinks: linear weights are stretched by 1 / scale */
} ovl_interpolate_axis;

/* at[d] for each dimension of data. axes: NULL for all of them in order; scales: one per axis where shape_calculation_mode says scales, else NULL.
 * Errors: shape, argument. */
ovl_status ovl_interpolate_resolve(const ovl_interpolate_params *p, const ovl_shape *data, const ovl_shape *out, const int64_t *axes, int n_axes,
	const float *scales, ovl_interpolate_axis *at, ovl_error *err);

/* Output o is the sum of weight[k] * source[index[k]] for start[o] <= k < start[o + 1]; no taps: 0 (in the padding). Nearest: one tap of weight 1. */
typedef struct ovl_taps {
	int64_t *start, *index;
	double *weight;
	int64_t n;
} ovl_taps;
ovl_status ovl_interpolate_taps(const ovl_interpolate_params *p, const ovl_interpolate_axis *a, ovl_taps *out, ovl_error *err);
void ovl_taps_free(ovl_taps *t);

#endif
