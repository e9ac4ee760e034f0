#include "kernels/posts.h"

const char *ovl_posts_accept(ovl_problem *p, int axis, ovl_form form)
{
	const ovl_desc *out = &p->out[0];
	int64_t strides[OVL_MAX_RANK];
	if (p->n_posts > OVL_MAX_POSTS)
		return "more posts than can be kept";
	for (int i = 0; i < p->n_posts; i++) {
		const ovl_post *post = &p->posts[i];
		const ovl_desc *d;
		int k;
		if ((unsigned)post->kind >= OVL_POST_COUNT)
			return "unknown post";
		if (!ovl_post_binary(post->kind))
			continue;
		if (post->input < 0 || post->input >= p->n_in)
			return "post without operand";
		d = &p->in[post->input];
		if (d->type != OVL_F32)
			return "operand of a post is not f32";
		if (!ovl_desc_broadcast_strides(d, out, strides))
			return "operand of a post does not broadcast";
		k = axis - (out->rank - d->rank);
		p->in_form[post->input] = OVL_FORM_DENSE;
		if (k < 0 || d->dims[k] == 1 || form != OVL_FORM_CL)
			continue;
		/* in a dense operand channels follow each other only when all behind them is 1 */
		for (int j = k + 1; j < d->rank; j++)
			if (d->dims[j] != 1) {
				if (d->rank != out->rank)
					return "operand of a post has image dims but no batch";
				p->in_form[post->input] = OVL_FORM_CL;
			}
	}
	return NULL;
}

/* The other dims of the output, innermost first; neighbours that the operand walks in one go become one. */
static void plan_outer(ovl_posts_step *s, const ovl_desc *out, const int64_t *strides, int axis)
{
	int n = 0;
	for (int i = out->rank - 1; i >= 0; i--) {
		if (i == axis || out->dims[i] == 1)
			continue;
		if (n && s->stride[n - 1] * s->count[n - 1] == strides[i]) {
			s->count[n - 1] *= out->dims[i];
			continue;
		}
		s->count[n] = out->dims[i];
		s->stride[n++] = strides[i];
	}
	s->n_outer = n;
}

ovl_status ovl_posts_prepare(ovl_posts *plan, const ovl_problem *p, int axis, ovl_error *err)
{
	const ovl_desc *out = &p->out[0];
	int64_t strides[OVL_MAX_RANK];
	plan->n = p->n_posts;
	for (int i = 0; i < p->n_posts; i++) {
		const ovl_post *post = &p->posts[i];
		ovl_posts_step *s = &plan->step[i];
		*s = (ovl_posts_step){.kind = post->kind, .input = post->input, .alpha = post->alpha, .beta = post->beta};
		if (!ovl_post_binary(post->kind))
			continue;
		if (!ovl_desc_broadcast_strides(&p->in[post->input], out, strides))
			return ovl_fail(err, OVL_E_INTERNAL, "operand of post %d (%s) does not broadcast", i, ovl_post_name(post->kind));
		s->along = out->dims[axis] == 1 ? 0 : (int)strides[axis];
		if (strides[axis] > 1 && out->dims[axis] != 1)
			return ovl_fail(err, OVL_E_INTERNAL, "operand of post %d (%s) has stride %lld along the row", i, ovl_post_name(post->kind), (long long)strides[axis]);
		plan_outer(s, out, strides, axis);
	}
	return OVL_OK;
}
