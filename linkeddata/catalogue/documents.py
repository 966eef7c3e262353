"""Descriptions as documents. In: ``Described`` values and holdings. Out: JSON-LD documents that name their context."""

from collections.abc import Sequence
from typing import Any

from linkeddata import iris
from linkeddata.catalogue import datasets
from linkeddata.catalogue.described import CONTEXT, Described, agent_iri, agent_node, contact_iri, dataset_node
from linkeddata.catalogue.holdings import Campaign, Holdings, TrainingExample, TrainingSet, TrainingVersion
from linkeddata.nodes import Document


def dataset_document(one: Described, base: str) -> Document:
    """Return the description of one dataset."""
    return {"@context": context_iri(base), **dataset_node(one, base)}


def example_document(
    around: datasets.Around,
    one: TrainingSet,
    version: TrainingVersion,
    example: TrainingExample,
    labels: Sequence[str],
) -> Document:
    """Return one image of a version of a training dataset; ``labels`` are the ids of the labels it stands on."""
    return {"@context": context_iri(around.base), **datasets.example_node(around, one, version, example, labels)}


def catalogue_document(found: Sequence[Described], holdings: Holdings, base: str) -> Document:
    """Return the catalogue with the descriptions of all its datasets, and the service that answers queries."""
    who = holdings.publisher
    name = who.name or base.partition("://")[2]
    titles = {"en": f"Datasets of {name}", "nl": f"Datasets van {name}"}
    about = {
        "en": "Identifications of organisms in pictures of museum specimens and illustrations, what people's tags add "
        "up to, and what models learn from. All of it is linked data: every record has an address that answers in "
        "several forms. Published with De Boodt.",
        "nl": "Determinaties van organismen op afbeeldingen van museumobjecten en illustraties, wat de tags van mensen "
        "samen zeggen, en waar modellen van leren. Alles is linked data: elk record heeft een adres dat in "
        "verschillende vormen antwoordt. Gepubliceerd met De Boodt.",
    }
    named = [one.iri for one in found]
    service: dict[str, Any] = {
        "id": f"{base}/sparql",
        "type": "dcat:DataService",
        "dcterms:title": {"en": "SPARQL endpoint", "nl": "SPARQL-endpoint"},
        "dcat:endpointURL": f"{base}/sparql",
        "dcat:endpointDescription": f"{base}/openapi.json",
        "dcterms:conformsTo": datasets.SPARQL,
        "dcat:servesDataset": datasets.published_iri(base),
    }
    said = {
        "@context": context_iri(base),
        "id": f"{base}/catalogue",
        "type": ["DataCatalog", "dcat:Catalog", "void:DatasetDescription"],
        "name": titles,
        "description": about,
        "dcterms:title": titles,
        "dcterms:description": about,
        "publisher": agent_node(who, base),
        "dcterms:publisher": agent_iri(who, base),
        "dcat:contactPoint": contact_iri(who, base),
        "license": iris.iri_of(who.licence),
        "dcterms:license": iris.iri_of(who.licence),
        "dataset": [_naming(dataset_node(one, base), who.name and agent_iri(who, base)) for one in found],
        "dcat:dataset": named,
        "dcat:service": service,
    }
    return {key: value for key, value in said.items() if value}


def _naming(node: Document, known: str) -> Document:
    """Return a dataset's node, with no more than the IRI of its publisher where that stands in the document already."""
    publisher = node.get("publisher", {})
    return {**node, "publisher": known} if publisher and publisher["id"] == known else node


def campaign_document(around: datasets.Around, campaign: Campaign) -> Document:
    """Return a campaign: what was asked, when, for whom, and the datasets that came of it."""
    base = around.base
    made = [datasets.published_iri(base, campaign.id)]
    made += [datasets.training_iri(base, campaign.id)] if campaign.training else []
    said = {campaign.language: campaign.description}
    simulated = datasets.SIMULATED if campaign.simulated else {}
    words = {
        language: " ".join(filter(None, (said.get(language, ""), simulated.get(language, ""))))
        for language in dict.fromkeys((*said, *simulated))
    }
    node = {
        "@context": context_iri(base),
        "id": datasets.campaign_iri(base, campaign.id),
        "type": ["Event", "prov:Activity"],
        "name": {campaign.language: campaign.title or campaign.id},
        "description": {language: text for language, text in words.items() if text},
        "startDate": campaign.begins,
        "endDate": campaign.ends,
        "about": list(datasets.subjects(around.store, campaign)),
        "organizer": agent_node(campaign.publisher, base),
        "subjectOf": made,
        "mainEntityOfPage": f"{datasets.campaign_iri(base, campaign.id)}.html",
    }
    return {key: value for key, value in node.items() if value}


def context_iri(base: str) -> str:
    """Return the address of the context of descriptions."""
    return f"{base}/contexts/{CONTEXT}.jsonld"
