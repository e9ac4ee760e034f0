/* Products of rows of halves with a constant matrix. All batch dimensions of A count as rows; where A or the result cannot be seen that way, f32 kernels do it. */
#include "base/memory.h"
#include "kernels/gemm_bf16.h"
#include "kernels/halves.h"
#include "kernels/packs.h"
#include "kernels/shares.h"
#include "kernels/vec_bf16.h"
#include "ops/matmul.h"
#include <stdio.h>

enum { MR = OVL_GEMM_BF16_MR, FEW_ROWS = 64 };

typedef struct matmul_state {
	int64_t m, n, k, lda, ldc, ldadd;
	int64_t b_row, b_col; /* of the constant as it comes */
	int64_t panel, vecs, n_tiles, m_chunks, n_chunks;
	bool a_half, c_half, add_half;
	int64_t a_room; /* halves of a chunk's rows */
	ovl_buffer *weights;
	float *bias;
	ovl_gemm_tail tail;
} matmul_state;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

/* Everything but the last dimension as one: false where rows are not evenly spaced, or their elements not side by side. */
static bool as_rows(const ovl_desc *d, int64_t *rows, int64_t *ld)
{
	int64_t step = 0;
	*rows = 1;
	if (d->rank < 1 || (d->dims[d->rank - 1] != 1 && d->strides[d->rank - 1] != 1))
		return false;
	for (int i = d->rank - 2; i >= 0; i--) {
		if (d->dims[i] == 1)
			continue;
		if (*rows == 1)
			step = d->strides[i];
		else if (d->strides[i] != step * *rows)
			return false;
		*rows *= d->dims[i];
	}
	*ld = *rows == 1 ? d->dims[d->rank - 1] : step;
	return true;
}

/* A as [..., m, k]: transposing it is another view of it. */
static ovl_desc a_of(const ovl_problem *p)
{
	ovl_desc a = p->in[0];
	int r = a.rank;
	if (!((const ovl_matmul_params *)p->params)->transpose_a || r < 2)
		return a;
	a.dims[r - 1] = p->in[0].dims[r - 2];
	a.dims[r - 2] = p->in[0].dims[r - 1];
	a.strides[r - 1] = p->in[0].strides[r - 2];
	a.strides[r - 2] = p->in[0].strides[r - 1];
	return a;
}

static bool few_rows(const ovl_problem *p)
{
	const ovl_desc *out = &p->out[0];
	int64_t n = out->dims[out->rank - 1];
	return ovl_desc_count(out) / (n ? n : 1) <= FEW_ROWS * p->threads;
}

static const char *accept(ovl_problem *p)
{
	const ovl_matmul_params *params = p->params;
	const ovl_desc rows_of_a = a_of(p), *a = &rows_of_a, *b = &p->in[1];
	ovl_plain_problem plain;
	const char *why = ovl_halves_plain(p, &plain);
	int64_t rows, ld;
	int added;
	if (why)
		return why;
	if (p->n_op_in != 2 || plain.in[0].type != OVL_F32 || b->type != OVL_F32 || p->out[0].type != OVL_F32)
		return "not f32";
	if (!p->in_data[1] || p->in_data[0])
		return "not a value with a constant";
	if (a->rank < 2 || b->rank < 2 || ovl_desc_count(b) != b->dims[b->rank - 1] * b->dims[b->rank - 2] || p->out[0].rank != a->rank)
		return "not rows with a matrix";
	if (!ovl_desc_count(&p->out[0]) || a->dims[a->rank - 1] < 16 || p->out[0].dims[a->rank - 1] < 16)
		return "too small";
	if (params->transpose_a && !as_rows(a, &rows, &ld))
		return "rows lie crosswise";
	if ((why = ovl_gemm_tail_accept(&plain.p, p->out[0].rank - 1, OVL_FORM_DENSE)))
		return why;
	added = ovl_gemm_tail_add(&plain.p, p->out[0].rank - 1);
	p->in_half[0] = p->in_half[0] || !few_rows(p); /* each chunk rounds its own rows, while that costs little beside the product */
	p->in_form[0] = as_rows(a, &rows, &ld) ? OVL_FORM_ANY : OVL_FORM_DENSE;
	p->in_packed[1] = true;
	p->out_half = p->halves_read && added < 0; /* a sum with a residual branch stays f32 */
	ovl_halves_operands(p, added);
	return NULL;
}

