/* DetectionOutput: decodes boxes around priors, suppresses overlapping ones of each class, and keeps the best of each image. */
#include "ops/support_work.h"

#include <stdlib.h>

enum { CORNER, CENTER_SIZE };

typedef struct params {
	int64_t num_classes; /* opset 1; later told by the shapes */
	int64_t background_label_id, top_k;
	bool variance_encoded_in_target;
	ovl_ints keep_top_k;
	int code_type;
	bool share_location;
	float nms_threshold, confidence_threshold;
	bool clip_after_nms, clip_before_nms, decrease_label_id, normalized;
	int64_t input_height, input_width;
	float objectness_score;
} params;

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *scores = &in->in_shape[1], *priors = &in->in_shape[2];
	int64_t size = p->normalized ? 4 : 5, keep;
	ovl_pshape out = ovl_pshape_rank(4);
	ovl_dim n = OVL_DIM_ANY;
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	for (int i = 1; i < in->n_in; i++)
		OVL_TRY(ovl_infer_merge_types(in, 0, i, &type));
	for (int i = 0; i < in->n_in; i++)
		OVL_TRY(ovl_infer_rank(in, i, i == 2 ? 3 : 2, i == 2 ? 3 : 2));
	if (p->keep_top_k.n < 1 || (in->op->since == 1 && (p->num_classes < 1 || p->num_classes > 1 << 24)))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "keep_top_k needs a number, num_classes must be positive");
	keep = p->keep_top_k.at[0];
	out.dims[0] = out.dims[1] = ovl_dim_of(1);
	out.dims[3] = ovl_dim_of(7);
	if (in->in_shape[0].ranked && keep > 0)
		n = ovl_dim_mul(in->in_shape[0].dims[0], ovl_dim_of(keep));
	else if (in->in_shape[0].ranked && priors->ranked && ovl_dim_static(priors->dims[2]) && priors->dims[2].min >= size) {
		int64_t count = priors->dims[2].min / size;
		ovl_dim classes = in->op->since == 1 ? ovl_dim_of(p->num_classes) : OVL_DIM_ANY;
		if (in->op->since > 1 && scores->ranked && ovl_dim_static(scores->dims[1]))
			classes = ovl_dim_of(scores->dims[1].min / count);
		n = ovl_dim_mul(in->in_shape[0].dims[0], ovl_dim_mul(classes, ovl_dim_of(p->top_k > 0 ? p->top_k : count)));
	}
	out.dims[2] = n;
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

typedef struct box {
	double x0, y0, x1, y1;
} box;

typedef struct found {
	double score;
	int64_t label, prior;
} found;

typedef struct job {
	const params *p;
	int64_t images, priors, classes, loc_classes, prior_size;
	const double *loc, *scores, *prior, *arm_scores, *arm_loc;
	int64_t prior_batches, prior_step;
	box *boxes;         /* [loc_classes, priors] of one image */
	double *score;      /* [classes, priors] of one image */
	found *list, *kept; /* candidates, and what stays */
	int64_t n_list, n_kept;
} job;

static double clip(double v) { return v < 0 ? 0 : v > 1 ? 1 : v; }

static box decode(const job *j, box prior, const double *variance, const double *v)
{
	static const double ones[4] = {1, 1, 1, 1};
	const params *p = j->p;
	box r;
	const double *by = p->variance_encoded_in_target ? ones : variance;
	if (!p->normalized) {
		prior.x0 /= (double)p->input_width;
		prior.x1 /= (double)p->input_width;
		prior.y0 /= (double)p->input_height;
		prior.y1 /= (double)p->input_height;
	}
	if (p->code_type == CORNER)
		r = (box){prior.x0 + by[0] * v[0], prior.y0 + by[1] * v[1], prior.x1 + by[2] * v[2], prior.y1 + by[3] * v[3]};
	else {
		double w = prior.x1 - prior.x0, h = prior.y1 - prior.y0;
		double x = by[0] * v[0] * w + (prior.x0 + prior.x1) / 2, y = by[1] * v[1] * h + (prior.y0 + prior.y1) / 2;
		w *= exp(by[2] * v[2]);
		h *= exp(by[3] * v[3]);
		r = (box){x - w / 2, y - h / 2, x + w / 2, y + h / 2};
	}
	if (p->clip_before_nms)
		r = (box){clip(r.x0), clip(r.y0), clip(r.x1), clip(r.y1)};
	return r;
}

