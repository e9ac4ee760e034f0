#!/usr/bin/env python3
"""Golden data of the preprocessing: PrePostProcessors of OpenVINO over steps, element types, layouts, colour formats and sizes, for preprocess_spec.lua.

    python make_preprocess.py       needs PyPI's openvino and numpy; `make golden` gets them

Writes preprocess.npz beside this file. "cases" is JSON as bytes: a list of {name, shape, type, calls, bound, shapes} where the model is y = -x for an x of that shape
and type, and calls are [part, method, arguments...] in their order; shapes are those of the inputs that OpenVINO makes. NAME/in_0... and NAME/out are tensors.
"""
import itertools
import json
import os

import numpy as np
import openvino as ov
from openvino import opset13 as op
from openvino import preprocess as pp

HERE = os.path.dirname(os.path.abspath(__file__))
CORE = ov.Core()
TYPES = {"u8": np.uint8, "i8": np.int8, "u16": np.uint16, "i16": np.int16, "i32": np.int32, "f16": np.float16, "f32": np.float32}
LEVEL = 1.0         # a resize of whole numbers may be one level off
EXACT = 1e-4 * 255  # all else
cases, members = [], {}
rng = np.random.RandomState(7)


def model(shape, element_type):
    x = op.parameter(shape, getattr(ov.Type, element_type), name="x")
    x.output(0).set_names({"x"})
    y = op.negative(x)
    y.output(0).set_names({"y"})
    return ov.Model([y], [x], "golden")


WORDS = {"set_color_format": pp.ColorFormat, "convert_color": pp.ColorFormat, "resize": pp.ResizeAlgorithm}


def arguments(method, given):
    """The same in OpenVINO's own types."""
    out = list(given)
    if method in WORDS:
        out[0] = getattr(WORDS[method], out[0])
    elif method in ("set_layout", "convert_layout") and isinstance(out[0], str):
        out[0] = ov.Layout(out[0])
    elif method in ("set_element_type", "convert_element_type"):
        out[0] = getattr(ov.Type, out[0])
    elif method == "pad":
        out[3] = getattr(pp.PaddingMode, out[3])
    return out


def part(ppp, name):
    return {"tensor": lambda: ppp.input().tensor(), "preprocess": lambda: ppp.input().preprocess(), "model": lambda: ppp.input().model(),
            "output_tensor": lambda: ppp.output().tensor(), "postprocess": lambda: ppp.output().postprocess(),
            "output_model": lambda: ppp.output().model()}[name]()


def data(shape, element_type):
    if element_type in ("f32", "f16"):
        return (rng.rand(*shape) * 255).astype(TYPES[element_type])
    low, high = {"u8": (0, 256), "i8": (-128, 128)}.get(element_type, (0, 1000))
    return rng.randint(low, high, shape).astype(TYPES[element_type])


NAMES = {ov.Type.u8: "u8", ov.Type.i8: "i8", ov.Type.u16: "u16", ov.Type.i16: "i16", ov.Type.i32: "i32", ov.Type.f16: "f16", ov.Type.f32: "f32"}


