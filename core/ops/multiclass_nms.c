/* MulticlassNms and MatrixNms: detections of all classes, the best of each image, with their boxes. */
#include "ops/support_work.h"

#include <stdlib.h>

enum { BY_CLASS, BY_SCORE, UNSORTED };
enum { GAUSSIAN, LINEAR };

typedef struct params {
	int sort_result_type;
	ovl_type output_type;
	int64_t nms_top_k, keep_top_k, background_class;
	bool sort_result_across_batch, normalized;
	float score_threshold;
	float iou_threshold, nms_eta; /* MulticlassNms */
	int decay_function;           /* MatrixNms */
	float gaussian_sigma, post_threshold;
} params;

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *boxes = &in->in_shape[0], *scores = &in->in_shape[1];
	ovl_pshape out = ovl_pshape_rank(2), index = ovl_pshape_rank(2), count = ovl_pshape_rank(1);
	bool shared = in->n_in < 3;
	ovl_dim n = OVL_DIM_ANY, batch = OVL_DIM_ANY;
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_merge_types(in, 0, 1, &type));
	OVL_TRY(ovl_infer_rank(in, 0, 3, 3));
	OVL_TRY(ovl_infer_rank(in, 1, shared ? 3 : 2, shared ? 3 : 2));
	if (p->output_type != OVL_I32 && p->output_type != OVL_I64)
		return ovl_infer_fail(in, OVL_E_TYPE, "output_type is %s, expected i32 or i64", ovl_type_name(p->output_type));
	if (boxes->ranked && (boxes->dims[2].min > 4 || boxes->dims[2].max < 4))
		return ovl_infer_fail(in, OVL_E_SHAPE, "a box must be four numbers");
	if (!shared) {
		OVL_TRY(ovl_infer_type_in(in, 2, OVL_MASK_INDEX));
		OVL_TRY(ovl_infer_rank(in, 2, 1, 1));
		if (in->in_shape[2].ranked)
			batch = in->in_shape[2].dims[0];
	} else if (scores->ranked)
		batch = scores->dims[0];
	if (boxes->ranked && scores->ranked) {
		ovl_dim classes = scores->dims[shared ? 1 : 0], each = boxes->dims[1];
		if (p->background_class >= 0 && ovl_dim_static(classes) && p->background_class < classes.max && classes.max > 0)
			classes.max--;
		if (p->nms_top_k >= 0 && p->nms_top_k < each.max)
			each.max = p->nms_top_k;
		n = ovl_dim_mul(classes, each);
		if (p->keep_top_k >= 0 && p->keep_top_k < n.max)
			n.max = p->keep_top_k;
		n = ovl_dim_mul(n, batch);
	}
	n.min = 0;
	out.dims[0] = index.dims[0] = n;
	out.dims[1] = ovl_dim_of(6);
	index.dims[1] = ovl_dim_of(1);
	count.dims[0] = batch;
	ovl_infer_out(in, 0, type, &out);
	ovl_infer_out(in, 1, p->output_type, &index);
	ovl_infer_out(in, 2, p->output_type, &count);
	return OVL_OK;
}

/* ---- detections ---- */

typedef struct found {
	double score;
	int64_t batch, class, index;
	const double *box;
} found;

typedef OVL_VEC(found) finds;

static int by_index(const found *x, const found *y) { return x->index < y->index ? -1 : x->index > y->index; }

static int by_score(const void *a, const void *b)
{
	const found *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->batch != y->batch)
		return x->batch < y->batch ? -1 : 1;
	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	return by_index(x, y);
}

static int by_class(const void *a, const void *b)
{
	const found *x = a, *y = b;
	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	if (x->batch != y->batch)
		return x->batch < y->batch ? -1 : 1;
	return x->score != y->score ? (x->score > y->score ? -1 : 1) : by_index(x, y);
}

static void sort(finds *f, size_t from, int (*order)(const void *, const void *))
{
	if (f->n > from)
		qsort(f->at + from, f->n - from, sizeof *f->at, order);
}

