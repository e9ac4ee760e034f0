/* runs.c - connected parts: rows are cut into runs, and runs that touch (diagonals count) those of the row above are joined. */
#include "image/runs.h"
#include "base/memory.h"

typedef struct finder {
	ovl_run *list; /* part: an earlier run of the same part, or itself */
	size_t n, cap;
} finder;

static int32_t root_of(ovl_run *list, int32_t i)
{
	while (list[i].part != i) {
		list[i].part = list[list[i].part].part;
		i = list[i].part;
	}
	return i;
}

/* The earlier root stays one, so that parts keep the order of their first pixels. */
static void join(ovl_run *list, int32_t a, int32_t b)
{
	a = root_of(list, a);
	b = root_of(list, b);
	if (a < b)
		list[b].part = a;
	else
		list[a].part = b;
}

/* The mask of row y, w + 1 bytes of which the last is 0. */
static void mask_row(const float *row, const float *above, int64_t w, float threshold, bool dilate, uint8_t *mask)
{
	for (int64_t x = 0; x < w; x++)
		mask[x] = row[x] > threshold;
	for (int64_t x = 0; dilate && above && x < w; x++)
		mask[x] |= above[x] > threshold;
	for (int64_t x = w - 1; dilate && x > 0; x--)
		mask[x] |= mask[x - 1];
	mask[w] = 0;
}

/* Cuts a row into runs and joins them with those of the row above, list[above] to list[here]. */
static bool cut_row(finder *f, const uint8_t *mask, int64_t w, int32_t y, size_t above)
{
	size_t here = f->n;
	for (int64_t x = 0; x < w; x++) {
		int64_t from = x;
		if (!mask[x])
			continue;
		while (mask[x])
			x++;
		if (!ovl_grow(&f->list, &f->cap, f->n + 1, sizeof *f->list))
			return false;
		f->list[f->n] = (ovl_run){y, (int32_t)from, (int32_t)x, (int32_t)f->n};
		f->n++;
		while (above < here && f->list[above].to < from)
			above++;
		for (size_t k = above; k < here && f->list[k].from <= x; k++)
			join(f->list, (int32_t)k, (int32_t)f->n - 1);
	}
	return true;
}

/* Numbers the parts and sorts the runs by them. */
static bool group(finder *f, ovl_runs *out)
{
	int32_t *number = ovl_alloc((f->n + 1) * sizeof *number), *start = ovl_calloc(f->n + 2, sizeof *start);
	ovl_run *sorted = ovl_alloc((f->n + 1) * sizeof *sorted);
	if (!number || !start || !sorted) {
		ovl_free(number), ovl_free(start), ovl_free(sorted);
		return false;
	}
	out->parts = 0;
	for (size_t i = 0; i < f->n; i++) { /* a root is the first run of its part */
		int32_t root = root_of(f->list, (int32_t)i);
		number[i] = root == (int32_t)i ? out->parts++ : number[root];
	}
	for (size_t i = 0; i < f->n; i++) /* start[k + 1]: how many come before part k */
		if (number[i] + 2 < out->parts + 1)
			start[number[i] + 2]++;
	for (int32_t k = 2; k <= out->parts; k++)
		start[k] += start[k - 1];
	for (size_t i = 0; i < f->n; i++) {
		ovl_run *to = sorted + start[number[i] + 1]++;
		*to = f->list[i];
		to->part = number[i];
	}
	ovl_free(number);
	out->list = sorted;
	out->start = start;
	return true;
}

ovl_status ovl_runs_find(const float *map, int64_t h, int64_t w, float threshold, bool dilate, ovl_runs *out, ovl_error *err)
{
	finder f = {NULL, 0, 0};
	uint8_t *mask;
	size_t above = 0;
	bool ok = true;
	*out = (ovl_runs){NULL, NULL, 0};
	if (w > INT32_MAX / 2 || h > INT32_MAX / 2 || (h > 0 && w > INT32_MAX / h)) /* runs are counted in 32 bits */
		return ovl_fail(err, OVL_E_SHAPE, "a map of %lldx%lld is too large", (long long)h, (long long)w);
	mask = ovl_alloc((size_t)w + 1);
	for (int64_t y = 0; ok && mask && y < h; y++) {
		size_t here = f.n;
		mask_row(map + y * w, y ? map + (y - 1) * w : NULL, w, threshold, dilate, mask);
		ok = cut_row(&f, mask, w, (int32_t)y, above);
		above = here;
	}
	ok = ok && mask && group(&f, out);
	ovl_free(mask);
	ovl_free(f.list);
	return ok ? OVL_OK : ovl_fail(err, OVL_E_MEMORY, "no memory for the parts of a map");
}

void ovl_runs_free(ovl_runs *r)
{
	ovl_free(r->list);
	ovl_free(r->start);
}

ovl_status ovl_runs_map(const ovl_tensor *map, const char *what, ovl_tensor **dense, ovl_error *err)
{
	char text[256];
	if (map->shape.rank != 2)
		return ovl_fail(err, OVL_E_SHAPE, "%s: a map must be {height, width}, got %s", what, ovl_shape_text(&map->shape, text, sizeof text));
	if (ovl_type_owns(map->type) || map->type == OVL_DYNAMIC)
		return ovl_fail(err, OVL_E_TYPE, "%s: a map holds numbers, got one of type %s", what, ovl_type_name(map->type));
	return map->type == OVL_F32 ? ovl_tensor_densify(map, dense, err) : ovl_tensor_astype(map, OVL_F32, dense, err);
}
