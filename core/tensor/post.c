/* post.c - the plain meaning of each post. NaN goes through comparisons unchanged: every test is written so that a NaN in x stays. */
#include "tensor/post.h"
#include <math.h>

static const struct {
	const char *name;
	bool binary;
} rows[] = {
#define ROW(code, name, binary) {name, binary},
	OVL_POST_MAP(ROW)
#undef ROW
};

const char *ovl_post_name(ovl_post_kind kind)
{
	return (unsigned)kind < OVL_POST_COUNT ? rows[kind].name : "?";
}

bool ovl_post_binary(ovl_post_kind kind)
{
	return (unsigned)kind < OVL_POST_COUNT && rows[kind].binary;
}

static float clamp(float x, float low, float high)
{
	return x < low ? low : x > high ? high : x;
}

static float sigmoid(float x)
{
	return 1.0f / (1.0f + expf(-x));
}

float ovl_post_apply(const ovl_post *post, float x, float operand)
{
	float a = post->alpha, b = post->beta;
	switch (post->kind) {
	case OVL_POST_RELU:
		return x < 0.0f ? 0.0f : x;
	case OVL_POST_CLAMP:
		return clamp(x, a, b);
	case OVL_POST_SIGMOID:
		return sigmoid(x);
	case OVL_POST_TANH:
		return tanhf(x);
	case OVL_POST_SWISH:
		return x * sigmoid(a * x);
	case OVL_POST_HSWISH:
		return x * clamp(x + 3.0f, 0.0f, 6.0f) / 6.0f;
	case OVL_POST_HSIGMOID:
		return clamp(a * x + b, 0.0f, 1.0f);
	case OVL_POST_GELU_ERF:
		return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
	case OVL_POST_GELU_TANH:
		return 0.5f * x * (1.0f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
	case OVL_POST_ELU:
		return x < 0.0f ? a * (expf(x) - 1.0f) : x;
	case OVL_POST_LEAKY:
		return x < 0.0f ? a * x : x;
	case OVL_POST_LINEAR:
		return a * x + b;
	case OVL_POST_ABS:
		return fabsf(x);
	case OVL_POST_SQRT:
		return sqrtf(x);
	case OVL_POST_EXP:
		return expf(x);
	case OVL_POST_SQUARE:
		return x * x;
	case OVL_POST_ROUND:
		return nearbyintf(x);
	case OVL_POST_ADD:
		return x + operand;
	case OVL_POST_SUB:
		return x - operand;
	case OVL_POST_RSUB:
		return operand - x;
	case OVL_POST_MUL:
		return x * operand;
	case OVL_POST_DIV:
		return x / operand;
	case OVL_POST_MAX:
		return x < operand ? operand : x;
	case OVL_POST_MIN:
		return x > operand ? operand : x;
	case OVL_POST_COUNT:
		break;
	}
	return x;
}
