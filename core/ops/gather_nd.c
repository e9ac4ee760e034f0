/* gather_nd.c - GatherND: the last dimension of the indices holds coordinates into the data. Version 5 gives the batch dimensions as one. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"

typedef struct gather_nd_params {
	int64_t batch_dims;
} gather_nd_params;

static ovl_status check(ovl_infer *in, int64_t batch)
{
	const ovl_pshape *data = &in->in_shape[0], *indices = &in->in_shape[1];
	if (batch < 0)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "batch_dims is %lld", (long long)batch);
	if ((data->ranked && data->rank == 0) || (indices->ranked && indices->rank == 0))
		return ovl_infer_fail(in, OVL_E_SHAPE, "data and indices must not be scalars");
	if ((data->ranked && batch >= data->rank) || (indices->ranked && batch >= indices->rank))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "batch_dims %lld is not below the ranks", (long long)batch);
	return OVL_OK;
}

static ovl_status shape_of(ovl_infer *in, int batch, int tuple, ovl_pshape *out)
{
	const ovl_pshape *data = &in->in_shape[0], *indices = &in->in_shape[1];
	ovl_dim all = ovl_dim_of(1);
	if (batch + tuple > data->rank)
		return ovl_infer_fail(in, OVL_E_SHAPE, "indices give %d coordinates, the data has %d dimensions behind the batch", tuple, data->rank - batch);
	*out = ovl_pshape_rank(0);
	for (int d = 0; d < batch; d++) {
		ovl_dim merged;
		if (!ovl_dim_merge(data->dims[d], indices->dims[d], &merged))
			return ovl_infer_fail(in, OVL_E_SHAPE, "data and indices differ in batch dimension %d", d);
		all = ovl_dim_mul(all, merged);
		if (in->op->since >= 8)
			OVL_TRY(ovl_infer_push(in, out, merged));
	}
	if (in->op->since < 8 && batch > 0)
		OVL_TRY(ovl_infer_push(in, out, all));
	for (int d = batch; d < indices->rank - 1; d++)
		OVL_TRY(ovl_infer_push(in, out, indices->dims[d]));
	for (int d = batch + tuple; d < data->rank; d++)
		OVL_TRY(ovl_infer_push(in, out, data->dims[d]));
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *data = &in->in_shape[0], *indices = &in->in_shape[1];
	int64_t batch = ((const gather_nd_params *)in->params)->batch_dims;
	ovl_pshape out = ovl_pshape_any();
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE));
	OVL_TRY(check(in, batch));
	if (data->ranked && indices->ranked && ovl_dim_static(indices->dims[indices->rank - 1])) {
		int64_t tuple = indices->dims[indices->rank - 1].min;
		if (tuple > OVL_MAX_RANK)
			return ovl_infer_fail(in, OVL_E_SHAPE, "indices give %lld coordinates", (long long)tuple);
		OVL_TRY(shape_of(in, (int)batch, (int)tuple, &out));
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status pick(ovl_run *run, int batch, const int64_t *index)
{
	const ovl_shape *data = &run->in[0]->shape, *indices = &run->in[1]->shape;
	int tuple = (int)indices->dims[indices->rank - 1];
	int64_t batches = ovl_dims_product(data, 0, batch), picks = ovl_dims_product(indices, batch, indices->rank - 1);
	int64_t inner = ovl_dims_product(data, batch + tuple, data->rank), per_batch = ovl_dims_product(data, batch, data->rank);
	for (int64_t k = 0; k < batches * picks; k++) {
		int64_t at = 0;
		for (int c = 0; c < tuple; c++) {
			int64_t size = data->dims[batch + c], i = index[k * tuple + c];
			if (i >= size || i < -size)
				return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: coordinate %lld (element %lld of the indices) is outside of a dimension of size %lld", run->op->name,
					(long long)i, (long long)(k * tuple + c), (long long)size);
			at = at * size + (i < 0 ? i + size : i);
		}
		OVL_TRY(ovl_move_row(run, run->out[0], k * inner, run->in[0], k / picks * per_batch + at * inner, inner));
	}
	return OVL_OK;
}

static ovl_status gather_nd_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, gather_nd_run);
	const ovl_shape *data = &run->in[0]->shape, *indices = &run->in[1]->shape;
	int64_t batch = ((const gather_nd_params *)run->params)->batch_dims;
	int64_t *index;
	if (batch < 0 || batch >= data->rank || batch >= indices->rank || indices->dims[indices->rank - 1] > data->rank - batch)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: data and indices do not go together", run->op->name);
	for (int d = 0; d < batch; d++)
		if (data->dims[d] != indices->dims[d])
			return ovl_fail(run->err, OVL_E_SHAPE, "%s: data and indices differ in batch dimension %d", run->op->name, d);
	if (ovl_tensor_count(run->out[0]) == 0)
		return OVL_OK;
	OVL_TRY(ovl_run_indices(run, 1, &index));
	ovl_status status = pick(run, (int)batch, index);
	ovl_free(index);
	return status;
}

static const ovl_attr attrs[] = {OVL_ATTR_INT(gather_nd_params, batch_dims, "0"), OVL_ATTR_END};
static const ovl_op gather_nd_v5 = {.name = "GatherND", .factory = "gather_nd", .since = 5, .until = 7, .min_inputs = 2, .max_inputs = 2, .outputs = 1,
	.inputs = "data indices", .params_size = sizeof(gather_nd_params), .attrs = attrs, .infer = infer, .run = gather_nd_run};
static const ovl_op gather_nd_v8 = {.name = "GatherND", .factory = "gather_nd", .since = 8, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "data indices",
	.params_size = sizeof(gather_nd_params), .attrs = attrs, .infer = infer, .run = gather_nd_run};

const ovl_op *const ovl_ops_gather_nd[] = {&gather_nd_v5, &gather_nd_v8, NULL};
