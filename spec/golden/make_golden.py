#!/usr/bin/env python3
"""Golden data: small models of OpenVINO operations with inputs and OpenVINO's own outputs, for golden_spec.lua.

    python make_golden.py [name of a family ...]        needs PyPI's openvino and numpy; `make golden` gets them

Writes one .npz a family beside this file. A case CASE has the members CASE/xml and CASE/bin (bytes of the IR), CASE/open (the same model with every
dimension of its inputs open, where OpenVINO agrees with itself on it), CASE/in_0..., CASE/out_0... and CASE/bound (where the bound is not 1e-4).

A case is one line: op(type, opset, inputs, attributes). An input that is an array is a Parameter; const(array) is a constant. Values stay away
from what ovlite decides otherwise than OpenVINO's CPU on purpose: out-of-range conversions, integers beyond 32 bits, f64.
"""
import io
import os
import pickle
import re
import sys
import tempfile
import textwrap
import zipfile

import numpy as np
import openvino as ov
from openvino import opset13 as o13
from openvino.utils.node_factory import NodeFactory

HERE = os.path.dirname(os.path.abspath(__file__))
CORE = ov.Core()
families, current, firsts = {}, None, {}
factories = {n: NodeFactory("opset%d" % n) for n in range(1, 17)}
rng = np.random.RandomState(0)


# ---- data; every family starts from the same seed ----
def f32(*shape, lo=-1.0, hi=1.0):
    return (lo + (hi - lo) * rng.rand(*shape)).astype(np.float32)


def ints(*shape, lo=-10, hi=11, t=np.int32):
    return rng.randint(lo, hi, shape).astype(t)


def bools(*shape):
    return rng.rand(*shape) < 0.5


def distinct(*shape):
    """No two elements are equal, so that orders are unambiguous."""
    n = int(np.prod(shape))
    return ((rng.permutation(n) - n / 2) / 8).astype(np.float32).reshape(shape)


def i64(*values):
    return np.array(values, np.int64)


class const:
    def __init__(self, value, dtype=None):
        self.value = np.array(value, dtype)

    def node(self):
        made = o13.constant(self.value)
        return o13.convert(made, self.kind) if isinstance(self, through) else made


class through(const):
    """A constant or Parameter that a Convert brings to a type that numpy has not."""
    def __init__(self, value, kind, constant):
        self.value, self.kind, self.constant = np.array(value), kind, constant


class bits(const):
    """A constant of single bits."""
    def __init__(self, *shape):
        self.shape, self.value = shape, np.packbits(bools(*shape).reshape(-1), bitorder="little")

    def node(self):
        return ov.op.Constant(ov.Tensor(self.value, ov.Shape(self.shape), ov.Type.u1))


def ci(*values):
    return const(np.array(values, np.int64))


def cs(value, dtype=np.int64):
    return const(np.array(value, dtype))


# ---- cases ----
def family(name):
    global current
    current = families.setdefault(name, [])
    rng.seed(1)


def op(kind, opset, inputs, bound=None, open=True, outputs=None, **attributes):
    """One operation. outputs: which of them count, where the others are unspecified."""
    def build(*args):
        node = factories[opset].create(kind, [a.output(0) for a in args], attributes)
        return [node.output(i) for i in (outputs or range(node.get_output_size()))]
    current.append(("%s-%d" % (kind, opset), build, inputs, bound, open))
    firsts.setdefault((kind, opset), current[-1])


def graph(name, build, inputs, bound=None, open=True):
    """A model of several operations: build(*nodes) gives an output or a list of them."""
    current.append((name, build, inputs, bound, open))


WIDE = {"bf16": "f32", "i4": "i8", "u4": "u8", "f8e4m3": "f32", "f8e5m2": "f32", "nf4": "f32"}  # what numpy has not leaves the model as


def is_constant(x):
    return isinstance(x, const) and not (isinstance(x, through) and not x.constant)


def real_value(x):
    return x.value if isinstance(x, through) else x


def model_of(build, inputs, opened):
    parameters, args = [], []
    for i, x in enumerate(inputs):
        if is_constant(x):
            args.append(x.node())
            continue
        value = real_value(x)
        parameters.append(o13.parameter(ov.PartialShape([-1] * value.ndim if opened else list(value.shape)), ov.Type.string if value.dtype.kind == "U" else ov.Type(value.dtype), name="x%d" % i))
        args.append(o13.convert(parameters[-1], x.kind) if isinstance(x, through) else parameters[-1])
    results = build(*args)
    sinks = []
    if isinstance(results, tuple):
        results, sinks = results
    results = results if isinstance(results, list) else [results]
    results = [o13.convert(r, WIDE[t]) if (t := r.get_element_type().get_type_name()) in WIDE else r for r in results]
    return ov.Model([o13.result(r) for r in results], sinks, parameters, "golden")


def serialised(model):
    with tempfile.TemporaryDirectory() as folder:
        ov.serialize(model, folder + "/m.xml", folder + "/m.bin")
        with open(folder + "/m.xml", "rb") as x, open(folder + "/m.bin", "rb") as b:
            return x.read(), b.read()


def answers(model, inputs):
    request = CORE.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": "1"}).create_infer_request()
    out = request.infer([real_value(x) for x in inputs if not is_constant(x)])
    return [np.array(out[i]) for i in range(len(model.outputs))]


def bytes_of(data):
    return np.frombuffer(data, np.uint8)


def make_case(key, build, inputs, bound, opened, note):
    note("")
    model = model_of(build, inputs, False)
    xml, weights = serialised(model)
    want = answers(model, inputs)
    members = {key + "/xml": bytes_of(xml), key + "/bin": bytes_of(weights)}
    real = [real_value(x) for x in inputs if not is_constant(x)]
    members.update(("%s/in_%d" % (key, i), x) for i, x in enumerate(real))
    members.update(("%s/out_%d" % (key, i), x) for i, x in enumerate(want))
    if bound:
        members[key + "/bound"] = np.array([bound])
    if opened and sum(x.ndim for x in real):
        note("open")
        try:
            model = model_of(build, inputs, True)
            again = answers(model, inputs)
            if all(a.shape == b.shape and np.allclose(a, b, 1e-4, 1e-5, equal_nan=True) for a, b in zip(want, again)):
                members[key + "/open"] = bytes_of(serialised(model)[0])
        except Exception:
            pass  # OpenVINO needs these shapes
    return members


def child(cases, log):
    """Answers to each of the cases, one record each in the file `log`."""
    for key, build, inputs, bound, opened in cases:
        def note(what):
            pickle.dump(("try", key, what), log)
            log.flush()
        try:
            record = ("done", key, make_case(key, build, inputs, bound, opened, note))
        except Exception as e:
            record = ("failed", key, str(e).replace("\n", " ")[-300:])
        pickle.dump(record, log)
        log.flush()


def records(path):
    with open(path, "rb") as f:
        while True:
            try:
                yield pickle.load(f)
            except EOFError:
                return


def make(cases, path):
    """In a child, since OpenVINO may crash: then a new one goes on at that case; without its open form when that was it, else without it."""
    members, failed, todo, tried = {}, [], list(cases), None
    while todo:
        pid = os.fork()
        if pid == 0:
            with open(path, "wb") as log:
                child(todo, log)
            os._exit(0)
        os.waitpid(pid, 0)
        what = {}
        for kind, key, value in records(path):
            if kind == "try":
                what[key] = value
                continue
            members.update(value if kind == "done" else {})
            failed += [(key, value)] if kind == "failed" else []
            todo.pop(0)
        if todo:
            key = todo[0][0]
            if key == tried:  # alone, in a fresh process
                if what.get(key) == "open" and todo[0][4]:
                    todo[0] = todo[0][:4] + (False,)
                else:
                    failed.append((key, "OpenVINO crashes"))
                    todo.pop(0)
            tried = key
    return members, failed


