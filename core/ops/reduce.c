/* reduce.c - ReduceSum, Mean, Prod, Max, Min, L1, L2, LogicalAnd, LogicalOr: many elements along some axes become one. Floats are gathered in f64, whole numbers in 64
 * bits. Nothing at all gives 0 (sum, mean of whole numbers, norms), 1 (product), the lowest or highest number (max, min), NaN (mean of floats). */
#include "ops/reduce.h"
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_walk.h"
#include "tensor/convert.h"

enum { LIST = OVL_MAX_RANK * 2 };
typedef enum how { SUM, MEAN, PROD, MAX, MIN, L1, L2, AND, OR } how;

/* ---- shapes ---- */

static ovl_status reduced_shape(ovl_infer *in, const int64_t *axes, int n, bool keep, ovl_pshape *out)
{
	const ovl_pshape *data = &in->in_shape[0];
	bool gone[OVL_MAX_RANK] = {false};
	for (int i = 0; i < n; i++) {
		int d;
		OVL_TRY(ovl_axis(axes[i], data->rank, in->op->name, &d, in->err));
		gone[d] = true;
	}
	*out = ovl_pshape_rank(0);
	for (int d = 0; d < data->rank; d++)
		if (!gone[d])
			out->dims[out->rank++] = data->dims[d];
		else if (keep)
			out->dims[out->rank++] = ovl_dim_of(1);
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in, uint32_t mask)
{
	bool keep = ((const ovl_reduce_params *)in->params)->keep_dims, known;
	const ovl_pshape *data = &in->in_shape[0];
	ovl_pshape out = ovl_pshape_any();
	int64_t axes[LIST];
	int n;
	ovl_dim length;
	OVL_TRY(ovl_infer_type_in(in, 0, mask));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_length(in, 1, &length));
	OVL_TRY(ovl_infer_ints(in, 1, &known, axes, LIST, &n));
	if (data->ranked && known)
		OVL_TRY(reduced_shape(in, axes, n, keep, &out));
	else if (data->ranked && keep) {
		out = *data; /* each size stays or becomes 1 */
		for (int d = 0; d < out.rank; d++)
			out.dims[d] = (ovl_dim){data->dims[d].min < 1 ? data->dims[d].min : 1, data->dims[d].max > 1 ? data->dims[d].max : 1};
	} else if (data->ranked && in->in_shape[1].ranked && length.min == 1 && length.max == 1 && data->rank > 0)
		out = ovl_pshape_rank(data->rank - 1);
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status infer_numbers(ovl_infer *in) { return infer(in, OVL_MASK_ARITHMETIC); }
static ovl_status infer_booleans(ovl_infer *in) { return infer(in, OVL_MASK(OVL_BOOLEAN)); }

/* ---- gathering: a row of n elements into cells that are `step` apart (0: all into one) ---- */

typedef void (*gather)(const void *row, void *cells, int64_t step, int64_t n);

#define GATHER(name, T, expression)                                               \
	static void name(const void *row, void *cells, int64_t step, int64_t n)   \
	{                                                                         \
		const T *from = (const T *)row;                                   \
		T *to = (T *)cells;                                               \
		if (step == 0) {                                                  \
			T a = *to;                                                \
			for (int64_t i = 0; i < n; i++) {                         \
				T x = from[i];                                    \
				a = (expression);                                 \
			}                                                         \
			*to = a;                                                  \
			return;                                                   \
		}                                                                 \
		for (int64_t i = 0; i < n; i++) {                                 \
			T x = from[i], a = to[i * step];                          \
			to[i * step] = (expression);                              \
		}                                                                 \
	}
