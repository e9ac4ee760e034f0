/* attention_avx512_bf16.c - softmax(Q K^T * scale + mask) V of halves: scores and their exponentials are f32, and halves again before they meet V. Keys and values are
 * packed once for all query rows; a tile of query rows sees all keys at once. */
#include "base/memory.h"
#include "kernels/gemm_bf16.h"
#include "kernels/halves.h"
#include "kernels/vec_bf16.h"
#include "ops/attention.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MR = OVL_GEMM_BF16_MR, MOST_KEYS = 2048 };
enum { IN_QUERY, IN_KEY, IN_VALUE, IN_MASK, IN_SCALE };

/* A matrix for each entry of the output's batch dimensions. */
typedef struct operand {
	int64_t row, col, step[OVL_MAX_RANK];
} operand;

typedef struct attention_state {
	int batch_rank;
	int64_t batch[OVL_MAX_RANK], batches, heads; /* heads: innermost batches, whose tiles of the same rows are worked on one after the other */
	int64_t rows, keys, depth, width;
	operand q, k, v, mask, out;
	bool has_mask, boolean_mask, has_scale, out_half;
	int64_t tiles, k_vecs, v_vecs, k_size, v_size; /* halves of a packed matrix */
	int64_t score_ld, out_ld;
	size_t packed, worker_scratch;
	float scale;
} attention_state;

static bool has_input(const ovl_problem *p, int i) { return i < p->n_op_in && p->in[i].type != OVL_DYNAMIC; }

static bool batches_fit(const ovl_desc *d, const ovl_desc *out)
{
	if (d->rank < 2 || d->rank > out->rank)
		return false;
	for (int i = 0; i < d->rank - 2; i++)
		if (d->dims[i] != 1 && d->dims[i] != out->dims[i + out->rank - d->rank])
			return false;
	return true;
}

static const char *check_mask(const ovl_problem *p)
{
	const ovl_desc *m = &p->in[IN_MASK];
	int64_t strides[OVL_MAX_RANK];
	ovl_desc scores = p->out[0];
	if (m->type != OVL_F32 && m->type != OVL_BOOLEAN)
		return "mask is neither f32 nor boolean";
	scores.dims[scores.rank - 2] = p->in[0].dims[p->in[0].rank - 2];
	scores.dims[scores.rank - 1] = p->in[1].dims[p->in[1].rank - 2];
	return ovl_desc_broadcast_strides(m, &scores, strides) ? NULL : "mask does not broadcast";
}

static bool shapes_fit(const ovl_desc *q, const ovl_desc *k, const ovl_desc *v, const ovl_desc *out)
{
	return out->rank >= 2 && batches_fit(q, out) && batches_fit(k, out) && batches_fit(v, out) && q->dims[q->rank - 1] == k->dims[k->rank - 1] &&
	       k->dims[k->rank - 2] == v->dims[v->rank - 2] && out->dims[out->rank - 2] == q->dims[q->rank - 2] &&
	       out->dims[out->rank - 1] == v->dims[v->rank - 1];
}

static const char *accept(ovl_problem *p)
{
	ovl_plain_problem plain;
	const char *why = ovl_halves_plain(p, &plain);
	const ovl_desc *in = plain.in;
	if (why)
		return why;
	if (p->n_posts || ((const ovl_sdpa_params *)p->params)->causal)
		return "causal, or posts";
	if (p->n_op_in < 3 || in[0].type != OVL_F32 || in[1].type != OVL_F32 || in[2].type != OVL_F32 || p->out[0].type != OVL_F32)
		return "not f32";
	if (!shapes_fit(&in[0], &in[1], &in[2], &p->out[0]) || !ovl_desc_count(&in[0]) || !ovl_desc_count(&in[1]) || !ovl_desc_count(&in[2]))
		return "shapes do not fit together, or nothing in them";
	if (in[1].dims[in[1].rank - 2] > MOST_KEYS)
		return "too many keys";
	if (has_input(p, IN_MASK) && (why = check_mask(&plain.p)))
		return why;
	if (has_input(p, IN_SCALE) && (plain.in[IN_SCALE].type != OVL_F32 || ovl_desc_count(&p->in[IN_SCALE]) != 1))
		return "scale is not one f32";
	for (int i = 0; i < 3; i++) {
		p->in_half[i] = !p->in_data[i];
		p->in_form[i] = in[i].strides[in[i].rank - 1] == 1 ? OVL_FORM_ANY : OVL_FORM_DENSE;
		if (p->in_data[i])
			return "constant queries, keys or values";
	}
	for (int i = 3; i < p->n_in; i++)
		p->in_half[i] = false;
	p->out_form[0] = OVL_FORM_ANY;
	p->out_half = p->halves_read;
	return NULL;
}

