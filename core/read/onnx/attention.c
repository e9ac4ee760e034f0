/* Attention and what belongs to it, from opset 23 on; written out in plain operators. */
#include "read/onnx/rule.h"

#include <math.h>

/* ---- Attention ---- */

/* [batch, length, heads * size] -> [batch, heads, length, size]; four dimensions are left as they are. */
static ovl_end heads_apart(ovl_onnx *x, ovl_end a, int64_t heads)
{
	int rank = ovl_x_need_rank(x, a);
	if (rank == 4)
		return a;
	if (rank != 3 || heads < 1) {
		ovl_x_fail(x, OVL_E_PARSE, "an input of %d dimensions and %lld heads", rank, (long long)heads);
		return a;
	}
	a = ovl_x_opa(x, "Reshape", "special_zero=true", a, ovl_x_vec(x, 0, 0, heads, -1));
	return ovl_x_transpose(x, a, (int64_t[]){0, 2, 1, 3}, 4);
}

/* Fewer heads of keys and values than of queries: each serves several. */
static ovl_end repeated(ovl_onnx *x, ovl_end a, int64_t times)
{
	ovl_end shape, to;
	if (times == 1)
		return a;
	shape = ovl_x_shape(x, a);
	to = ovl_x_cat(x, 0, ovl_x_slice(x, shape, 0, 0, 2), ovl_x_vec(x, times), ovl_x_slice(x, shape, 0, 2, 4));
	a = ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_unsqueeze(x, a, 2), to);
	return ovl_x_reshape(x, a, ovl_x_cat(x, 0, ovl_x_slice(x, shape, 0, 0, 1), ovl_x_vec(x, -1), ovl_x_slice(x, shape, 0, 2, 4)));
}

/* Zero where a query may look, minus infinity where not. */
static ovl_end barred(ovl_onnx *x, ovl_end allowed, ovl_end like)
{
	return ovl_x_op(x, "Select", allowed, ovl_x_like(x, like, 0), ovl_x_like(x, like, (double)-INFINITY));
}

static ovl_end causal(ovl_onnx *x, ovl_end q, ovl_end k, ovl_end past)
{
	ovl_end zero = ovl_x_i64(x, 0), row, column;
	row = ovl_x_range(x, zero, ovl_x_scalar_of(x, ovl_x_dims(x, q, 2, 3)), OVL_I64);
	column = ovl_x_range(x, zero, ovl_x_scalar_of(x, ovl_x_dims(x, k, 2, 3)), OVL_I64);
	if (past.node)
		row = ovl_x_op(x, "Add", row, ovl_x_dims(x, past, 2, 3));
	return ovl_x_op(x, "LessEqual", column, ovl_x_unsqueeze(x, row, 1));
}

static int64_t head_count(ovl_onnx *x, ovl_end e, const char *attr)
{
	int64_t n = ovl_x_rank(x, e) == 4 ? ovl_x_dim(x, e, 1) : ovl_x_attr_int(x, attr, 0);
	if (x->status == OVL_OK && n < 1)
		ovl_x_unsupported(x, "a number of heads that is not known");
	return n < 1 ? 1 : n;
}

static ovl_end with_past(ovl_onnx *x, ovl_end past, ovl_end now) { return past.node ? ovl_x_cat(x, 2, past, now) : now; }

/* The factor goes half to each side, so that products stay small. */
static ovl_end scaled(ovl_onnx *x, ovl_end e, double scale, ovl_end q)
{
	ovl_end size;
	if (scale != 0)
		return ovl_x_op(x, "Multiply", e, ovl_x_like(x, e, sqrt(scale)));
	size = ovl_x_convert_like(x, ovl_x_scalar_of(x, ovl_x_dims(x, q, 3, 4)), e);
	return ovl_x_op(x, "Divide", e, ovl_x_op(x, "Sqrt", ovl_x_op(x, "Sqrt", size)));
}

