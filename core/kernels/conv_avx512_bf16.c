/* Dense convolutions of halves: conv.c's way (a tile of pixels of an output row is a sum over segments, one for each tap) on the tiles of gemm_bf16.h.
 *
 * A picture of few channels that comes as planes of f32 (the first layer) is laid out anew, some lines at a time: halves, channels side by side, with
 * zeros around it. The taps of a line are then one segment, and no tile reaches over a border. Everywhere else tiles at a border work on a patch: a copy of
 * the pixels they need with zeros around. */
#include "base/memory.h"
#include "kernels/conv.h"
#include "kernels/gemm_bf16.h"
#include "kernels/halves.h"
#include "kernels/packs.h"
#include "kernels/shares.h"
#include "kernels/vec_bf16.h"
#include <stdio.h>
#include <string.h>

enum { MR = OVL_GEMM_BF16_MR, MAX_PLANES = 4, NARROW_GROUP = 16, STAGE_BYTES = 64 << 10 };

typedef struct conv_state {
	ovl_conv_geometry g; /* of staged pictures: as laid out, borders included */
	bool staged, pointwise; /* pointwise: g has all pixels in one row */
	int64_t line;           /* pointwise: pixels of a row of the image */
	int64_t planes_y, planes_x, pad_y, pad_x; /* staged: the picture as it comes */
	int64_t stage_rows;                       /* output rows whose lines are laid out together */
	uint16_t mix[2][32];                      /* 16 pixels of up to 4 planes side by side: two permutations of all of them */
	int64_t ic, oc;                           /* of a group */
	int64_t kx, k, n_seg, panel;              /* segments along x; values of a segment; segments; halves of a panel of weights */
	int64_t image, z, y, x;                   /* strides of what tiles read */
	int64_t ldc, ldadd;
	bool c_half, add_half;
	int64_t row_tiles, n_tiles;
	int64_t patch_z, patch_y, patch_x, patch_size, patch_width;
	int64_t vecs, m_chunks, n_chunks, sub;
	ovl_shares tiles, columns; /* m_chunks of tiles (staged: rows), n_chunks of vectors */
	size_t rows_size, segs_size, worker_scratch, stage_size;
	ovl_gemm_seg *direct, *patched;
	ovl_buffer *weights;
	float *bias;
	ovl_gemm_tail tail;
} conv_state;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

/* ---- what is accepted ---- */

static bool wants_planes(const ovl_problem *p, const ovl_conv_geometry *g)
{
	int64_t ld;
	return p->in[0].type == OVL_F32 && g->groups == 1 && g->in_channels <= MAX_PLANES && g->in[0] == 1 && g->kernel[0] == 1 && ovl_desc_is_dense(&p->in[0]) &&
	       (g->in_channels == 1 || !ovl_desc_is_cl(&p->in[0], &ld));
}

static const char *accept(ovl_problem *p)
{
	ovl_plain_problem plain;
	ovl_conv_geometry g;
	const char *why = ovl_halves_plain(p, &plain);
	if (why || (why = ovl_conv_problem(&plain.p, &g)))
		return why;
	if (!p->in_data[1])
		return "weights are not constant";
	if (g.groups > 1 && (g.out_channels / g.groups < NARROW_GROUP || g.in_channels / g.groups < NARROW_GROUP))
		return "narrow groups";
	if ((why = ovl_gemm_tail_accept(&plain.p, 1, OVL_FORM_CL)))
		return why;
	p->in_half[0] = !wants_planes(p, &g);
	p->in_form[0] = p->in_half[0] ? OVL_FORM_CL : OVL_FORM_DENSE;
	p->in_packed[1] = true;
	p->out_form[0] = OVL_FORM_CL;
	p->out_half = p->halves_read;
	ovl_halves_operands(p, ovl_gemm_tail_add(&plain.p, 1));
	return NULL;
}

/* ---- weights: [group][oc][ic][taps] into [group][vec][segment][k / 2][16][2], k counts channels, or (tap along x, channel) where a line is one segment ---- */

typedef struct fill_args {
	const conv_state *s;
	const float *from;
} fill_args;

