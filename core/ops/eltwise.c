#include "ops/eltwise.h"

/* Operators of one input, without numbers or with numbers that never change. */
static const struct {
	const char *name;
	ovl_post_kind kind;
	float alpha, beta;
} simple[] = {
	{"Relu", OVL_POST_RELU, 0, 0},
	{"Sigmoid", OVL_POST_SIGMOID, 0, 0},
	{"Tanh", OVL_POST_TANH, 0, 0},
	{"HSwish", OVL_POST_HSWISH, 0, 0},
	{"HSigmoid", OVL_POST_HSIGMOID, 1.0f / 6.0f, 0.5f},
	{"Abs", OVL_POST_ABS, 0, 0},
	{"Sqrt", OVL_POST_SQRT, 0, 0},
	{"Exp", OVL_POST_EXP, 0, 0},
	{"Negative", OVL_POST_LINEAR, -1, 0},
};

/* Operators of two inputs: the kind when x is input 0, and when it is input 1. */
static const struct {
	const char *name;
	ovl_post_kind first, second;
} binary[] = {
	{"Add", OVL_POST_ADD, OVL_POST_ADD},
	{"Subtract", OVL_POST_SUB, OVL_POST_RSUB},
	{"Multiply", OVL_POST_MUL, OVL_POST_MUL},
	{"Divide", OVL_POST_DIV, OVL_POST_COUNT},
	{"Maximum", OVL_POST_MAX, OVL_POST_MAX},
	{"Minimum", OVL_POST_MIN, OVL_POST_MIN},
};

static bool set(ovl_post *post, ovl_post_kind kind, float alpha, float beta)
{
	*post = (ovl_post){kind, -1, alpha, beta};
	return kind != OVL_POST_COUNT;
}

static bool with_scalars(const char *name, int n_in, const float *const *scalars, ovl_post *post)
{
	const float *a = n_in > 1 && scalars ? scalars[1] : NULL, *b = n_in > 2 && scalars ? scalars[2] : NULL;
	if (!strcmp(name, "Swish"))
		return (n_in < 2 || a) && set(post, OVL_POST_SWISH, a ? *a : 1.0f, 0);
	if (!strcmp(name, "PRelu"))
		return a && set(post, OVL_POST_LEAKY, *a, 0);
	if (!strcmp(name, "HardSigmoid"))
		return a && b && set(post, OVL_POST_HSIGMOID, *a, *b);
	if (!strcmp(name, "Power") && a && *a == 2.0f)
		return set(post, OVL_POST_SQUARE, 0, 0);
	if (!strcmp(name, "Power") && a && *a == 0.5f)
		return set(post, OVL_POST_SQRT, 0, 0);
	return false;
}

static bool with_params(const char *name, const void *params, ovl_post *post)
{
	if (!strcmp(name, "Clamp")) {
		const ovl_clamp_params *p = (const ovl_clamp_params *)params;
		return set(post, OVL_POST_CLAMP, (float)p->min, (float)p->max);
	}
	if (!strcmp(name, "Round"))
		return ((const ovl_round_params *)params)->mode == OVL_ROUND_EVEN && set(post, OVL_POST_ROUND, 0, 0);
	if (!strcmp(name, "Elu"))
		return set(post, OVL_POST_ELU, (float)((const ovl_elu_params *)params)->alpha, 0);
	if (!strcmp(name, "Gelu")) /* version 2: no parameters, or zeros */
		return set(post, params && ((const ovl_gelu_params *)params)->approximation_mode == OVL_GELU_TANH ? OVL_POST_GELU_TANH : OVL_POST_GELU_ERF, 0, 0);
	return false;
}

bool ovl_eltwise_post(const char *type_name, const void *params, int x_input, int n_in, const float *const *scalars, ovl_post *post)
{
	for (size_t i = 0; i < sizeof binary / sizeof *binary; i++)
		if (!strcmp(type_name, binary[i].name)) {
			const ovl_binary_params *p = (const ovl_binary_params *)params;
			return p->auto_broadcast != OVL_BROADCAST_PDPD && set(post, x_input == 0 ? binary[i].first : binary[i].second, 0, 0);
		}
	if (x_input != 0)
		return false;
	for (size_t i = 0; i < sizeof simple / sizeof *simple; i++)
		if (!strcmp(type_name, simple[i].name))
			return set(post, simple[i].kind, simple[i].alpha, simple[i].beta);
	return with_scalars(type_name, n_in, scalars, post) || with_params(type_name, params, post);
}
