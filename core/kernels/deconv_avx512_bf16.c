/* Deconvolutions of halves whose taps do not overlap (kernel and stride are equal): a pixel times all taps is one product, whose columns (tap, channel) are scattered to
 * the output pixels. All others are left to f32. */
#include "base/memory.h"
#include "kernels/act_bf16.h"
#include "kernels/gemm_bf16.h"
#include "kernels/halves.h"
#include "kernels/packs.h"
#include "ops/conv.h"
#include <stdio.h>
#include <string.h>

enum { PIXELS = 64 }; /* that are worked on together */

typedef struct deconv_state {
	ovl_conv_geometry g;
	int64_t ic, oc, taps, n, vecs, panel, ld, ldc, pieces; /* n: columns; pieces of a row */
	bool c_half;
	bool few; /* columns: functions are applied once they lie side by side */
	ovl_buffer *weights;
	float *bias; /* of all columns */
	ovl_gemm_tail tail;
	size_t worker_scratch;
} deconv_state;

static const char *geometry_of(const ovl_problem *p, ovl_conv_geometry *g)
{
	const ovl_desc *in = &p->in[0], *w = &p->in[1], *out = &p->out[0];
	ovl_shape data, filters;
	ovl_error err;
	if (p->n_op_in < 2 || in->type != OVL_F32 || w->type != OVL_F32 || out->type != OVL_F32)
		return "not f32";
	if (in->rank < 3 || in->rank > 4 || !ovl_desc_count(in) || !ovl_desc_count(w) || !ovl_desc_count(out))
		return "not one or two spatial dimensions with something in them";
	data = ovl_shape_of(in->rank, in->dims);
	filters = ovl_shape_of(w->rank, w->dims);
	if (ovl_conv_resolve(p->op, p->params, &data, &filters, p->n_op_in > 2 ? out->dims + 2 : NULL, g, &err) != OVL_OK)
		return "shapes do not fit together";
	*g = ovl_conv_as_3d(g);
	if (g->groups != 1)
		return "groups";
	for (int i = 0; i < 3; i++)
		if (g->kernel[i] != g->stride[i] || g->dilation[i] != 1 || g->pad_begin[i] || g->out[i] != g->in[i] * g->stride[i] ||
			g->out[i] != (i + out->rank < 5 ? 1 : out->dims[i + out->rank - 3]))
			return "taps overlap, or borders are cut";
	return NULL;
}

static const char *accept(ovl_problem *p)
{
	ovl_plain_problem plain;
	ovl_conv_geometry g;
	ovl_gemm_tail tail;
	float *bias = NULL;
	ovl_error err;
	const char *why = ovl_halves_plain(p, &plain);
	if (why || (why = geometry_of(&plain.p, &g)))
		return why;
	if (!p->in_data[1])
		return "weights are not constant";
	if ((why = ovl_gemm_tail_accept(&plain.p, 1, OVL_FORM_CL)))
		return why;
	if (ovl_gemm_tail_prepare(&tail, &bias, &plain.p, 1, &err) != OVL_OK)
		return "posts";
	ovl_free(bias);
	if (tail.add_input >= 0 || tail.rest.n)
		return "more posts than a bias and a function";
	p->in_half[0] = true;
	p->in_form[0] = p->out_form[0] = OVL_FORM_CL;
	p->in_packed[1] = true;
	p->out_half = p->halves_read;
	ovl_halves_operands(p, -1);
	return NULL;
}

/* ---- weights: [ic][oc][taps] into columns (tap, oc) ---- */

typedef struct fill_args {
	const deconv_state *s;
	const float *from;
} fill_args;

