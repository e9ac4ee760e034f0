/* color.c - NV12toRGB, NV12toBGR, I420toRGB, I420toBGR: video frames (a plane of brightness, and colour at half the resolution) to three interleaved channels. The planes
 * come one by one, or below each other as one image of 3/2 of the height. */
#include "ops/support_color.h"
#include "ops/support_work.h"
#include "tensor/type.h"
#include <string.h>

static bool is_nv12(const ovl_op *op) { return op->name[0] == 'N'; }
static bool is_bgr(const ovl_op *op) { return strstr(op->name, "BGR") != NULL; }

static ovl_status planes_fit(ovl_infer *in, ovl_pshape *out)
{
	const ovl_pshape *y = &in->in_shape[0];
	int n = in->n_in;
	for (int i = 0; i < n; i++) {
		OVL_TRY(ovl_infer_rank(in, i, 4, 4));
		OVL_TRY(ovl_infer_type_in(in, i, OVL_MASK_FLOAT | OVL_MASK(OVL_U8)));
	}
	*out = y->ranked ? *y : ovl_pshape_rank(4);
	if (n == 1) {
		ovl_dim *h = &out->dims[1];
		if (ovl_dim_static(*h) && h->min % 3)
			return ovl_infer_fail(in, OVL_E_SHAPE, "one plane has %lld rows, expected a multiple of 3", (long long)h->min);
		*h = (ovl_dim){h->min / 3 * 2, h->max == OVL_DIM_MAX ? h->max : h->max / 3 * 2};
	}
	for (int d = 1; d < 3; d++)
		if (ovl_dim_static(out->dims[d]) && out->dims[d].min % 2)
			return ovl_infer_fail(in, OVL_E_SHAPE, "height and width are even, got %lld", (long long)out->dims[d].min);
	out->dims[3] = ovl_dim_of(3);
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	ovl_pshape out;
	if (in->n_in == 2 && !is_nv12(in->op))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "takes one or three planes, got two");
	OVL_TRY(planes_fit(in, &out));
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* Plane i has `channels` values per pixel of a frame that is `down` times smaller than the output. */
static bool plane_is(const ovl_work *w, int i, const ovl_shape *out, int64_t down, int64_t channels)
{
	const ovl_shape *s = ovl_work_shape(w, i);
	return s->dims[0] == out->dims[0] && s->dims[1] == out->dims[1] / down && s->dims[2] == out->dims[2] / down && s->dims[3] == channels;
}

static bool planes_are(const ovl_work *w, const ovl_shape *out)
{
	const ovl_shape *s = ovl_work_shape(w, 0);
	if (out->dims[1] % 2 || out->dims[2] % 2 || out->dims[3] != 3)
		return false;
	if (w->run->n_in == 1)
		return s->dims[0] == out->dims[0] && s->dims[1] == out->dims[1] / 2 * 3 && s->dims[2] == out->dims[2] && s->dims[3] == 1;
	if (!plane_is(w, 0, out, 1, 1))
		return false;
	return w->run->n_in == 2 ? plane_is(w, 1, out, 2, 2) : plane_is(w, 1, out, 2, 1) && plane_is(w, 2, out, 2, 1);
}

static ovl_status convert_frames(ovl_work *w)
{
	const ovl_shape *s = &w->run->out[0]->shape;
	const double *in[3] = {NULL};
	double *out;
	bool nv12 = is_nv12(w->run->op), bgr = is_bgr(w->run->op), whole = w->run->in[0]->type == OVL_U8;
	int n_in = w->run->n_in;
	if (!planes_are(w, s))
		return ovl_work_fail(w, OVL_E_SHAPE, "the planes do not fit each other");
	for (int i = 0; i < n_in; i++)
		OVL_TRY(ovl_work_f64(w, i, &in[i]));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &out));
	int64_t h = s->dims[1], width = s->dims[2], size = h * width, quarter = size / 4, step = nv12 ? 2 : 1;
	for (int64_t n = 0; n < s->dims[0]; n++) {
		const double *y = in[0] + n * (n_in == 1 ? size + 2 * quarter : size);
		const double *u = n_in == 1 ? y + size : in[1] + n * quarter * step;
		const double *v = nv12 ? u + 1 : n_in == 1 ? u + quarter : in[2] + n * quarter;
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int64_t i = 0; i < size; i++) {
			int64_t at = (i / width / 2 * (width / 2) + i % width / 2) * step;
			double rgb[3], *pixel = out + (n * size + i) * 3;
			ovl_color_of_yuv(y[i], u[at], v[at], whole, rgb);
			pixel[bgr ? 2 : 0] = rgb[0];
			pixel[1] = rgb[1];
			pixel[bgr ? 0 : 2] = rgb[2];
		}
	}
	return OVL_OK;
}

static ovl_status run_color(ovl_run *run) { return ovl_work_run(run, convert_frames); }

#define COLOR(id, type, python, planes, args)                                                                                                        \
	static const ovl_op id = {.name = type, .factory = python, .since = 8, .min_inputs = 1, .max_inputs = planes, .outputs = 1, .inputs = args, \
		.infer = infer, .run = run_color}
COLOR(nv12_to_rgb, "NV12toRGB", "nv12_to_rgb", 2, "arg arg_uv");
COLOR(nv12_to_bgr, "NV12toBGR", "nv12_to_bgr", 2, "arg arg_uv");
COLOR(i420_to_rgb, "I420toRGB", "i420_to_rgb", 3, "arg arg_u arg_v");
COLOR(i420_to_bgr, "I420toBGR", "i420_to_bgr", 3, "arg arg_u arg_v");

const ovl_op *const ovl_ops_color[] = {&nv12_to_rgb, &nv12_to_bgr, &i420_to_rgb, &i420_to_bgr, NULL};
