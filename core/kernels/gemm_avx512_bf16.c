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
	bool c_half, add_half, clamp, hswish;
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

static inline __attribute__((always_inline)) V added(const tile_call *t, int64_t at, VT lanes)
{
	return t->add_half ? vh_load_t((const half *)t->add + at, lanes) : v_load_t((const float *)t->add + at, lanes);
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

/* mr rows times nv vectors, and with `y` times 8 columns more: a last vector of which one half is enough costs half. */
typedef struct sums {
	V x[14][4];
	__m256 y[14];
} sums;

/* Where rows of A are: five share a base register. */
typedef struct rows_at {
	const char *a0, *a5, *a10;
	int64_t lda, lda3;
} rows_at;

/* `one`: the last value of an odd row, alone. */
static inline __attribute__((always_inline)) void one_step(sums *s, const char *b, int64_t b_vec, const rows_at *r, const int mr, const int nv, const int y, const bool one)
{
	__m512i bv[4];
	__m256i by = _mm256_setzero_si256();
	UNROLL for (int v = 0; v < nv; v++)
		bv[v] = _mm512_loadu_si512(b + v * b_vec);
	if (y)
		by = _mm256_loadu_si256((const __m256i *)(const void *)(b + nv * b_vec));
	UNROLL for (int m = 0; m < mr; m++) {
		const void *p = row_of(r->a0, r->a5, r->a10, r->lda, r->lda3, m);
		__m512i a = _mm512_set1_epi32(one ? *(const half *)p : *(const pair_of_halves *)p);
		UNROLL for (int v = 0; v < nv; v++)
			s->x[m][v] = DOT(s->x[m][v], a, bv[v]);
		if (y)
			s->y[m] = _mm256_dpbf16_ps(s->y[m], (__m256bh)_mm512_castsi512_si256(a), (__m256bh)by);
	}
}

static inline __attribute__((always_inline)) void tile(const tile_call *t, const int mr, const int nv, const int y)
{
	sums s;
	const int64_t lda = t->lda * 2, b_vec = t->b_vec * 2;
	const int all = nv + y;
	const char *next = (const char *)t->next;
	VT tail;
	UNROLL for (int m = 0; m < mr; m++) {
		UNROLL for (int v = 0; v < nv; v++)
			s.x[m][v] = t->bias ? v_load(t->bias + v * VL) : v_zero();
		if (y)
			s.y[m] = t->bias ? _mm256_loadu_ps(t->bias + nv * VL) : _mm256_setzero_ps();
	}
	for (int64_t g = 0; g < t->n_seg; g++) {
		const char *b = (const char *)(t->b + t->seg[g].b), *a = (const char *)(t->a + t->seg[g].a);
		rows_at r = {a, a + 5 * lda, a + 10 * lda, lda, 3 * lda};
		for (int64_t i = t->k / 2; i > 0; i--) {
			_mm_prefetch(next, _MM_HINT_T1);
			next += 64;
			one_step(&s, b, b_vec, &r, mr, nv, y, false);
			b += 64;
			r.a0 += 4;
			r.a5 += 4;
			r.a10 += 4;
		}
		if (t->k & 1)
			one_step(&s, b, b_vec, &r, mr, nv, y, true);
	}
	tail = v_tail(t->n - (all - 1) * VL);
	if (y)
		UNROLL for (int m = 0; m < mr; m++)
			s.x[m][nv] = _mm512_castps256_ps512(s.y[m]);
	if (t->add)
		UNROLL for (int m = 0; m < mr; m++)
			UNROLL for (int v = 0; v < all; v++)
				s.x[m][v] = v_add(s.x[m][v], added(t, m * t->ldadd + v * VL, v == all - 1 ? tail : v_tail(VL)));
	if (t->clamp) {
		V low = v_set(t->low), high = v_set(t->high);
		UNROLL for (int m = 0; m < mr; m++)
			UNROLL for (int v = 0; v < all; v++)
				s.x[m][v] = v_min(high, v_max(low, s.x[m][v]));
	}
	if (t->hswish)
		UNROLL for (int m = 0; m < mr; m++)
			UNROLL for (int v = 0; v < all; v++)
				s.x[m][v] = v_hswish(s.x[m][v], v_set(t->low), v_set(t->high));
	UNROLL for (int m = 0; m < mr; m++)
		store_row(t, m * t->ldc, s.x[m], all, tail);
}

#define TILES(X)                                                                                                                             \
	X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1) X(13, 1) X(14, 1)                 \
	X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2) X(9, 2) X(10, 2) X(11, 2) X(12, 2) X(13, 2) X(14, 2)                 \
	X(1, 3) X(2, 3) X(3, 3) X(4, 3) X(5, 3) X(6, 3) X(7, 3) X(8, 3) X(9, 3)                                                              \
	X(1, 4) X(2, 4) X(3, 4) X(4, 4) X(5, 4) X(6, 4)

