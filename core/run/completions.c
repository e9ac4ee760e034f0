#define _GNU_SOURCE
#include "ovlite.h"
#include "run/completions.h"
#include "base/log.h"
#include "base/memory.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct ovl_completions {
	int refs; /* atomic */
	int fd;
	pthread_mutex_t lock;
	ovl_completion *first, *last;
};

ovl_status ovl_completions_new(ovl_completions **out, ovl_error *err)
{
	ovl_completions *q = ovl_calloc(1, sizeof *q);
	if (!q)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a list of completions");
	q->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (q->fd < 0) {
		ovl_free(q);
		return ovl_fail(err, OVL_E_IO, "no file descriptor is left for an eventfd");
	}
	q->refs = 1;
	pthread_mutex_init(&q->lock, NULL);
	*out = q;
	return OVL_OK;
}

ovl_completions *ovl_completions_retain(ovl_completions *q)
{
	__atomic_fetch_add(&q->refs, 1, __ATOMIC_RELAXED);
	return q;
}

void ovl_completions_release(ovl_completions *q)
{
	if (!q || __atomic_sub_fetch(&q->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	while (q->first) { /* ends that nobody will pop: entries live in their requests, which may go with this */
		ovl_completion *c = q->first;
		q->first = c->next;
		ovl_request_release(c->request);
	}
	close(q->fd);
	pthread_mutex_destroy(&q->lock);
	ovl_free(q);
}

int ovl_completions_fd(ovl_completions *q) { return q->fd; }

void ovl_completions_push(ovl_completions *q, ovl_completion *c)
{
	uint64_t one = 1;
	bool was_empty;
	pthread_mutex_lock(&q->lock);
	c->next = NULL;
	was_empty = q->first == NULL;
	if (was_empty)
		q->first = c;
	else
		q->last->next = c;
	q->last = c;
	if (was_empty && write(q->fd, &one, sizeof one) < 0) {
		/* the counter cannot be full; and a lost wake-up is made up for by the next look at the list */
	}
	pthread_mutex_unlock(&q->lock);
}

static ovl_completion *take_now(ovl_completions *q)
{
	ovl_completion *c;
	uint64_t count;
	pthread_mutex_lock(&q->lock);
	c = q->first;
	if (c)
		q->first = c->next;
	if (c && !q->first && read(q->fd, &count, sizeof count) < 0) {
		/* nothing to clear: fine */
	}
	pthread_mutex_unlock(&q->lock);
	return c;
}

ovl_completion *ovl_completions_take(ovl_completions *q, int64_t ms)
{
	ovl_completion *c = take_now(q);
	struct pollfd p = {q->fd, POLLIN, 0};
	double until;
	if (c || ms == 0)
		return c;
	until = ms < 0 ? 0 : ovl_now_us() + (double)ms * 1000;
	for (;;) {
		double left = ms < 0 ? -1 : (until - ovl_now_us()) / 1000;
		int wait = ms < 0 ? -1 : left <= 0 ? 0 : left > 1e9 ? 1000000000 : (int)left + 1;
		poll(&p, 1, wait);
		if ((c = take_now(q)) || (ms >= 0 && ovl_now_us() >= until))
			return c;
	}
}
