/* pool.c - threads that claim chunks.
 *
 * DESIGN. Each thread has a home: a range of neighbouring chunks, the same share of every run. It claims its own range from the front, then takes from the
 * back of the others'. Layers that cut their work in the same order thus find what the layer before has written in the L2 of the same core; on two cores
 * that is worth a quarter of a matrix product's time. A thread that was put aside only loses its chunks to the others.
 *
 * One 64-bit word per home says everything a claim needs: the generation (which run; high 32 bits) and the range that is left (from, to; 16 bits each).
 * A thread reads a word, then the job (fn, arg, base), then takes a chunk by compare-and-swap of the whole word. The job may be rewritten only
 * while all homes are empty, and the next run has another generation, so a swap that succeeds proves that the job which was read belongs to
 * this very chunk, however long the thread was asleep in between. `pending` counts the chunks not finished; a thread subtracts what it has
 * done once, when it finds nothing left. The caller waits for pending to reach zero, that is for claimed chunks and never for sleeping workers.
 *
 * `run` is the generation whose homes are filled; a worker looks at it to see that there is something new.
 * Sleep is Dekker's handshake, all in sequential consistency: a worker announces itself in `sleepers` and then looks at `run` again; the caller
 * stores `run` and then looks at `sleepers`. One of the two sees the other. The same holds for `caller_waits` and `pending`.
 *
 * In virtual machines an idle CPU looks taken to the scheduler, which then wakes a worker on the CPU of the caller that woke it; both share it for the
 * milliseconds until it balances, and the first run after a pause takes as long as on one thread. A worker that finds itself there says so in `crowded` and
 * moves; from then on the caller bars its own CPU to workers for the moment in which it wakes them. */
#define _GNU_SOURCE 1
#include "base/pool.h"
#include "base/log.h"
#include "base/memory.h"
#include <fenv.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	MAX_CHUNKS = 0xffff, /* a run of more is done in several goes */
	MAX_THREADS = 1024,
	LOOK_EVERY = 32, /* pauses between looks at the clock */
	FEW_WORKERS = 16, /* machines with more are not the virtual ones that crowd */
};
static const double spin_us = 50, hold_us = 2000; /* hold: between enter and leave, giving way to others from spin_us on */

typedef struct home {
	_Alignas(64) _Atomic uint64_t claims;
} home;

typedef struct worker {
	struct ovl_pool *pool;
	pthread_t thread;
	int index; /* 1 .. threads - 1 */
	uint32_t seen; /* the last run it has looked at */
	_Atomic pid_t tid; /* 0: not running yet */
} worker;

struct ovl_pool {
	_Alignas(64) _Atomic uint32_t run;
	_Atomic(ovl_pool_fn) fn;
	_Atomic(void *) arg;
	_Atomic int64_t base; /* number of the first chunk of this go */
	_Alignas(64) _Atomic uint32_t pending;
	_Atomic uint32_t caller_waits;
	_Alignas(64) _Atomic uint32_t signal; /* what sleeping workers wait on */
	_Atomic uint32_t sleepers;
	_Atomic uint32_t holds; /* enters without their leave */
	_Atomic int caller_cpu; /* of the last caller that woke somebody */
	_Atomic bool crowded;
	_Atomic bool stop;
	_Alignas(64) int threads;
	int started; /* workers that run */
	bool tried; /* workers were started, as far as the system let us */
	unsigned fork_count; /* of the process that started them */
	home *homes; /* one a thread */
	worker workers[];
};

static _Atomic unsigned fork_count; /* forks between the first process and this one */
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void count_fork(void)
{
	atomic_fetch_add_explicit(&fork_count, 1, memory_order_relaxed);
}

static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, count_fork);
}

static void pause_cpu(void)
{
#if defined __x86_64__ || defined __i386__
	__builtin_ia32_pause();
#elif defined __aarch64__
	__asm__ volatile("yield");
#endif
}

static void futex_wait(_Atomic uint32_t *word, uint32_t seen)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0); /* a wake without reason is fine: callers look again */
}

static void futex_wake(_Atomic uint32_t *word, int n)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

