/* Programs: a graph after its passes, and the plans made from it so far. */
#include "plan/program.h"
#include "base/log.h"
#include "base/refill.h"
#include "base/str.h"
#include "graph/bundle.h"
#include "passes/pass.h"
#include "plan/build.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct ovl_program {
	ovl_graph *graph;
	ovl_plan_options options;
	ovl_packs *packs; /* borrowed */
	int n_inputs, n_outputs;
	const void **constants; /* sorted addresses of the graph's own constants */
	size_t n_constants;
	bool dropped; /* some constants' memory was given back */
	pthread_mutex_t lock; /* the cache and the counters; held while a plan is built, so that two threads do not build the same one */
	OVL_VEC(ovl_plan *) plans;
	uint64_t clock, hits, misses, evictions;
};

static int by_address(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	return x < y ? -1 : x > y;
}

static ovl_status list_constants(ovl_program *p, ovl_error *err)
{
	size_t n = 0;
	for (size_t i = 0; i < p->graph->nodes.n; i++)
		n += p->graph->nodes.at[i]->out.n;
	p->constants = ovl_alloc((n + 1) * sizeof *p->constants);
	if (!p->constants)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a program");
	for (size_t i = 0; i < p->graph->nodes.n; i++)
		for (size_t k = 0; k < p->graph->nodes.at[i]->out.n; k++) {
			const ovl_tensor *t = p->graph->nodes.at[i]->out.at[k].value;
			if (t && ovl_tensor_dense(t))
				p->constants[p->n_constants++] = t->data;
		}
	qsort(p->constants, p->n_constants, sizeof *p->constants, by_address);
	return OVL_OK;
}

bool ovl_program_owns_constant(const ovl_program *p, const void *data)
{
	return bsearch(&data, p->constants, p->n_constants, sizeof *p->constants, by_address) != NULL;
}

static ovl_status make(struct ovl_graph *g, bool passes, const ovl_plan_options *options, ovl_packs *packs, ovl_program **out, ovl_error *err)
{
	ovl_program *p = ovl_calloc(1, sizeof *p);
	ovl_status st;
	if (!p) {
		ovl_graph_free(g);
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a program");
	}
	pthread_mutex_init(&p->lock, NULL);
	p->graph = g;
	p->options = *options;
	p->packs = packs;
	p->n_inputs = (int)g->parameters.n;
	p->n_outputs = (int)g->results.n;
	st = passes ? ovl_passes_run(g, err) : OVL_OK;
	if (st == OVL_OK)
		st = ovl_graph_sort(g, err);
	if (st == OVL_OK)
		st = list_constants(p, err);
	if (st != OVL_OK)
		ovl_program_free(p);
	else
		*out = p;
	return st;
}

ovl_status ovl_program_new(struct ovl_graph *g, const ovl_plan_options *options, ovl_packs *packs, ovl_program **out, ovl_error *err)
{
	return make(g, true, options, packs, out, err);
}

ovl_status ovl_program_load(struct ovl_graph *g, const ovl_plan_options *options, ovl_packs *packs, ovl_program **out, ovl_error *err)
{
	return make(g, false, options, packs, out, err);
}

void ovl_program_free(ovl_program *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->plans.n; i++)
		ovl_plan_release(p->plans.at[i]);
	ovl_vec_free(&p->plans);
	ovl_graph_free(p->graph);
	ovl_free(p->constants);
	pthread_mutex_destroy(&p->lock);
	ovl_free(p);
}

int ovl_program_inputs(const ovl_program *p) { return p->n_inputs; }
int ovl_program_outputs(const ovl_program *p) { return p->n_outputs; }
const ovl_plan_options *ovl_program_options(const ovl_program *p) { return &p->options; }
const struct ovl_graph *ovl_program_graph(const ovl_program *p) { return p->graph; }

/* ---- weights that come and go ---- */

static int holds(const ovl_graph *g, const ovl_tensor *t)
{
	int n = 0;
	for (size_t i = 0; g && i < g->nodes.n; i++) {
		const ovl_node *node = g->nodes.at[i];
		n += ovl_node_is(node, "Constant") && ((const ovl_constant_params *)node->params)->value == t;
		for (size_t k = 0; k < node->out.n; k++)
			n += node->out.at[k].value == t;
	}
	return n;
}

