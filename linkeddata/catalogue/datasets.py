"""Which datasets there are. In: the store, the dumps, the holdings. Out: ``Described`` values, one a dataset.

``/datasets/published`` is everything, ``/datasets/published/ID`` belongs to one campaign, ``/datasets/training/ID`` is
what a campaign's models learn from, or a dataset that was built from a query, with a version by content hash behind
``@``; ``/datasets/daily`` is the series of the dumps of single days.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from linkeddata import iris, targets
from linkeddata.catalogue.described import GZIP, IRREGULAR, ZIP, Described, Distribution, Words
from linkeddata.catalogue.holdings import (
    Campaign,
    DataFile,
    Holdings,
    TrainingExample,
    TrainingSet,
    TrainingVersion,
)
from linkeddata.ids import GBIF_SPECIES, WIKIDATA_ENTITY
from linkeddata.negotiation import JSON_LD, N_QUADS
from linkeddata.nodes import Document
from linkeddata.records import Identification, Label, MediaFile, Step, Taxon
from linkeddata.store import Store

SPARQL = "https://www.w3.org/TR/sparql11-protocol/"
LDES = "https://w3id.org/ldes/specification"
DISCOVERY = "https://iiif.io/api/discovery/1.0/"
ANNOTATIONS = "https://www.w3.org/TR/annotation-model/"
DARWIN_CORE = "http://rs.tdwg.org/dwc/text/"
SPARQL_QUERIES = "http://publications.europa.eu/resource/authority/file-type/SPARQLQ"
JSON_LINES = "https://jsonlines.org/"
TSV, PARQUET = "text/tab-separated-values", "application/vnd.apache.parquet"
DUMPS: dict[str, tuple[str, str, tuple[str, ...], Words]] = {
    "deboodt.nq.gz": (
        N_QUADS,
        GZIP,
        ("https://www.w3.org/TR/n-quads/", ANNOTATIONS),
        {"en": "All documents as N-Quads, each in a graph of its name", "nl": "Alle documenten als N-Quads"},
    ),
    "deboodt.jsonl.gz": (
        "",  # no media type is registered for lines of JSON
        GZIP,
        (JSON_LINES, ANNOTATIONS),
        {"en": "All documents as JSON-LD, one a line", "nl": "Alle documenten als JSON-LD, één per regel"},
    ),
    "deboodt-dwca.zip": (
        TSV,
        ZIP,
        (DARWIN_CORE,),
        {"en": "Darwin Core Archive of specimens", "nl": "Darwin Core-archief van objecten"},
    ),
    "identifications.parquet": (
        PARQUET,
        "",
        ("https://parquet.apache.org/docs/file-format/",),
        {"en": "Identifications as a table in Parquet", "nl": "Determinaties als tabel in Parquet"},
    ),
}
"""What ``deboodt publish dumps`` writes: media type, packing, standards (the first is that of the format), name."""
VOCABULARIES = (
    "http://www.w3.org/ns/oa#",
    "http://rs.tdwg.org/dwc/terms/",
    "http://www.w3.org/ns/prov#",
    "http://www.w3.org/2004/02/skos/core#",
    "https://schema.org/",
)
FEATURES = ("JSON-LD", "Turtle", "N-Triples", "N-Quads", "RDF_XML")
SIMULATED: Words = {
    "en": targets.SIMULATED,
    "nl": "Geschilderd en gesimuleerd door De Boodt om te tonen hoe het werkt: geen museumobject, geen mensenwoord.",
}

DumpFiles = Callable[[str], Sequence[DataFile]]
"""The files of the dump ``whole``, or of a day; none where there is no whole dump."""


@dataclass(frozen=True, slots=True)
class Around:
    """What descriptions are made of."""

    store: Store
    base: str
    holdings: Holdings
    dumps: DumpFiles
    days: tuple[str, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether nothing here is of a museum or a person."""
        return bool(self.holdings.campaigns) and all(one.simulated for one in self.holdings.campaigns)


def published_iri(base: str, campaign: str = "") -> str:
    """Return the IRI of everything that is published, or of a campaign's part of it."""
    return iris.uri(f"{base}/datasets", "published", campaign) or f"{base}/datasets/published"


