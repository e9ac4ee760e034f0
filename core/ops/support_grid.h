/* support_grid.h - where GridSample reads: places of a grid, entries and weights. */
#ifndef OVL_OPS_SUPPORT_GRID_H
#define OVL_OPS_SUPPORT_GRID_H

#include <stdbool.h>
#include <stdint.h>

enum { OVL_GRID_BILINEAR, OVL_GRID_BICUBIC, OVL_GRID_NEAREST };
enum { OVL_GRID_ZEROS, OVL_GRID_BORDER, OVL_GRID_REFLECTION };

typedef struct ovl_grid_params {
	bool align_corners;
	int mode, padding_mode;
} ovl_grid_params;

/* What one output place reads in each dimension (depth, height, width); an image is a volume of depth 1. Index -1: a zero. */
typedef struct ovl_grid_reach {
	int n[3];
	int64_t index[3][4];
	double weight[3][4];
} ovl_grid_reach;

/* where: `spatial` (2 or 3) coordinates from -1 to 1, width first; size: depth, height, width. */
void ovl_grid_reach_of(const ovl_grid_params *p, const double *where, const int64_t *size, int spatial, ovl_grid_reach *r);

#endif
