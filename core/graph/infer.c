#include "graph/infer.h"
#include "graph/graph.h"

#include <stdarg.h>
#include <stdio.h>

ovl_status ovl_infer_fail(ovl_infer *in, ovl_status code, const char *fmt, ...)
{
	char text[700];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return ovl_fail(in->err, code, "%s: %s", in->op->name, text);
}

void ovl_infer_out(ovl_infer *in, int i, ovl_type type, const ovl_pshape *shape)
{
	in->out_type[i] = type;
	in->out_shape[i] = *shape;
}

ovl_status ovl_infer_same(ovl_infer *in)
{
	ovl_infer_out(in, 0, in->in_type[0], &in->in_shape[0]);
	return OVL_OK;
}

ovl_status ovl_infer_merge_types(ovl_infer *in, int a, int b, ovl_type *out)
{
	ovl_type x = in->in_type[a], y = in->in_type[b];
	if (x != OVL_DYNAMIC && y != OVL_DYNAMIC && x != y)
		return ovl_infer_fail(in, OVL_E_TYPE, "input %d is %s and input %d is %s; they must be of one type", a, ovl_type_name(x), b, ovl_type_name(y));
	*out = x == OVL_DYNAMIC ? y : x;
	return OVL_OK;
}

ovl_status ovl_infer_broadcast(ovl_infer *in, ovl_type type)
{
	ovl_pshape s;
	char a[200], b[200];
	if (type == OVL_DYNAMIC)
		OVL_TRY(ovl_infer_merge_types(in, 0, 1, &type));
	if (!ovl_pshape_broadcast(&in->in_shape[0], &in->in_shape[1], &s))
		return ovl_infer_fail(in, OVL_E_SHAPE, "shapes %s and %s do not broadcast", ovl_pshape_text(&in->in_shape[0], a, sizeof a),
			ovl_pshape_text(&in->in_shape[1], b, sizeof b));
	ovl_infer_out(in, 0, type, &s);
	return OVL_OK;
}

ovl_status ovl_infer_rank(ovl_infer *in, int i, int min, int max)
{
	char buf[200];
	if (!in->in_shape[i].ranked || (in->in_shape[i].rank >= min && in->in_shape[i].rank <= max))
		return OVL_OK;
	if (min == max)
		return ovl_infer_fail(in, OVL_E_SHAPE, "input %d has shape %s, expected rank %d", i, ovl_pshape_text(&in->in_shape[i], buf, sizeof buf), min);
	return ovl_infer_fail(in, OVL_E_SHAPE, "input %d has shape %s, expected a rank of %d to %d", i, ovl_pshape_text(&in->in_shape[i], buf, sizeof buf), min, max);
}

ovl_status ovl_infer_ints(ovl_infer *in, int i, bool *known, int64_t *values, int max, int *count)
{
	int64_t n;
	*known = i < in->n_in && in->in_value[i] != NULL;
	if (!*known)
		return OVL_OK;
	if (ovl_tensor_to_i64(in->in_value[i], values, max, &n, in->err) != OVL_OK)
		return ovl_error_prefix(in->err, "%s: input %d", in->op->name, i);
	*count = (int)n;
	return OVL_OK;
}

ovl_status ovl_infer_axes(ovl_infer *in, int i, int rank, bool *known, int *axes, int *count)
{
	int64_t values[OVL_MAX_RANK * 2];
	OVL_TRY(ovl_infer_ints(in, i, known, values, OVL_MAX_RANK * 2, count));
	if (!*known)
		return OVL_OK;
	for (int k = 0; k < *count; k++) {
		if (ovl_axis(values[k], rank, "axes", &axes[k], in->err) != OVL_OK)
			return ovl_error_prefix(in->err, "%s", in->op->name);
		for (int j = 0; j < k; j++)
			if (axes[j] == axes[k])
				return ovl_infer_fail(in, OVL_E_ARGUMENT, "axis %d is given twice", axes[k]);
	}
	return OVL_OK;
}

ovl_status ovl_infer_type_in(ovl_infer *in, int i, uint32_t mask)
{
	char list[256] = "";
	size_t used = 0;
	if (in->in_type[i] == OVL_DYNAMIC || (mask & OVL_MASK(in->in_type[i])))
		return OVL_OK;
	for (int t = 0; t < OVL_TYPE_COUNT && used < sizeof list - 12; t++)
		if (mask & OVL_MASK(t))
			used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? " " : "", ovl_type_name((ovl_type)t));
	return ovl_infer_fail(in, OVL_E_TYPE, "input %d is of type %s, expected one of: %s", i, ovl_type_name(in->in_type[i]), list);
}

ovl_status ovl_infer_body(ovl_infer *in, int b, int n, const ovl_type *types, const ovl_pshape *shapes, ovl_tensor *const *values, int n_out, ovl_type *out_types,
	ovl_pshape *out_shapes, ovl_tensor **out_values)
{
	ovl_graph *g;
	if (!in->node || b >= (int)in->node->bodies.n)
		return ovl_infer_fail(in, OVL_E_INTERNAL, "body %d is not there", b);
	g = in->node->bodies.at[b].graph;
	if (n != (int)g->parameters.n || n_out != (int)g->results.n)
		return ovl_infer_fail(in, OVL_E_SHAPE, "body %d takes %zu inputs and gives %zu outputs, the node has %d and %d", b, g->parameters.n, g->results.n, n, n_out);
	for (int i = 0; i < n; i++) {
		ovl_parameter_params *p = g->parameters.at[i]->params;
		ovl_output *o = &g->parameters.at[i]->out.at[0];
		p->element_type = types[i];
		p->shape = shapes[i];
		ovl_tensor_release(o->value);
		o->value = values && values[i] ? ovl_tensor_retain(values[i]) : NULL;
	}
	OVL_TRY(ovl_graph_infer(g, in->err));
	for (int i = 0; i < n_out; i++) {
		const ovl_output *o = ovl_source(g->results.at[i], 0);
		out_types[i] = o->type;
		out_shapes[i] = o->shape;
		if (out_values)
			out_values[i] = o->value ? ovl_tensor_retain(o->value) : NULL;
	}
	return OVL_OK;
}

ovl_status ovl_run_output(ovl_run *run, int i, ovl_type type, const ovl_shape *shape, ovl_tensor **out)
{
	char a[200], b[200];
	ovl_tensor *t = run->out[i];
	if (!t) {
		OVL_TRY(ovl_tensor_new(type, shape, &run->out[i], run->err));
		*out = run->out[i];
		return OVL_OK;
	}
	if (t->type != type || !ovl_shape_equal(&t->shape, shape))
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: output %d would be %s %s where %s %s was planned", run->op->name, i, ovl_type_name(type),
			ovl_shape_text(shape, a, sizeof a), ovl_type_name(t->type), ovl_shape_text(&t->shape, b, sizeof b));
	*out = t;
	return OVL_OK;
}

ovl_status ovl_infer_sequences(ovl_infer *in)
{
	for (int i = 0; i < in->n_in; i++)
		if (in->in_type[i] == OVL_SEQUENCE && !(in->op->flags & OVL_OP_SEQUENCE))
			return ovl_infer_fail(in, OVL_E_TYPE, "input %d is a sequence, expected a tensor", i);
	return OVL_OK;
}
