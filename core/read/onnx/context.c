/* context.c - what rules are written with: inputs, attributes, nodes, constants, outputs. See rule.h. */
#include "base/str.h"
#include "read/onnx/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const ovl_end no_end = {NULL, 0};

void ovl_x_fail(ovl_onnx *x, ovl_status code, const char *fmt, ...)
{
	char text[600];
	va_list args;
	if (x->status != OVL_OK)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	x->status = ovl_fail(x->err, code, "%s", text);
}

void ovl_x_unsupported(ovl_onnx *x, const char *what) { ovl_x_fail(x, OVL_E_UNSUPPORTED, "%s is not supported", what); }

static void no_memory(ovl_onnx *x) { ovl_x_fail(x, OVL_E_MEMORY, "not enough memory for the model"); }

/* Keeps the status of a call that has filled x->err. */
static bool done(ovl_onnx *x, ovl_status st)
{
	if (st != OVL_OK && x->status == OVL_OK)
		x->status = st;
	return st == OVL_OK;
}

/* ---- inputs ---- */

bool ovl_x_has(const ovl_onnx *x, int i) { return i < x->n_in && *x->node->input[i]; }

ovl_onnx_value ovl_x_value(ovl_onnx *x, int i)
{
	ovl_onnx_value v = {.end = no_end};
	if (x->status != OVL_OK || !ovl_x_has(x, i) || !done(x, ovl_onnx_scope_get(x->scope, x->node->input[i], &v)))
		return (ovl_onnx_value){.end = no_end};
	if (!v.set && !x->scope->frame) /* an input of a function may be left out by its caller */
		ovl_x_fail(x, OVL_E_PARSE, "input %d: nothing makes the value '%.200s'", i, x->node->input[i]);
	return v;
}

ovl_end ovl_x_maybe(ovl_onnx *x, int i)
{
	ovl_onnx_value v = ovl_x_value(x, i);
	if (v.list || (x->status == OVL_OK && ovl_x_is_live(x, &v)))
		ovl_x_fail(x, OVL_E_TYPE, "input %d is a sequence, expected a tensor", i);
	return x->status == OVL_OK ? v.end : no_end;
}

ovl_end ovl_x_in(ovl_onnx *x, int i)
{
	ovl_end e = ovl_x_maybe(x, i);
	if (x->status == OVL_OK && !e.node)
		ovl_x_fail(x, OVL_E_PARSE, "input %d is missing", i);
	return e;
}

/* Before opset 7 the second input was broadcast only when asked, from `axis` on: [2,3,4] + [3] with axis 1. */
ovl_end ovl_x_second(ovl_onnx *x, ovl_end a)
{
	ovl_end b = ovl_x_in(x, 1);
	int rank_a, rank_b;
	int64_t axis;
	if (x->opset >= 7 || !ovl_x_attr_int(x, "broadcast", 0) || !ovl_x_attr(x, "axis"))
		return b;
	rank_a = ovl_x_need_rank(x, a);
	rank_b = ovl_x_need_rank(x, b);
	axis = ovl_x_attr_int(x, "axis", 0);
	axis += axis < 0 ? rank_a : 0;
	for (int64_t i = axis + rank_b; i < rank_a && x->status == OVL_OK; i++, rank_b++)
		b = ovl_x_unsqueeze(x, b, rank_b);
	return b;
}

static const ovl_output *output_of(const ovl_onnx *x, ovl_end e) { return x->status == OVL_OK && e.node ? &e.node->out.at[e.port] : NULL; }

ovl_type ovl_x_type(ovl_onnx *x, ovl_end e) { return output_of(x, e) ? output_of(x, e)->type : OVL_DYNAMIC; }

bool ovl_x_is_float(ovl_onnx *x, ovl_end e) { return ovl_type_is_float(ovl_x_type(x, e)); }

int ovl_x_rank(ovl_onnx *x, ovl_end e)
{
	const ovl_output *o = output_of(x, e);
	return o && o->shape.ranked ? o->shape.rank : -1;
}

int ovl_x_need_rank(ovl_onnx *x, ovl_end e)
{
	int rank = ovl_x_rank(x, e);
	if (rank < 0)
		ovl_x_fail(x, OVL_E_UNSUPPORTED, "an input whose number of dimensions is not known is not supported here");
	return rank < 0 ? 0 : rank;
}

