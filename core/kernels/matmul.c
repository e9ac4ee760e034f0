/* matmul.c - C[batch][m][n] = sum over k of A[batch][m][k] * B[batch][k][n], all of them views with any strides.
 *
 * What is done with B:
 *   CONST    packed once for all
 *   DIRECT   few rows in A: rows of B are read where they are, since packing costs as much as multiplying; only a last partial vector is packed
 *   PACK     packed by each chunk for itself
 *   DOTS     few rows in A, and columns of B contiguous: dot products
 * Batches that share B and follow each other evenly in A and C count as rows. A is copied where its columns are not contiguous. */
#include "kernels/matmul.h"
#include "base/memory.h"
#include "kernels/packs.h"
#include "kernels/strassen.h"
#include "ops/matmul.h"
#include <stdio.h>
#include <string.h>

enum { MAX_TILES = 64, DIRECT_ROWS = 2, DOT_ROWS = 8 };

typedef enum how { HOW_CONST, HOW_DIRECT, HOW_PACK, HOW_DOTS } how;

typedef struct matmul_state {
	const ovl_gemm_isa *isa;
	int64_t m, n, k;
	int64_t a_row, a_col, b_row, b_col, c_row, c_col;
	int batch_rank; /* innermost last */
	int64_t batch[OVL_MAX_RANK], a_step[OVL_MAX_RANK], b_step[OVL_MAX_RANK], c_step[OVL_MAX_RANK], batches;
	how how;
	int64_t vecs, n_tiles, m_chunks, n_chunks, sub;
	int64_t b_size;                                /* floats of one packed B */
	size_t a_room, b_room, c_room; /* bytes of a worker's room */
	ovl_buffer *weights;
	float *bias;
	ovl_gemm_tail tail;
	ovl_strassen seven; /* isa NULL: not worth it */
} matmul_state;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

const char *ovl_matmul_accept(ovl_problem *p)
{
	const ovl_matmul_params *params = p->params;
	ovl_matmul_geometry g;
	ovl_shape a, b;
	ovl_error err;
	if (p->n_op_in != 2 || p->in[0].type != OVL_F32 || p->in[1].type != OVL_F32 || p->out[0].type != OVL_F32)
		return "not f32";
	a = ovl_shape_of(p->in[0].rank, p->in[0].dims);
	b = ovl_shape_of(p->in[1].rank, p->in[1].dims);
	if (p->in[0].rank + 1 > OVL_MAX_RANK || p->out[0].rank + 1 > OVL_MAX_RANK)
		return "rank is too high";
	if (ovl_matmul_resolve(params, &a, &b, &g, &err) != OVL_OK)
		return "shapes do not fit together";
	if (!ovl_desc_count(&p->out[0]) || !g.k)
		return "empty";
	if (p->out[0].rank < 1)
		return "result is a scalar";
	if (p->in[1].rank == 1 && p->n_posts)
		return "posts behind a product with a vector";
	if (p->way && (p->accurate || !p->in_data[1]))
		return "there is but one way";
	p->in_form[0] = p->out_form[0] = OVL_FORM_ANY;
	p->in_form[1] = OVL_FORM_ANY;
	p->in_packed[1] = p->in_data[1] != NULL;
	return ovl_gemm_tail_accept(p, p->out[0].rank - 1, OVL_FORM_DENSE);
}

/* ---- geometry ---- */

/* A dimension of one at position `at`. */
static ovl_desc widen(const ovl_desc *d, int at)
{
	ovl_desc w = *d;
	for (int i = d->rank; i > at; i--) {
		w.dims[i] = w.dims[i - 1];
		w.strides[i] = w.strides[i - 1];
	}
	w.dims[at] = 1;
	w.strides[at] = 0;
	w.rank++;
	return w;
}

