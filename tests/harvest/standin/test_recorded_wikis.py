"""The stand-in asked what real wikis were asked: does it answer the same, field for field?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph
import pytest
import requests

from harvest.standin.index import Index
from harvest.standin.mediawiki import Wiki
from harvest.standin.rdf import quads
from harvest.standin.recorded import mediawiki_world
from harvest.standin.server import StandIn
from harvest.standin.world import Entity, File, Revision, World

COMMONS, WIKIDATA, IMAGES = "http://commons.test", "http://wikidata.test", "http://commons.test/images-commonswiki"

UNKNOWN = {
    "size": "Wikibase stores a slot in another form than it shows, so its size cannot be told",
    "touched": "pages are touched by jobs of the wiki that leave no trace",
}
"""Fields whose values the World does not hold; they must be there and of the same type."""

OUTSIDE = {
    "siteinfo": "a stand-in has no extensions, skins and namespaces to tell of",
    "recent changes": "logged uploads are not in the World; checked below",
    "several items": "the recorded Wikibase does not know the language mul yet, Wikidata does",
    "search entities": "the recorded wiki's term index has no descriptions, Wikidata's has",
    "maxlag exceeded": "the stand-in lags on demand; checked in test_server",
}
"""Exchanges that are not asked here, by the beginning of their note, and why."""


def exchanges(recordings: Path) -> list[Any]:
    text = (recordings / "mediawiki/recorded.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def ask(standin: StandIn, session: requests.Session, exchange: Any) -> tuple[requests.Response, Any]:
    """Ask the recorded question; return the answer with the recording's host names in it."""
    path = "/w/api.php" if exchange["site"] == "commons" else "/wikidata/w/api.php"
    response = session.get(standin.url + path, params=exchange["params"])
    text = response.text.replace(f"{standin.url}/images", IMAGES).replace(f"{standin.url}/wikidata", WIKIDATA)
    return response, json.loads(text.replace(standin.url, COMMONS))


def differences(real: Any, ours: Any, path: str = "") -> Iterator[str]:
    """Yield where two answers differ, values of UNKNOWN fields aside."""
    name = path.rsplit("/", 1)[-1]
    if type(real) is not type(ours):
        yield f"{path}: {real!r} is {ours!r}"
    elif isinstance(real, dict):
        for key in real.keys() | ours.keys():
            if key in real and key in ours:
                yield from differences(real[key], ours[key], f"{path}/{key}")
            else:
                yield f"{path}/{key}: only {'recorded' if key in real else 'ours'}"
    elif isinstance(real, list):
        if len(real) != len(ours):
            yield f"{path}: {len(real)} entries are {len(ours)}"
        for number, (one, other) in enumerate(zip(real, ours, strict=False)):
            yield from differences(one, other, f"{path}/{number}")
    elif real != ours and name not in UNKNOWN:
        yield f"{path}: {real!r} is {ours!r}"


def test_api_answers_as_recorded(recordings: Path, small_wikis: StandIn) -> None:
    asked = [e for e in exchanges(recordings) if e["path"] == "/w/api.php" and not e["note"].startswith(tuple(OUTSIDE))]
    trouble = {}
    with requests.Session() as session:
        for exchange in asked:
            response, ours = ask(small_wikis, session, exchange)
            found = list(differences(exchange["json"], ours))
            for name in ("MediaWiki-API-Error", "Content-Type"):
                if response.headers.get(name) != exchange["headers"].get(name):
                    found.append(f"header {name}: {response.headers.get(name)}")
            if found or response.status_code != exchange["status"]:
                trouble[exchange["note"]] = found[:5]
    assert trouble == {}
    assert len(asked) >= 98  # of all that was recorded


def test_what_is_not_compared_was_recorded(recordings: Path) -> None:
    notes = [e["note"] for e in exchanges(recordings)]
    assert all(any(note.startswith(beginning) for note in notes) for beginning in OUTSIDE)


def test_recent_changes_have_the_recorded_fields(recordings: Path, small_wikis: StandIn) -> None:
    exchange = next(e for e in exchanges(recordings) if e["note"].startswith("recent changes"))
    with requests.Session() as session:
        _, ours = ask(small_wikis, session, exchange)
    real = exchange["json"]["query"]["recentchanges"]
    first = ours["query"]["recentchanges"]
    assert [c["revid"] for c in first[:13]] == [c["revid"] for c in real[:13]]
    assert first[0].keys() == real[0].keys()
    assert {type(first[0][k]) for k in first[0]} == {type(real[0][k]) for k in real[0]}


