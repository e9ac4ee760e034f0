/* conv.c - dense convolutions without unfolding: an output row is cut into tiles of some pixels, and a tile is a sum over segments, one for each tap.
 *
 * Two views of the input:
 *   pixels   CL: rows of A are pixels (stride * ld apart), a segment is a tap (z, y, x) of IC channels; where pixels touch (ld == IC) the taps of a
 *            line are one segment
 *   lines    DENSE with few channels (the first layer): rows of A are `stride` floats apart in a line of the picture, a segment is a line (z, y,
 *            channel) of KW taps
 * Taps above and below the picture are left out of the sum. A tile that reaches over the left or right border works on a patch: a copy of the few
 * pixels it needs with zeros around, made once for all output channels.
 *
 * Work is cut into chunks of row tiles times output channels, numbered by rows first: a band of rows for each thread. Where that is not possible
 * (groups, fewer tiles than threads), by channels if weights are heavy, so that each is read by one thread only, else by rows. */
#include "kernels/conv.h"
#include "base/memory.h"
#include "kernels/packs.h"
#include "kernels/strassen.h"
#include <stdio.h>
#include <string.h>

typedef struct conv_state {
	const ovl_gemm_isa *isa;
	ovl_conv_geometry g;
	bool lines, pointwise;     /* pointwise: g has all pixels in one row */
	int64_t line;              /* pointwise: pixels of a row of the image */
	int64_t ic, oc;            /* of a group */
	int64_t merged;            /* narrow groups that were made one, with zeros where they do not meet */
	int64_t kx;                /* segments along x: kernel[2], or 1 where a segment covers them all */
	int64_t k, n_seg, k_total; /* of a segment, segments, of all of them */
	int64_t image, z, y, x, c; /* strides of the input; c: between channels (lines) or 1 */
	int64_t out_image, ldc, ldadd;
	int64_t row_tiles, n_tiles;                                          /* tiles of a row, of all rows of all images */
	int64_t patch_z, patch_y, patch_x, patch_c, patch_size, patch_width; /* strides and size; width in pixels */
	int64_t vecs, m_chunks, n_chunks, sub;                               /* sub: tiles that are worked on together */
	size_t worker_scratch, rows_size, segs_size;
	ovl_gemm_seg *direct, *patched; /* segments of tiles that need all taps */
	ovl_buffer *weights;            /* NULL: packed by run() into weights_size bytes of scratch */
	size_t weights_size;
	float *bias;
	ovl_gemm_tail tail;
	ovl_strassen seven; /* isa NULL: not worth it */
} conv_state;

/* ---- what is accepted ---- */

/* Moves sizes inwards past dimensions of one: a column of H x 1 becomes a row. */
static void move_inwards(ovl_conv_geometry *g)
{
	for (int round = 0; round < 2; round++) {
		if (g->in[2] != 1 || g->out[2] != 1 || g->kernel[2] != 1 || g->pad_begin[2])
			return;
		for (int i = 2; i > 0; i--) {
			g->in[i] = g->in[i - 1];
			g->out[i] = g->out[i - 1];
			g->kernel[i] = g->kernel[i - 1];
			g->stride[i] = g->stride[i - 1];
			g->dilation[i] = g->dilation[i - 1];
			g->pad_begin[i] = g->pad_begin[i - 1];
			g->pad_end[i] = g->pad_end[i - 1];
		}
		g->in[0] = g->out[0] = g->kernel[0] = g->stride[0] = g->dilation[0] = 1;
		g->pad_begin[0] = g->pad_end[0] = 0;
	}
}

