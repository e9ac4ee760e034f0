/* 3x3 convolutions of halves by Winograd's F(2x2, 3x3): 16 products of (tiles x channels) instead of 9 of (4 tiles x channels), 2.25 times fewer multiplications.
 * Transformations are done in f32; what they give is rounded to halves, products are summed up in f32.
 *
 * Channels go in blocks of 32, of which the even ones come first: that is what widening gives, and the order along k is nobody's business but the weights'.
 *
 * Rounding transformed pixels, which the direct way does not have to do, shows in the results of nets of few channels; these gain least, too: fewer than LEAST channels are refused,
 * in large pictures (LARGE tiles, so that weights are the smaller part) fewer than two blocks.
 *
 * Where weights are light each thread takes tiles through all three steps, so many at a time that everything stays in its L2. Where they are heavy (and tiles few) the
 * steps follow each other on all threads, and each product's weights are read by one thread only. */
#include "base/memory.h"
#include "kernels/act_bf16.h"
#include "kernels/conv.h"
#include "kernels/gemm_bf16.h"
#include "kernels/halves.h"
#include "kernels/packs.h"
#include <stdio.h>

enum { POINTS = 16, BLOCK = 32, LEAST = 96, LARGE = 512, MR = OVL_GEMM_BF16_MR };

typedef struct wino_state {
	ovl_conv_geometry g;
	int64_t ld, ldc, ldadd, k, vecs, panel, ldm; /* k: channels in whole blocks; ldm: of sums */
	int64_t tiles_x, tiles_y, n_tiles, at_once;  /* tiles of a row, rows of an image, all of them; tiles in a worker's scratch */
	bool by_steps, c_half, add_half;
	size_t v_size, m_size; /* bytes, of at_once tiles */
	ovl_buffer *weights;   /* [point][vec][k / 2][16][2] */
	float *bias;
	ovl_gemm_tail tail;
} wino_state;

/* ---- what is accepted ---- */

static const char *check_tail(const ovl_problem *plain)
{
	ovl_gemm_tail tail;
	float *bias = NULL;
	ovl_error err;
	if (ovl_gemm_tail_prepare(&tail, &bias, plain, 1, &err) != OVL_OK)
		return "posts";
	ovl_free(bias);
	return tail.rest.n ? "more posts than a bias, a sum and a function" : NULL;
}

static const char *accept(ovl_problem *p)
{
	ovl_plain_problem plain;
	ovl_conv_geometry g;
	const char *why = ovl_halves_plain(p, &plain);
	if (why || (why = ovl_conv_problem(&plain.p, &g)))
		return why;
	if (!p->in_data[1] || g.groups != 1 || g.in[0] != 1 || g.kernel[0] != 1)
		return "weights are not constant, groups, or three dimensions";
	for (int i = 1; i < 3; i++)
		if (g.kernel[i] != 3 || g.stride[i] != 1 || g.dilation[i] != 1 || g.out[i] < 4)
			return "not 3x3 with stride 1, or too small";
	if (g.in_channels < (g.out[1] * g.out[2] >= 4 * LARGE ? 2 * BLOCK : LEAST) || g.in_channels % BLOCK > 0 || g.out_channels < 8)
		return "channels are few, or do not come in blocks";
	if ((why = ovl_gemm_tail_accept(&plain.p, 1, OVL_FORM_CL)) || (why = check_tail(&plain.p)))
		return why;
	p->in_half[0] = true;
	p->in_form[0] = p->out_form[0] = OVL_FORM_CL;
	p->in_packed[1] = true;
	p->out_half = p->halves_read;
	ovl_halves_operands(p, ovl_gemm_tail_add(&plain.p, 1));
	return NULL;
}

/* ---- weights ---- */

/* Channel that stands at place k. */
static int64_t channel_at(int64_t k) { return k / BLOCK * BLOCK + k % VL * 2 + k % BLOCK / VL; }

/* G g G^T of one filter. */
static void transform_filter(const float *g, float u[POINTS])
{
	float t[4][3];
	for (int j = 0; j < 3; j++) {
		t[0][j] = g[j];
		t[1][j] = 0.5f * (g[j] + g[3 + j] + g[6 + j]);
		t[2][j] = 0.5f * (g[j] - g[3 + j] + g[6 + j]);
		t[3][j] = g[6 + j];
	}
	for (int i = 0; i < 4; i++) {
		u[4 * i] = t[i][0];
		u[4 * i + 1] = 0.5f * (t[i][0] + t[i][1] + t[i][2]);
		u[4 * i + 2] = 0.5f * (t[i][0] - t[i][1] + t[i][2]);
		u[4 * i + 3] = t[i][2];
	}
}

