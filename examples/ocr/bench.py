"""Times whole pages: ovlite's reader beside PyPI's rapidocr-onnxruntime, in turns, and compares what they read.

    make bench-ocr [OCR_PAGE="page.png ..."] [ROUNDS=7]

Both are given the path of the picture and give lines; models are loaded before. Each turn reads the page once with one of the two, each in a process
of its own.
"""
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

RAPID = """
import json, sys, time
from rapidocr_onnxruntime import RapidOCR
reader = RapidOCR()
for path in sys.stdin:
    start = time.perf_counter()
    found, _ = reader(path.strip())
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "lines": [text for _, text, _ in found or []]}), flush=True)
"""


def start(command):
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def ask(process, path):
    process.stdin.write(path + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def main():
    pages, rounds = sys.argv[2:], int(os.environ.get("ROUNDS", "7"))
    lua = os.environ.get("OVLITE_LUA", "luajit")
    readers = {"ovlite": start([lua, HERE + "/served.lua", sys.argv[1]]), "rapidocr": start([sys.executable, "-c", RAPID])}
    print("%-28s %12s %12s %8s  %s" % ("page", "ovlite", "rapidocr", "ratio", "lines"))
    for page in pages:
        times, lines = {name: [] for name in readers}, {}
        for i in range(rounds + 1):
            for name in readers if i % 2 else reversed(list(readers)):
                answer = ask(readers[name], page)
                lines[name] = answer["lines"]
                if i:  # the first turn warms up
                    times[name].append(answer["seconds"])
        a, b = (statistics.median(times[name]) for name in ("ovlite", "rapidocr"))
        same = [t.replace(" ", "") for t in lines["ovlite"]] == [t.replace(" ", "") for t in lines["rapidocr"]]
        print("%-28s %9.0f ms %9.0f ms %8.2f  %s" % (os.path.basename(page), a * 1e3, b * 1e3, b / a, "same" if same else "differ"))
        if not same:
            print("  ovlite:   " + " | ".join(lines["ovlite"]))
            print("  rapidocr: " + " | ".join(lines["rapidocr"]))
    for process in readers.values():
        process.stdin.close()


if __name__ == "__main__":
    main()