int ovl_x_axis(ovl_onnx *x, int64_t axis, int rank)
{
	if (axis < -rank || axis >= rank) {
		ovl_x_fail(x, OVL_E_PARSE, "axis %lld is outside of %d dimensions", (long long)axis, rank);
		return 0;
	}
	return (int)(axis < 0 ? axis + rank : axis);
}

int64_t ovl_x_dim(ovl_onnx *x, ovl_end e, int axis)
{
	const ovl_output *o = output_of(x, e);
	if (!o || !o->shape.ranked || axis < 0 || axis >= o->shape.rank || !ovl_dim_static(o->shape.dims[axis]))
		return -1;
	return o->shape.dims[axis].min;
}

bool ovl_x_values(ovl_onnx *x, ovl_end e, int64_t *values, int max, int *n)
{
	const ovl_output *o = output_of(x, e);
	if (!o || !o->value || o->value->type == OVL_STRING || ovl_tensor_count(o->value) > max)
		return false;
	*n = (int)ovl_tensor_count(o->value);
	for (int i = 0; i < *n; i++)
		values[i] = ovl_tensor_i64_at(o->value, i);
	return true;
}

bool ovl_x_number(ovl_onnx *x, ovl_end e, double *v)
{
	const ovl_output *o = output_of(x, e);
	if (!o || !o->value || o->value->type == OVL_STRING || ovl_tensor_count(o->value) != 1)
		return false;
	*v = ovl_tensor_f64_at(o->value, 0);
	return true;
}

/* ---- attributes ---- */

const Onnx__AttributeProto *ovl_x_attr(ovl_onnx *x, const char *name) { return x->status == OVL_OK ? ovl_onnx_attribute(x, name) : NULL; }

/* The attribute when it is there and of this type (old files do not tell types). */
static const Onnx__AttributeProto *typed(ovl_onnx *x, const char *name, Onnx__AttributeProto__AttributeType type)
{
	const Onnx__AttributeProto *a = ovl_x_attr(x, name);
	if (a && a->has_type && a->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED && a->type != type) {
		ovl_x_fail(x, OVL_E_PARSE, "attribute '%s' is of type %d, expected %d", name, (int)a->type, (int)type);
		return NULL;
	}
	return a;
}
#define TYPED(x, name, T) typed(x, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##T)

int64_t ovl_x_attr_int(ovl_onnx *x, const char *name, int64_t fill)
{
	const Onnx__AttributeProto *a = TYPED(x, name, INT);
	return a ? a->i : fill;
}

int64_t ovl_x_need_int(ovl_onnx *x, const char *name)
{
	if (!ovl_x_attr(x, name))
		ovl_x_fail(x, OVL_E_PARSE, "attribute '%s' is missing", name);
	return ovl_x_attr_int(x, name, 0);
}

float ovl_x_attr_float(ovl_onnx *x, const char *name, float fill)
{
	const Onnx__AttributeProto *a = TYPED(x, name, FLOAT);
	return a ? a->f : fill;
}

void ovl_x_drop_texts(ovl_onnx *x)
{
	for (size_t i = 0; i < x->texts.n; i++)
		ovl_free(x->texts.at[i]);
	ovl_vec_free(&x->texts);
}

static char *keep_text(ovl_onnx *x, char *text)
{
	if (text && ovl_vec_push(&x->texts, text))
		return text;
	ovl_free(text);
	no_memory(x);
	return NULL;
}

static const char *bytes_text(ovl_onnx *x, const ProtobufCBinaryData *b, const char *fill)
{
	const char *text = keep_text(x, ovl_strndup(b->data ? (const char *)b->data : "", b->len));
	return text ? text : fill;
}

const char *ovl_x_attr_text(ovl_onnx *x, const char *name, const char *fill)
{
	const Onnx__AttributeProto *a = TYPED(x, name, STRING);
	return a ? bytes_text(x, &a->s, fill) : fill;
}

const char *ovl_x_attr_text_at(ovl_onnx *x, const char *name, int i, const char *fill)
{
	const Onnx__AttributeProto *a = TYPED(x, name, STRINGS);
	return a && i >= 0 && (size_t)i < a->n_strings ? bytes_text(x, &a->strings[i], fill) : fill;
}

const int64_t *ovl_x_attr_ints(ovl_onnx *x, const char *name, int *n)
{
	const Onnx__AttributeProto *a = TYPED(x, name, INTS);
	static const int64_t none;
	*n = a && a->n_ints < INT32_MAX ? (int)a->n_ints : 0;
	return a ? (*n ? a->ints : &none) : NULL;
}

