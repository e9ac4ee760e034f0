#include "kernels/vec_avx2.h"
#include "kernels/reduce_impl.h"

const ovl_kernel *const ovl_kernels_reduce_avx2[] = {&reduce, NULL};
