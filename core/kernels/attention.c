/* attention.c - ScaledDotProductAttention for tiles of query rows. Keys are turned around once and shared by all threads; then each tile of rows
 * goes over the keys in blocks that fit L1: scores, exponentials, and what they give of V, rescaled when a later block has a larger maximum. The
 * division by the sum comes last. */
#include "kernels/attention.h"
#include "base/memory.h"
#include "ops/attention.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KEYS = 512, FEW_ROWS = 4 };
enum { IN_QUERY, IN_KEY, IN_VALUE, IN_MASK, IN_SCALE };

/* A matrix for each entry of the output's batch dimensions. */
typedef struct operand {
	int64_t row, col;                                                        /* strides */
	int64_t step[OVL_MAX_RANK];                                              /* of the output's batch dimensions; 0 where it is repeated */
	int64_t index[OVL_MAX_RANK];                                             /* the same, in matrices: which one it is */
	int64_t own_rank, own_dims[OVL_MAX_RANK], own_step[OVL_MAX_RANK], count; /* its own batch dimensions */
} operand;

typedef struct attention_state {
	const ovl_attention_isa *isa;
	bool causal, has_mask, boolean_mask, has_scale;
	int batch_rank;
	int64_t batch[OVL_MAX_RANK], batches;
	int64_t rows, keys, depth, width; /* of Q, K, both, V */
	operand q, k, v, mask, out;
	bool few; /* rows: keys are read where they are */
	bool pack_v;
	int64_t k_size, v_size;         /* floats of a packed matrix */
	int64_t key_vecs, tiles, block; /* block: keys that are worked on together */
	int64_t k_chunks, v_chunks;     /* per matrix */
	float scale;
	ovl_posts posts;
	int64_t q_room, score_ld, out_ld, worker_floats;
} attention_state;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

static bool has_input(const ovl_problem *p, int i) { return i < p->n_op_in && p->in[i].type != OVL_DYNAMIC; }

/* d[:-2] broadcasts to out[:-2]. */
static bool batches_fit(const ovl_desc *d, const ovl_desc *out)
{
	if (d->rank > out->rank)
		return false;
	for (int i = 0; i < d->rank - 2; i++) {
		int64_t size = out->dims[i + out->rank - d->rank];
		if (d->dims[i] != 1 && d->dims[i] != size)
			return false;
	}
	return true;
}

static const char *check_mask(ovl_problem *p)
{
	const ovl_desc *m = &p->in[IN_MASK], *q = &p->in[IN_QUERY], *k = &p->in[IN_KEY], *out = &p->out[0];
	int64_t strides[OVL_MAX_RANK];
	ovl_desc scores = *out;
	if (m->type != OVL_F32 && m->type != OVL_BOOLEAN)
		return "mask is neither f32 nor boolean";
	scores.dims[out->rank - 2] = q->dims[q->rank - 2];
	scores.dims[out->rank - 1] = k->dims[k->rank - 2];
	if (!ovl_desc_broadcast_strides(m, &scores, strides))
		return "mask does not broadcast";
	p->in_form[IN_MASK] = OVL_FORM_DENSE;
	return NULL;
}

const char *ovl_attention_accept(ovl_problem *p)
{
	const ovl_desc *q = &p->in[0], *k = &p->in[1], *v = &p->in[2], *out = &p->out[0];
	const char *why;
	if (p->n_op_in < 3 || q->type != OVL_F32 || k->type != OVL_F32 || v->type != OVL_F32 || out->type != OVL_F32)
		return "not f32";
	if (q->rank < 2 || k->rank < 2 || v->rank < 2 || out->rank < 2)
		return "not matrices";
	if (q->dims[q->rank - 1] != k->dims[k->rank - 1] || k->dims[k->rank - 2] != v->dims[v->rank - 2] ||
		out->dims[out->rank - 2] != q->dims[q->rank - 2] || out->dims[out->rank - 1] != v->dims[v->rank - 1] || !batches_fit(q, out) ||
		!batches_fit(k, out) || !batches_fit(v, out))
		return "shapes do not fit together";
	if (!ovl_desc_count(q) || !ovl_desc_count(k) || !ovl_desc_count(v) || !ovl_desc_count(out))
		return "empty";
	if (has_input(p, IN_MASK) && (why = check_mask(p)))
		return why;
	if (has_input(p, IN_SCALE) && (p->in[IN_SCALE].type != OVL_F32 || ovl_desc_count(&p->in[IN_SCALE]) != 1))
		return "scale is not one f32";
	p->in_form[0] = p->in_form[1] = p->in_form[2] = p->out_form[0] = OVL_FORM_ANY;
	p->out_rows_free = true;
	return ovl_posts_accept(p, out->rank - 1, OVL_FORM_DENSE);
}

