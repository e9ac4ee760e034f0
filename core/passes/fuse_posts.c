/* Element-wise tails: an operator that a post can do (tensor/post.h) becomes one of the node that it reads, which does it before its result goes to memory.
 *
 * Who may have posts: products with constant weights, MatMul, attention, and element-wise operators themselves; f32 only; and only when nobody else reads the result.
 * Products take what does not depend on open shapes at once, since their weights are packed for all plans; chains of other operators wait until the model's shapes are
 * known, so that patterns that need these still find them apart, and shape arithmetic can be folded. The result must keep its shape. Of two inputs that could take an operator (the sum behind a residual branch) the product is preferred, and of two products the
 * later one. Nodes are walked in order, so that a chain is taken up from its beginning: bias, sum, activation. */
#include "ops/eltwise.h"
#include "passes/pass.h"

#include <math.h>
#include <string.h>

typedef enum kind { NONE, ELTWISE, MATMUL, CONVOLUTION } kind;

typedef struct step {
	ovl_post post;
	ovl_end operand; /* of binary posts */
} step;

static const ovl_pshape *shape_of(ovl_end e) { return &e.node->out.at[e.port].shape; }
static bool is_f32(ovl_end e) { return e.node && e.node->out.at[e.port].type == OVL_F32; }

/* ---- who takes posts ---- */

static bool in_list(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = list; (at = strstr(at, word)); at += n)
		if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == 0))
			return true;
	return false;
}

/* The kernels want numbers where the operators allow tensors. */
static bool eltwise_runs(const ovl_node *n)
{
	static const char *const binary = "Add Subtract Multiply Divide Maximum Minimum SquaredDifference Power";
	double v;
	int own = ovl_node_own_inputs(n);
	if (!in_list(OVL_ELTWISE_OPS, n->op->name))
		return false;
	for (int i = 0; i < own; i++)
		if (!is_f32(n->in.at[i]))
			return false;
	if (in_list(binary, n->op->name))
		return ((const ovl_binary_params *)n->params)->auto_broadcast != OVL_BROADCAST_PDPD;
	for (int i = 1; i < own && !ovl_node_is(n, "PRelu"); i++)
		if (!ovl_match_scalar(n->in.at[i], &v))
			return false;
	return true;
}

static bool shapes_known(const ovl_graph *g)
{
	for (size_t i = 0; i < g->parameters.n; i++)
		if (!ovl_pshape_is_static(&g->parameters.at[i]->out.at[0].shape))
			return false;
	return true;
}

static kind kind_of(const ovl_node *n, bool known)
{
	static const char *const convolutions = "Convolution GroupConvolution ConvolutionBackpropData GroupConvolutionBackpropData";
	if (n->out.n != 1 || n->in.n < 1 || n->out.at[0].value || n->bodies.n || !is_f32((ovl_end){(ovl_node *)(uintptr_t)n, 0}) || !n->out.at[0].shape.ranked)
		return NONE;
	if (in_list(convolutions, n->op->name))
		return is_f32(n->in.at[0]) && is_f32(n->in.at[1]) && ovl_node_value(n->in.at[1]) ? CONVOLUTION : NONE;
	if (ovl_node_is(n, "MatMul"))
		return shape_of(n->in.at[0])->rank >= 2 && shape_of(n->in.at[1])->rank >= 2 ? MATMUL : NONE;
	if (ovl_node_is(n, "ScaledDotProductAttention"))
		return MATMUL;
	return known && ovl_pshape_is_static(&n->out.at[0].shape) && eltwise_runs(n) ? ELTWISE : NONE;
}

/* ---- what becomes a post ---- */

/* A product or sum with one number needs no operand. */
static void with_number(step *s)
{
	double v;
	if (!ovl_match_scalar(s->operand, &v))
		return;
	switch (s->post.kind) {
	case OVL_POST_MUL: s->post = (ovl_post){OVL_POST_LINEAR, -1, (float)v, 0}; break;
	case OVL_POST_ADD: s->post = (ovl_post){OVL_POST_LINEAR, -1, 1, (float)v}; break;
	case OVL_POST_SUB: s->post = (ovl_post){OVL_POST_LINEAR, -1, 1, (float)-v}; break;
	case OVL_POST_RSUB: s->post = (ovl_post){OVL_POST_LINEAR, -1, -1, (float)v}; break;
	default: return;
	}
	s->operand = (ovl_end){0};
}

