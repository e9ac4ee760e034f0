/* pool.h - worker threads that share one piece of work by claiming chunks of it.
 *
 * A pool has T threads: the caller of ovl_pool_run and T - 1 workers. Work is cut into chunks; each thread claims one after the other, first of its own
 * share (the t-th of T equal ranges), then of the others', so that a thread which the system has put aside never holds up more than the chunk it is in
 * (fixed halves would cost 30x under load). Cut work so that neighbouring chunks are neighbouring rows: what a layer writes then is in the cache of the
 * core that reads it in the next.
 * Workers spin for a short while (about 50 us) after work and then sleep on a futex: nothing spins when idle. Between ovl_pool_enter and
 * ovl_pool_leave (one inference) workers keep spinning between the phases.
 * One caller at a time per pool. Not reentrant: a chunk function never calls ovl_pool_run. */
#ifndef OVL_BASE_POOL_H
#define OVL_BASE_POOL_H

#include "base/status.h"
#include <stdint.h>

typedef struct ovl_pool ovl_pool;

/* chunk counts from 0; worker is in [0, threads): an index for scratch memory. */
typedef void (*ovl_pool_fn)(void *arg, int64_t chunk, int worker);

ovl_pool *ovl_pool_new(int threads); /* threads >= 1; NULL when memory or threads are short. Workers start at first use and after a fork. */
void ovl_pool_free(ovl_pool *pool); /* joins the workers */
int ovl_pool_threads(const ovl_pool *pool); /* 1 for a NULL pool */
void ovl_pool_run(ovl_pool *pool, int64_t chunks, ovl_pool_fn fn, void *arg); /* returns when all chunks are done; NULL pool: inline */
void ovl_pool_enter(ovl_pool *pool);
void ovl_pool_leave(ovl_pool *pool);

/* Splits n items into chunks of about `grain` items or more, as many for each thread, at most 4; gives the chunk size.
 * Chunk c covers [c*size, min(n, (c+1)*size)). */
int64_t ovl_pool_chunk(const ovl_pool *pool, int64_t n, int64_t grain);

#endif
