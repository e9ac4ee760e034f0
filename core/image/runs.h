/* runs.h - connected parts of a mask, as runs of pixels. */
#ifndef OVL_IMAGE_RUNS_H
#define OVL_IMAGE_RUNS_H

#include "tensor/tensor.h"

typedef struct ovl_run {
	int32_t y, from, to; /* pixels [from, to) of row y */
	int32_t part;        /* which part it belongs to */
} ovl_run;

typedef struct ovl_runs {
	ovl_run *list;  /* sorted by part, and within by row and column */
	int32_t *start; /* part k is list[start[k]] to list[start[k + 1]], parts in the order of their first pixels */
	int32_t parts;
} ovl_runs;

/* Pixels above `threshold` of a dense f32 map of h x w; `dilate`: also those below and to the right of one. Errors: shape (too large), memory. */
ovl_status ovl_runs_find(const float *map, int64_t h, int64_t w, float threshold, bool dilate, ovl_runs *out, ovl_error *err);
void ovl_runs_free(ovl_runs *r);
/* map as dense f32 with two dimensions; the caller releases *dense. `what` is the operation. */
ovl_status ovl_runs_map(const ovl_tensor *map, const char *what, ovl_tensor **dense, ovl_error *err);

#endif
