#include "read/write_ir.h"
#include "base/file.h"
#include "read/names.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

typedef struct blob { /* a constant in the .bin */
	uint64_t hash;
	size_t offset, size;
	size_t next; /* of the same hash slot; from 1, 0: none */
} blob;

enum { SLOTS = 1 << 12, MAX_META_DEPTH = 40 };

typedef struct writer {
	ovl_str *xml, *bin;
	bool compress;
	OVL_VEC(blob) blobs;
	size_t slots[SLOTS]; /* from 1 */
	ovl_error *err;
} writer;

typedef struct layout { /* of one graph */
	const ovl_graph *graph;
	ovl_names ids; /* node -> id of the layer that gives its outputs */
	ovl_names used; /* layer names */
	OVL_VEC(char *) made; /* names that `used` borrows */
	size_t next_id;
	ovl_str edges;
} layout;

static ovl_status write_graph(writer *w, const ovl_graph *g, int indent, layout *l);

static ovl_status no_memory(writer *w) { return ovl_fail(w->err, OVL_E_MEMORY, "not enough memory for the IR"); }

/* ---- text ---- */

static void tabs(writer *w, int n)
{
	while (n-- > 0)
		ovl_str_add(w->xml, "\t");
}

/* Bytes of one character of well-formed UTF-8; 0: not well-formed. */
static size_t utf8(const unsigned char *p)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (n == 3 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe)))
		return 0;
	if (n == 4 && ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90)))
		return 0;
	return n;
}

/* For the inside of an attribute. What XML cannot hold becomes a question mark. */
static void escaped(ovl_str *s, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	while (*p) {
		size_t n = utf8(p);
		if (*p == '&')
			ovl_str_add(s, "&amp;");
		else if (*p == '<')
			ovl_str_add(s, "&lt;");
		else if (*p == '>')
			ovl_str_add(s, "&gt;");
		else if (*p == '"')
			ovl_str_add(s, "&quot;");
		else if (*p == '\n' || *p == '\r' || *p == '\t')
			ovl_str_addf(s, "&#%d;", *p);
		else if (n == 0 || *p < 0x20)
			ovl_str_add(s, "?");
		else
			ovl_str_addn(s, (const char *)p, n);
		p += n ? n : 1;
	}
}

static void attribute(writer *w, const char *name, const char *value)
{
	ovl_str_addf(w->xml, " %s=\"", name);
	escaped(w->xml, value);
	ovl_str_add(w->xml, "\"");
}

/* ---- the .bin ---- */

static ovl_status store(writer *w, const void *bytes, size_t size, size_t *offset)
{
	static const char zeros[64];
	uint64_t hash = ovl_hash_bytes(bytes, size, 0);
	size_t slot = hash % SLOTS, align = size >= 64 ? 64 : size >= 8 ? 8 : 1;
	for (size_t i = w->slots[slot]; i; i = w->blobs.at[i - 1].next) {
		const blob *b = &w->blobs.at[i - 1];
		if (b->hash == hash && b->size == size && (size == 0 || memcmp(w->bin->at + b->offset, bytes, size) == 0)) {
			*offset = b->offset;
			return OVL_OK;
		}
	}
	ovl_str_addn(w->bin, zeros, (align - w->bin->n % align) % align);
	*offset = w->bin->n;
	ovl_str_addn(w->bin, bytes, size);
	if (w->bin->failed || !ovl_vec_push(&w->blobs, ((blob){hash, *offset, size, w->slots[slot]})))
		return no_memory(w);
	w->slots[slot] = w->blobs.n;
	return OVL_OK;
}

/* See string_constant in read_ir.c. */
static ovl_status store_strings(writer *w, const ovl_tensor *t, size_t *offset, size_t *size)
{
	const ovl_string *s = t->data;
	int64_t n = ovl_tensor_count(t);
	ovl_str packed = {0};
	int32_t v = (int32_t)n;
	size_t end = 0;
	ovl_status st;
	ovl_str_addn(&packed, (const char *)&v, 4);
	v = 0;
	ovl_str_addn(&packed, (const char *)&v, 4);
	for (int64_t i = 0; i < n; i++) {
		end += s[i].size;
		v = (int32_t)end;
		if (end > INT32_MAX || n > INT32_MAX) {
			ovl_str_free(&packed);
			return ovl_fail(w->err, OVL_E_UNSUPPORTED, "a constant with more than 2 GB of text");
		}
		ovl_str_addn(&packed, (const char *)&v, 4);
	}
	for (int64_t i = 0; i < n; i++)
		ovl_str_addn(&packed, s[i].data ? s[i].data : "", s[i].size);
	*size = packed.n;
	st = packed.failed ? no_memory(w) : store(w, packed.at, packed.n, offset);
	ovl_str_free(&packed);
	return st;
}