static void fill_line(const conv_state *s, half *to, const float *from, int64_t n, int64_t taps)
{
	int64_t w = s->g.kernel[2];
	float line[64 * MAX_PLANES * VL];
	for (int64_t x = 0; x < w; x++)
		for (int64_t c = 0; c < s->ic; c++)
			for (int64_t o = 0; o < VL; o++)
				line[(x * s->ic + c) * VL + o] = o < n ? from[(o * s->ic + c) * taps + x] : 0;
	ovl_gemm_bf16_pack(to, line, s->k, VL, VL, 1);
}

static void fill_weights(void *dst, void *arg)
{
	const fill_args *a = arg;
	const conv_state *s = a->s;
	int64_t taps = s->g.kernel[0] * s->g.kernel[1] * s->g.kernel[2], each = ovl_gemm_even(s->k) * VL;
	for (int64_t i = 0; i < s->g.groups * s->vecs; i++) {
		int64_t first = i % s->vecs * VL, n = least(VL, s->oc - first);
		const float *from = a->from + (i / s->vecs * s->oc + first) * s->ic * taps;
		half *to = (half *)dst + i * s->panel;
		for (int64_t t = 0; t < s->n_seg; t++, to += each) {
			if (s->kx == 1 && s->staged)
				fill_line(s, to, from + t * s->g.kernel[2], n, taps);
			else
				ovl_gemm_bf16_pack(to, from + t, s->ic, n, taps, s->ic * taps);
		}
	}
}

static ovl_status pack_weights(conv_state *s, const ovl_problem *p, ovl_error *err)
{
	fill_args args = {s, p->in_data[1]};
	size_t size;
	char tag[160];
	if (!ovl_mul_ok((size_t)(s->g.groups * s->vecs), (size_t)s->panel * sizeof(half), &size))
		return ovl_fail(err, OVL_E_MEMORY, "the weights are too large");
	snprintf(tag, sizeof tag, "conv bf16 g%lld o%lld i%lld k%lldx%lldx%lld%s", (long long)s->g.groups, (long long)s->oc, (long long)s->ic,
		(long long)s->g.kernel[0], (long long)s->g.kernel[1], (long long)s->g.kernel[2], s->staged ? " lines" : "");
	return ovl_packs_get(p->packs, p->in_data[1], tag, size, fill_weights, &args, &s->weights, err);
}

/* ---- plan ---- */

static bool is_pointwise(const ovl_conv_geometry *g)
{
	for (int i = 0; i < 3; i++)
		if (g->kernel[i] != 1 || g->stride[i] != 1 || g->pad_begin[i] || g->out[i] != g->in[i])
			return false;
	return true;
}

/* The picture as it will be laid out: [batch][y][x][channel] with borders, so wide that every tap of every output pixel is inside. */
static void set_stage(conv_state *s)
{
	ovl_conv_geometry *g = &s->g;
	s->planes_y = g->in[1];
	s->planes_x = g->in[2];
	s->pad_y = g->pad_begin[1];
	s->pad_x = g->pad_begin[2];
	for (int i = 1; i < 3; i++) {
		g->in[i] = most(g->in[i] + g->pad_begin[i], (g->out[i] - 1) * g->stride[i] + (g->kernel[i] - 1) * g->dilation[i] + 1);
		g->pad_begin[i] = g->pad_end[i] = 0;
	}
	s->x = s->ic;
	for (int64_t i = 0; i < 64; i++)
		s->mix[i / 32][i % 32] = (uint16_t)(i / s->ic < VL ? i % s->ic * VL + i / s->ic : 0);
}

static void set_view(conv_state *s, const ovl_problem *p)
{
	ovl_conv_geometry *g = &s->g;
	s->ic = g->in_channels / g->groups;
	s->oc = g->out_channels / g->groups;
	s->staged = wants_planes(p, g);
	if (s->staged) {
		set_stage(s);
	} else {
		ovl_desc_is_cl(&p->in[0], &s->x);
		s->line = g->in[2];
		s->pointwise = is_pointwise(g);
		if (s->pointwise) { /* all pixels of all images are one row */
			g->in[2] = g->out[2] = g->in[0] * g->in[1] * g->in[2] * g->batch;
			g->in[0] = g->in[1] = g->out[0] = g->out[1] = g->batch = 1;
		}
	}
	s->y = s->x * g->in[2];
	s->z = s->y * g->in[1];
	s->image = s->z * g->in[0];
	s->kx = s->staged && g->dilation[2] == 1 && g->kernel[2] <= 64 ? 1 : g->kernel[2];
	s->k = s->ic * (s->kx == 1 ? g->kernel[2] : 1);
	if (!s->staged)
		s->k = s->ic;
	s->n_seg = g->kernel[0] * g->kernel[1] * s->kx;
	s->panel = s->n_seg * ovl_gemm_even(s->k) * VL;
	s->vecs = parts(s->oc, VL);
}

