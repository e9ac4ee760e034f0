#!/usr/bin/env python3
"""make compare: ovlite beside OpenVINO and ONNX Runtime, on the same models, in the same minutes.

    make compare [MODELS=dir] [THREADS=2] [COMPARE_FLAGS="--only a,b --precision bf16 --queue --json out.json"]

dir holds NAME/model.onnx or NAME/model.xml; with NAME/case.json its inputs and outputs (.npy) are used, else inputs are random and ONNX Runtime (or
OpenVINO) gives the expected outputs. Where dir is not there, three small models are made. In every round each engine has its turn, in another order,
after a pause in which the others' threads fall asleep. The ratio of a round is ovlite's time over the best peer's; the table shows medians over the
rounds, and the largest difference of ovlite's outputs relative to the largest value. Exit 1 where an output is wrong or a model fails.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime as ort
import openvino as ov

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIMIT = {'f32': 1e-3, 'bf16': 6e-2, 'f16': 6e-2}


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--models', default='')
    p.add_argument('--only', default='', help='names, separated by commas')
    p.add_argument('--precision', default='f32', choices=list(LIMIT))
    p.add_argument('--threads', type=int, default=2)
    p.add_argument('--rounds', type=int, default=9)
    p.add_argument('--seconds', type=float, default=0.4, help='about how long a turn takes')
    p.add_argument('--queue', action='store_true', help='throughput through each engine\'s queue instead of latency')
    p.add_argument('--json', help='write the figures there too')
    return p.parse_args()


# ---- engines: each has name, run(n) -> microseconds a run ----
class Ovlite:
    name = 'ovlite'

    def __init__(self, path, feeds, o, config):
        self.process = subprocess.Popen([os.environ.get('OVLITE_LUA', 'luajit'), 'spec/bench/child.lua'], cwd=ROOT, env=self.environment(), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.verb = 'flood' if o.queue else 'infer'
        self.compile_ms = float(self.ask('compile', path, *[f'{k}={v}' for k, v in config.items()]))
        with tempfile.TemporaryDirectory() as folder:
            for name, value in feeds.items():
                np.save(f'{folder}/x.npy', value)
                self.ask('input', name, f'{folder}/x.npy')

    @staticmethod
    def environment():
        env = dict(os.environ)
        for line in subprocess.run(['make', '-s', 'env'], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
            name, value = line.removeprefix('export ').split('=', 1)
            env[name] = value.strip('"')
        return env

    def ask(self, *words):
        self.process.stdin.write('\t'.join(map(str, words)) + '\n')
        self.process.stdin.flush()
        status, _, answer = self.process.stdout.readline().strip().partition(' ')
        if status != 'ok':
            raise RuntimeError(answer or 'ovlite\'s process ended')
        return answer

    def run(self, n):
        return float(self.ask(self.verb, n))

    def outputs(self, count):
        self.ask('infer', 1)
        with tempfile.TemporaryDirectory() as folder:
            for i in range(count):
                self.ask('output', i + 1, f'{folder}/{i}.npy')
            return [np.load(f'{folder}/{i}.npy') for i in range(count)]

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


def timed(call, n):
    times = []
    for _ in range(n):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


class OpenVino:
    name = 'openvino'

    def __init__(self, path, feeds, o, config):
        core = ov.Core()
        model = core.read_model(path)
        model.reshape({k: list(v.shape) for k, v in feeds.items()})
        self.compiled, self.feeds, self.flood = core.compile_model(model, 'CPU', config), feeds, o.queue
        self.request = self.compiled.create_infer_request()
        self.request.infer(feeds)

    def run(self, n):
        if not self.flood:
            return timed(lambda: self.request.infer(None, share_outputs=True), n)
        queue = ov.AsyncInferQueue(self.compiled)
        start = time.perf_counter()
        for _ in range(n):
            queue.start_async(self.feeds)
        queue.wait_all()
        return (time.perf_counter() - start) * 1e6 / n

    def outputs(self, count):
        return [self.request.get_output_tensor(i).data.copy() for i in range(count)]


class OnnxRuntime:
    name = 'onnxruntime'

    def __init__(self, path, feeds, o, config):
        if not path.endswith('.onnx') or o.precision != 'f32':
            raise RuntimeError('ONNX files at f32 only')
        settings = ort.SessionOptions()
        settings.intra_op_num_threads = o.threads
        self.session, self.feeds = ort.InferenceSession(path, settings, providers=['CPUExecutionProvider']), feeds

    def run(self, n):
        return timed(lambda: self.session.run(None, self.feeds), n)

    def outputs(self, count):
        return self.session.run(None, self.feeds)[:count]


# ---- models ----
def made_models(folder):
    """A few small nets for who has no models at hand."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    rng = np.random.default_rng(1)

    def save(name, shape, nodes, weights):
        os.makedirs(f'{folder}/{name}', exist_ok=True)
        values = [numpy_helper.from_array(w if w.dtype == np.int64 else w.astype('f4'), k) for k, w in weights.items()]
        graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)],
                                  [helper.make_tensor_value_info('y', TensorProto.FLOAT, None)], values)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)])
        model.ir_version = 8
        onnx.save(model, f'{folder}/{name}/model.onnx')

    def normal(*shape):
        return rng.normal(0, 1 / np.sqrt(np.prod(shape[1:] if len(shape) > 2 else shape[:1])), shape)

    node, nodes, weights, last, c = helper.make_node, [], {}, 'x', 3
    for i, (out, stride, group) in enumerate([(32, 2, 1), (32, 1, 32), (64, 1, 1), (64, 2, 64), (128, 1, 1), (128, 1, 1)]):
        k = 3 if group > 1 or i in (0, 5) else 1
        weights[f'w{i}'], weights[f'b{i}'] = normal(out, c // group, k, k), rng.normal(0, 0.1, out)
        nodes += [node('Conv', [last, f'w{i}', f'b{i}'], [f'c{i}'], strides=[stride] * 2, pads=[k // 2] * 4, group=group), node('Relu', [f'c{i}'], [f'r{i}'])]
        last, c = f'r{i}', out
    weights['fc'] = normal(128, 100)
    nodes += [node('GlobalAveragePool', [last], ['g']), node('Flatten', ['g'], ['f']), node('MatMul', ['f', 'fc'], ['y'])]
    save('small_conv', [1, 3, 128, 128], nodes, weights)

    save('small_mlp', [64, 256], [node('MatMul', ['x', 'a'], ['h']), node('Tanh', ['h'], ['t']), node('MatMul', ['t', 'b'], ['z']), node('Softmax', ['z'], ['y'])],
         {'a': normal(256, 1024), 'b': normal(1024, 256)})

    weights = {k: normal(192, 192) for k in 'qkv'} | {'s': np.array(192 ** -0.5), 'up': normal(192, 768), 'down': normal(768, 192)}
    nodes = [node('MatMul', ['x', k], [k + '1']) for k in 'qkv'] + [
        node('Transpose', ['k1'], ['kt'], perm=[0, 2, 1]), node('MatMul', ['q1', 'kt'], ['scores']), node('Mul', ['scores', 's'], ['scaled']),
        node('Softmax', ['scaled'], ['p'], axis=-1), node('MatMul', ['p', 'v1'], ['a']), node('Add', ['a', 'x'], ['sum']),
        node('MatMul', ['sum', 'up'], ['u']), node('Relu', ['u'], ['ur']), node('MatMul', ['ur', 'down'], ['d']), node('Add', ['d', 'sum'], ['y'])]
    save('small_attention', [1, 128, 192], nodes, weights)


def find_models(o):
    folder = o.models
    if not folder or not os.path.isdir(folder):
        folder = os.path.join(ROOT, 'build', 'compare-models')
        print(f'no models at {o.models or "MODELS"}: made some in {folder}', file=sys.stderr)
        made_models(folder)
    for name in o.only.split(',') if o.only else sorted(os.listdir(folder)):
        path = next((p for p in (f'{folder}/{name}/model.onnx', f'{folder}/{name}/model.xml') if os.path.exists(p)), None)
        if path:
            yield name, path


def feeds_and_expected(path):
    here, case = os.path.dirname(path), os.path.join(os.path.dirname(path), 'case.json')
    if os.path.exists(case):
        with open(case) as f:
            case = json.load(f)
        wanted = [o.get('ir_file', o['file']) if path.endswith('.xml') else o['file'] for o in case['outputs']]
        return {i['name']: np.load(f"{here}/{i['file']}") for i in case['inputs']}, [np.load(f'{here}/{w}') for w in wanted]
    rng, model = np.random.default_rng(2), ov.Core().read_model(path)
    return {p.any_name: rng.normal(0, 1, [d.get_length() if d.is_static else 1 for d in p.partial_shape]).astype(p.element_type.to_dtype())
            for p in model.inputs}, None


def difference(got, want):
    if got.shape != want.shape:
        raise RuntimeError(f'an output of shape {got.shape}, expected {want.shape}')
    got, want = got.astype('f8'), want.astype('f8')
    return float(np.abs(got - want).max() / max(np.abs(want).max(), 1e-30)) if want.size else 0.0


def compare(path, o):
    feeds, expected = feeds_and_expected(path)
    config = {'PERFORMANCE_HINT': 'THROUGHPUT' if o.queue else 'LATENCY', 'INFERENCE_NUM_THREADS': o.threads, 'INFERENCE_PRECISION_HINT': o.precision}
    engines, mine = [], Ovlite(path, feeds, o, config)
    try:
        for kind in (OnnxRuntime, OpenVino):
            try:
                engines.append(kind(path, feeds, o, config))
            except Exception as e:
                print(f'  {kind.name} steps aside: {str(e).strip().splitlines()[-1][:140]}', file=sys.stderr)
        if expected is None:
            exact = OpenVino(path, feeds, o, config | {'INFERENCE_PRECISION_HINT': 'f32'}) if not engines or o.precision != 'f32' else engines[0]
            expected = exact.outputs(len(ov.Core().read_model(path).outputs))
        wrong = max((difference(a, b) for a, b in zip(mine.outputs(len(expected)), expected)), default=0.0)
        engines.append(mine)
        runs = {e.name: max(3, int(o.seconds * 1e6 / max(e.run(3), 1))) for e in engines}
        times = {e.name: [] for e in engines}
        for turn in range(o.rounds):
            for i in range(len(engines)):
                engine = engines[(turn + i) % len(engines)]
                time.sleep(0.03)
                engine.run(2)
                times[engine.name].append(engine.run(runs[engine.name]))
    finally:
        mine.close()
    peers = [min(t) for t in zip(*[v for k, v in times.items() if k != 'ovlite'])]
    ratio = statistics.median(a / b for a, b in zip(times['ovlite'], peers)) if peers else None
    return {'ms': {k: statistics.median(v) / 1e3 for k, v in times.items()}, 'ratio': ratio, 'difference': wrong, 'compile_ms': mine.compile_ms}


def main():
    o, rows, bad = options(), {}, 0
    print(f"{'model':22}{'ovlite':>10}{'openvino':>10}{'onnxrt':>10}{'ratio':>8}{'difference':>12}{'compile':>9}   ({o.precision}, {o.threads} threads, "
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
        print(f"{name:22}{cells}{ratio}{row['difference']:12.1e}{row['compile_ms']:9.0f}{'  WRONG' if wrong else ''}", flush=True)
    ratios = [r['ratio'] for r in rows.values() if r['ratio']]
    if ratios:
        print(f'geometric mean of the ratios: {statistics.geometric_mean(ratios):.3f} over {len(ratios)} models; wrong or failed: {bad}')
    if o.json:
        with open(o.json, 'w') as f:
            json.dump(rows, f, indent=1)
    sys.exit(1 if bad else 0)


main()
