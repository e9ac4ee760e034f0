/* non_zero.c - NonZero: the coordinates of all elements that are not zero, one row per dimension. */
#include "base/memory.h"
#include "ops/support_axes.h"
#include "tensor/convert.h"

typedef struct non_zero_params {
	ovl_type output_type;
} non_zero_params;

static ovl_status infer(ovl_infer *in)
{
	const ovl_pshape *data = &in->in_shape[0];
	ovl_type type = ((const non_zero_params *)in->params)->output_type;
	ovl_pshape out = ovl_pshape_rank(2);
	ovl_dim n = ovl_dim_of(1);
	if (type != OVL_I32 && type != OVL_I64)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "output_type is %s, expected i32 or i64", ovl_type_name(type));
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NOT_STRING));
	for (int d = 0; data->ranked && d < data->rank; d++)
		n = ovl_dim_mul(n, data->dims[d]);
	if (data->ranked) {
		out.dims[0] = data->rank > 0 ? ovl_dim_of(data->rank) : (ovl_dim){0, 1};
		out.dims[1] = (ovl_dim){0, n.max};
	}
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

/* A scalar counts as one dimension of one element when it is set, and as none when it is not. */
static ovl_status write(ovl_run *run, const uint8_t *set, int64_t count, int64_t found)
{
	ovl_shape s = run->in[0]->shape, shape = {.rank = 2};
	ovl_type type = ((const non_zero_params *)run->params)->output_type;
	ovl_tensor *out;
	if (s.rank == 0)
		s = (ovl_shape){.rank = found > 0, .dims = {1}};
	shape.dims[0] = s.rank;
	shape.dims[1] = found;
	OVL_TRY(ovl_run_output(run, 0, type, &shape, &out));
	for (int64_t i = 0, at = 0; i < count; i++) {
		if (!set[i])
			continue;
		int64_t rest = i;
		for (int d = s.rank - 1; d >= 0; d--) {
			int64_t c = rest % s.dims[d];
			rest /= s.dims[d];
			if (type == OVL_I64)
				((int64_t *)out->data)[d * found + at] = c;
			else
				((int32_t *)out->data)[d * found + at] = (int32_t)c;
		}
		at++;
	}
	return OVL_OK;
}

static ovl_status non_zero_run(ovl_run *run)
{
	const ovl_tensor *x = run->in[0];
	int64_t count = ovl_tensor_count(x), found = 0;
	uint8_t *set = (uint8_t *)ovl_alloc((size_t)count + 1);
	if (!set)
		return ovl_fail(run->err, OVL_E_MEMORY, "%s: out of memory", run->op->name);
	ovl_convert(x->type, x->data, 0, OVL_BOOLEAN, set, 0, count, true);
	for (int64_t i = 0; i < count; i++)
		found += set[i];
	ovl_status status = write(run, set, count, found);
	ovl_free(set);
	return status;
}

static const ovl_attr attrs[] = {OVL_ATTR_TYPE(non_zero_params, output_type, "i64"), OVL_ATTR_END};
static const ovl_op non_zero = {.name = "NonZero", .since = 3, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data", .params_size = sizeof(non_zero_params),
	.attrs = attrs, .flags = OVL_OP_LATE, .infer = infer, .run = non_zero_run};

const ovl_op *const ovl_ops_non_zero[] = {&non_zero, NULL};
