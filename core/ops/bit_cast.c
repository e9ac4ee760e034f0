/* bit_cast.c - BitCast: the same bits read as another type of the same size. */
#include "ops/convert.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"

static ovl_status infer(ovl_infer *in)
{
	ovl_type from = in->in_type[0], to = ((const ovl_convert_params *)in->params)->destination_type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NOT_STRING));
	if (to == OVL_DYNAMIC || to == OVL_STRING)
		return ovl_infer_fail(in, OVL_E_TYPE, "%s has no bits to take over", ovl_type_name(to));
	if (from != OVL_DYNAMIC && ovl_type_bits(from) != ovl_type_bits(to))
		return ovl_infer_fail(in, OVL_E_TYPE, "%s has %d bits and %s has %d", ovl_type_name(from), ovl_type_bits(from), ovl_type_name(to), ovl_type_bits(to));
	ovl_infer_out(in, 0, to, &in->in_shape[0]);
	return OVL_OK;
}

static ovl_status run(ovl_run *run)
{
	memcpy(run->out[0]->data, run->in[0]->data, ovl_tensor_bytes(run->out[0]));
	return OVL_OK;
}

static const ovl_attr attrs[] = {OVL_ATTR_TYPE(ovl_convert_params, destination_type, NULL), OVL_ATTR_END};
static const ovl_op bit_cast = {.name = "BitCast", .since = 1, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .flags = OVL_OP_NO_BUILDER,
	.params_size = sizeof(ovl_convert_params), .attrs = attrs, .infer = infer, .run = run};

const ovl_op *const ovl_ops_bit_cast[] = {&bit_cast, NULL};
