/* conv_wino.c - 3 x 3 convolutions of stride 1 in tiles of 2 x 2 or 4 x 4 output pixels: 16 products instead of 36, 36 instead of 144.
 *
 * A tile of the input is transformed into n x n values per channel ("planes"); each plane of all tiles is multiplied with a transformed filter
 * matrix of its own; the sums of a tile are transformed back. Two ways to share the work:
 *   blocks   a chunk is a block of tiles, from input to output, with all filters: for filters that stay in L2
 *   filters  all tiles are transformed first; a chunk then is some output channels, so that each filter is read by one thread only, once */
#include "kernels/conv_wino.h"
#include "base/memory.h"
#include "kernels/conv.h"
#include "kernels/packs.h"
#include <stdio.h>

typedef struct wino_state {
	const ovl_wino_isa *isa;
	ovl_conv_geometry g;
	int out, planes;             /* 2 or 4; 16 or 36 */
	int64_t ic, oc, vecs, k_ld;  /* k_ld: distance of tiles in the transformed input */
	int64_t across, down, tiles; /* tiles of a row, of a column, of all images */
	int64_t ld, ldc, ldadd;
	bool blocks;
	int64_t block, tile_chunks, channel_chunks, m_ld; /* block: tiles that are multiplied together */
	int64_t in_floats, worker_floats;
	ovl_buffer *filters; /* [plane][vec][channel][vl] */
	float *bias;
	ovl_gemm_tail tail;
} wino_state;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

/* ---- which size of tile ---- */

static int64_t tiles_of(const ovl_conv_geometry *g, int out) { return g->batch * parts(g->out[1], out) * parts(g->out[2], out); }

/* Rough cycles: multiplications at two vectors a cycle, transformations as measured, filters from far memory at 16 bytes a cycle where they outgrow
 * L2. */
static double cycles(const ovl_conv_geometry *g, int vl, int out)
{
	double ic = (double)g->in_channels, in_vecs = (double)parts(g->in_channels, vl), vecs = (double)parts(g->out_channels, vl),
	       n = (out + 2) * (out + 2);
	double pixels = (double)(g->batch * g->out[1] * g->out[2]), tiles = out ? (double)tiles_of(g, out) : 0, work, bytes;
	if (!out) {
		work = pixels * 9 * ic * vecs / 2;
		bytes = 36 * ic * vecs * vl;
	} else {
		work = tiles * (n * ic * vecs / 2 * 1.05 + (out == 4 ? 150 : 55) * in_vecs + (out == 4 ? 130 : 50) * vecs);
		bytes = 4 * n * ic * vecs * vl;
	}
	return work + (bytes > 1e6 ? bytes / 16 : 0);
}

/* 0: none is worth it. A larger tile rounds a little more and its filters take more memory: it has to earn that. */
static int choose_tile(const ovl_conv_geometry *g, int vl)
{
	double direct = cycles(g, vl, 0), two = cycles(g, vl, 2), four = cycles(g, vl, 4);
	if (four < 0.9 * two && four < 0.85 * direct)
		return 4;
	return two < 0.8 * direct ? 2 : 0;
}

const char *const ovl_wino_ways[] = {"2x2", "4x4", NULL};
static int tile_of(const ovl_problem *p, const ovl_conv_geometry *g, int vl) { return p->way ? 2 * p->way : choose_tile(g, vl); }

const char *ovl_wino_accept(const ovl_wino_isa *isa, ovl_problem *p)
{
	ovl_conv_geometry g;
	const char *why = ovl_conv_problem(p, &g);
	if (why)
		return why;
	if (!p->in_data[1])
		return "weights are not constant";
	if (g.groups != 1 || g.kernel[0] != 1 || g.in[0] != 1 || g.out[0] != 1 || g.kernel[1] != 3 || g.kernel[2] != 3)
		return "not a 3 x 3 kernel";
	if (g.stride[1] != 1 || g.stride[2] != 1 || g.dilation[1] != 1 || g.dilation[2] != 1 || g.pad_begin[0])
		return "strides or dilations are not 1";
	if (g.in_channels < isa->gemm->vl)
		return "too few channels";
	if (!tile_of(p, &g, isa->gemm->vl))
		return "the direct way is faster";
	p->in_form[0] = OVL_FORM_CL;
	p->in_packed[1] = true;
	p->out_form[0] = OVL_FORM_CL;
	return ovl_gemm_tail_accept(p, 1, OVL_FORM_CL);
}

/* ---- filters ---- */

