/* onednn.h - what the kernels on oneDNN share. It serves where own kernels do not reach: with bf16 asked for, convolutions of
 * narrow groups and products of two computed values (own kernels beat it in all else).
 *
 * Debian's oneDNN runs on OpenMP, whose teams wake up slowly after a pause. So it is never given a team: each thread of ours calls it with one OpenMP thread, on its
 * own part of the work, with scratch memory of ours. */
#ifndef OVL_KERNELS_ONEDNN_H
#define OVL_KERNELS_ONEDNN_H

#include "kernels/kernel.h"

#include <oneapi/dnnl/dnnl.h>

dnnl_engine_t ovl_onednn_engine(void); /* one for the process; NULL: it cannot be made */
dnnl_stream_t ovl_onednn_stream(void); /* the calling thread's, which gets one OpenMP thread; NULL: it cannot be made */
/* What every kernel here wants: bf16 asked for, two f32 inputs and such a result, no posts, an engine. NULL: fine; else why not. */
const char *ovl_onednn_accept(const ovl_problem *p);
bool ovl_onednn_desc(dnnl_memory_desc_t *out, const ovl_desc *d); /* false: a type or rank that it does not take */
ovl_status ovl_onednn_fail(ovl_error *err, const char *what, dnnl_status_t st);
/* A primitive of this operation with scratch memory from the caller; *scratch bytes. */
ovl_status ovl_onednn_primitive(const_dnnl_op_desc_t op, dnnl_primitive_t *out, size_t *scratch, ovl_error *err);

typedef struct ovl_onednn_arg {
	int index; /* DNNL_ARG_SRC, ... */
	const dnnl_memory_desc_t *desc;
	void *data;
} ovl_onednn_arg;
ovl_status ovl_onednn_execute(dnnl_primitive_t p, const ovl_onednn_arg *args, int n, void *scratch, ovl_error *err); /* at most 6 args */
const dnnl_memory_desc_t *ovl_onednn_query(dnnl_primitive_t p, dnnl_query_t what, int index);

#endif