static void fill_weights(void *dst, void *arg)
{
	enum { ROWS = 64 }; /* even, so that blocks of rows follow each other in a panel */
	const fill_args *a = arg;
	const deconv_state *s = a->s;
	float turned[ROWS * VL];
	for (int64_t v = 0; v < s->vecs; v++)
		for (int64_t first = 0; first < s->ic; first += ROWS) {
			int64_t rows = s->ic - first < ROWS ? s->ic - first : ROWS;
			for (int64_t i = 0; i < rows * VL; i++) {
				int64_t column = v * VL + i % VL, k = first + i / VL;
				turned[i] = column < s->n ? a->from[(k * s->oc + column % s->oc) * s->taps + column / s->oc] : 0;
			}
			ovl_gemm_bf16_pack((half *)dst + v * s->panel + first * VL, turned, rows, VL, VL, 1);
		}
}

static ovl_status set_bias(deconv_state *s, const float *bias, ovl_error *err)
{
	s->bias = ovl_calloc((size_t)(s->vecs * VL + VL), sizeof *s->bias);
	if (!s->bias)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for %lld biases", (long long)s->n);
	for (int64_t i = 0; bias && i < s->n; i++)
		s->bias[i] = bias[i % s->oc];
	return OVL_OK;
}

static ovl_status set_up(void *state, const ovl_problem *p, const ovl_problem *plain, ovl_prepared *out, ovl_error *err)
{
	deconv_state *s = state;
	const ovl_conv_geometry *g = &s->g;
	fill_args args = {s, p->in_data[1]};
	float *bias = NULL;
	ovl_status st;
	char tag[96];
	const char *why = geometry_of(plain, &s->g);
	if (why)
		return ovl_fail(err, OVL_E_INTERNAL, "deconvolution: %s", why);
	s->ic = g->in_channels;
	s->oc = g->out_channels;
	s->taps = g->kernel[0] * g->kernel[1] * g->kernel[2];
	s->n = s->taps * s->oc;
	s->vecs = (s->n + VL - 1) / VL;
	s->panel = ovl_gemm_even(s->ic) * VL;
	s->pieces = (g->in[2] + PIXELS - 1) / PIXELS;
	s->c_half = p->out[0].type == OVL_BF16;
	s->few = s->n < VL && !s->c_half;
	ovl_desc_is_cl(&p->in[0], &s->ld);
	ovl_desc_is_cl(&p->out[0], &s->ldc);
	snprintf(tag, sizeof tag, "deconv bf16 o%lld i%lld k%lldx%lld", (long long)s->oc, (long long)s->ic, (long long)g->kernel[1], (long long)g->kernel[2]);
	OVL_TRY(ovl_packs_get(p->packs, args.from, tag, (size_t)(s->vecs * s->panel) * sizeof(half), fill_weights, &args, &s->weights, err));
	OVL_TRY(ovl_gemm_tail_prepare(&s->tail, &bias, plain, 1, err));
	st = set_bias(s, bias, err);
	ovl_free(bias);
	OVL_TRY(st);
	s->worker_scratch = (size_t)(PIXELS * s->vecs * VL) * sizeof(float);
	if (!ovl_mul_ok(s->worker_scratch, (size_t)(p->threads > 1 ? p->threads : 1), &out->scratch))
		return ovl_fail(err, OVL_E_MEMORY, "the scratch memory is too large");
	snprintf(out->detail, sizeof out->detail, "spread %lldx%lld", (long long)g->kernel[1], (long long)g->kernel[2]);
	return OVL_OK;
}

static void release(void *state)
{
	deconv_state *s = state;
	if (!s)
		return;
	ovl_buffer_release(s->weights);
	ovl_free(s->bias);
	ovl_free(s);
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	return ovl_halves_prepare(sizeof(deconv_state), set_up, release, p, out, err);
}

/* ---- run ---- */

typedef struct deconv_job {
	const deconv_state *s;
	const ovl_call *call;
} deconv_job;

/* `count` pieces of `bytes`, evenly spaced on both sides. */
static void copy_pieces(char *to, int64_t to_step, const char *from, int64_t from_step, int64_t bytes, int64_t count)
{
	for (int64_t i = 0; i < count; i++, to += to_step, from += from_step) {
		int64_t c = 0;
		for (; c + 32 <= bytes; c += 32)
			_mm256_storeu_si256((__m256i *)(void *)(to + c), _mm256_loadu_si256((const __m256i *)(const void *)(from + c)));
		for (; c + 8 <= bytes; c += 8)
			memcpy(to + c, from + c, 8);
		for (; c < bytes; c += 2)
			memcpy(to + c, from + c, 2);
	}
}

