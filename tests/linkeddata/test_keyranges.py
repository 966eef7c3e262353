"""Ranges of ids: halves that leave no gap and no overlap, in the order in which SPARQL compares text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import NamedNode, Quad, Store

from linkeddata.keyranges import EVERYTHING, KeyRange

PREFIX = "https://commons.wikimedia.org/entity/M"


def _pieces(halvings: int) -> list[KeyRange]:
    ranges = [EVERYTHING]
    for _ in range(halvings):
        ranges = [half for whole in ranges for half in whole.halves()]
    return ranges


@given(st.lists(st.integers(1, 2**31), min_size=1, max_size=20, unique=True), st.integers(1, 4))
def test_every_file_lies_in_one_piece(numbers: list[int], halvings: int) -> None:
    store = Store()
    strange = "http://elsewhere.example/entity/M1"
    for iri in [*(f"{PREFIX}{number}" for number in numbers), strange]:
        store.add(Quad(NamedNode(iri), NamedNode("urn:p"), NamedNode("urn:o")))
    found = [
        row["file"].value
        for keys in _pieces(halvings)
        for row in store.query(f"SELECT ?file {{ ?file <urn:p> ?o . {keys.filter('file', PREFIX)} }}")
    ]
    assert sorted(found) == sorted([*(f"{PREFIX}{number}" for number in numbers), strange])


def test_a_range_of_one_key_has_no_halves() -> None:
    with pytest.raises(ValueError, match="one key"):
        KeyRange(123_000_000_000, 123_000_000_001).halves()


def test_a_range_is_said_in_words() -> None:
    assert [keys.said("M") for keys in _pieces(1)] == ["the first to M55…", "M55… to the last"]
