"""Everything published, as files. In: a store, a folder. Out: N-Quads, JSON-LD lines, Darwin Core, Parquet, checksums.

The same state gives the same bytes, whenever and wherever it is written: records in key order, no moment of writing, no
file times. Records go through in batches, so that memory stays flat. ``SHA256SUMS`` is written last: a folder that has
it is whole, and ``sha256sum -c`` checks it.
"""

import gzip
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import groupby, islice
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import quoteattr

import orjson

from linkeddata import contexts, documents, iris, jsonld, quads
from linkeddata.agents import agent_document
from linkeddata.dwca import DWC
from linkeddata.files import replaced
from linkeddata.nodes import Document
from linkeddata.records import KEYS, Agent, Identification, Label, MediaFile, Record, Review, Taxon
from linkeddata.selection import Place, Selection, page_of
from linkeddata.store import Store

SUMS = "SHA256SUMS"
BATCH = 500
GZIP_LEVEL = 3
MULTIMEDIA = "http://rs.gbif.org/terms/1.0/Multimedia"
DCTERMS = "http://purl.org/dc/terms/"
DOCUMENTS: dict[type[Record], Callable[[Store, Sequence[Any], str], list[Document]]] = {
    Identification: documents.identification_documents,
    Label: documents.label_documents,
    MediaFile: lambda store, files, base: [jsonld.media_document(one, base_url=base) for one in files],
    Review: documents.review_documents,
    Agent: lambda store, agents, base: [agent_document(one, base_url=base) for one in agents],
    Taxon: lambda store, taxa, base: [jsonld.taxon_document(one, base_url=base) for one in taxa],
}
OCCURRENCE = ("id", "occurrenceID", "basisOfRecord", "institutionCode", "institutionID", "catalogNumber")
NAMED = ("scientificName", "taxonRank", "taxonID")
HISTORY = (
    "id", "identificationID", "scientificName", "taxonRank", "taxonID", "identifiedBy", "dateIdentified",
    "identificationVerificationStatus",
)  # fmt: skip
PICTURES = ("id", "identifier", "references", "format", "title", "creator", "license", "rightsHolder")


