#include <immintrin.h>

#define VL 8
#define V __m256
#define V_SET _mm256_set1_ps
#define V_FMA _mm256_fmadd_ps
#define V_LOAD _mm256_load_ps
#define NAME(n) n##_avx2
#include "base/limits_loops_impl.h"
