"""Import files as grouped adlibXML: one record an entry, one element of its group for each occurrence."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from xml.etree import ElementTree

from crowd.cms.entries import Entry
from crowd.cms.profile import Key, Profile
from linkeddata.errors import UsageError


def adlibxml_bytes(entries: Sequence[Entry], profile: Profile, key: Key) -> bytes:
    """Return the adlibXML. A field that is to be emptied is an empty element.

    Raises ``UsageError`` if the profile has no adlibXML.
    """
    if not profile.adlibxml:
        raise UsageError(f"profile {profile.name} says nothing about adlibxml")
    return "".join(_parts(entries, profile, key)).encode()


def _parts(entries: Sequence[Entry], profile: Profile, key: Key) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>\n<adlibXML>\n  <recordList>\n'
    for entry in entries:
        record = ElementTree.Element("record")
        ElementTree.SubElement(record, key.element).text = entry.key
        for group, fields in profile.groups():
            named = [(one.element, values) for one, values in entry.values if one in fields and one.element]
            _group(record, group, named)
        ElementTree.indent(record, level=2)
        yield f"    {ElementTree.tostring(record, encoding='unicode').rstrip()}\n"
    yield "  </recordList>\n</adlibXML>\n"


def _group(record: ElementTree.Element, group: str, named: Sequence[tuple[str, tuple[str, ...]]]) -> None:
    rows = list(zip_longest(*(values for _, values in named), fillvalue=""))
    for row in rows or ([("",) * len(named)] if named else []):
        parent = ElementTree.SubElement(record, group) if group else record
        for (element, _), value in zip(named, row, strict=True):
            if value or not rows or not group:
                ElementTree.SubElement(parent, element).text = value or None
