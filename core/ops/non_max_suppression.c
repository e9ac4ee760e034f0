/* NonMaxSuppression and NMSRotated: of boxes that overlap too much the ones with lower scores are dropped, for each image and class by itself. */
#include "ops/support_work.h"

#include <stdlib.h>

enum { CORNER, CENTER };

typedef struct params {
	int box_encoding;
	bool sort_result_descending, clockwise;
	ovl_type output_type;
} params;

static bool rotated(const ovl_op *op) { return op->name[1] == 'M'; }

static bool given(const ovl_infer *in, int i) { return i < in->n_in && (in->in_type[i] != OVL_DYNAMIC || in->in_shape[i].ranked); }

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *boxes = &in->in_shape[0], *scores = &in->in_shape[1];
	int64_t numbers = rotated(in->op) ? 5 : 4;
	ovl_pshape out = ovl_pshape_rank(2), one = ovl_pshape_rank(1);
	ovl_dim n = {0, OVL_DIM_MAX}, batch = OVL_DIM_ANY, count = OVL_DIM_ANY;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, 0, 3, 3));
	OVL_TRY(ovl_infer_rank(in, 1, 3, 3));
	if (p->output_type != OVL_I32 && p->output_type != OVL_I64)
		return ovl_infer_fail(in, OVL_E_TYPE, "output_type is %s, expected i32 or i64", ovl_type_name(p->output_type));
	for (int i = 2; i < in->n_in; i++)
		if (given(in, i)) {
			OVL_TRY(ovl_infer_type_in(in, i, i == 2 ? OVL_MASK_INT : OVL_MASK_FLOAT));
			OVL_TRY(ovl_infer_rank(in, i, 0, 1));
		}
	if (boxes->ranked && scores->ranked) {
		if (!ovl_dim_merge(boxes->dims[0], scores->dims[0], &batch) || !ovl_dim_merge(boxes->dims[1], scores->dims[2], &count) ||
			boxes->dims[2].min > numbers || boxes->dims[2].max < numbers)
			return ovl_infer_fail(
				in, OVL_E_SHAPE, "boxes [batch, count, %lld] and scores [batch, classes, count] do not fit", (long long)numbers);
		if (in->n_in > 2 && in->in_value[2] && ovl_tensor_count(in->in_value[2]) == 1) {
			int64_t most = ovl_tensor_i64_at(in->in_value[2], 0);
			count.max = most < count.max ? (most > 0 ? most : 0) : count.max;
		}
		count.min = 0;
		n = ovl_dim_mul(ovl_dim_mul(batch, scores->dims[1]), count);
		n.min = 0;
	}
	out.dims[0] = n;
	out.dims[1] = ovl_dim_of(3);
	one.dims[0] = ovl_dim_of(1);
	ovl_infer_out(in, 0, p->output_type, &out);
	if (in->n_out > 1) {
		ovl_infer_out(in, 1, OVL_F32, &out);
		ovl_infer_out(in, 2, p->output_type, &one);
	}
	return OVL_OK;
}

/* ---- how much boxes overlap ---- */

typedef struct box {
	double v[5]; /* y0 x0 y1 x1, or center x, y, width, height, angle */
} box;

static double overlap_upright(const box *a, const box *b)
{
	double area_a = (a->v[2] - a->v[0]) * (a->v[3] - a->v[1]), area_b = (b->v[2] - b->v[0]) * (b->v[3] - b->v[1]);
	double h = fmin(a->v[2], b->v[2]) - fmax(a->v[0], b->v[0]), w = fmin(a->v[3], b->v[3]) - fmax(a->v[1], b->v[1]), both;
	if (!(area_a > 0 && area_b > 0))
		return 0;
	both = fmax(h, 0) * fmax(w, 0);
	return both / (area_a + area_b - both);
}

typedef struct point {
	double x, y;
} point;

