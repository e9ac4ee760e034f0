/* FakeQuantize and FakeConvert: floats brought to the values a narrower type could hold. */
#include "ops/support_walk.h"
#include "ops/support_work.h"

typedef struct params {
	int64_t levels;
	int auto_broadcast;
	int destination_type; /* FakeConvert: 0 f8e4m3, 1 f8e5m2 */
} params;

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	ovl_pshape out = in->in_shape[0];
	ovl_type type;
	bool quantize = in->op->name[4] == 'Q';
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	if (quantize && p->levels < 2)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "levels is %lld, expected at least 2", (long long)p->levels);
	for (int i = 1; i < in->n_in; i++) {
		OVL_TRY(ovl_infer_merge_types(in, 0, i, &type));
		if (!ovl_pshape_broadcast(&out, &in->in_shape[i], &out))
			return ovl_infer_fail(in, OVL_E_SHAPE, "input %d does not broadcast to data", i);
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status strides_of(ovl_work *w, int i, const ovl_shape *s, int64_t *strides)
{
	if (!ovl_walk_broadcast(ovl_work_shape(w, i), s, strides))
		return ovl_work_fail(w, OVL_E_SHAPE, "input %d does not broadcast to data", i);
	return OVL_OK;
}

static double quantize_one(double x, double low, double high, double out_low, double out_high, double steps)
{
	if (x <= fmin(low, high))
		return out_low;
	if (x > fmax(low, high))
		return out_high;
	return nearbyint((x - low) / (high - low) * steps) / steps * (out_high - out_low) + out_low;
}

static ovl_status quantize(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = &w->run->out[0]->shape;
	int64_t strides[6][OVL_MAX_RANK];
	const double *in[5];
	double *y;
	ovl_walk k;
	for (int i = 0; i < 5; i++) {
		OVL_TRY(strides_of(w, i, s, strides[i]));
		OVL_TRY(ovl_work_f64(w, i, &in[i]));
	}
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	ovl_dense_strides(s, strides[5]);
	for (ovl_walk_start(&k, s, 6, (const int64_t *const[]){strides[0], strides[1], strides[2], strides[3], strides[4], strides[5]}); !k.done;
		ovl_walk_next(&k)) {
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int64_t i = 0; i < k.inner; i++) {
			double v[5];
			for (int j = 0; j < 5; j++)
				v[j] = in[j][k.pos[j] + i * k.step[j]];
			y[k.pos[5] + i * k.step[5]] = quantize_one(v[0], v[1], v[2], v[3], v[4], (double)(p->levels - 1));
		}
	}
	return OVL_OK;
}

static double through_f8(double x, bool e5m2)
{
	float limit = e5m2 ? 57344.0f : 448.0f, v = (float)x;
	v = v > limit ? limit : v < -limit ? -limit : v;
	return e5m2 ? ovl_f8e5m2_to_f32(ovl_f32_to_f8e5m2(v)) : ovl_f8e4m3_to_f32(ovl_f32_to_f8e4m3(v));
}

static ovl_status convert(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = &w->run->out[0]->shape;
	int64_t strides[4][OVL_MAX_RANK];
	bool shifted = ovl_work_has(w, 2);
	const double *x, *scale, *shift = NULL;
	double *y;
	ovl_walk k;
	OVL_TRY(strides_of(w, 0, s, strides[0]));
	OVL_TRY(strides_of(w, 1, s, strides[1]));
	OVL_TRY(strides_of(w, shifted ? 2 : 1, s, strides[2]));
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_f64(w, 1, &scale));
	if (shifted)
		OVL_TRY(ovl_work_f64(w, 2, &shift));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	ovl_dense_strides(s, strides[3]);
	for (ovl_walk_start(&k, s, 4, (const int64_t *const[]){strides[0], strides[1], strides[2], strides[3]}); !k.done; ovl_walk_next(&k)) {
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int64_t i = 0; i < k.inner; i++) {
			double by = scale[k.pos[1] + i * k.step[1]], less = shifted ? shift[k.pos[2] + i * k.step[2]] : 0;
			y[k.pos[3] + i * k.step[3]] = (through_f8(x[k.pos[0] + i * k.step[0]] * by - less, p->destination_type == 1) + less) / by;
		}
	}
	return OVL_OK;
}

static ovl_status quantize_run(ovl_run *run) { return ovl_work_run(run, quantize); }

static ovl_status convert_run(ovl_run *run) { return ovl_work_run(run, convert); }

static const ovl_attr quantize_attrs[] = {
	OVL_ATTR_INT(params, levels, NULL),
	OVL_ATTR_ENUM(params, auto_broadcast, "numpy", "numpy none explicit pdpd"),
	OVL_ATTR_END,
};
static const ovl_attr convert_attrs[] = {OVL_ATTR_ENUM(params, destination_type, "f8e4m3", "f8e4m3 f8e5m2"), OVL_ATTR_END};

static const ovl_op fake_quantize_v1 = {
	.name = "FakeQuantize",
	.since = 1,
	.min_inputs = 5,
	.max_inputs = 5,
	.outputs = 1,
	.inputs = "data input_low input_high output_low output_high",
	.params_size = sizeof(params),
	.attrs = quantize_attrs,
	.infer = infer,
	.run = quantize_run,
};

static const ovl_op fake_convert_v13 = {
	.name = "FakeConvert",
	.since = 13,
	.min_inputs = 2,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "data scale shift",
	.params_size = sizeof(params),
	.attrs = convert_attrs,
	.infer = infer,
	.run = convert_run,
};

const ovl_op *const ovl_ops_fake_quantize[] = {&fake_quantize_v1, &fake_convert_v13, NULL};
