/* PixelPass (internal): see pixel_pass.h. */
#include "ops/pixel_pass.h"
#include "ops/support_color.h"
#include "ops/support_work.h"

#include <math.h>
#include <string.h>

static bool is_video(const ovl_pixel_pass_params *p) { return p->source != OVL_SOURCE_PIXELS; }

/* ---- shapes ---- */

/* [N, H, W] of the source from the shape of input 0. */
static ovl_status source_size(const ovl_pixel_pass_params *p, int n_in, const ovl_pshape *s, ovl_dim *n, ovl_dim *h, ovl_dim *w, ovl_infer *in)
{
	int at = is_video(p) ? 1 : 2;
	OVL_TRY(ovl_infer_rank(in, 0, 4, 4));
	*n = s->ranked ? s->dims[0] : OVL_DIM_ANY;
	*h = s->ranked ? s->dims[at] : OVL_DIM_ANY;
	*w = s->ranked ? s->dims[at + 1] : OVL_DIM_ANY;
	if (is_video(p) && n_in == 1)
		*h = ovl_dim_static(*h) ? ovl_dim_of(h->min / 3 * 2) : OVL_DIM_ANY;
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	const ovl_pixel_pass_params *p = in->params;
	ovl_pshape out = ovl_pshape_rank(4);
	for (int i = 0; i < in->n_in; i++)
		OVL_TRY(ovl_infer_type_in(in, i, OVL_MASK(OVL_U8)));
	if (p->channels.n < 1 || p->channels.n > OVL_PIXEL_CHANNELS || p->scale.n != p->channels.n || p->shift.n != p->channels.n || (p->size.n != 0 && p->size.n != 2))
		return ovl_infer_fail(in, OVL_E_INTERNAL, "channels, scales or sizes do not fit each other");
	OVL_TRY(source_size(p, in->n_in, &in->in_shape[0], &out.dims[0], &out.dims[2], &out.dims[3], in));
	out.dims[1] = ovl_dim_of((int64_t)p->channels.n);
	for (size_t i = 0; i < p->size.n; i++)
		out.dims[2 + i] = ovl_dim_of(p->size.at[i]);
	ovl_infer_out(in, 0, OVL_F32, &out);
	return OVL_OK;
}

ovl_status ovl_pixel_pass_axes(const ovl_pixel_pass_params *p, int64_t height, int64_t width, ovl_interpolate_axis at[2], ovl_error *err)
{
	static const int64_t axes[2] = {0, 1};
	ovl_shape from = {.rank = 2, .dims = {height, width}}, to = from;
	for (size_t i = 0; i < p->size.n; i++)
		to.dims[i] = p->size.at[i];
	return ovl_interpolate_resolve(&p->resize, &from, &to, axes, p->size.n ? 2 : 0, NULL, at, err);
}

/* ---- the reference run ---- */

typedef struct picture {
	int64_t images, channels, h, w;
	double *x; /* [images][channels][h][w] */
} picture;

static ovl_status from_pixels(ovl_work *w, const ovl_pixel_pass_params *p, picture *to)
{
	const ovl_shape *s = ovl_work_shape(w, 0);
	const uint8_t *x = w->run->in[0]->data;
	int64_t plane = s->dims[2] * s->dims[3];
	*to = (picture){.images = s->dims[0], .channels = (int64_t)p->channels.n, .h = s->dims[2], .w = s->dims[3]};
	OVL_TRY(ovl_work_take(w, to->images * to->channels * plane, sizeof *to->x, &to->x));
	for (int64_t n = 0; n < to->images; n++)
		for (int64_t c = 0; c < to->channels; c++) {
			int64_t from = p->channels.at[c];
			if (from < 0 || from >= s->dims[1])
				return ovl_work_fail(w, OVL_E_INTERNAL, "there is no channel %lld", (long long)from);
			for (int64_t i = 0; i < plane; i++)
				to->x[(n * to->channels + c) * plane + i] = x[(n * s->dims[1] + from) * plane + i];
		}
	return OVL_OK;
}

/* Brightness, and where the two colours of pixel i of image n are. */
typedef struct frame {
	const uint8_t *y, *u, *v;
	int64_t step;
} frame;

static frame frame_of(const ovl_work *w, bool nv12, int64_t n, int64_t size)
{
	int n_in = w->run->n_in;
	const uint8_t *y = (const uint8_t *)w->run->in[0]->data + n * (n_in == 1 ? size / 2 * 3 : size);
	const uint8_t *u = n_in == 1 ? y + size : (const uint8_t *)w->run->in[1]->data + n * (nv12 ? size / 2 : size / 4);
	const uint8_t *v = nv12 ? u + 1 : n_in == 1 ? u + size / 4 : (const uint8_t *)w->run->in[2]->data + n * (size / 4);
	return (frame){y, u, v, nv12 ? 2 : 1};
}

