#!/usr/bin/env python3
"""Errors at bf16 against stored f32 outputs: ovlite beside OpenVINO, on the same models and inputs.

    build/venv/bin/python spec/bench/bf16_errors.py [--models DIR] [--only NAME,NAME]

DIR (default: $OVLITE_MODELS or ../shared/models) holds NAME/model.onnx and NAME/case.json with inputs and expected outputs. Prints, per output, the largest difference
relative to the largest value, and the root mean square of the differences relative to that of the values. Needs openvino and numpy (`make compare` sets them up)."""
import argparse, glob, json, os, subprocess, sys, tempfile
import numpy as np
import openvino as ov

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.join(here, '..', '..')
parser = argparse.ArgumentParser()
parser.add_argument('--models', default=os.environ.get('OVLITE_MODELS', os.path.join(root, '..', 'shared', 'models')))
parser.add_argument('--only', default='')
parser.add_argument('--threads', type=int, default=2)
args = parser.parse_args()

LUA = r'''
local ov = require("ovlite")
local path, folder, threads, outputs = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])
local feeds, shapes = {}, {}
for i = 5, #arg, 2 do
  local t = ov.Tensor.load(arg[i + 1])
  feeds[arg[i]] = t
  if #t.shape > 0 then shapes[arg[i]] = t.shape end
end
local model = ov.Core():read_model(path)
model:reshape(shapes)
local compiled = ov.Core():compile_model(model, "CPU", { INFERENCE_PRECISION_HINT = "bf16", INFERENCE_NUM_THREADS = threads })
local request = compiled:create_infer_request()
request:infer(feeds)
for i = 1, outputs do request:get_output_tensor(i):save(folder .. "/" .. i .. ".npy") end
'''


def ours(model, case, folder):
    env = dict(os.environ)
    for line in subprocess.run(['make', '-s', '-C', root, 'env'], capture_output=True, text=True).stdout.splitlines():
        if line.startswith('export ') and '=' in line:
            key, value = line[7:].split('=', 1)
            env[key] = os.path.expandvars(value.strip().strip('"\''))
    script = os.path.join(folder, 'run.lua')
    open(script, 'w').write(LUA)
    feeds = [word for i in case['inputs'] for word in (i['name'], os.path.join(os.path.dirname(model), i['file']))]
    subprocess.run(['luajit', script, model, folder, str(args.threads), str(len(case['outputs']))] + feeds, env=env, check=True)
    return [np.load(f'{folder}/{i + 1}.npy') for i in range(len(case['outputs']))]


def theirs(model, case):
    core = ov.Core()
    m = core.read_model(model)
    feeds = {i['name']: np.load(os.path.join(os.path.dirname(model), i['file'])) for i in case['inputs']}
    m.reshape({k: list(v.shape) for k, v in feeds.items()})
    compiled = core.compile_model(m, 'CPU', {'INFERENCE_PRECISION_HINT': 'bf16', 'INFERENCE_NUM_THREADS': args.threads})
    result = compiled(feeds)
    return [result[i] for i in range(len(case['outputs']))]


def errors(got, want):
    a, b = np.asarray(got, 'f8'), np.asarray(want, 'f8')
    return abs(a - b).max() / (abs(b).max() + 1e-30), np.sqrt(((a - b) ** 2).mean()) / (np.sqrt((b ** 2).mean()) + 1e-30)


names = args.only.split(',') if args.only else sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob(f'{args.models}/*/case.json'))
print(f"{'model':22}{'output':>7}{'max: ovlite':>13}{'openvino':>11}{'rms: ovlite':>13}{'openvino':>11}")
worse = 0
for name in names:
    model, case = f'{args.models}/{name}/model.onnx', json.load(open(f'{args.models}/{name}/case.json'))
    want = [np.load(f"{args.models}/{name}/{o['file']}") for o in case['outputs']]
    with tempfile.TemporaryDirectory() as folder:
        mine = [errors(g, w) for g, w in zip(ours(model, case, folder), want)]
    try:
        peer = [errors(g, w) for g, w in zip(theirs(model, case), want)]
    except RuntimeError as e:
        peer = [(float('nan'),) * 2] * len(want)
        print(f'{name}: OpenVINO: {str(e).splitlines()[-1][:100]}', file=sys.stderr)
    for i, (m, p) in enumerate(zip(mine, peer)):
        flag = '  larger' if m[1] > p[1] * 1.005 else ''
        worse += bool(flag)
        print(f'{name:22}{i + 1:>7}{m[0]:>13.3e}{p[0]:>11.3e}{m[1]:>13.3e}{p[1]:>11.3e}{flag}')
print(f'root mean square larger than the peer\'s: {worse}')
