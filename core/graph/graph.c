/* Graphs: holding nodes, ordering, inferring, cloning, editing. */
#include "graph/graph.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

static ovl_status no_memory(ovl_error *err) { return ovl_fail(err, OVL_E_MEMORY, "not enough memory for the model"); }

ovl_graph *ovl_graph_new(const char *name)
{
	ovl_graph *g = ovl_calloc(1, sizeof *g);
	if (g && !(g->name = ovl_strdup(name ? name : ""))) {
		ovl_free(g);
		return NULL;
	}
	return g;
}

void ovl_graph_free(ovl_graph *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->nodes.n; i++) {
		g->nodes.at[i]->graph = NULL;
		ovl_node_release(g->nodes.at[i]);
	}
	ovl_vec_free(&g->nodes);
	ovl_vec_free(&g->parameters);
	ovl_vec_free(&g->results);
	ovl_vec_free(&g->sinks);
	for (size_t i = 0; i < g->meta.n; i++) {
		ovl_free(g->meta.at[i].key);
		ovl_free(g->meta.at[i].value);
	}
	ovl_vec_free(&g->meta);
	ovl_free(g->origin);
	ovl_free(g->name);
	ovl_free(g);
}

ovl_status ovl_graph_add(ovl_graph *g, ovl_node *n, ovl_error *err)
{
	bool ok = ovl_vec_reserve(&g->nodes, g->nodes.n + 1);
	if (ok && ovl_node_is(n, "Parameter"))
		ok = ovl_vec_push(&g->parameters, n);
	else if (ok && ovl_node_is(n, "Result"))
		ok = ovl_vec_push(&g->results, n);
	else if (ok && (n->op->flags & OVL_OP_SINK))
		ok = ovl_vec_push(&g->sinks, n);
	if (!ok)
		return no_memory(err);
	n->graph = g;
	g->nodes.at[g->nodes.n++] = ovl_node_retain(n);
	return OVL_OK;
}

ovl_status ovl_graph_op(ovl_graph *g, const char *type_name, const char *name, const ovl_end *inputs, int n, ovl_node **out, ovl_error *err)
{
	const ovl_op *op = ovl_op_find(type_name, 0);
	ovl_node *node;
	ovl_status st = OVL_OK;
	if (!op)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "operator '%s' is not there", type_name);
	OVL_TRY(ovl_node_new(op, op->since, name, &node, err));
	for (int i = 0; i < n && st == OVL_OK; i++)
		st = ovl_node_add_input(node, inputs[i], err);
	if (st == OVL_OK)
		st = ovl_graph_add(g, node, err);
	ovl_node_release(node); /* the graph's reference stays; on failure this was the last one */
	*out = st == OVL_OK ? node : NULL;
	return st;
}

ovl_status ovl_graph_constant(ovl_graph *g, ovl_tensor *value, const char *name, ovl_node **out, ovl_error *err)
{
	ovl_node *node;
	OVL_TRY(ovl_graph_op(g, "Constant", name, NULL, 0, &node, err));
	((ovl_constant_params *)node->params)->value = ovl_tensor_retain(value);
	*out = node;
	return ovl_node_infer(node, err);
}

ovl_status ovl_graph_constant_i64(ovl_graph *g, int rank, const int64_t *values, int n, const char *name, ovl_node **out, ovl_error *err)
{
	ovl_tensor *t;
	ovl_status st;
	OVL_TRY(ovl_tensor_from_i64(rank, values, n, &t, err));
	st = ovl_graph_constant(g, t, name, out, err);
	ovl_tensor_release(t);
	return st;
}

ovl_status ovl_graph_constant_f32(ovl_graph *g, float value, const char *name, ovl_node **out, ovl_error *err)
{
	ovl_shape scalar = {0};
	ovl_tensor *t;
	ovl_status st;
	OVL_TRY(ovl_tensor_new(OVL_F32, &scalar, &t, err));
	*(float *)t->data = value;
	st = ovl_graph_constant(g, t, name, out, err);
	ovl_tensor_release(t);
	return st;
}

