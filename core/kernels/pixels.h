/* pixels.h - PixelPass: bytes in, f32 planes out, row by row of the output. The same for all instruction sets.
 *
 * A row of the source is "packed" when its pixels are 1 to 4 bytes apart, with their channels side by side: then four bytes are one pixel to a gather. Rows that are
 * not so in memory (planes, video frames, a picture's last row, behind which nothing may be read) are packed into slots of the thread's scratch; nothing larger than
 * a few rows is ever stored. */
#ifndef OVL_KERNELS_PIXELS_H
#define OVL_KERNELS_PIXELS_H

#include "kernels/kernel.h"
#include "ops/pixel_pass.h"

enum { OVL_PIXELS_SLOTS = 8, OVL_PIXELS_WIDEST = 1 << 20 };

/* One input: strides in bytes. */
typedef struct ovl_pixels_plane {
	int64_t image, row, pixel, channel, offset;
	int input;
} ovl_pixels_plane;

/* One dimension: output o takes weight[k] of index[k] for start[o] <= k < start[o + 1]. */
typedef struct ovl_pixels_axis {
	int32_t *start, *index;
	float *weight;
	int64_t most; /* taps of one output */
} ovl_pixels_axis;

typedef struct ovl_pixels_plan {
	ovl_pixel_source source;
	ovl_pixels_plane plane[3]; /* pixels: the first alone; video: y, u, v */
	int64_t images, h, w, out_h, out_w, source_channels;
	int channels, channel[OVL_PIXEL_CHANNELS];
	float scale[OVL_PIXEL_CHANNELS], shift[OVL_PIXEL_CHANNELS];
	bool whole;
	bool direct; /* rows are packed in memory */
	int64_t step; /* bytes from pixel to pixel of a packed row */
	bool few; /* at most two taps along each dimension, those of rows next to each other */
	ovl_pixels_axis y, x;
	int64_t x_room; /* outputs of a row, rounded up to whole vectors */
	int32_t *x_offset; /* for the k-th tap all outputs side by side: bytes into a packed row */
	float *x_weight;
	int64_t to_image, to_channel, to_row;
	size_t slot, line, per_thread; /* bytes of a packed row, of a line of floats, of all of it */
	int n_slots, threads;
} ovl_pixels_plan;

const char *ovl_pixels_accept(ovl_problem *p);
ovl_status ovl_pixels_prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err);
void ovl_pixels_release(void *state);

#endif
