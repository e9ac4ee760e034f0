/* strassen_impl.h - the arithmetic of strassen.h. Included after gemm_impl.h, with
 *
 *     STRASSEN_TILES(X)   X(mr) for every height of a tile that exists
 *     STRASSEN_LEAST      the lowest */
#include "kernels/strassen.h"
#include <math.h>

typedef ovl_strassen_tile stile;

typedef struct factors {
	const float *a;
	int64_t lda;
	const float *b;
	int64_t b_row, b_vec;
} factors;

enum { NOTHING = -1, T1, T2, T3, T4 };

/* Line i of one of T1..T4; of T4 after T2. */
static inline __attribute__((always_inline)) void mix_columns(const stile *q, int64_t k, int64_t i, const int which)
{
	float *t = q->t + 2 * i * VL;
	UNROLL for (int v = 0; v < 2; v++)
	{
		const float *b1 = q->b[0] + (2 * v * k + i) * VL, *b2 = q->b[1] + (2 * v * k + i) * VL;
		if (which == T1)
			v_store(t + v * VL, v_sub(v_load(b2), v_load(b1)));
		else if (which == T2)
			v_store(t + (2 * k + v) * VL, v_add(v_sub(v_load(b2 + k * VL), v_load(b2)), v_load(b1)));
		else if (which == T3)
			v_store(t + (4 * k + v) * VL, v_sub(v_load(b2 + k * VL), v_load(b2)));
		else
			v_store(t + (6 * k + v) * VL, v_sub(v_load(b1 + k * VL), v_load(t + (2 * k + v) * VL)));
	}
}

/* acc += A B; meanwhile k lines are fetched, and one of T1..T4 is made. */
static inline __attribute__((always_inline)) void multiply(
	V acc[14][2], const factors *f, const float *next, const stile *q, const int mr, const int mixed)
{
	const int64_t lda = f->lda, lda3 = 3 * lda, b_row = f->b_row, b_vec = f->b_vec, k = q->k;
	const float *b = f->b, *a0 = f->a, *a5 = a0 + 5 * lda, *a10 = a0 + 10 * lda;
	for (int64_t i = 0; i < k; i++) {
		V b0 = v_load(b), b1 = v_load(b + b_vec);
		b += b_row;
		_mm_prefetch((const char *)next, _MM_HINT_T1);
		next += 16;
		if (mixed != NOTHING)
			mix_columns(q, k, i, mixed);
		UNROLL for (int m = 0; m < mr; m++)
		{
			V a = v_set(*row_of(a0, a5, a10, lda, lda3, m));
			acc[m][0] = v_fma(a, b0, acc[m][0]);
			acc[m][1] = v_fma(a, b1, acc[m][1]);
		}
		a0++;
		a5++;
		a10++;
	}
}

static inline __attribute__((always_inline)) void clear(V acc[14][2], const int mr)
{
	UNROLL for (int m = 0; m < mr; m++) acc[m][0] = acc[m][1] = v_zero();
}

static inline __attribute__((always_inline)) void keep(float *spare, V acc[14][2], const int mr)
{
	UNROLL for (int m = 0; m < mr; m++)
	{
		v_store(spare + 2 * m * VL, acc[m][0]);
		v_store(spare + (2 * m + 1) * VL, acc[m][1]);
	}
}

static inline __attribute__((always_inline)) void add_kept(V acc[14][2], const float *spare, const int mr)
{
	UNROLL for (int m = 0; m < mr; m++)
	{
		acc[m][0] = v_add(acc[m][0], v_load(spare + 2 * m * VL));
		acc[m][1] = v_add(acc[m][1], v_load(spare + (2 * m + 1) * VL));
	}
}

/* C = act(x + bias + add) of quarter (i, j); `also`: another summand, or NULL */
static inline __attribute__((always_inline)) void finish(const stile *q, V acc[14][2], const float *also, const int i, const int j, const int mr)
{
	V bias0 = q->bias[j] ? v_load(q->bias[j]) : v_zero(), bias1 = q->bias[j] ? v_load(q->bias[j] + VL) : v_zero();
	VT tail = v_tail(q->n - VL);
	UNROLL for (int m = 0; m < mr; m++)
	{
		float *c = i && m == mr - 1 ? q->last_c[j] : q->c[i][j] + m * q->ldc;
		V x[2] = {v_add(acc[m][0], bias0), v_add(acc[m][1], bias1)};
		if (also) {
			x[0] = v_add(x[0], v_load(also + 2 * m * VL));
			x[1] = v_add(x[1], v_load(also + (2 * m + 1) * VL));
		}
		if (q->add[i][j]) {
			const float *r = i && m == mr - 1 ? q->last_add[j] : q->add[i][j] + m * q->ldadd;
			x[0] = v_add(x[0], v_load(r));
			x[1] = v_add(x[1], j ? v_load_t(r + VL, tail) : v_load(r + VL));
		}
		act_in_registers(x, 2, q->act, v_set(q->alpha), v_set(q->beta));
		v_store(c, x[0]);
		if (j)
			v_store_t(c + VL, x[1], tail);
		else
			v_store(c + VL, x[1]);
	}
}

