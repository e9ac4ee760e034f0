/* pool_impl.h - MaxPool and AvgPool of f32, channels-last: a window is walked pixel by pixel, four vectors of channels at a time. Included after the vector layer. */
#include "base/memory.h"
#include "kernels/element.h"
#include "kernels/posts.h"
#include "ops/pool.h"
#include <float.h>

typedef struct state {
	bool maximum, indexed;
	ovl_conv_geometry g; /* three dimensions */
	int64_t by; /* AvgPool: what sums are divided by; 0: by what the window finds */
	int64_t channels, from_ld, to_ld, from_image, to_image;
	int64_t strip, strips, rows; /* work: rows of output pixels x strips of channels */
	/* indices */
	ovl_type index_type;
	int64_t index_strides[3], modulo; /* image, channel, pixel */
	ovl_posts posts;
} state;

static bool geometry(const ovl_problem *p, ovl_conv_geometry *g)
{
	ovl_shape s = ovl_shape_of(p->in[0].rank, p->in[0].dims);
	ovl_error ignored;
	if (ovl_pooling_resolve(p->op, p->params, &s, g, &ignored) != OVL_OK)
		return false;
	*g = ovl_conv_as_3d(g);
	return true;
}

static bool wants_indices(const ovl_problem *p) { return p->n_out > 1 && !(p->unused & 2); }

static const char *accept(ovl_problem *p)
{
	ovl_conv_geometry g;
	const char *why;
	if (p->in[0].type != ELEMENT_TYPE || p->out[0].type != OVL_F32)
		return "elements of another type";
	if (ELEMENT_HALF && (wants_indices(p) || p->n_posts || !p->halves_read))
		return "indices or posts of halves, or nobody to read halves";
	if (p->in[0].rank < 3 || p->in[0].rank > 5 || !geometry(p, &g))
		return "not an image of one to three dimensions";
	if (wants_indices(p) && p->n_posts)
		return "posts with indices";
	if (wants_indices(p) && g.in[0] * g.in[1] * g.in[2] > INT32_MAX)
		return "image too large for indices";
	p->in_form[0] = OVL_FORM_CL;
	p->out_half = ELEMENT_HALF;
	for (int i = 0; i < p->n_out; i++)
		p->out_form[i] = OVL_FORM_CL;
	why = ovl_posts_accept(p, 1, OVL_FORM_CL);
	return why;
}

static void plan_indices(state *s, const ovl_problem *p)
{
	const ovl_desc *d = &p->out[1], *from = &p->in[0];
	int64_t axis = ((const ovl_pooling_params *)p->params)->axis, ld = 0;
	s->indexed = d->type == OVL_I32 || d->type == OVL_I64;
	if (!s->indexed || !ovl_desc_is_cl(d, &ld))
		return;
	s->index_type = d->type;
	s->index_strides[0] = d->strides[0];
	s->index_strides[1] = 1;
	s->index_strides[2] = ld;
	s->modulo = 1;
	for (int i = (int)(axis < 0 ? axis + from->rank : axis); i < from->rank; i++)
		s->modulo *= from->dims[i];
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	state *s = ovl_calloc(1, sizeof *s);
	const ovl_desc *from = &p->in[0], *to = &p->out[0];
	ovl_status st;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a pooling");
	if (!geometry(p, &s->g) || !ovl_desc_is_cl(from, &s->from_ld) || !ovl_desc_is_cl(to, &s->to_ld)) {
		ovl_free(s);
		return ovl_fail(err, OVL_E_INTERNAL, "%s was prepared with values it did not accept", p->op);
	}
	st = ovl_posts_prepare(&s->posts, p, 1, err);
	if (st != OVL_OK) {
		ovl_free(s);
		return st;
	}
	out->state = s;
	s->maximum = p->op[0] == 'M';
	s->channels = from->dims[1];
	s->from_image = s->g.in[0] * s->g.in[1] * s->g.in[2] * s->from_ld;
	s->to_image = s->g.out[0] * s->g.out[1] * s->g.out[2] * s->to_ld;
	if (!s->maximum && ovl_pooling_by_kernel(p->params, &s->g))
		s->by = s->g.kernel[0] * s->g.kernel[1] * s->g.kernel[2];
	if (wants_indices(p))
		plan_indices(s, p);
	s->rows = ovl_desc_count(to) ? s->g.batch * s->g.out[0] * s->g.out[1] : 0;
	s->strip = s->rows >= 4 * p->threads ? s->channels : 64;
	s->strips = s->strip ? (s->channels + s->strip - 1) / s->strip : 0;
	return OVL_OK;
}

