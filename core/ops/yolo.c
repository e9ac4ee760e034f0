/* RegionYolo and ReorgYolo. */
#include "ops/support_work.h"

typedef struct params {
	int64_t coords, classes, num, axis, end_axis;
	bool do_softmax;
	ovl_ints mask;
	ovl_floats anchors;
	ovl_ints stride; /* ReorgYolo */
} params;

static ovl_status infer_region(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *x = &in->in_shape[0];
	ovl_pshape out = ovl_pshape_any();
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, 0, 4, 4));
	if (p->coords < 2 || p->classes < 1 || p->num < 1 || p->coords > 1 << 20 || p->classes > 1 << 20 || p->num > 1 << 20)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "coords, classes and num must be positive");
	if (x->ranked && p->do_softmax) { /* dimensions axis..end_axis become one */
		int axis, end;
		OVL_TRY(ovl_axis(p->axis, x->rank, "RegionYolo", &axis, in->err));
		OVL_TRY(ovl_axis(p->end_axis, x->rank, "RegionYolo", &end, in->err));
		if (end < axis)
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "end_axis lies before axis");
		out = ovl_pshape_rank(0);
		for (int d = 0; d < x->rank; d++)
			if (d > axis && d <= end)
				out.dims[out.rank - 1] = ovl_dim_mul(out.dims[out.rank - 1], x->dims[d]);
			else
				out.dims[out.rank++] = x->dims[d];
	} else if (x->ranked) {
		out = *x;
		out.dims[1] = ovl_dim_of((p->classes + p->coords + 1) * (int64_t)p->mask.n);
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static void logistic(double *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		x[i] = 1 / (1 + exp(-x[i]));
}

/* Softmax of n numbers `step` apart. */
static void softmax(double *x, int64_t n, int64_t step)
{
	double top = x[0], sum = 0;
	for (int64_t i = 1; i < n; i++)
		top = x[i * step] > top ? x[i * step] : top;
	for (int64_t i = 0; i < n; i++)
		sum += x[i * step] = exp(x[i * step] - top);
	for (int64_t i = 0; i < n; i++)
		x[i * step] /= sum;
}

static ovl_status region(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	int64_t entries = p->coords + p->classes + 1, area = s->dims[2] * s->dims[3], regions = p->do_softmax ? p->num : (int64_t)p->mask.n;
	int64_t image = s->dims[1] * area;
	const double *x;
	double *y;
	if (s->dims[1] != entries * regions)
		return ovl_work_fail(w, OVL_E_SHAPE, "data has %lld channels, expected %lld", (long long)s->dims[1], (long long)(entries * regions));
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	memcpy(y, x, (size_t)(s->dims[0] * image) * sizeof *y);
	for (int64_t r = 0; r < s->dims[0] * regions; r++, y += entries * area) {
		OVL_RUN_CHECK_CANCEL(w->run);
		logistic(y, 2 * area);
		logistic(y + p->coords * area, (p->do_softmax ? 1 : p->classes + 1) * area);
		for (int64_t i = 0; p->do_softmax && i < area; i++)
			softmax(y + (p->coords + 1) * area + i, p->classes, area);
	}
	return OVL_OK;
}

static ovl_status infer_reorg(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *x = &in->in_shape[0];
	int64_t stride = p->stride.n ? p->stride.at[0] : 0;
	ovl_pshape out = *x;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC | OVL_MASK(OVL_BOOLEAN)));
	OVL_TRY(ovl_infer_rank(in, 0, 4, 4));
	if (stride < 1 || stride > 1 << 15)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "stride is %lld", (long long)stride);
	if (x->ranked) {
		if (ovl_dim_static(x->dims[1]) && x->dims[1].min < stride * stride)
			return ovl_infer_fail(in, OVL_E_SHAPE, "%lld channels are fewer than stride * stride", (long long)x->dims[1].min);
		out.dims[1] = ovl_dim_mul(x->dims[1], ovl_dim_of(stride * stride));
		for (int d = 2; d < 4; d++) {
			if (ovl_dim_static(x->dims[d]) && x->dims[d].min % stride)
				return ovl_infer_fail(in, OVL_E_SHAPE, "a size of %lld is no multiple of the stride %lld", (long long)x->dims[d].min,
					(long long)stride);
			out.dims[d] = (ovl_dim){x->dims[d].min / stride, x->dims[d].max == OVL_DIM_MAX ? OVL_DIM_MAX : x->dims[d].max / stride};
		}
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* Darknet's order: data is taken as [C / s^2, H * s, W * s], whose entries go to [C, H, W] of the output memory. */
static ovl_status reorg(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *x = ovl_work_shape(w, 0);
	int64_t s = p->stride.at[0], c = x->dims[1], h = x->dims[2], wide = x->dims[3], few = c / (s * s);
	size_t item = ovl_type_size(w->run->in[0]->type);
	const char *from = w->run->in[0]->data;
	char *to = w->run->out[0]->data;
	if (few < 1 || item == 0 || c % (s * s) || ovl_tensor_count(w->run->out[0]) != ovl_tensor_count(w->run->in[0]))
		return ovl_work_fail(w, OVL_E_SHAPE, "%lld channels cannot be cut by a stride of %lld", (long long)c, (long long)s);
	for (int64_t n = 0; n < x->dims[0]; n++)
		for (int64_t k = 0; k < c; k++) {
			int64_t part = k / few;
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t i = 0; i < h * wide; i++, to += item) {
				int64_t y = i / wide * s + part / s, z = i % wide * s + part % s;
				memcpy(to, from + (size_t)(z + wide * s * (y + h * s * (k % few + few * n))) * item, item);
			}
		}
	return OVL_OK;
}

static ovl_status region_run(ovl_run *run) { return ovl_work_run(run, region); }

static ovl_status reorg_run(ovl_run *run) { return ovl_work_run(run, reorg); }

static const ovl_attr region_attrs[] = {
	OVL_ATTR_INT(params, coords, NULL),
	OVL_ATTR_INT(params, classes, NULL),
	OVL_ATTR_INT(params, num, NULL),
	OVL_ATTR_BOOL(params, do_softmax, "true"),
	OVL_ATTR_INTS(params, mask, OVL_OPTIONAL),
	OVL_ATTR_INT(params, axis, NULL),
	OVL_ATTR_INT(params, end_axis, NULL),
	OVL_ATTR_FLOATS(params, anchors, OVL_OPTIONAL),
	OVL_ATTR_END,
};
static const ovl_attr reorg_attrs[] = {OVL_ATTR_INTS(params, stride, NULL), OVL_ATTR_END};

static const ovl_op region_yolo_v1 = {
	.name = "RegionYolo",
	.since = 1,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "input",
	.params_size = sizeof(params),
	.attrs = region_attrs,
	.infer = infer_region,
	.run = region_run,
};

static const ovl_op reorg_yolo_v2 = {
	.name = "ReorgYolo",
	.since = 1,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "input",
	.params_size = sizeof(params),
	.attrs = reorg_attrs,
	.infer = infer_reorg,
	.run = reorg_run,
};

const ovl_op *const ovl_ops_yolo[] = {&region_yolo_v1, &reorg_yolo_v2, NULL};
