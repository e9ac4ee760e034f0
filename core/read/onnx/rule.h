/* rule.h - how ONNX operators become nodes of the graph. ONE FILE of core/read/onnx/ = one family; its name is its registration: math.c defines
 *
 *     const ovl_onnx_rule ovl_onnx_math[] = {{"Celu", NULL, 12, celu}, {NULL, NULL, 0, NULL}};
 *
 * Of the rules for a name the one with the highest `since` that is not above the model's opset wins. A rule reads attributes and inputs of one ONNX
 * node through the functions below, makes nodes, and sets outputs. Errors stick to the context: after the first one every function does nothing and
 * gives zeros, so that a rule need not look at each call; what it makes then is thrown away. */
#ifndef OVL_READ_ONNX_RULE_H
#define OVL_READ_ONNX_RULE_H

#include "graph/graph.h"
#include "onnx.pb-c.h"

typedef struct ovl_onnx ovl_onnx;
typedef struct ovl_onnx_scope ovl_onnx_scope;

typedef struct ovl_onnx_rule {
	const char *name;
	const char *domain; /* NULL: the standard's own */
	int since; /* the first opset it is right for */
	void (*translate)(ovl_onnx *x);
} ovl_onnx_rule;

/* The node at hand. */
struct ovl_onnx {
	const Onnx__NodeProto *node;
	const char *op; /* its operator's name */
	int64_t opset; /* of its domain */
	int n_in, n_out; /* as in the file; absent ones have an empty name */
	ovl_onnx_scope *scope;
	ovl_graph *graph; /* where nodes go */
	const char *base; /* the ONNX node's name, or its first output's */
	ovl_status status; /* the first error */
	ovl_error *err;
	int made; /* nodes so far */
	struct ovl_onnx_value *out; /* n_out of them */
	OVL_VEC(char *) texts; /* live until the node is done */
};

void ovl_x_fail(ovl_onnx *x, ovl_status code, const char *fmt, ...) __attribute__((format(printf, 3, 4), cold));
void ovl_x_unsupported(ovl_onnx *x, const char *what); /* fails: "what is not supported" */

/* ---- inputs ---- */
bool ovl_x_has(const ovl_onnx *x, int i); /* there, and not left out */
ovl_end ovl_x_in(ovl_onnx *x, int i); /* fails when it is not there */
ovl_end ovl_x_maybe(ovl_onnx *x, int i); /* {NULL, 0} when it is not there */
ovl_end ovl_x_second(ovl_onnx *x, ovl_end a); /* input 1 of a binary operator; before opset 7 placed beside `a` as its attributes say */
ovl_type ovl_x_type(ovl_onnx *x, ovl_end e); /* OVL_DYNAMIC when open */
bool ovl_x_is_float(ovl_onnx *x, ovl_end e);
int ovl_x_rank(ovl_onnx *x, ovl_end e); /* -1 when open */
int ovl_x_need_rank(ovl_onnx *x, ovl_end e); /* fails when open; then 0 */
int ovl_x_axis(ovl_onnx *x, int64_t axis, int rank); /* into [0, rank); fails when outside */
int64_t ovl_x_dim(ovl_onnx *x, ovl_end e, int axis); /* -1 when open */
bool ovl_x_values(ovl_onnx *x, ovl_end e, int64_t *values, int max, int *n); /* known integers */
bool ovl_x_number(ovl_onnx *x, ovl_end e, double *v); /* a known single number */

/* ---- attributes ---- */
const Onnx__AttributeProto *ovl_x_attr(ovl_onnx *x, const char *name); /* references of functions resolved; NULL */
int64_t ovl_x_attr_int(ovl_onnx *x, const char *name, int64_t fill);
float ovl_x_attr_float(ovl_onnx *x, const char *name, float fill);
const char *ovl_x_attr_text(ovl_onnx *x, const char *name, const char *fill);
const int64_t *ovl_x_attr_ints(ovl_onnx *x, const char *name, int *n); /* NULL and 0 when absent */
const float *ovl_x_attr_floats(ovl_onnx *x, const char *name, int *n);
const char *ovl_x_attr_text_at(ovl_onnx *x, const char *name, int i, const char *fill); /* element of a list of texts */
int64_t ovl_x_need_int(ovl_onnx *x, const char *name);
ovl_tensor *ovl_x_tensor(ovl_onnx *x, Onnx__TensorProto *proto); /* borrowed; NULL after a failure */
ovl_type ovl_x_pb_type(ovl_onnx *x, int64_t data_type); /* fails on types that are not there */

