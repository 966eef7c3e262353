"""How triple patterns are joined. In: a query, how often predicates are said. Out: a query that means the same.

Oxigraph takes patterns in the order they are written in and looks up, for each match of the first, the matches of the
next: right for few, slow for many (``is_fit_for_for_loop_join`` in https://docs.rs/sparopt). Sub-selects it reads once
each and joins by hash. So where a query counts or sorts all matches, the rarest predicate goes first, or else each
pattern becomes a sub-select, which gives the same rows (SPARQL 1.1, 18.2: the group is the join of both). What is not
such a query, or might not be, stays as it is.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LOOK_UP = 5.0
"""How much longer looking up takes than reading on, a match."""
FEW = 2000
"""Matches that are looked up in no time."""
LONGEST = 2000
"""Characters of a query that is looked at."""

_IRI = r'<[^<>"{}|^`\\\x00-\x20]*>'
_NAME = r"(?:[A-Za-z][\w-]*)?:[A-Za-z_][\w-]*"
_PREFIX = re.compile(rf"\s*PREFIX\s+([A-Za-z][\w-]*)?:\s*({_IRI})", re.IGNORECASE)
_PLAIN = rf"(?>{_IRI}|[^{{}}#\"'])"
"""A character, or an IRI, in which ``#`` begins no comment."""
_BODY = re.compile(
    rf"\s*(?P<head>SELECT\s{_PLAIN}*?)(?:\bWHERE)?\s*\{{(?P<body>{_PLAIN}*+)\}}(?P<tail>{_PLAIN}*+)", re.IGNORECASE
)
_TOKEN = re.compile(rf"\s*({_IRI}|{_NAME}|\?\w+|a\b|[;,./])")
_MANY = re.compile(r"\b(?:COUNT|SUM|AVG|MIN|MAX|SAMPLE|GROUP_CONCAT)\s*\(|\bGROUP\s+BY\b|\bORDER\s+BY\b", re.IGNORECASE)
_HIDDEN = "?deboodt_between_"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One triple pattern: variables for subject and object, a predicate as it is written, and as an IRI."""

    subject: str
    predicate: str
    object: str
    iri: str

    def __str__(self) -> str:
        return f"{self.subject} {self.predicate} {self.object}"

    @property
    def variables(self) -> set[str]:
        """Its variables."""
        return {self.subject, self.object}


def joined(query: str, said: Callable[[str], int]) -> str:
    """Return the query, joined by hash where that is quicker. ``said``: IRI of a predicate → how often it is said.

    >>> joined("SELECT (COUNT(*) AS ?n) { ?s <urn:a>/<urn:b> ?o }", lambda _: 1_000_000).count("SELECT")
    3
    >>> joined("SELECT (COUNT(*) AS ?n) { ?s <urn:a> ?o ; <urn:b> ?p }", {"urn:a": 50_000, "urn:b": 3}.__getitem__)
    ' SELECT (COUNT(*) AS ?n) WHERE { ?s <urn:b> ?p . ?s <urn:a> ?o }'
    """
    if len(query) > LONGEST or not _MANY.search(query):
        return query
    at, prefixes = 0, {}
    while found := _PREFIX.match(query, at):
        prefixes[found[1] or ""] = found[2][1:-1]
        at = found.end()
    parts = _BODY.fullmatch(query, at)
    if parts is None or re.search(r"SELECT\s+(?:DISTINCT\s+|REDUCED\s+)?\*", parts["head"], re.IGNORECASE):
        return query
    patterns = _patterns(parts["body"], prefixes)
    if len(patterns) < 2:
        return query
    counts = {one.iri: said(one.iri) for one in patterns}
    order = _ordered(patterns, counts)
    if not order:
        return query
    few = counts[order[0].iri]
    if few <= FEW or few * LOOK_UP * (len(order) - 1) < sum(counts[one.iri] for one in order):
        body = " . ".join(map(str, order))
    else:
        body = " ".join(f"{{ SELECT {' '.join(sorted(one.variables))} {{ {one} }} }}" for one in order)
    return f"{query[:at]} {parts['head']} WHERE {{ {body} }}{parts['tail']}"


def _patterns(body: str, prefixes: Mapping[str, str]) -> list[Pattern]:
    """Return the triple patterns of a group of nothing else; nothing where there is anything else, or a constant."""
    tokens: list[str] = []
    at = 0
    while found := _TOKEN.match(body, at):
        tokens.append(found[1])
        at = found.end()
    if body[at:].strip():
        return []
    found_patterns: list[Pattern] = []
    try:
        for triples in _split(tokens, "."):
            subject = triples[0]
            for said in _split(triples[1:], ";"):
                path = [said[0]]
                rest = said[1:]
                while rest and rest[0] == "/":
                    path.append(rest[1])
                    rest = rest[2:]
                for value in _split(rest, ","):
                    (last,) = value
                    found_patterns += _steps(subject, path, last, len(found_patterns), prefixes)
    except (IndexError, KeyError, ValueError):
        return []
    return found_patterns


def _split(tokens: list[str], mark: str) -> list[list[str]]:
    pieces: list[list[str]] = [[]]
    for token in tokens:
        if token == mark:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return [piece for piece in pieces if piece]


def _steps(subject: str, path: list[str], last: str, number: int, prefixes: Mapping[str, str]) -> list[Pattern]:
    """Return the patterns of a path. Raises ``KeyError`` or ``ValueError`` for what is no variable or no predicate."""
    between = [f"{_HIDDEN}{number}_{step}" for step in range(len(path) - 1)]
    ends = [subject, *between, last]
    if subject[0] != "?" or last[0] != "?" or subject == last:
        raise ValueError("not two variables")
    return [
        Pattern(start, predicate, end, _expanded(predicate, prefixes))
        for start, predicate, end in zip(ends, path, ends[1:], strict=False)
    ]


def _expanded(predicate: str, prefixes: Mapping[str, str]) -> str:
    if predicate == "a":
        return "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    if predicate[0] == "<":
        return predicate[1:-1]
    prefix, colon, name = predicate.partition(":")
    if not colon:
        raise ValueError("not a predicate")
    return prefixes[prefix] + name


def _ordered(patterns: list[Pattern], counts: Mapping[str, int]) -> list[Pattern]:
    """Return the patterns, the rarest first, each beside one before it; nothing if one shares no variable."""
    left = sorted(patterns, key=lambda one: counts[one.iri])
    order = [left.pop(0)]
    known = set(order[0].variables)
    while left:
        following = next((one for one in left if one.variables & known), None)
        if following is None:
            return []
        left.remove(following)
        order.append(following)
        known |= following.variables
    return order