static ovl_status store_tensor(writer *w, const ovl_tensor *t, size_t *offset, size_t *size)
{
	ovl_tensor *dense;
	ovl_status st;
	if (t->type == OVL_STRING)
		return store_strings(w, t, offset, size);
	OVL_TRY(ovl_tensor_densify(t, &dense, w->err));
	*size = ovl_tensor_bytes(dense);
	st = store(w, dense->data, *size, offset);
	ovl_tensor_release(dense);
	return st;
}

/* ---- layers ---- */

static const char *free_name(writer *w, layout *l, const char *name)
{
	size_t other;
	ovl_str s = {0};
	if (!ovl_names_get(&l->used, name, &other)) {
		if (ovl_names_put(&l->used, name, 1))
			return name;
		w->xml->failed = true;
		return name;
	}
	for (size_t k = other;; k++) { /* the number last used for this name is remembered */
		size_t taken;
		s.n = 0;
		ovl_str_addf(&s, "%s_%zu", name, k);
		if (s.failed || !ovl_names_get(&l->used, s.at, &taken)) {
			ovl_names_put(&l->used, name, k + 1);
			break;
		}
	}
	if (s.failed || !ovl_vec_push(&l->made, s.at)) {
		ovl_str_free(&s);
		w->xml->failed = true;
		return name;
	}
	ovl_names_put(&l->used, s.at, 1);
	return s.at;
}

static void open_layer(writer *w, layout *l, int indent, const char *name, const char *type, int opset)
{
	ovl_str v = {0};
	tabs(w, indent);
	ovl_str_addf(w->xml, "<layer id=\"%zu\"", l->next_id);
	attribute(w, "name", name);
	attribute(w, "type", type);
	ovl_str_addf(&v, "opset%d", opset);
	attribute(w, "version", v.at ? v.at : "");
	ovl_str_free(&v);
	ovl_str_add(w->xml, ">\n");
}

static void close_layer(writer *w, layout *l, int indent)
{
	tabs(w, indent);
	ovl_str_add(w->xml, "</layer>\n");
	l->next_id++;
}

static void names_attribute(writer *w, const ovl_output *o)
{
	ovl_str s = {0};
	for (size_t i = 0; i < o->names.n; i++) {
		if (i)
			ovl_str_add(&s, ",");
		for (const char *p = o->names.at[i]; *p; p++)
			if (*p == ',')
				ovl_str_add(&s, "\\,");
			else
				ovl_str_addn(&s, p, 1);
	}
	if (s.n)
		attribute(w, "names", s.at);
	w->xml->failed = w->xml->failed || s.failed;
	ovl_str_free(&s);
}

static void port(writer *w, int indent, size_t id, const ovl_output *o, ovl_type type, bool names)
{
	tabs(w, indent);
	ovl_str_addf(w->xml, "<port id=\"%zu\" precision=\"%s\"", id, ovl_type_ir10_name(type));
	if (names)
		names_attribute(w, o);
	if (!o->shape.ranked || o->shape.rank == 0) {
		ovl_str_add(w->xml, " />\n");
		return;
	}
	ovl_str_add(w->xml, ">\n");
	for (int i = 0; i < o->shape.rank; i++) {
		tabs(w, indent + 1);
		ovl_str_addf(w->xml, "<dim>%lld</dim>\n", ovl_dim_static(o->shape.dims[i]) ? (long long)o->shape.dims[i].min : -1LL);
	}
	tabs(w, indent);
	ovl_str_add(w->xml, "</port>\n");
}

