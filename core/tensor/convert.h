/* convert.h - element conversion between all numeric types, n elements at a time.
 *
 * Rules (API.md, BEHAVIOURS.md): float to integer truncates toward zero and saturates, NaN gives 0; integer to narrower integer: `wrap` keeps the low bits
 * (what a model's Convert does), otherwise it saturates (what filling an input does); anything to boolean: zero is false; to f16/bf16 rounds to nearest even. */
#ifndef OVL_TENSOR_CONVERT_H
#define OVL_TENSOR_CONVERT_H

#include "tensor/type.h"

/* False when a type is string or dynamic. Offsets in elements (packed types may start in the middle of a byte). No overlap of from and to. */
bool ovl_convert(ovl_type from_type, const void *from, int64_t from_offset, ovl_type to_type, void *to, int64_t to_offset, int64_t n, bool wrap);

#endif
