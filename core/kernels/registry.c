/* registry.c - which kernels there are for an operator, best first.
 *
 * The Makefile lists the tables by file name. At first use they are laid out as one row per (operator name, kernel), sorted so that the kernels of an operator stand
 * together with the best in front; a look-up is a binary search. The table lives as long as the process. */
#include "base/memory.h"
#include "kernels/kernel.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

extern const ovl_kernel *const *const ovl_kernel_lists[];

typedef struct row {
	const char *op; /* a word of kernel->ops, not terminated */
	size_t length;
	const ovl_kernel *kernel;
	size_t order; /* as listed: keeps the sort stable */
} row;

typedef struct table {
	size_t n;
	row rows[];
} table;

static const char *next_word(const char *s, size_t *length)
{
	s += strspn(s, " ");
	*length = strcspn(s, " ");
	return *length ? s : NULL;
}

/* Visits all words of all kernels; fills rows when there are some. Returns how many there are. */
static size_t each_row(row *rows)
{
	size_t n = 0, length;
	for (const ovl_kernel *const *const *list = ovl_kernel_lists; *list; list++)
		for (const ovl_kernel *const *k = *list; *k; k++)
			for (const char *w = next_word((*k)->ops, &length); w; w = next_word(w + length, &length), n++)
				if (rows)
					rows[n] = (row){w, length, *k, n};
	return n;
}

static int compare_names(const char *a, size_t na, const char *b, size_t nb)
{
	int c = memcmp(a, b, na < nb ? na : nb);
	return c ? c : (na > nb) - (na < nb);
}

static int compare_rows(const void *pa, const void *pb)
{
	const row *a = pa, *b = pb;
	int c = compare_names(a->op, a->length, b->op, b->length);
	if (!c)
		c = (a->kernel->isa < b->kernel->isa) - (a->kernel->isa > b->kernel->isa);
	if (!c)
		c = (a->kernel->rank < b->kernel->rank) - (a->kernel->rank > b->kernel->rank);
	return c ? c : (a->order > b->order) - (a->order < b->order);
}

static table *make_table(void)
{
	size_t n = each_row(NULL);
	table *t = ovl_alloc(sizeof(table) + n * sizeof(row));
	if (!t)
		return NULL;
	t->n = each_row(t->rows);
	qsort(t->rows, t->n, sizeof(row), compare_rows);
	return t;
}

/* NULL when memory is short: then every operator falls back to its reference run, and the next look-up tries again. */
static const table *the_table(void)
{
	static table *made;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	table *t = __atomic_load_n(&made, __ATOMIC_ACQUIRE);
	if (t)
		return t;
	pthread_mutex_lock(&lock);
	t = made;
	if (!t) {
		t = make_table();
		__atomic_store_n(&made, t, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&lock);
	return t;
}

const ovl_kernel *ovl_kernel_at(const char *op, ovl_isa isa, size_t i)
{
	const table *t = the_table();
	size_t length = strlen(op), low = 0, high = t ? t->n : 0;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (compare_names(t->rows[mid].op, t->rows[mid].length, op, length) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; t && low < t->n && !compare_names(t->rows[low].op, t->rows[low].length, op, length); low++)
		if (t->rows[low].kernel->isa <= isa && i-- == 0)
			return t->rows[low].kernel;
	return NULL;
}

bool ovl_kernel_takes_halves(const char *op, ovl_isa isa)
{
	const ovl_kernel *k;
	for (size_t i = 0; (k = ovl_kernel_at(op, isa, i)); i++)
		if (k->halves)
			return true;
	return false;
}
