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
	double score;
	int64_t index, seen; /* kept boxes up to `seen` were looked at */
} candidate;

typedef struct kept_box {
	double score;
	int64_t batch, class, index;
} kept_box;

enum { LANES = 2, BLOCK = 8 };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t masks __attribute__((vector_size(LANES * sizeof(double))));

/* What is kept of one class, by coordinates: BLOCK boxes are looked at in one go. */
typedef struct near {
	int64_t n;
	double *y0, *x0, *y1, *x1, *area; /* zero from n on */
} near;

typedef struct job {
	bool turned, soft, simple; /* simple: a box is dropped or not, by upright overlap alone */
	int64_t most;
	double iou, score, scale;
	const params *params;
	const double *boxes; /* of the image */
	box *beside; /* kept of the class; `near` instead where it is simple */
	near near;
	candidate *list; /* a heap: the best first; among equals the lower index is better */
	OVL_VEC(kept_box) kept;
} job;

static bool better(const candidate *a, const candidate *b) { return a->score > b->score || (a->score == b->score && a->index < b->index); }

static void sift_down(candidate *list, int64_t n, int64_t at)
{
	const candidate c = list[at];
	for (int64_t child; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && better(&list[child + 1], &list[child]))
			child++;
		if (!better(&list[child], &c))
			break;
		list[at] = list[child];
	}
	list[at] = c;
}

static void sift_up(candidate *list, int64_t at)
{
	const candidate c = list[at];
	for (; at > 0 && better(&c, &list[(at - 1) / 2]); at = (at - 1) / 2)
		list[at] = list[(at - 1) / 2];
	list[at] = c;
}

static int best_first(const void *a, const void *b)
{
	const kept_box *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->batch != y->batch)
		return x->batch < y->batch ? -1 : 1;
	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static lanes load(const double *p)
{
	lanes v;
	memcpy(&v, p, sizeof v);
	return v;
}

static lanes pick(masks where, lanes a, lanes b) { return (lanes)(((masks)a & where) | ((masks)b & ~where)); }

/* iou > threshold, without the division: threshold >= 0, and a box of no area has none with anybody. */
static bool hits(const near *k, const box *b, double threshold)
{
	double area = (b->v[2] - b->v[0]) * (b->v[3] - b->v[1]);
	lanes zero = {0}, y0 = zero + b->v[0], x0 = zero + b->v[1], y1 = zero + b->v[2], x1 = zero + b->v[3];
	if (!(area > 0))
		return false;
	for (int64_t i = 0; i < k->n; i += BLOCK) {
		masks any = {0};
		for (int64_t l = i; l < i + BLOCK; l += LANES) {
			lanes top = load(k->y0 + l), left = load(k->x0 + l), low = load(k->y1 + l), right = load(k->x1 + l), h, w, both;
			h = pick(low < y1, low, y1) - pick(top > y0, top, y0);
			w = pick(right < x1, right, x1) - pick(left > x0, left, x0);
			both = pick((h > zero) & (w > zero), h * w, zero);
			any |= both > threshold * (load(k->area + l) + area - both);
		}
		if (any[0] | any[1])
			return true;
	}
	return false;
}

static void keep_near(near *k, const box *b)
{
	double area = (b->v[2] - b->v[0]) * (b->v[3] - b->v[1]);
	if (!(area > 0))
		return;
	k->y0[k->n] = b->v[0];
	k->x0[k->n] = b->v[1];
	k->y1[k->n] = b->v[2];
	k->x1[k->n] = b->v[3];
	k->area[k->n++] = area;
}

static void forget_near(near *k)
{
	double *all[] = {k->y0, k->x0, k->y1, k->x1, k->area};
	for (int i = 0; i < 5; i++)
		memset(all[i], 0, (size_t)k->n * sizeof(double));
	k->n = 0;
}

static box read_box(const job *j, int64_t index)
{
	const double *v = j->boxes + index * (j->turned ? 5 : 4);
	box b = {{0}};
	if (j->turned) {
		memcpy(b.v, v, sizeof b.v);
		b.v[4] = j->params->clockwise ? v[4] : -v[4];
	} else if (j->params->box_encoding == CENTER) {
		b = (box){{v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2}};
	} else
		b = (box){{fmin(v[0], v[2]), fmin(v[1], v[3]), fmax(v[0], v[2]), fmax(v[1], v[3])}};
	return b;
}

