#!/usr/bin/env python3
"""make bench-preprocess: pictures of 1080 x 1920 bytes made into f32 1 x 3 x 640 x 640, by ovlite's PrePostProcessor and by OpenVINO's, in turns.

    python spec/bench/preprocess.py [--threads 1 2] [--rounds 9] [--only linear,nv12]

The models are ovlite's (preprocess.lua writes them); OpenVINO times its own PrePostProcessor of the same steps. Medians over the rounds; the difference of the two outputs is relative
to the largest value.
"""
import argparse
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np
import openvino as ov
from openvino import opset13 as op
from openvino.preprocess import ColorFormat, PrePostProcessor, ResizeAlgorithm

from engines import ROOT, Ovlite, Settings, timed

HEIGHT, WIDTH, SIZE = 1080, 1920, 640
MEAN, SCALE = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
F32 = ov.Type.f32
STEPS = {
    'linear': lambda s, t: s.convert_element_type(F32).resize(ResizeAlgorithm.RESIZE_LINEAR).mean(MEAN).scale(SCALE),
    'linear_u8': lambda s, t: s.resize(ResizeAlgorithm.RESIZE_LINEAR).convert_element_type(F32).mean(MEAN).scale(SCALE),
    'bgr': lambda s, t: (t.set_color_format(ColorFormat.BGR),
                         s.convert_element_type(F32).convert_color(ColorFormat.RGB).resize(ResizeAlgorithm.RESIZE_LINEAR).mean(MEAN).scale(SCALE)),
    'nearest': lambda s, t: s.convert_element_type(F32).resize(ResizeAlgorithm.RESIZE_NEAREST).scale(255.0),
    'cubic': lambda s, t: s.convert_element_type(F32).resize(ResizeAlgorithm.RESIZE_CUBIC).scale(255.0),
    'bilinear_pillow': lambda s, t: s.convert_element_type(F32).resize(ResizeAlgorithm.RESIZE_BILINEAR_PILLOW).scale(255.0),
    'nv12': lambda s, t: (t.set_color_format(ColorFormat.NV12_TWO_PLANES, ['y', 'uv']),
                          s.convert_color(ColorFormat.RGB).convert_element_type(F32).resize(ResizeAlgorithm.RESIZE_LINEAR).mean(MEAN).scale(SCALE)),
}


def peer(name, settings):
    x = op.parameter([1, 3, SIZE, SIZE], F32, name='x')
    x.output(0).set_names({'x'})
    ppp = PrePostProcessor(ov.Model([op.result(x)], [x], name))
    tensor = ppp.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout('NHWC')).set_spatial_static_shape(HEIGHT, WIDTH)
    STEPS[name](ppp.input().preprocess(), tensor)
    ppp.input().model().set_layout(ov.Layout('NCHW'))
    return ov.Core().compile_model(ppp.build(), 'CPU', settings.config())


def compare(name, folder, threads, rounds):
    settings = Settings(threads=threads)
    compiled = peer(name, settings)
    rng = np.random.default_rng(1)
    feeds = {port.any_name: rng.integers(0, 256, list(port.shape), np.uint8) for port in compiled.inputs}
    request = compiled.create_infer_request()
    for key, value in feeds.items():
        request.set_tensor(key, ov.Tensor(value))
    ours = Ovlite(f'{folder}/{name}.xml', feeds, settings)
    request.infer()
    ours.run(20)
    mine, theirs = [], []
    for i in range(rounds):
        for who in ((0, 1), (1, 0))[i % 2]:
            time.sleep(0.02)
            if who:
                mine.append(ours.run(10) / 1e3)
            else:
                theirs.append(timed(request.infer, 10) / 1e3)
    want, got = request.get_output_tensor(0).data, ours.outputs(1)[0]
    ours.close()
    ratio = statistics.median(b / a for a, b in zip(mine, theirs))
    print(f'{name:16} {threads:7} {statistics.median(mine):10.2f} {statistics.median(theirs):12.2f} {ratio:9.1f} x '
          f'{np.abs(got - want).max() / np.abs(want).max():12.1e}', flush=True)


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--threads', type=int, nargs='*', default=[1, 2])
    p.add_argument('--rounds', type=int, default=9)
    p.add_argument('--only', default='')
    options = p.parse_args()
    with tempfile.TemporaryDirectory() as made:
        subprocess.run([os.environ.get('OVLITE_LUA', 'luajit'), 'spec/bench/preprocess.lua', made], cwd=ROOT, env=Ovlite.environment(), check=True)
        print(f'{"steps":16} {"threads":>7} {"ovlite ms":>10} {"OpenVINO ms":>12} {"faster":>11} {"difference":>12}')
        for case in [c for c in options.only.split(',') if c] or STEPS:
            for count in options.threads:
                compare(case, made, count, options.rounds)
