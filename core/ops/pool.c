/* MaxPool and AvgPool are made from this family: see max_pool.c, avg_pool.c. */
#include "ops/pool.h"

ovl_status ovl_pooling_resolve(const char *op, const ovl_pooling_params *p, const ovl_shape *data, ovl_conv_geometry *out, ovl_error *err)
{
	ovl_conv_geometry g = {.spatial = data->rank - 2, .groups = 1};
	char a[200];
	if (g.spatial < 1 || g.spatial > OVL_MAX_SPATIAL || p->kernel.n != (size_t)g.spatial)
		return ovl_fail(err, OVL_E_SHAPE, "%s: data %s and a kernel of %zu dimensions do not fit", op, ovl_shape_text(data, a, sizeof a),
			p->kernel.n);
	g.batch = data->dims[0];
	g.in_channels = g.out_channels = data->dims[1];
	for (int i = 0; i < g.spatial; i++) {
		ovl_window w;
		OVL_TRY(ovl_window_get(op, &p->strides, &p->dilations, &p->pads_begin, &p->pads_end, g.spatial, i, &w, err));
		w.kernel = p->kernel.at[i];
		g.in[i] = data->dims[2 + i];
		OVL_TRY(ovl_window_resolve(&w, p->auto_pad, g.in[i], p->rounding_type, &g.out[i], op, err));
		g.kernel[i] = w.kernel;
		g.stride[i] = w.stride;
		g.dilation[i] = w.dilation;
		g.pad_begin[i] = w.pad_begin;
		g.pad_end[i] = w.pad_end;
	}
	*out = g;
	return OVL_OK;
}

bool ovl_pooling_by_kernel(const ovl_pooling_params *p, const ovl_conv_geometry *g)
{
	for (int i = 0; i < g->spatial; i++)
		if (g->pad_begin[i] || g->pad_end[i])
			return !p->exclude_pad;
	return false;
}
