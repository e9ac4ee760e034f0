#define _GNU_SOURCE
#include "run/engine.h"
#include "base/log.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

struct ovl_seat {
	ovl_pool *pool;
	ovl_exec *exec;
	bool taken;
};

struct ovl_engine {
	int refs; /* atomic: the model's and one per worker */
	pthread_mutex_t lock;
	pthread_cond_t work, free_seat;
	ovl_job head; /* a ring */
	ovl_seat *seats;
	int n_seats, threads, workers, sleeping;
	int queued; /* atomic mirror of the list's length, for spinning */
	unsigned fork_count; /* of the process that started the workers */
	bool stop;
};

/* A forked child has none of its parent's threads: engines notice by this count and start workers of their own. */
static unsigned forks; /* atomic */
static void count_fork(void) { __atomic_fetch_add(&forks, 1, __ATOMIC_RELAXED); }
static void watch_forks(void) { pthread_atfork(NULL, NULL, count_fork); }
static pthread_once_t watch = PTHREAD_ONCE_INIT;

static void engine_release(ovl_engine *e)
{
	if (__atomic_sub_fetch(&e->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (int i = 0; e->seats && i < e->n_seats; i++) {
		ovl_exec_free(e->seats[i].exec);
		ovl_pool_free(e->seats[i].pool);
	}
	ovl_free(e->seats);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->work);
	pthread_cond_destroy(&e->free_seat);
	ovl_free(e);
}

static void init_locks(ovl_engine *e)
{
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->work, NULL);
	pthread_cond_init(&e->free_seat, NULL);
	e->fork_count = __atomic_load_n(&forks, __ATOMIC_RELAXED);
}

ovl_engine *ovl_engine_new(int streams, int threads_per_stream)
{
	ovl_engine *e = ovl_calloc(1, sizeof *e);
	if (!e)
		return NULL;
	pthread_once(&watch, watch_forks);
	e->refs = 1;
	e->head.next = e->head.prev = &e->head;
	e->threads = threads_per_stream;
	init_locks(e);
	e->seats = ovl_calloc((size_t)streams, sizeof *e->seats);
	for (; e->seats && e->n_seats < streams; e->n_seats++) {
		ovl_seat *s = &e->seats[e->n_seats];
		s->pool = ovl_pool_new(threads_per_stream);
		s->exec = s->pool ? ovl_exec_new(s->pool, e->n_seats) : NULL;
		if (!s->exec) {
			ovl_pool_free(s->pool);
			break;
		}
	}
	if (e->n_seats < streams) {
		engine_release(e);
		return NULL;
	}
	return e;
}

/* After a fork: locks may be held by threads that do not exist here, and seats may be taken by them. */
static void check_fork(ovl_engine *e)
{
	if (e->fork_count == __atomic_load_n(&forks, __ATOMIC_RELAXED))
		return;
	init_locks(e);
	__atomic_sub_fetch(&e->refs, e->workers, __ATOMIC_RELAXED);
	e->workers = e->sleeping = 0;
	for (int i = 0; i < e->n_seats; i++)
		e->seats[i].taken = false;
}

static ovl_seat *free_seat(ovl_engine *e)
{
	for (int i = 0; i < e->n_seats; i++)
		if (!e->seats[i].taken) {
			e->seats[i].taken = true;
			return &e->seats[i];
		}
	return NULL;
}

static void unlink_job(ovl_engine *e, ovl_job *j)
{
	j->prev->next = j->next;
	j->next->prev = j->prev;
	j->queued = false;
	__atomic_fetch_sub(&e->queued, 1, __ATOMIC_RELAXED);
}

/* Looks for work without the lock for a while, since waking a sleeping thread costs tens of microseconds. */
static void spin_for_work(ovl_engine *e)
{
	double until = ovl_now_us() + 60;
	while (__atomic_load_n(&e->queued, __ATOMIC_RELAXED) == 0 && !__atomic_load_n(&e->stop, __ATOMIC_RELAXED) && ovl_now_us() < until)
		for (int i = 0; i < 32; i++)
			__builtin_ia32_pause();
}

