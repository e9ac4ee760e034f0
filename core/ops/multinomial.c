/* multinomial.c - Multinomial: draws class numbers by their probabilities, with or without putting them back. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_random.h"
#include "tensor/convert.h"

typedef struct multinomial_params {
	ovl_type convert_type;
	bool with_replacement, log_probs;
	int64_t global_seed, op_seed;
} multinomial_params;

static ovl_status infer(ovl_infer *in)
{
	const multinomial_params *p = (const multinomial_params *)in->params;
	ovl_pshape out = ovl_pshape_rank(2);
	bool known;
	int64_t samples;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_REAL));
	if (p->convert_type != OVL_I32 && p->convert_type != OVL_I64)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "convert_type is %s, expected i32 or i64", ovl_type_name(p->convert_type));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_INDEX));
	OVL_TRY(ovl_infer_rank(in, 0, 2, 2));
	OVL_TRY(ovl_infer_scalar(in, 1, &known, &samples));
	if (known && samples < 0)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "num_samples is %lld", (long long)samples);
	if (in->in_shape[0].ranked)
		out.dims[0] = in->in_shape[0].dims[0];
	if (known)
		out.dims[1] = ovl_dim_of(samples);
	if (known && !p->with_replacement && in->in_shape[0].ranked && samples > in->in_shape[0].dims[1].max)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "%lld samples cannot be drawn from %lld classes without putting them back", (long long)samples,
			(long long)in->in_shape[0].dims[1].max);
	ovl_infer_out(in, 0, p->convert_type, &out);
	return OVL_OK;
}

typedef struct draw {
	int64_t classes, samples;
	bool keep; /* put back */
	ovl_philox random;
	uint32_t word[4];
	int words; /* left in word */
	double *sum; /* running sums of the probabilities */
} draw;

static double unit(draw *d)
{
	if (d->words == 0) {
		ovl_philox_next(&d->random, d->word);
		d->words = 4;
	}
	d->words -= 2;
	return ovl_random_f64(d->word[2 - d->words], d->word[3 - d->words]);
}

/* The first class whose running sum reaches the draw. */
static int64_t draw_class(draw *d)
{
	double at = unit(d) * d->sum[d->classes - 1], last = 0;
	int64_t k = 0;
	for (; k < d->classes - 1; k++) {
		if (at <= d->sum[k] && d->sum[k] > last)
			break;
		last = d->sum[k] > last ? d->sum[k] : last;
	}
	if (!d->keep) {
		double gone = d->sum[k] - (k > 0 ? d->sum[k - 1] : 0);
		for (int64_t i = k; i < d->classes; i++)
			d->sum[i] -= gone;
	}
	return k;
}

static ovl_status draw_row(ovl_run *run, draw *d, int64_t row)
{
	const multinomial_params *p = (const multinomial_params *)run->params;
	double sum = 0;
	for (int64_t k = 0; k < d->classes; k++) {
		double v = ovl_tensor_f64_at(run->in[0], row * d->classes + k);
		v = p->log_probs ? exp(v) : v;
		if (!(v >= 0) || isinf(v))
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: probability %lld of row %lld is %g", run->op->name, (long long)k, (long long)row, v);
		d->sum[k] = sum += v;
	}
	if (!(sum > 0))
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: all probabilities of row %lld are zero", run->op->name, (long long)row);
	for (int64_t s = 0; s < d->samples; s++) {
		int64_t k = draw_class(d);
		ovl_convert(OVL_I64, &k, 0, run->out[0]->type, run->out[0]->data, row * d->samples + s, 1, true);
	}
	return OVL_OK;
}

static ovl_status multinomial_run(ovl_run *run)
{
	const multinomial_params *p = (const multinomial_params *)run->params;
	const ovl_shape *s = &run->in[0]->shape;
	draw d = {.classes = s->dims[1], .samples = run->out[0]->shape.dims[1], .keep = p->with_replacement,
		.random = ovl_philox_new((uint64_t)p->global_seed, (uint64_t)p->op_seed)};
	if (ovl_tensor_count(run->out[0]) == 0)
		return OVL_OK;
	if (d.classes == 0 || (!d.keep && d.samples > d.classes))
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: %lld samples cannot be drawn from %lld classes", run->op->name, (long long)d.samples, (long long)d.classes);
	d.sum = (double *)ovl_calloc((size_t)d.classes, sizeof *d.sum);
	if (!d.sum)
		return ovl_fail(run->err, OVL_E_MEMORY, "%s: out of memory", run->op->name);
	ovl_status status = OVL_OK;
	for (int64_t row = 0; row < s->dims[0] && status == OVL_OK; row++)
		status = ovl_run_cancelled(run) ? ovl_fail(run->err, OVL_E_CANCELLED, "the run was cancelled") : draw_row(run, &d, row);
	ovl_free(d.sum);
	return status;
}

static const ovl_attr attrs[] = {OVL_ATTR_TYPE(multinomial_params, convert_type, NULL), OVL_ATTR_BOOL(multinomial_params, with_replacement, NULL),
	OVL_ATTR_BOOL(multinomial_params, log_probs, NULL), OVL_ATTR_INT(multinomial_params, global_seed, "0"), OVL_ATTR_INT(multinomial_params, op_seed, "0"), OVL_ATTR_END};
static const ovl_op multinomial = {.name = "Multinomial", .since = 13, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "probs num_samples",
	.params_size = sizeof(multinomial_params), .attrs = attrs, .flags = OVL_OP_RANDOM, .infer = infer, .run = multinomial_run};

const ovl_op *const ovl_ops_multinomial[] = {&multinomial, NULL};