/* ---- prepare ---- */

static void set_operand(operand *o, const ovl_desc *d, int out_rank)
{
	int64_t step = 1;
	*o = (operand){.row = d->rank > 1 ? d->strides[d->rank - 2] : 0, .col = d->rank > 0 ? d->strides[d->rank - 1] : 0, .count = 1};
	for (int i = d->rank - 3; i >= 0; i--) {
		int to = i + out_rank - d->rank;
		if (d->dims[i] != 1) {
			o->step[to] = d->strides[i];
			o->index[to] = step;
		}
		step *= d->dims[i];
	}
	for (int i = 0; i < d->rank - 2; i++) {
		o->own_dims[i] = d->dims[i];
		o->own_step[i] = d->strides[i];
	}
	o->own_rank = d->rank > 2 ? d->rank - 2 : 0;
	o->count = step;
}

static void set_mask(attention_state *s, const ovl_problem *p, int out_rank)
{
	const ovl_desc *m = &p->in[IN_MASK];
	int r = m->rank;
	set_operand(&s->mask, m, out_rank);
	s->boolean_mask = m->type == OVL_BOOLEAN;
	if (r < 1 || m->dims[r - 1] == 1)
		s->mask.col = 0;
	if (r < 2 || m->dims[r - 2] == 1)
		s->mask.row = 0;
}

static void set_sizes(attention_state *s, const ovl_problem *p)
{
	const ovl_sdpa_params *params = p->params;
	const ovl_desc *q = &p->in[0], *k = &p->in[1], *v = &p->in[2], *out = &p->out[0];
	s->causal = params->causal;
	s->has_scale = has_input(p, IN_SCALE);
	s->has_mask = has_input(p, IN_MASK) && !s->causal;
	s->batch_rank = out->rank - 2;
	s->batches = 1;
	for (int i = 0; i < s->batch_rank; i++)
		s->batches *= s->batch[i] = out->dims[i];
	s->rows = q->dims[q->rank - 2];
	s->depth = q->dims[q->rank - 1];
	s->keys = k->dims[k->rank - 2];
	s->width = v->dims[v->rank - 1];
	set_operand(&s->q, q, out->rank);
	set_operand(&s->k, k, out->rank);
	set_operand(&s->v, v, out->rank);
	set_operand(&s->out, out, out->rank);
	if (s->has_mask)
		set_mask(s, p, out->rank);
	if (s->depth == 1)
		s->q.col = s->k.col = 1;
	if (s->width == 1)
		s->v.col = s->out.col = 1;
	s->scale = 1.0f / sqrtf((float)s->depth);
}

