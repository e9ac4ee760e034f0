#include "ops/support_walk.h"

/* Dimension d of the source becomes dimension w->rank of the walk, or is merged with the one before. */
static void add_dim(ovl_walk *w, int64_t size, const int64_t *const *strides, int d)
{
	bool merge = w->rank > 0;
	for (int k = 0; merge && k < w->n; k++)
		merge = w->strides[k][w->rank - 1] == strides[k][d] * size;
	int to = merge ? w->rank - 1 : w->rank++;
	w->dims[to] = merge ? w->dims[to] * size : size;
	for (int k = 0; k < w->n; k++)
		w->strides[k][to] = strides[k][d];
}

static void cut_row(ovl_walk *w)
{
	int64_t left = w->row - w->row_at;
	w->inner = left < OVL_WALK_ROW ? left : OVL_WALK_ROW;
}

void ovl_walk_start(ovl_walk *w, const ovl_shape *shape, int n, const int64_t *const *strides)
{
	memset(w, 0, sizeof *w);
	w->n = n;
	for (int d = 0; d < shape->rank; d++) {
		if (shape->dims[d] == 0) {
			w->done = true;
			return;
		}
		if (shape->dims[d] != 1)
			add_dim(w, shape->dims[d], strides, d);
	}
	w->row = 1;
	if (w->rank > 0) {
		w->row = w->dims[--w->rank];
		for (int k = 0; k < n; k++)
			w->step[k] = w->strides[k][w->rank];
	}
	cut_row(w);
}

void ovl_walk_next(ovl_walk *w)
{
	if (w->row_at + w->inner < w->row) {
		for (int k = 0; k < w->n; k++)
			w->pos[k] += w->inner * w->step[k];
		w->row_at += w->inner;
		cut_row(w);
		return;
	}
	for (int k = 0; k < w->n; k++)
		w->pos[k] -= w->row_at * w->step[k];
	w->row_at = 0;
	cut_row(w);
	for (int d = w->rank - 1; d >= 0; d--) {
		if (++w->at[d] < w->dims[d]) {
			for (int k = 0; k < w->n; k++)
				w->pos[k] += w->strides[k][d];
			return;
		}
		w->at[d] = 0;
		for (int k = 0; k < w->n; k++)
			w->pos[k] -= w->strides[k][d] * (w->dims[d] - 1);
	}
	w->done = true;
}

bool ovl_walk_broadcast(const ovl_shape *from, const ovl_shape *to, int64_t *strides)
{
	int64_t dense[OVL_MAX_RANK];
	int lead = to->rank - from->rank;
	if (lead < 0)
		return false;
	ovl_dense_strides(from, dense);
	for (int d = 0; d < to->rank; d++) {
		int64_t size = d < lead ? 1 : from->dims[d - lead];
		if (size != 1 && size != to->dims[d])
			return false;
		strides[d] = size == 1 ? 0 : dense[d - lead];
	}
	return true;
}
