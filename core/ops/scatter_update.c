/* scatter_update.c - ScatterUpdate: slices of the data along an axis, replaced by updates. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"

/* updates = data[:axis] + indices + data[axis + 1:] */
static ovl_status check_updates(ovl_infer *in, int axis)
{
	const ovl_pshape *data = &in->in_shape[0], *indices = &in->in_shape[1], *updates = &in->in_shape[2];
	ovl_pshape want = ovl_pshape_rank(0), merged;
	char a[200], b[200];
	if (!indices->ranked || !updates->ranked || data->rank + indices->rank - 1 > OVL_MAX_RANK)
		return OVL_OK;
	for (int d = 0; d < axis; d++)
		want.dims[want.rank++] = data->dims[d];
	for (int d = 0; d < indices->rank; d++)
		want.dims[want.rank++] = indices->dims[d];
	for (int d = axis + 1; d < data->rank; d++)
		want.dims[want.rank++] = data->dims[d];
	if (!ovl_pshape_merge(&want, updates, &merged))
		return ovl_infer_fail(in, OVL_E_SHAPE, "the updates have shape %s, expected %s", ovl_pshape_text(updates, a, sizeof a), ovl_pshape_text(&want, b, sizeof b));
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *data = &in->in_shape[0];
	ovl_type type;
	bool known = false;
	int axis = 0;
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_type_in(in, 3, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_merge_types(in, 0, 2, &type));
	if (data->ranked)
		OVL_TRY(ovl_infer_axis(in, 3, data->rank, &known, &axis));
	if (known)
		OVL_TRY(check_updates(in, axis));
	ovl_infer_out(in, 0, type, data);
	return OVL_OK;
}

static ovl_status put(ovl_run *run, int axis, const int64_t *index)
{
	const ovl_shape *data = &run->in[0]->shape;
	int64_t outer = ovl_dims_product(data, 0, axis), size = data->dims[axis], inner = ovl_dims_product(data, axis + 1, data->rank);
	int64_t picks = ovl_tensor_count(run->in[1]);
	if (ovl_tensor_count(run->in[2]) != outer * picks * inner)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: there are %lld updates, expected %lld", run->op->name, (long long)ovl_tensor_count(run->in[2]),
			(long long)(outer * picks * inner));
	for (int64_t i = 0; i < picks; i++)
		if (index[i] >= size || index[i] < -size)
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: index %lld (element %lld of the indices) is outside of a dimension of size %lld", run->op->name,
				(long long)index[i], (long long)i, (long long)size);
	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < picks; i++) {
			int64_t k = index[i] < 0 ? index[i] + size : index[i];
			OVL_TRY(ovl_move_row(run, run->out[0], (o * size + k) * inner, run->in[2], (o * picks + i) * inner, inner));
		}
	return OVL_OK;
}

static ovl_status scatter_update_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, scatter_update_run);
	int64_t *index;
	int axis;
	OVL_TRY(ovl_run_axis(run, 3, run->in[0]->shape.rank, &axis));
	OVL_TRY(ovl_move_row(run, run->out[0], 0, run->in[0], 0, ovl_tensor_count(run->in[0])));
	if (ovl_tensor_count(run->in[2]) == 0)
		return OVL_OK;
	OVL_TRY(ovl_run_indices(run, 1, &index));
	ovl_status status = put(run, axis, index);
	ovl_free(index);
	return status;
}

static const ovl_op scatter_update = {.name = "ScatterUpdate", .since = 3, .min_inputs = 4, .max_inputs = 4, .outputs = 1, .inputs = "data indices updates axis",
	.infer = infer, .run = scatter_update_run};

const ovl_op *const ovl_ops_scatter_update[] = {&scatter_update, NULL};
