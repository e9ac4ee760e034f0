#include "kernels/vec_avx2.h"
#include "kernels/conv_wino_impl.h"

static const ovl_kernel conv_wino = {.name = "conv_wino_avx2",
	.ops = "Convolution",
	.isa = V_ISA,
	.rank = 20,
	.accept = accept,
	.ways = ovl_wino_ways,
	.prepare = prepare,
	.run = ovl_wino_run,
	.release = ovl_wino_release};
const ovl_kernel *const ovl_kernels_conv_wino_avx2[] = {&conv_wino, NULL};
