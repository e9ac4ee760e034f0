#include "ops/support_scatter.h"
#include "ops/support_move.h"

#define PLUS(x, y) ((x) + (y))
#define MINUS(x, y) ((x) - (y))
#define TIMES(x, y) ((x) * (y))
#define SMALLER(x, y) ((y) < (x) || (y) != (y) ? (y) : (x))
#define LARGER(x, y) ((y) > (x) || (y) != (y) ? (y) : (x))
/* Signed numbers meet as unsigned ones, which may overflow; comparing must see the sign. */
#define MEET(T, W, LOAD, STORE, E)                                                                \
	do {                                                                                      \
		T *x_ = (T *)to->data + to_at;                                                    \
		const T *y_ = (const T *)from->data + from_at;                                    \
		for (int64_t i = 0; i < n; i++) {                                                 \
			W x = (W)LOAD(x_[i]), y = (W)LOAD(y_[i]);                                 \
			x_[i] = STORE(E(x, y));                                                   \
		}                                                                                 \
	} while (0)
#define CASE(TYPE, T, WRAPPED, ORDERED, LOAD, STORE)                                              \
	case TYPE:                                                                                \
		switch (how) {                                                                    \
		case OVL_SCATTER_SUM: MEET(T, WRAPPED, LOAD, STORE, PLUS); break;                 \
		case OVL_SCATTER_SUB: MEET(T, WRAPPED, LOAD, STORE, MINUS); break;                \
		case OVL_SCATTER_PROD: MEET(T, WRAPPED, LOAD, STORE, TIMES); break;               \
		case OVL_SCATTER_MIN: MEET(T, ORDERED, LOAD, STORE, SMALLER); break;              \
		default: MEET(T, ORDERED, LOAD, STORE, LARGER); break;                            \
		}                                                                                 \
		break;
#define FLOAT_CASE(TYPE, T, W, LOAD, STORE) CASE(TYPE, T, W, W, LOAD, STORE)
#define WHOLE_CASE(TYPE, T, W, LOAD, STORE) CASE(TYPE, T, uint64_t, W, LOAD, (T))

static void meet_booleans(ovl_scatter how, uint8_t *x, const uint8_t *y, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		bool a = x[i], b = y[i];
		x[i] = how == OVL_SCATTER_SUM || how == OVL_SCATTER_MAX ? a || b : how == OVL_SCATTER_SUB ? a != b : a && b;
	}
}

ovl_status ovl_scatter_into(ovl_run *run, ovl_scatter how, ovl_tensor *to, int64_t to_at, const ovl_tensor *from, int64_t from_at, int64_t n)
{
	if (how == OVL_SCATTER_NONE)
		return ovl_move_row(run, to, to_at, from, from_at, n);
	switch (to->type) {
		OVL_EACH_FLOAT(FLOAT_CASE)
		OVL_EACH_INTEGER(WHOLE_CASE)
	case OVL_BOOLEAN: meet_booleans(how, (uint8_t *)to->data + to_at, (const uint8_t *)from->data + from_at, n); break;
	default: return ovl_fail(run->err, OVL_E_UNSUPPORTED, "%s: %s elements cannot be reduced", run->op->name, ovl_type_name(to->type));
	}
	return OVL_OK;
}
