#include "kernels/strassen.h"
#include <string.h>

enum { LEAST_ROWS = 48, LEAST_DEPTH = 128, LEAST_VECS = 8, SPARE = 3 * 28 };
static const double least_work = 3e6; /* multiplications */

enum { AS_ESTIMATED, PLAINLY, MIXING };
const char *const ovl_strassen_ways[] = {"plain", "strassen", NULL};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

static const ovl_strassen_isa *isa_of(const ovl_gemm_isa *gemm)
{
	return gemm == &ovl_gemm_avx512 ? &ovl_strassen_avx512 : gemm == &ovl_gemm_avx2 ? &ovl_strassen_avx2 : NULL;
}

/* Whole cache lines, an odd number: rows spread over the cache's sets. */
static int64_t odd_lines(int64_t n) { return (parts(n, 16) | 1) * 16; }

/* Chunks of a band. */
static int64_t units_of(const ovl_strassen *s) { return s->pairs + (s->rest > 0); }

/* Cycles that the busiest thread takes, in units of a quarter's k: 14 a row and pair of panels, 16 for the sums of B, 1.5 for those of A, and more
 * where rows come from another core. */
static double cost(const ovl_strassen *s, int64_t bands, int64_t tiles, int64_t threads)
{
	double rows = (double)parts(s->rows, bands), high = rows / (double)tiles < 8 ? 8 / (rows / (double)tiles) : 1;
	int64_t units = parts(units_of(s) * bands, threads);
	double touched = rows * (double)parts(bands, threads);
	return (double)units * (14 * rows * high + 16) + (bands % threads ? 8 : 1.5) * touched;
}

static void cut(ovl_strassen *s, int64_t threads)
{
	double best = 1e300;
	for (int64_t bands = 1; bands <= threads && s->rows / bands >= s->isa->least; bands++) {
		int64_t rows = parts(s->rows, bands), fewest = ovl_gemm_tiles(rows, s->isa->gemm->mr);
		double now = cost(s, bands, fewest, threads);
		if (s->rows / bands / fewest < s->isa->least || now >= best)
			continue;
		best = now;
		s->bands = bands;
		s->tiles = fewest;
	}
}

static bool is_worth_it(const ovl_strassen *s, int64_t vecs, int64_t mixed)
{
	return s->m >= LEAST_ROWS && s->k >= LEAST_DEPTH && vecs >= LEAST_VECS && (double)s->m * (double)mixed * (double)s->k >= least_work;
}

bool ovl_strassen_plan(
	ovl_strassen *s, const ovl_gemm_isa *isa, int64_t m, int64_t n, int64_t k, int64_t lda, const float *packed, int threads, int way)
{
	const ovl_strassen_isa *own = isa_of(isa);
	int64_t vl = isa->vl, vecs = parts(n, vl), mixed;
	*s = (ovl_strassen){.m = m, .n = n, .k = k, .lda = lda, .rows = (m + 1) / 2, .depth = k / 2, .pairs = vecs / 4, .rest = vecs % 4};
	mixed = least(n, 4 * s->pairs * vl);
	if (!own || way == PLAINLY || k % 2 || !s->pairs || (way == AS_ESTIMATED && !is_worth_it(s, vecs, mixed)))
		return false;
	s->isa = own;
	cut(s, threads < 1 ? 1 : threads);
	if (!s->bands || !own->columns(packed, k, mixed)) {
		s->isa = NULL;
		return false;
	}
	s->copy = lda % 512 == 0;
	s->lds = odd_lines(s->depth);
	/* states of tiles; T1..T4, the spare tiles, the row that does not exist, S1..S4, copies */
	s->each = parts(s->bands * s->tiles, 64) * 16 + 8 * s->depth * vl + SPARE * vl + 4 * vl + (4 + (s->copy ? 3 : m % 2)) * s->rows * s->lds;
	return true;
}

enum state { UNKNOWN, MIXED, PLAIN };

typedef struct job {
	const ovl_strassen *s;
	const ovl_gemm *g;
	const float *a, *add;
	float *c;
	const ovl_call *call;
} job;

/* Rows of A and C that are one product: `upper` and `upper + rows` are mixed. */
typedef struct band {
	int64_t first; /* among the rows of sums */
	int64_t upper, rows;
} band;

