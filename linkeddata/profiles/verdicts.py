"""Reviews in profiles. In: a review with what it judged. Out: documents, and what each cannot say.

DiSSCo knows annotations that assess another annotation. In Linked Art a review that names a taxon (accepts or corrects)
is a person's AttributeAssignment; a verdict that assigns nothing has no word there. SCHEMA-AP-NDE and Darwin Core
describe what stands, not who thinks what of it: what a verdict led to is an identification of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from linkeddata import iris
from linkeddata.nodes import Document
from linkeddata.profiles import linked_art, opends
from linkeddata.profiles.facts import Profile, Said, UnsayableError, filled
from linkeddata.records import Agent, Identification, Label, MediaFile, Review, Taxon
from linkeddata.reviews import review_document, target_uri
from linkeddata.uris import uri_of

FACTS = ("target", "verdict", "agent", "moment", "correction", "comment", "campaign", "decides")
ACCEPT = "accept"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidOfReview:
    """A review with what the store knows around it; ``taxon`` is of its correction."""

    review: Review
    judged: Identification | Label | None = None
    media: MediaFile | None = None
    taxon: Taxon | None = None
    agent: Agent | None = None
    base_url: str = ""
    handle_prefix: str = ""

    @property
    def base(self) -> str:
        """The base of our URIs, without a slash at its end."""
        return self.base_url.rstrip("/")

    def address(self) -> str:
        """Return the URI of its document."""
        return uri_of(Review, self.review.id, self.base)

    def document(self) -> Document:
        """Return the Web Annotation."""
        return review_document(self.review, taxon=self.taxon, agent=self.agent, base_url=self.base_url)

    def held(self) -> dict[str, Any]:
        """Return the facts that are known, by name."""
        known = {f"review.{name}": getattr(self.review, name) for name in FACTS}
        if self.agent is not None:
            known["agent.name"] = self.agent.name
        return {fact: value for fact, value in known.items() if value not in ("", False)}

    def carried_by(self, profile: Profile) -> frozenset[str]:
        """Return the names of the facts that a profile carries of this."""
        if profile.name == "anno":
            return frozenset(self.held())
        names = {"target", "agent", "moment", "correction"}
        names |= {"verdict", "comment"} if profile.name == "opends" else set()
        return frozenset({f"review.{name}" for name in names} | {"agent.name"})


def assessment(said: SaidOfReview) -> Document:
    """Return the DiSSCo annotation that assesses another one: verdict, the taxon it should be, what was written.

    Raises ``UnsayableError`` without a moment.
    """
    annotation = said.document()
    moment, review = annotation.get("created", ""), said.review
    if not moment:
        raise UnsayableError("a DiSSCo annotation demands the moment of the statement, which is not known")
    handle = opends.handle(review.id, said.handle_prefix)
    target = opends.handle(review.target, said.handle_prefix) or target_uri(review, said.base)
    source: Document = next((body["source"] for body in annotation["body"] if "source" in body), {})
    return filled(
        {
            "@context": f"{said.base}/contexts/opends.jsonld",
            "@id": handle,
            "@type": "ods:Annotation",
            "dcterms:identifier": handle,
            "ods:fdoType": opends.ANNOTATION_TYPE,
            "ods:status": "Active",
            "ods:version": 1,
            "oa:motivation": "oa:assessing",
            "oa:hasTarget": {
                "@id": target,
                "@type": "ods:Annotation",
                "dcterms:identifier": target,
                "ods:fdoType": opends.ANNOTATION_TYPE,
            },
            "oa:hasBody": {
                "@type": "oa:TextualBody",
                "oa:value": [
                    *(body["value"] for body in annotation["body"] if "value" in body),
                    *([opends.identification_of(source)] if source else []),
                ],
                "dcterms:references": annotation["reviewPage"],
            },
            "dcterms:creator": opends.agent_of(annotation),
            "dcterms:created": moment,
            "dcterms:modified": moment,
            "dcterms:issued": moment,
            "as:generator": opends.generator_of(annotation),
        }
    )


def assignment(said: SaidOfReview) -> Document:
    """Return the VisualItem with the taxon that the reviewer assigns to it.

    Raises ``UnsayableError`` for a verdict that assigns none.
    """
    review, judged = said.review, said.judged
    label = _label_of(judged) if judged is not None else ""
    answer = Identification(id=review.id, file=review.file or (judged.file if judged else ""), status="")
    if review.correction:
        item = review.correction if iris.is_item(review.correction) else ""
        key = review.correction.removeprefix("gbif:") if review.correction.startswith("gbif:") else ""
        name = said.taxon.name if said.taxon else ""
        rank = said.taxon.rank if said.taxon else ""
        answer = replace(answer, label=name or review.correction, rank=rank, item=item, gbif_key=key)
    elif review.verdict == ACCEPT and judged is not None and label:
        answer = replace(answer, label=label, rank=judged.rank, item=judged.item, gbif_key=judged.gbif_key)
    else:
        raise UnsayableError("Linked Art says who assigned which taxon; this verdict assigns none")
    region = judged.region if isinstance(judged, Identification) else ""
    assigned = replace(answer, region=region, agent=review.agent, moment=review.moment)
    return linked_art.document(_Assigned(assigned, said.media, said.taxon, said.agent, said.base_url, review=said))


def _label_of(judged: Identification | Label) -> str:
    return judged.label if isinstance(judged, Identification) else judged.name or judged.concept


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assigned(Said):
    """What a reviewer assigns, as an identification that has the review's address."""

    review: SaidOfReview

    def annotation(self) -> Document:
        """Return the annotation under the review's address, by the person who judged."""
        doc, told, own = Said.annotation(self), self.review.document(), self.review.address()
        body = doc.get("body", {})
        if body.get("id", "").startswith(f"{doc['id']}#"):
            doc["body"] = {**body, "id": f"{own}#taxon"}
        return {**doc, "id": own, "creator": told.get("creator", {}), "reviewPage": told["reviewPage"]}


REVIEWS: dict[str, Callable[[SaidOfReview], Document]] = {
    "anno": SaidOfReview.document,
    "opends": assessment,
    "linked-art": assignment,
}
"""How a review is said, by profile; what is not here cannot say one."""
