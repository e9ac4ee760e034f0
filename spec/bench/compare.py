#!/usr/bin/env python3
"""make compare: ovlite beside OpenVINO and ONNX Runtime, on the same models, in the same minutes.

    make compare [MODELS=dir] [THREADS=2] [COMPARE_FLAGS="--only a,b --precision bf16 --throughput --json out.json"]

dir is a model or holds models (.onnx, or .xml with its .bin), in any depth; a folder with model.onnx and model.xml counts once, as ONNX. With a
case.json beside it (lists `inputs` and `outputs` of {name, file}) those .npy files are used, else inputs are random and ONNX Runtime (or OpenVINO)
gives the expected outputs. Where dir is not there, three small models are made. In every round each engine has its turn, in another order, after a pause in which the
others' threads fall asleep. The ratio of a round is ovlite's time over the best peer's; the table shows medians over the rounds, the largest
difference of ovlite's outputs relative to the largest value, and how long reading and compiling takes beside the best peer's. Exit 1 where an output
is wrong or a model fails.
"""
import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import openvino as ov

from engines import ROOT, OnnxRuntime, OpenVino, Ovlite, Settings
from nets import Net, normal

LIMIT = {'f32': 1e-3, 'bf16': 6e-2, 'f16': 6e-2}


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--models', default='')
    p.add_argument('--only', default='', help='names, separated by commas')
    p.add_argument('--precision', default='f32', choices=list(LIMIT))
    p.add_argument('--threads', type=int, default=2)
    p.add_argument('--rounds', type=int, default=9)
    p.add_argument('--seconds', type=float, default=0.4, help='about how long a turn takes')
    p.add_argument('--throughput', '--queue', dest='queue', action='store_true', help='runs through each engine\'s queue instead of latency')
    p.add_argument('--busy', type=int, default=0, help='so many busy processes beside the engines')
    p.add_argument('--json', help='write the figures there too')
    return p.parse_args()


# ---- models ----
def made_models(folder):
    """A few small nets for who has no models at hand."""
    net, y, channels = Net(x=('f4', (1, 3, 128, 128))), 'x', 3
    for i, (out, stride, groups) in enumerate([(32, 2, 1), (32, 1, 32), (64, 1, 1), (64, 2, 64), (128, 1, 1), (128, 1, 1)]):
        y, channels = net.conv(y, channels, out, 3 if groups > 1 or i in (0, 5) else 1, stride, groups, act='Relu'), out
    net.save(f'{folder}/small_conv', net.op('MatMul', net.op('Flatten', net.op('GlobalAveragePool', y)), normal(128, 100, scale=128 ** -.5)))

    net = Net(x=('f4', (64, 256)))
    y = net.op('MatMul', net.op('Tanh', net.op('MatMul', 'x', normal(256, 1024, scale=256 ** -.5))), normal(1024, 256, scale=1024 ** -.5))
    net.save(f'{folder}/small_mlp', net.op('Softmax', y))

    net = Net(x=('f4', (1, 128, 192)))
    q, k, v = (net.op('MatMul', 'x', normal(192, 192, scale=192 ** -.5)) for _ in range(3))
    scores = net.op('Mul', net.op('MatMul', q, net.op('Transpose', k, perm=[0, 2, 1])), 192 ** -.5)
    y = net.op('Add', net.op('MatMul', net.op('Softmax', scores, axis=-1), v), 'x')
    up = net.op('Relu', net.op('MatMul', y, normal(192, 768, scale=192 ** -.5)))
    net.save(f'{folder}/small_attention', net.op('Add', net.op('MatMul', up, normal(768, 192, scale=768 ** -.5)), y))


def is_ir(path):
    with open(path, 'rb') as f:
        return b'<net' in f.read(400)


def find_models(o):
    """(name, path) of every model below the folder; the name is the path without what goes without saying."""
    folder = o.models
    if os.path.isfile(folder):
        yield os.path.basename(folder), folder
        return
    if not folder or not os.path.isdir(folder):
        folder = os.path.join(ROOT, 'build', 'compare-models')
        print(f'no models at {o.models or "MODELS"}: made some in {folder}', file=sys.stderr)
        made_models(folder)
    found = {}
    for here, _, files in os.walk(folder):
        for file in files:
            stem, ending = os.path.splitext(os.path.join(here, file))
            if ending == '.onnx' or (ending == '.xml' and os.path.exists(stem + '.bin') and is_ir(stem + ending)):
                name = os.path.relpath(stem, folder)
                found[name.removesuffix('/model')] = stem + ('.onnx' if os.path.exists(stem + '.onnx') else ending)
    for name in o.only.split(',') if o.only else sorted(found):
        if name not in found:
            sys.exit(f'there is no model {name} in {folder}; there are: {", ".join(sorted(found)) or "none"}')
        yield name, found[name]


