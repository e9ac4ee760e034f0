#include "kernels/conv_dw.h"
#include "base/memory.h"
#include "kernels/conv.h"
#include "kernels/packs.h"
#include <stdio.h>

typedef struct dw_state {
	const ovl_dw_isa *isa;
	ovl_conv_geometry g;
	int64_t ld, ldc, ldadd;
	int64_t rows; /* of output pixels */
	int64_t row_chunks, channel_chunks;
	int64_t width; /* of a tile */
	int64_t block; /* channels that are worked on together: so many that the lines they read stay in L1 from one output row to the next */
	int64_t group; /* output rows that are worked on together: so many that what they read stays in L2 from one block of channels to the next */
	ovl_dw_fn fn;
	ovl_buffer *weights; /* [tap][channel] */
	float *bias;
	ovl_gemm_tail tail;
} dw_state;

const char *ovl_dw_accept(ovl_problem *p)
{
	ovl_conv_geometry g;
	const char *why = ovl_conv_problem(p, &g);
	if (why)
		return why;
	if (!p->in_data[1])
		return "weights are not constant";
	if (g.groups == 1 || g.groups != g.in_channels || g.groups != g.out_channels)
		return "not depthwise";
	if (g.kernel[0] > OVL_DW_LINES || g.kernel[1] > OVL_DW_LINES || g.kernel[0] * g.kernel[1] > OVL_DW_LINES)
		return "kernel is too tall";
	p->in_form[0] = OVL_FORM_CL;
	p->in_packed[1] = true;
	p->out_form[0] = OVL_FORM_CL;
	return ovl_gemm_tail_accept(p, 1, OVL_FORM_CL);
}

typedef struct fill_args {
	const float *from;
	int64_t channels, taps;
} fill_args;

static void fill_weights(void *dst, void *arg)
{
	const fill_args *a = arg;
	for (int64_t c = 0; c < a->channels; c++)
		for (int64_t t = 0; t < a->taps; t++)
			((float *)dst)[t * a->channels + c] = a->from[c * a->taps + t];
}

static void set_chunks(dw_state *s, int threads)
{
	const ovl_conv_geometry *g = &s->g;
	double flops = 2.0 * (double)(s->rows * g->out[2] * g->groups) * (double)(g->kernel[0] * g->kernel[1] * g->kernel[2]);
	int64_t want = threads <= 1 || flops < 1e5 ? 1 : 4 * (int64_t)threads, wide = g->groups / (4 * s->isa->gemm->vl);
	if (flops < 5e4 * (double)want)
		want = (int64_t)(flops / 5e4);
	s->row_chunks = want < s->rows ? want : s->rows;
	s->channel_chunks = 1;
	if (s->rows < 2 * want && wide > 1) { /* few rows: cut across channels, and leave the rows' halo alone */
		s->channel_chunks = want < wide ? want : wide;
		s->row_chunks = (want + s->channel_chunks - 1) / s->channel_chunks;
	}
	if (s->row_chunks < 1)
		s->row_chunks = 1;
}

static int64_t block_of(const dw_state *s)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t vl = s->isa->gemm->vl, per_channel = g->kernel[0] * g->kernel[1] * g->in[2] * (int64_t)sizeof(float);
	int64_t vectors = (28 << 10) / per_channel / vl;
	return vl * (vectors < 2 ? 2 : vectors);
}

static ovl_status set_up(dw_state *s, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	const ovl_conv_geometry *g = &s->g;
	fill_args args = {p->in_data[1], g->groups, g->kernel[0] * g->kernel[1] * g->kernel[2]};
	size_t size;
	char tag[96];
	ovl_desc_is_cl(&p->in[0], &s->ld);
	ovl_desc_is_cl(&p->out[0], &s->ldc);
	s->rows = g->batch * g->out[0] * g->out[1];
	set_chunks(s, p->threads);
	s->block = block_of(s);
	s->group = (384 << 10) / (g->stride[1] * g->in[2] * s->ld * (int64_t)sizeof(float));
	s->group = s->group < 1 ? 1 : s->group;
	s->fn = s->isa->pick(g->kernel[2], g->stride[2], g->dilation[2], g->groups / s->channel_chunks, g->out[2], &s->width);
	if (!ovl_mul_ok((size_t)args.channels * sizeof(float), (size_t)args.taps, &size))
		return ovl_fail(err, OVL_E_MEMORY, "the weights are too large");
	snprintf(tag, sizeof tag, "depthwise c%lld k%lld", (long long)args.channels, (long long)args.taps);
	OVL_TRY(ovl_packs_get(p->packs, args.from, tag, size + 64, fill_weights, &args, &s->weights, err));
	OVL_TRY(ovl_gemm_tail_prepare(&s->tail, &s->bias, p, 1, err));
	if (s->tail.add_input >= 0)
		ovl_desc_is_cl(&p->in[s->tail.add_input], &s->ldadd);
	snprintf(out->detail, sizeof out->detail, "depthwise %lldx%lld/%lld", (long long)g->kernel[1], (long long)g->kernel[2],
		(long long)g->stride[2]);
	return OVL_OK;
}

ovl_status ovl_dw_prepare(const ovl_dw_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	dw_state *s = ovl_calloc(1, sizeof *s);
	ovl_status status;
	const char *why;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a convolution");
	s->isa = isa;
	why = ovl_conv_problem(p, &s->g);
	status = why ? ovl_fail(err, OVL_E_INTERNAL, "depthwise convolution: %s", why) : set_up(s, p, out, err);
	if (status != OVL_OK)
		ovl_dw_release(s);
	else
		out->state = s;
	return status;
}

void ovl_dw_release(void *state)
{
	dw_state *s = state;
	if (!s)
		return;
	ovl_buffer_release(s->weights);
	ovl_free(s->bias);
	ovl_free(s);
}

