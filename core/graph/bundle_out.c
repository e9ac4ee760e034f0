/* Writing bundles: see bundle.h. */
#include "graph/bundle.h"
#include "graph/bundle_format.h"

#include <string.h>

void ovl_bundle_put(ovl_bundle_out *o, uint64_t v)
{
	unsigned char b[8];
	for (int i = 0; i < 8; i++)
		b[i] = (unsigned char)(v >> (8 * i));
	ovl_str_addn(&o->records, (const char *)b, 8);
}

static void put_bytes(ovl_bundle_out *o, const char *bytes, size_t n)
{
	ovl_bundle_put(o, n);
	ovl_str_addn(&o->records, bytes, n);
	ovl_str_addn(&o->records, "", 1); /* ends in NUL where it lies */
}

void ovl_bundle_put_text(ovl_bundle_out *o, const char *s)
{
	ovl_bundle_put(o, s != NULL);
	if (s)
		put_bytes(o, s, strlen(s));
}

static void put_double(ovl_bundle_out *o, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	ovl_bundle_put(o, bits);
}

void ovl_bundle_put_shape(ovl_bundle_out *o, const ovl_pshape *s)
{
	ovl_bundle_put(o, s->ranked ? (uint64_t)s->rank : UINT64_MAX);
	for (int i = 0; s->ranked && i < s->rank; i++) {
		ovl_bundle_put(o, (uint64_t)s->dims[i].min);
		ovl_bundle_put(o, (uint64_t)s->dims[i].max);
	}
}

/* ---- blobs ---- */

static size_t slot_of(const ovl_bundle_out *o, const void *data) { return (size_t)(((uintptr_t)data >> 4) * 0x9e3779b1u) & (o->n_slots - 1); }

static bool grow_slots(ovl_bundle_out *o)
{
	size_t n = o->n_slots ? o->n_slots * 2 : 64;
	ovl_free(o->slots);
	o->slots = ovl_calloc(n, sizeof *o->slots);
	o->n_slots = o->slots ? n : 0;
	for (size_t i = 0; o->slots && i < o->blobs.n; i++) {
		size_t k = slot_of(o, o->blobs.at[i].data);
		while (o->slots[k])
			k = (k + 1) & (n - 1);
		o->slots[k] = (uint32_t)i + 1;
	}
	return o->slots != NULL;
}

static bool find_blob(const ovl_bundle_out *o, const void *data, size_t size, bool any_size, uint64_t *index)
{
	if (!o->n_slots)
		return false;
	for (size_t k = slot_of(o, data); o->slots[k]; k = (k + 1) & (o->n_slots - 1)) {
		const ovl_bundle_blob *b = &o->blobs.at[o->slots[k] - 1];
		*index = o->slots[k] - 1;
		if (b->data == data && (any_size || b->size == size))
			return true;
	}
	return false;
}

bool ovl_bundle_blob_of(const ovl_bundle_out *o, const void *data, uint64_t *index) { return find_blob(o, data, 0, true, index); }

void ovl_bundle_put_blob(ovl_bundle_out *o, const void *data, size_t size)
{
	uint64_t index;
	if (!find_blob(o, data, size, false, &index)) {
		index = o->blobs.n;
		if (!ovl_vec_push(&o->blobs, ((ovl_bundle_blob){data, size})) || (2 * o->blobs.n > o->n_slots && !grow_slots(o))) {
			o->failed = true;
			return;
		}
		if (2 * o->blobs.n <= o->n_slots) {
			size_t k = slot_of(o, data);
			while (o->slots[k] && o->slots[k] != (uint32_t)index + 1)
				k = (k + 1) & (o->n_slots - 1);
			o->slots[k] = (uint32_t)index + 1;
		}
	}
	ovl_bundle_put(o, index);
}

/* ---- tensors ---- */

