#include "kernels/packs.h"
#include "base/memory.h"
#include "base/vec.h"
#include <pthread.h>
#include <string.h>

typedef struct pack {
	const void *source;
	char *tag;
	ovl_buffer *block;
} pack;

struct ovl_packs {
	pthread_mutex_t lock; /* also held while a block is filled: whoever wants the same block has to wait for it anyway */
	pack *at;
	size_t n, cap;
};

ovl_packs *ovl_packs_new(void)
{
	ovl_packs *p = ovl_calloc(1, sizeof *p);
	if (p)
		pthread_mutex_init(&p->lock, NULL);
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
	ovl_free(p);
}

size_t ovl_packs_bytes(ovl_packs *p)
{
	size_t sum = 0;
	if (!p)
		return 0;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++)
		sum += p->at[i].block->size;
	pthread_mutex_unlock(&p->lock);
	return sum;
}

static ovl_status make_block(size_t size, void (*fill)(void *dst, void *arg), void *arg, ovl_buffer **out, ovl_error *err)
{
	*out = ovl_buffer_new(size, true);
	if (!*out)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for %zu bytes of packed weights", size);
	fill((*out)->data, arg);
	return OVL_OK;
}

static pack *find(ovl_packs *p, const void *source, const char *tag, size_t size)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->at[i].source == source && p->at[i].block->size == size && !strcmp(p->at[i].tag, tag))
			return &p->at[i];
	return NULL;
}

static ovl_status add(ovl_packs *p, const void *source, const char *tag, ovl_buffer *block, ovl_error *err)
{
	char *copy = ovl_strdup(tag);
	if (!copy || !ovl_grow(&p->at, &p->cap, p->n + 1, sizeof *p->at)) {
		ovl_free(copy);
		return ovl_fail(err, OVL_E_MEMORY, "no memory for the list of packed weights");
	}
	p->at[p->n++] = (pack){source, copy, ovl_buffer_retain(block)};
	return OVL_OK;
}

ovl_status ovl_packs_get(ovl_packs *p, const void *source, const char *tag, size_t size, void (*fill)(void *dst, void *arg), void *arg, ovl_buffer **out, ovl_error *err)
{
	ovl_status status = OVL_OK;
	pack *have;
	if (!p)
		return make_block(size, fill, arg, out, err);
	*out = NULL;
	pthread_mutex_lock(&p->lock);
	have = find(p, source, tag, size);
	if (have) {
		*out = ovl_buffer_retain(have->block);
	} else {
		status = make_block(size, fill, arg, out, err);
		if (status == OVL_OK && (status = add(p, source, tag, *out, err)) != OVL_OK) {
			ovl_buffer_release(*out);
			*out = NULL;
		}
	}
	pthread_mutex_unlock(&p->lock);
	return status;
}

ovl_status ovl_packs_put(ovl_packs *p, const void *source, const char *tag, ovl_buffer *block, ovl_error *err)
{
	ovl_status status;
	pthread_mutex_lock(&p->lock);
	status = find(p, source, tag, block->size) ? OVL_OK : add(p, source, tag, block, err);
	pthread_mutex_unlock(&p->lock);
	return status;
}

bool ovl_packs_at(ovl_packs *p, size_t i, const void **source, const char **tag, ovl_buffer **block)
{
	bool there;
	pthread_mutex_lock(&p->lock);
	there = i < p->n;
	if (there) {
		*source = p->at[i].source;
		*tag = p->at[i].tag;
		*block = p->at[i].block;
	}
	pthread_mutex_unlock(&p->lock);
	return there;
}
