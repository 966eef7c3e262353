"""The canonical form for reading. In: a verbatim name. Out: the name with rank markers and hybrid signs, nothing else.

The parts come from GBIF's own parser; this module writes them in the form that gnparser calls the full canonical
(https://github.com/gnames/gnparser): qualifiers, authors and years left out, letters that the codes do not know spelt
out, all ranks below the species kept, both sides of a hybrid formula. ``""`` stands for what is no name.
"""

import re
import unicodedata

import nameparser

from linkeddata.nameindex.parsing import tidied

_SPELT_OUT = str.maketrans({"æ": "ae", "œ": "oe", "ø": "oe", "ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "Æ": "Ae",
                            "Œ": "Oe", "Ø": "Oe", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})  # fmt: skip
_APOSTROPHES = str.maketrans("", "", "'’`´?\"")
_TIMES = re.compile(r"\s+[×xX]\s+(?=[A-Z?]|[a-z]+(?:-[a-z]+)?\s+[A-Z])")
_HIGHER_RANK = re.compile(r"^([A-Z][a-z]+)\s+(subtrib|trib|tr|supertrib)\.?\s+[A-Z]")
_MARKERS = {
    "ssp.": "subsp.", "subspec.": "subsp.", "form.": "f.", "fma.": "f.", "fo.": "f.", "subsp.": "subsp.", "f.": "f.",
    "var.": "var.", "convar.": "convar.", "nvar.": "nvar.", "agamosp.": "agamosp.", "pathovar.": "pathovar.",
    "prol.": "prol.", "subvar.": "subvar.", "subf.": "subf.", "nothovar.": "nothovar.", "nothof.": "nothof.",
    "nothosubsp.": "nothosubsp.", "ab.": "ab.", "mut.": "mut.", "natio.": "natio.",
}  # fmt: skip
_LOWER_RANKS = re.compile(
    rf"(?<![\w.])({'|'.join(map(re.escape, sorted(_MARKERS, key=len, reverse=True)))})"
    r"\s*(?:[^\W\d_]\.\s*)?([a-z][a-z'’-]+)"
)
_NOT_THAT = re.compile(r"\s(?:aff\.?|spp\.|ex(?= [a-z])|(?<!× )\?)\s.*$")
_STRAY = re.compile(r"\s\w+['’](?=\s|$)")
_NO_NAME = re.compile(r"^\+|^[A-Z][a-z]+[A-Z]|\w['’]s\b|^(?:\w+-){3,}")
_SAMPLE = re.compile(r"^([A-Z][a-z]+)\s.*\b(?:culture|clone|isolate)\b")
_SPECIES_OF = re.compile(r"^(?:sp|spp|spec|species|n\. ?sp|nov)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<= )(\d{1,2})-?(?=[a-z])")
_SON = re.compile(r"\b[A-Z]\w*\.f\.\s")
_UNITS = ("", "uni", "bi", "tri", "quadri", "quinque", "sex", "septem", "octo", "novem")
_TEENS = ("decem", "undecim", "duodecim", "tredecim", "quatuordecim", "quindecim", "sedecim", "septendecim",
          "octodecim", "novemdecim")  # fmt: skip
_AFTER_TENS = ("", "unus", "duo", "tres", "quatuor", "quinque", "sex", "septem", "octo", "novem")
_TENS = ("", "", "viginti", "triginta", "quadraginta", "quinquaginta")


def canonical_full(text: str) -> str:
    """Return the canonical form of a verbatim name, ``""`` where there is none.

    >>> canonical_full("Senecio fuchsii C.C.Gmel. subsp. fuchsii var. expansus (Boiss. & Heldr.) Hayek")
    'Senecio fuchsii subsp. fuchsii var. expansus'
    >>> canonical_full("Salix x rubens Schrank"), canonical_full("Abies cf. alba Mill."), canonical_full("not recorded")
    ('Salix × rubens', 'Abies alba', '')
    >>> canonical_full("Ambystoma laterale × A. texanum × A. tigrinum")
    'Ambystoma laterale × Ambystoma texanum × Ambystoma tigrinum'
    >>> canonical_full("Taenitis blechnoides Sw. var. blechnoides"), canonical_full("Sphenophora (Kützing) Agassiz")
    ('Taenitis blechnoides var. blechnoides', 'Sphenophora')
    """
    text = tidied(text)
    if _NO_NAME.search(text.partition("(")[0]):
        return ""
    text = _STRAY.sub("", _NOT_THAT.sub("", f"{text} ")).strip()
    try:
        parsed = nameparser.parse(text)
    except nameparser.UnparsableNameError as error:
        if error.name_type == "FORMULA":
            return _formula(text)
        sample = _SAMPLE.match(text) if error.name_type == "IDENTIFIER" else None
        return sample[1] if sample else ""
    if isinstance(parsed, nameparser.Informal):
        return parsed.taxon if _SPECIES_OF.match(parsed.phrase or "") else ""
    return _spelt(_species_or_below(parsed, text) if parsed.specific_epithet else _above_species(parsed, text))


