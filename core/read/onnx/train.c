/* Optimisers of the preview training domain: arithmetic on tensors that come and go as inputs and outputs. */
#include "read/onnx/rule.h"

#include <string.h>

#define DOMAIN "ai.onnx.preview.training"

static ovl_end mul(ovl_onnx *x, ovl_end a, ovl_end b) { return ovl_x_op(x, "Multiply", a, b); }
static ovl_end add(ovl_onnx *x, ovl_end a, ovl_end b) { return ovl_x_op(x, "Add", a, b); }
static ovl_end sub(ovl_onnx *x, ovl_end a, ovl_end b) { return ovl_x_op(x, "Subtract", a, b); }
static ovl_end by(ovl_onnx *x, ovl_end a, double f) { return mul(x, a, ovl_x_like(x, a, f)); }

/* The gradient with the pull of the norm. */
static ovl_end regular(ovl_onnx *x, ovl_end gradient, ovl_end value)
{
	return add(x, gradient, by(x, value, ovl_x_attr_float(x, "norm_coefficient", 0)));
}

static int groups(ovl_onnx *x, int tensors)
{
	int n = (x->n_in - 2) / tensors;
	if (x->n_in < 2 + tensors || (x->n_in - 2) % tensors)
		ovl_x_fail(x, OVL_E_PARSE, "it has %d inputs, expected 2 and a multiple of %d", x->n_in, tensors);
	return x->status == OVL_OK ? n : 0;
}

static void adagrad(ovl_onnx *x)
{
	int n = groups(x, 3);
	ovl_end rate = ovl_x_scalar_of(x, ovl_x_in(x, 0)), steps;
	steps = ovl_x_convert_like(x, ovl_x_scalar_of(x, ovl_x_in(x, 1)), rate);
	rate = ovl_x_op(x, "Divide", rate, add(x, by(x, steps, ovl_x_attr_float(x, "decay_factor", 0)), ovl_x_like(x, rate, 1)));
	for (int i = 0; i < n; i++) {
		ovl_end v = ovl_x_in(x, 2 + i), g = regular(x, ovl_x_in(x, 2 + n + i), v), h = add(x, ovl_x_in(x, 2 + 2 * n + i), mul(x, g, g));
		ovl_end root = add(x, ovl_x_op(x, "Sqrt", h), ovl_x_like(x, h, ovl_x_attr_float(x, "epsilon", 1e-6f)));
		ovl_x_out(x, i, sub(x, v, ovl_x_op(x, "Divide", mul(x, rate, g), root)));
		ovl_x_out(x, n + i, h);
	}
}

/* rate * sqrt(1 - beta^steps) / (1 - alpha^steps) after the first step */
static ovl_end adam_rate(ovl_onnx *x, float alpha, float beta)
{
	ovl_end rate = ovl_x_scalar_of(x, ovl_x_in(x, 0)), steps = ovl_x_convert_like(x, ovl_x_scalar_of(x, ovl_x_in(x, 1)), rate),
		one = ovl_x_like(x, rate, 1), up, down;
	up = ovl_x_op(x, "Sqrt", sub(x, one, ovl_x_op(x, "Power", ovl_x_like(x, rate, beta), steps)));
	down = sub(x, one, ovl_x_op(x, "Power", ovl_x_like(x, rate, alpha), steps));
	return ovl_x_op(x, "Select", ovl_x_op(x, "Greater", steps, ovl_x_like(x, rate, 0)), ovl_x_op(x, "Divide", mul(x, rate, up), down), rate);
}

static void adam(ovl_onnx *x)
{
	int n = groups(x, 4);
	float alpha = ovl_x_attr_float(x, "alpha", 0.9f), beta = ovl_x_attr_float(x, "beta", 0.999f);
	ovl_end rate = adam_rate(x, alpha, beta);
	for (int i = 0; i < n; i++) {
		ovl_end v = ovl_x_in(x, 2 + i), g = regular(x, ovl_x_in(x, 2 + n + i), v), m, h, root;
		m = add(x, by(x, ovl_x_in(x, 2 + 2 * n + i), alpha), by(x, g, 1 - (double)alpha));
		h = add(x, by(x, ovl_x_in(x, 2 + 3 * n + i), beta), by(x, mul(x, g, g), 1 - (double)beta));
		root = add(x, ovl_x_op(x, "Sqrt", h), ovl_x_like(x, h, ovl_x_attr_float(x, "epsilon", 1e-6f)));
		v = sub(x, v, ovl_x_op(x, "Divide", mul(x, rate, m), root));
		ovl_x_out(x, i, by(x, v, 1 - (double)ovl_x_attr_float(x, "norm_coefficient_post", 0)));
		ovl_x_out(x, n + i, m);
		ovl_x_out(x, 2 * n + i, h);
	}
}

static void momentum(ovl_onnx *x)
{
	int n = groups(x, 3);
	float alpha = ovl_x_attr_float(x, "alpha", 0.9f), beta = ovl_x_attr_float(x, "beta", 1);
	bool nesterov = strcmp(ovl_x_attr_text(x, "mode", "standard"), "nesterov") == 0;
	ovl_end rate = ovl_x_scalar_of(x, ovl_x_in(x, 0)), steps = ovl_x_scalar_of(x, ovl_x_in(x, 1));
	for (int i = 0; i < n; i++) {
		ovl_end v = ovl_x_in(x, 2 + i), g = regular(x, ovl_x_in(x, 2 + n + i), v), weight, m;
		/* The first step takes the gradient as a whole. */
		weight = ovl_x_op(x, "Select", ovl_x_op(x, "Greater", steps, ovl_x_like(x, steps, 0)), ovl_x_like(x, v, beta), ovl_x_like(x, v, 1));
		m = add(x, by(x, ovl_x_in(x, 2 + 2 * n + i), alpha), mul(x, weight, g));
		ovl_x_out(x, i, sub(x, v, mul(x, rate, nesterov ? add(x, g, by(x, m, alpha)) : m)));
		ovl_x_out(x, n + i, m);
	}
}

const ovl_onnx_rule ovl_onnx_train[] = {
	{"Adagrad", DOMAIN, 1, adagrad}, {"Adam", DOMAIN, 1, adam}, {"Momentum", DOMAIN, 1, momentum}, {NULL, NULL, 0, NULL}};
