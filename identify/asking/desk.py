"""Where questions wait. In: images from many requests, a classifier. Out: scores; or "busy", said at once.

Decoding runs beside the event loop, some images at a time; the engine takes what comes at the same time together
(``identify.batching``). When too many wait, the next is sent away with 503 and ``Retry-After``, before its body is
read. The images of a question that were sent by address are fetched side by side; each that cannot be had is lost
alone.
"""

import asyncio
import hashlib
import math
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio import to_thread

from identify.asking.fetching import LONGEST_S, NOT_FETCHED, Fetch
from identify.asking.received import HELD_BYTES, MAX_BODY_BYTES, MAX_UPLOAD_BYTES, Held, Sent
from identify.batching import Batcher, Looked
from identify.images import Pixels
from identify.runtime import Classifier, Scores
from linkeddata.decoding import UnreadableImageError
from linkeddata.problem import Problem

DECODERS = 2
FETCHERS = 8
"""Images that are fetched at the same time, of all questions."""
MOST_COMING = 4 * FETCHERS
"""Images that may be fetched or wait for it."""
TOGETHER_S = 1.5 * LONGEST_S
"""So long the images of one question may take to be fetched; none may take longer than ``LONGEST_S`` itself."""
MOST_WAITING = 64
"""Images that may wait to be looked at."""
LEAST_S, MOST_S = 1, 60
_SLOWLY = 0.1


@dataclass(slots=True)
class Desk:
    """Takes images and gives scores; one for all models."""

    fetch: Fetch
    together_s: float = TOGETHER_S
    held: Held = field(default_factory=Held)
    waiting: int = 0
    each_s: float = 0.05
    """What one image takes, as it was lately."""
    _decoders: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(DECODERS))
    _coming: int = 0
    _fetchers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(FETCHERS, "fetcher"))

    def admit(self) -> None:
        """Raise ``Problem`` 503 where so many images wait that another's body need not be read.

        Questions that are still coming in hold no place, or a few slow ones could keep all others out; their bytes are
        counted (``received``).
        """
        if self.waiting >= MOST_WAITING:
            raise self._busy()

    @asynccontextmanager
    async def brought(self, sent: Sequence[Sent]) -> AsyncIterator[list[bytes | Problem]]:
        """Give the bytes of each image, or why they could not be fetched; counted as held until they are done with.

        Raises ``Problem`` 503 where too many are being fetched.
        """
        addresses = sum(bool(one.url) for one in sent)
        if addresses and self._coming + addresses > MOST_COMING:
            raise self._busy()
        self._coming += addresses
        taken = 0
        try:
            found = await asyncio.gather(*(self._bytes_of(one) for one in sent))
            for place, one in enumerate(sent):
                data = found[place]
                if one.url and isinstance(data, bytes):
                    if taken + len(data) > MAX_BODY_BYTES:
                        found[place] = Problem(413, NOT_FETCHED, f"At most {MAX_BODY_BYTES:,} bytes in all are taken.")
                    else:
                        taken += len(data)
            self.held.bytes += taken
            yield found
        finally:
            self.held.bytes -= taken
            self._coming -= addresses

    async def _bytes_of(self, one: Sent) -> bytes | Problem:
        if not one.url:
            return one.data
        try:
            async with asyncio.timeout(self.together_s):
                return await asyncio.wrap_future(self._fetchers.submit(self._fetched, one.url))
        except TimeoutError:
            return Problem(422, NOT_FETCHED, f"It did not come in {self.together_s:g} seconds.")
        except Problem as problem:
            return problem

    def _fetched(self, url: str) -> bytes:
        if self.held.bytes > HELD_BYTES:
            raise self._busy()
        return self.fetch(url, MAX_UPLOAD_BYTES)

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
            if images:  # none where all addresses were lost
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
