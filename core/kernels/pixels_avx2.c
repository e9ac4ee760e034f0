#include "kernels/vec_avx2.h"
#include "kernels/pixels_impl.h"

const ovl_kernel *const ovl_kernels_pixels_avx2[] = {&pixels, NULL};