/* Columns of `count` pixels, the first of which is at `x`, to where they belong. Taps along x are one piece where pixels touch. */
static void scatter(const deconv_state *s, const char *from, char *out, int64_t row, int64_t x, int64_t count)
{
	const ovl_conv_geometry *g = &s->g;
	int64_t size = s->c_half ? 2 : 4, ldn = (s->few ? s->n : s->vecs * VL) * size, kx = g->kernel[2], ky = g->kernel[1], kz = g->kernel[0];
	int64_t y = row % g->in[1], z = row / g->in[1] % g->in[0], n = row / (g->in[1] * g->in[0]), join = s->ldc == s->oc ? kx : 1;
	for (int64_t t = 0; t < s->taps; t += join) {
		int64_t oz = z * kz + t / (ky * kx), oy = y * ky + t / kx % ky;
		char *to = out + (((n * g->out[0] + oz) * g->out[1] + oy) * g->out[2] + x * kx + t % kx) * s->ldc * size;
		copy_pieces(to, kx * s->ldc * size, from + t * s->oc * size, ldn, join * s->oc * size, count);
	}
}

/* The columns of `count` pixels side by side, and the function on them. */
static void compact(const deconv_state *s, float *buffer, int64_t count)
{
	V a = v_set(s->tail.alpha), b = v_set(s->tail.beta);
	for (int64_t i = 1; i < count; i++) /* ascending: what is overwritten has been moved */
		v_store_t(buffer + i * s->n, v_load(buffer + i * VL), v_tail(s->n));
	for (int64_t i = 0; i < count * s->n; i += VL)
		v_store(buffer + i, vh_act(s->tail.act, a, b, v_load(buffer + i)));
}

static void do_chunk(void *arg, int64_t chunk, int worker)
{
	const deconv_job *job = arg;
	const deconv_state *s = job->s;
	int64_t row = chunk / s->pieces, x = chunk % s->pieces * PIXELS, count = s->g.in[2] - x < PIXELS ? s->g.in[2] - x : PIXELS;
	char *buffer = (char *)job->call->scratch + (size_t)worker * s->worker_scratch;
	ovl_gemm_bf16 g = {.k = s->ic, .n = s->n, .ldc = s->vecs * VL, .c_half = s->c_half, .b = s->weights->data, .b_vec = s->panel, .bias = s->bias};
	if (job->call->cancel && __atomic_load_n(job->call->cancel, __ATOMIC_RELAXED))
		return;
	if (!s->few)
		ovl_gemm_bf16_set_tail(&g, &s->tail, job->call->in);
	ovl_gemm_bf16_run(&g, count, (const half *)job->call->in[0] + (row * s->g.in[2] + x) * s->ld, s->ld, buffer, NULL, 0, 0, s->vecs);
	if (s->few)
		compact(s, (float *)(void *)buffer, count);
	scatter(s, buffer, job->call->out[0], row, x, count);
}

static ovl_status run(const ovl_call *call)
{
	const deconv_state *s = call->state;
	deconv_job job = {s, call};
	ovl_pool_run(call->pool, s->g.batch * s->g.in[0] * s->g.in[1] * s->pieces, do_chunk, &job);
	if (call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	return OVL_OK;
}

static const ovl_kernel deconv = {.name = "deconv_avx512_bf16",
	.ops = "ConvolutionBackpropData",
	.isa = OVL_ISA_AVX512_BF16,
	.rank = 10,
	.halves = true,
	.accept = accept,
	.prepare = prepare,
	.run = run,
	.release = release};
const ovl_kernel *const ovl_kernels_deconv_avx512_bf16[] = {&deconv, NULL};
