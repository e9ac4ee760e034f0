/* sequence.c - ONNX's sequences at run time: SequenceConstruct, SequenceInsert, SequenceErase, SequenceAt, SequenceLength, ConcatFromSequence, SplitToSequence. A sequence is a tensor
 * of references (tensor/type.h); an optional is a sequence of none or one, so that OptionalHasElement is here too and OptionalGetElement is SequenceAt. */
#include "base/memory.h"
#include "graph/infer.h"

#define FLAGS (OVL_OP_INTERNAL | OVL_OP_LATE | OVL_OP_RANDOM | OVL_OP_SEQUENCE) /* random: not folded, since no constant may be a sequence */

static ovl_status infer_sequence(ovl_infer *in)
{
	ovl_pshape out = ovl_pshape_rank(1);
	ovl_infer_out(in, 0, OVL_SEQUENCE, &out);
	return OVL_OK;
}

static ovl_status need(ovl_run *run)
{
	const ovl_tensor *x = run->in[0];
	for (int64_t i = 0, n = x->type == OVL_SEQUENCE ? ovl_tensor_count(x) : 0; i < n; i++)
		if (!((ovl_tensor **)x->data)[i])
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: element %lld of the sequence is missing", run->op->name, (long long)i);
	if (x->type == OVL_SEQUENCE)
		return OVL_OK;
	return ovl_fail(run->err, OVL_E_TYPE, "%s: input 0 is a tensor of type %s, expected a sequence", run->op->name, ovl_type_name(run->in[0]->type));
}

/* The position that input i holds, into [0, limit]; `fill` where there is no such input. */
static ovl_status position(ovl_run *run, int i, int64_t limit, int64_t n, int64_t fill, int64_t *at)
{
	*at = fill;
	if (i < run->n_in && run->in[i]) {
		if (ovl_tensor_count(run->in[i]) != 1 || !ovl_type_is_integer(run->in[i]->type))
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: the position must be one integer", run->op->name);
		*at = ovl_tensor_i64_at(run->in[i], 0);
		*at += *at < 0 ? n : 0;
	}
	if (*at < 0 || *at > limit)
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: position %lld is outside of a sequence of %lld", run->op->name, (long long)*at, (long long)n);
	return OVL_OK;
}

static ovl_tensor *item(const ovl_tensor *t, int64_t i) { return ((ovl_tensor **)t->data)[i]; }

static ovl_status made(ovl_run *run, int64_t n, ovl_tensor **y)
{
	return ovl_run_output(run, 0, OVL_SEQUENCE, &(ovl_shape){.rank = 1, .dims = {n}}, y);
}

static ovl_status construct_run(ovl_run *run)
{
	ovl_tensor *y;
	OVL_TRY(made(run, run->n_in, &y));
	for (int i = 0; i < run->n_in; i++)
		OVL_TRY(ovl_tensor_set_item(y, i, run->in[i], run->err));
	return OVL_OK;
}

static ovl_status insert_run(ovl_run *run)
{
	const ovl_tensor *x = run->in[0];
	int64_t n = ovl_tensor_count(x), at;
	ovl_tensor *y;
	OVL_TRY(need(run));
	OVL_TRY(position(run, 2, n, n, n, &at));
	OVL_TRY(made(run, n + 1, &y));
	for (int64_t i = 0; i <= n; i++)
		OVL_TRY(ovl_tensor_set_item(y, i, i == at ? run->in[1] : item(x, i - (i > at)), run->err));
	return OVL_OK;
}

static ovl_status erase_run(ovl_run *run)
{
	const ovl_tensor *x = run->in[0];
	int64_t n = ovl_tensor_count(x), at;
	ovl_tensor *y;
	OVL_TRY(need(run));
	OVL_TRY(position(run, 1, n - 1, n, n - 1, &at));
	OVL_TRY(made(run, n - 1, &y));
	for (int64_t i = 0; i < n - 1; i++)
		OVL_TRY(ovl_tensor_set_item(y, i, item(x, i + (i >= at)), run->err));
	return OVL_OK;
}

/* ---- out of a sequence ---- */

static ovl_status infer_any(ovl_infer *in)
{
	ovl_pshape any = ovl_pshape_any();
	ovl_infer_out(in, 0, OVL_DYNAMIC, &any);
	return OVL_OK;
}

static ovl_status at_run(ovl_run *run)
{
	ovl_tensor *from, *y;
	int64_t n = ovl_tensor_count(run->in[0]), at;
	OVL_TRY(need(run));
	OVL_TRY(position(run, 1, n - 1, n, 0, &at));
	from = item(run->in[0], at);
	OVL_TRY(ovl_run_output(run, 0, from->type, &from->shape, &y));
	return ovl_tensor_copy(from, y, run->err);
}

