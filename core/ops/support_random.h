/* support_random.h - random numbers that a seed makes the same everywhere: Philox 4x32-10 (as TensorFlow uses it) and the Mersenne Twister (as PyTorch does). */
#ifndef OVL_OPS_SUPPORT_RANDOM_H
#define OVL_OPS_SUPPORT_RANDOM_H

#include <stdint.h>

typedef struct ovl_philox {
	uint64_t key, counter, n;
} ovl_philox;

/* Both seeds 0: different numbers each time. */
ovl_philox ovl_philox_new(uint64_t global_seed, uint64_t op_seed);
void ovl_philox_next(ovl_philox *p, uint32_t out[4]);

typedef struct ovl_mersenne {
	uint32_t state[624];
	int next;
} ovl_mersenne;

void ovl_mersenne_seed(ovl_mersenne *m, uint32_t seed);
uint32_t ovl_mersenne_next(ovl_mersenne *m);

uint64_t ovl_random_seed(void); /* from the clock and a counter */

/* In [0, 1): the bits become the fraction of a number between 1 and 2. */
float ovl_random_f32(uint32_t bits);
double ovl_random_f64(uint32_t high, uint32_t low);

#endif
