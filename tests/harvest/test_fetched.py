"""Lists by address: they say what the same files say, faults cost nothing or one list, and nothing of them stays."""

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from crowd.campaign import Campaign, DumpSource, DwcaSource, ListSource, NbaSource
from harvest.reach import Reach
from harvest.records import Harvested
from harvest.sources import harvest_all, source_state
from harvest.standin import faults
from harvest.standin.server import StandIn
from harvest.standin.world import World
from linkeddata.client import Client
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Failure, Tag

TABLE = "photo,species,by\n" + "".join(f"https://m.example/{n}.jpg,Vanessa cardui,Jan\n" for n in range(1, 200))
SPECIMEN = {
    "unitID": "N.5",
    "license": "CC0",
    "identifications": [{"scientificName": {"fullScientificName": "Papilio paris"}}],
    "associatedMultiMediaUris": [{"accessUri": "https://m.example/n5.jpg", "format": "image/jpeg"}],
}
META = """<archive xmlns="http://rs.tdwg.org/dwc/text/"><core rowType="http://rs.tdwg.org/dwc/terms/Occurrence"
 fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy="" ignoreHeaderLines="1" encoding="UTF-8">
<files><location>occurrence.txt</location></files><id index="0"/>
<field index="0" term="http://rs.tdwg.org/dwc/terms/occurrenceID"/>
<field index="1" term="http://rs.tdwg.org/dwc/terms/scientificName"/>
<field index="2" term="http://rs.tdwg.org/dwc/terms/associatedMedia"/></core></archive>"""


def _archive() -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as packed:
        packed.writestr("meta.xml", META)
        rows = [f"o{n}\tParus major\thttps://m.example/o{n}.jpg" for n in range(50)]
        packed.writestr("occurrence.txt", "\n".join(["id\tname\tmedia", *rows]) + "\n")
    return body.getvalue()


BODIES = {  # what each list is called here, and there: with what it is said to be
    "plates.csv": (TABLE.encode(), "/export", "text/csv; charset=utf-8"),
    "birds.zip": (_archive(), "/archive.do", "application/zip"),
    "nba.json": (json.dumps(SPECIMEN).encode(), "/v2/specimen/query", "application/json"),
}


def _campaign(places: Sequence[str], folder: Path) -> Campaign:
    table, archive, documents = places
    mapped = ListSource(path=table, url="photo", file="", name="species", agent="by")
    lists = {"files": (mapped,), "dwca": (DwcaSource(path=archive),), "nba": (NbaSource(path=documents),)}
    return Campaign(id="c", title="C", folder=str(folder), **lists)


@pytest.fixture(scope="module")
def museum() -> Iterator[StandIn]:
    with StandIn(World()) as running:
        for body, path, kind in BODIES.values():
            running.publish(path, body, kind, format="all")
        yield running


@pytest.fixture
def server(museum: StandIn) -> StandIn:
    museum.faults.clear()
    return museum


def _there(server: StandIn) -> list[str]:
    return [f"{server.url}{path}?format=all" for _, path, _ in BODIES.values()]


def _harvest(server: StandIn, campaign: Campaign, home: Path) -> list[Harvested]:
    settings = server.settings(home=str(home), tries=2)
    with Client(settings, sleep=lambda _: None) as client:
        people = Pseudonyms("a key for tests")
        records = list(
            harvest_all(Reach(client=client, settings=settings, campaign=campaign, pseudonyms=people, known={}))
        )
    assert not (home / "reading").exists(), "nothing of a list stays"
    return records


def _said(records: Sequence[Harvested]) -> list[tuple[str, str, str]]:
    return [(tag.file, tag.verbatim, tag.agent) for tag in records if isinstance(tag, Tag)]


def test_a_list_by_address_says_what_the_file_says(server: StandIn, tmp_path: Path) -> None:
    for name, (body, _, _) in BODIES.items():
        (tmp_path / name).write_bytes(body)
    home = tmp_path / "home"
    here, there = _campaign(list(BODIES), tmp_path), _campaign(_there(server), tmp_path)
    records = _harvest(server, there, home)
    assert _said(records) == _said(_harvest(server, here, home))
    assert len(_said(records)) == 199 + 50 + 1
    assert not [one for one in records if isinstance(one, Failure)]
    assert source_state(here) != source_state(there)


@pytest.mark.parametrize(
    "fault",
    [
        faults.TOO_MANY_REQUESTS,
        faults.UNAVAILABLE,
        faults.CUT_CONNECTION,
        faults.TRUNCATED,
        faults.HTML_PAGE,
        faults.SLOW_DRIP,
        faults.SLOW_HEADERS,
    ],
    ids=lambda fault: fault.kind,
)
def test_a_fault_that_passes_costs_nothing(server: StandIn, fault: faults.Fault, tmp_path: Path) -> None:
    campaign = _campaign(_there(server), tmp_path)
    undisturbed = _harvest(server, campaign, tmp_path)
    for _, path, _ in BODIES.values():
        server.faults.next(path, fault)
    assert _harvest(server, campaign, tmp_path) == undisturbed
    assert server.faults.pending == 0


def test_a_fault_that_stays_costs_one_list(server: StandIn, tmp_path: Path) -> None:
    places = _there(server)
    server.faults.next("/archive.do", faults.TRUNCATED, times=2)
    records = _harvest(server, _campaign(places, tmp_path), tmp_path)
    assert len(_said(records)) == 199 + 1
    (lost,) = (one for one in records if isinstance(one, Failure))
    assert (lost.subject, lost.reason) == (f"Darwin Core Archive {places[1]}", "source failed")
    assert "cut off" in lost.detail


def test_what_is_wrong_in_a_list_by_address_is_named_by_row(server: StandIn, tmp_path: Path) -> None:
    server.publish("/more.csv", b"photo,species,by\nnowhere,Vanessa,Jan\n", "text/plain")
    campaign = _campaign([f"{server.url}/more.csv", *_there(server)[1:]], tmp_path)
    (lost,) = (one for one in _harvest(server, campaign, tmp_path) if isinstance(one, Failure))
    assert lost.subject == "more.csv:2"


def test_what_is_no_web_address_and_dumps_far_away_are_refused(server: StandIn, tmp_path: Path) -> None:
    campaign = _campaign(["ftp://m.example/plates.csv", *_there(server)[1:]], tmp_path)
    far = DumpSource(files=("https://dumps.example/commons.json.gz",))
    records = _harvest(server, replace(campaign, dump=(far,)), tmp_path)
    details = sorted(one.detail for one in records if isinstance(one, Failure))
    assert details == [
        "ftp://m.example/plates.csv: lists come by https and http only",
        "https://dumps.example/commons.json.gz: dumps are read on this machine; fetch it first: "
        "curl -C - -O https://dumps.example/commons.json.gz",
    ]
