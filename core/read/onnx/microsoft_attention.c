/* Attention of ONNX Runtime's own operator set (domain com.microsoft), which exporters of transformers write: Attention, MultiHeadAttention,
 * RotaryEmbedding; and MatMulNBits, whose weights are packed. */
#include "read/onnx/heads.h"

#include <math.h>
#include <string.h>

#define DOMAIN "com.microsoft"

/* ---- scores and what is added to them ---- */

typedef struct work {
	ovl_end q, k, v; /* [batch, heads, length, size], keys and values with what is past */
	ovl_end bias; /* {NULL, 0}: none */
	double filter; /* what bars a key */
	double scale; /* 0: one over the root of size */
} work;

static void add_bias(ovl_onnx *x, work *w, ovl_end more)
{
	if (more.node)
		w->bias = w->bias.node ? ovl_x_op(x, "Add", w->bias, more) : more;
}

static void bar(ovl_onnx *x, work *w, ovl_end allowed, double filter)
{
	add_bias(x, w, ovl_x_op(x, "Select", allowed, ovl_x_like(x, w->q, 0), ovl_x_like(x, w->q, filter)));
}

static ovl_end length_of(ovl_onnx *x, ovl_end e, int axis) { return ovl_x_scalar_of(x, ovl_x_dims(x, e, axis, axis + 1)); }

static ovl_end columns(ovl_onnx *x, const work *w) { return ovl_x_range(x, ovl_x_i64(x, 0), length_of(x, w->k, 2), OVL_I64); }

/* The last query sees all keys, the one before it one less, and so on. */
static void bar_future(ovl_onnx *x, work *w)
{
	ovl_end queries = length_of(x, w->q, 2), past = ovl_x_op(x, "Subtract", length_of(x, w->k, 2), queries), row;
	row = ovl_x_unsqueeze(x, ovl_x_op(x, "Add", ovl_x_range(x, ovl_x_i64(x, 0), queries, OVL_I64), past), 1);
	bar(x, w, ovl_x_op(x, "LessEqual", columns(x, w), row), (double)-INFINITY);
}

/* Ends, and begins behind them where there are as many again: else zeros. */
static ovl_end within(ovl_onnx *x, const work *w, ovl_end mask)
{
	ovl_end batch = ovl_x_dims(x, w->q, 0, 1), zero = ovl_x_vec(x, 0), one = ovl_x_vec(x, 1), two = ovl_x_op(x, "Add", batch, batch), ends, begins;
	mask = ovl_x_cat(x, 0, mask, ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_i64(x, 0), batch));
	ends = ovl_x_reshape_to(x, ovl_x_op(x, "Slice", mask, zero, batch, one, zero), (int64_t[]){-1, 1, 1, 1}, 4);
	begins = ovl_x_reshape_to(x, ovl_x_op(x, "Slice", mask, batch, two, one, zero), (int64_t[]){-1, 1, 1, 1}, 4);
	return ovl_x_op(x, "LogicalAnd", ovl_x_op(x, "Less", columns(x, w), ends), ovl_x_op(x, "GreaterEqual", columns(x, w), begins));
}

/* A mask of keys: [batch] lengths, [2 * batch] ends and then begins, [batch, keys], [batch, queries, keys], or [batch, 1, most, most]. */
static void bar_by_mask(ovl_onnx *x, work *w, ovl_end mask)
{
	int rank = ovl_x_need_rank(x, mask);
	ovl_end allowed;
	mask = ovl_x_convert(x, mask, OVL_I64);
	if (rank == 1)
		allowed = within(x, w, mask);
	else {
		allowed = ovl_x_op(x, "Greater", mask, ovl_x_i64(x, 0));
		if (rank == 2)
			allowed = ovl_x_op(x, "Unsqueeze", allowed, ovl_x_vec(x, 1, 2));
		else if (rank == 3)
			allowed = ovl_x_unsqueeze(x, allowed, 1);
		else if (rank == 4) { /* rows of the queries, which are the last keys */
			ovl_end keys = ovl_x_dims(x, w->k, 2, 3), first = ovl_x_op(x, "Subtract", keys, ovl_x_dims(x, w->q, 2, 3));
			allowed = ovl_x_op(x, "Slice", allowed, ovl_x_cat(x, 0, first, ovl_x_vec(x, 0)), ovl_x_cat(x, 0, keys, keys), ovl_x_vec(x, 1, 1), ovl_x_vec(x, 2, 3));
		} else
			ovl_x_unsupported(x, "a mask of this shape");
	}
	bar(x, w, allowed, w->filter);
}

