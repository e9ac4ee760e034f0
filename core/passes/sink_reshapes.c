/* Between a product and the element-wise operators behind it there must be nothing for these to become posts. A Reshape in between (exporters multiply in two
 * dimensions and go back to three) moves behind the operator: Op(Reshape(P), r) is Reshape(Op(P, Reshape(r))), when shapes are known. A Transpose that only moves
 * dimensions of size 1 is a Reshape, too. Other ones (from channels first to channels last) move in the same way, with open shapes as well. Both are views. */
#include "ops/eltwise.h"
#include "passes/pass.h"

#include <string.h>

typedef struct job {
	ovl_graph *g;
	bool *changed;
	ovl_error *err;
} job;

static bool shape_of(ovl_end e, ovl_shape *s)
{
	if (!e.node || !ovl_pshape_to_shape(&e.node->out.at[e.port].shape, s))
		return false;
	for (int i = 0; i < s->rank; i++)
		if (s->dims[i] < 1)
			return false;
	return true;
}

static ovl_status reshape(job *j, ovl_end from, const ovl_shape *s, const char *name, ovl_node **out)
{
	ovl_end in[2] = {from};
	OVL_TRY(ovl_pass_axes(j->g, s->dims, s->rank, &in[1], j->err));
	OVL_TRY(ovl_graph_op(j->g, "Reshape", name, in, 2, out, j->err));
	OVL_TRY(ovl_node_set_text(*out, "special_zero", "false", j->err));
	return ovl_node_infer(*out, j->err);
}

/* ---- a Transpose that moves nothing ---- */

static bool moves_nothing(const ovl_node *n, const ovl_shape *s)
{
	const ovl_tensor *order = ovl_node_value(n->in.at[1]);
	int64_t last = -1;
	if (!order || ovl_tensor_count(order) != s->rank)
		return false;
	for (int i = 0; i < s->rank; i++) {
		int64_t from = ovl_tensor_i64_at(order, i);
		if (from < 0 || from >= s->rank)
			return false;
		if (s->dims[from] == 1)
			continue;
		if (from < last)
			return false;
		last = from;
	}
	return true;
}

/* Only where a Reshape is on one of its sides: else it stays what its readers know. */
static bool beside_reshape(const ovl_node *n)
{
	const ovl_node *user = ovl_node_only_user(n);
	return ovl_match_source(n, 0, "Reshape") || (user && ovl_match_is(user, "Reshape"));
}

static ovl_status idle_transpose(job *j, ovl_node *n)
{
	ovl_shape in, out;
	ovl_node *made;
	if (!ovl_match_is(n, "Transpose") || !beside_reshape(n) || !shape_of(n->in.at[0], &in) || !shape_of((ovl_end){n, 0}, &out) || !moves_nothing(n, &in))
		return OVL_OK;
	OVL_TRY(reshape(j, n->in.at[0], &out, n->name, &made));
	*j->changed = true;
	return ovl_pass_replace(j->g, n, made, j->err);
}

/* ---- a Reshape between product and operator ---- */

static bool is_one_of(const ovl_node *n, const char *const *names)
{
	for (; *names; names++)
		if (ovl_match_is(n, *names))
			return true;
	return false;
}

static bool is_product(const ovl_node *n)
{
	static const char *const names[] = {"MatMul", "Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData", "ScaledDotProductAttention",
		NULL};
	static const char *const tails[] = {"Add", "Multiply", "Relu", "Clamp", "Gelu", "Swish", "HSwish", "Sigmoid", "Tanh", NULL};
	for (int depth = 0; depth < OVL_MAX_POSTS; depth++) { /* with what will become its posts */
		const ovl_node *before = NULL;
		if (!n || n->out.n != 1 || n->out.at[0].users.n != 1)
			return false;
		for (const char *const *name = names; *name; name++)
			if (ovl_node_is(n, *name))
				return true;
		if (!is_one_of(n, tails))
			return false;
		for (size_t i = 0; i < n->in.n && !before; i++)
			if (n->in.at[i].node && !ovl_node_value(n->in.at[i]))
				before = n->in.at[i].node;
		n = before;
	}
	return false;
}

