/* attention.h - ScaledDotProductAttention: inputs query [batch..., L, E], key [batch..., S, E], value [batch..., S, V], then optional mask (boolean:
 * true keeps; else it is added; broadcasts to [batch..., L, S]) and scale (one number; default 1 / sqrt(E)). Batch dimensions broadcast. */
#ifndef OVL_OPS_ATTENTION_H
#define OVL_OPS_ATTENTION_H

#include "graph/attr.h"

typedef struct ovl_sdpa_params {
	bool causal; /* position l sees positions up to l; the mask is not looked at */
} ovl_sdpa_params;

#endif
