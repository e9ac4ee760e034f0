/* support_einsum.h - equations of Einsum, such as "bij,bjk->bik". */
#ifndef OVL_OPS_SUPPORT_EINSUM_H
#define OVL_OPS_SUPPORT_EINSUM_H

#include "graph/attr.h"
#include "tensor/shape.h"

typedef struct ovl_einsum_params {
	char *equation;
} ovl_einsum_params;

/* Labels: letters 0..51, dimensions of an ellipsis 52.. counted from the right. */
enum { OVL_EINSUM_LETTERS = 52, OVL_EINSUM_LABELS = OVL_EINSUM_LETTERS + OVL_MAX_RANK, OVL_EINSUM_TERMS = 32, OVL_EINSUM_TERM_LABELS = 64 };

typedef struct ovl_einsum_term {
	int n;
	int labels[OVL_EINSUM_TERM_LABELS];
	int ellipsis; /* where "..." stands among the labels; -1: nowhere */
} ovl_einsum_term;

typedef struct ovl_einsum {
	int n;
	ovl_einsum_term in[OVL_EINSUM_TERMS], out;
} ovl_einsum;

/* Errors: argument, when the text is no equation of n_in operands. */
ovl_status ovl_einsum_parse(const char *text, int n_in, ovl_einsum *e, ovl_error *err);
/* Puts labels for `dims` dimensions in the place of the ellipsis. Errors: shape. */
ovl_status ovl_einsum_spread(ovl_einsum_term *t, int dims, ovl_error *err);

#endif