def store(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for key, value in members.items():
            buffer = io.BytesIO()
            np.save(buffer, np.ascontiguousarray(value) if value.ndim else value)
            z.writestr(zipfile.ZipInfo(key + ".npy", (2020, 1, 1, 0, 0, 0)), buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)


# ---- element by element ----
family("eltwise")
for kind, opset, lo, hi in [("Abs", 1, -3, 3), ("Acos", 1, -1, 1), ("Asin", 1, -1, 1), ("Atan", 1, -3, 3), ("Ceiling", 1, -3, 3), ("Cos", 1, -3, 3), ("Cosh", 1, -3, 3),
                            ("Erf", 1, -3, 3), ("Exp", 1, -3, 3), ("Floor", 1, -3, 3), ("Log", 1, 0.1, 4), ("Negative", 1, -3, 3), ("Relu", 1, -3, 3),
                            ("Sigmoid", 1, -6, 6), ("Sign", 1, -3, 3), ("Sin", 1, -3, 3), ("Sinh", 1, -3, 3), ("Sqrt", 1, 0, 4), ("Tan", 1, -1.2, 1.2), ("Tanh", 1, -4, 4),
                            ("Gelu", 2, -4, 4), ("Acosh", 4, 1, 5), ("Asinh", 4, -3, 3), ("Atanh", 4, -0.9, 0.9), ("HSwish", 4, -5, 5), ("Mish", 4, -5, 5),
                            ("SoftPlus", 4, -5, 5), ("HSigmoid", 5, -5, 5), ("SoftSign", 9, -5, 5)]:
    op(kind, opset, [f32(3, 5, 7, lo=lo, hi=hi)])
    op(kind, opset, [f32(1, 3, 2, 19, lo=lo, hi=hi)])
for kind in ["Abs", "Negative", "Relu", "Sign"]:
    op(kind, 1, [ints(3, 37)])
for kind in ["IsFinite", "IsInf", "IsNaN"]:
    op(kind, 10, [np.array([[1, np.inf, -np.inf], [np.nan, 0, -2]], np.float32)])
op("IsInf", 10, [np.array([1, np.inf, -np.inf, np.nan], np.float32)], detect_negative=False)
op("IsInf", 10, [np.array([1, np.inf, -np.inf, np.nan], np.float32)], detect_positive=False)
op("LogicalNot", 1, [bools(3, 7)])
op("Round", 5, [np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, -2.6], np.float32)], mode="half_to_even")
op("Round", 5, [np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, -2.6], np.float32)], mode="half_away_from_zero")
op("Gelu", 7, [f32(3, 33, lo=-4, hi=4)], approximation_mode="ERF")
op("Gelu", 7, [f32(3, 33, lo=-4, hi=4)], approximation_mode="TANH")
op("Elu", 1, [f32(3, 33, lo=-4, hi=4)], alpha=0.7)
op("Elu", 1, [f32(2, 3, 5, lo=-4, hi=4)], alpha=1.0)
op("Clamp", 1, [f32(3, 33, lo=-4, hi=4)], min=-1.5, max=2.25)
op("Clamp", 1, [ints(3, 33)], min=-3.0, max=5.0)
op("Swish", 4, [f32(3, 33, lo=-4, hi=4)])
op("Swish", 4, [f32(3, 33, lo=-4, hi=4), cs(0.7, np.float32)])
op("HardSigmoid", 1, [f32(3, 33, lo=-4, hi=4), cs(0.2, np.float32), cs(0.4, np.float32)])
op("Selu", 1, [f32(3, 33, lo=-4, hi=4), cs(1.6, np.float32), cs(1.05, np.float32)])
op("PRelu", 1, [f32(2, 5, 7), const(f32(5))])
op("PRelu", 1, [f32(2, 5, 7), const(f32(1))])
op("PRelu", 1, [f32(2, 5, 3, 4), f32(1, 5, 1, 1)])
BINARY = ["Add", "Subtract", "Multiply", "Maximum", "Minimum", "SquaredDifference"]
for kind in BINARY + ["Divide", "Power", "FloorMod", "Mod"]:
    lo, hi = (0.5, 3) if kind in ("Divide", "Power", "FloorMod", "Mod") else (-2, 2)
    op(kind, 1, [f32(2, 3, 5, lo=lo, hi=hi), f32(2, 3, 5, lo=lo, hi=hi)])
    op(kind, 1, [f32(2, 3, 1, 7, lo=lo, hi=hi), f32(5, 1, lo=lo, hi=hi)])
    op(kind, 1, [f32(17, lo=lo, hi=hi), cs(2.5, np.float32)])
    op(kind, 1, [f32(3, 5, lo=lo, hi=hi), f32(3, 5, lo=lo, hi=hi)], auto_broadcast="none")
for kind in BINARY:
    op(kind, 1, [ints(3, 11), ints(1, 11)])
op("Add", 1, [f32(2, 3, 4, 5), f32(3, 4)], auto_broadcast="pdpd")
op("Divide", 1, [ints(3, 11, lo=0, hi=20), ints(3, 11, lo=1, hi=5)])  # the CPU truncates, the operation's definition (and ovlite) floors
op("Divide", 1, [ints(3, 11, lo=-20, hi=20), ints(3, 11, lo=1, hi=5)], m_pythondiv=False)
op("FloorMod", 1, [ints(3, 11, lo=-20, hi=20), ints(3, 11, lo=1, hi=5)])
op("Mod", 1, [ints(3, 11, lo=-20, hi=20), ints(3, 11, lo=1, hi=5)])
op("FloorMod", 1, [f32(3, 11, lo=-5, hi=5), cs(1.5, np.float32)])
op("Mod", 1, [f32(3, 11, lo=-5, hi=5), cs(1.5, np.float32)])
op("Power", 1, [f32(3, 11, lo=-5, hi=5), cs(2.0, np.float32)])
for kind in ["Equal", "NotEqual", "Greater", "GreaterEqual", "Less", "LessEqual"]:
    op(kind, 1, [ints(3, 11, lo=0, hi=4), ints(3, 11, lo=0, hi=4)])
    op(kind, 1, [ints(2, 3, 5, lo=0, hi=4).astype(np.float32), ints(3, 1, lo=0, hi=4).astype(np.float32)])
for kind in ["LogicalAnd", "LogicalOr", "LogicalXor"]:
    op(kind, 1, [bools(3, 11), bools(3, 11)])
    op(kind, 1, [bools(2, 3, 5), bools(5)])
for kind in ["BitwiseAnd", "BitwiseOr", "BitwiseXor"]:
    op(kind, 13, [ints(3, 11), ints(3, 11)])
    op(kind, 13, [ints(3, 11, lo=0, hi=200, t=np.uint8), ints(11, lo=0, hi=200, t=np.uint8)])
    op(kind, 13, [bools(3, 11), bools(3, 11)])
op("BitwiseNot", 13, [ints(3, 11)])
op("BitwiseNot", 13, [bools(3, 11)])
op("BitwiseLeftShift", 15, [ints(3, 11, lo=0, hi=100), ints(11, lo=0, hi=5)])
op("BitwiseRightShift", 15, [ints(3, 11, lo=0, hi=1000), ints(3, 11, lo=0, hi=5)])
op("Select", 1, [bools(2, 3, 5), f32(2, 3, 5), f32(2, 3, 5)])
op("Select", 1, [bools(3, 1), f32(2, 3, 5), f32(5)])
op("Select", 1, [bools(2, 3), ints(2, 3), ints(2, 3)], auto_broadcast="none")
for to in ["f16", "i32", "u8", "i8", "i64", "boolean", "f32"]:
    op("Convert", 1, [f32(3, 11, lo=0, hi=100)], destination_type=to)
op("Convert", 1, [ints(3, 11)], destination_type="f32")
op("Convert", 1, [ints(3, 11, lo=0, hi=200, t=np.uint8)], destination_type="f32")
op("ConvertLike", 1, [f32(3, 11, lo=0, hi=100), ints(2)])
op("ConvertPromoteTypes", 14, [ints(3, 5), f32(3, 5)])
op("ConvertPromoteTypes", 14, [ints(3, 5), f32(3, 5).astype(np.float16)], promote_unsafe=True)
op("ConvertPromoteTypes", 14, [ints(3, 5, t=np.int8), ints(3, 5, lo=0, t=np.uint8)])
for levels in [256, 16, 2]:
    op("FakeQuantize", 1, [f32(2, 3, 5, 7, lo=-2, hi=2), cs(-1, np.float32), cs(1, np.float32), cs(0, np.float32), cs(3, np.float32)], levels=levels)
op("FakeQuantize", 1, [f32(2, 3, 5, 7, lo=-2, hi=2), const(f32(1, 3, 1, 1, lo=-2, hi=-1)), const(f32(1, 3, 1, 1, lo=1, hi=2)), cs(-1, np.float32), cs(1, np.float32)], levels=64)
op("FakeConvert", 13, [f32(3, 11, lo=-4, hi=4), cs(1, np.float32)], destination_type="f8e4m3")
op("FakeConvert", 13, [f32(3, 11, lo=-4, hi=4), cs(2, np.float32), cs(0.5, np.float32)], destination_type="f8e5m2")
op("Identity", 16, [f32(3, 7)])
op("ShapeOf", 1, [f32(3, 7, 1)])
op("ShapeOf", 3, [f32(3, 7, 1)], output_type="i32")
op("ShapeOf", 3, [f32(2, 7)], output_type="i64")

# ---- reductions, sorting, scans, tables ----
family("reduce")
for kind in ["ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceL1", "ReduceL2"]:
    v = 4 if kind in ("ReduceL1", "ReduceL2") else 1
    op(kind, v, [f32(2, 3, 5, 7), ci(1)], keep_dims=True)
    op(kind, v, [f32(2, 3, 5, 7), ci(2, 3)], keep_dims=True)
    op(kind, v, [f32(2, 3, 5, 7), ci(-1)], keep_dims=False)
    op(kind, v, [f32(2, 3, 35), ci(0, 2)], keep_dims=False)
    op(kind, v, [f32(3, 19), ci(0, 1)], keep_dims=False)
for kind in ["ReduceMax", "ReduceMin", "ReduceSum", "ReduceProd"]:
    op(kind, 1, [ints(3, 7, lo=-3, hi=4), ci(1)], keep_dims=False)
