/* batch_to_space.c - BatchToSpace lays batches out as blocks of pixels and crops, SpaceToBatch pads and gathers blocks of pixels into batches. Both move the same elements,
 * in opposite directions: pixel (d * block + offset - cut) of each dimension belongs to the batch that the offsets name. */
#include "ops/support_axes.h"
#include "ops/support_move.h"

enum { LIST = OVL_MAX_RANK * 2 };

typedef struct numbers {
	int64_t block[LIST], begin[LIST], end[LIST];
	int n;
} numbers;

static ovl_status known_numbers(ovl_infer *in, bool *known, numbers *v)
{
	bool k[3];
	int n[3] = {0};
	ovl_dim length = OVL_DIM_ANY;
	int64_t *lists[] = {v->block, v->begin, v->end};
	for (int i = 0; i < 3; i++) {
		ovl_dim d;
		OVL_TRY(ovl_infer_type_in(in, i + 1, OVL_MASK_WHOLE));
		OVL_TRY(ovl_infer_length(in, i + 1, &d));
		if (!ovl_dim_merge(length, d, &length) || (in->in_shape[0].ranked && !ovl_dim_merge(length, ovl_dim_of(in->in_shape[0].rank), &length)))
			return ovl_infer_fail(in, OVL_E_SHAPE, "inputs 1 to 3 must have one element for each dimension");
		OVL_TRY(ovl_infer_ints(in, i + 1, &k[i], lists[i], LIST, &n[i]));
	}
	OVL_TRY(ovl_infer_rank(in, 0, 2, OVL_MAX_RANK));
	*known = k[0] && k[1] && k[2];
	v->n = n[0];
	for (int d = 0; *known && d < v->n; d++)
		if (v->block[d] < 1 || v->begin[d] < 0 || v->end[d] < 0 || (d == 0 && (v->block[0] != 1 || v->begin[0] || v->end[0])))
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "dimension %d: block %lld, begin %lld and end %lld are not possible", d, (long long)v->block[d], (long long)v->begin[d],
				(long long)v->end[d]);
	return OVL_OK;
}

static bool divide(ovl_dim *d, int64_t by)
{
	if (ovl_dim_static(*d) && d->min % by)
		return false;
	*d = (ovl_dim){d->min / by + (d->min % by != 0), d->max == OVL_DIM_MAX ? d->max : d->max / by};
	return d->min <= d->max;
}

static ovl_status uneven(ovl_infer *in, int d) { return ovl_infer_fail(in, OVL_E_SHAPE, "dimension %d cannot be divided into equal blocks", d); }

