/* limits_loops.h - the loops that limits.c times: one file per instruction set. Weak, since not every processor's build has all of them. */
#ifndef OVL_BASE_LIMITS_LOOPS_H
#define OVL_BASE_LIMITS_LOOPS_H

#include <stddef.h>
#include <stdint.h>

#define OVL_WEAK __attribute__((weak))

/* Independent multiply-adds for `rounds` rounds; returns the number of multiplications and additions. */
double ovl_limits_flops_scalar(int64_t rounds);
OVL_WEAK double ovl_limits_flops_avx2(int64_t rounds);
OVL_WEAK double ovl_limits_flops_avx512(int64_t rounds);
OVL_WEAK double ovl_limits_flops_bf16(int64_t rounds);
/* Reads n bytes (a multiple of 1024, aligned to 64). */
void ovl_limits_read_scalar(const void *p, size_t n);
OVL_WEAK void ovl_limits_read_avx2(const void *p, size_t n);
OVL_WEAK void ovl_limits_read_avx512(const void *p, size_t n);

#endif
