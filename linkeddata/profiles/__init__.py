"""The profiles of an identification: the same answer, said as different readers want it.

In: an identification with what is known around it (``Said``). Out: a JSON-LD document, and what it could not say.
``PROFILES`` is the registry; each module says its source and which facts it carries. All functions are pure.
"""

from linkeddata.nodes import Document
from linkeddata.profiles import anno, dwc, linked_art, opends, schema
from linkeddata.profiles.facts import Profile, Said, Sayable, UnsayableError, held, loss

PROFILES: dict[str, Profile] = {
    one.name: one for one in (anno.PROFILE, schema.PROFILE, opends.PROFILE, linked_art.PROFILE, dwc.PROFILE)
}
"""By name, the default first."""
CONTEXTS = ("schema", "opends", "linked-art", "dwc", "catalogue")
"""Profiles with a context of their own, served as ``/contexts/NAME.jsonld``; ``anno`` has ``/context.jsonld``.

``catalogue`` is no profile of identifications: descriptions of datasets are written with it."""

__all__ = ["CONTEXTS", "PROFILES", "Profile", "Said", "Sayable", "UnsayableError", "held", "loss", "loss_document"]


def loss_document(profile: Profile, said: Sayable) -> Document:
    """Return the loss report: which facts are known of what is said, and which the profile cannot say."""
    iri = said.address()
    return {
        "@context": {
            "@version": 1.1,
            "id": "@id",
            "about": {"@id": "http://xmlns.com/foaf/0.1/primaryTopic", "@type": "@id"},
            "profile": {"@id": "http://purl.org/dc/terms/conformsTo", "@type": "@id"},
            "lost": {"@id": f"{said.base}/vocab#lost", "@container": "@set"},
            "held": {"@id": f"{said.base}/vocab#held", "@type": "http://www.w3.org/2001/XMLSchema#integer"},
        },
        "id": f"{iri}?profile={profile.name}&loss=1",
        "about": iri,
        "profile": profile.uri,
        "held": len(held(said)),
        "lost": loss(profile, said),
    }
