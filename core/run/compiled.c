#include "ovlite.h"
#include "run/compiled.h"

#include <string.h>

ovl_compiled *ovl_compiled_retain(ovl_compiled *c)
{
	__atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void ovl_compiled_destroy(ovl_compiled *c)
{
	ovl_engine_stop(c->engine);
	ovl_program_free(c->program);
	ovl_packs_free(c->packs);
	for (int s = 0; s < 2; s++)
		if (c->ports[s])
			c->free_ports(c->ports[s], c->n_ports[s]);
	for (size_t i = 0; i < c->n_variables; i++)
		ovl_free(c->variables[i].id);
	ovl_free(c->variables);
	if (c->source)
		c->free_source(c->source);
	ovl_config_free(&c->config);
	ovl_free(c->name);
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
}

bool ovl_compiled_memory(ovl_compiled *c, size_t i, const char **name, uint64_t *value)
{
	static const char *const names[] = {"weights", "packed", "arenas", "plans", "plan_hits", "plan_misses", "plan_evictions"};
	ovl_program_counters n;
	if (i >= sizeof names / sizeof *names)
		return false;
	ovl_program_count(c->program, &n);
	*name = names[i];
	*value = i == 0 ? n.weight_bytes : i == 1 ? ovl_packs_bytes(c->packs) : i == 2 ? ovl_engine_bytes(c->engine) : i == 3 ? n.plans : i == 4 ? n.hits : i == 5 ? n.misses : n.evictions;
	return true;
}

