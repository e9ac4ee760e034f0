/* Sequences and optionals. As far as their lengths are known while reading they leave no trace in the graph; the others are values of the run (ops/sequence.c). */
#include "read/onnx/model.h"

static void out_list(ovl_onnx *x, ovl_onnx_list *list)
{
	if (list)
		ovl_x_out_value(x, 0, (ovl_onnx_value){.list = list, .set = true});
}

static ovl_onnx_list *copy_of(ovl_onnx *x, const ovl_onnx_list *from)
{
	ovl_onnx_list *list = from ? ovl_x_list_new(x) : NULL;
	for (size_t i = 0; list && i < from->items.n; i++)
		ovl_x_list_add(x, list, -1, from->items.at[i]);
	return list;
}

/* A known position, counted from the end when negative. limit: how many there are. */
static int64_t position(ovl_onnx *x, int input, size_t limit, int64_t fill)
{
	int64_t at = fill;
	int n;
	if (!ovl_x_has(x, input))
		return fill;
	if (!ovl_x_values(x, ovl_x_in(x, input), &at, 1, &n) || n != 1)
		ovl_x_unsupported(x, "a position in a sequence that is not constant");
	at += at < 0 ? (int64_t)limit : 0;
	if (x->status == OVL_OK && (at < 0 || at > (int64_t)limit))
		ovl_x_fail(x, OVL_E_PARSE, "position %lld is outside of a sequence of %zu", (long long)at, limit);
	return at;
}

/* Input i is a sequence of the run, or a list that is asked for a position that is known in the run only. */
static bool live(ovl_onnx *x, int where)
{
	ovl_onnx_value v = ovl_x_value(x, 0);
	int64_t at;
	int n;
	if (x->status != OVL_OK)
		return false;
	if (v.end.node && (ovl_x_is_live(x, &v) || ovl_x_type(x, v.end) == OVL_DYNAMIC)) /* an element of a sequence may be one itself */
		return true;
	return v.list && where > 0 && ovl_x_has(x, where) && !ovl_x_values(x, ovl_x_in(x, where), &at, 1, &n);
}

static ovl_end sequence(ovl_onnx *x)
{
	ovl_onnx_value v = ovl_x_value(x, 0);
	return ovl_x_live(x, &v, NULL);
}

static void empty(ovl_onnx *x) { out_list(x, ovl_x_list_new(x)); }

static void construct(ovl_onnx *x)
{
	ovl_onnx_list *list = ovl_x_list_new(x);
	for (int i = 0; i < x->n_in; i++)
		ovl_x_list_add(x, list, -1, ovl_x_in(x, i));
	out_list(x, list);
}

static void insert(ovl_onnx *x)
{
	ovl_onnx_list *list;
	ovl_end e = ovl_x_in(x, 1);
	if (live(x, 2)) {
		ovl_x_out(x, 0, ovl_x_op(x, "SequenceInsert", sequence(x), e, ovl_x_maybe(x, 2)));
		return;
	}
	list = copy_of(x, ovl_x_list_in(x, 0));
	if (list)
		ovl_x_list_add(x, list, position(x, 2, list->items.n, (int64_t)list->items.n), e);
	out_list(x, list);
}

static void erase(ovl_onnx *x)
{
	ovl_onnx_list *from, *list;
	int64_t at;
	if (live(x, 1)) {
		ovl_x_out(x, 0, ovl_x_op(x, "SequenceErase", sequence(x), ovl_x_maybe(x, 1)));
		return;
	}
	from = ovl_x_list_in(x, 0);
	list = from ? ovl_x_list_new(x) : NULL;
	at = from ? position(x, 1, from->items.n, (int64_t)from->items.n - 1) : 0;
	for (size_t i = 0; list && i < from->items.n; i++)
		if ((int64_t)i != at)
			ovl_x_list_add(x, list, -1, from->items.at[i]);
	out_list(x, list);
}

static void at(ovl_onnx *x)
{
	ovl_onnx_list *list;
	int64_t i;
	if (live(x, 1)) {
		ovl_x_out(x, 0, ovl_x_op(x, "SequenceAt", sequence(x), ovl_x_maybe(x, 1)));
		return;
	}
	list = ovl_x_list_in(x, 0);
	i = list ? position(x, 1, list->items.n, 0) : 0;
	if (list && x->status == OVL_OK && i >= (int64_t)list->items.n)
		ovl_x_fail(x, OVL_E_PARSE, "position %lld is outside of a sequence of %zu", (long long)i, list->items.n);
	if (list && x->status == OVL_OK)
		ovl_x_out(x, 0, list->items.at[i]);
}

