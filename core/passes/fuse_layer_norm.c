/* Normalisation that was written out, and its gamma and beta.
 *
 *     d = x - mean(x);  d / sqrt(mean(d^2) + eps)          MVN
 *     x / sqrt(mean(x^2) + eps)                            RMS, over the last dimension
 *     MVN over the last dimensions * gamma + beta          LayerNorm
 *     RMS * gamma                                          RMS with gamma
 *
 * Squares may be Power, a product or SquaredDifference; the division may be a product with Power(-0.5) or with a reciprocal. */
#include "ops/norm.h"
#include "ops/reduce.h"
#include "passes/pass.h"

#include <math.h>

typedef struct job {
	ovl_graph *g;
	bool *changed;
	ovl_error *err;
} job;

/* Which dimensions, as bits. */
typedef struct mean {
	ovl_end of;
	unsigned axes;
} mean;

/* ---- what was written out ---- */

static bool axes_bits(ovl_end axes, int rank, unsigned *bits)
{
	const ovl_tensor *t = ovl_node_value(axes);
	*bits = 0;
	for (int64_t i = 0; t && i < ovl_tensor_count(t); i++) {
		int64_t a = ovl_tensor_i64_at(t, i);
		a = a < 0 ? a + rank : a;
		if (a < 0 || a >= rank)
			return false;
		*bits |= 1u << a;
	}
	return t && *bits;
}

static bool as_mean(ovl_end e, mean *m)
{
	const ovl_node *n = ovl_match_node(e, "ReduceMean");
	const ovl_pshape *s;
	if (!n || n->in.n != 2 || !((const ovl_reduce_params *)n->params)->keep_dims)
		return false;
	s = &ovl_source(n, 0)->shape;
	m->of = n->in.at[0];
	return s->ranked && axes_bits(n->in.at[1], s->rank, &m->axes);
}

/* e is x - mean(x). */
static bool centred(ovl_end e, mean *m)
{
	const ovl_node *n = e.node;
	return e.port == 0 && ovl_match_binary(n, "Subtract") && as_mean(n->in.at[1], m) && ovl_match_same(m->of, n->in.at[0]);
}

static bool power_is(const ovl_node *n, double exponent)
{
	double v;
	return n && ovl_match_binary(n, "Power") && ovl_match_scalar(n->in.at[1], &v) && v == exponent && ovl_match_fits(&ovl_source(n, 0)->shape, &ovl_source(n, 1)->shape);
}

/* e is d * d. */
static bool square_of(ovl_end e, ovl_end *d)
{
	const ovl_node *n = e.node;
	if (e.port != 0 || !n || n->in.n == 0)
		return false;
	*d = n->in.at[0];
	return power_is(n, 2) || (ovl_match_binary(n, "Multiply") && ovl_match_same(n->in.at[0], n->in.at[1]));
}

/* e is the variance of m->of, over the axes of m. */
static bool variance_of(ovl_end e, const mean *m)
{
	mean outer, inner;
	ovl_end d;
	if (!as_mean(e, &outer) || outer.axes != m->axes)
		return false;
	if (square_of(outer.of, &d))
		return centred(d, &inner) && ovl_match_same(inner.of, m->of) && inner.axes == m->axes;
	const ovl_node *n = outer.of.node;
	for (int i = 0; i < 2 && outer.of.port == 0 && ovl_match_binary(n, "SquaredDifference"); i++)
		if (ovl_match_same(n->in.at[i], m->of) && as_mean(n->in.at[1 - i], &inner) && ovl_match_same(inner.of, m->of) && inner.axes == m->axes)
			return true;
	return false;
}

static bool root_of(ovl_end e, ovl_end *sum)
{
	const ovl_node *n = ovl_match_node(e, "Sqrt");
	if (!n && e.port == 0 && power_is(e.node, 0.5))
		n = e.node;
	if (n)
		*sum = n->in.at[0];
	return n != NULL;
}

static bool inverse_root_of(ovl_end e, ovl_end *sum)
{
	const ovl_node *n = e.node;
	double one;
	if (!n || e.port != 0)
		return false;
	if (power_is(n, -0.5)) {
		*sum = n->in.at[0];
		return true;
	}
	if (power_is(n, -1))
		return root_of(n->in.at[0], sum);
	return ovl_match_binary(n, "Divide") && ovl_match_scalar(n->in.at[0], &one) && one == 1 && root_of(n->in.at[1], sum);
}

