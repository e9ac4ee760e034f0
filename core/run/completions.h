/* completions.h - finished runs on their way to the thread that asked for them: a list and an eventfd. Workers push, the owner's thread pops. */
#ifndef OVL_RUN_COMPLETIONS_H
#define OVL_RUN_COMPLETIONS_H

#include "base/status.h"
#include <stdint.h>

typedef struct ovl_completions ovl_completions;
struct ovl_request;

/* Part of a request: its place in the list. */
typedef struct ovl_completion {
	struct ovl_completion *next;
	struct ovl_request *request; /* the list's reference */
	ovl_error outcome;
} ovl_completion;

ovl_completions *ovl_completions_retain(ovl_completions *q);
void ovl_completions_push(ovl_completions *q, ovl_completion *c);
/* Waits at most ms for an entry; NULL: none. */
ovl_completion *ovl_completions_take(ovl_completions *q, int64_t ms);

#endif
