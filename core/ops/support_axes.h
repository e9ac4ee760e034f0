/* support_axes.h - small helpers for shape inference and for reading integers (axes, lengths) out of inputs. */
#ifndef OVL_OPS_SUPPORT_AXES_H
#define OVL_OPS_SUPPORT_AXES_H

#include "graph/infer.h"

/* ---- inference ---- */

/* Appends a dimension; fails when the rank would exceed OVL_MAX_RANK. */
ovl_status ovl_infer_push(ovl_infer *in, ovl_pshape *p, ovl_dim d);
/* A ranked shape of open sizes; fails when the rank is too high. */
ovl_status ovl_infer_open(ovl_infer *in, int64_t rank, ovl_pshape *out);
/* Input i must be a scalar or have one element; its value as an integer where it is known. */
ovl_status ovl_infer_scalar(ovl_infer *in, int i, bool *known, int64_t *value);
/* The same as an axis of `rank`. */
ovl_status ovl_infer_axis(ovl_infer *in, int i, int rank, bool *known, int *axis);
/* How many elements a 1-d (or scalar) input has. Fails at higher ranks. */
ovl_status ovl_infer_length(ovl_infer *in, int i, ovl_dim *length);
/* Fails when the known types of both inputs differ; gives the known one. */
ovl_status ovl_infer_input_types(ovl_infer *in, int first, int count, ovl_type *out);

#define OVL_MASK_SMALL_FLOAT \
	(OVL_MASK(OVL_F8E4M3) | OVL_MASK(OVL_F8E5M2) | OVL_MASK(OVL_F8E4M3FNUZ) | OVL_MASK(OVL_F8E5M2FNUZ) | OVL_MASK(OVL_F8E8M0) | OVL_MASK(OVL_F4E2M1))
#define OVL_MASK_PACKED_INT (OVL_MASK(OVL_I2) | OVL_MASK(OVL_I4) | OVL_MASK(OVL_U1) | OVL_MASK(OVL_U2) | OVL_MASK(OVL_U4))
#define OVL_MASK_NARROW (OVL_MASK_PACKED_INT | OVL_MASK_SMALL_FLOAT)
#define OVL_MASK_ARITHMETIC (OVL_MASK_NUMERIC | OVL_MASK_NARROW)
#define OVL_MASK_REAL (OVL_MASK_FLOAT | OVL_MASK_SMALL_FLOAT)
#define OVL_MASK_WHOLE (OVL_MASK_INT | OVL_MASK_PACKED_INT)
#define OVL_MASK_ANY (~OVL_MASK(OVL_DYNAMIC))
#define OVL_MASK_NOT_STRING (OVL_MASK_ANY & ~OVL_MASK(OVL_STRING))

/* ---- runs ---- */

static inline bool ovl_run_has(const ovl_run *run, int i) { return i < run->n_in && run->in[i]; }
/* The integers of input i, at most max of them. */
ovl_status ovl_run_ints(ovl_run *run, int i, int64_t *values, int64_t max, int64_t *count);
ovl_status ovl_run_scalar(ovl_run *run, int i, int64_t *value);
/* Input i as axes of `rank`, normalised; doubles are an error. */
ovl_status ovl_run_axes(ovl_run *run, int i, int rank, int *axes, int *count);
ovl_status ovl_run_axis(ovl_run *run, int i, int rank, int *axis);
/* All integers of input i in a new array (ovl_free it); never NULL when it succeeds. */
ovl_status ovl_run_indices(ovl_run *run, int i, int64_t **out);
/* The position of the first whole number within [low, high]; -1: there is none. */
int64_t ovl_find_between(const ovl_tensor *t, int64_t low, int64_t high);
/* Product of dims [first, last). */
int64_t ovl_dims_product(const ovl_shape *s, int first, int last);

#endif
