/* gather_tree.c - GatherTree: full beams of a beam search from the ids and parents of each step. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "tensor/convert.h"

static ovl_status infer(ovl_infer *in)
{
	ovl_pshape out;
	ovl_type type;
	ovl_dim batch = OVL_DIM_ANY;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC));
	OVL_TRY(ovl_infer_input_types(in, 0, 4, &type));
	OVL_TRY(ovl_infer_rank(in, 0, 3, 3));
	OVL_TRY(ovl_infer_rank(in, 1, 3, 3));
	OVL_TRY(ovl_infer_rank(in, 2, 1, 1));
	OVL_TRY(ovl_infer_rank(in, 3, 0, 0));
	if (!ovl_pshape_merge(&in->in_shape[0], &in->in_shape[1], &out))
		return ovl_infer_fail(in, OVL_E_SHAPE, "step_ids and parent_idx must be of one shape");
	if (out.ranked && in->in_shape[2].ranked && !ovl_dim_merge(out.dims[1], in->in_shape[2].dims[0], &batch))
		return ovl_infer_fail(in, OVL_E_SHAPE, "max_seq_len must have one element for each batch");
	if (out.ranked && in->in_shape[2].ranked)
		out.dims[1] = batch;
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

typedef struct tree {
	int64_t steps, batch, beams, end;
	const int64_t *id, *parent, *length;
	int64_t *out;
} tree;

/* Walks one beam from its last step to the first. */
static ovl_status climb(ovl_run *run, const tree *t, int64_t b, int64_t beam)
{
	int64_t last = t->length[b] < t->steps ? t->length[b] : t->steps, parent = beam;
	if (last <= 0)
		return OVL_OK;
	for (int64_t s = last - 1; s >= 0; s--) {
		int64_t row = (s * t->batch + b) * t->beams;
		if (parent < 0 || parent >= t->beams)
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: parent %lld of batch %lld at step %lld is not one of the %lld beams", run->op->name, (long long)parent, (long long)b,
				(long long)s, (long long)t->beams);
		t->out[row + beam] = t->id[row + parent];
		parent = t->parent[row + parent];
	}
	for (int64_t s = 0, over = 0; s < last; s++) {
		int64_t *v = &t->out[(s * t->batch + b) * t->beams + beam];
		if (over)
			*v = t->end;
		over = over || *v == t->end;
	}
	return OVL_OK;
}

static ovl_status climb_all(ovl_run *run, tree *t)
{
	for (int64_t i = 0; i < t->steps * t->batch * t->beams; i++)
		t->out[i] = t->end;
	for (int64_t b = 0; b < t->batch; b++) {
		OVL_RUN_CHECK_CANCEL(run);
		for (int64_t beam = 0; beam < t->beams; beam++)
			OVL_TRY(climb(run, t, b, beam));
	}
	ovl_convert(OVL_I64, t->out, 0, run->out[0]->type, run->out[0]->data, 0, t->steps * t->batch * t->beams, true);
	return OVL_OK;
}

static ovl_status gather_tree_run(ovl_run *run)
{
	const ovl_shape *s = &run->in[0]->shape;
	int64_t *list[4] = {NULL};
	ovl_status status = OVL_OK;
	if (!ovl_shape_equal(s, &run->in[1]->shape) || s->rank != 3 || ovl_tensor_count(run->in[2]) != s->dims[1] || ovl_tensor_count(run->in[3]) != 1)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: the inputs do not go together", run->op->name);
	if (ovl_tensor_count(run->out[0]) == 0)
		return OVL_OK;
	for (int i = 0; i < 4 && status == OVL_OK; i++)
		status = ovl_run_indices(run, i < 3 ? i : 0, &list[i]);
	if (status == OVL_OK) {
		tree t = {s->dims[0], s->dims[1], s->dims[2], ovl_tensor_i64_at(run->in[3], 0), list[0], list[1], list[2], list[3]};
		status = climb_all(run, &t);
	}
	for (int i = 0; i < 4; i++)
		ovl_free(list[i]);
	return status;
}

static const ovl_op gather_tree = {.name = "GatherTree", .since = 1, .min_inputs = 4, .max_inputs = 4, .outputs = 1, .inputs = "step_ids parent_idx max_seq_len end_token",
	.infer = infer, .run = gather_tree_run};

const ovl_op *const ovl_ops_gather_tree[] = {&gather_tree, NULL};
