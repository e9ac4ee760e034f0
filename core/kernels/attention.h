/* attention.h - softmax(Q K^T * scale + mask) V without the scores ever being a tensor, for every instruction set that has a gemm. */
#ifndef OVL_KERNELS_ATTENTION_H
#define OVL_KERNELS_ATTENTION_H

#include "kernels/gemm.h"

typedef struct ovl_attention_isa {
	const ovl_gemm_isa *gemm;
	/* One row of n scores becomes exp(score * scale + mask - max), where *max is raised to the new maximum, *sum (of what came before) is
	 * rescaled and increased; returns the factor exp(old maximum - new maximum). mask: n floats, or NULL. */
	float (*soften)(float *scores, int64_t n, float scale, const float *mask, float *max, float *sum);
	/* to[0..n) = from[0..n) * factor; may be the same memory */
	void (*scale)(float *to, const float *from, int64_t n, float factor);
} ovl_attention_isa;

const char *ovl_attention_accept(ovl_problem *p);
ovl_status ovl_attention_prepare(const ovl_attention_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err);
ovl_status ovl_attention_run(const ovl_call *call);

#endif
