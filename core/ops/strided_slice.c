/* strided_slice.c - StridedSlice: a slice whose entries may also insert a dimension, drop one, or stand for "all in between" (TensorFlow's rules). */
#include "ops/support_axes.h"
#include "ops/support_move.h"
#include "ops/support_slice.h"

enum { LIST = OVL_MAX_RANK * 2 };

typedef struct strided_slice_params {
	ovl_ints begin_mask, end_mask, new_axis_mask, shrink_axis_mask, ellipsis_mask;
} strided_slice_params;

typedef enum what { WHOLE, CUT, INSERT, DROP } what;
typedef struct entry {
	what kind;
	int index; /* in begin, end and strides; -1: none */
} entry;

static bool mask(const ovl_ints *m, int i) { return ovl_ints_get(m, (size_t)i, 0) != 0; }

/* Lays `n` entries out over the dimensions of the data. Returns how many entries there are then, -1 when they do not fit. */
static int lay_out(const strided_slice_params *p, int n, int rank, entry *e)
{
	int used = 0, count = 0;
	bool ellipsis = false;
	for (int i = 0; i < n; i++)
		used += !mask(&p->ellipsis_mask, i) && !mask(&p->new_axis_mask, i);
	if (used > rank)
		return -1;
	for (int i = 0; i < n; i++) {
		if (mask(&p->ellipsis_mask, i)) {
			for (int k = used; !ellipsis && k < rank; k++)
				e[count++] = (entry){WHOLE, -1};
			ellipsis = true;
		} else
			e[count++] = (entry){mask(&p->new_axis_mask, i) ? INSERT : mask(&p->shrink_axis_mask, i) ? DROP : CUT, i};
	}
	for (int k = used; !ellipsis && k < rank; k++)
		e[count++] = (entry){WHOLE, -1};
	return count;
}

typedef struct numbers {
	bool known, steps_known;
	int64_t begin[LIST], end[LIST], step[LIST];
} numbers;

/* The masks say "from the first" and "to the last"; numbers outside of every size say the same. */
static void put_masks(const strided_slice_params *p, int n, numbers *v)
{
	for (int i = 0; i < n; i++) {
		if (mask(&p->begin_mask, i))
			v->begin[i] = v->step[i] > 0 || mask(&p->shrink_axis_mask, i) ? 0 : INT64_MAX;
		if (mask(&p->end_mask, i))
			v->end[i] = v->step[i] > 0 ? INT64_MAX : INT64_MIN;
	}
}

static ovl_status read_numbers(ovl_infer *in, int n, numbers *v)
{
	bool begin, end;
	int count = n;
	v->steps_known = in->n_in < 4;
	OVL_TRY(ovl_infer_ints(in, 1, &begin, v->begin, LIST, &count));
	OVL_TRY(ovl_infer_ints(in, 2, &end, v->end, LIST, &count));
	for (int i = 0; i < LIST; i++)
		v->step[i] = 1;
	if (!v->steps_known)
		OVL_TRY(ovl_infer_ints(in, 3, &v->steps_known, v->step, LIST, &count));
	for (int i = 0; v->steps_known && i < n; i++)
		if (v->step[i] == 0)
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "stride %d is zero", i);
	v->known = begin && end && v->steps_known;
	return OVL_OK;
}

static ovl_status check_index(ovl_infer *in, ovl_dim d, int64_t index)
{
	if (d.max != OVL_DIM_MAX && (index >= d.max || index < -d.max))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "index %lld is outside of a dimension of size %lld", (long long)index, (long long)d.max);
	return OVL_OK;
}

static ovl_dim cut_dim(const strided_slice_params *p, const numbers *v, int i, ovl_dim d)
{
	if (v->known)
		return ovl_slice_dim(d, v->begin[i], v->end[i], v->step[i]);
	if (v->steps_known && mask(&p->begin_mask, i) && mask(&p->end_mask, i))
		return ovl_slice_dim(d, v->step[i] > 0 ? 0 : INT64_MAX, v->step[i] > 0 ? INT64_MAX : INT64_MIN, v->step[i]);
	return (ovl_dim){0, d.max};
}

