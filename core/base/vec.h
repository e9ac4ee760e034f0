/* vec.h - typed growing arrays: OVL_VEC(int64_t) v = {0}; if (!ovl_vec_push(&v, 3)) out of memory; ... ovl_vec_free(&v); */
#ifndef OVL_BASE_VEC_H
#define OVL_BASE_VEC_H

#include "base/memory.h"

#define OVL_VEC(T)      \
	struct {        \
		T *at;  \
		size_t n, cap; \
	}

#define ovl_vec_reserve(v, need) ((need) <= (v)->cap || ovl_grow(&(v)->at, &(v)->cap, (need), sizeof *(v)->at))
#define ovl_vec_push(v, value) (ovl_vec_reserve(v, (v)->n + 1) && ((v)->at[(v)->n++] = (value), true))
#define ovl_vec_free(v) (ovl_free((v)->at), (v)->at = NULL, (v)->n = (v)->cap = 0)

#endif
