#include "kernels/vec_avx2.h"
#include "kernels/posts_impl.h"
