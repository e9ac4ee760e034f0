/* convert.c - element conversion.
 *
 * Ten types are native: C computes with them, and every pair has a loop of its own. The others (half and quarter floats, booleans, packed integers) go
 * through a native type that holds all their values, a block at a time; f32 <-> f16 and bf16 have direct loops.
 * Narrowing to the small floats from a type wider than f32 must not round twice: the step to f32 rounds to odd, which keeps the second rounding right. */
#pragma GCC optimize("O3", "no-trapping-math") /* lets the loops below become vector code */
#pragma GCC diagnostic ignored "-Wtype-limits"  /* range tests that are constant for some pairs */
#include "tensor/convert.h"
#include "base/cpu.h"
#if defined __x86_64__
#include <immintrin.h>
#endif

/* Elements in memory may lie at any address (mapped weights): those are the _at types. */
#define TYPE(C, name)   \
	typedef C name; \
	typedef C name##_at __attribute__((aligned(1), may_alias));
TYPE(uint8_t, u8)
TYPE(int8_t, i8)
TYPE(uint16_t, u16)
TYPE(int16_t, i16)
TYPE(uint32_t, u32)
TYPE(int32_t, i32)
TYPE(uint64_t, u64)
TYPE(int64_t, i64)
TYPE(float, f32)
TYPE(double, f64)

typedef void (*loop)(const void *from, void *to, int64_t n);

#define MIN_u8 0
#define MAX_u8 UINT8_MAX
#define MIN_i8 INT8_MIN
#define MAX_i8 INT8_MAX
#define MIN_u16 0
#define MAX_u16 UINT16_MAX
#define MIN_i16 INT16_MIN
#define MAX_i16 INT16_MAX
#define MIN_u32 0
#define MAX_u32 UINT32_MAX
#define MIN_i32 INT32_MIN
#define MAX_i32 INT32_MAX
#define MIN_u64 0
#define MAX_u64 UINT64_MAX
#define MIN_i64 INT64_MIN
#define MAX_i64 INT64_MAX

/* The largest f32 and f64 not above MAX; MAX + 1, which both types hold. */
#define TOP_u8_f32 255.0f
#define TOP_i8_f32 127.0f
#define TOP_u16_f32 65535.0f
#define TOP_i16_f32 32767.0f
#define TOP_u32_f32 0x1.fffffep31f
#define TOP_i32_f32 0x1.fffffep30f
#define TOP_u64_f32 0x1.fffffep63f
#define TOP_i64_f32 0x1.fffffep62f
#define TOP_u8_f64 255.0
#define TOP_i8_f64 127.0
#define TOP_u16_f64 65535.0
#define TOP_i16_f64 32767.0
#define TOP_u32_f64 4294967295.0
#define TOP_i32_f64 2147483647.0
#define TOP_u64_f64 0x1.fffffffffffffp63
#define TOP_i64_f64 0x1.fffffffffffffp62
#define END_u8 0x1p8f
#define END_i8 0x1p7f
#define END_u16 0x1p16f
#define END_i16 0x1p15f
#define END_u32 0x1p32f
#define END_i32 0x1p31f
#define END_u64 0x1p64f
#define END_i64 0x1p63f
/* What a clamped float is cast to first: the narrow ones through i32, for which there are vector instructions. */
#define VIA_u8 int32_t
#define VIA_i8 int32_t
#define VIA_u16 int32_t
#define VIA_i16 int32_t
#define VIA_i32 int32_t
#define VIA_u32 int64_t
#define VIA_i64 int64_t
#define VIA_u64 uint64_t

#define LOOP(name, F, T, expression)                                     \
	static void name(const void *from, void *to, int64_t n)          \
	{                                                                \
		const F##_at *restrict a = from;                         \
		T##_at *restrict b = to;                                 \
		for (int64_t i = 0; i < n; i++) {                        \
			F v = a[i];                                      \
			b[i] = (expression);                             \
		}                                                        \
	}

