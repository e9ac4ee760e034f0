/* activation.c - activations: element-wise functions that nets put behind their layers. */
#include "ops/eltwise.h"
#include "ops/support_axes.h"
#include "ops/support_binary.h"
#include "ops/support_move.h"
#include "ops/support_unary.h"
#include "ops/support_walk.h"
#include "tensor/convert.h"

/* ---- without numbers of their own ---- */

OVL_UNARY_FLOAT(relu, x < 0 ? K(0) : x)
OVL_UNARY_WHOLE(relu, x < 0 ? 0 : x, x)
static const ovl_unary relu_rows = OVL_UNARY_EXACT(relu);
OVL_UNARY_OP(relu, "Relu", 1, ovl_unary_infer, .ir_name = "ReLU")

OVL_UNARY_FLOAT(sigmoid, K(1) / (K(1) + exp(-x)))
static const ovl_unary sigmoid_rows = OVL_UNARY_ROUNDED(sigmoid);
OVL_UNARY_OP(sigmoid, "Sigmoid", 1, ovl_unary_infer)

OVL_UNARY_FLOAT(tanh, tanh(x))
static const ovl_unary tanh_rows = OVL_UNARY_ROUNDED(tanh);
OVL_UNARY_OP(tanh, "Tanh", 1, ovl_unary_infer)

#define CLAMP(v, low, high) ((v) < K(low) ? K(low) : (v) > K(high) ? K(high) : (v))
OVL_UNARY_FLOAT(hswish, x * CLAMP(x + K(3), 0, 6) / K(6))
static const ovl_unary hswish_rows = OVL_UNARY_ROUNDED(hswish);
OVL_UNARY_OP(hswish, "HSwish", 4, ovl_unary_infer, .factory = "hswish")

OVL_UNARY_FLOAT(hsigmoid, CLAMP(x + K(3), 0, 6) / K(6))
static const ovl_unary hsigmoid_rows = OVL_UNARY_ROUNDED(hsigmoid);
OVL_UNARY_OP(hsigmoid, "HSigmoid", 5, ovl_unary_infer, .factory = "hsigmoid")

/* log(1 + exp(x)) without overflow */
#define SOFTPLUS ((x > 0 ? x : K(0)) + log1p(exp(-fabs(x))))
OVL_UNARY_FLOAT(softplus, SOFTPLUS)
static const ovl_unary softplus_rows = OVL_UNARY_ROUNDED(softplus);
OVL_UNARY_OP(softplus, "SoftPlus", 4, ovl_unary_infer_real, .factory = "softplus")

OVL_UNARY_FLOAT(mish, x * tanh(SOFTPLUS))
static const ovl_unary mish_rows = OVL_UNARY_ROUNDED(mish);
OVL_UNARY_OP(mish, "Mish", 4, ovl_unary_infer_real)

OVL_UNARY_FLOAT(softsign, x / (K(1) + fabs(x)))
static const ovl_unary softsign_rows = OVL_UNARY_ROUNDED(softsign);
OVL_UNARY_OP(softsign, "SoftSign", 9, ovl_unary_infer_real, .factory = "softsign")

/* ---- Gelu ---- */

/* erfc keeps the digits of the left tail, which 1 + erf would lose. */
OVL_UNARY_FLOAT(gelu_erf, K(0.5) * x * erfc(x * K(-0.70710678118654752440)))
static const ovl_unary gelu_erf_rows = OVL_UNARY_ROUNDED(gelu_erf);
OVL_UNARY_OP(gelu_erf, "Gelu", 2, ovl_unary_infer_real, .until = 6, .params_size = sizeof(ovl_gelu_params)) /* zeros: erf */

OVL_UNARY_FLOAT(gelu_tanh, K(0.5) * x * (K(1) + tanh(K(0.79788456080286535588) * (x + K(0.044715) * x * x * x))))
static const ovl_unary gelu_tanh_rows = OVL_UNARY_ROUNDED(gelu_tanh);

static ovl_status gelu_run(ovl_run *run)
{
	const ovl_gelu_params *p = (const ovl_gelu_params *)run->params;
	return ovl_unary_run(run, p->approximation_mode == OVL_GELU_TANH ? &gelu_tanh_rows : &gelu_erf_rows, NULL);
}

static const ovl_attr gelu_attrs[] = {OVL_ATTR_ENUM(ovl_gelu_params, approximation_mode, "ERF", "ERF TANH"), OVL_ATTR_END};
static const ovl_op gelu_op = {.name = "Gelu", .since = 7, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .params_size = sizeof(ovl_gelu_params),
	.attrs = gelu_attrs, .infer = ovl_unary_infer_real, .run = gelu_run};

