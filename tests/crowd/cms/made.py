"""What tests of the way back to museums have in common: an export of the real one's shape, labels, readers."""

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from xml.etree import ElementTree

from crowd.cms.determinations import Claims
from crowd.cms.entries import Entry
from crowd.cms.profile import Key, Profile
from crowd.cms.profilefile import load_profile
from crowd.cms.table import Table, parse_table
from crowd.verdicts import Accepted
from linkeddata.records import Label, MediaFile, Taxon

RIJKSMUSEUM = load_profile("rijksmuseum")
HEADER = (
    "recordnummer;objectnummer;titel;beschrijving;vervaardiger;datering.datum.start;datering.datum.eind;objectnaam;"
    "materiaal;classificatiecode;inhoud.classificatie.code;geografisch_trefwoord;inhoud.hoofdmotief.algemeen;"
    "inhoud.hoofdmotief.specifiek;inhoud.onderwerp;inhoud.persoon.naam;PID_data.URI;PID_werk.URI"
)
"""Columns of the museum's export."""
PLACE = HEADER.split(";").index("inhoud.hoofdmotief.specifiek")


def export_bytes(objects: int = 30, motifs: dict[int, str] | None = None, notes: dict[int, str] | None = None) -> bytes:
    """Return an export as the museum writes them: BOM, ``""`` for what is empty, CRLF, ``$`` between repeats."""
    lines = [HEADER + (";notes.public;notes.public.date" if notes is not None else "")]
    for n in range(objects):
        cells = [str(1000 + n), f"RP-T-{n}", "Een plaat$Plaat" if n % 3 else 'De "plaat"; twee', "", "anoniem"]
        cells += [
            "1600",
            "1610",
            "tekening",
            "papier$verf",
            "",
            "25F711(BUTTERFLY)",
            "",
            "dieren",
            "",
            "",
            "",
            "u",
            "v",
        ]
        cells[PLACE] = (motifs or {}).get(n, "")
        if notes is not None:
            cells += [notes.get(n, ""), ""]
        quoted = ['"' + c.replace('"', '""') + '"' if not c or any(s in c for s in ';"') else c for c in cells]
        lines.append(";".join(quoted))
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def table(data: bytes, profile: Profile = RIJKSMUSEUM) -> Table:
    return parse_table(data, profile.csv, name="base.csv")


def claims(numbers: Iterable[str], *, status: str = "accepted", taxa: int = 7, names: str = "Papilio no{}") -> Claims:
    """Return an accepted label of one of ``taxa`` for a file of each object."""
    files, labels = [], []
    for n, number in enumerate(numbers):
        files.append(MediaFile(iri=f"m{n}", inventory_number=number, page=f"https://commons.example/wiki/File:{n}.jpg"))
        labels.append(label(f"l{n}", f"m{n}", n % taxa, status=status, name=names.format(n % taxa)))
    known = {f"Q{1 + n}": taxon(n) for n in range(taxa)}
    return Claims(files=tuple(files), labels=tuple(labels), taxa=known, base_url="https://deboodt.example")


def label(key: str, file: str, taxon_number: int, *, status: str = "accepted", name: str = "") -> Label:
    return Label(
        id=key, campaign="tag-the-species", file=file, concept=f"Q{1 + taxon_number}",
        name=name or f"Papilio no{taxon_number}", rank="species", item=f"Q{1 + taxon_number}",
        gbif_key=str(100 + taxon_number), support=3, dissent=1, voters=4, probability=4 / 6, status=status,
        method="tree", moment="2026-01-02T03:04:05Z",
    )  # fmt: skip


def taxon(number: int) -> Taxon:
    names = (("nl", f"vlinder {number}"),)
    return Taxon(
        query=f"t{number}", concept=f"Q{1 + number}", item=f"Q{1 + number}", col_id=f"C{number}", vernaculars=names
    )


def reviewed(said: Claims, file: str, concept: str) -> Claims:
    one = Accepted(
        file=file, concept=concept, campaign="tag-the-species", by=("urn:deboodt:person:0a",),
        since="2026-03-04T00:00:00Z", reviews=("r1",),
    )  # fmt: skip
    labels = tuple(replace(x, status="reviewed") if x.file == file else x for x in said.labels)
    return replace(said, labels=labels, accepted={file: [one]})


def entries_in_csv(data: bytes, profile: Profile, key: Key) -> list[Entry]:
    """Read an import file as an import tool does: header, key, values by the repeat sign."""
    stream = io.StringIO(data.decode("utf-8-sig"), newline="")
    rows = list(csv.DictReader(stream, delimiter=profile.csv.delimiter, strict=True))
    sign = profile.keeping.repeat
    return [
        Entry(
            key=row[key.column],
            number="",
            values=tuple(
                (field, tuple(row[field.column].split(sign)) if row[field.column] else ())
                for field in profile.fields
                if field.column in row
            ),
        )
        for row in rows
    ]


def records_in_xml(data: bytes) -> list[ElementTree.Element]:
    return ElementTree.fromstring(data).findall("recordList/record")  # noqa: S314


def records_in_tagged(data: bytes) -> list[list[tuple[str, str]]]:
    found, now = [], []
    for line in data.decode().split("\r\n")[:-1]:
        if line == "**":
            found.append(now)
            now = []
        else:
            now.append((line[:2], line[3:]))
    return found
