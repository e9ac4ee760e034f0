#include "kernels/eltwise.h"
#include "base/memory.h"
#include "ops/eltwise.h"
#include <stdio.h>

/* ---- operator -> stage ---- */

static const struct {
	const char *op;
	ovl_stage_kind kind;
	bool first; /* better than the post of the same meaning: -0, NaN */
} plain[] = {
	{"Negative", OVL_STAGE_NEGATE, true},
	{"Log", OVL_STAGE_LOG, false},
	{"Floor", OVL_STAGE_FLOOR, false},
	{"Ceiling", OVL_STAGE_CEIL, false},
	{"Erf", OVL_STAGE_ERF, false},
	{"Sin", OVL_STAGE_SIN, false},
	{"Cos", OVL_STAGE_COS, false},
	{"Mish", OVL_STAGE_MISH, false},
	{"SoftPlus", OVL_STAGE_SOFTPLUS, false},
	{"SoftSign", OVL_STAGE_SOFTSIGN, false},
	{"Sign", OVL_STAGE_SIGN, false},
	{"SquaredDifference", OVL_STAGE_SQDIFF, false},
	{"PRelu", OVL_STAGE_PRELU, false},
	{"Maximum", OVL_STAGE_MAXIMUM, true},
	{"Minimum", OVL_STAGE_MINIMUM, true},
	{"Power", OVL_STAGE_POW, false},
};

static const struct {
	float exponent;
	ovl_stage_kind kind;
} powers[] = {
	{1, OVL_STAGE_COPY}, {2, OVL_STAGE_SQUARE}, {3, OVL_STAGE_CUBE}, {0.5f, OVL_STAGE_SQRT}, {-1, OVL_STAGE_RECIPROCAL}, {-0.5f, OVL_STAGE_RSQRT},
};

/* The values of inputs that are constants of one element. */
static void scalars_of(const ovl_problem *p, const float **scalars)
{
	for (int i = 0; i < 3; i++)
		scalars[i] = i < p->n_op_in && p->in[i].type == OVL_F32 && p->in_data[i] && ovl_desc_count(&p->in[i]) == 1 ? p->in_data[i] : NULL;
}

static bool power_stage(const float *exponent, ovl_eltwise_stage *s)
{
	for (size_t i = 0; exponent && i < sizeof powers / sizeof *powers; i++)
		if (*exponent == powers[i].exponent) {
			*s = (ovl_eltwise_stage){powers[i].kind, -1, 0, 0};
			return true;
		}
	return false;
}

static bool is_pdpd(const ovl_problem *p)
{
	static const char *const binary[] = {"Add", "Subtract", "Multiply", "Divide", "Maximum", "Minimum", "SquaredDifference", "Power"};
	for (size_t i = 0; i < sizeof binary / sizeof *binary; i++)
		if (!strcmp(p->op, binary[i]))
			return ((const ovl_binary_params *)p->params)->auto_broadcast == OVL_BROADCAST_PDPD;
	return false;
}

/* The operator's own stage; `operand` tells which input it reads besides input 0, -1: none. False: cannot be done. */
static bool own_stage(const ovl_problem *p, ovl_eltwise_stage *s)
{
	const float *scalars[3];
	ovl_post post;
	scalars_of(p, scalars);
	*s = (ovl_eltwise_stage){.operand = -1};
	if (is_pdpd(p))
		return false;
	if (!strcmp(p->op, "Power") && power_stage(scalars[1], s))
		return true;
	if (!strcmp(p->op, "Round")) {
		s->kind = ((const ovl_round_params *)p->params)->mode == OVL_ROUND_AWAY ? OVL_STAGE_ROUND_AWAY : OVL_STAGE_ROUND;
		return true;
	}
	if (!strcmp(p->op, "Selu")) {
		if (!scalars[1] || !scalars[2])
			return false;
		*s = (ovl_eltwise_stage){OVL_STAGE_SELU, -1, *scalars[1], *scalars[2]};
		return true;
	}
	if (ovl_eltwise_post(p->op, p->params, 0, p->n_op_in, scalars, &post))
		*s = (ovl_eltwise_stage){(ovl_stage_kind)post.kind, ovl_post_binary(post.kind) ? 1 : -1, post.alpha, post.beta};
	else
		s->kind = OVL_STAGE_COUNT;
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (!strcmp(p->op, plain[i].op) && (s->kind == OVL_STAGE_COUNT || plain[i].first)) {
			s->kind = plain[i].kind;
			s->operand = p->n_op_in == 2 ? 1 : -1;
		}
	return s->kind != OVL_STAGE_COUNT;
}

