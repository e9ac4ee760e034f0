/* Nodes: making, connecting, inferring, dropping. */
#include "graph/graph.h"
#include "graph/infer.h"

#include <stdio.h>
#include <string.h>

static ovl_status no_memory(ovl_error *err) { return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a node"); }

static void free_names(ovl_output *o)
{
	for (size_t i = 0; i < o->names.n; i++)
		ovl_free(o->names.at[i]);
	ovl_vec_free(&o->names);
}

static void clear_output(ovl_output *o)
{
	free_names(o);
	ovl_vec_free(&o->users);
	ovl_tensor_release(o->value);
	o->value = NULL;
}

static bool resize_outputs(ovl_node *n, size_t count)
{
	if (!ovl_vec_reserve(&n->out, count))
		return false;
	for (size_t i = count; i < n->out.n; i++)
		clear_output(&n->out.at[i]);
	for (size_t i = n->out.n; i < count; i++)
		n->out.at[i] = (ovl_output){.type = OVL_DYNAMIC, .shape = ovl_pshape_any()};
	n->out.n = count;
	return true;
}

ovl_status ovl_node_new(const ovl_op *op, int opset, const char *name, ovl_node **out, ovl_error *err)
{
	static int counter;
	char made[96];
	ovl_node *n = ovl_calloc(1, sizeof *n);
	if (!n)
		return no_memory(err);
	if (!name || !*name) {
		snprintf(made, sizeof made, "%s_%d", op->name, __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED));
		name = made;
	}
	n->refs = 1;
	n->op = op;
	n->opset = opset;
	n->index = -1;
	n->name = ovl_strdup(name);
	n->params = ovl_calloc(1, op->params_size ? op->params_size : 1);
	if (!n->name || !n->params || !resize_outputs(n, op->outputs > 0 ? (size_t)op->outputs : 0)) {
		ovl_node_release(n);
		return no_memory(err);
	}
	if (ovl_attrs_init(op->attrs, n->params, err) != OVL_OK) {
		ovl_node_release(n);
		return err->code;
	}
	*out = n;
	return OVL_OK;
}

ovl_node *ovl_node_retain(ovl_node *n)
{
	__atomic_fetch_add(&n->refs, 1, __ATOMIC_RELAXED);
	return n;
}

static void drop_user(ovl_end source, const ovl_node *n, int input)
{
	ovl_output *o;
	if (!source.node || source.port >= (int)source.node->out.n)
		return;
	o = &source.node->out.at[source.port];
	for (size_t k = 0; k < o->users.n; k++) { /* from both ends: nodes go in order or against it, and a constant may have thousands of readers */
		size_t i = k & 1 ? o->users.n - 1 - k / 2 : k / 2;
		if (o->users.at[i].node == n && o->users.at[i].port == input) {
			memmove(&o->users.at[i], &o->users.at[i + 1], (o->users.n - i - 1) * sizeof *o->users.at);
			o->users.n--;
			return;
		}
	}
}

static void free_node(ovl_node *n)
{
	for (size_t i = 0; i < n->out.n; i++)
		clear_output(&n->out.at[i]);
	ovl_vec_free(&n->out);
	for (size_t i = 0; i < n->bodies.n; i++) {
		ovl_graph_free(n->bodies.at[i].graph);
		ovl_vec_free(&n->bodies.at[i].ins);
		ovl_vec_free(&n->bodies.at[i].outs);
		ovl_vec_free(&n->bodies.at[i].back);
	}
	ovl_vec_free(&n->bodies);
	ovl_vec_free(&n->posts);
	for (size_t i = 0; i < n->fused.n; i++)
		ovl_free(n->fused.at[i]);
	ovl_vec_free(&n->fused);
	if (n->params)
		ovl_attrs_free(n->op->attrs, n->params);
	ovl_free(n->params);
	ovl_free(n->name);
	ovl_vec_free(&n->in);
	ovl_free(n);
}