/* The CPUs a thread (0: this one) may run on without `cpu`; false: there are none. */
static bool others_than(pid_t tid, int cpu, cpu_set_t *all, cpu_set_t *others)
{
	if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(tid, sizeof *all, all) != 0 || !CPU_ISSET(cpu, all))
		return false;
	*others = *all;
	CPU_CLR(cpu, others);
	return CPU_COUNT(others) > 0;
}

/* For a worker that woke on its caller's CPU. */
static void move_from(int cpu)
{
	cpu_set_t all, others;
	if (others_than(0, cpu, &all, &others) && sched_setaffinity(0, sizeof others, &others) == 0)
		sched_setaffinity(0, sizeof all, &all);
}

static uint64_t range_word(uint32_t run, uint32_t from, uint32_t to)
{
	return (uint64_t)run << 32 | from << 16 | to;
}

/* Claims and does the chunks of one home, from the front or from the back, until none is left; how many. */
static uint32_t work_at(ovl_pool *pool, home *at, bool own, int index)
{
	uint32_t done = 0;
	uint64_t word = atomic_load_explicit(&at->claims, memory_order_acquire);
	for (;;) {
		uint32_t from = (uint32_t)word >> 16, to = (uint32_t)word & 0xffff, run = (uint32_t)(word >> 32);
		ovl_pool_fn fn = atomic_load_explicit(&pool->fn, memory_order_acquire);
		void *arg = atomic_load_explicit(&pool->arg, memory_order_acquire);
		int64_t base = atomic_load_explicit(&pool->base, memory_order_acquire);
		uint64_t next = own ? range_word(run, from + 1, to) : range_word(run, from, to - 1);
		if (from >= to)
			return done;
		if (!atomic_compare_exchange_weak_explicit(&at->claims, &word, next, memory_order_acq_rel, memory_order_acquire))
			continue;
		fn(arg, base + (own ? from : to - 1), index);
		done++;
		word = atomic_load_explicit(&at->claims, memory_order_acquire);
	}
}

/* Its own home first, then the others'. */
static void work(ovl_pool *pool, int index)
{
	uint32_t done = work_at(pool, &pool->homes[index], true, index);
	for (int i = 1; i < pool->threads; i++)
		done += work_at(pool, &pool->homes[(index + i) % pool->threads], false, index);
	if (done && atomic_fetch_sub(&pool->pending, done) == done && atomic_load(&pool->caller_waits))
		futex_wake(&pool->pending, 1);
}

/* Spins until there is a new run: true; or long enough: false. Between enter and leave it spins longer, but lets others run. */
static bool spin_for_work(ovl_pool *pool, uint32_t seen)
{
	double start = 0;
	for (unsigned i = 1;; i++) {
		if (atomic_load_explicit(&pool->run, memory_order_acquire) != seen)
			return true;
		pause_cpu();
		if (i % LOOK_EVERY)
			continue;
		double now = ovl_now_us();
		if (start == 0)
			start = now;
		if (now - start > spin_us) {
			if (now - start > hold_us || !atomic_load_explicit(&pool->holds, memory_order_relaxed))
				return false;
			sched_yield();
		}
		if (atomic_load_explicit(&pool->stop, memory_order_relaxed))
			return false;
	}
}

static void sleep_until_signal(ovl_pool *pool, uint32_t seen)
{
	uint32_t signal = atomic_load(&pool->signal);
	atomic_fetch_add(&pool->sleepers, 1);
	if (atomic_load(&pool->run) == seen && !atomic_load(&pool->stop))
		futex_wait(&pool->signal, signal);
	atomic_fetch_sub(&pool->sleepers, 1);
	if (atomic_load(&pool->run) != seen && sched_getcpu() == atomic_load_explicit(&pool->caller_cpu, memory_order_relaxed)) {
		atomic_store_explicit(&pool->crowded, true, memory_order_relaxed);
		move_from(sched_getcpu());
	}
}

