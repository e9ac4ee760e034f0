#include "ops/support_pool.h"

ovl_status ovl_pooling_infer(ovl_infer *in)
{
	const ovl_pooling_params *p = in->params;
	const ovl_pshape *data = &in->in_shape[0];
	int spatial = (int)p->kernel.n;
	ovl_pshape out;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC));
	if (spatial < 1 || spatial > OVL_MAX_SPATIAL)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "the kernel has %d dimensions, expected 1 to %d", spatial, OVL_MAX_SPATIAL);
	OVL_TRY(ovl_infer_rank(in, 0, spatial + 2, spatial + 2));
	out = data->ranked ? *data : ovl_pshape_rank(spatial + 2);
	for (int i = 0; i < spatial; i++) {
		ovl_window w;
		OVL_TRY(ovl_window_get(in->op->name, &p->strides, &p->dilations, &p->pads_begin, &p->pads_end, spatial, i, &w, in->err));
		w.kernel = p->kernel.at[i];
		if (data->ranked)
			OVL_TRY(ovl_window_dim(&w, p->auto_pad, out.dims[2 + i], p->rounding_type, &out.dims[2 + i], in->op->name, in->err));
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}
