#include "kernels/vec_avx2.h"
#include "kernels/topk_across_impl.h"

const ovl_kernel *const ovl_kernels_topk_across_avx2[] = {&topk_across, NULL};
