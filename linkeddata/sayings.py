"""What documents say, sorted by what they say it of. In: documents. Out: their triples as texts, one a subject.

A document alone tells of what has its own IRI; what it says of other things (the taxon, the file, the software) is said
by many, word for word: such a node is sorted once and remembered by its content.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from linkeddata.nodes import Document
from linkeddata.quads import of_node

MOST = 8192
"""Nodes that are remembered, some 2 KB each."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a document says: of what has its own IRI (``""`` where that is not its alone), and of everything else.

    Texts are sorted N-Triples without full stops, a line each.
    """

    iri: str
    own: str
    blocks: tuple[str, ...] = ()

    def statements(self) -> Iterator[str]:
        """Yield the triples."""
        for text in (self.own, *self.blocks):
            if text:
                yield from text.split("\n")


@dataclass(frozen=True, slots=True)
class Sorter:
    """Sorts what documents that are published at ``base`` say."""

    base: str
    _known: dict[bytes, Mapping[str, str]] = field(default_factory=dict)

    def said(self, iri: str, doc: Document, *, own: bool) -> Said:
        """Return what the document at ``iri`` says. Raises ``KeyError`` for a key that our context does not know.

        >>> doc = {"id": "urn:a", "title": "1", "source": {"id": "urn:b", "title": "2"}}
        >>> Sorter("https://deboodt.example").said("urn:a", doc, own=True).blocks
        ('<urn:b> <http://purl.org/dc/terms/title> "2"',)
        """
        parts = f"{iri}#"
        mine: list[str] = []
        others: dict[str, str] = {}
        waiting = [doc]
        while waiting:
            node = waiting.pop()
            subject = node["id"]
            if own and (subject == iri or subject.startswith(parts)):
                mine += of_node(node, self.base, waiting)
                continue
            for subject, text in self._about(node).items():
                if own and (subject == iri or subject.startswith(parts)):
                    mine += text.split("\n")
                else:
                    others[subject] = _together(others[subject], text) if subject in others else text
        return Said(iri, "\n".join(sorted(set(mine))), tuple(others.values()))

    def _about(self, node: Document) -> Mapping[str, str]:
        """Return what a node and those inside it say, by subject."""
        if len(node) == 1:
            return {}
        mark = orjson.dumps(node)
        if (found := self._known.get(mark)) is None:
            if len(self._known) >= MOST:
                self._known.clear()
            found = self._known[mark] = _by_subject(node, self.base)
        return found


def _by_subject(node: Document, base: str) -> dict[str, str]:
    said: dict[str, set[str]] = {}
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if lines := of_node(one, base, waiting):
            said.setdefault(one["id"], set()).update(lines)
    return {subject: "\n".join(sorted(lines)) for subject, lines in said.items()}


def _together(one: str, other: str) -> str:
    """Return two sorted texts as one.

    >>> _together("a\\nb", "b\\nc")
    'a\\nb\\nc'
    """
    return one if one == other else "\n".join(sorted({*one.split("\n"), *other.split("\n")}))
