"""The Open Inference Protocol, version 2, over HTTP. In: the models. Out: a router that any KServe client can ask.

A model takes ``image`` (files as ``BYTES``, decoded and cut out as everywhere here) or ``pixels`` (numbers 0-255,
shape (images, px, px, 3), as the model sees them). It gives the probability of each class, the novelty, and of each
image what was decided: label, rule, certainty. Quotas, restricted models and the log are those of ``/identify``
(https://github.com/kserve/open-inference-protocol).
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from identify.asking.access import Access
from identify.asking.desk import Desk
from identify.asking.received import MAX_BODY_BYTES, bytes_of_body
from identify.asking.shelf import Shelf
from identify.asking.tensors import BYTES, HEADER, TYPES, Array, inputs, split, written
from identify.images import Pixels
from identify.runtime import Classifier, Scores, identification
from identify.versions import found
from linkeddata.decoding import UnreadableImageError
from linkeddata.negotiation import JSON
from linkeddata.problem import Problem
from linkeddata.records import MediaFile
from linkeddata.responses import problems
from linkeddata.settings import VERSION
from linkeddata.store import Store

IMAGE, PIXELS = "image", "pixels"
EXTENSIONS = ("binary_tensor_data",)
PLATFORM = "deboodt"
MOST_IMAGES = 64


def router(store: Store, shelf: Shelf, access: Access, desk: Desk, now: Callable[[], str]) -> APIRouter:
    """Return the routes."""
    api = APIRouter(prefix="/v2", tags=["open inference protocol"])
    _add_health(api, shelf)
    _add_models(api, store, shelf)
    _add_infer(api, store, shelf, access, desk, now)
    return api


def _add_health(api: APIRouter, shelf: Shelf) -> None:
    @api.get("", summary="This server, for inference clients", response_class=Response)
    def server() -> Response:
        """Name, version and extensions."""
        return _json({"name": "De Boodt", "version": VERSION, "extensions": EXTENSIONS})

    @api.get("/health/live", summary="Whether the server runs", response_class=Response)
    def live() -> Response:
        """Always, where it answers at all."""
        return _json({"live": True})

    @api.get("/health/ready", summary="Whether all models answer", response_class=Response, responses=problems(503))
    def ready() -> Response:
        """Not while engines are being opened; a model that cannot be opened is named in `/health`."""
        names = {one.bundle.about.name for one in shelf.values() if one.is_ready}
        missing = (
            {one.bundle.about.name for one in shelf.values()} - names - {one.split("/")[0] for one in shelf.broken}
        )
        if missing:
            raise Problem(503, "Not ready", f"Not yet: {', '.join(sorted(missing))}.", {"Retry-After": "1"})
        return _json({"ready": True})


def _add_models(api: APIRouter, store: Store, shelf: Shelf) -> None:
    @api.get("/models/{name}", summary="What a model takes and gives", response_class=Response, responses=problems(404))
    @api.get(
        "/models/{name}/versions/{version}",
        summary="What a version of a model takes and gives",
        response_class=Response,
        responses=problems(404),
    )
    def metadata(name: str, version: str = "") -> Response:
        """Either of the two inputs is enough."""
        return _json(described(shelf, _chosen(store, shelf, name, version)))

    @api.get(
        "/models/{name}/ready", summary="Whether a model answers", response_class=Response, responses=problems(404)
    )
    @api.get(
        "/models/{name}/versions/{version}/ready",
        summary="Whether a version of a model answers",
        response_class=Response,
        responses=problems(404),
    )
    def ready(name: str, version: str = "") -> Response:
        """Its engine is opened by the first question, or in the background after the start."""
        _chosen(store, shelf, name, version)
        return _json({"name": name, "ready": True})


def _add_infer(api: APIRouter, store: Store, shelf: Shelf, access: Access, desk: Desk, now: Callable[[], str]) -> None:
    described_: dict[str, Any] = {
        "response_class": Response,
        "responses": problems(400, 401, 403, 404, 408, 413, 422, 429, 503),
        "openapi_extra": {"requestBody": _body_described()},
    }

    @api.post("/models/{name}/infer", summary="Ask a model, by tensors", **described_)
    @api.post("/models/{name}/versions/{version}/infer", summary="Ask a version of a model, by tensors", **described_)
    async def infer(request: Request, name: str, version: str = "") -> Response:
        """JSON tensors, or binary ones behind the JSON (`Inference-Header-Content-Length`).

        Images in JSON are in base64.
        """
        classifier = _chosen(store, shelf, name, version)
        asker = access.asker(request, classifier)
        desk.admit()
        async with bytes_of_body(request, desk.held, MAX_BODY_BYTES) as body:
            content, behind = split(body, request.headers.get(HEADER, ""))
            given = _given(inputs(content, behind), classifier.bundle.about.image_px)
            taken = access.count(asker, len(given))
            seen = await _seen(desk, classifier, given)
        access.used(asker, classifier, [one.sha1 for one in seen], now())
        about = classifier.bundle.about
        head = {"model_name": about.name, "model_version": about.version}
        if isinstance(content.get("id"), str):
            head["id"] = content["id"]
        outputs = _outputs(classifier, seen, now())
        shapes = {
            name: value.shape if not isinstance(value, list) else (len(value),) for name, (_, value) in outputs.items()
        }
        answer, headers = written(outputs, shapes, content, head)
        return Response(answer, headers={"Cache-Control": "no-store", **headers, **taken.headers})


def described(shelf: Shelf, classifier: Classifier) -> dict[str, Any]:
    """Return a version's metadata: its inputs and outputs."""
    about, classes = classifier.bundle.about, len(classifier.bundle.classes)
    px = about.image_px
    return {
        "name": about.name,
        "versions": [one.bundle.about.version for one in shelf.values() if one.bundle.about.name == about.name],
        "platform": PLATFORM,
        "inputs": [
            {"name": IMAGE, "datatype": BYTES, "shape": [-1]},
            {"name": PIXELS, "datatype": "UINT8", "shape": [-1, px, px, 3]},
        ],
        "outputs": [
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, classes]},
            {"name": "novelty", "datatype": "FP32", "shape": [-1]},
            {"name": "label", "datatype": BYTES, "shape": [-1]},
            {"name": "certainty", "datatype": "FP32", "shape": [-1]},
            {"name": "rule", "datatype": BYTES, "shape": [-1]},
        ],
    }


