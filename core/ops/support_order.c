#include "ops/support_order.h"
#include "base/memory.h"
#include "tensor/convert.h"

static uint64_t key_of_double(double v)
{
	uint64_t u;
	if (v != v)
		return UINT64_MAX;
	v = v == 0 ? 0 : v; /* -0 is 0 */
	memcpy(&u, &v, 8);
	return u >> 63 ? ~u : u | (uint64_t)1 << 63;
}

ovl_status ovl_order_keys(ovl_run *run, const ovl_tensor *t, uint64_t **keys)
{
	enum { BLOCK = 512 };
	int64_t count = ovl_tensor_count(t);
	size_t bytes;
	bool real = ovl_type_is_float(t->type);
	*keys = NULL;
	if (t->type == OVL_STRING)
		return ovl_fail(run->err, OVL_E_TYPE, "%s: strings have no order here", run->op->name);
	if (!ovl_mul_ok((size_t)count + 1, sizeof **keys, &bytes) || !(*keys = (uint64_t *)ovl_alloc(bytes)))
		return ovl_fail(run->err, OVL_E_MEMORY, "%s: out of memory", run->op->name);
	if (!real) {
		ovl_convert(t->type, t->data, 0, t->type == OVL_U64 ? OVL_U64 : OVL_I64, *keys, 0, count, true);
		for (int64_t i = 0; i < count && t->type != OVL_U64; i++)
			(*keys)[i] ^= (uint64_t)1 << 63;
		return OVL_OK;
	}
	for (int64_t i = 0; i < count; i += BLOCK) {
		double b[BLOCK];
		int64_t n = count - i < BLOCK ? count - i : BLOCK;
		ovl_convert(t->type, t->data, i, OVL_F64, b, 0, n, true);
		for (int64_t j = 0; j < n; j++)
			(*keys)[i + j] = key_of_double(b[j]);
	}
	return OVL_OK;
}

typedef struct heap {
	const uint64_t *key;
	int64_t step, *at;
} heap;

/* Does a come behind b? */
static bool behind(const heap *h, int64_t a, int64_t b)
{
	uint64_t x = h->key[a * h->step], y = h->key[b * h->step];
	return x != y ? x < y : a > b;
}

/* The root is the last of all: lets what stands at i sink to its place among n. */
static void sink(const heap *h, int64_t i, int64_t n)
{
	int64_t v = h->at[i];
	for (;;) {
		int64_t child = 2 * i + 1;
		if (child >= n)
			break;
		if (child + 1 < n && behind(h, h->at[child + 1], h->at[child]))
			child++;
		if (!behind(h, h->at[child], v))
			break;
		h->at[i] = h->at[child];
		i = child;
	}
	h->at[i] = v;
}

void ovl_order_largest(const uint64_t *key, int64_t step, int64_t n, int64_t k, int64_t *positions)
{
	heap h = {key, step, positions};
	if (k <= 0)
		return;
	for (int64_t i = 0; i < k; i++)
		positions[i] = i;
	for (int64_t i = k / 2 - 1; i >= 0; i--)
		sink(&h, i, k);
	for (int64_t i = k; i < n; i++)
		if (behind(&h, positions[0], i)) {
			positions[0] = i;
			sink(&h, 0, k);
		}
	for (int64_t i = k - 1; i > 0; i--) {
		int64_t last = positions[0];
		positions[0] = positions[i];
		sink(&h, 0, i);
		positions[i] = last;
	}
}

void ovl_order_sort(int64_t *list, int64_t *scratch, int64_t n, bool (*before)(int64_t a, int64_t b, const void *user), const void *user)
{
	for (int64_t width = 1; width < n; width *= 2) {
		for (int64_t from = 0; from < n; from += 2 * width) {
			int64_t middle = from + width < n ? from + width : n, end = middle + width < n ? middle + width : n;
			for (int64_t a = from, b = middle, to = from; to < end; to++)
				scratch[to] = a < middle && (b >= end || !before(list[b], list[a], user)) ? list[a++] : list[b++];
		}
		memcpy(list, scratch, (size_t)n * sizeof *list);
	}
}
