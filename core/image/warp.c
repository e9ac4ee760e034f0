/* warp.c - a quadrilateral of a picture made straight. */
#include "image/pixels.h"
#include "tensor/target.h"
#include <math.h>

enum { MAX_SAMPLES = 8 };

/* (u, v) of the unit square -> ((a u + b v + c) / w, (d u + e v + f) / w) with w = g u + h v + 1. */
typedef struct projection {
	double a, b, c, d, e, f, g, h;
} projection;

/* All turns at the corners go the same way. */
static bool convex(const double *p)
{
	int right = 0, left = 0;
	for (int i = 0; i < 4; i++) {
		const double *a = p + 2 * i, *b = p + 2 * ((i + 1) & 3), *c = p + 2 * ((i + 2) & 3);
		double turn = (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0]);
		right += turn > 0;
		left += turn < 0;
		if (!(fabs(a[0]) < 1e7 && fabs(a[1]) < 1e7)) /* NaN too */
			return false;
	}
	return right == 4 || left == 4;
}

static projection project(const double *p)
{
	double x0 = p[0], y0 = p[1], x1 = p[2], y1 = p[3], x2 = p[4], y2 = p[5], x3 = p[6], y3 = p[7];
	double sx = x0 - x1 + x2 - x3, sy = y0 - y1 + y2 - y3, ax = x1 - x2, ay = y1 - y2, bx = x3 - x2, by = y3 - y2;
	double det = ax * by - bx * ay; /* not 0: convex */
	projection t = {.g = (sx * by - bx * sy) / det, .h = (ax * sy - sx * ay) / det};
	t.a = x1 - x0 + t.g * x1, t.b = x3 - x0 + t.h * x3, t.c = x0;
	t.d = y1 - y0 + t.g * y1, t.e = y3 - y0 + t.h * y3, t.f = y0;
	return t;
}

static int64_t clamp(int64_t i, int64_t n) { return i < 0 ? 0 : i >= n ? n - 1 : i; }

/* Adds the picture's value at (x, y) to sum, one for each channel. */
static void sample(const ovl_pixels *p, double x, double y, ovl_filter filter, float *sum)
{
	double px = x - 0.5, py = y - 0.5, fx = floor(px), fy = floor(py);
	float wx[4] = {(float)(1 - (px - fx)), (float)(px - fx)}, wy[4] = {(float)(1 - (py - fy)), (float)(py - fy)};
	int n = filter == OVL_CUBIC ? 4 : filter == OVL_NEAREST ? 1 : 2, before = n == 4;
	if (n == 4) {
		ovl_pixels_cubic(px - fx, wx);
		ovl_pixels_cubic(py - fy, wy);
	} else if (n == 1) {
		fx = floor(x), fy = floor(y);
		wx[0] = wy[0] = 1;
	}
	for (int j = 0; j < n; j++) {
		const uint8_t *row = (const uint8_t *)p->data + clamp((int64_t)fy - before + j, p->h) * p->sy;
		for (int i = 0; i < n; i++) {
			const uint8_t *at = row + clamp((int64_t)fx - before + i, p->w) * p->sx;
			float w = wy[j] * wx[i];
			for (int64_t c = 0; c < p->c; c++)
				sum[c] += w * at[c * p->sc];
		}
	}
}

/* How many places along a side of n pixels are looked at in each: its length in the source, rounded up. */
static int samples(const double *a, const double *b, const double *c, const double *d, int64_t n)
{
	double first = hypot(a[0] - b[0], a[1] - b[1]), second = hypot(c[0] - d[0], c[1] - d[1]), ratio = fmax(first, second) / (double)n;
	return ratio <= 1.5 ? 1 : ratio >= MAX_SAMPLES ? MAX_SAMPLES : (int)ceil(ratio);
}

static void warp_row(const ovl_pixels *from, const ovl_pixels *to, const projection *t, int nx, int ny, ovl_filter filter, int64_t y)
{
	uint8_t *out = (uint8_t *)to->data + y * to->sy;
	double du = 1 / ((double)to->w * nx), dv = 1 / ((double)to->h * ny);
	for (int64_t x = 0; x < to->w; x++) {
		float sum[4] = {0}, part = 1.0f / (float)(nx * ny);
		for (int k = 0; k < nx * ny; k++) {
			double u = ((double)(x * nx + k % nx) + 0.5) * du, v = ((double)(y * ny + k / nx) + 0.5) * dv, w = t->g * u + t->h * v + 1;
			sample(from, (t->a * u + t->b * v + t->c) / w, (t->d * u + t->e * v + t->f) / w, filter, sum);
		}
		for (int64_t c = 0; c < to->c; c++)
			out[x * to->sx + c * to->sc] = ovl_pixels_round(sum[c] * part);
	}
}

ovl_status ovl_image_warp(
	const ovl_tensor *image, const double corners[8], int64_t height, int64_t width, ovl_filter filter, ovl_tensor **out, ovl_error *err)
{
	ovl_pixels from, to = {0};
	ovl_target target;
	ovl_shape shape;
	ovl_status s;
	OVL_TRY(ovl_pixels_of(image, false, "warp", &from, err));
	OVL_TRY(ovl_pixels_check_size(height, width, "warp", err));
	if (from.c > 4)
		return ovl_fail(err, OVL_E_SHAPE, "warp: a picture of 1 to 4 channels is expected, got %lld", (long long)from.c);
	if (!convex(corners))
		return ovl_fail(err, OVL_E_ARGUMENT, "warp: the corners (%g, %g), (%g, %g), (%g, %g), (%g, %g) make no convex quadrilateral",
			corners[0], corners[1], corners[2], corners[3], corners[4], corners[5], corners[6], corners[7]);
	shape = ovl_pixels_shape(image, height, width);
	OVL_TRY(ovl_target_open(&target, *out, OVL_U8, &shape, image, false, "warp", err));
	s = ovl_pixels_of(target.t, false, "warp", &to, err);
	if (!s) {
		projection t = project(corners);
		int nx = samples(corners, corners + 2, corners + 6, corners + 4, width),
		    ny = samples(corners, corners + 6, corners + 2, corners + 4, height);
		for (int64_t y = 0; y < height; y++)
			warp_row(&from, &to, &t, nx, ny, filter, y);
	}
	return ovl_target_close(&target, s, out, err);
}
