/* posts_impl.h - the steps of stage.h as loops, and the posts made of them. Included by posts_avx2.c and posts_avx512.c after their vector layer. */
#include "kernels/posts.h"
#include "kernels/stage.h"
#include <math.h>

/* General powers are rare in models and must be right at every corner: one at a time. */
static V v_pow(V x, V y)
{
	float xs[VL], ys[VL];
	v_store(xs, x);
	v_store(ys, y);
	for (int i = 0; i < VL; i++)
		xs[i] = powf(xs[i], ys[i]);
	return v_load(xs);
}

#define STAGE_LOOP(load_y, load_y_tail, expression)                     \
	for (i = 0; i + VL <= n; i += VL) {                             \
		V x = v_load(in + i), y = load_y;                       \
		(void)y;                                                \
		v_store(o + i, expression);                             \
	}                                                               \
	if (i < n) {                                                    \
		VT t = v_tail(n - i);                                   \
		V x = v_load_t(in + i, t), y = load_y_tail;             \
		(void)y;                                                \
		v_store_t(o + i, expression, t);                        \
	}

#define STAGE_FUNCTION(name, binary, expression)                                                                             \
	static void stage_##name(float *o, const float *in, const float *operand, int step, int64_t n, float alpha, float beta) \
	{                                                                                                                    \
		V a = v_set(alpha), b = v_set(beta);                                                                         \
		int64_t i;                                                                                                   \
		(void)a, (void)b;                                                                                            \
		if (binary && step) {                                                                                        \
			STAGE_LOOP(v_load(operand + i), v_load_t(operand + i, t), expression)                                \
		} else {                                                                                                     \
			V same = binary ? v_set(*operand) : v_zero();                                                        \
			STAGE_LOOP(same, same, expression)                                                                   \
		}                                                                                                            \
	}
OVL_STAGE_MAP(STAGE_FUNCTION)

#define STAGE_ENTRY(name, binary, expression) stage_##name,
const ovl_stage_fn V_NAME(ovl_stages)[OVL_STAGE_COUNT] = {OVL_STAGE_MAP(STAGE_ENTRY)};

/* The posts come first in the table, in their own order. */
_Static_assert((int)OVL_STAGE_RELU == (int)OVL_POST_RELU && (int)OVL_STAGE_ELU == (int)OVL_POST_ELU && (int)OVL_STAGE_ADD == (int)OVL_POST_ADD &&
	       (int)OVL_STAGE_MIN == (int)OVL_POST_MIN && (int)OVL_STAGE_COPY == (int)OVL_POST_COUNT, "stages and posts differ in order");

void V_NAME(ovl_posts_row)(const ovl_posts *plan, float *x, int64_t n, int64_t row, int64_t first, void *const *in)
{
	for (int i = 0; i < plan->n; i++) {
		const ovl_posts_step *s = &plan->step[i];
		const float *y = ovl_post_binary(s->kind) ? ovl_posts_operand(s, row, first, in) : NULL;
		V_NAME(ovl_stages)[s->kind](x, x, y, s->along, n, s->alpha, s->beta);
	}
}

void V_NAME(ovl_posts_tile)(const ovl_posts *plan, float *x, int64_t ld, int64_t rows, int64_t n, int64_t row, int64_t first, void *const *in)
{
	for (int i = 0; i < plan->n; i++) {
		const ovl_posts_step *s = &plan->step[i];
		ovl_stage_fn fn = V_NAME(ovl_stages)[s->kind];
		bool binary = ovl_post_binary(s->kind);
		for (int64_t r = 0; r < rows; r++)
			fn(x + r * ld, x + r * ld, binary ? ovl_posts_operand(s, row + r, first, in) : NULL, s->along, n, s->alpha, s->beta);
	}
}
