/* gemm_impl.h - the tiles of gemm.h. Included by gemm_avx2.c and gemm_avx512.c after their vector layer and after
 *
 *     GEMM_TILES(X)      X(mr, nv) for every tile that exists
 *     GEMM_MR            rows of the highest tile, with two vectors
 *     GEMM_NV            vectors of the widest tile
 *     gemm_width(mr)     how many vectors go well with mr rows
 *     gemm_turn(dst, ldd, src, lds, ni, nj, out)   dst[j][i] = src[i][j] for i < ni <= VL, j < nj <= VL; writes the lanes of `out`, with 0 from ni
 *   on
 *     GEMM_HALVES        defined where a vector has a half: GEMM_HALF_TILES(X) with X(mr, nv) for tiles whose last vector is one, and the words VH, vh_... for it */
#include "kernels/act_impl.h"
#include <string.h>

typedef struct tile_call {
	const float *a;
	const ovl_gemm_seg *seg;
	int64_t n_seg, k, lda;
	const float *b;
	int64_t b_row, b_vec;
	const float *bias;
	float *c;
	int64_t ldc;
	const float *add;
	int64_t ldadd;
	const float *next;
	ovl_gemm_act act;
	float alpha, beta;
	int64_t n; /* columns: the last vector may be partial */
} tile_call;

/* Five rows share one base register: 0, 1, 2, 4 times lda are addressing modes, 3 lda is kept. */
static inline __attribute__((always_inline)) const float *row_of(const float *a0, const float *a5, const float *a10, int64_t lda, int64_t lda3, int m)
{
	const float *p = m < 5 ? a0 : m < 10 ? a5 : a10;
	switch (m % 5) {
	case 0:
		return p;
	case 1:
		return p + lda;
	case 2:
		return p + 2 * lda;
	case 3:
		return p + lda3;
	default:
		return p + 4 * lda;
	}
}

static inline __attribute__((always_inline)) void tile(const tile_call *t, const int mr, const int nv)
{
	V acc[14][4];
	const int64_t lda = t->lda, lda3 = 3 * lda, b_row = t->b_row, b_vec = t->b_vec, k = t->k;
	const float *next = t->next;
	VT tail;
	UNROLL for (int v = 0; v < nv; v++) {
		V b = t->bias ? v_load(t->bias + v * VL) : v_zero();
		UNROLL for (int m = 0; m < mr; m++)
			acc[m][v] = b;
	}
	for (int64_t s = 0; s < t->n_seg; s++) {
		const float *b = t->b + t->seg[s].b;
		const float *a0 = t->a + t->seg[s].a, *a5 = a0 + 5 * lda, *a10 = a0 + 10 * lda;
		for (int64_t i = k; i > 0; i--) {
			V bv[4];
			UNROLL for (int v = 0; v < nv; v++)
				bv[v] = v_load(b + v * b_vec);
			b += b_row;
			_mm_prefetch((const char *)next, _MM_HINT_T1);
			next += 16;
			UNROLL for (int m = 0; m < mr; m++) {
				V a = v_set(*row_of(a0, a5, a10, lda, lda3, m));
				UNROLL for (int v = 0; v < nv; v++)
					acc[m][v] = v_fma(a, bv[v], acc[m][v]);
			}
			a0++;
			a5++;
			a10++;
		}
	}
	tail = v_tail(t->n - (nv - 1) * VL);
	if (t->add)
		UNROLL for (int m = 0; m < mr; m++)
			UNROLL for (int v = 0; v < nv; v++) {
				const float *p = t->add + m * t->ldadd + v * VL;
				acc[m][v] = v_add(acc[m][v], v == nv - 1 ? v_load_t(p, tail) : v_load(p));
			}
	UNROLL for (int m = 0; m < mr; m++)
		act_in_registers(acc[m], nv, t->act, v_set(t->alpha), v_set(t->beta));
	UNROLL for (int m = 0; m < mr; m++)
		UNROLL for (int v = 0; v < nv; v++) {
			float *p = t->c + m * t->ldc + v * VL;
			if (v == nv - 1)
				v_store_t(p, acc[m][v], tail);
			else
				v_store(p, acc[m][v]);
		}
}

#define TILE_FUNCTION(mr, nv) \
	static __attribute__((noinline)) void tile_##mr##x##nv(const tile_call *t) { tile(t, mr, nv); }
GEMM_TILES(TILE_FUNCTION)

typedef void (*tile_fn)(const tile_call *t);
#define TILE_ENTRY(mr, nv) [mr][nv] = tile_##mr##x##nv,
static const tile_fn tiles[GEMM_MR + 1][GEMM_NV + 1] = {GEMM_TILES(TILE_ENTRY)};

