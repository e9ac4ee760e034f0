/* The rest of the ExperimentalDetectron operators: DetectionOutput, PriorGridGenerator, ROIFeatureExtractor, TopKROIs. */
#include "ops/support_work.h"

#include <stdlib.h>

typedef struct params {
	/* DetectionOutput */
	float score_threshold, nms_threshold, max_delta_log_wh;
	int64_t num_classes, post_nms_count, max_detections_per_image;
	bool class_agnostic_box_regression;
	ovl_floats deltas_weights;
	/* PriorGridGenerator */
	bool flatten;
	int64_t h, w;
	float stride_x, stride_y;
	/* ROIFeatureExtractor */
	int64_t output_size, sampling_ratio;
	ovl_ints pyramid_scales;
	bool aligned;
	/* TopKROIs */
	int64_t max_rois;
} params;

static ovl_status same_types(ovl_infer *in)
{
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	for (int i = 1; i < in->n_in; i++)
		OVL_TRY(ovl_infer_merge_types(in, 0, i, &type));
	return OVL_OK;
}

/* ---- DetectionOutput ---- */

static ovl_status infer_detection(ovl_infer *in)
{
	const params *p = in->params;
	ovl_pshape boxes = ovl_pshape_rank(2), list = ovl_pshape_rank(1);
	OVL_TRY(same_types(in));
	for (int i = 0; i < 4; i++)
		OVL_TRY(ovl_infer_rank(in, i, 2, 2));
	if (p->num_classes < 1 || p->max_detections_per_image < 1 || p->deltas_weights.n != 4 || p->num_classes > 1 << 24)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "num_classes and max_detections_per_image must be positive, deltas_weights four numbers");
	boxes.dims[0] = list.dims[0] = ovl_dim_of(p->max_detections_per_image);
	boxes.dims[1] = ovl_dim_of(4);
	ovl_infer_out(in, 0, in->in_type[0], &boxes);
	ovl_infer_out(in, 1, OVL_I32, &list);
	ovl_infer_out(in, 2, in->in_type[0], &list);
	return OVL_OK;
}

typedef struct found {
	float box[4], area, score;
	int64_t class, roi;
} found;

/* The box of a region as a class would have it; no area when the region has none. Boxes are cut at 0 alone, not at the image's other ends. */
static found refine(const params *p, const double *roi, const double *d, float score)
{
	found f = {.score = score};
	float x0 = (float)roi[0], y0 = (float)roi[1], w = (float)roi[2] - x0, h = (float)roi[3] - y0, cx, cy;
	const float *weights = p->deltas_weights.at;
	if (!(w > 0 && h > 0)) {
		f.score = 0;
		return f;
	}
	w += 1;
	h += 1;
	cx = x0 + 0.5f * w + (float)d[0] / weights[0] * w;
	cy = y0 + 0.5f * h + (float)d[1] / weights[1] * h;
	w *= expf(fminf((float)d[2] / weights[2], p->max_delta_log_wh));
	h *= expf(fminf((float)d[3] / weights[3], p->max_delta_log_wh));
	f.box[0] = fmaxf(cx - 0.5f * w, 0);
	f.box[1] = fmaxf(cy - 0.5f * h, 0);
	f.box[2] = fmaxf(cx + 0.5f * w - 1, 0);
	f.box[3] = fmaxf(cy + 0.5f * h - 1, 0);
	f.area = (f.box[2] - f.box[0] + 1) * (f.box[3] - f.box[1] + 1);
	return f;
}

static float overlap(const found *a, const found *b)
{
	float w = fminf(a->box[2], b->box[2]) - fmaxf(a->box[0], b->box[0]), h = fminf(a->box[3], b->box[3]) - fmaxf(a->box[1], b->box[1]), both;
	if (w < 0 || h < 0)
		return 0;
	both = (w + 1) * (h + 1);
	return both / (a->area + b->area - both);
}

