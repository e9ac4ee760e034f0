/* rows.c - a tensor seen as rows along one of its dimensions, and its numbers as keys. */
#include "tensor/rows.h"
#include "tensor/convert.h"

ovl_status ovl_rows_numbers(const ovl_tensor *t, const char *what, ovl_error *err)
{
	if (ovl_type_owns(t->type) || t->type == OVL_DYNAMIC)
		return ovl_fail(err, OVL_E_TYPE, "%s needs a tensor of numbers, got one of type %s", what, ovl_type_name(t->type));
	return OVL_OK;
}

ovl_tensor ovl_rows_look(const ovl_tensor *t, const ovl_shape *shape, const int64_t *strides, int64_t offset)
{
	ovl_tensor view = {.refs = 1, .type = t->type, .shape = *shape, .buffer = t->buffer};
	view.data = (char *)t->data + offset * (int64_t)ovl_type_size(t->type);
	memcpy(view.strides, strides, (size_t)shape->rank * sizeof *strides);
	return view;
}

ovl_status ovl_rows_along(const ovl_tensor *t, int d, ovl_type type, bool fresh, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = t->shape;
	int64_t strides[OVL_MAX_RANK];
	ovl_tensor *view;
	ovl_status s;
	if (ovl_type_packed(t->type)) {
		ovl_tensor *bytes;
		OVL_TRY(ovl_tensor_astype(t, t->type == OVL_F4E2M1 ? OVL_F32 : ovl_type_is_signed(t->type) ? OVL_I8 : OVL_U8, &bytes, err));
		s = ovl_rows_along(bytes, d, type, fresh, out, err);
		ovl_tensor_release(bytes);
		return s;
	}
	if (type == OVL_DYNAMIC)
		type = t->type;
	memcpy(strides, t->strides, sizeof strides);
	for (int i = d; i < shape.rank - 1; i++) {
		shape.dims[i] = t->shape.dims[i + 1];
		strides[i] = t->strides[i + 1];
	}
	shape.dims[shape.rank - 1] = t->shape.dims[d];
	strides[shape.rank - 1] = t->strides[d];
	OVL_TRY(ovl_tensor_view((ovl_tensor *)(uintptr_t)t, t->type, &shape, strides, t->data, &view, err));
	if (fresh || type != t->type)
		s = ovl_tensor_astype(view, type, out, err);
	else
		s = ovl_tensor_densify(view, out, err);
	ovl_tensor_release(view);
	return s;
}

ovl_tensor ovl_rows_back(const ovl_tensor *rows, int d)
{
	ovl_shape shape = rows->shape;
	int64_t strides[OVL_MAX_RANK];
	memcpy(strides, rows->strides, sizeof strides);
	for (int i = shape.rank - 1; i > d; i--) {
		shape.dims[i] = rows->shape.dims[i - 1];
		strides[i] = rows->strides[i - 1];
	}
	shape.dims[d] = rows->shape.dims[shape.rank - 1];
	strides[d] = rows->strides[shape.rank - 1];
	return ovl_rows_look(rows, &shape, strides, 0);
}

void ovl_rows_keys(const ovl_tensor *rows, int64_t at, int64_t *keys, int64_t n)
{
	if (rows->type == OVL_I64 || rows->type == OVL_U64) {
		memcpy(keys, (const char *)rows->data + at * 8, (size_t)n * 8);
		for (int64_t i = 0; rows->type == OVL_U64 && i < n; i++)
			keys[i] ^= INT64_MIN;
		return;
	}
	ovl_convert(rows->type, rows->data, at, OVL_F64, keys, 0, n, false);
	for (int64_t i = 0; i < n; i++) {
		double v;
		memcpy(&v, keys + i, 8);
		v += 0.0; /* -0 becomes 0 */
		memcpy(keys + i, &v, 8);
		keys[i] = v != v ? INT64_MAX : keys[i] ^ ((keys[i] >> 63) & INT64_MAX);
	}
}

/* ---- the largest of a row ---- */

enum { BLOCK = 512, LANES = 16 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));
typedef int32_t bits __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

/* Whether one of v[0..n) is above `best`, or NaN. */
static bool any_above(const float *v, int64_t n, float best)
{
	bits found = {0};
	int any = 0;
	int64_t i = 0;
	for (; i + LANES <= n; i += LANES) {
		lanes x = *(const lanes *)(v + i);
		found |= ~(x <= best);
	}
	for (; i < n; i++)
		any |= !(v[i] <= best);
	for (int k = 0; k < LANES; k++)
		any |= found[k];
	return any != 0;
}

static int64_t best_f32(const float *v, int64_t n)
{
	int64_t where = 0;
	for (int64_t done = 0; done < n && v[where] == v[where]; done += BLOCK) {
		int64_t m = n - done < BLOCK ? n - done : BLOCK;
		if (!any_above(v + done, m, v[where]))
			continue;
		for (int64_t i = done; i < done + m && v[where] == v[where]; i++)
			if (!(v[i] <= v[where]))
				where = i;
	}
	return where;
}

int64_t ovl_rows_best(const ovl_tensor *rows, int64_t at, int64_t n)
{
	int64_t keys[BLOCK], best = INT64_MIN, where = 0;
	if (rows->type == OVL_F32)
		return best_f32((const float *)rows->data + at, n);
	for (int64_t done = 0; done < n; done += BLOCK) {
		int64_t m = n - done < BLOCK ? n - done : BLOCK;
		ovl_rows_keys(rows, at + done, keys, m);
		for (int64_t i = 0; i < m; i++)
			if (keys[i] > best) {
				best = keys[i];
				where = done + i;
			}
	}
	return where;
}
