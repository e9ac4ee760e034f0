/* Element-wise chains of which some values are halves: eltwise.h's plan; a block becomes f32 in L1, goes through the stages, and is rounded on its way out. */
#include "base/memory.h"
#include "kernels/eltwise.h"
#include "kernels/halves.h"
#include "kernels/act_bf16.h"

typedef struct state {
	ovl_eltwise_plan *e;
	bool half[OVL_LOOPS_MAX]; /* per value of the loops */
} state;

static const char *accept(ovl_problem *p)
{
	ovl_plain_problem plain;
	const char *why = ovl_halves_plain(p, &plain);
	bool any = false;
	if (why)
		return why;
	for (int i = 0; i < p->n_in; i++)
		any = any || p->in_half[i];
	if (!any)
		return "no halves";
	why = ovl_eltwise_accept(&plain.p);
	p->in_place = plain.p.in_place;
	p->out_half = p->halves_read;
	return why;
}

static void release(void *p)
{
	state *s = p;
	if (s)
		ovl_free(s->e);
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
		return ovl_fail(err, OVL_E_MEMORY, "no memory for an element-wise step");
	st = why ? ovl_fail(err, OVL_E_INTERNAL, "element-wise step: %s", why) : ovl_eltwise_prepare(&plain.p, &inner, err);
	s->e = inner.state;
	if (st != OVL_OK) {
		release(s);
		return st;
	}
	memcpy(out->detail, inner.detail, sizeof out->detail);
	out->state = s;
	s->half[0] = p->out[0].type == OVL_BF16;
	for (int v = 1; v < s->e->loops.n_values; v++)
		s->half[v] = p->in[s->e->input[v]].type == OVL_BF16;
	return OVL_OK;
}

/* A block of a value: rows x n at these strides. */
typedef struct block {
	const void *at;
	int64_t row_step, step;
	bool half;
} block;

/* Row r as f32 at `to`; a value that stays the same along the row is one element. */
static void read_row(float *to, const block *b, int64_t r, int64_t n)
{
	if (b->half) {
		const half *x = (const half *)b->at + r * b->row_step;
		if (b->step == 1)
			vh_widen_row(to, x, n);
		else
			for (int64_t i = 0; i < n; i++)
				to[i] = vh_one(x[i * b->step]);
		return;
	}
	const float *x = (const float *)b->at + r * b->row_step;
	for (int64_t i = 0; i < n; i++)
		to[i] = x[i * b->step];
}

static void write_row(const float *from, const block *b, int64_t r, int64_t n)
{
	if (b->half) {
		half *y = (half *)(uintptr_t)b->at + r * b->row_step;
		if (b->step == 1)
			vh_narrow_row(y, from, n);
		else
			for (int64_t i = 0; i < n; i++)
				y[i * b->step] = vh_rounded(from[i]);
		return;
	}
	float *y = (float *)(uintptr_t)b->at + r * b->row_step;
	for (int64_t i = 0; i < n; i++)
		y[i * b->step] = from[i];
}

/* Where a stage finds its operand: in place when it is f32 that lies well, else brought to `spare`. */
static void operand_of(ovl_stage_job *j, const block *b, float *spare)
{
	int64_t rows = b->row_step ? j->rows : 1, n = b->step ? j->n : 1;
	j->step = b->step != 0;
	if (!b->half && b->step <= 1) {
		j->y = b->at;
		j->y_ld = b->row_step;
		return;
	}
	for (int64_t r = 0; r < rows; r++)
		read_row(spare + r * n, b, r, n);
	j->y = spare;
	j->y_ld = b->row_step ? n : 0;
}

/* ---- short chains of cheap steps: two vectors at a time go through all of them in registers ---- */

static bool is_cheap(ovl_stage_kind k)
{
	switch (k) {
	case OVL_STAGE_RELU: case OVL_STAGE_CLAMP: case OVL_STAGE_HSWISH: case OVL_STAGE_HSIGMOID: case OVL_STAGE_LINEAR: case OVL_STAGE_ADD: case OVL_STAGE_SUB:
	case OVL_STAGE_RSUB: case OVL_STAGE_MUL: case OVL_STAGE_SWISH: case OVL_STAGE_SIGMOID:
		return true;
	default:
		return false;
	}
}

static bool in_registers(const ovl_eltwise_plan *e, const block *b)
{
	bool fits = b[0].half && b[0].step == 1 && b[1].step == 1 && e->n_stages <= 4;
	for (int i = 0; i < e->n_stages && fits; i++)
		fits = is_cheap(e->stage[i].kind) && (e->stage[i].operand < 0 || b[e->stage[i].operand].step <= 1);
	return fits;
}

static inline __attribute__((always_inline)) V load(const block *b, int64_t at, int64_t i, VT t)
{
	if (!b->step)
		return v_set(b->half ? vh_one(((const half *)b->at)[at]) : ((const float *)b->at)[at]);
	return b->half ? vh_load_t((const half *)b->at + at + i, t) : v_load_t((const float *)b->at + at + i, t);
}

