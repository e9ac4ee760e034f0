/* lovl.h - what the files of bindings/ share. ONE FILE = ONE LUA CLASS: wrap_tensor.c defines lovl_open_tensor, and its name is its registration.
 *
 * Anatomy of a class: a constant lovl_class with arrays of methods, getters and setters, and functions that read their arguments first, call the core, and
 * raise at the last line, when nothing is left to free. The framework supplies close, __gc, __close, __eq, __tostring of closed objects and the property access.
 *
 * Ownership: an object's userdata is made first and closed; then the core fills lovl_object.c. So whatever raises later, the collector finds a valid object. */
#ifndef LOVL_H
#define LOVL_H

#include "compat.h"
#include "ovlite.h"

typedef struct lovl_object lovl_object;

typedef struct lovl_class {
	const char *name, *key; /* "Tensor"; its metatable is registry["ovlite.Tensor"] */
	size_t size; /* of the userdata; 0: a plain lovl_object */
	void (*release)(lua_State *L, lovl_object *o); /* ends o->c (not NULL); must not raise */
	const luaL_Reg *methods, *getters, *setters, *meta; /* any may be NULL; getters get (self), setters (self, value) */
} lovl_class;

/* The start of every userdata made here. The class pointer is the type tag: no other module's userdata can carry it. */
struct lovl_object {
	const lovl_class *class;
	void *c; /* the core's object; NULL once closed */
};

extern const lovl_class lovl_tensor, lovl_port, lovl_node, lovl_output, lovl_model, lovl_core, lovl_compiled, lovl_request, lovl_state;

/* ---- lovl.c: classes ---- */

void lovl_class_open(lua_State *L, const lovl_class *class); /* module table on top of the stack, and it stays there */
void lovl_functions(lua_State *L, const luaL_Reg *functions); /* adds them to the table on top */
lovl_object *lovl_new(lua_State *L, const lovl_class *class); /* pushes a closed object */
lovl_object *lovl_to(lua_State *L, int at, const lovl_class *class); /* NULL: something else */
void *lovl_check(lua_State *L, int at, const lovl_class *class, const char *what); /* the core's object; raises `type` and, when closed, `argument` */
static inline void *lovl_self(lua_State *L, const lovl_class *class) { return lovl_check(L, 1, class, "self"); }
/* One userdata for each C object: pushes the one that is there and returns false, or pushes a new closed one of this key and returns true. */
bool lovl_unique(lua_State *L, const lovl_class *class, const void *key);

/* ---- lovl.c: errors ---- */

void lovl_raise(lua_State *L, const ovl_error *err) __attribute__((noreturn));
void lovl_error(lua_State *L, ovl_status code, const char *fmt, ...) __attribute__((noreturn, format(printf, 3, 4)));
static inline void lovl_try(lua_State *L, ovl_status status, const ovl_error *err)
{
	if (__builtin_expect(status != OVL_OK, 0))
		lovl_raise(L, err);
}
void lovl_push_error(lua_State *L, const ovl_error *err); /* "ovlite: CODE: message", without a position */
const char *lovl_typename(lua_State *L, int at); /* "ov.Tensor", "string", ... */
void lovl_type_error(lua_State *L, int at, const char *what, const char *expected) __attribute__((noreturn));

/* ---- args.c: arguments ---- */

