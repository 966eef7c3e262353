"""Results that come in pieces: whole or not at all, whatever the pieces, and flat in memory."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import QueryResultsFormat, RdfFormat, Store

from linkeddata.settings import Settings
from linkeddata.sparql import load_query
from linkeddata.sparqlresults import IN_MEMORY, NotWholeError, read_rows

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
TERMS = st.fixed_dictionaries({"type": st.sampled_from(["uri", "literal"]), "value": st.text()})
ROWS = st.lists(st.dictionaries(st.sampled_from("abc"), TERMS), max_size=5)


def _pieces(document: bytes, size: int) -> Iterator[bytes]:
    return (document[start : start + size] for start in range(0, len(document), size))


@given(ROWS, st.integers(1, 40), st.data())
def test_results_are_read_whole_or_not_at_all(
    rows: list[dict[str, dict[str, str]]], size: int, data: st.DataObject
) -> None:
    document = json.dumps({"head": {"vars": ["a", "b", "c"]}, "results": {"bindings": rows}}).encode()
    expected = [{k: v["value"] for k, v in row.items()} for row in rows]
    assert list(read_rows(_pieces(document, size))) == expected
    cut = data.draw(st.integers(0, len(document) - 1))
    with pytest.raises(NotWholeError, match=r"answer|HTML"):
        read_rows(_pieces(document[:cut], size))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'{"boolean":true}',
        b'{"results":{"bindings":[{"x":1}]}}',
        b'{"results":{"bindings":{}}}',
        b'{"head":{},"results":{"bindings":[]}} and more',
        b'{"head":{},"results":{"bindings":[{"x":{"type":"uri","value":"a"}}]}}{}',
    ],
)
def test_what_is_no_table_is_no_results(payload: bytes) -> None:
    with pytest.raises(NotWholeError, match="answer"):
        read_rows([payload])


def test_the_order_of_the_parts_does_not_matter() -> None:
    """QLever puts members of its own behind the results."""
    rows = b'{"results":{"bindings":[{"x":{"value":"a","type":"uri"}}],"y":1},"head":{"vars":["x"]},"meta":{"z":[1.5]}}'
    assert list(read_rows([rows])) == [{"x": "a"}]


@pytest.mark.parametrize(
    ("end", "reason", "too_much"),
    [
        (b"\njava.util.concurrent.TimeoutException\n\tat java.util" + b" " * 20000, "cut off", True),
        (b"\njava.util.concurrent.TimeoutException\n\tat java.util", "stack trace", True),
        (
            b"\n !!!!>># An error has occurred. The error message was:\nOperation timed out.",
            "Operation timed out",
            True,
        ),
        (b"", "cut off", True),
    ],
)
def test_the_end_tells_what_was_wrong(end: bytes, reason: str, too_much: bool) -> None:
    start = b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"uri","value":"a"}},'
    with pytest.raises(NotWholeError, match=reason) as caught:
        read_rows([start, *_pieces(end, 100)])
    assert caught.value.too_much is too_much


def test_a_page_for_people_is_not_asked_for_in_pieces() -> None:
    with pytest.raises(NotWholeError, match="HTML") as caught:
        read_rows([b"<!DOCTYPE html><p>Exceptional load</p>"])
    assert not caught.value.too_much


def test_memory_stays_flat() -> None:
    row = b'{"x":{"type":"uri","value":"https://commons.wikimedia.org/entity/M%d"}},'

    def document() -> Iterator[bytes]:
        yield b'{"head":{"vars":["x"]},"results":{"bindings":['
        for number in range(200_000):
            yield row % number
        yield b'{"x":{"type":"uri","value":"last"}}]}}'

    tracemalloc.start()
    rows = read_rows(document())
    count = sum(1 for _ in rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == rows.count == 200_001
    assert peak < 2.5 * IN_MEMORY


def _recorded(name: str) -> Path:
    path = SHARED / name
    if not path.is_file():
        pytest.skip("recorded results are not here")
    return path


@pytest.mark.parametrize(
    "name", ["commons/bhl-depicts.srj", "wikidata/wikidata-ranks.json", "wikidata/wikidata_taxon_ranks.json"]
)
@pytest.mark.parametrize("size", [1 << 16, 997])
def test_recorded_results_are_read_completely(name: str, size: int) -> None:
    document = _recorded(name).read_bytes()
    bindings = json.loads(document)["results"]["bindings"]
    rows = list(read_rows(_pieces(document, size)))
    assert rows == [{k: v["value"] for k, v in binding.items()} for binding in bindings]
    assert name != "commons/bhl-depicts.srj" or len(rows) == 1582


def test_the_recorded_dump_gives_all_its_statements_with_their_ranks() -> None:
    """The N-Triples of a real wiki, through Oxigraph and our own query, beside the JSON of the same dump."""
    store = Store()
    store.bulk_load(path=str(_recorded("mediawiki/mediainfo-dump.nt")), format=RdfFormat.N_TRIPLES)
    lines = _recorded("mediawiki/mediainfo-dump.json").read_text(encoding="utf-8").splitlines()
    entities = [json.loads(line.rstrip(",")) for line in lines if line.startswith("{")]
    expected = {
        (statement["id"].upper(), statement["rank"].capitalize() + "Rank")
        for entity in entities
        for statement in (entity["statements"] or {}).get("P180", ())
    }
    text = load_query("depicts-of-files").bound({"file": [entity["id"] for entity in entities]}, Settings())
    answer = store.query(text).serialize(format=QueryResultsFormat.JSON)
    assert answer
    found = {(row["statement"].rpartition("/")[2], row["rank"].rpartition("#")[2]) for row in read_rows([answer])}
    assert {(statement.replace("-", "$", 1).upper(), rank) for statement, rank in found} == expected
    assert {rank for _, rank in expected} == {"NormalRank", "PreferredRank", "DeprecatedRank"}
