"""What goes back to Commons, as statements. In: proposals, what stands there. Out: statements, or why there are none.

Pure. A file gets one statement (P180, depicts) for an item at most, whatever its rank; nothing that is there is changed
or removed. What people call the parts of it: https://commons.wikimedia.org/wiki/Commons:Structured_data/Modeling/Depiction.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linkeddata.ids import (
    APPLIES_TO_PART,
    DEPICTS,
    DETERMINATION_METHOD,
    REFERENCE_URL,
    RELATIVE_POSITION,
    RETRIEVED,
    STATED_IN,
)

Json = dict[str, Any]

THERE = "is there already"
WRONG = "is there as wrong"
FINER = "something more exact is there"
TAKEN_BACK = "was taken back there"
"""Why a proposal makes no statement."""
EDIT_GROUP = "([[:toolforge:editgroups-commons/b/CB/{group}|details]])"
"""How a tool without a name of its own marks the edits of one run
(https://www.wikidata.org/wiki/Wikidata:Edit_groups/Adding_a_tool)."""
LONGEST_SUMMARY = 240
"""Wikibase cuts at 260, with what it says itself before."""
_CALENDAR = "http://www.wikidata.org/entity/Q1985727"
_DAY = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One statement that people would have on a file of Commons."""

    file: str
    """``MediaFile.iri``."""
    media: str
    """The file's M-id."""
    title: str
    item: str
    name: str = ""
    prominent: bool = False
    part: str = ""
    """Q-item, applies to part (P518)."""
    region: str = ""
    """``pct:x,y,w,h``, relative position within the image (P2677)."""
    people: int = 0
    how: str = "review"
    """``review``, or ``counted``."""
    since: str = ""
    """Moment since which it is accepted."""
    url: str = ""
    """Where we say so in public."""
    finer: frozenset[str] = frozenset()
    """Q-items of what is below the taxon."""
    taken_back: str = ""
    """Moment at which somebody took the statement off the file; empty: nobody did."""


def reason_against(proposal: Proposal, statements: Mapping[str, Sequence[Json]], sent: Collection[str] = ()) -> str:
    """Return why nothing is added to a file's statements, ``""`` where the proposal's is.

    ``sent`` are the items that we put on this file before: what of these is not there any more, somebody took back.

    >>> lion = Proposal(file="f", media="M1", title="File:A.jpg", item="Q140", finer=frozenset({"Q15293552"}))
    >>> there = {"P180": [{"rank": "deprecated", "mainsnak": snak("P180", "Q140")}]}
    >>> reason_against(lion, there), reason_against(lion, {}), reason_against(lion, {}, ["Q140"])
    ('is there as wrong', '', 'was taken back there')
    """
    there = dict(items_of(statements))
    if proposal.item in there:
        return WRONG if there[proposal.item] == "deprecated" else THERE
    if proposal.finer & {item for item, rank in there.items() if rank != "deprecated"}:
        return FINER
    if proposal.item in sent or proposal.taken_back > proposal.since:
        return TAKEN_BACK
    return ""


def items_of(statements: Mapping[str, Sequence[Json]]) -> Iterable[tuple[str, str]]:
    """Yield the items that a file is said to depict, each with its rank; the wrong ones first."""
    said = []
    for one in statements.get(DEPICTS, ()):
        value = one.get("mainsnak", {}).get("datavalue", {}).get("value", {})
        if isinstance(value, dict) and value.get("id"):
            said.append((value["id"], one.get("rank", "normal")))
    return sorted(said, key=lambda pair: pair[1] != "deprecated")


def statement(proposal: Proposal, guid: str, day: str, *, method: str = "", stated_in: str = "") -> Json:
    """Return the proposal as Wikibase's JSON, with what it rests on as a reference.

    ``guid`` is drawn before it is sent: sent twice, it is the same statement. ``day`` is today, ``2026-11-27``.
    """
    made: Json = {"mainsnak": snak(DEPICTS, proposal.item), "type": "statement", "id": guid}
    made["rank"] = "preferred" if proposal.prominent else "normal"
    if told := qualifiers(proposal):
        made |= {
            "qualifiers": {name: [snak(name, value)] for name, value in told},
            "qualifiers-order": [n for n, _ in told],
        }
    if why := reference(proposal, method, stated_in):
        snaks = {name: [snak(name, value)] for name, value in why} | {RETRIEVED: [_day(day)]}
        made["references"] = [{"snaks": snaks, "snaks-order": list(snaks)}]
    return made


def qualifiers(proposal: Proposal) -> list[tuple[str, str]]:
    """Return what the statement is about more closely, by property."""
    return [pair for pair in ((APPLIES_TO_PART, proposal.part), (RELATIVE_POSITION, proposal.region)) if pair[1]]


def reference(proposal: Proposal, method: str, stated_in: str) -> list[tuple[str, str]]:
    """Return what the statement rests on, by property; without the day, which alone would say nothing."""
    said = ((DETERMINATION_METHOD, method), (STATED_IN, stated_in), (REFERENCE_URL, proposal.url))
    return [pair for pair in said if pair[1]]


def snak(name: str, value: str) -> Json:
    """Return a property with a value: an item for what looks like a Q-id, else a text.

    >>> snak("P2677", "pct:1,2,3,4")["datavalue"]
    {'value': 'pct:1,2,3,4', 'type': 'string'}
    """
    is_item = name in (DEPICTS, APPLIES_TO_PART, DETERMINATION_METHOD, STATED_IN)
    item = (
        {"value": {"entity-type": "item", "numeric-id": int(value[1:]), "id": value}, "type": "wikibase-entityid"}
        if is_item
        else {}
    )
    return {"snaktype": "value", "property": name, "datavalue": item or {"value": value, "type": "string"}}


def _day(day: str) -> Json:
    value = {
        "time": f"+{day}T00:00:00Z",
        "timezone": 0,
        "before": 0,
        "after": 0,
        "precision": _DAY,
        "calendarmodel": _CALENDAR,
    }
    return {"snaktype": "value", "property": RETRIEVED, "datavalue": {"value": value, "type": "time"}}


def new_guid(media: str) -> str:
    """Return an id for a statement that is to be."""
    return f"{media}${str(uuid.uuid4()).upper()}"


def summary(words: str, group: str) -> str:
    """Return what an edit says of itself, with a link to all edits of the run.

    >>> summary("Depicts, accepted by people: Eggs", "8a1f")
    'Depicts, accepted by people: Eggs ([[:toolforge:editgroups-commons/b/CB/8a1f|details]])'
    """
    link = EDIT_GROUP.format(group=group)
    room = LONGEST_SUMMARY - len(link) - 1
    said = " ".join(words.split())
    return f"{said if len(said) <= room else said[: room - 1] + '…'} {link}"


def difference(proposal: Proposal, *, method: str = "", stated_in: str = "") -> str:
    """Return what the statement would add, for people.

    >>> print(difference(Proposal(file="f", media="M1", title="File:A.jpg", item="Q140", name="lion", people=2)))
    + depicts (P180) Q140 lion
        accepted by 2 people
    """
    rank = ", preferred" if proposal.prominent else ""
    lines = [f"+ depicts (P180) {proposal.item} {proposal.name}".rstrip() + rank]
    lines += [f"    {NAMES[name]} ({name}) {value}" for name, value in qualifiers(proposal)]
    lines += [
        f"    reference: {NAMES[name]} ({name}) {value}" for name, value in reference(proposal, method, stated_in)
    ]
    who = "1 person" if proposal.people == 1 else f"{proposal.people} people"
    lines.append(f"    {'accepted' if proposal.how == 'review' else 'counted as accepted, said'} by {who}")
    return "\n".join(lines)


NAMES = {
    APPLIES_TO_PART: "applies to part",
    RELATIVE_POSITION: "position in the image",
    DETERMINATION_METHOD: "determination method",
    STATED_IN: "stated in",
    REFERENCE_URL: "reference URL",
}
"""Properties in words."""
