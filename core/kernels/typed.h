/* typed.h - element-wise operators whose elements are not all f32: whole numbers, comparisons, truth values, Select. Plain loops that the compiler makes vectors of;
 * this part picks the loop and cuts the work, typed_impl.h holds the loops, compiled once per instruction set. */
#ifndef OVL_KERNELS_TYPED_H
#define OVL_KERNELS_TYPED_H

#include "kernels/loops.h"

/* One row: o[i] of x[v][i * step[v]]; o may be x[0] or x[1]. */
typedef struct ovl_typed_row {
	void *o;
	const void *x[3];
	int64_t o_step, step[3], n;
} ovl_typed_row;
typedef void (*ovl_typed_fn)(const ovl_typed_row *r);

/* Loops for an operator by name and the type of its last input; ends with a NULL name. */
typedef struct ovl_typed_entry {
	const char *op;
	ovl_type type; /* OVL_DYNAMIC: any type of this size */
	size_t size;
	ovl_typed_fn fn;
} ovl_typed_entry;

typedef struct ovl_typed_plan {
	ovl_loops loops;
	ovl_typed_fn fn;
	size_t size[4]; /* bytes per element of the output and the inputs */
	int64_t outer, piece, pieces, grain; /* rows, cut into pieces */
} ovl_typed_plan;

const char *ovl_typed_accept(ovl_problem *p, const ovl_typed_entry *table);
ovl_status ovl_typed_prepare(const ovl_problem *p, const ovl_typed_entry *table, ovl_prepared *out, ovl_error *err);
ovl_status ovl_typed_run(const ovl_call *call);
#define OVL_TYPED_OPS                                                                                                                   \
	"Add Subtract Multiply Maximum Minimum Equal NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr LogicalXor LogicalNot " \
	"Select"

#endif
