/* support_slice.h - one dimension cut by start, stop and step, as Slice and StridedSlice do it (Python's rules). */
#ifndef OVL_OPS_SUPPORT_SLICE_H
#define OVL_OPS_SUPPORT_SLICE_H

#include "tensor/shape.h"

typedef struct ovl_cut {
	int64_t first, step, count; /* first is meaningful when count > 0 */
} ovl_cut;

/* step is not 0. Numbers below 0 count from the end; what is outside is cut off. INT64_MIN and INT64_MAX are fine. */
ovl_cut ovl_slice_cut(int64_t size, int64_t start, int64_t stop, int64_t step);
/* What the count may be for any size within `size`. */
ovl_dim ovl_slice_dim(ovl_dim size, int64_t start, int64_t stop, int64_t step);

#endif
