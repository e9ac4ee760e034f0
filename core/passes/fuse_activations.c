/* Activations that exporters write as a few operators.
 *
 *     x * Sigmoid(beta * x), x / (1 + Exp(-x))             Swish
 *     x * Clamp(x + 3, 0, 6) / 6, x * HSigmoid(x)          HSwish
 *     Clamp(x + 3, 0, 6) / 6, Clamp(a * x + b, 0, 1)       HSigmoid, HardSigmoid
 *     x * (1 + Erf(x / sqrt 2)) / 2                        Gelu
 *     x * (1 + Tanh(c * (x + d * x^3))) / 2                Gelu, by tanh
 *     x * Tanh(SoftPlus(x))                                Mish
 *     Log(1 + Exp(x)), 1 / (1 + Exp(-x))                   SoftPlus, Sigmoid
 *
 * A tree of products is looked at as a whole: one number and the other factors, in whatever order they were written. */
#include "ops/eltwise.h"
#include "passes/pass.h"

#include <math.h>

enum { MAX_FACTORS = 4, MAX_DEPTH = 6 };

typedef struct product {
	double scale;
	int n;
	ovl_end factor[MAX_FACTORS];
} product;

typedef struct job {
	ovl_graph *g;
	bool *changed;
	ovl_error *err;
} job;

/* ---- products ---- */

static bool add_factor(product *p, ovl_end e)
{
	if (p->n == MAX_FACTORS)
		return false;
	p->factor[p->n++] = e;
	return true;
}

/* False: more factors than any pattern has. */
static bool collect(product *p, ovl_end e, int depth)
{
	ovl_end x;
	double v;
	if (depth > 0 && !ovl_match_used_once(e))
		return add_factor(p, e);
	if (depth > MAX_DEPTH || e.port != 0)
		return add_factor(p, e);
	if (ovl_match_with_scalar(e.node, "Multiply", &x, &v)) {
		p->scale *= v;
		return collect(p, x, depth + 1);
	}
	if (ovl_match_with_scalar(e.node, "Divide", &x, &v) && v != 0) {
		p->scale /= v;
		return collect(p, x, depth + 1);
	}
	if (ovl_match_binary(e.node, "Multiply") && !ovl_node_value(e.node->in.at[0]) && !ovl_node_value(e.node->in.at[1]))
		return collect(p, e.node->in.at[0], depth + 1) && collect(p, e.node->in.at[1], depth + 1);
	return add_factor(p, e);
}

static bool as_product(product *p, ovl_end e)
{
	*p = (product){.scale = 1};
	return collect(p, e, 0);
}

/* e is k * x. */
static bool scaled(ovl_end e, ovl_end x, double *k)
{
	product p;
	*k = 1;
	if (ovl_match_same(e, x))
		return true;
	if (!as_product(&p, e) || p.n != 1 || !ovl_match_same(p.factor[0], x))
		return false;
	*k = p.scale;
	return true;
}

/* e is x to the power of `exponent`, times the scale. */
static bool power_of(ovl_end e, ovl_end x, double exponent, double *scale)
{
	product p;
	double sum = 0;
	if (!as_product(&p, e))
		return false;
	for (int i = 0; i < p.n; i++) {
		ovl_node *power = ovl_match_node(p.factor[i], "Power");
		double v = 1;
		if (power && (!ovl_match_same(power->in.at[0], x) || !ovl_match_scalar(power->in.at[1], &v)))
			return false;
		if (!power && !ovl_match_same(p.factor[i], x))
			return false;
		sum += v;
	}
	*scale = p.scale;
	return sum == exponent;
}

/* ---- factors ---- */

/* e is a * (1 + fn(y)), written as 1 + fn(y) or as a * fn(y) + a. */
static ovl_node *one_plus(ovl_end e, const char *fn, double *a)
{
	ovl_end x;
	product p;
	if (e.port != 0 || !ovl_match_with_scalar(e.node, "Add", &x, a) || !as_product(&p, x) || p.n != 1 || !ovl_match_exact(p.scale, *a))
		return NULL;
	return ovl_match_node(p.factor[0], fn);
}

static bool clamp_between(ovl_end e, double low, double high, ovl_end *x)
{
	const ovl_node *n = ovl_match_node(e, "Clamp");
	const ovl_clamp_params *p = n ? n->params : NULL;
	if (!n || p->min != low || p->max != high)
		return false;
	*x = n->in.at[0];
	return true;
}