static ovl_status set_up(attention_state *s, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	int64_t vl = s->isa->gemm->vl, mr = s->isa->gemm->mr, shared, total;
	set_sizes(s, p);
	OVL_TRY(ovl_posts_prepare(&s->posts, p, p->out[0].rank - 1, err));
	s->few = s->rows <= FEW_ROWS && s->k.col == 1;
	s->pack_v = s->v.col != 1 || s->width % vl != 0;
	s->key_vecs = parts(s->keys, vl);
	s->k_size = s->few ? 0 : s->key_vecs * vl * s->depth;
	s->v_size = s->pack_v ? ovl_gemm_up(s->width, vl) * s->keys : 0;
	s->tiles = ovl_gemm_tiles(s->rows, mr);
	s->block = s->keys <= KEYS + KEYS / 2 ? s->keys : KEYS; /* a multiple of any vector when there are several */
	s->k_chunks = s->k_size ? most(1, least(s->key_vecs, s->k_size / 8192)) : 0;
	s->v_chunks = s->v_size ? most(1, least(parts(s->width, vl), s->v_size / 8192)) : 0;
	s->q_room = s->q.col == 1 ? 0 : ovl_gemm_up(mr * s->depth, 16);
	s->score_ld = ovl_gemm_up(s->block, 16) + 16;
	s->out_ld = ovl_gemm_up(s->width, 16);
	s->worker_floats = s->q_room + mr * s->score_ld + mr * s->out_ld + (s->has_mask ? ovl_gemm_up(s->block, 16) : 0);
	if (__builtin_mul_overflow(s->k.count, s->k_size, &shared) || __builtin_mul_overflow(s->v.count, s->v_size, &total) ||
		__builtin_add_overflow(shared, total, &total) || total > INT64_MAX / 8)
		return ovl_fail(err, OVL_E_MEMORY, "the scratch memory is too large");
	out->scratch = (size_t)total * sizeof(float);
	out->room = (size_t)s->worker_floats * sizeof(float);
	snprintf(out->detail, sizeof out->detail, "%lldx(%lldx%lldx%lld)%s", (long long)s->batches, (long long)s->rows, (long long)s->keys,
		(long long)s->depth, s->causal ? " causal" : "");
	return OVL_OK;
}

ovl_status ovl_attention_prepare(const ovl_attention_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	attention_state *s = ovl_calloc(1, sizeof *s);
	ovl_status status;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for an attention");
	s->isa = isa;
	status = set_up(s, p, out, err);
	if (status != OVL_OK)
		ovl_free(s);
	else
		out->state = s;
	return status;
}

/* ---- run ---- */

typedef struct attention_job {
	const attention_state *s;
	const ovl_call *call;
	float scale;
	float *k_packed, *v_packed;
} attention_job;

/* Where matrix `i` of an operand starts, i counting its own batch dimensions. */
static int64_t own_offset(const operand *o, int64_t i)
{
	int64_t at = 0;
	for (int64_t j = o->own_rank - 1; j >= 0; j--) {
		at += i % o->own_dims[j] * o->own_step[j];
		i /= o->own_dims[j];
	}
	return at;
}

static void pack_chunk(void *arg, int64_t chunk, int worker)
{
	const attention_job *job = arg;
	const attention_state *s = job->s;
	const ovl_gemm_isa *g = s->isa->gemm;
	int64_t k_all = s->k.count * s->k_chunks;
	(void)worker;
	if (chunk < k_all) {
		int64_t i = chunk / s->k_chunks, c = chunk % s->k_chunks;
		int64_t first = ovl_gemm_tile_at(s->key_vecs, s->k_chunks, c), last = ovl_gemm_tile_at(s->key_vecs, s->k_chunks, c + 1);
		g->pack(job->k_packed + i * s->k_size, (const float *)job->call->in[IN_KEY] + own_offset(&s->k, i), s->depth, s->keys, s->k.col,
			s->k.row, first, last - first);
	} else {
		int64_t i = (chunk - k_all) / s->v_chunks, c = (chunk - k_all) % s->v_chunks, vecs = parts(s->width, g->vl);
		int64_t first = ovl_gemm_tile_at(vecs, s->v_chunks, c), last = ovl_gemm_tile_at(vecs, s->v_chunks, c + 1);
		g->pack(job->v_packed + i * s->v_size, (const float *)job->call->in[IN_VALUE] + own_offset(&s->v, i), s->keys, s->width, s->v.row,
			s->v.col, first, last - first);
	}
}

/* One tile: some query rows of one batch entry. */
typedef struct tile {
	const attention_job *job;
	int64_t first, n;       /* rows */
	const float *q, *k, *v; /* k: packed, or where it is when rows are few; v: packed, or where it is */
	const char *mask;       /* of key 0 for the first row; NULL: none */
	int64_t ldq;
	float *scores, *out, *mask_row;
	float max[16], sum[16];
} tile;

static void offsets(const attention_state *s, int64_t batch, const operand *o, int64_t *at, int64_t *index)
{
	*at = *index = 0;
	for (int j = s->batch_rank - 1; j >= 0; j--) {
		*at += batch % s->batch[j] * o->step[j];
		*index += batch % s->batch[j] * o->index[j];
		batch /= s->batch[j];
	}
}

