"""Names of a table: one row out for each row in, whatever happens to the names."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkeddata.errors import UsageError
from linkeddata.namefiles import Ask, resolve_file
from linkeddata.nameindex.answers import COLUMNS, NameAnswer, NameQuery
from linkeddata.records import Failure

asked: list[NameQuery] = []


def echo(batch: int) -> Ask:
    """Return somebody who answers every name with itself, reading ahead as services do."""

    def ask(queries: Iterable[NameQuery]) -> Iterator[NameAnswer | Failure]:
        waiting = iter(queries)
        while together := list(islice(waiting, batch)):
            for query in together:
                asked.append(query)
                if query.name == "down":
                    yield Failure(id="f", step="names", subject="down", reason="service unreachable", detail="HTTP 503")
                elif query.name:
                    yield NameAnswer(query=query.name, match_type="EXACT", canonical_name=query.name, confidence=99)
                else:
                    yield NameAnswer(query="", reason="not a name")

    return ask


def answered(path: Path, batch: int = 2, column: str = "", heading: bool | None = None) -> list[dict[str, str]]:
    out = path.with_name("out.csv")
    asked.clear()
    resolve_file(path, echo(batch), out, column=column, heading=heading)
    with out.open(encoding="utf-8", errors="surrogateescape", newline="") as lines:
        return list(csv.DictReader(lines))


def made(tmp_path: Path, text: str, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_row_comes_out_in_order_with_its_columns(tmp_path: Path) -> None:
    rows = answered(made(tmp_path, "id,naam\n1,Pica pica\n2,\n3,down\n4,Parus,extra\n5,Parus major\n"), column="naam")
    assert list(rows[0]) == ["id", "naam", *COLUMNS]
    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert [row["matchType"] for row in rows] == ["EXACT", "NONE", "", "", "EXACT"]
    assert rows[2]["reason"] == "not answered: service unreachable"
    assert rows[3]["reason"] == "broken row: 3 cells where 2 are due, beyond them: extra"
    assert rows[4]["canonicalName"] == "Parus major"


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["Pica,1", "Parus,2", "down,3", "a,b,c", "x", ",4"]), max_size=12),
    st.integers(1, 5),
)
def test_no_row_is_lost_or_moved(tmp_path_factory: pytest.TempPathFactory, lines: list[str], batch: int) -> None:
    path = made(tmp_path_factory.mktemp("names"), "\n".join(["name,id", *lines, ""]))
    rows = answered(path, batch)
    assert [row["name"] for row in rows] == [line.split(",")[0] for line in lines]
    kinds = {"Pica,1": "EXACT", "Parus,2": "EXACT", ",4": "NONE"}
    assert [row["matchType"] for row in rows] == [kinds.get(line, "") for line in lines]


def test_darwin_core_columns_are_context_and_the_answers_names_are_the_answers(tmp_path: Path) -> None:
    head = "taxonID,scientificName,Scientific_Name_Authorship,taxonRank,kingdom,class,genus,rank"
    [row] = answered(made(tmp_path, f"{head}\n7,Oenanthe oenanthe,L.,species,Animalia,Aves,Oenanthe,own\n"))
    [query] = asked
    assert (query.name, query.authorship, query.rank, query.kingdom) == (
        "Oenanthe oenanthe",
        "L.",
        "species",
        "Animalia",
    )
    assert (query.class_, query.genus, query.identifier) == ("Aves", "Oenanthe", "")  # anybody's 7
    assert (row["verbatimScientificName"], row["verbatimRank"], row["rank"]) == ("Oenanthe oenanthe", "own", "")


def test_an_identifier_that_names_its_scheme_is_asked(tmp_path: Path) -> None:
    answered(made(tmp_path, "taxonID,name\ngbif:2435099,Puma\n"))
    assert asked[0].identifier == "gbif:2435099"


def test_lists_without_headings(tmp_path: Path) -> None:
    answered(made(tmp_path, "Pica pica, 1758\nParus\n", "a.txt"))
    assert [query.name for query in asked] == ["Pica pica, 1758", "Parus"]
    answered(made(tmp_path, "major\tParus major L.\nater\tParus ater\n", "b.txt"))
    assert [query.name for query in asked] == ["Parus major L.", "Parus ater"]
    answered(made(tmp_path, "major,Parus major\n"), column="1", heading=False)
    assert [query.name for query in asked] == ["major"]


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    path = made(tmp_path, "id,naam\n1,Pica\n")
    with pytest.raises(UsageError, match=r"which column has the names.*id, naam"):
        answered(path)
    with pytest.raises(UsageError, match="no column 'soort'; there are id, naam"):
        answered(path, column="soort")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx", ".parquet"])
def test_every_format_in_and_out(tmp_path: Path, suffix: str) -> None:
    first = tmp_path / f"in{suffix}"
    resolve_file(made(tmp_path, "name,n\nPica pica,1\nParus,2\n"), echo(9), first)
    summary = resolve_file(first, echo(9), tmp_path / f"again{suffix}", column="name")
    resolve_file(tmp_path / f"again{suffix}", echo(9), tmp_path / "out.csv", column="name")
    with (tmp_path / "out.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert summary.match_types == {"EXACT": 2}
    assert [(row["name"], row["n"], row["confidence"]) for row in rows] == [
        ("Pica pica", "1", "99"),
        ("Parus", "2", "99"),
    ]


def test_the_summary_counts_every_row_once(tmp_path: Path) -> None:
    out = io.BytesIO()
    seen: list[tuple[int, int]] = []
    path = made(tmp_path, "name,n\nPica,1\n,2\ndown,3\nx\n")
    summary = resolve_file(path, echo(2), out, progress=lambda what, done, total: seen.append((done, total)))
    told = summary.data()
    assert (told["rows"], told["match_types"], told["broken"], told["not_answered"]) == (
        4,
        {"EXACT": 1, "NONE": 1},
        1,
        1,
    )
    assert told["reasons_for_none"] == {"not a name": 1}
    assert told["listed"] == ["row 4: service unreachable HTTP 503", "row 5: 1 cells where 2 are due"]
    assert "row 5: 1 cells where 2 are due" in summary.text()
    assert seen[-1] == (4, 4)
    assert len(out.getvalue().splitlines()) == 5
