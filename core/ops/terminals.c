/* terminals.c - Parameter, Constant, Result: where values enter and leave a graph. The planner and the executor know them; they are not run. */
#include "graph/graph.h"
#include "graph/infer.h"

static ovl_status parameter_infer(ovl_infer *in)
{
	const ovl_parameter_params *p = (const ovl_parameter_params *)in->params;
	ovl_infer_out(in, 0, p->element_type, &p->shape);
	return OVL_OK;
}

static const ovl_attr parameter_attrs[] = {OVL_ATTR_SHAPE(ovl_parameter_params, shape, NULL), OVL_ATTR_TYPE(ovl_parameter_params, element_type, "f32"),
	OVL_ATTR_STRING(ovl_parameter_params, layout, OVL_OPTIONAL), OVL_ATTR_END};
static const ovl_op parameter = {.name = "Parameter", .since = 1, .outputs = 1, .inputs = "", .params_size = sizeof(ovl_parameter_params), .attrs = parameter_attrs,
	.infer = parameter_infer};

static ovl_status constant_infer(ovl_infer *in)
{
	const ovl_constant_params *p = (const ovl_constant_params *)in->params;
	ovl_pshape shape;
	if (!p->value)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "it has no value");
	shape = ovl_pshape_static(&p->value->shape);
	ovl_infer_out(in, 0, p->value->type, &shape);
	in->out_value[0] = ovl_tensor_retain(p->value);
	return OVL_OK;
}

static const ovl_attr constant_attrs[] = {OVL_ATTR_TENSOR(ovl_constant_params, value, OVL_OPTIONAL), OVL_ATTR_END};
static const ovl_op constant = {.name = "Constant", .ir_name = "Const", .since = 1, .outputs = 1, .inputs = "", .params_size = sizeof(ovl_constant_params),
	.attrs = constant_attrs, .infer = constant_infer};

static const ovl_op result = {.name = "Result", .since = 1, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .flags = OVL_OP_SEQUENCE, .infer = ovl_infer_same};

const ovl_op *const ovl_ops_terminals[] = {&parameter, &constant, &result, NULL};
