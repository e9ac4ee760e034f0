#include "kernels/halves.h"
#include "base/memory.h"

const char *ovl_halves_plain(const ovl_problem *p, ovl_plain_problem *out)
{
	if (!p->precise_bf16)
		return "bf16 is not asked for";
	if (p->n_in > OVL_HALVES_MAX_IN || p->n_out < 1)
		return "too many inputs";
	out->p = *p;
	out->p.in = out->in;
	for (int i = 0; i < p->n_in; i++) {
		out->in[i] = p->in[i];
		if (p->in[i].type == OVL_BF16)
			out->in[i].type = OVL_F32;
	}
	if (p->n_out == 1) {
		out->p.out = &out->out;
		out->out = p->out[0];
		if (p->out[0].type == OVL_BF16)
			out->out.type = OVL_F32;
	}
	return NULL;
}

ovl_status ovl_halves_prepare(
	size_t size, ovl_halves_set_up set_up, void (*release)(void *state), const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	void *state = ovl_calloc(1, size);
	ovl_plain_problem plain;
	const char *why = ovl_halves_plain(p, &plain);
	ovl_status status;
	if (!state)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for %s", p->op);
	status = why ? ovl_fail(err, OVL_E_INTERNAL, "%s: %s", p->op, why) : set_up(state, p, &plain.p, out, err);
	if (status != OVL_OK)
		release(state);
	else
		out->state = state;
	return status;
}

void ovl_halves_operands(ovl_problem *p, int added)
{
	for (int i = p->n_op_in; i < p->n_in; i++)
		if (i != added)
			p->in_half[i] = false;
}