static ovl_status put_strings(ovl_bundle_out *o, const ovl_tensor *t)
{
	const ovl_string *s = t->data;
	for (int64_t i = 0, n = ovl_tensor_count(t); i < n; i++)
		put_bytes(o, s[i].data ? s[i].data : "", s[i].size);
	return OVL_OK;
}

static ovl_status put_tensor(ovl_bundle_out *o, ovl_tensor *t, ovl_error *err)
{
	ovl_bundle_put(o, t != NULL);
	if (!t)
		return OVL_OK;
	if (ovl_type_owns(t->type) && t->type != OVL_STRING)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "constants of type %s cannot be stored", ovl_type_name(t->type));
	OVL_TRY(ovl_tensor_densify(t, &t, err));
	if (!ovl_vec_push(&o->kept, t)) {
		ovl_tensor_release(t);
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory to store a model");
	}
	ovl_bundle_put_text(o, ovl_type_name(t->type));
	ovl_bundle_put(o, (uint64_t)t->shape.rank);
	for (int i = 0; i < t->shape.rank; i++)
		ovl_bundle_put(o, (uint64_t)t->shape.dims[i]);
	if (t->type == OVL_STRING)
		return put_strings(o, t);
	ovl_bundle_put_blob(o, t->data, ovl_tensor_bytes(t));
	return OVL_OK;
}

/* ---- nodes ---- */

static ovl_status put_attr(ovl_bundle_out *o, const ovl_attr *a, const void *params, ovl_error *err)
{
	ovl_attr_value v;
	OVL_TRY(ovl_attr_get(a, params, &v, err));
	ovl_bundle_put_text(o, a->name);
	ovl_bundle_put(o, (uint64_t)a->kind);
	switch (a->kind) {
	case OVL_KIND_INT:
	case OVL_KIND_BOOL: ovl_bundle_put(o, (uint64_t)v.i); break;
	case OVL_KIND_FLOAT:
	case OVL_KIND_DOUBLE: put_double(o, v.f); break;
	case OVL_KIND_STRING: ovl_bundle_put_text(o, v.s); break;
	case OVL_KIND_ENUM: put_bytes(o, v.s, v.n); break;
	case OVL_KIND_TYPE: ovl_bundle_put_text(o, ovl_type_name(v.type)); break;
	case OVL_KIND_SHAPE: ovl_bundle_put_shape(o, v.shape); break;
	case OVL_KIND_INTS:
		ovl_bundle_put(o, v.n);
		for (size_t i = 0; i < v.n; i++)
			ovl_bundle_put(o, (uint64_t)v.ints[i]);
		break;
	case OVL_KIND_FLOATS:
		ovl_bundle_put(o, v.n);
		for (size_t i = 0; i < v.n; i++)
			put_double(o, v.floats[i]);
		break;
	case OVL_KIND_STRINGS:
		ovl_bundle_put(o, v.n);
		for (size_t i = 0; i < v.n; i++)
			ovl_bundle_put_text(o, v.strings[i]);
		break;
	case OVL_KIND_TENSOR: return put_tensor(o, v.tensor, err);
	default: break;
	}
	return OVL_OK;
}

static void put_float(ovl_bundle_out *o, float v)
{
	uint32_t bits;
	memcpy(&bits, &v, sizeof bits);
	ovl_bundle_put(o, bits);
}