const float *ovl_x_attr_floats(ovl_onnx *x, const char *name, int *n)
{
	const Onnx__AttributeProto *a = TYPED(x, name, FLOATS);
	static const float none;
	*n = a && a->n_floats < INT32_MAX ? (int)a->n_floats : 0;
	return a ? (*n ? a->floats : &none) : NULL;
}

Onnx__GraphProto *ovl_x_attr_graph(ovl_onnx *x, const char *name)
{
	const Onnx__AttributeProto *a = TYPED(x, name, GRAPH);
	if (!a || !a->g)
		ovl_x_fail(x, OVL_E_PARSE, "attribute '%s' is missing", name);
	return a ? a->g : NULL;
}

ovl_tensor *ovl_x_tensor(ovl_onnx *x, Onnx__TensorProto *proto)
{
	ovl_tensor *t = NULL;
	if (x->status == OVL_OK)
		done(x, ovl_onnx_scope_tensor(x->scope, proto, &t));
	return t;
}

ovl_type ovl_x_pb_type(ovl_onnx *x, int64_t data_type)
{
	ovl_type t;
	if (data_type >= 0 && data_type < INT32_MAX && ovl_pb_type((int32_t)data_type, &t))
		return t;
	ovl_x_fail(x, OVL_E_UNSUPPORTED, "element type %lld is not supported", (long long)data_type);
	return OVL_DYNAMIC;
}

/* ---- texts ---- */

const char *ovl_x_text(ovl_onnx *x, const char *fmt, ...)
{
	char text[2048];
	va_list args;
	const char *kept;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	kept = keep_text(x, ovl_strdup(text));
	return kept ? kept : "";
}

const char *ovl_x_list(ovl_onnx *x, const int64_t *values, int n)
{
	ovl_str s = {0};
	const char *kept;
	ovl_str_add(&s, "");
	for (int i = 0; i < n; i++)
		ovl_str_addf(&s, "%s%lld", i ? "," : "", (long long)values[i]);
	kept = s.failed ? NULL : ovl_x_text(x, "%s", s.at);
	if (!kept)
		no_memory(x);
	ovl_str_free(&s);
	return kept ? kept : "";
}

const char *ovl_x_num(ovl_onnx *x, double v)
{
	char buf[40];
	return ovl_x_text(x, "%s", ovl_format_f64(v, buf));
}

/* ---- nodes ---- */

static const char *next_name(ovl_onnx *x, const char *type)
{
	const char *name = x->made ? ovl_x_text(x, "%.1500s/%s_%d", x->base, type, x->made) : ovl_x_text(x, "%.1500s/%s", x->base, type);
	x->made++;
	return name;
}

ovl_node *ovl_x_new(ovl_onnx *x, const char *type)
{
	const ovl_op *op = ovl_op_find(type, 0);
	ovl_node *n = NULL;
	if (!op)
		ovl_x_fail(x, OVL_E_UNSUPPORTED, "the operator '%s', which it is made of, is not there", type);
	if (x->status != OVL_OK || !done(x, ovl_node_new(op, op->since, next_name(x, type), &n, x->err)))
		return NULL;
	return n;
}

void ovl_x_add_input(ovl_onnx *x, ovl_node *n, ovl_end e)
{
	if (x->status == OVL_OK && n)
		done(x, ovl_node_add_input(n, e, x->err));
}

void ovl_x_add(ovl_onnx *x, ovl_node *n)
{
	if (x->status == OVL_OK && n && done(x, ovl_node_infer(n, x->err)))
		done(x, ovl_graph_add(x->graph, n, x->err));
	ovl_node_release(n);
}

/* "axis=1;keep_dims=true" */
static void set_attributes(ovl_onnx *x, ovl_node *n, const char *attrs)
{
	char name[64], *value;
	while (attrs && *attrs && x->status == OVL_OK) {
		size_t len = strcspn(attrs, "="), end = strcspn(attrs, ";");
		if (len >= sizeof name || len >= end) {
			ovl_x_fail(x, OVL_E_INTERNAL, "bad attributes '%.100s'", attrs);
			return;
		}
		memcpy(name, attrs, len);
		name[len] = 0;
		value = ovl_strndup(attrs + len + 1, end - len - 1);
		if (!value)
			no_memory(x);
		else
			done(x, ovl_node_set_text(n, name, value, x->err));
		ovl_free(value);
		attrs += end + (attrs[end] == ';');
	}
}

