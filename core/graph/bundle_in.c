/* Reading bundles: see bundle.h. Whatever does not fit sets `bad`, and everything read from then on is zero. */
#include "graph/bundle.h"
#include "graph/bundle_format.h"
#include "graph/infer.h"

#include <string.h>

enum { MAX_BODIES_DEPTH = 32 };

ovl_status ovl_bundle_bad(ovl_error *err) { return ovl_fail(err, OVL_E_PARSE, "the stored model is broken: its records do not fit together"); }

static uint64_t load64(const uint8_t *p)
{
	uint64_t v = 0;
	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

uint64_t ovl_bundle_get(ovl_bundle_in *in)
{
	if (in->bad || in->end - in->p < 8) {
		in->bad = true;
		return 0;
	}
	in->p += 8;
	return load64(in->p - 8);
}

/* A count of things that take at least 8 bytes each in what is left. */
static size_t get_count(ovl_bundle_in *in)
{
	uint64_t n = ovl_bundle_get(in);
	if (n > (uint64_t)(in->end - in->p) / 8)
		in->bad = true;
	return in->bad ? 0 : (size_t)n;
}

static const char *get_bytes(ovl_bundle_in *in, size_t *n)
{
	uint64_t size = ovl_bundle_get(in);
	const char *s = (const char *)in->p;
	*n = 0;
	if (in->bad || size >= (uint64_t)(in->end - in->p) || s[size] != 0) {
		in->bad = true;
		return "";
	}
	in->p += size + 1;
	*n = (size_t)size;
	return s;
}

const char *ovl_bundle_get_text(ovl_bundle_in *in)
{
	size_t n;
	return ovl_bundle_get(in) ? get_bytes(in, &n) : NULL;
}

static const char *need_text(ovl_bundle_in *in)
{
	const char *s = ovl_bundle_get_text(in);
	in->bad = in->bad || !s;
	return s ? s : "";
}

static double get_double(ovl_bundle_in *in)
{
	uint64_t bits = ovl_bundle_get(in);
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

static float get_float(ovl_bundle_in *in)
{
	uint32_t bits = (uint32_t)ovl_bundle_get(in);
	float v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

void ovl_bundle_get_shape(ovl_bundle_in *in, ovl_pshape *s)
{
	uint64_t rank = ovl_bundle_get(in);
	*s = ovl_pshape_any();
	if (rank == UINT64_MAX)
		return;
	if (rank > OVL_MAX_RANK) {
		in->bad = true;
		return;
	}
	*s = ovl_pshape_rank((int)rank);
	for (int i = 0; i < s->rank; i++) {
		s->dims[i].min = (int64_t)ovl_bundle_get(in);
		s->dims[i].max = (int64_t)ovl_bundle_get(in);
		in->bad = in->bad || s->dims[i].min < 0 || s->dims[i].max < s->dims[i].min;
	}
}

/* ---- the file ---- */

typedef struct check {
	const ovl_bundle_in *in;
	bool mapped;
	int wrong;
} check;

/* Parts of blobs hash each other's work apart: a blob a chunk. Large blobs dominate, and there are several. */
static void check_blob(void *arg, int64_t i, int worker)
{
	check *c = arg;
	const uint8_t *row = c->in->table + (size_t)i * OVL_BUNDLE_ROW, *data = c->in->blobs + load64(row);
	size_t size = (size_t)load64(row + 8);
	ovl_hash want = {load64(row + 16), load64(row + 24)};
	(void)worker;
	if (!ovl_hash_equal(want, ovl_hash_of(data, size, NULL)))
		__atomic_store_n(&c->wrong, 1, __ATOMIC_RELAXED);
	if (c->mapped) /* the plan wants the packed half only */
		ovl_file_forget(data, size);
}

static ovl_status check_table(const ovl_bundle_in *in, ovl_error *err)
{
	for (size_t i = 0; i < in->n_blobs; i++) {
		uint64_t offset = load64(in->table + i * OVL_BUNDLE_ROW), size = load64(in->table + i * OVL_BUNDLE_ROW + 8);
		if (offset % 64 || offset > in->blob_bytes || size > in->blob_bytes - offset)
			return ovl_bundle_bad(err);
	}
	return OVL_OK;
}

ovl_status ovl_bundle_open(ovl_bundle_in *in, ovl_buffer *file, ovl_pool *pool, ovl_error *err)
{
	const uint8_t *p = file->data;
	uint64_t format, size, records, n;
	ovl_hash want;
	memset(in, 0, sizeof *in);
	if (file->size < OVL_BUNDLE_HEAD || memcmp(p, OVL_BUNDLE_MAGIC, 8) != 0)
		return ovl_fail(err, OVL_E_PARSE, "these %zu bytes are not a model that ovlite has stored", file->size);
	format = load64(p + 8), size = load64(p + 16), records = load64(p + 24), n = load64(p + 32);
	want = (ovl_hash){load64(p + 40), load64(p + 48)};
	if (format != OVL_BUNDLE_FORMAT)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "the stored model has format %llu, this version reads %d", (unsigned long long)format, OVL_BUNDLE_FORMAT);
	if (size != file->size)
		return ovl_fail(err, OVL_E_PARSE, "the stored model is cut off: it has %zu bytes of %llu", file->size, (unsigned long long)size);
	if (n > (size - OVL_BUNDLE_HEAD) / OVL_BUNDLE_ROW || records > size - OVL_BUNDLE_HEAD - n * OVL_BUNDLE_ROW)
		return ovl_bundle_bad(err);
	in->n_blobs = (size_t)n;
	in->table = p + OVL_BUNDLE_HEAD;
	in->p = in->table + n * OVL_BUNDLE_ROW;
	in->end = in->blobs = in->p + records;
	in->blob_bytes = (size_t)(p + size - in->blobs);
	if (!ovl_hash_equal(want, ovl_hash_join(ovl_hash_of(in->p, (size_t)records, NULL), ovl_hash_of(in->table, (size_t)n * OVL_BUNDLE_ROW, NULL))))
		return ovl_fail(err, OVL_E_PARSE, "the stored model is broken: its contents have changed");
	OVL_TRY(check_table(in, err));
	if (pool) {
		check c = {.in = in, .mapped = ovl_buffer_is_file(file)};
		ovl_pool_run(pool, (int64_t)n, check_blob, &c);
		if (c.wrong)
			return ovl_fail(err, OVL_E_PARSE, "the stored model is broken: its weights have changed");
	}
	in->file = ovl_buffer_retain(file);
	return OVL_OK;
}

void ovl_bundle_close_in(ovl_bundle_in *in)
{
	ovl_buffer_release(in->file);
	memset(in, 0, sizeof *in);
}

bool ovl_bundle_blob_at(ovl_bundle_in *in, uint64_t index, const void **data, size_t *size)
{
	if (in->bad || index >= in->n_blobs) {
		in->bad = true;
		return false;
	}
	*data = in->blobs + load64(in->table + index * OVL_BUNDLE_ROW);
	*size = (size_t)load64(in->table + index * OVL_BUNDLE_ROW + 8);
	return true;
}

/* ---- tensors ---- */

static ovl_status get_strings(ovl_bundle_in *in, const ovl_shape *shape, int64_t count, ovl_tensor **out, ovl_error *err)
{
	if (count > (in->end - in->p) / 9) /* a length and an end each */
		return ovl_bundle_bad(err);
	OVL_TRY(ovl_tensor_new(OVL_STRING, shape, out, err));
	for (int64_t i = 0; i < count; i++) {
		size_t n;
		const char *s = get_bytes(in, &n);
		OVL_TRY(ovl_tensor_set_string(*out, i, s, n, err));
	}
	return OVL_OK;
}

static bool clean_booleans(const ovl_tensor *t)
{
	const uint8_t *p = t->data;
	for (int64_t i = 0, n = t->type == OVL_BOOLEAN ? ovl_tensor_count(t) : 0; i < n; i++)
		if (p[i] > 1)
			return false;
	return true;
}

static ovl_status get_tensor(ovl_bundle_in *in, ovl_tensor **out, ovl_error *err)
{
	ovl_type type;
	ovl_shape shape = {0};
	int64_t count;
	size_t bytes, size = 0;
	const void *data = NULL;
	*out = NULL;
	if (!ovl_bundle_get(in))
		return in->bad ? ovl_bundle_bad(err) : OVL_OK;
	if (!ovl_type_parse(need_text(in), &type) || type == OVL_DYNAMIC || type == OVL_SEQUENCE)
		return ovl_bundle_bad(err);
	shape.rank = (int)ovl_bundle_get(in);
	if (in->bad || shape.rank < 0 || shape.rank > OVL_MAX_RANK)
		return ovl_bundle_bad(err);
	for (int i = 0; i < shape.rank; i++)
		shape.dims[i] = (int64_t)ovl_bundle_get(in);
	for (int i = 0; i < shape.rank; i++)
		if (shape.dims[i] < 0)
			return ovl_bundle_bad(err);
	if (!ovl_shape_count(&shape, &count) || !ovl_type_bytes(type, count, &bytes))
		return ovl_bundle_bad(err);
	if (type == OVL_STRING)
		return get_strings(in, &shape, count, out, err);
	if (!ovl_bundle_blob_at(in, ovl_bundle_get(in), &data, &size) || size != bytes)
		return ovl_bundle_bad(err);
	OVL_TRY(ovl_tensor_on(in->file, (size_t)((const char *)data - (const char *)in->file->data), type, &shape, out, err));
	return clean_booleans(*out) ? OVL_OK : ovl_bundle_bad(err);
}

/* ---- nodes ---- */

static ovl_status get_list(ovl_bundle_in *in, const ovl_attr *a, void *params, ovl_attr_value *v, ovl_error *err)
{
	size_t n = v->n = get_count(in);
	int64_t *ints = ovl_calloc(n + 1, sizeof *ints);
	float *floats = (float *)(void *)ints;
	const char **strings = (const char **)(void *)ints;
	ovl_status st;
	if (!ints)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
	for (size_t i = 0; i < n; i++)
		switch (a->kind) {
		case OVL_KIND_INTS: ints[i] = (int64_t)ovl_bundle_get(in); break;
		case OVL_KIND_FLOATS: floats[i] = (float)get_double(in); break;
		default: strings[i] = need_text(in);
		}
	v->ints = ints, v->floats = floats, v->strings = strings;
	st = in->bad ? ovl_bundle_bad(err) : ovl_attr_set(a, params, v, err);
	ovl_free(ints);
	return st;
}

static ovl_status get_attr(ovl_bundle_in *in, ovl_node *n, ovl_error *err)
{
	const char *name = need_text(in);
	const ovl_attr *a = ovl_attrs_find(n->op->attrs, name);
	ovl_attr_value v = {0};
	ovl_tensor *t = NULL;
	ovl_pshape shape;
	ovl_status st;
	size_t len;
	if (in->bad || !a || ovl_bundle_get(in) != (uint64_t)a->kind)
		return in->bad ? ovl_bundle_bad(err) : ovl_fail(err, OVL_E_UNSUPPORTED, "the stored model has an attribute '%s' of %s that this version lacks", name, n->op->name);
	v.kind = a->kind;
	switch (a->kind) {
	case OVL_KIND_INT:
	case OVL_KIND_BOOL: v.i = (int64_t)ovl_bundle_get(in); break;
	case OVL_KIND_FLOAT:
	case OVL_KIND_DOUBLE: v.kind = OVL_KIND_DOUBLE, v.f = get_double(in); break;
	case OVL_KIND_STRING:
		v.s = ovl_bundle_get_text(in);
		if (!v.s)
			return in->bad ? ovl_bundle_bad(err) : OVL_OK;
		break;
	case OVL_KIND_ENUM: v.kind = OVL_KIND_STRING, v.s = get_bytes(in, &len); break;
	case OVL_KIND_TYPE:
		if (!ovl_type_parse(need_text(in), &v.type))
			return ovl_bundle_bad(err);
		break;
	case OVL_KIND_SHAPE: ovl_bundle_get_shape(in, &shape), v.shape = &shape; break;
	case OVL_KIND_TENSOR:
		st = get_tensor(in, &t, err);
		if (st == OVL_OK && t)
			v.tensor = t, st = ovl_attr_set(a, n->params, &v, err);
		ovl_tensor_release(t);
		return st;
	default: return get_list(in, a, n->params, &v, err);
	}
	return in->bad ? ovl_bundle_bad(err) : ovl_attr_set(a, n->params, &v, err);
}

static const ovl_op *find_op(const char *name, uint64_t since)
{
	const ovl_op *op = ovl_op_find(name, (int)(since <= 64 ? since : 0));
	if (op && op->since == (int)since)
		return op;
	for (size_t i = 0; (op = ovl_op_at(i)); i++) /* internal ones, and names that several families share */
		if (op->since == (int)since && strcmp(op->name, name) == 0)
			return op;
	return NULL;
}

static ovl_status read_graph(ovl_bundle_in *in, int depth, ovl_graph **out, ovl_error *err);

/* Every position in a body's maps is one of the node's or the body's. */
static bool inside(int64_t v, size_t n) { return v >= 0 && (uint64_t)v < n; }

static ovl_status get_maps(ovl_bundle_in *in, const ovl_node *n, ovl_body *b, ovl_error *err)
{
	size_t parameters = b->graph->parameters.n, results = b->graph->results.n;
	int64_t v[8];
	for (size_t i = get_count(in); i > 0 && !in->bad; i--) {
		for (int k = 0; k < 8; k++)
			v[k] = (int64_t)ovl_bundle_get(in);
		if (!inside(v[0], n->in.n) || !inside(v[1], parameters))
			return ovl_bundle_bad(err);
		if (!ovl_vec_push(&b->ins, ((ovl_body_in){(int)v[0], (int)v[1], v[2] != 0, v[3], v[4], v[5], v[6], v[7]})))
			return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
	}
	for (size_t i = get_count(in); i > 0 && !in->bad; i--) {
		for (int k = 0; k < 8; k++)
			v[k] = (int64_t)ovl_bundle_get(in);
		if (!inside(v[0], 1024) || !inside(v[1], results))
			return ovl_bundle_bad(err);
		if (!ovl_vec_push(&b->outs, ((ovl_body_out){(int)v[0], (int)v[1], v[2] != 0, v[3], v[4], v[5], v[6], v[7]})))
			return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
	}
	for (size_t i = get_count(in); i > 0 && !in->bad; i--) {
		v[0] = (int64_t)ovl_bundle_get(in);
		v[1] = (int64_t)ovl_bundle_get(in);
		if (!inside(v[0], results) || !inside(v[1], parameters))
			return ovl_bundle_bad(err);
		if (!ovl_vec_push(&b->back, ((ovl_back_edge){(int)v[0], (int)v[1]})))
			return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
	}
	v[0] = (int64_t)ovl_bundle_get(in);
	v[1] = (int64_t)ovl_bundle_get(in);
	if (in->bad || (v[0] != -1 && !inside(v[0], parameters)) || (v[1] != -1 && !inside(v[1], results)))
		return ovl_bundle_bad(err);
	b->iteration_parameter = (int)v[0];
	b->condition_result = (int)v[1];
	return OVL_OK;
}

static ovl_status get_body(ovl_bundle_in *in, ovl_node *n, int depth, ovl_error *err)
{
	ovl_graph *g;
	ovl_body *b;
	OVL_TRY(read_graph(in, depth + 1, &g, err));
	if (ovl_node_add_body(n, g, &b, err) != OVL_OK) {
		ovl_graph_free(g);
		return err->code;
	}
	return get_maps(in, n, b, err);
}

static ovl_status get_tail(ovl_bundle_in *in, ovl_node *n, ovl_error *err)
{
	size_t posts = get_count(in), fused;
	if (posts > OVL_MAX_POSTS)
		return ovl_bundle_bad(err);
	for (size_t i = 0; i < posts; i++) {
		ovl_post p = {.kind = (ovl_post_kind)ovl_bundle_get(in)};
		p.input = (int)(int64_t)ovl_bundle_get(in);
		p.alpha = get_float(in);
		p.beta = get_float(in);
		if (in->bad || (unsigned)p.kind >= OVL_POST_COUNT || (ovl_post_binary(p.kind) ? !inside(p.input, n->in.n) || !n->in.at[p.input].node : p.input != -1))
			return ovl_bundle_bad(err);
		if (!ovl_vec_push(&n->posts, p))
			return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
	}
	fused = get_count(in);
	for (size_t i = 0; i < fused; i++) {
		char *name = ovl_strdup(need_text(in));
		if (!name || !ovl_vec_push(&n->fused, name)) {
			ovl_free(name);
			return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
		}
	}
	return in->bad ? ovl_bundle_bad(err) : OVL_OK;
}

/* Inputs are earlier nodes: a stored graph is in order, so there is no cycle either. */
static ovl_status get_inputs(ovl_bundle_in *in, const ovl_graph *g, ovl_node *n, ovl_error *err)
{
	size_t count = get_count(in);
	for (size_t i = 0; i < count; i++) {
		uint64_t index = ovl_bundle_get(in), port = ovl_bundle_get(in);
		ovl_end end = {0};
		if (in->bad || (index != UINT64_MAX && (index >= g->nodes.n || port >= g->nodes.at[index]->out.n)))
			return ovl_bundle_bad(err);
		if (index != UINT64_MAX)
			end = (ovl_end){g->nodes.at[index], (int)port};
		OVL_TRY(ovl_node_add_input(n, end, err));
	}
	return OVL_OK;
}

static ovl_status get_names(ovl_bundle_in *in, ovl_node *n, ovl_error *err)
{
	size_t outputs = get_count(in);
	if (outputs != n->out.n)
		return ovl_bundle_bad(err);
	for (size_t i = 0; i < outputs; i++)
		for (size_t k = get_count(in); k > 0 && !in->bad; k--)
			OVL_TRY(ovl_node_add_name(n, (int)i, need_text(in), err));
	return in->bad ? ovl_bundle_bad(err) : OVL_OK;
}

static ovl_status fill_node(ovl_bundle_in *in, const ovl_graph *g, ovl_node *n, int depth, ovl_error *err)
{
	size_t bodies;
	for (size_t i = get_count(in); i > 0; i--)
		OVL_TRY(get_attr(in, n, err));
	OVL_TRY(get_inputs(in, g, n, err));
	OVL_TRY(get_tail(in, n, err));
	bodies = get_count(in);
	for (size_t i = 0; i < bodies; i++)
		OVL_TRY(get_body(in, n, depth, err));
	if (in->bad)
		return ovl_bundle_bad(err);
	OVL_TRY(ovl_node_infer(n, err));
	return get_names(in, n, err);
}

static ovl_status get_node(ovl_bundle_in *in, ovl_graph *g, int depth, ovl_error *err)
{
	const char *type = need_text(in);
	uint64_t since = ovl_bundle_get(in), opset = ovl_bundle_get(in);
	const char *name = need_text(in);
	const ovl_op *op = in->bad ? NULL : find_op(type, since);
	ovl_node *n;
	ovl_status st;
	if (!op)
		return in->bad ? ovl_bundle_bad(err) : ovl_fail(err, OVL_E_UNSUPPORTED, "the stored model has an operator %s that this version lacks", type);
	OVL_TRY(ovl_node_new(op, (int)(opset & 0xff), name, &n, err));
	st = fill_node(in, g, n, depth, err);
	if (st == OVL_OK)
		st = ovl_vec_push(&g->nodes, n) ? OVL_OK : ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
	if (st == OVL_OK)
		n->graph = g;
	else
		ovl_node_release(n);
	return st;
}

static ovl_status get_node_list(ovl_bundle_in *in, const ovl_graph *g, const char *type, ovl_node ***at, size_t *n, size_t *cap, ovl_error *err)
{
	size_t count = get_count(in);
	if (count > *cap && !ovl_grow(at, cap, count, sizeof **at))
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
	for (size_t i = 0; i < count; i++) {
		uint64_t index = ovl_bundle_get(in);
		if (in->bad || index >= g->nodes.n || (type && !ovl_node_is(g->nodes.at[index], type)) || (!type && !(g->nodes.at[index]->op->flags & OVL_OP_SINK)))
			return ovl_bundle_bad(err);
		(*at)[(*n)++] = g->nodes.at[index];
	}
	return OVL_OK;
}

static ovl_status fill_graph(ovl_bundle_in *in, int depth, ovl_graph *g, ovl_error *err)
{
	size_t nodes = get_count(in);
	for (size_t i = 0; i < nodes; i++)
		OVL_TRY(get_node(in, g, depth, err));
	OVL_TRY(get_node_list(in, g, "Parameter", &g->parameters.at, &g->parameters.n, &g->parameters.cap, err));
	OVL_TRY(get_node_list(in, g, "Result", &g->results.at, &g->results.n, &g->results.cap, err));
	OVL_TRY(get_node_list(in, g, NULL, &g->sinks.at, &g->sinks.n, &g->sinks.cap, err));
	for (size_t i = get_count(in); i > 0; i--) {
		const char *key = need_text(in), *value = need_text(in);
		OVL_TRY(ovl_graph_add_meta(g, key, value, err));
	}
	if (in->bad)
		return ovl_bundle_bad(err);
	return ovl_graph_check(g, err);
}

static ovl_status read_graph(ovl_bundle_in *in, int depth, ovl_graph **out, ovl_error *err)
{
	const char *name = need_text(in);
	ovl_graph *g;
	ovl_status st;
	if (in->bad || depth > MAX_BODIES_DEPTH)
		return ovl_bundle_bad(err);
	g = ovl_graph_new(name);
	if (!g)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
	st = fill_graph(in, depth, g, err);
	if (st == OVL_OK)
		*out = g;
	else
		ovl_graph_free(g);
	return st;
}

ovl_status ovl_bundle_get_graph(ovl_bundle_in *in, ovl_graph **out, ovl_error *err) { return read_graph(in, 0, out, err); }
