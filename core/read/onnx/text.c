/* Operators on strings. */
#include "read/onnx/rule.h"

#include <string.h>

static ovl_end strings(ovl_onnx *x, int rank, const ProtobufCBinaryData *s, size_t n)
{
	ovl_shape shape = {.rank = rank, .dims = {(int64_t)n}};
	ovl_tensor *t = NULL;
	ovl_end e;
	if (x->status != OVL_OK)
		return (ovl_end){NULL, 0};
	x->status = ovl_tensor_new(OVL_STRING, &shape, &t, x->err);
	for (size_t i = 0; i < n && x->status == OVL_OK; i++)
		x->status = ovl_tensor_set_string(t, (int64_t)i, (const char *)s[i].data, s[i].len, x->err);
	e = x->status == OVL_OK ? ovl_x_const(x, t) : (ovl_end){NULL, 0};
	ovl_tensor_release(t);
	return e;
}

static ovl_end attr_strings(ovl_onnx *x, const char *name)
{
	const Onnx__AttributeProto *a = ovl_x_attr(x, name);
	return strings(x, 1, a ? a->strings : NULL, a ? a->n_strings : 0);
}

static ovl_end attr_string(ovl_onnx *x, const char *name)
{
	const Onnx__AttributeProto *a = ovl_x_attr(x, name);
	return strings(x, 0, a ? &a->s : &(ProtobufCBinaryData){0}, 1);
}

static ovl_end attr_i64s(ovl_onnx *x, const char *name)
{
	int n;
	const int64_t *v = ovl_x_attr_ints(x, name, &n);
	return ovl_x_i64s(x, v, n);
}

static ovl_end attr_f32s(ovl_onnx *x, const char *name)
{
	int n;
	const float *v = ovl_x_attr_floats(x, name, &n);
	ovl_shape shape = {.rank = 1, .dims = {n}};
	ovl_tensor *t = NULL;
	ovl_end e;
	if (x->status == OVL_OK)
		x->status = ovl_tensor_new(OVL_F32, &shape, &t, x->err);
	if (t && n)
		memcpy(t->data, v, (size_t)n * sizeof *v);
	e = x->status == OVL_OK ? ovl_x_const(x, t) : (ovl_end){NULL, 0};
	ovl_tensor_release(t);
	return e;
}

static void normalizer(ovl_onnx *x)
{
	const char *action = ovl_x_attr_text(x, "case_change_action", "NONE");
	const char *how = ovl_x_text(x, "case_change_action=%s;is_case_sensitive=%d", action ? action : "NONE", ovl_x_attr_int(x, "is_case_sensitive", 0) != 0);
	ovl_x_out(x, 0, ovl_x_opa(x, "StringNormalizer", how, ovl_x_in(x, 0), attr_strings(x, "stopwords")));
}

static void tfidf(ovl_onnx *x)
{
	const char *mode = ovl_x_attr_text(x, "mode", "TF"), *how;
	ovl_end pool = ovl_x_attr(x, "pool_strings") ? attr_strings(x, "pool_strings") : attr_i64s(x, "pool_int64s");
	how = ovl_x_text(x, "mode=%s;min_gram_length=%lld;max_gram_length=%lld;max_skip_count=%lld", mode ? mode : "TF", (long long)ovl_x_need_int(x, "min_gram_length"),
		(long long)ovl_x_need_int(x, "max_gram_length"), (long long)ovl_x_need_int(x, "max_skip_count"));
	ovl_x_out(x, 0, ovl_x_opa(x, "TfIdfVectorizer", how, ovl_x_in(x, 0), pool, attr_i64s(x, "ngram_counts"), attr_i64s(x, "ngram_indexes"), attr_f32s(x, "weights")));
}

static void concat(ovl_onnx *x) { ovl_x_out(x, 0, ovl_x_op(x, "StringConcat", ovl_x_in(x, 0), ovl_x_in(x, 1))); }

static void split(ovl_onnx *x)
{
	const char *how = ovl_x_text(x, "maxsplit=%lld", (long long)ovl_x_attr_int(x, "maxsplit", -1));
	ovl_end e = ovl_x_opa(x, "StringSplit", how, ovl_x_in(x, 0), attr_string(x, "delimiter"));
	ovl_x_out(x, 0, e);
	ovl_x_out(x, 1, ovl_x_port(e, 1));
}

static void match(ovl_onnx *x) { ovl_x_out(x, 0, ovl_x_op(x, "RegexFullMatch", ovl_x_in(x, 0), attr_string(x, "pattern"))); }

const ovl_onnx_rule ovl_onnx_text[] = {
	{"StringNormalizer", NULL, 10, normalizer}, {"TfIdfVectorizer", NULL, 9, tfidf}, {"StringConcat", NULL, 20, concat}, {"StringSplit", NULL, 20, split},
	{"RegexFullMatch", NULL, 20, match}, {NULL, NULL, 0, NULL},
};