static int by_score(const void *a, const void *b)
{
	const found *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->roi != y->roi)
		return x->roi < y->roi ? -1 : 1;
	return x->class < y->class ? -1 : x->class > y->class;
}

static ovl_status detection(ovl_work *w)
{
	const params *p = w->params;
	int64_t regions = ovl_work_shape(w, 0)->dims[0], classes = p->num_classes, kept = 0, most = p->max_detections_per_image;
	const double *rois, *deltas, *scores;
	double *boxes, *out_scores;
	int64_t *out_classes;
	found *list, *all;
	if (ovl_work_shape(w, 0)->dims[1] != 4 || ovl_tensor_count(w->run->in[1]) != regions * classes * 4 ||
		ovl_tensor_count(w->run->in[2]) != regions * classes)
		return ovl_work_fail(w, OVL_E_SHAPE, "regions, deltas and scores do not fit %lld classes", (long long)classes);
	OVL_TRY(ovl_work_f64(w, 0, &rois));
	OVL_TRY(ovl_work_f64(w, 1, &deltas));
	OVL_TRY(ovl_work_f64(w, 2, &scores));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &boxes));
	OVL_TRY(ovl_work_out(w, 1, OVL_I64, &out_classes));
	OVL_TRY(ovl_work_out(w, 2, OVL_F64, &out_scores));
	OVL_TRY(ovl_work_take(w, regions, sizeof *list, &list));
	OVL_TRY(ovl_work_take(w, regions * classes, sizeof *all, &all));
	for (int64_t c = 1; c < classes; c++) {
		int64_t n = 0, first = kept;
		for (int64_t r = 0; r < regions; r++) {
			found f = refine(p, rois + 4 * r, deltas + (r * classes + c) * 4, (float)scores[r * classes + c]);
			f.class = c;
			f.roi = r;
			if (f.score > p->score_threshold)
				list[n++] = f;
		}
		if (n > 0)
			qsort(list, (size_t)n, sizeof *list, by_score);
		for (int64_t i = 0; i < n && (p->post_nms_count < 0 || kept - first < p->post_nms_count); i++) {
			bool good = true;
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t k = first; good && k < kept; k++)
				good = !(overlap(&list[i], &all[k]) > p->nms_threshold);
			if (good)
				all[kept++] = list[i];
		}
	}
	if (kept > most)
		qsort(all, (size_t)kept, sizeof *all, by_score);
	for (int64_t i = 0; i < most; i++) {
		bool there = i < kept;
		for (int k = 0; k < 4; k++)
			boxes[4 * i + k] = there ? (double)all[i].box[k] : 0;
		out_classes[i] = there ? all[i].class : 0;
		out_scores[i] = there ? (double)all[i].score : 0;
	}
	return OVL_OK;
}

/* ---- PriorGridGenerator ---- */

