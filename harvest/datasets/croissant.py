"""A dataset in Croissant 1.0 with responsible-AI fields and PROV. In: rows, figures, what it is about. Out: JSON-LD.

https://docs.mlcommons.org/croissant/docs/croissant-spec.html, …/croissant-rai-spec.html, https://www.w3.org/TR/prov-o/.
Paths are relative to the folder, so that it can be read wherever it lies.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harvest.datasets.about import About
from harvest.datasets.figures import Figures
from harvest.datasets.manifest import DatasetClass, Example
from harvest.datasets.revision import Revision
from harvest.datasets.versions import in_short
from harvest.imagestore import SUFFIXES
from linkeddata.settings import HOMEPAGE, VERSION

Json = dict[str, Any]

_CONTEXT: Json = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
CONFORMS = ("http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0")
TABLES = {"manifest.parquet": "application/x-parquet", "manifest.csv": "text/csv", "classes.csv": "text/csv"}
_COLUMNS: Mapping[str, tuple[str, str]] = {
    "file": ("sc:URL", "The published image: concept IRI of the file."),
    "page": ("sc:Text", "Page for people."),
    "sha1": ("sc:Text", "SHA-1 of the image as it was looked at."),
    "split": ("sc:Text", "Side: train, validation, test, known or stranger."),
    "label": ("sc:Text", "Name of the class."),
    "concept": ("sc:Text", "The class: Q-item, else GBIF key."),
    "rank": ("sc:Text", "Rank of the class."),
    "item": ("sc:Text", "Wikidata item of the class."),
    "gbif_key": ("sc:Text", "Numeric key in GBIF's backbone."),
    "col_id": ("sc:Text", "Key in Catalogue of Life XR."),
    "tagged": ("sc:Text", "Name that people tagged, before it was rolled up."),
    "probability": ("sc:Float", "How sure the label is, 0 to 1; 0 where nobody counted."),
    "support": ("sc:Integer", "People behind the label."),
    "status": ("sc:Text", "Status of the label."),
    "source": ("sc:Text", "Campaign or query that the label is from, and how it was counted."),
    "group": ("sc:Text", "Specimen, series or creator: never on two sides."),
    "licence": ("sc:URL", "Licence of the image."),
    "credit": ("sc:Text", "Credit line."),
    "creator": ("sc:Text", "Who made the picture."),
    "institution": ("sc:Text", "Holding institution."),
    "inventory_number": ("sc:Text", "Inventory number."),
}


def croissant(
    about: About,
    examples: Sequence[Example],
    classes: Sequence[DatasetClass],
    figures: Figures,
    version: str,
    tables: Mapping[str, tuple[int, str]],
    revised: Revision | None = None,
) -> bytes:
    """Return the description; ``tables``: size and SHA-256 of each of ``TABLES``; ``version``: the content hash."""
    kinds = sorted({example.path.rpartition(".")[2] for example in examples})
    document: Json = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS),
        "name": about.title,
        "description": _description(about, figures),
        "version": f"1.0.0+sha256.{version[:16]}",
        "license": [licence for licence, _ in figures.licences],
        "url": about.address or HOMEPAGE,
        "datePublished": about.dated[:10],
        "citeAs": cite_as(about, version),
        "keywords": ["natural history illustration", "species", *sorted({c.rank for c in classes if c.rank})],
        "creator": _publisher(about),
        "publisher": _publisher(about),
        "distribution": [*_tables(tables), _images(kinds)],
        "recordSet": [_classes(classes), _examples()],
        **_responsible(about, figures),
        **_provenance(about, version),
        **_revision(about, revised),
    }
    kept = {key: value for key, value in document.items() if value not in ("", [], {})}
    return (json.dumps(kept, ensure_ascii=False, indent=1) + "\n").encode()


def cite_as(about: About, version: str) -> str:
    """Return how the dataset is cited, as BibTeX.

    >>> cite_as(About(title="Plates {1}", publisher="Museum", dated="2026-11-01T00:00:00Z"), "0a" * 32)
    '@misc{deboodt_0a0a0a0a, title = {Plates 1}, author = {{Museum}}, year = {2026}, note = {version 0a0a0a0a0a0a0a0a}}'
    """
    told = {
        "title": about.title,
        "author": f"{{{about.publisher}}}" if about.publisher else "",
        "year": about.dated[:4],
        "url": about.address,
        "note": f"version {version[:16]}",
    }
    clean = {
        key: value if key == "author" else value.translate({ord(c): None for c in "{}\\"})
        for key, value in told.items()
    }
    fields = ", ".join(f"{key} = {{{value}}}" for key, value in clean.items() if value)
    return f"@misc{{deboodt_{version[:8]}, {fields}}}"


def _description(about: About, figures: Figures) -> str:
    counted = f"{figures.images:,} labelled images of {figures.classes:,} classes."
    return " ".join(filter(None, (about.description, counted, about.origin)))


def _publisher(about: About) -> Json:
    if not about.publisher:
        return {}
    iri = {"url": about.publisher_iri} if about.publisher_iri else {}
    return {"@type": "sc:Organization", "name": about.publisher, **iri}


def _tables(tables: Mapping[str, tuple[int, str]]) -> list[Json]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": name,
            "name": name,
            "contentUrl": name,
            "contentSize": f"{tables[name][0]} B",
            "encodingFormat": media_type,
            "sha256": tables[name][1],
        }
        for name, media_type in TABLES.items()
    ]


def _images(kinds: Sequence[str]) -> Json:
    mimes = [mime for mime, suffix in SUFFIXES.items() if suffix.removeprefix(".") in kinds]
    return {
        "@type": "cr:FileSet",
        "@id": "images",
        "name": "images",
        "description": "The images, by side of the split and class.",
        "encodingFormat": mimes[0] if len(mimes) == 1 else mimes,
        "includes": [pattern for kind in kinds for pattern in (f"images/*/*.{kind}", f"images/*/*/*.{kind}")],
    }


def _column(record_set: str, table: str, name: str, data_type: str, description: str, **more: Any) -> Json:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{name}",
        "name": name,
        "description": description,
        "dataType": data_type,
        "source": {"fileObject": {"@id": table}, "extract": {"column": name}},
        **more,
    }


def _classes(classes: Sequence[DatasetClass]) -> Json:
    columns = (
        ("concept", "The class: Q-item, else GBIF key."),
        ("label", "Its name."),
        ("rank", "Its rank."),
        ("item", "Its Wikidata item."),
        ("gbif_key", "Its numeric key in GBIF's backbone."),
        ("col_id", "Its key in Catalogue of Life XR."),
    )
    return {
        "@type": "cr:RecordSet",
        "@id": "classes",
        "name": "classes",
        "description": f"The {len(classes)} classes.",
        "key": {"@id": "classes/concept"},
        "field": [_column("classes", "classes.csv", name, "sc:Text", about) for name, about in columns],
    }


def _examples() -> Json:
    """Return the record set of the rows, each with its image, which is found by the name of its file."""
    images = {"fileSet": {"@id": "images"}}
    name = {
        "@type": "cr:Field",
        "@id": "examples/path",
        "name": "path",
        "description": "Where the image lies; it is found by the last part.",
        "dataType": "sc:Text",
        "source": {
            "fileObject": {"@id": "manifest.parquet"},
            "extract": {"column": "path"},
            "transform": {"regex": "(?:.*/)?([^/]+)$"},
        },
        "references": {**images, "extract": {"fileProperty": "filename"}},
    }
    image = {
        "@type": "cr:Field",
        "@id": "examples/image",
        "name": "image",
        "description": "The image.",
        "dataType": "sc:ImageObject",
        "source": {**images, "extract": {"fileProperty": "content"}},
    }
    columns = [_column("examples", "manifest.parquet", key, *told) for key, told in _COLUMNS.items()]
    return {
        "@type": "cr:RecordSet",
        "@id": "examples",
        "name": "examples",
        "description": "One labelled image a record.",
        "key": {"@id": "examples/file"},
        "field": [*columns, name, image],
    }


def _responsible(about: About, figures: Figures) -> Json:
    smallest, middle, largest = figures.balance
    lost = "; ".join(f"{reason}: {number:,}" for reason, number in figures.losses) or "nothing"
    sides = ", ".join(f"{side} {number:,}" for side, number in figures.sides)
    top = figures.sources[0] if figures.sources else ("", 0)
    return {
        "rai:dataCollection": f"{about.origin} The images were made by others and published before; each keeps its own "
        "licence and credit line. Images were fetched once and verified by checksum.",
        "rai:dataCollectionType": ["Web Scraping", "Secondary Data Analysis", "Crowdsourcing"],
        "rai:dataCollectionMissingData": f"Left out, by reason: {lost}. dataset.json lists each file.",
        "rai:dataAnnotationProtocol": [
            "Taxa that people tagged on the published images. Labels of campaigns are counted from several people's "
            "tags; statements found by a query stand alone and have the status “single”. The columns status, support, "
            "probability and source say what stands behind each."
        ],
        "rai:dataPreprocessingProtocol": [
            "Names were resolved to accepted taxa and rolled up to the rank of the classes. Copies with the same "
            f"bytes were left out. Whole groups were put on one side of the split: {sides}."
        ],
        "rai:annotationsPerItem": "The column support says how many people stand behind a label.",
        "rai:dataBiases": [
            f"Classes have from {smallest:,} to {largest:,} images, {middle:,} in the middle. "
            + (f"{top[1]:,} of {figures.images:,} images come from {top[0]}." if top[0] else "")
        ],
        "rai:dataLimitations": [
            "Drawings show what their makers saw and knew; names on old plates may be wrong, and taggers may be, too."
        ],
        "rai:dataUseCases": ["Training and testing of models that recognise species on illustrations and specimens."],
        "rai:dataReleaseMaintenancePlan": "A withdrawn tag, a changed licence or a corrected label makes a new version "
        "with another content hash.",
        "rai:personalSensitiveInformation": [
            "None is collected of those who tagged. Creators are named where the published image names them."
        ],
    }


def _provenance(about: About, version: str) -> Json:
    software = {
        "@type": "prov:SoftwareAgent",
        "name": "De Boodt",
        "url": HOMEPAGE,
        "version": VERSION,
    }
    used: Json = {"@type": "prov:Entity", "name": about.name or about.title}
    if about.endpoint:
        used |= {"prov:atLocation": about.endpoint, "text": about.query}
    if about.fresh:
        used |= {"prov:generatedAtTime": about.fresh}
    return {
        "prov:wasDerivedFrom": {key: value for key, value in used.items() if value},
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "name": f"deboodt dataset build, version {version[:16]}",
            "prov:wasAssociatedWith": software,
        },
    }


def _revision(about: About, revised: Revision | None) -> Json:
    """Return of which version this is a revision, and what changed, for machines and in words."""
    if revised is None:
        return {}
    before: Json = {
        "@type": "prov:Entity",
        "name": f"{about.title}, version {revised.of[:16]}",
        "version": f"1.0.0+sha256.{revised.of[:16]}",
        "sha256": revised.of,
    }
    if about.address:
        before["@id"] = f"{about.address}@{revised.of[:16]}"
    return {"prov:wasRevisionOf": before, "releaseNotes": in_short(revised.difference)}
