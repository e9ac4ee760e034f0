/* Chains: neighbouring steps that pass rows on become one step (kernels/chain.h); what they pass on gets no memory of its own. */
#include "plan/build.h"
#include "base/log.h"
#include "kernels/chain.h"
#include <string.h>

typedef struct ovl_build_link build_link;

void ovl_build_draft_free(ovl_draft *d)
{
	for (int i = 0; i < d->n_links; i++) {
		ovl_free(d->links[i].in);
		ovl_free(d->links[i].draft.rivals);
	}
	ovl_free(d->links);
	ovl_free(d->rivals);
	d->links = NULL;
	d->rivals = NULL;
	d->n_links = d->n_rivals = 0;
}

/* Nobody but input `via` of step `reader` knows this value. */
static bool is_private(const ovl_build *b, int value, int reader, int via)
{
	const ovl_plan *p = b->plan;
	int slot = p->values.at[value].slot, readers = 0;
	if (p->slots.at[slot].kind != OVL_SLOT_ARENA || p->slots.at[slot].merged >= 0 || p->values.at[value].offset || b->viewed.at[value])
		return false;
	for (size_t i = 0; i < p->slots.n; i++)
		if (p->slots.at[i].merged == slot)
			return false;
	for (int i = 0; i < p->n_outputs; i++)
		if (p->values.at[p->output_values[i]].slot == slot)
			return false;
	for (size_t s = 0; s < p->steps.n; s++)
		for (int i = 0; i < p->steps.at[s].n_in; i++) {
			int v = p->steps.at[s].in[i];
			readers += v >= 0 && p->values.at[v].slot == slot;
		}
	return readers == 1 && p->steps.at[reader].in[via] == value;
}

/* Draft i as a link, where it can be one. Its problem is the caller's to free. */
static bool link_of(ovl_build *b, size_t i, ovl_chain_link *l)
{
	const ovl_draft *d = &b->drafts.at[i];
	const ovl_step *s = &b->plan->steps.at[d->step];
	int64_t ld;
	memset(l, 0, sizeof *l);
	if (!s->kernel || !s->kernel->rows || s->n_out != 1 || ovl_build_problem(b, d, s->in, s->n_in, s->out, s->n_out, &l->p) != OVL_OK)
		return false;
	l->kernel = s->kernel;
	l->via = s->kernel->rows->input(&l->p);
	if (l->via >= 0 && l->p.out[0].rank == 4 && ovl_desc_is_cl(&l->p.out[0], &ld))
		return true;
	ovl_build_problem_free(&l->p);
	return false;
}

/* The links from draft i on. */
static int collect(ovl_build *b, size_t i, ovl_chain_link *links)
{
	int n = 0, total = 0;
	while (i + (size_t)n < b->drafts.n && (n == 0 || ovl_chain_goes_on(links, n))) {
		const ovl_draft *d = &b->drafts.at[i + (size_t)n];
		const ovl_step *s = &b->plan->steps.at[d->step];
		ovl_chain_link *l = &links[n];
		if (n > 0 && (d->step != d[-1].step + 1 || total + s->n_in > 64))
			break;
		if (!link_of(b, i + (size_t)n, l))
			break;
		if (n > 0 && (s->in[l->via] != s[-1].out[0] || !is_private(b, s->in[l->via], d->step, l->via))) {
			ovl_build_problem_free(&l->p);
			break;
		}
		total += s->n_in;
		n++;
	}
	return n;
}