static band band_of(const ovl_strassen *s, int64_t i)
{
	int64_t first = ovl_gemm_tile_at(s->rows, s->bands, i), end = ovl_gemm_tile_at(s->rows, s->bands, i + 1);
	return (band){first, 2 * first, end - first};
}

/* A worker's memory. */
typedef struct room {
	char *state;                                      /* per tile */
	float *t, *spare, *nowhere, *sums[4], *copies[3]; /* copies: NULL where A itself will do */
} room;

static room room_of(const job *j, int worker)
{
	const ovl_strassen *s = j->s;
	int64_t vl = s->isa->gemm->vl, size = s->rows * s->lds;
	float *at = ovl_call_room(j->call, worker);
	room r = {.state = (char *)at, .t = at + parts(s->bands * s->tiles, 64) * 16};
	r.spare = r.t + 8 * s->depth * vl;
	r.nowhere = r.spare + SPARE * vl;
	at = r.nowhere + 4 * vl;
	for (int i = 0; i < 4; i++, at += size)
		r.sums[i] = at;
	for (int i = s->copy ? 0 : s->m % 2 ? 2 : 3; i < 3; i++, at += size)
		r.copies[i] = at;
	return r;
}

static enum state sum_rows(const job *j, const room *w, const band *b, int64_t first, int64_t end)
{
	const ovl_strassen *s = j->s;
	bool good = true;
	for (int64_t i = first; i < end; i++) {
		int64_t high = b->upper + i, low = high + b->rows, at = (b->first + i) * s->lds;
		ovl_strassen_row r = {.a11 = j->a + high * s->lda, .a21 = j->a + low * s->lda, .low = low < s->m, .k = s->depth};
		for (int n = 0; n < 4; n++)
			r.s[n] = w->sums[n] + at;
		for (int n = 0; n < 3; n++)
			r.copy[n] = w->copies[n] ? w->copies[n] + at : NULL;
		good &= s->isa->row(&r);
	}
	return good ? MIXED : PLAIN;
}

/* What is done to sums once they are stored. */
static void tail(const job *j, float *c, int64_t rows, int64_t n, int64_t row, int64_t column)
{
	const ovl_gemm *g = j->g;
	if (rows < 1)
		return;
	if (g->act > OVL_GEMM_IN_REGISTERS)
		j->s->isa->gemm->act(g->act, g->alpha, g->beta, c, g->ldc, rows, n);
	if (g->rest)
		j->s->isa->gemm->posts(g->rest, c, g->ldc, rows, n, row, column, g->in);
}

static void set_rows(const job *j, const room *w, const band *b, ovl_strassen_tile *t, int64_t first)
{
	const ovl_strassen *s = j->s;
	int64_t at = (b->first + first) * s->lds, high = b->upper + first, low = high + b->rows;
	bool exists = low + t->mr <= s->m;
	t->a11 = w->copies[0] ? w->copies[0] + at : j->a + high * s->lda;
	t->a12 = w->copies[1] ? w->copies[1] + at : t->a11 + s->depth;
	t->a22 = w->copies[2] ? w->copies[2] + at : j->a + low * s->lda + s->depth;
	t->s1 = w->sums[0] + at;
	t->s2 = w->sums[1] + at;
	t->s3 = w->sums[2] + at;
	t->s4 = w->sums[3] + at;
	for (int h = 0; h < 2; h++) {
		t->last_c[h] = exists ? t->c[1][h] + (t->mr - 1) * t->ldc : w->nowhere;
		t->last_add[h] = exists && t->add[1][h] ? t->add[1][h] + (t->mr - 1) * t->ldadd : w->nowhere;
	}
}

static void do_mixed(const job *j, const room *w, const band *b, ovl_strassen_tile *t, int64_t pair, int64_t first)
{
	const ovl_strassen *s = j->s;
	int64_t columns = 2 * s->isa->gemm->vl, column[2] = {pair * columns, (s->pairs + pair) * columns};
	int64_t row[2] = {b->upper + first, b->upper + b->rows + first};
	for (int i = 0; i < 2; i++)
		for (int h = 0; h < 2; h++) {
			t->c[i][h] = j->c + row[i] * t->ldc + column[h];
			t->add[i][h] = j->add ? j->add + row[i] * t->ldadd + column[h] : NULL;
		}
	set_rows(j, w, b, t, first);
	s->isa->tile(t);
	t->mix = false;
	for (int i = 0; i < 2; i++)
		for (int h = 0; h < 2; h++)
			tail(j, t->c[i][h], least(t->mr, s->m - row[i]), h ? t->n : columns, row[i], column[h]);
}

