/* interp.h - Interpolate of f32 images: tables of taps, made once. The same for all instruction sets. */
#ifndef OVL_KERNELS_INTERP_H
#define OVL_KERNELS_INTERP_H

#include "kernels/posts.h"
#include "ops/interpolate.h"

enum { OVL_INTERP_WIDEST = 8192, OVL_INTERP_MOST_TAPS = 64 };

/* One spatial dimension: output o takes weight[k] of input index[k] for start[o] <= k < start[o + 1]. */
typedef struct ovl_interp_axis {
	int32_t *start, *index;
	float *weight;
	int64_t in, out, most; /* most: taps of one output */
} ovl_interp_axis;

typedef struct ovl_interp_plan {
	bool cl;
	ovl_interp_axis axis[3]; /* depth, height, width; missing ones have one output that takes its one input */
	int64_t images, channels;
	int64_t from_image, from_channel, from[3], to_image, to_channel, to[3]; /* strides */
	/* dense: taps of the width turned over: for the k-th tap all outputs side by side */
	int32_t *wide_index;
	float *wide_weight;
	int64_t units;
	ovl_posts posts;
} ovl_interp_plan;

const char *ovl_interp_accept(ovl_problem *p);
ovl_status ovl_interp_prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err);
void ovl_interp_release(void *state);

#endif
