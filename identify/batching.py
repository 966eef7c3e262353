"""Images that come at the same time are looked at together. In: pixels, one image at a time. Out: a future of each.

One thread runs the engine. It takes what waits, and waits itself for an image that is announced (one that is being
decoded), but not longer than the deadline: whoever comes alone loses nothing by it.
"""

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import numpy as np

from identify.engines import Floats, Runs
from identify.images import Pixels

MOST = 4
"""Images that are looked at together: of eight each takes hardly less, and whoever comes next waits twice as long."""
WITHIN_S = 0.004

Looked = tuple[Floats, Floats]
"""Logits (classes + 1,) and features (size,) of one image."""
Waiting = tuple[Pixels, "Future[Looked]"]


class Batcher:
    """Hands images to an engine, up to ``most`` at once, none later than ``within_s`` after it came."""

    def __init__(self, engine: Runs, *, most: int = MOST, within_s: float = WITHIN_S) -> None:
        self._engine = engine
        self._most = most
        self._within_s = within_s
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._coming = 0
        self._counting = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Say that an image is on its way, for as long as it is."""
        with self._counting:
            self._coming += 1
        try:
            yield
        finally:
            with self._counting:
                self._coming -= 1

    def submit(self, image: Pixels) -> "Future[Looked]":
        """Return what will be seen of ``image``, shape (px, px, 3)."""
        future: Future[Looked] = Future()
        self._waiting.put((image, future))
        return future

    def close(self) -> None:
        """End when all that was handed in is looked at."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while True:
            batch, over = self._gathered()
            if batch:
                self._look(batch)
            if over:
                return

    def _gathered(self) -> tuple[list[Waiting], bool]:
        """Return the next images, at least one, and whether nothing comes after them."""
        first = self._waiting.get()
        if first is None:
            return [], True
        batch, until = [first], time.monotonic() + self._within_s
        while len(batch) < self._most:
            left = until - time.monotonic()
            try:
                one = self._waiting.get(timeout=left) if self._coming and left > 0 else self._waiting.get_nowait()
            except queue.Empty:
                break
            if one is None:
                return batch, True
            batch.append(one)
        return batch, False

    def _look(self, batch: list[Waiting]) -> None:
        wanted = [(image, future) for image, future in batch if future.set_running_or_notify_cancel()]
        if not wanted:
            return
        try:
            logits, features = self._engine.run(np.stack([image for image, _ in wanted]))
        except Exception as error:  # whatever it is, whoever asked must hear of it
            for _, future in wanted:
                future.set_exception(error)
            return
        for place, (_, future) in enumerate(wanted):
            future.set_result((logits[place], features[place]))
