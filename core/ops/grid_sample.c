/* GridSample: reads an image, or a volume, at places given by a grid of coordinates from -1 to 1. A place's coordinates are in reverse: width first. */
#include "ops/support_grid.h"
#include "ops/support_work.h"

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *x = &in->in_shape[0], *g = &in->in_shape[1];
	int rank = x->ranked ? x->rank : g->ranked ? g->rank : 4;
	ovl_pshape out = x->ranked || g->ranked ? ovl_pshape_rank(rank) : ovl_pshape_any();
	OVL_TRY(ovl_infer_rank(in, 0, 4, 5));
	OVL_TRY(ovl_infer_rank(in, 1, rank, x->ranked ? rank : 5));
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NUMERIC));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_FLOAT));
	if (x->ranked)
		memcpy(out.dims, x->dims, 2 * sizeof *x->dims);
	if (g->ranked) {
		memcpy(&out.dims[2], &g->dims[1], (size_t)(rank - 2) * sizeof *g->dims);
		if (!ovl_dim_merge(out.dims[0], g->dims[0], &out.dims[0]) || g->dims[rank - 1].min > rank - 2 || g->dims[rank - 1].max < rank - 2)
			return ovl_infer_fail(in, OVL_E_SHAPE, "the grid must be [batch, %sheight, width, %d]", rank == 5 ? "depth, " : "", rank - 2);
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static double read_at(const ovl_grid_reach *r, const double *x, const int64_t *size)
{
	double sum = 0;
	for (int i = 0; i < r->n[0]; i++)
		for (int j = 0; j < r->n[1]; j++)
			for (int k = 0; k < r->n[2]; k++) {
				int64_t z = r->index[0][i], y = r->index[1][j], at = r->index[2][k];
				if (z >= 0 && y >= 0 && at >= 0)
					sum += r->weight[0][i] * r->weight[1][j] * r->weight[2][k] * x[(z * size[1] + y) * size[2] + at];
			}
	return sum;
}

static ovl_status grid_sample(ovl_work *w)
{
	const ovl_grid_params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0), *g = ovl_work_shape(w, 1);
	int spatial = s->rank - 2;
	int64_t channels = s->dims[1], places = ovl_span(g, 1, g->rank - 1), size[3] = {1, 1, 1}, plane = ovl_span(s, 2, s->rank);
	bool whole = ovl_type_is_integer(w->run->in[0]->type);
	const double *x, *grid;
	double *y;
	if (g->rank != s->rank || g->dims[g->rank - 1] != spatial || g->dims[0] != s->dims[0] || (plane == 0 && ovl_tensor_count(w->run->out[0]) > 0))
		return ovl_work_fail(w, OVL_E_SHAPE, "image and grid do not fit");
	memcpy(&size[3 - spatial], &s->dims[2], (size_t)spatial * sizeof *size);
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_f64(w, 1, &grid));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	for (int64_t n = 0; n < s->dims[0]; n++)
		for (int64_t at = 0; at < places; at++) {
			ovl_grid_reach r;
			ovl_grid_reach_of(p, grid + (n * places + at) * spatial, size, spatial, &r);
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t c = 0; c < channels; c++) {
				double sum = read_at(&r, x + (n * channels + c) * plane, size);
				y[(n * channels + c) * places + at] = whole ? trunc(sum) : sum;
			}
		}
	return OVL_OK;
}

static ovl_status grid_sample_run(ovl_run *run) { return ovl_work_run(run, grid_sample); }

static const ovl_attr attrs[] = {
	OVL_ATTR_BOOL(ovl_grid_params, align_corners, "false"),
	OVL_ATTR_ENUM(ovl_grid_params, mode, "bilinear", "bilinear bicubic nearest"),
	OVL_ATTR_ENUM(ovl_grid_params, padding_mode, "zeros", "zeros border reflection"),
	OVL_ATTR_END,
};

static const ovl_op grid_sample_v9 = {
	.name = "GridSample",
	.since = 9,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "data grid",
	.params_size = sizeof(ovl_grid_params),
	.attrs = attrs,
	.infer = infer,
	.run = grid_sample_run,
};

const ovl_op *const ovl_ops_grid_sample[] = {&grid_sample_v9, NULL};
