"""Sets of items, small enough to be everywhere. In: Q-ids, or who is whose parent. Out: a set, a subtree."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from linkeddata.errors import UsageError
from linkeddata.ids import checked_item
from linkeddata.wikidata import LARGEST_ITEM

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class ItemSet:
    """A set of items, or of files, as one bit for each number: 17 MB for all of Wikidata, whatever is in it."""

    bits: bytes

    @classmethod
    def of(cls, items: Iterable[str]) -> "ItemSet":
        """Return the set of these Q-ids. Raises ``ValueError`` for what is none.

        >>> "Q729" in ItemSet.of(["Q729"]), "Q5113" in ItemSet.of(["Q729"]), "" in ItemSet.of(["Q729"])
        (True, False, False)
        """
        return cls.of_numbers(np.array([int(checked_item(item)[1:]) for item in items], np.int64))

    @classmethod
    def of_numbers(cls, numbers: Numbers) -> "ItemSet":
        """Return the set of items with these numbers."""
        if numbers.size and numbers.max() > LARGEST_ITEM:
            raise ValueError(f"no item has the number {numbers.max()}")
        marked = np.zeros(int(numbers.max(initial=0)) + 1, np.bool_)
        marked[numbers] = True
        return cls(np.packbits(marked, bitorder="little").tobytes())

    def __contains__(self, item: str) -> bool:
        number = int(item[1:] or 0)
        byte = number >> 3
        return byte < len(self.bits) and bool(self.bits[byte] >> (number & 7) & 1)

    def __len__(self) -> int:
        return int(np.unpackbits(np.frombuffer(self.bits, np.uint8)).sum())


def listed_items(path: Path) -> list[str]:
    """Return the Q-ids in a text file: the first word of each line, as such or at the end of an IRI.

    Empty lines, and those that begin with ``#``, are passed over. Raises ``UsageError`` that names the line.
    """
    found = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    for number, line in enumerate(lines, 1):
        word = line.replace(",", " ").replace(";", " ").split(maxsplit=1)[:1]
        if not word or word[0].startswith("#"):
            continue
        try:
            found.append(checked_item(word[0].strip('"<>').rpartition("/")[2]))
        except ValueError as error:
            raise UsageError(f"{path}:{number}: {error}") from error
    return found


def subtree(root: str, parents: Path) -> ItemSet:
    """Return ``root`` and every item below it, by a table of P171 statements (as ``extract`` writes it).

    A taxon with two parents is below both; statements marked as wrong do not count. Raises ``UsageError``.
    """
    try:
        child, parent = _edges(parents)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{parents}: no table of P171 statements: {error}") from error
    order = np.argsort(parent, kind="stable")
    child, parent = child[order], parent[order]
    top = int(checked_item(root)[1:])
    known = np.zeros(int(max(child.max(initial=0), parent.max(initial=0), top)) + 1, np.bool_)
    front = np.array([top], np.int64)
    while front.size:
        known[front] = True
        begin, end = np.searchsorted(parent, front, "left"), np.searchsorted(parent, front, "right")
        below = [child[b:e] for b, e in zip(begin.tolist(), end.tolist(), strict=True) if b < e]
        found = np.unique(np.concatenate(below)) if below else np.zeros(0, np.int64)
        front = found[~known[found]]
    return ItemSet.of_numbers(np.flatnonzero(known))


def _edges(parents: Path) -> tuple[Numbers, Numbers]:
    """Return the numbers of children and of their parents."""
    pairs: list[tuple[Any, Any]] = []
    with pq.ParquetFile(parents) as file:
        for batch in file.iter_batches(columns=["entity", "item", "rank"]):
            rows = zip(*(batch.column(name).to_pylist() for name in ("entity", "item", "rank")), strict=True)
            edges = [(int(e.rpartition("Q")[2]), int(i[1:])) for e, i, rank in rows if i and rank != "deprecated"]
            pairs.append((np.array([e for e, _ in edges], np.int64), np.array([i for _, i in edges], np.int64)))
    if not pairs:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate([c for c, _ in pairs]), np.concatenate([p for _, p in pairs])