/* Wakes up to n workers, on other CPUs than this one where that has to be said. A sleeper is placed when it is woken, so its own mask can be put back at once. */
static void wake_workers(ovl_pool *pool, int n)
{
	cpu_set_t all[FEW_WORKERS], others;
	bool barred[FEW_WORKERS] = {false};
	int cpu = sched_getcpu();
	bool crowded = atomic_load_explicit(&pool->crowded, memory_order_relaxed) && pool->started <= FEW_WORKERS;
	atomic_store_explicit(&pool->caller_cpu, cpu, memory_order_relaxed);
	for (int i = 0; crowded && i < pool->started; i++) {
		pid_t tid = atomic_load_explicit(&pool->workers[i].tid, memory_order_relaxed);
		barred[i] = tid && others_than(tid, cpu, &all[i], &others) && sched_setaffinity(tid, sizeof others, &others) == 0;
	}
	atomic_fetch_add(&pool->signal, 1);
	futex_wake(&pool->signal, n);
	for (int i = 0; crowded && i < pool->started; i++)
		if (barred[i])
			sched_setaffinity(atomic_load_explicit(&pool->workers[i].tid, memory_order_relaxed), sizeof all[i], &all[i]);
}

static void *worker_main(void *user)
{
	worker *me = user;
	ovl_pool *pool = me->pool;
	atomic_store_explicit(&me->tid, (pid_t)syscall(SYS_gettid), memory_order_relaxed);
	pthread_setname_np(pthread_self(), "ovlite");
	fesetenv(FE_DFL_ENV); /* not the rounding mode that the first caller happened to have */
	while (!atomic_load_explicit(&pool->stop, memory_order_acquire)) {
		if (spin_for_work(pool, me->seen)) {
			me->seen = atomic_load_explicit(&pool->run, memory_order_acquire);
			work(pool, me->index);
		} else {
			sleep_until_signal(pool, me->seen);
		}
	}
	return NULL;
}

static void start_workers(ovl_pool *pool)
{
	sigset_t all, host;
	pool->tried = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &host); /* inherited: signals are for the host's threads */
	while (pool->started < pool->threads - 1) {
		worker *w = &pool->workers[pool->started];
		w->pool = pool;
		w->index = pool->started + 1;
		atomic_store_explicit(&w->tid, 0, memory_order_relaxed);
		w->seen = atomic_load_explicit(&pool->run, memory_order_relaxed);
		if (pthread_create(&w->thread, NULL, worker_main, w))
			break; /* the others do its chunks */
		pool->started++;
	}
	pthread_sigmask(SIG_SETMASK, &host, NULL);
}

/* In a child process the parent's workers do not exist, and words may be as a run of another thread had left them. */
static void after_fork(ovl_pool *pool)
{
	unsigned now = atomic_load_explicit(&fork_count, memory_order_relaxed);
	if (pool->fork_count == now)
		return;
	pool->fork_count = now;
	pool->started = 0;
	pool->tried = false;
	for (int i = 0; i < pool->threads; i++)
		atomic_store(&pool->homes[i].claims, 0);
	atomic_store(&pool->pending, 0);
	atomic_store(&pool->caller_waits, 0);
	atomic_store(&pool->sleepers, 0);
	atomic_store(&pool->holds, 0);
}

ovl_pool *ovl_pool_new(int threads)
{
	ovl_pool *pool;
	size_t size;
	if (threads < 1)
		return NULL;
	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	pthread_once(&fork_once, watch_forks);
	size = sizeof *pool + (size_t)(threads - 1) * sizeof(worker);
	size = (size + 63) / 64 * 64;
	pool = ovl_alloc_aligned(size + (size_t)threads * sizeof(home));
	if (!pool)
		return NULL;
	memset(pool, 0, size + (size_t)threads * sizeof(home));
	atomic_store_explicit(&pool->caller_cpu, -1, memory_order_relaxed);
	pool->threads = threads;
	pool->homes = (home *)((char *)pool + size);
	pool->fork_count = atomic_load_explicit(&fork_count, memory_order_relaxed);
	return pool;
}

void ovl_pool_free(ovl_pool *pool)
{
	if (!pool)
		return;
	after_fork(pool);
	atomic_store(&pool->stop, true);
	atomic_fetch_add(&pool->signal, 1);
	if (pool->started)
		futex_wake(&pool->signal, MAX_THREADS);
	for (int i = 0; i < pool->started; i++)
		pthread_join(pool->workers[i].thread, NULL);
	ovl_free(pool);
}

