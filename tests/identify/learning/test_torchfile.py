"""Weights in torch's files: both layouts are read, and whatever else a pickle asks for is refused before it runs."""

import io
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from identify.learning.backbones import LITE_FILE, LITE_PACKAGE
from identify.learning.torchfile import MAGIC, read_tensors
from linkeddata.errors import DatasetError

TABLE = {"stem.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "seen": np.array([7], np.int64)}
STORAGE = {"float32": "FloatStorage", "int64": "LongStorage"}


class Tensor:
    """Stands for torch's own while a file is written."""

    def __init__(self, key: str, values: np.ndarray[Any, Any]) -> None:
        self.key, self.values = key, values


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that is called torch, so that pickles name what torch's do."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    for name in STORAGE.values():
        setattr(torch, name, type(name, (), {"__module__": "torch", "__qualname__": name}))

    def rebuild(*_: object) -> None:
        """Called by nobody here."""

    rebuild.__module__, rebuild.__qualname__, rebuild.__name__ = (
        "torch._utils",
        "_rebuild_tensor_v2",
        "_rebuild_tensor_v2",
    )
    utils._rebuild_tensor_v2 = rebuild  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch


def pickled(table: object, torch: ModuleType) -> bytes:
    class Pickler(pickle.Pickler):
        def persistent_id(self, one: Any) -> Any:
            if isinstance(one, tuple) and one and isinstance(one[0], Tensor):
                values = one[0].values
                return "storage", getattr(torch, STORAGE[values.dtype.name]), one[0].key, "cpu", values.size
            return None

        def reducer_override(self, one: Any) -> Any:
            if not isinstance(one, Tensor):
                return NotImplemented
            strides = tuple(step // one.values.itemsize for step in one.values.strides)
            told = ((one,), 0, one.values.shape, strides, False, OrderedDict())
            return sys.modules["torch._utils"]._rebuild_tensor_v2, told

    out = io.BytesIO()
    Pickler(out, protocol=2).dump(table)
    return out.getvalue()


def older(torch: ModuleType, table: object = None) -> bytes:
    own = {name: Tensor(str(i), values) for i, (name, values) in enumerate(TABLE.items())}
    begin = b"".join(pickle.dumps(one, protocol=2) for one in (MAGIC, 1001, {"little_endian": True}))
    keys = pickle.dumps([one.key for one in own.values()], protocol=2)
    data = b"".join(one.values.size.to_bytes(8, "little") + one.values.tobytes() for one in own.values())
    return begin + pickled(OrderedDict(own) if table is None else table, torch) + keys + data


def newer(torch: ModuleType, table: object = None) -> bytes:
    own = {name: Tensor(str(i), values) for i, (name, values) in enumerate(TABLE.items())}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("weights/data.pkl", pickled({"state_dict": own} if table is None else table, torch))
        for one in own.values():
            archive.writestr(f"weights/data/{one.key}", one.values.tobytes())
    return out.getvalue()


@pytest.mark.parametrize("layout", [older, newer])
def test_tensors_come_out_as_they_were(layout: Any, torch: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(layout(torch))
    found = read_tensors(path)
    assert found.keys() == TABLE.keys()
    for name, values in TABLE.items():
        assert found[name].dtype == values.dtype
        assert found[name].tolist() == values.tolist()


class Command:
    """What a pickle from a stranger may ask for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("layout", [older, newer])
def test_a_pickle_that_wants_to_run_something_is_refused_before_it_does(
    layout: Any, torch: ModuleType, tmp_path: Path
) -> None:
    path, made = tmp_path / "weights.pth", tmp_path / "made"
    path.write_bytes(layout(torch, {"stem.weight": Command(made)}))
    with pytest.raises(DatasetError, match="mkdir, which no table of weights needs"):
        read_tensors(path)
    assert not made.exists()


@pytest.mark.parametrize("kept", [0, 20, 200, -9])
def test_what_is_cut_off_or_something_else_is_an_error_of_ours(kept: int, torch: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(older(torch)[:kept])
    with pytest.raises(DatasetError, match="holds no weights"):
        read_tensors(path)
    for other in (b"not a pickle", pickle.dumps(5), pickle.dumps({"a": 1})):
        path.write_bytes(other)
        with pytest.raises(DatasetError, match="holds no weights"):
            read_tensors(path)


def test_a_tensor_that_reaches_beyond_its_storage_is_refused(torch: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    shorter = newer(torch)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(shorter)) as whole, zipfile.ZipFile(out, "w") as cut:
        for name in whole.namelist():
            cut.writestr(name, whole.read(name)[:-8] if name.endswith("data/0") else whole.read(name))
    path.write_bytes(out.getvalue())
    with pytest.raises(DatasetError, match="beyond its storage"):
        read_tensors(path)


def test_the_weights_of_the_package_are_read() -> None:
    found = find_spec(LITE_PACKAGE)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{LITE_PACKAGE} is not installed")
    tensors = read_tensors(Path(found.submodule_search_locations[0]) / LITE_FILE)
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert tensors["_fc.weight"].shape == (1000, 1280)
