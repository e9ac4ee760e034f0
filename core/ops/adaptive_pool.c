/* AdaptiveAvgPool and AdaptiveMaxPool: the input is cut into as many windows as the output asks for. */
#include "ops/support_work.h"

enum { MAX_SPATIAL = 3 };

typedef struct params {
	ovl_type index_element_type;
} params;

static ovl_status infer(ovl_infer *in)
{
	int64_t sizes[OVL_MAX_RANK * 2];
	bool known;
	int n = 0;
	ovl_pshape out = in->in_shape[0];
	OVL_TRY(ovl_infer_rank(in, 0, 3, 5));
	OVL_TRY(ovl_infer_rank(in, 1, 1, 1));
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_INT));
	OVL_TRY(ovl_infer_ints(in, 1, &known, sizes, OVL_MAX_RANK * 2, &n));
	if (!out.ranked && known && n <= MAX_SPATIAL)
		out = ovl_pshape_rank(n + 2);
	if (known && out.rank != n + 2)
		return ovl_infer_fail(in, OVL_E_SHAPE, "%d output sizes are asked for with data of rank %d", n, out.rank);
	for (int i = 2; out.ranked && i < out.rank; i++) {
		if (known && sizes[i - 2] < 0)
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "an output size of %lld is asked for", (long long)sizes[i - 2]);
		out.dims[i] = known ? ovl_dim_of(sizes[i - 2]) : OVL_DIM_ANY;
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	if (in->n_out > 1) {
		const params *p = in->params;
		if (p->index_element_type != OVL_I32 && p->index_element_type != OVL_I64)
			return ovl_infer_fail(in, OVL_E_TYPE, "index_element_type is %s, expected i32 or i64", ovl_type_name(p->index_element_type));
		ovl_infer_out(in, 1, p->index_element_type, &out);
	}
	return OVL_OK;
}

typedef struct grid {
	int64_t planes, in[MAX_SPATIAL], out[MAX_SPATIAL], in_size;
} grid;

static ovl_status grid_of(ovl_work *w, grid *g)
{
	const ovl_shape *x = ovl_work_shape(w, 0), *y = &w->run->out[0]->shape;
	int shift = MAX_SPATIAL + 2 - x->rank;
	g->planes = x->dims[0] * x->dims[1];
	g->in_size = ovl_span(x, 2, x->rank);
	for (int i = 0; i < MAX_SPATIAL; i++) {
		g->in[i] = i < shift ? 1 : x->dims[2 + i - shift];
		g->out[i] = i < shift ? 1 : y->dims[2 + i - shift];
	}
	if (g->in_size == 0 && ovl_tensor_count(w->run->out[0]) > 0)
		return ovl_work_fail(w, OVL_E_SHAPE, "the input is empty");
	return OVL_OK;
}

static int64_t first(const grid *g, int d, int64_t o) { return o * g->in[d] / g->out[d]; }
static int64_t last(const grid *g, int d, int64_t o) { return ((o + 1) * g->in[d] + g->out[d] - 1) / g->out[d]; }

/* visit(window) for every output position, then the plane moves on. */
#define EACH_OUTPUT(g)                                       \
	for (int64_t oz = 0; oz < (g)->out[0]; oz++)         \
		for (int64_t oy = 0; oy < (g)->out[1]; oy++) \
			for (int64_t ox = 0; ox < (g)->out[2]; ox++)
#define EACH_INPUT(g)                                                         \
	for (int64_t iz = first(g, 0, oz); iz < last(g, 0, oz); iz++)         \
		for (int64_t iy = first(g, 1, oy); iy < last(g, 1, oy); iy++) \
			for (int64_t ix = first(g, 2, ox); ix < last(g, 2, ox); ix++)

static ovl_status average(ovl_work *w)
{
	const double *x;
	double *y;
	bool whole = ovl_type_is_integer(w->run->in[0]->type);
	grid g;
	OVL_TRY(grid_of(w, &g));
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	for (int64_t plane = 0; plane < g.planes; plane++, x += g.in_size) {
		OVL_RUN_CHECK_CANCEL(w->run);
		EACH_OUTPUT(&g)
		{
			double sum = 0;
			int64_t n = 0;
			EACH_INPUT(&g)
			{
				sum += x[(iz * g.in[1] + iy) * g.in[2] + ix];
				n++;
			}
			*y++ = whole ? nearbyint(sum / (double)n) : sum / (double)n;
		}
	}
	return OVL_OK;
}

#define PLANE(TYPE, T, W, LOAD, STORE)                                            \
	static void maximum_##TYPE(const grid *g, const T *x, T *y, int64_t *at)  \
	{                                                                         \
		EACH_OUTPUT(g)                                                    \
		{                                                                 \
			int64_t best = -1;                                        \
			EACH_INPUT(g)                                             \
			{                                                         \
				int64_t i = (iz * g->in[1] + iy) * g->in[2] + ix; \
				if (best < 0 || LOAD(x[i]) > LOAD(x[best]))       \
					best = i;                                 \
			}                                                         \
			*y++ = x[best];                                           \
			*at++ = best;                                             \
		}                                                                 \
	}
OVL_EACH_NUMERIC(PLANE)

static ovl_status maximum(ovl_work *w)
{
	const char *x = w->run->in[0]->data;
	char *y = w->run->out[0]->data;
	size_t item = ovl_type_size(w->run->in[0]->type);
	int64_t *at, out_size;
	grid g;
	OVL_TRY(grid_of(w, &g));
	OVL_TRY(ovl_work_out(w, 1, OVL_I64, &at));
	out_size = g.out[0] * g.out[1] * g.out[2];
	for (int64_t plane = 0; out_size > 0 && plane < g.planes; plane++, x += (size_t)g.in_size * item, y += (size_t)out_size * item) {
		OVL_RUN_CHECK_CANCEL(w->run);
		switch (w->run->in[0]->type) {
#define CASE(TYPE, T, W, LOAD, STORE)                                                                  \
	case TYPE:                                                                                     \
		maximum_##TYPE(&g, (const T *)(const void *)x, (T *)(void *)y, at + plane * out_size); \
		break;
			OVL_EACH_NUMERIC(CASE)
#undef CASE
		default:
			return ovl_work_fail(w, OVL_E_TYPE, "type %s is not a number", ovl_type_name(w->run->in[0]->type));
		}
	}
	return OVL_OK;
}

static ovl_status average_run(ovl_run *run) { return ovl_work_run(run, average); }

static ovl_status maximum_run(ovl_run *run) { return ovl_work_run(run, maximum); }

static const ovl_attr maximum_attrs[] = {OVL_ATTR_TYPE(params, index_element_type, "i64"), OVL_ATTR_END};

static const ovl_op adaptive_avg_pool_v8 = {
	.name = "AdaptiveAvgPool",
	.since = 8,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "data output_shape",
	.infer = infer,
	.run = average_run,
};

static const ovl_op adaptive_max_pool_v8 = {
	.name = "AdaptiveMaxPool",
	.since = 8,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 2,
	.inputs = "data output_shape",
	.params_size = sizeof(params),
	.attrs = maximum_attrs,
	.infer = infer,
	.run = maximum_run,
};

const ovl_op *const ovl_ops_adaptive_pool[] = {&adaptive_avg_pool_v8, &adaptive_max_pool_v8, NULL};
