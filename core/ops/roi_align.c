/* ROIAlign and ROIAlignRotated: bins of a region are averages or maxima of bilinear samples. */
#include "ops/support_work.h"

enum { AVERAGE, MAX, MAX_WEIGHTED }; /* the last: of the four neighbours, each times its weight, as ONNX has it */
enum { ASYMMETRIC, HALF_PIXEL_FOR_NN, HALF_PIXEL };

typedef struct params {
	int64_t pooled_h, pooled_w, sampling_ratio;
	float spatial_scale;
	int mode;
	int aligned_mode;
	bool clockwise_mode; /* rotated */
} params;

static bool rotated(const ovl_op *op) { return op->name[8] == 'R'; }

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *rois = &in->in_shape[1], *batch = &in->in_shape[2];
	int64_t numbers = rotated(in->op) ? 5 : 4;
	ovl_pshape out = ovl_pshape_rank(4);
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_merge_types(in, 0, 1, &type));
	OVL_TRY(ovl_infer_type_in(in, 2, OVL_MASK_INT));
	OVL_TRY(ovl_infer_rank(in, 0, 4, 4));
	OVL_TRY(ovl_infer_rank(in, 1, 2, 2));
	OVL_TRY(ovl_infer_rank(in, 2, 1, 1));
	if (p->pooled_h < 1 || p->pooled_w < 1 || p->sampling_ratio < 0 || p->sampling_ratio > 1 << 16)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "pooled sizes must be positive, sampling_ratio 0 or positive");
	if (rois->ranked) {
		out.dims[0] = rois->dims[0];
		if (rois->dims[1].min > numbers || rois->dims[1].max < numbers)
			return ovl_infer_fail(in, OVL_E_SHAPE, "a region must be %lld numbers", (long long)numbers);
	}
	if (batch->ranked && !ovl_dim_merge(out.dims[0], batch->dims[0], &out.dims[0]))
		return ovl_infer_fail(in, OVL_E_SHAPE, "there are not as many batch indices as regions");
	if (in->in_shape[0].ranked)
		out.dims[1] = in->in_shape[0].dims[1];
	out.dims[2] = ovl_dim_of(p->pooled_h);
	out.dims[3] = ovl_dim_of(p->pooled_w);
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

/* A region in the image: bins are laid out from x, y over w, h; then turned around the centre where it is rotated. */
typedef struct region {
	double x, y, w, h;
	double center_x, center_y, cosine, sine;
} region;

static region region_of(const params *p, bool turned, const double *roi)
{
	double scale = p->spatial_scale, source = 0, shift = 0;
	region r = {.cosine = 1};
	if (turned) {
		double angle = p->clockwise_mode ? -roi[4] : roi[4];
		r.center_x = roi[0] * scale - 0.5;
		r.center_y = roi[1] * scale - 0.5;
		r.w = roi[2] * scale;
		r.h = roi[3] * scale;
		r.x = -r.w / 2;
		r.y = -r.h / 2;
		r.cosine = cos(angle);
		r.sine = sin(angle);
		return r;
	}
	if (p->aligned_mode != ASYMMETRIC)
		shift = -0.5;
	if (p->aligned_mode == HALF_PIXEL)
		source = 0.5;
	r.x = (roi[0] + source) * scale + shift;
	r.y = (roi[1] + source) * scale + shift;
	r.w = (roi[2] + source) * scale + shift - r.x;
	r.h = (roi[3] + source) * scale + shift - r.y;
	if (p->aligned_mode == ASYMMETRIC) {
		r.w = fmax(r.w, 1);
		r.h = fmax(r.h, 1);
	}
	return r;
}

typedef struct point {
	int64_t at[4];
	double weight[4];
} point;

static point point_at(double y, double x, int64_t h, int64_t w)
{
	point p = {{0}, {0}};
	int64_t i, j, i2, j2;
	double dy, dx;
	if (!(x >= -1 && y >= -1 && x <= (double)w && y <= (double)h))
		return p;
	y = fmin(fmax(y, 0), (double)(h - 1));
	x = fmin(fmax(x, 0), (double)(w - 1));
	i = (int64_t)y;
	j = (int64_t)x;
	i2 = i + 1 < h ? i + 1 : i;
	j2 = j + 1 < w ? j + 1 : j;
	dy = y - (double)i;
	dx = x - (double)j;
	return (point){{i * w + j, i * w + j2, i2 * w + j, i2 * w + j2}, {(1 - dy) * (1 - dx), (1 - dy) * dx, dy * (1 - dx), dy * dx}};
}