#define MINUS(x) ((uint64_t)0 - (uint64_t)(x))
GATHER(sum_f, double, a + x)
GATHER(prod_f, double, a *x)
GATHER(max_f, double, x > a || x != x ? x : a)
GATHER(min_f, double, x < a || x != x ? x : a)
GATHER(l1_f, double, a + fabs(x))
GATHER(l2_f, double, a + x * x)
GATHER(sum_i, int64_t, (int64_t)((uint64_t)a + (uint64_t)x))
GATHER(prod_i, int64_t, (int64_t)((uint64_t)a * (uint64_t)x))
GATHER(max_i, int64_t, x > a ? x : a)
GATHER(min_i, int64_t, x < a ? x : a)
GATHER(l1_i, int64_t, (int64_t)((uint64_t)a + (x < 0 ? MINUS(x) : (uint64_t)x)))
GATHER(max_u, uint64_t, x > a ? x : a)
GATHER(min_u, uint64_t, x < a ? x : a)
GATHER(l1_u, uint64_t, a + x)
GATHER(and_i, int64_t, a && x)
GATHER(or_i, int64_t, a || x)

/* The type that is worked in; L2 of whole numbers needs a root. */
static ovl_type working_type(how h, ovl_type t) { return ovl_type_is_float(t) || h == L2 ? OVL_F64 : t == OVL_U64 ? OVL_U64 : OVL_I64; }

static gather pick(how h, ovl_type work)
{
	static const gather of_float[] = {[SUM] = sum_f, [MEAN] = sum_f, [PROD] = prod_f, [MAX] = max_f, [MIN] = min_f, [L1] = l1_f, [L2] = l2_f};
	static const gather of_signed[] = {[SUM] = sum_i, [MEAN] = sum_i, [PROD] = prod_i, [MAX] = max_i, [MIN] = min_i, [L1] = l1_i, [AND] = and_i, [OR] = or_i};
	static const gather of_unsigned[] = {[SUM] = sum_i, [MEAN] = sum_i, [PROD] = prod_i, [MAX] = max_u, [MIN] = min_u, [L1] = l1_u};
	return work == OVL_F64 ? of_float[h] : work == OVL_U64 ? of_unsigned[h] : of_signed[h];
}

/* What a cell holds before anything came. Highest and lowest numbers are cut to the output's type when they are stored. */
static void start_cells(how h, ovl_type work, void *cells, int64_t n)
{
	double *f = (double *)cells;
	int64_t *i = (int64_t *)cells;
	for (int64_t k = 0; k < n; k++) {
		if (work == OVL_F64)
			f[k] = h == PROD ? 1 : h == MAX ? -INFINITY : h == MIN ? INFINITY : 0;
		else if (work == OVL_U64)
			i[k] = h == PROD ? 1 : h == MIN ? -1 : 0;
		else
			i[k] = h == PROD || h == AND ? 1 : h == MAX ? INT64_MIN : h == MIN ? INT64_MAX : 0;
	}
}

static void finish_cells(how h, ovl_type work, void *cells, int64_t n, int64_t per_cell)
{
	double *f = (double *)cells;
	int64_t *i = (int64_t *)cells;
	uint64_t *u = (uint64_t *)cells;
	for (int64_t k = 0; k < n; k++) {
		if (h == L2)
			f[k] = sqrt(f[k]);
		else if (h == MEAN && work == OVL_F64)
			f[k] /= (double)per_cell;
		else if (h == MEAN && per_cell > 0 && work == OVL_U64)
			u[k] /= (uint64_t)per_cell;
		else if (h == MEAN && per_cell > 0)
			i[k] /= per_cell;
	}
}

/* Converts the data a block at a time and hands each block to the gathering function. */
static ovl_status gather_all(ovl_run *run, gather fn, ovl_type work, const int64_t *cell_strides, char *cells)
{
	enum { BLOCK = 512 };
	const ovl_tensor *x = run->in[0];
	int64_t block[BLOCK], dense[OVL_MAX_RANK];
	ovl_dense_strides(&x->shape, dense);
	ovl_walk w;
	ovl_walk_start(&w, &x->shape, 2, (const int64_t *const[]){dense, cell_strides});
	for (; !w.done; ovl_walk_next(&w)) {
		OVL_RUN_CHECK_CANCEL(run);
		for (int64_t i = 0; i < w.inner; i += BLOCK) {
			int64_t n = w.inner - i < BLOCK ? w.inner - i : BLOCK;
			ovl_convert(x->type, x->data, w.pos[0] + i, work, block, 0, n, true);
			fn(block, cells + (w.pos[1] + i * w.step[1]) * 8, w.step[1], n);
		}
	}
	return OVL_OK;
}

