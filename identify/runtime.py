"""A model answers. In: a bundle, images. Out: scores or ``Identification`` records; ``Failure`` for what is no image.

Images are decoded by some threads while the engine looks at others (``batching``); TensorFlow is not needed and not
imported.
"""

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice, tee
from pathlib import Path
from typing import Protocol

import numpy as np

from identify.batching import MOST, Batcher, Looked
from identify.bundle import Bundle, open_bundle
from identify.decide import PLAIN, Asked, Decision, Judge
from identify.engines import Floats, Serving, open_engine
from identify.images import UNREADABLE, Pixels, pixels
from identify.judging.judgement import judgement_of
from identify.judging.priors import Trait
from linkeddata.decoding import Limits, UnreadableImageError
from linkeddata.ids import content_id
from linkeddata.records import Failure, Identification, MediaFile, ModelClass

READERS = 2
"""Threads that decode images of a list."""
AHEAD = 32
"""Images of a list that are read before the first of them is answered."""
MOST_OF_ONE = 10
"""Images that may show one object."""
MISSING = "no image"


class Readable(Protocol):
    """Where an image's bytes can be read: a path, a stored file, an address."""

    def read_bytes(self) -> bytes:
        """Return the bytes. Raises ``OSError``."""


Source = Readable | bytes | None
"""Where an image's bytes are; ``None``: nowhere."""
_HandedIn = tuple[str, "Future[Looked]"] | Failure
"""An image's SHA-1 and what will be seen of it, or its trouble."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What a model makes of one image: the ``logits`` and ``features`` that the network gave, to be judged."""

    sha1: str
    logits: Floats
    features: Floats
    judge: Judge

    @property
    def probabilities(self) -> tuple[float, ...]:
        """The probability of each class."""
        return tuple(self.judge.probabilities(self.logits[None], self.features[None])[0].tolist())

    @property
    def novelty(self) -> float:
        """How unlike what was learned, 0 to 1."""
        return self.judge.probabilities(self.logits[None], self.features[None])[1]


class Classifier:
    """A bundle, ready to answer. Threads may share it. With ``later`` its engine is opened when it is first wanted.

    ``traits`` tells sizes and years of classes, by which a curator's knowledge is weighed.
    """

    def __init__(
        self,
        bundle: Bundle,
        limits: Limits | None = None,
        *,
        later: bool = False,
        traits: Callable[[Sequence[ModelClass]], Mapping[str, Trait]] = lambda classes: {},
    ) -> None:
        self.bundle = bundle
        self._traits = traits
        self._limits = limits or Limits()
        self._opening = threading.Lock()
        self._serving: Serving | None = None
        self._batcher: Batcher | None = None
        self._judge: Judge | None = None
        if not later:
            self.ready()

    @classmethod
    def open(cls, folder: str | Path, limits: Limits | None = None) -> "Classifier":
        """Return the model at ``folder``. Raises ``BundleError`` for a bundle that is not what it says."""
        return cls(open_bundle(folder), limits)

    def ready(self) -> Serving:
        """Return the engine that answers, opened. Raises ``BundleError``."""
        with self._opening:
            if self._serving is None:
                bundle = self.bundle
                self._judge = Judge(judgement_of(bundle), bundle.classes, self._traits(bundle.classes))
                self._serving = open_engine(bundle)
                self._batcher = Batcher(self._serving.engine)
            return self._serving

    def warm(self) -> None:
        """Look at nothing once, at each number of images that are looked at together. Raises ``BundleError``.

        What an engine makes ready for a number of images it makes when it first sees so many, which would take the
        first who ask ten times as long.
        """
        engine, px = self.ready().engine, self.bundle.about.image_px
        for images in range(1, MOST + 1):
            engine.run(np.zeros((images, px, px, 3), np.uint8))

    @property
    def is_ready(self) -> bool:
        """Whether the engine is open."""
        return self._batcher is not None

    @property
    def engine(self) -> str:
        """Which engine answers, and why not the one that the bundle names; ``""`` while none is open."""
        return str(self._serving or "")

    @property
    def weights(self) -> str:
        """SHA-256 of the weights that answer."""
        return self.ready().weights

    @property
    def judge(self) -> Judge:
        """What makes decisions of the engine's numbers."""
        self.ready()
        assert self._judge is not None  # noqa: S101 - made with the engine
        return self._judge

    @property
    def batcher(self) -> Batcher:
        """Where images are handed in."""
        self.ready()
        assert self._batcher is not None  # noqa: S101 - opened with the engine
        return self._batcher

    def close(self) -> None:
        """Give the engine back when what was asked of it is answered; the next question opens it again."""
        with self._opening:
            batcher, self._batcher, self._serving = self._batcher, None, None
        if batcher is not None:
            batcher.close()

    def answer(self, images: Sequence[bytes]) -> list[Scores | Failure]:
        """Return the scores of each image, in order; a ``Failure`` "unreadable image" where it is none."""
        return list(_looked(self, (partial(_bytes, image) for image in images)))

    def read(self, image: bytes) -> Pixels:
        """Return the image as the model sees it. Raises ``UnreadableImageError``."""
        return pixels(image, self.bundle.about.image_px, self._limits)

    def scores(self, sha1: str, looked: Looked) -> Scores:
        """Return what the network gave for one image as scores."""
        return Scores(sha1, *looked, self.judge)

    def decided(self, seen: Sequence[Scores], asked: Asked = PLAIN) -> Decision:
        """Return the decision about one object, of which one or more images were ``seen``."""
        logits, features = np.stack([one.logits for one in seen]), np.stack([one.features for one in seen])
        return self.judge.judged(logits, features, asked)


