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
	int order; /* passes run in ascending order: 100 folding, 200 canonical forms, 300 patterns into one operator, 400 posts, 900 cleaning. From 400 on they wait
		      until those before have nothing more to do, since what has posts fits into no pattern. */
	ovl_status (*run)(ovl_graph *g, bool *changed, ovl_error *err);
} ovl_pass;

/* All passes in order, repeated (a few times) while something changes; prunes and sorts; re-infers what changed. OVLITE_VERBOSE=passes tells. */
ovl_status ovl_passes_run(ovl_graph *g, ovl_error *err);

/* Remembers that `gone` now lives inside `into`: profiling shows it as OPTIMIZED_OUT. */
ovl_status ovl_pass_note_fused(ovl_node *into, const ovl_node *gone, ovl_error *err);

/* ---- questions that patterns are made of (passes/match.c). A node with fused posts is never taken for a plain operator; NULL nodes give false or NULL. ---- */

bool ovl_match_is(const ovl_node *n, const char *type_name); /* of this type, without posts */
bool ovl_match_live(const ovl_node *n); /* output 0 has users: not a node that a pass has already replaced */
ovl_node *ovl_match_source(const ovl_node *n, int input, const char *type_name); /* the node feeding that input when it is of this type */
ovl_node *ovl_match_node(ovl_end source, const char *type_name); /* the same for an end */
static inline bool ovl_match_same(ovl_end a, ovl_end b) { return a.node == b.node && a.port == b.port; }
bool ovl_match_scalar(ovl_end source, double *value); /* a known value of one element (any numeric type) */
bool ovl_match_scalar_is(ovl_end source, double value, double tolerance); /* relative tolerance */
/* For a commutative binary node: which of its inputs is a known constant (0 or 1), -1 when none or both are. */
int ovl_match_constant_input(const ovl_node *n);
bool ovl_match_used_once(ovl_end source);
bool ovl_match_float(ovl_end source); /* f16, bf16, f32 or f64 */
/* An operand of shape `operand` broadcasts to `shape` without making it larger, whatever sizes the open dimensions turn out to have. */
bool ovl_match_fits(const ovl_pshape *shape, const ovl_pshape *operand);
/* A binary operator of numpy's broadcasting. */
bool ovl_match_binary(const ovl_node *n, const char *type_name);
/* One input is a constant, the other (`x`) has the shape of the result. Add and Multiply: on any side, else the constant is the second input. */
ovl_tensor *ovl_match_with_constant(const ovl_node *n, const char *type_name, ovl_end *x);
bool ovl_match_with_scalar(const ovl_node *n, const char *type_name, ovl_end *x, double *value); /* the same with a constant of one element */
bool ovl_match_near(double a, double b); /* equal but for the rounding of f16: for numbers like the root of two, which nobody means otherwise */
bool ovl_match_exact(double a, double b); /* equal but for a few roundings of f32 */
bool ovl_match_all(const ovl_tensor *t, double value); /* every element */

/* ---- changes (passes/edit.c) ---- */

/* Makes, adds, connects and infers. */
ovl_status ovl_pass_node(ovl_graph *g, const char *type_name, const char *name, const ovl_end *inputs, int n, ovl_node **out, ovl_error *err);
/* A node with n's attributes and posts and other inputs, without tensor names: borrowed, not inferred yet. */
ovl_status ovl_pass_like(ovl_graph *g, const ovl_node *n, const ovl_end *inputs, int n_inputs, ovl_node **out, ovl_error *err);
ovl_status ovl_pass_constant(ovl_graph *g, ovl_tensor *t, ovl_end *out, ovl_error *err); /* takes the tensor over, also when it fails */
ovl_status ovl_pass_scalar(ovl_graph *g, ovl_type type, double value, ovl_end *out, ovl_error *err);
ovl_status ovl_pass_axes(ovl_graph *g, const int64_t *axes, int n, ovl_end *out, ovl_error *err); /* 1-d i64 */
/* A new tensor of the same type and shape: fn(element, arg) for every one. */
ovl_status ovl_pass_map(const ovl_tensor *t, double (*fn)(double x, double arg), double arg, ovl_tensor **out, ovl_error *err);
/* The same elements with another shape of as many: a view where the tensor is dense. */
ovl_status ovl_pass_reshape(const ovl_tensor *t, const ovl_shape *shape, ovl_tensor **out, ovl_error *err);
/* Tensor names move to another end. Those of an output that nobody reads any more may be forgotten. */
ovl_status ovl_pass_move_names(ovl_output *from, ovl_end to, ovl_error *err);
void ovl_pass_forget_names(ovl_output *o);
/* `root` (output 0) is replaced by `made`, which is new; what only served `root` goes, and is noted as fused into `made`. */
ovl_status ovl_pass_replace(ovl_graph *g, ovl_node *root, ovl_node *made, ovl_error *err);
/* `gone`, a reader of `into`, is done by `into` from now on: users and tensor names move, the former names of `into` named a value that is there no more. */
ovl_status ovl_pass_absorb(ovl_graph *g, ovl_node *into, ovl_node *gone, ovl_error *err);
/* n, which has no users any more, and what only served it lose their inputs; what went besides n is noted as fused into `into`. */
ovl_status ovl_pass_bury(ovl_node *into, ovl_node *n, ovl_error *err);
/* Readers of n read its input i instead. *changed is left alone where an input of the model would become its output. */
ovl_status ovl_pass_bypass(ovl_graph *g, ovl_node *n, int i, bool *changed, ovl_error *err);

#endif
