/* ovlite.h - the public C API: an inference runtime with OpenVINO's nouns and verbs, without Lua.
 *
 * Conventions
 *   Objects are opaque and reference-counted: functions named *_new, *_retain, or with an `out` parameter give the caller a reference that it ends with the
 *   object's *_release (NULL is fine). "Borrowed" results live as long as the object they were asked of.
 *   Functions that can fail return ovl_status and fill *err (never NULL); outputs are then untouched and nothing has changed.
 *   Positions count from 0 here (the Lua module counts from 1). Sizes named bytes are bytes, times *_ms milliseconds, *_us microseconds. Text is UTF-8.
 *   Any object may be used from any thread; one request is used by one thread at a time, except ovl_request_wait/cancel/busy. */
#ifndef OVLITE_H
#define OVLITE_H

#include "base/status.h"
#include "tensor/shape.h"
#include "tensor/type.h"

#ifndef OVL_API
#define OVL_API /* the symbols marked so are what libovlite.so exports */
#endif

typedef struct ovl_tensor ovl_tensor;
typedef struct ovl_node ovl_node;
typedef struct ovl_op ovl_op;
typedef struct ovl_port ovl_port;
typedef struct ovl_model ovl_model;
typedef struct ovl_core ovl_core;
typedef struct ovl_compiled ovl_compiled;
typedef struct ovl_request ovl_request;
typedef struct ovl_completions ovl_completions;

typedef enum ovl_side { OVL_INPUT, OVL_OUTPUT } ovl_side;

OVL_API const char *ovl_version(void); /* "0.1.0" */

/* ---- tensors (element strides; packed types and strings are dense) ---- */

OVL_API ovl_status ovl_tensor_new(ovl_type type, const ovl_shape *shape, ovl_tensor **out, ovl_error *err); /* zeros */
/* Memory of the caller, dense; `release(user, data, bytes)` is called once when the last view of it goes (may be NULL). */
OVL_API ovl_status ovl_tensor_wrap(void *data, ovl_type type, const ovl_shape *shape, void (*release)(void *user, void *data, size_t bytes), void *user, ovl_tensor **out,
	ovl_error *err);
OVL_API ovl_status ovl_tensor_roi(ovl_tensor *base, const int64_t *first, const int64_t *last, ovl_tensor **out, ovl_error *err); /* last excluded */
OVL_API ovl_tensor *ovl_tensor_retain(const ovl_tensor *t);
OVL_API void ovl_tensor_release(ovl_tensor *t);
/* Stores a reference to `item` as element i of a tensor of type sequence, whose data are ovl_tensor pointers. */
OVL_API ovl_status ovl_tensor_set_item(ovl_tensor *t, int64_t i, ovl_tensor *item, ovl_error *err);
OVL_API ovl_type ovl_tensor_type(const ovl_tensor *t);
OVL_API void ovl_tensor_shape(const ovl_tensor *t, ovl_shape *out);
OVL_API const int64_t *ovl_tensor_strides(const ovl_tensor *t); /* elements; rank of them; borrowed */
OVL_API void *ovl_tensor_data(const ovl_tensor *t);
OVL_API int64_t ovl_tensor_count(const ovl_tensor *t);
OVL_API size_t ovl_tensor_bytes(const ovl_tensor *t);
OVL_API bool ovl_tensor_dense(const ovl_tensor *t);
OVL_API bool ovl_tensor_owns(const ovl_tensor *t); /* false for memory of the caller (ovl_tensor_wrap and its views) */
OVL_API ovl_status ovl_tensor_set_shape(ovl_tensor *t, const ovl_shape *shape, ovl_error *err);
OVL_API ovl_status ovl_tensor_copy(const ovl_tensor *from, ovl_tensor *to, ovl_error *err);
OVL_API ovl_status ovl_tensor_clone(const ovl_tensor *t, ovl_tensor **out, ovl_error *err);
OVL_API ovl_status ovl_tensor_astype(const ovl_tensor *t, ovl_type type, ovl_tensor **out, ovl_error *err);
OVL_API ovl_status ovl_tensor_densify(const ovl_tensor *t, ovl_tensor **out, ovl_error *err);
OVL_API ovl_status ovl_tensor_set_string(ovl_tensor *t, int64_t i, const char *bytes, size_t n, ovl_error *err);
OVL_API bool ovl_convert(ovl_type from_type, const void *from, int64_t from_offset, ovl_type to_type, void *to, int64_t to_offset, int64_t n, bool wrap);
OVL_API uint64_t ovl_tensor_live_bytes(void);
/* Whole-tensor operations are in tensor/math.h's names: declared in the second part of this file. */

