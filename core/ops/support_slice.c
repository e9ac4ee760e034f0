#include "ops/support_slice.h"

static int64_t bring_in(int64_t v, int64_t size, int64_t low, int64_t high)
{
	if (v < 0)
		v += size;
	return v < low ? low : v > high ? high : v;
}

ovl_cut ovl_slice_cut(int64_t size, int64_t start, int64_t stop, int64_t step)
{
	int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
	ovl_cut c = {bring_in(start, size, low, high), step, 0};
	int64_t end = bring_in(stop, size, low, high), span = step > 0 ? end - c.first : c.first - end;
	uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
	if (span > 0)
		c.count = (int64_t)(((uint64_t)span - 1) / stride) + 1;
	return c;
}

static const int64_t huge = INT64_MAX / 8; /* stands for an open size: large, and safe to add to */

static int64_t magnitude(int64_t v) { return v <= -huge || v >= huge ? huge : v < 0 ? -v : v; }

/* As the size grows the count grows, stays, or (a start from the end with a stop from the front) grows and falls again. Looking at the ends of the interval and at the
 * sizes where a clamp sets in or ends finds its extremes; for an open interval two large sizes tell whether it keeps growing. */
ovl_dim ovl_slice_dim(ovl_dim size, int64_t start, int64_t stop, int64_t step)
{
	int64_t top = size.max < huge ? size.max : huge, a = magnitude(start), b = magnitude(stop);
	/* Both signs differ: the size at which start and stop meet is their distance. */
	int64_t at[] = {size.min, top, a, b, a + 1, b + 1, a + b, a + b + 1};
	ovl_dim out = {INT64_MAX, 0};
	if (size.min == size.max)
		return ovl_dim_of(ovl_slice_cut(size.min, start, stop, step).count);
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		int64_t n = at[i] < size.min ? size.min : at[i] > top ? top : at[i];
		int64_t count = ovl_slice_cut(n, start, stop, step).count;
		out.min = count < out.min ? count : out.min;
		out.max = count > out.max ? count : out.max;
	}
	if (size.max > huge && ovl_slice_cut(huge / 2, start, stop, step).count < ovl_slice_cut(huge, start, stop, step).count)
		out.max = OVL_DIM_MAX;
	return out;
}