static inline __attribute__((always_inline)) void seven(const stile *q, const int mr, const bool mixing)
{
	const int64_t k = q->k, half = k * VL, panel = 2 * half, lines = k * 16;
	const float *b1 = q->b[0], *b2 = q->b[1], *t = q->t;
	float *p1 = q->spare, *u2 = p1 + 28 * VL, *u3 = u2 + 28 * VL;
	const factors f1 = {q->a11, q->lda, b1, VL, panel}, f2 = {q->a12, q->lda, b1 + half, VL, panel},
		      f3 = {q->s2, q->lds, t + 2 * half, 2 * VL, VL}, f4 = {q->s3, q->lds, t + 4 * half, 2 * VL, VL},
		      f5 = {q->a22, q->lda22, t + 6 * half, 2 * VL, VL}, f6 = {q->s1, q->lds, t, 2 * VL, VL},
		      f7 = {q->s4, q->lds, b2 + half, VL, panel};
	V acc[14][2];
	clear(acc, mr);
	multiply(acc, &f1, b1, q, mr, mixing ? T2 : NOTHING);
	keep(p1, acc, mr);
	multiply(acc, &f2, b1, q, mr, mixing ? T3 : NOTHING);
	finish(q, acc, NULL, 0, 0, mr);
	clear(acc, mr);
	add_kept(acc, p1, mr);
	multiply(acc, &f3, q->next[0], q, mr, mixing ? T4 : NOTHING);
	keep(u2, acc, mr);
	multiply(acc, &f4, q->next[0] + lines, q, mr, mixing ? T1 : NOTHING);
	keep(u3, acc, mr);
	multiply(acc, &f5, b1, q, mr, NOTHING);
	finish(q, acc, NULL, 1, 0, mr);
	clear(acc, mr);
	multiply(acc, &f6, q->next[1], q, mr, NOTHING);
	finish(q, acc, u3, 1, 1, mr);
	add_kept(acc, u2, mr);
	multiply(acc, &f7, q->next[1] + lines, q, mr, NOTHING);
	finish(q, acc, NULL, 0, 1, mr);
}

#define STRASSEN_FUNCTION(mr)                                                                     \
	static __attribute__((noinline)) void seven_##mr(const stile *q) { seven(q, mr, false); } \
	static __attribute__((noinline)) void seven_mixing_##mr(const stile *q) { seven(q, mr, true); }
STRASSEN_TILES(STRASSEN_FUNCTION)

static void strassen_tile(const stile *q)
{
#define STRASSEN_ENTRY(mr) [mr] = {seven_##mr, seven_mixing_##mr},
	static void (*const all[GEMM_MR + 1][2])(const stile *) = {STRASSEN_TILES(STRASSEN_ENTRY)};
	all[q->mr][q->mix](q);
}

/* What is left of n numbers that is not finite makes NaN of the sum. */
static inline V unfinite(V sum, V x) { return v_fma(x, v_zero(), sum); }

static bool alike(float x, float y) { return x <= y * OVL_STRASSEN_RATIO && y <= x * OVL_STRASSEN_RATIO; }

static bool strassen_row(const ovl_strassen_row *r)
{
	V high = v_zero(), low = v_zero(), check = v_zero();
	for (int64_t j = 0; j < r->k; j += VL) {
		VT t = v_tail(r->k - j);
		V a11 = v_load_t(r->a11 + j, t), a12 = v_load_t(r->a11 + r->k + j, t), a21 = v_zero(), a22 = v_zero(), s1, s2;
		if (r->low) {
			a21 = v_load_t(r->a21 + j, t);
			a22 = v_load_t(r->a21 + r->k + j, t);
		}
		s1 = v_add(a21, a22);
		s2 = v_sub(s1, a11);
		v_store(r->s[0] + j, s1);
		v_store(r->s[1] + j, s2);
		v_store(r->s[2] + j, v_sub(a11, a21));
		v_store(r->s[3] + j, v_sub(a12, s2));
		if (r->copy[0]) {
			v_store(r->copy[0] + j, a11);
			v_store(r->copy[1] + j, a12);
		}
		if (r->copy[2])
			v_store(r->copy[2] + j, a22);
		high = v_max(high, v_max(v_abs(a11), v_abs(a12)));
		low = v_max(low, v_max(v_abs(a21), v_abs(a22)));
		check = unfinite(unfinite(unfinite(unfinite(check, a11), a12), a21), a22);
	}
	return v_sum(check) == 0 && (!r->low || alike(v_top(high), v_top(low)));
}

static bool strassen_columns(const float *packed, int64_t k, int64_t n)
{
	int64_t vecs = (n + VL - 1) / VL, half = vecs / 2;
	for (int64_t v = 0; v < half; v++) {
		const float *left = packed + v * k * VL, *right = left + half * k * VL;
		V a = v_zero(), b = v_zero(), check = v_zero();
		float x[VL], y[VL];
		for (int64_t i = 0; i < k; i++) {
			V l = v_load(left + i * VL), r = v_load(right + i * VL);
			a = v_max(a, v_abs(l));
			b = v_max(b, v_abs(r));
			check = unfinite(unfinite(check, l), r);
		}
		v_store(x, a);
		v_store(y, b);
		if (v_sum(check) != 0)
			return false;
		for (int64_t i = 0; i < VL && (v + half) * VL + i < n; i++)
			if (!alike(x[i], y[i]))
				return false;
	}
	return true;
}

const ovl_strassen_isa V_NAME(ovl_strassen) = {
	.gemm = &V_NAME(ovl_gemm), .least = STRASSEN_LEAST, .tile = strassen_tile, .row = strassen_row, .columns = strassen_columns};
