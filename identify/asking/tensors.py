"""Tensors of the Open Inference Protocol. In: a request's JSON and what follows it. Out: arrays; and the way back.

Pure. The binary extension puts a tensor's bytes behind the JSON, little-endian, row by row; a text or an image
(``BYTES``) is preceded by its length in four bytes
(https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol/binary-tensor-data-extension).
"""

import base64
import binascii
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from linkeddata.problem import Problem

Array = NDArray[Any]
TYPES: dict[str, str] = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
"""The protocol's data types of numbers, as NumPy writes them."""
BYTES = "BYTES"
LONGEST_SHAPE = 8
HEADER = "Inference-Header-Content-Length"


def split(body: bytes, header_length: str) -> tuple[dict[str, Any], bytes]:
    """Return a request's JSON and the bytes behind it. Raises ``Problem`` 400.

    >>> split(b'{"inputs": []}\\x00\\x01', "14")
    ({'inputs': []}, b'\\x00\\x01')
    """
    length = len(body)
    if header_length:
        if not header_length.isdecimal() or len(header_length) > 12 or int(header_length) > length:
            raise _wrong(f"{HEADER} is not the length of the JSON in this body")
        length = int(header_length)
    try:
        content = orjson.loads(body[:length])
    except orjson.JSONDecodeError as error:
        raise _wrong(f"the JSON cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise _wrong("the JSON is no object")
    return content, body[length:]


def inputs(content: Mapping[str, Any], behind: bytes) -> dict[str, Array | list[bytes]]:
    """Return a request's tensors by name: arrays in their shapes, ``BYTES`` as a list. Raises ``Problem`` 400."""
    given = content.get("inputs")
    if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
        raise _wrong("inputs is no list of tensors")
    found: dict[str, Array | list[bytes]] = {}
    at = 0
    for one in given:
        name, kind, shape = one.get("name"), one.get("datatype"), one.get("shape")
        if not isinstance(name, str) or (kind not in TYPES and kind != BYTES):
            raise _wrong(f"input {name!r}: no name, or no datatype {kind!r}")
        if not _is_shape(shape):
            raise _wrong(f"input {name}: shape {shape!r}")
        parameters = one.get("parameters") or {}
        size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
        if size is None:
            found[name] = _of_json(name, kind, shape, one.get("data"))
            continue
        if not isinstance(size, int) or isinstance(size, bool) or size < 0 or at + size > len(behind):
            raise _wrong(f"input {name}: {size} bytes are not behind the JSON")
        found[name] = _of_bytes(name, kind, shape, behind[at : at + size])
        at += size
    if at != len(behind):
        raise _wrong(f"{len(behind) - at} bytes behind the JSON belong to no input")
    return found


def written(
    outputs: Mapping[str, tuple[str, Array | list[str]]],
    shapes: Mapping[str, Sequence[int]],
    asked: Mapping[str, Any],
    head: Mapping[str, Any],
) -> tuple[bytes, dict[str, str]]:
    """Return an answer's body and headers: ``outputs`` by name as (data type, values), as ``asked`` for.

    Raises ``Problem`` 400 for an output that there is not.
    """
    wanted, all_binary = _wanted(asked, outputs)
    told: list[dict[str, Any]] = []
    behind: list[bytes] = []
    for name, parameters in wanted:
        kind, values = outputs[name]
        one: dict[str, Any] = {"name": name, "datatype": kind, "shape": list(shapes[name])}
        if parameters.get("binary_data", all_binary):
            data = _packed(kind, values)
            behind.append(data)
            one["parameters"] = {"binary_data_size": len(data)}
        else:
            one["data"] = values if isinstance(values, list) else values.ravel().tolist()
        told.append(one)
    body = orjson.dumps({**head, "outputs": told})
    if not behind:
        return body, {"Content-Type": "application/json"}
    headers = {"Content-Type": "application/octet-stream", HEADER: str(len(body))}
    return body + b"".join(behind), headers


def _wanted(asked: Mapping[str, Any], outputs: Mapping[str, Any]) -> tuple[list[tuple[str, Mapping[str, Any]]], bool]:
    parameters = asked.get("parameters")
    all_binary = bool(parameters.get("binary_data_output")) if isinstance(parameters, dict) else False
    given = asked.get("outputs") or [{"name": name} for name in outputs]
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise _wrong("outputs is no list")
    for one in given:
        if one.get("name") not in outputs:
            raise _wrong(f"there is no output {one.get('name')!r}; there are {', '.join(outputs)}")
    found = [(one["name"], one.get("parameters")) for one in given]
    return [(name, own if isinstance(own, dict) else {}) for name, own in found], all_binary


def _is_shape(shape: object) -> bool:
    return (
        isinstance(shape, list)
        and 0 < len(shape) <= LONGEST_SHAPE
        and all(isinstance(side, int) and not isinstance(side, bool) and 0 <= side < 1 << 31 for side in shape)
    )


def _of_json(name: str, kind: str, shape: Sequence[int], data: object) -> Array | list[bytes]:
    if not isinstance(data, list):
        raise _wrong(f"input {name} has no data")
    if kind == BYTES:
        flat = _flat(data)
        if len(flat) != math.prod(shape) or not all(isinstance(one, str) for one in flat):
            raise _wrong(f"input {name}: {math.prod(shape)} texts are due")
        return [_decoded(name, one) for one in flat]
    try:
        values = np.asarray(data, TYPES[kind])
        return values.reshape(shape)
    except (ValueError, TypeError, OverflowError) as error:
        raise _wrong(f"input {name} is not {kind} of shape {list(shape)}: {error}") from error


def _decoded(name: str, text: str) -> bytes:
    """Return an image that came as text: JSON holds no bytes, so it is in base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _wrong(f"input {name}: in JSON, BYTES are written in base64") from error


def _flat(data: list[Any]) -> list[Any]:
    found: list[Any] = []
    for one in data:
        found += one if isinstance(one, list) else [one]
    return found


def _of_bytes(name: str, kind: str, shape: Sequence[int], data: bytes) -> Array | list[bytes]:
    if kind != BYTES:
        try:
            return np.frombuffer(data, TYPES[kind]).reshape(shape)
        except ValueError as error:
            raise _wrong(f"input {name} is not {kind} of shape {list(shape)}: {error}") from error
    found: list[bytes] = []
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            raise _wrong(f"input {name}: a length is cut off")
        (length,) = struct.unpack_from("<I", data, at)
        if at + 4 + length > len(data):
            raise _wrong(f"input {name}: {length} bytes are not there")
        found.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    if len(found) != math.prod(shape):
        raise _wrong(f"input {name}: {math.prod(shape)} are due, {len(found)} came")
    return found


def _packed(kind: str, values: Array | list[str]) -> bytes:
    if isinstance(values, list):
        texts = [value.encode() for value in values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return np.ascontiguousarray(values, TYPES[kind]).tobytes()


def _wrong(detail: str) -> Problem:
    return Problem(400, "No inference request", detail[:500])
