/* RNN, GRU, LSTM. ONNX has time first and directions before the batch; OpenVINO has the batch first. */
#include "read/onnx/rule.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef struct rnn {
	ovl_end data, w, r, lengths, hidden, cell; /* in OpenVINO's layout */
	ovl_end bias; /* [directions, 2 * gates * hidden]; {NULL, 0}: none */
	int gates;
	int64_t hidden_size;
	bool batch_first, both;
	const char *how; /* attributes that all three share */
} rnn;

static bool opens_with(const char *text, const char *word)
{
	for (; *word; text++, word++)
		if (tolower((unsigned char)*text) != *word)
			return false;
	return true;
}

/* "Sigmoid", "Tanh", ... -> "sigmoid,tanh". Two directions with different ones are refused. */
static const char *activations(ovl_onnx *x, int per_direction, bool both)
{
	char text[256] = "";
	size_t at = 0;
	const Onnx__AttributeProto *a = ovl_x_attr(x, "activations");
	if (!a || !a->n_strings)
		return NULL;
	if (a->n_strings != (size_t)(both ? 2 * per_direction : per_direction)) {
		ovl_x_fail(x, OVL_E_PARSE, "it has %zu activations, expected %d", a->n_strings, both ? 2 * per_direction : per_direction);
		return NULL;
	}
	for (int i = 0; i < per_direction; i++) {
		const char *name = ovl_x_attr_text_at(x, "activations", i, "");
		if (both && strcasecmp(name, ovl_x_attr_text_at(x, "activations", i + per_direction, "")) != 0)
			ovl_x_unsupported(x, "different activations for the two directions");
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%.40s", i ? "," : "", name);
	}
	for (char *p = text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return ovl_x_text(x, "%s", text);
}

static const char *float_list(ovl_onnx *x, const char *name)
{
	int n;
	const float *v = ovl_x_attr_floats(x, name, &n);
	const char *text = NULL;
	for (int i = 0; v && i < n && i < 16; i++)
		text = ovl_x_text(x, "%s%s%s", text ? text : "", text ? "," : "", ovl_x_num(x, v[i]));
	return text;
}

static const char *common_attributes(ovl_onnx *x, rnn *c, int per_direction)
{
	const char *direction = ovl_x_attr_text(x, "direction", "forward"), *names, *alpha = float_list(x, "activation_alpha"),
		   *beta = float_list(x, "activation_beta");
	const char *text;
	c->both = opens_with(direction, "bi");
	names = activations(x, per_direction, c->both);
	text = ovl_x_text(x, "hidden_size=%lld;direction=%s;clip=%s", (long long)c->hidden_size,
		c->both                        ? "bidirectional"
		: opens_with(direction, "rev") ? "reverse"
					       : "forward",
		ovl_x_num(x, ovl_x_attr_float(x, "clip", 0)));
	if (names)
		text = ovl_x_text(x, "%s;activations=%s", text, names);
	if (alpha)
		text = ovl_x_text(x, "%s;activations_alpha=%s", text, alpha);
	return beta ? ovl_x_text(x, "%s;activations_beta=%s", text, beta) : text;
}

static ovl_end swapped(ovl_onnx *x, ovl_end e) { return ovl_x_transpose(x, e, (int64_t[]){1, 0, 2}, 3); }

/* [directions, batch, hidden] or nothing -> [batch, directions, hidden] */
static ovl_end state(ovl_onnx *x, int input, const rnn *c)
{
	ovl_end given = ovl_x_maybe(x, input), size;
	if (given.node)
		return c->batch_first ? given : swapped(x, given);
	size = ovl_x_cat(x, 0, ovl_x_dims(x, c->data, 0, 1), ovl_x_dims(x, c->w, 0, 1), ovl_x_vec(x, c->hidden_size));
	return ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_like(x, c->data, 0), size);
}

static rnn open_rnn(ovl_onnx *x, int gates, int per_direction)
{
	rnn c = {.gates = gates};
	ovl_end given = ovl_x_in(x, 0);
	c.batch_first = ovl_x_attr_int(x, "layout", 0) != 0;
	c.data = c.batch_first ? given : swapped(x, given);
	c.w = ovl_x_in(x, 1);
	c.r = ovl_x_in(x, 2);
	c.bias = ovl_x_maybe(x, 3);
	c.hidden_size = ovl_x_attr_int(x, "hidden_size", ovl_x_dim(x, c.r, 2));
	if (c.hidden_size <= 0)
		ovl_x_fail(x, OVL_E_PARSE, "attribute 'hidden_size' is missing");
	c.lengths = ovl_x_maybe(x, 4);
	if (!c.lengths.node)
		c.lengths = ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_convert(x, ovl_x_scalar_of(x, ovl_x_dims(x, c.data, 1, 2)), OVL_I32),
			ovl_x_dims(x, c.data, 0, 1));
	c.hidden = state(x, 5, &c);
	c.how = common_attributes(x, &c, per_direction);
	return c;
}

