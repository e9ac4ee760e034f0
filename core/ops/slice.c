/* slice.c - Slice, and SliceScatter, which writes where Slice reads. */
#include "ops/support_axes.h"
#include "ops/support_move.h"
#include "ops/support_slice.h"

enum { LIST = OVL_MAX_RANK * 2 };

/* Where start, stop, step and axes are among the inputs. */
enum { SLICE_START = 1, SCATTER_START = 2 };

static ovl_status same_lengths(ovl_infer *in, int first, int count, ovl_dim *length)
{
	*length = OVL_DIM_ANY;
	for (int i = first; i < first + count; i++) {
		ovl_dim d;
		OVL_TRY(ovl_infer_type_in(in, i, OVL_MASK_WHOLE));
		OVL_TRY(ovl_infer_length(in, i, &d));
		if (!ovl_dim_merge(*length, d, length))
			return ovl_infer_fail(in, OVL_E_SHAPE, "start, stop, step and axes must be of one length");
	}
	return OVL_OK;
}

/* What is known of axes: which[k] is the dimension of entry k. */
static ovl_status slice_axes(ovl_infer *in, int axes_input, int rank, int64_t length, bool *known, int *which)
{
	int count;
	if (axes_input < in->n_in) {
		OVL_TRY(ovl_infer_axes(in, axes_input, rank, known, which, &count));
		return OVL_OK;
	}
	*known = true;
	if (length > rank)
		return ovl_infer_fail(in, OVL_E_SHAPE, "there are %lld starts for %d dimensions", (long long)length, rank);
	for (int k = 0; k < length; k++)
		which[k] = k;
	return OVL_OK;
}

static ovl_status slice_shape(ovl_infer *in, int first, ovl_pshape *out)
{
	const ovl_pshape *data = &in->in_shape[0];
	int64_t value[3][LIST];
	bool known[3], axes_known;
	int which[LIST], count;
	ovl_dim length;
	*out = *data;
	OVL_TRY(same_lengths(in, first, in->n_in - first, &length));
	if (!data->ranked)
		return OVL_OK;
	for (int i = 0; i < 3; i++)
		OVL_TRY(ovl_infer_ints(in, first + i, &known[i], value[i], LIST, &count));
	if (!ovl_dim_static(length)) {
		for (int d = 0; d < data->rank; d++)
			out->dims[d].min = 0;
		return OVL_OK;
	}
	OVL_TRY(slice_axes(in, first + 3, data->rank, length.min, &axes_known, which));
	for (int64_t k = 0; known[2] && k < length.min; k++)
		if (value[2][k] == 0)
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "step %lld is zero", (long long)k);
	for (int d = 0; !axes_known && d < data->rank; d++)
		out->dims[d].min = 0;
	for (int64_t k = 0; axes_known && k < length.min; k++) {
		ovl_dim *d = &out->dims[which[k]];
		*d = known[0] && known[1] && known[2] ? ovl_slice_dim(*d, value[0][k], value[1][k], value[2][k]) : (ovl_dim){0, d->max};
	}
	return OVL_OK;
}

static ovl_status slice_infer(ovl_infer *in)
{
	ovl_pshape out;
	OVL_TRY(slice_shape(in, SLICE_START, &out));
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* Where the slice lies in tensor t, and how large it is. */
static ovl_status locate(ovl_run *run, int first, ovl_tensor *t, ovl_place *place, ovl_shape *shape)
{
	int64_t value[3][LIST], count[3];
	int axes[OVL_MAX_RANK], n_axes;
	*place = ovl_place_of(t);
	*shape = t->shape;
	for (int i = 0; i < 3; i++)
		OVL_TRY(ovl_run_ints(run, first + i, value[i], LIST, &count[i]));
	if (first + 3 < run->n_in)
		OVL_TRY(ovl_run_axes(run, first + 3, t->shape.rank, axes, &n_axes));
	else
		for (n_axes = 0; n_axes < count[0] && n_axes < t->shape.rank; n_axes++)
			axes[n_axes] = n_axes;
	if (count[0] != n_axes || count[1] != n_axes || count[2] != n_axes)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: start, stop, step and axes must be of one length", run->op->name);
	for (int k = 0; k < n_axes; k++) {
		if (value[2][k] == 0)
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: step %d is zero", run->op->name, k);
		ovl_cut c = ovl_slice_cut(t->shape.dims[axes[k]], value[0][k], value[1][k], value[2][k]);
		shape->dims[axes[k]] = c.count;
		if (c.count == 0)
			continue;
		place->at += c.first * place->strides[axes[k]];
		place->strides[axes[k]] *= c.count > 1 ? c.step : 1;
	}
	return OVL_OK;
}

static ovl_status slice_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, slice_run);
	ovl_place from, to = ovl_place_of(run->out[0]);
	ovl_shape shape;
	OVL_TRY(locate(run, SLICE_START, run->in[0], &from, &shape));
	if (!ovl_shape_equal(&shape, &run->out[0]->shape))
		return ovl_fail(run->err, OVL_E_INTERNAL, "%s: the output has another shape than the slice", run->op->name);
	return ovl_move(run, &to, &from, &shape);
}

static const ovl_op slice = {.name = "Slice", .since = 8, .min_inputs = 4, .max_inputs = 5, .outputs = 1, .inputs = "data start stop step axes", .infer = slice_infer,
	.run = slice_run};

/* ---- SliceScatter ---- */

static ovl_status scatter_infer(ovl_infer *in)
{
	ovl_pshape slice_of, merged;
	ovl_type type;
	char a[200], b[200];
	OVL_TRY(ovl_infer_merge_types(in, 0, 1, &type));
	OVL_TRY(slice_shape(in, SCATTER_START, &slice_of));
	if (!ovl_pshape_merge(&slice_of, &in->in_shape[1], &merged))
		return ovl_infer_fail(in, OVL_E_SHAPE, "the updates have shape %s, the slice %s", ovl_pshape_text(&in->in_shape[1], a, sizeof a),
			ovl_pshape_text(&slice_of, b, sizeof b));
	ovl_infer_out(in, 0, type, &in->in_shape[0]);
	return OVL_OK;
}

static ovl_status scatter_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, scatter_run);
	ovl_place to, from = ovl_place_of(run->in[1]);
	ovl_shape shape;
	char a[200], b[200];
	OVL_TRY(ovl_move_row(run, run->out[0], 0, run->in[0], 0, ovl_tensor_count(run->in[0])));
	OVL_TRY(locate(run, SCATTER_START, run->out[0], &to, &shape));
	if (!ovl_shape_equal(&shape, &run->in[1]->shape))
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: the updates have shape %s, the slice %s", run->op->name, ovl_shape_text(&run->in[1]->shape, a, sizeof a),
			ovl_shape_text(&shape, b, sizeof b));
	return ovl_move(run, &to, &from, &shape);
}

static const ovl_op slice_scatter = {.name = "SliceScatter", .since = 15, .min_inputs = 5, .max_inputs = 6, .outputs = 1, .inputs = "data updates start stop step axes",
	.infer = scatter_infer, .run = scatter_run};

const ovl_op *const ovl_ops_slice[] = {&slice, &slice_scatter, NULL};
