/* string_parts.c - StringConcat, StringSplit and RegexFullMatch. The latter take their delimiter and pattern as an input of one string. */
#include "base/memory.h"
#include "base/str.h"
#include "ops/support_axes.h"
#include "ops/support_work.h"
#include <regex.h>

/* ---- StringConcat ---- */

static ovl_status concat_infer(ovl_infer *in)
{
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK(OVL_STRING)));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK(OVL_STRING)));
	return ovl_infer_broadcast(in, OVL_STRING);
}

/* Strides that walk `t` along the dense order of `to`. */
static bool along(const ovl_tensor *t, const ovl_tensor *to, int64_t *strides)
{
	int shift = to->shape.rank - t->shape.rank;
	for (int d = 0; d < t->shape.rank && shift >= 0; d++) {
		if (t->shape.dims[d] != 1 && t->shape.dims[d] != to->shape.dims[d + shift])
			return false;
		strides[d + shift] = t->shape.dims[d] == 1 ? 0 : t->strides[d];
	}
	return shift >= 0;
}

static ovl_status concat_run(ovl_run *run)
{
	ovl_tensor *y = run->out[0];
	const ovl_string *a = run->in[0]->data, *b = run->in[1]->data;
	int64_t sa[OVL_MAX_RANK] = {0}, sb[OVL_MAX_RANK] = {0}, n = ovl_tensor_count(y);
	ovl_str text = {0};
	ovl_status st = OVL_OK;
	if (!along(run->in[0], y, sa) || !along(run->in[1], y, sb))
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: the shapes do not broadcast", run->op->name);
	for (int64_t i = 0; i < n && st == OVL_OK; i++) {
		int64_t rest = i, ia = 0, ib = 0;
		for (int d = y->shape.rank - 1; d >= 0; d--) {
			int64_t c = rest % y->shape.dims[d];
			rest /= y->shape.dims[d];
			ia += c * sa[d];
			ib += c * sb[d];
		}
		text.n = 0;
		ovl_str_addn(&text, a[ia].data, a[ia].size);
		ovl_str_addn(&text, b[ib].data, b[ib].size);
		st = text.failed ? ovl_fail(run->err, OVL_E_MEMORY, "%s: not enough memory", run->op->name) : ovl_tensor_set_string(y, i, text.at, text.n, run->err);
	}
	ovl_str_free(&text);
	return st;
}

static const ovl_op concat = {.name = "StringConcat", .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "a b", .flags = OVL_OP_INTERNAL,
	.infer = concat_infer, .run = concat_run};

/* ---- StringSplit ---- */

typedef struct split_params {
	int64_t maxsplit;
} split_params;

static ovl_status split_infer(ovl_infer *in)
{
	ovl_pshape out = in->in_shape[0];
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK(OVL_STRING)));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK(OVL_STRING)));
	OVL_TRY(ovl_infer_rank(in, 0, 0, OVL_MAX_RANK - 1));
	if (out.ranked)
		out.dims[out.rank++] = OVL_DIM_ANY;
	ovl_infer_out(in, 0, OVL_STRING, &out);
	ovl_infer_out(in, 1, OVL_I64, &in->in_shape[0]);
	return OVL_OK;
}

static bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The next part of s from *at on, in part; false when there is none. `left`: how many cuts may be made still. */
static bool next_part(const ovl_string *s, const ovl_string *by, size_t *at, int64_t *left, ovl_string *part)
{
	size_t first = *at, end;
	if (!by->size) /* runs of blanks */
		while (first < s->size && blank(s->data[first]))
			first++;
	if (by->size ? first > s->size : first >= s->size)
		return false;
	end = first;
	if (*left == 0)
		end = s->size;
	while (end < s->size && (by->size ? end + by->size > s->size || memcmp(s->data + end, by->data, by->size) != 0 : !blank(s->data[end])))
		end++;
	*at = end + (by->size ? by->size : 0);
	if (end == s->size)
		*at = s->size + 1; /* an empty last part was given */
	*part = (ovl_string){s->size ? s->data + first : NULL, end - first};
	if (*left > 0)
		--*left;
	return true;
}

static ovl_status split_run(ovl_run *run)
{
	const split_params *p = run->params;
	const ovl_tensor *x = run->in[0];
	const ovl_string *s = x->data, *by = run->in[1]->data;
	int64_t n = ovl_tensor_count(x), most = 0;
	ovl_shape shape = x->shape;
	ovl_tensor *y, *counts;
	ovl_string part;
	if (ovl_tensor_count(run->in[1]) != 1 || shape.rank >= OVL_MAX_RANK)
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: the delimiter must be one string, and data of fewer than %d dimensions", run->op->name, OVL_MAX_RANK);
	OVL_TRY(ovl_run_output(run, 1, OVL_I64, &shape, &counts));
	for (int64_t i = 0; i < n; i++) {
		size_t at = 0;
		int64_t left = p->maxsplit, parts = 0;
		while (next_part(&s[i], by, &at, &left, &part))
			parts++;
		((int64_t *)counts->data)[i] = parts;
		most = parts > most ? parts : most;
	}
	shape.dims[shape.rank++] = most;
	OVL_TRY(ovl_run_output(run, 0, OVL_STRING, &shape, &y));
	for (int64_t i = 0; i < n; i++) {
		size_t at = 0;
		int64_t left = p->maxsplit;
		for (int64_t k = 0; next_part(&s[i], by, &at, &left, &part); k++)
			OVL_TRY(ovl_tensor_set_string(y, i * most + k, part.data, part.size, run->err));
	}
	return OVL_OK;
}

