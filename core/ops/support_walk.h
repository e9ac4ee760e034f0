/* support_walk.h - going over the elements of several operands in step, whatever their strides: broadcasting, transposing, reducing, slicing.
 *
 *     ovl_walk w;
 *     ovl_walk_start(&w, &shape, 2, (const int64_t *const[]){from_strides, to_strides});
 *     for (; !w.done; ovl_walk_next(&w))
 *             for (int64_t i = 0; i < w.inner; i++)
 *                     to[w.pos[1] + i * w.step[1]] = from[w.pos[0] + i * w.step[0]];
 *
 * Neighbouring dimensions are merged where all operands allow it, so that rows are as long as can be; rows are cut at OVL_WALK_ROW elements, so that a caller who
 * looks at cancellation once a row looks often enough. */
#ifndef OVL_OPS_SUPPORT_WALK_H
#define OVL_OPS_SUPPORT_WALK_H

#include "tensor/tensor.h"

enum { OVL_WALK_MAX = 6, OVL_WALK_ROW = 1 << 18 };

typedef struct ovl_walk {
	bool done;
	int n; /* operands */
	int64_t pos[OVL_WALK_MAX]; /* where the row starts in each operand, in elements */
	int64_t step[OVL_WALK_MAX]; /* from one element of the row to the next */
	int64_t inner; /* elements of the row */
	/* private */
	int rank; /* dimensions outside of the row */
	int64_t row, row_at;
	int64_t dims[OVL_MAX_RANK], at[OVL_MAX_RANK];
	int64_t strides[OVL_WALK_MAX][OVL_MAX_RANK];
} ovl_walk;

/* strides[k]: one per dimension of shape, in elements, may be 0 or negative. */
void ovl_walk_start(ovl_walk *w, const ovl_shape *shape, int n, const int64_t *const *strides);
void ovl_walk_next(ovl_walk *w);

/* Dense strides of `from` seen over the dimensions of `to` by numpy's rule: 0 where it is repeated. False when it does not fit. */
bool ovl_walk_broadcast(const ovl_shape *from, const ovl_shape *to, int64_t *strides);

#endif