ovl_end ovl_x_make(ovl_onnx *x, const char *type, const char *attrs, const ovl_end *in, int n)
{
	ovl_node *node = ovl_x_new(x, type);
	if (!node)
		return no_end;
	set_attributes(x, node, attrs);
	while (n > 0 && !in[n - 1].node)
		n--;
	for (int i = 0; i < n; i++)
		ovl_x_add_input(x, node, in[i]);
	ovl_x_add(x, node);
	return x->status == OVL_OK ? (ovl_end){node, 0} : no_end;
}

ovl_end ovl_x_const(ovl_onnx *x, ovl_tensor *t)
{
	ovl_node *n;
	if (x->status != OVL_OK || !t || !done(x, ovl_graph_constant(x->graph, t, next_name(x, "Constant"), &n, x->err)))
		return no_end;
	return (ovl_end){n, 0};
}

static ovl_end const_taken(ovl_onnx *x, ovl_tensor *t)
{
	ovl_end e = ovl_x_const(x, t);
	ovl_tensor_release(t);
	return e;
}

static ovl_end const_i64(ovl_onnx *x, int rank, const int64_t *v, int n)
{
	ovl_tensor *t = NULL;
	if (x->status != OVL_OK || !done(x, ovl_tensor_from_i64(rank, v, n, &t, x->err)))
		return no_end;
	return const_taken(x, t);
}

ovl_end ovl_x_i64(ovl_onnx *x, int64_t v) { return const_i64(x, 0, &v, 1); }
ovl_end ovl_x_i64s(ovl_onnx *x, const int64_t *v, int n) { return const_i64(x, 1, v, n); }

ovl_end ovl_x_f64s(ovl_onnx *x, ovl_type type, const ovl_shape *shape, const double *v)
{
	ovl_tensor *wide = NULL, *t = NULL;
	if (x->status != OVL_OK || !done(x, ovl_tensor_new(OVL_F64, shape, &wide, x->err)))
		return no_end;
	memcpy(wide->data, v, (size_t)ovl_tensor_count(wide) * sizeof *v);
	done(x, ovl_tensor_astype(wide, type, &t, x->err));
	ovl_tensor_release(wide);
	return const_taken(x, t);
}

ovl_end ovl_x_scalar(ovl_onnx *x, ovl_type type, double v)
{
	ovl_shape scalar = {0};
	return ovl_x_f64s(x, type, &scalar, &v);
}

ovl_end ovl_x_like(ovl_onnx *x, ovl_end e, double v)
{
	ovl_type type = ovl_x_type(x, e);
	if (type != OVL_DYNAMIC)
		return ovl_x_scalar(x, type, v);
	return ovl_x_op(x, "ConvertLike", ovl_x_scalar(x, OVL_F32, v), e);
}

/* ---- outputs ---- */

bool ovl_x_wants(const ovl_onnx *x, int i) { return i < x->n_out && *x->node->output[i]; }

void ovl_x_out_value(ovl_onnx *x, int i, ovl_onnx_value v)
{
	if (x->status == OVL_OK && i < x->n_out) {
		x->out[i] = v;
		x->out[i].set = true;
	}
}

void ovl_x_out(ovl_onnx *x, int i, ovl_end e) { ovl_x_out_value(x, i, (ovl_onnx_value){.end = e}); }

/* ---- phrases ---- */

ovl_end ovl_x_convert(ovl_onnx *x, ovl_end e, ovl_type type)
{
	if (x->status != OVL_OK || ovl_x_type(x, e) == type)
		return e;
	return ovl_x_opa(x, "Convert", ovl_x_text(x, "destination_type=%s", ovl_type_name(type)), e);
}

ovl_end ovl_x_convert_like(ovl_onnx *x, ovl_end e, ovl_end like)
{
	ovl_type type = ovl_x_type(x, like);
	return type == OVL_DYNAMIC ? ovl_x_op(x, "ConvertLike", e, like) : ovl_x_convert(x, e, type);
}

ovl_end ovl_x_wide(ovl_onnx *x, ovl_end e)
{
	ovl_type type = ovl_x_type(x, e);
	return ovl_type_is_float(type) && ovl_type_bits(type) < 32 ? ovl_x_convert(x, e, OVL_F32) : e;
}

