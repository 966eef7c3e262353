"""Labels in the profiles of identifications: what people's tags add up to, said as the same models say an answer.

In: a label with what is known around it. Out: a ``Said`` whose annotation is the label's, and the label's own facts.
Nobody verified a label that was only counted: a reviewer's verdict alone makes it ``verified`` or ``rejected``.
"""

from dataclasses import dataclass, fields
from typing import Any

from linkeddata import iris, jsonld
from linkeddata.nodes import Document
from linkeddata.profiles.facts import Profile, Said
from linkeddata.records import Identification, Label, MediaFile, Taxon

STATUS = {"reviewed": "verified", "rejected": "rejected"}
"""What a label's status is as the verification status of an identification; all else is unverified."""
SAID_AS = {
    "file": "file",
    "name": "label",
    "rank": "rank",
    "item": "item",
    "gbif_key": "gbif_key",
    "moment": "moment",
    "probability": "certainty",
}
"""Facts of a label, and what each is called of an identification."""
COUNTED = frozenset(
    [
        "support",
        "dissent",
        "voters",
        "status",
        "counted",
        "method",
        "campaign",
        "path",
        "voices",
        "machine",
        "machine_probability",
        "machine_status",
    ]
)
"""Facts of a label that identifications have none of: the Web Annotation says them, no other profile."""
UNSAID = {"dwc": frozenset({"label.moment"})}
"""What a profile says of an identification alone: the day of counting is no ``dateIdentified``."""
BOOKS = frozenset({"id", "concept"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidOfLabel(Said):
    """A label, as profiles of identifications read it."""

    of: Label

    def annotation(self) -> Document:
        """Return the label's own annotation."""
        return jsonld.label_document(self.of, media=self.media, taxon=self.taxon, base_url=self.base_url)

    def address(self) -> str:
        """Return the URI of its document."""
        return iris.uri(self.base, "labels", self.of.id)

    def held(self) -> dict[str, Any]:
        """Return the facts that are known, by name."""
        own = {f"label.{one.name}": getattr(self.of, one.name) for one in fields(Label) if one.name not in BOOKS}
        around = {fact: value for fact, value in Said.held(self).items() if not fact.startswith("identification.")}
        return {fact: value for fact, value in own.items() if value not in ("", (), 0)} | around

    def carried_by(self, profile: Profile) -> frozenset[str]:
        """Return the names of the facts that a profile carries of this."""
        carried = profile.carries(self)
        own = {f"label.{name}" for name, said_as in SAID_AS.items() if f"identification.{said_as}" in carried}
        own |= {f"label.{name}" for name in COUNTED} if profile.name == "anno" else set()
        return frozenset(own | carried) - UNSAID.get(profile.name, frozenset())


def said_of_label(
    label: Label,
    *,
    media: MediaFile | None,
    taxon: Taxon | None,
    base_url: str,
    handle_prefix: str = "",
    recorded: str = "",
) -> SaidOfLabel:
    """Return ``label`` as an answer that profiles can say."""
    answer = Identification(
        id=label.id,
        file=label.file,
        label=label.name or label.concept,
        rank=label.rank,
        item=label.item,
        gbif_key=label.gbif_key,
        certainty=label.probability,
        moment=label.moment,
        status=STATUS.get(label.status, "unverified"),
        campaign=label.campaign,
    )
    return SaidOfLabel(
        identification=answer,
        media=media,
        taxon=taxon,
        base_url=base_url,
        handle_prefix=handle_prefix,
        recorded=recorded,
        of=label,
    )
