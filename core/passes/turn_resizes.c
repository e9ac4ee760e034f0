/* Interpolate of the middle dimensions [N, height, width, C] is one of the last two between two Transposes: these are views, and kernels know channels-last pictures as
 * [N, C, height, width] in another order of memory.
 *
 *     Interpolate(x, axes 1 and 2)     Transpose(Interpolate(Transpose(x), axes 2 and 3)) */
#include "ops/interpolate.h"
#include "passes/pass.h"

enum { RANK = 4, MOST_INPUTS = 4 };

static int axes_at(const ovl_node *n) { return n->op->since >= 11 ? 2 : 3; }

/* Floats, with the axes 1 and 2 in this order, and no padding (which counts dimensions). */
static bool in_the_middle(const ovl_node *n)
{
	const ovl_interpolate_params *p = n->params;
	const ovl_tensor *axes;
	if (!ovl_match_is(n, "Interpolate") || n->op->since < 4 || (int)n->in.n <= axes_at(n) || !ovl_match_float(n->in.at[0]))
		return false;
	axes = ovl_node_value(n->in.at[axes_at(n)]);
	if (!ovl_source(n, 0)->shape.ranked || ovl_source(n, 0)->shape.rank != RANK || !axes || ovl_tensor_count(axes) != 2)
		return false;
	for (size_t i = 0; i < p->pads_begin.n || i < p->pads_end.n; i++)
		if (ovl_ints_get(&p->pads_begin, i, 0) || ovl_ints_get(&p->pads_end, i, 0))
			return false;
	return (ovl_tensor_i64_at(axes, 0) + RANK) % RANK == 1 && (ovl_tensor_i64_at(axes, 1) + RANK) % RANK == 2;
}

static ovl_status transpose(ovl_graph *g, ovl_end x, const int64_t *order, ovl_node **out, ovl_error *err)
{
	ovl_end in[2] = {x};
	OVL_TRY(ovl_pass_axes(g, order, RANK, &in[1], err));
	return ovl_pass_node(g, "Transpose", NULL, in, 2, out, err);
}

static ovl_status turn(ovl_graph *g, ovl_node *n, ovl_error *err)
{
	static const int64_t to_planes[RANK] = {0, 3, 1, 2}, back[RANK] = {0, 2, 3, 1}, axes[2] = {2, 3};
	ovl_node *before, *made, *after;
	ovl_end in[MOST_INPUTS];
	for (int i = 0; i < (int)n->in.n; i++)
		in[i] = n->in.at[i];
	OVL_TRY(transpose(g, n->in.at[0], to_planes, &before, err));
	in[0] = (ovl_end){before, 0};
	OVL_TRY(ovl_pass_axes(g, axes, 2, &in[axes_at(n)], err));
	OVL_TRY(ovl_pass_like(g, n, in, (int)n->in.n, &made, err));
	OVL_TRY(ovl_node_infer(made, err));
	OVL_TRY(transpose(g, (ovl_end){made, 0}, back, &after, err));
	return ovl_pass_replace(g, n, after, err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	for (size_t i = 0, n = g->nodes.n; i < n; i++) {
		if (!ovl_match_live(g->nodes.at[i]) || g->nodes.at[i]->out.at[0].value || !in_the_middle(g->nodes.at[i]))
			continue;
		OVL_TRY(turn(g, g->nodes.at[i], err));
		*changed = true;
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_turn_resizes = {"turn_resizes", 245, run};
