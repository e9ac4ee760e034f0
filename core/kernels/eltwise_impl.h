/* eltwise_impl.h - a chain of stages over one block after the other. Included after the vector layer. */
#include "kernels/eltwise.h"

/* A block of an operand: `rows` x n at these strides. */
typedef struct block {
	int64_t rows, n;
	int64_t row_step, step;
} block;

static bool in_one_piece(const block *b) { return b->step == 1 && (b->rows == 1 || b->row_step == b->n); }
static bool is_one_value(const block *b) { return (b->n == 1 || b->step == 0) && (b->rows == 1 || b->row_step == 0); }

static void read_row(float *o, const float *x, int64_t step, int64_t n)
{
	int64_t i = 0;
	if (step == 1) {
		for (; i + VL <= n; i += VL)
			v_store(o + i, v_load(x + i));
		if (i < n)
			v_store_t(o + i, v_load_t(x + i, v_tail(n - i)), v_tail(n - i));
	} else if (step == 0) {
		for (; i < n; i++)
			o[i] = *x;
	} else {
		for (; i < n; i++)
			o[i] = x[i * step];
	}
}

static void write_row(float *o, const float *x, int64_t step, int64_t n)
{
	if (step == 1) {
		read_row(o, x, 1, n);
		return;
	}
	for (int64_t i = 0; i < n; i++)
		o[i * step] = x[i];
}

/* The block side by side: where it lies when it does already, else a copy in `spare`. */
static const float *fetch(const float *x, const block *b, float *spare)
{
	if (in_one_piece(b))
		return x;
	for (int64_t r = 0; r < b->rows; r++)
		read_row(spare + r * b->n, x + r * b->row_step, b->step, b->n);
	return spare;
}

/* What a block is made of: every value's place, and how it lies. */
typedef struct view {
	const ovl_eltwise_plan *e;
	const float *at[OVL_LOOPS_MAX]; /* value 0: the output */
	block as[OVL_LOOPS_MAX];
} view;

static void run_stage(const ovl_eltwise_stage *s, ovl_stage_job *j)
{
	j->a = s->a;
	j->b = s->b;
	V_NAME(ovl_stages)[s->kind](j);
	j->x = j->o;
	j->x_ld = j->o_ld;
}

/* All values are contiguous or constant along the rows: the stages walk them where they are. */
static void run_rows(const view *w)
{
	const block *o = &w->as[0], *x = &w->as[1];
	ovl_stage_job j = {.o = (float *)(uintptr_t)w->at[0], .x = w->at[1], .rows = o->rows, .n = o->n, .o_ld = o->row_step, .x_ld = x->row_step};
	for (int i = 0; i < w->e->n_stages; i++) {
		const ovl_eltwise_stage *s = &w->e->stage[i];
		if (s->operand >= 0) {
			j.y = w->at[s->operand];
			j.y_ld = w->as[s->operand].row_step;
			j.step = (int)w->as[s->operand].step;
		}
		run_stage(s, &j);
	}
}

/* Whatever strides there are, and short rows: the unit is brought together first. */
static void run_packed(const view *w)
{
	float result[OVL_ELTWISE_BLOCK] __attribute__((aligned(64))), spare[OVL_ELTWISE_BLOCK] __attribute__((aligned(64)));
	const block *o = &w->as[0];
	float *out = (float *)(uintptr_t)w->at[0], *to = in_one_piece(o) ? out : result;
	ovl_stage_job j = {.o = to, .x = fetch(w->at[1], &w->as[1], result), .rows = 1, .n = o->rows * o->n};
	for (int i = 0; i < w->e->n_stages; i++) {
		const ovl_eltwise_stage *s = &w->e->stage[i];
		if (s->operand >= 0) {
			const block *y = &w->as[s->operand];
			j.step = !is_one_value(y);
			j.y = j.step ? fetch(w->at[s->operand], y, spare) : w->at[s->operand];
		}
		run_stage(s, &j);
	}
	for (int64_t r = 0; r < o->rows && to != out; r++)
		write_row(out + r * o->row_step, to + r * o->n, o->step, o->n);
}

static void run_unit(const ovl_eltwise_plan *e, const ovl_call *call, int64_t unit)
{
	const ovl_loops *l = &e->loops;
	int64_t at[OVL_LOOPS_MAX], first = unit % e->pieces * e->n, row = unit / e->pieces % e->bands * e->rows;
	int64_t n = e->length - first < e->n ? e->length - first : e->n, rows = e->count - row < e->rows ? e->count - row : e->rows;
	view w = {.e = e};
	ovl_loops_at(l, l->rank > 1 ? l->rank - 2 : 0, unit / e->pieces / e->bands, at);
	for (int v = 0; v < l->n_values; v++) {
		const float *base = v ? call->in[e->input[v]] : call->out[0];
		block b = {rows, n, l->rank > 1 ? l->strides[v][l->rank - 2] : 0, l->rank ? l->strides[v][l->rank - 1] : 1};
		w.as[v] = b;
		w.at[v] = base + at[v] + row * b.row_step + first * b.step;
	}
	if (e->packed)
		run_packed(&w);
	else
		run_rows(&w);
}

typedef struct job {
	const ovl_eltwise_plan *e;
	const ovl_call *call;
	int64_t chunk;
} job;

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	int64_t last = (chunk + 1) * j->chunk;
	(void)worker;
	for (int64_t u = chunk * j->chunk; u < last && u < j->e->units; u++)
		run_unit(j->e, j->call, u);
}

static ovl_status run(const ovl_call *call)
{
	const ovl_eltwise_plan *e = call->state;
	job j = {e, call, ovl_pool_chunk(call->pool, e->units, e->grain)};
	if (e->units)
		ovl_pool_run(call->pool, (e->units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

/* Sin and Cos are not among those of halves: rotary embeddings take them of large angles, which bf16 does not hold. */
static const ovl_kernel eltwise = {.name = V_TEXT("eltwise"), .ops = OVL_ELTWISE_OPS " Sin Cos", .isa = V_ISA, .accept = ovl_eltwise_accept, .prepare = ovl_eltwise_prepare, .run = run};