def identify_files(
    classifier: Classifier,
    items: Iterable[tuple[MediaFile, Source]],
    *,
    moment: str,
    asked: Asked = PLAIN,
    agent: str = "",
    campaign: str = "",
) -> Iterator[Identification | Failure]:
    """Yield an answer, or the failure, for each file in order; images are read a few at a time.

    ``agent`` is the model unless given, ``asked`` what is known or wanted beside the image. The id of an answer is made
    of file, sha1, model, version, weights and what was asked: the same question has the same id.
    """
    objects = ((media, (source,)) for media, source in items)
    for answer, _ in identify_objects(classifier, objects, moment=moment, asked=asked, agent=agent, campaign=campaign):
        yield answer


def identify_objects(
    classifier: Classifier,
    objects: Iterable[tuple[MediaFile, Sequence[Source]]],
    *,
    moment: str,
    asked: Asked = PLAIN,
    agent: str = "",
    campaign: str = "",
) -> Iterator[tuple[Identification | Failure, list[Failure]]]:
    """Yield an answer for each object in order, of which there are 1 to ``MOST_OF_ONE`` images, and their trouble.

    The answer is a failure where none of its images can be looked at.
    """
    looking, kept = tee(objects)
    looked = _looked(classifier, (partial(_bytes, source) for _, sources in looking for source in sources))
    for media, sources in kept:
        seen: list[Scores] = []
        lost: list[Failure] = []
        for place, found in enumerate(islice(looked, len(sources)), 1):
            if isinstance(found, Scores):
                seen.append(found)
            else:
                which = f"image {place}: " if len(sources) > 1 else ""
                lost.append(_failure(media.iri, found.reason, which + found.detail, moment, campaign))
        if seen:
            answer = identification(classifier, media, seen, moment=moment, asked=asked, agent=agent, campaign=campaign)
            yield answer, lost
        else:
            yield lost[0], lost


def _looked(classifier: Classifier, reading: Iterable[Callable[[], bytes | Failure]]) -> Iterator[Scores | Failure]:
    """Yield what the model makes of each image, in order.

    A few images are decoded side by side while the engine looks at earlier ones.
    """
    waiting: deque[Future[_HandedIn]] = deque()
    with ThreadPoolExecutor(READERS, "reader") as readers:
        try:
            for bytes_of in reading:
                waiting.append(readers.submit(_handed_in, classifier, bytes_of))
                if len(waiting) >= AHEAD:
                    yield _scores(classifier, waiting.popleft())
            while waiting:
                yield _scores(classifier, waiting.popleft())
        finally:
            readers.shutdown(cancel_futures=True)


def _handed_in(classifier: Classifier, bytes_of: Callable[[], bytes | Failure]) -> "_HandedIn":
    batcher = classifier.batcher
    with batcher.announced():
        image = bytes_of()
        if isinstance(image, Failure):
            return image
        read = _read(classifier, image)
        return read if isinstance(read, Failure) else (_sha1(image), batcher.submit(read))


def _scores(classifier: Classifier, handed_in: "Future[_HandedIn]") -> Scores | Failure:
    found = handed_in.result()
    return found if isinstance(found, Failure) else classifier.scores(found[0], found[1].result())


def _read(classifier: Classifier, image: bytes) -> Pixels | Failure:
    try:
        return classifier.read(image)
    except UnreadableImageError as error:
        return _failure(f"urn:sha1:{_sha1(image)}", UNREADABLE, str(error), "", "")


def _bytes(source: Source) -> bytes | Failure:
    if isinstance(source, bytes):
        return source
    if source is None:
        return _failure("", MISSING, "", "", "")
    try:
        return source.read_bytes()
    except FileNotFoundError:
        return _failure("", MISSING, "", "", "")
    except OSError as error:
        return _failure("", MISSING, str(error), "", "")


def identification(
    classifier: Classifier,
    media: MediaFile,
    seen: Sequence[Scores],
    *,
    moment: str,
    asked: Asked = PLAIN,
    agent: str = "",
    campaign: str = "",
) -> Identification:
    """Return the answer about one object of which one or more images were ``seen``."""
    about, weights = classifier.bundle.about, classifier.weights
    looked_at = content_id(*(one.sha1 for one in seen)) if len(seen) > 1 else seen[0].sha1
    wished = () if asked == PLAIN else (repr(asked),)
    return Identification(
        id=content_id(media.iri, looked_at, about.name, about.version, weights, *wished),
        file=media.iri,
        sha1=seen[0].sha1,
        model=about.name,
        version=about.version,
        weights=weights,
        agent=agent or classifier.bundle.agent.id,
        moment=moment,
        campaign=campaign,
        **classifier.decided(seen, asked).fields(),
    )


def _failure(subject: str, reason: str, detail: str, moment: str, campaign: str) -> Failure:
    key = content_id("identify", campaign, subject, reason)
    return Failure(
        id=key, step="identify", subject=subject, reason=reason, detail=detail, campaign=campaign, moment=moment
    )


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