static void drop(ovl_program *p, const ovl_graph *also, ovl_tensor *t)
{
	if (ovl_buffer_is_file(t->buffer)) {
		ovl_file_forget(t->data, ovl_tensor_bytes(t));
		return;
	}
	if (!ovl_refill_can(t->buffer) || __atomic_load_n(&t->buffer->refs, __ATOMIC_ACQUIRE) != 1 ||
		__atomic_load_n(&t->refs, __ATOMIC_ACQUIRE) != holds(p->graph, t) + holds(also, t))
		return;
	ovl_refill_drop(t->buffer);
	p->dropped = true;
}

void ovl_program_drop(ovl_program *p, const ovl_graph *graph, ovl_tensor *t)
{
	if (p->misses == 1)
		drop(p, graph, t);
}

void ovl_program_settle(ovl_program *p)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; p->misses == 1 && i < p->graph->nodes.n; i++)
		if (ovl_node_is(p->graph->nodes.at[i], "Constant"))
			drop(p, NULL, ((const ovl_constant_params *)p->graph->nodes.at[i]->params)->value);
	pthread_mutex_unlock(&p->lock);
}

static void restore(ovl_program *p)
{
	for (size_t i = 0; p->dropped && i < p->graph->nodes.n; i++)
		if (ovl_node_is(p->graph->nodes.at[i], "Constant"))
			ovl_refill_restore(((const ovl_constant_params *)p->graph->nodes.at[i]->params)->value->buffer);
	p->dropped = false;
}

ovl_status ovl_program_clone(ovl_program *p, ovl_graph **out, ovl_error *err)
{
	ovl_status st;
	pthread_mutex_lock(&p->lock);
	restore(p);
	st = ovl_graph_clone(p->graph, out, err);
	pthread_mutex_unlock(&p->lock);
	return st;
}


ovl_status ovl_program_put(ovl_program *p, ovl_bundle_out *out, ovl_error *err)
{
	ovl_status st;
	pthread_mutex_lock(&p->lock);
	restore(p);
	st = ovl_bundle_put_graph(out, p->graph, err);
	pthread_mutex_unlock(&p->lock);
	return st;
}

static bool key_equal(const ovl_plan *plan, const ovl_shape *inputs)
{
	for (int i = 0; i < plan->n_inputs; i++)
		if (!ovl_shape_equal(&plan->input_shapes[i], &inputs[i]))
			return false;
	return true;
}

static void evict(ovl_program *p)
{
	size_t oldest = 0;
	for (size_t i = 1; i < p->plans.n; i++)
		if (p->plans.at[i]->used < p->plans.at[oldest]->used)
			oldest = i;
	ovl_plan_release(p->plans.at[oldest]);
	p->plans.at[oldest] = p->plans.at[--p->plans.n];
	p->evictions++;
}

static void make_room(ovl_program *p)
{
	for (;;) {
		size_t bytes = 0;
		for (size_t i = 0; i < p->plans.n; i++)
			bytes += p->plans.at[i]->arena_size + p->plans.at[i]->scratch_size;
		if (p->plans.n == 0 || (p->plans.n < p->options.cache_entries && bytes <= p->options.cache_bytes))
			return;
		evict(p);
	}
}

ovl_status ovl_program_plan(ovl_program *p, const ovl_shape *inputs, ovl_plan **out, ovl_error *err)
{
	ovl_status st;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->plans.n; i++)
		if (key_equal(p->plans.at[i], inputs)) {
			p->hits++;
			p->plans.at[i]->used = ++p->clock;
			*out = ovl_plan_retain(p->plans.at[i]);
			pthread_mutex_unlock(&p->lock);
			return OVL_OK;
		}
	p->misses++;
	restore(p);
	st = ovl_plan_build(p, p->graph, inputs, p->packs, out, err);
	if (st == OVL_OK) {
		make_room(p);
		(*out)->used = ++p->clock;
		if (ovl_vec_push(&p->plans, *out))
			ovl_plan_retain(*out);
	}
	pthread_mutex_unlock(&p->lock);
	return st;
}