static void set_geometry(matmul_state *s, const ovl_problem *p)
{
	const ovl_matmul_params *params = p->params;
	ovl_desc da = p->in[0], db = p->in[1], dc = p->out[0], *a = &da, *b = &db, *c = &dc;
	bool ta = params->transpose_a && da.rank > 1, tb = params->transpose_b && db.rank > 1;
	int am, ak, bk, bn;
	if (p->in_data[1]) /* constants are dense */
		db = ovl_desc_dense(OVL_F32, db.rank, db.dims);
	if (db.rank == 1) {
		db = widen(&db, 1);
		dc = widen(&dc, dc.rank);
	}
	if (da.rank == 1) {
		da = widen(&da, 0);
		dc = widen(&dc, dc.rank - 1);
	}
	am = ta ? a->rank - 1 : a->rank - 2;
	ak = ta ? a->rank - 2 : a->rank - 1;
	bk = tb ? b->rank - 1 : b->rank - 2;
	bn = tb ? b->rank - 2 : b->rank - 1;
	s->m = a->dims[am];
	s->k = a->dims[ak];
	s->n = b->dims[bn];
	s->a_row = a->strides[am];
	s->a_col = s->k == 1 ? 1 : a->strides[ak];
	s->b_row = s->k == 1 ? s->n : b->strides[bk];
	s->b_col = s->n == 1 ? 1 : b->strides[bn];
	s->c_row = c->strides[c->rank - 2];
	s->c_col = s->n == 1 ? 1 : c->strides[c->rank - 1];
	s->batch_rank = 0;
	for (int i = 0; i < c->rank - 2; i++) {
		int ia = i - (c->rank - a->rank), ib = i - (c->rank - b->rank), j = s->batch_rank;
		if (c->dims[i] == 1)
			continue;
		s->batch[j] = c->dims[i];
		s->a_step[j] = ia < 0 || a->dims[ia] == 1 ? 0 : a->strides[ia];
		s->b_step[j] = ib < 0 || b->dims[ib] == 1 ? 0 : b->strides[ib];
		s->c_step[j] = c->strides[i];
		s->batch_rank++;
	}
}

/* Innermost batches that are but more rows. */
static void merge_batches(matmul_state *s)
{
	while (s->batch_rank > 0) {
		int j = s->batch_rank - 1;
		if (s->b_step[j] != 0)
			break;
		if (s->m == 1) {
			s->a_row = s->a_step[j];
			s->c_row = s->c_step[j];
		} else if (s->a_step[j] != s->m * s->a_row || s->c_step[j] != s->m * s->c_row) {
			break;
		}
		s->m *= s->batch[j];
		s->batch_rank--;
	}
	s->batches = 1;
	for (int j = 0; j < s->batch_rank; j++)
		s->batches *= s->batch[j];
}

static how choose(const matmul_state *s, bool constant)
{
	if (constant)
		return HOW_CONST;
	if (s->b_row == 1 && s->a_col == 1 && s->c_col == 1 && (s->m <= DOT_ROWS || s->n == 1) && s->k >= s->isa->vl)
		return HOW_DOTS;
	if (s->b_col == 1 && s->m <= DIRECT_ROWS * s->isa->mr)
		return HOW_DIRECT;
	return HOW_PACK;
}

static void set_chunks(matmul_state *s, int threads)
{
	double flops = 2.0 * (double)s->batches * (double)s->m * (double)s->n * (double)s->k;
	int64_t weights = s->vecs * s->isa->vl * s->k * 4, want = threads <= 1 ? 1 : most(1, least((int64_t)(flops / 5e4), 4 * (int64_t)threads));
	int64_t pieces = parts(want, s->batches), wide = most(1, s->vecs / 2), block;
	if (s->how == HOW_DOTS) {
		s->m_chunks = s->m > DOT_ROWS ? least(pieces, parts(s->m, 16)) : 1;
		s->n_chunks = s->m > DOT_ROWS ? 1 : least(pieces, most(1, s->n / 16));
		s->sub = 1;
		return;
	}
	if (s->how == HOW_CONST && threads > 1 && s->n_tiles >= threads && s->batches == 1) {
		/* a band of rows for each thread, which has read and written these rows before; columns are what others can take over */
		s->m_chunks = weights > 192 << 10 ? least(pieces, threads) : least(pieces, s->n_tiles);
		s->n_chunks = least(parts(pieces, s->m_chunks), wide);
	} else if (s->how == HOW_PACK || weights > 192 << 10) {
		s->n_chunks = least(most(pieces, parts(weights, s->how == HOW_PACK ? 512 << 10 : 1 << 20)), s->m <= s->isa->mr ? s->vecs : wide);
		s->m_chunks = least(parts(pieces, s->n_chunks), s->n_tiles);
	} else {
		s->m_chunks = least(pieces, s->n_tiles);
		s->n_chunks = least(parts(pieces, s->m_chunks), wide);
	}
	block = parts(s->vecs, s->n_chunks) * s->isa->vl * s->k * 4 > 256 << 10 ? 1 << 20 : 128 << 10; /* bytes of A that are worked on together */
	s->sub = most(2, block / most(1, s->isa->mr * s->k * 4));
	s->sub = least(least(s->sub, MAX_TILES), most(1, parts(s->n_tiles, s->m_chunks)));
}

