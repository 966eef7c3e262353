"""The way back into a museum's collection management system.

In: files with accepted labels and identifications, and a profile (TOML) that says what the system calls its fields.
Out: import files, one entry an object, its determinations as repeated fields: CSV as the system itself exports, and
grouped adlibXML for Axiell's import tool.

Only what has a findable object goes out: a file without an inventory number, or with one that another file has too, is
a ``Failure``. Every determination says what it rests on: ``crowd, 3 of 4`` or ``machine, unverified``.
"""

import csv
import io
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from importlib.resources import files as resources
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from crowd.verdicts import STANDS
from linkeddata.errors import UsageError
from linkeddata.files import replaced
from linkeddata.ids import GBIF_SPECIES, WIKIDATA_ENTITY, content_id
from linkeddata.records import Agent, Failure, Identification, Label, MediaFile

NO_OBJECT = "no object number"
AMBIGUOUS = "ambiguous object number"
_ELEMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Determination:
    """One taxon that one object shows, as a museum's system can take it: text throughout, ``""`` where not known."""

    object_number: str
    taxon: str
    rank: str = ""
    item: str = ""
    gbif_key: str = ""
    authority: str = ""
    """Wikidata where there is an item, else GBIF where there is a key."""
    authority_number: str = ""
    authority_iri: str = ""
    source: str = ""
    """``crowd label`` or ``model``."""
    agent: str = ""
    """The crowd of which campaign, a model@version, or a person who wants to be named."""
    date: str = ""
    certainty: str = ""
    """Probability from 0 to 1, three decimals."""
    verification: str = ""
    """``crowd, 3 of 4`` or ``machine, unverified``."""
    page: str = ""
    note: str = ""
    """All of this in one readable line, for a system without fields for it."""


FIELDS = tuple(field.name for field in fields(Determination))
"""What a profile may put into a column or an element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRules:
    """How the system wants its CSV. ``columns``: (its name, our field) in order."""

    columns: tuple[tuple[str, str], ...]
    delimiter: str = ";"
    repeat: str = "$"
    repeat_in_text: str = "＄"
    bom: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlRules:
    """How the system wants its adlibXML. ``groups``, one a determination: (element, ((child, our field), …))."""

    key: str
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one system calls things. A format the profile says nothing about is None."""

    name: str
    title: str
    csv: CsvRules | None = None
    adlibxml: XmlRules | None = None


def determinations(
    files: Iterable[MediaFile],
    labels: Iterable[Label] = (),
    identifications: Iterable[Identification] = (),
    agents: Mapping[str, Agent] | None = None,
) -> Iterator[Determination | Failure]:
    """Yield what goes back, by object number, taxon and source; a Failure for each file whose object cannot be told.

    Of the labels the accepted ones, of the identifications those that name a taxon, were not rejected and are not
    superseded. ``files`` should be all the campaign's, for the ambiguous to be seen.
    """
    by_iri = {media.iri: media for media in files}
    shared = Counter(media.inventory_number.strip() for media in by_iri.values())
    claims: list[Label | Identification] = [*_accepted(labels), *_standing(identifications)]
    found: list[Determination] = []
    for iri in sorted({claim.file for claim in claims} & by_iri.keys()):
        number = by_iri[iri].inventory_number.strip()
        if not number or shared[number] > 1:
            yield _lost(iri, AMBIGUOUS if number else NO_OBJECT, number)
    for claim in claims:
        media = by_iri.get(claim.file)
        if media and shared[media.inventory_number.strip()] == 1 and media.inventory_number.strip():
            found.append(_determination(media, claim, agents or {}))
    yield from sorted(found, key=attrgetter(*FIELDS))


def csv_lines(determinations: Iterable[Determination], profile: Profile) -> Iterator[str]:
    """Yield the CSV line by line, the header first (with the byte order mark if the profile wants it).

    One line an object. Every cell has as many values as the object has determinations, so that the n-th belong
    together, or is empty. A repeat sign inside a value is replaced (percent-encoded in a URL).
    Raises ``UsageError`` if the profile has no CSV.
    """
    rules = profile.csv
    if rules is None:
        raise UsageError(f"profile {profile.name} says nothing about csv")
    yield ("\ufeff" if rules.bom else "") + _csv_line([theirs for theirs, _ in rules.columns], rules)
    for number, group in _objects(determinations):
        cells = [
            _printable(number) if ours == "object_number" else _cell(group, ours, rules) for _, ours in rules.columns
        ]
        yield _csv_line(cells, rules)


def adlibxml_lines(determinations: Iterable[Determination], profile: Profile) -> Iterator[str]:
    """Yield grouped adlibXML record by record: one record an object, one group of each kind a determination.

    Raises ``UsageError`` if the profile has no adlibXML.
    """
    rules = profile.adlibxml
    if rules is None:
        raise UsageError(f"profile {profile.name} says nothing about adlibxml")
    yield '<?xml version="1.0" encoding="utf-8"?>\n<adlibXML>\n  <recordList>\n'
    for number, group in _objects(determinations):
        record = ElementTree.Element("record")
        ElementTree.SubElement(record, rules.key).text = _printable(number)
        for element, children in rules.groups:
            for determination in group:
                _xml_group(record, element, children, determination)
        ElementTree.indent(record, level=2)
        yield f"    {ElementTree.tostring(record, encoding='unicode').rstrip()}\n"
    yield "  </recordList>\n</adlibXML>\n"


