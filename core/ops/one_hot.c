/* one_hot.c - OneHot: each index becomes a row of `depth` elements, on_value where the index points, off_value elsewhere. Indices outside of the row leave it off. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"

typedef struct one_hot_params {
	int64_t axis;
} one_hot_params;

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *indices = &in->in_shape[0];
	ovl_pshape out = ovl_pshape_any();
	ovl_type type;
	bool known, dummy;
	int64_t depth, value;
	int axis;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_merge_types(in, 2, 3, &type));
	OVL_TRY(ovl_infer_scalar(in, 1, &known, &depth));
	OVL_TRY(ovl_infer_scalar(in, 2, &dummy, &value));
	OVL_TRY(ovl_infer_scalar(in, 3, &dummy, &value));
	if (known && depth < 0)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "depth is %lld", (long long)depth);
	if (indices->ranked) {
		OVL_TRY(ovl_infer_open(in, indices->rank + 1, &out));
		OVL_TRY(ovl_axis(((const one_hot_params *)in->params)->axis, out.rank, in->op->name, &axis, in->err));
		for (int d = 0, from = 0; d < out.rank; d++)
			out.dims[d] = d != axis ? indices->dims[from++] : known ? ovl_dim_of(depth) : OVL_DIM_ANY;
	}
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

static ovl_status light(ovl_run *run, const int64_t *index, int axis)
{
	const ovl_shape *indices = &run->in[0]->shape;
	int64_t outer = ovl_dims_product(indices, 0, axis), inner = ovl_dims_product(indices, axis, indices->rank), depth = run->out[0]->shape.dims[axis];
	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < inner; i++) {
			int64_t k = index[o * inner + i];
			if (k >= 0 && k < depth)
				OVL_TRY(ovl_move_row(run, run->out[0], (o * depth + k) * inner + i, run->in[2], 0, 1));
		}
	return OVL_OK;
}

static ovl_status one_hot_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, one_hot_run);
	int64_t *index;
	int axis;
	for (int i = 1; i < 4; i++)
		if (ovl_tensor_count(run->in[i]) != 1)
			return ovl_fail(run->err, OVL_E_SHAPE, "%s: input %d must be a scalar", run->op->name, i);
	OVL_TRY(ovl_axis(((const one_hot_params *)run->params)->axis, run->out[0]->shape.rank, run->op->name, &axis, run->err));
	if (ovl_tensor_count(run->out[0]) == 0)
		return OVL_OK;
	OVL_TRY(ovl_move_fill(run, run->out[0], run->in[3], 0));
	OVL_TRY(ovl_run_indices(run, 0, &index));
	ovl_status status = light(run, index, axis);
	ovl_free(index);
	return status;
}

static const ovl_attr attrs[] = {OVL_ATTR_INT(one_hot_params, axis, NULL), OVL_ATTR_END};
static const ovl_op one_hot = {.name = "OneHot", .since = 1, .min_inputs = 4, .max_inputs = 4, .outputs = 1, .inputs = "indices depth on_value off_value",
	.params_size = sizeof(one_hot_params), .attrs = attrs, .infer = infer, .run = one_hot_run};

const ovl_op *const ovl_ops_one_hot[] = {&one_hot, NULL};
