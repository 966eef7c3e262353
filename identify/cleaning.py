"""Results on disk that name somebody: found and deleted, to be made again. In: the home folder, words. Out: paths.

Dumps, the graph for SPARQL and ready answers hold everything, in forms of their own: they go whole. Of what campaigns
wrote, the files that hold one of the words go, and the steps that made them are due again.
"""

import gzip
import shutil
import zipfile
from collections.abc import Collection
from dataclasses import replace
from io import BufferedIOBase
from pathlib import Path
from typing import IO
from urllib.parse import quote

from linkeddata.dumps import SUMS
from linkeddata.externalgraph import BOOKS
from linkeddata.keptbook import FOLDER
from linkeddata.publishedgraph import GRAPH
from linkeddata.records import Step
from linkeddata.store import Store

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff"})
LARGEST_PIECE = 1 << 20


def spellings(agent: str, names: Collection[str] = ()) -> list[bytes]:
    """Return how a pseudonym and names may stand in files.

    >>> spellings("urn:deboodt:person:0a")
    [b'person%3A0a', b'person:0a']
    """
    short = agent.removeprefix("urn:deboodt:")
    words = {short, quote(short, safe=""), *names, *(quote(name) for name in names)}
    return sorted(word.encode() for word in words if word)


def telling(home: Path, words: Collection[bytes]) -> list[Path]:
    """Return what below home holds a word, or may: folders of dumps and the graph, files of campaigns."""
    found = [home / name for name in (GRAPH, BOOKS, FOLDER) if (home / name).exists()]
    found += sorted(path.parent for path in (home / "dumps").glob(f"*/{SUMS}"))
    for path in sorted((home / "campaigns").rglob("*")):
        if path.is_file() and path.suffix.lower() not in PICTURES and _holds(path, words):
            found.append(path)
    return found


def delete(store: Store, home: Path, paths: Collection[Path], *, agent: str, moment: str) -> None:
    """Delete these, log each, and make the steps due again of the campaigns that lost something."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        inside = path.relative_to(home)
        store.note("output.removed", str(inside), {"reason": "somebody was erased"}, agent=agent, moment=moment)
    touched = {path.relative_to(home).parts[1] for path in paths if path.relative_to(home).parts[0] == "campaigns"}
    for campaign in sorted(touched):
        steps = [
            replace(step, fingerprint="") for step in store.each(Step, campaign=campaign) if step.name != "harvest"
        ]
        store.put(steps, agent=agent, moment=moment)


def _holds(path: Path, words: Collection[bytes]) -> bool:
    """Tell whether a word stands in a file, or in a file that is packed into it."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return any(_found(archive.open(name), words) for name in archive.namelist())
    return _found(gzip.open(path) if path.suffix == ".gz" else path.open("rb"), words)


def _found(opened: BufferedIOBase | IO[bytes], words: Collection[bytes]) -> bool:
    tail = b""
    longest = max(map(len, words), default=1)
    with opened as content:
        while piece := content.read(LARGEST_PIECE):
            text = tail + piece
            if any(word in text for word in words):
                return True
            tail = text[-longest:]
    return False
