#include "kernels/element_bf16.h"
#include "kernels/pool_impl.h"

const ovl_kernel *const ovl_kernels_pool_avx512_bf16[] = {&pool, NULL};