/* ---- files of tensors ---- */
OVL_API ovl_status ovl_npy_load(const char *path, ovl_tensor **out, ovl_error *err);
OVL_API ovl_status ovl_npy_save(const char *path, const ovl_tensor *t, ovl_error *err);
OVL_API ovl_status ovl_npz_load(const char *path, char ***names, ovl_tensor ***tensors, size_t *n, ovl_error *err);
OVL_API void ovl_npz_free(char **names, ovl_tensor **tensors, size_t n);
/* A serialised ONNX TensorProto: from a file (bytes NULL) or from memory. */
OVL_API ovl_status ovl_tensor_load_pb(const char *path, const void *bytes, size_t size, ovl_tensor **out, ovl_error *err);

/* ---- operators and nodes: the builder ---- */

typedef enum ovl_value_kind {
	OVL_VALUE_NONE,
	OVL_VALUE_INT,
	OVL_VALUE_DOUBLE,
	OVL_VALUE_BOOL,
	OVL_VALUE_STRING,
	OVL_VALUE_INTS,
	OVL_VALUE_FLOATS,
	OVL_VALUE_STRINGS,
	OVL_VALUE_SHAPE,
	OVL_VALUE_TENSOR,
} ovl_value_kind;
/* A value of an attribute or a property. As a result everything in it is borrowed (attributes) or must be ended by ovl_value_free (properties). */
typedef struct ovl_value {
	ovl_value_kind kind;
	int64_t i; /* INT, BOOL */
	double f;
	const char *s;
	const int64_t *ints;
	const float *floats;
	const char *const *strings;
	size_t n;
	ovl_pshape shape;
	ovl_tensor *tensor;
} ovl_value;
OVL_API void ovl_value_free(ovl_value *v); /* strings and lists made by ovl_*_property */

OVL_API const ovl_op *ovl_op_at(size_t i); /* all operators; NULL past the end */
OVL_API const ovl_op *ovl_op_of_factory(const char *factory, int opset); /* "matmul"; NULL: that opset has none */
OVL_API const char *ovl_op_name(const ovl_op *op); /* "MatMul" */
OVL_API const char *ovl_op_factory(const ovl_op *op, char *buf, size_t size); /* "matmul" */
OVL_API void ovl_op_opsets(const ovl_op *op, int *since, int *until);
OVL_API void ovl_op_inputs(const ovl_op *op, int *min, int *max, const char **names); /* max -1: any number; names blank-separated, borrowed */
OVL_API bool ovl_op_in_builder(const ovl_op *op);
OVL_API bool ovl_op_in_files(const ovl_op *op); /* false: made by passes and readers only */
OVL_API bool ovl_op_takes(const ovl_op *op, ovl_type type); /* as its first input, as far as shape inference can tell; false for operators without inputs */
OVL_API const char *ovl_op_kernel(const ovl_op *op, size_t i); /* names of its kernels of all levels, best first; NULL past the end */
/* The i-th attribute: false past the end. kind tells what set_attr takes (ENUM and TYPE are STRING). required: has no default. */
OVL_API bool ovl_op_attr(const ovl_op *op, size_t i, const char **name, ovl_value_kind *kind, bool *required, const char **initial);

/* One end of an edge for the builder: output `port` of node; {NULL, 0} for an absent optional input. */
typedef struct ovl_source_ref {
	ovl_node *node;
	int port;
} ovl_source_ref;
/* Makes a node: attributes are (names[i], values[i]). Infers types and shapes; errors name operator and argument. */
OVL_API ovl_status ovl_node_make(const ovl_op *op, int opset, const char *friendly_name, const ovl_source_ref *inputs, size_t n_inputs, const char *const *attr_names,
	const ovl_value *attr_values, size_t n_attrs, ovl_node **out, ovl_error *err);
