/* math.h - operations on whole tensors, for scripts that look at results: none of them is used by inference.
 *
 * Inputs may be strided and of any numeric type, boolean and packed ones included; results are dense and belong to the caller. Dimensions and positions
 * count from 0; a dimension may be negative (from the end). Order of values: NaN counts as the largest, of equals the first comes first.
 * Errors: type (strings where numbers are needed), argument (dimension, position or k out of range, nothing there to choose from), shape, memory. */
#ifndef OVL_TENSOR_MATH_H
#define OVL_TENSOR_MATH_H

#include "tensor/tensor.h"

ovl_status ovl_math_argmax(const ovl_tensor *t, int64_t *position, ovl_error *err); /* in the dense order */
ovl_status ovl_math_argmax_along(const ovl_tensor *t, int64_t dim, ovl_tensor **out, ovl_error *err); /* i64, without that dimension */
/* The k largest along dim, best first; `values` of t's type, `positions` i64, both with k in the place of the dimension. */
ovl_status ovl_math_topk(const ovl_tensor *t, int64_t k, int64_t dim, ovl_tensor **values, ovl_tensor **positions, ovl_error *err);
ovl_status ovl_math_softmax(const ovl_tensor *t, int64_t dim, ovl_tensor **out, ovl_error *err); /* t's type when that is a float type, else f32 */

/* Over all elements. NaN goes through. The sum of integers is exact before it becomes a double; the sum of nothing is 0. */
ovl_status ovl_math_min(const ovl_tensor *t, double *out, ovl_error *err);
ovl_status ovl_math_max(const ovl_tensor *t, double *out, ovl_error *err);
ovl_status ovl_math_sum(const ovl_tensor *t, double *out, ovl_error *err);
ovl_status ovl_math_mean(const ovl_tensor *t, double *out, ovl_error *err);

/* Sets all elements to one value, given as an element of `type`; it is converted as by filling an input (saturating). */
ovl_status ovl_math_fill(ovl_tensor *t, ovl_type type, const void *value, ovl_error *err);

/* Copies of a part, also of string tensors. */
ovl_status ovl_math_slice(const ovl_tensor *t, int64_t dim, int64_t first, int64_t last, ovl_tensor **out, ovl_error *err); /* last excluded */
ovl_status ovl_math_select(const ovl_tensor *t, int64_t dim, int64_t i, ovl_tensor **out, ovl_error *err); /* without that dimension */
ovl_status ovl_math_transpose(const ovl_tensor *t, const int64_t *order, int n, ovl_tensor **out, ovl_error *err); /* out dim i is t's dim order[i] */

/* Another shape with as many elements; one size may be -1. Shares the memory of a dense tensor, copies a strided one. */
ovl_status ovl_math_reshape(const ovl_tensor *t, const int64_t *dims, int rank, ovl_tensor **out, ovl_error *err);

#endif
