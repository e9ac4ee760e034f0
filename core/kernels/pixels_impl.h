/* pixels_impl.h - PixelPass, for one instruction set. Included after the vector layer. */
#include "kernels/pixels.h"
#include "base/memory.h"

#include <string.h>

/* What a thread works with: slots of packed rows and which rows they hold. */
typedef struct worker {
	const ovl_pixels_plan *q;
	const ovl_call *call;
	uint8_t *slots;
	float *line;
	int64_t image;
	int64_t held[OVL_PIXELS_SLOTS]; /* -1: none */
} worker;

/* ---- packing rows ---- */

/* Bytes p[0], p[pixel], ... of w pixels become byte `at` of each of the row's pixels; the first one clears the others. */
static void pack_channel(uint32_t *row, const uint8_t *p, int64_t pixel, int64_t w, int at)
{
	int64_t i = 0;
	for (; pixel == 1 && i + VL <= w; i += VL) {
		VI v = v_shl(v_load_u8(p + i), at * 8);
		v_storei((int32_t *)row + i, at ? v_ori(v_loadi((const int32_t *)row + i), v) : v);
	}
	for (; i < w; i++)
		row[i] = (at ? row[i] : 0) | (uint32_t)p[i * pixel] << (at * 8);
}

static const uint8_t *source_row(const worker *k, int plane, int64_t y)
{
	const ovl_pixels_plane *p = &k->q->plane[plane];
	return (const uint8_t *)k->call->in[p->input] + p->offset + k->image * p->image + y * p->row;
}

/* Thousandths, which are whole and exact, as a level: a quarter of one more keeps the product with 1 / 1000 on the right side of a whole number. */
static inline VI level(V v) { return v_to_int(v_min(v_max(v_floor(v_mul(v_add(v, v_set(500.25f)), v_set(0.001f))), v_zero()), v_set(255))); }

/* VL pixels: brightness, and colours of half as many pixels, each twice. */
static inline VI rgb_of(V y, V u, V v)
{
	V bright = v_mul(v_sub(y, v_set(16)), v_set(1164)), d = v_sub(u, v_set(128)), e = v_sub(v, v_set(128));
	VI r = level(v_fma(e, v_set(1596), bright));
	VI g = level(v_fnma(e, v_set(813), v_fnma(d, v_set(391), bright)));
	VI b = level(v_fma(d, v_set(2018), bright));
	return v_ori(r, v_ori(v_shl(g, 8), v_shl(b, 16)));
}

/* Colours of VL pixels, two of which share one: bytes p[0], p[step], ...; step is 1 or 2. */
static inline VI colours(const uint8_t *p, int64_t step)
{
	const __m128i each = _mm_setr_epi8(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7), second = _mm_setr_epi8(0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14);
	uint8_t bytes[16] = {0};
	memcpy(bytes, p, (size_t)(step == 1 ? VL / 2 : VL - 1));
	_mm_storeu_si128((__m128i *)(void *)bytes, _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)bytes), step == 1 ? each : second));
	return v_load_u8(bytes);
}

static void pack_video(const worker *k, uint32_t *row, int64_t line)
{
	const ovl_pixels_plan *q = k->q;
	const uint8_t *y = source_row(k, 0, line), *u = source_row(k, 1, line / 2), *v = source_row(k, 2, line / 2);
	int64_t step = q->plane[1].pixel, i = 0;
	uint8_t last[3][VL] = {{0}};
	for (; i + VL <= q->w; i += VL)
		v_storei((int32_t *)row + i, rgb_of(v_of_int(v_load_u8(y + i)), v_of_int(colours(u + i / 2 * step, step)), v_of_int(colours(v + i / 2 * step, step))));
	if (i == q->w)
		return;
	memcpy(last[0], y + i, (size_t)(q->w - i));
	for (int64_t j = 0; j < q->w - i; j++) {
		last[1][j] = u[(i + j) / 2 * step];
		last[2][j] = v[(i + j) / 2 * step];
	}
	v_storei((int32_t *)row + i, rgb_of(v_of_int(v_load_u8(last[0])), v_of_int(v_load_u8(last[1])), v_of_int(v_load_u8(last[2]))));
}

/* A packed row, behind which a gather may read. */
static const uint8_t *row_at(worker *k, int64_t y)
{
	const ovl_pixels_plan *q = k->q;
	int64_t slot = y % q->n_slots;
	uint8_t *row = k->slots + (size_t)slot * q->slot;
	if (q->direct && (q->h - 1 - y) * q->plane[0].row + q->source_channels >= 4) /* the four bytes of the last pixel are in the picture */
		return source_row(k, 0, y);
	if (k->held[slot] == y)
		return row;
	k->held[slot] = y;
	if (q->direct)
		memcpy(row, source_row(k, 0, y), (size_t)((q->w - 1) * q->step + q->source_channels));
	else if (q->source == OVL_SOURCE_PIXELS)
		for (int c = 0; c < q->source_channels; c++)
			pack_channel((uint32_t *)(void *)row, source_row(k, 0, y) + c * q->plane[0].channel, q->plane[0].pixel, q->w, c);
	else
		pack_video(k, (uint32_t *)(void *)row, y);
	return row;
}

/* ---- one row of the output ---- */

static inline V channel_of(VI pixels, int c) { return v_of_int(v_low_byte(v_shr(pixels, c * 8))); }

static inline void finish(const ovl_pixels_plan *q, int i, float *to, V v, VT t, bool all)
{
	if (q->whole)
		v = v_round(v_min(v_max(v, v_zero()), v_set(255)));
	v = v_fma(v, v_set(q->scale[i]), v_set(q->shift[i]));
	if (all)
		v_store(to, v);
	else
		v_store_t(to, v, t);
}

