/* A plan as a graph of ExecutionNodes, for get_runtime_model(): what really runs, in which order, by which kernel, in which layout. */
#include "base/str.h"
#include "ops/execution_node.h"
#include "plan/build.h"

#include <string.h>

static const char *layout_text(const ovl_value_ref *v, ovl_str *out)
{
	int64_t ld;
	if (v->late)
		ovl_str_add(out, "dense");
	else if (ovl_desc_is_dense(&v->desc))
		ovl_str_add(out, "dense");
	else if (ovl_desc_is_cl(&v->desc, &ld))
		ovl_str_addf(out, "channels_last(ld=%lld)", (long long)ld);
	else
		ovl_str_add(out, "strided");
	return out->at;
}

/* Who writes what, in the order of execution: a list per value, and a list per slot of all that write somewhere inside it. */
typedef struct writer {
	int step, output, next;
} writer;
typedef struct writers {
	int *of_value, *of_slot; /* heads; -1: nobody */
	OVL_VEC(writer) list;
} writers;

static bool note(writers *w, int *head, int step, int output)
{
	if (!ovl_vec_push(&w->list, ((writer){step, output, *head})))
		return false;
	*head = (int)w->list.n - 1;
	return true;
}

static void writers_close(writers *w)
{
	ovl_free(w->of_value);
	ovl_free(w->of_slot);
	ovl_vec_free(&w->list);
}

static bool writers_open(writers *w, const ovl_plan *p)
{
	bool ok;
	w->of_value = ovl_alloc((p->values.n + 1) * sizeof(int));
	w->of_slot = ovl_alloc((p->slots.n + 1) * sizeof(int));
	ok = w->of_value && w->of_slot;
	if (ok) {
		memset(w->of_value, 0xff, p->values.n * sizeof(int));
		memset(w->of_slot, 0xff, p->slots.n * sizeof(int));
	}
	for (int s = (int)p->steps.n - 1; ok && s >= 0; s--) /* backwards, since new ones go to the head */
		for (int i = p->steps.at[s].n_out - 1; ok && i >= 0; i--) {
			int value = p->steps.at[s].out[i];
			if (value < 0)
				continue;
			ok = note(w, &w->of_value[value], s, i);
			for (int slot = p->values.at[value].slot; ok && slot >= 0; slot = p->slots.at[slot].merged)
				ok = note(w, &w->of_slot[slot], s, i);
		}
	return ok;
}

typedef struct description {
	const ovl_plan *p;
	ovl_node **nodes, **inputs; /* of steps, of parameters */
	writers by;
} description;

static ovl_status connect_writers(const description *d, int head, int step, ovl_node *to, bool *found, ovl_error *err)
{
	for (int i = head; i >= 0 && d->by.list.at[i].step < step; i = d->by.list.at[i].next) {
		OVL_TRY(ovl_node_add_input(to, (ovl_end){d->nodes[d->by.list.at[i].step], d->by.list.at[i].output}, err));
		*found = true;
	}
	return OVL_OK;
}

/* Steps before `step` that write what `value` shows: its own writer, or everybody who wrote into its memory. */
static ovl_status connect(const description *d, int value, int step, ovl_node *to, ovl_error *err)
{
	const ovl_value_ref *v = &d->p->values.at[value];
	size_t at = 0;
	const ovl_slot *root = &d->p->slots.at[ovl_slot_root(d->p, v->slot, &at)];
	bool found = false;
	if (root->kind == OVL_SLOT_INPUT)
		return ovl_node_add_input(to, (ovl_end){d->inputs[root->index], 0}, err);
	OVL_TRY(connect_writers(d, d->by.of_value[value], step, to, &found, err));
	return found ? OVL_OK : connect_writers(d, d->by.of_slot[v->slot], step, to, &found, err);
}

static ovl_status set_text(ovl_node *n, const char *attr, const char *text, ovl_error *err)
{
	ovl_attr_value v = {.kind = OVL_KIND_STRING, .s = text};
	return ovl_node_set(n, attr, &v, err);
}

static ovl_status set_int(ovl_node *n, const char *attr, int64_t i, ovl_error *err)
{
	ovl_attr_value v = {.kind = OVL_KIND_INT, .i = i};
	return ovl_node_set(n, attr, &v, err);
}

