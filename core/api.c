/* The public C API: thin functions over the core. Tensors, operators and nodes here; models in api_model.c; core and compiling in api_core.c. */
#include "api.h"

#include "tensor/convert.h"

#include <stdlib.h>
#include <string.h>

const char *ovl_version(void) { return "0.1.0"; }

/* ---- tensors ---- */

/* The caller's memory is told from our own by this function, which every wrapped buffer has. */
typedef struct borrowed {
	void (*release)(void *user, void *data, size_t bytes);
	void *user;
} borrowed;

static void end_borrowed(void *user, void *data, size_t bytes)
{
	borrowed *b = user;
	if (b->release)
		b->release(b->user, data, bytes);
	ovl_free(b);
}

ovl_status ovl_tensor_wrap(void *data, ovl_type type, const ovl_shape *shape, void (*release)(void *user, void *data, size_t bytes), void *user, ovl_tensor **out, ovl_error *err)
{
	size_t bytes;
	ovl_buffer *b = NULL;
	borrowed *owner;
	ovl_status st;
	int64_t count;
	if (type == OVL_STRING || type == OVL_DYNAMIC)
		return ovl_fail(err, OVL_E_TYPE, "memory of type %s cannot be wrapped", ovl_type_name(type));
	if (!ovl_shape_count(shape, &count) || !ovl_type_bytes(type, count, &bytes))
		return ovl_fail(err, OVL_E_SHAPE, "the shape is too large or has a negative size");
	owner = ovl_calloc(1, sizeof *owner);
	if (owner)
		b = ovl_buffer_wrap(data, bytes, end_borrowed, owner);
	if (!b) {
		ovl_free(owner);
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a tensor");
	}
	st = ovl_tensor_on(b, 0, type, shape, out, err);
	if (st == OVL_OK) /* a failed call leaves the caller's memory to the caller */
		*owner = (borrowed){release, user};
	ovl_buffer_release(b);
	return st;
}

ovl_type ovl_tensor_type(const ovl_tensor *t) { return t->type; }
void ovl_tensor_shape(const ovl_tensor *t, ovl_shape *out) { *out = t->shape; }
const int64_t *ovl_tensor_strides(const ovl_tensor *t) { return t->strides; }
void *ovl_tensor_data(const ovl_tensor *t) { return t->data; }
bool ovl_tensor_owns(const ovl_tensor *t) { return t->buffer && t->buffer->release != end_borrowed; }

/* ---- operators ---- */

const ovl_op *ovl_op_of_factory(const char *factory, int opset)
{
	char buf[96];
	const ovl_op *best = NULL, *op;
	for (size_t i = 0; (op = ovl_op_at(i)); i++) {
		if (!ovl_op_in_builder(op) || (opset > 0 && (op->since > opset || (op->until && op->until < opset))))
			continue;
		if (strcmp(ovl_op_factory(op, buf, sizeof buf), factory) == 0 && (!best || op->since > best->since))
			best = op;
	}
	return best;
}

const char *ovl_op_name(const ovl_op *op) { return op->name; }

void ovl_op_opsets(const ovl_op *op, int *since, int *until)
{
	*since = op->since;
	*until = op->until;
}

void ovl_op_inputs(const ovl_op *op, int *min, int *max, const char **names)
{
	*min = op->min_inputs;
	*max = op->max_inputs;
	*names = op->inputs ? op->inputs : "";
}

bool ovl_op_in_builder(const ovl_op *op) { return !(op->flags & (OVL_OP_INTERNAL | OVL_OP_NO_BUILDER)); }

static ovl_value_kind public_kind(ovl_attr_kind k)
{
	switch (k) {
	case OVL_KIND_INT: return OVL_VALUE_INT;
	case OVL_KIND_FLOAT:
	case OVL_KIND_DOUBLE: return OVL_VALUE_DOUBLE;
	case OVL_KIND_BOOL: return OVL_VALUE_BOOL;
	case OVL_KIND_STRING:
	case OVL_KIND_ENUM:
	case OVL_KIND_TYPE: return OVL_VALUE_STRING;
	case OVL_KIND_SHAPE: return OVL_VALUE_SHAPE;
	case OVL_KIND_INTS: return OVL_VALUE_INTS;
	case OVL_KIND_FLOATS: return OVL_VALUE_FLOATS;
	case OVL_KIND_STRINGS: return OVL_VALUE_STRINGS;
	case OVL_KIND_TENSOR: return OVL_VALUE_TENSOR;
	default: return OVL_VALUE_NONE;
	}
}

bool ovl_op_attr(const ovl_op *op, size_t i, const char **name, ovl_value_kind *kind, bool *required, const char **initial)
{
	for (size_t k = 0; op->attrs && op->attrs[k].kind != OVL_KIND_END; k++)
		if (k == i) {
			*name = op->attrs[k].name;
			*kind = public_kind(op->attrs[k].kind);
			*required = op->attrs[k].initial == NULL;
			*initial = op->attrs[k].initial && op->attrs[k].initial[0] != OVL_OPTIONAL[0] ? op->attrs[k].initial : "";
			return true;
		}
	return false;
}

