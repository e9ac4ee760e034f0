#include "kernels/typed_impl.h"

static const ovl_kernel typed = {.name = "typed_avx2", .ops = OVL_TYPED_OPS, .isa = OVL_ISA_AVX2, .accept = accept, .prepare = prepare, .run = ovl_typed_run};
const ovl_kernel *const ovl_kernels_typed_avx2[] = {&typed, NULL};
