/* shuffle_channels.c - ShuffleChannels: a dimension seen as [group, rest] becomes [rest, group]. */
#include "ops/support_axes.h"
#include "ops/support_move.h"

typedef struct shuffle_params {
	int64_t axis, group;
} shuffle_params;

static ovl_status infer(ovl_infer *in)
{
	const shuffle_params *p = (const shuffle_params *)in->params;
	const ovl_pshape *data = &in->in_shape[0];
	int axis;
	if (p->group < 1)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "group is %lld, expected 1 or more", (long long)p->group);
	if (data->ranked) {
		OVL_TRY(ovl_axis(p->axis, data->rank, in->op->name, &axis, in->err));
		if (ovl_dim_static(data->dims[axis]) && data->dims[axis].min % p->group)
			return ovl_infer_fail(in, OVL_E_SHAPE, "dimension %d has size %lld, which is no multiple of the %lld groups", axis, (long long)data->dims[axis].min,
				(long long)p->group);
	}
	return ovl_infer_same(in);
}

static ovl_status shuffle_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, shuffle_run);
	const shuffle_params *p = (const shuffle_params *)run->params;
	const ovl_shape *s = &run->in[0]->shape;
	int axis;
	OVL_TRY(ovl_axis(p->axis, s->rank, run->op->name, &axis, run->err));
	if (s->dims[axis] % p->group)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: size %lld is no multiple of the %lld groups", run->op->name, (long long)s->dims[axis], (long long)p->group);
	int64_t outer = ovl_dims_product(s, 0, axis), n = s->dims[axis], rest = n / p->group, inner = ovl_dims_product(s, axis + 1, s->rank);
	ovl_shape shape = {.rank = 4, .dims = {outer, rest, p->group, inner}};
	ovl_place to = {.tensor = run->out[0], .strides = {n * inner, p->group * inner, inner, 1}};
	ovl_place from = {.tensor = run->in[0], .strides = {n * inner, inner, rest * inner, 1}};
	return ovl_move(run, &to, &from, &shape);
}

static const ovl_attr attrs[] = {OVL_ATTR_INT(shuffle_params, axis, "1"), OVL_ATTR_INT(shuffle_params, group, "1"), OVL_ATTR_END};
static const ovl_op shuffle = {.name = "ShuffleChannels", .since = 1, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data",
	.params_size = sizeof(shuffle_params), .attrs = attrs, .infer = infer, .run = shuffle_run};

const ovl_op *const ovl_ops_shuffle_channels[] = {&shuffle, NULL};
