"""One process that answers queries over a snapshot. In: a line of JSON a query. Out: a line of JSON and the answer.

It runs on its own (``python -m linkeddata.sparqlworker``), because nothing inside a process can stop a query of
Oxigraph's that takes too long: ``linkeddata.sparqlpool`` ends the process. Rows are written one by one and counted.
"""

import csv
import io
import resource
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
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


class TooManyError(Exception):
    """An answer has more rows or bytes than are given."""


def main() -> None:
    """Answer queries until the input ends; the first argument is the most memory in bytes."""
    most = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    opened: tuple[str, ox.Store] | None = None
    for line in sys.stdin.buffer:
        wanted = orjson.loads(line)
        if opened is None or opened[0] != wanted["snapshot"]:
            opened = (wanted["snapshot"], ox.Store.read_only(wanted["snapshot"]))
        head, body = _answered(opened[1], wanted)
        _send(sys.stdout.buffer, head, body)


def _send(out: BinaryIO, head: dict[str, Any], body: bytes) -> None:
    out.write(orjson.dumps(head | {"length": len(body)}) + b"\n")
    out.write(body)
    out.flush()


def _answered(store: ox.Store, wanted: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        found = store.query(wanted["query"], base_iri=wanted["base"], named_graphs=[])
        media_type, body = _written(found, wanted)
    except SyntaxError as error:
        return {"problem": "malformed", "detail": str(error)}, b""
    except TooManyError as error:
        return {"problem": "too many", "detail": str(error)}, b""
    except (RuntimeError, ValueError, OSError) as error:
        return {"problem": "malformed", "detail": f"The query cannot be answered: {error}"}, b""
    return {"problem": "", "type": media_type}, body


def _written(found: Any, wanted: dict[str, Any]) -> tuple[str, bytes]:
    """Return the media type and the answer; of the types wanted, the first that can say it."""
    if isinstance(found, ox.QueryTriples):
        media_type = wanted["graphs"]
        triples = _counted(found, wanted["rows"])
        written = ox.serialize(triples, format=GRAPHS[media_type], prefixes=_prefixes(media_type, wanted["prefixes"]))
        return media_type, _bounded(written or b"", wanted["bytes"])
    media_type = wanted["solutions"]
    form = ROWS[media_type]
    if isinstance(found, ox.QueryBoolean):
        if form in ("csv", "tsv"):
            media_type, form = "application/sparql-results+json", "json"
        return media_type, yes_or_no(bool(found), form)
    names = [variable.value for variable in found.variables]
    pieces = solutions(names, _counted(found, wanted["rows"]), form)
    return media_type, _joined(pieces, wanted["bytes"])


def _prefixes(media_type: str, prefixes: dict[str, str]) -> dict[str, str] | None:
    return prefixes if media_type in ("text/turtle", "application/rdf+xml") else None


def _counted(rows: Iterable[Any], most: int) -> Iterator[Any]:
    number = 0
    source = iter(rows)
    for row in islice(source, most):
        number += 1
        yield row
    if number == most and next(source, None) is not None:
        raise TooManyError(f"The answer has more than {most:,} rows; ask for less with LIMIT.")


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