const char *ovl_conv_problem(const ovl_problem *p, ovl_conv_geometry *g)
{
	const ovl_desc *in = &p->in[0], *w = &p->in[1], *out = &p->out[0];
	ovl_shape data, filters;
	ovl_error err;
	if (p->n_op_in < 2 || in->type != OVL_F32 || w->type != OVL_F32 || out->type != OVL_F32)
		return "not f32";
	if (in->rank < 3 || in->rank > 5)
		return "not 1 to 3 spatial dimensions";
	if (!ovl_desc_count(in) || !ovl_desc_count(w) || !ovl_desc_count(out))
		return "empty";
	data = ovl_shape_of(in->rank, in->dims);
	filters = ovl_shape_of(w->rank, w->dims);
	if (ovl_conv_resolve(p->op, p->params, &data, &filters, NULL, g, &err) != OVL_OK)
		return "shapes do not fit together";
	for (int i = 0; i < g->spatial; i++)
		if (g->out[i] != out->dims[2 + i])
			return "output shape is not what the attributes say";
	if (out->dims[1] != g->out_channels || out->dims[0] != g->batch)
		return "output shape is not what the attributes say";
	*g = ovl_conv_as_3d(g);
	move_inwards(g);
	return NULL;
}

static bool is_pointwise(const ovl_conv_geometry *g)
{
	for (int i = 0; i < 3; i++)
		if (g->kernel[i] != 1 || g->stride[i] != 1 || g->pad_begin[i] || g->out[i] != g->in[i])
			return false;
	return true;
}

/* The first layer gets its picture as planes; turning it around would cost more than reading lines. */
static bool wants_lines(const ovl_problem *p, const ovl_conv_geometry *g)
{
	int64_t ld;
	return g->groups == 1 && g->in_channels <= 4 && ovl_desc_is_dense(&p->in[0]) && !ovl_desc_is_cl(&p->in[0], &ld);
}

const char *ovl_conv_accept(ovl_problem *p)
{
	ovl_conv_geometry g;
	const char *why = ovl_conv_problem(p, &g);
	if (why)
		return why;
	if (p->way && (p->accurate || !p->in_data[1] || g.groups != 1 || !is_pointwise(&g) || wants_lines(p, &g)))
		return "there is but one way";
	p->in_form[0] = wants_lines(p, &g) ? OVL_FORM_DENSE : OVL_FORM_CL;
	p->in_packed[1] = p->in_data[1] != NULL;
	p->out_form[0] = OVL_FORM_CL;
	return ovl_gemm_tail_accept(p, 1, OVL_FORM_CL);
}

/* ---- weights: [group][oc][ic][taps]. Those that are no constants are packed by each run. ---- */

/* A group made of narrow ones: one vector of output channels, in which each lane has weights at the channels of its own group. */
static void fill_merged(const conv_state *s, float *to, const float *from)
{
	int64_t vl = s->isa->vl, taps = s->g.kernel[0] * s->g.kernel[1] * s->g.kernel[2], ic = s->ic / s->merged, oc = s->oc / s->merged;
	memset(to, 0, (size_t)(s->k_total * vl) * sizeof *to);
	for (int64_t o = 0; o < s->oc; o++)
		for (int64_t i = 0; i < ic; i++)
			for (int64_t t = 0; t < taps; t++)
				to[(t * s->ic + o / oc * ic + i) * vl + o] = from[(o * ic + i) * taps + t];
}

typedef struct fill_args {
	const conv_state *s;
	const float *from;
	float *to;
} fill_args;

/* Panel i of [group][vec]: [k_total][vl], where k counts (tap, channel) for pixels, (z, y, channel, x) for lines. */
static void fill_panel(void *arg, int64_t i, int worker)
{
	const fill_args *a = arg;
	const conv_state *s = a->s;
	int64_t vl = s->isa->vl, w = s->g.kernel[2], taps = s->g.kernel[0] * s->g.kernel[1] * w, filter = s->ic * taps;
	int64_t group = i / s->vecs, first = i % s->vecs * vl, n = s->oc - first < vl ? s->oc - first : vl;
	const float *from = a->from + (group * s->oc + first) * filter;
	float *to = a->to + i * s->k_total * vl;
	(void)worker;
	if (s->merged > 1)
		fill_merged(s, to, a->from + group * s->oc * (filter / s->merged));
	else if (!s->lines)
		for (int64_t t = 0; t < taps; t++)
			s->isa->pack(to + t * s->ic * vl, from + t, s->ic, n, taps, filter, 0, 1);
	else
		for (int64_t t = 0; t < taps / w; t++)
			for (int64_t c = 0; c < s->ic; c++)
				s->isa->pack(to + (t * s->ic + c) * w * vl, from + c * taps + t * w, w, n, 1, filter, 0, 1);
}

