/* bucketize.c - Bucketize and SearchSorted: where a value would be put into a sorted list. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"
#include "ops/support_order.h"
#include "tensor/convert.h"

typedef struct bucketize_params {
	ovl_type output_type;
	bool with_right_bound;
} bucketize_params;

static ovl_status check_output(ovl_infer *in, ovl_type type)
{
	if (type != OVL_I32 && type != OVL_I64)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "output_type is %s, expected i32 or i64", ovl_type_name(type));
	return OVL_OK;
}

static ovl_status bucketize_infer(ovl_infer *in)
{
	ovl_type type = ((const bucketize_params *)in->params)->output_type;
	OVL_TRY(check_output(in, type));
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_ARITHMETIC));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_ARITHMETIC));
	OVL_TRY(ovl_infer_rank(in, 1, 1, 1));
	ovl_infer_out(in, 0, type, &in->in_shape[0]);
	return OVL_OK;
}

/* Values and buckets may be of different types. long double holds all numbers of all types. */
static long double number(const ovl_tensor *t, int64_t i)
{
	if (t->type == OVL_U64)
		return (long double)((const uint64_t *)t->data)[i];
	return ovl_type_is_float(t->type) ? (long double)ovl_tensor_f64_at(t, i) : (long double)ovl_tensor_i64_at(t, i);
}

/* How many buckets lie before v; equal ones count when the right bound belongs to the next bucket. */
static int64_t bucket(const long double *bounds, int64_t n, long double v, bool right)
{
	int64_t low = 0, high = n;
	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		if (right ? bounds[middle] < v : bounds[middle] <= v)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static ovl_status bucketize_run(ovl_run *run)
{
	const ovl_tensor *x = run->in[0], *buckets = run->in[1];
	int64_t count = ovl_tensor_count(x), n = ovl_tensor_count(buckets);
	long double *bounds = (long double *)ovl_calloc((size_t)n + 1, sizeof *bounds);
	if (!bounds)
		return ovl_fail(run->err, OVL_E_MEMORY, "%s: out of memory", run->op->name);
	for (int64_t i = 0; i < n; i++)
		bounds[i] = number(buckets, i);
	for (int64_t i = 0; i < count; i++) {
		int64_t at = bucket(bounds, n, number(x, i), ((const bucketize_params *)run->params)->with_right_bound);
		ovl_convert(OVL_I64, &at, 0, run->out[0]->type, run->out[0]->data, i, 1, true);
	}
	ovl_free(bounds);
	return OVL_OK;
}

static const ovl_attr bucketize_attrs[] = {OVL_ATTR_TYPE(bucketize_params, output_type, "i64"), OVL_ATTR_BOOL(bucketize_params, with_right_bound, "true"), OVL_ATTR_END};
static const ovl_op bucketize = {.name = "Bucketize", .since = 3, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "data buckets",
	.params_size = sizeof(bucketize_params), .attrs = bucketize_attrs, .infer = bucketize_infer, .run = bucketize_run};

/* ---- SearchSorted: one sorted list for all, or one for each row of values ---- */

typedef struct search_params {
	bool right_mode;
	ovl_type output_type;
} search_params;

static ovl_status search_infer(ovl_infer *in)
{
	const ovl_pshape *sorted = &in->in_shape[0], *values = &in->in_shape[1];
	ovl_type type = ((const search_params *)in->params)->output_type, merged_type;
	ovl_pshape out = *values;
	OVL_TRY(check_output(in, type));
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NOT_STRING));
	OVL_TRY(ovl_infer_merge_types(in, 0, 1, &merged_type));
	if (sorted->ranked && sorted->rank == 0)
		return ovl_infer_fail(in, OVL_E_SHAPE, "the sorted sequence must not be a scalar");
	if (sorted->ranked && values->ranked && sorted->rank > 1) {
		if (sorted->rank != values->rank)
			return ovl_infer_fail(in, OVL_E_SHAPE, "the sorted sequence has %d dimensions, the values have %d", sorted->rank, values->rank);
		for (int d = 0; d < values->rank - 1; d++)
			if (!ovl_dim_merge(sorted->dims[d], values->dims[d], &out.dims[d]))
				return ovl_infer_fail(in, OVL_E_SHAPE, "the sorted sequence and the values differ in dimension %d", d);
	} else if (sorted->ranked && sorted->rank > 1 && !values->ranked) {
		out = *sorted;
		out.dims[out.rank - 1] = OVL_DIM_ANY;
	}
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

static int64_t position(const uint64_t *list, int64_t n, uint64_t key, bool right)
{
	int64_t low = 0, high = n;
	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		if (right ? list[middle] <= key : list[middle] < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void search_all(ovl_run *run, const uint64_t *sorted, const uint64_t *keys)
{
	const ovl_shape *s = &run->in[0]->shape, *v = &run->in[1]->shape;
	int64_t n = s->dims[s->rank - 1], count = ovl_tensor_count(run->in[1]), row = v->rank ? v->dims[v->rank - 1] : 1;
	for (int64_t i = 0; i < count; i++) {
		int64_t list = s->rank > 1 ? i / row : 0;
		int64_t at = position(sorted + list * n, n, keys[i], ((const search_params *)run->params)->right_mode);
		ovl_convert(OVL_I64, &at, 0, run->out[0]->type, run->out[0]->data, i, 1, true);
	}
}

static ovl_status search_run(ovl_run *run)
{
	const ovl_shape *s = &run->in[0]->shape, *v = &run->in[1]->shape;
	uint64_t *sorted = NULL, *keys = NULL;
	if (s->rank == 0 || (s->rank > 1 && s->rank != v->rank) || (s->rank > 1 && ovl_dims_product(s, 0, s->rank - 1) != ovl_dims_product(v, 0, v->rank - 1)))
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: the sorted sequence and the values do not go together", run->op->name);
	ovl_status status = ovl_order_keys(run, run->in[0], &sorted);
	if (status == OVL_OK)
		status = ovl_order_keys(run, run->in[1], &keys);
	if (status == OVL_OK)
		search_all(run, sorted, keys);
	ovl_free(sorted);
	ovl_free(keys);
	return status;
}

static const ovl_attr search_attrs[] = {OVL_ATTR_BOOL(search_params, right_mode, "false"), OVL_ATTR_TYPE(search_params, output_type, "i64"), OVL_ATTR_END};
static const ovl_op search_sorted = {.name = "SearchSorted", .since = 15, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "sorted_sequence values",
	.params_size = sizeof(search_params), .attrs = search_attrs, .infer = search_infer, .run = search_run};

const ovl_op *const ovl_ops_bucketize[] = {&bucketize, &search_sorted, NULL};