bool lovl_whole(lua_State *L, int at, int64_t *out); /* a number (or 64-bit cdata) without fraction */
int64_t lovl_check_whole(lua_State *L, int at, const char *what);
double lovl_check_number(lua_State *L, int at, const char *what);
bool lovl_check_boolean(lua_State *L, int at, const char *what);
const char *lovl_check_string(lua_State *L, int at, const char *what, size_t *size); /* no numbers */
const char *lovl_opt_string(lua_State *L, int at, const char *what, const char *otherwise); /* nil or none: otherwise */
/* A position from 1 to n; gives it from 0. Errors: type; not_found, saying what there is. */
int64_t lovl_check_position(lua_State *L, int at, int64_t n, const char *what);
ovl_status lovl_position(lua_State *L, int at, int64_t n, const char *what, int64_t *out, ovl_error *err);
ovl_type lovl_check_type(lua_State *L, int at, const char *what);
ovl_status lovl_read_pshape(lua_State *L, int at, const char *what, ovl_pshape *out, ovl_error *err); /* table or text */
void lovl_check_pshape(lua_State *L, int at, const char *what, ovl_pshape *out);
void lovl_check_shape(lua_State *L, int at, const char *what, ovl_shape *out); /* every size known */
void lovl_push_shape(lua_State *L, const ovl_shape *s);
void lovl_push_pshape(lua_State *L, const ovl_pshape *s); /* dynamic rank: "..." */
void lovl_push_value(lua_State *L, const ovl_value *v);
/* A Lua value as an attribute of this kind; everything it points at lives in values pushed on the stack. */
ovl_status lovl_read_value(lua_State *L, int at, const char *what, ovl_value_kind kind, ovl_value *out, ovl_error *err);
/* Milliseconds: nil and none give `otherwise`; below 0 is an `argument` error. */
int64_t lovl_check_ms(lua_State *L, int at, int64_t otherwise);
/* The table of keyword arguments at `at`: booleans only. `names` is a NULL-ended list; unknown names raise `argument`. */
void lovl_check_options(lua_State *L, int at, const char *const *names, bool *const *values);

/* ---- options.c: keyword arguments ---- */

typedef enum lovl_option_kind {
	LOVL_OPT_NUMBER, /* to: double * */
	LOVL_OPT_WHOLE, /* int64_t * */
	LOVL_OPT_BOOLEAN, /* bool * */
	LOVL_OPT_STRING, /* const char ** */
	LOVL_OPT_TYPE, /* ovl_type * */
	LOVL_OPT_TENSOR, /* int *: where on the stack it lies now */
	LOVL_OPT_VALUE, /* int *: the same, for a value of any kind */
} lovl_option_kind;
typedef struct lovl_option {
	const char *name; /* NULL ends a list */
	lovl_option_kind kind;
	void *to; /* left as it is when the option is not given */
} lovl_option;
/* The last argument, if it is a table at `first` or later: its values; nil then stands in its place. Values stay on the stack. Unknown names: argument. */
void lovl_take_options(lua_State *L, int first, const lovl_option *list);
int lovl_choose(lua_State *L, const char *given, const char *what, const char *const *names); /* its place in the list; raises `argument`, listing them */

/* ---- array.c: array-likes ---- */

typedef enum lovl_array_kind { LOVL_TENSOR, LOVL_TABLE, LOVL_SCALAR, LOVL_BYTES, LOVL_MEMORY } lovl_array_kind;

typedef struct lovl_array {
	lovl_array_kind kind;
	int at; /* absolute stack index of the value */
	ovl_tensor *tensor; /* TENSOR: borrowed */
	ovl_type type; /* MEMORY: of its elements; OVL_DYNAMIC: raw bytes of the type that is wanted */
	void *data; /* BYTES and MEMORY */
	size_t bytes; /* SIZE_MAX: a pointer, whose end is not known */
	bool writable; /* MEMORY may be shared */
	bool plain; /* TABLE: nothing but numbers that a double holds */
	int leaf; /* TABLE and SCALAR: Lua type of the first element */
	ovl_shape shape; /* TABLE: as nested; rank 1 is flat data. TENSOR: its own. Others: flat or scalar */
} lovl_array;