/* ---- prepare ---- */

static void set_operand(operand *o, const ovl_desc *d, int out_rank)
{
	*o = (operand){.row = d->rank > 1 ? d->strides[d->rank - 2] : 0, .col = d->rank > 0 ? d->strides[d->rank - 1] : 0};
	for (int i = 0; i < d->rank - 2; i++)
		o->step[i + out_rank - d->rank] = d->dims[i] == 1 ? 0 : d->strides[i];
}

static void set_mask(attention_state *s, const ovl_desc *m, int out_rank)
{
	set_operand(&s->mask, m, out_rank);
	s->boolean_mask = m->type == OVL_BOOLEAN;
	if (m->rank < 1 || m->dims[m->rank - 1] == 1)
		s->mask.col = 0;
	if (m->rank < 2 || m->dims[m->rank - 2] == 1)
		s->mask.row = 0;
}

static void set_sizes(attention_state *s, const ovl_problem *p)
{
	const ovl_desc *q = &p->in[0], *k = &p->in[1], *v = &p->in[2], *out = &p->out[0];
	s->has_scale = has_input(p, IN_SCALE);
	s->has_mask = has_input(p, IN_MASK);
	s->out_half = out->type == OVL_BF16;
	s->batch_rank = out->rank - 2;
	s->batches = 1;
	for (int i = 0; i < s->batch_rank; i++)
		s->batches *= s->batch[i] = out->dims[i];
	s->heads = s->batch_rank ? s->batch[s->batch_rank - 1] : 1;
	s->rows = q->dims[q->rank - 2];
	s->depth = q->dims[q->rank - 1];
	s->keys = k->dims[k->rank - 2];
	s->width = v->dims[v->rank - 1];
	set_operand(&s->q, q, out->rank);
	set_operand(&s->k, k, out->rank);
	set_operand(&s->v, v, out->rank);
	set_operand(&s->out, out, out->rank);
	if (s->has_mask)
		set_mask(s, &p->in[IN_MASK], out->rank);
	s->scale = 1.0f / sqrtf((float)s->depth);
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	attention_state *s = ovl_calloc(1, sizeof *s);
	size_t each;
	bool ok;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for an attention");
	out->state = s;
	set_sizes(s, p);
	s->tiles = ovl_gemm_tiles(s->rows, MR);
	s->k_vecs = (s->keys + VL - 1) / VL;
	s->v_vecs = (s->width + VL - 1) / VL;
	s->k_size = s->k_vecs * VL * ovl_gemm_even(s->depth);
	s->v_size = s->v_vecs * VL * ovl_gemm_even(s->keys);
	s->score_ld = s->k_vecs * VL + VL;
	s->out_ld = s->v_vecs * VL;
	s->worker_scratch = (size_t)ovl_gemm_up(MR * (s->score_ld * 6 + s->out_ld * 4), 64); /* scores, halves of them, sums of V */
	ok = ovl_mul_ok((size_t)s->batches, (size_t)(s->k_size + s->v_size) * sizeof(half), &s->packed) &&
	     ovl_mul_ok(s->worker_scratch, (size_t)(p->threads > 1 ? p->threads : 1), &each) && ovl_add_ok(each, s->packed, &out->scratch);
	if (!ok) {
		ovl_free(s);
		out->state = NULL;
		return ovl_fail(err, OVL_E_MEMORY, "the scratch memory is too large");
	}
	snprintf(out->detail, sizeof out->detail, "%lldx(%lldx%lldx%lld)", (long long)s->batches, (long long)s->rows, (long long)s->keys, (long long)s->depth);
	return OVL_OK;
}

