"""Sets of items and what is below a taxon."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.dumps.items import ItemSet, listed_items, subtree
from linkeddata.errors import UsageError


@given(st.sets(st.integers(1, 5000)), st.integers(1, 6000))
def test_a_set_holds_what_was_put_in(numbers: set[int], asked: int) -> None:
    items = ItemSet.of(f"Q{number}" for number in numbers)
    assert (f"Q{asked}" in items) == (asked in numbers)
    assert len(items) == len(numbers)


@pytest.mark.parametrize("wrong", ["P180", "Q0", "Q99999999999"])
def test_what_is_no_item_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="item"):
        ItemSet.of([wrong])


def test_a_list_of_items(tmp_path: Path) -> None:
    path = tmp_path / "taxa.csv"
    path.write_text(
        '# my taxa\n\nQ140,lion\n"http://www.wikidata.org/entity/Q729";x\n<http://www.wikidata.org/entity/Q5113>\n',
        encoding="utf-8-sig",
    )
    assert listed_items(path) == ["Q140", "Q729", "Q5113"]
    path.write_text("Q140\nlion\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"taxa.csv:2: .*lion"):
        listed_items(path)
    with pytest.raises(UsageError, match="absent"):
        listed_items(tmp_path / "absent")


def _parents(path: Path, edges: list[tuple[int, str, str]]) -> Path:
    columns = {
        "entity": [f"http://www.wikidata.org/entity/Q{child}" for child, _, _ in edges],
        "item": [parent for _, parent, _ in edges],
        "rank": [rank for _, _, rank in edges],
    }
    pq.write_table(pa.table(columns, pa.schema([(name, pa.string()) for name in columns])), path)
    return path


def test_all_that_is_below_a_taxon(tmp_path: Path) -> None:
    edges = [(2, "Q1", "normal"), (3, "Q2", "preferred"), (3, "Q9", "normal"), (4, "Q3", "normal"), (5, "Q9", "normal")]
    edges += [(6, "Q1", "deprecated"), (7, "", "normal"), (1, "Q4", "normal")]  # a wrong one, an unknown one, a circle
    path = _parents(tmp_path / "parents.parquet", edges)
    below = subtree("Q2", path)
    assert [number for number in range(12) if f"Q{number}" in below] == [1, 2, 3, 4]
    assert [number for number in range(12) if f"Q{number}" in subtree("Q9", path)] == [1, 2, 3, 4, 5, 9]
    assert len(subtree("Q777", path)) == 1
    assert len(subtree("Q777", _parents(tmp_path / "empty.parquet", []))) == 1


def test_what_is_no_table_of_parents(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_text("no")
    with pytest.raises(UsageError, match=r"x\.parquet"):
        subtree("Q1", path)
