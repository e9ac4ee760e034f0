/* GridSample: reads an image at places given by a grid of coordinates from -1 to 1. */
#include "ops/support_work.h"

enum { BILINEAR, BICUBIC, NEAREST };
enum { ZEROS, BORDER, REFLECTION };

typedef struct params {
	bool align_corners;
	int mode, padding_mode;
} params;

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *x = &in->in_shape[0], *g = &in->in_shape[1];
	ovl_pshape out = ovl_pshape_rank(4);
	OVL_TRY(ovl_infer_rank(in, 0, 4, 4));
	OVL_TRY(ovl_infer_rank(in, 1, 4, 4));
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_FLOAT));
	if (x->ranked)
		memcpy(out.dims, x->dims, 2 * sizeof *x->dims);
	if (g->ranked) {
		out.dims[2] = g->dims[1];
		out.dims[3] = g->dims[2];
		if (!ovl_dim_merge(out.dims[0], g->dims[0], &out.dims[0]) || g->dims[3].min > 2 || g->dims[3].max < 2)
			return ovl_infer_fail(in, OVL_E_SHAPE, "the grid must be [batch, height, width, 2]");
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* Index i of a dimension of n entries that goes on beyond its ends; -1: a zero. */
static int64_t wrap(const params *p, int64_t i, int64_t n)
{
	if (i >= 0 && i < n)
		return i;
	if (p->padding_mode == ZEROS)
		return -1;
	if (p->padding_mode == BORDER)
		return i < 0 ? 0 : n - 1;
	if (p->align_corners) {
		int64_t turn = n == 1 ? 1 : 2 * (n - 1);
		i = (i < 0 ? -i : i) % turn;
		return i >= n ? turn - i : i;
	}
	i = (i % (2 * n) + 2 * n) % (2 * n);
	return i >= n ? 2 * n - 1 - i : i;
}

/* From -1..1 to entries. Kept within what an integer can hold. */
static double place(const params *p, double v, int64_t n)
{
	double at = p->align_corners ? (v + 1) * (double)(n - 1) / 2 : ((v + 1) * (double)n - 1) / 2;
	return at != at ? -1 : fmin(fmax(at, -0x1p40), 0x1p40);
}

/* Entries and weights in one dimension. */
static int taps(const params *p, double at, int64_t n, int64_t *index, double *weight)
{
	double base = floor(at), t = at - base, a = -0.75;
	if (p->mode == NEAREST) {
		index[0] = wrap(p, (int64_t)nearbyint(at), n);
		weight[0] = 1;
		return 1;
	}
	if (p->mode == BILINEAR) {
		for (int k = 0; k < 2; k++)
			index[k] = wrap(p, (int64_t)base + k, n);
		weight[0] = 1 - t;
		weight[1] = t;
		return 2;
	}
	for (int k = 0; k < 4; k++) {
		double x = fabs(t + 1 - k);
		index[k] = wrap(p, (int64_t)base + k - 1, n);
		weight[k] = x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * a;
	}
	return 4;
}

static ovl_status grid_sample(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0), *g = ovl_work_shape(w, 1);
	int64_t channels = s->dims[1], h = s->dims[2], width = s->dims[3], places = g->dims[1] * g->dims[2];
	bool whole = ovl_type_is_integer(w->run->in[0]->type);
	const double *x, *grid;
	double *y;
	if (g->dims[3] != 2 || g->dims[0] != s->dims[0] || ((h == 0 || width == 0) && ovl_tensor_count(w->run->out[0]) > 0))
		return ovl_work_fail(w, OVL_E_SHAPE, "image and grid do not fit");
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_f64(w, 1, &grid));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	for (int64_t n = 0; n < s->dims[0]; n++)
		for (int64_t at = 0; at < places; at++) {
			const double *where = grid + (n * places + at) * 2;
			int64_t iy[4], ix[4];
			double wy[4], wx[4];
			int ny = taps(p, place(p, where[1], h), h, iy, wy), nx = taps(p, place(p, where[0], width), width, ix, wx);
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t c = 0; c < channels; c++) {
				const double *plane = x + (n * channels + c) * h * width;
				double sum = 0;
				for (int i = 0; i < ny; i++)
					for (int j = 0; j < nx; j++)
						if (iy[i] >= 0 && ix[j] >= 0)
							sum += wy[i] * wx[j] * plane[iy[i] * width + ix[j]];
				y[(n * channels + c) * places + at] = whole ? trunc(sum) : sum;
			}
		}
	return OVL_OK;
}

static ovl_status grid_sample_run(ovl_run *run) { return ovl_work_run(run, grid_sample); }

static const ovl_attr attrs[] = {
	OVL_ATTR_BOOL(params, align_corners, "false"),
	OVL_ATTR_ENUM(params, mode, "bilinear", "bilinear bicubic nearest"),
	OVL_ATTR_ENUM(params, padding_mode, "zeros", "zeros border reflection"),
	OVL_ATTR_END,
};

static const ovl_op grid_sample_v9 = {
	.name = "GridSample",
	.since = 9,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "data grid",
	.params_size = sizeof(params),
	.attrs = attrs,
	.infer = infer,
	.run = grid_sample_run,
};

const ovl_op *const ovl_ops_grid_sample[] = {&grid_sample_v9, NULL};
