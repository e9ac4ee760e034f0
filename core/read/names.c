#include "read/names.h"
#include "base/memory.h"

#include <string.h>

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15u;
	h ^= h >> 29;
	return h;
}

uint64_t ovl_hash_bytes(const void *bytes, size_t n, uint64_t seed)
{
	const uint8_t *p = bytes;
	uint64_t h = mix(seed ^ n), w;
	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&w, p, 8);
		h = mix(h ^ w) * 0xd6e8feb86659fd93u;
	}
	w = 0;
	memcpy(&w, p, n);
	return mix(mix(h ^ w) * 0xd6e8feb86659fd93u);
}

static uint64_t hash_of(const ovl_names *names, const void *key)
{
	static const char anywhere;
	uint64_t seed = (uint64_t)(uintptr_t)&anywhere; /* differs from run to run, so that nobody can prepare collisions */
	return names->by_address ? mix((uint64_t)(uintptr_t)key) : ovl_hash_bytes(key, strlen(key), seed);
}

static bool same(const ovl_names *names, const struct ovl_name *e, const void *key, uint64_t hash)
{
	if (names->by_address)
		return e->key == key;
	return e->hash == hash && strcmp(e->key, key) == 0;
}

/* The slot of key, or the free slot where it belongs. */
static struct ovl_name *slot(const ovl_names *names, const void *key, uint64_t hash)
{
	for (size_t i = hash & (names->cap - 1);; i = (i + 1) & (names->cap - 1))
		if (!names->at[i].key || same(names, &names->at[i], key, hash))
			return &names->at[i];
}

static bool grow(ovl_names *names)
{
	ovl_names bigger = *names;
	bigger.cap = names->cap ? names->cap * 2 : 32;
	bigger.at = ovl_calloc(bigger.cap, sizeof *bigger.at);
	if (!bigger.at)
		return false;
	for (size_t i = 0; i < names->cap; i++)
		if (names->at[i].key)
			*slot(&bigger, names->at[i].key, names->at[i].hash) = names->at[i];
	ovl_free(names->at);
	*names = bigger;
	return true;
}

bool ovl_names_put(ovl_names *names, const void *key, size_t value)
{
	uint64_t hash = hash_of(names, key);
	struct ovl_name *e;
	if (names->n * 4 >= names->cap * 3 && !grow(names))
		return false;
	e = slot(names, key, hash);
	names->n += !e->key;
	*e = (struct ovl_name){key, value, hash};
	return true;
}

bool ovl_names_get(const ovl_names *names, const void *key, size_t *value)
{
	struct ovl_name *e;
	if (!names->cap)
		return false;
	e = slot(names, key, hash_of(names, key));
	if (e->key)
		*value = e->value;
	return e->key != NULL;
}

void ovl_names_free(ovl_names *names)
{
	ovl_free(names->at);
	names->at = NULL;
	names->n = names->cap = 0;
}
