/* plan.h - a program for one set of input shapes: steps in order, values in memory, prepared kernels. Immutable once built, shared by all streams.
 *
 *     program = graph + packed weights + cache of plans       (one per compiled model, one per body of If, Loop, TensorIterator)
 *     plan    = steps + values + slots                         (one per set of input shapes)
 *
 * A value is a strided view on a slot; several values may view one slot (reshapes, transposes, slices, splits, parts of a concatenation). A slot is memory: of the
 * arena, of a constant, of an input or output of the request, or "late": a tensor that is made at run time because its shape depends on data. */
#ifndef OVL_PLAN_PLAN_H
#define OVL_PLAN_PLAN_H

#include "base/vec.h"
#include "kernels/kernel.h"
#include "kernels/packs.h"

typedef struct ovl_program ovl_program;
typedef struct ovl_plan ovl_plan;
typedef struct ovl_ref ovl_ref; /* an operator's reference run with all it needs: plan/reference.c */

typedef enum ovl_slot_kind { OVL_SLOT_ARENA, OVL_SLOT_CONST, OVL_SLOT_INPUT, OVL_SLOT_OUTPUT, OVL_SLOT_LATE } ovl_slot_kind;

typedef struct ovl_slot {
	ovl_slot_kind kind;
	size_t size; /* bytes: arena */
	size_t offset; /* bytes into the arena */
	int index; /* input or output position */
	ovl_tensor *constant; /* owned; NULL once every reader has packed it */
	int first, last; /* steps: written first, used last */
	int merged; /* lives inside this slot ... */
	size_t merged_at; /* ... at this byte; -1: a slot of its own */
} ovl_slot;

typedef struct ovl_value_ref {
	int slot;
	size_t offset; /* bytes from the slot's start */
	ovl_desc desc; /* meaningless for late values, but for the type where it is known */
	bool late;
	bool half; /* an f32 value that is stored as bf16 (desc.type) */
} ovl_value_ref;

typedef struct ovl_step {
	const ovl_kernel *kernel; /* NULL: reference run */
	ovl_prepared prep;
	ovl_ref *ref;
	int n_in, n_out;
	int *in, *out; /* values; -1: absent input */
	bool late; /* shapes are inferred when it runs */
	char *name; /* friendly name of the node */
	const char *type; /* operator type */
	char exec_type[80];
	const char *const *fused; /* names of nodes that were fused into it */
	size_t n_fused;
	double flops, bytes; /* estimates, for profiles; 0: not known */
} ovl_step;

/* Steps that a choice by measurement is about (plan/tune.h). */
typedef struct ovl_span {
	int question, first, n; /* steps [first, first + n) */
	double handicap; /* what their time is multiplied with: 1 but in specs */
} ovl_span;

struct ovl_plan {
	int refs; /* atomic */
	ovl_program *program; /* borrowed: the program outlives its plans' runs (a run holds the compiled model) */
	int n_inputs, n_outputs;
	ovl_shape *input_shapes; /* the key */
	OVL_VEC(ovl_slot) slots;
	OVL_VEC(ovl_value_ref) values;
	OVL_VEC(ovl_step) steps;
	OVL_VEC(ovl_span) spans; /* none without TUNE */
	int *output_values; /* per output: the value that holds it at the end */
	bool *output_direct; /* the last step writes straight into the request's tensor */
	ovl_type *output_types;
	size_t arena_size, scratch_size; /* bytes; scratch: what steps share, then a room for each worker */
	size_t shared_size, room_size;
	uint64_t used; /* for the cache's order */
	int64_t least_ns; /* atomic: the shortest run of all requests; 0: none yet */
};

