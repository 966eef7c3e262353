"""The profile ``anno``, which is what is served unless another is asked for: ``linkeddata.jsonld.document``."""

from linkeddata.contexts import ANNO_CONTEXT
from linkeddata.nodes import Document
from linkeddata.profiles.facts import FACTS, Profile, Said


def document(said: Said) -> Document:
    """Return the Web Annotation (https://www.w3.org/TR/annotation-model/)."""
    return said.annotation()


def carries(said: Said) -> frozenset[str]:
    """Return all facts but the digest of the bytes: that is said of the file, where it is known."""
    return frozenset(FACTS) - {"identification.sha1"}


PROFILE = Profile("anno", ANNO_CONTEXT, "W3C Web Annotation with Darwin Core and PROV", document, carries)
