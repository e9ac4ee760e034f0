/* ReadValue and Assign: variables that live from one run to the next. */
#include "ops/state.h"
#include "ops/support_work.h"

static ovl_status infer_read(ovl_infer *in)
{
	const ovl_state_params *p = in->params;
	bool told = in->op->since >= 6;
	ovl_type type = told ? p->variable_type : OVL_DYNAMIC;
	ovl_pshape shape = told ? p->variable_shape : ovl_pshape_any(), merged;
	if (!p->variable_id || !*p->variable_id)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "variable_id is missing");
	if (in->n_in > 0) {
		if (type != OVL_DYNAMIC && in->in_type[0] != OVL_DYNAMIC && type != in->in_type[0])
			return ovl_infer_fail(in, OVL_E_TYPE, "variable '%.80s' is %s, its initial value %s", p->variable_id, ovl_type_name(type),
				ovl_type_name(in->in_type[0]));
		if (!ovl_pshape_merge(&shape, &in->in_shape[0], &merged))
			return ovl_infer_fail(
				in, OVL_E_SHAPE, "the shapes of variable '%.80s' and of its initial value do not agree", p->variable_id);
		type = type == OVL_DYNAMIC ? in->in_type[0] : type;
		shape = told ? shape : in->in_shape[0];
	}
	ovl_infer_out(in, 0, type, &shape);
	return OVL_OK;
}

static ovl_status infer_assign(ovl_infer *in)
{
	const ovl_state_params *p = in->params;
	if (!p->variable_id || !*p->variable_id)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "variable_id is missing");
	return ovl_infer_same(in);
}

/* A variable that was never written reads as its initial value, or as zeros. */
static ovl_status read_run(ovl_run *run)
{
	const ovl_state_params *p = run->params;
	ovl_tensor *value = NULL, *to;
	ovl_shape zeros = {0};
	OVL_TRY(run->variable_get(run, p->variable_id, &value));
	if (!value && run->n_in > 0)
		value = run->in[0];
	if (value) {
		ovl_type type = p->variable_type != OVL_DYNAMIC ? p->variable_type : value->type;
		OVL_TRY(ovl_run_output(run, 0, type, &value->shape, &to));
		return ovl_tensor_copy(value, to, run->err);
	}
	if (p->variable_type == OVL_DYNAMIC || !p->variable_shape.ranked)
		return ovl_fail(run->err, OVL_E_ARGUMENT, "ReadValue: variable '%.80s' has no value yet", p->variable_id);
	zeros.rank = p->variable_shape.rank;
	for (int i = 0; i < zeros.rank; i++)
		zeros.dims[i] = p->variable_shape.dims[i].min;
	OVL_TRY(ovl_run_output(run, 0, p->variable_type, &zeros, &to));
	if (to->type != OVL_STRING)
		memset(to->data, 0, ovl_tensor_bytes(to));
	return OVL_OK;
}

static ovl_status assign_run(ovl_run *run)
{
	const ovl_state_params *p = run->params;
	ovl_tensor *to;
	OVL_TRY(run->variable_set(run, p->variable_id, run->in[0]));
	if (run->n_out < 1)
		return OVL_OK;
	OVL_TRY(ovl_run_output(run, 0, run->in[0]->type, &run->in[0]->shape, &to));
	return ovl_tensor_copy(run->in[0], to, run->err);
}

static const ovl_attr attrs_v3[] = {OVL_ATTR_STRING(ovl_state_params, variable_id, NULL), OVL_ATTR_END};
static const ovl_attr attrs_v6[] = {
	OVL_ATTR_STRING(ovl_state_params, variable_id, NULL),
	OVL_ATTR_TYPE(ovl_state_params, variable_type, OVL_OPTIONAL),
	OVL_ATTR_SHAPE(ovl_state_params, variable_shape, OVL_OPTIONAL),
	OVL_ATTR_END,
};

static const ovl_op read_value_v3 = {
	.name = "ReadValue",
	.since = 3,
	.until = 5,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "init_value",
	.params_size = sizeof(ovl_state_params),
	.attrs = attrs_v3,
	.flags = OVL_OP_STATEFUL,
	.infer = infer_read,
	.run = read_run,
};

static const ovl_op read_value_v6 = {
	.name = "ReadValue",
	.since = 6,
	.min_inputs = 0,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "init_value",
	.params_size = sizeof(ovl_state_params),
	.attrs = attrs_v6,
	.flags = OVL_OP_STATEFUL,
	.infer = infer_read,
	.run = read_run,
};

static const ovl_op assign_v3 = {
	.name = "Assign",
	.since = 3,
	.until = 5,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "new_value",
	.params_size = sizeof(ovl_state_params),
	.attrs = attrs_v3,
	.flags = OVL_OP_STATEFUL | OVL_OP_SINK,
	.infer = infer_assign,
	.run = assign_run,
};

static const ovl_op assign_v6 = {
	.name = "Assign",
	.since = 6,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "new_value",
	.params_size = sizeof(ovl_state_params),
	.attrs = attrs_v3,
	.flags = OVL_OP_STATEFUL | OVL_OP_SINK,
	.infer = infer_assign,
	.run = assign_run,
};

const ovl_op *const ovl_ops_state[] = {&read_value_v3, &read_value_v6, &assign_v3, &assign_v6, NULL};
