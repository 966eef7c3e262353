"""Read a name as somebody wrote it. In: a verbatim string. Out: ``Asked``, what is looked up.

A text that the index knows as it stands needs no parsing; nor does a known name followed by authors only. Everything
else goes through GBIF's own name parser (``gbif-name-parser``). How a text is capitalised never counts: what is parsed
is its levelled form (``capitals.levelled``).
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import nameparser

from linkeddata.nameindex.authors import author_score
from linkeddata.nameindex.capitals import PARTICLES, levelled, may_be_author
from linkeddata.nameindex.ranks import rank_of
from linkeddata.nameindex.spelling import edits, folded

_SIGNS = {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": ""}
"""What stands for signs that are not seen, by their category."""
_HYBRID_SIGNS = frozenset({"×", "✕", "x"})
LONGEST_NAME = 3
"""Words that a canonical name may have when authors follow it."""

_PLAIN = re.compile(r"[A-Z][a-zà-ÿ]+(?:-[a-zà-ÿ]+)?(?: [a-zà-ÿ]{2,}(?:-[a-zà-ÿ]+)*){1,2}")
_NO_EPITHETS = frozenset({
    "sp", "spp", "spec", "species", "ssp", "subsp", "subspec", "var", "f", "fo", "forma", "form", "agg", "aggr",
    "cf", "aff", "nr", "near", "ex", "in", "et", "and", "indet", "ined", "nov", "nomen", "nom", "sensu", "auct",
    "auctt", "non", "nec", "hybr", "hybrid", "cv", "group", "complex", "virus", "phage", "viroid", "bacterium",
    "undet", "unidentified", "unknown", "incertae", "sedis", "x", "hort", "sect", "ser", "gen", "fam",
})  # fmt: skip
_AUTHOR_TOKEN = re.compile(r"[(\[]*(?:[^\W\d_a-z]|\d{4}|&|['’`][A-Z]|d['’`][A-Z]|\[)", re.UNICODE)
_QUALIFIER_WORDS = re.compile(
    r"\b(?:cf|aff|nr|sp|spp|spec|ssp|subsp|var|agg|indet|sensu|s\.\s?l|s\.\s?str|s\.\s?lat|auct|auctt|nom|ined|"
    r"sect|subsect|subg|subgen|subser|trib|subtrib|supertrib|subfam)\b\.?",
    re.I,
)
_DOUBTED = re.compile(r"([^\W\d_]+) (cf|aff|nr)\.? (.+)", re.I)
_SENSED = re.compile(r"(\S+ .+) (s\. ?l\.|s\. ?str\.|s\. ?lat\.|s\.s\.|sensu (?:lato|stricto))", re.I)
"""A doubt about the epithet, a note on the sense of the name: what may stand beside a name that needs no parsing."""
_DOUBT_FIRST = re.compile(r"(cfr?|aff)\.?\s+(?=\w)", re.IGNORECASE)
_AUTONYM = re.compile(r"(\S+) ([^\W\d_])\. (\2[^\W\d_]+)(?= |$)", re.IGNORECASE)
"""A subspecies that bears its species' name, as on labels: "Parus m. major"."""
_ALTERNATIVES = re.compile(r"(\S+) ([^\W\d_]+(?:/[^\W\d_]+)+)")
"""One of two species, as in lists of observations: "Larus argentatus/cachinnans"."""
_VIRAL = re.compile(r"virus|viroid|phage|satellite|\b[mg]?n?pv\b|\bgv\b")
_INDET = re.compile(r"\s+indet\.?$", re.I)
_CODE_LIKE = re.compile(r"[:/]|[^\W\d]\d|\d[^\W\d]")
_SUPRAGENERIC = re.compile(r"(?:idae|inae|oidea|aceae|ales)$")
_SURNAME = re.compile(r"[^\W\d_]+")
_ABBREVIATED = re.compile(r"([^\W\d_])\.?$")
_WORDLIKE = re.compile(r"[^\W\d_]+(?:(?:['’.-]| |'s |\. )[^\W\d_]+){0,8}")
MOST_WORDS = 6
"""Words that a vernacular name may have."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A name as it is looked up; ``kind`` is what the parser takes it for: SCIENTIFIC, INFORMAL, IDENTIFIER …"""

    name: str  # folded canonical form
    kind: str = "SCIENTIFIC"
    rank: str = ""  # upper case; empty where the name does not tell
    authorship: str = ""
    genus: str = ""  # first word of a name of several words, folded
    species: str = ""  # genus and species epithet of a name below the species, folded
    qualifier: str = ""
    is_indeterminate: bool = False  # "Xysticus sp.": the name is that of the genus, the taxon is below it

    @property
    def is_parsable(self) -> bool:
        return self.kind in ("SCIENTIFIC", "INFORMAL")


