/* roll.c - Roll: elements shifted along axes; what falls off at the end comes back at the front. */
#include "ops/support_axes.h"
#include "ops/support_move.h"

enum { LIST = 256 }; /* axes may be given more than once: their shifts add up */

static ovl_status infer(ovl_infer *in)
{
	ovl_dim shifts, axes;
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_INDEX));
	OVL_TRY(ovl_infer_type_in(in, 2, OVL_MASK_INDEX));
	OVL_TRY(ovl_infer_length(in, 1, &shifts));
	OVL_TRY(ovl_infer_length(in, 2, &axes));
	/* A scalar shift is for all axes. */
	if (in->in_shape[1].ranked && in->in_shape[1].rank == 1 && !ovl_dim_merge(shifts, axes, &shifts) && !(shifts.min <= 1 && shifts.max >= 1))
		return ovl_infer_fail(in, OVL_E_SHAPE, "shift and axes must be of one length");
	if (in->in_value[2] && in->in_shape[0].ranked)
		for (int64_t i = 0; i < ovl_tensor_count(in->in_value[2]); i++) {
			int axis;
			OVL_TRY(ovl_axis(ovl_tensor_i64_at(in->in_value[2], i), in->in_shape[0].rank, in->op->name, &axis, in->err));
		}
	return ovl_infer_same(in);
}

static ovl_status total_shifts(ovl_run *run, int64_t *total)
{
	const ovl_shape *s = &run->in[0]->shape;
	int64_t shifts[LIST], axes[LIST], n, m;
	OVL_TRY(ovl_run_ints(run, 1, shifts, LIST, &n));
	OVL_TRY(ovl_run_ints(run, 2, axes, LIST, &m));
	if (n != m && n != 1)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: shift and axes must be of one length", run->op->name);
	for (int64_t k = 0; k < m; k++) {
		int d;
		OVL_TRY(ovl_axis(axes[k], s->rank, run->op->name, &d, run->err));
		if (s->dims[d] > 0)
			total[d] = ((total[d] + shifts[n == 1 ? 0 : k] % s->dims[d]) % s->dims[d] + s->dims[d]) % s->dims[d];
	}
	return OVL_OK;
}

/* Each rolled dimension falls into two parts; all combinations of parts are moved. */
static ovl_status roll_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, roll_run);
	int64_t total[OVL_MAX_RANK] = {0};
	int rank = run->in[0]->shape.rank;
	OVL_TRY(total_shifts(run, total));
	for (int parts = 0; parts < 1 << rank; parts++) {
		ovl_place from = ovl_place_of(run->in[0]), to = ovl_place_of(run->out[0]);
		ovl_shape shape = run->in[0]->shape;
		bool empty = false;
		for (int d = 0; d < rank; d++) {
			int64_t stay = shape.dims[d] - total[d];
			bool wrapped = parts >> d & 1;
			shape.dims[d] = wrapped ? total[d] : stay;
			empty = empty || shape.dims[d] == 0;
			(wrapped ? &from : &to)->at += (wrapped ? stay : total[d]) * from.strides[d];
		}
		if (!empty)
			OVL_TRY(ovl_move(run, &to, &from, &shape));
	}
	return OVL_OK;
}

static const ovl_op roll = {.name = "Roll", .since = 7, .min_inputs = 3, .max_inputs = 3, .outputs = 1, .inputs = "data shift axes", .infer = infer, .run = roll_run};

const ovl_op *const ovl_ops_roll[] = {&roll, NULL};
