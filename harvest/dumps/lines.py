"""Lines of a dump, of which few are wanted. In: a piece cut anywhere. Out: the wanted lines, and the odd ones.

A dump is ``[``, entities with a comma behind each, ``]``; shards are joined by a line with a comma alone, line ends may
be those of Windows (``dumpJson.php`` of Wikibase, and the scripts that run it). Every line is looked at for its first
and last byte; only those that name the wanted property are handed on to be parsed.
"""

from dataclasses import dataclass, field

import numpy as np
import stringzilla

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


def needle(word: str) -> bytes:
    """Return how a property, or any other word, stands in JSON."""
    return f'"{word}"'.encode()


def split(data: bytes, wanted: bytes) -> Lines:
    """Return the lines of a piece, those of them that hold ``wanted``, and those that are no entity.

    >>> found = split(b'..},\\n{"id":"M1"},\\n{"id":"M2","P180"},\\nbroken\\n{"id"', needle("P180"))
    >>> found.head, found.tail, found.count, found.wanted, found.odd
    (b'..},', b'{"id"', 3, [b'{"id":"M2","P180"},'], [(2, 38)])
    """
    first, last = data.find(b"\n"), data.rfind(b"\n")
    if first < 0:
        return Lines(data, None)
    lines = Lines(data[:first], data[last + 1 :], stringzilla.count(data, b"\n", first + 1, last + 1))
    if lines.count and not _all_usual(data, first, last, lines.count):
        _look_at_ends(data, lines)
    at = first + 1
    while (met := stringzilla.find(data, wanted, at, last)) >= 0:
        begin = data.rfind(b"\n", first, met) + 1
        at = data.find(b"\n", met) + 1
        lines.wanted.append(data[begin : at - 1])
        lines.at.append(begin)
    return lines


def _all_usual(data: bytes, first: int, last: int, count: int) -> bool:
    """Say whether each of the lines between two line ends is an entity with a comma behind it."""
    between = stringzilla.count(data, b"},\n{", first + 1, last)
    return between == count - 1 and data[first + 1] == _BRACE and data[last - 2 : last] == b"},"


def _look_at_ends(data: bytes, lines: Lines) -> None:
    text = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(text == _LINE_END)
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
