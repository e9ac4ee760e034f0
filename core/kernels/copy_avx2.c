#include "kernels/copy.h"
#include "kernels/vec_avx2.h"

enum { TILE = 8 };

typedef struct square square;
static void tile_32(const square *q);
#include "kernels/copy_impl.h"

static void tile_32(const square *q) /* 8 x 8 */
{
	V a[8], b[8];
	VT in = v_tail(q->nj), out = v_tail(q->ni);
	for (int i = 0; i < 8; i++)
		a[i] = i < q->ni ? v_load_t((const float *)(const void *)(q->src + i * q->s), in) : v_zero();
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
	for (int j = 0; j < q->nj; j++)
		v_store_t((float *)(void *)(q->dst + j * q->d), b[j], out);
}

static const ovl_kernel copy = {.name = "copy_avx2", .ops = "Copy", .isa = OVL_ISA_AVX2, .accept = ovl_copy_accept, .prepare = ovl_copy_prepare, .run = run};
const ovl_kernel *const ovl_kernels_copy_avx2[] = {&copy, NULL};
