/* Depthwise convolutions of halves. Two lines of the picture are joined value by value (unpack), so that one vdpbf16ps does a tap of both: the first and the last of the
 * kernel, the second and the last but one, and so on. The middle line, and a line whose partner is outside the picture, become f32 in the same way, joined with zeros
 * behind them, and meet weights of f32: rounding those of the middle, which weigh most, would double the error of some nets. Nothing is multiplied by a zero weight, so
 * what a channel holds stays in it, NaN and infinity too. Pixels to the left and right of the picture are read from a line of zeros.
 *
 * Channels go in blocks of 32: `low` holds the first four of each eight, `high` the others, which is what unpacking makes of them. */
#include "base/memory.h"
#include "kernels/act_bf16.h"
#include "kernels/conv.h"
#include "kernels/halves.h"
#include "kernels/packs.h"
#include "kernels/shares.h"
#include <stdio.h>

#define UNROLL _Pragma("GCC unroll 32")

enum { BLOCK = 32, WIDEST = 8, MAX_LINES = 8 };

/* A block of channels of a row. */
typedef struct row_call {
	const half *line[MAX_LINES]; /* of each line of the kernel, at the pixel of the first tap of the first output; NULL: outside the picture */
	int64_t height;              /* of the kernel */
	const half *pairs;           /* of the block: [KH / 2][KW][2][16][2] */
	const float *singles;        /* of the block: [KH][KW][2][16] */
	const float *bias;           /* of the block: [2][16], or NULL */
	int64_t x;                   /* from pixel to pixel */
	int64_t before, width;       /* pixels to the left of the picture; its width */
	ovl_gemm_act act;
	V a, b;
	half *c;       /* output 0; NULL: into buffer */
	float *buffer; /* [width of a tile][32] in the order of channels */
	int64_t ldc;
	__mmask32 mask;
} row_call;

/* Output pixels from ox on, as many as the tile is wide. */
typedef void (*tile_fn)(const row_call *t, int64_t ox);

typedef struct dw_state {
	ovl_conv_geometry g;
	int64_t ld, ldc, ldadd, rows, channel_chunks, blocks, width, step, group;
	bool c_half, add_half, buffered;
	ovl_shares shares; /* of rows */
	tile_fn fn;
	ovl_buffer *weights; /* [block]: pairs, singles */
	size_t pairs_size, block_size;
	float *bias, *bias_blocks;
	ovl_gemm_tail tail;
} dw_state;

/* ---- tiles ---- */

/* What a tile reads: `shift` values from the start of each line, where pixels [first, last) of the tile are inside the picture. */
typedef struct tile_at {
	int64_t shift, first, last;
} tile_at;

static const half zeros[BLOCK] __attribute__((aligned(64)));

static inline __attribute__((always_inline)) __m512i load(const row_call *t, const tile_at *at, const half *line, int x, const bool inside,
	const bool full)
{
	const half *p = line + at->shift + x * t->x;
	if (!inside)
		p = x >= at->first && x < at->last ? p : zeros;
	return full ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi16(t->mask, p);
}

