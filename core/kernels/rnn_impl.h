/* rnn_impl.h - what is done with the sums of gates. Included by rnn_avx2.c and rnn_avx512.c after their vector layer. */
#include "kernels/rnn.h"

/* One block after the other: unit i, and its lanes that exist. */
#define EACH_BLOCK(u, GATES)                                                                                                   \
	for (int64_t i = 0, at = 0; i < (u)->n; i += VL, at += (GATES) * VL)                                                   \
		for (VT t = v_tail((u)->n - i), *once = &t; once; once = NULL)

static inline void put_state(const ovl_rnn_units *u, int64_t i, V h, VT t)
{
	v_store_t(u->state + i, h, t);
	if (u->y)
		v_store_t(u->y + i, h, t);
}

static inline V gate(const ovl_rnn_units *u, int64_t at, int g) { return v_add(v_load(u->x + at + g * VL), v_load(u->h + at + g * VL)); }

static void lstm(const ovl_rnn_units *u)
{
	EACH_BLOCK(u, 4)
	{
		V f = v_sigmoid(gate(u, at, 0)), in = v_sigmoid(gate(u, at, 1)), c = v_tanh(gate(u, at, 2)), o = v_sigmoid(gate(u, at, 3));
		c = v_fma(f, v_load_t(u->cell + i, t), v_mul(in, c));
		v_store_t(u->cell + i, c, t);
		put_state(u, i, v_mul(o, v_tanh(c)), t);
	}
}

/* (1 - z) g + z h */
static inline V blend(V z, V g, V h) { return v_fma(z, v_sub(h, g), g); }

static void gru(const ovl_rnn_units *u)
{
	EACH_BLOCK(u, 3)
	{
		V z = v_sigmoid(gate(u, at, 0)), r = v_sigmoid(gate(u, at, 1)), g;
		g = v_tanh(v_fma(r, v_load(u->h + at + 2 * VL), v_load(u->x + at + 2 * VL)));
		put_state(u, i, blend(z, g, v_load_t(u->old + i, t)), t);
	}
}

static void gru_gates(const ovl_rnn_units *u)
{
	const float *x = u->x;
	float *h = (float *)(uintptr_t)u->h; /* z stays here for the second part */
	EACH_BLOCK(u, 2)
	{
		V z = v_sigmoid(v_add(v_load(x), v_load(h + at))), r = v_sigmoid(v_add(v_load(x + VL), v_load(h + at + VL)));
		v_store(h + at, z);
		v_store_t(u->cell + i, v_mul(r, v_load_t(u->old + i, t)), t);
		x += 3 * VL;
	}
}

static void gru_blend(const ovl_rnn_units *u)
{
	const float *x = u->x, *z = u->cell;
	EACH_BLOCK(u, 1)
	{
		V g = v_tanh(v_add(v_load(x + 2 * VL), v_load(u->h + at)));
		put_state(u, i, blend(v_load(z), g, v_load_t(u->old + i, t)), t);
		x += 3 * VL;
		z += 2 * VL;
	}
}

static void plain(const ovl_rnn_units *u)
{
	EACH_BLOCK(u, 1)
	{
		V s = gate(u, at, 0);
		put_state(u, i, u->function.fn == OVL_FN_TANH ? v_tanh(s) : u->function.fn == OVL_FN_SIGMOID ? v_sigmoid(s) : v_max(v_zero(), s), t);
	}
}

static const ovl_rnn_isa rnn_isa = {&V_NAME(ovl_gemm), lstm, gru, gru_gates, gru_blend, plain};

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err) { return ovl_rnn_prepare(&rnn_isa, p, out, err); }