/* All channels of one bin; samples are laid out once. */
static ovl_status pool_bin(ovl_work *w, const region *r, int64_t i, int64_t j, const ovl_shape *s, const double *image, double *y, int64_t step)
{
	const params *p = w->params;
	double bin_h = r->h / (double)p->pooled_h, bin_w = r->w / (double)p->pooled_w;
	double down = p->sampling_ratio ? (double)p->sampling_ratio : ceil(bin_h),
	       across = p->sampling_ratio ? (double)p->sampling_ratio : ceil(bin_w);
	int64_t h = s->dims[2], width = s->dims[3], plane = h * width;
	if (!(down * across < 1 << 24))
		return ovl_work_fail(w, OVL_E_ARGUMENT, "a region of %g by %g is too large", r->w, r->h);
	for (int64_t c = 0; c < s->dims[1]; c++)
		y[c * step] = p->mode == MAX_WEIGHTED && down * across > 0 ? -INFINITY : 0;
	for (int64_t a = 0; a < (int64_t)down; a++)
		for (int64_t b = 0; b < (int64_t)across; b++) {
			double sy = r->y + (double)i * bin_h + bin_h / down * ((double)a + 0.5),
			       sx = r->x + (double)j * bin_w + bin_w / across * ((double)b + 0.5);
			point q = point_at(sy * r->cosine - sx * r->sine + r->center_y, sy * r->sine + sx * r->cosine + r->center_x, h, width);
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t c = 0; c < s->dims[1]; c++) {
				const double *x = image + c * plane;
				double n[4] = {q.weight[0] * x[q.at[0]], q.weight[1] * x[q.at[1]], q.weight[2] * x[q.at[2]], q.weight[3] * x[q.at[3]]};
				double v = p->mode == MAX_WEIGHTED ? fmax(fmax(n[0], n[1]), fmax(n[2], n[3])) : n[0] + n[1] + n[2] + n[3];
				if (p->mode == AVERAGE)
					y[c * step] += v / (down * across);
				else if (v > y[c * step])
					y[c * step] = v;
			}
		}
	return OVL_OK;
}

static ovl_status roi_align(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	bool turned = rotated(w->run->op);
	int64_t numbers = turned ? 5 : 4, count = ovl_work_shape(w, 1)->dims[0], bins = p->pooled_h * p->pooled_w;
	const double *x, *rois;
	const int64_t *batch;
	double *y;
	if (ovl_work_shape(w, 1)->dims[1] != numbers || ovl_work_shape(w, 2)->dims[0] != count)
		return ovl_work_fail(w, OVL_E_SHAPE, "regions must be %lld numbers and a batch index each", (long long)numbers);
	if (ovl_tensor_count(w->run->out[0]) > 0 && ovl_tensor_count(w->run->in[0]) == 0)
		return ovl_work_fail(w, OVL_E_SHAPE, "the image is empty");
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_f64(w, 1, &rois));
	OVL_TRY(ovl_work_i64(w, 2, &batch));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	for (int64_t r = 0; r < count; r++) {
		region place = region_of(p, turned, rois + r * numbers);
		if (batch[r] < 0 || batch[r] >= s->dims[0])
			return ovl_work_fail(
				w, OVL_E_ARGUMENT, "region %lld is of image %lld of %lld", (long long)r, (long long)batch[r], (long long)s->dims[0]);
		for (int64_t k = 0; k < bins; k++)
			OVL_TRY(pool_bin(w, &place, k / p->pooled_w, k % p->pooled_w, s, x + batch[r] * ovl_span(s, 1, 4),
				y + r * s->dims[1] * bins + k, bins));
	}
	return OVL_OK;
}

static ovl_status roi_align_run(ovl_run *run) { return ovl_work_run(run, roi_align); }

#define COMMON                                                                                                                  \
	OVL_ATTR_INT(params, pooled_h, NULL), OVL_ATTR_INT(params, pooled_w, NULL), OVL_ATTR_INT(params, sampling_ratio, NULL), \
		OVL_ATTR_FLOAT(params, spatial_scale, NULL)

static const ovl_attr attrs_v3[] = {COMMON, OVL_ATTR_ENUM(params, mode, NULL, "avg max"), OVL_ATTR_END};
static const ovl_attr attrs_v9[] = {
	COMMON,
	OVL_ATTR_ENUM(params, mode, NULL, "avg max max_weighted"),
	OVL_ATTR_ENUM(params, aligned_mode, "asymmetric", "asymmetric half_pixel_for_nn half_pixel"),
	OVL_ATTR_END,
};
static const ovl_attr attrs_v15[] = {COMMON, OVL_ATTR_BOOL(params, clockwise_mode, NULL), OVL_ATTR_END};

static const ovl_op roi_align_v3 = {
	.name = "ROIAlign",
	.factory = "roi_align",
	.since = 3,
	.until = 8,
	.min_inputs = 3,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "data rois batch_indices",
	.params_size = sizeof(params),
	.attrs = attrs_v3,
	.infer = infer,
	.run = roi_align_run,
};

static const ovl_op roi_align_v9 = {
	.name = "ROIAlign",
	.factory = "roi_align",
	.since = 9,
	.min_inputs = 3,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "data rois batch_indices",
	.params_size = sizeof(params),
	.attrs = attrs_v9,
	.infer = infer,
	.run = roi_align_run,
};

static const ovl_op roi_align_rotated_v15 = {
	.name = "ROIAlignRotated",
	.factory = "roi_align_rotated",
	.since = 15,
	.min_inputs = 3,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "data rois batch_indices",
	.params_size = sizeof(params),
	.attrs = attrs_v15,
	.infer = infer,
	.run = roi_align_run,
};

const ovl_op *const ovl_ops_roi_align[] = {&roi_align_v3, &roi_align_v9, &roi_align_rotated_v15, NULL};
