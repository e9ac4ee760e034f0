/* Changes that most passes make. Nodes that a change leaves without users lose their inputs at once, so that what they read counts its users right; the manager's
 * pruning takes them out of the graph. */
#include "base/log.h"
#include "passes/pass.h"
#include "tensor/convert.h"

ovl_status ovl_pass_node(ovl_graph *g, const char *type_name, const char *name, const ovl_end *inputs, int n, ovl_node **out, ovl_error *err)
{
	OVL_TRY(ovl_graph_op(g, type_name, name, inputs, n, out, err));
	return ovl_node_infer(*out, err);
}

void ovl_pass_forget_names(ovl_output *o)
{
	for (size_t i = 0; i < o->names.n; i++)
		ovl_free(o->names.at[i]);
	o->names.n = 0;
}

ovl_status ovl_pass_move_names(ovl_output *from, ovl_end to, ovl_error *err)
{
	for (size_t i = 0; i < from->names.n; i++)
		OVL_TRY(ovl_node_add_name(to.node, to.port, from->names.at[i], err));
	ovl_pass_forget_names(from);
	return OVL_OK;
}

ovl_status ovl_pass_like(ovl_graph *g, const ovl_node *n, const ovl_end *inputs, int n_inputs, ovl_node **out, ovl_error *err)
{
	ovl_node *made;
	ovl_status st;
	OVL_TRY(ovl_node_copy(n, &made, err));
	for (size_t i = 0; i < made->out.n; i++)
		ovl_pass_forget_names(&made->out.at[i]);
	st = ovl_graph_add(g, made, err);
	ovl_node_release(made); /* the graph's now */
	for (int i = 0; st == OVL_OK && i < n_inputs; i++)
		st = ovl_node_add_input(made, inputs[i], err);
	*out = made;
	return st;
}

ovl_status ovl_pass_constant(ovl_graph *g, ovl_tensor *t, ovl_end *out, ovl_error *err)
{
	ovl_node *n = NULL;
	ovl_status st = ovl_graph_constant(g, t, NULL, &n, err);
	ovl_tensor_release(t);
	*out = (ovl_end){n, 0};
	return st;
}

ovl_status ovl_pass_scalar(ovl_graph *g, ovl_type type, double value, ovl_end *out, ovl_error *err)
{
	ovl_shape scalar = {0};
	ovl_tensor *t;
	OVL_TRY(ovl_tensor_new(type, &scalar, &t, err));
	if (!ovl_convert(OVL_F64, &value, 0, type, t->data, 0, 1, false)) {
		ovl_tensor_release(t);
		return ovl_fail(err, OVL_E_TYPE, "no number of type %s can be made", ovl_type_name(type));
	}
	return ovl_pass_constant(g, t, out, err);
}

ovl_status ovl_pass_axes(ovl_graph *g, const int64_t *axes, int n, ovl_end *out, ovl_error *err)
{
	ovl_node *c;
	OVL_TRY(ovl_graph_constant_i64(g, 1, axes, n, NULL, &c, err));
	*out = (ovl_end){c, 0};
	return OVL_OK;
}

ovl_status ovl_pass_map(const ovl_tensor *t, double (*fn)(double x, double arg), double arg, ovl_tensor **out, ovl_error *err)
{
	enum { BLOCK = 256 };
	int64_t n = ovl_tensor_count(t);
	double block[BLOCK];
	bool ok = true;
	ovl_tensor *from;
	ovl_status st;
	OVL_TRY(ovl_tensor_densify(t, &from, err));
	st = ovl_tensor_new_raw(t->type, &t->shape, out, err);
	for (int64_t at = 0; st == OVL_OK && ok && at < n; at += BLOCK) {
		int64_t count = n - at < BLOCK ? n - at : BLOCK;
		ok = ovl_convert(t->type, from->data, at, OVL_F64, block, 0, count, false);
		for (int64_t i = 0; ok && i < count; i++)
			block[i] = fn(block[i], arg);
		ok = ok && ovl_convert(OVL_F64, block, 0, t->type, (*out)->data, at, count, false);
	}
	ovl_tensor_release(from);
	if (ok)
		return st;
	ovl_tensor_release(*out);
	return ovl_fail(err, OVL_E_TYPE, "elements of type %s are no numbers", ovl_type_name(t->type));
}

