/* reverse.c - Reverse: some dimensions back to front. ReverseSequence: the first elements of a dimension back to front, how many is told for each batch. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"

enum { INDEX, MASK };
typedef struct reverse_params {
	int mode;
} reverse_params;

static ovl_status reverse_infer(ovl_infer *in)
{
	bool known;
	int axes[OVL_MAX_RANK * 2], n;
	ovl_dim length;
	bool mask = ((const reverse_params *)in->params)->mode == MASK;
	OVL_TRY(ovl_infer_type_in(in, 1, mask ? OVL_MASK(OVL_BOOLEAN) : OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_length(in, 1, &length));
	if (in->in_shape[0].ranked && mask && (length.min > in->in_shape[0].rank || length.max < in->in_shape[0].rank))
		return ovl_infer_fail(in, OVL_E_SHAPE, "the mask must have one element for each dimension");
	if (in->in_shape[0].ranked && !mask)
		OVL_TRY(ovl_infer_axes(in, 1, in->in_shape[0].rank, &known, axes, &n));
	return ovl_infer_same(in);
}

static ovl_status reverse_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, reverse_run);
	const ovl_shape *s = &run->in[0]->shape;
	ovl_place from = ovl_place_of(run->in[0]), to = ovl_place_of(run->out[0]);
	bool turn[OVL_MAX_RANK] = {false};
	int axes[OVL_MAX_RANK], n = 0;
	if (((const reverse_params *)run->params)->mode == INDEX) {
		OVL_TRY(ovl_run_axes(run, 1, s->rank, axes, &n));
		for (int k = 0; k < n; k++)
			turn[axes[k]] = true;
	} else if (ovl_tensor_count(run->in[1]) != s->rank)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: the mask must have one element for each dimension", run->op->name);
	else
		for (int d = 0; d < s->rank; d++)
			turn[d] = ovl_tensor_i64_at(run->in[1], d) != 0;
	for (int d = 0; d < s->rank; d++)
		if (turn[d] && s->dims[d] > 0) {
			from.at += (s->dims[d] - 1) * from.strides[d];
			from.strides[d] = -from.strides[d];
		}
	return ovl_move(run, &to, &from, s);
}

static const ovl_attr reverse_attrs[] = {OVL_ATTR_ENUM(reverse_params, mode, "index", "index mask"), OVL_ATTR_END};
static const ovl_op reverse = {.name = "Reverse", .since = 1, .until = 3, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "data axis",
	.params_size = sizeof(reverse_params), .attrs = reverse_attrs, .flags = OVL_OP_NO_BUILDER, .infer = reverse_infer, .run = reverse_run};

/* ---- ReverseSequence ---- */

typedef struct reverse_sequence_params {
	int64_t batch_axis, seq_axis;
} reverse_sequence_params;

static ovl_status sequence_infer(ovl_infer *in)
{
	const reverse_sequence_params *p = (const reverse_sequence_params *)in->params;
	ovl_pshape out = in->in_shape[0];
	int batch, seq;
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_NUMERIC));
	OVL_TRY(ovl_infer_rank(in, 1, 1, 1));
	if (out.ranked) {
		if (out.rank < 2)
			return ovl_infer_fail(in, OVL_E_SHAPE, "the data has %d dimensions, expected 2 or more", out.rank);
		OVL_TRY(ovl_axis(p->batch_axis, out.rank, in->op->name, &batch, in->err));
		OVL_TRY(ovl_axis(p->seq_axis, out.rank, in->op->name, &seq, in->err));
		if (in->in_shape[1].ranked && !ovl_dim_merge(out.dims[batch], in->in_shape[1].dims[0], &out.dims[batch]))
			return ovl_infer_fail(in, OVL_E_SHAPE, "seq_lengths must have one element for each batch");
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* Batch b: first the reversed part, then the rest as it is. */
static ovl_status reverse_one(ovl_run *run, int batch, int seq, int64_t b, int64_t length)
{
	ovl_shape part = run->in[0]->shape;
	ovl_place from = ovl_place_of(run->in[0]), to = ovl_place_of(run->out[0]);
	int64_t size = part.dims[seq], stride = from.strides[seq];
	if (length < 0 || length > size)
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: length %lld of batch %lld is outside of the %lld elements there are", run->op->name, (long long)length, (long long)b,
			(long long)size);
	from.at = b * from.strides[batch];
	to.at = from.at;
	part.dims[batch] = 1;
	part.dims[seq] = size - length;
	from.at += length * stride;
	to.at += length * stride;
	OVL_TRY(ovl_move(run, &to, &from, &part));
	if (length == 0)
		return OVL_OK;
	part.dims[seq] = length;
	from.at -= stride;
	from.strides[seq] = -stride;
	to.at -= length * stride;
	return ovl_move(run, &to, &from, &part);
}

static ovl_status sequence_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, sequence_run);
	const reverse_sequence_params *p = (const reverse_sequence_params *)run->params;
	const ovl_shape *s = &run->in[0]->shape;
	int batch, seq;
	OVL_TRY(ovl_axis(p->batch_axis, s->rank, run->op->name, &batch, run->err));
	OVL_TRY(ovl_axis(p->seq_axis, s->rank, run->op->name, &seq, run->err));
	if (batch == seq || ovl_tensor_count(run->in[1]) != s->dims[batch])
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: seq_lengths must have one element for each batch, and both axes must differ", run->op->name);
	for (int64_t b = 0; b < s->dims[batch]; b++)
		OVL_TRY(reverse_one(run, batch, seq, b, ovl_tensor_i64_at(run->in[1], b)));
	return OVL_OK;
}

static const ovl_attr sequence_attrs[] = {OVL_ATTR_INT(reverse_sequence_params, batch_axis, "0"), OVL_ATTR_INT(reverse_sequence_params, seq_axis, "1"), OVL_ATTR_END};
static const ovl_op reverse_sequence = {.name = "ReverseSequence", .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "input seq_lengths",
	.params_size = sizeof(reverse_sequence_params), .attrs = sequence_attrs, .infer = sequence_infer, .run = sequence_run};

const ovl_op *const ovl_ops_reverse[] = {&reverse, &reverse_sequence, NULL};