/* ---- run ---- */

typedef struct attention_job {
	const attention_state *s;
	const ovl_call *call;
	float scale;
	half *packed;
	char *workers;
} attention_job;

static int64_t offset_of(const attention_state *s, int64_t batch, const operand *o)
{
	int64_t at = 0;
	for (int j = s->batch_rank - 1; j >= 0; j--) {
		at += batch % s->batch[j] * o->step[j];
		batch /= s->batch[j];
	}
	return at;
}

/* K as [key / 16][depth / 2][16][2]: pairs lie side by side already, so a panel is a transposition of 32-bit values where rows begin at even places. */
static void pack_keys(const attention_state *s, half *to, const half *k)
{
	int64_t pairs = ovl_gemm_even(s->depth) / 2;
	for (int64_t v = 0; v < s->k_vecs; v++, to += pairs * 32) {
		int64_t n = s->keys - v * VL < VL ? s->keys - v * VL : VL;
		const half *from = k + v * VL * s->k.row;
		if (s->k.row % 2 == 0 && s->depth % 2 == 0 && n == VL) {
			ovl_gemm_avx512.turn((float *)(void *)to, VL, (const float *)(const void *)from, s->k.row / 2, VL, pairs);
			continue;
		}
		for (int64_t p = 0; p < pairs; p++)
			for (int64_t i = 0; i < VL; i++)
				for (int64_t j = 0; j < 2; j++)
					to[p * 32 + i * 2 + j] = i < n && 2 * p + j < s->depth ? from[i * s->k.row + 2 * p + j] : 0;
	}
}

/* V as [width / 16][key / 2][16][2]: two rows side by side. */
static void pack_values(const attention_state *s, half *to, const half *v)
{
	static const uint16_t mixed[32] = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
	const __m512i order = _mm512_loadu_si512(mixed);
	for (int64_t c = 0; c < s->width; c += VL) {
		__mmask16 t = v_tail(s->width - c);
		const half *from = v + c;
		for (int64_t i = 0; i < s->keys; i += 2, to += 32, from += 2 * s->v.row) {
			__m256i a = _mm256_maskz_loadu_epi16(t, from);
			__m256i b = i + 1 < s->keys ? _mm256_maskz_loadu_epi16(t, from + s->v.row) : _mm256_setzero_si256();
			_mm512_storeu_si512(to, _mm512_permutexvar_epi16(order, _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1)));
		}
	}
}

static void pack_chunk(void *arg, int64_t chunk, int worker)
{
	const attention_job *job = arg;
	const attention_state *s = job->s;
	int64_t batch = chunk / 2;
	half *to = job->packed + batch * (s->k_size + s->v_size);
	(void)worker;
	if (chunk % 2)
		pack_values(s, to + s->k_size, (const half *)job->call->in[IN_VALUE] + offset_of(s, batch, &s->v));
	else
		pack_keys(s, to, (const half *)job->call->in[IN_KEY] + offset_of(s, batch, &s->k));
}

/* scores * scale + mask, in place. */
static void add_mask(const attention_state *s, const char *mask, int64_t row, float scale, float *scores)
{
	int64_t at = row * s->mask.row;
	for (int64_t i = 0; i < s->keys; i++, at += s->mask.col)
		scores[i] = s->boolean_mask ? (mask[at] ? scores[i] * scale : -INFINITY) : scores[i] * scale + ((const float *)(const void *)mask)[at];
}

/* exp(score * scale - largest) as halves; gives the sum. All masked: zeros. */
static float soften(float *x, half *to, int64_t n, float scale)
{
	V top = v_set(-INFINITY), k = v_set(scale), total = v_zero(), shift;
	for (int64_t i = 0; i < n; i += VL)
		top = v_max(top, v_keep_t(v_mul(v_load_t(x + i, v_tail(n - i)), k), v_set(-INFINITY), v_tail(n - i)));
	if (v_top(top) == -INFINITY) {
		memset(to, 0, (size_t)n * sizeof *to);
		return 0;
	}
	shift = v_set(v_top(top));
	for (int64_t i = 0; i < n; i += VL) {
		VT t = v_tail(n - i);
		V e = v_keep_t(vh_exp(v_fms(v_load_t(x + i, t), k, shift)), v_zero(), t);
		vh_store_t(to + i, e, t);
		total = v_add(total, e);
	}
	return v_sum(total);
}

