/* deconv.c - ConvolutionBackpropData and GroupConvolutionBackpropData.
 *
 * Output positions that leave the same remainder when divided by the stride (a "phase") are reached by the same taps; within a phase the operator
 * is a plain convolution of stride 1 whose output pixels lie `stride` apart. So each phase is computed like conv.c does it: tiles of pixels, a
 * segment for each tap, patches where a tile reaches over the border.
 *
 * Where kernel and stride are equal each tap is a phase of its own. With few output channels these would leave most lanes empty: then all taps are
 * columns of one product, whose rows are scattered afterwards ("spread"). */
#include "kernels/deconv.h"
#include "base/memory.h"
#include "kernels/conv.h"
#include "kernels/packs.h"
#include <stdio.h>
#include <string.h>

enum { MAX_TILES = 32, SPREAD_TILES = 8, DIMS = 3 }; /* SPREAD_TILES: as high as those of gemm.h, worked on together when products are scattered */

/* Along one dimension: the taps of each phase, and where in the input the first output of the phase finds them. */
typedef struct axis {
	int64_t in, out, stride, phases; /* phases that have outputs */
	int64_t *first;                  /* [phases + 1] into tap and shift */
	int64_t *tap, *shift;
} axis;

typedef struct deconv_state {
	const ovl_gemm_isa *isa;
	ovl_conv_geometry g;
	bool spread;
	int64_t ic, oc, taps, groups, merged; /* ic, oc: of a group */
	int64_t ld, ldc, ldadd;
	axis axis[DIMS];
	int64_t n, vecs, k_total; /* columns and depth of the product */
	int64_t patch_x, patch_width, patch_row, patch_size, max_segs;
	int64_t phases, m_chunks, n_chunks, sub;
	size_t segs_size, worker_scratch;
	ovl_buffer *weights; /* NULL: packed by run() into weights_size bytes of scratch */
	size_t weights_size;
	float *bias;
	ovl_gemm_tail tail;
} deconv_state;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

static const char *geometry_of(const ovl_problem *p, ovl_conv_geometry *g)
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
	if (ovl_conv_resolve(p->op, p->params, &data, &filters, p->n_op_in > 2 ? out->dims + 2 : NULL, g, &err) != OVL_OK)
		return "shapes do not fit together";
	for (int i = 0; i < g->spatial; i++)
		if (g->out[i] != out->dims[2 + i])
			return "output shape is not what the attributes say";
	if (out->dims[1] != g->out_channels || out->dims[0] != g->batch)
		return "output shape is not what the attributes say";
	*g = ovl_conv_as_3d(g);
	return NULL;
}

const char *ovl_deconv_accept(ovl_problem *p)
{
	ovl_conv_geometry g;
	const char *why = geometry_of(p, &g);
	if (why)
		return why;
	p->in_form[0] = OVL_FORM_CL;
	p->in_packed[1] = p->in_data[1] != NULL;
	p->out_form[0] = OVL_FORM_CL;
	return ovl_gemm_tail_accept(p, 1, OVL_FORM_CL);
}

/* ---- weights: [group][ic][oc][taps]. Those that are no constants are packed by each run. ---- */

/* Lanes of groups that share a vector. */
static void fill_merged(const deconv_state *s, float *to, const float *from)
{
	int64_t vl = s->isa->vl, ic = s->ic / s->merged, oc = s->oc / s->merged;
	memset(to, 0, (size_t)(s->k_total * vl) * sizeof *to);
	for (int64_t m = 0; m < s->merged; m++)
		for (int64_t i = 0; i < ic; i++)
			for (int64_t o = 0; o < oc; o++)
				for (int64_t t = 0; t < s->taps; t++)
					to[(t * s->ic + m * ic + i) * vl + m * oc + o] = from[((m * ic + i) * oc + o) * s->taps + t];
}

typedef struct fill_args {
	const deconv_state *s;
	const float *from;
	float *to;
} fill_args;