/* Long chains must not recurse: nodes whose count falls to zero are strung together through their own `graph` field, which they no longer need. */
void ovl_node_release(ovl_node *n)
{
	ovl_node *list = NULL;
	if (!n || __atomic_sub_fetch(&n->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	n->graph = NULL;
	list = n;
	while (list) {
		ovl_node *dead = list;
		list = (ovl_node *)(void *)dead->graph;
		for (size_t i = 0; i < dead->in.n; i++) {
			ovl_node *src = dead->in.at[i].node;
			if (!src)
				continue;
			drop_user(dead->in.at[i], dead, (int)i);
			if (__atomic_sub_fetch(&src->refs, 1, __ATOMIC_ACQ_REL) == 0) {
				src->graph = (ovl_graph *)(void *)list;
				list = src;
			}
		}
		free_node(dead);
	}
}

ovl_status ovl_node_set(ovl_node *n, const char *attr, const ovl_attr_value *v, ovl_error *err)
{
	const ovl_attr *a = ovl_attrs_find(n->op->attrs, attr);
	if (!a)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s has no attribute '%s'", n->op->name, attr);
	if (ovl_attr_set(a, n->params, v, err) != OVL_OK)
		return ovl_error_prefix(err, "%s '%s'", n->op->name, n->name);
	return OVL_OK;
}

ovl_status ovl_node_set_text(ovl_node *n, const char *attr, const char *text, ovl_error *err)
{
	const ovl_attr *a = ovl_attrs_find(n->op->attrs, attr);
	if (!a)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s has no attribute '%s'", n->op->name, attr);
	if (ovl_attr_parse(a, n->params, text, err) != OVL_OK)
		return ovl_error_prefix(err, "%s '%s'", n->op->name, n->name);
	return OVL_OK;
}

static ovl_status connect(ovl_node *n, int i, ovl_end source, ovl_error *err)
{
	if (!source.node)
		return OVL_OK;
	if (source.port < 0 || source.port >= (int)source.node->out.n)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s '%s', input %d: '%s' has no output %d", n->op->name, n->name, i, source.node->name, source.port);
	if (!ovl_vec_push(&source.node->out.at[source.port].users, ((ovl_end){n, i})))
		return no_memory(err);
	ovl_node_retain(source.node);
	return OVL_OK;
}

ovl_status ovl_node_add_input(ovl_node *n, ovl_end source, ovl_error *err)
{
	if (!ovl_vec_reserve(&n->in, n->in.n + 1))
		return no_memory(err);
	OVL_TRY(connect(n, (int)n->in.n, source, err));
	n->in.at[n->in.n++] = source;
	return OVL_OK;
}

ovl_status ovl_node_set_input(ovl_node *n, int i, ovl_end source, ovl_error *err)
{
	ovl_end old;
	if (i < 0 || i >= (int)n->in.n)
		return ovl_fail(err, OVL_E_INTERNAL, "%s '%s' has no input %d", n->op->name, n->name, i);
	old = n->in.at[i];
	OVL_TRY(connect(n, i, source, err));
	drop_user(old, n, i);
	n->in.at[i] = source;
	/* When old and new are the same end, drop_user took away one of two equal entries: fine. */
	ovl_node_release(old.node);
	return OVL_OK;
}

void ovl_node_cut_inputs(ovl_node *n, int count)
{
	while ((int)n->in.n > count) {
		ovl_end old = n->in.at[--n->in.n];
		drop_user(old, n, (int)n->in.n);
		ovl_node_release(old.node);
	}
}

ovl_status ovl_node_add_name(ovl_node *n, int port, const char *name, ovl_error *err)
{
	ovl_output *o = &n->out.at[port];
	size_t at = 0;
	char *copy;
	while (at < o->names.n && strcmp(o->names.at[at], name) < 0)
		at++;
	if (at < o->names.n && strcmp(o->names.at[at], name) == 0)
		return OVL_OK;
	copy = ovl_strdup(name);
	if (!copy || !ovl_vec_push(&o->names, copy)) {
		ovl_free(copy);
		return no_memory(err);
	}
	memmove(&o->names.at[at + 1], &o->names.at[at], (o->names.n - 1 - at) * sizeof *o->names.at);
	o->names.at[at] = copy;
	return OVL_OK;
}

ovl_status ovl_node_rename(ovl_node *n, const char *name, ovl_error *err)
{
	char *copy = ovl_strdup(name);
	if (!copy)
		return no_memory(err);
	ovl_free(n->name);
	n->name = copy;
	return OVL_OK;
}

ovl_status ovl_node_add_post(ovl_node *n, ovl_post_kind kind, float alpha, float beta, const ovl_end *operand, ovl_error *err)
{
	ovl_post post = {kind, operand ? (int)n->in.n : -1, alpha, beta};
	if (n->posts.n >= OVL_MAX_POSTS || !ovl_vec_reserve(&n->posts, n->posts.n + 1))
		return n->posts.n >= OVL_MAX_POSTS ? ovl_fail(err, OVL_E_INTERNAL, "too many fused operations behind '%s'", n->name) : no_memory(err);
	if (operand)
		OVL_TRY(ovl_node_add_input(n, *operand, err));
	n->posts.at[n->posts.n++] = post;
	return OVL_OK;
}

ovl_status ovl_node_add_body(ovl_node *n, ovl_graph *body, ovl_body **out, ovl_error *err)
{
	ovl_body b = {.graph = body, .iteration_parameter = -1, .condition_result = -1};
	if (!ovl_vec_push(&n->bodies, b))
		return no_memory(err);
	*out = &n->bodies.at[n->bodies.n - 1];
	return OVL_OK;
}

bool ovl_node_is(const ovl_node *n, const char *type_name) { return strcmp(n->op->name, type_name) == 0; }

ovl_tensor *ovl_node_value(ovl_end source)
{
	if (!source.node)
		return NULL;
	return source.node->out.at[source.port].value;
}

ovl_node *ovl_node_only_user(const ovl_node *n)
{
	if (n->out.n == 0 || n->out.at[0].users.n != 1)
		return NULL;
	for (size_t i = 1; i < n->out.n; i++)
		if (n->out.at[i].users.n)
			return NULL;
	return n->out.at[0].users.at[0].node;
}

/* ---- inference of one node ---- */

enum { FOLD_BYTES = 64 * 1024 }; /* values up to this size are followed through shape arithmetic while inferring */

typedef struct work {
	int n_in, n_out;
	ovl_type *in_type, *out_type;
	ovl_pshape *in_shape, *out_shape;
	ovl_tensor **in_value, **out_value;
	void *block;
} work;

static bool work_open(work *w, int n_in, int n_out)
{
	size_t in = (size_t)n_in, out = (size_t)(n_out > 0 ? n_out : 0);
	size_t size = (in + out) * (sizeof(ovl_pshape) + sizeof(void *) + sizeof(ovl_type)) + 64;
	char *p = w->block = ovl_calloc(1, size);
	if (!p)
		return false;
	w->n_in = n_in;
	w->n_out = n_out;
	w->in_shape = (ovl_pshape *)(void *)p, p += in * sizeof(ovl_pshape);
	w->out_shape = (ovl_pshape *)(void *)p, p += out * sizeof(ovl_pshape);
	w->in_value = (ovl_tensor **)(void *)p, p += in * sizeof(void *);
	w->out_value = (ovl_tensor **)(void *)p, p += out * sizeof(void *);
	w->in_type = (ovl_type *)(void *)p, p += in * sizeof(ovl_type);
	w->out_type = (ovl_type *)(void *)p;
	return true;
}

static void work_inputs(work *w, const ovl_node *n)
{
	for (int i = 0; i < w->n_in; i++) {
		const ovl_output *o;
		if (!n->in.at[i].node) {
			w->in_shape[i] = ovl_pshape_any();
			continue;
		}
		o = ovl_source(n, i);
		w->in_type[i] = o->type;
		w->in_shape[i] = o->shape;
		w->in_value[i] = o->value;
	}
}

static ovl_status check_arity(const ovl_node *n, int n_in, ovl_error *err)
{
	const ovl_op *op = n->op;
	if (n_in < op->min_inputs || (op->max_inputs >= 0 && n_in > op->max_inputs))
		return ovl_fail(err, OVL_E_ARGUMENT, "%s '%s': got %d inputs, expected %d%s", op->name, n->name, n_in, op->min_inputs,
			op->max_inputs < 0 ? " or more" : op->max_inputs > op->min_inputs ? " or a few more" : "");
	return OVL_OK;
}

int ovl_node_own_inputs(const ovl_node *n)
{
	int count = (int)n->in.n;
	for (size_t i = 0; i < n->posts.n; i++)
		if (n->posts.at[i].input >= 0 && n->posts.at[i].input < count)
			count = n->posts.at[i].input;
	return count;
}

static bool foldable(const ovl_node *n, const work *w)
{
	if (!n->op->run || (n->op->flags & (OVL_OP_STATEFUL | OVL_OP_RANDOM | OVL_OP_SINK)) || n->posts.n || n->bodies.n || w->n_in == 0)
		return false;
	for (int i = 0; i < w->n_in; i++)
		if (n->in.at[i].node && (!w->in_value[i] || ovl_tensor_bytes(w->in_value[i]) > FOLD_BYTES))
			return false;
	for (int i = 0; i < w->n_out; i++) {
		ovl_shape s;
		size_t bytes;
		if (n->op->flags & OVL_OP_LATE)
			continue;
		if (w->out_type[i] == OVL_DYNAMIC || !ovl_pshape_to_shape(&w->out_shape[i], &s) || !ovl_type_bytes(w->out_type[i], ovl_shape_elements(&s), &bytes) ||
			bytes > FOLD_BYTES)
			return false;
	}
	return true;
}

static ovl_status fold(ovl_node *n, work *w, ovl_error *err)
{
	ovl_run run = {.op = n->op, .params = n->params, .n_in = w->n_in, .in = w->in_value, .n_out = w->n_out, .out = w->out_value, .err = err, .node = n};
	for (int i = 0; i < w->n_out; i++) {
		ovl_shape s;
		ovl_tensor_release(w->out_value[i]);
		w->out_value[i] = NULL;
		if ((n->op->flags & OVL_OP_LATE) || !ovl_pshape_to_shape(&w->out_shape[i], &s))
			continue;
		OVL_TRY(ovl_tensor_new(w->out_type[i], &s, &w->out_value[i], err));
	}
	OVL_TRY(n->op->run(&run));
	for (int i = 0; i < w->n_out; i++)
		if (w->out_value[i]) {
			w->out_type[i] = w->out_value[i]->type;
			w->out_shape[i] = ovl_pshape_static(&w->out_value[i]->shape);
		}
	return OVL_OK;
}

/* A Parameter keeps the value that a caller pinned on it (body inference, planning with known inputs). */
static void work_take_outputs(work *w, ovl_node *n)
{
	bool pinned = ovl_node_is(n, "Parameter");
	for (int i = 0; i < w->n_out; i++) {
		ovl_output *o = &n->out.at[i];
		o->type = w->out_type[i];
		o->shape = w->out_shape[i];
		if (pinned)
			continue;
		ovl_tensor_release(o->value);
		o->value = w->out_value[i];
		w->out_value[i] = NULL;
	}
}

static void work_close(work *w)
{
	for (int i = 0; i < w->n_out; i++)
		ovl_tensor_release(w->out_value[i]);
	ovl_free(w->block);
}

/* Ops with a number of outputs of their own choice write into arrays that this makes. */
typedef struct grown {
	ovl_infer in; /* first: ovl_infer_set_outputs casts */
	work *w;
} grown;

ovl_status ovl_infer_set_outputs(ovl_infer *in, int n)
{
	work *w, fresh;
	if (n < 0 || n > 1024)
		return ovl_infer_fail(in, OVL_E_SHAPE, "%d outputs are not possible", n);
	if (n == in->n_out)
		return OVL_OK;
	if (in->op->outputs >= 0)
		return ovl_infer_fail(in, OVL_E_INTERNAL, "the number of outputs is fixed");
	w = ((grown *)(void *)in)->w;
	if (!work_open(&fresh, w->n_in, n))
		return ovl_infer_fail(in, OVL_E_MEMORY, "not enough memory");
	memcpy(fresh.in_shape, w->in_shape, (size_t)w->n_in * sizeof *w->in_shape);
	memcpy(fresh.in_type, w->in_type, (size_t)w->n_in * sizeof *w->in_type);
	memcpy(fresh.in_value, w->in_value, (size_t)w->n_in * sizeof(void *));
	work_close(w);
	*w = fresh;
	in->in_type = w->in_type, in->in_shape = w->in_shape, in->in_value = w->in_value;
	in->n_out = n, in->out_type = w->out_type, in->out_shape = w->out_shape, in->out_value = w->out_value;
	for (int i = 0; i < n; i++)
		w->out_shape[i] = ovl_pshape_any();
	return OVL_OK;
}

ovl_status ovl_node_infer(ovl_node *n, ovl_error *err)
{
	work w;
	grown g;
	ovl_status st;
	int n_in = ovl_node_own_inputs(n), n_out = n->op->outputs >= 0 ? n->op->outputs : (int)n->out.n;
	OVL_TRY(check_arity(n, n_in, err));
	if (!work_open(&w, n_in, n_out))
		return no_memory(err);
	work_inputs(&w, n);
	for (int i = 0; i < n_out; i++)
		w.out_shape[i] = ovl_pshape_any();
	g.w = &w;
	g.in = (ovl_infer){n, n->op, n->params, n_in, w.in_type, w.in_shape, w.in_value, n_out, w.out_type, w.out_shape, w.out_value, err};
	st = ovl_infer_sequences(&g.in);
	if (st == OVL_OK)
		st = n->op->infer(&g.in);
	if (st == OVL_OK && foldable(n, &w) && !(w.n_out == 1 && w.out_value[0]))
		st = fold(n, &w, err);
	if (st == OVL_OK && !resize_outputs(n, (size_t)w.n_out))
		st = no_memory(err);
	if (st == OVL_OK)
		work_take_outputs(&w, n);
	work_close(&w);
	return st == OVL_OK ? st : ovl_error_prefix(err, "node '%s'", n->name);
}