def training_iri(base: str, name: str, version: str = "") -> str:
    """Return the IRI of a training dataset, or of one version."""
    return iris.uri(f"{base}/datasets", "training", name) + (f"@{version}" if version else "")


def campaign_iri(base: str, campaign: str) -> str:
    """Return the IRI of a campaign."""
    return iris.uri(base, "campaigns", campaign)


def all_datasets(around: Around) -> list[Described]:
    """Return every dataset of the catalogue: the whole, each campaign's part, training datasets, the days' series."""
    found = [whole(around)]
    for campaign in around.holdings.campaigns:
        found.append(part(around, campaign))
        found += [training(around, campaign.training_set)] if campaign.training else []
    found += [training(around, one) for one in around.holdings.datasets if one.versions]
    return found + ([daily(around)] if around.days else [])


def whole(around: Around) -> Described:
    """Return the dataset of everything that is published here."""
    store, base = around.store, around.base
    kinds = (Identification, Label, MediaFile, Taxon)
    numbers = [store.count(kind) for kind in kinds]
    created = next((event.moment for event in store.events()), "")
    examples = [iris.uri(base, "identifications", one.id) for one in store.page(Identification, limit=1)]
    examples += [iris.uri(base, "labels", one.id) for one in store.page(Label, limit=1)]
    host = urlsplit(base).netloc
    name = around.holdings.publisher.name or host
    dumped = [way for way in map(dump_way(base, "whole"), around.dumps("whole")) if way]
    parts = [published_iri(base, one.id) for one in around.holdings.campaigns]
    parts += [f"{base}/datasets/daily"] if around.days else []
    return Described(
        iri=published_iri(base),
        name={
            "en": f"Identifications and labels of pictures: all that {name} publishes",
            "nl": f"Determinaties en labels van afbeeldingen: alles wat {name} publiceert",
        },
        description=_with_simulated(_about_whole(numbers), around.simulated),
        publisher=around.holdings.publisher,
        about=tuple(dict.fromkeys(iri for one in around.holdings.campaigns for iri in subjects(store, one))),
        created=created,
        modified=store.latest(),
        distributions=(*dumped, *_services(base), *_lists(base, "")),
        more={
            "hasPart": parts,
            "dcterms:hasPart": parts,
            "dcterms:accrualPeriodicity": IRREGULAR,
            "void:sparqlEndpoint": f"{base}/sparql",
            "void:dataDump": [way.address for way in dumped if way.media_type == N_QUADS],
            "void:uriSpace": f"{base}/",
            "void:entities": sum(numbers),
            "void:exampleResource": examples,
            "void:feature": [f"http://www.w3.org/ns/formats/{name}" for name in FEATURES],
            "void:vocabulary": [*VOCABULARIES, f"{base}/vocab#"],
            "void:subset": [published_iri(base, one.id) for one in around.holdings.campaigns],
        },
    )


def _about_whole(numbers: Sequence[int]) -> Words:
    answers, labels, files, taxa = (f"{number:,}" for number in numbers)
    return {
        "en": f"What people and models say that pictures of organisms show. It holds {answers} identifications and "
        f"{labels} labels of {files} files, with {taxa} resolved names. Each says who or what gave it, when, how "
        "certain, and by which model; taxa are linked to Wikidata and GBIF.",
        "nl": f"Wat mensen en modellen zeggen dat afbeeldingen van organismen tonen. De dataset bevat {answers} "
        f"determinaties en {labels} labels van {files} bestanden, met {taxa} herleide namen. Bij elk staat van wie of "
        "wat het komt, wanneer, hoe zeker en door welk model; taxa zijn verbonden met Wikidata en GBIF.",
    }


