/* strassen.h - a product by one step of Strassen's algorithm (in Winograd's form): seven products of quarters where there would be eight.
 *
 *     S1 = A21 + A22   S2 = S1 - A11   S3 = A11 - A21   S4 = A12 - S2        T1 = B12 - B11   T2 = B22 - T1   T3 = B22 - B12   T4 = B21 - T2
 *     P1 = A11 B11     U2 = P1 + S2 T2     U3 = U2 + S3 T3     P5 = S1 T1
 *     C11 = P1 + A12 B21     C21 = U3 + A22 T4     C22 = U3 + P5     C12 = U2 + P5 + S4 B22
 *
 * B is packed as for gemm.h: its quarters are parts of its panels. Each thread makes the sums of A for the rows it comes to, since to fetch them from
 * another core costs more than to make them; sums of B are made for two panels at a time, in the shadow of the multiplications. All seven products
 * of a tile follow each other in registers, and each element of C is written once.
 *
 * An error is relative to the largest elements of A's and B's rows and columns that are mixed, not to their own. So nothing is mixed whose size
 * differs much, or that is not finite: columns of B are looked at when it is packed, rows of A in each run, where tiles with such rows are multiplied
 * plainly. */
#ifndef OVL_KERNELS_STRASSEN_H
#define OVL_KERNELS_STRASSEN_H

#include "kernels/gemm.h"

/* Rows or columns that are mixed may differ so much in size. */
#define OVL_STRASSEN_RATIO 64.0f

/* All four quarters of C for one tile of rows and two panels of columns; of columns the left half comes first. */
typedef struct ovl_strassen_tile {
	int64_t k;                                        /* of a quarter */
	const float *a11, *a12, *a22, *s1, *s2, *s3, *s4; /* first row of the tile */
	int64_t lda, lda22, lds;
	const float *b[2];                    /* panels of both halves, [2][2 k][VL] each */
	float *t;                             /* room for T1..T4, [k][2][VL] each */
	bool mix;                             /* T1..T4 are still to be made */
	float *spare;                         /* room for three tiles */
	const float *next[2];                 /* 2 k lines to fetch meanwhile */
	const float *bias[2];                 /* NULL: none */
	float *c[2][2], *last_c[2];           /* last: of the lower quarters; the row may not exist and go elsewhere */
	const float *add[2][2], *last_add[2]; /* NULL: none */
	int64_t ldc, ldadd;
	ovl_gemm_act act; /* what is done in registers of it */
	float alpha, beta;
	int64_t n; /* columns of the right half's panels: the last vector may be partial */
	int mr;
} ovl_strassen_tile;

/* Sums of A for some rows; `low` false: the row of A21 and A22 does not exist and counts as zeros. */
typedef struct ovl_strassen_row {
	const float *a11, *a21; /* A12 and A22 follow after k */
	bool low;
	int64_t k;
	float *s[4];
	float *copy[3]; /* of A11, A12, A22; NULL: not wanted */
} ovl_strassen_row;

typedef struct ovl_strassen_isa {
	const ovl_gemm_isa *gemm;
	int least; /* rows of the lowest tile */
	void (*tile)(const ovl_strassen_tile *t);
	bool (*row)(const ovl_strassen_row *r);                     /* false: the rows should not be mixed */
	bool (*columns)(const float *packed, int64_t k, int64_t n); /* the same of columns, [vec][k][VL] */
} ovl_strassen_isa;

extern const ovl_strassen_isa ovl_strassen_avx2, ovl_strassen_avx512;

typedef struct ovl_strassen {
	const ovl_strassen_isa *isa; /* NULL: not worth it */
	int64_t m, n, k, lda;
	int64_t rows, depth, pairs; /* of a quarter: rows, k, pairs of panels */
	int64_t rest;               /* panels that four do not divide: multiplied plainly, one chunk a band */
	int64_t bands, tiles;       /* rows are cut into bands, one product each; tiles of a quarter of a band */
	int64_t lds;
	bool copy;    /* A's own rows would fall upon each other in the cache */
	int64_t each; /* floats of scratch per worker */
} ovl_strassen;

/* Is this product with a packed B worth it? Then fills s; run() wants rooms of s->each floats. `way`: as in a problem of a kernel with these ways. */
bool ovl_strassen_plan(
	ovl_strassen *s, const ovl_gemm_isa *isa, int64_t m, int64_t n, int64_t k, int64_t lda, const float *packed, int threads, int way);
extern const char *const ovl_strassen_ways[]; /* "plain", "strassen" */
/* g: as for gemm's run. */
void ovl_strassen_run(const ovl_strassen *s, const ovl_gemm *g, const float *a, float *c, const float *add, const ovl_call *call);

#endif