OVL_API ovl_status ovl_node_make_constant(ovl_tensor *value, ovl_node **out, ovl_error *err); /* shares the tensor */
OVL_API ovl_node *ovl_node_retain(ovl_node *n);
OVL_API void ovl_node_release(ovl_node *n);
OVL_API const char *ovl_node_name(const ovl_node *n); /* friendly name; borrowed until renamed */
OVL_API ovl_status ovl_node_rename(ovl_node *n, const char *name, ovl_error *err);
OVL_API const char *ovl_node_type(const ovl_node *n); /* "Relu" */
OVL_API const ovl_op *ovl_node_op(const ovl_node *n);
OVL_API int ovl_node_opset(const ovl_node *n); /* of the file or the builder */
OVL_API size_t ovl_node_inputs(const ovl_node *n);
OVL_API ovl_source_ref ovl_node_input(const ovl_node *n, size_t i); /* borrowed */
OVL_API size_t ovl_node_outputs(const ovl_node *n);
OVL_API void ovl_node_output(const ovl_node *n, size_t i, ovl_type *type, ovl_pshape *shape);
OVL_API size_t ovl_node_output_names(const ovl_node *n, size_t i); /* number of tensor names */
OVL_API const char *ovl_node_output_name(const ovl_node *n, size_t i, size_t k); /* sorted; borrowed */
OVL_API ovl_status ovl_node_set_output_names(ovl_node *n, size_t i, const char *const *names, size_t count, ovl_error *err);
OVL_API bool ovl_node_attr(const ovl_node *n, size_t i, const char **name, ovl_value *value); /* false past the end */
OVL_API ovl_tensor *ovl_node_constant(const ovl_node *n); /* a Constant's value, borrowed; NULL */

/* If (bodies: then, else), Loop (inputs: trip count, condition, ...) and TensorIterator by the builder. */
typedef struct ovl_body_map {
	int outer; /* input or output of the node */
	int inner; /* parameter or result of the body */
	bool sliced; /* cut into parts, put together from parts; the fields below count then */
	int64_t axis, start, end, stride, part_size;
} ovl_body_map;
typedef struct ovl_body_def {
	const ovl_model *model; /* copied */
	const ovl_body_map *ins, *outs;
	const ovl_body_map *back; /* outer: a result, handed on to parameter `inner` of the next iteration */
	size_t n_ins, n_outs, n_back;
	int iteration_parameter, condition_result; /* of a Loop's body; -1: none */
} ovl_body_def;
OVL_API ovl_status ovl_node_make_control(const char *type, int opset, const ovl_source_ref *inputs, size_t n_inputs, const ovl_body_def *bodies, size_t n_bodies, ovl_node **out,
	ovl_error *err);

/* ---- models ---- */

OVL_API ovl_status ovl_model_from_nodes(ovl_node *const *results, size_t n_results, ovl_node *const *parameters, size_t n_parameters, const char *name, ovl_model **out, ovl_error *err);
/* A result that is output `port` of a node with several outputs: make an explicit Result node by ovl_node_make first. Plain nodes (not Result, not Assign) get a Result each. */
/* Every reader of `from` reads `to` instead, but for to's own node. For models that are changed as a whole: a clone's nodes, then ovl_model_remake. Errors: memory. */
OVL_API ovl_status ovl_node_replace_output(ovl_source_ref from, ovl_source_ref to, ovl_error *err);
/* As ovl_model_from_nodes, of nodes of m's and of new ones: with m's name, metadata, origin, and what it writes to variables. */
OVL_API ovl_status ovl_model_remake(const ovl_model *m, ovl_node *const *results, size_t n_results, ovl_node *const *parameters, size_t n_parameters, ovl_model **out, ovl_error *err);
OVL_API ovl_model *ovl_model_retain(ovl_model *m);
OVL_API void ovl_model_release(ovl_model *m);
OVL_API const char *ovl_model_name(const ovl_model *m); /* friendly_name */
OVL_API ovl_status ovl_model_rename(ovl_model *m, const char *name, ovl_error *err);
OVL_API const char *ovl_model_origin(
	const ovl_model *m); /* "OpenVINO IR v11", "ONNX (IR 8, opset 17, pytorch 2.1)"; "" when built by hand; borrowed */
