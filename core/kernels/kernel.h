/* kernel.h - the kernel contract: fast implementations of operators. ONE FILE = one kernel family at one ISA level or library; the file's name tells operator and
 * ISA (softmax_avx512.c) and picks the compiler flags; its registration is `const ovl_kernel *const ovl_kernels_<file>[] = {..., NULL};`.
 *
 * Kernels see base/, tensor/ and operators' parameter structs (core/ops/NAME.h), never the graph. They queue up best-first (ISA level, then rank) and refuse with a
 * reason; the first that accepts is taken; the operator's reference run is last and accepts everything. OVLITE_VERBOSE=dispatch prints who refused and why.
 *
 * Memory: a value lives anywhere as a strided view (ovl_desc). Three forms have names:
 *   DENSE  row-major without holes;
 *   CL     channels-last: dims are still [N, C, spatial...], but the channel stride is 1, pixels follow each other at a distance `ld >= C` (elements), rows and images
 *          without further holes. Lanes between C and ld belong to nobody: they may hold anything, are never meaningful, and a kernel may write them only when
 *          the desc's ld covers its own value alone - so mask the tail.
 *   ANY    whatever strides there are (also 0 for broadcast).
 * accept() looks at a problem and writes the forms it wants; the planner inserts copies where a value has another form, chooses the strides (also in place inside a
 * concatenation: ld may be much larger than C), and then calls prepare() with final descs. run() only gets pointers.
 *
 * Halves: an f32 value that is stored as bf16, where the user asked for bf16. Only kernels that say so (`halves`) ever see one, as a desc of type bf16, and may wish for
 * them; for all others the planner converts. What an operator's types are is not touched by that. */
#ifndef OVL_KERNELS_KERNEL_H
#define OVL_KERNELS_KERNEL_H

#include "base/cpu.h"
#include "base/pool.h"
#include "tensor/post.h"
#include "tensor/tensor.h"

typedef struct ovl_desc {
	ovl_type type;
	int rank;
	int64_t dims[OVL_MAX_RANK];
	int64_t strides[OVL_MAX_RANK]; /* elements; of a dimension of size 1 meaningless */
} ovl_desc;

typedef enum ovl_form {
	OVL_FORM_DENSE,
	OVL_FORM_CL,
	OVL_FORM_ANY,
	OVL_FORM_LIKE = 16, /* outputs only: OVL_FORM_LIKE + k: CL when input k is (given or wanted) CL, else DENSE */
} ovl_form;

/* Weights packed once per compiled model and shared by all of its plans: see packs.h. */
typedef struct ovl_packs ovl_packs;

typedef struct ovl_problem {
	const char *op; /* operator type name: "Convolution" */
	const void *params; /* the operator's parameter struct */
	int n_in, n_out; /* n_in counts the operands of binary posts too */
	int n_op_in; /* inputs of the operator itself, without the posts' operands */
	uint64_t unused; /* bit i: nobody reads output i, run() may leave it as it is */
	ovl_desc *in, *out;
	const void *const *in_data; /* dense data of inputs that are constants, else NULL */
	const ovl_post *posts; /* applied to output 0, in order; operand = in[post.input] */
	int n_posts;
	int threads;
	ovl_isa isa;
	ovl_packs *packs;
	bool accurate; /* the user asked for accuracy: no algorithm that saves multiplications at its cost */
	bool precise_bf16; /* the user asked for bf16: float problems may be computed with bf16 products and f32 sums */
	bool halves_read; /* readers of output 0 can take it as halves (see below) */
	bool added; /* some reader adds output 0 behind its own work: a residual branch */
	int way; /* 0: as the kernel's own estimates say; i: do it in way i - 1 of its `ways`, or refuse */
	/* written by accept(); preset to DENSE, -1 and false; in_half to how the inputs are stored */
	ovl_form *in_form, *out_form;
	bool *in_packed; /* prepare() copies what it needs of this constant: the original may go, run() gets NULL */
	bool *in_half, out_half; /* this input (no constant) is wanted as halves, output 0 is written as halves */
	bool out_rows_free; /* rows of output 0 may lie anywhere at no cost: where a Transpose of it would have them */
	int in_place; /* output 0 may take the memory of this input when nobody needs it afterwards and both have equal strides; -1: never */
} ovl_problem;

typedef struct ovl_prepared {
	void *state; /* given to run() and release() */
	size_t scratch; /* bytes run() wants, 64-byte aligned; contents undefined */
	size_t room; /* the same for each worker: see ovl_call_room */
	char detail[48]; /* "wino4x4", "14x32": for profiling; may be empty */
} ovl_prepared;

