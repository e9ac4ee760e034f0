/* gemm_bf16.h - products of bf16 with sums in f32 (vdpbf16ps): gemm.h with halves for elements. What is said there about segments, tiles and tails holds here.
 *
 * Two neighbours along k are multiplied at once. Panels of B are [N / 16][K / 2][16][2], an odd K is filled up with zeros; of A the last value of an odd segment is read
 * alone, so that what lies behind a row is never looked at. */
#ifndef OVL_KERNELS_GEMM_BF16_H
#define OVL_KERNELS_GEMM_BF16_H

#include "kernels/gemm.h"

enum { OVL_GEMM_BF16_MR = 14 };

/* As ovl_gemm_rows; `a` are halves, `c` and `add` halves or floats. */
typedef struct ovl_gemm_bf16_rows {
	const uint16_t *a;
	int64_t lda;
	const ovl_gemm_seg *seg;
	int64_t n_seg;
	void *c;
	const void *add;
	int64_t row;
	int mr;
} ovl_gemm_bf16_rows;

typedef struct ovl_gemm_bf16 {
	int64_t k; /* of each segment */
	int64_t n;
	int64_t ldc, ldadd;
	bool c_half, add_half;
	const uint16_t *b;
	int64_t b_vec; /* elements from a vector of columns to the next */
	const float *bias;
	ovl_gemm_act act;
	float alpha, beta;
	const ovl_posts *rest;
	int64_t first_column;
	void *const *in;
} ovl_gemm_bf16;

static inline int64_t ovl_gemm_even(int64_t k) { return k + (k & 1); }

/* Tiles of m rows: where they are few, as many for each thread. */
static inline int64_t ovl_gemm_bf16_tiles(int64_t m, int64_t threads)
{
	int64_t n = ovl_gemm_tiles(m, OVL_GEMM_BF16_MR);
	return n > threads && n < 16 * threads && threads > 1 ? ovl_gemm_up(n, threads) : n;
}

void ovl_gemm_bf16_set_tail(ovl_gemm_bf16 *g, const ovl_gemm_tail *tail, void *const *in);
/* Vectors [vec, vec + n_vecs) of the columns, for some row tiles. */
void ovl_gemm_bf16_block(const ovl_gemm_bf16 *g, const ovl_gemm_bf16_rows *rows, int64_t n_rows, int64_t vec, int64_t n_vecs);
/* The product of m rows that follow each other with one segment. */
void ovl_gemm_bf16_run(const ovl_gemm_bf16 *g, int64_t m, const uint16_t *a, int64_t lda, void *c, const void *add, int64_t row, int64_t vec, int64_t n_vecs);
/* One vector of columns of B[k][n] at b + k * sk + n * sn, n <= 16, into a panel of even(k) * 16 halves. */
void ovl_gemm_bf16_pack(uint16_t *dst, const float *b, int64_t k, int64_t n, int64_t sk, int64_t sn);

#endif
