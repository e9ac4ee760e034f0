/* GenerateProposals and ExperimentalDetectronGenerateProposalsSingleImage: boxes moved from their anchors, the best that do not overlap. */
#include "ops/support_work.h"

#include <stdlib.h>

typedef struct params {
	float min_size, nms_threshold, nms_eta;
	int64_t pre_nms_count, post_nms_count;
	bool normalized;
	ovl_type roi_num_type;
} params;

typedef struct box {
	float x0, y0, x1, y1, score;
	bool small;
	int64_t index;
} box;

/* One image: what the deltas make of the anchors. */
typedef struct job {
	const params *p;
	int64_t anchors, h, w;
	float offset; /* 1 when coordinates are those of pixels, ends included */
	float image_h, image_w, min_h, min_w;
	const double *anchor, *deltas, *scores; /* [h, w, anchors, 4], [anchors, 4, h, w], [anchors, h, w] */
	box *boxes;
	char *dead;
	int64_t first; /* candidates, after sorting */
} job;

static float within(float v, float max)
{
	v = v < max ? v : max;
	return v > 0 ? v : 0;
}

static box decode(const job *j, int64_t at, int64_t a)
{
	const float most = (float)log(1000. / 16.);
	int64_t area = j->h * j->w;
	const double *from = j->anchor + (at * j->anchors + a) * 4, *d = j->deltas + a * 4 * area + at;
	float x0 = (float)from[0], y0 = (float)from[1], w = (float)from[2] - x0 + j->offset, h = (float)from[3] - y0 + j->offset;
	float cx = x0 + 0.5f * w + (float)d[0] * w, cy = y0 + 0.5f * h + (float)d[area] * h;
	box b = {.score = (float)j->scores[a * area + at], .index = at * j->anchors + a};
	w *= expf(fminf((float)d[2 * area], most));
	h *= expf(fminf((float)d[3 * area], most));
	b.x0 = within(cx - 0.5f * w, j->image_w - j->offset);
	b.y0 = within(cy - 0.5f * h, j->image_h - j->offset);
	b.x1 = within(cx + 0.5f * w - j->offset, j->image_w - j->offset);
	b.y1 = within(cy + 0.5f * h - j->offset, j->image_h - j->offset);
	b.small = !(j->min_w <= b.x1 - b.x0 + j->offset && j->min_h <= b.y1 - b.y0 + j->offset);
	return b;
}

static int by_score(const void *a, const void *b)
{
	const box *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static float overlap(const box *a, const box *b, float offset)
{
	float w = fmaxf(0, fminf(a->x1, b->x1) - fmaxf(a->x0, b->x0) + offset), h = fmaxf(0, fminf(a->y1, b->y1) - fmaxf(a->y0, b->y0) + offset),
	      both = w * h;
	if (!(a->x0 <= b->x1 && a->y0 <= b->y1 && b->x0 <= a->x1 && b->y0 <= a->y1))
		return 0;
	return both / ((a->x1 - a->x0 + offset) * (a->y1 - a->y0 + offset) + (b->x1 - b->x0 + offset) * (b->y1 - b->y0 + offset) - both);
}

/* Decodes and sorts. drop: boxes that are too small are none; else their score is 0. */
static void prepare(job *j, bool drop)
{
	int64_t n = j->h * j->w * j->anchors;
	for (int64_t i = 0; i < n; i++) {
		j->boxes[i] = decode(j, i / j->anchors, i % j->anchors);
		if (!drop && j->boxes[i].small)
			j->boxes[i].score = 0;
	}
	if (n > 0)
		qsort(j->boxes, (size_t)n, sizeof *j->boxes, by_score);
	j->first = n < j->p->pre_nms_count ? n : j->p->pre_nms_count;
	for (int64_t i = 0; i < n; i++)
		j->dead[i] = drop && j->boxes[i].small;
}

/* Moves the boxes that stay to the front; returns their number. */
static ovl_status suppress(ovl_work *w, job *j, float offset, int64_t *kept)
{
	*kept = 0;
	for (int64_t i = 0; i < j->first && *kept < j->p->post_nms_count; i++) {
		box b = j->boxes[i];
		OVL_RUN_CHECK_CANCEL(w->run);
		if (j->dead[i])
			continue;
		for (int64_t k = i + 1; k < j->first; k++)
			j->dead[k] = j->dead[k] || j->p->nms_threshold < overlap(&b, &j->boxes[k], offset);
		j->boxes[(*kept)++] = b;
	}
	return OVL_OK;
}

static ovl_status open_job(ovl_work *w, job *j)
{
	int64_t n = j->h * j->w * j->anchors;
	if (ovl_tensor_count(w->run->in[1]) != n * 4)
		return ovl_work_fail(
			w, OVL_E_SHAPE, "there are %lld anchors, expected %lld", (long long)ovl_tensor_count(w->run->in[1]) / 4, (long long)n);
	OVL_TRY(ovl_work_f64(w, 1, &j->anchor));
	OVL_TRY(ovl_work_f64(w, 2, &j->deltas));
	OVL_TRY(ovl_work_f64(w, 3, &j->scores));
	OVL_TRY(ovl_work_take(w, n, sizeof *j->boxes, &j->boxes));
	return ovl_work_take(w, n, 1, &j->dead);
}

/* ---- GenerateProposals ---- */

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	ovl_pshape rois = ovl_pshape_rank(2), scores = ovl_pshape_rank(1), count = ovl_pshape_rank(1);
	ovl_dim batch = OVL_DIM_ANY, n;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, 0, 2, 2));
	for (int i = 1; i < 4; i++) {
		ovl_type type;
		OVL_TRY(ovl_infer_merge_types(in, 0, i, &type));
		OVL_TRY(ovl_infer_rank(in, i, 4, 4));
	}
	for (int i = 0; i < 4; i++)
		if (i != 1 && in->in_shape[i].ranked && !ovl_dim_merge(batch, in->in_shape[i].dims[0], &batch))
			return ovl_infer_fail(in, OVL_E_SHAPE, "its inputs are of different batches");
	if (p->pre_nms_count < 1 || p->post_nms_count < 1 || (p->roi_num_type != OVL_I32 && p->roi_num_type != OVL_I64))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "the counts must be positive, roi_num_type i32 or i64");
	n = ovl_dim_mul(batch, ovl_dim_of(p->post_nms_count));
	n.min = 0;
	rois.dims[0] = scores.dims[0] = n;
	rois.dims[1] = ovl_dim_of(4);
	count.dims[0] = batch;
	ovl_infer_out(in, 0, in->in_type[0], &rois);
	ovl_infer_out(in, 1, in->in_type[0], &scores);
	ovl_infer_out(in, 2, p->roi_num_type, &count);
	return OVL_OK;
}

