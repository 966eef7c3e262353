"""Capitals by the form of a name, not by how it was written. In: a tidied text. Out: the same words, levelled.

Labels, catalogues and headings are in capitals, in small letters, or have a capital in each word. So that all of them
are read alike, the capitals of a text count for nothing: where the authors begin is told by what stands there (initials
and abbreviations, years, ``&``, brackets, particles such as "von"), and of a bare word behind a name by how it ends.
"""

import re

RANK_MARKERS = frozenset({
    "subsp.", "ssp.", "subspec.", "var.", "subvar.", "forma", "fo.", "form.", "subf.", "convar.", "nothosubsp.",
    "nothovar.", "nothof.", "subsp", "ssp", "var", "ab.", "mut.", "prol.", "f.sp.", "pv.", "natio",
})  # fmt: skip
"""What announces an epithet below the species."""
_HIGHER_MARKERS = frozenset({
    "subg.", "subgen.", "sect.", "subsect.", "ser.", "subser.", "trib.", "subtrib.", "supertrib.", "subfam.",
})  # fmt: skip
"""What announces a name above the species, which has a capital."""
PARTICLES = frozenset({
    "de", "da", "do", "dos", "das", "du", "del", "della", "der", "den", "des", "van", "von", "vom", "zu", "zum",
    "zur", "ter", "ten", "te", "le", "la", "les", "el", "al", "et", "ex", "in", "and", "und", "y", "f", "fil",
    "filius", "st", "san", "af", "i", "e", "non", "bis", "d", "l", "m", "dem", "am", "im", "aux", "apud", "ap", "'t",
})  # fmt: skip
"""Words among authors that need no capital."""
_BEGINNING = frozenset({
    "de", "da", "du", "del", "della", "der", "van", "von", "vom", "zu", "zur", "ter", "ten", "le", "la", "et", "ex",
    "in", "and", "&", "af", "den",
})  # fmt: skip
_JOINING = frozenset({"&", "et", "and", "ex", "in", "apud", "und"})
_DOUBTS = frozenset({"cf.", "cf", "aff.", "aff", "nr.", "nr", "?"})
_NOTES = frozenset({
    "nom.", "illeg.", "inval.", "nud.", "cons.", "rej.", "sensu", "auct.", "auctt.", "auct", "nec", "pro", "syn.",
    "parte", "p.p.", "ined.", "emend.", "comb.", "nov.", "s.l.", "s.str.", "s.lat.", "stat.", "agg.",
    "sp.", "spp.", "spec.", "sp", "spp", "indet.", "indet", "group", "complex", "gen.", "lato",
    "stricto", "coll.",
})  # fmt: skip
_SPLIT = frozenset({"s.", "p."})
_TIMES = frozenset({"×", "✕", "x"})
_SURNAMES = frozenset({
    "linnaeus", "linne", "linné", "fabricius", "latreille", "lamarck", "cuvier", "gmelin", "temminck", "bonaparte",
    "brisson", "pallas", "scopoli", "lesson", "swainson", "sclater", "meigen", "hübner", "hubner", "esper", "cramer",
    "stoll", "walker", "boisduval", "felder", "lichtenstein", "müller", "muller", "miller", "linn",
})  # fmt: skip
"""Authors of very many names whose surnames end as epithets may."""
_UNLATIN = re.compile(r"(?:[bdfghjklptvwyz]|nn|rn|ss|ez)$")
_YEAR = re.compile(r"[(\[]?(?:1[5-9]|20)\d\d\b")
_ALONE = re.compile(r"\([^\W\d_]+(?:-[^\W\d_]+)?\)")
_PLAIN = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_NO_EPITHETS = "|".join(
    sorted(PARTICLES | {"nec", "pro", "sensu", "auct", "group", "complex", "indet", "spp", "subsp"})
)
_EPITHET = rf"(?!(?:{_NO_EPITHETS}|ssp|var|natio)\b)[a-z]{{3,}}(?:-[a-z]+)?"
_SURNAME = rf"(?!(?:{'|'.join(sorted(word.title() for word in PARTICLES))})\b)[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+"
_AS_IT_STANDS = re.compile(
    rf"[A-Z][a-z]+(?: \([A-Z][a-z]+\))?(?: (?:cf|aff)\.)? {_EPITHET}(?: {_EPITHET})?(?: s\.l\.)?"
    rf"(?: (?:\({_SURNAME},? (?:(?:&|et) {_SURNAME},? )?\d{{4}}\)|{_SURNAME}(?:,|(?= (?:&|et|\d{{4}})))"
    rf"(?: (?:&|et|\d{{4}}|{_SURNAME},?))*))?"
)
"""Most names as lists have them: levelled already."""
_DOUBTFUL = re.compile(r"(?<=\w)\?(?=\s|$)")
_LETTERS = re.compile(r"[^\W\d_]+")
_SON = re.compile(r"(?<=\.)F(?=\.)")


