"""The readers of docs/datasets.md, put to a dataset. In: a dataset. Out: nothing, or a failed assertion."""

import importlib.util
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from harvest.datasets.layouts import lay_out
from harvest.datasets.manifest import Dataset

DOCS = Path(__file__).resolve().parents[3] / "docs/datasets.md"

# In a process of its own: TensorFlow brings a libcurl of its own, beside which pycurl cannot be loaded any more.
_READ = """
import json, sys
scope = {}
exec(sys.stdin.read(), scope)
print(json.dumps([[len(image.shape), int(image.shape[-1]), int(label)] for image, label in scope["data"]]))
"""


def snippet(word: str) -> str:
    """The block of Python in the docs that imports this."""
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    (found,) = (block for block in blocks if re.search(rf"^(?:import|from) {word}\b", block, re.MULTILINE))
    return found


def numbers(data: Dataset) -> Counter[int]:
    """How many images for training each class has, by its number."""
    places = {one.concept: number for number, one in enumerate(data.classes)}
    return Counter(places[example.concept] for example in data.split("train"))


def read_by_tensorflow(data: Dataset, folder: Path) -> bool:
    """Read all that is for training by the lines for ``tf.data``; say whether TensorFlow is here."""
    if importlib.util.find_spec("tensorflow") is None:
        return False
    lay_out(data, "tfrecord", folder / "plates-tf")
    lines = snippet("tensorflow").replace("plates-tf/", f"{folder}/plates-tf/")
    done = subprocess.run(
        [sys.executable, "-c", _READ], input=lines, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert Counter(label for _, _, label in rows) == numbers(data)
    assert {(axes, colours) for axes, colours, _ in rows} == {(3, 3)}
    return True


def read_by_pytorch(data: Dataset) -> None:
    """Read all that is for training by the lines for PyTorch, a plain loop in place of its loader."""
    lines = [line for line in snippet("torch").splitlines() if not re.search(r"torch|DataLoader", line)]
    scope: dict[str, Any] = {}
    exec("\n".join(lines).replace('"plates/"', repr(f"{data.folder}/")), scope)  # noqa: S102 - our own docs
    images = scope["images"]
    seen = [images[place] for place in range(len(images))]
    assert Counter(label for _, label in seen) == numbers(data)
    assert {picture.mode for picture, _ in seen} == {"RGB"}