/* Lowers the score by what overlaps; false: dropped. */
static bool weigh(const job *j, candidate *c, const box *mine, int64_t kept)
{
	if (j->simple)
		return !hits(&j->near, mine, j->iou);
	for (int64_t k = kept - 1; k >= c->seen; k--) {
		double iou = j->turned ? overlap_rotated(mine, &j->beside[k]) : overlap_upright(mine, &j->beside[k]);
		if (iou > j->iou && !j->soft)
			return false;
		if (j->soft)
			c->score *= exp(j->scale * iou * iou);
		if (c->score <= j->score)
			return false;
	}
	return true;
}

/* The n candidates of a class. */
static ovl_status suppress(ovl_work *w, job *j, int64_t n, int64_t batch, int64_t class)
{
	for (int64_t i = n / 2 - 1; i >= 0; i--)
		sift_down(j->list, n, i);
	for (int64_t kept = 0; n > 0 && kept < j->most;) {
		candidate c = j->list[0];
		double before = c.score;
		box mine = read_box(j, c.index);
		OVL_RUN_CHECK_CANCEL(w->run);
		j->list[0] = j->list[--n];
		sift_down(j->list, n, 0);
		if (!weigh(j, &c, &mine, kept))
			continue;
		c.seen = kept;
		if (c.score != before) { /* back into the queue, where its score puts it now */
			j->list[n] = c;
			sift_up(j->list, n++);
			continue;
		}
		if (!ovl_vec_push(&j->kept, ((kept_box){c.score, batch, class, c.index})))
			return ovl_work_fail(w, OVL_E_MEMORY, "not enough memory");
		if (j->simple)
			keep_near(&j->near, &mine);
		else
			j->beside[kept] = mine;
		kept++;
	}
	if (j->simple)
		forget_near(&j->near);
	return OVL_OK;
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
	j->simple = !j->turned && !j->soft && j->iou >= 0;
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
		const kept_box *c = &j->kept.at[i];
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

/* Rooms for the candidates of a class and for what is kept of it. */
static ovl_status take_rooms(ovl_work *w, job *j, int64_t count)
{
	int64_t most = j->most < count ? j->most : count, room = (most / BLOCK + 1) * BLOCK;
	double *at;
	OVL_TRY(ovl_work_take(w, count, sizeof *j->list, &j->list));
	if (!j->simple)
		return ovl_work_take(w, most, sizeof *j->beside, &j->beside);
	OVL_TRY(ovl_work_take(w, room, 5 * sizeof *at, &at));
	j->near = (near){0, at, at + room, at + 2 * room, at + 3 * room, at + 4 * room};
	return OVL_OK;
}

/* Those of `count` scores that are high enough. Few are, so BLOCK of them are looked at in one go. */
#define GATHER(TYPE, name)                                                                      \
	static int64_t name(const TYPE *scores, int64_t count, TYPE least, candidate *list)     \
	{                                                                                       \
		int64_t n = 0;                                                                  \
		for (int64_t i = 0, end; i < count; i = end) {                                  \
			int any = 0;                                                            \
			end = count - i < BLOCK ? count : i + BLOCK;                            \
			for (int64_t k = 0; end - i == BLOCK && k < BLOCK; k++)                 \
				any |= scores[i + k] > least;                                   \
			for (int64_t k = i; (any || end - i < BLOCK) && k < end; k++)           \
				if (scores[k] > least)                                          \
					list[n++] = (candidate){(double)scores[k], k, 0};       \
		}                                                                               \
		return n;                                                                       \
	}
GATHER(float, gather_f32)
GATHER(double, gather_f64)

static ovl_status find(ovl_work *w, job *j)
{
	const params *p = w->params;
	const ovl_shape *b = ovl_work_shape(w, 0), *s = ovl_work_shape(w, 1);
	int64_t batches = s->dims[0], classes = s->dims[1], count = s->dims[2], numbers = rotated(w->run->op) ? 5 : 4;
	ovl_type type = ovl_work_type(w->run->in[1]->type);
	const double *boxes;
	const void *scores;
	if (b->dims[0] != batches || b->dims[1] != count || b->dims[2] != numbers)
		return ovl_work_fail(w, OVL_E_SHAPE, "boxes [batch, count, %lld] and scores [batch, classes, count] do not fit", (long long)numbers);
	j->params = p;
	OVL_TRY(read_numbers(w, j));
	OVL_TRY(ovl_work_f64(w, 0, &boxes));
	OVL_TRY(ovl_work_read(w, w->run->in[1], type, &scores));
	OVL_TRY(take_rooms(w, j, count));
	for (int64_t g = 0; g < batches * classes; g++) {
		int64_t n = type == OVL_F32 ? gather_f32((const float *)scores + g * count, count, (float)j->score, j->list)
					    : gather_f64((const double *)scores + g * count, count, j->score, j->list);
		j->boxes = boxes + g / classes * count * numbers;
		OVL_TRY(suppress(w, j, n, g / classes, g % classes));
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
