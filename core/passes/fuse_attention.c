/* Softmax(Q * K^T * scale + mask) * V becomes ScaledDotProductAttention. The scale may stand behind the product, or in parts on Q and on K; K may be turned around by
 * MatMul or by a Transpose of any order. */
#include "ops/attention.h"
#include "ops/matmul.h"
#include "ops/norm.h"
#include "passes/pass.h"

#include <math.h>

typedef struct found {
	ovl_end q, k, v, mask; /* as MatMul reads them; mask.node NULL: none */
	bool k_turned, v_turned; /* MatMul reads [S, E] for K, and [V, S] for V */
	double scale;
} found;

static const ovl_pshape *shape_of(ovl_end e) { return &e.node->out.at[e.port].shape; }

static ovl_end without_scale(ovl_end e, double *scale)
{
	ovl_end x;
	double v;
	while (e.port == 0 && ovl_match_with_scalar(e.node, "Multiply", &x, &v)) {
		*scale *= v;
		e = x;
	}
	return e;
}

/* ---- matching ---- */

/* A factor that was fused into the product when the shapes were still open. */
static bool only_scaled(const ovl_node *n, double *scale)
{
	if (n->posts.n == 0)
		return true;
	if (n->posts.n != 1 || n->posts.at[0].kind != OVL_POST_LINEAR || n->posts.at[0].beta != 0)
		return false;
	*scale *= (double)n->posts.at[0].alpha;
	return true;
}

/* e is Q * K^T, scaled. */
static bool product_of(ovl_end e, found *f)
{
	const ovl_matmul_params *p;
	const ovl_node *n;
	f->scale = 1;
	if (!ovl_match_used_once(e))
		return false;
	e = without_scale(e, &f->scale);
	n = e.node;
	if (!ovl_node_is(n, "MatMul") || !ovl_match_used_once(e) || !only_scaled(n, &f->scale))
		return false;
	p = n->params;
	f->q = n->in.at[0];
	f->k = n->in.at[1];
	f->k_turned = p->transpose_b;
	return !p->transpose_a;
}

static bool scores_of(ovl_end e, found *f)
{
	f->mask = (ovl_end){0};
	if (!ovl_match_used_once(e))
		return false;
	for (int i = 0; e.port == 0 && ovl_match_binary(e.node, "Add") && i < 2; i++)
		if (product_of(e.node->in.at[i], f) && ovl_match_fits(shape_of(e.node->in.at[i]), shape_of(e.node->in.at[1 - i]))) {
			f->mask = e.node->in.at[1 - i];
			return true;
		}
	return product_of(e, f);
}

static bool equal_ranks(const found *f)
{
	const ovl_pshape *q = shape_of(f->q), *k = shape_of(f->k), *v = shape_of(f->v);
	return q->ranked && k->ranked && v->ranked && q->rank >= 3 && q->rank == k->rank && q->rank == v->rank;
}

static bool match(const ovl_node *n, found *f)
{
	const ovl_node *softmax = ovl_match_source(n, 0, "Softmax");
	const ovl_matmul_params *p = n->params;
	int64_t axis;
	if (!ovl_match_is(n, "MatMul") || !softmax || p->transpose_a || !ovl_match_used_once(n->in.at[0]) || !scores_of(softmax->in.at[0], f))
		return false;
	f->v = n->in.at[1];
	f->v_turned = p->transpose_b;
	axis = ((const ovl_softmax_params *)softmax->params)->axis;
	return equal_ranks(f) && (axis == -1 || axis == shape_of(f->q)->rank - 1) && ovl_match_float(f->q);
}

/* ---- making ---- */

/* The two last dimensions change places; a Transpose that is there already takes part, and lets a scale below it through. */
static ovl_status turn(ovl_graph *g, ovl_end e, double *scale, ovl_end *out, ovl_error *err)
{
	int64_t order[OVL_MAX_RANK], last;
	int rank = shape_of(e)->rank;
	const ovl_node *there = ovl_match_node(e, "Transpose");
	const ovl_tensor *t = there ? ovl_node_value(there->in.at[1]) : NULL;
	bool nothing = true;
	ovl_end in[2] = {e};
	ovl_node *made;
	if (t && ovl_tensor_count(t) == rank)
		in[0] = scale ? without_scale(there->in.at[0], scale) : there->in.at[0];
	else
		t = NULL;
	for (int i = 0; i < rank; i++)
		order[i] = t ? ovl_tensor_i64_at(t, i) : i;
	last = order[rank - 1];
	order[rank - 1] = order[rank - 2];
	order[rank - 2] = last;
	for (int i = 0; i < rank; i++)
		nothing = nothing && order[i] == i;
	*out = in[0];
	if (nothing)
		return OVL_OK;
	OVL_TRY(ovl_pass_axes(g, order, rank, &in[1], err));
	OVL_TRY(ovl_pass_node(g, "Transpose", NULL, in, 2, &made, err));
	*out = (ovl_end){made, 0};
	return OVL_OK;
}

