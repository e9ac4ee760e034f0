#!/usr/bin/env python3
"""The OpenVINO side of `make compare-api`: openvino_side.py scenarios.json NAME... prints a JSON line for each: {"name":, "steps": [outcome...]}.

What the words of a step mean is told in compare.py; ovlite_side.lua has the same functions under the same names, in the same order.
"""
import json
import os
import sys
import tempfile
import warnings

import numpy as np
import openvino as ov
from openvino import opset6, opset13

warnings.simplefilter('ignore')
np.seterr(all='ignore')

TYPES = {'f32': np.float32, 'f64': np.float64, 'f16': np.float16, 'i8': np.int8, 'i16': np.int16, 'i32': np.int32, 'i64': np.int64, 'u8': np.uint8,
         'u16': np.uint16, 'u32': np.uint32, 'u64': np.uint64, 'boolean': np.bool_, 'string': np.str_}
NAMES = {np.dtype(t): name for name, t in TYPES.items() if name != 'string'}
SPECIAL = {'nan': np.nan, 'inf': np.inf, '-inf': -np.inf}


# ---- values ----
def array(spec, type_name):
    data = [SPECIAL.get(v, v) if isinstance(v, str) and type_name != 'string' else v for v in spec['data']]
    return np.array(data, dtype=TYPES[type_name]).reshape(spec.get('shape', [len(data)]))


def value(s, spec):
    if isinstance(spec, str) and spec.startswith('$'):
        return s.kept[spec[1:]] if spec[1:] in s.kept else value(s, s.values[spec[1:]])
    if not isinstance(spec, dict):
        return spec
    if 'tensor' in spec:
        if spec['tensor'] == 'string':
            return ov.Tensor(array(spec, 'string'))
        return ov.Tensor(array(spec, spec['tensor']))
    if 'array' in spec:
        return array(spec, spec['array'])
    if 'raw' in spec:
        return array(spec, spec['raw'])
    if 'wrap' in spec:
        return ov.Tensor(value(s, spec['wrap']), shared_memory=True)
    if 'zeros' in spec:
        t = ov.Tensor(getattr(ov.Type, spec['zeros']), ov.Shape(spec['shape']))
        t.data[...] = 0  # fresh memory is anything
        return t
    if 'roi' in spec:
        return ov.Tensor(value(s, spec['roi']), ov.Coordinate(spec['from']), ov.Coordinate(spec['to']))
    if 'list' in spec:
        return spec['list']
    if 'none' in spec:
        return None
    raise KeyError(f'no such value: {spec}')


def port(s, spec):
    owner = {'compiled': s.compiled, 'model': s.model}[spec.get('of', 'compiled')]
    return getattr(owner, spec['side'] + 's')[spec['port']]


def key(s, spec):
    return port(s, spec) if isinstance(spec, dict) else spec


def keyed(s, pairs):
    return {key(s, k): value(s, v) for k, v in pairs}


def inputs(s, step):
    if 'keyed' in step:
        return [keyed(s, step['keyed'])]
    if 'items' in step:
        return [[value(s, v) for v in step['items']]]
    return [value(s, step['in'])] if 'in' in step else []


def options(step, *names):
    return {name: step[name] for name in names if name in step}


def batch(s, step):
    return [value(s, v) for v in step['batch']]


def at(step):
    return [step['at']] if 'at' in step else []


# ---- outcomes ----
def plain(v):
    if isinstance(v, ov.Type):
        return v.get_type_name()
    v = v.item() if isinstance(v, np.generic) else v
    if isinstance(v, float) and (v != v or v in (np.inf, -np.inf)):
        return 'nan' if v != v else 'inf' if v > 0 else '-inf'
    return v


def told(v):
    """A tensor or array, as type, shape and data."""
    if isinstance(v, ov.Tensor):
        name = v.element_type.get_type_name()
        v = v.str_data if name == 'string' else v.data
    else:
        v = np.asarray(v)
        name = NAMES.get(v.dtype, 'string')
    return {'type': name, 'shape': list(v.shape), 'data': [plain(x) for x in v.reshape(-1)]}


def told_port(p):
    shape = []
    for d in p.partial_shape:
        shape.append(d.get_length() if d.is_static else [d.get_min_length(), d.get_max_length()] if d.get_max_length() >= 0 else -1)
    return {'any_name': p.any_name, 'names': sorted(p.names), 'type': p.element_type.get_type_name(), 'shape': shape}


def outputs(results):
    return [told(v) for v in results.values()]


