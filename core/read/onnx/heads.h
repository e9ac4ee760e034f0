/* heads.h - what the rules for attention share (attention.c). */
#ifndef OVL_READ_ONNX_HEADS_H
#define OVL_READ_ONNX_HEADS_H

#include "read/onnx/rule.h"

/* [batch, length, heads * size] -> [batch, heads, length, size]; four dimensions are left as they are. */
ovl_end ovl_x_heads_apart(ovl_onnx *x, ovl_end a, int64_t heads);
ovl_end ovl_x_heads_joined(ovl_onnx *x, ovl_end a); /* back */
/* Fewer heads of keys and values than of queries, [batch, heads, length, size]: each serves several. */
ovl_end ovl_x_heads_repeated(ovl_onnx *x, ovl_end a, ovl_end q);
/* Turns pairs of [batch, length, heads, size], all or the first `turned` > 0 of size, by angles whose cosines and sines are [batch or 1, length, half of it]. */
ovl_end ovl_x_heads_turned(ovl_onnx *x, ovl_end a, ovl_end cosine, ovl_end sine, bool interleaved, int64_t turned);

#endif
