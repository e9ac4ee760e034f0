/* If with a known condition (exporters ask shapes: "is the batch 1?") becomes the branch that it takes. */
#include "passes/pass.h"

static ovl_status inline_branch(ovl_graph *g, ovl_node *n, ovl_body *b, ovl_error *err)
{
	ovl_graph *body;
	ovl_status st = OVL_OK;
	OVL_TRY(ovl_graph_clone(b->graph, &body, err));
	for (size_t i = 0; st == OVL_OK && i < b->ins.n; i++) {
		ovl_node *p = body->parameters.at[b->ins.at[i].parameter];
		st = ovl_graph_replace(body, (ovl_end){p, 0}, n->in.at[b->ins.at[i].input], false, err);
	}
	for (size_t i = 0; st == OVL_OK && i < b->outs.n; i++) {
		ovl_node *r = body->results.at[b->outs.at[i].result];
		st = ovl_graph_replace(g, (ovl_end){n, b->outs.at[i].output}, r->in.at[0], !ovl_node_is(r->in.at[0].node, "Parameter"), err);
	}
	for (size_t i = 0; st == OVL_OK && i < body->nodes.n; i++) {
		ovl_node *m = body->nodes.at[i];
		if (ovl_node_is(m, "Parameter") || ovl_node_is(m, "Result"))
			continue;
		st = ovl_graph_add(g, m, err);
	}
	for (size_t i = 0; st == OVL_OK && i < body->results.n; i++) /* so that results stop counting as users of what moved */
		ovl_node_cut_inputs(body->results.at[i], 0);
	/* the body's list lets go of the nodes that moved; those keep their graph */
	for (size_t i = 0, k = 0; st == OVL_OK && i < body->nodes.n; i++) {
		ovl_node *m = body->nodes.at[i];
		if (m->graph == g)
			ovl_node_release(m);
		else
			body->nodes.at[k++] = m;
		if (i + 1 == body->nodes.n) {
			body->nodes.n = k;
			break;
		}
	}
	body->sinks.n = 0;
	ovl_graph_free(body);
	return st;
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	size_t count;
	OVL_TRY(ovl_graph_sort(g, err));
	count = g->nodes.n;
	for (size_t i = 0; i < count; i++) {
		ovl_node *n = g->nodes.at[i];
		double condition;
		if (!ovl_node_is(n, "If") || n->bodies.n != 2 || !ovl_match_scalar(n->in.at[0], &condition))
			continue;
		OVL_TRY(inline_branch(g, n, &n->bodies.at[condition != 0 ? 0 : 1], err));
		*changed = true;
		return OVL_OK; /* one at a time: the manager comes back, and inner conditions are known by then */
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_inline_if = {"inline_if", 150, run};