static void do_plain(const job *j, const band *b, int64_t pair, int64_t first, int64_t mr)
{
	const ovl_strassen *s = j->s;
	for (int64_t i = 0, row = b->upper + first; i < 2; i++, row += b->rows)
		for (int64_t h = 0; h < 2; h++)
			s->isa->gemm->run(j->g, least(mr, s->m - row), j->a + row * s->lda, s->lda, j->c + row * j->g->ldc,
				j->add ? j->add + row * j->g->ldadd : NULL, row, 2 * (h * s->pairs + pair), 2);
}

/* The panels behind the last that four divide, for a band of rows. */
static void do_rest(const job *j, const band *b)
{
	const ovl_strassen *s = j->s;
	s->isa->gemm->run(j->g, least(2 * b->rows, s->m - b->upper), j->a + b->upper * s->lda, s->lda, j->c + b->upper * j->g->ldc,
		j->add ? j->add + b->upper * j->g->ldadd : NULL, b->upper, 4 * s->pairs, s->rest);
}

/* Two panels of each half for a band of rows. Bands are the outer loop: each thread finds its rows where it had them before. */
static void do_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	const ovl_strassen *s = j->s;
	const room w = room_of(j, worker);
	int64_t units = units_of(s), number = chunk / units, pair = chunk % units;
	const band b = band_of(s, number);
	int64_t vl = s->isa->gemm->vl, panels = 2 * s->k * vl, fetched = 0, lines = 2 * s->depth * 16;
	char *state = w.state + number * s->tiles;
	ovl_strassen_tile t = {.k = s->depth,
		.lda = s->copy ? s->lds : s->lda,
		.lda22 = w.copies[2] ? s->lds : s->lda,
		.lds = s->lds,
		.t = w.t,
		.spare = w.spare,
		.mix = true,
		.ldc = j->g->ldc,
		.ldadd = j->g->ldadd,
		.act = j->g->act,
		.alpha = j->g->alpha,
		.beta = j->g->beta,
		.n = least(2 * vl, s->n - (s->pairs + pair) * 2 * vl)};
	if (j->call->cancel && __atomic_load_n(j->call->cancel, __ATOMIC_RELAXED))
		return;
	if (pair == s->pairs) {
		do_rest(j, &b);
		return;
	}
	for (int h = 0; h < 2; h++) {
		t.b[h] = j->g->b + (h * s->pairs + pair) * panels;
		t.bias[h] = j->g->bias ? j->g->bias + (h * s->pairs + pair) * 2 * vl : NULL;
	}
	for (int64_t i = 0; i < s->tiles; i++) {
		int64_t first = ovl_gemm_tile_at(b.rows, s->tiles, i), last = ovl_gemm_tile_at(b.rows, s->tiles, i + 1);
		bool fetch = pair + 1 < s->pairs && fetched + lines <= panels;
		if (state[i] == UNKNOWN)
			state[i] = (char)sum_rows(j, &w, &b, first, last);
		if (state[i] == PLAIN) {
			do_plain(j, &b, pair, first, last - first);
			continue;
		}
		for (int h = 0; h < 2; h++)
			t.next[h] = fetch ? t.b[h] + panels + fetched : t.b[h];
		fetched += lines;
		t.mr = (int)(last - first);
		do_mixed(j, &w, &b, &t, pair, first);
	}
}

void ovl_strassen_run(const ovl_strassen *s, const ovl_gemm *g, const float *a, float *c, const float *add, const ovl_call *call)
{
	job j = {.s = s, .g = g, .a = a, .c = c, .add = add, .call = call};
	for (int i = 0; i < ovl_pool_threads(call->pool); i++)
		memset(room_of(&j, i).state, UNKNOWN, (size_t)(s->bands * s->tiles));
	ovl_pool_run(call->pool, units_of(s) * s->bands, do_chunk, &j);
}
