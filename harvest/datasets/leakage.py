"""The certificate that sides do not leak into each other. In: rows, images. Out: ``leakage.json``, or what is wrong.

Keys: groups stand on one side (but for ``known``, which holds single images of training groups by its nature), copies
of one picture stand on one side, the same bytes are there once. Every pair of images is compared by its prints; those
that are near are compared by finer ones (``likeness``), and by a model where one was chosen (``embedded``). ``verify``
looks at the folder as it is now and does it again.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harvest.datasets.blocs import object_name
from harvest.datasets.duplicates import Compared, compared, spread
from harvest.datasets.embedded import NEAR as TOLD_FROM
from harvest.datasets.embedded import Embedding, Seen
from harvest.datasets.likeness import ALIKE, NEAR, Pair
from harvest.datasets.manifest import KNOWN, STRANGER, TEST, TRAIN, VALIDATION, Dataset, Example, read_dataset
from harvest.datasets.strata import on_every_side
from harvest.records import Progress, silent
from linkeddata.errors import DatasetError
from linkeddata.storage import stored_file

FILE = "leakage.json"
FORMAT = 2
SHOWN = 20
"""Nearest pairs across sides that the certificate names."""
NOT_BY_UPLOADER = "not chosen: it says nothing of who made a picture, and a museum's files are mostly one bot's"
UPLOADER_IS = "urn:deboodt:person:"
"""How groups begin where files are grouped by who uploaded them, a pseudonym."""


def certificate(examples: Sequence[Example], images: Compared, version: str) -> dict[str, Any]:
    """Return the certificate; ``images`` are in the order of ``examples``."""
    across = [
        (pair, examples[pair.a], examples[pair.b])
        for pair in images.pairs
        if examples[pair.a].split != examples[pair.b].split
    ]
    seen = images.images - len(images.unreadable)
    grouped = [e for e in examples if e.split not in (KNOWN, STRANGER)]
    there = {(e.split, e.group or e.cluster or e.sha1, one): 1 for e in grouped for one in (e.concept, *e.also)}
    sides = [side for side in (TRAIN, VALIDATION, TEST) if any(side == one for one, _, _ in there)]
    uploaders = [(e.group, e.split) for e in grouped if e.group.startswith(UPLOADER_IS)]
    return {
        "format": FORMAT,
        "version": version,
        "keys": {
            "group": _key((e.group, e.split) for e in grouped),
            "object": _key((object_name(e.institution, e.inventory_number), e.split) for e in grouped),
            "cluster": _key((e.cluster, e.split) for e in examples),
            "sha1": _key((e.sha1, e.split) for e in examples),
            **({"uploader": _key(uploaders)} if uploaders else {}),
        },
        "keys not known": {} if uploaders else {"uploader": NOT_BY_UPLOADER},
        "classes": dict(zip(("on every side", "in groups enough"), on_every_side(there, sides), strict=True)),
        "images": len(examples),
        "unreadable": [examples[place].path for place in images.unreadable],
        "pairs": {
            "compared": seen * (seen - 1) // 2,
            "across sides within bits": len(across),
            "copies across sides": sum(pair.copies for pair, _, _ in across),
        },
        "method": {
            "prints": "signs of cosine waves, 64 bits; then grey levels",
            "within bits": NEAR,
            "copies from": ALIKE,
        },
        "nearest": [_shown(*one) for one in sorted(across, key=lambda one: -one[0].likeness)[:SHOWN]],
        **({"embedding": _seen(examples, images.seen)} if images.seen else {}),
    }


def _seen(examples: Sequence[Example], seen: Seen) -> dict[str, Any]:
    """Return what a model sees across sides."""
    across = [pair for pair in seen.pairs if examples[pair.a].split != examples[pair.b].split]
    return {
        "model": seen.model,
        "weights": seen.weights,
        "copies from": seen.copies_from,
        "told from": min(TOLD_FROM, seen.copies_from),
        "pairs across sides": len(across),
        "copies across sides": sum(pair.cosine >= seen.copies_from for pair in across),
        "nearest": [
            {"a": examples[pair.a].path, "b": examples[pair.b].path, "cosine": pair.cosine} for pair in across[:SHOWN]
        ],
    }


def _key(values: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return how many values a key has and which of them are on several sides; in: pairs of value and side."""
    known = [one for one in values if one[0]]
    return {"values": len({name for name, _ in known}), "on several sides": spread(known)}


def _shown(pair: Pair, one: Example, other: Example) -> dict[str, Any]:
    return {
        "a": one.path,
        "b": other.path,
        "distance": pair.distance,
        "likeness": pair.likeness,
        "how": pair.how,
    }


def verify(folder: Path, progress: Progress = silent, embedding: Embedding | None = None) -> list[str]:
    """Return what is wrong with a dataset, in words; nothing where it is what its certificate says.

    Images are looked at anew, by what their bytes are now; what a model saw in them only with the same ``embedding``.
    Raises ``DatasetError`` for a folder that is no dataset, was altered, or has no certificate.
    """
    data = read_dataset(folder)
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{folder} has no certificate: {error}") from error
    if embedding and told.get("embedding", {}).get("weights") != embedding.weights:
        named = told.get("embedding", {}).get("model", "no model")
        raise DatasetError(f"{folder}: its certificate is by {named}, not by these weights of {embedding.model}")
    if embedding:
        embedding = replace(embedding, copies_from=told["embedding"]["copies from"])
    paths = sorted(path for path in (folder / "images").rglob("*") if path.is_file())
    there = {str(path.relative_to(folder)): _sha1(path) for path in paths}
    places = [place for place, example in enumerate(data.examples) if example.path in there]
    images = [(there[path], stored_file(folder / path)) for path in (data.examples[place].path for place in places)]
    found = compared(images, None, progress, embedding).among(dict(enumerate(places)))
    missing = [place for place, example in enumerate(data.examples) if example.path not in there]
    found = replace(found, images=len(data.examples), unreadable=tuple(sorted((*found.unreadable, *missing))))
    now = certificate(data.examples, found, data.sha256)
    return [*_files(data, there), *leaks(now), *_claims(told, now)]


def _sha1(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


def leaks(found: dict[str, Any]) -> Iterator[str]:
    """Yield in words what a certificate shows to have leaked."""
    for key, about in found["keys"].items():
        for name, sides in about["on several sides"].items():
            yield f"{key} {name} is on several sides: {', '.join(sides)}"
    for pair in found["nearest"]:
        if pair["likeness"] >= ALIKE:
            how = "part and whole" if pair["how"] == "part" else f"{pair['how']} copies".strip()
            yield f"{pair['a']} and {pair['b']} are {how} of one picture (likeness {pair['likeness']})"
    by_model = found.get("embedding", {"nearest": (), "copies from": 0})
    for pair in by_model["nearest"]:
        if pair["cosine"] >= by_model["copies from"]:
            yield f"{pair['a']} and {pair['b']} are copies of one picture to {by_model['model']} ({pair['cosine']})"


def _files(data: Dataset, there: Mapping[str, str]) -> Iterator[str]:
    """Yield images that are missing, were altered, or are not in the manifest; ``there`` are those that are there."""
    expected = {example.path: example.copy_sha1 for example in data.examples}
    yield from (f"{path} is missing" for path in sorted(expected.keys() - there.keys()))
    yield from (f"{path} is not in the manifest" for path in sorted(there.keys() - expected.keys()))
    yield from (
        f"{path} was altered" for path in sorted(expected.keys() & there.keys()) if there[path] != expected[path]
    )


def _claims(told: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    for key in now:
        if told.get(key) != now[key]:
            yield f"the certificate says of {key} what is not so any more"
