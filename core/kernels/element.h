/* element.h - what data of an *_impl.h consist of: floats, unless element_bf16.h says otherwise. */
#ifndef OVL_KERNELS_ELEMENT_H
#define OVL_KERNELS_ELEMENT_H

#ifndef ELEMENT
#define ELEMENT float
#define ELEMENT_TYPE OVL_F32

static inline float element_get(const float *p) { return *p; }
static inline void element_put(float *p, float x) { *p = x; }
#endif

#define ELEMENT_HALF (sizeof(ELEMENT) == 2)

#endif
