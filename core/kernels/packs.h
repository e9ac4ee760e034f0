/* packs.h - packed weights, made once per compiled model: looked up by where they come from and how they are packed. */
#ifndef OVL_KERNELS_PACKS_H
#define OVL_KERNELS_PACKS_H

#include "base/file.h"
#include "kernels/kernel.h"

ovl_packs *ovl_packs_new(void);
void ovl_packs_free(ovl_packs *p);
void ovl_packs_bytes(ovl_packs *p, size_t *own, size_t *mapped); /* in memory of our own; in a mapped file */

/* The block packed from `source` (address of the constant's data) in the way `tag` says (kernel, tile, dims: everything the packing depends on), made by fill(dst, arg)
 * when it is not there yet. `size` bytes, 64-byte aligned, zeroed before fill. Thread-safe; different blocks are
 * filled at the same time. A reference for the caller: ovl_buffer_release. p may be NULL (no sharing). */
ovl_status ovl_packs_get(ovl_packs *p, const void *source, const char *tag, size_t size, void (*fill)(void *dst, void *arg), void *arg, ovl_buffer **out, ovl_error *err);

/* Puts a block that was packed before (by another process) in its place; it is kept. Errors: memory. */
ovl_status ovl_packs_put(ovl_packs *p, const void *source, const char *tag, ovl_buffer *block, ovl_error *err);
/* Forgets blocks that nobody uses. No kernel may be preparing meanwhile. */
void ovl_packs_trim(ovl_packs *p);
/* The i-th block, false past the end. Waits until it is filled. Borrowed, for the packs' life. */
bool ovl_packs_at(ovl_packs *p, size_t i, const void **source, const char **tag, ovl_buffer **block);

#endif
