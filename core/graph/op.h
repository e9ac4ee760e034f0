/* op.h - the operator contract. ONE FILE of core/ops/ = one operator (or one tight family); its name is its registration: ops/softmax.c defines
 *
 *     const ovl_op *const ovl_ops_softmax[] = {&softmax_v1, &softmax_v8, NULL};
 *
 * An operator is one constant struct: names, attributes, shape inference, a plain reference run. The reference run is right for every type and shape the
 * operator allows, checks data at run time, folds constants, is the last kernel in line, and the oracle of every fast kernel. */
#ifndef OVL_GRAPH_OP_H
#define OVL_GRAPH_OP_H

#include "graph/attr.h"

typedef struct ovl_infer ovl_infer;
typedef struct ovl_run ovl_run;

enum {
	OVL_OP_STATEFUL = 1, /* reads or writes variables: never folded */
	OVL_OP_SINK = 2, /* lives without users: Assign */
	OVL_OP_RANDOM = 4, /* never folded */
	OVL_OP_LATE = 8, /* output shapes depend on input data in a way infer cannot tell even when it is given the values (NonZero, Unique, NMS):
			    the run sets them by ovl_run_output */
	OVL_OP_INTERNAL = 16, /* made by passes only; not in files, not in the builder */
	OVL_OP_NO_BUILDER = 32, /* readable from files, without a factory function */
	OVL_OP_SEQUENCE = 64, /* knows sequences; no other operator is given one */
};

typedef struct ovl_op {
	const char *name; /* OpenVINO's type name: "Softmax", "MatMul" */
	const char *ir_name; /* where IR spells it differently ("SoftMax", "ReLU", "Const"); else NULL */
	const char *factory; /* Python factory name where it is not the snake case of the name ("matmul", "lstm_sequence"); else NULL */
	int since; /* first opset of this version: 1, 3, 8, ... */
	int until; /* last opset that has it; 0: still there */
	int min_inputs, max_inputs; /* max -1: any number */
	int outputs; /* fixed number; -1: set by infer through ovl_infer_set_outputs (Split, If, ...) */
	const char *inputs; /* blank-separated argument names for builder and docs: "data filters"; a last "inputs..." takes a list */
	size_t params_size;
	const ovl_attr *attrs; /* in the order of the Python factory; NULL: none */
	unsigned flags;
	ovl_status (*infer)(ovl_infer *in);
	ovl_status (*run)(ovl_run *run); /* NULL: not runnable by itself (Parameter, Result) */
} ovl_op;

/* ---- infer: types and shapes of outputs from those of inputs, and from input values where they are known ---- */

struct ovl_node;

struct ovl_infer {
	struct ovl_node *node; /* for control flow (bodies) only; others look at the fields below. NULL when a plan re-infers one step at run time. */
	const ovl_op *op;
	const void *params;
	int n_in;
	const ovl_type *in_type; /* OVL_DYNAMIC when open */
	const ovl_pshape *in_shape;
	ovl_tensor *const *in_value; /* the dense value where known, else NULL; borrowed */
	int n_out;
	ovl_type *out_type; /* to be filled */
	ovl_pshape *out_shape;
	ovl_tensor **out_value; /* may be filled with an owned reference when infer knows it (ShapeOf) */
	ovl_error *err;
};

ovl_status ovl_infer_set_outputs(ovl_infer *in, int n); /* for ops with outputs = -1, before the outputs are written; 0 <= n <= 1024 */

/* ---- reference run ---- */

struct ovl_run {
	const ovl_op *op;
	const void *params;
	int n_in;
	ovl_tensor *const *in; /* dense, types and shapes as inferred; absent optional inputs do not occur (trailing ones are cut, n_in tells) */
	int n_out;
	ovl_tensor **out; /* dense, already there with the inferred type and shape; NULL for OVL_OP_LATE: call ovl_run_output */
	ovl_error *err;
	const int *cancel; /* atomic: looked at by long loops through ovl_run_cancelled; may be NULL */
	void *host; /* of the executor */
	/* Runs body b of a control-flow node with its parameters' tensors; gives new references to its results' tensors (out[0..n_out)). */
	ovl_status (*body)(ovl_run *run, int b, ovl_tensor *const *in, int n_in, ovl_tensor **out, int n_out);
	/* The current tensor of variable `id` (NULL: not set yet), and a new value for it (takes its own reference). */
	ovl_status (*variable_get)(ovl_run *run, const char *id, ovl_tensor **out);
	ovl_status (*variable_set)(ovl_run *run, const char *id, ovl_tensor *value);
	struct ovl_node *node; /* as in ovl_infer: bodies' maps; control flow only */
};

/* Gives output i this type and shape (makes it, or checks the one that is there) and returns its tensor in *out (borrowed). */
ovl_status ovl_run_output(ovl_run *run, int i, ovl_type type, const ovl_shape *shape, ovl_tensor **out);
static inline bool ovl_run_cancelled(const ovl_run *run) { return run->cancel && __atomic_load_n(run->cancel, __ATOMIC_RELAXED); }
#define OVL_RUN_CHECK_CANCEL(run)                                                          \
	do {                                                                               \
		if (ovl_run_cancelled(run))                                                \
			return ovl_fail((run)->err, OVL_E_CANCELLED, "the run was cancelled"); \
	} while (0)

/* ---- registry ---- */

/* The version of `name` (type name or IR name) that opset `opset` has (0: the newest). Internal ops are found with opset 0 only. NULL: unknown. */
const ovl_op *ovl_op_find(const char *name, int opset);
/* All operators of the registry, for the builder and tables: returns the i-th (any order that stays the same), NULL past the end. */
const ovl_op *ovl_op_at(size_t i);
const char *ovl_op_factory(const ovl_op *op, char *buf, size_t size); /* "matmul", "reduce_mean" */

#endif
