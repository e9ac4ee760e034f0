#include "kernels/element_bf16.h"
#include "kernels/scale_impl.h"

const ovl_kernel *const ovl_kernels_scale_avx512_bf16[] = {&scale, NULL};
