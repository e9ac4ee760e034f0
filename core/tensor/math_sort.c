/* math_sort.c - sorting along a dimension: a merge of halves on (key, position) pairs, which keeps the order of equals. */
#include "base/memory.h"
#include "tensor/convert.h"
#include "tensor/math.h"
#include "tensor/rows.h"
#include "tensor/target.h"

typedef struct entry {
	int64_t key, at;
} entry;

static void merge(const entry *from, entry *to, int64_t left, int64_t right, int64_t end)
{
	int64_t a = left, b = right;
	for (int64_t i = left; i < end; i++)
		to[i] = b >= end || (a < right && from[a].key <= from[b].key) ? from[a++] : from[b++];
}

/* Sorts n entries with the help of as many more; returns where they are then. */
static entry *sort(entry *list, entry *spare, int64_t n)
{
	for (int64_t run = 1; run < n; run *= 2) {
		for (int64_t left = 0; left < n; left += 2 * run) {
			int64_t right = left + run < n ? left + run : n, end = right + run < n ? right + run : n;
			merge(list, spare, left, right, end);
		}
		entry *other = list;
		list = spare;
		spare = other;
	}
	return list;
}

static void sort_row(
	const ovl_tensor *rows, int64_t at, int64_t n, bool descending, entry *room, ovl_tensor *values, int64_t *positions, int64_t to, int64_t step)
{
	enum { BLOCK = 256 };
	int64_t keys[BLOCK];
	const entry *sorted;
	for (int64_t done = 0; done < n; done += BLOCK) {
		int64_t m = n - done < BLOCK ? n - done : BLOCK;
		ovl_rows_keys(rows, at + done, keys, m);
		for (int64_t i = 0; i < m; i++)
			room[done + i] = (entry){descending ? ~keys[i] : keys[i], done + i};
	}
	sorted = sort(room, room + n, n);
	for (int64_t i = 0; i < n; i++, to += step) {
		ovl_convert(rows->type, rows->data, at + sorted[i].at, values->type, values->data, to, 1, false);
		positions[to] = sorted[i].at;
	}
}

ovl_status ovl_math_sort(const ovl_tensor *t, int64_t dim, bool descending, ovl_tensor **values, ovl_tensor **positions, ovl_error *err)
{
	ovl_tensor *rows = NULL;
	ovl_target sorted = {NULL, NULL}, where = {NULL, NULL};
	int64_t n, inner = 1, count = 0;
	entry *room;
	size_t bytes;
	ovl_status s;
	int d;
	OVL_TRY(ovl_rows_numbers(t, "sort", err));
	OVL_TRY(ovl_axis(dim, t->shape.rank, "sort", &d, err));
	if (*values && *values == *positions)
		return ovl_fail(err, OVL_E_ARGUMENT, "sort: values and positions cannot go into one tensor");
	n = t->shape.dims[d];
	for (int i = d + 1; i < t->shape.rank; i++)
		inner *= t->shape.dims[i];
	if (!ovl_mul_ok((size_t)n, 2 * sizeof *room, &bytes) || !(room = ovl_alloc(bytes ? bytes : 1)))
		return ovl_fail(err, OVL_E_MEMORY, "no memory for sorting %lld elements", (long long)n);
	s = ovl_rows_along(t, d, OVL_DYNAMIC, false, &rows, err);
	if (!s)
		s = ovl_target_open(&sorted, *values, t->type, &t->shape, t, true, "sort", err);
	if (!s)
		s = ovl_target_open(&where, *positions, OVL_I64, &t->shape, t, true, "sort", err);
	if (!s && n)
		count = ovl_tensor_count(rows) / n;
	for (int64_t r = 0; r < count; r++)
		sort_row(rows, r * n, n, descending, room, sorted.t, where.t->data, r / inner * n * inner + r % inner, inner);
	s = ovl_target_close_two(&sorted, values, &where, positions, s, err);
	ovl_free(room);
	ovl_tensor_release(rows);
	return s;
}
