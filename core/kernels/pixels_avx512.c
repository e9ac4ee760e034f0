#include "kernels/vec_avx512.h"
#include "kernels/pixels_impl.h"

const ovl_kernel *const ovl_kernels_pixels_avx512[] = {&pixels, NULL};
