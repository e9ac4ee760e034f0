#include "kernels/vec_avx512.h"
#include "kernels/topk_across_impl.h"

const ovl_kernel *const ovl_kernels_topk_across_avx512[] = {&topk_across, NULL};