static ovl_status put_body(ovl_bundle_out *o, const ovl_body *b, ovl_error *err)
{
	OVL_TRY(ovl_bundle_put_graph(o, b->graph, err));
	ovl_bundle_put(o, b->ins.n);
	for (size_t i = 0; i < b->ins.n; i++) {
		const ovl_body_in *m = &b->ins.at[i];
		const int64_t v[] = {m->input, m->parameter, m->sliced, m->axis, m->start, m->end, m->stride, m->part_size};
		for (size_t k = 0; k < sizeof v / sizeof *v; k++)
			ovl_bundle_put(o, (uint64_t)v[k]);
	}
	ovl_bundle_put(o, b->outs.n);
	for (size_t i = 0; i < b->outs.n; i++) {
		const ovl_body_out *m = &b->outs.at[i];
		const int64_t v[] = {m->output, m->result, m->sliced, m->axis, m->start, m->end, m->stride, m->part_size};
		for (size_t k = 0; k < sizeof v / sizeof *v; k++)
			ovl_bundle_put(o, (uint64_t)v[k]);
	}
	ovl_bundle_put(o, b->back.n);
	for (size_t i = 0; i < b->back.n; i++) {
		ovl_bundle_put(o, (uint64_t)b->back.at[i].result);
		ovl_bundle_put(o, (uint64_t)b->back.at[i].parameter);
	}
	ovl_bundle_put(o, (uint64_t)(int64_t)b->iteration_parameter);
	ovl_bundle_put(o, (uint64_t)(int64_t)b->condition_result);
	return OVL_OK;
}

static ovl_status put_node(ovl_bundle_out *o, const ovl_node *n, ovl_error *err)
{
	size_t attrs = 0;
	ovl_bundle_put_text(o, n->op->name);
	ovl_bundle_put(o, (uint64_t)n->op->since);
	ovl_bundle_put(o, (uint64_t)n->opset);
	ovl_bundle_put_text(o, n->name);
	for (const ovl_attr *a = n->op->attrs; a && a->kind != OVL_KIND_END; a++)
		attrs++;
	ovl_bundle_put(o, attrs);
	for (size_t i = 0; i < attrs; i++)
		OVL_TRY(put_attr(o, &n->op->attrs[i], n->params, err));
	ovl_bundle_put(o, n->in.n);
	for (size_t i = 0; i < n->in.n; i++) {
		ovl_bundle_put(o, n->in.at[i].node ? (uint64_t)n->in.at[i].node->index : UINT64_MAX);
		ovl_bundle_put(o, (uint64_t)n->in.at[i].port);
	}
	ovl_bundle_put(o, n->posts.n);
	for (size_t i = 0; i < n->posts.n; i++) {
		ovl_bundle_put(o, (uint64_t)n->posts.at[i].kind);
		ovl_bundle_put(o, (uint64_t)(int64_t)n->posts.at[i].input);
		put_float(o, n->posts.at[i].alpha);
		put_float(o, n->posts.at[i].beta);
	}
	ovl_bundle_put(o, n->fused.n);
	for (size_t i = 0; i < n->fused.n; i++)
		ovl_bundle_put_text(o, n->fused.at[i]);
	ovl_bundle_put(o, n->bodies.n);
	for (size_t i = 0; i < n->bodies.n; i++)
		OVL_TRY(put_body(o, &n->bodies.at[i], err));
	ovl_bundle_put(o, n->out.n);
	for (size_t i = 0; i < n->out.n; i++) {
		ovl_bundle_put(o, n->out.at[i].names.n);
		for (size_t k = 0; k < n->out.at[i].names.n; k++)
			ovl_bundle_put_text(o, n->out.at[i].names.at[k]);
	}
	return OVL_OK;
}

static void put_list(ovl_bundle_out *o, ovl_node *const *at, size_t n)
{
	ovl_bundle_put(o, n);
	for (size_t i = 0; i < n; i++)
		ovl_bundle_put(o, (uint64_t)at[i]->index);
}

ovl_status ovl_bundle_put_graph(ovl_bundle_out *o, const ovl_graph *g, ovl_error *err)
{
	ovl_bundle_put_text(o, g->name);
	ovl_bundle_put(o, g->nodes.n);
	for (size_t i = 0; i < g->nodes.n; i++)
		g->nodes.at[i]->index = (int)i;
	for (size_t i = 0; i < g->nodes.n; i++)
		OVL_TRY(put_node(o, g->nodes.at[i], err));
	put_list(o, g->parameters.at, g->parameters.n);
	put_list(o, g->results.at, g->results.n);
	put_list(o, g->sinks.at, g->sinks.n);
	ovl_bundle_put(o, g->meta.n);
	for (size_t i = 0; i < g->meta.n; i++) {
		ovl_bundle_put_text(o, g->meta.at[i].key);
		ovl_bundle_put_text(o, g->meta.at[i].value);
	}
	return OVL_OK;
}

