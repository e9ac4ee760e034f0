/* The pass manager and the small helpers that all passes share. */
#include "passes/pass.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

extern const ovl_pass *const ovl_pass_list[]; /* build/gen/passes_list.c, from the names of the files */

enum { MAX_PASSES = 128, MAX_ROUNDS = 16, LATE = 400 };

static int by_order(const void *a, const void *b)
{
	const ovl_pass *x = *(const ovl_pass *const *)a, *y = *(const ovl_pass *const *)b;
	return x->order != y->order ? (x->order < y->order ? -1 : 1) : strcmp(x->name, y->name);
}

static size_t sorted_passes(const ovl_pass **out)
{
	size_t n = 0;
	while (ovl_pass_list[n] && n < MAX_PASSES) {
		out[n] = ovl_pass_list[n];
		n++;
	}
	qsort(out, n, sizeof *out, by_order);
	return n;
}

ovl_status ovl_passes_run(ovl_graph *g, ovl_error *err)
{
	const ovl_pass *list[MAX_PASSES];
	size_t n = sorted_passes(list);
	bool again = true;
	for (int round = 0; again && round < MAX_ROUNDS; round++) {
		again = false;
		for (size_t i = 0; i < n; i++) {
			bool changed = false;
			size_t before = g->nodes.n;
			if (list[i]->order >= LATE && again && round + 1 < MAX_ROUNDS)
				break; /* the earlier ones first, as often as they find something */
			if (list[i]->run(g, &changed, err) != OVL_OK)
				return ovl_error_prefix(err, "pass %s", list[i]->name);
			if (!changed)
				continue;
			again = true;
			ovl_graph_prune(g);
			OVL_TRY(ovl_graph_infer(g, err));
			if (ovl_log_on(OVL_LOG_PASSES))
				ovl_log("passes: %s: %zu -> %zu nodes", list[i]->name, before, g->nodes.n);
		}
	}
	ovl_graph_prune(g);
	return ovl_graph_sort(g, err);
}

ovl_status ovl_pass_note_fused(ovl_node *into, const ovl_node *gone, ovl_error *err)
{
	char *name = ovl_strdup(gone->name);
	if (!name || !ovl_vec_push(&into->fused, name)) {
		ovl_free(name);
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a pass");
	}
	for (size_t i = 0; i < gone->fused.n; i++) {
		name = ovl_strdup(gone->fused.at[i]);
		if (!name || !ovl_vec_push(&into->fused, name)) {
			ovl_free(name);
			return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a pass");
		}
	}
	return OVL_OK;
}
