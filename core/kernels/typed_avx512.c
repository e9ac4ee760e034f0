#include "kernels/typed_impl.h"

static const ovl_kernel typed = {.name = "typed_avx512", .ops = OVL_TYPED_OPS, .isa = OVL_ISA_AVX512, .accept = accept, .prepare = prepare, .run = ovl_typed_run};
const ovl_kernel *const ovl_kernels_typed_avx512[] = {&typed, NULL};
