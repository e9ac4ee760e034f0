/* matmul.h - MatMul on strided matrices, for every instruction set that has a gemm. */
#ifndef OVL_KERNELS_MATMUL_H
#define OVL_KERNELS_MATMUL_H

#include "kernels/gemm.h"

const char *ovl_matmul_accept(ovl_problem *p);
ovl_status ovl_matmul_prepare(const ovl_gemm_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err);
ovl_status ovl_matmul_run(const ovl_call *call);
void ovl_matmul_release(void *state);

#endif
