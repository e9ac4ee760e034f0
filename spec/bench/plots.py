#!/usr/bin/env python3
"""make bench-plots: how cost grows with work, ovlite beside OpenVINO and ONNX Runtime, as SVG in build/plots.

    make bench-plots [MODELS=dir] [THREADS=2] [PLOT_FLAGS="--only batch,sequence"]

batch      batch 1 to 32 of dir's mobilenet_v2, or of a small convolutional net made here
chain      chains of 10 to 10,000 small nodes (products of 16 numbers by 16x16 and activations in turn): a run, and reading and compiling
sequence   sequences of 16 to 2048 of dir's bert_mini, or of a small attention block made here

At each size the engines have their turns in one run; a point is the median over the rounds. An engine that needs longer than --patience seconds
to start leaves the larger sizes out. The figures go into a .json beside each picture, with the steepness of each line: the power of the size with
which its cost grows over the upper half of the sizes.
"""
import argparse
import json
import math
import os
import statistics
import sys
import time

import numpy as np

from engines import ROOT, OnnxRuntime, OpenVino, Ovlite, Settings

ENGINES = (Ovlite, OpenVino, OnnxRuntime)
COLOURS = {'ovlite': '#4269d0', 'openvino': '#efb118', 'onnxruntime': '#3ca951'}


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--models', default='')
    p.add_argument('--threads', type=int, default=2)
    p.add_argument('--only', default='batch,chain,sequence', help='which plots, separated by commas')
    p.add_argument('--out', default=os.path.join(ROOT, 'build', 'plots'))
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--seconds', type=float, default=0.1, help='about how long a turn takes')
    p.add_argument('--patience', type=float, default=15)
    return p.parse_args()


# ---- models ----
def save(path, shape_in, shape_out, nodes, weights):
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    values = [numpy_helper.from_array(w if w.dtype == np.int64 else w.astype('f4'), k) for k, w in weights.items()]
    graph = helper.make_graph(nodes, 'made', [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape_in)],
                              [helper.make_tensor_value_info('y', TensorProto.FLOAT, shape_out)], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def chain_model(folder, n):
    from onnx import helper
    rng, nodes, last = np.random.default_rng(1), [], 'x'
    for i in range(n):
        name = 'y' if i == n - 1 else f'v{i}'
        nodes.append(helper.make_node('MatMul', [last, 'w'], [name]) if i % 2 == 0 else helper.make_node('Relu', [last], [name]))
        last = name
    return save(f'{folder}/chain{n}.onnx', [1, 16], [1, 16], nodes, {'w': np.eye(16) * 0.99 + rng.normal(0, 0.01, (16, 16))})