static const ovl_attr split_attrs[] = {OVL_ATTR_INT(split_params, maxsplit, "-1"), OVL_ATTR_END};

static const ovl_op split = {.name = "StringSplit", .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = 2, .inputs = "data delimiter",
	.flags = OVL_OP_INTERNAL | OVL_OP_LATE, .params_size = sizeof(split_params), .attrs = split_attrs, .infer = split_infer, .run = split_run};

/* ---- RegexFullMatch ---- */

static ovl_status match_infer(ovl_infer *in)
{
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK(OVL_STRING)));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK(OVL_STRING)));
	ovl_infer_out(in, 0, OVL_BOOLEAN, &in->in_shape[0]);
	return OVL_OK;
}

/* Repetitions multiply inside of one another, and the library unrolls them. */
enum { MAX_PATTERN = 4096, MAX_REPEATS = 4096 };

static bool modest(const ovl_string *s)
{
	int64_t all = 1;
	for (size_t i = 0; i < s->size; i++) {
		int64_t most = 0, v = 0;
		if (s->data[i] != '{')
			continue;
		for (i++; i < s->size && s->data[i] != '}'; i++) {
			v = s->data[i] >= '0' && s->data[i] <= '9' ? v * 10 + s->data[i] - '0' : 0;
			most = v > most ? v : most;
			if (most > MAX_REPEATS)
				return false;
		}
		all *= most > 1 ? most : 1;
		if (all > MAX_REPEATS)
			return false;
	}
	return s->size <= MAX_PATTERN && !memchr(s->data ? s->data : "", 0, s->size);
}

/* The pattern in the words of POSIX: classes of digits by their ranges, groups that are not kept as plain ones. */
static void to_posix(const ovl_string *s, ovl_str *out)
{
	bool in_set = false;
	ovl_str_add(out, "^(");
	for (size_t i = 0; i < s->size; i++) {
		char c = s->data[i], next = i + 1 < s->size ? s->data[i + 1] : 0;
		if (c == '\\' && (next == 'd' || next == 'D')) {
			ovl_str_add(out, in_set ? "0-9" : next == 'd' ? "[0-9]" : "[^0-9]");
			i++;
		} else if (c == '\\' && in_set && (next == 'w' || next == 's')) {
			ovl_str_add(out, next == 'w' ? "[:alnum:]_" : "[:space:]");
			i++;
		} else if (c == '\\' && next) {
			if (!in_set)
				ovl_str_addn(out, &c, 1);
			ovl_str_addn(out, &next, 1);
			i++;
		} else if (c == '(' && !in_set && next == '?' && i + 2 < s->size && s->data[i + 2] == ':') {
			ovl_str_add(out, "(");
			i += 2;
		} else {
			in_set = c == '[' ? true : c == ']' ? false : in_set;
			ovl_str_addn(out, &c, 1);
		}
	}
	ovl_str_add(out, ")$");
}

static ovl_status match_all(ovl_run *run, const regex_t *re)
{
	const ovl_string *s = run->in[0]->data;
	uint8_t *y = run->out[0]->data;
	int64_t n = ovl_tensor_count(run->in[0]);
	for (int64_t i = 0; i < n; i++) {
		regmatch_t m = {.rm_so = 0, .rm_eo = (regoff_t)s[i].size};
		OVL_RUN_CHECK_CANCEL(run);
		if (s[i].size > INT32_MAX / 2)
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: element %lld is too long", run->op->name, (long long)i);
		y[i] = regexec(re, s[i].size ? s[i].data : "", 1, &m, REG_STARTEND) == 0;
	}
	return OVL_OK;
}

static ovl_status match_run(ovl_run *run)
{
	const ovl_string *pattern = run->in[1]->data;
	ovl_str text = {0};
	regex_t re;
	ovl_status st;
	if (ovl_tensor_count(run->in[1]) != 1 || !modest(pattern))
		return ovl_fail(run->err, OVL_E_UNSUPPORTED, "%s: the pattern must be one string of at most %d bytes with at most %d repetitions", run->op->name, MAX_PATTERN,
			MAX_REPEATS);
	to_posix(pattern, &text);
	if (text.failed)
		st = ovl_fail(run->err, OVL_E_MEMORY, "%s: not enough memory", run->op->name);
	else if (regcomp(&re, text.at, REG_EXTENDED) != 0)
		st = ovl_fail(run->err, OVL_E_ARGUMENT, "%s: '%.100s' is not a pattern that is understood", run->op->name, text.at);
	else {
		st = match_all(run, &re);
		regfree(&re);
	}
	ovl_str_free(&text);
	return st;
}

static const ovl_op match = {.name = "RegexFullMatch", .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "data pattern", .flags = OVL_OP_INTERNAL,
	.infer = match_infer, .run = match_run};

const ovl_op *const ovl_ops_string_parts[] = {&concat, &split, &match, NULL};
