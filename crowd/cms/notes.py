"""The note: a determination in one readable line that is read back, so that a later run knows its own.

::

    De Boodt 1: taxon Vanessa cardui; rank species; Wikidata Q158603; GBIF 4299368; COL 7G6C2; source crowd; by crowd of
    tag-the-species, tree; date 2026-01-02; certainty 0.667; verification crowd, 3 of 4; image https://…; review https://…

    note  = [ "SIMULATED SAMPLE. " ] "De Boodt " version ": " part *( "; " part )
    part  = word " " value          one of WORDS; a part whose value is not known is left out
    value = text without ";" "%" "$" "|", which are percent-encoded (%3B %25 %24 %7C); white space is one space

In links (``image``, ``review``, ``id``) a percent sign means what it means in a link. A reader skips words it does not
know, and takes a note of a later version for what it says.
"""

import re
from urllib.parse import quote

from crowd.cms.determinations import Determination
from crowd.cms.values import plain

VERSION = 1
SAMPLE = "SIMULATED SAMPLE. "
WORDS = {
    "taxon": "taxon",
    "term": "term",
    "rank": "rank",
    "Wikidata": "item",
    "GBIF": "gbif_key",
    "COL": "col_id",
    "source": "source",
    "by": "agent",
    "date": "date",
    "certainty": "certainty",
    "verification": "verification",
    "campaign": "campaign",
    "image": "image",
    "review": "review",
    "id": "id",
}
"""The words of a note, in their order, and what they say."""
LINKS = ("image", "review", "id")
_MARK = re.compile(r"De Boodt \d+: ")
_SPECIAL = ";%$|"
_UNSAFE = re.compile("[\x00-\x20\x7f-\xa0;$|^¦§¶\ud800-\udfff]")


def note_of(made: Determination) -> str:
    """Return the note of a determination.

    >>> one = Determination(object_number="RP-T-1", taxon="Vanessa cardui", item="Q158603", verification="expert")
    >>> note_of(one)
    'De Boodt 1: taxon Vanessa cardui; Wikidata Q158603; verification expert'
    >>> read_note(note_of(one), "RP-T-1").item
    'Q158603'
    """
    parts = [(word, _written(name, getattr(made, name))) for word, name in WORDS.items()]
    mark = f"{SAMPLE if made.simulated else ''}De Boodt {VERSION}: "
    return mark + "; ".join(f"{word} {value}" for word, value in parts if value)


def read_note(text: str, object_number: str) -> Determination | None:
    """Return what a note of ours says; None for somebody else's."""
    said = " ".join(text.split())
    bare = said.removeprefix(SAMPLE)
    mark = _MARK.match(bare)
    if not mark:
        return None
    found = {"taxon": ""}
    for part in bare[mark.end() :].split("; "):
        word, _, value = part.partition(" ")
        if word in WORDS and value:
            found[WORDS[word]] = value if WORDS[word] in LINKS else _decoded(value)
    if not found["taxon"]:
        return None
    simulated = "yes" if said.startswith(SAMPLE) else ""
    return Determination(object_number=object_number, note=said, simulated=simulated, **found)


def differences(old: Determination, new: Determination) -> tuple[str, ...]:
    """Return in words what one note says otherwise than another; links, date and campaign aside.

    >>> old, new = (Determination(object_number="1", taxon="A", certainty=c) for c in ("0.8", "0.9"))
    >>> differences(old, new)
    ('certainty 0.8, now 0.9',)
    """
    told = [(word, name) for word, name in WORDS.items() if name not in (*LINKS, "date", "campaign")]
    pairs = [(word, getattr(old, name), getattr(new, name)) for word, name in told]
    return tuple(f"{word} {was or 'nothing'}, now {now or 'nothing'}" for word, was, now in pairs if was != now)


def _written(name: str, value: str) -> str:
    text = plain(value)
    if name in LINKS:
        return _UNSAFE.sub(lambda match: quote(match[0], safe="", errors="replace"), text)
    return "".join(f"%{ord(sign):02X}" if sign in _SPECIAL else sign for sign in text)


def _decoded(value: str) -> str:
    return re.sub("%(3B|25|24|7C)", lambda match: chr(int(match[1], 16)), value)