ovl_status ovl_program_trial(ovl_program *p, const ovl_shape *inputs, ovl_plan **out, ovl_error *err)
{
	ovl_status st;
	pthread_mutex_lock(&p->lock);
	restore(p);
	st = ovl_plan_build(p, p->graph, inputs, p->packs, out, err);
	pthread_mutex_unlock(&p->lock);
	return st;
}

static void count_weights(const ovl_program *p, ovl_program_counters *out)
{
	for (size_t i = 0; i < p->graph->nodes.n; i++) {
		const ovl_node *n = p->graph->nodes.at[i];
		const ovl_tensor *t = ovl_node_is(n, "Constant") ? ((const ovl_constant_params *)n->params)->value : NULL;
		if (t && ovl_buffer_is_file(t->buffer))
			out->mapped_bytes += ovl_tensor_bytes(t);
		else if (t && !ovl_refill_away(t->buffer))
			out->weight_bytes += ovl_tensor_bytes(t);
	}
}

void ovl_program_count(ovl_program *p, ovl_program_counters *out)
{
	pthread_mutex_lock(&p->lock);
	*out = (ovl_program_counters){p->plans.n, p->hits, p->misses, p->evictions, 0, 0};
	count_weights(p, out);
	pthread_mutex_unlock(&p->lock);
}

void ovl_program_trim(ovl_program *p)
{
	pthread_mutex_lock(&p->lock);
	while (p->plans.n > 1)
		evict(p);
	pthread_mutex_unlock(&p->lock);
}

ovl_plan *ovl_program_last_plan(ovl_program *p)
{
	ovl_plan *last = NULL;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->plans.n; i++)
		if (!last || p->plans.at[i]->used > last->used)
			last = p->plans.at[i];
	if (last)
		ovl_plan_retain(last);
	pthread_mutex_unlock(&p->lock);
	return last;
}

ovl_plan *ovl_plan_retain(ovl_plan *p)
{
	__atomic_fetch_add(&p->refs, 1, __ATOMIC_RELAXED);
	return p;
}

static void free_step(ovl_step *s)
{
	if (s->kernel && s->kernel->release)
		s->kernel->release(s->prep.state);
	else
		ovl_free(s->prep.state);
	ovl_ref_free(s->ref);
	ovl_free(s->in);
	ovl_free(s->name);
	for (size_t i = 0; i < s->n_fused; i++)
		ovl_free((void *)(uintptr_t)s->fused[i]);
	ovl_free((void *)(uintptr_t)s->fused);
}

void ovl_plan_release(ovl_plan *p)
{
	if (!p || __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < p->steps.n; i++)
		free_step(&p->steps.at[i]);
	for (size_t i = 0; i < p->slots.n; i++)
		ovl_tensor_release(p->slots.at[i].constant);
	ovl_vec_free(&p->steps);
	ovl_vec_free(&p->spans);
	ovl_vec_free(&p->slots);
	ovl_vec_free(&p->values);
	ovl_free(p->input_shapes);
	ovl_free(p->output_values);
	ovl_free(p->output_direct);
	ovl_free(p->output_types);
	ovl_free(p);
}

void ovl_plan_dump(const ovl_plan *p, struct ovl_str *out)
{
	ovl_str_addf(out, "plan: %zu steps, arena %zu bytes, scratch %zu bytes\n", p->steps.n, p->arena_size, p->scratch_size);
	for (size_t i = 0; i < p->steps.n; i++) {
		const ovl_step *s = &p->steps.at[i];
		ovl_str_addf(out, "%4zu %-20s %-28s '%s'", i, s->type, s->exec_type, s->name);
		for (int k = 0; k < s->n_in + s->n_out; k++) {
			const ovl_value_ref *v;
			if (k == s->n_in)
				ovl_str_add(out, " ->");
			if (s->in[k] < 0)
				continue;
			v = &p->values.at[s->in[k]];
			ovl_str_addf(out, " %%%d@%d[", s->in[k], v->slot);
			for (int d = 0; d < v->desc.rank; d++)
				ovl_str_addf(out, "%s%lld", d ? "," : "", (long long)v->desc.dims[d]);
			ovl_str_add(out, "|");
			for (int d = 0; d < v->desc.rank; d++)
				ovl_str_addf(out, "%s%lld", d ? "," : "", (long long)v->desc.strides[d]);
			ovl_str_add(out, "]");
		}
		ovl_str_add(out, "\n");
	}
}
