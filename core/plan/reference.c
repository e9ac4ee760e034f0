/* Reference steps: an operator's plain run, and the tail of fused operations behind it, one element at a time. */
#include "plan/build.h"
#include "graph/infer.h"
#include "tensor/convert.h"

#include <string.h>

struct ovl_ref {
	ovl_node *node; /* a copy without inputs: attributes, posts, maps of the bodies */
	int n_op_in;
	ovl_program **bodies;
	size_t n_bodies;
};

ovl_status ovl_ref_new(const ovl_node *n, const ovl_plan_options *options, ovl_packs *packs, ovl_ref **out, ovl_error *err)
{
	ovl_ref *r = ovl_calloc(1, sizeof *r);
	ovl_plan_options of_bodies = *options;
	ovl_status st = r ? ovl_node_copy(n, &r->node, err) : ovl_fail(err, OVL_E_MEMORY, "not enough memory for a plan");
	of_bodies.tuning = NULL; /* they are planned while others are timed */
	if (st == OVL_OK) {
		r->n_op_in = ovl_node_own_inputs(n);
		for (size_t i = 0; i < r->node->out.n; i++) { /* inferred anew at each late run; values are not needed */
			ovl_tensor_release(r->node->out.at[i].value);
			r->node->out.at[i].value = NULL;
		}
		if (n->bodies.n && !(r->bodies = ovl_calloc(n->bodies.n, sizeof *r->bodies)))
			st = ovl_fail(err, OVL_E_MEMORY, "not enough memory for a plan");
	}
	for (size_t i = 0; st == OVL_OK && i < n->bodies.n; i++) {
		ovl_graph *body;
		st = ovl_graph_clone(n->bodies.at[i].graph, &body, err);
		for (size_t k = 0; st == OVL_OK && k < body->parameters.n; k++) { /* shapes may change from one iteration to the next */
			ovl_output *o = &body->parameters.at[k]->out.at[0];
			ovl_tensor_release(o->value);
			o->value = NULL;
		}
		if (st == OVL_OK)
			st = ovl_program_new(body, &of_bodies, packs, &r->bodies[i], err);
		if (st == OVL_OK)
			r->n_bodies++;
	}
	if (st != OVL_OK)
		ovl_ref_free(r);
	else
		*out = r;
	return st;
}

void ovl_ref_free(ovl_ref *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_bodies; i++)
		ovl_program_free(r->bodies[i]);
	ovl_free(r->bodies);
	ovl_node_release(r->node);
	ovl_free(r);
}

typedef struct host {
	const ovl_ref *ref;
	const ovl_ref_host *host;
} host;

static ovl_status host_body(ovl_run *run, int b, ovl_tensor *const *in, int n_in, ovl_tensor **out, int n_out)
{
	const host *h = run->host;
	if (b < 0 || b >= (int)h->ref->n_bodies)
		return ovl_fail(run->err, OVL_E_INTERNAL, "body %d is not there", b);
	return h->host->body(h->host->user, h->ref->bodies[b], b, in, n_in, out, n_out, run->err);
}

static ovl_status host_get(ovl_run *run, const char *id, ovl_tensor **out)
{
	const host *h = run->host;
	return h->host->variable_get(h->host->user, id, out, run->err);
}

static ovl_status host_set(ovl_run *run, const char *id, ovl_tensor *value)
{
	const host *h = run->host;
	return h->host->variable_set(h->host->user, id, value, run->err);
}