static void fill_weights(void *dst, void *arg)
{
	fill_args *a = arg;
	a->to = dst;
	for (int64_t i = 0; i < a->s->g.groups * a->s->vecs; i++)
		fill_panel(a, i, 0);
}

static ovl_status pack_weights(conv_state *s, const ovl_problem *p, ovl_error *err)
{
	fill_args args = {s, p->in_data[1], NULL};
	size_t size;
	char tag[160];
	if (!ovl_mul_ok((size_t)(s->g.groups * s->vecs * s->isa->vl), (size_t)s->k_total * sizeof(float), &size))
		return ovl_fail(err, OVL_E_MEMORY, "the weights are too large");
	if (!p->in_data[1]) {
		s->weights_size = size;
		return OVL_OK;
	}
	snprintf(tag, sizeof tag, "conv vl%d m%lld g%lld o%lld i%lld k%lldx%lldx%lld%s", s->isa->vl, (long long)s->merged, (long long)s->g.groups,
		(long long)s->oc, (long long)s->ic, (long long)s->g.kernel[0], (long long)s->g.kernel[1], (long long)s->g.kernel[2],
		s->lines ? " lines" : "");
	return ovl_packs_get(p->packs, p->in_data[1], tag, size, fill_weights, &args, &s->weights, err);
}

/* ---- plan ---- */

/* Groups narrower than a vector share one: as many products, but fewer and fuller tiles. */
static void merge_groups(conv_state *s)
{
	int64_t groups = s->g.groups, oc = s->g.out_channels / groups;
	s->merged = 1;
	for (int64_t f = 2; f <= groups && f * oc <= s->isa->vl; f++)
		if (groups % f == 0)
			s->merged = f;
	s->g.groups /= s->merged;
}

static void set_view(conv_state *s, const ovl_problem *p)
{
	ovl_conv_geometry *g = &s->g;
	int64_t ld = 0, pixels = g->in[0] * g->in[1] * g->in[2];
	s->ic = g->in_channels / g->groups;
	s->oc = g->out_channels / g->groups;
	s->lines = !ovl_desc_is_cl(&p->in[0], &ld);
	s->line = g->in[2];
	s->pointwise = is_pointwise(g) && !s->lines;
	if (s->pointwise) { /* all pixels of all images are one row */
		g->in[2] = g->out[2] = pixels * g->batch;
		g->in[0] = g->in[1] = g->out[0] = g->out[1] = g->batch = 1;
		pixels = g->in[2];
	}
	s->x = s->lines ? 1 : ld;
	s->c = s->lines ? pixels : 1;
	s->y = s->x * g->in[2];
	s->z = s->y * g->in[1];
	s->image = s->lines ? s->ic * pixels : s->z * g->in[0];
	s->k_total = s->ic * g->kernel[0] * g->kernel[1] * g->kernel[2];
	ovl_desc_is_cl(&p->out[0], &s->ldc);
	s->out_image = g->out[0] * g->out[1] * g->out[2]; /* in pixels */
	/* taps that follow each other in memory make one segment */
	bool together = g->dilation[2] == 1 && (s->lines || (ld == s->ic && g->groups == 1 && s->ic < 16));
	s->kx = together ? 1 : g->kernel[2];
	s->k = (s->lines ? 1 : s->ic) * (together ? g->kernel[2] : 1);
	s->n_seg = s->k_total / s->k;
}

static void set_patch(conv_state *s)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t mr = s->isa->mr < g->out[2] ? s->isa->mr : g->out[2];
	int64_t dims[] = {1, s->ic, 2};
	s->patch_width = (mr - 1) * g->stride[2] + (g->kernel[2] - 1) * g->dilation[2] + 1;
	s->patch_x = s->lines ? 1 : s->kx == 1 ? s->ic : ovl_cl_ld(dims, 3);
	s->patch_c = s->lines ? s->patch_width : 1;
	s->patch_y = s->lines ? s->ic * s->patch_width : s->patch_width * s->patch_x;
	s->patch_z = s->patch_y * g->kernel[1];
	s->patch_size = ovl_gemm_up(s->patch_z * g->kernel[0], 16);
}

