#!/usr/bin/env python3
"""make bench-start: how long a start takes, and how much memory, for ovlite, ONNX Runtime and OpenVINO: each in a fresh process, in turns.

    make bench-start [MODELS=dir] [THREADS=2] [START_FLAGS="--only resnet26 --rounds 5"]

Times are inside the process, after its libraries are loaded: `compile` is reading and compiling (ONNX Runtime: creating the session), `first` until the first
result is there. `warm`: with a CACHE_DIR that the same model has been through once. Peak memory is that of the whole process, interpreter and libraries included.
The ratios are medians over rounds of ovlite's figure over the peer's.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def peer(kind, folder, threads, cache):
    """Runs in a child: prints what one start took."""
    import time

    import numpy as np
    with open(f'{folder}/case.json') as f:
        feeds = {i['name']: np.load(f"{folder}/{i['file']}") for i in json.load(f)['inputs']}
    if kind == 'onnxruntime':
        import onnxruntime as ort
        start = time.perf_counter()
        settings = ort.SessionOptions()
        settings.intra_op_num_threads = threads
        session = ort.InferenceSession(f'{folder}/model.onnx', settings, providers=['CPUExecutionProvider'])
        ready = time.perf_counter()
        session.run(None, feeds)
    else:
        import openvino as ov
        start = time.perf_counter()
        config = {'INFERENCE_NUM_THREADS': threads, 'INFERENCE_PRECISION_HINT': 'f32'} | ({'CACHE_DIR': cache} if cache != '-' else {})
        compiled = ov.Core().compile_model(f'{folder}/model.onnx', 'CPU', config)
        ready = time.perf_counter()
        compiled.create_infer_request().infer(feeds)
    first = time.perf_counter()
    with open('/proc/self/status') as f:
        peak = int(re.search(r'VmHWM:\s*(\d+)', f.read()).group(1)) // 1024
    print(json.dumps({'compile': (ready - start) * 1e3, 'first': (first - start) * 1e3, 'peak': peak}))


def environment():
    env = dict(os.environ)
    for line in subprocess.run(['make', '-s', 'env'], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        name, value = line.removeprefix('export ').split('=', 1)
        env[name] = value.strip('"')
    return env


def run(kind, folder, threads, cache, env):
    if kind == 'ovlite':
        with open(f'{folder}/case.json') as f:
            inputs = [f"{i['name']}={folder}/{i['file']}" for i in json.load(f)['inputs']]
        command = [env.get('OVLITE_LUA', 'luajit'), 'spec/bench/start_child.lua', f'{folder}/model.onnx', str(threads), cache, *inputs]
    else:
        command = [sys.executable, os.path.abspath(__file__), '--peer', kind, '--folder', folder, '--threads', str(threads), '--cache', cache]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f'{kind}: {done.stderr.strip().splitlines()[-1:]}')
    return json.loads(done.stdout)


CONTENDERS = [('ovlite', 'cold'), ('onnxruntime', 'cold'), ('openvino', 'cold'), ('ovlite', 'warm'), ('openvino', 'warm')]


def measure(folder, o, env):
    rows = {c: [] for c in CONTENDERS}
    with tempfile.TemporaryDirectory() as cache:
        for kind in ('ovlite', 'openvino'):
            run(kind, folder, o.threads, f'{cache}/{kind}', env)
        for turn in range(o.rounds):
            for i in range(len(CONTENDERS)):
                kind, how = c = CONTENDERS[(turn + i) % len(CONTENDERS)]
                rows[c].append(run(kind, folder, o.threads, f'{cache}/{kind}' if how == 'warm' else '-', env))
    return rows


def ratio(rows, mine, peers, what):
    return statistics.median(a[what] / b[what] for a, b in zip(rows[mine], rows[peers]))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--models', default='')
    p.add_argument('--only', default='', help='names, separated by commas')
    p.add_argument('--threads', type=int, default=2)
    p.add_argument('--rounds', type=int, default=5)
    p.add_argument('--json', help='write the figures there too')
    p.add_argument('--peer')
    p.add_argument('--folder')
    p.add_argument('--cache', default='-')
    o = p.parse_args()
    if o.peer:
        return peer(o.peer, o.folder, o.threads, o.cache)
    env, table = environment(), {}
    ort, mine, warm, vino = ('onnxruntime', 'cold'), ('ovlite', 'cold'), ('ovlite', 'warm'), ('openvino', 'cold')
    print(f'{"":20}{"compile, ms":^40}{"first result, ms":^40}{"peak MB":^24}{"ratios":^40}')
    heads = ['ovlite', 'onnxrt', 'openvino', 'warm', 'ov warm']
    print(f'{"model":20}' + ''.join(f'{h:>8}' for h in heads + heads + ['ovlite', 'onnxrt', 'openvino', 'cold', 'warm', 'first', 'memory']))
    for name in o.only.split(',') if o.only else sorted(os.listdir(o.models)):
        folder = os.path.abspath(f'{o.models}/{name}')
        if not os.path.exists(f'{folder}/model.onnx') or not os.path.exists(f'{folder}/case.json'):
            continue
        try:
            rows = table[name] = measure(folder, o, env)
        except RuntimeError as e:  # a model that one of them does not take is no ground for comparison
            print(f'{name:20}left out: {str(e)[:120]}')
            continue
        cells = [statistics.median(r[what] for r in rows[c]) for what in ('compile', 'first') for c in CONTENDERS]
        cells += [statistics.median(r['peak'] for r in rows[c]) for c in (mine, ort, vino)]
        ratios = [ratio(rows, mine, ort, 'compile'), ratio(rows, warm, ort, 'compile'), ratio(rows, mine, ort, 'first'), ratio(rows, mine, vino, 'peak')]
        print(f'{name:20}' + ''.join(f'{c:8.0f}' for c in cells) + ''.join(f'{r:8.2f}' for r in ratios), flush=True)
    print('ratios: compile cold and warm, and first result, over ONNX Runtime\'s; memory over OpenVINO\'s')
    if table:
        means = [statistics.geometric_mean(ratio(r, a, b, w) for r in table.values())
                 for a, b, w in ((mine, ort, 'compile'), (warm, ort, 'compile'), (mine, ort, 'first'), (mine, vino, 'peak'))]
        print('geometric means: ' + ', '.join(f'{n} {m:.2f}' for n, m in zip(('cold', 'warm', 'first result', 'memory'), means)))
    if o.json:
        with open(o.json, 'w') as f:
            json.dump({n: {' '.join(c): v for c, v in r.items()} for n, r in table.items()}, f, indent=1)


main()
