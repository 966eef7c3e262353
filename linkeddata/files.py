"""Files that are whole or not there. In: a path. Out: a file to write, which takes its place when all is written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Open a new file beside ``path`` for bytes; put it in its place at the end, or leave the old one after an error.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replaced(Path(folder) / "a.txt") as out:
    ...         _ = out.write(b"whole")
    ...     [entry.read_bytes() for entry in Path(folder).iterdir()]
    [b'whole']
    """
    # One name for all tries: what a killed process left is written over by the next.
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
