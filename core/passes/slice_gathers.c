/* Gather with known indices that follow each other evenly is a Slice (and a Squeeze where the index was a scalar): a view, where Gather copies. Shape arithmetic is left
 * alone: it is folded anyway. */
#include "ops/gather.h"
#include "passes/pass.h"

typedef struct part {
	int64_t axis, first, step, count;
	bool scalar;
} part;

/* Evenly ascending, and inside of the dimension whatever its size turns out to be. */
static bool as_part(const ovl_node *n, part *p)
{
	const ovl_pshape *s = &ovl_source(n, 0)->shape;
	const ovl_tensor *indices = ovl_node_value(n->in.at[1]);
	double axis;
	if (!indices || indices->shape.rank > 1 || !ovl_match_scalar(n->in.at[2], &axis) || !s->ranked || s->rank < 2)
		return false;
	*p = (part){.axis = (int64_t)axis < 0 ? (int64_t)axis + s->rank : (int64_t)axis, .step = 1, .count = ovl_tensor_count(indices), .scalar = indices->shape.rank == 0};
	if (p->count < 1 || p->axis < 0 || p->axis >= s->rank)
		return false;
	p->first = ovl_tensor_i64_at(indices, 0);
	if (p->count > 1)
		p->step = ovl_tensor_i64_at(indices, 1) - p->first;
	for (int64_t i = 1; i < p->count; i++)
		if (ovl_tensor_i64_at(indices, i) - ovl_tensor_i64_at(indices, i - 1) != p->step)
			return false;
	if (p->first < 0) {
		if (!ovl_dim_static(s->dims[p->axis]))
			return false;
		p->first += s->dims[p->axis].min;
	}
	return p->step > 0 && p->first >= 0 && ovl_tensor_i64_at(indices, p->count - 1) < s->dims[p->axis].min && p->first + (p->count - 1) * p->step < s->dims[p->axis].min;
}

static ovl_status slice(ovl_graph *g, ovl_node *n, const part *p, ovl_error *err)
{
	int64_t numbers[4] = {p->first, p->first + (p->count - 1) * p->step + 1, p->step, p->axis};
	ovl_end in[5] = {n->in.at[0]};
	ovl_node *made;
	for (int i = 0; i < 4; i++)
		OVL_TRY(ovl_pass_axes(g, &numbers[i], 1, &in[1 + i], err));
	OVL_TRY(ovl_pass_node(g, "Slice", p->scalar ? NULL : n->name, in, 5, &made, err));
	if (p->scalar) {
		in[0] = (ovl_end){made, 0};
		in[1] = in[4];
		OVL_TRY(ovl_pass_node(g, "Squeeze", n->name, in, 2, &made, err));
	}
	return ovl_pass_replace(g, n, made, err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	for (size_t i = 0, count = g->nodes.n; i < count; i++) {
		ovl_node *n = g->nodes.at[i];
		part p;
		if (!ovl_match_live(n) || !ovl_match_is(n, "Gather") || n->in.n != 3 || n->out.at[0].value || ovl_node_value(n->in.at[0]))
			continue;
		if ((n->op->since >= 7 && ((const ovl_gather_params *)n->params)->batch_dims != 0) || !as_part(n, &p))
			continue;
		OVL_TRY(slice(g, n, &p, err));
		*changed = true;
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_slice_gathers = {"slice_gathers", 205, run};