static inline __attribute__((always_inline)) void store(const row_call *t, int64_t ox, V low, V high, int i, const bool full)
{
	const __m512i quads = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
	__m512i both;
	if (!t->c) {
		const VI one = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
		const VI two = _mm512_setr_epi32(8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
		v_store(t->buffer + i * BLOCK, _mm512_permutex2var_ps(low, one, high));
		v_store(t->buffer + i * BLOCK + VL, _mm512_permutex2var_ps(low, two, high));
		return;
	}
	both = _mm512_permutexvar_epi64(quads, vh_join(low, high));
	if (full)
		_mm512_storeu_si512(t->c + (ox + i) * t->ldc, both);
	else
		_mm512_mask_storeu_epi16(t->c + (ox + i) * t->ldc, t->mask, both);
}

typedef struct sums {
	V low[WIDEST], high[WIDEST];
} sums;

/* K taps along x, stride S, W pixels; `inside`: no pixel is outside the picture; `full`: all channels of the block are there. */
static inline __attribute__((always_inline)) void two_lines(const row_call *t, const tile_at *at, sums *s, int64_t l, int64_t m, const int K,
	const int S, const int W, const bool inside, const bool full)
{
	const half *w = t->pairs + l * K * 64;
	__m512bh wl[5], wh[5];
	UNROLL for (int k = 0; k < K; k++) {
		wl[k] = (__m512bh)_mm512_loadu_si512(w + k * 64);
		wh[k] = (__m512bh)_mm512_loadu_si512(w + k * 64 + 32);
	}
	UNROLL for (int x = 0; x < (W - 1) * S + K; x++) {
		__m512i u = load(t, at, t->line[l], x, inside, full), v = load(t, at, t->line[m], x, inside, full);
		__m512bh ul = (__m512bh)_mm512_unpacklo_epi16(u, v), uh = (__m512bh)_mm512_unpackhi_epi16(u, v);
		UNROLL for (int k = 0; k < K; k++)
			if (x >= k && (x - k) % S == 0 && (x - k) / S < W) {
				s->low[(x - k) / S] = _mm512_dpbf16_ps(s->low[(x - k) / S], ul, wl[k]);
				s->high[(x - k) / S] = _mm512_dpbf16_ps(s->high[(x - k) / S], uh, wh[k]);
			}
	}
}

static inline __attribute__((always_inline)) void one_line(const row_call *t, const tile_at *at, sums *s, int64_t l, const int K, const int S,
	const int W, const bool inside, const bool full)
{
	const __m512i zero = _mm512_setzero_si512();
	const float *w = t->singles + l * K * 32;
	V wl[5], wh[5];
	UNROLL for (int k = 0; k < K; k++) {
		wl[k] = v_load(w + k * 32);
		wh[k] = v_load(w + k * 32 + VL);
	}
	UNROLL for (int x = 0; x < (W - 1) * S + K; x++) {
		__m512i u = load(t, at, t->line[l], x, inside, full);
		V ul = v_of_bits(_mm512_unpacklo_epi16(zero, u)), uh = v_of_bits(_mm512_unpackhi_epi16(zero, u));
		UNROLL for (int k = 0; k < K; k++)
			if (x >= k && (x - k) % S == 0 && (x - k) / S < W) {
				s->low[(x - k) / S] = v_fma(ul, wl[k], s->low[(x - k) / S]);
				s->high[(x - k) / S] = v_fma(uh, wh[k], s->high[(x - k) / S]);
			}
	}
}

static inline __attribute__((always_inline)) void tile_of(const row_call *t, const tile_at *at, int64_t ox, const int K, const int S, const int W,
	const bool inside, const bool full)
{
	sums s;
	V *low = s.low, *high = s.high;
	int64_t l = 0, m = t->height - 1;
	UNROLL for (int i = 0; i < W; i++) {
		low[i] = t->bias ? v_load(t->bias) : v_zero();
		high[i] = t->bias ? v_load(t->bias + VL) : v_zero();
	}
	for (; l < m && t->line[l] && t->line[m]; l++, m--)
		two_lines(t, at, &s, l, m, K, S, W, inside, full);
	for (; l <= m; l++)
		if (t->line[l])
			one_line(t, at, &s, l, K, S, W, inside, full);
	if (t->act == OVL_GEMM_CLAMP)
		UNROLL for (int i = 0; i < W; i++)
			store(t, ox, v_min(t->b, v_max(t->a, low[i])), v_min(t->b, v_max(t->a, high[i])), i, full);
	else if (t->act == OVL_GEMM_PLAIN)
		UNROLL for (int i = 0; i < W; i++)
			store(t, ox, low[i], high[i], i, full);
	else if (t->act == OVL_GEMM_HSWISH)
		UNROLL for (int i = 0; i < W; i++)
			store(t, ox, v_hswish(low[i], t->a, t->b), v_hswish(high[i], t->a, t->b), i, full);
	else {
		sums copy; /* indexed by a loop, which keeps it in memory: the sums themselves stay in registers */
		UNROLL for (int i = 0; i < W; i++) {
			copy.low[i] = low[i];
			copy.high[i] = high[i];
		}
		for (int i = 0; i < W; i++)
			store(t, ox, vh_act(t->act, t->a, t->b, copy.low[i]), vh_act(t->act, t->a, t->b, copy.high[i]), i, full);
	}
}

static inline __attribute__((always_inline)) void tile(const row_call *t, int64_t ox, const int K, const int S, const int W)
{
	int64_t first = t->before - ox * S;
	tile_at at = {ox * S * t->x, first, first + t->width};
	if (t->mask != 0xffffffffu)
		tile_of(t, &at, ox, K, S, W, false, false);
	else if (at.first > 0 || at.last < (W - 1) * S + K)
		tile_of(t, &at, ox, K, S, W, false, true);
	else
		tile_of(t, &at, ox, K, S, W, true, true);
}

#define WIDTHS(X, K, S) X(K, S, 1) X(K, S, 2) X(K, S, 3) X(K, S, 4) X(K, S, 5) X(K, S, 6) X(K, S, 7) X(K, S, 8)
#define TILE_FUNCTION(K, S, W) \
	static __attribute__((noinline)) void tile_##K##_##S##_##W(const row_call *t, int64_t ox) { tile(t, ox, K, S, W); }
#define TILE_ENTRY(K, S, W) tile_##K##_##S##_##W,
WIDTHS(TILE_FUNCTION, 3, 1)
WIDTHS(TILE_FUNCTION, 3, 2)
WIDTHS(TILE_FUNCTION, 5, 1)
WIDTHS(TILE_FUNCTION, 5, 2)
static const tile_fn tiles[2][2][WIDEST] = {{{WIDTHS(TILE_ENTRY, 3, 1)}, {WIDTHS(TILE_ENTRY, 3, 2)}}, {{WIDTHS(TILE_ENTRY, 5, 1)}, {WIDTHS(TILE_ENTRY, 5, 2)}}};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* The width that wastes least: pixels done twice cost, and so does each tile. */
static int64_t best_width(int64_t out)
{
	int64_t best = 1, cost = INT64_MAX;
	for (int64_t w = 1; w <= WIDEST && w <= out; w++) {
		int64_t c = (out + w - 1) / w * (4 * w + 6);
		if (c <= cost) {
			cost = c;
			best = w;
		}
	}
	return best;
}

/* ---- plan ---- */

static const char *accept(ovl_problem *p)
{
	ovl_plain_problem plain;
	ovl_conv_geometry g;
	const char *why = ovl_halves_plain(p, &plain);
	if (why || (why = ovl_conv_problem(&plain.p, &g)))
		return why;
	if (!p->in_data[1])
		return "weights are not constant";
	if (g.groups == 1 || g.groups != g.in_channels || g.groups != g.out_channels)
		return "not depthwise";
	if (g.kernel[0] != 1 || g.in[0] != 1 || g.kernel[1] > MAX_LINES || (g.kernel[2] != 3 && g.kernel[2] != 5) || g.stride[2] > 2 || g.dilation[2] != 1)
		return "not 3 or 5 taps wide with stride 1 or 2";
	if ((why = ovl_gemm_tail_accept(&plain.p, 1, OVL_FORM_CL)))
		return why;
	p->in_half[0] = true;
	p->in_form[0] = p->out_form[0] = OVL_FORM_CL;
	p->in_packed[1] = true;
	p->out_half = p->halves_read;
	ovl_halves_operands(p, ovl_gemm_tail_add(&plain.p, 1));
	return NULL;
}

/* Channel of lane i of the low or high vector of a block. */
static int64_t channel_of(int64_t lane, int64_t high) { return lane / 4 * 8 + high * 4 + lane % 4; }

static void fill_block(const dw_state *s, const float *from, int64_t channels, half *pairs, float *singles)
{
	int64_t kh = s->g.kernel[1], kw = s->g.kernel[2];
	for (int64_t y = 0; y < kh; y++)
		for (int64_t x = 0; x < kw; x++)
			for (int64_t i = 0; i < BLOCK; i++) {
				int64_t c = channel_of(i % VL, i / VL), at = (y * kw + x) * BLOCK + i;
				singles[at] = c < channels ? from[(c * kh + y) * kw + x] : 0;
				if (y >= kh / 2)
					continue;
				pairs[at * 2] = vh_rounded(singles[at]);
				pairs[at * 2 + 1] = vh_rounded(c < channels ? from[(c * kh + kh - 1 - y) * kw + x] : 0);
			}
}

typedef struct fill_args {
	const dw_state *s;
	const float *from;
} fill_args;

static void fill_weights(void *dst, void *arg)
{
	const fill_args *a = arg;
	const dw_state *s = a->s;
	int64_t filter = s->g.kernel[1] * s->g.kernel[2];
	for (int64_t b = 0; b < s->blocks; b++) {
		char *to = (char *)dst + (size_t)b * s->block_size;
		int64_t channels = s->g.groups - b * BLOCK;
		fill_block(s, a->from + b * BLOCK * filter, channels, (half *)(void *)to, (float *)(void *)(to + s->pairs_size));
	}
}

static void set_chunks(dw_state *s, int threads)
{
	const ovl_conv_geometry *g = &s->g;
	double flops = 2.0 * (double)(s->rows * g->out[2] * g->groups) * (double)(g->kernel[1] * g->kernel[2]);
	int64_t want = threads <= 1 || flops < 2e5 ? 1 : least((int64_t)(flops / 1e5), 4 * (int64_t)threads);
	s->channel_chunks = 1;
	s->shares = ovl_shares_even(s->rows, most(1, least(want, s->rows)));
	if (want < threads || s->rows >= 2 * want)
		return;
	if (s->rows >= threads) { /* few rows: each thread's own, cut across channels */
		s->shares = ovl_shares_of(s->rows, threads);
		s->channel_chunks = least(threads * most(1, want / threads / threads), s->blocks);
	} else {
		s->shares = ovl_shares_even(s->rows, 1);
		s->channel_chunks = least(want, s->blocks);
	}
}

/* Blocks whose lines stay in L1 from one output row to the next; rows whose input stays in L2 from one such step to the next. */
static void set_steps(dw_state *s)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t line = g->in[2] * (int64_t)sizeof(half);
	s->step = (28 << 10) / (g->kernel[1] * line * BLOCK);
	s->step = s->step < 1 ? 1 : s->step;
	s->group = (384 << 10) / (g->stride[1] * line * s->ld);
	s->group = s->group < 1 ? 1 : s->group;
}

