"""What the lists that people have share. In: values as somebody wrote them, and what was said. Out: values, records.

A kind of list is read by a module of its own (``files``, ``dwca``, ``nba``, ``iiif``, ``linkedart``); each gives what
it read to a ``Teller``, which makes the records of it in the order in which every harvest gives them. What could not be
read is a ``Failure`` whose subject is the place in the list: ``plates.xlsx:12``, ``media.txt:7``, ``crs.json:3``.
"""

import codecs
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from harvest.mediainfo import licence_of_code
from harvest.records import SOURCE_FAILED, Harvested, Roll, licence_iri, lost, membership
from linkeddata.errors import ServiceError, UsageError
from linkeddata.ids import content_id
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Failure, MediaFile, Tag

ROUTES = ("list", "dwca", "nba", "iiif", "linkedart")
"""The routes of which each harvest reads everything: what they no longer say is said no more."""

BAD_VALUE = "value not understood"
"""One value of a record says nothing that can be meant; the rest of the record is taken."""
BAD_RECORD = "record not understood"
MISSING = "document missing"
NO_IMAGE = "no image"
NOT_AN_IMAGE = "not an image"
NO_NAME = "no name"
UNCERTAIN = "determination uncertain"
"""Whoever determined it was in doubt ("cf.", "?"): no voice for the name."""
SUPERSEDED = "determination superseded"
"""Somebody determined it otherwise later: the older name is no voice."""
JSON_FILES = (".json", ".jsonl", ".ndjson", ".jsonld")

