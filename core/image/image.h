/* image.h - pictures: tensors {height, width} or {height, width, channels}, of type u8, or f32 where it says so; any strides.
 *
 * Coordinates are distances from the picture's top left corner in pixels, x to the right and y downwards: the centre of the first pixel is (0.5,
 * 0.5).
 * `*out` NULL gives a new tensor; a tensor there takes the result (tensor/target.h) and may be a region of a larger picture.
 * Errors: type, shape (no picture, no pixels, too large), argument, memory. */
#ifndef OVL_IMAGE_IMAGE_H
#define OVL_IMAGE_IMAGE_H

#include "tensor/tensor.h"

enum { OVL_IMAGE_MAX_SIDE = 1 << 20 };

/* AREA is the mean of what an output pixel covers; where it enlarges it is LINEAR. The others look at 1, 2 or 4 pixels a side, however much they
 * shrink. */
typedef enum ovl_filter { OVL_NEAREST, OVL_LINEAR, OVL_CUBIC, OVL_AREA } ovl_filter;

ovl_status ovl_image_resize(
	const ovl_tensor *image, int64_t height, int64_t width, ovl_filter filter, ovl_tensor **out, ovl_error *err); /* also f32 */

/* The input of a net in one go: f32 {1, channels, height, width}, value * scale[c] + shift[c], where c counts the output's channels. Also of f32
 * pictures. */
typedef struct ovl_blob {
	int64_t height, width;
	ovl_filter filter;
	float scale[4], shift[4];
	bool reverse; /* the channels, RGB to BGR */
} ovl_blob;
ovl_status ovl_image_blob(const ovl_tensor *image, const ovl_blob *how, ovl_tensor **out, ovl_error *err); /* 1 to 4 channels */

/* Part of a picture. What lies outside of it is `fill` (a value for each channel; NULL: that is an error, argument). */
ovl_status ovl_image_crop(
	const ovl_tensor *image, int64_t left, int64_t top, int64_t height, int64_t width, const float *fill, ovl_tensor **out, ovl_error *err);

/* As large as fits, in the middle, the rest `fill`. A point (x, y) of the picture is then at (x * scale_x + left, y * scale_y + top). */
typedef struct ovl_placement {
	double scale_x, scale_y;
	int64_t left, top, width, height;
} ovl_placement;
ovl_status ovl_image_letterbox(const ovl_tensor *image, int64_t height, int64_t width, const float *fill, ovl_filter filter, ovl_tensor **out,
	ovl_placement *placed, ovl_error *err);

/* The quadrilateral x0, y0, ... x3, y3 (clockwise from its top left corner) straightened by a perspective transform; outside the edge goes on. Where
 * it shrinks, several places of a pixel are averaged. Errors: argument, when the corners make no convex quadrilateral. */
ovl_status ovl_image_warp(
	const ovl_tensor *image, const double corners[8], int64_t height, int64_t width, ovl_filter filter, ovl_tensor **out, ovl_error *err);

/* Drawing changes the picture itself, u8 with 1 to 4 channels; what lies outside is left out. alpha (0 to 1) blends. Coordinates must be finite. */
ovl_status ovl_image_fill(
	ovl_tensor *image, double left, double top, double width, double height, const uint8_t color[4], double alpha, ovl_error *err);
ovl_status ovl_image_line(
	ovl_tensor *image, double x0, double y0, double x1, double y1, double width, const uint8_t color[4], double alpha, ovl_error *err);

/* Connected parts (diagonals connect) of what is above `threshold` in a map {height, width} of any numeric type: boxes {n, 4} i64 (left, top, right,
 * bottom; the last two are outside) and areas {n} i64, in the order of their first pixels. */
ovl_status ovl_image_components(const ovl_tensor *map, double threshold, ovl_tensor **boxes, ovl_tensor **areas, ovl_error *err);

/* x in the middle of the widest stretch of columns where least happens: where a line of text may be cut between words. */
ovl_status ovl_image_gap(const ovl_tensor *image, double *middle, ovl_error *err);

/* Text in a map of probabilities {height, width}: parts above `threshold`, the smallest rectangle around each, its mean probability (left out below
 * `score`), made larger by area * unclip / perimeter on all sides. boxes {n, 4, 2} f32: clockwise, the first edge runs to the right; scores {n} f32.
 */
typedef struct ovl_text_boxes {
	double threshold, score, unclip;
	double min_side; /* rectangles with a shorter one are left out */
	int64_t most;    /* so many parts are looked at */
	bool dilate;     /* parts grow by a pixel to the right and downwards first */
} ovl_text_boxes;
ovl_status ovl_image_text_boxes(const ovl_tensor *map, const ovl_text_boxes *how, ovl_tensor **boxes, ovl_tensor **scores, ovl_error *err);

#endif