static void write_row(const attention_state *s, const float *from, void *to, int64_t at, float factor)
{
	V f = v_set(factor);
	for (int64_t i = 0; i < s->width; i += VL) {
		V x = v_mul(v_load(from + i), f);
		if (s->out_half)
			vh_store_t((half *)to + at + i, x, v_tail(s->width - i));
		else
			v_store_t((float *)to + at + i, x, v_tail(s->width - i));
	}
}

static void tile_chunk(void *arg, int64_t chunk, int worker)
{
	const attention_job *job = arg;
	const attention_state *s = job->s;
	int64_t outer = chunk / (s->tiles * s->heads), head = chunk % s->heads, tile = chunk / s->heads % s->tiles, batch = outer * s->heads + head;
	int64_t first = ovl_gemm_tile_at(s->rows, s->tiles, tile), rows = ovl_gemm_tile_at(s->rows, s->tiles, tile + 1) - first, at = offset_of(s, batch, &s->out);
	const half *k = job->packed + batch * (s->k_size + s->v_size), *q = (const half *)job->call->in[IN_QUERY] + offset_of(s, batch, &s->q) + first * s->q.row;
	const char *mask = s->has_mask ? (const char *)job->call->in[IN_MASK] + offset_of(s, batch, &s->mask) * (s->boolean_mask ? 1 : 4) : NULL;
	float *scores = (void *)(job->workers + (size_t)worker * s->worker_scratch), *sums = scores + MR * s->score_ld, total[MR];
	half *soft = (void *)(sums + MR * s->out_ld);
	ovl_gemm_bf16 g = {.k = s->depth, .n = s->keys, .ldc = s->score_ld, .b = k, .b_vec = ovl_gemm_even(s->depth) * VL};
	if (job->call->cancel && __atomic_load_n(job->call->cancel, __ATOMIC_RELAXED))
		return;
	ovl_gemm_bf16_run(&g, rows, q, s->q.row, scores, NULL, 0, 0, s->k_vecs);
	for (int64_t r = 0; r < rows; r++) {
		if (mask)
			add_mask(s, mask, first + r, job->scale, scores + r * s->score_ld);
		total[r] = soften(scores + r * s->score_ld, soft + r * s->score_ld, s->keys, mask ? 1.0f : job->scale);
	}
	g = (ovl_gemm_bf16){.k = s->keys, .n = s->out_ld, .ldc = s->out_ld, .b = k + s->k_size, .b_vec = ovl_gemm_even(s->keys) * VL};
	ovl_gemm_bf16_run(&g, rows, soft, s->score_ld, sums, NULL, 0, 0, s->v_vecs);
	for (int64_t r = 0; r < rows; r++)
		write_row(s, sums + r * s->out_ld, job->call->out[0], at + (first + r) * s->out.row, total[r] == 0 ? 0 : 1.0f / total[r]);
}

static ovl_status run(const ovl_call *call)
{
	const attention_state *s = call->state;
	attention_job job = {s, call, s->scale, call->scratch, (char *)call->scratch + s->packed};
	if (s->has_scale)
		job.scale = *(const float *)call->in[IN_SCALE];
	ovl_pool_run(call->pool, 2 * s->batches, pack_chunk, &job);
	ovl_pool_run(call->pool, s->batches * s->tiles, tile_chunk, &job);
	if (call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	return OVL_OK;
}

static const ovl_kernel attention = {.name = "attention_avx512_bf16",
	.ops = "ScaledDotProductAttention",
	.isa = OVL_ISA_AVX512_BF16,
	.rank = 10,
	.halves = true,
	.accept = accept,
	.prepare = prepare,
	.run = run};
const ovl_kernel *const ovl_kernels_attention_avx512_bf16[] = {&attention, NULL};
