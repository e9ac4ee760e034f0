/* gather.c - Gather: slices of the data along an axis, picked by indices. Version 8 takes indices below 0 as counting from the end. */
#include "ops/gather.h"
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"

/* batch_dims of version 1 do not exist: it has no params. */
static int64_t batch_dims(const ovl_op *op, const void *params) { return op->params_size ? ((const ovl_gather_params *)params)->batch_dims : 0; }

static ovl_status check_batch(ovl_infer *in, int64_t batch)
{
	const ovl_pshape *data = &in->in_shape[0], *indices = &in->in_shape[1];
	if (batch < 0 || (indices->ranked && batch > indices->rank) || (data->ranked && batch >= data->rank + (data->rank == 0)))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "batch_dims %lld does not fit the ranks", (long long)batch);
	for (int d = 0; data->ranked && indices->ranked && d < batch; d++) {
		ovl_dim merged;
		if (!ovl_dim_merge(data->dims[d], indices->dims[d], &merged))
			return ovl_infer_fail(in, OVL_E_SHAPE, "data and indices differ in batch dimension %d", d);
	}
	return OVL_OK;
}

static ovl_status gather_infer(ovl_infer *in)
{
	const ovl_pshape *data = &in->in_shape[0], *indices = &in->in_shape[1];
	int64_t batch = batch_dims(in->op, in->params);
	ovl_pshape out = ovl_pshape_any();
	bool known;
	int axis;
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_type_in(in, 2, OVL_MASK_WHOLE));
	if (batch < 0 && indices->ranked)
		batch += indices->rank;
	if (data->ranked && data->rank == 0)
		return ovl_infer_fail(in, OVL_E_SHAPE, "the data is a scalar, there is nothing to pick from");
	if (batch >= 0 || indices->ranked)
		OVL_TRY(check_batch(in, batch));
	if (!data->ranked || !indices->ranked) {
		ovl_infer_out(in, 0, in->in_type[0], &out);
		return OVL_OK;
	}
	OVL_TRY(ovl_infer_axis(in, 2, data->rank, &known, &axis));
	if (known && axis < batch)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "axis %d lies before batch_dims %lld", axis, (long long)batch);
	if (!known)
		OVL_TRY(ovl_infer_open(in, data->rank + indices->rank - 1 - batch, &out));
	else {
		out = ovl_pshape_rank(0);
		for (int d = 0; d < axis; d++)
			OVL_TRY(ovl_infer_push(in, &out, data->dims[d]));
		for (int d = (int)batch; d < indices->rank; d++)
			OVL_TRY(ovl_infer_push(in, &out, indices->dims[d]));
		for (int d = axis + 1; d < data->rank; d++)
			OVL_TRY(ovl_infer_push(in, &out, data->dims[d]));
	}
	for (int d = 0; d < batch; d++) {
		ovl_dim merged = OVL_DIM_ANY;
		if (ovl_dim_merge(data->dims[d], indices->dims[d], &merged) && known)
			out.dims[d] = merged;
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

typedef struct geometry {
	int64_t batch, outer, size, inner, picks; /* data is [batch, outer, size, inner], indices [batch, picks] */
} geometry;

static ovl_status measure(ovl_run *run, geometry *g)
{
	const ovl_shape *data = &run->in[0]->shape, *indices = &run->in[1]->shape;
	int64_t batch = batch_dims(run->op, run->params);
	int axis;
	if (batch < 0)
		batch += indices->rank;
	OVL_TRY(ovl_run_axis(run, 2, data->rank, &axis));
	if (batch < 0 || batch > axis || batch > indices->rank)
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: batch_dims %lld does not fit the ranks", run->op->name, (long long)batch);
	g->batch = ovl_dims_product(data, 0, (int)batch);
	g->outer = ovl_dims_product(data, (int)batch, axis);
	g->size = data->dims[axis];
	g->inner = ovl_dims_product(data, axis + 1, data->rank);
	g->picks = ovl_dims_product(indices, (int)batch, indices->rank);
	if (ovl_dims_product(indices, 0, (int)batch) != g->batch)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: data and indices differ in their batch dimensions", run->op->name);
	return OVL_OK;
}

static ovl_status bad_index(ovl_run *run, int64_t at, int64_t index, int64_t size)
{
	return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: index %lld (element %lld of the indices) is outside of a dimension of size %lld", run->op->name, (long long)index,
		(long long)at, (long long)size);
}

static ovl_status check_indices(ovl_run *run, int64_t *index, int64_t size)
{
	int64_t n = ovl_tensor_count(run->in[1]);
	bool from_end = run->op->since >= 8;
	for (int64_t i = 0; i < n; i++) {
		if (index[i] >= size || index[i] < (from_end ? -size : 0))
			return bad_index(run, i, index[i], size);
		index[i] += index[i] < 0 ? size : 0;
	}
	return OVL_OK;
}

static ovl_status gather_all(ovl_run *run, const geometry *g, const int64_t *index)
{
	int64_t to = 0;
	for (int64_t b = 0; b < g->batch; b++)
		for (int64_t o = 0; o < g->outer; o++) {
			int64_t base = (b * g->outer + o) * g->size;
			for (int64_t i = 0; i < g->picks; i++, to += g->inner)
				OVL_TRY(ovl_move_row(run, run->out[0], to, run->in[0], (base + index[b * g->picks + i]) * g->inner, g->inner));
		}
	return OVL_OK;
}

static ovl_status gather_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, gather_run);
	geometry g = {0};
	int64_t *index;
	OVL_TRY(measure(run, &g));
	if (ovl_tensor_count(run->out[0]) != g.batch * g.outer * g.picks * g.inner)
		return ovl_fail(run->err, OVL_E_INTERNAL, "%s: the output has another size than what is picked", run->op->name);
	if (ovl_tensor_count(run->out[0]) == 0) /* one of the loops might be endless */
		return OVL_OK;
	OVL_TRY(ovl_run_indices(run, 1, &index));
	ovl_status status = check_indices(run, index, g.size);
	if (status == OVL_OK)
		status = gather_all(run, &g, index);
	ovl_free(index);
	return status;
}

static const ovl_attr attrs[] = {OVL_ATTR_INT(ovl_gather_params, batch_dims, "0"), OVL_ATTR_END};
static const ovl_op gather_v1 = {.name = "Gather", .since = 1, .until = 6, .min_inputs = 3, .max_inputs = 3, .outputs = 1, .inputs = "data indices axis",
	.infer = gather_infer, .run = gather_run};
static const ovl_op gather_v7 = {.name = "Gather", .since = 7, .until = 7, .min_inputs = 3, .max_inputs = 3, .outputs = 1, .inputs = "data indices axis",
	.params_size = sizeof(ovl_gather_params), .attrs = attrs, .infer = gather_infer, .run = gather_run};
static const ovl_op gather_v8 = {.name = "Gather", .since = 8, .min_inputs = 3, .max_inputs = 3, .outputs = 1, .inputs = "data indices axis",
	.params_size = sizeof(ovl_gather_params), .attrs = attrs, .infer = gather_infer, .run = gather_run};

const ovl_op *const ovl_ops_gather[] = {&gather_v1, &gather_v7, &gather_v8, NULL};
