#include "kernels/copy.h"
#include <immintrin.h>

enum { TILE = 16 };

typedef struct square square;
static void tile_32(const square *q);
#include "kernels/copy_impl.h"

/* 16 x 16: four rounds that join row i with row i + 8 value by value turn the index over; lanes of 128 bits do not matter because each round moves whole bits of it. */
static void tile_32(const square *q)
{
	__m512i a[16], b[16];
	__mmask16 in = (__mmask16)((1u << q->nj) - 1), out = (__mmask16)((1u << q->ni) - 1);
	for (int i = 0; i < 16; i++)
		a[i] = i < q->ni ? _mm512_maskz_loadu_epi32(in, q->src + i * q->s) : _mm512_setzero_si512();
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) { /* pairs of rows, values joined within 128 bits */
		b[2 * i] = _mm512_unpacklo_epi32(a[2 * i], a[2 * i + 1]);
		b[2 * i + 1] = _mm512_unpackhi_epi32(a[2 * i], a[2 * i + 1]);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) { /* four rows: a[4i + k] holds columns k, k + 4, k + 8, k + 12 of rows 4i.. */
		a[4 * i] = _mm512_unpacklo_epi64(b[4 * i], b[4 * i + 2]);
		a[4 * i + 1] = _mm512_unpackhi_epi64(b[4 * i], b[4 * i + 2]);
		a[4 * i + 2] = _mm512_unpacklo_epi64(b[4 * i + 1], b[4 * i + 3]);
		a[4 * i + 3] = _mm512_unpackhi_epi64(b[4 * i + 1], b[4 * i + 3]);
	}
#pragma GCC unroll 4
	for (int k = 0; k < 4; k++) { /* 4 x 4 of 128 bits */
		__m512i r0 = _mm512_shuffle_i32x4(a[k], a[4 + k], 0x44), r1 = _mm512_shuffle_i32x4(a[k], a[4 + k], 0xee);
		__m512i r2 = _mm512_shuffle_i32x4(a[8 + k], a[12 + k], 0x44), r3 = _mm512_shuffle_i32x4(a[8 + k], a[12 + k], 0xee);
		b[k] = _mm512_shuffle_i32x4(r0, r2, 0x88);
		b[4 + k] = _mm512_shuffle_i32x4(r0, r2, 0xdd);
		b[8 + k] = _mm512_shuffle_i32x4(r1, r3, 0x88);
		b[12 + k] = _mm512_shuffle_i32x4(r1, r3, 0xdd);
	}
	for (int j = 0; j < q->nj; j++)
		_mm512_mask_storeu_epi32(q->dst + j * q->d, out, b[j]);
}

static const ovl_kernel copy = {.name = "copy_avx512", .ops = "Copy", .isa = OVL_ISA_AVX512, .accept = ovl_copy_accept, .prepare = ovl_copy_prepare, .run = run};
const ovl_kernel *const ovl_kernels_copy_avx512[] = {&copy, NULL};