def state(s, step):
    return next(v for v in s.request(step).query_state() if v.name == step['name'])


# ---- steps ----
class Steps:
    # values kept by name
    def make(s, step): value(s, step['value'])
    def keep(s, step): s.kept[step['as']] = value(s, step['value'])
    def read(s, step): return told(value(s, step['value']))

    def write(s, step):
        t = value(s, step['value'])
        t = t.data if isinstance(t, ov.Tensor) else t
        t[...] = array({'data': step['data'], 'shape': t.shape}, NAMES[t.dtype])

    def set_shape(s, step): value(s, step['value']).shape = step['shape']

    def facts(s, step):
        t = value(s, step['value'])
        return {'type': t.element_type.get_type_name(), 'shape': list(t.shape), 'size': t.size, 'bytes': t.byte_size, 'strides': list(t.strides),
                'whole': t.is_continuous()}

    def copy_to(s, step): value(s, step['value']).copy_to(value(s, step['to']))

    # runs
    def infer(s, step):
        results = s.request(step).infer(*inputs(s, step), **options(step, 'share_inputs', 'share_outputs'))
        return s.keeping(step, results)

    def call(s, step): return outputs(s.compiled(*inputs(s, step), **options(step, 'share_inputs', 'share_outputs')))
    def infer_new(s, step): return outputs(s.compiled.infer_new_request(*inputs(s, step)))

    def start(s, step):
        given = inputs(s, step) or [None]
        s.request(step).start_async(*given, *([step['userdata']] if 'userdata' in step else []), **options(step, 'share_inputs'))

    def wait(s, step): s.request(step).wait()
    def wait_for(s, step): return s.request(step).wait_for(step['ms'])
    def cancel(s, step): s.request(step).cancel()

    # tensors of a request
    def get_tensor(s, step): return s.tensor(step, s.request(step).get_tensor(key(s, step['key'])))
    def get_input_tensor(s, step): return s.tensor(step, s.request(step).get_input_tensor(*at(step)))
    def get_output_tensor(s, step): return s.tensor(step, s.request(step).get_output_tensor(*at(step)))
    def input_tensors(s, step): return [told(t) for t in s.request(step).input_tensors]
    def output_tensors(s, step): return [told(t) for t in s.request(step).output_tensors]
    def set_tensor(s, step): s.request(step).set_tensor(key(s, step['key']), value(s, step['value']))
    def set_input_tensor(s, step): s.request(step).set_input_tensor(*at(step), value(s, step['value']))
    def set_output_tensor(s, step): s.request(step).set_output_tensor(*at(step), value(s, step['value']))

    def set_input_tensors(s, step):
        if 'batch' in step:
            s.request(step).set_input_tensors(*at(step), batch(s, step))
        else:
            s.request(step).set_input_tensors(keyed(s, step['keyed']))

    def set_output_tensors(s, step): s.request(step).set_output_tensors(keyed(s, step['keyed']))

    def set_tensors(s, step):
        if 'batch' in step:
            s.request(step).set_tensors(key(s, step['key']), batch(s, step))
        else:
            s.request(step).set_tensors(keyed(s, step['keyed']))

    # results
    def results(s, step): return s.keeping(step, s.request(step).results)
    def lookup(s, step): return told(s.kept[step['in']][key(s, step['key'])])
    def has(s, step): return key(s, step['key']) in s.kept[step['in']]
    def result_names(s, step): return [sorted(names) for names in s.kept[step['in']].names()]
    def result_count(s, step): return len(s.kept[step['in']])
    def result_tuple(s, step): return [told(v) for v in s.kept[step['in']].to_tuple()]
    def result_keys(s, step): return [told_port(p) for p in s.kept[step['in']].keys()]

    # everything else of a request
    def latency(s, step):
        ms = s.request(step).latency
        return 'zero' if ms == 0 else 'positive' if 0 < ms < 1e6 else 'nonsense'

    def userdata(s, step): return s.request(step).userdata

    def profiling(s, step):
        infos = s.request(step).get_profiling_info()
        return {'nodes': len(infos) > 0, 'executed': any(i.status == ov.ProfilingInfo.Status.EXECUTED for i in infos),
                'timed': any(i.real_time.total_seconds() > 0 for i in infos)}

    def is_single_input(s, step): return s.request(step)._is_single_input()
    def model_ports(s, step): return [told_port(p) for p in s.request(step).model_inputs + s.request(step).model_outputs]
    def equal(s, step): return s.requests[step['a']] == s.requests[step['b']]
    def new_request(s, step): s.requests[step['as']] = s.compiled.create_infer_request()
    def same_request(s, step): s.requests[step['as']] = ov.InferRequest(s.request(step))
    def drop(s, step): del s.requests[step['on']]
    def compiled_of(s, step): return outputs(s.request(step).get_compiled_model()(*inputs(s, step)))

    def callback(s, step):
        request, left = s.request(step), [step.get('times', 0)]

        def count(userdata):
            s.calls.append(userdata)

        def chain(userdata):
            s.calls.append(userdata)
            if left[0] > 0:
                left[0] -= 1
                request.infer()

        def fail(userdata):
            s.calls.append(userdata)
            raise ValueError('told to')

        def look(userdata):
            s.calls.append(told(request.results[0])['data'][:4])

        request.set_callback({'count': count, 'chain': chain, 'fail': fail, 'look': look}[step.get('what', 'count')], step.get('userdata'))

    def calls(s, step):
        seen, s.calls = s.calls, []
        return sorted(seen, key=json.dumps)

    # state
    def states(s, step): return sorted(v.name for v in s.request(step).query_state())
    def get_state(s, step): return told(state(s, step).state)
    def set_state(s, step): state(s, step).state = value(s, step['value'])
    def reset_one(s, step): state(s, step).reset()
    def reset_state(s, step): s.request(step).reset_state()
    def write_state(s, step): state(s, step).state.data[...] = step['data']

    # models, ports, properties
    def ports(s, step):
        owner = {'compiled': s.compiled, 'model': s.model}[step.get('of', 'compiled')]
        return {'inputs': [told_port(p) for p in owner.inputs], 'outputs': [told_port(p) for p in owner.outputs]}

    def port(s, step):
        owner = {'compiled': s.compiled, 'model': s.model}[step.get('of', 'compiled')]
        return told_port(getattr(owner, step['side'])(*([step['key']] if 'key' in step else [])))

    def port_shape(s, step): return list(port(s, step).shape)
    def port_equal(s, step): return port(s, step) == getattr(s.compiled, step['side'])(step['key'])
    def is_dynamic(s, step): return s.model.is_dynamic()
    def model_name(s, step): return s.model.friendly_name
    def op_types(s, step): return sorted(n.get_type_name() for n in s.model.get_ops())

    def reshape(s, step):
        shape = step['shape'] if 'shape' in step else {key(s, k): shape_of(v) for k, v in step['keyed']}
        s.model.reshape(shape_of(shape) if isinstance(shape, list) else shape)
        s.compile()

    def compile(s, step): s.compile(step.get('config'))
    def add_outputs(s, step): s.model.add_outputs(step['names']); s.compile()

    def clone(s, step):
        s.model = s.model.clone()
        s.compile()

    def save_read(s, step):
        with tempfile.TemporaryDirectory() as folder:
            ov.save_model(s.model, f'{folder}/m.xml', **options(step, 'compress_to_fp16'))
            s.core = ov.Core()
            s.model = s.core.read_model(f'{folder}/m.xml').clone()
            s.compile()

    def export_import(s, step):
        s.compiled = s.core.import_model(s.compiled.export_model().getvalue(), 'CPU')
        s.requests['r'] = s.compiled.create_infer_request()

    def read_missing(s, step): s.core.read_model('/nowhere/' + step['path'])
    def import_bytes(s, step): s.core.import_model(step['bytes'].encode(), 'CPU')
    def release_memory(s, step): s.compiled.release_memory()

    def property(s, step):
        v = s.compiled.get_property(step['name'])
        return plain(v if isinstance(v, (bool, int, float, str, list, ov.Type)) else str(v).split('.')[-1])

    def set_compiled_property(s, step): s.compiled.set_property(step['config'])
    def core_set(s, step): s.core.set_property('CPU', step['config'])
    def core_device(s, step): return step['device'] in s.core.available_devices
    def supported(s, step): return step['name'] in [str(n) for n in s.compiled.get_property('SUPPORTED_PROPERTIES')]

    # the queue
    def queue(s, step): s.kept['queue'] = ov.AsyncInferQueue(s.compiled, *([step['jobs']] if 'jobs' in step else []))

    def queue_callback(s, step):
        s.kept['queue'].set_callback(lambda request, userdata: s.calls.append([userdata, told(request.get_output_tensor(0))['data']]))

    def queue_start(s, step):
        given = inputs(s, step) or [None]
        s.kept['queue'].start_async(*given, *([step['userdata']] if 'userdata' in step else []), **options(step, 'share_inputs'))

    def queue_wait(s, step): s.kept['queue'].wait_all()
    def queue_size(s, step): return len(s.kept['queue'])
    def queue_ready(s, step): return s.kept['queue'].is_ready()
    def queue_idle(s, step): return 0 <= s.kept['queue'].get_idle_request_id() < len(s.kept['queue'])
    def queue_userdata(s, step): return sorted((u for u in s.kept['queue'].userdata if u is not None), key=json.dumps)
    def queue_results(s, step): return [told(r.get_output_tensor(0))['data'] for r in s.kept['queue']]
    def queue_job(s, step): return outputs(s.kept['queue'][step['at']].infer(*inputs(s, step)))


