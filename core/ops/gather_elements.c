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

typedef struct row {
	ovl_run *run;
	const int64_t *index;
	int64_t to, from, from_step, n; /* first result and its element at index 0; elements of the row */
	int64_t size, stride; /* of the axis */
} row;

static ovl_status check_row(const row *r)
{
	for (int64_t i = 0; i < r->n; i++)
		if (r->index[r->to + i] >= r->size || r->index[r->to + i] < -r->size)
			return ovl_fail(r->run->err, OVL_E_ARGUMENT, "%s: index %lld (element %lld of the indices) is outside of a dimension of size %lld", r->run->op->name,
				(long long)r->index[r->to + i], (long long)(r->to + i), (long long)r->size);
	return OVL_OK;
}

static int64_t place_of(const row *r, int64_t i)
{
	int64_t k = r->index[r->to + i];
	return r->from + i * r->from_step + (k < 0 ? k + r->size : k) * r->stride;
}

#define PICK(T)                                                                                                 \
	for (int64_t i = 0; i < r->n; i++)                                                                      \
	((T *)r->run->out[0]->data)[r->to + i] = ((const T *)r->run->in[0]->data)[place_of(r, i)]
static ovl_status pick_row(const row *r)
{
	if (r->run->out[0]->type == OVL_STRING) {
		for (int64_t i = 0; i < r->n; i++)
			OVL_TRY(ovl_move_row(r->run, r->run->out[0], r->to + i, r->run->in[0], place_of(r, i), 1));
		return OVL_OK;
	}
	switch (ovl_type_size(r->run->out[0]->type)) {
	case 1: PICK(uint8_t); break;
	case 2: PICK(uint16_t); break;
	case 4: PICK(uint32_t); break;
	default: PICK(uint64_t); break;
	}
	return OVL_OK;
}

/* The walk goes over the indices; the data is followed in all dimensions but the axis, where the index tells. */
static ovl_status pick(ovl_run *run, const int64_t *index, int axis)
{
	const ovl_shape *shape = &run->in[1]->shape;
	int64_t from[OVL_MAX_RANK], at[OVL_MAX_RANK];
	ovl_dense_strides(&run->in[0]->shape, from);
	ovl_dense_strides(shape, at);
	row r = {.run = run, .index = index, .size = run->in[0]->shape.dims[axis], .stride = from[axis]};
	from[axis] = 0;
	ovl_walk w;
	ovl_walk_start(&w, shape, 2, (const int64_t *const[]){from, at});
	for (; !w.done; ovl_walk_next(&w)) {
		OVL_RUN_CHECK_CANCEL(run);
		r.to = w.pos[1], r.from = w.pos[0], r.from_step = w.step[0], r.n = w.inner;
		OVL_TRY(check_row(&r));
		OVL_TRY(pick_row(&r));
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
