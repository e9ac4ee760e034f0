/* MaxPool: opset 1 gives the maxima, opset 8 their indices too, opset 14 has another way of rounding sizes up. */
#include "ops/support_pool.h"
#include "ops/support_work.h"

/* What a window gives that lies in the padding alone. */
static double lowest(ovl_type t)
{
	switch (t) {
	case OVL_F16:
		return -65504;
	case OVL_BF16:
		return -0x1.fep127;
	case OVL_F32:
		return -0x1.fffffep127;
	case OVL_F64:
		return -0x1.fffffffffffffp1023;
	default:
		return ovl_type_is_signed(t) ? -ldexp(1, ovl_type_bits(t) - 1) : 0;
	}
}

/* Entries of a window that begins at `start` and lie in [0, n). */
static void inside(const ovl_conv_geometry *g, int d, int64_t start, int64_t *from, int64_t *to)
{
	int64_t step = g->dilation[d], last = g->in[d] - 1 - start;
	*from = start >= 0 ? 0 : (-start + step - 1) / step;
	*to = last < 0 ? 0 : last / step + 1;
	*to = *to < g->kernel[d] ? *to : g->kernel[d];
}

/* One plane; at[] takes positions inside the plane. */
#define PLANE(TYPE, T, W, LOAD, STORE)                                                                                                              \
	static void plane_##TYPE(const ovl_conv_geometry *g, const T *x, T *y, int64_t *at)                                                         \
	{                                                                                                                                           \
		int64_t n = 0;                                                                                                                      \
		for (int64_t oz = 0; oz < g->out[0]; oz++)                                                                                          \
			for (int64_t oy = 0; oy < g->out[1]; oy++)                                                                                  \
				for (int64_t ox = 0; ox < g->out[2]; ox++, n++) {                                                                   \
					int64_t z0 = oz * g->stride[0] - g->pad_begin[0], y0 = oy * g->stride[1] - g->pad_begin[1];                 \
					int64_t x0 = ox * g->stride[2] - g->pad_begin[2], best = -1, az, bz, ay, by, ax, bx;                        \
					W top = (W)lowest(TYPE);                                                                                    \
					inside(g, 0, z0, &az, &bz);                                                                                 \
					inside(g, 1, y0, &ay, &by);                                                                                 \
					inside(g, 2, x0, &ax, &bx);                                                                                 \
					for (int64_t kz = az; kz < bz; kz++)                                                                        \
						for (int64_t ky = ay; ky < by; ky++) {                                                              \
							int64_t row =                                                                               \
								((z0 + kz * g->dilation[0]) * g->in[1] + y0 + ky * g->dilation[1]) * g->in[2] + x0; \
							for (int64_t kx = ax; kx < bx; kx++) {                                                      \
								int64_t i = row + kx * g->dilation[2];                                              \
								if (best < 0 || (W)LOAD(x[i]) > top) {                                              \
									top = (W)LOAD(x[i]);                                                        \
									best = i;                                                                   \
								}                                                                                   \
							}                                                                                           \
						}                                                                                                   \
					y[n] = STORE(top);                                                                                          \
					if (at)                                                                                                     \
						at[n] = best < 0 ? 0 : best;                                                                        \
				}                                                                                                                   \
	}
OVL_EACH_NUMERIC(PLANE)

static ovl_status max_pool(ovl_work *w)
{
	const ovl_pooling_params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	const char *x = w->run->in[0]->data;
	char *y = w->run->out[0]->data;
	int64_t *at = NULL, in_size, out_size, modulo = 1;
	size_t item = ovl_type_size(w->run->in[0]->type);
	ovl_conv_geometry g;
	OVL_TRY(ovl_pooling_resolve("MaxPool", p, s, &g, w->err));
	g = ovl_conv_as_3d(&g);
	in_size = g.in[0] * g.in[1] * g.in[2];
	out_size = g.out[0] * g.out[1] * g.out[2];
	if (w->run->n_out > 1) {
		int axis;
		OVL_TRY(ovl_axis(p->axis, s->rank, "MaxPool", &axis, w->err));
		modulo = ovl_span(s, axis, s->rank);
		modulo = modulo > 0 ? modulo : 1;
		OVL_TRY(ovl_work_out(w, 1, OVL_I64, &at));
	}
	for (int64_t plane = 0; out_size > 0 && plane < g.batch * g.in_channels; plane++) {
		int64_t *place = at ? at + plane * out_size : NULL;
		OVL_RUN_CHECK_CANCEL(w->run);
		switch (w->run->in[0]->type) {
#define CASE(TYPE, T, W, LOAD, STORE)                                                             \
	case TYPE:                                                                                \
		plane_##TYPE(&g, (const T *)(const void *)(x + (size_t)(plane * in_size) * item), \
			(T *)(void *)(y + (size_t)(plane * out_size) * item), place);             \
		break;
			OVL_EACH_NUMERIC(CASE)
#undef CASE
		default:
			return ovl_work_fail(w, OVL_E_TYPE, "type %s is not a number", ovl_type_name(w->run->in[0]->type));
		}
		for (int64_t i = 0; place && i < out_size; i++)
			place[i] = (plane * in_size + place[i]) % modulo;
	}
	return OVL_OK;
}

