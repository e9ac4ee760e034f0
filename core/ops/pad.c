/* pad.c - Pad: a border around the data, made of a constant or of the data itself. Version 12 allows sizes below 0, which cut off. */
#include "ops/pad.h"
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"

/* How far a border may reach into data of `size` elements. */
static int64_t reach(int mode, int64_t size) { return mode == OVL_PAD_REFLECT ? (size > 0 ? size - 1 : 0) : mode == OVL_PAD_SYMMETRIC ? size : INT64_MAX; }

static ovl_status pad_dim(ovl_infer *in, int d, int64_t begin, int64_t end, ovl_dim *dim)
{
	int mode = ((const ovl_pad_params *)in->params)->pad_mode;
	int64_t sum, low, high;
	if (in->op->since < 12 && (begin < 0 || end < 0))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "the pads of dimension %d are %lld and %lld; below 0 needs version 12", d, (long long)begin, (long long)end);
	if (__builtin_add_overflow(begin, end, &sum) || __builtin_add_overflow(dim->min, sum, &low) ||
		(dim->max != OVL_DIM_MAX && __builtin_add_overflow(dim->max, sum, &high)))
		return ovl_infer_fail(in, OVL_E_SHAPE, "the pads of dimension %d are too large", d);
	if (dim->max == OVL_DIM_MAX)
		high = OVL_DIM_MAX;
	if (high < 0)
		return ovl_infer_fail(in, OVL_E_SHAPE, "the pads of dimension %d cut off more than its %lld elements", d, (long long)dim->max);
	if (ovl_dim_static(*dim) && (begin > reach(mode, dim->min) || end > reach(mode, dim->min)))
		return ovl_infer_fail(in, OVL_E_SHAPE, "the pads of dimension %d (%lld and %lld) are too large for this mode and %lld elements", d, (long long)begin, (long long)end,
			(long long)dim->min);
	if (ovl_dim_static(*dim) && dim->min == 0 && mode == OVL_PAD_EDGE && (begin > 0 || end > 0))
		return ovl_infer_fail(in, OVL_E_SHAPE, "dimension %d has no element to repeat", d);
	*dim = (ovl_dim){low < 0 ? 0 : low, high};
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *data = &in->in_shape[0];
	ovl_pshape out = *data;
	ovl_type type = in->in_type[0];
	int64_t begin[OVL_MAX_RANK * 2], end[OVL_MAX_RANK * 2];
	bool known, known_end;
	int n = 0, m = 0;
	ovl_dim length = OVL_DIM_ANY;
	for (int i = 1; i < 3; i++) {
		ovl_dim d;
		OVL_TRY(ovl_infer_type_in(in, i, OVL_MASK_WHOLE));
		OVL_TRY(ovl_infer_length(in, i, &d));
		if (!ovl_dim_merge(length, d, &length) || (data->ranked && !ovl_dim_merge(length, ovl_dim_of(data->rank), &length)))
			return ovl_infer_fail(in, OVL_E_SHAPE, "pads_begin and pads_end must have one number for each dimension");
	}
	if (in->n_in > 3)
		OVL_TRY(ovl_infer_merge_types(in, 0, 3, &type));
	OVL_TRY(ovl_infer_ints(in, 1, &known, begin, OVL_MAX_RANK * 2, &n));
	OVL_TRY(ovl_infer_ints(in, 2, &known_end, end, OVL_MAX_RANK * 2, &m));
	if (!data->ranked && ovl_dim_static(length))
		OVL_TRY(ovl_infer_open(in, length.min, &out));
	for (int d = 0; data->ranked && d < data->rank; d++) {
		if (known && known_end)
			OVL_TRY(pad_dim(in, d, begin[d], end[d], &out.dims[d]));
		else
			out.dims[d] = OVL_DIM_ANY;
	}
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

typedef struct job {
	int rank;
	int64_t begin[OVL_MAX_RANK];
	ovl_place from, to;
	ovl_shape size; /* of the input, the output */
	ovl_shape out;
} job;

/* The part of the input that stays goes to its place. */
static ovl_status move_middle(ovl_run *run, job *j)
{
	ovl_shape kept = j->size;
	for (int d = 0; d < j->rank; d++) {
		int64_t first = j->begin[d] < 0 ? -j->begin[d] : 0, last = j->out.dims[d] - j->begin[d];
		last = last < j->size.dims[d] ? last : j->size.dims[d];
		kept.dims[d] = last > first ? last - first : 0;
		j->from.at += first * j->from.strides[d];
		j->to.at += (j->begin[d] > 0 ? j->begin[d] : 0) * j->to.strides[d];
	}
	return ovl_shape_elements(&kept) > 0 ? ovl_move(run, &j->to, &j->from, &kept) : OVL_OK;
}

