/* read_onnx.c - an ONNX model: inputs, outputs and meta data of the graph here; nodes in onnx/translate.c by the rules of onnx/. */
#include "base/str.h"
#include "read/onnx/model.h"
#include "read/origin.h"

#include <string.h>


static ovl_status no_memory(ovl_onnx_model *m) { return ovl_fail(m->err, OVL_E_MEMORY, "not enough memory for the model"); }

static bool is_initializer(const ovl_onnx_scope *s, const char *name)
{
	size_t at;
	return ovl_names_get(&s->initializers, name, &at);
}

static ovl_status shape_of(ovl_onnx_model *m, const Onnx__TensorShapeProto *p, ovl_pshape *out)
{
	*out = ovl_pshape_any();
	if (!p)
		return OVL_OK;
	if (p->n_dim > OVL_MAX_RANK)
		return ovl_fail(m->err, OVL_E_UNSUPPORTED, "it has %zu dimensions, at most %d are supported", p->n_dim, OVL_MAX_RANK);
	*out = ovl_pshape_rank((int)p->n_dim);
	for (size_t i = 0; i < p->n_dim; i++) {
		const Onnx__TensorShapeProto__Dimension *d = p->dim[i];
		if (d->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
			continue;
		out->dims[i] = d->dim_value < 0 ? OVL_DIM_ANY : ovl_dim_of(d->dim_value);
	}
	return OVL_OK;
}

static ovl_status input_type(ovl_onnx_model *m, const Onnx__TypeProto *p, ovl_type *type, ovl_pshape *shape)
{
	if (!p || p->value_case == ONNX__TYPE_PROTO__VALUE__NOT_SET)
		return ovl_fail(m->err, OVL_E_PARSE, "it has no type");
	if (p->value_case == ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE || ovl_x_declared_optional(p)) {
		*type = OVL_SEQUENCE;
		*shape = ovl_pshape_rank(1);
		if (ovl_x_declared_optional(p))
			shape->dims[0] = (ovl_dim){0, 1};
		return OVL_OK;
	}
	if (p->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
		return ovl_fail(m->err, OVL_E_UNSUPPORTED, "maps and sparse tensors cannot be inputs of a model");
	if (!ovl_pb_type(p->tensor_type->elem_type, type))
		return ovl_fail(m->err, OVL_E_UNSUPPORTED, "its element type is %d (%s)", p->tensor_type->elem_type, ovl_pb_type_name(p->tensor_type->elem_type));
	return shape_of(m, p->tensor_type->shape, shape);
}

static ovl_status add_input(ovl_onnx_scope *s, const Onnx__ValueInfoProto *info)
{
	ovl_onnx_model *m = s->model;
	ovl_parameter_params *p;
	ovl_onnx_value old;
	ovl_pshape shape;
	ovl_type type;
	ovl_node *n;
	OVL_TRY(input_type(m, info->type, &type, &shape));
	OVL_TRY(ovl_onnx_scope_get(s, info->name, &old));
	if (old.set)
		return ovl_fail(m->err, OVL_E_PARSE, "two inputs have this name");
	OVL_TRY(ovl_graph_op(s->graph, "Parameter", info->name, NULL, 0, &n, m->err));
	p = n->params;
	p->element_type = type;
	p->shape = shape;
	OVL_TRY(ovl_node_infer(n, m->err));
	OVL_TRY(ovl_node_add_name(n, 0, info->name, m->err));
	return ovl_onnx_scope_set(s, info->name, (ovl_onnx_value){.end = {n, 0}, .set = true, .optional = ovl_x_declared_optional(info->type)});
}

/* Inputs that are initializers too (all of them were, before IR version 4) are constants, as in OpenVINO. */
static ovl_status add_inputs(ovl_onnx_scope *s, const Onnx__GraphProto *g)
{
	for (size_t i = 0; i < g->n_input; i++) {
		if (!g->input[i]->name || !*g->input[i]->name)
			return ovl_fail(s->model->err, OVL_E_PARSE, "input %zu of the graph has no name", i);
		if (!is_initializer(s, g->input[i]->name) && add_input(s, g->input[i]) != OVL_OK)
			return ovl_error_prefix(s->model->err, "input '%.200s'", g->input[i]->name);
	}
	return OVL_OK;
}

/* A list or an optional as a value of the run, named as the output. */
static ovl_status live_output(ovl_onnx_scope *s, const Onnx__ValueInfoProto *info, ovl_onnx_value *v)
{
	ovl_onnx x = {.scope = s, .graph = s->graph, .base = info->name, .err = s->model->err, .op = "Result"};
	if (v->end.node && (v->optional || !ovl_x_declared_optional(info->type)))
		return OVL_OK;
	v->end = ovl_x_live(&x, v, info->type);
	ovl_x_drop_texts(&x);
	return x.status == OVL_OK ? ovl_node_add_name(v->end.node, v->end.port, info->name, s->model->err) : x.status;
}

static ovl_status add_output(ovl_onnx_scope *s, const Onnx__ValueInfoProto *info)
{
	const char *name = info->name;
	ovl_onnx_model *m = s->model;
	ovl_onnx_value v;
	ovl_str text = {0};
	ovl_node *n;
	ovl_status st;
	OVL_TRY(ovl_onnx_scope_get(s, name, &v));
	if (!v.set)
		return ovl_fail(m->err, OVL_E_PARSE, "nothing makes the output '%.200s' of the graph", name);
	OVL_TRY(live_output(s, info, &v));
	ovl_str_addf(&text, "%s/sink_port_0", name);
	if (text.failed)
		return no_memory(m);
	st = ovl_graph_op(s->graph, "Result", text.at, &v.end, 1, &n, m->err);
	ovl_str_free(&text);
	return st == OVL_OK ? ovl_node_infer(n, m->err) : st;
}

static ovl_status list_outputs(ovl_onnx_model *m, const Onnx__GraphProto *g)
{
	for (size_t i = 0; i < g->n_output; i++) {
		if (!g->output[i]->name || !*g->output[i]->name)
			return ovl_fail(m->err, OVL_E_PARSE, "output %zu of the graph has no name", i);
		if (!ovl_names_put(&m->outputs, g->output[i]->name, i))
			return no_memory(m);
	}
	return OVL_OK;
}

static ovl_status add_meta(ovl_onnx_model *m, ovl_graph *graph)
{
	for (size_t i = 0; i < m->proto->n_metadata_props; i++) {
		const Onnx__StringStringEntryProto *e = m->proto->metadata_props[i];
		if (e->key)
			OVL_TRY(ovl_graph_add_meta(graph, e->key, e->value ? e->value : "", m->err));
	}
	return OVL_OK;
}

/* "ONNX (IR 8, opset 17, pytorch 2.1)" */
static ovl_status tell_origin(ovl_onnx_model *m, ovl_graph *graph)
{
	const Onnx__ModelProto *p = m->proto;
	ovl_str text = {0};
	ovl_str_addf(&text, "ONNX (IR %lld", p->has_ir_version ? (long long)p->ir_version : 0);
	for (size_t i = 0; i < p->n_opset_import; i++) {
		const char *domain = p->opset_import[i]->domain;
		ovl_str_addf(&text, ", %.60s%sopset %lld", domain ? domain : "", domain && *domain ? " " : "",
			p->opset_import[i]->has_version ? (long long)p->opset_import[i]->version : 0);
	}
	if (p->producer_name && *p->producer_name)
		ovl_str_addf(&text, ", %.80s%s%.40s", p->producer_name, p->producer_version && *p->producer_version ? " " : "",
			p->producer_version ? p->producer_version : "");
	ovl_str_add(&text, ")");
	graph->origin = text.failed ? NULL : text.at;
	if (text.failed)
		ovl_str_free(&text);
	return graph->origin ? OVL_OK : no_memory(m);
}

static ovl_status read_graph(ovl_onnx_scope *s, const Onnx__GraphProto *g)
{
	OVL_TRY(list_outputs(s->model, g));
	OVL_TRY(ovl_onnx_scope_initializers(s, g));
	OVL_TRY(add_inputs(s, g));
	OVL_TRY(ovl_onnx_scope_nodes(s, g->node, g->n_node));
	for (size_t i = 0; i < g->n_output; i++)
		OVL_TRY(add_output(s, g->output[i]));
	OVL_TRY(add_meta(s->model, s->graph));
	OVL_TRY(tell_origin(s->model, s->graph));
	ovl_graph_prune(s->graph);
	return ovl_graph_finish(s->graph, s->model->err);
}

static ovl_status check_model(ovl_onnx_model *m)
{
	const Onnx__ModelProto *p = m->proto;
	if (!p->graph || (!p->has_ir_version && !p->n_opset_import))
		return ovl_fail(m->err, OVL_E_PARSE, "not an ONNX model (and not XML either): there is no graph in it");
	return OVL_OK;
}

static void close_model(ovl_onnx_model *m)
{
	for (size_t i = 0; i < m->tensors.n; i++)
		ovl_tensor_release(m->tensors.at[i]);
	ovl_vec_free(&m->tensors);
	ovl_names_free(&m->tensor_of);
	ovl_names_free(&m->outputs);
	while (m->lists) {
		ovl_onnx_list *next = m->lists->next;
		ovl_vec_free(&m->lists->items);
		ovl_free(m->lists);
		m->lists = next;
	}
	ovl_pb_files_close(&m->files);
}

static ovl_status read_model(ovl_onnx_model *m, ovl_graph **out)
{
	ovl_onnx_scope s = {.model = m};
	ovl_status st;
	OVL_TRY(check_model(m));
	s.graph = ovl_graph_new(m->proto->graph->name);
	if (!s.graph)
		return no_memory(m);
	st = read_graph(&s, m->proto->graph);
	ovl_onnx_scope_close(&s);
	if (st == OVL_OK)
		*out = s.graph;
	else
		ovl_graph_free(s.graph);
	return st;
}

ovl_status ovl_read_onnx(const ovl_origin *o, ovl_graph **out, ovl_error *err)
{
	ovl_onnx_model m = {.files = {.model_path = o->path, .note = o->note, .lean = o->file}, .tensor_of = {.by_address = true}, .err = err};
	ProtobufCMessage *message;
	ovl_status st = ovl_pb_parse(&onnx__model_proto__descriptor, o->data, o->size, o->file != NULL, &message, err);
	if (st != OVL_OK)
		return st;
	m.proto = (const Onnx__ModelProto *)(const void *)message;
	st = read_model(&m, out);
	close_model(&m);
	ovl_pb_free(message);
	if (o->file) /* what was copied is not needed there any more, and what was not is read again */
		ovl_file_forget(o->data, o->size);
	return st;
}
