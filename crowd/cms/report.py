"""The report of an import. In: a ``Delivery``. Out: the same facts as JSON, as text and as a page."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from crowd.cms.delivered import Delivery
from crowd.cms.delta import Finding, losses
from crowd.cms.determinations import Determination
from crowd.cms.earlier import REPORT
from crowd.cms.holdings import NOT_FOUND
from crowd.cms.table import digest

_SHOWN = ("object_number", "key", "taxon", "verification", "certainty", "why", "detail", "image", "review")


def report_of(delivery: Delivery, written: Sequence[str], moment: str) -> dict[str, Any]:
    """Return all that is to be said of a delivery; ``written``: names of the import files."""
    profile, found, base = delivery.profile, delivery.delta, delivery.base
    refused = [{"object_number": one.object_number, **_about(one), "why": why} for one, why in found.refused]
    return {
        "kind": REPORT,
        "profile": profile.name,
        "title": profile.title,
        "made": moment,
        "campaigns": list(delivery.campaigns),
        "base": {"name": base.name, "sha256": digest(base), "records": len(delivery.known.objects)} if base else {},
        "key": delivery.key.column,
        "repeats": profile.repeats,
        "counts": {
            "determinations": len(delivery.made),
            "objects matched": found.objects if base else 0,
            "objects not found": len({one["object_number"] for one in refused if one["why"] == NOT_FOUND}),
            "objects ambiguous": len({one["object_number"] for one in refused if one["why"] != NOT_FOUND}),
            "files whose object is open": len(delivery.lost),
            "determinations added": len(found.additions),
            "values added": sum(len(one.values) for one in found.additions),
            "already there": len(found.present),
            "in conflict": len(found.conflicts),
            "to take back": len(found.take_back),
        },
        "checked": list(delivery.checked),
        "missing_columns": list(delivery.known.missing) if base else [],
        "broken_lines": [row.line for row in base.broken()] if base else [],
        "losses": losses(profile, delivery.known.missing if base else ()),
        "fields": [asdict(field) for field in profile.fields],
        "written": list(written),
        "added": [
            {
                "object_number": one.held.number,
                "key": one.held.key,
                **_about(one.made),
                "values": {field.column or field.element: value for field, value in one.values.items()},
                "determination": {name: value for name, value in asdict(one.made).items() if value},
            }
            for one in found.additions
        ],
        "take_back": [
            {"object_number": one.held.number, "key": one.held.key, **_about(one.note.said), "note": one.note.said.note}
            for one in found.take_back
        ],
        "conflicts": [_finding(one) for one in found.conflicts],
        "present": [_finding(one) for one in found.present],
        "refused": refused,
        "open_files": [{"image": one.subject, "why": one.reason, "detail": one.detail} for one in delivery.lost],
    }


def report_json(report: dict[str, Any]) -> str:
    """Return the report for programs; ``earlier`` reads it."""
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def report_text(report: dict[str, Any], rows: int | None = None) -> str:
    """Return the report for mail and, with at most so many ``rows`` a table, for a terminal."""
    return "\n".join(_lines(report, rows)) + "\n"


def report_html(report: dict[str, Any]) -> str:
    """Return the report as a page that needs nothing else."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(loader=PackageLoader("crowd.cms", ""), undefined=StrictUndefined, autoescape=True)
    return pages.get_template("report.html").render(
        report=report, warnings=list(warnings(report)), sections=list(sections(report))
    )


def warnings(report: dict[str, Any]) -> Iterator[str]:
    """Yield what must be read before the import is done."""
    if not report["base"]:
        yield "Nothing was compared with the museum's own export: do not import this twice, and there is no undo file."
    if report["missing_columns"]:
        names = ", ".join(report["missing_columns"])
        yield f"The export does not show {names}: what goes there is compared with nothing and the undo file leaves it."
    if report["broken_lines"]:
        first = ", ".join(map(str, report["broken_lines"][:20]))
        yield f"{len(report['broken_lines'])} lines of the export have too few or too many cells, and are left: {first}"
    if report["take_back"]:
        yield "Some of what earlier imports added is not accepted any more: take it back by hand or by the file for it."
    if nowhere := [fact for fact, where in report["losses"].items() if where == "nowhere"]:
        yield f"This is lost, the profile has no field for it: {', '.join(nowhere)}."


def sections(report: dict[str, Any]) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Yield the tables of the report: title, columns, rows; those without rows are left out."""
    titles = {
        "take_back": "To take back by hand or with the take-back file",
        "conflicts": "In conflict: not written",
        "refused": "Objects not found or ambiguous: not written",
        "open_files": "Files whose object cannot be told: not written",
        "added": "Added",
        "present": "Already there: not written",
    }
    for key, title in titles.items():
        rows = report[key]
        columns = [name for name in _SHOWN if any(row.get(name) for row in rows)]
        if rows:
            yield title, columns, [[str(row.get(name, "")) for name in columns] for row in rows]


def _lines(report: dict[str, Any], most: int | None) -> Iterator[str]:
    against = f"against {report['base']['name']}" if report["base"] else "without an export to compare with"
    yield f"{report['title']}: import {against}, {report['made']}"
    yield f"update key: {report['key']}; repeated fields: the import must {report['repeats']}"
    yield ""
    for what, number in report["counts"].items():
        yield f"{number:>8,}  {what}"
    for said in warnings(report):
        yield f"NOTE: {said}"
    for said in report["checked"]:
        yield f"tried on a copy: {said}"
    in_note = [fact for fact, where in report["losses"].items() if where.startswith("in the note")]
    if in_note:
        yield f"without a field of their own, in the note: {', '.join(in_note)}"
    yield f"written: {', '.join(report['written']) or _why_nothing(report)}"
    for title, columns, rows in sections(report):
        yield ""
        yield f"{title} ({len(rows):,}; {', '.join(columns)})"
        yield from ("  " + " | ".join(row) for row in rows[:most])
        if most is not None and len(rows) > most:
            yield f"  … and {len(rows) - most:,} more in the report"


def _why_nothing(report: dict[str, Any]) -> str:
    return "nothing" if report["added"] or report["take_back"] else "nothing: there is nothing to import"


def _finding(one: Finding) -> dict[str, str]:
    about = {"object_number": one.held.number, "key": one.held.key, **_about(one.made)}
    return about | {"why": one.why, "detail": one.detail}


def _about(one: Determination) -> dict[str, str]:
    names = ("taxon", "term", "item", "gbif_key", "col_id", "verification", "certainty", "date", "image", "review")
    return {name: getattr(one, name) for name in names}
