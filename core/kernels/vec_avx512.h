/* vec_avx512.h - the vector layer that kernels written once for both instruction sets are made of: here 16 floats. vec_avx2.h offers the same names for 8.
 *
 *   V   a vector of VL floats         VI  VL 32-bit integers
 *   VM  the result of a comparison    VT  a tail: which of the first lanes take part
 *
 * v_max(a, b) and v_min(a, b) give b when either is NaN. Loads and stores with a tail never touch memory of other lanes (they read 0). */
#ifndef OVL_KERNELS_VEC_AVX512_H
#define OVL_KERNELS_VEC_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define VL 16
#define V_ISA OVL_ISA_AVX512
#define V_NAME(name) name##_avx512
#define V_TEXT(name) name "_avx512"
typedef __m512 V;
typedef __m512i VI;
typedef __mmask16 VM;
typedef __mmask16 VT;

static inline VT v_tail(int64_t n) { return n >= VL ? (VT)0xffff : n <= 0 ? (VT)0 : (VT)((1u << n) - 1); }
static inline V v_zero(void) { return _mm512_setzero_ps(); }
static inline V v_set(float x) { return _mm512_set1_ps(x); }
static inline V v_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void v_store(float *p, V a) { _mm512_storeu_ps(p, a); }
static inline V v_load_t(const float *p, VT t) { return _mm512_maskz_loadu_ps(t, p); }
static inline void v_store_t(float *p, V a, VT t) { _mm512_mask_storeu_ps(p, t, a); }
static inline V v_keep_t(V a, V other, VT t) { return _mm512_mask_mov_ps(other, t, a); } /* a in the tail's lanes, other elsewhere */

static inline V v_add(V a, V b) { return _mm512_add_ps(a, b); }
static inline V v_sub(V a, V b) { return _mm512_sub_ps(a, b); }
static inline V v_mul(V a, V b) { return _mm512_mul_ps(a, b); }
static inline V v_div(V a, V b) { return _mm512_div_ps(a, b); }
static inline V v_max(V a, V b) { return _mm512_max_ps(a, b); }
static inline V v_min(V a, V b) { return _mm512_min_ps(a, b); }
static inline V v_fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); } /* a * b + c */
static inline V v_fms(V a, V b, V c) { return _mm512_fmsub_ps(a, b, c); } /* a * b - c */
static inline V v_fnma(V a, V b, V c) { return _mm512_fnmadd_ps(a, b, c); } /* c - a * b */
static inline V v_sqrt(V a) { return _mm512_sqrt_ps(a); }
static inline V v_abs(V a) { return _mm512_abs_ps(a); }
static inline V v_xor(V a, V b) { return _mm512_xor_ps(a, b); }
static inline V v_and(V a, V b) { return _mm512_and_ps(a, b); }
static inline V v_or(V a, V b) { return _mm512_or_ps(a, b); }
static inline V v_round(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); } /* half to even */
static inline V v_floor(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
static inline V v_ceil(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
static inline V v_trunc(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }

static inline VM v_lt(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline VM v_le(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
static inline VM v_gt(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
static inline VM v_eq(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline unsigned v_lanes(VM m) { return m; } /* bit i: lane i */
static inline V v_select(VM m, V a, V b) { return _mm512_mask_blend_ps(m, b, a); } /* m ? a : b */

static inline VI v_seti(int32_t x) { return _mm512_set1_epi32(x); }
static inline VI v_loadi(const int32_t *p) { return _mm512_loadu_si512(p); }
static inline VI v_to_int(V a) { return _mm512_cvtps_epi32(a); } /* rounds to even */
static inline V v_of_int(VI a) { return _mm512_cvtepi32_ps(a); }
static inline VI v_bits(V a) { return _mm512_castps_si512(a); }
static inline V v_of_bits(VI a) { return _mm512_castsi512_ps(a); }
static inline VI v_addi(VI a, VI b) { return _mm512_add_epi32(a, b); }
static inline VI v_subi(VI a, VI b) { return _mm512_sub_epi32(a, b); }
static inline VI v_ori(VI a, VI b) { return _mm512_or_si512(a, b); }
static inline VI v_shl(VI a, int n) { return _mm512_sll_epi32(a, _mm_cvtsi32_si128(n)); }
static inline VI v_shr(VI a, int n) { return _mm512_srl_epi32(a, _mm_cvtsi32_si128(n)); } /* zeros come in */
static inline VI v_low_byte(VI a) { return _mm512_and_si512(a, _mm512_set1_epi32(255)); }
static inline void v_storei(int32_t *p, VI a) { _mm512_storeu_si512(p, a); }
static inline VI v_load_u8(const uint8_t *p) { return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)); } /* VL bytes */
static inline VI v_gather_bytes(const uint8_t *p, VI offset) { return _mm512_i32gather_epi32(offset, p, 1); } /* four bytes at p + offset each */
static inline V v_gather(const float *p, VI index) { return _mm512_i32gather_ps(index, p, 4); }

static inline float v_sum(V a) { return _mm512_reduce_add_ps(a); }
static inline float v_prod(V a) { return _mm512_reduce_mul_ps(a); }
static inline float v_top(V a) { return _mm512_reduce_max_ps(a); } /* largest lane */
static inline float v_low(V a) { return _mm512_reduce_min_ps(a); }

static inline V v_load_f16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p)); }
static inline void v_store_f16(uint16_t *p, V a) { _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)); }

/* a * 2^n for whole numbers n of any size; overflows to infinity, underflows through the subnormals to zero. */
static inline V v_scale(V a, V n) { return _mm512_scalef_ps(a, n); }
/* a = m * 2^e with m in [0.75, 1.5): subnormals included; garbage for 0, negative numbers, infinity and NaN. */
static inline V v_split(V a, V *e)
{
	V m = _mm512_getmant_ps(a, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
	*e = _mm512_getexp_ps(_mm512_div_ps(a, m));
	return m;
}

#include "kernels/vec_math.h"

#endif
