#!/usr/bin/env python3
"""Node tests of ONNX operators newer than opset 17: onnx's own cases with its reference's answers, for spec/conformance/newer_spec.lua.

    python make_onnx.py            needs PyPI's onnx, onnxruntime, openvino and numpy; `make golden` gets them

Writes onnx-opsetN.npz beside this file. A case CASE has the members CASE/model (bytes), CASE/in_0..., CASE/out_0... and CASE/peers: whether OpenVINO and
whether ONNX Runtime give the expected answers. What numpy has no type for is stored as bytes with type and shape in its name: CASE/in_0 bf16 2,3.
Elements of a sequence are CASE/out_0.0, CASE/out_0.1, ...; an optional is a sequence of none or one. Where CASE expands another's operator into a function
and has its data, only the model is stored.
"""
import collections
import io
import json
import os
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

HERE = os.path.dirname(os.path.abspath(__file__))
FIRST = 18
LARGE = 130000  # bytes: what has more is a variant of a case that has less
BARE = {"bfloat16": "bf16", "float8_e4m3fn": "f8e4m3", "float8_e4m3fnuz": "f8e4m3fnuz", "float8_e5m2": "f8e5m2", "float8_e5m2fnuz": "f8e5m2fnuz",
        "int4": "i4", "uint4": "u4", "float4_e2m1fn": "f4e2m1", "float8_e8m0fnu": "f8e8m0", "int2": "i2", "uint2": "u2"}
PER_BYTE = {"i4": 2, "u4": 2, "f4e2m1": 2, "i2": 4, "u2": 4}


# ---- cases ----
def opset_of(model):
    return max([o.version for o in model.opset_import if o.domain in ("", "ai.onnx")] or [0])


def cases():
    warnings.filterwarnings("ignore")
    np.random.seed(0)
    found = {}
    for case in collect_testcases(None):
        if opset_of(case.model) >= FIRST and case.data_sets and size_of(values_of(case)) < LARGE:
            found[case.name] = case
    return found


def value_of(x):
    """An array (of ml_dtypes' types where numpy has none), a list, or None."""
    if isinstance(x, onnx.TensorProto):
        return numpy_helper.to_array(x)
    if isinstance(x, (list, tuple)):
        return [value_of(y) for y in x]
    if isinstance(x, onnx.SequenceProto):
        return [value_of(y) for y in numpy_helper.to_list(x)]
    if isinstance(x, onnx.OptionalProto):
        return value_of(numpy_helper.to_optional(x))
    return x if x is None else np.asarray(x)


def size_of(values):
    return sum(size_of(v) for v in values) if isinstance(values, (list, tuple)) else 0 if values is None else values.nbytes


def values_of(case):
    inputs, outputs = case.data_sets[0]
    return [value_of(x) for x in inputs], [value_of(x) for x in outputs]


# ---- bytes ----
def packed(array):
    name = BARE[array.dtype.name]
    codes = array.reshape(-1).view(np.uint8) if array.dtype.itemsize == 1 else array.reshape(-1).view(np.uint16)
    n = PER_BYTE.get(name)
    if n:
        bits = 8 // n
        codes = np.concatenate([codes, np.zeros(-len(codes) % n, np.uint8)]).reshape(-1, n) & ((1 << bits) - 1)
        codes = sum(codes[:, i] << (i * bits) for i in range(n)).astype(np.uint8)
    return name, codes.view(np.uint8)


def members_of(key, value):
    if value is None:
        return {}
    if isinstance(value, list):
        out = {key + ".n": np.array([len(value)])}
        for i, v in enumerate(value):
            out.update(members_of("%s.%d" % (key, i), v))
        return out
    if value.dtype.name in BARE:
        name, codes = packed(np.ascontiguousarray(value))
        return {"%s %s %s" % (key, name, ",".join(map(str, value.shape))): codes}
    if value.dtype == object or value.dtype.kind in "SU":
        return {key: value.astype(str)}
    return {key: value}


def data_members(case):
    out = {}
    for what, values, ports in zip(("in", "out"), values_of(case), (case.model.graph.input, case.model.graph.output)):
        for i, (v, port) in enumerate(zip(values, ports)):
            if port.type.WhichOneof("value") == "optional_type":
                v = [] if v is None else [v]
            out.update(members_of("%s_%d" % (what, i), v))
    return out