OVL_API size_t ovl_model_ports(const ovl_model *m, ovl_side side);
OVL_API const ovl_port *ovl_model_port(const ovl_model *m, ovl_side side, size_t i); /* borrowed; the same address for the model's life */
OVL_API bool ovl_model_is_dynamic(const ovl_model *m);
OVL_API ovl_status ovl_model_reshape(ovl_model *m, const size_t *inputs, const ovl_pshape *shapes, size_t n, ovl_error *err); /* all or nothing */
OVL_API ovl_status ovl_model_add_output(ovl_model *m, const char *tensor_name, ovl_error *err);
OVL_API ovl_status ovl_model_clone(const ovl_model *m, ovl_model **out, ovl_error *err);
OVL_API ovl_status ovl_model_save(const ovl_model *m, const char *xml_path, bool compress_to_fp16, ovl_error *err);
OVL_API size_t ovl_model_nodes(const ovl_model *m); /* in topological order */
OVL_API ovl_node *ovl_model_node(const ovl_model *m, size_t i); /* borrowed */
OVL_API bool ovl_model_meta(const ovl_model *m, size_t i, const char **key, const char **value); /* false past the end */

/* ---- ports ---- */

OVL_API size_t ovl_port_names(const ovl_port *p);
OVL_API const char *ovl_port_name(const ovl_port *p, size_t i); /* sorted, so 0 is any_name; borrowed; NULL past the end */
OVL_API ovl_type ovl_port_type(const ovl_port *p);
OVL_API void ovl_port_shape(const ovl_port *p, ovl_pshape *out);
OVL_API size_t ovl_port_index(const ovl_port *p); /* among its node's outputs */
OVL_API ovl_node *ovl_port_node(const ovl_port *p); /* the Parameter or Result; borrowed */
OVL_API const char *ovl_port_layout(const ovl_port *p); /* "NCHW" or "" */

/* ---- core ---- */

OVL_API ovl_status ovl_core_new(ovl_core **out, ovl_error *err);
OVL_API ovl_core *ovl_core_retain(ovl_core *c);
OVL_API void ovl_core_release(ovl_core *c);
OVL_API ovl_status ovl_core_read_model(ovl_core *c, const char *path, const char *weights_path, ovl_model **out, ovl_error *err); /* weights_path may be NULL */
OVL_API ovl_status ovl_core_read_model_memory(ovl_core *c, const void *model, size_t size, const void *weights, size_t weights_size, ovl_model **out, ovl_error *err);
/* device "CPU", "AUTO", "" or NULL. Keys and values as text (lists blank-separated; YES/NO or true/false). Unknown ones: argument, listing what there is. */
OVL_API ovl_status ovl_core_compile(ovl_core *c, const ovl_model *m, const char *device, const char *const *keys, const char *const *values, size_t n, ovl_compiled **out,
	ovl_error *err);
/* The same straight from a file, as ovl_core_read_model takes it: with less memory, and from CACHE_DIR without reading the model at all. */
OVL_API ovl_status ovl_core_compile_file(ovl_core *c, const char *path, const char *device, const char *const *keys, const char *const *values, size_t n, ovl_compiled **out,
	ovl_error *err);
/* What ovl_compiled_export gave: from memory, which is copied, or from a file, which is mapped. */
OVL_API ovl_status ovl_core_import_file(ovl_core *c, const char *path, const char *device, ovl_compiled **out, ovl_error *err);
OVL_API ovl_status ovl_core_import(ovl_core *c, const void *bytes, size_t size, const char *device, ovl_compiled **out, ovl_error *err);
OVL_API ovl_status ovl_core_set_property(ovl_core *c, const char *device, const char *key, const char *value, ovl_error *err); /* device may be NULL */
OVL_API ovl_status ovl_core_get_property(ovl_core *c, const char *device, const char *key, ovl_value *out, ovl_error *err); /* ovl_value_free */

/* ---- compiled models ---- */

