/* MatMul of two computed values as halves (kernel.h) by oneDNN: f32 sums, rounded once. Batches are the chunks of work; a single product is cut into bands of rows. */
#include "base/memory.h"
#include "kernels/onednn.h"
#include "ops/matmul.h"

#include <stdio.h>
#include <string.h>

enum { MAX_BANDS = 16 };

typedef struct state {
	dnnl_primitive_t band, rest; /* for `rows` rows, and for what is left (NULL: nothing) */
	dnnl_memory_desc_t a[2], b, c[2]; /* [0]: band, [1]: rest */
	size_t scratch; /* of one worker */
	int64_t rows, m, bands, batches;
	ovl_type type; /* of the result */
	ovl_matmul_geometry g;
} state;

static bool geometry(const ovl_problem *p, ovl_matmul_geometry *g)
{
	ovl_shape a = ovl_shape_of(p->in[0].rank, p->in[0].dims), b = ovl_shape_of(p->in[1].rank, p->in[1].dims);
	ovl_error err;
	return ovl_matmul_resolve(p->params, &a, &b, g, &err) == OVL_OK;
}

static const char *accept(ovl_problem *p)
{
	ovl_matmul_geometry g;
	const char *why = ovl_onednn_accept(p);
	if (why)
		return why;
	if (p->in_data[0] || p->in_data[1])
		return "a constant";
	if (!geometry(p, &g) || !g.m || !g.n || !g.k || !ovl_desc_count(&p->out[0]))
		return "empty";
	p->in_half[0] = p->in_half[1] = true;
	p->out_half = p->halves_read;
	return NULL; /* all forms are DENSE, as preset */
}

static ovl_desc matrix(ovl_type type, int64_t rows, int64_t cols, int64_t row, int64_t col)
{
	ovl_desc d = {.type = type, .rank = 2, .dims = {rows, cols}, .strides = {row, col}};
	if (rows == 1) /* a stride that fits: oneDNN looks at all of them */
		d.strides[0] = col * cols;
	if (cols == 1)
		d.strides[1] = row * rows;
	return d;
}

static ovl_status make(state *s, int which, int64_t rows, dnnl_primitive_t *out, ovl_error *err)
{
	const ovl_matmul_geometry *g = &s->g;
	ovl_desc a = matrix(OVL_BF16, rows, g->k, g->a_row, g->a_col), b = matrix(OVL_BF16, g->k, g->n, g->b_row, g->b_col),
		 c = matrix(s->type, rows, g->n, g->n, 1);
	dnnl_matmul_desc_t op;
	size_t scratch;
	dnnl_status_t st;
	if (!ovl_onednn_desc(&s->a[which], &a) || !ovl_onednn_desc(&s->b, &b) || !ovl_onednn_desc(&s->c[which], &c))
		return ovl_onednn_fail(err, "describing a matrix", dnnl_invalid_arguments);
	st = dnnl_matmul_desc_init(&op, &s->a[which], &s->b, NULL, &s->c[which]);
	if (st != dnnl_success)
		return ovl_onednn_fail(err, "describing a product", st);
	OVL_TRY(ovl_onednn_primitive(&op, out, &scratch, err));
	scratch = (scratch + 127) / 64 * 64;
	if (scratch > s->scratch)
		s->scratch = scratch;
	return OVL_OK;
}

static void release(void *p)
{
	state *s = p;
	if (!s)
		return;
	if (s->band)
		dnnl_primitive_destroy(s->band);
	if (s->rest)
		dnnl_primitive_destroy(s->rest);
	ovl_free(s);
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	state *s = ovl_calloc(1, sizeof *s);
	ovl_status st;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a product");
	geometry(p, &s->g);
	s->m = s->g.m;
	s->type = p->out[0].type;
	s->batches = ovl_shape_elements(&s->g.batch);
	s->bands = s->batches >= p->threads ? 1 : p->threads * 2 < MAX_BANDS ? p->threads * 2 : MAX_BANDS;
	s->rows = (s->m + s->bands - 1) / s->bands;
	if (s->rows < 8 || p->threads == 1)
		s->rows = s->m;
	s->bands = (s->m + s->rows - 1) / s->rows;
	st = make(s, 0, s->rows, &s->band, err);
	if (st == OVL_OK && s->m % s->rows)
		st = make(s, 1, s->m % s->rows, &s->rest, err);
	if (st != OVL_OK) {
		release(s);
		return st;
	}
	out->state = s;
	out->scratch = s->scratch * (size_t)p->threads;
	snprintf(out->detail, sizeof out->detail, "%lldx%lldx%lld", (long long)s->m, (long long)s->g.k, (long long)s->g.n);
	return OVL_OK;
}

typedef struct job {
	const state *s;
	const ovl_call *call;
	int failed; /* atomic */
} job;

static void chunk(void *arg, int64_t c, int worker)
{
	job *j = arg;
	const state *s = j->s;
	int64_t batch = c / s->bands, band = c % s->bands, left = batch, at_a = 0, at_b = 0;
	bool rest = s->rest && band == s->bands - 1;
	ovl_onednn_arg args[3];
	ovl_error err;
	for (int i = s->g.batch.rank - 1; i >= 0; i--) {
		at_a += left % s->g.batch.dims[i] * s->g.batch_a[i];
		at_b += left % s->g.batch.dims[i] * s->g.batch_b[i];
		left /= s->g.batch.dims[i];
	}
	at_a += band * s->rows * s->g.a_row;
	args[0] = (ovl_onednn_arg){DNNL_ARG_SRC, &s->a[rest], (uint16_t *)j->call->in[0] + at_a};
	args[1] = (ovl_onednn_arg){DNNL_ARG_WEIGHTS, &s->b, (uint16_t *)j->call->in[1] + at_b};
	args[2] = (ovl_onednn_arg){DNNL_ARG_DST, &s->c[rest], (char *)j->call->out[0] + (batch * s->m + band * s->rows) * s->g.n * (int64_t)ovl_type_size(s->type)};
	if (ovl_onednn_execute(rest ? s->rest : s->band, args, 3, (char *)j->call->scratch + (size_t)worker * s->scratch, &err) != OVL_OK)
		__atomic_store_n(&j->failed, 1, __ATOMIC_RELAXED);
}

static ovl_status run(const ovl_call *call)
{
	job j = {call->state, call, 0};
	ovl_pool_run(call->pool, j.s->batches * j.s->bands, chunk, &j);
	return j.failed ? ovl_fail(call->err, OVL_E_INTERNAL, "oneDNN: a product failed") : OVL_OK;
}

static const ovl_kernel matmul = {.name = "matmul_onednn", .ops = "MatMul", .isa = OVL_ISA_AVX512_BF16, .rank = 0, .halves = true, .accept = accept, .prepare = prepare, .run = run, .release = release};
const ovl_kernel *const ovl_kernels_matmul_onednn[] = {&matmul, NULL};