bool lovl_is_data(lua_State *L, int at); /* an object with getFFIPointer and getSize */
bool lovl_is_scalar(lua_State *L, int at); /* number, boolean, or a 64-bit integer cdata */
/* Looks at the value, all of it: once this has succeeded for a type and shape, writing cannot fail for want of right values. `strings`: a string tensor is wanted. */
ovl_status lovl_array_read(lua_State *L, int at, bool strings, lovl_array *a, ovl_error *err);
/* The shape that the value takes in a place of this type and (partial) shape. Errors: shape, type. */
ovl_status lovl_array_fit(const lovl_array *a, ovl_type type, const ovl_pshape *place, ovl_shape *out, ovl_error *err);
ovl_status lovl_array_write(lua_State *L, const lovl_array *a, ovl_tensor *to, ovl_error *err); /* into a tensor of the shape that fit gave */
/* Pushes a tensor on the value's own memory and keeps the value as long as that lives. a->kind is MEMORY. */
ovl_status lovl_array_share(lua_State *L, const lovl_array *a, ovl_type type, const ovl_shape *shape, ovl_error *err);
bool lovl_array_shareable(const lovl_array *a, ovl_type type);
/* One element, in the order of dense elements: pushes it, or takes it from the stack. */
void lovl_push_element(lua_State *L, ovl_type type, const void *data, int64_t i);
ovl_status lovl_set_element(lua_State *L, int at, ovl_tensor *t, int64_t i, ovl_error *err);
void lovl_array_functions(lua_State *L); /* what lua/ovlite/ffi.lua needs, into the module's table */
bool lovl_cdata_int(lua_State *L, int at, bool *is_unsigned, int64_t *out); /* an int64_t or uint64_t */

/* ---- wrap_tensor.c ---- */

void lovl_push_tensor(lua_State *L, ovl_tensor *t); /* takes the reference over */
void lovl_push_result(lua_State *L, ovl_tensor *t); /* the same; a sequence becomes a list of what is in it */
/* A list of Tensors and of such lists as a sequence: pushes its Tensor, which must not reach scripts. */
ovl_status lovl_to_sequence(lua_State *L, int at, ovl_error *err);
ovl_tensor *lovl_check_tensor(lua_State *L, int at, const char *what);
/* Where a result goes: pushes the Tensor at stack index `out`, or a new one for the core to fill when that is 0. What such a method ends with is lovl_made. */
ovl_tensor **lovl_out(lua_State *L, int out);
int lovl_made(lua_State *L, int out, ovl_status status, const ovl_error *err); /* the Tensor on top is filled, or the error raised */
void lovl_read_positions(lua_State *L, int at, const char *what, int rank, int64_t *out); /* a list as long as the rank */
void lovl_pressure(lua_State *L, size_t bytes); /* tells the collector about memory that it cannot see; may collect */
bool lovl_collect_for(lua_State *L, ovl_status status); /* after a `memory` failure: collects, and says whether to try again */

void lovl_tensor_math(lua_State *L); /* tensor_math.c: adds its methods to Tensor's; the module's table is on top */

/* ---- wrap_port.c, wrap_node.c ---- */

void lovl_push_port(lua_State *L, const ovl_port *p, const lovl_object *owner); /* owner: a Model or CompiledModel */
const ovl_port *lovl_port_of(const lovl_object *o);
void lovl_push_node(lua_State *L, ovl_node *n); /* borrowed: takes a reference of its own */
void lovl_push_output(lua_State *L, int node, size_t port); /* of the Node at that place; port from 0 */
bool lovl_source_at(lua_State *L, int at, ovl_source_ref *out); /* a Node or one of its outputs; raises on a closed one */
const char *lovl_port_text(const ovl_port *p, char *buf, size_t size); /* "'x' f32 [1,4]" */

/* ---- ports of a side by position, name or port ---- */

