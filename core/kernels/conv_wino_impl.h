/* conv_wino_impl.h - Winograd's transformations of tiles. Included by conv_wino_avx2.c and conv_wino_avx512.c after their vector layer.
 *
 * F(2 x 2, 3 x 3) interpolates at 0, 1, -1 and infinity, F(4 x 4, 3 x 3) at 0, +-1/sqrt 2, +-sqrt 2 and infinity: with these it rounds 1.6 times as
 * much as the direct sum, with the usual +-1, +-2 five times. Each is applied to columns, then to rows. */
#include "kernels/conv_wino.h"

#define UNROLL _Pragma("GCC unroll 8")
#define INLINE static inline __attribute__((always_inline))

INLINE void in_2(const V *d, V *o)
{
	o[0] = v_sub(d[0], d[2]);
	o[1] = v_add(d[1], d[2]);
	o[2] = v_sub(d[2], d[1]);
	o[3] = v_sub(d[1], d[3]);
}

INLINE void out_2(const V *m, V *o)
{
	o[0] = v_add(m[0], v_add(m[1], m[2]));
	o[1] = v_sub(v_sub(m[1], m[2]), m[3]);
}

#define ROOT 1.41421356f /* of 2 */

INLINE void in_4(const V *d, V *o)
{
	V two = v_set(2), half = v_set(0.5f), sum = v_set(2.5f);
	V a = v_fnma(two, d[2], d[4]), b = v_mul(v_set(ROOT / 2), v_fnma(two, d[1], d[3]));
	V c = v_fnma(half, d[2], d[4]), e = v_mul(v_set(ROOT), v_fnma(half, d[1], d[3]));
	o[0] = v_add(d[0], v_fnma(sum, d[2], d[4]));
	o[1] = v_add(a, b);
	o[2] = v_sub(a, b);
	o[3] = v_add(c, e);
	o[4] = v_sub(c, e);
	o[5] = v_add(d[1], v_fnma(sum, d[3], d[5]));
}

INLINE void out_4(const V *m, V *o)
{
	V p = v_add(m[1], m[2]), q = v_sub(m[1], m[2]), r = v_add(m[3], m[4]), s = v_sub(m[3], m[4]);
	o[0] = v_add(m[0], v_add(p, r));
	o[1] = v_fma(v_set(ROOT / 2), q, v_mul(v_set(ROOT), s));
	o[2] = v_fma(v_set(0.5f), p, v_add(r, r));
	o[3] = v_fma(v_set(ROOT / 4), q, v_fma(v_set(2 * ROOT), s, m[5]));
}

INLINE void in_line(const V *d, V *o, const int out)
{
	if (out == 2)
		in_2(d, o);
	else
		in_4(d, o);
}

INLINE void out_line(const V *m, V *o, const int out)
{
	if (out == 2)
		out_2(m, o);
	else
		out_4(m, o);
}

INLINE void in_vector(const ovl_wino_in *t, int64_t channel, const int out, const bool inside)
{
	const int n = out + 2;
	V g[6][6];
	UNROLL for (int x = 0; x < n; x++) {
		V d[6], o[6];
		UNROLL for (int y = 0; y < n; y++)
			d[y] = inside || (y >= t->y0 && y < t->y1 && x >= t->x0 && x < t->x1) ? v_load(t->pixel + y * t->row + x * t->x + channel)
				: v_zero();
		in_line(d, o, out);
		UNROLL for (int y = 0; y < n; y++)
			g[y][x] = o[y];
	}
	UNROLL for (int y = 0; y < n; y++) {
		V o[6];
		in_line(g[y], o, out);
		UNROLL for (int x = 0; x < n; x++)
			v_store(t->to + (y * n + x) * t->plane + channel, o[x]);
	}
}

INLINE void in_tile(const ovl_wino_in *t, const int out)
{
	int64_t last = t->channels - VL;
	if (t->y0 == 0 && t->x0 == 0 && t->y1 == out + 2 && t->x1 == out + 2)
		for (int64_t c = 0; c < t->channels; c += VL)
			in_vector(t, c < last ? c : last, out, true);
	else
		for (int64_t c = 0; c < t->channels; c += VL)
			in_vector(t, c < last ? c : last, out, false);
}

INLINE void out_vector(const ovl_wino_out *t, int64_t channel, const int out)
{
	const int n = out + 2;
	V g[4][6], bias = t->bias ? v_load(t->bias + channel) : v_zero(), low = v_set(t->low), high = v_set(t->high);
	VT tail = v_tail(t->channels - channel);
	UNROLL for (int x = 0; x < n; x++) {
		V m[6], o[4];
		UNROLL for (int y = 0; y < n; y++)
			m[y] = v_load(t->from + (y * n + x) * t->plane + channel);
		out_line(m, o, out);
		UNROLL for (int y = 0; y < out; y++)
			g[y][x] = o[y];
	}
	UNROLL for (int y = 0; y < out; y++) {
		V o[4];
		if (y >= t->height)
			break;
		out_line(g[y], o, out);
		UNROLL for (int x = 0; x < out; x++) {
			V s = v_add(o[x], bias);
			if (x >= t->width)
				break;
			if (t->add)
				s = v_add(s, v_load_t(t->add + y * t->row_add + x * t->ldadd + channel, tail));
			if (t->clamp)
				s = v_min(high, v_max(low, s));
			v_store_t(t->c + y * t->row + x * t->ldc + channel, s, tail);
		}
	}
}

INLINE void out_tile(const ovl_wino_out *t, const int out)
{
	for (int64_t c = 0; c < t->channels; c += VL)
		out_vector(t, c, out);
}

static void in_tile_2(const ovl_wino_in *t) { in_tile(t, 2); }
static void in_tile_4(const ovl_wino_in *t) { in_tile(t, 4); }
static void out_tile_2(const ovl_wino_out *t) { out_tile(t, 2); }
static void out_tile_4(const ovl_wino_out *t) { out_tile(t, 4); }

static const ovl_wino_isa wino_isa = {&V_NAME(ovl_gemm), {in_tile_2, in_tile_4}, {out_tile_2, out_tile_4}};

static const char *accept(ovl_problem *p) { return ovl_wino_accept(&wino_isa, p); }
static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err) { return ovl_wino_prepare(&wino_isa, p, out, err); }
