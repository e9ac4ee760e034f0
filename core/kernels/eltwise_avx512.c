#include "kernels/vec_avx512.h"
#include "kernels/eltwise_impl.h"

const ovl_kernel *const ovl_kernels_eltwise_avx512[] = {&eltwise, NULL};