/* MulticlassNms: a box that ends before it begins overlaps nothing. */
static double overlap(const params *p, const double *a, const double *b)
{
	double one = p->normalized ? 0 : 1, area_a = (a[3] - a[1] + one) * (a[2] - a[0] + one), area_b = (b[3] - b[1] + one) * (b[2] - b[0] + one),
	       both;
	if (!(area_a > 0 && area_b > 0))
		return 0;
	both = fmax(fmin(a[3], b[3]) - fmax(a[1], b[1]) + one, 0) * fmax(fmin(a[2], b[2]) - fmax(a[0], b[0]) + one, 0);
	return both / (area_a + area_b - both);
}

static double matrix_area(const params *p, const double *b)
{
	double one = p->normalized ? 0 : 1;
	return b[2] < b[0] || b[3] < b[1] ? 0 : (b[2] - b[0] + one) * (b[3] - b[1] + one);
}

static double matrix_overlap(const params *p, const double *a, const double *b)
{
	double one = p->normalized ? 0 : 1, both;
	if (b[0] > a[2] || b[2] < a[0] || b[1] > a[3] || b[3] < a[1])
		return 0;
	both = (fmin(a[2], b[2]) - fmax(a[0], b[0]) + one) * (fmin(a[3], b[3]) - fmax(a[1], b[1]) + one);
	return both / (matrix_area(p, a) + matrix_area(p, b) - both);
}

typedef struct job {
	ovl_work *w;
	const params *p;
	bool matrix;
	found *list; /* candidates of one class */
	double *iou_max;
	finds kept;
} job;

/* Of n sorted candidates those that no better one overlaps. */
static ovl_status keep_apart(job *j, int64_t n)
{
	const params *p = j->p;
	double threshold = p->iou_threshold;
	size_t first = j->kept.n;
	for (int64_t i = 0; i < n; i++) {
		bool good = true;
		OVL_RUN_CHECK_CANCEL(j->w->run);
		for (size_t k = first; good && k < j->kept.n; k++)
			good = !(overlap(p, j->list[i].box, j->kept.at[k].box) >= threshold);
		if (!good)
			continue;
		if (p->nms_eta < 1 && threshold > 0.5)
			threshold *= p->nms_eta;
		if (!ovl_vec_push(&j->kept, j->list[i]))
			return ovl_work_fail(j->w, OVL_E_MEMORY, "not enough memory");
	}
	return OVL_OK;
}

/* Of n sorted candidates all, with scores that decay by how much better ones overlap them. */
static ovl_status decay(job *j, int64_t n)
{
	const params *p = j->p;
	for (int64_t i = 0; i < n; i++) {
		found f = j->list[i];
		double least = 1;
		j->iou_max[i] = 0;
		OVL_RUN_CHECK_CANCEL(j->w->run);
		for (int64_t k = 0; k < i; k++) {
			double iou = matrix_overlap(p, f.box, j->list[k].box), most = j->iou_max[k];
			double by =
				p->decay_function == GAUSSIAN ? exp((most * most - iou * iou) * p->gaussian_sigma) : (1 - iou) / (1 - most + 1e-10);
			j->iou_max[i] = iou > j->iou_max[i] ? iou : j->iou_max[i];
			least = by < least ? by : least;
		}
		f.score *= least;
		if (f.score > (double)p->post_threshold && !ovl_vec_push(&j->kept, f))
			return ovl_work_fail(j->w, OVL_E_MEMORY, "not enough memory");
	}
	return OVL_OK;
}

