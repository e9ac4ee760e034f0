/* refill.h - memory whose pages can be given back and filled again, because it is known how its contents are made: weights that kernels have packed, and that
 * only the next plan, an export or a script's question would want to see again. */
#ifndef OVL_BASE_REFILL_H
#define OVL_BASE_REFILL_H

#include "base/file.h"

/* Memory with the contents that fill(user, data, size) writes, now and at each refill. Takes `user` over, which `end` ends; NULL when memory is short: nothing is taken. */
ovl_buffer *ovl_refill_make(size_t size, void (*fill)(void *user, void *data, size_t size), void *user, void (*end)(void *user));
/* A copy of a part of a mapped file (retained). NULL when memory is short. */
ovl_buffer *ovl_refill_new(ovl_buffer *file, size_t offset, size_t size);
bool ovl_refill_can(const ovl_buffer *b); /* made here */
bool ovl_refill_away(const ovl_buffer *b); /* dropped just now */
/* change(user, data, size) is done now, and again after each refill. Takes `user` over, which `end` ends; false when memory is short: nothing is done or taken. */
bool ovl_refill_change(ovl_buffer *b, void (*change)(void *user, void *data, size_t size), void *user, void (*end)(void *user));
void ovl_refill_drop(ovl_buffer *b); /* from now on nobody may look, until ovl_refill_restore: for who knows all that hold it */
void ovl_refill_restore(ovl_buffer *b); /* of any buffer: does what is needed, if anything is */

#endif
