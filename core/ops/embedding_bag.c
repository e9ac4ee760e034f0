/* embedding_bag.c - EmbeddingBag operators and EmbeddingSegmentsSum: sums (or means) of rows of a table, bag by bag. They differ in how the bags are told: packed (each row of
 * the indices is a bag), by offsets into the indices, or by a segment number for each index. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"
#include "tensor/convert.h"

enum { SUM, MEAN };
typedef struct bag_params { /* version 15 */
	int reduction;
} bag_params;

/* Where the optional inputs are; -1: the operator has none. */
typedef struct layout {
	int default_index, weights;
} layout;
static const layout offsets_layout = {3, 4}, packed_layout = {-1, 2}, segments_layout = {4, 5};

static bool means(const ovl_op *op, const void *params) { return op->params_size && ((const bag_params *)params)->reduction == MEAN; }

/* The output: the table's shape with the number of bags in front. */
static ovl_status finish_infer(ovl_infer *in, const layout *l, ovl_dim bags)
{
	ovl_pshape out = in->in_shape[0], merged;
	bool known;
	int64_t value;
	if (out.ranked && out.rank == 0)
		return ovl_infer_fail(in, OVL_E_SHAPE, "the table must not be a scalar");
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_ARITHMETIC));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_INDEX));
	if (l->default_index >= 0 && l->default_index < in->n_in)
		OVL_TRY(ovl_infer_scalar(in, l->default_index, &known, &value));
	if (l->weights < in->n_in) {
		ovl_type type;
		OVL_TRY(ovl_infer_merge_types(in, 0, l->weights, &type));
		if (!ovl_pshape_merge(&in->in_shape[1], &in->in_shape[l->weights], &merged))
			return ovl_infer_fail(in, OVL_E_SHAPE, "per_sample_weights must have the shape of the indices");
		if (means(in->op, in->params))
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "per_sample_weights go with reduction sum only");
	}
	if (out.ranked)
		out.dims[0] = bags;
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status offsets_infer(ovl_infer *in)
{
	OVL_TRY(ovl_infer_rank(in, 1, 1, 1));
	OVL_TRY(ovl_infer_rank(in, 2, 1, 1));
	OVL_TRY(ovl_infer_type_in(in, 2, OVL_MASK_INDEX));
	return finish_infer(in, &offsets_layout, in->in_shape[2].ranked ? in->in_shape[2].dims[0] : OVL_DIM_ANY);
}

static ovl_status packed_infer(ovl_infer *in)
{
	OVL_TRY(ovl_infer_rank(in, 1, 2, 2));
	return finish_infer(in, &packed_layout, in->in_shape[1].ranked ? in->in_shape[1].dims[0] : OVL_DIM_ANY);
}

static ovl_status segments_infer(ovl_infer *in)
{
	bool known;
	int64_t bags;
	ovl_pshape merged;
	OVL_TRY(ovl_infer_rank(in, 1, 1, 1));
	OVL_TRY(ovl_infer_type_in(in, 2, OVL_MASK_INDEX));
	OVL_TRY(ovl_infer_scalar(in, 3, &known, &bags));
	if (!ovl_pshape_merge(&in->in_shape[1], &in->in_shape[2], &merged))
		return ovl_infer_fail(in, OVL_E_SHAPE, "indices and segment_ids must be of one shape");
	if (known && bags < 0)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "num_segments is %lld", (long long)bags);
	return finish_infer(in, &segments_layout, known ? ovl_dim_of(bags) : OVL_DIM_ANY);
}

/* ---- runs ---- */

typedef struct bags {
	const ovl_tensor *table, *weights; /* weights: NULL, all are 1 */
	int64_t rows, row; /* of the table; elements of one */
	int64_t fallback; /* index for empty bags; -1: they are zeros */
	const int64_t *index;
	bool mean, real;
	double *sum, *one; /* one row each, of int64_t for whole numbers: what was added up, and what comes next */
} bags;

