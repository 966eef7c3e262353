"""Names that are spelt nearly like one. In: a folded name. Out: rows of the index that it may be meant for.

As in GBIF's matching, a name of more than ten letters may be two edits away, a shorter one a single edit, measured on
the levelled spelling (``spelling.stemmed``); the first letter must be right. Nothing is compared with the whole index:
the species of the same genus are, and the names with the same epithets whose genus begins alike, and where there are
none also the species of genera spelt nearly alike.
"""

from collections.abc import Iterator

from rapidfuzz import process
from rapidfuzz.distance import OSA

from linkeddata.nameindex.index import NameIndex
from linkeddata.nameindex.keys import epithet_key
from linkeddata.nameindex.spelling import edits, folded, stemmed

LONG_NAME = 10
"""Letters beyond which a name may be two edits away."""
SHORT_WORD = 5
"""A single word of so many letters or fewer is never matched by a near spelling."""
RAW_EDITS = 4
"""Edits of unlevelled epithets beyond which they need not be levelled and compared."""
GENERA_KEPT = 256
MOST_ROWS = 50


class NearNames:
    """Looks for near spellings in an index; keeps the epithets of the genera it met last."""

    def __init__(self, index: NameIndex) -> None:
        self._index = index
        self._genera: dict[str, list[str]] = {}

    def rows(self, name: str) -> list[int]:
        """Return the rows of names nearly spelt like ``name``, itself not included."""
        return [row for near in self.names(name) for row in self._index.rows_named(near)][:MOST_ROWS]

    def names(self, name: str) -> list[str]:
        """Return the folded names nearly spelt like ``name``."""
        asked = stemmed(name)
        at_most = 2 if len(asked) > LONG_NAME else 1
        if " " not in name:
            return self._words(name, at_most)
        genus, _, epithets = name.partition(" ")
        found = dict.fromkeys(self._in_genus(genus, epithets, asked, at_most))
        found |= dict.fromkeys(self._with_epithets(genus, epithets, asked, at_most))
        if not found:
            found |= dict.fromkeys(self._in_near_genera(genus, epithets, asked, at_most))
        found.pop(name, None)
        return list(found)

    def _words(self, word: str, at_most: int) -> list[str]:
        if len(word) <= SHORT_WORD:
            return []
        known = [other for _, other in self._index.words_like(word, at_most)]
        near = process.extract(word, known, scorer=OSA.distance, score_cutoff=at_most, limit=None)
        return [other for other, edits_away, _ in near if edits_away]

    def _in_genus(self, genus: str, epithets: str, asked: str, at_most: int) -> Iterator[str]:
        number = self._index.word_number(genus)
        if number >= 0:
            yield from self._among(number, genus, epithets, asked, at_most)

    def _with_epithets(self, genus: str, epithets: str, asked: str, at_most: int) -> Iterator[str]:
        """Yield names with the same epithets, as far as spelling goes, and a genus that is near enough."""
        others = [_low(name) for name in self._index.names_with_epithets(epithet_key(genus, epithets))]
        genera = [name.partition(" ")[0] for name in others]
        near = process.extract(genus, genera, scorer=OSA.distance, score_cutoff=RAW_EDITS, limit=MOST_ROWS)
        for _, _, at in near:
            if edits(asked, stemmed(others[at]), at_most) <= at_most:
                yield others[at]

    def _in_near_genera(self, genus: str, epithets: str, asked: str, at_most: int) -> Iterator[str]:
        """Yield names with one edit in the genus; two there, or none, are found by the epithets or in the genus."""
        if at_most > 1:
            for number, known in self._index.words_like(genus, 1):
                if known != genus and edits(genus, known, 1) <= 1:
                    yield from self._among(number, known, epithets, asked, at_most)

    def _among(self, number: int, genus: str, epithets: str, asked: str, at_most: int) -> Iterator[str]:
        """Yield the names of a genus that are near enough."""
        known = self._epithets(number, genus)
        near = process.extract(epithets, known, scorer=OSA.distance, score_cutoff=RAW_EDITS, limit=MOST_ROWS)
        for other, _, _ in near:
            name = f"{genus} {other}"
            if edits(asked, stemmed(name), at_most) <= at_most:
                yield name

    def _epithets(self, number: int, genus: str) -> list[str]:
        known = self._genera.get(genus)
        if known is None:
            if len(self._genera) >= GENERA_KEPT:
                self._genera.clear()
            first, end = self._index.rows_of_word(number)
            start = len(genus) + 1
            names = self._index.names_from(first, end)
            rests = dict.fromkeys(_low(name)[start:] for name in names)
            rests.pop("", None)
            known = self._genera[genus] = list(rests)
        return known


def _low(canonical: str) -> str:
    """Return ``folded`` of a canonical name, which has no blanks and signs to be tidied."""
    return canonical.lower() if canonical.isascii() else folded(canonical)
