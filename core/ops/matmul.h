/* matmul.h - MatMul: attributes, and its operands as matrices once shapes are known. */
#ifndef OVL_OPS_MATMUL_H
#define OVL_OPS_MATMUL_H

#include "graph/attr.h"

typedef struct ovl_matmul_params {
	bool transpose_a, transpose_b;
} ovl_matmul_params;

/* out[batch..., m, n] = sum over k of a[batch..., m, k] * b[batch..., k, n]. Batch dimensions of a and b are broadcast: batch_a and batch_b hold the
 * element strides of a and b (dense) for each dimension of `batch`, 0 where an operand is repeated. Row and column strides tell what transposing
 * amounts to. */
typedef struct ovl_matmul_geometry {
	int64_t m, n, k;
	int64_t a_row, a_col, b_row, b_col; /* element strides: of m and k in a, of k and n in b */
	ovl_shape batch;
	int64_t batch_a[OVL_MAX_RANK], batch_b[OVL_MAX_RANK];
	ovl_shape out; /* 1-D operands: without the dimension they lent */
} ovl_matmul_geometry;

/* Errors: shape. */
ovl_status ovl_matmul_resolve(const ovl_matmul_params *p, const ovl_shape *a, const ovl_shape *b, ovl_matmul_geometry *out, ovl_error *err);

#endif
