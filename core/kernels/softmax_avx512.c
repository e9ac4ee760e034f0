#include "kernels/vec_avx512.h"
#include "kernels/softmax_impl.h"

const ovl_kernel *const ovl_kernels_softmax_avx512[] = {&softmax, NULL};
