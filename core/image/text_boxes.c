/* text_boxes.c - the boxes of lines of text in a detector's map of probabilities. */
#include "base/memory.h"
#include "image/image.h"
#include "image/runs.h"
#include <math.h>

typedef struct point {
	double x, y;
} point;

/* Centre, the unit vector along the first side (which runs to the right), and half of the sides. */
typedef struct rectangle {
	point centre, along;
	double half_w, half_h;
} rectangle;

/* ---- the smallest rectangle around a part ---- */

static double turn(point a, point b, point c) { return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x); }

/* The convex hull of n points sorted by y and x; hull has room for n + 1. Returns how many corners it has. */
static int32_t hull_of(const point *p, int32_t n, point *hull)
{
	int32_t have = 0, half;
	for (int32_t i = 0; i < n; i++) {
		while (have >= 2 && turn(hull[have - 2], hull[have - 1], p[i]) <= 0)
			have--;
		hull[have++] = p[i];
	}
	half = have + 1;
	for (int32_t i = n - 2; i >= 0; i--) {
		while (have >= half && turn(hull[have - 2], hull[have - 1], p[i]) <= 0)
			have--;
		hull[have++] = p[i];
	}
	return n > 1 ? have - 1 : n;
}

/* The rectangle of this direction around the points. */
static rectangle around(const point *p, int32_t n, point u)
{
	double a0 = HUGE_VAL, a1 = -HUGE_VAL, b0 = HUGE_VAL, b1 = -HUGE_VAL;
	for (int32_t i = 0; i < n; i++) {
		double a = p[i].x * u.x + p[i].y * u.y, b = p[i].y * u.x - p[i].x * u.y;
		a0 = fmin(a0, a), a1 = fmax(a1, a), b0 = fmin(b0, b), b1 = fmax(b1, b);
	}
	double a = (a0 + a1) / 2, b = (b0 + b1) / 2;
	return (rectangle){{a * u.x - b * u.y, a * u.y + b * u.x}, u, (a1 - a0) / 2, (b1 - b0) / 2};
}

/* The direction turned by quarters until it runs to the right. */
static point rightwards(point u)
{
	for (int i = 0; i < 3 && !(u.x > fabs(u.y) || (u.x > 0 && u.x == u.y)); i++)
		u = (point){-u.y, u.x};
	return u;
}

static rectangle smallest(const point *hull, int32_t n)
{
	rectangle best = around(hull, n, (point){1, 0});
	for (int32_t i = 0; i < n; i++) {
		point a = hull[i], b = hull[(i + 1) % n], u = {b.x - a.x, b.y - a.y};
		double length = hypot(u.x, u.y);
		rectangle r;
		if (length == 0)
			continue;
		r = around(hull, n, rightwards((point){u.x / length, u.y / length}));
		if (r.half_w * r.half_h < best.half_w * best.half_h * (1 - 1e-9))
			best = r;
	}
	return best;
}

/* The centres of the outermost pixels of each row of a part, sorted by y and x; p has room for twice its runs. */
static int32_t outline(const ovl_runs *r, int32_t part, point *p)
{
	int32_t n = 0, i = r->start[part], end = r->start[part + 1];
	while (i < end) {
		int32_t y = r->list[i].y, from = r->list[i].from, to = from;
		for (; i < end && r->list[i].y == y; i++)
			to = r->list[i].to;
		p[n++] = (point){from + 0.5, y + 0.5};
		if (to - 1 > from)
			p[n++] = (point){to - 0.5, y + 0.5};
	}
	return n;
}

/* ---- its score and its final size ---- */

static void corners_of(const rectangle *r, point c[4])
{
	point w = {r->along.x * r->half_w, r->along.y * r->half_w}, h = {-r->along.y * r->half_h, r->along.x * r->half_h};
	c[0] = (point){r->centre.x - w.x - h.x, r->centre.y - w.y - h.y};
	c[1] = (point){r->centre.x + w.x - h.x, r->centre.y + w.y - h.y};
	c[2] = (point){r->centre.x + w.x + h.x, r->centre.y + w.y + h.y};
	c[3] = (point){r->centre.x - w.x + h.x, r->centre.y - w.y + h.y};
}

/* Where the row whose centres are at y crosses the rectangle; false: nowhere. */
static bool crossing(const point c[4], double y, double *from, double *to)
{
	*from = HUGE_VAL, *to = -HUGE_VAL;
	for (int i = 0; i < 4; i++) {
		point a = c[i], b = c[(i + 1) & 3];
		if (fmin(a.y, b.y) > y || fmax(a.y, b.y) < y)
			continue;
		double x0 = a.y == b.y ? a.x : a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y), x1 = a.y == b.y ? b.x : x0;
		*from = fmin(*from, fmin(x0, x1));
		*to = fmax(*to, fmax(x0, x1));
	}
	return *from <= *to;
}

