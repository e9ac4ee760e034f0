/* Quantisation that only rounds: f32 that holds whole numbers within the range of an integer type goes to that type and back. Both conversions go,
 * and a zero point that is added before the limits and taken away behind them moves into the limits; what is left of QuantizeLinear and
 * DequantizeLinear can be posts. */
#include "ops/eltwise.h"
#include "passes/pass.h"

#include <math.h>

static bool range_of(ovl_type t, double *lo, double *hi)
{
	int bits = ovl_type_bits(t);
	if (t == OVL_BOOLEAN || bits > 16 || !(ovl_type_is_signed(t) || t == OVL_U8 || t == OVL_U16 || t == OVL_U4 || t == OVL_U2) ||
		ovl_type_is_float(t))
		return false;
	*lo = ovl_type_is_signed(t) ? -ldexp(1, bits - 1) : 0;
	*hi = ldexp(1, ovl_type_is_signed(t) ? bits - 1 : bits) - 1;
	return true;
}

static bool whole(double x) { return x == rint(x) && fabs(x) < 1 << 24; }

static bool all_whole(const ovl_tensor *t)
{
	for (int64_t i = 0; t && i < ovl_tensor_count(t); i++)
		if (!whole(ovl_tensor_f64_at(t, i)))
			return false;
	return t != NULL;
}

/* Round, or Round + whole numbers. */
static bool is_whole(const ovl_node *n)
{
	ovl_end x;
	ovl_tensor *c = ovl_match_with_constant(n, "Add", &x);
	return ovl_match_is(n, "Round") || (c && ovl_match_is(x.node, "Round") && all_whole(c));
}

/* f32 -> integers that hold it -> f32: where it comes from. */
static bool there_and_back(const ovl_node *n, ovl_end *from)
{
	const ovl_node *there = ovl_match_is(n, "Convert") ? ovl_match_source(n, 0, "Convert") : NULL;
	const ovl_node *clamp = there ? ovl_match_source(there, 0, "Clamp") : NULL;
	const ovl_clamp_params *p = clamp ? clamp->params : NULL;
	double lo, hi;
	if (!p || n->out.at[0].type != OVL_F32 || clamp->out.at[0].type != OVL_F32 || !range_of(there->out.at[0].type, &lo, &hi))
		return false;
	if (!whole(p->min) || !whole(p->max) || p->min < lo || p->max > hi || !is_whole(clamp->in.at[0].node))
		return false;
	*from = there->in.at[0];
	return true;
}

/* Clamp(Round(x) + c) - c, c one number. */
static bool shifted(const ovl_node *n, ovl_node **clamp, double *zero)
{
	ovl_end sum, round;
	ovl_tensor *c;
	*clamp = ovl_match_is(n, "Subtract") ? ovl_match_source(n, 0, "Clamp") : NULL;
	if (!*clamp || !ovl_match_used_once(n->in.at[0]) || !ovl_match_scalar(n->in.at[1], zero) || !whole(*zero) || n->out.at[0].type != OVL_F32)
		return false;
	if (!ovl_pshape_equal(&n->out.at[0].shape, &(*clamp)->out.at[0].shape))
		return false;
	sum = (*clamp)->in.at[0];
	c = ovl_match_with_constant(sum.node, "Add", &round);
	return c && ovl_match_is(round.node, "Round") && ovl_match_all(c, *zero) &&
	       ovl_pshape_equal(&ovl_source(*clamp, 0)->shape, &round.node->out.at[round.port].shape);
}

static ovl_status move_zero(ovl_graph *g, ovl_node *n, ovl_node *clamp, double zero, ovl_error *err)
{
	const ovl_clamp_params *p = clamp->params;
	ovl_attr_value lo = {.kind = OVL_KIND_DOUBLE, .f = p->min - zero}, hi = {.kind = OVL_KIND_DOUBLE, .f = p->max - zero};
	ovl_end round;
	ovl_node *made;
	(void)ovl_match_with_constant(clamp->in.at[0].node, "Add", &round);
	OVL_TRY(ovl_graph_op(g, "Clamp", clamp->name, &round, 1, &made, err));
	OVL_TRY(ovl_node_set(made, "min", &lo, err));
	OVL_TRY(ovl_node_set(made, "max", &hi, err));
	OVL_TRY(ovl_node_infer(made, err));
	return ovl_pass_replace(g, n, made, err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	size_t count = g->nodes.n;
	for (size_t i = 0; i < count; i++) {
		ovl_node *n = g->nodes.at[i], *clamp;
		double zero;
		ovl_end from;
		if (ovl_match_live(n) && there_and_back(n, &from)) {
			OVL_TRY(ovl_graph_replace(g, (ovl_end){n, 0}, from, true, err));
			*changed = true;
		}
		if (ovl_match_live(n) && shifted(n, &clamp, &zero)) {
			OVL_TRY(move_zero(g, n, clamp, zero, err));
			*changed = true;
		}
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_skip_integers = {.name = "skip_integers", .order = 110, .run = run};
