/* support_move.h - moving elements of any type (strings are copied), and running operators on types that do not fill bytes. */
#ifndef OVL_OPS_SUPPORT_MOVE_H
#define OVL_OPS_SUPPORT_MOVE_H

#include "graph/op.h"

/* One end of a move: elements of a dense tensor that start at element `at` and follow each other by `strides` (elements, one per dimension). */
typedef struct ovl_place {
	ovl_tensor *tensor;
	int64_t at;
	int64_t strides[OVL_MAX_RANK];
} ovl_place;

ovl_place ovl_place_of(ovl_tensor *t); /* all of it */
/* Moves shape's elements. Types must be equal and not packed (see below); nothing overlaps. Looks at cancellation. */
ovl_status ovl_move(ovl_run *run, const ovl_place *to, const ovl_place *from, const ovl_shape *shape);
/* n elements that lie side by side. */
ovl_status ovl_move_row(ovl_run *run, ovl_tensor *to, int64_t to_at, const ovl_tensor *from, int64_t from_at, int64_t n);
/* Fills all of `to` with element `at` of `value` (same type). */
ovl_status ovl_move_fill(ovl_run *run, ovl_tensor *to, const ovl_tensor *value, int64_t at);

/* Packed types (i4, u4, u1) have no addresses of their own. A reference run that is made for whole bytes begins with
 *
 *     if (ovl_run_packed(run))
 *             return ovl_run_unpacked(run, foo_run);
 *
 * and is called again with unpacked copies (i8, u8); results are packed afterwards, keeping the low bits. Arithmetic asks ovl_run_narrow, which is also true for the
 * 8-bit floats: they become f32. */
bool ovl_run_packed(const ovl_run *run);
bool ovl_run_narrow(const ovl_run *run);
ovl_status ovl_run_unpacked(ovl_run *run, ovl_status (*fn)(ovl_run *run));

#endif
