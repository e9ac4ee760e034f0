/* AvgPool. */
#include "ops/support_pool.h"
#include "ops/support_work.h"

/* The input entries of window o in one dimension. */
typedef struct stretch {
	int64_t from, to;
} stretch;

static stretch stretch_of(const ovl_conv_geometry *g, int d, int64_t o)
{
	int64_t from = o * g->stride[d] - g->pad_begin[d], to = from + g->kernel[d];
	stretch s;
	s.from = from > 0 ? from : 0;
	s.to = to < g->in[d] ? to : g->in[d];
	s.to = s.to > s.from ? s.to : s.from;
	return s;
}

static double mean_f(double sum, int64_t n) { return sum / (double)n; }

static int64_t mean_i(uint64_t sum, int64_t n) { return (int64_t)nearbyint((double)(int64_t)sum / (double)n); } /* sums wrap */

/* by: what sums are divided by; 0: by the number of entries. */
#define PLANE(NAME, T, SUM, MEAN)                                                                                             \
	static void plane_##NAME(const ovl_conv_geometry *g, int64_t by, const T *x, T *y)                                    \
	{                                                                                                                     \
		for (int64_t oz = 0; oz < g->out[0]; oz++)                                                                    \
			for (int64_t oy = 0; oy < g->out[1]; oy++)                                                            \
				for (int64_t ox = 0; ox < g->out[2]; ox++) {                                                  \
					stretch a = stretch_of(g, 0, oz), b = stretch_of(g, 1, oy), c = stretch_of(g, 2, ox); \
					int64_t n = by > 0 ? by : (a.to - a.from) * (b.to - b.from) * (c.to - c.from);        \
					SUM sum = 0;                                                                          \
					for (int64_t iz = a.from; iz < a.to; iz++)                                            \
						for (int64_t iy = b.from; iy < b.to; iy++)                                    \
							for (int64_t ix = c.from; ix < c.to; ix++)                            \
								sum += (SUM)x[(iz * g->in[1] + iy) * g->in[2] + ix];          \
					*y++ = n > 0 ? (T)MEAN(sum, n) : 0;                                                   \
				}                                                                                             \
	}
PLANE(f32, float, double, mean_f)
PLANE(f64, double, double, mean_f)
PLANE(i64, int64_t, uint64_t, mean_i)

static ovl_status avg_pool(ovl_work *w)
{
	const ovl_pooling_params *p = w->params;
	ovl_type as = ovl_work_type(w->run->in[0]->type);
	int64_t in_size, out_size, by = 0;
	ovl_conv_geometry g;
	const void *x;
	void *y;
	OVL_TRY(ovl_pooling_resolve("AvgPool", p, ovl_work_shape(w, 0), &g, w->err));
	g = ovl_conv_as_3d(&g);
	if (ovl_pooling_by_kernel(p, &g))
		by = g.kernel[0] * g.kernel[1] * g.kernel[2];
	in_size = g.in[0] * g.in[1] * g.in[2];
	out_size = g.out[0] * g.out[1] * g.out[2];
	OVL_TRY(ovl_work_read(w, w->run->in[0], as, &x));
	OVL_TRY(ovl_work_out(w, 0, as, &y));
	for (int64_t plane = 0; out_size > 0 && plane < g.batch * g.in_channels; plane++) {
		OVL_RUN_CHECK_CANCEL(w->run);
		if (as == OVL_F32)
			plane_f32(&g, by, (const float *)x + plane * in_size, (float *)y + plane * out_size);
		else if (as == OVL_F64)
			plane_f64(&g, by, (const double *)x + plane * in_size, (double *)y + plane * out_size);
		else
			plane_i64(&g, by, (const int64_t *)x + plane * in_size, (int64_t *)y + plane * out_size);
	}
	return OVL_OK;
}

static ovl_status avg_pool_run(ovl_run *run) { return ovl_work_run(run, avg_pool); }

#define ATTRS(roundings)                                                                                                    \
	OVL_ATTR_INTS(ovl_pooling_params, strides, NULL), OVL_ATTR_INTS(ovl_pooling_params, pads_begin, OVL_OPTIONAL),      \
		OVL_ATTR_INTS(ovl_pooling_params, pads_end, OVL_OPTIONAL), OVL_ATTR_INTS(ovl_pooling_params, kernel, NULL), \
		OVL_ATTR_AS("exclude-pad", OVL_KIND_BOOL, ovl_pooling_params, exclude_pad, "false", NULL),                  \
		OVL_ATTR_ENUM(ovl_pooling_params, rounding_type, "floor", roundings),                                       \
		OVL_ATTR_ENUM(ovl_pooling_params, auto_pad, "explicit", OVL_AUTO_PAD_CHOICES), OVL_ATTR_END

static const ovl_attr attrs_v1[] = {ATTRS("floor ceil")};
static const ovl_attr attrs_v14[] = {ATTRS("floor ceil ceil_torch")};

static const ovl_op avg_pool_v1 = {
	.name = "AvgPool",
	.since = 1,
	.until = 13,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "data",
	.params_size = sizeof(ovl_pooling_params),
	.attrs = attrs_v1,
	.infer = ovl_pooling_infer,
	.run = avg_pool_run,
};

static const ovl_op avg_pool_v14 = {
	.name = "AvgPool",
	.since = 14,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "data",
	.params_size = sizeof(ovl_pooling_params),
	.attrs = attrs_v14,
	.infer = ovl_pooling_infer,
	.run = avg_pool_run,
};

const ovl_op *const ovl_ops_avg_pool[] = {&avg_pool_v1, &avg_pool_v14, NULL};