ovl_end ovl_x_shape(ovl_onnx *x, ovl_end e) { return ovl_x_opa(x, "ShapeOf", "output_type=i64", e); }

ovl_end ovl_x_dims(ovl_onnx *x, ovl_end e, int first, int last)
{
	int64_t fixed[OVL_MAX_RANK];
	bool known = last - first <= OVL_MAX_RANK;
	for (int i = first; i < last && known; i++) {
		fixed[i - first] = ovl_x_dim(x, e, i);
		known = fixed[i - first] >= 0;
	}
	return known ? ovl_x_i64s(x, fixed, last - first) : ovl_x_slice(x, ovl_x_shape(x, e), 0, first, last);
}

ovl_end ovl_x_reshape(ovl_onnx *x, ovl_end e, ovl_end shape) { return ovl_x_opa(x, "Reshape", "special_zero=false", e, shape); }

ovl_end ovl_x_reshape_to(ovl_onnx *x, ovl_end e, const int64_t *dims, int n) { return ovl_x_reshape(x, e, ovl_x_i64s(x, dims, n)); }

ovl_end ovl_x_unsqueeze(ovl_onnx *x, ovl_end e, int axis) { return ovl_x_op(x, "Unsqueeze", e, ovl_x_vec(x, axis)); }
ovl_end ovl_x_squeeze(ovl_onnx *x, ovl_end e, int axis) { return ovl_x_op(x, "Squeeze", e, ovl_x_vec(x, axis)); }

ovl_end ovl_x_transpose(ovl_onnx *x, ovl_end e, const int64_t *order, int n) { return ovl_x_op(x, "Transpose", e, ovl_x_i64s(x, order, n)); }

ovl_end ovl_x_concat(ovl_onnx *x, int axis, const ovl_end *in, int n)
{
	return n == 1 ? in[0] : ovl_x_make(x, "Concat", ovl_x_text(x, "axis=%d", axis), in, n);
}

ovl_end ovl_x_slice(ovl_onnx *x, ovl_end e, int axis, int64_t first, int64_t last)
{
	return ovl_x_op(x, "Slice", e, ovl_x_vec(x, first), ovl_x_vec(x, last), ovl_x_vec(x, 1), ovl_x_vec(x, axis));
}

ovl_end ovl_x_gather(ovl_onnx *x, ovl_end e, ovl_end indices, int axis) { return ovl_x_op(x, "Gather", e, indices, ovl_x_i64(x, axis)); }

ovl_end ovl_x_reduce(ovl_onnx *x, const char *type, ovl_end e, ovl_end axes, bool keep)
{
	return ovl_x_opa(x, type, keep ? "keep_dims=true" : "keep_dims=false", e, axes);
}

ovl_end ovl_x_range(ovl_onnx *x, ovl_end first, ovl_end last, ovl_type type)
{
	return ovl_x_opa(x, "Range", ovl_x_text(x, "output_type=%s", ovl_type_name(type)), first, last, ovl_x_i64(x, 1));
}

