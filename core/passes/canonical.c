/* Canonical forms: one way of writing what can be written in many, so that the patterns behind have less to look for.
 *
 *     constant + x            x + constant, the same for Multiply, Maximum, Minimum
 *     x - c, x / c            x + (-c), x * (1 / c)           floats
 *     (x + a) + b             x + (a + b)                     the same for Multiply
 *     x + 0, x * 1, x ^ 1     x
 *     max(x, c), min(x, c)    Clamp, or Relu
 *     Clamp and Relu of Clamp and Relu    one of them
 *     HardSigmoid(1/6, 1/2)   HSigmoid */
#include "ops/eltwise.h"
#include "passes/pass.h"

#include <float.h>
#include <math.h>

typedef struct job {
	ovl_graph *g;
	bool *changed;
	ovl_error *err;
} job;

static double negate(double x, double arg) { return (void)arg, -x; }
static double reciprocal(double x, double arg) { return (void)arg, 1 / x; }

/* ---- constants second ---- */

static ovl_status constant_second(job *j, ovl_node *n)
{
	static const char *const names[] = {"Add", "Multiply", "Maximum", "Minimum"};
	ovl_end a, b;
	bool commutes = false;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		commutes = commutes || ovl_match_binary(n, names[i]);
	if (!commutes || ovl_match_constant_input(n) != 0)
		return OVL_OK;
	a = n->in.at[0];
	b = n->in.at[1];
	ovl_node_retain(a.node); /* for the moment in which nobody reads it */
	ovl_status st = ovl_node_set_input(n, 0, b, j->err);
	if (st == OVL_OK)
		st = ovl_node_set_input(n, 1, a, j->err);
	ovl_node_release(a.node);
	*j->changed = true;
	return st;
}

/* ---- Subtract and Divide by a constant ---- */

static bool has_reciprocals(const ovl_tensor *t)
{
	int64_t n = ovl_tensor_count(t);
	for (int64_t i = 0; i < n; i++) {
		double x = fabs(ovl_tensor_f64_at(t, i));
		if (!(x >= 1e-30 && x <= 1e30)) /* neither NaN, nor close to what f32 has no reciprocal of */
			return false;
	}
	return n > 0;
}

static ovl_status inverse(job *j, ovl_node *n)
{
	bool divide = ovl_match_binary(n, "Divide");
	ovl_tensor *c;
	ovl_end in[2];
	ovl_node *made;
	if ((!divide && !ovl_match_binary(n, "Subtract")) || ovl_match_constant_input(n) != 1 || !ovl_match_float(n->in.at[1]))
		return OVL_OK;
	c = ovl_node_value(n->in.at[1]);
	if (divide && (c->type == OVL_F16 || c->type == OVL_BF16 || !has_reciprocals(c)))
		return OVL_OK;
	OVL_TRY(ovl_pass_map(c, divide ? reciprocal : negate, 0, &c, j->err));
	in[0] = n->in.at[0];
	OVL_TRY(ovl_pass_constant(j->g, c, &in[1], j->err));
	OVL_TRY(ovl_pass_node(j->g, divide ? "Multiply" : "Add", n->name, in, 2, &made, j->err));
	*j->changed = true;
	return ovl_pass_replace(j->g, n, made, j->err);
}

/* ---- what changes nothing ---- */

static ovl_status neutral(job *j, ovl_node *n)
{
	static const struct {
		const char *name;
		double value;
	} rows[] = {{"Add", 0}, {"Subtract", 0}, {"Multiply", 1}, {"Divide", 1}, {"Power", 1}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ovl_end x;
		ovl_tensor *c = ovl_match_with_constant(n, rows[i].name, &x);
		if (c && c->type != OVL_STRING && c->type != OVL_BOOLEAN && ovl_match_all(c, rows[i].value))
			return ovl_pass_bypass(j->g, n, ovl_match_same(x, n->in.at[0]) ? 0 : 1, j->changed, j->err);
	}
	return OVL_OK;
}

/* ---- two constants in a row ---- */

/* The constants are joined where that makes none that is larger than both. */
static bool can_join(const ovl_tensor *a, const ovl_tensor *b)
{
	ovl_shape s;
	int64_t n = 0;
	if (a->type != b->type || !ovl_shape_broadcast(&a->shape, &b->shape, &s) || !ovl_shape_count(&s, &n))
		return false;
	return n == ovl_tensor_count(a) || n == ovl_tensor_count(b);
}

