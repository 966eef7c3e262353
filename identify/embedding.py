"""What a trained model sees in images, looked at once. In: a bundle, images by their SHA-1. Out: rows of features.

Features are kept in the home folder by the images' SHA-1, in a file whose name says what they depend on: the weights
that answer, and the code that reads pictures.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from harvest.datasets.embedded import COPIES_FROM, Embedding, Rows
from harvest.datasets.looks import Named
from harvest.records import Progress, batches
from identify import images
from identify.bundle import Bundle, open_bundle
from identify.engines import Serving, open_engine
from linkeddata import decoding
from linkeddata.decoding import Limits, UnreadableImageError

FOLDER = "features"
"""Where features are kept in the home folder."""
_AT_ONCE = 16
_SCHEMA = "CREATE TABLE IF NOT EXISTS seen (image TEXT PRIMARY KEY, row BLOB)"


def embedding_of(folder: Path, home: Path, copies_from: float = COPIES_FROM) -> Embedding:
    """Return what the model in a bundle's folder sees, kept in ``home``. Raises ``BundleError`` for no bundle."""
    bundle = open_bundle(folder)
    serving = open_engine(bundle)
    book = home / FOLDER / f"seen-{serving.weights[:16]}-{bundle.about.image_px}-{_code()}.sqlite"

    def rows(asked: Sequence[Named], progress: Progress) -> Rows:
        return _rows(book, bundle, serving, asked, progress)

    return Embedding(f"{bundle.about.name}@{bundle.about.version}", serving.weights, rows, copies_from)


def _rows(book: Path, bundle: Bundle, serving: Serving, asked: Sequence[Named], progress: Progress) -> Rows:
    """Return the features of images; those that were never looked at are looked at now."""
    book.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(book, timeout=60)) as kept:
        kept.execute(_SCHEMA)
        known = dict(_kept(kept))
        fresh = [one for one in dict(asked).items() if one[0] not in known]
        done = len(asked) - len(fresh)
        for some in batches(fresh, _AT_ONCE):
            rows = list(zip((sha1 for sha1, _ in some), _looked(bundle, serving, some), strict=True))
            with kept:
                kept.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?)", rows)
            known |= dict(rows)
            done += len(rows)
            progress("compute features", done, len(asked))
    size = max((len(known[sha1]) for sha1, _ in asked), default=0)
    joined = b"".join(known[sha1] or bytes(size) for sha1, _ in asked)
    return (
        np.frombuffer(joined, np.float16).reshape(len(asked), -1).astype(np.float32)
        if size
        else np.zeros((len(asked), 1), np.float32)
    )


def _kept(kept: sqlite3.Connection) -> Iterator[tuple[str, bytes]]:
    yield from kept.execute("SELECT image, row FROM seen")


def _looked(bundle: Bundle, serving: Serving, some: Sequence[Named]) -> list[bytes]:
    """Return the features of images as bytes, none of one that cannot be read.

    Each is looked at alone, so that it gives the same numbers whatever is looked at beside it.
    """
    found = []
    for _, source in some:
        try:
            picture = images.pixels(source.read_bytes(), bundle.about.image_px, Limits())
        except UnreadableImageError:
            found.append(b"")
            continue
        _, features = serving.engine.run(picture[None])
        unit = features[0] / max(float(np.linalg.norm(features[0])), 1e-12)
        found.append(unit.astype(np.float16).tobytes())
    return found


def _code() -> str:
    """Return a hash of the code that reads pictures: what other code makes of one is something else."""
    digest = hashlib.sha256()
    for module in (decoding, images):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:12]