static ovl_status inputs(writer *w, layout *l, const ovl_node *n, int indent)
{
	if (!n->in.n)
		return OVL_OK;
	tabs(w, indent);
	ovl_str_add(w->xml, "<input>\n");
	for (size_t i = 0; i < n->in.n; i++) {
		ovl_end e = n->in.at[i];
		size_t from, source_inputs;
		if (!e.node)
			return ovl_fail(w->err, OVL_E_UNSUPPORTED, "node '%s' (%s): IR has no way to leave out input %zu", n->name, n->op->name, i);
		if (!ovl_names_get(&l->ids, e.node, &from))
			return ovl_fail(w->err, OVL_E_INTERNAL, "node '%s' reads from '%s', which is not in the graph", n->name, e.node->name);
		port(w, indent + 1, i, ovl_source(n, (int)i), ovl_source(n, (int)i)->type, false);
		source_inputs = from & 1 ? 1 : e.node->in.n; /* the Convert behind a compressed constant has one */
		ovl_str_addf(&l->edges, "%zu %zu %zu %zu\n", from >> 1, source_inputs + (size_t)e.port, l->next_id, i);
	}
	tabs(w, indent);
	ovl_str_add(w->xml, "</input>\n");
	return OVL_OK;
}

static void outputs(writer *w, const ovl_node *n, int indent)
{
	if (!n->out.n || ovl_node_is(n, "Result"))
		return;
	tabs(w, indent);
	ovl_str_add(w->xml, "<output>\n");
	for (size_t i = 0; i < n->out.n; i++)
		port(w, indent + 1, n->in.n + i, &n->out.at[i], n->out.at[i].type, true);
	tabs(w, indent);
	ovl_str_add(w->xml, "</output>\n");
}

/* ---- attributes ---- */

/* OpenVINO takes a list that is not there for an empty one. */
static const char *usual_activations(const ovl_node *n, const ovl_attr *a)
{
	if (strcmp(a->name, "activations") != 0)
		return NULL;
	return strncmp(n->op->name, "LSTM", 4) == 0 ? "sigmoid, tanh, tanh" : strncmp(n->op->name, "GRU", 3) == 0 ? "sigmoid, tanh" : "tanh";
}

static void data(writer *w, const ovl_node *n, int indent)
{
	bool parameter = ovl_node_is(n, "Parameter"), open = false;
	for (const ovl_attr *a = n->op->attrs; a && a->kind != OVL_KIND_END; a++) {
		ovl_str text = {0};
		bool optional = a->initial && a->initial[0] == OVL_OPTIONAL[0], shape = a->kind == OVL_KIND_SHAPE || (a->initial && !*a->initial);
		if (a->kind == OVL_KIND_TENSOR || (parameter && strcmp(a->name, "layout") == 0))
			continue;
		ovl_attr_format(a, n->params, &text);
		if (!text.n && usual_activations(n, a))
			ovl_str_add(&text, usual_activations(n, a));
		if ((!text.n && !shape && a->initial) || (optional && a->kind == OVL_KIND_TYPE && strcmp(text.at, "dynamic") == 0)) {
			ovl_str_free(&text);
			continue;
		}
		if (!open) {
			tabs(w, indent);
			ovl_str_add(w->xml, "<data");
			open = true;
		}
		attribute(w, a->name, text.at ? text.at : "");
		w->xml->failed = w->xml->failed || text.failed;
		ovl_str_free(&text);
	}
	if (open)
		ovl_str_add(w->xml, " />\n");
}

static void rt_attribute(writer *w, int indent, const char *name, const char *key, const char *value)
{
	tabs(w, indent);
	ovl_str_add(w->xml, "<rt_info>\n");
	tabs(w, indent + 1);
	ovl_str_add(w->xml, "<attribute");
	attribute(w, "name", name);
	attribute(w, "version", "0");
	if (key)
		attribute(w, key, value);
	ovl_str_add(w->xml, " />\n");
	tabs(w, indent);
	ovl_str_add(w->xml, "</rt_info>\n");
}

/* "NCHW" -> "[N,C,H,W]" */
static void layout_info(writer *w, const ovl_node *n, int indent)
{
	const ovl_parameter_params *p = n->params;
	ovl_str s = {0};
	if (!ovl_node_is(n, "Parameter") || !p->layout || !*p->layout)
		return;
	if (strpbrk(p->layout, "[.?"))
		ovl_str_add(&s, p->layout);
	else
		for (const char *c = p->layout; *c; c++)
			ovl_str_addf(&s, "%s%c", c == p->layout ? "[" : ",", *c);
	if (!strpbrk(p->layout, "[.?"))
		ovl_str_add(&s, "]");
	if (s.at)
		rt_attribute(w, indent, "layout", "layout", s.at);
	w->xml->failed = w->xml->failed || s.failed;
	ovl_str_free(&s);
}