# ---- scenarios ----
def shape_of(dims):
    return ov.PartialShape([ov.Dimension(*d) if isinstance(d, list) else d for d in dims])


def build(recipe):
    nodes, parameters, sinks, constants = {}, [], [], {}
    for p in recipe['inputs']:
        n = opset13.parameter(shape_of(p['shape']), getattr(ov.Type, p['type']))
        if 'names' in p:
            n.output(0).set_names(set(p['names']))
        n.set_friendly_name(p['as'])
        if 'layout' in p:
            n.set_layout(ov.Layout(p['layout']))
        nodes[p['as']] = n
        parameters.append(n)

    def source(word):
        name, _, i = word[1:].partition(':')
        return nodes[name].output(int(i)) if i else nodes[name]

    def argument(a):
        if isinstance(a, str) and a.startswith('%'):
            return source(a)
        if isinstance(a, dict) and 'const' in a:
            if id(a) not in constants:
                data = np.broadcast_to(np.array(a['data'], TYPES[a['const']]), int(np.prod(a['shape'])))
                constants[id(a)] = opset13.constant(data.reshape(a['shape']))
            return constants[id(a)]
        if isinstance(a, list) and a and isinstance(a[0], str):
            return [argument(x) for x in a]
        if isinstance(a, dict) and 'type' in a:
            return getattr(ov.Type, a['type'])
        return a

    for n in recipe.get('nodes', []):
        factory = getattr(opset6 if n['op'] in ('read_value', 'assign') else opset13, n['op'])
        for _ in range(n.get('times', 1)):
            nodes[n['as']] = factory(*[argument(a) for a in n['args']])
        if 'names' in n:
            nodes[n['as']].output(0).set_names(set(n['names']))
        if 'name' in n:
            nodes[n['as']].set_friendly_name(n['name'])
        if n['op'] == 'assign':
            sinks.append(nodes[n['as']])
    return ov.Model([opset13.result(source(o)) for o in recipe['outputs']], sinks, parameters, recipe.get('name', 'net'))