static int64_t stage_lines(const conv_state *s, int64_t rows) { return (rows - 1) * s->g.stride[1] + (s->g.kernel[1] - 1) * s->g.dilation[1] + 1; }

static void set_stage_rows(conv_state *s)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t line = s->y * (int64_t)sizeof(half);
	s->stage_rows = most(1, least((STAGE_BYTES / line - stage_lines(s, 1)) / g->stride[1] + 1, g->out[1]));
	s->stage_size = (size_t)ovl_gemm_up(stage_lines(s, s->stage_rows) * s->y + 64, 64) * sizeof(half);
}

static void set_patch(conv_state *s)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t dims[] = {1, s->ic, 2};
	s->patch_width = (least(MR, g->out[2]) - 1) * g->stride[2] + (g->kernel[2] - 1) * g->dilation[2] + 1;
	s->patch_x = ovl_cl_ld(dims, 3);
	s->patch_y = s->patch_width * s->patch_x;
	s->patch_z = s->patch_y * g->kernel[1];
	s->patch_size = s->staged ? 0 : ovl_gemm_up(s->patch_z * g->kernel[0], 32);
}

static void taps_inside(const ovl_conv_geometry *g, int d, int64_t o, int64_t *first, int64_t *last)
{
	int64_t at = o * g->stride[d] - g->pad_begin[d], step = g->dilation[d];
	*first = at < 0 ? (-at + step - 1) / step : 0;
	*last = at >= g->in[d] ? 0 : (g->in[d] - at + step - 1) / step;
	*last = least(*last, g->kernel[d]);
	*first = least(*first, *last);
}

/* Segments of a tile for taps [z0, z1) x [y0, y1); offsets of A count from tap 0, 0, 0 even where that is outside. */
static int64_t write_segs(const conv_state *s, ovl_gemm_seg *seg, const int64_t range[4], bool patched)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t n = 0, each = ovl_gemm_even(s->k) * VL;
	int64_t sz = patched ? s->patch_z : s->z * g->dilation[0], sy = patched ? s->patch_y : s->y * g->dilation[1];
	int64_t sx = (patched ? s->patch_x : s->x) * g->dilation[2];
	for (int64_t z = range[0]; z < range[1]; z++)
		for (int64_t y = range[2]; y < range[3]; y++)
			for (int64_t x = 0; x < s->kx; x++)
				seg[n++] = (ovl_gemm_seg){z * sz + y * sy + x * sx, ((z * g->kernel[1] + y) * s->kx + x) * each};
	return n;
}

