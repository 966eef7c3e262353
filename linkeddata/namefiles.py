"""Names in a table file. In: a table with a column of names, and somebody who answers. Out: the table with answers.

One row out for each row in, in order, every column kept; the answer's columns come after them under GBIF's own names.
A column of the file that has such a name already is called ``verbatim…`` in the result (``verbatimScientificName``).
A broken row, and one that a service did not answer, has no match type and says so under ``reason``: never NONE.
"""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from linkeddata.errors import UsageError
from linkeddata.nameforms import is_identifier
from linkeddata.nameindex.answers import COLUMNS, CONTEXT_TERMS, NameAnswer, NameQuery, row_of
from linkeddata.records import Failure
from linkeddata.tablefiles import Row, Table, delimited, reading, text_of, unique, writing

NAME_COLUMNS = ("scientificname", "verbatimidentification", "canonicalname", "name", "taxon", "taxonname", "species")
"""Headings under which names are looked for when no column is named, in this order, small and without punctuation."""
BROKEN = "broken row"
NOT_ANSWERED = "not answered"
LISTED = 100
"""Broken rows that a summary lists; it counts them all."""
LOOKED_AT = 100
"""Rows by which the column of names is found in a table without headings."""

_BINOMIAL = re.compile(r"[×]?\s*[A-Z][\w-]+\s+[×a-z(]")

Ask = Callable[[Iterable[NameQuery]], Iterator[NameAnswer | Failure]]
"""Answers queries one by one, in order."""
Tell = Callable[[str, int, int], None]
"""Is told what is done, how far, and out of how many."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row the name stands, and which cells say more about it: field of ``NameQuery`` → position."""

    name: int
    context: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Summary:
    """What became of the rows of a file."""

    rows: int = 0
    column: str = ""
    match_types: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    not_answered: int = 0
    listed: list[str] = field(default_factory=list)  # the first rows that are broken or were not answered

    def add(self, row: Row, answer: NameAnswer | Failure | None) -> None:
        """Count one row."""
        self.rows += 1
        if isinstance(answer, NameAnswer):
            self.match_types[answer.match_type] += 1
            if answer.match_type == "NONE":
                self.reasons[answer.reason.split(":")[0].split(";")[0]] += 1
            return
        self.broken += answer is None
        self.not_answered += answer is not None
        if len(self.listed) < LISTED:
            told = row.trouble if answer is None else f"{answer.reason} {answer.detail}".strip()
            self.listed.append(f"row {row.number}: {told}")

    def data(self) -> dict[str, Any]:
        """Return the summary as plain data."""
        return {
            "rows": self.rows,
            "column": self.column,
            "match_types": dict(self.match_types.most_common()),
            "reasons_for_none": dict(self.reasons.most_common()),
            "broken": self.broken,
            "not_answered": self.not_answered,
            "listed": self.listed,
        }

    def text(self) -> str:
        """Return the summary for people."""
        share = 100 / max(self.rows, 1)
        lines = [f"{self.rows:,} rows, names from column {self.column}"]
        lines += [f"  {kind:<12} {n:>10,}  {n * share:5.1f} %" for kind, n in self.match_types.most_common()]
        lines += [f"    because {reason}: {n:,}" for reason, n in self.reasons.most_common()]
        lines += [f"  {BROKEN:<12} {self.broken:>10,}"] * bool(self.broken)
        lines += [f"  {NOT_ANSWERED:<12} {self.not_answered:>10,}"] * bool(self.not_answered)
        return "\n".join([*lines, *(f"    {one}" for one in self.listed)])


def resolve_file(
    path: Path,
    ask: Ask,
    out: Path | BinaryIO,
    *,
    column: str = "",
    heading: bool | None = None,
    merge_to: str = "",
    progress: Tell = lambda what, done, total: None,
) -> Summary:
    """Write the rows of ``path`` with what ``ask`` answers to ``out``, a path or a stream of bytes (CSV); count them.

    ``column`` is the heading or the number (from 1) of the column of names; without one it is found. ``merge_to`` is
    the rank below which answers are merged. Raises ``UsageError`` when file or column cannot be meant.
    """
    with reading(path, heading=heading, known=lambda name: _plain(name) in {*NAME_COLUMNS, _plain(column)}) as table:
        rows, columns = columns_of(table, column)
        summary = Summary(column=table.columns[columns.name])
        headings = output_columns(table.columns)
        opened = writing(out, headings, table.types) if isinstance(out, Path) else delimited(out, headings)
        with opened as write:
            for row, answer in answered(rows, columns, ask, merge_to):
                write([*row.cells, *cells_of(row, answer)])
                summary.add(row, answer)
                if summary.rows % 100 == 0:
                    progress(f"names of {path.name}", summary.rows, max(table.total, summary.rows))
        progress(f"names of {path.name}", summary.rows, summary.rows)
    return summary


