/* logical.c - element-wise operators on truth values. */
#include "ops/support_axes.h"
#include "ops/support_binary.h"
#include "tensor/convert.h"

static const ovl_attr attrs[] = {OVL_BINARY_ATTRS, OVL_ATTR_END};

static ovl_status infer(ovl_infer *in)
{
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK(OVL_BOOLEAN)));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK(OVL_BOOLEAN)));
	return ovl_binary_infer(in, OVL_BOOLEAN);
}

#define LOGICAL(id, type_name, E, ...)                                                                            \
	static void id##_rows(const ovl_binary_row *r)                                                            \
	{                                                                                                         \
		switch (r->type) {                                                                                \
			OVL_BINARY_CASE(OVL_BOOLEAN, uint8_t, bool, OVL_AS_IS, uint8_t, OVL_AS_IS, E)             \
		default: break;                                                                                   \
		}                                                                                                 \
	}                                                                                                         \
	OVL_BINARY_OP(id, type_name, 1, infer, attrs, ##__VA_ARGS__)

#define AND(x, y) ((x) && (y))
#define OR(x, y) ((x) || (y))
#define XOR(x, y) ((x) != (y))
LOGICAL(logical_and, "LogicalAnd", AND)
LOGICAL(logical_or, "LogicalOr", OR)
LOGICAL(logical_xor, "LogicalXor", XOR)
LOGICAL(xor, "Xor", XOR, .until = 3, .flags = OVL_OP_NO_BUILDER)

/* LogicalNot keeps the type of its input: numbers give 1 where they are 0, else 0. */
static ovl_status not_infer(ovl_infer *in)
{
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NOT_STRING));
	return ovl_infer_same(in);
}

static ovl_status not_run(ovl_run *run)
{
	enum { BLOCK = 1024 };
	const ovl_tensor *x = run->in[0];
	uint8_t b[BLOCK];
	int64_t count = ovl_tensor_count(x);
	for (int64_t i = 0; i < count; i += BLOCK) {
		int64_t n = count - i < BLOCK ? count - i : BLOCK;
		OVL_RUN_CHECK_CANCEL(run);
		ovl_convert(x->type, x->data, i, OVL_BOOLEAN, b, 0, n, true);
		for (int64_t k = 0; k < n; k++)
			b[k] = !b[k];
		ovl_convert(OVL_BOOLEAN, b, 0, x->type, run->out[0]->data, i, n, true);
	}
	return OVL_OK;
}

static const ovl_op not_op = {.name = "LogicalNot", .since = 1, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .infer = not_infer, .run = not_run};

const ovl_op *const ovl_ops_logical[] = {&logical_and_op, &logical_or_op, &logical_xor_op, &xor_op, &not_op, NULL};
