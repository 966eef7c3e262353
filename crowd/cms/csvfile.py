"""Import files as CSV, in the manner of the museum's own export."""

from collections.abc import Iterator, Sequence

from crowd.cms.entries import Entry
from crowd.cms.profile import Field, Key, Profile
from crowd.cms.table import BOM, Manner
from linkeddata.errors import UsageError


def csv_bytes(entries: Sequence[Entry], profile: Profile, key: Key) -> bytes:
    """Return the CSV: the key first, then the fields that an entry has values for; one line an entry.

    All cells of a group have as many values, so that the n-th belong together, or are empty.
    Raises ``UsageError`` for text that the profile's encoding cannot hold.
    """
    rules = profile.csv
    fields = [field for field in profile.fields if field.column and _used(field, entries)]
    text = (BOM if rules.bom and rules.encoding == "utf-8" else "") + "".join(_lines(entries, fields, profile, key))
    try:
        return text.encode(rules.encoding)
    except UnicodeEncodeError as error:
        raise UsageError(f"{text[error.start : error.end]!r} cannot be written in {rules.encoding}") from error


def _lines(entries: Sequence[Entry], fields: Sequence[Field], profile: Profile, key: Key) -> Iterator[str]:
    rules = profile.csv
    manner = Manner(rules.delimiter)
    named: list[Key | Field] = [key, *fields]
    yield manner.line([one.element if rules.names == "elements" else one.column for one in named])
    sign = profile.keeping.repeat
    for entry in entries:
        yield manner.line([entry.key, *(sign.join(entry.of(field)) for field in fields)])


def _used(field: Field, entries: Sequence[Entry]) -> bool:
    return not entries or any(field == one for entry in entries for one, _ in entry.values)
