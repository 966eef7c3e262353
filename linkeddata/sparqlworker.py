"""One process that answers queries over a snapshot. In: a line of JSON a query. Out: a line of JSON and the answer.

It runs on its own (``python -m linkeddata.sparqlworker``), because nothing inside a process can stop a query of
Oxigraph's that takes too long: ``linkeddata.sparqlpool`` ends the process. Rows are written one by one and counted.
"""

import csv
import io
import resource
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import escape, quoteattr

import orjson
import pyoxigraph as ox

from linkeddata.sparqljoins import joined

ROWS = {
    "application/sparql-results+json": "json",
    "application/sparql-results+xml": "xml",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
}
"""Media types of rows and of yes or no; CSV and TSV are for rows alone."""
GRAPHS = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
}
"""Media types of graphs."""


SETTLED_S = 10.0
"""How long a snapshot must have stood to be worth reading into memory."""

MOST_COUNTED = 100_000
"""Matches of a predicate that are counted before its patterns are joined."""


class TooManyError(Exception):
    """An answer has more rows or bytes than are given."""


class Held:
    """A snapshot, on disk at once, and in memory when there was time to read it and it is small enough.

    In memory a query takes about half as long. A thread reads it, in Oxigraph's own code, which holds up no query; and
    not before the snapshot has stood for a while: while much is being stored there is a new one every few seconds.
    """

    def __init__(self, path: str, most: int, settled_s: float = SETTLED_S) -> None:
        self.path = path
        self._disk = ox.Store.read_only(path)
        self._memory: ox.Store | None = None
        self._over = threading.Event()
        due_s = max(settled_s - (time.time() - Path(path).stat().st_ctime), 0.0)
        self.reading = threading.Thread(target=self._read, args=(most, due_s), daemon=True)
        if most:
            self.reading.start()

    def close(self) -> None:
        """Read no further."""
        self._over.set()

    @property
    def store(self) -> ox.Store:
        """What to ask."""
        return self._disk if self._memory is None else self._memory

    @property
    def warm(self) -> bool:
        """Whether it is in memory."""
        return self._memory is not None

    def _read(self, most: int, due_s: float) -> None:
        if self._over.wait(due_s):
            return
        text, memory = _Text(most, self._over), ox.Store()
        try:
            self._disk.dump(text, format=ox.RdfFormat.N_TRIPLES, from_graph=ox.DefaultGraph())
        except TooManyError:
            return
        memory.bulk_load(text.getvalue(), format=ox.RdfFormat.N_TRIPLES)
        self._memory = memory


class _Text(io.BytesIO):
    """A text of at most so many lines; writing raises ``TooManyError`` where there are more, or when it is over."""

    def __init__(self, most: int, over: threading.Event) -> None:
        super().__init__()
        self._left = most
        self._over = over

    def write(self, piece: Any) -> int:
        self._left -= bytes(piece).count(b"\n")
        if self._left < 0 or self._over.is_set():
            raise TooManyError
        return super().write(piece)


class Counts:
    """How often predicates are said, about: counted up to ``MOST_COUNTED``, and not again for a while."""

    def __init__(self, kept_s: float = 60.0) -> None:
        self._kept_s = kept_s
        self._known: dict[str, tuple[float, int]] = {}

    def said(self, store: ox.Store, iri: str) -> int:
        """Return how often a predicate is said."""
        known = self._known.get(iri)
        if known is None or time.monotonic() - known[0] > self._kept_s:
            some = f"SELECT ?s {{ ?s {ox.NamedNode(iri)} ?o }} LIMIT {MOST_COUNTED}"
            found: Any = store.query(f"SELECT (COUNT(*) AS ?n) {{ {some} }}")
            ((number,),) = found
            known = self._known[iri] = (time.monotonic(), int(number.value))
        return known[1]


def main() -> None:
    """Answer queries until the input ends; arguments: most memory in bytes, most triples to hold in memory."""
    most, triples = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    held: Held | None = None
    counts = Counts()
    while line := sys.stdin.buffer.readline():
        wanted = orjson.loads(line)
        if held is None or held.path != wanted["snapshot"]:
            if held is not None:
                held.close()
            held = Held(wanted["snapshot"], triples)
        head, body = _answered(held.store, wanted, counts)
        _send(sys.stdout.buffer, head | {"warm": held.warm}, body)