typedef struct fill_args {
	const wino_state *s;
	const float *from;
} fill_args;

static void fill_weights(void *dst, void *arg)
{
	const fill_args *a = arg;
	const wino_state *s = a->s;
	int64_t ic = s->g.in_channels, oc = s->g.out_channels;
	float u[POINTS], all[POINTS][BLOCK * VL];
	for (int64_t v = 0; v < s->vecs; v++)
		for (int64_t first = 0; first < s->k; first += BLOCK) {
			for (int64_t i = 0; i < BLOCK * VL; i++) {
				int64_t o = v * VL + i % VL, c = channel_at(first + i / VL);
				if (o < oc)
					transform_filter(a->from + (o * ic + c) * 9, u);
				for (int point = 0; point < POINTS; point++)
					all[point][i] = o < oc ? u[point] : 0;
			}
			for (int64_t point = 0; point < POINTS; point++)
				ovl_gemm_bf16_pack((half *)dst + (point * s->vecs + v) * s->panel + first * VL, all[point], BLOCK, VL, VL, 1);
		}
}

/* ---- plan ---- */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static void set_tiles(wino_state *s, int threads)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t each = POINTS * (2 * s->k + 4 * s->ldm), heavy = POINTS * s->vecs * s->panel * 2, fit;
	s->tiles_x = (g->out[2] + 1) / 2;
	s->tiles_y = (g->out[1] + 1) / 2;
	s->n_tiles = g->batch * s->tiles_x * s->tiles_y;
	s->by_steps = heavy > 768 << 10 && s->n_tiles <= 4 * MR * threads;
	fit = most(2 * MR, (448 << 10) / each / MR * MR);
	s->at_once = s->by_steps ? s->n_tiles : least(fit, most(MR, (s->n_tiles + threads - 1) / threads));
	s->v_size = (size_t)(POINTS * s->at_once * s->k) * sizeof(half);
	s->m_size = (size_t)(POINTS * s->at_once * s->ldm) * sizeof(float);
}

static ovl_status set_up(void *state, const ovl_problem *p, const ovl_problem *plain, ovl_prepared *out, ovl_error *err)
{
	wino_state *s = state;
	const ovl_conv_geometry *g = &s->g;
	fill_args args = {s, p->in_data[1]};
	size_t size;
	char tag[96];
	const char *why = ovl_conv_problem(plain, &s->g);
	if (why)
		return ovl_fail(err, OVL_E_INTERNAL, "convolution: %s", why);
	ovl_desc_is_cl(&p->in[0], &s->ld);
	ovl_desc_is_cl(&p->out[0], &s->ldc);
	s->c_half = p->out[0].type == OVL_BF16;
	s->k = ovl_gemm_up(g->in_channels, BLOCK);
	s->panel = s->k * VL;
	s->vecs = (g->out_channels + VL - 1) / VL;
	s->ldm = s->vecs * VL;
	set_tiles(s, p->threads);
	if (!ovl_mul_ok((size_t)(POINTS * s->vecs), (size_t)s->panel * sizeof(half), &size))
		return ovl_fail(err, OVL_E_MEMORY, "the weights are too large");
	snprintf(tag, sizeof tag, "wino2x2 bf16 o%lld i%lld", (long long)g->out_channels, (long long)g->in_channels);
	OVL_TRY(ovl_packs_get(p->packs, args.from, tag, size, fill_weights, &args, &s->weights, err));
	OVL_TRY(ovl_gemm_tail_prepare(&s->tail, &s->bias, plain, 1, err));
	if (s->tail.add_input >= 0) {
		ovl_desc_is_cl(&p->in[s->tail.add_input], &s->ldadd);
		s->add_half = p->in[s->tail.add_input].type == OVL_BF16;
	}
	if (!ovl_mul_ok(s->v_size + s->m_size, (size_t)(s->by_steps ? 1 : most(1, p->threads)), &out->scratch))
		return ovl_fail(err, OVL_E_MEMORY, "the scratch memory is too large");
	snprintf(out->detail, sizeof out->detail, "wino2x2 %s", s->by_steps ? "filters" : "blocks");
	return OVL_OK;
}

static void release(void *state)
{
	wino_state *s = state;
	if (!s)
		return;
	ovl_buffer_release(s->weights);
	ovl_free(s->bias);
	ovl_free(s);
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	return ovl_halves_prepare(sizeof(wino_state), set_up, release, p, out, err);
}

/* ---- the three steps, for tiles [first, first + n) that lie from place 0 on in V and M ---- */

/* 4 x 4 pixels of a tile; NULL: outside the picture. */
typedef const half *pixels[4][4];