static ovl_status set_bias(dw_state *s, ovl_error *err)
{
	if (!s->bias)
		return OVL_OK;
	s->bias_blocks = ovl_calloc((size_t)(s->blocks * BLOCK), sizeof(float));
	if (!s->bias_blocks)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for %lld biases", (long long)s->g.groups);
	for (int64_t i = 0; i < s->blocks * BLOCK; i++) {
		int64_t c = i / BLOCK * BLOCK + channel_of(i % VL, i % BLOCK / VL);
		s->bias_blocks[i] = c < s->g.groups ? s->bias[c] : 0;
	}
	return OVL_OK;
}

static ovl_status set_up(void *state, const ovl_problem *p, const ovl_problem *plain, ovl_prepared *out, ovl_error *err)
{
	dw_state *s = state;
	const ovl_conv_geometry *g = &s->g;
	fill_args args = {s, p->in_data[1]};
	size_t size, pair;
	char tag[96];
	const char *why = ovl_conv_problem(plain, &s->g);
	if (why)
		return ovl_fail(err, OVL_E_INTERNAL, "depthwise convolution: %s", why);
	pair = (size_t)g->kernel[2] * BLOCK * 2 * sizeof(half);
	ovl_desc_is_cl(&p->in[0], &s->ld);
	ovl_desc_is_cl(&p->out[0], &s->ldc);
	s->c_half = p->out[0].type == OVL_BF16;
	s->rows = g->batch * g->out[1];
	s->blocks = (g->groups + BLOCK - 1) / BLOCK;
	set_chunks(s, p->threads);
	set_steps(s);
	s->width = best_width(g->out[2]);
	s->fn = tiles[g->kernel[2] == 5][g->stride[2] - 1][s->width - 1];
	s->pairs_size = (size_t)(g->kernel[1] / 2) * pair;
	s->block_size = s->pairs_size + (size_t)g->kernel[1] * pair;
	if (!ovl_mul_ok((size_t)s->blocks, s->block_size, &size))
		return ovl_fail(err, OVL_E_MEMORY, "the weights are too large");
	snprintf(tag, sizeof tag, "depthwise bf16 c%lld k%lldx%lld", (long long)g->groups, (long long)g->kernel[1], (long long)g->kernel[2]);
	OVL_TRY(ovl_packs_get(p->packs, args.from, tag, size, fill_weights, &args, &s->weights, err));
	OVL_TRY(ovl_gemm_tail_prepare(&s->tail, &s->bias, plain, 1, err));
	OVL_TRY(set_bias(s, err));
	if (s->tail.add_input >= 0) {
		ovl_desc_is_cl(&p->in[s->tail.add_input], &s->ldadd);
		s->add_half = p->in[s->tail.add_input].type == OVL_BF16;
	}
	s->buffered = !s->c_half || s->tail.add_input >= 0 || s->tail.rest.n;
	snprintf(out->detail, sizeof out->detail, "depthwise %lldx%lld/%lld", (long long)g->kernel[1], (long long)g->kernel[2], (long long)g->stride[2]);
	return OVL_OK;
}

