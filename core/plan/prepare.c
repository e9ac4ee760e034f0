/* Preparing kernels ahead of the others: those that pack weights, on several threads at once, and each constant's memory goes as soon as its last reader has packed it. */
#include "base/log.h"
#include "plan/build.h"
#include "plan/program.h"

#include <pthread.h>
#include <string.h>

enum { WORTH_THREADS = 1 << 20 }; /* bytes of weights */

typedef struct packing {
	ovl_build *b;
	size_t *drafts; /* positions of those that are done here */
	size_t n;
	int *readers; /* per slot: how many of them have not packed it yet; -1: someone else reads it */
	pthread_mutex_t lock; /* readers, slots' constants, the outcome */
	ovl_error err;
	ovl_status status;
} packing;

static bool packs(const ovl_draft *d, int i) { return i < 64 && (d->packed >> i & 1); }

static int slot_of(const ovl_build *b, int value) { return value < 0 ? -1 : b->plan->values.at[value].slot; }

/* oneDNN has threads of its own, and chains are prepared link by link: these wait for their turn. */
static bool is_ours(const ovl_build *b, const ovl_draft *d)
{
	const ovl_step *s = &b->plan->steps.at[d->step];
	return d->packed && !d->n_links && s->kernel && !strstr(s->kernel->name, "onednn");
}

static void pin(packing *p, int slot)
{
	if (slot >= 0)
		p->readers[slot] = -1;
}

static void pin_step(packing *p, const ovl_step *s, const ovl_draft *d)
{
	for (int k = 0; k < s->n_in; k++)
		if (!d || !packs(d, k))
			pin(p, slot_of(p->b, s->in[k]));
}

/* What others read stays: reference steps have no draft, and read when they run. `ours`: per step its draft, when it is done here. */
static void pin_others(packing *p, const ovl_draft *const *ours)
{
	const ovl_build *b = p->b;
	for (size_t i = 0; i < b->plan->steps.n; i++)
		pin_step(p, &b->plan->steps.at[i], ours[i]);
	for (int i = 0; i < b->plan->n_outputs; i++)
		pin(p, slot_of(b, b->plan->output_values[i]));
	for (size_t i = 0; i < b->drafts.n; i++)
		for (int k = 0; k < b->drafts.at[i].n_links; k++)
			for (int j = 0; j < b->drafts.at[i].links[k].n_in; j++)
				pin(p, slot_of(b, b->drafts.at[i].links[k].in[j]));
}

static size_t collect(packing *p, const ovl_draft **ours)
{
	const ovl_build *b = p->b;
	size_t bytes = 0;
	for (size_t i = 0; i < b->drafts.n; i++) {
		const ovl_step *s = &b->plan->steps.at[b->drafts.at[i].step];
		if (!is_ours(b, &b->drafts.at[i]))
			continue;
		p->drafts[p->n++] = i;
		ours[b->drafts.at[i].step] = &b->drafts.at[i];
		for (int k = 0; k < s->n_in; k++)
			if (packs(&b->drafts.at[i], k) && s->in[k] >= 0) {
				p->readers[slot_of(b, s->in[k])]++;
				bytes += ovl_desc_span(&b->plan->values.at[s->in[k]].desc);
			}
	}
	return bytes;
}

static void let_go(packing *p, const ovl_draft *d, const ovl_step *s)
{
	for (int k = 0; k < s->n_in; k++) {
		int slot = packs(d, k) ? slot_of(p->b, s->in[k]) : -1;
		ovl_slot *at = slot >= 0 ? &p->b->plan->slots.at[slot] : NULL;
		if (at && at->kind == OVL_SLOT_CONST && p->readers[slot] > 0 && --p->readers[slot] == 0)
			ovl_build_release_constant(p->b, at);
	}
}

static void prepare_one(void *arg, int64_t chunk, int worker)
{
	packing *p = arg;
	ovl_error err;
	ovl_build mine = *p->b; /* errors of its own */
	ovl_draft *d = &p->b->drafts.at[p->drafts[chunk]];
	ovl_step *s = &p->b->plan->steps.at[d->step];
	ovl_problem problem;
	ovl_status st;
	(void)worker;
	mine.err = &err;
	pthread_mutex_lock(&p->lock); /* constants that are let go meanwhile are in the same array as those that are looked at here */
	st = p->status == OVL_OK ? ovl_build_problem(&mine, d, s->in, s->n_in, s->out, s->n_out, &problem) : OVL_E_INTERNAL;
	pthread_mutex_unlock(&p->lock);
	if (st != OVL_OK && p->status != OVL_OK)
		return;
	if (st == OVL_OK) {
		st = s->kernel->prepare(&problem, &s->prep, &err);
		ovl_build_problem_free(&problem);
	}
	pthread_mutex_lock(&p->lock);
	d->prepared = st == OVL_OK;
	if (st == OVL_OK)
		let_go(p, d, s);
	else if (p->status == OVL_OK) {
		ovl_error_prefix(&err, "node '%s'", s->name);
		p->status = st;
		p->err = err;
	}
	pthread_mutex_unlock(&p->lock);
}

static void prepare_all(packing *p, size_t bytes)
{
	int threads = p->b->options->threads;
	ovl_pool *pool = bytes >= WORTH_THREADS && threads > 1 && p->n > 1 ? ovl_pool_new(threads) : NULL;
	pthread_mutex_init(&p->lock, NULL);
	ovl_pool_run(pool, (int64_t)p->n, prepare_one, p);
	pthread_mutex_destroy(&p->lock);
	ovl_pool_free(pool);
}

ovl_status ovl_build_pack(ovl_build *b)
{
	packing p = {.b = b};
	const ovl_draft **ours = ovl_calloc(b->plan->steps.n + 1, sizeof *ours);
	p.drafts = ovl_calloc(b->drafts.n + 1, sizeof *p.drafts);
	p.readers = ovl_calloc(b->plan->slots.n + 1, sizeof *p.readers);
	if (!p.drafts || !p.readers || !ours)
		p.status = ovl_fail(&p.err, OVL_E_MEMORY, "not enough memory for a plan");
	else {
		size_t bytes = collect(&p, ours);
		pin_others(&p, ours);
		prepare_all(&p, bytes);
	}
	ovl_free(ours);
	ovl_free(p.drafts);
	ovl_free(p.readers);
	if (p.status != OVL_OK)
		*b->err = p.err;
	return p.status;
}
