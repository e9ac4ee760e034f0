/* element_bf16.h - *_impl.h once more, with halves for elements: ELEMENT is what data consist of, and the vector layer's loads and stores go by the type of the pointer.
 * Include it after vec_bf16.h and before the algorithm. */
#ifndef OVL_KERNELS_ELEMENT_BF16_H
#define OVL_KERNELS_ELEMENT_BF16_H

#include "kernels/vec_bf16.h"

#undef V_ISA
#undef V_TEXT
#define V_ISA OVL_ISA_AVX512_BF16
#define V_TEXT(name) name "_avx512_bf16"

#define ELEMENT half
#define ELEMENT_TYPE OVL_BF16

#define v_load(p) _Generic((p), half *: vh_load, const half *: vh_load, default: v_load)(p)
#define v_load_t(p, t) _Generic((p), half *: vh_load_t, const half *: vh_load_t, default: v_load_t)(p, t)
#define v_store(p, a) _Generic((p), half *: vh_store, default: v_store)(p, a)
#define v_store_t(p, a, t) _Generic((p), half *: vh_store_t, default: v_store_t)(p, a, t)

static inline float element_get(const half *p) { return vh_one(*p); }
static inline void element_put(half *p, float x) { *p = vh_rounded(x); }

#endif
