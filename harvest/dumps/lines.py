"""Lines of a dump, of which few are wanted. In: a piece cut anywhere. Out: the wanted lines, and the odd ones.

A dump is ``[``, entities with a comma behind each, ``]``; shards are joined by a line with a comma alone, line ends may
be those of Windows (``dumpJson.php`` of Wikibase, and the scripts that run it). Every line is looked at for its first
and last byte; only those that name the wanted property are handed on to be parsed.
"""

import re
from dataclasses import dataclass, field

import numpy as np

OPENING, CLOSING = b"[", b"]"
NEITHER_END = "does not begin with { and end with }"
_COMMA, _LINE_END, _BRACE, _BRACE_END = b",\n{}"


@dataclass(slots=True)
class Lines:
    """What a piece holds: ``head`` ends the line that began before it, ``tail`` begins the one that ends after it.

    A piece without a line end is all ``head``, and its ``tail`` is ``None``. Numbers count the whole lines from 0,
    places are bytes from the piece's first.
    """

    head: bytes
    tail: bytes | None
    count: int = 0
    wanted: list[bytes] = field(default_factory=list)
    at: list[int] = field(default_factory=list)  # place of each wanted line
    odd: list[tuple[int, int]] = field(default_factory=list)  # number and place of what is no entity nor a bracket
    brackets: list[tuple[int, bytes]] = field(default_factory=list)


def needle(property_id: str) -> re.Pattern[bytes]:
    """Return the pattern that finds a property in JSON; without its first quotation mark it is found sooner."""
    return re.compile(re.escape(f'{property_id}"'.encode()))


def split(data: bytes, wanted: re.Pattern[bytes]) -> Lines:
    """Return the lines of a piece, those of them that match ``wanted``, and those that are no entity.

    >>> found = split(b'..},\\n{"id":"M1"},\\n{"id":"M2","P180"},\\nbroken\\n{"id"', needle("P180"))
    >>> found.head, found.tail, found.count, found.wanted, found.odd
    (b'..},', b'{"id"', 3, [b'{"id":"M2","P180"},'], [(2, 38)])
    """
    first = data.find(b"\n")
    if first < 0:
        return Lines(data, None)
    text = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(text == _LINE_END)
    last = int(ends[-1])
    lines = Lines(data[:first], data[last + 1 :], len(ends) - 1)
    _look_at_ends(data, text, ends, lines)
    at = first + 1
    while match := wanted.search(data, at, last):
        begin = data.rfind(b"\n", 0, match.start()) + 1
        end = data.find(b"\n", match.end())
        lines.wanted.append(data[begin:end])
        lines.at.append(begin)
        at = end + 1
    return lines


def _look_at_ends(
    data: bytes,
    text: "np.ndarray[tuple[int], np.dtype[np.uint8]]",
    ends: "np.ndarray[tuple[int], np.dtype[np.intp]]",
    lines: Lines,
) -> None:
    begins, behind = ends[:-1] + 1, ends[1:]
    last = text[behind - 1]
    usual = (text[begins] == _BRACE) & ((last == _BRACE_END) | ((last == _COMMA) & (text[behind - 2] == _BRACE_END)))
    for number in np.flatnonzero(~usual).tolist():
        begin = int(begins[number])
        line = data[begin : int(behind[number])]
        kind = kind_of_line(line)
        if kind == "odd":
            lines.odd.append((number, begin))
        elif kind == "bracket":
            lines.brackets.append((number, line.strip()))


def kind_of_line(line: bytes) -> str:
    """Return ``entity``, ``bracket``, ``empty`` or ``odd``, by a line's ends.

    >>> [kind_of_line(line) for line in (b'{"id": "M1"} ,\\r', b"[", b",", b'{"id": "M')]
    ['entity', 'bracket', 'empty', 'odd']
    """
    bare = bare_line(line)
    if bare.startswith(b"{") and bare.endswith(b"}"):
        return "entity"
    return "bracket" if bare in (OPENING, CLOSING) else "odd" if bare else "empty"


def bare_line(line: bytes) -> bytes:
    """Return the entity without what stands around it in the list."""
    return line.strip().strip(b",").strip()
