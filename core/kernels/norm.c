#include "kernels/norm.h"
#include "base/memory.h"
#include "ops/norm.h"
#include <stdio.h>

/* What the five operators come down to. */
typedef struct task {
	bool reduced[OVL_MAX_RANK]; /* normalised together; of GroupNormalization the channels too, in groups */
	int64_t groups; /* 0: not GroupNormalization */
	bool affine_rows; /* gamma and beta run along the reduced dimensions (else along dimension 1) */
	ovl_norm_plan plan;
} task;

/* Axes from the model (-1: not to be done here). */
static int reduce_axes(const ovl_desc *d, const int64_t *axes, int64_t n, bool *reduced)
{
	for (int64_t i = 0; i < n; i++) {
		int64_t a = axes[i] < 0 ? axes[i] + d->rank : axes[i];
		if (a < 0 || a >= d->rank)
			return -1;
		reduced[a] = true;
	}
	return 0;
}

static const char *mvn_axes(const ovl_problem *p, task *t)
{
	const ovl_mvn_params *m = p->params;
	const ovl_desc *d = &p->in[0];
	int64_t axes[OVL_MAX_RANK], n;
	if (p->n_op_in == 1) {
		if (m->reduction_axes.n)
			return reduce_axes(d, m->reduction_axes.at, (int64_t)m->reduction_axes.n, t->reduced) ? "axis out of range" : NULL;
		for (int i = 1; i < d->rank; i++)
			t->reduced[i] = i > 1 || m->across_channels;
		return NULL;
	}
	n = ovl_desc_count(&p->in[1]);
	if (!p->in_data[1] || n > OVL_MAX_RANK || (p->in[1].type != OVL_I64 && p->in[1].type != OVL_I32))
		return "axes are not known";
	for (int64_t i = 0; i < n; i++)
		axes[i] = p->in[1].type == OVL_I64 ? ((const int64_t *)p->in_data[1])[i] : ((const int32_t *)p->in_data[1])[i];
	return reduce_axes(d, axes, n, t->reduced) ? "axis out of range" : NULL;
}

static const char *describe(const ovl_problem *p, task *t)
{
	ovl_norm_plan *q = &t->plan;
	const ovl_desc *d = &p->in[0];
	*t = (task){.plan = {.subtract = true, .divide = true, .gamma = -1, .beta = -1, .mean = -1, .variance = -1}};
	if (!strcmp(p->op, "MVN")) {
		const ovl_mvn_params *m = p->params;
		q->divide = m->normalize_variance;
		q->eps = m->eps;
		q->outside = m->eps_mode == 1;
		return mvn_axes(p, t);
	}
	if (!strcmp(p->op, "LayerNorm")) {
		const ovl_layer_norm_params *m = p->params;
		int64_t axis = m->axis < 0 ? m->axis + d->rank : m->axis;
		if (axis < 0 || axis >= d->rank)
			return "axis out of range";
		for (int64_t i = axis; i < d->rank; i++)
			t->reduced[i] = true;
		q->eps = m->epsilon;
		q->gamma = p->n_op_in > 1 && p->in[1].type != OVL_DYNAMIC ? 1 : -1;
		q->beta = p->n_op_in > 2 && p->in[2].type != OVL_DYNAMIC ? 2 : -1;
		t->affine_rows = true;
		return NULL;
	}
	if (!strcmp(p->op, "RMS")) {
		if (d->rank < 1)
			return "scalar";
		t->reduced[d->rank - 1] = true;
		q->subtract = false;
		q->eps = ((const ovl_rms_params *)p->params)->epsilon;
		q->gamma = p->n_op_in > 1 ? 1 : -1;
		t->affine_rows = true;
		return NULL;
	}
	if (d->rank < 2)
		return p->n_op_in == 5 ? "data comes third (opset 1)" : "no channels";
	if (!strcmp(p->op, "GroupNormalization")) {
		const ovl_group_norm_params *m = p->params;
		if (m->num_groups < 1 || d->dims[1] % m->num_groups)
			return "channels do not divide into groups";
		for (int i = 1; i < d->rank; i++)
			t->reduced[i] = true;
		t->groups = m->num_groups;
		q->eps = m->epsilon;
		q->gamma = 1;
		q->beta = 2;
		return NULL;
	}
	*q = (ovl_norm_plan){.how = OVL_NORM_SCALE, .eps = ((const ovl_batch_norm_params *)p->params)->epsilon, .gamma = 1, .beta = 2, .mean = 3, .variance = 4};
	return NULL;
}

