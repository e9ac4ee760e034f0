#!/usr/bin/env python3
"""Golden data for ONNX Runtime's own operators (domain com.microsoft): small models with inputs and its answers, for spec/conformance/microsoft_spec.lua.

    python make_microsoft.py       needs PyPI's onnx, onnxruntime and numpy; `make golden` gets them

Writes onnx-microsoft.npz beside this file; members are named as make_onnx.py says. A case is one line: op(type, inputs, number of outputs, attributes); an
input is an array, const(array), or None where it is left out.
"""
import os

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

from make_onnx import HERE, store

members, names = {}, set()
rng = np.random.RandomState(3)


class const:
    def __init__(self, value):
        self.value = value


def f32(*shape, lo=-1.0, hi=1.0):
    return (lo + (hi - lo) * rng.rand(*shape)).astype(np.float32)


def u8(*shape, lo=0, hi=256):
    return rng.randint(lo, hi, shape).astype(np.uint8)


def i32(*values):
    return np.array(values, np.int32)


def op(kind, inputs, outputs=1, without=(), domain="com.microsoft", **attributes):
    """With the shapes known, and again with all dimensions open."""
    name = next(n for i in range(1, 1000) for n in ["%s_%d" % (kind, i)] if n not in names)
    names.add(name)
    ports = ["x%d" % i if x is not None else "" for i, x in enumerate(inputs)]
    node = helper.make_node(kind, ports, ["" if i in without else "y%d" % i for i in range(outputs)], domain=domain, **attributes)
    kinds = {p: helper.np_dtype_to_tensor_dtype(x.dtype) for p, x in zip(ports, inputs) if isinstance(x, np.ndarray)}
    constants = [numpy_helper.from_array(x.value, p) for p, x in zip(ports, inputs) if isinstance(x, const)]
    real = [x for x in inputs if isinstance(x, np.ndarray)]
    y = [helper.make_empty_tensor_value_info("y%d" % i) for i in range(outputs) if i not in without]

    def model(open):
        shapes = {p: ["%s_%d" % (p, d) if open else n for d, n in enumerate(x.shape)] for p, x in zip(ports, inputs) if p in kinds}
        x = [helper.make_tensor_value_info(p, t, shapes[p]) for p, t in kinds.items()]
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(helper.make_graph([node], kind, x, y, constants), opset_imports=opsets, ir_version=8)

    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(model(False).SerializeToString(), options, providers=["CPUExecutionProvider"])
    answers = session.run(None, dict(zip(kinds, real)))
    members[name + "/model"] = np.frombuffer(model(False).SerializeToString(), np.uint8)
    members[name + "/open"] = np.frombuffer(model(True).SerializeToString(), np.uint8)
    members.update(("%s/in_%d" % (name, i), x) for i, x in enumerate(real))
    members.update(("%s/out_%d" % (name, i), x) for i, x in enumerate(answers))