static void set_chunks(conv_state *s, int threads)
{
	const ovl_conv_geometry *g = &s->g;
	bool few = threads > 1 && !s->staged && g->groups == 1 && s->n_tiles > threads && s->n_tiles < 16 * threads && s->vecs >= 2 * threads;
	double flops = 2.0 * (double)(s->n_tiles / s->row_tiles) * (double)g->out[2] * (double)s->oc * (double)s->n_seg * (double)s->k;
	int64_t weights = s->vecs * s->panel * 2, heavy = 640 << 10, light = 192 << 10;
	int64_t mr = parts(g->out[2], s->row_tiles), c_size = s->c_half ? 2 : 4;
	int64_t tile = 2 * (mr * g->stride[2] + g->kernel[2] - 1) * s->ic * least(g->kernel[0] * g->kernel[1], 2) + c_size * mr * s->oc;
	int64_t pixels = g->batch * g->out[0] * g->out[1] * g->out[2];
	int64_t worth = most((int64_t)(flops / 4e5), pixels < 4 ? weights / (48 << 10) : 0); /* few pixels: weights are what takes time */
	int64_t want = threads <= 1 ? 1 : most(1, least(worth, 4 * (int64_t)threads));
	int64_t pieces = most(1, parts(want, g->groups));
	if (s->staged) {
		s->m_chunks = least(pieces, g->batch * g->out[1]);
		s->n_chunks = 1;
		s->sub = most(2, (64 << 10) / tile);
	} else if (threads > 1 && s->n_tiles >= threads && g->groups == 1) {
		/* a band of rows for each thread, which has written the rows that it reads; columns are what others can take over */
		s->m_chunks = weights > light ? least(pieces, threads) : least(pieces, s->n_tiles);
		s->n_chunks = least(parts(pieces, s->m_chunks), most(1, s->vecs / 2));
		s->sub = weights > light ? most(1, (256 << 10) / tile) : most(2, (64 << 10) / tile);
	} else if (weights > light) {
		s->n_chunks = least(most(parts(weights, heavy), pieces), most(1, s->vecs / 2));
		s->m_chunks = least(parts(pieces, s->n_chunks), s->n_tiles);
		s->sub = most(1, (256 << 10) / tile);
	} else {
		s->m_chunks = least(pieces, s->n_tiles);
		s->n_chunks = least(parts(pieces, s->m_chunks), most(1, s->vecs / 2));
		s->sub = most(2, (64 << 10) / tile);
	}
	if (few && s->n_tiles % threads) {
		s->tiles = ovl_shares_of(s->n_tiles, threads);
		s->m_chunks = s->tiles.chunks;
		s->n_chunks = threads * most(1, least(4, s->vecs / 2) / threads);
	} else {
		s->tiles = ovl_shares_even(s->staged ? g->batch * g->out[1] : s->n_tiles, s->m_chunks);
	}
	s->columns = ovl_shares_even(s->vecs, s->n_chunks);
	s->sub = least(s->sub, most(1, parts(s->n_tiles, s->m_chunks)));
	if (s->sub * s->patch_size * 2 > 1 << 20)
		s->sub = most(1, (1 << 20) / (s->patch_size * 2));
}

static ovl_status set_segs(conv_state *s, ovl_error *err)
{
	int64_t all[4] = {0, s->g.kernel[0], 0, s->g.kernel[1]};
	s->direct = ovl_alloc_aligned((size_t)s->n_seg * 2 * sizeof *s->direct);
	if (!s->direct)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for %lld taps", (long long)s->n_seg);
	s->patched = s->direct + s->n_seg;
	write_segs(s, s->direct, all, false);
	write_segs(s, s->patched, all, true);
	return OVL_OK;
}

static ovl_status set_up(void *state, const ovl_problem *p, const ovl_problem *plain, ovl_prepared *out, ovl_error *err)
{
	conv_state *s = state;
	const ovl_conv_geometry *g = &s->g;
	const char *why = ovl_conv_problem(plain, &s->g);
	if (why)
		return ovl_fail(err, OVL_E_INTERNAL, "convolution: %s", why);
	set_view(s, p);
	set_patch(s);
	if (s->staged)
		set_stage_rows(s);
	ovl_desc_is_cl(&p->out[0], &s->ldc);
	s->c_half = p->out[0].type == OVL_BF16;
	s->row_tiles = s->pointwise ? ovl_gemm_bf16_tiles(g->out[2], p->threads) : ovl_gemm_tiles(g->out[2], MR);
	s->n_tiles = s->row_tiles * g->batch * g->out[0] * g->out[1];
	set_chunks(s, p->threads);
	OVL_TRY(set_segs(s, err));
	OVL_TRY(pack_weights(s, p, err));
	OVL_TRY(ovl_gemm_tail_prepare(&s->tail, &s->bias, plain, 1, err));
	if (s->tail.add_input >= 0) {
		ovl_desc_is_cl(&p->in[s->tail.add_input], &s->ldadd);
		s->add_half = p->in[s->tail.add_input].type == OVL_BF16;
	}
	s->rows_size = (size_t)ovl_gemm_up(s->sub * (int64_t)sizeof(ovl_gemm_bf16_rows), 64);
	s->segs_size = (size_t)ovl_gemm_up(s->n_seg * (int64_t)sizeof(ovl_gemm_seg), 64);
	s->worker_scratch = s->stage_size + s->rows_size + (size_t)s->sub * (s->segs_size + (size_t)s->patch_size * sizeof(half)) + 64;
	if (!ovl_mul_ok(s->worker_scratch, (size_t)most(1, p->threads), &out->scratch))
		return ovl_fail(err, OVL_E_MEMORY, "the scratch memory is too large");
	snprintf(out->detail, sizeof out->detail, "%s %lldx%lldx%lld", s->staged ? "planes" : "pixels", (long long)g->kernel[0], (long long)g->kernel[1],
		(long long)g->kernel[2]);
	return OVL_OK;
}