/* Input i as it broadcasts to the output: a PRelu slope of one dimension belongs to the channels. */
static ovl_desc operand_desc(const ovl_problem *p, int i)
{
	ovl_desc d = p->in[i];
	int channels = p->out[0].rank > 1 ? 1 : 0;
	if (i == 1 && !strcmp(p->op, "PRelu") && d.rank == 1 && p->out[0].rank > 0 && d.dims[0] == p->out[0].dims[channels])
		for (d.rank = 1; d.rank < p->out[0].rank - channels; d.rank++)
			d.dims[d.rank] = 1;
	return d;
}

/* ---- accept ---- */

static bool near_rows(const ovl_desc *d, int along) { return along >= 0 && (d->dims[along] == 1 || d->strides[along] <= 1); }

static bool is_cl(const ovl_desc *d)
{
	int64_t ld;
	return !ovl_desc_is_dense(d) && ovl_desc_is_cl(d, &ld);
}

/* Views whose rows are contiguous are read as they are, others are laid out anew first (transpositions in the middle of arithmetic are slow). */
void ovl_eltwise_forms(ovl_problem *p)
{
	const ovl_desc *out = &p->out[0];
	bool cl = false, full[16] = {false};
	for (int i = 0; i < p->n_in && i < 16; i++) {
		full[i] = ovl_desc_same_dims(&p->in[i], out);
		cl = cl || (full[i] && !p->in_data[i] && is_cl(&p->in[i]));
	}
	for (int i = 0; i < p->n_in; i++) {
		p->in_form[i] = OVL_FORM_ANY;
		if (i < 16 && full[i] && cl && !is_cl(&p->in[i]) && !(ovl_desc_is_dense(&p->in[i]) && p->in[i].dims[1] == 1))
			p->in_form[i] = near_rows(&p->in[i], 1) ? OVL_FORM_ANY : OVL_FORM_CL;
		else if (i < 16 && full[i] && !cl)
			p->in_form[i] = near_rows(&p->in[i], out->rank - 1) || out->rank == 0 ? OVL_FORM_ANY : OVL_FORM_DENSE;
	}
	p->out_form[0] = cl ? OVL_FORM_CL : OVL_FORM_DENSE;
	for (int i = p->n_op_in - 1; i >= 0; i--)
		if (i < 16 && full[i] && !p->in_data[i])
			p->in_place = i;
}

const char *ovl_eltwise_accept(ovl_problem *p)
{
	ovl_eltwise_stage own;
	if (p->n_out != 1 || p->out[0].type != OVL_F32)
		return "result is not f32";
	if (p->n_posts > OVL_MAX_POSTS || p->n_in > 16)
		return "too many posts";
	if (!own_stage(p, &own))
		return "numbers are not constants, or pdpd broadcasting";
	for (int i = 0; i < p->n_in; i++) {
		ovl_desc d = operand_desc(p, i);
		int64_t strides[OVL_MAX_RANK];
		if (d.type != OVL_F32)
			return "an input is not f32";
		if (!ovl_desc_broadcast_strides(&d, &p->out[0], strides))
			return "an input does not broadcast to the result";
	}
	ovl_eltwise_forms(p);
	for (int i = 1; i < p->n_op_in && own.operand < 0; i++)
		p->in_packed[i] = true;
	if (p->in_place > 0 && p->in_packed[p->in_place])
		p->in_place = -1;
	return NULL;
}

