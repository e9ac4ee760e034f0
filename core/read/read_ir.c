/* read_ir.c - OpenVINO IR, versions 10 and 11: an XML tree of layers and edges, and weights in a .bin that Const layers point into. */
#include "read/names.h"
#include "read/origin.h"
#include "read/xml.h"
#include "base/str.h"

#include <string.h>

enum { MAX_LAYERS = 1 << 20, MAX_PORTS = 1 << 16, MAX_BODIES = 8, NEWEST_OPSET = 15 };

typedef struct ir {
	const ovl_origin *origin;
	int version, bodies; /* bodies: how many the reader is inside of */
	ovl_buffer *weights; /* opened by the first Const */
	ovl_error *err;
} ir;

typedef struct link {
	size_t layer;
	int port;
	bool set;
} link;

typedef struct layer {
	const ovl_xml *e;
	const char *name, *type;
	link *in; /* n_in of them */
	int n_in, n_out;
	int mark; /* 0: not visited, 1: on the way, 2: done */
	int next_in; /* for the walk */
	ovl_node *node; /* borrowed from the graph */
	int position; /* among Parameters or among Results */
} layer;

typedef struct net { /* the layers of the model or of one body */
	OVL_VEC(layer) layers;
	ovl_names ids;
	ovl_graph *graph;
} net;

static ovl_status read_net(ir *r, const ovl_xml *e, const char *name, net *n);

static ovl_status at_line(ir *r, const ovl_xml *e) { return ovl_error_prefix(r->err, "line %ld", e->line); }
static ovl_status no_memory(ir *r) { return ovl_fail(r->err, OVL_E_MEMORY, "not enough memory for the model"); }

static ovl_status at_layer(ir *r, const layer *l)
{
	return ovl_error_prefix(r->err, "line %ld: layer '%.200s' (%.60s)", l->e->line, l->name, l->type);
}

static ovl_status number(ir *r, const ovl_xml *e, const char *attr, bool required, int64_t fill, int64_t *out)
{
	const char *text = ovl_xml_attr(e, attr);
	*out = fill;
	if (!text && !required)
		return OVL_OK;
	if (!text)
		return ovl_fail(r->err, OVL_E_PARSE, "<%s> has no '%s'", e->tag, attr);
	if (!ovl_parse_i64(text, out))
		return ovl_fail(r->err, OVL_E_PARSE, "%s='%.40s' is not a number", attr, text);
	return OVL_OK;
}

/* ---- layers and edges ---- */

static int count_ports(const ovl_xml *e)
{
	int n = 0;
	for (const ovl_xml *p = ovl_xml_child(e, "port"); p && n <= MAX_PORTS; p = ovl_xml_next(p))
		n++;
	return n;
}

/* Position of the port with this id; -1: none. */
static int find_port(const ovl_xml *side, const char *id)
{
	int i = 0;
	for (const ovl_xml *p = ovl_xml_child(side, "port"); p; p = ovl_xml_next(p), i++) {
		const char *have = ovl_xml_attr(p, "id");
		if (have && strcmp(have, id) == 0)
			return i;
	}
	return -1;
}

static ovl_status read_layer(ir *r, net *n, const ovl_xml *e)
{
	layer l = {.e = e, .name = ovl_xml_attr(e, "name"), .type = ovl_xml_attr(e, "type")};
	const char *id = ovl_xml_attr(e, "id");
	size_t other;
	if (!id || !l.type)
		return ovl_fail(r->err, OVL_E_PARSE, "a layer without %s", id ? "type" : "id");
	if (!l.name)
		l.name = id;
	if (ovl_names_get(&n->ids, id, &other))
		return ovl_fail(r->err, OVL_E_PARSE, "layers '%.100s' and '%.100s' have the same id %.20s", n->layers.at[other].name, l.name, id);
	l.n_in = count_ports(ovl_xml_child(e, "input"));
	l.n_out = count_ports(ovl_xml_child(e, "output"));
	if (l.n_in > MAX_PORTS || l.n_out > MAX_PORTS || n->layers.n == MAX_LAYERS)
		return ovl_fail(r->err, OVL_E_UNSUPPORTED, "there are too many layers or ports");
	if (l.n_in && !(l.in = ovl_calloc((size_t)l.n_in, sizeof *l.in)))
		return no_memory(r);
	if (!ovl_names_put(&n->ids, id, n->layers.n) || !ovl_vec_push(&n->layers, l)) {
		ovl_free(l.in);
		return no_memory(r);
	}
	return OVL_OK;
}