/* Panel i of [group][vec]: [tap][ic][vl]; spread: [ic][vl] with columns (tap, o). */
static void fill_panel(void *arg, int64_t i, int worker)
{
	const fill_args *a = arg;
	const deconv_state *s = a->s;
	int64_t vl = s->isa->vl, row = s->oc * s->taps, group = i / s->vecs, first = i % s->vecs * vl;
	const float *from = a->from + group * s->ic * (row / s->merged);
	float *to = a->to + i * s->k_total * vl;
	(void)worker;
	if (s->merged > 1)
		fill_merged(s, to, from);
	else if (!s->spread)
		for (int64_t t = 0; t < s->taps; t++)
			s->isa->pack(to + t * s->ic * vl, from + first * s->taps + t, s->ic, least(vl, s->oc - first), row, s->taps, 0, 1);
	else
		for (int64_t k = 0; k < s->ic; k++)
			for (int64_t c = first; c < first + vl; c++)
				to[k * vl + c - first] = c < s->n ? from[k * row + c % s->oc * s->taps + c / s->oc] : 0;
}

static void fill_weights(void *dst, void *arg)
{
	fill_args *a = arg;
	a->to = dst;
	for (int64_t i = 0; i < a->s->groups * a->s->vecs; i++)
		fill_panel(a, i, 0);
}

static ovl_status pack_weights(deconv_state *s, const ovl_problem *p, ovl_error *err)
{
	fill_args args = {s, p->in_data[1], NULL};
	size_t size;
	char tag[160];
	if (!ovl_mul_ok((size_t)(s->groups * s->vecs * s->isa->vl), (size_t)s->k_total * sizeof(float), &size))
		return ovl_fail(err, OVL_E_MEMORY, "the weights are too large");
	if (!p->in_data[1]) {
		s->weights_size = size;
		return OVL_OK;
	}
	snprintf(tag, sizeof tag, "deconv vl%d m%lld g%lld o%lld i%lld t%lld%s", s->isa->vl, (long long)s->merged, (long long)s->groups,
		(long long)s->oc, (long long)s->ic, (long long)s->taps, s->spread ? " spread" : "");
	return ovl_packs_get(p->packs, p->in_data[1], tag, size, fill_weights, &args, &s->weights, err);
}

/* ---- plan ---- */

static int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

static ovl_status set_axis(axis *a, const ovl_conv_geometry *g, int d, ovl_error *err)
{
	int64_t kernel = g->kernel[d], n = 0;
	a->in = g->in[d];
	a->out = g->out[d];
	a->stride = g->stride[d];
	a->phases = least(a->stride, a->out);
	a->first = ovl_calloc((size_t)(a->phases + 1 + 2 * kernel), sizeof *a->first);
	if (!a->first)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a deconvolution");
	a->tap = a->first + a->phases + 1;
	a->shift = a->tap + kernel;
	for (int64_t r = 0; r < a->phases; r++) {
		a->first[r] = n;
		for (int64_t k = 0; k < kernel; k++) {
			int64_t at = r + g->pad_begin[d] - k * g->dilation[d];
			if (at - floor_div(at, a->stride) * a->stride)
				continue;
			a->tap[n] = k;
			a->shift[n++] = floor_div(at, a->stride);
		}
	}
	a->first[a->phases] = n;
	return OVL_OK;
}

static int64_t outputs_of(const axis *a, int64_t phase) { return (a->out - phase + a->stride - 1) / a->stride; }

/* Taps are columns when each pixel makes a block of its own that no other touches, and when lanes would be empty otherwise. */
static bool can_spread(const deconv_state *s)
{
	const ovl_conv_geometry *g = &s->g;
	for (int d = 0; d < DIMS; d++)
		if (g->kernel[d] != g->stride[d] || g->pad_begin[d] || g->out[d] != g->in[d] * g->stride[d] || g->dilation[d] != 1)
			return false;
	return s->g.groups == 1 && s->oc < s->isa->vl && s->taps > 1 && s->tail.add_input < 0 && !s->tail.rest.n;
}

static ovl_status spread_bias(deconv_state *s, ovl_error *err)
{
	float *wide;
	if (!s->bias)
		return OVL_OK;
	wide = ovl_calloc((size_t)ovl_gemm_up(s->n, 16), sizeof *wide);
	if (!wide)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for biases");
	for (int64_t i = 0; i < s->n; i++)
		wide[i] = s->bias[i % s->oc];
	ovl_free(s->bias);
	s->bias = wide;
	return OVL_OK;
}

static void set_groups(deconv_state *s)
{
	int64_t oc = s->g.out_channels / s->g.groups;
	s->merged = 1;
	for (int64_t f = 2; f <= s->g.groups && f * oc <= s->isa->vl; f++)
		if (s->g.groups % f == 0)
			s->merged = f;
	s->groups = s->g.groups / s->merged;
	s->ic = s->g.in_channels / s->groups;
	s->oc = s->g.out_channels / s->groups;
}

