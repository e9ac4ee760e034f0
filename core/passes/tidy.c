/* Tidying: nodes that do nothing go, neighbours that can be one node become one. */
#include "passes/pass.h"

#include <string.h>

static bool static_equal(const ovl_node *n)
{
	const ovl_output *in = ovl_source(n, 0), *out = &n->out.at[0];
	return in->type == out->type && in->type != OVL_DYNAMIC && ovl_pshape_is_static(&in->shape) && ovl_pshape_equal(&in->shape, &out->shape);
}

static bool is_identity_order(const ovl_node *n)
{
	const ovl_tensor *order = ovl_node_value(n->in.at[1]);
	if (!order || ovl_tensor_count(order) == 0)
		return false;
	for (int64_t i = 0; i < ovl_tensor_count(order); i++)
		if (ovl_tensor_i64_at(order, i) != i)
			return false;
	return true;
}

static bool does_nothing(const ovl_node *n)
{
	if (n->posts.n || n->in.n == 0 || !n->in.at[0].node || n->out.n != 1)
		return false;
	if (ovl_node_is(n, "Identity"))
		return true;
	if (ovl_node_is(n, "Convert") || ovl_node_is(n, "ConvertLike"))
		return ovl_source(n, 0)->type == n->out.at[0].type && n->out.at[0].type != OVL_DYNAMIC;
	if (ovl_node_is(n, "Transpose"))
		return is_identity_order(n);
	if (ovl_node_is(n, "Reshape") || ovl_node_is(n, "Broadcast") || ovl_node_is(n, "Squeeze") || ovl_node_is(n, "Unsqueeze") || ovl_node_is(n, "Slice") ||
		ovl_node_is(n, "StridedSlice") || ovl_node_is(n, "Pad") || ovl_node_is(n, "Tile")) {
		if (!static_equal(n))
			return false;
		if (ovl_node_is(n, "Slice") || ovl_node_is(n, "StridedSlice")) { /* a reversal keeps the shape too */
			const ovl_tensor *step = n->in.n > 3 ? ovl_node_value(n->in.at[3]) : NULL;
			if (n->in.n > 3 && !step)
				return false;
			for (int64_t i = 0; step && i < ovl_tensor_count(step); i++)
				if (ovl_tensor_i64_at(step, i) < 0)
					return false;
		}
		if (ovl_node_is(n, "Pad")) {
			const ovl_tensor *b = ovl_node_value(n->in.at[1]);
			for (int64_t i = 0; b && i < ovl_tensor_count(b); i++)
				if (ovl_tensor_i64_at(b, i) != 0)
					return false;
			return b != NULL;
		}
		return true;
	}
	if (ovl_node_is(n, "Concat"))
		return n->in.n == 1;
	return false;
}

/* The source may not be renamed when it is an input: then a tensor name of the node would name the input as well, which is harmless for results that read it directly only. */
static ovl_status bypass(ovl_graph *g, ovl_node *n, ovl_error *err)
{
	return ovl_graph_replace(g, (ovl_end){n, 0}, n->in.at[0], !ovl_node_is(n->in.at[0].node, "Parameter"), err);
}

static bool feeds_result(const ovl_node *n)
{
	for (size_t i = 0; i < n->out.at[0].users.n; i++)
		if (ovl_node_is(n->out.at[0].users.at[i].node, "Result"))
			return true;
	return false;
}

/* Transpose of a Transpose: one with the composed order. */
static ovl_status merge_transposes(ovl_graph *g, ovl_node *n, bool *changed, ovl_error *err)
{
	ovl_node *first = ovl_match_source(n, 0, "Transpose"), *made, *order;
	ovl_tensor *a, *b;
	int64_t values[OVL_MAX_RANK];
	ovl_end in[2];
	if (!ovl_node_is(n, "Transpose") || !first)
		return OVL_OK;
	a = ovl_node_value(first->in.at[1]);
	b = ovl_node_value(n->in.at[1]);
	if (!a || !b || ovl_tensor_count(a) != ovl_tensor_count(b) || ovl_tensor_count(a) == 0 || ovl_tensor_count(a) > OVL_MAX_RANK)
		return OVL_OK;
	for (int64_t i = 0; i < ovl_tensor_count(b); i++) {
		int64_t k = ovl_tensor_i64_at(b, i);
		if (k < 0 || k >= ovl_tensor_count(a))
			return OVL_OK;
		values[i] = ovl_tensor_i64_at(a, k);
	}
	OVL_TRY(ovl_graph_constant_i64(g, 1, values, (int)ovl_tensor_count(b), NULL, &order, err));
	in[0] = first->in.at[0];
	in[1] = (ovl_end){order, 0};
	OVL_TRY(ovl_graph_op(g, "Transpose", n->name, in, 2, &made, err));
	OVL_TRY(ovl_node_infer(made, err));
	*changed = true;
	return ovl_graph_replace(g, (ovl_end){n, 0}, (ovl_end){made, 0}, true, err);
}

/* Reshape of a reshape: only the last shape counts, once it is known. */
static ovl_status skip_reshape(ovl_node *n, bool *changed, ovl_error *err)
{
	ovl_node *first;
	if (!ovl_node_is(n, "Reshape") || !n->in.at[0].node || !ovl_pshape_is_static(&n->out.at[0].shape))
		return OVL_OK;
	first = n->in.at[0].node;
	if (!(ovl_node_is(first, "Reshape") || ovl_node_is(first, "Squeeze") || ovl_node_is(first, "Unsqueeze")) || !ovl_node_value(n->in.at[1]))
		return OVL_OK;
	for (int64_t i = 0; i < ovl_tensor_count(ovl_node_value(n->in.at[1])); i++)
		if (ovl_tensor_i64_at(ovl_node_value(n->in.at[1]), i) <= 0) /* 0 and -1 refer to the shape before */
			return OVL_OK;
	if (n->in.at[0].port != 0)
		return OVL_OK;
	*changed = true;
	return ovl_node_set_input(n, 0, first->in.at[0], err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	size_t count = g->nodes.n;
	for (size_t i = 0; i < count; i++) {
		ovl_node *n = g->nodes.at[i];
		if (n->out.n && n->out.at[0].users.n && does_nothing(n) && !(feeds_result(n) && ovl_node_is(n->in.at[0].node, "Parameter"))) {
			OVL_TRY(bypass(g, n, err));
			*changed = true;
			continue;
		}
		if (n->out.n && n->out.at[0].users.n) {
			OVL_TRY(merge_transposes(g, n, changed, err));
			OVL_TRY(skip_reshape(n, changed, err));
		}
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_tidy = {"tidy", 110, run};
