#include "kernels/pixels.h"
#include "base/memory.h"
#include <stdio.h>
#include <string.h>

static ovl_status no_memory(ovl_error *err) { return ovl_fail(err, OVL_E_MEMORY, "no memory for a pass over pixels"); }

/* ---- the source ---- */

static ovl_pixels_plane plane_of(const ovl_problem *p, int input, int row, int pixel, int channel)
{
	const int64_t *s = p->in[input].strides;
	return (ovl_pixels_plane){.image = s[0], .row = s[row], .pixel = s[pixel], .channel = s[channel], .input = input};
}

static void read_pixels(ovl_pixels_plan *q, const ovl_problem *p)
{
	const ovl_desc *d = &p->in[0];
	q->plane[0] = plane_of(p, 0, 2, 3, 1);
	q->h = d->dims[2];
	q->w = d->dims[3];
	q->source_channels = d->dims[1];
	if (q->source_channels == 1)
		q->plane[0].channel = 1;
	if (q->w == 1)
		q->plane[0].pixel = q->source_channels;
}

/* Planes below each other in one input: colours follow the brightness without a gap. */
static void read_video(ovl_pixels_plan *q, const ovl_problem *p)
{
	const ovl_desc *d = &p->in[0];
	bool nv12 = q->source == OVL_SOURCE_NV12;
	q->plane[0] = plane_of(p, 0, 1, 2, 3);
	q->h = p->n_op_in == 1 ? d->dims[1] / 3 * 2 : d->dims[1];
	q->w = d->dims[2];
	q->source_channels = 3;
	for (int i = 1; i < 3; i++) {
		ovl_pixels_plane *c = &q->plane[i];
		if (p->n_op_in > 1) {
			*c = plane_of(p, nv12 ? 1 : i, 1, 2, 3);
			c->offset = nv12 && i == 2 ? c->channel : 0;
		} else {
			*c = q->plane[0];
			c->offset = q->h * q->w + (nv12 ? i - 1 : (i - 1) * (q->h * q->w / 4));
			c->row = nv12 ? q->w : q->w / 2;
		}
		c->pixel = nv12 ? 2 : 1;
	}
}

static bool video_fits(const ovl_problem *p, const ovl_pixel_pass_params *params)
{
	const int64_t *y = p->in[0].dims;
	int64_t h = p->n_op_in == 1 ? y[1] / 3 * 2 : y[1];
	bool nv12 = params->source == OVL_SOURCE_NV12;
	if (h % 2 || y[2] % 2 || y[3] != 1 || (p->n_op_in == 1 && y[1] % 3) || (p->n_op_in == 2 && !nv12) || (p->n_op_in == 3 && nv12))
		return false;
	for (int i = 1; i < p->n_op_in; i++) {
		const int64_t *c = p->in[i].dims;
		if (c[0] != y[0] || c[1] != h / 2 || c[2] != y[2] / 2 || c[3] != (nv12 ? 2 : 1))
			return false;
	}
	return true;
}

const char *ovl_pixels_accept(ovl_problem *p)
{
	const ovl_pixel_pass_params *params = p->params;
	bool video = params->source != OVL_SOURCE_PIXELS, pillow = params->resize.mode >= OVL_INTERP_BILINEAR_PILLOW;
	const ovl_desc *d = &p->in[0];
	for (int i = 0; i < p->n_op_in; i++) {
		if (p->in[i].rank != 4 || p->in[i].type != OVL_U8)
			return "not pictures of bytes";
		p->in_form[i] = video ? OVL_FORM_DENSE : OVL_FORM_ANY;
	}
	if (p->n_posts)
		return "posts";
	if (!ovl_desc_count(d) || !ovl_desc_count(&p->out[0]))
		return "nothing to do";
	if (video && !video_fits(p, params))
		return "planes do not fit each other";
	if (params->whole && pillow && params->size.n)
		return "Pillow rounds twice";
	if (d->dims[video ? 2 : 3] > OVL_PIXELS_WIDEST || d->dims[video ? 1 : 2] > INT32_MAX / 4 || p->out[0].dims[3] > OVL_PIXELS_WIDEST)
		return "picture too large";
	if (!video && d->dims[1] > OVL_PIXEL_CHANNELS)
		return "too many channels";
	for (size_t i = 0; i < params->channels.n; i++)
		if (params->channels.at[i] < 0 || params->channels.at[i] >= (video ? 3 : d->dims[1]))
			return "channels are not there";
	p->out_form[0] = OVL_FORM_DENSE;
	return NULL;
}

/* ---- taps ---- */

