/* tfidf_vectorizer.c - TfIdfVectorizer: how often each n-gram of a pool is in a row, counted, noticed, or weighted.
 *
 * Inputs: the data, the pool (all n-grams behind one another, the short ones first), where the n-grams of each length begin in the pool, the output position of
 * each n-gram, and its weight (empty: 1). */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "ops/support_work.h"

typedef struct vectorizer_params {
	int mode;
	int64_t min_gram_length, max_gram_length, max_skip_count;
} vectorizer_params;

enum { TF, IDF, TFIDF };

static ovl_status infer(ovl_infer *in)
{
	const ovl_tensor *to = in->in_value[3];
	ovl_pshape out = in->in_shape[0];
	ovl_dim size = OVL_DIM_ANY;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK(OVL_STRING) | OVL_MASK_INDEX));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK(OVL_STRING) | OVL_MASK(OVL_I64)));
	OVL_TRY(ovl_infer_rank(in, 0, 1, 2));
	if (in->in_type[0] != OVL_DYNAMIC && in->in_type[1] != OVL_DYNAMIC && (in->in_type[0] == OVL_STRING) != (in->in_type[1] == OVL_STRING))
		return ovl_infer_fail(in, OVL_E_TYPE, "the data is %s, the pool is %s", ovl_type_name(in->in_type[0]), ovl_type_name(in->in_type[1]));
	if (to) {
		int64_t n = ovl_tensor_count(to), most = -1;
		for (int64_t i = 0; i < n; i++)
			most = ovl_tensor_i64_at(to, i) > most ? ovl_tensor_i64_at(to, i) : most;
		if (most >= INT32_MAX)
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "an n-gram's output position is %lld, which is too large", (long long)most);
		size = ovl_dim_of(most + 1);
	}
	if (out.ranked)
		out.dims[out.rank - 1] = size;
	ovl_infer_out(in, 0, OVL_F32, &out);
	return OVL_OK;
}

/* ---- the pool as a hash table ---- */

typedef struct table {
	const ovl_tensor *data, *pool;
	const int64_t *to;
	int64_t grams; /* n-grams in all */
	int64_t *first, *length; /* of each n-gram in the pool */
	int64_t *slots; /* numbers of n-grams, -1: free */
	uint64_t mask;
} table;

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9E3779B97F4A7C15u;
	return h ^ h >> 29;
}

static uint64_t hash_of(uint64_t h, const ovl_tensor *t, int64_t i)
{
	const ovl_string *s;
	if (t->type != OVL_STRING)
		return mix(h, (uint64_t)ovl_tensor_i64_at(t, i));
	s = (const ovl_string *)t->data + i;
	for (size_t k = 0; k < s->size; k++)
		h = mix(h, (unsigned char)s->data[k]);
	return mix(h, s->size);
}

static bool equal(const ovl_tensor *a, int64_t i, const ovl_tensor *b, int64_t k)
{
	const ovl_string *s, *t;
	if (a->type != OVL_STRING)
		return ovl_tensor_i64_at(a, i) == ovl_tensor_i64_at(b, k);
	s = (const ovl_string *)a->data + i, t = (const ovl_string *)b->data + k;
	return s->size == t->size && (!s->size || memcmp(s->data, t->data, s->size) == 0);
}

/* The n-gram of `n` elements of t, `step` apart from `at` on: its slot in the table, or the free one where it would be. */
static int64_t *find(const table *h, const ovl_tensor *t, int64_t at, int64_t step, int64_t n)
{
	uint64_t key = (uint64_t)n;
	for (int64_t i = 0; i < n; i++)
		key = hash_of(key, t, at + i * step);
	for (uint64_t s = key & h->mask;; s = (s + 1) & h->mask) {
		int64_t g = h->slots[s], i = 0;
		if (g < 0)
			return &h->slots[s];
		for (; h->length[g] == n && i < n && equal(t, at + i * step, h->pool, h->first[g] + i); i++)
			;
		if (i == n)
			return &h->slots[s];
	}
}

/* Cuts the pool: lengths 1, 2, ... begin at starts[0], starts[1], ... */
static ovl_status cut_pool(ovl_work *w, table *h, const int64_t *starts, int64_t n_starts)
{
	int64_t size = ovl_tensor_count(h->pool), most = ovl_tensor_count(w->run->in[3]);
	OVL_TRY(ovl_work_take(w, most + 1, sizeof *h->first, &h->first));
	OVL_TRY(ovl_work_take(w, most + 1, sizeof *h->length, &h->length));
	for (int64_t k = 0; k < n_starts; k++) {
		int64_t first = starts[k], last = k + 1 < n_starts ? starts[k + 1] : size, n = k + 1;
		if (first < 0 || last < first || last > size || (last - first) % n)
			return ovl_work_fail(w, OVL_E_ARGUMENT, "n-grams of %lld would lie from %lld to %lld in a pool of %lld", (long long)n, (long long)first, (long long)last,
				(long long)size);
		for (int64_t at = first; at < last; at += n) {
			if (h->grams >= most)
				return ovl_work_fail(w, OVL_E_ARGUMENT, "the pool has more n-grams than the %lld output positions", (long long)most);
			h->first[h->grams] = at;
			h->length[h->grams++] = n;
		}
	}
	return OVL_OK;
}

