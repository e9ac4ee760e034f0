/* limits_loops_impl.h - the loops for a vector V of VL floats, set by V_SET(float), multiplied and added by V_FMA, loaded by V_LOAD, named by NAME.
 */
#include "base/limits_loops.h"

/* The compiler must believe that a value in a register was looked at. */
#define USED(v) __asm__ volatile("" : "+v"(v)) /* x86: any vector register */

double NAME(ovl_limits_flops)(int64_t rounds)
{
	V a[12], b = V_SET(0.999f), c = V_SET(1e-3f);
#pragma GCC unroll 12 /* or the array would stay in memory */
	for (int i = 0; i < 12; i++)
		a[i] = V_SET((float)i);
	for (int64_t r = 0; r < rounds; r++) {
#pragma GCC unroll 12
		for (int i = 0; i < 12; i++) {
			a[i] = V_FMA(a[i], b, c);
			USED(a[i]);
		}
	}
	return (double)rounds * 12 * VL * 2;
}

void NAME(ovl_limits_read)(const void *p, size_t n)
{
	const float *f = p, *end = f + n / sizeof *f;
	for (; f < end; f += 8 * VL) {
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++) {
			V v = V_LOAD(f + i * VL);
			USED(v);
		}
	}
}