def same_data(a, b):
    return a.keys() == b.keys() and all(a[k].dtype == b[k].dtype and np.array_equal(a[k], b[k], a[k].dtype.kind == "f") for k in a)


def store(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for key, value in members.items():
            buffer = io.BytesIO()
            np.save(buffer, np.ascontiguousarray(value) if value.ndim else value)
            z.writestr(zipfile.ZipInfo(key + ".npy", (2020, 1, 1, 0, 0, 0)), buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)


# ---- what the peers answer ----
def agrees(got, want, rtol, atol):
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(agrees(g, w, rtol, atol) for g, w in zip(got, want))
    if got is None or want is None:
        return got is want
    if got.shape != want.shape or got.dtype != want.dtype and want.dtype.kind not in "OSU":
        return False
    if want.dtype.kind in "OSU":
        return got.astype(str).tolist() == want.astype(str).tolist()
    if want.dtype.name in BARE:
        got, want = got.astype(np.float32), want.astype(np.float32)
    return np.allclose(got, want, rtol, atol, equal_nan=True)


def openvino_answers(model, inputs):
    import openvino as ov
    core = ov.Core()
    m = core.read_model(model.SerializeToString())
    request = core.compile_model(m, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    tensors = []
    for x in inputs:
        name = x.dtype.name
        if name in BARE:
            code, data = packed(np.ascontiguousarray(x))
            tensors.append(ov.Tensor(data, ov.Shape(x.shape), ov.Type(code)))
        else:
            tensors.append(x.astype(str) if x.dtype == object else x)
    out = request.infer(dict(enumerate(tensors)))
    result = []
    for i in range(len(m.outputs)):
        t = request.get_output_tensor(i)
        codes, plain = lambda t=t: np.array(t.data).reshape(-1).view(np.uint8), lambda i=i: np.array(out[i])
        result.append(typed(t.element_type.get_type_name(), tuple(t.shape), codes, plain))
    return result


def typed(code, shape, codes, plain):
    import ml_dtypes
    name = {v: k for k, v in BARE.items()}.get(code)
    if not name:
        return plain()
    data = codes()
    n = PER_BYTE.get(code)
    if n:
        bits = 8 // n
        data = np.stack([(data >> (i * bits)) & ((1 << bits) - 1) for i in range(n)], 1).reshape(-1)[:int(np.prod(shape))]
        if code in ("i4", "i2"):
            data = np.where(data >= 1 << (bits - 1), data.astype(np.int16) - (1 << bits), data).astype(np.int8)
            return data.astype(getattr(ml_dtypes, name)).reshape(shape)
        if code != "f4e2m1":
            return data.astype(getattr(ml_dtypes, name)).reshape(shape)
    return np.ascontiguousarray(data).view(getattr(ml_dtypes, name)).reshape(shape)


def onnxruntime_value(ort, x):
    if x is None:
        return None
    if isinstance(x, list):
        return [np.asarray(v) for v in x]
    if x.dtype.name not in BARE:
        return ort.OrtValue.ortvalue_from_numpy(x)
    codes = x.view(np.uint16) if x.dtype.itemsize == 2 else x.view(np.uint8)
    return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(codes, onnx.helper.np_dtype_to_tensor_dtype(x.dtype))


def with_constants(model, inputs):
    """The model with the inputs that its Python interface cannot take as constants, and the others."""
    fed, kept, constant = onnx.ModelProto.FromString(model.SerializeToString()), [], []
    for port, x in zip(model.graph.input, inputs):
        if isinstance(x, np.ndarray) and (x.dtype == object or PER_BYTE.get(BARE.get(x.dtype.name))):
            fed.graph.initializer.append(numpy_helper.from_array(x, port.name))
            constant.append(port)
        else:
            kept.append(x)
    for port in constant:
        fed.graph.input.remove(port)
    return fed, kept


def onnxruntime_array(v):
    import ctypes
    if v.is_tensor_sequence():
        return [np.asarray(x) for x in v.numpy()]
    if not v.has_value():
        return None
    name = v.data_type()[7:-1]
    code = {"bfloat16": "bf16", "float8e4m3fn": "f8e4m3", "float8e5m2": "f8e5m2", "float8e4m3fnuz": "f8e4m3fnuz", "float8e5m2fnuz": "f8e5m2fnuz",
            "int4": "i4", "uint4": "u4", "float4e2m1": "f4e2m1", "int2": "i2", "uint2": "u2", "float8e8m0": "f8e8m0"}.get(name)
    shape = tuple(v.shape())
    per = PER_BYTE.get(code, 1)
    size = -(-int(np.prod(shape)) // per) * (2 if code == "bf16" else 1)
    return typed(code, shape, lambda: np.frombuffer(ctypes.string_at(v.data_ptr(), size), np.uint8), v.numpy)


def onnxruntime_answers(model, inputs):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.log_severity_level = 4
    model, inputs = with_constants(model, inputs)
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feeds = {i.name: onnxruntime_value(ort, x) for i, x in zip(session.get_inputs(), inputs)}
    if any(isinstance(v, list) or v is None for v in feeds.values()) or not all(o.type.startswith("tensor") for o in session.get_outputs()):
        feeds = {k: v.numpy() if isinstance(v, ort.OrtValue) else v for k, v in feeds.items()}
        return session.run(None, feeds)
    return [onnxruntime_array(v) for v in session.run_with_ort_values(None, feeds)]


PEERS = {"openvino": openvino_answers, "onnxruntime": onnxruntime_answers}


def child(peer, names):
    found = cases()
    for name in names:
        print("try", name, flush=True)
        try:
            inputs, want = values_of(found[name])
            got = PEERS[peer](found[name].model, inputs)
            verdict, why = all(agrees(g, w, max(found[name].rtol, 1e-3), max(found[name].atol, 1e-6)) for g, w in zip(got, want)), "differs"
        except Exception as e:
            verdict, why = False, str(e).replace("\n", " ")[:200]
        print("done", name, int(verdict), "" if verdict else why, flush=True)


def ask(peer, names):
    """In a child, since a peer may crash: then a new one goes on behind that case."""
    verdict, todo, why = {}, list(names), {}
    while todo:
        command = [sys.executable, __file__, "--child", peer]
        p = subprocess.run(command, input=json.dumps(todo), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        tried = None
        for line in p.stdout.splitlines():
            word = line.split(" ", 3)
            if word[0] == "try":
                tried = word[1]
            elif word[0] == "done":
                verdict[word[1]], why[word[1]] = word[2] == "1", word[3] if len(word) > 3 else ""
                tried = None
        if tried:
            verdict[tried], why[tried] = False, "crashes"
        elif p.returncode and not verdict:
            raise SystemExit("%s cannot be asked" % peer)
        todo = [n for n in todo if n not in verdict]
    return verdict, why


def main():
    found = cases()
    verdicts, whys = zip(*[ask(peer, list(found)) for peer in PEERS])
    data = {name: data_members(case) for name, case in found.items()}
    files = collections.defaultdict(dict)
    for name, case in found.items():
        members = files[opset_of(case.model)]
        members[name + "/model"] = np.frombuffer(case.model.SerializeToString(), np.uint8)
        members[name + "/peers"] = np.array([v[name] for v in verdicts])
        base = name.split("_expanded")[0]
        if base == name or base not in found or opset_of(found[base].model) != opset_of(case.model) or not same_data(data[base], data[name]):
            members.update(("%s/%s" % (name, k), v) for k, v in data[name].items())
    for old in os.listdir(HERE):
        if old.startswith("onnx-opset"):
            os.remove(os.path.join(HERE, old))
    for opset, members in sorted(files.items()):
        store(os.path.join(HERE, "onnx-opset%d.npz" % opset), members)
    print("%d cases; OpenVINO passes %d, ONNX Runtime %d, at least one of them %d" % (
        len(found), sum(verdicts[0].values()), sum(verdicts[1].values()), sum(a or b for a, b in zip(verdicts[0].values(), [verdicts[1][n] for n in verdicts[0]]))))
    if len(sys.argv) > 1 and sys.argv[1] == "--why":
        for name in found:
            print(name, *["%s: %s" % (peer, why[name]) for peer, why in zip(PEERS, whys)], sep="\t")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], json.load(sys.stdin))
    else:
        main()
