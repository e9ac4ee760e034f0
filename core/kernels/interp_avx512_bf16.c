/* Resizing of channels-last images of halves, by interp.h's tables of taps: a pixel is a copy, or the weighted sum of whole pixels in f32. */
#include "base/memory.h"
#include "kernels/halves.h"
#include "kernels/interp.h"
#include "kernels/vec_bf16.h"

static const char *accept(ovl_problem *p)
{
	ovl_plain_problem plain;
	const char *why = ovl_halves_plain(p, &plain);
	int64_t ld;
	if (why)
		return why;
	if (p->n_posts || !p->in_half[0] || !p->halves_read || ovl_desc_is_dense(&p->in[0]) || !ovl_desc_is_cl(&p->in[0], &ld))
		return "posts, or not an image of halves, channels last, that becomes one";
	if ((why = ovl_interp_accept(&plain.p)))
		return why;
	p->out_half = true;
	return NULL;
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	ovl_plain_problem plain;
	const char *why = ovl_halves_plain(p, &plain);
	ovl_status st = why ? ovl_fail(err, OVL_E_INTERNAL, "Interpolate: %s", why) : ovl_interp_prepare(&plain.p, out, err);
	const ovl_interp_plan *q = out->state;
	if (st == OVL_OK && !q->cl) {
		ovl_interp_release(out->state);
		out->state = NULL;
		return ovl_fail(err, OVL_E_INTERNAL, "Interpolate was prepared with strides it did not accept");
	}
	return st;
}

/* Taps of one output pixel: along depth, height and width. */
typedef struct taps {
	int32_t first[3], end[3];
} taps;

static void mix_pixel(const ovl_interp_plan *q, const taps *t, half *to, const half *x)
{
	const ovl_interp_axis *az = &q->axis[0], *ay = &q->axis[1], *ax = &q->axis[2];
	for (int64_t c = 0; c < q->channels; c += VL) {
		VT tail = v_tail(q->channels - c);
		V sum = v_zero();
		for (int32_t z = t->first[0]; z < t->end[0]; z++)
			for (int32_t y = t->first[1]; y < t->end[1]; y++) {
				const half *row = x + az->index[z] * q->from[0] + ay->index[y] * q->from[1] + c;
				float weight = az->weight[z] * ay->weight[y];
				for (int32_t k = t->first[2]; k < t->end[2]; k++)
					sum = v_fma(vh_load_t(row + ax->index[k] * q->from[2], tail), v_set(weight * ax->weight[k]), sum);
			}
		vh_store_t(to + c, sum, tail);
	}
}

static void copy_pixel(half *to, const half *from, int64_t channels)
{
	int64_t c = 0;
	for (; c + 2 * VL <= channels; c += 2 * VL)
		_mm512_storeu_si512(to + c, _mm512_loadu_si512(from + c));
	if (c < channels) {
		__mmask32 m = (1u << (channels - c)) - 1;
		_mm512_mask_storeu_epi16(to + c, m, _mm512_maskz_loadu_epi16(m, from + c));
	}
}

/* One output row. */
static void run_unit(const ovl_interp_plan *q, const ovl_call *call, int64_t unit)
{
	const ovl_interp_axis *a = q->axis;
	int64_t oy = unit % a[1].out, oz = unit / a[1].out % a[0].out, image = unit / a[1].out / a[0].out;
	const half *x = (const half *)call->in[0] + image * q->from_image;
	half *to = (half *)call->out[0] + image * q->to_image + oz * q->to[0] + oy * q->to[1];
	taps t = {{a[0].start[oz], a[1].start[oy], 0}, {a[0].start[oz + 1], a[1].start[oy + 1], 0}};
	bool one_row = t.end[0] - t.first[0] == 1 && t.end[1] - t.first[1] == 1 && a[0].weight[t.first[0]] * a[1].weight[t.first[1]] == 1.0f;
	for (int64_t ox = 0; ox < a[2].out; ox++, to += q->to[2]) {
		t.first[2] = a[2].start[ox];
		t.end[2] = a[2].start[ox + 1];
		if (one_row && t.end[2] - t.first[2] == 1 && a[2].weight[t.first[2]] == 1.0f)
			copy_pixel(to, x + a[0].index[t.first[0]] * q->from[0] + a[1].index[t.first[1]] * q->from[1] + a[2].index[t.first[2]] * q->from[2], q->channels);
		else
			mix_pixel(q, &t, to, x);
	}
}

typedef struct job {
	const ovl_interp_plan *q;
	const ovl_call *call;
	int64_t chunk;
} job;

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	int64_t last = (chunk + 1) * j->chunk;
	(void)worker;
	for (int64_t u = chunk * j->chunk; u < last && u < j->q->units; u++)
		run_unit(j->q, j->call, u);
}

static ovl_status run(const ovl_call *call)
{
	const ovl_interp_plan *q = call->state;
	job j = {q, call, ovl_pool_chunk(call->pool, q->units, 1 + 8192 / (q->axis[2].out * q->channels + 64))};
	if (q->units)
		ovl_pool_run(call->pool, (q->units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel interp = {.name = "interp_avx512_bf16",
	.ops = "Interpolate",
	.isa = OVL_ISA_AVX512_BF16,
	.halves = true,
	.accept = accept,
	.prepare = prepare,
	.run = run,
	.release = ovl_interp_release};
const ovl_kernel *const ovl_kernels_interp_avx512_bf16[] = {&interp, NULL};
