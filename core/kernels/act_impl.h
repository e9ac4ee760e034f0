/* act_impl.h - the functions behind a product that are done in registers (OVL_GEMM_IN_REGISTERS). Included after the vector layer. */
#ifndef OVL_KERNELS_ACT_IMPL_H
#define OVL_KERNELS_ACT_IMPL_H

#include "kernels/gemm.h"

#define UNROLL _Pragma("GCC unroll 32")

/* x: n vectors side by side, or of pixels. */
static inline __attribute__((always_inline)) void act_in_registers(V *x, const int n, ovl_gemm_act act, V alpha, V beta)
{
	if (act == OVL_GEMM_CLAMP)
		UNROLL for (int v = 0; v < n; v++) x[v] = v_min(beta, v_max(alpha, x[v]));
	else if (act == OVL_GEMM_HSWISH)
		UNROLL for (int v = 0; v < n; v++) x[v] = v_hswish(x[v], alpha, beta);
}

#endif
