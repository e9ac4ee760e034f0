/* vec_bf16.h - rows of bf16 in the words of vec_avx512.h. Rounding is to nearest even; subnormal numbers become 0. */
#ifndef OVL_KERNELS_VEC_BF16_H
#define OVL_KERNELS_VEC_BF16_H

#include "kernels/vec_avx512.h"

typedef uint16_t half;
typedef int32_t pair_of_halves __attribute__((may_alias, aligned(1)));

static inline V vh_widen(__m256i x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); }
static inline V vh_load(const half *p) { return vh_widen(_mm256_loadu_si256((const __m256i *)(const void *)p)); }
static inline V vh_load_t(const half *p, VT t) { return vh_widen(_mm256_maskz_loadu_epi16(t, p)); }
static inline void vh_store(half *p, V a) { _mm256_storeu_si256((__m256i *)(void *)p, (__m256i)_mm512_cvtneps_pbh(a)); }
static inline void vh_store_t(half *p, V a, VT t) { _mm256_mask_storeu_epi16(p, t, (__m256i)_mm512_cvtneps_pbh(a)); }
/* 32 values: a, then b. */
static inline __m512i vh_join(V a, V b) { return (__m512i)_mm512_cvtne2ps_pbh(b, a); }
static inline void vh_store2(half *p, V a, V b) { _mm512_storeu_si512(p, vh_join(a, b)); }

static inline float vh_one(half h) { return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128((int)((uint32_t)h << 16)))); }
static inline half vh_rounded(float f) { return (half)_mm_extract_epi16((__m128i)_mm_cvtneps_pbh(_mm_set_ss(f)), 0); }

/* n values from f32 to bf16 and back. */
static inline void vh_narrow_row(half *to, const float *from, int64_t n)
{
	int64_t i = 0;
	for (; i + 32 <= n; i += 32)
		vh_store2(to + i, v_load(from + i), v_load(from + i + VL));
	for (; i < n; i += VL) {
		VT t = v_tail(n - i);
		vh_store_t(to + i, v_load_t(from + i, t), t);
	}
}

static inline void vh_widen_row(float *to, const half *from, int64_t n)
{
	int64_t i = 0;
	for (; i + VL <= n; i += VL)
		v_store(to + i, vh_load(from + i));
	if (i < n)
		v_store_t(to + i, vh_load_t(from + i, v_tail(n - i)), v_tail(n - i));
}

/* 2 ** x to 2^-13.7 of its value: enough before a rounding to bf16. */
static inline V vh_exp2(V x)
{
	V f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); /* x - floor(x), 0 for infinity; scaling takes the floor by itself */
	V p = v_fma(v_set(7.80245233e-2f), f, v_set(2.26067159e-1f));
	p = v_fma(p, f, v_set(6.95833537e-1f));
	return v_scale(v_fma(p, f, v_set(9.99925219e-1f)), x);
}

static inline V vh_exp(V x) { return vh_exp2(v_mul(x, v_set(1.44269504f))); }

/* 1 / x to 2^-14. */
static inline V vh_reciprocal(V x) { return _mm512_rcp14_ps(x); }
/* 1 / (1 + exp(-a x)) */
static inline V vh_sigmoid(V a, V x) { return vh_reciprocal(v_add(v_set(1.0f), vh_exp2(v_mul(x, v_mul(a, v_set(-1.44269504f)))))); }

/* x * Phi(x): an odd polynomial for Phi - 1/2 up to 4, within 2e-5 there. */
static inline V vh_gelu_erf(V x)
{
	V c = v_min(v_set(4.0f), v_max(v_set(-4.0f), x)), z = v_mul(c, c), p;
	p = v_fma(v_set(-1.58066585e-9f), z, v_set(1.21704483e-7f));
	p = v_fma(p, z, v_set(-4.10072166e-6f));
	p = v_fma(p, z, v_set(8.06657978e-5f));
	p = v_fma(p, z, v_set(-1.04819506e-3f));
	p = v_fma(p, z, v_set(9.66484651e-3f));
	p = v_fma(p, z, v_set(-6.61753439e-2f));
	p = v_fma(p, z, v_set(3.98847497e-1f));
	return v_select(v_lt(x, v_set(-4.0f)), v_zero(), v_mul(x, v_fma(c, p, v_set(0.5f))));
}

#endif