static ovl_status infer_length(ovl_infer *in)
{
	ovl_pshape scalar = ovl_pshape_rank(0);
	ovl_infer_out(in, 0, in->op->name[0] == 'O' ? OVL_BOOLEAN : OVL_I64, &scalar);
	return OVL_OK;
}

static ovl_status length_run(ovl_run *run)
{
	bool whether = run->op->name[0] == 'O';
	int64_t n = ovl_tensor_count(run->in[0]);
	ovl_tensor *y;
	OVL_TRY(need(run));
	OVL_TRY(ovl_run_output(run, 0, whether ? OVL_BOOLEAN : OVL_I64, &(ovl_shape){0}, &y));
	if (whether)
		*(uint8_t *)y->data = n > 0;
	else
		*(int64_t *)y->data = n;
	return OVL_OK;
}

/* ---- ConcatFromSequence ---- */

typedef struct concat_params {
	int64_t axis;
	bool new_axis;
} concat_params;

/* The shape of the parts side by side, where each is `widened` by a new axis first. */
static ovl_status joined(ovl_run *run, int *axis, ovl_shape *out)
{
	const concat_params *p = run->params;
	int64_t n = ovl_tensor_count(run->in[0]), total = 0;
	for (int64_t i = 0; i < n; i++) {
		const ovl_tensor *t = item(run->in[0], i), *first = item(run->in[0], 0);
		int rank = t->shape.rank + p->new_axis;
		if (rank > OVL_MAX_RANK || t->shape.rank != first->shape.rank || t->type != first->type || ovl_type_owns(t->type) || ovl_type_packed(t->type))
			return ovl_fail(run->err, OVL_E_SHAPE, "%s: element %lld does not fit the others", run->op->name, (long long)i);
		OVL_TRY(ovl_axis(p->axis, rank, run->op->name, axis, run->err));
		for (int d = 0; d < t->shape.rank; d++)
			if (t->shape.dims[d] != first->shape.dims[d] && (p->new_axis || d != *axis))
				return ovl_fail(run->err, OVL_E_SHAPE, "%s: element %lld does not fit the others", run->op->name, (long long)i);
		total += p->new_axis ? 1 : t->shape.dims[*axis];
	}
	*out = item(run->in[0], 0)->shape;
	if (p->new_axis) {
		memmove(&out->dims[*axis + 1], &out->dims[*axis], (size_t)(out->rank - *axis) * sizeof out->dims[0]);
		out->rank++;
	}
	out->dims[*axis] = total;
	return OVL_OK;
}

static ovl_status concat_run(ovl_run *run)
{
	int64_t n = ovl_tensor_count(run->in[0]), outer = 1, inner = 1, at = 0;
	ovl_shape shape;
	ovl_tensor *y;
	size_t size;
	int axis = 0;
	OVL_TRY(need(run));
	if (n == 0)
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: the sequence is empty", run->op->name);
	OVL_TRY(joined(run, &axis, &shape));
	OVL_TRY(ovl_run_output(run, 0, item(run->in[0], 0)->type, &shape, &y));
	for (int d = 0; d < axis; d++)
		outer *= shape.dims[d];
	for (int d = axis + 1; d < shape.rank; d++)
		inner *= shape.dims[d];
	size = (size_t)inner * ovl_type_size(y->type);
	for (int64_t i = 0; i < n; i++) {
		const ovl_tensor *t = item(run->in[0], i);
		int64_t part = ((const concat_params *)run->params)->new_axis ? 1 : t->shape.dims[axis];
		ovl_tensor *dense;
		OVL_TRY(ovl_tensor_densify(t, &dense, run->err));
		for (int64_t o = 0; o < outer && part && size; o++)
			memcpy((char *)y->data + (size_t)(o * shape.dims[axis] + at) * size, (char *)dense->data + (size_t)(o * part) * size, (size_t)part * size);
		ovl_tensor_release(dense);
		at += part;
	}
	return OVL_OK;
}

/* ---- SplitToSequence: lengths are one number (the last part may be shorter), a list, or absent (one by one) ---- */

typedef struct split_params {
	int64_t axis;
	bool keepdims;
} split_params;

static ovl_status part_count(ovl_run *run, int64_t dim, int64_t *whole, int64_t *n)
{
	const ovl_tensor *lengths = run->n_in > 1 ? run->in[1] : NULL;
	bool list = lengths && lengths->shape.rank > 0;
	*whole = lengths && !list ? ovl_tensor_i64_at(lengths, 0) : list ? 0 : 1;
	if (lengths && (!ovl_type_is_integer(lengths->type) || lengths->shape.rank > 1))
		return ovl_fail(run->err, OVL_E_TYPE, "%s: lengths must be an integer or a list of them", run->op->name);
	if (!list && *whole < 1)
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: parts of length %lld", run->op->name, (long long)*whole);
	*n = list ? ovl_tensor_count(lengths) : dim / *whole + (dim % *whole != 0);
	for (int64_t i = 0, left = dim; list && i <= *n; i++) {
		int64_t part = i < *n ? ovl_tensor_i64_at(lengths, i) : left;
		if (part < 0 || part > left || (i == *n && left))
			return ovl_fail(run->err, OVL_E_SHAPE, "%s: the lengths do not add up to the dimension's %lld", run->op->name, (long long)dim);
		left -= part;
	}
	return OVL_OK;
}