/* Which element of the data stands at position `at` (0: the data's first). */
static int64_t source(int mode, int64_t at, int64_t size)
{
	if (at >= 0 && at < size)
		return at;
	switch (mode) {
	case OVL_PAD_EDGE: return at < 0 ? 0 : size - 1;
	case OVL_PAD_REFLECT: return at < 0 ? -at : 2 * (size - 1) - at;
	default: return at < 0 ? -at - 1 : 2 * size - 1 - at;
	}
}

/* The last dimension: what lies inside is moved as one, the borders one by one. */
static ovl_status fill_row(ovl_run *run, const job *j, int mode, int64_t to, int64_t from)
{
	int d = j->rank - 1;
	int64_t size = j->size.dims[d], n = j->out.dims[d], begin = j->begin[d];
	for (int64_t i = 0; i < n;) {
		int64_t at = i - begin, run_length = 1;
		if (at >= 0 && at < size)
			run_length = size - at < n - i ? size - at : n - i;
		OVL_TRY(ovl_move_row(run, run->out[0], to + i, run->in[0], from + source(mode, at, size), run_length));
		i += run_length;
	}
	return OVL_OK;
}

static ovl_status mirror(ovl_run *run, const job *j, int mode)
{
	int64_t at[OVL_MAX_RANK] = {0}, row = j->out.dims[j->rank - 1], rows = row ? ovl_shape_elements(&j->out) / row : 0;
	for (int64_t r = 0; r < rows; r++) {
		int64_t from = 0;
		for (int d = 0; d < j->rank - 1; d++)
			from += source(mode, at[d] - j->begin[d], j->size.dims[d]) * j->from.strides[d];
		OVL_TRY(fill_row(run, j, mode, r * row, from));
		for (int d = j->rank - 2; d >= 0 && ++at[d] == j->out.dims[d]; d--)
			at[d] = 0;
	}
	return OVL_OK;
}

static ovl_status check_job(ovl_run *run, const job *j, int mode)
{
	for (int d = 0; d < j->rank; d++) {
		int64_t end = j->out.dims[d] - j->size.dims[d] - j->begin[d], top = reach(mode, j->size.dims[d]);
		if (j->begin[d] > top || end > top || (mode == OVL_PAD_EDGE && j->size.dims[d] == 0 && j->out.dims[d] > 0))
			return ovl_fail(run->err, OVL_E_SHAPE, "%s: the pads of dimension %d (%lld and %lld) are too large for this mode and %lld elements", run->op->name, d,
				(long long)j->begin[d], (long long)end, (long long)j->size.dims[d]);
	}
	return OVL_OK;
}

static ovl_status fill(ovl_run *run)
{
	if (run->n_in <= 3) {
		if (run->out[0]->type != OVL_STRING)
			memset(run->out[0]->data, 0, ovl_tensor_bytes(run->out[0]));
		return OVL_OK;
	}
	if (ovl_tensor_count(run->in[3]) != 1)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: the value must be a scalar", run->op->name);
	return ovl_move_fill(run, run->out[0], run->in[3], 0);
}

static ovl_status pad_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, pad_run);
	int mode = ((const ovl_pad_params *)run->params)->pad_mode;
	int64_t n;
	job j = {.rank = run->in[0]->shape.rank, .from = ovl_place_of(run->in[0]), .to = ovl_place_of(run->out[0]), .size = run->in[0]->shape, .out = run->out[0]->shape};
	OVL_TRY(ovl_run_ints(run, 1, j.begin, OVL_MAX_RANK, &n));
	if (n != j.rank || j.out.rank != j.rank)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: pads_begin has %lld numbers for %d dimensions", run->op->name, (long long)n, j.rank);
	if (mode != OVL_PAD_CONSTANT && j.rank > 0) {
		OVL_TRY(check_job(run, &j, mode));
		return mirror(run, &j, mode);
	}
	OVL_TRY(fill(run));
	return move_middle(run, &j);
}

static const ovl_attr attrs[] = {OVL_ATTR_ENUM(ovl_pad_params, pad_mode, NULL, "constant edge reflect symmetric"), OVL_ATTR_END};
static const ovl_op pad_v1 = {.name = "Pad", .since = 1, .until = 11, .min_inputs = 3, .max_inputs = 4, .outputs = 1, .inputs = "arg pads_begin pads_end arg_pad_value",
	.params_size = sizeof(ovl_pad_params), .attrs = attrs, .infer = infer, .run = pad_run};
static const ovl_op pad_v12 = {.name = "Pad", .since = 12, .min_inputs = 3, .max_inputs = 4, .outputs = 1, .inputs = "arg pads_begin pads_end arg_pad_value",
	.params_size = sizeof(ovl_pad_params), .attrs = attrs, .infer = infer, .run = pad_run};

const ovl_op *const ovl_ops_pad[] = {&pad_v1, &pad_v12, NULL};
