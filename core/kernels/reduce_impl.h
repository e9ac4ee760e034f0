/* reduce_impl.h - sums, means, products, extremes and norms of f32 over any axes. Included after the vector layer.
 *
 * The dimensions fall into two sets of loops: kept ones and folded ones. Where the input is contiguous along a folded loop, each result is made of rows; where it is
 * contiguous along a kept loop (images channels-last, folded over pixels), VL neighbouring results grow together. */
#include "base/memory.h"
#include "kernels/element.h"
#include "kernels/loops.h"
#include "ops/reduce.h"
#include <math.h>
#include <stdio.h>

typedef enum fold { SUM, MEAN, PROD, MAX, MIN, L1, L2 } fold;

static const char *const fold_names[] = {"ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2"};

typedef struct state {
	fold kind;
	enum { ROWS, ACROSS, STEPS } how;
	ovl_loops kept; /* value 0 input, 1 output */
	ovl_loops folded; /* value 0 input */
	int64_t count; /* folded elements per result */
	int64_t inner, from_step, to_step; /* ACROSS: the kept loop of neighbours, taken off `kept` */
	int64_t strip, strips, units;
} state;

static bool fold_of(const char *op, fold *kind)
{
	for (int i = 0; i < 7; i++)
		if (!strcmp(op, fold_names[i])) {
			*kind = (fold)i;
			return true;
		}
	return false;
}

static bool axes_of(const ovl_problem *p, bool *folded)
{
	const ovl_desc *a = &p->in[1], *d = &p->in[0];
	int64_t n = ovl_desc_count(a);
	memset(folded, 0, OVL_MAX_RANK * sizeof *folded);
	if (!p->in_data[1] || (a->type != OVL_I64 && a->type != OVL_I32) || n > OVL_MAX_RANK)
		return false;
	for (int64_t i = 0; i < n; i++) {
		int64_t axis = a->type == OVL_I64 ? ((const int64_t *)p->in_data[1])[i] : ((const int32_t *)p->in_data[1])[i];
		axis += axis < 0 ? d->rank : 0;
		if (axis < 0 || axis >= d->rank)
			return false;
		folded[axis] = true;
	}
	return true;
}

static const char *accept(ovl_problem *p)
{
	const ovl_desc *d = &p->in[0];
	bool folded[OVL_MAX_RANK], cl;
	fold kind;
	int64_t ld;
	if (p->n_posts)
		return "posts";
	if (d->type != ELEMENT_TYPE || p->out[0].type != OVL_F32 || !fold_of(p->op, &kind))
		return "elements of another type";
	if (!axes_of(p, folded))
		return "axes are not known";
	if (!ovl_desc_count(d))
		return "nothing to fold";
	cl = !ovl_desc_is_dense(d) && ovl_desc_is_cl(d, &ld);
	p->in_form[0] = cl ? OVL_FORM_CL : OVL_FORM_DENSE;
	p->in_packed[1] = true;
	p->out_form[0] = cl && p->out[0].rank == d->rank && !folded[1] ? OVL_FORM_CL : OVL_FORM_DENSE;
	return NULL;
}

/* Loops over the kept and the folded dimensions, smallest input stride innermost. */
static void split_loops(state *s, const ovl_problem *p, const bool *folded)
{
	const ovl_desc *d = &p->in[0], *o = &p->out[0];
	int64_t dims[2][OVL_MAX_RANK], from[2][OVL_MAX_RANK], to[OVL_MAX_RANK];
	const int64_t *kept[] = {from[0], to}, *gone[] = {from[1]};
	int n[2] = {0, 0}, k = 0;
	for (int i = 0; i < d->rank; i++) {
		int set = folded[i];
		dims[set][n[set]] = d->dims[i];
		from[set][n[set]] = d->strides[i];
		if (!set)
			to[n[0]] = o->strides[o->rank == d->rank ? i : k++];
		n[set]++;
	}
	ovl_loops_make(&s->kept, n[0], dims[0], 2, kept);
	ovl_loops_make(&s->folded, n[1], dims[1], 1, gone);
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	static const char *const names[] = {"rows", "across", "steps"};
	bool folded[OVL_MAX_RANK];
	state *s = ovl_calloc(1, sizeof *s);
	int last;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a reduction");
	if (!axes_of(p, folded) || !fold_of(p->op, &s->kind)) {
		ovl_free(s);
		return ovl_fail(err, OVL_E_INTERNAL, "%s was prepared with axes it did not accept", p->op);
	}
	out->state = s;
	split_loops(s, p, folded);
	s->count = ovl_loops_count(&s->folded, s->folded.rank);
	last = s->kept.rank - 1;
	if (s->folded.rank && s->folded.strides[0][s->folded.rank - 1] == 1)
		s->how = ROWS;
	else if (last >= 0 && s->kept.strides[0][last] == 1)
		s->how = ACROSS;
	else
		s->how = STEPS;
	s->strip = s->strips = 1;
	if (s->how == ACROSS) {
		s->inner = s->kept.dims[last];
		s->from_step = s->kept.strides[0][last];
		s->to_step = s->kept.strides[1][last];
		s->kept.rank--;
		s->strip = ovl_loops_count(&s->kept, s->kept.rank) * s->inner >= 4 * VL * 4 * p->threads ? 4 * VL : VL;
		s->strips = (s->inner + s->strip - 1) / s->strip;
	}
	s->units = ovl_loops_count(&s->kept, s->kept.rank) * s->strips;
	snprintf(out->detail, sizeof out->detail, "%s", names[s->how]);
	return OVL_OK;
}