static void length(ovl_onnx *x)
{
	ovl_onnx_list *list;
	if (live(x, 0)) {
		ovl_x_out(x, 0, ovl_x_op(x, "SequenceLength", sequence(x)));
		return;
	}
	list = ovl_x_list_in(x, 0);
	if (list)
		ovl_x_out(x, 0, ovl_x_i64(x, (int64_t)list->items.n));
}

static void concat_from(ovl_onnx *x)
{
	ovl_onnx_list *list, *wide;
	int64_t axis = ovl_x_need_int(x, "axis");
	if (live(x, 0)) {
		const char *how = ovl_x_text(x, "axis=%lld;new_axis=%d", (long long)axis, ovl_x_attr_int(x, "new_axis", 0) != 0);
		ovl_x_out(x, 0, ovl_x_opa(x, "ConcatFromSequence", how, sequence(x)));
		return;
	}
	list = ovl_x_list_in(x, 0);
	if (!list || list->items.n == 0) {
		ovl_x_fail(x, OVL_E_UNSUPPORTED, "joining an empty sequence is not supported");
		return;
	}
	if (!ovl_x_attr_int(x, "new_axis", 0)) {
		ovl_x_out(x, 0, ovl_x_concat(x, (int)axis, list->items.at, (int)list->items.n));
		return;
	}
	wide = ovl_x_list_new(x);
	for (size_t i = 0; wide && i < list->items.n; i++)
		ovl_x_list_add(x, wide, -1, ovl_x_unsqueeze(x, list->items.at[i], (int)axis));
	if (wide && x->status == OVL_OK)
		ovl_x_out(x, 0, ovl_x_concat(x, (int)axis, wide->items.at, (int)wide->items.n));
}

enum { MAX_PARTS = 1024 };

/* Into a sequence of the run: what is not known yet is found there. */
static void split_live(ovl_onnx *x, ovl_end a, int axis, ovl_end lengths)
{
	const char *how = ovl_x_text(x, "axis=%d;keepdims=%d", axis, ovl_x_attr_int(x, "keepdims", 1) != 0);
	ovl_x_out(x, 0, ovl_x_opa(x, "SplitToSequence", how, a, lengths));
}

/* Lengths that are not known yet. */
static void split_by(ovl_onnx *x, ovl_end a, int axis, ovl_end lengths)
{
	int64_t n = ovl_x_rank(x, lengths) == 1 ? ovl_x_dim(x, lengths, 0) : -1;
	ovl_onnx_list *list;
	ovl_end parts;
	if (n < 1 || n > MAX_PARTS) {
		split_live(x, a, axis, lengths);
		return;
	}
	list = ovl_x_list_new(x);
	parts = ovl_x_op(x, "VariadicSplit", a, ovl_x_i64(x, axis), lengths);
	for (int i = 0; i < n; i++)
		ovl_x_list_add(x, list, -1, ovl_x_port(parts, i));
	out_list(x, list);
}

/* Without lengths: one by one, where keepdims=0 takes the axis away. */
static void split_to(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0);
	int rank = ovl_x_need_rank(x, a), axis = ovl_x_axis(x, ovl_x_attr_int(x, "axis", 0), rank), n = 0;
	int64_t dim = ovl_x_dim(x, a, axis), lengths[MAX_PARTS], first = 0;
	bool drop = !ovl_x_has(x, 1) && !ovl_x_attr_int(x, "keepdims", 1), scalar = ovl_x_has(x, 1) && ovl_x_rank(x, ovl_x_in(x, 1)) == 0;
	ovl_onnx_list *list = ovl_x_list_new(x);
	if (ovl_x_has(x, 1) && !ovl_x_values(x, ovl_x_in(x, 1), lengths, MAX_PARTS, &n)) {
		split_by(x, a, axis, ovl_x_in(x, 1));
		return;
	}
	if (!ovl_x_has(x, 1))
		lengths[0] = 1, n = 1, scalar = true;
	if (scalar && (dim < 0 || lengths[0] < 1 || dim / lengths[0] >= MAX_PARTS)) {
		split_live(x, a, axis, ovl_x_maybe(x, 1));
		return;
	}
	for (int64_t i = 0, whole = n ? lengths[0] : 0; scalar && i * whole < dim; i++) {
		lengths[i] = dim - i * whole < whole ? dim - i * whole : whole;
		n = (int)i + 1;
	}
	for (int i = 0; i < n && x->status == OVL_OK; first += lengths[i++]) {
		ovl_end part = ovl_x_slice(x, a, axis, first, first + lengths[i]);
		ovl_x_list_add(x, list, -1, drop ? ovl_x_squeeze(x, part, axis) : part);
	}
	out_list(x, list);
}