static void corners(const box *b, double from_x, double from_y, point *out)
{
	static const double sign[4][2] = {{1, 1}, {1, -1}, {-1, -1}, {-1, 1}};
	double c = cos(b->v[4]), s = sin(b->v[4]);
	for (int i = 0; i < 4; i++) {
		double dx = sign[i][0] * b->v[2] / 2, dy = sign[i][1] * b->v[3] / 2;
		out[i].x = b->v[0] - from_x + dx * c - dy * s;
		out[i].y = b->v[1] - from_y + dx * s + dy * c;
	}
}

static double side(point a, point b, point p) { return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x); }

static double twice_area(const point *p, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += p[i].x * p[(i + 1) % n].y - p[(i + 1) % n].x * p[i].y;
	return sum;
}

/* Cuts the polygon by each side of the other rectangle. */
static double overlap_rotated(const box *a, const box *b)
{
	point p[16], q[16], r[4];
	double area_a = a->v[2] * a->v[3], area_b = b->v[2] * b->v[3], turn, both;
	double cx = (a->v[0] + b->v[0]) / 2, cy = (a->v[1] + b->v[1]) / 2;
	int n = 4;
	if (!(area_a > 0 && area_b > 0))
		return 0;
	corners(a, cx, cy, p);
	corners(b, cx, cy, r);
	turn = twice_area(r, 4) > 0 ? 1 : -1;
	for (int e = 0; e < 4 && n > 0; e++) {
		int m = 0;
		for (int i = 0; i < n && m < 14; i++) {
			point s = p[i], t = p[(i + 1) % n];
			double ds = turn * side(r[e], r[(e + 1) % 4], s), dt = turn * side(r[e], r[(e + 1) % 4], t);
			if (ds >= 0)
				q[m++] = s;
			if ((ds > 0 && dt < 0) || (ds < 0 && dt > 0))
				q[m++] = (point){s.x + (t.x - s.x) * ds / (ds - dt), s.y + (t.y - s.y) * ds / (ds - dt)};
		}
		n = m;
		memcpy(p, q, (size_t)n * sizeof *p);
	}
	both = n > 2 ? fabs(twice_area(p, n)) / 2 : 0;
	return both / (area_a + area_b - both);
}

/* ---- suppression ---- */

typedef struct candidate {
	box where;
	double score;
	int64_t index, seen; /* kept boxes up to `seen` were looked at */
	int64_t batch, class;
} candidate;

typedef struct job {
	bool turned;
	int64_t most;
	double iou, score, scale;
	bool soft;
	candidate *list; /* candidates, best last */
	OVL_VEC(candidate) kept;
} job;

/* Best last; among equals the lower index is better. */
static int by_score(const void *a, const void *b)
{
	const candidate *x = a, *y = b;
	if (x->score != y->score)
		return x->score < y->score ? -1 : 1;
	return x->index > y->index ? -1 : x->index < y->index;
}

static int best_first(const void *a, const void *b)
{
	const candidate *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->batch != y->batch)
		return x->batch < y->batch ? -1 : 1;
	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Lowers the score by what overlaps; false: dropped. */
static bool weigh(const job *j, candidate *c, size_t first)
{
	for (int64_t k = (int64_t)(j->kept.n - first) - 1; k >= c->seen; k--) {
		const box *other = &j->kept.at[first + (size_t)k].where;
		double iou = j->turned ? overlap_rotated(&c->where, other) : overlap_upright(&c->where, other);
		if (iou > j->iou && !j->soft)
			return false;
		if (j->soft)
			c->score *= exp(j->scale * iou * iou);
		if (c->score <= j->score)
			return false;
	}
	return true;
}

static ovl_status suppress(ovl_work *w, job *j, int64_t n)
{
	size_t first = j->kept.n;
	qsort(j->list, (size_t)n, sizeof *j->list, by_score);
	while (n > 0 && (int64_t)(j->kept.n - first) < j->most) {
		candidate c = j->list[--n];
		double before = c.score;
		OVL_RUN_CHECK_CANCEL(w->run);
		if (!weigh(j, &c, first))
			continue;
		c.seen = (int64_t)(j->kept.n - first);
		if (c.score == before) {
			if (!ovl_vec_push(&j->kept, c))
				return ovl_work_fail(w, OVL_E_MEMORY, "not enough memory");
			continue;
		}
		int64_t at = n++; /* back into the queue, where its score puts it now */
		for (; at > 0 && by_score(&j->list[at - 1], &c) > 0; at--)
			j->list[at] = j->list[at - 1];
		j->list[at] = c;
	}
	return OVL_OK;
}