def part(around: Around, campaign: Campaign) -> Described:
    """Return the dataset of one campaign's part of what is published."""
    store, base = around.store, around.base
    files = store.count_files_of(campaign.id)
    answers, labels = (store.count(kind, campaign=campaign.id) for kind in (Identification, Label))
    moments = sorted(step.moment for step in store.each(Step, campaign=campaign.id) if step.moment)
    title = campaign.title or campaign.id
    said = f" {campaign.description}" if campaign.description else ""
    about = {
        "en": f"What people and models say that the pictures of the campaign “{title}” show.{said} It holds "
        f"{answers:,} identifications and {labels:,} labels of {files:,} files. Each says who or what gave it, when "
        "and how certain.",
        "nl": f"Wat mensen en modellen zeggen dat de afbeeldingen van de campagne „{title}” tonen. De dataset bevat "
        f"{answers:,} determinaties en {labels:,} labels van {files:,} bestanden. Bij elk staat van wie of wat het "
        "komt, wanneer en hoe zeker.",
    }
    return Described(
        iri=published_iri(base, campaign.id),
        name={
            "en": f"Identifications and labels of the campaign “{title}”",
            "nl": f"Determinaties en labels van de campagne „{title}”",
        },
        description=_with_simulated(about, campaign.simulated),
        publisher=campaign.publisher,
        about=subjects(store, campaign),
        created=moments[0] if moments else "",
        modified=moments[-1] if moments else "",
        distributions=tuple(_lists(base, campaign.id)),
        more={
            "isPartOf": published_iri(base),
            "dcterms:isPartOf": published_iri(base),
            "prov:wasGeneratedBy": campaign_iri(base, campaign.id),
            "void:sparqlEndpoint": f"{base}/sparql",
            "void:entities": answers + labels,
        },
    )


def training(around: Around, one: TrainingSet) -> Described:
    """Return a training dataset as such, which leads to its versions."""
    base, current = around.base, one.versions[0]
    versions = [training_iri(base, one.id, version.name) for version in one.versions]
    source = published_iri(base, one.campaign) if one.campaign else ""
    return Described(
        iri=training_iri(base, one.id),
        name=_training_name(one),
        description=_about_training(one, current),
        publisher=one.publisher,
        about=subjects(around.store, one),
        modified=current.modified,
        distributions=_files(base, one, current),
        more={
            "isBasedOn": source,
            "prov:wasDerivedFrom": source,
            "dcat:hasVersion": versions,
            **({"dcat:hasCurrentVersion": versions[0]} if current.files else {}),
        },
    )


def training_version(
    around: Around, one: TrainingSet, version: TrainingVersion, examples: Sequence[str] = ()
) -> Described:
    """Return one version of a training dataset; ``examples`` are SHA-1s of some of its images."""
    base = around.base
    iri = training_iri(base, one.id, version.name)
    models = [iris.model_uri(base, *name.rsplit("@", 1)) for name in version.models]
    before = training_iri(base, one.id, version.revises[:16]) if version.revises else ""
    return Described(
        iri=iri,
        name={language: f"{name}, {version.name}" for language, name in _training_name(one).items()},
        description=_about_training(one, version),
        publisher=one.publisher,
        about=subjects(around.store, one),
        modified=version.modified,
        version=version.name,
        distributions=_files(base, one, version),
        more={
            "dcat:isVersionOf": training_iri(base, one.id),
            "dcat:previousVersion": before,
            "prov:wasRevisionOf": before,
            "prov:wasDerivedFrom": published_iri(base, one.campaign) if one.campaign else "",
            "void:exampleResource": [f"{iri}/examples/{sha1}" for sha1 in examples],
            "subjectOf": models,
        },
    )


def example_node(
    around: Around, one: TrainingSet, version: TrainingVersion, example: TrainingExample, labels: Sequence[str]
) -> Document:
    """Return one image of a version, tied to its file and to the labels that it learned from, by their ids."""
    base = around.base
    of = training_iri(base, one.id, version.name)
    iri = f"{of}/examples/{example.sha1}"
    said = [iris.uri(base, "labels", label) for label in labels]
    node: Document = {
        "id": iri,
        "type": "ImageObject",
        "name": {"en": f"{example.label or 'No class'} ({example.side})"},
        "about": _concept_iri(example.concept),
        "keywords": example.side,
        "isPartOf": of,
        "dcterms:isPartOf": of,
        "isBasedOn": iris.iri_of(example.file),
        "prov:wasDerivedFrom": [iri for iri in (iris.iri_of(example.file), *said) if iri],
        "subjectOf": said,
        "contentUrl": f"{of}/{example.path}" if version.folder else "",
        "encodingFormat": example.media_type,
        "license": iris.iri_of(example.licence),
        "dcterms:license": iris.iri_of(example.licence),
        "creditText": example.credit or example.creator,
        "acquireLicensePage": iris.iri_of(example.page),
        "mainEntityOfPage": f"{iri}.html",
    }
    return {key: value for key, value in node.items() if value not in ("", [], {})}


