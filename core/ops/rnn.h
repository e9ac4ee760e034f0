/* rnn.h - recurrent cells and sequences: LSTMCell, GRUCell, RNNCell, LSTMSequence, GRUSequence, RNNSequence.
 *
 * Gates are rows of W [gates * hidden, input] and R [gates * hidden, hidden]: LSTM f i c o, GRU z r h, RNN one.
 *   Cells      X [batch, input], H [batch, hidden], (C), W, R, B [gates * hidden]
 *   Sequences  X [batch, time, input], H [batch, directions, hidden], (C), lengths [batch], W [directions, ...], R, B;
 *              outputs Y [batch, directions, time, hidden], H, (C)
 * A GRU with linear_before_reset has a fourth row of B: the bias of R in the h gate. B may be absent. */
#ifndef OVL_OPS_RNN_H
#define OVL_OPS_RNN_H

#include "graph/attr.h"

enum { OVL_RNN_FORWARD, OVL_RNN_REVERSE, OVL_RNN_BIDIRECTIONAL };

typedef struct ovl_rnn_params {
	int64_t hidden_size;
	int direction;
	ovl_strings activations; /* empty: the usual ones */
	ovl_floats activations_alpha, activations_beta;
	float clip;               /* of gates before their activations; 0: none */
	bool linear_before_reset; /* GRU */
	bool input_forget;        /* LSTM, opset 1: f = 1 - i */
	int weights_format;       /* LSTM, opset 1: order of the gates, see ovl_lstm_order */
} ovl_rnn_params;

typedef enum ovl_rnn_kind { OVL_RNN_PLAIN, OVL_RNN_GRU, OVL_RNN_LSTM } ovl_rnn_kind;

typedef enum ovl_rnn_function {
	OVL_FN_SIGMOID,
	OVL_FN_TANH,
	OVL_FN_RELU,
	OVL_FN_HARD_SIGMOID,
	OVL_FN_AFFINE,
	OVL_FN_LEAKY_RELU,
	OVL_FN_THRESHOLDED_RELU,
	OVL_FN_SCALED_TANH,
	OVL_FN_ELU,
	OVL_FN_SOFTSIGN,
	OVL_FN_SOFTPLUS,
} ovl_rnn_function;

typedef struct ovl_rnn_activation {
	ovl_rnn_function fn;
	float alpha, beta;
} ovl_rnn_activation;

/* What an operator is made of. */
typedef struct ovl_rnn_cell {
	ovl_rnn_kind kind;
	bool sequence;
	int gates;  /* 1, 3, 4 */
	int biases; /* rows of B: gates, or one more */
	int directions;
	ovl_rnn_activation activations[3];
	int order[4]; /* LSTM: which row holds f, i, c, o */
} ovl_rnn_cell;

/* Errors: argument for unknown activations. */
ovl_status ovl_rnn_resolve(const char *op, const ovl_rnn_params *p, ovl_rnn_cell *out, ovl_error *err);
double ovl_rnn_activate(const ovl_rnn_activation *a, double x);

#endif