/* Gamma and beta: as long as the row (its dims, or one dimension), or one value. */
static bool affine_fits(const ovl_problem *p, const task *t, int input, int64_t n)
{
	const ovl_desc *a = &p->in[input], *d = &p->in[0];
	int64_t count = ovl_desc_count(a);
	if (a->type != OVL_F32)
		return false;
	if (!t->affine_rows)
		return count == d->dims[1];
	if (count == 1)
		return true;
	for (int i = 0; i < a->rank; i++) {
		int k = d->rank - a->rank + i;
		if ((k < 0 || !t->reduced[k]) ? a->dims[i] != 1 : a->dims[i] != d->dims[k])
			return false;
	}
	return count == n;
}

static bool same_kind(const ovl_problem *p, int a, int b)
{
	return a < 0 || b < 0 || (ovl_desc_count(&p->in[a]) == 1) == (ovl_desc_count(&p->in[b]) == 1);
}

/* The reduced dimensions stand at the end, without gaps. */
static bool trailing(const task *t, int rank, int *first)
{
	int i = rank;
	while (i > 0 && t->reduced[i - 1])
		i--;
	*first = i;
	for (int k = 0; k < i; k++)
		if (t->reduced[k])
			return false;
	return i < rank;
}

/* Per-channel work on images: everything behind the channels, with or without them. */
static bool over_images(const task *t, int rank)
{
	if (rank < 3 || t->reduced[0] || t->affine_rows)
		return false;
	for (int i = 2; i < rank; i++)
		if (!t->reduced[i])
			return false;
	return true;
}

const char *ovl_norm_accept(ovl_problem *p)
{
	task t;
	const ovl_desc *d = &p->in[0];
	const char *why;
	int64_t ld, n = 1;
	int first;
	bool cl;
	if (p->n_posts)
		return "posts";
	for (int i = 0; i < p->n_op_in; i++)
		if (p->in[i].type != OVL_F32 && !(i == 1 && !strcmp(p->op, "MVN")) && p->in[i].type != OVL_DYNAMIC)
			return "an input is not f32";
	if (d->type != OVL_F32 || p->out[0].type != OVL_F32)
		return "not f32";
	why = describe(p, &t);
	if (why)
		return why;
	for (int i = 0; i < d->rank; i++)
		n *= t.reduced[i] ? d->dims[i] : 1;
	if ((t.plan.gamma >= 0 && !affine_fits(p, &t, t.plan.gamma, n)) || (t.plan.beta >= 0 && !affine_fits(p, &t, t.plan.beta, n)) || !same_kind(p, t.plan.gamma, t.plan.beta))
		return "gamma or beta has another shape";
	cl = !ovl_desc_is_dense(d) && ovl_desc_is_cl(d, &ld);
	p->out_form[0] = OVL_FORM_LIKE;
	p->in_place = 0;
	if (t.plan.how == OVL_NORM_SCALE || (cl && over_images(&t, d->rank))) {
		p->in_form[0] = cl ? OVL_FORM_CL : OVL_FORM_DENSE;
		return NULL;
	}
	if (!trailing(&t, d->rank, &first))
		return "what is normalised together is not at the end";
	p->in_form[0] = first == d->rank - 1 && d->strides[first] == 1 ? OVL_FORM_ANY : OVL_FORM_DENSE;
	p->out_form[0] = OVL_FORM_DENSE;
	if (p->n_op_in == 2 && !strcmp(p->op, "MVN"))
		p->in_packed[1] = true;
	return NULL;
}

/* ---- prepare ---- */

static bool contiguous(const ovl_desc *d, int first)
{
	int64_t step = 1;
	for (int i = d->rank - 1; i >= first; i--) {
		if (d->dims[i] != 1 && d->strides[i] != step)
			return false;
		step *= d->dims[i];
	}
	return true;
}

