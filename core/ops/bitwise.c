/* bitwise.c - operators on the bits of whole numbers; booleans are one bit. */
#include "ops/support_axes.h"
#include "ops/support_binary.h"
#include "ops/support_move.h"

static const ovl_attr attrs[] = {OVL_BINARY_ATTRS, OVL_ATTR_END};

static ovl_status check(ovl_infer *in, uint32_t mask)
{
	for (int i = 0; i < in->n_in; i++)
		OVL_TRY(ovl_infer_type_in(in, i, mask));
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	OVL_TRY(check(in, OVL_MASK_WHOLE | OVL_MASK(OVL_BOOLEAN)));
	return ovl_binary_infer(in, OVL_DYNAMIC);
}

static ovl_status shift_infer(ovl_infer *in)
{
	OVL_TRY(check(in, OVL_MASK_WHOLE));
	return ovl_binary_infer(in, OVL_DYNAMIC);
}

#define BITWISE(id, type_name, opset, infer_fn, OF_SIGNED, OF_UNSIGNED)                                                   \
	static void id##_rows(const ovl_binary_row *r)                                                                   \
	{                                                                                                                \
		switch (r->type) {                                                                                       \
			OVL_BINARY_SIGNED(OF_SIGNED)                                                                     \
			OVL_BINARY_UNSIGNED(OF_UNSIGNED)                                                                 \
			OVL_BINARY_CASE(OVL_BOOLEAN, uint8_t, bool, OVL_AS_IS, uint8_t, OVL_AS_IS, OF_UNSIGNED)             \
		default: break;                                                                                          \
		}                                                                                                        \
	}                                                                                                                \
	OVL_BINARY_OP(id, type_name, opset, infer_fn, attrs)

#define AND(x, y) ((x) & (y))
#define OR(x, y) ((x) | (y))
#define XOR(x, y) ((x) ^ (y))
BITWISE(bitwise_and, "BitwiseAnd", 13, infer, AND, AND)
BITWISE(bitwise_or, "BitwiseOr", 13, infer, OR, OR)
BITWISE(bitwise_xor, "BitwiseXor", 13, infer, XOR, XOR)

/* Shifts by the type's width or more give what repeated shifts by one would; a shift by a negative number is an error, found before. */
static int64_t left_i64(int64_t x, int64_t n) { return n > 63 ? 0 : (int64_t)((uint64_t)x << n); }
static uint64_t left_u64(uint64_t x, uint64_t n) { return n > 63 ? 0 : x << n; }
static int64_t right_i64(int64_t x, int64_t n) { return x >> (n > 63 ? 63 : n); }
static uint64_t right_u64(uint64_t x, uint64_t n) { return n > 63 ? 0 : x >> n; }
#define SHIFT(id, type_name, OF_SIGNED, OF_UNSIGNED)                                                                                            \
	static void id##_rows(const ovl_binary_row *r)                                                                                          \
	{                                                                                                                                       \
		switch (r->type) {                                                                                                              \
			OVL_BINARY_SIGNED(OF_SIGNED)                                                                                            \
			OVL_BINARY_UNSIGNED(OF_UNSIGNED)                                                                                        \
		default: break;                                                                                                                 \
		}                                                                                                                               \
	}                                                                                                                                       \
	static ovl_status id##_run(ovl_run *run)                                                                                                \
	{                                                                                                                                       \
		OVL_TRY(check_shift(run));                                                                                                      \
		return ovl_binary_run(run, (const ovl_binary_params *)run->params, id##_rows, id##_run);                                        \
	}                                                                                                                                       \
	static const ovl_op id##_op = {.name = type_name, .since = 15, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "arg0 arg1", \
		.params_size = sizeof(ovl_binary_params), .attrs = attrs, .infer = shift_infer, .run = id##_run};

static ovl_status check_shift(ovl_run *run)
{
	const ovl_tensor *b = run->in[1];
	int64_t at = ovl_type_is_signed(b->type) ? ovl_find_between(b, INT64_MIN, -1) : -1;
	if (at >= 0)
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: element %lld of the shift is negative", run->op->name, (long long)at);
	return OVL_OK;
}

SHIFT(left_shift, "BitwiseLeftShift", left_i64, left_u64)
SHIFT(right_shift, "BitwiseRightShift", right_i64, right_u64)

/* ---- BitwiseNot ---- */

static ovl_status not_infer(ovl_infer *in)
{
	OVL_TRY(check(in, OVL_MASK_WHOLE | OVL_MASK(OVL_BOOLEAN)));
	return ovl_infer_same(in);
}

static ovl_status not_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, not_run);
	const uint8_t *x = (const uint8_t *)run->in[0]->data;
	uint8_t *y = (uint8_t *)run->out[0]->data;
	size_t n = ovl_tensor_bytes(run->in[0]);
	bool boolean = run->in[0]->type == OVL_BOOLEAN;
	OVL_RUN_CHECK_CANCEL(run);
	for (size_t i = 0; i < n; i++)
		y[i] = boolean ? !x[i] : (uint8_t)~x[i];
	return OVL_OK;
}

static const ovl_op not_op = {.name = "BitwiseNot", .since = 13, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "node", .infer = not_infer, .run = not_run};

const ovl_op *const ovl_ops_bitwise[] = {&bitwise_and_op, &bitwise_or_op, &bitwise_xor_op, &left_shift_op, &right_shift_op, &not_op, NULL};
