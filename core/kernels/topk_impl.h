/* topk_impl.h - TopK of f32 along the last dimension. Included after the vector layer.
 *
 * The best k so far are a heap with the worst at the root, kept in the outputs themselves; VL values at a time are compared with the root, and nearly always none of
 * them gets in. Smallest ones are found as largest of the negated. Of equal values the first ones win. */
#include "base/memory.h"
#include "ops/topk.h"
#include "kernels/loops.h"

typedef struct state {
	bool smallest, by_index;
	ovl_type index_type;
	int64_t n, k, rows;
	ovl_loops loops; /* rows: values, indices, data */
} state;

static bool last_dimension(const ovl_problem *p)
{
	int64_t axis = ((const ovl_topk_params *)p->params)->axis;
	return p->in[0].rank > 0 && (axis == -1 || axis == p->in[0].rank - 1);
}

static const char *accept(ovl_problem *p)
{
	if (p->n_posts || p->n_out != 2)
		return "posts";
	if (p->in[0].type != OVL_F32 || p->out[0].type != OVL_F32 || (p->out[1].type != OVL_I32 && p->out[1].type != OVL_I64))
		return "not f32";
	if (!last_dimension(p) || p->out[0].rank != p->in[0].rank)
		return "axis is not the last";
	if (p->out[0].dims[p->in[0].rank - 1] > p->in[0].dims[p->in[0].rank - 1])
		return "k is larger than the dimension";
	if (p->in[0].dims[p->in[0].rank - 1] > INT32_MAX)
		return "dimension too large";
	for (int i = 1; i < p->n_in; i++)
		p->in_form[i] = OVL_FORM_ANY; /* k is known from the shape */
	return NULL;
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	const ovl_desc *d = &p->in[0], *v = &p->out[0], *x = &p->out[1];
	const int64_t *strides[] = {v->strides, x->strides, d->strides};
	int last = d->rank - 1;
	state *s;
	if ((d->dims[last] != 1 && d->strides[last] != 1) || (v->dims[last] != 1 && (v->strides[last] != 1 || x->strides[last] != 1)))
		return ovl_fail(err, OVL_E_INTERNAL, "TopK was prepared with strides it did not accept");
	s = ovl_calloc(1, sizeof *s);
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a TopK");
	out->state = s;
	s->smallest = ((const ovl_topk_params *)p->params)->mode == OVL_TOPK_MIN;
	s->by_index = ((const ovl_topk_params *)p->params)->sort == OVL_TOPK_BY_INDEX;
	s->index_type = x->type;
	s->n = d->dims[last];
	s->k = v->dims[last];
	if (!ovl_desc_count(v))
		return OVL_OK;
	ovl_loops_make(&s->loops, last, v->dims, 3, strides);
	s->rows = ovl_loops_count(&s->loops, s->loops.rank);
	return OVL_OK;
}

/* Does (a, i) come behind (b, j)? */
static inline bool behind(float a, int64_t i, float b, int64_t j) { return a != b ? a < b : i > j; }

