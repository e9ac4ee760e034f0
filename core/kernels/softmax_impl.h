/* softmax_impl.h - Softmax and LogSoftmax of f32 along any axis. Included after the vector layer.
 *
 * Where the axis is contiguous (the last one of a dense value, the channels of a channels-last one) a row is one softmax. Elsewhere VL neighbours along the innermost
 * dimension are worked on together, three times down the axis. Rows shorter than a vector are turned over and worked on VL at a time too. */
#include "base/memory.h"
#include "kernels/loops.h"
#include "ops/norm.h"
#include <stdio.h>

enum { FEW_MOST = 16 };

typedef struct state {
	bool logarithm;
	enum { ROWS, FEW, ACROSS } how;
	int64_t n, from_step, to_step; /* the axis */
	ovl_loops loops; /* everything else: value 0 output, 1 input; but for ROWS the innermost loop is the one of neighbours */
	int64_t units, grain, piece, pieces;
} state;

static const char *accept(ovl_problem *p)
{
	int64_t axis = ((const ovl_softmax_params *)p->params)->axis, ld;
	const ovl_desc *d = &p->in[0];
	if (p->n_posts)
		return "posts";
	if (d->type != OVL_F32 || p->out[0].type != OVL_F32)
		return "not f32";
	if (axis < -d->rank || axis >= d->rank)
		return "axis out of range";
	p->in_form[0] = !ovl_desc_is_dense(d) && ovl_desc_is_cl(d, &ld) ? OVL_FORM_CL : OVL_FORM_DENSE;
	p->out_form[0] = OVL_FORM_LIKE;
	p->in_place = 0;
	return NULL;
}

static void cut(state *s)
{
	ovl_loops *l = &s->loops;
	int64_t inner = s->how == ROWS || !l->rank ? 1 : l->dims[l->rank - 1], most = s->how == FEW ? VL : 4 * VL;
	s->piece = inner < most ? inner : most;
	s->pieces = (inner + s->piece - 1) / s->piece;
	s->units = ovl_loops_count(l, l->rank) / inner * s->pieces;
	s->grain = 1 + 8192 / (s->n * s->piece + 64);
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	const ovl_desc *to = &p->out[0], *from = &p->in[0];
	int64_t dims[OVL_MAX_RANK];
	const int64_t *strides[] = {to->strides, from->strides};
	int axis;
	state *s;
	OVL_TRY(ovl_axis(((const ovl_softmax_params *)p->params)->axis, to->rank, p->op, &axis, err));
	s = ovl_calloc(1, sizeof *s);
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a softmax");
	out->state = s;
	s->logarithm = p->op[0] == 'L';
	s->n = to->dims[axis];
	s->to_step = to->strides[axis];
	s->from_step = from->strides[axis];
	s->how = s->n != 1 && (s->to_step != 1 || s->from_step != 1) ? ACROSS : s->n <= FEW_MOST ? FEW : ROWS;
	memcpy(dims, to->dims, sizeof dims);
	dims[axis] = 1;
	if (!ovl_desc_count(to))
		return OVL_OK;
	ovl_loops_make(&s->loops, to->rank, dims, 2, strides);
	if (s->how == FEW && !s->loops.rank)
		s->how = ROWS;
	if (s->how == ACROSS && s->loops.rank && (s->loops.strides[0][s->loops.rank - 1] != 1 || s->loops.strides[1][s->loops.rank - 1] != 1)) {
		s->loops.dims[s->loops.rank] = 1; /* nothing is contiguous: one at a time */
		s->loops.rank++;
	}
	cut(s);
	snprintf(out->detail, sizeof out->detail, "%s", s->how == ACROSS ? "across" : s->how == FEW ? "few" : "rows");
	return OVL_OK;
}

/* ---- a contiguous row ---- */

static float row_max(const float *x, int64_t n)
{
	V a = v_set(-__builtin_inff()), b = a;
	int64_t i = 0;
	for (; i + 2 * VL <= n; i += 2 * VL) {
		a = v_max(a, v_load(x + i));
		b = v_max(b, v_load(x + i + VL));
	}
	for (; i < n; i += VL) {
		VT t = v_tail(n - i);
		b = v_max(b, v_keep_t(v_load_t(x + i, t), b, t));
	}
	return v_top(v_max(a, b));
}

static float row_exp(const float *x, float *y, int64_t n, float top, bool keep)
{
	V m = v_set(top), a = v_zero(), b = v_zero();
	int64_t i = 0;
	for (; i + 2 * VL <= n; i += 2 * VL) {
		V e = v_exp(v_sub(v_load(x + i), m)), f = v_exp(v_sub(v_load(x + i + VL), m));
		a = v_add(a, e);
		b = v_add(b, f);
		if (keep) {
			v_store(y + i, e);
			v_store(y + i + VL, f);
		}
	}
	for (; i < n; i += VL) {
		VT t = v_tail(n - i);
		V e = v_exp(v_sub(v_load_t(x + i, t), m));
		a = v_add(a, v_keep_t(e, v_zero(), t));
		if (keep)
			v_store_t(y + i, e, t);
	}
	return v_sum(v_add(a, b));
}

