/* scatter_elements.c - ScatterElementsUpdate: data[.., indices[.., i, ..], ..] meets updates[.., i, ..]. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"
#include "ops/support_scatter.h"
#include "ops/support_walk.h"
#include "tensor/convert.h"

enum { NONE, SUM, PROD, MIN, MAX, MEAN };
typedef struct scatter_elements_params { /* version 12 */
	int reduction;
	bool use_init_val;
} scatter_elements_params;

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *data = &in->in_shape[0], *indices = &in->in_shape[1], *updates = &in->in_shape[2];
	ovl_type type;
	ovl_pshape merged;
	bool known;
	int axis;
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE | OVL_MASK(OVL_BOOLEAN)));
	OVL_TRY(ovl_infer_type_in(in, 3, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_merge_types(in, 0, 2, &type));
	if (data->ranked)
		OVL_TRY(ovl_infer_axis(in, 3, data->rank, &known, &axis));
	if (data->ranked && indices->ranked && data->rank != indices->rank)
		return ovl_infer_fail(in, OVL_E_SHAPE, "the data has %d dimensions, the indices have %d", data->rank, indices->rank);
	if (!ovl_pshape_merge(indices, updates, &merged))
		return ovl_infer_fail(in, OVL_E_SHAPE, "indices and updates must be of one shape");
	if (in->op->params_size && ((const scatter_elements_params *)in->params)->reduction == MEAN && type == OVL_BOOLEAN)
		return ovl_infer_fail(in, OVL_E_TYPE, "booleans have no mean");
	ovl_infer_out(in, 0, type, data);
	return OVL_OK;
}

/* Where update number i of the indices' dense order goes: one pass over a walk. fn gets both positions. */
typedef ovl_status (*visit)(ovl_run *run, int64_t to, int64_t from, void *user);

static ovl_status each(ovl_run *run, int axis, const int64_t *index, visit fn, void *user)
{
	const ovl_shape *shape = &run->in[1]->shape;
	int64_t size = run->in[0]->shape.dims[axis], to[OVL_MAX_RANK], at[OVL_MAX_RANK];
	ovl_dense_strides(&run->in[0]->shape, to);
	ovl_dense_strides(shape, at);
	int64_t stride = to[axis];
	to[axis] = 0;
	ovl_walk w;
	ovl_walk_start(&w, shape, 2, (const int64_t *const[]){to, at});
	for (; !w.done; ovl_walk_next(&w)) {
		OVL_RUN_CHECK_CANCEL(run);
		for (int64_t i = 0; i < w.inner; i++) {
			int64_t from = w.pos[1] + i, k = index[from];
			if (k >= size || k < -size)
				return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: index %lld (element %lld of the indices) is outside of a dimension of size %lld", run->op->name, (long long)k,
					(long long)from, (long long)size);
			OVL_TRY(fn(run, w.pos[0] + i * w.step[0] + (k < 0 ? k + size : k) * stride, from, user));
		}
	}
	return OVL_OK;
}

static ovl_status put(ovl_run *run, int64_t to, int64_t from, void *user)
{
	return ovl_scatter_into(run, *(const ovl_scatter *)user, run->out[0], to, run->in[2], from, 1);
}

/* The number that a reduction starts from when the element itself does not count. */
static double neutral(int reduction) { return reduction == PROD ? 1 : reduction == MIN ? INFINITY : reduction == MAX ? -INFINITY : 0; }

static ovl_status clear(ovl_run *run, int64_t to, int64_t from, void *user)
{
	double start = neutral(((const scatter_elements_params *)run->params)->reduction);
	(void)from;
	(void)user;
	if (run->out[0]->type == OVL_BOOLEAN)
		start = start > 0;
	ovl_convert(OVL_F64, &start, 0, run->out[0]->type, run->out[0]->data, to, 1, false);
	return OVL_OK;
}

/* ---- mean: sums and counts of all touched elements, then one division ---- */

typedef struct means {
	bool real, init;
	double *sum; /* or of int64_t */
	int64_t *count;
} means;

static ovl_status add(ovl_run *run, int64_t to, int64_t from, void *user)
{
	means *m = (means *)user;
	int64_t *whole = (int64_t *)m->sum;
	if (m->count[to] == 0 && m->init) {
		m->count[to] = 1;
		ovl_convert(run->in[0]->type, run->in[0]->data, to, m->real ? OVL_F64 : OVL_I64, m->sum, to, 1, true);
	}
	m->count[to]++;
	if (m->real)
		m->sum[to] += ovl_tensor_f64_at(run->in[2], from);
	else
		whole[to] = (int64_t)((uint64_t)whole[to] + (uint64_t)ovl_tensor_i64_at(run->in[2], from));
	return OVL_OK;
}

