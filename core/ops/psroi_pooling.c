/* PSROIPooling and DeformablePSROIPooling: each bin of a region is read from channels of its own. */
#include "ops/support_work.h"

typedef struct params {
	int64_t output_dim, group_size, spatial_bins_x, spatial_bins_y, part_size;
	float spatial_scale, trans_std;
	int mode; /* average, bilinear, bilinear_deformable */
} params;

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	ovl_pshape out = ovl_pshape_rank(4);
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, 0, 4, 4));
	OVL_TRY(ovl_infer_rank(in, 1, 2, 2));
	for (int i = 1; i < in->n_in; i++)
		OVL_TRY(ovl_infer_merge_types(in, 0, i, &type));
	if (p->output_dim < 1 || p->group_size < 1 || p->spatial_bins_x < 1 || p->spatial_bins_y < 1 || p->output_dim > 1 << 30 ||
		p->group_size > 1 << 15 || p->spatial_bins_x > 1 << 15 || p->spatial_bins_y > 1 << 15)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "output_dim, group_size and spatial_bins must be positive");
	if (in->in_shape[1].ranked)
		out.dims[0] = in->in_shape[1].dims[0];
	out.dims[1] = ovl_dim_of(p->output_dim);
	out.dims[2] = out.dims[3] = ovl_dim_of(p->group_size);
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

typedef struct job {
	const params *p;
	int64_t channels, h, w, images;
	const double *x, *offsets;
	int64_t classes, part; /* offsets: [regions, 2 * classes, part, part] */
} job;

static const double *plane_of(const job *j, int64_t image, int64_t channel) { return j->x + (image * j->channels + channel) * j->h * j->w; }

static int64_t clip(double v, int64_t max) { return !(v > 0) ? 0 : v >= (double)max ? max : (int64_t)v; }

/* y and x must lie in the plane, or up to one entry behind it. */
static double sample(const job *j, const double *plane, double y, double x)
{
	int64_t i = clip(floor(y), j->h - 1), k = clip(floor(x), j->w - 1), i2 = clip(ceil(y), j->h - 1), k2 = clip(ceil(x), j->w - 1);
	double dx = x - (double)k, dy = y - (double)i;
	double upper = plane[i * j->w + k] + (plane[i * j->w + k2] - plane[i * j->w + k]) * dx;
	double lower = plane[i2 * j->w + k] + (plane[i2 * j->w + k2] - plane[i2 * j->w + k]) * dx;
	return upper + (lower - upper) * dy;
}

/* A region's corner in entries of the feature map. */
static double corner(const params *p, double v, double more) { return (double)((roundf((float)v) + (float)more) * p->spatial_scale); }

static double average_bin(const job *j, const double *roi, int64_t c, int64_t ph, int64_t pw)
{
	const params *p = j->p;
	double x0 = corner(p, roi[1], 0), y0 = corner(p, roi[2], 0);
	float bin_w = (float)(corner(p, roi[3], 1) - x0) / (float)p->group_size, bin_h = (float)(corner(p, roi[4], 1) - y0) / (float)p->group_size;
	int64_t left = clip(floorf((float)x0 + (float)pw * bin_w), j->w - 1), right = clip(ceilf((float)x0 + (float)(pw + 1) * bin_w), j->w);
	int64_t top = clip(floorf((float)y0 + (float)ph * bin_h), j->h - 1), bottom = clip(ceilf((float)y0 + (float)(ph + 1) * bin_h), j->h);
	const double *plane = plane_of(j, (int64_t)roi[0], (c * p->group_size + ph) * p->group_size + pw);
	double sum = 0;
	for (int64_t i = top; i < bottom; i++)
		for (int64_t k = left; k < right; k++)
			sum += plane[i * j->w + k];
	return bottom > top && right > left ? sum / (double)((bottom - top) * (right - left)) : 0;
}

