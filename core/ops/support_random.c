#include "ops/support_random.h"
#include "base/log.h"
#include <string.h>

uint64_t ovl_random_seed(void)
{
	static uint64_t calls;
	double now = ovl_now_us();
	uint64_t bits;
	memcpy(&bits, &now, 8);
	bits += __atomic_add_fetch(&calls, 0x9e3779b97f4a7c15u, __ATOMIC_RELAXED);
	bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u; /* splitmix64 */
	bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
	return bits ^ (bits >> 31);
}

ovl_philox ovl_philox_new(uint64_t global_seed, uint64_t op_seed)
{
	return (ovl_philox){global_seed || op_seed ? global_seed : ovl_random_seed(), op_seed, 0};
}

void ovl_philox_next(ovl_philox *p, uint32_t out[4])
{
	uint32_t x[4] = {(uint32_t)p->n, (uint32_t)(p->n >> 32), (uint32_t)p->counter, (uint32_t)(p->counter >> 32)};
	uint32_t key[2] = {(uint32_t)p->key, (uint32_t)(p->key >> 32)};
	for (int round = 0; round < 10; round++) {
		uint64_t a = (uint64_t)0xd2511f53u * x[0], b = (uint64_t)0xcd9e8d57u * x[2];
		x[0] = (uint32_t)(b >> 32) ^ x[1] ^ key[0];
		x[1] = (uint32_t)b;
		x[2] = (uint32_t)(a >> 32) ^ x[3] ^ key[1];
		x[3] = (uint32_t)a;
		key[0] += 0x9e3779b9u;
		key[1] += 0xbb67ae85u;
	}
	memcpy(out, x, sizeof x);
	if (++p->n == 0)
		p->counter++;
}

void ovl_mersenne_seed(ovl_mersenne *m, uint32_t seed)
{
	m->state[0] = seed;
	for (uint32_t i = 1; i < 624; i++)
		m->state[i] = 1812433253u * (m->state[i - 1] ^ (m->state[i - 1] >> 30)) + i;
	m->next = 624;
}

static void twist(ovl_mersenne *m)
{
	for (int i = 0; i < 624; i++) {
		uint32_t y = (m->state[i] & 0x80000000u) | (m->state[(i + 1) % 624] & 0x7fffffffu);
		m->state[i] = m->state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
	}
	m->next = 0;
}

uint32_t ovl_mersenne_next(ovl_mersenne *m)
{
	if (m->next >= 624)
		twist(m);
	uint32_t y = m->state[m->next++];
	y ^= y >> 11;
	y ^= (y << 7) & 0x9d2c5680u;
	y ^= (y << 15) & 0xefc60000u;
	return y ^ (y >> 18);
}

float ovl_random_f32(uint32_t bits)
{
	uint32_t u = 0x3f800000u | (bits & 0x7fffffu);
	float f;
	memcpy(&f, &u, 4);
	return f - 1.0f;
}

double ovl_random_f64(uint32_t high, uint32_t low)
{
	uint64_t u = (uint64_t)1023 << 52 | (uint64_t)(high & 0xfffffu) << 32 | low;
	double d;
	memcpy(&d, &u, 8);
	return d - 1.0;
}
