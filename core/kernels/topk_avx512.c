#include "kernels/vec_avx512.h"
#include "kernels/topk_impl.h"

const ovl_kernel *const ovl_kernels_topk_avx512[] = {&topk, NULL};