static double bilinear_bin(const job *j, const double *roi, int64_t c, int64_t ph, int64_t pw)
{
	const params *p = j->p;
	double scale = p->spatial_scale, x0 = roi[1] * scale, y0 = roi[2] * scale, g = (double)(p->group_size - 1), sum = 0;
	double part_w = (roi[3] * scale - x0) / (double)p->spatial_bins_x, part_h = (roi[4] * scale - y0) / (double)p->spatial_bins_y;
	double wide = (double)(j->w - 1), high = (double)(j->h - 1);
	for (int64_t b = 0; b < p->spatial_bins_x * p->spatial_bins_y; b++) {
		double px = x0 + (double)(b % p->spatial_bins_x) * part_w, py = y0 + (double)(b / p->spatial_bins_x) * part_h;
		double x = p->group_size > 1 ? (double)pw * (part_w * wide / g) + px * wide : (2 * px + part_w) * wide / 2;
		double y = p->group_size > 1 ? (double)ph * (part_h * high / g) + py * high : (2 * py + part_h) * high / 2;
		if (x < (double)j->w && y < (double)j->h && x >= 0 && y >= 0)
			sum += sample(j, plane_of(j, (int64_t)roi[0], b * p->output_dim + c), y, x);
	}
	return sum / (double)(p->spatial_bins_x * p->spatial_bins_y);
}

static double deformable_bin(const job *j, const double *roi, int64_t r, int64_t c, int64_t ph, int64_t pw)
{
	const params *p = j->p;
	double x0 = corner(p, roi[1], 0) - 0.5, y0 = corner(p, roi[2], 0) - 0.5, g = (double)p->group_size, sum = 0;
	double wide = fmax(corner(p, roi[3], 1) - 0.5 - x0, 0.1), high = fmax(corner(p, roi[4], 1) - 0.5 - y0, 0.1);
	double x = x0 + (double)pw * wide / g, y = y0 + (double)ph * high / g;
	double step_x = wide / g / (double)p->spatial_bins_x, step_y = high / g / (double)p->spatial_bins_y;
	const double *plane = plane_of(j, (int64_t)roi[0], (c * p->group_size + ph) * p->group_size + pw);
	int64_t n = 0;
	if (j->offsets) {
		int64_t per = p->output_dim / j->classes, first = (r * j->classes + (per > 0 ? c / per : 0)) * 2;
		int64_t at = ph * j->part / p->group_size * j->part + pw * j->part / p->group_size;
		x += j->offsets[first * j->part * j->part + at] * p->trans_std * wide;
		y += j->offsets[(first + 1) * j->part * j->part + at] * p->trans_std * high;
	}
	for (int64_t b = 0; b < p->spatial_bins_x * p->spatial_bins_y; b++) {
		double sx = x + (double)(b % p->spatial_bins_x) * step_x, sy = y + (double)(b / p->spatial_bins_x) * step_y;
		if (!(sx >= -0.5 && sy >= -0.5 && sx <= (double)j->w - 0.5 && sy <= (double)j->h - 0.5))
			continue;
		sum += sample(j, plane, fmin(fmax(sy, 0), (double)(j->h - 1)), fmin(fmax(sx, 0), (double)(j->w - 1)));
		n++;
	}
	return n ? sum / (double)n : 0;
}

static ovl_status open_offsets(ovl_work *w, job *j)
{
	const params *p = j->p;
	const ovl_shape *s = ovl_work_shape(w, 2);
	if (s->rank != 4)
		return OVL_OK;
	j->classes = s->dims[1] / 2;
	j->part = p->part_size;
	if (j->classes < 1 || j->part < 1 || j->part > 1 << 15 || s->dims[0] < ovl_work_shape(w, 1)->dims[0] || s->dims[2] != j->part ||
		s->dims[3] != j->part || p->output_dim % j->classes)
		return ovl_work_fail(w, OVL_E_SHAPE, "the offsets do not fit the regions");
	return ovl_work_f64(w, 2, &j->offsets);
}

