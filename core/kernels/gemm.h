/* gemm.h - f32 matrix products on packed weights: what convolutions, MatMul, attention and recurrent layers are made of.
 *
 *     C[m][n] = act(bias[n] + sum over segments s, k < K of A[m][s][k] * B[s][k][n] + add[m][n])
 *
 * Rows of A are at a distance of lda, whatever that is (a pixel, `stride` pixels, one float of a picture's line); a segment is an offset into A and
 * into B, so that a k x k convolution is a sum over segments (ky, kx) of shifted rows and nothing is unfolded. B lies in panels of one vector: [N /
 * VL][K][VL], padded with zeros.
 *
 * Registers hold a tile of MR rows times NV vectors. AVX-512 has 32 registers: 14 x 2, 9 x 3, 6 x 4; AVX2 has 16: 6 x 2, 4 x 3 (and one row times 4
 * for products of a vector). A product is cut into tiles of nearly equal height; panels are the outer loop, so that one stays in L1/L2 while the
 * rows pass by, and the next one is fetched into L2 meanwhile. */
#ifndef OVL_KERNELS_GEMM_H
#define OVL_KERNELS_GEMM_H

#include "kernels/posts.h"

/* Offsets in elements. */
typedef struct ovl_gemm_seg {
	int64_t a, b;
} ovl_gemm_seg;

/* What is done to sums before they are stored. Those up to IN_REGISTERS there, the others on the stored tile while it is in L1. */
typedef enum ovl_gemm_act {
	OVL_GEMM_PLAIN,
	OVL_GEMM_CLAMP,  /* min(max(x, alpha), beta); RELU has beta infinite */
	OVL_GEMM_HSWISH, /* hswish(x) * alpha + beta */
	OVL_GEMM_IN_REGISTERS = OVL_GEMM_HSWISH,
	OVL_GEMM_SWISH,
	OVL_GEMM_GELU_ERF,
	OVL_GEMM_GELU_TANH,
	OVL_GEMM_SIGMOID,
	OVL_GEMM_TANH,
	OVL_GEMM_SCALE, /* x * alpha */
} ovl_gemm_act;

/* The chain of posts of a problem as a tail: bias first, then a tensor of the same dims, then a function, then whatever is left. */
typedef struct ovl_gemm_tail {
	ovl_gemm_act act;
	float alpha, beta;
	int bias_input; /* which input of the node, -1: none */
	int add_input;
	ovl_posts rest;
} ovl_gemm_tail;

/* A tile of rows: row r of segment s is at a + seg[s].a + r * lda. */
typedef struct ovl_gemm_rows {
	const float *a;
	int64_t lda;
	const ovl_gemm_seg *seg;
	int64_t n_seg;
	float *c;
	const float *add; /* the row of the operand that is added; NULL: none */
	int64_t row;      /* number of the first row among the output's rows: for posts */
	int mr;
} ovl_gemm_rows;

/* What all tiles of a product share. */
typedef struct ovl_gemm {
	int64_t k; /* of each segment */
	int64_t n; /* columns */
	int64_t ldc, ldadd;
	const float *b;
	int64_t b_row, b_vec; /* elements from k to k + 1, and from a vector of columns to the next. Packed: VL and K * VL */
	const float *bias;    /* whole vectors; NULL: zero */
	ovl_gemm_act act;
	float alpha, beta;
	const ovl_posts *rest; /* NULL: none */
	int64_t first_column;  /* of C within the output: for posts */
	void *const *in;       /* of the call: for posts */
} ovl_gemm;

/* ---- tails (gemm.c) ---- */

/* Looks at the posts of a problem whose output has this form; axis as in posts.h. NULL: fine, wishes written to in_form and in_packed; else why
 * not. */
const char *ovl_gemm_tail_accept(ovl_problem *p, int axis, ovl_form form);
/* Descs are final. *bias: ovl_alloc'ed whole vectors of 16, or NULL when there is no bias. */
ovl_status ovl_gemm_tail_prepare(ovl_gemm_tail *tail, float **bias, const ovl_problem *p, int axis, ovl_error *err);
int ovl_gemm_tail_add(const ovl_problem *p, int axis); /* the input that a tile adds as a whole; -1: none */
/* Fills act, alpha, beta, rest. */
void ovl_gemm_set_tail(ovl_gemm *g, const ovl_gemm_tail *tail, void *const *in);

/* Cuts m rows into tiles of at most `max` rows, all within one of each other: how many, and the first row of tile i. */
static inline int64_t ovl_gemm_tiles(int64_t m, int64_t max) { return (m + max - 1) / max; }
static inline int64_t ovl_gemm_tile_at(int64_t m, int64_t tiles, int64_t i) { return m / tiles * i + (i < m % tiles ? i : m % tiles); }

static inline int64_t ovl_gemm_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

/* ---- per instruction set: gemm_avx2.c, gemm_avx512.c ---- */

typedef struct ovl_gemm_isa {
	int vl; /* floats in a vector */
	int mr; /* rows of the highest tile */
	/* Vectors [vec, vec + n_vecs) of the columns, for some row tiles. */
	void (*block)(const ovl_gemm *g, const ovl_gemm_rows *rows, int64_t n_rows, int64_t vec, int64_t n_vecs);
	/* The product of m rows that follow each other with one segment, columns in vectors [vec, vec + n_vecs), on this thread. */
	void (*run)(const ovl_gemm *g, int64_t m, const float *a, int64_t lda, float *c, const float *add, int64_t row, int64_t vec, int64_t n_vecs);
	/* B[k][n] at b + k * sk + n * sn into panels, vectors [vec, vec + n_vecs); dst is where vector 0 starts. */
	void (*pack)(float *dst, const float *b, int64_t k, int64_t n, int64_t sk, int64_t sn, int64_t vec, int64_t n_vecs);
	void (*act)(ovl_gemm_act act, float alpha, float beta, float *c, int64_t ldc, int64_t rows, int64_t n);
	/* dst[j * ldd + i] = src[i * lds + j] for i < ni, j < nj */
	void (*turn)(float *dst, int64_t ldd, const float *src, int64_t lds, int64_t ni, int64_t nj);
	/* c[i * ci + j * cj] = sum over k of x[i * ldx + k] * y[j * ldy + k]: few rows x, where turning y around would cost more than the product */
	void (*dots)(const float *x, int64_t ldx, int64_t nx, const float *y, int64_t ldy, int64_t ny, int64_t k, float *c, int64_t ci, int64_t cj);
	/* sums[i] = sum over rows of x[row * ld + i] for i < n */
	void (*sums)(const float *x, int64_t ld, int64_t rows, int64_t n, float *sums);
	void (*posts)(const ovl_posts *plan, float *x, int64_t ld, int64_t rows, int64_t n, int64_t row, int64_t first, void *const *in);
} ovl_gemm_isa;

extern const ovl_gemm_isa ovl_gemm_avx2, ovl_gemm_avx512;

#endif