for kind in ["ReduceLogicalAnd", "ReduceLogicalOr"]:
    op(kind, 1, [bools(3, 4, 2), ci(2)], keep_dims=True)
    op(kind, 1, [bools(3, 4, 2), ci(0, 2)], keep_dims=False)
for mode in ["max", "min"]:
    op("TopK", 1, [distinct(3, 17), cs(4)], axis=1, mode=mode, sort="value", index_element_type="i32")
    for v in [1, 3, 11]:
        op("TopK", v, [distinct(3, 9, 5), cs(3)], axis=1, mode=mode, sort="value", index_element_type="i32")
        op("TopK", v, [distinct(3, 9, 5), cs(1)], axis=-1 if v > 1 else 2, mode=mode, sort="index", index_element_type="i32")
op("TopK", 3, [distinct(2, 40), cs(40)], axis=1, mode="max", sort="value", index_element_type="i64")
op("TopK", 11, [ints(3, 19, lo=0, hi=5).astype(np.float32), cs(7)], axis=1, mode="max", sort="value", index_element_type="i32", stable=True)
op("CumSum", 3, [f32(3, 5, 7), cs(1)])
op("CumSum", 3, [f32(3, 5, 7), cs(-1)], exclusive=True)
op("CumSum", 3, [f32(3, 5, 7), cs(0)], reverse=True)
op("CumSum", 3, [ints(3, 7), cs(1)], reverse=True, exclusive=True)
for right in [True, False]:
    op("Bucketize", 3, [f32(3, 11, lo=-2, hi=2), const(np.array([-1, 0, 0.5, 1.5], np.float32))], output_type="i32", with_right_bound=right)
    op("Bucketize", 3, [ints(3, 11), const(np.array([-5, 0, 3], np.int32))], output_type="i64", with_right_bound=right)
    op("SearchSorted", 15, [np.sort(f32(3, 9)), f32(3, 5)], right_mode=right)
    op("SearchSorted", 15, [np.sort(f32(9)), f32(2, 5)], right_mode=right)
for v, axis in [(1, 1), (1, 2), (8, -1), (8, 0), (8, 1)]:
    op("Softmax", v, [f32(3, 5, 19, lo=-4, hi=4)], axis=axis)
    op("Softmax", v, [f32(2, 3, 5, 4, lo=-4, hi=4)], axis=axis)
op("LogSoftmax", 5, [f32(3, 5, 19, lo=-4, hi=4)], axis=-1)
op("LogSoftmax", 5, [f32(3, 5, 19, lo=-4, hi=4)], axis=1)
op("NonZero", 3, [ints(3, 7, lo=0, hi=2)], output_type="i64")
op("NonZero", 3, [ints(3, 2, 5, lo=0, hi=2).astype(np.float32)], output_type="i32")
op("Unique", 10, [ints(17, lo=0, hi=6)], index_element_type="i32", count_element_type="i32")
op("Unique", 10, [ints(3, 7, lo=0, hi=6)], sorted=False)
op("Unique", 10, [ints(5, 2, lo=0, hi=2), cs(0)], sorted=True)
op("OneHot", 1, [ints(3, 5, lo=0, hi=7), cs(7), cs(1.5, np.float32), cs(-0.5, np.float32)], axis=-1)
op("OneHot", 1, [ints(3, 5, lo=0, hi=7), cs(7), cs(2, np.int32), cs(0, np.int32)], axis=0)
op("OneHot", 1, [ints(5, lo=0, hi=9), cs(6), cs(1, np.float32), cs(0, np.float32)], axis=1)
op("Eye", 9, [cs(4), cs(6), cs(1)], output_type="f32")
op("Eye", 9, [cs(4), cs(3), cs(-1), ci(2, 1)], output_type="i32")
op("Range", 1, [np.array(1, np.float32), np.array(7, np.float32), np.array(1.5, np.float32)])
op("Range", 1, [cs(3, np.int32), cs(-8, np.int32), cs(-2, np.int32)])
op("Range", 4, [np.array(1, np.int32), np.array(9, np.int32), np.array(3, np.int32)], output_type="i32")
op("Range", 4, [cs(0, np.float32), cs(3, np.float32), cs(0.5, np.float32)], output_type="f32")
for v, kind in [(3, "EmbeddingBagOffsetsSum"), (15, "EmbeddingBagOffsets")]:
    for reduction in (["sum", "mean"] if v == 15 else [None]):
        a = dict(reduction=reduction) if reduction else {}
        op(kind, v, [f32(7, 5), ints(8, lo=0, hi=7), const(np.array([0, 3, 3, 6], np.int32))], **a)
        op(kind, v, [f32(7, 5), ints(8, lo=0, hi=7), const(np.array([0, 3, 3, 6], np.int32)), cs(2, np.int32)], **a)
    op(kind, v, [f32(7, 5), ints(8, lo=0, hi=7), const(np.array([0, 3, 3, 6], np.int32)), cs(-1, np.int32), f32(8)])
for v, kind in [(3, "EmbeddingBagPackedSum"), (15, "EmbeddingBagPacked")]:
    op(kind, v, [f32(7, 5), ints(4, 3, lo=0, hi=7)])
    op(kind, v, [f32(7, 2, 3), ints(4, 3, lo=0, hi=7), f32(4, 3)])
op("EmbeddingBagPacked", 15, [f32(7, 5), ints(4, 3, lo=0, hi=7)], reduction="mean")
segments = const(np.array([0, 0, 1, 3, 3], np.int32))
op("EmbeddingSegmentsSum", 3, [f32(7, 5), ints(5, lo=0, hi=7), segments, cs(5, np.int32)])
op("EmbeddingSegmentsSum", 3, [f32(7, 5), ints(5, lo=0, hi=7), segments, cs(4, np.int32), cs(1, np.int32), f32(5)])

# ---- shapes and moving data ----
family("move")
op("Reshape", 1, [f32(2, 3, 5), ci(0, -1)], special_zero=True)
op("Reshape", 1, [f32(2, 3, 5), ci(5, 6)], special_zero=False)
op("Reshape", 1, [ints(4, 3), ci(2, -1, 3)], special_zero=False)
op("Squeeze", 1, [f32(1, 3, 1, 5), ci(0, 2)])
op("Squeeze", 1, [f32(1, 3, 1, 5)], open=False)
op("Squeeze", 15, [f32(1, 3, 1, 5), ci(-2)])
op("Squeeze", 15, [f32(1, 3, 1, 5), ci(0, 1)], open=False, allow_axis_skip=True)
op("Unsqueeze", 1, [f32(3, 5), ci(0, -1)])
op("Transpose", 1, [f32(2, 3, 5, 7), ci(0, 2, 3, 1)])
op("Transpose", 1, [f32(2, 3, 5), ci(2, 1, 0)])
op("Transpose", 1, [ints(3, 17), const(np.array([], np.int64))])
op("Concat", 1, [f32(2, 3, 5), f32(2, 1, 5), f32(2, 4, 5)], axis=1)
op("Concat", 1, [ints(2, 3), ints(2, 5)], axis=-1)
op("Split", 1, [f32(2, 6, 5), cs(1)], num_splits=3)
op("Split", 1, [ints(4, 6), cs(-1)], num_splits=2)
op("VariadicSplit", 1, [f32(2, 7, 5), cs(1), ci(2, -1, 1)])
op("VariadicSplit", 1, [f32(9, 2), cs(0), ci(4, 5)])
op("Tile", 1, [f32(2, 3, 5), ci(1, 3, 2)])
op("Tile", 1, [ints(2, 3), ci(2, 1, 2)])
op("Broadcast", 1, [f32(3, 1), ci(2, 3, 5)], mode="numpy")
op("Broadcast", 1, [f32(3, 5), ci(3, 2, 5), ci(0, 2)], mode="explicit")
op("Broadcast", 3, [f32(3, 1), ci(2, 3, 5)], mode="numpy")
op("Broadcast", 3, [f32(3, 4), ci(1, 4)], mode="bidirectional")
op("Broadcast", 3, [ints(5), ci(5, 2, 3), ci(0)], mode="explicit")
for mode in ["constant", "edge", "reflect", "symmetric"]:
    op("Pad", 1, [f32(2, 5, 7), ci(0, 2, 1), ci(1 if mode == "constant" else 0, 1, 3)], pad_mode=mode)
    op("Pad", 12, [f32(1, 2, 5, 7), ci(0, 1, 2, 3), ci(0, 0, 1, 4)], pad_mode=mode)
