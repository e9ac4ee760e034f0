#include "kernels/typed.h"
#include "base/memory.h"
#include "kernels/eltwise.h"
#include "ops/eltwise.h"

static const ovl_typed_entry *find(const ovl_problem *p, const ovl_typed_entry *table)
{
	ovl_type type = p->in[p->n_op_in - 1].type;
	for (; table->op; table++)
		if (!strcmp(table->op, p->op) && (table->type == type || (table->type == OVL_DYNAMIC && table->size == ovl_type_size(type))))
			return table;
	return NULL;
}

const char *ovl_typed_accept(ovl_problem *p, const ovl_typed_entry *table)
{
	bool logical_not = !strcmp(p->op, "LogicalNot"); /* has no parameters */
	if (p->n_posts || p->n_out != 1 || p->n_op_in < 1 || p->n_op_in > 3)
		return "posts";
	if (p->out[0].type == OVL_STRING || !ovl_type_size(p->out[0].type) || !find(p, table))
		return "no loop for this type";
	for (int i = 0; i < p->n_op_in; i++) {
		int64_t strides[OVL_MAX_RANK];
		if (i && strcmp(p->op, "Select") && p->in[i].type != p->in[0].type)
			return "types differ";
		if (!ovl_desc_broadcast_strides(&p->in[i], &p->out[0], strides))
			return "an input does not broadcast to the result";
	}
	if (!logical_not && ((const ovl_binary_params *)p->params)->auto_broadcast == OVL_BROADCAST_PDPD)
		return "pdpd broadcasting";
	ovl_eltwise_forms(p);
	p->in_place = -1;
	return NULL;
}

ovl_status ovl_typed_prepare(const ovl_problem *p, const ovl_typed_entry *table, ovl_prepared *out, ovl_error *err)
{
	const ovl_desc *list[3] = {&p->in[0], &p->in[1], &p->in[2]};
	ovl_typed_plan *t = ovl_calloc(1, sizeof *t);
	int64_t n;
	if (!t)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for an element-wise step");
	out->state = t;
	t->fn = find(p, table)->fn;
	t->size[0] = ovl_type_size(p->out[0].type);
	for (int i = 0; i < p->n_op_in; i++)
		t->size[i + 1] = ovl_type_size(p->in[i].type);
	ovl_loops_broadcast(&t->loops, &p->out[0], p->n_op_in, list);
	if (!ovl_desc_count(&p->out[0]))
		return OVL_OK;
	n = t->loops.rank ? t->loops.dims[t->loops.rank - 1] : 1;
	t->outer = ovl_loops_count(&t->loops, t->loops.rank ? t->loops.rank - 1 : 0);
	t->piece = n < 16384 ? n : 16384;
	t->pieces = (n + t->piece - 1) / t->piece;
	t->grain = 1 + 32768 / (t->piece < 16 ? 16 : t->piece);
	return OVL_OK;
}

typedef struct job {
	const ovl_typed_plan *t;
	const ovl_call *call;
	int64_t chunk;
} job;

static void run_unit(const ovl_typed_plan *t, const ovl_call *call, int64_t unit)
{
	const ovl_loops *l = &t->loops;
	int64_t at[OVL_LOOPS_MAX], first = unit % t->pieces * t->piece, n = l->rank ? l->dims[l->rank - 1] : 1;
	ovl_typed_row r = {.n = n - first < t->piece ? n - first : t->piece};
	ovl_loops_at(l, l->rank ? l->rank - 1 : 0, unit / t->pieces, at);
	r.o_step = l->rank ? l->strides[0][l->rank - 1] : 1;
	r.o = (char *)call->out[0] + (at[0] + first * r.o_step) * (int64_t)t->size[0];
	for (int v = 1; v < l->n_values; v++) {
		r.step[v - 1] = l->rank ? l->strides[v][l->rank - 1] : 1;
		r.x[v - 1] = (const char *)call->in[v - 1] + (at[v] + first * r.step[v - 1]) * (int64_t)t->size[v];
	}
	t->fn(&r);
}

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	int64_t units = j->t->outer * j->t->pieces, last = (chunk + 1) * j->chunk;
	(void)worker;
	for (int64_t u = chunk * j->chunk; u < last && u < units; u++)
		run_unit(j->t, j->call, u);
}

ovl_status ovl_typed_run(const ovl_call *call)
{
	const ovl_typed_plan *t = call->state;
	int64_t units = t->outer * t->pieces;
	job j = {t, call, ovl_pool_chunk(call->pool, units, t->grain)};
	if (units)
		ovl_pool_run(call->pool, (units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}