def levelled(text: str) -> str:
    """Return a tidied text with the capitals that its form asks for: equal for texts that differ in case alone.

    >>> levelled("CYANISTES CAERULEUS (LINNAEUS, 1758)")
    'Cyanistes caeruleus (Linnaeus, 1758)'
    >>> levelled("Parus Major Von Hügel, 1900"), levelled("abies alba var. minor mill., nom. illeg.")
    ('Parus major von Hügel, 1900', 'Abies alba var. minor Mill., nom. illeg.')
    >>> levelled("HYLOBIUS (HYLOBIUS) PINASTRI"), levelled("salix X rubens schrank")
    ('Hylobius (Hylobius) pinastri', 'Salix × rubens schrank')
    """
    if _AS_IT_STANDS.fullmatch(text):
        return text
    apart = _DOUBTFUL.sub("", text.lower().replace("×", "× "))
    return " ".join(_Levelling(apart.split()).words())


def may_be_author(word: str) -> bool:
    """Say whether a bare word is rather a surname than an epithet.

    Of 14,000 recorded epithets 0.8 % end like that, of 3,500 surnames 40 %.

    >>> may_be_author("merrill"), may_be_author("linnaeus"), may_be_author("europaeus")
    (True, True, False)
    """
    return word in _SURNAMES or bool(_UNLATIN.search(word))


class _Levelling:
    """One text, word by word: what is expected next depends on what was read."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._epithets = -1  # read so far; -1 before the genus
        self._is_due = False  # an epithet, whatever it looks like
        self._in_authors = False

    def words(self) -> list[str]:
        """Return the words levelled."""
        return [self._levelled(at, word) for at, word in enumerate(self._words)]

    def _levelled(self, at: int, word: str) -> str:
        following = self._words[at + 1] if at + 1 < len(self._words) else ""
        if word in _TIMES and following:
            return self._times(at, following)
        if self._epithets < 0:
            return self._genus(word)
        if word in _HIGHER_MARKERS and not self._epithets and not self._in_authors:
            self._epithets = -1
            return word
        if self._announces(word, following):
            self._in_authors, self._is_due = False, True
            return word
        if word in _NOTES or (word in _SPLIT and f"{word}{following}" in _NOTES) or self._is_split(at, word):
            return word
        if word in _DOUBTS and not self._in_authors:
            self._is_due = True
            return word
        if self._is_due:
            return self._epithet(word)
        if not self._in_authors and self._epithets == 0 and _ALONE.fullmatch(word):
            return f"({word[1:-1].capitalize()})"
        if not self._in_authors and not self._begins_authors(word, following):
            return self._epithet(word)
        self._in_authors = True
        return word if word in PARTICLES else _capital(word)

    def _genus(self, word: str) -> str:
        if word == "?":
            self._epithets, self._is_due = 0, True
            return word
        self._epithets = 0
        return _capital(word, 1)

    def _epithet(self, word: str) -> str:
        self._epithets += 1
        self._is_due = False
        return word

    def _times(self, at: int, following: str) -> str:
        """Say that a hybrid's epithet is due, or in a formula the genus or the epithet of the other parent."""
        if self._epithets < 0:
            return "×"
        after = self._words[at + 2] if at + 2 < len(self._words) else ""
        is_genus = following.endswith(".") or (bool(_PLAIN.fullmatch(after)) and not self._begins_authors(after, ""))
        if (self._epithets or self._in_authors) and is_genus:
            self._epithets = -1
        else:
            self._is_due = True
        self._in_authors = False
        return "×"

    def _is_split(self, at: int, word: str) -> bool:
        """Say whether this is the second part of a note, as in "s. l."."""
        return at > 0 and self._words[at - 1] in _SPLIT and f"{self._words[at - 1]}{word}" in _NOTES

    def _announces(self, word: str, following: str) -> bool:
        """Say whether a word announces an epithet; "f." may be the son of an author instead."""
        if word in RANK_MARKERS:
            return True
        plain = bool(_PLAIN.fullmatch(following)) and following not in PARTICLES and following not in _JOINING
        return word in ("f.", "f") and plain and self._epithets > 0

    def _begins_authors(self, word: str, following: str) -> bool:
        if not _PLAIN.fullmatch(word):
            return "/" not in word
        if word in _BEGINNING and following:
            return True
        if following in _JOINING or _YEAR.match(following):
            return True
        return self._epithets > 1


def _capital(word: str, times: int = 0) -> str:
    shown = _LETTERS.sub(lambda found: found.group().capitalize(), word, count=times)
    return _SON.sub("f", shown) if word.endswith(("f.", "f.)")) and len(word) > 4 else shown
