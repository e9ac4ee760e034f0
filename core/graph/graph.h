/* graph.h - the model: nodes, their inputs and outputs, and the graph that holds them.
 *
 * Nodes are reference-counted: a node keeps the nodes it reads from; a graph keeps all of its nodes; the op builder keeps nodes that no graph has yet.
 * Use lists (who reads an output) are kept by connect and disconnect and hold no references. */
#ifndef OVL_GRAPH_GRAPH_H
#define OVL_GRAPH_GRAPH_H

#include "base/vec.h"
#include "graph/op.h"
#include "tensor/post.h"

typedef struct ovl_node ovl_node;
typedef struct ovl_graph ovl_graph;

/* One end of an edge: output `port` of `node`, or input `port` of `node`. */
typedef struct ovl_end {
	ovl_node *node;
	int port;
} ovl_end;

typedef struct ovl_output {
	ovl_type type;
	ovl_pshape shape;
	ovl_tensor *value; /* known at inference time (constants, folded shape arithmetic); owned; NULL when not known */
	OVL_VEC(char *) names; /* tensor names; any_name is the smallest */
	OVL_VEC(ovl_end) users;
} ovl_output;

/* Maps of a control-flow node (If, Loop, TensorIterator). Positions count from 0. */
typedef struct ovl_body_in {
	int input; /* of the node */
	int parameter; /* of the body */
	bool sliced;
	int64_t axis, start, end, stride, part_size;
} ovl_body_in;
typedef struct ovl_body_out {
	int output; /* of the node */
	int result; /* of the body */
	bool sliced; /* concatenated over iterations along axis */
	int64_t axis, start, end, stride, part_size;
} ovl_body_out;
typedef struct ovl_back_edge {
	int result, parameter;
} ovl_back_edge;
typedef struct ovl_body {
	ovl_graph *graph;
	OVL_VEC(ovl_body_in) ins;
	OVL_VEC(ovl_body_out) outs;
	OVL_VEC(ovl_back_edge) back;
	int iteration_parameter; /* Loop: the body parameter that gets the iteration number; -1: none */
	int condition_result; /* Loop: the body result that says whether to go on; -1: none */
} ovl_body;

struct ovl_node {
	int refs; /* atomic */
	const ovl_op *op;
	int opset; /* the opset named in the file or by the builder: 1..15 */
	char *name; /* friendly name */
	void *params; /* op->params_size bytes */
	OVL_VEC(ovl_end) in; /* {NULL, 0}: an optional input that is absent in the middle */
	OVL_VEC(ovl_output) out;
	OVL_VEC(ovl_body) bodies;
	OVL_VEC(ovl_post) posts; /* fused tail; binary ones read extra inputs at the end of `in` */
	OVL_VEC(char *) fused; /* friendly names of nodes that were fused into this one, for profiling */
	ovl_graph *graph; /* the graph that holds it; NULL in the builder */
	int index; /* scratch for passes and the planner: position in the order */
};

typedef struct ovl_meta {
	char *key, *value;
} ovl_meta;

struct ovl_graph {
	char *name;
	OVL_VEC(ovl_node *) nodes; /* all of them, no order promised before ovl_graph_sort */
	OVL_VEC(ovl_node *) parameters; /* in model order; also in nodes */
	OVL_VEC(ovl_node *) results;
	OVL_VEC(ovl_node *) sinks;
	OVL_VEC(ovl_meta) meta;
	char *origin; /* what kind of file it came from, for people; NULL */
};

/* Parameters of the operators that graph/ itself must know; their files in ops/ use these structs. */
typedef struct ovl_parameter_params {
	ovl_type element_type;
	ovl_pshape shape;
	char *layout; /* "NCHW" where the model tells; NULL */
} ovl_parameter_params;
typedef struct ovl_constant_params {
	ovl_tensor *value;
} ovl_constant_params;

/* ---- nodes ---- */

