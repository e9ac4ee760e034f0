/* support_binary.h - element-wise operators of two inputs with auto-broadcasting. */
#ifndef OVL_OPS_SUPPORT_BINARY_H
#define OVL_OPS_SUPPORT_BINARY_H

#include "graph/infer.h"
#include "ops/eltwise.h"

/* Elements of one row; steps are in elements, 0 where an operand is repeated. */
typedef struct ovl_binary_row {
	ovl_type type; /* of a and b */
	const void *a, *b;
	void *out;
	int64_t a_step, b_step, n;
} ovl_binary_row;
typedef void (*ovl_binary_fn)(const ovl_binary_row *r);

#define OVL_BINARY_ATTRS                                                                                              \
	OVL_ATTR_ENUM(ovl_binary_params, auto_broadcast, "numpy", OVL_BROADCAST_CHOICES), {                           \
		"auto_broadcast.auto_broadcast_axis", OVL_KIND_INT, offsetof(ovl_binary_params, axis), "0", NULL      \
	}

/* The shape of a and b by the rule of auto_broadcast. */
ovl_status ovl_binary_shape(ovl_infer *in, int a, int b, const ovl_binary_params *p, ovl_pshape *out);
ovl_status ovl_binary_infer(ovl_infer *in, ovl_type out_type); /* OVL_DYNAMIC: the inputs' type */
/* Strides of input `from` (0 or 1 of a pair) over the output. */
ovl_status ovl_binary_strides(ovl_run *run, const ovl_binary_params *p, const ovl_shape *from, bool second, const ovl_shape *out, int64_t *strides);
/* Output 0 = fn(input 0, input 1). f8 and packed types arrive widened. */
ovl_status ovl_binary_run(ovl_run *run, const ovl_binary_params *p, ovl_binary_fn fn, ovl_status (*again)(ovl_run *));

/* case TYPE: the loop over a row, x and y being the elements, E(x, y) the result. OT: storage type of the output, OS: how it is stored. */
#define OVL_BINARY_CASE(TYPE, T, W, LOAD, OT, OS, E)                                                  \
	case TYPE: {                                                                                  \
		const T *a_ = (const T *)r->a, *b_ = (const T *)r->b;                                 \
		OT *out_ = (OT *)r->out;                                                              \
		for (int64_t i_ = 0; i_ < r->n; i_++) {                                               \
			W x_ = LOAD(a_[i_ * r->a_step]), y_ = LOAD(b_[i_ * r->b_step]);               \
			out_[i_] = OS(E(x_, y_));                                                     \
		}                                                                                     \
		break;                                                                                \
	}
#define OVL_BINARY_FLOATS(E)                                                                          \
	OVL_BINARY_CASE(OVL_F32, float, float, OVL_AS_IS, float, OVL_AS_IS, E)                        \
	OVL_BINARY_CASE(OVL_F16, uint16_t, float, ovl_f16_to_f32, uint16_t, ovl_f32_to_f16, E)        \
	OVL_BINARY_CASE(OVL_BF16, uint16_t, float, ovl_bf16_to_f32, uint16_t, ovl_f32_to_bf16, E)     \
	OVL_BINARY_CASE(OVL_F64, double, double, OVL_AS_IS, double, OVL_AS_IS, E)
#define OVL_BINARY_SIGNED(E)                                                                          \
	OVL_BINARY_CASE(OVL_I8, int8_t, int64_t, OVL_AS_IS, int8_t, (int8_t), E)                      \
	OVL_BINARY_CASE(OVL_I16, int16_t, int64_t, OVL_AS_IS, int16_t, (int16_t), E)                  \
	OVL_BINARY_CASE(OVL_I32, int32_t, int64_t, OVL_AS_IS, int32_t, (int32_t), E)                  \
	OVL_BINARY_CASE(OVL_I64, int64_t, int64_t, OVL_AS_IS, int64_t, OVL_AS_IS, E)
#define OVL_BINARY_UNSIGNED(E)                                                                        \
	OVL_BINARY_CASE(OVL_U8, uint8_t, uint64_t, OVL_AS_IS, uint8_t, (uint8_t), E)                  \
	OVL_BINARY_CASE(OVL_U16, uint16_t, uint64_t, OVL_AS_IS, uint16_t, (uint16_t), E)              \
	OVL_BINARY_CASE(OVL_U32, uint32_t, uint64_t, OVL_AS_IS, uint32_t, (uint32_t), E)              \
	OVL_BINARY_CASE(OVL_U64, uint64_t, uint64_t, OVL_AS_IS, uint64_t, OVL_AS_IS, E)

/* A binary operator NAME_op from the row function NAME_rows and NAME_infer. */
#define OVL_BINARY_OP(id, type_name, opset, infer_fn, attr_table, ...)                                                                     \
	static ovl_status id##_run(ovl_run *run) { return ovl_binary_run(run, (const ovl_binary_params *)run->params, id##_rows, id##_run); } \
	static const ovl_op id##_op = {.name = type_name, .since = opset, .min_inputs = 2, .max_inputs = 2, .outputs = 1,                  \
		.inputs = "left_node right_node", .params_size = sizeof(ovl_binary_params), .attrs = attr_table, .infer = infer_fn, .run = id##_run, ##__VA_ARGS__};

#endif
