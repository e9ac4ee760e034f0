#include "kernels/vec_avx2.h"

enum { GEMM_MR = 6, GEMM_NV = 4 };
#define GEMM_TILES(X) \
	X(1, 1)       \
	X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) X(1, 3) X(2, 3) X(3, 3) X(4, 3) X(1, 4) X(2, 4)

static int gemm_width(int mr) { return mr <= 2 ? 4 : mr <= 4 ? 3 : 2; }

static inline void gemm_turn(float *dst, int64_t ldd, const float *src, int64_t lds, int ni, int nj, VT out)
{
	V a[8], b[8];
	VT in = v_tail(nj);
	for (int i = 0; i < 8; i++)
		a[i] = i < ni ? v_load_t(src + i * lds, in) : v_zero();
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		b[2 * i] = _mm256_unpacklo_ps(a[2 * i], a[2 * i + 1]);
		b[2 * i + 1] = _mm256_unpackhi_ps(a[2 * i], a[2 * i + 1]);
	}
#pragma GCC unroll 2
	for (int i = 0; i < 2; i++) {
		a[4 * i] = _mm256_shuffle_ps(b[4 * i], b[4 * i + 2], 0x44);
		a[4 * i + 1] = _mm256_shuffle_ps(b[4 * i], b[4 * i + 2], 0xee);
		a[4 * i + 2] = _mm256_shuffle_ps(b[4 * i + 1], b[4 * i + 3], 0x44);
		a[4 * i + 3] = _mm256_shuffle_ps(b[4 * i + 1], b[4 * i + 3], 0xee);
	}
#pragma GCC unroll 4
	for (int k = 0; k < 4; k++) {
		b[k] = _mm256_permute2f128_ps(a[k], a[4 + k], 0x20);
		b[4 + k] = _mm256_permute2f128_ps(a[k], a[4 + k], 0x31);
	}
	for (int j = 0; j < nj; j++)
		v_store_t(dst + j * ldd, b[j], out);
}

#include "kernels/gemm_impl.h"

enum { STRASSEN_LEAST = 4 };
#define STRASSEN_TILES(X) X(4) X(5) X(6)

#include "kernels/strassen_impl.h"
