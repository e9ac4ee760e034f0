#include "kernels/gemm.h"
#include "base/memory.h"
#include <math.h>

/* The first post when it adds one known value per channel. */
static bool is_bias(const ovl_problem *p, int axis)
{
	const ovl_post *post = p->posts;
	int64_t channels;
	return p->n_posts > 0 && post->kind == OVL_POST_ADD && post->input >= 0 && post->input < p->n_in && p->in_data[post->input] &&
	       p->in[post->input].type == OVL_F32 && ovl_desc_per_channel(&p->in[post->input], &p->out[0], axis, &channels);
}

static bool is_add(const ovl_problem *p, int i)
{
	const ovl_post *post = &p->posts[i];
	return i < p->n_posts && post->kind == OVL_POST_ADD && post->input >= 0 && post->input < p->n_in && p->in[post->input].type == OVL_F32 &&
	       ovl_desc_same_dims(&p->in[post->input], &p->out[0]);
}

/* Written as b when x is NaN: bounds stand first in min and max. */
static bool as_act(const ovl_post *post, ovl_gemm_act *act, float *alpha, float *beta)
{
	*alpha = post->alpha;
	*beta = post->beta;
	switch (post->kind) {
	case OVL_POST_RELU:
		*alpha = 0;
		*beta = INFINITY;
		return *act = OVL_GEMM_CLAMP, true;
	case OVL_POST_CLAMP:
		return *act = OVL_GEMM_CLAMP, true;
	case OVL_POST_SWISH:
		return *act = OVL_GEMM_SWISH, true;
	case OVL_POST_HSWISH:
		*alpha = 1;
		*beta = 0;
		return *act = OVL_GEMM_HSWISH, true;
	case OVL_POST_GELU_ERF:
		return *act = OVL_GEMM_GELU_ERF, true;
	case OVL_POST_GELU_TANH:
		return *act = OVL_GEMM_GELU_TANH, true;
	case OVL_POST_SIGMOID:
		return *act = OVL_GEMM_SIGMOID, true;
	case OVL_POST_TANH:
		return *act = OVL_GEMM_TANH, true;
	case OVL_POST_LINEAR:
		if (post->beta != 0)
			return false;
		return *act = OVL_GEMM_SCALE, true;
	default:
		return false;
	}
}

/* Takes the posts that a tile does itself; returns how many. */
static int take(const ovl_problem *p, int axis, ovl_gemm_tail *tail)
{
	int i = 0;
	*tail = (ovl_gemm_tail){.bias_input = -1, .add_input = -1};
	if (is_bias(p, axis))
		tail->bias_input = p->posts[i++].input;
	if (is_add(p, i))
		tail->add_input = p->posts[i++].input;
	if (i < p->n_posts && as_act(&p->posts[i], &tail->act, &tail->alpha, &tail->beta))
		i++;
	if (tail->act == OVL_GEMM_HSWISH && i < p->n_posts && p->posts[i].kind == OVL_POST_LINEAR) {
		tail->alpha = p->posts[i].alpha;
		tail->beta = p->posts[i++].beta;
	}
	return i;
}

const char *ovl_gemm_tail_accept(ovl_problem *p, int axis, ovl_form form)
{
	ovl_gemm_tail tail;
	ovl_problem rest = *p;
	int n = take(p, axis, &tail);
	rest.posts += n;
	rest.n_posts -= n;
	if (tail.bias_input >= 0)
		p->in_packed[tail.bias_input] = true;
	if (tail.add_input >= 0)
		p->in_form[tail.add_input] = form;
	return ovl_posts_accept(&rest, axis, form);
}

int ovl_gemm_tail_add(const ovl_problem *p, int axis)
{
	ovl_gemm_tail tail;
	take(p, axis, &tail);
	return tail.add_input;
}

ovl_status ovl_gemm_tail_prepare(ovl_gemm_tail *tail, float **bias, const ovl_problem *p, int axis, ovl_error *err)
{
	ovl_problem rest = *p;
	int64_t n = p->out[0].dims[axis], room = ovl_gemm_up(n, 16) + 16, channels = 0; /* room: whole vectors from any channel on */
	const float *from;
	int taken = take(p, axis, tail);
	rest.posts += taken;
	rest.n_posts -= taken;
	*bias = NULL;
	OVL_TRY(ovl_posts_prepare(&tail->rest, &rest, axis, err));
	if (tail->bias_input < 0)
		return OVL_OK;
	from = p->in_data[tail->bias_input];
	*bias = ovl_calloc((size_t)room, sizeof **bias);
	if (!*bias)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for %lld biases", (long long)n);
	ovl_desc_per_channel(&p->in[tail->bias_input], &p->out[0], axis, &channels);
	for (int64_t i = 0; i < n; i++)
		(*bias)[i] = from[channels == 1 ? 0 : i];
	return OVL_OK;
}

void ovl_gemm_set_tail(ovl_gemm *g, const ovl_gemm_tail *tail, void *const *in)
{
	g->act = tail->act;
	g->alpha = tail->alpha;
	g->beta = tail->beta;
	g->rest = tail->rest.n ? &tail->rest : NULL;
	g->in = in;
}
