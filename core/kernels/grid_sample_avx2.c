#include "kernels/vec_avx2.h"
#include "kernels/grid_sample_impl.h"

const ovl_kernel *const ovl_kernels_grid_sample_avx2[] = {&grid_sample, NULL};
