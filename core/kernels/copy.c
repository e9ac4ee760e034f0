#include "kernels/copy.h"
#include "base/memory.h"
#include <stdio.h>
#include <string.h>

/* ---- plan ---- */

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* The loop along which the source is contiguous; -1: none. Not the last one. */
static int source_loop(const ovl_loops *w)
{
	for (int i = w->rank - 2; i >= 0; i--)
		if (w->strides[1][i] == 1)
			return i;
	return -1;
}

static void take_off(ovl_loops *w, int at)
{
	w->rank--;
	for (int i = at; i < w->rank; i++) {
		w->dims[i] = w->dims[i + 1];
		for (int v = 0; v < w->n_values; v++)
			w->strides[v][i] = w->strides[v][i + 1];
	}
}

static void plan_transpose(ovl_copy_plan *p, int j)
{
	ovl_loops *w = &p->walk;
	int i = w->rank - 1;
	p->how = OVL_COPY_TRANSPOSE;
	p->ni = w->dims[i];
	p->si = w->strides[1][i];
	p->nj = w->dims[j];
	p->dj = w->strides[0][j];
	take_off(w, i);
	take_off(w, j);
	p->bi = ceil_div(p->ni, OVL_COPY_BLOCK);
	p->bj = ceil_div(p->nj, OVL_COPY_BLOCK);
	p->i_inner = p->ni < p->nj;
	p->units = ovl_loops_count(w, w->rank) * p->bi * p->bj;
	p->grain = 1 + 32768 / (p->size * (p->ni < OVL_COPY_BLOCK ? p->ni : OVL_COPY_BLOCK) * (p->nj < OVL_COPY_BLOCK ? p->nj : OVL_COPY_BLOCK));
}

static void plan_rows(ovl_copy_plan *p)
{
	ovl_loops *w = &p->walk;
	int64_t n = w->dims[w->rank - 1];
	p->piece = 65536 / p->size;
	if (p->piece > n)
		p->piece = n;
	p->pieces = ceil_div(n, p->piece);
	p->units = ovl_loops_count(w, w->rank - 1) * p->pieces;
	p->grain = 1 + 65536 / (p->piece * p->size);
}

void ovl_copy_plan_make(ovl_copy_plan *p, const ovl_desc *from, const ovl_desc *to)
{
	const int64_t *strides[] = {to->strides, from->strides};
	ovl_loops *w = &p->walk;
	int64_t count = ovl_desc_count(to);
	int j;
	*p = (ovl_copy_plan){.how = OVL_COPY_ROWS, .size = (int)ovl_type_size(to->type)};
	if (count == 0)
		return;
	if (p->size == 0 || count == 1) { /* dense packed types: bytes */
		size_t bytes = (size_t)p->size;
		if (p->size == 0 && !ovl_type_bytes(to->type, count, &bytes))
			return;
		p->size = 1;
		*w = (ovl_loops){.rank = 1, .n_values = 2, .dims = {(int64_t)bytes}, .strides = {{1}, {1}}};
		plan_rows(p);
		return;
	}
	ovl_loops_make(w, to->rank, to->dims, 2, strides);
	if (w->strides[0][w->rank - 1] == 1 && w->strides[1][w->rank - 1] == 1) {
		plan_rows(p);
		return;
	}
	j = w->strides[0][w->rank - 1] == 1 && p->size <= 8 && (w->strides[1][w->rank - 1] || w->dims[w->rank - 1] < 16) ? source_loop(w) : -1;
	if (j >= 0) {
		plan_transpose(p, j);
		return;
	}
	p->how = OVL_COPY_STEPS;
	p->units = ovl_loops_count(w, w->rank - 1);
	p->grain = 1 + 16384 / (w->dims[w->rank - 1] * p->size);
}

/* ---- the three ways ---- */

#define STEPS(T)                                                                                        \
	for (int64_t i = 0; i < n; i++)                                                                 \
		((T *)(void *)dst)[i * d] = ((const T *)(const void *)src)[i * s];                      \
	break;

