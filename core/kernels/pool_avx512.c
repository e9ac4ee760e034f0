#include "kernels/vec_avx512.h"
#include "kernels/pool_impl.h"

const ovl_kernel *const ovl_kernels_pool_avx512[] = {&pool, NULL};
