"""The REST service of WoRMS. In: the World's Aphia records. Out: those asked for; 204 without a body for nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from harvest.standin.exchange import Reply, Request, html_reply, json_reply
from harvest.standin.gbif import one_edit, parsed
from harvest.standin.world import Json, World

MOST_NAMES = 50
Record = Mapping[str, Any]


class Aphia:
    """The Aphia records of a World by id and name."""

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def by_id(self) -> dict[int, Record]:
        """Records by AphiaID."""
        return {r["AphiaID"]: r for r in self.world.aphia}

    @cached_property
    def by_name(self) -> dict[str, list[Record]]:
        """Records by scientific name in lower case."""
        found: dict[str, list[Record]] = defaultdict(list)
        for record in self.world.aphia:
            found[record["scientificname"].lower()].append(record)
        return dict(found)


def answer(aphia: Aphia, request: Request) -> Reply:
    """Return WoRMS' answer to a request under ``/worms``."""
    what, _, subject = request.path.removeprefix("/worms/").partition("/")
    subject = unquote(subject)
    marine = request.params.get("marine_only", "true").lower() != "false"
    if what in ("AphiaRecordsByMatchNames", "AphiaRecordsByNames"):
        names = request.lists.get("scientificnames[]", ())
        if not 0 < len(names) <= MOST_NAMES:
            return html_reply("400 Bad Request", f"1 to {MOST_NAMES} names, please", 400)
        rows = [_of_name(aphia, n, marine) for n in names]
        return _said(rows if any(rows) else None)
    if what == "AphiaRecordsByName":
        return _said(_of_name(aphia, subject, marine) or None)
    if what == "AphiaIDByName":
        return _said(next((r["AphiaID"] for r in _of_name(aphia, subject, marine)), None))
    if what == "AphiaRecordsByAphiaIDs":
        ids = request.lists.get("aphiaids[]", ())
        return _said([aphia.by_id[int(i)] for i in ids if i.isdigit() and int(i) in aphia.by_id] or None)
    if not subject.isdigit():
        return html_reply("400 Bad Request", "The AphiaID is not a number", 400)
    record = aphia.by_id.get(int(subject))
    if what == "AphiaRecordByAphiaID":
        return _said(record)
    if what == "AphiaNameByAphiaID":
        return _said(record["scientificname"] if record else None)
    if what == "AphiaSynonymsByAphiaID":
        return _said([r for r in aphia.world.aphia if _synonym(r, int(subject))] or None)
    if what == "AphiaClassificationByAphiaID":
        return _said(_classification(aphia, record) if record else None)
    return html_reply("404 Not Found", "no such method", 404)


def _of_name(aphia: Aphia, name: str, marine: bool) -> list[Json]:
    canonical, authorship = parsed(name)
    found = aphia.by_name.get(canonical.lower(), [])
    kind = "exact" if found else "near_1"
    if not found and " " in canonical:
        near = [name for name in aphia.by_name if one_edit(name, canonical.lower())]
        found = [record for name in near for record in aphia.by_name[name]]
    same = [r for r in found if not authorship or (r["authority"] or "").strip("()") == authorship.strip("()")]
    kept = [r for r in same or found if not marine or r.get("isMarine")]
    return [dict(r) | {"match_type": kind} for r in kept]


def _synonym(record: Record, aphia_id: int) -> bool:
    return bool(record["valid_AphiaID"] == aphia_id and record["AphiaID"] != aphia_id)


def _classification(aphia: Aphia, record: Record) -> Json:
    steps = [record, *_parents(aphia, record)]
    said: Json | None = None
    for step in steps:
        said = {
            "AphiaID": step["AphiaID"],
            "rank": step["rank"],
            "scientificname": step["scientificname"],
            "child": said,
        }
    return said or {}


def _parents(aphia: Aphia, record: Record) -> Iterable[Record]:
    parent = aphia.by_id.get(record.get("parentNameUsageID") or 0)
    while parent is not None:
        yield parent
        parent = aphia.by_id.get(parent.get("parentNameUsageID") or 0)


def _said(payload: Any) -> Reply:
    return Reply(status=204) if payload is None else json_reply(payload)
