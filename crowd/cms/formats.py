"""The formats of import files, by name."""

from collections.abc import Callable, Sequence

from crowd.cms.adlibxml import adlibxml_bytes
from crowd.cms.csvfile import csv_bytes
from crowd.cms.entries import Entry
from crowd.cms.profile import Key, Profile
from crowd.cms.tagged import tagged_bytes
from linkeddata.errors import UsageError

Write = Callable[[Sequence[Entry], Profile, Key], bytes]

FORMATS: dict[str, Write] = {"csv": csv_bytes, "adlibxml": adlibxml_bytes, "tagged": tagged_bytes}
"""Formats by the name that a campaign file gives them."""
SUFFIXES = {"csv": ".csv", "adlibxml": ".xml", "tagged": ".dat"}


def formats_of(profile: Profile, asked: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the formats asked for, or all that the profile says something about. Raises ``UsageError``."""
    known = ("csv", *(["adlibxml"] if profile.adlibxml else []), *(["tagged"] if profile.tagged else []))
    for name in asked:
        if name not in FORMATS:
            raise UsageError(f"no export format is called {name!r}; known are {', '.join(FORMATS)}")
        if name not in known:
            raise UsageError(f"profile {profile.name} says nothing about {name}")
    return tuple(asked) or known