#ifdef GEMM_HALVES
/* One vector and a half, or a half alone: columns of which no more than that are left, so that no time goes into lanes of zeros. */
static inline __attribute__((always_inline)) void half_tile(const tile_call *t, const int mr, const int nv)
{
	V acc[14];
	VH half[14];
	const int64_t lda = t->lda, lda3 = 3 * lda, b_row = t->b_row, last = (nv - 1) * t->b_vec, k = t->k;
	VT tail = v_tail(t->n - (nv - 1) * VL);
	UNROLL for (int m = 0; m < mr; m++) {
		acc[m] = t->bias && nv > 1 ? v_load(t->bias) : v_zero();
		half[m] = t->bias ? vh_load(t->bias + (nv - 1) * VL) : vh_zero();
	}
	for (int64_t s = 0; s < t->n_seg; s++) {
		const float *b = t->b + t->seg[s].b;
		const float *a0 = t->a + t->seg[s].a, *a5 = a0 + 5 * lda, *a10 = a0 + 10 * lda;
		for (int64_t i = k; i > 0; i--) {
			V bv = nv > 1 ? v_load(b) : v_zero();
			VH bh = vh_load(b + last);
			b += b_row;
			UNROLL for (int m = 0; m < mr; m++) {
				V a = v_set(*row_of(a0, a5, a10, lda, lda3, m));
				if (nv > 1)
					acc[m] = v_fma(a, bv, acc[m]);
				half[m] = vh_fma(vh_low(a), bh, half[m]);
			}
			a0++;
			a5++;
			a10++;
		}
	}
	UNROLL for (int m = 0; m < mr; m++) {
		V x[2] = {vh_whole(half[m]), acc[m]};
		float *c = t->c + m * t->ldc;
		if (t->add) {
			x[0] = v_add(x[0], v_load_t(t->add + m * t->ldadd + (nv - 1) * VL, tail));
			x[1] = nv > 1 ? v_add(x[1], v_load(t->add + m * t->ldadd)) : x[1];
		}
		act_in_registers(x, nv, t->act, v_set(t->alpha), v_set(t->beta));
		if (nv > 1)
			v_store(c, x[1]);
		v_store_t(c + (nv - 1) * VL, x[0], tail);
	}
}

#define HALF_FUNCTION(mr, nv) \
	static __attribute__((noinline)) void half_##mr##x##nv(const tile_call *t) { half_tile(t, mr, nv); }
GEMM_HALF_TILES(HALF_FUNCTION)
#define HALF_ENTRY(mr, nv) [mr][nv] = half_##mr##x##nv,
static const tile_fn half_tiles[GEMM_MR + 1][3] = {GEMM_HALF_TILES(HALF_ENTRY)};

/* The tile for these columns. */
static tile_fn tile_for(int mr, int nv, int64_t n) { return nv <= 2 && n - (nv - 1) * VL <= VL / 2 ? half_tiles[mr][nv] : tiles[mr][nv]; }
#else
static tile_fn tile_for(int mr, int nv, int64_t n)
{
	(void)n;
	return tiles[mr][nv];
}
#endif

#define ACT_LOOP(expression)                                              \
	for (int64_t r = 0; r < rows; r++) {                              \
		float *p = c + r * ldc;                                   \
		int64_t i = 0;                                            \
		for (; i + VL <= n; i += VL) {                            \
			V x = v_load(p + i);                              \
			v_store(p + i, expression);                       \
		}                                                         \
		if (i < n) {                                              \
			VT t = v_tail(n - i);                             \
			V x = v_load_t(p + i, t);                         \
			v_store_t(p + i, expression, t);                  \
		}                                                         \
	}                                                                 \
	break

static void gemm_act(ovl_gemm_act act, float alpha, float beta, float *c, int64_t ldc, int64_t rows, int64_t n)
{
	V a = v_set(alpha), b = v_set(beta);
	switch (act) {
	case OVL_GEMM_PLAIN:
		break;
	case OVL_GEMM_CLAMP:
		ACT_LOOP(v_min(b, v_max(a, x)));
	case OVL_GEMM_SWISH:
		ACT_LOOP(v_swish(x, a));
	case OVL_GEMM_HSWISH:
		ACT_LOOP(v_hswish(x, a, b));
	case OVL_GEMM_GELU_ERF:
		ACT_LOOP(v_gelu_erf(x));
	case OVL_GEMM_GELU_TANH:
		ACT_LOOP(v_gelu_tanh(x));
	case OVL_GEMM_SIGMOID:
		ACT_LOOP(v_sigmoid(x));
	case OVL_GEMM_TANH:
		ACT_LOOP(v_tanh(x));
	case OVL_GEMM_SCALE:
		ACT_LOOP(v_mul(x, a));
	}
}