static bool decompression(const ovl_node *n)
{
	ovl_end e;
	if (!ovl_node_is(n, "Convert") || n->in.n != 1 || !n->in.at[0].node || n->out.at[0].type != OVL_F32)
		return false;
	e = n->in.at[0];
	return ovl_node_is(e.node, "Constant") && (e.node->out.at[0].type == OVL_F16 || e.node->out.at[0].type == OVL_BF16);
}

/* ---- bodies ---- */

static void slice_attributes(writer *w, bool sliced, int64_t axis, int64_t start, int64_t end, int64_t stride, int64_t part_size)
{
	if (sliced)
		ovl_str_addf(w->xml, " axis=\"%lld\" start=\"%lld\" end=\"%lld\" stride=\"%lld\" part_size=\"%lld\"", (long long)axis,
			(long long)start, (long long)end, (long long)stride, (long long)part_size);
}

/* Parameters have the first ids of a body, Results the last: see write_graph. */
static size_t parameter_id(const layout *body, int i)
{
	size_t id = 0;
	ovl_names_get(&body->ids, body->graph->parameters.at[i], &id);
	return id >> 1;
}
static size_t result_id(const layout *body, int i)
{
	size_t id = 0;
	ovl_names_get(&body->ids, body->graph->results.at[i], &id);
	return id >> 1;
}

static void port_map(writer *w, const ovl_node *n, const ovl_body *b, const layout *body, const char *tag, int indent)
{
	tabs(w, indent);
	ovl_str_addf(w->xml, "<%s>\n", tag);
	for (size_t i = 0; i < b->ins.n; i++) {
		const ovl_body_in *m = &b->ins.at[i];
		tabs(w, indent + 1);
		ovl_str_addf(w->xml, "<input external_port_id=\"%d\" internal_layer_id=\"%zu\"", m->input, parameter_id(body, m->parameter));
		slice_attributes(w, m->sliced, m->axis, m->start, m->end, m->stride, m->part_size);
		ovl_str_add(w->xml, " />\n");
	}
	for (size_t i = 0; i < b->outs.n; i++) {
		const ovl_body_out *m = &b->outs.at[i];
		tabs(w, indent + 1);
		ovl_str_addf(w->xml, "<output external_port_id=\"%zu\" internal_layer_id=\"%zu\"", n->in.n + (size_t)m->output, result_id(body, m->result));
		slice_attributes(w, m->sliced, m->axis, m->start, m->end, m->stride, m->part_size);
		ovl_str_add(w->xml, " />\n");
	}
	if (ovl_node_is(n, "Loop") && b->iteration_parameter >= 0) {
		tabs(w, indent + 1);
		ovl_str_addf(w->xml, "<input external_port_id=\"-1\" internal_layer_id=\"%zu\" purpose=\"current_iteration\" />\n",
			parameter_id(body, b->iteration_parameter));
	}
	if (ovl_node_is(n, "Loop") && b->condition_result >= 0) {
		tabs(w, indent + 1);
		ovl_str_addf(w->xml, "<output external_port_id=\"-1\" internal_layer_id=\"%zu\" purpose=\"execution_condition\" />\n",
			result_id(body, b->condition_result));
	}
	tabs(w, indent);
	ovl_str_addf(w->xml, "</%s>\n", tag);
	if (!b->back.n)
		return;
	tabs(w, indent);
	ovl_str_add(w->xml, "<back_edges>\n");
	for (size_t i = 0; i < b->back.n; i++) {
		tabs(w, indent + 1);
		ovl_str_addf(w->xml, "<edge from-layer=\"%zu\" to-layer=\"%zu\" />\n", result_id(body, b->back.at[i].result),
			parameter_id(body, b->back.at[i].parameter));
	}
	tabs(w, indent);
	ovl_str_add(w->xml, "</back_edges>\n");
}

static void free_layout(layout *l)
{
	ovl_names_free(&l->ids);
	ovl_names_free(&l->used);
	for (size_t i = 0; i < l->made.n; i++)
		ovl_free(l->made.at[i]);
	ovl_vec_free(&l->made);
	ovl_str_free(&l->edges);
}