/* Values of 1, x, x^2 at the points of interpolation, divided by the derivative there of the polynomial that has them as roots. */
#define ROOT 1.4142135623730951
static const double g2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
static const double g4[6][3] = {{1, 0, 0}, {-2.0 / 3, -ROOT / 3, -1.0 / 3}, {-2.0 / 3, ROOT / 3, -1.0 / 3}, {1.0 / 6, ROOT / 6, 1.0 / 3},
	{1.0 / 6, -ROOT / 6, 1.0 / 3}, {0, 0, 1}};

typedef struct fill_args {
	const wino_state *s;
	const float *from; /* [oc][ic][3][3] */
} fill_args;

/* G w G^T of one filter, in double: filters are made once and rounding here would stay. */
static void turn_filter(const double (*g)[3], int n, const float *w, double *to)
{
	double half[6][3];
	for (int a = 0; a < n; a++)
		for (int x = 0; x < 3; x++)
			half[a][x] = g[a][0] * (double)w[x] + g[a][1] * (double)w[3 + x] + g[a][2] * (double)w[6 + x];
	for (int a = 0; a < n; a++)
		for (int b = 0; b < n; b++)
			to[a * n + b] = half[a][0] * g[b][0] + half[a][1] * g[b][1] + half[a][2] * g[b][2];
}

static void fill_filters(void *dst, void *arg)
{
	const fill_args *a = arg;
	const wino_state *s = a->s;
	int64_t vl = s->isa->gemm->vl, plane = s->vecs * s->ic * vl;
	for (int64_t v = 0; v < s->vecs; v++)
		for (int64_t i = 0; i < s->ic; i++)
			for (int64_t lane = 0; lane < vl && v * vl + lane < s->oc; lane++) {
				double values[36];
				turn_filter(s->out == 2 ? g2 : g4, s->out + 2, a->from + ((v * vl + lane) * s->ic + i) * 9, values);
				for (int q = 0; q < s->planes; q++)
					((float *)dst)[q * plane + (v * s->ic + i) * vl + lane] = (float)values[q];
			}
}

/* ---- plan ---- */

/* Tiles whose values stay in L2; beside the filters, where many blocks read these again and a whole tile of the product fits. */
static int64_t block_of(int64_t tiles, int64_t mr, int64_t filters, int64_t per_tile)
{
	enum { L2_BYTES = 900 << 10 };
	int64_t alone = most(mr, least(3 * mr, L2_BYTES / per_tile)), beside = (L2_BYTES - filters) / per_tile / mr * mr;
	return tiles > 2 * alone && beside >= mr ? least(alone, beside) : alone;
}

static void set_chunks(wino_state *s, int threads)
{
	int64_t vl = s->isa->gemm->vl, filters = s->planes * s->vecs * s->ic * vl * 4, all_in = s->planes * s->tiles * s->k_ld * 4, blocks;
	int64_t per_tile = s->planes * (s->k_ld + s->vecs * vl) * 4;
	s->blocks = filters <= 1200 << 10 || all_in > 6 << 20;
	s->channel_chunks = s->tile_chunks = 1;
	if (s->blocks) {
		s->block = block_of(s->tiles, s->isa->gemm->mr, filters, per_tile);
		blocks = parts(s->tiles, s->block);
		if (threads > 1 && blocks < 4 * (int64_t)threads) /* as many for each */
			blocks = most(blocks, least(parts(s->tiles, s->isa->gemm->mr), 4 * (int64_t)threads));
		s->block = parts(s->tiles, parts(blocks, threads) * threads);
		s->tile_chunks = parts(s->tiles, s->block);
		s->m_ld = s->vecs * vl + 16;
		s->in_floats = 0;
		s->worker_floats = s->planes * s->block * (s->k_ld + s->m_ld);
		return;
	}
	if (threads > 1)
		s->channel_chunks = least(most(1, s->vecs / 2), 4 * (int64_t)threads);
	s->block = least(s->tiles, 64);
	s->tile_chunks = most(1, least(parts(s->tiles, s->isa->gemm->mr), 4 * (int64_t)threads));
	s->m_ld = parts(s->vecs, s->channel_chunks) * vl + 16;
	s->in_floats = s->planes * s->tiles * s->k_ld;
	s->worker_floats = s->planes * s->block * s->m_ld;
}