static void attention(ovl_onnx *x)
{
	ovl_end q = ovl_x_in(x, 0), k = ovl_x_in(x, 1), v = ovl_x_in(x, 2), mask = ovl_x_maybe(x, 3), past_k = ovl_x_maybe(x, 4), past_v = ovl_x_maybe(x, 5);
	int64_t q_heads = head_count(x, q, "q_num_heads"), kv_heads = head_count(x, k, "kv_num_heads"), mode = ovl_x_attr_int(x, "qk_matmul_output_mode", 0);
	bool flat = ovl_x_rank(x, q) == 3;
	double scale = ovl_x_attr_float(x, "scale", 0), cap = ovl_x_attr_float(x, "softcap", 0);
	ovl_end qk, keys, values, look = {NULL, 0}, y, allowed = {NULL, 0};
	if (ovl_x_has(x, 6))
		ovl_x_unsupported(x, "nonpad_kv_seqlen");
	q = heads_apart(x, q, q_heads);
	k = with_past(x, past_k, heads_apart(x, k, kv_heads));
	v = with_past(x, past_v, heads_apart(x, v, kv_heads));
	ovl_x_out(x, 1, k);
	ovl_x_out(x, 2, v);
	keys = repeated(x, k, q_heads / kv_heads);
	values = repeated(x, v, q_heads / kv_heads);
	qk = ovl_x_opa(x, "MatMul", "transpose_b=true", scaled(x, q, scale, q), scaled(x, keys, scale, q));
	if (mode == 0)
		look = qk;
	if (ovl_x_attr_int(x, "is_causal", 0))
		allowed = causal(x, q, k, past_k);
	if (allowed.node)
		qk = ovl_x_op(x, "Add", qk, barred(x, allowed, qk));
	if (mask.node)
		qk = ovl_x_op(x, "Add", qk, ovl_x_type(x, mask) == OVL_BOOLEAN ? barred(x, mask, qk) : ovl_x_convert_like(x, mask, qk));
	if (mode == 1)
		look = qk;
	if (cap != 0)
		qk = ovl_x_op(x, "Multiply", ovl_x_op(x, "Tanh", ovl_x_op(x, "Divide", qk, ovl_x_like(x, qk, cap))), ovl_x_like(x, qk, cap));
	if (mode == 2)
		look = qk;
	qk = ovl_x_opa(x, "Softmax", "axis=-1", qk);
	y = ovl_x_op(x, "MatMul", qk, values);
	if (flat)
		y = ovl_x_opa(x, "Reshape", "special_zero=true", ovl_x_transpose(x, y, (int64_t[]){0, 2, 1, 3}, 4), ovl_x_vec(x, 0, 0, -1));
	ovl_x_out(x, 0, y);
	ovl_x_out(x, 3, mode == 3 ? qk : look);
}

/* ---- RotaryEmbedding ---- */

static ovl_end pairs_turned(ovl_onnx *x, ovl_end a, ovl_end cosine, ovl_end sine, bool interleaved)
{
	ovl_end first, second, real, imaginary, parts, shape = ovl_x_shape(x, a);
	if (interleaved) /* [..., n] -> [..., n / 2, 2] */
		parts = ovl_x_opa(x, "Split", "num_splits=2", ovl_x_opa(x, "Reshape", "special_zero=true", a, ovl_x_vec(x, 0, 0, 0, -1, 2)), ovl_x_i64(x, 4));
	else
		parts = ovl_x_opa(x, "Split", "num_splits=2", a, ovl_x_i64(x, 3));
	first = interleaved ? ovl_x_squeeze(x, parts, 4) : parts;
	second = interleaved ? ovl_x_squeeze(x, ovl_x_port(parts, 1), 4) : ovl_x_port(parts, 1);
	real = ovl_x_op(x, "Subtract", ovl_x_op(x, "Multiply", cosine, first), ovl_x_op(x, "Multiply", sine, second));
	imaginary = ovl_x_op(x, "Add", ovl_x_op(x, "Multiply", sine, first), ovl_x_op(x, "Multiply", cosine, second));
	if (!interleaved)
		return ovl_x_cat(x, 3, real, imaginary);
	return ovl_x_reshape(x, ovl_x_cat(x, 4, ovl_x_unsqueeze(x, real, 4), ovl_x_unsqueeze(x, imaginary, 4)), shape);
}

static void rotary_embedding(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), cosine = ovl_x_in(x, 1), sine = ovl_x_in(x, 2), ids = ovl_x_maybe(x, 3), rest = {NULL, 0}, shape;
	int rank = ovl_x_need_rank(x, a);
	int64_t size = ovl_x_attr_int(x, "rotary_embedding_dim", 0), heads = ovl_x_attr_int(x, "num_heads", 0);
	shape = ovl_x_shape(x, a);
	/* [batch, length, heads, size] */
	if (rank == 4)
		a = ovl_x_transpose(x, a, (int64_t[]){0, 2, 1, 3}, 4);
	else
		a = ovl_x_opa(x, "Reshape", "special_zero=true", a, ovl_x_vec(x, 0, 0, heads, -1));
	if (rank != 4 && heads < 1)
		ovl_x_fail(x, OVL_E_PARSE, "attribute 'num_heads' is missing");
	if (size > 0) {
		rest = ovl_x_slice(x, a, 3, size, INT64_MAX);
		a = ovl_x_slice(x, a, 3, 0, size);
	}
	if (ids.node) {
		cosine = ovl_x_gather(x, cosine, ids, 0);
		sine = ovl_x_gather(x, sine, ids, 0);
	}
	a = pairs_turned(x, a, ovl_x_unsqueeze(x, cosine, 2), ovl_x_unsqueeze(x, sine, 2), ovl_x_attr_int(x, "interleaved", 0));
	if (rest.node)
		a = ovl_x_cat(x, 3, a, rest);
	ovl_x_out(x, 0, rank == 4 ? ovl_x_transpose(x, a, (int64_t[]){0, 2, 1, 3}, 4) : ovl_x_reshape(x, a, shape));
}

const ovl_onnx_rule ovl_onnx_attention[] = {{"Attention", NULL, 23, attention}, {"RotaryEmbedding", NULL, 23, rotary_embedding}, {NULL, NULL, 0, NULL}};
