/* is_finite.c - IsFinite, IsInf, IsNaN: tests of floats. */
#include "ops/support_axes.h"
#include "tensor/convert.h"

enum { FINITE = 1, NAN_ = 2, POSITIVE = 4, NEGATIVE = 8, BLOCK = 512 };

typedef struct is_inf_params {
	bool detect_negative, detect_positive;
} is_inf_params;

static int kind_of(double v) { return v != v ? NAN_ : v > 0 && isinf(v) ? POSITIVE : v < 0 && isinf(v) ? NEGATIVE : FINITE; }

/* f64 holds all values of all floats. */
static ovl_status test_run(ovl_run *run, int wanted)
{
	const ovl_tensor *x = run->in[0];
	uint8_t *y = (uint8_t *)run->out[0]->data;
	int64_t count = ovl_tensor_count(x);
	double b[BLOCK];
	for (int64_t i = 0; i < count; i += BLOCK) {
		int64_t n = count - i < BLOCK ? count - i : BLOCK;
		OVL_RUN_CHECK_CANCEL(run);
		ovl_convert(x->type, x->data, i, OVL_F64, b, 0, n, true);
		for (int64_t k = 0; k < n; k++)
			y[i + k] = (kind_of(b[k]) & wanted) != 0;
	}
	return OVL_OK;
}

static ovl_status is_infer(ovl_infer *in)
{
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_REAL));
	ovl_infer_out(in, 0, OVL_BOOLEAN, &in->in_shape[0]);
	return OVL_OK;
}

static ovl_status is_finite_run(ovl_run *run) { return test_run(run, FINITE); }
static ovl_status is_nan_run(ovl_run *run) { return test_run(run, NAN_); }
static ovl_status is_inf_run(ovl_run *run)
{
	const is_inf_params *p = (const is_inf_params *)run->params;
	return test_run(run, (p->detect_negative ? NEGATIVE : 0) | (p->detect_positive ? POSITIVE : 0));
}

static const ovl_attr is_inf_attrs[] = {OVL_ATTR_BOOL(is_inf_params, detect_negative, "true"), OVL_ATTR_BOOL(is_inf_params, detect_positive, "true"), OVL_ATTR_END};
static const ovl_op is_finite = {.name = "IsFinite", .factory = "is_finite", .since = 10, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data",
	.infer = is_infer, .run = is_finite_run};
static const ovl_op is_nan = {.name = "IsNaN", .factory = "is_nan", .since = 10, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .infer = is_infer,
	.run = is_nan_run};
static const ovl_op is_inf = {.name = "IsInf", .factory = "is_inf", .since = 10, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data",
	.params_size = sizeof(is_inf_params), .attrs = is_inf_attrs, .infer = is_infer, .run = is_inf_run};

const ovl_op *const ovl_ops_is_finite[] = {&is_finite, &is_nan, &is_inf, NULL};
