/* Memory: producers write straight into concatenations, element-wise steps reuse their input's memory; lifetimes for the arena (arena.c). */
#define _GNU_SOURCE
#include "plan/build.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

int ovl_slot_root(const ovl_plan *p, int slot, size_t *at)
{
	while (p->slots.at[slot].merged >= 0) {
		*at += p->slots.at[slot].merged_at;
		slot = p->slots.at[slot].merged;
	}
	return slot;
}

static int producer_of(const ovl_plan *p, int value)
{
	for (size_t s = 0; s < p->steps.n; s++)
		for (int i = 0; i < p->steps.at[s].n_out; i++)
			if (p->steps.at[s].out[i] == value)
				return (int)s;
	return -1;
}

/* A copy into a part of a bigger value can go when the copied value is a whole slot of its own that a kernel writes, nothing views it, and the part has the same form. */
static bool can_write_there(const ovl_build *b, const ovl_draft *d, int *producer)
{
	const ovl_plan *p = b->plan;
	const ovl_step *s = &p->steps.at[d->step];
	const ovl_value_ref *from = &p->values.at[s->in[0]], *to = &p->values.at[s->out[0]];
	const ovl_slot *fs = &p->slots.at[from->slot], *ts = &p->slots.at[to->slot];
	bool same = from->half == to->half;
	int64_t ld;
	if (fs->kind != OVL_SLOT_ARENA || fs->merged >= 0 || from->slot == to->slot || from->offset != 0 || b->viewed.at[s->in[0]] || from->late)
		return false;
	if (ts->kind == OVL_SLOT_OUTPUT || ts->merged >= 0)
		return false;
	for (int i = 0; i < from->desc.rank; i++)
		same = same && (from->desc.dims[i] == 1 || from->desc.strides[i] == to->desc.strides[i]);
	*producer = producer_of(p, s->in[0]);
	if (*producer < 0 || *producer > d->step)
		return false;
	if (same)
		return true;
	if (from->half != to->half)
		return false;
	/* one channel: dense is channels-last too, but the kernel may have promised nothing but dense */
	return p->steps.at[*producer].kernel && !ovl_desc_is_dense(&from->desc) && ovl_desc_is_cl(&from->desc, &ld) && ovl_desc_is_cl(&to->desc, &ld) && !ovl_desc_is_dense(&to->desc);
}

static void drop_step(ovl_build *b, int step)
{
	ovl_plan *p = b->plan;
	ovl_free(p->steps.at[step].in);
	ovl_free(p->steps.at[step].name);
	memmove(&p->steps.at[step], &p->steps.at[step + 1], (p->steps.n - (size_t)step - 1) * sizeof *p->steps.at);
	p->steps.n--;
	for (size_t i = 0, k = 0; i < b->drafts.n; i++) {
		ovl_draft d = b->drafts.at[i];
		if (d.step == step) {
			memmove(&b->drafts.at[i], &b->drafts.at[i + 1], (b->drafts.n - i - 1) * sizeof d);
			b->drafts.n--;
			i--;
			continue;
		}
		if (d.step > step)
			d.step--;
		b->drafts.at[k++] = d;
	}
}

static void place_into_concats(ovl_build *b)
{
	ovl_plan *p = b->plan;
	for (size_t i = 0; i < b->drafts.n; i++) {
		const ovl_draft *d = &b->drafts.at[i];
		int producer, from, to, slot;
		if (d->node != -1 || !can_write_there(b, d, &producer))
			continue;
		from = p->steps.at[d->step].in[0];
		to = p->steps.at[d->step].out[0];
		slot = p->values.at[from].slot;
		p->slots.at[slot].merged = p->values.at[to].slot;
		p->slots.at[slot].merged_at = p->values.at[to].offset;
		memcpy(p->values.at[from].desc.strides, p->values.at[to].desc.strides, sizeof p->values.at[from].desc.strides);
		b->viewed.at[from]++;
		drop_step(b, d->step);
		i--;
	}
}