static void find_pixels(const wino_state *s, const half *in, int64_t tile, pixels at)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t x = tile % s->tiles_x * 2 - g->pad_begin[2], y = tile / s->tiles_x % s->tiles_y * 2 - g->pad_begin[1], n = tile / (s->tiles_x * s->tiles_y);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++) {
			bool inside = y + i >= 0 && y + i < g->in[1] && x + j >= 0 && x + j < g->in[2];
			at[i][j] = inside ? in + ((n * g->in[1] + y + i) * g->in[2] + x + j) * s->ld : NULL;
		}
}

/* Even or odd channels of the 32 at c. */
static inline __attribute__((always_inline)) V half_of(const half *p, int64_t c, const bool odd)
{
	__m512i x = p ? _mm512_loadu_si512(p + c) : _mm512_setzero_si512();
	return v_of_bits(odd ? _mm512_and_si512(x, _mm512_set1_epi32((int)0xffff0000u)) : _mm512_slli_epi32(x, 16));
}

/* B^T d B */
static inline __attribute__((always_inline)) void transform_channels(pixels at, int64_t c, half *to, int64_t step, const bool odd)
{
	V t[4][4];
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		V a = half_of(at[0][j], c, odd), b = half_of(at[1][j], c, odd), d = half_of(at[2][j], c, odd), e = half_of(at[3][j], c, odd);
		t[0][j] = v_sub(a, d);
		t[1][j] = v_add(b, d);
		t[2][j] = v_sub(d, b);
		t[3][j] = v_sub(b, e);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		half *p = to + 4 * i * step;
		vh_store(p, v_sub(t[i][0], t[i][2]));
		vh_store(p + step, v_add(t[i][1], t[i][2]));
		vh_store(p + 2 * step, v_sub(t[i][2], t[i][1]));
		vh_store(p + 3 * step, v_sub(t[i][1], t[i][3]));
	}
}

static void step_in(const wino_state *s, const half *in, half *v, int64_t place, int64_t first, int64_t n)
{
	int64_t step = s->at_once * s->k;
	pixels at;
	for (int64_t i = 0; i < n; i++) {
		half *to = v + (place + i) * s->k;
		find_pixels(s, in, first + i, at);
		for (int64_t c = 0; c < s->k; c += BLOCK) {
			transform_channels(at, c, to + c, step, false);
			transform_channels(at, c, to + c + VL, step, true);
		}
	}
}

static void step_multiply(const wino_state *s, const half *v, float *m, int64_t n, int64_t point, int64_t vec, int64_t n_vecs)
{
	ovl_gemm_bf16 g = {.k = s->k, .n = s->g.out_channels, .ldc = s->ldm, .b = (const half *)s->weights->data + point * s->vecs * s->panel, .b_vec = s->panel};
	ovl_gemm_bf16_run(&g, n, v + point * s->at_once * s->k, s->k, m + point * s->at_once * s->ldm, NULL, 0, vec, n_vecs);
}

/* A^T m A of 16 channels: o[y][x]. */
static inline void transform_sums(const float *m, int64_t step, V o[2][2])
{
	V t[2][4];
#pragma GCC unroll 4
	for (int j = 0; j < 4; j++) {
		V a = v_load(m + j * step), b = v_load(m + (4 + j) * step), c = v_load(m + (8 + j) * step), d = v_load(m + (12 + j) * step);
		t[0][j] = v_add(a, v_add(b, c));
		t[1][j] = v_sub(b, v_add(c, d));
	}
#pragma GCC unroll 2
	for (int i = 0; i < 2; i++) {
		o[i][0] = v_add(t[i][0], v_add(t[i][1], t[i][2]));
		o[i][1] = v_sub(t[i][1], v_add(t[i][2], t[i][3]));
	}
}

static inline void write_pixel(const wino_state *s, const ovl_call *call, int64_t pixel, int64_t c, V x)
{
	VT t = v_tail(s->g.out_channels - c);
	if (s->tail.add_input >= 0) {
		const void *add = call->in[s->tail.add_input];
		x = v_add(x, s->add_half ? vh_load_t((const half *)add + pixel * s->ldadd + c, t) : v_load_t((const float *)add + pixel * s->ldadd + c, t));
	}
	x = vh_act(s->tail.act, v_set(s->tail.alpha), v_set(s->tail.beta), x);
	if (s->c_half)
		vh_store_t((half *)call->out[0] + pixel * s->ldc + c, x, t);
	else
		v_store_t((float *)call->out[0] + pixel * s->ldc + c, x, t);
}

