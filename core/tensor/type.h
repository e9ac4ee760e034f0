/* type.h - element types. One row per type: enum, name in API and IR v11, bits per element, IR v10 name, numpy descr (or "" where numpy has none). */
#ifndef OVL_TENSOR_TYPE_H
#define OVL_TENSOR_TYPE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define OVL_TYPE_MAP(X)                                  \
	X(OVL_DYNAMIC, "dynamic", 0, "UNSPECIFIED", "")    \
	X(OVL_BOOLEAN, "boolean", 8, "BOOL", "|b1")        \
	X(OVL_BF16, "bf16", 16, "BF16", "")                \
	X(OVL_F16, "f16", 16, "FP16", "<f2")               \
	X(OVL_F32, "f32", 32, "FP32", "<f4")               \
	X(OVL_F64, "f64", 64, "FP64", "<f8")               \
	X(OVL_I2, "i2", 2, "I2", "")                       \
	X(OVL_I4, "i4", 4, "I4", "")                       \
	X(OVL_I8, "i8", 8, "I8", "|i1")                    \
	X(OVL_I16, "i16", 16, "I16", "<i2")                \
	X(OVL_I32, "i32", 32, "I32", "<i4")                \
	X(OVL_I64, "i64", 64, "I64", "<i8")                \
	X(OVL_U1, "u1", 1, "BIN", "")                      \
	X(OVL_U2, "u2", 2, "U2", "")                       \
	X(OVL_U4, "u4", 4, "U4", "")                       \
	X(OVL_U8, "u8", 8, "U8", "|u1")                    \
	X(OVL_U16, "u16", 16, "U16", "<u2")                \
	X(OVL_U32, "u32", 32, "U32", "<u4")                \
	X(OVL_U64, "u64", 64, "U64", "<u8")                \
	X(OVL_F8E4M3, "f8e4m3", 8, "F8E4M3", "")           \
	X(OVL_F8E5M2, "f8e5m2", 8, "F8E5M2", "")           \
	X(OVL_F8E4M3FNUZ, "f8e4m3fnuz", 8, "F8E4M3FNUZ", "") \
	X(OVL_F8E5M2FNUZ, "f8e5m2fnuz", 8, "F8E5M2FNUZ", "") \
	X(OVL_F8E8M0, "f8e8m0", 8, "F8E8M0", "")           \
	X(OVL_F4E2M1, "f4e2m1", 4, "F4E2M1", "")           \
	X(OVL_STRING, "string", 128, "STRING", "")         \
	X(OVL_SEQUENCE, "sequence", 64, "SEQUENCE", "")

#define OVL_TYPE_ENUM(code, name, bits, ir10, npy) code,
typedef enum ovl_type { OVL_TYPE_MAP(OVL_TYPE_ENUM) OVL_TYPE_COUNT } ovl_type;
#undef OVL_TYPE_ENUM

/* An element of a string tensor: bytes with a length, NULs allowed. `data` is ovl_alloc'ed (NULL when empty) and owned by the tensor's buffer. */
typedef struct ovl_string {
	char *data;
	size_t size;
} ovl_string;

/* Of type sequence: 1-d, each element is an `ovl_tensor *` (never NULL once written) that the tensor's buffer holds a reference of. An optional is a sequence of
 * none or one. No file and no script can make such tensors or name the type: they come from the ONNX reader's nodes and from lists at the border. */

const char *ovl_type_name(ovl_type t);
const char *ovl_type_ir10_name(ovl_type t);
const char *ovl_type_npy(ovl_type t);
bool ovl_type_parse(const char *name, ovl_type *out); /* API names, IR v10 names (FP32, I64, BOOL, ...); case-sensitive */
int ovl_type_bits(ovl_type t);
static inline bool ovl_type_packed(ovl_type t)
{
	return t == OVL_I2 || t == OVL_I4 || t == OVL_U1 || t == OVL_U2 || t == OVL_U4 || t == OVL_F4E2M1;
}
/* Elements own memory: they are copied one by one and never lie in foreign memory. */
static inline bool ovl_type_owns(ovl_type t) { return t == OVL_STRING || t == OVL_SEQUENCE; }
size_t ovl_type_size(ovl_type t); /* bytes of one element; 0 for packed types (use ovl_type_bytes) */
bool ovl_type_bytes(ovl_type t, int64_t elements, size_t *bytes); /* checked; packed types round up */
bool ovl_type_is_float(ovl_type t); /* f16 bf16 f32 f64 f8 f4 */
bool ovl_type_is_integer(ovl_type t); /* i* and u*, not boolean */
bool ovl_type_is_signed(ovl_type t);

