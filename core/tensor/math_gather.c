/* math_gather.c - chosen positions of a dimension. */
#include "tensor/math.h"
#include "tensor/rows.h"
#include "tensor/target.h"
#include <inttypes.h>

static ovl_status check_positions(const int64_t *at, int64_t count, int64_t n, int first, int d, ovl_error *err)
{
	for (int64_t i = 0; i < count; i++)
		if (at[i] < first || at[i] - first >= n)
			return ovl_fail(err, OVL_E_NOT_FOUND,
				"gather: there is no position %" PRId64 " in dimension %d: its positions are %d to %" PRId64, at[i], d + first, first,
				n - 1 + first);
	return OVL_OK;
}

static void copy_blocks(const ovl_tensor *from, const int64_t *at, int64_t count, int64_t n, int first, int64_t outer, size_t block, char *to)
{
	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < count; i++, to += block)
			memcpy(to, (const char *)from->data + (size_t)(o * n + at[i] - first) * block, block);
}

static ovl_status result_shape(const ovl_tensor *t, int d, const ovl_shape *indices, ovl_shape *out, ovl_error *err)
{
	out->rank = 0;
	if (t->shape.rank - 1 + indices->rank > OVL_MAX_RANK)
		return ovl_fail(err, OVL_E_SHAPE, "gather: the result would have %d dimensions, %d are supported", t->shape.rank - 1 + indices->rank,
			OVL_MAX_RANK);
	for (int i = 0; i < d; i++)
		out->dims[out->rank++] = t->shape.dims[i];
	for (int i = 0; i < indices->rank; i++)
		out->dims[out->rank++] = indices->dims[i];
	for (int i = d + 1; i < t->shape.rank; i++)
		out->dims[out->rank++] = t->shape.dims[i];
	return OVL_OK;
}

ovl_status ovl_math_gather(const ovl_tensor *t, int64_t dim, const ovl_tensor *indices, int first, ovl_tensor **out, ovl_error *err)
{
	ovl_tensor *dense = NULL, *at = NULL;
	ovl_target target = {NULL, NULL};
	ovl_shape shape = {0};
	int64_t outer = 1, count = ovl_tensor_count(indices);
	size_t block = ovl_type_size(t->type);
	ovl_status s;
	int d;
	OVL_TRY(ovl_rows_numbers(t, "gather", err));
	if (ovl_type_packed(t->type))
		return ovl_fail(err, OVL_E_TYPE, "gather of a tensor of type %s: convert it first", ovl_type_name(t->type));
	if (!ovl_type_is_integer(indices->type))
		return ovl_fail(err, OVL_E_TYPE, "gather: positions must be integers, got a tensor of type %s", ovl_type_name(indices->type));
	OVL_TRY(ovl_axis(dim, t->shape.rank, "gather", &d, err));
	OVL_TRY(result_shape(t, d, &indices->shape, &shape, err));
	for (int i = 0; i < d; i++)
		outer *= t->shape.dims[i];
	for (int i = d + 1; i < t->shape.rank; i++)
		block *= (size_t)t->shape.dims[i];
	s = ovl_tensor_astype(indices, OVL_I64, &at, err);
	if (!s)
		s = check_positions(at->data, count, t->shape.dims[d], first, d, err);
	if (!s)
		s = ovl_tensor_densify(t, &dense, err);
	if (!s)
		s = ovl_target_open(&target, *out, t->type, &shape, t, true, "gather", err);
	if (!s)
		copy_blocks(dense, at->data, count, t->shape.dims[d], first, outer, block, target.t->data);
	s = ovl_target_close(&target, s, out, err);
	ovl_tensor_release(dense);
	ovl_tensor_release(at);
	return s;
}