static void release(void *state)
{
	conv_state *s = state;
	if (!s)
		return;
	ovl_buffer_release(s->weights);
	ovl_free(s->direct);
	ovl_free(s->bias);
	ovl_free(s);
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	return ovl_halves_prepare(sizeof(conv_state), set_up, release, p, out, err);
}

/* ---- run ---- */

typedef struct conv_job {
	const conv_state *s;
	const ovl_call *call;
} conv_job;

/* Line y of staged image n, where y counts the border too. */
static void stage_line(const conv_state *s, half *to, const float *planes, int64_t n, int64_t y)
{
	int64_t ic = s->ic, plane = s->planes_y * s->planes_x, width = least(s->planes_x, s->g.in[2] - s->pad_x), x = 0;
	const float *from = planes + n * ic * plane + (y - s->pad_y) * s->planes_x;
	const __m512i mix0 = _mm512_loadu_si512(s->mix[0]), mix1 = _mm512_loadu_si512(s->mix[1]);
	if (y < s->pad_y || y - s->pad_y >= s->planes_y || width <= 0) {
		memset(to, 0, (size_t)s->y * sizeof *to);
		return;
	}
	memset(to, 0, (size_t)(s->pad_x * ic) * sizeof *to);
	memset(to + (s->pad_x + width) * ic, 0, (size_t)((s->g.in[2] - s->pad_x - width) * ic) * sizeof *to);
	for (to += s->pad_x * ic; x < width; x += VL, to += VL * ic) {
		VT t = v_tail(width - x);
		V c[MAX_PLANES];
		__m512i a, b;
		int64_t count = least(VL, width - x) * ic;
		for (int64_t k = 0; k < MAX_PLANES; k++)
			c[k] = k < ic ? v_load_t(from + k * plane + x, t) : v_zero();
		a = vh_join(c[0], c[1]);
		b = vh_join(c[2], c[3]);
		_mm512_mask_storeu_epi16(to, count >= 32 ? 0xffffffffu : (1u << count) - 1, _mm512_permutex2var_epi16(a, mix0, b));
		if (count > 32)
			_mm512_mask_storeu_epi16(to + 32, count >= 64 ? 0xffffffffu : (1u << (count - 32)) - 1, _mm512_permutex2var_epi16(a, mix1, b));
	}
}

/* Lays out what output rows [row, end) of one image read; where line 0 of image 0 would be. */
static half *stage(const conv_state *s, half *to, const float *planes, int64_t row, int64_t end)
{
	int64_t n = row / s->g.out[1], first = row % s->g.out[1] * s->g.stride[1], lines = stage_lines(s, end - row);
	for (int64_t i = 0; i < lines; i++)
		stage_line(s, to + i * s->y, planes, n, first + i);
	return (half *)((uintptr_t)to - (uintptr_t)((n * s->image + first * s->y) * (int64_t)sizeof(half)));
}

/* Copies the taps [z0, z1) x [y0, y1) of pixels [x, x + patch_width) with zeros outside the picture. */
static void make_patch(const conv_state *s, half *patch, const half *image, int64_t z, int64_t y, int64_t x, const int64_t range[4])
{
	const ovl_conv_geometry *g = &s->g;
	int64_t before = x < 0 ? least(-x, s->patch_width) : 0, end = most(before, least(s->patch_width, g->in[2] - x));
	for (int64_t kz = range[0]; kz < range[1]; kz++)
		for (int64_t ky = range[2]; ky < range[3]; ky++) {
			half *to = patch + kz * s->patch_z + ky * s->patch_y;
			const half *from = image + (z + kz * g->dilation[0]) * s->z + (y + ky * g->dilation[1]) * s->y + x * s->x;
			memset(to, 0, (size_t)(before * s->patch_x) * sizeof *to);
			for (int64_t i = before; i < end; i++)
				memcpy(to + i * s->patch_x, from + i * s->x, (size_t)s->ic * sizeof *to);
			memset(to + end * s->patch_x, 0, (size_t)((s->patch_width - end) * s->patch_x) * sizeof *to);
		}
}

