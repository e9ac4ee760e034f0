#include "kernels/vec_avx512.h"
#include "kernels/rnn_impl.h"

static const ovl_kernel rnn = {.name = "rnn_avx512",
	.ops = "LSTMSequence LSTMCell GRUSequence GRUCell RNNSequence RNNCell",
	.isa = V_ISA,
	.rank = 10,
	.accept = ovl_rnn_accept,
	.prepare = prepare,
	.run = ovl_rnn_run,
	.release = ovl_rnn_release};
const ovl_kernel *const ovl_kernels_rnn_avx512[] = {&rnn, NULL};