static ovl_status open_bags(ovl_run *run, const layout *l, bags *b)
{
	const ovl_shape *s = &run->in[0]->shape;
	*b = (bags){.table = run->in[0], .rows = s->dims[0], .row = ovl_dims_product(s, 1, s->rank), .fallback = -1, .mean = means(run->op, run->params),
		.real = ovl_type_is_float(run->in[0]->type)};
	if (l->default_index >= 0 && ovl_run_has(run, l->default_index))
		OVL_TRY(ovl_run_scalar(run, l->default_index, &b->fallback));
	if (ovl_run_has(run, l->weights))
		b->weights = run->in[l->weights];
	if (b->weights && ovl_tensor_count(b->weights) != ovl_tensor_count(run->in[1]))
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: per_sample_weights must have the shape of the indices", run->op->name);
	b->sum = (double *)ovl_calloc((size_t)b->row + 1, 2 * sizeof *b->sum);
	b->one = b->sum ? b->sum + b->row + 1 : NULL;
	return b->sum ? OVL_OK : ovl_fail(run->err, OVL_E_MEMORY, "%s: out of memory", run->op->name);
}

/* Adds row `index` of the table, times weight number `at` (-1: 1). */
static ovl_status add_row(ovl_run *run, bags *b, int64_t index, int64_t at)
{
	int64_t *whole = (int64_t *)b->sum;
	const int64_t *one = (const int64_t *)b->one;
	if (index < 0 || index >= b->rows)
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: index %lld is outside of the table's %lld rows", run->op->name, (long long)index, (long long)b->rows);
	double weight = b->weights && at >= 0 ? ovl_tensor_f64_at(b->weights, at) : 1;
	int64_t whole_weight = b->weights && at >= 0 ? ovl_tensor_i64_at(b->weights, at) : 1;
	ovl_convert(b->table->type, b->table->data, index * b->row, b->real ? OVL_F64 : OVL_I64, b->one, 0, b->row, true);
	for (int64_t i = 0; i < b->row && b->real; i++)
		b->sum[i] += weight * b->one[i];
	for (int64_t i = 0; i < b->row && !b->real; i++)
		whole[i] = (int64_t)((uint64_t)whole[i] + (uint64_t)whole_weight * (uint64_t)one[i]);
	return OVL_OK;
}

static void store_bag(ovl_run *run, bags *b, int64_t bag, int64_t count)
{
	int64_t *whole = (int64_t *)b->sum;
	for (int64_t i = 0; i < b->row && b->mean && count > 1; i++) {
		if (b->real)
			b->sum[i] /= (double)count;
		else
			whole[i] /= count;
	}
	ovl_convert(b->real ? OVL_F64 : OVL_I64, b->sum, 0, run->out[0]->type, run->out[0]->data, bag * b->row, b->row, true);
	memset(b->sum, 0, (size_t)b->row * sizeof *b->sum);
}

/* A bag of the indices [first, last). */
static ovl_status fill_bag(ovl_run *run, bags *b, int64_t bag, int64_t first, int64_t last)
{
	OVL_RUN_CHECK_CANCEL(run);
	for (int64_t i = first; i < last; i++)
		OVL_TRY(add_row(run, b, b->index[i], i));
	if (first >= last && b->fallback >= 0)
		OVL_TRY(add_row(run, b, b->fallback, -1));
	store_bag(run, b, bag, last - first);
	return OVL_OK;
}

static ovl_status by_offsets(ovl_run *run, bags *b, const int64_t *offset)
{
	int64_t n = ovl_tensor_count(run->in[2]), end = ovl_tensor_count(run->in[1]);
	for (int64_t k = 0; k < n; k++) {
		int64_t first = offset[k], last = k + 1 < n ? offset[k + 1] : end;
		if (first < 0 || first > last || last > end)
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: offset %lld (number %lld) is out of order or range", run->op->name, (long long)first, (long long)k);
		OVL_TRY(fill_bag(run, b, k, first, last));
	}
	return OVL_OK;
}

static ovl_status by_rows(ovl_run *run, bags *b, const int64_t *unused)
{
	int64_t n = run->in[1]->shape.dims[0], size = run->in[1]->shape.dims[1];
	(void)unused;
	for (int64_t k = 0; k < n; k++)
		OVL_TRY(fill_bag(run, b, k, k * size, (k + 1) * size));
	return OVL_OK;
}

