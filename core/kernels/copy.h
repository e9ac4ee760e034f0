/* copy.h - strided copies: the pseudo-operator "Copy" (one input with any strides, 0 included; one output; same dims, same type) in parts that the instruction sets share. */
#ifndef OVL_KERNELS_COPY_H
#define OVL_KERNELS_COPY_H

#include "kernels/loops.h"

/* Portable, on the calling thread; types and dims are equal. False, and nothing done: strings, or a packed type that is not dense on both sides. */
bool ovl_copy_strided(const ovl_desc *from, const void *src, const ovl_desc *to, void *dst);

/* How a copy is done. Sizes in elements of `size` bytes; value 0 of the walk is the destination, 1 the source. */
typedef struct ovl_copy_plan {
	enum { OVL_COPY_ROWS, OVL_COPY_TRANSPOSE, OVL_COPY_STEPS } how; /* both contiguous along the last loop; contiguous along different loops; anything else */
	int size;
	ovl_loops walk; /* all outer loops; of a transposition the last two loops are taken off */
	int64_t units, grain; /* pieces of work, and how many make a chunk worth claiming */
	int64_t pieces, piece; /* rows: a row has `pieces` of `piece` elements */
	int64_t ni, nj, si, dj; /* transposition: dst[i + j * dj] = src[i * si + j], i < ni, j < nj */
	int64_t bi, bj; /* blocks along i and j */
	bool i_inner; /* blocks are visited along i first */
} ovl_copy_plan;

enum { OVL_COPY_BLOCK = 64 };

/* One block of a transposition, at most OVL_COPY_BLOCK each way. */
typedef void (*ovl_copy_block_fn)(char *dst, const char *src, const ovl_copy_plan *p, int64_t ni, int64_t nj);
typedef void (*ovl_copy_row_fn)(char *dst, const char *src, size_t bytes);

void ovl_copy_plan_make(ovl_copy_plan *p, const ovl_desc *from, const ovl_desc *to);
void ovl_copy_units(const ovl_copy_plan *p, char *dst, const char *src, int64_t first, int64_t last, ovl_copy_block_fn block, ovl_copy_row_fn row);
void ovl_copy_block_plain(char *dst, const char *src, const ovl_copy_plan *p, int64_t ni, int64_t nj);

/* The kernel around them. */
const char *ovl_copy_accept(ovl_problem *p);
ovl_status ovl_copy_prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err);
ovl_status ovl_copy_run(const ovl_call *call, ovl_copy_block_fn block, ovl_copy_row_fn row);

#endif