/* ---- texts for attributes ---- */
void ovl_x_drop_texts(ovl_onnx *x); /* at the end: frees what ovl_x_text and its like have made */
const char *ovl_x_text(ovl_onnx *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *ovl_x_list(ovl_onnx *x, const int64_t *values, int n); /* "1,2,3" */
const char *ovl_x_num(ovl_onnx *x, double v); /* reads back to the same float */

/* ---- making nodes ---- */
/* attrs: "axis=1;keep_dims=true" or NULL. A node's name comes from the ONNX node. Absent ends at the tail of the inputs are cut. */
ovl_end ovl_x_make(ovl_onnx *x, const char *type, const char *attrs, const ovl_end *in, int n);
#define OVL_X_ENDS(...) (ovl_end[]){__VA_ARGS__}, (int)(sizeof((ovl_end[]){__VA_ARGS__}) / sizeof(ovl_end))
#define ovl_x_op(x, type, ...) ovl_x_make(x, type, NULL, OVL_X_ENDS(__VA_ARGS__))
#define ovl_x_opa(x, type, attrs, ...) ovl_x_make(x, type, attrs, OVL_X_ENDS(__VA_ARGS__))
static inline ovl_end ovl_x_port(ovl_end e, int port) { return (ovl_end){e.node, port}; }
ovl_node *ovl_x_new(ovl_onnx *x, const char *type); /* for control flow: not inferred and not in the graph yet, owned; NULL after a failure */
void ovl_x_add(ovl_onnx *x, ovl_node *n); /* infers, adds, releases; NULL is fine */
void ovl_x_add_input(ovl_onnx *x, ovl_node *n, ovl_end e);

ovl_end ovl_x_const(ovl_onnx *x, ovl_tensor *t); /* retains */
ovl_end ovl_x_i64(ovl_onnx *x, int64_t v); /* a scalar */
ovl_end ovl_x_i64s(ovl_onnx *x, const int64_t *v, int n); /* 1-d */
#define ovl_x_vec(x, ...) ovl_x_i64s(x, (int64_t[]){__VA_ARGS__}, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))
ovl_end ovl_x_f64s(ovl_onnx *x, ovl_type type, const ovl_shape *shape, const double *v); /* converted to `type` */
ovl_end ovl_x_scalar(ovl_onnx *x, ovl_type type, double v);
ovl_end ovl_x_like(ovl_onnx *x, ovl_end e, double v); /* a scalar of e's type */

/* ---- outputs ---- */
void ovl_x_out(ovl_onnx *x, int i, ovl_end e); /* positions past n_out are ignored */
bool ovl_x_wants(const ovl_onnx *x, int i); /* the output exists and has a name */

/* What the standard's operator `name` would make of this node's attributes and inputs: output 0. */
ovl_end ovl_x_apply(ovl_onnx *x, const char *name, int64_t opset);

/* ---- small phrases ---- */
ovl_end ovl_x_convert(ovl_onnx *x, ovl_end e, ovl_type type); /* nothing when it has that type already */
ovl_end ovl_x_convert_like(ovl_onnx *x, ovl_end e, ovl_end like);
ovl_end ovl_x_wide(ovl_onnx *x, ovl_end e); /* floats below f32 as f32 */
ovl_end ovl_x_shape(ovl_onnx *x, ovl_end e); /* 1-d i64 */
ovl_end ovl_x_dims(ovl_onnx *x, ovl_end e, int first, int last); /* sizes of axes [first, last) as 1-d i64 */
ovl_end ovl_x_reshape(ovl_onnx *x, ovl_end e, ovl_end shape); /* 0 means 0 */
ovl_end ovl_x_reshape_to(ovl_onnx *x, ovl_end e, const int64_t *dims, int n); /* -1: what is left */
ovl_end ovl_x_unsqueeze(ovl_onnx *x, ovl_end e, int axis);
ovl_end ovl_x_squeeze(ovl_onnx *x, ovl_end e, int axis);
ovl_end ovl_x_transpose(ovl_onnx *x, ovl_end e, const int64_t *order, int n);
ovl_end ovl_x_concat(ovl_onnx *x, int axis, const ovl_end *in, int n); /* one input: itself */
#define ovl_x_cat(x, axis, ...) ovl_x_concat(x, axis, OVL_X_ENDS(__VA_ARGS__))
ovl_end ovl_x_slice(ovl_onnx *x, ovl_end e, int axis, int64_t first, int64_t last); /* last excluded; INT64_MAX: to the end */
ovl_end ovl_x_gather(ovl_onnx *x, ovl_end e, ovl_end indices, int axis);
ovl_end ovl_x_reduce(ovl_onnx *x, const char *type, ovl_end e, ovl_end axes, bool keep);
ovl_end ovl_x_all_axes(ovl_onnx *x, ovl_end e); /* 0, 1, ... of e's rank, known or not */
ovl_end ovl_x_scalar_of(ovl_onnx *x, ovl_end e); /* one element of any shape -> a scalar */
ovl_end ovl_x_vector_of(ovl_onnx *x, ovl_end e); /* a scalar or a vector -> a vector */
ovl_end ovl_x_channels(ovl_onnx *x, ovl_end e, int rank, int axis); /* a vector placed on `axis` of `rank` dimensions */
ovl_end ovl_x_range(ovl_onnx *x, ovl_end first, ovl_end last, ovl_type type); /* step 1; i64 scalars in */

/* ---- lists (ONNX sequences and optionals), known while translating ---- */
typedef struct ovl_onnx_list {
	OVL_VEC(ovl_end) items;
	struct ovl_onnx_list *next; /* the model's chain, which owns it */
} ovl_onnx_list;
typedef struct ovl_onnx_value {
	ovl_end end;
	ovl_onnx_list *list; /* of a sequence; end is {NULL, 0} then */
	bool set; /* of an empty optional, this is all there is */
	bool optional; /* end is a sequence of none or one (see tensor/type.h) that stands for an optional */
} ovl_onnx_value;
ovl_onnx_value ovl_x_value(ovl_onnx *x, int i); /* of input i, whatever it is */
void ovl_x_out_value(ovl_onnx *x, int i, ovl_onnx_value v);
ovl_onnx_list *ovl_x_list_in(ovl_onnx *x, int i); /* NULL and a failure when input i is not a sequence */
bool ovl_x_is_live(ovl_onnx *x, const ovl_onnx_value *v); /* a sequence or optional of the run */
/* The value as `declared` (NULL: as it is) says: a list becomes a sequence of the run, and what is to be an optional one of none or one. */
ovl_end ovl_x_live(ovl_onnx *x, const ovl_onnx_value *v, const Onnx__TypeProto *declared);
static inline bool ovl_x_declared_optional(const Onnx__TypeProto *t) { return t && t->value_case == ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE; }
ovl_onnx_list *ovl_x_list_new(ovl_onnx *x);
void ovl_x_list_add(ovl_onnx *x, ovl_onnx_list *list, int64_t at, ovl_end e); /* at: position, -1: the end */

/* ---- graphs inside of nodes ---- */
Onnx__GraphProto *ovl_x_attr_graph(ovl_onnx *x, const char *name); /* fails when it is not there */
/* A body in the making: its own graph, which sees outer values; those that it uses become captures. To make nodes inside of it, let x->graph be its
 * graph for a while. */
typedef struct ovl_onnx_capture {
	ovl_end outer; /* a value of the graph around */
	int parameter; /* of the body */
} ovl_onnx_capture;
typedef struct ovl_onnx_body {
	ovl_onnx_scope *scope;
	ovl_graph *graph;
	OVL_VEC(ovl_end) outputs; /* of the ONNX graph, before Results are made */
} ovl_onnx_body;
void ovl_x_body_open(ovl_onnx *x, ovl_onnx_body *b, const Onnx__GraphProto *g);
/* The next Parameter, known inside as the graph's input i. */
ovl_end ovl_x_body_parameter(ovl_onnx *x, ovl_onnx_body *b, const char *name, ovl_type type, const ovl_pshape *shape);
void ovl_x_body_set(ovl_onnx *x, ovl_onnx_body *b, const char *name, ovl_end inner); /* another value for a name inside */
void ovl_x_body_translate(ovl_onnx *x, ovl_onnx_body *b, const Onnx__GraphProto *g); /* fills outputs */
int ovl_x_body_result(ovl_onnx *x, ovl_onnx_body *b, ovl_end e); /* a new Result; gives its position */
/* Hands the graph to the node and connects captures as further inputs of the node, not sliced. Other maps are the caller's. */
ovl_body *ovl_x_body_give(ovl_onnx *x, ovl_onnx_body *b, ovl_node *n);
void ovl_x_body_close(ovl_onnx_body *b); /* frees what was not given away */
/* Translates a graph right here, without a body: for a branch that is known to be taken. */
void ovl_x_inline(ovl_onnx *x, const Onnx__GraphProto *g, ovl_onnx_value *outputs, int n);
/* The same for a graph with inputs. */
void ovl_x_inline_with(ovl_onnx *x, const Onnx__GraphProto *g, const ovl_onnx_value *inputs, int n_in, ovl_onnx_value *outputs, int n);

#endif
