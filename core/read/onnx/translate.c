/* translate.c - scopes of names, the order of nodes, functions, and the walk that gives each ONNX node to its rule. */
#include "read/onnx/model.h"

#include <string.h>

extern const ovl_onnx_rule *const ovl_onnx_rule_lists[]; /* build/gen/onnx_list.c */

static ovl_status no_memory(const ovl_onnx_scope *s) { return ovl_fail(s->model->err, OVL_E_MEMORY, "not enough memory for the model"); }

/* ---- tensors ---- */

static ovl_status keep_tensor(ovl_onnx_scope *s, const void *key, ovl_tensor *t)
{
	ovl_onnx_model *m = s->model;
	if (!ovl_vec_push(&m->tensors, t)) {
		ovl_tensor_release(t);
		return no_memory(s);
	}
	return ovl_names_put(&m->tensor_of, key, m->tensors.n - 1) ? OVL_OK : no_memory(s);
}

ovl_status ovl_onnx_scope_tensor(ovl_onnx_scope *s, Onnx__TensorProto *proto, ovl_tensor **out)
{
	size_t at;
	if (!ovl_names_get(&s->model->tensor_of, proto, &at)) {
		ovl_tensor *t;
		OVL_TRY(ovl_pb_tensor(proto, &s->model->files, &t, s->model->err));
		OVL_TRY(keep_tensor(s, proto, t));
		at = s->model->tensors.n - 1;
	}
	*out = s->model->tensors.at[at];
	return OVL_OK;
}

static ovl_status sparse_place(ovl_onnx_scope *s, const ovl_tensor *indices, int64_t i, const ovl_shape *shape, int64_t count, int64_t *at)
{
	bool linear = indices->shape.rank == 1;
	*at = linear ? ovl_tensor_i64_at(indices, i) : 0;
	for (int d = 0; !linear && d < shape->rank; d++) {
		int64_t k = ovl_tensor_i64_at(indices, i * shape->rank + d);
		if (k < 0 || k >= shape->dims[d])
			return ovl_fail(s->model->err, OVL_E_PARSE, "index %lld of a sparse tensor is outside its shape", (long long)k);
		*at = *at * shape->dims[d] + k;
	}
	if (*at < 0 || *at >= count)
		return ovl_fail(s->model->err, OVL_E_PARSE, "index %lld of a sparse tensor is outside its shape", (long long)*at);
	return OVL_OK;
}

ovl_status ovl_onnx_sparse(ovl_onnx_scope *s, const Onnx__SparseTensorProto *p, ovl_tensor **out)
{
	ovl_error *err = s->model->err;
	ovl_tensor *values, *indices, *dense;
	ovl_shape shape = {0};
	ovl_status st = OVL_OK;
	int64_t n, count;
	size_t unit;
	if (!p->values || !p->indices || p->n_dims > OVL_MAX_RANK)
		return ovl_fail(err, OVL_E_PARSE, "a sparse tensor without values or indices, or with too many dimensions");
	for (size_t i = 0; i < p->n_dims; i++)
		shape.dims[shape.rank++] = p->dims[i];
	OVL_TRY(ovl_onnx_scope_tensor(s, p->values, &values));
	OVL_TRY(ovl_onnx_scope_tensor(s, p->indices, &indices));
	n = ovl_tensor_count(values);
	unit = ovl_type_size(values->type);
	if (!unit || values->type == OVL_STRING || indices->type != OVL_I64 || indices->shape.rank < 1 || indices->shape.rank > 2 ||
		indices->shape.dims[0] != n || (indices->shape.rank == 2 && indices->shape.dims[1] != shape.rank))
		return ovl_fail(err, OVL_E_PARSE, "a sparse tensor whose values and indices do not match");
	OVL_TRY(ovl_tensor_new(values->type, &shape, &dense, err));
	count = ovl_tensor_count(dense);
	for (int64_t i = 0; i < n && st == OVL_OK; i++) {
		int64_t at;
		st = sparse_place(s, indices, i, &shape, count, &at);
		if (st == OVL_OK)
			memcpy((char *)dense->data + (size_t)at * unit, (char *)values->data + (size_t)i * unit, unit);
	}
	if (st == OVL_OK)
		*out = dense;
	else
		ovl_tensor_release(dense);
	return st;
}

/* ---- names ---- */