def random_input(rng, port):
    shape = [d.get_length() if d.is_static else max(d.get_min_length(), 1) for d in port.partial_shape]
    dtype = port.element_type.to_dtype()
    if np.issubdtype(dtype, np.floating):
        return rng.normal(0, 1, shape).astype(dtype)
    return rng.integers(0, 2, shape).astype(dtype)


def feeds_and_expected(path):
    here, case = os.path.dirname(path), os.path.join(os.path.dirname(path), 'case.json')
    if os.path.exists(case):
        with open(case) as f:
            case = json.load(f)
        wanted = [o.get('ir_file', o['file']) if path.endswith('.xml') else o['file'] for o in case['outputs']]
        return {i['name']: np.load(f"{here}/{i['file']}") for i in case['inputs']}, [np.load(f'{here}/{w}') for w in wanted]
    rng, model = np.random.default_rng(2), ov.Core().read_model(path)
    return {p.any_name: random_input(rng, p) for p in model.inputs}, None


def difference(got, want):
    if got.shape != want.shape:
        raise RuntimeError(f'an output of shape {got.shape}, expected {want.shape}')
    got, want = got.astype('f8'), want.astype('f8')
    return float(np.abs(got - want).max() / max(np.abs(want).max(), 1e-30)) if want.size else 0.0


def in_turns(engines, o):
    """Microseconds a run: {name: one median a round}."""
    runs = {e.name: max(3, int(o.seconds * 1e6 / max(e.run(3), 1))) for e in engines}
    times = {e.name: [] for e in engines}
    for turn in range(o.rounds):
        for i in range(len(engines)):
            engine = engines[(turn + i) % len(engines)]
            time.sleep(0.03)
            engine.run(2)
            times[engine.name].append(engine.run(runs[engine.name]))
    return times


def compare(path, o):
    feeds, expected = feeds_and_expected(path)
    settings = Settings(o.threads, o.precision, o.queue)
    engines, mine = [], Ovlite(path, feeds, settings)
    try:
        for kind in (OnnxRuntime, OpenVino):
            try:
                engines.append(kind(path, feeds, settings))
            except Exception as e:
                print(f'  {kind.name} steps aside: {str(e).strip().splitlines()[-1][:140]}', file=sys.stderr)
        if expected is None:
            exact = OpenVino(path, feeds, Settings(o.threads)) if not engines or o.precision != 'f32' else engines[0]
            expected = exact.outputs(len(ov.Core().read_model(path).outputs))
        wrong = max((difference(a, b) for a, b in zip(mine.outputs(len(expected)), expected)), default=0.0)
        start = {e.name: e.start_ms for e in engines + [mine]}
        times = in_turns(engines + [mine], o)
    finally:
        mine.close()
    peers = [min(t) for t in zip(*[v for k, v in times.items() if k != 'ovlite'])]
    ratio = statistics.median(a / b for a, b in zip(times['ovlite'], peers)) if peers else None
    return {'ms': {k: statistics.median(v) / 1e3 for k, v in times.items()}, 'ratio': ratio, 'difference': wrong, 'start_ms': start}


@contextlib.contextmanager
def busy_processes(n):
    processes = [subprocess.Popen([sys.executable, '-c', 'while True: pass']) for _ in range(n)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()


def main():
    o = options()
    with busy_processes(o.busy):
        return compare_all(o)


def compare_all(o):
    rows, bad = {}, 0
    print(f"{'model':22}{'ovlite':>10}{'openvino':>10}{'onnxrt':>10}{'ratio':>8}{'difference':>12}{'start':>8}{'peer':>8}   ({o.precision}, {o.threads} threads, "
          f"{'queue' if o.queue else 'latency'}, ms)")
    for name, path in find_models(o):
        try:
            row = compare(path, o)
        except Exception as e:
            bad += 1
            print(f'{name:22} failed: {e}')
            continue
        wrong = not row['difference'] <= LIMIT[o.precision]
        bad += wrong
        rows[name] = row
        cells = ''.join(f"{row['ms'][k]:10.3f}" if k in row['ms'] else f"{'-':>10}" for k in ('ovlite', 'openvino', 'onnxruntime'))
        ratio = f"{row['ratio']:8.2f}" if row['ratio'] else f"{'-':>8}"
        peer = min((v for k, v in row['start_ms'].items() if k != 'ovlite'), default=float('nan'))
        print(f"{name:22}{cells}{ratio}{row['difference']:12.1e}{row['start_ms']['ovlite']:8.1f}{peer:8.1f}{'  WRONG' if wrong else ''}", flush=True)
    ratios = [r['ratio'] for r in rows.values() if r['ratio']]
    if ratios:
        print(f'geometric mean of the ratios: {statistics.geometric_mean(ratios):.3f} over {len(ratios)} models; wrong or failed: {bad}')
    if o.json:
        with open(o.json, 'w') as f:
            json.dump(rows, f, indent=1)
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
