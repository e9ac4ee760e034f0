/* engine.h - streams: N seats (an executor with its thread pool each) and N workers that take queued runs.
 *
 *     start --> queue --> a worker claims the job, takes a free seat, runs it --> job->done
 *     infer --> takes a free seat and runs on the calling thread
 *     wait  --> when no worker has claimed the job yet, the waiting thread claims it: a round trip then costs no wake-up
 *
 * Workers hold a reference on the engine and end by themselves after ovl_engine_stop; nobody joins them, so that releasing a model never blocks. */
#ifndef OVL_RUN_ENGINE_H
#define OVL_RUN_ENGINE_H

#include "run/exec.h"

typedef struct ovl_engine ovl_engine;
typedef struct ovl_seat ovl_seat;

/* One queued run: part of a request. */
typedef struct ovl_job {
	struct ovl_job *next, *prev;
	bool queued; /* in the engine's list: under its lock */
	void (*run)(struct ovl_job *job, ovl_seat *seat); /* does the work; the job may be gone when it returns */
} ovl_job;

ovl_engine *ovl_engine_new(int streams, int threads_per_stream); /* NULL: out of memory */
void ovl_engine_stop(ovl_engine *e); /* ends the caller's reference; queued jobs are still run */
ovl_status ovl_engine_submit(ovl_engine *e, ovl_job *job, ovl_error *err);
bool ovl_engine_claim(ovl_engine *e, ovl_job *job); /* takes a queued job out of the list; false: a worker has it (or it is not queued) */
ovl_seat *ovl_engine_sit(ovl_engine *e); /* waits for a free seat */
ovl_seat *ovl_engine_try_sit(ovl_engine *e); /* NULL: none is free */
void ovl_engine_stand(ovl_engine *e, ovl_seat *seat);
ovl_exec *ovl_seat_exec(ovl_seat *s);
size_t ovl_engine_bytes(ovl_engine *e); /* arenas of the seats that are free now */
void ovl_engine_trim(ovl_engine *e); /* of the seats that are free now */

#endif
