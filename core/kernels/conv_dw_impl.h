/* conv_dw_impl.h - the tiles of conv_dw.h. Included by conv_dw_avx2.c and conv_dw_avx512.c after their vector layer. */
#include "kernels/act_impl.h"
#include "kernels/conv_dw.h"

/* In a register from here on: left alone, the compiler loads a value again for each multiplication. With 7 taps there are too few registers for that. */
#define KEEP(x) __asm__("" : "+v"(x))

/* Fields are read once, before the first store: the compiler cannot know that stores leave the tile alone. */
static inline __attribute__((always_inline)) void store_tile(const ovl_dw_tile *t, V *sum, int width, int64_t channel)
{
	V alpha = v_set(t->alpha), beta = v_set(t->beta);
	float *c = t->c + channel;
	const float *add = t->add;
	int64_t ldc = t->ldc, ldadd = t->ldadd;
	if (add)
		UNROLL for (int i = 0; i < width; i++)
			sum[i] = v_add(sum[i], v_load(add + channel + i * ldadd));
	act_in_registers(sum, width, t->act, alpha, beta);
	UNROLL for (int i = 0; i < width; i++)
		v_store(c + i * ldc, sum[i]);
}

/* Which pixels of a tile lie inside the picture: all, all but K / 2 at one end or at both, or whatever `first` and `last` say. */
typedef enum where { INSIDE = 0, LEFT = 1, RIGHT = 2, ANYWHERE = 4 } where;

/* K taps along x, stride S, W pixels, all known. */
static inline __attribute__((always_inline)) void vector_of(const ovl_dw_tile *t, int64_t channel, const int K,
	const int S, const int W, const where at)
{
	const int Q = (W - 1) * S + K, E = K / 2;
	V sum[OVL_DW_WIDEST], start = t->bias ? v_load(t->bias + channel) : v_zero();
	UNROLL for (int i = 0; i < W; i++)
		sum[i] = start;
	for (int64_t l = 0; l < t->lines; l++) {
		const float *line = t->line[l] + channel, *weights = t->weights[l] + channel;
		V w[8];
		UNROLL for (int k = 0; k < K; k++)
			w[k] = v_load(weights + k * t->w);
		UNROLL for (int q = 0; q < Q; q++) {
			if (at == ANYWHERE ? q >= t->first && q < t->last : !(at & LEFT && q < E) && !(at & RIGHT && q >= Q - E)) {
				V x = v_load(line + q * t->x);
				if (K <= 5)
					KEEP(x);
				UNROLL for (int k = 0; k < K; k++)
					if (q >= k && (q - k) % S == 0 && (q - k) / S < W)
						sum[(q - k) / S] = v_fma(x, w[k], sum[(q - k) / S]);
			}
		}
	}
	store_tile(t, sum, W, channel);
}

static inline __attribute__((always_inline)) void channels_of(const ovl_dw_tile *t, const int K, const int S, const int W, const where at)
{
	int64_t n = t->channels, last = n - VL;
	for (int64_t c = 0; c < n; c += VL)
		vector_of(t, c < last ? c : last, K, S, W, at);
}

static inline __attribute__((always_inline)) void tile(const ovl_dw_tile *t, const int K, const int S, const int W)
{
	const int Q = (W - 1) * S + K, E = K / 2;
	bool left = t->first > 0, right = t->last < Q;
	if (!left && !right)
		channels_of(t, K, S, W, INSIDE);
	else if (K != 3 || (left && t->first != E) || (right && t->last != Q - E) || Q <= 2 * E)
		channels_of(t, K, S, W, ANYWHERE);
	else if (!right)
		channels_of(t, K, S, W, LEFT);
	else if (!left)
		channels_of(t, K, S, W, RIGHT);
	else
		channels_of(t, K, S, W, LEFT | RIGHT);
}

#define WIDTHS(X, K, S) X(K, S, 1) X(K, S, 2) X(K, S, 3) X(K, S, 4) X(K, S, 5) X(K, S, 6) X(K, S, 7) X(K, S, 8)
#define TILE_FUNCTION(K, S, W) \
	static __attribute__((noinline)) void tile_##K##_##S##_##W(const ovl_dw_tile *t) { tile(t, K, S, W); }
#define TILE_ENTRY(K, S, W) tile_##K##_##S##_##W,
WIDTHS(TILE_FUNCTION, 3, 1)
WIDTHS(TILE_FUNCTION, 3, 2)
WIDTHS(TILE_FUNCTION, 5, 1)
WIDTHS(TILE_FUNCTION, 5, 2)
WIDTHS(TILE_FUNCTION, 7, 1)

static const struct {
	int kernel, stride;
	ovl_dw_fn fn[OVL_DW_WIDEST];
} known[] = {{3, 1, {WIDTHS(TILE_ENTRY, 3, 1)}}, {3, 2, {WIDTHS(TILE_ENTRY, 3, 2)}}, {5, 1, {WIDTHS(TILE_ENTRY, 5, 1)}}, {5, 2, {WIDTHS(TILE_ENTRY, 5,
	2)}},
	{7, 1, {WIDTHS(TILE_ENTRY, 7, 1)}}};

/* Any kernel, stride, dilation and number of channels, 8 pixels or fewer. */
static void tile_any(const ovl_dw_tile *t)
{
	for (int64_t c = 0; c < t->channels; c += VL) {
		VT tail = v_tail(t->channels - c);
		V sum[OVL_DW_WIDEST], start = t->bias ? v_load(t->bias + c) : v_zero(), alpha = v_set(t->alpha), beta = v_set(t->beta);
		UNROLL for (int i = 0; i < OVL_DW_WIDEST; i++)
			sum[i] = start;
		for (int64_t l = 0; l < t->lines; l++)
			for (int64_t k = 0; k < t->kernel; k++) {
				V w = v_load_t(t->weights[l] + k * t->w + c, tail);
				const float *p = t->line[l] + k * t->tap + c;
				int64_t at = k * t->dilation;
				UNROLL for (int i = 0; i < OVL_DW_WIDEST; i++)
					if (i < t->width && at + i * t->stride >= t->first && at + i * t->stride < t->last)
						sum[i] = v_fma(v_load_t(p + i * t->step, tail), w, sum[i]);
			}
		UNROLL for (int i = 0; i < OVL_DW_WIDEST; i++) {
			V s = sum[i];
			if (i >= t->width)
				continue;
			if (t->add)
				s = v_add(s, v_load_t(t->add + i * t->ldadd + c, tail));
			act_in_registers(&s, 1, t->act, alpha, beta);
			v_store_t(t->c + i * t->ldc + c, s, tail);
		}
	}
}

/* The width that wastes least: pixels done twice cost, and so does each tile. */
static int64_t best_width(int64_t out)
{
	int64_t best = 1, cost = INT64_MAX;
	for (int64_t w = 1; w <= OVL_DW_WIDEST && w <= out; w++) {
		int64_t tiles = (out + w - 1) / w, c = tiles * (4 * w + 6);
		if (c <= cost) {
			cost = c;
			best = w;
		}
	}
	return best;
}

static ovl_dw_fn pick(int64_t kernel, int64_t stride, int64_t dilation, int64_t channels, int64_t out, int64_t *width)
{
	*width = best_width(out);
	if (dilation == 1 && channels >= VL)
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			if (known[i].kernel == kernel && known[i].stride == stride)
				return known[i].fn[*width - 1];
	return tile_any;
}

static const ovl_dw_isa dw_isa = {&V_NAME(ovl_gemm), pick};

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err) { return ovl_dw_prepare(&dw_isa, p, out, err); }