/* The part of a window that lies inside, in one dimension: kernel positions [from, to). */
typedef struct reach {
	int64_t at, from, to; /* input position of kernel position 0 */
} reach;

static reach reach_of(const ovl_conv_geometry *g, int d, int64_t o)
{
	int64_t at = o * g->stride[d] - g->pad_begin[d], step = g->dilation[d];
	reach r = {at, at < 0 ? (-at + step - 1) / step : 0, at < g->in[d] ? (g->in[d] - 1 - at) / step + 1 : 0};
	if (r.to > g->kernel[d])
		r.to = g->kernel[d];
	if (r.to < r.from)
		r.to = r.from;
	return r;
}

typedef struct window {
	const ELEMENT *x; /* kernel position 0, 0, 0 */
	int64_t step[3]; /* elements from one kernel position to the next */
	reach r[3];
} window;

#define EACH_PIXEL(w, px)                                                                                             \
	for (int64_t kz = (w)->r[0].from; kz < (w)->r[0].to; kz++)                                                    \
		for (int64_t ky = (w)->r[1].from; ky < (w)->r[1].to; ky++)                                            \
			for (const ELEMENT *px = (w)->x + kz * (w)->step[0] + ky * (w)->step[1] + (w)->r[2].from * (w)->step[2], \
				*end_ = px + ((w)->r[2].to - (w)->r[2].from) * (w)->step[2];                          \
				px < end_; px += (w)->step[2])

static inline V merge(bool maximum, V a, V x) { return maximum ? v_max(x, a) : v_add(a, x); }

/* Four vectors of channels, then one by one. */
static inline void walk_window(const window *w, bool maximum, ELEMENT *y, int64_t channels, V scale)
{
	V start = maximum ? v_set(-__builtin_inff()) : v_zero();
	int64_t c = 0;
	for (; c + 4 * VL <= channels; c += 4 * VL) {
		V a0 = start, a1 = start, a2 = start, a3 = start;
		EACH_PIXEL(w, px) {
			a0 = merge(maximum, a0, v_load(px + c));
			a1 = merge(maximum, a1, v_load(px + c + VL));
			a2 = merge(maximum, a2, v_load(px + c + 2 * VL));
			a3 = merge(maximum, a3, v_load(px + c + 3 * VL));
		}
		v_store(y + c, maximum ? a0 : v_mul(a0, scale));
		v_store(y + c + VL, maximum ? a1 : v_mul(a1, scale));
		v_store(y + c + 2 * VL, maximum ? a2 : v_mul(a2, scale));
		v_store(y + c + 3 * VL, maximum ? a3 : v_mul(a3, scale));
	}
	for (; c < channels; c += VL) {
		VT t = v_tail(channels - c);
		V a = start;
		EACH_PIXEL(w, px)
			a = merge(maximum, a, v_load_t(px + c, t));
		v_store_t(y + c, maximum ? a : v_mul(a, scale), t);
	}
}

static void fill(ELEMENT *y, int64_t channels, float value)
{
	for (int64_t c = 0; c < channels; c++)
		element_put(y + c, value);
}

static void pool_pixel(const state *s, const window *w, ELEMENT *y, int64_t channels)
{
	int64_t found = (w->r[0].to - w->r[0].from) * (w->r[1].to - w->r[1].from) * (w->r[2].to - w->r[2].from);
	if (!found)
		fill(y, channels, s->maximum ? -FLT_MAX : 0.0f);
	else if (s->maximum)
		walk_window(w, true, y, channels, v_zero());
	else
		walk_window(w, false, y, channels, v_set(1.0f / (float)(s->by ? s->by : found)));
}

