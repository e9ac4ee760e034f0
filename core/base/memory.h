/* memory.h - the only place of core/ that calls malloc and free, or maps anonymous pages.
 *
 * All sizes are bytes. Failures return NULL and never abort. Counters let specs assert that a steady-state run allocates nothing, and
 * ovl_memory_fail_at lets them fail the k-th allocation from now. */
#ifndef OVL_BASE_MEMORY_H
#define OVL_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *ovl_alloc(size_t size);
void *ovl_calloc(size_t count, size_t size); /* checked product, zeroed */
void *ovl_realloc(void *p, size_t size);
void ovl_free(void *p); /* NULL is fine; for every pointer of this header, aligned ones included */
void *ovl_alloc_aligned(size_t size); /* 64-byte aligned, rounded up to 64, not zeroed */
/* Aligned blocks for what is made and dropped again and again, as results of runs are: large ones that come back wait for the next of their size (up to
 * 32 MB of them), so that their pages need not be fetched from the system each time. Both calls take the same size. */
void *ovl_block_take(size_t size); /* as ovl_alloc_aligned */
void ovl_block_give(void *p, size_t size);
void ovl_blocks_drop(void); /* those that wait go back to the system */
/* Whole pages, zeroed, for large blocks: page-aligned, in huge pages where the system has them. NULL when memory is short. */
void *ovl_map_pages(size_t size);
void ovl_unmap_pages(void *p, size_t size);
void ovl_drop_pages(void *p, size_t size); /* gives the memory back: it reads as zeros until it is written again */
char *ovl_strdup(const char *s);
char *ovl_strndup(const char *s, size_t n);
void *ovl_memdup(const void *p, size_t size);

/* Checked arithmetic on sizes: false when the result does not fit. */
static inline bool ovl_mul_ok(size_t a, size_t b, size_t *out) { return !__builtin_mul_overflow(a, b, out); }
static inline bool ovl_add_ok(size_t a, size_t b, size_t *out) { return !__builtin_add_overflow(a, b, out); }

/* Grows *items (of item_size bytes each, *cap of them) so that `need` fit. False when memory is short; the array is as it was. */
bool ovl_grow(void *items, size_t *cap, size_t need, size_t item_size);

uint64_t ovl_memory_count(void); /* allocations made so far by this process */
void ovl_memory_fail_at(int64_t k); /* the k-th allocation from now fails (1: the next); 0 switches off */

#endif