static ovl_status bodies(writer *w, const ovl_node *n, int indent)
{
	bool branches = ovl_node_is(n, "If");
	if (n->bodies.n && n->bodies.n != (branches ? 2u : 1u))
		return ovl_fail(w->err, OVL_E_INTERNAL, "node '%s' (%s) has %zu bodies", n->name, n->op->name, n->bodies.n);
	for (size_t i = 0; i < n->bodies.n; i++) {
		const char *tag = branches ? (i ? "else_body" : "then_body") : "body";
		layout l = {.ids = {.by_address = true}};
		ovl_status st;
		tabs(w, indent);
		ovl_str_addf(w->xml, "<%s>\n", tag);
		st = write_graph(w, n->bodies.at[i].graph, indent + 1, &l);
		tabs(w, indent);
		ovl_str_addf(w->xml, "</%s>\n", tag);
		if (st == OVL_OK)
			port_map(w, n, &n->bodies.at[i], &l, branches ? (i ? "else_port_map" : "then_port_map") : "port_map", indent);
		free_layout(&l);
		OVL_TRY(st);
	}
	return OVL_OK;
}

/* ---- constants ---- */

/* Numbers that only shapes are made of keep every bit. */
static bool makes_shapes(const ovl_node *n)
{
	const ovl_output *o = &n->out.at[0];
	for (size_t i = 0; i < o->users.n; i++) {
		const ovl_node *user = o->users.at[i].node;
		bool shape = ovl_node_is(user, "Range") || (ovl_node_is(user, "Interpolate") && o->users.at[i].port > 0) || ovl_node_is(user, "NonMaxSuppression");
		if (shape || (user->out.n && user->out.at[0].value && !ovl_node_is(user, "Result")))
			return true;
	}
	return false;
}

/* Fits when nothing overflows and most of what is not zero stays so. */
static bool fits_f16(const ovl_tensor *t)
{
	const float *p = t->data;
	int64_t n = ovl_tensor_count(t), lost = 0;
	for (int64_t i = 0; i < n; i++) {
		if (isfinite(p[i]) && fabsf(p[i]) > 65504)
			return false;
		lost += p[i] != 0 && fabsf(p[i]) < 0x1p-24f;
	}
	return n == 0 || (double)lost < 0.75 * (double)n;
}

static void constant_layer(
	writer *w, layout *l, const ovl_node *n, const char *name, ovl_type type, size_t offset, size_t size, bool names, int indent)
{
	const ovl_output *o = &n->out.at[0];
	ovl_str shape = {0};
	open_layer(w, l, indent, name, "Const", 1);
	tabs(w, indent + 1);
	ovl_str_add(&shape, "");
	for (int i = 0; i < o->shape.rank; i++)
		ovl_str_addf(&shape, "%s%lld", i ? ", " : "", (long long)o->shape.dims[i].min);
	ovl_str_addf(w->xml, "<data element_type=\"%s\" shape=\"%s\" offset=\"%zu\" size=\"%zu\" />\n", ovl_type_name(type), shape.at ? shape.at : "",
		offset, size);
	w->xml->failed = w->xml->failed || shape.failed;
	ovl_str_free(&shape);
	tabs(w, indent + 1);
	ovl_str_add(w->xml, "<output>\n");
	port(w, indent + 2, 0, o, type, names);
	tabs(w, indent + 1);
	ovl_str_add(w->xml, "</output>\n");
	close_layer(w, l, indent);
}

static ovl_status plain_constant(writer *w, layout *l, const ovl_node *n, const char *name, int indent)
{
	const ovl_tensor *t = ((const ovl_constant_params *)n->params)->value;
	size_t offset, size;
	OVL_TRY(store_tensor(w, t, &offset, &size));
	if (!ovl_names_put(&l->ids, n, l->next_id << 1))
		return no_memory(w);
	constant_layer(w, l, n, name, t->type, offset, size, true, indent);
	return OVL_OK;
}