static bool is_usual_scale(ovl_end q, double scale)
{
	const ovl_pshape *s = shape_of(q);
	ovl_dim e = s->dims[s->rank - 1];
	return ovl_dim_static(e) && e.min > 0 && ovl_match_exact(scale, 1 / sqrt((double)e.min));
}

/* A scale below a Transpose, which goes on to what is below that. */
static ovl_status below_transpose(ovl_graph *g, ovl_end e, double *scale, ovl_end *out, ovl_error *err)
{
	const ovl_node *there = ovl_match_node(e, "Transpose");
	ovl_end in[2];
	ovl_node *made;
	*out = e;
	if (!there)
		return OVL_OK;
	in[0] = without_scale(there->in.at[0], scale);
	in[1] = there->in.at[1];
	if (ovl_match_same(in[0], there->in.at[0]))
		return OVL_OK;
	OVL_TRY(ovl_pass_node(g, "Transpose", NULL, in, 2, &made, err));
	*out = (ovl_end){made, 0};
	return OVL_OK;
}

static ovl_status fuse(ovl_graph *g, ovl_node *root, const found *f, double scale, const ovl_end *q, const ovl_end *k, ovl_error *err)
{
	ovl_end in[5] = {*q, *k, f->v, f->mask};
	int n = f->mask.node ? 4 : 3;
	ovl_node *made;
	if (f->v_turned)
		OVL_TRY(turn(g, in[2], NULL, &in[2], err));
	if (!is_usual_scale(in[0], scale)) {
		OVL_TRY(ovl_pass_scalar(g, in[0].node->out.at[in[0].port].type, scale, &in[4], err));
		n = 5;
	}
	OVL_TRY(ovl_pass_node(g, "ScaledDotProductAttention", root->name, in, n, &made, err));
	return ovl_pass_replace(g, root, made, err);
}

static ovl_status from_products(ovl_graph *g, ovl_node *n, bool *changed, ovl_error *err)
{
	found f;
	ovl_end q, k;
	if (!match(n, &f))
		return OVL_OK;
	q = without_scale(f.q, &f.scale);
	k = without_scale(f.k, &f.scale);
	if (!f.k_turned)
		OVL_TRY(turn(g, k, &f.scale, &k, err));
	else
		OVL_TRY(below_transpose(g, k, &f.scale, &k, err));
	*changed = true;
	return fuse(g, n, &f, f.scale, &q, &k, err);
}

static bool own_scale(const ovl_node *n, double *scale)
{
	const ovl_pshape *q = &ovl_source(n, 0)->shape;
	ovl_dim e;
	if (n->in.n > 4 && n->in.at[4].node)
		return ovl_match_scalar(n->in.at[4], scale);
	if (!q->ranked || q->rank < 1)
		return false;
	e = q->dims[q->rank - 1];
	*scale = ovl_dim_static(e) && e.min > 0 ? 1 / sqrt((double)e.min) : 0;
	return *scale > 0;
}

/* Scales on Q and K that became known after the pattern was found. */
static ovl_status take_scales(ovl_graph *g, ovl_node *n, bool *changed, ovl_error *err)
{
	found f = {.v = n->in.at[2]};
	ovl_end q, k;
	if (((const ovl_sdpa_params *)n->params)->causal || !ovl_match_float(n->in.at[0]) || !own_scale(n, &f.scale))
		return OVL_OK;
	f.mask = n->in.n > 3 ? n->in.at[3] : (ovl_end){0};
	q = without_scale(n->in.at[0], &f.scale);
	k = without_scale(n->in.at[1], &f.scale);
	OVL_TRY(below_transpose(g, k, &f.scale, &k, err));
	if (ovl_match_same(q, n->in.at[0]) && ovl_match_same(k, n->in.at[1]))
		return OVL_OK;
	*changed = true;
	return fuse(g, n, &f, f.scale, &q, &k, err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	OVL_TRY(ovl_graph_sort(g, err));
	for (size_t i = 0, n = g->nodes.n; i < n; i++) {
		ovl_node *node = g->nodes.at[i];
		if (!ovl_match_live(node) || node->out.at[0].value)
			continue;
		if (ovl_match_is(node, "ScaledDotProductAttention"))
			OVL_TRY(take_scales(g, node, changed, err));
		else if (ovl_match_is(node, "MatMul"))
			OVL_TRY(from_products(g, node, changed, err));
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_fuse_attention = {"fuse_attention", 320, run};
