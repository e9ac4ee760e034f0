/* support_scatter.h - how an update meets the element that is there, for the Scatter operators. */
#ifndef OVL_OPS_SUPPORT_SCATTER_H
#define OVL_OPS_SUPPORT_SCATTER_H

#include "graph/op.h"

typedef enum ovl_scatter {
	OVL_SCATTER_NONE, /* the update replaces it */
	OVL_SCATTER_SUM,
	OVL_SCATTER_SUB,
	OVL_SCATTER_PROD,
	OVL_SCATTER_MIN,
	OVL_SCATTER_MAX,
	OVL_SCATTER_MEAN, /* not for ovl_scatter_into: needs counts */
} ovl_scatter;

/* n elements of `from` that start at from_at meet those of `to` at to_at. Same type, not packed or f8. Booleans: sum and max are "or", prod and min are "and". */
ovl_status ovl_scatter_into(ovl_run *run, ovl_scatter how, ovl_tensor *to, int64_t to_at, const ovl_tensor *from, int64_t from_at, int64_t n);

#endif