static void score_block(tile *t, int64_t key, int64_t n)
{
	static const ovl_gemm_seg start = {0, 0};
	const attention_state *s = t->job->s;
	const ovl_gemm_isa *isa = s->isa->gemm;
	ovl_gemm g = {.k = s->depth, .n = n, .ldc = s->score_ld, .b_row = isa->vl, .b_vec = s->depth * isa->vl};
	ovl_gemm_rows rows = {.a = t->q, .lda = t->ldq, .seg = &start, .n_seg = 1, .c = t->scores, .mr = (int)t->n};
	if (s->few) {
		isa->dots(t->q, t->ldq, t->n, t->k + key * s->k.row, s->k.row, n, s->depth, t->scores, s->score_ld, 1);
		return;
	}
	g.b = t->k + key * s->depth; /* key is a multiple of the vector: that many panels */
	isa->block(&g, &rows, 1, 0, parts(n, isa->vl));
}

/* The mask of row r for keys [key, key + n) as floats, or NULL. */
static const float *mask_of(const tile *t, int64_t r, int64_t key, int64_t n)
{
	const operand *m = &t->job->s->mask;
	int64_t at = r * m->row + key * m->col;
	if (!t->mask)
		return NULL;
	if (t->job->s->boolean_mask) {
		for (int64_t i = 0; i < n; i++)
			t->mask_row[i] = t->mask[at + i * m->col] ? 0 : -INFINITY;
		return t->mask_row;
	}
	if (m->col == 1)
		return (const float *)(const void *)t->mask + at;
	for (int64_t i = 0; i < n; i++)
		t->mask_row[i] = ((const float *)(const void *)t->mask)[at];
	return t->mask_row;
}

static void rescale(tile *t, int64_t r, float factor)
{
	const attention_state *s = t->job->s;
	if (factor != 1.0f)
		s->isa->scale(t->out + r * s->out_ld, t->out + r * s->out_ld, s->width, factor);
}

static void soften_masked(tile *t, int64_t key, int64_t n)
{
	const attention_state *s = t->job->s;
	for (int64_t r = 0; r < t->n; r++) {
		float *row = t->scores + r * s->score_ld;
		int64_t seen = s->causal ? most(0, least(n, t->first + r + 1 - key)) : n;
		float factor;
		if (seen < n)
			memset(row + seen, 0, (size_t)(n - seen) * sizeof *row);
		if (!seen)
			continue;
		factor = s->isa->soften_masked(row, seen, t->job->scale, mask_of(t, r, key, seen), &t->max[r], &t->sum[r]);
		if (key > 0)
			rescale(t, r, factor);
	}
}

static void soften_block(tile *t, int64_t key, int64_t n)
{
	const attention_state *s = t->job->s;
	float factor[16];
	if (s->causal || t->mask || !(t->job->scale > 0)) {
		soften_masked(t, key, n);
		return;
	}
	s->isa->soften(t->scores, s->score_ld, t->n, n, t->job->scale, t->max, t->sum, factor);
	for (int64_t r = 0; r < t->n && key > 0; r++)
		rescale(t, r, factor[r]);
}

static void value_block(tile *t, int64_t key, int64_t n)
{
	static const ovl_gemm_seg start = {0, 0};
	const attention_state *s = t->job->s;
	const ovl_gemm_isa *isa = s->isa->gemm;
	ovl_gemm g = {.k = n,
		.n = s->width,
		.ldc = s->out_ld,
		.ldadd = s->out_ld,
		.b = t->v + key * (s->pack_v ? isa->vl : s->v.row),
		.b_row = s->pack_v ? isa->vl : s->v.row,
		.b_vec = s->pack_v ? s->keys * isa->vl : isa->vl};
	ovl_gemm_rows rows = {
		.a = t->scores, .lda = s->score_ld, .seg = &start, .n_seg = 1, .c = t->out, .add = key > 0 ? t->out : NULL, .mr = (int)t->n};
	isa->block(&g, &rows, 1, 0, parts(s->width, isa->vl));
}

