/* support_order.h - putting elements of any numeric type in order through 64-bit keys: the larger number has the larger key, equal numbers have equal keys, NaN is
 * above everything. */
#ifndef OVL_OPS_SUPPORT_ORDER_H
#define OVL_OPS_SUPPORT_ORDER_H

#include "graph/op.h"

/* The keys of all elements of t (ovl_free them). Errors: type for strings. */
ovl_status ovl_order_keys(ovl_run *run, const ovl_tensor *t, uint64_t **keys);
/* The positions (0..n) of the k largest of key[0], key[step], ...; largest first, of equals the lower position first. k <= n. */
void ovl_order_largest(const uint64_t *key, int64_t step, int64_t n, int64_t k, int64_t *positions);
/* Sorts the n numbers in `list` by before(a, b, user); stable. scratch: n numbers. */
void ovl_order_sort(int64_t *list, int64_t *scratch, int64_t n, bool (*before)(int64_t a, int64_t b, const void *user), const void *user);

#endif
