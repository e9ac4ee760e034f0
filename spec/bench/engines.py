"""The engines that compare.py and plots.py time: ovlite (in a child, spec/bench/child.lua), OpenVINO and ONNX Runtime (here, from PyPI).

Each has name, start_ms (reading and compiling), run(n) -> median microseconds of n runs, outputs(count) and close().
feeds: {input name: array}; they give the shapes too. settings: threads, precision ('f32', 'bf16'), queue (throughput instead of latency).
"""
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnxruntime as ort
import openvino as ov

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Settings:
    def __init__(self, threads=2, precision='f32', queue=False):
        self.threads, self.precision, self.queue = threads, precision, queue

    def config(self):
        return {'PERFORMANCE_HINT': 'THROUGHPUT' if self.queue else 'LATENCY', 'INFERENCE_NUM_THREADS': self.threads,
                'INFERENCE_PRECISION_HINT': self.precision}


class Ovlite:
    name = 'ovlite'

    def __init__(self, path, feeds, settings):
        self.process = subprocess.Popen([os.environ.get('OVLITE_LUA', 'luajit'), 'spec/bench/child.lua'], cwd=ROOT, env=self.environment(),
                                        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.verb = 'flood' if settings.queue else 'infer'
        shapes = ';'.join(f"{name}={','.join(map(str, v.shape))}" for name, v in feeds.items())
        try:
            self.start_ms = float(self.ask('compile', os.path.abspath(path), shapes or '-', *[f'{k}={v}' for k, v in settings.config().items()]))
            with tempfile.TemporaryDirectory() as folder:
                for name, value in feeds.items():
                    np.save(f'{folder}/x.npy', value)
                    self.ask('input', name, f'{folder}/x.npy')
        except RuntimeError:
            self.close()
            raise

    @staticmethod
    def environment():
        env = dict(os.environ)
        for line in subprocess.run(['make', '-s', 'env'], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
            name, value = line.removeprefix('export ').split('=', 1)
            env[name] = os.path.expandvars(value.strip('"'))
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

    def __init__(self, path, feeds, settings):
        core = ov.Core()
        start = time.perf_counter()
        model = core.read_model(path)
        if feeds:
            model.reshape({k: list(v.shape) for k, v in feeds.items()})
        self.compiled, self.feeds, self.flood = core.compile_model(model, 'CPU', settings.config()), feeds, settings.queue
        self.start_ms = (time.perf_counter() - start) * 1e3
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

    def close(self):
        pass


class OnnxRuntime:
    name = 'onnxruntime'

    def __init__(self, path, feeds, settings):
        if not path.endswith('.onnx') or settings.precision != 'f32':
            raise RuntimeError('ONNX files at f32 only')
        options = ort.SessionOptions()
        options.intra_op_num_threads = settings.threads
        start = time.perf_counter()
        self.session, self.feeds = ort.InferenceSession(path, options, providers=['CPUExecutionProvider']), feeds
        self.start_ms = (time.perf_counter() - start) * 1e3
        self.session.run(None, feeds)

    def run(self, n):
        return timed(lambda: self.session.run(None, self.feeds), n)

    def outputs(self, count):
        return self.session.run(None, self.feeds)[:count]

    def close(self):
        pass
