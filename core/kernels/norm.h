/* norm.h - MVN, LayerNorm, RMS, GroupNormalization and BatchNormInference of f32: what is normalised together, and how it lies. The same for all instruction sets. */
#ifndef OVL_KERNELS_NORM_H
#define OVL_KERNELS_NORM_H

#include "kernels/loops.h"

typedef struct ovl_norm_plan {
	enum {
		OVL_NORM_ROWS, /* what is normalised together is contiguous: n elements */
		OVL_NORM_CHANNELS, /* channels-last: `pixels` x channels, groups of `per` channels over all pixels of an image */
		OVL_NORM_SCALE, /* nothing is measured: one factor and one shift per channel (BatchNormInference) */
	} how;
	bool subtract, divide, outside; /* the mean; by the deviation; eps is added outside of the root */
	double eps;
	int data, gamma, beta, mean, variance; /* inputs; -1: none */
	/* ROWS */
	ovl_loops loops; /* over rows: value 0 output, 1 data */
	int64_t n, rows;
	int64_t affine_step; /* gamma and beta: 1 along the row, 0 one value; or per channel: */
	int64_t inner; /* 0, or elements of a row per channel */
	int64_t row_groups; /* row r is of group r % row_groups, with n / inner channels each */
	/* CHANNELS, SCALE; channels from `unit` channels on are done together */
	int64_t images, pixels, channels, per, unit;
	int64_t from_image, from_pixel, from_channel, to_image, to_pixel, to_channel;
} ovl_norm_plan;

const char *ovl_norm_accept(ovl_problem *p);
ovl_status ovl_norm_prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err);

#endif