/* The widest stretch of input that a tile needs. */
static void set_patch(deconv_state *s)
{
	const axis *x = &s->axis[2];
	int64_t dims[] = {1, s->ic, 2}, reach = 0, rows = 1;
	for (int64_t r = 0; r < x->phases; r++)
		for (int64_t i = x->first[r]; i < x->first[r + 1]; i++)
			for (int64_t j = x->first[r]; j < x->first[r + 1]; j++)
				reach = most(reach, x->shift[i] - x->shift[j]);
	for (int d = 0; d < 2; d++) {
		int64_t taps = 0;
		for (int64_t r = 0; r < s->axis[d].phases; r++)
			taps = most(taps, s->axis[d].first[r + 1] - s->axis[d].first[r]);
		rows *= taps;
	}
	s->patch_x = ovl_cl_ld(dims, 3);
	s->patch_width = least(s->isa->mr, outputs_of(x, 0)) + reach;
	s->patch_row = s->patch_width * s->patch_x;
	s->patch_size = ovl_gemm_up(rows * s->patch_row, 16);
	s->max_segs = most(1, rows * s->g.kernel[2]);
}

static int64_t tiles_of(const deconv_state *s, const int64_t phase[DIMS])
{
	return s->g.batch * outputs_of(&s->axis[0], phase[0]) * outputs_of(&s->axis[1], phase[1]) *
	       ovl_gemm_tiles(outputs_of(&s->axis[2], phase[2]), s->isa->mr);
}

static void set_chunks(deconv_state *s, int threads)
{
	const ovl_conv_geometry *g = &s->g;
	static const int64_t zero[DIMS];
	double flops = 2.0 * (double)(g->batch * g->in[0] * g->in[1] * g->in[2]) * (double)(s->ic * s->oc * s->taps * s->groups);
	int64_t weights = s->vecs * s->isa->vl * s->k_total * 4,
		tiles = s->spread ? g->batch * g->in[0] * g->in[1] * ovl_gemm_tiles(g->in[2], SPREAD_TILES * s->isa->mr) : tiles_of(s, zero);
	int64_t want = threads <= 1 ? 1 : most(1, least((int64_t)(flops / 2e5), 4 * (int64_t)threads));
	s->phases = s->spread ? 1 : s->axis[0].phases * s->axis[1].phases * s->axis[2].phases;
	want = parts(want, s->groups * s->phases);
	s->n_chunks = weights / s->phases > 192 << 10 ? least(most(1, s->vecs / 2), most(want, parts(weights / s->phases, 512 << 10))) : 1;
	s->m_chunks = least(parts(want, s->n_chunks), tiles);
	s->sub = least(MAX_TILES, parts(tiles, s->m_chunks));
	if (s->sub * s->patch_size * 4 > 1 << 20)
		s->sub = most(1, (1 << 20) / (s->patch_size * 4));
}

static ovl_status set_up(deconv_state *s, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	const ovl_conv_geometry *g = &s->g;
	size_t spread_size;
	set_groups(s);
	s->taps = g->kernel[0] * g->kernel[1] * g->kernel[2];
	ovl_desc_is_cl(&p->in[0], &s->ld);
	ovl_desc_is_cl(&p->out[0], &s->ldc);
	for (int d = 0; d < DIMS; d++)
		OVL_TRY(set_axis(&s->axis[d], g, d, err));
	OVL_TRY(ovl_gemm_tail_prepare(&s->tail, &s->bias, p, 1, err));
	if (s->tail.add_input >= 0)
		ovl_desc_is_cl(&p->in[s->tail.add_input], &s->ldadd);
	s->spread = can_spread(s);
	s->n = s->spread ? s->oc * s->taps : s->oc;
	s->k_total = s->spread ? s->ic : s->ic * s->taps;
	s->vecs = parts(s->n, s->isa->vl);
	if (s->spread)
		OVL_TRY(spread_bias(s, err));
	OVL_TRY(pack_weights(s, p, err));
	set_patch(s);
	set_chunks(s, p->threads);
	s->segs_size = (size_t)ovl_gemm_up(s->max_segs * (int64_t)sizeof(ovl_gemm_seg), 64);
	spread_size = s->spread ? (size_t)ovl_gemm_up(SPREAD_TILES * s->isa->mr * s->n, 16) * sizeof(float) : 0;
	s->worker_scratch = (size_t)s->sub * (s->segs_size + (size_t)s->patch_size * sizeof(float)) + spread_size;
	if (!ovl_mul_ok(s->worker_scratch, (size_t)most(1, p->threads), &out->scratch) || !ovl_add_ok(out->scratch, s->weights_size, &out->scratch))
		return ovl_fail(err, OVL_E_MEMORY, "the scratch memory is too large");
	snprintf(out->detail, sizeof out->detail, "%s %lldx%lldx%lld", s->spread ? "spread" : "phases", (long long)g->kernel[0],
		(long long)g->kernel[1], (long long)g->kernel[2]);
	return OVL_OK;
}

