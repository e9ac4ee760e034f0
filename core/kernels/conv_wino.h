/* conv_wino.h - 3 x 3 convolutions of stride 1 by Winograd's minimal filtering: what the instruction sets share, and the transformations they
 * provide. */
#ifndef OVL_KERNELS_CONV_WINO_H
#define OVL_KERNELS_CONV_WINO_H

#include "kernels/gemm.h"

/* One tile of the input, (out + 2)^2 pixels, turned into as many values per channel. */
typedef struct ovl_wino_in {
	const float *pixel;     /* of the tile's corner; may be outside the picture */
	int64_t row, x;         /* strides */
	int64_t y0, y1, x0, x1; /* rows and columns of the tile inside the picture: [y0, y1), [x0, x1) */
	int64_t channels;       /* at least a vector */
	float *to;
	int64_t plane; /* elements from one value of the tile to the next */
} ovl_wino_in;

/* The sums of a tile turned into up to out x out pixels. */
typedef struct ovl_wino_out {
	const float *from;
	int64_t plane;
	float *c;
	int64_t row, ldc; /* strides of the output */
	const float *add; /* with strides row_add, ldadd; or NULL */
	int64_t row_add, ldadd;
	int64_t height, width; /* pixels that exist */
	int64_t channels;
	const float *bias; /* whole vectors, or NULL */
	bool clamp;
	float low, high;
} ovl_wino_out;

typedef struct ovl_wino_isa {
	const ovl_gemm_isa *gemm;
	void (*in[2])(const ovl_wino_in *t); /* of F(2 x 2) and F(4 x 4) */
	void (*out[2])(const ovl_wino_out *t);
} ovl_wino_isa;

extern const char *const ovl_wino_ways[]; /* "2x2", "4x4" */
const char *ovl_wino_accept(const ovl_wino_isa *isa, ovl_problem *p);
ovl_status ovl_wino_prepare(const ovl_wino_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err);
ovl_status ovl_wino_run(const ovl_call *call);
void ovl_wino_release(void *state);

#endif
