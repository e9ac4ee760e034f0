/* topk.h - parameters of TopK. */
#ifndef OVL_OPS_TOPK_H
#define OVL_OPS_TOPK_H

#include "graph/attr.h"

enum { OVL_TOPK_MAX, OVL_TOPK_MIN };
enum { OVL_TOPK_BY_VALUE, OVL_TOPK_BY_INDEX, OVL_TOPK_UNSORTED };

typedef struct ovl_topk_params {
	int64_t axis;
	int mode, sort;
	ovl_type index_element_type;
	bool stable; /* version 11; the reference run is always stable */
} ovl_topk_params;

#endif
