/* depth_to_space.h - parameters of DepthToSpace and SpaceToDepth. */
#ifndef OVL_OPS_DEPTH_TO_SPACE_H
#define OVL_OPS_DEPTH_TO_SPACE_H

#include "graph/attr.h"

enum { OVL_BLOCKS_FIRST, OVL_DEPTH_FIRST };

typedef struct ovl_depth_to_space_params {
	int mode;
	int64_t block_size;
} ovl_depth_to_space_params;

#endif