/* One class of one image: n scores and boxes. */
static ovl_status one_class(job *j, int64_t batch, int64_t class, int64_t n, const double *scores, const double *boxes)
{
	const params *p = j->p;
	int64_t count = 0;
	for (int64_t i = 0; i < n; i++)
		if (j->matrix ? scores[i] > (double)p->score_threshold : scores[i] >= (double)p->score_threshold)
			j->list[count++] = (found){scores[i], batch, class, i, boxes + 4 * i};
	if (count > 0)
		qsort(j->list, (size_t)count, sizeof *j->list, by_score);
	if (p->nms_top_k > -1 && p->nms_top_k < count)
		count = p->nms_top_k;
	return j->matrix ? decay(j, count) : keep_apart(j, count);
}

/* What an image keeps, in order. */
static void end_image(job *j, size_t from)
{
	const params *p = j->p;
	sort(&j->kept, from, by_score);
	if (p->keep_top_k > -1 && (int64_t)(j->kept.n - from) > p->keep_top_k)
		j->kept.n = from + (size_t)p->keep_top_k;
	if (!p->sort_result_across_batch && p->sort_result_type == BY_CLASS && !j->matrix) /* OpenVINO's MatrixNms leaves them by score */
		sort(&j->kept, from, by_class);
}

static ovl_status give(job *j, const int64_t *firsts, int64_t boxes, int64_t classes)
{
	ovl_run *run = j->w->run;
	const params *p = j->p;
	int64_t n = (int64_t)j->kept.n;
	ovl_shape shape = {2, {n, 6}}, index_shape = {2, {n, 1}};
	ovl_tensor *t;
	double *y;
	int64_t *index;
	OVL_TRY(ovl_run_output(run, 0, run->in[0]->type, &shape, &t));
	OVL_TRY(ovl_work_out_tensor(j->w, t, OVL_F64, &y));
	OVL_TRY(ovl_run_output(run, 1, p->output_type, &index_shape, &t));
	OVL_TRY(ovl_work_out_tensor(j->w, t, OVL_I64, &index));
	for (int64_t i = 0; i < n; i++, y += 6) {
		const found *f = &j->kept.at[i];
		y[0] = (double)f->class;
		y[1] = f->score;
		memcpy(y + 2, f->box, 4 * sizeof *y);
		index[i] = firsts ? (firsts[f->batch] + f->index) * classes + f->class : f->batch * boxes + f->index;
	}
	return OVL_OK;
}

static ovl_status detect(job *j)
{
	ovl_work *w = j->w;
	const params *p = j->p;
	const ovl_shape *b = ovl_work_shape(w, 0), *s = ovl_work_shape(w, 1);
	bool shared = !ovl_work_has(w, 2);
	int64_t images = shared ? s->dims[0] : ovl_tensor_count(w->run->in[2]), classes = s->dims[shared ? 1 : 0], boxes = b->dims[1];
	int64_t *firsts = NULL, *count;
	const int64_t *sizes = NULL;
	const double *box, *score;
	ovl_shape images_shape = {1, {images}};
	ovl_tensor *t;
	if (s->rank != (shared ? 3 : 2) || b->dims[2] != 4 || b->dims[0] != (shared ? images : classes) || s->dims[shared ? 2 : 1] != boxes)
		return ovl_work_fail(w, OVL_E_SHAPE, "boxes and scores do not fit together");
	OVL_TRY(ovl_work_f64(w, 0, &box));
	OVL_TRY(ovl_work_f64(w, 1, &score));
	OVL_TRY(ovl_work_take(w, boxes, sizeof *j->list, &j->list));
	OVL_TRY(ovl_work_take(w, boxes, sizeof *j->iou_max, &j->iou_max));
	OVL_TRY(ovl_run_output(w->run, 2, p->output_type, &images_shape, &t));
	OVL_TRY(ovl_work_out_tensor(w, t, OVL_I64, &count));
	if (!shared) {
		OVL_TRY(ovl_work_i64(w, 2, &sizes));
		OVL_TRY(ovl_work_take(w, images + 1, sizeof *firsts, &firsts));
		for (int64_t i = 0; i < images; i++) {
			if (sizes[i] < 0 || sizes[i] > boxes - firsts[i])
				return ovl_work_fail(w, OVL_E_ARGUMENT, "image %lld has %lld boxes, of %lld that are left", (long long)i,
					(long long)sizes[i], (long long)(boxes - firsts[i]));
			firsts[i + 1] = firsts[i] + sizes[i];
		}
	}
	for (int64_t i = 0; i < images; i++) {
		size_t before = j->kept.n;
		for (int64_t c = 0; c < classes; c++) {
			if (c == p->background_class)
				continue;
			if (shared)
				OVL_TRY(one_class(j, i, c, boxes, score + (i * classes + c) * boxes, box + i * boxes * 4));
			else
				OVL_TRY(one_class(j, i, c, sizes[i], score + c * boxes + firsts[i], box + (c * boxes + firsts[i]) * 4));
		}
		end_image(j, before);
		count[i] = (int64_t)(j->kept.n - before);
	}
	if (p->sort_result_across_batch && p->sort_result_type != UNSORTED)
		sort(&j->kept, 0, p->sort_result_type == BY_CLASS ? by_class : by_score);
	return give(j, firsts, boxes, classes);
}