/* ---- arithmetic: `kind` is a constant wherever these are inlined; a NaN stays ---- */

#define INLINE static inline __attribute__((always_inline))

INLINE V first(fold kind) { return v_set(kind == PROD ? 1.0f : kind == MAX ? -__builtin_inff() : kind == MIN ? __builtin_inff() : 0.0f); }

INLINE V more(fold kind, V a, V x)
{
	switch (kind) {
	case PROD: return v_mul(a, x);
	case MAX: return v_select(v_eq(x, x), v_max(x, a), x);
	case MIN: return v_select(v_eq(x, x), v_min(x, a), x);
	case L1: return v_add(a, v_abs(x));
	case L2: return v_fma(x, x, a);
	default: return v_add(a, x);
	}
}

/* Two partial results into one. */
INLINE V join(fold kind, V a, V b) { return kind == L1 || kind == L2 ? v_add(a, b) : more(kind, a, b); }

INLINE float join_one(fold kind, float a, float b)
{
	switch (kind) {
	case PROD: return a * b;
	case MAX: return b > a || b != b ? b : a;
	case MIN: return b < a || b != b ? b : a;
	default: return a + b;
	}
}

INLINE float lanes(fold kind, V a)
{
	if ((kind == MAX || kind == MIN) && v_lanes(v_eq(a, a)) != (1u << VL) - 1)
		return __builtin_nanf("");
	return kind == PROD ? v_prod(a) : kind == MAX ? v_top(a) : kind == MIN ? v_low(a) : v_sum(a);
}

static float finish(const state *s, float x) { return s->kind == MEAN ? x / (float)s->count : s->kind == L2 ? sqrtf(x) : x; }

/* Long sums are made of blocks, so that no lane adds up more than a few hundred values at once. */
enum { BLOCK = 256 };

INLINE float fold_row(fold kind, const ELEMENT *x, int64_t n)
{
	V total = first(kind), none = total;
	for (int64_t at = 0; at < n; at += BLOCK * VL) {
		const ELEMENT *p = x + at;
		int64_t m = n - at < BLOCK * VL ? n - at : BLOCK * VL, i = 0;
		V a = first(kind), b = a, c = a, d = a;
		for (; i + 4 * VL <= m; i += 4 * VL) {
			a = more(kind, a, v_load(p + i));
			b = more(kind, b, v_load(p + i + VL));
			c = more(kind, c, v_load(p + i + 2 * VL));
			d = more(kind, d, v_load(p + i + 3 * VL));
		}
		for (; i < m; i += VL) {
			VT t = v_tail(m - i);
			a = more(kind, a, v_keep_t(v_load_t(p + i, t), none, t));
		}
		total = join(kind, total, join(kind, join(kind, a, b), join(kind, c, d)));
	}
	return lanes(kind, total);
}

INLINE void run_rows(fold kind, const state *s, const ELEMENT *x, float *y)
{
	const ovl_loops *f = &s->folded;
	int64_t rows = ovl_loops_count(f, f->rank - 1), n = f->dims[f->rank - 1], at[OVL_LOOPS_MAX];
	float a = 0;
	for (int64_t r = 0; r < rows; r++) {
		float b;
		ovl_loops_at(f, f->rank - 1, r, at);
		b = fold_row(kind, x + at[0], n);
		a = r ? join_one(kind, a, b) : b;
	}
	*y = finish(s, a);
}