static box read_box(const params *p, bool turned, const double *v)
{
	box b = {{0}};
	memcpy(b.v, v, (turned ? 5 : 4) * sizeof *v);
	if (turned) {
		b.v[4] = p->clockwise ? v[4] : -v[4];
	} else if (p->box_encoding == CENTER) {
		b = (box){{v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2}};
	} else
		b = (box){{fmin(v[0], v[2]), fmin(v[1], v[3]), fmax(v[0], v[2]), fmax(v[1], v[3])}};
	return b;
}

static ovl_status read_numbers(ovl_work *w, job *j)
{
	double most = 0, sigma = 0;
	if (ovl_work_has(w, 2))
		OVL_TRY(ovl_work_scalar(w, 2, &most));
	if (ovl_work_has(w, 3))
		OVL_TRY(ovl_work_scalar(w, 3, &j->iou));
	if (ovl_work_has(w, 4))
		OVL_TRY(ovl_work_scalar(w, 4, &j->score));
	if (ovl_work_has(w, 5))
		OVL_TRY(ovl_work_scalar(w, 5, &sigma));
	j->turned = rotated(w->run->op);
	j->most = most > 0 ? (most < 0x1p62 ? (int64_t)most : INT64_MAX) : 0;
	j->soft = sigma > 0;
	j->scale = j->soft ? -0.5 / sigma : 0;
	return OVL_OK;
}

static ovl_status give(ovl_work *w, const job *j)
{
	const params *p = w->params;
	ovl_shape shape = {2, {(int64_t)j->kept.n, 3}}, one = {1, {1}};
	ovl_tensor *t;
	int64_t *index, *count;
	double *score = NULL;
	OVL_TRY(ovl_run_output(w->run, 0, p->output_type, &shape, &t));
	OVL_TRY(ovl_work_out_tensor(w, t, OVL_I64, &index));
	if (w->run->n_out > 1) {
		OVL_TRY(ovl_run_output(w->run, 1, OVL_F32, &shape, &t));
		OVL_TRY(ovl_work_out_tensor(w, t, OVL_F64, &score));
		OVL_TRY(ovl_run_output(w->run, 2, p->output_type, &one, &t));
		OVL_TRY(ovl_work_out_tensor(w, t, OVL_I64, &count));
		*count = (int64_t)j->kept.n;
	}
	for (size_t i = 0; i < j->kept.n; i++) {
		const candidate *c = &j->kept.at[i];
		index[3 * i] = c->batch;
		index[3 * i + 1] = c->class;
		index[3 * i + 2] = c->index;
		if (score) {
			score[3 * i] = (double)c->batch;
			score[3 * i + 1] = (double)c->class;
			score[3 * i + 2] = c->score;
		}
	}
	return OVL_OK;
}

static ovl_status find(ovl_work *w, job *j)
{
	const params *p = w->params;
	const ovl_shape *b = ovl_work_shape(w, 0), *s = ovl_work_shape(w, 1);
	int64_t batches = s->dims[0], classes = s->dims[1], count = s->dims[2], numbers = rotated(w->run->op) ? 5 : 4;
	const double *boxes, *scores;
	if (b->dims[0] != batches || b->dims[1] != count || b->dims[2] != numbers)
		return ovl_work_fail(w, OVL_E_SHAPE, "boxes [batch, count, %lld] and scores [batch, classes, count] do not fit", (long long)numbers);
	OVL_TRY(read_numbers(w, j));
	OVL_TRY(ovl_work_f64(w, 0, &boxes));
	OVL_TRY(ovl_work_f64(w, 1, &scores));
	OVL_TRY(ovl_work_take(w, count, sizeof *j->list, &j->list));
	for (int64_t g = 0; g < batches * classes; g++) {
		int64_t n = 0;
		for (int64_t i = 0; i < count; i++)
			if (scores[g * count + i] > j->score)
				j->list[n++] = (candidate){read_box(p, j->turned, boxes + (g / classes * count + i) * numbers), scores[g * count + i],
					i, 0, g / classes, g % classes};
		OVL_TRY(suppress(w, j, n));
	}
	if (p->sort_result_descending && j->kept.n)
		qsort(j->kept.at, j->kept.n, sizeof *j->kept.at, best_first);
	return give(w, j);
}

