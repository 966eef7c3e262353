"""The folder of a dataset, written whole or not at all. In: texts and images. Out: a folder in its place."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harvest.datasets.manifest import Example, read_text
from linkeddata.files import replaced
from linkeddata.storage import Stored

Progress = Callable[[str, int, int], None]


def write(
    folder: Path, texts: Mapping[str, str], files: Sequence[tuple[Example, Stored]], progress: Progress | None
) -> None:
    """Fill a folder beside ``folder`` (what an earlier, broken run put there is used), then swap it in."""
    if _is_there(folder, texts, files):
        return
    partial = folder.with_name(f".{folder.name}.partial")
    wanted = {partial / example.path for example, _ in files}
    for left_over in [path for path in partial.rglob("*") if path.is_file() and path not in wanted]:
        left_over.unlink()
    for done, (example, source) in enumerate(files, 1):
        _link(source, partial / example.path)
        if progress:
            progress("dataset", done, len(files))
    for name, text in texts.items():
        (partial / name).write_text(text, encoding="utf-8", newline="")
    _swap(partial, folder)


def _is_there(folder: Path, texts: Mapping[str, str], files: Sequence[tuple[Example, Stored]]) -> bool:
    try:
        same = all(read_text(folder / name) == text for name, text in texts.items())
    except (OSError, UnicodeDecodeError):
        return False
    return same and all((folder / e.path).is_file() for e, _ in files)


def _link(source: Stored, target: Path) -> None:
    """Put the bytes of ``source`` at ``target``: a hard link where they are on this disk, else a copy."""
    local = source.local
    if target.is_file() and (not local or target.stat().st_size == local.stat().st_size):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        if local:
            os.link(local.resolve(), target)
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