static ovl_end attend(ovl_onnx *x, const work *w)
{
	ovl_end y, size;
	if (w->scale != 0)
		y = ovl_x_op(x, "Multiply", w->q, ovl_x_like(x, w->q, w->scale));
	else {
		size = ovl_x_convert_like(x, length_of(x, w->q, 3), w->q);
		y = ovl_x_op(x, "Divide", w->q, ovl_x_op(x, "Sqrt", size));
	}
	y = ovl_x_opa(x, "MatMul", "transpose_b=true", y, w->k);
	if (w->bias.node)
		y = ovl_x_op(x, "Add", y, w->bias);
	return ovl_x_heads_joined(x, ovl_x_op(x, "MatMul", ovl_x_opa(x, "Softmax", "axis=-1", y), w->v));
}

static ovl_end behind(ovl_onnx *x, ovl_end past, ovl_end now) { return past.node ? ovl_x_cat(x, 2, past, now) : now; }

static work work_of(ovl_onnx *x)
{
	return (work){.filter = ovl_x_attr_float(x, "mask_filter_value", -10000), .scale = ovl_x_attr_float(x, "scale", 0)};
}

/* ---- MultiHeadAttention ---- */

/* Part i of several that stand side by side: [batch, length, heads, parts, size] -> [batch, heads, length, size]. */
static ovl_end unpacked(ovl_onnx *x, ovl_end a, int i)
{
	a = ovl_x_gather(x, a, ovl_x_i64(x, i), 3);
	return ovl_x_transpose(x, a, (int64_t[]){0, 2, 1, 3}, 4);
}

/* Bias [from, from + size) of a vector, as [heads, 1, size of a head]. */
static ovl_end biased(ovl_onnx *x, ovl_end a, ovl_end bias, ovl_end from, ovl_end size, int64_t heads)
{
	ovl_end part = ovl_x_op(x, "Slice", bias, from, ovl_x_op(x, "Add", from, size), ovl_x_vec(x, 1), ovl_x_vec(x, 0));
	return ovl_x_op(x, "Add", a, ovl_x_reshape_to(x, part, (int64_t[]){heads, 1, -1}, 3));
}

/* Keys and values that are given apart in heads have had their bias. */
static void add_input_bias(ovl_onnx *x, work *w, ovl_end bias, int64_t heads, bool queries_only)
{
	ovl_end n = ovl_x_op(x, "Multiply", ovl_x_dims(x, w->q, 3, 4), ovl_x_vec(x, heads)), zero = ovl_x_vec(x, 0), m;
	w->q = biased(x, w->q, bias, zero, n, heads);
	if (queries_only)
		return;
	m = ovl_x_op(x, "Multiply", ovl_x_dims(x, w->v, 3, 4), ovl_x_vec(x, heads));
	w->k = biased(x, w->k, bias, n, n, heads);
	w->v = biased(x, w->v, bias, ovl_x_op(x, "Add", n, n), m, heads);
}

static void multi_head(ovl_onnx *x)
{
	ovl_end q = ovl_x_in(x, 0), k = ovl_x_maybe(x, 1), v = ovl_x_maybe(x, 2), bias = ovl_x_maybe(x, 3), mask = ovl_x_maybe(x, 4);
	int64_t heads = ovl_x_need_int(x, "num_heads");
	work w = work_of(x);
	bool apart = k.node && ovl_x_need_rank(x, k) == 4;
	if (ovl_x_has(x, 8) || ovl_x_has(x, 9))
		ovl_x_unsupported(x, "a cache that is shared with the past");
	if (ovl_x_need_rank(x, q) == 5)
		w.q = unpacked(x, q, 0), w.k = unpacked(x, q, 1), w.v = unpacked(x, q, 2);
	else {
		w.q = ovl_x_heads_apart(x, q, heads);
		if (!k.node)
			ovl_x_fail(x, OVL_E_PARSE, "it has no keys");
		else if (ovl_x_need_rank(x, k) == 5)
			w.k = unpacked(x, k, 0), w.v = unpacked(x, k, 1);
		else
			w.k = ovl_x_heads_apart(x, k, heads), w.v = ovl_x_heads_apart(x, v, heads);
	}
	if (bias.node)
		add_input_bias(x, &w, bias, heads, apart);
	w.k = behind(x, ovl_x_maybe(x, 6), w.k);
	w.v = behind(x, ovl_x_maybe(x, 7), w.v);
	if (mask.node)
		bar_by_mask(x, &w, mask);
	if (ovl_x_attr_int(x, "unidirectional", 0))
		bar_future(x, &w);
	add_bias(x, &w, ovl_x_maybe(x, 5));
	ovl_x_out(x, 0, attend(x, &w));
	ovl_x_out(x, 1, w.k);
	ovl_x_out(x, 2, w.v);
}

