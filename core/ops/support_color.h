/* support_color.h - one pixel of a video frame. */
#ifndef OVL_OPS_SUPPORT_COLOR_H
#define OVL_OPS_SUPPORT_COLOR_H

#include <math.h>
#include <stdbool.h>

static inline double ovl_color_level(double v, bool whole)
{
	if (whole)
		v = round(v);
	return v < 0 ? 0 : v > 255 ? 255 : v;
}

/* rgb: red, green, blue; whole: rounded. */
static inline void ovl_color_of_yuv(double y, double u, double v, bool whole, double *rgb)
{
	double bright = 1164 * (y - 16), d = u - 128, e = v - 128; /* in thousandths, so that halves are halves */
	rgb[0] = ovl_color_level((bright + 1596 * e) / 1000, whole);
	rgb[1] = ovl_color_level((bright - 391 * d - 813 * e) / 1000, whole);
	rgb[2] = ovl_color_level((bright + 2018 * d) / 1000, whole);
}

#endif
