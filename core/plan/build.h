/* build.h - what the files of plan/ share while a plan is made. */
#ifndef OVL_PLAN_BUILD_H
#define OVL_PLAN_BUILD_H

#include "graph/graph.h"
#include "plan/plan.h"
#include "plan/tune.h"

/* Another kernel, or way of one, that would take a problem in the same forms. */
typedef struct ovl_rival {
	const ovl_kernel *kernel;
	int way; /* as in a problem */
} ovl_rival;

/* A step while it is being made: the problem its kernel accepted, for prepare() once all strides are final. */
typedef struct ovl_draft {
	int node; /* position in the graph's order; -1: a copy */
	int step; /* position in plan->steps */
	const char *op;
	const void *params; /* of the node, or NULL */
	const ovl_post *posts;
	int n_posts, n_op_in;
	uint64_t packed; /* bit i: input i was packed by prepare() */
	uint64_t unused; /* bit i: output i has no reader */
	int in_place, way;
	bool prepared; /* by ovl_build_pack */
	struct ovl_build_link *links; /* of a chain (chains.c), which packs by itself */
	int n_links;
	bool means; /* of a chain: of its channels, as output 1 */
	ovl_hash key; /* with TUNE: of all that matters for its speed; all zero: not known */
	ovl_rival *rivals; /* with TUNE: who could do it, the first choice in front */
	int n_rivals;
} ovl_draft;

/* A link of a chain: what was a step of its own. */
struct ovl_build_link {
	ovl_draft draft;
	const ovl_kernel *kernel;
	int n_in, *in, out; /* values */
};

typedef struct ovl_build {
	ovl_program *program;
	const ovl_plan_options *options;
	ovl_packs *packs;
	ovl_graph *graph; /* specialised */
	ovl_plan *plan;
	int **node_values; /* [node->index][port] -> value, -1 not made yet */
	OVL_VEC(ovl_draft) drafts;
	OVL_VEC(int) copy_of; /* per value: a copy of it in another form (chain through copy_next), -1 none */
	OVL_VEC(int) copy_next;
	OVL_VEC(int) viewed; /* per value: how many views were derived from it */
	ovl_error *err;
} ovl_build;

/* build.c */
int ovl_build_value(ovl_build *b, int slot, size_t offset, const ovl_desc *desc, bool late); /* -1: out of memory */
int ovl_build_slot(ovl_build *b, ovl_slot_kind kind, size_t size, int index, ovl_tensor *constant);
ovl_status ovl_build_form(ovl_build *b, int value, ovl_form form, int *out); /* this value in that form, copying where needed */
ovl_status ovl_build_stored(ovl_build *b, int value, ovl_form form, bool half, int *out); /* the same, and stored as halves or not */
bool ovl_build_halves_read(const ovl_build *b, const ovl_node *n); /* readers of output 0 can take halves: halves.c */
bool ovl_build_added(const ovl_node *n); /* output 0 is an operand of a reader's posts */
ovl_status ovl_build_copy_step(ovl_build *b, int from, int to, const char *name);
ovl_step *ovl_build_step(ovl_build *b, int n_in, int n_out); /* appended; NULL: out of memory */

/* The problem of a draft whose step has these values; to be freed. */
ovl_status ovl_build_problem(ovl_build *b, const ovl_draft *d, const int *in, int n_in, const int *out, int n_out, ovl_problem *p);
void ovl_build_problem_free(ovl_problem *p);

/* views.c: *done is false when the node is no view. */
ovl_status ovl_build_view(ovl_build *b, const ovl_node *n, bool *done);
bool ovl_reshape_strides(const ovl_desc *from, int rank, const int64_t *dims, int64_t *strides); /* a new shape on the same memory, where that is possible */

/* memory.c: in-place concatenation and element-wise steps, lifetimes. */
ovl_status ovl_build_memory(ovl_build *b);
ovl_status ovl_build_arena(ovl_build *b); /* arena.c: offsets, once lifetimes are known */
int ovl_slot_root(const ovl_plan *p, int slot, size_t *at); /* follows merges; *at += the byte offset */

/* cost.c: least arithmetic and memory traffic, for profiles. */
double ovl_node_flops(const ovl_node *n); /* multiplications and additions; other operators count one an element */
void ovl_build_bytes(ovl_build *b);       /* once the values' places are final and before packed inputs are cut off */

/* chains.c */
ovl_status ovl_build_chains(ovl_build *b); /* once all forms are final */
ovl_status ovl_build_chain(ovl_build *b, const ovl_draft *d, ovl_prepared *out); /* prepares one */
void ovl_build_draft_free(ovl_draft *d); /* what it owns */

/* questions.c: choices by measurement (tune.h) */
ovl_hash ovl_build_key(const ovl_node *n, const ovl_problem *p);
/* Where n drafts that could be a chain are cut; bit i: link i + 1 begins another. `cuts`: what estimates say. */
unsigned ovl_build_cuts(ovl_build *b, size_t draft, int n, unsigned cuts, bool means);
void ovl_build_answers(ovl_build *b); /* which of its rivals does a draft, once chains are made */

/* prepare.c: the kernels that pack weights, before the others. */
ovl_status ovl_build_pack(ovl_build *b);
void ovl_build_release_constant(ovl_build *b, ovl_slot *s); /* build.c: all of its readers have packed it */

/* reference.c */
ovl_status ovl_ref_new(const ovl_node *n, const ovl_plan_options *options, ovl_packs *packs, ovl_ref **out, ovl_error *err);
void ovl_ref_free(ovl_ref *r);

ovl_status ovl_plan_build(ovl_program *program, const ovl_graph *g, const ovl_shape *inputs, ovl_packs *packs, ovl_plan **out, ovl_error *err);

#endif
