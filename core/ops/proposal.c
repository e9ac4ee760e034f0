/* Proposal: boxes around anchors, the best of them that do not overlap. */
#include "ops/support_work.h"

#include <stdlib.h>

typedef struct params {
	int64_t base_size, pre_nms_topn, post_nms_topn, feat_stride, min_size;
	float nms_thresh, box_size_scale, box_coordinate_scale;
	ovl_floats ratio, scale;
	bool clip_before_nms, clip_after_nms, normalize;
	char *framework;
} params;

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	ovl_pshape rois = ovl_pshape_rank(2), probs = ovl_pshape_rank(1);
	ovl_dim batch = OVL_DIM_ANY, n;
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_merge_types(in, 0, 1, &type));
	OVL_TRY(ovl_infer_merge_types(in, 0, 2, &type));
	OVL_TRY(ovl_infer_rank(in, 0, 4, 4));
	OVL_TRY(ovl_infer_rank(in, 1, 4, 4));
	OVL_TRY(ovl_infer_rank(in, 2, 1, 1));
	if (p->post_nms_topn < 1 || p->pre_nms_topn < 1 || p->feat_stride < 1 || p->base_size < 1 || p->feat_stride > 1 << 24 ||
		p->base_size > 1 << 24)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "pre_nms_topn, post_nms_topn, feat_stride and base_size must be positive");
	for (int i = 0; i < 2; i++)
		if (in->in_shape[i].ranked && !ovl_dim_merge(batch, in->in_shape[i].dims[0], &batch))
			return ovl_infer_fail(in, OVL_E_SHAPE, "scores and deltas are of different batches");
	n = ovl_dim_mul(batch, ovl_dim_of(p->post_nms_topn));
	rois.dims[0] = probs.dims[0] = n;
	rois.dims[1] = ovl_dim_of(5);
	ovl_infer_out(in, 0, type, &rois);
	if (in->n_out > 1)
		ovl_infer_out(in, 1, type, &probs);
	return OVL_OK;
}

typedef struct box {
	float x0, y0, x1, y1, score;
	int64_t index;
} box;

typedef struct job {
	const params *p;
	bool tf;
	float offset; /* of an inclusive end: 1, or 0 with TensorFlow */
	int64_t anchors, h, w, batch;
	const double *scores, *deltas;
	float image_h, image_w, min_h, min_w;
	float *anchor; /* [anchors, 4] */
	box *boxes;
	char *dead;
} job;

static void make_anchors(job *j)
{
	const params *p = j->p;
	float area = (float)(p->base_size * p->base_size), half = (float)p->base_size * 0.5f, center = 0.5f * ((float)p->base_size - j->offset);
	for (int64_t a = 0; a < j->anchors; a++) {
		float ratio = p->ratio.at[a / (int64_t)p->scale.n], scale = p->scale.at[a % (int64_t)p->scale.n];
		float w = sqrtf(area / ratio), h, *to = j->anchor + 4 * a;
		w = j->tf ? w : roundf(w);
		h = j->tf ? w * ratio : roundf(w * ratio);
		w = 0.5f * (w * scale - j->offset);
		h = 0.5f * (h * scale - j->offset);
		to[0] = center - w;
		to[1] = center - h;
		to[2] = center + w;
		to[3] = center + h;
		for (int i = 0; j->tf && i < 4; i++)
			to[i] -= half;
	}
}

static float within(float v, float max)
{
	v = v < max ? v : max;
	return v > 0 ? v : 0;
}

