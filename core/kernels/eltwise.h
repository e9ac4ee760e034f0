/* eltwise.h - f32 element-wise operators and the posts behind them as one chain of stages (stage.h) over blocks that stay in the nearest cache. This part is the same for
 * all instruction sets: what is accepted, how the work is cut. */
#ifndef OVL_KERNELS_ELTWISE_H
#define OVL_KERNELS_ELTWISE_H

#include "kernels/loops.h"
#include "kernels/stage.h"
#include "ops/eltwise.h"

enum { OVL_ELTWISE_BLOCK = 2048 };

typedef struct ovl_eltwise_stage {
	ovl_stage_kind kind;
	int operand; /* value of the loops; -1: none */
	float a, b;
} ovl_eltwise_stage;

/* Value 0 of the loops is the output, value 1 what the first stage begins with. The innermost loop is cut into pieces of n; `rows` of them make a unit of work. */
typedef struct ovl_eltwise_plan {
	ovl_loops loops;
	int input[OVL_LOOPS_MAX]; /* of the call, per value */
	int n_stages;
	ovl_eltwise_stage stage[OVL_MAX_POSTS + 1];
	int64_t n, rows; /* a unit is rows x n elements (the last of a loop may have fewer) */
	bool packed; /* rows are very short or not contiguous: a unit is brought together before it is worked on */
	int64_t length, count; /* of the innermost loop, and of the loop that rows are counted in */
	int64_t pieces, bands; /* blocks along each */
	int64_t units, grain;
} ovl_eltwise_plan;

const char *ovl_eltwise_accept(ovl_problem *p);
ovl_status ovl_eltwise_prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err);

/* Wishes of an element-wise kernel: an input that has the output's dims leads to its form, the others follow. Shared with the typed kernels. */
void ovl_eltwise_forms(ovl_problem *p);

#endif
