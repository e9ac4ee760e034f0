/* If, Loop, Scan. */
#include "read/onnx/model.h"

#include <string.h>

/* ---- If ---- */

static void give_branch(ovl_onnx *x, ovl_onnx_body *b, const Onnx__GraphProto *g, ovl_node *n)
{
	ovl_body *body;
	int first = 0, count;
	ovl_x_body_open(x, b, g);
	ovl_x_body_translate(x, b, g);
	if (x->status == OVL_OK && (int)b->outputs.n < x->n_out)
		ovl_x_fail(x, OVL_E_PARSE, "the graph '%.100s' has %zu outputs, expected %d", g->name ? g->name : "", b->outputs.n, x->n_out);
	count = x->n_out;
	for (int i = 0; i < count && x->status == OVL_OK; i++) {
		int r = ovl_x_body_result(x, b, b->outputs.at[i]);
		first = i == 0 ? r : first;
	}
	body = ovl_x_body_give(x, b, n);
	for (int i = 0; i < count && body && x->status == OVL_OK; i++)
		if (!ovl_vec_push(&body->outs, ((ovl_body_out){.output = i, .result = first + i})))
			ovl_x_fail(x, OVL_E_MEMORY, "not enough memory");
	ovl_x_body_close(b);
}

/* `g`: whose outputs from `first` on are the node's, and tell which are optionals. */
static void set_outputs(ovl_onnx *x, ovl_node *n, const Onnx__GraphProto *g, size_t first)
{
	for (int i = 0; i < x->n_out && x->status == OVL_OK && n; i++) {
		ovl_onnx_value v = {.end = {n, i}, .set = true};
		v.optional = first + (size_t)i < g->n_output && ovl_x_declared_optional(g->output[first + (size_t)i]->type);
		ovl_x_out_value(x, i, v);
	}
}

static void if_op(ovl_onnx *x)
{
	ovl_end condition = ovl_x_in(x, 0);
	Onnx__GraphProto *then_g = ovl_x_attr_graph(x, "then_branch"), *else_g = ovl_x_attr_graph(x, "else_branch");
	ovl_onnx_body b = {0};
	ovl_node *n;
	double known;
	if (x->status == OVL_OK && ovl_x_number(x, condition, &known)) {
		ovl_x_inline(x, known != 0 ? then_g : else_g, x->out, x->n_out);
		return;
	}
	n = ovl_x_new(x, "If");
	ovl_x_add_input(x, n, condition);
	if (x->status == OVL_OK)
		give_branch(x, &b, then_g, n);
	if (x->status == OVL_OK)
		give_branch(x, &b, else_g, n);
	ovl_x_add(x, n);
	set_outputs(x, n, then_g, 0);
}

/* ---- what Loop and Scan share ---- */

/* What is assumed of a value that goes round: it must hold for the first one and for what the body makes. */
typedef struct carried {
	ovl_end first;
	ovl_type type;
	ovl_pshape shape;
} carried;