static ovl_status infer(ovl_infer *in, bool to_space)
{
	ovl_pshape out = in->in_shape[0];
	numbers v;
	bool known;
	OVL_TRY(known_numbers(in, &known, &v));
	if (out.ranked && !known)
		out = ovl_pshape_rank(out.rank);
	for (int d = 1; out.ranked && known && d < out.rank; d++) {
		ovl_dim *dim = &out.dims[d];
		int64_t cut;
		if (__builtin_add_overflow(v.begin[d], v.end[d], &cut))
			return uneven(in, d);
		if (to_space) {
			*dim = ovl_dim_mul(*dim, ovl_dim_of(v.block[d]));
			if (dim->max < cut)
				return ovl_infer_fail(in, OVL_E_SHAPE, "the crops of dimension %d are larger than it", d);
			*dim = (ovl_dim){dim->min > cut ? dim->min - cut : 0, dim->max == OVL_DIM_MAX ? dim->max : dim->max - cut};
			if (!divide(&out.dims[0], v.block[d]))
				return uneven(in, 0);
		} else {
			*dim = ovl_dim_add(*dim, ovl_dim_of(cut));
			if (!divide(dim, v.block[d]))
				return uneven(in, d);
			out.dims[0] = ovl_dim_mul(out.dims[0], ovl_dim_of(v.block[d]));
		}
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status to_space_infer(ovl_infer *in) { return infer(in, true); }
static ovl_status to_batch_infer(ovl_infer *in) { return infer(in, false); }

/* The pixels of `wide` whose offsets within their blocks are offset[]: narrows both places to those that exist. False: there are none. */
static bool narrow(const numbers *v, const int64_t *offset, ovl_place *batches, ovl_place *wide, ovl_shape *shape)
{
	bool any = true;
	for (int d = 1; d < shape->rank; d++) {
		int64_t block = v->block[d], skip = v->begin[d] - offset[d], first = skip > 0 ? (skip + block - 1) / block : 0;
		int64_t last = (wide->tensor->shape.dims[d] - 1 - offset[d] + v->begin[d]); /* of the pixel, before dividing */
		last = last < 0 ? -1 : last / block;
		if (last >= batches->tensor->shape.dims[d])
			last = batches->tensor->shape.dims[d] - 1;
		shape->dims[d] = last >= first ? last - first + 1 : 0;
		any = any && shape->dims[d] > 0;
		batches->at += first * batches->strides[d];
		wide->at += (first * block + offset[d] - v->begin[d]) * wide->strides[d];
		wide->strides[d] *= block;
	}
	return any;
}

static ovl_status shift(ovl_run *run, const numbers *v, ovl_tensor *many, ovl_tensor *wide)
{
	int64_t offset[OVL_MAX_RANK] = {0}, blocks = 1;
	for (int d = 1; d < wide->shape.rank; d++)
		if (__builtin_mul_overflow(blocks, v->block[d], &blocks))
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: the blocks are too large", run->op->name);
	if (many->shape.dims[0] != wide->shape.dims[0] * blocks)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: the batch does not go with blocks of %lld", run->op->name, (long long)blocks);
	if (ovl_tensor_count(many) == 0 || ovl_tensor_count(wide) == 0)
		return OVL_OK;
	for (int64_t b = 0; b < blocks; b++) {
		ovl_place m = ovl_place_of(many), w = ovl_place_of(wide);
		ovl_shape shape = wide->shape;
		OVL_RUN_CHECK_CANCEL(run);
		m.at = b * wide->shape.dims[0] * m.strides[0];
		if (narrow(v, offset, &m, &w, &shape))
			OVL_TRY(many == run->in[0] ? ovl_move(run, &w, &m, &shape) : ovl_move(run, &m, &w, &shape));
		for (int d = shape.rank - 1; d >= 1 && ++offset[d] == v->block[d]; d--)
			offset[d] = 0;
	}
	return OVL_OK;
}

static ovl_status run_numbers(ovl_run *run, numbers *v)
{
	int64_t *lists[] = {v->block, v->begin, v->end}, n;
	for (int i = 0; i < 3; i++) {
		OVL_TRY(ovl_run_ints(run, i + 1, lists[i], LIST, &n));
		if (n != run->in[0]->shape.rank)
			return ovl_fail(run->err, OVL_E_SHAPE, "%s: input %d must have one element for each dimension", run->op->name, i + 1);
	}
	for (int d = 0; d < run->in[0]->shape.rank; d++)
		if (v->block[d] < 1 || v->begin[d] < 0 || v->end[d] < 0 || v->block[d] > INT64_MAX / 4 || v->begin[d] > INT64_MAX / 4)
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: block, begin or end of dimension %d is not possible", run->op->name, d);
	return OVL_OK;
}

static ovl_status to_space_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, to_space_run);
	numbers v;
	OVL_TRY(run_numbers(run, &v));
	return shift(run, &v, run->in[0], run->out[0]);
}

static ovl_status to_batch_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, to_batch_run);
	numbers v;
	OVL_TRY(run_numbers(run, &v));
	if (run->out[0]->type != OVL_STRING)
		memset(run->out[0]->data, 0, ovl_tensor_bytes(run->out[0]));
	return shift(run, &v, run->out[0], run->in[0]);
}

static const ovl_op batch_to_space = {.name = "BatchToSpace", .since = 2, .min_inputs = 4, .max_inputs = 4, .outputs = 1,
	.inputs = "data block_shape crops_begin crops_end", .infer = to_space_infer, .run = to_space_run};
static const ovl_op space_to_batch = {.name = "SpaceToBatch", .since = 2, .min_inputs = 4, .max_inputs = 4, .outputs = 1,
	.inputs = "data block_shape pads_begin pads_end", .infer = to_batch_infer, .run = to_batch_run};

const ovl_op *const ovl_ops_batch_to_space[] = {&batch_to_space, &space_to_batch, NULL};
