/* TopK along a dimension in the middle becomes one along the last between Transposes, which kernels know and which is read in one go. One of the best
 * alone, as ArgMax wants it, is left as it is: for that there is a kernel that goes across. */
#include "ops/topk.h"
#include "passes/pass.h"

enum { MANY = 16 }; /* a vector of them */

static bool in_the_middle(const ovl_node *n, int *axis, int *rank)
{
	const ovl_pshape *s;
	int64_t a, neighbours = 1;
	if (!ovl_match_is(n, "TopK") || n->out.n != 2)
		return false;
	s = &ovl_source(n, 0)->shape;
	a = ((const ovl_topk_params *)n->params)->axis;
	if (ovl_source(n, 0)->type != OVL_F32 || !ovl_pshape_is_static(s) || a < -s->rank || a >= s->rank)
		return false;
	*rank = s->rank;
	*axis = (int)(a < 0 ? a + s->rank : a);
	for (int i = *axis + 1; i < s->rank; i++)
		neighbours *= s->dims[i].max;
	return neighbours > 1 && !(neighbours >= MANY && ovl_match_scalar_is(n->in.at[1], 1, 0));
}

/* The axis and the last dimension change places; the same order leads back. */
static ovl_status swapped(ovl_graph *g, const char *name, ovl_end x, int axis, int rank, ovl_node **out, ovl_error *err)
{
	int64_t order[OVL_MAX_RANK];
	ovl_end in[2] = {x};
	for (int i = 0; i < rank; i++)
		order[i] = i == axis ? rank - 1 : i == rank - 1 ? axis : i;
	OVL_TRY(ovl_pass_axes(g, order, rank, &in[1], err));
	return ovl_pass_node(g, "Transpose", name, in, 2, out, err);
}

/* A TopK like n along the last dimension of x. */
static ovl_status along_last(ovl_graph *g, const ovl_node *n, ovl_end x, ovl_node **out, ovl_error *err)
{
	const ovl_attr_value last = {.kind = OVL_KIND_INT, .i = -1};
	const ovl_end in[2] = {x, n->in.at[1]};
	OVL_TRY(ovl_pass_like(g, n, in, 2, out, err));
	OVL_TRY(ovl_node_set(*out, "axis", &last, err));
	return ovl_node_infer(*out, err);
}

static ovl_status turn(ovl_graph *g, ovl_node *n, int axis, int rank, ovl_error *err)
{
	ovl_node *before, *made, *after;
	OVL_TRY(swapped(g, NULL, n->in.at[0], axis, rank, &before, err));
	OVL_TRY(along_last(g, n, (ovl_end){before, 0}, &made, err));
	for (int k = 0; k < 2; k++) {
		if (!n->out.at[k].users.n)
			continue;
		OVL_TRY(swapped(g, k ? NULL : n->name, (ovl_end){made, k}, axis, rank, &after, err));
		OVL_TRY(ovl_graph_replace(g, (ovl_end){n, k}, (ovl_end){after, 0}, true, err));
	}
	return OVL_OK;
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	for (size_t i = 0, count = g->nodes.n; i < count; i++) {
		ovl_node *n = g->nodes.at[i];
		int axis, rank;
		if (!in_the_middle(n, &axis, &rank) || !(n->out.at[0].users.n || n->out.at[1].users.n))
			continue;
		OVL_TRY(turn(g, n, axis, rank, err));
		*changed = true;
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_turn_topks = {.name = "turn_topks", .order = 245, .run = run};
