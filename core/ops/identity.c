/* identity.c - Identity: gives its input. */
#include "ops/support_move.h"
#include "graph/infer.h"

static ovl_status identity_run(ovl_run *run)
{
	const ovl_tensor *x = run->in[0];
	if (x->type == OVL_SEQUENCE)
		return ovl_tensor_copy(x, run->out[0], run->err);
	if (x->type == OVL_STRING)
		return ovl_move_row(run, run->out[0], 0, x, 0, ovl_tensor_count(x));
	memcpy(run->out[0]->data, x->data, ovl_tensor_bytes(x));
	return OVL_OK;
}

static const ovl_op identity = {.name = "Identity", .since = 16, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .flags = OVL_OP_NO_BUILDER | OVL_OP_SEQUENCE,
	.infer = ovl_infer_same, .run = identity_run};

const ovl_op *const ovl_ops_identity[] = {&identity, NULL};
