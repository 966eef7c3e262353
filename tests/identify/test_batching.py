"""Images that come at the same time are looked at together, and each gets what is its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from identify.batching import Batcher
from identify.engines import Floats
from identify.images import Pixels


class Sums:
    """An engine whose logits are an image's sum; it notes how many came at once, and waits until it may go on."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.going = threading.Event()
        self.going.set()

    def run(self, images: Pixels) -> tuple[Floats, Floats]:
        self.going.wait(30)
        self.sizes.append(len(images))
        if images.max() == 255:
            raise RuntimeError("it cannot be looked at")
        sums = images.reshape(len(images), -1).sum(axis=1, keepdims=True).astype(np.float64)
        return sums, 2 * sums


def image(value: int) -> Pixels:
    return np.full((2, 2, 3), value, np.uint8)


def test_each_gets_its_own_however_they_are_gathered() -> None:
    engine = Sums()
    batcher = Batcher(engine, most=4)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda value: batcher.submit(image(value)).result(), range(200)))
    assert [int(logits[0]) for logits, _ in found] == [12 * value for value in range(200)]
    assert [int(features[0]) for _, features in found] == [24 * value for value in range(200)]
    assert max(engine.sizes) <= 4
    batcher.close()


def test_what_waits_goes_together_and_what_comes_alone_goes_at_once() -> None:
    engine = Sums()
    batcher = Batcher(engine, most=8, within_s=60)
    assert batcher.submit(image(1)).result(10)[0][0] == 12, "nobody was announced: it must not wait for company"
    engine.going.clear()
    held = [batcher.submit(image(1)) for _ in range(9)]
    engine.going.set()
    assert [one.result(10)[0][0] for one in held] == [12.0] * 9
    assert len(engine.sizes) < 10, "those that waited for the engine were looked at together"
    batcher.close()


def test_an_announced_image_is_waited_for_until_the_deadline() -> None:
    engine = Sums()
    batcher = Batcher(engine, most=8, within_s=60)
    with batcher.announced():
        first = batcher.submit(image(1))
        second = batcher.submit(image(2))
        batcher.submit(image(3))
        rest = [batcher.submit(image(4)) for _ in range(5)]
        assert first.result(10)[0][0] == 12, "a full batch waits for nobody"
    assert second.result(10)[0][0] == 24
    assert all(one.result(10) for one in rest)
    assert engine.sizes == [8]
    batcher.close()


def test_who_asked_hears_of_an_engine_that_fails_and_the_next_is_answered() -> None:
    batcher = Batcher(Sums())
    with pytest.raises(RuntimeError, match="cannot be looked at"):
        batcher.submit(image(255)).result(10)
    assert batcher.submit(image(1)).result(10)[0][0] == 12
    batcher.close()


def test_what_was_given_up_is_not_looked_at() -> None:
    engine = Sums()
    batcher = Batcher(engine, most=1)
    engine.going.clear()
    first, second = batcher.submit(image(1)), batcher.submit(image(2))
    assert second.cancel()
    engine.going.set()
    batcher.close()
    assert first.result(10)[0][0] == 12
    assert engine.sizes == [1]