/* The taps [first, last) of dimension d that lie inside the picture for output position o. */
static void taps_inside(const ovl_conv_geometry *g, int d, int64_t o, int64_t *first, int64_t *last)
{
	int64_t at = o * g->stride[d] - g->pad_begin[d], step = g->dilation[d];
	*first = at < 0 ? (-at + step - 1) / step : 0;
	*last = at >= g->in[d] ? 0 : (g->in[d] - at + step - 1) / step;
	if (*last > g->kernel[d])
		*last = g->kernel[d];
	if (*first > *last)
		*first = *last;
}

/* Segments of a tile for taps [z0, z1) x [y0, y1): strides of the view it reads. Offsets of A count from tap 0, 0, 0 even where that is outside. */
static int64_t write_segs(const conv_state *s, ovl_gemm_seg *seg, const int64_t range[4], bool patched)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t n = 0, vl = s->isa->vl, lanes = s->lines ? s->ic : 1;
	int64_t sz = patched ? s->patch_z : s->z * g->dilation[0], sy = patched ? s->patch_y : s->y * g->dilation[1];
	int64_t sx = (patched ? s->patch_x : s->x) * g->dilation[2], sc = patched ? s->patch_c : s->c;
	for (int64_t z = range[0]; z < range[1]; z++)
		for (int64_t y = range[2]; y < range[3]; y++)
			for (int64_t c = 0; c < lanes; c++)
				for (int64_t x = 0; x < s->kx; x++) {
					int64_t number = ((z * g->kernel[1] + y) * lanes + c) * s->kx + x;
					seg[n++] = (ovl_gemm_seg){z * sz + y * sy + c * sc + x * sx, number * s->k * vl};
				}
	return n;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