static ovl_status make_axis(const ovl_pixel_pass_params *p, const ovl_interpolate_axis *from, ovl_pixels_axis *a, ovl_error *err)
{
	ovl_taps t;
	size_t outs = (size_t)from->out + 1, n;
	OVL_TRY(ovl_interpolate_taps(&p->resize, from, &t, err));
	n = (size_t)t.n;
	a->start = t.n <= INT32_MAX ? ovl_alloc(outs * sizeof *a->start) : NULL;
	a->index = ovl_alloc((n + 1) * sizeof *a->index);
	a->weight = ovl_alloc((n + 1) * sizeof *a->weight);
	if (!a->start || !a->index || !a->weight) {
		ovl_taps_free(&t);
		return no_memory(err);
	}
	for (size_t i = 0; i < outs; i++) {
		a->start[i] = (int32_t)t.start[i];
		if (i && t.start[i] - t.start[i - 1] > a->most)
			a->most = t.start[i] - t.start[i - 1];
	}
	for (size_t i = 0; i < n; i++) {
		a->index[i] = (int32_t)t.index[i];
		a->weight[i] = (float)t.weight[i];
	}
	ovl_taps_free(&t);
	a->most = a->most > 0 ? a->most : 1;
	return OVL_OK;
}

/* Missing taps get weight 0 and the first pixel. */
static ovl_status turn_over(ovl_pixels_plan *q, ovl_error *err)
{
	const ovl_pixels_axis *a = &q->x;
	q->x_room = (q->out_w + 15) / 16 * 16;
	size_t n = (size_t)(a->most * q->x_room) + 16;
	q->x_offset = ovl_calloc(n, sizeof *q->x_offset);
	q->x_weight = ovl_calloc(n, sizeof *q->x_weight);
	if (!q->x_offset || !q->x_weight)
		return no_memory(err);
	for (int64_t o = 0; o < q->out_w; o++)
		for (int64_t k = 0; k < a->start[o + 1] - a->start[o]; k++) {
			q->x_offset[k * q->x_room + o] = a->index[a->start[o] + k] * (int32_t)q->step;
			q->x_weight[k * q->x_room + o] = a->weight[a->start[o] + k];
		}
	return OVL_OK;
}

static bool few_taps(const ovl_pixels_plan *q)
{
	const ovl_pixels_axis *y = &q->y;
	if (q->x.most > 2 || y->most > 2)
		return false;
	for (int64_t o = 0; o < q->out_h; o++)
		if (y->start[o + 1] - y->start[o] == 2 && y->index[y->start[o] + 1] != y->index[y->start[o]] + 1)
			return false;
	return true;
}

/* ---- prepare ---- */

static size_t up(size_t n) { return (n + 63) / 64 * 64; }

static void lay_out(ovl_pixels_plan *q)
{
	const ovl_pixels_plane *p = &q->plane[0];
	q->direct = q->source == OVL_SOURCE_PIXELS && p->channel == 1 && p->pixel >= q->source_channels && p->pixel <= 4 && p->row > 0;
	q->step = q->direct ? p->pixel : 4;
	q->slot = up((size_t)(q->w * q->step) + 64);
	q->line = q->few ? 0 : up((size_t)(q->w * q->step) * sizeof(float) + 64);
	q->n_slots = q->direct ? 1 : OVL_PIXELS_SLOTS;
	q->per_thread = q->slot * (size_t)q->n_slots + q->line;
}

static ovl_status fill(ovl_pixels_plan *q, const ovl_problem *p, ovl_error *err)
{
	const ovl_pixel_pass_params *params = p->params;
	const ovl_desc *out = &p->out[0];
	ovl_interpolate_axis at[2];
	q->source = (ovl_pixel_source)params->source;
	q->images = p->in[0].dims[0];
	q->channels = (int)params->channels.n;
	for (int i = 0; i < q->channels; i++) {
		q->channel[i] = (int)params->channels.at[i];
		q->scale[i] = params->scale.at[i];
		q->shift[i] = params->shift.at[i];
	}
	q->whole = params->whole && params->size.n;
	if (q->source == OVL_SOURCE_PIXELS)
		read_pixels(q, p);
	else
		read_video(q, p);
	q->out_h = out->dims[2];
	q->out_w = out->dims[3];
	q->to_image = out->strides[0];
	q->to_channel = out->strides[1];
	q->to_row = out->strides[2];
	q->threads = p->threads > 0 ? p->threads : 1;
	OVL_TRY(ovl_pixel_pass_axes(params, q->h, q->w, at, err));
	OVL_TRY(make_axis(params, &at[0], &q->y, err));
	OVL_TRY(make_axis(params, &at[1], &q->x, err));
	q->few = few_taps(q);
	lay_out(q);
	return turn_over(q, err);
}

ovl_status ovl_pixels_prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	ovl_pixels_plan *q = ovl_calloc(1, sizeof *q);
	ovl_status st;
	if (!q)
		return no_memory(err);
	st = fill(q, p, err);
	if (st != OVL_OK) {
		ovl_pixels_release(q);
		return st;
	}
	out->state = q;
	out->scratch = q->per_thread * (size_t)q->threads;
	snprintf(out->detail, sizeof out->detail, "%s_%s", q->direct ? "direct" : q->source == OVL_SOURCE_PIXELS ? "packed" : "video", q->few ? "gather" : "lines");
	return OVL_OK;
}

static void free_axis(ovl_pixels_axis *a)
{
	ovl_free(a->start);
	ovl_free(a->index);
	ovl_free(a->weight);
}

void ovl_pixels_release(void *state)
{
	ovl_pixels_plan *q = state;
	free_axis(&q->y);
	free_axis(&q->x);
	ovl_free(q->x_offset);
	ovl_free(q->x_weight);
	ovl_free(q);
}