/* The node at e when it is one of these, and reads a product. */
static const ovl_node *behind_product(ovl_end e, const char *const *names)
{
	if (e.port != 0 || !is_one_of(e.node, names) || !ovl_match_used_once(e) || e.node->in.at[0].port != 0)
		return NULL;
	return is_product(e.node->in.at[0].node) ? e.node : NULL;
}

/* One number, or one for each entry of the last dimension, which is the same before and after. */
static bool along_last(const ovl_shape *operand, const ovl_shape *before, const ovl_shape *after)
{
	for (int i = 0; i < operand->rank - 1; i++)
		if (operand->dims[i] != 1)
			return false;
	if (operand->rank > before->rank || operand->rank > after->rank)
		return false;
	return operand->rank == 0 || operand->dims[operand->rank - 1] == 1 ||
	       (before->rank > 0 && after->rank > 0 && before->dims[before->rank - 1] == after->dims[after->rank - 1] &&
		       operand->dims[operand->rank - 1] == after->dims[after->rank - 1]);
}

/* The operator's other input for the shape before the Reshape. False: there is none. */
static ovl_status operand_before(job *j, ovl_end operand, const ovl_shape *before, const ovl_shape *after, ovl_end *out, bool *fits)
{
	ovl_shape s;
	ovl_node *made;
	*out = operand;
	*fits = true;
	if (shape_of(operand, &s) && along_last(&s, before, after))
		return OVL_OK;
	*fits = shape_of(operand, &s) && ovl_shape_equal(&s, after);
	if (!*fits)
		return OVL_OK;
	OVL_TRY(reshape(j, operand, before, NULL, &made));
	*out = (ovl_end){made, 0};
	return OVL_OK;
}

static bool is_binary(const ovl_node *n)
{
	static const char *const names[] = {"Add", "Multiply", "Subtract", "Divide", "Maximum", "Minimum", NULL};
	return is_one_of(n, names) && ovl_match_binary(n, n->op->name);
}

/* n does its work on input i (x or binary) as far as patterns go. */
static bool works_on(const ovl_node *n, int i)
{
	static const char *const unary[] = {"Relu", "Clamp", "Gelu", "Swish", "HSwish", "HSigmoid", "Sigmoid", "Tanh", "Elu", "Abs", "Mish", NULL};
	return is_binary(n) || (i == 0 && is_one_of(n, unary));
}

/* n reads `before` at input i, and its users read `behind`, which reads n. */
static ovl_status move_behind(job *j, ovl_node *n, int i, ovl_end before, const ovl_end *operand, ovl_node **behind, const char *type, ovl_end how)
{
	ovl_end in[2] = {{n, 0}, how};
	ovl_node *there = n->in.at[i].node;
	if (operand)
		OVL_TRY(ovl_node_set_input(n, 1 - i, *operand, j->err));
	OVL_TRY(ovl_node_set_input(n, i, before, j->err));
	OVL_TRY(ovl_node_infer(n, j->err));
	OVL_TRY(ovl_graph_op(j->g, type, NULL, in, 2, behind, j->err));
	if (!strcmp(type, "Reshape"))
		OVL_TRY(ovl_node_set_text(*behind, "special_zero", "false", j->err));
	OVL_TRY(ovl_node_infer(*behind, j->err));
	*j->changed = true;
	OVL_TRY(ovl_graph_replace(j->g, (ovl_end){n, 0}, (ovl_end){*behind, 0}, true, j->err));
	for (size_t k = 0; k < n->out.at[0].names.n; k++)
		ovl_free(n->out.at[0].names.at[k]);
	n->out.at[0].names.n = 0;
	ovl_node_cut_inputs(there, 0); /* n was its only reader */
	return OVL_OK;
}