static ovl_status nms(ovl_work *w)
{
	job j = {0};
	ovl_status st = find(w, &j);
	ovl_vec_free(&j.kept);
	return st;
}

static ovl_status nms_run(ovl_run *run) { return ovl_work_run(run, nms); }

/* Opset 1 has no output_type: it is i64. */
static ovl_status infer_v1(ovl_infer *in)
{
	params p = *(const params *)in->params;
	const void *kept = in->params;
	ovl_status st;
	p.output_type = OVL_I64;
	in->params = &p;
	st = infer(in);
	in->params = kept;
	return st;
}

static ovl_status nms_v1_run(ovl_run *run)
{
	params p = *(const params *)run->params;
	const void *kept = run->params;
	ovl_status st;
	p.output_type = OVL_I64;
	run->params = &p;
	st = ovl_work_run(run, nms);
	run->params = kept;
	return st;
}

#define COMMON OVL_ATTR_ENUM(params, box_encoding, "corner", "corner center"), OVL_ATTR_BOOL(params, sort_result_descending, "true")

static const ovl_attr attrs_v1[] = {COMMON, OVL_ATTR_END};
static const ovl_attr attrs_v3[] = {COMMON, OVL_ATTR_TYPE(params, output_type, "i64"), OVL_ATTR_END};
static const ovl_attr rotated_attrs[] = {
	OVL_ATTR_BOOL(params, sort_result_descending, "true"),
	OVL_ATTR_TYPE(params, output_type, "i64"),
	OVL_ATTR_BOOL(params, clockwise, "true"),
	OVL_ATTR_END,
};

#define OP(var, first, last, many, outs, table, infer_fn, run_fn)                                                 \
	static const ovl_op var = {                                                                               \
		.name = "NonMaxSuppression",                                                                      \
		.since = first,                                                                                   \
		.until = last,                                                                                    \
		.min_inputs = 2,                                                                                  \
		.max_inputs = many,                                                                               \
		.outputs = outs,                                                                                  \
		.inputs = "boxes scores max_output_boxes_per_class iou_threshold score_threshold soft_nms_sigma", \
		.params_size = sizeof(params),                                                                    \
		.attrs = table,                                                                                   \
		.flags = OVL_OP_LATE,                                                                             \
		.infer = infer_fn,                                                                                \
		.run = run_fn,                                                                                    \
	}

OP(nms_v1, 1, 2, 5, 1, attrs_v1, infer_v1, nms_v1_run);
OP(nms_v3, 3, 3, 5, 1, attrs_v3, infer, nms_run);
OP(nms_v4, 4, 4, 5, 1, attrs_v3, infer, nms_run);
OP(nms_v5, 5, 8, 6, 3, attrs_v3, infer, nms_run);
OP(nms_v9, 9, 0, 6, 3, attrs_v3, infer, nms_run);

static const ovl_op nms_rotated_v13 = {
	.name = "NMSRotated",
	.factory = "nms_rotated",
	.since = 13,
	.min_inputs = 5,
	.max_inputs = 5,
	.outputs = 3,
	.inputs = "boxes scores max_output_boxes_per_class iou_threshold score_threshold",
	.params_size = sizeof(params),
	.attrs = rotated_attrs,
	.flags = OVL_OP_LATE,
	.infer = infer,
	.run = nms_run,
};

const ovl_op *const ovl_ops_non_max_suppression[] = {&nms_v1, &nms_v3, &nms_v4, &nms_v5, &nms_v9, &nms_rotated_v13, NULL};
