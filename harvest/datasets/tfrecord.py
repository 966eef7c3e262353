"""A dataset as TFRecord files, written without TensorFlow. In: a dataset on disk, a folder. Out: files of examples.

A record is ``tf.train.Example`` (tensorflow/core/example/example.proto) with the features of TensorFlow's own image
data sets: ``image/encoded``, ``image/class/label`` (number, -1 for a stranger), ``image/class/text``,
``image/filename``; besides ``licence``, ``credit``, ``file`` and ``concept``. A record's frame: its length, the masked
CRC-32C of that, the record, the masked CRC-32C of it (https://www.tensorflow.org/tutorials/load_data/tfrecord).
"""

import struct
from collections.abc import Iterable
from pathlib import Path

import google_crc32c

from harvest.datasets.manifest import Dataset, Example
from harvest.datasets.sharding import image_of, numbers_of, shards
from harvest.records import Progress

_BUFFER = 1 << 20
STRANGER_NUMBER = -1


def write_tfrecord(data: Dataset, out: Path, progress: Progress) -> list[Path]:
    """Write the files and return their paths."""
    numbers, written, done = numbers_of(data), list[Path](), 0
    for shard in shards(data):
        path = out / f"{shard.side}-{shard.number:05}-of-{shard.of:05}.tfrecord"
        with path.open("wb", buffering=_BUFFER) as file:
            for example in shard.examples:
                number = numbers.get(example.concept, STRANGER_NUMBER)
                file.write(framed(encoded(features_of(example, number, image_of(data, example)))))
            done += len(shard.examples)
            progress("tfrecord", done, len(data.examples))
        written.append(path)
    return written


def features_of(example: Example, number: int, image: bytes) -> dict[str, bytes | int]:
    """Return the features of an example."""
    return {
        "concept": example.concept.encode(),
        "credit": example.credit.encode(),
        "file": example.file.encode(),
        "image/class/label": number,
        "image/class/text": example.label.encode(),
        "image/encoded": image,
        "image/filename": Path(example.path).name.encode(),
        "licence": example.licence.encode(),
    }


def framed(record: bytes) -> bytes:
    """Return a record in its frame."""
    length = struct.pack("<Q", len(record))
    return length + _masked_crc(length) + record + _masked_crc(record)


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def encoded(features: dict[str, bytes | int]) -> bytes:
    """Return ``tf.train.Example`` as protocol buffers write it; map entries in the order that is given.

    >>> encoded({"a": 1})
    b'\\n\\x0c\\n\\n\\n\\x01a\\x12\\x05\\x1a\\x03\\n\\x01\\x01'
    """
    entries = (_field(1, key.encode()) + _field(2, _feature(value)) for key, value in features.items())
    return _field(1, b"".join(_field(1, entry) for entry in entries))


def _feature(value: bytes | int) -> bytes:
    """Return ``Feature``: field 1 a list of bytes, field 3 a list of whole numbers, packed."""
    if isinstance(value, bytes):
        return _field(1, _field(1, value))
    return _field(3, _field(1, _varint(value & 0xFFFFFFFFFFFFFFFF)))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    return bytes(_sevens(value))


def _sevens(value: int) -> Iterable[int]:
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value
