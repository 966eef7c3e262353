"""Features that are kept: each computed once, whatever is asked beside it; what a killed run had computed stays."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from identify.learning.features import AT_ONCE, MIRRORED, PLAIN, STRANGER, Trunk, features_of

NAMES = [f"{number:040x}" for number in range(2 * AT_ONCE)]


@pytest.fixture
def trunk(colour_weights: bytes, tmp_path: Path) -> Trunk:
    """The model that tells colours apart, as a backbone: its first output is what it sees."""
    return Trunk(colour_weights, tmp_path / "book.sqlite", tmp_path, "colours", lambda folder: folder)


def picture(place: int) -> NDArray[np.uint8]:
    return np.random.default_rng(place).integers(0, 255, (32, 32, 3), np.uint8)


def silent(what: str, done: int, total: int) -> None:
    """Nobody is told."""


def nobody(place: int) -> NDArray[np.uint8]:
    raise AssertionError("features that are kept need no picture")


def some(
    trunk: Trunk, names: list[str], ask: Callable[[int], NDArray[np.uint8]], *variants: str
) -> NDArray[np.float32]:
    return features_of(trunk, names, ask, variants, silent)


def test_what_is_kept_is_not_computed_again_and_is_the_same(trunk: Trunk) -> None:
    kinds = (PLAIN, MIRRORED, STRANGER)
    first = some(trunk, NAMES[:5], picture, *kinds)
    assert first.shape[:2] == (3, 5)
    assert (some(trunk, NAMES[:5], nobody, *kinds) == first).all()
    assert (some(trunk, NAMES[3:5], nobody, STRANGER)[0] == first[2, 3:5]).all()
    assert not (first[0] == first[2]).all()


def test_a_pictures_features_do_not_depend_on_what_is_asked_beside_it(trunk: Trunk, tmp_path: Path) -> None:
    other = Trunk(trunk.model, tmp_path / "other.sqlite", tmp_path, "colours", trunk.saved)
    kinds = (STRANGER, PLAIN)
    together = some(trunk, NAMES[:8], picture, *kinds)
    alone = some(other, NAMES[6:7], lambda place: picture(6), *kinds)
    assert (together[:, 6:7] == alone).all()


def test_a_run_that_stops_half_way_keeps_what_it_had(trunk: Trunk) -> None:
    def stops(place: int) -> NDArray[np.uint8]:
        if place > AT_ONCE + 10:
            raise KeyboardInterrupt
        return picture(place)

    with pytest.raises(KeyboardInterrupt):
        some(trunk, NAMES, stops, PLAIN)
    asked: list[int] = []
    some(trunk, NAMES, lambda place: asked.append(place) or picture(place), PLAIN)  # type: ignore[func-returns-value]
    assert sorted(asked) == list(range(AT_ONCE, 2 * AT_ONCE))