typedef struct fill_args {
	const matmul_state *s;
	const float *from;
} fill_args;

static void fill_weights(void *dst, void *arg)
{
	const fill_args *a = arg;
	const matmul_state *s = a->s;
	for (int64_t v = 0; v < s->vecs; v++)
		ovl_gemm_bf16_pack((half *)dst + v * s->panel, a->from + v * VL * s->b_col, s->k, least(VL, s->n - v * VL), s->b_row, s->b_col);
}

static void set_chunks(matmul_state *s, int threads)
{
	double flops = 2.0 * (double)s->m * (double)s->n * (double)s->k;
	int64_t weights = s->vecs * s->panel * 2, want = threads <= 1 ? 1 : most(1, least((int64_t)(flops / 2e5), 4 * (int64_t)threads));
	if (threads > 1 && s->n_tiles >= threads) {
		/* a band of rows for each thread, which has read and written these rows before; columns are what others can take over */
		s->m_chunks = weights > 192 << 10 ? least(want, threads) : least(want, s->n_tiles);
		s->n_chunks = least(parts(want, s->m_chunks), most(1, s->vecs / 2));
	} else if (weights > 192 << 10) {
		s->n_chunks = least(most(want, parts(weights, 640 << 10)), s->m <= MR ? s->vecs : most(1, s->vecs / 2));
		s->m_chunks = least(parts(want, s->n_chunks), s->n_tiles);
	} else {
		s->m_chunks = least(want, s->n_tiles);
		s->n_chunks = least(parts(want, s->m_chunks), most(1, s->vecs / 2));
	}
}

static ovl_status set_up(matmul_state *s, const ovl_problem *p, const ovl_problem *plain, ovl_prepared *out, ovl_error *err)
{
	const ovl_desc a = a_of(p), *b = &p->in[1];
	fill_args args = {s, p->in_data[1]};
	bool turned = ((const ovl_matmul_params *)p->params)->transpose_b;
	int64_t rows;
	size_t size;
	char tag[96];
	if (!as_rows(&a, &s->m, &s->lda) || !as_rows(&p->out[0], &rows, &s->ldc))
		return ovl_fail(err, OVL_E_INTERNAL, "MatMul was prepared with strides it did not accept");
	s->k = a.dims[a.rank - 1];
	s->n = p->out[0].dims[p->out[0].rank - 1];
	s->b_row = turned ? 1 : b->dims[b->rank - 1];
	s->b_col = turned ? b->dims[b->rank - 1] : 1;
	s->a_half = p->in[0].type == OVL_BF16;
	s->c_half = p->out[0].type == OVL_BF16;
	s->vecs = parts(s->n, VL);
	s->panel = ovl_gemm_even(s->k) * VL;
	s->n_tiles = ovl_gemm_bf16_tiles(s->m, p->threads);
	set_chunks(s, p->threads);
	if (!ovl_mul_ok((size_t)s->vecs, (size_t)s->panel * sizeof(half), &size))
		return ovl_fail(err, OVL_E_MEMORY, "the weights are too large");
	snprintf(tag, sizeof tag, "matmul bf16 k%lld n%lld%s", (long long)s->k, (long long)s->n, turned ? " turned" : "");
	OVL_TRY(ovl_packs_get(p->packs, args.from, tag, size, fill_weights, &args, &s->weights, err));
	OVL_TRY(ovl_gemm_tail_prepare(&s->tail, &s->bias, plain, p->out[0].rank - 1, err));
	if (s->tail.add_input >= 0) {
		const ovl_desc *d = &p->in[s->tail.add_input];
		s->add_half = d->type == OVL_BF16;
		if (!as_rows(d, &rows, &s->ldadd))
			return ovl_fail(err, OVL_E_INTERNAL, "MatMul was prepared with strides it did not accept");
	}
	if (!s->a_half)
		s->a_room = ovl_gemm_up(parts(s->n_tiles, s->m_chunks) * MR * ovl_gemm_even(s->k), 32);
	if (!ovl_mul_ok((size_t)s->a_room * sizeof(half), (size_t)most(1, p->threads), &out->scratch))
		return ovl_fail(err, OVL_E_MEMORY, "the scratch memory is too large");
	snprintf(out->detail, sizeof out->detail, "%lldx%lldx%lld", (long long)s->m, (long long)s->k, (long long)s->n);
	return OVL_OK;
}