static bool plan_rows(const ovl_problem *p, const task *t, ovl_norm_plan *q)
{
	const ovl_desc *d = &p->in[0], *o = &p->out[0];
	int64_t dims[OVL_MAX_RANK], from[OVL_MAX_RANK], to[OVL_MAX_RANK];
	const int64_t *strides[] = {to, from};
	int first = 0, rank = 0;
	if (!trailing(t, d->rank, &first) || !contiguous(d, t->groups ? 2 : first) || !contiguous(o, t->groups ? 2 : first))
		return false;
	q->n = 1;
	for (int i = first; i < d->rank; i++)
		q->n *= d->dims[i];
	for (; rank < first; rank++) {
		dims[rank] = d->dims[rank];
		from[rank] = d->strides[rank];
		to[rank] = o->strides[rank];
	}
	if (t->groups) { /* channels become groups and channels of a group */
		int64_t per = d->dims[1] / t->groups;
		q->inner = q->n / d->dims[1];
		if (per > 1 && (d->strides[1] != q->inner || o->strides[1] != q->inner))
			return false;
		q->n /= t->groups;
		q->row_groups = t->groups;
		dims[rank] = t->groups;
		from[rank] = per * d->strides[1];
		to[rank++] = per * o->strides[1];
	}
	q->affine_step = q->gamma >= 0 && ovl_desc_count(&p->in[q->gamma]) == 1 ? 0 : q->beta >= 0 && ovl_desc_count(&p->in[q->beta]) == 1 ? 0 : 1;
	ovl_loops_make(&q->loops, rank, dims, 2, strides);
	if (t->groups) { /* rows must be countable by image and group */
		q->loops = (ovl_loops){.rank = 2, .n_values = 2, .dims = {dims[0], dims[1]}, .strides = {{to[0], to[1]}, {from[0], from[1]}}};
	}
	q->rows = ovl_loops_count(&q->loops, q->loops.rank);
	return true;
}

/* Channels follow each other, and what is normalised together (dims first..) does not lie in one piece. */
static bool strided_images(const ovl_desc *d, const ovl_desc *o, int first)
{
	return (d->dims[1] == 1 || (d->strides[1] == 1 && o->strides[1] == 1)) && !(contiguous(d, first) && contiguous(o, first));
}

/* Image dims beyond the channels must be one run of pixels. */
static bool one_run(const ovl_desc *d, int64_t *pixel)
{
	int64_t step = 0, n = 1;
	*pixel = 0;
	for (int i = d->rank - 1; i >= 2; i--) {
		if (d->dims[i] == 1)
			continue;
		if (n == 1)
			*pixel = step = d->strides[i];
		else if (d->strides[i] != step * n)
			return false;
		n *= d->dims[i];
	}
	return true;
}

static bool plan_channels(const ovl_problem *p, const task *t, ovl_norm_plan *q)
{
	const ovl_desc *d = &p->in[0], *o = &p->out[0];
	int64_t pixels = 1;
	for (int i = 2; i < d->rank; i++)
		pixels *= d->dims[i];
	q->images = d->dims[0];
	q->channels = d->dims[1];
	q->pixels = pixels;
	q->from_image = d->strides[0];
	q->from_channel = d->dims[1] == 1 ? 1 : d->strides[1];
	q->to_image = o->strides[0];
	q->to_channel = o->dims[1] == 1 ? 1 : o->strides[1];
	q->per = t->groups ? d->dims[1] / t->groups : t->reduced[1] ? d->dims[1] : 1;
	q->unit = q->per >= 64 ? q->per : (64 / q->per) * q->per;
	if (q->unit > q->channels)
		q->unit = q->channels;
	return one_run(d, &q->from_pixel) && one_run(o, &q->to_pixel);
}

ovl_status ovl_norm_prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	static const char *const names[] = {"rows", "channels", "scale"};
	const ovl_desc *d = &p->in[0];
	task t;
	const char *why = describe(p, &t);
	ovl_norm_plan *q = ovl_calloc(1, sizeof *q);
	bool fits;
	if (!q)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a normalisation");
	*q = t.plan;
	out->state = q;
	if (why || !ovl_desc_count(d))
		return OVL_OK;
	if (q->how == OVL_NORM_SCALE) {
		fits = plan_channels(p, &t, q);
		out->scratch = (size_t)(2 * q->channels) * sizeof(float);
	} else if (over_images(&t, d->rank) && strided_images(d, &p->out[0], t.groups || t.reduced[1] ? 1 : 2)) {
		q->how = OVL_NORM_CHANNELS;
		fits = plan_channels(p, &t, q);
		out->scratch = (size_t)(2 * q->images * q->channels) * sizeof(float);
	} else {
		fits = plan_rows(p, &t, q);
	}
	snprintf(out->detail, sizeof out->detail, "%s", names[q->how]);
	if (fits)
		return OVL_OK;
	ovl_free(q);
	out->state = NULL;
	return ovl_fail(err, OVL_E_INTERNAL, "%s was prepared with strides it did not accept", p->op);
}
