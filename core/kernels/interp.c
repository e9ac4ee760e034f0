#include "kernels/interp.h"
#include "base/memory.h"
#include <stdio.h>

/* ---- what the operator's versions say, in one form ---- */

typedef struct request {
	ovl_interpolate_params params;
	ovl_interpolate_axis at[OVL_MAX_RANK];
} request;

/* The integers of a constant input. */
static int64_t ints_of(const ovl_problem *p, int i, int64_t *values)
{
	int64_t n = ovl_desc_count(&p->in[i]);
	if (!p->in_data[i] || n > OVL_MAX_RANK)
		return -1;
	for (int64_t k = 0; k < n; k++)
		if (p->in[i].type == OVL_I64)
			values[k] = ((const int64_t *)p->in_data[i])[k];
		else if (p->in[i].type == OVL_I32)
			values[k] = ((const int32_t *)p->in_data[i])[k];
		else
			return -1;
	return n;
}

/* Opset 1 names its axes in an attribute; opset 4 has sizes and scales, so that input 2 is made of floats; opset 11 has axes there. */
static bool understand(const ovl_problem *p, request *r)
{
	const ovl_interpolate_params *given = p->params;
	const ovl_desc *d = &p->in[0];
	ovl_shape from = ovl_shape_of(d->rank, d->dims), to = ovl_shape_of(p->out[0].rank, p->out[0].dims);
	bool first = given->axes.n > 0, fourth = !first && p->n_op_in >= 3 && ovl_type_is_float(p->in[2].type);
	int axes_at = fourth ? 3 : 2, scales_at = fourth ? 2 : 1;
	int64_t axes[OVL_MAX_RANK], n = d->rank;
	float scales[OVL_MAX_RANK];
	bool named = false, by_scale = !first && given->shape_calculation_mode;
	ovl_error ignored;
	r->params = *given;
	if (first) {
		if (given->axes.n > OVL_MAX_RANK)
			return false;
		n = (int64_t)given->axes.n;
		memcpy(axes, given->axes.at, given->axes.n * sizeof *axes);
		named = true;
		r->params.coordinate_transformation_mode = given->align_corners ? OVL_COORD_ALIGN_CORNERS : OVL_COORD_ASYMMETRIC;
		r->params.nearest_mode = OVL_NEAREST_SIMPLE;
		r->params.cube_coeff = -0.75;
		if (given->mode == OVL_INTERP_LINEAR && !given->antialias)
			r->params.mode = OVL_INTERP_LINEAR_ONNX;
	} else if (p->n_op_in > axes_at) {
		n = ints_of(p, axes_at, axes);
		named = true;
		if (n < 0)
			return false;
	}
	if (by_scale) {
		if (!p->in_data[scales_at] || p->in[scales_at].type != OVL_F32 || ovl_desc_count(&p->in[scales_at]) != n)
			return false;
		memcpy(scales, p->in_data[scales_at], (size_t)n * sizeof *scales);
	}
	return ovl_interpolate_resolve(&r->params, &from, &to, named ? axes : NULL, (int)n, by_scale ? scales : NULL, r->at, &ignored) == OVL_OK;
}

static bool unchanged(const ovl_interpolate_axis *a) { return a->source == a->out && a->in == a->out && a->pad_begin == 0; }

static int form_axis(const ovl_problem *p, bool cl) { return cl ? 1 : p->out[0].rank - 1; }

const char *ovl_interp_accept(ovl_problem *p)
{
	const ovl_desc *d = &p->in[0];
	request r;
	int64_t ld;
	bool cl;
	if (d->type != OVL_F32 || p->out[0].type != OVL_F32)
		return "not f32";
	if (d->rank < 3 || d->rank > 5)
		return "not an image of one to three dimensions";
	if (!ovl_desc_count(d) || !understand(p, &r))
		return "axes or scales are not known";
	if (!unchanged(&r.at[0]) || !unchanged(&r.at[1]))
		return "batch or channels are resized";
	cl = !ovl_desc_is_dense(d) && ovl_desc_is_cl(d, &ld);
	for (int i = 2; i < d->rank; i++)
		if (d->dims[i] > INT32_MAX / 2 || p->out[0].dims[i] > INT32_MAX / 2)
			return "image too large";
	if (!cl && d->dims[d->rank - 1] > OVL_INTERP_WIDEST)
		return "image too wide";
	p->in_form[0] = cl ? OVL_FORM_CL : OVL_FORM_DENSE;
	p->out_form[0] = p->in_form[0];
	for (int i = 1; i < p->n_op_in; i++) {
		p->in_form[i] = OVL_FORM_ANY;
		p->in_packed[i] = p->in_data[i] != NULL;
	}
	return ovl_posts_accept(p, form_axis(p, cl), p->out_form[0]);
}

/* ---- prepare ---- */

