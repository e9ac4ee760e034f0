/* Eight lanes of 64 bits; each step of 64 bytes adds to every lane the product of the halves of (data ^ key) and its neighbour's data, with keys that move on from
 * step to step, so that the order counts. Memory is the limit, not the arithmetic. */
#include "base/hash.h"

#include <stdio.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { STEP = 64, STIR = 16, PART = 1 << 20 };
typedef uint64_t pair __attribute__((vector_size(16)));

typedef struct lanes {
	pair acc[4], key[4];
} lanes;

#define PRIME_A 0x9e3779b185ebca87ull
#define PRIME_B 0xc2b2ae3d27d4eb4full
#define PRIME_C 0x85ebca77u

static inline pair halves(pair x) /* low 32 bits times high 32 bits */
{
#ifdef __SSE2__
	return (pair)_mm_mul_epu32((__m128i)x, _mm_srli_epi64((__m128i)x, 32));
#else
	return (x & 0xffffffffull) * (x >> 32);
#endif
}

static inline pair swapped(pair x) { return (pair){x[1], x[0]}; }

static inline void step(lanes *l, const unsigned char *p)
{
	const pair move = {PRIME_B, PRIME_B};
	for (int i = 0; i < 4; i++) {
		pair v;
		memcpy(&v, p + 16 * i, sizeof v);
		l->acc[i] += halves(v ^ l->key[i]) + swapped(v);
		l->key[i] += move;
	}
}

static inline void stir(lanes *l)
{
	for (int i = 0; i < 4; i++) {
		pair x = l->acc[i] ^ (l->acc[i] >> 47) ^ l->key[i];
		l->acc[i] = (x & 0xffffffffull) * PRIME_C + (((x >> 32) * PRIME_C) << 32);
	}
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t avalanche(uint64_t x)
{
	x = (x ^ x >> 37) * 0x165667919e3779f9ull;
	return x ^ x >> 32;
}

static ovl_hash finish(const lanes *l, size_t size)
{
	ovl_hash h = {size * PRIME_A, ~(uint64_t)size * PRIME_B};
	for (int i = 0; i < 4; i++) {
		uint64_t x = l->acc[i][0], y = l->acc[i][1];
		h.a += mix(x ^ PRIME_A, y ^ (PRIME_B + (uint64_t)i));
		h.b += mix(x ^ (PRIME_B << 7), y ^ (PRIME_A >> (i + 1)));
	}
	return (ovl_hash){avalanche(h.a), avalanche(h.b)};
}

static ovl_hash hash_part(const unsigned char *p, size_t size)
{
	lanes l;
	unsigned char last[STEP] = {0};
	size_t n = size / STEP;
	for (int i = 0; i < 4; i++) {
		l.acc[i] = (pair){PRIME_A + (uint64_t)i, PRIME_B * (uint64_t)(i + 1)};
		l.key[i] = (pair){PRIME_B ^ ((uint64_t)i << 17), PRIME_A ^ ((uint64_t)i << 41)};
	}
	for (size_t i = 0; i < n; i++, p += STEP) {
		step(&l, p);
		if (i % STIR == STIR - 1)
			stir(&l);
	}
	if (size % STEP) {
		memcpy(last, p, size % STEP);
		step(&l, last);
	}
	stir(&l);
	return finish(&l, size);
}

typedef struct parts {
	const unsigned char *data;
	size_t size;
	ovl_hash at[512];
} parts;

static void do_part(void *arg, int64_t chunk, int worker)
{
	parts *p = arg;
	size_t from = (size_t)chunk * PART, n = p->size - from;
	(void)worker;
	p->at[chunk] = hash_part(p->data + from, n < PART ? n : PART);
}

ovl_hash ovl_hash_of(const void *data, size_t size, ovl_pool *pool)
{
	const size_t most = sizeof((parts *)0)->at / sizeof(ovl_hash);
	ovl_hash all = {size, 0};
	parts p = {.data = data};
	if (size <= PART)
		return hash_part(data, size);
	for (size_t at = 0; at < size; at += p.size) { /* the hash of the parts' hashes, a few hundred at a time */
		size_t n;
		p.data = (const unsigned char *)data + at;
		p.size = size - at < most * PART ? size - at : most * PART;
		n = (p.size + PART - 1) / PART;
		ovl_pool_run(pool, (int64_t)n, do_part, &p);
		all = ovl_hash_join(all, hash_part((const unsigned char *)p.at, n * sizeof *p.at));
	}
	return all;
}

ovl_hash ovl_hash_join(ovl_hash first, ovl_hash second)
{
	ovl_hash both[2] = {first, second};
	return hash_part((const unsigned char *)both, sizeof both);
}

const char *ovl_hash_text(ovl_hash h, char buf[33])
{
	snprintf(buf, 33, "%016llx%016llx", (unsigned long long)h.a, (unsigned long long)h.b);
	return buf;
}
