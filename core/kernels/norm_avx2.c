#include "kernels/vec_avx2.h"
#include "kernels/norm_impl.h"

const ovl_kernel *const ovl_kernels_norm_avx2[] = {&norm, NULL};