ovl_status ovl_deconv_prepare(const ovl_gemm_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	deconv_state *s = ovl_calloc(1, sizeof *s);
	ovl_status status;
	const char *why;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a deconvolution");
	s->isa = isa;
	why = geometry_of(p, &s->g);
	status = why ? ovl_fail(err, OVL_E_INTERNAL, "deconvolution: %s", why) : set_up(s, p, out, err);
	if (status != OVL_OK)
		ovl_deconv_release(s);
	else
		out->state = s;
	return status;
}

void ovl_deconv_release(void *state)
{
	deconv_state *s = state;
	if (!s)
		return;
	ovl_buffer_release(s->weights);
	for (int d = 0; d < DIMS; d++)
		ovl_free(s->axis[d].first);
	ovl_free(s->bias);
	ovl_free(s);
}

/* ---- run ---- */

typedef struct deconv_job {
	const deconv_state *s;
	const ovl_call *call;
	const float *weights;
	char *workers; /* scratch */
} deconv_job;

static bool cancelled(const ovl_call *call) { return call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED); }

/* Copies input pixels [x, x + width) of one row of the picture, zeros outside. */
static void copy_stretch(const deconv_state *s, float *to, const float *row, int64_t x, int64_t width)
{
	for (int64_t i = 0; i < width; i++) {
		if (x + i < 0 || x + i >= s->axis[2].in)
			memset(to + i * s->patch_x, 0, (size_t)s->ic * sizeof *to);
		else
			memcpy(to + i * s->patch_x, row + (x + i) * s->ld, (size_t)s->ic * sizeof *to);
	}
}

/* A tile of phase `phase`: outputs first.. of one row of that phase. Returns the number of its first output pixel. */
typedef struct place {
	int64_t image, z, y, x, n; /* counted within the phase; n pixels */
} place;

static void add_taps(
	const deconv_state *s, const int64_t phase[DIMS], const place *at, const float *image, float *patch, ovl_gemm_rows *r, ovl_gemm_seg *seg)
{
	const axis *az = &s->axis[0], *ay = &s->axis[1], *ax = &s->axis[2];
	const ovl_conv_geometry *g = &s->g;
	int64_t x0 = ax->first[phase[2]], x1 = ax->first[phase[2] + 1], low = 0, high = 0, rows = 0;
	bool patched;
	for (int64_t i = x0; i < x1; i++) {
		low = i == x0 ? ax->shift[i] : least(low, ax->shift[i]);
		high = i == x0 ? ax->shift[i] : most(high, ax->shift[i]);
	}
	patched = at->x + low < 0 || at->x + at->n - 1 + high >= ax->in;
	r->n_seg = 0;
	r->seg = seg;
	r->a = patched ? patch : image + at->x * s->ld;
	r->lda = patched ? s->patch_x : s->ld;
	for (int64_t i = az->first[phase[0]]; i < az->first[phase[0] + 1]; i++)
		for (int64_t j = ay->first[phase[1]]; j < ay->first[phase[1] + 1]; j++) {
			int64_t z = at->z + az->shift[i], y = at->y + ay->shift[j];
			if (z < 0 || z >= az->in || y < 0 || y >= ay->in)
				continue;
			if (patched)
				copy_stretch(
					s, patch + rows * s->patch_row, image + (z * ay->in + y) * ax->in * s->ld, at->x + low, at->n + high - low);
			for (int64_t k = x0; k < x1; k++) {
				int64_t tap = (az->tap[i] * g->kernel[1] + ay->tap[j]) * g->kernel[2] + ax->tap[k];
				int64_t a = patched ? rows * s->patch_row + (ax->shift[k] - low) * s->patch_x
						    : ((z * ay->in + y) * ax->in + ax->shift[k]) * s->ld;
				seg[r->n_seg++] = (ovl_gemm_seg){a, tap * s->ic * s->isa->vl};
			}
			rows++;
		}
}

