/* compare.c - element-wise comparison of two inputs; gives booleans. */
#include "ops/support_axes.h"
#include "ops/support_binary.h"

static const ovl_attr attrs[] = {OVL_BINARY_ATTRS, OVL_ATTR_END};

static ovl_status infer(ovl_infer *in)
{
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_ANY));
	return ovl_binary_infer(in, OVL_BOOLEAN);
}

#define TO_BOOLEAN(TYPE, T, W, LOAD, E) OVL_BINARY_CASE(TYPE, T, W, LOAD, uint8_t, OVL_AS_IS, E)
#define FLOATS(E)                                                         \
	TO_BOOLEAN(OVL_F32, float, float, OVL_AS_IS, E)                   \
	TO_BOOLEAN(OVL_F16, uint16_t, float, ovl_f16_to_f32, E)           \
	TO_BOOLEAN(OVL_BF16, uint16_t, float, ovl_bf16_to_f32, E)         \
	TO_BOOLEAN(OVL_F64, double, double, OVL_AS_IS, E)
#define WHOLE(E)                                                          \
	TO_BOOLEAN(OVL_I8, int8_t, int64_t, OVL_AS_IS, E)                 \
	TO_BOOLEAN(OVL_I16, int16_t, int64_t, OVL_AS_IS, E)               \
	TO_BOOLEAN(OVL_I32, int32_t, int64_t, OVL_AS_IS, E)               \
	TO_BOOLEAN(OVL_I64, int64_t, int64_t, OVL_AS_IS, E)               \
	TO_BOOLEAN(OVL_U8, uint8_t, uint64_t, OVL_AS_IS, E)               \
	TO_BOOLEAN(OVL_U16, uint16_t, uint64_t, OVL_AS_IS, E)             \
	TO_BOOLEAN(OVL_U32, uint32_t, uint64_t, OVL_AS_IS, E)             \
	TO_BOOLEAN(OVL_U64, uint64_t, uint64_t, OVL_AS_IS, E)             \
	TO_BOOLEAN(OVL_BOOLEAN, uint8_t, bool, OVL_AS_IS, E)

/* Below 0, 0, above 0: strings are compared byte by byte. */
static int order(ovl_string x, ovl_string y)
{
	size_t n = x.size < y.size ? x.size : y.size;
	int c = n ? memcmp(x.data, y.data, n) : 0;
	return c ? c : (x.size > y.size) - (x.size < y.size);
}

#define COMPARISON(id, type_name, OPERATOR)                                                                       \
	static inline bool id##_strings(ovl_string x, ovl_string y) { return order(x, y) OPERATOR 0; }            \
	static void id##_rows(const ovl_binary_row *r)                                                            \
	{                                                                                                         \
		switch (r->type) {                                                                                \
			FLOATS(id##_numbers)                                                                      \
			WHOLE(id##_numbers)                                                                       \
			TO_BOOLEAN(OVL_STRING, ovl_string, ovl_string, OVL_AS_IS, id##_strings)                   \
		default: break;                                                                                   \
		}                                                                                                 \
	}                                                                                                         \
	OVL_BINARY_OP(id, type_name, 1, infer, attrs)

#define equal_numbers(x, y) ((x) == (y))
#define not_equal_numbers(x, y) ((x) != (y))
#define less_numbers(x, y) ((x) < (y))
#define less_equal_numbers(x, y) ((x) <= (y))
#define greater_numbers(x, y) ((x) > (y))
#define greater_equal_numbers(x, y) ((x) >= (y))
COMPARISON(equal, "Equal", ==)
COMPARISON(not_equal, "NotEqual", !=)
COMPARISON(less, "Less", <)
COMPARISON(less_equal, "LessEqual", <=)
COMPARISON(greater, "Greater", >)
COMPARISON(greater_equal, "GreaterEqual", >=)

const ovl_op *const ovl_ops_compare[] = {&equal_op, &not_equal_op, &less_op, &less_equal_op, &greater_op, &greater_equal_op, NULL};
