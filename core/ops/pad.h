/* pad.h - parameters of Pad. */
#ifndef OVL_OPS_PAD_H
#define OVL_OPS_PAD_H

#include "graph/attr.h"

enum { OVL_PAD_CONSTANT, OVL_PAD_EDGE, OVL_PAD_REFLECT, OVL_PAD_SYMMETRIC };

typedef struct ovl_pad_params {
	int pad_mode;
} ovl_pad_params;

#endif
