"""SPARQL 1.1 Query Results JSON, read as it comes. In: pieces of bytes. Out: rows, or the reason why there are none.

An answer is read to its end before its first row is given out: half an answer looks like a whole one until then. The
rows wait in a temporary file, so that memory stays flat however many there are. JSON, and not the leaner TSV, because
its closing brackets prove that nothing is missing; a TSV cut off between two lines is a shorter TSV
(https://www.w3.org/TR/sparql11-results-json/). Blazegraph ends an answer that takes too long with a Java stack trace,
QLever with a line of its own, both after they have said 200.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

import ijson
import orjson

Row = dict[str, str]

IN_MEMORY = 8 << 20
"""Bytes of rows that are kept in memory; more go to a temporary file."""
CUT_OFF = "the answer is cut off"
_ENDS = 1 << 14
_START = 1 << 16
_ROWS = "results.bindings.item"

TIME_IS_UP = (
    b"TimeoutException",
    b"QueryTimeout",
    b"Operation timed out",
    b"Operation was cancelled",
    b"was cancelled or timed out",
    b"OutOfMemory",
    b"memory limit",
    b"Tried to allocate",
    b"An error has occurred while exporting the query",
)
"""What Blazegraph and QLever write when a question is more than they can answer at once.

QLever: ``ExportQueryExecutionTrees`` and ``CancellationHandle`` in https://github.com/ad-freiburg/qlever; Blazegraph:
the Java exceptions themselves.
"""


class NotWholeError(ValueError):
    """An answer that cannot be used; ``too_much`` where the service broke it off, or somebody on the way did."""

    def __init__(self, reason: str, *, too_much: bool = True) -> None:
        super().__init__(reason)
        self.too_much = too_much


class Rows:
    """The rows of one whole answer, to be read once; a context manager that takes the temporary file away."""

    def __init__(self, file: "IO[bytes]", count: int) -> None:
        self._file = file
        self.count = count

    def __iter__(self) -> Iterator[Row]:
        with self._file as file:
            file.seek(0)
            for line in file:
                yield orjson.loads(line)

    def close(self) -> None:
        """Forget the rows."""
        self._file.close()


def read_rows(pieces: Iterable[bytes]) -> Rows:
    """Return the rows of a document that comes in pieces: variable → value, unbound ones left out.

    A blank node is ``_:label``. Raises ``NotWholeError`` for a document that is not whole, or none, after as little as
    was needed to know it.

    >>> list(read_rows([b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"bnode",', b'"value":"b0"}}]}}']))
    [{'x': '_:b0'}]
    """
    body = _Body(pieces)
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - Rows closes it
    count = 0
    try:
        for binding in ijson.items(body, _ROWS, buf_size=_START):
            count += 1
            file.write(orjson.dumps({name: _plain(term) for name, term in binding.items()}) + b"\n")
        if not count and not _is_empty(body.start):
            raise ValueError("no results")
    except NotWholeError:
        file.close()
        raise
    except (ijson.JSONError, ValueError, KeyError, TypeError, AttributeError) as error:
        file.close()
        body.finish()
        raise what_is_wrong(body.start, body.end) from error
    except BaseException:
        file.close()
        raise
    return Rows(file, count)


class _Body:
    """Pieces of bytes as the file that ijson reads, with the beginning and the end kept to tell what was wrong."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.start = b""
        self.end = b""

    def read(self, size: int) -> bytes:
        """Return the next piece, of any length; nothing where ``size`` is 0 (ijson asks what kind of file it has)."""
        piece = next(filter(None, self._pieces), b"") if size else b""
        if len(self.start) < _START:
            self.start += piece[: _START - len(self.start)]
        self.end = (self.end + piece[-_ENDS:])[-_ENDS:]
        return piece

    def finish(self) -> None:
        """Read what is left: a stack trace is longer than the piece that it begins in."""
        while self.read(1):
            pass


def _plain(term: Mapping[str, str]) -> str:
    return f"_:{term['value']}" if term["type"] == "bnode" else term["value"]


def _is_empty(document: bytes) -> bool:
    """Say whether a short document is a result without rows, and not something else that is JSON."""
    results: Any = json.loads(document)["results"]
    return bool(results["bindings"] == [])


def what_is_wrong(start: bytes, end: bytes) -> NotWholeError:
    """Return why a body is no answer, from how it begins and how it ends.

    >>> str(what_is_wrong(b"<!DOCTYPE html>", b"</html>")), str(what_is_wrong(b'{"head":', b'"value"'))
    ('an HTML page instead of results', 'the answer is cut off')
    """
    beginning = start[:200].lstrip().lower()
    if beginning.startswith((b"<!doctype", b"<html")):
        return NotWholeError("an HTML page instead of results", too_much=False)
    if b"!!!!>>#" in end:
        return NotWholeError(f"the answer ends in an error, {_told(end)}")
    if b"Exception" in end:
        return NotWholeError("the answer ends in a stack trace, the service's time was up")
    if beginning.startswith(b"{") and b'"head"' in start:
        return NotWholeError(CUT_OFF)
    return NotWholeError("the answer is not SPARQL results JSON", too_much=False)


def _told(end: bytes) -> str:
    words = end.rpartition(b"!!!!>>#")[2].decode(errors="replace").partition("error message was:")[2].split()
    return " ".join(words)[:200] or "the service could not finish"