static ovl_status make_axis(const request *r, int d, ovl_interp_axis *a, ovl_error *err)
{
	ovl_taps t;
	size_t n, outs = (size_t)r->at[d].out + 1;
	OVL_TRY(ovl_interpolate_taps(&r->params, &r->at[d], &t, err));
	n = (size_t)t.n;
	a->in = r->at[d].source;
	a->out = r->at[d].out;
	a->start = t.n <= INT32_MAX ? ovl_alloc(outs * sizeof *a->start) : NULL;
	a->index = ovl_alloc((n + 1) * sizeof *a->index);
	a->weight = ovl_alloc((n + 1) * sizeof *a->weight);
	if (!a->start || !a->index || !a->weight) {
		ovl_taps_free(&t);
		return ovl_fail(err, OVL_E_MEMORY, "no memory for the taps of a resize");
	}
	for (size_t i = 0; i < outs; i++) {
		a->start[i] = (int32_t)t.start[i];
		if (i && t.start[i] - t.start[i - 1] > a->most)
			a->most = t.start[i] - t.start[i - 1];
	}
	for (size_t i = 0; i < n; i++) {
		a->index[i] = (int32_t)t.index[i];
		a->weight[i] = (float)t.weight[i];
	}
	ovl_taps_free(&t);
	return OVL_OK;
}

static ovl_status plain_axis(ovl_interp_axis *a, ovl_error *err)
{
	a->in = a->out = a->most = 1;
	a->start = ovl_calloc(2, sizeof *a->start);
	a->index = ovl_calloc(1, sizeof *a->index);
	a->weight = ovl_alloc(sizeof *a->weight);
	if (!a->start || !a->index || !a->weight)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for the taps of a resize");
	a->start[1] = 1;
	a->weight[0] = 1;
	return OVL_OK;
}

/* Missing taps get weight 0 and repeat an index that is there. */
static ovl_status turn_over(ovl_interp_plan *q, ovl_error *err)
{
	const ovl_interp_axis *a = &q->axis[2];
	size_t n = (size_t)(a->most * a->out) + 1;
	q->wide_index = ovl_calloc(n, sizeof *q->wide_index);
	q->wide_weight = ovl_calloc(n, sizeof *q->wide_weight);
	if (!q->wide_index || !q->wide_weight)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for the taps of a resize");
	for (int64_t o = 0; o < a->out; o++)
		for (int64_t k = 0; k < a->start[o + 1] - a->start[o]; k++) {
			q->wide_index[k * a->out + o] = a->index[a->start[o] + k];
			q->wide_weight[k * a->out + o] = a->weight[a->start[o] + k];
		}
	return OVL_OK;
}

static ovl_status fill_plan(ovl_interp_plan *q, const ovl_problem *p, ovl_error *err)
{
	const ovl_desc *d = &p->in[0], *o = &p->out[0];
	request r;
	int64_t ld;
	if (!understand(p, &r))
		return ovl_fail(err, OVL_E_INTERNAL, "Interpolate was prepared with inputs it did not accept");
	q->cl = !(ovl_desc_is_dense(d) && ovl_desc_is_dense(o)) && ovl_desc_is_cl(d, &ld) && ovl_desc_is_cl(o, &ld);
	OVL_TRY(ovl_posts_prepare(&q->posts, p, form_axis(p, q->cl), err));
	q->images = d->dims[0];
	q->channels = d->dims[1];
	q->from_image = d->strides[0];
	q->from_channel = d->strides[1];
	q->to_image = o->strides[0];
	q->to_channel = o->strides[1];
	for (int i = 0, k = d->rank - 3; i < 3; i++, k++) {
		if (k < 2) {
			OVL_TRY(plain_axis(&q->axis[i], err));
			continue;
		}
		OVL_TRY(make_axis(&r, k, &q->axis[i], err));
		q->from[i] = d->strides[k];
		q->to[i] = o->strides[k];
	}
	q->units = ovl_desc_count(o) ? q->images * q->axis[0].out * q->axis[1].out * (q->cl ? 1 : q->channels) : 0;
	return q->cl ? OVL_OK : turn_over(q, err);
}

ovl_status ovl_interp_prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	ovl_interp_plan *q = ovl_calloc(1, sizeof *q);
	ovl_status st;
	if (!q)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a resize");
	st = fill_plan(q, p, err);
	if (st != OVL_OK) {
		ovl_interp_release(q);
		return st;
	}
	out->state = q;
	snprintf(out->detail, sizeof out->detail, "%s", q->cl ? "channels" : "planes");
	return OVL_OK;
}

void ovl_interp_release(void *state)
{
	ovl_interp_plan *q = state;
	for (int i = 0; i < 3; i++) {
		ovl_free(q->axis[i].start);
		ovl_free(q->axis[i].index);
		ovl_free(q->axis[i].weight);
	}
	ovl_free(q->wide_index);
	ovl_free(q->wide_weight);
	ovl_free(q);
}