static ovl_status set_up(wino_state *s, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	const ovl_conv_geometry *g = &s->g;
	fill_args args = {s, p->in_data[1]};
	int64_t vl = s->isa->gemm->vl, floats;
	char tag[80];
	s->out = tile_of(p, g, (int)vl);
	if (!s->out)
		return ovl_fail(err, OVL_E_INTERNAL, "no tile for this convolution");
	s->planes = (s->out + 2) * (s->out + 2);
	s->ic = g->in_channels;
	s->oc = g->out_channels;
	s->vecs = parts(s->oc, vl);
	s->k_ld = ovl_gemm_up(s->ic, 16) + 16;
	s->down = parts(g->out[1], s->out);
	s->across = parts(g->out[2], s->out);
	s->tiles = tiles_of(g, s->out);
	ovl_desc_is_cl(&p->in[0], &s->ld);
	ovl_desc_is_cl(&p->out[0], &s->ldc);
	set_chunks(s, p->threads);
	if (__builtin_mul_overflow(s->worker_floats, most(1, p->threads), &floats) || __builtin_add_overflow(floats, s->in_floats, &floats) ||
		floats > INT64_MAX / 8)
		return ovl_fail(err, OVL_E_MEMORY, "the scratch memory is too large");
	out->scratch = (size_t)floats * sizeof(float);
	snprintf(tag, sizeof tag, "wino%d vl%lld o%lld i%lld", s->out, (long long)vl, (long long)s->oc, (long long)s->ic);
	OVL_TRY(ovl_packs_get(
		p->packs, args.from, tag, (size_t)(s->planes * s->vecs * s->ic * vl) * sizeof(float), fill_filters, &args, &s->filters, err));
	OVL_TRY(ovl_gemm_tail_prepare(&s->tail, &s->bias, p, 1, err));
	if (s->tail.add_input >= 0)
		ovl_desc_is_cl(&p->in[s->tail.add_input], &s->ldadd);
	snprintf(out->detail, sizeof out->detail, "wino%dx%d %s", s->out, s->out, s->blocks ? "blocks" : "filters");
	return OVL_OK;
}

ovl_status ovl_wino_prepare(const ovl_wino_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	wino_state *s = ovl_calloc(1, sizeof *s);
	ovl_status status;
	const char *why;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a convolution");
	s->isa = isa;
	why = ovl_conv_problem(p, &s->g);
	status = why ? ovl_fail(err, OVL_E_INTERNAL, "convolution: %s", why) : set_up(s, p, out, err);
	if (status != OVL_OK)
		ovl_wino_release(s);
	else
		out->state = s;
	return status;
}

void ovl_wino_release(void *state)
{
	wino_state *s = state;
	if (!s)
		return;
	ovl_buffer_release(s->filters);
	ovl_free(s->bias);
	ovl_free(s);
}

/* ---- run ---- */

typedef struct wino_job {
	const wino_state *s;
	const ovl_call *call;
} wino_job;

static bool cancelled(const ovl_call *call) { return call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED); }

typedef struct spot {
	int64_t image, y, x; /* of the first output pixel */
} spot;

static spot spot_of(const wino_state *s, int64_t tile)
{
	return (spot){tile / (s->across * s->down), tile / s->across % s->down * s->out, tile % s->across * s->out};
}

/* Tiles [first, first + n) into to[plane][tile], planes `count` tiles apart. */
static void transform_in(const wino_job *job, int64_t first, int64_t n, float *to, int64_t count)
{
	const wino_state *s = job->s;
	const ovl_conv_geometry *g = &s->g;
	int64_t side = s->out + 2;
	ovl_wino_in t = {.row = g->in[2] * s->ld, .x = s->ld, .channels = s->ic, .plane = count * s->k_ld};
	for (int64_t i = 0; i < n; i++) {
		spot at = spot_of(s, first + i);
		int64_t y = at.y - g->pad_begin[1], x = at.x - g->pad_begin[2];
		t.pixel = (const float *)job->call->in[0] + at.image * g->in[1] * t.row + y * t.row + x * s->ld;
		t.y0 = y < 0 ? least(-y, side) : 0;
		t.x0 = x < 0 ? least(-x, side) : 0;
		t.y1 = most(t.y0, least(side, g->in[1] - y));
		t.x1 = most(t.x0, least(side, g->in[2] - x));
		t.to = to + i * s->k_ld;
		s->isa->in[s->out / 4](&t);
	}
}

/* sums[plane][tile][channel] for vectors [v0, v1). */
static void multiply(const wino_state *s, const float *in, int64_t in_count, int64_t n, float *sums, int64_t v0, int64_t v1)
{
	int64_t vl = s->isa->gemm->vl;
	ovl_gemm g = {.k = s->ic, .n = v1 * vl, .ldc = s->m_ld, .b_row = vl, .b_vec = s->ic * vl};
	for (int q = 0; q < s->planes; q++) {
		g.b = (const float *)s->filters->data + q * s->vecs * g.b_vec;
		s->isa->gemm->run(&g, n, in + q * in_count * s->k_ld, s->k_ld, sums + q * s->block * s->m_ld - v0 * vl, NULL, 0, v0, v1 - v0);
	}
}