static void release(void *state)
{
	dw_state *s = state;
	if (!s)
		return;
	ovl_buffer_release(s->weights);
	ovl_free(s->bias);
	ovl_free(s->bias_blocks);
	ovl_free(s);
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	return ovl_halves_prepare(sizeof(dw_state), set_up, release, p, out, err);
}

/* ---- run ---- */

typedef struct dw_job {
	const dw_state *s;
	const ovl_call *call;
} dw_job;

/* What is done to sums in the buffer, and where they go: `n` channels from `channel` on. */
static void finish(const dw_state *s, const ovl_call *call, float *buffer, int64_t pixel, int64_t channel, int64_t n)
{
	V a = v_set(s->tail.alpha), b = v_set(s->tail.beta);
	for (int64_t i = 0; i < s->width; i++)
		for (int64_t c = 0; c < n; c += VL) {
			VT t = v_tail(n - c);
			V x = v_load(buffer + i * BLOCK + c);
			int64_t at = (pixel + i) * s->ldadd + channel + c;
			if (s->tail.add_input >= 0)
				x = v_add(x, s->add_half ? vh_load_t((const half *)call->in[s->tail.add_input] + at, t) :
							   v_load_t((const float *)call->in[s->tail.add_input] + at, t));
			v_store(buffer + i * BLOCK + c, vh_act(s->tail.act, a, b, x));
		}
	if (s->tail.rest.n)
		ovl_posts_tile_avx512(&s->tail.rest, buffer, BLOCK, s->width, n, pixel, channel, call->in);
	for (int64_t i = 0; i < s->width; i++)
		for (int64_t c = 0; c < n; c += VL) {
			int64_t at = (pixel + i) * s->ldc + channel + c;
			V x = v_load(buffer + i * BLOCK + c);
			if (s->c_half)
				vh_store_t((half *)call->out[0] + at, x, v_tail(n - c));
			else
				v_store_t((float *)call->out[0] + at, x, v_tail(n - c));
		}
}