def _send(out: BinaryIO, head: dict[str, Any], body: bytes) -> None:
    out.write(orjson.dumps(head | {"length": len(body)}) + b"\n")
    out.write(body)
    out.flush()


def _answered(store: ox.Store, wanted: dict[str, Any], counts: Counts) -> tuple[dict[str, Any], bytes]:
    try:
        found = _found(store, wanted["query"], wanted["base"], counts)
        media_type, body, rows = _written(found, wanted)
    except SyntaxError as error:
        return {"problem": "malformed", "detail": str(error)}, b""
    except TooManyError as error:
        return {"problem": "too many", "detail": str(error)}, b""
    except (RuntimeError, ValueError, OSError) as error:
        return {"problem": "malformed", "detail": f"The query cannot be answered: {error}"}, b""
    return {"problem": "", "type": media_type, "rows": rows}, body


def _found(store: ox.Store, query: str, base: str, counts: Counts) -> Any:
    faster = joined(query, lambda iri: counts.said(store, iri))
    if faster != query:
        with suppress(SyntaxError):  # what is wrong is told of the query as it came
            return store.query(faster, base_iri=base, named_graphs=[])
    return store.query(query, base_iri=base, named_graphs=[])


def _written(found: Any, wanted: dict[str, Any]) -> tuple[str, bytes, int]:
    """Return the media type, the answer, and its rows; of the types wanted, the first that can say it."""
    if isinstance(found, ox.QueryTriples):
        media_type = wanted["graphs"]
        triples = _Counted(found, wanted["rows"])
        written = ox.serialize(triples, format=GRAPHS[media_type], prefixes=_prefixes(media_type, wanted["prefixes"]))
        return media_type, _bounded(written or b"", wanted["bytes"]), triples.number
    media_type = wanted["solutions"]
    form = ROWS[media_type]
    if isinstance(found, ox.QueryBoolean):
        if form in ("csv", "tsv"):
            media_type, form = "application/sparql-results+json", "json"
        return media_type, yes_or_no(bool(found), form), 1
    names = [variable.value for variable in found.variables]
    rows = _Counted(found, wanted["rows"])
    return media_type, _joined(solutions(names, rows, form), wanted["bytes"]), rows.number


def _prefixes(media_type: str, prefixes: dict[str, str]) -> dict[str, str] | None:
    return prefixes if media_type in ("text/turtle", "application/rdf+xml") else None


class _Counted:
    """Rows, counted while they go by. Iterating raises ``TooManyError`` where there are more than ``most``."""

    def __init__(self, rows: Iterable[Any], most: int) -> None:
        self._rows = iter(rows)
        self._most = most
        self.number = 0

    def __iter__(self) -> Iterator[Any]:
        for row in islice(self._rows, self._most):
            self.number += 1
            yield row
        if self.number == self._most and next(self._rows, None) is not None:
            raise TooManyError(f"The answer has more than {self._most:,} rows; ask for less with LIMIT.")


def _joined(pieces: Iterable[bytes], most: int) -> bytes:
    body = io.BytesIO()
    for piece in pieces:
        body.write(piece)
        _bounded(b"", most, body.tell())
    return body.getvalue()


def _bounded(body: bytes, most: int, size: int = 0) -> bytes:
    if max(len(body), size) > most:
        raise TooManyError(f"The answer is longer than {most:,} bytes; ask for less with LIMIT.")
    return body


def yes_or_no(answer: bool, form: str) -> bytes:
    """Return the answer to an ASK query as ``json`` or ``xml``."""
    if form == "json":
        return orjson.dumps({"head": {}, "boolean": answer})
    return f"{_XML_HEAD}<head/><boolean>{str(answer).lower()}</boolean></sparql>".encode()


