#!/usr/bin/env python3
"""make compare-api: the same scenarios in OpenVINO's Python API and in ovlite's Lua API, from one description, scenarios.json.

    make compare-api [COMPARE_API_FLAGS="--only infer/ --verbose"]

The description holds `models` (op builder recipes), `values` (tensors and arrays by name, used as "$name") and `scenarios`: {name, model, config,
steps, wanted}. A step is {"do": WORD, ...}; the words are the functions of class Steps in openvino_side.py and of the table Steps in ovlite_side.lua.
Common fields:
  on     the request's name, "r" unless said       as     keep the answer under this name
  in     one value given as inputs                 keyed  [[key, value]...]: a dict; a key is a name, a position from 0, or {"side", "port"}
  items  [value...]: a list of inputs              batch  [value...]: a list that makes up one input
  at     a position from 0                         key    a key as in keyed
A value is {"tensor": type, "shape", "data"}, {"array": type, ...} (NumPy's array; nested Lua tables), {"raw": type, "data"} (NumPy's array;
LuaJIT's cdata), {"wrap": "$raw"} (a tensor on that memory), {"zeros": type, "shape"}, {"roi": value, "from", "to"}, {"list": [...]},
{"none": true}, "$name", or a plain one. The outcome of a step is what it gave: type, shape and data, a word, a boolean; or an error, of which
only that it is one is compared.

`wanted` lists where ovlite is meant to differ: [step from 0, what ovlite gives there, why]. What it gives: "error" or "error:CODE", data of the
outputs as lists, or the outcome itself. The exit status is 1 where something else differs, or where ovlite does not give what is wanted.
"""
import argparse
import collections
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SCENARIOS = f'{HERE}/scenarios.json'


def answers(command, names, env, seconds=600):
    """Outcomes by name. A process that dies takes one scenario with it; the next process goes on behind that one."""
    got, left = {}, list(names)
    while left:
        chunk = left[:40]
        try:
            done = subprocess.run([*command, SCENARIOS, *chunk], capture_output=True, text=True, cwd=ROOT, env=env, timeout=seconds)
            text, log = done.stdout, done.stderr
        except subprocess.TimeoutExpired as e:
            text, log = (e.stdout or b'').decode(), 'no end'
        for line in text.splitlines():
            if line.startswith('>'):
                one = json.loads(line[1:])
                got[one['name']] = one['steps']
        missing = [n for n in chunk if n not in got]
        if missing:
            got[missing[0]] = [{'error': 'crash', 'text': log[-300:]}]
        left = [n for n in left if n not in got]
    return got


# Steps that may raise what the driver itself raised: nil as a lookup's answer, a callback's own error.
RAISED_HERE = 'lookup', 'wait'


def is_error(v):
    return isinstance(v, dict) and 'error' in v


def same(a, b, tolerance):
    if is_error(a) or is_error(b):
        return is_error(a) and is_error(b)
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b or abs(a - b) <= tolerance * max(abs(a), abs(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        keys = set(a) & set(b) if 'data' in a and 'data' in b else set(a) | set(b)
        return all(k in a and k in b and same(a[k], b[k], tolerance) for k in keys)
    return a == b


def is_lost(v):
    """An error that is none of the library's own."""
    return is_error(v) and v['error'] in ('lua', 'internal', 'crash', 'not reached', 'AttributeError', 'NameError', 'StopIteration')


def data(v):
    """Outputs as lists of their data."""
    if isinstance(v, list):
        return [data(x) for x in v]
    return v['data'] if isinstance(v, dict) and 'data' in v else v


def gives(got, wanted, tolerance):
    if isinstance(wanted, str) and wanted.startswith('error'):
        return is_error(got) and wanted in ('error', 'error:' + got['error'])
    return same(got, wanted, tolerance) or same(data(got), wanted, tolerance)


def shown(v):
    if is_error(v):
        return f"error {v['error']}: {v.get('text', '')}"
    return json.dumps(v)


def judge(scenario, theirs, ours):
    """(verdict, notes): the scenario is equal, a wanted deviation, or DIFFERENT."""
    tolerance, notes, verdict = scenario.get('tolerance', 1e-5), [], 'equal'
    wanted = {step: (what, why) for step, what, why in scenario.get('wanted', [])}
    for i, step in enumerate(scenario['steps']):
        a, b = (steps[i] if i < len(steps) else {'error': 'not reached'} for steps in (theirs, ours))
        lost = is_lost(a) or is_lost(b) and step['do'] not in RAISED_HERE
        if i in wanted:
            what, why = wanted[i]
            if lost or not gives(b, what, tolerance):
                verdict = 'DIFFERENT'
                notes.append(f'step {i} {step["do"]}: wanted {json.dumps(what)}, ovlite {shown(b)} | OpenVINO {shown(a)}')
            elif verdict != 'DIFFERENT':
                verdict = 'wanted deviation'
                notes.append(f'step {i} {step["do"]}: {why}' + ('  [OpenVINO does so too]' if same(a, b, tolerance) else ''))
        elif lost or not same(a, b, tolerance):
            verdict = 'DIFFERENT'
            notes.append(f'step {i} {step["do"]}: OpenVINO {shown(a)} | ovlite {shown(b)}')
    return verdict, notes


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--only', default='', help='beginnings of names, separated by commas')
    p.add_argument('--verbose', action='store_true', help='print every outcome')
    o = p.parse_args()
    with open(SCENARIOS) as f:
        scenarios = json.load(f)['scenarios']
    names = [s['name'] for s in scenarios]
    double = [n for n, count in collections.Counter(names).items() if count > 1]
    if double:
        sys.exit(f'names used twice: {double}')
    scenarios = [s for s in scenarios if s['name'].startswith(tuple(o.only.split(',')))]
    names = [s['name'] for s in scenarios]
    theirs = answers([sys.executable, f'{HERE}/openvino_side.py'], names, dict(os.environ))
    ours = answers([os.environ.get('OVLITE_LUA', 'luajit'), f'{HERE}/ovlite_side.lua'], names, dict(os.environ))
    count, codes = collections.Counter(), collections.Counter()
    for s in scenarios:
        verdict, notes = judge(s, theirs[s['name']], ours[s['name']])
        count[verdict] += 1
        codes.update(v['error'] for v in ours[s['name']] if is_error(v))
        print(f'{verdict:17} {s["name"]}')
        for note in notes:
            print(f'{"":17}   {note}')
        if o.verbose:
            for i, step in enumerate(s['steps']):
                for who, steps in ('OpenVINO', theirs[s['name']]), ('ovlite', ours[s['name']]):
                    print(f'{"":17}   {i} {step["do"]} {who}: {shown(steps[i]) if i < len(steps) else "-"}')
    steps = sum(len(s['steps']) for s in scenarios)
    print(f'\n{len(scenarios)} scenarios of {steps} steps: {count["equal"]} equal, {count["wanted deviation"]} with wanted deviations, '
          f'{count["DIFFERENT"]} DIFFERENT. Errors of ovlite by code: {dict(codes.most_common())}')
    sys.exit(1 if count['DIFFERENT'] else 0)


main()