static ovl_status max_pool_run(ovl_run *run) { return ovl_work_run(run, max_pool); }

static ovl_status infer_v8(ovl_infer *in)
{
	const ovl_pooling_params *p = in->params;
	OVL_TRY(ovl_pooling_infer(in));
	if (p->index_element_type != OVL_I32 && p->index_element_type != OVL_I64)
		return ovl_infer_fail(in, OVL_E_TYPE, "index_element_type is %s, expected i32 or i64", ovl_type_name(p->index_element_type));
	if (in->out_shape[0].ranked) {
		int axis;
		OVL_TRY(ovl_axis(p->axis, in->out_shape[0].rank, "MaxPool", &axis, in->err));
	}
	ovl_infer_out(in, 1, p->index_element_type, &in->out_shape[0]);
	return OVL_OK;
}

static const ovl_attr attrs_v1[] = {
	OVL_ATTR_INTS(ovl_pooling_params, strides, NULL),
	OVL_ATTR_INTS(ovl_pooling_params, pads_begin, OVL_OPTIONAL),
	OVL_ATTR_INTS(ovl_pooling_params, pads_end, OVL_OPTIONAL),
	OVL_ATTR_INTS(ovl_pooling_params, kernel, NULL),
	OVL_ATTR_ENUM(ovl_pooling_params, rounding_type, "floor", "floor ceil"),
	OVL_ATTR_ENUM(ovl_pooling_params, auto_pad, "explicit", OVL_AUTO_PAD_CHOICES),
	OVL_ATTR_END,
};

#define ATTRS_V8(roundings)                                                                                                             \
	OVL_ATTR_INTS(ovl_pooling_params, strides, NULL), OVL_ATTR_INTS(ovl_pooling_params, dilations, OVL_OPTIONAL),                   \
		OVL_ATTR_INTS(ovl_pooling_params, pads_begin, OVL_OPTIONAL), OVL_ATTR_INTS(ovl_pooling_params, pads_end, OVL_OPTIONAL), \
		OVL_ATTR_INTS(ovl_pooling_params, kernel, NULL), OVL_ATTR_ENUM(ovl_pooling_params, rounding_type, "floor", roundings),  \
		OVL_ATTR_ENUM(ovl_pooling_params, auto_pad, "explicit", OVL_AUTO_PAD_CHOICES),                                          \
		OVL_ATTR_TYPE(ovl_pooling_params, index_element_type, "i64"), OVL_ATTR_INT(ovl_pooling_params, axis, "0"), OVL_ATTR_END

static const ovl_attr attrs_v8[] = {ATTRS_V8("floor ceil")};
static const ovl_attr attrs_v14[] = {ATTRS_V8("floor ceil ceil_torch")};

static const ovl_op max_pool_v1 = {
	.name = "MaxPool",
	.since = 1,
	.until = 7,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 1,
	.inputs = "data",
	.params_size = sizeof(ovl_pooling_params),
	.attrs = attrs_v1,
	.infer = ovl_pooling_infer,
	.run = max_pool_run,
};

static const ovl_op max_pool_v8 = {
	.name = "MaxPool",
	.since = 8,
	.until = 13,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 2,
	.inputs = "data",
	.params_size = sizeof(ovl_pooling_params),
	.attrs = attrs_v8,
	.infer = infer_v8,
	.run = max_pool_run,
};

static const ovl_op max_pool_v14 = {
	.name = "MaxPool",
	.since = 14,
	.min_inputs = 1,
	.max_inputs = 1,
	.outputs = 2,
	.inputs = "data",
	.params_size = sizeof(ovl_pooling_params),
	.attrs = attrs_v14,
	.infer = infer_v8,
	.run = max_pool_run,
};

const ovl_op *const ovl_ops_max_pool[] = {&max_pool_v1, &max_pool_v8, &max_pool_v14, NULL};