def tidied(text: str) -> str:
    """Return the text with single blanks, without invisible signs, underscores and quotes around it.

    >>> tidied('  "Parus_caeruleus\\xa0 L." ')
    'Parus caeruleus L.'
    """
    if text.isascii() and text.isprintable() and "_" not in text and '"' not in text:
        return " ".join(text.split())
    text = "".join(_SIGNS.get(unicodedata.category(sign), sign) for sign in text)
    text = " ".join(unicodedata.normalize("NFC", text).replace("_", " ").split())
    return text.strip('"“”„').strip()


@dataclass(frozen=True, slots=True)
class Known:
    """What the reading of a text asks of an index, by folded names."""

    has: Callable[[str], bool]
    authorships: Callable[[str], Iterable[str]]  # of the usages of a name
    parsed: Asked | None = None  # what the parser made of the text already


def read_name(text: str, authorship: str, genus: str, known: Known) -> tuple[Asked, ...]:
    """Return the readings of a tidied text, the likeliest first; none when there is nothing in it.

    Capitals make no difference. ``genus`` is the one given beside the name: an abbreviated genus stands for it, and a
    single epithet goes with it. A last word that may be an epithet or a surname is read as both.
    """
    doubt = _DOUBT_FIRST.match(text)
    if doubt:
        sure = read_name(text[doubt.end() :], authorship, genus, replace(known, parsed=None))
        return tuple(replace(one, qualifier=f"{doubt[1].lower()}. {one.qualifier}".strip()) for one in sure)
    text = _spelt_out(with_genus(text, genus, known.has), known.has)
    if len(folded(text)) < 2:
        return ()
    bare, qualifier = (not known.has(folded(text)) and without_qualifier(text)) or (text, "")
    if found := _as_known(bare, authorship, known):
        return (replace(found, qualifier=f"{found.qualifier} {qualifier}".strip()),)
    level = levelled(text)
    if either := _ALTERNATIVES.fullmatch(level):
        return (Asked(folded(either[1]), "INFORMAL", qualifier=either[2], is_indeterminate=True),)
    readings = [known.parsed or _parsed(level, authorship)]
    if found := _with_surname_for_epithet(readings[0], level, authorship, known):
        return (found,)
    words = [word for word in level.split(" ") if word not in _HYBRID_SIGNS]
    if _PLAIN.fullmatch(" ".join(words)) and may_be_author(words[-1]):
        before, _, last = level.rpartition(" ")
        readings.append(_parsed(f"{before} {last.capitalize()}", authorship))
    return tuple(readings)


def _with_surname_for_epithet(read: Asked, level: str, authorship: str, known: Known) -> Asked | None:
    """Return a reading as a species, where the parser took the first word of its known authors for an epithet."""
    if not read.species or known.has(read.name) or not known.has(read.species):
        return None
    words = level.split(" ")
    epithet = read.species.partition(" ")[2]
    start = next((at for at, word in enumerate(words, 1) if folded(word) == epithet), len(words))
    rest = " ".join(words[start:])
    if not _is_borne(rest, known.authorships(read.species)):
        return None
    return replace(_known(read.species), authorship=authorship or rest, qualifier=read.qualifier)