static ovl_status generate(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *info = ovl_work_shape(w, 0), *d = ovl_work_shape(w, 2), *s = ovl_work_shape(w, 3);
	job j = {.p = p, .anchors = s->dims[1], .h = s->dims[2], .w = s->dims[3], .offset = p->normalized ? 0 : 1};
	int64_t batch = s->dims[0], numbers = info->dims[1], total = 0, *count;
	ovl_shape shape = {2, {0, 4}}, one = {1, {batch}};
	const double *image;
	box *all;
	double *y;
	ovl_tensor *t;
	if (info->dims[0] != batch || numbers < 2 || d->dims[0] != batch || d->dims[1] != 4 * j.anchors || d->dims[2] != j.h || d->dims[3] != j.w)
		return ovl_work_fail(w, OVL_E_SHAPE, "its inputs do not fit together");
	OVL_TRY(open_job(w, &j));
	OVL_TRY(ovl_work_f64(w, 0, &image));
	OVL_TRY(ovl_run_output(w->run, 2, p->roi_num_type, &one, &t));
	OVL_TRY(ovl_work_out_tensor(w, t, OVL_I64, &count));
	OVL_TRY(ovl_work_take(w, batch * (p->post_nms_count < j.h * j.w * j.anchors ? p->post_nms_count : j.h * j.w * j.anchors), sizeof *all, &all));
	for (int64_t n = 0; n < batch; n++, image += numbers) {
		j.image_h = (float)image[0];
		j.image_w = (float)image[1];
		j.min_h = p->min_size * (numbers > 2 ? (float)image[2] : 1);
		j.min_w = p->min_size * (numbers > 3 ? (float)image[3] : numbers > 2 ? (float)image[2] : 1);
		prepare(&j, true);
		OVL_TRY(suppress(w, &j, j.offset, &count[n]));
		memcpy(all + total, j.boxes, (size_t)count[n] * sizeof *all);
		total += count[n];
		j.deltas += 4 * j.anchors * j.h * j.w;
		j.scores += j.anchors * j.h * j.w;
	}
	shape.dims[0] = total;
	OVL_TRY(ovl_run_output(w->run, 0, w->run->in[0]->type, &shape, &t));
	OVL_TRY(ovl_work_out_tensor(w, t, OVL_F64, &y));
	for (int64_t i = 0; i < total; i++) {
		*y++ = (double)all[i].x0;
		*y++ = (double)all[i].y0;
		*y++ = (double)all[i].x1;
		*y++ = (double)all[i].y1;
	}
	shape.rank = 1;
	OVL_TRY(ovl_run_output(w->run, 1, w->run->in[0]->type, &shape, &t));
	OVL_TRY(ovl_work_out_tensor(w, t, OVL_F64, &y));
	for (int64_t i = 0; i < total; i++)
		*y++ = (double)all[i].score;
	return OVL_OK;
}

