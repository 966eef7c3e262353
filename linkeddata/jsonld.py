"""Records as linked data. In: records and the base URL of this installation. Out: JSON-LD documents as plain dicts.

An identification and a crowd label are W3C Web Annotations (https://www.w3.org/TR/annotation-model/) that use Darwin
Core terms (https://dwc.tdwg.org/terms/) for what is said and PROV for who or what said it. All functions are pure.
The context that documents name is in ``contexts``, models are in ``modeldocuments``.

What is not known is left out; every node has an IRI of its own, so equal records give equal triples.
"""

from collections.abc import Iterable, Sequence

from linkeddata.answerers import creator_of, generator, identified_by
from linkeddata.iris import iri_of, uri, urn
from linkeddata.nodes import Document, date_time, filled, fraction
from linkeddata.records import Agent, Alternative, Identification, Label, MediaFile, Taxon
from linkeddata.targets import SIMULATED, media_node, region_of
from linkeddata.taxonnodes import iris_of_taxon, read_from, taxon_id, taxon_node
from linkeddata.why import why

UNKNOWN = "The model was asked and does not know what this picture shows."


def document(
    identification: Identification,
    *,
    media: MediaFile | None = None,
    taxon: Taxon | None = None,
    agent: Agent | None = None,
    base_url: str,
    stored: bool = True,
    replaced_by: str = "",
) -> Document:
    """Return the Web Annotation, motivation *identifying*, that says what ``identification`` says.

    ``taxon`` adds authorship, classification and vernacular names when it is the taxon identified; ``agent`` is who
    answered (without it the model itself is named). ``stored=False`` is for an answer that nobody keeps: its id is a
    URN, for it will not resolve. ``replaced_by`` is the id of the answer that took its place. Source of the terms: Web
    Annotation Data Model 3, Darwin Core Identification.

    >>> answer = Identification(id="a1", file="urn:sha1:00", model="papillotten", version="1")
    >>> annotation = document(answer, base_url="https://deboodt.example")
    >>> annotation["decision"], "body" in annotation
    ('unknown', False)
    """
    base = base_url.rstrip("/")
    iri = uri(base, "identifications", identification.id) if stored else urn("identification", identification.id)
    target = media_node(identification.file, media, base)
    creator = creator_of(identification, agent, base)
    body = _body(identification, taxon, iri) if identification.label else ""
    remarks = [] if identification.label else [UNKNOWN]
    simulated = media is not None and media.simulated
    return filled(
        {
            "@context": f"{base}/context.jsonld",
            "id": iri,
            "type": ["Annotation", "Identification"],
            "motivation": "identifying",
            "body": body,
            "target": region_of(target, identification.region, iri),
            "created": date_time(identification.moment),
            "creator": creator,
            "generator": generator(base),
            "decision": "identified" if identification.label else "unknown",
            "word": identification.word,
            "certainty": fraction(identification.certainty) if identification.label else "",
            "novelty": fraction(identification.novelty),
            "rule": identification.rule,
            "identifiedBy": identified_by(identification, agent),
            "identifiedByID": creator.get("id", ""),
            "dateIdentified": identification.moment,
            "identificationVerificationStatus": identification.status,
            "identificationRemarks": " ".join(remarks + [SIMULATED] * simulated),
            "alternatives": _alternatives(identification.alternatives, iri),
            "wasGeneratedBy": _activity(iri, identification.moment, creator, target),
            "replaces": uri(base, "identifications", identification.supersedes),
            "isReplacedBy": uri(base, "identifications", replaced_by),
            "campaign": identification.campaign,
            "simulated": simulated or "",
            "reviewPage": f"{iri}.html" if stored else "",
        }
    )


def label_document(
    label: Label, *, media: MediaFile | None = None, taxon: Taxon | None = None, base_url: str
) -> Document:
    """Return the Web Annotation, motivation *tagging*, for what people's tags of one file add up to for one taxon."""
    base = base_url.rstrip("/")
    iri = uri(base, "labels", label.id)
    simulated = media is not None and media.simulated
    target = media_node(label.file, media, base)
    named = Alternative(label.name or label.concept, 0.0, label.rank, label.item, label.gbif_key)
    return filled(
        {
            "@context": f"{base}/context.jsonld",
            "id": iri,
            "type": "Annotation",
            "motivation": "tagging",
            "body": taxon_node(named, taxon, f"{iri}#body", "tagging"),
            "target": target,
            "created": date_time(label.moment),
            "generator": generator(base),
            "probability": fraction(label.probability, zero=label.voters > 0),
            "support": label.support,
            "dissent": label.dissent,
            "voters": label.voters,
            "labelStatus": label.status,
            "countedStatus": label.counted,
            "countedBy": label.method,
            "why": filled(why(label)),
            "path": _path(label, iri),
            "voices": _voices(label, iri),
            "machineSupport": label.machine or "",
            "machineProbability": fraction(label.machine_probability),
            "machineStatus": label.machine_status,
            "campaign": label.campaign,
            "comment": SIMULATED if simulated else "",
            "simulated": simulated or "",
            "reviewPage": f"{iri}.html",
        }
    )


