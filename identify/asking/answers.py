"""Answers as documents. In: an answer, what it was made of, what is told of its taxon. Out: JSON-LD.

What lies in the store is said by ``linkeddata.jsonld``; here is what is known only at the moment of answering: how the
answer was made, what its ranks weigh, the prediction set, what a curator's knowledge changed, the information beside.
"""

from collections.abc import Sequence

from identify.asking.asked import Wishes
from identify.asking.keeping import Shown
from identify.information import Leaflet
from identify.runtime import Classifier
from linkeddata import documents, jsonld
from linkeddata.iris import iri_of, is_item
from linkeddata.nodes import Document, filled, fraction
from linkeddata.parts import Parts
from linkeddata.percents import percent
from linkeddata.records import Certainty, Changed, Identification, Taxon

PAINTED = "The model learned from painted, simulated plates only and knows nothing about real specimens."
SOORTENREGISTER = "https://www.nederlandsesoorten.nl/linnaeus_ng/app/views/search/nsr_search.php?search="
WIKIPEDIA = "https://www.wikidata.org/wiki/Special:GoToLinkedPage/"


def answered(
    parts: Parts,
    classifier: Classifier,
    answer: Identification,
    wishes: Wishes,
    shown: Sequence[Shown],
    leaflet: Leaflet | None,
) -> Document:
    """Return the document of an answer, with the images that it is about, how it was made and what is told beside."""
    taxon = documents.taxon_of(parts.store, answer.item, answer.gbif_key)
    agent = classifier.bundle.agent
    doc = jsonld.document(answer, taxon=taxon, agent=agent, base_url=parts.base, stored=wishes.store)
    serving, about = classifier.ready(), classifier.bundle.about
    made = [*wishes.told(), f"engine={serving.name}", f"image_px={about.image_px}"]
    doc["wasGeneratedBy"] = doc["wasGeneratedBy"] | {"parameters": made}
    if len(shown) > 1:
        iris = [iri_of(one.iri) for one in shown]
        doc["wasGeneratedBy"] |= {"used": iris}
        doc["target"] = doc["target"] | {"images": iris}
    iri = str(doc["id"])
    doc |= filled(
        {
            "masses": _certainties(answer.masses, f"{iri}#mass"),
            "within": _certainties(answer.within, f"{iri}#within"),
            "coverage": fraction(answer.coverage),
            "priors": [changed_line(one) for one in answer.priors],
        }
    )
    if answer.label and (told := information(leaflet, taxon, answer, iri)):
        doc["information"] = told
    if about.simulated:
        doc["identificationRemarks"] = f"{doc.get('identificationRemarks', '')} {PAINTED}".strip()
    return doc


def information(leaflet: Leaflet | None, taxon: Taxon | None, answer: Identification, iri: str) -> Document:
    """Return what is told of the taxon of an answer: by the museum, and where others tell of it."""
    told = leaflet or Leaflet()
    links = [*told.links, *elsewhere(answer, taxon)]
    size = span_line(told.size_mm, " mm")
    return {
        "id": f"{iri}#information",
        **filled(
            {
                "told": dict(told.texts),
                "size": size,
                "period": span_line(told.years, ""),
                "distribution": dict(told.distribution),
                "similarTo": list(told.similar),
                "pictures": [found for one in told.pictures if (found := iri_of(one))],
                "seeAlso": [{"id": found, "label": label} for label, address in links if (found := iri_of(address))],
            }
        ),
    }


def elsewhere(answer: Identification, taxon: Taxon | None) -> list[tuple[str, str]]:
    """Return where others tell of a taxon: label and address.

    Wikipedia is reached by Wikidata's own way to the article in a language, so that no article has to be known here.
    """
    links: list[tuple[str, str]] = []
    if is_item(answer.item):
        languages = ["en", "nl", *(language for language, _ in (taxon.vernaculars if taxon else ()))]
        named = [one for one in dict.fromkeys(languages) if one.isalpha() and len(one) in (2, 3)][:4]
        links += [(f"Wikipedia ({one})", f"{WIKIPEDIA}{one}wiki/{answer.item}") for one in named]
    if answer.gbif_key.isdecimal():
        links.append(("GBIF", f"https://www.gbif.org/species/{answer.gbif_key}"))
    if answer.label and answer.rank in ("species", "subspecies", "genus"):
        links.append(("Nederlands Soortenregister", f"{SOORTENREGISTER}{answer.label.replace(' ', '+')}"))
    return links


def changed_line(one: Changed) -> str:
    """Return in words what a curator's knowledge changed.

    >>> changed_line(Changed(prior="size", asked="12 to 14 mm", before="Larus canus", after="Sterna", moved=0.25))
    'size (12 to 14 mm) moved 25 % of the probability; first was Larus canus, now Sterna'
    """
    first = f"first was {one.before}, now {one.after}" if one.before != one.after else f"first stays {one.after}"
    return f"{one.prior} ({one.asked}) moved {percent(one.moved)} of the probability; {first}"


def span_line(span: tuple[float, float], unit: str) -> str:
    """Return a range in words, ``""`` for none.

    >>> span_line((45.0, 60.0), " mm"), span_line((1832.0, 1832.0), "")
    ('45–60 mm', '1832')
    """
    low, high = span
    if not high:
        return ""
    return f"{low:g}{unit}" if low == high else f"{low:g}–{high:g}{unit}"


def _certainties(found: Sequence[Certainty], stem: str) -> list[Document]:
    return [
        filled(
            {
                "id": f"{stem}-{number}",
                "type": "PathStep",
                "position": number,
                "label": one.name,
                "taxonRank": one.rank,
                "probability": fraction(one.probability, zero=True),
            }
        )
        for number, one in enumerate(found, 1)
    ]