/* What `user` does to its input i, with what is fused into it already. 0: no posts do that. */
static int steps_of(const ovl_node *user, int i, step *steps)
{
	float numbers[4];
	const float *scalars[4] = {0};
	int own = ovl_node_own_inputs(user), n = 1;
	if (own > 4 || user->out.n != 1 || user->bodies.n || user->posts.n + 1 > OVL_MAX_POSTS || !is_f32((ovl_end){(ovl_node *)(uintptr_t)user, 0}))
		return 0;
	for (int k = 0; k < own; k++) {
		double v;
		if (!is_f32(user->in.at[k]))
			return 0;
		if (ovl_match_scalar(user->in.at[k], &v)) {
			numbers[k] = (float)v;
			scalars[k] = &numbers[k];
		}
	}
	if (!ovl_eltwise_post(user->op->name, user->params, i, own, scalars, &steps[0].post))
		return 0;
	steps[0].operand = ovl_post_binary(steps[0].post.kind) ? user->in.at[1 - i] : (ovl_end){0};
	for (size_t k = 0; k < user->posts.n; k++, n++) {
		steps[n].post = user->posts.at[k];
		steps[n].operand = steps[n].post.input >= 0 ? user->in.at[steps[n].post.input] : (ovl_end){0};
	}
	return n;
}

/* The operand leaves the result's shape as it is, and a kernel can walk along it. */
static bool operand_fits(const ovl_node *into, kind k, ovl_end operand)
{
	const ovl_pshape *out = &into->out.at[0].shape, *s = shape_of(operand);
	if (!is_f32(operand) || !ovl_match_fits(out, s))
		return false;
	return k != CONVOLUTION || s->rank == out->rank || ovl_node_value(operand);
}

/* How well `user` fits behind its input i: 0 not at all. */
static int rate(const ovl_node *user, int i, bool known, step *steps, int *n)
{
	ovl_node *into = user->in.at[i].node;
	kind k;
	if (user->in.at[i].port != 0 || ovl_node_only_user(into) != user || (k = kind_of(into, known)) == NONE || !(*n = steps_of(user, i, steps)))
		return 0;
	if ((int)into->posts.n + *n > OVL_MAX_POSTS)
		return 0;
	for (int s = 0; s < *n; s++)
		if (steps[s].operand.node && !operand_fits(into, k, steps[s].operand))
			return 0;
	return (k == ELTWISE ? 1 : 1 << 30) + into->index;
}

/* ---- fusing ---- */

/* A constant per channel gets all dimensions of the result: [1, C, 1, 1]. */
static ovl_status full_rank(ovl_graph *g, const ovl_node *into, ovl_end *operand, ovl_error *err)
{
	const ovl_tensor *t = ovl_node_value(*operand);
	int rank = into->out.at[0].shape.rank;
	ovl_shape s = {.rank = rank};
	ovl_tensor *view;
	if (!t || t->shape.rank >= rank)
		return OVL_OK;
	for (int i = 0; i < rank; i++)
		s.dims[i] = i < rank - t->shape.rank ? 1 : t->shape.dims[i - (rank - t->shape.rank)];
	OVL_TRY(ovl_pass_reshape(t, &s, &view, err));
	return ovl_pass_constant(g, view, operand, err);
}

/* a2 * (a1 * x + b1) + b2 */
static bool join_linear(ovl_node *into, const ovl_post *post)
{
	ovl_post *last = into->posts.n ? &into->posts.at[into->posts.n - 1] : NULL;
	if (!last || last->kind != OVL_POST_LINEAR || post->kind != OVL_POST_LINEAR)
		return false;
	last->alpha *= post->alpha;
	last->beta = last->beta * post->alpha + post->beta;
	return true;
}

static ovl_status add_step(ovl_graph *g, ovl_node *into, kind k, step s, ovl_error *err)
{
	bool bias = k != ELTWISE && into->posts.n == 0 && s.post.kind == OVL_POST_ADD;
	if (s.operand.node && !bias)
		with_number(&s);
	if (!s.operand.node)
		return join_linear(into, &s.post) ? OVL_OK : ovl_node_add_post(into, s.post.kind, s.post.alpha, s.post.beta, NULL, err);
	if (k == CONVOLUTION)
		OVL_TRY(full_rank(g, into, &s.operand, err));
	return ovl_node_add_post(into, s.post.kind, s.post.alpha, s.post.beta, &s.operand, err);
}

static ovl_status fuse(ovl_graph *g, ovl_node *user, bool known, bool *changed, ovl_error *err)
{
	step steps[2][OVL_MAX_POSTS + 1];
	int n[2] = {0}, rating[2] = {0}, best;
	ovl_node *into;
	for (int i = 0; i < 2 && i < ovl_node_own_inputs(user); i++)
		rating[i] = user->in.at[i].node ? rate(user, i, known, steps[i], &n[i]) : 0;
	best = rating[1] > rating[0];
	if (!rating[best])
		return OVL_OK;
	into = user->in.at[best].node;
	for (int s = 0; s < n[best]; s++)
		OVL_TRY(add_step(g, into, kind_of(into, known), steps[best][s], err));
	*changed = true;
	return ovl_pass_absorb(g, into, user, err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	bool known = shapes_known(g);
	OVL_TRY(ovl_graph_sort(g, err));
	for (size_t i = 0, n = g->nodes.n; i < n; i++)
		if (ovl_match_live(g->nodes.at[i]) && !g->nodes.at[i]->out.at[0].value)
			OVL_TRY(fuse(g, g->nodes.at[i], known, changed, err));
	return OVL_OK;
}

const ovl_pass ovl_pass_fuse_posts = {"fuse_posts", 400, run};
