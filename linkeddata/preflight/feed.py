"""Whether the feed can be followed in both dresses, and what it took away is gone. In: a visit. Out: findings."""

from collections.abc import Iterator
from typing import Any

from linkeddata.negotiation import JSON_LD
from linkeddata.preflight.findings import NOTE, Finding
from linkeddata.preflight.visit import Visit

IMMUTABLE = "immutable"


def pages(visit: Visit) -> Iterator[tuple[str, Any]]:
    """Yield the pages of the event stream in their order by address; ``None`` for one that does not answer."""
    stream = visit.get(f"{visit.base}/feed", JSON_LD).json or {}
    view = stream.get("view", {})
    at = view.get("id", "") if isinstance(view, dict) else ""
    walked = 0
    while at and (not visit.pages or walked < visit.pages):
        answer = visit.get(at, JSON_LD)
        page = answer.json if not answer.trouble else None
        yield at, page
        walked += 1
        relation = page.get("view", {}).get("relation", {}) if isinstance(page, dict) else {}
        at = relation.get("node", "")


def members(visit: Visit) -> dict[str, str]:
    """Return what last became of each record, by its URI, as far as the feed is walked."""
    return {
        one["isVersionOf"]: one["type"]
        for _, page in pages(visit)
        if isinstance(page, dict)
        for one in page.get("member", [])
    }


def feed(visit: Visit) -> Iterator[Finding]:
    """Yield what a follower of the event stream would stumble over."""
    stream = visit.get(f"{visit.base}/feed", JSON_LD)
    if stream.trouble or not (stream.json or {}).get("view"):
        yield Finding("feed", f"{visit.base}/feed", stream.trouble or "leads to no page")
        return
    expected, last = 1, ""
    for at, page in pages(visit):
        answer = visit.get(at, JSON_LD)
        if not isinstance(page, dict):
            yield Finding("feed", at, answer.trouble or "is no page", "followers stop here")
            return
        for one in page.get("member", []):
            if one.get("sequence") != expected:
                yield Finding(
                    "feed", at, f"version {one.get('sequence')} stands where {expected} is due", "followers lose it"
                )
                return
            expected += 1
        full = "relation" in page.get("view", {})
        if full != (IMMUTABLE in answer.headers.get("cache-control", "")):
            kind = "full and may be kept, but is not called immutable" if full else "open, but is called immutable"
            yield Finding("feed", at, f"is {kind}", "let the server in front pass Cache-Control on as it is")
        last = at if full else ""
    if last:
        yield Finding("feed", last, f"was walked no further than {visit.pages} pages", "--whole walks all", NOTE)
    yield from _activities(visit, 0 if last else expected - 1)


def _activities(visit: Visit, events: int) -> Iterator[Finding]:
    """Yield what a IIIF harvester would stumble over, which goes back from the last page."""
    where = f"{visit.base}/feed/activity"
    doc = visit.get(where, JSON_LD).json or {}
    if doc.get("type") != "OrderedCollection":
        yield Finding("feed", where, visit.get(where, JSON_LD).trouble or "is no ordered collection")
        return
    if events and doc.get("totalItems") != events:
        yield Finding("feed", where, f"counts {doc.get('totalItems')} changes, the event stream {events}")
    at, counted, walked = doc.get("last", {}).get("id", ""), 0, 0
    while at and (not visit.pages or walked < visit.pages):
        answer = visit.get(at, JSON_LD)
        page = answer.json if not answer.trouble else None
        if not isinstance(page, dict) or "orderedItems" not in page:
            yield Finding("feed", at, answer.trouble or "is no page", "harvesters stop here")
            return
        counted += len(page["orderedItems"])
        walked += 1
        at = page.get("prev", {}).get("id", "")
    if not at and counted != doc.get("totalItems"):
        yield Finding("feed", where, f"its pages hold {counted} changes, it counts {doc.get('totalItems')}")


def gone(visit: Visit) -> Iterator[Finding]:
    """Yield what the feed took away and is not answered as gone: 410, with since when and why."""
    taken = [uri for uri, activity in members(visit).items() if activity == "Delete" and visit.ours(uri)]
    for uri in taken[: 10 * visit.samples]:
        answer = visit.get(uri, JSON_LD)
        if answer.status != 410:
            yield Finding("gone", uri, f"the feed says that it was taken away, but it {answer.trouble or 'is there'}")