static void step_out(const wino_state *s, const ovl_call *call, const float *m, int64_t place, int64_t first, int64_t n)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t step = s->at_once * s->ldm;
	for (int64_t i = 0; i < n; i++) {
		int64_t tile = first + i, x = tile % s->tiles_x * 2, y = tile / s->tiles_x % s->tiles_y * 2, image = tile / (s->tiles_x * s->tiles_y);
		int64_t pixel = (image * g->out[1] + y) * g->out[2] + x;
		bool right = x + 1 < g->out[2], below = y + 1 < g->out[1];
		for (int64_t c = 0; c < g->out_channels; c += VL) {
			V o[2][2], bias = s->bias ? v_load(s->bias + c) : v_zero();
			transform_sums(m + (place + i) * s->ldm + c, step, o);
			write_pixel(s, call, pixel, c, v_add(o[0][0], bias));
			if (right)
				write_pixel(s, call, pixel + 1, c, v_add(o[0][1], bias));
			if (below)
				write_pixel(s, call, pixel + g->out[2], c, v_add(o[1][0], bias));
			if (right && below)
				write_pixel(s, call, pixel + g->out[2] + 1, c, v_add(o[1][1], bias));
		}
	}
}

/* ---- run ---- */

typedef struct wino_job {
	const wino_state *s;
	const ovl_call *call;
	int64_t chunks, parts; /* of tiles; of columns */
} wino_job;

static bool cancelled(const ovl_call *call) { return call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED); }

static void do_block(void *arg, int64_t chunk, int worker)
{
	const wino_job *job = arg;
	const wino_state *s = job->s;
	int64_t first = ovl_gemm_tile_at(s->n_tiles, job->chunks, chunk), end = ovl_gemm_tile_at(s->n_tiles, job->chunks, chunk + 1);
	char *scratch = (char *)job->call->scratch + (size_t)worker * (s->v_size + s->m_size);
	half *v = (void *)scratch;
	float *m = (void *)(scratch + s->v_size);
	if (cancelled(job->call))
		return;
	step_in(s, job->call->in[0], v, 0, first, end - first);
	for (int64_t point = 0; point < POINTS; point++)
		step_multiply(s, v, m, end - first, point, 0, s->vecs);
	step_out(s, job->call, m, 0, first, end - first);
}

static void do_in(void *arg, int64_t chunk, int worker)
{
	const wino_job *job = arg;
	int64_t first = ovl_gemm_tile_at(job->s->n_tiles, job->chunks, chunk), end = ovl_gemm_tile_at(job->s->n_tiles, job->chunks, chunk + 1);
	(void)worker;
	step_in(job->s, job->call->in[0], job->call->scratch, first, first, end - first);
}

static void do_multiply(void *arg, int64_t chunk, int worker)
{
	const wino_job *job = arg;
	const wino_state *s = job->s;
	int64_t part = chunk % job->parts, vec = ovl_gemm_tile_at(s->vecs, job->parts, part), end = ovl_gemm_tile_at(s->vecs, job->parts, part + 1);
	(void)worker;
	if (!cancelled(job->call))
		step_multiply(s, job->call->scratch, (float *)(void *)((char *)job->call->scratch + s->v_size), s->n_tiles, chunk / job->parts, vec, end - vec);
}

static void do_out(void *arg, int64_t chunk, int worker)
{
	const wino_job *job = arg;
	int64_t first = ovl_gemm_tile_at(job->s->n_tiles, job->chunks, chunk), end = ovl_gemm_tile_at(job->s->n_tiles, job->chunks, chunk + 1);
	(void)worker;
	step_out(job->s, job->call, (const float *)(const void *)((const char *)job->call->scratch + job->s->v_size), first, first, end - first);
}

static ovl_status run(const ovl_call *call)
{
	const wino_state *s = call->state;
	wino_job job = {s, call, (s->n_tiles + s->at_once - 1) / s->at_once, 1};
	if (s->by_steps) {
		job.chunks = least(s->n_tiles, 4 * ovl_pool_threads(call->pool));
		job.parts = s->vecs > 8 ? 2 : 1;
		ovl_pool_run(call->pool, job.chunks, do_in, &job);
		ovl_pool_run(call->pool, POINTS * job.parts, do_multiply, &job);
		ovl_pool_run(call->pool, job.chunks, do_out, &job);
	} else {
		ovl_pool_run(call->pool, job.chunks, do_block, &job);
	}
	return cancelled(call) ? ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled") : OVL_OK;
}

static const ovl_kernel conv = {.name = "conv_wino_avx512_bf16",
	.ops = "Convolution",
	.isa = OVL_ISA_AVX512_BF16,
	.rank = 20,
	.halves = true,
	.accept = accept,
	.prepare = prepare,
	.run = run,
	.release = release};
const ovl_kernel *const ovl_kernels_conv_wino_avx512_bf16[] = {&conv, NULL};
