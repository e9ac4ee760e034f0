/* The fused operators that ONNX Runtime's optimiser leaves in files (domain com.microsoft), taken apart again. */
#include "read/onnx/rule.h"

#include <string.h>

#define DOMAIN "com.microsoft"

static ovl_end activated(ovl_onnx *x, ovl_end y)
{
	const char *name = ovl_x_attr_text(x, "activation", "");
	int n;
	const float *p = ovl_x_attr_floats(x, "activation_params", &n);
	if (!*name)
		return y;
	if (strcmp(name, "Relu") == 0 || strcmp(name, "Sigmoid") == 0 || strcmp(name, "Tanh") == 0)
		return ovl_x_op(x, name, y);
	if (strcmp(name, "HardSigmoid") == 0)
		return ovl_x_op(x, name, y, ovl_x_like(x, y, n > 0 ? p[0] : 0.2), ovl_x_like(x, y, n > 1 ? p[1] : 0.5));
	if (strcmp(name, "LeakyRelu") == 0)
		return ovl_x_op(x, "PRelu", y, ovl_x_vector_of(x, ovl_x_like(x, y, n > 0 ? p[0] : ovl_x_attr_float(x, "activation_alpha", 0.01f))));
	if (strcmp(name, "Clip") == 0 && n == 2)
		return ovl_x_opa(x, "Clamp", ovl_x_text(x, "min=%s;max=%s", ovl_x_num(x, p[0]), ovl_x_num(x, p[1])), y);
	ovl_x_fail(x, OVL_E_UNSUPPORTED, "the activation '%.40s' is not supported", name);
	return y;
}

/* Conv with an addend and an activation. */
static void fused_conv(ovl_onnx *x)
{
	ovl_end y = ovl_x_apply(x, "Conv", 11), addend = ovl_x_maybe(x, 3);
	ovl_x_out(x, 0, activated(x, addend.node ? ovl_x_op(x, "Add", y, addend) : y));
}

static void fused_gemm(ovl_onnx *x) { ovl_x_out(x, 0, activated(x, ovl_x_apply(x, "Gemm", 13))); }

static void fused_matmul(ovl_onnx *x)
{
	ovl_end y;
	float alpha = ovl_x_attr_float(x, "alpha", 1);
	if (ovl_x_attr_int(x, "transBatchA", 0) || ovl_x_attr_int(x, "transBatchB", 0))
		ovl_x_unsupported(x, "transBatchA");
	y = ovl_x_opa(x, "MatMul",
		ovl_x_text(x, "transpose_a=%d;transpose_b=%d", ovl_x_attr_int(x, "transA", 0) != 0, ovl_x_attr_int(x, "transB", 0) != 0),
		ovl_x_in(x, 0), ovl_x_in(x, 1));
	ovl_x_out(x, 0, alpha == 1 ? y : ovl_x_op(x, "Multiply", y, ovl_x_like(x, y, alpha)));
}

/* What the standard's operator of that name does, with the same inputs and attributes. */
static void as_standard(ovl_onnx *x) { ovl_x_apply(x, strcmp(x->op, "ExpandDims") == 0 ? "Unsqueeze" : x->op, 17); }

static void inverse(ovl_onnx *x) { ovl_x_out(x, 0, ovl_x_opa(x, "Inverse", "adjoint=false", ovl_x_in(x, 0))); }

static ovl_end with_bias(ovl_onnx *x, ovl_end a, int i)
{
	ovl_end bias = ovl_x_maybe(x, i);
	return bias.node ? ovl_x_op(x, "Add", a, bias) : a;
}

static void gelu(ovl_onnx *x)
{
	bool fast = strcmp(x->op, "FastGelu") == 0;
	ovl_x_out(x, 0, ovl_x_opa(x, "Gelu", fast ? "approximation_mode=TANH" : "approximation_mode=ERF", with_bias(x, ovl_x_in(x, 0), 1)));
}

static void quick_gelu(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	ovl_x_out(x, 0, ovl_x_op(x, "Swish", a, ovl_x_like(x, a, ovl_x_attr_float(x, "alpha", 1.702f))));
}

static ovl_end rms(ovl_onnx *x, ovl_end a, ovl_end gamma, double eps, int64_t axis)
{
	ovl_end square, wide = ovl_type_size(ovl_x_type(x, a)) < 4 ? ovl_x_convert(x, a, OVL_F32) : a;
	if (axis != -1 && axis != ovl_x_rank(x, a) - 1)
		ovl_x_unsupported(x, "an axis other than the last");
	square = ovl_x_reduce(x, "ReduceMean", ovl_x_op(x, "Multiply", wide, wide), ovl_x_vec(x, -1), true);
	square = ovl_x_op(x, "Sqrt", ovl_x_op(x, "Add", square, ovl_x_like(x, wide, eps)));
	return ovl_x_op(x, "Multiply", ovl_x_convert_like(x, ovl_x_op(x, "Divide", wide, square), a), gamma);
}

