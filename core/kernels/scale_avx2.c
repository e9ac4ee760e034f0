#include "kernels/vec_avx2.h"
#include "kernels/scale_impl.h"

const ovl_kernel *const ovl_kernels_scale_avx2[] = {&scale, NULL};