def _as_known(text: str, authorship: str, known: Known) -> Asked | None:
    """Return the reading of a text that is a known name, alone or followed by its authors, which needs no parser."""
    level, lows = levelled(text), folded(text).split()
    sign = "×" if "×" in level else ""
    low = " ".join(lows)
    if known.has(low):
        return replace(_known(low), authorship=authorship, qualifier=sign)
    words = [word for word in level.split(" ") if word not in _HYBRID_SIGNS]
    start = _known_beginning(lows, known.has) if len(words) == len(lows) else 0
    name, rest = " ".join(lows[:start]), words[start:]
    if start and (_is_authors(rest, start) or _is_borne(" ".join(rest), known.authorships(name))):
        return replace(_known(name), authorship=authorship or " ".join(rest), qualifier=sign)
    return None


def with_genus(text: str, genus: str, has: Callable[[str], bool]) -> str:
    """Return the text with the genus that was given beside it, where it lacks one or abbreviates it.

    >>> with_genus("P. concolor", "Puma", bool), with_genus("iris", "Lepidothrix", bool)
    ('Puma concolor', 'Lepidothrix iris')
    >>> with_genus("Parus major", "Parus", bool), with_genus("PARUS", "Parus", bool)
    ('Parus major', 'PARUS')
    """
    if len(genus) < 2:
        return text
    first, _, rest = text.partition(" ")
    low, own = folded(text), folded(genus)
    if rest:
        return f"{genus} {rest}" if _ABBREVIATED.match(first) and low[0] == own[0] else text
    if not text.isalpha() or edits(low, own, 2) <= 2:
        return text
    if has(f"{own} {low}"):
        return f"{genus} {text}"
    return text if has(low) or _SUPRAGENERIC.search(low) else f"{genus} {text}"


def _spelt_out(text: str, has: Callable[[str], bool]) -> str:
    """Return "Parus major major" for "Parus m. major", where the index has that subspecies or its species."""
    found = _AUTONYM.match(text)
    if not found or not has(folded(f"{found[1]} {found[3]}")):
        return text
    return f"{found[1]} {found[3]} {found[3]}{text[found.end() :]}"


def is_wordlike(text: str) -> bool:
    """Say whether a text may be a vernacular name: up to six words without figures and brackets."""
    return text.count(" ") < MOST_WORDS and bool(_WORDLIKE.fullmatch(text))


def _known(low: str) -> Asked:
    if not low.isalpha() and _CODE_LIKE.search(low):
        return Asked(low, "IDENTIFIER", rank="UNRANKED")
    words = low.split()
    if len(words) > 1 and _VIRAL.search(low):
        return Asked(low, "OTHER")
    if len(words) == 1:
        return Asked(low)
    rank = "SPECIES" if len(words) == 2 else "INFRASPECIFIC_NAME" if len(words) == 3 else ""
    return Asked(low, rank=rank, genus=words[0], species=" ".join(words[:2]) if len(words) == 3 else "")


def _known_beginning(words: list[str], knows: Callable[[str], bool]) -> int:
    """Return how many words from the first on are a name that the index knows."""
    for length in range(min(LONGEST_NAME, len(words) - 1), 0, -1):
        if knows(" ".join(words[:length])):
            return length
    return 0


def _is_authors(words: Sequence[str], start: int) -> bool:
    """Say whether these levelled words are authors and years, and nothing else."""
    if start == 1 and words[0].startswith("(") and len(words) > 1 and words[1][:1].islower():
        known = words[1] in PARTICLES
    else:
        known = all(_AUTHOR_TOKEN.match(word) or word.lower().strip(".,()") in PARTICLES for word in words)
    return known and not _QUALIFIER_WORDS.search(" ".join(words))


def _is_borne(text: str, authorships: Iterable[str]) -> bool:
    """Say whether a text is the authorship of one of these, beginning with one of its surnames.

    >>> _is_borne("linnaeus", ["L.", "Gmelin, 1789"]), _is_borne("major linnaeus, 1758", ["Linnaeus, 1758"])
    (True, False)
    """
    first = _SURNAME.match(folded(text).lstrip("(["))
    for written in authorships if first else ():
        surnames = _SURNAME.findall(folded(written))
        begins = any(one.startswith(first[0]) or first[0].startswith(one) for one in surnames if first)
        if begins and author_score(text, written) > 0:
            return True
    return False


