/* shape_of.c - ShapeOf: the sizes of a tensor. Known when the model is read if they are static. */
#include "ops/support_axes.h"
#include "tensor/convert.h"

typedef struct shape_of_params {
	ovl_type output_type;
} shape_of_params;

static ovl_status infer(ovl_infer *in, ovl_type type)
{
	const ovl_pshape *data = &in->in_shape[0];
	ovl_pshape out = ovl_pshape_rank(1);
	ovl_shape s;
	if (data->ranked)
		out.dims[0] = ovl_dim_of(data->rank);
	ovl_infer_out(in, 0, type, &out);
	if (!ovl_pshape_to_shape(data, &s))
		return OVL_OK;
	OVL_TRY(ovl_tensor_new(type, &(ovl_shape){.rank = 1, .dims = {s.rank}}, &in->out_value[0], in->err));
	ovl_convert(OVL_I64, s.dims, 0, type, in->out_value[0]->data, 0, s.rank, false);
	return OVL_OK;
}

static ovl_status infer_v1(ovl_infer *in) { return infer(in, OVL_I64); }

static ovl_status infer_v3(ovl_infer *in)
{
	ovl_type type = ((const shape_of_params *)in->params)->output_type;
	if (type != OVL_I32 && type != OVL_I64)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "output_type is %s, expected i32 or i64", ovl_type_name(type));
	return infer(in, type);
}

static ovl_status run(ovl_run *run)
{
	const ovl_shape *s = &run->in[0]->shape;
	ovl_convert(OVL_I64, s->dims, 0, run->out[0]->type, run->out[0]->data, 0, s->rank, false);
	return OVL_OK;
}

static const ovl_attr attrs_v3[] = {OVL_ATTR_TYPE(shape_of_params, output_type, "i64"), OVL_ATTR_END};
static const ovl_op shape_of_v1 = {.name = "ShapeOf", .since = 1, .until = 2, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .infer = infer_v1,
	.run = run};
static const ovl_op shape_of_v3 = {.name = "ShapeOf", .since = 3, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data",
	.params_size = sizeof(shape_of_params), .attrs = attrs_v3, .infer = infer_v3, .run = run};

const ovl_op *const ovl_ops_shape_of[] = {&shape_of_v1, &shape_of_v3, NULL};
