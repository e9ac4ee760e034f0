/* chain.h - several kernels as one: each row that a link makes is taken by the next while it is in L2.
 *
 * An expanded layer of a mobile network is six times as large as the block's input and output. Written as a whole it leaves the cache, and half of it moves
 * between the cores; here a thread makes a band of a few rows of the last output, and for it, from the last link back to the first, the rows that are needed,
 * in buffers of its own. Neighbouring bands of one thread share what they have in common: the rows at the end of a buffer move to its front. Only where one
 * thread's share ends and another's begins are the rows between them made twice. */
#ifndef OVL_KERNELS_CHAIN_H
#define OVL_KERNELS_CHAIN_H

#include "kernels/kernel.h"

enum { OVL_CHAIN_LINKS = 4 };

/* A problem that its kernel has accepted, with final descs. Output 0 of a link is input `via` of the next. */
typedef struct ovl_chain_link {
	const ovl_kernel *kernel;
	ovl_problem p;
	int via; /* from kernel->rows->input */
} ovl_chain_link;

/* True when these links are better done as a chain. `means`: of its channels are wanted too. */
bool ovl_chain_pays(const ovl_chain_link *links, int n, bool means);
/* Links go on to follow this one: false at the end of a block, where values are small again. */
bool ovl_chain_goes_on(const ovl_chain_link *links, int n);
/* `way`: of ovl_chain.ways, as in a problem.
 * Inputs of a call: those of all links, one after the other; the ones that links pass on are not looked at. `means`: output 1 is the mean of each channel of
 * output 0, [images][channels], for the squeeze of a squeeze-excite block; the last kernel can sum. */
ovl_status ovl_chain_prepare(const ovl_chain_link *links, int n, bool means, int way, ovl_prepared *out, ovl_error *err);

extern const ovl_kernel ovl_chain; /* run and release */

#endif
