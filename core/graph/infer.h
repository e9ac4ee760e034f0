/* infer.h - helpers that shape inference of most operators is made of. All messages name the operator; the caller adds the node's name. */
#ifndef OVL_GRAPH_INFER_H
#define OVL_GRAPH_INFER_H

#include "graph/op.h"

/* Fails when an input is a sequence and the operator knows none (before its own infer is asked). */
ovl_status ovl_infer_sequences(ovl_infer *in);
void ovl_infer_out(ovl_infer *in, int i, ovl_type type, const ovl_pshape *shape);
ovl_status ovl_infer_same(ovl_infer *in); /* output 0 like input 0 */
ovl_status ovl_infer_broadcast(ovl_infer *in, ovl_type type); /* output 0: numpy broadcast of inputs 0 and 1; type OVL_DYNAMIC: the (merged) input type */
ovl_status ovl_infer_merge_types(ovl_infer *in, int a, int b, ovl_type *out); /* error `type` when both are known and differ */
ovl_status ovl_infer_rank(ovl_infer *in, int i, int min, int max); /* fails when the rank is known and outside */
/* The integers of input i when its value is known (*known), at most OVL_MAX_RANK * 2 of them. */
ovl_status ovl_infer_ints(ovl_infer *in, int i, bool *known, int64_t *values, int max, int *count);
/* The known value of input i as axes of `rank`, normalised, duplicates refused. */
ovl_status ovl_infer_axes(ovl_infer *in, int i, int rank, bool *known, int *axes, int *count);
/* Fails unless input i's known type is among the (OVL_TYPE_COUNT-bit) mask; names the input and the types. */
ovl_status ovl_infer_type_in(ovl_infer *in, int i, uint32_t mask);
#define OVL_MASK(t) (1u << (t))
#define OVL_MASK_FLOAT (OVL_MASK(OVL_F16) | OVL_MASK(OVL_BF16) | OVL_MASK(OVL_F32) | OVL_MASK(OVL_F64))
#define OVL_MASK_INT (OVL_MASK(OVL_I8) | OVL_MASK(OVL_I16) | OVL_MASK(OVL_I32) | OVL_MASK(OVL_I64) | OVL_MASK(OVL_U8) | OVL_MASK(OVL_U16) | OVL_MASK(OVL_U32) | OVL_MASK(OVL_U64))
#define OVL_MASK_INDEX (OVL_MASK(OVL_I32) | OVL_MASK(OVL_I64))
#define OVL_MASK_NUMERIC (OVL_MASK_FLOAT | OVL_MASK_INT)
ovl_status ovl_infer_fail(ovl_infer *in, ovl_status code, const char *fmt, ...) __attribute__((format(printf, 3, 4))); /* "Softmax: ..." */
/* Control flow: infers body b of in->node with these parameters; fills types, shapes and known values (owned references) of its results. */
ovl_status ovl_infer_body(ovl_infer *in, int b, int n, const ovl_type *types, const ovl_pshape *shapes, ovl_tensor *const *values, int n_out, ovl_type *out_types,
	ovl_pshape *out_shapes, ovl_tensor **out_values);

#endif