static ovl_status edge_end(ir *r, net *n, const ovl_xml *e, bool from, size_t *at, int *port)
{
	const char *id = ovl_xml_attr(e, from ? "from-layer" : "to-layer"), *p = ovl_xml_attr(e, from ? "from-port" : "to-port");
	const layer *l;
	if (!id || !p)
		return ovl_fail(r->err, OVL_E_PARSE, "an edge without %s", from ? "from-layer and from-port" : "to-layer and to-port");
	if (!ovl_names_get(&n->ids, id, at))
		return ovl_fail(r->err, OVL_E_PARSE, "an edge %s layer %.40s, which is not there", from ? "from" : "to", id);
	l = &n->layers.at[*at];
	*port = find_port(ovl_xml_child(l->e, from ? "output" : "input"), p);
	if (*port < 0)
		return ovl_fail(r->err, OVL_E_PARSE, "an edge %s port %.40s of layer '%.100s', which has no such port", from ? "from" : "to", p, l->name);
	return OVL_OK;
}

static ovl_status read_edge(ir *r, net *n, const ovl_xml *e)
{
	size_t from, to;
	int from_port, to_port;
	link *slot;
	OVL_TRY(edge_end(r, n, e, true, &from, &from_port));
	OVL_TRY(edge_end(r, n, e, false, &to, &to_port));
	slot = &n->layers.at[to].in[to_port];
	if (slot->set)
		return ovl_fail(r->err, OVL_E_PARSE, "two edges lead to one input of layer '%.100s'", n->layers.at[to].name);
	*slot = (link){from, from_port, true};
	return OVL_OK;
}

static ovl_status read_structure(ir *r, net *n, const ovl_xml *e)
{
	const ovl_xml *layers = ovl_xml_child(e, "layers");
	if (!layers)
		return ovl_fail(r->err, OVL_E_PARSE, "<%s> has no <layers>", e->tag);
	for (const ovl_xml *c = ovl_xml_child(layers, "layer"); c; c = ovl_xml_next(c))
		if (read_layer(r, n, c) != OVL_OK)
			return at_line(r, c);
	for (const ovl_xml *c = ovl_xml_child(ovl_xml_child(e, "edges"), "edge"); c; c = ovl_xml_next(c))
		if (read_edge(r, n, c) != OVL_OK)
			return at_line(r, c);
	for (size_t i = 0; i < n->layers.n; i++)
		for (int k = 0; k < n->layers.at[i].n_in; k++)
			if (!n->layers.at[i].in[k].set) {
				ovl_fail(r->err, OVL_E_PARSE, "no edge leads to its input %d", k);
				return at_layer(r, &n->layers.at[i]);
			}
	return OVL_OK;
}

/* ---- constants ---- */

/* "dir/net.xml" -> "dir/net.bin" */
static char *bin_path(const char *xml)
{
	ovl_str s = {0};
	const char *slash = strrchr(xml, '/'), *dot = strrchr(xml, '.');
	ovl_str_addn(&s, xml, dot && (!slash || dot > slash) ? (size_t)(dot - xml) : strlen(xml));
	ovl_str_add(&s, ".bin");
	if (s.failed)
		ovl_str_free(&s);
	return s.at;
}

static ovl_status open_weights(ir *r)
{
	const ovl_origin *o = r->origin;
	char *path = NULL;
	ovl_status st;
	if (r->weights)
		return OVL_OK;
	if (o->weights) {
		r->weights = ovl_buffer_new(o->weights_size ? o->weights_size : 1, false);
		if (!r->weights)
			return no_memory(r);
		memcpy(r->weights->data, o->weights, o->weights_size);
		return OVL_OK;
	}
	if (!o->path && !o->weights_path)
		return ovl_fail(r->err, OVL_E_IO, "its data is in a .bin, and no weights were given");
	if (!o->weights_path && !(path = bin_path(o->path)))
		return no_memory(r);
	st = ovl_file_map(path ? path : o->weights_path, &r->weights, r->err);
	if (st == OVL_OK && o->note && path)
		o->note->file(o->note->user, strrchr(path, '/') ? strrchr(path, '/') + 1 : path, r->weights);
	ovl_free(path);
	return st;
}

static size_t weights_size(const ir *r) { return r->origin->weights ? r->origin->weights_size : r->weights->size; }

