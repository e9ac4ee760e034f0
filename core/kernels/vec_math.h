/* vec_math.h - functions of V, written in the words of vec_avx2.h / vec_avx512.h (which include it). Own minimax fits; relative errors were measured over the
 * whole range: exp 0.9e-7, expm1, log 1.5e-7, tanh, erf 1.8e-7, sin and cos 1e-7 absolute up to 30,000, GELU 1e-7 of |x|; sigmoid 2e-7, and 2e-8 |x| more. */
#ifndef OVL_KERNELS_VEC_MATH_H
#define OVL_KERNELS_VEC_MATH_H

#include <stdbool.h>

/* x = n ln2 + r with |r| <= ln2 / 2; gives exp(r) - 1. NaN goes through. */
static inline V v_exp_core(V x, V *n)
{
	V k = v_round(v_mul(x, v_set(1.44269504f)));
	V r = v_fnma(k, v_set(0.693359375f), x), q;
	r = v_fnma(k, v_set(-2.12194440e-4f), r);
	q = v_fma(v_set(1.394759864e-3f), r, v_set(8.367246948e-3f));
	q = v_fma(q, r, v_set(4.166626558e-2f));
	q = v_fma(q, r, v_set(1.666653752e-1f));
	q = v_fma(q, r, v_set(0.5f));
	*n = k;
	return v_fma(v_mul(r, r), q, r);
}

static inline V v_exp(V x)
{
	V n, p;
	x = v_min(v_set(89.0f), v_max(v_set(-105.0f), x));
	p = v_exp_core(x, &n);
	return v_scale(v_add(p, v_set(1.0f)), n);
}

/* exp(x) - 1, exact near 0 too. */
static inline V v_expm1(V x)
{
	V n, p, s;
	x = v_min(v_set(88.3f), v_max(v_set(-20.0f), x));
	p = v_exp_core(x, &n);
	s = v_scale(v_set(1.0f), n);
	return v_fma(s, p, v_sub(s, v_set(1.0f)));
}

static inline V v_log(V x)
{
	V e, f = v_sub(v_split(x, &e), v_set(1.0f)), q, y;
	q = v_fma(v_set(5.569873005e-2f), f, v_set(-1.221944913e-1f));
	q = v_fma(q, f, v_set(1.500421911e-1f));
	q = v_fma(q, f, v_set(-1.680679470e-1f));
	q = v_fma(q, f, v_set(1.997397095e-1f));
	q = v_fma(q, f, v_set(-2.499400079e-1f));
	q = v_fma(q, f, v_set(3.333362639e-1f));
	q = v_fma(q, f, v_set(-5.000005364e-1f));
	y = v_fma(e, v_set(-2.12194440e-4f), v_mul(v_mul(f, f), q));
	y = v_add(v_fma(e, v_set(0.693359375f), f), y);
	y = v_select(v_eq(x, v_set(__builtin_inff())), x, y);
	y = v_select(v_eq(x, v_zero()), v_set(-__builtin_inff()), y);
	return v_select(v_le(v_zero(), x), y, v_set(__builtin_nanf("")));
}

/* log(1 + t) for t in [0, 1]: what rounding 1 + t lost is put back. */
static inline V v_log1p(V t)
{
	V u = v_add(v_set(1.0f), t);
	return v_add(v_log(u), v_div(v_sub(t, v_sub(u, v_set(1.0f))), u));
}

/* 1 + exp(-x) as 1 + 2^t: cheaper than v_exp, whose last bits would be lost here anyhow. */
static inline V v_one_and_exp(V x)
{
	V t, n, f, q;
	x = v_min(v_set(105.0f), v_max(v_set(-89.0f), x));
	t = v_set(-1.44269504f);
	n = v_round(v_mul(x, t));
	f = v_fms(x, t, n);
	q = v_fma(v_set(1.326464532e-3f), f, v_set(9.671576448e-3f));
	q = v_fma(q, f, v_set(5.550734516e-2f));
	q = v_fma(q, f, v_set(2.402224111e-1f));
	q = v_fma(q, f, v_set(6.931469769e-1f));
	q = v_fma(q, f, v_set(1.0f));
	return v_add(v_set(1.0f), v_scale(q, n));
}

static inline V v_sigmoid(V x) { return v_div(v_set(1.0f), v_one_and_exp(x)); }
static inline V v_swish(V x, V beta) { return v_div(x, v_one_and_exp(v_mul(beta, x))); }

/* x min(max(x + 3, 0), 6) / 6 * a + b */
static inline V v_hswish(V x, V a, V b)
{
	V gate = v_min(v_set(6.0f), v_max(v_zero(), v_add(x, v_set(3.0f))));
	return v_fma(v_mul(x, gate), v_mul(a, v_set(1.0f / 6.0f)), b);
}

/* expm1(2|x|) / (expm1(2|x|) + 2), with the sign of x. */
static inline V v_tanh(V x)
{
	V sign = v_and(x, v_set(-0.0f)), a = v_xor(x, sign), e;
	e = v_expm1(v_min(v_set(20.0f), v_add(a, a)));
	return v_or(v_div(e, v_add(e, v_set(2.0f))), sign);
}

