"""Fetches the three models of PP-OCRv4 (Apache-2.0), which the PyPI package rapidocr-onnxruntime carries.

    python3 examples/ocr/fetch.py FOLDER        FOLDER gets ppocr_det/model.onnx, ppocr_cls/model.onnx and ppocr_rec/model.onnx
"""
import glob
import os
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "rapidocr-onnxruntime"
MODELS = {"_det_infer.onnx": "ppocr_det", "_cls_infer.onnx": "ppocr_cls", "_rec_infer.onnx": "ppocr_rec"}


def main():
    folder = sys.argv[1]
    with tempfile.TemporaryDirectory() as download:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", download, PACKAGE]
        if subprocess.call(command) != 0:
            sys.exit("fetch: %s could not be had" % PACKAGE)
        wheel = zipfile.ZipFile(glob.glob(download + "/*.whl")[0])
        for entry in wheel.namelist():
            for ending, name in MODELS.items():
                if entry.endswith(ending):
                    os.makedirs(os.path.join(folder, name), exist_ok=True)
                    with open(os.path.join(folder, name, "model.onnx"), "wb") as file:
                        file.write(wheel.read(entry))
    missing = [name for name in MODELS.values() if not os.path.exists(os.path.join(folder, name, "model.onnx"))]
    if missing:
        sys.exit("fetch: %s has no %s" % (PACKAGE, ", ".join(missing)))
    print("fetch: the models are in " + folder)


if __name__ == "__main__":
    main()
