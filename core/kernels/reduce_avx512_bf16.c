#include "kernels/element_bf16.h"
#include "kernels/reduce_impl.h"

const ovl_kernel *const ovl_kernels_reduce_avx512_bf16[] = {&reduce, NULL};