op("Pad", 1, [f32(3, 7), ci(1, 2), ci(0, 3), cs(2.5, np.float32)], pad_mode="constant")
op("Pad", 12, [f32(3, 7), ci(-1, 2), ci(0, -3), cs(2.5, np.float32)], pad_mode="constant")
op("Pad", 12, [ints(3, 7), ci(0, -2), ci(1, 3), cs(9, np.int32)], pad_mode="constant")
op("StridedSlice", 1, [f32(4, 7, 5), ci(1, 0, 0), ci(3, 0, 5), ci(1, 2, 1)], begin_mask=[0, 1, 1], end_mask=[0, 1, 1])
op("StridedSlice", 1, [f32(4, 7, 5), ci(0, -1, 0), ci(0, 0, 1), ci(1, -2, 1)], begin_mask=[1, 0, 1], end_mask=[1, 1, 0], shrink_axis_mask=[0, 0, 1])
op("StridedSlice", 1, [f32(4, 7, 5), ci(0, 0, 1), ci(0, 0, 3), ci(1, 1, 1)], begin_mask=[1, 1, 0], end_mask=[1, 1, 0], new_axis_mask=[1, 0, 0], ellipsis_mask=[0, 1, 0])
op("StridedSlice", 1, [ints(4, 7), ci(1, 0), ci(4, 7)], begin_mask=[0, 0], end_mask=[0, 0])
op("Slice", 8, [f32(4, 7, 5), ci(1, -1), ci(4, -100), ci(2, -2), ci(0, 1)])
op("Slice", 8, [f32(9, 3), ci(2), ci(1000), ci(3)])
op("Slice", 8, [f32(4, 7, 5), i64(1), i64(3), i64(1), ci(-1)])
op("SliceScatter", 15, [f32(4, 7, 5), f32(2, 7, 5), ci(1), ci(3), ci(1), ci(0)])
op("SliceScatter", 15, [f32(4, 7), f32(4, 3), ci(6), ci(0), ci(-2), ci(1)])
for t in [np.int32, np.int64]:
    op("Gather", 1, [f32(5, 7), ints(2, 3, lo=0, hi=5, t=t), cs(0)])
    op("Gather", 7, [f32(3, 7, 5), ints(3, 4, lo=0, hi=7, t=t), cs(1)], batch_dims=1)
    op("Gather", 8, [f32(3, 7, 5), ints(2, lo=-5, hi=5, t=t), cs(-1)], batch_dims=0)
op("Gather", 8, [f32(7, 33), cs(3), cs(0)])
op("GatherElements", 6, [f32(3, 7), ints(3, 4, lo=0, hi=7)], axis=1)
op("GatherElements", 6, [f32(5, 3, 2), ints(2, 3, 2, lo=0, hi=5)], axis=0)
for v in [5, 8]:
    op("GatherND", v, [f32(3, 5, 7), ints(4, 2, lo=0, hi=3)], batch_dims=0)
    op("GatherND", v, [f32(3, 5, 7), ints(3, 2, 1, lo=0, hi=5)], batch_dims=1)
    op("GatherND", v, [f32(2, 3, 5, 7), ints(2, 3, 4, 1, lo=0, hi=5)], batch_dims=2)
op("GatherTree", 1, [ints(5, 2, 3, lo=1, hi=9), ints(5, 2, 3, lo=0, hi=3), const(np.array([5, 4], np.int32)), cs(9, np.int32)])
op("GatherTree", 1, [ints(4, 1, 2, lo=1, hi=9).astype(np.float32), ints(4, 1, 2, lo=0, hi=2).astype(np.float32), const(np.array([4], np.float32)), cs(3, np.float32)])
op("ScatterUpdate", 3, [f32(5, 7), const(np.array([3, 0])), f32(2, 7), cs(0)])
op("ScatterUpdate", 3, [f32(3, 5, 2), const(np.array([[4, 1]])), f32(3, 1, 2, 2), cs(1)])
op("ScatterElementsUpdate", 3, [f32(3, 5), const(np.array([[1, 0, 2], [0, 2, 1]])), f32(2, 3), cs(0)])
for reduction in ["none", "sum", "prod", "min", "max", "mean"]:
    for init in [True, False]:
        if reduction != "none" or init:
            index = np.array([[1, 3, 1, 4]] * 3) if reduction != "none" else np.array([[1, 3, 0, 4]] * 3)
            op("ScatterElementsUpdate", 12, [f32(3, 5), const(index), f32(3, 4), cs(1)], reduction=reduction, use_init_val=init)
op("ScatterNDUpdate", 4, [f32(4, 5, 3), const(np.array([[1], [3]])), f32(2, 5, 3)])
op("ScatterNDUpdate", 4, [f32(4, 5), const(np.array([[1, 2], [3, 0], [0, 4]])), f32(3)])
for reduction in ["none", "sum", "sub", "prod", "min", "max"]:
    op("ScatterNDUpdate", 15, [f32(4, 5), const(np.array([[1, 2], [3, 0], [0, 4]])), f32(3)], reduction=reduction)
op("Roll", 7, [f32(3, 5, 7), ci(1, -2), ci(0, 2)])
op("Roll", 7, [ints(4, 5), ci(3), ci(-1)])
op("Reverse", 1, [f32(3, 5, 7), ci(0, 2)], mode="index")
op("Reverse", 1, [f32(3, 5), const(np.array([False, True]))], mode="mask")
op("ReverseSequence", 1, [f32(3, 5, 2), const(np.array([2, 5, 3], np.int32))], batch_axis=0, seq_axis=1)
op("ReverseSequence", 1, [f32(4, 3, 2), const(np.array([4, 1, 3], np.int32))], batch_axis=1, seq_axis=0)
op("ShuffleChannels", 1, [f32(2, 6, 3, 5)], axis=1, group=3)
op("ShuffleChannels", 3, [f32(2, 3, 5, 8)], axis=-1, group=2)
for mode in ["blocks_first", "depth_first"]:
    op("DepthToSpace", 1, [f32(2, 12, 3, 5)], mode=mode, block_size=2)
    op("SpaceToDepth", 1, [f32(2, 3, 6, 9)], mode=mode, block_size=3)
    op("DepthToSpace", 1, [f32(1, 16, 2, 3, 2)], mode=mode, block_size=2)
op("BatchToSpace", 2, [f32(6, 3, 4, 5), ci(1, 1, 2, 3), ci(0, 0, 1, 0), ci(0, 0, 0, 2)])
op("SpaceToBatch", 2, [f32(2, 3, 4, 5), ci(1, 1, 2, 3), ci(0, 0, 1, 0), ci(0, 0, 1, 1)])
op("ExtractImagePatches", 3, [f32(1, 2, 9, 8)], sizes=[3, 3], strides=[2, 2], rates=[1, 1], auto_pad="valid")
op("ExtractImagePatches", 3, [f32(1, 2, 9, 8)], sizes=[2, 3], strides=[3, 2], rates=[2, 1], auto_pad="same_upper")
op("ExtractImagePatches", 3, [f32(2, 1, 7, 8)], sizes=[3, 2], strides=[2, 2], rates=[1, 1], auto_pad="same_lower")
op("Col2Im", 15, [f32(1, 12, 20), ci(5, 6), ci(2, 2)], strides=[1, 1], dilations=[1, 1], pads_begin=[0, 0], pads_end=[0, 0])
op("Col2Im", 15, [f32(2, 18, 9), ci(5, 6), ci(3, 3)], strides=[2, 2], dilations=[1, 1], pads_begin=[1, 1], pads_end=[1, 0])

# ---- convolutions, products, pooling ----
family("conv")
for n, (strides, pads, dilations) in enumerate([([1, 1], [0, 0], [1, 1]), ([2, 1], [1, 2], [1, 1]), ([1, 1], [1, 1], [2, 2])]):
    a = dict(strides=strides, pads_begin=pads, pads_end=pads, dilations=dilations)
    op("Convolution", 1, [f32(2, 3, 9, 11), const(f32(5, 3, 3, 3))], **a)
    op("Convolution", 1, [f32(1, 17, 9, 11), const(f32(33, 17, 3, 3))], **a)
    op("Convolution", 1, [f32(1, 16, 7, 7), f32(4, 16, 3, 1)], **a)
    op("GroupConvolution", 1, [f32(2, 6, 9, 11), const(f32(3, 4, 2, 3, 3))], **a)
    op("GroupConvolution", 1, [f32(1, 19, 9, 11), const(f32(19, 1, 1, 3, 3))], **a)
    op("ConvolutionBackpropData", 1, [f32(2, 3, 5, 7), const(f32(3, 5, 3, 3))], **a)
    op("GroupConvolutionBackpropData", 1, [f32(1, 6, 5, 7), const(f32(3, 2, 4, 3, 3))], **a)
for auto in ["same_upper", "same_lower", "valid"]:
    a = dict(strides=[2, 2], pads_begin=[0, 0], pads_end=[0, 0], dilations=[1, 1], auto_pad=auto)
    op("Convolution", 1, [f32(1, 3, 9, 12), const(f32(4, 3, 3, 2))], **a)
    op("GroupConvolution", 1, [f32(1, 4, 9, 12), const(f32(2, 2, 2, 3, 2))], **a)
    op("ConvolutionBackpropData", 1, [f32(1, 3, 5, 7), const(f32(3, 4, 3, 3))], **a)
