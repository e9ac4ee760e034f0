#include "kernels/vec_avx2.h"
#include "kernels/softmax_impl.h"

const ovl_kernel *const ovl_kernels_softmax_avx2[] = {&softmax, NULL};