/* The step behind the links [i, i + n) is the mean of each channel of what they make. */
static bool means_follow(ovl_build *b, size_t i, const ovl_chain_link *links, int n)
{
	const ovl_draft *d = &b->drafts.at[i] + n;
	const ovl_step *s;
	const ovl_desc *axes;
	ovl_problem p;
	bool yes = links[n - 1].kernel->rows->sum && i + (size_t)n < b->drafts.n && d->op && !strcmp(d->op, "ReduceMean") && d->step == d[-1].step + 1 && !d->n_posts;
	int64_t sum = 0;
	if (!yes)
		return false;
	s = &b->plan->steps.at[d->step];
	if (s->n_in != 2 || s->n_out != 1 || s->in[0] != s[-1].out[0] || ovl_build_problem(b, d, s->in, s->n_in, s->out, s->n_out, &p) != OVL_OK)
		return false;
	axes = &p.in[1];
	yes = p.in[0].type == OVL_F32 && p.out[0].type == OVL_F32 && p.in_data[1] && ovl_desc_count(axes) == 2 && ovl_desc_is_dense(&p.out[0]) &&
	      ovl_desc_count(&p.out[0]) == p.in[0].dims[0] * p.in[0].dims[1];
	for (int k = 0; yes && k < 2; k++) {
		int64_t axis = axes->type == OVL_I64 ? ((const int64_t *)p.in_data[1])[k] : ((const int32_t *)p.in_data[1])[k];
		axis += axis < 0 ? 4 : 0;
		yes = axis == 2 || axis == 3;
		sum += axis;
	}
	ovl_build_problem_free(&p);
	return yes && sum == 5;
}

/* Names of all links, but for the last one's own; of the means behind them too. */
static bool join_names(ovl_plan *p, int first, int n, bool means)
{
	ovl_step *last = &p->steps.at[first + n - 1];
	const char **names;
	size_t count = 0, at = 0;
	for (int i = 0; i < n + means; i++)
		count += p->steps.at[first + i].n_fused + 1;
	names = ovl_calloc(count, sizeof *names);
	if (!names)
		return false;
	for (int i = 0; i < n + means; i++) {
		ovl_step *s = &p->steps.at[first + i];
		if (i + 1 != n) {
			names[at++] = s->name;
			s->name = NULL;
		}
		for (size_t k = 0; k < s->n_fused; k++)
			names[at++] = s->fused[k];
		ovl_free((void *)(uintptr_t)s->fused);
		s->fused = NULL;
		s->n_fused = 0;
	}
	last->fused = names;
	last->n_fused = at;
	return true;
}

/* Steps [first, first + n) as links of `merged`; those before the last stay behind empty, for remove_steps. */
static void take_links(ovl_build *b, size_t i, const ovl_chain_link *chain, int n, ovl_draft *merged, int *in)
{
	ovl_step *steps = &b->plan->steps.at[b->drafts.at[i].step], *last = &steps[n - 1];
	int at = 0;
	for (int k = 0; k < n; k++) {
		ovl_step *s = &steps[k];
		merged->links[k] = (build_link){b->drafts.at[i + (size_t)k], s->kernel, s->n_in, s->in, s->out[0]};
		merged->packed |= merged->links[k].draft.packed << at;
		for (int j = 0; j < s->n_in; j++)
			in[at++] = k > 0 && j == chain[k].via ? -1 : s->in[j];
		if (s != last) {
			last->flops += s->flops;
			*s = (ovl_step){.type = s->type};
			b->drafts.at[i + (size_t)k].step = -1;
		}
	}
}

/* Drafts [i, i + n) become one, the last, and so does the one of the means behind them. */
static ovl_status merge(ovl_build *b, size_t i, const ovl_chain_link *chain, int n, int total, bool means)
{
	int first = b->drafts.at[i].step, *in = ovl_alloc(((size_t)total + 3) * sizeof *in);
	ovl_step *last = &b->plan->steps.at[first + n - 1];
	ovl_draft *d = &b->drafts.at[i + (size_t)n - 1], merged = *d;
	merged.links = ovl_calloc((size_t)n, sizeof *merged.links);
	if (!in || !merged.links || !join_names(b->plan, first, n, means)) {
		ovl_free(in);
		ovl_free(merged.links);
		return ovl_fail(b->err, OVL_E_MEMORY, "not enough memory for a plan");
	}
	if (ovl_log_on(OVL_LOG_DISPATCH))
		ovl_log("dispatch: the last %d steps up to '%s' -> chain%s", n, last->name, means ? ", with means of channels" : "");
	merged.n_links = n;
	merged.packed = 0;
	merged.in_place = -1;
	merged.means = means;
	merged.rivals = NULL; /* the link's */
	merged.n_rivals = 0;
	in[total] = last->out[0];
	in[total + 1] = means ? last[1].out[0] : -1;
	take_links(b, i, chain, n, &merged, in);
	if (means) {
		last->flops += last[1].flops;
		ovl_free(last[1].in);
		last[1] = (ovl_step){.type = last[1].type};
		ovl_build_draft_free(&d[1]);
		d[1].step = -1;
	}
	last->n_in = total;
	last->n_out = 1 + means;
	last->in = in;
	last->out = in + total;
	last->kernel = &ovl_chain;
	*d = merged;
	return OVL_OK;
}

