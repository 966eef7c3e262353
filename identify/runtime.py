"""A model answers. In: a bundle, images. Out: scores or ``Identification`` records; ``Failure`` for what is no image.

LiteRT runs the model; TensorFlow is not needed and not imported.
"""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from identify.bundle import WEIGHTS, Bundle, open_bundle
from identify.decide import Thresholds, decide
from identify.evaluate import Floats, scored
from identify.hush import hushed
from identify.images import UNREADABLE, Pixels, pixels
from linkeddata.decoding import Limits, UnreadableImageError
from linkeddata.errors import BundleError
from linkeddata.ids import content_id
from linkeddata.records import Failure, Identification, MediaFile
from linkeddata.storage import Stored

BATCH = 16
Source = Path | Stored | bytes | None
"""Where an image's bytes are; ``None``: nowhere."""
MISSING = "no image"


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model makes of one image: a probability for each class, and the novelty (0-1) of the whole."""

    sha1: str
    probabilities: tuple[float, ...]
    novelty: float


class Engine:
    """A LiteRT model with two outputs: logits (images, classes + 1), features (images, size). Threads may share it.

    The last logit is for "none of these".
    """

    def __init__(self, model: bytes, threads: int = 2) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._lock = threading.Lock()
        try:
            with hushed():
                self._interpreter: Any = Interpreter(model_content=model, num_threads=threads)
                self._interpreter.allocate_tensors()  # here, because it is this that talks
            self._input = self._interpreter.get_input_details()[0]["index"]
            outputs = {o["name"]: o["index"] for o in self._interpreter.get_output_details()}
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"{WEIGHTS} cannot be run: {error}") from error
        self._outputs = [index for _, index in sorted(outputs.items())]
        self._images = 0

    def run(self, images: Pixels) -> tuple[Floats, Floats]:
        """Return logits and features of ``images``, shape (images, size_px, size_px, 3), 0-255."""
        with self._lock:
            if len(images) != self._images:
                self._interpreter.resize_tensor_input(self._input, images.shape)
                self._interpreter.allocate_tensors()
                self._images = len(images)
            self._interpreter.set_tensor(self._input, images.astype(np.float32))
            self._interpreter.invoke()
            logits, features = (self._interpreter.get_tensor(index) for index in self._outputs)
        return logits.astype(np.float64), features.astype(np.float64)


class Classifier:
    """A bundle, ready to answer."""

    def __init__(self, bundle: Bundle, limits: Limits | None = None) -> None:
        self.bundle = bundle
        self._limits = limits or Limits()
        self._engine = Engine((bundle.folder / WEIGHTS).read_bytes())

    @classmethod
    def open(cls, folder: str | Path, limits: Limits | None = None) -> "Classifier":
        """Return the model at ``folder``. Raises ``BundleError`` for a bundle that is not what it says."""
        return cls(open_bundle(folder), limits)

    def answer(self, images: Sequence[bytes]) -> list[Scores | Failure]:
        """Return the scores of each image, in order; a ``Failure`` "unreadable image" where it is none."""
        return list(_answers(self, images))

    def read(self, image: bytes) -> Pixels:
        """Return the image as the model sees it. Raises ``UnreadableImageError``."""
        return pixels(image, self.bundle.about.image_px, self._limits)

    def score(self, images: Pixels) -> tuple[Floats, Floats]:
        """Return probabilities (images, classes) and novelty (images,) of images that ``read`` gave."""
        about = self.bundle.about
        return scored(self._engine.run(images)[0], about.temperature, about.novelty_scale)


def identify_files(
    classifier: Classifier,
    items: Iterable[tuple[MediaFile, Source]],
    *,
    moment: str,
    thresholds: Thresholds | None = None,
    agent: str = "",
    campaign: str = "",
) -> Iterator[Identification | Failure]:
    """Yield an answer, or the failure, for each file in order; images are read a few at a time.

    ``thresholds`` are the bundle's and ``agent`` is the model, unless given. The id of an answer is made of file, sha1,
    model, version and weights: the same question has the same id.
    """
    stream = iter(items)
    while some := list(islice(stream, BATCH)):
        read = [(media, _bytes(source)) for media, source in some]
        answers = iter(classifier.answer([data for _, data in read if data is not None]))
        for media, data in read:
            answer = None if data is None else next(answers)
            if isinstance(answer, Scores):
                yield _identification(classifier, media, answer, thresholds, agent, moment, campaign)
            else:
                reason, detail = (answer.reason, answer.detail) if answer else (MISSING, "")
                yield _failure(media.iri, reason, detail, moment, campaign)


def identify_upload(
    classifier: Classifier, image: bytes, *, moment: str, thresholds: Thresholds | None = None
) -> Identification | Failure:
    """Return the answer about bytes that somebody sent; its file is ``urn:sha1:`` and their sha1."""
    media = MediaFile(iri=f"urn:sha1:{_sha1(image)}")
    return next(identify_files(classifier, [(media, image)], moment=moment, thresholds=thresholds))


def _answers(classifier: Classifier, images: Sequence[bytes]) -> Iterator[Scores | Failure]:
    for begin in range(0, len(images), BATCH):
        some = images[begin : begin + BATCH]
        read = [_read(classifier, image) for image in some]
        good = [r for r in read if not isinstance(r, Failure)]
        probabilities, novelties = classifier.score(np.stack(good)) if good else (np.empty((0, 0)), np.empty(0))
        place = iter(range(len(good)))
        for image, one in zip(some, read, strict=True):
            if isinstance(one, Failure):
                yield one
            else:
                i = next(place)
                yield Scores(_sha1(image), tuple(float(p) for p in probabilities[i]), float(novelties[i]))


def _read(classifier: Classifier, image: bytes) -> Pixels | Failure:
    try:
        return classifier.read(image)
    except UnreadableImageError as error:
        return _failure(f"urn:sha1:{_sha1(image)}", UNREADABLE, str(error), "", "")


def _bytes(source: Source) -> bytes | None:
    if source is None or isinstance(source, bytes):
        return source
    try:
        return source.read_bytes()
    except OSError:
        return None


def _identification(
    classifier: Classifier,
    media: MediaFile,
    scores: Scores,
    thresholds: Thresholds | None,
    agent: str,
    moment: str,
    campaign: str,
) -> Identification:
    about = classifier.bundle.about
    weights = classifier.bundle.weights
    decision = decide(scores.probabilities, scores.novelty, classifier.bundle.classes, thresholds or about.thresholds)
    return Identification(
        id=content_id(media.iri, scores.sha1, about.name, about.version, weights),
        file=media.iri,
        sha1=scores.sha1,
        model=about.name,
        version=about.version,
        weights=weights,
        label=decision.label,
        rank=decision.rank,
        item=decision.item,
        gbif_key=decision.gbif_key,
        col_id=decision.col_id,
        certainty=decision.certainty,
        novelty=scores.novelty,
        rule=decision.rule,
        alternatives=decision.alternatives,
        agent=agent or classifier.bundle.agent.id,
        moment=moment,
        campaign=campaign,
    )


def _failure(subject: str, reason: str, detail: str, moment: str, campaign: str) -> Failure:
    key = content_id("identify", campaign, subject, reason)
    return Failure(
        id=key, step="identify", subject=subject, reason=reason, detail=detail, campaign=campaign, moment=moment
    )


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