op("Convolution", 1, [f32(2, 3, 31), const(f32(7, 3, 5))], strides=[2], pads_begin=[2], pads_end=[1], dilations=[1])
op("Convolution", 1, [f32(1, 3, 5, 6, 7), const(f32(4, 3, 3, 2, 3))], strides=[1, 2, 1], pads_begin=[1, 0, 1], pads_end=[1, 1, 0], dilations=[1, 1, 1])
op("ConvolutionBackpropData", 1, [f32(1, 3, 5, 7), const(f32(3, 4, 3, 3)), ci(10, 14)], strides=[2, 2], pads_begin=[0, 0], pads_end=[0, 0], dilations=[1, 1], auto_pad="same_upper")
op("ConvolutionBackpropData", 1, [f32(1, 3, 5, 7), const(f32(3, 4, 3, 3))], strides=[2, 2], pads_begin=[1, 1], pads_end=[1, 1], dilations=[1, 1], output_padding=[1, 0])
op("ConvolutionBackpropData", 1, [f32(2, 3, 9), const(f32(3, 4, 4))], strides=[2], pads_begin=[1], pads_end=[1], dilations=[1])
op("GroupConvolutionBackpropData", 1, [f32(1, 4, 5, 7), const(f32(4, 1, 1, 3, 3))], strides=[2, 2], pads_begin=[1, 1], pads_end=[1, 1], dilations=[1, 1], output_padding=[1, 1])
for pad_value in [0.0, 1.0, -1.0]:
    op("BinaryConvolution", 1, [ints(1, 16, 6, 7, lo=0, hi=2).astype(np.float32), bits(3, 16, 3, 3)], strides=[1, 1], pads_begin=[1, 1], pads_end=[1, 1], dilations=[1, 1],
       mode="xnor-popcount", pad_value=pad_value)
for v in [1, 8]:
    w, off = f32(4, 3, 3, 3), f32(1, 18, 5, 6)
    op("DeformableConvolution", v, [f32(1, 3, 7, 8), off, const(w)], strides=[1, 1], pads_begin=[0, 0], pads_end=[0, 0], dilations=[1, 1],
       group=1, deformable_group=1)
    op("DeformableConvolution", v, [f32(1, 4, 7, 8), f32(1, 36, 7, 8), const(f32(6, 2, 3, 3))], strides=[1, 1], pads_begin=[1, 1], pads_end=[1, 1], dilations=[1, 1], group=2, deformable_group=2)
for bilinear in [True, False]:
    op("DeformableConvolution", 8, [f32(2, 3, 7, 8), f32(2, 18, 4, 4), const(f32(4, 3, 3, 3)), f32(2, 9, 4, 4, lo=0)], strides=[2, 2], pads_begin=[1, 1], pads_end=[1, 1],
       dilations=[1, 1], group=1, deformable_group=1, bilinear_interpolation_pad=bilinear)
for ta in [False, True]:
    for tb in [False, True]:
        sa, sb = (17, 5) if ta else (5, 17), (33, 17) if tb else (17, 33)
        op("MatMul", 1, [f32(*sa), f32(*sb)], transpose_a=ta, transpose_b=tb)
        op("MatMul", 1, [f32(2, 3, *sa), const(f32(*sb))], transpose_a=ta, transpose_b=tb)
        op("MatMul", 1, [f32(2, 1, *sa), f32(3, *sb)], transpose_a=ta, transpose_b=tb)
op("MatMul", 1, [f32(17), f32(17, 5)])
op("MatMul", 1, [f32(3, 5, 17), f32(17)])
op("MatMul", 1, [f32(17), f32(17)])
for exclude in [True, False]:
    op("AvgPool", 1, [f32(2, 3, 9, 11)], strides=[2, 2], pads_begin=[1, 0], pads_end=[1, 1], kernel=[3, 2], **{"exclude-pad": exclude})
    op("AvgPool", 14, [f32(2, 3, 9, 11)], strides=[2, 3], pads_begin=[1, 1], pads_end=[1, 1], kernel=[3, 3], rounding_type="ceil_torch", **{"exclude-pad": exclude})
    op("AvgPool", 14, [f32(1, 17, 8, 8)], strides=[2, 2], pads_begin=[0, 0], pads_end=[0, 0], kernel=[3, 3], rounding_type="ceil", **{"exclude-pad": exclude})
    op("AvgPool", 1, [f32(1, 3, 8, 9)], strides=[2, 2], pads_begin=[0, 0], pads_end=[0, 0], kernel=[3, 3], auto_pad="same_upper", **{"exclude-pad": exclude})
for rounding in ["floor", "ceil"]:
    op("MaxPool", 1, [f32(2, 3, 9, 11)], strides=[2, 2], pads_begin=[1, 0], pads_end=[1, 1], kernel=[3, 2], rounding_type=rounding)
    op("MaxPool", 8, [distinct(2, 3, 9, 11)], strides=[2, 2], dilations=[1, 2], pads_begin=[1, 0], pads_end=[1, 1], kernel=[3, 2], rounding_type=rounding, index_element_type="i32")
    op("MaxPool", 14, [distinct(2, 3, 9, 11)], strides=[2, 2], dilations=[1, 1], pads_begin=[1, 0], pads_end=[1, 1], kernel=[3, 2], rounding_type=rounding, index_element_type="i64", axis=2)
op("MaxPool", 14, [distinct(1, 3, 8, 9)], strides=[3, 2], dilations=[1, 1], pads_begin=[1, 1], pads_end=[1, 1], kernel=[3, 2], rounding_type="ceil_torch")
op("MaxPool", 1, [f32(1, 3, 5, 6, 7)], strides=[1, 2, 2], pads_begin=[0, 0, 0], pads_end=[0, 0, 0], kernel=[2, 3, 2], auto_pad="same_lower")
op("AdaptiveAvgPool", 8, [f32(2, 3, 9, 11), ci(4, 5)])
op("AdaptiveAvgPool", 8, [f32(2, 3, 17), ci(5)])
op("AdaptiveMaxPool", 8, [distinct(2, 3, 9, 11), ci(4, 5)], index_element_type="i32")
op("AdaptiveMaxPool", 8, [distinct(2, 3, 5, 6, 7), ci(2, 4, 3)], index_element_type="i32")

# ---- normalisation, attention, interpolation ----
family("norm")
for v in [1, 5]:
    order = (lambda x, g, b, m, s: [g, b, x, m, s]) if v == 1 else (lambda x, g, b, m, s: [x, g, b, m, s])
    op("BatchNormInference", v, order(f32(2, 5, 3, 7), const(f32(5)), const(f32(5)), const(f32(5)), const(f32(5, lo=0.5, hi=2))), epsilon=1e-3)
    op("BatchNormInference", v, order(f32(3, 5), const(f32(5)), const(f32(5)), const(f32(5)), const(f32(5, lo=0.5, hi=2))), epsilon=1e-5)
for across in [True, False]:
    for variance in [True, False]:
        op("MVN", 2, [f32(2, 3, 5, 7)], across_channels=across, normalize_variance=variance, eps=1e-5)
for eps_mode in ["inside_sqrt", "outside_sqrt"]:
    op("MVN", 6, [f32(2, 3, 5, 7), ci(2, 3)], normalize_variance=True, eps=1e-5, eps_mode=eps_mode)
    op("MVN", 6, [f32(2, 3, 35), ci(-1)], normalize_variance=True, eps=1e-3, eps_mode=eps_mode)
op("MVN", 6, [f32(2, 3, 35), ci(1, 2)], normalize_variance=False, eps=1e-3, eps_mode="inside_sqrt")
for mode in ["add", "max"]:
    op("NormalizeL2", 1, [f32(2, 3, 5, 7), ci(1)], eps=1e-3, eps_mode=mode)
    op("NormalizeL2", 1, [f32(2, 3, 5, 7), ci(1, 2, 3)], eps=1e-5, eps_mode=mode)
op("GRN", 1, [f32(2, 3, 5, 7)], bias=0.1)
op("LRN", 1, [f32(2, 7, 3, 5), ci(1)], alpha=0.5, beta=0.75, bias=1.0, size=5)
op("LRN", 1, [f32(2, 3, 5, 7), ci(2, 3)], alpha=0.5, beta=0.75, bias=1.0, size=3)  # the CPU knows no other bias here
op("GroupNormalization", 12, [f32(2, 6, 5, 7), const(f32(6)), const(f32(6))], num_groups=3, epsilon=1e-4)
op("GroupNormalization", 12, [f32(2, 4, 9), f32(4), f32(4)], num_groups=1, epsilon=1e-3)
for causal in [True, False]:
    op("ScaledDotProductAttention", 13, [f32(2, 3, 5, 8), f32(2, 3, 7, 8), f32(2, 3, 7, 8)], causal=causal)
op("ScaledDotProductAttention", 13, [f32(2, 3, 5, 8), f32(2, 3, 7, 8), f32(2, 3, 7, 8), f32(5, 7)], causal=False)
op("ScaledDotProductAttention", 13, [f32(1, 2, 5, 16), f32(1, 2, 7, 16), f32(1, 2, 7, 16), f32(1, 1, 5, 7), cs(0.3, np.float32)], causal=False)
op("Interpolate", 1, [f32(1, 2, 5, 7), ci(9, 11)], axes=[2, 3], mode="nearest", align_corners=False)
op("Interpolate", 1, [f32(1, 2, 5, 7), ci(9, 11)], axes=[2, 3], mode="linear", align_corners=True)
for transform in ["half_pixel", "pytorch_half_pixel", "asymmetric", "tf_half_pixel_for_nn", "align_corners"]:
    for mode, sizes in [("nearest", (9, 4)), ("linear_onnx", (9, 4)), ("cubic", (9, 11)), ("linear", (9, 11))]:
        a = dict(mode=mode, coordinate_transformation_mode=transform, nearest_mode="floor", shape_calculation_mode="sizes", cube_coeff=-0.75, antialias=False)
        op("Interpolate", 4, [f32(1, 2, 5, 7), ci(*sizes), const(np.array([1, 1], np.float32)), ci(2, 3)], **a)
        op("Interpolate", 11, [f32(1, 2, 5, 7), ci(*sizes), ci(2, 3)], **a)
