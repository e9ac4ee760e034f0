/* copy_impl.h - transpositions in registers and short rows. Included by copy_avx2.c and copy_avx512.c after their 32-bit square (tile_32, of TILE rows). */
#include <string.h>

typedef struct square {
	char *dst;
	const char *src;
	int64_t d, s; /* bytes from row to row */
	int ni, nj; /* rows of the source; rows of the destination */
} square;

static void tile_plain(const square *q, int size)
{
	for (int j = 0; j < q->nj; j++)
		for (int i = 0; i < q->ni; i++)
			memcpy(q->dst + j * q->d + i * size, q->src + i * q->s + j * size, (size_t)size);
}

static inline __m128i load_16(const void *p) { return _mm_loadu_si128(p); }
static inline void store_16(void *p, __m128i a) { _mm_storeu_si128(p, a); }

static void tile_8(const square *q) /* 16 x 16 bytes */
{
	__m128i a[16], b[16];
	for (int i = 0; i < 16; i++)
		a[i] = load_16(q->src + i * q->s);
#pragma GCC unroll 4
	for (int round = 0; round < 4; round++) { /* each round joins row i with row i + 8 byte by byte: four of them rotate the 8-bit index by a half */
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++) {
			b[2 * i] = _mm_unpacklo_epi8(a[i], a[i + 8]);
			b[2 * i + 1] = _mm_unpackhi_epi8(a[i], a[i + 8]);
		}
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++)
			a[i] = b[i];
	}
	for (int i = 0; i < 16; i++)
		store_16(q->dst + i * q->d, a[i]);
}

static void tile_16(const square *q) /* 8 x 8 of 16 bits */
{
	__m128i a[8], b[8];
	for (int i = 0; i < 8; i++)
		a[i] = load_16(q->src + i * q->s);
#pragma GCC unroll 3
	for (int round = 0; round < 3; round++) {
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++) {
			b[2 * i] = _mm_unpacklo_epi16(a[i], a[i + 4]);
			b[2 * i + 1] = _mm_unpackhi_epi16(a[i], a[i + 4]);
		}
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++)
			a[i] = b[i];
	}
	for (int i = 0; i < 8; i++)
		store_16(q->dst + i * q->d, a[i]);
}

static void tile_64(const square *q) /* 4 x 4 of 64 bits */
{
	__m256d r[4], t[4];
	for (int i = 0; i < 4; i++)
		r[i] = _mm256_loadu_pd((const double *)(const void *)(q->src + i * q->s));
	t[0] = _mm256_unpacklo_pd(r[0], r[1]);
	t[1] = _mm256_unpackhi_pd(r[0], r[1]);
	t[2] = _mm256_unpacklo_pd(r[2], r[3]);
	t[3] = _mm256_unpackhi_pd(r[2], r[3]);
	_mm256_storeu_pd((double *)(void *)q->dst, _mm256_permute2f128_pd(t[0], t[2], 0x20));
	_mm256_storeu_pd((double *)(void *)(q->dst + q->d), _mm256_permute2f128_pd(t[1], t[3], 0x20));
	_mm256_storeu_pd((double *)(void *)(q->dst + 2 * q->d), _mm256_permute2f128_pd(t[0], t[2], 0x31));
	_mm256_storeu_pd((double *)(void *)(q->dst + 3 * q->d), _mm256_permute2f128_pd(t[1], t[3], 0x31));
}

/* Few interleaved planes without gaps (image channels): constant counts let the compiler shuffle. Destination i + j * n from planes at a distance of si. */
#define WEAVE(T, N)                                                                                          \
	{                                                                                                    \
		T *restrict to = (T *)(void *)dst;                                                           \
		const T *restrict from = (const T *)(const void *)src;                                       \
		for (int64_t j = 0; j < nj; j++)                                                             \
			for (int i = 0; i < N; i++)                                                          \
				to[j * N + i] = from[i * p->si + j];                                         \
		return true;                                                                                 \
	}
#define UNWEAVE(T, N)                                                                                        \
	{                                                                                                    \
		T *restrict to = (T *)(void *)dst;                                                           \
		const T *restrict from = (const T *)(const void *)src;                                       \
		for (int64_t i = 0; i < ni; i++)                                                             \
			for (int j = 0; j < N; j++)                                                          \
				to[j * p->dj + i] = from[i * N + j];                                         \
		return true;                                                                                 \
	}
#define FEW(BODY, n, T)                                                                                      \
	switch (n) {                                                                                         \
	case 2: BODY(T, 2)                                                                                   \
	case 3: BODY(T, 3)                                                                                   \
	case 4: BODY(T, 4)                                                                                   \
	}

static bool block_few(char *dst, const char *src, const ovl_copy_plan *p, int64_t ni, int64_t nj)
{
	if (p->ni <= 4 && p->dj == p->ni) {
		if (p->size == 4)
			FEW(WEAVE, p->ni, uint32_t)
		else if (p->size == 1)
			FEW(WEAVE, p->ni, uint8_t)
	} else if (p->nj <= 4 && p->si == p->nj) {
		if (p->size == 4)
			FEW(UNWEAVE, p->nj, uint32_t)
		else if (p->size == 1)
			FEW(UNWEAVE, p->nj, uint8_t)
	}
	return false;
}

static void tile(const square *q, int size, int side)
{
	if (size == 4)
		tile_32(q); /* masks its edges */
	else if (q->ni < side || q->nj < side)
		tile_plain(q, size);
	else if (size == 1)
		tile_8(q);
	else if (size == 2)
		tile_16(q);
	else
		tile_64(q);
}

static void copy_block(char *dst, const char *src, const ovl_copy_plan *p, int64_t ni, int64_t nj)
{
	int side = p->size == 4 ? TILE : p->size == 1 ? 16 : p->size == 2 ? 8 : 4;
	if (block_few(dst, src, p, ni, nj))
		return;
	for (int64_t i = 0; i < ni; i += side)
		for (int64_t j = 0; j < nj; j += side) {
			square q = {dst + (i + j * p->dj) * p->size, src + (i * p->si + j) * p->size, p->dj * p->size, p->si * p->size,
				(int)(ni - i < side ? ni - i : side), (int)(nj - j < side ? nj - j : side)};
			tile(&q, p->size, side);
		}
}

/* Short rows are copied inline: the last vector overlaps the one before. */
static void copy_row(char *dst, const char *src, size_t n)
{
	if (n >= 1024) {
		memcpy(dst, src, n);
	} else if (n >= 32) {
		for (size_t i = 0; i + 32 < n; i += 32)
			_mm256_storeu_si256((__m256i *)(void *)(dst + i), _mm256_loadu_si256((const __m256i *)(const void *)(src + i)));
		_mm256_storeu_si256((__m256i *)(void *)(dst + n - 32), _mm256_loadu_si256((const __m256i *)(const void *)(src + n - 32)));
	} else if (n >= 16) {
		__m128i a = load_16(src), b = load_16(src + n - 16);
		store_16(dst, a);
		store_16(dst + n - 16, b);
	} else if (n >= 8) {
		uint64_t a, b;
		memcpy(&a, src, 8);
		memcpy(&b, src + n - 8, 8);
		memcpy(dst, &a, 8);
		memcpy(dst + n - 8, &b, 8);
	} else {
		for (size_t i = 0; i < n; i++)
			dst[i] = src[i];
	}
}

static ovl_status run(const ovl_call *call)
{
	return ovl_copy_run(call, copy_block, copy_row);
}
