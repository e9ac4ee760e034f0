/* eltwise.h - parameters of the element-wise operators, and which of them can be done as a post (tensor/post.h) behind another operator. */
#ifndef OVL_OPS_ELTWISE_H
#define OVL_OPS_ELTWISE_H

#include "graph/attr.h"
#include "tensor/post.h"

enum { OVL_BROADCAST_NUMPY, OVL_BROADCAST_NONE, OVL_BROADCAST_EXPLICIT, OVL_BROADCAST_PDPD };
#define OVL_BROADCAST_CHOICES "numpy none explicit pdpd"

/* Arithmetic, comparison, logical and bitwise operators of two inputs, and Select. */
typedef struct ovl_binary_params {
	int auto_broadcast;
	int64_t axis; /* pdpd: the dimension of input 0 at which input 1 starts; -1: both end together */
	bool m_pythondiv; /* Divide: quotients of whole numbers are rounded down (else toward zero) */
} ovl_binary_params;

typedef struct ovl_clamp_params {
	double min, max;
} ovl_clamp_params;

typedef struct ovl_elu_params {
	double alpha;
} ovl_elu_params;

enum { OVL_GELU_ERF, OVL_GELU_TANH };
typedef struct ovl_gelu_params { /* version 7; version 2 has none and is OVL_GELU_ERF */
	int approximation_mode;
} ovl_gelu_params;

enum { OVL_ROUND_EVEN, OVL_ROUND_AWAY };
typedef struct ovl_round_params {
	int mode;
} ovl_round_params;

/* The f32 operators that a kernel does in one go with posts behind them. */
#define OVL_ELTWISE_OPS                                                                                                                       \
	"Add Subtract Multiply Divide Maximum Minimum SquaredDifference Power Relu Sigmoid Tanh HSwish HSigmoid HardSigmoid Swish Gelu Elu Selu " \
	"Clamp PRelu Mish SoftPlus SoftSign Abs Negative Sqrt Exp Log Floor Ceiling Round Erf Sign"

/* The post that does what the operator `type_name` does to its input `x_input`. params may be NULL where the operator has none. scalars[i]: input i's value where it is a
 * constant with one element, else NULL (Swish's beta, PRelu's slope, HardSigmoid's alpha and beta, Power's exponent). post->input of a binary one is left at -1: the
 * caller tells where the operand is. False when no post does the same. */
bool ovl_eltwise_post(const char *type_name, const void *params, int x_input, int n_in, const float *const *scalars, ovl_post *post);

#endif