def solutions(names: list[str], rows: Iterable[Any], form: str) -> Iterator[bytes]:
    """Yield rows of terms as ``json``, ``xml``, ``csv`` or ``tsv`` (SPARQL 1.1 Query Results formats)."""
    return {"json": _json, "xml": _xml, "csv": _csv, "tsv": _tsv}[form](names, rows)


def _json(names: list[str], rows: Iterable[Any]) -> Iterator[bytes]:
    yield b'{"head":{"vars":' + orjson.dumps(names) + b'},"results":{"bindings":['
    comma = b""
    for row in rows:
        cells = {name: _json_term(term) for name, term in zip(names, row, strict=True) if term is not None}
        yield comma + orjson.dumps(cells)
        comma = b",\n"
    yield b"]}}"


def _json_term(term: Any) -> dict[str, Any]:
    if isinstance(term, ox.NamedNode):
        return {"type": "uri", "value": term.value}
    if isinstance(term, ox.BlankNode):
        return {"type": "bnode", "value": term.value}
    if isinstance(term, ox.Triple):
        parts = {"subject": term.subject, "predicate": term.predicate, "object": term.object}
        return {"type": "triple", "value": {name: _json_term(part) for name, part in parts.items()}}
    cell = {"type": "literal", "value": term.value}
    if term.language:
        return cell | {"xml:lang": term.language}
    return cell if term.datatype.value == _STRING else cell | {"datatype": term.datatype.value}


_STRING = "http://www.w3.org/2001/XMLSchema#string"
_XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<sparql xmlns="http://www.w3.org/2005/sparql-results#">'
_NOT_IN_XML = {code: "\N{REPLACEMENT CHARACTER}" for code in range(32) if code not in (9, 10, 13)} | {
    0xFFFE: "\N{REPLACEMENT CHARACTER}",
    0xFFFF: "\N{REPLACEMENT CHARACTER}",
}
"""Characters that XML 1.0 cannot carry in any way."""


def _xml(names: list[str], rows: Iterable[Any]) -> Iterator[bytes]:
    variables = "".join(f"<variable name={quoteattr(name)}/>" for name in names)
    yield f"{_XML_HEAD}<head>{variables}</head><results>\n".encode()
    for row in rows:
        cells = (
            f"<binding name={quoteattr(name)}>{_xml_term(term)}</binding>"
            for name, term in zip(names, row, strict=True)
            if term is not None
        )
        yield f"<result>{''.join(cells)}</result>\n".encode()
    yield b"</results></sparql>"


def _xml_term(term: Any) -> str:
    if isinstance(term, ox.Triple):
        parts = {"subject": term.subject, "predicate": term.predicate, "object": term.object}
        inside = "".join(f"<{name}>{_xml_term(part)}</{name}>" for name, part in parts.items())
        return f"<triple>{inside}</triple>"
    value = escape(term.value.translate(_NOT_IN_XML), {"\r": "&#13;"})
    if isinstance(term, ox.NamedNode):
        return f"<uri>{value}</uri>"
    if isinstance(term, ox.BlankNode):
        return f"<bnode>{value}</bnode>"
    if term.language:
        return f"<literal xml:lang={quoteattr(term.language)}>{value}</literal>"
    if term.datatype.value == _STRING:
        return f"<literal>{value}</literal>"
    return f"<literal datatype={quoteattr(term.datatype.value)}>{value}</literal>"


def _csv(names: list[str], rows: Iterable[Any]) -> Iterator[bytes]:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")
    for cells in ([names], ([_csv_term(term) for term in row] for row in rows)):
        for row in cells:
            writer.writerow(row)
            yield line.getvalue().encode()
            line.seek(0)
            line.truncate()


def _csv_term(term: Any) -> str:
    if term is None:
        return ""
    if isinstance(term, ox.BlankNode | ox.Triple):
        return str(term)
    return str(term.value)


def _tsv(names: list[str], rows: Iterable[Any]) -> Iterator[bytes]:
    yield ("\t".join(f"?{name}" for name in names) + "\n").encode()
    for row in rows:
        cells = ("" if term is None else str(term).replace("\t", "\\t") for term in row)
        yield ("\t".join(cells) + "\n").encode()


if __name__ == "__main__":
    main()
