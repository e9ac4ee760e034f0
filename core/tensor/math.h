/* math.h - operations on whole tensors, for scripts that look at results: none of them is used by inference.
 *
 * Inputs may be strided and of any numeric type, boolean and packed ones included. `*out` NULL gives a new tensor that belongs to the caller; a tensor there
 * takes the result (tensor/target.h; reshape alone always makes a new one). Dimensions and positions count from 0; a
 * dimension may be negative (from the end). Order of values: NaN counts as the largest, of equals the first comes first.
 * Errors: type (strings where numbers are needed), argument (dimension, position or k out of range, nothing there to choose from), shape, memory. */
#ifndef OVL_TENSOR_MATH_H
#define OVL_TENSOR_MATH_H

#include "tensor/tensor.h"

ovl_status ovl_math_argmax(const ovl_tensor *t, int64_t *position, ovl_error *err); /* in the dense order */
ovl_status ovl_math_argmax_along(const ovl_tensor *t, int64_t dim, ovl_tensor **out, ovl_error *err); /* i64, without that dimension */
/* The k largest along dim, best first; `values` of t's type, `positions` i64, both with k in the place of the dimension. */
ovl_status ovl_math_topk(const ovl_tensor *t, int64_t k, int64_t dim, ovl_tensor **values, ovl_tensor **positions, ovl_error *err);
ovl_status ovl_math_softmax(const ovl_tensor *t, int64_t dim, ovl_tensor **out, ovl_error *err); /* t's type when that is a float type, else f32 */

/* Sorted along dim, smallest first or (`descending`) largest first, equals in the order they came in; where each came from (i64). */
ovl_status ovl_math_sort(const ovl_tensor *t, int64_t dim, bool descending, ovl_tensor **values, ovl_tensor **positions, ovl_error *err);

/* The positions `indices` (integers of any shape) of dimension dim: that shape stands in its place. The first position is called `first` (0 or 1).
 * Errors: not_found, naming the position; type for packed types. */
ovl_status ovl_math_gather(const ovl_tensor *t, int64_t dim, const ovl_tensor *indices, int first, ovl_tensor **out, ovl_error *err);

/* x * scale[c] + shift[c] with one value for all (n 1) or for each position c of dimension dim (n its size), as `type`. out may be t itself. */
ovl_status ovl_math_affine(const ovl_tensor *t, int64_t dim, const double *scale, int64_t n_scale, const double *shift, int64_t n_shift, ovl_type type,
	ovl_tensor **out, ovl_error *err);

/* Non-maximum suppression: the positions (i64, from 0) of the boxes that stay, best score first. boxes {n, 4}: left, top, right, bottom (or, `centred`: centre x,
 * centre y, width, height); scores {n}; classes {n} or NULL: only boxes of one class suppress each other. */
typedef struct ovl_nms {
	double iou, score; /* suppressed above that overlap; not looked at below that score */
	int64_t most; /* 0: any number */
	bool centred;
} ovl_nms;
ovl_status ovl_math_nms(const ovl_tensor *boxes, const ovl_tensor *scores, const ovl_tensor *classes, const ovl_nms *how, ovl_tensor **out, ovl_error *err);

/* Greedy CTC decoding of {rows, steps, classes}: the best class of each step (i64, from 0), repeated ones once, without the blank. For row r the first counts[r]
 * of positions {rows, steps} are told (the rest is -1), and in scores {rows} the mean of their values (0 when there are none). */
ovl_status ovl_math_ctc(const ovl_tensor *t, int64_t blank, ovl_tensor **positions, ovl_tensor **counts, ovl_tensor **scores, ovl_error *err);

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
