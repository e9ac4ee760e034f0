/* topk_across_impl.h - TopK of one (what ArgMax and ArgMin are) along a dimension in the middle: VL neighbours at a time go through the dimension
 * together. Included after the vector layer. Of equal values the first one wins, as in topk_impl.h. */
#include "base/memory.h"
#include "kernels/kernel.h"
#include "ops/topk.h"

enum { VECTORS = 4, MOST = 1 << 24 /* indices are floats on the way */ };

typedef struct state {
	bool smallest;
	ovl_type index_type;
	int64_t n, inner, blocks, units; /* blocks of neighbours in a row, and in all rows */
} state;

static int axis_of(const ovl_problem *p)
{
	int64_t axis = ((const ovl_topk_params *)p->params)->axis;
	return (int)(axis < 0 ? axis + p->in[0].rank : axis);
}

static int64_t inner_of(const ovl_problem *p)
{
	int64_t n = 1;
	for (int i = axis_of(p) + 1; i < p->in[0].rank; i++)
		n *= p->in[0].dims[i];
	return n;
}

static const char *accept(ovl_problem *p)
{
	if (p->n_posts || p->n_out != 2)
		return "posts";
	if (p->in[0].type != OVL_F32 || p->out[0].type != OVL_F32 || (p->out[1].type != OVL_I32 && p->out[1].type != OVL_I64))
		return "not f32";
	if (axis_of(p) < 0 || axis_of(p) >= p->in[0].rank || p->out[0].rank != p->in[0].rank)
		return "no such axis";
	if (p->out[0].dims[axis_of(p)] != 1 || p->in[0].dims[axis_of(p)] < 1 || p->in[0].dims[axis_of(p)] > MOST || inner_of(p) < VL)
		return "not one of a dimension in the middle";
	for (int i = 1; i < p->n_in; i++)
		p->in_form[i] = OVL_FORM_ANY; /* k is known from the shape */
	return NULL;
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	state *s = ovl_calloc(1, sizeof *s);
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a TopK");
	out->state = s;
	s->smallest = ((const ovl_topk_params *)p->params)->mode == OVL_TOPK_MIN;
	s->index_type = p->out[1].type;
	s->n = p->in[0].dims[axis_of(p)];
	s->inner = inner_of(p);
	s->blocks = (s->inner + VECTORS * VL - 1) / (VECTORS * VL);
	s->units = s->blocks * (ovl_desc_count(&p->out[0]) / s->inner);
	return OVL_OK;
}

static inline __attribute__((always_inline)) void best_of(const state *s, const float *x, int vectors, const VT *tail, V *best, V *index)
{
	V sign = v_set(s->smallest ? -0.0f : 0.0f);
	for (int v = 0; v < vectors; v++) {
		best[v] = v_xor(v_load_t(x + v * VL, tail[v]), sign);
		index[v] = v_zero();
	}
	for (int64_t i = 1; i < s->n; i++) {
		V at = v_set((float)i);
		x += s->inner;
		for (int v = 0; v < vectors; v++) {
			V a = v_xor(v_load_t(x + v * VL, tail[v]), sign);
			VM better = v_gt(a, best[v]);
			best[v] = v_select(better, a, best[v]);
			index[v] = v_select(better, at, index[v]);
		}
	}
	for (int v = 0; v < vectors; v++)
		best[v] = v_xor(best[v], sign);
}

typedef struct job {
	const state *s;
	const ovl_call *call;
	int64_t chunk;
} job;

static void do_unit(const job *j, int64_t unit)
{
	const state *s = j->s;
	int64_t row = unit / s->blocks, first = unit % s->blocks * VECTORS * VL, n = s->inner - first, at = row * s->inner + first;
	float whole[VECTORS * VL];
	V best[VECTORS], index[VECTORS];
	VT tail[VECTORS];
	n = n < VECTORS * VL ? n : VECTORS * VL;
	for (int v = 0; v < VECTORS; v++)
		tail[v] = v_tail(n - v * VL < 0 ? 0 : n - v * VL);
	best_of(s, (const float *)j->call->in[0] + row * s->n * s->inner + first, VECTORS, tail, best, index);
	for (int v = 0; v < VECTORS; v++) {
		v_store_t((float *)j->call->out[0] + at + v * VL, best[v], tail[v]);
		v_store(whole + v * VL, index[v]);
	}
	for (int64_t i = 0; i < n; i++)
		if (s->index_type == OVL_I32)
			((int32_t *)j->call->out[1])[at + i] = (int32_t)whole[i];
		else
			((int64_t *)j->call->out[1])[at + i] = (int64_t)whole[i];
}

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	(void)worker;
	for (int64_t u = chunk * j->chunk; u < (chunk + 1) * j->chunk && u < j->s->units; u++)
		do_unit(j, u);
}

static ovl_status run(const ovl_call *call)
{
	const state *s = call->state;
	job j = {s, call, ovl_pool_chunk(call->pool, s->units, 1 + 512 / s->n)};
	if (s->units)
		ovl_pool_run(call->pool, (s->units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel topk_across = {.name = V_TEXT("topk_across"), .ops = "TopK", .isa = V_ISA, .accept = accept, .prepare = prepare, .run = run};
