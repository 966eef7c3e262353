"""Where questions wait. In: images from many requests, a classifier. Out: scores; or "busy", said at once.

Decoding runs beside the event loop, some images at a time; the engine takes what comes at the same time together
(``identify.batching``). When too many wait, the next is sent away with 503 and ``Retry-After``, before its body is
read.
"""

import asyncio
import hashlib
import math
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio import to_thread

from identify.asking.fetching import Fetch
from identify.asking.received import MAX_UPLOAD_BYTES, Held, Sent
from identify.batching import Batcher, Looked
from identify.images import Pixels
from identify.runtime import Classifier, Scores
from linkeddata.decoding import UnreadableImageError
from linkeddata.problem import Problem

DECODERS = 2
FETCHERS = 8
MOST_WAITING = 64
"""Images that may wait to be looked at."""
LEAST_S, MOST_S = 1, 60
_SLOWLY = 0.1


@dataclass(slots=True)
class Desk:
    """Takes images and gives scores; one for all models."""

    fetch: Fetch
    held: Held = field(default_factory=Held)
    waiting: int = 0
    each_s: float = 0.05
    """What one image takes, as it was lately."""
    _decoders: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(DECODERS))
    _fetchers: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(FETCHERS))

    def admit(self) -> None:
        """Raise ``Problem`` 503 where so many images wait that another's body need not be read.

        Questions that are still coming in hold no place, or a few slow ones could keep all others out; their bytes are
        counted (``received``).
        """
        if self.waiting >= MOST_WAITING:
            raise self._busy()

    async def bytes_of(self, sent: Sent) -> bytes:
        """Return the bytes of an image, fetched where it was sent by address. Raises ``Problem``."""
        if not sent.url:
            return sent.data
        if self._fetchers.statistics().tasks_waiting >= 4 * FETCHERS:
            raise self._busy()
        return await to_thread.run_sync(self.fetch, sent.url, MAX_UPLOAD_BYTES, limiter=self._fetchers)

    async def scores(self, classifier: Classifier, images: Sequence[bytes]) -> list[Scores | UnreadableImageError]:
        """Return what the model makes of each image, in order, or why it cannot be read. Raises ``Problem`` 503."""
        async with self._waited(len(images)):
            return list(await asyncio.gather(*(self._one(classifier, image) for image in images)))

    async def scores_of(self, classifier: Classifier, images: Sequence[Pixels], sha1s: Sequence[str]) -> list[Scores]:
        """Return what the model makes of pixels that somebody prepared."""
        async with self._waited(len(images)):
            looked = [asyncio.wrap_future(classifier.batcher.submit(image)) for image in images]
            found = await asyncio.gather(*looked)
            return [classifier.scores(sha1, one) for sha1, one in zip(sha1s, found, strict=True)]

    @asynccontextmanager
    async def _waited(self, images: int) -> AsyncIterator[None]:
        if self.waiting + images > MOST_WAITING:
            raise self._busy()
        before, begun = self.waiting, time.monotonic()
        self.waiting += images
        try:
            yield
            took = (time.monotonic() - begun) / (before + images)
            self.each_s += _SLOWLY * (took - self.each_s)
        finally:
            self.waiting -= images

    async def _one(self, classifier: Classifier, image: bytes) -> Scores | UnreadableImageError:
        if not classifier.is_ready:
            await to_thread.run_sync(classifier.ready)
        batcher = classifier.batcher
        try:
            with batcher.announced():
                sha1, looked = await to_thread.run_sync(_handed_in, classifier, batcher, image, limiter=self._decoders)
        except UnreadableImageError as error:
            return error
        return classifier.scores(sha1, await asyncio.wrap_future(looked))

    def _busy(self) -> Problem:
        wait = min(MOST_S, max(LEAST_S, math.ceil(self.each_s * self.waiting)))
        return Problem(503, "Busy", "Too many images are waiting.", {"Retry-After": str(wait)})


def _handed_in(classifier: Classifier, batcher: Batcher, image: bytes) -> "tuple[str, Future[Looked]]":
    """Decode an image and hand it to the engine from here: the event loop may have something else to do just now."""
    looked = batcher.submit(classifier.read(image))
    return hashlib.sha1(image, usedforsecurity=False).hexdigest(), looked