/* ---- nodes ---- */

static bool to_attr_value(const ovl_value *v, ovl_attr_value *out)
{
	*out = (ovl_attr_value){.i = v->i, .f = v->f, .s = v->s, .shape = &v->shape, .ints = v->ints, .floats = v->floats, .strings = v->strings, .n = v->n, .tensor = v->tensor};
	switch (v->kind) {
	case OVL_VALUE_INT: out->kind = OVL_KIND_INT; return true;
	case OVL_VALUE_DOUBLE: out->kind = OVL_KIND_DOUBLE; return true;
	case OVL_VALUE_BOOL: out->kind = OVL_KIND_BOOL; return true;
	case OVL_VALUE_STRING: out->kind = OVL_KIND_STRING; return true;
	case OVL_VALUE_INTS: out->kind = OVL_KIND_INTS; return true;
	case OVL_VALUE_FLOATS: out->kind = OVL_KIND_FLOATS; return true;
	case OVL_VALUE_STRINGS: out->kind = OVL_KIND_STRINGS; return true;
	case OVL_VALUE_SHAPE: out->kind = OVL_KIND_SHAPE; return true;
	case OVL_VALUE_TENSOR: out->kind = OVL_KIND_TENSOR; return true;
	default: return false;
	}
}

static ovl_status check_required(const ovl_op *op, const char *const *names, size_t n, ovl_error *err)
{
	for (const ovl_attr *a = op->attrs; a && a->kind != OVL_KIND_END; a++) {
		bool given = a->initial != NULL;
		for (size_t i = 0; i < n && !given; i++)
			given = strcmp(names[i], a->name) == 0;
		if (!given)
			return ovl_fail(err, OVL_E_ARGUMENT, "%s needs the attribute '%s'", op->name, a->name);
	}
	return OVL_OK;
}

static ovl_status fill_node(ovl_node *n, const ovl_source_ref *inputs, size_t n_inputs, const char *const *names, const ovl_value *values, size_t n_attrs, ovl_error *err)
{
	for (size_t i = 0; i < n_attrs; i++) {
		ovl_attr_value v;
		if (!to_attr_value(&values[i], &v))
			return ovl_fail(err, OVL_E_TYPE, "attribute '%s' has no value", names[i]);
		OVL_TRY(ovl_node_set(n, names[i], &v, err));
	}
	for (size_t i = 0; i < n_inputs; i++)
		OVL_TRY(ovl_node_add_input(n, (ovl_end){inputs[i].node, inputs[i].port}, err));
	return ovl_node_infer(n, err);
}

ovl_status ovl_node_make(const ovl_op *op, int opset, const char *friendly_name, const ovl_source_ref *inputs, size_t n_inputs, const char *const *attr_names, const ovl_value *attr_values,
	size_t n_attrs, ovl_node **out, ovl_error *err)
{
	ovl_node *n;
	ovl_status st;
	OVL_TRY(check_required(op, attr_names, n_attrs, err));
	OVL_TRY(ovl_node_new(op, opset > 0 ? opset : op->since, friendly_name, &n, err));
	st = fill_node(n, inputs, n_inputs, attr_names, attr_values, n_attrs, err);
	if (st != OVL_OK)
		ovl_node_release(n);
	else
		*out = n;
	return st;
}

ovl_status ovl_node_make_constant(ovl_tensor *value, ovl_node **out, ovl_error *err)
{
	const ovl_op *op = ovl_op_find("Constant", 1);
	ovl_node *n;
	ovl_status st;
	if (!op)
		return ovl_fail(err, OVL_E_INTERNAL, "there is no operator Constant");
	OVL_TRY(ovl_node_new(op, 1, NULL, &n, err));
	((ovl_constant_params *)n->params)->value = ovl_tensor_retain(value);
	st = ovl_node_infer(n, err);
	if (st != OVL_OK)
		ovl_node_release(n);
	else
		*out = n;
	return st;
}

const char *ovl_node_name(const ovl_node *n) { return n->name; }
const char *ovl_node_type(const ovl_node *n) { return n->op->name; }
const ovl_op *ovl_node_op(const ovl_node *n) { return n->op; }
int ovl_node_opset(const ovl_node *n) { return n->opset; }
size_t ovl_node_inputs(const ovl_node *n) { return n->in.n; }
size_t ovl_node_outputs(const ovl_node *n) { return n->out.n; }

ovl_source_ref ovl_node_input(const ovl_node *n, size_t i)
{
	if (i >= n->in.n)
		return (ovl_source_ref){NULL, 0};
	return (ovl_source_ref){n->in.at[i].node, n->in.at[i].port};
}