for nearest in ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple"]:
    op("Interpolate", 11, [f32(1, 3, 6, 5), const(np.array([1.6, 0.7], np.float32)), ci(2, 3)], mode="nearest", nearest_mode=nearest, shape_calculation_mode="scales",
       coordinate_transformation_mode="half_pixel")
for mode in ["bilinear_pillow", "bicubic_pillow"]:
    op("Interpolate", 11, [f32(1, 3, 9, 8), ci(5, 12), ci(2, 3)], mode=mode, shape_calculation_mode="sizes", cube_coeff=-0.5)  # the CPU knows no other
op("Interpolate", 11, [f32(1, 2, 3, 4, 5), const(np.array([2, 1.5, 2], np.float32)), ci(2, 3, 4)], mode="linear_onnx", shape_calculation_mode="scales")
for mode in ["bilinear", "nearest", "bicubic"]:
    for padding in ["zeros", "border", "reflection"]:
        for align in [True, False]:
            op("GridSample", 9, [f32(1, 2, 5, 7), f32(1, 3, 4, 2, lo=-1.3, hi=1.3)], mode=mode, padding_mode=padding, align_corners=align)

# ---- recurrent cells and sequences ----
family("recurrent")
B, I, H, T = 3, 5, 7, 4
GRU = dict(activations=["sigmoid", "tanh"], activations_alpha=[], activations_beta=[], clip=0.0)
LSTM = dict(GRU, activations=["sigmoid", "tanh", "tanh"])
RNN = dict(GRU, activations=["tanh"])
x, h, c = (B, I), (B, H), (B, H)
op("RNNCell", 3, [f32(*x), f32(*h), const(f32(H, I)), const(f32(H, H)), const(f32(H))], hidden_size=H)
op("RNNCell", 3, [f32(*x), f32(*h), const(f32(H, I)), const(f32(H, H)), const(f32(H))], hidden_size=H, activations=["sigmoid"], clip=0.5)
for lbr in [False, True]:
    b = (4 if lbr else 3) * H
    op("GRUCell", 3, [f32(*x), f32(*h), const(f32(3 * H, I)), const(f32(3 * H, H)), const(f32(b))], hidden_size=H, linear_before_reset=lbr)
    for direction, d in [("forward", 1), ("reverse", 1), ("bidirectional", 2)]:
        op("GRUSequence", 5, [f32(B, T, I), f32(B, d, H), const(np.array([4, 4, 4] if not lbr else [4, 2, 3], np.int32)), const(f32(d, 3 * H, I)), const(f32(d, 3 * H, H)), const(f32(d, b))],
           hidden_size=H, direction=direction, linear_before_reset=lbr, **GRU)
lstm = [const(f32(4 * H, I)), const(f32(4 * H, H)), const(f32(4 * H))]
op("LSTMCell", 1, [f32(*x), f32(*h), f32(*c)] + lstm, hidden_size=H, weights_format="fico")  # the CPU knows no other
op("LSTMCell", 4, [f32(*x), f32(*h), f32(*c)] + lstm, hidden_size=H)
op("LSTMCell", 4, [f32(*x), f32(*h), f32(*c)] + lstm, hidden_size=H, clip=0.4, activations=["sigmoid", "tanh", "relu"])
for lengths in [[4, 4, 4], [4, 1, 3]]:
    for direction, d in [("forward", 1), ("reverse", 1), ("bidirectional", 2)]:
        n = const(np.array(lengths, np.int32))
        op("LSTMSequence", 5, [f32(B, T, I), f32(B, d, H), f32(B, d, H), n, const(f32(d, 4 * H, I)), const(f32(d, 4 * H, H)), const(f32(d, 4 * H))], hidden_size=H, direction=direction, **LSTM)
        op("RNNSequence", 5, [f32(B, T, I), f32(B, d, H), n, const(f32(d, H, I)), const(f32(d, H, H)), const(f32(d, H))], hidden_size=H, direction=direction, **RNN)
op("LSTMSequence", 5, [f32(2, 6, 16), f32(2, 1, 32), f32(2, 1, 32), const(np.array([6, 6], np.int32)), const(f32(1, 128, 16)), const(f32(1, 128, 32)), const(f32(1, 128))],
   hidden_size=32, direction="forward", **LSTM)

# ---- detection ----
family("detection")
corners = f32(1, 9, 2, lo=0, hi=5)
boxes = np.concatenate([corners, corners + f32(1, 9, 2, lo=1, hi=4)], 2)
scores = distinct(1, 2, 9) / 8 + 0.5
for v in [1, 3, 4, 5, 9]:
    for encoding, data in [("corner", boxes), ("center", boxes)]:
        a = dict(box_encoding=encoding, sort_result_descending=True, **({"output_type": "i32"} if v >= 3 else {}))
        op("NonMaxSuppression", v, [data, scores, cs(4), cs(0.4, np.float32), cs(0.1, np.float32)], outputs=[0, 1, 2] if v >= 5 else None, open=v >= 5, **a)
for v in [5, 9]:
    op("NonMaxSuppression", v, [boxes, scores, cs(9), cs(0.9, np.float32), cs(0.05, np.float32), cs(0.5, np.float32)], box_encoding="corner", sort_result_descending=False)
for kind in ["classid", "score", "none"]:
    op("MatrixNms", 8, [boxes, scores], sort_result_type=kind, output_type="i32", score_threshold=0.2, nms_top_k=5, keep_top_k=6, decay_function="gaussian" if kind == "classid" else "linear")
    op("MulticlassNms", 8, [boxes, scores], sort_result_type=kind, output_type="i32", iou_threshold=0.4, score_threshold=0.2, nms_top_k=5, keep_top_k=6)
    op("MulticlassNms", 9, [boxes, scores], sort_result_type=kind, output_type="i64", iou_threshold=0.3, score_threshold=0.1, nms_eta=0.9)
rotated = np.concatenate([f32(1, 7, 2, lo=0, hi=5), f32(1, 7, 2, lo=1, hi=4), f32(1, 7, 1, lo=0, hi=1.5)], 2)
for clockwise in [True, False]:
    op("NMSRotated", 13, [rotated, distinct(1, 2, 7) / 8 + 0.5, cs(5), cs(0.3, np.float32), cs(0.1, np.float32)], sort_result_descending=True, output_type="i32", clockwise=clockwise)
rois = np.concatenate([f32(3, 2, lo=0, hi=5), f32(3, 2, lo=6, hi=13)], 1)
index = const(np.array([0, 1, 0], np.int32))
for mode in ["avg", "max"]:
    for ratio in [2, 0]:
        op("ROIAlign", 3, [f32(2, 3, 14, 15), rois, index], pooled_h=3, pooled_w=4, sampling_ratio=ratio, spatial_scale=0.9, mode=mode)
    for aligned in ["asymmetric", "half_pixel_for_nn", "half_pixel"]:
        op("ROIAlign", 9, [f32(2, 3, 14, 15), rois, index], pooled_h=3, pooled_w=2, sampling_ratio=2, spatial_scale=1.0, mode=mode, aligned_mode=aligned)
turned = np.concatenate([f32(3, 2, lo=4, hi=9), f32(3, 2, lo=2, hi=6), f32(3, 1, lo=-1, hi=1)], 1)
for clockwise in [True, False]:
    op("ROIAlignRotated", 15, [f32(2, 3, 14, 15), turned, index], pooled_h=3, pooled_w=4, sampling_ratio=2, spatial_scale=1.0, clockwise_mode=clockwise)
batched = np.concatenate([np.array([[0], [1], [0]], np.float32), rois], 1)
op("ROIPooling", 2, [f32(2, 3, 14, 15), batched], output_size=[3, 4], spatial_scale=1.0, method="max")
op("ROIPooling", 2, [f32(2, 3, 14, 15), batched * np.array([1, .06, .06, .06, .06], np.float32)], output_size=[3, 4], spatial_scale=1.0, method="bilinear")
op("PSROIPooling", 1, [f32(2, 18, 14, 15), batched], output_dim=2, group_size=3, spatial_scale=1.0, spatial_bins_x=1, spatial_bins_y=1, mode="average")
op("PSROIPooling", 1, [f32(2, 8, 14, 15), batched * np.array([1, .06, .06, .06, .06], np.float32)], output_dim=2, group_size=2, spatial_scale=1.0, spatial_bins_x=2, spatial_bins_y=2, mode="bilinear")
op("DeformablePSROIPooling", 1, [f32(2, 18, 14, 15), batched, f32(3, 2, 3, 3, lo=-0.1, hi=0.1)], output_dim=2, group_size=3, spatial_scale=1.0, spatial_bins_x=2, spatial_bins_y=2,
   mode="bilinear_deformable", trans_std=0.1, part_size=3)