static int64_t clamp(double v, int64_t last) { return v < 0 ? 0 : v > (double)last ? last : (int64_t)v; }

/* The mean of the map over pixels whose centres lie inside. */
static double mean_inside(const float *map, int64_t h, int64_t w, const point c[4])
{
	double top = fmin(fmin(c[0].y, c[1].y), fmin(c[2].y, c[3].y)), bottom = fmax(fmax(c[0].y, c[1].y), fmax(c[2].y, c[3].y)), from, to, sum = 0;
	int64_t count = 0;
	for (int64_t y = clamp(floor(top), h - 1), last = clamp(ceil(bottom), h - 1); y <= last; y++) {
		if (!crossing(c, (double)y + 0.5, &from, &to))
			continue;
		for (int64_t x = clamp(ceil(from - 0.5 - 1e-6), w - 1), end = clamp(floor(to - 0.5 + 1e-6), w - 1); x <= end; x++, count++)
			sum += map[y * w + x];
	}
	return count ? sum / (double)count : 0;
}

typedef struct found {
	float *boxes, *scores;
	int64_t n;
} found;

static void add_box(const float *map, int64_t h, int64_t w, const ovl_text_boxes *how, rectangle r, found *all)
{
	point c[4];
	double score, grow, side = 2 * fmin(r.half_w, r.half_h);
	if (side < how->min_side)
		return;
	corners_of(&r, c);
	score = mean_inside(map, h, w, c);
	if (!(score >= how->score))
		return;
	grow = r.half_w * r.half_h / (r.half_w + r.half_h) * how->unclip;
	r.half_w += grow;
	r.half_h += grow;
	if (2 * fmin(r.half_w, r.half_h) < how->min_side + 2)
		return;
	corners_of(&r, c);
	for (int i = 0; i < 4; i++) {
		all->boxes[all->n * 8 + 2 * i] = (float)fmin(fmax(c[i].x, 0), (double)w);
		all->boxes[all->n * 8 + 2 * i + 1] = (float)fmin(fmax(c[i].y, 0), (double)h);
	}
	all->scores[all->n++] = (float)score;
}

static ovl_status collect(const float *map, int64_t h, int64_t w, const ovl_text_boxes *how, const ovl_runs *runs, found *all, ovl_error *err)
{
	int32_t parts = how->most && how->most < runs->parts ? (int32_t)how->most : runs->parts, most = 0;
	size_t bytes;
	point *points;
	for (int32_t k = 0; k < parts; k++)
		most = runs->start[k + 1] - runs->start[k] > most ? runs->start[k + 1] - runs->start[k] : most;
	if (!ovl_mul_ok((size_t)most * 4 + 1, sizeof *points, &bytes) || !(points = ovl_alloc(bytes)))
		return ovl_fail(err, OVL_E_MEMORY, "no memory for text boxes");
	for (int32_t k = 0; k < parts; k++) {
		point *hull = points + 2 * (size_t)most;
		int32_t n = outline(runs, k, points);
		n = hull_of(points, n, hull);
		add_box(map, h, w, how, smallest(hull, n), all);
	}
	ovl_free(points);
	return OVL_OK;
}

ovl_status ovl_image_text_boxes(const ovl_tensor *map, const ovl_text_boxes *how, ovl_tensor **boxes, ovl_tensor **scores, ovl_error *err)
{
	ovl_tensor *dense, *b = NULL, *p = NULL;
	ovl_runs runs = {NULL, NULL, 0};
	found all = {NULL, NULL, 0};
	int64_t h, w;
	ovl_status s;
	OVL_TRY(ovl_runs_map(map, "text_boxes", &dense, err));
	h = map->shape.dims[0], w = map->shape.dims[1];
	s = ovl_runs_find(dense->data, h, w, (float)how->threshold, how->dilate, &runs, err);
	ovl_shape list = {1, {runs.parts}}, table = {3, {runs.parts, 4, 2}};
	if (!s)
		s = ovl_tensor_new(OVL_F32, &table, &b, err);
	if (!s)
		s = ovl_tensor_new(OVL_F32, &list, &p, err);
	if (!s) {
		all.boxes = b->data, all.scores = p->data;
		s = collect(dense->data, h, w, how, &runs, &all, err);
	}
	list.dims[0] = table.dims[0] = all.n;
	if (!s)
		s = ovl_tensor_set_shape(b, &table, err);
	if (!s)
		s = ovl_tensor_set_shape(p, &list, err);
	ovl_runs_free(&runs);
	ovl_tensor_release(dense);
	if (s) {
		ovl_tensor_release(b);
		ovl_tensor_release(p);
		return s;
	}
	*boxes = b;
	*scores = p;
	return OVL_OK;
}