static ovl_status half_constant(writer *w, layout *l, const ovl_node *n, const char *name, const ovl_tensor *half, int indent)
{
	size_t offset, size;
	ovl_str small = {0};
	OVL_TRY(store_tensor(w, half, &offset, &size));
	ovl_str_addf(&small, "%s_compressed", name);
	if (small.failed)
		return no_memory(w);
	constant_layer(w, l, n, free_name(w, l, small.at), OVL_F16, offset, size, false, indent);
	if (!ovl_vec_push(&l->made, small.at)) { /* free_name may have borrowed it */
		w->xml->failed = true;
		return no_memory(w);
	}
	ovl_str_addf(&l->edges, "%zu 0 %zu 0\n", l->next_id - 1, l->next_id);
	if (!ovl_names_put(&l->ids, n, l->next_id << 1 | 1))
		return no_memory(w);
	open_layer(w, l, indent, name, "Convert", 1);
	tabs(w, indent + 1);
	ovl_str_add(w->xml, "<data destination_type=\"f32\" />\n");
	rt_attribute(w, indent + 1, "decompression", NULL, NULL);
	tabs(w, indent + 1);
	ovl_str_add(w->xml, "<input>\n");
	port(w, indent + 2, 0, &n->out.at[0], OVL_F16, false);
	tabs(w, indent + 1);
	ovl_str_add(w->xml, "</input>\n");
	tabs(w, indent + 1);
	ovl_str_add(w->xml, "<output>\n");
	port(w, indent + 2, 1, &n->out.at[0], OVL_F32, true);
	tabs(w, indent + 1);
	ovl_str_add(w->xml, "</output>\n");
	close_layer(w, l, indent);
	return OVL_OK;
}

static ovl_status constant(writer *w, layout *l, const ovl_node *n, int indent)
{
	ovl_tensor *t = ((const ovl_constant_params *)n->params)->value, *dense, *half = NULL;
	const char *name = free_name(w, l, n->name);
	ovl_status st = OVL_OK;
	if (!t)
		return ovl_fail(w->err, OVL_E_INTERNAL, "constant '%s' has no value", n->name);
	if (!w->compress || t->type != OVL_F32 || makes_shapes(n))
		return plain_constant(w, l, n, name, indent);
	OVL_TRY(ovl_tensor_densify(t, &dense, w->err));
	if (fits_f16(dense))
		st = ovl_tensor_astype(dense, OVL_F16, &half, w->err);
	ovl_tensor_release(dense);
	if (st == OVL_OK)
		st = half ? half_constant(w, l, n, name, half, indent) : plain_constant(w, l, n, name, indent);
	ovl_tensor_release(half);
	return st;
}

/* ---- graphs ---- */

static ovl_status node_layer(writer *w, layout *l, const ovl_node *n, int indent)
{
	const ovl_op *op = n->op;
	if (op->flags & OVL_OP_INTERNAL || n->posts.n)
		return ovl_fail(w->err, OVL_E_UNSUPPORTED, "node '%s' (%s) exists inside of ovlite only and cannot be saved", n->name, op->name);
	for (size_t i = 0; i < n->out.n; i++)
		if (n->out.at[i].type == OVL_SEQUENCE)
			return ovl_fail(w->err, OVL_E_UNSUPPORTED, "node '%s' (%s) gives a sequence, which IR has not", n->name, op->name);
	if (!ovl_names_put(&l->ids, n, l->next_id << 1))
		return no_memory(w);
	open_layer(w, l, indent, free_name(w, l, n->name), op->ir_name ? op->ir_name : op->name, op->since);
	data(w, n, indent + 1);
	layout_info(w, n, indent + 1);
	if (decompression(n))
		rt_attribute(w, indent + 1, "decompression", NULL, NULL);
	OVL_TRY(inputs(w, l, n, indent + 1));
	outputs(w, n, indent + 1);
	OVL_TRY(bodies(w, n, indent + 1));
	close_layer(w, l, indent);
	return OVL_OK;
}

/* Nodes in an order in which sources come first: edges name ids that must be known. */
static ovl_status layers(writer *w, layout *l, ovl_node *const *nodes, size_t n, int indent)
{
	for (size_t i = 0; i < n; i++)
		OVL_TRY(ovl_node_is(nodes[i], "Constant") ? constant(w, l, nodes[i], indent) : node_layer(w, l, nodes[i], indent));
	return w->xml->failed || l->edges.failed ? no_memory(w) : OVL_OK;
}

