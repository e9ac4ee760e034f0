/* A squeeze-excite block beside a shortcut: x * s + x, where s is one factor for each channel, is x * (s + 1), which reads and writes the picture once. */
#include "passes/pass.h"

/* s has one element along all dimensions of a picture, and x many. */
static bool is_squeezed(ovl_end s, ovl_end x)
{
	const ovl_pshape *small = &s.node->out.at[s.port].shape, *large = &x.node->out.at[x.port].shape;
	if (!small->ranked || !large->ranked || small->rank != large->rank || small->rank < 3 || !ovl_match_fits(large, small))
		return false;
	for (int i = 2; i < small->rank; i++)
		if (!ovl_dim_static(small->dims[i]) || small->dims[i].min != 1)
			return false;
	return true;
}

/* sum = x + x * s, in any order. */
static bool match(const ovl_node *sum, ovl_end *x, ovl_end *s)
{
	for (int i = 0; i < 2; i++) {
		const ovl_node *scaled = ovl_match_binary(sum, "Add") ? ovl_match_node(sum->in.at[i], "Multiply") : NULL;
		*x = scaled ? sum->in.at[1 - i] : (ovl_end){0};
		if (!scaled || !ovl_match_binary(scaled, "Multiply") || !ovl_match_used_once(sum->in.at[i]) || !ovl_match_float(*x))
			continue;
		for (int k = 0; k < 2; k++) {
			*s = scaled->in.at[1 - k];
			if (ovl_match_same(scaled->in.at[k], *x) && !ovl_match_same(*s, *x) && is_squeezed(*s, *x))
				return true;
		}
	}
	return false;
}

static ovl_status rewrite(ovl_graph *g, ovl_node *sum, ovl_end x, ovl_end s, ovl_error *err)
{
	ovl_end one;
	ovl_node *more, *made;
	OVL_TRY(ovl_pass_scalar(g, s.node->out.at[s.port].type, 1, &one, err));
	OVL_TRY(ovl_pass_node(g, "Add", NULL, (ovl_end[]){s, one}, 2, &more, err));
	OVL_TRY(ovl_pass_node(g, "Multiply", sum->name, (ovl_end[]){x, {more, 0}}, 2, &made, err));
	return ovl_pass_replace(g, sum, made, err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	size_t count = g->nodes.n;
	for (size_t i = 0; i < count; i++) {
		ovl_node *n = g->nodes.at[i];
		ovl_end x, s;
		if (!ovl_match_live(n) || !match(n, &x, &s))
			continue;
		OVL_TRY(rewrite(g, n, x, s, err));
		*changed = true;
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_fold_shortcut = {.name = "fold_shortcut", .order = 230, .run = run};
