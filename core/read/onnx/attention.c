/* Attention and what belongs to it, from opset 23 on; written out in plain operators. */
#include "read/onnx/heads.h"

#include <math.h>

/* ---- Attention ---- */

ovl_end ovl_x_heads_apart(ovl_onnx *x, ovl_end a, int64_t heads)
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

ovl_end ovl_x_heads_joined(ovl_onnx *x, ovl_end a)
{
	return ovl_x_opa(x, "Reshape", "special_zero=true", ovl_x_transpose(x, a, (int64_t[]){0, 2, 1, 3}, 4), ovl_x_vec(x, 0, 0, -1));
}

ovl_end ovl_x_heads_repeated(ovl_onnx *x, ovl_end a, ovl_end q)
{
	int64_t heads = ovl_x_dim(x, a, 1), queries = ovl_x_dim(x, q, 1);
	ovl_end shape, to, times;
	if (heads >= 0 && queries >= 0 && (heads == 0 || queries % heads))
		ovl_x_fail(x, OVL_E_PARSE, "%lld heads of queries for %lld of keys", (long long)queries, (long long)heads);
	if (x->status != OVL_OK || (heads > 0 && heads == queries))
		return a;
	shape = ovl_x_shape(x, a);
	times = ovl_x_opa(x, "Divide", "m_pythondiv=false", ovl_x_dims(x, q, 1, 2), ovl_x_dims(x, a, 1, 2));
	to = ovl_x_cat(x, 0, ovl_x_slice(x, shape, 0, 0, 2), times, ovl_x_slice(x, shape, 0, 2, 4));
	a = ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_unsqueeze(x, a, 2), to);
	return ovl_x_reshape(x, a, ovl_x_cat(x, 0, ovl_x_slice(x, shape, 0, 0, 1), ovl_x_vec(x, -1), ovl_x_slice(x, shape, 0, 2, 4)));
}

/* Zero where a query may look, minus infinity where not. */
static ovl_end barred(ovl_onnx *x, ovl_end allowed, ovl_end like)
{
	return ovl_x_op(x, "Select", allowed, ovl_x_like(x, like, 0), ovl_x_like(x, like, (double)-INFINITY));
}

typedef struct rules { /* all of them allow what they do not mention */
	ovl_end q, k, past, lengths; /* lengths: of each batch row's keys */
	int64_t left, right; /* how far a query looks; -1: as far as there is */
	bool causal;
} rules;

static ovl_end both(ovl_onnx *x, ovl_end a, ovl_end b) { return !a.node ? b : ovl_x_op(x, "LogicalAnd", a, b); }

/* Booleans that broadcast to [batch, heads, queries, keys], or {NULL, 0}. A query's own position is behind what is past. */
static ovl_end allowed_by(ovl_onnx *x, const rules *r)
{
	ovl_end zero = ovl_x_i64(x, 0), row, column, all = {NULL, 0}, queries = ovl_x_dims(x, r->q, 2, 3), lengths = {NULL, 0};
	row = ovl_x_unsqueeze(x, ovl_x_range(x, zero, ovl_x_scalar_of(x, queries), OVL_I64), 1);
	column = ovl_x_range(x, zero, ovl_x_scalar_of(x, ovl_x_dims(x, r->k, 2, 3)), OVL_I64);
	if (r->lengths.node)
		lengths = ovl_x_reshape_to(x, ovl_x_convert(x, r->lengths, OVL_I64), (int64_t[]){-1, 1, 1, 1}, 4);
	if (r->past.node)
		row = ovl_x_op(x, "Add", row, ovl_x_dims(x, r->past, 2, 3));
	else if (lengths.node)
		row = ovl_x_op(x, "Add", row, ovl_x_op(x, "Subtract", lengths, queries));
	if (r->causal)
		all = ovl_x_op(x, "LessEqual", column, row);
	if (r->left >= 0)
		all = both(x, all, ovl_x_op(x, "LessEqual", ovl_x_op(x, "Subtract", row, column), ovl_x_i64(x, r->left)));
	if (r->right >= 0)
		all = both(x, all, ovl_x_op(x, "LessEqual", ovl_x_op(x, "Subtract", column, row), ovl_x_i64(x, r->right)));
	if (lengths.node)
		all = both(x, all, ovl_x_op(x, "Less", column, lengths));
	return all;
}

/* A mask may end before the keys do: what is behind is barred. */
static ovl_end whole_mask(ovl_onnx *x, ovl_end mask, ovl_end k)
{
	int rank = ovl_x_need_rank(x, mask);
	int64_t have = ovl_x_dim(x, mask, rank - 1), need = ovl_x_dim(x, k, 2), zeros[OVL_MAX_RANK] = {0};
	bool truth = ovl_x_type(x, mask) == OVL_BOOLEAN;
	ovl_end more;
	if (x->status != OVL_OK || have == 1 || (have >= 0 && have == need))
		return mask;
	more = ovl_x_op(x, "Maximum", ovl_x_op(x, "Subtract", ovl_x_dims(x, k, 2, 3), ovl_x_dims(x, mask, rank - 1, rank)), ovl_x_i64(x, 0));
	if (rank > 1)
		more = ovl_x_cat(x, 0, ovl_x_i64s(x, zeros, rank - 1), more);
	return ovl_x_opa(x, "Pad", "pad_mode=constant", mask, ovl_x_i64s(x, zeros, rank), more, ovl_x_like(x, mask, truth ? 0 : (double)-INFINITY));
}

