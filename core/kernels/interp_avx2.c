#include "kernels/vec_avx2.h"
#include "kernels/interp_impl.h"

const ovl_kernel *const ovl_kernels_interp_avx2[] = {&interp, NULL};