static void finish_tile(const wino_job *job, const ovl_wino_out *t, int64_t pixel, int64_t channel)
{
	const wino_state *s = job->s;
	for (int64_t y = 0; y < t->height; y++) {
		float *c = t->c + y * t->row;
		if (s->tail.act > OVL_GEMM_CLAMP)
			s->isa->gemm->act(s->tail.act, s->tail.alpha, s->tail.beta, c, s->ldc, t->width, t->channels);
		if (s->tail.rest.n)
			s->isa->gemm->posts(&s->tail.rest, c, s->ldc, t->width, t->channels, pixel + y * s->g.out[2], channel, job->call->in);
	}
}

static void transform_out(const wino_job *job, int64_t first, int64_t n, const float *sums, int64_t v0, int64_t v1)
{
	const wino_state *s = job->s;
	const ovl_conv_geometry *g = &s->g;
	int64_t channel = v0 * s->isa->gemm->vl;
	ovl_wino_out t = {.plane = s->block * s->m_ld,
		.row = g->out[2] * s->ldc,
		.ldc = s->ldc,
		.row_add = g->out[2] * s->ldadd,
		.ldadd = s->ldadd,
		.channels = least(s->oc, v1 * s->isa->gemm->vl) - channel,
		.bias = s->bias ? s->bias + channel : NULL,
		.clamp = s->tail.act == OVL_GEMM_CLAMP,
		.low = s->tail.alpha,
		.high = s->tail.beta};
	for (int64_t i = 0; i < n; i++) {
		spot at = spot_of(s, first + i);
		int64_t pixel = (at.image * g->out[1] + at.y) * g->out[2] + at.x;
		t.from = sums + i * s->m_ld;
		t.c = (float *)job->call->out[0] + pixel * s->ldc + channel;
		t.add = s->tail.add_input < 0 ? NULL : (const float *)job->call->in[s->tail.add_input] + pixel * s->ldadd + channel;
		t.height = least(s->out, g->out[1] - at.y);
		t.width = least(s->out, g->out[2] - at.x);
		s->isa->out[s->out / 4](&t);
		if (s->tail.act > OVL_GEMM_CLAMP || s->tail.rest.n)
			finish_tile(job, &t, pixel, channel);
	}
}

static void block_chunk(void *arg, int64_t chunk, int worker)
{
	const wino_job *job = arg;
	const wino_state *s = job->s;
	int64_t first = ovl_gemm_tile_at(s->tiles, s->tile_chunks, chunk), n = ovl_gemm_tile_at(s->tiles, s->tile_chunks, chunk + 1) - first;
	float *in = (float *)job->call->scratch + worker * s->worker_floats, *sums = in + s->planes * s->block * s->k_ld;
	if (cancelled(job->call))
		return;
	transform_in(job, first, n, in, s->block);
	multiply(s, in, s->block, n, sums, 0, s->vecs);
	transform_out(job, first, n, sums, 0, s->vecs);
}

static void in_chunk(void *arg, int64_t chunk, int worker)
{
	const wino_job *job = arg;
	const wino_state *s = job->s;
	int64_t first = ovl_gemm_tile_at(s->tiles, s->tile_chunks, chunk), last = ovl_gemm_tile_at(s->tiles, s->tile_chunks, chunk + 1);
	(void)worker;
	transform_in(job, first, last - first, (float *)job->call->scratch + first * s->k_ld, s->tiles);
}

static void channel_chunk(void *arg, int64_t chunk, int worker)
{
	const wino_job *job = arg;
	const wino_state *s = job->s;
	int64_t v0 = ovl_gemm_tile_at(s->vecs, s->channel_chunks, chunk), v1 = ovl_gemm_tile_at(s->vecs, s->channel_chunks, chunk + 1);
	float *in = job->call->scratch, *sums = in + s->in_floats + worker * s->worker_floats;
	for (int64_t first = 0; first < s->tiles && !cancelled(job->call); first += s->block) {
		int64_t n = least(s->block, s->tiles - first);
		multiply(s, in + first * s->k_ld, s->tiles, n, sums, v0, v1);
		transform_out(job, first, n, sums, v0, v1);
	}
}

ovl_status ovl_wino_run(const ovl_call *call)
{
	wino_job job = {call->state, call};
	const wino_state *s = call->state;
	if (s->blocks) {
		ovl_pool_run(call->pool, s->tile_chunks, block_chunk, &job);
	} else {
		ovl_pool_run(call->pool, s->tile_chunks, in_chunk, &job);
		ovl_pool_run(call->pool, s->channel_chunks, channel_chunk, &job);
	}
	if (cancelled(call))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	return OVL_OK;
}
