/* reduce.h - parameters of the Reduce operators. */
#ifndef OVL_OPS_REDUCE_H
#define OVL_OPS_REDUCE_H

#include "graph/attr.h"

typedef struct ovl_reduce_params {
	bool keep_dims;
} ovl_reduce_params;

#endif
