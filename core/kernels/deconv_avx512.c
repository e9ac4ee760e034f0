#include "kernels/deconv.h"

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err) { return ovl_deconv_prepare(&ovl_gemm_avx512, p, out, err); }

static const ovl_kernel deconv = {.name = "deconv_avx512",
	.ops = "ConvolutionBackpropData GroupConvolutionBackpropData",
	.isa = OVL_ISA_AVX512,
	.rank = 10,
	.accept = ovl_deconv_accept,
	.prepare = prepare,
	.run = ovl_deconv_run,
	.release = ovl_deconv_release};
const ovl_kernel *const ovl_kernels_deconv_avx512[] = {&deconv, NULL};