def conv_model(folder):
    from onnx import helper
    rng, nodes, weights, last, c = np.random.default_rng(1), [], {}, 'x', 3
    for i, (out, stride, k) in enumerate([(32, 2, 3), (64, 2, 3), (64, 1, 3), (128, 2, 3), (128, 1, 1)]):
        weights[f'w{i}'] = rng.normal(0, 1 / math.sqrt(c * k * k), (out, c, k, k))
        nodes += [helper.make_node('Conv', [last, f'w{i}'], [f'c{i}'], strides=[stride] * 2, pads=[k // 2] * 4),
                  helper.make_node('Relu', [f'c{i}'], [f'r{i}'])]
        last, c = f'r{i}', out
    nodes.append(helper.make_node('GlobalAveragePool', [last], ['y']))
    return save(f'{folder}/conv.onnx', ['n', 3, 128, 128], ['n', 128, 1, 1], nodes, weights)


def attention_model(folder):
    from onnx import helper
    rng, node = np.random.default_rng(1), helper.make_node
    weights = {k: rng.normal(0, 0.07, (192, 192)) for k in 'qkv'} | {'s': np.array(192 ** -0.5)}
    nodes = [node('MatMul', ['x', k], [k + '1']) for k in 'qkv'] + [
        node('Transpose', ['k1'], ['kt'], perm=[0, 2, 1]), node('MatMul', ['q1', 'kt'], ['scores']), node('Mul', ['scores', 's'], ['scaled']),
        node('Softmax', ['scaled'], ['p'], axis=-1), node('MatMul', ['p', 'v1'], ['a']), node('Add', ['a', 'x'], ['y'])]
    return save(f'{folder}/attention.onnx', [1, 's', 192], [1, 's', 192], nodes, weights)


def lengthened(path, to, limit, length):
    """The model with its tables of `limit` positions repeated up to `length`: it was trained for shorter texts than it is timed on."""
    import onnx
    from onnx import numpy_helper
    model = onnx.load(path)
    constants = [a.t for n in model.graph.node if n.op_type == 'Constant' for a in n.attribute if a.name == 'value']
    for w in [*model.graph.initializer, *constants]:
        if limit in w.dims:
            axis = list(w.dims).index(limit)
            value = numpy_helper.to_array(w)
            if np.issubdtype(value.dtype, np.integer) and np.array_equal(value.ravel(), np.arange(limit)):
                value = np.arange(length, dtype=value.dtype).reshape([length if d == limit else d for d in w.dims])
            else:
                value = np.concatenate([value] * (length // limit), axis)
            w.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), w.name))
    onnx.save(model, to)
    return to


def given(o, name):
    path = os.path.join(o.models, name, 'model.onnx')
    return path if o.models and os.path.exists(path) else None


# ---- the plots: (sizes, title, label of the size, model and feeds of a size) ----
def batch_case(o, folder):
    path, rng = given(o, 'mobilenet_v2'), np.random.default_rng(3)
    side, name, path = (224, 'input', path) if path else (128, 'x', conv_model(folder))
    title = 'mobilenet_v2' if side == 224 else 'a small convolutional net'
    return [1, 2, 4, 8, 16, 32], f'Batches through {title}', 'batch', lambda n: (path, {name: rng.normal(0, 1, (n, 3, side, side)).astype('f4')})


def chain_case(o, folder):
    rng = np.random.default_rng(3)
    sizes = [10, 30, 100, 300, 1000, 3000, 10000]
    return sizes, 'Chains of small nodes', 'nodes', lambda n: (chain_model(folder, n), {'x': rng.normal(0, 1, (1, 16)).astype('f4')})


def sequence_case(o, folder):
    path, rng = given(o, 'bert_mini'), np.random.default_rng(3)
    sizes = [16, 32, 64, 128, 256, 512, 1024, 2048]
    if not path:
        made = attention_model(folder)
        return sizes, 'Sequences through an attention block', 'length', lambda n: (made, {'x': rng.normal(0, 1, (1, n, 192)).astype('f4')})
    longer = lengthened(path, f'{folder}/bert_mini_long.onnx', 512, sizes[-1])

    def feeds(n):
        return longer, {'input_ids': rng.integers(5, 900, (1, n)).astype('i8'), 'attention_mask': np.ones((1, n), 'i8')}
    return sizes, 'Sequences through bert_mini', 'tokens', feeds


CASES = {'batch': batch_case, 'chain': chain_case, 'sequence': sequence_case}


# ---- measuring ----
def open_engines(path, feeds, o, tired):
    engines = []
    for kind in ENGINES:
        if kind.name in tired:
            continue
        try:
            engines.append(kind(path, feeds, Settings(o.threads)))
        except Exception as e:
            print(f'  {kind.name} steps aside: {str(e).strip().splitlines()[-1][:140]}', file=sys.stderr)
            tired.add(kind.name)
    tired.update(e.name for e in engines if e.start_ms > o.patience * 1e3)
    return engines


def measure(case, o, folder):
    sizes, title, label, model = case(o, folder)
    rows, tired = {e.name: {} for e in ENGINES}, set()
    for n in sizes:
        path, feeds = model(n)
        engines = open_engines(path, feeds, o, tired)
        runs = {e.name: max(2, min(2000, int(o.seconds * 1e6 / max(e.run(2), 1)))) for e in engines}
        times = {e.name: [] for e in engines}
        for _ in range(o.rounds):
            for e in engines:
                time.sleep(0.03)  # the others' threads fall asleep
                e.run(1)
                times[e.name].append(e.run(runs[e.name]))
        for e in engines:
            rows[e.name][n] = {'ms': statistics.median(times[e.name]) / 1e3, 'start_ms': e.start_ms}
            e.close()
        print(f'  {label} {n}: ' + ', '.join(f"{e.name} {rows[e.name][n]['ms']:.3f} ms (start {e.start_ms:.0f})" for e in engines), flush=True)
    return title, label, rows


def steepness(points):
    """The power of the size with which the cost grows, over the upper half of the sizes."""
    sizes = sorted(points)
    if len(sizes) < 2:
        return None
    low, high = sizes[len(sizes) // 2 - (len(sizes) == 2)], sizes[-1]
    return math.log(points[high] / points[low]) / math.log(high / low)


# ---- pictures ----
def number(x):
    return f'{x:g}' if x < 1e4 else f'{x / 1000:g}k'


def milliseconds(x):
    return f'{x * 1000:g} us' if x < 1 else f'{x:g} ms' if x < 1000 else f'{x / 1000:g} s'


class LogPlot:
    """Lines over two logarithmic axes, in 760 x 470."""
    LEFT, TOP, WIDTH, HEIGHT = 74, 56, 520, 350

    def __init__(self, title, x_label, y_label, lines):
        self.title, self.x_label, self.y_label, self.lines = title, x_label, y_label, {k: v for k, v in lines.items() if v}
        xs = [x for v in self.lines.values() for x in v]
        ys = [y for v in self.lines.values() for y in v.values()]
        self.x_range = (min(xs), max(xs))
        self.y_range = (10 ** math.floor(math.log10(min(ys))), 10 ** math.ceil(math.log10(max(ys) * 1.0001)))

    def x(self, v):
        low, high = map(math.log, self.x_range)
        return self.LEFT + (math.log(v) - low) / max(high - low, 1e-9) * self.WIDTH

    def y(self, v):
        low, high = map(math.log, self.y_range)
        return self.TOP + self.HEIGHT - (math.log(v) - low) / max(high - low, 1e-9) * self.HEIGHT

    def grid(self):
        bottom, right = self.TOP + self.HEIGHT, self.LEFT + self.WIDTH
        for x in sorted({x for v in self.lines.values() for x in v}):
            yield f'<line class="grid" x1="{self.x(x):.1f}" y1="{self.TOP}" x2="{self.x(x):.1f}" y2="{bottom}"/>'
            yield f'<text class="middle" x="{self.x(x):.1f}" y="{bottom + 18}">{number(x)}</text>'
        y = self.y_range[0]
        while y <= self.y_range[1] * 1.001:
            yield f'<line class="grid" x1="{self.LEFT}" y1="{self.y(y):.1f}" x2="{right}" y2="{self.y(y):.1f}"/>'
            yield f'<text class="end" x="{self.LEFT - 8}" y="{self.y(y) + 4:.1f}">{milliseconds(round(y, 9))}</text>'
            y *= 10
        yield f'<text class="middle soft" x="{self.LEFT + self.WIDTH / 2}" y="{bottom + 40}">{self.x_label}</text>'
        yield f'<text class="soft" x="{self.LEFT - 66}" y="{self.TOP - 12}">{self.y_label}</text>'

    def proportional(self):
        """Where ovlite would be if cost were proportional to the size, from its largest size down."""
        points = self.lines.get('ovlite')
        if not points or len(points) < 2:
            return
        first, last = min(points), max(points)
        start = max(points[last] * first / last, self.y_range[0])
        first = start / points[last] * last
        yield (f'<line class="ideal" x1="{self.x(first):.1f}" y1="{self.y(start):.1f}" x2="{self.x(last):.1f}" y2="{self.y(points[last]):.1f}"/>')

    def curves(self):
        ends = []
        for name, points in self.lines.items():
            at = [(self.x(x), self.y(y)) for x, y in sorted(points.items())]
            yield f'<polyline stroke="{COLOURS[name]}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in at)}"/>'
            yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{COLOURS[name]}"/>' for x, y in at)
            ends.append((at[-1][1], name, points[max(points)], steepness(points)))
        lowest = self.TOP
        for y, name, value, power in sorted(ends):
            y = max(y, lowest)
            lowest = y + 32
            grows = f', grows as size^{power:.2f}' if power else ''
            x = self.LEFT + self.WIDTH + 10
            yield f'<text x="{x}" y="{y:.1f}" fill="{COLOURS[name]}" class="name">{name}</text>'
            yield f'<text x="{x}" y="{y + 14:.1f}" class="small">{milliseconds(float(f"{value:.3g}"))}{grows}</text>'

    def svg(self):
        style = ('text{font:12px system-ui,"Liberation Sans",Arial,sans-serif;fill:#1d2430}.title{font-size:16px;font-weight:600}.soft{fill:#667085}'
                 '.middle{text-anchor:middle}.end{text-anchor:end}.small{font-size:11px;fill:#667085}.name{font-weight:600}.grid{stroke:#e3e7ee}'
                 '.ideal{stroke:#9498a0;stroke-dasharray:4 4}'
                 'polyline{fill:none;stroke-width:2.2}')
        names = ''.join(f'text[fill="{c}"]{{fill:{c}}}' for c in COLOURS.values())
        body = [*self.grid(), *self.proportional(), *self.curves()]
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 790 470" width="790" height="470"><style>{style}{names}</style>\n'
                f'<rect width="790" height="470" fill="#fff"/><text class="title" x="8" y="24">{self.title}</text>'
                f'<text class="small" x="{self.LEFT + self.WIDTH + 10}" y="{self.TOP + self.HEIGHT - 22}">dashed: in proportion</text>'
                f'<text class="small" x="{self.LEFT + self.WIDTH + 10}" y="{self.TOP + self.HEIGHT - 8}">to ovlite\'s largest</text>\n'
                + '\n'.join(body) + '\n</svg>\n')


def write(o, name, title, label, y_label, lines):
    with open(f'{o.out}/{name}.svg', 'w') as f:
        f.write(LogPlot(title, label, y_label, lines).svg())
    for engine, points in lines.items():
        power = steepness(points)
        if power:
            print(f'  {name}: {engine} grows as size^{power:.2f}')
    print(f'  -> {o.out}/{name}.svg')


def main():
    o = options()
    folder = os.path.join(o.out, 'models')
    os.makedirs(folder, exist_ok=True)
    for name in o.only.split(','):
        if name not in CASES:
            sys.exit(f'there is no plot {name}; there are {", ".join(CASES)}')
        print(name, flush=True)
        title, label, rows = measure(CASES[name], o, folder)
        with open(f'{o.out}/{name}.json', 'w') as f:
            json.dump(rows, f, indent=1)
        write(o, name, f'{title}: a run', label, 'time of a run', {e: {n: r['ms'] for n, r in v.items()} for e, v in rows.items()})
        starts = {e: {n: r['start_ms'] for n, r in v.items()} for e, v in rows.items()}
        write(o, name + '_start', f'{title}: reading and compiling', label, 'time to start', starts)


if __name__ == '__main__':
    main()