static ovl_status sink_reshape(job *j, ovl_node *n, int i)
{
	static const char *const names[] = {"Reshape", "Squeeze", "Unsqueeze", NULL};
	const ovl_node *there = behind_product(n->in.at[i], names);
	bool two = is_binary(n), fits;
	ovl_shape before, after, result;
	ovl_node *behind;
	ovl_end operand, shape;
	if (!there || !works_on(n, i) || !shape_of(there->in.at[0], &before) || !shape_of(n->in.at[i], &after) || !shape_of((ovl_end){n, 0}, &result) ||
		!ovl_shape_equal(&after, &result))
		return OVL_OK;
	if (two) {
		OVL_TRY(operand_before(j, n->in.at[1 - i], &before, &after, &operand, &fits));
		if (!fits)
			return OVL_OK;
	}
	OVL_TRY(ovl_pass_axes(j->g, after.dims, after.rank, &shape, j->err));
	return move_behind(j, n, i, there->in.at[0], two ? &operand : NULL, &behind, "Reshape", shape);
}

/* ---- a Transpose between them ---- */

/* The operand in the order before the Transpose: one number stays, a constant of fewer dimensions gets all of them first. */
static ovl_status operand_turned(job *j, ovl_end operand, const ovl_tensor *order, ovl_end *out, bool *fits)
{
	const ovl_pshape *s = &operand.node->out.at[operand.port].shape;
	int rank = (int)ovl_tensor_count(order);
	int64_t inverse[OVL_MAX_RANK];
	ovl_shape full = {.rank = rank};
	ovl_end in[2] = {operand};
	ovl_node *made;
	double v;
	*out = operand;
	*fits = ovl_match_scalar(operand, &v) || s->rank == rank || ovl_pshape_is_static(s);
	if (!*fits || ovl_match_scalar(operand, &v))
		return OVL_OK;
	if (s->rank < rank) {
		for (int i = 0; i < rank; i++)
			full.dims[i] = i < rank - s->rank ? 1 : s->dims[i - (rank - s->rank)].min;
		OVL_TRY(reshape(j, operand, &full, NULL, &made));
		in[0] = (ovl_end){made, 0};
	}
	for (int i = 0; i < rank; i++)
		inverse[ovl_tensor_i64_at(order, i)] = i;
	OVL_TRY(ovl_pass_axes(j->g, inverse, rank, &in[1], j->err));
	OVL_TRY(ovl_pass_node(j->g, "Transpose", NULL, in, 2, &made, j->err));
	*out = (ovl_end){made, 0};
	return OVL_OK;
}

static ovl_status sink_transpose(job *j, ovl_node *n, int i)
{
	static const char *const names[] = {"Transpose", NULL};
	const ovl_node *there = behind_product(n->in.at[i], names);
	const ovl_tensor *order = there ? ovl_node_value(there->in.at[1]) : NULL;
	const ovl_pshape *after = there ? &there->out.at[0].shape : NULL;
	bool two = is_binary(n), fits;
	ovl_node *behind;
	ovl_end operand;
	if (!there || !works_on(n, i) || !order || !after->ranked || ovl_tensor_count(order) != after->rank)
		return OVL_OK;
	if (two) {
		if (!ovl_match_fits(after, &ovl_source(n, 1 - i)->shape))
			return OVL_OK;
		OVL_TRY(operand_turned(j, n->in.at[1 - i], order, &operand, &fits));
		if (!fits)
			return OVL_OK;
	}
	return move_behind(j, n, i, there->in.at[0], two ? &operand : NULL, &behind, "Transpose", there->in.at[1]);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	job j = {g, changed, err};
	OVL_TRY(ovl_graph_sort(g, err));
	for (size_t i = 0, count = g->nodes.n; i < count; i++) {
		ovl_node *n = g->nodes.at[i];
		if (!ovl_match_live(n) || n->posts.n || n->in.n == 0 || n->out.at[0].value || !ovl_match_float((ovl_end){n, 0}))
			continue;
		OVL_TRY(idle_transpose(&j, n));
		for (int k = 0; ovl_match_live(n) && k < 2 && k < (int)n->in.n; k++) {
			OVL_TRY(sink_reshape(&j, n, k));
			OVL_TRY(sink_transpose(&j, n, k));
		}
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_sink_reshapes = {"sink_reshapes", 390, run};