typedef struct ovl_call {
	const void *state;
	void *const *in;
	void *const *out;
	void *scratch;
	char *rooms;
	size_t room_size;
	ovl_pool *pool; /* at least the threads of the problem */
	const int *cancel; /* atomic; long kernels look between chunks; may be NULL */
	ovl_error *err;
} ovl_call;

/* A worker's own memory, the same for all steps, so that it stays in the cache of one core; 64-byte aligned, contents undefined. */
static inline void *ovl_call_room(const ovl_call *call, int worker) { return call->rooms + (size_t)worker * call->room_size; }

/* Rows on demand: what makes a kernel a link of a chain (chain.h), in which a few rows go from link to link while they are in L2. Values are CL of rank 4; a
 * row is a line of pixels, rows count through all images. */
typedef struct ovl_rows {
	/* Which input of this accepted problem is asked for row by row; -1: the problem cannot be done by rows. Before prepare(). */
	int (*input)(const ovl_problem *p);
	/* Rows of that input that output rows [from, to), all of one image, depend on. */
	void (*need)(const void *state, int64_t from, int64_t to, int64_t *in_from, int64_t *in_to);
	/* Output rows [from, to) of one image, on this thread alone. Addresses are those of whole tensors, but only the rows in question have to be there. */
	void (*run)(const ovl_call *call, int64_t from, int64_t to);
	size_t (*scratch)(const void *state); /* of such a call; NULL: none */
	/* sums[c] = the sum of channel c over these output rows, which run() has just made; f32. NULL: nobody needed it so far. */
	void (*sum)(const ovl_call *call, int64_t from, int64_t to, float *sums);
} ovl_rows;

typedef struct ovl_kernel {
	const char *name; /* "conv_avx512" */
	const char *ops; /* blank-separated operator type names it may be asked for */
	ovl_isa isa;
	int rank; /* among kernels of one ISA level: higher is asked first */
	bool halves; /* reads and writes f32 values that are stored as bf16 */
	const char *(*accept)(ovl_problem *p); /* NULL: accepted; else the reason, a constant text */
	ovl_status (*prepare)(const ovl_problem *p, ovl_prepared *out, ovl_error *err);
	ovl_status (*run)(const ovl_call *call); /* allocates nothing */
	void (*release)(void *state); /* NULL: state is freed by ovl_free */
	const ovl_rows *rows; /* NULL: whole values only */
	const char *const *ways; /* what else it can do, for choices by measurement: names, NULL behind the last; NULL: nothing */
} ovl_kernel;

/* ---- descs (kernels/desc.c) ---- */

ovl_desc ovl_desc_dense(ovl_type type, int rank, const int64_t *dims);
ovl_desc ovl_desc_cl(ovl_type type, int rank, const int64_t *dims, int64_t ld);
int64_t ovl_cl_ld(const int64_t *dims, int rank); /* the planner's choice: C when there is one pixel, else C rounded up to 16, plus 16 at multiples of 2 KB */
bool ovl_desc_is_dense(const ovl_desc *d);
bool ovl_desc_is_cl(const ovl_desc *d, int64_t *ld); /* rank >= 3 */
bool ovl_desc_has_form(const ovl_desc *d, ovl_form form);
int64_t ovl_desc_count(const ovl_desc *d);
size_t ovl_desc_span(const ovl_desc *d); /* bytes from the first element to the end of the last */
bool ovl_desc_same_dims(const ovl_desc *a, const ovl_desc *b);
/* True when operand broadcasts over `out` as one value per channel ([C,1,1], [1,C,1,1], ...), or a scalar (*channels = 1). `axis` is the channel dimension of out. */
bool ovl_desc_per_channel(const ovl_desc *operand, const ovl_desc *out, int axis, int64_t *channels);

/* Strides of `operand` for walking over out's dims (0 where it broadcasts). False when it does not broadcast. */
bool ovl_desc_broadcast_strides(const ovl_desc *operand, const ovl_desc *out, int64_t *strides);

/* ---- registry (kernels/registry.c) ---- */

/* The i-th kernel for an operator at `isa`, best first; NULL past the end. */
const ovl_kernel *ovl_kernel_at(const char *op, ovl_isa isa, size_t i);
bool ovl_kernel_takes_halves(const char *op, ovl_isa isa); /* some kernel does */

#endif
