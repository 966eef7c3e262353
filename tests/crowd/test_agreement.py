"""Krippendorff's alpha: his own example, a second implementation, and branches of a tree."""

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowd.agreement import agreement, alpha
from crowd.chains import chains_of
from crowd.lineage import ancestry, tree_of
from crowd.roll import Reading
from linkeddata.records import Ancestor, Tag, Taxon

PUBLISHED = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3),
    (0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0),
)
"""Four observers, twelve units, 0 is missing (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, C)."""


def _units(rows: tuple[tuple[int, ...], ...]) -> list[dict[int, int]]:
    return [{v: column.count(v) for v in set(column) - {0}} for column in zip(*rows, strict=True)]


def test_the_published_example() -> None:
    assert alpha(_units(PUBLISHED)) == pytest.approx(0.743, abs=0.0005)


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=12))
def test_the_library_says_the_same(columns: list[list[int]]) -> None:
    units = [{v: column.count(v) for v in set(column)} for column in columns]
    counts = np.array([[column.count(v) for v in range(4)] for column in columns])
    if len({v for column in columns for v in column}) < 2:
        assert alpha(units) is None
    else:
        assert alpha(units) == pytest.approx(
            krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"), abs=1e-9
        )


def test_each_branch_has_its_own() -> None:
    above = (Ancestor("family", "F"), Ancestor("genus", "G"))
    taxa = {
        "g1": Taxon(query="g1", concept="g1", name="G one", rank="species", lineage=above),
        "g2": Taxon(query="g2", concept="g2", name="G two", rank="species", lineage=above),
        "h": Taxon(query="h", concept="h", name="H", rank="genus", lineage=above[:1]),
        "x": Taxon(query="x", concept="x", name="X", rank="family"),
    }
    said = [("g1", "g1"), ("g1", "g2"), ("g2", "g2"), ("x", "x"), ("h", "g1")]
    reading = Reading(taxa)
    for number, both in enumerate(said):
        for agent, one in zip("ab", both, strict=True):
            list(reading.take([Tag(id=f"{number}{agent}", file=f"f{number}", item=one, agent=agent)]))
    roll, tree = reading.roll(chains_of(ancestry(taxa))), tree_of(taxa)
    found = {one.branch: (one.files, one.votes) for one in agreement(roll, tree)}
    assert found == {"": (5, 10), "F": (4, 8), "G": (3, 6)}
    alphas = {one.branch: one.alpha for one in agreement(roll, tree)}
    assert alphas["G"] == pytest.approx(1 - 5 * 2 / (36 - 9 - 9), abs=5e-4)