void ovl_onnx_scope_close(ovl_onnx_scope *s)
{
	ovl_names_free(&s->initializers);
	ovl_names_free(&s->names);
	ovl_vec_free(&s->values);
	ovl_vec_free(&s->captures);
}

ovl_status ovl_onnx_scope_set(ovl_onnx_scope *s, const char *name, ovl_onnx_value v)
{
	v.set = true;
	if (!ovl_names_put(&s->names, name, s->values.n) || !ovl_vec_push(&s->values, v))
		return no_memory(s);
	return OVL_OK;
}

ovl_status ovl_onnx_scope_initializers(ovl_onnx_scope *s, const Onnx__GraphProto *g)
{
	s->proto = g;
	for (size_t i = 0; i < g->n_initializer; i++)
		if (g->initializer[i]->name && !ovl_names_put(&s->initializers, g->initializer[i]->name, i))
			return no_memory(s);
	for (size_t i = 0; i < g->n_sparse_initializer; i++) {
		const Onnx__TensorProto *values = g->sparse_initializer[i]->values;
		if (values && values->name && !ovl_names_put(&s->initializers, values->name, g->n_initializer + i))
			return no_memory(s);
	}
	return OVL_OK;
}

static ovl_status initializer(ovl_onnx_scope *s, const char *name, size_t at, ovl_onnx_value *out)
{
	ovl_tensor *t;
	ovl_node *n;
	bool sparse = at >= s->proto->n_initializer;
	ovl_status st;
	if (sparse)
		OVL_TRY(ovl_onnx_sparse(s, s->proto->sparse_initializer[at - s->proto->n_initializer], &t));
	else
		OVL_TRY(ovl_onnx_scope_tensor(s, s->proto->initializer[at], &t));
	st = ovl_graph_constant(s->graph, t, name, &n, s->model->err);
	if (sparse)
		ovl_tensor_release(t);
	if (st == OVL_OK)
		st = ovl_node_add_name(n, 0, name, s->model->err);
	if (st != OVL_OK)
		return st;
	*out = (ovl_onnx_value){.end = {n, 0}, .set = true};
	return ovl_onnx_scope_set(s, name, *out);
}

static ovl_status new_parameter(ovl_onnx_scope *s, const char *name, const ovl_output *like, ovl_end *out)
{
	ovl_node *n;
	ovl_parameter_params *p;
	OVL_TRY(ovl_graph_op(s->graph, "Parameter", name, NULL, 0, &n, s->model->err));
	p = n->params;
	p->element_type = like->type;
	p->shape = like->shape;
	OVL_TRY(ovl_node_infer(n, s->model->err));
	*out = (ovl_end){n, 0};
	return OVL_OK;
}

/* An outer value inside of a body: a constant again where it is known, else a Parameter that the control-flow node feeds. */
static ovl_status capture(ovl_onnx_scope *s, const char *name, ovl_end outer, ovl_end *inner)
{
	const ovl_output *o = &outer.node->out.at[outer.port];
	ovl_node *n;
	for (size_t i = 0; i < s->captures.n; i++)
		if (s->captures.at[i].outer.node == outer.node && s->captures.at[i].outer.port == outer.port) {
			*inner = (ovl_end){s->graph->parameters.at[s->captures.at[i].parameter], 0};
			return OVL_OK;
		}
	if (o->value) {
		OVL_TRY(ovl_graph_constant(s->graph, o->value, name, &n, s->model->err));
		*inner = (ovl_end){n, 0};
		return OVL_OK;
	}
	OVL_TRY(new_parameter(s, name, o, inner));
	return ovl_vec_push(&s->captures, ((ovl_onnx_capture){outer, (int)s->graph->parameters.n - 1})) ? OVL_OK : no_memory(s);
}

static ovl_status capture_value(ovl_onnx_scope *s, const char *name, ovl_onnx_value *v)
{
	ovl_onnx_list *list;
	if (v->end.node)
		OVL_TRY(capture(s, name, v->end, &v->end));
	if (!v->list)
		return OVL_OK;
	list = ovl_calloc(1, sizeof *list);
	if (!list)
		return no_memory(s);
	list->next = s->model->lists;
	s->model->lists = list;
	for (size_t i = 0; i < v->list->items.n; i++) {
		ovl_end inner;
		OVL_TRY(capture(s, name, v->list->items.at[i], &inner));
		if (!ovl_vec_push(&list->items, inner))
			return no_memory(s);
	}
	v->list = list;
	return OVL_OK;
}

