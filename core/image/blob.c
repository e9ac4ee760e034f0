/* blob.c - a picture as a net's input: resized, scaled and shifted, channels first, in one pass. */
#include "image/pixels.h"
#include "tensor/target.h"

typedef struct planes {
	const ovl_blob *how;
	int64_t channels, sc, sy, sx; /* strides of the output */
	float *data;
} planes;

static inline __attribute__((always_inline)) void spread(
	float *to, int64_t step, const float *from, int64_t channels, int64_t w, float scale, float shift)
{
	for (int64_t x = 0; x < w; x++)
		to[x * step] = from[x * channels] * scale + shift;
}

static void put_row(void *user, const float *row, int64_t y)
{
	const planes *p = user;
	for (int64_t c = 0; c < p->channels; c++) {
		const float *from = row + (p->how->reverse ? p->channels - 1 - c : c);
		float *to = p->data + c * p->sc + y * p->sy, scale = p->how->scale[c], shift = p->how->shift[c];
		if (p->channels == 3 && p->sx == 1)
			spread(to, 1, from, 3, p->how->width, scale, shift);
		else
			spread(to, p->sx, from, p->channels, p->how->width, scale, shift);
	}
}

ovl_status ovl_image_blob(const ovl_tensor *image, const ovl_blob *how, ovl_tensor **out, ovl_error *err)
{
	ovl_pixels from;
	ovl_target target;
	ovl_shape shape = {4, {1, 1, how->height, how->width}};
	planes p = {.how = how};
	char text[256];
	OVL_TRY(ovl_pixels_of(image, true, "blob", &from, err));
	OVL_TRY(ovl_pixels_check_size(how->height, how->width, "blob", err));
	if (from.c > 4)
		return ovl_fail(
			err, OVL_E_SHAPE, "blob: a picture of 1 to 4 channels is expected, got %s", ovl_shape_text(&image->shape, text, sizeof text));
	shape.dims[1] = p.channels = from.c;
	OVL_TRY(ovl_target_open(&target, *out, OVL_F32, &shape, image, false, "blob", err));
	p.sc = target.t->strides[1], p.sy = target.t->strides[2], p.sx = target.t->strides[3];
	p.data = target.t->data;
	return ovl_target_close(&target, ovl_pixels_rows(&from, how->height, how->width, how->filter, put_row, &p, err), out, err);
}