ovl_status ovl_graph_replace(ovl_graph *g, ovl_end from, ovl_end to, bool keep_names, ovl_error *err)
{
	ovl_output *o = &from.node->out.at[from.port];
	(void)g;
	while (o->users.n) {
		ovl_end user = o->users.at[o->users.n - 1];
		if (user.node == to.node) { /* `to` itself reads `from`: leave that edge; look for another one */
			size_t i = o->users.n;
			while (i > 0 && o->users.at[i - 1].node == to.node)
				i--;
			if (i == 0)
				break;
			user = o->users.at[i - 1];
		}
		OVL_TRY(ovl_node_set_input(user.node, user.port, to, err));
	}
	for (size_t i = 0; keep_names && i < o->names.n; i++)
		OVL_TRY(ovl_node_add_name(to.node, to.port, o->names.at[i], err));
	return OVL_OK;
}

static void forget(ovl_node **at, size_t *n, const ovl_node *node)
{
	size_t k = 0;
	for (size_t i = 0; i < *n; i++)
		if (at[i] != node)
			at[k++] = at[i];
	*n = k;
}

static void drop(ovl_graph *g, ovl_node *n)
{
	forget(g->parameters.at, &g->parameters.n, n);
	forget(g->results.at, &g->results.n, n);
	forget(g->sinks.at, &g->sinks.n, n);
	ovl_node_cut_inputs(n, 0);
	n->posts.n = 0;
	n->graph = NULL;
	ovl_node_release(n);
}

void ovl_graph_remove(ovl_graph *g, ovl_node *n)
{
	forget(g->nodes.at, &g->nodes.n, n);
	drop(g, n);
}

/* A node that a pass has replaced: without users, and without the inputs it cannot do without. */
static bool emptied(const ovl_node *n)
{
	for (size_t i = 0; i < n->out.n; i++)
		if (n->out.at[i].users.n)
			return false;
	return (int)n->in.n < n->op->min_inputs;
}

static void mark_reached(ovl_graph *g, ovl_node **stack)
{
	size_t top = 0;
	for (size_t i = 0; i < g->nodes.n; i++)
		g->nodes.at[i]->index = 0;
	for (size_t i = 0; i < g->results.n; i++)
		g->results.at[i]->index = 1, stack[top++] = g->results.at[i];
	for (size_t i = 0; i < g->sinks.n; i++)
		g->sinks.at[i]->index = 1, stack[top++] = g->sinks.at[i];
	for (size_t i = 0; i < g->parameters.n; i++)
		g->parameters.at[i]->index = 1;
	while (top) {
		ovl_node *n = stack[--top];
		for (size_t i = 0; i < n->in.n; i++) {
			ovl_node *src = n->in.at[i].node;
			if (src && !src->index) {
				src->index = 1;
				stack[top++] = src;
			}
		}
	}
}

void ovl_graph_prune(ovl_graph *g)
{
	ovl_node **stack = ovl_alloc((g->nodes.n + 1) * sizeof *stack);
	size_t k = 0;
	if (stack)
		mark_reached(g, stack);
	else /* memory is short: what is not reached may stay, but for what is not whole */
		for (size_t i = 0; i < g->nodes.n; i++)
			g->nodes.at[i]->index = !emptied(g->nodes.at[i]);
	ovl_free(stack);
	for (size_t i = 0; i < g->nodes.n; i++) {
		ovl_node *n = g->nodes.at[i];
		if (n->index)
			g->nodes.at[k++] = n;
		else
			drop(g, n);
	}
	g->nodes.n = k;
}

