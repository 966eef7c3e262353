"""A dataset as WebDataset shards. In: a dataset on disk, a folder. Out: tar files, the same bytes every time.

``SIDE-000000.tar`` holds of each example ``SHA1.jpg``, ``SHA1.cls`` (number of its class, none for a stranger) and
``SHA1.json`` (its row), next to each other, as https://github.com/webdataset/webdataset reads them.
"""

import tarfile
from pathlib import Path
from typing import BinaryIO

from harvest.datasets.manifest import Dataset
from harvest.datasets.sharding import image_of, numbers_of, row_of, shards
from harvest.records import Progress

_BUFFER = 1 << 20
_END = b"\0" * 1024


def write_webdataset(data: Dataset, out: Path, progress: Progress) -> list[Path]:
    """Write the shards and return their paths."""
    numbers, written, done = numbers_of(data), list[Path](), 0
    for shard in shards(data):
        path = out / f"{shard.side}-{shard.number:06}.tar"
        with path.open("wb", buffering=_BUFFER) as file:
            for example in shard.examples:
                _add(file, Path(example.path).name, image_of(data, example))
                if example.concept:
                    _add(file, f"{example.sha1}.cls", str(numbers[example.concept]).encode())
                _add(file, f"{example.sha1}.json", row_of(example))
            file.write(_END)
            done += len(shard.examples)
            progress("webdataset", done, len(data.examples))
        written.append(path)
    return written


def _add(file: BinaryIO, name: str, content: bytes) -> None:
    """Append one file; its header says nothing of who wrote it and when."""
    about = tarfile.TarInfo(name)
    about.size, about.mode = len(content), 0o644
    file.write(about.tobuf(tarfile.USTAR_FORMAT))
    file.write(content)
    file.write(b"\0" * (-len(content) % tarfile.BLOCKSIZE))