/* Parts of `size` rows along axis 1, in another order. */
static ovl_end reorder(ovl_onnx *x, ovl_end e, const int *order, int n)
{
	ovl_end parts[8], all = ovl_x_opa(x, "Split", ovl_x_text(x, "num_splits=%d", n), e, ovl_x_i64(x, 1));
	for (int i = 0; i < n; i++)
		parts[i] = ovl_x_port(all, order[i]);
	return ovl_x_concat(x, 1, parts, n);
}

static ovl_end zero_bias(ovl_onnx *x, const rnn *c, int rows)
{
	ovl_end size = ovl_x_cat(x, 0, ovl_x_dims(x, c->w, 0, 1), ovl_x_vec(x, rows * c->hidden_size));
	return ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_like(x, c->data, 0), size);
}

/* The two halves (of W and of R) added up. */
static ovl_end summed_bias(ovl_onnx *x, const rnn *c)
{
	ovl_end halves;
	if (!c->bias.node)
		return zero_bias(x, c, c->gates);
	halves = ovl_x_opa(x, "Split", "num_splits=2", c->bias, ovl_x_i64(x, 1));
	return ovl_x_op(x, "Add", halves, ovl_x_port(halves, 1));
}

/* Y: [batch, directions, time, hidden] -> [time, directions, batch, hidden], or [batch, time, directions, hidden] */
static void set_outputs(ovl_onnx *x, const rnn *c, ovl_end e, int states)
{
	static const int64_t time_first[] = {2, 1, 0, 3}, batch_first[] = {0, 2, 1, 3};
	if (ovl_x_wants(x, 0))
		ovl_x_out(x, 0, ovl_x_transpose(x, e, c->batch_first ? batch_first : time_first, 4));
	for (int i = 1; i <= states; i++)
		if (ovl_x_wants(x, i))
			ovl_x_out(x, i, c->batch_first ? ovl_x_port(e, i) : swapped(x, ovl_x_port(e, i)));
}

static void plain_rnn(ovl_onnx *x)
{
	rnn c = open_rnn(x, 1, 1);
	set_outputs(x, &c, ovl_x_opa(x, "RNNSequence", c.how, c.data, c.hidden, c.lengths, c.w, c.r, summed_bias(x, &c)), 1);
}

/* With linear_before_reset the biases of the hidden gate stay apart: z, r, h of W, h of R. */
static void gru(ovl_onnx *x)
{
	rnn c = open_rnn(x, 3, 2);
	bool linear = ovl_x_attr_int(x, "linear_before_reset", 0);
	ovl_end bias, p[6];
	if (!linear)
		bias = summed_bias(x, &c);
	else if (!c.bias.node)
		bias = zero_bias(x, &c, 4);
	else {
		ovl_end all = ovl_x_opa(x, "Split", "num_splits=6", c.bias, ovl_x_i64(x, 1));
		for (int i = 0; i < 6; i++)
			p[i] = ovl_x_port(all, i);
		bias = ovl_x_cat(x, 1, ovl_x_op(x, "Add", p[0], p[3]), ovl_x_op(x, "Add", p[1], p[4]), p[2], p[5]);
	}
	set_outputs(x, &c,
		ovl_x_opa(x, "GRUSequence", ovl_x_text(x, "%s;linear_before_reset=%s", c.how, linear ? "true" : "false"), c.data, c.hidden, c.lengths,
			c.w, c.r, bias),
		1);
}

/* ---- LSTM with peepholes: OpenVINO has no such operator; step by step for a known, moderate length ---- */

typedef struct unrolled {
	ovl_end w, r, b, p[3]; /* of one direction: [4 hidden, input], [4 hidden, hidden], [4 hidden], 3 x [hidden] */
	ovl_end h, c;
} unrolled;

/* Gates in ONNX's order: i, o, f, c. Peepholes: i, o, f. */
static ovl_end lstm_step(ovl_onnx *x, unrolled *u, ovl_end at)
{
	ovl_end sum = ovl_x_op(x, "Add", ovl_x_opa(x, "MatMul", "transpose_b=true", at, u->w), ovl_x_opa(x, "MatMul", "transpose_b=true", u->h, u->r)), g;
	ovl_end i, o, f, c;
	g = ovl_x_opa(x, "Split", "num_splits=4", ovl_x_op(x, "Add", sum, u->b), ovl_x_i64(x, 1));
	i = ovl_x_op(x, "Sigmoid", ovl_x_op(x, "Add", g, ovl_x_op(x, "Multiply", u->p[0], u->c)));
	f = ovl_x_op(x, "Sigmoid", ovl_x_op(x, "Add", ovl_x_port(g, 2), ovl_x_op(x, "Multiply", u->p[2], u->c)));
	c = ovl_x_op(x, "Add", ovl_x_op(x, "Multiply", f, u->c), ovl_x_op(x, "Multiply", i, ovl_x_op(x, "Tanh", ovl_x_port(g, 3))));
	o = ovl_x_op(x, "Sigmoid", ovl_x_op(x, "Add", ovl_x_port(g, 1), ovl_x_op(x, "Multiply", u->p[1], c)));
	u->c = c;
	return u->h = ovl_x_op(x, "Multiply", o, ovl_x_op(x, "Tanh", c));
}

