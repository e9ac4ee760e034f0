/* pixels.c - tensors as pictures. */
#include "image/pixels.h"

ovl_status ovl_pixels_of(const ovl_tensor *t, bool floats, const char *what, ovl_pixels *out, ovl_error *err)
{
	const ovl_shape *s = &t->shape;
	char text[256];
	if (t->type != OVL_U8 && !(floats && t->type == OVL_F32))
		return ovl_fail(err, OVL_E_TYPE, "%s: a picture must be of type u8%s, got %s", what, floats ? " or f32" : "", ovl_type_name(t->type));
	if ((s->rank != 2 && s->rank != 3) || s->dims[0] < 1 || s->dims[1] < 1 || (s->rank == 3 && (s->dims[2] < 1 || s->dims[2] > 1024)) ||
		s->dims[0] > OVL_IMAGE_MAX_SIDE || s->dims[1] > OVL_IMAGE_MAX_SIDE)
		return ovl_fail(err, OVL_E_SHAPE, "%s: a picture must be {height, width} or {height, width, channels}, got %s", what,
			ovl_shape_text(s, text, sizeof text));
	*out = (ovl_pixels){t->type, s->dims[0], s->dims[1], 1, t->strides[0], t->strides[1], 1, t->data};
	if (s->rank == 3) {
		out->c = s->dims[2];
		out->sc = t->strides[2];
	}
	return OVL_OK;
}

ovl_pixels ovl_pixels_part(const ovl_pixels *p, int64_t left, int64_t top, int64_t h, int64_t w)
{
	ovl_pixels part = *p;
	part.data = (char *)p->data + (top * p->sy + left * p->sx) * (int64_t)ovl_type_size(p->type);
	part.h = h;
	part.w = w;
	return part;
}

ovl_status ovl_pixels_check_size(int64_t height, int64_t width, const char *what, ovl_error *err)
{
	if (height >= 1 && width >= 1 && height <= OVL_IMAGE_MAX_SIDE && width <= OVL_IMAGE_MAX_SIDE)
		return OVL_OK;
	return ovl_fail(
		err, OVL_E_ARGUMENT, "%s: height %lld and width %lld must be 1 to %d", what, (long long)height, (long long)width, OVL_IMAGE_MAX_SIDE);
}

ovl_shape ovl_pixels_shape(const ovl_tensor *image, int64_t height, int64_t width)
{
	ovl_shape s = image->shape;
	s.dims[0] = height;
	s.dims[1] = width;
	return s;
}

uint8_t ovl_pixels_round(float v)
{
	if (!(v > 0)) /* NaN too */
		return 0;
	return v >= 255 ? 255 : (uint8_t)(v + 0.5f);
}

void ovl_pixels_fill(const ovl_pixels *p, const float *value)
{
	for (int64_t y = 0; y < p->h; y++)
		for (int64_t x = 0; x < p->w; x++)
			for (int64_t c = 0; c < p->c; c++) {
				int64_t at = y * p->sy + x * p->sx + c * p->sc;
				if (p->type == OVL_U8)
					((uint8_t *)p->data)[at] = ovl_pixels_round(value[c]);
				else
					((float *)p->data)[at] = value[c];
			}
}