op("DeformablePSROIPooling", 1, [f32(2, 18, 14, 15), batched], output_dim=2, group_size=3, spatial_scale=1.0, spatial_bins_x=1, spatial_bins_y=1, mode="bilinear_deformable")
prior = dict(min_size=[4.0], max_size=[9.0], aspect_ratio=[2.0], flip=True, clip=True, offset=0.5, variance=[0.1, 0.1, 0.2, 0.2], step=0.0)
op("PriorBox", 1, [ci(3, 4), ci(24, 32)], scale_all_sizes=True, **prior)
op("PriorBox", 8, [ci(3, 4), ci(24, 32)], scale_all_sizes=False, min_max_aspect_ratios_order=False, **prior)
op("PriorBox", 8, [ci(3, 4), ci(24, 32)], offset=0.5, fixed_size=[4.0, 8.0], fixed_ratio=[1.0], density=[2.0, 1.0], step=8.0)
op("PriorBoxClustered", 1, [ci(3, 4), ci(24, 32)], width=[4.0, 9.0], height=[5.0, 3.0], clip=False, step=0.0, offset=0.5, variance=[0.1, 0.1, 0.2, 0.2])
for v in [1, 4]:
    op("Proposal", v, [f32(1, 6, 5, 6, lo=0), f32(1, 12, 5, 6, lo=-0.3, hi=0.3), const(np.array([80, 96, 1], np.float32))], outputs=[0], base_size=16, pre_nms_topn=40,
       post_nms_topn=10, nms_thresh=0.7, feat_stride=16, min_size=4, ratio=[0.5, 1.0, 2.0], scale=[1.0], clip_before_nms=True)
priors = np.concatenate([f32(1, 1, 5, 2, lo=0, hi=0.5), f32(1, 1, 5, 2, lo=0.6, hi=1)], 3).reshape(1, 1, 20)
variances = np.full((1, 1, 20), 0.1, np.float32)
for v in [1, 8]:
    for code in ["caffe.PriorBoxParameter.CORNER", "caffe.PriorBoxParameter.CENTER_SIZE"]:
        a = dict(background_label_id=0, top_k=10, keep_top_k=[6], code_type=code, share_location=True, nms_threshold=0.5, confidence_threshold=0.2, normalized=True,
                 **({"num_classes": 3} if v == 1 else {}))
        op("DetectionOutput", v, [f32(2, 20, lo=-0.3, hi=0.3), f32(2, 15, lo=0), np.concatenate([priors, variances], 1)], open=False, **a)
op("GenerateProposals", 9, [const(np.array([[60, 70, 1]], np.float32)), np.concatenate([f32(4, 5, 3, 2, lo=0, hi=30), f32(4, 5, 3, 2, lo=32, hi=65)], 3), f32(1, 12, 4, 5, lo=-0.3, hi=0.3),
    distinct(1, 3, 4, 5)], min_size=1.0, nms_threshold=0.6, pre_nms_count=40, post_nms_count=8, normalized=True, nms_eta=1.0, roi_num_type="i64")
op("RegionYolo", 1, [f32(1, 27, 4, 5)], coords=4, classes=4, num=3, do_softmax=True, axis=1, end_axis=3, mask=[0, 1, 2])
op("RegionYolo", 1, [f32(1, 27, 4, 5)], coords=4, classes=4, num=6, do_softmax=False, axis=1, end_axis=3, mask=[0, 1, 2])
op("ReorgYolo", 2, [f32(1, 4, 6, 8)], stride=[2])
op("ExperimentalDetectronPriorGridGenerator", 6, [const(f32(3, 4, lo=-10, hi=10)), f32(1, 2, 4, 5), f32(1, 3, 40, 50)], flatten=True, h=0, w=0, stride_x=10.0, stride_y=10.0)
op("ExperimentalDetectronTopKROIs", 6, [f32(7, 4), distinct(7)], max_rois=4)
op("ExperimentalDetectronROIFeatureExtractor", 6, [rois * 8, f32(1, 3, 28, 30), f32(1, 3, 14, 15)], output_size=3, sampling_ratio=2, pyramid_scales=[4, 8], aligned=False)
op("ExperimentalDetectronGenerateProposalsSingleImage", 6, [const(np.array([60, 70, 1], np.float32)), np.concatenate([f32(60, 2, lo=0, hi=30), f32(60, 2, lo=32, hi=65)], 1),
    f32(12, 4, 5, lo=-0.3, hi=0.3), distinct(3, 4, 5)], min_size=1.0, nms_threshold=0.6, pre_nms_count=40, post_nms_count=8)
op("ExperimentalDetectronDetectionOutput", 6, [rois, f32(3, 12, lo=-0.2, hi=0.2), f32(3, 3, lo=0), const(np.array([[60, 70, 1]], np.float32))], open=False, score_threshold=0.1,
   nms_threshold=0.5, num_classes=3, post_nms_count=20, max_detections_per_image=6, class_agnostic_box_regression=False, max_delta_log_wh=4.0, deltas_weights=[10.0, 10.0, 5.0, 5.0])

# ---- signals, sequences, images, control flow, state ----
family("various")
for kind in ["DFT", "IDFT"]:
    op(kind, 7, [f32(3, 5, 7, 2), ci(1)])
    op(kind, 7, [f32(3, 5, 8, 2), ci(1, 2)])
    op(kind, 7, [f32(3, 5, 8, 2), ci(0, 2), ci(4, 6)])
op("RDFT", 9, [f32(3, 5, 7), ci(1, 2)])
op("RDFT", 9, [f32(3, 8), ci(1), ci(6)])  # the CPU pads with what is in its memory
op("IRDFT", 9, [f32(3, 5, 2), ci(1)])
op("IRDFT", 9, [f32(3, 5, 4, 2), ci(0, 1), ci(3, 7)])
op("STFT", 15, [f32(2, 48), const(f32(16, lo=0)), cs(16), cs(4)], transpose_frames=False)
op("STFT", 15, [f32(2, 48), const(f32(11, lo=0)), cs(16), cs(5)], transpose_frames=True)
op("Inverse", 14, [f32(2, 4, 4) + 3 * np.eye(4, dtype=np.float32)], adjoint=False)
op("Inverse", 14, [f32(3, 3) + 3 * np.eye(3, dtype=np.float32)], adjoint=True)
for equation, shapes in [("ij,jk->ik", [(3, 5), (5, 7)]), ("bij,bkj->bik", [(2, 3, 5), (2, 4, 5)]), ("i,i->", [(7,), (7,)]), ("ij->ji", [(3, 5)]), ("abcd,cde->abe", [(2, 3, 4, 5), (4, 5, 6)]),
                         ("...ij,jk->...ik", [(2, 2, 3, 5), (5, 4)]), ("ii->i", [(5, 5)]), ("ij->", [(3, 5)])]:
    op("Einsum", 7, [f32(*s) for s in shapes], equation=equation)
mask = np.array([[1, 1, 1], [1, 1, 0], [1, 1, 1], [1, 0, 1], [1, 0, 1]], np.float32)
for merge in [True, False]:
    op("CTCGreedyDecoder", 1, [f32(5, 3, 4), mask], merge_repeated=merge)
    op("CTCGreedyDecoderSeqLen", 6, [f32(3, 5, 4), const(np.array([5, 3, 4], np.int32))], merge_repeated=merge, classes_index_type="i32", sequence_length_type="i32")
    op("CTCLoss", 4, [f32(3, 6, 5), const(np.array([6, 5, 4], np.int32)), const(ints(3, 6, lo=0, hi=4)), const(np.array([3, 2, 1], np.int32)), cs(4, np.int32)], ctc_merge_repeated=merge,
       preprocess_collapse_repeated=not merge)
for kind in ["NV12toRGB", "NV12toBGR"]:
    op(kind, 8, [f32(1, 12, 6, 1, lo=0, hi=255)])
    op(kind, 8, [ints(1, 8, 6, 1, lo=0, hi=256, t=np.uint8), ints(1, 4, 3, 2, lo=0, hi=256, t=np.uint8)])
for kind in ["I420toRGB", "I420toBGR"]:
    op(kind, 8, [f32(1, 12, 6, 1, lo=0, hi=255)])
    op(kind, 8, [f32(1, 8, 6, 1, lo=0, hi=255), f32(1, 4, 3, 1, lo=0, hi=255), f32(1, 4, 3, 1, lo=0, hi=255)])
op("RandomUniform", 8, [ci(3, 5, 7), cs(-1, np.float32), cs(2, np.float32)], output_type="f32", global_seed=7, op_seed=11)
op("RandomUniform", 8, [ci(17), cs(0, np.int32), cs(100, np.int32)], output_type="i32", global_seed=150, op_seed=10)


def branch(make_result):
    p = o13.parameter([3, 5], np.float32)
    return ov.Model([make_result(p)], [p], "body"), p


