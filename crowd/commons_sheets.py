"""The same for those who would rather do it themselves. In: outcomes of a comparison. Out: three files.

``quickstatements.txt``
    Lines for QuickStatements, set to Commons (https://www.wikidata.org/wiki/Help:QuickStatements).
``upload.xlsx``
    The upload sheet that the Royal Library of the Netherlands feeds its script with: file, item, a link to look at the
    item, its name. It knows neither qualifiers nor references.
``report.csv``
    What became of each proposal, with the columns of that script's log.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from crowd.campaign import CommonsRules
from crowd.commons_edit import Proposal, qualifiers, reference
from crowd.commons_push import ADD, ADDED, Outcome
from linkeddata.files import replaced
from linkeddata.ids import APPLIES_TO_PART, DEPICTS, DETERMINATION_METHOD, RETRIEVED, STATED_IN

QUICKSTATEMENTS, SHEET, REPORT = "quickstatements.txt", "upload.xlsx", "report.csv"
COLUMNS = ("CommonsFile", "QidDepicts", "Klik", "DepictsLabelForReconciliation")
SHEET_NAME = "CommonsFilesP180Qids"
REPORTED = ("timestamp", "commons_mid", "commons_file", "property", "qid", "action", "details", "edit_id", "dry_run")


def write_sheets(
    folder: Path, outcomes: Sequence[Outcome], rules: CommonsRules, moment: str, *, dry: bool
) -> list[Path]:
    """Write the three files into ``folder``; what was added already is in the report alone. Return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    left = [one.proposal for one in outcomes if one.action == ADD]
    with replaced(folder / QUICKSTATEMENTS) as out:
        out.write("".join(f"{quickstatement(one, rules, moment[:10])}\n" for one in left).encode())
    with replaced(folder / SHEET) as out:
        out.write(upload_sheet(left))
    with replaced(folder / REPORT) as out:
        out.write(report(outcomes, moment, dry=dry).encode("utf-8-sig"))
    return [folder / name for name in (QUICKSTATEMENTS, SHEET, REPORT)]


def quickstatement(proposal: Proposal, rules: CommonsRules, day: str) -> str:
    """Return a proposal as one line for QuickStatements.

    >>> lion = Proposal(file="f", media="M1", title="File:A.jpg", item="Q140", region="pct:1,2,3,4", prominent=True)
    >>> quickstatement(lion, CommonsRules(method="Q275969"), "2026-11-27").split("\\t")
    ['M1', 'P180', 'Q140', 'R+', 'P2677', '"pct:1,2,3,4"', 'S459', 'Q275969', 'S813', '+2026-11-27T00:00:00Z/11']
    """
    said = [proposal.media, DEPICTS, proposal.item, *(["R+"] if proposal.prominent else [])]
    for name, value in qualifiers(proposal):
        said += [name, _value(name, value)]
    why = reference(proposal, rules.method, rules.stated_in)
    for name, value in why:
        said += [f"S{name[1:]}", _value(name, value)]
    return "\t".join([*said, *([f"S{RETRIEVED[1:]}", f"+{day}T00:00:00Z/11"] if why else [])])


def _value(name: str, value: str) -> str:
    quoted = value.replace("\t", " ").replace("\n", " ").replace('"', "")
    return value if name in (APPLIES_TO_PART, DETERMINATION_METHOD, STATED_IN) else f'"{quoted}"'


def upload_sheet(proposals: Iterable[Proposal]) -> bytes:
    """Return the proposals as a workbook."""
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(SHEET_NAME)
    sheet.append(COLUMNS)
    for number, one in enumerate(proposals, start=2):
        cells = [WriteOnlyCell(sheet, value) for value in (one.title, one.item, "", one.name)]
        for cell in cells:
            cell.data_type = "s"  # a title that begins with "=" is no formula
        cells[2] = WriteOnlyCell(sheet, f'=HYPERLINK(CONCATENATE("https://www.wikidata.org/wiki/",B{number}),"Klik")')
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def report(outcomes: Iterable[Outcome], moment: str, *, dry: bool) -> str:
    """Return what became of each proposal, as CSV."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(REPORTED)
    for one in outcomes:
        known = one.proposal
        edit = one.revision if one.action == ADDED else ""
        rows.writerow(
            (moment, known.media, known.title, DEPICTS, known.item, one.action.upper(), one.detail, edit, dry)
        )
    return out.getvalue()