/* e is Clamp(x + 3, 0, 6). */
static bool relu6_of_3(ovl_end e, ovl_end *x)
{
	ovl_end sum;
	double v;
	return clamp_between(e, 0, 6, &sum) && sum.port == 0 && ovl_match_with_scalar(sum.node, "Add", x, &v) && v == 3;
}

/* e is c * (x + d * x^3), or c * x * (1 + d * x^2). */
static bool tanh_argument(ovl_end e, ovl_end x)
{
	product p;
	double d;
	if (!as_product(&p, e) || !ovl_match_near(p.scale, 0.79788456080286536))
		return false;
	if (p.n == 1 && p.factor[0].port == 0 && ovl_match_binary(p.factor[0].node, "Add"))
		for (int i = 0; i < 2; i++) {
			const ovl_node *sum = p.factor[0].node;
			if (ovl_match_same(sum->in.at[i], x) && power_of(sum->in.at[1 - i], x, 3, &d) && ovl_match_near(d, 0.044715))
				return true;
		}
	for (int i = 0; p.n == 2 && i < 2; i++) {
		ovl_end square;
		double one;
		if (ovl_match_same(p.factor[i], x) && p.factor[1 - i].port == 0 && ovl_match_with_scalar(p.factor[1 - i].node, "Add", &square, &one) && one == 1 &&
			power_of(square, x, 2, &d) && ovl_match_near(d, 0.044715))
			return true;
	}
	return false;
}

/* ---- what was found ---- */

/* `root` is scale * type(in...). */
static ovl_status put(job *j, ovl_node *root, const char *type, const ovl_end *in, int n, const char *mode, double scale)
{
	bool whole = ovl_match_exact(scale, 1);
	ovl_end parts[2];
	ovl_node *made;
	OVL_TRY(ovl_graph_op(j->g, type, whole ? root->name : NULL, in, n, &made, j->err));
	if (mode)
		OVL_TRY(ovl_node_set_text(made, "approximation_mode", mode, j->err));
	OVL_TRY(ovl_node_infer(made, j->err));
	if (!whole) {
		parts[0] = (ovl_end){made, 0};
		OVL_TRY(ovl_pass_scalar(j->g, made->out.at[0].type, scale, &parts[1], j->err));
		OVL_TRY(ovl_pass_node(j->g, "Multiply", root->name, parts, 2, &made, j->err));
	}
	*j->changed = true;
	return ovl_pass_replace(j->g, root, made, j->err);
}

static ovl_status put_swish(job *j, ovl_node *root, ovl_end x, double beta, double scale)
{
	ovl_end in[2] = {x};
	if (beta != 1)
		OVL_TRY(ovl_pass_scalar(j->g, x.node->out.at[x.port].type, beta, &in[1], j->err));
	return put(j, root, "Swish", in, beta != 1 ? 2 : 1, NULL, scale);
}

static ovl_status put_hard_sigmoid(job *j, ovl_node *root, ovl_end x, double alpha, double beta)
{
	ovl_end in[3] = {x};
	ovl_type type = x.node->out.at[x.port].type;
	if (ovl_match_exact(alpha, 1.0 / 6) && beta == 0.5)
		return put(j, root, "HSigmoid", &x, 1, NULL, 1);
	OVL_TRY(ovl_pass_scalar(j->g, type, alpha, &in[1], j->err));
	OVL_TRY(ovl_pass_scalar(j->g, type, beta, &in[2], j->err));
	return put(j, root, "HardSigmoid", in, 3, NULL, 1);
}

/* scale * x * f, f in one of its forms. The scale may hold other numbers that canonical forms have joined with the pattern's own. */
static ovl_status two_factors(job *j, ovl_node *root, double scale, ovl_end x, ovl_end f)
{
	ovl_node *fn, *inner;
	ovl_end y;
	double k, a;
	if ((fn = ovl_match_node(f, "Sigmoid")) && scaled(fn->in.at[0], x, &k))
		return put_swish(j, root, x, k, scale);
	if ((fn = ovl_match_node(f, "HSigmoid")) && ovl_match_same(fn->in.at[0], x))
		return put(j, root, "HSwish", &x, 1, NULL, scale);
	if ((fn = ovl_match_node(f, "Tanh")) && (inner = ovl_match_source(fn, 0, "SoftPlus")) && ovl_match_same(inner->in.at[0], x))
		return put(j, root, "Mish", &x, 1, NULL, scale);
	if (relu6_of_3(f, &y) && ovl_match_same(x, y))
		return put(j, root, "HSwish", &x, 1, NULL, scale * 6);
	if ((fn = one_plus(f, "Erf", &a)) && scaled(fn->in.at[0], x, &k) && ovl_match_near(k, 0.70710678118654752))
		return put(j, root, "Gelu", &x, 1, "ERF", scale * a * 2);
	if ((fn = one_plus(f, "Tanh", &a)) && tanh_argument(fn->in.at[0], x))
		return put(j, root, "Gelu", &x, 1, "TANH", scale * a * 2);
	return OVL_OK;
}

