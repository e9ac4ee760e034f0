/* If: runs one of two bodies. */
#include "ops/support_body.h"

/* ---- inference ---- */

static ovl_status infer_branch(ovl_infer *in, int b, ovl_known *out)
{
	const ovl_body *body = &in->node->bodies.at[b];
	ovl_known feed;
	ovl_status st;
	OVL_TRY(ovl_body_check(body, in->n_in, in->n_out, "If", in->err));
	OVL_TRY(ovl_known_new(in, body->graph->parameters.n, &feed));
	for (int i = 0; i < feed.n; i++) {
		int from = ovl_body_feed(body, i)->input;
		feed.types[i] = in->in_type[from];
		feed.shapes[i] = in->in_shape[from];
		feed.values[i] = in->in_value[from] ? ovl_tensor_retain(in->in_value[from]) : NULL;
	}
	st = ovl_known_new(in, body->graph->results.n, out);
	if (st == OVL_OK)
		st = ovl_infer_body(in, b, feed.n, feed.types, feed.shapes, feed.values, out->n, out->types, out->shapes, out->values);
	ovl_known_free(&feed);
	return st;
}

/* Adds what branch b says about the outputs to what is there. */
static ovl_status merge(ovl_infer *in, int b, const ovl_known *from, bool first, bool only)
{
	const ovl_body *body = &in->node->bodies.at[b];
	for (size_t i = 0; i < body->outs.n; i++) {
		int o = body->outs.at[i].output, r = body->outs.at[i].result;
		if (!first && in->out_type[o] != OVL_DYNAMIC && from->types[r] != OVL_DYNAMIC && in->out_type[o] != from->types[r])
			return ovl_infer_fail(in, OVL_E_TYPE, "output %d is %s in one branch and %s in the other", o, ovl_type_name(in->out_type[o]),
				ovl_type_name(from->types[r]));
		if (first || in->out_type[o] == OVL_DYNAMIC)
			in->out_type[o] = from->types[r];
		in->out_shape[o] = first ? from->shapes[r] : ovl_pshape_either(&in->out_shape[o], &from->shapes[r]);
		if (only && from->values[r] && !in->out_value[o])
			in->out_value[o] = ovl_tensor_retain(from->values[r]);
	}
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	int outs, from = 0, to = 2;
	ovl_status st = OVL_OK;
	if (!in->node)
		return OVL_OK; /* the outputs stay open */
	if (in->node->bodies.n != 2)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "it has %zu bodies, expected 2", in->node->bodies.n);
	outs = ovl_body_outputs(&in->node->bodies.at[0]);
	if (ovl_body_outputs(&in->node->bodies.at[1]) != outs)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "its branches give different numbers of outputs");
	OVL_TRY(ovl_infer_set_outputs(in, outs));
	for (int i = 0; i < outs; i++) {
		in->out_type[i] = OVL_DYNAMIC;
		in->out_shape[i] = ovl_pshape_any();
	}
	if (in->in_value[0] && ovl_tensor_count(in->in_value[0]) == 1) {
		from = ovl_tensor_i64_at(in->in_value[0], 0) ? 0 : 1;
		to = from + 1;
	}
	for (int b = from; st == OVL_OK && b < to; b++) {
		ovl_known r = {0};
		st = infer_branch(in, b, &r);
		if (st == OVL_OK)
			st = merge(in, b, &r, b == from, to == from + 1);
		ovl_known_free(&r);
	}
	return st;
}

/* ---- run ---- */

static ovl_status branch(ovl_work *w)
{
	ovl_run *run = w->run;
	const ovl_body *body;
	ovl_tensor **in, **out;
	int n, n_out, b;
	ovl_status st;
	if (!run->node || run->node->bodies.n != 2 || !run->body || ovl_tensor_count(run->in[0]) != 1)
		return ovl_work_fail(w, OVL_E_ARGUMENT, "the condition must be one boolean, and two bodies must be there");
	b = ovl_tensor_i64_at(run->in[0], 0) ? 0 : 1;
	body = &run->node->bodies.at[b];
	n = (int)body->graph->parameters.n;
	n_out = (int)body->graph->results.n;
	OVL_TRY(ovl_body_check(body, run->n_in, run->n_out, "If", run->err));
	OVL_TRY(ovl_work_take(w, n, sizeof *in, &in));
	OVL_TRY(ovl_work_take(w, n_out, sizeof *out, &out));
	for (int i = 0; i < n; i++)
		in[i] = run->in[ovl_body_feed(body, i)->input];
	st = run->body(run, b, in, n, out, n_out);
	for (size_t i = 0; st == OVL_OK && i < body->outs.n; i++) {
		ovl_tensor *from = out[body->outs.at[i].result], *to;
		st = ovl_run_output(run, body->outs.at[i].output, from->type, &from->shape, &to);
		if (st == OVL_OK)
			st = ovl_tensor_copy(from, to, run->err);
	}
	for (int i = 0; i < n_out; i++)
		ovl_tensor_release(out[i]);
	return st;
}

static ovl_status if_run(ovl_run *run) { return ovl_work_run(run, branch); }

static const ovl_op if_v8 = {
	.name = "If",
	.factory = "if_op",
	.since = 8,
	.min_inputs = 1,
	.max_inputs = -1,
	.outputs = -1,
	.inputs = "condition inputs...",
	.flags = OVL_OP_NO_BUILDER | OVL_OP_SEQUENCE,
	.infer = infer,
	.run = if_run,
};

const ovl_op *const ovl_ops_if[] = {&if_v8, NULL};
