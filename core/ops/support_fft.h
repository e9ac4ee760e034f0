/* support_fft.h - discrete Fourier transforms of any length: powers of two directly, others by a convolution of the next power of two. */
#ifndef OVL_OPS_SUPPORT_FFT_H
#define OVL_OPS_SUPPORT_FFT_H

#include "ops/support_work.h"

typedef struct ovl_fft {
	int64_t n;                      /* length of the transform */
	int64_t m;                      /* length of the power of two that does the work */
	double *turn;                   /* m / 2 roots of one, pairs (re, im) */
	double *chirp, *kernel, *space; /* for lengths that are no power of two, else NULL */
} ovl_fft;

ovl_status ovl_fft_open(ovl_work *w, int64_t n, ovl_fft *out); /* memory belongs to w */
/* In place, n pairs; not scaled. inverse: with exp(+i...). */
void ovl_fft_run(const ovl_fft *f, double *x, bool inverse);

#endif