# ---- products ----
op("FusedMatMul", [f32(3, 5), f32(5, 7)], alpha=0.5)
op("FusedMatMul", [f32(2, 5, 3), f32(2, 7, 5)], transA=1, transB=1)
op("TransposeMatMul", [f32(2, 3, 5), f32(2, 7, 5)], transB=1)
op("FusedGemm", [f32(3, 5), f32(5, 7), f32(7)], activation="Relu")
op("FusedGemm", [f32(3, 5), f32(7, 5), f32(3, 1)], transB=1, alpha=0.5, beta=2.0, activation="LeakyRelu", activation_alpha=0.1)
op("FusedConv", [f32(1, 3, 7, 7), const(f32(4, 3, 3, 3)), const(f32(4))], activation="Relu", kernel_shape=[3, 3])
op("FusedConv", [f32(1, 3, 7, 7), const(f32(4, 3, 3, 3)), const(f32(4))], activation="Clip", activation_params=[-0.5, 0.5], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
op("FusedConv", [f32(1, 3, 7, 7), const(f32(4, 3, 3, 3)), const(f32(4)), f32(1, 4, 5, 5)], activation="Relu", kernel_shape=[3, 3])
for bits, block, k in [(4, 16, 32), (4, 32, 50), (8, 16, 32), (2, 16, 32)]:
    n, blocks = 5, -(-k // block)
    packed, scales = const(u8(n, blocks, block * bits // 8)), const(f32(n * blocks, lo=0.1))
    op("MatMulNBits", [f32(3, k), packed, scales], K=k, N=n, bits=bits, block_size=block)
    op("MatMulNBits", [f32(2, 3, k), packed, scales, const(u8(n * (-(-blocks * bits // 8))))], K=k, N=n, bits=bits, block_size=block)
op("MatMulNBits", [f32(3, 32), const(u8(5, 2, 8)), const(f32(10, lo=0.1)), const(f32(10, lo=6, hi=9))], K=32, N=5, bits=4, block_size=16)
op("MatMulNBits", [f32(3, 32), const(u8(5, 2, 8)), const(f32(10, lo=0.1)), None, None, const(f32(5))], K=32, N=5, bits=4, block_size=16)

# ---- activations and norms ----
op("Gelu", [f32(3, 17, lo=-4, hi=4)])
op("FastGelu", [f32(3, 17, lo=-4, hi=4)])
op("FastGelu", [f32(3, 17, lo=-4, hi=4), f32(17)])
op("BiasGelu", [f32(3, 17, lo=-4, hi=4), f32(17)])
op("QuickGelu", [f32(3, 17, lo=-4, hi=4)], alpha=1.702)
op("SimplifiedLayerNormalization", [f32(2, 3, 8), f32(8)], domain="", axis=-1, epsilon=1e-5)
op("LayerNormalization", [f32(2, 3, 8), f32(8), f32(8)], domain="", axis=-1)
op("SkipLayerNormalization", [f32(2, 3, 8), f32(2, 3, 8), f32(8), f32(8)], epsilon=1e-5)
op("SkipLayerNormalization", [f32(2, 3, 8), f32(2, 3, 8), f32(8), f32(8), f32(8)], outputs=4, without=(1, 2))
op("SkipSimplifiedLayerNormalization", [f32(2, 3, 8), f32(2, 3, 8), f32(8)], epsilon=1e-5)
op("EmbedLayerNormalization", [rng.randint(0, 9, (2, 5)).astype(np.int32), rng.randint(0, 2, (2, 5)).astype(np.int32), f32(9, 8), f32(5, 8), f32(2, 8), f32(8), f32(8),
                               np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)], outputs=2)

# ---- attention ----
B, S, P, N, H = 2, 3, 4, 2, 4
D = N * H
for extra in [dict(), dict(unidirectional=1), dict(scale=0.3)]:
    op("Attention", [f32(B, S, 5), f32(5, 3 * D), f32(3 * D)], num_heads=N, **extra)
op("Attention", [f32(B, S, 5), f32(5, 2 * D + 12), f32(2 * D + 12)], num_heads=N, qkv_hidden_sizes=[D, D, 12])
op("Attention", [f32(B, S, 5), f32(5, 3 * D), f32(3 * D), i32(2, 3)], num_heads=N)
op("Attention", [f32(B, S, 5), f32(5, 3 * D), f32(3 * D), i32(3, 2, 1, 0)], num_heads=N)
op("Attention", [f32(B, S, 5), f32(5, 3 * D), f32(3 * D), np.array([[1, 1, 0], [1, 1, 1]], np.int32)], num_heads=N)
op("Attention", [f32(B, S, 5), f32(5, 3 * D), f32(3 * D), (rng.rand(B, S, S) < 0.7).astype(np.int32)], num_heads=N)
op("Attention", [f32(B, S, 5), f32(5, 3 * D), f32(3 * D), None, f32(2, B, N, P, H)], outputs=2, num_heads=N, unidirectional=1)
op("Attention", [f32(B, S, 5), f32(5, 3 * D), f32(3 * D), None, None, f32(B, N, S, S)], num_heads=N)
for extra in [dict(), dict(unidirectional=1), dict(scale=0.3)]:
    op("MultiHeadAttention", [f32(B, S, D), f32(B, S, D), f32(B, S, D)], num_heads=N, **extra)
op("MultiHeadAttention", [f32(B, S, D), f32(B, 5, D), f32(B, 5, 6), f32(2 * D + 6)], num_heads=N)
op("MultiHeadAttention", [f32(B, S, D), f32(B, N, 5, H), f32(B, N, 5, H)], num_heads=N)
op("MultiHeadAttention", [f32(B, S, D), f32(B, 5, D), f32(B, 5, D), None, np.array([[1, 1, 0, 0, 1], [1, 1, 1, 1, 0]], np.int32)], num_heads=N)
op("MultiHeadAttention", [f32(B, S, D), f32(B, 5, D), f32(B, 5, D), None, i32(2, 5)], num_heads=N)
op("MultiHeadAttention", [f32(B, S, D), f32(B, S, D), f32(B, S, D), None, None, f32(1, N, S, P + S), f32(B, N, P, H), f32(B, N, P, H)], outputs=3, num_heads=N)
op("RotaryEmbedding", [f32(B, S, D), np.array([2], np.int64), f32(9, H // 2), f32(9, H // 2)])
op("RotaryEmbedding", [f32(B, S, D), rng.randint(0, 9, (B, S)), f32(9, H // 2), f32(9, H // 2)], interleaved=1)
op("RotaryEmbedding", [f32(B, N, S, H), rng.randint(0, 9, (B, S)), f32(9, H // 2), f32(9, H // 2)])
op("RotaryEmbedding", [f32(B, S, 16), np.array([0], np.int64), f32(9, 2), f32(9, 2)], num_heads=2, rotary_embedding_dim=4)

# ---- quantised ----
op("QuantizeLinear", [f32(3, 5, lo=-3, hi=3), const(np.float32(0.02)), const(np.uint8(120))])
op("QuantizeLinear", [f32(3, 5, lo=-3, hi=3), const(f32(5, lo=0.01, hi=0.1)), const(u8(5).astype(np.int8))], axis=1)
op("QuantizeLinear", [f32(3, 5, lo=-3, hi=3), const(np.float32(0.001)), const(np.uint16(30000))])
op("DequantizeLinear", [u8(3, 5), const(np.float32(0.02)), const(np.uint8(120))])
op("DequantizeLinear", [u8(3, 5).astype(np.int8), const(f32(3, lo=0.01, hi=0.1)), const(u8(3).astype(np.int8))], axis=0)
quant = [const(np.float32(0.02)), const(np.uint8(120))]
op("QLinearAdd", [u8(3, 5)] + quant + [u8(5)] + quant + [const(np.float32(0.05)), const(np.uint8(110))])
op("QLinearMul", [u8(3, 5)] + quant + [u8(3, 5)] + quant + [const(np.float32(0.05)), const(np.uint8(110))])
op("QLinearSigmoid", [u8(3, 5)] + quant + [const(np.float32(1 / 256)), const(np.uint8(0))])
op("QLinearLeakyRelu", [u8(3, 5)] + quant + quant, alpha=0.1)
op("QLinearSoftmax", [u8(3, 5)] + quant + [const(np.float32(1 / 256)), const(np.uint8(0))], axis=-1, opset=13)
op("QLinearGlobalAveragePool", [u8(2, 3, 5, 5)] + quant + quant)
op("QLinearConcat", quant + [u8(3, 5)] + quant + [u8(3, 4)] + [const(np.float32(0.03)), const(np.uint8(100))], axis=1)
op("MatMulIntegerToFloat", [u8(3, 5), const(u8(5, 7)), const(np.float32(0.02)), const(np.float32(0.01)), const(np.uint8(120)), const(np.uint8(130)), const(f32(7))])
op("DynamicQuantizeMatMul", [f32(3, 5), const(u8(5, 7)), const(np.float32(0.01)), const(np.uint8(130)), const(f32(7))])
op("QGemm", [u8(3, 5)] + quant + [const(u8(5, 7)), const(np.float32(0.01)), const(np.uint8(130)), const(rng.randint(-99, 99, 7).astype(np.int32)),
            const(np.float32(0.01)), const(np.uint8(128))])

# ---- others that stand for operators of the standard ----
op("ExpandDims", [f32(3, 5), const(np.int32(1))])
op("Inverse", [f32(2, 3, 3) + 2 * np.eye(3, dtype=np.float32)])
op("Trilu", [f32(2, 4, 5), const(np.int64(1))], upper=0)
op("GatherND", [f32(3, 4, 5), const(np.array([[0, 1], [2, 3]], np.int64))])
op("Pad", [f32(3, 4), const(np.array([1, 0, 0, 2], np.int64)), const(np.array([0.5], np.float32))], mode="constant")
op("Range", [const(np.float32(1)), const(np.float32(6)), const(np.float32(0.5))])

store(os.path.join(HERE, "onnx-microsoft.npz"), members)
print("%d cases" % len(names))
