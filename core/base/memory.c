/* memory.c - allocation with counters and a switch that makes it fail. Aligned blocks come from aligned_alloc, so free takes them all. */
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* One block of more is a mistake or an attack, and some allocators abort on it instead of saying no. */
static const size_t most = (size_t)1 << 39;

static uint64_t made;
static int64_t fail_left; /* 0: off; 1: the next one fails */

/* Counts one allocation; false when it has to fail. */
static bool admit(size_t size)
{
	if (size > most)
		return false;
	__atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
	int64_t left = __atomic_load_n(&fail_left, __ATOMIC_RELAXED);
	while (left > 0)
		if (__atomic_compare_exchange_n(&fail_left, &left, left - 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return left != 1;
	return true;
}

void *ovl_alloc(size_t size)
{
	return admit(size) ? malloc(size ? size : 1) : NULL;
}

void *ovl_calloc(size_t count, size_t size)
{
	size_t total;
	if (!ovl_mul_ok(count, size, &total) || !admit(total))
		return NULL;
	return calloc(1, total ? total : 1);
}

void *ovl_realloc(void *p, size_t size)
{
	return admit(size) ? realloc(p, size ? size : 1) : NULL;
}

void ovl_free(void *p)
{
	free(p);
}

static void *aligned(size_t size) { return aligned_alloc(64, size ? (size + 63) & ~(size_t)63 : 64); }

void *ovl_alloc_aligned(size_t size) { return admit(size) ? aligned(size) : NULL; }

enum { WAITING = 32, LEAST_BLOCK = 256 << 10, MOST_WAITING = 32 << 20 };

static struct {
	int busy; /* who finds it busy does without: nobody waits, not even for a thread that a fork has lost */
	int n;
	size_t total;
	void *at[WAITING]; /* oldest first */
	size_t size[WAITING];
} blocks;

static bool enter_blocks(void) { return !__atomic_exchange_n(&blocks.busy, 1, __ATOMIC_ACQUIRE); }
static void leave_blocks(void) { __atomic_store_n(&blocks.busy, 0, __ATOMIC_RELEASE); }

static void *take_out(int i)
{
	void *p = blocks.at[i];
	blocks.total -= blocks.size[i];
	blocks.n--;
	memmove(blocks.at + i, blocks.at + i + 1, (size_t)(blocks.n - i) * sizeof *blocks.at);
	memmove(blocks.size + i, blocks.size + i + 1, (size_t)(blocks.n - i) * sizeof *blocks.size);
	return p;
}

/* The youngest of this size: it may still be in a cache. */
static void *find_block(size_t size)
{
	void *p = NULL;
	if (size < LEAST_BLOCK || !enter_blocks())
		return NULL;
	for (int i = blocks.n - 1; i >= 0 && !p; i--)
		if (blocks.size[i] == size)
			p = take_out(i);
	leave_blocks();
	return p;
}

void *ovl_block_take(size_t size)
{
	void *p;
	if (!admit(size))
		return NULL;
	p = find_block(size);
	if (!p)
		p = aligned(size);
	if (!p) {
		ovl_blocks_drop();
		p = aligned(size);
	}
	return p;
}

void ovl_block_give(void *p, size_t size)
{
	if (!p || size < LEAST_BLOCK || size > MOST_WAITING / 2 || !enter_blocks()) {
		free(p);
		return;
	}
	while (blocks.n == WAITING || blocks.total + size > MOST_WAITING)
		free(take_out(0));
	blocks.at[blocks.n] = p;
	blocks.size[blocks.n++] = size;
	blocks.total += size;
	leave_blocks();
}

void ovl_blocks_drop(void)
{
	if (!enter_blocks())
		return;
	while (blocks.n)
		free(take_out(0));
	leave_blocks();
}

enum { HUGE_BYTES = 4 << 20 }; /* from here on huge pages save more page faults than their rounding costs */

void *ovl_map_pages(size_t size)
{
	void *p;
	if (!admit(size))
		return NULL;
	p = mmap(NULL, size ? size : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (size >= HUGE_BYTES)
		(void)!madvise(p, size, MADV_HUGEPAGE);
	return p;
}

void ovl_unmap_pages(void *p, size_t size) { munmap(p, size ? size : 1); }
void ovl_drop_pages(void *p, size_t size) { madvise(p, size ? size : 1, MADV_DONTNEED); }

char *ovl_strdup(const char *s)
{
	return ovl_memdup(s, strlen(s) + 1);
}

char *ovl_strndup(const char *s, size_t n)
{
	size_t have = strnlen(s, n);
	char *copy = have < SIZE_MAX ? ovl_alloc(have + 1) : NULL;
	if (!copy)
		return NULL;
	memcpy(copy, s, have);
	copy[have] = 0;
	return copy;
}

void *ovl_memdup(const void *p, size_t size)
{
	void *copy = ovl_alloc(size);
	if (copy && size)
		memcpy(copy, p, size);
	return copy;
}

bool ovl_grow(void *items, size_t *cap, size_t need, size_t item_size)
{
	void *old, *grown;
	size_t more = *cap < 8 ? 8 : *cap > SIZE_MAX / 2 ? SIZE_MAX : *cap + *cap / 2, bytes;
	if (need <= *cap)
		return true;
	if (more < need)
		more = need;
	if (!ovl_mul_ok(more, item_size, &bytes)) {
		more = need;
		if (!ovl_mul_ok(more, item_size, &bytes))
			return false;
	}
	memcpy(&old, items, sizeof old); /* items is a T** of any T */
	grown = ovl_realloc(old, bytes);
	if (!grown)
		return false;
	memcpy(items, &grown, sizeof grown);
	*cap = more;
	return true;
}

uint64_t ovl_memory_count(void)
{
	return __atomic_load_n(&made, __ATOMIC_RELAXED);
}

void ovl_memory_fail_at(int64_t k)
{
	__atomic_store_n(&fail_left, k > 0 ? k : 0, __ATOMIC_RELAXED);
}
