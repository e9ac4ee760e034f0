#include "kernels/vec_avx512.h"
#include "kernels/posts_impl.h"