int ovl_pool_threads(const ovl_pool *pool)
{
	return pool ? pool->threads : 1;
}

/* All chunks are claimed: waits for those that others are in. One that was put aside in the middle of a chunk needs a CPU, perhaps ours. */
static void wait_for_claimed(ovl_pool *pool)
{
	double start = 0;
	for (unsigned i = 1; atomic_load_explicit(&pool->pending, memory_order_acquire) > 0; i++) {
		pause_cpu();
		if (i % LOOK_EVERY)
			continue;
		double now = ovl_now_us();
		if (start == 0)
			start = now;
		if (now - start > 2 * spin_us)
			break;
		if (now - start > spin_us)
			sched_yield();
	}
	if (!atomic_load_explicit(&pool->pending, memory_order_acquire))
		return;
	atomic_store(&pool->caller_waits, 1);
	for (uint32_t left; (left = atomic_load(&pool->pending)) > 0;)
		futex_wait(&pool->pending, left);
	atomic_store_explicit(&pool->caller_waits, 0, memory_order_relaxed);
}

/* At most MAX_CHUNKS chunks, more than one. */
static void run_go(ovl_pool *pool, int64_t base, uint32_t chunks, ovl_pool_fn fn, void *arg)
{
	uint32_t run = atomic_load_explicit(&pool->run, memory_order_relaxed) + 1, threads = (uint32_t)pool->threads, sleepers;
	atomic_store_explicit(&pool->fn, fn, memory_order_release);
	atomic_store_explicit(&pool->arg, arg, memory_order_release);
	atomic_store_explicit(&pool->base, base, memory_order_release);
	atomic_store_explicit(&pool->pending, chunks, memory_order_relaxed);
	for (uint32_t i = 0; i < threads; i++)
		atomic_store_explicit(&pool->homes[i].claims, range_word(run, chunks * i / threads, chunks * (i + 1) / threads), memory_order_release);
	atomic_store(&pool->run, run);
	sleepers = atomic_load(&pool->sleepers);
	if (sleepers)
		wake_workers(pool, (int)(sleepers < chunks - 1 ? sleepers : chunks - 1));
	work(pool, 0);
	wait_for_claimed(pool);
}

void ovl_pool_run(ovl_pool *pool, int64_t chunks, ovl_pool_fn fn, void *arg)
{
	if (pool && pool->threads > 1 && chunks > 1) {
		after_fork(pool);
		if (!pool->tried)
			start_workers(pool);
	}
	if (!pool || chunks <= 1 || !pool->started) {
		for (int64_t i = 0; i < chunks; i++)
			fn(arg, i, 0);
		return;
	}
	for (int64_t base = 0; base < chunks; base += MAX_CHUNKS) {
		int64_t left = chunks - base;
		if (left == 1)
			fn(arg, base, 0);
		else
			run_go(pool, base, (uint32_t)(left < MAX_CHUNKS ? left : MAX_CHUNKS), fn, arg);
	}
}

void ovl_pool_enter(ovl_pool *pool)
{
	if (!pool || pool->threads == 1)
		return;
	after_fork(pool);
	atomic_fetch_add_explicit(&pool->holds, 1, memory_order_relaxed);
}

void ovl_pool_leave(ovl_pool *pool)
{
	if (!pool || pool->threads == 1)
		return;
	after_fork(pool);
	if (atomic_load_explicit(&pool->holds, memory_order_relaxed) > 0)
		atomic_fetch_sub_explicit(&pool->holds, 1, memory_order_relaxed);
}

int64_t ovl_pool_chunk(const ovl_pool *pool, int64_t n, int64_t grain)
{
	int64_t threads = ovl_pool_threads(pool), parts = 4 * threads, size;
	if (n < 1)
		return 1;
	if (parts == 4)
		return n;
	size = n / parts + (n % parts != 0);
	if (size >= grain)
		return size;
	if (grain >= n)
		return n;
	parts = n / grain + (n % grain != 0); /* as many for each thread, even if they are somewhat smaller then */
	parts = (parts + threads - 1) / threads * threads;
	return n / parts + (n % parts != 0);
}
