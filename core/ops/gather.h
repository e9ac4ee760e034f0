/* gather.h - parameters of Gather (versions 7 and 8; version 1 is batch_dims 0). */
#ifndef OVL_OPS_GATHER_H
#define OVL_OPS_GATHER_H

#include "graph/attr.h"

typedef struct ovl_gather_params {
	int64_t batch_dims; /* may be negative: counts from the rank of the indices */
} ovl_gather_params;

#endif
