#include "kernels/vec_avx512.h"
#include "kernels/interp_impl.h"

const ovl_kernel *const ovl_kernels_interp_avx512[] = {&interp, NULL};