/* Shapes of late outputs, from the tensors that are there now. Only outputs that are not there yet are made. */
static ovl_status infer_late(const ovl_ref *r, ovl_tensor *const *in, int n_in, ovl_tensor **out, int n_out, ovl_error *err)
{
	ovl_type in_type[64], out_type[64] = {0};
	ovl_pshape in_shape[64], *out_shape;
	ovl_tensor *out_value[64] = {0};
	ovl_infer x = {r->node, r->node->op, r->node->params, n_in, in_type, in_shape, in, n_out, out_type, NULL, out_value, err};
	ovl_status st = OVL_OK;
	if (n_in > 64 || n_out > 64)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "%s '%s' has more than 64 inputs or outputs of a shape known at run time only", r->node->op->name, r->node->name);
	out_shape = ovl_calloc((size_t)n_out + 1, sizeof *out_shape);
	if (!out_shape)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for shapes");
	x.out_shape = out_shape;
	for (int i = 0; i < n_in; i++) {
		in_type[i] = in[i] ? in[i]->type : OVL_DYNAMIC;
		in_shape[i] = in[i] ? ovl_pshape_static(&in[i]->shape) : ovl_pshape_any();
	}
	st = ovl_infer_sequences(&x);
	if (st == OVL_OK)
		st = r->node->op->infer(&x);
	for (int i = 0; i < n_out; i++) {
		ovl_shape s;
		if (st == OVL_OK && !out[i] && out_value[i])
			out[i] = ovl_tensor_retain(out_value[i]);
		else if (st == OVL_OK && !out[i] && out_type[i] != OVL_DYNAMIC && ovl_pshape_to_shape(&out_shape[i], &s))
			st = ovl_tensor_new(out_type[i], &s, &out[i], err);
		if (st == OVL_OK && !out[i] && !(r->node->op->flags & (OVL_OP_LATE | OVL_OP_STATEFUL))) /* such a run counts on its outputs */
			st = ovl_fail(err, OVL_E_SHAPE, "the shape of output %d cannot be told, or is too large", i);
		ovl_tensor_release(out_value[i]);
	}
	ovl_free(out_shape);
	return st;
}

static ovl_status apply_posts(const ovl_ref *r, ovl_tensor *const *in, ovl_tensor *y, ovl_error *err)
{
	int64_t n = ovl_tensor_count(y);
	for (size_t p = 0; p < r->node->posts.n; p++) {
		const ovl_post *post = &r->node->posts.at[p];
		ovl_tensor *o = post->input >= 0 ? in[post->input] : NULL;
		int64_t strides[OVL_MAX_RANK] = {0}, index[OVL_MAX_RANK] = {0}, at = 0;
		if (o) {
			ovl_desc od = ovl_desc_dense(o->type, o->shape.rank, o->shape.dims), yd = ovl_desc_dense(y->type, y->shape.rank, y->shape.dims);
			if (!ovl_desc_broadcast_strides(&od, &yd, strides))
				return ovl_fail(err, OVL_E_INTERNAL, "a fused operand does not broadcast to the output");
		}
		for (int64_t i = 0; i < n; i++) {
			bool f32 = y->type == OVL_F32 && (!o || o->type == OVL_F32);
			float x = f32 ? ((const float *)y->data)[i] : (float)ovl_tensor_f64_at(y, i);
			x = ovl_post_apply(post, x, !o ? 0 : f32 ? ((const float *)o->data)[at] : (float)ovl_tensor_f64_at(o, at));
			if (f32)
				((float *)y->data)[i] = x;
			else if (!ovl_convert(OVL_F32, &x, 0, y->type, y->data, i, 1, false))
				return ovl_fail(err, OVL_E_TYPE, "fused operations do not run on %s", ovl_type_name(y->type));
			for (int d = y->shape.rank - 1; d >= 0; d--) {
				at += strides[d];
				if (++index[d] < y->shape.dims[d])
					break;
				at -= strides[d] * y->shape.dims[d];
				index[d] = 0;
			}
		}
	}
	return OVL_OK;
}

ovl_status ovl_ref_run(const ovl_ref *r, const ovl_ref_host *h, ovl_tensor *const *in, int n_in, ovl_tensor **out, int n_out, ovl_error *err)
{
	host ctx = {r, h};
	int own = r->n_op_in;
	ovl_run run = {.op = r->node->op, .params = r->node->params, .n_in = own, .in = in, .n_out = n_out, .out = out, .err = err, .cancel = h->cancel, .host = &ctx,
		.body = host_body, .variable_get = host_get, .variable_set = host_set, .node = r->node};
	bool missing = false;
	(void)n_in;
	while (run.n_in > 0 && !in[run.n_in - 1])
		run.n_in--;
	for (int i = 0; i < n_out; i++)
		missing = missing || !out[i];
	if (missing && r->n_bodies == 0 && infer_late(r, in, run.n_in, out, n_out, err) != OVL_OK)
		return ovl_error_prefix(err, "node '%s'", r->node->name);
	if (!r->node->op->run)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "%s '%s' cannot be run", r->node->op->name, r->node->name);
	if (r->node->op->run(&run) != OVL_OK)
		return ovl_error_prefix(err, "node '%s'", r->node->name);
	for (int i = 0; i < n_out; i++)
		if (!out[i])
			return ovl_fail(err, OVL_E_INTERNAL, "%s '%s' gave no output %d", r->node->op->name, r->node->name, i);
	return r->node->posts.n ? apply_posts(r, in, out[0], err) : OVL_OK;
}