/* Packed strings: their number, the offsets of their ends (the first is the start, 0), all int32; then the bytes. */
static ovl_status string_constant(ir *r, const uint8_t *p, size_t size, ovl_tensor *t)
{
	int64_t n = ovl_tensor_count(t);
	int32_t count, from, to;
	size_t head;
	if (size < 4 || (memcpy(&count, p, 4), count != n) || !ovl_mul_ok((size_t)n + 2, 4, &head) || head > size)
		return ovl_fail(r->err, OVL_E_PARSE, "its packed strings do not fit its shape");
	for (int64_t i = 0; i < n; i++) {
		memcpy(&from, p + 4 + 4 * i, 4);
		memcpy(&to, p + 8 + 4 * i, 4);
		if (from < 0 || to < from || (size_t)to > size - head)
			return ovl_fail(r->err, OVL_E_PARSE, "string %lld reaches outside its %zu bytes", (long long)i, size);
		OVL_TRY(ovl_tensor_set_string(t, i, (const char *)p + head + from, (size_t)(to - from), r->err));
	}
	return OVL_OK;
}

static ovl_status constant_tensor(ir *r, ovl_type type, const ovl_shape *shape, int64_t offset, int64_t size, ovl_tensor **out)
{
	int64_t count;
	size_t bytes, unit = ovl_type_size(type);
	const uint8_t *data;
	OVL_TRY(open_weights(r));
	if (offset < 0 || size < 0 || (uint64_t)offset > weights_size(r) || (uint64_t)size > weights_size(r) - (uint64_t)offset)
		return ovl_fail(r->err, OVL_E_PARSE, "its data (offset %lld, size %lld) lies outside the weights, which have %zu bytes", (long long)offset,
			(long long)size, weights_size(r));
	data = (const uint8_t *)r->weights->data + offset;
	if (type == OVL_STRING) {
		OVL_TRY(ovl_tensor_new(type, shape, out, r->err));
		return string_constant(r, data, (size_t)size, *out);
	}
	if (!ovl_shape_count(shape, &count) || !ovl_type_bytes(type, count, &bytes))
		return ovl_fail(r->err, OVL_E_PARSE, "its shape is too large");
	if (bytes && bytes != (uint64_t)size) /* of nothing at all, some files store one byte */
		return ovl_fail(r->err, OVL_E_PARSE, "it has %lld bytes of data, its shape needs %zu", (long long)size, bytes);
	if (bytes && (unit == 0 || (uintptr_t)data % unit == 0))
		return ovl_tensor_on(r->weights, (size_t)offset, type, shape, out, r->err);
	OVL_TRY(ovl_tensor_new_raw(type, shape, out, r->err));
	if (bytes)
		memcpy((*out)->data, data, bytes);
	return OVL_OK;
}

/* Sizes of an output port's <dim> children, for Const layers of old files that have no shape of their own. */
static bool port_shape(const ovl_xml *port, ovl_shape *s)
{
	s->rank = 0;
	for (const ovl_xml *d = ovl_xml_child(port, "dim"); d; d = ovl_xml_next(d)) {
		int64_t v;
		if (s->rank == OVL_MAX_RANK || !ovl_parse_i64(d->text, &v) || v < 0)
			return false;
		s->dims[s->rank++] = v;
	}
	return true;
}

static ovl_status build_constant(ir *r, net *n, layer *l)
{
	const ovl_xml *data = ovl_xml_child(l->e, "data"), *blob = ovl_xml_child(ovl_xml_child(l->e, "blobs"), "custom");
	const ovl_xml *port = ovl_xml_child(ovl_xml_child(l->e, "output"), "port"), *place = data && ovl_xml_attr(data, "offset") ? data : blob;
	const char *type_name = data ? ovl_xml_attr(data, "element_type") : NULL, *shape_text = data ? ovl_xml_attr(data, "shape") : NULL;
	ovl_pshape p;
	ovl_shape shape;
	ovl_type type;
	ovl_tensor *t = NULL;
	int64_t offset, size;
	ovl_status st;
	if (!type_name && port)
		type_name = ovl_xml_attr(port, "precision");
	if (!place || !type_name)
		return ovl_fail(r->err, OVL_E_PARSE, "it does not tell %s", place ? "its element type" : "where its data is");
	if (!ovl_type_parse(type_name, &type) || type == OVL_DYNAMIC)
		return ovl_fail(r->err, OVL_E_UNSUPPORTED, "element type '%.40s' is not known", type_name);
	if (shape_text ? !ovl_pshape_parse(shape_text, &p) || !ovl_pshape_to_shape(&p, &shape) : !port || !port_shape(port, &shape))
		return ovl_fail(r->err, OVL_E_PARSE, "'%.80s' is not the shape of a constant", shape_text ? shape_text : "");
	OVL_TRY(number(r, place, "offset", true, 0, &offset));
	OVL_TRY(number(r, place, "size", true, 0, &size));
	st = constant_tensor(r, type, &shape, offset, size, &t);
	if (st == OVL_OK)
		st = ovl_graph_constant(n->graph, t, l->name, &l->node, r->err);
	ovl_tensor_release(t);
	return st;
}

