/* interp_impl.h - resizing rows of pixels. Included after the vector layer. */
#include "kernels/interp.h"
#include "base/memory.h"

/* Taps across rows (depth and height together) of one output row. */
typedef struct rows {
	int n;
	const float *at[OVL_INTERP_MOST_TAPS];
	float weight[OVL_INTERP_MOST_TAPS];
} rows;

/* At most MOST_TAPS rows from tap `first` on; gives how many there are in all. */
static int64_t rows_of(const ovl_interp_plan *q, const float *x, int64_t oz, int64_t oy, int64_t first, rows *r)
{
	const ovl_interp_axis *z = &q->axis[0], *y = &q->axis[1];
	int64_t k = 0;
	r->n = 0;
	for (int32_t i = z->start[oz]; i < z->start[oz + 1]; i++)
		for (int32_t j = y->start[oy]; j < y->start[oy + 1]; j++, k++) {
			if (k < first || r->n == OVL_INTERP_MOST_TAPS)
				continue;
			r->at[r->n] = x + z->index[i] * q->from[0] + y->index[j] * q->from[1];
			r->weight[r->n++] = z->weight[i] * y->weight[j];
		}
	return k;
}

/* ---- channels-last: a pixel is the weighted sum of whole pixels ---- */

static void copy_pixel(float *y, const float *x, int64_t channels)
{
	int64_t c = 0;
	for (; c + VL <= channels; c += VL)
		v_store(y + c, v_load(x + c));
	if (c < channels)
		v_store_t(y + c, v_load_t(x + c, v_tail(channels - c)), v_tail(channels - c));
}

static void mix_pixel(float *y, int64_t channels, const rows *r, const int32_t *index, const float *weight, int64_t taps, int64_t step, bool more)
{
	for (int64_t c = 0; c < channels; c += VL) {
		VT t = v_tail(channels - c);
		V sum = more ? v_load_t(y + c, t) : v_zero();
		for (int i = 0; i < r->n; i++)
			for (int64_t k = 0; k < taps; k++)
				sum = v_fma(v_load_t(r->at[i] + index[k] * step + c, t), v_set(r->weight[i] * weight[k]), sum);
		v_store_t(y + c, sum, t);
	}
}

/* Two rows of two taps, the case of linear resizing. */
static void mix_four(float *y, int64_t channels, const rows *r, const int32_t *index, const float *weight, int64_t step)
{
	const float *a = r->at[0] + index[0] * step, *b = r->at[0] + index[1] * step, *c = r->at[1] + index[0] * step, *d = r->at[1] + index[1] * step;
	V wa = v_set(r->weight[0] * weight[0]), wb = v_set(r->weight[0] * weight[1]), wc = v_set(r->weight[1] * weight[0]), wd = v_set(r->weight[1] * weight[1]);
	for (int64_t i = 0; i < channels; i += VL) {
		VT t = v_tail(channels - i);
		V s = v_mul(v_load_t(a + i, t), wa);
		s = v_fma(v_load_t(b + i, t), wb, s);
		s = v_fma(v_load_t(c + i, t), wc, s);
		v_store_t(y + i, v_fma(v_load_t(d + i, t), wd, s), t);
	}
}

static void run_channels(const ovl_interp_plan *q, const ovl_call *call, int64_t unit)
{
	int64_t oy = unit % q->axis[1].out, oz = unit / q->axis[1].out % q->axis[0].out, image = unit / q->axis[1].out / q->axis[0].out, done = 0, all;
	const ovl_interp_axis *w = &q->axis[2];
	const float *x = (const float *)call->in[0] + image * q->from_image;
	float *y = (float *)call->out[0] + image * q->to_image + oz * q->to[0] + oy * q->to[1];
	rows r;
	do {
		all = rows_of(q, x, oz, oy, done, &r);
		for (int64_t ox = 0; ox < w->out; ox++) {
			int64_t k = w->start[ox], taps = w->start[ox + 1] - k;
			if (all == 1 && taps == 1 && r.weight[0] * w->weight[k] == 1.0f)
				copy_pixel(y + ox * q->to[2], r.at[0] + w->index[k] * q->from[2], q->channels);
			else if (all == 2 && taps == 2)
				mix_four(y + ox * q->to[2], q->channels, &r, w->index + k, w->weight + k, q->from[2]);
			else
				mix_pixel(y + ox * q->to[2], q->channels, &r, w->index + k, w->weight + k, taps, q->from[2], done > 0);
		}
		done += r.n;
	} while (done < all);
	if (q->posts.n)
		V_NAME(ovl_posts_tile)(&q->posts, y, q->to[2], w->out, q->channels, unit * w->out, 0, call->in);
}