/* ---- prepare ---- */

static bool slow_stage(ovl_stage_kind k)
{
	switch (k) {
	case OVL_STAGE_SIGMOID: case OVL_STAGE_TANH: case OVL_STAGE_SWISH: case OVL_STAGE_GELU_ERF: case OVL_STAGE_GELU_TANH: case OVL_STAGE_ELU: case OVL_STAGE_EXP:
	case OVL_STAGE_LOG: case OVL_STAGE_ERF: case OVL_STAGE_MISH: case OVL_STAGE_SOFTPLUS: case OVL_STAGE_SELU: case OVL_STAGE_POW: case OVL_STAGE_RPOW:
		return true;
	default:
		return false;
	}
}

static void cut(ovl_eltwise_plan *e)
{
	ovl_loops *l = &e->loops;
	int64_t weight = 1, outer;
	int used = l->rank > 1 ? 2 : l->rank;
	e->length = l->rank ? l->dims[l->rank - 1] : 1;
	e->count = l->rank > 1 ? l->dims[l->rank - 2] : 1;
	e->n = e->length < OVL_ELTWISE_BLOCK ? e->length : OVL_ELTWISE_BLOCK;
	e->rows = e->length < OVL_ELTWISE_BLOCK ? OVL_ELTWISE_BLOCK / e->length : 1;
	e->packed = e->length < 8 && e->count > 1;
	for (int v = 0; v < l->n_values && l->rank; v++) {
		int64_t step = l->strides[v][l->rank - 1];
		e->packed = e->packed || (step != 1 && (step != 0 || v < 2));
	}
	if (e->rows > e->count)
		e->rows = e->count;
	e->pieces = (e->length + e->n - 1) / e->n;
	e->bands = (e->count + e->rows - 1) / e->rows;
	outer = ovl_loops_count(l, l->rank - used);
	e->units = outer * e->bands * e->pieces;
	for (int i = 0; i < e->n_stages; i++)
		weight += slow_stage(e->stage[i].kind) ? 4 : 1;
	e->grain = 1 + 32768 / (weight * e->n * e->rows);
}

static int add_value(ovl_eltwise_plan *e, const ovl_problem *p, ovl_desc *descs, int input, int n)
{
	descs[n - 1] = operand_desc(p, input);
	e->input[n] = input;
	return n;
}

ovl_status ovl_eltwise_prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	ovl_desc descs[OVL_LOOPS_MAX];
	const ovl_desc *list[OVL_LOOPS_MAX];
	ovl_eltwise_plan *e = ovl_calloc(1, sizeof *e);
	int n = 1;
	if (!e)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for an element-wise step");
	out->state = e;
	add_value(e, p, descs, 0, n++);
	e->n_stages = 1 + p->n_posts;
	if (!own_stage(p, &e->stage[0]))
		goto broken;
	if (e->stage[0].operand >= 0)
		e->stage[0].operand = add_value(e, p, descs, 1, n++);
	for (int i = 0; i < p->n_posts; i++) {
		const ovl_post *post = &p->posts[i];
		e->stage[i + 1] = (ovl_eltwise_stage){(ovl_stage_kind)post->kind, -1, post->alpha, post->beta};
		if (ovl_post_binary(post->kind))
			e->stage[i + 1].operand = add_value(e, p, descs, post->input, n++);
	}
	for (int i = 0; i < n - 1; i++)
		list[i] = &descs[i];
	if (!ovl_loops_broadcast(&e->loops, &p->out[0], n - 1, list))
		goto broken;
	if (ovl_desc_count(&p->out[0]))
		cut(e);
	snprintf(out->detail, sizeof out->detail, "%s", e->packed ? "blocks" : "rows");
	return OVL_OK;
broken:
	ovl_free(e);
	out->state = NULL;
	return ovl_fail(err, OVL_E_INTERNAL, "%s was prepared with values it did not accept", p->op);
}
