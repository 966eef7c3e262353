"""Sides to compare: a campaign asked by one route, or a harvest that was saved. In: a route or a path. Out: ``Side``.

A saved harvest is JSON lines: a head that says when and by which route, then one record a line, as the store prints
its own (``Store.lines``).
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import orjson

from crowd.campaign import LISTS
from crowd.campaignfile import with_routes
from harvest.compare import Seen, Side, side_of, with_seen
from harvest.reach import Reach
from harvest.records import SOURCE_FAILED, Harvested, batches
from harvest.routes import ANSWERED, ROUTE_FAILED
from harvest.sources import harvest_all
from harvest.wiki import ENTITIES, Api, by_id
from linkeddata.errors import ServiceError, UsageError
from linkeddata.files import replaced
from linkeddata.ids import media_of_iri
from linkeddata.records import Agent, CampaignFile, Failure, MediaFile, Tag
from linkeddata.sparql import load_query
from linkeddata.sparqlpieces import Asking, rows

HEAD = "harvest"
RECORDS: dict[str, type[Harvested]] = {
    "agent": Agent,
    "media_file": MediaFile,
    "tag": Tag,
    "campaign_file": CampaignFile,
    "failure": Failure,
}
"""What a line of a saved harvest may hold, by the name that the store gives it; other lines are passed over."""
_NAMES = {kind: name for name, kind in RECORDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a harvest told beside its records: which route answered for which source, and how fresh its data were."""

    answers: tuple[Mapping[str, Any], ...] = ()

    @property
    def moment(self) -> str:
        """The oldest index date among the answers, ``""`` where none was told."""
        return min((str(a["index_date"]) for a in self.answers if a.get("index_date")), default="")

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The addresses of the query services that answered."""
        return tuple(dict.fromkeys(str(a["endpoint"]) for a in self.answers if a.get("endpoint")))


def gather(reach: Reach, via: Iterable[str]) -> tuple[list[Harvested], Told]:
    """Ask every source of a campaign that has a choice of routes, by ``via``; return its records and what was told.

    Nothing is taken for known. Raises ``ServiceError`` where a source could not be asked by any of the routes.
    """
    answers: list[Mapping[str, Any]] = []

    def note(kind: str, subject: str, payload: Mapping[str, Any]) -> None:
        if kind == ANSWERED:
            answers.append({"source": subject, **payload})

    asked = with_routes(reach.campaign, tuple(via))
    nothing: Any = dict.fromkeys(("isa", *LISTS), ())
    asked = replace(asked, **nothing)
    records = list(harvest_all(replace(reach, campaign=asked, known={}, note=note)))
    for record in records:
        if isinstance(record, Failure) and record.reason == SOURCE_FAILED:
            raise ServiceError(f"{record.subject}: {record.detail}", code="no-route")
    kept = [record for record in records if not (isinstance(record, Failure) and record.reason == ROUTE_FAILED)]
    return kept, Told(answers=tuple(answers))


def by_route(reach: Reach, route: str) -> tuple[Side, Told]:
    """Return what one route sees of a campaign. Raises ``ServiceError`` where it cannot be asked."""
    records, told = gather(reach, (route,))
    return side_of(route, records, moment=told.moment), told


def look_again(reach: Reach, side: Side, told: Told, files: Collection[str]) -> Side:
    """Return a side that knows of ``files`` which revision its route has of them, or that it has none."""
    ids = {iri: media for iri in files if (media := _media(iri))}
    if told.endpoints:
        return with_seen(side, _versions(reach, told.endpoints[0], ids))
    api = Api.of(reach.client, reach.settings)
    seen: dict[str, Seen] = {}
    for batch in batches(list(ids), ENTITIES):
        pages = by_id(api, [int(ids[iri][1:]) for iri in batch])
        for iri in batch:
            page = pages.get(int(ids[iri][1:]))
            there = page is not None and bool(page.image)
            seen[iri] = Seen(title=page.title, revision=page.revision) if page and there else Seen(gone=True)
    return with_seen(side, seen)


def _versions(reach: Reach, endpoint: str, ids: Mapping[str, str]) -> dict[str, Seen]:
    asking = Asking(reach.client, reach.settings, endpoint, load_query("versions-of-files"))
    found = rows(asking, {"file": list(ids.values())}) if ids else ()
    return {
        row["file"]: Seen(revision=int(row.get("revision") or 0), modified=row.get("modified", ""))
        for row in found
        if isinstance(row, dict)
    }


def _media(iri: str) -> str:
    try:
        return media_of_iri(iri)
    except ValueError:
        return ""


def save(path: Path, records: Iterable[Harvested], head: Mapping[str, Any]) -> int:
    """Write a harvest to a file of JSON lines, all of it or nothing; return how many records it holds."""
    count = 0
    with replaced(path) as out:
        out.write(orjson.dumps({"record": HEAD, **head}) + b"\n")
        for record in records:
            count += 1
            values = {f.name: getattr(record, f.name) for f in fields(record)}
            out.write(orjson.dumps({"record": _NAMES[type(record)], **values}) + b"\n")
    return count


def saved(path: Path) -> Side:
    """Return the side that a saved harvest makes. Raises ``UsageError`` naming the line that cannot be read."""
    head: dict[str, Any] = {}
    records: list[Harvested] = []
    for number, line in _lines(path):
        try:
            values = json.loads(line)
            if values["record"] == HEAD:
                head = values
            elif values["record"] in RECORDS:
                records.append(record_of(values))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}, line {number}: no record of a harvest: {error}") from error
    told = Told(answers=tuple(head.get("answers", ())))
    return side_of(path.name, records, moment=told.moment or str(head.get("moment", "")))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as lines:
            yield from ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error


def record_of(values: Mapping[str, Any]) -> Harvested:
    """Return the record in one decoded line; fields that are not known here are left out."""
    kind = RECORDS[values["record"]]
    known = {f.name for f in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in known})
