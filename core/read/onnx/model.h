/* model.h - what the translation of one ONNX model keeps: scopes of names, tensors, functions. Rules see rule.h only. */
#ifndef OVL_READ_ONNX_MODEL_H
#define OVL_READ_ONNX_MODEL_H

#include "read/names.h"
#include "read/onnx/rule.h"
#include "read/read_pb.h"

/* Every body is inferred for each inference of the one around it, and a loop's several times: nesting is what load time explodes by. */
enum { OVL_ONNX_MAX_DEPTH = 48, OVL_ONNX_MAX_BODIES = 8, OVL_ONNX_MAX_NODES = 1 << 20 };

typedef struct ovl_onnx_model {
	const Onnx__ModelProto *proto;
	ovl_pb_files files;
	ovl_names tensor_of; /* a TensorProto's address -> position in tensors: data is taken out of the message once */
	OVL_VEC(ovl_tensor *) tensors;
	ovl_names outputs; /* names of the main graph's outputs */
	ovl_onnx_list *lists;
	int depth; /* of graphs and functions that are being translated */
	size_t translated; /* nodes so far: functions may multiply them */
	ovl_error *err;
} ovl_onnx_model;

/* A call of a local function. */
typedef struct ovl_onnx_frame {
	const Onnx__FunctionProto *function;
	ovl_onnx *caller; /* where references to attributes lead */
	OVL_VEC(ProtobufCMessage *) defaults; /* of its attributes */
} ovl_onnx_frame;

struct ovl_onnx_scope {
	ovl_onnx_scope *parent; /* whose names are seen too; NULL: the main graph, or a function */
	int bodies; /* how many bodies this is inside of */
	bool own_graph; /* parent's values are not in this graph: they are captured */
	ovl_graph *graph;
	ovl_onnx_model *model;
	const ovl_onnx_frame *frame; /* NULL outside of functions */
	const Onnx__GraphProto *proto; /* for its initializers; NULL in functions */
	ovl_names initializers; /* -> position in proto->initializer; sparse ones behind them */
	ovl_names names; /* -> position in values */
	OVL_VEC(ovl_onnx_value) values;
	OVL_VEC(ovl_onnx_capture) captures;
};

void ovl_onnx_scope_close(ovl_onnx_scope *s);
ovl_status ovl_onnx_scope_initializers(ovl_onnx_scope *s, const Onnx__GraphProto *g); /* makes them known; nodes are made on demand */
/* NULL name or not found: out->set is false. */
ovl_status ovl_onnx_scope_get(ovl_onnx_scope *s, const char *name, ovl_onnx_value *out);
ovl_status ovl_onnx_scope_set(
	ovl_onnx_scope *s, const char *name, ovl_onnx_value v); /* a name that has a value in this very scope gets the new one */
ovl_status ovl_onnx_scope_nodes(ovl_onnx_scope *s, Onnx__NodeProto *const *nodes, size_t n); /* translates them, in any order in which they can be */
ovl_status ovl_onnx_scope_tensor(ovl_onnx_scope *s, Onnx__TensorProto *proto, ovl_tensor **out); /* borrowed from the model */
ovl_status ovl_onnx_sparse(ovl_onnx_scope *s, const Onnx__SparseTensorProto *proto, ovl_tensor **out); /* a new dense tensor */
int64_t ovl_onnx_scope_opset(const ovl_onnx_scope *s, const char *domain); /* 0: not named */
const Onnx__AttributeProto *ovl_onnx_attribute(const ovl_onnx *x, const char *name);
void ovl_onnx_map_live(ovl_onnx *x); /* SequenceMap of sequences whose lengths are not known; in control.c */
bool ovl_onnx_is_output(const ovl_onnx_scope *s, const char *name); /* of the main graph */

#endif
