"""All checks, one after the other. In: a visit, and shapes that were handed in. Out: findings."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from linkeddata.preflight import descriptions, feed, records, shapes
from linkeddata.preflight.findings import Finding
from linkeddata.preflight.visit import Visit

if TYPE_CHECKING:
    from rdflib import Graph

CHECKS: dict[str, Callable[[Visit], Iterator[Finding]]] = {
    "address": descriptions.address,
    "entrances": descriptions.entrances,
    "descriptions": descriptions.descriptions,
    "distributions": descriptions.distributions,
    "documents": records.documents,
    "feed": feed.feed,
    "gone": feed.gone,
    "contexts": records.contexts,
    "links": records.links,
    "media types": descriptions.media_types,
}
"""The checks in their order; the last three look at all that was read before them."""


def check(
    visit: Visit, handed_in: Sequence["Graph"] = (), told: Callable[[str], None] = lambda name: None
) -> Iterator[Finding]:
    """Yield everything that the checks find, each thing once; ``told`` hears which check is at work."""
    seen: set[Finding] = set()
    for name, look in CHECKS.items():
        told(name)
        for finding in look(visit):
            if finding not in seen:
                seen.add(finding)
                yield finding
    if handed_in:
        told("shapes")
        triples, _ = descriptions.catalogue(visit)
        data = descriptions.n_triples(descriptions.as_published(visit, triples))
        for graph in handed_in:
            yield from shapes.against(graph, data)