def _chosen(store: Store, shelf: Shelf, name: str, version: str) -> Classifier:
    return found(store, shelf, f"{name}@{version}" if version else name)


def _given(tensors: dict[str, Array | list[bytes]], px: int) -> list[bytes] | Pixels:
    """Return the images of a request: as files, or as pixels. Raises ``Problem`` 400."""
    if len(tensors) != 1:
        raise Problem(400, "No inference request", f"One input is due: {IMAGE} or {PIXELS}.")
    (name, given), *_ = tensors.items()
    if len(given) > MOST_IMAGES or not len(given):
        raise Problem(400, "No inference request", f"1 to {MOST_IMAGES} images are taken at once, not {len(given)}.")
    if name == IMAGE and isinstance(given, list):
        return given
    if name == PIXELS and not isinstance(given, list):
        if given.shape[1:] != (px, px, 3) or given.dtype.kind not in "uif":
            raise Problem(400, "No inference request", f"{PIXELS} are numbers of shape [images, {px}, {px}, 3].")
        if not np.isfinite(given).all() or given.min() < 0 or given.max() > 255:
            raise Problem(400, "No inference request", f"{PIXELS} are numbers from 0 to 255.")
        return np.asarray(np.rint(given), np.uint8)
    raise Problem(400, "No inference request", f"Inputs are {IMAGE} ({BYTES}) and {PIXELS} ({', '.join(TYPES)}).")


async def _seen(desk: Desk, classifier: Classifier, given: list[bytes] | Pixels) -> list[Scores]:
    if not isinstance(given, list):
        sha1s = [hashlib.sha1(one.tobytes(), usedforsecurity=False).hexdigest() for one in given]
        return await desk.scores_of(classifier, list(given), sha1s)
    seen: list[Scores] = []
    for place, one in enumerate(await desk.scores(classifier, given)):
        if isinstance(one, UnreadableImageError):
            raise Problem(422, "Unreadable image", f"image {place}: {one}")
        seen.append(one)
    return seen


def _outputs(classifier: Classifier, seen: Sequence[Scores], moment: str) -> dict[str, tuple[str, Array | list[str]]]:
    answers = [identification(classifier, MediaFile(iri=f"urn:sha1:{one.sha1}"), [one], moment=moment) for one in seen]
    return {
        "probabilities": ("FP32", np.array([one.probabilities for one in seen], np.float32)),
        "novelty": ("FP32", np.array([one.novelty for one in seen], np.float32)),
        "label": (BYTES, [one.label for one in answers]),
        "certainty": ("FP32", np.array([one.certainty for one in answers], np.float32)),
        "rule": (BYTES, [one.rule for one in answers]),
    }


def _json(content: Any) -> Response:
    return Response(orjson.dumps(content), media_type=JSON)


def _body_described() -> dict[str, Any]:
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype"],
        "properties": {
            "name": {"type": "string", "enum": [IMAGE, PIXELS]},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"type": "string", "enum": [BYTES, *TYPES]},
            "data": {"type": "array", "items": {}},
            "parameters": {"type": "object"},
        },
    }
    schema = {
        "type": "object",
        "required": ["inputs"],
        "properties": {"id": {"type": "string"}, "inputs": {"type": "array", "items": tensor, "minItems": 1}},
    }
    example = {"inputs": [{"name": IMAGE, "shape": [1], "datatype": BYTES, "data": ["/9j/4AAQSkZJRg…"]}]}
    return {
        "required": True,
        "content": {JSON: {"schema": schema, "example": example}, "application/octet-stream": {}},
    }