static ovl_status products(job *j, ovl_node *n)
{
	product p;
	ovl_end x;
	if (!ovl_match_binary(n, "Multiply") || !as_product(&p, (ovl_end){n, 0}))
		return OVL_OK;
	if (p.n == 1 && relu6_of_3(p.factor[0], &x))
		return put(j, n, "HSigmoid", &x, 1, NULL, p.scale * 6);
	for (int i = 0; p.n == 2 && i < 2 && ovl_match_live(n); i++)
		OVL_TRY(two_factors(j, n, p.scale, p.factor[i], p.factor[1 - i]));
	return OVL_OK;
}

/* Clamp(alpha * x + beta, 0, 1). */
static ovl_status hard_sigmoids(job *j, ovl_node *n)
{
	ovl_end sum, scaled_x, x;
	double alpha, beta;
	if (!clamp_between((ovl_end){n, 0}, 0, 1, &sum) || sum.port != 0 || !ovl_match_used_once(sum) || !ovl_match_with_scalar(sum.node, "Add", &scaled_x, &beta))
		return OVL_OK;
	if (scaled_x.port != 0 || !ovl_match_used_once(scaled_x) || !ovl_match_with_scalar(scaled_x.node, "Multiply", &x, &alpha))
		return OVL_OK;
	return put_hard_sigmoid(j, n, x, alpha, beta);
}

/* e is 1 + Exp(k * x). */
static bool one_plus_exp(ovl_end e, ovl_end *x, double k)
{
	ovl_end sum;
	double one;
	ovl_node *exp, *negative;
	product p;
	if (e.port != 0 || !ovl_match_with_scalar(e.node, "Add", &sum, &one) || one != 1 || !(exp = ovl_match_node(sum, "Exp")))
		return false;
	*x = exp->in.at[0];
	if (k == 1)
		return true;
	if ((negative = ovl_match_node(*x, "Negative"))) {
		*x = negative->in.at[0];
		return true;
	}
	if (!as_product(&p, *x) || p.n != 1 || p.scale != k)
		return false;
	*x = p.factor[0];
	return true;
}

static ovl_status exponentials(job *j, ovl_node *n)
{
	ovl_end x;
	double one;
	if (ovl_match_is(n, "Log") && one_plus_exp(n->in.at[0], &x, 1))
		return put(j, n, "SoftPlus", &x, 1, NULL, 1);
	if (!ovl_match_binary(n, "Divide") || !one_plus_exp(n->in.at[1], &x, -1))
		return OVL_OK;
	if (ovl_match_same(n->in.at[0], x))
		return put_swish(j, n, x, 1, 1);
	if (ovl_match_scalar(n->in.at[0], &one) && one == 1 && ovl_match_fits(&x.node->out.at[x.port].shape, &ovl_source(n, 0)->shape))
		return put(j, n, "Sigmoid", &x, 1, NULL, 1);
	return OVL_OK;
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	job j = {g, changed, err};
	OVL_TRY(ovl_graph_sort(g, err));
	for (size_t i = g->nodes.n; i-- > 0;) { /* from the end: the largest product is looked at first */
		static ovl_status (*const steps[])(job *, ovl_node *) = {products, hard_sigmoids, exponentials};
		ovl_node *n = g->nodes.at[i];
		for (size_t k = 0; k < sizeof steps / sizeof *steps && ovl_match_live(n); k++)
			if (!n->posts.n && n->in.n && ovl_match_float((ovl_end){n, 0}) && !n->out.at[0].value)
				OVL_TRY(steps[k](&j, n));
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_fuse_activations = {"fuse_activations", 300, run};
