#!/usr/bin/env python3
"""make compare-saved: the reference models through ovlite's save_model, read by OpenVINO, beside OpenVINO's own reading of the file.

For each model.onnx and model.xml below $OVLITE_MODELS: the largest difference between OpenVINO's answers to both, over the largest answer; and whether the
outputs have the same names. The exit status is 1 where a difference is above 1e-4, or where OpenVINO reads the original but not what ovlite saved.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import openvino as ov

BOUND = 1e-4
SAVE = 'local ov = require("ovlite"); ov.save_model(ov.Core():read_model(arg[1]), arg[2], {compress_to_fp16 = false})'
CORE = ov.Core()


def answers(path, inputs):
    model = CORE.read_model(path)
    compiled = CORE.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result = compiled(inputs)
    return [np.array(result[i]) for i in range(len(compiled.outputs))], [o.get_names() for o in model.outputs]


def attempt(path, inputs):
    try:
        return answers(path, inputs)
    except Exception as e:
        return None, str(e).strip().replace("\n", " ")[-160:]


def compare(path, inputs, folder):
    script, saved = os.path.join(folder, "save.lua"), os.path.join(folder, "saved.xml")
    with open(script, "w") as f:
        f.write(SAVE)
    subprocess.run([os.environ.get("OVLITE_LUA", "luajit"), script, path, saved], check=True)
    got, names = attempt(saved, inputs)
    want, wanted = attempt(path, inputs)
    if want is None:
        return True, "OpenVINO does not read the original: " + wanted
    if got is None:
        return False, "OpenVINO does not read what was saved: " + names
    worst = max(np.abs(g.astype(float) - w.astype(float)).max() / max(np.abs(w.astype(float)).max(), 1e-30) for g, w in zip(got, want))
    same = all(w <= g for g, w in zip(names, wanted))
    return worst <= BOUND and same, "difference %.2g, names %s" % (worst, "kept" if same else "lost")


def main(root):
    good = True
    for path in sorted(glob.glob(root + "/*/model.onnx") + glob.glob(root + "/*/model.xml")):
        folder = os.path.dirname(path)
        if not os.path.exists(folder + "/case.json"):
            continue
        with open(folder + "/case.json") as f:
            inputs = [np.load(os.path.join(folder, i["file"])) for i in json.load(f)["inputs"]]
        with tempfile.TemporaryDirectory() as temporary:
            ok, what = compare(path, inputs, temporary)
        good = good and ok
        print("%-4s %-36s %s" % ("ok" if ok else "BAD", os.path.relpath(path, root), what))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
