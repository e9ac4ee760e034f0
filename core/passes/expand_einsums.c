/* Einsum of two operands is a product of matrices between Transposes and Reshapes, once shapes are known:
 *
 *     labels of both operands and the output: batch    of both, summed over: depth    of one and the output: rows (left operand), columns (right)
 *
 * Sums within one operand, diagonals and broadcast labels stay with the operator's own run. */
#include "ops/support_einsum.h"
#include "passes/pass.h"

typedef struct labels {
	int n, at[OVL_MAX_RANK];
} labels;

typedef struct split {
	labels batch, depth, side[2]; /* side: rows, columns */
	int64_t size[OVL_EINSUM_LABELS];
} split;

static int place(const ovl_einsum_term *t, int label)
{
	for (int i = 0; i < t->n; i++)
		if (t->labels[i] == label)
			return i;
	return -1;
}

static bool read_sizes(const ovl_node *n, const ovl_einsum *e, int64_t *size)
{
	for (int l = 0; l < OVL_EINSUM_LABELS; l++)
		size[l] = -1;
	for (int i = 0; i < 2; i++) {
		ovl_shape s;
		if (!ovl_pshape_to_shape(&ovl_source(n, i)->shape, &s) || s.rank != e->in[i].n)
			return false;
		for (int k = 0; k < s.rank; k++) {
			int l = e->in[i].labels[k];
			if (place(&e->in[i], l) != k || (size[l] >= 0 && size[l] != s.dims[k]) || s.dims[k] == 0)
				return false;
			size[l] = s.dims[k];
		}
	}
	return true;
}

/* False: a label is summed over in one operand alone. */
static bool sort_labels(const ovl_einsum *e, split *s)
{
	for (int k = 0; k < e->out.n; k++) {
		int l = e->out.labels[k], a = place(&e->in[0], l), b = place(&e->in[1], l);
		labels *to = a >= 0 && b >= 0 ? &s->batch : &s->side[a < 0];
		to->at[to->n++] = l;
	}
	for (int i = 0; i < 2; i++)
		for (int k = 0; k < e->in[i].n; k++) {
			int l = e->in[i].labels[k];
			if (place(&e->out, l) >= 0)
				continue;
			if (place(&e->in[1 - i], l) < 0)
				return false;
			if (i == 0)
				s->depth.at[s->depth.n++] = l;
		}
	return s->batch.n + 2 <= OVL_MAX_RANK && s->batch.n + s->side[0].n + s->side[1].n <= OVL_MAX_RANK;
}

static bool understood(const ovl_node *n, ovl_einsum *e, split *s)
{
	ovl_error ignored;
	if (!ovl_match_is(n, "Einsum") || n->in.n != 2 || n->out.at[0].type != OVL_F32 ||
		ovl_einsum_parse(((const ovl_einsum_params *)n->params)->equation, 2, e, &ignored) != OVL_OK)
		return false;
	*s = (split){0};
	for (int i = 0; i < 2; i++)
		if (!ovl_source(n, i)->shape.ranked || ovl_einsum_spread(&e->in[i], ovl_source(n, i)->shape.rank - e->in[i].n, &ignored) != OVL_OK)
			return false;
	if (e->out.ellipsis >= 0 && ovl_einsum_spread(&e->out, n->out.at[0].shape.rank - e->out.n, &ignored) != OVL_OK)
		return false;
	return read_sizes(n, e, s->size) && sort_labels(e, s);
}

static void append(labels *to, const labels *more)
{
	for (int i = 0; i < more->n; i++)
		to->at[to->n++] = more->at[i];
}

static int64_t product(const split *s, const labels *l)
{
	int64_t n = 1;
	for (int i = 0; i < l->n; i++)
		n *= s->size[l->at[i]];
	return n;
}

/* x, whose dimensions are `have`, with its dimensions in the order of `want`. */
static ovl_status ordered(ovl_graph *g, const char *name, ovl_end *x, const labels *have, const labels *want, ovl_error *err)
{
	int64_t order[OVL_MAX_RANK];
	ovl_end in[2] = {*x};
	ovl_node *made;
	for (int i = 0; i < want->n; i++)
		for (int k = 0; k < have->n; k++)
			if (have->at[k] == want->at[i])
				order[i] = k;
	OVL_TRY(ovl_pass_axes(g, order, want->n, &in[1], err));
	OVL_TRY(ovl_pass_node(g, "Transpose", name, in, 2, &made, err));
	*x = (ovl_end){made, 0};
	return OVL_OK;
}

static ovl_status shaped(ovl_graph *g, const char *name, ovl_end *x, const int64_t *dims, int n, ovl_error *err)
{
	ovl_end in[2] = {*x};
	ovl_node *made;
	OVL_TRY(ovl_pass_axes(g, dims, n, &in[1], err));
	OVL_TRY(ovl_pass_node(g, "Reshape", name, in, 2, &made, err));
	*x = (ovl_end){made, 0};
	return OVL_OK;
}

/* Operand i as [batch.., rows, depth] or [batch.., depth, columns]. */
static ovl_status matrices(ovl_graph *g, const ovl_node *n, const ovl_einsum *e, const split *s, int i, ovl_end *x, ovl_error *err)
{
	const labels *first = i ? &s->depth : &s->side[0], *second = i ? &s->side[1] : &s->depth;
	labels have = {0}, want = s->batch;
	int64_t dims[OVL_MAX_RANK];
	for (int k = 0; k < e->in[i].n; k++)
		have.at[have.n++] = e->in[i].labels[k];
	append(&want, first);
	append(&want, second);
	*x = n->in.at[i];
	OVL_TRY(ordered(g, n->name, x, &have, &want, err));
	for (int k = 0; k < s->batch.n; k++)
		dims[k] = s->size[s->batch.at[k]];
	dims[s->batch.n] = product(s, first);
	dims[s->batch.n + 1] = product(s, second);
	return shaped(g, n->name, x, dims, s->batch.n + 2, err);
}

static ovl_status expand(ovl_graph *g, ovl_node *n, const ovl_einsum *e, const split *s, ovl_error *err)
{
	labels have = s->batch, want = {0};
	int64_t dims[OVL_MAX_RANK];
	ovl_end in[2], x;
	ovl_node *made;
	for (int i = 0; i < 2; i++)
		OVL_TRY(matrices(g, n, e, s, i, &in[i], err));
	OVL_TRY(ovl_pass_node(g, "MatMul", n->name, in, 2, &made, err));
	append(&have, &s->side[0]);
	append(&have, &s->side[1]);
	for (int k = 0; k < have.n; k++)
		dims[k] = s->size[have.at[k]];
	for (int k = 0; k < e->out.n; k++)
		want.at[want.n++] = e->out.labels[k];
	x = (ovl_end){made, 0};
	OVL_TRY(shaped(g, n->name, &x, dims, have.n, err));
	if (want.n > 1)
		OVL_TRY(ordered(g, n->name, &x, &have, &want, err));
	return ovl_pass_replace(g, n, x.node, err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	for (size_t i = 0, count = g->nodes.n; i < count; i++) {
		ovl_node *n = g->nodes.at[i];
		ovl_einsum e;
		split s;
		if (!ovl_match_live(n) || n->out.at[0].value || !understood(n, &e, &s))
			continue;
		OVL_TRY(expand(g, n, &e, &s, err));
		*changed = true;
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_expand_einsums = {.name = "expand_einsums", .order = 120, .run = run};
