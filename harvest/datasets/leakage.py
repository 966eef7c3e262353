"""The certificate that sides do not leak into each other. In: rows, images. Out: ``leakage.json``, or what is wrong.

Keys: groups stand on one side (but for ``known``, which holds single images of training groups by its nature), copies
of one picture stand on one side, the same bytes are there once. Every pair of images is compared by its prints; those
that are near are compared by finer ones (``likeness``). ``verify`` looks at the folder as it is now and does it again.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from harvest.datasets.duplicates import object_name, spread
from harvest.datasets.likeness import ALIKE, NEAR, Look, Pair, look, near_pairs
from harvest.datasets.manifest import KNOWN, Dataset, Example, read_dataset
from harvest.records import Progress, silent
from linkeddata.errors import DatasetError

FILE = "leakage.json"
FORMAT = 1
SHOWN = 20
"""Nearest pairs across sides that the certificate names."""


def certificate(examples: Sequence[Example], looks: Sequence[Look | None], version: str) -> dict[str, Any]:
    """Return the certificate; ``looks`` are in the order of ``examples``, ``None`` for an unreadable image."""
    seen = [place for place, one in enumerate(looks) if one]
    across = [
        (pair, examples[seen[pair.a]], examples[seen[pair.b]])
        for pair in near_pairs([one for one in looks if one])
        if examples[seen[pair.a]].split != examples[seen[pair.b]].split
    ]
    groups = [(e.group, e.split) for e in examples if e.group and e.split != KNOWN]
    return {
        "format": FORMAT,
        "version": version,
        "keys": {
            "group": {"values": len({name for name, _ in groups}), "on several sides": spread(groups)},
            "cluster": {
                "values": len({e.cluster for e in examples if e.cluster}),
                "on several sides": spread((e.cluster, e.split) for e in examples if e.cluster),
            },
            "object": _object(examples),
            "sha1": {
                "values": len({e.sha1 for e in examples}),
                "on several sides": spread((e.sha1, e.split) for e in examples),
            },
        },
        "images": len(examples),
        "unreadable": [e.path for e, one in zip(examples, looks, strict=True) if one is None],
        "pairs": {
            "compared": len(seen) * (len(seen) - 1) // 2,
            "across sides within bits": len(across),
            "copies across sides": sum(pair.copies for pair, _, _ in across),
        },
        "method": {
            "prints": "signs of cosine waves, 64 bits; then grey levels",
            "within bits": NEAR,
            "copies from": ALIKE,
        },
        "nearest": [_shown(*one) for one in sorted(across, key=lambda one: -one[0].likeness)[:SHOWN]],
    }


def _object(examples: Sequence[Example]) -> dict[str, Any]:
    objects = [(object_name(e.institution, e.inventory_number), e.split) for e in examples if e.split != KNOWN]
    return {
        "values": len({name for name, _ in objects if name}),
        "on several sides": spread(one for one in objects if one[0]),
    }


def _shown(pair: Pair, one: Example, other: Example) -> dict[str, Any]:
    return {
        "a": one.path,
        "b": other.path,
        "distance": pair.distance,
        "likeness": pair.likeness,
        "how": pair.how,
    }


def looks_of(data: Dataset, progress: Progress = silent) -> list[Look | None]:
    """Return what the images in the folder look like now; ``None`` for one that is not there or cannot be read."""

    def one(example: Example) -> Look | None:
        try:
            return look((data.folder / example.path).read_bytes())
        except OSError:
            return None

    looks = []
    with ThreadPoolExecutor() as pool:
        for number, found in enumerate(pool.map(one, data.examples), 1):
            looks.append(found)
            progress("compare images", number, len(data.examples))
    return looks


def verify(folder: Path, progress: Progress = silent) -> list[str]:
    """Return what is wrong with a dataset, in words; nothing where it is what its certificate says.

    Raises ``DatasetError`` for a folder that is no dataset, was altered, or has no certificate.
    """
    data = read_dataset(folder)
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{folder} has no certificate: {error}") from error
    now = certificate(data.examples, looks_of(data, progress), data.sha256)
    return [*_files(data), *leaks(now), *_claims(told, now)]


def leaks(found: dict[str, Any]) -> Iterator[str]:
    """Yield in words what a certificate shows to have leaked."""
    for key, about in found["keys"].items():
        for name, sides in about["on several sides"].items():
            yield f"{key} {name} is on several sides: {', '.join(sides)}"
    for pair in found["nearest"]:
        if pair["likeness"] >= ALIKE:
            how = "part and whole" if pair["how"] == "part" else f"{pair['how']} copies".strip()
            yield f"{pair['a']} and {pair['b']} are {how} of one picture (likeness {pair['likeness']})"


def _files(data: Dataset) -> Iterator[str]:
    """Yield images that are missing, were altered, or are not in the manifest."""
    expected = {example.path: example.copy_sha1 for example in data.examples}
    there = {str(path.relative_to(data.folder)): path for path in (data.folder / "images").rglob("*") if path.is_file()}
    yield from (f"{path} is missing" for path in sorted(expected.keys() - there.keys()))
    yield from (f"{path} is not in the manifest" for path in sorted(there.keys() - expected.keys()))
    for path in sorted(expected.keys() & there.keys()):
        with there[path].open("rb") as file:
            if hashlib.file_digest(file, "sha1").hexdigest() != expected[path]:
                yield f"{path} was altered"


def _claims(told: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    for key in now:
        if told.get(key) != now[key]:
            yield f"the certificate says of {key} what is not so any more"