def _concept_iri(concept: str) -> str:
    if iris.is_item(concept):
        return WIKIDATA_ENTITY + concept
    key = concept.removeprefix("gbif:")
    return GBIF_SPECIES + key if concept.startswith("gbif:") and key.isdecimal() else ""


def _training_name(one: TrainingSet) -> Words:
    title = one.title or one.id
    if not one.campaign:
        return {"en": f"Training dataset “{title}”", "nl": f"Trainingsdataset „{title}”"}
    return {"en": f"Training dataset of the campaign “{title}”", "nl": f"Trainingsdataset van de campagne „{title}”"}


def _about_training(one: TrainingSet, version: TrainingVersion) -> Words:
    counts = dict(version.counts)
    images, classes = counts.get("images", 0), counts.get("classes", 0)
    learned = ", ".join(version.models)
    here = {
        "en": f"It names {images:,} images of {classes:,} classes and the side each stands on, so that no hand, series "
        "or specimen is on two sides.",
        "nl": f"Zij noemt {images:,} beelden van {classes:,} klassen en aan welke kant elk staat, zodat geen hand, "
        "serie of object aan twee kanten staat.",
    }
    gone = {
        "en": "This version is no longer kept here; its name is the beginning of its content hash.",
        "nl": "Deze versie wordt hier niet meer bewaard; haar naam is het begin van haar hash.",
    }
    models = {
        "en": f" Models that learned from it: {learned}." if learned else "",
        "nl": f" Modellen die ervan leerden: {learned}." if learned else "",
    }
    changed = {
        "en": f" Since the version before: {version.changes}." if version.changes else "",
        "nl": f" Sinds de vorige versie (in het Engels): {version.changes}." if version.changes else "",
    }
    body = here if version.files else gone
    return _with_simulated(
        {
            language: f"{what} {body[language]}{models[language]}{changed[language]}"
            for language, what in _what_it_is(one).items()
        },
        one.simulated,
    )


def _what_it_is(one: TrainingSet) -> Words:
    if one.campaign:
        return {
            "en": "What models of this campaign learn from: a row for each image, with its label as people's tags "
            "decided it, its source, and its own licence.",
            "nl": "Waar modellen van deze campagne van leren: een rij per afbeelding, met het label dat uit de tags "
            "van mensen volgt, de bron en de eigen licentie.",
        }
    said = f"{one.description} " if one.description else ""
    return {
        "en": f"{said if one.language == 'en' else ''}Labelled images to learn from, as a query or a table tells "
        "of them: a row for each image, with its label, its source, and its own licence.",
        "nl": f"{said if one.language == 'nl' else ''}Afbeeldingen met label om van te leren, volgens een zoekvraag "
        "of een tabel: een rij per afbeelding, met het label, de bron en de eigen licentie.",
    }


def _files(base: str, one: TrainingSet, version: TrainingVersion) -> tuple[Distribution, ...]:
    iri = training_iri(base, one.id, version.name)
    return tuple(
        Distribution(
            key=file.name,
            address=f"{iri}/{file.name}",
            name={"en": file.name, "nl": file.name},
            media_type=file.media_type,
            bytes=file.bytes,
            sha256=file.sha256,
            modified=file.modified,
        )
        for file in version.files
    )


def daily(around: Around) -> Described:
    """Return the series of the dumps of single days."""
    base = around.base
    members = [f"{base}/datasets/daily/{day}" for day in around.days]
    return Described(
        iri=f"{base}/datasets/daily",
        name={"en": "What was said on single days", "nl": "Wat op afzonderlijke dagen is gezegd"},
        description={
            "en": "A dump for each of some days: the identifications and labels that came about on it, as they stand "
            "now. A day's dump may change when an answer of that day is reviewed or withdrawn.",
            "nl": "Een dump voor elk van enkele dagen: de determinaties en labels die die dag ontstonden, zoals zij nu "
            "zijn. De dump van een dag kan veranderen als een antwoord van die dag wordt beoordeeld of ingetrokken.",
        },
        publisher=around.holdings.publisher,
        series=True,
        more={"isPartOf": published_iri(base), "hasPart": members, "dcat:seriesMember": members},
    )