/* ---- Attention: with the products that make queries, keys and values ---- */

static void attention(ovl_onnx *x)
{
	ovl_end product = ovl_x_op(x, "MatMul", ovl_x_in(x, 0), ovl_x_in(x, 1)), bias = ovl_x_maybe(x, 2), mask = ovl_x_maybe(x, 3), past = ovl_x_maybe(x, 4), parts;
	int64_t heads = ovl_x_need_int(x, "num_heads");
	work w = work_of(x);
	int n;
	const int64_t *sizes = ovl_x_attr_ints(x, "qkv_hidden_sizes", &n);
	if (ovl_x_attr_int(x, "do_rotary", 0) || ovl_x_attr_int(x, "past_present_share_buffer", 0) || ovl_x_has(x, 6))
		ovl_x_unsupported(x, "do_rotary, or a cache that is shared with the past,");
	if (bias.node)
		product = ovl_x_op(x, "Add", product, bias);
	if (sizes && n == 3)
		parts = ovl_x_op(x, "VariadicSplit", product, ovl_x_i64(x, 2), ovl_x_i64s(x, sizes, 3));
	else
		parts = ovl_x_opa(x, "Split", "num_splits=3", product, ovl_x_i64(x, 2));
	w.q = ovl_x_heads_apart(x, parts, heads);
	w.k = ovl_x_heads_apart(x, ovl_x_port(parts, 1), heads);
	w.v = ovl_x_heads_apart(x, ovl_x_port(parts, 2), heads);
	if (past.node) {
		w.k = behind(x, ovl_x_gather(x, past, ovl_x_i64(x, 0), 0), w.k);
		w.v = behind(x, ovl_x_gather(x, past, ovl_x_i64(x, 1), 0), w.v);
	}
	if (mask.node)
		bar_by_mask(x, &w, mask);
	if (ovl_x_attr_int(x, "unidirectional", 0))
		bar_future(x, &w);
	add_bias(x, &w, ovl_x_maybe(x, 5));
	ovl_x_out(x, 0, attend(x, &w));
	if (ovl_x_wants(x, 1))
		ovl_x_out(x, 1, ovl_x_cat(x, 0, ovl_x_unsqueeze(x, w.k, 0), ovl_x_unsqueeze(x, w.v, 0)));
}

/* ---- RotaryEmbedding ---- */

/* Positions [batch or 1, length]: as they are, or counted from one number on. */
static ovl_end positions(ovl_onnx *x, ovl_end ids, ovl_end length)
{
	ids = ovl_x_convert(x, ids, OVL_I64);
	if (ovl_x_need_rank(x, ids) == 2)
		return ids;
	return ovl_x_unsqueeze(x, ovl_x_op(x, "Add", ovl_x_range(x, ovl_x_i64(x, 0), length, OVL_I64), ids), 0);
}

static void rotary_embedding(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), ids = ovl_x_in(x, 1), cosine = ovl_x_in(x, 2), sine = ovl_x_in(x, 3), shape;
	int rank = ovl_x_need_rank(x, a);
	int64_t heads = ovl_x_attr_int(x, "num_heads", 0), turned = ovl_x_attr_int(x, "rotary_embedding_dim", 0);
	if (ovl_x_attr_int(x, "is_packed_batching", 0) || (rank != 3 && rank != 4))
		ovl_x_unsupported(x, "packed batching, or such a shape,");
	shape = ovl_x_shape(x, a);
	if (rank == 4)
		a = ovl_x_transpose(x, a, (int64_t[]){0, 2, 1, 3}, 4);
	else if (heads > 0)
		a = ovl_x_opa(x, "Reshape", "special_zero=true", a, ovl_x_vec(x, 0, 0, heads, -1));
	else
		a = ovl_x_opa(x, "Reshape", "special_zero=true", a,
			ovl_x_cat(x, 0, ovl_x_vec(x, 0, 0, -1), ovl_x_op(x, "Multiply", ovl_x_dims(x, cosine, 1, 2), ovl_x_vec(x, 2))));
	ids = positions(x, ids, length_of(x, a, 1));
	a = ovl_x_heads_turned(x, a, ovl_x_gather(x, cosine, ids, 0), ovl_x_gather(x, sine, ids, 0), ovl_x_attr_int(x, "interleaved", 0), turned);
	ovl_x_out(x, 0, rank == 4 ? ovl_x_transpose(x, a, (int64_t[]){0, 2, 1, 3}, 4) : ovl_x_reshape(x, a, shape));
}

