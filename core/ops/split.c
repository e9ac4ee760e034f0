/* split.c - Split (equal parts) and VariadicSplit (parts of given lengths). */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"

typedef struct split_params {
	int64_t num_splits;
} split_params;

static ovl_status split_infer(ovl_infer *in)
{
	int64_t parts = ((const split_params *)in->params)->num_splits;
	ovl_pshape out = in->in_shape[0];
	bool known;
	int axis;
	if (parts < 1 || parts > 1024)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "num_splits is %lld, expected 1 to 1024", (long long)parts);
	OVL_TRY(ovl_infer_set_outputs(in, (int)parts));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE));
	if (out.ranked) {
		OVL_TRY(ovl_infer_axis(in, 1, out.rank, &known, &axis));
		ovl_dim d = known ? out.dims[axis] : OVL_DIM_ANY;
		if (known && ovl_dim_static(d) && d.min % parts)
			return ovl_infer_fail(in, OVL_E_SHAPE, "dimension %d has size %lld, which cannot be split into %lld equal parts", axis, (long long)d.min, (long long)parts);
		if (known)
			out.dims[axis] = (ovl_dim){d.min / parts + (d.min % parts != 0), d.max == OVL_DIM_MAX ? d.max : d.max / parts};
		else
			out = ovl_pshape_rank(out.rank);
	}
	for (int i = 0; i < in->n_out; i++)
		ovl_infer_out(in, i, in->in_type[0], &out);
	return OVL_OK;
}

/* Parts from the front to the back of `axis`; their sizes are those of the outputs. */
static ovl_status split_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, split_run);
	int axis;
	int64_t end = 0;
	OVL_TRY(ovl_run_axis(run, 1, run->in[0]->shape.rank, &axis));
	ovl_place from = ovl_place_of(run->in[0]);
	for (int i = 0; i < run->n_out; i++) {
		ovl_place to = ovl_place_of(run->out[i]);
		end += run->out[i]->shape.dims[axis];
		if (end > run->in[0]->shape.dims[axis])
			return ovl_fail(run->err, OVL_E_SHAPE, "%s: the parts are longer than dimension %d", run->op->name, axis);
		OVL_TRY(ovl_move(run, &to, &from, &run->out[i]->shape));
		from.at += run->out[i]->shape.dims[axis] * from.strides[axis];
	}
	return OVL_OK;
}

static const ovl_attr split_attrs[] = {OVL_ATTR_INT(split_params, num_splits, NULL), OVL_ATTR_END};
static const ovl_op split = {.name = "Split", .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = -1, .inputs = "data axis", .params_size = sizeof(split_params),
	.attrs = split_attrs, .infer = split_infer, .run = split_run};

/* ---- VariadicSplit: one length may be -1, what is left ---- */

static ovl_status check_lengths(ovl_infer *in, const int64_t *lengths, int n, ovl_dim whole, ovl_dim *left)
{
	int64_t sum = 0;
	int open = 0;
	for (int i = 0; i < n; i++) {
		if (lengths[i] < -1 || (lengths[i] == -1 && open++) || __builtin_add_overflow(sum, lengths[i] == -1 ? 0 : lengths[i], &sum))
			return ovl_infer_fail(in, OVL_E_SHAPE, "length %d is %lld; lengths are 0 or more, and one may be -1", i, (long long)lengths[i]);
	}
	if (sum > whole.max || (!open && sum < whole.min))
		return ovl_infer_fail(in, OVL_E_SHAPE, "the lengths make %lld, the dimension has size %lld", (long long)sum, (long long)(sum > whole.max ? whole.max : whole.min));
	*left = (ovl_dim){whole.min > sum ? whole.min - sum : 0, whole.max == OVL_DIM_MAX ? whole.max : whole.max - sum};
	return OVL_OK;
}

static ovl_status variadic_shapes(ovl_infer *in, int64_t *lengths, int n)
{
	const ovl_pshape *data = &in->in_shape[0];
	ovl_pshape out = *data;
	ovl_dim left = OVL_DIM_ANY;
	bool known = false, sizes = in->in_value[2] != NULL;
	int axis = 0;
	int64_t count;
	if (sizes)
		OVL_TRY(ovl_tensor_to_i64(in->in_value[2], lengths, n, &count, in->err));
	if (data->ranked)
		OVL_TRY(ovl_infer_axis(in, 1, data->rank, &known, &axis));
	if (sizes)
		OVL_TRY(check_lengths(in, lengths, n, known ? data->dims[axis] : OVL_DIM_ANY, &left));
	for (int i = 0; i < n; i++) {
		if (data->ranked && !known)
			out = ovl_pshape_rank(data->rank);
		else if (data->ranked)
			out.dims[axis] = !sizes ? (ovl_dim){0, data->dims[axis].max} : lengths[i] == -1 ? left : ovl_dim_of(lengths[i]);
		ovl_infer_out(in, i, in->in_type[0], &out);
	}
	return OVL_OK;
}

static ovl_status variadic_infer(ovl_infer *in)
{
	ovl_dim n;
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_type_in(in, 2, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_length(in, 2, &n));
	if (!ovl_dim_static(n)) {
		if (in->in_value[2])
			n = ovl_dim_of(ovl_tensor_count(in->in_value[2]));
		else
			return ovl_infer_fail(in, OVL_E_UNSUPPORTED, "the number of parts must be known");
	}
	if (n.min > 1024)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "%lld parts are too many, at most 1024 are possible", (long long)n.min);
	OVL_TRY(ovl_infer_set_outputs(in, (int)n.min));
	int64_t *lengths = (int64_t *)ovl_calloc((size_t)n.min + 1, sizeof *lengths);
	if (!lengths)
		return ovl_infer_fail(in, OVL_E_MEMORY, "out of memory");
	ovl_status status = variadic_shapes(in, lengths, (int)n.min);
	ovl_free(lengths);
	return status;
}

static const ovl_op variadic = {.name = "VariadicSplit", .since = 1, .min_inputs = 3, .max_inputs = 3, .outputs = -1, .inputs = "data axis split_lengths",
	.infer = variadic_infer, .run = split_run};

const ovl_op *const ovl_ops_split[] = {&split, &variadic, NULL};
