/* type.c - the table of element types, and the small floats. */
#include "tensor/type.h"

static const struct {
	const char *name;
	int bits;
	const char *ir10, *npy;
} rows[] = {
#define ROW(code, name, bits, ir10, npy) {name, bits, ir10, npy},
	OVL_TYPE_MAP(ROW)
#undef ROW
};

static bool known(ovl_type t)
{
	return (unsigned)t < OVL_TYPE_COUNT;
}

const char *ovl_type_name(ovl_type t)
{
	return known(t) ? rows[t].name : "?";
}

const char *ovl_type_ir10_name(ovl_type t)
{
	return known(t) ? rows[t].ir10 : "?";
}

const char *ovl_type_npy(ovl_type t)
{
	return known(t) ? rows[t].npy : "";
}

bool ovl_type_parse(const char *name, ovl_type *out)
{
	for (int i = 0; i < OVL_SEQUENCE; i++)
		if (!strcmp(name, rows[i].name) || !strcmp(name, rows[i].ir10)) {
			*out = (ovl_type)i;
			return true;
		}
	if (!strcmp(name, "undefined")) { /* what older writers of version 11 say */
		*out = OVL_DYNAMIC;
		return true;
	}
	return false;
}

int ovl_type_bits(ovl_type t)
{
	return known(t) ? rows[t].bits : 0;
}

size_t ovl_type_size(ovl_type t)
{
	return (size_t)ovl_type_bits(t) / 8;
}

bool ovl_type_bytes(ovl_type t, int64_t elements, size_t *bytes)
{
	size_t bits = (size_t)ovl_type_bits(t), n = (size_t)elements;
	if (elements < 0 || !bits)
		return false;
	if (bits < 8) {
		size_t per_byte = 8 / bits;
		*bytes = n / per_byte + (n % per_byte != 0);
		return true;
	}
	return !__builtin_mul_overflow(n, bits / 8, bytes) && *bytes <= INT64_MAX;
}

bool ovl_type_is_float(ovl_type t)
{
	return t == OVL_F32 || t == OVL_F16 || t == OVL_BF16 || t == OVL_F64 || (t >= OVL_F8E4M3 && t <= OVL_F4E2M1);
}

bool ovl_type_is_integer(ovl_type t)
{
	return (t >= OVL_I2 && t <= OVL_I64) || (t >= OVL_U1 && t <= OVL_U64);
}

bool ovl_type_is_signed(ovl_type t)
{
	return ovl_type_is_float(t) || (t >= OVL_I2 && t <= OVL_I64);
}

static float float_of_bits(uint32_t u)
{
	float f;
	memcpy(&f, &u, 4);
	return f;
}

static uint32_t bits_of_float(float f)
{
	uint32_t u;
	memcpy(&u, &f, 4);
	return u;
}

/* Rounds |f| (finite, below 2^16) to nearest even with `m` bits of mantissa and least exponent `emin`; gives exponent and mantissa as small float's bits. */
static uint32_t round_small(uint32_t u, int m, int emin)
{
	if (u < (uint32_t)(emin + 127) << 23) /* subnormal there: adding 2^k leaves the wanted bits at the end of the mantissa */
		return bits_of_float(float_of_bits(u) + float_of_bits((uint32_t)(emin - m + 23 + 127) << 23)) & 0x7fffffu;
	u += (1u << (22 - m)) - 1 + ((u >> (23 - m)) & 1u);
	return (u >> (23 - m)) - ((uint32_t)(emin - 1 + 127) << m);
}

/* e4m3: bias 7, no infinity, 0x7f is NaN, the largest is 448. */
float ovl_f8e4m3_to_f32(uint8_t v)
{
	uint32_t e = (v >> 3) & 15u, m = v & 7u;
	float f = (v & 0x7f) == 0x7f ? NAN : e ? float_of_bits((e + 120) << 23 | m << 20) : (float)m * 0x1p-9f;
	return v & 0x80 ? -f : f;
}