/* A node of `op` with default attributes and no inputs; refs 1. Attributes are set with ovl_node_set, inputs added in order, then ovl_node_infer. */
ovl_status ovl_node_new(const ovl_op *op, int opset, const char *name, ovl_node **out, ovl_error *err);
ovl_node *ovl_node_retain(ovl_node *n);
void ovl_node_release(ovl_node *n);
ovl_status ovl_node_set(ovl_node *n, const char *attr, const ovl_attr_value *v, ovl_error *err);
ovl_status ovl_node_set_text(ovl_node *n, const char *attr, const char *text, ovl_error *err);
ovl_status ovl_node_add_input(ovl_node *n, ovl_end source, ovl_error *err);
ovl_status ovl_node_set_input(ovl_node *n, int i, ovl_end source, ovl_error *err); /* replaces input i */
/* A copy with attributes, bodies, posts, names and inferred outputs, but without inputs; refs 1. */
ovl_status ovl_node_copy(const ovl_node *from, ovl_node **out, ovl_error *err);
void ovl_node_cut_inputs(ovl_node *n, int count); /* drops inputs from position `count` on */
/* Types and shapes of the outputs from the inputs as they stand; small pure nodes with known inputs get known values. Errors carry the node's name. */
ovl_status ovl_node_infer(ovl_node *n, ovl_error *err);
ovl_status ovl_node_add_name(ovl_node *n, int port, const char *name, ovl_error *err); /* tensor name; doubles are ignored */
ovl_status ovl_node_rename(ovl_node *n, const char *name, ovl_error *err);
ovl_status ovl_node_add_post(ovl_node *n, ovl_post_kind kind, float alpha, float beta, const ovl_end *operand, ovl_error *err);
ovl_status ovl_node_add_body(ovl_node *n, ovl_graph *body, ovl_body **out, ovl_error *err); /* takes the body over */
/* The operator's own inputs, without the operands of fused posts that follow them. */
int ovl_node_own_inputs(const ovl_node *n);
bool ovl_node_is(const ovl_node *n, const char *type_name);
ovl_tensor *ovl_node_value(ovl_end source); /* the known value of an output, borrowed; NULL */
static inline const ovl_output *ovl_source(const ovl_node *n, int i) { return &n->in.at[i].node->out.at[n->in.at[i].port]; }
/* The only reader of output 0, when there is exactly one and the node has no other used output; else NULL. */
ovl_node *ovl_node_only_user(const ovl_node *n);

/* ---- graphs ---- */

ovl_graph *ovl_graph_new(const char *name);
void ovl_graph_free(ovl_graph *g);
ovl_status ovl_graph_add(ovl_graph *g, ovl_node *n, ovl_error *err); /* retains; Parameters, Results and sinks also go into their lists */
/* Makes, adds, connects and infers in one go: the usual way of passes and readers. Gives a borrowed pointer. */
ovl_status ovl_graph_op(ovl_graph *g, const char *type_name, const char *name, const ovl_end *inputs, int n, ovl_node **out, ovl_error *err);
ovl_status ovl_graph_constant(ovl_graph *g, ovl_tensor *value, const char *name, ovl_node **out, ovl_error *err); /* retains the tensor */
ovl_status ovl_graph_constant_i64(ovl_graph *g, int rank, const int64_t *values, int n, const char *name, ovl_node **out, ovl_error *err);
ovl_status ovl_graph_constant_f32(ovl_graph *g, float value, const char *name, ovl_node **out, ovl_error *err); /* a scalar */
/* Lets every reader of `from` read `to` instead; tensor names of `from` move to `to` when `keep_names`. */
ovl_status ovl_graph_replace(ovl_graph *g, ovl_end from, ovl_end to, bool keep_names, ovl_error *err);
void ovl_graph_remove(ovl_graph *g, ovl_node *n); /* disconnects its inputs and drops it; its outputs must have no users */
void ovl_graph_prune(ovl_graph *g); /* removes nodes that reach no result and no sink; Parameters stay */
ovl_status ovl_graph_sort(ovl_graph *g, ovl_error *err); /* topological order of `nodes`, stable; fills node->index; error: parse on a cycle */
ovl_status ovl_graph_infer(ovl_graph *g, ovl_error *err); /* sorts and re-infers everything */
ovl_status ovl_graph_clone(const ovl_graph *g, ovl_graph **out, ovl_error *err); /* nodes copied, constants shared */
/* From results and parameters of the builder: clones what they reach. Names nameless inputs and outputs after their nodes (BEHAVIOURS B139, B289). */
ovl_status ovl_graph_from_nodes(ovl_node *const *results, int n_results, ovl_node *const *parameters, int n_parameters, const char *name, ovl_graph **out, ovl_error *err);
ovl_status ovl_graph_check(const ovl_graph *g, ovl_error *err); /* structure is sound: counts, links both ways, names */
ovl_status ovl_graph_finish(ovl_graph *g, ovl_error *err); /* what every reader calls last: sort, infer, default names, check */
ovl_status ovl_graph_add_meta(ovl_graph *g, const char *key, const char *value, ovl_error *err);
void ovl_graph_dump(const ovl_graph *g, struct ovl_str *out); /* one line a node */

#endif
