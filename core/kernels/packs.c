#include "kernels/packs.h"
#include "base/memory.h"
#include "base/vec.h"
#include <pthread.h>
#include <string.h>

typedef struct pack {
	const void *source;
	char *tag;
	ovl_buffer *block;
	bool ready;
} pack;

struct ovl_packs {
	pthread_mutex_t lock; /* not held while a block is filled */
	pthread_cond_t filled;
	pack *at;
	size_t n, cap;
};

ovl_packs *ovl_packs_new(void)
{
	ovl_packs *p = ovl_calloc(1, sizeof *p);
	if (p)
		pthread_mutex_init(&p->lock, NULL), pthread_cond_init(&p->filled, NULL);
	return p;
}

void ovl_packs_free(ovl_packs *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		ovl_free(p->at[i].tag);
		ovl_buffer_release(p->at[i].block);
	}
	ovl_free(p->at);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->filled);
	ovl_free(p);
}

void ovl_packs_bytes(ovl_packs *p, size_t *own, size_t *mapped)
{
	*own = *mapped = 0;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++)
		*(ovl_buffer_is_file(p->at[i].block) ? mapped : own) += p->at[i].block->size;
	pthread_mutex_unlock(&p->lock);
}

static ovl_status no_block(size_t size, ovl_error *err) { return ovl_fail(err, OVL_E_MEMORY, "no memory for %zu bytes of packed weights", size); }

static ovl_status make_block(size_t size, void (*fill)(void *dst, void *arg), void *arg, ovl_buffer **out, ovl_error *err)
{
	*out = ovl_buffer_new(size, true);
	if (!*out)
		return no_block(size, err);
	fill((*out)->data, arg);
	return OVL_OK;
}

/* -1: it is not there. */
static int64_t find(ovl_packs *p, const void *source, const char *tag, size_t size)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->at[i].source == source && p->at[i].block->size == size && !strcmp(p->at[i].tag, tag))
			return (int64_t)i;
	return -1;
}

static ovl_status add(ovl_packs *p, const void *source, const char *tag, ovl_buffer *block, bool ready, ovl_error *err)
{
	char *copy = ovl_strdup(tag);
	if (!copy || !ovl_grow(&p->at, &p->cap, p->n + 1, sizeof *p->at)) {
		ovl_free(copy);
		return ovl_fail(err, OVL_E_MEMORY, "no memory for the list of packed weights");
	}
	p->at[p->n++] = (pack){source, copy, ovl_buffer_retain(block), ready};
	return OVL_OK;
}

static void wait_for(ovl_packs *p, size_t i)
{
	while (!p->at[i].ready)
		pthread_cond_wait(&p->filled, &p->lock);
}

/* The lock is held, and let go while the block is filled: others find it and wait. */
static void fill_block(ovl_packs *p, size_t i, void (*fill)(void *dst, void *arg), void *arg)
{
	void *data = p->at[i].block->data;
	pthread_mutex_unlock(&p->lock);
	fill(data, arg);
	pthread_mutex_lock(&p->lock);
	p->at[i].ready = true;
	pthread_cond_broadcast(&p->filled);
}

ovl_status ovl_packs_get(ovl_packs *p, const void *source, const char *tag, size_t size, void (*fill)(void *dst, void *arg), void *arg, ovl_buffer **out, ovl_error *err)
{
	ovl_status status = OVL_OK;
	int64_t at;
	if (!p)
		return make_block(size, fill, arg, out, err);
	*out = NULL;
	pthread_mutex_lock(&p->lock);
	at = find(p, source, tag, size);
	if (at >= 0) {
		*out = ovl_buffer_retain(p->at[at].block);
		wait_for(p, (size_t)at);
	} else if (!(*out = ovl_buffer_new(size, true)))
		status = no_block(size, err);
	else if ((status = add(p, source, tag, *out, false, err)) == OVL_OK)
		fill_block(p, p->n - 1, fill, arg);
	else {
		ovl_buffer_release(*out);
		*out = NULL;
	}
	pthread_mutex_unlock(&p->lock);
	return status;
}

ovl_status ovl_packs_put(ovl_packs *p, const void *source, const char *tag, ovl_buffer *block, ovl_error *err)
{
	ovl_status status;
	pthread_mutex_lock(&p->lock);
	status = find(p, source, tag, block->size) >= 0 ? OVL_OK : add(p, source, tag, block, true, err);
	pthread_mutex_unlock(&p->lock);
	return status;
}

void ovl_packs_trim(ovl_packs *p)
{
	size_t kept = 0;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++)
		if (__atomic_load_n(&p->at[i].block->refs, __ATOMIC_ACQUIRE) > 1)
			p->at[kept++] = p->at[i];
		else {
			ovl_free(p->at[i].tag);
			ovl_buffer_release(p->at[i].block);
		}
	p->n = kept;
	pthread_mutex_unlock(&p->lock);
}

bool ovl_packs_at(ovl_packs *p, size_t i, const void **source, const char **tag, ovl_buffer **block)
{
	bool there;
	pthread_mutex_lock(&p->lock);
	there = i < p->n;
	if (there) {
		wait_for(p, i);
		*source = p->at[i].source;
		*tag = p->at[i].tag;
		*block = p->at[i].block;
	}
	pthread_mutex_unlock(&p->lock);
	return there;
}
