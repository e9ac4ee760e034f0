#include "ops/support_einsum.h"

#include <string.h>

static int letter(char c) { return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? 26 + c - 'a' : -1; }

static bool parse_term(const char **p, ovl_einsum_term *t)
{
	t->n = 0;
	t->ellipsis = -1;
	for (; **p && **p != ',' && strncmp(*p, "->", 2); (*p)++) {
		if (**p == ' ')
			continue;
		if (!strncmp(*p, "...", 3) && t->ellipsis < 0) {
			t->ellipsis = t->n;
			*p += 2;
		} else if (letter(**p) >= 0 && t->n < OVL_MAX_RANK)
			t->labels[t->n++] = letter(**p);
		else
			return false;
	}
	return true;
}

/* Without "->": all labels that occur once, in the order of the alphabet, behind the ellipsis. */
static void usual_output(ovl_einsum *e)
{
	int seen[OVL_EINSUM_LETTERS] = {0};
	e->out.n = 0;
	e->out.ellipsis = -1;
	for (int i = 0; i < e->n; i++) {
		for (int k = 0; k < e->in[i].n; k++)
			seen[e->in[i].labels[k]]++;
		if (e->in[i].ellipsis >= 0)
			e->out.ellipsis = 0;
	}
	for (int l = 0; l < OVL_EINSUM_LETTERS; l++)
		if (seen[l] == 1 && e->out.n < OVL_EINSUM_TERM_LABELS)
			e->out.labels[e->out.n++] = l;
}

ovl_status ovl_einsum_parse(const char *text, int n_in, ovl_einsum *e, ovl_error *err)
{
	const char *p = text;
	bool good = text != NULL;
	e->n = 0;
	while (good && e->n < OVL_EINSUM_TERMS) {
		good = parse_term(&p, &e->in[e->n++]);
		if (*p != ',')
			break;
		p++;
	}
	if (good && !strncmp(p, "->", 2)) {
		p += 2;
		good = parse_term(&p, &e->out);
	} else if (good)
		usual_output(e);
	if (!good || *p || e->n != n_in)
		return ovl_fail(err, OVL_E_ARGUMENT, "Einsum: equation '%.100s' is no sum of %d operands", text ? text : "", n_in);
	return OVL_OK;
}

ovl_status ovl_einsum_spread(ovl_einsum_term *t, int dims, ovl_error *err)
{
	if (dims < 0 || dims > OVL_MAX_RANK || t->n + dims > OVL_EINSUM_TERM_LABELS || (t->ellipsis < 0 && dims > 0))
		return ovl_fail(err, OVL_E_SHAPE, "Einsum: an operand has not as many dimensions as the equation tells");
	if (t->ellipsis < 0)
		return OVL_OK;
	memmove(t->labels + t->ellipsis + dims, t->labels + t->ellipsis, (size_t)(t->n - t->ellipsis) * sizeof *t->labels);
	for (int k = 0; k < dims; k++)
		t->labels[t->ellipsis + k] = OVL_EINSUM_LETTERS + dims - 1 - k;
	t->n += dims;
	return OVL_OK;
}