ovl_end ovl_x_all_axes(ovl_onnx *x, ovl_end e)
{
	static const int64_t axes[OVL_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	int rank = ovl_x_rank(x, e);
	if (rank >= 0)
		return ovl_x_i64s(x, axes, rank);
	return ovl_x_range(x, ovl_x_i64(x, 0), ovl_x_scalar_of(x, ovl_x_shape(x, ovl_x_shape(x, e))), OVL_I64);
}

ovl_end ovl_x_scalar_of(ovl_onnx *x, ovl_end e) { return ovl_x_rank(x, e) == 0 ? e : ovl_x_reshape_to(x, e, NULL, 0); }

ovl_end ovl_x_vector_of(ovl_onnx *x, ovl_end e) { return ovl_x_rank(x, e) == 1 ? e : ovl_x_reshape_to(x, e, (int64_t[]){-1}, 1); }

ovl_end ovl_x_channels(ovl_onnx *x, ovl_end e, int rank, int axis)
{
	int64_t dims[OVL_MAX_RANK];
	if (axis == rank - 1 && ovl_x_rank(x, e) == 1)
		return e;
	for (int i = 0; i < rank && i < OVL_MAX_RANK; i++)
		dims[i] = i == axis ? -1 : 1;
	return ovl_x_reshape_to(x, e, dims, rank < OVL_MAX_RANK ? rank : OVL_MAX_RANK);
}

/* ---- lists ---- */

ovl_onnx_list *ovl_x_list_in(ovl_onnx *x, int i)
{
	ovl_onnx_value v = ovl_x_value(x, i);
	if (x->status == OVL_OK && !v.list)
		ovl_x_fail(x, OVL_E_UNSUPPORTED, "input %d is not a sequence whose length is known", i);
	return v.list;
}

bool ovl_x_is_live(ovl_onnx *x, const ovl_onnx_value *v) { return v->end.node && ovl_x_type(x, v->end) == OVL_SEQUENCE; }

ovl_end ovl_x_live(ovl_onnx *x, const ovl_onnx_value *v, const Onnx__TypeProto *declared)
{
	ovl_end inner;
	if (x->status != OVL_OK)
		return no_end;
	if (ovl_x_declared_optional(declared)) {
		if (v->optional)
			return v->end;
		if (!v->end.node && !v->list)
			return ovl_x_make(x, "SequenceConstruct", NULL, NULL, 0);
		inner = ovl_x_live(x, v, NULL);
		return ovl_x_op(x, "SequenceConstruct", inner);
	}
	if (v->list)
		return ovl_x_make(x, "SequenceConstruct", NULL, v->list->items.at, (int)v->list->items.n);
	if (!v->end.node)
		ovl_x_unsupported(x, "an empty optional in place of a tensor");
	return v->end;
}

ovl_onnx_list *ovl_x_list_new(ovl_onnx *x)
{
	ovl_onnx_list *list = x->status == OVL_OK ? ovl_calloc(1, sizeof *list) : NULL;
	if (!list) {
		no_memory(x);
		return NULL;
	}
	list->next = x->scope->model->lists;
	x->scope->model->lists = list;
	return list;
}

void ovl_x_list_add(ovl_onnx *x, ovl_onnx_list *list, int64_t at, ovl_end e)
{
	if (x->status != OVL_OK || !list)
		return;
	if (at < 0 || (size_t)at > list->items.n)
		at = (int64_t)list->items.n;
	if (!ovl_vec_push(&list->items, e)) {
		no_memory(x);
		return;
	}
	memmove(&list->items.at[at + 1], &list->items.at[at], (list->items.n - 1 - (size_t)at) * sizeof e);
	list->items.at[at] = e;
}

/* ---- bodies ---- */

void ovl_x_body_open(ovl_onnx *x, ovl_onnx_body *b, const Onnx__GraphProto *g)
{
	memset(b, 0, sizeof *b);
	if (x->scope->bodies == OVL_ONNX_MAX_BODIES)
		ovl_x_unsupported(x, "so deep a nesting of branches and loops");
	if (x->status != OVL_OK)
		return;
	b->graph = ovl_graph_new(g->name);
	b->scope = ovl_calloc(1, sizeof *b->scope);
	if (!b->graph || !b->scope) {
		no_memory(x);
		return;
	}
	*b->scope = (ovl_onnx_scope){.parent = x->scope, .own_graph = true, .graph = b->graph, .model = x->scope->model, .frame = x->scope->frame,
		.bodies = x->scope->bodies + 1};
	done(x, ovl_onnx_scope_initializers(b->scope, g));
}

ovl_end ovl_x_body_parameter(ovl_onnx *x, ovl_onnx_body *b, const char *name, ovl_type type, const ovl_pshape *shape)
{
	ovl_node *n;
	ovl_parameter_params *p;
	if (x->status != OVL_OK || !done(x, ovl_graph_op(b->graph, "Parameter", name, NULL, 0, &n, x->err)))
		return no_end;
	p = n->params;
	p->element_type = type;
	p->shape = *shape;
	if (done(x, ovl_node_infer(n, x->err)) && *name)
		ovl_x_body_set(x, b, name, (ovl_end){n, 0});
	return (ovl_end){n, 0};
}

void ovl_x_body_set(ovl_onnx *x, ovl_onnx_body *b, const char *name, ovl_end inner)
{
	if (x->status == OVL_OK)
		done(x, ovl_onnx_scope_set(b->scope, name, (ovl_onnx_value){.end = inner, .set = true}));
}

void ovl_x_body_translate(ovl_onnx *x, ovl_onnx_body *b, const Onnx__GraphProto *g)
{
	if (x->status == OVL_OK)
		done(x, ovl_onnx_scope_nodes(b->scope, g->node, g->n_node));
	for (size_t i = 0; i < g->n_output && x->status == OVL_OK; i++) {
		ovl_onnx_value v;
		const char *name = g->output[i]->name;
		if (!done(x, ovl_onnx_scope_get(b->scope, name, &v)))
			return;
		if (!v.set)
			ovl_x_fail(x, OVL_E_PARSE, "nothing makes the output '%.200s' of the graph '%.100s'", name ? name : "", g->name ? g->name : "");
		else {
			ovl_graph *outer = x->graph;
			x->graph = b->graph;
			v.end = ovl_x_live(x, &v, g->output[i]->type);
			x->graph = outer;
			if (x->status == OVL_OK && !ovl_vec_push(&b->outputs, v.end))
				no_memory(x);
		}
	}
}

int ovl_x_body_result(ovl_onnx *x, ovl_onnx_body *b, ovl_end e)
{
	ovl_node *n;
	if (x->status != OVL_OK || !done(x, ovl_graph_op(b->graph, "Result", NULL, &e, 1, &n, x->err)) || !done(x, ovl_node_infer(n, x->err)))
		return 0;
	return (int)b->graph->results.n - 1;
}

ovl_body *ovl_x_body_give(ovl_onnx *x, ovl_onnx_body *b, ovl_node *n)
{
	ovl_body *body;
	if (x->status != OVL_OK || !n)
		return NULL;
	ovl_graph_prune(b->graph);
	if (!done(x, ovl_graph_finish(b->graph, x->err)) || !done(x, ovl_node_add_body(n, b->graph, &body, x->err)))
		return NULL;
	b->graph = NULL; /* the node's now */
	for (size_t i = 0; i < b->scope->captures.n; i++) {
		const ovl_onnx_capture *c = &b->scope->captures.at[i];
		ovl_body_in in = {.parameter = c->parameter};
		for (in.input = 0; in.input < (int)n->in.n; in.input++) /* a value that two bodies use is one input */
			if (n->bodies.n > 1 && n->in.at[in.input].node == c->outer.node && n->in.at[in.input].port == c->outer.port && in.input > 0)
				break;
		if (in.input == (int)n->in.n)
			ovl_x_add_input(x, n, c->outer);
		if (!ovl_vec_push(&body->ins, in))
			no_memory(x);
	}
	return x->status == OVL_OK ? body : NULL;
}

void ovl_x_body_close(ovl_onnx_body *b)
{
	if (b->scope)
		ovl_onnx_scope_close(b->scope);
	ovl_free(b->scope);
	ovl_graph_free(b->graph);
	ovl_vec_free(&b->outputs);
	memset(b, 0, sizeof *b);
}

void ovl_x_inline_with(ovl_onnx *x, const Onnx__GraphProto *g, const ovl_onnx_value *inputs, int n_in, ovl_onnx_value *outputs, int n)
{
	ovl_onnx_scope inner = {.parent = x->scope, .graph = x->graph, .model = x->scope->model, .frame = x->scope->frame, .bodies = x->scope->bodies};
	if (x->status != OVL_OK)
		return;
	if (n_in > (int)g->n_input)
		n_in = (int)g->n_input;
	for (int i = 0; i < n_in && x->status == OVL_OK; i++)
		if (g->input[i]->name)
			done(x, ovl_onnx_scope_set(&inner, g->input[i]->name, inputs[i]));
	if (done(x, ovl_onnx_scope_initializers(&inner, g)) && x->status == OVL_OK)
		done(x, ovl_onnx_scope_nodes(&inner, g->node, g->n_node));
	for (int i = 0; i < n && x->status == OVL_OK; i++) {
		outputs[i] = (ovl_onnx_value){.end = no_end};
		if ((size_t)i < g->n_output)
			done(x, ovl_onnx_scope_get(&inner, g->output[i]->name, &outputs[i]));
		if (x->status == OVL_OK && !outputs[i].set)
			ovl_x_fail(x, OVL_E_PARSE, "nothing makes output %d of the graph '%.100s'", i, g->name ? g->name : "");
	}
	ovl_onnx_scope_close(&inner);
}

void ovl_x_inline(ovl_onnx *x, const Onnx__GraphProto *g, ovl_onnx_value *outputs, int n) { ovl_x_inline_with(x, g, NULL, 0, outputs, n); }