/* ---- bodies of If, Loop and TensorIterator ---- */

static ovl_status body_layer(ir *r, const net *body, const ovl_xml *e, const char *attr, const char *type, int *position)
{
	const char *id = ovl_xml_attr(e, attr);
	size_t at;
	if (!id || !ovl_names_get(&body->ids, id, &at) || strcmp(body->layers.at[at].type, type) != 0)
		return ovl_fail(r->err, OVL_E_PARSE, "%s='%.40s' is not a %s of the body", attr, id ? id : "", type);
	*position = body->layers.at[at].position;
	return OVL_OK;
}

static ovl_status slice_of(ir *r, const ovl_xml *e, bool *sliced, int64_t *axis, int64_t *start, int64_t *end, int64_t *stride, int64_t *part_size)
{
	const char *text = ovl_xml_attr(e, "axis");
	*sliced = text && *text && strcmp(text, "-1") != 0;
	OVL_TRY(number(r, e, "axis", false, 0, axis));
	OVL_TRY(number(r, e, "start", false, 0, start));
	OVL_TRY(number(r, e, "end", false, -1, end));
	OVL_TRY(number(r, e, "stride", false, 1, stride));
	return number(r, e, "part_size", false, 1, part_size);
}

static ovl_status map_input(ir *r, const layer *l, const net *body, const ovl_xml *e, ovl_body *b)
{
	const char *purpose = ovl_xml_attr(e, "purpose"), *port = ovl_xml_attr(e, "external_port_id");
	ovl_body_in m = {0};
	OVL_TRY(body_layer(r, body, e, "internal_layer_id", "Parameter", &m.parameter));
	if (purpose && strcmp(purpose, "current_iteration") == 0)
		b->iteration_parameter = m.parameter;
	if (!port || strcmp(port, "-1") == 0)
		return OVL_OK;
	m.input = find_port(ovl_xml_child(l->e, "input"), port);
	if (m.input < 0)
		return ovl_fail(r->err, OVL_E_PARSE, "external_port_id='%.40s' is not one of its inputs", port);
	OVL_TRY(slice_of(r, e, &m.sliced, &m.axis, &m.start, &m.end, &m.stride, &m.part_size));
	return ovl_vec_push(&b->ins, m) ? OVL_OK : no_memory(r);
}

static ovl_status map_output(ir *r, const layer *l, const net *body, const ovl_xml *e, ovl_body *b)
{
	const char *purpose = ovl_xml_attr(e, "purpose"), *port = ovl_xml_attr(e, "external_port_id");
	ovl_body_out m = {0};
	OVL_TRY(body_layer(r, body, e, "internal_layer_id", "Result", &m.result));
	if (purpose && strcmp(purpose, "execution_condition") == 0)
		b->condition_result = m.result;
	if (!port || strcmp(port, "-1") == 0)
		return OVL_OK;
	m.output = find_port(ovl_xml_child(l->e, "output"), port);
	if (m.output < 0)
		return ovl_fail(r->err, OVL_E_PARSE, "external_port_id='%.40s' is not one of its outputs", port);
	OVL_TRY(slice_of(r, e, &m.sliced, &m.axis, &m.start, &m.end, &m.stride, &m.part_size));
	return ovl_vec_push(&b->outs, m) ? OVL_OK : no_memory(r);
}

static ovl_status map_ports(ir *r, const layer *l, const net *body, const ovl_xml *map, ovl_body *b)
{
	b->iteration_parameter = b->condition_result = -1;
	for (const ovl_xml *c = map ? map->first : NULL; c; c = c->next) {
		ovl_status st = OVL_OK;
		if (strcmp(c->tag, "input") == 0)
			st = map_input(r, l, body, c, b);
		else if (strcmp(c->tag, "output") == 0)
			st = map_output(r, l, body, c, b);
		if (st != OVL_OK)
			return at_line(r, c);
	}
	for (const ovl_xml *c = ovl_xml_child(ovl_xml_child(l->e, "back_edges"), "edge"); c; c = ovl_xml_next(c)) {
		ovl_back_edge back;
		if (body_layer(r, body, c, "from-layer", "Result", &back.result) != OVL_OK ||
			body_layer(r, body, c, "to-layer", "Parameter", &back.parameter) != OVL_OK)
			return at_line(r, c);
		if (!ovl_vec_push(&b->back, back))
			return no_memory(r);
	}
	return OVL_OK;
}