def read_together(texts: Sequence[str]) -> list[Asked | None]:
    """Return how the parser reads tidied texts, ``None`` for those that it is not needed for or that need more care."""
    levels = {at: level for at, text in enumerate(texts) if _is_for_parser(level := levelled(text))}
    found: list[Asked | None] = [None] * len(texts)
    for at, parsed in zip(levels, nameparser.parse_all(list(levels.values())), strict=True):
        if parsed is not None:
            found[at] = _of_result(parsed, "", "")
    return found


def authors_after(text: str, start: int) -> str:
    """Return what stands behind the first ``start`` words, where that is authors, else ``""``."""
    level = levelled(tidied(text))
    words = level.split(" ")
    if _AUTONYM.match(level):
        return ""
    if not _HYBRID_SIGNS.isdisjoint(words):  # signs are no words of a name that is known
        return ""
    return " ".join(words[start:]) if len(words) > start and _is_authors(words[start:], start) else ""


def without_qualifier(text: str) -> tuple[str, str] | None:
    """Return a tidied text without its one qualifier, and the qualifier as the parser has it; ``None`` without one.

    >>> without_qualifier("Parus cf. major L."), without_qualifier("Parus major sensu lato")
    (('Parus major L.', 'cf.'), ('Parus major', 'sensu lato'))
    """
    if found := _DOUBTED.fullmatch(text):
        return f"{found[1]} {found[3]}", f"{found[2].lower()}."
    if found := _SENSED.fullmatch(text):
        return found[1], found[2].lower()
    return None


def _is_for_parser(text: str) -> bool:
    if not text or not text[0].isupper() or _DOUBT_FIRST.match(text) or _AUTONYM.match(text) or "/" in text:
        return False
    return not _PLAIN.fullmatch(text) and not _INDET.search(text)


def _parsed(text: str, authorship: str) -> Asked:
    if _PLAIN.fullmatch(text) and _NO_EPITHETS.isdisjoint(text.lower().split()):
        return replace(_known(text.lower()), authorship=authorship)
    bare = _INDET.sub("", text)
    try:
        parsed = nameparser.parse(bare)
    except nameparser.UnparsableNameError as error:
        return Asked(folded(text), kind=error.name_type, authorship=authorship)
    return _of_result(parsed, authorship, "indet." if bare != text else "")


def _of_result(parsed: nameparser.ParsedName | nameparser.Informal, authorship: str, qualifier: str) -> Asked:
    if isinstance(parsed, nameparser.Informal):
        return Asked(folded(parsed.taxon), "INFORMAL", qualifier=parsed.phrase or "", is_indeterminate=True)
    return _of_parsed(parsed, authorship, qualifier)


def _of_parsed(parsed: nameparser.ParsedName, authorship: str, qualifier: str) -> Asked:
    name = folded((parsed.canonical_name_minimal() or "").strip('"'))
    genus, species = parsed.genus or "", parsed.specific_epithet or ""
    below = bool(parsed.infraspecific_epithet or parsed.cultivar_epithet)
    rank = "" if parsed.uninomial else rank_of(parsed.rank)
    return Asked(
        name,
        parsed.type,
        rank="" if rank == "UNRANKED" else rank,
        authorship=authorship or parsed.authorship_complete() or "",
        genus=folded(genus) if species else "",
        species=folded(f"{genus} {species}") if below and species else "",
        qualifier=_qualifier(parsed) or qualifier,
        is_indeterminate=bool(qualifier) and not species,
    )


def _qualifier(parsed: nameparser.ParsedName) -> str:
    """Return what stands beside the name without being part of it: cf., aff., s.l., sensu …, ×."""
    told = [*(parsed.epithet_qualifier or {}).values(), parsed.taxonomic_note or ""]
    if parsed.notho:
        told.insert(0, "×")
    return " ".join(word for word in told if word)
