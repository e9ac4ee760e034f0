/* Constants, types, and operators that give their input as it is. */
#include "read/onnx/model.h"

#include <string.h>

/* ---- Constant ---- */

static ovl_end numbers(ovl_onnx *x, ovl_type type, const void *data, size_t n, bool scalar)
{
	ovl_shape shape = {.rank = scalar ? 0 : 1, .dims = {(int64_t)n}};
	ovl_tensor *t;
	ovl_end e;
	x->status = ovl_tensor_new(type, &shape, &t, x->err);
	if (x->status != OVL_OK)
		return (ovl_end){NULL, 0};
	if (n)
		memcpy(t->data, data, n * ovl_type_size(type));
	e = ovl_x_const(x, t);
	ovl_tensor_release(t);
	return e;
}

static ovl_end texts(ovl_onnx *x, const ProtobufCBinaryData *s, size_t n, bool scalar)
{
	ovl_shape shape = {.rank = scalar ? 0 : 1, .dims = {(int64_t)n}};
	ovl_tensor *t;
	ovl_end e;
	x->status = ovl_tensor_new(OVL_STRING, &shape, &t, x->err);
	if (x->status != OVL_OK)
		return (ovl_end){NULL, 0};
	for (size_t i = 0; i < n && x->status == OVL_OK; i++)
		x->status = ovl_tensor_set_string(t, (int64_t)i, (const char *)s[i].data, s[i].len, x->err);
	e = ovl_x_const(x, t);
	ovl_tensor_release(t);
	return e;
}

static ovl_end sparse(ovl_onnx *x, const Onnx__SparseTensorProto *p)
{
	ovl_tensor *t;
	ovl_end e;
	x->status = ovl_onnx_sparse(x->scope, p, &t);
	if (x->status != OVL_OK)
		return (ovl_end){NULL, 0};
	e = ovl_x_const(x, t);
	ovl_tensor_release(t);
	return e;
}

static void constant(ovl_onnx *x)
{
	const Onnx__AttributeProto *a;
	ovl_end e = {NULL, 0};
	if ((a = ovl_x_attr(x, "value")) && a->t)
		e = ovl_x_const(x, ovl_x_tensor(x, a->t));
	else if ((a = ovl_x_attr(x, "sparse_value")) && a->sparse_tensor)
		e = sparse(x, a->sparse_tensor);
	else if ((a = ovl_x_attr(x, "value_int")))
		e = numbers(x, OVL_I64, &a->i, 1, true);
	else if ((a = ovl_x_attr(x, "value_ints")))
		e = numbers(x, OVL_I64, a->ints, a->n_ints, false);
	else if ((a = ovl_x_attr(x, "value_float")))
		e = numbers(x, OVL_F32, &a->f, 1, true);
	else if ((a = ovl_x_attr(x, "value_floats")))
		e = numbers(x, OVL_F32, a->floats, a->n_floats, false);
	else if ((a = ovl_x_attr(x, "value_string")))
		e = texts(x, &a->s, 1, true);
	else if ((a = ovl_x_attr(x, "value_strings")))
		e = texts(x, a->strings, a->n_strings, false);
	else
		ovl_x_fail(x, OVL_E_PARSE, "it has no value");
	ovl_x_out(x, 0, e);
}

/* ---- types ---- */

/* Between text and numbers: true when that is what was asked for. */
static bool cast_text(ovl_onnx *x, ovl_end a, ovl_type to)
{
	ovl_type from = ovl_x_type(x, a);
	if (x->status != OVL_OK || from == OVL_DYNAMIC || to == OVL_DYNAMIC || (from == OVL_STRING) == (to == OVL_STRING))
		return false;
	ovl_x_out(x, 0, to == OVL_STRING ? ovl_x_op(x, "NumberToString", a) : ovl_x_opa(x, "StringToNumber", ovl_x_text(x, "destination_type=%s", ovl_type_name(to)), a));
	return true;
}

/* Powers of two, on the bits of f32: `round_mode` says which of both neighbours. */
static ovl_end rounded_to_power(ovl_onnx *x, ovl_end a)
{
	const char *mode = ovl_x_attr_text(x, "round_mode", "up");
	ovl_end bits, wide = ovl_x_convert(x, a, OVL_F32);
	if (strcmp(mode, "nearest") == 0 || ovl_x_type(x, a) == OVL_F8E8M0)
		return a;
	bits = ovl_x_opa(x, "BitCast", "destination_type=i32", wide);
	if (strcmp(mode, "up") == 0)
		bits = ovl_x_op(x, "Add", bits, ovl_x_scalar(x, OVL_I32, 0x7fffff));
	bits = ovl_x_op(x, "BitwiseAnd", bits, ovl_x_scalar(x, OVL_I32, -8388608));
	return ovl_x_op(x, "Select", ovl_x_op(x, "IsFinite", wide), ovl_x_opa(x, "BitCast", "destination_type=f32", bits), wide);
}

