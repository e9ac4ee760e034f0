/* posts.h - a chain of posts (tensor/post.h) for kernels of f32: prepared once, then applied in place to rows of results while they are hot.
 *
 * A row runs along one dimension of the output, the `axis`: the channels of a channels-last output (axis 1), else the last dimension. Rows are counted over all
 * other dimensions of the output in row-major order: for CL the row is the pixel number n * H * W + h * W + w.
 *
 *     accept():  if ((reason = ovl_posts_accept(p, 1, OVL_FORM_CL))) return reason;
 *     prepare(): ovl_posts_prepare(&state->posts, p, 1);
 *     run():     ovl_posts_tile_avx512(&state->posts, c, ldc, rows, columns, first_row, first_column, call->in); */
#ifndef OVL_KERNELS_POSTS_H
#define OVL_KERNELS_POSTS_H

#include "kernels/kernel.h"

typedef struct ovl_posts_step {
	ovl_post_kind kind;
	int input; /* of binary posts: index into run()'s inputs */
	int along; /* elements from one value of the row to the next: 1, or 0 where the operand is the same for the whole row */
	float alpha, beta;
	int n_outer; /* operand offset of a row: its number taken apart by `count`, innermost first */
	int64_t count[OVL_MAX_RANK], stride[OVL_MAX_RANK];
} ovl_posts_step;

typedef struct ovl_posts {
	int n;
	ovl_posts_step step[OVL_MAX_POSTS];
} ovl_posts;

/* Why the chain of `p` cannot be done when output 0 has this form (a constant text), or NULL; then the operands' wishes are in p->in_form. */
const char *ovl_posts_accept(ovl_problem *p, int axis, ovl_form form);
/* Descs are final now. Errors: internal, when an operand's stride along the row is neither 0 nor 1. */
ovl_status ovl_posts_prepare(ovl_posts *plan, const ovl_problem *p, int axis, ovl_error *err);

/* The operand of step s at the beginning of a row (column `first`). */
static inline const float *ovl_posts_operand(const ovl_posts_step *s, int64_t row, int64_t first, void *const *in)
{
	int64_t at = first * s->along;
	if (s->n_outer == 1)
		at += row * s->stride[0];
	else
		for (int i = 0; i < s->n_outer; i++, row /= s->count[i - 1])
			at += row % s->count[i] * s->stride[i];
	return (const float *)in[s->input] + at;
}

/* x[0..n) is columns first.. of this row of the output. */
void ovl_posts_row_avx2(const ovl_posts *plan, float *x, int64_t n, int64_t row, int64_t first, void *const *in);
void ovl_posts_row_avx512(const ovl_posts *plan, float *x, int64_t n, int64_t row, int64_t first, void *const *in);
/* The same for `rows` rows at a distance of ld. */
void ovl_posts_tile_avx2(const ovl_posts *plan, float *x, int64_t ld, int64_t rows, int64_t n, int64_t row, int64_t first, void *const *in);
void ovl_posts_tile_avx512(const ovl_posts *plan, float *x, int64_t ld, int64_t rows, int64_t n, int64_t row, int64_t first, void *const *in);

#endif