/* ---- prepare ---- */

typedef struct fill_args {
	const matmul_state *s;
	const float *from;
	int64_t count; /* of matrices */
} fill_args;

static void fill_weights(void *dst, void *arg)
{
	const fill_args *a = arg;
	const matmul_state *s = a->s;
	for (int64_t i = 0; i < a->count; i++)
		s->isa->pack((float *)dst + i * s->b_size, a->from + i * s->k * s->n, s->k, s->n, s->b_row, s->b_col, 0, s->vecs);
}

static ovl_status pack_weights(matmul_state *s, const ovl_problem *p, ovl_error *err)
{
	fill_args args = {s, p->in_data[1], ovl_desc_count(&p->in[1]) / (s->k * s->n)};
	size_t size;
	char tag[96];
	if (!ovl_mul_ok((size_t)s->b_size * sizeof(float), (size_t)args.count, &size))
		return ovl_fail(err, OVL_E_MEMORY, "the weights are too large");
	snprintf(tag, sizeof tag, "matmul vl%d k%lld n%lld sk%lld sn%lld", s->isa->vl, (long long)s->k, (long long)s->n, (long long)s->b_row,
		(long long)s->b_col);
	for (int j = 0; j < s->batch_rank; j++) /* from here on in packed floats */
		s->b_step[j] = s->b_step[j] / (s->k * s->n) * s->b_size;
	return ovl_packs_get(p->packs, args.from, tag, size, fill_weights, &args, &s->weights, err);
}

static ovl_status set_up(matmul_state *s, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	static const char *const names[] = {"packed", "direct", "packing", "dots"};
	int64_t block;
	set_geometry(s, p);
	merge_batches(s);
	s->vecs = parts(s->n, s->isa->vl);
	s->b_size = s->vecs * s->isa->vl * s->k;
	s->n_tiles = ovl_gemm_tiles(s->m, s->isa->mr);
	s->how = choose(s, p->in_data[1] != NULL);
	set_chunks(s, p->threads);
	if (s->how == HOW_CONST)
		OVL_TRY(pack_weights(s, p, err));
	if (s->how == HOW_CONST && s->batches == 1 && s->a_col == 1 && s->c_col == 1 && !p->accurate)
		ovl_strassen_plan(&s->seven, s->isa, s->m, s->n, s->k, s->a_row, s->weights->data, p->threads, p->way);
	OVL_TRY(ovl_gemm_tail_prepare(&s->tail, &s->bias, p, p->out[0].rank - 1, err));
	block = parts(s->vecs, s->n_chunks) * s->isa->vl;
	s->a_room = s->a_col == 1 ? 0 : (size_t)ovl_gemm_up(s->sub * s->isa->mr * (s->k + 16), 16) * sizeof(float);
	s->b_room = s->how == HOW_PACK                          ? (size_t)(block * s->k) * sizeof(float)
		    : s->how == HOW_DIRECT && s->n % s->isa->vl ? (size_t)(s->k * s->isa->vl) * sizeof(float)
								: 0;
	s->c_room = s->c_col == 1 ? 0 : (size_t)ovl_gemm_up(s->sub * s->isa->mr * s->n, 16) * sizeof(float);
	out->room = s->seven.isa ? (size_t)s->seven.each * sizeof(float) : s->a_room + s->b_room + s->c_room;
	snprintf(out->detail, sizeof out->detail, "%s %lldx%lldx%lld", s->seven.isa ? "strassen" : names[s->how], (long long)s->m,
		(long long)s->k, (long long)s->n);
	return OVL_OK;
}

ovl_status ovl_matmul_prepare(const ovl_gemm_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	matmul_state *s = ovl_calloc(1, sizeof *s);
	ovl_status status;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a matrix product");
	s->isa = isa;
	status = set_up(s, p, out, err);
	if (status != OVL_OK)
		ovl_matmul_release(s);
	else
		out->state = s;
	return status;
}

void ovl_matmul_release(void *state)
{
	matmul_state *s = state;
	if (!s)
		return;
	ovl_buffer_release(s->weights);
	ovl_free(s->bias);
	ovl_free(s);
}

/* ---- run ---- */

typedef struct matmul_job {
	const matmul_state *s;
	const ovl_call *call;
} matmul_job;

/* One chunk: a batch, rows [m0, m1), vectors of columns [v0, v1). */
typedef struct part {
	const float *a, *b, *add;
	float *c;
	int64_t row; /* number of the batch's first row in the output */
	int64_t m0, m1, v0, v1;
	float *a_copy, *b_copy, *c_copy;
} part;

