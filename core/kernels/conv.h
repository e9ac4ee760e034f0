/* conv.h - convolutions as products of segments (gemm.h), for every instruction set that has a gemm. */
#ifndef OVL_KERNELS_CONV_H
#define OVL_KERNELS_CONV_H

#include "kernels/gemm.h"
#include "ops/conv.h"

/* The geometry of a problem with three spatial dimensions; what can be moved inwards is. NULL: fine, else why not. */
const char *ovl_conv_problem(const ovl_problem *p, ovl_conv_geometry *g);

/* Rows of the input under the kernel for output rows [from, to) of one image, counted through all images. */
void ovl_conv_need_rows(const ovl_conv_geometry *g, int64_t from, int64_t to, int64_t *in_from, int64_t *in_to);

const char *ovl_conv_accept(ovl_problem *p);
ovl_status ovl_conv_prepare(const ovl_gemm_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err);
ovl_status ovl_conv_run(const ovl_call *call);
void ovl_conv_release(void *state);
extern const ovl_rows ovl_conv_rows; /* 1x1 convolutions and first layers */

#endif
