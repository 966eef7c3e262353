"""Open an index. In: the path of a file that ``build`` wrote. Out: ``NameIndex``, memory-mapped and read-only."""

from pathlib import Path
from types import TracebackType
from typing import Self


class NameIndex:
    """A read-only index of names; cheap to open, and processes that open the same file share its memory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""

    @property
    def about(self) -> dict[str, str]:
        """What the index says of itself: checklist_key, title, moment (date read), usages, vernaculars, version."""
        return {}

    def keys_starting(self, prefix: str, limit: int = 10) -> list[str]:
        """Return canonical names that start with ``prefix``, in order: for suggestions while typing."""
        raise NotImplementedError


def open_index(path: Path) -> NameIndex:
    """Open the index at ``path``. Raises ``UsageError`` when it is no index, or of another version."""
    return NameIndex(path)
