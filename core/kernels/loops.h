/* loops.h - several strided values walked together, element by element, in as few nested loops as their strides allow. */
#ifndef OVL_KERNELS_LOOPS_H
#define OVL_KERNELS_LOOPS_H

#include "kernels/kernel.h"

enum { OVL_LOOPS_MAX = 4 + OVL_MAX_POSTS };

/* Loops from the outermost to the innermost; no loop of length 1 (rank 0: one element). strides[v] belong to value v. */
typedef struct ovl_loops {
	int rank, n_values;
	int64_t dims[OVL_MAX_RANK];
	int64_t strides[OVL_LOOPS_MAX][OVL_MAX_RANK];
} ovl_loops;

/* Value 0 (the output) decides the order: its smallest stride is walked innermost. Loops that all values walk in one go are joined. */
void ovl_loops_make(ovl_loops *w, int rank, const int64_t *dims, int n_values, const int64_t *const *strides);
/* The same for an output and operands that broadcast to it. False when one does not. */
bool ovl_loops_broadcast(ovl_loops *w, const ovl_desc *out, int n_operands, const ovl_desc *const *operands);
int64_t ovl_loops_count(const ovl_loops *w, int loops); /* product of the outermost `loops` */
/* Offsets of all values at step `index` (row-major) of the outermost `loops`. */
void ovl_loops_at(const ovl_loops *w, int loops, int64_t index, int64_t *offsets);

#endif
