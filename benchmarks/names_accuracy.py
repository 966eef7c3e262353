"""How often the offline resolver answers as GBIF expects, over the recorded cases, and every miss with its reason.

    python -m benchmarks.names_accuracy [FOLDER of the recordings]

The cases are GBIF's own tests. Those of its class ``…StrictIT`` ask for a strict match, which the recorded cases do not
say; they are asked strictly, have lines of their own, and the figure without that is printed beside. A case whose
expected key is not in the excerpt cannot be answered and is left out, as is one that expects no particular key.

Recorded answers of ``/v1/species/match`` do not say what was asked. For an exact match without context that is the name
of the answer, for "multiple equal matches" the name in its note; those whose usage is in the excerpt are asked again.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nameparser

from benchmarks._figure import figure
from linkeddata.nameindex.answers import NameAnswer, NameQuery
from linkeddata.nameindex.build import build_index
from linkeddata.nameindex.canonical import canonical_full
from linkeddata.nameindex.index import NameIndex, open_index
from linkeddata.nameindex.resolve import resolve_names
from linkeddata.nameindex.sources import open_source
from linkeddata.nameindex.spelling import folded

RECORDINGS = Path(__file__).resolve().parents[1] / "../shared/data"
STRICT = "StrictIT"
EQUALS = "Multiple equal matches for "


@dataclass(frozen=True)
class Outcome:
    """One case and what came of it."""

    case: dict[str, Any]
    answer: NameAnswer
    key_is_right: bool
    type_is_right: bool | None  # None where none is expected
    confidence_is_right: bool | None


def query_of(case: dict[str, Any]) -> NameQuery:
    """Return what a case asks."""
    given = case["classification"]
    return NameQuery(
        case["name"],
        rank=case.get("rank", ""),
        kingdom=given.get("kingdom", ""),
        phylum=given.get("phylum", ""),
        class_=given.get("class", ""),
        order=given.get("order", ""),
        family=given.get("family", ""),
        genus=given.get("genus", ""),
        species=given.get("species", ""),
        strict=STRICT in case["src"],
    )


def judged(case: dict[str, Any], answer: NameAnswer) -> Outcome:
    """Return whether an answer is the one expected."""
    if case["expect"] == "none":
        right = answer.match_type == "NONE"
        return Outcome(case, answer, right, None, None)
    wanted, confidence = case.get("matchType"), case.get("confidence")
    key_is_right = answer.usage_key == str(case["usageKey"])
    return Outcome(
        case,
        answer,
        key_is_right,
        key_is_right and answer.match_type == wanted if wanted else None,
        key_is_right and confidence[0] <= answer.confidence <= confidence[1] if confidence else None,
    )


def outcomes(index: NameIndex, cases: Sequence[dict[str, Any]], *, strict: bool = True) -> list[Outcome]:
    """Return what becomes of the cases."""
    queries = [query_of(case) for case in cases]
    if not strict:
        queries = [replace(query, strict=False) for query in queries]
    return [judged(case, answer) for case, answer in zip(cases, resolve_names(index, queries), strict=True)]


def answerable(index: NameIndex, case: dict[str, Any]) -> bool:
    """Say whether the index can hold the answer: none is expected, or a key that it has."""
    return case["expect"] == "none" or ("usageKey" in case and index.row_of_id("gbif", str(case["usageKey"])) >= 0)


def share(values: Sequence[bool | None]) -> float:
    """Return the share of those that are true, in percent; those that are ``None`` do not count."""
    counted = [value for value in values if value is not None]
    return 100 * sum(counted) / len(counted) if counted else 0.0


def recorded_share(index: NameIndex, folder: Path) -> tuple[float, float, int]:
    """Return the share of recorded answers that are the same usage, or none, here; by a list's first; and how many."""
    told = [asked for path in sorted(folder.glob("*.json")) if (asked := _asked(json.loads(path.read_bytes())))]
    known = [(name, key) for name, key in told if not key or index.row_of_id("gbif", key) >= 0]
    same, listed = [], []
    for (name, key), answer in zip(known, resolve_names(index, [name for name, _ in known]), strict=True):
        same.append(answer.usage_key == key)
        rows = index.rows_named(folded(name))
        listed.append(bool(rows) and index.key(rows[0]) == key)
        if not same[-1]:
            why = answer.reason or answer.scientific_name
            print(f"not as recorded: {name!r}: {key or 'none'}, got {answer.usage_key or 'none'} {why[:200]}")
    return share(same), share(listed), len(same)


