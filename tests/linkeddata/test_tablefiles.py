"""Table files: what is read is what was written, and no row is lost, whatever is wrong with it."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkeddata.errors import UsageError
from linkeddata.tablefiles import Row, Table, reading, text_of, writing

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")
CELL = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=12)


def rows_of(path: Path, **how: Any) -> tuple[Table, list[Row]]:
    with reading(path, **how) as table:
        return table, list(table.rows)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@settings(deadline=None)
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5), st.sampled_from(SUFFIXES))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], suffix: str
) -> None:
    path = tmp_path_factory.mktemp("tables") / f"a{suffix}"
    with writing(path, ("name", "note")) as write:
        for row in rows:
            write(row)
    table, found = rows_of(path, heading=True)
    assert table.columns == ("name", "note")
    told = [tuple(map(text_of, row.cells)) for row in found]
    while suffix == ".xlsx" and rows and rows[-1] == ("", ""):  # a sheet has no blank rows at its end
        rows = rows[:-1]
    assert told == rows
    assert [row.number for row in found] == list(range(2, len(rows) + 2))
    assert {row.trouble for row in found} <= {""}


BROKEN = [
    ("too many cells", b"a,b\n1,2,3,4\n5,6\n", ["4 cells where 2 are due, beyond them: 3 | 4", ""]),
    ("too few cells", b"a,b\n1\n5,6\n", ["1 cells where 2 are due", ""]),
    ("a blank line", b"a,b\n\n5,6\n", ["1 cells where 2 are due", ""]),
    ("an open quotation mark", b'a,b\n"1,2\n5,6\n', ["", ""]),
    ("a stray quotation mark", b'a,b\n5" nail,2\n5,6\n', ["", ""]),
    ("no UTF-8", b"a,b\nCyanistes c\xe6ruleus,2\n5,6\n", ["bytes that are no UTF-8", ""]),
]


@pytest.mark.parametrize(("data", "troubles"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_broken_row_is_told_and_takes_no_other_with_it(tmp_path: Path, data: bytes, troubles: list[str]) -> None:
    _, rows = rows_of(written(tmp_path / "a.csv", data))
    assert [row.trouble for row in rows] == troubles
    assert rows[1].cells == ("5", "6")
    assert [row.number for row in rows] == [2, 3]


def test_an_open_quotation_mark_swallows_nothing(tmp_path: Path) -> None:
    lines = "".join(f"{number},x\n" for number in range(2000))
    _, rows = rows_of(written(tmp_path / "a.csv", f'a,b\n"open,x\n{lines}'.encode()))
    assert len(rows) == 2001
    assert rows[0].cells == ('"open', "x")


def test_a_quoted_cell_may_have_lines_and_delimiters(tmp_path: Path) -> None:
    _, rows = rows_of(written(tmp_path / "a.csv", b'a;b\r\n"one\ntwo; ""three""";x\r\ny;z\r\n'))
    assert [row.cells for row in rows] == [('one\ntwo; "three"', "x"), ("y", "z")]


@pytest.mark.parametrize(
    ("name", "data", "columns"),
    [
        ("bom.csv", b"\xef\xbb\xbfname,b\n", ("name", "b")),
        ("semicolon.csv", b'"a, b";c\n', ("a, b", "c")),
        ("tab.csv", b"a\tb, c\n", ("a", "b, c")),
        ("utf16.csv", "næm,b\n".encode("utf-16"), ("næm", "b")),
        ("empty.csv", b"a,,a\n", ("a", "column2", "a_3")),
        ("plain.txt", b"Parus major, 1758\n", ("column1",)),
        ("two.txt", b"major\tParus major\n", ("column1", "column2")),
    ],
)
def test_headings_and_delimiters(tmp_path: Path, name: str, data: bytes, columns: tuple[str, ...]) -> None:
    table, _ = rows_of(written(tmp_path / name, data))
    assert table.columns == columns


def test_a_plain_list_has_a_heading_where_it_is_a_known_one(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", b"name\nParus\n")
    assert rows_of(path)[0].has_heading is False
    assert rows_of(path, known=lambda cell: cell == "name")[0].columns == ("name",)
    assert rows_of(path, heading=False, known=lambda cell: cell == "name")[0].columns == ("column1",)


def test_a_spreadsheet_keeps_its_numbers_and_dates_and_no_text_becomes_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    cells = ("=1+1", 7, 2.5, None, datetime.datetime(2026, 7, 1), True, "bell \x07")
    with writing(path, [f"c{number}" for number in range(7)]) as write:
        write(cells)
        write(("last", *[None] * 6))
    _, [row, last] = rows_of(path)
    assert row.cells == (*cells[:-1], "bell \ufffd")
    assert [text_of(cell) for cell in row.cells[1:6]] == ["7", "2.5", "", "2026-07-01T00:00:00", "TRUE"]
    assert last.cells == ("last", *[None] * 6)


def test_a_parquet_file_keeps_its_types(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "name": pa.array(["a", None]),
        "moment": pa.array([1, 2], pa.timestamp("ns")),
        "list": pa.array([[1], [2, 3]]),
        "kind": pa.array(["x", "y"]).dictionary_encode(),
        "bytes": pa.array([b"\xff", None]),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with (
        reading(tmp_path / "a.parquet") as table,
        writing(tmp_path / "b.parquet", (*table.columns, "key"), table.types) as write,
    ):
        for row in table.rows:
            write((*row.cells, "lone \ud800"))
    copy = pq.read_table(tmp_path / "b.parquet")
    assert copy.drop_columns(["key"]).equals(pa.table(columns))
    assert copy["key"].to_pylist() == ["lone ?"] * 2


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_headings_that_are_no_utf8_can_be_written(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / "in.csv", b"na\xefm,na\xeem\nPica,1\n")
    with reading(path) as table, writing(tmp_path / f"out{suffix}", table.columns, table.types) as write:
        for row in table.rows:
            write(row.cells)
    _, [row] = rows_of(tmp_path / f"out{suffix}", heading=True)
    assert tuple(map(text_of, row.cells)) == ("Pica", "1")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_stopped_writer_leaves_what_was_there(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / f"a{suffix}", b"old")

    def stopped() -> None:
        with writing(path, ("a",)) as write:
            write(("new",))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.doc", b"x", "not a table that can be read; known are .csv"),
        ("a.csv", b"", "the table is empty"),
        ("a.xlsx", b"no zip", "cannot be read"),
        ("a.parquet", b"no parquet", "cannot be read"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        rows_of(written(tmp_path / name, data))


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a table that can be written"), writing(tmp_path / "a.doc", ("a",)):
        pass
    (tmp_path / "plain").write_text("a file")
    with pytest.raises(UsageError, match="cannot be written"), writing(tmp_path / "plain" / "a.csv", ("a",)):
        pass


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.csv"):
        rows_of(tmp_path / "nowhere.csv")
