/* typed_impl.h - the loops. Rows whose inputs are contiguous or one value get a loop of their own. */
#include "kernels/typed.h"

#define TYPED_LOOP(X, Y, E)                              \
	for (int64_t i = 0; i < r->n; i++) {             \
		__typeof__(*a) x = X, y = Y;             \
		(void)y;                                 \
		o[i * os] = (__typeof__(*o))(E);         \
	}

#define TYPED_BINARY(name, T, O, E)                                                            \
	static void name(const ovl_typed_row *r)                                               \
	{                                                                                      \
		const T *a = (const T *)r->x[0], *b = (const T *)r->x[1];                      \
		O *o = (O *)r->o;                                                              \
		if (r->o_step == 1 && r->step[0] == 1 && r->step[1] == 1) {                    \
			enum { os = 1 };                                                       \
			TYPED_LOOP(a[i], b[i], E)                                              \
		} else if (r->o_step == 1 && r->step[0] == 1 && r->step[1] == 0) {             \
			enum { os = 1 };                                                       \
			const T same = *b;                                                     \
			TYPED_LOOP(a[i], same, E)                                              \
		} else if (r->o_step == 1 && r->step[0] == 0 && r->step[1] == 1) {             \
			enum { os = 1 };                                                       \
			const T same = *a;                                                     \
			TYPED_LOOP(same, b[i], E)                                              \
		} else {                                                                       \
			const int64_t os = r->o_step, as = r->step[0], bs = r->step[1];        \
			TYPED_LOOP(a[i * as], b[i * bs], E)                                    \
		}                                                                              \
	}

/* X(id, operator, result is a truth value, expression) */
#define TYPED_COMPARISONS(X, id, T)                       \
	X(equal_##id, T, uint8_t, x == y)                 \
	X(not_equal_##id, T, uint8_t, x != y)             \
	X(less_##id, T, uint8_t, x < y)                   \
	X(less_equal_##id, T, uint8_t, x <= y)            \
	X(greater_##id, T, uint8_t, x > y)                \
	X(greater_equal_##id, T, uint8_t, x >= y)
/* Sums and products wrap: made of unsigned numbers. */
#define TYPED_ARITHMETIC(X, id, T, U)                     \
	X(add_##id, T, T, (U)x + (U)y)                    \
	X(subtract_##id, T, T, (U)x - (U)y)               \
	X(multiply_##id, T, T, (U)x * (U)y)               \
	X(maximum_##id, T, T, x > y ? x : y)              \
	X(minimum_##id, T, T, x < y ? x : y)

TYPED_COMPARISONS(TYPED_BINARY, f32, float)
TYPED_COMPARISONS(TYPED_BINARY, i32, int32_t)
TYPED_COMPARISONS(TYPED_BINARY, i64, int64_t)
TYPED_ARITHMETIC(TYPED_BINARY, i32, int32_t, uint32_t)
TYPED_ARITHMETIC(TYPED_BINARY, i64, int64_t, uint64_t)
TYPED_BINARY(logical_and, uint8_t, uint8_t, x != 0 && y != 0)
TYPED_BINARY(logical_or, uint8_t, uint8_t, (x | y) != 0)
TYPED_BINARY(logical_xor, uint8_t, uint8_t, (x != 0) != (y != 0))

static void logical_not(const ovl_typed_row *r)
{
	const uint8_t *a = r->x[0];
	uint8_t *o = r->o;
	for (int64_t i = 0; i < r->n; i++)
		o[i * r->o_step] = a[i * r->step[0]] == 0;
}

#define TYPED_SELECT(name, T)                                                                              \
	static void name(const ovl_typed_row *r)                                                           \
	{                                                                                                  \
		const uint8_t *c = (const uint8_t *)r->x[0];                                               \
		const T *a = (const T *)r->x[1], *b = (const T *)r->x[2];                                  \
		T *o = (T *)r->o;                                                                          \
		if (r->o_step == 1 && r->step[0] == 1 && r->step[1] == 1 && r->step[2] == 1)               \
			for (int64_t i = 0; i < r->n; i++) {                                               \
				T x = a[i], y = b[i];                                                      \
				o[i] = c[i] ? x : y;                                                       \
			}                                                                                  \
		else                                                                                       \
			for (int64_t i = 0; i < r->n; i++) {                                               \
				T x = a[i * r->step[1]], y = b[i * r->step[2]];                            \
				o[i * r->o_step] = c[i * r->step[0]] ? x : y;                              \
			}                                                                                  \
	}
TYPED_SELECT(select_1, uint8_t)
TYPED_SELECT(select_2, uint16_t)
TYPED_SELECT(select_4, uint32_t)
TYPED_SELECT(select_8, uint64_t)

#define COMPARE_ROWS(id, TYPE)                                                                                                     \
	{"Equal", TYPE, 0, equal_##id}, {"NotEqual", TYPE, 0, not_equal_##id}, {"Less", TYPE, 0, less_##id},                      \
		{"LessEqual", TYPE, 0, less_equal_##id}, {"Greater", TYPE, 0, greater_##id}, {"GreaterEqual", TYPE, 0, greater_equal_##id}
#define ARITHMETIC_ROWS(id, TYPE)                                                                                                  \
	{"Add", TYPE, 0, add_##id}, {"Subtract", TYPE, 0, subtract_##id}, {"Multiply", TYPE, 0, multiply_##id},                   \
		{"Maximum", TYPE, 0, maximum_##id}, {"Minimum", TYPE, 0, minimum_##id}

static const ovl_typed_entry table[] = {
	COMPARE_ROWS(f32, OVL_F32),
	COMPARE_ROWS(i32, OVL_I32),
	COMPARE_ROWS(i64, OVL_I64),
	ARITHMETIC_ROWS(i32, OVL_I32),
	ARITHMETIC_ROWS(i64, OVL_I64),
	{"LogicalAnd", OVL_BOOLEAN, 0, logical_and},
	{"LogicalOr", OVL_BOOLEAN, 0, logical_or},
	{"LogicalXor", OVL_BOOLEAN, 0, logical_xor},
	{"LogicalNot", OVL_BOOLEAN, 0, logical_not},
	{"Select", OVL_DYNAMIC, 1, select_1},
	{"Select", OVL_DYNAMIC, 2, select_2},
	{"Select", OVL_DYNAMIC, 4, select_4},
	{"Select", OVL_DYNAMIC, 8, select_8},
	{NULL, OVL_DYNAMIC, 0, NULL},
};

static const char *accept(ovl_problem *p) { return ovl_typed_accept(p, table); }
static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err) { return ovl_typed_prepare(p, table, out, err); }