/* Up to two rows and two columns: a pixel of four bytes is one gather. `rows` and `columns` are constants to the compiler. */
static inline __attribute__((always_inline)) void mix_few(const ovl_pixels_plan *q, const uint8_t *const *row, const float *weight, float *to, int rows, int columns)
{
	for (int64_t o = 0; o < q->out_w; o += VL) {
		VT t = v_tail(q->out_w - o);
		bool all = o + VL <= q->out_w;
		VI p[2][2];
		V wx[2];
		for (int k = 0; k < columns; k++) {
			VI offset = v_loadi(q->x_offset + k * q->x_room + o);
			wx[k] = v_load(q->x_weight + k * q->x_room + o);
			for (int r = 0; r < rows; r++)
				p[r][k] = v_gather_bytes(row[r], offset);
		}
		for (int i = 0; i < q->channels; i++) {
			int c = q->channel[i];
			V sum = v_zero();
			for (int r = 0; r < rows; r++) {
				V line = v_mul(channel_of(p[r][0], c), wx[0]);
				if (columns > 1)
					line = v_fma(channel_of(p[r][1], c), wx[1], line);
				sum = r ? v_fma(line, v_set(weight[r]), sum) : v_mul(line, v_set(weight[r]));
			}
			finish(q, i, to + i * q->to_channel + o, sum, t, all);
		}
	}
}

static void few_row(worker *k, int64_t oy, float *to)
{
	const ovl_pixels_plan *q = k->q;
	const ovl_pixels_axis *a = &q->y;
	const uint8_t *row[2] = {NULL, NULL};
	float weight[2] = {0, 0};
	int rows = 0;
	for (int32_t i = a->start[oy]; i < a->start[oy + 1]; i++, rows++) {
		row[rows] = row_at(k, a->index[i]);
		weight[rows] = a->weight[i];
	}
	if (rows == 0)
		row[rows++] = row_at(k, 0);
	if (rows == 1 && q->x.most <= 1)
		mix_few(q, row, weight, to, 1, 1);
	else if (rows == 1)
		mix_few(q, row, weight, to, 1, 2);
	else if (q->x.most <= 1)
		mix_few(q, row, weight, to, 2, 1);
	else
		mix_few(q, row, weight, to, 2, 2);
}

/* line += weight * row, over n bytes of packed rows. */
static void add_row(float *line, const uint8_t *row, int64_t n, float weight, bool first)
{
	V w = v_set(weight);
	int64_t i = 0;
	for (; i + VL <= n; i += VL) {
		V x = v_mul(v_of_int(v_load_u8(row + i)), w);
		v_store(line + i, first ? x : v_add(x, v_load(line + i)));
	}
	for (; i < n; i++)
		line[i] = (float)row[i] * weight + (first ? 0 : line[i]);
}

static void lines_row(worker *k, int64_t oy, float *to)
{
	const ovl_pixels_plan *q = k->q;
	const ovl_pixels_axis *a = &q->y;
	int64_t n = (q->w - 1) * q->step + q->source_channels;
	for (int32_t i = a->start[oy]; i < a->start[oy + 1]; i++)
		add_row(k->line, row_at(k, a->index[i]), n, a->weight[i], i == a->start[oy]);
	if (a->start[oy] == a->start[oy + 1])
		memset(k->line, 0, (size_t)n * sizeof *k->line);
	for (int i = 0; i < q->channels; i++) {
		const float *line = k->line + q->channel[i];
		for (int64_t o = 0; o < q->out_w; o += VL) {
			V sum = v_zero();
			for (int64_t t = 0; t < q->x.most; t++)
				sum = v_fma(v_gather(line, v_loadi(q->x_offset + t * q->x_room + o)), v_load(q->x_weight + t * q->x_room + o), sum);
			finish(q, i, to + i * q->to_channel + o, sum, v_tail(q->out_w - o), o + VL <= q->out_w);
		}
	}
}

/* ---- work ---- */

typedef struct job {
	const ovl_pixels_plan *q;
	const ovl_call *call;
	int64_t chunk;
} job;

static void run_chunk(void *arg, int64_t chunk, int thread)
{
	const job *j = arg;
	const ovl_pixels_plan *q = j->q;
	int64_t first = chunk * j->chunk, last = first + j->chunk, units = q->images * q->out_h;
	uint8_t *scratch = (uint8_t *)j->call->scratch + (size_t)thread * q->per_thread;
	worker k = {.q = q, .call = j->call, .slots = scratch, .line = (float *)(void *)(scratch + q->slot * (size_t)q->n_slots), .image = -1};
	for (int64_t u = first; u < last && u < units; u++) {
		int64_t image = u / q->out_h, oy = u % q->out_h;
		float *to = (float *)j->call->out[0] + image * q->to_image + oy * q->to_row;
		for (int s = 0; image != k.image && s < OVL_PIXELS_SLOTS; s++)
			k.held[s] = -1;
		k.image = image;
		if (q->few)
			few_row(&k, oy, to);
		else
			lines_row(&k, oy, to);
	}
}

static ovl_status run(const ovl_call *call)
{
	const ovl_pixels_plan *q = call->state;
	int64_t units = q->images * q->out_h;
	job j = {q, call, ovl_pool_chunk(call->pool, units, 1 + 16384 / (q->out_w * q->channels + 64))};
	ovl_pool_run(call->pool, (units + j.chunk - 1) / j.chunk, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel pixels = {.name = V_TEXT("pixels"), .ops = "PixelPass", .isa = V_ISA, .accept = ovl_pixels_accept, .prepare = ovl_pixels_prepare, .run = run,
	.release = ovl_pixels_release};
