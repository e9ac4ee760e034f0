/* Operators that carry a state from call to call: LinearAttention, CausalConvWithState; and FlexAttention, whose scores pass through graphs of their own. */
#include "read/onnx/heads.h"

#include <math.h>
#include <string.h>

static ovl_end zeros(ovl_onnx *x, ovl_end like, ovl_end shape) { return ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_like(x, like, 0), shape); }

static void linear_attention(ovl_onnx *x)
{
	ovl_end q = ovl_x_in(x, 0), k = ovl_x_in(x, 1), v = ovl_x_in(x, 2), state = ovl_x_maybe(x, 3), decay = ovl_x_maybe(x, 4), rate = ovl_x_maybe(x, 5), y;
	int64_t q_heads = ovl_x_need_int(x, "q_num_heads"), heads = ovl_x_need_int(x, "kv_num_heads");
	const char *rule = ovl_x_attr_text(x, "update_rule", "gated_delta");
	bool gated = strncmp(rule, "gated", 5) == 0, delta = strstr(rule, "delta") != NULL;
	if (gated != (decay.node != NULL) || delta != (rate.node != NULL) || heads < 1)
		ovl_x_fail(x, OVL_E_PARSE, "its inputs do not fit the rule '%.40s'", rule);
	if (x->status != OVL_OK)
		return;
	if (!state.node) {
		ovl_end sizes = ovl_x_cat(x, 0, ovl_x_dims(x, k, 2, 3), ovl_x_dims(x, v, 2, 3));
		sizes = ovl_x_opa(x, "Divide", "m_pythondiv=false", sizes, ovl_x_i64(x, heads));
		state = zeros(x, q, ovl_x_cat(x, 0, ovl_x_dims(x, q, 0, 1), ovl_x_vec(x, heads), sizes));
	}
	if (delta && !gated)
		decay = zeros(x, q, ovl_x_cat(x, 0, ovl_x_dims(x, q, 0, 2), ovl_x_vec(x, heads)));
	y = ovl_x_opa(x, "LinearAttention",
		ovl_x_text(x, "q_num_heads=%lld;kv_num_heads=%lld;scale=%s", (long long)q_heads, (long long)heads, ovl_x_num(x, ovl_x_attr_float(x, "scale", 0))), q, k, v,
		state, decay, rate);
	ovl_x_out(x, 0, y);
	ovl_x_out(x, 1, ovl_x_port(y, 1));
}

/* Each channel by itself, over what came before (k - 1 positions: the state, or zeros) and what is new. */
static void causal_conv(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), w = ovl_x_in(x, 1), bias = ovl_x_maybe(x, 2), past = ovl_x_maybe(x, 3), wide, y, kept;
	const char *activation = ovl_x_attr_text(x, "activation", "none");
	kept = ovl_x_op(x, "Subtract", ovl_x_dims(x, w, 2, 3), ovl_x_vec(x, 1));
	if (!past.node)
		past = zeros(x, a, ovl_x_cat(x, 0, ovl_x_dims(x, a, 0, 2), kept));
	wide = ovl_x_cat(x, 2, past, a);
	y = ovl_x_opa(x, "GroupConvolution", "strides=1;dilations=1;pads_begin=0;pads_end=0", wide, ovl_x_unsqueeze(x, w, 1));
	if (bias.node)
		y = ovl_x_op(x, "Add", y, ovl_x_channels(x, bias, 3, 1));
	if (strcmp(activation, "silu") == 0 || strcmp(activation, "swish") == 0)
		y = ovl_x_op(x, "Swish", y);
	else if (strcmp(activation, "none") != 0)
		ovl_x_fail(x, OVL_E_UNSUPPORTED, "the activation '%.40s' is not supported", activation);
	ovl_x_out(x, 0, y);
	ovl_x_out(x, 1, ovl_x_op(x, "Slice", wide, ovl_x_dims(x, a, 2, 3), ovl_x_vec(x, INT64_MAX), ovl_x_vec(x, 1), ovl_x_vec(x, 2)));
}

/* A graph of one input and one output, where the attribute is there. */
static ovl_end through(ovl_onnx *x, const char *name, ovl_end e)
{
	ovl_onnx_value in = {.end = e, .set = true}, out = {0};
	if (!ovl_x_attr(x, name))
		return e;
	ovl_x_inline_with(x, ovl_x_attr_graph(x, name), &in, 1, &out, 1);
	return out.end;
}

static void flex_attention(ovl_onnx *x)
{
	ovl_end q = ovl_x_in(x, 0), k = ovl_x_in(x, 1), v = ovl_x_in(x, 2), y, factor;
	ovl_type type = ovl_x_type(x, q), inner = type == OVL_F64 ? OVL_F64 : OVL_F32;
	double scale = ovl_x_attr_float(x, "scale", 0);
	int64_t wanted = ovl_x_attr_int(x, "softmax_precision", 0);
	if (wanted)
		inner = ovl_x_pb_type(x, wanted);
	k = ovl_x_convert(x, ovl_x_heads_repeated(x, k, q), inner);
	v = ovl_x_convert(x, ovl_x_heads_repeated(x, v, q), inner);
	q = ovl_x_convert(x, q, inner);
	if (scale != 0)
		factor = ovl_x_like(x, q, scale);
	else
		factor = ovl_x_op(x, "Divide", ovl_x_like(x, q, 1), ovl_x_op(x, "Sqrt", ovl_x_convert(x, ovl_x_scalar_of(x, ovl_x_dims(x, q, 3, 4)), inner)));
	y = ovl_x_op(x, "Multiply", ovl_x_opa(x, "MatMul", "transpose_b=true", q, k), factor);
	y = through(x, "prob_mod", ovl_x_opa(x, "Softmax", "axis=-1", through(x, "score_mod", y)));
	ovl_x_out(x, 0, ovl_x_convert(x, ovl_x_op(x, "MatMul", y, v), type));
}

const ovl_onnx_rule ovl_onnx_stateful[] = {{"LinearAttention", NULL, 27, linear_attention}, {"CausalConvWithState", NULL, 27, causal_conv},
	{"FlexAttention", "ai.onnx.preview", 1, flex_attention}, {NULL, NULL, 0, NULL}};