static ovl_status open_table(ovl_work *w, table *h)
{
	const int64_t *starts;
	int64_t slots = 16;
	OVL_TRY(ovl_work_i64(w, 2, &starts));
	OVL_TRY(ovl_work_i64(w, 3, &h->to));
	OVL_TRY(cut_pool(w, h, starts, ovl_tensor_count(w->run->in[2])));
	while (slots < h->grams * 2)
		slots *= 2;
	OVL_TRY(ovl_work_take(w, slots, sizeof *h->slots, &h->slots));
	memset(h->slots, 0xff, (size_t)slots * sizeof *h->slots);
	h->mask = (uint64_t)slots - 1;
	for (int64_t g = 0; g < h->grams; g++)
		*find(h, h->pool, h->first[g], 1, h->length[g]) = g; /* of equal ones, the last counts */
	return OVL_OK;
}

/* ---- run ---- */

static ovl_status count_row(ovl_work *w, const table *h, int64_t row, int64_t length, float *out, int64_t size, const float *weights)
{
	const vectorizer_params *p = w->params;
	for (int64_t n = p->min_gram_length; n <= p->max_gram_length; n++)
		for (int64_t step = 1; step <= p->max_skip_count + 1 && (n > 1 || step == 1); step++) {
			OVL_RUN_CHECK_CANCEL(w->run);
			if (n > 1 && step > (length - 1) / (n - 1))
				break;
			for (int64_t at = 0; at + (n - 1) * step < length; at++) {
				int64_t g = *find(h, h->data, row + at, step, n);
				if (g < 0)
					continue;
				if (h->to[g] < 0 || h->to[g] >= size)
					return ovl_work_fail(w, OVL_E_ARGUMENT, "output position %lld is outside of %lld", (long long)h->to[g], (long long)size);
				if (p->mode == IDF)
					out[h->to[g]] = weights ? weights[g] : 1;
				else
					out[h->to[g]] += p->mode == TFIDF && weights ? weights[g] : 1;
			}
		}
	return OVL_OK;
}

static ovl_status vectorize(ovl_work *w)
{
	const vectorizer_params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	table h = {.data = w->run->in[0], .pool = w->run->in[1]};
	int64_t length, rows, size;
	const float *weights = NULL;
	float *y;
	if (p->min_gram_length < 1 || p->max_gram_length < p->min_gram_length || p->max_skip_count < 0)
		return ovl_work_fail(w, OVL_E_ARGUMENT, "n-grams of %lld to %lld with %lld skips cannot be", (long long)p->min_gram_length, (long long)p->max_gram_length,
			(long long)p->max_skip_count);
	if (s->rank < 1 || s->rank > 2)
		return ovl_work_fail(w, OVL_E_SHAPE, "the data must have one or two dimensions");
	OVL_TRY(open_table(w, &h));
	if (ovl_tensor_count(w->run->in[4])) {
		if (ovl_tensor_count(w->run->in[4]) < h.grams)
			return ovl_work_fail(w, OVL_E_ARGUMENT, "there are %lld weights for %lld n-grams", (long long)ovl_tensor_count(w->run->in[4]), (long long)h.grams);
		OVL_TRY(ovl_work_f32(w, 4, &weights));
	}
	OVL_TRY(ovl_work_out(w, 0, OVL_F32, &y));
	length = s->dims[s->rank - 1];
	rows = s->rank == 2 ? s->dims[0] : 1;
	size = w->run->out[0]->shape.dims[s->rank - 1];
	memset(y, 0, ovl_tensor_bytes(w->run->out[0]));
	for (int64_t r = 0; r < rows; r++)
		OVL_TRY(count_row(w, &h, r * length, length, y + r * size, size, weights));
	return OVL_OK;
}

static ovl_status vectorizer_run(ovl_run *run) { return ovl_work_run(run, vectorize); }

static const ovl_attr attrs[] = {OVL_ATTR_ENUM(vectorizer_params, mode, "TF", "TF IDF TFIDF"), OVL_ATTR_INT(vectorizer_params, min_gram_length, "1"),
	OVL_ATTR_INT(vectorizer_params, max_gram_length, "1"), OVL_ATTR_INT(vectorizer_params, max_skip_count, "0"), OVL_ATTR_END};

static const ovl_op vectorizer = {.name = "TfIdfVectorizer", .since = 1, .min_inputs = 5, .max_inputs = 5, .outputs = 1,
	.inputs = "data pool ngram_counts ngram_indexes weights", .flags = OVL_OP_INTERNAL, .params_size = sizeof(vectorizer_params), .attrs = attrs, .infer = infer,
	.run = vectorizer_run};

const ovl_op *const ovl_ops_tfidf_vectorizer[] = {&vectorizer, NULL};