def if_model(condition, x):
    node = ov.opset8.if_op(condition)
    yes, a = branch(lambda p: o13.multiply(p, np.float32(2)))
    no, b = branch(lambda p: o13.subtract(p, np.float32(1)))
    node.set_then_body(yes)
    node.set_else_body(no)
    node.set_input(x.output(0), a, b)
    return node.set_output(yes.results[0], no.results[0])


graph("If-8", if_model, [np.array(True), f32(3, 5)], open=False)
graph("If-8", if_model, [np.array(False), f32(3, 5)], open=False)


def loop_model(x, trips):
    a, piece = o13.parameter([3, 5], np.float32), o13.parameter([1, 5], np.float32)
    nxt, go = o13.add(a, piece), o13.constant(np.array(True))
    doubled = o13.add(piece, piece)
    body = ov.Model([o13.result(go), o13.result(nxt), o13.result(doubled)], [a, piece], "body")
    node = ov.opset5.loop(trips, o13.constant(np.array(True)))
    node.set_function(body)
    node.set_special_body_ports([-1, 0])
    node.set_merged_input(a, x.output(0), body.results[1].output(0))
    node.set_sliced_input(piece, x.output(0), 0, 1, 1, -1, 0)
    return [node.get_iter_value(body.results[1].output(0), -1), node.get_concatenated_slices(body.results[2].output(0), 0, 1, 1, -1, 0)]


graph("Loop-5", loop_model, [f32(3, 5), cs(3)], open=False)
graph("Loop-5", loop_model, [f32(3, 5), cs(2)], open=False)


def iterator_model(x, h):
    piece, state = o13.parameter([2, 1, 5], np.float32), o13.parameter([2, 1, 5], np.float32)
    nxt = o13.tanh(o13.add(piece, state))
    body = ov.Model([o13.result(nxt)], [piece, state], "body")
    node = ov.opset1.tensor_iterator()
    node.set_body(body)
    node.set_sliced_input(piece, x.output(0), 0, 1, 1, -1, 1)
    node.set_merged_input(state, h.output(0), body.results[0].output(0))
    return [node.get_iter_value(body.results[0].output(0), -1), node.get_concatenated_slices(body.results[0].output(0), 0, 1, 1, -1, 1)]


graph("TensorIterator-1", iterator_model, [f32(2, 4, 5), f32(2, 1, 5)], open=False)


def state_model(x):
    import openvino.opset6 as o6
    read = o6.read_value(o13.constant(np.full((3, 5), 2, np.float32)), "v", np.float32, [3, 5])
    total = o13.add(read, x)
    return [total.output(0)], [o6.assign(total, "v")]


graph("ReadValue-6", state_model, [f32(3, 5)], open=False)


def state3_model(x):
    import openvino.opset3 as o3
    read = o3.read_value(o13.constant(np.full((3, 5), 2, np.float32)), "v")
    total = o13.add(read, x)
    return [total.output(0)], [o3.assign(total, "v")]


graph("ReadValue-3", state3_model, [f32(3, 5)], open=False)

# Multinomial is left out: the CPU draws from another generator than the operation's reference, which ovlite follows.
op("ISTFT", 16, [f32(9, 11, 2), const(f32(16, lo=0.2)), cs(16), cs(4)], center=False, normalized=False)
op("ISTFT", 16, [f32(2, 9, 7, 2), const(f32(16, lo=0.2)), cs(16), cs(5), cs(40)], center=True, normalized=True)

op("StringTensorUnpack", 15, [np.array([["ab", "c"], ["", "d\u00e9f"]])], open=False)
op("StringTensorPack", 15, [ints(2, 2, lo=0, hi=3), ints(2, 2, lo=3, hi=7), np.frombuffer(b"letters", np.uint8).copy()], open=False)
op("Xor", 1, [bools(3, 5), bools(5)])

# ---- the first case of every operation and version again, in other types ----
family("types")
BOUNDS = {"f16": 3e-3, "bf16": 2e-2, "f64": None}


def in_float(x, kind):
    value = x.value if isinstance(x, const) else x
    if isinstance(x, bits) or value.dtype != np.float32:
        return x
    if kind == "bf16":
        value = (value.view(np.uint32) & 0xffff0000).view(np.float32) if value.ndim else value
        return through(value, kind, isinstance(x, const))
    value = value.astype(np.float16).astype({"f16": np.float16, "f64": np.float64}[kind])  # both hold it
    return const(value) if isinstance(x, const) else value


def in_integer(x, t):
    if isinstance(x, const) or x.dtype != np.int32 or (np.iinfo(t).min == 0 and (x < 0).any()) or (x > np.iinfo(t).max).any():
        return x
    return x.astype(t)


# What ovlite decides otherwise on purpose, or OpenVINO gets wrong in this type.
EXCEPT = {("IsFinite-10", "f64"), ("IsInf-10", "f64"),  # the CPU's f64 is f32 without infinity
          ("Proposal-1", "bf16"), ("Proposal-4", "bf16"),  # scores that are equal in bf16
          ("ReduceProd-1", "int8"), ("SquaredDifference-1", "int8"),  # beyond the type's range
          ("Unique-10", "int8"), ("Unique-10", "uint8")}  # along an axis the CPU gives indices of other rows


def variant(case, kind, inputs, bound):
    if (case[0], kind) not in EXCEPT and any(a is not b for a, b in zip(inputs, case[2])):
        current.append(("%s %s" % (case[0], kind), case[1], inputs, bound or case[3], case[4]))


for case in list(firsts.values()):
    for kind, bound in BOUNDS.items():
        variant(case, kind, [in_float(x, kind) for x in case[2]], bound)
for key in list(families):
    for case in families[key]:
        if key != "types" and case[0] not in ("If-8", "Loop-5", "TensorIterator-1"):
            for t in [np.int8, np.uint8, np.int16, np.uint16, np.uint32, np.int64, np.uint64]:
                variant(case, np.dtype(t).name, [in_integer(x, t) for x in case[2]], None)


def packed(kind, *shape):
    lo, hi = {"i4": (-8, 8), "u4": (0, 16)}[kind]
    return rng.randint(lo, hi, shape).astype(np.int8 if lo else np.uint8)


def dequantised(x, w):
    return o13.matmul(x, o13.multiply(o13.convert(w, "f32"), np.float32(0.125)), False, True)


for kind in ["i4", "u4"]:
    for shape in [(3, 5), (2, 3, 7), (17,)]:
        graph("Convert-1 from " + kind, lambda w: o13.convert(w, "f32"), [through(packed(kind, *shape), kind, True)])
        graph("Convert-1 to " + kind, lambda x: o13.convert(x, "i32"), [through(packed(kind, *shape).astype(np.int32), kind, False)])
    graph("MatMul-1 " + kind, dequantised, [f32(3, 17), through(packed(kind, 5, 17), kind, True)])
    graph("Gather-8 " + kind, lambda w, i: o13.gather(w, i, 0), [through(packed(kind, 7, 5), kind, True), ints(4, lo=0, hi=7)])
    graph("Transpose-1 " + kind, lambda w: o13.transpose(w, [1, 0]), [through(packed(kind, 3, 5), kind, False)])
    graph("Concat-1 " + kind, lambda a, b: o13.concat([a, b], 1), [through(packed(kind, 3, 5), kind, False), through(packed(kind, 3, 2), kind, False)])

# ---- writing ----
def named(cases):
    counts = {}
    for name, *rest in cases:
        counts[name] = counts.get(name, 0) + 1
        yield ("%s.%d" % (name, counts[name]), *rest)


def write(name, log):
    members, failed = make(named(families[name]), log)
    path = os.path.join(HERE, name + ".npz")
    store(path, members)
    numbers = [len([k for k in members if k.endswith(end)]) for end in ("/xml", "/open")]
    print("%-10s %4d cases, %4d of them open, %4d kB" % (name, *numbers, os.path.getsize(path) // 1024))
    if name == "types":  # not every operation knows every type
        print("  left out: %d that OpenVINO refuses" % len(failed))
    for key, why in failed if name != "types" else ():
        print("  left out: %s: %s" % (key, why))


def write_opsets():
    """opsets.lua: which operations each opset brings, from the headers that come with OpenVINO."""
    folder, seen = os.path.join(os.path.dirname(ov.__file__), "include", "openvino", "opsets"), set()
    with open(os.path.join(HERE, "opsets.lua"), "w") as out:
        out.write("-- Operations of OpenVINO's opsets, under the opset that brings them, or a new version of them. Made by make_golden.py.\nreturn {\n")
        for n in range(1, 16):
            with open(os.path.join(folder, "opset%d_tbl.hpp" % n)) as f:
                rows = [r for r in re.findall(r"^_OPENVINO_OP_REG\((\w+), (ov::op::\w+)\)", f.read(), re.M) if r not in seen]
            seen.update(rows)
            lines = textwrap.wrap(" ".join(sorted(name for name, _ in rows)), 140)
            out.write("  [%d] = [[\n%s]],\n" % (n, "".join("    %s\n" % line for line in lines)))
        out.write("}\n")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        write_opsets()
    with tempfile.TemporaryDirectory() as folder:
        for family_name in sys.argv[1:] or families:
            write(family_name, folder + "/log")