/* The lines of output row `row`: offsets of pixel 0 of the padded row;
 * outside the picture they are not read. */
static void find_lines(const dw_state *s, int64_t row, int64_t *line, bool *inside)
{
	const ovl_conv_geometry *g = &s->g;
	for (int64_t k = 0; k < g->kernel[1]; k++) {
		int64_t y = row % g->out[1] * g->stride[1] + k * g->dilation[1] - g->pad_begin[1];
		inside[k] = y >= 0 && y < g->in[1];
		line[k] = ((row / g->out[1] * g->in[1] + y) * g->in[2] - g->pad_begin[2]) * s->ld;
	}
}

/* A block of a row, tile by tile. */
static void do_block(const dw_state *s, const ovl_call *call, row_call *t, int64_t row, int64_t channel, int64_t n)
{
	int64_t width = s->g.out[2];
	for (int64_t x = 0; x < width; x += s->width) {
		int64_t ox = least(x, width - s->width); /* the last tile does some pixels again */
		s->fn(t, ox);
		if (s->buffered)
			finish(s, call, t->buffer, row * width + ox, channel, n);
	}
}

static void do_row(const dw_state *s, const ovl_call *call, row_call *t, int64_t row, int64_t block, int64_t end)
{
	int64_t line[MAX_LINES];
	bool inside[MAX_LINES];
	find_lines(s, row, line, inside);
	for (int64_t b = block; b < end; b++) {
		int64_t channel = b * BLOCK, n = least(s->g.groups - channel, BLOCK);
		const char *weights = (const char *)s->weights->data + (size_t)b * s->block_size;
		for (int64_t i = 0; i < t->height; i++)
			t->line[i] = inside[i] ? (const half *)call->in[0] + line[i] + channel : NULL;
		t->pairs = (const half *)(const void *)weights;
		t->singles = (const float *)(const void *)(weights + s->pairs_size);
		t->bias = s->bias_blocks ? s->bias_blocks + channel : NULL;
		t->mask = n == BLOCK ? 0xffffffffu : (1u << n) - 1;
		t->c = s->buffered ? NULL : (half *)call->out[0] + row * s->g.out[2] * s->ldc + channel;
		do_block(s, call, t, row, channel, n);
	}
}