static int width_for(int mr) { return mr <= 6 ? 4 : mr <= 9 ? 3 : 2; }

/* [1]: the last vector has 8 columns at most. */
#define TILE_FUNCTION(mr, nv)                                                                                \
	static __attribute__((noinline)) void tile_##mr##x##nv(const tile_call *t) { tile(t, mr, nv, 0); }   \
	static __attribute__((noinline)) void tile_##mr##x##nv##_half(const tile_call *t) { tile(t, mr, nv - 1, 1); }
TILES(TILE_FUNCTION)
typedef void (*tile_fn)(const tile_call *t);
#define TILE_ENTRY(mr, nv) [mr][nv] = {tile_##mr##x##nv, tile_##mr##x##nv##_half},
static const tile_fn tiles[OVL_GEMM_BF16_MR + 1][WIDEST + 1][2] = {TILES(TILE_ENTRY)};

/* ---- functions behind a tile: on its sums in a buffer in L1 ---- */

#define EACH_ROW(act)                                                                                                                \
	for (int64_t r = 0; r < rows; r++)                                                                                           \
		for (int64_t i = 0; i < ld; i += VL)                                                                                 \
			v_store(buffer + r * ld + i, vh_act(act, a, none, v_load(buffer + r * ld + i)));                             \
	break

static void act_on(ovl_gemm_act act, float alpha, float *buffer, int64_t ld, int64_t rows)
{
	V a = v_set(alpha), none = v_zero();
	switch (act) {
	case OVL_GEMM_PLAIN:
	case OVL_GEMM_CLAMP:
	case OVL_GEMM_HSWISH:
		break;
	case OVL_GEMM_SWISH:
		EACH_ROW(OVL_GEMM_SWISH);
	case OVL_GEMM_GELU_ERF:
		EACH_ROW(OVL_GEMM_GELU_ERF);
	default:
		EACH_ROW(act);
	}
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

/* The same in one pass where nothing else is to be done: rows of halves. */
#define EACH_PAIR(act)                                                                                                               \
	for (int64_t r = 0; r < rows; r++)                                                                                           \
		for (int64_t i = 0; i < ld; i += 2 * VL) {                                                                           \
			const float *p = buffer + r * ld + i;                                                                        \
			VT t = v_tail(n - i), u = v_tail(n - i - VL);                                                                \
			V x = vh_act(act, a, none, v_load(p)), y = vh_act(act, a, none, v_load_t(p + VL, u));                        \
			_mm512_mask_storeu_epi16(c + r * ldc + i, (__mmask32)u << VL | t, vh_join(x, y));                            \
		}                                                                                                                    \
	break

static void act_and_write(ovl_gemm_act act, float alpha, const float *buffer, int64_t ld, half *c, int64_t ldc, int64_t rows, int64_t n)
{
	V a = v_set(alpha), none = v_zero();
	switch (act) {
	case OVL_GEMM_SWISH:
		EACH_PAIR(OVL_GEMM_SWISH);
	case OVL_GEMM_GELU_ERF:
		EACH_PAIR(OVL_GEMM_GELU_ERF);
	default:
		EACH_PAIR(act);
	}
}

static void one_tile(tile_call *t, const ovl_gemm_bf16 *g, const ovl_gemm_bf16_rows *r, int64_t column, int nv)
{
	float buffer[BUFFER] __attribute__((aligned(64)));
	char *c = (char *)r->c + column * (g->c_half ? 2 : 4);
	bool narrow = t->n <= (nv - 1) * VL + VL / 2, buffered = g->act > OVL_GEMM_IN_REGISTERS || g->rest;
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
		tiles[r->mr][nv][narrow](t);
		t->n = n;
		if (!g->rest && g->c_half) {
			act_and_write(g->act, g->alpha, buffer, nv * VL, (half *)(void *)c, g->ldc, r->mr, n);
			return;
		}
		act_on(g->act, g->alpha, buffer, nv * VL, r->mr);
		if (g->rest)
			ovl_posts_tile_avx512(g->rest, buffer, nv * VL, r->mr, t->n, r->row, g->first_column + column, g->in);
		write_buffer(g, buffer, nv * VL, c, r->mr, t->n);
	} else {
		tiles[r->mr][nv][narrow](t);
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
	tile_call t = {.k = g->k, .b_vec = g->b_vec, .ldadd = g->ldadd, .add_half = g->add_half, .clamp = g->act == OVL_GEMM_CLAMP, .hswish = g->act == OVL_GEMM_HSWISH, .low = g->alpha, .high = g->beta};
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