static void one_tile(tile_call *t, const ovl_gemm *g, const ovl_gemm_rows *r, int64_t column, int nv)
{
	t->a = r->a;
	t->lda = r->lda;
	t->seg = r->seg;
	t->n_seg = r->n_seg;
	t->c = r->c + column;
	t->add = r->add ? r->add + column : NULL;
	tile_for(r->mr, nv, t->n)(t);
	if (t->act > OVL_GEMM_IN_REGISTERS)
		gemm_act(t->act, t->alpha, t->beta, t->c, t->ldc, r->mr, t->n);
	if (g->rest)
		V_NAME(ovl_posts_tile)(g->rest, t->c, t->ldc, r->mr, t->n, r->row, g->first_column + column, g->in);
}

static void gemm_block(const ovl_gemm *g, const ovl_gemm_rows *rows, int64_t n_rows, int64_t vec, int64_t n_vecs)
{
	tile_call t = {.k = g->k, .b_row = g->b_row, .b_vec = g->b_vec, .ldc = g->ldc, .ldadd = g->ldadd, .act = g->act, .alpha = g->alpha,
		.beta = g->beta};
	int64_t end = vec + n_vecs;
	int widest = 1;
	int highest = 1;
	for (int64_t i = 0; i < n_rows; i++)
		if (rows[i].mr > highest)
			highest = rows[i].mr;
	widest = gemm_width(highest);
	for (int64_t v = vec; v < end;) {
		int64_t left = end - v, step = g->k * 16;
		int nv = left >= widest ? widest : (int)left;
		const float *next;
		if (widest == 3 && left == 4)
			nv = 2;
		next = v + nv < end ? g->b + (v + nv) * g->b_vec : NULL;
		t.b = g->b + v * g->b_vec;
		t.bias = g->bias ? g->bias + v * VL : NULL;
		t.n = g->n - v * VL < nv * VL ? g->n - v * VL : nv * VL;
		for (int64_t i = 0; i < n_rows; i++) {
			/* a tile fetches a line at each step of k: the first ones bring the whole next panel */
			int64_t span = step * rows[i].n_seg;
			bool fetch = next && i * span < nv * g->b_vec;
			t.next = fetch ? next + i * span : t.b;
			one_tile(&t, g, &rows[i], v * VL, nv);
		}
		v += nv;
	}
}

static void gemm_run(const ovl_gemm *g, int64_t m, const float *a, int64_t lda, float *c, const float *add, int64_t row, int64_t vec, int64_t n_vecs)
{
	static const ovl_gemm_seg start = {0, 0};
	enum { BLOCK = 16 };
	ovl_gemm_rows rows[BLOCK];
	int64_t n_tiles = ovl_gemm_tiles(m, GEMM_MR);
	for (int64_t i = 0; i < n_tiles; i += BLOCK) {
		int64_t n = n_tiles - i < BLOCK ? n_tiles - i : BLOCK;
		for (int64_t j = 0; j < n; j++) {
			int64_t first = ovl_gemm_tile_at(m, n_tiles, i + j), end = ovl_gemm_tile_at(m, n_tiles, i + j + 1);
			rows[j] = (ovl_gemm_rows){.a = a + first * lda, .lda = lda, .seg = &start, .n_seg = 1, .c = c + first * g->ldc,
				.add = add ? add + first * g->ldadd : NULL, .row = row + first, .mr = (int)(end - first)};
		}
		gemm_block(g, rows, n, vec, n_vecs);
	}
}

/* One vector of columns, [K][VL]. */
static void pack_panel(float *dst, const float *b, int64_t k, int64_t n, int64_t sk, int64_t sn)
{
	VT tail = v_tail(n);
	if (sn == 1) {
		for (int64_t i = 0; i < k; i++)
			v_store(dst + i * VL, v_load_t(b + i * sk, tail));
	} else if (sk == 1 && n > 0) {
		for (int64_t i = 0; i < k; i += VL)
			gemm_turn(dst + i * VL, VL, b + i, sn, (int)n, k - i < VL ? (int)(k - i) : VL, v_tail(VL));
	} else {
		for (int64_t i = 0; i < k; i++)
			for (int64_t j = 0; j < VL; j++)
				dst[i * VL + j] = j < n ? b[i * sk + j * sn] : 0;
	}
}