static int64_t place_tile(
	const deconv_job *job, int64_t group, const int64_t phase[DIMS], int64_t tile, ovl_gemm_rows *r, ovl_gemm_seg *seg, float *patch)
{
	const deconv_state *s = job->s;
	const axis *az = &s->axis[0], *ay = &s->axis[1], *ax = &s->axis[2];
	int64_t nx = outputs_of(ax, phase[2]), ny = outputs_of(ay, phase[1]), nz = outputs_of(az, phase[0]), across = ovl_gemm_tiles(nx, s->isa->mr),
		pixel;
	place at = {.x = ovl_gemm_tile_at(nx, across, tile % across),
		.y = tile / across % ny,
		.z = tile / (across * ny) % nz,
		.image = tile / (across * ny * nz)};
	at.n = ovl_gemm_tile_at(nx, across, tile % across + 1) - at.x;
	pixel = ((at.image * az->out + at.z * az->stride + phase[0]) * ay->out + at.y * ay->stride + phase[1]) * ax->out + at.x * ax->stride +
		phase[2];
	add_taps(s, phase, &at, (const float *)job->call->in[0] + at.image * az->in * ay->in * ax->in * s->ld + group * s->ic, patch, r, seg);
	r->mr = (int)at.n;
	r->c = (float *)job->call->out[0] + pixel * s->ldc + group * s->oc;
	r->add = s->tail.add_input < 0 ? NULL : (const float *)job->call->in[s->tail.add_input] + pixel * s->ldadd + group * s->oc;
	r->row = pixel;
	return pixel;
}

/* Pixels of a tile are `stride` apart in the output: posts take them one by one. */
static void finish(const deconv_job *job, const ovl_gemm *g, const ovl_gemm_rows *rows, int64_t count, int64_t column, int64_t n)
{
	const deconv_state *s = job->s;
	for (int64_t i = 0; i < count; i++)
		for (int64_t m = 0; m < rows[i].mr; m++)
			s->isa->posts(&s->tail.rest, rows[i].c + m * g->ldc + column, g->ldc, 1, n, rows[i].row + m * s->axis[2].stride,
				g->first_column + column, job->call->in);
}

static void phase_chunk(void *arg, int64_t chunk, int worker)
{
	const deconv_job *job = arg;
	const deconv_state *s = job->s;
	int64_t m = chunk % s->m_chunks, n = chunk / s->m_chunks % s->n_chunks, p = chunk / (s->m_chunks * s->n_chunks) % s->phases;
	int64_t group = chunk / (s->m_chunks * s->n_chunks * s->phases), vl = s->isa->vl;
	int64_t phase[DIMS] = {p / (s->axis[2].phases * s->axis[1].phases), p / s->axis[2].phases % s->axis[1].phases, p % s->axis[2].phases};
	int64_t tiles = tiles_of(s, phase), tile = ovl_gemm_tile_at(tiles, s->m_chunks, m), end = ovl_gemm_tile_at(tiles, s->m_chunks, m + 1);
	int64_t vec = ovl_gemm_tile_at(s->vecs, s->n_chunks, n), vec_end = ovl_gemm_tile_at(s->vecs, s->n_chunks, n + 1);
	char *segs = job->workers + (size_t)worker * s->worker_scratch;
	float *patches = (void *)(segs + (size_t)s->sub * s->segs_size);
	ovl_gemm_rows rows[MAX_TILES];
	ovl_gemm g = {.k = s->ic,
		.n = s->oc,
		.ldc = s->ldc * s->axis[2].stride,
		.ldadd = s->ldadd * s->axis[2].stride,
		.b_row = vl,
		.b_vec = s->k_total * vl,
		.first_column = group * s->oc,
		.bias = s->bias ? s->bias + group * s->oc : NULL};
	if (cancelled(job->call))
		return;
	g.b = job->weights + group * s->vecs * g.b_vec;
	ovl_gemm_set_tail(&g, &s->tail, job->call->in);
	g.rest = NULL;
	for (; tile < end; tile += s->sub) {
		int64_t count = least(s->sub, end - tile);
		for (int64_t i = 0; i < count; i++)
			place_tile(job, group, phase, tile + i, &rows[i], (void *)(segs + (size_t)i * s->segs_size), patches + i * s->patch_size);
		s->isa->block(&g, rows, count, vec, vec_end - vec);
		if (s->tail.rest.n)
			finish(job, &g, rows, count, vec * vl, least(s->oc, vec_end * vl) - vec * vl);
	}
}

