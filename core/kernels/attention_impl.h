/* attention_impl.h - rows of scores. Included by attention_avx2.c and attention_avx512.c after their vector layer. */
#include "kernels/attention.h"
#include <math.h>
#include <string.h>

/* a * 2^n for -126 <= n <= 0 */
#if VL == 16
static inline V v_scale_down(V a, V n) { return v_scale(a, n); }
#else
static inline V v_scale_down(V a, V n)
{
	return v_mul(a, v_of_bits(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23)));
}
#endif

/* Below -87 results would be subnormal: slow to multiply with and worth nothing beside the row's largest, which is 1. NaN stays. */
static inline V exp_or_zero(V x) { return v_select(v_lt(x, v_set(-87.0f)), v_zero(), v_exp(x)); }

static float soften_masked(float *scores, int64_t n, float scale, const float *mask, float *max, float *sum)
{
	V k = v_set(scale), top = v_set(-INFINITY), total = v_zero(), shift;
	VT tail = v_tail(n % VL ? n % VL : VL);
	int64_t whole = n - (n % VL ? n % VL : VL), i;
	float old = *max, factor, now;
	for (i = 0; i < whole; i += VL) {
		V x = v_mul(v_load(scores + i), k);
		if (mask)
			x = v_add(x, v_load(mask + i));
		v_store(scores + i, x);
		top = v_max(top, x);
	}
	{
		V x = v_mul(v_load_t(scores + i, tail), k);
		if (mask)
			x = v_add(x, v_load_t(mask + i, tail));
		v_store_t(scores + i, x, tail);
		top = v_max(top, v_keep_t(x, v_set(-INFINITY), tail));
	}
	now = v_top(top);
	if (now < old)
		now = old;
	*max = now;
	if (now == -INFINITY) { /* all masked so far */
		memset(scores, 0, (size_t)n * sizeof *scores);
		return 1.0f;
	}
	factor = old == now ? 1.0f : old == -INFINITY ? 0.0f : expf(old - now);
	shift = v_set(now);
	for (i = 0; i < whole; i += VL) {
		V e = exp_or_zero(v_sub(v_load(scores + i), shift));
		v_store(scores + i, e);
		total = v_add(total, e);
	}
	{
		V e = exp_or_zero(v_sub(v_load_t(scores + i, tail), shift));
		v_store_t(scores + i, e, tail);
		total = v_add(total, v_keep_t(e, v_zero(), tail));
	}
	*sum = *sum * factor + v_sum(total);
	return factor;
}

#define LOG2_E 1.44269504f

/* 2^x for x <= 0 or NaN, to 2.2e-7; below -126 it stays at 1.2e-38, which is nothing beside the largest, 1, but no subnormal. */
static inline V exp2_down(V x)
{
	V n, f, p;
	x = v_max(v_set(-126.0f), x);
	n = v_round(x);
	f = v_sub(x, n);
	p = v_fma(v_set(1.327647245e-3f), f, v_set(9.675544687e-3f));
	p = v_fma(p, f, v_set(5.550713465e-2f));
	p = v_fma(p, f, v_set(2.402212024e-1f));
	p = v_fma(p, f, v_set(6.931469440e-1f));
	p = v_fma(p, f, v_set(1.000000119f));
	return v_scale_down(p, n);
}

static inline __attribute__((always_inline)) void soften_row(float *row, int64_t n, float scale, float *max, float *sum, float *factor)
{
	V top = v_set(-INFINITY), total = v_zero(), k = v_set(scale * LOG2_E), shift;
	int64_t whole = n / VL * VL, i;
	VT tail = v_tail(n - whole);
	float old = *max, now;
	for (i = 0; i < whole; i += VL)
		top = v_max(top, v_load(row + i));
	if (whole < n)
		top = v_max(top, v_keep_t(v_load_t(row + i, tail), top, tail));
	now = v_top(top) * scale;
	if (!(now >= old))
		now = old;
	*max = now;
	*factor = old == now ? 1.0f : old == -INFINITY ? 0.0f : expf(old - now);
	shift = v_set(now * LOG2_E);
	for (i = 0; i < whole; i += VL) {
		V e = exp2_down(v_fms(v_load(row + i), k, shift));
		v_store(row + i, e);
		total = v_add(total, e);
	}
	if (whole < n) {
		V e = exp2_down(v_fms(v_load_t(row + i, tail), k, shift));
		v_store_t(row + i, e, tail);
		total = v_add(total, v_keep_t(e, v_zero(), tail));
	}
	*sum = *sum * *factor + v_sum(total);
}

static void soften(float *scores, int64_t ld, int64_t rows, int64_t n, float scale, float *max, float *sum, float *factor)
{
	for (int64_t r = 0; r < rows; r++)
		soften_row(scores + r * ld, n, scale, &max[r], &sum[r], &factor[r]);
}

static void scale_row(float *to, const float *from, int64_t n, float factor)
{
	V f = v_set(factor);
	int64_t i = 0;
	for (; i + VL <= n; i += VL)
		v_store(to + i, v_mul(v_load(from + i), f));
	if (i < n) {
		VT t = v_tail(n - i);
		v_store_t(to + i, v_mul(v_load_t(from + i, t), f), t);
	}
}

static const ovl_attention_isa attention_isa = {&V_NAME(ovl_gemm), soften, soften_masked, scale_row};

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err) { return ovl_attention_prepare(&attention_isa, p, out, err); }