static void decode_image(job *j, int64_t n)
{
	const double *prior = j->prior + (j->prior_batches > 1 ? n : 0) * j->prior_step;
	for (int64_t c = 0; c < j->loc_classes; c++)
		for (int64_t i = 0; i < j->priors; i++) {
			const double *at = prior + i * j->prior_size + (j->p->normalized ? 0 : 1);
			const double *variance = j->p->variance_encoded_in_target ? NULL : prior + j->priors * j->prior_size + 4 * i;
			int64_t where = ((n * j->priors + i) * j->loc_classes + c) * 4;
			box b = {at[0], at[1], at[2], at[3]};
			if (j->arm_loc) /* the first stage moves the priors */
				b = decode(j, b, variance, j->arm_loc + where);
			j->boxes[c * j->priors + i] = decode(j, b, variance, j->loc + where);
		}
	for (int64_t i = 0; i < j->priors; i++) {
		bool nothing = j->arm_scores && j->arm_scores[(n * j->priors + i) * 2 + 1] < (double)j->p->objectness_score;
		for (int64_t c = 0; c < j->classes; c++)
			j->score[c * j->priors + i] =
				nothing ? (c == j->p->background_label_id ? 1 : 0) : j->scores[(n * j->priors + i) * j->classes + c];
	}
}

static double area(const box *b) { return b->x1 < b->x0 || b->y1 < b->y0 ? 0 : (b->x1 - b->x0) * (b->y1 - b->y0); }

static double overlap(const box *a, const box *b)
{
	double w = fmin(a->x1, b->x1) - fmax(a->x0, b->x0), h = fmin(a->y1, b->y1) - fmax(a->y0, b->y0);
	return w > 0 && h > 0 ? w * h / (area(a) + area(b) - w * h) : 0;
}

static int by_score(const void *a, const void *b)
{
	const found *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->prior != y->prior)
		return x->prior < y->prior ? -1 : 1;
	return x->label < y->label ? -1 : x->label > y->label;
}

static int by_label(const void *a, const void *b)
{
	const found *x = a, *y = b;
	return x->label != y->label ? (x->label < y->label ? -1 : 1) : by_score(a, b);
}

static const box *box_of(const job *j, const found *f) { return &j->boxes[(j->p->share_location ? 0 : f->label) * j->priors + f->prior]; }

/* Takes candidates best first; each must not overlap a kept one of its label. */
static ovl_status suppress(ovl_work *w, job *j)
{
	qsort(j->list, (size_t)j->n_list, sizeof *j->list, by_score);
	if (j->p->top_k > -1 && j->p->top_k < j->n_list)
		j->n_list = j->p->top_k;
	for (int64_t i = 0; i < j->n_list; i++) {
		bool keep = true;
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int64_t k = 0; keep && k < j->n_kept; k++)
			keep = j->kept[k].label != j->list[i].label ||
			       !(overlap(box_of(j, &j->list[i]), box_of(j, &j->kept[k])) > (double)j->p->nms_threshold);
		if (keep)
			j->kept[j->n_kept++] = j->list[i];
	}
	j->n_list = 0;
	return OVL_OK;
}

static ovl_status find(ovl_work *w, job *j)
{
	const params *p = j->p;
	j->n_kept = j->n_list = 0;
	if (!p->decrease_label_id) { /* class by class */
		for (int64_t c = 0; c < j->classes; c++) {
			if (c == p->background_label_id)
				continue;
			for (int64_t i = 0; i < j->priors; i++)
				if (j->score[c * j->priors + i] > (double)p->confidence_threshold)
					j->list[j->n_list++] = (found){j->score[c * j->priors + i], c, i};
			OVL_TRY(suppress(w, j));
		}
		return OVL_OK;
	}
	for (int64_t i = 0; i < j->priors; i++) { /* the best class of each prior */
		found best = {-1, 0, i};
		for (int64_t c = 1; c < j->classes; c++)
			if (!(p->background_label_id > -1 && c == p->background_label_id) && j->score[c * j->priors + i] > best.score)
				best = (found){j->score[c * j->priors + i], c, i};
		if (best.label > 0 && best.score >= (double)p->confidence_threshold)
			j->list[j->n_list++] = best;
	}
	return suppress(w, j);
}

static ovl_status open_job(ovl_work *w, job *j)
{
	const params *p = w->params;
	const ovl_shape *loc = ovl_work_shape(w, 0), *scores = ovl_work_shape(w, 1), *priors = ovl_work_shape(w, 2);
	int64_t boxes;
	j->p = p;
	j->images = loc->dims[0];
	j->prior_size = p->normalized ? 4 : 5;
	j->priors = priors->dims[2] / j->prior_size;
	j->prior_batches = priors->dims[0];
	j->prior_step = priors->dims[1] * priors->dims[2];
	j->classes = w->run->op->since == 1 ? p->num_classes : j->priors ? scores->dims[1] / j->priors : 0;
	j->loc_classes = p->share_location ? 1 : j->classes;
	boxes = j->loc_classes * j->priors;
	if (loc->dims[1] != boxes * 4 || scores->dims[0] != j->images || scores->dims[1] != j->classes * j->priors ||
		(j->prior_batches != 1 && j->prior_batches != j->images) || priors->dims[1] < (p->variance_encoded_in_target ? 1 : 2))
		return ovl_work_fail(w, OVL_E_SHAPE, "boxes, scores and priors do not fit together");
	OVL_TRY(ovl_work_f64(w, 0, &j->loc));
	OVL_TRY(ovl_work_f64(w, 1, &j->scores));
	OVL_TRY(ovl_work_f64(w, 2, &j->prior));
	if (ovl_work_has(w, 3) && ovl_work_has(w, 4)) {
		if (ovl_tensor_count(w->run->in[3]) != j->images * j->priors * 2 ||
			ovl_tensor_count(w->run->in[4]) != ovl_tensor_count(w->run->in[0]))
			return ovl_work_fail(w, OVL_E_SHAPE, "the additional predictions do not fit the others");
		OVL_TRY(ovl_work_f64(w, 3, &j->arm_scores));
		OVL_TRY(ovl_work_f64(w, 4, &j->arm_loc));
	}
	OVL_TRY(ovl_work_take(w, boxes, sizeof *j->boxes, &j->boxes));
	OVL_TRY(ovl_work_take(w, j->classes * j->priors, sizeof *j->score, &j->score));
	OVL_TRY(ovl_work_take(w, j->priors + 1, sizeof *j->list, &j->list));
	return ovl_work_take(w, j->classes * j->priors + 1, sizeof *j->kept, &j->kept);
}

