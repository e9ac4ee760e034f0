/* concat.c - Concat: inputs one behind the other along an axis. */
#include "ops/concat.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"

static ovl_status infer(ovl_infer *in)
{
	ovl_pshape out = ovl_pshape_any();
	ovl_type type;
	ovl_dim sum = ovl_dim_of(0);
	int axis = 0;
	OVL_TRY(ovl_infer_input_types(in, 0, in->n_in, &type));
	for (int i = 0; i < in->n_in; i++) {
		const ovl_pshape *s = &in->in_shape[i];
		ovl_pshape rest = *s;
		char a[200], b[200];
		if (!s->ranked) {
			sum = ovl_dim_add(sum, OVL_DIM_ANY);
			continue;
		}
		OVL_TRY(ovl_axis(((const ovl_concat_params *)in->params)->axis, s->rank, in->op->name, &axis, in->err));
		sum = ovl_dim_add(sum, s->dims[axis]);
		rest.dims[axis] = OVL_DIM_ANY;
		if (!ovl_pshape_merge(&out, &rest, &out))
			return ovl_infer_fail(in, OVL_E_SHAPE, "input %d has shape %s, which does not go with %s", i, ovl_pshape_text(s, a, sizeof a), ovl_pshape_text(&out, b, sizeof b));
	}
	if (out.ranked)
		out.dims[axis] = sum;
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

static ovl_status concat_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, concat_run);
	ovl_tensor *out = run->out[0];
	int axis;
	OVL_TRY(ovl_axis(((const ovl_concat_params *)run->params)->axis, out->shape.rank, run->op->name, &axis, run->err));
	ovl_place to = ovl_place_of(out);
	for (int i = 0; i < run->n_in; i++) {
		ovl_place from = ovl_place_of(run->in[i]);
		OVL_TRY(ovl_move(run, &to, &from, &run->in[i]->shape));
		to.at += run->in[i]->shape.dims[axis] * to.strides[axis];
	}
	return OVL_OK;
}

static const ovl_attr attrs[] = {OVL_ATTR_INT(ovl_concat_params, axis, NULL), OVL_ATTR_END};
static const ovl_op concat = {.name = "Concat", .since = 1, .min_inputs = 1, .max_inputs = -1, .outputs = 1, .inputs = "nodes...", .params_size = sizeof(ovl_concat_params),
	.attrs = attrs, .infer = infer, .run = concat_run};

const ovl_op *const ovl_ops_concat[] = {&concat, NULL};
