"""Lists that somebody publishes. In: a path or an address. Out: a path on this machine, for as long as it is read.

What comes over the line is taken like any file of other people: whole, tried again when it is not, not faster than the
host allows. It may hold names of people, so nothing of it stays when it is read.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from harvest.lists import JSON_FILES
from harvest.reach import Reach
from harvest.records import source_name
from linkeddata.errors import UsageError
from linkeddata.ids import content_id
from linkeddata.tablefiles import READERS

MOST_BYTES = 50_000_000_000
"""No list is larger: GBIF's whole index is some hundred gigabytes, and nobody's list of pictures."""
KINDS = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/plain": ".txt",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.apache.parquet": ".parquet",
    "application/json": ".json",
    "application/x-ndjson": ".ndjson",
    "application/zip": ".zip",
}
"""What a list is called whose address has no suffix that says what it is."""


@contextmanager
def at_hand(reach: Reach, place: str, folder: Path) -> Iterator[Path]:
    """Give a list's path: the one that is named, seen from ``folder``, or that of what is at an address.

    Raises what ``Client.download`` raises, and ``UsageError`` for an address that is not of the web.
    """
    if "://" not in place:
        yield folder / place
        return
    if not place.startswith(("https://", "http://")):
        raise UsageError(f"{place}: lists come by https and http only")
    shelf = reach.settings.home_path / "reading" / content_id(reach.campaign.id, place)
    shutil.rmtree(shelf, ignore_errors=True)  # what a killed run has left
    shelf.mkdir(parents=True)
    try:
        came = reach.client.download(place, shelf / "list", limit=MOST_BYTES)
        yield (shelf / "list").rename(shelf / name_of(place, came.content_type))
    finally:
        shutil.rmtree(shelf, ignore_errors=True)
        with suppress(OSError):  # another campaign is reading, too
            shelf.parent.rmdir()


def name_of(address: str, content_type: str) -> str:
    """Return what a list is called: as in its address, with a suffix by which its kind is known.

    >>> name_of("https://ipt.museum.example/archive.do?r=birds", "application/zip")
    'archive.do.zip'
    >>> name_of("https://museum.example/plates.tsv", "text/plain; charset=utf-8")
    'plates.tsv'
    """
    name = source_name(urlsplit(address)._replace(query="", fragment="").geturl()).lstrip(".") or "list"
    if Path(name).suffix.lower() in {*READERS, *JSON_FILES, ".zip"}:
        return name
    return name + KINDS.get(content_type.partition(";")[0].strip().lower(), "")