static void free_net(net *n)
{
	for (size_t i = 0; i < n->layers.n; i++)
		ovl_free(n->layers.at[i].in);
	ovl_vec_free(&n->layers);
	ovl_names_free(&n->ids);
	ovl_graph_free(n->graph);
	n->graph = NULL;
}

static ovl_status read_body(ir *r, const layer *l, ovl_node *node, const char *body_tag, const char *map_tag)
{
	const ovl_xml *e = ovl_xml_child(l->e, body_tag);
	net body = {0};
	ovl_body *b;
	ovl_status st;
	if (!e)
		return ovl_fail(r->err, OVL_E_PARSE, "it has no <%s>", body_tag);
	if (r->bodies == MAX_BODIES)
		return ovl_fail(r->err, OVL_E_UNSUPPORTED, "bodies are nested more than %d deep", MAX_BODIES);
	r->bodies++;
	st = read_net(r, e, l->name, &body);
	r->bodies--;
	if (st == OVL_OK) {
		st = ovl_node_add_body(node, body.graph, &b, r->err);
		if (st == OVL_OK)
			body.graph = NULL; /* the node's now */
	}
	if (st == OVL_OK)
		st = map_ports(r, l, &body, ovl_xml_child(l->e, map_tag), b);
	free_net(&body);
	return st;
}

static ovl_status read_bodies(ir *r, const layer *l, ovl_node *node)
{
	if (strcmp(l->type, "If") == 0) {
		OVL_TRY(read_body(r, l, node, "then_body", "then_port_map"));
		return read_body(r, l, node, "else_body", "else_port_map");
	}
	if (strcmp(l->type, "Loop") == 0 || strcmp(l->type, "TensorIterator") == 0)
		return read_body(r, l, node, "body", "port_map");
	return OVL_OK;
}

/* ---- building ---- */

static ovl_status find_op(ir *r, const layer *l, const ovl_op **op, int *opset)
{
	const char *version = ovl_xml_attr(l->e, "version");
	int64_t v = 0;
	if (version && strncmp(version, "opset", 5) == 0 && !ovl_parse_i64(version + 5, &v))
		v = 0;
	*opset = v >= 1 && v <= 1000 ? (int)v : NEWEST_OPSET;
	*op = ovl_op_find(l->type, *opset);
	if (!*op || (*op)->flags & OVL_OP_INTERNAL)
		return ovl_fail(r->err, OVL_E_UNSUPPORTED, "operator '%.80s' of '%.40s' is not supported", l->type, version ? version : "no opset");
	if (*opset > NEWEST_OPSET)
		*opset = NEWEST_OPSET;
	return OVL_OK;
}

static ovl_status set_attributes(ir *r, const layer *l, ovl_node *node)
{
	const ovl_xml *data = ovl_xml_child(l->e, "data");
	for (const ovl_attr *a = node->op->attrs; a && a->kind != OVL_KIND_END; a++) {
		const char *text = data ? ovl_xml_attr(data, a->name) : NULL;
		if (text)
			OVL_TRY(ovl_node_set_text(node, a->name, text, r->err));
		else if (!a->initial && a->kind != OVL_KIND_TENSOR)
			return ovl_fail(r->err, OVL_E_PARSE, "attribute '%s' is missing", a->name);
	}
	return OVL_OK;
}

/* Opset 16 gave some operators more attributes: those that say what was true before are fine. */
static ovl_status check_new_attributes(ir *r, const layer *l, const ovl_node *node)
{
	static const struct {
		const char *type, *name, *value;
	} neutral[] = {{"AvgPool", "dilations", "1"}, {"OneHot", "negative_indices_mode", "ignore_negative"},
		{"OneHot", "negative_indices_mode", "normalize"}};
	const ovl_xml *data = ovl_xml_child(l->e, "data");
	const char *version = ovl_xml_attr(l->e, "version");
	int64_t v;
	if (!data || !version || strncmp(version, "opset", 5) != 0 || !ovl_parse_i64(version + 5, &v) || v <= NEWEST_OPSET)
		return OVL_OK;
	for (const char *const *a = data->attrs; *a; a += 2) {
		bool known = ovl_attrs_find(node->op->attrs, a[0]) != NULL;
		for (size_t i = 0; i < sizeof neutral / sizeof *neutral && !known; i++)
			known = strcmp(neutral[i].type, l->type) == 0 && strcmp(neutral[i].name, a[0]) == 0 &&
				(strcmp(neutral[i].value, a[1]) == 0 || (*neutral[i].value == '1' && strspn(a[1], "1, ") == strlen(a[1])));
		if (!known)
			return ovl_fail(r->err, OVL_E_UNSUPPORTED, "attribute %s='%.80s' of %s is not supported", a[0], a[1], version);
	}
	return OVL_OK;
}

