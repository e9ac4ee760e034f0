/* Small questions that patterns are made of. */
#include "ops/eltwise.h"
#include "passes/pass.h"

#include <math.h>

bool ovl_match_is(const ovl_node *n, const char *type_name) { return n && n->posts.n == 0 && ovl_node_is(n, type_name); }

bool ovl_match_live(const ovl_node *n) { return n && n->out.n > 0 && n->out.at[0].users.n > 0; }

ovl_node *ovl_match_node(ovl_end source, const char *type_name)
{
	return source.port == 0 && ovl_match_is(source.node, type_name) ? source.node : NULL;
}

ovl_node *ovl_match_source(const ovl_node *n, int input, const char *type_name)
{
	return n && input < (int)n->in.n ? ovl_match_node(n->in.at[input], type_name) : NULL;
}

bool ovl_match_scalar(ovl_end source, double *value)
{
	const ovl_tensor *t = ovl_node_value(source);
	if (!t || t->type == OVL_STRING || ovl_tensor_count(t) != 1)
		return false;
	*value = ovl_tensor_f64_at(t, 0);
	return true;
}

bool ovl_match_scalar_is(ovl_end source, double value, double tolerance)
{
	double v;
	return ovl_match_scalar(source, &v) && fabs(v - value) <= tolerance * fabs(value);
}

int ovl_match_constant_input(const ovl_node *n)
{
	bool a, b;
	if (!n || n->in.n < 2)
		return -1;
	a = ovl_node_value(n->in.at[0]) != NULL;
	b = ovl_node_value(n->in.at[1]) != NULL;
	return a == b ? -1 : a ? 0 : 1;
}

bool ovl_match_used_once(ovl_end source) { return source.node && source.node->out.at[source.port].users.n == 1; }

bool ovl_match_float(ovl_end source)
{
	ovl_type t = source.node ? source.node->out.at[source.port].type : OVL_DYNAMIC;
	return t == OVL_F32 || t == OVL_F16 || t == OVL_BF16 || t == OVL_F64;
}

/* A size of the operand is 1, or the very size of the result. Where that is open but above 1, a fixed size can only be the same. */
static bool dim_fits(ovl_dim shape, ovl_dim operand)
{
	if (!ovl_dim_static(operand))
		return false;
	return operand.min == 1 || (ovl_dim_static(shape) && shape.min == operand.min) || shape.min > 1;
}

bool ovl_match_fits(const ovl_pshape *shape, const ovl_pshape *operand)
{
	if (!operand->ranked || operand->rank == 0)
		return operand->ranked;
	if (!shape->ranked || operand->rank > shape->rank)
		return false;
	for (int i = 0; i < operand->rank; i++)
		if (!dim_fits(shape->dims[shape->rank - operand->rank + i], operand->dims[i]))
			return false;
	return true;
}

bool ovl_match_binary(const ovl_node *n, const char *type_name)
{
	return ovl_match_is(n, type_name) && n->in.n == 2 && n->in.at[0].node && n->in.at[1].node &&
	       ((const ovl_binary_params *)n->params)->auto_broadcast != OVL_BROADCAST_PDPD;
}

ovl_tensor *ovl_match_with_constant(const ovl_node *n, const char *type_name, ovl_end *x)
{
	int c = ovl_match_binary(n, type_name) ? ovl_match_constant_input(n) : -1;
	if (c < 0 || (c == 0 && !ovl_node_is(n, "Add") && !ovl_node_is(n, "Multiply")))
		return NULL;
	if (!ovl_match_fits(&ovl_source(n, 1 - c)->shape, &ovl_source(n, c)->shape))
		return NULL;
	*x = n->in.at[1 - c];
	return ovl_node_value(n->in.at[c]);
}

bool ovl_match_with_scalar(const ovl_node *n, const char *type_name, ovl_end *x, double *value)
{
	const ovl_tensor *t = ovl_match_with_constant(n, type_name, x);
	if (!t || t->type == OVL_STRING || ovl_tensor_count(t) != 1)
		return false;
	*value = ovl_tensor_f64_at(t, 0);
	return true;
}

bool ovl_match_near(double a, double b) { return fabs(a - b) <= 1e-3 * fabs(b); }
bool ovl_match_exact(double a, double b) { return fabs(a - b) <= 1e-6 * fabs(b); }

bool ovl_match_all(const ovl_tensor *t, double value)
{
	int64_t n = ovl_tensor_count(t);
	for (int64_t i = 0; i < n; i++)
		if (ovl_tensor_f64_at(t, i) != value)
			return false;
	return n > 0;
}
