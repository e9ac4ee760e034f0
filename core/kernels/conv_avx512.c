#include "kernels/conv.h"
#include "kernels/strassen.h"

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err) { return ovl_conv_prepare(&ovl_gemm_avx512, p, out, err); }

static const ovl_kernel conv = {.name = "conv_avx512",
	.ops = "Convolution GroupConvolution",
	.isa = OVL_ISA_AVX512,
	.rank = 10,
	.accept = ovl_conv_accept,
	.ways = ovl_strassen_ways,
	.prepare = prepare,
	.run = ovl_conv_run,
	.release = ovl_conv_release,
	.rows = &ovl_conv_rows};
const ovl_kernel *const ovl_kernels_conv_avx512[] = {&conv, NULL};