/* To 8-bit floats: what is too large, infinities included, becomes the largest number (saturate, the default). */
static ovl_end converted(ovl_onnx *x, ovl_end a, ovl_type to)
{
	const char *range = to == OVL_F8E4M3 ? "min=-448;max=448" : to == OVL_F8E4M3FNUZ ? "min=-240;max=240" :
		to == OVL_F8E5M2 || to == OVL_F8E5M2FNUZ ? "min=-57344;max=57344" : NULL;
	if (to == OVL_F8E8M0)
		a = rounded_to_power(x, a);
	if (range && ovl_x_attr_int(x, "saturate", 1) && ovl_x_is_float(x, a) && ovl_x_type(x, a) != to)
		a = ovl_x_op(x, "Select", ovl_x_op(x, "IsNaN", a), a, ovl_x_opa(x, "Clamp", range, a));
	return ovl_x_convert(x, a, to);
}

static void cast(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	ovl_type to;
	const Onnx__AttributeProto *attr = ovl_x_attr(x, "to");
	if (attr && x->opset < 6 && attr->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING) {
		ovl_x_unsupported(x, "a type that is given by name");
		return;
	}
	to = ovl_x_pb_type(x, ovl_x_need_int(x, "to"));
	if (x->status != OVL_OK || cast_text(x, a, to))
		return;
	ovl_x_out(x, 0, converted(x, a, to));
}

static void cast_like(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), like = ovl_x_in(x, 1);
	ovl_type to = ovl_x_type(x, like);
	if (x->status != OVL_OK || cast_text(x, a, to))
		return;
	ovl_x_out(x, 0, to == OVL_DYNAMIC ? ovl_x_convert_like(x, a, like) : converted(x, a, to));
}

static void bit_cast(ovl_onnx *x)
{
	ovl_x_out(x, 0, ovl_x_opa(x, "BitCast", ovl_x_text(x, "destination_type=%s", ovl_type_name(ovl_x_pb_type(x, ovl_x_need_int(x, "to")))), ovl_x_in(x, 0)));
}

/* ---- as it is ---- */

static void identity(ovl_onnx *x)
{
	ovl_onnx_value v = ovl_x_value(x, 0);
	if (x->status == OVL_OK && !v.set && !x->scope->frame)
		ovl_x_fail(x, OVL_E_PARSE, "input 0 is missing");
	ovl_x_out_value(x, 0, v);
}

static ovl_end all_kept(ovl_onnx *x, ovl_end a)
{
	return ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_scalar(x, x->opset < 10 ? ovl_x_type(x, a) : OVL_BOOLEAN, 1), ovl_x_shape(x, a));
}

/* Training: elements are dropped at random, and the others grow in proportion. */
static void dropout_training(ovl_onnx *x, ovl_end a, ovl_end ratio, ovl_end training)
{
	int64_t seed = (int64_t)ovl_x_attr_int(x, "seed", 0);
	const char *how = ovl_x_text(x, "output_type=f32;global_seed=%lld;op_seed=0", (long long)(seed < 0 ? -(seed + 1) : seed));
	ovl_end noise = ovl_x_opa(x, "RandomUniform", how, ovl_x_shape(x, a), ovl_x_scalar(x, OVL_F32, 0), ovl_x_scalar(x, OVL_F32, 1)), kept, grown;
	ratio = ratio.node ? ovl_x_scalar_of(x, ovl_x_convert(x, ratio, OVL_F32)) : ovl_x_scalar(x, OVL_F32, 0.5);
	training = ovl_x_scalar_of(x, training);
	kept = ovl_x_op(x, "LogicalOr", ovl_x_op(x, "GreaterEqual", noise, ratio), ovl_x_op(x, "LogicalNot", training));
	grown = ovl_x_op(x, "Divide", a, ovl_x_convert_like(x, ovl_x_op(x, "Subtract", ovl_x_scalar(x, OVL_F32, 1), ratio), a));
	grown = ovl_x_op(x, "Select", training, grown, a);
	ovl_x_out(x, 0, ovl_x_op(x, "Select", kept, grown, ovl_x_like(x, a, 0)));
	ovl_x_out(x, 1, kept);
}

static void dropout(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	double known = 0;
	if (x->opset >= 12 && ovl_x_has(x, 2) && (!ovl_x_number(x, ovl_x_in(x, 2), &known) || known != 0)) {
		dropout_training(x, a, ovl_x_maybe(x, 1), ovl_x_in(x, 2));
		return;
	}
	ovl_x_out(x, 0, a);
	if (ovl_x_wants(x, 1))
		ovl_x_out(x, 1, all_kept(x, a));
}

const ovl_onnx_rule ovl_onnx_basic[] = {
	{"Constant", NULL, 1, constant}, {"Cast", NULL, 1, cast}, {"CastLike", NULL, 15, cast_like}, {"BitCast", NULL, 26, bit_cast},
	{"Identity", NULL, 1, identity},
	{"Dropout", NULL, 1, dropout}, {NULL, NULL, 0, NULL},
};