/* Spans of steps as they will be counted when the empty ones are gone. */
static void count_anew(ovl_plan *p)
{
	for (size_t i = 0; i < p->spans.n; i++) {
		ovl_span *s = &p->spans.at[i];
		int first = 0, n = 0;
		for (int k = 0; k < s->first + s->n; k++)
			*(k < s->first ? &first : &n) += p->steps.at[k].in != NULL;
		s->first = first;
		s->n = n;
	}
}

static void remove_steps(ovl_build *b)
{
	ovl_plan *p = b->plan;
	size_t steps = 0, drafts = 0, d = 0;
	count_anew(p);
	for (size_t s = 0; s < p->steps.n; s++) {
		for (; d < b->drafts.n && (b->drafts.at[d].step < 0 || b->drafts.at[d].step == (int)s); d++)
			if (b->drafts.at[d].step >= 0) {
				b->drafts.at[d].step = (int)steps;
				b->drafts.at[drafts++] = b->drafts.at[d];
			}
		if (p->steps.at[s].in)
			p->steps.at[steps++] = p->steps.at[s];
	}
	p->steps.n = steps;
	b->drafts.n = drafts;
}

/* Drafts [i, i + n), cut where bits are set: link k + 1 begins another chain, or is a step of its own. */
static ovl_status merge_parts(ovl_build *b, size_t i, const ovl_chain_link *links, int n, unsigned cuts, bool means)
{
	for (int k = 0, end; k < n; k = end) {
		int total = 0;
		for (end = k; end == k || (end < n && !(cuts >> (end - 1) & 1)); end++)
			total += links[end].p.n_in;
		if (end - k > 1)
			OVL_TRY(merge(b, i + (size_t)k, links + k, end - k, total, means && end == n));
	}
	return OVL_OK;
}

ovl_status ovl_build_chains(ovl_build *b)
{
	ovl_status st = OVL_OK;
	bool any = false;
	for (size_t i = 0; st == OVL_OK && i < b->drafts.n; i++) {
		ovl_chain_link links[OVL_CHAIN_LINKS];
		int n = collect(b, i, links);
		bool means = n > 1 && means_follow(b, i, links, n), pays = n > 1 && ovl_chain_pays(links, n, means);
		unsigned all = (1u << (n > 1 ? n - 1 : 0)) - 1, cuts = pays ? 0 : all;
		if (n > 1)
			cuts = ovl_build_cuts(b, i, n, cuts, means);
		if (cuts != all)
			st = merge_parts(b, i, links, n, cuts, means);
		for (int k = 0; k < n; k++)
			ovl_build_problem_free(&links[k].p);
		any = any || cuts != all;
		if (pays || cuts != all)
			i += (size_t)n - 1 + (means && !(cuts >> (n - 2) & 1));
	}
	if (any)
		remove_steps(b);
	return st;
}

ovl_status ovl_build_chain(ovl_build *b, const ovl_draft *d, ovl_prepared *out)
{
	ovl_chain_link links[OVL_CHAIN_LINKS];
	ovl_status st = OVL_OK;
	int n = 0;
	while (n < d->n_links && st == OVL_OK) {
		const build_link *from = &d->links[n];
		ovl_chain_link *l = &links[n];
		st = ovl_build_problem(b, &from->draft, from->in, from->n_in, &from->out, 1, &l->p);
		if (st != OVL_OK)
			break;
		l->kernel = from->kernel;
		l->via = l->kernel->rows->input(&l->p);
		n++;
	}
	if (st == OVL_OK)
		st = ovl_chain_prepare(links, n, d->means, d->way, out, b->err);
	for (int i = 0; i < n; i++)
		ovl_build_problem_free(&links[i].p);
	return st;
}