static void *worker(void *arg)
{
	ovl_engine *e = arg;
	bool spun = false;
	pthread_mutex_lock(&e->lock);
	for (;;) {
		ovl_job *j = e->head.next;
		ovl_seat *s = j != &e->head ? free_seat(e) : NULL;
		if (s) {
			unlink_job(e, j);
			pthread_mutex_unlock(&e->lock);
			j->run(j, s);
			pthread_mutex_lock(&e->lock);
			spun = false;
			continue;
		}
		if (j != &e->head) { /* all seats are taken by callers of infer */
			pthread_cond_wait(&e->free_seat, &e->lock);
			continue;
		}
		if (e->stop)
			break;
		if (!spun) {
			pthread_mutex_unlock(&e->lock);
			spin_for_work(e);
			pthread_mutex_lock(&e->lock);
			spun = true;
			continue;
		}
		e->sleeping++;
		pthread_cond_wait(&e->work, &e->lock);
		e->sleeping--;
		spun = false;
	}
	pthread_mutex_unlock(&e->lock);
	engine_release(e);
	return NULL;
}

static bool start_worker(ovl_engine *e)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	bool ok;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	__atomic_fetch_add(&e->refs, 1, __ATOMIC_RELAXED);
	ok = pthread_create(&thread, &attr, worker, e) == 0;
	if (!ok)
		__atomic_fetch_sub(&e->refs, 1, __ATOMIC_RELAXED);
	e->workers += ok;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return ok;
}

void ovl_engine_stop(ovl_engine *e)
{
	if (!e)
		return;
	check_fork(e);
	pthread_mutex_lock(&e->lock);
	__atomic_store_n(&e->stop, true, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&e->work);
	pthread_mutex_unlock(&e->lock);
	engine_release(e);
}

ovl_status ovl_engine_submit(ovl_engine *e, ovl_job *job, ovl_error *err)
{
	check_fork(e);
	pthread_mutex_lock(&e->lock);
	while (e->workers < e->n_seats)
		if (!start_worker(e))
			break;
	if (e->workers == 0) {
		pthread_mutex_unlock(&e->lock);
		return ovl_fail(err, OVL_E_MEMORY, "no worker thread could be started");
	}
	job->next = &e->head;
	job->prev = e->head.prev;
	job->prev->next = job;
	e->head.prev = job;
	job->queued = true;
	__atomic_fetch_add(&e->queued, 1, __ATOMIC_RELAXED);
	if (e->sleeping)
		pthread_cond_signal(&e->work);
	pthread_mutex_unlock(&e->lock);
	return OVL_OK;
}

bool ovl_engine_claim(ovl_engine *e, ovl_job *job)
{
	bool got;
	check_fork(e);
	pthread_mutex_lock(&e->lock);
	got = job->queued;
	if (got)
		unlink_job(e, job);
	pthread_mutex_unlock(&e->lock);
	return got;
}

ovl_seat *ovl_engine_sit(ovl_engine *e)
{
	ovl_seat *s;
	check_fork(e);
	pthread_mutex_lock(&e->lock);
	while (!(s = free_seat(e)))
		pthread_cond_wait(&e->free_seat, &e->lock);
	pthread_mutex_unlock(&e->lock);
	return s;
}

ovl_seat *ovl_engine_try_sit(ovl_engine *e)
{
	ovl_seat *s;
	check_fork(e);
	pthread_mutex_lock(&e->lock);
	s = free_seat(e);
	pthread_mutex_unlock(&e->lock);
	return s;
}

void ovl_engine_stand(ovl_engine *e, ovl_seat *seat)
{
	pthread_mutex_lock(&e->lock);
	seat->taken = false;
	pthread_cond_broadcast(&e->free_seat);
	pthread_mutex_unlock(&e->lock);
}

ovl_exec *ovl_seat_exec(ovl_seat *s) { return s->exec; }

size_t ovl_engine_bytes(ovl_engine *e)
{
	size_t n = 0;
	pthread_mutex_lock(&e->lock);
	for (int i = 0; i < e->n_seats; i++)
		if (!e->seats[i].taken)
			n += ovl_exec_bytes(e->seats[i].exec);
	pthread_mutex_unlock(&e->lock);
	return n;
}

void ovl_engine_trim(ovl_engine *e)
{
	pthread_mutex_lock(&e->lock);
	for (int i = 0; i < e->n_seats; i++)
		if (!e->seats[i].taken)
			ovl_exec_trim(e->seats[i].exec);
	pthread_mutex_unlock(&e->lock);
}