static void gemm_pack(float *dst, const float *b, int64_t k, int64_t n, int64_t sk, int64_t sn, int64_t vec, int64_t n_vecs)
{
	for (int64_t v = vec; v < vec + n_vecs; v++)
		pack_panel(dst + v * k * VL, b + v * VL * sn, k, n - v * VL < VL ? n - v * VL : VL, sk, sn);
}

static void gemm_turn_all(float *dst, int64_t ldd, const float *src, int64_t lds, int64_t ni, int64_t nj)
{
	for (int64_t i = 0; i < ni; i += VL) {
		int rows = ni - i < VL ? (int)(ni - i) : VL;
		for (int64_t j = 0; j < nj; j += VL)
			gemm_turn(dst + j * ldd + i, ldd, src + i * lds + j, lds, rows, nj - j < VL ? (int)(nj - j) : VL, v_tail(rows));
	}
}

static inline __attribute__((always_inline)) void dots_of(const float *x, int64_t ldx, const float *y, int64_t ldy, int64_t k, float *c, int64_t ci,
	int64_t cj,
	const int nx, const int ny)
{
	V sum[4][4];
	int64_t i = 0;
	UNROLL for (int a = 0; a < nx; a++)
		UNROLL for (int b = 0; b < ny; b++)
			sum[a][b] = v_zero();
	for (; i + VL <= k; i += VL) {
		V yv[4];
		UNROLL for (int b = 0; b < ny; b++)
			yv[b] = v_load(y + b * ldy + i);
		UNROLL for (int a = 0; a < nx; a++) {
			V xv = v_load(x + a * ldx + i);
			UNROLL for (int b = 0; b < ny; b++)
				sum[a][b] = v_fma(xv, yv[b], sum[a][b]);
		}
	}
	if (i < k) {
		VT t = v_tail(k - i);
		UNROLL for (int a = 0; a < nx; a++) {
			V xv = v_load_t(x + a * ldx + i, t);
			UNROLL for (int b = 0; b < ny; b++)
				sum[a][b] = v_fma(xv, v_load_t(y + b * ldy + i, t), sum[a][b]);
		}
	}
	UNROLL for (int a = 0; a < nx; a++)
		UNROLL for (int b = 0; b < ny; b++)
			c[a * ci + b * cj] = v_sum(sum[a][b]);
}

/* The sums of a square take all registers of AVX2, so it is 2 wide there. */
static void gemm_dots(const float *x, int64_t ldx, int64_t nx, const float *y, int64_t ldy, int64_t ny, int64_t k, float *c, int64_t ci, int64_t cj)
{
	enum { SIDE = VL == 16 ? 4 : 2 };
	for (int64_t b = 0; b < ny; b += SIDE)
		for (int64_t a = 0; a < nx; a += SIDE) {
			const float *xa = x + a * ldx, *yb = y + b * ldy;
			float *to = c + a * ci + b * cj;
			if (nx - a >= SIDE && ny - b >= SIDE)
				dots_of(xa, ldx, yb, ldy, k, to, ci, cj, SIDE, SIDE);
			else
				for (int64_t i = 0; i < SIDE && a + i < nx; i++) {
					if (ny - b >= SIDE)
						dots_of(xa + i * ldx, ldx, yb, ldy, k, to + i * ci, ci, cj, 1, SIDE);
					else
						for (int64_t j = 0; b + j < ny; j++)
							dots_of(xa + i * ldx, ldx, yb + j * ldy, ldy, k, to + i * ci + j * cj, ci, cj, 1, 1);
				}
		}
}

/* Eight rows at a time, so that most of the work is reading them. */
static void gemm_sums(const float *x, int64_t ld, int64_t rows, int64_t n, float *sums)
{
	for (int64_t c = 0; c < n; c += VL)
		v_store_t(sums + c, v_zero(), v_tail(n - c));
	for (; rows > 0; rows -= 8, x += 8 * ld) {
		int64_t some = rows < 8 ? rows : 8;
		for (int64_t c = 0; c < n; c += VL) {
			VT t = v_tail(n - c);
			V sum = v_load_t(sums + c, t);
			if (some == 8)
				UNROLL for (int r = 0; r < 8; r++)
					sum = v_add(sum, v_load_t(x + r * ld + c, t));
			else
				for (int64_t r = 0; r < some; r++)
					sum = v_add(sum, v_load_t(x + r * ld + c, t));
			v_store_t(sums + c, sum, t);
		}
	}
}

const ovl_gemm_isa V_NAME(ovl_gemm) = {.vl = VL, .mr = GEMM_MR, .block = gemm_block, .run = gemm_run, .pack = gemm_pack, .act = gemm_act,
	.turn = gemm_turn_all,
	.dots = gemm_dots, .sums = gemm_sums, .posts = V_NAME(ovl_posts_tile)};
