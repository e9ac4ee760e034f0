/* limits.h - what this machine can do at most, measured: multiplications and additions a second, and bytes a second. Profiles hold steps against it.
 */
#ifndef OVL_BASE_LIMITS_H
#define OVL_BASE_LIMITS_H

#include "base/cpu.h"

#include <stdbool.h>

enum { OVL_LIMITS_SIZES = 5 };

typedef struct ovl_limits {
	double flops;                  /* a second, f32, in registers */
	double flops_bf16;             /* the same with bf16 products; `flops` where the processor has none */
	double size[OVL_LIMITS_SIZES]; /* bytes: what the next line was read from, again and again */
	double rate[OVL_LIMITS_SIZES]; /* bytes a second; a larger size is never faster */
} ovl_limits;

/* For that many threads at that level. Measured when first asked for (some 50 ms), then kept; a busy machine gives lower figures. False: out of
 * memory. */
bool ovl_limits_get(ovl_isa isa, int threads, ovl_limits *out);
/* Microseconds that this much arithmetic and memory traffic takes at least; *by_bytes (may be NULL): memory is what takes longer. */
double ovl_limits_us(const ovl_limits *l, double flops, double bytes, bool bf16, bool *by_bytes);

#endif
