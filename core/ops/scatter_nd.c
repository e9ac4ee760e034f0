/* scatter_nd.c - ScatterNDUpdate: the last dimension of the indices holds coordinates into the data, whose slices meet the updates. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"
#include "ops/support_scatter.h"

typedef struct scatter_nd_params { /* version 15 */
	int reduction; /* an ovl_scatter */
} scatter_nd_params;

static ovl_status check_updates(ovl_infer *in)
{
	const ovl_pshape *data = &in->in_shape[0], *indices = &in->in_shape[1], *updates = &in->in_shape[2];
	ovl_pshape want = ovl_pshape_rank(0), merged;
	char a[200], b[200];
	if (indices->ranked && indices->rank == 0)
		return ovl_infer_fail(in, OVL_E_SHAPE, "the indices must not be a scalar");
	if (!data->ranked || !indices->ranked || !ovl_dim_static(indices->dims[indices->rank - 1]))
		return OVL_OK;
	int64_t tuple = indices->dims[indices->rank - 1].min;
	if (tuple > data->rank)
		return ovl_infer_fail(in, OVL_E_SHAPE, "indices give %lld coordinates, the data has %d dimensions", (long long)tuple, data->rank);
	if (!updates->ranked || indices->rank - 1 + data->rank - tuple > OVL_MAX_RANK)
		return OVL_OK;
	for (int d = 0; d < indices->rank - 1; d++)
		want.dims[want.rank++] = indices->dims[d];
	for (int d = (int)tuple; d < data->rank; d++)
		want.dims[want.rank++] = data->dims[d];
	if (!ovl_pshape_merge(&want, updates, &merged))
		return ovl_infer_fail(in, OVL_E_SHAPE, "the updates have shape %s, expected %s", ovl_pshape_text(updates, a, sizeof a), ovl_pshape_text(&want, b, sizeof b));
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_INDEX));
	OVL_TRY(ovl_infer_merge_types(in, 0, 2, &type));
	OVL_TRY(check_updates(in));
	ovl_infer_out(in, 0, type, &in->in_shape[0]);
	return OVL_OK;
}

static ovl_status put(ovl_run *run, const int64_t *index)
{
	const ovl_shape *data = &run->in[0]->shape, *indices = &run->in[1]->shape;
	ovl_scatter how = run->op->params_size ? (ovl_scatter)((const scatter_nd_params *)run->params)->reduction : OVL_SCATTER_NONE;
	int tuple = (int)indices->dims[indices->rank - 1];
	int64_t picks = ovl_dims_product(indices, 0, indices->rank - 1), inner = ovl_dims_product(data, tuple, data->rank);
	if (ovl_tensor_count(run->in[2]) != picks * inner)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: there are %lld updates, expected %lld", run->op->name, (long long)ovl_tensor_count(run->in[2]), (long long)(picks * inner));
	for (int64_t k = 0; k < picks; k++) {
		int64_t at = 0;
		for (int c = 0; c < tuple; c++) {
			int64_t size = data->dims[c], i = index[k * tuple + c];
			if (i >= size || i < -size)
				return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: coordinate %lld (element %lld of the indices) is outside of a dimension of size %lld", run->op->name,
					(long long)i, (long long)(k * tuple + c), (long long)size);
			at = at * size + (i < 0 ? i + size : i);
		}
		OVL_RUN_CHECK_CANCEL(run);
		OVL_TRY(ovl_scatter_into(run, how, run->out[0], at * inner, run->in[2], k * inner, inner));
	}
	return OVL_OK;
}

static ovl_status scatter_nd_run(ovl_run *run)
{
	if (ovl_run_narrow(run))
		return ovl_run_unpacked(run, scatter_nd_run);
	const ovl_shape *data = &run->in[0]->shape, *indices = &run->in[1]->shape;
	int64_t *index;
	if (indices->rank == 0 || indices->dims[indices->rank - 1] > data->rank)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: data and indices do not go together", run->op->name);
	OVL_TRY(ovl_move_row(run, run->out[0], 0, run->in[0], 0, ovl_tensor_count(run->in[0])));
	if (ovl_tensor_count(run->in[2]) == 0)
		return OVL_OK;
	OVL_TRY(ovl_run_indices(run, 1, &index));
	ovl_status status = put(run, index);
	ovl_free(index);
	return status;
}

static const ovl_attr attrs[] = {OVL_ATTR_ENUM(scatter_nd_params, reduction, "none", "none sum sub prod min max"), OVL_ATTR_END};
static const ovl_op scatter_nd_v3 = {.name = "ScatterNDUpdate", .factory = "scatter_nd_update", .since = 4, .until = 14, .min_inputs = 3, .max_inputs = 3, .outputs = 1,
	.inputs = "data indices updates", .infer = infer, .run = scatter_nd_run};
static const ovl_op scatter_nd_v15 = {.name = "ScatterNDUpdate", .factory = "scatter_nd_update", .since = 15, .min_inputs = 3, .max_inputs = 3, .outputs = 1,
	.inputs = "data indices updates", .params_size = sizeof(scatter_nd_params), .attrs = attrs, .infer = infer, .run = scatter_nd_run};

const ovl_op *const ovl_ops_scatter_nd[] = {&scatter_nd_v3, &scatter_nd_v15, NULL};
