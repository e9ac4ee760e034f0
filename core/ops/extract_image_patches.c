/* ExtractImagePatches: windows of an image laid out as channels. */
#include "ops/conv.h"
#include "ops/support_work.h"

typedef struct params {
	ovl_ints sizes, strides, rates;
	int auto_pad;
} params;

static ovl_status window_of(const params *p, int i, ovl_window *out, ovl_error *err)
{
	static const ovl_ints none = {NULL, 0};
	if (p->sizes.n != 2 || p->strides.n != 2 || p->rates.n != 2)
		return ovl_fail(err, OVL_E_ARGUMENT, "ExtractImagePatches: sizes, strides and rates must be two numbers each");
	OVL_TRY(ovl_window_get("ExtractImagePatches", &p->strides, &p->rates, &none, &none, 2, i, out, err));
	out->kernel = p->sizes.at[i];
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *x = &in->in_shape[0];
	ovl_pshape out = ovl_pshape_rank(4);
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC | OVL_MASK(OVL_BOOLEAN)));
	OVL_TRY(ovl_infer_rank(in, 0, 4, 4));
	for (int i = 0; i < 2; i++) {
		ovl_dim d = x->ranked ? x->dims[2 + i] : OVL_DIM_ANY;
		ovl_window w;
		OVL_TRY(window_of(p, i, &w, in->err));
		if (p->auto_pad == OVL_PAD_VALID && d.max < (w.kernel - 1) * w.dilation + 1)
			out.dims[2 + i] = ovl_dim_of(0);
		else
			OVL_TRY(ovl_window_dim(&w, p->auto_pad, d, OVL_ROUND_FLOOR, &out.dims[2 + i], in->op->name, in->err));
		if (!ovl_dim_static(d) && p->auto_pad == OVL_PAD_VALID)
			out.dims[2 + i].min = 0; /* too small an image gives nothing here */
	}
	if (x->ranked) {
		out.dims[0] = x->dims[0];
		out.dims[1] = ovl_dim_mul(x->dims[1], ovl_dim_mul(ovl_dim_of(p->sizes.at[0]), ovl_dim_of(p->sizes.at[1])));
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status patches(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0), *o = &w->run->out[0]->shape;
	size_t item = ovl_type_size(w->run->in[0]->type);
	int64_t c = s->dims[1], rows = p->sizes.at[0], cols = p->sizes.at[1], unused;
	const char *x = w->run->in[0]->data;
	char *y = w->run->out[0]->data;
	ovl_window win[2];
	if (item == 0)
		return ovl_work_fail(w, OVL_E_TYPE, "type %s is not moved by bytes", ovl_type_name(w->run->in[0]->type));
	if (ovl_tensor_count(w->run->out[0]) == 0)
		return OVL_OK;
	for (int i = 0; i < 2; i++) {
		OVL_TRY(window_of(p, i, &win[i], w->err));
		OVL_TRY(ovl_window_resolve(&win[i], p->auto_pad, s->dims[2 + i], OVL_ROUND_FLOOR, &unused, "ExtractImagePatches", w->err));
	}
	for (int64_t n = 0; n < s->dims[0]; n++)
		for (int64_t k = 0; k < rows * cols * c; k++) { /* output channels: row of the window, column, channel */
			int64_t ky = k / c / cols, kx = k / c % cols;
			const char *plane = x + (size_t)((n * c + k % c) * s->dims[2] * s->dims[3]) * item;
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t at = 0; at < o->dims[2] * o->dims[3]; at++, y += item) {
				int64_t iy = at / o->dims[3] * win[0].stride + ky * win[0].dilation - win[0].pad_begin;
				int64_t ix = at % o->dims[3] * win[1].stride + kx * win[1].dilation - win[1].pad_begin;
				if (iy >= 0 && ix >= 0 && iy < s->dims[2] && ix < s->dims[3])
					memcpy(y, plane + (size_t)(iy * s->dims[3] + ix) * item, item);
				else
					memset(y, 0, item);
			}
		}
	return OVL_OK;
}

static ovl_status patches_run(ovl_run *run) { return ovl_work_run(run, patches); }

static const ovl_attr attrs[] = {
	OVL_ATTR_INTS(params, sizes, NULL),
	OVL_ATTR_INTS(params, strides, NULL),
	OVL_ATTR_INTS(params, rates, NULL),
	OVL_ATTR_ENUM(params, auto_pad, NULL, OVL_AUTO_PAD_CHOICES),
	OVL_ATTR_END,
};

static const ovl_op extract_image_patches_v3 = {
	.name = "ExtractImagePatches",
	.since = 3,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "image",
	.params_size = sizeof(params),
	.attrs = attrs,
	.infer = infer,
	.run = patches_run,
};

const ovl_op *const ovl_ops_extract_image_patches[] = {&extract_image_patches_v3, NULL};