ovl_status ovl_onnx_scope_get(ovl_onnx_scope *s, const char *name, ovl_onnx_value *out)
{
	size_t at;
	*out = (ovl_onnx_value){.set = false};
	if (!name)
		return OVL_OK;
	if (ovl_names_get(&s->names, name, &at)) {
		*out = s->values.at[at];
		return OVL_OK;
	}
	if (ovl_names_get(&s->initializers, name, &at))
		return initializer(s, name, at, out);
	if (!s->parent)
		return OVL_OK;
	OVL_TRY(ovl_onnx_scope_get(s->parent, name, out));
	if (!out->set || !s->own_graph)
		return OVL_OK;
	OVL_TRY(capture_value(s, name, out));
	return ovl_onnx_scope_set(s, name, *out);
}

bool ovl_onnx_is_output(const ovl_onnx_scope *s, const char *name)
{
	size_t at;
	return !s->parent && !s->frame && ovl_names_get(&s->model->outputs, name, &at);
}

/* ---- operator sets, attributes, rules ---- */

static bool standard(const char *domain) { return !domain || !*domain || strcmp(domain, "ai.onnx") == 0; }

static bool same_domain(const char *a, const char *b) { return standard(a) ? standard(b) : b && strcmp(a, b) == 0; }

static int64_t imported(Onnx__OperatorSetIdProto *const *list, size_t n, const char *domain)
{
	for (size_t i = 0; i < n; i++)
		if (same_domain(list[i]->domain, domain))
			return list[i]->version;
	return 0;
}

int64_t ovl_onnx_scope_opset(const ovl_onnx_scope *s, const char *domain)
{
	const Onnx__ModelProto *m = s->model->proto;
	int64_t v = 0;
	if (s->frame)
		v = imported(s->frame->function->opset_import, s->frame->function->n_opset_import, domain);
	return v ? v : imported(m->opset_import, m->n_opset_import, domain);
}

static const Onnx__AttributeProto *frame_attribute(const ovl_onnx_frame *f, const char *name)
{
	const Onnx__AttributeProto *a = ovl_onnx_attribute(f->caller, name);
	for (size_t i = 0; !a && i < f->defaults.n; i++) {
		const Onnx__AttributeProto *d = (const Onnx__AttributeProto *)(const void *)f->defaults.at[i];
		if (d->name && strcmp(d->name, name) == 0)
			a = d;
	}
	return a;
}

const Onnx__AttributeProto *ovl_onnx_attribute(const ovl_onnx *x, const char *name)
{
	for (size_t i = 0; i < x->node->n_attribute; i++) {
		const Onnx__AttributeProto *a = x->node->attribute[i];
		if (!a->name || strcmp(a->name, name) != 0)
			continue;
		if (!a->ref_attr_name || !*a->ref_attr_name)
			return a;
		return x->scope->frame ? frame_attribute(x->scope->frame, a->ref_attr_name) : NULL;
	}
	return NULL;
}

/* The best rule; *exists tells whether any opset has one. */
static const ovl_onnx_rule *find_rule(const char *name, const char *domain, int64_t opset, bool *exists)
{
	const ovl_onnx_rule *best = NULL;
	*exists = false;
	for (size_t l = 0; ovl_onnx_rule_lists[l]; l++)
		for (const ovl_onnx_rule *r = ovl_onnx_rule_lists[l]; r->name; r++) {
			if (strcmp(r->name, name) != 0 || !same_domain(r->domain, domain))
				continue;
			*exists = true;
			if (r->since <= opset && (!best || r->since > best->since))
				best = r;
		}
	return best;
}

/* ---- functions ---- */

