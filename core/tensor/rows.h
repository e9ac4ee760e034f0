/* rows.h - what the files of math.h share: a tensor seen as rows along one of its dimensions, so that each row is a run of memory. */
#ifndef OVL_TENSOR_ROWS_H
#define OVL_TENSOR_ROWS_H

#include "tensor/tensor.h"

/* Errors: type, when t holds no numbers; `what` is the operation. */
ovl_status ovl_rows_numbers(const ovl_tensor *t, const char *what, ovl_error *err);
/* A view for reading only, without a reference of its own: it must not outlive t. */
ovl_tensor ovl_rows_look(const ovl_tensor *t, const ovl_shape *shape, const int64_t *strides, int64_t offset);
/* The tensor with dimension d at the end, dense. Packed elements become whole ones. `type`: what it is converted to, OVL_DYNAMIC for none. `fresh`:
 * never t itself. */
ovl_status ovl_rows_along(const ovl_tensor *t, int d, ovl_type type, bool fresh, ovl_tensor **out, ovl_error *err);
/* The way back: a view (as by ovl_rows_look) of dense rows with the last dimension at place d again. */
ovl_tensor ovl_rows_back(const ovl_tensor *rows, int d);
/* n elements from `at` on as int64_t keys of the same order; NaN above all. Exact for every type: all but the 64-bit integers fit a double. */
void ovl_rows_keys(const ovl_tensor *rows, int64_t at, int64_t *keys, int64_t n);
int64_t ovl_rows_best(
	const ovl_tensor *rows, int64_t at, int64_t n); /* where the largest of n > 0 elements from `at` on is, from 0; NaN is above all */

#endif
