/* depth_to_space.c - DepthToSpace lays channels out as blocks of pixels, SpaceToDepth gathers blocks of pixels into channels. Both move the same elements, in opposite
 * directions: element (d * block + offset) of each spatial dimension belongs to the group of channels that the offsets name. */
#include "ops/depth_to_space.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"

/* block ^ spatial dimensions; 0 when that is absurd. */
static int64_t groups_of(int64_t block, int spatial)
{
	int64_t n = 1;
	for (int d = 0; d < spatial; d++)
		if (__builtin_mul_overflow(n, block, &n) || n > ((int64_t)1 << 40))
			return 0;
	return n;
}

static bool divide(ovl_dim *d, int64_t by)
{
	if (ovl_dim_static(*d) && d->min % by)
		return false;
	*d = (ovl_dim){d->min / by + (d->min % by != 0), d->max == OVL_DIM_MAX ? d->max : d->max / by};
	return d->min <= d->max;
}

static ovl_status check(ovl_infer *in, int64_t *groups)
{
	int64_t block = ((const ovl_depth_to_space_params *)in->params)->block_size;
	const ovl_pshape *data = &in->in_shape[0];
	if (block < 1)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "block_size is %lld, expected 1 or more", (long long)block);
	OVL_TRY(ovl_infer_rank(in, 0, 3, OVL_MAX_RANK));
	*groups = data->ranked ? groups_of(block, data->rank - 2) : 1;
	return *groups ? OVL_OK : ovl_infer_fail(in, OVL_E_ARGUMENT, "block_size %lld is too large", (long long)block);
}

static ovl_status depth_infer(ovl_infer *in)
{
	int64_t block = ((const ovl_depth_to_space_params *)in->params)->block_size, groups;
	ovl_pshape out = in->in_shape[0];
	OVL_TRY(check(in, &groups));
	if (out.ranked && !divide(&out.dims[1], groups))
		return ovl_infer_fail(in, OVL_E_SHAPE, "the %lld channels are no multiple of %lld", (long long)in->in_shape[0].dims[1].min, (long long)groups);
	for (int d = 2; out.ranked && d < out.rank; d++)
		out.dims[d] = ovl_dim_mul(out.dims[d], ovl_dim_of(block));
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status space_infer(ovl_infer *in)
{
	int64_t block = ((const ovl_depth_to_space_params *)in->params)->block_size, groups;
	ovl_pshape out = in->in_shape[0];
	OVL_TRY(check(in, &groups));
	for (int d = 2; out.ranked && d < out.rank; d++)
		if (!divide(&out.dims[d], block))
			return ovl_infer_fail(in, OVL_E_SHAPE, "dimension %d has size %lld, no multiple of the block's %lld", d, (long long)in->in_shape[0].dims[d].min, (long long)block);
	if (out.ranked)
		out.dims[1] = ovl_dim_mul(out.dims[1], ovl_dim_of(groups));
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* One group of channels of `deep` and its pixels of `wide`. */
static void place(const ovl_depth_to_space_params *p, int64_t group, int64_t groups, ovl_place *deep, ovl_place *wide, ovl_shape *shape)
{
	int64_t channels = deep->tensor->shape.dims[1] / groups, rest = group;
	*shape = deep->tensor->shape;
	shape->dims[1] = channels;
	deep->at = (p->mode == OVL_BLOCKS_FIRST ? group * channels : group) * deep->strides[1];
	if (p->mode == OVL_DEPTH_FIRST)
		deep->strides[1] *= groups;
	wide->at = 0;
	for (int d = shape->rank - 1; d >= 2; d--) {
		wide->at += rest % p->block_size * wide->strides[d];
		rest /= p->block_size;
		wide->strides[d] *= p->block_size;
	}
}

static ovl_status shift(ovl_run *run, ovl_tensor *deep, ovl_tensor *wide)
{
	const ovl_depth_to_space_params *p = (const ovl_depth_to_space_params *)run->params;
	int64_t groups = groups_of(p->block_size, deep->shape.rank - 2);
	if (ovl_tensor_count(wide) == 0)
		return OVL_OK;
	for (int64_t g = 0; g < groups; g++) {
		ovl_place a = ovl_place_of(deep), b = ovl_place_of(wide);
		ovl_shape shape;
		place(p, g, groups, &a, &b, &shape);
		OVL_TRY(deep == run->in[0] ? ovl_move(run, &b, &a, &shape) : ovl_move(run, &a, &b, &shape));
	}
	return OVL_OK;
}

static ovl_status depth_run(ovl_run *run)
{
	return ovl_run_packed(run) ? ovl_run_unpacked(run, depth_run) : shift(run, run->in[0], run->out[0]);
}

static ovl_status space_run(ovl_run *run)
{
	return ovl_run_packed(run) ? ovl_run_unpacked(run, space_run) : shift(run, run->out[0], run->in[0]);
}

static const ovl_attr attrs[] = {OVL_ATTR_ENUM(ovl_depth_to_space_params, mode, NULL, "blocks_first depth_first"), OVL_ATTR_INT(ovl_depth_to_space_params, block_size, "1"),
	OVL_ATTR_END};
static const ovl_op depth_to_space = {.name = "DepthToSpace", .since = 1, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "node",
	.params_size = sizeof(ovl_depth_to_space_params), .attrs = attrs, .infer = depth_infer, .run = depth_run};
static const ovl_op space_to_depth = {.name = "SpaceToDepth", .since = 1, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "node",
	.params_size = sizeof(ovl_depth_to_space_params), .attrs = attrs, .infer = space_infer, .run = space_run};

const ovl_op *const ovl_ops_depth_to_space[] = {&depth_to_space, &space_to_depth, NULL};