static ovl_status from_video(ovl_work *w, const ovl_pixel_pass_params *p, picture *to)
{
	const ovl_shape *s = ovl_work_shape(w, 0);
	*to = (picture){.images = s->dims[0], .channels = (int64_t)p->channels.n, .h = w->run->n_in == 1 ? s->dims[1] / 3 * 2 : s->dims[1], .w = s->dims[2]};
	int64_t plane = to->h * to->w;
	OVL_TRY(ovl_work_take(w, to->images * to->channels * plane, sizeof *to->x, &to->x));
	for (int64_t n = 0; n < to->images; n++) {
		frame f = frame_of(w, p->source == OVL_SOURCE_NV12, n, plane);
		for (int64_t i = 0; i < plane; i++) {
			int64_t at = (i / to->w / 2 * (to->w / 2) + i % to->w / 2) * f.step;
			double rgb[3];
			ovl_color_of_yuv(f.y[i], f.u[at], f.v[at], true, rgb);
			for (int64_t c = 0; c < to->channels; c++)
				to->x[(n * to->channels + c) * plane + i] = rgb[p->channels.at[c] % 3];
		}
	}
	return OVL_OK;
}

/* Along height (d 0) or width (d 1). */
static ovl_status resize(ovl_work *w, const ovl_pixel_pass_params *p, int d, const ovl_interpolate_axis *a, picture *pic)
{
	int64_t outer = pic->images * pic->channels * (d ? pic->h : 1), n = d ? pic->w : pic->h, inner = d ? 1 : pic->w;
	const double *x = pic->x;
	double *y;
	ovl_taps t;
	OVL_TRY(ovl_work_take(w, outer * a->out * inner, sizeof *y, &y));
	OVL_TRY(ovl_interpolate_taps(&p->resize, a, &t, w->err));
	pic->x = y;
	*(d ? &pic->w : &pic->h) = a->out;
	for (int64_t o = 0; o < outer; o++, x += n * inner)
		for (int64_t k = 0; k < a->out; k++, y += inner)
			for (int64_t j = t.start[k]; j < t.start[k + 1]; j++)
				for (int64_t i = 0; i < inner; i++)
					y[i] += t.weight[j] * x[t.index[j] * inner + i];
	ovl_taps_free(&t);
	return OVL_OK;
}

static ovl_status pixel_pass(ovl_work *w)
{
	const ovl_pixel_pass_params *p = w->params;
	ovl_interpolate_axis at[2];
	picture pic;
	float *y;
	OVL_TRY(is_video(p) ? from_video(w, p, &pic) : from_pixels(w, p, &pic));
	OVL_TRY(ovl_pixel_pass_axes(p, pic.h, pic.w, at, w->err));
	for (int d = 1; d >= 0 && p->size.n; d--) {
		OVL_RUN_CHECK_CANCEL(w->run);
		OVL_TRY(resize(w, p, d, &at[d], &pic));
	}
	OVL_TRY(ovl_work_out(w, 0, OVL_F32, &y));
	int64_t plane = pic.h * pic.w;
	for (int64_t i = 0; i < pic.images * pic.channels * plane; i++) {
		int64_t c = i / plane % pic.channels;
		double v = p->whole ? nearbyint(pic.x[i]) : pic.x[i];
		if (p->whole)
			v = v < 0 ? 0 : v > 255 ? 255 : v;
		y[i] = (float)(v * p->scale.at[c] + p->shift.at[c]);
	}
	return OVL_OK;
}

static ovl_status run(ovl_run *r) { return ovl_work_run(r, pixel_pass); }

static const ovl_attr attrs[] = {
	OVL_ATTR_ENUM(ovl_pixel_pass_params, source, "pixels", "pixels nv12 i420"),
	OVL_ATTR_INTS(ovl_pixel_pass_params, channels, OVL_OPTIONAL),
	OVL_ATTR_FLOATS(ovl_pixel_pass_params, scale, OVL_OPTIONAL),
	OVL_ATTR_FLOATS(ovl_pixel_pass_params, shift, OVL_OPTIONAL),
	OVL_ATTR_INTS(ovl_pixel_pass_params, size, OVL_OPTIONAL),
	OVL_ATTR_BOOL(ovl_pixel_pass_params, whole, "false"),
	OVL_ATTR_AS("mode", OVL_KIND_ENUM, ovl_pixel_pass_params, resize.mode, "nearest", "nearest linear linear_onnx cubic bilinear_pillow bicubic_pillow"),
	OVL_ATTR_AS("coordinate_transformation_mode", OVL_KIND_ENUM, ovl_pixel_pass_params, resize.coordinate_transformation_mode, "half_pixel",
		"half_pixel pytorch_half_pixel asymmetric tf_half_pixel_for_nn align_corners"),
	OVL_ATTR_AS("nearest_mode", OVL_KIND_ENUM, ovl_pixel_pass_params, resize.nearest_mode, "round_prefer_floor",
		"round_prefer_floor round_prefer_ceil floor ceil simple"),
	OVL_ATTR_AS("antialias", OVL_KIND_BOOL, ovl_pixel_pass_params, resize.antialias, "false", NULL),
	OVL_ATTR_AS("cube_coeff", OVL_KIND_DOUBLE, ovl_pixel_pass_params, resize.cube_coeff, "-0.75", NULL),
	OVL_ATTR_END,
};

static const ovl_op pixel_pass_op = {.name = "PixelPass", .since = 1, .min_inputs = 1, .max_inputs = 3, .outputs = 1, .inputs = "data plane plane2",
	.params_size = sizeof(ovl_pixel_pass_params), .attrs = attrs, .flags = OVL_OP_INTERNAL, .infer = infer, .run = run};

const ovl_op *const ovl_ops_pixel_pass[] = {&pixel_pass_op, NULL};
