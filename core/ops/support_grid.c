#include "ops/support_grid.h"

#include <math.h>

/* Index i of a dimension of n entries that goes on beyond its ends; -1: a zero. */
static int64_t wrap(const ovl_grid_params *p, int64_t i, int64_t n)
{
	if (i >= 0 && i < n)
		return i;
	if (p->padding_mode == OVL_GRID_ZEROS)
		return -1;
	if (p->padding_mode == OVL_GRID_BORDER)
		return i < 0 ? 0 : n - 1;
	if (p->align_corners) {
		int64_t turn = n == 1 ? 1 : 2 * (n - 1);
		i = (i < 0 ? -i : i) % turn;
		return i >= n ? turn - i : i;
	}
	i = (i % (2 * n) + 2 * n) % (2 * n);
	return i >= n ? 2 * n - 1 - i : i;
}

/* From -1..1 to entries. Kept within what an integer can hold. */
static double place(const ovl_grid_params *p, double v, int64_t n)
{
	double at = p->align_corners ? (v + 1) * (double)(n - 1) / 2 : ((v + 1) * (double)n - 1) / 2;
	return at != at ? -1 : fmin(fmax(at, -0x1p40), 0x1p40);
}

/* Entries and weights in one dimension. */
static int taps(const ovl_grid_params *p, double at, int64_t n, int64_t *index, double *weight)
{
	double base = floor(at), t = at - base, a = -0.75;
	if (p->mode == OVL_GRID_NEAREST) {
		index[0] = wrap(p, (int64_t)nearbyint(at), n);
		weight[0] = 1;
		return 1;
	}
	if (p->mode == OVL_GRID_BILINEAR) {
		for (int k = 0; k < 2; k++)
			index[k] = wrap(p, (int64_t)base + k, n);
		weight[0] = 1 - t;
		weight[1] = t;
		return 2;
	}
	for (int k = 0; k < 4; k++) {
		double x = fabs(t + 1 - k);
		index[k] = wrap(p, (int64_t)base + k - 1, n);
		weight[k] = x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * a;
	}
	return 4;
}

void ovl_grid_reach_of(const ovl_grid_params *p, const double *where, const int64_t *size, int spatial, ovl_grid_reach *r)
{
	*r = (ovl_grid_reach){.n = {1, 1, 1}, .weight = {{1}, {1}, {1}}};
	for (int d = 3 - spatial; d < 3; d++)
		r->n[d] = taps(p, place(p, where[2 - d], size[d]), size[d], r->index[d], r->weight[d]);
}
