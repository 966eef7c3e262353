"""Several ways to one source: each gives the same statements, the first that works is taken, and it is told which."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import urlopen

import pytest

from crowd.campaign import ROUTES as NAMES
from crowd.campaign import Campaign, CommonsSource, SparqlSource
from crowd.campaignfile import parse_campaign, with_routes
from harvest import routes
from harvest.dumps.extract import BROKEN_LINE
from harvest.dumps.records import NOT_DUMPED
from harvest.reach import Reach
from harvest.records import Harvested
from harvest.routes import ANSWERED, NOT_INDEXED, ROUTE_FAILED
from harvest.sources import SOURCE_FAILED, harvest_all, source_state
from harvest.standin import faults
from harvest.standin.server import StandIn
from harvest.standin.sparql import LOGIN
from harvest.standin.world import Category, Entity, File, Item, Revision, World, statement, statements
from linkeddata.client import Client
from linkeddata.errors import CampaignError, ServiceError
from linkeddata.ids import COMMONS_ENTITY
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Agent, CampaignFile, Failure, MediaFile, Tag

R = TypeVar("R")
COUNT = 60
BROKEN = b'{"type":"mediainfo","id":"M9'
DUMPED = "2026-11-01T00:00:00Z"


def file(number: int, *items: str, ranks: Mapping[str, str] | None = None) -> File:
    """A plate in the album, tagged by Jan in one edit an item."""
    media = f"M{number}"
    told = [statement(media, "P180", item, rank=(ranks or {}).get(item, "normal")) for item in items]
    edits = [Revision(id=number * 100, user="Maker", moment="2021-10-01T00:00:00Z", comment="uploaded")]
    for place, item in enumerate(items, 1):
        comment = f"/* wbsetclaim-create:2||1 */ [[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/{item}]]"
        entity = Entity(statements=statements(*told[:place]))
        moment = f"2021-10-0{place + 1}T00:00:00Z"
        edits.append(
            Revision(
                id=number * 100 + place, user="Jan", moment=moment, comment=comment, parent=edits[-1].id, entity=entity
            )
        )
    return File(
        page_id=number,
        title=f"File:Plate {number}.jpg",
        revisions=tuple(edits),
        categories=("Album",),
        sha1=f"{number:040x}",
        uploaded="2021-10-01T00:00:00Z",
    )


def taxon(item: str, name: str, parent: str = "") -> Item:
    told = [statement(item, "P225", name), *([statement(item, "P171", parent)] if parent else [])]
    return Item(id=item, entity=Entity(labels={"en": name}, statements=statements(*told)))


def world() -> World:
    files = [file(n, "Q140", "Q19939") if n % 3 else file(n, "Q42") for n in range(1, COUNT + 1)]
    return World(
        files=tuple(files),
        categories=(Category(page_id=9000, title="Category:Album", moment="2021-01-01T00:00:00Z"),),
        items=(
            taxon("Q127960", "Panthera"),
            taxon("Q140", "Panthera leo", "Q127960"),
            taxon("Q19939", "Panthera tigris", "Q127960"),
        ),
        dumped=DUMPED,
    )


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn(world()) as running:
        yield running


ALBUM = CommonsSource(category="Album")
CATS = CommonsSource(depicts=("Q127960",))
LIONS = CommonsSource(search="haswbstatement:P180=Q140")
NAMED = CommonsSource(files=("M1", "M2", "M3"))


class Harvest:
    """What one harvest gave: records and notes."""

    def __init__(
        self,
        server: StandIn,
        *sources: CommonsSource | SparqlSource,
        via: str = "",
        known: Mapping[str, int] | None = None,
        **more: Any,
    ) -> None:
        self.notes: list[tuple[str, str, Mapping[str, Any]]] = []
        commons = tuple(source for source in sources if isinstance(source, CommonsSource))
        sparql = tuple(source for source in sources if isinstance(source, SparqlSource))
        campaign = Campaign(id="c", title="C", commons=commons, sparql=sparql)
        if via:
            campaign = with_routes(campaign, via.split(","))
        settings = server.settings(tries=2, wcqs_cookie=LOGIN, **more)
        with Client(settings, sleep=lambda _: None) as client:
            reach = Reach(
                client=client,
                settings=settings,
                campaign=campaign,
                pseudonyms=Pseudonyms("key"),
                known=known or {},
                note=lambda *note: self.notes.append(note),
            )
            self.records: list[Harvested] = list(harvest_all(reach))

    def only(self, kind: type[R]) -> list[R]:
        return [record for record in self.records if isinstance(record, kind)]

    @property
    def said(self) -> set[tuple[str, str, str]]:
        return {(tag.file, tag.item, tag.statement) for tag in self.only(Tag)}

    @property
    def files(self) -> set[str]:
        return {link.file for link in self.only(CampaignFile)}

    def reasons(self) -> list[str]:
        return [failure.reason for failure in self.only(Failure)]


@pytest.mark.parametrize("source", [ALBUM, CATS, LIONS, NAMED], ids=["category", "taxa", "search", "files"])
@pytest.mark.parametrize("route", ["qlever", "wcqs"])
def test_a_route_gives_the_files_and_statements_that_the_api_gives(
    server: StandIn, source: CommonsSource, route: str
) -> None:
    expected, found = Harvest(server, source, via="api"), Harvest(server, source, via=route)
    assert found.files == expected.files
    # A search for lions gives files whose other statements only the API shows.
    shown = {said for said in expected.said if said[1] == "Q140"} if source == LIONS else expected.said
    shown = {said for said in shown if said[1] != "Q42"} if source == CATS else shown
    assert found.said == shown
    assert not found.only(Failure)
    assert not found.only(Agent)
    titles = {media.iri: media.title for media in expected.only(MediaFile)}
    assert {media.iri: media.title for media in found.only(MediaFile)} == titles


@pytest.fixture
def dumped(server: StandIn, tmp_path: Path) -> dict[str, Any]:
    """Settings that name two dumps of the album, made of what the API says of each file; one of them has a bad line."""
    shards = []
    for shard, numbers in enumerate((range(1, COUNT // 2), range(COUNT // 2, COUNT + 1))):
        ids = "|".join(f"M{number}" for number in numbers)
        api = f"{server.settings().commons_api}?action=wbgetentities&ids={ids}&format=json"
        with urlopen(api) as answer:  # noqa: S310
            entities = json.load(answer)["entities"].values()
        lines = [json.dumps({"type": "mediainfo", **one}, separators=(",", ":")).encode() for one in entities]
        shards.append(tmp_path / f"shard-{shard}.json.gz")
        shards[-1].write_bytes(gzip.compress(b"[\n" + b",\n".join([*lines, BROKEN] if shard else lines) + b"\n]\n"))
    return {"dump_files": ", ".join(map(str, shards)), "home": str(tmp_path / "home")}


@pytest.mark.parametrize("source", [ALBUM, CATS, LIONS, NAMED], ids=["category", "taxa", "search", "files"])
def test_dumps_give_the_files_and_statements_that_the_api_gives(
    server: StandIn, dumped: dict[str, Any], source: CommonsSource
) -> None:
    expected, found = Harvest(server, source, via="api"), Harvest(server, source, via="dump", **dumped)
    assert found.files == expected.files
    assert found.said == expected.said
    assert found.reasons() == [BROKEN_LINE]
    assert not found.only(Agent)
    assert [note[2]["route"] for note in found.notes] == ["dump"]


def test_a_dump_takes_over_from_an_api_that_is_down(server: StandIn, dumped: dict[str, Any]) -> None:
    server.faults.next("/w/api.php", faults.UNAVAILABLE, times=4)
    known = {f"{COMMONS_ENTITY}M{number}": 1 for number in (1, 2, 99)}
    found = Harvest(server, ALBUM, via="api,dump", known=known, **dumped)
    assert found.files == {f"{COMMONS_ENTITY}M1", f"{COMMONS_ENTITY}M2"}
    assert {said[1] for said in found.said} == {"Q140", "Q19939"}
    assert {ROUTE_FAILED, NOT_DUMPED} <= set(found.reasons())
    (lost,) = [failure for failure in found.only(Failure) if failure.reason == NOT_DUMPED]
    assert lost.subject == f"{COMMONS_ENTITY}M99"
    assert "shard-0.json.gz" in lost.detail


def test_which_dumps_are_meant_must_be_said_and_they_must_be_there(server: StandIn, tmp_path: Path) -> None:
    (failure,) = Harvest(server, ALBUM, via="dump").only(Failure)[-1:]
    assert "--dump FILE" in failure.detail
    gone = Harvest(server, ALBUM, via="dump,qlever", dump_files=str(tmp_path / "gone.json"), home=str(tmp_path))
    assert "gone.json: No such file" in gone.only(Failure)[0].detail
    assert gone.said == Harvest(server, ALBUM, via="api").said


def test_the_registry_has_what_a_campaign_file_may_name() -> None:
    assert set(routes.ROUTES) == set(NAMES)


def test_it_is_told_which_route_answered_and_how_fresh_it_is(server: StandIn) -> None:
    (note,) = Harvest(server, ALBUM, via="qlever").notes
    kind, name, told = note
    assert (kind, name) == (ANSWERED, "Commons category Album")
    assert told == {
        "campaign": "c",
        "route": "qlever",
        "endpoint": f"{server.url}/sparql/commons",
        "index_date": DUMPED,
    }
    (note,) = Harvest(server, ALBUM, via="api").notes
    assert note[2] == {"campaign": "c", "route": "api"}


def test_the_next_route_takes_over_and_it_is_told_why(server: StandIn) -> None:
    server.faults.next("/sparql/commons", faults.UNAVAILABLE, times=2)
    found = Harvest(server, ALBUM, via="qlever,wcqs,api")
    assert found.files == Harvest(server, ALBUM, via="api").files
    (failure,) = found.only(Failure)
    assert failure.reason == ROUTE_FAILED
    assert failure.subject == "Commons category Album"
    assert failure.detail.startswith("qlever: http")
    assert "HTTP 503" in failure.detail
    assert [(told["route"], list(told["failed"])) for _, _, told in found.notes] == [("wcqs", ["qlever"])]


def test_no_route_is_a_failed_source_that_names_them_all(server: StandIn) -> None:
    server.faults.next("/sparql/", faults.UNAVAILABLE, times=4)
    found = Harvest(server, CATS, via="qlever,wdqs")
    assert found.reasons() == [ROUTE_FAILED, ROUTE_FAILED, SOURCE_FAILED]
    assert found.notes == []
    assert "qlever: " in found.only(Failure)[-1].detail
    assert "wdqs: " in found.only(Failure)[-1].detail


def test_what_a_route_gave_before_it_failed_is_not_given_again(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_api = routes.ROUTES["api"]

    def until_the_twentieth(*asked: Any) -> Iterator[Harvested]:
        met = 0
        for record in by_api(*asked):
            yield record
            met += isinstance(record, CampaignFile)
            if met == 20:
                raise ServiceError("the connection is gone", code="unreachable")

    whole = Harvest(server, ALBUM, via="api")
    monkeypatch.setitem(routes.ROUTES, "api", until_the_twentieth)
    found = Harvest(server, ALBUM, via="api,qlever")
    assert found.files == whole.files
    assert len(found.only(CampaignFile)) == len(found.only(MediaFile)) == COUNT
    assert {(file, item) for file, item, _ in found.said} == {(file, item) for file, item, _ in whole.said}
    tagged = {route: {tag.file for tag in found.only(Tag) if tag.route == route} for route in ("commons", "sparql")}
    assert (len(tagged["commons"]), len(tagged["sparql"])) == (20, COUNT - 20)
    assert not tagged["commons"] & tagged["sparql"]


def test_the_files_that_are_stored_stand_in_for_the_list_of_an_api_that_is_down(server: StandIn) -> None:
    stored = {media.iri: media.revision for media in Harvest(server, ALBUM, via="api").only(MediaFile)}
    server.faults.next("/w/api.php", faults.UNAVAILABLE, times=4)
    found = Harvest(server, ALBUM, via="api,qlever", known=stored)
    assert found.reasons() == [ROUTE_FAILED]
    assert found.files == set(stored)
    assert not found.only(MediaFile), "what the API said of them is richer"
    server.faults.next("/w/api.php", faults.UNAVAILABLE, times=4)
    refused = Harvest(server, ALBUM, via="qlever")
    assert refused.reasons() == [ROUTE_FAILED, SOURCE_FAILED]
    assert "known to the API alone" in refused.only(Failure)[0].detail
    server.faults.clear()
    server.faults.next("/w/api.php", faults.UNAVAILABLE, times=4)
    assert len(Harvest(server, NAMED, via="qlever").files) == 3, "files named by id need no list"


@pytest.mark.parametrize(
    ("source", "route", "why"),
    [
        (SparqlSource(query="depicts-of-files", params=(("file", "M1"),)), "api", "query services only"),
        (SparqlSource(query="depicts-of-files", params=(("file", "M1"),)), "wdqs", "does not know what is on Commons"),
        (SparqlSource(query="taxa-of-items", params=(("item", "Q140"),)), "wcqs", "does not know what is on Wikidata"),
        (replace(ALBUM, captions=True), "qlever", "no captions"),
        (replace(ALBUM, captions=True), "dump", "no captions"),
        (SparqlSource(query="taxa-of-items", params=(("item", "Q140"),)), "dump", "query services only"),
    ],
)
def test_a_route_says_what_it_cannot_do(
    server: StandIn, source: CommonsSource | SparqlSource, route: str, why: str
) -> None:
    found = Harvest(server, source, via=route)
    assert found.reasons() == [ROUTE_FAILED, SOURCE_FAILED]
    assert why in found.only(Failure)[0].detail


def test_a_query_is_put_to_the_first_endpoint_that_works(server: StandIn) -> None:
    query = SparqlSource(query="files-of-items", params=(("item", "Q140"),))
    server.faults.next("/sparql/commons", faults.UNAVAILABLE, times=2)
    found = Harvest(server, query, via="qlever,wcqs")
    assert len(found.files) == COUNT * 2 // 3
    assert found.reasons() == [ROUTE_FAILED]


def test_a_query_without_routes_tells_its_endpoint_too(server: StandIn) -> None:
    query = SparqlSource(query="files-of-items", params=(("item", "Q140"),), endpoint="wcqs")
    (note,) = Harvest(server, query).notes
    assert note[2]["endpoint"] == f"{server.url}/sparql/wcqs"
    assert note[2]["index_date"] == DUMPED


def test_a_file_that_the_index_does_not_know_is_said(server: StandIn) -> None:
    older = world()
    server.index(replace(older, files=older.files[1:]))
    found = Harvest(server, ALBUM, via="qlever")
    assert len(found.files) == COUNT - 1
    assert [(f.subject.rpartition("/")[2], f.reason) for f in found.only(Failure)] == [("M1", NOT_INDEXED)]


def test_an_index_date_that_cannot_be_had_spoils_nothing(server: StandIn) -> None:
    server.index(replace(world(), dumped=""))
    (note,) = Harvest(server, ALBUM, via="qlever").notes
    assert note[2]["index_date"] == ""


def test_taxa_below_are_asked_of_the_other_service_where_one_is_down(server: StandIn) -> None:
    server.faults.next("/sparql/wikidata", faults.UNAVAILABLE, times=2)
    assert len(Harvest(server, CATS).files) == COUNT * 2 // 3
    server.faults.next("/sparql/", faults.UNAVAILABLE, times=4)
    found = Harvest(server, CATS)
    assert found.reasons() == [ROUTE_FAILED, SOURCE_FAILED]
    assert "the taxa below Q127960" in found.only(Failure)[0].detail


def test_taxa_that_nothing_shows_are_said(server: StandIn) -> None:
    found = Harvest(server, CommonsSource(depicts=("Q5",)))
    assert [(f.subject, f.reason) for f in found.only(Failure)] == [("Q5", "nothing found")]


def test_a_campaign_file_names_routes() -> None:
    head = '[campaign]\nid = "x"\ntitle = "X"\n'
    campaign = parse_campaign(head + '[[tags.commons]]\ndepicts = ["Q5113"]\nvia = ["qlever", "api"]', name="x.toml")
    assert campaign.commons[0].via == ("qlever", "api")
    assert with_routes(campaign, ["wcqs"]).commons[0].via == ("wcqs",)
    assert source_state(campaign) == source_state(with_routes(campaign, ["wcqs"])), "what is known by one is known"
    for wrong, message in [
        ('category = "A"\nvia = ["telnet"]', "no route 'telnet'; known are api, qlever"),
        ('depicts = ["Birds"]', "depicts is a list of Q-items"),
        ('category = "A"\ndepicts = ["Q5113"]', "exactly one of"),
    ]:
        with pytest.raises(CampaignError, match=message):
            parse_campaign(f"{head}[[tags.commons]]\n{wrong}", name="x.toml")