/* Depth-first with an own stack, visiting in the present order, so that the result is stable. index: -1 new, -2 open, >= 0 placed. */
ovl_status ovl_graph_sort(ovl_graph *g, ovl_error *err)
{
	typedef struct frame {
		ovl_node *n;
		size_t next;
	} frame;
	size_t placed = 0, depth = 0;
	ovl_node **order = ovl_alloc((g->nodes.n + 1) * sizeof *order);
	frame *stack = ovl_alloc((g->nodes.n + 1) * sizeof *stack);
	ovl_status st = order && stack ? OVL_OK : no_memory(err);
	for (size_t i = 0; i < g->nodes.n; i++)
		g->nodes.at[i]->index = -1;
	for (size_t i = 0; st == OVL_OK && i < g->nodes.n; i++) {
		if (g->nodes.at[i]->index != -1)
			continue;
		g->nodes.at[i]->index = -2;
		stack[depth++] = (frame){g->nodes.at[i], 0};
		while (depth && st == OVL_OK) {
			frame *f = &stack[depth - 1];
			if (f->next == f->n->in.n) {
				f->n->index = (int)placed;
				order[placed++] = f->n;
				depth--;
				continue;
			}
			ovl_node *src = f->n->in.at[f->next++].node;
			if (!src || src->index >= 0)
				continue;
			if (src->index == -2)
				st = ovl_fail(err, OVL_E_PARSE, "the graph has a cycle through node '%s'", src->name);
			else if (src->graph != g)
				st = ovl_fail(err, OVL_E_INTERNAL, "node '%s' reads from '%s', which is not in the graph", f->n->name, src->name);
			else {
				src->index = -2;
				stack[depth++] = (frame){src, 0};
			}
		}
	}
	if (st == OVL_OK && placed)
		memcpy(g->nodes.at, order, placed * sizeof *order);
	ovl_free(order);
	ovl_free(stack);
	return st;
}

ovl_status ovl_graph_infer(ovl_graph *g, ovl_error *err)
{
	OVL_TRY(ovl_graph_sort(g, err));
	for (size_t i = 0; i < g->nodes.n; i++)
		OVL_TRY(ovl_node_infer(g->nodes.at[i], err));
	return OVL_OK;
}

/* ---- cloning ---- */

static ovl_status clone_bodies(const ovl_node *from, ovl_node *to, ovl_error *err)
{
	for (size_t i = 0; i < from->bodies.n; i++) {
		const ovl_body *b = &from->bodies.at[i];
		ovl_graph *g;
		ovl_body *c;
		OVL_TRY(ovl_graph_clone(b->graph, &g, err));
		if (ovl_node_add_body(to, g, &c, err) != OVL_OK) {
			ovl_graph_free(g);
			return err->code;
		}
		c->iteration_parameter = b->iteration_parameter;
		c->condition_result = b->condition_result;
		for (size_t k = 0; k < b->ins.n; k++)
			if (!ovl_vec_push(&c->ins, b->ins.at[k]))
				return no_memory(err);
		for (size_t k = 0; k < b->outs.n; k++)
			if (!ovl_vec_push(&c->outs, b->outs.at[k]))
				return no_memory(err);
		for (size_t k = 0; k < b->back.n; k++)
			if (!ovl_vec_push(&c->back, b->back.at[k]))
				return no_memory(err);
	}
	return OVL_OK;
}

static ovl_status clone_outputs(const ovl_node *from, ovl_node *to, ovl_error *err)
{
	if (!ovl_vec_reserve(&to->out, from->out.n))
		return no_memory(err);
	for (size_t i = 0; i < from->out.n; i++) {
		const ovl_output *o = &from->out.at[i];
		if (i >= to->out.n)
			to->out.at[to->out.n++] = (ovl_output){.type = OVL_DYNAMIC};
		to->out.at[i].type = o->type;
		to->out.at[i].shape = o->shape;
		to->out.at[i].value = o->value ? ovl_tensor_retain(o->value) : NULL;
		for (size_t k = 0; k < o->names.n; k++)
			OVL_TRY(ovl_node_add_name(to, (int)i, o->names.at[k], err));
	}
	return OVL_OK;
}

ovl_status ovl_node_copy(const ovl_node *from, ovl_node **out, ovl_error *err)
{
	ovl_node *n;
	ovl_status st;
	OVL_TRY(ovl_node_new(from->op, from->opset, from->name, &n, err));
	ovl_attrs_free(n->op->attrs, n->params);
	memset(n->params, 0, n->op->params_size);
	st = ovl_attrs_copy(from->op->attrs, from->op->params_size, from->params, n->params, err);
	if (st == OVL_OK)
		st = clone_bodies(from, n, err);
	if (st == OVL_OK)
		st = clone_outputs(from, n, err);
	for (size_t i = 0; st == OVL_OK && i < from->posts.n; i++)
		if (!ovl_vec_push(&n->posts, from->posts.at[i]))
			st = no_memory(err);
	for (size_t i = 0; st == OVL_OK && i < from->fused.n; i++) {
		char *name = ovl_strdup(from->fused.at[i]);
		if (!name || !ovl_vec_push(&n->fused, name)) {
			ovl_free(name);
			st = no_memory(err);
		}
	}
	if (st != OVL_OK)
		ovl_node_release(n);
	else
		*out = n;
	return st;
}

