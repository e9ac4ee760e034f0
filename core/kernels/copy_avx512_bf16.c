/* Values that change between f32 and halves, in any form: row by row where both are contiguous, else element by element in small squares, so that what is read and
 * written stays in L1. */
#include "base/memory.h"
#include "kernels/loops.h"
#include "kernels/vec_bf16.h"

enum { SQUARE = 32, PIECE = 4096 };

typedef struct state {
	ovl_loops loops; /* without the innermost loop, and without `across` */
	bool narrow;     /* to halves */
	int64_t n, d, s; /* innermost loop: its length and strides in destination and source */
	int64_t m, md, ms; /* the loop along which the source is contiguous; one step when there is none */
	int64_t pieces_n, pieces_m, step_n, step_m, units;
} state;

static const char *accept(ovl_problem *p)
{
	ovl_type from = p->in[0].type, to = p->out[0].type;
	if (p->n_in != 1 || p->n_out != 1 || p->n_posts || !ovl_desc_same_dims(&p->in[0], &p->out[0]))
		return "not one value to one value";
	if (!(from == OVL_F32 && to == OVL_BF16) && !(from == OVL_BF16 && to == OVL_F32))
		return "not f32 to halves or back";
	p->in_form[0] = p->out_form[0] = OVL_FORM_ANY;
	return NULL;
}

static void take_off(ovl_loops *l, int at)
{
	l->rank--;
	for (int i = at; i < l->rank; i++) {
		l->dims[i] = l->dims[i + 1];
		for (int v = 0; v < 2; v++)
			l->strides[v][i] = l->strides[v][i + 1];
	}
}

static void plan(state *s, const ovl_problem *p)
{
	const int64_t *strides[] = {p->out[0].strides, p->in[0].strides};
	ovl_loops *l = &s->loops;
	ovl_loops_make(l, p->out[0].rank, p->out[0].dims, 2, strides);
	s->n = s->m = s->d = s->s = 1;
	if (l->rank) {
		int last = l->rank - 1;
		s->n = l->dims[last];
		s->d = l->strides[0][last];
		s->s = l->strides[1][last];
		take_off(l, last);
	}
	for (int i = l->rank - 1; i >= 0 && s->s != 1; i--)
		if (l->strides[1][i] == 1) {
			s->m = l->dims[i];
			s->md = l->strides[0][i];
			s->ms = 1;
			take_off(l, i);
			break;
		}
	s->step_n = s->m > 1 ? SQUARE : PIECE;
	s->step_m = SQUARE;
	s->pieces_n = (s->n + s->step_n - 1) / s->step_n;
	s->pieces_m = (s->m + s->step_m - 1) / s->step_m;
	s->units = ovl_loops_count(l, l->rank) * s->pieces_n * s->pieces_m;
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	state *s = ovl_calloc(1, sizeof *s);
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a copy");
	out->state = s;
	s->narrow = p->out[0].type == OVL_BF16;
	if (ovl_desc_count(&p->out[0]))
		plan(s, p);
	return OVL_OK;
}

static void narrow_row(const state *s, half *to, const float *from, int64_t n)
{
	if (s->d == 1 && s->s == 1) {
		vh_narrow_row(to, from, n);
		return;
	}
	for (int64_t i = 0; i < n; i++)
		to[i * s->d] = vh_rounded(from[i * s->s]);
}

static void widen_row(const state *s, float *to, const half *from, int64_t n)
{
	if (s->d == 1 && s->s == 1) {
		vh_widen_row(to, from, n);
		return;
	}
	for (int64_t i = 0; i < n; i++)
		to[i * s->d] = vh_one(from[i * s->s]);
}

typedef struct job {
	const state *s;
	const ovl_call *call;
	int64_t chunk;
} job;

static void run_unit(const state *s, const ovl_call *call, int64_t unit)
{
	int64_t at[OVL_LOOPS_MAX], i = unit % s->pieces_n * s->step_n, j = unit / s->pieces_n % s->pieces_m * s->step_m;
	int64_t n = s->n - i < s->step_n ? s->n - i : s->step_n, end = s->m < j + s->step_m ? s->m : j + s->step_m;
	ovl_loops_at(&s->loops, s->loops.rank, unit / s->pieces_n / s->pieces_m, at);
	for (; j < end; j++) {
		int64_t to = at[0] + i * s->d + j * s->md, from = at[1] + i * s->s + j * s->ms;
		if (s->narrow)
			narrow_row(s, (half *)call->out[0] + to, (const float *)call->in[0] + from, n);
		else
			widen_row(s, (float *)call->out[0] + to, (const half *)call->in[0] + from, n);
	}
}

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	int64_t last = (chunk + 1) * j->chunk;
	(void)worker;
	for (int64_t u = chunk * j->chunk; u < last && u < j->s->units; u++)
		run_unit(j->s, j->call, u);
}

static ovl_status run(const ovl_call *call)
{
	const state *s = call->state;
	int64_t each = (s->n < s->step_n ? s->n : s->step_n) * (s->m < s->step_m ? s->m : s->step_m);
	job j = {s, call, s->units ? ovl_pool_chunk(call->pool, s->units, 1 + 16384 / each) : 1};
	if (s->units)
		ovl_pool_run(call->pool, (s->units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel copy = {.name = "copy_avx512_bf16", .ops = "Copy", .isa = OVL_ISA_AVX512_BF16, .rank = 10, .halves = true, .accept = accept, .prepare = prepare, .run = run};
const ovl_kernel *const ovl_kernels_copy_avx512_bf16[] = {&copy, NULL};
