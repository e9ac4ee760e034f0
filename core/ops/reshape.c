/* reshape.c - Reshape: the same elements under another shape. In the pattern -1 is "what is left", and with special_zero 0 is "as in the input". */
#include "ops/support_axes.h"
#include "ops/support_move.h"

typedef struct reshape_params {
	bool special_zero;
} reshape_params;

static int64_t divide_up(int64_t a, int64_t b) { return a == OVL_DIM_MAX ? a : a / b + (a % b != 0); }

/* What is left for -1 when `all` elements are shared by dimensions whose product is `rest`. */
static ovl_status left_over(ovl_infer *in, ovl_dim all, ovl_dim rest, ovl_dim *out)
{
	*out = OVL_DIM_ANY;
	if (ovl_dim_static(rest) && rest.min == 0) {
		if (all.min > 0)
			return ovl_infer_fail(in, OVL_E_SHAPE, "the pattern has a zero, the input has none");
		*out = ovl_dim_of(1); /* any number would do */
		return OVL_OK;
	}
	if (ovl_dim_static(rest) && ovl_dim_static(all) && all.min % rest.min)
		return ovl_infer_fail(in, OVL_E_SHAPE, "%lld elements cannot be shared out by %lld", (long long)all.min, (long long)rest.min);
	out->min = rest.max == OVL_DIM_MAX ? 0 : divide_up(all.min, rest.max > 0 ? rest.max : 1);
	if (rest.min > 0)
		out->max = all.max == OVL_DIM_MAX ? OVL_DIM_MAX : all.max / rest.min;
	if (out->min > out->max)
		*out = OVL_DIM_ANY;
	return OVL_OK;
}

static ovl_status check_counts(ovl_infer *in, const ovl_pshape *out)
{
	ovl_shape a, b;
	int64_t x, y;
	char s[200], t[200];
	if (!ovl_pshape_to_shape(&in->in_shape[0], &a) || !ovl_pshape_to_shape(out, &b))
		return OVL_OK;
	if (ovl_shape_count(&a, &x) && ovl_shape_count(&b, &y) && x == y)
		return OVL_OK;
	return ovl_infer_fail(in, OVL_E_SHAPE, "shape %s cannot become %s", ovl_shape_text(&a, s, sizeof s), ovl_shape_text(&b, t, sizeof t));
}

/* all: elements of the input that are not in dimensions copied by a zero; rest: product of the pattern's other numbers. */
static ovl_status with_pattern(ovl_infer *in, const int64_t *pattern, int count, bool special_zero)
{
	const ovl_pshape *data = &in->in_shape[0];
	ovl_dim all = ovl_dim_of(1), rest = ovl_dim_of(1);
	ovl_pshape out;
	int left = -1;
	OVL_TRY(ovl_infer_open(in, count, &out));
	for (int d = 0; d < count; d++) {
		if (pattern[d] < -1)
			return ovl_infer_fail(in, OVL_E_SHAPE, "the pattern has %lld; sizes are -1, 0 or more", (long long)pattern[d]);
		if (pattern[d] == -1) {
			if (left >= 0)
				return ovl_infer_fail(in, OVL_E_SHAPE, "the pattern has more than one -1");
			left = d;
		} else if (pattern[d] == 0 && special_zero) {
			if (data->ranked && d >= data->rank)
				return ovl_infer_fail(in, OVL_E_SHAPE, "dimension %d of the pattern is 0 (as in the input), but the input has only %d dimensions", d, data->rank);
			out.dims[d] = data->ranked ? data->dims[d] : OVL_DIM_ANY;
		} else {
			out.dims[d] = ovl_dim_of(pattern[d]);
			rest = ovl_dim_mul(rest, out.dims[d]);
		}
	}
	for (int d = 0; data->ranked && d < data->rank; d++)
		if (!(special_zero && d < count && pattern[d] == 0)) /* a copied size is on both sides and cancels */
			all = ovl_dim_mul(all, data->dims[d]);
	if (!data->ranked)
		all = OVL_DIM_ANY;
	if (left >= 0)
		OVL_TRY(left_over(in, all, rest, &out.dims[left]));
	OVL_TRY(check_counts(in, &out));
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status reshape_infer(ovl_infer *in)
{
	int64_t pattern[OVL_MAX_RANK * 2];
	bool known;
	int count;
	ovl_dim length;
	ovl_pshape out = ovl_pshape_any();
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_WHOLE));
	OVL_TRY(ovl_infer_length(in, 1, &length));
	OVL_TRY(ovl_infer_ints(in, 1, &known, pattern, OVL_MAX_RANK * 2, &count));
	if (known)
		return with_pattern(in, pattern, count, ((const reshape_params *)in->params)->special_zero);
	if (in->in_shape[1].ranked && ovl_dim_static(length))
		OVL_TRY(ovl_infer_open(in, length.min, &out));
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status reshape_run(ovl_run *run)
{
	const ovl_tensor *x = run->in[0];
	if (ovl_tensor_count(x) != ovl_tensor_count(run->out[0]))
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: %lld elements cannot become %lld", run->op->name, (long long)ovl_tensor_count(x), (long long)ovl_tensor_count(run->out[0]));
	if (x->type == OVL_STRING)
		return ovl_move_row(run, run->out[0], 0, x, 0, ovl_tensor_count(x));
	memcpy(run->out[0]->data, x->data, ovl_tensor_bytes(x));
	return OVL_OK;
}

static const ovl_attr attrs[] = {OVL_ATTR_BOOL(reshape_params, special_zero, "false"), OVL_ATTR_END};
static const ovl_op reshape = {.name = "Reshape", .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "node output_shape",
	.params_size = sizeof(reshape_params), .attrs = attrs, .infer = reshape_infer, .run = reshape_run};