static void set_chunks(conv_state *s, int threads)
{
	const ovl_conv_geometry *g = &s->g;
	double flops = 2.0 * (double)(s->n_tiles / s->row_tiles) * (double)g->out[2] * (double)s->oc * (double)s->k_total;
	int64_t weights = s->vecs * s->isa->vl * s->k_total * 4, heavy = 1 << 20, light = 192 << 10;
	int64_t mr = parts(g->out[2], s->row_tiles);
	int64_t tile = 4 * ((mr * g->stride[2] + g->kernel[2] - 1) * s->ic * least(g->kernel[0] * g->kernel[1], 2) + mr * s->oc);
	int64_t worth = most((int64_t)(flops / 5e4), weights / (48 << 10)); /* weights of one pixel: reading them is all the work */
	int64_t want = threads <= 1 ? 1 : most(1, least(worth, 4 * (int64_t)threads));
	int64_t pieces = most(1, parts(want, g->groups)); /* of a group */
	if (threads > 1 && s->n_tiles >= threads && g->groups == 1) {
		/* a band of rows for each thread, which has written the rows that it reads; columns are what others can take over */
		s->m_chunks = weights > light ? least(pieces, threads) : least(pieces, s->n_tiles);
		s->n_chunks = least(parts(pieces, s->m_chunks), most(1, s->vecs / 2));
		s->sub = weights > light ? most(1, (256 << 10) / tile) : most(2, (64 << 10) / tile);
	} else if (weights > light) {                     /* by channels, and by rows as far as that does not suffice */
		s->n_chunks = least(most(parts(weights, heavy), pieces), most(1, s->vecs / 2));
		s->m_chunks = least(parts(pieces, s->n_chunks), s->n_tiles);
		s->sub = most(1, (256 << 10) / tile);
	} else {
		s->m_chunks = least(pieces, s->n_tiles);
		s->n_chunks = least(parts(pieces, s->m_chunks), most(1, s->vecs / 2));
		s->sub = most(2, (64 << 10) / tile);
	}
	s->sub = least(s->sub, most(1, parts(s->n_tiles, s->m_chunks)));
	if (s->sub * s->patch_size * 4 > 2 << 20)
		s->sub = most(1, (2 << 20) / (s->patch_size * 4));
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

static ovl_status set_up(conv_state *s, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	const ovl_conv_geometry *g = &s->g;
	merge_groups(s);
	set_view(s, p);
	s->vecs = parts(s->oc, s->isa->vl);
	set_patch(s);
	s->row_tiles = ovl_gemm_tiles(g->out[2], s->isa->mr);
	s->n_tiles = s->row_tiles * g->batch * g->out[0] * g->out[1];
	set_chunks(s, p->threads);
	OVL_TRY(set_segs(s, err));
	OVL_TRY(pack_weights(s, p, err));
	OVL_TRY(ovl_gemm_tail_prepare(&s->tail, &s->bias, p, 1, err));
	if (s->tail.add_input >= 0)
		ovl_desc_is_cl(&p->in[s->tail.add_input], &s->ldadd);
	s->rows_size = (size_t)ovl_gemm_up(s->sub * (int64_t)sizeof(ovl_gemm_rows), 64);
	s->segs_size = (size_t)ovl_gemm_up(s->n_seg * (int64_t)sizeof(ovl_gemm_seg), 64);
	s->worker_scratch = s->rows_size + (size_t)s->sub * (s->segs_size + (size_t)s->patch_size * sizeof(float)) + 64 * sizeof(float);
	if (!ovl_mul_ok(s->worker_scratch, (size_t)most(1, p->threads), &out->scratch) || !ovl_add_ok(out->scratch, s->weights_size, &out->scratch))
		return ovl_fail(err, OVL_E_MEMORY, "the scratch memory is too large");
	if (s->pointwise && s->weights && g->groups == 1 && !p->accurate &&
		ovl_strassen_plan(&s->seven, s->isa, g->out[2], s->oc, s->ic, s->x, s->weights->data, p->threads, p->way))
		out->room = (size_t)s->seven.each * sizeof(float);
	snprintf(out->detail, sizeof out->detail, "%s %lldx%lldx%lld", s->lines ? "lines" : s->seven.isa ? "strassen" : "pixels",
		(long long)g->kernel[0], (long long)g->kernel[1], (long long)g->kernel[2]);
	return OVL_OK;
}

ovl_status ovl_conv_prepare(const ovl_gemm_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	conv_state *s = ovl_calloc(1, sizeof *s);
	ovl_status status;
	const char *why;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a convolution");
	s->isa = isa;
	why = ovl_conv_problem(p, &s->g);
	status = why ? ovl_fail(err, OVL_E_INTERNAL, "convolution: %s", why) : set_up(s, p, out, err);
	if (status != OVL_OK)
		ovl_conv_release(s);
	else
		out->state = s;
	return status;
}

void ovl_conv_release(void *state)
{
	conv_state *s = state;
	if (!s)
		return;
	ovl_buffer_release(s->weights);
	ovl_free(s->direct);
	ovl_free(s->bias);
	ovl_free(s);
}

/* ---- run ---- */

typedef struct conv_job {
	const conv_state *s;
	const ovl_call *call;
	const float *weights;
	char *workers; /* scratch */
} conv_job;

/* Copies the taps [z0, z1) x [y0, y1) of pixels [x, x + patch_width) with zeros outside the picture. */
static void make_patch(const conv_state *s, float *patch, const float *image, int64_t z, int64_t y, int64_t x, const int64_t range[4])
{
	const ovl_conv_geometry *g = &s->g;
	int64_t lanes = s->lines ? s->ic : 1, each = s->lines ? 1 : s->ic;
	int64_t before = x < 0 ? least(-x, s->patch_width) : 0, end = most(before, least(s->patch_width, g->in[2] - x));
	for (int64_t kz = range[0]; kz < range[1]; kz++)
		for (int64_t ky = range[2]; ky < range[3]; ky++)
			for (int64_t c = 0; c < lanes; c++) {
				float *to = patch + kz * s->patch_z + ky * s->patch_y + c * s->patch_c;
				const float *from = image + (z + kz * g->dilation[0]) * s->z + (y + ky * g->dilation[1]) * s->y + x * s->x + c * s->c;
				memset(to, 0, (size_t)(before * s->patch_x) * sizeof *to);
				if (s->patch_x == each && s->x == each)
					memcpy(to + before * each, from + before * each, (size_t)((end - before) * each) * sizeof *to);
				else
					for (int64_t i = before; i < end; i++)
						memcpy(to + i * s->patch_x, from + i * s->x, (size_t)each * sizeof *to);
				memset(to + end * s->patch_x, 0, (size_t)((s->patch_width - end) * s->patch_x) * sizeof *to);
			}
}

/* Tile number i of one group: where its rows are, its taps, a patch when it needs one. */
static void place_tile(const conv_state *s, const conv_job *job, int64_t group, int64_t i, ovl_gemm_rows *r, ovl_gemm_seg *segs, float *patch)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t row = i / s->row_tiles, number = i % s->row_tiles;
	int64_t first = ovl_gemm_tile_at(g->out[2], s->row_tiles, number), end = ovl_gemm_tile_at(g->out[2], s->row_tiles, number + 1);
	int64_t oy = row % g->out[1], oz = row / g->out[1] % g->out[0], n = row / (g->out[1] * g->out[0]);
	int64_t pixel = row * g->out[2] + first, range[4];
	int64_t z = oz * g->stride[0] - g->pad_begin[0], y = oy * g->stride[1] - g->pad_begin[1], x = first * g->stride[2] - g->pad_begin[2];
	int64_t last = (end - 1) * g->stride[2] - g->pad_begin[2] + (g->kernel[2] - 1) * g->dilation[2];
	const float *image = (const float *)job->call->in[0] + n * s->image + group * s->ic * s->c;
	bool patched = x < 0 || last >= g->in[2];
	r->mr = (int)(end - first);
	r->row = pixel;
	r->c = (float *)job->call->out[0] + pixel * s->ldc + group * s->oc;
	r->add = s->tail.add_input < 0 ? NULL : (const float *)job->call->in[s->tail.add_input] + pixel * s->ldadd + group * s->oc;
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

static ovl_gemm gemm_of(const conv_state *s, const conv_job *job, int64_t group)
{
	ovl_gemm p = {.k = s->k,
		.n = s->oc,
		.ldc = s->ldc,
		.ldadd = s->ldadd,
		.b_row = s->isa->vl,
		.b_vec = s->k_total * s->isa->vl,
		.first_column = group * s->oc,
		.bias = s->bias ? s->bias + group * s->oc : NULL};
	p.b = job->weights + group * s->vecs * p.b_vec;
	ovl_gemm_set_tail(&p, &s->tail, job->call->in);
	return p;
}

/* Tiles [tile, tile_end) times vectors [vec, vec_end) of one group. */
static void do_tiles(const conv_job *job, int64_t group, int64_t tile, int64_t tile_end, int64_t vec, int64_t vec_end, char *scratch)
{
	const conv_state *s = job->s;
	ovl_gemm_rows *rows = (void *)scratch;
	char *segs = scratch + s->rows_size;
	float *patches = (void *)(segs + (size_t)s->sub * s->segs_size);
	ovl_gemm p = gemm_of(s, job, group);
	for (; tile < tile_end; tile += s->sub) {
		int64_t count = least(s->sub, tile_end - tile);
		for (int64_t i = 0; i < count; i++)
			place_tile(s, job, group, tile + i, &rows[i], (void *)(segs + (size_t)i * s->segs_size), patches + i * s->patch_size);
		s->isa->block(&p, rows, count, vec, vec_end - vec);
	}
}

static void do_chunk(void *arg, int64_t chunk, int worker)
{
	const conv_job *job = arg;
	const conv_state *s = job->s;
	int64_t m = chunk / s->n_chunks % s->m_chunks, n = chunk % s->n_chunks;
	if (job->call->cancel && __atomic_load_n(job->call->cancel, __ATOMIC_RELAXED))
		return;
	do_tiles(job, chunk / (s->m_chunks * s->n_chunks), ovl_gemm_tile_at(s->n_tiles, s->m_chunks, m),
		ovl_gemm_tile_at(s->n_tiles, s->m_chunks, m + 1), ovl_gemm_tile_at(s->vecs, s->n_chunks, n),
		ovl_gemm_tile_at(s->vecs, s->n_chunks, n + 1), job->workers + (size_t)worker * s->worker_scratch);
}

static void do_seven(const conv_job *job)
{
	const conv_state *s = job->s;
	const ovl_call *call = job->call;
	ovl_gemm g = gemm_of(s, job, 0);
	ovl_strassen_run(&s->seven, &g, call->in[0], call->out[0], s->tail.add_input < 0 ? NULL : call->in[s->tail.add_input], call);
}

ovl_status ovl_conv_run(const ovl_call *call)
{
	const conv_state *s = call->state;
	conv_job job = {s, call, s->weights ? s->weights->data : call->scratch, (char *)call->scratch + s->weights_size};
	fill_args fill = {s, call->in[1], call->scratch};
	if (!s->weights)
		ovl_pool_run(call->pool, s->g.groups * s->vecs, fill_panel, &fill);
	if (s->seven.isa)
		do_seven(&job);
	else
		ovl_pool_run(call->pool, s->m_chunks * s->n_chunks * s->g.groups, do_chunk, &job);
	if (call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	return OVL_OK;
}

/* ---- by rows, for chains ---- */

void ovl_conv_need_rows(const ovl_conv_geometry *g, int64_t from, int64_t to, int64_t *in_from, int64_t *in_to)
{
	int64_t image = from / g->out[1], first = from % g->out[1], last = first + (to - from) - 1;
	int64_t top = first * g->stride[1] - g->pad_begin[1], bottom = last * g->stride[1] - g->pad_begin[1] + (g->kernel[1] - 1) * g->dilation[1] + 1;
	top = least(most(top, 0), g->in[1]);
	bottom = most(least(bottom, g->in[1]), top);
	*in_from = image * g->in[1] + top;
	*in_to = image * g->in[1] + bottom;
}

static int rows_input(const ovl_problem *p)
{
	ovl_conv_geometry g;
	int64_t ld;
	if (ovl_conv_problem(p, &g) || p->in[0].rank != 4 || !p->in_data[1] || g.groups != 1 || g.in[1] < 2 || g.out[2] < 2)
		return -1;
	return is_pointwise(&g) ? (ovl_desc_is_cl(&p->in[0], &ld) ? 0 : -1) : wants_lines(p, &g) ? 0 : -1;
}

static void rows_need(const void *state, int64_t from, int64_t to, int64_t *in_from, int64_t *in_to)
{
	const conv_state *s = state;
	if (!s->pointwise) {
		ovl_conv_need_rows(&s->g, from, to, in_from, in_to);
		return;
	}
	*in_from = from;
	*in_to = to;
}

static void rows_run(const ovl_call *call, int64_t from, int64_t to)
{
	const conv_state *s = call->state;
	conv_job job = {s, call, s->weights->data, NULL};
	if (s->pointwise) {
		ovl_gemm p = gemm_of(s, &job, 0);
		int64_t pixel = from * s->line, add = s->tail.add_input;
		s->isa->run(&p, (to - from) * s->line, (const float *)call->in[0] + pixel * s->x, s->x, (float *)call->out[0] + pixel * s->ldc,
			add < 0 ? NULL : (const float *)call->in[add] + pixel * s->ldadd, pixel, 0, s->vecs);
	} else {
		do_tiles(&job, 0, from * s->row_tiles, to * s->row_tiles, 0, s->vecs, call->scratch);
	}
}

static size_t rows_scratch(const void *state)
{
	const conv_state *s = state;
	return s->pointwise ? 0 : s->worker_scratch;
}

const ovl_rows ovl_conv_rows = {.input = rows_input, .need = rows_need, .run = rows_run, .scratch = rows_scratch};
