#include "base/limits.h"
#include "base/limits_loops.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/pool.h"

#include <pthread.h>

#if !defined __x86_64__
#define V float
#define VL 1
#define V_SET(x) (x)
#define V_FMA(a, b, c) ((a) * (b) + (c))
#define V_LOAD(p) (*(p))
#else
#include <xmmintrin.h>
#define V __m128
#define VL 4
#define V_SET _mm_set1_ps
#define V_FMA(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
#define V_LOAD _mm_load_ps
#endif
#define NAME(n) n##_scalar
#include "base/limits_loops_impl.h"

enum { KEPT = 8 };

static struct kept {
	ovl_isa isa;
	int threads;
	ovl_limits limits;
} kept[KEPT];
static int n_kept;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

typedef struct work {
	double (*flops)(int64_t rounds);
	void (*read)(const void *p, size_t n);
	int64_t rounds;
	const char *data;
	size_t bytes, times; /* of a chunk */
} work;

static void some_flops(void *arg, int64_t chunk, int worker)
{
	const work *w = arg;
	(void)chunk, (void)worker;
	w->flops(w->rounds);
}

static void some_reads(void *arg, int64_t chunk, int worker)
{
	const work *w = arg;
	(void)worker;
	for (size_t i = 0; i < w->times; i++)
		w->read(w->data + (size_t)chunk * w->bytes, w->bytes);
}

/* The best of a few tries, in units a second. */
static double best_rate(ovl_pool *pool, int chunks, ovl_pool_fn fn, work *w, double units)
{
	double best = 0;
	ovl_pool_enter(pool);
	for (int i = 0; i < 10; i++) {
		double start = ovl_now_us(), rate;
		ovl_pool_run(pool, chunks, fn, w);
		rate = units / (ovl_now_us() - start) * 1e6;
		best = rate > best ? rate : best;
	}
	ovl_pool_leave(pool);
	return best;
}

/* Of one thread, times their number: what the processors have of their own. */
static double flops_rate(int threads, double (*flops)(int64_t))
{
	work w = {.flops = flops, .rounds = 100000};
	return threads * best_rate(NULL, 1, some_flops, &w, flops(w.rounds));
}

static bool measure(ovl_isa isa, ovl_pool *pool, int threads, ovl_limits *l)
{
	enum { LARGEST = 64 << 20 };
	bool wide = isa >= OVL_ISA_AVX512 && ovl_limits_flops_avx512, avx2 = isa >= OVL_ISA_AVX2 && ovl_limits_flops_avx2;
	work w = {.read = wide ? ovl_limits_read_avx512 : avx2 ? ovl_limits_read_avx2 : ovl_limits_read_scalar};
	char *data = ovl_alloc_aligned(LARGEST);
	if (!data)
		return false;
	for (size_t i = 0; i < LARGEST; i += 4096) /* pages of their own */
		*(volatile char *)(data + i) = 1;
	w.data = data;
	l->flops = flops_rate(threads, wide ? ovl_limits_flops_avx512 : avx2 ? ovl_limits_flops_avx2 : ovl_limits_flops_scalar);
	l->flops_bf16 = isa >= OVL_ISA_AVX512_BF16 && ovl_limits_flops_bf16 ? flops_rate(threads, ovl_limits_flops_bf16) : l->flops;
	for (int i = OVL_LIMITS_SIZES - 1; i >= 0; i--) { /* 64 MB, 8 MB, 1 MB, 128 KB, 16 KB, all threads together */
		size_t size = (size_t)LARGEST >> (3 * (OVL_LIMITS_SIZES - 1 - i));
		int chunks = size > 1 << 20 ? threads : 1; /* caches near the processor are each one's own, the others are shared */
		w.bytes = size / (size_t)threads / 1024 * 1024 + (size < (size_t)threads * 1024 ? 1024 : 0);
		w.times = (8 << 20) / size + 1;
		l->size[i] = (double)size;
		l->rate[i] = threads / chunks * best_rate(chunks > 1 ? pool : NULL, chunks, some_reads, &w, (double)chunks * (double)w.bytes * (double)w.times);
		if (i < OVL_LIMITS_SIZES - 1 && l->rate[i] < l->rate[i + 1])
			l->rate[i] = l->rate[i + 1];
	}
	ovl_free(data);
	return true;
}

bool ovl_limits_get(ovl_isa isa, int threads, ovl_limits *out)
{
	ovl_pool *pool = NULL;
	bool ok = true;
	threads = threads < 1 ? 1 : threads > 1024 ? 1024 : threads;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < n_kept; i++)
		if (kept[i].isa == isa && kept[i].threads == threads) {
			*out = kept[i].limits;
			pthread_mutex_unlock(&lock);
			return true;
		}
	if (threads > 1)
		ok = (pool = ovl_pool_new(threads)) != NULL;
	ok = ok && measure(isa, pool, threads, out);
	if (ok && n_kept < KEPT)
		kept[n_kept++] = (struct kept){isa, threads, *out};
	pthread_mutex_unlock(&lock);
	if (pool)
		ovl_pool_free(pool);
	return ok;
}

double ovl_limits_us(const ovl_limits *l, double flops, double bytes, bool bf16, bool *by_bytes)
{
	double by_flops = flops / (bf16 ? l->flops_bf16 : l->flops) * 1e6, rate;
	int i = 0;
	while (i < OVL_LIMITS_SIZES - 1 && bytes > l->size[i])
		i++;
	rate = l->rate[i];
	if (i > 0 && bytes < l->size[i]) /* between two sizes */
		rate = l->rate[i - 1] + (l->rate[i] - l->rate[i - 1]) * (bytes - l->size[i - 1]) / (l->size[i] - l->size[i - 1]);
	if (by_bytes)
		*by_bytes = bytes / rate * 1e6 > by_flops;
	return bytes / rate * 1e6 > by_flops ? bytes / rate * 1e6 : by_flops;
}