/* Clones `count` nodes whose `index` is their position in `nodes`, into g. */
static ovl_status clone_into(ovl_graph *g, ovl_node *const *nodes, size_t count, ovl_error *err)
{
	ovl_node **map = ovl_calloc(count + 1, sizeof *map);
	ovl_status st = map ? OVL_OK : no_memory(err);
	for (size_t i = 0; st == OVL_OK && i < count; i++) {
		st = ovl_node_copy(nodes[i], &map[i], err);
		if (st == OVL_OK) {
			if (ovl_vec_push(&g->nodes, map[i]))
				map[i]->graph = g;
			else {
				ovl_node_release(map[i]);
				st = no_memory(err);
			}
		}
	}
	for (size_t i = 0; st == OVL_OK && i < count; i++)
		for (size_t k = 0; st == OVL_OK && k < nodes[i]->in.n; k++) {
			ovl_end src = nodes[i]->in.at[k];
			if (src.node)
				src.node = map[src.node->index];
			st = ovl_node_add_input(map[i], src, err);
		}
	ovl_free(map);
	return st;
}

static ovl_status clone_list(ovl_node *const *from, size_t n, ovl_graph *g, ovl_node ***to, size_t *to_n, size_t *to_cap, ovl_error *err)
{
	if (n > *to_cap && !ovl_grow(to, to_cap, n, sizeof **to))
		return no_memory(err);
	for (size_t i = 0; i < n; i++)
		(*to)[i] = g->nodes.at[from[i]->index];
	*to_n = n;
	return OVL_OK;
}

ovl_status ovl_graph_clone(const ovl_graph *from, ovl_graph **out, ovl_error *err)
{
	ovl_graph *g = ovl_graph_new(from->name);
	ovl_status st = g ? OVL_OK : no_memory(err);
	for (size_t i = 0; i < from->nodes.n; i++)
		from->nodes.at[i]->index = (int)i;
	if (st == OVL_OK)
		st = clone_into(g, from->nodes.at, from->nodes.n, err);
	if (st == OVL_OK)
		st = clone_list(from->parameters.at, from->parameters.n, g, &g->parameters.at, &g->parameters.n, &g->parameters.cap, err);
	if (st == OVL_OK)
		st = clone_list(from->results.at, from->results.n, g, &g->results.at, &g->results.n, &g->results.cap, err);
	if (st == OVL_OK)
		st = clone_list(from->sinks.at, from->sinks.n, g, &g->sinks.at, &g->sinks.n, &g->sinks.cap, err);
	for (size_t i = 0; st == OVL_OK && i < from->meta.n; i++)
		st = ovl_graph_add_meta(g, from->meta.at[i].key, from->meta.at[i].value, err);
	if (st == OVL_OK && from->origin && !(g->origin = ovl_strdup(from->origin)))
		st = no_memory(err);
	if (st != OVL_OK)
		ovl_graph_free(g);
	else
		*out = g;
	return st;
}

/* ---- a graph from builder nodes ---- */

typedef OVL_VEC(ovl_node *) node_list;

static bool is_sink(const ovl_node *n) { return (n->op->flags & OVL_OP_SINK) != 0; }



/* Everything reachable from the roots, each once, in topological order; Assign nodes come along with the ReadValue whose variable they write. `seen` is told by index == mark. */
static ovl_status gather(node_list *list, ovl_node *const *roots, int n, int mark, ovl_error *err)
{
	typedef struct frame {
		ovl_node *n;
		size_t next;
	} frame;
	OVL_VEC(frame) stack = {0};
	ovl_status st = OVL_OK;
	for (int i = 0; i < n && st == OVL_OK; i++) {
		if (roots[i]->index == mark)
			continue;
		roots[i]->index = mark;
		if (!ovl_vec_push(&stack, ((frame){roots[i], 0})))
			st = no_memory(err);
		while (stack.n && st == OVL_OK) {
			frame *f = &stack.at[stack.n - 1];
			ovl_node *src;
			if (f->next == f->n->in.n) {
				ovl_node *done = f->n;
				stack.n--;
				if (!ovl_vec_push(list, done))
					st = no_memory(err);
				continue;
			}
			src = f->n->in.at[f->next++].node;
			if (src && src->index != mark) {
				src->index = mark;
				if (!ovl_vec_push(&stack, ((frame){src, 0})))
					st = no_memory(err);
			}
		}
	}
	ovl_vec_free(&stack);
	return st;
}

