/* pixel_pass.h - PixelPass (internal): a picture of bytes becomes what a net takes, in one pass over its pixels. In this order:
 *
 *     source -> channels -> resize -> x * scale + shift -> f32 [N, C, H, W]
 *
 * source: pixels [N, C, H, W] in any layout of memory (one input), or the planes of video frames ([N, H, W, 1 or 2], one to three inputs), which are RGB behind it. */
#ifndef OVL_OPS_PIXEL_PASS_H
#define OVL_OPS_PIXEL_PASS_H

#include "ops/interpolate.h"

enum { OVL_PIXEL_CHANNELS = 4 }; /* at most, before and behind */

typedef enum ovl_pixel_source { OVL_SOURCE_PIXELS, OVL_SOURCE_NV12, OVL_SOURCE_I420 } ovl_pixel_source;

typedef struct ovl_pixel_pass_params {
	int source;              /* ovl_pixel_source */
	ovl_ints channels;       /* channel i of the output is channel channels[i] of the source */
	ovl_floats scale, shift; /* per channel of the output */
	ovl_ints size;           /* height and width of the output; empty: those of the source */
	bool whole;              /* what is resized is rounded to whole numbers */
	ovl_interpolate_params resize;
} ovl_pixel_pass_params;

/* How height (0) and width (1) of a source of that size are resized. Errors: shape. */
ovl_status ovl_pixel_pass_axes(const ovl_pixel_pass_params *p, int64_t height, int64_t width, ovl_interpolate_axis at[2], ovl_error *err);

#endif