/* Parameters, the rest, Results: readers take the order of inputs and outputs from the order of layers. */
static ovl_status order_nodes(writer *w, const ovl_graph *g, ovl_node ***order, size_t *count)
{
	ovl_names done = {.by_address = true};
	ovl_node **list = ovl_calloc(g->nodes.n + 1, sizeof *list), **stack = ovl_calloc(g->nodes.n + 1, sizeof *stack);
	size_t *next = ovl_calloc(g->nodes.n + 1, sizeof *next), n = 0;
	ovl_status st = list && stack && next ? OVL_OK : no_memory(w);
	for (size_t i = 0; i < g->parameters.n && st == OVL_OK; i++) {
		list[n++] = g->parameters.at[i];
		st = ovl_names_put(&done, g->parameters.at[i], 1) ? OVL_OK : no_memory(w);
	}
	for (size_t i = 0; i < g->nodes.n && st == OVL_OK; i++) {
		size_t top = 0, seen;
		if (ovl_names_get(&done, g->nodes.at[i], &seen) || ovl_node_is(g->nodes.at[i], "Result"))
			continue;
		stack[0] = g->nodes.at[i];
		next[0] = 0;
		top = 1;
		st = ovl_names_put(&done, stack[0], 1) ? OVL_OK : no_memory(w);
		while (top && st == OVL_OK) {
			ovl_node *node = stack[top - 1], *from;
			if (next[top - 1] == node->in.n) {
				list[n++] = node;
				top--;
				continue;
			}
			from = node->in.at[next[top - 1]++].node;
			if (!from || ovl_names_get(&done, from, &seen))
				continue;
			if (top == g->nodes.n || from->graph != g)
				st = ovl_fail(w->err, OVL_E_INTERNAL, "node '%s' reads from '%s', which is not in the graph", node->name, from->name);
			else if (!ovl_names_put(&done, from, 1))
				st = no_memory(w);
			stack[top] = from;
			next[top++] = 0;
		}
	}
	for (size_t i = 0; i < g->results.n && st == OVL_OK; i++)
		list[n++] = g->results.at[i];
	ovl_names_free(&done);
	ovl_free(stack);
	ovl_free(next);
	*order = list;
	*count = n;
	return st;
}

static void write_edges(writer *w, const ovl_str *edges, int indent)
{
	tabs(w, indent);
	ovl_str_add(w->xml, "<edges>\n");
	for (const char *p = edges->at ? edges->at : ""; *p;) {
		static const char *const names[] = {"from-layer", "from-port", "to-layer", "to-port"};
		tabs(w, indent + 1);
		ovl_str_add(w->xml, "<edge");
		for (int i = 0; i < 4; i++) {
			size_t n = strcspn(p, " \n");
			ovl_str_addf(w->xml, " %s=\"", names[i]);
			ovl_str_addn(w->xml, p, n);
			ovl_str_add(w->xml, "\"");
			p += n + 1;
		}
		ovl_str_add(w->xml, " />\n");
	}
	tabs(w, indent);
	ovl_str_add(w->xml, "</edges>\n");
}

static ovl_status write_graph(writer *w, const ovl_graph *g, int indent, layout *l)
{
	ovl_node **order = NULL;
	size_t n = 0;
	ovl_status st;
	l->graph = g;
	st = order_nodes(w, g, &order, &n);
	tabs(w, indent);
	ovl_str_add(w->xml, "<layers>\n");
	if (st == OVL_OK)
		st = layers(w, l, order, n, indent + 1);
	ovl_free(order);
	tabs(w, indent);
	ovl_str_add(w->xml, "</layers>\n");
	write_edges(w, &l->edges, indent);
	return st;
}

/* ---- meta data ---- */

static bool is_xml_name(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool letter = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') || p[i] == '_';
		if (!letter && (i == 0 || !((p[i] >= '0' && p[i] <= '9') || p[i] == '-' || p[i] == '.')))
			return false;
	}
	return n > 0 && (n < 3 || strncasecmp(p, "xml", 3) != 0) && !(n == 4 && memcmp(p, "info", 4) == 0);
}

/* The length of the key's part at `at`. */
static size_t part_length(const char *at, int depth) { return depth < MAX_META_DEPTH ? strcspn(at, "/") : strlen(at); }

static bool seen_before(const ovl_graph *g, size_t i, size_t prefix, size_t part)
{
	for (size_t k = 0; k < i; k++) {
		const char *a = g->meta.at[k].key, *b = g->meta.at[i].key;
		if (strlen(a) >= prefix + part && memcmp(a, b, prefix + part) == 0 && (a[prefix + part] == '/' || !a[prefix + part]))
			return true;
	}
	return false;
}