static void locate(const matmul_job *job, int64_t batch, part *w)
{
	const matmul_state *s = job->s;
	w->a = job->call->in[0];
	w->b = s->how == HOW_CONST ? s->weights->data : job->call->in[1];
	w->c = job->call->out[0];
	w->row = batch * s->m;
	w->add = s->tail.add_input < 0 ? NULL : (const float *)job->call->in[s->tail.add_input] + w->row * s->n;
	for (int j = s->batch_rank - 1; j >= 0; j--) {
		int64_t i = batch % s->batch[j];
		batch /= s->batch[j];
		w->a += i * s->a_step[j];
		w->b += i * s->b_step[j];
		w->c += i * s->c_step[j];
	}
}

/* Bias, addition and function for results that were not made by tiles. */
static void finish_rows(const matmul_state *s, const ovl_call *call, const part *w, int64_t first, int64_t count, int64_t column, int64_t n)
{
	for (int64_t i = first; i < first + count; i++) {
		float *c = w->c + i * s->c_row + column;
		for (int64_t j = 0; s->bias && j < n; j++)
			c[j] += s->bias[column + j];
		for (int64_t j = 0; w->add && j < n; j++)
			c[j] += w->add[i * s->n + column + j];
	}
	s->isa->act(s->tail.act, s->tail.alpha, s->tail.beta, w->c + first * s->c_row + column, s->c_row, count, n);
	if (s->tail.rest.n)
		s->isa->posts(&s->tail.rest, w->c + first * s->c_row + column, s->c_row, count, n, w->row + first, column, call->in);
}

static void do_dots(const matmul_state *s, const ovl_call *call, const part *w)
{
	int64_t first = least(w->v0 * s->isa->vl, s->n), last = least(w->v1 * s->isa->vl, s->n), rows = w->m1 - w->m0;
	if (first >= last || rows <= 0)
		return;
	if (s->n == 1) /* the long side is what is walked */
		s->isa->dots(w->b, s->b_col, 1, w->a + w->m0 * s->a_row, s->a_row, rows, s->k, w->c + w->m0 * s->c_row, 1, s->c_row);
	else
		s->isa->dots(w->a + w->m0 * s->a_row, s->a_row, rows, w->b + first * s->b_col, s->b_col, last - first, s->k,
			w->c + w->m0 * s->c_row + first, s->c_row, 1);
	finish_rows(s, call, w, w->m0, rows, first, last - first);
}

/* Rows [first, first + count) of A with their columns side by side. */
static const float *contiguous_rows(const matmul_state *s, const part *w, int64_t first, int64_t count, int64_t *lda)
{
	const float *a = w->a + first * s->a_row;
	*lda = s->a_row;
	if (s->a_col == 1)
		return a;
	*lda = s->k + (s->k % 512 ? 0 : 16);
	if (s->a_row == 1)
		s->isa->turn(w->a_copy, *lda, a, s->a_col, s->k, count);
	else
		for (int64_t i = 0; i < count; i++)
			for (int64_t j = 0; j < s->k; j++)
				w->a_copy[i * *lda + j] = a[i * s->a_row + j * s->a_col];
	return w->a_copy;
}

static void scatter(const matmul_state *s, const part *w, int64_t first, int64_t count)
{
	int64_t column = w->v0 * s->isa->vl, end = least(w->v1 * s->isa->vl, s->n);
	for (int64_t i = 0; i < count; i++)
		for (int64_t j = column; j < end; j++)
			w->c[(first + i) * s->c_row + j * s->c_col] = w->c_copy[i * s->n + j];
}

