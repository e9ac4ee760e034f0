#include "kernels/vec_avx512.h"
#include "kernels/scale_impl.h"

const ovl_kernel *const ovl_kernels_scale_avx512[] = {&scale, NULL};