/* What a program is compiled for. */
typedef struct ovl_plan_options {
	int threads;
	ovl_isa isa;
	bool bf16;
	bool accurate; /* EXECUTION_MODE_HINT = ACCURACY */
	struct ovl_tuning *tuning; /* TUNE = YES: answers there are; borrowed. NULL: estimates choose */
	size_t cache_entries; /* plans kept, at least 1 */
	size_t cache_bytes; /* their arenas and prepared states, roughly */
} ovl_plan_options;

struct ovl_graph;
/* Takes the graph over (also when it fails). Runs the passes. `packs` is shared with the compiled model (borrowed). */
ovl_status ovl_program_new(struct ovl_graph *g, const ovl_plan_options *options, ovl_packs *packs, ovl_program **out, ovl_error *err);
/* The same with a graph that has been through the passes already. */
ovl_status ovl_program_load(struct ovl_graph *g, const ovl_plan_options *options, ovl_packs *packs, ovl_program **out, ovl_error *err);
void ovl_program_free(ovl_program *p);
int ovl_program_inputs(const ovl_program *p);
int ovl_program_outputs(const ovl_program *p);
const ovl_plan_options *ovl_program_options(const ovl_program *p);
/* A plan for these shapes that is not kept: for trials. */
ovl_status ovl_program_trial(ovl_program *p, const ovl_shape *inputs, ovl_plan **out, ovl_error *err);
/* The plan for these shapes, from the cache or built now: a new reference. Thread-safe. */
ovl_status ovl_program_plan(ovl_program *p, const ovl_shape *inputs, ovl_plan **out, ovl_error *err);
typedef struct ovl_program_counters {
	uint64_t plans, hits, misses, evictions, weight_bytes, mapped_bytes; /* weights in memory of our own, and in mapped files */
} ovl_program_counters;
void ovl_program_count(ovl_program *p, ovl_program_counters *out);
void ovl_program_trim(ovl_program *p); /* forgets all plans but the last one used */
const struct ovl_graph *ovl_program_graph(const ovl_program *p); /* after the passes, before shapes: borrowed; its weights may not be looked at */
/* A copy of that graph. */
ovl_status ovl_program_clone(ovl_program *p, struct ovl_graph **out, ovl_error *err);
/* Gives memory of weights back that only the graph holds and that can be filled again (base/refill.h). Done after the first plan too, since later ones are rare;
 * the second plan brings them back for good. */
void ovl_program_settle(ovl_program *p);
struct ovl_bundle_out;
ovl_status ovl_program_put(ovl_program *p, struct ovl_bundle_out *out, ovl_error *err); /* that graph, into a bundle */

ovl_plan *ovl_plan_retain(ovl_plan *p);
void ovl_plan_release(ovl_plan *p);
struct ovl_str;
void ovl_plan_dump(const ovl_plan *p, struct ovl_str *out); /* steps, kernels, memory: one line each */

/* The plan used last (a new reference); NULL: none was made yet. */
ovl_plan *ovl_program_last_plan(ovl_program *p);
ovl_status ovl_plan_describe(const ovl_plan *p, struct ovl_graph **out, ovl_error *err); /* as a graph of ExecutionNodes */

/* ---- reference steps, as the executor sees them ---- */

/* What a reference run may ask of whoever executes it. */
typedef struct ovl_ref_host {
	void *user;
	const int *cancel;
	ovl_status (*body)(void *user, ovl_program *program, int step_body, ovl_tensor *const *in, int n_in, ovl_tensor **out, int n_out, ovl_error *err);
	ovl_status (*variable_get)(void *user, const char *id, ovl_tensor **out, ovl_error *err);
	ovl_status (*variable_set)(void *user, const char *id, ovl_tensor *value, ovl_error *err);
} ovl_ref_host;

/* in: dense tensors (NULL: absent); out: dense tensors of the planned shapes, or NULL for late ones, which are made here (new references). */
ovl_status ovl_ref_run(const ovl_ref *ref, const ovl_ref_host *host, ovl_tensor *const *in, int n_in, ovl_tensor **out, int n_out, ovl_error *err);

#endif
