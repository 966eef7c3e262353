"""The Open Inference Protocol, asked by an independent client (NVIDIA's, of the Triton server), over real HTTP."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identify.app import create_app
from identify.asking.tensors import HEADER, TYPES, inputs, split, written
from identify.bundle import Bundle
from linkeddata.problem import Problem
from linkeddata.settings import Settings

tritonclient = pytest.importorskip("tritonclient.http", reason="no KServe client: pip install 'deboodt[test]'")
RED, BLUE = "Vanessa cardui", "Ornithoptera priamus"


@pytest.fixture(scope="module")
def address(
    colour_bundle: Callable[..., Bundle],
    tmp_path_factory: pytest.TempPathFactory,
    serving: Callable[[Callable[[str], Any]], str],
) -> str:
    folder: Path = tmp_path_factory.mktemp("house")
    for version in ("1", "2"):
        colour_bundle(folder / "models", version)
    return serving(lambda address: create_app(Settings(home=str(folder), base_url=address, images_a_minute=0)))


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Any]:
    with tritonclient.InferenceServerClient(address.removeprefix("http://"), connection_timeout=60) as client:
        yield client


def pixels(*colours: tuple[int, int, int]) -> Any:
    return np.stack([np.full((32, 32, 3), colour, np.uint8) for colour in colours])


def test_health_and_metadata(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("colours")
    assert client.is_model_ready("colours", "1")
    assert not client.is_model_ready("none")
    server = client.get_server_metadata()
    assert (server["name"], server["extensions"]) == ("De Boodt", ["binary_tensor_data"])
    told = client.get_model_metadata("colours", "1")
    assert (told["name"], told["versions"]) == ("colours", ["2", "1"])
    assert [one["name"] for one in told["inputs"]] == ["image", "pixels"]
    assert {one["name"]: one["shape"] for one in told["outputs"]}["probabilities"] == [-1, 3]


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("kind", ["UINT8", "FP32"])
def test_pixels_are_answered_by_the_client_in_both_forms(client: Any, binary: bool, kind: str) -> None:
    given = pixels((250, 0, 0), (0, 0, 250))
    tensor = tritonclient.InferInput("pixels", list(given.shape), kind)
    tensor.set_data_from_numpy(given.astype(np.uint8 if kind == "UINT8" else np.float32), binary_data=binary)
    outputs = [tritonclient.InferRequestedOutput(name, binary_data=binary) for name in ("probabilities", "label")]
    answer = client.infer("colours", [tensor], model_version="1", outputs=outputs, request_id="7")
    said = answer.get_response()
    assert (said["id"], said["model_name"], said["model_version"]) == ("7", "colours", "1")
    assert answer.as_numpy("probabilities").shape == (2, 3)
    assert answer.as_numpy("probabilities").argmax(axis=1).tolist() == [0, 2]
    labels = [one.decode() if isinstance(one, bytes) else one for one in answer.as_numpy("label").tolist()]
    assert labels == [RED, BLUE]


def test_images_are_answered_as_bytes(client: Any, picture: Callable[..., bytes]) -> None:
    given = np.array([picture("red"), picture("blue", "PNG")], object)
    tensor = tritonclient.InferInput("image", [2], "BYTES")
    tensor.set_data_from_numpy(given, binary_data=True)
    answer = client.infer("colours", [tensor])
    assert [one.decode() for one in answer.as_numpy("label").tolist()] == [RED, BLUE]
    assert answer.as_numpy("certainty").min() > 0.9
    assert {one["name"] for one in answer.get_response()["outputs"]} >= {"novelty", "rule"}


def test_images_in_json_are_in_base64(address: str, picture: Callable[..., bytes]) -> None:
    data = [base64.b64encode(picture("red")).decode()]
    tensor = {"name": "image", "shape": [1], "datatype": "BYTES", "data": data}
    answer = httpx2.post(f"{address}/v2/models/colours/infer", json={"inputs": [tensor]}).json()
    assert {one["name"]: one["data"] for one in answer["outputs"]}["label"] == [RED]


def test_a_client_hears_what_is_wrong(client: Any, picture: Callable[..., bytes]) -> None:
    given = np.array([b"no image"], object)
    tensor = tritonclient.InferInput("image", [1], "BYTES")
    tensor.set_data_from_numpy(given, binary_data=True)
    with pytest.raises(tritonclient.InferenceServerException, match="Unreadable image"):
        client.infer("colours", [tensor])
    with pytest.raises(tritonclient.InferenceServerException, match="no model 'none"):
        client.infer("none", [tensor])


PLAIN = {"name": "pixels", "shape": [1, 32, 32, 3], "datatype": "UINT8", "data": [0] * 3072}


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"inputs": []},
        {"inputs": [3]},
        {"inputs": [PLAIN, {**PLAIN, "name": "image"}]},
        {"inputs": [{**PLAIN, "name": "other"}]},
        {"inputs": [{**PLAIN, "shape": [2, 32, 32, 3]}]},
        {"inputs": [{**PLAIN, "shape": [1, 32, 32, -3]}]},
        {"inputs": [{**PLAIN, "shape": [1, 3072]}]},
        {"inputs": [{**PLAIN, "datatype": "COMPLEX"}]},
        {"inputs": [{**PLAIN, "datatype": "FP32", "data": [-1] * 3072}]},
        {"inputs": [{**PLAIN, "data": ["x"] * 3072}]},
        {"inputs": [{**PLAIN, "data": [300] * 3072}]},
        {"inputs": [{**PLAIN, "data": None}]},
        {"inputs": [{**PLAIN, "data": [[0], [0, 0]]}]},
        {"inputs": [{**PLAIN, "parameters": {"binary_data_size": 3072}}]},
        {"inputs": [{**PLAIN, "parameters": {"binary_data_size": -1}}]},
        {"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["no base64!"]}]},
        {"inputs": [{"name": "image", "shape": [2], "datatype": "BYTES", "data": ["AAAA"]}]},
        {"inputs": [PLAIN], "outputs": [{"name": "none"}]},
        {"inputs": [PLAIN], "outputs": 3},
    ],
)
def test_what_is_no_request_is_refused_with_the_reason(address: str, content: dict[str, Any]) -> None:
    answer = httpx2.post(f"{address}/v2/models/colours/infer", json=content)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"[1]", {}),
        (b"{}", {HEADER: "9"}),
        (b"{}", {HEADER: "-1"}),
        (b'{"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 3}}]}'
         b"abc", {HEADER: "103"}),
        (b'{"inputs": []}behind', {HEADER: "14"}),
    ],
)  # fmt: skip
def test_bytes_that_do_not_add_up_are_refused(address: str, body: bytes, headers: dict[str, str]) -> None:
    answer = httpx2.post(f"{address}/v2/models/colours/infer", content=body, headers=headers)
    assert answer.status_code == 400, answer.text


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=5))
def test_whatever_is_sent_is_read_or_refused(body: bytes, length: str) -> None:
    try:
        inputs(*split(body, length))
    except Problem as problem:
        refused = problem.status_code
    else:
        refused = 400
    assert refused == 400


@given(st.sampled_from(sorted(TYPES)), st.lists(st.integers(0, 1), min_size=1, max_size=9))
def test_tensors_come_back_as_they_went(kind: str, values: list[int]) -> None:
    array = np.array(values, TYPES[kind])
    body, headers = written(
        {"x": (kind, array), "y": ("BYTES", ["é", ""])},
        {"x": array.shape, "y": (2,)},
        {"parameters": {"binary_data_output": True}},
        {"model_name": "m"},
    )
    content, behind = split(body, headers[HEADER])
    found = inputs({"inputs": content["outputs"]}, behind)
    assert np.array_equal(found["x"], array)
    assert found["y"] == ["é".encode(), b""]