/* Fields that Debian's definition of the format does not have yet arrive as unknown fields of a message. */
static const ProtobufCMessageUnknownField *unknown_field(const ProtobufCMessage *m, unsigned tag, unsigned *from)
{
	for (; *from < m->n_unknown_fields; (*from)++)
		if (m->unknown_fields[*from].tag == tag && m->unknown_fields[*from].wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
			return &m->unknown_fields[(*from)++];
	return NULL;
}

static bool field_payload(const ProtobufCMessageUnknownField *f, const uint8_t **bytes, size_t *n)
{
	size_t head = 0; /* the length prefix is part of the data */
	while (head < f->len && f->data[head] & 0x80)
		head++;
	if (head >= f->len)
		return false;
	*bytes = f->data + head + 1;
	*n = f->len - head - 1;
	return true;
}

static bool same_overload(const ProtobufCMessage *node, const ProtobufCMessage *function)
{
	unsigned i = 0, k = 0;
	const ProtobufCMessageUnknownField *a = unknown_field(node, 8, &i), *b = unknown_field(function, 13, &k);
	const uint8_t *p = NULL, *q = NULL;
	size_t n = 0, m = 0;
	if (a && !field_payload(a, &p, &n))
		n = 0;
	if (b && !field_payload(b, &q, &m))
		m = 0;
	return n == m && (n == 0 || memcmp(p, q, n) == 0);
}

static const Onnx__FunctionProto *find_function(const ovl_onnx *x)
{
	const Onnx__ModelProto *m = x->scope->model->proto;
	for (size_t i = 0; i < m->n_functions; i++) {
		const Onnx__FunctionProto *f = m->functions[i];
		if (f->name && strcmp(f->name, x->op) == 0 && same_domain(f->domain, x->node->domain) && same_overload(&x->node->base, &f->base))
			return f;
	}
	return NULL;
}

static ovl_status function_defaults(ovl_onnx *x, ovl_onnx_frame *frame)
{
	const ProtobufCMessageUnknownField *f;
	for (unsigned i = 0; (f = unknown_field(&frame->function->base, 11, &i));) {
		const uint8_t *bytes;
		size_t n;
		ProtobufCMessage *a;
		if (!field_payload(f, &bytes, &n))
			continue;
		OVL_TRY(ovl_pb_parse(&onnx__attribute_proto__descriptor, bytes, n, false, &a, x->err));
		if (!ovl_vec_push(&frame->defaults, a)) {
			ovl_pb_free(a);
			return no_memory(x->scope);
		}
	}
	return OVL_OK;
}

static ovl_status call_inside(ovl_onnx *x, const ovl_onnx_frame *frame, ovl_onnx_scope *inner)
{
	const Onnx__FunctionProto *f = frame->function;
	for (size_t i = 0; i < f->n_input; i++) {
		ovl_onnx_value v = {.set = true};
		if ((int)i < x->n_in)
			v = ovl_x_value(x, (int)i);
		OVL_TRY(x->status);
		v.set = v.end.node || v.list;
		if (v.set)
			OVL_TRY(ovl_onnx_scope_set(inner, f->input[i], v));
	}
	OVL_TRY(ovl_onnx_scope_nodes(inner, f->node, f->n_node));
	for (size_t i = 0; i < f->n_output && (int)i < x->n_out; i++) {
		ovl_onnx_value v;
		OVL_TRY(ovl_onnx_scope_get(inner, f->output[i], &v));
		if (v.set)
			ovl_x_out_value(x, (int)i, v);
	}
	return x->status;
}

static ovl_status call_function(ovl_onnx *x, const Onnx__FunctionProto *f)
{
	ovl_onnx_frame frame = {.function = f, .caller = x};
	ovl_onnx_scope inner = {.graph = x->graph, .model = x->scope->model, .frame = &frame, .bodies = x->scope->bodies};
	ovl_status st = function_defaults(x, &frame);
	if (st == OVL_OK)
		st = call_inside(x, &frame, &inner);
	ovl_onnx_scope_close(&inner);
	for (size_t i = 0; i < frame.defaults.n; i++)
		ovl_pb_free(frame.defaults.at[i]);
	ovl_vec_free(&frame.defaults);
	return st;
}

/* ---- one node ---- */

static ovl_status apply_rule(ovl_onnx *x)
{
	const char *domain = standard(x->node->domain) ? NULL : x->node->domain;
	const ovl_onnx_rule *rule;
	bool exists;
	if (!x->opset && !domain)
		return ovl_fail(x->err, OVL_E_PARSE, "the model does not tell the version of its operator set");
	if (!x->opset)
		x->opset = 1;
	rule = find_rule(x->op, domain, x->opset, &exists);
	if (!rule && exists)
		return ovl_fail(x->err, OVL_E_UNSUPPORTED, "operator '%.80s' is not supported in opset %lld", x->op, (long long)x->opset);
	if (!rule)
		return ovl_fail(x->err, OVL_E_UNSUPPORTED, "operator '%.80s' of domain '%.80s' (opset %lld) is not supported", x->op, domain ? domain : "ai.onnx",
			(long long)x->opset);
	rule->translate(x);
	return x->status;
}

ovl_end ovl_x_apply(ovl_onnx *x, const char *name, int64_t opset)
{
	const char *op = x->op;
	int64_t was = x->opset;
	bool exists;
	const ovl_onnx_rule *rule = find_rule(name, NULL, opset, &exists);
	if (x->status != OVL_OK)
		return (ovl_end){NULL, 0};
	x->op = name;
	x->opset = opset;
	if (rule)
		rule->translate(x);
	else
		ovl_x_fail(x, OVL_E_INTERNAL, "there is no rule for '%s'", name);
	x->op = op;
	x->opset = was;
	return x->status == OVL_OK && x->n_out ? x->out[0].end : (ovl_end){NULL, 0};
}

static bool made_here(const ovl_onnx *x, size_t first, const ovl_node *n)
{
	for (size_t i = first; i < x->graph->nodes.n; i++)
		if (x->graph->nodes.at[i] == n)
			return true;
	return false;
}

/* A second name for a value: an output of the model, and what would give a model's input another name, gets a node of its own. */
static ovl_end own_node(ovl_onnx *x, size_t first, const char *name, ovl_end e)
{
	if (!e.node || made_here(x, first, e.node) || !(ovl_node_is(e.node, "Parameter") || ovl_onnx_is_output(x->scope, name)))
		return e;
	return ovl_x_op(x, "Identity", e);
}

static ovl_status bind_outputs(ovl_onnx *x, size_t first)
{
	for (int i = 0; i < x->n_out; i++) {
		const char *name = x->node->output[i];
		ovl_end end;
		if (!*name)
			continue;
		x->out[i].end = end = own_node(x, first, name, x->out[i].end);
		OVL_TRY(x->status);
		if (!x->out[i].set)
			return ovl_fail(x->err, OVL_E_UNSUPPORTED, "its output %d ('%.100s') is not supported", i, name);
		OVL_TRY(ovl_onnx_scope_set(x->scope, name, x->out[i]));
		if (end.node && !x->scope->frame)
			OVL_TRY(ovl_node_add_name(end.node, end.port, name, x->err));
	}
	if (x->n_out && x->out[0].end.node && made_here(x, first, x->out[0].end.node))
		return ovl_node_rename(x->out[0].end.node, x->base, x->err);
	return OVL_OK;
}

static const char *base_name(const Onnx__NodeProto *node)
{
	if (node->name && *node->name)
		return node->name;
	for (size_t i = 0; i < node->n_output; i++)
		if (*node->output[i])
			return node->output[i];
	return node->op_type && *node->op_type ? node->op_type : "node";
}

static ovl_status translate_here(ovl_onnx *x)
{
	const Onnx__FunctionProto *f;
	size_t first = x->graph->nodes.n;
	if (!*x->op)
		return ovl_fail(x->err, OVL_E_PARSE, "it has no operator");
	if (++x->scope->model->translated > OVL_ONNX_MAX_NODES || x->n_in > 1 << 16 || x->n_out > 1 << 16)
		return ovl_fail(x->err, OVL_E_UNSUPPORTED, "the model has too many nodes");
	x->out = ovl_calloc((size_t)x->n_out + 1, sizeof *x->out);
	if (!x->out)
		return no_memory(x->scope);
	f = find_function(x);
	OVL_TRY(f ? call_function(x, f) : apply_rule(x));
	return bind_outputs(x, first);
}

static ovl_status translate_node(ovl_onnx_scope *s, const Onnx__NodeProto *node)
{
	ovl_onnx x = {.node = node, .op = node->op_type ? node->op_type : "", .opset = ovl_onnx_scope_opset(s, node->domain), .n_in = (int)node->n_input,
		.n_out = (int)node->n_output, .scope = s, .graph = s->graph, .base = base_name(node), .err = s->model->err};
	ovl_status st = translate_here(&x);
	ovl_free(x.out);
	ovl_x_drop_texts(&x);
	if (st == OVL_OK)
		return st;
	if (!node->name || !*node->name)
		return ovl_error_prefix(x.err, "node that makes '%.200s' (%.60s)", x.base, x.op);
	return ovl_error_prefix(x.err, "node '%.200s' (%.60s)", x.base, x.op);
}

/* ---- the order of nodes ---- */

typedef struct order {
	const ovl_onnx_scope *scope;
	Onnx__NodeProto *const *nodes;
	size_t n;
	ovl_names makers; /* output name -> node */
	OVL_VEC(size_t) needs; /* of all nodes one after the other */
	size_t *start; /* n + 1: where each node's begin */
	size_t *next; /* of the walk */
	uint8_t *mark; /* 0: new, 1: on the way, 2: done */
	size_t *stack;
} order;

static ovl_status add_need(order *o, size_t self, const char *name)
{
	size_t maker;
	if (name && *name && ovl_names_get(&o->makers, name, &maker) && maker != self && !ovl_vec_push(&o->needs, maker))
		return no_memory(o->scope);
	return OVL_OK;
}

/* What graphs inside of the node read counts too: they see the names around them. */
static ovl_status add_needs(order *o, size_t self, const Onnx__NodeProto *node)
{
	for (size_t i = 0; i < node->n_input; i++)
		OVL_TRY(add_need(o, self, node->input[i]));
	for (size_t i = 0; i < node->n_attribute; i++) {
		const Onnx__AttributeProto *a = node->attribute[i];
		for (size_t k = 0; k < a->n_graphs + (a->g != NULL); k++) {
			const Onnx__GraphProto *g = k < a->n_graphs ? a->graphs[k] : a->g;
			for (size_t j = 0; j < g->n_node; j++)
				OVL_TRY(add_needs(o, self, g->node[j]));
			for (size_t j = 0; j < g->n_output; j++)
				OVL_TRY(add_need(o, self, g->output[j]->name));
		}
	}
	return OVL_OK;
}

static ovl_status prepare_order(order *o)
{
	o->start = ovl_calloc(o->n + 1, sizeof *o->start);
	o->next = ovl_calloc(o->n + 1, sizeof *o->next);
	o->mark = ovl_calloc(o->n + 1, 1);
	o->stack = ovl_calloc(o->n + 1, sizeof *o->stack);
	if (!o->start || !o->next || !o->mark || !o->stack)
		return no_memory(o->scope);
	for (size_t i = 0; i < o->n; i++)
		for (size_t k = 0; k < o->nodes[i]->n_output; k++) {
			size_t other;
			if (!*o->nodes[i]->output[k])
				continue;
			if (ovl_names_get(&o->makers, o->nodes[i]->output[k], &other))
				return ovl_fail(o->scope->model->err, OVL_E_PARSE, "the value '%.200s' is made twice", o->nodes[i]->output[k]);
			if (!ovl_names_put(&o->makers, o->nodes[i]->output[k], i))
				return no_memory(o->scope);
		}
	for (size_t i = 0; i < o->n; i++) {
		o->start[i] = o->needs.n;
		OVL_TRY(add_needs(o, i, o->nodes[i]));
	}
	o->start[o->n] = o->needs.n;
	return OVL_OK;
}

static ovl_status translate_after_needs(ovl_onnx_scope *s, order *o, size_t first)
{
	size_t top = 0;
	o->stack[top++] = first;
	o->mark[first] = 1;
	while (top) {
		size_t at = o->stack[top - 1], k = o->start[at] + o->next[at];
		if (k == o->start[at + 1]) {
			OVL_TRY(translate_node(s, o->nodes[at]));
			o->mark[at] = 2;
			top--;
			continue;
		}
		o->next[at]++;
		size_t need = o->needs.at[k];
		if (o->mark[need] == 1)
			return ovl_fail(s->model->err, OVL_E_PARSE, "the graph has a cycle through node '%.200s'", base_name(o->nodes[need]));
		if (o->mark[need] == 0) {
			o->mark[need] = 1;
			o->stack[top++] = need;
		}
	}
	return OVL_OK;
}

ovl_status ovl_onnx_scope_nodes(ovl_onnx_scope *s, Onnx__NodeProto *const *nodes, size_t n)
{
	order o = {.scope = s, .nodes = nodes, .n = n};
	ovl_status st;
	if (s->model->depth == OVL_ONNX_MAX_DEPTH)
		return ovl_fail(s->model->err, OVL_E_UNSUPPORTED, "graphs or functions are nested too deeply (or a function calls itself)");
	s->model->depth++;
	st = prepare_order(&o);
	for (size_t i = 0; i < n && st == OVL_OK; i++)
		if (!o.mark[i])
			st = translate_after_needs(s, &o, i);
	s->model->depth--;
	ovl_names_free(&o.makers);
	ovl_vec_free(&o.needs);
	ovl_free(o.start);
	ovl_free(o.next);
	ovl_free(o.mark);
	ovl_free(o.stack);
	return st;
}