_NUMBER = r"\s*(\d+(?:\.\d*)?|\.\d+)\s*"
_REGION = re.compile(rf"(?:xywh=)?(?:(pct|percent|pixel):)?{','.join([_NUMBER] * 4)}", re.ASCII)
_PARTIAL_DATE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2]))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that a list says of a file: exactly one of ``item`` and ``verbatim`` is given.

    ``agent`` is a name as the list writes it; ``key`` tells apart what else would be the same tag.
    """

    item: str = ""
    verbatim: str = ""
    language: str = ""
    agent: str = ""
    moment: str = ""
    prominent: bool = False
    part: str = ""
    region: str = ""
    key: str = ""


class Teller:
    """Makes records of what one list says; each file, person and tag comes once. ``known``: IRIs described already."""

    def __init__(self, route: str, campaign: str, pseudonyms: Pseudonyms, known: Container[str] = ()) -> None:
        self._route = route
        self._campaign = campaign
        self._roll = Roll(pseudonyms)
        self._known = known
        self._described: set[str] = set()
        self._tagged: set[str] = set()

    def tell(self, media: MediaFile, *said: Said) -> Iterator[Harvested]:
        """Yield the people, then their tags, then the file and its membership."""
        yield from self._roll.introduce(*(one.agent for one in said))
        for one in said:
            tag = self._tag(media.iri, one)
            if tag.id not in self._tagged:
                self._tagged.add(tag.id)
                yield tag
        if media.iri not in self._described:
            self._described.add(media.iri)
            if media.iri not in self._known:
                yield media
            yield membership(self._campaign, media.iri)

    def _tag(self, iri: str, said: Said) -> Tag:
        agent = self._roll.id(said.agent)
        named = (said.item, "" if said.item else said.verbatim, agent, said.moment, said.region, said.key)
        return Tag(
            id=content_id(self._route, self._campaign, iri, *named),
            file=iri,
            item=said.item,
            verbatim=named[1],
            language="" if said.item else said.language,
            agent=agent,
            moment=said.moment,
            route=self._route,
            campaign=self._campaign,
            prominent=said.prominent,
            part=said.part,
            region=said.region,
        )


def item_in(text: str) -> str:
    """Return the Q-id in a text: bare, prefixed, at the end of an address, or in brackets after a label; else ``""``.

    >>> [item_in(text) for text in ("Q140", "http://www.wikidata.org/entity/Q140", "lion (wd:Q140)", "lion Q140")]
    ['Q140', 'Q140', 'Q140', '']
    """
    found = re.fullmatch(r"(?:.*\()?\s*(?:wd:|https?://\S*/)?(Q[1-9][0-9]*)\s*\)?", text.strip())
    return found[1] if found and ("(" in text) == (")" in text) else ""


def label_before(text: str) -> str:
    """Return the label in a text such as ``lion (https://www.wikidata.org/wiki/Q140)``, else the text.

    >>> label_before("Atlas (1698) (https://www.wikidata.org/wiki/Q2520345)"), label_before("lion")
    ('Atlas (1698)', 'lion')
    """
    return re.sub(r"\s*\(\s*(?:wd:|https?://\S*/)?Q[1-9]\d*\s*\)$", "", text.strip())


def is_address(text: str) -> bool:
    """Say whether a text is an http address.

    >>> is_address("https://museum.example/1.jpg"), is_address("1.jpg"), is_address("http://")
    (True, False, False)
    """
    return re.fullmatch(r"https?://[^\s/]+\S*", text) is not None


SPDX = ("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only",
        "GPL-3.0-or-later", "LGPL-3.0-only", "OFL-1.1", "ODbL-1.0", "ODC-By-1.0", "LAL-1.3")  # fmt: skip
"""Licences that pictures have beside Creative Commons', by SPDX's ids (https://spdx.org/licenses/)."""
_SPDX = {name.lower(): f"http://spdx.org/licenses/{name}" for name in SPDX}


def licence_of(text: str) -> str:
    """Return the address of a licence from its address or from its name; ``""`` where it is not known which is meant.

    A Creative Commons licence without its version could be several. CC0 has one version, whatever a list says. Of
    other licences SPDX's ids are known.

    >>> licence_of("CC BY-NC-SA 3.0"), licence_of("CC_BY_4_0")
    ('https://creativecommons.org/licenses/by-nc-sa/3.0/', 'https://creativecommons.org/licenses/by/4.0/')
    >>> licence_of("CC0 4.0"), licence_of("CC BY-NC")
    ('https://creativecommons.org/publicdomain/zero/1.0/', '')
    >>> licence_of("Apache-2.0"), licence_of("free")
    ('http://spdx.org/licenses/Apache-2.0', '')
    """
    if is_address(text) or text.startswith("//"):
        return licence_iri(text)
    if spdx := _SPDX.get(text.strip().lower()):
        return spdx
    words = re.sub(r"[\s_/-]+", "-", text.strip().lower())
    words = re.sub(r"-(?:international|unported|generic|universal)$", "", words)
    words = re.sub(r"(?<=\d)-(?=\d)", ".", words).removesuffix("-license")
    if re.fullmatch(r"cc-?(?:0|zero)(?:[-.]?\d\.\d)?", words):
        return licence_of_code("cc0")
    if re.fullmatch(r"pdm|(?:cc-)?public-domain-mark(?:-1\.0)?|cc-pdm(?:-1\.0)?", words):
        return "https://creativecommons.org/publicdomain/mark/1.0/"
    return licence_of_code(words if words.startswith("cc-") else f"cc-{words}")


def moment_of(text: str) -> str:
    """Return a moment as the records have it: UTC, or a date, month or year alone where no more is said.

    Midnight is how many systems write a date alone. Raises ``ValueError`` for anything else.

    >>> moment_of("2012-01-13T00:00:00+0000"), moment_of("2021-10-02T12:00:00+02:00"), moment_of("1973-03")
    ('2012-01-13', '2021-10-02T10:00:00Z', '1973-03')
    """
    value = text.strip()
    if not value or _PARTIAL_DATE.fullmatch(value):
        return value
    if len(value) == 10:
        return date.fromisoformat(value).isoformat()
    moment = datetime.fromisoformat(value)
    if (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return moment.date().isoformat()
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def region_of(text: str, width_px: float = 0, height_px: float = 0) -> str:
    """Return a region as ``pct:x,y,w,h`` from a media fragment, IIIF's or Commons' notation, ``""`` for none.

    ``width_px`` and ``height_px`` are those of the whole, without which pixels say nothing.
    Raises ``ValueError`` for what is no region of it (https://www.w3.org/TR/media-frags/#naming-space).

    >>> region_of("xywh=100,50,200,100", 1000, 500), region_of("xywh=percent:25,0,50.5,100")
    ('pct:10,10,20,20', 'pct:25,0,50.5,100')
    """
    if not text:
        return ""
    match = _REGION.fullmatch(text.strip())
    if not match:
        raise ValueError(f"not a region: {text[:80]!r}")
    x, y, wide, high = (float(number) for number in match.groups()[1:])
    if match[1] not in ("pct", "percent"):
        if not (width_px and height_px):
            raise ValueError(f"a region in pixels of a whole of unknown size: {text[:80]!r}")
        x, y, wide, high = x / width_px * 100, y / height_px * 100, wide / width_px * 100, high / height_px * 100
    if not (wide and high) or x >= 100 or y >= 100:
        raise ValueError(f"nothing of the whole is in {text[:80]!r}")
    # What reaches over the edge ends there: the fragment means the part of it that there is.
    return "pct:" + ",".join(f"{round(part, 3):g}" for part in (x, y, min(wide, 100 - x), min(high, 100 - y)))


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON document of a file; ``value`` is empty where ``trouble`` says why it cannot be read."""

    place: str
    value: Mapping[str, Any]
    trouble: str = ""


def json_documents(path: Path) -> Iterator[Document]:
    """Yield the JSON objects in a file, or in the ``.json``, ``.jsonl`` and ``.ndjson`` files of a folder.

    A file, which may be gzipped, holds one object, a list of them, an answer of the Netherlands Biodiversity API
    (``resultSet``), or an object a line, of which one is in memory at a time. Answers that say that they are a part of
    a larger whole (``totalSize``) of which not all is there have a trouble in the end. Raises ``UsageError`` where
    there is no such file.
    """
    totals: Counter[int] = Counter()
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            plain = file.with_suffix("") if file.suffix.lower() == ".gz" else file
            if plain.suffix.lower() in JSON_FILES and file.is_file():
                yield from _whole_documents(file, file.relative_to(path).as_posix(), totals)
    elif path.is_file():
        yield from _whole_documents(path, path.name, totals)
    else:
        raise UsageError(f"{path}: cannot be read: there is no such file")
    for total, shown in totals.items():
        if shown < total:
            yield Document(path.name, {}, f"$.totalSize: {shown} of {total} documents; ask for the rest, too (_from)")


def _whole_documents(file: Path, name: str, totals: Counter[int]) -> Iterator[Document]:
    """Yield the documents in a file; of one whose gzip is broken those before the damage, and that it is."""
    try:
        yield from _documents_in(file, name, totals)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield Document(name, {}, f"gzip: {error}")


def _documents_in(file: Path, name: str, totals: Counter[int]) -> Iterator[Document]:
    with _opened(file) as lines:
        first = next((line for line in lines if line.strip()), b"").removeprefix(codecs.BOM_UTF8)
        try:
            whole = _is_whole(orjson.loads(first), lines)
        except ValueError:
            whole = True  # the first line is a part of a longer document, or broken
    if whole:
        with _opened(file) as lines:
            body = lines.read().removeprefix(codecs.BOM_UTF8)
        try:
            yield from _objects(orjson.loads(body), name, totals)
            return
        except ValueError as error:
            if len(body.split(b"\n{")) < 2:
                yield Document(name, {}, str(error))
                return
    yield from _lines(file, name, totals)


def _opened(file: Path) -> BinaryIO:
    """Open a file, gzipped or not, to be read."""
    with file.open("rb") as begin:
        packed = begin.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(file)) if packed else file.open("rb")


def _is_whole(value: Any, rest: Iterable[bytes]) -> bool:
    return not isinstance(value, dict) or not any(line.strip() for line in rest)


def _lines(file: Path, name: str, totals: Counter[int]) -> Iterator[Document]:
    with _opened(file) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield from _objects(orjson.loads(line.removeprefix(codecs.BOM_UTF8)), f"{name}:{number}", totals)
                except ValueError as error:
                    yield Document(f"{name}:{number}", {}, str(error))


def _objects(value: Any, place: str, totals: Counter[int]) -> Iterator[Document]:
    """Yield the objects in a decoded document, with their JSON path where they are in a list."""
    if isinstance(value, dict) and isinstance(value.get("resultSet"), list):
        if isinstance(value.get("totalSize"), int):
            totals[value["totalSize"]] += len(value["resultSet"])
        for number, entry in enumerate(value["resultSet"]):
            inner = entry.get("item", entry) if isinstance(entry, dict) else entry
            yield _object(inner, f"{place} $.resultSet[{number}]")
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield _object(entry, f"{place} $[{number}]")
    else:
        yield _object(value, place)


def _object(value: Any, place: str) -> Document:
    if isinstance(value, dict):
        return Document(place, value)
    return Document(place, {}, f"{type(value).__name__} where an object is due")


def entries(value: Any) -> list[Any]:
    """Return a JSON value as a list: itself, none of ``null``, one of anything else.

    >>> entries(None), entries("a"), entries(["a", "b"])
    ([], ['a'], ['a', 'b'])
    """
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def objects(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects in a JSON value that should be a list of them; what is none is left out."""
    return [entry for entry in entries(value) if isinstance(entry, dict)]


def text(value: Any) -> str:
    """Return a JSON value as text: ``""`` for what is neither a text nor a number."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def own_id(value: Any) -> str:
    """Return the id of a thing, in either version's spelling; a text is an id by itself."""
    if isinstance(value, str):
        return value.strip()
    return (text(value.get("id")) or text(value.get("@id"))) if isinstance(value, Mapping) else ""


def kind(value: Any) -> str:
    """Return the type of a thing without its prefix.

    >>> kind({"@type": "sc:Manifest"}), kind({"type": "Canvas"}), kind({"@type": ["oa:Tag", "cnt:ContentAsText"]})
    ('Manifest', 'Canvas', 'Tag')
    """
    if not isinstance(value, Mapping):
        return ""
    types = entries(value.get("type")) or entries(value.get("@type"))
    return text(types[0]).rpartition(":")[2] if types else ""


def unavailable(iri: str, error: ServiceError, campaign: str) -> Failure:
    """Return the failure of a document that could not be had: gone, or to be tried again in the next run."""
    reason = MISSING if error.code in ("404", "410") else SOURCE_FAILED
    return lost(iri, reason, str(error)[:300], campaign=campaign)