static ovl_status join(job *j, ovl_node *n, const char *type)
{
	ovl_node *first, *joined;
	ovl_tensor *a, *b;
	ovl_end x, in[2];
	if (!ovl_match_binary(n, type) || ovl_match_constant_input(n) != 1 || !ovl_match_float(n->in.at[1]))
		return OVL_OK;
	first = ovl_match_source(n, 0, type);
	if (!first || !ovl_match_binary(first, type) || ovl_match_constant_input(first) != 1 || !ovl_match_used_once(n->in.at[0]))
		return OVL_OK;
	a = ovl_node_value(first->in.at[1]);
	b = ovl_node_value(n->in.at[1]);
	if (!can_join(a, b))
		return OVL_OK;
	x = first->in.at[0];
	in[0] = first->in.at[1];
	in[1] = n->in.at[1];
	OVL_TRY(ovl_pass_node(j->g, type, NULL, in, 2, &joined, j->err));
	OVL_TRY(ovl_pass_note_fused(n, first, j->err));
	OVL_TRY(ovl_node_set_input(n, 0, x, j->err));
	ovl_node_cut_inputs(first, 0);
	*j->changed = true;
	return ovl_node_set_input(n, 1, (ovl_end){joined, 0}, j->err);
}

/* ---- bounds ---- */

/* A node that keeps x between two bounds. Bounds at the ends of f32 are none. */
static bool bounds_of(const ovl_node *n, ovl_end *x, double *low, double *high)
{
	*low = -INFINITY;
	*high = INFINITY;
	if (ovl_match_is(n, "Relu"))
		*low = 0;
	else if (ovl_match_is(n, "Clamp")) {
		const ovl_clamp_params *p = n->params;
		*low = p->min <= -FLT_MAX ? -INFINITY : p->min;
		*high = p->max >= FLT_MAX ? INFINITY : p->max;
	} else {
		if (!ovl_match_with_scalar(n, "Maximum", x, low) && !ovl_match_with_scalar(n, "Minimum", x, high))
			return false;
		return !isnan(*low) && !isnan(*high) && ovl_match_float(*x);
	}
	*x = n->in.at[0];
	return x->node && ovl_match_float(*x);
}

static bool is_written_so(const ovl_node *n, ovl_end x, double low, double high)
{
	const ovl_clamp_params *p = n->params;
	if (!ovl_match_same(n->in.at[0], x))
		return false;
	if (low == 0 && high == INFINITY)
		return ovl_node_is(n, "Relu");
	return ovl_node_is(n, "Clamp") && p->min == low && p->max == high;
}

static ovl_status set_bounds(ovl_node *n, double low, double high, ovl_error *err)
{
	ovl_clamp_params *p = n->params;
	p->min = low;
	p->max = high;
	return ovl_node_infer(n, err);
}

static ovl_status bounds(job *j, ovl_node *n)
{
	double low, high, inner_low, inner_high;
	ovl_end x, inner;
	ovl_node *made;
	if (!bounds_of(n, &x, &low, &high))
		return OVL_OK;
	if (x.port == 0 && bounds_of(x.node, &inner, &inner_low, &inner_high)) {
		/* the outer bounds have the last word */
		double l = fmin(fmax(inner_low, low), high), h = fmax(fmin(inner_high, high), low);
		low = l;
		high = h;
		x = inner;
	}
	if (is_written_so(n, x, low, high))
		return OVL_OK;
	if (low == 0 && high == INFINITY)
		OVL_TRY(ovl_pass_node(j->g, "Relu", n->name, &x, 1, &made, j->err));
	else {
		OVL_TRY(ovl_graph_op(j->g, "Clamp", n->name, &x, 1, &made, j->err));
		OVL_TRY(set_bounds(made, low, high, j->err));
	}
	*j->changed = true;
	return ovl_pass_replace(j->g, n, made, j->err);
}

/* ---- HardSigmoid ---- */

static ovl_status hard_sigmoid(job *j, ovl_node *n)
{
	double alpha, beta;
	ovl_node *made;
	if (!ovl_match_is(n, "HardSigmoid") || n->in.n != 3 || !ovl_match_scalar(n->in.at[1], &alpha) || !ovl_match_scalar(n->in.at[2], &beta))
		return OVL_OK;
	if (fabs(alpha - 1.0 / 6) > 1e-7 || beta != 0.5)
		return OVL_OK;
	OVL_TRY(ovl_pass_node(j->g, "HSigmoid", n->name, &n->in.at[0], 1, &made, j->err));
	*j->changed = true;
	return ovl_pass_replace(j->g, n, made, j->err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	job j = {g, changed, err};
	OVL_TRY(ovl_graph_sort(g, err));
	for (size_t i = 0, n = g->nodes.n; i < n; i++) {
		static ovl_status (*const steps[])(job *, ovl_node *) = {constant_second, inverse, neutral, bounds, hard_sigmoid};
		ovl_node *node = g->nodes.at[i];
		for (size_t k = 0; k < sizeof steps / sizeof *steps && ovl_match_live(node) && !node->posts.n && !node->out.at[0].value; k++)
			OVL_TRY(steps[k](&j, node));
		if (ovl_match_live(node) && !node->posts.n && !node->out.at[0].value) {
			OVL_TRY(join(&j, node, "Add"));
			OVL_TRY(join(&j, node, "Multiply"));
		}
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_canonical = {"canonical", 200, run};
