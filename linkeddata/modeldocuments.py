"""A model as linked data. In: its classes. Out: a SKOS concept scheme."""

from collections.abc import Sequence

from linkeddata.answerers import weights_of
from linkeddata.iris import iri_of, model_uri
from linkeddata.nodes import Document, filled
from linkeddata.records import Alternative, ModelClass
from linkeddata.taxonnodes import APHIA_LSID, read_from, taxon_id, taxon_iris

MATCHES = {"exact": "exactMatch", "broad": "broadMatch", "close": "closeMatch"}


def model_document(classes: Sequence[ModelClass], *, weights: str = "", base_url: str, full: bool = True) -> Document:
    """Return a model as a SKOS concept scheme, with its classes when ``full``.

    ``classes`` are of one version and at least one. A class links to its Q-item, both GBIF keys, AphiaID and thesaurus
    term by the relation it was trained with (exact, broad or close), and tells when the keys were read.
    """
    base = base_url.rstrip("/")
    model, version = classes[0].model, classes[0].version
    scheme = model_uri(base, model, version)
    concepts = [_concept(one, scheme) for one in sorted(classes, key=lambda c: c.index)] if full else ""
    return filled(
        {
            "@context": f"{base}/context.jsonld",
            "id": scheme,
            "type": ["ConceptScheme", "Model"],
            "name": model,
            "version": version,
            "weights": weights_of(weights),
            "page": model_uri(base, model, version) + ".html",
            "hasTopConcept": concepts,
        }
    )


def _concept(one: ModelClass, scheme: str) -> Document:
    named = Alternative(one.label, 0.0, one.rank, one.item, one.gbif_key, one.col_id)
    same = taxon_iris(named)
    aphia = APHIA_LSID + one.aphia_id if one.aphia_id.isdecimal() else ""
    matched = [*same, *filter(None, [aphia, iri_of(one.term)])]
    return filled(
        {
            "id": f"{scheme}/classes/{one.index}",
            "type": "Concept",
            "label": one.label,
            "notation": str(one.index),
            "taxonRank": one.rank,
            "taxonID": taxon_id(same),
            "higherClassification": " | ".join(step.name for step in one.lineage if step.name),
            "inScheme": scheme,
            **read_from(one.checklist_key if one.gbif_key else "", one.moment),
            **({MATCHES[one.relation]: matched} if one.relation in MATCHES else {}),
        }
    )
