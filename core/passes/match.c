/* Small questions that patterns are made of. */
#include "passes/pass.h"

#include <math.h>

ovl_node *ovl_match_source(const ovl_node *n, int input, const char *type_name)
{
	if (!n || input >= (int)n->in.n || !n->in.at[input].node || !ovl_node_is(n->in.at[input].node, type_name))
		return NULL;
	return n->in.at[input].node;
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
