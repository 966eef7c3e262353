"""What answering is measured beside, each in a process of its own. In: a folder, what to do. Out: JSON on stdout.

``keras FOLDER`` predicts one image at a time; ``plain FOLDER PICTURES`` reads files by Pillow and predicts;
``bare BUNDLE`` runs the engine with nothing around it; ``decode BUNDLE PICTURES`` only reads files as answering does,
on both cores.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SECONDS = 6.0


def measured(*arguments: str) -> dict[str, Any]:
    """Return what a peer says of itself."""
    command = [sys.executable, "-m", "benchmarks._identify_peers", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def rate(action: Callable[[int], object], seconds: float = SECONDS) -> dict[str, float]:
    """Return how often a second ``action`` can be done, one after the other, and the processor time of each, in ms."""
    for number in range(3):
        action(number)
    done, begun, used = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < seconds:
        action(done)
        done += 1
    took, used = time.perf_counter() - begun, time.process_time() - used
    return {"rate": done / took, "processor_ms": used / done * 1000}


def rate_by_two(action: Callable[[int], object], seconds: float = SECONDS) -> dict[str, float]:
    """Return how often a second ``action`` can be done by two threads, and the processor time of each, in ms."""
    counts = [0, 0]
    action(0)
    begun, used = time.perf_counter(), time.process_time()

    def work(place: int) -> None:
        while time.perf_counter() - begun < seconds:
            action(counts[place])
            counts[place] += 1

    threads = [threading.Thread(target=work, args=(place,)) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, used = time.perf_counter() - begun, time.process_time() - used
    return {"rate": sum(counts) / took, "processor_ms": used / sum(counts) * 1000}


def keras_(home: Path) -> Callable[[Any], Any]:
    """Return Keras' ``predict`` of the saved model."""
    import os

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras

    network = keras.saving.load_model(home / "making" / "model.keras", compile=False)
    return lambda images: network.predict(images, verbose=0)


def bare(bundle: Path) -> tuple[str, Callable[[Any], Any]]:
    """Return which engine serves the bundle and that engine, with nothing of ours around it."""
    engine = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))["engine"]
    if engine == "openvino":
        import openvino

        compiled = openvino.Core().compile_model(str(bundle / "openvino.xml"), "CPU", {"PERFORMANCE_HINT": "LATENCY"})
        request = compiled.create_infer_request()
        return engine, lambda images: request.infer([images])
    from ai_edge_litert.interpreter import Interpreter

    path = bundle / ("model.int8.tflite" if engine == "litert-int8" else "model.tflite")
    interpreter = Interpreter(model_path=str(path), num_threads=2)
    interpreter.allocate_tensors()
    place = interpreter.get_input_details()[0]["index"]

    def run(images: Any) -> None:
        interpreter.set_tensor(place, images)
        interpreter.invoke()

    return engine, run


def main() -> None:
    """Measure one peer."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    image = np.random.default_rng(0).integers(0, 256, (1, 299, 299, 3)).astype(np.float32)
    if what == "keras":
        predict = keras_(folder)
        print(json.dumps(rate(lambda _: predict(image))))
    elif what == "plain":
        from PIL import Image

        predict = keras_(folder)
        paths = sorted(Path(sys.argv[3]).glob("*.jpg"))

        def plainly(number: int) -> None:
            with Image.open(paths[number % len(paths)]) as opened:
                small = opened.convert("RGB").resize((299, 299))
            predict(np.asarray(small, np.float32)[None])

        print(json.dumps(rate(plainly)))
    elif what == "bare":
        engine, run = bare(folder)
        print(json.dumps({"engine": engine, **rate(lambda _: run(image))}))
    elif what == "decode":
        from identify.images import pixels
        from linkeddata.decoding import Limits

        files = sorted(Path(sys.argv[3]).glob("*.jpg"))
        read = lambda number: pixels(files[number % len(files)].read_bytes(), 299, Limits())  # noqa: E731
        print(json.dumps(rate_by_two(read)))


if __name__ == "__main__":
    main()