/* The initial shape, as far as the body's own declaration agrees with it. */
static void assume(ovl_onnx *x, carried *c, ovl_end first, const Onnx__ValueInfoProto *declared)
{
	const Onnx__TensorShapeProto *p =
		declared->type && declared->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? declared->type->tensor_type->shape : NULL;
	c->first = first;
	if (x->status != OVL_OK)
		return;
	c->type = ovl_x_type(x, first);
	c->shape = first.node->out.at[first.port].shape;
	if (!p || !c->shape.ranked || p->n_dim != (size_t)c->shape.rank)
		return;
	for (int i = 0; i < c->shape.rank; i++) {
		const Onnx__TensorShapeProto__Dimension *d = p->dim[i];
		bool fixed = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		if (!fixed && d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
			c->shape.dims[i] = OVL_DIM_ANY;
	}
}

/* Widens what does not hold for `made`; false when everything held. */
static bool widen(carried *c, const ovl_pshape *made)
{
	bool changed = false;
	if (!c->shape.ranked)
		return false;
	if (made->ranked && made->rank != c->shape.rank) {
		c->shape = ovl_pshape_any();
		return true;
	}
	for (int i = 0; i < c->shape.rank; i++) /* where the number of dimensions is not known, the first value's is trusted */
		if (made->ranked ? made->dims[i].min < c->shape.dims[i].min || made->dims[i].max > c->shape.dims[i].max
				 : c->shape.dims[i].min > 0 || c->shape.dims[i].max < OVL_DIM_MAX) {
			c->shape.dims[i] = OVL_DIM_ANY;
			changed = true;
		}
	return changed;
}

static bool widen_all(const ovl_onnx_body *b, carried *c, int n, int first_output)
{
	bool changed = false;
	for (int i = 0; i < n; i++) {
		ovl_end e = b->outputs.at[first_output + i];
		changed = widen(&c[i], &e.node->out.at[e.port].shape) || changed;
	}
	return changed;
}

static ovl_type declared_type(ovl_onnx *x, const Onnx__ValueInfoProto *v, ovl_type fill)
{
	const Onnx__TypeProto *t = v->type;
	if (!t || t->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE || !t->tensor_type->elem_type)
		return fill;
	return ovl_x_pb_type(x, t->tensor_type->elem_type);
}

/* Iteration numbers and conditions are scalars; some files declare them as [1]. */
static ovl_pshape single(const Onnx__ValueInfoProto *v)
{
	const Onnx__TypeProto *t = v->type;
	ovl_pshape p = ovl_pshape_rank(0);
	if (t && t->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE && t->tensor_type->shape && t->tensor_type->shape->n_dim == 1) {
		p = ovl_pshape_rank(1);
		p.dims[0] = ovl_dim_of(1);
	}
	return p;
}

static void push_in(ovl_onnx *x, ovl_body *b, ovl_body_in in)
{
	if (x->status == OVL_OK && !ovl_vec_push(&b->ins, in))
		ovl_x_fail(x, OVL_E_MEMORY, "not enough memory");
}

static void push_out(ovl_onnx *x, ovl_body *b, ovl_body_out out)
{
	if (x->status == OVL_OK && !ovl_vec_push(&b->outs, out))
		ovl_x_fail(x, OVL_E_MEMORY, "not enough memory");
}

static void push_back(ovl_onnx *x, ovl_body *b, int result, int parameter)
{
	if (x->status == OVL_OK && !ovl_vec_push(&b->back, ((ovl_back_edge){result, parameter})))
		ovl_x_fail(x, OVL_E_MEMORY, "not enough memory");
}

static const char *input_name(const Onnx__GraphProto *g, size_t i) { return g->input[i]->name ? g->input[i]->name : ""; }

enum { ATTEMPTS = 3 };

/* ---- Loop ---- */

typedef struct loop {
	const Onnx__GraphProto *g;
	carried *state;
	bool *boxed; /* per loop value: an optional on its way in, which the body gives as the value alone */
	int n_state, n_scan;
	ovl_end trips, condition;
	ovl_onnx_body body;
} loop;

static void loop_parameter(ovl_onnx *x, loop *l, int i)
{
	const Onnx__ValueInfoProto *info = l->g->input[i + 2];
	ovl_onnx_value v = {.set = true, .optional = ovl_x_declared_optional(info->type)};
	v.end = ovl_x_body_parameter(x, &l->body, "", l->state[i].type, &l->state[i].shape);
	if (x->status == OVL_OK)
		x->status = ovl_onnx_scope_set(l->body.scope, input_name(l->g, (size_t)i + 2), v);
}

static void loop_body(ovl_onnx *x, loop *l)
{
	ovl_pshape shape;
	ovl_x_body_open(x, &l->body, l->g);
	shape = single(l->g->input[0]);
	ovl_x_body_parameter(x, &l->body, input_name(l->g, 0), OVL_I64, &shape);
	shape = single(l->g->input[1]);
	ovl_x_body_parameter(x, &l->body, input_name(l->g, 1), OVL_BOOLEAN, &shape);
	for (int i = 0; i < l->n_state; i++)
		loop_parameter(x, l, i);
	ovl_x_body_translate(x, &l->body, l->g);
	for (int i = 0; i < l->n_state && (size_t)i + 1 < l->body.outputs.n; i++) {
		ovl_graph *outer = x->graph;
		x->graph = l->body.graph;
		if (l->boxed[i])
			l->body.outputs.at[i + 1] = ovl_x_op(x, "SequenceConstruct", l->body.outputs.at[i + 1]);
		x->graph = outer;
	}
}

static void loop_maps(ovl_onnx *x, loop *l, ovl_node *n)
{
	ovl_graph *outer = x->graph;
	ovl_body *b;
	int first = 0;
	x->graph = l->body.graph;
	for (int i = 0; i < 1 + l->n_state + l->n_scan && x->status == OVL_OK; i++) {
		ovl_end e = l->body.outputs.at[i];
		first = i == 0 ? ovl_x_body_result(x, &l->body, e) : (ovl_x_body_result(x, &l->body, i > l->n_state ? ovl_x_unsqueeze(x, e, 0) : e), first);
	}
	x->graph = outer;
	b = ovl_x_body_give(x, &l->body, n);
	if (!b)
		return;
	b->iteration_parameter = 0;
	b->condition_result = first;
	push_in(x, b, (ovl_body_in){.input = 1, .parameter = 1});
	push_back(x, b, first, 1);
	for (int i = 0; i < l->n_state; i++) {
		push_in(x, b, (ovl_body_in){.input = 2 + i, .parameter = 2 + i});
		push_back(x, b, first + 1 + i, 2 + i);
		push_out(x, b, (ovl_body_out){.output = i, .result = first + 1 + i});
	}
	for (int i = 0; i < l->n_scan; i++)
		push_out(x, b,
			(ovl_body_out){.output = l->n_state + i,
				.result = first + 1 + l->n_state + i,
				.sliced = true,
				.end = -1,
				.stride = 1,
				.part_size = 1});
}

static void emit_loop(ovl_onnx *x, loop *l)
{
	ovl_node *n;
	for (int attempt = 0; x->status == OVL_OK; attempt++) {
		loop_body(x, l);
		if (x->status == OVL_OK && l->body.outputs.n != (size_t)(1 + l->n_state + l->n_scan))
			ovl_x_fail(x, OVL_E_PARSE, "its body has %zu outputs, expected %d", l->body.outputs.n, 1 + l->n_state + l->n_scan);
		if (x->status != OVL_OK || attempt == ATTEMPTS || !widen_all(&l->body, l->state, l->n_state, 1))
			break;
		ovl_x_body_close(&l->body);
	}
	n = ovl_x_new(x, "Loop");
	ovl_x_add_input(x, n, l->trips);
	ovl_x_add_input(x, n, l->condition);
	for (int i = 0; i < l->n_state; i++)
		ovl_x_add_input(x, n, l->state[i].first);
	if (x->status == OVL_OK)
		loop_maps(x, l, n);
	ovl_x_add(x, n);
	set_outputs(x, n, l->g, 1);
	for (int i = 0; i < l->n_state && x->status == OVL_OK && n; i++)
		if (l->boxed[i])
			ovl_x_out(x, i, ovl_x_op(x, "SequenceAt", (ovl_end){n, i}));
}

static void loop_value(ovl_onnx *x, loop *l, int i)
{
	const Onnx__ValueInfoProto *info = l->g->input[i + 2];
	ovl_onnx_value v = ovl_x_value(x, i + 2);
	if (x->status == OVL_OK && !v.set)
		ovl_x_fail(x, OVL_E_PARSE, "input %d is missing", i + 2);
	assume(x, &l->state[i], ovl_x_live(x, &v, info->type), info);
	l->boxed[i] = ovl_x_declared_optional(info->type) && !ovl_x_declared_optional(l->g->output[i + 1]->type);
	if (x->status == OVL_OK && l->state[i].type == OVL_SEQUENCE) /* of any length */
		l->state[i].shape = ovl_pshape_rank(1);
}

static void loop_op(ovl_onnx *x)
{
	loop l = {.g = ovl_x_attr_graph(x, "body")};
	if (x->status != OVL_OK)
		return;
	l.n_state = x->n_in > 2 ? x->n_in - 2 : 0;
	l.n_scan = (int)l.g->n_output - 1 - l.n_state;
	if (l.g->n_input != (size_t)l.n_state + 2 || l.n_scan < 0) {
		ovl_x_fail(x, OVL_E_PARSE, "its body has %zu inputs and %zu outputs, which does not fit %d loop values", l.g->n_input, l.g->n_output, l.n_state);
		return;
	}
	l.trips = ovl_x_has(x, 0) ? ovl_x_in(x, 0) : ovl_x_i64(x, -1);
	l.condition = ovl_x_has(x, 1) ? ovl_x_in(x, 1) : ovl_x_scalar(x, OVL_BOOLEAN, 1);
	l.state = ovl_calloc((size_t)l.n_state + 1, sizeof *l.state);
	l.boxed = ovl_calloc((size_t)l.n_state + 1, sizeof *l.boxed);
	if (!l.state || !l.boxed)
		ovl_x_fail(x, OVL_E_MEMORY, "not enough memory");
	for (int i = 0; i < l.n_state && x->status == OVL_OK; i++)
		loop_value(x, &l, i);
	emit_loop(x, &l);
	ovl_x_body_close(&l.body);
	ovl_free(l.state);
	ovl_free(l.boxed);
}

/* ---- Scan ---- */

typedef struct scan {
	const Onnx__GraphProto *g;
	carried *state;
	ovl_end *in; /* the scanned inputs */
	int *axis, *axis_out;
	bool *backward, *backward_out;
	int n_state, n_in, n_out;
	ovl_onnx_body body;
} scan;

/* A slice has its axis as a dimension of one, which the body's input has not. */
static void scan_parameter(ovl_onnx *x, scan *s, int i)
{
	ovl_graph *outer = x->graph;
	ovl_end e = s->in[i], p;
	ovl_pshape shape;
	if (x->status != OVL_OK)
		return;
	shape = e.node->out.at[e.port].shape;
	if (shape.ranked)
		shape.dims[s->axis[i]] = ovl_dim_of(1);
	p = ovl_x_body_parameter(x, &s->body, "", declared_type(x, s->g->input[s->n_state + i], ovl_x_type(x, e)), &shape);
	x->graph = s->body.graph;
	ovl_x_body_set(x, &s->body, input_name(s->g, (size_t)(s->n_state + i)), ovl_x_squeeze(x, p, s->axis[i]));
	x->graph = outer;
}

static void scan_body(ovl_onnx *x, scan *s)
{
	ovl_x_body_open(x, &s->body, s->g);
	for (int i = 0; i < s->n_state; i++)
		ovl_x_body_parameter(x, &s->body, input_name(s->g, (size_t)i), s->state[i].type, &s->state[i].shape);
	for (int i = 0; i < s->n_in; i++)
		scan_parameter(x, s, i);
	ovl_x_body_translate(x, &s->body, s->g);
	if (x->status == OVL_OK && s->body.outputs.n != (size_t)(s->n_state + s->n_out))
		ovl_x_fail(x, OVL_E_PARSE, "its body has %zu outputs, expected %d", s->body.outputs.n, s->n_state + s->n_out);
}

static void scan_maps(ovl_onnx *x, scan *s, ovl_node *n)
{
	ovl_graph *outer = x->graph;
	ovl_body *b;
	x->graph = s->body.graph;
	for (int i = 0; i < s->n_state + s->n_out && x->status == OVL_OK; i++) {
		ovl_end e = s->body.outputs.at[i];
		if (i >= s->n_state) {
			int rank = ovl_x_rank(x, e);
			if (s->axis_out[i - s->n_state] < 0)
				s->axis_out[i - s->n_state] += rank < 0 ? 0 : rank + 1;
			e = ovl_x_unsqueeze(x, e, s->axis_out[i - s->n_state]);
		}
		ovl_x_body_result(x, &s->body, e);
	}
	x->graph = outer;
	b = ovl_x_body_give(x, &s->body, n);
	if (!b)
		return;
	for (int i = 0; i < s->n_state; i++) {
		push_in(x, b, (ovl_body_in){.input = i, .parameter = i});
		push_back(x, b, i, i);
		push_out(x, b, (ovl_body_out){.output = i, .result = i});
	}
	for (int i = 0; i < s->n_in; i++) {
		bool back = s->backward[i];
		push_in(x, b, (ovl_body_in){.input = s->n_state + i, .parameter = s->n_state + i, .sliced = true, .axis = s->axis[i], .start = back ? -1 : 0,
			.end = back ? 0 : -1, .stride = back ? -1 : 1, .part_size = 1});
	}
	for (int i = 0; i < s->n_out; i++) {
		bool back = s->backward_out[i];
		push_out(x, b, (ovl_body_out){.output = s->n_state + i, .result = s->n_state + i, .sliced = true, .axis = s->axis_out[i], .start = back ? -1 : 0,
			.end = back ? 0 : -1, .stride = back ? -1 : 1, .part_size = 1});
	}
}

static ovl_node *emit_scan(ovl_onnx *x, scan *s)
{
	ovl_node *n;
	for (int attempt = 0; x->status == OVL_OK; attempt++) {
		scan_body(x, s);
		if (x->status != OVL_OK || attempt == ATTEMPTS || !widen_all(&s->body, s->state, s->n_state, 0))
			break;
		ovl_x_body_close(&s->body);
	}
	n = ovl_x_new(x, "TensorIterator");
	for (int i = 0; i < s->n_state; i++)
		ovl_x_add_input(x, n, s->state[i].first);
	for (int i = 0; i < s->n_in; i++)
		ovl_x_add_input(x, n, s->in[i]);
	if (x->status == OVL_OK)
		scan_maps(x, s, n);
	ovl_x_add(x, n);
	return x->status == OVL_OK ? n : NULL;
}

static void int_list(ovl_onnx *x, const char *name, int n, int64_t *out)
{
	int have;
	const int64_t *list = ovl_x_attr_ints(x, name, &have);
	for (int i = 0; i < n; i++)
		out[i] = list && i < have ? list[i] : 0;
}

/* In opset 8 everything has a batch in front (supported for a batch of one), and there is an input of lengths. */
static void scan_values(ovl_onnx *x, scan *s, bool batched)
{
	int shift = batched ? 1 : 0;
	int64_t axes[64], ways[64];
	for (int i = 0; i < s->n_state + s->n_in && x->status == OVL_OK; i++) {
		ovl_end e = ovl_x_in(x, i + shift);
		if (batched && ovl_x_dim(x, e, 0) != 1)
			ovl_x_unsupported(x, "Scan of opset 8 with a batch other than 1");
		if (batched)
			e = ovl_x_squeeze(x, e, 0);
		if (i < s->n_state)
			assume(x, &s->state[i], e, s->g->input[i]);
		else
			s->in[i - s->n_state] = e;
	}
	int_list(x, "scan_input_axes", s->n_in, axes);
	int_list(x, batched ? "directions" : "scan_input_directions", s->n_in, ways);
	for (int i = 0; i < s->n_in && x->status == OVL_OK; i++) {
		s->axis[i] = axes[i] < 0 || ovl_x_rank(x, s->in[i]) >= 0 ? ovl_x_axis(x, axes[i], ovl_x_need_rank(x, s->in[i])) : (int)axes[i];
		s->backward[i] = ways[i] != 0;
	}
	int_list(x, "scan_output_axes", s->n_out, axes);
	int_list(x, "scan_output_directions", s->n_out, ways);
	for (int i = 0; i < s->n_out; i++) {
		s->axis_out[i] = (int)axes[i];
		s->backward_out[i] = ways[i] != 0;
	}
}

static void scan_op(ovl_onnx *x)
{
	carried state[64];
	ovl_end in[64];
	int axis[64], axis_out[64];
	bool backward[64], backward_out[64], batched = x->opset < 9;
	scan s = {.g = ovl_x_attr_graph(x, "body"),
		.state = state,
		.in = in,
		.axis = axis,
		.axis_out = axis_out,
		.backward = backward,
		.backward_out = backward_out};
	int64_t scanned = ovl_x_need_int(x, "num_scan_inputs");
	ovl_node *n;
	if (x->status != OVL_OK)
		return;
	if (batched && ovl_x_has(x, 0)) {
		ovl_x_unsupported(x, "Scan of opset 8 with lengths");
		return;
	}
	s.n_in = (int)scanned;
	s.n_state = x->n_in - (batched ? 1 : 0) - s.n_in;
	s.n_out = (int)s.g->n_output - s.n_state;
	if (scanned < 1 || scanned > 64 || s.n_state < 0 || s.n_state > 64 || s.n_out < 0 || s.n_out > 64 || s.g->n_input != (size_t)(s.n_state + s.n_in)) {
		ovl_x_fail(x, OVL_E_PARSE, "its body does not fit its inputs and outputs");
		return;
	}
	scan_values(x, &s, batched);
	n = emit_scan(x, &s);
	for (int i = 0; i < x->n_out && n; i++)
		ovl_x_out(x, i, batched ? ovl_x_unsqueeze(x, (ovl_end){n, i}, 0) : (ovl_end){n, i});
	ovl_x_body_close(&s.body);
}

/* ---- SequenceMap of a sequence of the run: a Loop that takes an element of each, and adds what the body makes to sequences ---- */

static void map_body(ovl_onnx *x, ovl_onnx_body *b, const Onnx__GraphProto *g, ovl_end *made)
{
	ovl_pshape scalar = ovl_pshape_rank(0), any = ovl_pshape_rank(1);
	ovl_end i = ovl_x_body_parameter(x, b, "", OVL_I64, &scalar), out[16];
	ovl_graph *outer = x->graph;
	made[0] = ovl_x_body_parameter(x, b, "", OVL_BOOLEAN, &scalar);
	for (int o = 0; o < x->n_out; o++)
		out[o] = ovl_x_body_parameter(x, b, "", OVL_SEQUENCE, &any);
	x->graph = b->graph;
	for (int k = 0; k < x->n_in && x->status == OVL_OK; k++) {
		ovl_onnx_value v;
		x->status = ovl_onnx_scope_get(b->scope, x->node->input[k], &v);
		if (x->status == OVL_OK && (v.list || ovl_x_is_live(x, &v)))
			v = (ovl_onnx_value){.end = ovl_x_op(x, "SequenceAt", ovl_x_live(x, &v, NULL), i), .set = true};
		if (x->status == OVL_OK && g->input[k]->name)
			x->status = ovl_onnx_scope_set(b->scope, g->input[k]->name, v);
	}
	x->graph = outer;
	ovl_x_body_translate(x, b, g);
	x->graph = b->graph;
	for (int o = 0; o < x->n_out && x->status == OVL_OK; o++)
		made[o + 1] = ovl_x_op(x, "SequenceInsert", out[o], b->outputs.at[o]);
	x->graph = outer;
}

void ovl_onnx_map_live(ovl_onnx *x)
{
	Onnx__GraphProto *g = ovl_x_attr_graph(x, "body");
	ovl_onnx_value first = ovl_x_value(x, 0);
	ovl_onnx_body b = {0};
	ovl_end made[17];
	ovl_body *body;
	ovl_node *n;
	if (x->status == OVL_OK && (!g || x->n_out > 16 || (size_t)x->n_in != g->n_input || (size_t)x->n_out > g->n_output))
		ovl_x_fail(x, OVL_E_PARSE, "its body does not fit its inputs and outputs");
	if (x->status != OVL_OK)
		return;
	n = ovl_x_new(x, "Loop");
	ovl_x_add_input(x, n, ovl_x_op(x, "SequenceLength", ovl_x_live(x, &first, NULL)));
	ovl_x_add_input(x, n, ovl_x_scalar(x, OVL_BOOLEAN, 1));
	for (int o = 0; o < x->n_out; o++)
		ovl_x_add_input(x, n, ovl_x_make(x, "SequenceConstruct", NULL, NULL, 0));
	ovl_x_body_open(x, &b, g);
	if (x->status == OVL_OK)
		map_body(x, &b, g, made);
	for (int o = 0; o <= x->n_out && x->status == OVL_OK; o++)
		ovl_x_body_result(x, &b, made[o]);
	body = ovl_x_body_give(x, &b, n);
	for (int o = 0; o <= x->n_out && body; o++) {
		push_in(x, body, (ovl_body_in){.input = 1 + o, .parameter = 1 + o});
		push_back(x, body, o, 1 + o);
		if (o > 0)
			push_out(x, body, (ovl_body_out){.output = o - 1, .result = o});
	}
	if (body) {
		body->iteration_parameter = 0;
		body->condition_result = 0;
	}
	ovl_x_add(x, n);
	for (int o = 0; o < x->n_out && x->status == OVL_OK && n; o++)
		ovl_x_out(x, o, (ovl_end){n, o});
	ovl_x_body_close(&b);
}

const ovl_onnx_rule ovl_onnx_control[] = {{"If", NULL, 1, if_op}, {"Loop", NULL, 1, loop_op}, {"Scan", NULL, 8, scan_op}, {NULL, NULL, 0, NULL}};
