/* tile.c - Tile: the data repeated along its dimensions. */
#include "ops/support_axes.h"
#include "ops/support_move.h"

enum { LIST = OVL_MAX_RANK * 2 };

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *data = &in->in_shape[0];
	ovl_pshape out = ovl_pshape_any();
	int64_t repeats[LIST];
	bool known;
	int n = 0;
	ovl_dim length;
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE | OVL_MASK(OVL_BOOLEAN)));
	OVL_TRY(ovl_infer_length(in, 1, &length));
	OVL_TRY(ovl_infer_ints(in, 1, &known, repeats, LIST, &n));
	if (known)
		length = ovl_dim_of(n);
	if (data->ranked && (known || (in->in_shape[1].ranked && ovl_dim_static(length)))) {
		int64_t rank = length.min > data->rank ? length.min : data->rank;
		OVL_TRY(ovl_infer_open(in, rank, &out));
		for (int d = 0; known && d < rank; d++) {
			int from = d - (int)(rank - data->rank), by = d - (int)(rank - n);
			ovl_dim size = from < 0 ? ovl_dim_of(1) : data->dims[from];
			int64_t times = by < 0 ? 1 : repeats[by] < 0 ? 0 : repeats[by];
			out.dims[d] = ovl_dim_mul(size, ovl_dim_of(times));
			if (out.dims[d].min == OVL_DIM_MAX)
				return ovl_infer_fail(in, OVL_E_SHAPE, "dimension %d would be too large", d);
		}
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* Row by row of the output: which row of the data it is follows from its position. */
static ovl_status tile_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, tile_run);
	const ovl_tensor *x = run->in[0];
	ovl_tensor *y = run->out[0];
	int rank = y->shape.rank, lead = rank - x->shape.rank;
	int64_t at[OVL_MAX_RANK] = {0}, strides[OVL_MAX_RANK], total = ovl_tensor_count(y);
	if (total == 0)
		return OVL_OK;
	if (rank == 0)
		return ovl_move_row(run, y, 0, x, 0, 1);
	ovl_dense_strides(&x->shape, strides);
	int64_t row = y->shape.dims[rank - 1], size = x->shape.rank ? x->shape.dims[x->shape.rank - 1] : 1;
	for (int64_t to = 0; to < total; to += row) {
		int64_t from = 0;
		for (int d = lead > 0 ? lead : 0; d < rank - 1; d++)
			from += at[d] % x->shape.dims[d - lead] * strides[d - lead];
		if (size == 1) {
			ovl_place source = {.tensor = run->in[0], .at = from}, target = {.tensor = y, .at = to, .strides = {1}};
			OVL_TRY(ovl_move(run, &target, &source, &(ovl_shape){.rank = 1, .dims = {row}}));
		} else
			for (int64_t i = 0; i < row; i += size)
				OVL_TRY(ovl_move_row(run, y, to + i, x, from, size));
		for (int d = rank - 2; d >= 0 && ++at[d] == y->shape.dims[d]; d--)
			at[d] = 0;
	}
	return OVL_OK;
}

static const ovl_op tile = {.name = "Tile", .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "data repeats", .infer = infer, .run = tile_run};

const ovl_op *const ovl_ops_tile[] = {&tile, NULL};