/* ---- planes: rows are mixed first, then the taps of the width are gathered ---- */

static void mix_rows(float *line, int64_t n, const rows *r, bool more)
{
	for (int64_t i = 0; i < n; i += VL) {
		VT t = v_tail(n - i);
		V sum = more ? v_load_t(line + i, t) : v_zero();
		for (int k = 0; k < r->n; k++)
			sum = v_fma(v_load_t(r->at[k] + i, t), v_set(r->weight[k]), sum);
		v_store_t(line + i, sum, t);
	}
}

static void gather_row(const ovl_interp_plan *q, float *y, const float *line)
{
	const ovl_interp_axis *w = &q->axis[2];
	int64_t n = w->out, o = 0;
	for (; o + VL <= n; o += VL) {
		V sum = v_zero();
		for (int64_t k = 0; k < w->most; k++)
			sum = v_fma(v_gather(line, v_loadi(q->wide_index + k * n + o)), v_load(q->wide_weight + k * n + o), sum);
		v_store(y + o, sum);
	}
	for (; o < n; o++) {
		float sum = 0;
		for (int64_t k = 0; k < w->most; k++)
			sum += line[q->wide_index[k * n + o]] * q->wide_weight[k * n + o];
		y[o] = sum;
	}
}

static void run_plane(const ovl_interp_plan *q, const ovl_call *call, int64_t unit)
{
	int64_t oy = unit % q->axis[1].out, oz = unit / q->axis[1].out % q->axis[0].out, plane = unit / q->axis[1].out / q->axis[0].out, done = 0, all;
	const float *x = (const float *)call->in[0] + plane / q->channels * q->from_image + plane % q->channels * q->from_channel;
	float *y = (float *)call->out[0] + plane / q->channels * q->to_image + plane % q->channels * q->to_channel + oz * q->to[0] + oy * q->to[1];
	float line[OVL_INTERP_WIDEST] __attribute__((aligned(64)));
	rows r;
	all = rows_of(q, x, oz, oy, 0, &r);
	if (all == 1 && r.weight[0] == 1.0f) {
		gather_row(q, y, r.at[0]);
	} else {
		do {
			all = rows_of(q, x, oz, oy, done, &r);
			mix_rows(line, q->axis[2].in, &r, done > 0);
			done += r.n;
		} while (done < all);
		gather_row(q, y, line);
	}
	if (q->posts.n)
		V_NAME(ovl_posts_row)(&q->posts, y, q->axis[2].out, unit, 0, call->in);
}

/* ---- work ---- */

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
		if (j->q->cl)
			run_channels(j->q, j->call, u);
		else
			run_plane(j->q, j->call, u);
}

static ovl_status run(const ovl_call *call)
{
	const ovl_interp_plan *q = call->state;
	job j = {q, call, ovl_pool_chunk(call->pool, q->units, 1 + 4096 / (q->axis[2].out * (q->cl ? q->channels : 1) + 64))};
	if (q->units)
		ovl_pool_run(call->pool, (q->units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel interp = {.name = V_TEXT("interp"), .ops = "Interpolate", .isa = V_ISA, .accept = ovl_interp_accept, .prepare = ovl_interp_prepare, .run = run,
	.release = ovl_interp_release};