static void lstm_peepholes(ovl_onnx *x, const rnn *c, ovl_end peepholes)
{
	ovl_end steps[512], p, one = ovl_x_i64(x, 0), index = ovl_x_i64(x, 0), bias = summed_bias(x, c), y;
	unrolled u;
	int64_t n = ovl_x_dim(x, c->data, 1);
	ovl_end lengths = ovl_x_has(x, 4) ? ovl_x_unsqueeze(x, ovl_x_convert(x, c->lengths, OVL_I64), 1) : (ovl_end){NULL, 0},
		zero = ovl_x_like(x, c->data, 0);
	bool reverse = opens_with(ovl_x_attr_text(x, "direction", "forward"), "rev");
	if (c->both || (lengths.node && reverse) || n < 1 || n > 512 || ovl_x_attr(x, "activations") || ovl_x_attr_float(x, "clip", 0) != 0 ||
		ovl_x_attr_int(x, "input_forget", 0)) {
		ovl_x_unsupported(x, "peepholes together with two directions, lengths of a reverse one, activations, clipping or more than 512 steps");
		return;
	}
	u.w = ovl_x_gather(x, c->w, one, 0);
	u.r = ovl_x_gather(x, c->r, one, 0);
	u.b = ovl_x_gather(x, bias, one, 0);
	p = ovl_x_opa(x, "Split", "num_splits=3", ovl_x_gather(x, peepholes, one, 0), ovl_x_i64(x, 0));
	for (int i = 0; i < 3; i++)
		u.p[i] = ovl_x_port(p, i);
	u.h = ovl_x_gather(x, c->hidden, index, 1);
	u.c = ovl_x_gather(x, c->cell, index, 1);
	for (int64_t k = 0; k < n && x->status == OVL_OK; k++) {
		int64_t t = reverse ? n - 1 - k : k;
		ovl_end h = u.h, cell = u.c, y_t = lstm_step(x, &u, ovl_x_gather(x, c->data, ovl_x_i64(x, t), 1));
		if (lengths.node) { /* beyond its length a row gives zeros and keeps its state */
			ovl_end on = ovl_x_op(x, "Greater", lengths, ovl_x_i64(x, t));
			y_t = ovl_x_op(x, "Select", on, y_t, zero);
			u.h = ovl_x_op(x, "Select", on, u.h, h);
			u.c = ovl_x_op(x, "Select", on, u.c, cell);
		}
		steps[t] = ovl_x_unsqueeze(x, y_t, 1);
	}
	if (x->status != OVL_OK)
		return;
	y = ovl_x_concat(x, 1, steps, (int)n); /* [batch, time, hidden] */
	ovl_x_out(x, 0, ovl_x_unsqueeze(x, c->batch_first ? y : swapped(x, y), c->batch_first ? 2 : 1));
	ovl_x_out(x, 1, ovl_x_unsqueeze(x, u.h, c->batch_first ? 1 : 0));
	ovl_x_out(x, 2, ovl_x_unsqueeze(x, u.c, c->batch_first ? 1 : 0));
}

static void lstm(ovl_onnx *x)
{
	static const int fico[] = {2, 0, 3, 1}; /* from ONNX's i, o, f, c */
	rnn c = open_rnn(x, 4, 3);
	ovl_end peepholes = ovl_x_maybe(x, 7);
	c.cell = state(x, 6, &c);
	if (peepholes.node) {
		lstm_peepholes(x, &c, peepholes);
		return;
	}
	if (ovl_x_attr_int(x, "input_forget", 0))
		ovl_x_unsupported(x, "input_forget");
	set_outputs(x, &c, ovl_x_opa(x, "LSTMSequence", c.how, c.data, c.hidden, c.cell, c.lengths, reorder(x, c.w, fico, 4), reorder(x, c.r, fico, 4),
		reorder(x, summed_bias(x, &c), fico, 4)), 2);
}

const ovl_onnx_rule ovl_onnx_rnn[] = {{"RNN", NULL, 1, plain_rnn}, {"GRU", NULL, 1, gru}, {"LSTM", NULL, 1, lstm}, {NULL, NULL, 0, NULL}};
