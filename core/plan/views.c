/* Operators that move nothing: their output is another view of the input's memory. */
#include "plan/build.h"

#include <string.h>

/* Both shapes are cut into runs with equal products; inside a run of the old shape the memory must be evenly spaced, and the new dimensions get strides inside it. */
bool ovl_reshape_strides(const ovl_desc *from, int rank, const int64_t *dims, int64_t *strides)
{
	int i = 0, k = 0;
	ovl_desc f = {.rank = 0}; /* without dimensions of size 1 */
	for (int d = 0; d < from->rank; d++)
		if (from->dims[d] != 1) {
			f.dims[f.rank] = from->dims[d];
			f.strides[f.rank++] = from->strides[d];
		}
	for (int d = 0; d < rank; d++) {
		strides[d] = 1;
		if (dims[d] == 0)
			return false;
	}
	while (i < f.rank) {
		int i1 = i + 1, k1 = k;
		int64_t old = f.dims[i], new = 1;
		while (k1 < rank && new < old)
			new *= dims[k1++];
		while (new != old) {
			if (new < old) {
				if (k1 >= rank)
					return false;
				new *= dims[k1++];
			} else {
				if (i1 >= f.rank)
					return false;
				if (f.strides[i1 - 1] != f.strides[i1] * f.dims[i1])
					return false;
				old *= f.dims[i1++];
			}
		}
		for (int64_t step = f.strides[i1 - 1], d = k1 - 1; d >= k; d--) {
			strides[d] = step;
			step *= dims[d];
		}
		i = i1;
		k = k1;
	}
	return true;
}

static int input_value(const ovl_build *b, const ovl_node *n, int i)
{
	ovl_end src = n->in.at[i];
	return b->node_values[src.node->index][src.port];
}

static ovl_status view_on(ovl_build *b, const ovl_node *n, int port, int value, size_t extra, const ovl_desc *desc)
{
	const ovl_value_ref v = b->plan->values.at[value];
	int out = ovl_build_value(b, v.slot, v.offset + extra, desc, false);
	if (out < 0)
		return ovl_fail(b->err, OVL_E_MEMORY, "not enough memory for a plan");
	b->plan->values.at[out].half = v.half;
	b->plan->values.at[out].desc.type = v.half ? OVL_BF16 : desc->type;
	b->viewed.at[value]++;
	b->node_values[n->index][port] = out;
	return OVL_OK;
}

static ovl_desc output_desc(const ovl_node *n, int port)
{
	ovl_shape s = {0};
	ovl_pshape_to_shape(&n->out.at[port].shape, &s);
	return ovl_desc_dense(n->out.at[port].type, s.rank, s.dims);
}

static ovl_status view_reshape(ovl_build *b, const ovl_node *n)
{
	int v = input_value(b, n, 0);
	ovl_desc out = output_desc(n, 0), in = b->plan->values.at[v].desc;
	if (ovl_desc_is_dense(&in))
		return view_on(b, n, 0, v, 0, &out);
	if (!ovl_reshape_strides(&in, out.rank, out.dims, out.strides)) {
		OVL_TRY(ovl_build_form(b, v, OVL_FORM_DENSE, &v));
		out = output_desc(n, 0);
	}
	return view_on(b, n, 0, v, 0, &out);
}

static ovl_status view_transpose(ovl_build *b, const ovl_node *n, bool *done)
{
	int v = input_value(b, n, 0);
	ovl_desc in = b->plan->values.at[v].desc, out = output_desc(n, 0);
	ovl_tensor *order = ovl_node_value(n->in.at[1]);
	if (!order)
		return OVL_OK;
	for (int i = 0; i < out.rank; i++) {
		int64_t from = ovl_tensor_count(order) == 0 ? out.rank - 1 - i : ovl_tensor_i64_at(order, i);
		if (from < 0 || from >= in.rank)
			return OVL_OK;
		out.strides[i] = in.strides[from];
	}
	*done = true;
	return view_on(b, n, 0, v, 0, &out);
}

/* Parts along one axis, one after the other. */
static ovl_status view_split(ovl_build *b, const ovl_node *n, bool *done)
{
	int v = input_value(b, n, 0), axis;
	ovl_desc in = b->plan->values.at[v].desc;
	ovl_tensor *axis_value = ovl_node_value(n->in.at[1]);
	int64_t at = 0;
	if (!axis_value || ovl_tensor_count(axis_value) != 1)
		return OVL_OK;
	OVL_TRY(ovl_axis(ovl_tensor_i64_at(axis_value, 0), in.rank, "axis", &axis, b->err));
	for (size_t i = 0; i < n->out.n; i++) {
		ovl_desc out = output_desc(n, (int)i);
		memcpy(out.strides, in.strides, sizeof out.strides);
		OVL_TRY(view_on(b, n, (int)i, v, (size_t)(at * in.strides[axis]) * ovl_type_size(in.type), &out));
		at += out.dims[axis];
	}
	*done = true;
	return OVL_OK;
}

