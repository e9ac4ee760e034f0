/* concat.h - parameters of Concat. */
#ifndef OVL_OPS_CONCAT_H
#define OVL_OPS_CONCAT_H

#include "graph/attr.h"

typedef struct ovl_concat_params {
	int64_t axis; /* may be negative */
} ovl_concat_params;

#endif