uint8_t ovl_f32_to_f8e4m3(float f)
{
	uint32_t u = bits_of_float(f), sign = (u >> 24) & 0x80u;
	u &= 0x7fffffffu;
	if (u > 0x43e80000u) /* above 464, the middle between 448 and what would be 480; infinity and NaN too */
		return (uint8_t)(sign | 0x7fu);
	return (uint8_t)(sign | round_small(u, 3, -6));
}

/* e5m2: the upper half of an f16. */
float ovl_f8e5m2_to_f32(uint8_t v)
{
	return ovl_f16_to_f32((uint16_t)(v << 8));
}

uint8_t ovl_f32_to_f8e5m2(float f)
{
	uint32_t u = bits_of_float(f), sign = (u >> 24) & 0x80u;
	u &= 0x7fffffffu;
	if (u > 0x7f800000u)
		return (uint8_t)(sign | 0x7fu);
	if (u >= 0x47700000u) /* from 61440 on: infinity */
		return (uint8_t)(sign | 0x7cu);
	return (uint8_t)(sign | round_small(u, 2, -14));
}

/* The kinds without infinity and negative zero: 0x80 is NaN. */
static float fnuz_to_f32(uint8_t v, int m, int bias)
{
	uint32_t e = (v & 0x7fu) >> m, low = v & ((1u << m) - 1);
	float f = e ? float_of_bits((e + 127 - (uint32_t)bias) << 23 | low << (23 - m)) : (float)low * float_of_bits((uint32_t)(1 - bias - m + 127) << 23);
	return v == 0x80 ? NAN : v & 0x80 ? -f : f;
}

/* `end`: the bits of the least positive float that rounds to more than the largest. */
static uint8_t f32_to_fnuz(float f, int m, int bias, uint32_t end)
{
	uint32_t u = bits_of_float(f), sign = (u >> 24) & 0x80u, v;
	u &= 0x7fffffffu;
	if (u >= end)
		return 0x80;
	v = round_small(u, m, 1 - bias);
	return (uint8_t)(v ? sign | v : 0);
}

/* e4m3fnuz: bias 8, the largest is 240; e5m2fnuz: bias 16, the largest is 57344. */
float ovl_f8e4m3fnuz_to_f32(uint8_t v) { return fnuz_to_f32(v, 3, 8); }
uint8_t ovl_f32_to_f8e4m3fnuz(float f) { return f32_to_fnuz(f, 3, 8, 0x43780000u); } /* from 248 on */
float ovl_f8e5m2fnuz_to_f32(uint8_t v) { return fnuz_to_f32(v, 2, 16); }
uint8_t ovl_f32_to_f8e5m2fnuz(float f) { return f32_to_fnuz(f, 2, 16, 0x47700000u); } /* from 61440 on */

/* e8m0: powers of two from 2^-127 to 2^127, 0xff is NaN. No sign: what is below, zero and negative numbers included, becomes the least. */
float ovl_f8e8m0_to_f32(uint8_t v) { return v == 0xff ? NAN : v ? float_of_bits((uint32_t)v << 23) : 0x1p-127f; }

uint8_t ovl_f32_to_f8e8m0(float f)
{
	uint32_t u = bits_of_float(f), v;
	if (f != f)
		return 0xff;
	if (u >> 31)
		return 0;
	v = (u >> 23) + ((u & 0x7fffffu) > 0x400000u || ((u & 0x7fffffu) == 0x400000u && u >> 23 & 1u));
	return (uint8_t)(v > 0xfe ? 0xfe : v);
}

/* e2m1: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives. What is larger becomes 6; NaN, which there is not, -0. */
float ovl_f4e2m1_to_f32(uint8_t v)
{
	static const float values[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
	return v & 8 ? -values[v & 7] : values[v & 7];
}

uint8_t ovl_f32_to_f4e2m1(float f)
{
	uint32_t u = bits_of_float(f), sign = (u >> 28) & 8u;
	u &= 0x7fffffffu;
	if (u > 0x7f800000u)
		return 8;
	return (uint8_t)(sign | (u >= 0x40a00000u ? 7 : round_small(u, 1, 0))); /* from 5 on */
}