static ovl_status view_slice(ovl_build *b, const ovl_node *n, bool *done)
{
	int v = input_value(b, n, 0);
	ovl_desc in = b->plan->values.at[v].desc, out = output_desc(n, 0);
	ovl_tensor *start = ovl_node_value(n->in.at[1]), *step = ovl_node_value(n->in.at[3]), *axes = n->in.n > 4 ? ovl_node_value(n->in.at[4]) : NULL;
	size_t extra = 0;
	if (!start || !step || (n->in.n > 4 && !axes) || ovl_desc_count(&out) == 0)
		return OVL_OK;
	memcpy(out.strides, in.strides, sizeof out.strides);
	for (int64_t i = 0; i < ovl_tensor_count(start); i++) {
		int axis;
		int64_t first = ovl_tensor_i64_at(start, i), by = ovl_tensor_i64_at(step, i);
		OVL_TRY(ovl_axis(axes ? ovl_tensor_i64_at(axes, i) : i, in.rank, "axes", &axis, b->err));
		if (by <= 0)
			return OVL_OK;
		if (first < 0)
			first += in.dims[axis];
		first = first < 0 ? 0 : first >= in.dims[axis] ? in.dims[axis] - 1 : first;
		if (first + (out.dims[axis] - 1) * by >= in.dims[axis])
			return OVL_OK;
		extra += (size_t)(first * in.strides[axis]) * ovl_type_size(in.type);
		out.strides[axis] = in.strides[axis] * by;
	}
	*done = true;
	return view_on(b, n, 0, v, extra, &out);
}

static bool mask_at(const ovl_node *n, const char *name, int i)
{
	const ovl_attr *a = ovl_attrs_find(n->op->attrs, name);
	ovl_attr_value v;
	ovl_error ignored;
	if (!a || ovl_attr_get(a, n->params, &v, &ignored) != OVL_OK)
		return false;
	return (size_t)i < v.n && v.ints[i] != 0;
}

static ovl_status view_strided_slice(ovl_build *b, const ovl_node *n, bool *done)
{
	int v = input_value(b, n, 0), count, at = 0;
	ovl_desc in = b->plan->values.at[v].desc, out = output_desc(n, 0);
	ovl_tensor *begin = ovl_node_value(n->in.at[1]), *strides = n->in.n > 3 ? ovl_node_value(n->in.at[3]) : NULL;
	size_t extra = 0;
	if (!begin || (n->in.n > 3 && !strides) || ovl_desc_count(&out) == 0)
		return OVL_OK;
	count = (int)ovl_tensor_count(begin);
	for (int i = 0; i < in.rank; i++) {
		int64_t first = i < count && !mask_at(n, "begin_mask", i) ? ovl_tensor_i64_at(begin, i) : 0;
		int64_t by = i < count && strides ? ovl_tensor_i64_at(strides, i) : 1;
		bool shrink = i < count && mask_at(n, "shrink_axis_mask", i);
		if (mask_at(n, "new_axis_mask", i) || mask_at(n, "ellipsis_mask", i) || by <= 0)
			return OVL_OK;
		if (first < 0)
			first += in.dims[i];
		first = first < 0 ? 0 : first >= in.dims[i] ? in.dims[i] - 1 : first;
		extra += (size_t)(first * in.strides[i]) * ovl_type_size(in.type);
		if (shrink)
			continue;
		if (at >= out.rank || first + (out.dims[at] - 1) * by >= in.dims[i])
			return OVL_OK;
		out.strides[at++] = in.strides[i] * by;
	}
	if (at != out.rank)
		return OVL_OK;
	*done = true;
	return view_on(b, n, 0, v, extra, &out);
}

static ovl_status view_broadcast(ovl_build *b, const ovl_node *n, bool *done)
{
	int v = input_value(b, n, 0);
	ovl_desc in = b->plan->values.at[v].desc, out = output_desc(n, 0);
	if (n->in.n > 2 || ovl_desc_count(&out) == 0 || !ovl_desc_broadcast_strides(&in, &out, out.strides))
		return OVL_OK;
	*done = true;
	return view_on(b, n, 0, v, 0, &out);
}

static bool is_one_of(const ovl_node *n, const char *const *names)
{
	for (; *names; names++)
		if (ovl_node_is(n, *names))
			return true;
	return false;
}

ovl_status ovl_build_view(ovl_build *b, const ovl_node *n, bool *done)
{
	static const char *const same_order[] = {"Reshape", "Squeeze", "Unsqueeze", "Identity", "Flatten", NULL};
	static const char *const converts[] = {"Convert", "ConvertLike", NULL};
	const ovl_value_ref *v;
	*done = false;
	if (n->in.n == 0 || !n->in.at[0].node || input_value(b, n, 0) < 0)
		return OVL_OK;
	v = &b->plan->values.at[input_value(b, n, 0)];
	if (v->late)
		return OVL_OK;
	if (is_one_of(n, same_order) || (is_one_of(n, converts) && !v->half && v->desc.type == n->out.at[0].type)) {
		*done = true;
		return view_reshape(b, n);
	}
	if (ovl_type_size(v->desc.type) == 0 || ovl_type_owns(v->desc.type))
		return OVL_OK;
	if (ovl_node_is(n, "Transpose"))
		return view_transpose(b, n, done);
	if (ovl_node_is(n, "Split") || ovl_node_is(n, "VariadicSplit"))
		return view_split(b, n, done);
	if (ovl_node_is(n, "Slice"))
		return view_slice(b, n, done);
	if (ovl_node_is(n, "StridedSlice"))
		return view_strided_slice(b, n, done);
	if (ovl_node_is(n, "Broadcast"))
		return view_broadcast(b, n, done);
	return OVL_OK;
}
