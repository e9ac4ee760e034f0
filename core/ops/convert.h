/* convert.h - parameters of Convert. */
#ifndef OVL_OPS_CONVERT_H
#define OVL_OPS_CONVERT_H

#include "graph/attr.h"

typedef struct ovl_convert_params {
	ovl_type destination_type;
} ovl_convert_params;

#endif