static ovl_status tell(ovl_node *n, const ovl_plan *p, int step, ovl_error *err)
{
	const ovl_step *s = &p->steps.at[step];
	ovl_str layouts = {0}, originals = {0};
	ovl_status st;
	for (int i = 0; i < s->n_out; i++) {
		if (i)
			ovl_str_add(&layouts, ",");
		layout_text(&p->values.at[s->out[i]], &layouts);
	}
	if (strcmp(s->type, "Reorder") != 0)
		ovl_str_add(&originals, s->name);
	for (size_t i = 0; i < s->n_fused; i++)
		ovl_str_addf(&originals, ",%s", s->fused[i]);
	st = set_text(n, "layerType", s->type, err);
	if (st == OVL_OK)
		st = set_text(n, "execType", s->exec_type, err);
	if (st == OVL_OK)
		st = set_text(n, "runtimePrecision", s->n_out ? ovl_type_name(p->values.at[s->out[0]].desc.type) : "dynamic", err);
	if (st == OVL_OK)
		st = set_text(n, "outputLayouts", layouts.at ? layouts.at : "", err);
	if (st == OVL_OK)
		st = set_text(n, "originalLayersNames", originals.at ? originals.at : "", err);
	if (st == OVL_OK)
		st = set_int(n, "execOrder", step, err);
	if (st == OVL_OK)
		st = set_int(n, "outputs", s->n_out, err);
	ovl_str_free(&layouts);
	ovl_str_free(&originals);
	return st;
}

static ovl_status describe_step(ovl_graph *g, const description *d, int step, ovl_error *err)
{
	const ovl_plan *p = d->p;
	const ovl_step *s = &p->steps.at[step];
	ovl_node *n;
	OVL_TRY(ovl_graph_op(g, "ExecutionNode", s->name, NULL, 0, &n, err));
	d->nodes[step] = n;
	OVL_TRY(tell(n, p, step, err));
	for (int i = 0; i < s->n_in; i++)
		if (s->in[i] >= 0)
			OVL_TRY(connect(d, s->in[i], step, n, err));
	OVL_TRY(ovl_node_infer(n, err)); /* makes the outputs */
	for (int i = 0; i < s->n_out; i++) {
		const ovl_value_ref *v = &p->values.at[s->out[i]];
		ovl_shape shape = ovl_shape_of(v->desc.rank, v->desc.dims);
		n->out.at[i].type = v->desc.type;
		n->out.at[i].shape = v->late ? ovl_pshape_any() : ovl_pshape_static(&shape);
	}
	return OVL_OK;
}

static ovl_status describe_output(ovl_graph *g, const description *d, int i, const ovl_node *original, ovl_error *err)
{
	const ovl_plan *p = d->p;
	const ovl_output *o = ovl_source(original, 0);
	ovl_node *r, *c;
	ovl_end end;
	OVL_TRY(ovl_graph_op(g, "Result", original->name, NULL, 0, &r, err));
	OVL_TRY(connect(d, p->output_values[i], (int)p->steps.n, r, err));
	ovl_node_cut_inputs(r, r->in.n ? 1 : 0);
	if (r->in.n == 0) { /* a constant result */
		ovl_tensor *t = p->slots.at[p->values.at[p->output_values[i]].slot].constant;
		if (!t)
			return ovl_fail(err, OVL_E_INTERNAL, "output %d has no source", i);
		OVL_TRY(ovl_graph_constant(g, t, NULL, &c, err));
		OVL_TRY(ovl_node_add_input(r, (ovl_end){c, 0}, err));
	}
	end = r->in.at[0];
	for (size_t k = 0; k < o->names.n; k++)
		OVL_TRY(ovl_node_add_name(end.node, end.port, o->names.at[k], err));
	return ovl_node_infer(r, err);
}

static ovl_status describe_all(const description *d, const ovl_graph *original, ovl_graph *g, ovl_error *err)
{
	for (size_t i = 0; i < original->parameters.n; i++) {
		const ovl_node *from = original->parameters.at[i];
		ovl_parameter_params *params;
		OVL_TRY(ovl_graph_op(g, "Parameter", from->name, NULL, 0, &d->inputs[i], err));
		params = d->inputs[i]->params;
		params->element_type = from->out.at[0].type;
		params->shape = ovl_pshape_static(&d->p->input_shapes[i]);
		OVL_TRY(ovl_node_infer(d->inputs[i], err));
		for (size_t k = 0; k < from->out.at[0].names.n; k++)
			OVL_TRY(ovl_node_add_name(d->inputs[i], 0, from->out.at[0].names.at[k], err));
	}
	for (size_t s = 0; s < d->p->steps.n; s++)
		OVL_TRY(describe_step(g, d, (int)s, err));
	for (size_t i = 0; i < original->results.n; i++)
		OVL_TRY(describe_output(g, d, (int)i, original->results.at[i], err));
	return OVL_OK;
}

ovl_status ovl_plan_describe(const ovl_plan *p, struct ovl_graph **out, ovl_error *err)
{
	const ovl_graph *original = ovl_program_graph(p->program);
	ovl_graph *g = ovl_graph_new(original->name);
	description d = {.p = p, .nodes = ovl_calloc(p->steps.n + (size_t)p->n_inputs + 1, sizeof *d.nodes)};
	ovl_status st = ovl_fail(err, OVL_E_MEMORY, "not enough memory for a runtime model");
	if (g && d.nodes && writers_open(&d.by, p)) {
		d.inputs = d.nodes + p->steps.n;
		st = describe_all(&d, original, g, err);
	}
	writers_close(&d.by);
	ovl_free(d.nodes);
	if (st != OVL_OK)
		ovl_graph_free(g);
	else
		*out = g;
	return st;
}