/* Assign nodes are not reached from results: look among the users of what was gathered, until nothing new turns up. */
static ovl_status gather_sinks(node_list *list, int mark, ovl_error *err)
{
	for (size_t i = 0; i < list->n; i++)
		for (size_t o = 0; o < list->at[i]->out.n; o++)
			for (size_t u = 0; u < list->at[i]->out.at[o].users.n; u++) {
				ovl_node *user = list->at[i]->out.at[o].users.at[u].node;
				if (is_sink(user) && user->index != mark)
					OVL_TRY(gather(list, &user, 1, mark, err));
			}
	return OVL_OK;
}

static ovl_status add_result(ovl_graph *g, ovl_node *source, ovl_error *err)
{
	ovl_node *r;
	ovl_end end = {source, 0};
	OVL_TRY(ovl_graph_op(g, "Result", NULL, &end, 1, &r, err));
	return ovl_node_infer(r, err);
}

static ovl_status build(ovl_graph *g, node_list *list, ovl_node *const *results, int n_results, ovl_node *const *parameters, int n_parameters, ovl_error *err)
{
	for (size_t i = 0; i < list->n; i++)
		list->at[i]->index = (int)i;
	OVL_TRY(clone_into(g, list->at, list->n, err));
	for (int i = 0; i < n_parameters; i++)
		if (!ovl_vec_push(&g->parameters, g->nodes.at[parameters[i]->index]))
			return no_memory(err);
	for (size_t i = 0; i < list->n; i++) {
		ovl_node *n = g->nodes.at[i];
		bool declared = false;
		if (is_sink(n) && !ovl_vec_push(&g->sinks, n))
			return no_memory(err);
		for (size_t k = 0; ovl_node_is(n, "Parameter") && k < g->parameters.n; k++)
			declared = declared || g->parameters.at[k] == n;
		if (ovl_node_is(n, "Parameter") && !declared)
			return ovl_fail(err, OVL_E_ARGUMENT, "the model reads parameter '%s', which is not in its list of parameters", n->name);
	}
	for (int i = 0; i < n_results; i++) {
		ovl_node *n = g->nodes.at[results[i]->index];
		if (is_sink(n))
			continue;
		if (!ovl_node_is(n, "Result")) {
			if (n->out.n == 0)
				return ovl_fail(err, OVL_E_ARGUMENT, "'%s' has no output that could be a result", n->name);
			OVL_TRY(add_result(g, n, err));
		} else if (!ovl_vec_push(&g->results, n))
			return no_memory(err);
	}
	return OVL_OK;
}

ovl_status ovl_graph_from_nodes(ovl_node *const *results, int n_results, ovl_node *const *parameters, int n_parameters, const char *name, ovl_graph **out, ovl_error *err)
{
	static int marks;
	int mark = -1000 - (__atomic_fetch_add(&marks, 1, __ATOMIC_RELAXED) & 0xffffff);
	node_list list = {0};
	ovl_graph *g = ovl_graph_new(name);
	ovl_status st = g ? gather(&list, parameters, n_parameters, mark, err) : no_memory(err);
	if (st == OVL_OK)
		st = gather(&list, results, n_results, mark, err);
	if (st == OVL_OK)
		st = gather_sinks(&list, mark, err);
	if (st == OVL_OK)
		st = build(g, &list, results, n_results, parameters, n_parameters, err);
	if (st == OVL_OK)
		st = ovl_graph_finish(g, err);
	ovl_vec_free(&list);
	if (st != OVL_OK)
		ovl_graph_free(g);
	else
		*out = g;
	return st;
}

/* ---- finishing and checking ---- */