static void copy_steps(char *dst, const char *src, int64_t n, int64_t d, int64_t s, int size)
{
	switch (size) {
	case 1: STEPS(uint8_t)
	case 2: STEPS(uint16_t)
	case 4: STEPS(uint32_t)
	case 8: STEPS(uint64_t)
	default:
		for (int64_t i = 0; i < n; i++)
			memcpy(dst + i * d * size, src + i * s * size, (size_t)size);
	}
}

static void copy_filled(char *dst, const char *src, int64_t n, int size) /* one value n times */
{
	switch (size) {
	case 1:
		memset(dst, *(const uint8_t *)src, (size_t)n);
		break;
	case 4: {
		uint32_t x = *(const uint32_t *)(const void *)src, *to = (uint32_t *)(void *)dst;
		for (int64_t i = 0; i < n; i++)
			to[i] = x;
		break;
	}
	default:
		copy_steps(dst, src, n, 1, 0, size);
	}
}

#define BLOCK(T)                                                                                        \
	for (int64_t j = 0; j < nj; j++)                                                                \
		for (int64_t i = 0; i < ni; i++)                                                        \
			((T *)(void *)dst)[i + j * p->dj] = ((const T *)(const void *)src)[i * p->si + j]; \
	break;

void ovl_copy_block_plain(char *dst, const char *src, const ovl_copy_plan *p, int64_t ni, int64_t nj)
{
	switch (p->size) {
	case 1: BLOCK(uint8_t)
	case 2: BLOCK(uint16_t)
	case 4: BLOCK(uint32_t)
	case 8: BLOCK(uint64_t)
	}
}

static void copy_row_plain(char *dst, const char *src, size_t bytes) { memcpy(dst, src, bytes); }

static void units_rows(const ovl_copy_plan *p, char *dst, const char *src, int64_t first, int64_t last, ovl_copy_row_fn row)
{
	const ovl_loops *w = &p->walk;
	int64_t n = w->dims[w->rank - 1], at[2];
	int64_t inner = w->rank >= 2 ? w->dims[w->rank - 2] : 1, d = 0, s = 0;
	if (p->pieces > 1) {
		for (int64_t u = first; u < last; u++) {
			int64_t from = u % p->pieces * p->piece, len = n - from < p->piece ? n - from : p->piece;
			ovl_loops_at(w, w->rank - 1, u / p->pieces, at);
			row(dst + (at[0] + from) * p->size, src + (at[1] + from) * p->size, (size_t)(len * p->size));
		}
		return;
	}
	if (w->rank >= 2) {
		d = w->strides[0][w->rank - 2] * p->size;
		s = w->strides[1][w->rank - 2] * p->size;
	}
	for (int64_t u = first; u < last;) {
		int64_t run = inner - u % inner;
		char *to;
		const char *from;
		if (run > last - u)
			run = last - u;
		ovl_loops_at(w, w->rank - 1, u, at);
		to = dst + at[0] * p->size;
		from = src + at[1] * p->size;
		for (int64_t i = 0; i < run; i++, to += d, from += s)
			row(to, from, (size_t)(n * p->size));
		u += run;
	}
}

static void units_transpose(const ovl_copy_plan *p, char *dst, const char *src, int64_t first, int64_t last, ovl_copy_block_fn block)
{
	int64_t blocks = p->bi * p->bj, at[2];
	for (int64_t u = first; u < last; u++) {
		int64_t b = u % blocks, i = p->i_inner ? b % p->bi : b / p->bj, j = p->i_inner ? b / p->bi : b % p->bj;
		i *= OVL_COPY_BLOCK;
		j *= OVL_COPY_BLOCK;
		ovl_loops_at(&p->walk, p->walk.rank, u / blocks, at);
		block(dst + (at[0] + i + j * p->dj) * p->size, src + (at[1] + i * p->si + j) * p->size, p, p->ni - i < OVL_COPY_BLOCK ? p->ni - i : OVL_COPY_BLOCK,
			p->nj - j < OVL_COPY_BLOCK ? p->nj - j : OVL_COPY_BLOCK);
	}
}