static ovl_status psroi_pooling(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0), *r = ovl_work_shape(w, 1);
	bool deformable = w->run->op->name[0] == 'D', bilinear = !deformable && p->mode == 1;
	job j = {.p = p, .images = s->dims[0], .channels = s->dims[1], .h = s->dims[2], .w = s->dims[3]};
	int64_t side = p->group_size, needed = p->output_dim * (bilinear ? p->spatial_bins_x * p->spatial_bins_y : side * side);
	const double *rois;
	double *y;
	if (r->dims[1] != 5 || j.channels < needed || (ovl_tensor_count(w->run->in[0]) == 0 && r->dims[0] > 0))
		return ovl_work_fail(w, OVL_E_SHAPE, "regions must be five numbers each and data must have %lld channels", (long long)needed);
	OVL_TRY(ovl_work_f64(w, 0, &j.x));
	OVL_TRY(ovl_work_f64(w, 1, &rois));
	if (ovl_work_has(w, 2))
		OVL_TRY(open_offsets(w, &j));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	for (int64_t n = 0; n < r->dims[0]; n++) {
		const double *roi = rois + 5 * n;
		if (!(roi[0] < (double)j.images) || (roi[0] < 0 && !deformable))
			return ovl_work_fail(w, OVL_E_ARGUMENT, "region %lld is of image %g of %lld", (long long)n, roi[0], (long long)j.images);
		for (int64_t k = 0; k < p->output_dim * side * side; k++, y++) {
			int64_t c = k / (side * side), ph = k / side % side, pw = k % side;
			OVL_RUN_CHECK_CANCEL(w->run);
			*y = roi[0] < 0   ? 0
			     : deformable ? deformable_bin(&j, roi, n, c, ph, pw)
			     : bilinear   ? bilinear_bin(&j, roi, c, ph, pw)
					  : average_bin(&j, roi, c, ph, pw);
		}
	}
	return OVL_OK;
}

static ovl_status psroi_run(ovl_run *run) { return ovl_work_run(run, psroi_pooling); }

static const ovl_attr attrs[] = {
	OVL_ATTR_INT(params, output_dim, NULL),
	OVL_ATTR_INT(params, group_size, "1"),
	OVL_ATTR_FLOAT(params, spatial_scale, NULL),
	OVL_ATTR_INT(params, spatial_bins_x, "1"),
	OVL_ATTR_INT(params, spatial_bins_y, "1"),
	OVL_ATTR_ENUM(params, mode, "average", "average bilinear"),
	OVL_ATTR_END,
};
static const ovl_attr deformable_attrs[] = {
	OVL_ATTR_INT(params, output_dim, NULL),
	OVL_ATTR_FLOAT(params, spatial_scale, NULL),
	OVL_ATTR_INT(params, group_size, "1"),
	OVL_ATTR_ENUM(params, mode, "bilinear_deformable", "bilinear_deformable"),
	OVL_ATTR_INT(params, spatial_bins_x, "1"),
	OVL_ATTR_INT(params, spatial_bins_y, "1"),
	OVL_ATTR_FLOAT(params, trans_std, "1"),
	OVL_ATTR_INT(params, part_size, "1"),
	OVL_ATTR_END,
};

static const ovl_op psroi_pooling_v1 = {
	.name = "PSROIPooling",
	.factory = "psroi_pooling",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "input coords",
	.params_size = sizeof(params),
	.attrs = attrs,
	.infer = infer,
	.run = psroi_run,
};

static const ovl_op deformable_psroi_pooling_v1 = {
	.name = "DeformablePSROIPooling",
	.factory = "deformable_psroi_pooling",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "feature_maps coords offsets",
	.params_size = sizeof(params),
	.attrs = deformable_attrs,
	.infer = infer,
	.run = psroi_run,
};

const ovl_op *const ovl_ops_psroi_pooling[] = {&psroi_pooling_v1, &deformable_psroi_pooling_v1, NULL};
