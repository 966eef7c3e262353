"""What De Boodt knows of files, out of the store. In: a store, campaigns. Out: ``Claims``."""

from collections.abc import Sequence

from crowd.cms.determinations import Claims, standing
from crowd.lineage import representatives
from crowd.reviewing import accepted_of
from linkeddata.lineages import concept_of
from linkeddata.records import Agent, Identification, Label, MediaFile, Taxon
from linkeddata.store import Store


def claims_of(store: Store, campaigns: Sequence[str] = (), *, base_url: str = "") -> Claims:
    """Return what there is of the files of ``campaigns``, or of all that the store has."""
    files: dict[str, MediaFile] = {}
    labels: list[Label] = []
    answers: list[Identification] = []
    if campaigns:
        for name in campaigns:
            files |= {media.iri: media for media in store.files_of(name)}
            labels += store.each(Label, campaign=name)
            answers += store.each(Identification, campaign=name)
    else:
        files = {media.iri: media for media in store.each(MediaFile)}
        labels, answers = list(store.each(Label)), list(store.each(Identification))
    labels = [one for one in labels if one.file in files]
    answers = [one for one in answers if one.file in files]
    out = Claims(files=tuple(files.values()), labels=tuple(labels), identifications=tuple(answers), base_url=base_url)
    told = [claim for _, claim in standing(out, unverified=True)]
    concepts = {concept_of(claim.item, claim.gbif_key) for claim in told} - {""}
    return Claims(
        files=out.files,
        labels=out.labels,
        identifications=out.identifications,
        agents={agent.id: agent for agent in store.each(Agent)},
        taxa=representatives(store.among(Taxon, "concept", sorted(concepts)), concepts),
        accepted=accepted_of(store, sorted({claim.file for claim in told})),
        base_url=base_url,
    )