/* `count` pieces of `size` floats, evenly spaced on both sides. */
static void copy_pieces(float *to, int64_t to_step, const float *from, int64_t from_step, int64_t size, int64_t count)
{
	for (int64_t i = 0; i < count; i++, to += to_step, from += from_step) {
		int64_t at = 0;
		for (; at + 2 <= size; at += 2)
			memcpy(to + at, from + at, 2 * sizeof *to);
		if (at < size)
			to[at] = from[at];
	}
}

/* Products of some pixels, [pixel][tap][oc], to their places: taps along x are one piece where pixels touch. */
static void scatter(const deconv_state *s, const float *from, int64_t n, float *image, int64_t z, int64_t y, int64_t x)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t line = g->kernel[2] * s->oc;
	for (int64_t kz = 0; kz < g->kernel[0]; kz++)
		for (int64_t ky = 0; ky < g->kernel[1]; ky++) {
			float *to = image + (((z * g->stride[0] + kz) * g->out[1] + y * g->stride[1] + ky) * g->out[2] + x * g->stride[2]) * s->ldc;
			const float *row = from + (kz * g->kernel[1] + ky) * line;
			if (s->ldc == s->oc)
				copy_pieces(to, line, row, s->n, line, n);
			else
				for (int64_t k = 0; k < g->kernel[2]; k++)
					copy_pieces(to + k * s->ldc, g->kernel[2] * s->ldc, row + k * s->oc, s->n, s->oc, n);
		}
}

static void spread_chunk(void *arg, int64_t chunk, int worker)
{
	const deconv_job *job = arg;
	const deconv_state *s = job->s;
	const ovl_conv_geometry *g = &s->g;
	int64_t across = ovl_gemm_tiles(g->in[2], SPREAD_TILES * s->isa->mr), tiles = g->batch * g->in[0] * g->in[1] * across, vl = s->isa->vl;
	int64_t tile = ovl_gemm_tile_at(tiles, s->m_chunks, chunk), end = ovl_gemm_tile_at(tiles, s->m_chunks, chunk + 1);
	float *products = (void *)(job->workers + (size_t)worker * s->worker_scratch);
	ovl_gemm p = {.k = s->ic, .n = s->n, .ldc = s->n, .b = job->weights, .b_row = vl, .b_vec = s->k_total * vl, .bias = s->bias};
	if (cancelled(job->call))
		return;
	ovl_gemm_set_tail(&p, &s->tail, job->call->in);
	if (p.act > OVL_GEMM_IN_REGISTERS) /* done below, for a whole tile at a time */
		p.act = OVL_GEMM_PLAIN;
	for (; tile < end; tile++) {
		int64_t row = tile / across, x = ovl_gemm_tile_at(g->in[2], across, tile % across),
			n = ovl_gemm_tile_at(g->in[2], across, tile % across + 1) - x;
		int64_t y = row % g->in[1], z = row / g->in[1] % g->in[0], image = row / (g->in[1] * g->in[0]);
		s->isa->run(&p, n, (const float *)job->call->in[0] + (row * g->in[2] + x) * s->ld, s->ld, products, NULL, 0, 0, s->vecs);
		if (s->tail.act > OVL_GEMM_IN_REGISTERS)
			s->isa->act(s->tail.act, s->tail.alpha, s->tail.beta, products, 0, 1, n * s->n);
		scatter(s, products, n, (float *)job->call->out[0] + image * g->out[0] * g->out[1] * g->out[2] * s->ldc, z, y, x);
	}
}

ovl_status ovl_deconv_run(const ovl_call *call)
{
	const deconv_state *s = call->state;
	deconv_job job = {s, call, s->weights ? s->weights->data : call->scratch, (char *)call->scratch + s->weights_size};
	fill_args fill = {s, call->in[1], call->scratch};
	if (!s->weights)
		ovl_pool_run(call->pool, s->groups * s->vecs, fill_panel, &fill);
	if (s->spread)
		ovl_pool_run(call->pool, s->m_chunks, spread_chunk, &job);
	else
		ovl_pool_run(call->pool, s->m_chunks * s->n_chunks * s->phases * s->groups, phase_chunk, &job);
	if (cancelled(call))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	return OVL_OK;
}