Export = Callable[[Iterable[Determination], Profile], Iterator[str]]

EXPORTS: dict[str, Export] = {"csv": csv_lines, "adlibxml": adlibxml_lines}
"""The formats by name, as a campaign file says it."""

SUFFIXES = {"csv": ".csv", "adlibxml": ".xml"}


def write_export(determinations: Iterable[Determination], profile: Profile, kind: str, folder: Path) -> Path:
    """Write one import file into ``folder`` and return its path; it is there completely or not at all.

    Raises ``UsageError`` for a format that is not known or that the profile says nothing about.
    """
    if kind not in EXPORTS:
        raise UsageError(f"no export format is called {kind!r}; known are {', '.join(EXPORTS)}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{profile.name}{SUFFIXES[kind]}"
    with replaced(path) as out:
        out.writelines(line.encode() for line in EXPORTS[kind](determinations, profile))
    return path


def profile_names() -> tuple[str, ...]:
    """Return the names of the profiles that come with De Boodt."""
    return tuple(
        sorted(p.name.removesuffix(".toml") for p in resources("crowd.profiles").iterdir() if ".toml" in p.name)
    )


def load_profile(name_or_path: str | Path) -> Profile:
    """Return one of our profiles by name, or a TOML file's. Raises ``UsageError`` naming file, table and key."""
    said = str(name_or_path)
    if said in profile_names():
        source, where = resources("crowd.profiles").joinpath(f"{said}.toml").read_bytes(), f"profile {said}"
    else:
        path = Path(said)
        try:
            source, where = path.read_bytes(), said
        except OSError as error:
            known = ", ".join(profile_names())
            raise UsageError(f"no profile {said!r}: known are {known}, or a path to a TOML file") from error
    return parse_profile(source, name=Path(said).stem, where=where)


def parse_profile(source: bytes, *, name: str, where: str) -> Profile:
    """Return the profile in ``source``; ``where`` stands for it in error messages."""
    try:
        raw = tomllib.loads(source.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{where}: {error}") from error
    table = _Table(where, "", raw)
    title = table.text("title", name)
    of_csv, of_xml = table.table("csv"), table.table("adlibxml")
    table.nothing_else()
    if of_csv is None and of_xml is None:
        raise UsageError(f"{where}: neither [csv] nor [adlibxml]")
    return Profile(
        name=name,
        title=title,
        csv=None if of_csv is None else _csv_rules(of_csv),
        adlibxml=None if of_xml is None else _xml_rules(of_xml),
    )


class _Table:
    """A table of a TOML file that knows where it stands, and whether all of it was asked for."""

    def __init__(self, where: str, name: str, raw: dict[str, Any]) -> None:
        self._where = f"{where}: [{name}]" if name else where
        self._file, self._name, self._rest = where, name, dict(raw)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._rest.pop(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "is missing" if value is None else f"must be text, not {value!r}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._rest.pop(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, f"must be true or false, not {value!r}")
        return value

    def table(self, key: str) -> "_Table | None":
        value = self._rest.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong(key, "must be a table")
        return _Table(self._file, f"{self._name}.{key}" if self._name else key, value)

    def required(self, key: str) -> "_Table":
        found = self.table(key)
        if found is None or not found.keys():
            raise self.wrong(key, "is missing")
        return found

    def keys(self) -> list[str]:
        return list(self._rest)

    def fields(self) -> tuple[tuple[str, str], ...]:
        """Return all entries as (their name, our field)."""
        pairs = tuple((key, self.text(key)) for key in self.keys())
        for theirs, ours in pairs:
            if ours not in FIELDS:
                raise self.wrong(theirs, f"has no field {ours!r} to take; known are {', '.join(FIELDS)}")
        return pairs

    def nothing_else(self) -> None:
        for key in self._rest:
            raise self.wrong(key, "is not a key that means anything")

    def wrong(self, key: str, what: str) -> UsageError:
        return UsageError(f"{self._where} {key} {what}")


def _csv_rules(table: _Table) -> CsvRules:
    delimiter, repeat = table.text("delimiter", ";"), table.text("repeat", "$")
    in_text, bom = table.text("repeat_in_text", "＄"), table.flag("bom", True)
    columns = table.required("columns").fields()
    table.nothing_else()
    for key, sign in (("delimiter", delimiter), ("repeat", repeat)):
        if len(sign) != 1 or sign in '"\r\n':
            raise table.wrong(key, f"must be one character and no quote or line end, not {sign!r}")
    if delimiter == repeat:
        raise table.wrong("repeat", "is the same as the delimiter")
    if repeat in quote(repeat, safe=""):
        raise table.wrong("repeat", f"must be a sign that a URL can do without, not {repeat!r}")
    if repeat in in_text:
        raise table.wrong("repeat_in_text", f"holds the repeat sign {repeat!r} itself")
    if [ours for _, ours in columns].count("object_number") != 1:
        raise table.wrong("columns", "must take object_number exactly once: the system finds the object by it")
    return CsvRules(columns=columns, delimiter=delimiter, repeat=repeat, repeat_in_text=in_text, bom=bom)


def _xml_rules(table: _Table) -> XmlRules:
    key, groups = table.text("key"), table.required("groups")
    table.nothing_else()
    found = tuple((element, groups.required(element).fields()) for element in groups.keys())  # noqa: SIM118
    for element in (key, *(name for group, children in found for name in (group, *(child for child, _ in children)))):
        if not _ELEMENT.fullmatch(element):
            raise table.wrong("groups", f"{element!r} cannot be the name of an XML element")
    return XmlRules(key=key, groups=found)


def _accepted(labels: Iterable[Label]) -> Iterator[Label]:
    return (label for label in labels if label.status in STANDS)


def _standing(identifications: Iterable[Identification]) -> list[Identification]:
    known = list(identifications)
    superseded = {one.supersedes for one in known}
    return [one for one in known if one.label and one.status != "rejected" and one.id not in superseded]


def _determination(media: MediaFile, claim: Label | Identification, agents: Mapping[str, Agent]) -> Determination:
    if isinstance(claim, Label):
        source, taxon, certainty = "crowd label", claim.name, claim.probability
        agent = f"crowd of {claim.campaign}, {claim.method}"
        verification = f"crowd, {claim.support} of {claim.voters}" if claim.voters else "expert"
        if claim.status == "reviewed" and claim.voters:
            verification += ", reviewed"
    else:
        source, taxon, certainty = "model", claim.label, claim.certainty
        agent = f"{claim.model}@{claim.version}"
        verification = f"machine, {claim.status}"
        person = agents.get(claim.agent)
        if person is not None and person.kind == "Person":
            source, agent, verification = "person", person.name or person.id, f"person, {claim.status}"
    authority, number, iri = _authority(claim)
    date, score = claim.moment[:10], f"{certainty:.3f}"
    ids = ", ".join(part for part in (claim.rank, claim.item, claim.gbif_key and f"GBIF {claim.gbif_key}") if part)
    said = f"{taxon} ({ids})" if ids else taxon
    note = "; ".join(part for part in (said, agent, date, f"certainty {score}", verification, media.page) if part)
    return Determination(
        object_number=media.inventory_number.strip(),
        taxon=taxon,
        rank=claim.rank,
        item=claim.item,
        gbif_key=claim.gbif_key,
        authority=authority,
        authority_number=number,
        authority_iri=iri,
        source=f"{source}, simulated" if media.simulated else source,
        agent=agent,
        date=date,
        certainty=score,
        verification=verification,
        page=media.page,
        note=f"SIMULATED SAMPLE: {note}" if media.simulated else note,
    )


def _authority(claim: Label | Identification) -> tuple[str, str, str]:
    if claim.item:
        return "Wikidata", claim.item, f"{WIKIDATA_ENTITY}{claim.item}"
    if claim.gbif_key:
        return "GBIF", claim.gbif_key, f"{GBIF_SPECIES}{claim.gbif_key}"
    return "", "", ""


def _objects(determinations: Iterable[Determination]) -> Iterator[tuple[str, list[Determination]]]:
    ordered = sorted(determinations, key=attrgetter(*FIELDS))
    return ((number, list(group)) for number, group in groupby(ordered, key=attrgetter("object_number")))


def _cell(group: list[Determination], ours: str, rules: CsvRules) -> str:
    values = [_without_repeat(_printable(getattr(one, ours)), rules) for one in group]
    return rules.repeat.join(values) if any(values) else ""


def _without_repeat(value: str, rules: CsvRules) -> str:
    if value.startswith(("http://", "https://")):
        return value.replace(rules.repeat, quote(rules.repeat, safe=""))
    return value.replace(rules.repeat, rules.repeat_in_text)


def _csv_line(cells: list[str], rules: CsvRules) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=rules.delimiter, lineterminator="\r\n").writerow(cells)
    return out.getvalue()


def _xml_group(
    record: ElementTree.Element, element: str, children: tuple[tuple[str, str], ...], determination: Determination
) -> None:
    values = [(theirs, _printable(getattr(determination, ours))) for theirs, ours in children]
    if not any(value for _, value in values):
        return
    group = ElementTree.SubElement(record, element)
    for theirs, value in values:
        if value:
            ElementTree.SubElement(group, theirs).text = value


def _printable(value: str) -> str:
    """Return text that XML and CSV can both hold: one kind of line end, no control characters."""
    return _UNPRINTABLE.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n"))


def _lost(iri: str, reason: str, number: str) -> Failure:
    return Failure(id=content_id("export", iri, reason), step="export", subject=iri, reason=reason, detail=number)
