/* crop.c - parts of pictures, and pictures with a margin. */
#include "image/pixels.h"
#include "tensor/target.h"
#include <math.h>

static void copy_pixels(const ovl_pixels *from, const ovl_pixels *to)
{
	for (int64_t y = 0; y < to->h; y++)
		for (int64_t x = 0; x < to->w; x++)
			for (int64_t c = 0; c < to->c; c++) {
				int64_t a = y * from->sy + x * from->sx + c * from->sc, b = y * to->sy + x * to->sx + c * to->sc;
				if (to->type == OVL_U8)
					((uint8_t *)to->data)[b] = ((const uint8_t *)from->data)[a];
				else
					((float *)to->data)[b] = ((const float *)from->data)[a];
			}
}

/* Of [at, at + n) what lies inside [0, size): *skip before it, returns how many. */
static int64_t inside(int64_t at, int64_t n, int64_t size, int64_t *skip)
{
	int64_t from = at < 0 ? 0 : at, to = at + n > size ? size : at + n;
	*skip = from - at;
	return to > from ? to - from : 0;
}

ovl_status ovl_image_crop(
	const ovl_tensor *image, int64_t left, int64_t top, int64_t height, int64_t width, const float *fill, ovl_tensor **out, ovl_error *err)
{
	ovl_pixels from, to = {0};
	ovl_target target;
	ovl_shape shape;
	ovl_status s;
	int64_t x, y, w, h;
	OVL_TRY(ovl_pixels_of(image, true, "crop", &from, err));
	OVL_TRY(ovl_pixels_check_size(height, width, "crop", err));
	if (left < -OVL_IMAGE_MAX_SIDE || left > OVL_IMAGE_MAX_SIDE || top < -OVL_IMAGE_MAX_SIDE || top > OVL_IMAGE_MAX_SIDE)
		return ovl_fail(err, OVL_E_ARGUMENT, "crop: left %lld, top %lld is too far away", (long long)left, (long long)top);
	w = inside(left, width, from.w, &x);
	h = inside(top, height, from.h, &y);
	if (!fill && (w < width || h < height))
		return ovl_fail(err, OVL_E_ARGUMENT,
			"crop: %lldx%lld from left %lld, top %lld reaches out of a picture of %lldx%lld; give a fill for that", (long long)width,
			(long long)height, (long long)left, (long long)top, (long long)from.w, (long long)from.h);
	shape = ovl_pixels_shape(image, height, width);
	OVL_TRY(ovl_target_open(&target, *out, image->type, &shape, image, false, "crop", err));
	s = ovl_pixels_of(target.t, true, "crop", &to, err);
	if (!s && (w < width || h < height))
		ovl_pixels_fill(&to, fill);
	if (!s && w && h) {
		ovl_pixels part = ovl_pixels_part(&from, left + x, top + y, h, w), place = ovl_pixels_part(&to, x, y, h, w);
		copy_pixels(&part, &place);
	}
	return ovl_target_close(&target, s, out, err);
}

static int64_t side(double v, int64_t most)
{
	int64_t n = (int64_t)floor(v + 0.5);
	return n < 1 ? 1 : n > most ? most : n;
}

ovl_status ovl_image_letterbox(const ovl_tensor *image, int64_t height, int64_t width, const float *fill, ovl_filter filter, ovl_tensor **out,
	ovl_placement *placed, ovl_error *err)
{
	ovl_pixels from, to = {0}, part;
	ovl_target target;
	ovl_shape shape;
	ovl_status s;
	double scale;
	OVL_TRY(ovl_pixels_of(image, true, "letterbox", &from, err));
	OVL_TRY(ovl_pixels_check_size(height, width, "letterbox", err));
	scale = fmin((double)height / (double)from.h, (double)width / (double)from.w);
	placed->width = side((double)from.w * scale, width);
	placed->height = side((double)from.h * scale, height);
	placed->left = (width - placed->width) / 2;
	placed->top = (height - placed->height) / 2;
	placed->scale_x = (double)placed->width / (double)from.w;
	placed->scale_y = (double)placed->height / (double)from.h;
	shape = ovl_pixels_shape(image, height, width);
	OVL_TRY(ovl_target_open(&target, *out, image->type, &shape, image, false, "letterbox", err));
	s = ovl_pixels_of(target.t, true, "letterbox", &to, err);
	if (!s) {
		ovl_pixels_fill(&to, fill);
		part = ovl_pixels_part(&to, placed->left, placed->top, placed->height, placed->width);
		s = ovl_pixels_resize(&from, &part, filter, err);
	}
	return ovl_target_close(&target, s, out, err);
}
