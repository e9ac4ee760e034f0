/* deconv.h - transposed convolutions as products of segments (gemm.h), for every instruction set that has a gemm. */
#ifndef OVL_KERNELS_DECONV_H
#define OVL_KERNELS_DECONV_H

#include "kernels/gemm.h"

const char *ovl_deconv_accept(ovl_problem *p);
ovl_status ovl_deconv_prepare(const ovl_gemm_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err);
ovl_status ovl_deconv_run(const ovl_call *call);
void ovl_deconv_release(void *state);

#endif
