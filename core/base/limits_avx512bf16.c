#include "base/limits_loops.h"

#include <immintrin.h>

double ovl_limits_flops_bf16(int64_t rounds)
{
	__m512 a[12];
	__m512bh b = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-3f), _mm512_set1_ps(1e-3f)), c = b;
#pragma GCC unroll 12 /* or the array would stay in memory */
	for (int i = 0; i < 12; i++)
		a[i] = _mm512_set1_ps((float)i);
	for (int64_t r = 0; r < rounds; r++) {
#pragma GCC unroll 12
		for (int i = 0; i < 12; i++) {
			a[i] = _mm512_dpbf16_ps(a[i], b, c);
			__asm__ volatile("" : "+v"(a[i]));
		}
	}
	return (double)rounds * 12 * 32 * 2;
}