static ovl_status infer_grid(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *priors = &in->in_shape[0], *map = &in->in_shape[1];
	ovl_dim h = OVL_DIM_ANY, w = OVL_DIM_ANY, n = OVL_DIM_ANY;
	ovl_pshape out = ovl_pshape_rank(p->flatten ? 2 : 4);
	OVL_TRY(same_types(in));
	OVL_TRY(ovl_infer_rank(in, 0, 2, 2));
	OVL_TRY(ovl_infer_rank(in, 1, 4, 4));
	OVL_TRY(ovl_infer_rank(in, 2, 4, 4));
	if (p->h < 0 || p->w < 0)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "h and w must not be negative");
	if (priors->ranked)
		n = priors->dims[0];
	if (map->ranked) {
		h = map->dims[2];
		w = map->dims[3];
	}
	h = p->h > 0 ? ovl_dim_of(p->h) : h;
	w = p->w > 0 ? ovl_dim_of(p->w) : w;
	out.dims[0] = p->flatten ? ovl_dim_mul(ovl_dim_mul(h, w), n) : h;
	out.dims[1] = p->flatten ? ovl_dim_of(4) : w;
	if (!p->flatten) {
		out.dims[2] = n;
		out.dims[3] = ovl_dim_of(4);
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status grid(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *priors = ovl_work_shape(w, 0), *map = ovl_work_shape(w, 1), *image = ovl_work_shape(w, 2);
	int64_t n = priors->dims[0], h = p->h > 0 ? p->h : map->dims[2], wide = p->w > 0 ? p->w : map->dims[3];
	float step_x = p->stride_x > 0 ? p->stride_x : (float)image->dims[3] / (float)wide,
	      step_y = p->stride_y > 0 ? p->stride_y : (float)image->dims[2] / (float)h;
	const double *prior;
	double *y;
	if (priors->dims[1] != 4)
		return ovl_work_fail(w, OVL_E_SHAPE, "a prior must be four numbers");
	OVL_TRY(ovl_work_f64(w, 0, &prior));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	for (int64_t i = 0; i < h; i++)
		for (int64_t j = 0; j < wide; j++)
			for (int64_t k = 0; k < 4 * n; k++)
				*y++ = (double)((float)prior[k] + (k % 2 ? step_y * ((float)i + 0.5f) : step_x * ((float)j + 0.5f)));
	return OVL_OK;
}

/* ---- ROIFeatureExtractor ---- */

static ovl_status infer_features(ovl_infer *in)
{
	const params *p = in->params;
	ovl_pshape out = ovl_pshape_rank(4), rois = ovl_pshape_rank(2);
	OVL_TRY(same_types(in));
	OVL_TRY(ovl_infer_rank(in, 0, 2, 2));
	if (p->output_size < 1 || p->pyramid_scales.n + 1 != (size_t)in->n_in || p->sampling_ratio > 1 << 12)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "output_size must be positive, with a scale for each of the %d feature maps", in->n_in - 1);
	if (in->in_shape[0].ranked)
		out.dims[0] = rois.dims[0] = in->in_shape[0].dims[0];
	rois.dims[1] = ovl_dim_of(4);
	out.dims[2] = out.dims[3] = ovl_dim_of(p->output_size);
	for (int i = 1; i < in->n_in; i++) {
		OVL_TRY(ovl_infer_rank(in, i, 4, 4));
		if (p->pyramid_scales.at[i - 1] < 1)
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "pyramid_scales must be positive");
		if (in->in_shape[i].ranked && !ovl_dim_merge(out.dims[1], in->in_shape[i].dims[1], &out.dims[1]))
			return ovl_infer_fail(in, OVL_E_SHAPE, "the feature maps differ in channels");
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	ovl_infer_out(in, 1, in->in_type[0], &rois);
	return OVL_OK;
}

/* Which map a region is read from, by its size; -1: none. */
static int64_t level_of(const double *roi, int64_t levels)
{
	float area = ((float)roi[2] - (float)roi[0]) * ((float)roi[3] - (float)roi[1]);
	double level;
	if (!(area > 0))
		return -1;
	level = floor((double)(log2f(sqrtf(area) / 224 + 1e-6f) + 2));
	return level < 0 ? 0 : level >= (double)levels ? levels - 1 : (int64_t)level;
}

static double bilinear(const double *x, int64_t h, int64_t w, double y, double z)
{
	int64_t i, j, i2, j2;
	double dy, dz;
	if (!(y >= -1 && z >= -1 && y <= (double)h && z <= (double)w))
		return 0;
	y = fmin(fmax(y, 0), (double)(h - 1));
	z = fmin(fmax(z, 0), (double)(w - 1));
	i = (int64_t)y;
	j = (int64_t)z;
	i2 = i + 1 < h ? i + 1 : i;
	j2 = j + 1 < w ? j + 1 : j;
	dy = y - (double)i;
	dz = z - (double)j;
	return (1 - dy) * ((1 - dz) * x[i * w + j] + dz * x[i * w + j2]) + dy * ((1 - dz) * x[i2 * w + j] + dz * x[i2 * w + j2]);
}