#define WIDE(x) ((__int128)(x))
#define SATURATE(F, T, v)                                                                            \
	(WIDE(MIN_##F) < WIDE(MIN_##T) && (v) < (F)MIN_##T ? (T)MIN_##T                              \
	 : WIDE(MAX_##F) > WIDE(MAX_##T) && (v) > (F)MAX_##T ? (T)MAX_##T : (T)(v))
#define CLAMPED(F, T, v) ((v) != (v) ? (F)0 : (v) < (F)MIN_##T ? (F)MIN_##T : (v) > TOP_##T##_##F ? TOP_##T##_##F : (v))
#define TRUNCATE(F, T, v) ((T)((T)(VIA_##T)CLAMPED(F, T, v) | ((T) - ((v) >= (F)END_##T) & (T)MAX_##T))) /* from END on all bits of MAX */

#define EACH_INTEGER(X, F) X(F, u8) X(F, i8) X(F, u16) X(F, i16) X(F, u32) X(F, i32) X(F, u64) X(F, i64)
#define INT_INT(F, T) LOOP(F##_to_##T, F, T, SATURATE(F, T, v)) LOOP(F##_wrap_##T, F, T, (T)v)
#define FLOAT_INT(F, T) LOOP(F##_to_##T, F, T, TRUNCATE(F, T, v))
#define TO_FLOATS(F) LOOP(F##_to_f32, F, f32, (f32)v) LOOP(F##_to_f64, F, f64, (f64)v) LOOP(F##_to_bool, F, u8, v != 0)
#define FROM_INT(F) EACH_INTEGER(INT_INT, F) TO_FLOATS(F)
FROM_INT(u8)
FROM_INT(i8)
FROM_INT(u16)
FROM_INT(i16)
FROM_INT(u32)
FROM_INT(i32)
FROM_INT(u64)
FROM_INT(i64)
EACH_INTEGER(FLOAT_INT, f32)
EACH_INTEGER(FLOAT_INT, f64)
TO_FLOATS(f32)
TO_FLOATS(f64)

/* Native types by number. */
enum { U8, I8, U16, I16, U32, I32, U64, I64, F32, F64, BOOL, NATIVES };
#define ROW_TO(F) {F##_to_u8, F##_to_i8, F##_to_u16, F##_to_i16, F##_to_u32, F##_to_i32, F##_to_u64, F##_to_i64, F##_to_f32, F##_to_f64, F##_to_bool}
#define ROW_WRAP(F)                                                                                                                      \
	{F##_wrap_u8,  F##_wrap_i8,  F##_wrap_u16, F##_wrap_i16, F##_wrap_u32, F##_wrap_i32, F##_wrap_u64, F##_wrap_i64, F##_to_f32, \
	 F##_to_f64, F##_to_bool}
static const loop saturating[BOOL][NATIVES] = {ROW_TO(u8),  ROW_TO(i8),  ROW_TO(u16), ROW_TO(i16), ROW_TO(u32),
					       ROW_TO(i32), ROW_TO(u64), ROW_TO(i64), ROW_TO(f32), ROW_TO(f64)};
static const loop wrapping[BOOL][NATIVES] = {ROW_WRAP(u8),  ROW_WRAP(i8),  ROW_WRAP(u16), ROW_WRAP(i16), ROW_WRAP(u32),
					     ROW_WRAP(i32), ROW_WRAP(u64), ROW_WRAP(i64), ROW_TO(f32),   ROW_TO(f64)};

/* ---- rounding to odd ---- */

static inline float odd_f32(double d)
{
	float f = (float)d;
	uint32_t u;
	if ((double)f == d || d != d)
		return f;
	memcpy(&u, &f, 4);
	if ((f < 0 ? -(double)f : (double)f) > (d < 0 ? -d : d))
		u--; /* back towards zero; from infinity to the largest */
	u |= 1;
	memcpy(&f, &u, 4);
	return f;
}

/* A double that lies between the same small floats as v. */
static inline double sticky_u64(uint64_t v)
{
	return (double)(v < (1ull << 53) ? v : (v & ~0xfffull) | (v & 0xfff ? 0x800 : 0));
}

static inline double sticky_i64(int64_t v)
{
	return v < 0 ? -sticky_u64(-(uint64_t)v) : sticky_u64((uint64_t)v);
}

LOOP(u32_odd, u32, f32, odd_f32((double)v))
LOOP(i32_odd, i32, f32, odd_f32((double)v))
LOOP(u64_odd, u64, f32, odd_f32(sticky_u64(v)))
LOOP(i64_odd, i64, f32, odd_f32(sticky_i64(v)))
LOOP(f64_odd, f64, f32, odd_f32(v))
static const loop to_odd[BOOL] = {u8_to_f32, i8_to_f32, u16_to_f32, i16_to_f32, u32_odd, i32_odd, u64_odd, i64_odd, NULL, f64_odd};

/* ---- small floats ---- */

LOOP(f16_to_f32_plain, u16, f32, ovl_f16_to_f32(v))
LOOP(f32_to_f16_plain, f32, u16, ovl_f32_to_f16(v))
LOOP(bf16_to_f32, u16, f32, ovl_bf16_to_f32(v))
LOOP(f32_to_bf16, f32, u16, ovl_f32_to_bf16(v))
LOOP(e4m3_to_f32, u8, f32, ovl_f8e4m3_to_f32(v))
LOOP(f32_to_e4m3, f32, u8, ovl_f32_to_f8e4m3(v))
LOOP(e5m2_to_f32, u8, f32, ovl_f8e5m2_to_f32(v))
LOOP(f32_to_e5m2, f32, u8, ovl_f32_to_f8e5m2(v))
LOOP(e4m3fnuz_to_f32, u8, f32, ovl_f8e4m3fnuz_to_f32(v))
LOOP(f32_to_e4m3fnuz, f32, u8, ovl_f32_to_f8e4m3fnuz(v))
LOOP(e5m2fnuz_to_f32, u8, f32, ovl_f8e5m2fnuz_to_f32(v))
LOOP(f32_to_e5m2fnuz, f32, u8, ovl_f32_to_f8e5m2fnuz(v))
LOOP(e8m0_to_f32, u8, f32, ovl_f8e8m0_to_f32(v))
LOOP(f32_to_e8m0, f32, u8, ovl_f32_to_f8e8m0(v))
LOOP(e2m1_to_f32, u8, f32, ovl_f4e2m1_to_f32(v))
LOOP(f32_to_e2m1, f32, u8, ovl_f32_to_f4e2m1(v))
LOOP(bool_to_u8, u8, u8, v != 0)

#if defined __x86_64__
__attribute__((target("avx,f16c"))) static void f16_to_f32_f16c(const void *from, void *to, int64_t n)
{
	const u16_at *a = from;
	f32_at *b = to;
	int64_t i = 0;
	for (; i + 8 <= n; i += 8)
		_mm256_storeu_ps((float *)to + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(a + i))));
	for (; i < n; i++)
		b[i] = ovl_f16_to_f32(a[i]);
}

__attribute__((target("avx,f16c"))) static void f32_to_f16_f16c(const void *from, void *to, int64_t n)
{
	const f32_at *a = from;
	u16_at *b = to;
	int64_t i = 0;
	for (; i + 8 <= n; i += 8)
		_mm_storeu_si128((__m128i *)(void *)(b + i), _mm256_cvtps_ph(_mm256_loadu_ps((const float *)from + i), _MM_FROUND_TO_NEAREST_INT));
	for (; i < n; i++)
		b[i] = ovl_f32_to_f16(a[i]);
}

static bool has_f16c(void)
{
	return ovl_cpu_isa() >= OVL_ISA_AVX2;
}
#else
#define f16_to_f32_f16c f16_to_f32_plain
#define f32_to_f16_f16c f32_to_f16_plain
static bool has_f16c(void)
{
	return false;
}
#endif

static void f16_to_f32(const void *from, void *to, int64_t n)
{
	(has_f16c() ? f16_to_f32_f16c : f16_to_f32_plain)(from, to, n);
}

static void f32_to_f16(const void *from, void *to, int64_t n)
{
	(has_f16c() ? f32_to_f16_f16c : f32_to_f16_plain)(from, to, n);
}

/* ---- packed elements: 4 and 2 bits lowest first, 1 bit highest first ---- */

static inline int per_byte_of(ovl_type type) { return 8 / ovl_type_bits(type); }

static inline int shift_of(int bits, int64_t k) { return bits == 1 ? (int)(7 - (k & 7)) : bits == 2 ? (int)(k & 3) * 2 : (int)(k & 1) * 4; }

/* The bit that says minus, of types whose bytes are to be signed. */
static inline uint8_t minus_of(ovl_type type) { return type == OVL_I4 ? 8 : type == OVL_I2 ? 2 : 0; }

static inline uint8_t unpack_one(int bits, uint8_t minus, const uint8_t *from, int64_t k)
{
	uint8_t v = (uint8_t)((from[k * bits >> 3] >> shift_of(bits, k)) & ((1 << bits) - 1));
	return (uint8_t)((v ^ minus) - minus);
}

static void unpack(ovl_type type, const uint8_t *from, int64_t offset, uint8_t *to, int64_t n)
{
	int bits = ovl_type_bits(type);
	uint8_t flip = minus_of(type);
	int64_t i = 0;
	if (bits == 4 && offset % 2 == 0) { /* whole bytes */
		const uint8_t *restrict a = from + offset / 2;
		uint8_t *restrict b = to;
		for (; i < n / 2; i++) {
			b[2 * i] = (uint8_t)(((a[i] & 15) ^ flip) - flip);
			b[2 * i + 1] = (uint8_t)(((a[i] >> 4) ^ flip) - flip);
		}
		i *= 2;
	}
	for (; i < n; i++)
		to[i] = unpack_one(bits, flip, from, offset + i);
}

static void pack(ovl_type type, const uint8_t *from, uint8_t *to, int64_t offset, int64_t n)
{
	int bits = ovl_type_bits(type), mask = (1 << bits) - 1;
	for (int64_t i = 0; i < n; i++) {
		int64_t k = offset + i;
		int shift = shift_of(bits, k);
		uint8_t *at = to + (k * bits >> 3);
		*at = (uint8_t)((*at & ~(mask << shift)) | ((from[i] & mask) << shift));
	}
}

/* Brings bytes (signed where the type is) into the range of the packed integer. */
static void clamp_packed(ovl_type type, uint8_t *v, int64_t n)
{
	int minus = minus_of(type), low = -minus, high = minus ? minus - 1 : (1 << ovl_type_bits(type)) - 1;
	for (int64_t i = 0; i < n; i++) {
		int x = minus ? (int8_t)v[i] : v[i];
		v[i] = (uint8_t)(x < low ? low : x > high ? high : x);
	}
}

/* ---- the way from one type to another ---- */

typedef struct side {
	int native;      /* holds all values of the type */
	loop load, store; /* between the type and its native type; NULL: it is that */
} side;

static const side sides[OVL_TYPE_COUNT] = {
	[OVL_BOOLEAN] = {U8, bool_to_u8, NULL},
	[OVL_BF16] = {F32, bf16_to_f32, f32_to_bf16},
	[OVL_F16] = {F32, f16_to_f32, f32_to_f16},
	[OVL_F8E4M3] = {F32, e4m3_to_f32, f32_to_e4m3},
	[OVL_F8E5M2] = {F32, e5m2_to_f32, f32_to_e5m2},
	[OVL_F8E4M3FNUZ] = {F32, e4m3fnuz_to_f32, f32_to_e4m3fnuz},
	[OVL_F8E5M2FNUZ] = {F32, e5m2fnuz_to_f32, f32_to_e5m2fnuz},
	[OVL_F8E8M0] = {F32, e8m0_to_f32, f32_to_e8m0},
	[OVL_F4E2M1] = {F32, e2m1_to_f32, f32_to_e2m1}, /* one byte each, once unpacked */
	[OVL_F32] = {F32, NULL, NULL},
	[OVL_F64] = {F64, NULL, NULL},
	[OVL_I2] = {I8, NULL, NULL},
	[OVL_I4] = {I8, NULL, NULL},
	[OVL_I8] = {I8, NULL, NULL},
	[OVL_I16] = {I16, NULL, NULL},
	[OVL_I32] = {I32, NULL, NULL},
	[OVL_I64] = {I64, NULL, NULL},
	[OVL_U1] = {U8, NULL, NULL},
	[OVL_U2] = {U8, NULL, NULL},
	[OVL_U4] = {U8, NULL, NULL},
	[OVL_U8] = {U8, NULL, NULL},
	[OVL_U16] = {U16, NULL, NULL},
	[OVL_U32] = {U32, NULL, NULL},
	[OVL_U64] = {U64, NULL, NULL},
};

/* Whole bytes of a packed type by memcpy; the rest of a byte by elements. */
static void copy_packed(ovl_type type, const uint8_t *from, uint8_t *to, int64_t offset, int64_t n)
{
	int64_t per_byte = per_byte_of(type), bytes = n / per_byte, tail = n % per_byte;
	uint8_t rest[8];
	memcpy(to + offset / per_byte, from, (size_t)bytes);
	unpack(type, from, bytes * per_byte, rest, tail);
	pack(type, rest, to, offset + bytes * per_byte, tail);
}

static bool numeric(ovl_type t)
{
	return t > OVL_DYNAMIC && t < OVL_STRING;
}

enum { BLOCK = 512 };

/* What a conversion goes through, from left to right; NULL: nothing there. */
typedef struct way {
	ovl_type from, to;
	bool from_packed, to_packed;
	bool clamp, low_byte; /* to packed integers: into their range; or the low bits of an i32 */
	loop load, convert, store;
	uint8_t pool[3][BLOCK * 8] __attribute__((aligned(8)));
} way;

/* The next stage's elements: where `fn` puts them, or where they are. */
static const void *stage(loop fn, const void *v, void *to, int64_t n)
{
	if (!fn)
		return v;
	fn(v, to, n);
	return to;
}

static void low_bytes(uint8_t *v, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		v[i] = v[4 * i];
}

static void convert_block(way *w, const uint8_t *a, int64_t from_offset, uint8_t *b, int64_t to_offset, int64_t n)
{
	const void *v = a;
	loop last = w->store ? w->store : w->convert;
	if (w->from_packed) {
		unpack(w->from, a, from_offset, w->pool[0], n);
		v = w->pool[0];
	}
	v = stage(w->load, v, w->pool[1], n);
	if (w->store)
		v = stage(w->convert, v, w->pool[2], n);
	if (!w->to_packed) {
		last(v, b, n);
		return;
	}
	last(v, w->pool[0], n);
	if (w->low_byte)
		low_bytes(w->pool[0], n);
	if (w->clamp)
		clamp_packed(w->to, w->pool[0], n);
	pack(w->to, w->pool[0], b, to_offset, n);
}

static void find_way(way *w, bool wrap)
{
	const side *f = &sides[w->from], *t = &sides[w->to];
	w->load = f->load;
	w->store = t->store;
	w->low_byte = wrap && w->to_packed && !t->store && f->native >= F32;
	w->clamp = !wrap && w->to_packed && !t->store;
	if (t->store) /* to f16 and the like */
		w->convert = f->native == F32 ? NULL : to_odd[f->native];
	else if (w->to == OVL_BOOLEAN)
		w->convert = saturating[f->native][BOOL];
	else
		w->convert = w->low_byte ? saturating[f->native][I32] : (wrap ? wrapping : saturating)[f->native][t->native];
}

static bool convert_same(ovl_type type, const uint8_t *a, int64_t from_offset, uint8_t *b, int64_t to_offset, int64_t n)
{
	size_t unit = ovl_type_size(type);
	int64_t per_byte;
	if (!ovl_type_packed(type)) {
		memcpy(b + (size_t)to_offset * unit, a + (size_t)from_offset * unit, (size_t)n * unit);
		return true;
	}
	per_byte = per_byte_of(type);
	if (from_offset % per_byte || to_offset % per_byte)
		return false;
	copy_packed(type, a + from_offset / per_byte, b, to_offset, n);
	return true;
}

bool ovl_convert(ovl_type from_type, const void *from, int64_t from_offset, ovl_type to_type, void *to, int64_t to_offset, int64_t n, bool wrap)
{
	way w;
	const uint8_t *a = from;
	uint8_t *b = to;
	if (!numeric(from_type) || !numeric(to_type))
		return false;
	if (n <= 0 || (from_type == to_type && convert_same(from_type, a, from_offset, b, to_offset, n)))
		return true;
	w.from = from_type, w.to = to_type;
	w.from_packed = ovl_type_packed(from_type), w.to_packed = ovl_type_packed(to_type);
	find_way(&w, wrap);
	if (!w.from_packed)
		a += (size_t)from_offset * ovl_type_size(from_type);
	if (!w.to_packed)
		b += (size_t)to_offset * ovl_type_size(to_type);
	if (!w.from_packed && !w.to_packed && !w.load && !(w.store && w.convert)) { /* one step */
		(w.store ? w.store : w.convert)(a, b, n);
		return true;
	}
	if (w.load && !w.from_packed && !w.to_packed && sides[to_type].native == sides[from_type].native && !w.store && to_type != OVL_BOOLEAN) {
		w.load(a, b, n);
		return true;
	}
	for (int64_t done = 0; done < n; done += BLOCK) {
		int64_t m = n - done < BLOCK ? n - done : BLOCK;
		convert_block(&w, a, from_offset + done, b, to_offset + done, m);
		if (!w.from_packed)
			a += (size_t)m * ovl_type_size(from_type);
		if (!w.to_packed)
			b += (size_t)m * ovl_type_size(to_type);
	}
	return true;
}