def of_day(around: Around, day: str) -> Described:
    """Return the dump of one day as a dataset."""
    base = around.base
    return Described(
        iri=f"{base}/datasets/daily/{day}",
        name={"en": f"Identifications and labels of {day}", "nl": f"Determinaties en labels van {day}"},
        description=_with_simulated(
            {
                "en": f"The identifications and labels that came about on {day}, as they stand now. What was withdrawn "
                "since is not among them.",
                "nl": f"De determinaties en labels die op {day} ontstonden, zoals zij nu zijn. Wat sindsdien is "
                "ingetrokken, staat er niet in.",
            },
            around.simulated,
        ),
        publisher=around.holdings.publisher,
        distributions=tuple(way for way in map(dump_way(base, day), around.dumps(day)) if way),
        more={"dcat:inSeries": f"{base}/datasets/daily", "isPartOf": f"{base}/datasets/daily"},
    )


def dump_way(base: str, part_name: str) -> Callable[[DataFile], Distribution | None]:
    """Return what makes a distribution of a file of a dump; ``None`` for what is no data of its own."""

    def made(one: DataFile) -> Distribution | None:
        if one.name not in DUMPS:
            return None
        media_type, packed, standards, name = DUMPS[one.name]
        return Distribution(
            key=one.name,
            address=f"{base}/dumps/{part_name}/{one.name}",
            name=name,
            media_type=media_type,
            packed=packed,
            conforms_to=standards,
            format="" if media_type else standards[0],
            bytes=one.bytes,
            sha256=one.sha256,
            modified=one.modified,
        )

    return made


def _services(base: str) -> list[Distribution]:
    return [
        Distribution(
            key="sparql",
            address=f"{base}/sparql",
            name={"en": "SPARQL endpoint", "nl": "SPARQL-endpoint"},
            conforms_to=(SPARQL,),
            format=SPARQL_QUERIES,
            service=f"{base}/sparql",
        ),
        Distribution(
            key="feed",
            address=f"{base}/feed",
            name={"en": "All changes as a Linked Data Event Stream", "nl": "Alle wijzigingen als event stream"},
            media_type=JSON_LD,
            conforms_to=(LDES,),
            listed=True,
        ),
        Distribution(
            key="changes",
            address=f"{base}/feed/activity",
            name={"en": "All changes for IIIF Change Discovery", "nl": "Alle wijzigingen voor IIIF Change Discovery"},
            media_type=JSON_LD,
            conforms_to=(DISCOVERY,),
            listed=True,
        ),
    ]


def _lists(base: str, campaign: str) -> list[Distribution]:
    asked = f"?{urlencode({'campaign': campaign})}" if campaign else ""
    names = {
        "identifications": {"en": "Identifications by pages", "nl": "Determinaties per pagina"},
        "labels": {"en": "Labels by pages", "nl": "Labels per pagina"},
    }
    return [
        Distribution(
            key=kind,
            address=f"{base}/{kind}{asked}",
            name=name,
            media_type=JSON_LD,
            conforms_to=(ANNOTATIONS,),
            listed=True,
        )
        for kind, name in names.items()
    ]


def subjects(store: Store, one: Campaign | TrainingSet) -> tuple[str, ...]:
    """Return the IRIs of what something is about: IRIs as they are, Q-items, and names that the store has resolved."""
    return tuple(filter(None, (_subject(store, said) for said in one.about)))


def _subject(store: Store, said: str) -> str:
    if said.startswith(("http://", "https://")):
        return iris.iri_of(said)
    if iris.is_item(said):
        return WIKIDATA_ENTITY + said
    taxon = store.get(Taxon, said)
    if taxon is not None and iris.is_item(taxon.item):
        return WIKIDATA_ENTITY + taxon.item
    return GBIF_SPECIES + taxon.gbif_key if taxon is not None and taxon.gbif_key.isdecimal() else ""


def _with_simulated(words: Words, simulated: bool) -> Words:
    return {language: f"{text} {SIMULATED[language]}" if simulated else text for language, text in words.items()}