/* OneHot of opset 16 may count negative indices from the end: input 0 is replaced by what it means. */
static ovl_status normalize_indices(ir *r, net *n, const layer *l, ovl_node *node)
{
	const ovl_xml *data = ovl_xml_child(l->e, "data");
	const char *mode = data ? ovl_xml_attr(data, "negative_indices_mode") : NULL;
	ovl_end index, depth, in[3];
	ovl_node *zero, *made[4];
	if (!mode || strcmp(mode, "normalize") != 0 || node->in.n < 2)
		return OVL_OK;
	index = node->in.at[0];
	depth = node->in.at[1];
	OVL_TRY(ovl_graph_constant_i64(n->graph, 0, (int64_t[]){0}, 1, NULL, &zero, r->err));
	OVL_TRY(ovl_graph_op(n->graph, "ConvertLike", NULL, (ovl_end[]){{zero, 0}, index}, 2, &made[0], r->err));
	OVL_TRY(ovl_graph_op(n->graph, "ConvertLike", NULL, (ovl_end[]){depth, index}, 2, &made[1], r->err));
	OVL_TRY(ovl_graph_op(n->graph, "Less", NULL, (ovl_end[]){index, {made[0], 0}}, 2, &made[2], r->err));
	OVL_TRY(ovl_graph_op(n->graph, "Add", NULL, (ovl_end[]){index, {made[1], 0}}, 2, &made[3], r->err));
	in[0] = (ovl_end){made[2], 0}, in[1] = (ovl_end){made[3], 0}, in[2] = index;
	for (int i = 0; i < 4; i++)
		OVL_TRY(ovl_node_infer(made[i], r->err));
	OVL_TRY(ovl_graph_op(n->graph, "Select", NULL, in, 3, &made[0], r->err));
	OVL_TRY(ovl_node_infer(made[0], r->err));
	return ovl_node_set_input(node, 0, (ovl_end){made[0], 0}, r->err);
}

/* rt_info of a Parameter: layout="[N,C,H,W]" -> "NCHW", left as it is when a dimension has a longer name. */
static ovl_status set_layout(ir *r, const layer *l, ovl_node *node)
{
	ovl_parameter_params *params = node->params;
	for (const ovl_xml *a = ovl_xml_child(ovl_xml_child(l->e, "rt_info"), "attribute"); a; a = ovl_xml_next(a)) {
		const char *name = ovl_xml_attr(a, "name"), *text = ovl_xml_attr(a, "layout");
		size_t n = 0;
		if (!name || strcmp(name, "layout") != 0 || !text || params->layout)
			continue;
		if (!(params->layout = ovl_strdup(text)))
			return no_memory(r);
		for (const char *p = text; *p; p++)
			if (!strchr("[], ", *p))
				params->layout[n++] = *p;
		if (text[0] == '[' && n * 2 + 1 == strlen(text))
			params->layout[n] = 0;
		else
			strcpy(params->layout, text);
	}
	return OVL_OK;
}

/* "a,b\,c" names the tensor "a" and "b,c". */
static ovl_status add_names(ir *r, ovl_node *node, int port, const char *names)
{
	ovl_str one = {0};
	ovl_status st = OVL_OK;
	for (const char *p = names; st == OVL_OK; p++) {
		if (*p == '\\' && p[1] == ',')
			ovl_str_addn(&one, ++p, 1);
		else if (*p && *p != ',')
			ovl_str_addn(&one, p, 1);
		else {
			if (one.failed)
				st = no_memory(r);
			else if (one.n)
				st = ovl_node_add_name(node, port, one.at, r->err);
			one.n = 0;
			if (!*p)
				break;
		}
	}
	ovl_str_free(&one);
	return st;
}

