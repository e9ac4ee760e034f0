/* attr.h - the attributes of an operator: one table serves the IR reader and writer, the ONNX translation, the op builder and `node.attributes`.
 *
 * An operator keeps its attributes in a plain C struct ("params"), all zero bytes being a valid empty state. The table tells where each attribute lives:
 *
 *     typedef struct { ovl_ints strides; int64_t axis; bool keep; char *mode; ovl_type to; } ovl_foo_params;
 *     static const ovl_attr foo_attrs[] = {
 *             OVL_ATTR_INTS(ovl_foo_params, strides, NULL),            // NULL: required
 *             OVL_ATTR_INT(ovl_foo_params, axis, "-1"),                // a default, written as in IR
 *             OVL_ATTR_ENUM(ovl_foo_params, mode, "linear", "linear nearest cubic"),
 *             OVL_ATTR_END};
 */
#ifndef OVL_GRAPH_ATTR_H
#define OVL_GRAPH_ATTR_H

#include "tensor/tensor.h"

typedef struct ovl_ints {
	int64_t *at;
	size_t n;
} ovl_ints;
typedef struct ovl_floats {
	float *at;
	size_t n;
} ovl_floats;
typedef struct ovl_strings {
	char **at;
	size_t n;
} ovl_strings;

typedef enum ovl_attr_kind {
	OVL_KIND_END,
	OVL_KIND_INT, /* int64_t */
	OVL_KIND_FLOAT, /* float */
	OVL_KIND_DOUBLE, /* double */
	OVL_KIND_BOOL, /* bool; IR: true false 1 0 */
	OVL_KIND_STRING, /* char*, free text; NULL when absent */
	OVL_KIND_ENUM, /* int: position in `choices` (a blank-separated list) */
	OVL_KIND_TYPE, /* ovl_type */
	OVL_KIND_SHAPE, /* ovl_pshape */
	OVL_KIND_INTS, /* ovl_ints; IR: comma-separated */
	OVL_KIND_FLOATS, /* ovl_floats */
	OVL_KIND_STRINGS, /* ovl_strings; IR: comma-separated */
	OVL_KIND_TENSOR, /* ovl_tensor* (Constant's value) */
} ovl_attr_kind;

typedef struct ovl_attr {
	const char *name; /* as in IR */
	ovl_attr_kind kind;
	size_t offset;
	const char *initial; /* the default as IR text; NULL: the attribute is required; OVL_OPTIONAL: may be absent (stays zero) */
	const char *choices;
} ovl_attr;

#define OVL_OPTIONAL "\001"
#define OVL_ATTR_OF(KIND, S, field, initial, choices) {#field, KIND, offsetof(S, field), initial, choices}
#define OVL_ATTR_INT(S, f, d) OVL_ATTR_OF(OVL_KIND_INT, S, f, d, NULL)
#define OVL_ATTR_FLOAT(S, f, d) OVL_ATTR_OF(OVL_KIND_FLOAT, S, f, d, NULL)
#define OVL_ATTR_DOUBLE(S, f, d) OVL_ATTR_OF(OVL_KIND_DOUBLE, S, f, d, NULL)
#define OVL_ATTR_BOOL(S, f, d) OVL_ATTR_OF(OVL_KIND_BOOL, S, f, d, NULL)
#define OVL_ATTR_STRING(S, f, d) OVL_ATTR_OF(OVL_KIND_STRING, S, f, d, NULL)
#define OVL_ATTR_ENUM(S, f, d, choices) OVL_ATTR_OF(OVL_KIND_ENUM, S, f, d, choices)
#define OVL_ATTR_TYPE(S, f, d) OVL_ATTR_OF(OVL_KIND_TYPE, S, f, d, NULL)
#define OVL_ATTR_SHAPE(S, f, d) OVL_ATTR_OF(OVL_KIND_SHAPE, S, f, d, NULL)
#define OVL_ATTR_INTS(S, f, d) OVL_ATTR_OF(OVL_KIND_INTS, S, f, d, NULL)
#define OVL_ATTR_FLOATS(S, f, d) OVL_ATTR_OF(OVL_KIND_FLOATS, S, f, d, NULL)
#define OVL_ATTR_STRINGS(S, f, d) OVL_ATTR_OF(OVL_KIND_STRINGS, S, f, d, NULL)
#define OVL_ATTR_TENSOR(S, f, d) OVL_ATTR_OF(OVL_KIND_TENSOR, S, f, d, NULL)
#define OVL_ATTR_END {NULL, OVL_KIND_END, 0, NULL, NULL}

/* One attribute value on its way in (from a reader or a script) or out. Pointers are borrowed. */
typedef struct ovl_attr_value {
	ovl_attr_kind kind; /* INT, DOUBLE, BOOL, STRING, INTS, FLOATS, STRINGS, TENSOR, SHAPE, TYPE; ENUM travels as STRING */
	int64_t i;
	double f;
	const char *s;
	ovl_type type;
	const ovl_pshape *shape;
	const int64_t *ints;
	const float *floats;
	const char *const *strings;
	size_t n;
	ovl_tensor *tensor;
} ovl_attr_value;

ovl_status ovl_attrs_init(const ovl_attr *table, void *params, ovl_error *err); /* fills defaults of everything */
const ovl_attr *ovl_attrs_find(const ovl_attr *table, const char *name); /* NULL: none */
/* From IR text. Errors: parse, naming attribute, text and what is allowed. */
ovl_status ovl_attr_parse(const ovl_attr *a, void *params, const char *text, ovl_error *err);
/* From a typed value, converting between kinds where it is plain (int to float, one int to ints, string to enum/type). Errors: type, argument. */
ovl_status ovl_attr_set(const ovl_attr *a, void *params, const ovl_attr_value *v, ovl_error *err);
ovl_status ovl_attr_get(const ovl_attr *a, const void *params, ovl_attr_value *out, ovl_error *err);
/* IR text; appended to a growing text. TENSOR writes nothing. */
struct ovl_str;
void ovl_attr_format(const ovl_attr *a, const void *params, struct ovl_str *out);
ovl_status ovl_attrs_copy(const ovl_attr *table, size_t size, const void *from, void *to, ovl_error *err); /* deep */
void ovl_attrs_free(const ovl_attr *table, void *params); /* what the fields own, not params itself */
bool ovl_ints_assign(ovl_ints *v, const int64_t *at, size_t n);
/* n entries, or `fill` n times when the list is empty: for strides, dilations and pads that may be left out. */
static inline int64_t ovl_ints_get(const ovl_ints *v, size_t i, int64_t fill) { return i < v->n ? v->at[i] : fill; }

#endif