/* Output rows [row, end), blocks [first, last). */
static void do_rows(const dw_state *s, const ovl_call *call, int64_t row, int64_t end, int64_t first, int64_t last)
{
	float buffer[WIDEST * BLOCK] __attribute__((aligned(64)));
	row_call t = {.height = s->g.kernel[1], .buffer = buffer, .x = s->ld, .before = s->g.pad_begin[2], .width = s->g.in[2], .ldc = s->ldc,
		.act = s->buffered ? OVL_GEMM_PLAIN : s->tail.act, .a = v_set(s->tail.alpha), .b = v_set(s->tail.beta)};
	for (int64_t stop; row < end; row = stop) {
		stop = row + s->group < end ? row + s->group : end;
		for (int64_t c = first; c < last; c += s->step)
			for (int64_t y = row; y < stop; y++)
				do_row(s, call, &t, y, c, c + s->step < last ? c + s->step : last);
	}
}

static void do_chunk(void *arg, int64_t chunk, int worker)
{
	const dw_job *job = arg;
	const dw_state *s = job->s;
	int64_t r = chunk / s->channel_chunks, b = chunk % s->channel_chunks;
	(void)worker;
	if (job->call->cancel && __atomic_load_n(job->call->cancel, __ATOMIC_RELAXED))
		return;
	do_rows(s, job->call, ovl_shares_at(&s->shares, r), ovl_shares_at(&s->shares, r + 1),
		ovl_gemm_tile_at(s->blocks, s->channel_chunks, b), ovl_gemm_tile_at(s->blocks, s->channel_chunks, b + 1));
}

static ovl_status run(const ovl_call *call)
{
	dw_job job = {call->state, call};
	const dw_state *s = call->state;
	ovl_pool_run(call->pool, s->shares.chunks * s->channel_chunks, do_chunk, &job);
	if (call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	return OVL_OK;
}

/* ---- by rows, for chains ---- */

static int rows_input(const ovl_problem *p)
{
	ovl_plain_problem plain;
	ovl_conv_geometry g;
	return ovl_halves_plain(p, &plain) || ovl_conv_problem(&plain.p, &g) || p->in[0].rank != 4 || g.in[1] < 2 || g.out[2] < 2 ? -1 : 0;
}

static void rows_need(const void *state, int64_t from, int64_t to, int64_t *in_from, int64_t *in_to)
{
	ovl_conv_need_rows(&((const dw_state *)state)->g, from, to, in_from, in_to);
}

static void rows_run(const ovl_call *call, int64_t from, int64_t to)
{
	const dw_state *s = call->state;
	do_rows(s, call, from, to, 0, s->blocks);
}

static const ovl_rows by_rows = {.input = rows_input, .need = rows_need, .run = rows_run};

static const ovl_kernel conv = {.name = "conv_dw_avx512_bf16",
	.ops = "GroupConvolution",
	.isa = OVL_ISA_AVX512_BF16,
	.rank = 20,
	.halves = true,
	.accept = accept,
	.prepare = prepare,
	.run = run,
	.release = release,
	.rows = &by_rows};
const ovl_kernel *const ovl_kernels_conv_dw_avx512_bf16[] = {&conv, NULL};
