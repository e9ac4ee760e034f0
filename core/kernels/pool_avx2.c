#include "kernels/vec_avx2.h"
#include "kernels/pool_impl.h"

const ovl_kernel *const ovl_kernels_pool_avx2[] = {&pool, NULL};
