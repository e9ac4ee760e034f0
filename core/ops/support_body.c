#include "ops/support_body.h"

ovl_status ovl_known_new(ovl_infer *in, size_t n, ovl_known *out)
{
	out->n = (int)n;
	out->types = ovl_calloc(n + 1, sizeof *out->types);
	out->shapes = ovl_calloc(n + 1, sizeof *out->shapes);
	out->values = ovl_calloc(n + 1, sizeof *out->values);
	if (out->types && out->shapes && out->values)
		return OVL_OK;
	ovl_known_free(out);
	return ovl_infer_fail(in, OVL_E_MEMORY, "not enough memory");
}

void ovl_known_free(ovl_known *k)
{
	for (int i = 0; k->values && i < k->n; i++)
		ovl_tensor_release(k->values[i]);
	ovl_free(k->types);
	ovl_free(k->shapes);
	ovl_free(k->values);
	memset(k, 0, sizeof *k);
}

const ovl_body_in *ovl_body_feed(const ovl_body *body, int parameter)
{
	for (size_t i = 0; i < body->ins.n; i++)
		if (body->ins.at[i].parameter == parameter)
			return &body->ins.at[i];
	return NULL;
}

ovl_status ovl_body_check(const ovl_body *body, int n_in, int n_out, const char *op, ovl_error *err)
{
	int parameters = (int)body->graph->parameters.n, results = (int)body->graph->results.n;
	for (size_t i = 0; i < body->ins.n; i++)
		if (body->ins.at[i].input < 0 || body->ins.at[i].input >= n_in || body->ins.at[i].parameter < 0 ||
			body->ins.at[i].parameter >= parameters)
			return ovl_fail(err, OVL_E_ARGUMENT, "%s: a body maps input %d to parameter %d; there are %d and %d", op,
				body->ins.at[i].input, body->ins.at[i].parameter, n_in, parameters);
	for (size_t i = 0; i < body->outs.n; i++)
		if (body->outs.at[i].output < 0 || body->outs.at[i].output >= n_out || body->outs.at[i].result < 0 ||
			body->outs.at[i].result >= results)
			return ovl_fail(err, OVL_E_ARGUMENT, "%s: a body maps result %d to output %d; there are %d and %d", op,
				body->outs.at[i].result, body->outs.at[i].output, results, n_out);
	for (size_t i = 0; i < body->back.n; i++)
		if (body->back.at[i].result < 0 || body->back.at[i].result >= results || body->back.at[i].parameter < 0 ||
			body->back.at[i].parameter >= parameters)
			return ovl_fail(err, OVL_E_ARGUMENT, "%s: a body hands result %d back to parameter %d; there are %d and %d", op,
				body->back.at[i].result, body->back.at[i].parameter, results, parameters);
	for (int p = 0; p < parameters; p++)
		if (!ovl_body_feed(body, p) && p != body->iteration_parameter)
			return ovl_fail(err, OVL_E_ARGUMENT, "%s: parameter %d of a body is fed by no input", op, p);
	if (body->iteration_parameter >= parameters || body->condition_result >= results)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: the body's iteration parameter or condition is not there", op);
	return OVL_OK;
}

int ovl_body_outputs(const ovl_body *body)
{
	int n = 0;
	for (size_t i = 0; i < body->outs.n; i++)
		n = body->outs.at[i].output >= n ? body->outs.at[i].output + 1 : n;
	return n;
}

ovl_pshape ovl_pshape_either(const ovl_pshape *a, const ovl_pshape *b)
{
	ovl_pshape r = *a;
	if (!a->ranked || !b->ranked || a->rank != b->rank)
		return ovl_pshape_any();
	for (int i = 0; i < a->rank; i++) {
		r.dims[i].min = a->dims[i].min < b->dims[i].min ? a->dims[i].min : b->dims[i].min;
		r.dims[i].max = a->dims[i].max > b->dims[i].max ? a->dims[i].max : b->dims[i].max;
	}
	return r;
}
