/* Col2Im: puts the columns of sliding windows back into an image, adding where they overlap. */
#include "ops/conv.h"
#include "ops/support_work.h"

typedef struct params {
	ovl_ints strides, dilations, pads_begin, pads_end;
} params;

static ovl_status two(ovl_infer *in, int i, bool *known, int64_t *values)
{
	int n = 0;
	OVL_TRY(ovl_infer_type_in(in, i, OVL_MASK_INDEX));
	OVL_TRY(ovl_infer_rank(in, i, 1, 1));
	OVL_TRY(ovl_infer_ints(in, i, known, values, OVL_MAX_RANK, &n));
	if (*known && (n != 2 || values[0] < 1 || values[1] < 1))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "input %d must be two positive sizes", i);
	return OVL_OK;
}

/* Number of window positions in each direction. */
static ovl_status positions(const params *p, const int64_t *size, const int64_t *kernel, int64_t *out, ovl_window *w, ovl_error *err)
{
	for (int i = 0; i < 2; i++) {
		OVL_TRY(ovl_window_get("Col2Im", &p->strides, &p->dilations, &p->pads_begin, &p->pads_end, 2, i, &w[i], err));
		w[i].kernel = kernel[i];
		OVL_TRY(ovl_window_resolve(&w[i], OVL_PAD_EXPLICIT, size[i], OVL_ROUND_FLOOR, &out[i], "Col2Im", err));
	}
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *x = &in->in_shape[0];
	int64_t size[OVL_MAX_RANK], kernel[OVL_MAX_RANK], l[2];
	bool sized, known;
	ovl_pshape out = ovl_pshape_any();
	ovl_window w[2];
	OVL_TRY(ovl_infer_rank(in, 0, 2, 3));
	OVL_TRY(two(in, 1, &sized, size));
	OVL_TRY(two(in, 2, &known, kernel));
	if (x->ranked) {
		ovl_dim c = x->dims[x->rank - 2], columns = x->dims[x->rank - 1];
		out = ovl_pshape_rank(x->rank + 1);
		if (x->rank == 3)
			out.dims[0] = x->dims[0];
		if (known && ovl_dim_static(c)) {
			int64_t window;
			if (__builtin_mul_overflow(kernel[0], kernel[1], &window) || c.min % window)
				return ovl_infer_fail(in, OVL_E_SHAPE, "%lld rows are no whole number of windows", (long long)c.min);
			out.dims[x->rank - 2] = ovl_dim_of(c.min / window);
		}
		for (int i = 0; i < 2 && sized; i++)
			out.dims[x->rank - 1 + i] = ovl_dim_of(size[i]);
		if (known && sized) {
			OVL_TRY(positions(p, size, kernel, l, w, in->err));
			if (__builtin_mul_overflow(l[0], l[1], &l[0]) || !ovl_dim_merge(columns, ovl_dim_of(l[0]), &columns))
				return ovl_infer_fail(in, OVL_E_SHAPE, "the columns of data are not as many as windows fit the image");
		}
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

#define ADD(TYPE, T)                                                                                                                 \
	static void add_##TYPE(const T *x, const ovl_window *w, const int64_t *l, const int64_t *size, int64_t ky, int64_t kx, T *y) \
	{                                                                                                                            \
		for (int64_t i = 0; i < l[0]; i++)                                                                                   \
			for (int64_t j = 0; j < l[1]; j++, x++) {                                                                    \
				int64_t iy = i * w[0].stride + ky * w[0].dilation - w[0].pad_begin,                                  \
					ix = j * w[1].stride + kx * w[1].dilation - w[1].pad_begin;                                  \
				if (iy >= 0 && ix >= 0 && iy < size[0] && ix < size[1])                                              \
					y[iy * size[1] + ix] += *x;                                                                  \
			}                                                                                                            \
	}
OVL_EACH_WORK(ADD)

static ovl_status col2im(ovl_work *w)
{
	const ovl_shape *x = ovl_work_shape(w, 0);
	ovl_type as = ovl_work_type(w->run->in[0]->type);
	int64_t size[OVL_MAX_RANK], kernel[OVL_MAX_RANK], l[2], n, m, item = (int64_t)ovl_type_size(as), window, planes;
	ovl_window win[2];
	const char *from;
	char *to;
	OVL_TRY(ovl_tensor_to_i64(w->run->in[1], size, OVL_MAX_RANK, &n, w->err));
	OVL_TRY(ovl_tensor_to_i64(w->run->in[2], kernel, OVL_MAX_RANK, &m, w->err));
	if (n != 2 || m != 2 || kernel[0] < 1 || kernel[1] < 1 || size[0] < 1 || size[1] < 1)
		return ovl_work_fail(w, OVL_E_ARGUMENT, "the sizes of image and window must be two positive numbers each");
	OVL_TRY(positions(w->params, size, kernel, l, win, w->err));
	window = kernel[0] * kernel[1];
	planes = ovl_tensor_count(w->run->out[0]) / (size[0] * size[1]);
	if (x->dims[x->rank - 1] != l[0] * l[1] || planes * window != ovl_span(x, 0, x->rank - 1))
		return ovl_work_fail(w, OVL_E_SHAPE, "data has not as many rows and columns as windows fit the image");
	OVL_TRY(ovl_work_read(w, w->run->in[0], as, (const void **)&from));
	OVL_TRY(ovl_work_out(w, 0, as, &to));
	memset(to, 0, (size_t)(ovl_tensor_count(w->run->out[0]) * item));
	for (int64_t p = 0; p < planes; p++, to += size[0] * size[1] * item) {
		OVL_RUN_CHECK_CANCEL(w->run);
		for (int64_t k = 0; k < window; k++, from += l[0] * l[1] * item)
			switch (as) {
#define CASE(TYPE, T)                                                                                                   \
	case TYPE:                                                                                                      \
		add_##TYPE((const T *)(const void *)from, win, l, size, k / kernel[1], k % kernel[1], (T *)(void *)to); \
		break;
				OVL_EACH_WORK(CASE)
#undef CASE
			default:
				break;
			}
	}
	return OVL_OK;
}

static ovl_status col2im_run(ovl_run *run) { return ovl_work_run(run, col2im); }

static const ovl_attr attrs[] = {
	OVL_ATTR_INTS(params, strides, OVL_OPTIONAL),
	OVL_ATTR_INTS(params, dilations, OVL_OPTIONAL),
	OVL_ATTR_INTS(params, pads_begin, OVL_OPTIONAL),
	OVL_ATTR_INTS(params, pads_end, OVL_OPTIONAL),
	OVL_ATTR_END,
};

static const ovl_op col2im_v15 = {
	.name = "Col2Im",
	.factory = "col2im",
	.since = 15,
	.min_inputs = 3,
	.max_inputs = 3,
	.outputs = 1,
	.inputs = "data output_size kernel_size",
	.params_size = sizeof(params),
	.attrs = attrs,
	.infer = infer,
	.run = col2im_run,
};

const ovl_op *const ovl_ops_col2im[] = {&col2im_v15, NULL};
