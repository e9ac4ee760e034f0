/* norm.h - attributes of the operators that normalise along axes. */
#ifndef OVL_OPS_NORM_H
#define OVL_OPS_NORM_H

#include "graph/attr.h"

/* MVN, opset 2: over spatial dimensions, with channels or without; opset 6: over axes given by the second input. */
typedef struct ovl_mvn_params {
	bool across_channels, normalize_variance;
	float eps;
	int eps_mode;            /* 0: inside the square root, 1: outside */
	ovl_ints reduction_axes; /* opset 2, when not empty: instead of across_channels */
} ovl_mvn_params;

/* LayerNorm (internal): inputs data, gamma, beta (optional). Normalises dimensions axis.. together; gamma and beta have the shape of these dimensions
 * (or broadcast to it). */
typedef struct ovl_layer_norm_params {
	int64_t axis;
	float epsilon;
} ovl_layer_norm_params;

/* RMS (internal): inputs data, gamma. x * gamma / sqrt(mean(x * x) + epsilon) over the last dimension. */
typedef struct ovl_rms_params {
	double epsilon;
	ovl_type output_type; /* OVL_DYNAMIC: as data */
} ovl_rms_params;

typedef struct ovl_softmax_params { /* Softmax and LogSoftmax */
	int64_t axis;
} ovl_softmax_params;

typedef struct ovl_batch_norm_params {
	double epsilon;
} ovl_batch_norm_params;

typedef struct ovl_group_norm_params {
	int64_t num_groups;
	double epsilon;
} ovl_group_norm_params;

#endif