static box decode(const job *j, int64_t n, int64_t y, int64_t x, int64_t a)
{
	const params *p = j->p;
	int64_t area = j->h * j->w, at = y * j->w + x;
	const double *d = j->deltas + (n * j->anchors + a) * 4 * area + at;
	const float *anchor = j->anchor + 4 * a;
	float sx = (float)((j->tf ? y : x) * p->feat_stride), sy = (float)((j->tf ? x : y) * p->feat_stride);
	float dx = (float)d[0] / p->box_coordinate_scale, dy = (float)d[area] / p->box_coordinate_scale;
	float dw = (float)d[2 * area] / p->box_size_scale, dh = (float)d[3 * area] / p->box_size_scale;
	box b = {sx + anchor[0], sy + anchor[1], sx + anchor[2], sy + anchor[3], (float)j->scores[((n * 2 + 1) * j->anchors + a) * area + at],
		at * j->anchors + a};
	float w, h, cx, cy;
	if (j->tf)
		b = (box){within(b.x0, j->image_w), within(b.y0, j->image_h), within(b.x1, j->image_w), within(b.y1, j->image_h), b.score, b.index};
	w = b.x1 - b.x0 + j->offset;
	h = b.y1 - b.y0 + j->offset;
	cx = b.x0 + 0.5f * w + dx * w;
	cy = b.y0 + 0.5f * h + dy * h;
	w *= expf(dw);
	h *= expf(dh);
	b = (box){cx - 0.5f * w, cy - 0.5f * h, cx + 0.5f * w, cy + 0.5f * h, b.score, b.index};
	if (p->clip_before_nms) {
		b.x0 = within(b.x0, j->image_w - j->offset);
		b.y0 = within(b.y0, j->image_h - j->offset);
		b.x1 = within(b.x1, j->image_w - j->offset);
		b.y1 = within(b.y1, j->image_h - j->offset);
	}
	if (!(j->min_w <= b.x1 - b.x0 + j->offset && j->min_h <= b.y1 - b.y0 + j->offset))
		b.score = 0;
	return b;
}

static int by_score(const void *a, const void *b)
{
	const box *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static float overlap(const job *j, const box *a, const box *b)
{
	float w, h, both;
	if (!(a->x0 <= b->x1 && a->y0 <= b->y1 && b->x0 <= a->x1 && b->y0 <= a->y1))
		return 0;
	w = fmaxf(0, fminf(a->x1, b->x1) - fmaxf(a->x0, b->x0) + j->offset);
	h = fmaxf(0, fminf(a->y1, b->y1) - fmaxf(a->y0, b->y0) + j->offset);
	both = w * h;
	return both / ((a->x1 - a->x0 + j->offset) * (a->y1 - a->y0 + j->offset) + (b->x1 - b->x0 + j->offset) * (b->y1 - b->y0 + j->offset) - both);
}

static void give(const job *j, int64_t n, const box *b, double *roi)
{
	float v[4] = {b->x0, b->y0, b->x1, b->y1};
	for (int i = 0; i < 4; i++) {
		float size = i % 2 ? j->image_h : j->image_w;
		v[i] = j->p->clip_after_nms ? within(v[i], size) : v[i];
		roi[1 + i] = (double)(j->p->normalize ? v[i] / size : v[i]);
	}
	roi[0] = (double)n;
}

static ovl_status open_job(ovl_work *w, job *j)
{
	const params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0), *d = ovl_work_shape(w, 1);
	const double *image;
	int64_t numbers = ovl_tensor_count(w->run->in[2]);
	j->p = p;
	j->tf = p->framework && !strcmp(p->framework, "tensorflow");
	j->offset = j->tf ? 0 : 1;
	j->batch = s->dims[0];
	j->h = s->dims[2];
	j->w = s->dims[3];
	j->anchors = (int64_t)(p->ratio.n * p->scale.n);
	if (s->dims[1] != 2 * j->anchors || d->dims[1] != 4 * j->anchors || d->dims[0] != j->batch || d->dims[2] != j->h || d->dims[3] != j->w ||
		numbers < 3 || numbers > 4)
		return ovl_work_fail(w, OVL_E_SHAPE, "scores and deltas do not fit %lld anchors", (long long)j->anchors);
	OVL_TRY(ovl_work_f64(w, 0, &j->scores));
	OVL_TRY(ovl_work_f64(w, 1, &j->deltas));
	OVL_TRY(ovl_work_f64(w, 2, &image));
	j->image_h = (float)image[j->tf ? 1 : 0]; /* TensorFlow's boxes have x and y the other way round */
	j->image_w = (float)image[j->tf ? 0 : 1];
	j->min_h = (float)p->min_size * (float)image[2];
	j->min_w = (float)p->min_size * (float)image[numbers - 1];
	OVL_TRY(ovl_work_take(w, j->anchors * 4, sizeof *j->anchor, &j->anchor));
	OVL_TRY(ovl_work_take(w, j->anchors * j->h * j->w, sizeof *j->boxes, &j->boxes));
	OVL_TRY(ovl_work_take(w, j->anchors * j->h * j->w, 1, &j->dead));
	make_anchors(j);
	return OVL_OK;
}