#define TOPK(T, NAME)                                                                                        \
	static void sink_##NAME(float *v, T *x, int64_t n, float a, T i)                                     \
	{                                                                                                    \
		int64_t at = 0;                                                                              \
		for (int64_t next = 1; next < n; next = 2 * at + 1) {                                        \
			if (next + 1 < n && behind(v[next + 1], x[next + 1], v[next], x[next]))              \
				next++;                                                                      \
			if (!behind(v[next], x[next], a, i))                                                 \
				break;                                                                       \
			v[at] = v[next];                                                                     \
			x[at] = x[next];                                                                     \
			at = next;                                                                           \
		}                                                                                            \
		v[at] = a;                                                                                   \
		x[at] = i;                                                                                   \
	}                                                                                                    \
	static void rise_##NAME(float *v, T *x, int64_t at)                                                  \
	{                                                                                                    \
		float a = v[at];                                                                             \
		T i = x[at];                                                                                 \
		for (; at > 0 && behind(a, i, v[(at - 1) / 2], x[(at - 1) / 2]); at = (at - 1) / 2) {        \
			v[at] = v[(at - 1) / 2];                                                             \
			x[at] = x[(at - 1) / 2];                                                             \
		}                                                                                            \
		v[at] = a;                                                                                   \
		x[at] = i;                                                                                   \
	}                                                                                                    \
	static void sort_by_index_##NAME(float *v, T *x, int64_t k)                                         \
	{                                                                                                    \
		for (int64_t n = k; n-- > 1;) {                                                              \
			int64_t top = 0;                                                                     \
			float a;                                                                             \
			T i;                                                                                 \
			for (int64_t j = 1; j <= n; j++)                                                     \
				top = x[j] > x[top] ? j : top;                                               \
			a = v[n], i = x[n];                                                                  \
			v[n] = v[top], x[n] = x[top];                                                        \
			v[top] = a, x[top] = i;                                                              \
		}                                                                                            \
	}                                                                                                    \
	static void topk_##NAME(const state *s, const float *data, float *v, T *x)                           \
	{                                                                                                    \
		V sign = v_set(s->smallest ? -0.0f : 0.0f);                                                  \
		float flip = s->smallest ? -1.0f : 1.0f;                                                     \
		int64_t k = s->k;                                                                            \
		for (int64_t i = 0; i < k; i++) {                                                            \
			v[i] = flip * data[i];                                                               \
			x[i] = (T)i;                                                                         \
			rise_##NAME(v, x, i);                                                                \
		}                                                                                            \
		for (int64_t i = k; i < s->n; i += VL) {                                                     \
			VT t = v_tail(s->n - i);                                                             \
			V a = v_keep_t(v_xor(v_load_t(data + i, t), sign), v_set(-__builtin_inff()), t);     \
			for (unsigned m = v_lanes(v_gt(a, v_set(v[0]))); m; m &= m - 1) {                    \
				int64_t at = i + __builtin_ctz(m);                                           \
				if (flip * data[at] > v[0])                                                  \
					sink_##NAME(v, x, k, flip * data[at], (T)at);                        \
			}                                                                                    \
		}                                                                                            \
		for (int64_t n = k; n-- > 1;) { /* the worst goes to the end */                              \
			float a = v[n];                                                                      \
			T i = x[n];                                                                          \
			v[n] = v[0], x[n] = x[0];                                                            \
			sink_##NAME(v, x, n, a, i);                                                          \
		}                                                                                            \
		if (s->by_index)                                                                             \
			sort_by_index_##NAME(v, x, k);                                                       \
		for (int64_t i = 0; i < k; i++)                                                              \
			v[i] = data[x[i]];                                                                   \
	}
TOPK(int32_t, i32)
TOPK(int64_t, i64)

typedef struct job {
	const state *s;
	const ovl_call *call;
	int64_t chunk;
} job;

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	const state *s = j->s;
	int64_t last = (chunk + 1) * j->chunk, at[OVL_LOOPS_MAX];
	(void)worker;
	for (int64_t r = chunk * j->chunk; r < last && r < s->rows; r++) {
		ovl_loops_at(&s->loops, s->loops.rank, r, at);
		if (s->index_type == OVL_I32)
			topk_i32(s, (const float *)j->call->in[0] + at[2], (float *)j->call->out[0] + at[0], (int32_t *)j->call->out[1] + at[1]);
		else
			topk_i64(s, (const float *)j->call->in[0] + at[2], (float *)j->call->out[0] + at[0], (int64_t *)j->call->out[1] + at[1]);
	}
}

static ovl_status run(const ovl_call *call)
{
	const state *s = call->state;
	job j = {s, call, ovl_pool_chunk(call->pool, s->rows, 1 + 8192 / (s->n + 8 * s->k + 1))};
	if (s->rows)
		ovl_pool_run(call->pool, (s->rows + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel topk = {.name = V_TEXT("topk"), .ops = "TopK", .isa = V_ISA, .accept = accept, .prepare = prepare, .run = run};