/* n is d / sqrt(v + eps) in one of its forms. */
static bool divided(const ovl_node *n, ovl_end *d, ovl_end *v, double *eps)
{
	ovl_end sum;
	int i = -1;
	if (ovl_match_binary(n, "Divide") && root_of(n->in.at[1], &sum))
		i = 0;
	else if (ovl_match_binary(n, "Multiply"))
		i = inverse_root_of(n->in.at[1], &sum) ? 0 : inverse_root_of(n->in.at[0], &sum) ? 1 : -1;
	if (i < 0 || sum.port != 0 || !ovl_match_with_scalar(sum.node, "Add", v, eps) || !(*eps >= 0))
		return false;
	*d = n->in.at[i];
	return true;
}

static ovl_status put_mvn(job *j, ovl_node *root, const mean *m, double eps)
{
	int64_t axes[OVL_MAX_RANK];
	int n = 0;
	ovl_end in[2] = {m->of};
	ovl_node *made;
	for (int i = 0; i < OVL_MAX_RANK; i++)
		if (m->axes >> i & 1)
			axes[n++] = i;
	OVL_TRY(ovl_pass_axes(j->g, axes, n, &in[1], j->err));
	OVL_TRY(ovl_graph_op(j->g, "MVN", root->name, in, 2, &made, j->err));
	ovl_mvn_params *p = made->params;
	p->normalize_variance = true;
	p->eps = (float)eps;
	p->eps_mode = 0;
	OVL_TRY(ovl_node_infer(made, j->err));
	*j->changed = true;
	return ovl_pass_replace(j->g, root, made, j->err);
}

static ovl_status put_rms(job *j, ovl_node *root, ovl_end x, const ovl_end *gamma, double eps)
{
	ovl_end in[2] = {x};
	ovl_node *made;
	if (gamma)
		in[1] = *gamma;
	OVL_TRY(ovl_graph_op(j->g, "RMS", root->name, in, gamma ? 2 : 1, &made, j->err));
	((ovl_rms_params *)made->params)->epsilon = eps;
	OVL_TRY(ovl_node_infer(made, j->err));
	*j->changed = true;
	return ovl_pass_replace(j->g, root, made, j->err);
}

static ovl_status written_out(job *j, ovl_node *n)
{
	ovl_end d, v, x;
	double eps;
	mean m, square;
	if (!divided(n, &d, &v, &eps))
		return OVL_OK;
	if (centred(d, &m) && variance_of(v, &m))
		return put_mvn(j, n, &m, eps);
	if (as_mean(v, &square) && square_of(square.of, &x) && ovl_match_same(x, d)) {
		const ovl_pshape *s = &x.node->out.at[x.port].shape;
		if (s->ranked && square.axes == 1u << (s->rank - 1))
			return put_rms(j, n, x, NULL, eps);
	}
	return OVL_OK;
}

/* ---- gamma and beta ---- */

/* The first of the normalised dimensions when these are the last ones; -1: they are not. */
static int first_axis(const ovl_node *n)
{
	const ovl_mvn_params *p = n->params;
	const ovl_pshape *s = &ovl_source(n, 0)->shape;
	unsigned bits = 0, all;
	int first = 0;
	if (!s->ranked || s->rank == 0 || !p->normalize_variance || p->eps_mode != 0)
		return -1;
	all = (1u << s->rank) - 1;
	if (n->in.n == 2) {
		if (!axes_bits(n->in.at[1], s->rank, &bits))
			return -1;
	} else if (p->reduction_axes.n)
		for (size_t i = 0; i < p->reduction_axes.n; i++)
			bits |= 1u << ((p->reduction_axes.at[i] + s->rank) % s->rank);
	else
		bits = all & ~(p->across_channels ? 1u : 3u);
	while (first < s->rank && !(bits >> first & 1))
		first++;
	return bits && bits == (all >> first << first) ? first : -1;
}

/* Gamma or beta over the dimensions first.. of x: one value, or one for each element. It gets the shape of these dimensions. */
static bool affine_shape(const ovl_tensor *t, const ovl_pshape *x, int first, ovl_shape *out)
{
	int rank = x->rank - first, skip = t->shape.rank - rank;
	*out = (ovl_shape){.rank = rank};
	for (int i = 0; i < rank; i++)
		out->dims[i] = 1;
	if (ovl_tensor_count(t) == 1)
		return true;
	if (skip < 0)
		return false;
	for (int i = 0; i < t->shape.rank; i++) {
		ovl_dim d = i < skip ? ovl_dim_of(1) : x->dims[first + i - skip];
		bool last_alone = i >= skip && rank == 1; /* its size follows from the operand's */
		if (!last_alone && (!ovl_dim_static(d) || d.min != t->shape.dims[i]))
			return false;
		if (i >= skip)
			out->dims[i - skip] = t->shape.dims[i];
	}
	return true;
}

