/* names.h - a hash table from names (or addresses) to numbers, for the time of reading. Keys are borrowed and must outlive the table. */
#ifndef OVL_READ_NAMES_H
#define OVL_READ_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ovl_names {
	struct ovl_name {
		const char *key; /* NULL: free */
		size_t value;
		uint64_t hash;
	} *at;
	size_t n, cap; /* cap: 0 or a power of two */
	bool by_address; /* keys are compared as pointers, not as texts */
} ovl_names;

bool ovl_names_put(ovl_names *names, const void *key, size_t value); /* replaces an older value; false: no memory */
bool ovl_names_get(const ovl_names *names, const void *key, size_t *value);
void ovl_names_free(ovl_names *names);
uint64_t ovl_hash_bytes(const void *bytes, size_t n, uint64_t seed);

#endif