def columns_of(table: Table, column: str = "") -> tuple[Iterator[Row], Columns]:
    """Return the rows of a table, and where in them the names and their context stand. Raises ``UsageError``."""
    head = list(islice(table.rows, LOOKED_AT))
    rows = chain(head, table.rows)
    at = _named(table, column) if column else _found(table, head)
    plain = [_plain(name) for name in table.columns]
    terms = {_plain(term): own for term, own in CONTEXT_TERMS.items() if own != "name"}
    context = {terms[name]: i for i, name in enumerate(plain) if table.has_heading and name in terms and i != at}
    return rows, Columns(at, context)


def query_of(row: Row, columns: Columns, merge_to: str = "") -> NameQuery:
    """Return what is asked about a row."""
    context: dict[str, Any] = {own: text_of(row.cells[at]).strip() for own, at in columns.context.items()}
    if not is_identifier(context.get("identifier", "")):
        context["identifier"] = ""  # a number in a column taxonID may be anybody's
    return NameQuery(text_of(row.cells[columns.name]), merge_to=merge_to, **context)


def answered(
    rows: Iterable[Row], columns: Columns, ask: Ask, merge_to: str = ""
) -> Iterator[tuple[Row, NameAnswer | Failure | None]]:
    """Yield each row with its answer, in order; ``None`` stands for a broken row, about which nothing is asked."""
    waiting: deque[Row] = deque()

    def queries() -> Iterator[NameQuery]:
        for row in rows:
            waiting.append(row)
            if not row.trouble:
                yield query_of(row, columns, merge_to)

    for answer in ask(queries()):
        while waiting[0].trouble:
            yield waiting.popleft(), None
        yield waiting.popleft(), answer
    for row in waiting:
        yield row, None


def cells_of(row: Row, answer: NameAnswer | Failure | None) -> list[str]:
    """Return the answer's cells, in the order of ``COLUMNS``."""
    if isinstance(answer, NameAnswer):
        return list(row_of(answer).values())
    reason = f"{BROKEN}: {row.trouble}" if answer is None else f"{NOT_ANSWERED}: {answer.reason}"
    note = "" if answer is None else answer.detail
    return list((dict.fromkeys(COLUMNS, "") | {"reason": reason, "note": note}).values())


def output_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the headings of the result: the file's own, then the answer's; the answer's names are kept for it.

    >>> output_columns(["id", "scientificName"])[:3]
    ('id', 'verbatimScientificName', 'usageKey')
    """
    taken = {name.casefold() for name in COLUMNS}
    own = [f"verbatim{name[:1].upper()}{name[1:]}" if name.casefold() in taken else name for name in columns]
    return (*unique(own), *COLUMNS)


def _named(table: Table, column: str) -> int:
    if column in table.columns:
        return table.columns.index(column)
    alike = [at for at, name in enumerate(table.columns) if table.has_heading and _plain(name) == _plain(column)]
    if len(alike) == 1:
        return alike[0]
    if column.isdecimal() and 1 <= int(column) <= len(table.columns):
        return int(column) - 1
    raise UsageError(f"there is no column {column!r}; there are {', '.join(table.columns)}")


def _found(table: Table, head: Sequence[Row]) -> int:
    if len(table.columns) == 1:
        return 0
    if not table.has_heading:
        return max(range(len(table.columns)), key=lambda at: _binomials(head, at))
    plain = [_plain(name) for name in table.columns]
    for name in NAME_COLUMNS:
        if name in plain:
            return plain.index(name)
    raise UsageError(f"which column has the names? --column says so; there are {', '.join(table.columns)}")


def _binomials(head: Sequence[Row], at: int) -> int:
    return sum(bool(_BINOMIAL.match(text_of(row.cells[at]))) for row in head)


def _plain(name: str) -> str:
    """Return a heading in small letters without punctuation and name space.

    >>> _plain("dwc:scientificName") == _plain("Scientific_name") == "scientificname"
    True
    """
    return re.sub(r"[\W_]", "", name.rsplit(":", 1)[-1].rsplit("/", 1)[-1]).casefold()
