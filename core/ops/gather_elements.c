/* gather_elements.c - GatherElements: out[.., i, ..] = data[.., indices[.., i, ..], ..]. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"
#include "ops/support_walk.h"

typedef struct gather_elements_params {
	int64_t axis;
} gather_elements_params;

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *data = &in->in_shape[0], *indices = &in->in_shape[1];
	ovl_pshape out = *indices;
	int axis = 0;
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_INDEX));
	if (data->ranked)
		OVL_TRY(ovl_axis(((const gather_elements_params *)in->params)->axis, data->rank, in->op->name, &axis, in->err));
	if (data->ranked && indices->ranked && data->rank != indices->rank)
		return ovl_infer_fail(in, OVL_E_SHAPE, "the data has %d dimensions, the indices have %d", data->rank, indices->rank);
	if (data->ranked && !indices->ranked) {
		out = *data;
		out.dims[axis] = OVL_DIM_ANY;
	}
	for (int d = 0; data->ranked && indices->ranked && d < data->rank; d++)
		if (d != axis && !ovl_dim_merge(data->dims[d], indices->dims[d], &out.dims[d]))
			return ovl_infer_fail(in, OVL_E_SHAPE, "data and indices differ in dimension %d", d);
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* The walk goes over the indices; the data is followed in all dimensions but the axis, where the index tells. */
static ovl_status pick(ovl_run *run, const int64_t *index, int axis)
{
	const ovl_shape *shape = &run->in[1]->shape;
	int64_t size = run->in[0]->shape.dims[axis], from[OVL_MAX_RANK], at[OVL_MAX_RANK];
	ovl_dense_strides(&run->in[0]->shape, from);
	ovl_dense_strides(shape, at);
	int64_t stride = from[axis];
	from[axis] = 0;
	ovl_walk w;
	ovl_walk_start(&w, shape, 2, (const int64_t *const[]){from, at});
	for (; !w.done; ovl_walk_next(&w))
		for (int64_t i = 0; i < w.inner; i++) {
			int64_t to = w.pos[1] + i, k = index[to];
			if (k >= size || k < -size)
				return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: index %lld (element %lld of the indices) is outside of a dimension of size %lld", run->op->name, (long long)k,
					(long long)to, (long long)size);
			OVL_TRY(ovl_move_row(run, run->out[0], to, run->in[0], w.pos[0] + i * w.step[0] + (k < 0 ? k + size : k) * stride, 1));
		}
	return OVL_OK;
}

static ovl_status gather_elements_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, gather_elements_run);
	const ovl_shape *data = &run->in[0]->shape, *indices = &run->in[1]->shape;
	int64_t *index;
	int axis;
	OVL_TRY(ovl_axis(((const gather_elements_params *)run->params)->axis, data->rank, run->op->name, &axis, run->err));
	for (int d = 0; d < data->rank; d++)
		if (data->rank != indices->rank || (d != axis && indices->dims[d] != data->dims[d]))
			return ovl_fail(run->err, OVL_E_SHAPE, "%s: data and indices do not go together", run->op->name);
	OVL_TRY(ovl_run_indices(run, 1, &index));
	ovl_status status = pick(run, index, axis);
	ovl_free(index);
	return status;
}

static const ovl_attr attrs[] = {OVL_ATTR_INT(gather_elements_params, axis, "0"), OVL_ATTR_END};
static const ovl_op gather_elements = {.name = "GatherElements", .since = 6, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "data indices",
	.params_size = sizeof(gather_elements_params), .attrs = attrs, .infer = infer, .run = gather_elements_run};

const ovl_op *const ovl_ops_gather_elements[] = {&gather_elements, NULL};
