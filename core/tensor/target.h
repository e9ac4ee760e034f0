/* target.h - where an operation on a whole tensor puts its result: into a new tensor, or into one that the caller gave for reuse.
 *
 * `*out` NULL: a new tensor. Else that tensor takes the result: it must be of the result's type and either of its shape (then it may be a region of a
 * larger one) or dense, and is then given the shape, in place when its memory suffices. It must not lie on the memory that is read. Errors: type,
 * shape, argument. */
#ifndef OVL_TENSOR_TARGET_H
#define OVL_TENSOR_TARGET_H

#include "tensor/tensor.h"

typedef struct ovl_target {
	ovl_tensor *t;     /* to be filled: any strides, or dense where that was asked for; its contents are undefined */
	ovl_tensor *given; /* the caller's; NULL: t is new */
} ovl_target;

/* `from` (may be NULL) is what the operation `what` reads. `dense`: the operation cannot write strided memory. */
ovl_status ovl_target_open(ovl_target *target, ovl_tensor *given, ovl_type type, const ovl_shape *shape, const ovl_tensor *from, bool dense,
	const char *what, ovl_error *err);
/* Ends it: on success *out is the filled tensor, else what was made goes and *out stays. Gives the status on. */
ovl_status ovl_target_close(ovl_target *target, ovl_status status, ovl_tensor **out, ovl_error *err);
/* The same for an operation with two results: both or none. A target that was not opened is all NULL. */
ovl_status ovl_target_close_two(ovl_target *a, ovl_tensor **out_a, ovl_target *b, ovl_tensor **out_b, ovl_status status, ovl_error *err);

#endif
