/* unique.c - Unique: the different elements, or the different slices along an axis; where each is found first, which of them each input slice is, and how often. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"
#include "ops/support_order.h"
#include "tensor/convert.h"

typedef struct unique_params {
	bool sorted;
	ovl_type index_element_type, count_element_type;
} unique_params;

static ovl_status infer(ovl_infer *in)
{
	const unique_params *p = (const unique_params *)in->params;
	const ovl_pshape *data = &in->in_shape[0];
	ovl_pshape values = ovl_pshape_rank(1), list = ovl_pshape_rank(1), inverse = ovl_pshape_rank(1);
	ovl_dim n = ovl_dim_of(1);
	bool known = false;
	int axis;
	if ((p->index_element_type != OVL_I32 && p->index_element_type != OVL_I64) || (p->count_element_type != OVL_I32 && p->count_element_type != OVL_I64))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "index_element_type and count_element_type must be i32 or i64");
	if (data->ranked && in->n_in < 2) {
		for (int d = 0; d < data->rank; d++)
			n = ovl_dim_mul(n, data->dims[d]);
		inverse.dims[0] = n;
		n.min = n.min > 0;
		values.dims[0] = list.dims[0] = n;
	} else if (in->n_in > 1) {
		values = *data;
		if (data->ranked)
			OVL_TRY(ovl_infer_axis(in, 1, data->rank, &known, &axis));
		if (known) {
			n = inverse.dims[0] = data->dims[axis];
			n.min = n.min > 0;
			values.dims[axis] = list.dims[0] = n;
		} else if (data->ranked)
			values = ovl_pshape_rank(data->rank);
	}
	ovl_infer_out(in, 0, in->in_type[0], &values);
	ovl_infer_out(in, 1, p->index_element_type, &list);
	ovl_infer_out(in, 2, p->index_element_type, &inverse);
	ovl_infer_out(in, 3, p->count_element_type, &list);
	return OVL_OK;
}

/* The input as [outer, n, inner]; slice i is all of [:, i, :]. */
typedef struct slices {
	int64_t outer, n, inner;
	uint64_t *keys; /* NULL: strings */
	const ovl_string *strings;
	int64_t *list, *scratch; /* slices in order; then, group by group */
	int64_t *group; /* of each slice */
	int64_t *first, *count; /* of each group */
	int64_t groups;
} slices;

static int compare_strings(const ovl_string *x, const ovl_string *y)
{
	size_t n = x->size < y->size ? x->size : y->size;
	int c = n ? memcmp(x->data, y->data, n) : 0;
	return c ? c : (x->size > y->size) - (x->size < y->size);
}

static int compare(const slices *s, int64_t a, int64_t b)
{
	for (int64_t o = 0; o < s->outer; o++)
		for (int64_t i = 0; i < s->inner; i++) {
			int64_t x = (o * s->n + a) * s->inner + i, y = (o * s->n + b) * s->inner + i;
			int c = s->keys ? (s->keys[x] > s->keys[y]) - (s->keys[x] < s->keys[y]) : compare_strings(&s->strings[x], &s->strings[y]);
			if (c)
				return c;
		}
	return 0;
}

static bool before(int64_t a, int64_t b, const void *user) { return compare((const slices *)user, a, b) < 0; }
static bool first_before(int64_t a, int64_t b, const void *user) { return ((const slices *)user)->first[a] < ((const slices *)user)->first[b]; }

/* The sort is stable: the first slice of a run of equals is the one that is found first. */
static void find_groups(slices *s)
{
	for (int64_t i = 0; i < s->n; i++)
		s->list[i] = i;
	ovl_order_sort(s->list, s->scratch, s->n, before, s);
	for (int64_t i = 0; i < s->n; i++) {
		if (i == 0 || compare(s, s->list[i - 1], s->list[i]) != 0)
			s->first[s->groups++] = s->list[i];
		s->group[s->list[i]] = s->groups - 1;
		s->count[s->groups - 1]++;
	}
}

/* Unsorted: groups in the order in which they are met. list: position -> group; scratch: group -> position. */
static void order_groups(slices *s, bool sorted)
{
	for (int64_t g = 0; g < s->groups; g++)
		s->list[g] = g;
	if (!sorted)
		ovl_order_sort(s->list, s->scratch, s->groups, first_before, s);
	for (int64_t g = 0; g < s->groups; g++)
		s->scratch[s->list[g]] = g;
}