/* ---- one image ---- */

static ovl_status infer_single(ovl_infer *in)
{
	const params *p = in->params;
	ovl_pshape rois = ovl_pshape_rank(2), scores = ovl_pshape_rank(1);
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, 0, 1, 1));
	OVL_TRY(ovl_infer_rank(in, 1, 2, 2));
	for (int i = 1; i < 4; i++) {
		ovl_type type;
		OVL_TRY(ovl_infer_merge_types(in, 0, i, &type));
		if (i > 1)
			OVL_TRY(ovl_infer_rank(in, i, 3, 3));
	}
	if (p->pre_nms_count < 1 || p->post_nms_count < 1)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "the counts must be positive");
	rois.dims[0] = scores.dims[0] = ovl_dim_of(p->post_nms_count);
	rois.dims[1] = ovl_dim_of(4);
	ovl_infer_out(in, 0, in->in_type[0], &rois);
	ovl_infer_out(in, 1, in->in_type[0], &scores);
	return OVL_OK;
}

static ovl_status single(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *d = ovl_work_shape(w, 2), *s = ovl_work_shape(w, 3);
	job j = {.p = p, .anchors = s->dims[0], .h = s->dims[1], .w = s->dims[2], .offset = 1, .min_h = p->min_size, .min_w = p->min_size};
	const double *image;
	double *rois, *scores;
	int64_t kept;
	if (ovl_tensor_count(w->run->in[0]) < 2 || d->dims[0] != 4 * j.anchors || d->dims[1] != j.h || d->dims[2] != j.w)
		return ovl_work_fail(w, OVL_E_SHAPE, "its inputs do not fit together");
	OVL_TRY(open_job(w, &j));
	OVL_TRY(ovl_work_f64(w, 0, &image));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &rois));
	OVL_TRY(ovl_work_out(w, 1, OVL_F64, &scores));
	memset(rois, 0, (size_t)(4 * p->post_nms_count) * sizeof *rois);
	memset(scores, 0, (size_t)p->post_nms_count * sizeof *scores);
	j.image_h = (float)image[0];
	j.image_w = (float)image[1];
	prepare(&j, false);
	OVL_TRY(suppress(w, &j, 0, &kept));
	for (int64_t i = 0; i < kept; i++) {
		const box *b = &j.boxes[i];
		double v[4] = {(double)b->x0, (double)b->y0, (double)b->x1, (double)b->y1};
		memcpy(rois + 4 * i, v, sizeof v);
		scores[i] = (double)b->score;
	}
	return OVL_OK;
}

static ovl_status generate_run(ovl_run *run) { return ovl_work_run(run, generate); }

static ovl_status single_run(ovl_run *run) { return ovl_work_run(run, single); }

static const ovl_attr attrs[] = {
	OVL_ATTR_FLOAT(params, min_size, NULL),
	OVL_ATTR_FLOAT(params, nms_threshold, NULL),
	OVL_ATTR_INT(params, pre_nms_count, NULL),
	OVL_ATTR_INT(params, post_nms_count, NULL),
	OVL_ATTR_BOOL(params, normalized, "true"),
	OVL_ATTR_FLOAT(params, nms_eta, "1"),
	OVL_ATTR_TYPE(params, roi_num_type, "i64"),
	OVL_ATTR_END,
};
static const ovl_attr single_attrs[] = {
	OVL_ATTR_FLOAT(params, min_size, NULL),
	OVL_ATTR_FLOAT(params, nms_threshold, NULL),
	OVL_ATTR_INT(params, post_nms_count, NULL),
	OVL_ATTR_INT(params, pre_nms_count, NULL),
	OVL_ATTR_END,
};

static const ovl_op generate_proposals_v9 = {
	.name = "GenerateProposals",
	.since = 9,
	.min_inputs = 4,
	.max_inputs = 4,
	.outputs = 3,
	.inputs = "im_info anchors deltas scores",
	.params_size = sizeof(params),
	.attrs = attrs,
	.flags = OVL_OP_LATE,
	.infer = infer,
	.run = generate_run,
};

static const ovl_op single_image_v6 = {
	.name = "ExperimentalDetectronGenerateProposalsSingleImage",
	.since = 6,
	.min_inputs = 4,
	.max_inputs = 4,
	.outputs = 2,
	.inputs = "im_info anchors deltas scores",
	.params_size = sizeof(params),
	.attrs = single_attrs,
	.flags = OVL_OP_NO_BUILDER,
	.infer = infer_single,
	.run = single_run,
};

const ovl_op *const ovl_ops_generate_proposals[] = {&generate_proposals_v9, &single_image_v6, NULL};
