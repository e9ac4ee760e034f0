/* transpose.c - Transpose: dimensions in another order. */
#include "ops/support_axes.h"
#include "ops/support_move.h"

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *data = &in->in_shape[0];
	ovl_pshape out = *data;
	int order[OVL_MAX_RANK * 2], count;
	bool known;
	ovl_dim length;
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_length(in, 1, &length));
	known = in->in_value[1] != NULL;
	if (!data->ranked) {
		if (in->in_shape[1].ranked && ovl_dim_static(length) && length.min > 0)
			OVL_TRY(ovl_infer_open(in, length.min, &out));
	} else if (!known)
		out = ovl_pshape_rank(data->rank);
	else {
		OVL_TRY(ovl_infer_axes(in, 1, data->rank, &known, order, &count));
		if (count != 0 && count != data->rank)
			return ovl_infer_fail(in, OVL_E_SHAPE, "the order has %d numbers, the input %d dimensions", count, data->rank);
		for (int d = 0; d < data->rank; d++)
			out.dims[d] = data->dims[count ? order[d] : data->rank - 1 - d];
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status run_(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, run_);
	ovl_place from = ovl_place_of(run->in[0]), to = ovl_place_of(run->out[0]);
	int rank = run->in[0]->shape.rank, order[OVL_MAX_RANK], count;
	int64_t dense[OVL_MAX_RANK];
	OVL_TRY(ovl_run_axes(run, 1, rank, order, &count));
	if (count != 0 && count != rank)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: the order has %d numbers, the input %d dimensions", run->op->name, count, rank);
	memcpy(dense, from.strides, sizeof dense);
	for (int d = 0; d < rank; d++)
		from.strides[d] = dense[count ? order[d] : rank - 1 - d];
	return ovl_move(run, &to, &from, &run->out[0]->shape);
}

static const ovl_op transpose = {.name = "Transpose", .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "data input_order", .infer = infer, .run = run_};

const ovl_op *const ovl_ops_transpose[] = {&transpose, NULL};