/* Tile number i of one group: where its rows are, its taps, a patch when it needs one. */
static void place_tile(const conv_state *s, const ovl_call *call, const half *source, int64_t group, int64_t i, ovl_gemm_bf16_rows *r,
	ovl_gemm_seg *segs, half *patch)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t row = i / s->row_tiles, number = i % s->row_tiles;
	int64_t first = ovl_gemm_tile_at(g->out[2], s->row_tiles, number), end = ovl_gemm_tile_at(g->out[2], s->row_tiles, number + 1);
	int64_t oy = row % g->out[1], oz = row / g->out[1] % g->out[0], n = row / (g->out[1] * g->out[0]);
	int64_t pixel = row * g->out[2] + first, range[4];
	int64_t z = oz * g->stride[0] - g->pad_begin[0], y = oy * g->stride[1] - g->pad_begin[1], x = first * g->stride[2] - g->pad_begin[2];
	int64_t last = (end - 1) * g->stride[2] - g->pad_begin[2] + (g->kernel[2] - 1) * g->dilation[2];
	const half *image = source + n * s->image + group * s->ic;
	bool patched = x < 0 || last >= g->in[2];
	r->mr = (int)(end - first);
	r->row = pixel;
	r->c = (char *)call->out[0] + (pixel * s->ldc + group * s->oc) * (s->c_half ? 2 : 4);
	r->add = s->tail.add_input < 0 ? NULL : (const char *)call->in[s->tail.add_input] + (pixel * s->ldadd + group * s->oc) * (s->add_half ? 2 : 4);
	taps_inside(g, 0, oz, &range[0], &range[1]);
	taps_inside(g, 1, oy, &range[2], &range[3]);
	if (patched)
		make_patch(s, patch, image, z, y, x, range);
	r->lda = g->stride[2] * (patched ? s->patch_x : s->x);
	r->a = patched ? patch : image + z * s->z + y * s->y + x * s->x;
	if (range[1] - range[0] == g->kernel[0] && range[3] - range[2] == g->kernel[1]) {
		r->seg = patched ? s->patched : s->direct;
		r->n_seg = s->n_seg;
	} else {
		r->seg = segs;
		r->n_seg = write_segs(s, segs, range, patched);
	}
}

static ovl_gemm_bf16 gemm_of(const conv_state *s, const ovl_call *call, int64_t group)
{
	ovl_gemm_bf16 p = {.k = s->k,
		.n = s->oc,
		.ldc = s->ldc,
		.ldadd = s->ldadd,
		.c_half = s->c_half,
		.add_half = s->add_half,
		.b = (const half *)s->weights->data + group * s->vecs * s->panel,
		.b_vec = s->panel,
		.first_column = group * s->oc,
		.bias = s->bias ? s->bias + group * s->oc : NULL};
	ovl_gemm_bf16_set_tail(&p, &s->tail, call->in);
	return p;
}

/* Tiles [tile, tile_end) of what lies at `source`, times vectors [vec, vec_end) of one group. */
static void do_tiles(const ovl_call *call, const half *source, int64_t group, int64_t tile, int64_t tile_end, int64_t vec, int64_t vec_end,
	char *scratch)
{
	const conv_state *s = call->state;
	char *segs = scratch + s->rows_size;
	ovl_gemm_bf16_rows *rows = (void *)scratch;
	half *patches = (void *)(segs + (size_t)s->sub * s->segs_size);
	ovl_gemm_bf16 p = gemm_of(s, call, group);
	for (; tile < tile_end; tile += s->sub) {
		int64_t count = least(s->sub, tile_end - tile);
		for (int64_t i = 0; i < count; i++)
			place_tile(s, call, source, group, tile + i, &rows[i], (void *)(segs + (size_t)i * s->segs_size), patches + i * s->patch_size);
		ovl_gemm_bf16_block(&p, rows, count, vec, vec_end - vec);
	}
}

