#include "kernels/act_bf16.h"
#include "kernels/gemm_bf16.h"

#define UNROLL _Pragma("GCC unroll 16")
#define DOT(sum, a, b) _mm512_dpbf16_ps(sum, (__m512bh)(a), (__m512bh)(b))

enum { WIDEST = 4, BUFFER = OVL_GEMM_BF16_MR * 2 * VL };

typedef struct tile_call {
	const half *a;
	const ovl_gemm_seg *seg;
	int64_t n_seg, k, lda;
	const half *b;
	int64_t b_vec;
	const float *bias;
	void *c;
	int64_t ldc;
	const void *add;
	int64_t ldadd;
	const half *next;
	bool c_half, add_half, clamp;
	float low, high;
	int64_t n; /* columns: the last vector may be partial */
} tile_call;

/* Five rows share one base register: 0, 1, 2, 4 times lda are addressing modes, 3 lda is kept. */
static inline __attribute__((always_inline)) const char *row_of(const char *a0, const char *a5, const char *a10, int64_t lda, int64_t lda3, int m)
{
	const char *p = m < 5 ? a0 : m < 10 ? a5 : a10;
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

static inline __attribute__((always_inline)) V added(const tile_call *t, int64_t at, bool last, VT tail)
{
	if (t->add_half)
		return vh_load_t((const half *)t->add + at, last ? tail : v_tail(VL));
	return v_load_t((const float *)t->add + at, last ? tail : v_tail(VL));
}

static inline __attribute__((always_inline)) void store_row(const tile_call *t, int64_t at, V *x, const int nv, VT tail)
{
	if (!t->c_half) {
		float *p = (float *)t->c + at;
		UNROLL for (int v = 0; v < nv - 1; v++)
			v_store(p + v * VL, x[v]);
		v_store_t(p + (nv - 1) * VL, x[nv - 1], tail);
		return;
	}
	half *p = (half *)t->c + at;
	UNROLL for (int v = 0; v + 2 <= nv; v += 2) {
		__m512i both = vh_join(x[v], x[v + 1]);
		if (v + 2 < nv)
			_mm512_storeu_si512(p + v * VL, both);
		else
			_mm512_mask_storeu_epi16(p + v * VL, (__mmask32)tail << VL | 0xffffu, both);
	}
	if (nv % 2)
		vh_store_t(p + (nv - 1) * VL, x[nv - 1], tail);
}

static inline __attribute__((always_inline)) void tile(const tile_call *t, const int mr, const int nv)
{
	V acc[14][4];
	const int64_t lda = t->lda * 2, lda3 = 3 * lda, b_vec = t->b_vec * 2;
	const char *next = (const char *)t->next;
	VT tail;
	UNROLL for (int v = 0; v < nv; v++) {
		V b = t->bias ? v_load(t->bias + v * VL) : v_zero();
		UNROLL for (int m = 0; m < mr; m++)
			acc[m][v] = b;
	}
	for (int64_t s = 0; s < t->n_seg; s++) {
		const char *b = (const char *)(t->b + t->seg[s].b);
		const char *a0 = (const char *)(t->a + t->seg[s].a), *a5 = a0 + 5 * lda, *a10 = a0 + 10 * lda;
		for (int64_t i = t->k / 2; i > 0; i--) {
			__m512i bv[4];
			UNROLL for (int v = 0; v < nv; v++)
				bv[v] = _mm512_loadu_si512(b + v * b_vec);
			b += 64;
			_mm_prefetch(next, _MM_HINT_T1);
			next += 64;
			UNROLL for (int m = 0; m < mr; m++) {
				__m512i a = _mm512_set1_epi32(*(const pair_of_halves *)(const void *)row_of(a0, a5, a10, lda, lda3, m));
				UNROLL for (int v = 0; v < nv; v++)
					acc[m][v] = DOT(acc[m][v], a, bv[v]);
			}
			a0 += 4;
			a5 += 4;
			a10 += 4;
		}
		if (t->k & 1) {
			__m512i bv[4];
			UNROLL for (int v = 0; v < nv; v++)
				bv[v] = _mm512_loadu_si512(b + v * b_vec);
			UNROLL for (int m = 0; m < mr; m++) {
				__m512i a = _mm512_set1_epi32(*(const half *)(const void *)row_of(a0, a5, a10, lda, lda3, m));
				UNROLL for (int v = 0; v < nv; v++)
					acc[m][v] = DOT(acc[m][v], a, bv[v]);
			}
		}
	}
	tail = v_tail(t->n - (nv - 1) * VL);
	if (t->add)
		UNROLL for (int m = 0; m < mr; m++)
			UNROLL for (int v = 0; v < nv; v++)
				acc[m][v] = v_add(acc[m][v], added(t, m * t->ldadd + v * VL, v == nv - 1, tail));
	if (t->clamp) {
		V low = v_set(t->low), high = v_set(t->high);
		UNROLL for (int m = 0; m < mr; m++)
			UNROLL for (int v = 0; v < nv; v++)
				acc[m][v] = v_min(high, v_max(low, acc[m][v]));
	}
	UNROLL for (int m = 0; m < mr; m++)
		store_row(t, m * t->ldc, acc[m], nv, tail);
}

#define TILES(X)                                                                                                                             \
	X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1) X(13, 1) X(14, 1)                 \
	X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2) X(9, 2) X(10, 2) X(11, 2) X(12, 2) X(13, 2) X(14, 2)                 \
	X(1, 3) X(2, 3) X(3, 3) X(4, 3) X(5, 3) X(6, 3) X(7, 3) X(8, 3) X(9, 3)                                                              \
	X(1, 4) X(2, 4) X(3, 4) X(4, 4) X(5, 4) X(6, 4)

