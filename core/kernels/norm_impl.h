/* norm_impl.h - the arithmetic of norm.h's plans. Included after the vector layer. Means and deviations take two passes over rows that are in the cache anyway. */
#include "kernels/norm.h"
#include <math.h>

/* ---- rows ---- */

enum { BLOCK = 4096 }; /* sums of blocks are added up in double */

static double row_sum(const float *x, int64_t n)
{
	double total = 0;
	for (int64_t at = 0; at < n; at += BLOCK) {
		const float *p = x + at;
		int64_t m = n - at < BLOCK ? n - at : BLOCK, i = 0;
		V a = v_zero(), b = a, c = a, d = a;
		for (; i + 4 * VL <= m; i += 4 * VL) {
			a = v_add(a, v_load(p + i));
			b = v_add(b, v_load(p + i + VL));
			c = v_add(c, v_load(p + i + 2 * VL));
			d = v_add(d, v_load(p + i + 3 * VL));
		}
		for (; i < m; i += VL)
			a = v_add(a, v_load_t(p + i, v_tail(m - i)));
		total += v_sum(v_add(v_add(a, b), v_add(c, d)));
	}
	return total;
}

static inline V more_squares(V sum, const float *p, V mean)
{
	V d = v_sub(v_load(p), mean);
	return v_fma(d, d, sum);
}

static double row_squares(const float *x, int64_t n, float mean)
{
	double total = 0;
	V of = v_set(mean);
	for (int64_t at = 0; at < n; at += BLOCK) {
		const float *p = x + at;
		int64_t m = n - at < BLOCK ? n - at : BLOCK, i = 0;
		V a = v_zero(), b = a, c = a, d = a;
		for (; i + 4 * VL <= m; i += 4 * VL) {
			a = more_squares(a, p + i, of);
			b = more_squares(b, p + i + VL, of);
			c = more_squares(c, p + i + 2 * VL, of);
			d = more_squares(d, p + i + 3 * VL, of);
		}
		for (; i < m; i += VL) {
			VT t = v_tail(m - i);
			V e = v_keep_t(v_sub(v_load_t(p + i, t), of), v_zero(), t);
			a = v_fma(e, e, a);
		}
		total += v_sum(v_add(v_add(a, b), v_add(c, d)));
	}
	return total;
}

/* y = (x - mean) * scale * gamma + beta; gamma and beta along the row, or one value each (step 0); NULL: none. */
static void row_affine(const float *x, float *y, int64_t n, float mean, float scale, const float *gamma, const float *beta, int64_t step)
{
	V m = v_set(mean), s = v_set(scale), g = v_set(1.0f), b = v_zero();
	int64_t i = 0;
	if (gamma && !step)
		s = v_set(scale * *gamma);
	if (beta && !step)
		b = v_set(*beta);
	for (; gamma && beta && step && i + VL <= n; i += VL)
		v_store(y + i, v_fma(v_mul(v_sub(v_load(x + i), m), s), v_load(gamma + i), v_load(beta + i)));
	for (; !step && i + VL <= n; i += VL)
		v_store(y + i, v_fma(v_sub(v_load(x + i), m), s, b));
	for (; i < n; i += VL) {
		VT t = v_tail(n - i);
		if (gamma && step)
			g = v_load_t(gamma + i, t);
		if (beta && step)
			b = v_load_t(beta + i, t);
		v_store_t(y + i, v_fma(v_mul(v_sub(v_load_t(x + i, t), m), s), g, b), t);
	}
}

static float scale_of(const ovl_norm_plan *q, double squares, double n)
{
	if (!q->divide)
		return 1.0f;
	return (float)(q->outside ? 1.0 / (sqrt(squares / n) + q->eps) : 1.0 / sqrt(squares / n + q->eps));
}

