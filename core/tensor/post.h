/* post.h - element-wise tails: what is fused behind (convolution, matmul, an element-wise op, ...) and done before the result is stored.
 *
 * A chain of posts is applied in order to each result x. Binary posts take a tensor operand (an extra input of the node) that broadcasts to the output by
 * numpy's rule; `input` is the index of that operand among the node's inputs. */
#ifndef OVL_TENSOR_POST_H
#define OVL_TENSOR_POST_H

#include <stdbool.h>

/* X(enum, name, binary) */
#define OVL_POST_MAP(X)                                                                       \
	X(OVL_POST_RELU, "relu", false)                                                       \
	X(OVL_POST_CLAMP, "clamp", false)         /* min(max(x, alpha), beta) */              \
	X(OVL_POST_SIGMOID, "sigmoid", false)                                                 \
	X(OVL_POST_TANH, "tanh", false)                                                       \
	X(OVL_POST_SWISH, "swish", false)         /* x * sigmoid(alpha * x) */                \
	X(OVL_POST_HSWISH, "hswish", false)       /* x * min(max(x + 3, 0), 6) / 6 */         \
	X(OVL_POST_HSIGMOID, "hsigmoid", false)   /* min(max(alpha * x + beta, 0), 1) */      \
	X(OVL_POST_GELU_ERF, "gelu_erf", false)                                               \
	X(OVL_POST_GELU_TANH, "gelu_tanh", false)                                             \
	X(OVL_POST_ELU, "elu", false)             /* x < 0 ? alpha * (exp(x) - 1) : x */      \
	X(OVL_POST_LEAKY, "leaky_relu", false)    /* x < 0 ? alpha * x : x */                 \
	X(OVL_POST_LINEAR, "linear", false)       /* alpha * x + beta */                      \
	X(OVL_POST_ABS, "abs", false)                                                         \
	X(OVL_POST_SQRT, "sqrt", false)                                                       \
	X(OVL_POST_EXP, "exp", false)                                                         \
	X(OVL_POST_SQUARE, "square", false)                                                   \
	X(OVL_POST_ROUND, "round", false)         /* half to even */                          \
	X(OVL_POST_ADD, "add", true)                                                          \
	X(OVL_POST_SUB, "sub", true)              /* x - operand */                           \
	X(OVL_POST_RSUB, "rsub", true)            /* operand - x */                           \
	X(OVL_POST_MUL, "mul", true)                                                          \
	X(OVL_POST_DIV, "div", true)              /* x / operand */                           \
	X(OVL_POST_MAX, "max", true)                                                          \
	X(OVL_POST_MIN, "min", true)

#define OVL_POST_ENUM(code, name, binary) code,
typedef enum ovl_post_kind { OVL_POST_MAP(OVL_POST_ENUM) OVL_POST_COUNT } ovl_post_kind;
#undef OVL_POST_ENUM

enum { OVL_MAX_POSTS = 8 };

typedef struct ovl_post {
	ovl_post_kind kind;
	int input; /* of binary posts: which input of the node; -1 otherwise */
	float alpha, beta;
} ovl_post;

const char *ovl_post_name(ovl_post_kind kind);
bool ovl_post_binary(ovl_post_kind kind);
float ovl_post_apply(const ovl_post *post, float x, float operand); /* plain reference, one element */

#endif
