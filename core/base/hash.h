/* hash.h - a fast 128-bit hash of contents: tells files and weights apart. Not for secrets: who wants a collision can make one. */
#ifndef OVL_BASE_HASH_H
#define OVL_BASE_HASH_H

#include "base/pool.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ovl_hash {
	uint64_t a, b;
} ovl_hash;

/* The same on every machine. Large data is cut into parts of fixed size, which the pool's threads share (NULL: the caller alone). */
ovl_hash ovl_hash_of(const void *data, size_t size, ovl_pool *pool);
ovl_hash ovl_hash_join(ovl_hash first, ovl_hash second); /* depends on the order */
static inline bool ovl_hash_equal(ovl_hash x, ovl_hash y) { return x.a == y.a && x.b == y.b; }
const char *ovl_hash_text(ovl_hash h, char buf[33]); /* 32 hexadecimal digits */

#endif