static int width_for(int mr) { return mr <= 6 ? 4 : mr <= 9 ? 3 : 2; }

#define TILE_FUNCTION(mr, nv) \
	static __attribute__((noinline)) void tile_##mr##x##nv(const tile_call *t) { tile(t, mr, nv); }
TILES(TILE_FUNCTION)
typedef void (*tile_fn)(const tile_call *t);
#define TILE_ENTRY(mr, nv) [mr][nv] = tile_##mr##x##nv,
static const tile_fn tiles[OVL_GEMM_BF16_MR + 1][WIDEST + 1] = {TILES(TILE_ENTRY)};

/* ---- functions behind a tile: on its sums in a buffer in L1 ---- */

static void act_on(ovl_gemm_act act, float alpha, float *buffer, int64_t count)
{
	V a = v_set(alpha), none = v_zero();
	if (act == OVL_GEMM_SWISH)
		for (int64_t i = 0; i < count; i += VL)
			v_store(buffer + i, vh_act(OVL_GEMM_SWISH, a, none, v_load(buffer + i)));
	else if (act == OVL_GEMM_HSWISH)
		for (int64_t i = 0; i < count; i += VL)
			v_store(buffer + i, vh_hswish(v_load(buffer + i)));
	else if (act == OVL_GEMM_GELU_ERF)
		for (int64_t i = 0; i < count; i += VL)
			v_store(buffer + i, v_gelu_erf(v_load(buffer + i)));
	else if (act > OVL_GEMM_CLAMP)
		for (int64_t i = 0; i < count; i += VL)
			v_store(buffer + i, vh_act(act, a, none, v_load(buffer + i)));
}

static void write_buffer(const ovl_gemm_bf16 *g, const float *buffer, int64_t ld, char *c, int64_t rows, int64_t n)
{
	for (int64_t r = 0; r < rows; r++) {
		if (g->c_half)
			vh_narrow_row((half *)(void *)c + r * g->ldc, buffer + r * ld, n);
		else
			for (int64_t i = 0; i < n; i += VL)
				v_store_t((float *)(void *)c + r * g->ldc + i, v_load(buffer + r * ld + i), v_tail(n - i));
	}
}

static void one_tile(tile_call *t, const ovl_gemm_bf16 *g, const ovl_gemm_bf16_rows *r, int64_t column, int nv)
{
	float buffer[BUFFER] __attribute__((aligned(64)));
	char *c = (char *)r->c + column * (g->c_half ? 2 : 4);
	bool buffered = g->act > OVL_GEMM_CLAMP || g->rest;
	t->a = r->a;
	t->lda = r->lda;
	t->seg = r->seg;
	t->n_seg = r->n_seg;
	t->add = r->add ? (const char *)r->add + column * (g->add_half ? 2 : 4) : NULL;
	t->c = buffered ? (void *)buffer : (void *)c;
	t->ldc = buffered ? nv * VL : g->ldc;
	t->c_half = g->c_half && !buffered;
	if (buffered) {
		int64_t n = t->n;
		t->n = nv * VL; /* whole vectors, so that none of the buffer is left undefined */
		if (t->add)
			t->n = n;
		if (t->n < nv * VL)
			for (int m = 0; m < r->mr; m++)
				v_store(buffer + m * nv * VL + (nv - 1) * VL, v_zero());
		tiles[r->mr][nv](t);
		t->n = n;
		act_on(g->act, g->alpha, buffer, r->mr * nv * VL);
		if (g->rest)
			ovl_posts_tile_avx512(g->rest, buffer, nv * VL, r->mr, t->n, r->row, g->first_column + column, g->in);
		write_buffer(g, buffer, nv * VL, c, r->mr, t->n);
	} else {
		tiles[r->mr][nv](t);
	}
}

