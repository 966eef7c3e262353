"""Whether the feed can be followed in both dresses, and what it took away is gone. In: a visit. Out: findings.

The event stream is walked once, page by page; no page is kept, and of what it tells only as much as is looked at later.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from linkeddata.feedforms import FORMS
from linkeddata.negotiation import JSON, JSON_LD
from linkeddata.preflight.findings import NOTE, Finding
from linkeddata.preflight.mediatypes import registered
from linkeddata.preflight.visit import Answer, Visit

IMMUTABLE = "immutable"
VIEW = "https://w3id.org/tree#view"


@dataclass
class Walk:
    """What a walk through the event stream found."""

    samples: int
    """How many records of each kind are remembered from the beginning, and from the end."""
    findings: list[Finding] = field(default_factory=list)
    events: int = 0
    first: str = ""
    """The first page."""
    cut: str = ""
    """The page at which the walk ended although others follow."""
    broken: bool = False
    _first: dict[str, dict[str, None]] = field(default_factory=dict)
    _last: dict[str, dict[str, None]] = field(default_factory=dict)
    gone: dict[str, None] = field(default_factory=dict)
    """Records that were taken away, ten times as many as samples."""

    def take(self, visit: Visit, uri: str, activity: str) -> None:
        """Remember what became of a record, as far as it is of use."""
        kind = uri.removeprefix(visit.base).split("/")[1]
        first, last = self._first.setdefault(kind, {}), self._last.setdefault(kind, {})
        last.pop(uri, None)
        if activity == "Delete":
            first.pop(uri, None)
            if visit.ours(uri) and len(self.gone) < 10 * self.samples:
                self.gone[uri] = None
            return
        self.gone.pop(uri, None)
        if len(first) < self.samples:
            first[uri] = None
        last[uri] = None
        if len(last) > self.samples:
            del last[next(iter(last))]

    def living(self) -> list[str]:
        """Return some records of each kind that are there."""
        return [uri for kind in self._first for uri in (self._first[kind] | self._last[kind])]


def walk(visit: Visit) -> Walk:
    """Go through the event stream, or as many pages as ``visit`` has leave to read; ends at the first fault."""
    done = Walk(visit.samples)
    for at, answer in pages(visit):
        done.first = done.first or at
        page = answer.json if not answer.trouble else None
        if not isinstance(page, dict):
            done.broken = True
            done.findings.append(Finding("feed", at, answer.trouble or "is no page", "followers stop here"))
            return done
        for one in page.get("member", []):
            if one.get("sequence") != done.events + 1:
                said = f"version {one.get('sequence')} stands where {done.events + 1} is due"
                done.findings.append(Finding("feed", at, said, "followers lose it"))
                done.broken = True
                return done
            done.events += 1
            done.take(visit, one["isVersionOf"], one["type"])
        full = bool(_onward(page))
        if full != (IMMUTABLE in answer.headers.get("cache-control", "")):
            kind = "full and may be kept, but is not called immutable" if full else "open, but is called immutable"
            mend = "let the server in front pass Cache-Control on as it is"
            done.findings.append(Finding("feed", at, f"is {kind}", mend))
        done.cut = at if full else ""
    return done


def pages(visit: Visit) -> Iterator[tuple[str, Answer]]:
    """Yield what the pages of the event stream answer, in their order, by address; none is kept."""
    stream = visit.get(f"{visit.base}/feed", JSON_LD).json or {}
    view = stream.get("view", {})
    at = view.get("id", "") if isinstance(view, dict) else ""
    walked = 0
    while at and (not visit.pages or walked < visit.pages):
        answer = visit.passing(at, JSON_LD)
        yield at, answer
        walked += 1
        at = _onward(answer.json) if not answer.trouble and isinstance(answer.json, dict) else ""


def _onward(page: dict[str, Any]) -> str:
    """Return the page after this one."""
    node: str = page.get("view", {}).get("relation", {}).get("node", "")
    return node


def living(visit: Visit) -> list[str]:
    """Return some records of each kind that are there, as far as the feed is walked."""
    return visit.once(walk).living()


def feed(visit: Visit) -> Iterator[Finding]:
    """Yield what a follower of the event stream would stumble over."""
    stream = visit.get(f"{visit.base}/feed", JSON_LD)
    if stream.trouble or not (stream.json or {}).get("view"):
        yield Finding("feed", f"{visit.base}/feed", stream.trouble or "leads to no page")
        return
    done = visit.once(walk)
    yield from done.findings
    if done.broken:
        return
    yield from _forms(visit, done.first)
    if done.cut:
        yield Finding("feed", done.cut, f"was walked no further than {visit.pages} pages", "--whole walks all", NOTE)
    yield from _activities(visit, 0 if done.cut else done.events)


def _forms(visit: Visit, at: str) -> Iterator[Finding]:
    """Yield in which forms that clients of event streams ask for the first page cannot be read."""
    import pyoxigraph

    for form in FORMS:
        if form in (JSON_LD, JSON):
            continue
        answer = visit.passing(at, form)
        if answer.trouble or (answer.media_type != form and registered(answer.media_type)):
            yield Finding("feed", at, answer.trouble or f"asked for {form}, it answers {answer.media_type}")
            continue
        try:
            found = list(pyoxigraph.parse(answer.body, format=pyoxigraph.RdfFormat.from_media_type(form)))
        except SyntaxError as error:
            yield Finding("feed", at, f"cannot be read as {form}: {error}")
            continue
        if not any(quad.predicate.value == VIEW for quad in found):
            yield Finding("feed", at, f"is no page of an event stream in {form}")


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
        answer = visit.passing(at, JSON_LD)
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
    for uri in visit.once(walk).gone:
        answer = visit.get(uri, JSON_LD)
        if answer.status != 410:
            yield Finding("gone", uri, f"the feed says that it was taken away, but it {answer.trouble or 'is there'}")