static ovl_status name_outputs(ir *r, const layer *l)
{
	int i = 0;
	if (l->n_out > (int)l->node->out.n)
		return ovl_fail(r->err, OVL_E_PARSE, "it has %d outputs in the file, %zu by its inputs and attributes", l->n_out, l->node->out.n);
	for (const ovl_xml *p = ovl_xml_child(ovl_xml_child(l->e, "output"), "port"); p; p = ovl_xml_next(p), i++) {
		const char *names = ovl_xml_attr(p, "names");
		if (names)
			OVL_TRY(add_names(r, l->node, i, names));
	}
	return OVL_OK;
}

/* A Result's names belong to what it reads: output_names of new writers; of version 10, which has no tensor names, the node's own name. */
static ovl_status name_result(ir *r, const layer *l)
{
	const char *names = ovl_xml_attr(l->e, "output_names");
	ovl_str text = {0};
	ovl_end source;
	ovl_status st;
	if (l->node->in.n != 1)
		return ovl_fail(r->err, OVL_E_PARSE, "it has %zu inputs, expected 1", l->node->in.n);
	source = l->node->in.at[0];
	if (names)
		return add_names(r, source.node, source.port, names);
	if (r->version > 10 || source.node->out.at[source.port].names.n)
		return OVL_OK;
	ovl_str_add(&text, source.node->name);
	if (source.node->out.n > 1)
		ovl_str_addf(&text, ".%d", source.port);
	st = text.failed ? no_memory(r) : ovl_node_add_name(source.node, source.port, text.at, r->err);
	ovl_str_free(&text);
	return st;
}

static ovl_status connect(ir *r, net *n, const layer *l, ovl_node *node)
{
	for (int i = 0; i < l->n_in; i++) {
		const layer *from = &n->layers.at[l->in[i].layer];
		if (l->in[i].port >= (int)from->node->out.n)
			return ovl_fail(r->err, OVL_E_PARSE, "input %d comes from output %d of '%.100s', which has %zu", i, l->in[i].port, from->name,
				from->node->out.n);
		OVL_TRY(ovl_node_add_input(node, (ovl_end){from->node, l->in[i].port}, r->err));
	}
	return OVL_OK;
}

static ovl_status build_node(ir *r, net *n, layer *l)
{
	const ovl_op *op;
	int opset;
	ovl_node *node = NULL;
	ovl_status st;
	OVL_TRY(find_op(r, l, &op, &opset));
	OVL_TRY(ovl_node_new(op, opset, l->name, &node, r->err));
	st = set_attributes(r, l, node);
	if (st == OVL_OK)
		st = check_new_attributes(r, l, node);
	if (st == OVL_OK && strcmp(l->type, "Parameter") == 0)
		st = set_layout(r, l, node);
	if (st == OVL_OK)
		st = connect(r, n, l, node);
	if (st == OVL_OK)
		st = normalize_indices(r, n, l, node);
	if (st == OVL_OK)
		st = read_bodies(r, l, node);
	if (st == OVL_OK)
		st = ovl_node_infer(node, r->err);
	if (st == OVL_OK)
		st = ovl_graph_add(n->graph, node, r->err);
	l->node = st == OVL_OK ? node : NULL;
	ovl_node_release(node);
	return st;
}

static ovl_status build_layer(ir *r, net *n, layer *l)
{
	ovl_status st = strcmp(l->type, "Const") == 0 ? build_constant(r, n, l) : build_node(r, n, l);
	if (st == OVL_OK)
		st = strcmp(l->type, "Result") == 0 ? name_result(r, l) : name_outputs(r, l);
	l->mark = 2;
	return st == OVL_OK ? st : at_layer(r, l);
}

/* Builds a layer after everything it reads, without recursion: files need not be sorted, and chains may be long. */
static ovl_status build_with_sources(ir *r, net *n, size_t first, size_t *stack)
{
	size_t top = 0;
	if (n->layers.at[first].mark)
		return OVL_OK;
	stack[top++] = first;
	n->layers.at[first].mark = 1;
	while (top) {
		layer *l = &n->layers.at[stack[top - 1]];
		if (l->next_in == l->n_in) {
			OVL_TRY(build_layer(r, n, l));
			top--;
			continue;
		}
		size_t source = l->in[l->next_in++].layer;
		if (n->layers.at[source].mark == 1) {
			ovl_fail(r->err, OVL_E_PARSE, "the edges make a cycle through this layer");
			return at_layer(r, l);
		}
		if (!n->layers.at[source].mark) {
			n->layers.at[source].mark = 1;
			stack[top++] = source;
		}
	}
	return OVL_OK;
}

