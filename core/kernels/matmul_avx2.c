#include "kernels/matmul.h"
#include "kernels/strassen.h"

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err) { return ovl_matmul_prepare(&ovl_gemm_avx2, p, out, err); }

static const ovl_kernel matmul = {.name = "matmul_avx2",
	.ops = "MatMul",
	.isa = OVL_ISA_AVX2,
	.rank = 10,
	.accept = ovl_matmul_accept,
	.ways = ovl_strassen_ways,
	.prepare = prepare,
	.run = ovl_matmul_run,
	.release = ovl_matmul_release};
const ovl_kernel *const ovl_kernels_matmul_avx2[] = {&matmul, NULL};
