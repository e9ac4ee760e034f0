/* ROIPooling: regions of a feature map brought to one size, by maxima or by bilinear samples. */
#include "ops/support_work.h"

typedef struct params {
	ovl_ints output_roi, output_size; /* two names of one thing */
	int64_t pooled_h, pooled_w;       /* and two more */
	float spatial_scale;
	int method;
} params;

static ovl_status size_of(const params *p, int64_t *h, int64_t *w, ovl_error *err)
{
	const ovl_ints *pair = p->output_roi.n == 2 ? &p->output_roi : p->output_size.n == 2 ? &p->output_size : NULL;
	*h = pair ? pair->at[0] : p->pooled_h;
	*w = pair ? pair->at[1] : p->pooled_w;
	if (*h < 1 || *w < 1)
		return ovl_fail(err, OVL_E_ARGUMENT, "ROIPooling: an output of %lld by %lld", (long long)*h, (long long)*w);
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	ovl_pshape out = ovl_pshape_rank(4);
	int64_t h, w;
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(size_of(in->params, &h, &w, in->err));
	OVL_TRY(ovl_infer_merge_types(in, 0, 1, &type));
	OVL_TRY(ovl_infer_rank(in, 0, 4, 4));
	OVL_TRY(ovl_infer_rank(in, 1, 2, 2));
	if (in->in_shape[1].ranked) {
		if (in->in_shape[1].dims[1].min > 5 || in->in_shape[1].dims[1].max < 5)
			return ovl_infer_fail(in, OVL_E_SHAPE, "a region must be five numbers");
		out.dims[0] = in->in_shape[1].dims[0];
	}
	if (in->in_shape[0].ranked)
		out.dims[1] = in->in_shape[0].dims[1];
	out.dims[2] = ovl_dim_of(h);
	out.dims[3] = ovl_dim_of(w);
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

static int64_t clip(double v, int64_t max) { return !(v > 0) ? 0 : v >= (double)max ? max : (int64_t)v; }

/* Entries first..last-1 of bin k out of n, of a region that starts at `from` and is `size` long. */
static void bin_of(double from, double size, int64_t k, int64_t n, int64_t max, int64_t *first, int64_t *last)
{
	double step = (double)((float)size / (float)n);
	*first = clip(floor((double)((float)k * (float)step)) + from, max);
	*last = clip(ceil((double)((float)(k + 1) * (float)step)) + from, max);
}

static double maximum(const double *x, int64_t width, int64_t y0, int64_t y1, int64_t x0, int64_t x1)
{
	double top = y1 > y0 && x1 > x0 ? x[y0 * width + x0] : 0;
	for (int64_t i = y0; i < y1; i++)
		for (int64_t j = x0; j < x1; j++)
			top = x[i * width + j] > top ? x[i * width + j] : top;
	return top;
}

/* Where sample k of n lies between two relative positions. */
static double between(double from, double to, int64_t k, int64_t n, int64_t size)
{
	double last = (double)(size - 1);
	if (n == 1)
		return 0.5 * (from + to) * last;
	return k == n - 1 ? last * to : (double)k * ((to - from) * last / (double)(n - 1)) + from * last;
}

static double bilinear(const double *x, int64_t h, int64_t w, double y, double z)
{
	int64_t i, j, i2, j2;
	double dy, dz, upper, lower;
	if (!(y >= 0 && z >= 0 && y <= (double)(h - 1) && z <= (double)(w - 1)))
		return 0;
	i = (int64_t)y;
	j = (int64_t)z;
	i2 = i + 1 < h ? i + 1 : i;
	j2 = j + 1 < w ? j + 1 : j;
	dy = y - (double)i;
	dz = z - (double)j;
	upper = x[i * w + j] + (x[i * w + j2] - x[i * w + j]) * dz;
	lower = x[i2 * w + j] + (x[i2 * w + j2] - x[i2 * w + j]) * dz;
	return upper + (lower - upper) * dy;
}

static ovl_status roi_pooling(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0), *o = &w->run->out[0]->shape;
	int64_t channels = s->dims[1], h = s->dims[2], width = s->dims[3], ph = o->dims[2], pw = o->dims[3];
	const double *x, *rois;
	double *y;
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_f64(w, 1, &rois));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	if (ovl_work_shape(w, 1)->dims[1] != 5)
		return ovl_work_fail(w, OVL_E_SHAPE, "a region must be five numbers");
	memset(y, 0, (size_t)ovl_tensor_count(w->run->out[0]) * sizeof *y);
	for (int64_t r = 0; r < o->dims[0]; r++) {
		const double *roi = rois + 5 * r;
		double x0 = round(roi[1] * p->spatial_scale), y0 = round(roi[2] * p->spatial_scale);
		double wide = fmax(round(roi[3] * p->spatial_scale) - x0 + 1, 1), high = fmax(round(roi[4] * p->spatial_scale) - y0 + 1, 1);
		int64_t n;
		if (roi[0] == -1) /* a list of regions may end early */
			break;
		if (!(roi[0] >= 0 && roi[0] < (double)s->dims[0]))
			return ovl_work_fail(w, OVL_E_ARGUMENT, "region %lld is of image %g of %lld", (long long)r, roi[0], (long long)s->dims[0]);
		n = (int64_t)roi[0];
		for (int64_t c = 0; h > 0 && width > 0 && c < channels; c++) {
			const double *plane = x + (n * channels + c) * h * width;
			double *to = y + (r * channels + c) * ph * pw;
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t k = 0; k < ph * pw; k++) {
				int64_t i = k / pw, j = k % pw, top, bottom, left, right;
				if (p->method == 1) {
					to[k] = bilinear(plane, h, width, between(roi[2], roi[4], i, ph, h), between(roi[1], roi[3], j, pw, width));
					continue;
				}
				bin_of(y0, high, i, ph, h, &top, &bottom);
				bin_of(x0, wide, j, pw, width, &left, &right);
				to[k] = maximum(plane, width, top, bottom, left, right);
			}
		}
	}
	return OVL_OK;
}

static ovl_status roi_pooling_run(ovl_run *run) { return ovl_work_run(run, roi_pooling); }

static const ovl_attr attrs[] = {
	OVL_ATTR_INTS(params, output_roi, OVL_OPTIONAL),
	OVL_ATTR_FLOAT(params, spatial_scale, NULL),
	OVL_ATTR_ENUM(params, method, "max", "max bilinear"),
	OVL_ATTR_INTS(params, output_size, OVL_OPTIONAL),
	OVL_ATTR_INT(params, pooled_h, OVL_OPTIONAL),
	OVL_ATTR_INT(params, pooled_w, OVL_OPTIONAL),
	OVL_ATTR_END,
};

static const ovl_op roi_pooling_v2 = {
	.name = "ROIPooling",
	.factory = "roi_pooling",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "input coords",
	.params_size = sizeof(params),
	.attrs = attrs,
	.infer = infer,
	.run = roi_pooling_run,
};

const ovl_op *const ovl_ops_roi_pooling[] = {&roi_pooling_v2, NULL};