OVL_API ovl_compiled *ovl_compiled_retain(ovl_compiled *c);
OVL_API void ovl_compiled_release(ovl_compiled *c);
OVL_API size_t ovl_compiled_ports(const ovl_compiled *c, ovl_side side);
OVL_API const ovl_port *ovl_compiled_port(const ovl_compiled *c, ovl_side side, size_t i); /* borrowed */
OVL_API ovl_status ovl_compiled_get_property(ovl_compiled *c, const char *key, ovl_value *out, ovl_error *err);
OVL_API ovl_status ovl_compiled_runtime_model(ovl_compiled *c, ovl_model **out, ovl_error *err);
OVL_API ovl_status ovl_compiled_export(ovl_compiled *c, void **bytes, size_t *size, ovl_error *err); /* ovl_bytes_free */
OVL_API void ovl_bytes_free(void *bytes);
OVL_API void ovl_compiled_release_memory(ovl_compiled *c); /* drops idle arenas, all plans but the last, and memory of results that are gone */
/* Bytes and counters: "weights" (originals kept in memory), "packed", "mapped" (of both, in files that the system reads again at need), "arenas", "plans" (number), "plan_hits", "plan_misses", "plan_evictions". False past the end. */
OVL_API bool ovl_compiled_memory(ovl_compiled *c, size_t i, const char **name, uint64_t *value);
/* Where values live in the arena of the plan used last. A slot is taken from its first step to its last (positions in the order of execution, from
 * 0). */
typedef struct ovl_memory_slot {
	const char *node_name; /* of the step that writes it first */
	uint64_t bytes, offset;
	int first, last;
} ovl_memory_slot;
typedef struct ovl_memory_plan {
	uint64_t arena_bytes, scratch_bytes; /* of each stream */
	uint64_t slot_bytes;                 /* what all slots would take side by side */
	size_t n_slots, n_steps;
	ovl_memory_slot *slots;
} ovl_memory_plan;
/* One block: ovl_bytes_free(*out) ends it. Errors: argument (a model of open shapes that never ran has no plan). */
OVL_API ovl_status ovl_compiled_memory_plan(ovl_compiled *c, ovl_memory_plan **out, ovl_error *err);

/* ---- requests ---- */

OVL_API ovl_status ovl_request_new(ovl_compiled *c, ovl_request **out, ovl_error *err);
OVL_API ovl_request *ovl_request_retain(ovl_request *r);
OVL_API void ovl_request_release(ovl_request *r); /* never blocks: a run in flight holds what it needs and ends by itself */
OVL_API ovl_compiled *ovl_request_compiled(const ovl_request *r); /* borrowed */
/* The tensor of an input or output. Made at need: of the port's shape, open dimensions being 0. Errors: busy; argument (a batch was set). */
OVL_API ovl_status ovl_request_get_tensor(ovl_request *r, ovl_side side, size_t i, ovl_tensor **out, ovl_error *err);
/* A copy of output i with memory of its own: large ones are copied by the threads of a stream. Errors: busy, memory. */
OVL_API ovl_status ovl_request_copy_output(ovl_request *r, size_t i, ovl_tensor **out, ovl_error *err);
/* Type and shape must fit the port. The tensor itself is used from now on (kept alive). Errors: busy, type, shape. */
OVL_API ovl_status ovl_request_set_tensor(ovl_request *r, ovl_side side, size_t i, ovl_tensor *t, ovl_error *err);
/* Only the checks of set_tensor, so that several can be applied all or none. */
OVL_API ovl_status ovl_request_check_tensor(ovl_request *r, ovl_side side, size_t i, const ovl_tensor *t, ovl_error *err);
/* A batch for one input: n tensors, read at each run, one after the other along the batch dimension (that of the layout, else the first). n = 1: set_tensor. */
OVL_API ovl_status ovl_request_set_batch(ovl_request *r, size_t i, ovl_tensor *const *tensors, size_t n, ovl_error *err);
OVL_API ovl_status ovl_request_check_batch(ovl_request *r, size_t i, ovl_tensor *const *tensors, size_t n, ovl_error *err);
OVL_API bool ovl_request_has_batch(const ovl_request *r, size_t i);
/* The input's own tensor with this shape, for copy-mode filling: never memory that a user gave (then a fresh one replaces it). Errors: busy, shape. */
OVL_API ovl_status ovl_request_input_for_copy(ovl_request *r, size_t i, const ovl_shape *shape, ovl_tensor **out, ovl_error *err);