static void units_steps(const ovl_copy_plan *p, char *dst, const char *src, int64_t first, int64_t last)
{
	const ovl_loops *w = &p->walk;
	int64_t n = w->dims[w->rank - 1], d = w->strides[0][w->rank - 1], s = w->strides[1][w->rank - 1], at[2];
	for (int64_t u = first; u < last; u++) {
		ovl_loops_at(w, w->rank - 1, u, at);
		if (d == 1 && s == 0)
			copy_filled(dst + at[0] * p->size, src + at[1] * p->size, n, p->size);
		else
			copy_steps(dst + at[0] * p->size, src + at[1] * p->size, n, d, s, p->size);
	}
}

void ovl_copy_units(const ovl_copy_plan *p, char *dst, const char *src, int64_t first, int64_t last, ovl_copy_block_fn block, ovl_copy_row_fn row)
{
	if (first >= last) /* also of empty values, which have no loops */
		return;
	switch (p->how) {
	case OVL_COPY_ROWS:
		units_rows(p, dst, src, first, last, row);
		break;
	case OVL_COPY_TRANSPOSE:
		units_transpose(p, dst, src, first, last, block);
		break;
	case OVL_COPY_STEPS:
		units_steps(p, dst, src, first, last);
		break;
	}
}

static bool can_copy(const ovl_desc *from, const ovl_desc *to)
{
	return to->type != OVL_STRING && (ovl_type_size(to->type) || (ovl_desc_is_dense(from) && ovl_desc_is_dense(to)));
}

bool ovl_copy_strided(const ovl_desc *from, const void *src, const ovl_desc *to, void *dst)
{
	ovl_copy_plan p;
	if (!can_copy(from, to))
		return false;
	ovl_copy_plan_make(&p, from, to);
	ovl_copy_units(&p, dst, src, 0, p.units, ovl_copy_block_plain, copy_row_plain);
	return true;
}

/* ---- kernel ---- */

const char *ovl_copy_accept(ovl_problem *p)
{
	const ovl_desc *from = &p->in[0], *to = &p->out[0];
	if (p->n_in != 1 || p->n_out != 1 || p->n_posts)
		return "not one value to one value";
	if (from->type != to->type || !ovl_desc_same_dims(from, to))
		return "types or dims differ";
	if (!can_copy(from, to))
		return "strings, or a packed type with strides";
	p->in_form[0] = OVL_FORM_ANY;
	p->out_form[0] = OVL_FORM_ANY;
	return NULL;
}

ovl_status ovl_copy_prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	static const char *const names[] = {"rows", "transpose", "steps"};
	ovl_copy_plan *plan = ovl_alloc(sizeof *plan);
	if (!plan)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a copy");
	ovl_copy_plan_make(plan, &p->in[0], &p->out[0]);
	out->state = plan;
	snprintf(out->detail, sizeof out->detail, "%s", names[plan->how]);
	return OVL_OK;
}

typedef struct job {
	const ovl_copy_plan *plan;
	char *dst;
	const char *src;
	int64_t chunk;
	ovl_copy_block_fn block;
	ovl_copy_row_fn row;
} job;

static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	int64_t first = chunk * j->chunk, last = first + j->chunk;
	(void)worker;
	ovl_copy_units(j->plan, j->dst, j->src, first, last < j->plan->units ? last : j->plan->units, j->block, j->row);
}

ovl_status ovl_copy_run(const ovl_call *call, ovl_copy_block_fn block, ovl_copy_row_fn row)
{
	const ovl_copy_plan *p = call->state;
	job j = {p, call->out[0], call->in[0], ovl_pool_chunk(call->pool, p->units, p->grain), block, row};
	if (p->units)
		ovl_pool_run(call->pool, ceil_div(p->units, j.chunk), run_chunk, &j);
	return OVL_OK;
}

static ovl_status run(const ovl_call *call)
{
	return ovl_copy_run(call, ovl_copy_block_plain, copy_row_plain);
}

static const ovl_kernel copy = {.name = "copy", .ops = "Copy", .isa = OVL_ISA_SCALAR, .accept = ovl_copy_accept, .prepare = ovl_copy_prepare, .run = run};
const ovl_kernel *const ovl_kernels_copy[] = {&copy, NULL};
