/* resize.c - other sizes. Both axes are sums over a few taps; rows go through the horizontal one once and are kept until the vertical one is past
 * them. */
#include "base/memory.h"
#include "image/pixels.h"
#include "tensor/target.h"
#include <math.h>

/* For output i: `n` inputs from first[i] on with weights[i * n ...]; all of them lie inside. */
typedef struct taps {
	int64_t n;
	int64_t *first;
	float *weights;
} taps;

void ovl_pixels_cubic(double t, float weights[4])
{
	const double a = -0.75;
	double u = 1 - t;
	weights[0] = (float)(((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a);
	weights[1] = (float)(((a + 2) * t - (a + 3)) * t * t + 1);
	weights[2] = (float)(((a + 2) * u - (a + 3)) * u * u + 1);
	weights[3] = 1 - weights[0] - weights[1] - weights[2];
}

/* Puts weights for inputs from `at` on (perhaps outside) into the row of output i: what is outside goes to the edge. */
static void place(const taps *t, int64_t i, int64_t at, const float *weights, int64_t n, int64_t in)
{
	int64_t first = at < 0 ? 0 : at > in - t->n ? in - t->n : at;
	t->first[i] = first;
	for (int64_t k = 0; k < n; k++) {
		int64_t pos = at + k < 0 ? 0 : at + k >= in ? in - 1 : at + k;
		t->weights[i * t->n + pos - first] += weights[k];
	}
}

static void place_area(const taps *t, int64_t i, double scale, int64_t in)
{
	double from = (double)i * scale, to = from + scale;
	int64_t at = (int64_t)from;
	at = at > in - t->n ? in - t->n : at;
	t->first[i] = at;
	for (int64_t k = 0; k < t->n; k++) {
		double a = fmax(from, (double)(at + k)), b = fmin(to, (double)(at + k + 1));
		t->weights[i * t->n + k] = b > a ? (float)((b - a) / scale) : 0;
	}
}

static void place_all(const taps *t, ovl_filter filter, int64_t in, int64_t out)
{
	double scale = (double)in / (double)out;
	for (int64_t i = 0; i < out; i++) {
		double at = ((double)i + 0.5) * scale - 0.5, whole = floor(at);
		float weights[4] = {(float)(1 - (at - whole)), (float)(at - whole)}, one = 1;
		if (filter == OVL_NEAREST)
			place(t, i, (int64_t)floor(((double)i + 0.5) * scale), &one, 1, in);
		else if (filter == OVL_AREA)
			place_area(t, i, scale, in);
		else if (filter == OVL_LINEAR)
			place(t, i, (int64_t)whole, weights, 2, in);
		else {
			ovl_pixels_cubic(at - whole, weights);
			place(t, i, (int64_t)whole - 1, weights, 4, in);
		}
	}
}

static ovl_status make_taps(taps *t, ovl_filter filter, int64_t in, int64_t out, ovl_error *err)
{
	size_t bytes;
	if (filter == OVL_AREA && out >= in)
		filter = OVL_LINEAR;
	t->n = filter == OVL_NEAREST ? 1 : filter == OVL_LINEAR ? 2 : filter == OVL_CUBIC ? 4 : (in + out - 1) / out + 1;
	if (t->n > in)
		t->n = in;
	if (!ovl_mul_ok((size_t)out, (size_t)t->n * sizeof(float) + sizeof(int64_t), &bytes) || !(t->first = ovl_calloc(bytes, 1)))
		return ovl_fail(err, OVL_E_MEMORY, "no memory for resizing to %lld pixels", (long long)out);
	t->weights = (float *)(t->first + out);
	place_all(t, filter, in, out);
	return OVL_OK;
}

/* ---- rows ---- */

static void load_row(const ovl_pixels *p, int64_t y, float *to)
{
	const uint8_t *bytes = (const uint8_t *)p->data + y * p->sy;
	const float *floats = (const float *)p->data + y * p->sy;
	bool runs = p->sx == p->c && (p->sc == 1 || p->c == 1);
	if (p->type == OVL_U8 && runs)
		for (int64_t i = 0; i < p->w * p->c; i++)
			to[i] = bytes[i];
	else
		for (int64_t x = 0; x < p->w; x++)
			for (int64_t c = 0; c < p->c; c++, to++)
				*to = p->type == OVL_U8 ? bytes[x * p->sx + c * p->sc] : floats[x * p->sx + c * p->sc];
}

static inline __attribute__((always_inline)) void across_of(const taps *t, const float *from, int64_t w, int64_t channels, int64_t n, float *to)
{
	for (int64_t x = 0; x < w; x++) {
		const float *at = from + t->first[x] * channels, *weight = t->weights + x * n;
		for (int64_t c = 0; c < channels; c++, to++) {
			float sum = 0;
			for (int64_t k = 0; k < n; k++)
				sum += at[k * channels + c] * weight[k];
			*to = sum;
		}
	}
}

static void across(const taps *t, const float *from, int64_t w, int64_t channels, float *to)
{
	if (channels == 3 && t->n == 2)
		across_of(t, from, w, 3, 2, to);
	else if (channels == 1 && t->n == 2)
		across_of(t, from, w, 1, 2, to);
	else
		across_of(t, from, w, channels, t->n, to);
}

static void down(const float *weights, float *const *rows, int64_t n, int64_t count, float *to)
{
	const float *a = rows[0], *b = rows[n > 1];
	float wa = weights[0], wb = n > 1 ? weights[1] : 0;
	for (int64_t i = 0; i < count; i++)
		to[i] = a[i] * wa + b[i] * wb;
	for (int64_t k = 2; k < n; k++)
		for (int64_t i = 0; i < count; i++)
			to[i] += rows[k][i] * weights[k];
}

/* The loop over output rows. ring: v->n rows; input row y is in ring[y % n], whose number is at that place of `holds`. */
static void walk(const ovl_pixels *from, const taps *v, const taps *h, int64_t height, int64_t width, float *source, float *row, float *ring,
	int64_t *holds, float **rows, ovl_pixels_row *emit, void *user)
{
	int64_t count = width * from->c;
	for (int64_t k = 0; k < v->n; k++)
		holds[k] = -1;
	for (int64_t y = 0; y < height; y++) {
		for (int64_t k = 0; k < v->n; k++) {
			int64_t in = v->first[y] + k, at = in % v->n;
			rows[k] = ring + at * count;
			if (holds[at] == in)
				continue;
			load_row(from, in, source);
			across(h, source, width, from->c, rows[k]);
			holds[at] = in;
		}
		down(v->weights + y * v->n, rows, v->n, count, row);
		emit(user, row, y);
	}
}

ovl_status ovl_pixels_rows(const ovl_pixels *from, int64_t height, int64_t width, ovl_filter filter, ovl_pixels_row *emit, void *user, ovl_error *err)
{
	taps v = {0}, h = {0};
	size_t floats, bytes, count = (size_t)(width * from->c);
	char *room = NULL;
	ovl_status s = make_taps(&v, filter, from->h, height, err);
	if (!s)
		s = make_taps(&h, filter, from->w, width, err);
	if (!s && (!ovl_mul_ok(count, (size_t)v.n + 1, &floats) || !ovl_add_ok(floats, (size_t)(from->w * from->c), &floats) ||
			  !ovl_mul_ok(floats, 4, &bytes) || !ovl_add_ok(bytes, (size_t)v.n * 16, &bytes) || !(room = ovl_alloc(bytes))))
		s = ovl_fail(err, OVL_E_MEMORY, "no memory for resizing a picture");
	if (!s) {
		int64_t *holds = (int64_t *)room;
		float **rows = (float **)(holds + v.n), *source = (float *)(rows + v.n), *row = source + from->w * from->c;
		walk(from, &v, &h, height, width, source, row, row + count, holds, rows, emit, user);
	}
	ovl_free(room);
	ovl_free(v.first);
	ovl_free(h.first);
	return s;
}

/* ---- into a picture ---- */

static void store_row(void *user, const float *row, int64_t y)
{
	const ovl_pixels *p = user;
	uint8_t *bytes = (uint8_t *)p->data + y * p->sy;
	float *floats = (float *)p->data + y * p->sy;
	for (int64_t x = 0; x < p->w; x++)
		for (int64_t c = 0; c < p->c; c++, row++) {
			if (p->type == OVL_U8)
				bytes[x * p->sx + c * p->sc] = ovl_pixels_round(*row);
			else
				floats[x * p->sx + c * p->sc] = *row;
		}
}

ovl_status ovl_pixels_resize(const ovl_pixels *from, const ovl_pixels *to, ovl_filter filter, ovl_error *err)
{
	return ovl_pixels_rows(from, to->h, to->w, filter, store_row, (void *)(uintptr_t)to, err);
}

ovl_status ovl_image_resize(const ovl_tensor *image, int64_t height, int64_t width, ovl_filter filter, ovl_tensor **out, ovl_error *err)
{
	ovl_pixels from, to;
	ovl_target target;
	ovl_shape shape;
	ovl_status s;
	OVL_TRY(ovl_pixels_of(image, true, "resize", &from, err));
	OVL_TRY(ovl_pixels_check_size(height, width, "resize", err));
	shape = ovl_pixels_shape(image, height, width);
	OVL_TRY(ovl_target_open(&target, *out, image->type, &shape, image, false, "resize", err));
	s = ovl_pixels_of(target.t, true, "resize", &to, err);
	if (!s)
		s = ovl_pixels_resize(&from, &to, filter, err);
	return ovl_target_close(&target, s, out, err);
}
