/* shares.h - how few rows of work are cut, so that threads get equal shares of them and stay with the rows they have had in the step before.
 *
 * Chunks are numbered by rows first (pool.c gives each thread a range of the numbers). Rows that threads cannot share evenly: a chunk of whole rows for
 * each thread, and between them those left over, one by one, which only a cut along the other dimension shares. */
#ifndef OVL_KERNELS_SHARES_H
#define OVL_KERNELS_SHARES_H

#include <stdint.h>

typedef struct ovl_shares {
	int64_t n, chunks; /* of rows */
	int64_t each, over; /* rows of a thread, rows left over; each 0: chunks are all alike */
} ovl_shares;

/* n rows in so many chunks; the larger ones are spread among the others, so that the same share of the chunks is the same share of the rows. */
static inline ovl_shares ovl_shares_even(int64_t n, int64_t chunks) { return (ovl_shares){n, chunks, 0, 0}; }
/* n rows, no less than threads, in one chunk for each thread and one for each row left over. */
static inline ovl_shares ovl_shares_of(int64_t n, int64_t threads) { return (ovl_shares){n, threads + n % threads, n / threads, n % threads}; }

/* The first row of chunk i. */
static inline int64_t ovl_shares_at(const ovl_shares *s, int64_t i)
{
	int64_t singles = i / 2 < s->over ? i / 2 : s->over;
	return s->each ? (i - singles) * s->each + singles : s->n * i / s->chunks;
}

#endif