/* What is added to the products of queries and keys; {NULL, 0}: nothing. */
static ovl_end bias_of(ovl_onnx *x, const rules *r, ovl_end mask, ovl_end like)
{
	bool any = r->causal || r->left >= 0 || r->right >= 0 || r->lengths.node;
	ovl_end bias = any ? barred(x, allowed_by(x, r), like) : (ovl_end){NULL, 0};
	if (!mask.node)
		return bias;
	mask = whole_mask(x, mask, r->k);
	mask = ovl_x_type(x, mask) == OVL_BOOLEAN ? barred(x, mask, like) : ovl_x_convert_like(x, mask, like);
	return bias.node ? ovl_x_op(x, "Add", bias, mask) : mask;
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

/* Rows in which everything is barred give zeros, not the quotient of zeros. */
static ovl_end softmax_of(ovl_onnx *x, ovl_end qk, ovl_end bias)
{
	ovl_end y = ovl_x_opa(x, "Softmax", "axis=-1", qk), open;
	if (!bias.node)
		return y;
	open = ovl_x_op(x, "Greater", ovl_x_reduce(x, "ReduceMax", bias, ovl_x_vec(x, -1), true), ovl_x_like(x, bias, (double)-INFINITY));
	return ovl_x_op(x, "Select", open, y, ovl_x_like(x, y, 0));
}

static void attention(ovl_onnx *x)
{
	ovl_end q = ovl_x_in(x, 0), k = ovl_x_in(x, 1), v = ovl_x_in(x, 2), mask = ovl_x_maybe(x, 3), past_v = ovl_x_maybe(x, 5), bias, qk, look, y;
	rules r = {.past = ovl_x_maybe(x, 4),
		.lengths = ovl_x_maybe(x, 6),
		.causal = ovl_x_attr_int(x, "is_causal", 0),
		.left = ovl_x_attr_int(x, "left_window_size", -1),
		.right = ovl_x_attr_int(x, "right_window_size", -1)};
	int64_t q_heads = ovl_x_attr_int(x, "q_num_heads", 0), kv_heads = ovl_x_attr_int(x, "kv_num_heads", 0), mode = ovl_x_attr_int(x, "qk_matmul_output_mode", 0);
	bool flat = ovl_x_rank(x, q) == 3;
	double scale = ovl_x_attr_float(x, "scale", 0), cap = ovl_x_attr_float(x, "softcap", 0);
	r.q = q = ovl_x_heads_apart(x, q, q_heads);
	r.k = k = with_past(x, r.past, ovl_x_heads_apart(x, k, kv_heads));
	v = with_past(x, past_v, ovl_x_heads_apart(x, v, kv_heads));
	ovl_x_out(x, 1, k);
	ovl_x_out(x, 2, v);
	r.q = q = ovl_x_wide(x, q);
	r.k = k = ovl_x_wide(x, k);
	v = ovl_x_wide(x, v);
	qk = ovl_x_opa(x, "MatMul", "transpose_b=true", scaled(x, q, scale, q), scaled(x, ovl_x_heads_repeated(x, k, q), scale, q));
	if (cap != 0)
		qk = ovl_x_op(x, "Multiply", ovl_x_op(x, "Tanh", ovl_x_op(x, "Divide", qk, ovl_x_like(x, qk, cap))), ovl_x_like(x, qk, cap));
	look = qk;
	bias = bias_of(x, &r, mask, qk);
	if (bias.node)
		qk = ovl_x_op(x, "Add", qk, bias);
	if (mode == 2 || (mode == 1 && cap == 0))
		look = qk;
	qk = softmax_of(x, qk, bias);
	y = ovl_x_op(x, "MatMul", qk, ovl_x_heads_repeated(x, v, q));
	if (flat)
		y = ovl_x_heads_joined(x, y);
	ovl_x_out(x, 0, ovl_x_convert_like(x, y, ovl_x_in(x, 0)));
	ovl_x_out(x, 3, ovl_x_convert_like(x, mode == 3 ? qk : look, ovl_x_in(x, 0)));
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

ovl_end ovl_x_heads_turned(ovl_onnx *x, ovl_end a, ovl_end cosine, ovl_end sine, bool interleaved, int64_t turned)
{
	ovl_end rest = {NULL, 0};
	if (turned > 0 && turned != ovl_x_dim(x, a, 3)) {
		rest = ovl_x_slice(x, a, 3, turned, INT64_MAX);
		a = ovl_x_slice(x, a, 3, 0, turned);
	}
	a = pairs_turned(x, a, ovl_x_unsqueeze(x, cosine, 2), ovl_x_unsqueeze(x, sine, 2), interleaved);
	return rest.node ? ovl_x_cat(x, 3, a, rest) : a;
}

static void rotary_embedding(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), cosine = ovl_x_in(x, 1), sine = ovl_x_in(x, 2), ids = ovl_x_maybe(x, 3), shape;
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
	if (ids.node) {
		cosine = ovl_x_gather(x, cosine, ids, 0);
		sine = ovl_x_gather(x, sine, ids, 0);
	}
	a = ovl_x_heads_turned(x, a, cosine, sine, ovl_x_attr_int(x, "interleaved", 0), size);
	ovl_x_out(x, 0, rank == 4 ? ovl_x_transpose(x, a, (int64_t[]){0, 2, 1, 3}, 4) : ovl_x_reshape(x, a, shape));
}

const ovl_onnx_rule ovl_onnx_attention[] = {
	{"Attention", NULL, 23, attention}, {"RotaryEmbedding", NULL, 23, rotary_embedding}, {NULL, NULL, 0, NULL}};
