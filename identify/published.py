"""A campaign's results as linked data in files. In: a ``Run``. Out: one document a line, and the same as N-Triples.

``published/identifications.jsonl`` and ``labels.jsonl`` hold the documents that the API serves, each with its context
inside so that it can be read alone; ``published/results.nt`` holds the triples of them all, sorted;
``published/campaign.json`` what descriptions tell of the campaign.
"""

from collections.abc import Iterator
from pathlib import Path

import orjson

from identify.inputs import files_of, taxa_of
from identify.offered import write_facts
from identify.pipeline import Run
from linkeddata.contexts import with_context
from linkeddata.files import replaced
from linkeddata.jsonld import document, label_document
from linkeddata.nodes import Document
from linkeddata.records import Agent, Identification, Label, Taxon
from linkeddata.serialising import serialised


def publish(run: Run) -> dict[str, int]:
    """Write the files; return how many documents and triples there are."""
    folder = run.folder / "published"
    folder.mkdir(parents=True, exist_ok=True)
    written = {
        "identifications": list(_identifications(run)),
        "labels": list(_labels(run)),
    }
    triples: set[bytes] = set()
    for name, documents in written.items():
        _write_lines(run, folder / f"{name}.jsonl", documents)
        for one in documents:
            triples.update(serialised(one, "application/n-triples", run.settings.base_url).splitlines())
    with replaced(folder / "results.nt") as out:
        out.write(b"\n".join(sorted(triples)) + b"\n" if triples else b"")
    write_facts(run.campaign, run.folder)
    return {name: len(documents) for name, documents in written.items()} | {"triples": len(triples)}


def _write_lines(run: Run, path: Path, documents: list[Document]) -> None:
    with replaced(path) as out:
        for one in documents:
            out.write(orjson.dumps(with_context(one, "inline", run.settings.base_url)) + b"\n")


def _identifications(run: Run) -> Iterator[Document]:
    files = {media.iri: media for media in files_of(run)}
    concepts = concepts_of(run)
    later = {one.supersedes: one.id for one in run.store.each(Identification, campaign=run.campaign.id)}
    for answer in run.store.each(Identification, campaign=run.campaign.id):
        yield document(
            answer,
            media=files.get(answer.file),
            taxon=concepts.get(answer.item or f"gbif:{answer.gbif_key}"),
            agent=run.store.get(Agent, answer.agent),
            base_url=run.settings.base_url,
            replaced_by=later.get(answer.id, ""),
        )


def _labels(run: Run) -> Iterator[Document]:
    files = {media.iri: media for media in files_of(run)}
    concepts = concepts_of(run)
    for label in run.store.each(Label, campaign=run.campaign.id):
        yield label_document(
            label,
            media=files.get(label.file),
            taxon=concepts.get(label.item or f"gbif:{label.gbif_key}"),
            base_url=run.settings.base_url,
        )


def concepts_of(run: Run) -> dict[str, Taxon]:
    """Return the campaign's taxa by concept; of several names for one, that with the longest lineage."""
    taxa = sorted(taxa_of(run).values(), key=lambda taxon: (len(taxon.lineage), taxon.query))
    return {taxon.concept: taxon for taxon in taxa if taxon.concept}
