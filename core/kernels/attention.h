/* attention.h - softmax(Q K^T * scale + mask) V without the scores ever being a tensor, for every instruction set that has a gemm. */
#ifndef OVL_KERNELS_ATTENTION_H
#define OVL_KERNELS_ATTENTION_H

#include "kernels/gemm.h"

typedef struct ovl_attention_isa {
	const ovl_gemm_isa *gemm;
	/* Rows of n scores become exp(score * scale - max), where max[] is raised to the new maximum, sum[] (of what came before) is rescaled and
	 * increased, and factor[] becomes exp(old maximum - new maximum). scale is positive. */
	void (*soften)(float *scores, int64_t ld, int64_t rows, int64_t n, float scale, float *max, float *sum, float *factor);
	/* One row with a mask that is added: n floats, or NULL. Any scale. Returns the factor. */
	float (*soften_masked)(float *scores, int64_t n, float scale, const float *mask, float *max, float *sum);
	/* to[0..n) = from[0..n) * factor; may be the same memory */
	void (*scale)(float *to, const float *from, int64_t n, float factor);
} ovl_attention_isa;

const char *ovl_attention_accept(ovl_problem *p);
ovl_status ovl_attention_prepare(const ovl_attention_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err);
ovl_status ovl_attention_run(const ovl_call *call);

#endif