/* One region: [channels, size, size] averages of samples. */
static ovl_status extract(ovl_work *w, const double *roi, double scale, const ovl_shape *s, const double *map, double *y)
{
	const params *p = w->params;
	int64_t size = p->output_size, channels = s->dims[1], h = s->dims[2], wide = s->dims[3];
	double shift = p->aligned ? 0.5 : 0, x0 = roi[0] * scale - shift, y0 = roi[1] * scale - shift;
	double bin_w = fmax(roi[2] * scale - shift - x0, 1) / (double)size, bin_h = fmax(roi[3] * scale - shift - y0, 1) / (double)size;
	double across = p->sampling_ratio > 0 ? (double)p->sampling_ratio : ceil(bin_w),
	       down = p->sampling_ratio > 0 ? (double)p->sampling_ratio : ceil(bin_h);
	if (!(across * down < 1 << 24))
		return ovl_work_fail(w, OVL_E_ARGUMENT, "a region is too large");
	for (int64_t c = 0; c < channels; c++, map += h * wide)
		for (int64_t k = 0; k < size * size; k++) {
			double sum = 0;
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t a = 0; a < (int64_t)down; a++)
				for (int64_t b = 0; b < (int64_t)across; b++)
					sum += bilinear(map, h, wide, y0 + (double)(k / size) * bin_h + ((double)a + 0.5) * bin_h / down,
						x0 + (double)(k % size) * bin_w + ((double)b + 0.5) * bin_w / across);
			*y++ = sum / (across * down);
		}
	return OVL_OK;
}

static ovl_status features(ovl_work *w)
{
	const params *p = w->params;
	int64_t regions = ovl_work_shape(w, 0)->dims[0], levels = w->run->n_in - 1, size = ovl_span(&w->run->out[0]->shape, 1, 4);
	const double *rois, **maps;
	double *y, *out_rois;
	if (ovl_work_shape(w, 0)->dims[1] != 4)
		return ovl_work_fail(w, OVL_E_SHAPE, "a region must be four numbers");
	OVL_TRY(ovl_work_f64(w, 0, &rois));
	OVL_TRY(ovl_work_take(w, levels, sizeof *maps, &maps));
	for (int64_t i = 0; i < levels; i++) {
		if (ovl_tensor_count(w->run->in[1 + i]) == 0)
			return ovl_work_fail(w, OVL_E_SHAPE, "feature map %lld is empty", (long long)i);
		OVL_TRY(ovl_work_f64(w, 1 + (int)i, &maps[i]));
	}
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(ovl_work_out(w, 1, OVL_F64, &out_rois));
	memcpy(out_rois, rois, (size_t)(4 * regions) * sizeof *rois);
	for (int64_t r = 0; r < regions; r++, rois += 4, y += size) {
		int64_t level = level_of(rois, levels);
		if (level < 0)
			memset(y, 0, (size_t)size * sizeof *y);
		else
			OVL_TRY(extract(w, rois, 1 / (double)p->pyramid_scales.at[level], ovl_work_shape(w, 1 + (int)level), maps[level], y));
	}
	return OVL_OK;
}

/* ---- TopKROIs ---- */

static ovl_status infer_top(ovl_infer *in)
{
	const params *p = in->params;
	ovl_pshape out = ovl_pshape_rank(2);
	OVL_TRY(same_types(in));
	OVL_TRY(ovl_infer_rank(in, 0, 2, 2));
	OVL_TRY(ovl_infer_rank(in, 1, 1, 1));
	if (p->max_rois < 0)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "max_rois is %lld", (long long)p->max_rois);
	out.dims[0] = ovl_dim_of(p->max_rois);
	out.dims[1] = ovl_dim_of(4);
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status top(ovl_work *w)
{
	const params *p = w->params;
	int64_t n = ovl_work_shape(w, 0)->dims[0];
	const double *rois, *scores;
	double *y;
	found *list;
	if (ovl_work_shape(w, 0)->dims[1] != 4 || ovl_tensor_count(w->run->in[1]) != n)
		return ovl_work_fail(w, OVL_E_SHAPE, "regions must be four numbers and a score each");
	OVL_TRY(ovl_work_f64(w, 0, &rois));
	OVL_TRY(ovl_work_f64(w, 1, &scores));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(ovl_work_take(w, n, sizeof *list, &list));
	for (int64_t i = 0; i < n; i++)
		list[i] = (found){.score = (float)scores[i], .roi = i};
	if (n > 0)
		qsort(list, (size_t)n, sizeof *list, by_score);
	memset(y, 0, (size_t)(4 * p->max_rois) * sizeof *y);
	for (int64_t i = 0; i < n && i < p->max_rois; i++)
		memcpy(y + 4 * i, rois + 4 * list[i].roi, 4 * sizeof *y);
	return OVL_OK;
}

