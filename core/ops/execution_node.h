/* execution_node.h - ExecutionNode: a step of a plan, as get_runtime_model() shows it. */
#ifndef OVL_OPS_EXECUTION_NODE_H
#define OVL_OPS_EXECUTION_NODE_H

#include "graph/attr.h"

typedef struct ovl_execution_node_params {
	char *layerType; /* operator, or "Reorder" for a copy that the planner put in */
	char *execType; /* kernel and what it chose: "conv_avx512_f32_pixels 1x3x3" */
	char *runtimePrecision; /* element type of output 0 */
	char *outputLayouts; /* "dense", "channels_last(ld=48)", "strided", one per output */
	char *originalLayersNames; /* nodes of the model that this step does, comma-separated */
	int64_t execOrder;
	int64_t outputs;
} ovl_execution_node_params;

#endif
