#include "kernels/vec_avx2.h"
#include "kernels/attention_impl.h"

static const ovl_kernel attention = {.name = "attention_avx2",
	.ops = "ScaledDotProductAttention",
	.isa = V_ISA,
	.rank = 10,
	.accept = ovl_attention_accept,
	.prepare = prepare,
	.run = ovl_attention_run};
const ovl_kernel *const ovl_kernels_attention_avx2[] = {&attention, NULL};