def case(shape, *calls, element_type="f32", bound=EXACT, feed=None):
    """feed: shapes of the inputs, where OpenVINO leaves them open."""
    name = "%03d" % len(cases)
    ppp = pp.PrePostProcessor(model(shape, element_type))
    for where, method, *given in calls:
        getattr(part(ppp, where), method)(*arguments(method, given))
    built = ppp.build()
    inputs = [data(feed[i] if feed else list(port.shape), NAMES[port.element_type]) for i, port in enumerate(built.inputs)]
    compiled = CORE.compile_model(built, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    y = compiled(inputs)[0]
    for i, x in enumerate(inputs):
        members["%s/in_%d" % (name, i)] = x
    members[name + "/out"] = y.copy()
    open_shape = [[-1 if d.is_dynamic else d.get_length() for d in port.partial_shape] for port in built.inputs]
    cases.append({"name": name, "shape": list(shape), "type": element_type, "calls": [list(c) for c in calls], "bound": bound, "shapes": open_shape})


def t(method, *given):
    return ("tensor", method, *given)


def p(method, *given):
    return ("preprocess", method, *given)


def m(layout):
    return ("model", "set_layout", layout)


NCHW, NHWC = m("NCHW"), m("NHWC")
U8, F32 = t("set_element_type", "u8"), p("convert_element_type", "f32")
MEAN, SCALE = p("mean", [123.675, 116.28, 103.53]), p("scale", [58.395, 57.12, 57.375])
MODES = ["RESIZE_LINEAR", "RESIZE_CUBIC", "RESIZE_NEAREST", "RESIZE_BILINEAR_PILLOW", "RESIZE_BICUBIC_PILLOW"]
SIZES = [((9, 7), (5, 4)), ((5, 4), (9, 11)), ((6, 8), (3, 4)), ((7, 5), (7, 9)), ((1, 6), (3, 2)), ((8, 8), (1, 1)), ((6, 5), (6, 5))]


def resizes():
    for mode, (src, dst) in itertools.product(MODES, SIZES):
        size, to = t("set_spatial_static_shape", *src), p("resize", mode)
        model_shape = (1, 3, *dst)
        case(model_shape, U8, t("set_layout", "NHWC"), size, F32, to, NCHW)
        case(model_shape, U8, t("set_layout", "NHWC"), size, to, NCHW, bound=LEVEL)
    for mode, layout in itertools.product(MODES, ["NHWC", "NCHW"]):
        size = t("set_spatial_static_shape", 7, 6)
        case((2, 3, 4, 9), t("set_layout", layout), size, p("resize", mode), NCHW)
        case((1, 4, 9, 1), t("set_layout", layout), size, p("resize", mode, 4, 9), NHWC)
        case((1, 3, -1, -1), U8, t("set_layout", "NHWC"), t("set_spatial_dynamic_shape"), F32, p("resize", mode, 5, 3), NCHW, feed=[(1, 8, 6, 3)])
    for element_type in ["i8", "f16"]:
        case((1, 3, 4, 4), t("set_element_type", element_type), t("set_layout", "NHWC"), t("set_spatial_static_shape", 6, 7), F32, p("resize", "RESIZE_LINEAR"), NCHW)


def colours():
    bright = p("convert_color", "GRAY")
    for src, dst, layout, typed in itertools.product(["RGB", "BGR"], ["RGB", "BGR"], ["NHWC", "NCHW"], [U8, t("set_element_type", "f32")]):
        case((1, 3, 2, 5), typed, t("set_layout", layout), t("set_color_format", src), p("convert_color", dst), NCHW)
    for src, dst, layout, typed in itertools.product(["RGBX", "BGRX"], ["RGB", "BGR"], ["NHWC"], [U8, t("set_element_type", "f32")]):
        case((1, 3, 3, 3), typed, t("set_layout", layout), t("set_color_format", src), p("convert_color", dst), NCHW)
    for src, layout, typed in itertools.product(["RGB", "BGR"], ["NHWC", "NCHW"], [U8, t("set_element_type", "f32")]):
        bound = LEVEL if typed is U8 else EXACT
        case((2, 1, 4, 5), typed, t("set_layout", layout), t("set_color_format", src), bright, NCHW, bound=bound)
    for src, dst, typed in itertools.product(["NV12_SINGLE_PLANE", "NV12_TWO_PLANES", "I420_SINGLE_PLANE", "I420_THREE_PLANES"], ["RGB", "BGR", "GRAY"],
                                             [U8, t("set_element_type", "f32")]):
        bound = LEVEL if typed is U8 else EXACT
        case((1, 1 if dst == "GRAY" else 3, 6, 8), typed, t("set_color_format", src), p("convert_color", dst), NCHW, bound=bound)
    for src in ["NV12_SINGLE_PLANE", "NV12_TWO_PLANES", "I420_SINGLE_PLANE", "I420_THREE_PLANES"]:
        case((1, 3, 5, 7), U8, t("set_color_format", src), t("set_spatial_static_shape", 8, 10), p("convert_color", "RGB"), F32, p("resize", "RESIZE_LINEAR"), MEAN,
             SCALE, NCHW, bound=LEVEL / 50)
        case((1, 3, 4, 4), U8, t("set_color_format", src), t("set_spatial_static_shape", 8, 6), F32, p("convert_color", "BGR"), p("resize", "RESIZE_LINEAR"), NCHW)
    case((1, 3, 4, 4), U8, t("set_color_format", "NV12_TWO_PLANES", ["y", "uv"]), p("convert_color", "RGB"), NCHW, bound=LEVEL)


def arithmetic():
    for layout, src in itertools.product(["NCHW", "NHWC"], ["u8", "i8", "u16", "i16", "i32", "f16", "f32"]):
        case((1, 3, 3, 5), t("set_element_type", src), t("set_layout", layout), F32, MEAN, SCALE, NCHW)
    case((2, 5), p("mean", 3.5), p("scale", 0.25))
    case((2, 5), p("scale", 2.0), p("mean", 10.0))
    case((2, 5), U8, F32, p("mean", 0.5), p("mean", 2.0), p("scale", 4.0), p("scale", 0.5))
    case((2, 3, 4), t("set_layout", "NC?"), MEAN)
    case((2, 4, 3), t("set_layout", "N...C"), SCALE, p("mean", [1.0, 2.0, 3.0]))
    case((1, 3, 4, 4), t("set_layout", "NHWC"), p("mean", [1.0, 2.0, 3.0]), p("convert_layout", "NCHW"), p("scale", [2.0, 4.0, 8.0]), NCHW)
    case((4, 3), U8, p("convert_element_type", "f16"), p("mean", 1.0), p("convert_element_type", "f32"))
    case((4, 3), U8, element_type="i32")
    case((4, 3), t("set_element_type", "f32"), element_type="i32")
    case((4, 3), t("set_element_type", "i16"), element_type="f16")


def moves():
    for layout in ["NHWC", "HWC", "CHWN", "WHCN", "HW?C", "?HWC", "CWHN"]:
        try:
            case((1, 3, 4, 5), t("set_layout", layout), NCHW)
        except RuntimeError as error:
            print("left out: layout", layout, str(error).splitlines()[-2][:100])
    case((2, 3, 4), t("set_layout", "N...C"), m("NC..."))
    case((2, 3, 4, 5, 6), t("set_layout", "NDHWC"), m("NCDHW"))
    for order in [[0, 3, 1, 2], [3, 2, 1, 0], [1, 0, 2, 3]]:
        case((2, 3, 4, 5), p("convert_layout", order))
    case((2, 3, 4, 5), p("convert_layout", [0, 3, 1, 2]), p("convert_layout", [1, 0, 3, 2]))
    case((2, 3, 4, 5), t("set_layout", "NHWC"), p("convert_layout", "NCHW"))
    case((2, 3, 4, 5), t("set_layout", "NHWC"), p("convert_layout", ""), NCHW)
    case((1, 3, 4, 5), t("set_shape", [2, 5, 6, 7]), p("crop", [0, 1, 1, 1], [1, 4, 5, 6]))
    case((1, 3, 4, 5), t("set_shape", [1, 3, 6, 7]), p("crop", [0, 0, -5, 1], [1, 3, -1, 6]))
    case((1, 3, 3, 3), U8, t("set_layout", "NHWC"), t("set_shape", [1, 9, 8, 3]), p("crop", [0, 2, 1, 0], [1, 8, 7, 3]), F32, p("resize", "RESIZE_LINEAR"), MEAN, NCHW)
    for mode in ["CONSTANT", "REFLECT", "SYMMETRIC"]:
        case((1, 3, 6, 8), t("set_shape", [1, 3, 4, 4]), p("pad", [0, 0, 1, 2], [0, 0, 1, 2], 7.5 if mode == "CONSTANT" else 0.0, mode))
        case((1, 3, 6, 6), U8, t("set_layout", "NHWC"), t("set_shape", [1, 8, 8, 3]), F32, p("resize", "RESIZE_LINEAR", 4, 3),
             p("pad", [0, 1, 2, 0], [0, 1, 1, 0], 114.0 if mode == "CONSTANT" else 0.0, mode), SCALE, NCHW)
    for layout in ["NCHW", "NHWC"]:
        case((1, 3, 2, 4) if layout == "NCHW" else (1, 2, 4, 3), t("set_layout", layout), p("reverse_channels"))
        case((1, 5, 2, 2), U8, t("set_layout", layout), p("reverse_channels"), NCHW)
    case((1, -1, 2, 2), t("set_layout", "NCHW"), p("reverse_channels"), feed=[(1, 4, 2, 2)])


def pipelines():
    head = [U8, t("set_layout", "NHWC"), t("set_color_format", "BGR")]
    rgb = p("convert_color", "RGB")
    for src, dst in [((11, 13), (5, 7)), ((6, 5), (9, 16)), ((17, 33), (16, 17))]:
        size = t("set_spatial_static_shape", *src)
        shape = (1, 3, *dst)
        for mode in MODES:
            case(shape, *head, size, F32, rgb, p("resize", mode), MEAN, SCALE, NCHW)
        case(shape, *head, size, p("resize", "RESIZE_LINEAR"), rgb, F32, MEAN, SCALE, NCHW, bound=LEVEL / 50)
        case(shape, *head, size, F32, MEAN, SCALE, p("resize", "RESIZE_LINEAR"), rgb, NCHW)
        case(shape, *head, size, F32, p("convert_layout", "NCHW"), p("resize", "RESIZE_LINEAR"), p("reverse_channels"), p("scale", 255.0), NCHW)
        case(shape, *head, size, rgb, F32, p("resize", "RESIZE_CUBIC"), p("scale", 255.0), MEAN, p("convert_layout", "NCHW"))
        case((2, *shape[1:]), *head, size, F32, p("resize", "RESIZE_LINEAR"), p("mean", 127.5), p("scale", 127.5), NCHW)
        case((1, 1, *dst), *head, size, F32, p("convert_color", "GRAY"), p("resize", "RESIZE_LINEAR"), p("scale", 255.0), NCHW)


def outputs():
    for src, dst in [("NCHW", "NHWC"), ("NHWC", "NCHW"), ("NC??", "N??C")]:
        case((1, 2, 3, 4), ("output_model", "set_layout", src), ("output_tensor", "set_layout", dst), ("output_tensor", "set_element_type", "f16"))
    case((1, 2, 3, 4), ("postprocess", "convert_layout", [0, 2, 3, 1]))
    case((1, 2, 3, 4), ("postprocess", "convert_element_type", "i32"))
    case((1, 2, 3, 4), ("output_model", "set_layout", "NCHW"), ("postprocess", "convert_layout", "NHWC"), ("output_tensor", "set_element_type", "f16"))
    case((3, 4), U8, ("output_tensor", "set_element_type", "i32"))


if __name__ == "__main__":
    for make in (resizes, colours, arithmetic, moves, pipelines, outputs):
        make()
    members["cases"] = np.frombuffer(json.dumps(cases).encode(), np.uint8)
    path = os.path.join(HERE, "preprocess.npz")
    np.savez_compressed(path, **members)
    print("%d cases, %d kB" % (len(cases), os.path.getsize(path) // 1024))
