/* execution_node.c - ExecutionNode: only tells; it cannot be run. Its outputs are set by whoever makes it. */
#include "ops/execution_node.h"
#include "graph/graph.h"
#include "graph/infer.h"

static ovl_status infer(ovl_infer *in)
{
	const ovl_execution_node_params *p = in->params;
	OVL_TRY(ovl_infer_set_outputs(in, (int)p->outputs));
	for (int i = 0; i < in->n_out; i++)
		if (in->node && i < (int)in->node->out.n)
			ovl_infer_out(in, i, in->node->out.at[i].type, &in->node->out.at[i].shape);
	return OVL_OK;
}

static const ovl_attr attrs[] = {OVL_ATTR_STRING(ovl_execution_node_params, layerType, OVL_OPTIONAL), OVL_ATTR_STRING(ovl_execution_node_params, execType, OVL_OPTIONAL),
	OVL_ATTR_STRING(ovl_execution_node_params, runtimePrecision, OVL_OPTIONAL), OVL_ATTR_STRING(ovl_execution_node_params, outputLayouts, OVL_OPTIONAL),
	OVL_ATTR_STRING(ovl_execution_node_params, originalLayersNames, OVL_OPTIONAL), OVL_ATTR_INT(ovl_execution_node_params, execOrder, "0"),
	OVL_ATTR_INT(ovl_execution_node_params, outputs, "1"), OVL_ATTR_END};

static const ovl_op execution_node = {.name = "ExecutionNode", .since = 1, .max_inputs = -1, .outputs = -1, .inputs = "inputs...", .flags = OVL_OP_INTERNAL,
	.params_size = sizeof(ovl_execution_node_params), .attrs = attrs, .infer = infer};

const ovl_op *const ovl_ops_execution_node[] = {&execution_node, NULL};
