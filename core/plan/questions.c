/* Questions that come up while a plan is built (tune.h): by which kernel and in which way a step is done, and which neighbours become one. */
#include "base/log.h"
#include "base/str.h"
#include "kernels/chain.h"
#include "plan/build.h"

#include <stdio.h>
#include <string.h>

/* ---- keys ---- */

static void add_desc(ovl_str *s, const ovl_desc *d)
{
	ovl_str_addf(s, "|%s", ovl_type_name(d->type));
	for (int i = 0; i < d->rank; i++)
		ovl_str_addf(s, ",%lld/%lld", (long long)d->dims[i], d->dims[i] == 1 ? 0 : (long long)d->strides[i]);
}

ovl_hash ovl_build_key(const ovl_node *n, const ovl_problem *p)
{
	ovl_str s = {0};
	ovl_hash key = {0};
	ovl_str_addf(&s, "%s %d threads, %s, %d%d%d%d, %llx", p->op, p->threads, ovl_isa_name(p->isa), p->accurate, p->precise_bf16, p->halves_read,
		p->added, (unsigned long long)p->unused);
	for (const ovl_attr *a = n->op->attrs; a && a->kind != OVL_KIND_END; a++) {
		ovl_str_addf(&s, "|%s=", a->name);
		ovl_attr_format(a, n->params, &s);
	}
	for (int i = 0; i < p->n_in; i++) {
		add_desc(&s, &p->in[i]);
		ovl_str_add(&s, p->in_data[i] ? "constant" : "");
	}
	for (int i = 0; i < p->n_out; i++)
		add_desc(&s, &p->out[i]);
	for (int i = 0; i < p->n_posts; i++)
		ovl_str_addf(&s, "|%s %d %a %a", ovl_post_name(p->posts[i].kind), p->posts[i].input, (double)p->posts[i].alpha, (double)p->posts[i].beta);
	if (!s.failed)
		key = ovl_hash_of(s.at, s.n, NULL);
	ovl_str_free(&s);
	return key;
}

static bool is_known(ovl_hash key) { return key.a || key.b; }

static ovl_hash join(ovl_hash a, ovl_hash b) { return is_known(a) && is_known(b) ? ovl_hash_join(a, b) : (ovl_hash){0}; }

static ovl_hash join_text(ovl_hash a, const char *text) { return join(a, ovl_hash_of(text, strlen(text), NULL)); }

/* ---- asking ---- */

static const char *describe(const ovl_step *s, char buf[OVL_TUNE_SUBJECT])
{
	snprintf(buf, OVL_TUNE_SUBJECT, "%s '%s'", s->type, s->name);
	return buf;
}

static int ask(ovl_build *b, const ovl_question *q, int first, int n)
{
	ovl_span span;
	int answer = ovl_tuning_answer(b->options->tuning, q, &span);
	span.first = first;
	span.n = n;
	if (span.question >= 0)
		(void)ovl_vec_push(&b->plan->spans, span); /* without memory for it nobody is timed */
	if (answer && ovl_log_on(OVL_LOG_DISPATCH))
		ovl_log("dispatch: %s -> %s, by measurement", q->subject, q->answers[answer]);
	return answer;
}

/* ---- chains ---- */

/* "1+3": a step of its own and a chain of three. */
static void name_cuts(char *to, int n, unsigned cuts)
{
	size_t at = 0;
	for (int k = 0, length = 0; k < n; k++) {
		length++;
		if (k + 1 == n || (cuts >> k & 1)) {
			at += (size_t)snprintf(to + at, OVL_TUNE_NAME - at, "%s%d", at ? "+" : "links ", length);
			length = 0;
		}
	}
}

/* Where estimates make no chain of all, a shorter one may begin at a later link: that is asked when its turn comes. */
unsigned ovl_build_cuts(ovl_build *b, size_t draft, int n, unsigned cuts, bool means)
{
	const ovl_draft *d = &b->drafts.at[draft];
	unsigned masks[OVL_TUNE_ANSWERS] = {cuts}, all = (1u << (n - 1)) - 1;
	char subject[OVL_TUNE_SUBJECT];
	ovl_question q = {.about = OVL_TUNE_CHAINS, .subject = describe(&b->plan->steps.at[d->step], subject), .n = 1};
	if (!ovl_tuning_active(b->options->tuning))
		return cuts;
	for (unsigned mask = 0; mask <= (cuts == all ? 0 : all); mask++)
		if (mask != cuts)
			masks[q.n++] = mask;
	for (int i = 0; i < q.n; i++)
		name_cuts(q.answers[i], n, masks[i]);
	q.key = join_text(d->key, means ? "a chain with means" : "a chain");
	for (int i = 1; i < n; i++)
		q.key = join(q.key, d[i].key);
	return masks[ask(b, &q, d->step, n + means)];
}

/* ---- steps ---- */

static void name_rival(char *to, const ovl_rival *r)
{
	snprintf(to, OVL_TUNE_NAME, "%s%s%s", r->kernel->name, r->way ? " " : "", r->way ? r->kernel->ways[r->way - 1] : "");
}

static void answer_step(ovl_build *b, ovl_draft *d, const ovl_rival *rivals, int n, ovl_hash key)
{
	ovl_step *s = &b->plan->steps.at[d->step];
	char subject[OVL_TUNE_SUBJECT];
	ovl_question q = {.about = OVL_TUNE_STEPS, .key = key, .subject = describe(s, subject), .n = n};
	int answer;
	for (int i = 0; i < n; i++)
		name_rival(q.answers[i], &rivals[i]);
	answer = ask(b, &q, d->step, 1);
	s->kernel = rivals[answer].kernel;
	d->way = rivals[answer].way;
}

static void answer_chain(ovl_build *b, ovl_draft *d)
{
	ovl_rival ways[OVL_TUNE_ANSWERS] = {{&ovl_chain, 0}};
	ovl_hash key = d->links[0].draft.key;
	int n = 1;
	for (int i = 1; i < d->n_links; i++)
		key = join(key, d->links[i].draft.key);
	while (n < OVL_TUNE_ANSWERS && ovl_chain.ways[n - 1]) {
		ways[n] = (ovl_rival){&ovl_chain, n};
		n++;
	}
	answer_step(b, d, ways, n, join_text(key, d->means ? "bands with means" : "bands"));
}

void ovl_build_answers(ovl_build *b)
{
	if (!ovl_tuning_active(b->options->tuning))
		return;
	for (size_t i = 0; i < b->drafts.n; i++) {
		ovl_draft *d = &b->drafts.at[i];
		if (d->n_links)
			answer_chain(b, d);
		else if (d->n_rivals > 1)
			answer_step(b, d, d->rivals, d->n_rivals, d->key);
	}
}
