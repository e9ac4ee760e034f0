/* support_work.h - working copies for reference runs: an operator reads its inputs as arrays of one type to compute in, whatever they are stored as,
 * and writes outputs in that type; conversion and memory are dealt with here.
 *
 *     static ovl_status foo(ovl_work *w) { ... OVL_TRY(ovl_work_f64(w, 0, &x)); OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y)); ...; return OVL_OK; }
 *     static ovl_status foo_run(ovl_run *run) { return ovl_work_run(run, foo); }
 *
 * All memory taken through a work is given back when it ends; outputs are converted to their types when it ends well. */
#ifndef OVL_OPS_SUPPORT_WORK_H
#define OVL_OPS_SUPPORT_WORK_H

#include "base/vec.h"
#include "graph/infer.h"
#include "graph/op.h"

typedef struct ovl_work_result {
	ovl_tensor *tensor;
	ovl_type type;
	void *data;
} ovl_work_result;

typedef struct ovl_work {
	ovl_run *run;
	const void *params;
	ovl_error *err;
	OVL_VEC(void *) blocks;
	OVL_VEC(ovl_work_result) results;
} ovl_work;

ovl_status ovl_work_run(ovl_run *run, ovl_status (*body)(ovl_work *w));

/* f32 for f32 and all narrower floats, f64 for f64, i64 (u64 by its bits) for integers and boolean. */
ovl_type ovl_work_type(ovl_type t);
ovl_status ovl_work_read(ovl_work *w, const ovl_tensor *t, ovl_type as, const void **out); /* the tensor's own memory when it has the type already */
ovl_status ovl_work_out(ovl_work *w, int i, ovl_type as, void *out); /* out: address of a pointer; contents undefined at first */
ovl_status ovl_work_out_tensor(ovl_work *w, ovl_tensor *t, ovl_type as, void *out);
ovl_status ovl_work_take(ovl_work *w, int64_t count, size_t size, void *out); /* zeroed memory; out: address of a pointer */

static inline bool ovl_work_has(const ovl_work *w, int i) { return i >= 0 && i < w->run->n_in && w->run->in[i]; }
static inline const ovl_shape *ovl_work_shape(const ovl_work *w, int i) { return &w->run->in[i]->shape; }
static inline ovl_status ovl_work_f32(ovl_work *w, int i, const float **out) { return ovl_work_read(w, w->run->in[i], OVL_F32, (const void **)out); }
static inline ovl_status ovl_work_f64(ovl_work *w, int i, const double **out) { return ovl_work_read(w, w->run->in[i], OVL_F64, (const void **)out); }
static inline ovl_status ovl_work_i64(ovl_work *w, int i, const int64_t **out)
{
	return ovl_work_read(w, w->run->in[i], OVL_I64, (const void **)out);
}
ovl_status ovl_work_scalar(ovl_work *w, int i, double *out); /* the only element of input i; error `shape` otherwise */
ovl_status ovl_work_fail(ovl_work *w, ovl_status code, const char *fmt, ...) __attribute__((format(printf, 3, 4), cold)); /* "Operator: ..." */

/* Types a template is made for: X(enum, C type). Integer arithmetic wraps, so one unsigned type serves signed and unsigned. */
#define OVL_EACH_WORK(X) X(OVL_F32, float) X(OVL_F64, double) X(OVL_I64, uint64_t)
#define OVL_EACH_WORK_FLOAT(X) X(OVL_F32, float) X(OVL_F64, double)

/* Product of dims[from..to). */
static inline int64_t ovl_span(const ovl_shape *s, int from, int to)
{
	int64_t n = 1;
	for (int i = from; i < to; i++)
		n *= s->dims[i];
	return n;
}

/* Strides that lead each element of dense `s` to its group's place in an array of groups: all elements that differ in `reduced` dimensions alone are
 * one group. Returns the number of groups. */
int64_t ovl_group_strides(const ovl_shape *s, const bool *reduced, int64_t *strides);
/* The axes of input i (of any integer type) as flags per dimension of `rank`; *count of them. Errors: argument. */
ovl_status ovl_work_axes(ovl_work *w, int i, int rank, bool *flags, int *count);

/* An attribute whose name in IR is no C name, or that lives in a nested struct. */
#define OVL_ATTR_AS(name, KIND, S, field, initial, choices)      \
	{                                                        \
		name, KIND, offsetof(S, field), initial, choices \
	}

#endif