/* ---- MatMulNBits ---- */

/* Bytes [n, m] -> numbers [n, m * 8 / bits], the lowest bits first, in the type of `like`. */
static ovl_end unpacked_bits(ovl_onnx *x, ovl_end a, int64_t bits, ovl_end like)
{
	ovl_end parts[8];
	int n = (int)(8 / bits);
	for (int i = 0; i < n; i++) {
		ovl_end part = i ? ovl_x_op(x, "BitwiseRightShift", a, ovl_x_scalar(x, OVL_U8, (double)(i * bits))) : a;
		parts[i] = n == 1 ? part : ovl_x_op(x, "BitwiseAnd", part, ovl_x_scalar(x, OVL_U8, (double)((1 << bits) - 1)));
		parts[i] = ovl_x_unsqueeze(x, ovl_x_convert_like(x, parts[i], like), 2);
	}
	a = ovl_x_concat(x, 2, parts, n);
	return ovl_x_opa(x, "Reshape", "special_zero=true", a, ovl_x_vec(x, 0, -1));
}

static void matmul_nbits(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), b = ovl_x_in(x, 1), scales = ovl_x_in(x, 2), zero = ovl_x_maybe(x, 3), bias = ovl_x_maybe(x, 5), w;
	int64_t k = ovl_x_need_int(x, "K"), n = ovl_x_need_int(x, "N"), bits = ovl_x_attr_int(x, "bits", 4), block = ovl_x_need_int(x, "block_size"), blocks;
	if (ovl_x_has(x, 4) || (bits != 2 && bits != 4 && bits != 8) || k < 1 || n < 1 || block < 1 || block > 1 << 20 || k > INT64_MAX - block)
		ovl_x_unsupported(x, "an order of groups, or such sizes");
	if (x->status != OVL_OK)
		return;
	blocks = (k + block - 1) / block;
	w = unpacked_bits(x, ovl_x_reshape_to(x, b, (int64_t[]){n, -1}, 2), bits, scales);
	w = ovl_x_reshape_to(x, w, (int64_t[]){n, blocks, block}, 3);
	if (!zero.node)
		zero = ovl_x_like(x, scales, (double)(1 << (bits - 1)));
	else if (ovl_x_type(x, zero) == OVL_U8) {
		zero = unpacked_bits(x, ovl_x_reshape_to(x, zero, (int64_t[]){n, -1}, 2), bits, scales);
		zero = ovl_x_unsqueeze(x, ovl_x_slice(x, zero, 1, 0, blocks), 2);
	} else
		zero = ovl_x_reshape_to(x, zero, (int64_t[]){n, blocks, 1}, 3);
	w = ovl_x_op(x, "Multiply", ovl_x_op(x, "Subtract", w, zero), ovl_x_reshape_to(x, scales, (int64_t[]){n, blocks, 1}, 3));
	w = ovl_x_slice(x, ovl_x_reshape_to(x, w, (int64_t[]){n, -1}, 2), 1, 0, k);
	w = ovl_x_opa(x, "MatMul", "transpose_b=true", a, ovl_x_convert_like(x, w, a));
	ovl_x_out(x, 0, bias.node ? ovl_x_op(x, "Add", w, bias) : w);
}

const ovl_onnx_rule ovl_onnx_microsoft_attention[] = {{"Attention", DOMAIN, 1, attention}, {"MultiHeadAttention", DOMAIN, 1, multi_head},
	{"RotaryEmbedding", DOMAIN, 1, rotary_embedding}, {"MatMulNBits", DOMAIN, 1, matmul_nbits},
	{NULL, NULL, 0, NULL}};