typedef struct lovl_ports {
	const lovl_object *owner;
	size_t (*count)(const void *owner, ovl_side side);
	const ovl_port *(*at)(const void *owner, ovl_side side, size_t i);
} lovl_ports;
lovl_ports lovl_ports_of_model(const lovl_object *o);
lovl_ports lovl_ports_of_compiled(const lovl_object *o);
static inline size_t lovl_ports_count(const lovl_ports *p, ovl_side side) { return p->count(p->owner->c, side); }
static inline const ovl_port *lovl_ports_at(const lovl_ports *p, ovl_side side, size_t i) { return p->at(p->owner->c, side, i); }
/* What the key (a name or a port) means; inputs are looked at first. Errors: not_found, listing what there is. */
enum { LOVL_INPUTS = 1, LOVL_OUTPUTS = 2 };
ovl_status lovl_ports_find(lua_State *L, const lovl_ports *p, int sides, int at, ovl_side *side, size_t *i, ovl_error *err);
/* The same, and positions of `main_side`. */
ovl_status lovl_ports_key(lua_State *L, const lovl_ports *p, int sides, ovl_side main_side, int at, ovl_side *side, size_t *i, ovl_error *err);
const char *lovl_ports_list(const lovl_ports *p, ovl_side side, char *buf, size_t size); /* "1 'x' f32 [1,4], 2 ..." */
int lovl_push_ports(lua_State *L, const lovl_ports *p, ovl_side side); /* a list */
int lovl_push_one_port(lua_State *L, const lovl_ports *p, ovl_side side, int at); /* the one that the argument names, or the only one */

/* ---- wrap_model.c, wrap_compiled.c, wrap_request.c ---- */

void lovl_push_compiled(lua_State *L, ovl_compiled *c); /* takes the reference over */
int lovl_new_request(lua_State *L, int compiled); /* pushes a request of the CompiledModel at that place */
int lovl_request_infer(lua_State *L); /* (request, inputs, ...): what :infer() is */
void lovl_check_idle(lua_State *L, int at, ovl_request *r); /* raises busy; the request at `at` */
void lovl_push_dict(lua_State *L, int request, bool share); /* the outputs of an idle request */

/* ---- feed.c: inputs of a call ---- */

/* Checks all that the value at `at` says about inputs, then applies it: all or nothing. `share`: use memory in place where it can be. */
void lovl_feed(lua_State *L, ovl_request *r, const lovl_ports *ports, int at, bool share);
void lovl_feed_tensors(lua_State *L, ovl_request *r, const lovl_ports *ports, int sides, ovl_side main_side, bool names, int at); /* {[key] = Tensor} */

/* ---- wrap_poll.c: what belongs to one Lua state ---- */

typedef struct lovl_home lovl_home;
lovl_home *lovl_home_of(lua_State *L);
ovl_completions *lovl_completions(lua_State *L, lovl_home *h); /* made at need */
ovl_completions *lovl_quiet_completions(lovl_home *h); /* NULL unless an event loop's adapter asked for it */
void lovl_anchor(lua_State *L, int at, void (**release)(void *, void *, size_t), void **user); /* keeps a Lua value for foreign memory */
void lovl_anchor_drop(void *user); /* for an anchor that was not used */
void lovl_sweep(lua_State *L, lovl_home *h); /* lets go of values whose memory no tensor uses any more */
void lovl_orphan(lua_State *L, ovl_request *r); /* a running request without a handle; takes the reference over */
void lovl_expect(lua_State *L, lovl_home *h, ovl_request *r, int env); /* before a start: its end will be delivered with the table at `env` */
void lovl_expect_no_more(lua_State *L, lovl_home *h, ovl_request *r); /* the start was refused */
bool lovl_expected(lua_State *L, const ovl_request *r);
/* Delivers one finished run, waiting at most ms (negative: for ever); NULL: none came. The pointer is for comparing only. */
const void *lovl_deliver(lua_State *L, lovl_home *h, int64_t ms, ovl_error *outcome);
int lovl_deliver_due(lua_State *L, lovl_home *h); /* all that are due now; how many */
void lovl_raise_callback_error(lua_State *L, lovl_home *h); /* the oldest error that a callback raised, if there is one */
void lovl_drain_quiet(lovl_home *h, const ovl_request *restarted);
int64_t lovl_now_ms(void);

/* What a request's table holds, by position. Two handles of one request share it. */
enum { LOVL_CALLBACK = 1, LOVL_USERDATA, LOVL_COMPILED, LOVL_DICT, LOVL_RESULTS, LOVL_RUNS, LOVL_QUIET };

#endif
