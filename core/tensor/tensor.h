/* tensor.h - elements in memory: a type, a shape, strides, and a reference-counted buffer that keeps the memory.
 *
 * Tensors are reference-counted, several may view one buffer. Strides are in elements and never negative; packed types (u1, i4, u4) and strings are always dense. */
#ifndef OVL_TENSOR_TENSOR_H
#define OVL_TENSOR_TENSOR_H

#include "base/file.h"
#include "tensor/shape.h"
#include "tensor/type.h"

typedef struct ovl_tensor {
	int refs; /* atomic */
	ovl_type type;
	ovl_shape shape;
	int64_t strides[OVL_MAX_RANK]; /* elements */
	void *data; /* the first element */
	ovl_buffer *buffer; /* owns the memory; never NULL once made */
} ovl_tensor;

/* Zeros (empty strings). Errors: memory, shape (too large, negative), type (dynamic). */
ovl_status ovl_tensor_new(ovl_type type, const ovl_shape *shape, ovl_tensor **out, ovl_error *err);
/* The same without clearing numeric memory: for results that are written in full. */
ovl_status ovl_tensor_new_raw(ovl_type type, const ovl_shape *shape, ovl_tensor **out, ovl_error *err);
/* A dense view of `buffer` from `offset` bytes (retains the buffer). Errors: shape when it does not fit. */
ovl_status ovl_tensor_on(ovl_buffer *buffer, size_t offset, ovl_type type, const ovl_shape *shape, ovl_tensor **out, ovl_error *err);
/* A view with its own shape and strides on the same memory (`data` inside the buffer). Trusted callers only. */
ovl_status ovl_tensor_view(ovl_tensor *base, ovl_type type, const ovl_shape *shape, const int64_t *strides, void *data, ovl_tensor **out, ovl_error *err);
/* Elements first[i] (from 0, included) to last[i] (excluded). Errors: argument. */
ovl_status ovl_tensor_roi(ovl_tensor *base, const int64_t *first, const int64_t *last, ovl_tensor **out, ovl_error *err);
ovl_tensor *ovl_tensor_retain(const ovl_tensor *t); /* const is cast away: a reference is not a change of the tensor */
void ovl_tensor_release(ovl_tensor *t);

int64_t ovl_tensor_count(const ovl_tensor *t);
size_t ovl_tensor_bytes(const ovl_tensor *t); /* of the elements, dense */
bool ovl_tensor_dense(const ovl_tensor *t); /* row-major without holes */
/* Changes the shape of a dense tensor. Keeps the memory when the new shape fits the buffer's capacity, else takes new zeroed memory (only when the buffer is
 * the tensor's own: errors `shape` on borrowed memory). Contents are kept as far as they reach. */
ovl_status ovl_tensor_set_shape(ovl_tensor *t, const ovl_shape *shape, ovl_error *err);

/* Copies with conversion of type (convert.h's rules) and any strides; shapes must be equal. Errors: shape, type (string with numeric), memory. */
ovl_status ovl_tensor_copy(const ovl_tensor *from, ovl_tensor *to, ovl_error *err);
ovl_status ovl_tensor_clone(const ovl_tensor *t, ovl_tensor **out, ovl_error *err); /* dense copy with memory of its own */
ovl_status ovl_tensor_astype(const ovl_tensor *t, ovl_type type, ovl_tensor **out, ovl_error *err);
/* The tensor itself (retained) when it is dense, else a dense copy. */
ovl_status ovl_tensor_densify(const ovl_tensor *t, ovl_tensor **out, ovl_error *err);

/* A new 0-d or 1-d i64 tensor with these values. */
ovl_status ovl_tensor_from_i64(int rank, const int64_t *values, int64_t n, ovl_tensor **out, ovl_error *err);
/* Reads integers out of a dense i/u/boolean tensor of any integer type (floats are truncated) into values[0..count). Errors: argument when count > max. */
ovl_status ovl_tensor_to_i64(const ovl_tensor *t, int64_t *values, int64_t max, int64_t *count, ovl_error *err);
/* Element i of the dense order as double / int64 (any numeric type). */
double ovl_tensor_f64_at(const ovl_tensor *t, int64_t i);
int64_t ovl_tensor_i64_at(const ovl_tensor *t, int64_t i);
ovl_status ovl_tensor_set_string(ovl_tensor *t, int64_t i, const char *bytes, size_t n, ovl_error *err);
/* Stores a reference to `item` as element i of a sequence. An item of foreign or lent memory is cloned. */
ovl_status ovl_tensor_set_item(ovl_tensor *t, int64_t i, ovl_tensor *item, ovl_error *err);
uint64_t ovl_tensor_live_bytes(void); /* bytes held by all tensor buffers made here: for the collector's sake */

static inline void ovl_dense_strides(const ovl_shape *s, int64_t *strides)
{
	int64_t step = 1;
	for (int i = s->rank - 1; i >= 0; i--) {
		strides[i] = step;
		step *= s->dims[i];
	}
}

#endif
