/* The public C API: models and their ports. */
#include "api.h"
#include "read/write_ir.h"

#include <string.h>

static ovl_status no_memory(ovl_error *err) { return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a model"); }

/* ---- ports ---- */

static void clear_port(ovl_port *p)
{
	for (size_t i = 0; i < p->n_names; i++)
		ovl_free(p->names[i]);
	ovl_free(p->names);
	ovl_free(p->layout);
	ovl_node_release(p->node);
	memset(p, 0, sizeof *p);
}

void ovl_ports_free(ovl_port *ports, size_t n)
{
	for (size_t i = 0; ports && i < n; i++)
		clear_port(&ports[i]);
	ovl_free(ports);
}

/* Position of N in a layout like "NCHW" or "[N,C,H,W]"; -1: none; 0 where no layout is given. */
static int batch_position(const char *layout)
{
	int at = 0;
	if (!layout)
		return 0;
	for (const char *p = layout; *p; p++) {
		if (*p == 'N')
			return at;
		if (*p == '.')
			return -1;
		at += *p != '[' && *p != ']' && *p != ',' && *p != ' ';
	}
	return -1;
}

static ovl_status fill_port(ovl_port *p, ovl_node *n, ovl_side side, bool detached, ovl_error *err)
{
	const ovl_output *o = side == OVL_INPUT ? &n->out.at[0] : ovl_source(n, 0);
	const char *layout = side == OVL_INPUT ? ((const ovl_parameter_params *)n->params)->layout : NULL;
	ovl_port made = {.type = o->type, .shape = o->shape};
	ovl_status st = OVL_OK;
	made.names = ovl_calloc(o->names.n + 1, sizeof *made.names);
	if (!made.names)
		return no_memory(err);
	for (; st == OVL_OK && made.n_names < o->names.n; made.n_names++)
		if (!(made.names[made.n_names] = ovl_strdup(o->names.at[made.n_names]))) {
			st = no_memory(err);
			break;
		}
	if (st == OVL_OK && layout && !(made.layout = ovl_strdup(layout)))
		st = no_memory(err);
	made.batch = batch_position(made.layout);
	if (st == OVL_OK && detached)
		st = ovl_node_copy(n, &made.node, err);
	else if (st == OVL_OK)
		made.node = ovl_node_retain(n);
	if (st != OVL_OK)
		clear_port(&made);
	else {
		clear_port(p);
		*p = made;
	}
	return st;
}

static ovl_status fill_ports(const ovl_graph *g, ovl_side side, bool detached, ovl_port *ports, ovl_error *err)
{
	size_t n = side == OVL_INPUT ? g->parameters.n : g->results.n;
	for (size_t i = 0; i < n; i++)
		OVL_TRY(fill_port(&ports[i], side == OVL_INPUT ? g->parameters.at[i] : g->results.at[i], side, detached, err));
	return OVL_OK;
}

ovl_status ovl_ports_make(const ovl_graph *g, ovl_side side, size_t spare, bool detached, ovl_port **out, size_t *n, ovl_error *err)
{
	size_t count = side == OVL_INPUT ? g->parameters.n : g->results.n;
	ovl_port *ports = ovl_calloc(count + spare + 1, sizeof *ports);
	if (!ports)
		return no_memory(err);
	if (fill_ports(g, side, detached, ports, err) != OVL_OK) {
		ovl_ports_free(ports, count);
		return err->code;
	}
	*out = ports;
	*n = count;
	return OVL_OK;
}

size_t ovl_port_names(const ovl_port *p) { return p->n_names; }
const char *ovl_port_name(const ovl_port *p, size_t i) { return i < p->n_names ? p->names[i] : NULL; }
ovl_type ovl_port_type(const ovl_port *p) { return p->type; }
void ovl_port_shape(const ovl_port *p, ovl_pshape *out) { *out = p->shape; }
size_t ovl_port_index(const ovl_port *p) { return p->index; }
ovl_node *ovl_port_node(const ovl_port *p) { return p->node; }
const char *ovl_port_layout(const ovl_port *p) { return p->layout ? p->layout : ""; }

/* ---- models ---- */

enum { SPARE_OUTPUTS = 256 };

ovl_status ovl_model_wrap(ovl_graph *g, ovl_model **out, ovl_error *err)
{
	ovl_model *m = ovl_calloc(1, sizeof *m);
	ovl_status st;
	if (!m) {
		ovl_graph_free(g);
		return no_memory(err);
	}
	m->refs = 1;
	m->graph = g;
	st = ovl_ports_make(g, OVL_INPUT, 0, false, &m->ports[0], &m->n_ports[0], err);
	if (st == OVL_OK)
		st = ovl_ports_make(g, OVL_OUTPUT, SPARE_OUTPUTS, false, &m->ports[1], &m->n_ports[1], err);
	m->output_room = m->n_ports[1] + SPARE_OUTPUTS;
	if (st != OVL_OK)
		ovl_model_release(m);
	else
		*out = m;
	return st;
}

ovl_model *ovl_model_retain(ovl_model *m)
{
	__atomic_fetch_add(&m->refs, 1, __ATOMIC_RELAXED);
	return m;
}

void ovl_model_release(ovl_model *m)
{
	if (!m || __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (int s = 0; s < 2; s++)
		ovl_ports_free(m->ports[s], m->n_ports[s]);
	ovl_graph_free(m->graph);
	ovl_free(m);
}

ovl_status ovl_model_from_nodes(ovl_node *const *results, size_t n_results, ovl_node *const *parameters, size_t n_parameters, const char *name, ovl_model **out, ovl_error *err)
{
	ovl_graph *g;
	OVL_TRY(ovl_graph_from_nodes(results, (int)n_results, parameters, (int)n_parameters, name, &g, err));
	return ovl_model_wrap(g, out, err);
}

ovl_status ovl_node_replace_output(ovl_source_ref from, ovl_source_ref to, ovl_error *err)
{
	if (from.node == to.node && from.port == to.port)
		return OVL_OK;
	return ovl_graph_replace(NULL, (ovl_end){from.node, from.port}, (ovl_end){to.node, to.port}, false, err);
}

static ovl_status copy_about(const ovl_graph *from, ovl_graph *to, ovl_error *err)
{
	for (size_t i = 0; i < from->meta.n; i++)
		OVL_TRY(ovl_graph_add_meta(to, from->meta.at[i].key, from->meta.at[i].value, err));
	if (from->origin && !(to->origin = ovl_strdup(from->origin)))
		return no_memory(err);
	return OVL_OK;
}

/* Nodes that write variables are reached from no result: they go into the list of results, where they make no output. */
ovl_status ovl_model_remake(const ovl_model *m, ovl_node *const *results, size_t n_results, ovl_node *const *parameters, size_t n_parameters, ovl_model **out, ovl_error *err)
{
	size_t n_sinks = m->graph->sinks.n;
	ovl_node **roots = ovl_alloc((n_results + n_sinks + 1) * sizeof *roots);
	ovl_graph *g;
	ovl_status st;
	if (!roots)
		return no_memory(err);
	if (n_results)
		memcpy(roots, results, n_results * sizeof *roots);
	if (n_sinks)
		memcpy(roots + n_results, m->graph->sinks.at, n_sinks * sizeof *roots);
	st = ovl_graph_from_nodes(roots, (int)(n_results + n_sinks), parameters, (int)n_parameters, m->graph->name, &g, err);
	ovl_free(roots);
	if (st != OVL_OK)
		return st;
	st = copy_about(m->graph, g, err);
	if (st != OVL_OK) {
		ovl_graph_free(g);
		return st;
	}
	return ovl_model_wrap(g, out, err);
}

const char *ovl_model_name(const ovl_model *m) { return m->graph->name; }
const char *ovl_model_origin(const ovl_model *m) { return m->graph->origin ? m->graph->origin : ""; }

ovl_status ovl_model_rename(ovl_model *m, const char *name, ovl_error *err)
{
	char *copy = ovl_strdup(name);
	if (!copy)
		return no_memory(err);
	ovl_free(m->graph->name);
	m->graph->name = copy;
	return OVL_OK;
}

size_t ovl_model_ports(const ovl_model *m, ovl_side side) { return m->n_ports[side]; }
const ovl_port *ovl_model_port(const ovl_model *m, ovl_side side, size_t i) { return i < m->n_ports[side] ? &m->ports[side][i] : NULL; }

bool ovl_model_is_dynamic(const ovl_model *m)
{
	for (size_t i = 0; i < m->graph->nodes.n; i++)
		for (size_t k = 0; k < m->graph->nodes.at[i]->out.n; k++)
			if (!ovl_pshape_is_static(&m->graph->nodes.at[i]->out.at[k].shape))
				return true;
	return false;
}

static ovl_status refresh(ovl_model *m, ovl_error *err)
{
	OVL_TRY(fill_ports(m->graph, OVL_INPUT, false, m->ports[0], err));
	OVL_TRY(fill_ports(m->graph, OVL_OUTPUT, false, m->ports[1], err));
	m->n_ports[1] = m->graph->results.n;
	return OVL_OK;
}

/* Done on a clone first, so that a shape that the model cannot have changes nothing. */
ovl_status ovl_model_reshape(ovl_model *m, const size_t *inputs, const ovl_pshape *shapes, size_t n, ovl_error *err)
{
	ovl_graph *trial;
	ovl_status st;
	for (size_t i = 0; i < n; i++)
		if (inputs[i] >= m->n_ports[0])
			return ovl_fail(err, OVL_E_NOT_FOUND, "there is no input %zu; the model has %zu", inputs[i] + 1, m->n_ports[0]);
	OVL_TRY(ovl_graph_clone(m->graph, &trial, err));
	for (size_t i = 0; i < n; i++)
		((ovl_parameter_params *)trial->parameters.at[inputs[i]]->params)->shape = shapes[i];
	st = ovl_graph_infer(trial, err);
	ovl_graph_free(trial);
	if (st != OVL_OK) {
		if (err->code != OVL_E_MEMORY)
			err->code = OVL_E_SHAPE;
		return ovl_error_prefix(err, "the model cannot take this shape");
	}
	for (size_t i = 0; i < n; i++)
		((ovl_parameter_params *)m->graph->parameters.at[inputs[i]]->params)->shape = shapes[i];
	OVL_TRY(ovl_graph_infer(m->graph, err));
	return refresh(m, err);
}

static bool has_name(const ovl_output *o, const char *name)
{
	for (size_t i = 0; i < o->names.n; i++)
		if (strcmp(o->names.at[i], name) == 0)
			return true;
	return false;
}

ovl_status ovl_model_add_output(ovl_model *m, const char *tensor_name, ovl_error *err)
{
	if (m->n_ports[1] >= m->output_room)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "more than %d added outputs", SPARE_OUTPUTS);
	for (size_t i = 0; i < m->graph->nodes.n; i++)
		for (size_t k = 0; k < m->graph->nodes.at[i]->out.n; k++) {
			ovl_end end = {m->graph->nodes.at[i], (int)k};
			ovl_node *r;
			if (!has_name(&end.node->out.at[k], tensor_name))
				continue;
			OVL_TRY(ovl_graph_op(m->graph, "Result", NULL, &end, 1, &r, err));
			OVL_TRY(ovl_node_infer(r, err));
			OVL_TRY(ovl_graph_sort(m->graph, err));
			return refresh(m, err);
		}
	return ovl_fail(err, OVL_E_NOT_FOUND, "the model has no tensor '%s'", tensor_name);
}

ovl_status ovl_model_clone(const ovl_model *m, ovl_model **out, ovl_error *err)
{
	ovl_graph *g;
	OVL_TRY(ovl_graph_clone(m->graph, &g, err));
	return ovl_model_wrap(g, out, err);
}

ovl_status ovl_model_save(const ovl_model *m, const char *xml_path, bool compress_to_fp16, ovl_error *err) { return ovl_write_ir(m->graph, xml_path, compress_to_fp16, err); }

size_t ovl_model_nodes(const ovl_model *m) { return m->graph->nodes.n; }
ovl_node *ovl_model_node(const ovl_model *m, size_t i) { return i < m->graph->nodes.n ? m->graph->nodes.at[i] : NULL; }

bool ovl_model_meta(const ovl_model *m, size_t i, const char **key, const char **value)
{
	if (i >= m->graph->meta.n)
		return false;
	*key = m->graph->meta.at[i].key;
	*value = m->graph->meta.at[i].value;
	return true;
}
