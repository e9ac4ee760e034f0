/* convert.c - Convert on several threads and in any form whose rows are contiguous: no copy back to dense on the way. The loops are tensor/convert.c's. */
#include "tensor/convert.h"
#include "base/memory.h"
#include "kernels/loops.h"

typedef struct state {
	ovl_loops loops;
	ovl_type from, to;
	int64_t from_size, to_size;
	int64_t n, piece, pieces, units;
} state;

static const char *accept(ovl_problem *p)
{
	const ovl_desc *from = &p->in[0], *to = &p->out[0];
	int64_t ld;
	if (p->n_posts)
		return "posts";
	if (from->type == OVL_STRING || !ovl_type_size(from->type) || to->type == OVL_STRING || !ovl_type_size(to->type))
		return "string or packed type";
	p->out_form[0] = OVL_FORM_LIKE;
	p->in_form[0] = !ovl_desc_is_dense(from) && ovl_desc_is_cl(from, &ld) ? OVL_FORM_CL : OVL_FORM_DENSE;
	for (int i = 1; i < p->n_in; i++)
		p->in_form[i] = OVL_FORM_ANY; /* ConvertLike's: never read */
	return NULL;
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	const int64_t *strides[] = {p->out[0].strides, p->in[0].strides};
	state *s = ovl_calloc(1, sizeof *s);
	ovl_loops *l;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a conversion");
	out->state = s;
	l = &s->loops;
	s->from = p->in[0].type;
	s->to = p->out[0].type;
	s->from_size = (int64_t)ovl_type_size(s->from);
	s->to_size = (int64_t)ovl_type_size(s->to);
	if (!ovl_desc_count(&p->out[0]))
		return OVL_OK;
	ovl_loops_make(l, p->out[0].rank, p->out[0].dims, 2, strides);
	if (l->rank && (l->strides[0][l->rank - 1] != 1 || l->strides[1][l->rank - 1] != 1)) {
		l->dims[l->rank] = 1; /* a view that came without contiguous rows: one element at a time */
		l->strides[0][l->rank] = l->strides[1][l->rank] = 1;
		l->rank++;
	}
	s->n = l->rank ? l->dims[l->rank - 1] : 1;
	s->piece = s->n < 16384 ? s->n : 16384;
	s->pieces = (s->n + s->piece - 1) / s->piece;
	s->units = ovl_loops_count(l, l->rank ? l->rank - 1 : 0) * s->pieces;
	return OVL_OK;
}

typedef struct job {
	const state *s;
	const ovl_call *call;
	int64_t chunk;
} job;

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	const state *s = j->s;
	int64_t last = (chunk + 1) * j->chunk, at[OVL_LOOPS_MAX];
	(void)worker;
	for (int64_t u = chunk * j->chunk; u < last && u < s->units; u++) {
		int64_t first = u % s->pieces * s->piece, n = s->n - first < s->piece ? s->n - first : s->piece;
		ovl_loops_at(&s->loops, s->loops.rank ? s->loops.rank - 1 : 0, u / s->pieces, at);
		ovl_convert(s->from, (const char *)j->call->in[0] + (at[1] + first) * s->from_size, 0, s->to, (char *)j->call->out[0] + (at[0] + first) * s->to_size, 0, n, true);
	}
}

static ovl_status run(const ovl_call *call)
{
	const state *s = call->state;
	job j = {s, call, s->units ? ovl_pool_chunk(call->pool, s->units, 1 + 32768 / (s->piece < 16 ? 16 : s->piece)) : 1};
	if (s->units)
		ovl_pool_run(call->pool, (s->units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel convert = {.name = "convert", .ops = "Convert ConvertLike", .isa = OVL_ISA_SCALAR, .accept = accept, .prepare = prepare, .run = run};
const ovl_kernel *const ovl_kernels_convert[] = {&convert, NULL};