static ovl_status detection_run(ovl_run *run) { return ovl_work_run(run, detection); }

static ovl_status grid_run(ovl_run *run) { return ovl_work_run(run, grid); }

static ovl_status features_run(ovl_run *run) { return ovl_work_run(run, features); }

static ovl_status top_run(ovl_run *run) { return ovl_work_run(run, top); }

static const ovl_attr detection_attrs[] = {
	OVL_ATTR_FLOAT(params, score_threshold, NULL),
	OVL_ATTR_FLOAT(params, nms_threshold, NULL),
	OVL_ATTR_FLOAT(params, max_delta_log_wh, NULL),
	OVL_ATTR_INT(params, num_classes, NULL),
	OVL_ATTR_INT(params, post_nms_count, NULL),
	OVL_ATTR_INT(params, max_detections_per_image, NULL),
	OVL_ATTR_BOOL(params, class_agnostic_box_regression, "false"),
	OVL_ATTR_FLOATS(params, deltas_weights, NULL),
	OVL_ATTR_END,
};
static const ovl_attr grid_attrs[] = {
	OVL_ATTR_BOOL(params, flatten, "true"),
	OVL_ATTR_INT(params, h, "0"),
	OVL_ATTR_INT(params, w, "0"),
	OVL_ATTR_FLOAT(params, stride_x, "0"),
	OVL_ATTR_FLOAT(params, stride_y, "0"),
	OVL_ATTR_END,
};
static const ovl_attr features_attrs[] = {
	OVL_ATTR_INT(params, output_size, NULL),
	OVL_ATTR_INT(params, sampling_ratio, NULL),
	OVL_ATTR_INTS(params, pyramid_scales, NULL),
	OVL_ATTR_BOOL(params, aligned, "false"),
	OVL_ATTR_END,
};
static const ovl_attr top_attrs[] = {OVL_ATTR_INT(params, max_rois, "0"), OVL_ATTR_END};

#define OP(var, op_name, few, many, outs, names, table, infer_fn, run_fn) \
	static const ovl_op var = {                                       \
		.name = "ExperimentalDetectron" op_name,                  \
		.since = 6,                                               \
		.min_inputs = few,                                        \
		.max_inputs = many,                                       \
		.outputs = outs,                                          \
		.inputs = names,                                          \
		.params_size = sizeof(params),                            \
		.attrs = table,                                           \
		.flags = OVL_OP_NO_BUILDER,                               \
		.infer = infer_fn,                                        \
		.run = run_fn,                                            \
	}

OP(detection_v6, "DetectionOutput", 4, 4, 3, "input_rois input_deltas input_scores input_im_info", detection_attrs, infer_detection, detection_run);
OP(grid_v6, "PriorGridGenerator", 3, 3, 1, "priors feature_map im_data", grid_attrs, infer_grid, grid_run);
OP(features_v6, "ROIFeatureExtractor", 2, -1, 2, "rois features...", features_attrs, infer_features, features_run);
OP(top_v6, "TopKROIs", 2, 2, 1, "input_rois rois_probs", top_attrs, infer_top, top_run);

const ovl_op *const ovl_ops_detectron[] = {&detection_v6, &grid_v6, &features_v6, &top_v6, NULL};
