#include "ovlite.h"
#include "plan/tune.h"
#include "run/compiled.h"

#include <string.h>

ovl_compiled *ovl_compiled_retain(ovl_compiled *c)
{
	__atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void ovl_compiled_clear(ovl_compiled *c)
{
	ovl_compiled fresh = {.refs = c->refs, .config = c->config};
	ovl_engine_stop(c->engine);
	ovl_program_free(c->program);
	ovl_packs_free(c->packs);
	ovl_tuning_free(c->tuning);
	for (int s = 0; s < 2; s++)
		if (c->ports[s])
			c->free_ports(c->ports[s], c->n_ports[s]);
	for (size_t i = 0; i < c->n_variables; i++)
		ovl_free(c->variables[i].id);
	ovl_free(c->variables);
	if (c->cache)
		c->free_cache(c->cache);
	ovl_free(c->name);
	*c = fresh;
}

void ovl_compiled_destroy(ovl_compiled *c)
{
	ovl_compiled_clear(c);
	ovl_config_free(&c->config);
	ovl_free(c);
}

void ovl_compiled_release(ovl_compiled *c)
{
	if (c && __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) == 0)
		ovl_compiled_destroy(c);
}

size_t ovl_compiled_ports(const ovl_compiled *c, ovl_side side) { return c->n_ports[side]; }
const ovl_port *ovl_compiled_port(const ovl_compiled *c, ovl_side side, size_t i) { return i < c->n_ports[side] ? &c->ports[side][i] : NULL; }

void ovl_compiled_release_memory(ovl_compiled *c)
{
	ovl_engine_trim(c->engine);
	ovl_program_trim(c->program);
	ovl_blocks_drop();
}

bool ovl_compiled_memory(ovl_compiled *c, size_t i, const char **name, uint64_t *value)
{
	static const char *const names[] = {"weights", "packed", "mapped", "arenas", "plans", "plan_hits", "plan_misses", "plan_evictions"};
	ovl_program_counters n;
	size_t packed, mapped;
	if (i >= sizeof names / sizeof *names)
		return false;
	ovl_program_count(c->program, &n);
	ovl_packs_bytes(c->packs, &packed, &mapped);
	const uint64_t values[] = {n.weight_bytes, packed, n.mapped_bytes + mapped, ovl_engine_bytes(c->engine), n.plans, n.hits, n.misses, n.evictions};
	*name = names[i];
	*value = values[i];
	return true;
}

/* ---- the memory plan ---- */

static const char *first_writer(const ovl_plan *p, int slot)
{
	const ovl_slot *s = &p->slots.at[slot];
	return s->first >= 0 && s->first < (int)p->steps.n ? p->steps.at[s->first].name : "";
}

static bool has_place(const ovl_slot *s) { return s->kind == OVL_SLOT_ARENA && s->merged < 0 && s->last >= 0; }

/* Plan, slots and names in one block. */
static ovl_memory_plan *new_memory_plan(const ovl_plan *p)
{
	size_t n = 0, text = 0, bytes;
	ovl_memory_plan *m;
	for (size_t i = 0; i < p->slots.n; i++)
		if (has_place(&p->slots.at[i])) {
			n++;
			text += strlen(first_writer(p, (int)i)) + 1;
		}
	bytes = sizeof *m + (n + 1) * sizeof *m->slots + text;
	m = ovl_calloc(1, bytes);
	if (m)
		m->slots = (ovl_memory_slot *)(m + 1);
	return m;
}

static void fill_memory_plan(ovl_memory_plan *m, const ovl_plan *p)
{
	char *text;
	for (size_t i = 0; i < p->slots.n; i++)
		m->n_slots += has_place(&p->slots.at[i]);
	text = (char *)(m->slots + m->n_slots + 1);
	m->arena_bytes = p->arena_size;
	m->scratch_bytes = p->scratch_size;
	m->n_steps = p->steps.n;
	m->n_slots = 0;
	for (size_t i = 0; i < p->slots.n; i++) {
		const ovl_slot *s = &p->slots.at[i];
		size_t n;
		if (!has_place(s))
			continue;
		n = strlen(first_writer(p, (int)i)) + 1;
		memcpy(text, first_writer(p, (int)i), n);
		m->slots[m->n_slots++] = (ovl_memory_slot){text, s->size, s->offset, s->first, s->last};
		m->slot_bytes += s->size;
		text += n;
	}
}

ovl_status ovl_compiled_memory_plan(ovl_compiled *c, ovl_memory_plan **out, ovl_error *err)
{
	ovl_plan *p = ovl_program_last_plan(c->program);
	ovl_memory_plan *m;
	if (!p)
		return ovl_fail(err, OVL_E_ARGUMENT, "there is no memory plan yet: shapes are open, and nothing has run");
	m = new_memory_plan(p);
	if (m)
		fill_memory_plan(m, p);
	ovl_plan_release(p);
	if (!m)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a memory plan");
	*out = m;
	return OVL_OK;
}
