/* rnn.h - recurrent cells and sequences on packed gates, for every instruction set that has a gemm. */
#ifndef OVL_KERNELS_RNN_H
#define OVL_KERNELS_RNN_H

#include "kernels/gemm.h"
#include "ops/rnn.h"

/* Sums of gates lie in blocks of one vector of units: [block][gate][vl]. */
typedef struct ovl_rnn_units {
	const float *x, *h;          /* sums from the input (with biases) and from the state, at the first block */
	const float *old;            /* state before the step */
	float *state;                /* state after it */
	float *cell;                 /* LSTM: in and out. GRU in two parts: where reset * old goes */
	float *y;                    /* a second place for the new state, or NULL */
	int64_t n;                   /* units */
	ovl_rnn_activation function; /* of a plain cell: sigmoid, tanh or relu */
} ovl_rnn_units;

typedef struct ovl_rnn_isa {
	const ovl_gemm_isa *gemm;
	void (*lstm)(const ovl_rnn_units *u); /* f i c o */
	void (*gru)(const ovl_rnn_units *u);  /* z r h; reset applied behind the product */
	/* first part of a GRU that resets before the product: h holds z r, which become sigmoids in place; cell = r * old */
	void (*gru_gates)(const ovl_rnn_units *u);
	void (*gru_blend)(const ovl_rnn_units *u); /* second part: x as before, cell holds [block][z r] of the first part, h the product for h */
	void (*plain)(const ovl_rnn_units *u);
} ovl_rnn_isa;

const char *ovl_rnn_accept(ovl_problem *p);
ovl_status ovl_rnn_prepare(const ovl_rnn_isa *isa, const ovl_problem *p, ovl_prepared *out, ovl_error *err);
ovl_status ovl_rnn_run(const ovl_call *call);
void ovl_rnn_release(void *state);

#endif