static void touch(ovl_plan *p, int value, int step, bool write)
{
	size_t at = 0;
	ovl_slot *s;
	if (value < 0)
		return;
	s = &p->slots.at[ovl_slot_root(p, p->values.at[value].slot, &at)];
	if (write && (s->first < 0 || step < s->first))
		s->first = step;
	if (step > s->last)
		s->last = step;
}

static void lifetimes(ovl_build *b)
{
	ovl_plan *p = b->plan;
	uint64_t *packed = ovl_calloc(p->steps.n + 1, sizeof *packed);
	for (size_t i = 0; i < p->slots.n; i++)
		p->slots.at[i].first = p->slots.at[i].last = -1;
	for (size_t i = 0; packed && i < b->drafts.n; i++)
		packed[b->drafts.at[i].step] = b->drafts.at[i].packed;
	for (int s = 0; s < (int)p->steps.n; s++) {
		for (int i = 0; i < p->steps.at[s].n_in; i++)
			if (!packed || i >= 64 || !(packed[s] >> i & 1))
				touch(p, p->steps.at[s].in[i], s, false);
		for (int i = 0; i < p->steps.at[s].n_out; i++)
			touch(p, p->steps.at[s].out[i], s, true);
	}
	for (int i = 0; i < p->n_outputs; i++)
		touch(p, p->output_values[i], (int)p->steps.n, false);
	ovl_free(packed);
}

static bool same_strides(const ovl_desc *a, const ovl_desc *c)
{
	for (int i = 0; i < a->rank; i++)
		if (a->dims[i] != c->dims[i] || (a->dims[i] != 1 && a->strides[i] != c->strides[i]))
			return false;
	return a->rank == c->rank && ovl_type_size(a->type) == ovl_type_size(c->type);
}

/* Output 0 moves into the memory of an input that nobody needs afterwards. */
static void reuse_inputs(ovl_build *b)
{
	ovl_plan *p = b->plan;
	for (size_t i = 0; i < b->drafts.n; i++) {
		const ovl_draft *d = &b->drafts.at[i];
		const ovl_step *s = &p->steps.at[d->step];
		const ovl_value_ref *from, *to;
		ovl_slot *fs, *ts;
		size_t at = 0;
		int root;
		bool twice = false;
		if (d->in_place < 0 || s->in[d->in_place] < 0 || (d->packed >> d->in_place & 1))
			continue;
		from = &p->values.at[s->in[d->in_place]];
		to = &p->values.at[s->out[0]];
		root = ovl_slot_root(p, from->slot, &at);
		fs = &p->slots.at[root];
		ts = &p->slots.at[to->slot];
		for (int k = 0; k < s->n_in; k++) { /* another operand in the same memory would be overwritten while it is read */
			size_t other = 0;
			twice = twice || (k != d->in_place && s->in[k] >= 0 && ovl_slot_root(p, p->values.at[s->in[k]].slot, &other) == root);
		}
		if (twice || fs->kind != OVL_SLOT_ARENA || ts->kind != OVL_SLOT_ARENA || ts->merged >= 0 || fs->last != d->step || !same_strides(&from->desc, &to->desc))
			continue;
		if (at + from->offset + ts->size > fs->size || to->offset)
			continue;
		ts->merged = root;
		ts->merged_at = at + from->offset;
		fs->last = ts->last > fs->last ? ts->last : fs->last;
	}
}

ovl_status ovl_build_memory(ovl_build *b)
{
	place_into_concats(b);
	OVL_TRY(ovl_build_chains(b));
	lifetimes(b);
	reuse_inputs(b);
	lifetimes(b);
	OVL_TRY(ovl_build_arena(b));
	if (ovl_log_on(OVL_LOG_PLAN))
		ovl_log("plan: %zu steps, %zu values, arena %zu bytes", b->plan->steps.n, b->plan->values.n, b->plan->arena_size);
	return OVL_OK;
}