static ovl_status nms(ovl_work *w)
{
	job j = {.w = w, .p = w->params, .matrix = w->run->op->name[1] == 'a'};
	ovl_status st = detect(&j);
	ovl_vec_free(&j.kept);
	return st;
}

static ovl_status nms_run(ovl_run *run) { return ovl_work_run(run, nms); }

#define COMMON                                                                                                                           \
	OVL_ATTR_ENUM(params, sort_result_type, "none", "classid score none"), OVL_ATTR_BOOL(params, sort_result_across_batch, "false"), \
		OVL_ATTR_TYPE(params, output_type, "i64")

static const ovl_attr multiclass_attrs[] = {
	COMMON,
	OVL_ATTR_FLOAT(params, iou_threshold, "0"),
	OVL_ATTR_FLOAT(params, score_threshold, "0"),
	OVL_ATTR_INT(params, nms_top_k, "-1"),
	OVL_ATTR_INT(params, keep_top_k, "-1"),
	OVL_ATTR_INT(params, background_class, "-1"),
	OVL_ATTR_FLOAT(params, nms_eta, "1"),
	OVL_ATTR_BOOL(params, normalized, "true"),
	OVL_ATTR_END,
};
static const ovl_attr matrix_attrs[] = {
	COMMON,
	OVL_ATTR_FLOAT(params, score_threshold, "0"),
	OVL_ATTR_INT(params, nms_top_k, "-1"),
	OVL_ATTR_INT(params, keep_top_k, "-1"),
	OVL_ATTR_INT(params, background_class, "-1"),
	OVL_ATTR_ENUM(params, decay_function, "linear", "gaussian linear"),
	OVL_ATTR_FLOAT(params, gaussian_sigma, "2"),
	OVL_ATTR_FLOAT(params, post_threshold, "0"),
	OVL_ATTR_BOOL(params, normalized, "true"),
	OVL_ATTR_END,
};

#define OP(var, op_name, first, last, many, table) \
	static const ovl_op var = {                \
		.name = op_name,                   \
		.since = first,                    \
		.until = last,                     \
		.min_inputs = 2,                   \
		.max_inputs = many,                \
		.outputs = 3,                      \
		.inputs = "boxes scores roisnum",  \
		.params_size = sizeof(params),     \
		.attrs = table,                    \
		.flags = OVL_OP_LATE,              \
		.infer = infer,                    \
		.run = nms_run,                    \
	}

OP(multiclass_nms_v8, "MulticlassNms", 8, 8, 2, multiclass_attrs);
OP(multiclass_nms_v9, "MulticlassNms", 9, 0, 3, multiclass_attrs);
OP(matrix_nms_v8, "MatrixNms", 8, 0, 2, matrix_attrs);

const ovl_op *const ovl_ops_multiclass_nms[] = {&multiclass_nms_v8, &multiclass_nms_v9, &matrix_nms_v8, NULL};
