"""Documents as N-Quads, quickly. In: a document of ``linkeddata.jsonld``. Out: lines, all in the graph named after it.

Reads our own context once and walks the document; no JSON-LD processor is needed, for our documents name every node
and use few of JSON-LD's ways. Lists and blank nodes are not among them, and are refused. A test compares the result
with what a JSON-LD processor makes of the same document.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from linkeddata import contexts
from linkeddata.nodes import Document

RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
XSD = "http://www.w3.org/2001/XMLSchema#"
_TO_ESCAPE = re.compile(r'["\\\n\r]')
_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, slots=True)
class _Term:
    """What a key of a document means: its predicate with a space after it, and how its values are written."""

    predicate: str
    write: Callable[[Any], str]
    by_language: bool = False


@lru_cache(8)
def _vocabulary(base: str) -> tuple[dict[str, _Term], dict[str, str]]:
    """Return our context's terms, and the IRI of each word that stands for one."""
    known = contexts.context(base)["@context"]
    words = {name: _expanded(name, known) for name in known if not name.startswith("@") and name not in ("id", "type")}
    terms = {}
    for name, iri in words.items():
        said = known[name] if isinstance(known[name], dict) else {}
        if said.get("@container") != "@list":
            write = _writer(said.get("@type", ""), known, words)
            terms[name] = _Term(f"<{iri}> ", write, said.get("@container") == "@language")
    return terms, words


def _expanded(name: str, known: dict[str, Any]) -> str:
    said = known.get(name, name)
    value: str = said["@id"] if isinstance(said, dict) else said
    prefix, colon, rest = value.partition(":")
    if colon and not rest.startswith("//") and prefix in known:
        return _expanded(prefix, known) + rest
    return value


def _writer(kind: str, known: dict[str, Any], words: dict[str, str]) -> Callable[[Any], str]:
    if kind == "@id":
        return lambda value: f"<{value}>"
    if kind == "@vocab":
        return lambda value: f"<{words.get(value, value)}>"
    datatype = _expanded(kind, {**known, kind: kind}) if kind else ""
    if datatype == f"{XSD}double":
        return lambda value: f'"{double(value)}"^^<{datatype}>'
    if datatype:
        return lambda value: f'"{_lexical(value)}"^^<{datatype}>'
    return _literal


def _literal(value: Any) -> str:
    kind = value.__class__
    if kind is str:
        return f'"{value.translate(_ESCAPES) if _TO_ESCAPE.search(value) else value}"'
    if kind is bool:
        return f'"{_lexical(value)}"^^<{XSD}boolean>'
    if kind is int:
        return f'"{value}"^^<{XSD}integer>'
    return f'"{double(value)}"^^<{XSD}double>'


def _lexical(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).translate(_ESCAPES)


@lru_cache(4096)
def double(value: float) -> str:
    """Return a number in the canonical form of ``xsd:double``, as JSON-LD 1.1 (8.6) writes it.

    >>> double(0.87), double(1), double(0.0), double(123.5)
    ('8.7E-1', '1.0E0', '0.0E0', '1.235E2')
    """
    # 15 digits: one more would show the last bit of 0.919124, and our numbers have no more than six decimals
    mantissa, exponent = f"{value:.14E}".split("E")
    digits = mantissa.rstrip("0")
    return f"{digits}0E{int(exponent)}" if digits.endswith(".") else f"{digits}E{int(exponent)}"


def lines(doc: Document, base: str) -> bytes:
    """Return the document's quads, one a line, node by node.

    Raises ``KeyError`` for a key that our context does not know or that holds a list.
    """
    found = statements(doc, base)
    end = f" <{doc['id']}> .\n"
    return (end.join(found) + end).encode() if found else b""


def statements(doc: Document, base: str) -> dict[str, None]:
    """Return the document's triples node by node, as N-Triples without the full stop. Raises as ``lines``.

    >>> list(statements({"id": "urn:a", "title": "A plate"}, "https://deboodt.example"))
    ['<urn:a> <http://purl.org/dc/terms/title> "A plate"']
    """
    found: dict[str, None] = {}
    waiting = [doc]
    while waiting:
        found |= dict.fromkeys(of_node(waiting.pop(), base, waiting))
    return found


def of_node(node: Document, base: str, inside: list[Document]) -> list[str]:
    """Return what a node of a document says of itself; the nodes inside it go to the end of ``inside``."""
    terms, words = _vocabulary(base)
    subject = f"<{node['id']}> "
    found: list[str] = []
    for key, value in node.items():
        if key == "id" or key == "@context":
            continue
        many = value.__class__ is list or value.__class__ is tuple
        if key == "type":
            start = f"{subject}{RDF_TYPE} <"
            found += [f"{start}{words.get(one, one)}>" for one in (value if many else (value,))]
            continue
        term = terms[key]
        start = subject + term.predicate
        if term.by_language:
            found += [start + said for said in _by_language(value)]
            continue
        for one in value if many else (value,):
            if one.__class__ is dict:
                found.append(f"{start}<{one['id']}>")
                inside.append(one)
            else:
                found.append(start + term.write(one))
    return found


def _by_language(names: dict[str, list[str]]) -> Iterator[str]:
    for language, said in names.items():
        for name in said if isinstance(said, list) else [said]:
            yield _literal(name) + ("" if language == "@none" else f"@{language}")
