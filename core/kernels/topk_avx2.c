#include "kernels/vec_avx2.h"
#include "kernels/topk_impl.h"

const ovl_kernel *const ovl_kernels_topk_avx2[] = {&topk, NULL};