/* Tiles [tile, tile + count) times the chunk's columns, with B as g says. */
static void do_tiles(const matmul_state *s, const part *w, ovl_gemm *g, int64_t tile, int64_t count)
{
	static const ovl_gemm_seg start = {0, 0};
	ovl_gemm_rows rows[MAX_TILES];
	int64_t base = ovl_gemm_tile_at(s->m, s->n_tiles, tile), end = ovl_gemm_tile_at(s->m, s->n_tiles, tile + count), lda;
	const float *a = contiguous_rows(s, w, base, end - base, &lda);
	float *c = s->c_col == 1 ? w->c + base * s->c_row : w->c_copy;
	int64_t whole = s->n / s->isa->vl, v1 = s->how == HOW_DIRECT ? least(w->v1, whole) : w->v1;
	g->ldc = s->c_col == 1 ? s->c_row : s->n;
	for (int64_t i = 0; i < count; i++) {
		int64_t first = ovl_gemm_tile_at(s->m, s->n_tiles, tile + i), last = ovl_gemm_tile_at(s->m, s->n_tiles, tile + i + 1);
		rows[i] = (ovl_gemm_rows){.a = a + (first - base) * lda,
			.lda = lda,
			.seg = &start,
			.n_seg = 1,
			.c = c + (first - base) * g->ldc,
			.add = w->add ? w->add + first * s->n : NULL,
			.row = w->row + first,
			.mr = (int)(last - first)};
	}
	if (v1 > w->v0)
		s->isa->block(g, rows, count, w->v0, v1 - w->v0);
	if (v1 < w->v1) { /* the partial vector of a B that is read in place */
		ovl_gemm rest = *g;
		rest.b = w->b_copy - v1 * s->k * s->isa->vl;
		rest.b_row = s->isa->vl;
		rest.b_vec = s->k * s->isa->vl;
		s->isa->block(&rest, rows, count, v1, 1);
	}
	if (s->c_col != 1)
		scatter(s, w, base, end - base);
}

static void do_chunk(void *arg, int64_t chunk, int worker)
{
	const matmul_job *job = arg;
	const matmul_state *s = job->s;
	int64_t m = chunk / s->n_chunks % s->m_chunks, n = chunk % s->n_chunks, vl = s->isa->vl;
	int64_t tile = ovl_gemm_tile_at(s->n_tiles, s->m_chunks, m), tile_end = ovl_gemm_tile_at(s->n_tiles, s->m_chunks, m + 1);
	char *scratch = ovl_call_room(job->call, worker);
	part w = {.a_copy = (void *)scratch, .b_copy = (void *)(scratch + s->a_room), .c_copy = (void *)(scratch + s->a_room + s->b_room)};
	ovl_gemm g = {.k = s->k, .n = s->n, .ldadd = s->n, .b_row = vl, .b_vec = s->k * vl, .bias = s->bias};
	if (job->call->cancel && __atomic_load_n(job->call->cancel, __ATOMIC_RELAXED))
		return;
	locate(job, chunk / (s->m_chunks * s->n_chunks), &w);
	w.v0 = ovl_gemm_tile_at(s->vecs, s->n_chunks, n);
	w.v1 = ovl_gemm_tile_at(s->vecs, s->n_chunks, n + 1);
	w.m0 = ovl_gemm_tile_at(s->m, s->m_chunks, m);
	w.m1 = ovl_gemm_tile_at(s->m, s->m_chunks, m + 1);
	if (s->how == HOW_DOTS) {
		do_dots(s, job->call, &w);
		return;
	}
	ovl_gemm_set_tail(&g, &s->tail, job->call->in);
	g.b = w.b;
	if (s->how == HOW_PACK) {
		g.b = w.b_copy - w.v0 * g.b_vec;
		s->isa->pack(w.b_copy - w.v0 * g.b_vec, w.b, s->k, s->n, s->b_row, s->b_col, w.v0, w.v1 - w.v0);
	} else if (s->how == HOW_DIRECT) {
		g.b_row = s->b_row;
		g.b_vec = vl;
		if (w.v1 * vl > s->n)
			s->isa->pack(w.b_copy, w.b + (w.v1 - 1) * vl, s->k, s->n - (w.v1 - 1) * vl, s->b_row, 1, 0, 1);
	}
	for (; tile < tile_end; tile += s->sub)
		do_tiles(s, &w, &g, tile, least(s->sub, tile_end - tile));
}

static void do_seven(const matmul_state *s, const ovl_call *call)
{
	int64_t vl = s->isa->vl;
	ovl_gemm g = {.k = s->k, .n = s->n, .ldc = s->c_row, .ldadd = s->n, .b = s->weights->data, .b_row = vl, .b_vec = s->k * vl, .bias = s->bias};
	ovl_gemm_set_tail(&g, &s->tail, call->in);
	ovl_strassen_run(&s->seven, &g, call->in[0], call->out[0], s->tail.add_input < 0 ? NULL : call->in[s->tail.add_input], call);
}

ovl_status ovl_matmul_run(const ovl_call *call)
{
	matmul_job job = {call->state, call};
	const matmul_state *s = call->state;
	if (s->seven.isa)
		do_seven(s, call);
	else
		ovl_pool_run(call->pool, s->batches * s->m_chunks * s->n_chunks, do_chunk, &job);
	if (call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	return OVL_OK;
}
