/* program.h - a program from the inside, for the files of plan/. */
#ifndef OVL_PLAN_PROGRAM_H
#define OVL_PLAN_PROGRAM_H

#include "plan/plan.h"

bool ovl_program_owns_constant(const ovl_program *p, const void *data); /* the constant lives as long as the program */
/* While a plan is built, for weights that all of its readers have packed; `graph` is the plan's. Others' references keep them. */
void ovl_program_drop(ovl_program *p, const struct ovl_graph *graph, ovl_tensor *t);
bool ovl_copy_strided(const ovl_desc *from, const void *src, const ovl_desc *to, void *dst); /* kernels/copy.c; false: a packed or string type */

#endif