/* ---- Elu, Clamp: numbers are attributes ---- */

OVL_UNARY_FLOAT(elu, x < 0 ? K(arg[0]) * expm1(x) : x)
static const ovl_unary elu_rows = OVL_UNARY_ROUNDED(elu);

static ovl_status elu_run(ovl_run *run) { return ovl_unary_run(run, &elu_rows, &((const ovl_elu_params *)run->params)->alpha); }

static const ovl_attr elu_attrs[] = {OVL_ATTR_DOUBLE(ovl_elu_params, alpha, NULL), OVL_ATTR_END};
static const ovl_op elu_op = {.name = "Elu", .since = 1, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .params_size = sizeof(ovl_elu_params),
	.attrs = elu_attrs, .infer = ovl_unary_infer, .run = elu_run};

/* The bounds of whole numbers, rounded inwards and brought into the range of the type that is worked in. */
static int64_t low_i64(double v) { return v <= -0x1p63 ? INT64_MIN : v >= 0x1p63 ? INT64_MAX : (int64_t)ceil(v); }
static int64_t high_i64(double v) { return v <= -0x1p63 ? INT64_MIN : v >= 0x1p63 ? INT64_MAX : (int64_t)floor(v); }
static uint64_t low_u64(double v) { return v <= 0 ? 0 : v >= 0x1p64 ? UINT64_MAX : (uint64_t)ceil(v); }
static uint64_t high_u64(double v) { return v <= 0 ? 0 : v >= 0x1p64 ? UINT64_MAX : (uint64_t)floor(v); }

OVL_UNARY_FLOAT(clamp, CLAMP(x, arg[0], arg[1]))
OVL_UNARY_WHOLE(clamp, x < low_i64(arg[0]) ? low_i64(arg[0]) : x > high_i64(arg[1]) ? high_i64(arg[1]) : x,
	x < low_u64(arg[0]) ? low_u64(arg[0]) : x > high_u64(arg[1]) ? high_u64(arg[1]) : x)
static const ovl_unary clamp_rows = OVL_UNARY_EXACT(clamp);

static ovl_status clamp_infer(ovl_infer *in)
{
	const ovl_clamp_params *p = (const ovl_clamp_params *)in->params;
	if (!(p->min <= p->max))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "min is %g and max is %g; min must not be above max", p->min, p->max);
	return ovl_unary_infer(in);
}

/* Narrow whole numbers are worked on in 64 bits: bounds outside of their range must not wrap when they are stored. */
static ovl_status clamp_run(ovl_run *run)
{
	static const double top[OVL_TYPE_COUNT] = {[OVL_I2] = 1, [OVL_I4] = 7, [OVL_I8] = 127, [OVL_I16] = 32767, [OVL_I32] = 2147483647, [OVL_U1] = 1, [OVL_U2] = 3, [OVL_U4] = 15, [OVL_U8] = 255,
		[OVL_U16] = 65535, [OVL_U32] = 4294967295.0};
	const ovl_clamp_params *p = (const ovl_clamp_params *)run->params;
	double arg[2] = {p->min, p->max}, high = top[run->in[0]->type], low = ovl_type_is_signed(run->in[0]->type) ? -high - 1 : 0;
	for (int i = 0; high > 0 && i < 2; i++)
		arg[i] = arg[i] < low ? low : arg[i] > high ? high : arg[i];
	return ovl_unary_run(run, &clamp_rows, arg);
}

static const ovl_attr clamp_attrs[] = {OVL_ATTR_DOUBLE(ovl_clamp_params, min, NULL), OVL_ATTR_DOUBLE(ovl_clamp_params, max, NULL), OVL_ATTR_END};
static const ovl_op clamp_op = {.name = "Clamp", .since = 1, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .params_size = sizeof(ovl_clamp_params),
	.attrs = clamp_attrs, .infer = clamp_infer, .run = clamp_run};

/* ---- Swish, HardSigmoid, Selu: numbers are scalar inputs ---- */

static ovl_status scalars_infer(ovl_infer *in, uint32_t mask)
{
	ovl_type type;
	bool known;
	int64_t value;
	OVL_TRY(ovl_infer_type_in(in, 0, mask));
	OVL_TRY(ovl_infer_input_types(in, 0, in->n_in, &type));
	for (int i = 1; i < in->n_in; i++)
		OVL_TRY(ovl_infer_scalar(in, i, &known, &value));
	ovl_infer_out(in, 0, type, &in->in_shape[0]);
	return OVL_OK;
}