void ovl_gemm_bf16_set_tail(ovl_gemm_bf16 *g, const ovl_gemm_tail *tail, void *const *in)
{
	g->act = tail->act;
	g->alpha = tail->alpha;
	g->beta = tail->beta;
	g->rest = tail->rest.n ? &tail->rest : NULL;
	g->in = in;
}

void ovl_gemm_bf16_block(const ovl_gemm_bf16 *g, const ovl_gemm_bf16_rows *rows, int64_t n_rows, int64_t vec, int64_t n_vecs)
{
	tile_call t = {.k = g->k, .b_vec = g->b_vec, .ldadd = g->ldadd, .add_half = g->add_half, .clamp = g->act == OVL_GEMM_CLAMP, .low = g->alpha, .high = g->beta};
	int64_t end = vec + n_vecs;
	int widest, highest = 1;
	for (int64_t i = 0; i < n_rows; i++)
		if (rows[i].mr > highest)
			highest = rows[i].mr;
	widest = width_for(highest);
	for (int64_t v = vec; v < end;) {
		int64_t left = end - v;
		int nv = left >= widest ? widest : (int)left;
		const half *next;
		if (widest == 3 && left == 4)
			nv = 2;
		next = v + nv < end ? g->b + (v + nv) * g->b_vec : NULL;
		t.b = g->b + v * g->b_vec;
		t.bias = g->bias ? g->bias + v * VL : NULL;
		t.n = g->n - v * VL < nv * VL ? g->n - v * VL : nv * VL;
		for (int64_t i = 0; i < n_rows; i++) {
			/* a tile fetches a line at each step: the first ones bring the whole next panel */
			int64_t span = g->k / 2 * 32 * rows[i].n_seg;
			bool fetch = next && i * span < nv * g->b_vec;
			t.next = fetch ? next + i * span : t.b;
			one_tile(&t, g, &rows[i], v * VL, nv);
		}
		v += nv;
	}
}

void ovl_gemm_bf16_run(const ovl_gemm_bf16 *g, int64_t m, const uint16_t *a, int64_t lda, void *c, const void *add, int64_t row, int64_t vec, int64_t n_vecs)
{
	static const ovl_gemm_seg start = {0, 0};
	enum { BLOCK = 16 };
	ovl_gemm_bf16_rows rows[BLOCK];
	int64_t n_tiles = ovl_gemm_tiles(m, OVL_GEMM_BF16_MR), c_size = g->c_half ? 2 : 4, add_size = g->add_half ? 2 : 4;
	for (int64_t i = 0; i < n_tiles; i += BLOCK) {
		int64_t n = n_tiles - i < BLOCK ? n_tiles - i : BLOCK;
		for (int64_t j = 0; j < n; j++) {
			int64_t first = ovl_gemm_tile_at(m, n_tiles, i + j), end = ovl_gemm_tile_at(m, n_tiles, i + j + 1);
			rows[j] = (ovl_gemm_bf16_rows){.a = a + first * lda, .lda = lda, .seg = &start, .n_seg = 1, .c = (char *)c + first * g->ldc * c_size,
				.add = add ? (const char *)add + first * g->ldadd * add_size : NULL, .row = row + first, .mr = (int)(end - first)};
		}
		ovl_gemm_bf16_block(g, rows, n, vec, n_vecs);
	}
}

void ovl_gemm_bf16_pack(uint16_t *dst, const float *b, int64_t k, int64_t n, int64_t sk, int64_t sn)
{
	enum { BLOCK = 64 };
	static const uint16_t mixed[32] = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
	const __m512i order = _mm512_loadu_si512(mixed);
	float rows[(BLOCK + 1) * VL];
	for (int64_t at = 0; at < k; at += BLOCK) {
		int64_t count = k - at < BLOCK ? k - at : BLOCK;
		ovl_gemm_avx512.pack(rows, b + at * sk, count, n, sk, sn, 0, 1);
		if (count & 1)
			v_store(rows + count * VL, v_zero());
		for (int64_t i = 0; i < count; i += 2)
			_mm512_storeu_si512(dst + (at + i) * VL, _mm512_permutexvar_epi16(order, vh_join(v_load(rows + i * VL), v_load(rows + (i + 1) * VL))));
	}
}
