/* gap.c - where a line of text may be cut. */
#include "base/memory.h"
#include "image/pixels.h"

/* How far the values of a column are apart, in the channel where they are most. */
static int spread(const ovl_pixels *p, int64_t x)
{
	int most = 0;
	for (int64_t c = 0; c < p->c; c++) {
		const uint8_t *at = (const uint8_t *)p->data + x * p->sx + c * p->sc;
		int low = at[0], high = at[0];
		for (int64_t y = 1; y < p->h; y++) {
			low = at[y * p->sy] < low ? at[y * p->sy] : low;
			high = at[y * p->sy] > high ? at[y * p->sy] : high;
		}
		most = high - low > most ? high - low : most;
	}
	return most;
}

ovl_status ovl_image_gap(const ovl_tensor *image, double *middle, ovl_error *err)
{
	ovl_pixels p;
	int least = 256, limit, *all;
	int64_t from = 0, best = 0;
	OVL_TRY(ovl_pixels_of(image, false, "gap", &p, err));
	if (!(all = ovl_alloc((size_t)p.w * sizeof *all)))
		return ovl_fail(err, OVL_E_MEMORY, "no memory for the gap of a picture");
	for (int64_t x = 0; x < p.w; x++) {
		all[x] = spread(&p, x);
		least = all[x] < least ? all[x] : least;
	}
	limit = least + least / 4 + 8; /* noise */
	for (int64_t x = 0; x < p.w; x++) {
		if (all[x] > limit)
			from = x + 1;
		else if (x + 1 - from > best) {
			best = x + 1 - from;
			*middle = (double)(from + x + 1) / 2;
		}
	}
	ovl_free(all);
	return OVL_OK;
}
