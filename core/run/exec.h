/* exec.h - runs plans. An executor belongs to one thread at a time (a stream's worker, or the caller of infer); it owns the arena and scratch memory, so memory grows
 * with streams, not with requests. In steady state with static shapes a run allocates nothing. */
#ifndef OVL_RUN_EXEC_H
#define OVL_RUN_EXEC_H

#include "plan/plan.h"

typedef struct ovl_exec ovl_exec;

typedef struct ovl_step_time {
	double start_us; /* of the monotonic clock */
	double real_us, cpu_us;
} ovl_step_time;

typedef struct ovl_exec_io {
	ovl_tensor *const *inputs; /* one per input; any strides */
	ovl_tensor **outputs; /* in: where to write (type and shape right, any strides), or NULL; out: NULL entries became new references */
	const int *cancel; /* atomic; may be NULL */
	void *user; /* for the two below; NULL functions: no state */
	ovl_status (*variable_get)(void *user, const char *id, ovl_tensor **out, ovl_error *err);
	ovl_status (*variable_set)(void *user, const char *id, ovl_tensor *value, ovl_error *err);
	ovl_step_time *times; /* one per step when profiling; NULL: clocks are not read */
} ovl_exec_io;

ovl_exec *ovl_exec_new(ovl_pool *pool, int stream); /* the pool is borrowed; NULL: out of memory */
void ovl_exec_free(ovl_exec *e);
ovl_status ovl_exec_run(ovl_exec *e, ovl_plan *plan, const ovl_exec_io *io, ovl_error *err);
void ovl_exec_copy(ovl_exec *e, void *to, const void *from, size_t size); /* on all of its threads */
int ovl_exec_stream(const ovl_exec *e);   /* which stream it serves, from 0 */
size_t ovl_exec_bytes(const ovl_exec *e); /* arenas and scratch */
void ovl_exec_trim(ovl_exec *e); /* frees arenas and what belongs to plans */

#endif
