#include "kernels/vec_avx2.h"
#include "kernels/conv_dw_impl.h"

static const ovl_kernel conv_dw = {.name = "conv_dw_avx2",
	.ops = "GroupConvolution",
	.isa = V_ISA,
	.rank = 20,
	.accept = ovl_dw_accept,
	.prepare = prepare,
	.run = ovl_dw_run,
	.release = ovl_dw_release,
	.rows = &ovl_dw_rows};
const ovl_kernel *const ovl_kernels_conv_dw_avx2[] = {&conv_dw, NULL};
