"""How names are spelt. In: names. Out: the same names folded, stemmed, compared.

``folded`` is what exact look-ups compare: case, white space and diacritics do not count. ``stemmed`` also levels what
is often written otherwise in epithets (gender endings, doubled letters, i/j/y, th/t), and ``similarity`` is the measure
of GBIF's own matching, published with its source (``ScientificNameSimilarity`` and ``SciNameNormalizer`` in
https://github.com/gbif/checklistbank), after Tony Rees' Taxamatch (2014, https://doi.org/10.1371/journal.pone.0107510).
"""

import re
import unicodedata
from functools import lru_cache

from rapidfuzz.distance import OSA

_LIGATURES = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ð": "d", "đ": "d", "ø": "o", "ŧ": "t", "ł": "l"})
_HYBRID_SIGN = re.compile(r"(?:^|(?<=\s))[×✕](\s*)|(?:^|(?<=\s))[xX]\s+(?=\S)")
_LONE_X = re.compile(r"(?<![^\W\d_])[xX](?![^\W\d_])")
_REPEATED = re.compile(r"([^\W\d_])\1+")
_GENDER = re.compile(r"(?:on|um|us|a)(?= |$)")
_I_LIKE = re.compile(r"(?<=[^ ])[jyi]+")
_EI = re.compile(r"ei(?= |$)")
_H_AFTER = re.compile(r"(?<=[gtr])h")
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
_JOINERS = str.maketrans("", "", "'’`´-?!\"")

MUST_MATCH = 4
"""Letters at the beginning of a word that may differ by one edit at most; shorter words must be equal."""


def folded(text: str) -> str:
    """Return the text in small letters, single blanks, without diacritics, ligatures and hybrid signs.

    >>> folded("  CYANISTES   cærulëus ")
    'cyanistes caeruleus'
    >>> folded("× Agropogon littoralis"), folded("Salix x rubens")
    ('agropogon littoralis', 'salix rubens')
    """
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFD", text.translate(_LIGATURES))
        text = "".join(letter for letter in text if not unicodedata.combining(letter) and letter not in _INVISIBLE)
    if "×" in text or "x " in text:
        text = _HYBRID_SIGN.sub("", text)
    return " ".join(text.split())


def may_have_hybrid_sign(text: str) -> bool:
    """Say whether a text may have a hybrid sign, which ``folded`` leaves out.

    >>> may_have_hybrid_sign("×Leeara"), may_have_hybrid_sign("Salix x rubens"), may_have_hybrid_sign("Salix fragilis")
    (True, True, False)
    """
    if "×" in text or "✕" in text:
        return True
    return ("x " in text or "X " in text or not text.isascii()) and bool(_LONE_X.search(text))


@lru_cache(maxsize=65536)
def stemmed(name: str) -> str:
    """Return a folded name with its epithets levelled; a single word is only cleaned of joiners.

    >>> stemmed("cyanistes caerulea") == stemmed("cyanistes caeruleum")
    True
    >>> stemmed("aus hyalospora"), stemmed("oenanthe")
    ('aus hialospora', 'oenanthe')
    """
    name = name.translate(_JOINERS)
    genus, blank, rest = name.partition(" ")
    return _REPEATED.sub(r"\1", genus) + blank + stemmed_epithets(rest) if blank else genus


def stemmed_epithets(epithets: str) -> str:
    """Return folded epithets in the form in which their usual variants are equal."""
    text = _GENDER.sub("a", _REPEATED.sub(r"\1", epithets.translate(_JOINERS)))
    return _H_AFTER.sub("", _EI.sub("i", _I_LIKE.sub("i", text)))


def similarity(asked: str, known: str) -> int:
    """Return how alike two folded names are, 0 to 100: the mean over their words, the genus weighing double below 100.

    >>> similarity("cyanistes caerulus", "cyanistes caeruleus")
    95
    >>> similarity("oenante", "oenanthe"), similarity("parus major", "parus minor")
    (80, 5)
    """
    if asked == known:
        return 100
    a, b = stemmed(asked).split(), stemmed(known).split()
    if len(a) != len(b):
        return _length_similarity("".join(a), "".join(b))
    likes = [_word_similarity(one, other) for one, other in zip(a, b, strict=True)]
    likes[0] = max(0, 2 * likes[0] - 100)
    mean = sum(likes) // len(likes)
    return min(mean, 5) if 0 in likes else mean


def _word_similarity(one: str, other: str) -> int:
    if one == other:
        return 100
    if one[:1] != other[:1] or min(len(one), len(other)) < MUST_MATCH:
        return 0
    if OSA.distance(one[:MUST_MATCH], other[:MUST_MATCH], score_cutoff=1) > 1:
        return 0
    return {0: 100, 1: 90, 2: 80}.get(OSA.distance(one, other, score_cutoff=2), 0)


def _length_similarity(one: str, other: str) -> int:
    distance = OSA.distance(one, other)
    if distance == 0:
        return 98
    return max(0, 100 - round(100 * distance * 2 / max(len(one), len(other))))


def edits(one: str, other: str, at_most: int) -> int:
    """Return the edits (insert, delete, replace, swap neighbours) between two words, or ``at_most + 1`` if more.

    >>> edits("caeruleus", "caerulues", 2)
    1
    """
    return OSA.distance(one, other, score_cutoff=at_most)