static ovl_status proposal(ovl_work *w)
{
	const params *p = w->params;
	job j = {0};
	int64_t n_boxes;
	double *rois, *probs = NULL;
	OVL_TRY(open_job(w, &j));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &rois));
	memset(rois, 0, (size_t)ovl_tensor_count(w->run->out[0]) * sizeof *rois);
	if (w->run->n_out > 1) {
		OVL_TRY(ovl_work_out(w, 1, OVL_F64, &probs));
		memset(probs, 0, (size_t)ovl_tensor_count(w->run->out[1]) * sizeof *probs);
	}
	n_boxes = j.anchors * j.h * j.w;
	for (int64_t n = 0; n < j.batch; n++) {
		int64_t kept = 0, first = n_boxes < p->pre_nms_topn ? n_boxes : p->pre_nms_topn;
		for (int64_t i = 0; i < n_boxes; i++)
			j.boxes[i] = decode(&j, n, i / j.anchors / j.w, i / j.anchors % j.w, i % j.anchors);
		qsort(j.boxes, (size_t)n_boxes, sizeof *j.boxes, by_score);
		memset(j.dead, 0, (size_t)n_boxes);
		for (int64_t i = 0; i < first && kept < p->post_nms_topn; i++) {
			int64_t at = n * p->post_nms_topn + kept;
			OVL_RUN_CHECK_CANCEL(w->run);
			if (j.dead[i])
				continue;
			give(&j, n, &j.boxes[i], rois + 5 * at);
			if (probs)
				probs[at] = (double)j.boxes[i].score;
			kept++;
			for (int64_t k = i + 1; k < first; k++)
				j.dead[k] = j.dead[k] || p->nms_thresh < overlap(&j, &j.boxes[i], &j.boxes[k]);
		}
		if (kept < p->post_nms_topn)
			rois[5 * (n * p->post_nms_topn + kept)] = -1;
	}
	return OVL_OK;
}

static ovl_status proposal_run(ovl_run *run) { return ovl_work_run(run, proposal); }

static const ovl_attr attrs[] = {
	OVL_ATTR_INT(params, base_size, NULL),
	OVL_ATTR_INT(params, pre_nms_topn, NULL),
	OVL_ATTR_INT(params, post_nms_topn, NULL),
	OVL_ATTR_FLOAT(params, nms_thresh, NULL),
	OVL_ATTR_INT(params, feat_stride, NULL),
	OVL_ATTR_INT(params, min_size, NULL),
	OVL_ATTR_FLOATS(params, ratio, NULL),
	OVL_ATTR_FLOATS(params, scale, NULL),
	OVL_ATTR_BOOL(params, clip_before_nms, "true"),
	OVL_ATTR_BOOL(params, clip_after_nms, "false"),
	OVL_ATTR_BOOL(params, normalize, "false"),
	OVL_ATTR_FLOAT(params, box_size_scale, "1"),
	OVL_ATTR_FLOAT(params, box_coordinate_scale, "1"),
	OVL_ATTR_STRING(params, framework, OVL_OPTIONAL),
	OVL_ATTR_END,
};

static const ovl_op proposal_v1 = {
	.name = "Proposal",
	.since = 1,
	.until = 3,
	.min_inputs = 3,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "class_probs bbox_deltas image_shape",
	.params_size = sizeof(params),
	.attrs = attrs,
	.infer = infer,
	.run = proposal_run,
};

static const ovl_op proposal_v4 = {
	.name = "Proposal",
	.since = 4,
	.min_inputs = 3,
	.max_inputs = 3,
	.outputs = 2,
	.inputs = "class_probs bbox_deltas image_shape",
	.params_size = sizeof(params),
	.attrs = attrs,
	.infer = infer,
	.run = proposal_run,
};

const ovl_op *const ovl_ops_proposal[] = {&proposal_v1, &proposal_v4, NULL};