/* Strides of the output over the dimensions of the data: 0 where they are reduced. */
static ovl_status cell_layout(ovl_run *run, int64_t *strides, int64_t *per_cell)
{
	const ovl_shape *s = &run->in[0]->shape;
	int64_t axes[LIST], n, step = 1;
	bool gone[OVL_MAX_RANK] = {false};
	OVL_TRY(ovl_run_ints(run, 1, axes, LIST, &n));
	for (int64_t k = 0; k < n; k++) {
		int d;
		OVL_TRY(ovl_axis(axes[k], s->rank, run->op->name, &d, run->err));
		gone[d] = true;
	}
	*per_cell = 1;
	for (int d = s->rank - 1; d >= 0; d--) {
		strides[d] = gone[d] ? 0 : step;
		*(gone[d] ? per_cell : &step) *= s->dims[d];
	}
	if (step != ovl_tensor_count(run->out[0]))
		return ovl_fail(run->err, OVL_E_INTERNAL, "%s: the output was planned for other axes", run->op->name);
	return OVL_OK;
}

static ovl_status reduce(ovl_run *run, how h)
{
	ovl_tensor *out = run->out[0];
	ovl_type work = working_type(h, out->type);
	int64_t strides[OVL_MAX_RANK], per_cell = 1, n = ovl_tensor_count(out);
	OVL_TRY(cell_layout(run, strides, &per_cell));
	char *cells = (char *)ovl_calloc((size_t)n + 1, 8);
	if (!cells)
		return ovl_fail(run->err, OVL_E_MEMORY, "%s: out of memory", run->op->name);
	start_cells(h, work, cells, n);
	ovl_status status = gather_all(run, pick(h, work), work, strides, cells);
	if (status == OVL_OK) {
		finish_cells(h, work, cells, n, per_cell);
		/* Sums of whole numbers keep their low bits; extremes of nothing are cut to what the type holds. */
		ovl_convert(work, cells, 0, out->type, out->data, 0, n, h != MAX && h != MIN);
	}
	ovl_free(cells);
	return status;
}

static const ovl_attr attrs[] = {OVL_ATTR_BOOL(ovl_reduce_params, keep_dims, "false"), OVL_ATTR_END};
#define REDUCE(id, type_name, opset, HOW, infer_fn, factory_name)                                                                                    \
	static ovl_status id##_run(ovl_run *run) { return reduce(run, HOW); }                                                                        \
	static const ovl_op id = {.name = type_name, .factory = factory_name, .since = opset, .min_inputs = 2, .max_inputs = 2, .outputs = 1,        \
		.inputs = "node reduction_axes", .params_size = sizeof(ovl_reduce_params), .attrs = attrs, .infer = infer_fn, .run = id##_run};
REDUCE(reduce_sum, "ReduceSum", 1, SUM, infer_numbers, NULL)
REDUCE(reduce_mean, "ReduceMean", 1, MEAN, infer_numbers, NULL)
REDUCE(reduce_prod, "ReduceProd", 1, PROD, infer_numbers, NULL)
REDUCE(reduce_max, "ReduceMax", 1, MAX, infer_numbers, NULL)
REDUCE(reduce_min, "ReduceMin", 1, MIN, infer_numbers, NULL)
REDUCE(reduce_l1, "ReduceL1", 4, L1, infer_numbers, "reduce_l1")
REDUCE(reduce_l2, "ReduceL2", 4, L2, infer_numbers, "reduce_l2")
REDUCE(reduce_and, "ReduceLogicalAnd", 1, AND, infer_booleans, NULL)
REDUCE(reduce_or, "ReduceLogicalOr", 1, OR, infer_booleans, NULL)

const ovl_op *const ovl_ops_reduce[] = {&reduce_sum, &reduce_mean, &reduce_prod, &reduce_max, &reduce_min, &reduce_l1, &reduce_l2, &reduce_and, &reduce_or, NULL};
