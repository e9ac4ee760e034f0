/* halves.h - what kernels of halves (kernel.h) share: their problem as a kernel of f32 would see it, so that questions about geometry and posts have one answer. */
#ifndef OVL_KERNELS_HALVES_H
#define OVL_KERNELS_HALVES_H

#include "kernels/kernel.h"

enum { OVL_HALVES_MAX_IN = 16 };

typedef struct ovl_plain_problem {
	ovl_problem p; /* wishes go to the arrays of the problem it was made from */
	ovl_desc in[OVL_HALVES_MAX_IN], out;
} ovl_plain_problem;

/* Halves become f32, all else stays. NULL: fine; else why not (a constant text): bf16 was not asked for, result 0 is not f32, too many inputs. */
const char *ovl_halves_plain(const ovl_problem *p, ovl_plain_problem *out);

/* What prepare() of such a kernel comes down to: `size` zeroed bytes become its state. set_up() gets the problem as it is, and as one of f32. */
typedef ovl_status (*ovl_halves_set_up)(void *state, const ovl_problem *p, const ovl_problem *plain, ovl_prepared *out, ovl_error *err);
ovl_status ovl_halves_prepare(
	size_t size, ovl_halves_set_up set_up, void (*release)(void *state), const ovl_problem *p, ovl_prepared *out, ovl_error *err);

/* Operands of posts are read as f32, but the one that is added as a whole (its input, -1: none), which may lie as it is. */
void ovl_halves_operands(ovl_problem *p, int added);

#endif