class Scenario:
    def __init__(self, text, scenario):
        self.values, self.kept, self.calls, self.requests = text['values'], {}, [], {}
        self.config = {'INFERENCE_PRECISION_HINT': 'f32', **scenario.get('config', {})}
        self.core = ov.Core()
        self.model = build(text['models'][scenario['model']])
        self.compiled = None

    def compile(self, config=None):
        self.compiled = self.core.compile_model(self.model, 'CPU', {**self.config, **(config or {})})
        self.requests = {'r': self.compiled.create_infer_request()}

    def request(self, step):
        return self.requests[step.get('on', 'r')]

    def keeping(self, step, results):
        if 'as' in step:
            self.kept[step['as']] = results
        return outputs(results)

    def tensor(self, step, t):
        if 'as' in step:
            self.kept[step['as']] = t
        return told(t)


def run(text, scenario):
    steps = []
    try:
        s = Scenario(text, scenario)
        s.compile()
    except Exception as e:  # noqa: BLE001
        return [{'error': 'crash', 'text': f'{type(e).__name__}: {str(e)[:300]}'}]
    for step in scenario['steps']:
        try:
            out = getattr(Steps, step['do'])(s, step)
            steps.append('ok' if out is None and step['do'] != 'userdata' else out)
        except Exception as e:  # noqa: BLE001
            steps.append({'error': type(e).__name__, 'text': str(e)[:300]})
    return steps


def main():
    with open(sys.argv[1]) as f:
        text = json.load(f)
    wanted = set(sys.argv[2:])
    for scenario in text['scenarios']:
        if scenario['name'] in wanted:
            print('>' + json.dumps({'name': scenario['name'], 'steps': run(text, scenario)}), flush=True)
    os._exit(0)  # a request that is still being torn down may not hold the others up


main()