static void run_row(const ovl_norm_plan *q, const ovl_call *call, int64_t row)
{
	int64_t at[OVL_LOOPS_MAX];
	const float *x, *gamma = q->gamma >= 0 ? call->in[q->gamma] : NULL, *beta = q->beta >= 0 ? call->in[q->beta] : NULL;
	float *y, mean, scale;
	ovl_loops_at(&q->loops, q->loops.rank, row, at);
	x = (const float *)call->in[q->data] + at[1];
	y = (float *)call->out[0] + at[0];
	mean = q->subtract ? (float)(row_sum(x, q->n) / (double)q->n) : 0.0f;
	scale = q->divide ? scale_of(q, row_squares(x, q->n, mean), (double)q->n) : 1.0f;
	if (!q->inner) {
		row_affine(x, y, q->n, mean, scale, gamma, beta, q->affine_step);
		return;
	}
	for (int64_t c = 0, first = row % q->row_groups * (q->n / q->inner); c < q->n / q->inner; c++)
		row_affine(x + c * q->inner, y + c * q->inner, q->inner, mean, scale, gamma + first + c, beta + first + c, 0);
}

/* ---- channels-last ---- */

/* sums[c] += f(x) over all pixels; a strip of channels stays in registers. */
static void channel_sums(const float *x, int64_t pixels, int64_t step, int64_t channels, const float *mean, float *sums)
{
	for (int64_t c = 0; c < channels; c += VL) {
		VT t = v_tail(channels - c);
		V a = v_zero(), b = v_zero(), m = mean ? v_load_t(mean + c, t) : v_zero();
		const float *p = x + c;
		int64_t i = 0;
		for (; i + 2 <= pixels; i += 2, p += 2 * step) {
			V d = v_sub(v_load_t(p, t), m), e = v_sub(v_load_t(p + step, t), m);
			a = mean ? v_fma(d, d, a) : v_add(a, d);
			b = mean ? v_fma(e, e, b) : v_add(b, e);
		}
		if (i < pixels) {
			V d = v_sub(v_load_t(p, t), m);
			a = mean ? v_fma(d, d, a) : v_add(a, d);
		}
		v_store_t(sums + c, v_add(a, b), t);
	}
}

/* The sums of each group, spread over its channels by `f`. */
static void group_means(float *sums, int64_t channels, int64_t per, double n)
{
	for (int64_t c = 0; c < channels; c += per) {
		double s = 0;
		for (int64_t k = 0; k < per; k++)
			s += sums[c + k];
		for (int64_t k = 0; k < per; k++)
			sums[c + k] = (float)(s / n);
	}
}

static void group_scales(const ovl_norm_plan *q, float *sums, int64_t channels, const float *gamma)
{
	for (int64_t c = 0; c < channels; c += q->per) {
		double s = 0;
		float scale;
		for (int64_t k = 0; k < q->per; k++)
			s += sums[c + k];
		scale = scale_of(q, s, (double)(q->per * q->pixels));
		for (int64_t k = 0; k < q->per; k++)
			sums[c + k] = gamma ? scale * gamma[c + k] : scale;
	}
}

static void run_unit(const ovl_norm_plan *q, const ovl_call *call, int64_t image, int64_t first)
{
	int64_t channels = q->channels - first < q->unit ? q->channels - first : q->unit;
	const float *x = (const float *)call->in[q->data] + image * q->from_image + first;
	const float *gamma = q->gamma >= 0 ? (const float *)call->in[q->gamma] + first : NULL, *beta = q->beta >= 0 ? (const float *)call->in[q->beta] + first : NULL;
	float *y = (float *)call->out[0] + image * q->to_image + first;
	float *mean = (float *)call->scratch + 2 * (image * q->channels + first), *scale = mean + channels;
	channel_sums(x, q->pixels, q->from_pixel, channels, NULL, mean);
	group_means(mean, channels, q->per, (double)(q->per * q->pixels));
	channel_sums(x, q->pixels, q->from_pixel, channels, mean, scale);
	group_scales(q, scale, channels, gamma);
	for (int64_t i = 0; i < q->pixels; i++, x += q->from_pixel, y += q->to_pixel)
		for (int64_t c = 0; c < channels; c += VL) {
			VT t = v_tail(channels - c);
			V d = v_sub(v_load_t(x + c, t), v_load_t(mean + c, t));
			v_store_t(y + c, v_fma(d, v_load_t(scale + c, t), beta ? v_load_t(beta + c, t) : v_zero()), t);
		}
}

