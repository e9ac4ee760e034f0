/* pass.h - graph -> better graph. ONE FILE = ONE PASS: passes/fold_constants.c defines `const ovl_pass ovl_pass_fold_constants`.
 *
 * Passes run twice: once when a model is compiled (shapes may be dynamic) and once for each plan, on a copy whose input shapes are known. They keep results the
 * same within rounding, keep tensor names of results, and note what they fused away by ovl_pass_note_fused. A pass never needs a dimension to be known. */
#ifndef OVL_PASSES_PASS_H
#define OVL_PASSES_PASS_H

#include "graph/graph.h"
#include "graph/infer.h"

typedef struct ovl_pass {
	const char *name;
	int order; /* passes run in ascending order: 100 folding, 200 canonical forms, 300 patterns into one operator, 400 posts, 900 cleaning */
	ovl_status (*run)(ovl_graph *g, bool *changed, ovl_error *err);
} ovl_pass;

/* All passes in order, repeated (a few times) while something changes; prunes and sorts; re-infers what changed. OVLITE_VERBOSE=passes tells. */
ovl_status ovl_passes_run(ovl_graph *g, ovl_error *err);

/* Remembers that `gone` now lives inside `into`: profiling shows it as OPTIMIZED_OUT. */
ovl_status ovl_pass_note_fused(ovl_node *into, const ovl_node *gone, ovl_error *err);

/* Pattern helpers (passes/match.c). All accept a NULL node and answer false/NULL. */
ovl_node *ovl_match_source(const ovl_node *n, int input, const char *type_name); /* the node feeding that input when it is of this type */
bool ovl_match_scalar(ovl_end source, double *value); /* a known value of one element (any numeric type) */
bool ovl_match_scalar_is(ovl_end source, double value, double tolerance); /* relative tolerance */
/* For a commutative binary node: which of its inputs is a known constant (0 or 1), -1 when none or both are. */
int ovl_match_constant_input(const ovl_node *n);
bool ovl_match_used_once(ovl_end source);

#endif
