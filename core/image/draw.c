/* draw.c - lines and areas with soft edges: a pixel takes as much of the colour as it is covered. */
#include "image/pixels.h"
#include <math.h>

static ovl_status canvas(ovl_tensor *image, const char *what, const double *numbers, int n, ovl_pixels *p, ovl_error *err)
{
	OVL_TRY(ovl_pixels_of(image, false, what, p, err));
	if (p->c > 4)
		return ovl_fail(err, OVL_E_SHAPE, "%s: a picture of 1 to 4 channels is expected, got %lld", what, (long long)p->c);
	for (int i = 0; i < n; i++)
		if (!(fabs(numbers[i]) < 1e7))
			return ovl_fail(err, OVL_E_ARGUMENT, "%s: the number %g is too large", what, numbers[i]);
	return OVL_OK;
}

static void blend(const ovl_pixels *p, int64_t x, int64_t y, const uint8_t *color, double alpha)
{
	uint8_t *at = (uint8_t *)p->data + y * p->sy + x * p->sx;
	for (int64_t c = 0; c < p->c; c++)
		at[c * p->sc] = ovl_pixels_round((float)(at[c * p->sc] + (color[c] - at[c * p->sc]) * alpha));
}

/* Of the pixel [i, i + 1) the part inside [from, to). */
static double cover(int64_t i, double from, double to)
{
	double a = fmax((double)i, from), b = fmin((double)i + 1, to);
	return b > a ? b - a : 0;
}

static int64_t bound(double v, int64_t n) { return v < 0 ? 0 : v > (double)n ? n : (int64_t)v; }

ovl_status ovl_image_fill(
	ovl_tensor *image, double left, double top, double width, double height, const uint8_t color[4], double alpha, ovl_error *err)
{
	const double numbers[] = {left, top, width, height, alpha};
	ovl_pixels p;
	int64_t x0, x1, y0, y1;
	OVL_TRY(canvas(image, "fill", numbers, 5, &p, err));
	x0 = bound(floor(left), p.w), x1 = bound(ceil(left + width), p.w);
	y0 = bound(floor(top), p.h), y1 = bound(ceil(top + height), p.h);
	alpha = fmin(fmax(alpha, 0), 1);
	for (int64_t y = y0; y < y1; y++)
		for (int64_t x = x0; x < x1; x++)
			blend(&p, x, y, color, alpha * cover(x, left, left + width) * cover(y, top, top + height));
	return OVL_OK;
}

/* From the point (x, y) to the segment. */
static double distance(double x, double y, double x0, double y0, double dx, double dy)
{
	double length = dx * dx + dy * dy, t = length > 0 ? ((x - x0) * dx + (y - y0) * dy) / length : 0;
	t = fmin(fmax(t, 0), 1);
	return hypot(x - x0 - t * dx, y - y0 - t * dy);
}

/* The columns of row y that the line may touch. */
static void reach(double y, double x0, double y0, double dx, double dy, double r, double *from, double *to)
{
	double a = 0, b = 1;
	if (fabs(dy) > 1e-9) { /* where the segment is within r of the row */
		double s = (y - r - y0) / dy, e = (y + r - y0) / dy;
		a = fmin(fmax(fmin(s, e), 0), 1);
		b = fmin(fmax(fmax(s, e), 0), 1);
	}
	*from = fmin(x0 + a * dx, x0 + b * dx) - r;
	*to = fmax(x0 + a * dx, x0 + b * dx) + r;
}

ovl_status ovl_image_line(
	ovl_tensor *image, double x0, double y0, double x1, double y1, double width, const uint8_t color[4], double alpha, ovl_error *err)
{
	const double numbers[] = {x0, y0, x1, y1, width, alpha};
	double r = fmax(width, 0) / 2 + 0.5, from, to;
	ovl_pixels p;
	int64_t first, last;
	OVL_TRY(canvas(image, "line", numbers, 6, &p, err));
	first = bound(floor(fmin(y0, y1) - r), p.h), last = bound(ceil(fmax(y0, y1) + r), p.h);
	alpha = fmin(fmax(alpha, 0), 1);
	for (int64_t y = first; y < last; y++) {
		reach((double)y + 0.5, x0, y0, x1 - x0, y1 - y0, r, &from, &to);
		for (int64_t x = bound(floor(from), p.w), end = bound(ceil(to), p.w); x < end; x++) {
			double far = distance((double)x + 0.5, (double)y + 0.5, x0, y0, x1 - x0, y1 - y0);
			if (far < r)
				blend(&p, x, y, color, alpha * fmin(r - far, 1));
		}
	}
	return OVL_OK;
}