/* ---- a factor and a shift per channel ---- */

static void batch_factors(const ovl_norm_plan *q, const ovl_call *call)
{
	const float *gamma = call->in[q->gamma], *beta = call->in[q->beta], *mean = call->in[q->mean], *variance = call->in[q->variance];
	float *scale = call->scratch, *shift = scale + q->channels;
	for (int64_t c = 0; c < q->channels; c++) {
		double s = gamma[c] / sqrt(variance[c] + q->eps);
		scale[c] = (float)s;
		shift[c] = (float)(beta[c] - mean[c] * s);
	}
}

static void linear(const float *x, float *y, int64_t n, const float *a, const float *b, int64_t step)
{
	V s = v_set(*a), m = v_set(*b);
	for (int64_t i = 0; i < n; i += VL) {
		VT t = v_tail(n - i);
		if (step) {
			s = v_load_t(a + i, t);
			m = v_load_t(b + i, t);
		}
		v_store_t(y + i, v_fma(v_load_t(x + i, t), s, m), t);
	}
}

/* Unit u is a pixel where channels are contiguous, else a plane. */
static int64_t scale_units(const ovl_norm_plan *q) { return q->images * (q->from_channel == 1 ? q->pixels : q->channels); }

static void run_scale(const ovl_norm_plan *q, const ovl_call *call, int64_t u)
{
	const float *x = call->in[q->data], *a = call->scratch, *b = a + q->channels;
	float *y = call->out[0];
	if (q->from_channel == 1 && q->to_channel == 1) {
		int64_t image = u / q->pixels, pixel = u % q->pixels;
		linear(x + image * q->from_image + pixel * q->from_pixel, y + image * q->to_image + pixel * q->to_pixel, q->channels, a, b, 1);
	} else {
		int64_t image = u / q->channels, c = u % q->channels;
		linear(x + image * q->from_image + c * q->from_channel, y + image * q->to_image + c * q->to_channel, q->pixels, a + c, b + c, 0);
	}
}

/* ---- work ---- */

typedef struct job {
	const ovl_norm_plan *q;
	const ovl_call *call;
	int64_t units, chunk;
} job;

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	const ovl_norm_plan *q = j->q;
	int64_t last = (chunk + 1) * j->chunk, strips = q->unit ? (q->channels + q->unit - 1) / q->unit : 1;
	(void)worker;
	for (int64_t u = chunk * j->chunk; u < last && u < j->units; u++) {
		if (q->how == OVL_NORM_ROWS)
			run_row(q, j->call, u);
		else if (q->how == OVL_NORM_SCALE)
			run_scale(q, j->call, u);
		else
			run_unit(q, j->call, u / strips, u % strips * q->unit);
	}
}

static ovl_status run(const ovl_call *call)
{
	const ovl_norm_plan *q = call->state;
	job j = {q, call, q->rows, 1};
	int64_t elements = q->n;
	if (q->how == OVL_NORM_SCALE && q->images) {
		batch_factors(q, call);
		j.units = scale_units(q);
		elements = q->from_channel == 1 ? q->channels : q->pixels;
	} else if (q->how == OVL_NORM_CHANNELS) {
		j.units = q->images * ((q->channels + q->unit - 1) / q->unit);
		elements = q->unit * q->pixels;
	}
	j.chunk = ovl_pool_chunk(call->pool, j.units, 1 + 8192 / (elements + 64));
	if (j.units)
		ovl_pool_run(call->pool, (j.units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel norm = {.name = V_TEXT("norm"), .ops = "MVN LayerNorm RMS GroupNormalization BatchNormInference", .isa = V_ISA, .accept = ovl_norm_accept,
	.prepare = ovl_norm_prepare, .run = run};
