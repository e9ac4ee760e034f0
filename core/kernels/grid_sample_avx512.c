#include "kernels/vec_avx512.h"
#include "kernels/grid_sample_impl.h"

const ovl_kernel *const ovl_kernels_grid_sample_avx512[] = {&grid_sample, NULL};
