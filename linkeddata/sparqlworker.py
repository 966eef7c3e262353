"""One process that answers queries over a snapshot. In: a line of JSON a query. Out: a line of JSON and the answer.

It runs on its own (``python -m linkeddata.sparqlworker``), because nothing inside a process can stop a query of
Oxigraph's that takes too long: ``linkeddata.sparqlpool`` ends the process. Rows are written one by one and counted.
"""

import csv
import io
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from select import select
from typing import Any, BinaryIO
from xml.sax.saxutils import escape, quoteattr

import orjson
import pyoxigraph as ox

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
PIECE = 5000
"""Triples that are read at a time: so long a query waits at most."""


class TooManyError(Exception):
    """An answer has more rows or bytes than are given."""


class Held:
    """A snapshot, on disk at once, and in memory when there was time to read it and it is small enough.

    In memory a query takes about half as long. Reading goes on only while nobody asks, and not before the snapshot has
    stood for a while: while much is being stored there is a new one every few seconds.
    """

    def __init__(self, path: str, most: int) -> None:
        self.path = path
        self._disk = ox.Store.read_only(path)
        self._made = Path(path).stat().st_ctime
        self._memory = ox.Store()
        self._left = self._disk.quads_for_pattern(None, None, None, ox.DefaultGraph())
        self._most = most
        self._read = 0
        self.reading = most > 0
        self.warm = False

    @property
    def store(self) -> ox.Store:
        """What to ask."""
        return self._memory if self.warm else self._disk

    def due_s(self, now: float) -> float | None:
        """Return how long to wait for a query before reading on; None where there is nothing to read."""
        if not self.reading:
            return None
        return max(SETTLED_S - (now - self._made), 0.0)

    def read_on(self) -> None:
        """Read a piece into memory."""
        before = len(self._memory)
        self._memory.bulk_extend(islice(self._left, PIECE))
        self._read = len(self._memory)
        if self._read - before < PIECE:
            self.warm, self.reading = True, False
        elif self._read >= self._most:
            self._memory, self.reading = ox.Store(), False  # too large


def main() -> None:
    """Answer queries until the input ends; arguments: most memory in bytes, most triples to hold in memory."""
    most, triples = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    held: Held | None = None
    while line := _line(sys.stdin.buffer, held):
        wanted = orjson.loads(line)
        if held is None or held.path != wanted["snapshot"]:
            held = Held(wanted["snapshot"], triples)
        head, body = _answered(held.store, wanted)
        _send(sys.stdout.buffer, head | {"warm": held.warm}, body)


def _line(source: BinaryIO, held: Held | None) -> bytes:
    """Return the next request; meanwhile read on.

    A request comes alone, for nobody asks before he is answered: what waits has not yet been taken into the buffer.
    """
    while held is not None and (due_s := held.due_s(time.time())) is not None:
        if select([source], [], [], due_s)[0]:
            break
        held.read_on()
    return source.readline()


def _send(out: BinaryIO, head: dict[str, Any], body: bytes) -> None:
    out.write(orjson.dumps(head | {"length": len(body)}) + b"\n")
    out.write(body)
    out.flush()


def _answered(store: ox.Store, wanted: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        found = store.query(wanted["query"], base_iri=wanted["base"], named_graphs=[])
        media_type, body, rows = _written(found, wanted)
    except SyntaxError as error:
        return {"problem": "malformed", "detail": str(error)}, b""
    except TooManyError as error:
        return {"problem": "too many", "detail": str(error)}, b""
    except (RuntimeError, ValueError, OSError) as error:
        return {"problem": "malformed", "detail": f"The query cannot be answered: {error}"}, b""
    return {"problem": "", "type": media_type, "rows": rows}, body


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