static ovl_status detection_output(ovl_work *w)
{
	const params *p = w->params;
	job j = {0};
	int64_t rows = w->run->out[0]->shape.dims[2], row = 0, keep = p->keep_top_k.at[0];
	double *y;
	OVL_TRY(open_job(w, &j));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	memset(y, 0, (size_t)(rows * 7) * sizeof *y);
	for (int64_t n = 0; n < j.images; n++) {
		decode_image(&j, n);
		OVL_TRY(find(w, &j));
		if (keep > -1 && j.n_kept > keep) {
			qsort(j.kept, (size_t)j.n_kept, sizeof *j.kept, by_score);
			j.n_kept = keep;
		}
		qsort(j.kept, (size_t)j.n_kept, sizeof *j.kept, by_label);
		for (int64_t k = 0; k < j.n_kept && row < rows; k++, row++) {
			const found *f = &j.kept[k];
			box b = *box_of(&j, f);
			double *to = y + 7 * row;
			if (p->clip_after_nms)
				b = (box){clip(b.x0), clip(b.y0), clip(b.x1), clip(b.y1)};
			to[0] = (double)n;
			to[1] = (double)(p->decrease_label_id ? f->label - 1 : f->label);
			to[2] = f->score;
			to[3] = b.x0;
			to[4] = b.y0;
			to[5] = b.x1;
			to[6] = b.y1;
		}
	}
	if (row < rows)
		y[7 * row] = -1;
	return OVL_OK;
}

static ovl_status detection_output_run(ovl_run *run) { return ovl_work_run(run, detection_output); }

#define COMMON                                                                                                                                      \
	OVL_ATTR_INT(params, background_label_id, "0"), OVL_ATTR_INT(params, top_k, "-1"),                                                          \
		OVL_ATTR_BOOL(params, variance_encoded_in_target, "false"), OVL_ATTR_INTS(params, keep_top_k, NULL),                                \
		OVL_ATTR_ENUM(                                                                                                                      \
			params, code_type, "caffe.PriorBoxParameter.CORNER", "caffe.PriorBoxParameter.CORNER caffe.PriorBoxParameter.CENTER_SIZE"), \
		OVL_ATTR_BOOL(params, share_location, "true"), OVL_ATTR_FLOAT(params, nms_threshold, NULL),                                         \
		OVL_ATTR_FLOAT(params, confidence_threshold, "0"), OVL_ATTR_BOOL(params, clip_after_nms, "false"),                                  \
		OVL_ATTR_BOOL(params, clip_before_nms, "false"), OVL_ATTR_BOOL(params, decrease_label_id, "false"),                                 \
		OVL_ATTR_BOOL(params, normalized, "false"), OVL_ATTR_INT(params, input_height, "1"), OVL_ATTR_INT(params, input_width, "1"),        \
		OVL_ATTR_FLOAT(params, objectness_score, "0")

static const ovl_attr attrs_v1[] = {OVL_ATTR_INT(params, num_classes, NULL), COMMON, OVL_ATTR_END};
static const ovl_attr attrs_v8[] = {COMMON, OVL_ATTR_END};

static const ovl_op detection_output_v1 = {
	.name = "DetectionOutput",
	.since = 1,
	.until = 7,
	.min_inputs = 3,
	.max_inputs = 5,
	.outputs = 1,
	.inputs = "box_logits class_preds proposals aux_class_preds aux_box_preds",
	.params_size = sizeof(params),
	.attrs = attrs_v1,
	.infer = infer,
	.run = detection_output_run,
};

static const ovl_op detection_output_v8 = {
	.name = "DetectionOutput",
	.since = 8,
	.min_inputs = 3,
	.max_inputs = 5,
	.outputs = 1,
	.inputs = "box_logits class_preds proposals aux_class_preds aux_box_preds",
	.params_size = sizeof(params),
	.attrs = attrs_v8,
	.infer = infer,
	.run = detection_output_run,
};

const ovl_op *const ovl_ops_detection_output[] = {&detection_output_v1, &detection_output_v8, NULL};