/* Parameters first and Results last, both in the file's order, which is the order of the model's inputs and outputs. */
static ovl_status build_layers(ir *r, net *n)
{
	size_t *stack = ovl_calloc(n->layers.n + 1, sizeof *stack);
	int parameters = 0, results = 0;
	ovl_status st = OVL_OK;
	if (!stack)
		return no_memory(r);
	for (int phase = 0; phase < 3; phase++)
		for (size_t i = 0; i < n->layers.n && st == OVL_OK; i++) {
			layer *l = &n->layers.at[i];
			int when = strcmp(l->type, "Parameter") == 0 ? 0 : strcmp(l->type, "Result") == 0 ? 2 : 1;
			if (when != phase)
				continue;
			if (phase == 0)
				l->position = parameters++;
			if (phase == 2)
				l->position = results++;
			st = build_with_sources(r, n, i, stack);
		}
	ovl_free(stack);
	return st;
}

static ovl_status read_net(ir *r, const ovl_xml *e, const char *name, net *n)
{
	OVL_TRY(read_structure(r, n, e));
	n->graph = ovl_graph_new(name);
	if (!n->graph)
		return no_memory(r);
	OVL_TRY(build_layers(r, n));
	return ovl_graph_finish(n->graph, r->err);
}

/* ---- the model ---- */

static ovl_status add_meta(ir *r, ovl_graph *g, const ovl_xml *e, ovl_str *key)
{
	for (const ovl_xml *c = e->first; c; c = c->next) {
		const char *value = ovl_xml_attr(c, "value"), *name = ovl_xml_attr(c, "name");
		size_t before = key->n;
		ovl_str_add(key, before ? "/" : "");
		ovl_str_add(key, name ? name : c->tag);
		if (key->failed)
			return no_memory(r);
		if (value)
			OVL_TRY(ovl_graph_add_meta(g, key->at, value, r->err));
		OVL_TRY(add_meta(r, g, c, key));
		key->n = before;
		key->at[before] = 0;
	}
	return OVL_OK;
}

static ovl_status read_meta(ir *r, ovl_graph *g, const ovl_xml *e)
{
	ovl_str key = {0};
	ovl_status st = OVL_OK;
	if (e)
		st = add_meta(r, g, e, &key);
	ovl_str_free(&key);
	return st;
}

static ovl_status read_root(ir *r, const ovl_xml *root, ovl_graph **out)
{
	const char *version = ovl_xml_attr(root, "version"), *name = ovl_xml_attr(root, "name");
	net n = {0};
	int64_t v;
	ovl_status st;
	if (strcmp(root->tag, "net") != 0)
		return ovl_fail(r->err, OVL_E_PARSE, "the root element is <%.40s>, expected <net>", root->tag);
	if (!version || !ovl_parse_i64(version, &v))
		return ovl_fail(r->err, OVL_E_PARSE, "<net> has no version");
	if (v != 10 && v != 11)
		return ovl_fail(r->err, OVL_E_UNSUPPORTED, "IR version %.20s; versions 10 and 11 are read", version);
	if (ovl_xml_child(ovl_xml_child(root, "pre-process"), "channel"))
		return ovl_fail(r->err, OVL_E_UNSUPPORTED, "the <pre-process> section of old files is not read");
	r->version = (int)v;
	st = read_net(r, root, name ? name : "", &n);
	if (st == OVL_OK)
		st = read_meta(r, n.graph, ovl_xml_child(root, "rt_info"));
	if (st == OVL_OK && !(n.graph->origin = ovl_strdup(v == 10 ? "OpenVINO IR v10" : "OpenVINO IR v11")))
		st = ovl_fail(r->err, OVL_E_MEMORY, "not enough memory");
	if (st == OVL_OK)
		st = read_meta(r, n.graph, ovl_xml_child(root, "meta_data"));
	if (st == OVL_OK) {
		*out = n.graph;
		n.graph = NULL;
	}
	free_net(&n);
	return st;
}

ovl_status ovl_read_ir(const ovl_origin *o, ovl_graph **out, ovl_error *err)
{
	ir r = {.origin = o, .err = err};
	ovl_xml_doc doc;
	ovl_status st = ovl_xml_parse(o->data, o->size, &doc, err);
	if (st == OVL_OK)
		st = read_root(&r, doc.root, out);
	ovl_xml_free(&doc);
	ovl_buffer_release(r.weights);
	return st;
}