def test_entity_data_and_concept_addresses(recordings: Path, small_wikis: StandIn) -> None:
    recorded = {e["path"]: e for e in exchanges(recordings) if e["site"] == "commons" and e["path"] != "/w/api.php"}
    with requests.Session() as session:
        lion = session.get(f"{small_wikis.url}/wiki/Special:EntityData/M12.json")
        nothing = session.get(f"{small_wikis.url}/wiki/Special:EntityData/M17.json")
        concept = session.get(f"{small_wikis.url}/entity/M22", allow_redirects=False)
    assert list(differences(recorded["/wiki/Special:EntityData/M12.json"]["json"], lion.json())) == []
    assert nothing.status_code == recorded["/wiki/Special:EntityData/M17.json"]["status"] == 404
    assert concept.status_code == recorded["/entity/M22"]["status"] == 303
    assert concept.headers["Location"] == recorded["/entity/M22"]["headers"]["Location"]


NOT_MADE = {
    "P1259": "coordinates",
    "/value/": "full values of dates, quantities and coordinates",
    "wasDerivedFrom": "references",
}
"""What the RDF of the stand-in leaves out."""


def test_rdf_says_what_the_dump_says(recordings: Path) -> None:
    """Our triples about files are in the real dump, and the dump's in ours, with known exceptions."""
    world = mediawiki_world(recordings / "mediawiki/recorded.jsonl")
    wiki = Wiki(Index(world), "commons", COMMONS, IMAGES)
    ours = {_plain(q) for q in quads(wiki) if isinstance(q.graph_name, pyoxigraph.DefaultGraph)}
    dump = pyoxigraph.parse(path=str(recordings / "mediawiki/mediainfo-dump.nt"), format=pyoxigraph.RdfFormat.N_TRIPLES)
    real = {t for q in dump if _about_file(t := _plain(q))}
    later = {f.id for f in world.files if f.revisions[-1].moment > "2026-11-23T04:34"}  # edited after the dump
    imageless = {f.id for f in world.files if not f.size_bytes}  # whose image information was not recorded
    assert {t for t in ours - real if not _of(t, later)} == set()
    left_out = {t for t in real - ours if not _of(t, later) and not any(mark in " ".join(t) for mark in NOT_MADE)}
    assert {t for t in left_out if not (_of(t, imageless) and "schema.org" in t[1])} == set()
    assert len(ours & real) > 1400


def test_rdf_of_a_file_is_that_of_the_extension_s_own_tests(recordings: Path) -> None:
    name = "commons/wikibase-mediainfo/tests/phpunit/data/MediaInfoSpecificComponentsRdfBuilder/M1_jpg.nt"
    real = {_plain(t) for t in pyoxigraph.parse(path=str(recordings / name), format=pyoxigraph.RdfFormat.N_TRIPLES)}
    history = (Revision(id=1, user="", moment="2021-10-01T00:00:00Z", comment="", entity=Entity()),)
    file = File(
        page_id=1,
        title="File:Test.jpg",
        url="http://example.com/Test.jpg",
        size_bytes=123445,
        width_px=2048,
        height_px=1024,
        revisions=history,
    )
    wiki = Wiki(Index(World(files=(file,), commons_entity="http://acme.test/")), "commons", COMMONS, IMAGES)
    ours = {_plain(q) for q in quads(wiki) if "acme.test" in str(q.subject)}
    assert real < ours
    assert {t[2] for t in ours - real} == {"<http://wikiba.se/ontology#Mediainfo>"}


def _plain(quad: pyoxigraph.Quad | pyoxigraph.Triple) -> tuple[str, str, str]:
    terms = (quad.subject, quad.predicate, quad.object)
    return tuple("_:some" if isinstance(t, pyoxigraph.BlankNode) else str(t) for t in terms)  # type: ignore[return-value]


def _about_file(triple: tuple[str, str, str]) -> bool:
    return any(mark in triple[0] for mark in ("/entity/M", "/statement/M", "EntityData/M"))


def _of(triple: tuple[str, str, str], ids: set[str]) -> bool:
    last = triple[0].strip("<>").rsplit("/", 1)[-1]
    return last.split("-")[0] in ids


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("wbgetentities-missing-mid.json", {"action": "wbgetentities", "ids": "M91629437"}),
        ("wbgetentities-virtual-Test.jpg.json", {"action": "wbgetentities", "ids": "M4215516"}),
        (
            "wbgetentities-1234567890-missing.json",
            {"action": "wbgetentities", "sites": "dewiki", "titles": "1234567890"},
        ),
        (
            "wbsearchentities-empty.json",
            {"action": "wbsearchentities", "search": "some search string with no results", "language": "en"},
        ),
        ("query-Not Found.json", {"action": "query", "titles": "File:Not Found"}),
    ],
)
def test_answers_recorded_elsewhere(recordings: Path, small_wikis: StandIn, name: str, params: dict[str, str]) -> None:
    folder = recordings / "wikibase-api/wdtk-wikibaseapi/src/test/resources"
    real = json.loads((folder / name).read_text(encoding="utf-8"))
    ours = requests.get(f"{small_wikis.url}/w/api.php", params=params | {"format": "json"}, timeout=10).json()
    ours.pop("success", None)  # older Wikibases did not send it for files
    real.pop("success", None)
    assert list(differences(real, ours)) == []
