"""Read a name as somebody wrote it. In: a verbatim string. Out: ``Asked``, what is looked up.

A text that the index knows as it stands needs no parsing; nor does a known name followed by authors only. Everything
else goes through GBIF's own name parser (``gbif-name-parser``). Capitals count only where a text has both kinds of
letters: a text in one kind is read by what the index knows.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import nameparser

from linkeddata.nameindex.ranks import rank_of
from linkeddata.nameindex.spelling import folded

_HYBRID_SIGNS = frozenset({"×", "x", "X"})
LONGEST_NAME = 3
"""Words that a canonical name may have when authors follow it."""

_PLAIN = re.compile(r"[A-Z][a-z]+(?:-[a-z]+)?(?: [a-z]{2,}(?:-[a-z]+)*){1,2}")
_NO_EPITHETS = frozenset({
    "sp", "spp", "spec", "species", "ssp", "subsp", "subspec", "var", "f", "fo", "forma", "form", "agg", "aggr",
    "cf", "aff", "nr", "near", "ex", "in", "et", "and", "indet", "ined", "nov", "nomen", "nom", "sensu", "auct",
    "auctt", "non", "nec", "hybr", "hybrid", "cv", "group", "complex", "virus", "phage", "viroid", "bacterium",
    "undet", "unidentified", "unknown", "incertae", "sedis", "x", "hort", "sect", "ser", "gen", "fam",
})  # fmt: skip
_PARTICLES = frozenset({
    "de", "da", "do", "dos", "das", "du", "del", "della", "der", "den", "des", "van", "von", "vom", "zu", "zum",
    "zur", "ter", "ten", "te", "le", "la", "les", "el", "al", "et", "ex", "in", "and", "und", "y", "f", "fil",
    "filius", "st", "san", "af", "i", "e", "non", "bis", "d", "l", "m", "dem", "am", "im", "aux", "apud", "ap", "'t",
})  # fmt: skip
_AUTHOR_TOKEN = re.compile(r"[(\[]*(?:[^\W\d_a-z]|\d{4}|&|['’`][A-Z]|d['’`][A-Z]|\[)", re.UNICODE)
_YEAR = re.compile(r"\b1[5-9]\d\d\b|\b20\d\d\b")
_AUTHOR_SIGNS = re.compile(r"\b1[5-9]\d\d\b|\b20\d\d\b|&|\(|,|\w\.")
_QUALIFIER_WORDS = re.compile(
    r"\b(?:cf|aff|nr|sp|spp|spec|ssp|subsp|var|agg|indet|sensu|s\.\s?l|s\.\s?str|s\.\s?lat|auct|auctt|nom|ined)\b\.?",
    re.I,
)
_VIRAL = re.compile(r"virus|viroid|phage|satellite|\b[mg]?n?pv\b|\bgv\b")
_SWAPPED = re.compile(r"\b[a-zß-ÿ][A-ZÀ-Þ]{2}")
_INDET = re.compile(r"\s+indet\.?$", re.I)
_CODE_LIKE = re.compile(r"[:/]|[^\W\d]\d|\d[^\W\d]")
_TO_CAPITALS = re.compile(r"[^\W\d_]+(?=\)?,? \(?\d{4}\b)|[^\W\d_]+(?= & )|(?<=& )[^\W\d_]+|(?<=\()[^\W\d_]+")
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
    text = "".join(" " if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp") else sign for sign in text)
    text = " ".join(unicodedata.normalize("NFC", text).replace("_", " ").split())
    return text.strip('"“”„').strip()


def read_name(text: str, authorship: str, genus: str, knows: Callable[[str], bool]) -> tuple[Asked, ...]:
    """Return the readings of a tidied text, the likeliest first; none when there is nothing in it.

    ``genus`` is the one given beside the name: an abbreviated genus stands for it, and a single epithet goes with it.
    ``knows`` says whether the index has a folded name.
    """
    text = with_genus(text, genus)
    low = folded(text)
    if len(low) < 2:
        return ()
    if knows(low):
        return (replace(_known(low), authorship=authorship),)
    words, known = [word for word in text.split() if word not in _HYBRID_SIGNS], low.split()
    start = _known_beginning(known, knows) if len(words) == len(known) else 0
    uniform = is_uniform(text)
    if start and _is_authors(words[start:], uniform, start):
        return (replace(_known(" ".join(known[:start])), authorship=authorship or _capitals(words[start:], uniform)),)
    readings = [_parsed(_recased(text, uniform), authorship)]
    if uniform and start and not _QUALIFIER_WORDS.search(" ".join(words[start:])):
        authors = authorship or _capitals(words[start:], uniform)
        readings.append(replace(_known(" ".join(known[:start])), authorship=authors))
    return tuple(readings)


def with_genus(text: str, genus: str) -> str:
    """Return the text with the genus that was given beside it, where it lacks one or abbreviates it.

    >>> with_genus("P. concolor", "Puma"), with_genus("iris", "Lepidothrix"), with_genus("Parus major", "Parus")
    ('Puma concolor', 'Lepidothrix iris', 'Parus major')
    """
    if not genus or len(genus) < 2:
        return text
    first, _, rest = text.partition(" ")
    if rest and _ABBREVIATED.match(first) and first[0].upper() == genus[0].upper():
        return f"{genus} {rest}"
    return f"{genus} {text}" if not rest and text.isalpha() and text.islower() and text != genus.lower() else text


def is_uniform(text: str) -> bool:
    """Say whether the capitals of a text tell nothing: only small letters, only capitals, or both the wrong way round.

    >>> is_uniform("PARUS MAJOR"), is_uniform("pARUS MAJOR"), is_uniform("Parus major L.")
    (True, True, False)
    """
    return text.islower() or text.isupper() or bool(_SWAPPED.search(text))


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


def _is_authors(words: list[str], uniform: bool, start: int) -> bool:
    """Say whether these words are authors and years, and nothing else."""
    if uniform:
        text = " ".join(words)
        return bool(_AUTHOR_SIGNS.search(text)) and start > 1 and not _QUALIFIER_WORDS.search(text)
    if start == 1 and words[0].startswith("(") and len(words) > 1 and words[1][:1].islower():
        known = words[1].lower() in _PARTICLES
    else:
        known = all(_AUTHOR_TOKEN.match(word) or word.lower().strip(".,()") in _PARTICLES for word in words)
    return known and not _QUALIFIER_WORDS.search(" ".join(words))


def _capitals(words: list[str], uniform: bool) -> str:
    if not uniform:
        return " ".join(words)
    return " ".join(word if word.lower() in _PARTICLES else word.title() for word in words)


def _recased(text: str, uniform: bool) -> str:
    """Return a text in one kind of letters with a capital first and capitals for its authors, as far as they show."""
    if not uniform or _CODE_LIKE.search(text):
        return text[:1].upper() + text[1:]
    rest = text[1:].lower()
    return text[:1].upper() + _TO_CAPITALS.sub(lambda found: found.group().capitalize(), rest)


def read_together(texts: Sequence[str]) -> list[Asked | None]:
    """Return how the parser reads tidied texts, ``None`` for those that it is not needed for or that need more care."""
    parsable = [at for at, text in enumerate(texts) if _is_for_parser(text)]
    found: list[Asked | None] = [None] * len(texts)
    for at, parsed in zip(parsable, nameparser.parse_all([texts[at] for at in parsable]), strict=True):
        if parsed is not None:
            found[at] = _of_result(parsed, "", "")
    return found


def authors_after(text: str, start: int) -> str:
    """Return what stands behind the first ``start`` words, where that is authors in mixed capitals, else ``""``."""
    words = text.split(" ")[start:]
    return " ".join(words) if words and not is_uniform(text) and _is_authors(words, False, start) else ""


def _is_for_parser(text: str) -> bool:
    return bool(
        text and text[0].isupper() and not is_uniform(text) and not _PLAIN.fullmatch(text) and not _INDET.search(text)
    )


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