static void simplified_layer_norm(ovl_onnx *x)
{
	ovl_x_out(x, 0, rms(x, ovl_x_in(x, 0), ovl_x_in(x, 1), ovl_x_attr_float(x, "epsilon", 1e-5f), ovl_x_attr_int(x, "axis", -1)));
}

static ovl_end layer_norm(ovl_onnx *x, ovl_end a, ovl_end gamma, ovl_end beta, double eps)
{
	ovl_end y = ovl_x_opa(x, "MVN", ovl_x_text(x, "normalize_variance=true;eps=%s;eps_mode=inside_sqrt", ovl_x_num(x, eps)), a, ovl_x_vec(x, -1));
	y = ovl_x_op(x, "Multiply", y, gamma);
	return beta.node ? ovl_x_op(x, "Add", y, beta) : y;
}

/* Input and skip are added first; output 3 is that sum. */
static void skip_layer_norm(ovl_onnx *x)
{
	bool simple = strcmp(x->op, "SkipSimplifiedLayerNormalization") == 0;
	double eps = ovl_x_attr_float(x, "epsilon", simple ? 1e-6f : 1e-12f);
	ovl_end sum = with_bias(x, ovl_x_op(x, "Add", ovl_x_in(x, 0), ovl_x_in(x, 1)), simple ? 3 : 4);
	ovl_x_out(x, 0, simple ? rms(x, sum, ovl_x_in(x, 2), eps, -1) : layer_norm(x, sum, ovl_x_in(x, 2), ovl_x_maybe(x, 3), eps));
	ovl_x_out(x, 3, sum);
}

/* Sum of word, position and segment embeddings, normalised; the mask's length for each row. */
static void embed_layer_norm(ovl_onnx *x)
{
	ovl_end words = ovl_x_in(x, 0), segments = ovl_x_maybe(x, 1), mask = ovl_x_maybe(x, 7), places = ovl_x_maybe(x, 8), sum;
	sum = ovl_x_gather(x, ovl_x_in(x, 2), words, 0);
	if (!places.node)
		places = ovl_x_range(x, ovl_x_i64(x, 0), ovl_x_scalar_of(x, ovl_x_dims(x, words, 1, 2)), OVL_I64);
	sum = ovl_x_op(x, "Add", sum, ovl_x_gather(x, ovl_x_in(x, 3), places, 0));
	if (segments.node && ovl_x_has(x, 4))
		sum = ovl_x_op(x, "Add", sum, ovl_x_gather(x, ovl_x_in(x, 4), segments, 0));
	ovl_x_out(x, 0, layer_norm(x, sum, ovl_x_in(x, 5), ovl_x_in(x, 6), ovl_x_attr_float(x, "epsilon", 1e-12f)));
	if (mask.node)
		ovl_x_out(x, 1, ovl_x_reduce(x, "ReduceSum", mask, ovl_x_vec(x, 1), false));
	else
		ovl_x_out(x, 1, ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_scalar(x, OVL_I32, 0), ovl_x_dims(x, words, 0, 1)));
	ovl_x_out(x, 2, sum);
}

const ovl_onnx_rule ovl_onnx_microsoft[] = {
	{"FusedConv", DOMAIN, 1, fused_conv}, {"FusedGemm", DOMAIN, 1, fused_gemm}, {"FusedMatMul", DOMAIN, 1, fused_matmul}, {"Gelu", DOMAIN, 1, gelu},
	{"TransposeMatMul", DOMAIN, 1, fused_matmul}, {"ExpandDims", DOMAIN, 1, as_standard}, {"GatherND", DOMAIN, 1, as_standard}, {"Pad", DOMAIN, 1, as_standard},
	{"Range", DOMAIN, 1, as_standard}, {"Trilu", DOMAIN, 1, as_standard}, {"Unique", DOMAIN, 1, as_standard}, {"Inverse", DOMAIN, 1, inverse},
	{"FastGelu", DOMAIN, 1, gelu}, {"BiasGelu", DOMAIN, 1, gelu}, {"QuickGelu", DOMAIN, 1, quick_gelu},
	{"SimplifiedLayerNormalization", NULL, 1, simplified_layer_norm}, {"SkipLayerNormalization", DOMAIN, 1, skip_layer_norm},
	{"SkipSimplifiedLayerNormalization", DOMAIN, 1, skip_layer_norm}, {"EmbedLayerNormalization", DOMAIN, 1, embed_layer_norm}, {NULL, NULL, 0, NULL},
};
