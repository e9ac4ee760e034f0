#include "kernels/vec_avx512.h"
#include "kernels/reduce_impl.h"

const ovl_kernel *const ovl_kernels_reduce_avx512[] = {&reduce, NULL};