/* ---- Squeeze ---- */

typedef struct squeeze_params { /* version 15 */
	bool allow_axis_skip;
} squeeze_params;

static bool may_be_one(ovl_dim d) { return d.min <= 1 && d.max >= 1; }

/* No axes: every size 1 goes. Where sizes are open, so is the rank. */
static void squeeze_ones(const ovl_pshape *data, ovl_pshape *out)
{
	*out = ovl_pshape_any();
	for (int d = 0; d < data->rank; d++)
		if (!ovl_dim_static(data->dims[d]) && may_be_one(data->dims[d]))
			return;
	*out = ovl_pshape_rank(0);
	for (int d = 0; d < data->rank; d++)
		if (!may_be_one(data->dims[d]))
			out->dims[out->rank++] = data->dims[d];
}

static ovl_status squeeze_axes(ovl_infer *in, const int64_t *axes, int count, bool skip, ovl_pshape *out)
{
	const ovl_pshape *data = &in->in_shape[0];
	bool gone[OVL_MAX_RANK] = {false}, open = false;
	for (int i = 0; i < count; i++) {
		int d;
		OVL_TRY(ovl_axis(axes[i], data->rank, in->op->name, &d, in->err));
		gone[d] = may_be_one(data->dims[d]); /* a dimension of another size stays, as in OpenVINO */
		open = open || (skip && gone[d] && !ovl_dim_static(data->dims[d]));
	}
	*out = open ? ovl_pshape_any() : ovl_pshape_rank(0);
	for (int d = 0; !open && d < data->rank; d++)
		if (!gone[d])
			out->dims[out->rank++] = data->dims[d];
	return OVL_OK;
}

static ovl_status squeeze_infer_(ovl_infer *in, bool skip)
{
	const ovl_pshape *data = &in->in_shape[0];
	ovl_pshape out = ovl_pshape_any();
	int64_t axes[OVL_MAX_RANK * 2];
	int count = 0;
	bool known = in->n_in < 2;
	ovl_dim length = ovl_dim_of(0);
	if (in->n_in > 1) {
		OVL_TRY(ovl_infer_length(in, 1, &length));
		OVL_TRY(ovl_infer_ints(in, 1, &known, axes, OVL_MAX_RANK * 2, &count));
	}
	if (!known && length.max == 0)
		known = true;
	if (data->ranked && known) {
		if (count == 0)
			squeeze_ones(data, &out);
		else
			OVL_TRY(squeeze_axes(in, axes, count, skip, &out));
	} else if (data->ranked && !skip && in->in_shape[1].ranked && length.min == 1 && length.max == 1 && data->rank > 0)
		out = ovl_pshape_rank(data->rank - 1);
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status squeeze_infer(ovl_infer *in) { return squeeze_infer_(in, false); }
static ovl_status squeeze_infer_v15(ovl_infer *in) { return squeeze_infer_(in, ((const squeeze_params *)in->params)->allow_axis_skip); }

static const ovl_attr squeeze_attrs[] = {OVL_ATTR_BOOL(squeeze_params, allow_axis_skip, "false"), OVL_ATTR_END};
static const ovl_op squeeze = {.name = "Squeeze", .since = 1, .until = 14, .min_inputs = 1, .max_inputs = 2, .outputs = 1, .inputs = "data axes", .infer = squeeze_infer,
	.run = reshape_run};
static const ovl_op squeeze_v15 = {.name = "Squeeze", .since = 15, .min_inputs = 1, .max_inputs = 2, .outputs = 1, .inputs = "data axes",
	.params_size = sizeof(squeeze_params), .attrs = squeeze_attrs, .infer = squeeze_infer_v15, .run = reshape_run};

/* ---- Unsqueeze: axes count in the output ---- */

static ovl_status unsqueeze_axes(ovl_infer *in, const int64_t *axes, int count, ovl_pshape *out)
{
	const ovl_pshape *data = &in->in_shape[0];
	bool fresh[OVL_MAX_RANK] = {false};
	OVL_TRY(ovl_infer_open(in, data->rank + count, out));
	for (int i = 0; i < count; i++) {
		int d;
		OVL_TRY(ovl_axis(axes[i], out->rank, in->op->name, &d, in->err));
		if (fresh[d])
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "axis %d is given twice", d);
		fresh[d] = true;
	}
	for (int d = 0, from = 0; d < out->rank; d++)
		out->dims[d] = fresh[d] ? ovl_dim_of(1) : data->dims[from++];
	return OVL_OK;
}

static ovl_status unsqueeze_infer(ovl_infer *in)
{
	const ovl_pshape *data = &in->in_shape[0];
	ovl_pshape out = ovl_pshape_any();
	int64_t axes[OVL_MAX_RANK * 2];
	int count;
	bool known;
	ovl_dim length;
	OVL_TRY(ovl_infer_length(in, 1, &length));
	OVL_TRY(ovl_infer_ints(in, 1, &known, axes, OVL_MAX_RANK * 2, &count));
	if (data->ranked && known)
		OVL_TRY(unsqueeze_axes(in, axes, count, &out));
	else if (data->ranked && in->in_shape[1].ranked && ovl_dim_static(length))
		OVL_TRY(ovl_infer_open(in, data->rank + length.min, &out));
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static const ovl_op unsqueeze = {.name = "Unsqueeze", .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "data axes", .infer = unsqueeze_infer,
	.run = reshape_run};

const ovl_op *const ovl_ops_reshape[] = {&reshape, &squeeze, &squeeze_v15, &unsqueeze, NULL};
