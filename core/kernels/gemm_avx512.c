#include "kernels/vec_avx512.h"

enum { GEMM_MR = 14, GEMM_NV = 4 };
#define GEMM_TILES(X)                                                                                                                             \
	X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1) X(13, 1) X(14, 1)                      \
	X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2) X(9, 2) X(10, 2) X(11, 2) X(12, 2) X(13, 2) X(14, 2)                      \
	X(1, 3) X(2, 3) X(3, 3) X(4, 3) X(5, 3) X(6, 3) X(7, 3) X(8, 3) X(9, 3)                                                                   \
	X(1, 4) X(2, 4) X(3, 4) X(4, 4) X(5, 4) X(6, 4)

#define GEMM_HALVES
#define GEMM_HALF_TILES(X)                                                                                                                        \
	X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1) X(13, 1) X(14, 1)                      \
	X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2) X(9, 2) X(10, 2) X(11, 2) X(12, 2) X(13, 2) X(14, 2)
typedef __m256 VH;
static inline VH vh_zero(void) { return _mm256_setzero_ps(); }
static inline VH vh_load(const float *p) { return _mm256_loadu_ps(p); }
static inline VH vh_fma(VH a, VH b, VH c) { return _mm256_fmadd_ps(a, b, c); }
static inline VH vh_low(V a) { return _mm512_castps512_ps256(a); }
static inline V vh_whole(VH a) { return _mm512_zextps256_ps512(a); }

static int gemm_width(int mr)
{
	return mr <= 6 ? 4 : mr <= 9 ? 3 : 2;
}

static inline void gemm_turn(float *dst, int64_t ldd, const float *src, int64_t lds, int ni, int nj, VT out)
{
	__m512i a[16], b[16];
	VT in = v_tail(nj);
	for (int i = 0; i < 16; i++)
		a[i] = i < ni ? v_bits(v_load_t(src + i * lds, in)) : _mm512_setzero_si512();
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) { /* values of two rows side by side, within 128 bits */
		b[2 * i] = _mm512_unpacklo_epi32(a[2 * i], a[2 * i + 1]);
		b[2 * i + 1] = _mm512_unpackhi_epi32(a[2 * i], a[2 * i + 1]);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) { /* four rows */
		a[4 * i] = _mm512_unpacklo_epi64(b[4 * i], b[4 * i + 2]);
		a[4 * i + 1] = _mm512_unpackhi_epi64(b[4 * i], b[4 * i + 2]);
		a[4 * i + 2] = _mm512_unpacklo_epi64(b[4 * i + 1], b[4 * i + 3]);
		a[4 * i + 3] = _mm512_unpackhi_epi64(b[4 * i + 1], b[4 * i + 3]);
	}
#pragma GCC unroll 4
	for (int k = 0; k < 4; k++) { /* a square of 4 x 4 such quarters */
		__m512i r0 = _mm512_shuffle_i32x4(a[k], a[4 + k], 0x44), r1 = _mm512_shuffle_i32x4(a[k], a[4 + k], 0xee);
		__m512i r2 = _mm512_shuffle_i32x4(a[8 + k], a[12 + k], 0x44), r3 = _mm512_shuffle_i32x4(a[8 + k], a[12 + k], 0xee);
		b[k] = _mm512_shuffle_i32x4(r0, r2, 0x88);
		b[4 + k] = _mm512_shuffle_i32x4(r0, r2, 0xdd);
		b[8 + k] = _mm512_shuffle_i32x4(r1, r3, 0x88);
		b[12 + k] = _mm512_shuffle_i32x4(r1, r3, 0xdd);
	}
	for (int j = 0; j < nj; j++)
		v_store_t(dst + j * ldd, v_of_bits(b[j]), out);
}

#include "kernels/gemm_impl.h"

enum { STRASSEN_LEAST = 9 };
#define STRASSEN_TILES(X) X(9) X(10) X(11) X(12) X(13) X(14)

#include "kernels/strassen_impl.h"
