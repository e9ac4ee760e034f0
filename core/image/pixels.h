/* pixels.h - a tensor looked at as a picture: what the files of image/ work on. */
#ifndef OVL_IMAGE_PIXELS_H
#define OVL_IMAGE_PIXELS_H

#include "image/image.h"

typedef struct ovl_pixels {
	ovl_type type; /* u8 or f32 */
	int64_t h, w, c;
	int64_t sy, sx, sc; /* strides, elements */
	void *data;
} ovl_pixels;

/* Errors: type, shape; `floats` allows f32. `what` is the operation. */
ovl_status ovl_pixels_of(const ovl_tensor *t, bool floats, const char *what, ovl_pixels *out, ovl_error *err);
ovl_pixels ovl_pixels_part(const ovl_pixels *p, int64_t left, int64_t top, int64_t h, int64_t w);
ovl_status ovl_pixels_check_size(int64_t height, int64_t width, const char *what, ovl_error *err);
/* A picture of another size with the channels and type of `image`, as tensor shape. */
ovl_shape ovl_pixels_shape(const ovl_tensor *image, int64_t height, int64_t width);
void ovl_pixels_fill(const ovl_pixels *p, const float *value); /* one for each channel */
uint8_t ovl_pixels_round(float v);                             /* to 0..255 */

/* resize.c: the rows of a picture of h x w, one after the other, each w * c floats. */
typedef void ovl_pixels_row(void *user, const float *row, int64_t y);
ovl_status ovl_pixels_rows(const ovl_pixels *from, int64_t h, int64_t w, ovl_filter filter, ovl_pixels_row *emit, void *user, ovl_error *err);
ovl_status ovl_pixels_resize(const ovl_pixels *from, const ovl_pixels *to, ovl_filter filter, ovl_error *err);
/* The four weights of a cubic at fraction t between the second and the third value. */
void ovl_pixels_cubic(double t, float weights[4]);

#endif