static void divide(const ovl_run *run, const means *m)
{
	int64_t *whole = (int64_t *)m->sum, n = ovl_tensor_count(run->out[0]);
	for (int64_t i = 0; i < n; i++) {
		if (m->count[i] == 0)
			continue;
		if (m->real)
			m->sum[i] /= (double)m->count[i];
		else /* rounded down */
			whole[i] = whole[i] / m->count[i] - (whole[i] % m->count[i] < 0);
		ovl_convert(m->real ? OVL_F64 : OVL_I64, m->sum, i, run->out[0]->type, run->out[0]->data, i, 1, true);
	}
}

static ovl_status mean(ovl_run *run, int axis, const int64_t *index, bool init)
{
	size_t n = (size_t)ovl_tensor_count(run->out[0]);
	means m = {ovl_type_is_float(run->out[0]->type), init, (double *)ovl_calloc(n + 1, sizeof(double)), (int64_t *)ovl_calloc(n + 1, sizeof(int64_t))};
	ovl_status status = m.sum && m.count ? each(run, axis, index, add, &m) : ovl_fail(run->err, OVL_E_MEMORY, "%s: out of memory", run->op->name);
	if (status == OVL_OK)
		divide(run, &m);
	ovl_free(m.sum);
	ovl_free(m.count);
	return status;
}

static ovl_status reduce(ovl_run *run, int axis, const int64_t *index)
{
	static const ovl_scatter how_of[] = {[NONE] = OVL_SCATTER_NONE, [SUM] = OVL_SCATTER_SUM, [PROD] = OVL_SCATTER_PROD, [MIN] = OVL_SCATTER_MIN, [MAX] = OVL_SCATTER_MAX};
	const scatter_elements_params *p = (const scatter_elements_params *)run->params;
	int reduction = run->op->params_size ? p->reduction : NONE;
	if (reduction == MEAN)
		return mean(run, axis, index, p->use_init_val);
	ovl_scatter how = how_of[reduction];
	if (reduction != NONE && !p->use_init_val)
		OVL_TRY(each(run, axis, index, clear, NULL));
	return each(run, axis, index, put, &how);
}

static ovl_status scatter_elements_run(ovl_run *run)
{
	if (ovl_run_narrow(run))
		return ovl_run_unpacked(run, scatter_elements_run);
	const ovl_shape *data = &run->in[0]->shape, *indices = &run->in[1]->shape;
	int64_t *index;
	int axis;
	OVL_TRY(ovl_run_axis(run, 3, data->rank, &axis));
	if (data->rank != indices->rank || !ovl_shape_equal(indices, &run->in[2]->shape))
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: indices and updates must be of one shape and of the data's rank", run->op->name);
	for (int d = 0; d < data->rank; d++)
		if (d != axis && indices->dims[d] > data->dims[d])
			return ovl_fail(run->err, OVL_E_SHAPE, "%s: the indices are larger than the data in dimension %d", run->op->name, d);
	OVL_TRY(ovl_move_row(run, run->out[0], 0, run->in[0], 0, ovl_tensor_count(run->in[0])));
	OVL_TRY(ovl_run_indices(run, 1, &index));
	ovl_status status = reduce(run, axis, index);
	ovl_free(index);
	return status;
}

static const ovl_attr attrs[] = {OVL_ATTR_ENUM(scatter_elements_params, reduction, "none", "none sum prod min max mean"),
	OVL_ATTR_BOOL(scatter_elements_params, use_init_val, "true"), OVL_ATTR_END};
static const ovl_op scatter_elements_v3 = {.name = "ScatterElementsUpdate", .since = 3, .until = 11, .min_inputs = 4, .max_inputs = 4, .outputs = 1,
	.inputs = "data indices updates axis", .infer = infer, .run = scatter_elements_run};
static const ovl_op scatter_elements_v12 = {.name = "ScatterElementsUpdate", .since = 12, .min_inputs = 4, .max_inputs = 4, .outputs = 1,
	.inputs = "data indices updates axis", .params_size = sizeof(scatter_elements_params), .attrs = attrs, .infer = infer, .run = scatter_elements_run};

const ovl_op *const ovl_ops_scatter_elements[] = {&scatter_elements_v3, &scatter_elements_v12, NULL};
