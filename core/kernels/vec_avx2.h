/* vec_avx2.h - the vector layer for 8 floats: the same names as vec_avx512.h, which explains them. */
#ifndef OVL_KERNELS_VEC_AVX2_H
#define OVL_KERNELS_VEC_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#define VL 8
#define V_ISA OVL_ISA_AVX2
#define V_NAME(name) name##_avx2
#define V_TEXT(name) name "_avx2"
typedef __m256 V;
typedef __m256i VI;
typedef __m256 VM;
typedef __m256i VT;

static inline VT v_tail(int64_t n)
{
	static const int32_t lanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
	int64_t k = n >= VL ? VL : n <= 0 ? 0 : n;
	return _mm256_loadu_si256((const __m256i *)(const void *)(lanes + 8 - k));
}
static inline V v_zero(void) { return _mm256_setzero_ps(); }
static inline V v_set(float x) { return _mm256_set1_ps(x); }
static inline V v_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void v_store(float *p, V a) { _mm256_storeu_ps(p, a); }
static inline V v_load_t(const float *p, VT t) { return _mm256_maskload_ps(p, t); }
static inline void v_store_t(float *p, V a, VT t) { _mm256_maskstore_ps(p, t, a); }
static inline V v_keep_t(V a, V other, VT t) { return _mm256_blendv_ps(other, a, _mm256_castsi256_ps(t)); }

static inline V v_add(V a, V b) { return _mm256_add_ps(a, b); }
static inline V v_sub(V a, V b) { return _mm256_sub_ps(a, b); }
static inline V v_mul(V a, V b) { return _mm256_mul_ps(a, b); }
static inline V v_div(V a, V b) { return _mm256_div_ps(a, b); }
static inline V v_max(V a, V b) { return _mm256_max_ps(a, b); }
static inline V v_min(V a, V b) { return _mm256_min_ps(a, b); }
static inline V v_fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
static inline V v_fms(V a, V b, V c) { return _mm256_fmsub_ps(a, b, c); }
static inline V v_fnma(V a, V b, V c) { return _mm256_fnmadd_ps(a, b, c); }
static inline V v_sqrt(V a) { return _mm256_sqrt_ps(a); }
static inline V v_xor(V a, V b) { return _mm256_xor_ps(a, b); }
static inline V v_and(V a, V b) { return _mm256_and_ps(a, b); }
static inline V v_or(V a, V b) { return _mm256_or_ps(a, b); }
static inline V v_abs(V a) { return _mm256_andnot_ps(v_set(-0.0f), a); }
static inline V v_round(V a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline V v_floor(V a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
static inline V v_ceil(V a) { return _mm256_round_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
static inline V v_trunc(V a) { return _mm256_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }

static inline VM v_lt(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
static inline VM v_le(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
static inline VM v_gt(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
static inline VM v_eq(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
static inline unsigned v_lanes(VM m) { return (unsigned)_mm256_movemask_ps(m); }
static inline V v_select(VM m, V a, V b) { return _mm256_blendv_ps(b, a, m); }

static inline VI v_seti(int32_t x) { return _mm256_set1_epi32(x); }
static inline VI v_loadi(const int32_t *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }
static inline VI v_to_int(V a) { return _mm256_cvtps_epi32(a); }
static inline V v_of_int(VI a) { return _mm256_cvtepi32_ps(a); }
static inline VI v_bits(V a) { return _mm256_castps_si256(a); }
static inline V v_of_bits(VI a) { return _mm256_castsi256_ps(a); }
static inline VI v_addi(VI a, VI b) { return _mm256_add_epi32(a, b); }
static inline VI v_subi(VI a, VI b) { return _mm256_sub_epi32(a, b); }
static inline VI v_ori(VI a, VI b) { return _mm256_or_si256(a, b); }
static inline VI v_shl(VI a, int n) { return _mm256_sll_epi32(a, _mm_cvtsi32_si128(n)); }
static inline VI v_shr(VI a, int n) { return _mm256_srl_epi32(a, _mm_cvtsi32_si128(n)); }
static inline VI v_low_byte(VI a) { return _mm256_and_si256(a, _mm256_set1_epi32(255)); }
static inline void v_storei(int32_t *p, VI a) { _mm256_storeu_si256((__m256i *)(void *)p, a); }
static inline VI v_load_u8(const uint8_t *p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)); }
static inline VI v_gather_bytes(const uint8_t *p, VI offset) { return _mm256_i32gather_epi32((const int *)(const void *)p, offset, 1); }
static inline V v_gather(const float *p, VI index) { return _mm256_i32gather_ps(p, index, 4); }

#define V_FOLD(name, op, op1)                                                                        \
	static inline float name(V a)                                                                \
	{                                                                                            \
		__m128 h = op(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));               \
		h = op(h, _mm_movehl_ps(h, h));                                                      \
		return _mm_cvtss_f32(op1(h, _mm_movehdup_ps(h)));                                    \
	}
V_FOLD(v_sum, _mm_add_ps, _mm_add_ss)
V_FOLD(v_prod, _mm_mul_ps, _mm_mul_ss)
V_FOLD(v_top, _mm_max_ps, _mm_max_ss)
V_FOLD(v_low, _mm_min_ps, _mm_min_ss)
#undef V_FOLD

static inline V v_load_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p)); }
static inline void v_store_f16(uint16_t *p, V a) { _mm_storeu_si128((__m128i *)(void *)p, _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)); }

/* |n| up to 252: two factors, so that results reach the subnormals and infinity. */
static inline V v_scale(V a, V n)
{
	__m256i e = _mm256_cvtps_epi32(_mm256_max_ps(v_set(-252.0f), _mm256_min_ps(v_set(252.0f), n)));
	__m256i half = _mm256_srai_epi32(e, 1), rest = _mm256_sub_epi32(e, half), bias = _mm256_set1_epi32(127);
	V f = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
	V g = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
	return v_mul(v_mul(a, f), g);
}
static inline V v_split(V a, V *e)
{
	VM tiny = v_lt(a, v_set(0x1p-126f));
	V b = v_select(tiny, v_mul(a, v_set(0x1p23f)), a);
	__m256i bits = _mm256_sub_epi32(_mm256_castps_si256(b), _mm256_set1_epi32(0x3f400000)); /* so that the exponent steps at 0.75 */
	__m256i power = _mm256_srai_epi32(bits, 23);
	*e = v_sub(_mm256_cvtepi32_ps(power), v_and(tiny, v_set(23.0f)));
	return _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_castps_si256(b), _mm256_slli_epi32(power, 23)));
}

#include "kernels/vec_math.h"

#endif
