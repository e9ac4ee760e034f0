/* string_normalizer.c - StringNormalizer: drops stop words and changes the case of the rest. Text is UTF-8; case is known for Latin, Greek and Cyrillic. */
#include "base/memory.h"
#include "base/str.h"
#include "graph/infer.h"

typedef struct normalizer_params {
	int case_change_action;
	bool is_case_sensitive;
} normalizer_params;

enum { KEEP, LOWER, UPPER };

static ovl_status infer(ovl_infer *in)
{
	ovl_pshape out = in->in_shape[0];
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK(OVL_STRING)));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK(OVL_STRING)));
	OVL_TRY(ovl_infer_rank(in, 0, 1, 2));
	if (out.ranked && out.rank == 2 && out.dims[0].min == out.dims[0].max && out.dims[0].min != 1)
		return ovl_infer_fail(in, OVL_E_SHAPE, "data of two dimensions must be one row, got %lld", (long long)out.dims[0].min);
	if (out.ranked) {
		ovl_dim *last = &out.dims[out.rank - 1];
		*last = (ovl_dim){1, last->max > 1 ? last->max : 1};
	}
	ovl_infer_out(in, 0, OVL_STRING, &out);
	return OVL_OK;
}

/* ---- case ---- */

/* How far capitals from..to are from their small letters; step 2: capitals and small letters take turns. */
static const struct {
	uint32_t from, to, by, step;
} letters[] = {{'A', 'Z', 32, 1}, {0xC0, 0xD6, 32, 1}, {0xD8, 0xDE, 32, 1}, {0x100, 0x12E, 1, 2}, {0x132, 0x136, 1, 2}, {0x139, 0x147, 1, 2}, {0x14A, 0x176, 1, 2},
	{0x179, 0x17D, 1, 2}, {0x386, 0x386, 38, 1}, {0x388, 0x38A, 37, 1}, {0x391, 0x3A1, 32, 1}, {0x3A3, 0x3AB, 32, 1}, {0x400, 0x40F, 80, 1},
	{0x410, 0x42F, 32, 1}, {0x460, 0x480, 1, 2}, {0x48A, 0x4BE, 1, 2}, {0x4D0, 0x52E, 1, 2}};

static uint32_t with_case(uint32_t c, int action)
{
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
		uint32_t by = letters[i].by, base = action == LOWER ? c : c - by;
		if (base >= letters[i].from && base <= letters[i].to && (base - letters[i].from) % letters[i].step == 0)
			return action == LOWER ? c + by : base;
	}
	return c;
}

/* The text in another case. All letters of the table have at most two bytes in UTF-8; every other byte stays as it is. */
static void change(const ovl_string *s, int action, ovl_str *out)
{
	const unsigned char *p = (const unsigned char *)s->data;
	out->n = 0;
	for (size_t i = 0; i < s->size; i++) {
		uint32_t c = p[i];
		bool two = (c & 0xE0) == 0xC0 && i + 1 < s->size && (p[i + 1] & 0xC0) == 0x80;
		char bytes[2];
		if (two)
			c = (c & 31) << 6 | (p[++i] & 63);
		if (action != KEEP && (two || c < 0x80))
			c = with_case(c, action);
		bytes[0] = (char)(two ? 0xC0 | c >> 6 : c);
		bytes[1] = (char)(0x80 | (c & 63));
		ovl_str_addn(out, bytes, two ? 2 : 1);
	}
}

static bool same(const char *a, size_t n, const char *b, size_t m) { return n == m && (n == 0 || memcmp(a, b, n) == 0); }

/* ---- run ---- */

static ovl_status no_memory(ovl_run *run) { return ovl_fail(run->err, OVL_E_MEMORY, "%s: not enough memory", run->op->name); }

static bool is_stop_word(const ovl_run *run, const ovl_string *word, ovl_str *a, ovl_str *b)
{
	const normalizer_params *p = run->params;
	const ovl_string *stop = run->in[1]->data;
	int64_t n = ovl_tensor_count(run->in[1]);
	change(word, p->is_case_sensitive ? KEEP : LOWER, a);
	for (int64_t i = 0; i < n; i++) {
		change(&stop[i], p->is_case_sensitive ? KEEP : LOWER, b);
		if (same(a->at, a->n, b->at, b->n))
			return true;
	}
	return false;
}

static ovl_status write(ovl_run *run, const bool *stop, int64_t kept, ovl_str *text)
{
	const ovl_string *x = run->in[0]->data;
	ovl_shape shape = run->in[0]->shape;
	int64_t n = ovl_tensor_count(run->in[0]), at = 0;
	ovl_tensor *y;
	shape.dims[shape.rank - 1] = kept ? kept : 1; /* nothing left is one empty string */
	OVL_TRY(ovl_run_output(run, 0, OVL_STRING, &shape, &y));
	for (int64_t i = 0; i < n; i++) {
		if (stop[i])
			continue;
		change(&x[i], ((const normalizer_params *)run->params)->case_change_action, text);
		if (text->failed)
			return no_memory(run);
		OVL_TRY(ovl_tensor_set_string(y, at++, text->at, text->n, run->err));
	}
	return OVL_OK;
}

static ovl_status normalizer_run(ovl_run *run)
{
	const ovl_string *x = run->in[0]->data;
	const ovl_shape *shape = &run->in[0]->shape;
	int64_t n = ovl_tensor_count(run->in[0]), kept = 0;
	ovl_str a = {0}, b = {0};
	bool *stop;
	ovl_status st;
	if (shape->rank < 1 || shape->rank > 2 || (shape->rank == 2 && shape->dims[0] != 1))
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: the data must be a vector or one row", run->op->name);
	stop = ovl_calloc((size_t)n + 1, sizeof *stop);
	if (!stop)
		return no_memory(run);
	for (int64_t i = 0; i < n; i++) {
		stop[i] = is_stop_word(run, &x[i], &a, &b);
		kept += !stop[i];
	}
	st = a.failed || b.failed ? no_memory(run) : write(run, stop, kept, &a);
	ovl_str_free(&a);
	ovl_str_free(&b);
	ovl_free(stop);
	return st;
}

static const ovl_attr attrs[] = {OVL_ATTR_ENUM(normalizer_params, case_change_action, "NONE", "NONE LOWER UPPER"),
	OVL_ATTR_BOOL(normalizer_params, is_case_sensitive, "false"), OVL_ATTR_END};

static const ovl_op normalizer = {.name = "StringNormalizer", .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "data stopwords",
	.flags = OVL_OP_INTERNAL | OVL_OP_LATE, .params_size = sizeof(normalizer_params), .attrs = attrs, .infer = infer, .run = normalizer_run};

const ovl_op *const ovl_ops_string_normalizer[] = {&normalizer, NULL};