static void write_rows(const tile *t, int64_t batch, float *to)
{
	const attention_state *s = t->job->s;
	int64_t row = batch * s->rows + t->first;
	for (int64_t r = 0; r < t->n; r++) {
		float *from = t->out + r * s->out_ld, *c = to + (t->first + r) * s->out.row;
		bool straight = s->out.col == 1 && !s->posts.n;
		s->isa->scale(straight ? c : from, from, s->width, t->sum[r] == 0 ? 0 : 1.0f / t->sum[r]);
		if (straight)
			continue;
		s->isa->gemm->posts(&s->posts, from, s->out_ld, 1, s->width, row + r, 0, t->job->call->in);
		for (int64_t i = 0; i < s->width; i++)
			c[i * s->out.col] = from[i];
	}
}

static void place(tile *t, int64_t batch)
{
	const attention_state *s = t->job->s;
	const ovl_call *call = t->job->call;
	int64_t at, index;
	offsets(s, batch, &s->q, &at, &index);
	t->q = (const float *)call->in[IN_QUERY] + at + t->first * s->q.row;
	t->ldq = s->q.row;
	offsets(s, batch, &s->k, &at, &index);
	t->k = s->few ? (const float *)call->in[IN_KEY] + at : t->job->k_packed + index * s->k_size;
	offsets(s, batch, &s->v, &at, &index);
	t->v = s->pack_v ? t->job->v_packed + index * s->v_size : (const float *)call->in[IN_VALUE] + at;
	if (s->has_mask) {
		offsets(s, batch, &s->mask, &at, &index);
		t->mask = (const char *)call->in[IN_MASK] + (at + t->first * s->mask.row) * (s->boolean_mask ? 1 : (int64_t)sizeof(float));
	}
}

static void tile_chunk(void *arg, int64_t chunk, int worker)
{
	const attention_job *job = arg;
	const attention_state *s = job->s;
	int64_t batch = chunk / s->tiles, i = chunk % s->tiles, keys, at, index;
	float *scratch = ovl_call_room(job->call, worker);
	tile t = {.job = job};
	if (job->call->cancel && __atomic_load_n(job->call->cancel, __ATOMIC_RELAXED))
		return;
	t.first = ovl_gemm_tile_at(s->rows, s->tiles, i);
	t.n = ovl_gemm_tile_at(s->rows, s->tiles, i + 1) - t.first;
	t.scores = scratch + s->q_room;
	t.out = t.scores + s->isa->gemm->mr * s->score_ld;
	t.mask_row = t.out + s->isa->gemm->mr * s->out_ld;
	place(&t, batch);
	if (s->q.col != 1) {
		for (int64_t r = 0; r < t.n; r++)
			for (int64_t j = 0; j < s->depth; j++)
				scratch[r * s->depth + j] = t.q[r * s->q.row + j * s->q.col];
		t.q = scratch;
		t.ldq = s->depth;
	}
	for (int64_t r = 0; r < t.n; r++) {
		t.max[r] = -INFINITY;
		t.sum[r] = 0;
	}
	keys = s->causal ? least(s->keys, t.first + t.n) : s->keys;
	for (int64_t key = 0; key < keys; key += s->block) {
		int64_t n = least(s->block, keys - key);
		score_block(&t, key, n);
		soften_block(&t, key, n);
		value_block(&t, key, n);
	}
	offsets(s, batch, &s->out, &at, &index);
	write_rows(&t, batch, (float *)job->call->out[0] + at);
}

ovl_status ovl_attention_run(const ovl_call *call)
{
	const attention_state *s = call->state;
	attention_job job = {.s = s, .call = call, .scale = s->scale, .k_packed = call->scratch};
	int64_t packs = s->k.count * s->k_chunks + s->v.count * s->v_chunks;
	job.v_packed = job.k_packed + s->k.count * s->k_size;
	if (s->has_scale)
		job.scale = *(const float *)call->in[IN_SCALE];
	if (packs)
		ovl_pool_run(call->pool, packs, pack_chunk, &job);
	ovl_pool_run(call->pool, s->batches * s->tiles, tile_chunk, &job);
	if (call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	return OVL_OK;
}