ovl_status ovl_pass_reshape(const ovl_tensor *t, const ovl_shape *shape, ovl_tensor **out, ovl_error *err)
{
	int64_t strides[OVL_MAX_RANK];
	ovl_tensor *dense;
	ovl_status st;
	OVL_TRY(ovl_tensor_densify(t, &dense, err));
	ovl_dense_strides(shape, strides);
	st = ovl_tensor_view(dense, t->type, shape, strides, dense->data, out, err);
	ovl_tensor_release(dense);
	return st;
}

static bool unused(const ovl_node *n)
{
	if (ovl_node_is(n, "Parameter") || ovl_node_is(n, "Result") || (n->op->flags & OVL_OP_SINK))
		return false;
	for (size_t i = 0; i < n->out.n; i++)
		if (n->out.at[i].users.n)
			return false;
	return true;
}

/* What is deeper than the limit stays for the manager. */
static ovl_status bury(ovl_node *into, ovl_node *n, int depth, ovl_error *err)
{
	enum { MAX_DEPTH = 64 };
	ovl_status st = OVL_OK;
	while (n->in.n && st == OVL_OK) {
		ovl_node *source = n->in.at[n->in.n - 1].node;
		if (source)
			ovl_node_retain(source);
		n->posts.n = 0;
		ovl_node_cut_inputs(n, (int)n->in.n - 1);
		if (source && unused(source) && source->in.n) {
			st = ovl_pass_note_fused(into, source, err);
			if (st == OVL_OK && depth < MAX_DEPTH)
				st = bury(into, source, depth + 1, err);
		}
		ovl_node_release(source);
	}
	return st;
}

ovl_status ovl_pass_bury(ovl_node *into, ovl_node *n, ovl_error *err) { return bury(into, n, 0, err); }

ovl_status ovl_pass_replace(ovl_graph *g, ovl_node *root, ovl_node *made, ovl_error *err)
{
	OVL_TRY(ovl_graph_replace(g, (ovl_end){root, 0}, (ovl_end){made, 0}, true, err));
	for (size_t i = 0; i < root->fused.n; i++) {
		char *name = ovl_strdup(root->fused.at[i]);
		if (!name || !ovl_vec_push(&made->fused, name)) {
			ovl_free(name);
			return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a pass");
		}
	}
	return bury(made, root, 0, err);
}

ovl_status ovl_pass_absorb(ovl_graph *g, ovl_node *into, ovl_node *gone, ovl_error *err)
{
	OVL_TRY(ovl_pass_note_fused(into, gone, err));
	ovl_pass_forget_names(&into->out.at[0]);
	OVL_TRY(ovl_graph_replace(g, (ovl_end){gone, 0}, (ovl_end){into, 0}, true, err));
	return bury(into, gone, 0, err);
}

static bool feeds_result(const ovl_node *n)
{
	for (size_t i = 0; i < n->out.at[0].users.n; i++)
		if (ovl_node_is(n->out.at[0].users.at[i].node, "Result"))
			return true;
	return false;
}

ovl_status ovl_pass_bypass(ovl_graph *g, ovl_node *n, int i, bool *changed, ovl_error *err)
{
	ovl_end source = n->in.at[i];
	bool input = ovl_node_is(source.node, "Parameter");
	if (input && feeds_result(n))
		return OVL_OK;
	*changed = true;
	OVL_TRY(ovl_graph_replace(g, (ovl_end){n, 0}, source, !input, err));
	ovl_node_cut_inputs(n, 0);
	return OVL_OK;
}