/* The body once for each element. */
static void map_each(ovl_onnx *x)
{
	Onnx__GraphProto *g = ovl_x_attr_graph(x, "body");
	ovl_onnx_list *first, *outs[16];
	ovl_onnx_value made[16];
	bool any = false;
	for (int k = 0; k < x->n_in && x->status == OVL_OK; k++) {
		ovl_onnx_value v = ovl_x_value(x, k);
		any = any || ovl_x_is_live(x, &v);
	}
	if (any) {
		ovl_onnx_map_live(x);
		return;
	}
	first = ovl_x_list_in(x, 0);
	if (!g || !first || x->n_out > 16 || (size_t)x->n_in != g->n_input)
		ovl_x_fail(x, OVL_E_PARSE, "its body does not fit its inputs");
	for (int o = 0; o < x->n_out && x->status == OVL_OK; o++)
		outs[o] = ovl_x_list_new(x);
	for (size_t i = 0; x->status == OVL_OK && i < first->items.n; i++) {
		ovl_onnx_value in[16];
		for (int k = 0; k < x->n_in && k < 16; k++) {
			in[k] = ovl_x_value(x, k);
			if (in[k].list && i < in[k].list->items.n)
				in[k] = (ovl_onnx_value){.end = in[k].list->items.at[i], .set = true};
			else if (in[k].list)
				ovl_x_fail(x, OVL_E_PARSE, "input %d is a shorter sequence than the first", k);
		}
		ovl_x_inline_with(x, g, in, x->n_in < 16 ? x->n_in : 16, made, x->n_out);
		for (int o = 0; o < x->n_out && x->status == OVL_OK; o++)
			ovl_x_list_add(x, outs[o], -1, made[o].end);
	}
	for (int o = 0; o < x->n_out && x->status == OVL_OK; o++)
		ovl_x_out_value(x, o, (ovl_onnx_value){.list = outs[o], .set = true});
}

/* ---- optionals ---- */

static void optional(ovl_onnx *x)
{
	ovl_onnx_value v = {.set = true};
	if (ovl_x_has(x, 0))
		v = ovl_x_value(x, 0);
	ovl_x_out_value(x, 0, v);
}

/* The element of an optional of the run. */
static ovl_end inside(ovl_onnx *x, ovl_end e) { return ovl_x_op(x, "SequenceAt", e); }

static void optional_get(ovl_onnx *x)
{
	ovl_onnx_value v = ovl_x_value(x, 0);
	if (v.optional)
		v = (ovl_onnx_value){.end = inside(x, v.end), .set = true};
	else if (!v.end.node && !v.list)
		ovl_x_fail(x, OVL_E_PARSE, "its input is empty");
	ovl_x_out_value(x, 0, v);
}

static void optional_has(ovl_onnx *x)
{
	ovl_onnx_value v = {.set = true};
	if (ovl_x_has(x, 0))
		v = ovl_x_value(x, 0);
	if (v.optional)
		ovl_x_out(x, 0, ovl_x_op(x, "OptionalHasElement", v.end));
	else
		ovl_x_out(x, 0, ovl_x_scalar(x, OVL_BOOLEAN, v.end.node || v.list));
}

const ovl_onnx_rule ovl_onnx_seq[] = {
	{"SequenceEmpty", NULL, 11, empty},
	{"SequenceConstruct", NULL, 11, construct},
	{"SequenceInsert", NULL, 11, insert},
	{"SequenceErase", NULL, 11, erase},
	{"SequenceAt", NULL, 11, at},
	{"SequenceLength", NULL, 11, length},
	{"ConcatFromSequence", NULL, 11, concat_from},
	{"SplitToSequence", NULL, 11, split_to},
	{"SequenceMap", NULL, 17, map_each},
	{"Optional", NULL, 15, optional},
	{"OptionalGetElement", NULL, 15, optional_get},
	{"OptionalHasElement", NULL, 15, optional_has},
	{NULL, NULL, 0, NULL},
};