OVL_API ovl_status ovl_request_infer(ovl_request *r, ovl_error *err); /* runs on the calling thread and the stream's workers */
/* Starts a run. With `notify` the end of the run is put on that list and the request stays busy until ovl_request_settle; NULL: idle as soon as it ends. */
OVL_API ovl_status ovl_request_start(ovl_request *r, ovl_completions *notify, ovl_error *err);
/* Waits at most ms (negative: for ever) for the end of the run; *done tells. The status is the run's own (again and again until the next run). */
OVL_API ovl_status ovl_request_wait(ovl_request *r, int64_t ms, bool *done, ovl_error *err);
OVL_API bool ovl_request_busy(const ovl_request *r); /* running, or ended and not settled */
OVL_API bool ovl_request_running(const ovl_request *r); /* not ended yet */
OVL_API void ovl_request_settle(ovl_request *r);
OVL_API void ovl_request_cancel(ovl_request *r);
OVL_API double ovl_request_latency_ms(const ovl_request *r);

OVL_API size_t ovl_request_states(ovl_request *r);
OVL_API const char *ovl_request_state_name(ovl_request *r, size_t i);
OVL_API ovl_status ovl_request_state_get(ovl_request *r, size_t i, ovl_tensor **out, ovl_error *err); /* live: writing in it changes the next run */
OVL_API ovl_status ovl_request_state_set(ovl_request *r, size_t i, const ovl_tensor *value, ovl_error *err); /* copies, converting */
OVL_API ovl_status ovl_request_state_reset(ovl_request *r, size_t i, ovl_error *err);

typedef enum ovl_profile_status { OVL_NOT_RUN, OVL_OPTIMIZED_OUT, OVL_EXECUTED } ovl_profile_status;
typedef struct ovl_profile_entry {
	const char *node_name, *node_type, *exec_type; /* borrowed of the request, until its next run */
	ovl_profile_status status;
	int64_t real_us, cpu_us;
} ovl_profile_entry;
OVL_API ovl_status ovl_request_profile(ovl_request *r, const ovl_profile_entry **entries, size_t *n, ovl_error *err); /* borrowed, as above */

/* The last finished run step by step, each beside its own limit: what its arithmetic and memory traffic take at least on this machine, which is
 * measured when first asked for (some 50 ms). Estimates: convolutions, products, attention and recurrent nets count their multiplications and
 * additions, others one an element. */
typedef struct ovl_step_profile {
	const char *node_name, *node_type, *exec_type; /* borrowed of the request, until its next run */
	double start_us;                               /* since the run began */
	double real_us, cpu_us;
	double flops, bytes, limit_us;
	bool by_bytes; /* memory is what the limit comes from */
} ovl_step_profile;
typedef struct ovl_run_profile {
	double start_us, real_us;      /* of the monotonic clock; all steps together */
	int stream, threads;           /* which stream ran it, from 0; threads of a stream */
	const ovl_step_profile *steps; /* borrowed, as above */
	size_t n_steps;
} ovl_run_profile;
/* Errors: busy; argument (no run has finished, or not with ENABLE_PROFILING). */
OVL_API ovl_status ovl_request_run_profile(ovl_request *r, ovl_run_profile *out, ovl_error *err);

/* What the figures above are held against, for that many threads: a second. bf16: products; equal to flops where the processor has none. */
typedef struct ovl_machine_limits {
	double flops, flops_bf16, cache_bytes, memory_bytes; /* the latter: of 128 KB, of 64 MB */
} ovl_machine_limits;
OVL_API ovl_status ovl_machine_limits_get(int threads, ovl_machine_limits *out, ovl_error *err);

/* ---- completions: finished runs on their way to the thread that asked ---- */

OVL_API ovl_status ovl_completions_new(ovl_completions **out, ovl_error *err);
OVL_API void ovl_completions_release(ovl_completions *q); /* runs in flight that name it stay valid */
OVL_API int ovl_completions_fd(ovl_completions *q); /* readable while entries are due */
/* The next finished request (a new reference), waiting at most ms (0: only looks, negative: for ever); NULL when there is none. *error (may be NULL) gets the run's outcome. */
OVL_API ovl_request *ovl_completions_pop(ovl_completions *q, int64_t ms, ovl_error *error);

/* ---- whole-tensor operations: see tensor/math.h ---- */
#include "tensor/math.h"

/* ---- pictures: see image/image.h ---- */
#include "image/image.h"

/* ---- what specs need (OVLITE test door; not for users) ---- */
OVL_API uint64_t ovl_memory_count(void);
OVL_API void ovl_memory_fail_at(int64_t k);
OVL_API void ovl_tune_handicap(const char *name, double factor);

#endif