def _asked(recorded: dict[str, Any]) -> tuple[str, str] | None:
    """Return the name that a recorded answer was given to, and its key; ``None`` where it cannot be told."""
    note = recorded.get("note", "")
    if recorded.get("matchType") == "NONE" and note.startswith(EQUALS):
        return note.removeprefix(EQUALS), ""
    is_bare = "classification=-2;" in note and ("rank=0" in note or "rank=5" in note)
    if recorded.get("matchType") != "EXACT" or not is_bare or "canonicalName" not in recorded:
        return None
    return recorded["canonicalName"], str(recorded["usageKey"])


def parsing_share(cases: Path) -> tuple[float, float]:
    """Return the share of canonical forms that are as expected, ours and the parser's own, and list our misses."""
    lines = [json.loads(line) for line in cases.read_text(encoding="utf-8").splitlines()]
    ours, parsers = [], []
    for case in lines:
        got = canonical_full(case["name"])
        ours.append(got == case["canonical"])
        parsers.append(_parser_alone(case["name"]) == case["canonical"])
        if not ours[-1]:
            print(f"parsed otherwise: {case['name']!r}: expected {case['canonical']!r}, got {got!r}")
    return share(ours), share(parsers)


def _parser_alone(name: str) -> str:
    try:
        parsed = nameparser.parse(name)
    except nameparser.UnparsableNameError:
        return ""
    if isinstance(parsed, nameparser.Informal):
        return parsed.canonical_name()
    return parsed.canonical_name_without_authorship() or ""


def told(outcome: Outcome) -> str:
    """Return a miss in one line."""
    case, answer = outcome.case, outcome.answer
    wanted = case.get("usageKey", "none")
    return (
        f"{case['test']}: {case['name']!r} {case['classification'] or ''} {case.get('rank', '')}: expected {wanted} "
        f"{case.get('matchType', '')} {case.get('confidence', '')}, got {answer.usage_key or 'none'} "
        f"{answer.match_type} {answer.confidence} {answer.reason or answer.evidence}"
    )


def main() -> None:
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDINGS
    if not data.is_dir():
        sys.exit(f"the recordings of real services are not at {data}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "excerpt.index"
        build_index([open_source(data / "gbif/backbone-excerpt.tsv")], path)
        lines = (data / "gbif/match-cases.jsonl").read_text(encoding="utf-8").splitlines()
        with open_index(path) as index:
            cases = [case for case in map(json.loads, lines) if answerable(index, case)]
            results = outcomes(index, cases)
            loose = outcomes(index, cases, strict=False)
            recorded, listed, asked = recorded_share(index, data / "gbif/match-v1-recorded")
    for result in results:
        if not result.key_is_right:
            print(f"other key: {told(result)}")
        elif result.type_is_right is False:
            print(f"other match type: {told(result)}")
        elif result.confidence_is_right is False:
            print(f"other confidence: {told(result)}")
    print(f"{len(lines)} cases, {len(cases)} with an answer that the excerpt holds")
    beside = "without asking strictly where GBIF's test does"
    for name, aim, field in (
        ("key or none as GBIF expects", 97, "key_is_right"),
        ("match type as GBIF expects", 95, "type_is_right"),
        ("confidence within GBIF's range", 0, "confidence_is_right"),
    ):
        values, others = ([getattr(result, field) for result in told] for told in (results, loose))
        figure(name, share(values), "%", beside=beside, beside_value=share(others), at_least=aim)
        for part, is_strict in (("asked as anybody asks", False), ("GBIF's strict tests, asked strictly", True)):
            of_part = [number for number, case in enumerate(cases) if (STRICT in case["src"]) is is_strict]
            if any(values[number] is not None for number in of_part):
                own, other = (share([told[number] for number in of_part]) for told in (values, others))
                figure(f"{name}: {len(of_part)} {part}", own, "%", beside=beside, beside_value=other)
    figure(
        f"usage or none as GBIF's {asked} recorded answers to bare names", recorded, "%",
        beside="the first usage of that name in the list", beside_value=listed,
    )  # fmt: skip
    ours, parsers = parsing_share(data / "names/parsing-cases.jsonl")
    figure("canonical forms as gnparser's", ours, "%", beside="the parser alone", beside_value=parsers, at_least=97)


if __name__ == "__main__":
    main()
