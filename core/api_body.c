/* The public C API of control flow: If, Loop and TensorIterator made from models. */
#include "api.h"

#include <limits.h>

static ovl_status no_memory(ovl_error *err) { return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a body"); }

/* An entry's ends must be there; how it fits the rest is inference's affair. */
static ovl_status check_map(const ovl_body_map *m, size_t n_outer, size_t n_inner, const char *what, ovl_error *err)
{
	if (m->outer < 0 || (size_t)m->outer >= n_outer || m->inner < 0 || (size_t)m->inner >= n_inner)
		return ovl_fail(err, OVL_E_NOT_FOUND, "%s: there is no such pair of positions: %d (of %zu) and %d (of %zu)", what, m->outer, n_outer, m->inner, n_inner);
	return OVL_OK;
}

static ovl_status fill_body(ovl_body *body, const ovl_body_def *def, size_t n_inputs, ovl_error *err)
{
	size_t parameters = body->graph->parameters.n, results = body->graph->results.n;
	for (size_t i = 0; i < def->n_ins; i++) {
		const ovl_body_map *m = &def->ins[i];
		ovl_body_in in = {m->outer, m->inner, m->sliced, m->axis, m->start, m->end, m->stride, m->part_size};
		OVL_TRY(check_map(m, n_inputs, parameters, "input of a body", err));
		if (!ovl_vec_push(&body->ins, in))
			return no_memory(err);
	}
	for (size_t i = 0; i < def->n_outs; i++) {
		const ovl_body_map *m = &def->outs[i];
		ovl_body_out out = {m->outer, m->inner, m->sliced, m->axis, m->start, m->end, m->stride, m->part_size};
		OVL_TRY(check_map(m, INT_MAX, results, "output of a body", err));
		if (!ovl_vec_push(&body->outs, out))
			return no_memory(err);
	}
	for (size_t i = 0; i < def->n_back; i++) {
		ovl_back_edge edge = {def->back[i].outer, def->back[i].inner};
		OVL_TRY(check_map(&def->back[i], results, parameters, "merged input", err));
		if (!ovl_vec_push(&body->back, edge))
			return no_memory(err);
	}
	if (def->iteration_parameter >= (int)parameters || def->condition_result >= (int)results)
		return ovl_fail(err, OVL_E_NOT_FOUND, "the body has %zu parameters and %zu results", parameters, results);
	body->iteration_parameter = def->iteration_parameter;
	body->condition_result = def->condition_result;
	return OVL_OK;
}

static ovl_status add_body(ovl_node *n, const ovl_body_def *def, size_t n_inputs, ovl_error *err)
{
	ovl_graph *graph;
	ovl_body *body;
	OVL_TRY(ovl_graph_clone(def->model->graph, &graph, err));
	if (ovl_node_add_body(n, graph, &body, err) != OVL_OK) {
		ovl_graph_free(graph);
		return err->code;
	}
	return fill_body(body, def, n_inputs, err);
}

static ovl_status build(ovl_node *n, const ovl_source_ref *inputs, size_t n_inputs, const ovl_body_def *bodies, size_t n_bodies, ovl_error *err)
{
	for (size_t i = 0; i < n_bodies; i++)
		OVL_TRY(add_body(n, &bodies[i], n_inputs, err));
	for (size_t i = 0; i < n_inputs; i++)
		OVL_TRY(ovl_node_add_input(n, (ovl_end){inputs[i].node, inputs[i].port}, err));
	return ovl_node_infer(n, err);
}

ovl_status ovl_node_make_control(const char *type, int opset, const ovl_source_ref *inputs, size_t n_inputs, const ovl_body_def *bodies, size_t n_bodies, ovl_node **out,
	ovl_error *err)
{
	const ovl_op *op = ovl_op_find(type, opset);
	ovl_node *n;
	ovl_status st;
	if (!op)
		return ovl_fail(err, OVL_E_NOT_FOUND, "opset%d has no operator %s", opset, type);
	OVL_TRY(ovl_node_new(op, opset, NULL, &n, err));
	st = build(n, inputs, n_inputs, bodies, n_bodies, err);
	if (st != OVL_OK)
		ovl_node_release(n);
	else
		*out = n;
	return st;
}
