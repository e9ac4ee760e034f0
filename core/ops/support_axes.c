#include "ops/support_axes.h"
#include "base/memory.h"
#include "tensor/convert.h"

ovl_status ovl_infer_push(ovl_infer *in, ovl_pshape *p, ovl_dim d)
{
	if (p->rank >= OVL_MAX_RANK)
		return ovl_infer_fail(in, OVL_E_UNSUPPORTED, "the output would have more than %d dimensions", OVL_MAX_RANK);
	p->dims[p->rank++] = d;
	return OVL_OK;
}

ovl_status ovl_infer_open(ovl_infer *in, int64_t rank, ovl_pshape *out)
{
	if (rank < 0)
		return ovl_infer_fail(in, OVL_E_SHAPE, "the output would have rank %lld", (long long)rank);
	if (rank > OVL_MAX_RANK)
		return ovl_infer_fail(in, OVL_E_UNSUPPORTED, "the output would have %lld dimensions, at most %d are possible", (long long)rank, OVL_MAX_RANK);
	*out = ovl_pshape_rank((int)rank);
	return OVL_OK;
}

ovl_status ovl_infer_scalar(ovl_infer *in, int i, bool *known, int64_t *value)
{
	const ovl_pshape *s = &in->in_shape[i];
	*known = false;
	if (s->ranked && (s->rank > 1 || (s->rank == 1 && (s->dims[0].min > 1 || s->dims[0].max < 1))))
		return ovl_infer_fail(in, OVL_E_SHAPE, "input %d must be a scalar", i);
	if (!in->in_value[i])
		return OVL_OK;
	if (ovl_tensor_count(in->in_value[i]) != 1)
		return ovl_infer_fail(in, OVL_E_SHAPE, "input %d must have one element", i);
	*known = true;
	*value = ovl_tensor_i64_at(in->in_value[i], 0);
	return OVL_OK;
}

ovl_status ovl_infer_axis(ovl_infer *in, int i, int rank, bool *known, int *axis)
{
	int64_t value;
	OVL_TRY(ovl_infer_scalar(in, i, known, &value));
	return *known ? ovl_axis(value, rank, in->op->name, axis, in->err) : OVL_OK;
}

ovl_status ovl_infer_length(ovl_infer *in, int i, ovl_dim *length)
{
	const ovl_pshape *s = &in->in_shape[i];
	*length = OVL_DIM_ANY;
	if (!s->ranked)
		return OVL_OK;
	if (s->rank > 1)
		return ovl_infer_fail(in, OVL_E_SHAPE, "input %d must have rank 0 or 1, got %d", i, s->rank);
	*length = s->rank == 0 ? ovl_dim_of(1) : s->dims[0];
	return OVL_OK;
}

ovl_status ovl_infer_input_types(ovl_infer *in, int first, int count, ovl_type *out)
{
	*out = OVL_DYNAMIC;
	for (int i = first; i < first + count && i < in->n_in; i++) {
		ovl_type t = in->in_type[i];
		if (t == OVL_DYNAMIC)
			continue;
		if (*out != OVL_DYNAMIC && *out != t)
			return ovl_infer_fail(in, OVL_E_TYPE, "inputs must have one element type, got %s and %s", ovl_type_name(*out), ovl_type_name(t));
		*out = t;
	}
	return OVL_OK;
}

ovl_status ovl_run_ints(ovl_run *run, int i, int64_t *values, int64_t max, int64_t *count)
{
	ovl_status status = ovl_tensor_to_i64(run->in[i], values, max, count, run->err);
	return status == OVL_OK ? OVL_OK : ovl_error_prefix(run->err, "%s: input %d", run->op->name, i);
}

ovl_status ovl_run_scalar(ovl_run *run, int i, int64_t *value)
{
	if (ovl_tensor_count(run->in[i]) != 1)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: input %d must have one element", run->op->name, i);
	*value = ovl_tensor_i64_at(run->in[i], 0);
	return OVL_OK;
}

ovl_status ovl_run_axes(ovl_run *run, int i, int rank, int *axes, int *count)
{
	int64_t values[OVL_MAX_RANK], n;
	bool seen[OVL_MAX_RANK] = {false};
	*count = 0;
	OVL_TRY(ovl_run_ints(run, i, values, OVL_MAX_RANK, &n));
	for (int64_t k = 0; k < n; k++) {
		int axis;
		OVL_TRY(ovl_axis(values[k], rank, run->op->name, &axis, run->err));
		if (seen[axis])
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: axis %d occurs twice", run->op->name, axis);
		seen[axis] = true;
		axes[(*count)++] = axis;
	}
	return OVL_OK;
}

ovl_status ovl_run_axis(ovl_run *run, int i, int rank, int *axis)
{
	int64_t value;
	OVL_TRY(ovl_run_scalar(run, i, &value));
	return ovl_axis(value, rank, run->op->name, axis, run->err);
}

ovl_status ovl_run_indices(ovl_run *run, int i, int64_t **out)
{
	const ovl_tensor *t = run->in[i];
	int64_t n = ovl_tensor_count(t);
	size_t bytes;
	*out = NULL;
	if (t->type == OVL_STRING)
		return ovl_fail(run->err, OVL_E_TYPE, "%s: input %d holds strings where whole numbers are wanted", run->op->name, i);
	if (!ovl_mul_ok((size_t)n + 1, sizeof **out, &bytes) || !(*out = (int64_t *)ovl_alloc(bytes)))
		return ovl_fail(run->err, OVL_E_MEMORY, "%s: out of memory", run->op->name);
	ovl_convert(t->type, t->data, 0, OVL_I64, *out, 0, n, false);
	return OVL_OK;
}

int64_t ovl_find_between(const ovl_tensor *t, int64_t low, int64_t high)
{
	enum { BLOCK = 512 };
	int64_t b[BLOCK], count = ovl_tensor_count(t);
	for (int64_t i = 0; i < count; i += BLOCK) {
		int64_t n = count - i < BLOCK ? count - i : BLOCK;
		ovl_convert(t->type, t->data, i, OVL_I64, b, 0, n, false);
		for (int64_t k = 0; k < n; k++)
			if (b[k] >= low && b[k] <= high)
				return i + k;
	}
	return -1;
}

int64_t ovl_dims_product(const ovl_shape *s, int first, int last)
{
	int64_t n = 1;
	for (int d = first; d < last; d++)
		n *= s->dims[d];
	return n;
}
