"""Weights in a file that torch wrote, read without torch. In: a path. Out: arrays by name.

Such files are pickles (https://pytorch.org/docs/stable/notes/serialization.html). Of what a pickle can do, only what
makes up a dictionary of tensors is allowed here: every other class or function it asks for is refused before anything
is called, so that a file from anybody runs nothing. Both layouts are read: the zip archive of torch 1.6 and later, and
the stream of pickles before it.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from linkeddata.errors import DatasetError

Tensors = dict[str, NDArray[Any]]
MAGIC = 0x1950A86A20F9469CFC6C
"""First pickle of the older layout."""
STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
}
"""Torch's storages and the NumPy types of what is in them."""
WRONG = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
)


@dataclass(frozen=True, slots=True)
class _Storage:
    """Stands for the numbers of one or several tensors until they are read."""

    key: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """Where in a storage a tensor is."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Rebuilt:
    """Called by the pickle for each tensor. An object without attributes: a pickle cannot change it."""

    __slots__ = ()

    def __call__(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
        numbers = (offset, *shape, *strides)
        if not isinstance(storage, _Storage) or not all(type(one) is int and one >= 0 for one in numbers):
            raise pickle.UnpicklingError("a tensor that is none")
        return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _Reader(pickle.Unpickler):
    """Reads dictionaries of tensors and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Rebuilt()
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no table of weights needs")

    def persistent_load(self, pid: Any) -> _Storage:
        tag, kind, key, _, count = pid[:5]
        if tag != "storage" or kind not in STORAGES.values() or type(count) is not int or count < 0:
            raise pickle.UnpicklingError("a storage that is none")
        return _Storage(str(key), kind, count)


def read_tensors(path: Path) -> Tensors:
    """Return the tensors in a file of torch's, by name. Raises ``DatasetError`` for any other file."""
    try:
        with path.open("rb") as stream:
            archive = zipfile.is_zipfile(stream)
            stream.seek(0)
            return _from_archive(stream) if archive else _from_stream(stream, path.stat().st_size)
    except WRONG as error:
        raise DatasetError(f"{path} holds no weights that can be read: {error}") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error


def _from_archive(stream: BinaryIO) -> Tensors:
    with zipfile.ZipFile(stream) as archive:
        (table,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        inside = table.removesuffix("data.pkl")
        tensors = _named(_Reader(io.BytesIO(archive.read(table))).load())
        return _filled(tensors, lambda storage: archive.read(f"{inside}data/{storage.key}"))


def _from_stream(stream: BinaryIO, size: int) -> Tensors:
    if _Reader(stream).load() != MAGIC:
        raise ValueError("it does not begin as files of torch do")
    for _ in ("version of the protocol", "sizes of numbers"):
        _Reader(stream).load()
    tensors = _named(_Reader(stream).load())
    storages = {one.storage.key: one.storage for one in tensors.values()}
    content: dict[str, bytes] = {}
    for key in _Reader(stream).load():
        count = int.from_bytes(stream.read(8), "little")
        length = count * np.dtype(storages[key].kind).itemsize
        if count != storages[key].count or stream.tell() + length > size:
            raise ValueError(f"storage {key} is cut off or of another size")
        content[key] = stream.read(length)
    return _filled(tensors, lambda storage: content[storage.key])


def _named(table: Any) -> dict[str, _Tensor]:
    """Return the tensors of a table, of one under ``state_dict``, too."""
    if isinstance(table, dict) and isinstance(table.get("state_dict"), dict):
        table = table["state_dict"]
    if not isinstance(table, dict):
        raise ValueError("it is no table of weights")
    return {name: one for name, one in table.items() if isinstance(name, str) and isinstance(one, _Tensor)}


def _filled(tensors: dict[str, _Tensor], bytes_of: Callable[[_Storage], bytes]) -> Tensors:
    return {name: _array(one, bytes_of(one.storage)) for name, one in tensors.items()}


def _array(tensor: _Tensor, data: bytes) -> NDArray[Any]:
    """Return a tensor as an array of its own; its strides must stay inside the storage."""
    numbers = np.frombuffer(data, tensor.storage.kind)
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if 0 in tensor.shape:
        return np.empty(tensor.shape, numbers.dtype)
    if last >= len(numbers):
        raise ValueError("a tensor reaches beyond its storage")
    steps = tuple(step * numbers.itemsize for step in tensor.strides)
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, steps).copy()
