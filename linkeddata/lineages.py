"""Which taxa stand below which, as pairs that a database can look up. In: taxa with their lineages. Out: pairs.

A taxon is named by its concept: the Q-item, or ``gbif:KEY``. Every taxon is below itself and each of its ancestors that
has a GBIF key, and so are the ancestors below theirs: an identification of a genus is found under its family even if
only its species were ever resolved. ``Store.put`` keeps the pairs; the newest classification that was read wins.
"""

from dataclasses import dataclass

from linkeddata.records import Taxon


@dataclass(frozen=True, slots=True)
class Placed:
    """What of a taxon decides where it stands; ``steps`` are its ancestors' GBIF keys from the root down."""

    query: str
    concept: str
    item: str
    gbif_key: str
    steps: tuple[str, ...]


def placed(taxon: Taxon) -> Placed:
    """Return where a resolved name stands."""
    steps = tuple(step.gbif_key for step in taxon.lineage)
    return Placed(taxon.query, taxon.concept, taxon.item, taxon.gbif_key, steps)


def concept_of(item: str, gbif_key: str) -> str:
    """Return what a taxon is looked up by: its item, else its GBIF key, ``""`` without either.

    >>> concept_of("Q140", "5219404"), concept_of("", "5219404"), concept_of("", "")
    ('Q140', 'gbif:5219404', '')
    """
    return item or (f"gbif:{gbif_key}" if gbif_key else "")


def pairs(one: Placed) -> dict[str, set[tuple[str, str]]]:
    """Return pairs of ancestor and what is below it, by the source that says so: the name, and each ancestor itself.

    >>> sorted(pairs(Placed("Lion", "Q140", "Q140", "5", ("1", "2")))["Lion"])[:2]
    [('Q140', 'Q140'), ('Q140', 'gbif:5')]
    >>> sorted(pairs(Placed("Lion", "Q140", "Q140", "5", ("1", "2")))["gbif:2"])
    [('gbif:1', 'gbif:2'), ('gbif:2', 'gbif:2')]
    """
    if not one.concept:
        return {one.query: set()}
    chain = [f"gbif:{key}" for key in one.steps if key]
    found = {step: {(above, step) for above in chain[: number + 1]} for number, step in enumerate(chain)}
    own = {one.concept, one.item, f"gbif:{one.gbif_key}" if one.gbif_key else ""} - {""}
    found[one.query] = {(above, name) for name in own for above in (*chain, *own)}
    return found