/* Inputs and outputs without a tensor name get the name of their Parameter or Result node (BEHAVIOURS B139, B289). */
static ovl_status default_names(ovl_graph *g, ovl_error *err)
{
	for (size_t i = 0; i < g->parameters.n; i++)
		if (g->parameters.at[i]->out.at[0].names.n == 0)
			OVL_TRY(ovl_node_add_name(g->parameters.at[i], 0, g->parameters.at[i]->name, err));
	for (size_t i = 0; i < g->results.n; i++) {
		ovl_end src = g->results.at[i]->in.at[0];
		if (src.node->out.at[src.port].names.n == 0)
			OVL_TRY(ovl_node_add_name(src.node, src.port, g->results.at[i]->name, err));
	}
	return OVL_OK;
}

/* Whether input k of n is in its source's list of users. Readers of one source mostly come in the order of its list: `*hint` is where the last one was. */
static bool is_listed(const ovl_node *n, size_t k, size_t *hint)
{
	const ovl_output *o = ovl_source(n, (int)k);
	for (size_t i = 0; i < o->users.n; i++) {
		size_t u = (*hint + i) % o->users.n;
		if (o->users.at[u].node == n && o->users.at[u].port == (int)k) {
			if (o->users.n > 16)
				*hint = u + 1;
			return true;
		}
	}
	return false;
}

ovl_status ovl_graph_check(const ovl_graph *g, ovl_error *err)
{
	size_t hint = 0;
	for (size_t i = 0; i < g->nodes.n; i++) {
		const ovl_node *n = g->nodes.at[i];
		if (n->graph != g)
			return ovl_fail(err, OVL_E_INTERNAL, "node '%s' is in the list of a graph that it does not belong to", n->name);
		for (size_t k = 0; k < n->in.n; k++) {
			if (n->in.at[k].node && !is_listed(n, k, &hint))
				return ovl_fail(err, OVL_E_INTERNAL, "input %zu of node '%s' is not among the users of its source", k, n->name);
		}
	}
	for (size_t i = 0; i < g->results.n; i++)
		if (g->results.at[i]->in.n != 1 || !g->results.at[i]->in.at[0].node)
			return ovl_fail(err, OVL_E_PARSE, "result '%s' has no source", g->results.at[i]->name);
	return OVL_OK;
}

ovl_status ovl_graph_finish(ovl_graph *g, ovl_error *err)
{
	OVL_TRY(ovl_graph_check(g, err));
	OVL_TRY(ovl_graph_infer(g, err));
	return default_names(g, err);
}

ovl_status ovl_graph_add_meta(ovl_graph *g, const char *key, const char *value, ovl_error *err)
{
	ovl_meta m = {ovl_strdup(key), ovl_strdup(value)};
	if (!m.key || !m.value || !ovl_vec_push(&g->meta, m)) {
		ovl_free(m.key);
		ovl_free(m.value);
		return no_memory(err);
	}
	return OVL_OK;
}

void ovl_graph_dump(const ovl_graph *g, struct ovl_str *out)
{
	char buf[200];
	ovl_str_addf(out, "graph '%s': %zu nodes\n", g->name, g->nodes.n);
	for (size_t i = 0; i < g->nodes.n; i++) {
		const ovl_node *n = g->nodes.at[i];
		ovl_str_addf(out, "%4zu %-24s '%s' (", i, n->op->name, n->name);
		for (size_t k = 0; k < n->in.n; k++)
			ovl_str_addf(out, "%s%s%s%.0d", k ? ", " : "", n->in.at[k].node ? n->in.at[k].node->name : "-", n->in.at[k].port ? ":" : "", n->in.at[k].port);
		ovl_str_add(out, ")");
		for (size_t k = 0; k < n->posts.n; k++)
			ovl_str_addf(out, " +%s", ovl_post_name(n->posts.at[k].kind));
		ovl_str_add(out, " ->");
		for (size_t k = 0; k < n->out.n; k++)
			ovl_str_addf(out, " %s%s%s", ovl_type_name(n->out.at[k].type), ovl_pshape_text(&n->out.at[k].shape, buf, sizeof buf), n->out.at[k].value ? "=" : "");
		ovl_str_add(out, "\n");
	}
}