typedef struct dw_job {
	const dw_state *s;
	const ovl_call *call;
} dw_job;

/* The tap lines of output row `row` that are inside the picture; offsets of pixel 0 (of the padded row) and of the weights. */
static int64_t find_lines(const dw_state *s, int64_t row, int64_t *line, int64_t *weights)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t oy = row % g->out[1], oz = row / g->out[1] % g->out[0], n = row / (g->out[1] * g->out[0]), count = 0;
	for (int64_t kz = 0; kz < g->kernel[0]; kz++) {
		int64_t z = oz * g->stride[0] + kz * g->dilation[0] - g->pad_begin[0];
		for (int64_t ky = 0; z >= 0 && z < g->in[0] && ky < g->kernel[1]; ky++) {
			int64_t y = oy * g->stride[1] + ky * g->dilation[1] - g->pad_begin[1];
			if (y < 0 || y >= g->in[1])
				continue;
			line[count] = (((n * g->in[0] + z) * g->in[1] + y) * g->in[2] - g->pad_begin[2]) * s->ld;
			weights[count++] = (kz * g->kernel[1] + ky) * g->kernel[2] * g->groups;
		}
	}
	return count;
}

static void do_row(const dw_state *s, const ovl_call *call, ovl_dw_tile *t, int64_t row, int64_t channel)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t line[OVL_DW_LINES], weights[OVL_DW_LINES];
	t->lines = find_lines(s, row, line, weights);
	for (int64_t i = 0; i < t->lines; i++)
		t->weights[i] = (const float *)s->weights->data + weights[i] + channel;
	for (int64_t x = 0; x < g->out[2]; x += s->width) {
		int64_t ox = x + s->width <= g->out[2] ? x : g->out[2] - s->width; /* the last tile does some pixels again */
		int64_t at = ox * g->stride[2] - g->pad_begin[2], pixel = row * g->out[2] + ox;
		for (int64_t i = 0; i < t->lines; i++)
			t->line[i] = (const float *)call->in[0] + line[i] + ox * t->step + channel;
		t->first = -at;
		t->last = g->in[2] - at;
		t->c = (float *)call->out[0] + pixel * s->ldc + channel;
		t->add = s->tail.add_input < 0 ? NULL : (const float *)call->in[s->tail.add_input] + pixel * s->ldadd + channel;
		s->fn(t);
		if (s->tail.act > OVL_GEMM_IN_REGISTERS)
			s->isa->gemm->act(s->tail.act, s->tail.alpha, s->tail.beta, t->c, s->ldc, s->width, t->channels);
		if (s->tail.rest.n)
			s->isa->gemm->posts(&s->tail.rest, t->c, s->ldc, s->width, t->channels, pixel, channel, call->in);
	}
}

/* Output rows [row, end), channels [first, last). */
static void do_rows(const dw_state *s, const ovl_call *call, int64_t row, int64_t end, int64_t first, int64_t last)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t vl = s->isa->gemm->vl, next;
	ovl_dw_tile t = {.x = s->ld,
		.tap = s->ld * g->dilation[2],
		.step = s->ld * g->stride[2],
		.w = g->groups,
		.kernel = g->kernel[2],
		.stride = g->stride[2],
		.dilation = g->dilation[2],
		.width = s->width,
		.ldc = s->ldc,
		.ldadd = s->ldadd,
		.act = s->tail.act,
		.alpha = s->tail.alpha,
		.beta = s->tail.beta};
	for (int64_t stop; row < end; row = stop) {
		stop = row + s->group < end ? row + s->group : end;
		for (int64_t c = first; c < last; c = next) {
			next = last - c >= s->block + vl ? c + s->block : last; /* at least a vector is left */
			t.channels = next - c;
			t.bias = s->bias ? s->bias + c : NULL;
			for (int64_t y = row; y < stop; y++)
				do_row(s, call, &t, y, c);
		}
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
	do_rows(s, job->call, ovl_gemm_tile_at(s->rows, s->row_chunks, r), ovl_gemm_tile_at(s->rows, s->row_chunks, r + 1),
		ovl_gemm_tile_at(s->g.groups, s->channel_chunks, b), ovl_gemm_tile_at(s->g.groups, s->channel_chunks, b + 1));
}

ovl_status ovl_dw_run(const ovl_call *call)
{
	dw_job job = {call->state, call};
	const dw_state *s = call->state;
	ovl_pool_run(call->pool, s->row_chunks * s->channel_chunks, do_chunk, &job);
	if (call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	return OVL_OK;
}

/* ---- by rows, for chains ---- */

static int rows_input(const ovl_problem *p)
{
	ovl_conv_geometry g;
	return ovl_conv_problem(p, &g) || p->in[0].rank != 4 || g.kernel[0] != 1 || g.in[1] < 2 || g.out[2] < 2 ? -1 : 0;
}

static void rows_need(const void *state, int64_t from, int64_t to, int64_t *in_from, int64_t *in_to)
{
	ovl_conv_need_rows(&((const dw_state *)state)->g, from, to, in_from, in_to);
}

static void rows_run(const ovl_call *call, int64_t from, int64_t to)
{
	const dw_state *s = call->state;
	do_rows(s, call, from, to, 0, s->g.groups);
}

static void rows_sum(const ovl_call *call, int64_t from, int64_t to, float *sums)
{
	const dw_state *s = call->state;
	s->isa->gemm->sums((const float *)call->out[0] + from * s->g.out[2] * s->ldc, s->ldc, (to - from) * s->g.out[2], s->g.groups, sums);
}

const ovl_rows ovl_dw_rows = {.input = rows_input, .need = rows_need, .run = rows_run, .sum = rows_sum};
