/* The arena: what lives at different times shares memory. Largest first, each at the lowest offset where it meets nobody who lives at the same time.
 *
 * Slots that are placed are kept by lifetime, so that a slot looks only at those which it may meet: a tree over the steps, where each slot hangs at the few nodes
 * that make up its lifetime (who lives at step s hangs somewhere between leaf s and the root), and a list per step of who begins there. */
#include "plan/build.h"

#include <stdlib.h>

typedef struct hook {
	int slot, next;
} hook;

typedef struct timetable {
	int leaves; /* a power of two, above the last step */
	int *hanging, *beginning; /* heads of lists in `hooks`, per node and per step; -1: empty */
	OVL_VEC(hook) hooks;
} timetable;

typedef struct range {
	size_t at, end;
} range;

typedef OVL_VEC(range) ranges;

static size_t aligned(size_t n) { return (n + 127) & ~(size_t)127; }

static bool timetable_open(timetable *x, size_t steps)
{
	*x = (timetable){.leaves = 1};
	while ((size_t)x->leaves < steps + 1)
		x->leaves *= 2;
	x->hanging = ovl_alloc((size_t)x->leaves * 2 * sizeof *x->hanging);
	x->beginning = ovl_alloc((size_t)x->leaves * sizeof *x->beginning);
	for (int i = 0; x->hanging && i < 2 * x->leaves; i++)
		x->hanging[i] = -1;
	for (int i = 0; x->beginning && i < x->leaves; i++)
		x->beginning[i] = -1;
	return x->hanging && x->beginning;
}

static void timetable_close(timetable *x)
{
	ovl_free(x->hanging);
	ovl_free(x->beginning);
	ovl_vec_free(&x->hooks);
}

static bool hang(timetable *x, int *head, int slot)
{
	if (!ovl_vec_push(&x->hooks, ((hook){slot, *head})))
		return false;
	*head = (int)x->hooks.n - 1;
	return true;
}

static bool timetable_add(timetable *x, int slot, int first, int last)
{
	bool ok = hang(x, &x->beginning[first], slot);
	for (int lo = first + x->leaves, hi = last + x->leaves + 1; ok && lo < hi; lo /= 2, hi /= 2) {
		if (lo & 1)
			ok = hang(x, &x->hanging[lo++], slot);
		if (ok && (hi & 1))
			ok = hang(x, &x->hanging[--hi], slot);
	}
	return ok;
}

static bool gather(const ovl_plan *p, const timetable *x, int head, ranges *out)
{
	for (int i = head; i >= 0; i = x->hooks.at[i].next) {
		const ovl_slot *s = &p->slots.at[x->hooks.at[i].slot];
		if (!ovl_vec_push(out, ((range){s->offset, s->offset + aligned(s->size)})))
			return false;
	}
	return true;
}

/* The memory of all who live at some time between these steps. */
static bool gather_neighbours(const ovl_plan *p, const timetable *x, int first, int last, ranges *out)
{
	bool ok = true;
	out->n = 0;
	for (int node = first + x->leaves; ok && node > 0; node /= 2)
		ok = gather(p, x, x->hanging[node], out);
	for (int step = first + 1; ok && step <= last; step++)
		ok = gather(p, x, x->beginning[step], out);
	return ok;
}

static int by_address(const void *a, const void *b)
{
	const range *x = a, *y = b;
	return x->at < y->at ? -1 : x->at > y->at;
}

static size_t lowest_gap(ranges *taken, size_t size)
{
	size_t at = 0;
	if (taken->n)
		qsort(taken->at, taken->n, sizeof *taken->at, by_address);
	for (size_t i = 0; i < taken->n && taken->at[i].at < at + aligned(size); i++)
		at = taken->at[i].end > at ? taken->at[i].end : at;
	return at;
}

static bool place(ovl_plan *p, timetable *x, ranges *taken, int slot)
{
	ovl_slot *s = &p->slots.at[slot];
	int first = s->first < 0 ? 0 : s->first;
	if (!gather_neighbours(p, x, first, s->last, taken))
		return false;
	s->offset = lowest_gap(taken, s->size);
	if (s->offset + aligned(s->size) > p->arena_size)
		p->arena_size = s->offset + aligned(s->size);
	return timetable_add(x, slot, first, s->last);
}

typedef struct order_entry {
	size_t size;
	int slot;
} order_entry;

static int by_size(const void *a, const void *b)
{
	const order_entry *x = a, *y = b;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return x->slot - y->slot;
}

ovl_status ovl_build_arena(ovl_build *b)
{
	ovl_plan *p = b->plan;
	order_entry *order = ovl_alloc((p->slots.n + 1) * sizeof *order);
	ranges taken = {0};
	timetable x = {0};
	size_t n = 0;
	bool ok = order && timetable_open(&x, p->steps.n);
	for (size_t i = 0; ok && i < p->slots.n; i++)
		if (p->slots.at[i].kind == OVL_SLOT_ARENA && p->slots.at[i].merged < 0 && p->slots.at[i].last >= 0)
			order[n++] = (order_entry){p->slots.at[i].size, (int)i};
	if (ok && n)
		qsort(order, n, sizeof *order, by_size);
	for (size_t i = 0; ok && i < n; i++)
		ok = place(p, &x, &taken, order[i].slot);
	ovl_free(order);
	ovl_vec_free(&taken);
	timetable_close(&x);
	return ok ? OVL_OK : ovl_fail(b->err, OVL_E_MEMORY, "not enough memory for a plan");
}
