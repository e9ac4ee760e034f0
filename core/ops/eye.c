/* eye.c - Eye: a matrix (or a batch of them) with ones on one diagonal. */
#include "ops/support_axes.h"
#include "tensor/convert.h"

typedef struct eye_params {
	ovl_type output_type;
} eye_params;

static ovl_status infer(ovl_infer *in)
{
	ovl_type type = ((const eye_params *)in->params)->output_type;
	ovl_pshape out = ovl_pshape_rank(0);
	int64_t batch[OVL_MAX_RANK * 2], value;
	int n = 0;
	bool known = true;
	ovl_dim length = ovl_dim_of(0);
	for (int i = 0; i < in->n_in; i++)
		OVL_TRY(ovl_infer_type_in(in, i, OVL_MASK_INDEX));
	if (type == OVL_DYNAMIC || type == OVL_STRING)
		return ovl_infer_fail(in, OVL_E_TYPE, "output_type is %s, expected a number", ovl_type_name(type));
	if (in->n_in > 3) {
		OVL_TRY(ovl_infer_length(in, 3, &length));
		OVL_TRY(ovl_infer_ints(in, 3, &known, batch, OVL_MAX_RANK * 2, &n));
	}
	if (!known && !ovl_dim_static(length)) {
		out = ovl_pshape_any();
		ovl_infer_out(in, 0, type, &out);
		return OVL_OK;
	}
	for (int d = 0; d < (known ? n : length.min); d++)
		OVL_TRY(ovl_infer_push(in, &out, known ? ovl_dim_of(batch[d] < 0 ? 0 : batch[d]) : OVL_DIM_ANY));
	for (int i = 0; i < 3; i++) {
		OVL_TRY(ovl_infer_scalar(in, i, &known, &value));
		if (known && i < 2 && value < 0)
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "input %d is %lld, expected 0 or more", i, (long long)value);
		if (i < 2)
			OVL_TRY(ovl_infer_push(in, &out, known ? ovl_dim_of(value) : OVL_DIM_ANY));
	}
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

static ovl_status eye_run(ovl_run *run)
{
	ovl_tensor *out = run->out[0];
	int rank = out->shape.rank;
	int64_t rows = out->shape.dims[rank - 2], columns = out->shape.dims[rank - 1], batch = ovl_dims_product(&out->shape, 0, rank - 2), shift;
	static const double one = 1;
	OVL_TRY(ovl_run_scalar(run, 2, &shift));
	memset(out->data, 0, ovl_tensor_bytes(out));
	if (ovl_tensor_count(out) == 0 || shift >= columns || shift <= -rows)
		return OVL_OK;
	for (int64_t b = 0; b < batch; b++) {
		OVL_RUN_CHECK_CANCEL(run);
		for (int64_t r = shift < 0 ? -shift : 0; r < rows && r + shift < columns; r++)
			ovl_convert(OVL_F64, &one, 0, out->type, out->data, (b * rows + r) * columns + r + shift, 1, true);
	}
	return OVL_OK;
}

static const ovl_attr attrs[] = {OVL_ATTR_TYPE(eye_params, output_type, NULL), OVL_ATTR_END};
static const ovl_op eye = {.name = "Eye", .since = 9, .min_inputs = 3, .max_inputs = 4, .outputs = 1, .inputs = "num_rows num_columns diagonal_index batch_shape",
	.params_size = sizeof(eye_params), .attrs = attrs, .infer = infer, .run = eye_run};

const ovl_op *const ovl_ops_eye[] = {&eye, NULL};
