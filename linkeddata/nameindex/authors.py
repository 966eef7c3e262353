"""Authorships. In: two authorships as written. Out: whether they are the same, as far as can be told.

The comparison is that of GBIF's published ``AuthorComparator`` (https://github.com/gbif/checklistbank): authors are
abbreviated in every way there is, so a shared beginning of a surname counts, and equal years may settle what surnames
leave open.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

_BASIONYM = re.compile(r"^\s*[(\[]\s*([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)*)[)\]]?\s*(.*)$")
_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")
_IN = re.compile(r"\s+in\s+.+$", re.IGNORECASE)
_EX = re.compile(r"^.+\sex\.?\s+", re.IGNORECASE)
_SANCTION = re.compile(r"\s*:.*$")
_SON = re.compile(r"([a-z]{1,20})\.?\s*\b(?:f|fil|filius)\b\.?")
_AND = re.compile(r"\s+(?:et|and|und|en|y)\s+|&")
_UMLAUT = re.compile(r"([auo])e")
_PUNCTUATION = re.compile(r"[^\w\s]+|\d+")
_INITIALS = re.compile(r"\b[a-z]\s+")
_FIRST_INITIAL = re.compile(r"^([a-z])\s")
_LINNAEUS = re.compile(r"^(?:l|linn|linne)(?= fil$|$)")
"""Written out as ``linnaus``: umlauts are levelled, too."""
_CANDOLLE = re.compile(r"\b(?:dc|de candolle)\b")

_TELLING = re.compile(r"[^:]*?[^\W\d_]|.*?(?<!\d)(?:1[5-9]\d\d|20\d\d)(?!\d)")

MIN_COMMON = 4
"""Letters that two surnames must begin with in common to count as one."""


class Equality(Enum):
    """What a comparison says."""

    EQUAL = 1
    DIFFERENT = -1
    UNKNOWN = 0


@dataclass(frozen=True, slots=True)
class Authorship:
    """An authorship taken apart; the names are levelled for comparing, not for showing."""

    authors: str = ""
    year: str = ""
    basionym_authors: str = ""
    basionym_year: str = ""


@lru_cache(maxsize=65536)
def split_authorship(written: str) -> Authorship:
    """Return the parts of an authorship.

    >>> split_authorship("(Münchh.) Michx.")
    Authorship(authors='michx', year='', basionym_authors='munchh', basionym_year='')
    >>> split_authorship("Linnaeus, 1758").year
    '1758'
    """
    found = _BASIONYM.match(written)
    inner, outer = found.groups() if found else ("", written)
    return Authorship(_levelled(outer), _year(outer), _levelled(inner), _year(inner))


def compare(asked: Authorship, known: Authorship) -> tuple[Equality, Equality, bool]:
    """Return what the authors say, what those in brackets say, and whether brackets had to be overlooked for that."""
    recent = _compare(asked.authors, asked.year, known.authors, known.year)
    original = _compare(asked.basionym_authors, asked.basionym_year, known.basionym_authors, known.basionym_year)
    if original is not Equality.UNKNOWN:
        return recent, original, False
    if asked.basionym_authors or asked.basionym_year:
        return recent, _compare(asked.basionym_authors, asked.basionym_year, known.authors, known.year), True
    if known.basionym_authors or known.basionym_year:
        return recent, _compare(asked.authors, asked.year, known.basionym_authors, known.basionym_year), True
    return recent, original, False


@lru_cache(maxsize=65536)
def author_score(asked: str, known: str) -> int:
    """Return how well an authorship fits a usage's, from -9 to 8; 0 when one of them says nothing.

    >>> author_score("L.", "Linnaeus, 1758"), author_score("Pall.", "M.Bieb."), author_score("", "L.")
    (6, -9, 0)
    """
    if not asked or not known:
        return 0
    if asked.replace(",", "") == known.replace(",", ""):
        return _own_score(asked)
    recent, original, across = compare(split_authorship(asked), split_authorship(known))
    score = _points(recent, 3)
    if recent is not Equality.DIFFERENT:  # other authors of the combination are not made good by the same in brackets
        score += _points(original, 1) - (original.value if across else 0)
    return score


def _own_score(written: str) -> int:
    """Return the score of an authorship beside itself, without taking it apart."""
    found = _BASIONYM.match(written)
    inner, outer = found.groups() if found else ("", written)
    return 6 * bool(_TELLING.match(outer)) + 2 * bool(_TELLING.match(inner))


def is_same(asked: str, known: str) -> bool:
    """Say whether two authorships are the same but for punctuation, accents and abbreviations that are always alike.

    >>> is_same("(L.) Mill.", "(Linnaeus) Mill"), is_same("Hübner, 1819", "Hübner, 1823"), is_same("", "")
    (True, False, False)
    """
    return bool(asked) and split_authorship(asked) == split_authorship(known)


def _points(equality: Equality, factor: int) -> int:
    return {Equality.EQUAL: 2, Equality.DIFFERENT: -3, Equality.UNKNOWN: 0}[equality] * factor


def _compare(authors: str, year: str, other_authors: str, other_year: str) -> Equality:
    said = _compare_authors(authors, other_authors)
    if said is not Equality.EQUAL and year and other_year:
        return Equality.EQUAL if year == other_year else Equality.DIFFERENT
    return said


def _compare_authors(one: str, other: str) -> Equality:
    if not one or not other:
        return Equality.UNKNOWN
    if _are_alike(one, other, MIN_COMMON):
        return Equality.EQUAL
    return Equality.DIFFERENT


def _are_alike(one: str, other: str, least: int) -> bool:
    if one == other:
        return True
    if _is_other_son(one, other):
        return False
    bare, other_bare = _INITIALS.sub("", one), _INITIALS.sub("", other)
    words, other_words = set(bare.split()), set(other_bare.split())
    if min(len(bare), len(other_bare)) > 1 and (words <= other_words or other_words <= words):
        return not _have_other_initials(one, other)
    common = max((_common(a, b) for a in bare.split() for b in other_bare.split()), key=len, default="")
    if len(common) >= least:
        return not _have_other_initials(one, other)
    if (one == common and other_bare.startswith(common)) or (other == common and bare.startswith(common)):
        return bool(common)
    return len(_common(one, other).replace(" ", "")) > least


def _have_other_initials(one: str, other: str) -> bool:
    """Say whether both begin with an initial, and not the same: brothers, or strangers of one name."""
    first, second = _FIRST_INITIAL.match(one), _FIRST_INITIAL.match(other)
    return bool(first and second and first[1] != second[1])


def _is_other_son(one: str, other: str) -> bool:
    """Say whether two equal surnames are those of father and son."""
    return one.split()[:1] == other.split()[:1] and ("fil" in one.split()) != ("fil" in other.split())


def _common(one: str, other: str) -> str:
    length = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:length]


def _levelled(written: str) -> str:
    text = _SANCTION.sub("", written)
    text = _EX.sub("", _IN.sub("", text))
    text = unicodedata.normalize("NFD", text.casefold())
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = _UMLAUT.sub(r"\1", _SON.sub(r"\1 fil ", _AND.sub(" ", text)))
    text = " ".join(_PUNCTUATION.sub(" ", text).split())
    return _CANDOLLE.sub("candolle", _LINNAEUS.sub("linnaus", text))


def _year(written: str) -> str:
    found = _YEAR.search(written)
    return found[1] if found else ""
