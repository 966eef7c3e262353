"""The main job on real rows: the recorded plates of the Biodiversity Heritage Library, from harvest to give-back."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyoxigraph
import pytest
import rdflib.compare
from pyld import jsonld

from crowd.campaignfile import load_campaign
from harvest.standin.server import StandIn
from identify.app import create_app
from identify.cli.shell import now
from identify.pipeline import Outcome, Run, run_steps
from identify.report import summary, write_report
from identify.steps import STEPS
from linkeddata.client import Client
from linkeddata.preflight.check import check
from linkeddata.preflight.findings import FAULT
from linkeddata.preflight.visit import Visit
from linkeddata.records import Failure, Label, MediaFile, Tag, Taxon
from linkeddata.store import Store
from tests.conftest import Serving

ROOT = Path(__file__).resolve().parents[2]
TWO_KEYS = {"Q3053115", "Q1304212", "Q14923165", "Q6421871"}
"""The recorded taxa that have two GBIF keys on Wikidata."""


@dataclass(frozen=True)
class Done:
    """The campaign after all its steps."""

    run: Run
    outcomes: dict[str, Outcome]
    asked: int


@pytest.fixture(scope="module")
def done(heritage: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    settings = heritage.settings(home=str(tmp_path_factory.mktemp("heritage")), pseudonym_key="test")
    campaign = load_campaign(ROOT / "campaigns/bhl-plates.toml")
    before = heritage.requests.count("/")
    with Store(settings.store) as store:
        run = Run(campaign=campaign, settings=settings, store=store, client=Client(settings), now=now)
        outcomes = {outcome.step: outcome for outcome in run_steps(run, STEPS)}
        yield Done(run, outcomes, heritage.requests.count("/") - before)


def recorded(recordings: Path) -> list[dict[str, str]]:
    rows = json.loads((recordings / "commons/bhl-depicts.srj").read_text(encoding="utf-8"))["results"]["bindings"]
    return [{name: cell["value"] for name, cell in row.items()} for row in rows]


def test_every_step_that_needs_no_picture_is_done(done: Done) -> None:
    statuses = {step: outcome.status for step, outcome in done.outcomes.items()}
    assert statuses == dict.fromkeys(("harvest", "names", "count", "publish", "export"), "done") | dict.fromkeys(
        ("images", "dataset", "train", "identify"), "not wanted"
    )


def test_all_files_and_tags_of_the_recorded_rows_come_home(done: Done, recordings: Path) -> None:
    """1,582 rows: 1,573 pairs of file and taxon, nine of which stand twice for a second key or name of the taxon."""
    rows = recorded(recordings)
    assert len(rows) == 1582
    pairs = {(row["file"], row["taxon"].rpartition("/")[2]) for row in rows}
    assert {(tag.file, tag.item) for tag in done.run.store.each(Tag)} == pairs
    assert done.run.store.count(Tag) == len(pairs) == 1573
    assert {(media.iri, media.original) for media in done.run.store.each(MediaFile)} == {
        (row["file"], row["url"]) for row in rows
    }
    assert done.run.store.count(MediaFile) == 1400


def test_every_taxon_is_linked_and_two_keys_are_reported_not_guessed(done: Done, recordings: Path) -> None:
    keys: dict[str, set[str]] = {}
    for row in recorded(recordings):
        keys.setdefault(row["taxon"].rpartition("/")[2], set()).add(row["gbif_id"])
    taxa = {taxon.query: taxon for taxon in done.run.store.each(Taxon)}
    assert taxa.keys() == keys.keys()
    assert all(taxon.item == query for query, taxon in taxa.items())
    for query, of_wikidata in keys.items():
        assert taxa[query].gbif_key == (next(iter(of_wikidata)) if len(of_wikidata) == 1 else ""), query
    assert {query for query, of_wikidata in keys.items() if len(of_wikidata) > 1} == TWO_KEYS
    open_questions = {failure.subject: failure.detail for failure in done.run.store.each(Failure, step="names")}
    assert open_questions.keys() == TWO_KEYS
    for item in TWO_KEYS:
        assert all(key in open_questions[item] for key in keys[item])


def test_every_tag_is_a_label_with_its_support(done: Done) -> None:
    labels = list(done.run.store.each(Label))
    assert {label.status for label in labels} == {"accepted"}
    tags = Counter(tag.file for tag in done.run.store.each(Tag))
    assert all(1 <= label.support <= label.voters <= tags[label.file] for label in labels)
    assert {label.file for label in labels} == tags.keys()


def documents(done: Done) -> list[dict[str, Any]]:
    lines = (done.run.folder / "published/labels.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_published_documents_mean_the_same_to_two_independent_parsers(done: Done) -> None:
    """pyld with rdflib on one side, Oxigraph on the other, on a document in twenty; all of them to Oxigraph."""
    published = documents(done)
    assert len(published) == done.run.store.count(Label)
    every = set()
    for number, document in enumerate(published):
        text = json.dumps(document)
        triples = {str(quad.triple) for quad in pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.JSON_LD)}
        assert triples
        every.update(triples)
        if number % 20 == 0:
            ours = rdflib.Graph().parse(data=_n_triples(text), format="nt")
            theirs = rdflib.Graph().parse(data=jsonld.to_rdf(document, {"format": "application/n-quads"}), format="nt")
            assert rdflib.compare.to_isomorphic(ours) == rdflib.compare.to_isomorphic(theirs)
    written = (done.run.folder / "published/results.nt").read_text(encoding="utf-8").splitlines()
    assert len(written) == len(set(written))
    assert done.outcomes["publish"].counts["triples"] == len(written)


def _n_triples(text: str) -> bytes:
    quads = pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.JSON_LD)
    return pyoxigraph.serialize((quad.triple for quad in quads), format=pyoxigraph.RdfFormat.N_TRIPLES) or b""


def test_what_has_one_object_goes_back_and_what_has_not_is_told(done: Done) -> None:
    numbers = Counter(media.inventory_number for media in done.run.store.each(MediaFile))
    shared = {number for number, count in numbers.items() if count > 1}
    text = (done.run.folder / "export/rijksmuseum.csv").read_text(encoding="utf-8-sig")
    rows = {row["objectnummer"]: row for row in csv.DictReader(text.splitlines(), delimiter=";")}
    assert rows.keys() == numbers.keys() - shared
    lost = list(done.run.store.each(Failure, step="export"))
    assert {failure.reason for failure in lost} == {"ambiguous object number"}
    assert len(lost) == sum(numbers[number] for number in shared)


def test_the_report_tells_it(done: Done) -> None:
    text = write_report(done.run).read_text(encoding="utf-8")
    assert "ambiguous object number" in text
    assert summary(done.run)["counts"]["harvest"] == {"files": 1400, "tags": 1573, "withdrawn": 0, "taggers": 0}


def test_few_requests_are_enough(done: Done) -> None:
    """One query, 23 batches of items, one answer for each key that GBIF is asked for."""
    assert done.asked <= 1 + 23 + 1103 + 30


def test_the_pre_flight_finds_no_fault(done: Done, serving: Serving) -> None:
    settings = replace(
        done.run.settings,
        publisher="Whoever runs this test",
        publisher_mail="test@deboodt.example",
        data_licence="https://creativecommons.org/publicdomain/zero/1.0/",
    )
    address = serving(lambda at: create_app(replace(settings, base_url=at), store=done.run.store))
    faults = [one.line() for one in check(Visit(address, address)) if one.level == FAULT]
    assert faults == []
