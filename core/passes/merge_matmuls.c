/* Products of one input with several weights (Q, K and V of attention) become one product with the weights side by side, cut into parts behind. The parts are views,
 * so that only readers which do not mind strides make it worth while: those that split into heads. */
#include "ops/concat.h"
#include "ops/matmul.h"
#include "passes/pass.h"

enum { MAX_BRANCHES = 8 };

typedef struct branch {
	ovl_node *product, *tail; /* tail: the sum with a bias, or the product itself */
	ovl_tensor *bias; /* NULL: none */
	int64_t n; /* columns */
} branch;

static bool constant_product(const ovl_node *n)
{
	const ovl_tensor *w = ovl_match_is(n, "MatMul") ? ovl_node_value(n->in.at[1]) : NULL;
	const ovl_matmul_params *p = n->params;
	return w && w->shape.rank == 2 && ovl_type_is_float(w->type) && !p->transpose_a && n->out.at[0].shape.ranked && n->out.at[0].shape.rank >= 2 && !n->out.at[0].value;
}

static bool splits_into_heads(const ovl_node *n)
{
	static const char *const readers[] = {"Reshape", "Transpose", "Unsqueeze", "ShapeOf", "Split", "VariadicSplit"};
	for (size_t u = 0; u < n->out.at[0].users.n; u++) {
		bool one = false;
		for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
			one = one || (n->out.at[0].users.at[u].port == 0 && ovl_match_is(n->out.at[0].users.at[u].node, readers[i]));
		if (!one)
			return false;
	}
	return true;
}

static bool is_row(const ovl_tensor *t, int64_t n)
{
	return t->shape.rank >= 1 && t->shape.dims[t->shape.rank - 1] == n && ovl_tensor_count(t) == n;
}

static bool as_branch(ovl_node *n, branch *b)
{
	const ovl_shape *w = &ovl_node_value(n->in.at[1])->shape;
	ovl_node *user = ovl_node_only_user(n);
	ovl_end x;
	*b = (branch){.product = n, .tail = n, .n = w->dims[((const ovl_matmul_params *)n->params)->transpose_b ? 0 : 1]};
	if (user && (b->bias = ovl_match_with_constant(user, "Add", &x))) {
		if (!is_row(b->bias, b->n))
			return false;
		b->tail = user;
	}
	return splits_into_heads(b->tail);
}

static bool alike(const ovl_node *a, const ovl_node *b)
{
	const ovl_tensor *wa = ovl_node_value(a->in.at[1]), *wb = ovl_node_value(b->in.at[1]);
	bool ta = ((const ovl_matmul_params *)a->params)->transpose_b, tb = ((const ovl_matmul_params *)b->params)->transpose_b;
	return ta == tb && wa->type == wb->type && wa->shape.dims[ta ? 1 : 0] == wb->shape.dims[tb ? 1 : 0];
}

/* Those that read the same as `first` does, itself in front. */
static int collect(ovl_node *first, branch *list)
{
	ovl_end x = first->in.at[0];
	int n = 0;
	if (!as_branch(first, &list[n++]))
		return 0;
	for (size_t u = 0; u < x.node->out.at[x.port].users.n && n < MAX_BRANCHES; u++) {
		ovl_end user = x.node->out.at[x.port].users.at[u];
		if (user.node != first && user.port == 0 && constant_product(user.node) && ovl_match_live(user.node) && alike(first, user.node) && as_branch(user.node, &list[n]))
			n++;
	}
	return n;
}

static double zero(double x, double arg) { return (void)x, arg; }

static ovl_status row_of(ovl_graph *g, const branch *b, ovl_end *out, ovl_error *err)
{
	ovl_shape s = {.rank = 1, .dims = {b->n}};
	ovl_tensor *t, *any;
	if (b->bias)
		OVL_TRY(ovl_pass_reshape(b->bias, &s, &t, err));
	else {
		OVL_TRY(ovl_tensor_new(ovl_node_value(b->product->in.at[1])->type, &s, &any, err));
		ovl_status st = ovl_pass_map(any, zero, 0, &t, err);
		ovl_tensor_release(any);
		if (st != OVL_OK)
			return st;
	}
	return ovl_pass_constant(g, t, out, err);
}

static ovl_status concat(ovl_graph *g, const ovl_end *parts, int n, int64_t axis, ovl_end *out, ovl_error *err)
{
	ovl_node *made;
	OVL_TRY(ovl_graph_op(g, "Concat", NULL, parts, n, &made, err));
	((ovl_concat_params *)made->params)->axis = axis;
	*out = (ovl_end){made, 0};
	return ovl_node_infer(made, err);
}

static ovl_status make_product(ovl_graph *g, const branch *list, int n, ovl_node **out, ovl_error *err)
{
	ovl_end parts[MAX_BRANCHES], in[2] = {list[0].product->in.at[0]};
	bool turned = ((const ovl_matmul_params *)list[0].product->params)->transpose_b, biased = false;
	for (int i = 0; i < n; i++) {
		parts[i] = list[i].product->in.at[1];
		biased = biased || list[i].bias;
	}
	OVL_TRY(concat(g, parts, n, turned ? 0 : 1, &in[1], err));
	OVL_TRY(ovl_graph_op(g, "MatMul", list[0].product->name, in, 2, out, err));
	((ovl_matmul_params *)(*out)->params)->transpose_b = turned;
	OVL_TRY(ovl_node_infer(*out, err));
	if (!biased)
		return OVL_OK;
	for (int i = 0; i < n; i++)
		OVL_TRY(row_of(g, &list[i], &parts[i], err));
	in[0] = (ovl_end){*out, 0};
	OVL_TRY(concat(g, parts, n, 0, &in[1], err));
	return ovl_pass_node(g, "Add", list[0].tail->name, in, 2, out, err);
}

static ovl_status merge(ovl_graph *g, const branch *list, int n, ovl_error *err)
{
	int64_t lengths[MAX_BRANCHES];
	ovl_node *product, *axis, *split;
	ovl_end in[3];
	OVL_TRY(make_product(g, list, n, &product, err));
	for (int i = 0; i < n; i++)
		lengths[i] = list[i].n;
	in[0] = (ovl_end){product, 0};
	OVL_TRY(ovl_graph_constant_i64(g, 0, (const int64_t[]){product->out.at[0].shape.rank - 1}, 1, NULL, &axis, err));
	in[1] = (ovl_end){axis, 0};
	OVL_TRY(ovl_pass_axes(g, lengths, n, &in[2], err));
	OVL_TRY(ovl_pass_node(g, "VariadicSplit", NULL, in, 3, &split, err));
	for (int i = 0; i < n; i++) {
		OVL_TRY(ovl_graph_replace(g, (ovl_end){list[i].tail, 0}, (ovl_end){split, i}, true, err));
		if (i > 0)
			OVL_TRY(ovl_pass_note_fused(product, list[i].tail, err));
		OVL_TRY(ovl_pass_bury(product, list[i].tail, err));
	}
	return OVL_OK;
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	OVL_TRY(ovl_graph_sort(g, err));
	for (size_t i = 0, count = g->nodes.n; i < count; i++) {
		branch list[MAX_BRANCHES];
		int n = ovl_match_live(g->nodes.at[i]) && constant_product(g->nodes.at[i]) ? collect(g->nodes.at[i], list) : 0;
		if (n < 2)
			continue;
		OVL_TRY(merge(g, list, n, err));
		*changed = true;
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_merge_matmuls = {"merge_matmuls", 250, run};
