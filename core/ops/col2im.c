/* Col2Im: puts the columns of sliding windows back into an image, adding where they overlap. */
#include "ops/conv.h"
#include "ops/support_work.h"

typedef struct params {
	ovl_ints strides, dilations, pads_begin, pads_end;
} params;

enum { MOST = OVL_MAX_RANK - 2 };

/* What windows fit in each of n directions. */
typedef struct layout {
	int n;
	int64_t size[OVL_MAX_RANK], kernel[OVL_MAX_RANK], l[OVL_MAX_RANK];
	int64_t columns, window, plane; /* products of l, kernel, size */
	ovl_window w[MOST];
} layout;

static bool positive(const int64_t *v, int n)
{
	for (int i = 0; i < n; i++)
		if (v[i] < 1)
			return false;
	return n >= 1 && n <= MOST;
}

static ovl_status sizes(ovl_infer *in, int i, bool *known, int64_t *values, int *n)
{
	OVL_TRY(ovl_infer_type_in(in, i, OVL_MASK_INDEX));
	OVL_TRY(ovl_infer_rank(in, i, 1, 1));
	OVL_TRY(ovl_infer_ints(in, i, known, values, OVL_MAX_RANK, n));
	if (*known && !positive(values, *n))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "input %d must be 1 to %d positive sizes", i, MOST);
	return OVL_OK;
}

/* Number of window positions in each direction. */
static ovl_status positions(const params *p, layout *y, ovl_error *err)
{
	y->columns = y->window = y->plane = 1;
	for (int i = 0; i < y->n; i++) {
		OVL_TRY(ovl_window_get("Col2Im", &p->strides, &p->dilations, &p->pads_begin, &p->pads_end, y->n, i, &y->w[i], err));
		y->w[i].kernel = y->kernel[i];
		OVL_TRY(ovl_window_resolve(&y->w[i], OVL_PAD_EXPLICIT, y->size[i], OVL_ROUND_FLOOR, &y->l[i], "Col2Im", err));
		if (__builtin_mul_overflow(y->columns, y->l[i], &y->columns) || __builtin_mul_overflow(y->window, y->kernel[i], &y->window) ||
			__builtin_mul_overflow(y->plane, y->size[i], &y->plane))
			return ovl_fail(err, OVL_E_SHAPE, "Col2Im: the image is too large");
	}
	return OVL_OK;
}

static ovl_status infer_known(ovl_infer *in, const layout *y, bool sized, bool known, ovl_pshape *out)
{
	const ovl_pshape *x = &in->in_shape[0];
	ovl_dim rows = x->dims[x->rank - 2];
	int64_t window = 1;
	for (int i = 0; i < y->n && known; i++)
		if (__builtin_mul_overflow(window, y->kernel[i], &window))
			return ovl_infer_fail(in, OVL_E_SHAPE, "the window is too large");
	if (known && ovl_dim_static(rows) && rows.min % window)
		return ovl_infer_fail(in, OVL_E_SHAPE, "%lld rows are no whole number of windows", (long long)rows.min);
	*out = ovl_pshape_rank(x->rank - 1 + y->n);
	if (x->rank == 3)
		out->dims[0] = x->dims[0];
	out->dims[x->rank - 2] = known && ovl_dim_static(rows) ? ovl_dim_of(rows.min / window) : OVL_DIM_ANY;
	for (int i = 0; i < y->n; i++)
		out->dims[x->rank - 1 + i] = sized ? ovl_dim_of(y->size[i]) : OVL_DIM_ANY;
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *x = &in->in_shape[0];
	bool sized, known;
	int n = 0, m = 0;
	layout y;
	ovl_pshape out = ovl_pshape_any();
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC));
	OVL_TRY(ovl_infer_rank(in, 0, 2, 3));
	OVL_TRY(sizes(in, 1, &sized, y.size, &n));
	OVL_TRY(sizes(in, 2, &known, y.kernel, &m));
	if (sized && known && n != m)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "an image of %d dimensions and a window of %d", n, m);
	y.n = sized ? n : m;
	if (x->ranked && (sized || known))
		OVL_TRY(infer_known(in, &y, sized, known, &out));
	if (x->ranked && sized && known) {
		ovl_dim columns = x->dims[x->rank - 1];
		OVL_TRY(positions(in->params, &y, in->err));
		if (!ovl_dim_merge(columns, ovl_dim_of(y.columns), &columns))
			return ovl_infer_fail(in, OVL_E_SHAPE, "the columns of data are not as many as windows fit the image");
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* Where window position `column` of the window's element `k` lies in the image; -1: outside. */
static int64_t target(const layout *y, int64_t column, int64_t k)
{
	int64_t at = 0, unit = 1;
	for (int i = y->n - 1; i >= 0; i--) {
		int64_t v = column % y->l[i] * y->w[i].stride + k % y->kernel[i] * y->w[i].dilation - y->w[i].pad_begin;
		if (v < 0 || v >= y->size[i])
			return -1;
		at += v * unit;
		unit *= y->size[i];
		column /= y->l[i];
		k /= y->kernel[i];
	}
	return at;
}

#define ADD(TYPE, T)                                                                    \
	static void add_##TYPE(const T *x, const layout *y, int64_t k, T *to)           \
	{                                                                               \
		for (int64_t i = 0; i < y->columns; i++) {                              \
			int64_t at = target(y, i, k);                                   \
			if (at >= 0)                                                    \
				to[at] += x[i];                                         \
		}                                                                       \
	}
OVL_EACH_WORK(ADD)

static ovl_status prepare(ovl_work *w, layout *y, int64_t *planes)
{
	const ovl_shape *x = ovl_work_shape(w, 0);
	int64_t n, m;
	OVL_TRY(ovl_tensor_to_i64(w->run->in[1], y->size, OVL_MAX_RANK, &n, w->err));
	OVL_TRY(ovl_tensor_to_i64(w->run->in[2], y->kernel, OVL_MAX_RANK, &m, w->err));
	if (n != m || !positive(y->size, (int)n) || !positive(y->kernel, (int)n))
		return ovl_work_fail(w, OVL_E_ARGUMENT, "the sizes of image and window must be as many positive numbers each");
	y->n = (int)n;
	OVL_TRY(positions(w->params, y, w->err));
	*planes = ovl_tensor_count(w->run->out[0]) / y->plane;
	if (x->dims[x->rank - 1] != y->columns || *planes * y->window != ovl_span(x, 0, x->rank - 1))
		return ovl_work_fail(w, OVL_E_SHAPE, "data has not as many rows and columns as windows fit the image");
	return OVL_OK;
}

static ovl_status col2im(ovl_work *w)
{
	ovl_type as = ovl_work_type(w->run->in[0]->type);
	int64_t item = (int64_t)ovl_type_size(as), planes = 0;
	layout y;
	const char *from;
	char *to;
	OVL_TRY(prepare(w, &y, &planes));
	OVL_TRY(ovl_work_read(w, w->run->in[0], as, (const void **)&from));
	OVL_TRY(ovl_work_out(w, 0, as, &to));
	memset(to, 0, (size_t)(ovl_tensor_count(w->run->out[0]) * item));
	for (int64_t p = 0; p < planes; p++, to += y.plane * item)
		for (int64_t k = 0; k < y.window; k++, from += y.columns * item) {
			OVL_RUN_CHECK_CANCEL(w->run);
			switch (as) {
#define CASE(TYPE, T)                                                                             \
	case TYPE:                                                                                \
		add_##TYPE((const T *)(const void *)from, &y, k, (T *)(void *)to);                \
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
