/* range.c - Range: start, start + step, ... up to stop, without it. */
#include "ops/support_axes.h"
#include "tensor/convert.h"

typedef struct range_params { /* version 4 */
	ovl_type output_type;
} range_params;

/* The three numbers, in 64-bit whole numbers when all of them (and the output) are whole, else as doubles. */
typedef struct range {
	bool whole;
	int64_t i[3];
	double f[3];
	int64_t count;
} range;

static bool count_whole(range *r)
{
	int64_t start = r->i[0], stop = r->i[1], step = r->i[2];
	uint64_t span = step > 0 ? (uint64_t)stop - (uint64_t)start : (uint64_t)start - (uint64_t)stop;
	uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step, n;
	if (step > 0 ? start >= stop : start <= stop) {
		r->count = 0;
		return true;
	}
	n = (span - 1) / stride + 1;
	r->count = (int64_t)n;
	return n <= (uint64_t)INT64_MAX;
}

static bool count_real(range *r)
{
	double n = ceil((r->f[1] - r->f[0]) / r->f[2]);
	if (!(n < 0x1p62)) /* NaN too */
		return false;
	r->count = n > 0 ? (int64_t)n : 0;
	return true;
}

static ovl_status measure(const char *name, ovl_tensor *const *in, ovl_type out, range *r, ovl_error *err)
{
	r->whole = !ovl_type_is_float(out);
	for (int k = 0; k < 3; k++) {
		if (ovl_tensor_count(in[k]) != 1)
			return ovl_fail(err, OVL_E_SHAPE, "%s: start, stop and step must be scalars", name);
		r->i[k] = ovl_tensor_i64_at(in[k], 0);
		r->f[k] = ovl_tensor_f64_at(in[k], 0);
		r->whole = r->whole && (!ovl_type_is_float(in[k]->type) || (r->f[k] == trunc(r->f[k]) && fabs(r->f[k]) < 0x1p62));
		if (!isfinite(r->f[k]))
			return ovl_fail(err, OVL_E_ARGUMENT, "%s: start, stop and step must be finite", name);
	}
	/* A whole output counts with whole numbers. */
	for (int k = 0; k < 3 && !ovl_type_is_float(out); k++)
		r->f[k] = trunc(r->f[k]);
	if (r->f[2] == 0)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: the step is zero", name);
	if (!(r->whole ? count_whole(r) : count_real(r)))
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: it would have too many elements", name);
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in, ovl_type out)
{
	ovl_pshape shape = ovl_pshape_rank(1);
	bool known;
	int64_t value;
	range r = {0};
	for (int k = 0; k < 3; k++) {
		OVL_TRY(ovl_infer_type_in(in, k, OVL_MASK_NUMERIC));
		OVL_TRY(ovl_infer_scalar(in, k, &known, &value));
	}
	if (in->in_value[0] && in->in_value[1] && in->in_value[2] && out != OVL_DYNAMIC) {
		OVL_TRY(measure(in->op->name, in->in_value, out, &r, in->err));
		shape.dims[0] = ovl_dim_of(r.count);
	}
	ovl_infer_out(in, 0, out, &shape);
	return OVL_OK;
}

static ovl_status infer_v1(ovl_infer *in)
{
	ovl_type type;
	OVL_TRY(ovl_infer_input_types(in, 0, 3, &type));
	return infer(in, type);
}

static ovl_status infer_v4(ovl_infer *in)
{
	ovl_type type = ((const range_params *)in->params)->output_type;
	if (type == OVL_DYNAMIC || !(OVL_MASK(type) & OVL_MASK_NUMERIC))
		return ovl_infer_fail(in, OVL_E_TYPE, "output_type is %s, expected a number", ovl_type_name(type));
	return infer(in, type);
}

static ovl_status range_run(ovl_run *run)
{
	enum { BLOCK = 512 };
	ovl_tensor *out = run->out[0];
	union {
		int64_t i[BLOCK];
		double f[BLOCK];
	} b;
	range r = {0};
	OVL_TRY(measure(run->op->name, run->in, out->type, &r, run->err));
	if (ovl_tensor_count(out) != r.count)
		return ovl_fail(run->err, OVL_E_INTERNAL, "%s: the output was planned for another number of elements", run->op->name);
	for (int64_t at = 0; at < r.count; at += BLOCK) {
		int64_t n = r.count - at < BLOCK ? r.count - at : BLOCK;
		OVL_RUN_CHECK_CANCEL(run);
		for (int64_t k = 0; k < n; k++) {
			if (r.whole)
				b.i[k] = (int64_t)((uint64_t)r.i[0] + (uint64_t)(at + k) * (uint64_t)r.i[2]);
			else
				b.f[k] = r.f[0] + (double)(at + k) * r.f[2];
		}
		ovl_convert(r.whole ? OVL_I64 : OVL_F64, &b, 0, out->type, out->data, at, n, true);
	}
	return OVL_OK;
}

static const ovl_attr attrs[] = {OVL_ATTR_TYPE(range_params, output_type, NULL), OVL_ATTR_END};
static const ovl_op range_v1 = {.name = "Range", .since = 1, .until = 3, .min_inputs = 3, .max_inputs = 3, .outputs = 1, .inputs = "start stop step", .infer = infer_v1,
	.run = range_run};
static const ovl_op range_v4 = {.name = "Range", .since = 4, .min_inputs = 3, .max_inputs = 3, .outputs = 1, .inputs = "start stop step",
	.params_size = sizeof(range_params), .attrs = attrs, .infer = infer_v4, .run = range_run};

const ovl_op *const ovl_ops_range[] = {&range_v1, &range_v4, NULL};
