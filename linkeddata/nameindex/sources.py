"""Read checklists. In: a file or folder as it was published. Out: ``Source``, a stream of name usages."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """A checklist on disk that was recognised, and how to read it."""

    path: Path
    format: str  # simple.txt, dwca, coldp, tsv, avilist, crosswalk
    checklist_key: str = ""
    moment: str = ""  # date of the file, ISO 8601


def open_source(path: Path, *, checklist_key: str = "") -> Source:
    """Recognise the checklist at ``path``. Raises ``UsageError`` when it is none of the known formats."""
    raise NotImplementedError


def formats() -> Iterator[str]:
    """Yield the names of the formats that are read."""
    yield from ("simple.txt", "dwca", "coldp", "tsv", "avilist", "crosswalk")
