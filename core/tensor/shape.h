/* shape.h - shapes (all sizes known) and partial shapes (rank or sizes may be open). */
#ifndef OVL_TENSOR_SHAPE_H
#define OVL_TENSOR_SHAPE_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OVL_MAX_RANK = 10 };
#define OVL_DIM_MAX INT64_MAX

typedef struct ovl_shape {
	int rank;
	int64_t dims[OVL_MAX_RANK];
} ovl_shape;

/* A dimension between min and max, both included. Static when min == max; open above when max == OVL_DIM_MAX. */
typedef struct ovl_dim {
	int64_t min, max;
} ovl_dim;

typedef struct ovl_pshape {
	bool ranked; /* false: nothing is known, rank and dims mean nothing */
	int rank;
	ovl_dim dims[OVL_MAX_RANK];
} ovl_pshape;

#define OVL_DIM_ANY ((ovl_dim){0, OVL_DIM_MAX})
static inline ovl_dim ovl_dim_of(int64_t n) { return (ovl_dim){n, n}; }
static inline bool ovl_dim_static(ovl_dim d) { return d.min == d.max; }
bool ovl_dim_merge(ovl_dim a, ovl_dim b, ovl_dim *out); /* the common part; false when there is none */
bool ovl_dim_broadcast(ovl_dim a, ovl_dim b, ovl_dim *out); /* numpy rule */
ovl_dim ovl_dim_add(ovl_dim a, ovl_dim b); /* saturating */
ovl_dim ovl_dim_mul(ovl_dim a, ovl_dim b);

ovl_shape ovl_shape_of(int rank, const int64_t *dims);
bool ovl_shape_equal(const ovl_shape *a, const ovl_shape *b);
bool ovl_shape_count(const ovl_shape *s, int64_t *count); /* number of elements, checked; 1 for a scalar */
int64_t ovl_shape_elements(const ovl_shape *s); /* as above for shapes that were checked before; -1 on overflow */
bool ovl_shape_broadcast(const ovl_shape *a, const ovl_shape *b, ovl_shape *out); /* numpy rule */
const char *ovl_shape_text(const ovl_shape *s, char *buf, size_t size); /* "[1,3,224,224]" */

ovl_pshape ovl_pshape_any(void); /* rank open */
ovl_pshape ovl_pshape_rank(int rank); /* sizes open */
ovl_pshape ovl_pshape_static(const ovl_shape *s);
bool ovl_pshape_is_static(const ovl_pshape *p);
bool ovl_pshape_to_shape(const ovl_pshape *p, ovl_shape *out); /* false when dynamic */
bool ovl_pshape_fits(const ovl_pshape *p, const ovl_shape *s); /* s is one of the shapes p allows */
bool ovl_pshape_merge(const ovl_pshape *a, const ovl_pshape *b, ovl_pshape *out);
bool ovl_pshape_broadcast(const ovl_pshape *a, const ovl_pshape *b, ovl_pshape *out);
bool ovl_pshape_equal(const ovl_pshape *a, const ovl_pshape *b);
const char *ovl_pshape_text(const ovl_pshape *p, char *buf, size_t size); /* "[?,3,1..4]", "[...]" */
bool ovl_pshape_parse(const char *text, ovl_pshape *out); /* "1,3,?", "[?,1..5,..3,2..]", "...", "" (scalar), -1 is ? */

/* Axis from the model (may be negative) into [0, rank). Errors: argument, naming `what`. */
ovl_status ovl_axis(int64_t axis, int rank, const char *what, int *out, ovl_error *err);

#endif