/* Positions of the first maxima, scalar: rarely asked for. */
static void index_pixel(const state *s, const window *w, void *to, int64_t image, int64_t first, int64_t channels)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t plane = g->in[0] * g->in[1] * g->in[2];
	for (int64_t c = 0; c < channels; c++) {
		float top = 0;
		int64_t best = -1;
		EACH_PIXEL(w, px) {
			int64_t kx = (px - (w->x + kz * w->step[0] + ky * w->step[1])) / w->step[2];
			if (best < 0 || element_get(px + c) > top) {
				top = element_get(px + c);
				best = ((w->r[0].at + kz * g->dilation[0]) * g->in[1] + w->r[1].at + ky * g->dilation[1]) * g->in[2] + w->r[2].at + kx * g->dilation[2];
			}
		}
		best = ((image * s->channels + first + c) * plane + (best < 0 ? 0 : best)) % s->modulo;
		if (s->index_type == OVL_I64)
			((int64_t *)to)[c] = best;
		else
			((int32_t *)to)[c] = (int32_t)best;
	}
}

static void pool_row(const state *s, const ovl_call *call, int64_t row, int64_t first)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t oy = row % g->out[1], oz = row / g->out[1] % g->out[0], image = row / g->out[1] / g->out[0];
	int64_t channels = s->channels - first < s->strip ? s->channels - first : s->strip, pixel = row * g->out[2];
	const ELEMENT *x = (const ELEMENT *)call->in[0] + image * s->from_image + first;
	ELEMENT *y = (ELEMENT *)call->out[0] + image * s->to_image + (oz * g->out[1] + oy) * g->out[2] * s->to_ld + first;
	window w = {.step = {g->dilation[0] * g->in[1] * g->in[2] * s->from_ld, g->dilation[1] * g->in[2] * s->from_ld, g->dilation[2] * s->from_ld},
		.r = {reach_of(g, 0, oz), reach_of(g, 1, oy)}};
	for (int64_t ox = 0; ox < g->out[2]; ox++) {
		w.r[2] = reach_of(g, 2, ox);
		w.x = x + ((w.r[0].at * g->in[1] + w.r[1].at) * g->in[2] + w.r[2].at) * s->from_ld;
		pool_pixel(s, &w, y + ox * s->to_ld, channels);
		if (s->indexed) {
			int64_t at = image * s->index_strides[0] + ((oz * g->out[1] + oy) * g->out[2] + ox) * s->index_strides[2] + first;
			index_pixel(s, &w, (char *)call->out[1] + at * (int64_t)(s->index_type == OVL_I64 ? 8 : 4), image, first, channels);
		}
	}
	if (s->posts.n)
		V_NAME(ovl_posts_tile)(&s->posts, (float *)(void *)y, s->to_ld, g->out[2], channels, pixel, first, call->in);
}

typedef struct job {
	const state *s;
	const ovl_call *call;
	int64_t chunk;
} job;

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	int64_t last = (chunk + 1) * j->chunk;
	(void)worker;
	for (int64_t u = chunk * j->chunk; u < last && u < j->s->rows * j->s->strips; u++)
		pool_row(j->s, j->call, u / j->s->strips, u % j->s->strips * j->s->strip);
}

static ovl_status run(const ovl_call *call)
{
	const state *s = call->state;
	const ovl_conv_geometry *g = &s->g;
	int64_t units = s->rows * s->strips, cost = g->out[2] * s->strip * g->kernel[0] * g->kernel[1] * g->kernel[2] / 4 + 64;
	job j = {s, call, ovl_pool_chunk(call->pool, units, 1 + 8192 / cost)};
	if (units)
		ovl_pool_run(call->pool, (units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel pool = {.name = V_TEXT("pool"), .ops = "MaxPool AvgPool", .isa = V_ISA, .halves = ELEMENT_HALF, .accept = accept, .prepare = prepare, .run = run};
