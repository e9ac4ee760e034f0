/* Constant folding: a node whose inputs are all known is run once, here. Inference has already followed small values; this takes the large ones too (weights
 * behind Convert, Transpose, Reshape, ...), within a limit on what may come of it: a fold that makes much more of its inputs (Broadcast, Tile) stays a node. */
#include "base/refill.h"
#include "passes/pass.h"
#include "tensor/convert.h"

enum { MAX_BYTES = 1 << 30, MAX_GROWTH = 4, SMALL = 1 << 16 };

static bool can_fold(const ovl_node *n)
{
	size_t in = 0, out = 0;
	if (!n->op->run || (n->op->flags & (OVL_OP_STATEFUL | OVL_OP_RANDOM | OVL_OP_SINK)) || n->bodies.n || n->posts.n || n->in.n == 0 || n->out.n == 0)
		return false;
	for (size_t i = 0; i < n->in.n; i++) {
		const ovl_tensor *t = ovl_node_value(n->in.at[i]);
		if (n->in.at[i].node && !t)
			return false;
		in += t ? ovl_tensor_bytes(t) : 0;
	}
	if (n->op->flags & OVL_OP_LATE)
		return in <= MAX_BYTES;
	for (size_t i = 0; i < n->out.n; i++) {
		ovl_shape s;
		size_t bytes;
		if (n->out.at[i].type == OVL_DYNAMIC || !ovl_pshape_to_shape(&n->out.at[i].shape, &s) || !ovl_type_bytes(n->out.at[i].type, ovl_shape_elements(&s), &bytes))
			return false;
		out += bytes;
	}
	return out <= SMALL || (out <= MAX_BYTES && out <= MAX_GROWTH * in);
}

static ovl_status run_node(ovl_node *n, ovl_tensor **in, ovl_tensor **out, ovl_error *err)
{
	ovl_run run = {.op = n->op, .params = n->params, .n_in = (int)n->in.n, .in = in, .n_out = (int)n->out.n, .out = out, .err = err, .node = n};
	for (size_t i = 0; i < n->in.n; i++)
		in[i] = ovl_node_value(n->in.at[i]);
	for (size_t i = 0; i < n->out.n; i++) {
		ovl_shape s;
		if (!(n->op->flags & OVL_OP_LATE) && ovl_pshape_to_shape(&n->out.at[i].shape, &s))
			OVL_TRY(ovl_tensor_new_raw(n->out.at[i].type, &s, &out[i], err));
	}
	return n->op->run(&run);
}

/* ---- halves that lie in a file: what is made of them can be dropped once it is packed, and made again ---- */

typedef struct widening {
	ovl_tensor *from;
	ovl_type to;
} widening;

static void widen(void *user, void *data, size_t size)
{
	const widening *w = user;
	(void)size;
	ovl_convert(w->from->type, w->from->data, 0, w->to, data, 0, ovl_tensor_count(w->from), true);
	ovl_file_forget(w->from->data, ovl_tensor_bytes(w->from));
}

static void end_widening(void *user)
{
	ovl_tensor_release(((widening *)user)->from);
	ovl_free(user);
}

static bool is_widening(const ovl_node *n)
{
	const ovl_tensor *t = ovl_node_is(n, "Convert") ? ovl_node_value(n->in.at[0]) : NULL;
	return t && (t->type == OVL_F16 || t->type == OVL_BF16) && n->out.at[0].type == OVL_F32 && ovl_buffer_is_file(t->buffer) && ovl_tensor_dense(t) &&
		ovl_tensor_bytes(t) >= SMALL;
}

static ovl_status widened(const ovl_node *n, ovl_tensor **out, ovl_error *err)
{
	ovl_tensor *from = ovl_node_value(n->in.at[0]);
	widening *w = ovl_alloc(sizeof *w);
	ovl_buffer *b = NULL;
	ovl_status st;
	if (w) {
		*w = (widening){ovl_tensor_retain(from), OVL_F32};
		b = ovl_refill_make(2 * ovl_tensor_bytes(from), widen, w, end_widening);
	}
	if (!b) {
		if (w)
			end_widening(w);
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for folding");
	}
	st = ovl_tensor_on(b, 0, OVL_F32, &from->shape, out, err);
	ovl_buffer_release(b);
	return st;
}

static ovl_status fold(ovl_graph *g, ovl_node *n, ovl_error *err)
{
	ovl_tensor **in = ovl_calloc(n->in.n + n->out.n + 1, sizeof *in), **out = in ? in + n->in.n : NULL;
	ovl_status st = in ? is_widening(n) ? widened(n, out, err) : run_node(n, in, out, err) : ovl_fail(err, OVL_E_MEMORY, "not enough memory for folding");
	for (size_t i = 0; in && i < n->out.n; i++) {
		ovl_node *c;
		if (st == OVL_OK && n->out.at[i].users.n)
			st = ovl_graph_constant(g, out[i], n->name, &c, err);
		if (st == OVL_OK && n->out.at[i].users.n)
			st = ovl_graph_replace(g, (ovl_end){n, (int)i}, (ovl_end){c, 0}, true, err);
		ovl_tensor_release(out[i]);
	}
	ovl_free(in);
	return st;
}

/* Nodes whose values inference already knows only need to be replaced by constants. */
static ovl_status adopt(ovl_graph *g, ovl_node *n, bool *changed, ovl_error *err)
{
	for (size_t i = 0; i < n->out.n; i++) {
		ovl_node *c;
		if (!n->out.at[i].value || !n->out.at[i].users.n)
			continue;
		OVL_TRY(ovl_graph_constant(g, n->out.at[i].value, n->name, &c, err));
		OVL_TRY(ovl_graph_replace(g, (ovl_end){n, (int)i}, (ovl_end){c, 0}, true, err));
		*changed = true;
	}
	return OVL_OK;
}

static bool used(const ovl_node *n)
{
	for (size_t i = 0; i < n->out.n; i++)
		if (n->out.at[i].users.n)
			return true;
	return false;
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	size_t count;
	OVL_TRY(ovl_graph_sort(g, err));
	count = g->nodes.n; /* constants that are added behind need no look */
	for (size_t i = 0; i < count; i++) {
		ovl_node *n = g->nodes.at[i];
		if (ovl_node_is(n, "Constant") || ovl_node_is(n, "Parameter") || ovl_node_is(n, "Result") || !used(n))
			continue;
		OVL_TRY(adopt(g, n, changed, err));
		if (!used(n) || !can_fold(n))
			continue;
		if (fold(g, n, err) != OVL_OK)
			return ovl_error_prefix(err, "node '%s'", n->name);
		*changed = true;
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_fold_constants = {"fold_constants", 100, run};
