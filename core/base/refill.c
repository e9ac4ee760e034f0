#include "base/refill.h"
#include "base/memory.h"

#include <string.h>

typedef struct change {
	struct change *next;
	void (*fn)(void *user, void *data, size_t size);
	void (*end)(void *user);
	void *user;
} change;

/* The first change fills, the others change what is there. */
typedef struct refill {
	change *changes;
	bool away;
} refill;

static void end_refill(void *user, void *data, size_t size)
{
	refill *r = user;
	while (r->changes) {
		change *c = r->changes;
		r->changes = c->next;
		c->end(c->user);
		ovl_free(c);
	}
	ovl_unmap_pages(data, size);
	ovl_free(r);
}

ovl_buffer *ovl_refill_make(size_t size, void (*fill)(void *user, void *data, size_t size), void *user, void (*end)(void *user))
{
	refill *r = ovl_calloc(1, sizeof *r);
	void *data = r ? ovl_map_pages(size) : NULL;
	ovl_buffer *b = data ? ovl_buffer_wrap(data, size, end_refill, r) : NULL;
	if (!b) {
		if (data)
			ovl_unmap_pages(data, size);
		ovl_free(r);
		return NULL;
	}
	if (ovl_refill_change(b, fill, user, end))
		return b;
	ovl_buffer_release(b);
	return NULL;
}

typedef struct part {
	ovl_buffer *file;
	size_t offset;
} part;

static void copy_part(void *user, void *data, size_t size)
{
	const part *p = user;
	memcpy(data, (const char *)p->file->data + p->offset, size);
}

static void end_part(void *user)
{
	ovl_buffer_release(((part *)user)->file);
	ovl_free(user);
}

ovl_buffer *ovl_refill_new(ovl_buffer *file, size_t offset, size_t size)
{
	part *p = ovl_alloc(sizeof *p);
	ovl_buffer *b;
	if (!p)
		return NULL;
	*p = (part){ovl_buffer_retain(file), offset};
	b = ovl_refill_make(size, copy_part, p, end_part);
	if (!b)
		end_part(p);
	return b;
}

bool ovl_refill_can(const ovl_buffer *b) { return b && b->release == end_refill; }

bool ovl_refill_away(const ovl_buffer *b) { return ovl_refill_can(b) && ((const refill *)b->user)->away; }

bool ovl_refill_change(ovl_buffer *b, void (*fn)(void *user, void *data, size_t size), void *user, void (*end)(void *user))
{
	refill *r = b->user;
	change *c = ovl_calloc(1, sizeof *c), **at = &r->changes;
	if (!c)
		return false;
	*c = (change){NULL, fn, end, user};
	while (*at)
		at = &(*at)->next;
	*at = c;
	fn(user, b->data, b->size);
	return true;
}

void ovl_refill_drop(ovl_buffer *b)
{
	((refill *)b->user)->away = true;
	ovl_drop_pages(b->data, b->size);
}

void ovl_refill_restore(ovl_buffer *b)
{
	refill *r = ovl_refill_can(b) ? b->user : NULL;
	if (!r || !r->away)
		return;
	for (const change *c = r->changes; c; c = c->next)
		c->fn(c->user, b->data, b->size);
	r->away = false;
}