/* Scalar conversions; to half types: round to nearest even, overflow to infinity, NaN kept. */
static inline float ovl_f16_to_f32(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000u) << 16, e = (h >> 10) & 31u, m = h & 0x3ffu, u;
	float f;
	if (e == 31)
		u = sign | 0x7f800000u | (m << 13);
	else if (e != 0)
		u = sign | ((e + 112) << 23) | (m << 13);
	else {
		f = (float)m * 0x1p-24f;
		return sign ? -f : f;
	}
	memcpy(&f, &u, 4);
	return f;
}
static inline uint16_t ovl_f32_to_f16(float f)
{
	uint32_t u, sign;
	memcpy(&u, &f, 4);
	sign = (u >> 16) & 0x8000u;
	u &= 0x7fffffffu;
	if (u > 0x7f800000u)
		return (uint16_t)(sign | 0x7e00u);
	if (u >= 0x477ff000u)
		return (uint16_t)(sign | 0x7c00u);
	if (u < 0x38800000u) { /* subnormal or zero: let the FPU round */
		float a;
		memcpy(&a, &u, 4);
		a += 0.5f;
		memcpy(&u, &a, 4);
		return (uint16_t)(sign | (u - 0x3f000000u));
	}
	u += 0xfffu + ((u >> 13) & 1u);
	return (uint16_t)(sign | ((u - 0x38000000u) >> 13));
}
static inline float ovl_bf16_to_f32(uint16_t h)
{
	uint32_t u = (uint32_t)h << 16;
	float f;
	memcpy(&f, &u, 4);
	return f;
}
static inline uint16_t ovl_f32_to_bf16(float f)
{
	uint32_t u;
	memcpy(&u, &f, 4);
	if ((u & 0x7fffffffu) > 0x7f800000u)
		return (uint16_t)((u >> 16) | 0x40u);
	return (uint16_t)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}
float ovl_f8e4m3_to_f32(uint8_t v);
uint8_t ovl_f32_to_f8e4m3(float f);
float ovl_f8e5m2_to_f32(uint8_t v);
uint8_t ovl_f32_to_f8e5m2(float f);
float ovl_f8e4m3fnuz_to_f32(uint8_t v);
uint8_t ovl_f32_to_f8e4m3fnuz(float f);
float ovl_f8e5m2fnuz_to_f32(uint8_t v);
uint8_t ovl_f32_to_f8e5m2fnuz(float f);
float ovl_f8e8m0_to_f32(uint8_t v);
uint8_t ovl_f32_to_f8e8m0(float f);
float ovl_f4e2m1_to_f32(uint8_t v); /* of the low four bits */
uint8_t ovl_f32_to_f4e2m1(float f);

/* For reference runs: X(enum, storage C type, working C type, load, store). The working type is what sums are made in. */
#define OVL_AS_IS(x) (x)
#define OVL_EACH_FLOAT(X)                                                     \
	X(OVL_F32, float, float, OVL_AS_IS, OVL_AS_IS)                        \
	X(OVL_F16, uint16_t, float, ovl_f16_to_f32, ovl_f32_to_f16)           \
	X(OVL_BF16, uint16_t, float, ovl_bf16_to_f32, ovl_f32_to_bf16)        \
	X(OVL_F64, double, double, OVL_AS_IS, OVL_AS_IS)
#define OVL_EACH_SIGNED(X)                                                    \
	X(OVL_I8, int8_t, int64_t, OVL_AS_IS, (int8_t))                       \
	X(OVL_I16, int16_t, int64_t, OVL_AS_IS, (int16_t))                    \
	X(OVL_I32, int32_t, int64_t, OVL_AS_IS, (int32_t))                    \
	X(OVL_I64, int64_t, int64_t, OVL_AS_IS, OVL_AS_IS)
#define OVL_EACH_UNSIGNED(X)                                                  \
	X(OVL_U8, uint8_t, uint64_t, OVL_AS_IS, (uint8_t))                    \
	X(OVL_U16, uint16_t, uint64_t, OVL_AS_IS, (uint16_t))                 \
	X(OVL_U32, uint32_t, uint64_t, OVL_AS_IS, (uint32_t))                 \
	X(OVL_U64, uint64_t, uint64_t, OVL_AS_IS, OVL_AS_IS)
#define OVL_EACH_INTEGER(X) OVL_EACH_SIGNED(X) OVL_EACH_UNSIGNED(X)
#define OVL_EACH_NUMERIC(X) OVL_EACH_FLOAT(X) OVL_EACH_INTEGER(X)

#endif
