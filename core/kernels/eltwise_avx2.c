#include "kernels/vec_avx2.h"
#include "kernels/eltwise_impl.h"

const ovl_kernel *const ovl_kernels_eltwise_avx2[] = {&eltwise, NULL};
