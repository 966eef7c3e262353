"""A dataset as WebDataset shards. In: a dataset on disk, a folder. Out: tar files, the same bytes every time.

``SIDE-000000.tar`` holds of each example ``SHA1.jpg``, ``SHA1.cls`` (number of its class, none for a stranger) and
``SHA1.json`` (its row), next to each other, as https://github.com/webdataset/webdataset reads them.
"""

from pathlib import Path
from tarfile import BLOCKSIZE
from typing import BinaryIO

from harvest.datasets.manifest import Dataset
from harvest.datasets.sharding import image_of, numbers_of, row_of, shards
from harvest.records import Progress

_BUFFER = 1 << 20
_END = b"\0" * 1024
_PADDING = b"\0" * BLOCKSIZE
_RIGHTS, _MOMENT = b"0000644\0" + b"0000000\0" * 2, b"00000000000\0"
_REST = (b"0" + b"\0" * 100 + b"ustar\x0000").ljust(356, b"\0")
_REST_SUM = sum(_REST) + sum(b" " * 8)
"""What the rest of a header adds to its checksum, which counts as blanks itself."""


def write_webdataset(data: Dataset, out: Path, progress: Progress) -> list[Path]:
    """Write the shards and return their paths."""
    numbers, written, done = numbers_of(data), list[Path](), 0
    for shard in shards(data):
        path = out / f"{shard.side}-{shard.number:06}.tar"
        with path.open("wb", buffering=_BUFFER) as file:
            for example in shard.examples:
                _add(file, example.path.rpartition("/")[2], image_of(data, example))
                if example.concept:
                    _add(file, f"{example.sha1}.cls", str(numbers[example.concept]).encode())
                _add(file, f"{example.sha1}.json", row_of(example))
            file.write(_END)
            done += len(shard.examples)
            progress("webdataset", done, len(data.examples))
        written.append(path)
    return written


def _add(file: BinaryIO, name: str, content: bytes) -> None:
    """Append one file."""
    file.write(header(name, len(content)))
    file.write(content)
    file.write(_PADDING[: -len(content) % BLOCKSIZE])


def header(name: str, size: int) -> bytes:
    """Return a file's header as POSIX has it (ustar); it says nothing of who wrote the file and when.

    Names are SHA-1s with an ending, sizes below 8 GiB. ``tarfile`` writes the same, at ten times the time.

    >>> import tarfile
    >>> about = tarfile.TarInfo("0a.jpg")
    >>> about.size = 5
    >>> header("0a.jpg", 5) == about.tobuf(tarfile.USTAR_FORMAT)
    True
    """
    start = name.encode().ljust(100, b"\0") + _RIGHTS + b"%011o\0" % size + _MOMENT
    return start + b"%06o\0 " % (sum(start) + _REST_SUM) + _REST