static ovl_status shape_of_entries(ovl_infer *in, int n, ovl_pshape *out)
{
	const strided_slice_params *p = (const strided_slice_params *)in->params;
	const ovl_pshape *data = &in->in_shape[0];
	entry e[OVL_MAX_RANK + LIST];
	numbers v;
	int count = lay_out(p, n, data->rank, e);
	if (count < 0)
		return ovl_infer_fail(in, OVL_E_SHAPE, "%d entries are too many for %d dimensions", n, data->rank);
	OVL_TRY(read_numbers(in, n, &v));
	if (v.known)
		put_masks(p, n, &v);
	*out = ovl_pshape_rank(0);
	for (int k = 0, d = 0; k < count; k++) {
		int i = e[k].index;
		if (e[k].kind == INSERT)
			OVL_TRY(ovl_infer_push(in, out, ovl_dim_of(1)));
		else if (e[k].kind == WHOLE)
			OVL_TRY(ovl_infer_push(in, out, data->dims[d++]));
		else if (e[k].kind == CUT)
			OVL_TRY(ovl_infer_push(in, out, cut_dim(p, &v, i, data->dims[d++])));
		else {
			if (v.known)
				OVL_TRY(check_index(in, data->dims[d], v.begin[i]));
			d++;
		}
	}
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	ovl_dim length = OVL_DIM_ANY;
	ovl_pshape out = ovl_pshape_any();
	for (int i = 1; i < in->n_in; i++) {
		ovl_dim d;
		OVL_TRY(ovl_infer_type_in(in, i, OVL_MASK_WHOLE));
		OVL_TRY(ovl_infer_length(in, i, &d));
		if (!ovl_dim_merge(length, d, &length))
			return ovl_infer_fail(in, OVL_E_SHAPE, "begin, end and strides must be of one length");
	}
	if (ovl_dim_static(length) && length.min > LIST)
		return ovl_infer_fail(in, OVL_E_SHAPE, "%lld entries are too many", (long long)length.min);
	if (in->in_shape[0].ranked && ovl_dim_static(length))
		OVL_TRY(shape_of_entries(in, (int)length.min, &out));
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static ovl_status run_numbers(ovl_run *run, numbers *v, int *n)
{
	int64_t begin, end, step;
	OVL_TRY(ovl_run_ints(run, 1, v->begin, LIST, &begin));
	OVL_TRY(ovl_run_ints(run, 2, v->end, LIST, &end));
	step = begin;
	for (int i = 0; i < LIST; i++)
		v->step[i] = 1;
	if (run->n_in > 3)
		OVL_TRY(ovl_run_ints(run, 3, v->step, LIST, &step));
	if (begin != end || begin != step)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: begin, end and strides must be of one length", run->op->name);
	for (int i = 0; i < begin; i++)
		if (v->step[i] == 0)
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: stride %d is zero", run->op->name, i);
	*n = (int)begin;
	return OVL_OK;
}

/* from: strides of the data's dimensions become those of the output's. */
static ovl_status locate(ovl_run *run, const entry *e, int count, const numbers *v, ovl_place *from, ovl_shape *shape)
{
	const ovl_tensor *x = run->in[0];
	int64_t dense[OVL_MAX_RANK];
	memcpy(dense, from->strides, sizeof dense);
	shape->rank = 0;
	for (int k = 0, d = 0; k < count; k++) {
		int i = e[k].index;
		if (e[k].kind != DROP && shape->rank >= OVL_MAX_RANK)
			return ovl_fail(run->err, OVL_E_UNSUPPORTED, "%s: the output would have more than %d dimensions", run->op->name, OVL_MAX_RANK);
		if (e[k].kind == INSERT) {
			from->strides[shape->rank] = 0;
			shape->dims[shape->rank++] = 1;
			continue;
		}
		int64_t size = x->shape.dims[d], stride = dense[d];
		d++;
		if (e[k].kind == DROP) {
			int64_t at = v->begin[i] < 0 ? v->begin[i] + size : v->begin[i];
			if (at < 0 || at >= size)
				return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: index %lld is outside of a dimension of size %lld", run->op->name, (long long)v->begin[i], (long long)size);
			from->at += at * stride;
			continue;
		}
		ovl_cut c = e[k].kind == CUT ? ovl_slice_cut(size, v->begin[i], v->end[i], v->step[i]) : (ovl_cut){0, 1, size};
		from->at += c.count > 0 ? c.first * stride : 0;
		from->strides[shape->rank] = stride * (c.count > 1 ? c.step : 1);
		shape->dims[shape->rank++] = c.count;
	}
	return OVL_OK;
}

static ovl_status strided_slice_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, strided_slice_run);
	const strided_slice_params *p = (const strided_slice_params *)run->params;
	entry e[OVL_MAX_RANK + LIST];
	numbers v;
	int n = 0, count;
	ovl_place from = ovl_place_of(run->in[0]), to = ovl_place_of(run->out[0]);
	ovl_shape shape;
	OVL_TRY(run_numbers(run, &v, &n));
	put_masks(p, n, &v);
	count = lay_out(p, n, run->in[0]->shape.rank, e);
	if (count < 0)
		return ovl_fail(run->err, OVL_E_SHAPE, "%s: %d entries are too many for %d dimensions", run->op->name, n, run->in[0]->shape.rank);
	OVL_TRY(locate(run, e, count, &v, &from, &shape));
	if (!ovl_shape_equal(&shape, &run->out[0]->shape))
		return ovl_fail(run->err, OVL_E_INTERNAL, "%s: the output has another shape than the slice", run->op->name);
	return ovl_move(run, &to, &from, &shape);
}

static const ovl_attr attrs[] = {OVL_ATTR_INTS(strided_slice_params, begin_mask, ""), OVL_ATTR_INTS(strided_slice_params, end_mask, ""),
	OVL_ATTR_INTS(strided_slice_params, new_axis_mask, ""), OVL_ATTR_INTS(strided_slice_params, shrink_axis_mask, ""),
	OVL_ATTR_INTS(strided_slice_params, ellipsis_mask, ""), OVL_ATTR_END};
static const ovl_op strided_slice = {.name = "StridedSlice", .since = 1, .min_inputs = 3, .max_inputs = 4, .outputs = 1, .inputs = "data begin end strides",
	.params_size = sizeof(strided_slice_params), .attrs = attrs, .infer = infer, .run = strided_slice_run};

const ovl_op *const ovl_ops_strided_slice[] = {&strided_slice, NULL};
