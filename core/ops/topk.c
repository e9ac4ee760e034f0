/* topk.c - TopK: the k largest or smallest elements along an axis, and where they were. Of equal elements the first ones win. */
#include "ops/topk.h"
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"
#include "ops/support_order.h"
#include "tensor/convert.h"

static ovl_status infer(ovl_infer *in)
{
	const ovl_topk_params *p = (const ovl_topk_params *)in->params;
	ovl_pshape out = in->in_shape[0];
	bool known;
	int64_t k = 0;
	int axis;
	if (p->index_element_type != OVL_I32 && p->index_element_type != OVL_I64)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "index_element_type is %s, expected i32 or i64", ovl_type_name(p->index_element_type));
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NOT_STRING));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_scalar(in, 1, &known, &k));
	if (known && k < 0)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "k is %lld", (long long)k);
	if (out.ranked) {
		OVL_TRY(ovl_axis(p->axis, out.rank, in->op->name, &axis, in->err));
		ovl_dim d = out.dims[axis];
		if (known) /* an open size is taken to be large enough */
			out.dims[axis] = ovl_dim_of(d.max < k ? d.max : k);
		else
			out.dims[axis] = (ovl_dim){0, d.max};
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	ovl_infer_out(in, 1, p->index_element_type, &out);
	return OVL_OK;
}

static bool lower(int64_t a, int64_t b, const void *user)
{
	(void)user;
	return a < b;
}

typedef struct lines {
	int64_t outer, size, inner, k;
	uint64_t *keys;
	int64_t *picked, *scratch;
} lines;

static ovl_status pick_line(ovl_run *run, const lines *l, int64_t o, int64_t i)
{
	const ovl_topk_params *p = (const ovl_topk_params *)run->params;
	int64_t from = o * l->size * l->inner + i, to = o * l->k * l->inner + i;
	ovl_order_largest(l->keys + from, l->inner, l->size, l->k, l->picked);
	if (p->sort == OVL_TOPK_BY_INDEX)
		ovl_order_sort(l->picked, l->scratch, l->k, lower, NULL);
	for (int64_t j = 0; j < l->k; j++) {
		OVL_TRY(ovl_move_row(run, run->out[0], to + j * l->inner, run->in[0], from + l->picked[j] * l->inner, 1));
		ovl_convert(OVL_I64, l->picked, j, run->out[1]->type, run->out[1]->data, to + j * l->inner, 1, true);
	}
	return OVL_OK;
}

static ovl_status pick_all(ovl_run *run, const lines *l)
{
	int64_t n = ovl_tensor_count(run->in[0]);
	for (int64_t i = 0; i < n && ((const ovl_topk_params *)run->params)->mode == OVL_TOPK_MIN; i++)
		l->keys[i] = ~l->keys[i];
	for (int64_t o = 0; o < l->outer; o++)
		for (int64_t i = 0; i < l->inner; i++)
			OVL_TRY(pick_line(run, l, o, i));
	return OVL_OK;
}

static ovl_status topk_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, topk_run);
	const ovl_shape *s = &run->in[0]->shape;
	int axis;
	OVL_TRY(ovl_axis(((const ovl_topk_params *)run->params)->axis, s->rank, run->op->name, &axis, run->err));
	if (ovl_tensor_count(run->out[0]) == 0)
		return OVL_OK;
	lines l = {ovl_dims_product(s, 0, axis), s->dims[axis], ovl_dims_product(s, axis + 1, s->rank), run->out[0]->shape.dims[axis], NULL, NULL, NULL};
	if (l.k > l.size)
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: k is %lld, dimension %d has only %lld elements", run->op->name, (long long)l.k, axis, (long long)l.size);
	l.picked = (int64_t *)ovl_calloc((size_t)l.k + 1, sizeof *l.picked);
	l.scratch = (int64_t *)ovl_calloc((size_t)l.k + 1, sizeof *l.scratch);
	ovl_status status = l.picked && l.scratch ? ovl_order_keys(run, run->in[0], &l.keys) : ovl_fail(run->err, OVL_E_MEMORY, "%s: out of memory", run->op->name);
	if (status == OVL_OK)
		status = pick_all(run, &l);
	ovl_free(l.keys);
	ovl_free(l.picked);
	ovl_free(l.scratch);
	return status;
}

#define ATTRS                                                                                                                              \
	OVL_ATTR_INT(ovl_topk_params, axis, NULL), OVL_ATTR_ENUM(ovl_topk_params, mode, NULL, "max min"),                                  \
		OVL_ATTR_ENUM(ovl_topk_params, sort, NULL, "value index none"), OVL_ATTR_TYPE(ovl_topk_params, index_element_type, "i32")
static const ovl_attr attrs[] = {ATTRS, OVL_ATTR_END};
static const ovl_attr attrs_v11[] = {ATTRS, OVL_ATTR_BOOL(ovl_topk_params, stable, "false"), OVL_ATTR_END};
#define TOPK(id, first, last, table)                                                                                                                    \
	static const ovl_op id = {.name = "TopK", .factory = "topk", .since = first, .until = last, .min_inputs = 2, .max_inputs = 2, .outputs = 2, .inputs = "data k", \
		.params_size = sizeof(ovl_topk_params), .attrs = table, .infer = infer, .run = topk_run};
TOPK(topk_v1, 1, 2, attrs)
TOPK(topk_v3, 3, 10, attrs)
TOPK(topk_v11, 11, 0, attrs_v11)

const ovl_op *const ovl_ops_topk[] = {&topk_v1, &topk_v3, &topk_v11, NULL};
