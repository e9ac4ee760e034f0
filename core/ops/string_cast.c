/* string_cast.c - NumberToString and StringToNumber: what ONNX's Cast does between text and numbers. Floats become the shortest text that reads back to the
 * same value, with a point or an exponent in it ("1.0", "1e-05", "inf", "nan"), as numpy writes them. */
#include "base/memory.h"
#include "base/str.h"
#include "graph/infer.h"
#include "ops/convert.h"
#include "ops/support_axes.h"
#include "tensor/convert.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- to text ---- */

static ovl_status to_infer(ovl_infer *in)
{
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NOT_STRING));
	ovl_infer_out(in, 0, OVL_STRING, &in->in_shape[0]);
	return OVL_OK;
}

/* Whether `v`, which was read back, is the element again once it has the element's type. */
static bool reads_back(const ovl_tensor *x, double v, double back)
{
	double kept = back;
	if (x->type == OVL_F32)
		return (float)v == (float)back;
	if (x->type != OVL_F64) {
		uint64_t raw = 0;
		ovl_convert(OVL_F64, &back, 0, x->type, &raw, 0, 1, false);
		ovl_convert(x->type, &raw, 0, OVL_F64, &kept, 0, 1, false);
	}
	return kept == v;
}

/* Digits of 1.2345e+06 as 1234500.0, or with the exponent when that is below -4 or above 15. */
static void lay_out(const char *e, char *out, size_t size)
{
	char digits[32];
	int n = 0, at = 0, power = atoi(strchr(e, 'e') + 1);
	bool negative = *e == '-';
	for (const char *p = e + negative; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9' && n < 31)
			digits[n++] = *p;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = 0;
	if (power < -4 || power > 15) {
		snprintf(out, size, "%s%c%s%se%c%02d", negative ? "-" : "", digits[0], n > 1 ? "." : "", digits + 1, power < 0 ? '-' : '+', abs(power));
		return;
	}
	if (negative)
		out[at++] = '-';
	if (power < 0) {
		out[at++] = '0', out[at++] = '.';
		for (int i = -1; i > power; i--)
			out[at++] = '0';
		memcpy(out + at, digits, (size_t)n + 1);
		return;
	}
	for (int i = 0; i <= power || i < n; i++) {
		if (i == power + 1)
			out[at++] = '.';
		out[at++] = i < n ? digits[i] : '0';
	}
	if (n <= power + 1)
		out[at++] = '.', out[at++] = '0';
	out[at] = 0;
}

static void write_float(const ovl_tensor *x, double v, char *out, size_t size)
{
	char text[64];
	if (v != v || v - v != 0) {
		snprintf(out, size, "%s", v != v ? "nan" : v < 0 ? "-inf" : "inf");
		return;
	}
	for (int precision = 0; precision < 17; precision++) {
		double back;
		snprintf(text, sizeof text, "%.*e", precision, v);
		for (char *p = text; *p; p++) /* whatever the locale's decimal point is */
			if (*p == ',')
				*p = '.';
		if (ovl_parse_f64(text, &back) && reads_back(x, v, back))
			break;
	}
	lay_out(text, out, size);
}

static ovl_status to_run(ovl_run *run)
{
	const ovl_tensor *x = run->in[0];
	int64_t n = ovl_tensor_count(x);
	for (int64_t i = 0; i < n; i++) {
		char text[64];
		if (ovl_type_is_float(x->type))
			write_float(x, ovl_tensor_f64_at(x, i), text, sizeof text);
		else if (x->type == OVL_BOOLEAN)
			snprintf(text, sizeof text, "%s", ovl_tensor_i64_at(x, i) ? "True" : "False");
		else if (x->type == OVL_U64)
			snprintf(text, sizeof text, "%" PRIu64, ((const uint64_t *)x->data)[i]);
		else
			snprintf(text, sizeof text, "%" PRId64, ovl_tensor_i64_at(x, i));
		OVL_TRY(ovl_tensor_set_string(run->out[0], i, text, strlen(text), run->err));
	}
	return OVL_OK;
}

static const ovl_op to = {.name = "NumberToString", .since = 1, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .flags = OVL_OP_INTERNAL,
	.infer = to_infer, .run = to_run};

/* ---- from text ---- */

static ovl_status from_infer(ovl_infer *in)
{
	ovl_type type = ((const ovl_convert_params *)in->params)->destination_type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK(OVL_STRING)));
	if (type == OVL_STRING || type == OVL_DYNAMIC)
		return ovl_infer_fail(in, OVL_E_TYPE, "destination_type is %s, expected a type of numbers", ovl_type_name(type));
	ovl_infer_out(in, 0, type, &in->in_shape[0]);
	return OVL_OK;
}

static bool parse_bool(const char *s, int64_t *v)
{
	static const char *const words[] = {"False", "True", "false", "true", "0", "1"};
	for (int i = 0; i < 6; i++)
		if (!strcmp(s, words[i])) {
			*v = i & 1;
			return true;
		}
	return false;
}

static bool parse_u64(const char *s, uint64_t *v)
{
	char *end;
	while (*s == ' ')
		s++;
	if (*s == '+')
		s++;
	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*v = strtoull(s, &end, 10);
	return errno == 0 && !*end;
}

/* Stores the number, false when `s` is none or does not fit. */
static bool store(ovl_tensor *y, int64_t i, const char *s)
{
	int64_t v = 0, back;
	uint64_t u;
	double f;
	if (ovl_type_is_float(y->type)) {
		if (!ovl_parse_f64(s + (s[0] == '+' && s[1] != '-' && s[1] != '+'), &f))
			return false;
		return ovl_convert(OVL_F64, &f, 0, y->type, y->data, i, 1, false);
	}
	if (y->type == OVL_U64) {
		if (!parse_u64(s, &u))
			return false;
		((uint64_t *)y->data)[i] = u;
		return true;
	}
	if (y->type == OVL_BOOLEAN ? !parse_bool(s, &v) : !ovl_parse_i64(s + (s[0] == '+' && s[1] >= '0' && s[1] <= '9'), &v))
		return false;
	if (!ovl_convert(OVL_I64, &v, 0, y->type, y->data, i, 1, false))
		return false;
	return ovl_convert(y->type, y->data, i, OVL_I64, &back, 0, 1, false) && back == v;
}

static ovl_status from_run(ovl_run *run)
{
	const ovl_string *s = run->in[0]->data;
	int64_t n = ovl_tensor_count(run->in[0]);
	for (int64_t i = 0; i < n; i++) {
		char text[512];
		bool ok = s[i].size > 0 && s[i].size < sizeof text && !memchr(s[i].data, 0, s[i].size);
		if (ok) {
			memcpy(text, s[i].data, s[i].size);
			text[s[i].size] = 0;
		}
		if (!ok || !store(run->out[0], i, text))
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: element %lld, '%.*s', is no number of type %s", run->op->name, (long long)i,
				(int)(s[i].size < 60 ? s[i].size : 60), s[i].size ? s[i].data : "", ovl_type_name(run->out[0]->type));
	}
	return OVL_OK;
}

static const ovl_attr from_attrs[] = {OVL_ATTR_TYPE(ovl_convert_params, destination_type, NULL), OVL_ATTR_END};

static const ovl_op from = {.name = "StringToNumber", .since = 1, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .flags = OVL_OP_INTERNAL,
	.params_size = sizeof(ovl_convert_params), .attrs = from_attrs, .infer = from_infer, .run = from_run};

const ovl_op *const ovl_ops_string_cast[] = {&to, &from, NULL};
