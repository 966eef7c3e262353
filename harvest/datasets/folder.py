"""The folder of a dataset, written whole or not at all. In: texts and images. Out: a folder in its place."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harvest.datasets.manifest import Example, read_dataset, read_text
from harvest.records import Progress, silent
from linkeddata.errors import DatasetError
from linkeddata.files import replaced
from linkeddata.storage import Stored, stored_file

Copy = Callable[[bytes, Example], bytes]
"""Makes of an image's bytes and its row the bytes of the copy."""


def copied(
    examples: Sequence[Example], sources: Sequence[Stored], folder: Path, copy: Copy | None, progress: Progress
) -> list[Example]:
    """Return the examples with the SHA-1 of what will lie in the folder; without ``copy`` the images are as they were.

    Copies are written beside ``folder``, but for those that it has already.
    """
    if copy is None:
        return list(examples)
    partial, there = _partial(folder), _there(folder)
    made = []
    for done, (example, source) in enumerate(zip(examples, sources, strict=True), 1):
        old = there.get(example.path)
        if old and replace(old, copy_sha1=example.copy_sha1) == example and (folder / old.path).is_file():
            made.append(old)
        else:
            data = copy(source.read_bytes(), example)
            (partial / example.path).parent.mkdir(parents=True, exist_ok=True)
            (partial / example.path).write_bytes(data)  # half of one is written again by the next run
            made.append(replace(example, copy_sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest()))
        progress("copies", done, len(examples))
    return made


def refuse_others(folder: Path) -> None:
    """Raise ``DatasetError`` for a folder that has something in it and is no dataset: it would be lost."""
    if folder.exists() and not (folder / "dataset.json").is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise DatasetError(f"{folder} is there already and is no dataset of ours; it is left as it is")


def is_there(folder: Path, texts: Mapping[str, str], examples: Sequence[Example]) -> bool:
    """Say whether the folder has these texts, and a file for each example."""
    try:
        same = all(read_text(folder / name) == text for name, text in texts.items())
    except (OSError, UnicodeDecodeError):
        return False
    return same and all((folder / example.path).is_file() for example in examples)


def write(
    folder: Path,
    texts: Mapping[str, str | bytes],
    files: Sequence[tuple[Example, Stored]],
    progress: Progress = silent,
) -> None:
    """Fill a folder beside ``folder`` (what an earlier, broken run put there is used), then swap it in."""
    partial, there = _partial(folder), _there(folder)
    wanted = {example.path for example, _ in files}
    for left_over in partial.rglob("*"):
        if left_over.is_file() and left_over.relative_to(partial).as_posix() not in wanted:
            left_over.unlink()
    for parent in {path.rpartition("/")[0] for path in wanted}:
        (partial / parent).mkdir(parents=True, exist_ok=True)
    for done, (example, source) in enumerate(files, 1):
        if example.copy_sha1 == example.sha1:
            _link(source, partial / example.path)
        elif there.get(example.path) == example:
            _link(stored_file(folder / example.path), partial / example.path)
        progress("dataset", done, len(files))
    for name, text in texts.items():
        (partial / name).parent.mkdir(parents=True, exist_ok=True)
        (partial / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    _swap(partial, folder)


def forget(folder: Path) -> None:
    """Take away what was begun beside ``folder`` and is not needed."""
    shutil.rmtree(_partial(folder), ignore_errors=True)


def _partial(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.partial")


def _there(folder: Path) -> dict[str, Example]:
    """Return the rows of the dataset that is in the folder, by path; none where there is no dataset, or another's."""
    try:
        return {example.path: example for example in read_dataset(folder).examples}
    except DatasetError:
        return {}


def _link(source: Stored, target: Path) -> None:
    """Put the bytes of ``source`` at ``target``: a hard link where they are on this disk, else a copy."""
    local = source.local
    if target.is_file() and (not local or target.stat().st_size == local.stat().st_size):
        return
    target.unlink(missing_ok=True)
    try:
        if local:
            os.link(local.resolve() if local.is_symlink() else local, target)
            return
    except OSError:
        pass  # another file system, or one without links
    with replaced(target) as out:
        out.write(source.read_bytes())


def _swap(partial: Path, folder: Path) -> None:
    """Put ``partial`` in the place of ``folder``; a stop in between leaves one of them whole."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
