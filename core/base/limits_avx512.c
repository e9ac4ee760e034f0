#include <immintrin.h>

#define VL 16
#define V __m512
#define V_SET _mm512_set1_ps
#define V_FMA _mm512_fmadd_ps
#define V_LOAD _mm512_load_ps
#define NAME(n) n##_avx512
#include "base/limits_loops_impl.h"