/* ---- the whole ---- */

static void head64(ovl_str *s, uint64_t v)
{
	for (int i = 0; i < 8; i++) {
		char b = (char)(v >> (8 * i));
		ovl_str_addn(s, &b, 1);
	}
}

static void head_hash(ovl_str *s, ovl_hash h)
{
	head64(s, h.a);
	head64(s, h.b);
}

ovl_status ovl_bundle_close(ovl_bundle_out *o, ovl_pool *pool, ovl_error *err)
{
	static const char zeros[64];
	uint64_t at = 0;
	ovl_str table = {0};
	size_t first = OVL_BUNDLE_HEAD + o->blobs.n * OVL_BUNDLE_ROW + o->records.n, pad = -first & 63;
	ovl_str_addn(&o->records, zeros, pad); /* so that the blobs begin aligned */
	for (size_t i = 0; i < o->blobs.n; i++) {
		head64(&table, at);
		head64(&table, o->blobs.at[i].size);
		head_hash(&table, ovl_hash_of(o->blobs.at[i].data, o->blobs.at[i].size, pool));
		at += (o->blobs.at[i].size + 63) & ~(uint64_t)63;
	}
	ovl_str_addn(&o->head, OVL_BUNDLE_MAGIC, 8);
	head64(&o->head, OVL_BUNDLE_FORMAT);
	head64(&o->head, OVL_BUNDLE_HEAD + table.n + o->records.n + at);
	head64(&o->head, o->records.n);
	head64(&o->head, o->blobs.n);
	head_hash(&o->head, ovl_hash_join(ovl_hash_of(o->records.at, o->records.n, NULL), ovl_hash_of(table.at, table.n, NULL)));
	ovl_str_addn(&o->head, table.at, table.n);
	o->failed = o->failed || table.failed || o->head.failed || o->records.failed;
	ovl_str_free(&table);
	o->closed = true;
	return o->failed ? ovl_fail(err, OVL_E_MEMORY, "not enough memory to store a model") : OVL_OK;
}

ovl_status ovl_bundle_parts(ovl_bundle_out *o, ovl_bundle_blob **parts, size_t *n, size_t *total, ovl_error *err)
{
	static const char zeros[64];
	ovl_bundle_blob *p = ovl_calloc(2 + 2 * o->blobs.n, sizeof *p);
	if (!p)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory to store a model");
	*n = *total = 0;
	p[(*n)++] = (ovl_bundle_blob){o->head.at, o->head.n};
	p[(*n)++] = (ovl_bundle_blob){o->records.at, o->records.n};
	for (size_t i = 0; i < o->blobs.n; i++) {
		p[(*n)++] = o->blobs.at[i];
		p[(*n)++] = (ovl_bundle_blob){zeros, -o->blobs.at[i].size & 63};
	}
	for (size_t i = 0; i < *n; i++)
		*total += p[i].size;
	*parts = p;
	return OVL_OK;
}

ovl_hash ovl_bundle_hash(const ovl_bundle_out *o) { return ovl_hash_of(o->head.at, o->head.n, NULL); }

void ovl_bundle_free(ovl_bundle_out *o)
{
	for (size_t i = 0; i < o->kept.n; i++)
		ovl_tensor_release(o->kept.at[i]);
	ovl_vec_free(&o->kept);
	ovl_vec_free(&o->blobs);
	ovl_free(o->slots);
	ovl_str_free(&o->records);
	ovl_str_free(&o->head);
	memset(o, 0, sizeof *o);
}