def write_dumps(
    store: Store, base: str, folder: Path, *, day: str = "", basis_of_record: str = "Occurrence"
) -> dict[str, str]:
    """Write every dump into ``folder``; return the SHA-256 of each file by name.

    ``day`` (``2026-11-02``) writes only what was said on that day, as it stands now: N-Quads and JSON-LD lines.
    ``basis_of_record`` is what the archive calls a specimen; that is known to the museum alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SUMS).unlink(missing_ok=True)
    base = base.rstrip("/")
    writers: dict[str, Callable[[BinaryIO], None]] = {
        "deboodt.nq.gz": lambda out: _packed(out, nquads(store, base, day)),
        "deboodt.jsonl.gz": lambda out: _packed(out, json_lines(store, base, day)),
        "context.jsonld": lambda out: _all(out, [orjson.dumps(contexts.context(base))]),
    }
    if not day:
        writers["deboodt-dwca.zip"] = lambda out: write_archive(store, base, out, basis_of_record)
        writers["identifications.parquet"] = lambda out: write_parquet(store, base, out)
    for name, write in writers.items():
        with replaced(folder / name) as out:
            write(out)
    sums = {name: _sum(folder / name) for name in sorted(writers)}
    with replaced(folder / SUMS) as out:
        out.write("".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode())
    return sums


def published(store: Store, base: str, day: str = "") -> Iterator[Document]:
    """Yield every document, kind by kind in key order; with ``day`` only what was said on that day."""
    within = Selection(since=day, until=f"{day}~") if day else Selection()  # "~" sorts behind every hour of the day
    for kind, made in DOCUMENTS.items():
        if day and kind not in (Identification, Label, Review):
            continue
        place = Place()
        while records := page_of(store, kind, within, place, BATCH):
            yield from made(store, records, base)
            place = Place(getattr(records[-1], KEYS[kind]))


def nquads(store: Store, base: str, day: str = "") -> Iterator[bytes]:
    """Yield the quads of every document, each in the graph named after it."""
    return (quads.lines(doc, base) for doc in published(store, base, day))


def json_lines(store: Store, base: str, day: str = "") -> Iterator[bytes]:
    """Yield each document as one line; its context is the file ``context.jsonld`` beside."""
    return (orjson.dumps(doc, option=orjson.OPT_APPEND_NEWLINE) for doc in published(store, base, day))


def _all(out: BinaryIO, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        out.write(piece)


def _packed(out: BinaryIO, pieces: Iterable[bytes]) -> None:
    source = iter(pieces)
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=GZIP_LEVEL, mtime=0) as packed:
        while together := b"".join(islice(source, 64)):
            packed.write(together)


def _sum(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def write_archive(store: Store, base: str, out: BinaryIO, basis_of_record: str = "Occurrence") -> None:
    """Write a Darwin Core Archive of specimens: pictures with an inventory number, what was identified, by whom.

    Source: http://rs.tdwg.org/dwc/terms/guides/text/. The occurrence takes the name of its surest identification that
    nobody rejected and none replaced, a verified one before all others.
    """
    tables: dict[str, tuple[str, ...]] = {
        "occurrence.txt": (*OCCURRENCE, *NAMED),
        "identification.txt": HISTORY,
        "multimedia.txt": PICTURES,
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        rows_of = {
            "occurrence.txt": lambda files: [_occurrence(store, files, base, basis_of_record)],
            "identification.txt": lambda files: _identifications(store, files, base),
            "multimedia.txt": lambda files: [_picture(one, _own(files)) for one in files],
        }
        for name, columns in tables.items():
            with archive.open(_entry(name), "w", force_zip64=True) as raw, io.TextIOWrapper(raw, "utf-8") as table:
                table.write("\t".join(columns) + "\n")
                for files in _specimens(store):
                    for row in rows_of[name](files):
                        table.write("\t".join(_cell(row.get(column, "")) for column in columns) + "\n")
        archive.writestr(_entry("meta.xml"), _meta(tables))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # of 1980, so that the bytes say nothing of when
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _cell(value: str) -> str:
    return " ".join(value.split())


def _meta(tables: dict[str, tuple[str, ...]]) -> str:
    types = {"occurrence.txt": f"{DWC}Occurrence", "identification.txt": f"{DWC}Identification"}
    said = []
    for name, columns in tables.items():
        core = name == "occurrence.txt"
        tag = "core" if core else "extension"
        fields = "".join(
            f'<field index="{at}" term={quoteattr((DWC if name in types else DCTERMS) + column)}/>'
            for at, column in enumerate(columns)
            if at
        )
        said.append(
            f'<{tag} encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy="" '
            f'ignoreHeaderLines="1" rowType="{types.get(name, MULTIMEDIA)}"><files><location>{name}</location></files>'
            f'<{"id" if core else "coreid"} index="0"/>{fields}</{tag}>'
        )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<archive xmlns="http://rs.tdwg.org/dwc/text/">{"".join(said)}</archive>\n'


def _specimens(store: Store) -> Iterator[list[MediaFile]]:
    """Yield the files of each specimen together: one institution, one inventory number."""
    for _, files in groupby(store.ordered(MediaFile, "inventory_number"), lambda one: one.inventory_number):
        by_holder: dict[str, list[MediaFile]] = {}
        for one in (one for one in files if not one.gone):
            by_holder.setdefault(one.institution, []).append(one)
        yield from (by_holder[holder] for holder in sorted(by_holder))


def _own(files: list[MediaFile]) -> str:
    """Return what the archive calls the specimen of these files."""
    return f"urn:catalog:{files[0].institution}:{files[0].inventory_number}"


def _named(store: Store, files: list[MediaFile]) -> list[Identification]:
    return [one for one in store.among(Identification, "file", [one.iri for one in files]) if one.label]


def _identifications(store: Store, files: list[MediaFile], base: str) -> list[dict[str, str]]:
    """Return what a specimen was identified as, each time."""
    docs = documents.identification_documents(store, _named(store, files), base)
    return [{"id": _own(files), **_history(doc)} for doc in docs]


def _occurrence(store: Store, files: list[MediaFile], base: str, basis: str) -> dict[str, str]:
    """Return a specimen with the name that it goes by."""
    first, own = files[0], _own(files)
    known = _named(store, files)
    replaced_ = documents.successors_of(store, [one.id for one in known])
    standing = [one for one in known if one.status != "rejected" and one.id not in replaced_]
    best = sorted(standing, key=lambda one: (one.status == "verified", one.certainty, one.id))[-1:]
    said = [_history(doc) for doc in documents.identification_documents(store, best, base)]
    holder = "institutionID" if iris.is_item(first.institution) else "institutionCode"
    return {
        "id": own,
        "occurrenceID": own,
        "basisOfRecord": basis,
        "catalogNumber": first.inventory_number,
        holder: iris.entity(first.institution),
        **({name: said[0].get(name, "") for name in NAMED} if said else {}),
    }


def _history(doc: Document) -> dict[str, str]:
    body = doc["body"]
    said = {name: str(body.get(name, "")) for name in NAMED} | {"identificationID": doc["id"]}
    said["scientificName"] = said["scientificName"] or str(body.get("label", ""))
    return said | {name: str(doc.get(name, "")) for name in HISTORY[5:]}


def _picture(media: MediaFile, own: str) -> dict[str, str]:
    return {
        "id": own,
        "identifier": media.original or media.iri,
        "references": media.page,
        "format": media.mime,
        "title": media.title,
        "creator": media.creator,
        "license": media.licence,
        "rightsHolder": media.credit,
    }


def write_parquet(store: Store, base: str, out: BinaryIO) -> None:
    """Write the identifications as a table with their URIs, one column a field, lists (alternatives …) as JSON."""
    import pyarrow as pa
    from pyarrow import parquet

    kinds: dict[object, pa.DataType] = {float: pa.float64(), int: pa.int64()}  # fixed, not guessed from the first rows
    columns = [(one.name, kinds.get(one.type, pa.string())) for one in fields(Identification)]
    schema = pa.schema([("uri", pa.string()), *columns])
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        place = Place()
        while records := page_of(store, Identification, Selection(), place, 20 * BATCH):
            rows = [
                {"uri": iris.uri(base, "identifications", one.id)}
                | {name: orjson.dumps(said).decode() if said.__class__ is tuple else said for name, said in _said(one)}
                for one in records
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            place = Place(records[-1].id)


def _said(one: Identification) -> Iterator[tuple[str, Any]]:
    return ((field.name, getattr(one, field.name)) for field in fields(Identification))