/* `vectors` vectors of neighbours, the last with a tail. */
INLINE void run_across(fold kind, const state *s, const ELEMENT *x, float *y, int64_t width, int vectors)
{
	const ovl_loops *f = &s->folded;
	int64_t n = f->rank ? f->dims[f->rank - 1] : 1, step = f->rank ? f->strides[0][f->rank - 1] : 0, rows = f->rank ? ovl_loops_count(f, f->rank - 1) : 1, at[OVL_LOOPS_MAX];
	VT t = v_tail(width - (vectors - 1) * VL);
	V total[4];
	for (int v = 0; v < vectors; v++)
		total[v] = first(kind);
	for (int64_t r = 0; r < rows; r++) {
		ovl_loops_at(f, f->rank ? f->rank - 1 : 0, r, at);
		for (int64_t i = 0; i < n; i += BLOCK) {
			const ELEMENT *p = x + at[0] + i * step;
			int64_t m = n - i < BLOCK ? n - i : BLOCK;
			V a[4];
			for (int v = 0; v < vectors; v++)
				a[v] = first(kind);
			for (int64_t k = 0; k < m; k++, p += step)
				for (int v = 0; v < vectors; v++)
					a[v] = more(kind, a[v], v + 1 < vectors ? v_load(p + v * VL) : v_load_t(p + v * VL, t));
			for (int v = 0; v < vectors; v++)
				total[v] = join(kind, total[v], a[v]);
		}
	}
	for (int v = 0; v < vectors; v++) {
		V o = kind == MEAN ? v_div(total[v], v_set((float)s->count)) : kind == L2 ? v_sqrt(total[v]) : total[v];
		int64_t m = v + 1 < vectors ? VL : width - v * VL;
		float one[VL];
		if (s->to_step == 1) {
			v_store_t(y + v * VL, o, v_tail(m));
			continue;
		}
		v_store(one, o);
		for (int64_t k = 0; k < m; k++)
			y[(v * VL + k) * s->to_step] = one[k];
	}
}

INLINE void run_steps(fold kind, const state *s, const ELEMENT *x, float *y)
{
	int64_t at[OVL_LOOPS_MAX];
	float a = 0;
	for (int64_t i = 0; i < s->count; i++) {
		float b;
		ovl_loops_at(&s->folded, s->folded.rank, i, at);
		b = element_get(x + at[0]);
		b = kind == L1 ? fabsf(b) : kind == L2 ? b * b : b;
		a = i ? join_one(kind, a, b) : b;
	}
	*y = finish(s, a);
}

INLINE void run_unit(fold kind, const state *s, const ELEMENT *x, float *y, int64_t unit)
{
	int64_t at[OVL_LOOPS_MAX], i = unit % s->strips * s->strip, width = s->inner - i < s->strip ? s->inner - i : s->strip;
	ovl_loops_at(&s->kept, s->kept.rank, unit / s->strips, at);
	x += at[0];
	y += at[1];
	if (s->how == ROWS) {
		run_rows(kind, s, x, y);
	} else if (s->how == STEPS) {
		run_steps(kind, s, x, y);
	} else {
		x += i;
		y += i * s->to_step;
		switch ((width + VL - 1) / VL) {
		case 1: run_across(kind, s, x, y, width, 1); break;
		case 2: run_across(kind, s, x, y, width, 2); break;
		case 3: run_across(kind, s, x, y, width, 3); break;
		default: run_across(kind, s, x, y, width, 4); break;
		}
	}
}

/* ---- work ---- */

typedef struct job {
	const state *s;
	const ovl_call *call;
	int64_t chunk;
} job;

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	const state *s = j->s;
	const ELEMENT *x = j->call->in[0];
	float *y = j->call->out[0];
	int64_t last = (chunk + 1) * j->chunk;
	(void)worker;
	last = last < s->units ? last : s->units;
#define CASE(kind)                                                        \
	case kind:                                                        \
		for (int64_t u = chunk * j->chunk; u < last; u++)         \
			run_unit(kind, s, x, y, u);                       \
		break;
	switch (s->kind) {
		CASE(SUM) CASE(MEAN) CASE(PROD) CASE(MAX) CASE(MIN) CASE(L1) CASE(L2)
	}
}

static ovl_status run(const ovl_call *call)
{
	const state *s = call->state;
	job j = {s, call, ovl_pool_chunk(call->pool, s->units, 1 + 16384 / (s->count * s->strip + 64))};
	if (s->units)
		ovl_pool_run(call->pool, (s->units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel reduce = {.name = V_TEXT("reduce"), .ops = "ReduceSum ReduceMean ReduceProd ReduceMax ReduceMin ReduceL1 ReduceL2", .isa = V_ISA, .halves = ELEMENT_HALF, .accept = accept,
	.prepare = prepare, .run = run};