/* Segment numbers rise; numbers that do not occur are empty bags. */
static ovl_status by_segments(ovl_run *run, bags *b, const int64_t *segment)
{
	int64_t n = ovl_tensor_count(run->in[1]), count = run->out[0]->shape.dims[0], at = 0;
	for (int64_t i = 0; i < n; i++)
		if (segment[i] < 0 || segment[i] >= count || (i > 0 && segment[i] < segment[i - 1]))
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: segment %lld (number %lld) is out of order or not below %lld", run->op->name, (long long)segment[i], (long long)i,
				(long long)count);
	for (int64_t k = 0; k < count; k++) {
		int64_t first = at;
		while (at < n && segment[at] == k)
			at++;
		OVL_TRY(fill_bag(run, b, k, first, at));
	}
	return OVL_OK;
}

static ovl_status bag_run(ovl_run *run, const layout *l, ovl_status (*fill)(ovl_run *, bags *, const int64_t *))
{
	bags b;
	int64_t *index = NULL, *second = NULL;
	if (ovl_tensor_count(run->out[0]) == 0)
		return OVL_OK;
	ovl_status status = open_bags(run, l, &b);
	if (status == OVL_OK)
		status = ovl_run_indices(run, 1, &index);
	if (status == OVL_OK && l != &packed_layout)
		status = ovl_run_indices(run, 2, &second);
	b.index = index;
	if (status == OVL_OK)
		status = fill(run, &b, second);
	ovl_free(index);
	ovl_free(second);
	ovl_free(b.sum);
	return status;
}

static ovl_status offsets_run(ovl_run *run) { return ovl_run_narrow(run) ? ovl_run_unpacked(run, offsets_run) : bag_run(run, &offsets_layout, by_offsets); }
static ovl_status packed_run(ovl_run *run) { return ovl_run_narrow(run) ? ovl_run_unpacked(run, packed_run) : bag_run(run, &packed_layout, by_rows); }
static ovl_status segments_run(ovl_run *run) { return ovl_run_narrow(run) ? ovl_run_unpacked(run, segments_run) : bag_run(run, &segments_layout, by_segments); }

static const ovl_attr attrs[] = {OVL_ATTR_ENUM(bag_params, reduction, "sum", "sum mean"), OVL_ATTR_END};
static const ovl_op offsets_sum = {.name = "EmbeddingBagOffsetsSum", .since = 3, .min_inputs = 3, .max_inputs = 5, .outputs = 1,
	.inputs = "emb_table indices offsets default_index per_sample_weights", .infer = offsets_infer, .run = offsets_run};
static const ovl_op packed_sum = {.name = "EmbeddingBagPackedSum", .since = 3, .min_inputs = 2, .max_inputs = 3, .outputs = 1,
	.inputs = "emb_table indices per_sample_weights", .infer = packed_infer, .run = packed_run};
static const ovl_op segments_sum = {.name = "EmbeddingSegmentsSum", .since = 3, .min_inputs = 4, .max_inputs = 6, .outputs = 1,
	.inputs = "emb_table indices segment_ids num_segments default_index per_sample_weights", .infer = segments_infer, .run = segments_run};
static const ovl_op offsets_v15 = {.name = "EmbeddingBagOffsets", .since = 15, .min_inputs = 3, .max_inputs = 5, .outputs = 1,
	.inputs = "emb_table indices offsets default_index per_sample_weights", .params_size = sizeof(bag_params), .attrs = attrs, .infer = offsets_infer, .run = offsets_run};
static const ovl_op packed_v15 = {.name = "EmbeddingBagPacked", .since = 15, .min_inputs = 2, .max_inputs = 3, .outputs = 1,
	.inputs = "emb_table indices per_sample_weights", .params_size = sizeof(bag_params), .attrs = attrs, .infer = packed_infer, .run = packed_run};

const ovl_op *const ovl_ops_embedding_bag[] = {&offsets_sum, &packed_sum, &segments_sum, &offsets_v15, &packed_v15, NULL};