static inline __attribute__((always_inline)) V do_stage(const ovl_eltwise_stage *s, V x, V y)
{
	V a = v_set(s->a), b = v_set(s->b);
	switch (s->kind) {
	case OVL_STAGE_RELU: return v_max(v_zero(), x);
	case OVL_STAGE_CLAMP: return v_min(b, v_max(a, x));
	case OVL_STAGE_HSWISH: return v_hswish(x, v_set(1.0f), v_zero());
	case OVL_STAGE_HSIGMOID: return v_min(v_set(1.0f), v_max(v_zero(), v_fma(a, x, b)));
	case OVL_STAGE_LINEAR: return v_fma(a, x, b);
	case OVL_STAGE_ADD: return v_add(x, y);
	case OVL_STAGE_SUB: return v_sub(x, y);
	case OVL_STAGE_RSUB: return v_sub(y, x);
	case OVL_STAGE_MUL: return v_mul(x, y);
	case OVL_STAGE_SWISH: return v_mul(x, vh_sigmoid(a, x));
	case OVL_STAGE_SIGMOID: return vh_sigmoid(v_set(1.0f), x);
	default: return x;
	}
}

static void run_registers(const ovl_eltwise_plan *e, const block *b, int64_t rows, int64_t n)
{
	for (int64_t r = 0; r < rows; r++) {
		half *to = (half *)(uintptr_t)b[0].at + r * b[0].row_step;
		for (int64_t i = 0; i < n; i += 2 * VL) {
			VT t = v_tail(n - i), u = v_tail(n - i - VL);
			V x = load(&b[1], r * b[1].row_step, i, t), z = load(&b[1], r * b[1].row_step, i + VL, u);
			for (int k = 0; k < e->n_stages; k++) {
				const ovl_eltwise_stage *s = &e->stage[k];
				V y = v_zero(), w = y;
				if (s->operand >= 0) {
					const block *o = &b[s->operand];
					y = load(o, r * o->row_step, i, t);
					w = load(o, r * o->row_step, i + VL, u);
				}
				x = do_stage(s, x, y);
				z = do_stage(s, z, w);
			}
			_mm512_mask_storeu_epi16(to + i, (__mmask32)u << VL | t, vh_join(x, z));
		}
	}
}

static void run_block(const ovl_eltwise_plan *e, const block *blocks, int64_t rows, int64_t n)
{
	float result[OVL_ELTWISE_BLOCK] __attribute__((aligned(64))), spare[OVL_ELTWISE_BLOCK] __attribute__((aligned(64)));
	ovl_stage_job j = {.o = result, .x = result, .rows = rows, .n = n, .o_ld = n, .x_ld = n};
	for (int64_t r = 0; r < rows; r++)
		read_row(result + r * n, &blocks[1], r, n);
	for (int i = 0; i < e->n_stages; i++) {
		const ovl_eltwise_stage *s = &e->stage[i];
		if (s->operand >= 0)
			operand_of(&j, &blocks[s->operand], spare);
		j.a = s->a;
		j.b = s->b;
		ovl_stages_avx512[s->kind](&j);
	}
	for (int64_t r = 0; r < rows; r++)
		write_row(result + r * n, &blocks[0], r, n);
}

static void run_unit(const state *s, const ovl_call *call, int64_t unit)
{
	const ovl_eltwise_plan *e = s->e;
	const ovl_loops *l = &e->loops;
	int64_t at[OVL_LOOPS_MAX], first = unit % e->pieces * e->n, row = unit / e->pieces % e->bands * e->rows;
	int64_t n = e->length - first < e->n ? e->length - first : e->n, rows = e->count - row < e->rows ? e->count - row : e->rows;
	block blocks[OVL_LOOPS_MAX];
	ovl_loops_at(l, l->rank > 1 ? l->rank - 2 : 0, unit / e->pieces / e->bands, at);
	for (int v = 0; v < l->n_values; v++) {
		const char *base = v ? call->in[e->input[v]] : call->out[0];
		block b = {NULL, l->rank > 1 ? l->strides[v][l->rank - 2] : 0, l->rank ? l->strides[v][l->rank - 1] : 1, s->half[v]};
		b.at = base + (at[v] + row * b.row_step + first * b.step) * (b.half ? 2 : 4);
		blocks[v] = b;
	}
	if (in_registers(e, blocks))
		run_registers(e, blocks, rows, n);
	else
		run_block(e, blocks, rows, n);
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
	for (int64_t u = chunk * j->chunk; u < last && u < j->s->e->units; u++)
		run_unit(j->s, j->call, u);
}

static ovl_status run(const ovl_call *call)
{
	const state *s = call->state;
	const ovl_eltwise_plan *e = s->e;
	job j = {s, call, ovl_pool_chunk(call->pool, e->units, e->grain)};
	if (e->units)
		ovl_pool_run(call->pool, (e->units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel eltwise = {.name = "eltwise_avx512_bf16",
	.ops = OVL_ELTWISE_OPS,
	.isa = OVL_ISA_AVX512_BF16,
	.halves = true,
	.accept = accept,
	.prepare = prepare,
	.run = run,
	.release = release};
const ovl_kernel *const ovl_kernels_eltwise_avx512_bf16[] = {&eltwise, NULL};