static void row_scale(float *y, int64_t n, float scale)
{
	V a = v_set(scale);
	int64_t i = 0;
	for (; i + VL <= n; i += VL)
		v_store(y + i, v_mul(v_load(y + i), a));
	if (i < n)
		v_store_t(y + i, v_mul(v_load_t(y + i, v_tail(n - i)), a), v_tail(n - i));
}

static void row_lower(const float *x, float *y, int64_t n, float top, float logarithm)
{
	V a = v_set(top), b = v_set(logarithm);
	int64_t i = 0;
	for (; i + VL <= n; i += VL)
		v_store(y + i, v_sub(v_sub(v_load(x + i), a), b));
	if (i < n)
		v_store_t(y + i, v_sub(v_sub(v_load_t(x + i, v_tail(n - i)), a), b), v_tail(n - i));
}

static void softmax_row(const state *s, const float *x, float *y)
{
	float top = row_max(x, s->n), sum = row_exp(x, y, s->n, top, !s->logarithm);
	if (s->logarithm)
		row_lower(x, y, s->n, top, logf(sum));
	else
		row_scale(y, s->n, 1.0f / sum);
}

/* ---- neighbours down the axis ---- */

static void softmax_across(const state *s, const float *x, float *y, int64_t count)
{
	for (int64_t i = 0; i < count; i += VL) {
		VT t = v_tail(count - i);
		V top = v_set(-__builtin_inff()), sum = v_zero();
		for (int64_t k = 0; k < s->n; k++)
			top = v_max(top, v_load_t(x + i + k * s->from_step, t));
		for (int64_t k = 0; k < s->n; k++) {
			V e = v_exp(v_sub(v_load_t(x + i + k * s->from_step, t), top));
			sum = v_add(sum, e);
			if (!s->logarithm)
				v_store_t(y + i + k * s->to_step, e, t);
		}
		sum = s->logarithm ? v_log(sum) : v_div(v_set(1.0f), sum);
		for (int64_t k = 0; k < s->n; k++) {
			V v = s->logarithm ? v_sub(v_sub(v_load_t(x + i + k * s->from_step, t), top), sum) : v_mul(v_load_t(y + i + k * s->to_step, t), sum);
			v_store_t(y + i + k * s->to_step, v, t);
		}
	}
}

/* ---- several short rows ---- */

static void softmax_few(const state *s, const float *x, float *y, int64_t from_row, int64_t to_row, int64_t rows)
{
	float a[FEW_MOST][VL] __attribute__((aligned(64)));
	V top = v_set(-__builtin_inff()), sum = v_zero();
	for (int64_t k = 0; k < s->n; k++) {
		for (int64_t r = 0; r < VL; r++)
			a[k][r] = r < rows ? x[r * from_row + k] : 0.0f;
		top = v_max(top, v_load(a[k]));
	}
	for (int64_t k = 0; k < s->n; k++) {
		V d = v_sub(v_load(a[k]), top), e = v_exp(d);
		sum = v_add(sum, e);
		v_store(a[k], s->logarithm ? d : e);
	}
	sum = s->logarithm ? v_log(sum) : v_div(v_set(1.0f), sum);
	for (int64_t k = 0; k < s->n; k++) {
		v_store(a[k], s->logarithm ? v_sub(v_load(a[k]), sum) : v_mul(v_load(a[k]), sum));
		for (int64_t r = 0; r < rows; r++)
			y[r * to_row + k] = a[k][r];
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
	const ovl_loops *l = &s->loops;
	int64_t last = (chunk + 1) * j->chunk, at[OVL_LOOPS_MAX];
	const float *x = j->call->in[0];
	float *y = j->call->out[0];
	(void)worker;
	for (int64_t u = chunk * j->chunk; u < last && u < s->units; u++) {
		int64_t inner = s->how == ROWS || !l->rank ? 1 : l->dims[l->rank - 1], first = u % s->pieces * s->piece;
		int64_t n = inner - first < s->piece ? inner - first : s->piece;
		ovl_loops_at(l, s->how == ROWS ? l->rank : l->rank ? l->rank - 1 : 0, u / s->pieces, at);
		if (s->how == ROWS) {
			softmax_row(s, x + at[1], y + at[0]);
		} else if (s->how == FEW) {
			int64_t from = l->strides[1][l->rank - 1], to = l->strides[0][l->rank - 1];
			softmax_few(s, x + at[1] + first * from, y + at[0] + first * to, from, to, n);
		} else {
			softmax_across(s, x + at[1] + first, y + at[0] + first, n);
		}
	}
}

static ovl_status run(const ovl_call *call)
{
	const state *s = call->state;
	job j = {s, call, ovl_pool_chunk(call->pool, s->units, s->grain)};
	if (s->units)
		ovl_pool_run(call->pool, (s->units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel softmax = {.name = V_TEXT("softmax"), .ops = "Softmax LogSoftmax", .isa = V_ISA, .accept = accept, .prepare = prepare, .run = run};
