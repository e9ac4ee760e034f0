/* pool.h - MaxPool and AvgPool: attributes and geometry. */
#ifndef OVL_OPS_POOL_H
#define OVL_OPS_POOL_H

#include "ops/conv.h"

typedef struct ovl_pooling_params {
	ovl_ints strides, dilations, pads_begin, pads_end, kernel;
	int rounding_type;           /* OVL_ROUND_FLOOR, _CEIL, _CEIL_TORCH */
	int auto_pad;                /* ovl_auto_pad */
	bool exclude_pad;            /* AvgPool: see ovl_pooling_by_kernel */
	ovl_type index_element_type; /* MaxPool since 8: type of the second output */
	int64_t axis;                /* MaxPool since 8: indices count over dimensions axis.. of the input */
} ovl_pooling_params;

/* Geometry with in_channels == out_channels and groups == 1. Errors: shape, argument. */
ovl_status ovl_pooling_resolve(const char *op, const ovl_pooling_params *p, const ovl_shape *data, ovl_conv_geometry *out, ovl_error *err);

/* AvgPool divides by the size of the kernel (true) or by the number of entries a window finds inside of the input. As OpenVINO does it: by the kernel
 * when padding counts and there is any. */
bool ovl_pooling_by_kernel(const ovl_pooling_params *p, const ovl_conv_geometry *g);

#endif
