/* broadcast.c - Broadcast: the data repeated to a target shape, by numpy's rule (one way or both ways) or with the axes told. */
#include "ops/support_axes.h"
#include "ops/support_move.h"
#include "ops/support_walk.h"

enum { LIST = OVL_MAX_RANK * 2 };
enum { NUMPY, NONE, EXPLICIT, PDPD, BIDIRECTIONAL };

typedef struct broadcast_params {
	int mode;
} broadcast_params;

static int mode_of(const void *params) { return ((const broadcast_params *)params)->mode; }
static bool is_explicit(int mode) { return mode == NONE || mode == EXPLICIT; }

static ovl_status bad_dim(ovl_infer *in, int d, ovl_dim size, int64_t target)
{
	return ovl_infer_fail(in, OVL_E_SHAPE, "dimension %d of the data has size %lld, which cannot become %lld", d, (long long)size.min, (long long)target);
}

static bool may_become(ovl_dim size, int64_t target) { return (size.min <= 1 && size.max >= 1) || (size.min <= target && size.max >= target); }

static ovl_status to_target(ovl_infer *in, const ovl_pshape *target)
{
	const ovl_pshape *data = &in->in_shape[0];
	if (!data->ranked)
		return OVL_OK;
	int lead = target->rank - data->rank;
	if (lead < 0)
		return ovl_infer_fail(in, OVL_E_SHAPE, "the data has %d dimensions, the target only %d", data->rank, target->rank);
	for (int d = 0; d < data->rank; d++)
		if (!may_become(data->dims[d], target->dims[lead + d].min))
			return bad_dim(in, d, data->dims[d], target->dims[lead + d].min);
	return OVL_OK;
}

static ovl_status explicit_target(ovl_infer *in, const ovl_pshape *target)
{
	const ovl_pshape *data = &in->in_shape[0];
	int axes[LIST], n;
	bool known;
	if (in->n_in < 3)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "mode explicit needs axes_mapping");
	OVL_TRY(ovl_infer_axes(in, 2, target->rank, &known, axes, &n));
	if (!known || !data->ranked)
		return OVL_OK;
	if (n != data->rank)
		return ovl_infer_fail(in, OVL_E_SHAPE, "axes_mapping has %d numbers, the data %d dimensions", n, data->rank);
	for (int d = 0; d < n; d++) {
		if (d > 0 && axes[d] < axes[d - 1])
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "axes_mapping must rise");
		if (!may_become(data->dims[d], target->dims[axes[d]].min))
			return bad_dim(in, d, data->dims[d], target->dims[axes[d]].min);
	}
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	int mode = mode_of(in->params), n;
	int64_t sizes[LIST];
	bool known;
	ovl_dim length;
	ovl_pshape out = ovl_pshape_any(), both;
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_length(in, 1, &length));
	OVL_TRY(ovl_infer_ints(in, 1, &known, sizes, LIST, &n));
	if (known) {
		OVL_TRY(ovl_infer_open(in, n, &out));
		for (int d = 0; d < n; d++) {
			if (sizes[d] < 0)
				return ovl_infer_fail(in, OVL_E_SHAPE, "size %d of the target is %lld", d, (long long)sizes[d]);
			out.dims[d] = ovl_dim_of(sizes[d]);
		}
	} else if (in->in_shape[1].ranked && ovl_dim_static(length))
		OVL_TRY(ovl_infer_open(in, length.min, &out));
	if (mode == BIDIRECTIONAL) {
		if (!ovl_pshape_broadcast(&in->in_shape[0], &out, &both))
			return ovl_infer_fail(in, OVL_E_SHAPE, "data and target do not go together");
		out = both;
	} else if (known && is_explicit(mode))
		OVL_TRY(explicit_target(in, &out));
	else if (known)
		OVL_TRY(to_target(in, &out));
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status explicit_strides(ovl_run *run, int64_t *strides)
{
	const ovl_shape *data = &run->in[0]->shape, *out = &run->out[0]->shape;
	int64_t dense[OVL_MAX_RANK];
	int axes[OVL_MAX_RANK], n = 0;
	if (run->n_in < 3)
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: mode explicit needs axes_mapping", run->op->name);
	OVL_TRY(ovl_run_axes(run, 2, out->rank, axes, &n));
	if (n != data->rank)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: axes_mapping has %d numbers, the data %d dimensions", run->op->name, n, data->rank);
	ovl_dense_strides(data, dense);
	memset(strides, 0, OVL_MAX_RANK * sizeof *strides);
	for (int d = 0; d < n; d++) {
		if (data->dims[d] != 1 && data->dims[d] != out->dims[axes[d]])
			return ovl_fail(run->err, OVL_E_SHAPE, "%s: dimension %d of the data has size %lld, which cannot become %lld", run->op->name, d, (long long)data->dims[d],
				(long long)out->dims[axes[d]]);
		strides[axes[d]] = data->dims[d] == 1 ? 0 : dense[d];
	}
	return OVL_OK;
}

static ovl_status broadcast_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, broadcast_run);
	ovl_place from = ovl_place_of(run->in[0]), to = ovl_place_of(run->out[0]);
	const ovl_shape *out = &run->out[0]->shape;
	char a[200], b[200];
	if (is_explicit(mode_of(run->params)))
		OVL_TRY(explicit_strides(run, from.strides));
	else if (!ovl_walk_broadcast(&run->in[0]->shape, out, from.strides))
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: shape %s cannot become %s", run->op->name, ovl_shape_text(&run->in[0]->shape, a, sizeof a),
			ovl_shape_text(out, b, sizeof b));
	return ovl_move(run, &to, &from, out);
}

static const ovl_attr attrs_v1[] = {OVL_ATTR_ENUM(broadcast_params, mode, "numpy", "numpy none explicit pdpd"), OVL_ATTR_END};
static const ovl_attr attrs_v3[] = {OVL_ATTR_ENUM(broadcast_params, mode, "numpy", "numpy none explicit pdpd bidirectional"), OVL_ATTR_END};
static const ovl_op broadcast_v1 = {.name = "Broadcast", .since = 1, .until = 2, .min_inputs = 2, .max_inputs = 3, .outputs = 1, .inputs = "data target_shape axes_mapping",
	.params_size = sizeof(broadcast_params), .attrs = attrs_v1, .infer = infer, .run = broadcast_run};
static const ovl_op broadcast_v3 = {.name = "Broadcast", .since = 3, .min_inputs = 2, .max_inputs = 3, .outputs = 1, .inputs = "data target_shape axes_mapping",
	.params_size = sizeof(broadcast_params), .attrs = attrs_v3, .infer = infer, .run = broadcast_run};

const ovl_op *const ovl_ops_broadcast[] = {&broadcast_v1, &broadcast_v3, NULL};