void ovl_node_output(const ovl_node *n, size_t i, ovl_type *type, ovl_pshape *shape)
{
	*type = i < n->out.n ? n->out.at[i].type : OVL_DYNAMIC;
	*shape = i < n->out.n ? n->out.at[i].shape : ovl_pshape_any();
}

size_t ovl_node_output_names(const ovl_node *n, size_t i) { return i < n->out.n ? n->out.at[i].names.n : 0; }
const char *ovl_node_output_name(const ovl_node *n, size_t i, size_t k) { return i < n->out.n && k < n->out.at[i].names.n ? n->out.at[i].names.at[k] : NULL; }

ovl_status ovl_node_set_output_names(ovl_node *n, size_t i, const char *const *names, size_t count, ovl_error *err)
{
	ovl_output *o, old;
	if (i >= n->out.n)
		return ovl_fail(err, OVL_E_NOT_FOUND, "'%s' has no output %zu; it has %zu", n->name, i + 1, n->out.n);
	o = &n->out.at[i];
	old = *o;
	memset(&o->names, 0, sizeof o->names);
	for (size_t k = 0; k < count; k++)
		if (ovl_node_add_name(n, (int)i, names[k], err) != OVL_OK) {
			for (size_t j = 0; j < o->names.n; j++)
				ovl_free(o->names.at[j]);
			ovl_vec_free(&o->names);
			o->names.at = old.names.at, o->names.n = old.names.n, o->names.cap = old.names.cap;
			return err->code;
		}
	for (size_t j = 0; j < old.names.n; j++)
		ovl_free(old.names.at[j]);
	ovl_free(old.names.at);
	return OVL_OK;
}

/* Words of an enumeration sit inside their list of choices; the API's caller wants them ended, so each is interned once. */
static const char *intern(const char *s, size_t n)
{
	static struct entry {
		struct entry *next;
		char text[];
	} *all;
	struct entry *head = __atomic_load_n(&all, __ATOMIC_ACQUIRE), *e;
	for (e = head; e; e = e->next)
		if (strncmp(e->text, s, n) == 0 && e->text[n] == 0)
			return e->text;
	e = ovl_alloc(sizeof *e + n + 1);
	if (!e)
		return "";
	memcpy(e->text, s, n);
	e->text[n] = 0;
	do
		e->next = head;
	while (!__atomic_compare_exchange_n(&all, &head, e, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return e->text;
}

bool ovl_node_attr(const ovl_node *n, size_t i, const char **name, ovl_value *value)
{
	const char *initial;
	bool required;
	ovl_attr_value v;
	ovl_error ignored;
	memset(value, 0, sizeof *value);
	if (!ovl_op_attr(n->op, i, name, &value->kind, &required, &initial))
		return false;
	ovl_attr_get(&n->op->attrs[i], n->params, &v, &ignored);
	value->i = v.i;
	value->f = v.f;
	value->s = n->op->attrs[i].kind == OVL_KIND_ENUM ? intern(v.s, v.n) : v.s;
	value->ints = v.ints;
	value->floats = v.floats;
	value->strings = v.strings;
	value->n = n->op->attrs[i].kind == OVL_KIND_ENUM ? 0 : v.n;
	value->tensor = v.tensor;
	if (v.shape)
		value->shape = *v.shape;
	if ((value->kind == OVL_VALUE_STRING && !value->s) || (value->kind == OVL_VALUE_TENSOR && !value->tensor))
		value->kind = OVL_VALUE_NONE;
	return true;
}

ovl_tensor *ovl_node_constant(const ovl_node *n) { return ovl_node_is(n, "Constant") ? ((const ovl_constant_params *)n->params)->value : NULL; }

/* ---- values ---- */

bool ovl_value_of_property(char kind, const char *text, ovl_value *out)
{
	memset(out, 0, sizeof *out);
	out->kind = kind == 'i' ? OVL_VALUE_INT : kind == 'b' ? OVL_VALUE_BOOL : kind == 'l' ? OVL_VALUE_STRINGS : OVL_VALUE_STRING;
	if (kind == 'i')
		out->i = atoll(text);
	if (kind == 'b')
		out->i = strcmp(text, "YES") == 0;
	if (kind == 's')
		return (out->s = ovl_strdup(text)) != NULL;
	if (kind == 'l') { /* one block: the words, then the pointers to them */
		size_t n = 1, len = strlen(text);
		char **list, *copy;
		for (const char *p = text; *p; p++)
			n += *p == ' ';
		list = ovl_alloc(n * sizeof *list + len + 1);
		if (!list)
			return false;
		copy = (char *)(list + n);
		memcpy(copy, text, len + 1);
		out->n = 0;
		for (char *save, *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
			list[out->n++] = w;
		out->strings = (const char *const *)list;
	}
	return true;
}

void ovl_value_free(ovl_value *v)
{
	ovl_free((void *)(uintptr_t)v->s);
	ovl_free((void *)(uintptr_t)v->strings);
	memset(v, 0, sizeof *v);
}

void ovl_bytes_free(void *bytes) { ovl_free(bytes); }