/* Keys that share the first `prefix` bytes with key `like`: one element for each next part, with what is below it inside. */
static void meta_level(writer *w, const ovl_graph *g, const char *like, size_t prefix, int depth)
{
	for (size_t i = 0; i < g->meta.n; i++) {
		const char *key = g->meta.at[i].key;
		size_t part;
		const char *value = NULL;
		bool below = false, plain;
		if (strlen(key) < prefix || memcmp(key, like, prefix) != 0)
			continue;
		part = part_length(key + prefix, depth);
		if (seen_before(g, i, prefix, part))
			continue;
		for (size_t k = i; k < g->meta.n; k++) {
			const char *other = g->meta.at[k].key;
			if (strlen(other) < prefix + part || memcmp(other, key, prefix + part) != 0)
				continue;
			if (!other[prefix + part])
				value = g->meta.at[k].value;
			below = below || other[prefix + part] == '/';
		}
		plain = is_xml_name(key + prefix, part);
		tabs(w, depth + 2);
		ovl_str_add(w->xml, "<");
		if (plain)
			ovl_str_addn(w->xml, key + prefix, part);
		else {
			char *name = ovl_strndup(key + prefix, part);
			ovl_str_add(w->xml, "info");
			attribute(w, "name", name ? name : "");
			ovl_free(name);
		}
		if (value)
			attribute(w, "value", value);
		ovl_str_add(w->xml, below ? ">\n" : " />\n");
		if (!below)
			continue;
		meta_level(w, g, key, prefix + part + 1, depth + 1);
		tabs(w, depth + 2);
		ovl_str_add(w->xml, "</");
		ovl_str_addn(w->xml, plain ? key + prefix : "info", plain ? part : 4);
		ovl_str_add(w->xml, ">\n");
	}
}

static ovl_status write_model(writer *w, const ovl_graph *g)
{
	layout l = {.ids = {.by_address = true}};
	ovl_status st;
	ovl_str_add(w->xml, "<?xml version=\"1.0\"?>\n<net");
	attribute(w, "name", g->name);
	attribute(w, "version", "11");
	ovl_str_add(w->xml, ">\n");
	st = write_graph(w, g, 1, &l);
	free_layout(&l);
	ovl_str_add(w->xml, "\t<rt_info>\n");
	meta_level(w, g, "", 0, 0);
	ovl_str_add(w->xml, "\t</rt_info>\n</net>\n");
	return st == OVL_OK && (w->xml->failed || w->bin->failed) ? no_memory(w) : st;
}

ovl_status ovl_write_ir_memory(const ovl_graph *g, bool compress_to_fp16, ovl_str *xml, ovl_str *bin, ovl_error *err)
{
	writer *w = ovl_calloc(1, sizeof *w);
	ovl_status st;
	*xml = *bin = (ovl_str){0};
	if (!w)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for the IR");
	w->xml = xml;
	w->bin = bin;
	w->compress = compress_to_fp16;
	w->err = err;
	st = write_model(w, g);
	ovl_vec_free(&w->blobs);
	ovl_free(w);
	return st;
}

static ovl_status make_folders(const char *path, ovl_error *err)
{
	char *copy = ovl_strdup(path);
	ovl_status st = OVL_OK;
	if (!copy)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory");
	for (char *p = copy + 1; *copy && *p && st == OVL_OK; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(copy, 0777) != 0 && errno != EEXIST)
			st = ovl_fail(err, OVL_E_IO, "cannot make the folder '%s': %s", copy, strerror(errno));
		*p = '/';
	}
	ovl_free(copy);
	return st;
}

ovl_status ovl_write_ir(const ovl_graph *g, const char *xml_path, bool compress_to_fp16, ovl_error *err)
{
	size_t n = strlen(xml_path);
	ovl_str xml, bin;
	char *bin_path;
	ovl_status st;
	if (n < 5 || strcmp(xml_path + n - 4, ".xml") != 0)
		return ovl_fail(err, OVL_E_ARGUMENT, "cannot write '%s': the name must end in .xml", xml_path);
	bin_path = ovl_strdup(xml_path);
	if (!bin_path)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory");
	memcpy(bin_path + n - 4, ".bin", 4);
	st = ovl_write_ir_memory(g, compress_to_fp16, &xml, &bin, err);
	if (st == OVL_OK)
		st = make_folders(xml_path, err);
	if (st == OVL_OK)
		st = ovl_file_write(bin_path, bin.n ? bin.at : "", bin.n, err);
	if (st == OVL_OK)
		st = ovl_file_write(xml_path, xml.at, xml.n, err);
	ovl_str_free(&xml);
	ovl_str_free(&bin);
	ovl_free(bin_path);
	return st;
}
