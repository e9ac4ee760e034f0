#include "kernels/vec_avx512.h"
#include "kernels/norm_impl.h"

const ovl_kernel *const ovl_kernels_norm_avx512[] = {&norm, NULL};