/* |x| <= 1: x P(x^2); beyond: 1 - exp(q(|x|)), q fitted to log(erfc). */
static inline V v_erf(V x)
{
	V sign = v_and(x, v_set(-0.0f)), a = v_min(v_set(4.0f), v_xor(x, sign)), z = v_mul(x, x), p, q, n;
	p = v_fma(v_set(7.853889110e-5f), z, v_set(-8.010203019e-4f));
	p = v_fma(p, z, v_set(5.188328680e-3f));
	p = v_fma(p, z, v_set(-2.685381286e-2f));
	p = v_fma(p, z, v_set(1.128358543e-1f));
	p = v_fma(p, z, v_set(-3.761262596e-1f));
	p = v_mul(x, v_fma(p, z, v_set(1.128379226f)));
	q = v_fma(v_set(1.863793295e-4f), a, v_set(-2.947659697e-3f));
	q = v_fma(q, a, v_set(2.183806896e-2f));
	q = v_fma(q, a, v_set(-1.031067669e-1f));
	q = v_fma(q, a, v_set(-6.381447911e-1f));
	q = v_fma(q, a, v_set(-1.127089143f));
	q = v_fma(q, a, v_set(-3.415207611e-4f));
	q = v_exp_core(q, &n);
	q = v_scale(v_add(q, v_set(1.0f)), n);
	q = v_or(v_sub(v_set(1.0f), q), sign);
	return v_select(v_lt(v_set(1.0f), a), q, p);
}

/* max(x, 0) - |x| / 2 erfc(|x| / sqrt 2): nothing cancels where x is negative, and erfc is one power of two whose exponent is a polynomial of |x|. */
static inline V v_gelu_erf(V x)
{
	V a = v_min(v_set(30.0f), v_abs(x)), q, n, p;
	q = v_fma(v_set(-2.772054359e-6f), a, v_set(3.862081212e-5f));
	q = v_fma(q, a, v_set(-1.825479121e-4f));
	q = v_fma(q, a, v_set(-1.458693878e-4f));
	q = v_fma(q, a, v_set(7.075470872e-3f));
	q = v_fma(q, a, v_set(-5.250502750e-2f));
	q = v_fma(q, a, v_set(-4.592049122e-1f));
	q = v_fma(q, a, v_set(-1.151105762f));
	q = v_fma(q, a, v_set(2.171554137e-8f));
	q = v_max(v_set(-140.0f), q);
	n = v_round(q);
	q = v_sub(q, n);
	p = v_fma(v_set(1.534581243e-4f), q, v_set(1.339993090e-3f));
	p = v_fma(p, q, v_set(9.618489072e-3f));
	p = v_fma(p, q, v_set(5.550328642e-2f));
	p = v_fma(p, q, v_set(2.402264625e-1f));
	p = v_fma(p, q, v_set(6.931471825e-1f));
	p = v_fma(p, q, v_set(1.000000000f));
	return v_fnma(v_mul(a, v_set(0.5f)), v_scale(p, n), v_max(v_zero(), x));
}

static inline V v_gelu_tanh(V x)
{
	V h = v_mul(x, v_set(0.5f)), cube = v_mul(v_mul(x, x), x);
	return v_fma(h, v_tanh(v_mul(v_set(0.797884561f), v_fma(cube, v_set(0.044715f), x))), h);
}

/* sin(x), or cos(x), for lanes that are far out, where three constants do not hold x / (pi / 2) exactly enough any more. */
static __attribute__((noinline, cold)) V v_turns_far(V x, V y, bool cosine)
{
	float a[VL], b[VL];
	v_store(a, x);
	v_store(b, y);
	for (int i = 0; i < VL; i++)
		if (!(__builtin_fabsf(a[i]) <= 30000.0f))
			b[i] = cosine ? __builtin_cosf(a[i]) : __builtin_sinf(a[i]);
	return v_load(b);
}

/* x = n pi / 2 + r with |r| <= pi / 4: the sine or cosine of r with the sign of quarter n. */
static inline V v_turns(V x, const bool cosine)
{
	V n = v_round(v_mul(x, v_set(0.636619772f))), r, z, s, c, quarter, y;
	r = v_fnma(n, v_set(1.57079637f), x);
	r = v_fnma(n, v_set(-4.37113883e-8f), r);
	r = v_fnma(n, v_set(-1.71512489e-15f), r);
	z = v_mul(r, r);
	s = v_fma(v_set(2.718046569e-06f), z, v_set(-1.983930443e-04f));
	s = v_fma(s, z, v_set(8.333329281e-03f));
	s = v_fma(s, z, v_set(-1.666666664e-01f));
	s = v_fma(v_mul(z, r), s, r);
	c = v_fma(v_set(-2.717402628e-07f), z, v_set(2.479895021e-05f));
	c = v_fma(c, z, v_set(-1.388888061e-03f));
	c = v_fma(c, z, v_set(4.166666655e-02f));
	c = v_fma(c, z, v_set(-5.000000000e-01f));
	c = v_fma(z, c, v_set(1.0f));
	quarter = cosine ? v_add(n, v_set(1.0f)) : n;
	quarter = v_fnma(v_floor(v_mul(quarter, v_set(0.25f))), v_set(4.0f), quarter);
	y = v_select(v_eq(v_fnma(v_floor(v_mul(quarter, v_set(0.5f))), v_set(2.0f), quarter), v_zero()), s, c);
	y = v_select(v_lt(quarter, v_set(2.0f)), y, v_xor(y, v_set(-0.0f)));
	if (__builtin_expect(v_lanes(v_lt(v_set(30000.0f), v_abs(x))) != 0, 0))
		y = v_turns_far(x, y, cosine);
	return y;
}

static inline V v_sin(V x) { return v_turns(x, false); }
static inline V v_cos(V x) { return v_turns(x, true); }

/* log(1 + exp(x)) */
static inline V v_softplus(V x) { return v_add(v_max(v_zero(), x), v_log1p(v_exp(v_or(x, v_set(-0.0f))))); }

/* x tanh(softplus(x)) = x w / (w + 2), w = e^x (e^x + 2) */
static inline V v_mish(V x)
{
	V e = v_exp(v_min(v_set(30.0f), x)), w = v_mul(e, v_add(e, v_set(2.0f)));
	return v_mul(x, v_div(w, v_add(w, v_set(2.0f))));
}

#endif