/* Rows [row, end) of a staged picture, all columns. */
static void do_staged(const ovl_call *call, int64_t row, int64_t end, char *scratch)
{
	const conv_state *s = call->state;
	for (int64_t stop; row < end; row = stop) {
		stop = least(least(row + s->stage_rows, end), (row / s->g.out[1] + 1) * s->g.out[1]);
		const half *source = stage(s, (half *)(void *)scratch, call->in[0], row, stop);
		do_tiles(call, source, 0, row * s->row_tiles, stop * s->row_tiles, 0, s->vecs, scratch + s->stage_size);
	}
}

static void do_chunk(void *arg, int64_t chunk, int worker)
{
	const conv_job *job = arg;
	const conv_state *s = job->s;
	int64_t m = chunk / s->n_chunks % s->m_chunks, n = chunk % s->n_chunks;
	char *scratch = (char *)job->call->scratch + (size_t)worker * s->worker_scratch;
	if (job->call->cancel && __atomic_load_n(job->call->cancel, __ATOMIC_RELAXED))
		return;
	if (s->staged) {
		do_staged(job->call, ovl_shares_at(&s->tiles, m), ovl_shares_at(&s->tiles, m + 1), scratch);
	} else {
		do_tiles(job->call, job->call->in[0], chunk / (s->m_chunks * s->n_chunks), ovl_shares_at(&s->tiles, m), ovl_shares_at(&s->tiles, m + 1),
			ovl_shares_at(&s->columns, n), ovl_shares_at(&s->columns, n + 1), scratch);
	}
}

static ovl_status run(const ovl_call *call)
{
	const conv_state *s = call->state;
	conv_job job = {s, call};
	ovl_pool_run(call->pool, s->m_chunks * s->n_chunks * s->g.groups, do_chunk, &job);
	if (call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	return OVL_OK;
}

/* ---- by rows, for chains: pixels by themselves, and staged pictures ---- */

static int rows_input(const ovl_problem *p)
{
	ovl_plain_problem plain;
	ovl_conv_geometry g;
	int64_t ld;
	if (ovl_halves_plain(p, &plain) || ovl_conv_problem(&plain.p, &g) || p->in[0].rank != 4 || !p->in_data[1] || g.groups != 1 || g.in[1] < 2 || g.out[2] < 2)
		return -1;
	if (wants_planes(p, &g))
		return 0;
	return is_pointwise(&g) && p->in[0].type == OVL_BF16 && ovl_desc_is_cl(&p->in[0], &ld) ? 0 : -1;
}

static void rows_need(const void *state, int64_t from, int64_t to, int64_t *in_from, int64_t *in_to)
{
	const conv_state *s = state;
	ovl_conv_geometry g = s->g;
	*in_from = from;
	*in_to = to;
	if (!s->staged)
		return;
	g.in[1] = s->planes_y;
	g.pad_begin[1] = s->pad_y;
	ovl_conv_need_rows(&g, from, to, in_from, in_to);
}

static void rows_run(const ovl_call *call, int64_t from, int64_t to)
{
	const conv_state *s = call->state;
	if (s->staged) {
		do_staged(call, from, to, call->scratch);
		return;
	}
	ovl_gemm_bf16 p = gemm_of(s, call, 0);
	int64_t pixel = from * s->line;
	const char *add = s->tail.add_input < 0 ? NULL : call->in[s->tail.add_input];
	ovl_gemm_bf16_run(&p, (to - from) * s->line, (const half *)call->in[0] + pixel * s->x, s->x, (char *)call->out[0] + pixel * s->ldc * (s->c_half ? 2 : 4),
		add ? add + pixel * s->ldadd * (s->add_half ? 2 : 4) : NULL, pixel, 0, s->vecs);
}

static size_t rows_scratch(const void *state)
{
	const conv_state *s = state;
	return s->staged ? s->worker_scratch : 0;
}

static const ovl_rows by_rows = {.input = rows_input, .need = rows_need, .run = rows_run, .scratch = rows_scratch};

static const ovl_kernel conv = {.name = "conv_avx512_bf16",
	.ops = "Convolution GroupConvolution",
	.isa = OVL_ISA_AVX512_BF16,
	.rank = 10,
	.halves = true,
	.accept = accept,
	.prepare = prepare,
	.run = run,
	.release = release,
	.rows = &by_rows};
const ovl_kernel *const ovl_kernels_conv_avx512_bf16[] = {&conv, NULL};
