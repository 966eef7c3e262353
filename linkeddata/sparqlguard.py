"""What is not asked of our own endpoint. In: a query's text. Out: why it is refused, or nothing.

Comments, texts and IRIs are put aside by the tokens of SPARQL 1.1 (https://www.w3.org/TR/sparql11-query/#sparqlGrammar);
what is left are words. Escapes such as ``\\u0053`` are resolved first, as the specification says.
"""

import re

NO_SERVICE = "SERVICE is not followed: the endpoint asks nobody else."
NO_UPDATE = "This is an update; the endpoint only answers queries."
ONE_GRAPH = "There is one graph here, which every query sees: leave out FROM, default-graph-uri and named-graph-uri."

_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_TOKEN = re.compile(
    r"""
    (?P<iri> <[^<>"{}|^`\\\x00-\x20]*> )
  | (?P<text> \"{3}(?:\"{0,2}(?:[^"\\]|\\.))*\"{3} | '{3}(?:'{0,2}(?:[^'\\]|\\.))*'{3}
      | "(?:[^"\\\n\r]|\\.)*" | '(?:[^'\\\n\r]|\\.)*' )
  | (?P<comment> \#[^\n\r]* )
  | (?P<variable> [?$]\w+ )
  | (?P<tag> @[A-Za-z]+(?:-[A-Za-z0-9]+)* )
  | (?P<name> [\w][\w.\-]*:(?:[\w:.\-]|%[0-9A-Fa-f]{2}|\\.)* | :(?:[\w:.\-]|%[0-9A-Fa-f]{2}|\\.)* )
  | (?P<word> [A-Za-z_]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_UPDATES = frozenset({"INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY"})
_HEADS = frozenset({"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"})


def refusal(query: str) -> str:
    """Return why a query is refused, ``""`` for one that may be put to the graph.

    >>> refusal("SELECT * { ?s ?p 'SERVICE' } # SERVICE"), refusal("SELECT * { sErvice ?x { ?s ?p ?o } }") == NO_SERVICE
    ('', True)
    """
    words = _words(_ESCAPE.sub(lambda found: _character(found[1] or found[2]), query))
    head = next((word for word in words if word in _UPDATES | _HEADS), "")
    if "SERVICE" in words:
        return NO_SERVICE
    if head in _UPDATES:
        return NO_UPDATE
    return ONE_GRAPH if "FROM" in words else ""


def _words(query: str) -> list[str]:
    return [found[0].upper() for found in _TOKEN.finditer(query) if found.lastgroup == "word"]


def _character(digits: str) -> str:
    code = int(digits, 16)
    return chr(code) if code < 0x110000 else "\N{REPLACEMENT CHARACTER}"