static void release(void *state)
{
	matmul_state *s = state;
	if (!s)
		return;
	ovl_buffer_release(s->weights);
	ovl_free(s->bias);
	ovl_free(s);
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	matmul_state *s = ovl_calloc(1, sizeof *s);
	ovl_plain_problem plain;
	ovl_status status;
	const char *why = ovl_halves_plain(p, &plain);
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a matrix product");
	status = why ? ovl_fail(err, OVL_E_INTERNAL, "MatMul: %s", why) : set_up(s, p, &plain.p, out, err);
	if (status != OVL_OK)
		release(s);
	else
		out->state = s;
	return status;
}

typedef struct matmul_job {
	const matmul_state *s;
	const ovl_call *call;
} matmul_job;

static void do_chunk(void *arg, int64_t chunk, int worker)
{
	const matmul_job *job = arg;
	const matmul_state *s = job->s;
	int64_t i = chunk / s->n_chunks, j = chunk % s->n_chunks;
	ovl_shares tiles = ovl_shares_even(s->n_tiles, s->m_chunks), columns = ovl_shares_even(s->vecs, s->n_chunks);
	int64_t first = ovl_gemm_tile_at(s->m, s->n_tiles, ovl_shares_at(&tiles, i));
	int64_t end = ovl_gemm_tile_at(s->m, s->n_tiles, ovl_shares_at(&tiles, i + 1));
	int64_t vec = ovl_shares_at(&columns, j), vec_end = ovl_shares_at(&columns, j + 1);
	const char *add = s->tail.add_input < 0 ? NULL : job->call->in[s->tail.add_input];
	ovl_gemm_bf16 g = {.k = s->k, .n = s->n, .ldc = s->ldc, .ldadd = s->ldadd, .c_half = s->c_half, .add_half = s->add_half, .b = s->weights->data,
		.b_vec = s->panel, .bias = s->bias};
	const half *a = (const half *)job->call->in[0] + first * s->lda;
	int64_t lda = s->lda;
	if (job->call->cancel && __atomic_load_n(job->call->cancel, __ATOMIC_RELAXED))
		return;
	ovl_gemm_bf16_set_tail(&g, &s->tail, job->call->in);
	if (!s->a_half) {
		half *rounded = (half *)job->call->scratch + worker * s->a_room;
		lda = ovl_gemm_even(s->k);
		for (int64_t r = 0; r < end - first; r++)
			vh_narrow_row(rounded + r * lda, (const float *)job->call->in[0] + (first + r) * s->lda, s->k);
		a = rounded;
	}
	ovl_gemm_bf16_run(&g, end - first, a, lda, (char *)job->call->out[0] + first * s->ldc * (s->c_half ? 2 : 4),
		add ? add + first * s->ldadd * (s->add_half ? 2 : 4) : NULL, first, vec, vec_end - vec);
}

static ovl_status run(const ovl_call *call)
{
	const matmul_state *s = call->state;
	matmul_job job = {s, call};
	ovl_pool_run(call->pool, s->m_chunks * s->n_chunks, do_chunk, &job);
	if (call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	return OVL_OK;
}

static const ovl_kernel matmul = {.name = "matmul_avx512_bf16",
	.ops = "MatMul",
	.isa = OVL_ISA_AVX512_BF16,
	.rank = 10,
	.halves = true,
	.accept = accept,
	.prepare = prepare,
	.run = run,
	.release = release};
const ovl_kernel *const ovl_kernels_matmul_avx512_bf16[] = {&matmul, NULL};