/* The node behind `from` that multiplies or adds a constant of a fitting shape; NULL: there is none. */
static ovl_node *affine_behind(ovl_node *from, const char *type, const ovl_pshape *x, int first, ovl_tensor **value, ovl_shape *shape)
{
	ovl_node *user = ovl_node_only_user(from);
	ovl_end e;
	*value = user ? ovl_match_with_constant(user, type, &e) : NULL;
	return *value && e.node == from && (*value)->type == from->out.at[0].type && affine_shape(*value, x, first, shape) ? user : NULL;
}

static double constantly(double x, double arg) { return (void)x, arg; }

/* t with that shape; one value is repeated. `like` has the shape already. t NULL: ones. */
static ovl_status affine_constant(job *j, const ovl_tensor *t, const ovl_shape *shape, const ovl_tensor *like, ovl_end *out)
{
	ovl_tensor *flat, *full;
	if (t && ovl_tensor_count(t) == ovl_shape_elements(shape))
		OVL_TRY(ovl_pass_reshape(t, shape, &full, j->err));
	else {
		OVL_TRY(ovl_pass_reshape(like, shape, &flat, j->err));
		ovl_status st = ovl_pass_map(flat, constantly, t ? ovl_tensor_f64_at(t, 0) : 1, &full, j->err);
		ovl_tensor_release(flat);
		if (st != OVL_OK)
			return st;
	}
	return ovl_pass_constant(j->g, full, out, j->err);
}

static ovl_status layer_norm(job *j, ovl_node *mvn)
{
	const ovl_pshape *x = &ovl_source(mvn, 0)->shape;
	int first = first_axis(mvn);
	ovl_tensor *gamma = NULL, *beta = NULL;
	ovl_shape gamma_shape, beta_shape, shape;
	ovl_node *product, *sum, *root, *made;
	ovl_end in[3] = {mvn->in.at[0]};
	if (first < 0)
		return OVL_OK;
	product = affine_behind(mvn, "Multiply", x, first, &gamma, &gamma_shape);
	sum = affine_behind(product ? product : mvn, "Add", x, first, &beta, &beta_shape);
	root = sum ? sum : product;
	if (!root)
		return OVL_OK;
	if (!product)
		gamma = NULL;
	if (!sum && ovl_tensor_count(gamma) == 1 && !ovl_dim_static(x->dims[x->rank - 1])) /* beta may be behind it, and fit when the sizes are known */
		return OVL_OK;
	shape = gamma && (!sum || ovl_tensor_count(gamma) > 1) ? gamma_shape : beta_shape;
	const ovl_tensor *like = gamma && (!sum || ovl_tensor_count(gamma) > 1) ? gamma : beta;
	OVL_TRY(affine_constant(j, gamma, &shape, like, &in[1]));
	if (sum)
		OVL_TRY(affine_constant(j, beta, &shape, like, &in[2]));
	OVL_TRY(ovl_graph_op(j->g, "LayerNorm", root->name, in, sum ? 3 : 2, &made, j->err));
	((ovl_layer_norm_params *)made->params)->axis = first - x->rank;
	((ovl_layer_norm_params *)made->params)->epsilon = ((const ovl_mvn_params *)mvn->params)->eps;
	OVL_TRY(ovl_node_infer(made, j->err));
	*j->changed = true;
	return ovl_pass_replace(j->g, root, made, j->err);
}

static ovl_status rms_gamma(job *j, ovl_node *rms)
{
	const ovl_pshape *x = &ovl_source(rms, 0)->shape;
	ovl_tensor *gamma;
	ovl_shape shape;
	ovl_node *product;
	ovl_end in;
	if (rms->in.n != 1 || !x->ranked || x->rank == 0 || !(product = affine_behind(rms, "Multiply", x, x->rank - 1, &gamma, &shape)))
		return OVL_OK;
	OVL_TRY(affine_constant(j, gamma, &shape, gamma, &in));
	return put_rms(j, product, rms->in.at[0], &in, ((const ovl_rms_params *)rms->params)->epsilon);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	job j = {g, changed, err};
	OVL_TRY(ovl_graph_sort(g, err));
	for (size_t i = 0; i < g->nodes.n; i++) /* with those that are made on the way */
		if (ovl_match_live(g->nodes.at[i]) && !g->nodes.at[i]->out.at[0].value && ovl_match_float((ovl_end){g->nodes.at[i], 0})) {
			ovl_node *n = g->nodes.at[i];
			OVL_TRY(written_out(&j, n));
			if (ovl_match_live(n) && ovl_match_is(n, "MVN"))
				OVL_TRY(layer_norm(&j, n));
			else if (ovl_match_live(n) && ovl_match_is(n, "RMS"))
				OVL_TRY(rms_gamma(&j, n));
		}
	return OVL_OK;
}

const ovl_pass ovl_pass_fuse_layer_norm = {"fuse_layer_norm", 310, run};