/* Elements [first, first + part) along the axis. */
static ovl_status part_of(ovl_run *run, const ovl_tensor *x, int axis, int64_t first, int64_t part, bool drop, ovl_tensor **out)
{
	ovl_shape shape = x->shape;
	int64_t outer = 1, inner = 1;
	size_t size;
	for (int d = 0; d < shape.rank; d++)
		*(d < axis ? &outer : &inner) *= d == axis ? 1 : shape.dims[d];
	shape.dims[axis] = part;
	if (drop) {
		memmove(&shape.dims[axis], &shape.dims[axis + 1], (size_t)(shape.rank - axis - 1) * sizeof shape.dims[0]);
		shape.rank--;
	}
	OVL_TRY(ovl_tensor_new(x->type, &shape, out, run->err));
	size = (size_t)inner * ovl_type_size(x->type);
	for (int64_t o = 0; o < outer && part && size; o++)
		memcpy((char *)(*out)->data + (size_t)(o * part) * size, (const char *)x->data + (size_t)(o * x->shape.dims[axis] + first) * size, (size_t)part * size);
	return OVL_OK;
}

static ovl_status split_run(ovl_run *run)
{
	const split_params *p = run->params;
	const ovl_tensor *x = run->in[0];
	int64_t whole = 1, n = 0, first = 0;
	ovl_tensor *y;
	int axis;
	if (ovl_type_owns(x->type) || ovl_type_packed(x->type))
		return ovl_fail(run->err, OVL_E_UNSUPPORTED, "%s: %s is not split", run->op->name, ovl_type_name(x->type));
	OVL_TRY(ovl_axis(p->axis, x->shape.rank, run->op->name, &axis, run->err));
	OVL_TRY(part_count(run, x->shape.dims[axis], &whole, &n));
	OVL_TRY(made(run, n, &y));
	for (int64_t i = 0; i < n; i++) {
		int64_t left = x->shape.dims[axis] - first, part = whole ? (left < whole ? left : whole) : ovl_tensor_i64_at(run->in[1], i);
		ovl_tensor *t;
		ovl_status st;
		OVL_TRY(part_of(run, x, axis, first, part, run->n_in < 2 && !p->keepdims, &t));
		st = ovl_tensor_set_item(y, i, t, run->err);
		ovl_tensor_release(t);
		OVL_TRY(st);
		first += part;
	}
	return OVL_OK;
}

static const ovl_attr split_attrs[] = {OVL_ATTR_INT(split_params, axis, "0"), OVL_ATTR_BOOL(split_params, keepdims, "true"), OVL_ATTR_END};
static const ovl_attr concat_attrs[] = {OVL_ATTR_INT(concat_params, axis, NULL), OVL_ATTR_BOOL(concat_params, new_axis, "false"), OVL_ATTR_END};

#define OP(id, NAME, MIN, MAX, NAMES, INFER, RUN)                                                                                                              \
	static const ovl_op id = {.name = NAME, .since = 1, .min_inputs = MIN, .max_inputs = MAX, .outputs = 1, .inputs = NAMES, .flags = FLAGS, .infer = INFER, .run = RUN};
OP(construct, "SequenceConstruct", 0, -1, "inputs...", infer_sequence, construct_run)
OP(insert, "SequenceInsert", 2, 3, "sequence item position", infer_sequence, insert_run)
OP(erase, "SequenceErase", 1, 2, "sequence position", infer_sequence, erase_run)
OP(at, "SequenceAt", 1, 2, "sequence position", infer_any, at_run)
OP(length, "SequenceLength", 1, 1, "sequence", infer_length, length_run)
OP(has, "OptionalHasElement", 1, 1, "optional", infer_length, length_run)
static const ovl_op concat = {.name = "ConcatFromSequence", .since = 1, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "sequence", .flags = FLAGS,
	.params_size = sizeof(concat_params), .attrs = concat_attrs, .infer = infer_any, .run = concat_run};
static const ovl_op split = {.name = "SplitToSequence", .since = 1, .min_inputs = 1, .max_inputs = 2, .outputs = 1, .inputs = "data lengths", .flags = FLAGS,
	.params_size = sizeof(split_params), .attrs = split_attrs, .infer = infer_sequence, .run = split_run};

const ovl_op *const ovl_ops_sequence[] = {&construct, &insert, &erase, &at, &length, &has, &concat, &split, NULL};
