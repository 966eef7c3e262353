"""What a backbone sees in pictures, computed once. In: pictures by their SHA-1, a trunk. Out: rows of features.

The trunk is the backbone as LiteRT runs it. What it makes of a picture, mirrored or not, and of a stranger made of it,
is kept in a file of the home folder, whose name says what it depends on: the backbone, its weights, the size, and the
code that reads pictures. A stranger is drawn from the picture's own SHA-1, so that it is the same in every training,
whatever else is learned beside it; the same pictures with another head, seed or split need no backbone at all.
"""

import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from identify import augment, images, strange
from identify.hush import hushed
from identify.learning import backbones, efficientnetlite
from identify.learning.backbones import Seeing, scaled
from identify.learning.export import litert, saved_model
from identify.strange import strangers
from linkeddata import decoding
from linkeddata.files import replaced

Rows = NDArray[np.float32]
PLAIN, MIRRORED, STRANGER = "plain", "mirrored", "stranger"
"""What is looked at: a picture as it is, mirrored, or a stranger made from it."""
FOLDER = "features"
"""Where features are kept in the home folder."""
AT_ONCE = 64
"""So many rows are kept together; a training that is killed has lost fewer."""
_SCHEMA = "CREATE TABLE IF NOT EXISTS features (image TEXT, variant TEXT, row BLOB, PRIMARY KEY (image, variant))"


@dataclass(frozen=True, slots=True)
class Trunk:
    """A backbone that LiteRT runs, and the file in which its features are kept.

    ``saved`` writes it as a SavedModel into a folder; ``folder`` and ``name`` say where its other forms are kept.
    """

    model: bytes
    book: Path
    folder: Path
    name: str
    saved: Callable[[Path], Path]


def trunk_of(tensorflow: Any, seeing: Seeing, size_px: int, folder: Path, workplace: Path) -> Trunk:
    """Return the trunk of a backbone; it is converted once and lies in ``folder`` with its features."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{seeing.backbone.name}-{size_px}-{seeing.sha256[:16]}-{_code(backbones, efficientnetlite)}"
    keras = tensorflow.keras

    def saved(workplace: Path) -> Path:
        image = keras.layers.Input((size_px, size_px, 3), name="image")
        return saved_model(
            keras.Model(image, seeing.model(scaled(keras, seeing.backbone, image), training=False)), workplace
        )

    path = folder / f"{name}.tflite"
    if not path.is_file():
        with replaced(path) as out:
            out.write(litert(tensorflow, saved(workplace)))
    return Trunk(
        path.read_bytes(), folder / f"{name}-{_code(decoding, images, augment, strange)}.sqlite", folder, name, saved
    )


def features_of(
    trunk: Trunk,
    sha1s: Sequence[str],
    picture: Callable[[int], images.Pixels],
    variants: Sequence[str],
    tell: Callable[[str, int, int], None],
) -> Rows:
    """Return features, shape (variants, pictures, size), of the pictures whose hashes are ``sha1s``.

    ``picture`` gives one by its place (size, size, 3); it is asked only for what is not kept yet.
    """
    asked = [(sha1, variant) for variant in variants for sha1 in sha1s]
    with closing(sqlite3.connect(trunk.book, timeout=60)) as book:
        book.execute(_SCHEMA)
        kept = dict(_kept(book, sha1s, variants))
        missing = [(place, variant) for variant in variants for place, sha1 in enumerate(sha1s)]
        missing = [one for one, key in zip(missing, asked, strict=True) if key not in kept]
        fresh = _computed(trunk.model, [(sha1s[place], place, variant) for place, variant in missing], picture)
        waiting: list[tuple[str, str, bytes]] = []
        for number, (sha1, variant, row) in enumerate(fresh, 1):
            kept[sha1, variant] = row
            waiting.append((sha1, variant, row))
            if len(waiting) == AT_ONCE or number == len(missing):
                with book:
                    book.executemany("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", waiting)
                waiting = []
            tell("compute features", number, len(missing))
    rows = np.frombuffer(b"".join(kept[key] for key in asked), np.float16).astype(np.float32)
    return rows.reshape(len(variants), len(sha1s), -1)


def _kept(
    book: sqlite3.Connection, sha1s: Sequence[str], variants: Sequence[str]
) -> Iterator[tuple[tuple[str, str], bytes]]:
    """Yield what is kept of these pictures, by hash and variant."""
    book.execute("CREATE TEMP TABLE asked (image TEXT)")
    book.executemany("INSERT INTO asked VALUES (?)", ((sha1,) for sha1 in set(sha1s)))
    for variant in variants:
        found = book.execute("SELECT image, row FROM features JOIN asked USING (image) WHERE variant = ?", (variant,))
        yield from (((image, variant), row) for image, row in found)


def _computed(
    model: bytes, asked: Sequence[tuple[str, int, str]], picture: Callable[[int], images.Pixels]
) -> Iterator[tuple[str, str, bytes]]:
    """Yield what the trunk makes of each variant, in order, one picture at a time on each processor.

    Alone a picture gives the same bits whatever is computed beside it.
    """
    own = threading.local()

    def look(one: tuple[str, int, str]) -> tuple[str, str, bytes]:
        sha1, place, variant = one
        if not hasattr(own, "look"):
            own.look = _interpreter(model)
        shown = _shown(picture(place), sha1, variant)
        return sha1, variant, own.look(shown).astype(np.float16).tobytes()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(look, asked)


def _shown(image: images.Pixels, sha1: str, variant: str) -> Rows:
    """Return a picture, or its variant, as one of a batch of one."""
    if variant == STRANGER:
        seed = hashlib.sha256(f"{sha1} {variant}".encode()).digest()
        return strangers(image[None], np.random.default_rng(np.frombuffer(seed, np.uint32))).astype(np.float32)
    shown = image[:, ::-1] if variant == MIRRORED else image
    return shown[None].astype(np.float32)


def _interpreter(model: bytes) -> Callable[[Rows], Rows]:
    """Return a function that runs ``model`` on one picture, with one thread of its own."""
    from ai_edge_litert.interpreter import Interpreter

    with hushed():
        interpreter = Interpreter(model_content=model, num_threads=1)
        interpreter.allocate_tensors()
    given, made = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def run(image: Rows) -> Rows:
        interpreter.set_tensor(given, image)
        interpreter.invoke()
        row: Rows = interpreter.get_tensor(made)[0]
        return row

    return run


def _code(*modules: ModuleType) -> str:
    """Return a hash of modules' code: what other code makes of a picture, or of weights, is something else."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:12]
