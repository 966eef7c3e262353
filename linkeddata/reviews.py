"""A person's verdict as a document. In: a review and what is known around it. Out: a Web Annotation, *assessing*.

Its target is the label or identification that was judged; its bodies are the verdict, the taxon that it should be
(purpose *editing*), and what the reviewer wrote (*commenting*).
"""

from linkeddata import answerers, iris, nodes, taxonnodes
from linkeddata.nodes import Document
from linkeddata.records import Agent, Alternative, Identification, Label, Review, Taxon
from linkeddata.uris import uri_of


def target_uri(review: Review, base: str) -> str:
    """Return the URI of what was judged; reviews that do not say what kind it is are of identifications."""
    return uri_of(Label if review.kind == "label" else Identification, review.target, base)


def review_document(
    review: Review, *, taxon: Taxon | None = None, agent: Agent | None = None, base_url: str
) -> Document:
    """Return the Web Annotation (https://www.w3.org/TR/annotation-model/#motivation-and-purpose) of a review.

    ``taxon`` is what the correction resolved to, ``agent`` who judged.

    >>> review = Review(id="r", target="a", verdict="accept", agent="urn:deboodt:person:0a", moment="2026")
    >>> doc = review_document(review, base_url="https://deboodt.example")
    >>> doc["motivation"], doc["target"], doc["verdict"]
    ('assessing', 'https://deboodt.example/identifications/a', 'accept')
    """
    base = base_url.rstrip("/")
    iri = uri_of(Review, review.id, base)
    target = target_uri(review, base)
    who = iris.agent_uri(review.agent, base)
    creator = {"id": who, "type": _type(agent), "name": agent.name if agent else ""} if who else {}
    said = [
        _text(f"{iri}#verdict", review.verdict, "assessing"),
        _corrected(review, taxon, iri),
        _text(f"{iri}#comment", review.comment, "commenting"),
    ]
    return nodes.filled(
        {
            "@context": f"{base}/context.jsonld",
            "id": iri,
            "type": "Annotation",
            "motivation": "assessing",
            "body": [one for one in said if one],
            "target": target,
            "created": nodes.date_time(review.moment),
            "creator": nodes.filled(creator),
            "generator": answerers.generator(base),
            "verdict": review.verdict,
            "decides": review.decides or "",
            "campaign": review.campaign,
            "reviewPage": f"{target}.html" if target else "",
        }
    )


def _type(agent: Agent | None) -> str:
    return "Organization" if agent is not None and agent.kind == "Organization" else "Person"


def _text(iri: str, value: str, purpose: str) -> Document:
    said = {"id": iri, "type": "TextualBody", "value": value, "purpose": purpose, "format": "text/plain"}
    return nodes.filled(said) if value else {}


def _corrected(review: Review, taxon: Taxon | None, iri: str) -> Document:
    """Return the taxon that it should be, as far as it is one: a Q-item or ``gbif:KEY``."""
    if not review.correction:
        return {}
    key = review.correction.removeprefix("gbif:") if review.correction.startswith("gbif:") else ""
    item = review.correction if iris.is_item(review.correction) else ""
    name = taxon.name if taxon else ""
    named = Alternative(name or review.correction, 0.0, taxon.rank if taxon else "", item, key)
    node = taxonnodes.taxon_node(named, taxon, f"{iri}#taxon", "editing")
    return {"id": f"{iri}#correction", "type": "SpecificResource", "purpose": "editing", "source": node}
