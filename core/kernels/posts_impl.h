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

#define STAGE_ROWS(load_y, load_y_tail, expression)                                                   \
	for (int64_t r = 0; r < j->rows; r++, o += j->o_ld, in += j->x_ld, operand += j->y_ld) {      \
		V same = binary_ ? v_set(*operand) : v_zero();                                        \
		int64_t i = 0;                                                                        \
		(void)same;                                                                           \
		for (; i + VL <= n; i += VL) {                                                        \
			V x = v_load(in + i), y = load_y;                                             \
			(void)y;                                                                      \
			v_store(o + i, expression);                                                   \
		}                                                                                     \
		if (i < n) {                                                                          \
			V x = v_load_t(in + i, t), y = load_y_tail;                                   \
			(void)y;                                                                      \
			v_store_t(o + i, expression, t);                                              \
		}                                                                                     \
	}

#define STAGE_FUNCTION(name, binary, expression)                                                      \
	static void stage_##name(const ovl_stage_job *j)                                              \
	{                                                                                             \
		enum { binary_ = binary };                                                            \
		V a = v_set(j->a), b = v_set(j->b);                                                   \
		float *o = j->o;                                                                      \
		const float *in = j->x, *operand = binary ? j->y : j->x;                              \
		int64_t n = j->n;                                                                     \
		VT t = v_tail(n % VL);                                                                \
		(void)a, (void)b;                                                                     \
		if (binary && j->step) {                                                              \
			STAGE_ROWS(v_load(operand + i), v_load_t(operand + i, t), expression)         \
		} else {                                                                              \
			STAGE_ROWS(same, same, expression)                                            \
		}                                                                                     \
	}
OVL_STAGE_MAP(STAGE_FUNCTION)

#define STAGE_ENTRY(name, binary, expression) stage_##name,
const ovl_stage_fn V_NAME(ovl_stages)[OVL_STAGE_COUNT] = {OVL_STAGE_MAP(STAGE_ENTRY)};

/* The posts come first in the table, in their own order. */
_Static_assert((int)OVL_STAGE_RELU == (int)OVL_POST_RELU && (int)OVL_STAGE_ELU == (int)OVL_POST_ELU && (int)OVL_STAGE_ADD == (int)OVL_POST_ADD &&
	       (int)OVL_STAGE_MIN == (int)OVL_POST_MIN && (int)OVL_STAGE_COPY == (int)OVL_POST_COUNT, "stages and posts differ in order");

/* Rows from `row` on as far as the operand's rows are evenly spaced: their number, and the distance. */
static int64_t even_rows(const ovl_posts_step *s, int64_t row, int64_t rows, int64_t *ld)
{
	int64_t left;
	*ld = s->n_outer ? s->stride[0] : 0;
	if (s->n_outer <= 1)
		return rows;
	left = s->count[0] - row % s->count[0];
	return left < rows ? left : rows;
}

void V_NAME(ovl_posts_tile)(const ovl_posts *plan, float *x, int64_t ld, int64_t rows, int64_t n, int64_t row, int64_t first, void *const *in)
{
	for (int i = 0; i < plan->n; i++) {
		const ovl_posts_step *s = &plan->step[i];
		ovl_stage_job j = {.rows = rows, .n = n, .o_ld = ld, .x_ld = ld, .step = s->along, .a = s->alpha, .b = s->beta};
		for (int64_t r = 0; r < rows; r += j.rows) {
			if (ovl_post_binary(s->kind)) {
				j.rows = even_rows(s, row + r, rows - r, &j.y_ld);
				j.y = ovl_posts_operand(s, row + r, first, in);
			}
			j.x = j.o = x + r * ld;
			V_NAME(ovl_stages)[s->kind](&j);
		}
	}
}

void V_NAME(ovl_posts_row)(const ovl_posts *plan, float *x, int64_t n, int64_t row, int64_t first, void *const *in)
{
	V_NAME(ovl_posts_tile)(plan, x, n, 1, n, row, first, in);
}
