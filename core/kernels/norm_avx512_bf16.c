/* LayerNorm, RMS and MVN over rows that are read or written as halves; all between is f32. */
#include "base/memory.h"
#include "kernels/halves.h"
#include "kernels/norm.h"
#include "kernels/vec_bf16.h"
#include <math.h>

enum { LONGEST = 4096 };

typedef struct state {
	ovl_norm_plan *q;
	bool from_half, to_half;
} state;

/* MVN over the last dimension. */
static bool over_rows(const ovl_problem *p)
{
	const ovl_desc *axes = &p->in[1];
	int64_t axis;
	if (p->n_op_in != 2 || !p->in_data[1] || ovl_desc_count(axes) != 1 || (axes->type != OVL_I64 && axes->type != OVL_I32))
		return false;
	axis = axes->type == OVL_I64 ? *(const int64_t *)p->in_data[1] : *(const int32_t *)p->in_data[1];
	return axis == -1 || axis == p->in[0].rank - 1;
}

static const char *accept(ovl_problem *p)
{
	ovl_plain_problem plain;
	const char *why = ovl_halves_plain(p, &plain);
	const ovl_desc *d = &p->in[0];
	int64_t row = 1;
	if (why)
		return why;
	if (!p->in_half[0] && (!p->halves_read || p->added))
		return "no halves";
	for (int i = 1; i < d->rank; i++)
		row *= d->dims[i];
	if (d->rank < 2 || !ovl_desc_count(d) || (d->dims[d->rank - 1] > LONGEST && row > LONGEST))
		return "rows are too long";
	if (!strcmp(p->op, "MVN") && !over_rows(p))
		return "not over the last dimension";
	if ((why = ovl_norm_accept(&plain.p)))
		return why;
	for (int i = 1; i < p->n_in; i++)
		p->in_half[i] = false;
	p->in_place = plain.p.in_place;
	p->out_half = p->halves_read && !p->added; /* a residual stream stays f32 */
	return NULL;
}

static void release(void *p)
{
	state *s = p;
	if (s)
		ovl_free(s->q);
	ovl_free(s);
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	ovl_plain_problem plain;
	ovl_prepared inner = {0};
	state *s = ovl_calloc(1, sizeof *s);
	const char *why = ovl_halves_plain(p, &plain);
	ovl_status st;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a normalisation");
	st = why ? ovl_fail(err, OVL_E_INTERNAL, "%s: %s", p->op, why) : ovl_norm_prepare(&plain.p, &inner, err);
	s->q = inner.state;
	if (st == OVL_OK && (s->q->how != OVL_NORM_ROWS || s->q->inner || s->q->n > LONGEST))
		st = ovl_fail(err, OVL_E_INTERNAL, "%s was prepared with rows it did not accept", p->op);
	if (st != OVL_OK) {
		release(s);
		return st;
	}
	out->state = s;
	s->from_half = p->in[0].type == OVL_BF16;
	s->to_half = p->out[0].type == OVL_BF16;
	return OVL_OK;
}

/* Sum of (x - mean)^power; behind n the row is filled up with `mean` before. */
static float row_sum(const float *x, int64_t n)
{
	V a = v_zero(), b = a;
	for (int64_t i = 0; i < n; i += 2 * VL) {
		a = v_add(a, v_load(x + i));
		b = v_add(b, v_load(x + i + VL));
	}
	return v_sum(v_add(a, b));
}

static float row_squares(const float *x, int64_t n, float mean)
{
	V a = v_zero(), b = a, m = v_set(mean);
	for (int64_t i = 0; i < n; i += 2 * VL) {
		V d = v_sub(v_load(x + i), m), e = v_sub(v_load(x + i + VL), m);
		a = v_fma(d, d, a);
		b = v_fma(e, e, b);
	}
	return v_sum(v_add(a, b));
}

static void fill(float *x, int64_t from, int64_t to, float value)
{
	for (int64_t i = from; i < to; i++)
		x[i] = value;
}

static void run_row(const state *s, const ovl_call *call, int64_t row)
{
	const ovl_norm_plan *q = s->q;
	const float *gamma = q->gamma >= 0 ? call->in[q->gamma] : NULL, *beta = q->beta >= 0 ? call->in[q->beta] : NULL;
	float x[LONGEST + 2 * VL] __attribute__((aligned(64))), mean = 0;
	int64_t at[OVL_LOOPS_MAX], n = q->n, whole = (n + 2 * VL - 1) / (2 * VL) * (2 * VL);
	double variance;
	V m, scale, g, b;
	ovl_loops_at(&q->loops, q->loops.rank, row, at);
	if (s->from_half)
		vh_widen_row(x, (const half *)call->in[q->data] + at[1], n);
	else
		memcpy(x, (const float *)call->in[q->data] + at[1], (size_t)n * sizeof *x);
	fill(x, n, whole, 0);
	if (q->subtract)
		mean = row_sum(x, whole) / (float)n;
	fill(x, n, whole, mean);
	variance = row_squares(x, whole, mean) / (double)n;
	scale = v_set(!q->divide ? 1.0f : (float)(q->outside ? 1.0 / (sqrt(variance) + q->eps) : 1.0 / sqrt(variance + q->eps)));
	m = v_set(mean);
	g = v_set(gamma && !q->affine_step ? *gamma : 1.0f);
	b = v_set(beta && !q->affine_step ? *beta : 0.0f);
	for (int64_t i = 0; i < n; i += VL) {
		VT t = v_tail(n - i);
		V y;
		if (gamma && q->affine_step)
			g = v_load_t(gamma + i, t);
		if (beta && q->affine_step)
			b = v_load_t(beta + i, t);
		y = v_fma(v_mul(v_sub(v_load(x + i), m), scale), g, b);
		if (s->to_half)
			vh_store_t((half *)call->out[0] + at[0] + i, y, t);
		else
			v_store_t((float *)call->out[0] + at[0] + i, y, t);
	}
}

typedef struct job {
	const state *s;
	const ovl_call *call;
	int64_t chunk;
} job;

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	int64_t last = (chunk + 1) * j->chunk;
	(void)worker;
	for (int64_t r = chunk * j->chunk; r < last && r < j->s->q->rows; r++)
		run_row(j->s, j->call, r);
}

static ovl_status run(const ovl_call *call)
{
	const state *s = call->state;
	job j = {s, call, ovl_pool_chunk(call->pool, s->q->rows, 1 + 8192 / (s->q->n + 64))};
	ovl_pool_run(call->pool, (s->q->rows + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel norm = {.name = "norm_avx512_bf16",
	.ops = "LayerNorm RMS MVN",
	.isa = OVL_ISA_AVX512_BF16,
	.halves = true,
	.accept = accept,
	.prepare = prepare,
	.run = run,
	.release = release};
const ovl_kernel *const ovl_kernels_norm_avx512_bf16[] = {&norm, NULL};
