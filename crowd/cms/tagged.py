"""Import files as Adlib tagged (.dat): a tag of two characters, a space and a value a line, ``**`` after each record.

The format: https://documentation.axiell.com/alm/en/ds_eiefadlibtagged.html. Repetitions stand on lines that follow each
other; a field whose n-th occurrence is empty has a line with its tag alone, so that the fields of a group stay in step.
"""

from collections.abc import Iterator, Sequence

from crowd.cms.entries import Entry
from crowd.cms.profile import Key, Profile
from linkeddata.errors import UsageError

LINE_END = "\r\n"


def tagged_bytes(entries: Sequence[Entry], profile: Profile, key: Key) -> bytes:
    """Return the tagged file, in UTF-8. Raises ``UsageError`` if the profile has none."""
    if not profile.tagged:
        raise UsageError(f"profile {profile.name} says nothing about tagged")
    return "".join(_lines(entries, key)).encode()


def _lines(entries: Sequence[Entry], key: Key) -> Iterator[str]:
    for entry in entries:
        yield f"{key.tag} {entry.key}{LINE_END}"
        for field, values in entry.values:
            for value in values or ("",):
                if field.tag:
                    yield f"{field.tag} {value}{LINE_END}"
        yield f"**{LINE_END}"
