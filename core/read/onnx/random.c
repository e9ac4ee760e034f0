/* Random numbers. A seed is used as it is; the numbers are not those of another runtime. */
#include "read/onnx/rule.h"

#define PI 3.14159265358979323846

static ovl_type type_of(ovl_onnx *x, ovl_end like)
{
	ovl_type t = ovl_x_attr(x, "dtype") ? ovl_x_pb_type(x, ovl_x_attr_int(x, "dtype", 1)) : like.node ? ovl_x_type(x, like) : OVL_F32;
	return t == OVL_DYNAMIC ? OVL_F32 : t;
}

static ovl_end uniform(ovl_onnx *x, ovl_end shape, ovl_type type, double lo, double hi, int which)
{
	int64_t seed = (int64_t)ovl_x_attr_float(x, "seed", 0);
	const char *how = ovl_x_text(x, "output_type=%s;global_seed=%lld;op_seed=%d", ovl_type_name(type), (long long)(seed < 0 ? -seed : seed), which);
	return ovl_x_opa(x, "RandomUniform", how, shape, ovl_x_scalar(x, type, lo), ovl_x_scalar(x, type, hi));
}

static ovl_end wanted_shape(ovl_onnx *x, ovl_end like)
{
	int n;
	const int64_t *dims;
	if (like.node)
		return ovl_x_shape(x, like);
	dims = ovl_x_attr_ints(x, "shape", &n);
	if (!dims)
		ovl_x_fail(x, OVL_E_PARSE, "attribute 'shape' is missing");
	return ovl_x_i64s(x, dims, n);
}

static void random_uniform(ovl_onnx *x)
{
	ovl_end like = x->n_in ? ovl_x_in(x, 0) : (ovl_end){NULL, 0};
	ovl_x_out(x, 0, uniform(x, wanted_shape(x, like), type_of(x, like), ovl_x_attr_float(x, "low", 0), ovl_x_attr_float(x, "high", 1), 0));
}

/* Box and Muller: sqrt(-2 log u) cos(2 pi v) */
static void random_normal(ovl_onnx *x)
{
	ovl_end like = x->n_in ? ovl_x_in(x, 0) : (ovl_end){NULL, 0}, shape = wanted_shape(x, like), u, v, y;
	ovl_type type = type_of(x, like), inner = type == OVL_F64 ? OVL_F64 : OVL_F32;
	u = ovl_x_op(x, "Subtract", ovl_x_scalar(x, inner, 1), uniform(x, shape, inner, 0, 1, 1)); /* (0, 1] */
	v = uniform(x, shape, inner, 0, 1, 2);
	y = ovl_x_op(x, "Sqrt", ovl_x_op(x, "Multiply", ovl_x_scalar(x, inner, -2), ovl_x_op(x, "Log", u)));
	y = ovl_x_op(x, "Multiply", y, ovl_x_op(x, "Cos", ovl_x_op(x, "Multiply", ovl_x_scalar(x, inner, 2 * PI), v)));
	y = ovl_x_op(x, "Multiply", y, ovl_x_scalar(x, inner, ovl_x_attr_float(x, "scale", 1)));
	ovl_x_out(x, 0, ovl_x_convert(x, ovl_x_op(x, "Add", y, ovl_x_scalar(x, inner, ovl_x_attr_float(x, "mean", 0))), type));
}

static void bernoulli(ovl_onnx *x)
{
	ovl_end p = ovl_x_in(x, 0), u = uniform(x, ovl_x_shape(x, p), OVL_F32, 0, 1, 0);
	ovl_x_out(x, 0, ovl_x_convert(x, ovl_x_op(x, "Less", u, ovl_x_convert(x, p, OVL_F32)), type_of(x, p)));
}

static void multinomial(ovl_onnx *x)
{
	ovl_type type = ovl_x_pb_type(x, ovl_x_attr_int(x, "dtype", 6));
	int64_t seed = (int64_t)ovl_x_attr_float(x, "seed", 0);
	const char *how = ovl_x_text(x, "convert_type=%s;with_replacement=true;log_probs=true;global_seed=%lld;op_seed=0", ovl_type_name(type),
		(long long)(seed < 0 ? -seed : seed));
	ovl_x_out(x, 0, ovl_x_opa(x, "Multinomial", how, ovl_x_in(x, 0), ovl_x_vec(x, ovl_x_attr_int(x, "sample_size", 1))));
}

const ovl_onnx_rule ovl_onnx_random[] = {
	{"RandomUniform", NULL, 1, random_uniform}, {"RandomUniformLike", NULL, 1, random_uniform}, {"RandomNormal", NULL, 1, random_normal},
	{"RandomNormalLike", NULL, 1, random_normal}, {"Bernoulli", NULL, 15, bernoulli}, {"Multinomial", NULL, 7, multinomial}, {NULL, NULL, 0, NULL},
};