def _formula(text: str) -> str:
    """Return both sides of a hybrid formula; a genus that is left out or abbreviated is that of the first side."""
    sides = _TIMES.split(text)
    first = canonical_full(sides[0])
    genus = first.partition(" ")[0]
    names = [first]
    for side in sides[1:]:
        word, _, rest = side.partition(" ")
        whole = (
            f"{genus} {side}"
            if word.islower()
            else f"{genus} {_without_subgenus(rest)}"
            if word.endswith(".")
            else side
        )
        names.append(canonical_full(whole) if side != "?" else "")
    return " × ".join(names).strip()


def _without_subgenus(text: str) -> str:
    return re.sub(r"^\([^)]*\)\s*", "", text)


def _above_species(parsed: nameparser.ParsedName, text: str) -> str:
    name = (parsed.canonical_name_without_authorship() or "").strip('"').replace(" infragen. ", " subgen. ")
    higher = _HIGHER_RANK.match(text)
    if higher:
        marker = "trib." if higher[2] == "tr" else f"{higher[2]}."
        return f"{higher[1]} {marker} {name.rpartition(' ')[2]}"
    if re.fullmatch(r"[A-Z][a-z]+ \([A-Z][a-z]+\)", text):  # what stands in brackets, with nothing behind, is an author
        return text.partition(" ")[0]
    if name.endswith(")"):  # the parser took an author with a letter that no genus has for a subgenus
        return name.partition(" ")[0]
    first, hyphen, rest = name.partition("-")
    return f"{first}-{rest.lower()}" if hyphen and " " not in name else name


def _species_or_below(parsed: nameparser.ParsedName, text: str) -> str:
    notho = set(parsed.notho or ())
    words = ["×"] if "GENERIC" in notho else []
    words += [parsed.genus or "", *(["×"] if "SPECIFIC" in notho else []), parsed.specific_epithet or ""]
    last = parsed.infraspecific_epithet or ""
    if last and last[:1].islower():
        words += _ranks_between(text, parsed.specific_epithet or "", last)
        words += [_marker_before(text, last, parsed), last]
    return " ".join(word for word in words if word)


def _ranks_between(text: str, species: str, last: str) -> list[str]:
    """Return the ranks and epithets that stand between the species and the last epithet."""
    _, _, after = text.partition(f" {species}")
    between = after[: after.rfind(last)]
    found = [(_MARKERS[marker], epithet) for marker, epithet in _LOWER_RANKS.findall(between) if marker in _MARKERS]
    return [word for pair in found for word in pair]


def _marker_before(text: str, last: str, parsed: nameparser.ParsedName) -> str:
    written = [marker for marker, epithet in _LOWER_RANKS.findall(text) if epithet == last and marker in _MARKERS]
    if written:
        return _MARKERS[written[-1]]
    if _SON.search(text):  # "L.f. typica": the younger Linnaeus, and no rank
        return ""
    words = (parsed.canonical_name_without_authorship() or "").split()
    before = words[words.index(last) - 1] if last in words[1:] else ""
    return before if before.endswith(".") else ""


def _spelt(name: str) -> str:
    """Return the name in the letters that the codes know, with numbers as words."""
    name = _NUMBER.sub(lambda found: _in_latin(int(found[1])), name)
    name = unicodedata.normalize("NFD", name.translate(_SPELT_OUT).translate(_APOSTROPHES))
    return " ".join("".join(letter for letter in name if not unicodedata.combining(letter)).split())


def _in_latin(number: int) -> str:
    """Return a number as it begins an epithet (ICZN, article 32.5.2.6).

    >>> _in_latin(4), _in_latin(13), _in_latin(24)
    ('quadri', 'tredecim', 'vigintiquatuor')
    """
    if number < 10:
        return _UNITS[number]
    if number < 20:
        return _TEENS[number - 10]
    return _TENS[number // 10] + _AFTER_TENS[number % 10] if number < 60 else str(number)
