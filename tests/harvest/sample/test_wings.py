"""Wings: outlines that hold together, and their own coordinates."""

import math
import random

import pytest

from harvest.sample.facts import SPECIES
from harvest.sample.wings import wings

NAMES = [species.name for species in SPECIES]


def _area(points: list[tuple[float, float]]) -> float:
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True))) / 2


@pytest.mark.parametrize("name", NAMES)
def test_outlines_are_large_and_closed(name: str) -> None:
    for wing in wings(name, random.Random(1)):
        assert 1500 < _area(wing.outline) < 6000
        assert math.dist(wing.outline[0], wing.outline[-1]) < 8
        gaps = [math.dist(a, b) for a, b in zip(wing.outline, wing.outline[1:], strict=False)]
        assert max(gaps) < 14


@pytest.mark.parametrize("name", NAMES)
def test_coordinates_run_from_base_to_margin(name: str) -> None:
    for wing in wings(name, random.Random(2)):
        assert wing.at(0.0, 0.4) == pytest.approx(wing.base)
        assert wing.at(1.0, 0.4) == pytest.approx(wing.margin(0.4))
        assert wing.margin(-1.0) == pytest.approx(wing.base)
        assert wing.margin(0.0)[1] < wing.margin(1.0)[1]  # the apex is before the tornus


def test_tails_are_where_the_species_have_them() -> None:
    tailed = {"Papilio paris", "Papilio helenus", "Graphium codrus", "Charaxes brutus", "Kallima inachus"}
    assert {name for name in NAMES if _tailed(name)} == tailed


def _tailed(name: str) -> bool:
    """Whether the hindwing reaches well beyond its smooth margin."""
    wing = wings(name, random.Random(3))[1]
    margin = [wing.margin(v / 60) for v in range(100)]
    return max(min(math.dist(point, m) for m in margin) for point in wing.outline if point[1] > 30) > 9


def test_individuals_differ_and_the_same_chance_gives_the_same_wing() -> None:
    one, same, other = (wings(NAMES[0], random.Random(seed))[0].outline for seed in (1, 1, 2))
    assert one == same != other