static ovl_status scalars_run(ovl_run *run, const ovl_unary *rows, double first)
{
	double arg[2] = {first, 0};
	for (int i = 1; i < run->n_in && i < 3; i++) {
		if (ovl_tensor_count(run->in[i]) != 1)
			return ovl_fail(run->err, OVL_E_SHAPE, "%s: input %d must have one element", run->op->name, i);
		arg[i - 1] = ovl_tensor_f64_at(run->in[i], 0);
	}
	return ovl_unary_run(run, rows, arg);
}

OVL_UNARY_FLOAT(swish, x / (K(1) + exp(-K(arg[0]) * x)))
static const ovl_unary swish_rows = OVL_UNARY_ROUNDED(swish);
static ovl_status swish_infer(ovl_infer *in) { return scalars_infer(in, OVL_MASK_REAL); }
static ovl_status swish_run(ovl_run *run) { return scalars_run(run, &swish_rows, 1); }
static const ovl_op swish_op = {.name = "Swish", .since = 4, .min_inputs = 1, .max_inputs = 2, .outputs = 1, .inputs = "data beta", .infer = swish_infer, .run = swish_run};

OVL_UNARY_FLOAT(hard_sigmoid, CLAMP(K(arg[0]) * x + K(arg[1]), 0, 1))
static const ovl_unary hard_sigmoid_rows = OVL_UNARY_ROUNDED(hard_sigmoid);
static ovl_status hard_sigmoid_infer(ovl_infer *in) { return scalars_infer(in, OVL_MASK_ARITHMETIC); }
static ovl_status hard_sigmoid_run(ovl_run *run) { return scalars_run(run, &hard_sigmoid_rows, 0); }
static const ovl_op hard_sigmoid_op = {.name = "HardSigmoid", .since = 1, .min_inputs = 3, .max_inputs = 3, .outputs = 1, .inputs = "data alpha beta",
	.infer = hard_sigmoid_infer, .run = hard_sigmoid_run};

OVL_UNARY_FLOAT(selu, x > 0 ? K(arg[1]) * x : K(arg[1]) * K(arg[0]) * expm1(x))
static const ovl_unary selu_rows = OVL_UNARY_ROUNDED(selu);
static ovl_status selu_run(ovl_run *run) { return scalars_run(run, &selu_rows, 0); }
static const ovl_op selu_op = {.name = "Selu", .since = 1, .min_inputs = 3, .max_inputs = 3, .outputs = 1, .inputs = "data alpha lambda_value", .infer = swish_infer,
	.run = selu_run};

/* ---- PRelu ---- */

#define LEAK(x, y) ((x) < 0 ? (x) * (y) : (x))
#define LEAK_WHOLE(x, y) ((x) < 0 ? (int64_t)((uint64_t)(x) * (uint64_t)(y)) : (x))
#define FIRST(x, y) ((void)(y), (x))
static void prelu_rows(const ovl_binary_row *r)
{
	switch (r->type) {
		OVL_BINARY_FLOATS(LEAK)
		OVL_BINARY_SIGNED(LEAK_WHOLE)
		OVL_BINARY_UNSIGNED(FIRST)
	default: break;
	}
}

/* A slope of one dimension that has as many elements as there are channels belongs to the channels; all other slopes are broadcast as usual. */
static ovl_status prelu_run(ovl_run *run)
{
	if (ovl_run_narrow(run))
		return ovl_run_unpacked(run, prelu_run);
	const ovl_shape *x = &run->in[0]->shape, *slope = &run->in[1]->shape;
	int channels = x->rank > 1 ? 1 : 0;
	bool per_channel = slope->rank == 1 && x->rank > 0 && slope->dims[0] == x->dims[channels];
	ovl_binary_params p = {.auto_broadcast = per_channel ? OVL_BROADCAST_PDPD : OVL_BROADCAST_NUMPY, .axis = channels};
	return ovl_binary_run(run, &p, prelu_rows, prelu_run);
}

static ovl_status prelu_infer(ovl_infer *in)
{
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_ARITHMETIC));
	OVL_TRY(ovl_infer_merge_types(in, 0, 1, &type));
	ovl_infer_out(in, 0, type, &in->in_shape[0]);
	return OVL_OK;
}

static const ovl_op prelu_op = {.name = "PRelu", .ir_name = "PReLU", .factory = "prelu", .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = 1,
	.inputs = "data slope", .infer = prelu_infer, .run = prelu_run};

const ovl_op *const ovl_ops_activation[] = {&relu_op, &sigmoid_op, &tanh_op, &hswish_op, &hsigmoid_op, &softplus_op, &mish_op, &softsign_op, &gelu_erf_op, &gelu_op, &elu_op,
	&clamp_op, &swish_op, &hard_sigmoid_op, &selu_op, &prelu_op, NULL};
