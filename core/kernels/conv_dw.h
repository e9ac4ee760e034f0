/* conv_dw.h - depthwise convolutions (each channel has a filter of its own): what the instruction sets share, and the tile they provide.
 *
 * A tile is some output pixels of one row. Channels are vectors; for each the tile's sums stay in registers while the lines of taps go by, and a
 * pixel that was loaded serves all taps along x. The last vector of channels overlaps the one before instead of being partial. */
#ifndef OVL_KERNELS_CONV_DW_H
#define OVL_KERNELS_CONV_DW_H

#include "kernels/gemm.h"

enum { OVL_DW_LINES = 64, OVL_DW_WIDEST = 8 };

typedef struct ovl_dw_tile {
	const float *line[OVL_DW_LINES];    /* of each tap line inside the picture: where the tile's first tap along x would be */
	const float *weights[OVL_DW_LINES]; /* of its first tap */
	int64_t lines;
	int64_t x, tap, w;                /* elements from pixel to pixel, between taps (dilation * x) in the input, and in the weights */
	int64_t step;                     /* between output pixels in the input: stride * x */
	int64_t kernel, stride, dilation; /* along x */
	int64_t first, last;              /* pixels [first, last) of those the tile covers lie inside the picture */
	int64_t width;                    /* output pixels of the tile */
	int64_t channels;
	float *c;
	int64_t ldc;
	const float *bias, *add; /* or NULL */
	int64_t ldadd;
	ovl_gemm_act act; /* what is done in registers of it */
	float alpha, beta;
} ovl_dw_tile;

typedef void (*ovl_dw_fn)(const ovl_dw_tile *t);

typedef struct ovl_dw_isa {
	const ovl_gemm_isa *gemm;
	/* A tile function for this kernel, stride, dilation along x and this many channels; *width is at most `out` and the number of pixels it
	 * makes. */
	ovl_dw_fn (*pick)(int64_t kernel, int64_t stride, int64_t dilation, int64_t channels, int64_t out, int64_t *width);
} ovl_dw_isa;

const char *ovl_dw_accept(ovl_problem *p);
ovl_status ovl_dw_prepare(const ovl_dw_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err);
ovl_status ovl_dw_run(const ovl_call *call);
void ovl_dw_release(void *state);
extern const ovl_rows ovl_dw_rows;

#endif
