/* A Transpose that only swaps the last two dimensions in front of MatMul is what its flags say. */
#include "ops/matmul.h"
#include "passes/pass.h"

static bool swaps_last_two(const ovl_node *n)
{
	const ovl_tensor *order = ovl_match_is(n, "Transpose") ? ovl_node_value(n->in.at[1]) : NULL;
	const ovl_pshape *s = order ? &ovl_source(n, 0)->shape : NULL;
	int64_t count = order ? ovl_tensor_count(order) : 0;
	if (!order || !s->ranked || s->rank < 2)
		return false;
	if (count == 0)
		return s->rank == 2; /* all of them, turned around */
	for (int64_t i = 0; i < count; i++)
		if (ovl_tensor_i64_at(order, i) != (i < count - 2 ? i : 2 * count - 3 - i))
			return false;
	return count == s->rank;
}

static ovl_status fold(ovl_node *n, int i, bool *flag, bool *changed, ovl_error *err)
{
	ovl_node *t = ovl_match_source(n, i, "Transpose");
	if (!t || !swaps_last_two(t))
		return OVL_OK;
	*flag = !*flag;
	*changed = true;
	if (ovl_match_used_once(n->in.at[i]))
		OVL_TRY(ovl_pass_note_fused(n, t, err));
	return ovl_node_set_input(n, i, t->in.at[0], err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	for (size_t i = 0; i < g->nodes.n; i++) {
		ovl_node *n = g->nodes.at[i];
		if (!ovl_match_live(n) || !ovl_node_is(n, "MatMul") || n->out.at[0].value)
			continue;
		OVL_TRY(fold(n, 0, &((ovl_matmul_params *)n->params)->transpose_a, changed, err));
		OVL_TRY(fold(n, 1, &((ovl_matmul_params *)n->params)->transpose_b, changed, err));
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_fold_transposes = {"fold_transposes", 230, run};