def _path(label: Label, iri: str) -> list[Document]:
    """Return the way down to a label's taxon: how sure each taxon on it is, from the root on."""
    return [
        filled(
            {
                "id": f"{iri}#path-{position}",
                "type": "PathStep",
                "position": position,
                "label": step.name,
                "taxonRank": step.rank,
                "probability": fraction(step.probability, zero=True),
            }
        )
        for position, step in enumerate(label.path, start=1)
    ]


def _voices(label: Label, iri: str) -> list[Document]:
    """Return how many people stand how to a label."""
    return [
        filled(
            {
                "id": f"{iri}#voices-{number}",
                "type": "Voices",
                "stand": one.stand,
                "people": one.voters,
                "choseWithin": one.branch,
                "skill": fraction(one.skill),
            }
        )
        for number, one in enumerate(label.voices, start=1)
    ]


def media_document(media: MediaFile, *, about: Iterable[str] = (), base_url: str) -> Document:
    """Return the image as a ``dctypes:StillImage``; ``about`` are the IRIs of the annotations on it."""
    base = base_url.rstrip("/")
    node = media_node(media.iri, media, base)
    return filled({"@context": f"{base}/context.jsonld", **node, "subjectOf": sorted(filter(None, map(iri_of, about)))})


def taxon_document(taxon: Taxon, *, base_url: str) -> Document:
    """Return a resolved name as ``dwc:Taxon``; the id is the taxon's own (Wikidata, else GBIF), not the query's."""
    base = base_url.rstrip("/")
    own = uri(base, "taxa", taxon.query)
    named = Alternative(taxon.name or taxon.query, 0.0, taxon.rank, taxon.item, taxon.gbif_key, taxon.col_id)
    node = {k: v for k, v in taxon_node(named, taxon, own, "").items() if k not in ("value", "purpose", "format")}
    comment = f"{taxon.match_type}: {taxon.reason}" if taxon.reason else taxon.match_type
    verbatim = "" if taxon.query == taxon.item else taxon.query
    extra = {"type": "Taxon", "verbatimIdentification": verbatim, "comment": comment}
    extra |= read_from(taxon.checklist_key if taxon.gbif_key else "", taxon.moment)
    return filled({"@context": f"{base}/context.jsonld", **node, **extra})


def collection(address: str, label: str, total: int, first: Document) -> Document:
    """Return an AnnotationCollection (Web Annotation 5.1) whose first page is embedded."""
    embedded = {key: value for key, value in first.items() if key not in ("@context", "partOf")}
    return {
        "@context": first["@context"],
        "id": address,
        "type": "AnnotationCollection",
        "label": label,
        "total": total,
        "first": embedded,
    }


def page(address: str, of: str, items: Sequence[Document], following: str, base_url: str) -> Document:
    """Return an AnnotationPage (Web Annotation 5.2): documents without contexts, and the next page's IRI."""
    bare = [{key: value for key, value in item.items() if key != "@context"} for item in items]
    head = {"@context": f"{base_url.rstrip('/')}/context.jsonld", "id": address, "type": "AnnotationPage", "partOf": of}
    return {**head, **({"next": following} if following else {}), "items": bare}


def _body(identification: Identification, taxon: Taxon | None, iri: str) -> Document:
    decided = Alternative(
        identification.label,
        identification.certainty,
        identification.rank,
        identification.item,
        identification.gbif_key,
        identification.col_id,
    )
    return taxon_node(decided, taxon, f"{iri}#body", "identifying")


def _alternatives(alternatives: Sequence[Alternative], iri: str) -> list[Document]:
    ranked = sorted(alternatives, key=lambda one: (-one.probability, one.label))
    return [
        filled(
            {
                "id": f"{iri}#alternative-{number}",
                "type": "Alternative",
                "label": one.label,
                "probability": fraction(one.probability, zero=True),
                "taxonRank": one.rank,
                "taxonID": taxon_id(same := iris_of_taxon(one.item, one.gbif_key, one.col_id)),
                "toTaxon": same[0] if same else "",
            }
        )
        for number, one in enumerate(ranked, start=1)
    ]


def _activity(iri: str, moment: str, creator: Document, target: Document) -> Document:
    return filled(
        {
            "id": f"{iri}#activity",
            "type": "Activity",
            "endedAtTime": date_time(moment),
            "wasAssociatedWith": creator.get("id", ""),
            "used": target["id"],
        }
    )