static ovl_status make_list(ovl_run *run, int o, ovl_type type, int64_t n, ovl_tensor **out)
{
	return ovl_run_output(run, o, type, &(ovl_shape){.rank = 1, .dims = {n}}, out);
}

static ovl_status write(ovl_run *run, const slices *s, int axis)
{
	const unique_params *p = (const unique_params *)run->params;
	ovl_shape shape = run->in[0]->shape;
	ovl_tensor *values, *first, *inverse, *count;
	if (axis < 0)
		shape = (ovl_shape){.rank = 1, .dims = {s->groups}};
	else
		shape.dims[axis] = s->groups;
	OVL_TRY(ovl_run_output(run, 0, run->in[0]->type, &shape, &values));
	OVL_TRY(make_list(run, 1, p->index_element_type, s->groups, &first));
	OVL_TRY(make_list(run, 2, p->index_element_type, s->n, &inverse));
	OVL_TRY(make_list(run, 3, p->count_element_type, s->groups, &count));
	for (int64_t g = 0; g < s->groups; g++) {
		int64_t from = s->list[g];
		ovl_convert(OVL_I64, s->first, from, first->type, first->data, g, 1, true);
		ovl_convert(OVL_I64, s->count, from, count->type, count->data, g, 1, true);
		for (int64_t o = 0; o < s->outer; o++)
			OVL_TRY(ovl_move_row(run, values, (o * s->groups + g) * s->inner, run->in[0], (o * s->n + s->first[from]) * s->inner, s->inner));
	}
	for (int64_t i = 0; i < s->n; i++)
		ovl_convert(OVL_I64, s->scratch, s->group[i], inverse->type, inverse->data, i, 1, true);
	return OVL_OK;
}

static ovl_status measure(ovl_run *run, slices *s, int *axis)
{
	const ovl_shape *shape = &run->in[0]->shape;
	*axis = -1;
	*s = (slices){.outer = 1, .n = ovl_tensor_count(run->in[0]), .inner = 1};
	if (run->n_in > 1) {
		OVL_TRY(ovl_run_axis(run, 1, shape->rank, axis));
		*s = (slices){.outer = ovl_dims_product(shape, 0, *axis), .n = shape->dims[*axis], .inner = ovl_dims_product(shape, *axis + 1, shape->rank)};
	}
	return OVL_OK;
}

static ovl_status unique_run(ovl_run *run)
{
	slices s;
	int axis;
	if (ovl_type_packed(run->in[0]->type))
		return ovl_fail(run->err, OVL_E_UNSUPPORTED, "%s: %s is not supported", run->op->name, ovl_type_name(run->in[0]->type));
	OVL_TRY(measure(run, &s, &axis));
	size_t n = (size_t)s.n + 1;
	int64_t *block = (int64_t *)ovl_calloc(n, 5 * sizeof *block);
	if (!block)
		return ovl_fail(run->err, OVL_E_MEMORY, "%s: out of memory", run->op->name);
	s.list = block, s.scratch = block + n, s.group = block + 2 * n, s.first = block + 3 * n, s.count = block + 4 * n;
	ovl_status status = OVL_OK;
	if (run->in[0]->type == OVL_STRING)
		s.strings = (const ovl_string *)run->in[0]->data;
	else
		status = ovl_order_keys(run, run->in[0], &s.keys);
	if (status == OVL_OK) {
		find_groups(&s);
		order_groups(&s, ((const unique_params *)run->params)->sorted);
		status = write(run, &s, axis);
	}
	ovl_free(s.keys);
	ovl_free(block);
	return status;
}

static const ovl_attr attrs[] = {OVL_ATTR_BOOL(unique_params, sorted, "true"), OVL_ATTR_TYPE(unique_params, index_element_type, "i64"),
	OVL_ATTR_TYPE(unique_params, count_element_type, "i64"), OVL_ATTR_END};
static const ovl_op unique = {.name = "Unique", .since = 10, .min_inputs = 1, .max_inputs = 2, .outputs = 4, .inputs = "data axis", .params_size = sizeof(unique_params),
	.attrs = attrs, .flags = OVL_OP_LATE, .infer = infer, .run = unique_run};

const ovl_op *const ovl_ops_unique[] = {&unique, NULL};
