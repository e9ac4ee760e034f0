/* act_bf16.h - the functions behind products (gemm.h) on one vector, as exactly as a result that is rounded to bf16 needs them. */
#ifndef OVL_KERNELS_ACT_BF16_H
#define OVL_KERNELS_ACT_BF16_H

#include "kernels/gemm.h"
#include "kernels/vec_bf16.h"

static inline V vh_act(ovl_gemm_act act, V a, V b, V x)
{
	switch (act) {
	case OVL_GEMM_PLAIN:
		break;
	case OVL_GEMM_CLAMP:
		return v_min(b, v_max(a, x));
	case OVL_GEMM_SWISH:
		return v_mul(x, vh_sigmoid(a, x));
	case OVL_GEMM_HSWISH:
		return v_hswish(x, a, b);
	case OVL_GEMM_GELU_ERF:
		return vh_gelu_erf(x);
	case OVL_GEMM_GELU_TANH:
		return v_gelu_tanh(x);
	case OVL_GEMM_SIGMOID:
		return vh_sigmoid(v_set(1.0f), x);
	case OVL_GEMM_TANH:
		return v_tanh(x);
	case OVL_GEMM_SCALE:
		return v_mul(x, a);
	}
	return x;
}

#endif
