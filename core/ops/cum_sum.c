/* cum_sum.c - CumSum, CumProd: running sums and products along an axis. */
#include "ops/support_axes.h"
#include "ops/support_move.h"

typedef struct cum_sum_params {
	bool exclusive, reverse;
} cum_sum_params;

static ovl_status infer(ovl_infer *in)
{
	bool known;
	int axis;
	int64_t value;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_ARITHMETIC));
	if (in->n_in > 1 && in->in_shape[0].ranked)
		OVL_TRY(ovl_infer_axis(in, 1, in->in_shape[0].rank, &known, &axis));
	else if (in->n_in > 1)
		OVL_TRY(ovl_infer_scalar(in, 1, &known, &value));
	return ovl_infer_same(in);
}

/* Elements from, from + step, ... (n of them, step may be negative). */
#define LINE(TYPE, T, W, LOAD, STORE)                                                     \
	case TYPE: {                                                                      \
		const T *x = (const T *)in->data + from;                                  \
		T *y = (T *)out->data + from;                                             \
		W sum = product;                                                          \
		for (int64_t i = 0; i < n; i++) {                                         \
			W v = (W)LOAD(x[i * step]), next = product ? sum * v : sum + v;    \
			y[i * step] = STORE(exclusive ? sum : next);                      \
			sum = next;                                                       \
		}                                                                         \
		break;                                                                    \
	}
#define WHOLE_LINE(TYPE, T, W, LOAD, STORE) LINE(TYPE, T, uint64_t, LOAD, (T))
static void line(const ovl_tensor *in, ovl_tensor *out, int64_t from, int64_t step, int64_t n, bool exclusive, bool product)
{
	switch (in->type) {
		LINE(OVL_F32, float, double, OVL_AS_IS, (float))
		LINE(OVL_F64, double, double, OVL_AS_IS, OVL_AS_IS)
		LINE(OVL_F16, uint16_t, float, ovl_f16_to_f32, ovl_f32_to_f16)
		LINE(OVL_BF16, uint16_t, float, ovl_bf16_to_f32, ovl_f32_to_bf16)
		OVL_EACH_INTEGER(WHOLE_LINE)
	default: break;
	}
}

static ovl_status cum_sum_run(ovl_run *run)
{
	if (ovl_run_narrow(run))
		return ovl_run_unpacked(run, cum_sum_run);
	const cum_sum_params *p = (const cum_sum_params *)run->params;
	const ovl_shape *s = &run->in[0]->shape;
	int axis = 0;
	bool product = run->op->name[3] == 'P';
	if (s->rank == 0) {
		line(run->in[0], run->out[0], 0, 1, 1, p->exclusive, product);
		return OVL_OK;
	}
	if (run->n_in > 1)
		OVL_TRY(ovl_run_axis(run, 1, s->rank, &axis));
	if (ovl_tensor_count(run->out[0]) == 0)
		return OVL_OK;
	int64_t outer = ovl_dims_product(s, 0, axis), n = s->dims[axis], inner = ovl_dims_product(s, axis + 1, s->rank);
	for (int64_t o = 0; o < outer; o++) {
		OVL_RUN_CHECK_CANCEL(run);
		for (int64_t i = 0; i < inner; i++)
			line(run->in[0], run->out[0], (o * n + (p->reverse ? n - 1 : 0)) * inner + i, p->reverse ? -inner : inner, n, p->exclusive, product);
	}
	return OVL_OK;
}

static const ovl_attr attrs[] = {OVL_ATTR_BOOL(cum_sum_params, exclusive, "false"), OVL_ATTR_BOOL(cum_sum_params, reverse, "false"), OVL_ATTR_END};
static const ovl_op cum_sum = {.name = "CumSum", .since = 3, .min_inputs = 1, .max_inputs = 2, .outputs = 1, .inputs = "arg axis", .params_size = sizeof(cum_sum_params),
	.attrs = attrs, .infer = infer, .run = cum_sum_run};
static const ovl_op cum_prod = {.name = "CumProd", .since = 1, .min_inputs = 1, .max_inputs = 2, .outputs = 1, .inputs = "arg axis", .flags = OVL_OP_NO_BUILDER,
	.params_size = sizeof(cum_sum_params), .attrs = attrs, .infer = infer, .run = cum_sum_run};

const ovl_op *const ovl_ops_cum_sum[] = {&cum_sum, &cum_prod, NULL};
